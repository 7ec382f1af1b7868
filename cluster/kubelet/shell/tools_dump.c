/* SPDX-License-Identifier: MIT */
/* Bytes made visible: od, hexdump, xxd; expand. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kubelet/shell/shell.h"

#define EVERY "busybox debian"
enum { FORMATS = 4 };

/* How one value is shown: its size in bytes, columns with the gap before it, printf's letter ('c': a
 * character). */
struct format {
	char kind;
	unsigned size, width;
	bool text; /* the line's characters behind it */
};

struct dump {
	struct kt_buf data;
	struct format formats[FORMATS];
	size_t count, line, skip, most, group;
	char radix;   /* of the offset: o d x n */
	bool all;     /* -v: lines like the last one are shown too */
	char flavour; /* hexdump: 'C' or 'x'; xxd: 'p' plain, 'r' plain back, 'b' bits, 'u' upper case, 0 */
};

static void end_dump(struct tool_run *r)
{
	kt_buf_clear(&((struct dump *)r->state)->data);
}

static bool number_of(const char *text, size_t *out)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 0);
	if (end == text)
		return false;
	if (*end == 'k' || *end == 'K')
		n <<= 10;
	if (n > SIZE_MAX / 4)
		return false;
	*out = (size_t)n;
	return true;
}

static void cut_out(struct dump *s)
{
	size_t from = KT_MIN(s->skip, s->data.len), len = KT_MIN(s->data.len - from, s->most);
	struct kt_buf rest = {0};
	kt_buf_add(&rest, kt_buf_str(&s->data) + from, len);
	kt_buf_clear(&s->data);
	s->data = rest;
}

static uint64_t value_at(const struct kt_buf *data, size_t at, unsigned size)
{
	uint64_t value = 0;
	for (unsigned i = 0; i < size && at + i < data->len; i++)
		value |= (uint64_t)(unsigned char)data->data[at + i] << (8 * i);
	return value;
}

static void add_char(struct kt_buf *out, unsigned char c)
{
	static const char named[] = "\0\a\b\f\n\r\t\v", letters[] = "0abfnrtv";
	const char *found = memchr(named, c, sizeof(named) - 1);
	if (found)
		kt_buf_addf(out, "  \\%c", letters[found - named]);
	else if (isprint(c))
		kt_buf_addf(out, "   %c", c);
	else
		kt_buf_addf(out, " %03o", c);
}

static void add_value(struct kt_buf *out, const struct format *f, uint64_t value)
{
	int digits = (int)f->width - 1, gap = (int)f->width;
	if (f->kind == 'c')
		add_char(out, (unsigned char)value);
	else if (f->kind == 'o')
		kt_buf_addf(out, " %0*" PRIo64, digits, value);
	else if (f->kind == 'x')
		kt_buf_addf(out, " %0*" PRIx64, digits, value);
	else if (f->kind == 'u')
		kt_buf_addf(out, "%*" PRIu64, gap, value);
	else
		kt_buf_addf(out, "%*" PRId64, gap,
		            (int64_t)(value << (64 - 8 * f->size)) >> (64 - 8 * f->size));
}

static void add_text(struct kt_buf *out, const struct kt_buf *data, size_t at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		kt_buf_addc(out, isprint((unsigned char)data->data[at + i]) ? data->data[at + i] : '.');
}

/* Is the line at `at` the same as the one before? Told once, as "*". */
static bool repeats(const struct dump *s, size_t at, bool *told, struct kt_buf *out)
{
	bool same = !s->all && at >= s->line && at + s->line <= s->data.len &&
	            !memcmp(s->data.data + at, s->data.data + at - s->line, s->line);
	if (same && !*told)
		kt_buf_adds(out, "*\n");
	*told = same;
	return same;
}

/* --- od --- */
static bool add_format(struct dump *s, char kind, unsigned size)
{
	static const unsigned octal[] = {4, 7, 12, 23}, hex[] = {3, 5, 9, 17}, signedly[] = {5, 7, 12, 21},
	                      unsignedly[] = {4, 6, 11, 21};
	unsigned step = size == 1 ? 0 : (size == 2 ? 1 : (size == 4 ? 2 : (size == 8 ? 3 : 4)));
	const unsigned *widths =
	        kind == 'o' ? octal : (kind == 'x' ? hex : (kind == 'u' ? unsignedly : signedly));
	if (step > 3 || s->count == FORMATS)
		return false;
	s->formats[s->count++] = (struct format){kind, size, kind == 'c' ? 4 : widths[step], false};
	return true;
}

/* "x1z", "o2", "c", "dI" */
static bool parse_type(struct dump *s, const char *text)
{
	while (*text) {
		char kind = *text++;
		unsigned size = kind == 'c' ? 1 : 4;
		char *end = NULL;
		if (!strchr("coxud", kind))
			return false;
		if (*text && strchr("CSIL", *text))
			size = *text == 'C' ? 1 : (*text == 'S' ? 2 : (*text == 'I' ? 4 : 8)), text++;
		else if (isdigit((unsigned char)*text))
			size = (unsigned)strtoul(text, &end, 10), text = end;
		if (!add_format(s, kind, size))
			return false;
		for (; *text == 'z'; text++)
			s->formats[s->count - 1].text = true;
	}
	return true;
}

static int od_options(struct tool_run *r, struct dump *s)
{
	static const struct {
		char letter, kind;
		unsigned size;
	} old[] = {{'b', 'o', 1}, {'c', 'c', 1}, {'d', 'u', 2}, {'o', 'o', 2},
	           {'x', 'x', 2}, {'s', 'd', 2}, {'i', 'd', 4}, {'l', 'd', 8}};
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->radix = 'o';
	s->line = 16;
	s->most = SIZE_MAX;
	while ((option = tool_option(r, &at, &in, "A:t:N:j:w:vbcdoxsil", &value))) {
		if (option == '?')
			return 1;
		if (option == 'A')
			s->radix = *value;
		s->all = s->all || option == 'v';
		if (option == 't' && !parse_type(s, value))
			return tool_fail(r, 1, "invalid type string '%s'", value);
		size_t *number = option == 'N'
		                         ? &s->most
		                         : (option == 'j' ? &s->skip : (option == 'w' ? &s->line : NULL));
		if (number && !number_of(value, number))
			return tool_fail(r, 1, "invalid number '%s'", value);
		for (size_t i = 0; i < KT_COUNT(old); i++) {
			if (old[i].letter == option)
				(void)add_format(s, old[i].kind, old[i].size);
		}
	}
	if (!s->count)
		(void)add_format(s, 'o', 2);
	if (!s->line || s->line > 4096)
		s->line = 16;
	tool_inputs(r, at);
	return 0;
}

static void add_offset(struct kt_buf *out, char radix, size_t at)
{
	if (radix == 'd')
		kt_buf_addf(out, "%07zu", at);
	else if (radix == 'x')
		kt_buf_addf(out, "%06zx", at);
	else if (radix != 'n')
		kt_buf_addf(out, "%07zo", at);
}

static void od_line(const struct dump *s, size_t at, struct kt_buf *out)
{
	size_t len = KT_MIN(s->line, s->data.len - at);
	for (size_t i = 0; i < s->count; i++) {
		const struct format *f = &s->formats[i];
		if (i == 0)
			add_offset(out, s->radix, s->skip + at);
		else if (s->radix != 'n')
			kt_buf_addf(out, "%7s", "");
		for (size_t b = 0; b < len; b += f->size)
			add_value(out, f, value_at(&s->data, at + b, f->size));
		if (f->text) {
			size_t missing = (s->line - len) / f->size * f->width;
			kt_buf_addf(out, "%*s  >", (int)missing, "");
			add_text(out, &s->data, at, len);
			kt_buf_addc(out, '<');
		}
		kt_buf_addc(out, '\n');
	}
}

static int run_od(struct tool_run *r)
{
	struct dump *s = r->state;
	struct kt_buf out = {0};
	bool told = false;
	int rc;
	if (!r->opened && (rc = od_options(r, s)))
		return rc;
	r->opened = true;
	if (tool_all(r, &s->data))
		return TOOL_WAIT;
	size_t start = s->skip;
	cut_out(s);
	s->skip = start;
	for (size_t at = 0; at < s->data.len; at += s->line) {
		if (!repeats(s, at, &told, &out))
			od_line(s, at, &out);
	}
	add_offset(&out, s->radix, start + s->data.len);
	if (s->radix != 'n')
		kt_buf_addc(&out, '\n');
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return r->in_status;
}

/* --- hexdump --- */
static void hexdump_line(const struct dump *s, size_t at, struct kt_buf *out)
{
	size_t len = KT_MIN(s->line, s->data.len - at);
	if (s->flavour != 'C') {
		kt_buf_addf(out, "%07zx", s->skip + at);
		for (size_t i = 0; i < s->line; i += 2) {
			if (i < len)
				kt_buf_addf(out, " %04" PRIx64, value_at(&s->data, at + i, 2));
			else
				kt_buf_adds(out, "     ");
		}
		kt_buf_addc(out, '\n');
		return;
	}
	kt_buf_addf(out, "%08zx ", s->skip + at);
	for (size_t i = 0; i < s->line; i++) {
		if (i == 8)
			kt_buf_addc(out, ' ');
		if (i < len)
			kt_buf_addf(out, " %02x", (unsigned char)s->data.data[at + i]);
		else
			kt_buf_adds(out, "   ");
	}
	kt_buf_adds(out, "  |");
	add_text(out, &s->data, at, len);
	kt_buf_adds(out, "|\n");
}

static int run_hexdump(struct tool_run *r)
{
	struct dump *s = r->state;
	struct kt_buf out = {0};
	bool told = false;
	const char *value;
	size_t at = 1, in = 0;
	int option;
	while (!r->opened && (option = tool_option(r, &at, &in, "Cxn:s:v", &value))) {
		if (option == '?')
			return 1;
		s->all = s->all || option == 'v';
		if (option == 'C')
			s->flavour = 'C';
		if (option == 'n' && !number_of(value, &s->group))
			return tool_fail(r, 1, "invalid number '%s'", value);
		if (option == 's' && !number_of(value, &s->skip))
			return tool_fail(r, 1, "invalid number '%s'", value);
	}
	if (!r->opened)
		tool_inputs(r, at);
	r->opened = true;
	s->line = 16;
	if (tool_all(r, &s->data))
		return TOOL_WAIT;
	s->most = s->group ? s->group : SIZE_MAX;
	cut_out(s);
	for (size_t i = 0; i < s->data.len; i += s->line) {
		if (!repeats(s, i, &told, &out))
			hexdump_line(s, i, &out);
	}
	if (s->data.len)
		kt_buf_addf(&out, s->flavour == 'C' ? "%08zx\n" : "%07zx\n", s->skip + s->data.len);
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return r->in_status;
}

/* --- xxd --- */
static int xxd_options(struct tool_run *r, struct dump *s)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->most = SIZE_MAX;
	while ((option = tool_option(r, &at, &in, "prubc:g:l:s:", &value))) {
		size_t *number = NULL;
		if (option == '?')
			return 1;
		if (strchr("prub", option))
			s->flavour = option == 'p' && s->flavour == 'r' ? 'r' : (char)option;
		if (option == 'p' && s->flavour != 'r')
			s->flavour = 'p';
		number = option == 'c'
		                 ? &s->line
		                 : (option == 'g'
		                            ? &s->group
		                            : (option == 'l' ? &s->most : (option == 's' ? &s->skip : NULL)));
		if (number && !number_of(value, number))
			return tool_fail(r, 1, "invalid number '%s'", value);
	}
	if (!s->line || s->line > 256)
		s->line = s->flavour == 'p' ? 30 : (s->flavour == 'b' ? 6 : 16);
	if (!s->group)
		s->group = s->flavour == 'b' ? 1 : 2;
	tool_inputs(r, at);
	return 0;
}

static void xxd_line(const struct dump *s, size_t at, struct kt_buf *out)
{
	size_t len = KT_MIN(s->line, s->data.len - at);
	kt_buf_addf(out, "%08zx:", s->skip + at);
	for (size_t i = 0; i < s->line; i++) {
		unsigned char c = i < len ? (unsigned char)s->data.data[at + i] : 0;
		if (i % s->group == 0)
			kt_buf_addc(out, ' ');
		if (i >= len)
			kt_buf_adds(out, s->flavour == 'b' ? "        " : "  ");
		else if (s->flavour == 'b')
			for (int bit = 7; bit >= 0; bit--)
				kt_buf_addc(out, c >> bit & 1 ? '1' : '0');
		else
			kt_buf_addf(out, s->flavour == 'u' ? "%02X" : "%02x", c);
	}
	kt_buf_adds(out, "  ");
	add_text(out, &s->data, at, len);
	kt_buf_addc(out, '\n');
}

static void from_plain(const struct kt_buf *text, struct kt_buf *out)
{
	int high = -1;
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->data[i];
		if (!isxdigit(c))
			continue;
		int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		if (high >= 0)
			kt_buf_addc(out, (char)(high << 4 | digit));
		high = high >= 0 ? -1 : digit;
	}
}

static int run_xxd(struct tool_run *r)
{
	struct dump *s = r->state;
	struct kt_buf out = {0};
	int rc;
	if (!r->opened && (rc = xxd_options(r, s)))
		return rc;
	r->opened = true;
	if (tool_all(r, &s->data))
		return TOOL_WAIT;
	if (s->flavour == 'r')
		from_plain(&s->data, &out);
	else
		cut_out(s);
	for (size_t at = 0; s->flavour != 'r' && at < s->data.len; at += s->line) {
		if (s->flavour == 'p') {
			kt_hex(s->data.data + at, KT_MIN(s->line, s->data.len - at), &out);
			kt_buf_addc(&out, '\n');
		} else {
			xxd_line(s, at, &out);
		}
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return r->in_status;
}

/* --- expand --- */
static int run_expand(struct tool_run *r)
{
	struct dump *s = r->state;
	const char *value;
	size_t at = 1, in = 0;
	int option, rc;
	while (!r->opened && (option = tool_option(r, &at, &in, "t:i", &value))) {
		if (option == '?')
			return 1;
		if (option == 't' && (!number_of(value, &s->line) || !s->line || s->line > 1000))
			return tool_fail(r, 1, "invalid number '%s'", value);
	}
	if (!r->opened)
		tool_inputs(r, at);
	r->opened = true;
	s->line = s->line ? s->line : 8;
	for (;;) {
		struct kt_buf line = {0}, out = {0};
		rc = tool_line(r, &line);
		if (rc == 1) {
			size_t column = 0;
			for (size_t i = 0; i < line.len; i++) {
				size_t gap = line.data[i] == '\t' ? s->line - column % s->line : 1;
				column += gap;
				for (size_t n = 0; n < gap; n++)
					kt_buf_addc(&out, line.data[i] == '\t' ? ' ' : line.data[i]);
			}
			kt_buf_addc(&out, '\n');
			tool_out(r, out.data, out.len);
		}
		kt_buf_clear(&line);
		kt_buf_clear(&out);
		if (rc != 1)
			return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
	}
}

/* strings [-n COUNT]: what can be printed, COUNT (4) characters and more of it */
static int run_strings(struct tool_run *r)
{
	const char *value;
	size_t at = 1, in = 0, least = 4;
	struct kt_buf all = {0};
	for (int option; (option = tool_option(r, &at, &in, "an:fo", &value));) {
		if (option == '?' || (option == 'n' && !number_of(value, &least)))
			return 1;
	}
	if (!r->opened)
		tool_inputs(r, at);
	r->opened = true;
	struct dump *s = r->state;
	if (tool_all(r, &s->data))
		return TOOL_WAIT;
	for (size_t i = 0; i <= s->data.len; i++) {
		char c = i < s->data.len ? s->data.data[i] : '\0';
		if ((c >= ' ' && c < 127) || c == '\t') {
			kt_buf_addc(&all, c);
			continue;
		}
		if (all.len >= least)
			tool_outf(r, "%s\n", kt_buf_str(&all));
		kt_buf_cut(&all, 0);
	}
	kt_buf_clear(&all);
	return r->in_status;
}

#define DUMP(program) .run = program, .state_size = sizeof(struct dump), .end = end_dump
const struct tool tools_dump[] = {
        {.name = "expand", .sets = EVERY, DUMP(run_expand)},
        {.name = "hd", .sets = EVERY, DUMP(run_hexdump)},
        {.name = "hexdump", .sets = EVERY, DUMP(run_hexdump)},
        {.name = "od", .sets = EVERY, DUMP(run_od)},
        {.name = "strings", .sets = EVERY, DUMP(run_strings)},
        {.name = "xxd", .sets = EVERY, DUMP(run_xxd)},
        {.name = NULL},
};

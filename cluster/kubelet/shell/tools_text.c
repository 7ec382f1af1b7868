/* SPDX-License-Identifier: MIT */
#include "base/codec.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERY "busybox debian"

static int run_true(struct tool_run *r)
{
	(void)r;
	return 0;
}

static int run_false(struct tool_run *r)
{
	(void)r;
	return 1;
}

static int run_echo(struct tool_run *r)
{
	struct kt_buf out = {0};
	echo_text(&r->argv, false, &out);
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return 0;
}

static int run_printf(struct tool_run *r)
{
	struct kt_buf out = {0};
	char message[160] = "";
	int rc = printf_text(&r->argv, &out, message);
	tool_out(r, kt_buf_str(&out), out.len);
	if (message[0])
		tool_errf(r, "%s", message);
	kt_buf_clear(&out);
	return rc;
}

static int run_test(struct tool_run *r)
{
	char message[160];
	size_t count = r->argv.count - 1;
	if (r->tool->name[0] == '[') {
		if (!count || strcmp(r->argv.items[count], "]") != 0)
			return tool_fail(r, 2, "missing ]");
		count--;
	}
	int rc = test_words(r->task, r->argv.items + 1, count, message);
	if (message[0])
		tool_errf(r, "%s", message);
	return rc;
}

/* --- cat --- */
static int run_cat(struct tool_run *r)
{
	bool *numbered = r->state;
	size_t *line = (size_t *)r->state + 1;
	struct kt_buf data = {0};
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "nAevtbsu", &value))) {
			if (option == '?')
				return 1;
			*numbered = *numbered || option == 'n' || option == 'b';
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	if (*numbered) {
		while ((rc = tool_line(r, &data)) == 1)
			tool_outf(r, "%6zu\t%s\n", ++*line, kt_buf_str(&data));
	} else {
		rc = tool_bytes(r, &data);
		tool_out(r, kt_buf_str(&data), data.len);
	}
	kt_buf_clear(&data);
	if (rc == 1)
		return TOOL_AGAIN;
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

/* --- head, tail --- */
struct ends {
	int64_t count, seen;
	bool bytes, from_start, all_but, follow, by_name;
	struct kt_strs kept;
	struct kt_buf held; /* head -c -N */
	char *path;
	size_t at;
};

static bool parse_count(struct tool_run *r, const char *text, struct ends *s)
{
	char *end;
	s->from_start = *text == '+';
	s->all_but = *text == '-';
	s->count = strtoll(text + (s->from_start || s->all_but), &end, 10);
	if (*end == 'k' || *end == 'K')
		s->count *= 1024;
	else if (*end == 'm' || *end == 'M')
		s->count *= 1048576;
	else if (*end || end == text) {
		tool_errf(r, "invalid number '%s'", text);
		return false;
	}
	return true;
}

static int parse_ends(struct tool_run *r, const char *spec)
{
	struct ends *s = r->state;
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->count = 10;
	if (at < r->argv.count && r->argv.items[1][0] == '-' && isdigit((unsigned char)r->argv.items[1][1])) {
		if (!parse_count(r, r->argv.items[1] + 1, s))
			return 1;
		at++;
	}
	while ((option = tool_option(r, &at, &in, spec, &value))) {
		if (option == 'n' || option == 'c') {
			s->bytes = option == 'c';
			if (!parse_count(r, value, s))
				return 1;
		} else if (option == 'f' || option == 'F') {
			s->follow = true;
			s->by_name = option == 'F';
		} else if (option == '-') {
			if (kt_starts(value, "lines=") && !parse_count(r, value + 6, s))
				return 1;
			s->follow = s->follow || kt_starts(value, "follow");
		} else if (option == '?') {
			return 1;
		}
	}
	tool_inputs(r, at);
	if (s->follow && at < r->argv.count)
		s->path = tool_path(r, r->argv.items[at]);
	r->opened = true;
	return 0;
}

static void end_ends(struct tool_run *r)
{
	struct ends *s = r->state;
	kt_strs_clear(&s->kept);
	kt_buf_clear(&s->held);
	kt_free(s->path);
}

/* -n -N, -c -N: all but the last N. What comes is held back until N more have come. */
static int head_all_but(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf piece = {0};
	int rc = 0;
	while ((rc = s->bytes ? tool_bytes(r, &piece) : tool_line(r, &piece)) != 0) {
		if (rc == TOOL_WAIT)
			break;
		if (s->bytes) {
			kt_buf_add(&s->held, kt_buf_str(&piece), piece.len);
			kt_buf_cut(&piece, 0);
			if ((int64_t)s->held.len > s->count) {
				size_t give = s->held.len - (size_t)s->count;
				tool_out(r, s->held.data, give);
				kt_buf_drop(&s->held, give);
			}
			continue;
		}
		kt_strs_add(&s->kept, kt_buf_str(&piece));
		if ((int64_t)(s->kept.count - s->at) > s->count)
			tool_outf(r, "%s\n", s->kept.items[s->at++]);
	}
	kt_buf_clear(&piece);
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

static int run_head(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (!r->opened && parse_ends(r, "n:c:qv"))
		return 1;
	if (s->all_but)
		return head_all_but(r);
	if (s->bytes) {
		rc = tool_bytes(r, &line);
		size_t take = (size_t)KT_MIN((int64_t)line.len, s->count - s->seen);
		tool_out(r, kt_buf_str(&line), take);
		s->seen += (int64_t)take;
		kt_buf_clear(&line);
		if (rc == TOOL_WAIT)
			return TOOL_WAIT;
		return rc && s->seen < s->count ? TOOL_AGAIN : r->in_status;
	}
	while (s->seen < s->count && (rc = tool_line(r, &line)) != 0) {
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			return TOOL_WAIT;
		}
		tool_outf(r, "%s%s", kt_buf_str(&line), r->whole ? "\n" : "");
		s->seen++;
	}
	kt_buf_clear(&line);
	return r->in_status;
}

/* Following: a look each second, as without inotify. */
static int follow(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf data = {0};
	for (;;) {
		int rc = special_file(r->task, s->path, &data);
		if (!rc && data.len < s->at)
			s->at = 0;
		if (!rc && data.len > s->at) {
			tool_out(r, data.data + s->at, data.len - s->at);
			s->at = data.len;
		}
		kt_buf_clear(&data);
		if (tool_sleep(r, KT_SEC))
			return TOOL_WAIT;
	}
}

static int run_tail(struct tool_run *r)
{
	struct ends *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (r->pc == 1)
		return follow(r);
	if (!r->opened && parse_ends(r, "n:c:fFqs:vr"))
		return 1;
	if (s->path && !strcmp(s->path, "/dev/null")) {
		r->pc = 1;
		return follow(r);
	}
	if (s->path && !strcmp(s->path, "/dev/zero"))
		return run_hog(r);
	if (r->argv.count > 1 && !strcmp(r->argv.items[r->argv.count - 1], "/dev/zero"))
		return run_hog(r);
	if (s->bytes) {
		struct kt_buf all = {0};
		rc = tool_all(r, &all);
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&all);
			return TOOL_WAIT;
		}
		size_t from = s->from_start ? KT_MIN((size_t)KT_MAX(s->count - 1, 0), all.len)
		                            : all.len - KT_MIN((size_t)s->count, all.len);
		tool_out(r, kt_buf_str(&all) + from, all.len - from);
		kt_buf_clear(&all);
		return r->in_status;
	}
	while ((rc = tool_line(r, &line)) == 1) {
		s->seen++;
		if (s->from_start) {
			if (s->seen >= s->count)
				tool_outf(r, "%s%s", kt_buf_str(&line), r->whole ? "\n" : "");
			continue;
		}
		kt_strs_steal(&s->kept, kt_strf("%s%s", kt_buf_str(&line), r->whole ? "\n" : ""));
		if ((int64_t)s->kept.count > 2 * s->count + 100) {
			size_t drop = s->kept.count - (size_t)s->count;
			for (size_t i = 0; i < drop; i++)
				kt_free(s->kept.items[i]);
			memmove(s->kept.items, s->kept.items + drop,
			        (size_t)s->count * sizeof(*s->kept.items));
			s->kept.count = (size_t)s->count;
		}
	}
	kt_buf_clear(&line);
	if (rc == TOOL_WAIT)
		return TOOL_WAIT;
	size_t keep = KT_MIN((size_t)KT_MAX(s->count, 0), s->kept.count);
	for (size_t i = s->kept.count - keep; i < s->kept.count; i++)
		tool_outs(r, s->kept.items[i]);
	if (!s->follow || !s->path)
		return r->in_status;
	struct files_stat st;
	if (!files_stat(tool_container(r)->files, s->path, &st))
		s->at = st.size;
	else if (!s->by_name)
		return tool_fail(r, 1, "no files");
	r->pc = 1;
	return follow(r);
}

/* --- wc --- */
struct counts {
	bool lines, words, bytes, inside;
	size_t l, w, c;
};

static void count_bytes(struct counts *s, const char *data, size_t len)
{
	s->c += len;
	for (size_t i = 0; i < len; i++) {
		s->l += data[i] == '\n';
		bool space = isspace((unsigned char)data[i]);
		s->w += !space && !s->inside;
		s->inside = !space;
	}
}

static void print_counts(struct tool_run *r, const struct counts *s, const char *name)
{
	bool all = !s->lines && !s->words && !s->bytes, several = all || s->lines + s->words + s->bytes > 1;
	const char *gap = "";
	if (all || s->lines)
		tool_outf(r, several ? "%9zu" : "%zu", s->l), gap = " ";
	if (all || s->words)
		tool_outf(r, several ? "%s%9zu" : "%s%zu", gap, s->w), gap = " ";
	if (all || s->bytes)
		tool_outf(r, several ? "%s%9zu" : "%s%zu", gap, s->c);
	tool_outf(r, "%s%s\n", name ? " " : "", name ? name : "");
}

static int run_wc(struct tool_run *r)
{
	struct counts *s = r->state, total = {0};
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "lwcmL", &value))) {
			s->lines = s->lines || option == 'l';
			s->words = s->words || option == 'w';
			s->bytes = s->bytes || option == 'c' || option == 'm';
			if (option == '?')
				return 1;
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	size_t first = r->file;
	if (!r->use_stdin && first < r->argv.count) {
		int status = 0;
		total = *s;
		for (size_t i = first; i < r->argv.count; i++) {
			struct kt_buf data = {0};
			struct counts one = *s;
			char *path = tool_path(r, r->argv.items[i]);
			int rc = special_file(r->task, path, &data);
			kt_free(path);
			if (rc) {
				tool_errf(r, "%s: %s", r->argv.items[i], tool_strerror(rc));
				status = 1;
				continue;
			}
			count_bytes(&one, kt_buf_str(&data), data.len);
			print_counts(r, &one, r->argv.items[i]);
			total.l += one.l;
			total.w += one.w;
			total.c += one.c;
			kt_buf_clear(&data);
		}
		if (r->argv.count - first > 1)
			print_counts(r, &total, "total");
		return status;
	}
	struct kt_buf data = {0};
	int rc;
	while ((rc = tool_bytes(r, &data)) == 1) {
		count_bytes(s, kt_buf_str(&data), data.len);
		kt_buf_cut(&data, 0);
	}
	kt_buf_clear(&data);
	if (rc == TOOL_WAIT)
		return TOOL_WAIT;
	print_counts(r, s, NULL);
	return 0;
}

/* --- uniq, rev, tac, nl: the whole input, then the answer --- */
struct whole {
	struct kt_buf text;
	struct kt_strs lines;
	char flags[32];
	const char *separator;
	long width; /* base64's */
	char *extra;
	const char *given['z' + 1]; /* what options were given, by their letter */
};

static void end_whole(struct tool_run *r)
{
	struct whole *s = r->state;
	kt_buf_clear(&s->text);
	kt_strs_clear(&s->lines);
}

/* Options into flags, then all lines; 0 when they are there. */
static int gather(struct tool_run *r, const char *spec)
{
	struct whole *s = r->state;
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, spec, &value))) {
			if (option == '?')
				return 2;
			if (option == 't' || option == 'd')
				s->separator = value;
			if (option > 0 && option <= 'z')
				s->given[option] = value;
			size_t n = strlen(s->flags);
			if (n + 1 < sizeof(s->flags))
				s->flags[n] = (char)option;
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	while ((rc = tool_line(r, &s->text)) == 1)
		kt_strs_add(&s->lines, kt_buf_str(&s->text));
	return rc;
}

static const char *whole_value(const struct tool_run *r, char option, const char *otherwise)
{
	const char *value = ((const struct whole *)r->state)->given[(unsigned char)option];
	return value ? value : otherwise;
}

static int run_uniq(struct tool_run *r)
{
	struct whole *s = r->state;
	int rc = gather(r, "cdui");
	if (rc)
		return rc;
	for (size_t i = 0, n; i < s->lines.count; i += n) {
		for (n = 1; i + n < s->lines.count && !strcmp(s->lines.items[i], s->lines.items[i + n]); n++)
			;
		if ((strchr(s->flags, 'd') && n < 2) || (strchr(s->flags, 'u') && n > 1))
			continue;
		if (strchr(s->flags, 'c'))
			tool_outf(r, "%7zu ", n);
		tool_outf(r, "%s\n", s->lines.items[i]);
	}
	return r->in_status;
}

static int run_rev(struct tool_run *r)
{
	struct whole *s = r->state;
	int rc = gather(r, "");
	if (rc)
		return rc;
	for (size_t i = 0; i < s->lines.count; i++) {
		char *line = s->lines.items[i];
		for (size_t a = 0, b = strlen(line); b > a + 1; a++) {
			char c = line[a];
			line[a] = line[--b];
			line[b] = c;
		}
		tool_outf(r, "%s\n", line);
	}
	return r->in_status;
}

static int run_tac(struct tool_run *r)
{
	struct whole *s = r->state;
	int rc = gather(r, "");
	for (size_t i = rc ? 0 : s->lines.count; i-- > 0;)
		tool_outf(r, "%s\n", s->lines.items[i]);
	return rc ? rc : r->in_status;
}

static int run_nl(struct tool_run *r)
{
	struct whole *s = r->state;
	int rc = gather(r, "b:w:s:v:i:n:p");
	const char *gap = whole_value(r, 's', "\t");
	int width = atoi(whole_value(r, 'w', "6"));
	size_t n = strtoul(whole_value(r, 'v', "1"), NULL, 10),
	       step = strtoul(whole_value(r, 'i', "1"), NULL, 10);
	bool all = *whole_value(r, 'b', "t") == 'a';
	for (size_t i = 0; !rc && i < s->lines.count; i++) {
		const char *line = s->lines.items[i];
		if (*line || all)
			tool_outf(r, "%*zu%s%s\n", width, n, gap, line);
		else
			tool_outf(r, "%*s\n", width + (int)strlen(gap), "");
		n += *line || all ? step : 0;
	}
	return rc ? rc : r->in_status;
}

/* `paste - -`: so many lines of the input in one. */
static int paste_columns(struct tool_run *r, size_t columns, const char *gap)
{
	struct whole *s = r->state;
	for (size_t i = 0; i < s->lines.count; i += columns)
		for (size_t c = 0; c < columns; c++)
			tool_outf(r, "%s%.*s", i + c < s->lines.count ? s->lines.items[i + c] : "", 1,
			          c + 1 == columns ? "\n" : gap);
	return r->in_status;
}

/* Line by line of several files. */
static int paste_files(struct tool_run *r, size_t first, const char *gap)
{
	struct kt_buf texts[16] = {{0}};
	const char *rests[16];
	size_t count = KT_MIN(r->argv.count - first, KT_COUNT(texts)), open = 0;
	int status = 0;
	for (size_t i = 0; i < count && !status; i++) {
		char *path = tool_path(r, r->argv.items[first + i]);
		int rc = special_file(r->task, path, &texts[i]);
		if (rc)
			status = tool_fail(r, 1, "%s: %s", r->argv.items[first + i], tool_strerror(rc));
		rests[i] = texts[i].len ? kt_buf_str(&texts[i]) : NULL;
		open += rests[i] != NULL;
		kt_free(path);
	}
	while (open && !status) {
		for (size_t i = 0; i < count; i++) {
			size_t len = 0;
			const char *line = rests[i] ? kt_split(&rests[i], '\n', &len) : "";
			if (rests[i] && !*rests[i])
				rests[i] = NULL;
			tool_outf(r, "%.*s%.*s", (int)len, line, 1, i + 1 == count ? "\n" : gap);
		}
		open = 0;
		for (size_t i = 0; i < count; i++)
			open += rests[i] != NULL;
	}
	for (size_t i = 0; i < count; i++)
		kt_buf_clear(&texts[i]);
	return status;
}

static int run_paste(struct tool_run *r)
{
	struct whole *s = r->state;
	size_t files = 0, inputs = 0;
	while (files < r->argv.count - 1 && (r->argv.items[r->argv.count - 1 - files][0] != '-' ||
	                                     !r->argv.items[r->argv.count - 1 - files][1])) {
		inputs += r->argv.items[r->argv.count - 1 - files][0] == '-';
		files++;
	}
	if (files && r->argv.count - files > 1 && !strcmp(r->argv.items[r->argv.count - files - 1], "-d"))
		files--;
	int rc = gather(r, "sd:");
	const char *gap = s->separator ? s->separator : "\t";
	if (!rc && files > 1 && !strchr(s->flags, 's'))
		return inputs == files ? paste_columns(r, files, gap)
		                       : paste_files(r, r->argv.count - files, gap);
	for (size_t i = 0; !rc && i < s->lines.count; i++)
		tool_outf(r, "%s%.*s%s", s->lines.items[i],
		          i + 1 < s->lines.count && strchr(s->flags, 's') ? 1 : 0, gap,
		          strchr(s->flags, 's') && i + 1 < s->lines.count ? "" : "\n");
	return rc ? rc : r->in_status;
}

/* --- sums and base64 --- */
static void print_sum(struct tool_run *r, const struct kt_buf *data, const char *name)
{
	unsigned char sum[64];
	size_t len = 32;
	struct kt_buf text = {0};
	if (r->tool->name[2] == '5') {
		kt_md5(data->data ? data->data : "", data->len, sum);
		len = 16;
	} else if (kt_starts(r->tool->name, "sha1")) {
		kt_sha1(kt_buf_str(data), data->len, sum);
		len = 20;
	} else if (kt_starts(r->tool->name, "sha512")) {
		kt_sha512(kt_buf_str(data), data->len, sum);
		len = 64;
	} else {
		kt_sha256(kt_buf_str(data), data->len, sum);
	}
	kt_hex(sum, len, &text);
	tool_outf(r, "%s  %s\n", text.data, name);
	kt_buf_clear(&text);
}

static int run_sum(struct tool_run *r)
{
	struct whole *s = r->state;
	if (r->argv.count > 1) {
		int status = 0;
		for (size_t i = 1; i < r->argv.count; i++) {
			struct kt_buf data = {0};
			char *path = tool_path(r, r->argv.items[i]);
			int rc = special_file(r->task, path, &data);
			if (rc) {
				status = 1;
				tool_errf(r, tool_busybox(r) ? "can't open '%s': %s" : "%s: %s",
				          r->argv.items[i], tool_strerror(rc));
			} else {
				print_sum(r, &data, r->argv.items[i]);
			}
			kt_free(path);
			kt_buf_clear(&data);
		}
		return status;
	}
	tool_inputs(r, 1);
	if (tool_all(r, &s->text))
		return TOOL_WAIT;
	print_sum(r, &s->text, "-");
	return 0;
}

static int run_base64(struct tool_run *r)
{
	struct whole *s = r->state;
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		s->width = 76;
		while ((option = tool_option(r, &at, &in, "dDw:i", &value))) {
			if (option == '?')
				return 1;
			if (option == 'd' || option == 'D' || (option == '-' && !strcmp(value, "decode")))
				s->flags[0] = 'd';
			if (option == 'w')
				s->width = strtol(value, NULL, 10);
			if (option == '-' && kt_starts(value, "wrap="))
				s->width = strtol(value + 5, NULL, 10);
		}
		tool_inputs(r, at);
		r->opened = true;
	}
	if (tool_all(r, &s->text))
		return TOOL_WAIT;
	struct kt_buf out = {0};
	int status = r->in_status;
	if (s->flags[0] == 'd') {
		struct kt_buf packed = {0};
		for (size_t i = 0; i < s->text.len; i++) {
			if (!isspace((unsigned char)s->text.data[i]))
				kt_buf_addc(&packed, s->text.data[i]);
		}
		if (!kt_unbase64(kt_buf_str(&packed), packed.len, &out)) {
			tool_errf(r, tool_busybox(r) ? "truncated input" : "invalid input");
			status = 1;
		}
		tool_out(r, kt_buf_str(&out), out.len);
		kt_buf_clear(&packed);
	} else {
		kt_base64(kt_buf_str(&s->text), s->text.len, &out);
		size_t width = s->width > 0 ? (size_t)s->width : SIZE_MAX;
		for (size_t at = 0; at < out.len; at += KT_MIN(width, out.len - at)) {
			tool_out(r, out.data + at, KT_MIN(width, out.len - at));
			if (s->width > 0)
				tool_outs(r, "\n");
		}
	}
	kt_buf_clear(&out);
	return status;
}

/* --- tr, cut, tee, seq, yes, rev --- */
static void tr_set(const char *text, struct kt_buf *out)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {{"[:upper:]", isupper}, {"[:lower:]", islower}, {"[:digit:]", isdigit},
	               {"[:space:]", isspace}, {"[:alpha:]", isalpha}, {"[:alnum:]", isalnum},
	               {"[:punct:]", ispunct}, {"[:blank:]", isblank}};
	struct kt_buf plain = {0};
	bool stop = false;
	unescape(text, strlen(text), false, &plain, &stop);
	for (size_t i = 0; i < plain.len; i++) {
		size_t k = 0;
		while (k < KT_COUNT(classes) && !kt_starts(plain.data + i, classes[k].name))
			k++;
		if (k < KT_COUNT(classes)) {
			for (int c = 0; c < 128; c++) {
				if (classes[k].is(c))
					kt_buf_addc(out, (char)c);
			}
			i += strlen(classes[k].name) - 1;
		} else if (i + 2 < plain.len && plain.data[i + 1] == '-') {
			for (int c = (unsigned char)plain.data[i]; c <= (unsigned char)plain.data[i + 2]; c++)
				kt_buf_addc(out, (char)c);
			i += 2;
		} else {
			kt_buf_addc(out, plain.data[i]);
		}
	}
	kt_buf_clear(&plain);
}

struct translate {
	bool delete, squeeze, complement;
	struct kt_buf from, to;
	int last;
};

static void end_tr(struct tool_run *r)
{
	struct translate *s = r->state;
	kt_buf_clear(&s->from);
	kt_buf_clear(&s->to);
}

static int run_tr(struct tool_run *r)
{
	struct translate *s = r->state;
	const char *value;
	int option;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "dscC", &value))) {
			s->delete = s->delete || option == 'd';
			s->squeeze = s->squeeze || option == 's';
			s->complement = s->complement || option == 'c' || option == 'C';
		}
		if (at >= r->argv.count)
			return tool_fail(r, 1, "missing operand");
		tr_set(r->argv.items[at], &s->from);
		if (at + 1 < r->argv.count)
			tr_set(r->argv.items[at + 1], &s->to);
		tool_inputs(r, r->argv.count);
		s->last = -1;
		r->opened = true;
	}
	struct kt_buf data = {0}, out = {0};
	int rc = tool_bytes(r, &data);
	for (size_t i = 0; i < data.len; i++) {
		char c = data.data[i];
		const char *hit = s->from.len ? memchr(s->from.data, c, s->from.len) : NULL;
		bool in = (hit != NULL) != s->complement;
		if (in && s->delete)
			continue;
		char to = c;
		if (in && s->to.len && hit)
			to = s->to.data[KT_MIN((size_t)(hit - s->from.data), s->to.len - 1)];
		else if (in && s->to.len)
			to = s->to.data[s->to.len - 1];
		bool squeezed = s->squeeze && (s->to.len ? memchr(s->to.data, to, s->to.len) != NULL : in);
		if (squeezed && s->last == (unsigned char)to)
			continue;
		s->last = (unsigned char)to;
		kt_buf_addc(&out, to);
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&data);
	kt_buf_clear(&out);
	return rc == 1 ? TOOL_AGAIN : (rc == TOOL_WAIT ? TOOL_WAIT : 0);
}

struct cut {
	const char *list, *delimiter;
	char kind;
	bool only;
};

static bool cut_has(const char *list, long n)
{
	for (const char *at = list; *at;) {
		char *end;
		long low = *at == '-' ? 1 : strtol(at, &end, 10), high = low;
		if (*at == '-')
			end = (char *)(uintptr_t)at;
		if (*end == '-') {
			const char *from = end + 1;
			high = isdigit((unsigned char)*from) ? strtol(from, &end, 10) : INT32_MAX;
			if (high == INT32_MAX)
				end = (char *)(uintptr_t)from;
		}
		if (n >= low && n <= high)
			return true;
		if (*end != ',')
			break;
		at = end + 1;
	}
	return false;
}

static int run_cut(struct tool_run *r)
{
	struct cut *s = r->state;
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		s->delimiter = "\t";
		while ((option = tool_option(r, &at, &in, "d:f:c:b:sn", &value))) {
			if (option == '?')
				return 1;
			if (option == 'd')
				s->delimiter = value;
			if (option == 'f' || option == 'c' || option == 'b') {
				s->kind = (char)option;
				s->list = value;
			}
			s->only = s->only || option == 's';
		}
		if (!s->list)
			return tool_fail(r, 1,
			                 tool_busybox(r)
			                         ? "expected a list of bytes, characters, or fields"
			                         : "you must specify a list of bytes, characters, or fields");
		tool_inputs(r, at);
		r->opened = true;
	}
	struct kt_buf line = {0}, out = {0};
	while ((rc = tool_line(r, &line)) == 1) {
		kt_buf_cut(&out, 0);
		const char *text = kt_buf_str(&line);
		if (s->kind != 'f') {
			for (long i = 0; text[i]; i++) {
				if (cut_has(s->list, i + 1))
					kt_buf_addc(&out, text[i]);
			}
		} else if (!strchr(text, s->delimiter[0])) {
			if (s->only)
				continue;
			kt_buf_adds(&out, text);
		} else {
			const char *rest = text;
			size_t len;
			long n = 0;
			bool any = false;
			for (const char *piece; rest && (piece = kt_split(&rest, s->delimiter[0], &len));) {
				if (!cut_has(s->list, ++n))
					continue;
				if (any)
					kt_buf_addc(&out, s->delimiter[0]);
				kt_buf_add(&out, piece, len);
				any = true;
			}
		}
		tool_outf(r, "%s\n", kt_buf_str(&out));
	}
	kt_buf_clear(&line);
	kt_buf_clear(&out);
	return rc == TOOL_WAIT ? TOOL_WAIT : r->in_status;
}

/* What is no file: 1 and 2 its own outputs, 0 nowhere; -1: a file. */
static int tee_device(const char *path)
{
	static const struct {
		const char *path;
		int fd;
	} devices[] = {{"/dev/stdout", 1}, {"/proc/self/fd/1", 1}, {"/dev/fd/1", 1}, {"/dev/tty", 1},
	               {"/dev/stderr", 2}, {"/proc/self/fd/2", 2}, {"/dev/fd/2", 2}, {"/dev/null", 0}};
	for (size_t i = 0; i < KT_COUNT(devices); i++)
		if (!strcmp(path, devices[i].path))
			return devices[i].fd;
	return -1;
}

static int run_tee(struct tool_run *r)
{
	struct kt_buf data = {0};
	size_t first = r->argv.count > 1 && !strcmp(r->argv.items[1], "-a") ? 2 : 1;
	struct files *files = tool_container(r)->files;
	if (!r->opened) {
		tool_inputs(r, r->argv.count);
		for (size_t i = first; first == 1 && i < r->argv.count; i++) {
			char *path = tool_path(r, r->argv.items[i]);
			int rc = tee_device(path) >= 0 ? 0
			                               : files_write(files, path, "", 0, false, 0644,
			                                             process_now(r->task->process));
			if (rc)
				r->in_status = tool_fail(r, 1, "%s: %s", r->argv.items[i], tool_strerror(rc));
			kt_free(path);
		}
		r->opened = true;
	}
	int rc = tool_bytes(r, &data);
	tool_out(r, kt_buf_str(&data), data.len);
	for (size_t i = first; data.len && i < r->argv.count; i++) {
		char *path = tool_path(r, r->argv.items[i]);
		int device = tee_device(path);
		if (device == 1)
			tool_out(r, data.data, data.len);
		else if (device == 2)
			task_write(r->task, 2, data.data, data.len);
		else if (device < 0)
			(void)files_write(files, path, data.data, data.len, true, 0644,
			                  process_now(r->task->process));
		kt_free(path);
	}
	kt_buf_clear(&data);
	return rc == 1 ? TOOL_AGAIN : (rc == TOOL_WAIT ? TOOL_WAIT : r->in_status);
}

struct seq {
	double now;
	bool begun;
};

static int decimals(const char *number)
{
	const char *point = strchr(number, '.');
	return point ? (int)strlen(point + 1) : 0;
}

/* seq [-w] [-s SEPARATOR] [FIRST [STEP]] LAST */
static int run_seq(struct tool_run *r)
{
	struct seq *s = r->state;
	const char *separator = "\n";
	bool pad = false;
	size_t at = 1;
	for (; at < r->argv.count && r->argv.items[at][0] == '-' && strchr("ws", r->argv.items[at][1]) &&
	       r->argv.items[at][1];
	     at++) {
		const char *word = r->argv.items[at];
		if (word[1] == 'w')
			pad = true;
		else if (word[2])
			separator = word + 2;
		else if (at + 1 < r->argv.count)
			separator = r->argv.items[++at];
	}
	size_t n = r->argv.count - at;
	if (n < 1 || n > 3)
		return tool_fail(r, 1, "missing operand");
	char *const *w = r->argv.items + at;
	double from = n > 1 ? strtod(w[0], NULL) : 1, step = n > 2 ? strtod(w[1], NULL) : 1,
	       to = strtod(w[n - 1], NULL);
	int after = KT_MAX(n > 1 ? decimals(w[0]) : 0, n > 2 ? decimals(w[1]) : 0);
	int width = pad ? (int)KT_MAX(n > 1 ? strlen(w[0]) : 1, strlen(w[n - 1])) : 0;
	struct kt_buf out = {0};
	for (int i = 0; i < 2000; i++) {
		double value = from + s->now * step;
		bool over = step == 0 || (step > 0 ? value > to + 1e-9 : value < to - 1e-9);
		if (over && s->begun)
			kt_buf_addc(&out, '\n');
		if (over) {
			tool_out(r, kt_buf_str(&out), out.len);
			kt_buf_clear(&out);
			return 0;
		}
		kt_buf_addf(&out, "%s%0*.*f", s->begun ? separator : "", width, after, value);
		s->begun = true;
		s->now += 1;
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return TOOL_AGAIN;
}

/* Into nowhere: it burns one core and says nothing. */
static int run_yes(struct tool_run *r)
{
	struct chan *chan = r->task->fds[1].chan;
	if (!chan || chan->kind == CHAN_NULL) {
		tool_cpu(r, 1000);
		return TOOL_WAIT;
	}
	for (int i = 0; i < 200; i++)
		tool_outf(r, "%s\n", r->argv.count > 1 ? r->argv.items[1] : "y");
	r->task->slice += KT_MS;
	return TOOL_AGAIN;
}

static int run_fold(struct tool_run *r)
{
	struct whole *s = r->state;
	int rc = gather(r, "w:s");
	for (size_t i = 0; !rc && i < s->lines.count; i++) {
		const char *line = s->lines.items[i];
		size_t width = KT_MAX(strtoul(whole_value(r, 'w', "80"), NULL, 10), 1);
		bool words = strchr(s->flags, 's') != NULL;
		for (size_t len = strlen(line), at = 0, take; at == 0 || at < len; at += take) {
			take = KT_MIN(width, len - at);
			for (size_t cut = take; words && take < len - at && cut > 0; cut--)
				if (line[at + cut - 1] == ' ') { /* -s: between words */
					take = cut;
					break;
				}
			tool_outf(r, "%.*s\n", (int)take, line + at);
			take = KT_MAX(take, 1);
		}
	}
	return rc ? rc : r->in_status;
}

const struct tool tools_text[] = {
        {.name = "[", .sets = EVERY, .run = run_test},
        {.name = "base64",
         .sets = EVERY,
         .run = run_base64,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "cat", .sets = EVERY, .run = run_cat, .state_size = 2 * sizeof(size_t)},
        {.name = "cut", .sets = EVERY, .run = run_cut, .state_size = sizeof(struct cut)},
        {.name = "echo", .sets = EVERY, .run = run_echo},
        {.name = "false", .sets = EVERY, .run = run_false},
        {.name = "fold",
         .sets = EVERY,
         .run = run_fold,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "head", .sets = EVERY, .run = run_head, .state_size = sizeof(struct ends), .end = end_ends},
        {.name = "md5sum",
         .sets = EVERY,
         .run = run_sum,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "nl", .sets = EVERY, .run = run_nl, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "paste",
         .sets = EVERY,
         .run = run_paste,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "printf", .sets = EVERY, .run = run_printf},
        {.name = "rev", .sets = EVERY, .run = run_rev, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "seq", .sets = EVERY, .run = run_seq, .state_size = sizeof(struct seq)},
        {.name = "sha1sum",
         .sets = EVERY,
         .run = run_sum,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "sha256sum",
         .sets = EVERY,
         .run = run_sum,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "sha512sum",
         .sets = EVERY,
         .run = run_sum,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "tac", .sets = EVERY, .run = run_tac, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "tail", .sets = EVERY, .run = run_tail, .state_size = sizeof(struct ends), .end = end_ends},
        {.name = "tee", .sets = EVERY, .run = run_tee},
        {.name = "test", .sets = EVERY, .run = run_test},
        {.name = "tr", .sets = EVERY, .run = run_tr, .state_size = sizeof(struct translate), .end = end_tr},
        {.name = "true", .sets = EVERY, .run = run_true},
        {.name = "uniq",
         .sets = EVERY,
         .run = run_uniq,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "wc", .sets = EVERY, .run = run_wc, .state_size = sizeof(struct counts)},
        {.name = "yes", .sets = EVERY, .run = run_yes},
        {.name = NULL},
};

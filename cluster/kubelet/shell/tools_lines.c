/* SPDX-License-Identifier: MIT */
/* uniq, rev, tac, nl, paste, fold: all lines are read, then the answer comes. */
#include "cluster/kubelet/shell/shell.h"

#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

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

/* fold [-w WIDTH] [-s]: as the bytes come, for a line may have no end */
static int run_fold(struct tool_run *r)
{
	struct whole *s = r->state;
	const char *value;
	int option, rc;
	if (!r->opened) {
		size_t at = 1, in = 0;
		while ((option = tool_option(r, &at, &in, "w:sb", &value))) {
			if (option == '?')
				return 1;
			if (option == 'w')
				s->width = strtol(value, NULL, 10);
			s->flags[0] = option == 's' ? 's' : s->flags[0];
		}
		s->width = s->width > 0 ? s->width : 80;
		tool_inputs(r, at);
		r->opened = true;
	}
	struct kt_buf data = {0}, out = {0};
	rc = tool_bytes(r, &data);
	for (size_t i = 0; i < data.len; i++) {
		char c = data.data[i];
		if (c != '\n' && s->text.len >= (size_t)s->width) {
			size_t cut = s->text.len;
			while (s->flags[0] == 's' && cut > 0 && s->text.data[cut - 1] != ' ')
				cut--;
			cut = cut ? cut : s->text.len; /* -s: between words */
			kt_buf_add(&out, s->text.data, cut);
			kt_buf_addc(&out, '\n');
			kt_buf_drop(&s->text, cut);
		}
		kt_buf_addc(&s->text, c);
		if (c == '\n') {
			kt_buf_add(&out, s->text.data, s->text.len);
			kt_buf_cut(&s->text, 0);
		}
	}
	if (!rc) {
		kt_buf_add(&out, kt_buf_str(&s->text), s->text.len);
		kt_buf_cut(&s->text, 0);
	}
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	kt_buf_clear(&data);
	return rc == 1 ? TOOL_AGAIN : (rc == TOOL_WAIT ? TOOL_WAIT : r->in_status);
}

/* shuf [-e] [-i LOW-HIGH] [-n COUNT] [-z]: drawn from the cluster's random numbers */
static int run_shuf(struct tool_run *r)
{
	struct whole *s = r->state;
	struct kt_random *random = cluster_random(r->task->process->cluster);
	bool words = false, numbers = false;
	for (size_t i = 1; i < r->argv.count; i++) {
		words = words || kt_streq(r->argv.items[i], "-e");
		numbers = numbers || kt_starts(r->argv.items[i], "-i");
	}
	int rc = words || numbers ? 0 : gather(r, "n:o:zr");
	if (rc)
		return rc;
	if (words || numbers) {
		size_t at = 1, in = 0;
		const char *value;
		for (int option; (option = tool_option(r, &at, &in, "ei:n:o:zr", &value));)
			if (option > 0 && option <= 'z')
				s->given[option] = value;
		const char *range = whole_value(r, 'i', "1-0"), *dash = strchr(range, '-');
		for (long n = strtol(range, NULL, 10);
		     numbers && dash && n <= strtol(dash + 1, NULL, 10) && n < 1000000; n++) {
			char *text = kt_strf("%ld", n);
			kt_strs_add(&s->lines, text);
			kt_free(text);
		}
		for (; words && at < r->argv.count; at++)
			kt_strs_add(&s->lines, r->argv.items[at]);
	}
	size_t most = strtoul(whole_value(r, 'n', "4000000000"), NULL, 10);
	for (size_t i = 0; i < s->lines.count && i < most; i++) {
		size_t other = i + kt_random_below(random, (uint32_t)(s->lines.count - i));
		char *line = s->lines.items[other];
		s->lines.items[other] = s->lines.items[i];
		s->lines.items[i] = line;
		tool_outf(r, "%s\n", line);
	}
	return r->in_status;
}

static bool read_lines(struct tool_run *r, const char *name, struct kt_strs *out)
{
	struct kt_buf data = {0};
	size_t len;
	char *path = tool_path(r, name);
	int rc = special_file(r->task, path, &data);
	kt_free(path);
	if (rc)
		tool_errf(r, tool_busybox(r) ? "can't open '%s': %s" : "%s: %s", name, tool_strerror(rc));
	if (data.len && data.data[data.len - 1] == '\n')
		kt_buf_cut(&data, data.len - 1);
	const char *rest = data.len ? kt_buf_str(&data) : NULL;
	for (const char *line; rest && (line = kt_split(&rest, '\n', &len));) {
		char *one = kt_strndup(line, len);
		kt_strs_add(out, one);
		kt_free(one);
	}
	kt_buf_clear(&data);
	return !rc;
}

/* comm [-123] A B: of two sorted files */
static int run_comm(struct tool_run *r)
{
	char flags[32];
	size_t first = tool_flags(r, "123", flags), at[2] = {0, 0};
	struct kt_strs files[2] = {{0}, {0}};
	if (!first || first + 2 > r->argv.count)
		return tool_fail(r, 1, "missing operand");
	bool good = read_lines(r, r->argv.items[first], &files[0]) &&
	            read_lines(r, r->argv.items[first + 1], &files[1]);
	while (good && (at[0] < files[0].count || at[1] < files[1].count)) {
		const char *a = at[0] < files[0].count ? files[0].items[at[0]] : NULL,
		           *b = at[1] < files[1].count ? files[1].items[at[1]] : NULL;
		int order = !a ? 1 : (!b ? -1 : strcmp(a, b));
		char column = order < 0 ? '1' : (order > 0 ? '2' : '3');
		if (!strchr(flags, column)) {
			for (char c = '1'; c < column; c++)
				tool_outs(r, strchr(flags, c) ? "" : "\t");
			tool_outf(r, "%s\n", order <= 0 ? a : b);
		}
		at[0] += order <= 0;
		at[1] += order >= 0;
	}
	kt_strs_clear(&files[0]);
	kt_strs_clear(&files[1]);
	return !good;
}

/* dos2unix, unix2dos: files in place, or the input */
static int run_dos(struct tool_run *r)
{
	struct whole *s = r->state;
	bool to_unix = r->tool->name[0] == 'd';
	if (r->argv.count < 2) {
		int rc = gather(r, "");
		for (size_t i = 0; !rc && i < s->lines.count; i++) {
			size_t len = strlen(s->lines.items[i]);
			len -= len && s->lines.items[i][len - 1] == '\r';
			tool_outf(r, "%.*s%s\n", (int)len, s->lines.items[i], to_unix ? "" : "\r");
		}
		return rc;
	}
	for (size_t f = 1; f < r->argv.count; f++) {
		struct kt_buf data = {0}, out = {0};
		char *path = tool_path(r, r->argv.items[f]);
		int rc = special_file(r->task, path, &data);
		for (size_t i = 0; i < data.len; i++) {
			bool ends = data.data[i] == '\r' && i + 1 < data.len && data.data[i + 1] == '\n';
			if (!to_unix && data.data[i] == '\n')
				kt_buf_addc(&out, '\r');
			if (!ends)
				kt_buf_addc(&out, data.data[i]);
		}
		if (!rc)
			rc = files_write(tool_container(r)->files, path, kt_buf_str(&out), out.len, false,
			                 0644, process_now(r->task->process));
		if (rc)
			r->in_status = tool_fail(r, 1, "%s: %s", r->argv.items[f], tool_strerror(rc));
		kt_buf_clear(&data);
		kt_buf_clear(&out);
		kt_free(path);
	}
	return r->in_status;
}

#define WHOLE .state_size = sizeof(struct whole), .end = end_whole
const struct tool tools_lines[] = {
        {.name = "comm", .sets = EVERY, .run = run_comm},
        {.name = "dos2unix", .sets = EVERY, .run = run_dos, WHOLE},
        {.name = "shuf", .sets = EVERY, .run = run_shuf, WHOLE},
        {.name = "unix2dos", .sets = EVERY, .run = run_dos, WHOLE},
        {.name = "fold", .sets = EVERY, .run = run_fold, WHOLE},
        {.name = "nl", .sets = EVERY, .run = run_nl, WHOLE},
        {.name = "paste", .sets = EVERY, .run = run_paste, WHOLE},
        {.name = "rev", .sets = EVERY, .run = run_rev, WHOLE},
        {.name = "tac", .sets = EVERY, .run = run_tac, WHOLE},
        {.name = "uniq", .sets = EVERY, .run = run_uniq, WHOLE},
        {.name = NULL},
};

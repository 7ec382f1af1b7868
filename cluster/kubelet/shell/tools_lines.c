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

const struct tool tools_lines[] = {
        {.name = "fold",
         .sets = EVERY,
         .run = run_fold,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "nl", .sets = EVERY, .run = run_nl, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "paste",
         .sets = EVERY,
         .run = run_paste,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = "rev", .sets = EVERY, .run = run_rev, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "tac", .sets = EVERY, .run = run_tac, .state_size = sizeof(struct whole), .end = end_whole},
        {.name = "uniq",
         .sets = EVERY,
         .run = run_uniq,
         .state_size = sizeof(struct whole),
         .end = end_whole},
        {.name = NULL},
};

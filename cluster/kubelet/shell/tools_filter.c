/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERY "busybox debian"
enum { MAX_PATTERN = 1000, MAX_PATTERNS = 16 };

/* --- grep --- */
struct grep {
	regex_t patterns[MAX_PATTERNS];
	const char *texts[MAX_PATTERNS];
	size_t count;
	bool extended, fixed, nocase, invert, quiet, counting, names, numbers, only, words, whole, recursive,
	        no_names, silent;
	size_t compiled, hits, line, most;
	bool any, several;
	const char *last_name;
	struct kt_strs files;
	size_t before, after, due,
	        shown;       /* lines around; due: still to be shown; shown: the last one that was */
	struct kt_strs kept; /* the lines before this one */
};

static void end_grep(struct tool_run *r)
{
	struct grep *s = r->state;
	kt_strs_clear(&s->kept);
	for (size_t i = 0; i < s->compiled; i++)
		regfree(&s->patterns[i]);
	kt_strs_clear(&s->files);
}

static bool grep_compile(struct tool_run *r, struct grep *s)
{
	for (size_t i = 0; i < s->count; i++) {
		int flags = (s->extended ? REG_EXTENDED : 0) | (s->nocase ? REG_ICASE : 0);
		struct kt_buf text = {0};
		for (const char *c = s->texts[i]; *c; c++) {
			if (s->fixed && strchr(".[]*^$\\+?(){}|", *c))
				kt_buf_addc(&text, s->fixed && strchr("+?(){}|", *c) ? '[' : '\\');
			kt_buf_addc(&text, *c);
			if (s->fixed && strchr("+?(){}|", *c))
				kt_buf_addc(&text, ']');
		}
		kt_buf_adds(&text, "");
		int rc = text.len > MAX_PATTERN ? REG_ESPACE : regcomp(&s->patterns[i], text.data, flags);
		kt_buf_clear(&text);
		if (rc) {
			tool_errf(r, "bad regex '%s'", s->texts[i]);
			return false;
		}
		s->compiled++;
	}
	return true;
}

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where a pattern fits in `line` from `from` on. */
static bool grep_find(struct grep *s, const char *line, size_t from, size_t *start, size_t *end)
{
	bool found = false;
	for (size_t i = 0; i < s->count; i++) {
		for (size_t at = from;;) {
			regmatch_t match;
			if (regexec(&s->patterns[i], line + at, 1, &match, at ? REG_NOTBOL : 0))
				break;
			size_t a = at + (size_t)match.rm_so, b = at + (size_t)match.rm_eo;
			bool good = !s->whole || (a == 0 && !line[b]);
			if (good && s->words)
				good = (a == 0 || !word_char(line[a - 1])) && !word_char(line[b]);
			if (good && (!found || a < *start)) {
				*start = a;
				*end = b;
				found = true;
			}
			if (good || !line[a] || s->whole)
				break;
			at = a + 1;
		}
	}
	return found;
}

static void grep_collect(struct tool_run *r, struct grep *s, const char *path, unsigned depth)
{
	struct files_stat st;
	struct kt_strs names = {0};
	char *full = tool_path(r, path);
	struct files *files = tool_container(r)->files;
	if (depth < 40 && !files_stat(files, full, &st) && st.type == FILES_DIR) {
		(void)files_list(files, full, &names);
		for (size_t i = 0; i < names.count; i++) {
			char *inner = kt_strf("%s%s%s", path, kt_ends(path, "/") ? "" : "/", names.items[i]);
			grep_collect(r, s, inner, depth + 1);
			kt_free(inner);
		}
		kt_strs_clear(&names);
	} else {
		kt_strs_add(&s->files, path);
	}
	kt_free(full);
}

static int grep_options(struct tool_run *r, struct grep *s)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	s->extended = r->tool->name[0] == 'e';
	s->fixed = r->tool->name[0] == 'f';
	s->most = SIZE_MAX;
	while ((option = tool_option(r, &at, &in, "EFGivqclLnowxrRhHse:m:A:B:C:aPI", &value))) {
		switch (option) {
		case '?':
			return 2;
		case 'E':
		case 'P':
			s->extended = true;
			break;
		case 'e':
			if (s->count < MAX_PATTERNS)
				s->texts[s->count++] = value;
			break;
		case 'm':
			s->most = strtoul(value, NULL, 10);
			break;
		case 'A':
			s->after = strtoul(value, NULL, 10);
			break;
		case 'B':
			s->before = strtoul(value, NULL, 10);
			break;
		case 'C':
			s->before = s->after = strtoul(value, NULL, 10);
			break;
		default:
			s->fixed = s->fixed || option == 'F';
			s->nocase = s->nocase || option == 'i';
			s->invert = s->invert || option == 'v';
			s->quiet = s->quiet || option == 'q';
			s->counting = s->counting || option == 'c';
			s->names = s->names || option == 'l';
			s->numbers = s->numbers || option == 'n';
			s->only = s->only || option == 'o';
			s->words = s->words || option == 'w';
			s->whole = s->whole || option == 'x';
			s->recursive = s->recursive || option == 'r' || option == 'R';
			s->no_names = s->no_names || option == 'h';
			s->several = s->several || option == 'H';
			s->silent = s->silent || option == 's';
			break;
		}
	}
	if (!s->count && at < r->argv.count)
		s->texts[s->count++] = r->argv.items[at++];
	if (!s->count)
		return tool_fail(r, 2, "missing pattern");
	if (!grep_compile(r, s))
		return 2;
	s->several = s->several || r->argv.count - at > 1 || s->recursive;
	if (s->recursive) {
		for (size_t i = at; i < KT_MAX(r->argv.count, at + 1); i++)
			grep_collect(r, s, i < r->argv.count ? r->argv.items[i] : ".", 0);
		for (size_t i = 0; i < s->files.count; i++)
			kt_strs_add(&r->argv, s->files.items[i]);
		at = r->argv.count - s->files.count;
	}
	tool_inputs(r, at);
	r->opened = true;
	return 0;
}

static void grep_count(struct tool_run *r, const struct grep *s)
{
	if (s->counting && s->several && s->last_name)
		tool_outf(r, "%s:%zu\n", s->last_name, s->hits);
	else if (s->counting)
		tool_outf(r, "%zu\n", s->hits);
	else if (s->names && s->hits)
		tool_outf(r, "%s\n", s->last_name ? s->last_name : "(standard input)");
}

/* A line that does not match, but stands near one that does. */
static void grep_near(struct tool_run *r, struct grep *s, size_t line, const char *text)
{
	if (s->several && !s->no_names && s->last_name)
		tool_outf(r, "%s-", s->last_name);
	if (s->numbers)
		tool_outf(r, "%zu-", line);
	tool_outf(r, "%s\n", text);
	s->shown = line;
}

static void grep_miss(struct tool_run *r, struct grep *s, const char *text)
{
	if (s->due) {
		s->due--;
		grep_near(r, s, s->line, text);
	} else if (s->before) {
		if (s->kept.count == s->before) {
			kt_free(s->kept.items[0]);
			memmove(s->kept.items, s->kept.items + 1, (s->before - 1) * sizeof(*s->kept.items));
			s->kept.count--;
		}
		kt_strs_add(&s->kept, text);
	}
}

/* What stood before a match. */
static void grep_before(struct tool_run *r, struct grep *s)
{
	size_t first = s->line - s->kept.count;
	if (!s->before && !s->after)
		return;
	if (s->shown && first > s->shown + 1)
		tool_outs(r, "--\n");
	for (size_t i = 0; i < s->kept.count; i++)
		grep_near(r, s, first + i, s->kept.items[i]);
	kt_strs_clear(&s->kept);
	s->shown = s->line;
	s->due = s->after;
}

static int run_grep(struct tool_run *r)
{
	struct grep *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (!r->opened && (rc = grep_options(r, s)))
		return rc;
	while ((rc = tool_line(r, &line)) == 1) {
		const char *text = kt_buf_str(&line);
		size_t start = 0, end = 0;
		if (s->last_name != r->in_name) {
			if (s->line)
				grep_count(r, s);
			s->last_name = r->in_name;
			s->line = s->hits = 0;
		}
		s->line++;
		if (s->hits >= s->most) {
			if (s->due && !tool_busybox(r))
				grep_miss(r, s, text);
			continue;
		}
		bool hit = grep_find(s, text, 0, &start, &end) != s->invert;
		if (!hit) {
			if (!s->quiet && !s->counting && !s->names)
				grep_miss(r, s, text);
			continue;
		}
		s->any = true;
		s->hits++;
		if (s->quiet)
			break;
		if (s->counting || s->names)
			continue;
		grep_before(r, s);
		for (bool more = true; more;) {
			if (s->several && !s->no_names && s->last_name)
				tool_outf(r, "%s:", s->last_name);
			if (s->numbers)
				tool_outf(r, "%zu:", s->line);
			if (!s->only || s->invert) {
				tool_outf(r, "%s\n", text);
				break;
			}
			tool_outf(r, "%.*s\n", (int)(end - start), text + start);
			more = end > start && grep_find(s, text, end, &start, &end) && end > start;
		}
	}
	kt_buf_clear(&line);
	if (rc == TOOL_WAIT && !(s->quiet && s->any))
		return TOOL_WAIT;
	if (s->line && !s->quiet)
		grep_count(r, s);
	else if (s->counting && !s->quiet)
		tool_outs(r, "0\n");
	if (s->any)
		return 0;
	return r->in_status ? 2 : 1;
}

/* --- xargs --- */
struct xargs {
	struct kt_strs words;
	const char *replace;
	size_t per, next, first;
	bool none_if_empty, lines, null, read, ran, tells, told;
	struct kt_buf raw; /* -0: all of the input */
	int status;
};

static void end_xargs(struct tool_run *r)
{
	kt_strs_clear(&((struct xargs *)r->state)->words);
	kt_buf_clear(&((struct xargs *)r->state)->raw);
}

/* -0: what NUL bytes divide, whatever else is in it. */
static void xargs_split_raw(struct xargs *s)
{
	const char *at = kt_buf_str(&s->raw), *end = at + s->raw.len;
	while (at < end) {
		const char *stop = memchr(at, '\0', (size_t)(end - at));
		char *word = kt_strndup(at, (size_t)((stop ? stop : end) - at));
		kt_strs_steal(&s->words, word);
		at = stop ? stop + 1 : end;
	}
	kt_buf_cut(&s->raw, 0);
}

static void xargs_split(struct xargs *s, const char *text)
{
	struct kt_buf word = {0};
	bool open = false;
	char quote = '\0';
	for (; *text; text++) {
		if (quote ? *text == quote : (*text == '\'' || *text == '"')) {
			quote = quote ? '\0' : *text;
			open = true;
		} else if (!quote && isspace((unsigned char)*text)) {
			if (open)
				kt_strs_add(&s->words, kt_buf_str(&word));
			kt_buf_cut(&word, 0);
			open = false;
		} else {
			if (*text == '\\' && text[1] && !quote)
				text++;
			kt_buf_addc(&word, *text);
			open = true;
		}
	}
	if (open)
		kt_strs_add(&s->words, kt_buf_str(&word));
	kt_buf_clear(&word);
}

static char *replaced(const char *text, const char *what, const char *with)
{
	struct kt_buf out = {0};
	size_t len = strlen(what);
	for (const char *c = text; *c;) {
		if (len && !strncmp(c, what, len)) {
			kt_buf_adds(&out, with);
			c += len;
		} else {
			kt_buf_addc(&out, *c++);
		}
	}
	kt_buf_adds(&out, "");
	return kt_buf_take(&out);
}

static int run_xargs(struct tool_run *r)
{
	struct xargs *s = r->state;
	int option, rc, status = 0;
	const char *value;
	if (!r->opened) {
		size_t at = 1, in = 0;
		s->per = SIZE_MAX;
		while ((option = tool_option(r, &at, &in, "+n:I:i:0rtP:L:s:x", &value))) {
			if (option == '?')
				return 1;
			if (option == 'n' || option == 'L')
				s->per = KT_MAX(strtoul(value, NULL, 10), 1ul);
			if (option == 'I')
				s->replace = value;
			s->none_if_empty = s->none_if_empty || option == 'r';
			s->null = s->null || option == '0';
			s->tells = s->tells || option == 't';
		}
		s->first = at;
		tool_inputs(r, r->argv.count);
		r->opened = true;
	}
	struct kt_buf line = {0};
	while (!s->read && (rc = tool_line(r, &line)) != 0) {
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			return TOOL_WAIT;
		}
		if (s->null) {
			kt_buf_add(&s->raw, kt_buf_str(&line), line.len);
			if (r->whole)
				kt_buf_addc(&s->raw, '\n');
		} else if (s->replace) {
			const char *text = kt_buf_str(&line);
			text += strspn(text, " \t");
			if (*text)
				kt_strs_add(&s->words, text);
		} else {
			xargs_split(s, kt_buf_str(&line));
		}
	}
	kt_buf_clear(&line);
	s->read = true;
	xargs_split_raw(s);
	while (s->next < s->words.count || (!s->ran && !s->words.count && !s->none_if_empty && !s->replace)) {
		struct kt_strs argv = {0};
		size_t n = s->replace ? 1 : KT_MIN(s->per, s->words.count - s->next);
		for (size_t i = s->first; i < r->argv.count; i++)
			kt_strs_steal(&argv, s->replace ? replaced(r->argv.items[i], s->replace,
			                                           s->words.items[s->next])
			                                : kt_strdup(r->argv.items[i]));
		if (!argv.count)
			kt_strs_add(&argv, "echo");
		for (size_t i = 0; !s->replace && i < n; i++)
			kt_strs_add(&argv, s->words.items[s->next + i]);
		for (size_t i = 0; s->tells && !s->told && i < argv.count; i++)
			tool_err(r, "%s%s", argv.items[i], i + 1 < argv.count ? " " : "\n");
		s->told = true;
		rc = tool_run_child(r, &argv, &status);
		kt_strs_clear(&argv);
		if (rc)
			return rc;
		s->told = false;
		s->ran = true;
		s->next += n;
		if (status)
			s->status = status == 127 || status == 126 ? status : 123;
	}
	return s->status;
}

const struct tool tools_filter[] = {
        {.name = "egrep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "fgrep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "grep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "xargs",
         .sets = EVERY,
         .run = run_xargs,
         .state_size = sizeof(struct xargs),
         .end = end_xargs},
        {.name = NULL},
};

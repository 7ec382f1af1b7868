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
	bool none_if_empty, lines, null, read, ran;
	int status;
};

static void end_xargs(struct tool_run *r)
{
	kt_strs_clear(&((struct xargs *)r->state)->words);
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
		if (s->replace) {
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
		rc = tool_run_child(r, &argv, &status);
		kt_strs_clear(&argv);
		if (rc)
			return rc;
		s->ran = true;
		s->next += n;
		if (status)
			s->status = status == 127 || status == 126 ? status : 123;
	}
	return s->status;
}

/* --- sed --- */
enum { MAX_SED = 64 };
struct sed_address {
	char kind; /* 0 none, 'n' a line, '$', '/' a pattern */
	size_t line;
	regex_t pattern;
};
struct sed_command {
	struct sed_address from, to;
	bool negate, inside, has_pattern, global, print, gone;
	char verb;
	regex_t pattern;
	char *text; /* replacement, or the text of a, i, c */
	size_t which;
	char *file;
};
struct sed {
	struct sed_command commands[MAX_SED];
	size_t count, line;
	bool quiet, extended, in_place, quit;
	struct kt_buf out, next;
	bool have_next, ended, next_whole;
};

static void address_clear(struct sed_address *address)
{
	if (address->kind == '/')
		regfree(&address->pattern);
}

static void end_sed(struct tool_run *r)
{
	struct sed *s = r->state;
	for (size_t i = 0; i < s->count; i++) {
		struct sed_command *c = &s->commands[i];
		address_clear(&c->from);
		address_clear(&c->to);
		if (c->has_pattern)
			regfree(&c->pattern);
		kt_free(c->text);
		kt_free(c->file);
	}
	kt_buf_clear(&s->out);
	kt_buf_clear(&s->next);
}

static bool sed_regex(const struct sed *s, const char *text, bool nocase, regex_t *out)
{
	return strlen(text) <= MAX_PATTERN &&
	       !regcomp(out, text, (s->extended ? REG_EXTENDED : 0) | (nocase ? REG_ICASE : 0));
}

/* Up to an unescaped `stop`; \stop stands for itself. */
static char *sed_until(const char **at, char stop)
{
	struct kt_buf out = {0};
	bool bracket = false;
	for (; **at && (**at != stop || bracket); ++*at) {
		if (**at == '\\' && (*at)[1]) {
			if ((*at)[1] == stop) {
				++*at;
				kt_buf_addc(&out, **at);
				continue;
			}
			if ((*at)[1] == 'n' || (*at)[1] == 't') {
				++*at;
				kt_buf_addc(&out, **at == 'n' ? '\n' : '\t');
				continue;
			}
			kt_buf_addc(&out, '\\');
			++*at;
		} else if (**at == '[') {
			bracket = stop != '[' && strchr(*at, ']') != NULL;
		} else if (**at == ']') {
			bracket = false;
		}
		kt_buf_addc(&out, **at);
	}
	kt_buf_adds(&out, "");
	if (**at != stop) {
		kt_buf_clear(&out);
		return NULL;
	}
	++*at;
	return kt_buf_take(&out);
}

static bool sed_address(struct sed *s, const char **at, struct sed_address *out)
{
	if (isdigit((unsigned char)**at)) {
		char *end;
		out->kind = 'n';
		out->line = strtoul(*at, &end, 10);
		*at = end;
	} else if (**at == '$') {
		out->kind = '$';
		++*at;
	} else if (**at == '/') {
		++*at;
		char *text = sed_until(at, '/');
		bool ok = text && sed_regex(s, text, false, &out->pattern);
		kt_free(text);
		if (!ok)
			return false;
		out->kind = '/';
	}
	return true;
}

static bool sed_substitute(struct sed *s, const char **at, struct sed_command *c)
{
	char stop = *(*at)++;
	bool nocase = false;
	char *pattern = stop ? sed_until(at, stop) : NULL;
	if (!pattern)
		return false;
	/* the replacement keeps its escapes for \1 and \& */
	struct kt_buf text = {0};
	for (; **at && **at != stop; ++*at) {
		if (**at == '\\' && (*at)[1]) {
			if ((*at)[1] == stop) {
				++*at;
			} else if ((*at)[1] == 'n' || (*at)[1] == 't') {
				kt_buf_addc(&text, (*at)[1] == 'n' ? '\n' : '\t');
				++*at;
				continue;
			} else {
				kt_buf_addc(&text, '\\');
				++*at;
			}
		}
		kt_buf_addc(&text, **at);
	}
	kt_buf_adds(&text, "");
	c->text = kt_buf_take(&text);
	bool ok = **at == stop;
	if (ok)
		++*at;
	for (; **at && !strchr(";}\n ", **at); ++*at) {
		c->global = c->global || **at == 'g';
		c->print = c->print || **at == 'p';
		nocase = nocase || **at == 'i' || **at == 'I';
		if (isdigit((unsigned char)**at))
			c->which = (size_t)(**at - '0');
	}
	ok = ok && sed_regex(s, pattern, nocase, &c->pattern);
	c->has_pattern = ok;
	kt_free(pattern);
	return ok;
}

static bool sed_parse(struct sed *s, const char *at)
{
	while (*at) {
		at += strspn(at, " \t\n;");
		if (!*at || *at == '#')
			break;
		if (*at == '}') {
			at++;
			continue;
		}
		if (s->count == MAX_SED)
			return false;
		struct sed_command *c = &s->commands[s->count++];
		if (!sed_address(s, &at, &c->from))
			return false;
		if (*at == ',' && c->from.kind) {
			at++;
			if (!sed_address(s, &at, &c->to))
				return false;
		}
		at += strspn(at, " \t");
		if (*at == '!') {
			c->negate = true;
			at++;
		}
		at += strspn(at, " \t");
		c->verb = *at++;
		if (c->verb == 's' || c->verb == 'y') {
			if (!sed_substitute(s, &at, c))
				return false;
		} else if (strchr("aic", c->verb) && c->verb) {
			if (*at == '\\')
				at++;
			at += strspn(at, " \t\n");
			size_t len = strcspn(at, "\n");
			c->text = kt_strndup(at, len);
			at += len;
		} else if (!strchr("dpqDn=", c->verb) || !c->verb) {
			return false;
		}
	}
	return true;
}

static bool address_fits(const struct sed *s, const struct sed_address *address, const char *line)
{
	switch (address->kind) {
	case 'n':
		return s->line == address->line;
	case '$':
		return !s->have_next;
	case '/':
		return !regexec(&address->pattern, line, 0, NULL, 0);
	default:
		return true;
	}
}

static bool sed_selected(const struct sed *s, struct sed_command *c, const char *line)
{
	bool fits;
	if (!c->to.kind) {
		fits = address_fits(s, &c->from, line);
	} else if (c->inside) {
		fits = true;
		c->inside = c->to.kind == 'n' ? s->line < c->to.line : !address_fits(s, &c->to, line);
	} else {
		fits = address_fits(s, &c->from, line);
		c->inside = fits && !(c->to.kind == 'n' && s->line >= c->to.line);
	}
	return fits != c->negate;
}

static bool sed_apply(const struct sed_command *c, struct kt_buf *line)
{
	struct kt_buf out = {0};
	const char *text = kt_buf_str(line), *at = text;
	size_t hits = 0;
	bool done = false;
	regmatch_t m[10];
	while (!done && !regexec(&c->pattern, at, 10, m, at == text ? 0 : REG_NOTBOL)) {
		hits++;
		bool take = c->which ? hits == c->which : true;
		kt_buf_add(&out, at, (size_t)m[0].rm_so);
		if (!take)
			kt_buf_add(&out, at + m[0].rm_so, (size_t)(m[0].rm_eo - m[0].rm_so));
		for (const char *t = c->text; take && *t; t++) {
			int group = *t == '&' ? 0 : -1;
			if (*t == '\\' && isdigit((unsigned char)t[1]))
				group = *++t - '0';
			else if (*t == '\\' && t[1])
				t++;
			if (group >= 0 && m[group].rm_so >= 0)
				kt_buf_add(&out, at + m[group].rm_so,
				           (size_t)(m[group].rm_eo - m[group].rm_so));
			else if (group < 0)
				kt_buf_addc(&out, *t);
		}
		done = take && !c->global;
		bool empty = m[0].rm_eo == m[0].rm_so;
		at += m[0].rm_eo;
		if (empty && *at)
			kt_buf_addc(&out, *at++);
		else if (empty)
			break;
		if (!*at)
			break;
	}
	kt_buf_adds(&out, at);
	kt_buf_clear(line);
	*line = out;
	return c->which ? hits >= c->which : hits > 0;
}

static void sed_line(struct sed *s, struct kt_buf *line)
{
	bool gone = false;
	struct kt_buf after = {0};
	for (size_t i = 0; i < s->count && !gone && !s->quit; i++) {
		struct sed_command *c = &s->commands[i];
		if (!sed_selected(s, c, kt_buf_str(line)))
			continue;
		switch (c->verb) {
		case 's':
			if (sed_apply(c, line) && c->print)
				kt_buf_addf(&s->out, "%s\n", kt_buf_str(line));
			break;
		case 'd':
		case 'D':
			gone = true;
			break;
		case 'p':
			kt_buf_addf(&s->out, "%s\n", kt_buf_str(line));
			break;
		case 'q':
			s->quit = true;
			break;
		case '=':
			kt_buf_addf(&s->out, "%zu\n", s->line);
			break;
		case 'i':
			kt_buf_addf(&s->out, "%s\n", c->text);
			break;
		case 'a':
			kt_buf_addf(&after, "%s\n", c->text);
			break;
		case 'c':
			kt_buf_addf(&s->out, "%s\n", c->text);
			gone = true;
			break;
		default:
			break;
		}
	}
	if (!gone && !s->quiet)
		kt_buf_addf(&s->out, "%s\n", kt_buf_str(line));
	kt_buf_add(&s->out, kt_buf_str(&after), after.len);
	kt_buf_clear(&after);
}

static int sed_options(struct tool_run *r, struct sed *s)
{
	size_t at = 1, in = 0;
	const char *value, *scripts[8];
	size_t n = 0;
	int option;
	while ((option = tool_option(r, &at, &in, "nEre:i", &value))) {
		if (option == '?')
			return 1;
		s->quiet = s->quiet || option == 'n';
		s->extended = s->extended || option == 'E' || option == 'r';
		s->in_place = s->in_place || option == 'i';
		if (option == 'e' && n < KT_COUNT(scripts))
			scripts[n++] = value;
	}
	if (!n && at < r->argv.count)
		scripts[n++] = r->argv.items[at++];
	if (!n)
		return tool_fail(r, 1, "no script given");
	for (size_t i = 0; i < n; i++) {
		if (!sed_parse(s, scripts[i])) {
			if (tool_busybox(r))
				return tool_fail(r, 1, "unsupported command in '%s'", scripts[i]);
			return tool_fail(r, 1, "-e expression #%zu, char 1: unknown command", i + 1);
		}
	}
	tool_inputs(r, at);
	r->opened = true;
	return 0;
}

/* -i: file by file, each written back. */
static int sed_in_place(struct tool_run *r, struct sed *s)
{
	int status = 0;
	struct files *files = tool_container(r)->files;
	for (size_t i = r->file; i < r->argv.count; i++) {
		struct kt_buf data = {0};
		char *path = tool_path(r, r->argv.items[i]);
		int rc = files_read(files, path, &data);
		if (rc) {
			tool_errf(r, tool_busybox(r) ? "%s: %s" : "can't read %s: %s", r->argv.items[i],
			          tool_strerror(rc));
			status = tool_busybox(r) ? 1 : 2;
		} else {
			const char *rest = kt_buf_str(&data);
			size_t len;
			kt_buf_cut(&s->out, 0);
			s->line = 0;
			for (const char *piece; rest && *rest && (piece = kt_split(&rest, '\n', &len));) {
				struct kt_buf line = {0};
				kt_buf_add(&line, piece, len);
				kt_buf_adds(&line, "");
				s->line++;
				s->have_next = rest && *rest;
				sed_line(s, &line);
				kt_buf_clear(&line);
			}
			rc = files_write(files, path, kt_buf_str(&s->out), s->out.len, false, 0644,
			                 process_now(r->task->process));
			if (rc)
				status = tool_fail(r, 4, "couldn't open temporary file: %s",
				                   tool_strerror(rc));
		}
		kt_buf_clear(&data);
		kt_free(path);
	}
	return status;
}

static int run_sed(struct tool_run *r)
{
	struct sed *s = r->state;
	int rc;
	if (!r->opened && (rc = sed_options(r, s)))
		return rc;
	if (s->in_place)
		return sed_in_place(r, s);
	while (!s->ended && !s->quit) {
		struct kt_buf line = {0};
		rc = tool_line(r, &line);
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			tool_out(r, kt_buf_str(&s->out), s->out.len);
			kt_buf_cut(&s->out, 0);
			return TOOL_WAIT;
		}
		/* one line behind, for $ */
		struct kt_buf now = s->next;
		bool had = s->have_next;
		s->next = rc ? line : (struct kt_buf){0};
		if (!rc)
			kt_buf_clear(&line);
		s->have_next = rc == 1;
		s->ended = rc == 0;
		if (had) {
			s->line++;
			kt_buf_adds(&now, "");
			sed_line(s, &now);
		}
		kt_buf_clear(&now);
	}
	tool_out(r, kt_buf_str(&s->out), s->out.len);
	kt_buf_cut(&s->out, 0);
	return r->in_status;
}

const struct tool tools_filter[] = {
        {.name = "egrep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "fgrep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "grep", .sets = EVERY, .run = run_grep, .state_size = sizeof(struct grep), .end = end_grep},
        {.name = "sed", .sets = EVERY, .run = run_sed, .state_size = sizeof(struct sed), .end = end_sed},
        {.name = "xargs",
         .sets = EVERY,
         .run = run_xargs,
         .state_size = sizeof(struct xargs),
         .end = end_xargs},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* sed: the commands of POSIX and what GNU's and busybox' take besides. */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"
enum { MAX_COMMANDS = 200, MAX_PATTERN = 2000, MAX_STEPS = 100000 };

struct address {
	char kind; /* 0 none, 'n' a line, '~' every so many, '+' so many more, '$', '/' a pattern */
	size_t line, step;
	regex_t pattern;
};
struct command {
	struct address from, to;
	bool negate, inside, has_pattern, global, print;
	char verb;
	regex_t pattern;
	char *text;   /* replacement; text of a, i, c; label; file */
	char *second; /* y: what the letters of `text` become; s///w: the file */
	size_t which; /* s///N */
	size_t end;   /* {: its }; }: itself */
	size_t last;  /* addr,+N: the line at which it ends */
};
struct sed {
	struct command commands[MAX_COMMANDS];
	size_t count, line, read;
	bool quiet, extended, in_place, quit, whole, ended;
	bool unended; /* the last line of the input has no newline; then that of the output has none */
	int code;
	struct kt_buf out, hold, after;
	struct kt_strs ahead; /* lines that were read and are not worked on yet: from `read` on */
};

static void command_clear(struct command *c)
{
	if (c->from.kind == '/')
		regfree(&c->from.pattern);
	if (c->to.kind == '/')
		regfree(&c->to.pattern);
	if (c->has_pattern)
		regfree(&c->pattern);
	kt_free(c->text);
	kt_free(c->second);
}

static void end_sed(struct tool_run *r)
{
	struct sed *s = r->state;
	for (size_t i = 0; i < s->count; i++)
		command_clear(&s->commands[i]);
	kt_buf_clear(&s->out);
	kt_buf_clear(&s->hold);
	kt_buf_clear(&s->after);
	kt_strs_clear(&s->ahead);
}

/* --- reading a script --- */
static bool compile(const struct sed *s, const char *text, bool nocase, regex_t *out)
{
	return strlen(text) <= MAX_PATTERN &&
	       !regcomp(out, text, (s->extended ? REG_EXTENDED : 0) | (nocase ? REG_ICASE : 0));
}

/* Behind a [ … ] that begins at `at`: what stands in it ends nothing. */
static const char *bracket_end(const char *at)
{
	const char *c = at + 1 + (at[1] == '^');
	c += *c == ']';
	while (*c && *c != ']') {
		const char *class = *c == '[' && strchr(":.=", c[1]) && c[1] ? strchr(c + 2, ']') : NULL;
		c = class ? class + 1 : c + 1;
	}
	return *c ? c + 1 : NULL;
}

/* What was read, with *at behind `stop`; NULL: the text ended first. */
static char *taken(struct kt_buf *out, const char **at, char stop)
{
	kt_buf_adds(out, "");
	if (**at != stop) {
		kt_buf_clear(out);
		return NULL;
	}
	++*at;
	return kt_buf_take(out);
}

/* A pattern up to an unescaped `stop`; \stop stands for itself. Owned; NULL: it does not end. */
static char *pattern_until(const char **at, char stop)
{
	struct kt_buf out = {0};
	while (**at && **at != stop) {
		const char *end = **at == '[' && stop != '[' ? bracket_end(*at) : NULL;
		if (end) {
			kt_buf_add(&out, *at, (size_t)(end - *at));
			*at = end;
		} else if (**at == '\\' && (*at)[1]) {
			char next = (*at)[1];
			if (next == 'n' || next == 't' || next == 'r') {
				kt_buf_addc(&out, next == 'n' ? '\n' : next == 't' ? '\t' : '\r');
			} else {
				if (next != stop)
					kt_buf_addc(&out, '\\');
				kt_buf_addc(&out, next);
			}
			*at += 2;
		} else {
			kt_buf_addc(&out, *(*at)++);
		}
	}
	return taken(&out, at, stop);
}

/* What stands behind it keeps its escapes for \1 and \&. */
static char *replacement_until(const char **at, char stop)
{
	struct kt_buf out = {0};
	for (; **at && **at != stop; ++*at) {
		if (**at == '\\' && (*at)[1]) {
			char next = *++*at;
			if (next == 'n' || next == 't' || next == 'r') {
				kt_buf_addc(&out, next == 'n' ? '\n' : next == 't' ? '\t' : '\r');
				continue;
			}
			if (next != stop || next == '&')
				kt_buf_addc(&out, '\\');
		}
		kt_buf_addc(&out, **at);
	}
	return taken(&out, at, stop);
}

static bool read_address(struct sed *s, const char **at, struct address *out, bool second)
{
	char *end;
	if (isdigit((unsigned char)**at)) {
		out->kind = 'n';
		out->line = strtoul(*at, &end, 10);
		*at = end;
		if (**at == '~') {
			out->kind = '~';
			out->step = strtoul(*at + 1, &end, 10);
			*at = end;
		}
	} else if (**at == '+' && second) {
		out->kind = '+';
		out->line = strtoul(*at + 1, &end, 10);
		*at = end;
	} else if (**at == '$') {
		out->kind = '$';
		++*at;
	} else if (**at == '/' || (**at == '\\' && (*at)[1])) {
		*at += **at == '\\';
		char stop = *(*at)++;
		char *text = pattern_until(at, stop);
		bool nocase = text && **at == 'I';
		bool ok = text && compile(s, text, nocase, &out->pattern);
		*at += nocase;
		kt_free(text);
		if (!ok)
			return false;
		out->kind = '/';
	}
	return true;
}

static bool read_substitution(struct sed *s, const char **at, struct command *c)
{
	char stop = **at ? *(*at)++ : '\0';
	bool nocase = false;
	char *pattern = stop ? pattern_until(at, stop) : NULL;
	c->text = pattern ? replacement_until(at, stop) : NULL;
	bool ok = c->text != NULL;
	for (; ok && **at && !strchr(";}\n \t#", **at); ++*at) {
		if (isdigit((unsigned char)**at)) {
			char *end;
			c->which = strtoul(*at, &end, 10);
			*at = end - 1;
		} else if (**at == 'w') {
			*at += 1 + strspn(*at + 1, " ");
			size_t len = strcspn(*at, "\n");
			c->second = kt_strndup(*at, len);
			*at += len;
			break;
		} else {
			c->global = c->global || **at == 'g';
			c->print = c->print || **at == 'p';
			nocase = nocase || **at == 'i' || **at == 'I';
			ok = strchr("gpiIem", **at) != NULL;
		}
	}
	c->has_pattern = ok = ok && compile(s, pattern, nocase, &c->pattern);
	kt_free(pattern);
	return ok;
}

static bool read_letters(const char **at, struct command *c)
{
	char stop = **at ? *(*at)++ : '\0';
	c->text = stop ? pattern_until(at, stop) : NULL;
	c->second = c->text ? pattern_until(at, stop) : NULL;
	return c->second && strlen(c->text) == strlen(c->second);
}

/* a, i, c: `a text`, `a\` and the text on the next line; a line that ends in \ goes on. */
static void read_text(const char **at, struct command *c)
{
	struct kt_buf out = {0};
	*at += strspn(*at, " \t");
	if (**at == '\\') {
		++*at;
		*at += strspn(*at, " \t");
		*at += **at == '\n';
	}
	for (; **at && **at != '\n'; ++*at) {
		if (**at == '\\' && (*at)[1])
			++*at;
		kt_buf_addc(&out, **at);
	}
	kt_buf_adds(&out, "");
	c->text = kt_buf_take(&out);
}

static void read_name(const char **at, struct command *c, const char *stops)
{
	*at += strspn(*at, " \t");
	size_t len = strcspn(*at, stops);
	size_t used = len;
	while (used && isspace((unsigned char)(*at)[used - 1]))
		used--;
	c->text = kt_strndup(*at, used);
	*at += len;
}

static bool read_verb(struct sed *s, const char **at, struct command *c)
{
	switch (c->verb) {
	case 's':
		return read_substitution(s, at, c);
	case 'y':
		return read_letters(at, c);
	case 'a':
	case 'i':
	case 'c':
		read_text(at, c);
		return true;
	case 'b':
	case 't':
	case 'T':
		read_name(at, c, ";}\n");
		return true;
	case ':':
		read_name(at, c, ";\n");
		return true;
	case 'r':
	case 'w':
		read_name(at, c, "\n");
		return true;
	case 'q':
	case 'Q':
		*at += strspn(*at, " ");
		c->which = strtoul(*at, NULL, 10);
		*at += strspn(*at, "0123456789");
		return true;
	case 'n':
	case 'N':
	case 'D':
	case 'G':
		s->whole = s->whole || c->verb != 'G';
		return true;
	default:
		return c->verb && strchr("dpPgGhHxl={}", c->verb) != NULL;
	}
}

/* Adds a script's commands. */
static bool read_script(struct sed *s, const char *at)
{
	size_t open[32], depth = 0;
	while (*at) {
		at += strspn(at, " \t\n;");
		if (!*at)
			break;
		if (*at == '#') {
			at += strcspn(at, "\n");
			continue;
		}
		if (s->count == MAX_COMMANDS)
			return false;
		struct command *c = &s->commands[s->count++];
		if (!read_address(s, &at, &c->from, false))
			return false;
		at += strspn(at, " \t");
		if (*at == ',' && c->from.kind) {
			at += 1 + strspn(at + 1, " \t");
			if (!read_address(s, &at, &c->to, true) || !c->to.kind)
				return false;
		}
		at += strspn(at, " \t");
		for (; *at == '!' || *at == ' '; at++)
			c->negate = c->negate || *at == '!';
		c->verb = *at ? *at++ : '\0';
		if (!read_verb(s, &at, c))
			return false;
		if (c->verb == '{' && depth < KT_COUNT(open)) {
			open[depth++] = s->count - 1;
		} else if (c->verb == '}') {
			if (!depth)
				return false;
			s->commands[open[--depth]].end = s->count - 1;
		}
	}
	return !depth;
}

/* --- working --- */
static bool last_line(const struct sed *s)
{
	return s->ended && s->read >= s->ahead.count;
}

static bool fits(const struct sed *s, const struct address *address, const char *line)
{
	switch (address->kind) {
	case 'n':
		return s->line == address->line;
	case '~':
		return address->step
		               ? s->line >= address->line && (s->line - address->line) % address->step == 0
		               : s->line == address->line;
	case '$':
		return last_line(s);
	case '/':
		return !regexec(&address->pattern, line, 0, NULL, 0);
	default:
		return true;
	}
}

static bool selected(const struct sed *s, struct command *c, const char *line)
{
	bool is;
	if (!c->to.kind) {
		is = fits(s, &c->from, line);
	} else if (c->inside || (c->from.kind == 'n' && !c->from.line && s->line == 1)) {
		/* 0,/re/ may end in the first line */
		is = true;
		c->inside = c->to.kind == 'n'   ? s->line < c->to.line
		            : c->to.kind == '+' ? s->line < c->last
		                                : !fits(s, &c->to, line);
	} else {
		is = fits(s, &c->from, line);
		c->last = s->line + c->to.line;
		c->inside = is && !(c->to.kind == 'n' && s->line >= c->to.line) &&
		            !(c->to.kind == '+' && !c->to.line);
	}
	return is != c->negate;
}

static void add_replacement(const char *text, const char *at, const regmatch_t *m, struct kt_buf *out)
{
	char mode = '\0', once = '\0';
	for (; *text; text++) {
		int group = *text == '&' ? 0 : -1;
		if (*text == '\\' && isdigit((unsigned char)text[1])) {
			group = *++text - '0';
		} else if (*text == '\\' && text[1] && strchr("ULEul", text[1])) {
			text++;
			if (strchr("ul", *text))
				once = *text;
			else
				mode = *text;
			continue;
		} else if (*text == '\\' && text[1]) {
			text++;
		}
		size_t from = out->len;
		if (group >= 0 && m[group].rm_so >= 0)
			kt_buf_add(out, at + m[group].rm_so, (size_t)(m[group].rm_eo - m[group].rm_so));
		else if (group < 0)
			kt_buf_addc(out, *text);
		for (size_t i = from; i < out->len; i++) {
			char how = once ? (char)toupper((unsigned char)once) : mode;
			unsigned char c = (unsigned char)out->data[i];
			out->data[i] = (char)(how == 'U' ? toupper(c) : how == 'L' ? tolower(c) : c);
			once = '\0';
		}
	}
}

static bool substitute(const struct command *c, struct kt_buf *line)
{
	struct kt_buf out = {0};
	const char *text = kt_buf_str(line), *at = text;
	size_t hits = 0;
	bool done = false, behind = false; /* right behind a match: nothing is no second one */
	regmatch_t m[10];
	while (!done && !regexec(&c->pattern, at, 10, m, at == text ? 0 : REG_NOTBOL)) {
		if (behind && !m[0].rm_eo) {
			behind = false;
			kt_buf_addc(&out, *at++);
			continue;
		}
		hits++;
		bool take = c->which ? (c->global ? hits >= c->which : hits == c->which) : true;
		kt_buf_add(&out, at, (size_t)m[0].rm_so);
		if (take)
			add_replacement(c->text, at, m, &out);
		else
			kt_buf_add(&out, at + m[0].rm_so, (size_t)(m[0].rm_eo - m[0].rm_so));
		done = take && !c->global;
		bool empty = m[0].rm_eo == m[0].rm_so;
		behind = !empty;
		at += m[0].rm_eo;
		if (empty && *at)
			kt_buf_addc(&out, *at++);
		else if (empty || !*at)
			break;
	}
	kt_buf_adds(&out, at);
	kt_buf_clear(line);
	*line = out;
	return c->which ? hits >= c->which : hits > 0;
}

static void set_line(struct kt_buf *line, const char *text, size_t len)
{
	kt_buf_cut(line, 0);
	kt_buf_add(line, text, len);
	kt_buf_adds(line, "");
}

static void say(struct sed *s, const struct kt_buf *line)
{
	kt_buf_addf(&s->out, "%s\n", kt_buf_str(line));
}

/* l: what is not printed as it is, escaped; a line of it at most 70 wide. */
static void say_escaped(struct sed *s, const struct kt_buf *line)
{
	static const char raw[] = "\\\a\b\f\n\r\t\v", names[] = "\\abfnrtv";
	size_t column = 0;
	for (size_t i = 0; i < line->len; i++) {
		const char *found = line->data[i] ? strchr(raw, line->data[i]) : NULL;
		unsigned char c = (unsigned char)line->data[i];
		char *piece = found ? kt_strf("\\%c", names[found - raw])
		                    : (isprint(c) ? kt_strf("%c", c) : kt_strf("\\%03o", c));
		if (column + strlen(piece) > 69) {
			kt_buf_adds(&s->out, "\\\n");
			column = 0;
		}
		kt_buf_adds(&s->out, piece);
		column += strlen(piece);
		kt_free(piece);
	}
	kt_buf_adds(&s->out, "$\n");
}

static void write_into(struct tool_run *r, const char *name, const struct kt_buf *line)
{
	char *path = tool_path(r, name);
	struct kt_buf text = {0};
	kt_buf_addf(&text, "%s\n", kt_buf_str(line));
	if (!strcmp(path, "/dev/stdout"))
		kt_buf_add(&((struct sed *)r->state)->out, text.data, text.len);
	else
		(void)files_write(tool_container(r)->files, path, text.data, text.len, true, 0644,
		                  process_now(r->task->process));
	kt_buf_clear(&text);
	kt_free(path);
}

static void read_from(struct tool_run *r, const char *name)
{
	struct sed *s = r->state;
	char *path = tool_path(r, name);
	(void)special_file(r->task, path, &s->after);
	kt_free(path);
}

static void flush_after(struct sed *s)
{
	kt_buf_add(&s->out, kt_buf_str(&s->after), s->after.len);
	kt_buf_cut(&s->after, 0);
}

static size_t label_at(const struct sed *s, const char *name)
{
	for (size_t i = 0; *name && i < s->count; i++)
		if (s->commands[i].verb == ':' && !strcmp(s->commands[i].text, name))
			return i;
	return s->count;
}

static bool take_next(struct sed *s, struct kt_buf *line, bool add)
{
	if (s->read >= s->ahead.count)
		return false;
	const char *text = s->ahead.items[s->read++];
	if (add)
		kt_buf_addf(line, "\n%s", text);
	else
		set_line(line, text, strlen(text));
	s->line++;
	return true;
}

enum after { GO_ON, ENDED, GONE, AGAIN };

/* One command. ENDED: the cycle is over, the line printed; GONE: it is not; AGAIN: from the first command on
 * with what is there (D). */
static enum after work(struct tool_run *r, struct command *c, struct kt_buf *line, size_t *pc, bool *changed)
{
	struct sed *s = r->state;
	struct kt_buf old = {0};
	const char *newline = strchr(kt_buf_str(line), '\n');
	switch (c->verb) {
	case 's':
		if (substitute(c, line)) {
			*changed = true;
			if (c->print)
				say(s, line);
			if (c->second)
				write_into(r, c->second, line);
		}
		break;
	case 'y':
		for (size_t i = 0; i < line->len; i++) {
			const char *found = line->data[i] ? strchr(c->text, line->data[i]) : NULL;
			if (found)
				line->data[i] = c->second[found - c->text];
		}
		break;
	case 'D':
		if (newline) {
			kt_buf_drop(line, (size_t)(newline + 1 - line->data));
			kt_buf_adds(line, "");
			return AGAIN;
		}
		return GONE;
	case 'd':
		return GONE;
	case 'p':
		say(s, line);
		break;
	case 'P':
		kt_buf_addf(&s->out, "%.*s\n", (int)(newline ? newline - line->data : (ptrdiff_t)line->len),
		            kt_buf_str(line));
		break;
	case 'l':
		say_escaped(s, line);
		break;
	case 'n':
		if (s->read >= s->ahead.count) /* without a next line it ends here */
			return ENDED;
		if (!s->quiet)
			say(s, line);
		flush_after(s);
		take_next(s, line, false);
		break;
	case 'N':
		if (!take_next(s, line, true))
			return ENDED;
		break;
	case 'q':
	case 'Q':
		s->quit = true;
		s->code = (int)c->which;
		return c->verb == 'q' ? ENDED : GONE;
	case '=':
		kt_buf_addf(&s->out, "%zu\n", s->line);
		break;
	case 'i':
		kt_buf_addf(&s->out, "%s\n", c->text);
		break;
	case 'a':
		kt_buf_addf(&s->after, "%s\n", c->text);
		break;
	case 'c':
		if (!c->to.kind || !c->inside || c->negate)
			kt_buf_addf(&s->out, "%s\n", c->text);
		return GONE;
	case 'g':
		set_line(line, kt_buf_str(&s->hold), s->hold.len);
		break;
	case 'G':
		kt_buf_addf(line, "\n%s", kt_buf_str(&s->hold));
		break;
	case 'h':
		set_line(&s->hold, kt_buf_str(line), line->len);
		break;
	case 'H':
		kt_buf_addf(&s->hold, "\n%s", kt_buf_str(line));
		break;
	case 'x':
		old = *line;
		*line = s->hold;
		s->hold = old;
		kt_buf_adds(line, "");
		break;
	case 't':
	case 'T':
		if (*changed == (c->verb == 't'))
			*pc = label_at(s, c->text);
		*changed = false;
		break;
	case 'b':
		*pc = label_at(s, c->text);
		break;
	case 'r':
		read_from(r, c->text);
		break;
	case 'w':
		write_into(r, c->text, line);
		break;
	default:
		break;
	}
	return GO_ON;
}

static void cycle(struct tool_run *r, struct kt_buf *line)
{
	struct sed *s = r->state;
	enum after end = GO_ON;
	bool changed = false;
	size_t steps = 0;
	for (size_t pc = 0; pc < s->count && steps++ < MAX_STEPS; pc++) {
		struct command *c = &s->commands[pc];
		if (c->verb == '}' || c->verb == ':')
			continue;
		if (!selected(s, c, kt_buf_str(line))) {
			if (c->verb == '{')
				pc = c->end;
			continue;
		}
		end = work(r, c, line, &pc, &changed);
		if (end == AGAIN) {
			flush_after(s);
			pc = SIZE_MAX; /* the first is the next */
		} else if (end != GO_ON) {
			break;
		}
	}
	if (end != GONE && !s->quiet)
		say(s, line);
	flush_after(s);
}

/* --- input and output --- */
static int options(struct tool_run *r, struct sed *s)
{
	size_t at = 1, in = 0, n = 0;
	const char *value;
	struct kt_buf script = {0};
	int option;
	while ((option = tool_option(r, &at, &in, "nEre:f:is", &value))) {
		if (option == '?') {
			kt_buf_clear(&script);
			return 1;
		}
		s->quiet = s->quiet || option == 'n';
		s->extended = s->extended || option == 'E' || option == 'r';
		s->in_place = s->in_place || option == 'i' || (option == '-' && kt_starts(value, "in-place"));
		s->quiet = s->quiet || (option == '-' && !strcmp(value, "quiet"));
		s->extended = s->extended || (option == '-' && !strcmp(value, "regexp-extended"));
		if (option == 'i' && in) /* -i.bak: the letters behind it are the suffix */
			at++, in = 0;
		if (option == 'e') {
			kt_buf_addf(&script, "%s%s", n++ ? "\n" : "", value);
		} else if (option == 'f') {
			char *path = tool_path(r, value);
			kt_buf_adds(&script, n++ ? "\n" : "");
			(void)special_file(r->task, path, &script);
			kt_free(path);
		}
	}
	if (!n && at < r->argv.count)
		kt_buf_addf(&script, "%s%.0zu", r->argv.items[at++], n++);
	if (!n)
		return tool_fail(r, 1, "no script given");
	bool good = read_script(s, kt_buf_str(&script));
	if (!good && tool_busybox(r))
		tool_errf(r, "unsupported command %c", s->count ? s->commands[s->count - 1].verb : '?');
	else if (!good)
		tool_errf(r, "-e expression #1, char %zu: unknown command: `%c'", script.len,
		          s->count && s->commands[s->count - 1].verb ? s->commands[s->count - 1].verb : '?');
	kt_buf_clear(&script);
	if (!good)
		return 1;
	tool_inputs(r, at);
	r->opened = true;
	return 0;
}

static void flush(struct tool_run *r)
{
	struct sed *s = r->state;
	tool_out(r, kt_buf_str(&s->out), s->out.len);
	kt_buf_cut(&s->out, 0);
}

/* Those that may be worked on by now: all at the end, else all but the last, which may be `$`. */
static void work_off(struct tool_run *r)
{
	struct sed *s = r->state;
	struct kt_buf line = {0};
	while (!s->quit && s->read + (s->ended ? 0 : 1) < s->ahead.count && (s->ended || !s->whole)) {
		take_next(s, &line, false);
		cycle(r, &line);
	}
	kt_buf_clear(&line);
	if (s->read == s->ahead.count) {
		kt_strs_clear(&s->ahead);
		s->read = 0;
	} else if (s->read > 1000) {
		for (size_t i = 0; i < s->read; i++)
			kt_free(s->ahead.items[i]);
		s->ahead.count -= s->read;
		memmove(s->ahead.items, s->ahead.items + s->read, s->ahead.count * sizeof(*s->ahead.items));
		s->read = 0;
	}
}

/* -i: file by file, each written back. */
static int in_place(struct tool_run *r, struct sed *s)
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
			s->quit = false;
			for (const char *piece; rest && *rest && (piece = kt_split(&rest, '\n', &len));)
				kt_strs_steal(&s->ahead, kt_strndup(piece, len));
			s->ended = true;
			work_off(r);
			if (data.len && data.data[data.len - 1] != '\n' && s->out.len)
				kt_buf_cut(&s->out, s->out.len - 1);
			while (s->read < s->ahead.count) /* behind a `q` the rest stays */
				kt_buf_addf(&s->out, "%s\n", s->ahead.items[s->read++]);
			kt_strs_clear(&s->ahead);
			s->read = 0;
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
	if (!r->opened && (rc = options(r, s)))
		return rc;
	if (s->in_place)
		return in_place(r, s);
	while (!s->ended && !s->quit) {
		struct kt_buf line = {0};
		rc = tool_line(r, &line);
		if (rc == 1)
			kt_strs_add(&s->ahead, kt_buf_str(&line));
		s->unended = rc == 1 ? !r->whole : s->unended;
		kt_buf_clear(&line);
		if (rc == TOOL_WAIT) {
			flush(r);
			return TOOL_WAIT;
		}
		s->ended = rc == 0;
		work_off(r);
	}
	if (s->ended && s->unended && s->out.len && s->out.data[s->out.len - 1] == '\n')
		kt_buf_cut(&s->out, s->out.len - 1);
	flush(r);
	return s->code ? s->code : r->in_status;
}

const struct tool tools_sed[] = {
        {.name = "sed", .sets = EVERY, .run = run_sed, .state_size = sizeof(struct sed), .end = end_sed},
        {.name = NULL},
};

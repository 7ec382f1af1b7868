/* SPDX-License-Identifier: MIT */
/* getopt: the words of a script's command line, sorted and quoted for eval. */
#include "cluster/kubelet/shell/shell.h"

#include <string.h>

struct getopt {
	const char *letters, *name;
	struct kt_strs longs; /* "output:" and the like */
	bool quiet, plain;    /* plain: nothing is quoted */
	int status;
	struct kt_buf out;
	struct kt_strs rest;
};

static void add_quoted(struct getopt *s, const char *text)
{
	if (s->plain) {
		kt_buf_addf(&s->out, " %s", text);
		return;
	}
	kt_buf_adds(&s->out, " '");
	for (; *text; text++)
		kt_buf_adds(&s->out, *text == '\'' ? "'\\''" : (char[]){*text, '\0'});
	kt_buf_addc(&s->out, '\'');
}

static void complain(struct tool_run *r, struct getopt *s, const char *what, const char *name, size_t len)
{
	if (!s->quiet)
		tool_err(r, "%s: %s%.*s'\n", s->name ? s->name : "getopt", what, (int)len, name);
	s->status = 1;
}

/* Its row: "name", "name:" or "name::"; the whole name, or the only one that begins so. */
static const char *long_row(const struct getopt *s, const char *name, size_t len)
{
	const char *begins = NULL;
	size_t count = 0;
	for (size_t i = 0; i < s->longs.count; i++) {
		const char *row = s->longs.items[i];
		size_t whole = strcspn(row, ":");
		if (strncmp(row, name, len) != 0 || len > whole)
			continue;
		if (whole == len)
			return row;
		begins = row;
		count++;
	}
	return count == 1 ? begins : NULL;
}

static void take_long(struct tool_run *r, struct getopt *s, size_t *at)
{
	const char *name = r->argv.items[*at] + 2, *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const char *row = long_row(s, name, len);
	if (!row) {
		complain(r, s, "unrecognized option '--", name, len);
		return;
	}
	size_t whole = strcspn(row, ":");
	kt_buf_addf(&s->out, " --%.*s", (int)whole, row);
	if (!row[whole]) {
		if (equals)
			complain(r, s, "option doesn't allow an argument -- '", name, len);
	} else if (equals || row[whole + 1]) {
		add_quoted(s, equals ? equals + 1 : "");
	} else if (*at + 1 < r->argv.count) {
		add_quoted(s, r->argv.items[++*at]);
	} else {
		complain(r, s, "option requires an argument -- '", name, len);
	}
}

static void take_letters(struct tool_run *r, struct getopt *s, size_t *at)
{
	for (const char *c = r->argv.items[*at] + 1; *c; c++) {
		const char *found = *c == ':' ? NULL : strchr(s->letters, *c);
		if (!found) {
			complain(r, s, "invalid option -- '", c, 1);
			continue;
		}
		kt_buf_addf(&s->out, " -%c", *c);
		if (found[1] != ':')
			continue;
		if (c[1] || found[2] == ':')
			add_quoted(s, c + 1);
		else if (*at + 1 < r->argv.count)
			add_quoted(s, r->argv.items[++*at]);
		else
			complain(r, s, "option requires an argument -- '", c, 1);
		return;
	}
}

static void add_names(struct kt_strs *out, const char *value)
{
	size_t len;
	for (const char *piece; value && (piece = kt_split(&value, ',', &len));) {
		char *name = kt_strndup(piece, len);
		kt_strs_add(out, name);
		kt_free(name);
	}
}

/* getopt [-o LETTERS] [-l NAMES] [-n NAME] [-q] -- WORD…, or getopt LETTERS WORD… */
static int run_getopt(struct tool_run *r)
{
	struct getopt s = {0};
	size_t at = 1, in = 0;
	const char *value;
	bool old = r->argv.count > 1 && r->argv.items[1][0] != '-';
	s.plain = old;
	for (int option; !old && (option = tool_option(r, &at, &in, "+o:l:n:qQus:Ta", &value));) {
		if (option == '?')
			return 2;
		if (option == 'T')
			return 4;
		s.letters = option == 'o' ? value : s.letters;
		s.name = option == 'n' ? value : s.name;
		s.quiet = s.quiet || option == 'q';
		s.plain = s.plain || option == 'u';
		if (option == 'l')
			add_names(&s.longs, value);
		const char *equals = option == '-' ? strchr(value, '=') : NULL;
		bool takes =
		        option == '-' && !equals && at < r->argv.count &&
		        (kt_starts(value, "opt") || kt_starts(value, "long") || kt_starts(value, "name"));
		const char *own = equals ? equals + 1 : (takes ? r->argv.items[at++] : NULL);
		if (option == '-' && own && kt_starts(value, "long"))
			add_names(&s.longs, own);
		else if (option == '-' && own && kt_starts(value, "opt"))
			s.letters = own;
		else if (option == '-' && own)
			s.name = own;
	}
	if (!s.letters && at < r->argv.count)
		s.letters = r->argv.items[at++];
	if (!s.letters)
		return tool_fail(r, 2, "missing optstring argument");
	for (bool ended = false; at < r->argv.count; at++) {
		const char *word = r->argv.items[at];
		if (!ended && !strcmp(word, "--"))
			ended = true;
		else if (!ended && word[0] == '-' && word[1] == '-')
			take_long(r, &s, &at);
		else if (!ended && word[0] == '-' && word[1])
			take_letters(r, &s, &at);
		else
			kt_strs_add(&s.rest, word);
	}
	kt_buf_adds(&s.out, " --");
	for (size_t i = 0; i < s.rest.count; i++)
		add_quoted(&s, s.rest.items[i]);
	tool_outf(r, "%s\n", kt_buf_str(&s.out));
	kt_buf_clear(&s.out);
	kt_strs_clear(&s.longs);
	kt_strs_clear(&s.rest);
	return s.status;
}

const struct tool tools_getopt[] = {
        {.name = "getopt", .sets = "busybox debian", .run = run_getopt},
        {.name = NULL},
};

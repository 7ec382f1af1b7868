/* SPDX-License-Identifier: MIT */
/* Words: quotes, $, and what stands in ${ }. */
#include "cluster/kubelet/shell/parse.h"
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <string.h>

struct parts {
	struct sh_part *first, **tail;
	struct kt_buf text;
	bool quoted, any_quotes;
};

static struct sh_part *part_add(struct parser *p, struct parts *parts, enum sh_part_kind kind, bool quoted)
{
	struct sh_part *part = parse_make(p, sizeof(*part));
	part->kind = kind;
	part->quoted = quoted;
	*parts->tail = part;
	parts->tail = &part->next;
	return part;
}

static void part_flush(struct parser *p, struct parts *parts, bool even_empty)
{
	if (!parts->text.len && !even_empty)
		return;
	struct sh_part *part = part_add(p, parts, PART_TEXT, parts->quoted);
	part->text = kt_arena_strdup(p->arena, kt_buf_str(&parts->text));
	kt_buf_clear(&parts->text);
}

static void part_quote(struct parser *p, struct parts *parts, bool quoted)
{
	if (parts->quoted != quoted) {
		part_flush(p, parts, false);
		parts->quoted = quoted;
	}
}

bool parse_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

bool parse_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void parse_parts(struct parser *p, struct parts *parts, const char *stop, bool in_double);

struct sh_word *parse_until(struct parser *p, const char *stop, bool in_double)
{
	struct parts parts = {.tail = &parts.first, .quoted = in_double};
	parse_parts(p, &parts, stop, in_double);
	part_flush(p, &parts, false);
	kt_buf_clear(&parts.text);
	struct sh_word *word = parse_make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

void parse_expect(struct parser *p, char c, const char *what)
{
	if (p->state != SH_PARSED)
		return;
	if (parse_peek(p, 0) == c && p->at < p->end)
		p->at++;
	else
		parse_fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, what);
}

/* ${a[INDEX]}, ${a[@]}, ${a[*]} */
static void parse_index(struct parser *p, struct sh_part *part)
{
	p->at++;
	char c = parse_peek(p, 0);
	if ((c == '@' || c == '*') && parse_peek(p, 1) == ']') {
		part->each = c;
		p->at++;
	} else {
		part->index = parse_until(p, "]", false);
	}
	parse_expect(p, ']', "bad substitution");
}

static void parse_brace(struct parser *p, struct parts *parts, bool quoted)
{
	struct sh_part *part = part_add(p, parts, PART_PARAM, quoted);
	if (parse_peek(p, 0) == '#' && parse_peek(p, 1) != '}') {
		memcpy(part->op, "len", 4);
		p->at++;
	} else if (p->flavour == FLAVOUR_BASH && parse_peek(p, 0) == '!' &&
	           parse_name_start(parse_peek(p, 1))) {
		part->keys = true;
		p->at++;
	}
	const char *from = p->at;
	if (parse_name_start(parse_peek(p, 0))) {
		while (parse_more(p) && parse_name_char(*p->at))
			p->at++;
	} else if (isdigit((unsigned char)parse_peek(p, 0))) {
		while (parse_more(p) && isdigit((unsigned char)*p->at))
			p->at++;
	} else if (p->at < p->end && strchr("@*#?-$!", *p->at)) {
		p->at++;
	}
	if (p->at == from) {
		parse_fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, "bad substitution");
		return;
	}
	char *name = kt_strndup(from, (size_t)(p->at - from));
	part->text = kt_arena_strdup(p->arena, name);
	kt_free(name);
	if (p->flavour == FLAVOUR_BASH && parse_peek(p, 0) == '[')
		parse_index(p, part);
	if (parse_peek(p, 0) != '}' && !part->op[0]) {
		/* the first four are bash's */
		static const char *const ops[] = {"^^", ",,", "^", ",", ":-", ":=", ":?", ":+", "##", "%%",
		                                  "//", "-",  "=", "?", "+",  "#",  "%",  "/",  ":"};
		size_t i = p->flavour == FLAVOUR_BASH ? 0 : 4;
		while (i < KT_COUNT(ops) && !(strlen(ops[i]) <= (size_t)(p->end - p->at) &&
		                              !strncmp(p->at, ops[i], strlen(ops[i]))))
			i++;
		if (i == KT_COUNT(ops)) {
			parse_fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, "bad substitution");
			return;
		}
		memcpy(part->op, ops[i], strlen(ops[i]) + 1);
		p->at += strlen(ops[i]);
		bool pattern = strchr("#%/", part->op[0]) != NULL;
		part->word = parse_until(p, part->op[0] == '/' ? "/}" : "}", quoted && !pattern);
		if (part->op[0] == '/' && parse_peek(p, 0) == '/') {
			p->at++;
			part->with = parse_until(p, "}", quoted);
		}
	}
	parse_expect(p, '}', "bad substitution");
}

/* $'…': escapes as in C. */
static void parse_escaped(struct parser *p, struct parts *parts)
{
	const char *at = ++p->at;
	while (at < p->end && *at != '\'')
		at += 1 + (*at == '\\' && at + 1 < p->end);
	if (at >= p->end) {
		parse_fail(p, SH_INCOMPLETE, "unterminated quoted string");
		return;
	}
	bool stop = false;
	struct kt_buf raw = {0};
	for (const char *c = p->at; c < at; c++) {
		if (*c == '\\' && c[1] != '\'')
			kt_buf_addc(&raw, *c++);
		else if (*c == '\\')
			c++;
		kt_buf_addc(&raw, *c);
	}
	part_quote(p, parts, true);
	unescape(kt_buf_str(&raw), raw.len, true, &parts->text, &stop);
	kt_buf_clear(&raw);
	part_flush(p, parts, true);
	p->at = at + 1;
	part_quote(p, parts, false);
}

static void parse_dollar(struct parser *p, struct parts *parts, bool quoted)
{
	char c = parse_peek(p, 1);
	if (c == '(' && parse_peek(p, 2) == '(') {
		/* arithmetic, unless it turns out as a command in two parentheses */
		part_flush(p, parts, false);
		p->at += 3;
		struct sh_part *part = part_add(p, parts, PART_ARITH, quoted);
		part->word = parse_until(p, "))", true);
		if (p->state == SH_PARSED && p->end - p->at >= 2)
			p->at += 2;
		else
			parse_fail(p, SH_INCOMPLETE, "missing '))'");
	} else if (c == '(') {
		part_flush(p, parts, false);
		p->at += 2;
		struct sh_part *part = part_add(p, parts, PART_COMMAND, quoted);
		static const char *const stop[] = {")", NULL};
		part->command = parse_list(p, stop);
		parse_expect(p, ')', "missing ')'");
	} else if (c == '{') {
		part_flush(p, parts, false);
		p->at += 2;
		parse_brace(p, parts, quoted);
	} else if (c == '\'' && !quoted && p->flavour != FLAVOUR_DASH) {
		p->at++;
		parse_escaped(p, parts);
	} else if (parse_name_start(c) || isdigit((unsigned char)c) || (c && strchr("@*#?-$!", c))) {
		part_flush(p, parts, false);
		const char *from = ++p->at;
		p->at++;
		while (parse_name_start(*from) && p->at < p->end && parse_name_char(*p->at))
			p->at++;
		struct sh_part *part = part_add(p, parts, PART_PARAM, quoted);
		char *name = kt_strndup(from, (size_t)(p->at - from));
		part->text = kt_arena_strdup(p->arena, name);
		kt_free(name);
	} else {
		kt_buf_addc(&parts->text, '$');
		p->at++;
	}
}

/* `…`: backslashes before $, ` and \ go, then it is parsed as a text of its own. */
static void parse_backticks(struct parser *p, struct parts *parts, bool quoted)
{
	struct kt_buf text = {0};
	part_flush(p, parts, false);
	p->at++;
	while (parse_more(p) && *p->at != '`') {
		if (*p->at == '\\' && p->at + 1 < p->end &&
		    (strchr("$`\\", p->at[1]) || (quoted && p->at[1] == '"')))
			p->at++;
		kt_buf_addc(&text, *p->at++);
	}
	if (p->at >= p->end) {
		parse_fail(p, SH_INCOMPLETE, "EOF in backquote substitution");
	} else {
		p->at++;
		const char *kept = kt_arena_strdup(p->arena, kt_buf_str(&text));
		struct parser inner = *p;
		inner.at = kept;
		inner.end = kept + strlen(kept);
		inner.here = NULL;
		struct sh_part *part = part_add(p, parts, PART_COMMAND, quoted);
		static const char *const none[] = {NULL};
		part->command = parse_list(&inner, none);
		p->nodes = inner.nodes;
		if (inner.state == SH_INCOMPLETE)
			inner.state = SH_SYNTAX;
		if (inner.state == SH_PARSED && inner.at < inner.end)
			parse_unexpected(&inner);
		p->state = inner.state;
	}
	kt_buf_clear(&text);
}

static void parse_double(struct parser *p, struct parts *parts)
{
	part_quote(p, parts, true);
	size_t before = parts->text.len;
	struct sh_part **tail = parts->tail;
	p->at++;
	parse_parts(p, parts, "\"", true);
	parse_expect(p, '"', "unterminated quoted string");
	if (parts->text.len == before && parts->tail == tail)
		part_flush(p, parts, true);
	part_quote(p, parts, false);
}

static void parse_single(struct parser *p, struct parts *parts)
{
	const char *end = memchr(p->at + 1, '\'', (size_t)(p->end - p->at - 1));
	if (!end) {
		parse_fail(p, SH_INCOMPLETE, "unterminated quoted string");
		return;
	}
	part_quote(p, parts, true);
	for (const char *c = p->at + 1; c < end; c++)
		p->line += *c == '\n';
	kt_buf_add(&parts->text, p->at + 1, (size_t)(end - p->at - 1));
	part_flush(p, parts, true);
	p->at = end + 1;
	part_quote(p, parts, false);
}

static bool stops(const struct parser *p, const char *stop, unsigned parens)
{
	if (!strcmp(stop, "))"))
		return !parens && *p->at == ')' && parse_peek(p, 1) == ')';
	return strchr(stop, *p->at) != NULL;
}

/* Up to a character of `stop` (not taken); NULL stops at a word's end. In double quotes only $, ` and \ are
 * special. */
static void parse_parts(struct parser *p, struct parts *parts, const char *stop, bool in_double)
{
	unsigned parens = 0;
	if (++p->depth > MAX_NESTING)
		parse_fail(p, SH_SYNTAX, "nesting too deep");
	while (parse_more(p)) {
		char c = *p->at;
		if (stop ? stops(p, stop, parens) : strchr(" \t\n;&|()<>\r", c) != NULL)
			break;
		if (c == '\n')
			p->line++;
		if (stop && !strcmp(stop, "))")) {
			parens += c == '(';
			parens -= c == ')' && parens;
		}
		if (c == '\\') {
			char n = parse_peek(p, 1);
			if (p->at + 1 >= p->end) {
				kt_buf_addc(&parts->text, '\\');
				p->at++;
			} else if (n == '\n') {
				p->at += 2;
				p->line++;
			} else if (in_double && !strchr("$`\"\\", n) && !(stop && n == stop[0] && n == '}')) {
				kt_buf_addc(&parts->text, '\\');
				p->at++;
			} else {
				part_quote(p, parts, true);
				kt_buf_addc(&parts->text, n);
				p->at += 2;
				part_quote(p, parts, in_double);
			}
		} else if (c == '$') {
			parse_dollar(p, parts, in_double);
		} else if (c == '`') {
			parse_backticks(p, parts, in_double);
		} else if (c == '"' && !(in_double && stop && strcmp(stop, "\"") == 0)) {
			if (in_double && stop && stop[0] != '}' && stop[0] != '/') {
				kt_buf_addc(&parts->text, c);
				p->at++;
			} else {
				parse_double(p, parts);
				part_quote(p, parts, in_double);
			}
		} else if (c == '\'' && !in_double) {
			parse_single(p, parts);
		} else {
			kt_buf_addc(&parts->text, c);
			p->at++;
		}
	}
	p->depth--;
}

struct sh_word *parse_word(struct parser *p)
{
	const char *from = p->at;
	struct parts parts = {.tail = &parts.first};
	parse_parts(p, &parts, NULL, false);
	part_flush(p, &parts, false);
	kt_buf_clear(&parts.text);
	if (p->at == from)
		return NULL;
	struct sh_word *word = parse_make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

struct sh_word *parse_document(struct parser *p, const char *text, size_t len, bool quoted)
{
	struct sh_word *word;
	if (quoted) {
		word = parse_make(p, sizeof(*word));
		word->parts = parse_make(p, sizeof(*word->parts));
		word->parts->quoted = true;
		word->parts->text = kt_arena_strdup(p->arena, text);
		return word;
	}
	char *kept = kt_arena_alloc(p->arena, len + 1);
	memcpy(kept, text, len);
	struct parser inner = *p;
	inner.at = kept;
	inner.end = kept + len;
	inner.here = NULL;
	struct parts parts = {.tail = &parts.first, .quoted = true};
	parse_parts(&inner, &parts, "", true);
	part_flush(&inner, &parts, false);
	kt_buf_clear(&parts.text);
	p->nodes = inner.nodes;
	p->state = inner.state;
	word = parse_make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

struct sh_word *parse_words(struct parser *p)
{
	const char *from = p->at;
	struct sh_word *word = parse_word(p), **tail = &word;
	struct kt_strs all = {0};
	if (!word || p->flavour != FLAVOUR_BASH || !memchr(from, '{', (size_t)(p->at - from)))
		return word;
	braces_expand(from, (size_t)(p->at - from), &all);
	for (size_t i = 0; all.count > 1 && i < all.count; i++) {
		struct parser inner = *p;
		inner.at = kt_arena_strdup(p->arena, all.items[i]);
		inner.end = inner.at + strlen(inner.at);
		inner.here = NULL;
		*tail = parse_word(&inner);
		p->nodes = inner.nodes;
		tail = *tail ? &(*tail)->next : tail;
	}
	kt_strs_clear(&all);
	return word;
}

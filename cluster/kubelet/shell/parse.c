/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"
#include "cluster/kubelet/shell/syntax.h"

#include <ctype.h>
#include <string.h>

/* Recursive descent over the characters. `complete` is false when the text ended inside something. */
struct here {
	struct here *next;
	struct sh_redirect *redirect;
	char *end;
	bool quoted, tabs;
};
struct parser {
	const char *at, *end;
	struct kt_arena *arena;
	struct here *here;  /* documents whose text comes after this line */
	bool open_document; /* the text ended before one of them did */
	unsigned line, depth, nodes;
	enum flavour flavour;
	enum sh_parse state;
	char *message;
};
enum { MAX_NESTING = 120, MAX_NODES = 200000, SUM_MAX = 200 };
static const size_t MAX_TEXT = 4u << 20;

static struct sh_node *parse_list(struct parser *p, const char *const *stop);
static struct sh_word *parse_word(struct parser *p);

static void fail(struct parser *p, enum sh_parse state, const char *what)
{
	if (p->state != SH_PARSED)
		return;
	p->state = state;
	size_t len = KT_MIN(strlen(what), (size_t)255);
	memcpy(p->message, what, len);
	p->message[len] = '\0';
}

static void unexpected(struct parser *p)
{
	if (p->at >= p->end) {
		fail(p, SH_INCOMPLETE, "unexpected end of file");
		return;
	}
	size_t len = 0;
	const char *at = p->at;
	if (*at == '\n') {
		fail(p, SH_SYNTAX, "unexpected newline");
		return;
	}
	if (strchr(";&|()<>", *at)) {
		len = at + 1 < p->end && at[1] == *at ? 2 : 1;
	} else {
		while (at + len < p->end && len < 40 && !strchr(" \t\n;&|()<>", at[len]))
			len++;
		if (!len)
			len = 1;
	}
	char text[80] = "unexpected \"";
	size_t n = strlen(text);
	memcpy(text + n, at, len);
	memcpy(text + n + len, "\"", 2);
	fail(p, SH_SYNTAX, text);
}

static bool more(const struct parser *p)
{
	return p->state == SH_PARSED && p->at < p->end;
}

static char peek(const struct parser *p, size_t ahead)
{
	return p->at + ahead < p->end ? p->at[ahead] : '\0';
}

static void *make(struct parser *p, size_t size)
{
	if (++p->nodes > MAX_NODES)
		fail(p, SH_SYNTAX, "script too large");
	return kt_arena_alloc(p->arena, size);
}

static struct sh_node *node_new(struct parser *p, enum sh_kind kind)
{
	struct sh_node *node = make(p, sizeof(*node));
	node->kind = kind;
	node->line = p->line;
	return node;
}

static void node_add(struct sh_node *parent, struct sh_node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->children = child;
	parent->last = child;
}

/* The text of a here-document starts after the line's end. */
/* A word of a command, or what bash's braces make of it. */
static struct sh_word *parse_words(struct parser *p)
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

static struct sh_word *document_word(struct parser *p, const char *text, size_t len, bool quoted);
static void read_documents(struct parser *p)
{
	while (p->here && p->state == SH_PARSED) {
		struct here *here = p->here;
		p->here = here->next;
		struct kt_buf text = {0};
		bool found = false;
		while (p->at < p->end && !found) {
			const char *eol = memchr(p->at, '\n', (size_t)(p->end - p->at));
			const char *stop = eol ? eol : p->end;
			const char *from = p->at;
			while (here->tabs && from < stop && *from == '\t')
				from++;
			size_t len = (size_t)(stop - from);
			p->at = eol ? eol + 1 : p->end;
			p->line++;
			if (len == strlen(here->end) && !memcmp(from, here->end, len)) {
				found = true;
			} else {
				kt_buf_add(&text, from, len);
				kt_buf_addc(&text, '\n');
			}
		}
		p->open_document = p->open_document || !found;
		here->redirect->word = document_word(p, kt_buf_str(&text), text.len, here->quoted);
		kt_buf_clear(&text);
	}
}

static void newline(struct parser *p)
{
	p->at++;
	p->line++;
	read_documents(p);
}

static void skip_blanks(struct parser *p)
{
	while (more(p)) {
		if (*p->at == ' ' || *p->at == '\t' || *p->at == '\r') {
			p->at++;
		} else if (*p->at == '\\' && peek(p, 1) == '\n') {
			p->at += 2;
			p->line++;
		} else if (*p->at == '#') {
			while (p->at < p->end && *p->at != '\n')
				p->at++;
		} else {
			break;
		}
	}
}

static void skip_lines(struct parser *p)
{
	for (skip_blanks(p); more(p) && *p->at == '\n'; skip_blanks(p))
		newline(p);
}

/* --- words --- */
struct parts {
	struct sh_part *first, **tail;
	struct kt_buf text;
	bool quoted, any_quotes;
};

static struct sh_part *part_add(struct parser *p, struct parts *parts, enum sh_part_kind kind, bool quoted)
{
	struct sh_part *part = make(p, sizeof(*part));
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

static bool name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Text up to the matching closer, nested as it comes. */
static void parse_parts(struct parser *p, struct parts *parts, const char *stop, bool in_double);

static struct sh_word *word_until(struct parser *p, const char *stop, bool in_double)
{
	struct parts parts = {.tail = &parts.first, .quoted = in_double};
	parse_parts(p, &parts, stop, in_double);
	part_flush(p, &parts, false);
	kt_buf_clear(&parts.text);
	struct sh_word *word = make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

static void expect(struct parser *p, char c, const char *what)
{
	if (p->state != SH_PARSED)
		return;
	if (peek(p, 0) == c && p->at < p->end)
		p->at++;
	else
		fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, what);
}

static void parse_brace(struct parser *p, struct parts *parts, bool quoted)
{
	struct sh_part *part = part_add(p, parts, PART_PARAM, quoted);
	if (peek(p, 0) == '#' && peek(p, 1) != '}') {
		memcpy(part->op, "len", 4);
		p->at++;
	}
	const char *from = p->at;
	if (name_start(peek(p, 0))) {
		while (more(p) && name_char(*p->at))
			p->at++;
	} else if (isdigit((unsigned char)peek(p, 0))) {
		while (more(p) && isdigit((unsigned char)*p->at))
			p->at++;
	} else if (p->at < p->end && strchr("@*#?-$!", *p->at)) {
		p->at++;
	}
	if (p->at == from) {
		fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, "bad substitution");
		return;
	}
	char *name = kt_strndup(from, (size_t)(p->at - from));
	part->text = kt_arena_strdup(p->arena, name);
	kt_free(name);
	if (peek(p, 0) != '}' && !part->op[0]) {
		static const char *const ops[] = {":-", ":=", ":?", ":+", "##", "%%", "//", "-",
		                                  "=",  "?",  "+",  "#",  "%",  "/",  ":"};
		size_t i = 0;
		while (i < KT_COUNT(ops) && !(strlen(ops[i]) <= (size_t)(p->end - p->at) &&
		                              !strncmp(p->at, ops[i], strlen(ops[i]))))
			i++;
		if (i == KT_COUNT(ops)) {
			fail(p, p->at >= p->end ? SH_INCOMPLETE : SH_SYNTAX, "bad substitution");
			return;
		}
		memcpy(part->op, ops[i], strlen(ops[i]) + 1);
		p->at += strlen(ops[i]);
		bool pattern = strchr("#%/", part->op[0]) != NULL;
		part->word = word_until(p, part->op[0] == '/' ? "/}" : "}", quoted && !pattern);
		if (part->op[0] == '/' && peek(p, 0) == '/') {
			p->at++;
			part->with = word_until(p, "}", quoted);
		}
	}
	expect(p, '}', "bad substitution");
}

/* $'…': escapes as in C. */
static void parse_escaped(struct parser *p, struct parts *parts)
{
	const char *at = ++p->at;
	while (at < p->end && *at != '\'')
		at += 1 + (*at == '\\' && at + 1 < p->end);
	if (at >= p->end) {
		fail(p, SH_INCOMPLETE, "unterminated quoted string");
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
	char c = peek(p, 1);
	if (c == '(' && peek(p, 2) == '(') {
		/* arithmetic, unless it turns out as a command in two parentheses */
		part_flush(p, parts, false);
		p->at += 3;
		struct sh_part *part = part_add(p, parts, PART_ARITH, quoted);
		part->word = word_until(p, "))", true);
		if (p->state == SH_PARSED && p->end - p->at >= 2)
			p->at += 2;
		else
			fail(p, SH_INCOMPLETE, "missing '))'");
	} else if (c == '(') {
		part_flush(p, parts, false);
		p->at += 2;
		struct sh_part *part = part_add(p, parts, PART_COMMAND, quoted);
		static const char *const stop[] = {")", NULL};
		part->command = parse_list(p, stop);
		expect(p, ')', "missing ')'");
	} else if (c == '{') {
		part_flush(p, parts, false);
		p->at += 2;
		parse_brace(p, parts, quoted);
	} else if (c == '\'' && !quoted && p->flavour != FLAVOUR_DASH) {
		p->at++;
		parse_escaped(p, parts);
	} else if (name_start(c) || isdigit((unsigned char)c) || (c && strchr("@*#?-$!", c))) {
		part_flush(p, parts, false);
		const char *from = ++p->at;
		p->at++;
		while (name_start(*from) && p->at < p->end && name_char(*p->at))
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
	while (more(p) && *p->at != '`') {
		if (*p->at == '\\' && p->at + 1 < p->end &&
		    (strchr("$`\\", p->at[1]) || (quoted && p->at[1] == '"')))
			p->at++;
		kt_buf_addc(&text, *p->at++);
	}
	if (p->at >= p->end) {
		fail(p, SH_INCOMPLETE, "EOF in backquote substitution");
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
			unexpected(&inner);
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
	expect(p, '"', "unterminated quoted string");
	if (parts->text.len == before && parts->tail == tail)
		part_flush(p, parts, true);
	part_quote(p, parts, false);
}

static void parse_single(struct parser *p, struct parts *parts)
{
	const char *end = memchr(p->at + 1, '\'', (size_t)(p->end - p->at - 1));
	if (!end) {
		fail(p, SH_INCOMPLETE, "unterminated quoted string");
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
		return !parens && *p->at == ')' && peek(p, 1) == ')';
	return strchr(stop, *p->at) != NULL;
}

/* Up to a character of `stop` (not taken); NULL stops at a word's end. In double quotes only $, ` and \ are
 * special. */
static void parse_parts(struct parser *p, struct parts *parts, const char *stop, bool in_double)
{
	unsigned parens = 0;
	if (++p->depth > MAX_NESTING)
		fail(p, SH_SYNTAX, "nesting too deep");
	while (more(p)) {
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
			char n = peek(p, 1);
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

static struct sh_word *parse_word(struct parser *p)
{
	const char *from = p->at;
	struct parts parts = {.tail = &parts.first};
	parse_parts(p, &parts, NULL, false);
	part_flush(p, &parts, false);
	kt_buf_clear(&parts.text);
	if (p->at == from)
		return NULL;
	struct sh_word *word = make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

static struct sh_word *document_word(struct parser *p, const char *text, size_t len, bool quoted)
{
	struct sh_word *word;
	if (quoted) {
		word = make(p, sizeof(*word));
		word->parts = make(p, sizeof(*word->parts));
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
	word = make(p, sizeof(*word));
	word->parts = parts.first;
	return word;
}

/* --- commands --- */
/* A reserved word stands here, whole. */
static bool at_word(const struct parser *p, const char *word)
{
	size_t len = strlen(word);
	if ((size_t)(p->end - p->at) < len || strncmp(p->at, word, len) != 0)
		return false;
	return p->at + len == p->end || strchr(" \t\n\r;&|()<>", p->at[len]) != NULL;
}

static bool take_word(struct parser *p, const char *word)
{
	if (p->state != SH_PARSED || !at_word(p, word))
		return false;
	p->at += strlen(word);
	return true;
}

static void need_word(struct parser *p, const char *word)
{
	skip_lines(p);
	if (!take_word(p, word))
		unexpected(p);
}

static bool at_stop(const struct parser *p, const char *const *stop)
{
	for (; *stop; stop++) {
		if (**stop == ')' ? *p->at == ')'
		                  : (**stop == ';' ? *p->at == ';' && peek(p, 1) == ';' : at_word(p, *stop)))
			return true;
	}
	return false;
}

static bool parse_redirect(struct parser *p, struct sh_node *node)
{
	const char *at = p->at;
	int fd = -1;
	if (at + 1 < p->end && isdigit((unsigned char)*at) && strchr("<>", at[1])) {
		fd = *at - '0';
		at++;
	}
	if (at >= p->end || !strchr("<>", *at))
		return false;
	static const char *const ops[] = {"<<-", "<<<", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"};
	size_t i = 0;
	while ((size_t)(p->end - at) < strlen(ops[i]) || strncmp(at, ops[i], strlen(ops[i])))
		i++;
	struct sh_redirect *redirect = make(p, sizeof(*redirect)), **tail = &node->redirects;
	if (!strcmp(ops[i], "<<<") && p->flavour != FLAVOUR_BASH) {
		fail(p, SH_SYNTAX,
		     p->flavour == FLAVOUR_DASH ? "redirection unexpected" : "unexpected redirection");
		return true;
	}
	memcpy(redirect->op, ops[i], strlen(ops[i]) + 1);
	redirect->fd = fd >= 0 ? fd : (*at == '>' ? 1 : 0);
	p->at = at + strlen(ops[i]);
	skip_blanks(p);
	const char *from = p->at;
	redirect->word = parse_word(p);
	if (!redirect->word) {
		unexpected(p);
		return true;
	}
	if (!strncmp(redirect->op, "<<", 2) && redirect->op[2] != '<') {
		struct here *here = make(p, sizeof(*here)), **last = &p->here;
		struct kt_buf end = {0};
		for (const char *c = from; c < p->at; c++) {
			if (strchr("'\"\\", *c))
				here->quoted = true;
			else
				kt_buf_addc(&end, *c);
		}
		here->end = kt_arena_strdup(p->arena, kt_buf_str(&end));
		kt_buf_clear(&end);
		here->tabs = redirect->op[2] == '-';
		here->redirect = redirect;
		while (*last)
			last = &(*last)->next;
		*last = here;
		redirect->op[2] = '\0';
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = redirect;
	return true;
}

/* NAME=…: the name becomes a part of its own. */
static bool is_assignment(const struct parser *p)
{
	const char *at = p->at;
	if (at >= p->end || !name_start(*at))
		return false;
	while (at < p->end && name_char(*at))
		at++;
	return at < p->end && *at == '=';
}

static struct sh_word *parse_assignment(struct parser *p)
{
	const char *from = p->at;
	while (*p->at != '=')
		p->at++;
	struct sh_part *name = make(p, sizeof(*name));
	char *text = kt_strndup(from, (size_t)(p->at - from));
	name->text = kt_arena_strdup(p->arena, text);
	kt_free(text);
	p->at++;
	struct sh_word *value = parse_word(p), *word = make(p, sizeof(*word));
	name->next = value ? value->parts : NULL;
	word->parts = name;
	return word;
}

static struct sh_node *parse_compound(struct parser *p);

static struct sh_word *literal(struct parser *p, const char *text)
{
	struct sh_word *word = make(p, sizeof(*word));
	word->parts = make(p, sizeof(*word->parts));
	word->parts->quoted = true;
	word->parts->text = kt_arena_strdup(p->arena, text);
	return word;
}

/* What no command line takes as a word, but [[ does. NULL: none of them. */
static struct sh_word *parse_operator(struct parser *p)
{
	static const struct {
		const char *text, *meant;
	} operators[] = {{"&&", "-a"}, {"||", "-o"}, {"(", "("},     {")", ")"},
	                 {"<", "<"},   {">", ">"},   {"!= ", "!=="}, {"= ", "=="}};
	for (size_t i = 0; i < KT_COUNT(operators); i++) {
		size_t len = strlen(operators[i].text);
		if ((size_t)(p->end - p->at) < len || strncmp(p->at, operators[i].text, len) != 0)
			continue;
		p->at += len;
		return literal(p, operators[i].meant);
	}
	return NULL;
}

/* [[ … ]]: && and || stand in it, nothing is split into words, a regular expression goes to the next blank.
 */
static void parse_double_test(struct parser *p, struct sh_word **words)
{
	bool matches = false;
	for (skip_lines(p); more(p); skip_lines(p)) {
		const char *from = p->at;
		struct sh_word *word = matches ? NULL : parse_operator(p);
		bool is_operator = word != NULL;
		if (!word)
			word = matches ? word_until(p, " \t\n", false) : parse_word(p);
		size_t len = (size_t)(p->at - from);
		if (!word || !len) {
			unexpected(p);
			return;
		}
		for (struct sh_part *part = is_operator ? NULL : word->parts; part; part = part->next)
			part->quoted = true; /* neither split nor taken for names of files */
		*words = word;
		words = &word->next;
		matches = len == 2 && !strncmp(from, "=~", 2);
		if (len == 2 && !strncmp(from, "]]", 2))
			return;
	}
	unexpected(p);
}

/* One word of a sum; its words are those of `((`. */
static struct sh_node *sum_command(struct parser *p, struct sh_word *sum)
{
	struct sh_node *node = node_new(p, SH_SIMPLE);
	for (struct sh_part *part = sum->parts; part; part = part->next)
		part->quoted = true;
	node->words = literal(p, "((");
	node->words->next = sum;
	return node;
}

/* Is it (( SUM )), not a subshell in a subshell? */
static bool at_sum(const struct parser *p)
{
	unsigned depth = 0;
	if (p->end - p->at < 4 || p->at[0] != '(' || p->at[1] != '(')
		return false;
	for (const char *c = p->at + 2; c + 1 < p->end; c++) {
		if (*c == '(')
			depth++;
		else if (*c == ')' && depth)
			depth--;
		else if (*c == ')')
			return c[1] == ')';
	}
	return false;
}

static struct sh_node *parse_sum(struct parser *p)
{
	p->at += 2;
	struct sh_word *sum = word_until(p, "))", true);
	if (p->state == SH_PARSED)
		p->at += 2;
	return sum && sum->parts ? sum_command(p, sum) : NULL;
}

static struct sh_node *parse_simple(struct parser *p)
{
	struct sh_node *node = node_new(p, SH_SIMPLE);
	struct sh_word **words = &node->words, **assigns = &node->assigns;
	bool any = false;
	for (skip_blanks(p); more(p); skip_blanks(p)) {
		if (parse_redirect(p, node)) {
			any = true;
			continue;
		}
		if (!node->words && is_assignment(p)) {
			*assigns = parse_assignment(p);
			assigns = &(*assigns)->next;
			any = true;
			continue;
		}
		const char *from = p->at;
		struct sh_word *word = parse_words(p);
		if (!word)
			break;
		*words = word;
		while (*words)
			words = &(*words)->next;
		any = true;
		size_t len = (size_t)(p->at - from);
		if (node->words == word && len == 2 && !strncmp(from, "[[", 2)) {
			parse_double_test(p, words);
			while (*words)
				words = &(*words)->next;
			continue;
		}
		/* NAME () compound-command */
		bool plain = node->words == word && !node->assigns && !node->redirects && name_start(*from);
		for (size_t i = 0; plain && i < len; i++)
			plain = name_char(from[i]) || from[i] == '-' || from[i] == '.';
		skip_blanks(p);
		if (plain && peek(p, 0) == '(' && p->at < p->end) {
			p->at++;
			skip_blanks(p);
			expect(p, ')', "bad function definition");
			skip_lines(p);
			node->kind = SH_FUNCTION;
			char *name = kt_strndup(from, len);
			node->name = kt_arena_strdup(p->arena, name);
			kt_free(name);
			node->words = NULL;
			struct sh_node *body = parse_compound(p);
			if (!body)
				unexpected(p);
			else
				node_add(node, body);
			return node;
		}
	}
	if (!any)
		return NULL;
	return node;
}

static void parse_do(struct parser *p, struct sh_node *node)
{
	static const char *const done[] = {"done", NULL};
	need_word(p, "do");
	struct sh_node *body = parse_list(p, done);
	if (!body)
		unexpected(p);
	else
		node_add(node, body);
	need_word(p, "done");
}

static void parse_if(struct parser *p, struct sh_node *node)
{
	static const char *const then[] = {"then", NULL};
	static const char *const next[] = {"elif", "else", "fi", NULL};
	static const char *const fi[] = {"fi", NULL};
	bool again = true;
	while (again && p->state == SH_PARSED) {
		struct sh_node *condition = parse_list(p, then);
		if (!condition) {
			unexpected(p);
			return;
		}
		need_word(p, "then");
		struct sh_node *body = parse_list(p, next);
		if (!body) {
			unexpected(p);
			return;
		}
		node_add(node, condition);
		node_add(node, body);
		skip_lines(p);
		again = take_word(p, "elif");
	}
	if (take_word(p, "else")) {
		struct sh_node *otherwise = parse_list(p, fi);
		if (!otherwise)
			unexpected(p);
		else
			node_add(node, otherwise);
	}
	need_word(p, "fi");
}

/* for ((FIRST; WHILE; NEXT)): sums, of which the last two are one before each round, so that `continue` goes
 * through both. */
static bool parse_counting(struct parser *p, struct sh_node *list)
{
	char sum[3][SUM_MAX] = {"", "1", "0"};
	const char *at = p->at + 2;
	for (size_t i = 0; i < 3; i++) {
		size_t len = 0, depth = 0;
		while (at + len < p->end && (depth || (at[len] != ';' && at[len] != ')'))) {
			depth += at[len] == '(';
			depth -= at[len] == ')';
			len++;
		}
		if (at + len >= p->end || len >= SUM_MAX || at[len] != (i < 2 ? ';' : ')'))
			return false;
		if (strspn(at, " \t\n") < len) {
			memcpy(sum[i], at, len);
			sum[i][len] = '\0';
		}
		at += len + 1;
	}
	if (at >= p->end || *at != ')')
		return false;
	p->at = at + 1;
	char *texts[] = {kt_strf("%s%s_round%u = 0", sum[0], *sum[0] ? ", " : "", p->nodes),
	                 kt_strf("_round%u++ ? (%s) : 0, %s", p->nodes, sum[2], sum[1])};
	struct sh_node *commands[2], *loop;
	for (size_t i = 0; i < 2; i++) {
		struct parser inner = *p;
		char *kept = kt_arena_strdup(p->arena, texts[i]);
		inner.at = kept;
		inner.end = kept + strlen(kept);
		inner.here = NULL;
		struct sh_word *word = word_until(&inner, "", true);
		p->nodes = inner.nodes;
		if (inner.state != SH_PARSED || !word)
			fail(p, SH_SYNTAX, "bad for loop");
		commands[i] = word ? sum_command(p, word) : NULL;
		kt_free(texts[i]);
	}
	if (p->state != SH_PARSED)
		return true;
	loop = node_new(p, SH_WHILE);
	node_add(list, commands[0]);
	node_add(loop, commands[1]);
	node_add(list, loop);
	skip_blanks(p);
	if (peek(p, 0) == ';')
		p->at++;
	parse_do(p, loop);
	return true;
}

static void parse_for(struct parser *p, struct sh_node *node)
{
	skip_blanks(p);
	if (peek(p, 0) == '(' && peek(p, 1) == '(') {
		node->kind = SH_LIST;
		if (!parse_counting(p, node))
			unexpected(p);
		return;
	}
	const char *from = p->at;
	while (more(p) && name_char(*p->at))
		p->at++;
	if (p->at == from || isdigit((unsigned char)*from)) {
		unexpected(p);
		return;
	}
	char *name = kt_strndup(from, (size_t)(p->at - from));
	node->name = kt_arena_strdup(p->arena, name);
	kt_free(name);
	skip_blanks(p);
	skip_lines(p);
	if (take_word(p, "in")) {
		struct sh_word **tail = &node->words;
		node->has_words = true;
		for (skip_blanks(p); more(p) && (*tail = parse_words(p)); skip_blanks(p))
			while (*tail)
				tail = &(*tail)->next;
	}
	skip_blanks(p);
	if (peek(p, 0) == ';')
		p->at++;
	parse_do(p, node);
}

static void parse_case(struct parser *p, struct sh_node *node)
{
	static const char *const stop[] = {";;", "esac", NULL};
	skip_blanks(p);
	node->words = parse_word(p);
	need_word(p, "in");
	for (skip_lines(p); more(p) && !at_word(p, "esac"); skip_lines(p)) {
		struct sh_node *item = node_new(p, SH_LIST);
		struct sh_word **tail = &item->words;
		if (*p->at == '(')
			p->at++;
		do {
			skip_blanks(p);
			*tail = parse_word(p);
			if (!*tail) {
				unexpected(p);
				return;
			}
			tail = &(*tail)->next;
			skip_blanks(p);
		} while (more(p) && *p->at == '|' && p->at++);
		expect(p, ')', "expecting \")\"");
		struct sh_node *body = parse_list(p, stop);
		if (body)
			node_add(item, body);
		node_add(node, item);
		skip_lines(p);
		if (peek(p, 0) == ';' && peek(p, 1) == ';')
			p->at += 2;
	}
	need_word(p, "esac");
}

/* function NAME [()] COMPOUND, as bash has it */
static struct sh_node *parse_function(struct parser *p)
{
	struct sh_node *node = node_new(p, SH_FUNCTION);
	skip_blanks(p);
	const char *from = p->at;
	while (more(p) && (name_char(*p->at) || *p->at == '-' || *p->at == '.'))
		p->at++;
	char *name = kt_strndup(from, (size_t)(p->at - from));
	node->name = kt_arena_strdup(p->arena, name);
	kt_free(name);
	skip_blanks(p);
	if (peek(p, 0) == '(' && peek(p, 1) == ')')
		p->at += 2;
	skip_lines(p);
	struct sh_node *body = p->at > from && *node->name ? parse_compound(p) : NULL;
	if (!body)
		unexpected(p);
	else
		node_add(node, body);
	return node;
}

static struct sh_node *parse_compound(struct parser *p)
{
	static const char *const paren[] = {")", NULL}, *const brace[] = {"}", NULL},
	                         *const doing[] = {"do", NULL};
	struct sh_node *node = NULL, *body;
	skip_blanks(p);
	if (!more(p))
		return NULL;
	if (at_sum(p)) {
		node = parse_sum(p);
	} else if (*p->at == '(' || at_word(p, "{")) {
		bool sub = *p->at == '(';
		node = node_new(p, sub ? SH_SUBSHELL : SH_GROUP);
		p->at++;
		body = parse_list(p, sub ? paren : brace);
		if (!body)
			unexpected(p);
		else
			node_add(node, body);
		skip_lines(p);
		expect(p, sub ? ')' : '}', sub ? "missing ')'" : "missing '}'");
	} else if (take_word(p, "if")) {
		parse_if(p, node = node_new(p, SH_IF));
	} else if (at_word(p, "while") || at_word(p, "until")) {
		node = node_new(p, *p->at == 'w' ? SH_WHILE : SH_UNTIL);
		p->at += 5;
		body = parse_list(p, doing);
		if (!body)
			unexpected(p);
		else
			node_add(node, body);
		parse_do(p, node);
	} else if (take_word(p, "for")) {
		parse_for(p, node = node_new(p, SH_FOR));
	} else if (take_word(p, "case")) {
		parse_case(p, node = node_new(p, SH_CASE));
	} else if (take_word(p, "function")) {
		return parse_function(p);
	}
	if (!node)
		return NULL;
	for (skip_blanks(p); more(p) && parse_redirect(p, node); skip_blanks(p))
		;
	return node;
}

static struct sh_node *parse_command(struct parser *p)
{
	static const char *const reserved[] = {"then", "else", "elif", "fi", "do", "done", "esac", "}", NULL};
	if (++p->depth > MAX_NESTING) {
		fail(p, SH_SYNTAX, "nesting too deep");
		return NULL;
	}
	skip_blanks(p);
	struct sh_node *node = NULL;
	if (more(p) && !at_stop(p, reserved)) {
		node = parse_compound(p);
		if (!node && p->state == SH_PARSED)
			node = parse_simple(p);
	}
	p->depth--;
	return node;
}

static struct sh_node *parse_pipeline(struct parser *p)
{
	skip_blanks(p);
	bool negate = false;
	while (take_word(p, "!")) {
		negate = !negate;
		skip_blanks(p);
	}
	struct sh_node *first = parse_command(p);
	if (!first) {
		if (negate)
			unexpected(p);
		return NULL;
	}
	struct sh_node *result = first;
	skip_blanks(p);
	if (peek(p, 0) == '|' && peek(p, 1) != '|') {
		result = node_new(p, SH_PIPE);
		node_add(result, first);
		while (more(p) && *p->at == '|' && peek(p, 1) != '|') {
			p->at++;
			skip_lines(p);
			struct sh_node *next = parse_command(p);
			if (!next) {
				unexpected(p);
				return NULL;
			}
			node_add(result, next);
			skip_blanks(p);
		}
	}
	if (!negate)
		return result;
	struct sh_node *not = node_new(p, SH_NOT);
	node_add(not, result);
	return not ;
}

static struct sh_node *parse_and_or(struct parser *p)
{
	struct sh_node *left = parse_pipeline(p);
	for (skip_blanks(p); left && more(p); skip_blanks(p)) {
		bool and = *p->at == '&' && peek(p, 1) == '&', or = *p->at == '|' && peek(p, 1) == '|';
		if (!and&&! or)
			break;
		p->at += 2;
		skip_lines(p);
		struct sh_node *right = parse_pipeline(p), *node = node_new(p, and? SH_AND : SH_OR);
		if (!right) {
			unexpected(p);
			return NULL;
		}
		node_add(node, left);
		node_add(node, right);
		left = node;
	}
	return left;
}

/* Commands up to a word of `stop` (not taken) or the end. NULL: none. */
static struct sh_node *parse_list(struct parser *p, const char *const *stop)
{
	struct sh_node *list = NULL;
	if (++p->depth > MAX_NESTING)
		fail(p, SH_SYNTAX, "nesting too deep");
	for (skip_lines(p); more(p) && !at_stop(p, stop); skip_lines(p)) {
		struct sh_node *node = parse_and_or(p);
		if (!node) {
			if (p->state == SH_PARSED)
				unexpected(p);
			break;
		}
		if (!list)
			list = node_new(p, SH_LIST);
		node_add(list, node);
		skip_blanks(p);
		if (!more(p) || at_stop(p, stop))
			break;
		if (*p->at == '&') {
			/* marked on a wrapper, since and-or nodes may be shared by nobody else */
			node->background = true;
			p->at++;
		} else if (*p->at == ';') {
			p->at++;
		} else if (*p->at != '\n') {
			unexpected(p);
			break;
		}
	}
	p->depth--;
	return list;
}

enum sh_parse sh_parse(const char *text, size_t len, enum flavour flavour, struct sh_program **out,
                       char message[256], unsigned *line)
{
	static const char *const none[] = {NULL};
	struct sh_program *program = kt_alloc(sizeof(*program));
	program->refs = 1;
	message[0] = '\0';
	struct parser p = {.at = text,
	                   .end = text + len,
	                   .arena = &program->arena,
	                   .line = 1,
	                   .flavour = flavour,
	                   .message = message};
	if (len > MAX_TEXT)
		fail(&p, SH_SYNTAX, "script too large");
	program->root = parse_list(&p, none);
	if (p.state == SH_PARSED && p.at < p.end)
		unexpected(&p);
	if (p.state == SH_PARSED && p.here)
		read_documents(&p);
	*line = p.line;
	if (p.state != SH_PARSED) {
		sh_program_unref(program);
		return p.state;
	}
	*out = program;
	return SH_PARSED;
}

bool sh_open_document(const char *text, size_t len)
{
	static const char *const none[] = {NULL};
	char message[256];
	struct kt_arena arena = {0};
	struct parser p = {.at = text, .end = text + len, .arena = &arena, .line = 1, .message = message};
	(void)parse_list(&p, none);
	if (p.state == SH_PARSED && p.here)
		read_documents(&p);
	kt_arena_clear(&arena);
	return p.state == SH_PARSED && p.open_document;
}

struct sh_program *sh_program_ref(struct sh_program *program)
{
	if (program)
		program->refs++;
	return program;
}

void sh_program_unref(struct sh_program *program)
{
	if (!program || --program->refs)
		return;
	kt_arena_clear(&program->arena);
	kt_free(program);
}

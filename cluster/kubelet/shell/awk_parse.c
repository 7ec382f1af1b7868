/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/awk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct awk_node *expression(struct awk *s);
static struct awk_node *statement(struct awk *s);
static struct awk_node *primary(struct awk *s);
static bool starts_value(const struct awk *s);

/* --- parsing --- */
static void blanks(struct awk *s, bool lines)
{
	for (;;) {
		if (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' ||
		    (lines && (*s->at == '\n' || *s->at == ';')))
			s->at++;
		else if (*s->at == '\\' && s->at[1] == '\n')
			s->at += 2;
		else if (*s->at == '#')
			s->at += strcspn(s->at, "\n");
		else
			break;
	}
}

static struct awk_node *node(struct awk *s, enum awk_kind kind)
{
	struct awk_node *n = kt_arena_alloc(&s->arena, sizeof(*n));
	n->kind = kind;
	return n;
}

static bool take(struct awk *s, const char *text)
{
	blanks(s, false);
	size_t len = strlen(text);
	if (strncmp(s->at, text, len) != 0)
		return false;
	if (isalpha((unsigned char)*text) && (isalnum((unsigned char)s->at[len]) || s->at[len] == '_'))
		return false;
	s->at += len;
	return true;
}

static void need(struct awk *s, const char *text)
{
	if (!take(s, text))
		s->bad = true;
}

char *awk_keep(struct awk *s, const char *from, size_t len)
{
	char *text = kt_arena_alloc(&s->arena, len + 1);
	memcpy(text, from, len);
	return text;
}

static regex_t *compile(struct awk *s, const char *text)
{
	if (s->regex_count == KT_COUNT(s->regexes) || strlen(text) > 1000) {
		s->bad = true;
		return NULL;
	}
	regex_t *regex = kt_alloc(sizeof(*regex));
	if (regcomp(regex, text, REG_EXTENDED)) {
		kt_free(regex);
		s->bad = true;
		return NULL;
	}
	s->regexes[s->regex_count++] = regex;
	return regex;
}

/* i, j: one key, joined by SUBSEP. */
static struct awk_node *subscripts(struct awk *s, struct awk_node *first, const char *end)
{
	while (!s->bad && take(s, ",")) {
		struct awk_node *gap = node(s, AWK_BINARY), *both = node(s, AWK_BINARY);
		gap->op[0] = both->op[0] = ' ';
		gap->a = first;
		gap->b = node(s, AWK_NAME);
		gap->b->text = awk_keep(s, "SUBSEP", 6);
		both->a = gap;
		both->b = expression(s);
		first = both;
	}
	need(s, end);
	return first;
}

/* Behind getline: a place, a file. */
static void getline_rest(struct awk *s, struct awk_node *n)
{
	blanks(s, false);
	if (*s->at == '$' || ((isalpha((unsigned char)*s->at) || *s->at == '_') && starts_value(s)))
		n->b = primary(s);
	blanks(s, false);
	if (*s->at == '<' && s->at[1] != '=') {
		s->at++;
		n->c = primary(s);
	}
	s->asks = s->asks || !n->c;
}

static struct awk_node *name_or_call(struct awk *s)
{
	const char *from = s->at;
	while (isalnum((unsigned char)*s->at) || *s->at == '_')
		s->at++;
	struct awk_node *n = node(s, AWK_NAME);
	n->text = awk_keep(s, from, (size_t)(s->at - from));
	if (!strcmp(n->text, "getline")) {
		n->kind = AWK_GETLINE;
		getline_rest(s, n);
	} else if (*s->at == '[') {
		s->at++;
		n->kind = AWK_INDEX;
		n->a = subscripts(s, expression(s), "]");
	} else if (*s->at == '(' || !strcmp(n->text, "length")) {
		struct awk_node **tail = &n->a;
		n->kind = AWK_CALL;
		if (take(s, "(")) {
			while (!s->bad && !take(s, ")")) {
				*tail = expression(s);
				if (*tail)
					tail = &(*tail)->next;
				take(s, ",");
				while (blanks(s, false), *s->at == '\n')
					s->at++;
				if (!*s->at)
					s->bad = true;
			}
		}
	}
	return n;
}

static struct awk_node *primary(struct awk *s)
{
	struct awk_node *n = NULL;
	blanks(s, false);
	char c = *s->at;
	if (s->bad || ++s->depth > AWK_DEPTH) {
		s->bad = true;
		return NULL;
	}
	if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)s->at[1]))) {
		char *end;
		n = node(s, AWK_NUMBER);
		n->number = strtod(s->at, &end);
		s->at = end;
	} else if (c == '"') {
		const char *from = ++s->at;
		while (*s->at && *s->at != '"')
			s->at += *s->at == '\\' && s->at[1] ? 2 : 1;
		struct kt_buf text = {0};
		bool stop = false;
		unescape(from, (size_t)(s->at - from), false, &text, &stop);
		n = node(s, AWK_STRING);
		n->text = awk_keep(s, kt_buf_str(&text), text.len);
		kt_buf_clear(&text);
		s->bad = s->bad || *s->at != '"';
		s->at += *s->at == '"';
	} else if (c == '/') {
		struct kt_buf text = {0};
		for (s->at++; *s->at && *s->at != '/'; s->at++) {
			if (*s->at == '\\' && s->at[1]) {
				if (s->at[1] != '/')
					kt_buf_addc(&text, '\\');
				s->at++;
			}
			kt_buf_addc(&text, *s->at);
		}
		n = node(s, AWK_REGEX);
		n->regex = compile(s, kt_buf_str(&text));
		n->text = awk_keep(s, kt_buf_str(&text), text.len);
		kt_buf_clear(&text);
		s->bad = s->bad || *s->at != '/';
		s->at += *s->at == '/';
	} else if (c == '(') {
		s->at++;
		bool outer = s->parse_print;
		s->parse_print = false;
		n = subscripts(s, expression(s), ")");
		s->parse_print = outer;
	} else if (c == '$') {
		s->at++;
		n = node(s, AWK_FIELD);
		n->a = primary(s);
	} else if ((c == '+' || c == '-') && s->at[1] == c) {
		s->at += 2;
		n = node(s, AWK_STEP);
		n->op[0] = c;
		n->prefix = true;
		n->a = primary(s);
	} else if (c && strchr("-+!", c)) {
		s->at++;
		n = node(s, AWK_UNARY);
		n->op[0] = c;
		n->a = primary(s);
	} else if (isalpha((unsigned char)c) || c == '_') {
		n = name_or_call(s);
	} else {
		s->bad = true;
	}
	if (n && (n->kind == AWK_NAME || n->kind == AWK_INDEX || n->kind == AWK_FIELD) &&
	    (*s->at == '+' || *s->at == '-') && s->at[1] == *s->at) {
		struct awk_node *step = node(s, AWK_STEP);
		step->op[0] = *s->at;
		step->a = n;
		s->at += 2;
		n = step;
	}
	s->depth--;
	return n;
}

static const struct {
	const char *text;
	int level;
} awk_ops[] = {{"||", 1}, {"&&", 2}, {"<=", 4}, {">=", 4}, {"==", 4}, {"!=", 4}, {"!~", 3}, {"~", 3},
               {"<", 4},  {">", 4},  {"+", 6},  {"-", 6},  {"*", 7},  {"/", 7},  {"%", 7},  {"^", 8}};

static bool starts_value(const struct awk *s)
{
	static const char *const words[] = {"in",     "if",   "while", "for",    "print",
	                                    "printf", "else", "do",    "getline"};
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		size_t len = strlen(words[i]);
		if (!strncmp(s->at, words[i], len) && !isalnum((unsigned char)s->at[len]))
			return false;
	}
	return *s->at && (isalnum((unsigned char)*s->at) || strchr("\"$(_.", *s->at));
}

/* COMMAND | getline PLACE */
static bool piped_getline(struct awk *s, struct awk_node **out)
{
	const char *at = s->at++;
	if (!take(s, "getline")) {
		s->at = at;
		return false;
	}
	bool asks = s->asks;
	*out = node(s, AWK_GETLINE);
	(*out)->op[0] = '|';
	getline_rest(s, *out);
	s->asks = asks;
	return true;
}

static struct awk_node *binary(struct awk *s, int min)
{
	struct awk_node *left = primary(s);
	while (!s->bad) {
		size_t i = 0;
		blanks(s, false);
		while (i < KT_COUNT(awk_ops) && strncmp(s->at, awk_ops[i].text, strlen(awk_ops[i].text)) != 0)
			i++;
		struct awk_node *n;
		bool redirect = s->parse_print && i < KT_COUNT(awk_ops) && awk_ops[i].text[0] == '>' &&
		                !awk_ops[i].text[1];
		if (i < KT_COUNT(awk_ops) && !redirect) {
			size_t len = strlen(awk_ops[i].text);
			/* += and friends belong to the assignment */
			if (awk_ops[i].level <= min || (awk_ops[i].level >= 6 && s->at[len] == '='))
				break;
			n = node(s, AWK_BINARY);
			memcpy(n->op, awk_ops[i].text, len + 1);
			s->at += len;
			if (awk_ops[i].level <= 2)
				while (blanks(s, false), *s->at == '\n')
					s->at++;
			n->b = binary(s, awk_ops[i].level - (awk_ops[i].level == 8));
		} else if (min < 3 && left && take(s, "in")) {
			n = node(s, AWK_IN);
			n->b = primary(s);
		} else if (min < 5 && *s->at == '|' && s->at[1] != '|' && piped_getline(s, &n)) {
			;
		} else if (min < 5 && !redirect && starts_value(s)) {
			n = node(s, AWK_BINARY); /* side by side: joined */
			n->op[0] = ' ';
			n->b = binary(s, 5);
		} else {
			break;
		}
		n->a = left;
		left = n;
	}
	return left;
}

static struct awk_node *expression(struct awk *s)
{
	static const char *const assigns[] = {"+=", "-=", "*=", "/=", "%=", "^="};
	if (++s->depth > AWK_DEPTH)
		s->bad = true;
	struct awk_node *left = s->bad ? NULL : binary(s, 0), *n = left;
	blanks(s, false);
	bool place = left && (left->kind == AWK_NAME || left->kind == AWK_INDEX || left->kind == AWK_FIELD);
	for (size_t i = 0; place && i < KT_COUNT(assigns) && n == left; i++) {
		if (!strncmp(s->at, assigns[i], 2)) {
			n = node(s, AWK_ASSIGN);
			n->op[0] = assigns[i][0];
			s->at += 2;
		}
	}
	if (place && n == left && s->at[0] == '=' && s->at[1] != '=') {
		n = node(s, AWK_ASSIGN);
		s->at++;
	}
	if (n != left) {
		n->a = left;
		n->b = expression(s);
	} else if (*s->at == '?' && left) {
		s->at++;
		n = node(s, AWK_CHOOSE);
		n->a = left;
		n->b = expression(s);
		need(s, ":");
		n->c = expression(s);
	}
	s->depth--;
	return n;
}

static struct awk_node *block(struct awk *s)
{
	struct awk_node *n = node(s, AWK_BLOCK), **tail = &n->a;
	need(s, "{");
	for (blanks(s, true); !s->bad && *s->at && *s->at != '}'; blanks(s, true)) {
		*tail = statement(s);
		if (*tail)
			tail = &(*tail)->next;
	}
	need(s, "}");
	return n;
}

static struct awk_node *simple_or_block(struct awk *s)
{
	blanks(s, false);
	if (take(s, ";")) /* while (…); */
		return node(s, AWK_BLOCK);
	blanks(s, true);
	return statement(s);
}

static struct awk_node *print_statement(struct awk *s, enum awk_kind kind)
{
	struct awk_node *n = node(s, kind), **tail = &n->a;
	bool paren = false;
	blanks(s, false);
	s->parse_print = true;
	if (*s->at == '(') {
		/* print (a, b) or print (a) b: a list only if the parenthesis ends the statement */
		unsigned depth = 0;
		const char *c = s->at;
		for (bool quoted = false; *c; c++) {
			quoted = *c == '"' && c[-1] != '\\' ? !quoted : quoted;
			depth += !quoted && *c == '(';
			depth -= !quoted && *c == ')';
			if (!depth)
				break;
		}
		c += *c != '\0';
		c += strspn(c, " \t");
		paren = !*c || strchr(";}\n>|", *c);
		s->at += paren;
		s->parse_print = !paren; /* in it `>` compares */
	}
	for (blanks(s, false); !s->bad && *s->at && !strchr(";}\n>)", *s->at); blanks(s, false)) {
		*tail = expression(s);
		if (*tail)
			tail = &(*tail)->next;
		if (!take(s, ","))
			break;
	}
	if (paren)
		need(s, ")");
	s->parse_print = false;
	static const char *const ways[] = {">>", ">", "|"};
	for (size_t i = 0; i < KT_COUNT(ways) && !n->b; i++)
		if (take(s, ways[i])) {
			memcpy(n->op, ways[i], strlen(ways[i]) + 1);
			n->b = binary(s, 4);
		}
	return n;
}

static struct awk_node *statement(struct awk *s)
{
	struct awk_node *n = NULL;
	blanks(s, false);
	if (++s->depth > AWK_DEPTH)
		s->bad = true;
	if (s->bad) {
		;
	} else if (*s->at == '{') {
		n = block(s);
	} else if (take(s, "if")) {
		n = node(s, AWK_IF);
		need(s, "(");
		n->a = expression(s);
		need(s, ")");
		n->b = simple_or_block(s);
		const char *before = s->at;
		blanks(s, true);
		if (take(s, "else"))
			n->c = simple_or_block(s);
		else
			s->at = before;
	} else if (take(s, "do")) {
		n = node(s, AWK_DO);
		n->b = simple_or_block(s);
		blanks(s, true);
		need(s, "while");
		need(s, "(");
		n->a = expression(s);
		need(s, ")");
	} else if (take(s, "break")) {
		n = node(s, AWK_BREAK);
	} else if (take(s, "continue")) {
		n = node(s, AWK_CONTINUE);
	} else if (take(s, "return")) {
		n = node(s, AWK_RETURN);
		blanks(s, false);
		if (*s->at && !strchr(";}\n", *s->at))
			n->a = expression(s);
	} else if (take(s, "while")) {
		n = node(s, AWK_WHILE);
		need(s, "(");
		n->a = expression(s);
		need(s, ")");
		n->b = simple_or_block(s);
	} else if (take(s, "for")) {
		n = node(s, AWK_FOR);
		need(s, "(");
		blanks(s, false);
		if (*s->at != ';')
			n->a = expression(s);
		if (n->a && n->a->kind == AWK_IN) {
			n->kind = AWK_FOR_IN;
		} else {
			need(s, ";");
			blanks(s, false);
			if (*s->at != ';')
				n->b = expression(s);
			need(s, ";");
			blanks(s, false);
			if (*s->at != ')')
				n->c = expression(s);
		}
		need(s, ")");
		n->d = simple_or_block(s);
	} else if (take(s, ";")) {
		n = node(s, AWK_BLOCK);
	} else if (take(s, "printf")) {
		n = print_statement(s, AWK_PRINTF);
	} else if (take(s, "print")) {
		n = print_statement(s, AWK_PRINT);
	} else if (take(s, "nextfile") || take(s, "next")) {
		n = node(s, AWK_NEXT);
	} else if (take(s, "exit")) {
		n = node(s, AWK_EXIT);
		blanks(s, false);
		if (*s->at && !strchr(";}\n", *s->at))
			n->a = expression(s);
	} else if (take(s, "delete")) {
		n = node(s, AWK_DELETE);
		n->a = primary(s);
	} else {
		n = node(s, AWK_EXPRESSION);
		n->a = expression(s);
	}
	s->depth--;
	return n;
}

static void parse_function(struct awk *s)
{
	struct awk_function *f = kt_arena_alloc(&s->arena, sizeof(*f));
	struct awk_node **tail = &f->params;
	blanks(s, false);
	const char *from = s->at;
	while (isalnum((unsigned char)*s->at) || *s->at == '_')
		s->at++;
	f->name = awk_keep(s, from, (size_t)(s->at - from));
	need(s, "(");
	for (blanks(s, true); !s->bad && *s->at != ')'; blanks(s, true)) {
		from = s->at;
		while (isalnum((unsigned char)*s->at) || *s->at == '_')
			s->at++;
		*tail = node(s, AWK_NAME);
		(*tail)->text = awk_keep(s, from, (size_t)(s->at - from));
		tail = &(*tail)->next;
		s->bad = s->bad || s->at == from;
		take(s, ",");
	}
	need(s, ")");
	blanks(s, true);
	f->body = block(s);
	f->next = s->functions;
	s->functions = f;
}

void awk_parse(struct awk *s)
{
	struct awk_rule **tail = &s->rules;
	for (blanks(s, true); !s->bad && *s->at; blanks(s, true)) {
		if (take(s, "function") || take(s, "func")) {
			parse_function(s);
			continue;
		}
		struct awk_rule *rule = kt_arena_alloc(&s->arena, sizeof(*rule));
		*tail = rule;
		tail = &rule->next;
		rule->begin = take(s, "BEGIN");
		rule->end = !rule->begin && take(s, "END");
		blanks(s, false);
		if (!rule->begin && !rule->end && *s->at != '{')
			rule->pattern = expression(s);
		if (rule->pattern && take(s, ",")) {
			blanks(s, true);
			rule->until = expression(s);
		}
		blanks(s, false);
		if (*s->at == '{')
			rule->body = block(s);
	}
}

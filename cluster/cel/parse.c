/* SPDX-License-Identifier: MIT */
/* CEL's grammar by recursive descent, with the complaints and the recovery of the generated parser that
 * cel-go has: one word too many is "extraneous" and left out, one too few is "missing" and thought of, else
 * what came is "mismatched" and skipped up to what may follow; until a word fits again nothing more is told.
 */
#include "cluster/cel/lex.h"
#include "base/utf8_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NEST 250

struct parser {
	struct kt_arena *arena;
	const char *text;
	struct cel_token *at;
	struct cel_faults *faults;
	bool recovering;
	uint64_t follow;  /* what may end the expression that is read */
	uint64_t recover; /* and those around it */
	unsigned nest;
	bool stopped;
};

static struct cel_node *expression(struct parser *p);

#define CALC                                                                                                 \
	(CEL_BIT(CEL_W_STAR) | CEL_BIT(CEL_W_SLASH) | CEL_BIT(CEL_W_PERCENT) | CEL_BIT(CEL_W_PLUS) |         \
	 CEL_BIT(CEL_W_MINUS))
#define RELATION                                                                                             \
	(CEL_BIT(CEL_W_EQUALS) | CEL_BIT(CEL_W_NOT_EQUALS) | CEL_BIT(CEL_W_IN) | CEL_BIT(CEL_W_LESS) |       \
	 CEL_BIT(CEL_W_LESS_EQUALS) | CEL_BIT(CEL_W_GREATER_EQUALS) | CEL_BIT(CEL_W_GREATER))
#define OPERATORS (CALC | RELATION | CEL_BIT(CEL_W_AND) | CEL_BIT(CEL_W_OR) | CEL_BIT(CEL_W_QUESTION))
#define GOES_ON   (OPERATORS | CEL_BIT(CEL_W_DOT) | CEL_BIT(CEL_W_LBRACKET))

static bool is(const struct parser *p, enum cel_word word)
{
	return p->at->word == word;
}

static bool fits(const struct parser *p, uint64_t words)
{
	return (CEL_BIT(p->at->word) & words) != 0;
}

static const char *word_text(struct parser *p, const struct cel_token *t)
{
	if (t->word == CEL_W_EOF)
		return "<EOF>";
	char *s = kt_arena_alloc(p->arena, t->len + 1);
	memcpy(s, p->text + t->at, t->len);
	return s;
}

static void complain(struct parser *p, const char *what, uint64_t expected)
{
	struct kt_buf set = {0};
	if (!p->recovering) {
		cel_words_print(expected, &set);
		cel_faults_add(p->faults, p->at->at, "Syntax error: %s '%s' expecting %s", what,
		               word_text(p, p->at), kt_buf_str(&set));
		kt_buf_clear(&set);
	}
	p->recovering = true;
}

static void skip_to(struct parser *p, uint64_t words)
{
	while (!is(p, CEL_W_EOF) && !fits(p, words))
		p->at++;
}

static void step(struct parser *p)
{
	p->recovering = false;
	if (!is(p, CEL_W_EOF))
		p->at++;
}

/* `word` comes now, and one of `after` behind it. */
static bool match(struct parser *p, enum cel_word word, uint64_t after)
{
	struct kt_buf name = {0};
	if (is(p, word)) {
		step(p);
		return true;
	}
	if (!is(p, CEL_W_EOF) && p->at[1].word == word) {
		complain(p, "extraneous input", CEL_BIT(word));
		step(p);
		step(p);
		return true;
	}
	if (fits(p, after)) {
		if (!p->recovering) {
			cel_words_print(CEL_BIT(word), &name);
			cel_faults_add(p->faults, p->at->at, "Syntax error: missing %s at '%s'",
			               kt_buf_str(&name), word_text(p, p->at));
			kt_buf_clear(&name);
		}
		p->recovering = true;
		return true;
	}
	complain(p, "mismatched input", CEL_BIT(word));
	skip_to(p, p->recover | OPERATORS);
	return false;
}

/* One of `words` is to come: one word too many before it is left out. */
static bool ready(struct parser *p, uint64_t words)
{
	if (fits(p, words))
		return true;
	if (!is(p, CEL_W_EOF) && (CEL_BIT(p->at[1].word) & words)) {
		complain(p, "extraneous input", words);
		step(p);
		return true;
	}
	complain(p, "mismatched input", words);
	skip_to(p, p->recover | OPERATORS);
	return false;
}

static void too_deep(struct parser *p, const char *what)
{
	if (!p->stopped)
		cel_faults_add(p->faults, CEL_NOWHERE, "%s", what);
	p->stopped = p->recovering = true;
	skip_to(p, 0);
}

/* An expression that ends before one of `follow`. */
static struct cel_node *until(struct parser *p, uint64_t follow)
{
	uint64_t outer = p->follow, all = p->recover;
	p->follow = follow;
	p->recover |= follow;
	struct cel_node *node = expression(p);
	p->follow = outer;
	p->recover = all;
	return node;
}

static struct cel_node *make(struct parser *p, enum cel_node_kind kind, const struct cel_token *at,
                             const char *name, size_t count)
{
	return cel_node_new(p->arena, kind, at->at, name, count);
}

static struct cel_node *broken(struct parser *p)
{
	return make(p, CEL_BROKEN, p->at, NULL, 0);
}

static struct cel_node *call(struct parser *p, const struct cel_token *at, const char *name,
                             struct cel_node *a, struct cel_node *b)
{
	struct cel_node *node = make(p, CEL_CALL, at, name, b ? 2 : 1);
	node->args[0] = a;
	if (b)
		node->args[1] = b;
	return node;
}

/* --- literals --- */

static void add_number(struct kt_buf *out, const char **s, size_t digits, int base, bool bytes)
{
	char text[16] = {0};
	memcpy(text, *s, digits);
	*s += digits;
	uint32_t c = (uint32_t)strtoul(text, NULL, base);
	if (bytes)
		kt_buf_addc(out, (char)c);
	else
		kt_utf8_add(out, c);
}

static struct cel_node *text_literal(struct parser *p, bool bytes)
{
	const char *s = p->text + p->at->at, *end = s + p->at->len;
	struct cel_node *node = make(p, CEL_LITERAL, p->at, NULL, 0);
	struct kt_buf out = {0};
	bool raw = false;
	for (; *s != '"' && *s != '\''; s++)
		raw = raw || (*s | 32) == 'r';
	size_t quotes = end - s >= 6 && s[1] == s[0] && s[2] == s[0] ? 3 : 1;
	for (s += quotes, end -= quotes; s < end;) {
		static const char codes[] = "a\ab\bf\fn\nr\rt\tv\v";
		if (*s != '\\' || raw) {
			kt_buf_addc(&out, *s++);
			continue;
		}
		const char *found = memchr(codes, s[1], sizeof(codes) - 1);
		char kind = s[1];
		s += 2;
		if (kind == 'x' || kind == 'X')
			add_number(&out, &s, 2, 16, bytes);
		else if (kind == 'u' || kind == 'U')
			add_number(&out, &s, kind == 'u' ? 4 : 8, 16, false);
		else if (kind >= '0' && kind <= '3') {
			s--;
			add_number(&out, &s, 3, 8, bytes);
		} else
			kt_buf_addc(&out, found ? found[1] : kind);
	}
	node->literal.kind = bytes ? CEL_BYTES : CEL_STRING;
	char *copy = kt_arena_alloc(p->arena, out.len + 1);
	memcpy(copy, kt_buf_str(&out), out.len);
	node->literal.s = copy;
	node->literal.len = out.len;
	kt_buf_clear(&out);
	step(p);
	return node;
}

static struct cel_node *number_literal(struct parser *p)
{
	struct cel_node *node = make(p, CEL_LITERAL, p->at, NULL, 0);
	bool negative = is(p, CEL_W_MINUS);
	if (negative)
		step(p);
	enum cel_word word = p->at->word;
	char *digits = kt_arena_strf(p->arena, "%s%s", negative ? "-" : "", word_text(p, p->at)), *end;
	int base = kt_starts(digits + negative, "0x") ? 16 : 10;
	const char *wrong = NULL;
	errno = 0;
	if (word == CEL_W_FLOAT) {
		node->literal = (struct cel_value){.kind = CEL_DOUBLE, .d = strtod(digits, &end)};
		wrong = errno == ERANGE && (node->literal.d > 1 || node->literal.d < -1)
		                ? "invalid double literal"
		                : NULL;
	} else if (word == CEL_W_UINT) {
		node->literal = (struct cel_value){.kind = CEL_UINT, .u = strtoull(digits, &end, base)};
		wrong = errno || negative ? "invalid uint literal" : NULL;
	} else {
		node->literal = (struct cel_value){.kind = CEL_INT, .i = strtoll(digits, &end, base)};
		wrong = errno ? "invalid int literal" : NULL;
	}
	if (wrong)
		cel_faults_add(p->faults, node->at, "%s", wrong);
	step(p);
	return node;
}

static struct cel_node *constant(struct parser *p, struct cel_value value)
{
	struct cel_node *node = make(p, CEL_LITERAL, p->at, NULL, 0);
	node->literal = value;
	step(p);
	return node;
}

/* --- lists of things --- */

struct nodes {
	struct cel_node **items;
	bool *optional;
	size_t count, cap;
};

static void add(struct nodes *list, struct cel_node *node, bool optional)
{
	size_t cap = list->cap;
	list->items = kt_grow(list->items, &list->cap, list->count + 1, sizeof(struct cel_node *));
	list->optional = kt_grow(list->optional, &cap, list->count + 1, sizeof(bool));
	list->items[list->count] = node;
	list->optional[list->count++] = optional;
}

static void put(struct parser *p, struct cel_node *node, size_t first, struct nodes *list)
{
	size_t count = first + list->count;
	struct cel_node **args = kt_arena_alloc(p->arena, (count + 1) * sizeof(*args));
	node->optional = kt_arena_alloc(p->arena, count + 1);
	for (size_t i = 0; i < first; i++)
		args[i] = node->args[i];
	for (size_t i = 0; i < list->count; i++) {
		args[first + i] = list->items[i];
		node->optional[first + i] = list->optional[i];
	}
	node->args = args;
	node->count = count;
	kt_free(list->items);
	kt_free(list->optional);
}

static bool take(struct parser *p, enum cel_word word)
{
	if (!is(p, word))
		return false;
	step(p);
	return true;
}

/* Behind "(" of a call. */
static struct cel_node *arguments(struct parser *p, struct cel_node *node, size_t first)
{
	struct nodes list = {0};
	uint64_t close = CEL_BIT(CEL_W_RPAREN) | CEL_BIT(CEL_W_COMMA);
	if (!is(p, CEL_W_RPAREN) && ready(p, CEL_OPERAND | CEL_BIT(CEL_W_RPAREN)) && !is(p, CEL_W_RPAREN)) {
		do
			add(&list, until(p, close), false);
		while (!p->stopped && take(p, CEL_W_COMMA));
	}
	put(p, node, first, &list);
	match(p, CEL_W_RPAREN, GOES_ON | p->follow);
	struct cel_node *expanded = p->faults->count == 0 ? cel_expand(p->arena, p->faults, node) : NULL;
	return expanded ? expanded : node;
}

static struct cel_node *new_list(struct parser *p)
{
	struct cel_node *node = make(p, CEL_NEW_LIST, p->at, NULL, 0);
	struct nodes list = {0};
	uint64_t close = CEL_BIT(CEL_W_RBRACKET) | CEL_BIT(CEL_W_COMMA);
	step(p);
	if (ready(p, CEL_OPERAND | CEL_BIT(CEL_W_QUESTION) | close) && !fits(p, close)) {
		do {
			if (is(p, CEL_W_RBRACKET))
				break;
			bool optional = take(p, CEL_W_QUESTION);
			add(&list, until(p, close), optional);
		} while (!p->stopped && take(p, CEL_W_COMMA));
	}
	put(p, node, 0, &list);
	take(p, CEL_W_COMMA);
	if (is(p, CEL_W_RBRACKET) || ready(p, close))
		match(p, CEL_W_RBRACKET, GOES_ON | p->follow);
	return node;
}

/* Behind "{": keys and values, or names and values of a struct. */
static struct cel_node *new_members(struct parser *p, struct cel_node *node)
{
	struct nodes list = {0};
	uint64_t close = CEL_BIT(CEL_W_RBRACE) | CEL_BIT(CEL_W_COMMA);
	step(p);
	if (ready(p, CEL_OPERAND | CEL_BIT(CEL_W_QUESTION) | close) && !fits(p, close)) {
		do {
			if (is(p, CEL_W_RBRACE))
				break;
			bool optional = take(p, CEL_W_QUESTION);
			struct cel_node *key;
			if (node->kind == CEL_NEW_STRUCT) {
				key = make(p, CEL_IDENT, p->at, word_text(p, p->at), 0);
				match(p, CEL_W_IDENTIFIER, CEL_BIT(CEL_W_COLON));
			} else {
				key = until(p, CEL_BIT(CEL_W_COLON));
			}
			add(&list, key, optional);
			match(p, CEL_W_COLON, CEL_OPERAND);
			add(&list, until(p, close), optional);
		} while (!p->stopped && take(p, CEL_W_COMMA));
	}
	put(p, node, 0, &list);
	take(p, CEL_W_COMMA);
	if (is(p, CEL_W_RBRACE) || ready(p, close))
		match(p, CEL_W_RBRACE, GOES_ON | p->follow);
	return node;
}

/* --- names --- */

static bool is_reserved(const char *name)
{
	static const char *const words[] = {"as",        "break",  "const",  "continue", "else", "for",
	                                    "function",  "if",     "import", "let",      "loop", "package",
	                                    "namespace", "return", "var",    "void",     "while"};
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

/* a.b.C{…}: the name of a struct, whole, if a "{" follows it. */
static const char *struct_name(struct parser *p)
{
	const struct cel_token *t = p->at;
	struct kt_buf name = {0};
	const char *whole = NULL;
	if (t->word == CEL_W_DOT) {
		kt_buf_addc(&name, '.');
		t++;
	}
	while (t->word == CEL_W_IDENTIFIER) {
		kt_buf_add(&name, p->text + t->at, t->len);
		if (t[1].word != CEL_W_DOT || t[2].word != CEL_W_IDENTIFIER) {
			if (t[1].word == CEL_W_LBRACE)
				whole = kt_arena_strdup(p->arena, kt_buf_str(&name));
			break;
		}
		kt_buf_addc(&name, '.');
		t += 2;
	}
	kt_buf_clear(&name);
	return whole;
}

static struct cel_node *name(struct parser *p)
{
	const char *of_struct = struct_name(p);
	struct cel_token *begin = p->at;
	if (of_struct) {
		while (!is(p, CEL_W_LBRACE))
			step(p);
		struct cel_node *node = make(p, CEL_NEW_STRUCT, p->at, of_struct, 0);
		return new_members(p, node);
	}
	bool dot = take(p, CEL_W_DOT);
	const char *word = word_text(p, p->at);
	struct cel_token *at = p->at;
	if (!match(p, CEL_W_IDENTIFIER, 0))
		return broken(p);
	if (is_reserved(word)) {
		cel_faults_add(p->faults, begin->at, "reserved identifier: %s", word);
		if (is(p, CEL_W_LPAREN)) {
			step(p);
			return arguments(p, make(p, CEL_CALL, begin, word, 0), 0);
		}
		return make(p, CEL_BROKEN, begin, NULL, 0);
	}
	if (dot)
		word = kt_arena_strf(p->arena, ".%s", word);
	if (is(p, CEL_W_LPAREN)) {
		struct cel_node *node = make(p, CEL_CALL, p->at, word, 0);
		step(p);
		return arguments(p, node, 0);
	}
	return make(p, CEL_IDENT, at, word, 0);
}

static struct cel_node *primary(struct parser *p)
{
	struct cel_node *node;
	switch (p->at->word) {
	case CEL_W_LPAREN:
		step(p);
		node = until(p, CEL_BIT(CEL_W_RPAREN));
		match(p, CEL_W_RPAREN, GOES_ON | p->follow);
		return node;
	case CEL_W_LBRACKET:
		return new_list(p);
	case CEL_W_LBRACE:
		return new_members(p, make(p, CEL_NEW_MAP, p->at, NULL, 0));
	case CEL_W_STRING:
	case CEL_W_BYTES:
		return text_literal(p, is(p, CEL_W_BYTES));
	case CEL_W_MINUS:
	case CEL_W_INT:
	case CEL_W_UINT:
	case CEL_W_FLOAT:
		return number_literal(p);
	case CEL_W_TRUE:
	case CEL_W_FALSE:
		return constant(p, cel_of_bool(is(p, CEL_W_TRUE)));
	case CEL_W_NULL:
		return constant(p, (struct cel_value){.kind = CEL_NULL});
	default:
		return name(p);
	}
}

/* --- members --- */

static struct cel_node *no_member(struct parser *p, const struct cel_token *dot)
{
	uint32_t end = p->at->at + p->at->len;
	if (!p->recovering) {
		if (is(p, CEL_W_TRUE) || is(p, CEL_W_FALSE) || is(p, CEL_W_NULL))
			cel_faults_add(p->faults, p->at->at,
			               "Syntax error: mismatched input '%s' expecting IDENTIFIER",
			               word_text(p, p->at));
		else
			cel_faults_add(p->faults, p->at->at,
			               "Syntax error: no viable alternative at input '%.*s'",
			               (int)(end - dot->at), p->text + dot->at);
	}
	p->recovering = true;
	skip_to(p, p->recover | OPERATORS);
	return broken(p);
}

static struct cel_node *member(struct parser *p, struct cel_node *of)
{
	struct cel_token *dot = p->at;
	step(p);
	bool optional = take(p, CEL_W_QUESTION);
	if (!is(p, CEL_W_IDENTIFIER) && !is(p, CEL_W_ESCAPED))
		return no_member(p, dot);
	struct cel_token *at = p->at;
	const char *field = word_text(p, at);
	if (at->word == CEL_W_ESCAPED)
		cel_faults_add(p->faults, at->at, "unsupported syntax: '`'");
	step(p);
	if (optional) {
		struct cel_node *text = make(p, CEL_LITERAL, at, NULL, 0);
		text->literal = (struct cel_value){.kind = CEL_STRING, .s = field, .len = strlen(field)};
		return call(p, dot, "_?._", of, text);
	}
	if (is(p, CEL_W_LPAREN)) {
		struct cel_node *node = make(p, CEL_CALL, p->at, field, 1);
		node->args[0] = of;
		node->method = true;
		step(p);
		return arguments(p, node, 1);
	}
	struct cel_node *node = make(p, CEL_SELECT, dot, field, 1);
	node->args[0] = of;
	return node;
}

static struct cel_node *operand(struct parser *p)
{
	struct cel_node *node = primary(p);
	for (unsigned i = 0; !p->stopped && (is(p, CEL_W_DOT) || is(p, CEL_W_LBRACKET)); i++) {
		if (i >= MAX_NEST) {
			too_deep(p, "max recursion depth exceeded");
			break;
		}
		if (is(p, CEL_W_DOT)) {
			node = member(p, node);
			continue;
		}
		struct cel_token *at = p->at;
		step(p);
		(void)ready(p, CEL_OPERAND | CEL_BIT(CEL_W_QUESTION));
		bool optional = take(p, CEL_W_QUESTION);
		struct cel_node *index = until(p, CEL_BIT(CEL_W_RBRACKET));
		match(p, CEL_W_RBRACKET, GOES_ON | p->follow);
		node = call(p, at, optional ? "_[?_]" : "_[_]", node, index);
	}
	return node;
}

/* --- operators --- */

static bool is_number(enum cel_word word)
{
	return word == CEL_W_INT || word == CEL_W_FLOAT;
}

static struct cel_node *unary(struct parser *p)
{
	if (!ready(p, CEL_OPERAND))
		return broken(p);
	enum cel_word sign = p->at->word;
	if ((sign != CEL_W_NOT && sign != CEL_W_MINUS) || (sign == CEL_W_MINUS && is_number(p->at[1].word)))
		return operand(p);
	struct cel_token *first = p->at;
	size_t count = 0;
	for (; is(p, sign) && !(sign == CEL_W_MINUS && count > 0 && is_number(p->at[1].word)); count++)
		step(p);
	if (!ready(p, CEL_OPERAND))
		return broken(p);
	struct cel_node *of = operand(p);
	return count % 2 == 0 ? of : call(p, first, sign == CEL_W_NOT ? "!_" : "-_", of, NULL);
}

struct level {
	enum cel_word word;
	const char *function;
	int binds;
};
static const struct level levels[] = {
        {CEL_W_OR, "_||_", 1},
        {CEL_W_AND, "_&&_", 2},
        {CEL_W_LESS, "_<_", 3},
        {CEL_W_LESS_EQUALS, "_<=_", 3},
        {CEL_W_GREATER_EQUALS, "_>=_", 3},
        {CEL_W_GREATER, "_>_", 3},
        {CEL_W_EQUALS, "_==_", 3},
        {CEL_W_NOT_EQUALS, "_!=_", 3},
        {CEL_W_IN, "@in", 3},
        {CEL_W_PLUS, "_+_", 4},
        {CEL_W_MINUS, "_-_", 4},
        {CEL_W_STAR, "_*_", 5},
        {CEL_W_SLASH, "_/_", 5},
        {CEL_W_PERCENT, "_%_", 5},
};

static const struct level *level_of(enum cel_word word)
{
	for (size_t i = 0; i < KT_COUNT(levels); i++)
		if (levels[i].word == word)
			return &levels[i];
	return NULL;
}

/* Long chains of && and || become a tree of little depth, as cel-go's do. */
static struct cel_node *balance(struct parser *p, const char *function, struct cel_node **terms,
                                const struct cel_token **signs, size_t low, size_t high)
{
	size_t middle = (low + high + 1) / 2;
	struct cel_node *left =
	        middle == low ? terms[middle] : balance(p, function, terms, signs, low, middle - 1);
	struct cel_node *right =
	        middle == high ? terms[middle + 1] : balance(p, function, terms, signs, middle + 1, high);
	return call(p, signs[middle], function, left, right);
}

static struct cel_node *binary(struct parser *p, int binds);

static struct cel_node *chain(struct parser *p, const struct level *level, struct cel_node *first)
{
	struct nodes terms = {0};
	const struct cel_token **signs = NULL;
	size_t cap = 0, count = 0;
	add(&terms, first, false);
	while (is(p, level->word) && !p->stopped) {
		signs = kt_grow(signs, &cap, count + 1, sizeof(*signs));
		signs[count++] = p->at;
		step(p);
		add(&terms, binary(p, level->binds + 1), false);
	}
	first = balance(p, level->function, terms.items, signs, 0, count - 1);
	kt_free(terms.items);
	kt_free(terms.optional);
	kt_free(signs);
	return first;
}

static struct cel_node *binary(struct parser *p, int binds)
{
	struct cel_node *left = unary(p);
	for (unsigned i = 0;; i++) {
		const struct level *level = level_of(p->at->word);
		if (!level || level->binds < binds || p->stopped)
			return left;
		if (i >= MAX_NEST) {
			too_deep(p, "max recursion depth exceeded");
			return left;
		}
		if (level->word == CEL_W_AND || level->word == CEL_W_OR) {
			left = chain(p, level, left);
			continue;
		}
		struct cel_token *at = p->at;
		step(p);
		left = call(p, at, level->function, left, binary(p, level->binds + 1));
	}
}

static struct cel_node *expression(struct parser *p)
{
	if (p->nest >= MAX_NEST) {
		too_deep(p, "expression recursion limit exceeded: 250");
		return broken(p);
	}
	p->nest++;
	struct cel_node *node = binary(p, 1);
	if (is(p, CEL_W_QUESTION) && !p->stopped) {
		struct cel_node *choice = make(p, CEL_CALL, p->at, "_?_:_", 3);
		uint64_t outer = p->follow, all = p->recover;
		step(p);
		choice->args[0] = node;
		p->follow = CEL_BIT(CEL_W_COLON);
		p->recover |= p->follow;
		choice->args[1] = binary(p, 1);
		p->follow = outer;
		p->recover = all;
		match(p, CEL_W_COLON, CEL_OPERAND);
		choice->args[2] = expression(p);
		node = choice;
	}
	p->nest--;
	return node;
}

struct cel_node *cel_node_new(struct kt_arena *arena, enum cel_node_kind kind, uint32_t at, const char *name,
                              size_t count)
{
	struct cel_node *node = kt_arena_alloc(arena, sizeof(*node));
	node->kind = kind;
	node->at = at;
	node->name = name;
	node->count = count;
	node->args = kt_arena_alloc(arena, (count + 1) * sizeof(struct cel_node *));
	return node;
}

struct cel_node *cel_parse(struct kt_arena *arena, const char *text, struct cel_faults *faults)
{
	uint64_t end = CEL_BIT(CEL_W_EOF);
	struct parser p = {.arena = arena, .text = text, .faults = faults, .follow = end, .recover = end};
	int64_t size = cel_characters(text, strlen(text));
	if (size > CEL_MAX_TEXT) {
		cel_faults_add(faults, CEL_NOWHERE,
		               "expression code point size exceeds limit: size: %lld, limit %d",
		               (long long)size, CEL_MAX_TEXT);
		return NULL;
	}
	p.at = cel_lex(arena, text, faults);
	struct cel_node *node = expression(&p);
	if (!p.stopped)
		match(&p, CEL_W_EOF, 0);
	return node;
}

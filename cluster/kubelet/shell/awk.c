/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* awk, as far as one-liners go: patterns and ranges-free rules, BEGIN, END, print, printf, if, while, for
 * (also over arrays), fields, variables, arrays, regular expressions, the usual functions. No getline, no
 * user functions, no pipes. */
enum awk_kind {
	AWK_NUMBER,
	AWK_STRING,
	AWK_REGEX,
	AWK_NAME,
	AWK_FIELD,
	AWK_INDEX,
	AWK_UNARY,
	AWK_BINARY,
	AWK_ASSIGN,
	AWK_STEP,
	AWK_IN,
	AWK_CHOOSE,
	AWK_CALL,
	AWK_PRINT,
	AWK_PRINTF,
	AWK_IF,
	AWK_WHILE,
	AWK_FOR,
	AWK_FOR_IN,
	AWK_BLOCK,
	AWK_EXPRESSION,
	AWK_NEXT,
	AWK_EXIT,
	AWK_DELETE,
};
struct awk_node {
	enum awk_kind kind;
	char op[4];
	bool prefix;
	char *text;
	double number;
	struct awk_node *a, *b, *c, *d;
	struct awk_node *next; /* statement, argument, item */
	regex_t *regex;
};
struct awk_rule {
	struct awk_rule *next;
	bool begin, end;
	struct awk_node *pattern, *body; /* body NULL: print */
};
enum awk_flow { FLOW_ON, FLOW_NEXT, FLOW_EXIT };
struct awk {
	struct kt_arena arena;
	struct awk_rule *rules;
	struct kt_json *variables; /* {NAME: text}, arrays as objects */
	struct kt_strs fields;     /* $1… */
	char *line;
	int64_t records;
	int status;
	size_t steps;
	const char *at;
	unsigned depth;
	bool bad, exiting, parse_print;
	struct kt_buf out;
	regex_t *regexes[64];
	size_t regex_count;
	struct tool_run *r;
};
enum { AWK_STEPS = 5000000, AWK_DEPTH = 100 };

static struct awk_node *expression(struct awk *s);
static struct awk_node *statement(struct awk *s);

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

static char *keep(struct awk *s, const char *from, size_t len)
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

static struct awk_node *name_or_call(struct awk *s)
{
	const char *from = s->at;
	while (isalnum((unsigned char)*s->at) || *s->at == '_')
		s->at++;
	struct awk_node *n = node(s, AWK_NAME);
	n->text = keep(s, from, (size_t)(s->at - from));
	if (*s->at == '[') {
		s->at++;
		n->kind = AWK_INDEX;
		n->a = expression(s);
		need(s, "]");
	} else if (*s->at == '(' || !strcmp(n->text, "length")) {
		struct awk_node **tail = &n->a;
		n->kind = AWK_CALL;
		if (take(s, "(")) {
			while (!s->bad && !take(s, ")")) {
				*tail = expression(s);
				if (*tail)
					tail = &(*tail)->next;
				take(s, ",");
				blanks(s, false);
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
		n->text = keep(s, kt_buf_str(&text), text.len);
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
		n->text = keep(s, kt_buf_str(&text), text.len);
		kt_buf_clear(&text);
		s->bad = s->bad || *s->at != '/';
		s->at += *s->at == '/';
	} else if (c == '(') {
		s->at++;
		bool outer = s->parse_print;
		s->parse_print = false;
		n = expression(s);
		s->parse_print = outer;
		need(s, ")");
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
	static const char *const words[] = {"in", "if", "while", "for", "print", "else"};
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		size_t len = strlen(words[i]);
		if (!strncmp(s->at, words[i], len) && !isalnum((unsigned char)s->at[len]))
			return false;
	}
	return *s->at && (isalnum((unsigned char)*s->at) || strchr("\"$(_.", *s->at));
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
			n->b = binary(s, awk_ops[i].level - (awk_ops[i].level == 8));
		} else if (min < 3 && left && take(s, "in")) {
			n = node(s, AWK_IN);
			n->b = primary(s);
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
		paren = !*c || strchr(";}\n>", *c);
		s->at += paren;
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
	if (take(s, ">>") || take(s, ">"))
		n->b = primary(s); /* only "/dev/stderr" and the like are told apart */
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
	} else if (take(s, "printf")) {
		n = print_statement(s, AWK_PRINTF);
	} else if (take(s, "print")) {
		n = print_statement(s, AWK_PRINT);
	} else if (take(s, "next")) {
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

static void parse_rules(struct awk *s)
{
	struct awk_rule **tail = &s->rules;
	for (blanks(s, true); !s->bad && *s->at; blanks(s, true)) {
		struct awk_rule *rule = kt_arena_alloc(&s->arena, sizeof(*rule));
		*tail = rule;
		tail = &rule->next;
		rule->begin = take(s, "BEGIN");
		rule->end = !rule->begin && take(s, "END");
		blanks(s, false);
		if (!rule->begin && !rule->end && *s->at != '{')
			rule->pattern = expression(s);
		blanks(s, false);
		if (*s->at == '{')
			rule->body = block(s);
	}
}

/* --- values: text, or a number when that is what it came from --- */
struct value {
	char *text; /* owned; NULL: a number */
	double number;
	bool numeric; /* text that looks like a number, from input */
};

static struct value number(double n)
{
	return (struct value){.number = n};
}

static bool looks_numeric(const char *text, double *out)
{
	char *end;
	*out = strtod(text, &end);
	end += strspn(end, " \t\n");
	return end != text && !*end;
}

static struct value text_value(const char *text, bool input)
{
	struct value v = {.text = kt_strdup(text)};
	v.numeric = input && looks_numeric(text, &v.number);
	return v;
}

static void value_clear(struct value *v)
{
	kt_free(v->text);
	*v = (struct value){0};
}

static double to_number(const struct value *v)
{
	return v->text ? strtod(v->text, NULL) : v->number;
}

static void add_number(struct kt_buf *out, double n)
{
	if (n == floor(n) && fabs(n) < 1e15)
		kt_buf_addf(out, "%.0f", n + 0.0);
	else
		kt_buf_addf(out, "%.6g", n);
}

static char *to_text(const struct value *v)
{
	struct kt_buf out = {0};
	if (v->text)
		return kt_strdup(v->text);
	add_number(&out, v->number);
	return kt_buf_take(&out);
}

static bool truth(const struct value *v)
{
	return v->text ? (v->numeric ? v->number != 0 : *v->text != '\0') : v->number != 0;
}

static void split_line(struct awk *s, const char *line)
{
	const char *fs = kt_get_str(s->variables, "FS");
	kt_strs_clear(&s->fields);
	if (!fs || !strcmp(fs, " ")) {
		for (const char *at = line + strspn(line, " \t\n"); *at; at += strspn(at, " \t\n")) {
			size_t len = strcspn(at, " \t\n");
			kt_strs_steal(&s->fields, kt_strndup(at, len));
			at += len;
		}
		return;
	}
	regex_t regex;
	char *single = fs[1] ? kt_strdup(fs) : kt_strf("[%s]", fs);
	bool plain = (!fs[1] && strchr("^]\\", fs[0])) || strlen(single) > 200 ||
	             regcomp(&regex, single, REG_EXTENDED);
	kt_free(single);
	const char *at = line;
	regmatch_t m;
	while (*line && !plain && !regexec(&regex, at, 1, &m, 0) && m.rm_eo > 0) {
		kt_strs_steal(&s->fields, kt_strndup(at, (size_t)m.rm_so));
		at += m.rm_eo;
	}
	if (*line)
		kt_strs_add(&s->fields, at);
	if (!plain)
		regfree(&regex);
}

static void join_fields(struct awk *s)
{
	struct kt_buf line = {0};
	for (size_t i = 0; i < s->fields.count; i++)
		kt_buf_addf(&line, "%s%s", i ? kt_str_or(kt_get(s->variables, "OFS"), " ") : "",
		            s->fields.items[i]);
	kt_buf_adds(&line, "");
	kt_free(s->line);
	s->line = kt_buf_take(&line);
}

static struct value field(const struct awk *s, double n)
{
	if (n == 0)
		return text_value(s->line ? s->line : "", true);
	if (n < 1 || n > (double)s->fields.count)
		return text_value("", true);
	return text_value(s->fields.items[(size_t)n - 1], true);
}

static struct value evaluate(struct awk *s, const struct awk_node *n);

static char *text_of(struct awk *s, const struct awk_node *n)
{
	struct value v = evaluate(s, n);
	char *text = to_text(&v);
	value_clear(&v);
	return text;
}

static double number_of(struct awk *s, const struct awk_node *n)
{
	struct value v = evaluate(s, n);
	double d = to_number(&v);
	value_clear(&v);
	return d;
}

/* Values are kept as {t: text} or numbers, so that input's numbers stay both. */
static struct kt_json *stored(const struct value *v)
{
	return v->text ? kt_jsonf("{t: %s, n: %b}", v->text, (int)v->numeric) : kt_json_real(v->number);
}

static struct value loaded(const struct kt_json *json)
{
	if (kt_is_object(json))
		return text_value(kt_str_or(kt_get(json, "t"), ""), kt_get_bool(json, "n", false));
	if (kt_is_string(json))
		return text_value(kt_str(json), true);
	if (!json)
		return text_value("", true);
	return number(kt_real_or(json, 0));
}

static void assign(struct awk *s, const struct awk_node *place, const struct value *v)
{
	if (place->kind == AWK_FIELD) {
		double n = number_of(s, place->a);
		char *text = to_text(v);
		if (n == 0) {
			kt_free(s->line);
			s->line = kt_strdup(text);
			split_line(s, text);
		} else if (n >= 1 && n < 1000) {
			while (s->fields.count < (size_t)n)
				kt_strs_add(&s->fields, "");
			kt_free(s->fields.items[(size_t)n - 1]);
			s->fields.items[(size_t)n - 1] = kt_strdup(text);
			join_fields(s);
		}
		kt_free(text);
	} else if (place->kind == AWK_INDEX) {
		char *key = text_of(s, place->a), *array = kt_strf("[]%s", place->text);
		struct kt_json **slot = kt_edit(&s->variables, array);
		if (kt_count(*slot) < 100000)
			kt_set(slot, key, stored(v));
		kt_free(key);
		kt_free(array);
	} else if (place->kind == AWK_NAME) {
		static const char *const special[] = {"FS", "OFS", "ORS", "RS"};
		bool plain = false;
		for (size_t i = 0; i < KT_COUNT(special); i++)
			plain = plain || !strcmp(special[i], place->text);
		char *text = plain ? to_text(v) : NULL;
		kt_set(&s->variables, place->text, plain ? kt_json_str(text) : stored(v));
		kt_free(text);
	} else {
		s->bad = true;
	}
}

static const struct kt_json *element(struct awk *s, const char *array, const char *key)
{
	char *name = kt_strf("[]%s", array);
	const struct kt_json *v = kt_get(kt_get(s->variables, name), key);
	kt_free(name);
	return v;
}

static bool matches(struct awk *s, const char *text, const struct awk_node *pattern)
{
	if (pattern->kind == AWK_REGEX)
		return pattern->regex && !regexec(pattern->regex, text, 0, NULL, 0);
	char *words = text_of(s, pattern);
	regex_t regex;
	bool fits = false;
	if (strlen(words) <= 1000 && !regcomp(&regex, words, REG_EXTENDED)) {
		fits = !regexec(&regex, text, 0, NULL, 0);
		regfree(&regex);
	}
	kt_free(words);
	return fits;
}

static struct value compute(const char *op, double a, double b)
{
	switch (op[0]) {
	case '+':
		return number(a + b);
	case '-':
		return number(a - b);
	case '*':
		return number(a * b);
	case '/':
		return number(b != 0 ? a / b : 0);
	case '%':
		return number(b != 0 ? fmod(a, b) : 0);
	default:
		return number(pow(a, b));
	}
}

static struct value two(struct awk *s, const struct awk_node *n)
{
	if (!strcmp(n->op, "&&") || !strcmp(n->op, "||")) {
		struct value left = evaluate(s, n->a);
		bool yes = truth(&left);
		value_clear(&left);
		if (yes == (n->op[0] == '|'))
			return number(yes);
		struct value right = evaluate(s, n->b);
		yes = truth(&right);
		value_clear(&right);
		return number(yes);
	}
	if (strchr(n->op, '~')) {
		char *text = text_of(s, n->a);
		bool fits = matches(s, text, n->b);
		kt_free(text);
		return number(fits == (n->op[0] == '~'));
	}
	struct value a = evaluate(s, n->a), b = evaluate(s, n->b), out;
	if (n->op[0] == ' ') {
		char *x = to_text(&a), *y = to_text(&b);
		bool fits = strlen(x) + strlen(y) < 1u << 20;
		out = (struct value){.text = kt_strf("%s%s", x, fits ? y : "")};
		if (!fits) { /* whoever makes such texts runs out of memory sooner or later */
			process_out_of_memory(s->r->task->process);
			s->steps = AWK_STEPS;
		}
		kt_free(x);
		kt_free(y);
	} else if (strchr("<>=!", n->op[0])) {
		int order;
		if ((!a.text || a.numeric) && (!b.text || b.numeric)) {
			double x = to_number(&a), y = to_number(&b);
			order = (x > y) - (x < y);
		} else {
			char *x = to_text(&a), *y = to_text(&b);
			order = strcmp(x, y);
			kt_free(x);
			kt_free(y);
		}
		bool equal = n->op[1] == '=';
		out = number(n->op[0] == '<'   ? (equal ? order <= 0 : order < 0)
		             : n->op[0] == '>' ? (equal ? order >= 0 : order > 0)
		             : n->op[0] == '=' ? order == 0
		                               : order != 0);
	} else {
		out = compute(n->op, to_number(&a), to_number(&b));
	}
	value_clear(&a);
	value_clear(&b);
	return out;
}

/* sub and gsub: the third argument, or the line. */
static double substitute(struct awk *s, const struct awk_node *args, bool all)
{
	const struct awk_node *pattern = args, *with = args ? args->next : NULL,
	                      *place = with ? with->next : NULL;
	struct awk_node line = {.kind = AWK_FIELD}, zero = {.kind = AWK_NUMBER};
	if (!with || pattern->kind != AWK_REGEX || !pattern->regex)
		return 0;
	line.a = &zero;
	char *text = text_of(s, place ? place : &line), *insert = text_of(s, with);
	struct kt_buf out = {0};
	const char *at = text;
	double hits = 0;
	regmatch_t m;
	while ((all || hits == 0) && out.len < 1u << 20 &&
	       !regexec(pattern->regex, at, 1, &m, at == text ? 0 : REG_NOTBOL)) {
		hits++;
		kt_buf_add(&out, at, (size_t)m.rm_so);
		for (const char *c = insert; *c; c++) {
			if (*c == '\\' && c[1] == '&')
				kt_buf_addc(&out, *++c);
			else if (*c == '&')
				kt_buf_add(&out, at + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
			else
				kt_buf_addc(&out, *c);
		}
		at += m.rm_eo;
		if (m.rm_eo == m.rm_so) {
			if (!*at)
				break;
			kt_buf_addc(&out, *at++);
		}
	}
	kt_buf_adds(&out, at);
	if (hits > 0) {
		struct value v = text_value(kt_buf_str(&out), false);
		assign(s, place ? place : &line, &v);
		value_clear(&v);
	}
	kt_buf_clear(&out);
	kt_free(text);
	kt_free(insert);
	return hits;
}

static double split_call(struct awk *s, const struct awk_node *args)
{
	const struct awk_node *array = args ? args->next : NULL;
	if (!array || array->kind != AWK_NAME)
		return 0;
	char *text = text_of(s, args), *name = kt_strf("[]%s", array->text);
	struct kt_strs old = s->fields;
	const struct kt_json *kept = kt_get(s->variables, "FS");
	struct kt_json *fs = kt_json_ref(kept);
	s->fields = (struct kt_strs){0};
	if (array->next) {
		char *given = array->next->kind == AWK_REGEX ? kt_strdup(array->next->text)
		                                             : text_of(s, array->next);
		kt_set(&s->variables, "FS", kt_json_str(given));
		kt_free(given);
	}
	split_line(s, text);
	kt_set(&s->variables, "FS", fs);
	kt_set(&s->variables, name, kt_json_object());
	struct kt_json **slot = kt_edit(&s->variables, name);
	for (size_t i = 0; i < s->fields.count; i++) {
		char *key = kt_strf("%zu", i + 1);
		kt_set(slot, key, kt_json_str(s->fields.items[i]));
		kt_free(key);
	}
	double count = (double)s->fields.count;
	kt_strs_clear(&s->fields);
	s->fields = old;
	kt_free(text);
	kt_free(name);
	return count;
}

static char *format(struct awk *s, const struct awk_node *args)
{
	struct kt_strs argv = {0};
	struct kt_buf out = {0};
	char message[160] = "";
	kt_strs_add(&argv, "printf");
	kt_strs_add(&argv, "--");
	for (const struct awk_node *a = args; a; a = a->next) {
		struct value v = evaluate(s, a);
		char *text = to_text(&v);
		/* %d of 3.7 is 3 */
		if (a != args && !v.text && v.number != floor(v.number)) {
			kt_free(text);
			text = kt_strf("%.15g", v.number);
		}
		kt_strs_steal(&argv, text);
		value_clear(&v);
	}
	/* integers for integer conversions */
	const char *spec = argv.count > 2 ? argv.items[2] : "";
	size_t at = 3;
	for (const char *c = spec; *c && at < argv.count; c++) {
		if (*c != '%')
			continue;
		c += 1 + strspn(c + 1, "-+ #0123456789.");
		if (*c == '%' || !*c)
			continue;
		if (strchr("dioxX", *c)) {
			double d = trunc(strtod(argv.items[at], NULL));
			kt_free(argv.items[at]);
			argv.items[at] = kt_strf("%.0f", fabs(d) < 9e18 ? d : 0.0);
		}
		at++;
	}
	/* what is left over must not start the format again */
	for (; argv.count > at; argv.count--)
		kt_free(argv.items[argv.count - 1]);
	(void)printf_text(&argv, &out, message);
	kt_buf_adds(&out, "");
	kt_strs_clear(&argv);
	return kt_buf_take(&out);
}

static struct value call(struct awk *s, const struct awk_node *n)
{
	const struct awk_node *first = n->a, *second = first ? first->next : NULL,
	                      *third = second ? second->next : NULL;
	const char *name = n->text;
	if (!strcmp(name, "sub") || !strcmp(name, "gsub"))
		return number(substitute(s, first, name[0] == 'g'));
	if (!strcmp(name, "split"))
		return number(split_call(s, first));
	if (!strcmp(name, "sprintf"))
		return (struct value){.text = format(s, first)};
	if (!strcmp(name, "length") && first && first->kind == AWK_NAME) {
		char *array = kt_strf("[]%s", first->text);
		const struct kt_json *items = kt_get(s->variables, array);
		size_t count = kt_count(items);
		kt_free(array);
		if (items)
			return number((double)count);
	}
	if (!strcmp(name, "systime"))
		return number((double)(process_now(s->r->task->process) / KT_SEC));
	if (!strcmp(name, "rand"))
		return number(kt_random_unit(cluster_random(s->r->task->process->cluster)));
	char *text = first ? text_of(s, first) : kt_strdup(s->line ? s->line : "");
	struct value out = number(0);
	double x = strtod(text, NULL);
	if (!strcmp(name, "length")) {
		out = number((double)strlen(text));
	} else if (!strcmp(name, "toupper") || !strcmp(name, "tolower")) {
		for (char *c = text; *c; c++)
			*c = (char)(name[2] == 'u' ? toupper((unsigned char)*c) : tolower((unsigned char)*c));
		out.text = kt_strdup(text);
	} else if (!strcmp(name, "substr") && second) {
		double from = number_of(s, second), all = (double)strlen(text),
		       len = third ? number_of(s, third) : all;
		double low = fmax(from, 1), high = fmin(third ? from + len : all + 1, all + 1);
		out.text =
		        high > low ? kt_strndup(text + (size_t)low - 1, (size_t)(high - low)) : kt_strdup("");
	} else if (!strcmp(name, "index") && second) {
		char *what = text_of(s, second);
		const char *hit = strstr(text, what);
		out = number(hit ? (double)(hit - text) + 1 : 0);
		kt_free(what);
	} else if (!strcmp(name, "match") && second) {
		regmatch_t m;
		bool fits =
		        second->kind == AWK_REGEX && second->regex && !regexec(second->regex, text, 1, &m, 0);
		out = number(fits ? (double)m.rm_so + 1 : 0);
		kt_set(&s->variables, "RSTART", kt_json_real(out.number));
		kt_set(&s->variables, "RLENGTH", kt_json_real(fits ? (double)(m.rm_eo - m.rm_so) : -1));
	} else if (!strcmp(name, "int")) {
		out = number(trunc(x));
	} else if (!strcmp(name, "sqrt")) {
		out = number(sqrt(x));
	} else if (!strcmp(name, "log")) {
		out = number(log(x));
	} else if (!strcmp(name, "exp")) {
		out = number(exp(x));
	}
	kt_free(text);
	return out;
}

static struct value evaluate(struct awk *s, const struct awk_node *n)
{
	struct value v;
	if (!n || ++s->steps > AWK_STEPS)
		return text_value("", false);
	switch (n->kind) {
	case AWK_NUMBER:
		return number(n->number);
	case AWK_STRING:
		return text_value(n->text, false);
	case AWK_REGEX:
		return number(matches(s, s->line ? s->line : "", n));
	case AWK_NAME:
		if (!strcmp(n->text, "NR") || !strcmp(n->text, "FNR"))
			return number((double)s->records);
		if (!strcmp(n->text, "NF"))
			return number((double)s->fields.count);
		return loaded(kt_get(s->variables, n->text));
	case AWK_FIELD:
		return field(s, number_of(s, n->a));
	case AWK_INDEX: {
		char *key = text_of(s, n->a);
		v = loaded(element(s, n->text, key));
		kt_free(key);
		return v;
	}
	case AWK_UNARY:
		v = evaluate(s, n->a);
		double d = n->op[0] == '!' ? !truth(&v) : (n->op[0] == '-' ? -to_number(&v) : to_number(&v));
		value_clear(&v);
		return number(d);
	case AWK_BINARY:
		return two(s, n);
	case AWK_ASSIGN:
		v = evaluate(s, n->b);
		if (n->op[0]) {
			double old = number_of(s, n->a), by = to_number(&v);
			value_clear(&v);
			v = compute(n->op, old, by);
		}
		assign(s, n->a, &v);
		return v;
	case AWK_STEP: {
		double old = number_of(s, n->a), next = old + (n->op[0] == '+' ? 1 : -1);
		v = number(next);
		assign(s, n->a, &v);
		return number(n->prefix ? next : old);
	}
	case AWK_IN: {
		char *key = text_of(s, n->a);
		bool in = n->b && n->b->text && element(s, n->b->text, key);
		kt_free(key);
		return number(in);
	}
	case AWK_CHOOSE:
		v = evaluate(s, n->a);
		bool yes = truth(&v);
		value_clear(&v);
		return evaluate(s, yes ? n->b : n->c);
	case AWK_CALL:
		return call(s, n);
	default:
		return number(0);
	}
}

/* --- statements --- */
static enum awk_flow execute(struct awk *s, const struct awk_node *n);

static bool condition(struct awk *s, const struct awk_node *n)
{
	struct value v = evaluate(s, n);
	bool yes = truth(&v);
	value_clear(&v);
	return yes;
}

static void emit(struct awk *s, const struct awk_node *to, const char *text)
{
	char *path = to ? text_of(s, to) : NULL;
	if (path && strcmp(path, "/dev/stdout") != 0) {
		if (!strcmp(path, "/dev/stderr")) {
			task_write(s->r->task, 2, text, strlen(text));
		} else {
			char *full = tool_path(s->r, path);
			(void)files_write(tool_container(s->r)->files, full, text, strlen(text), true, 0644,
			                  process_now(s->r->task->process));
			kt_free(full);
		}
	} else {
		kt_buf_adds(&s->out, text);
	}
	kt_free(path);
}

static void print(struct awk *s, const struct awk_node *n)
{
	struct kt_buf text = {0};
	for (const struct awk_node *a = n ? n->a : NULL; a; a = a->next) {
		char *one = text_of(s, a);
		kt_buf_addf(&text, "%s%s", a != n->a ? kt_str_or(kt_get(s->variables, "OFS"), " ") : "", one);
		kt_free(one);
	}
	if (!n || !n->a)
		kt_buf_adds(&text, s->line ? s->line : "");
	kt_buf_adds(&text, kt_str_or(kt_get(s->variables, "ORS"), "\n"));
	emit(s, n ? n->b : NULL, kt_buf_str(&text));
	kt_buf_clear(&text);
}

static enum awk_flow for_in(struct awk *s, const struct awk_node *n)
{
	if (!n->a->b || !n->a->b->text)
		return FLOW_ON;
	char *name = kt_strf("[]%s", n->a->b->text);
	struct kt_json *array = kt_json_ref(kt_get(s->variables, name));
	enum awk_flow flow = FLOW_ON;
	for (size_t i = 0; i < kt_count(array) && flow == FLOW_ON && s->steps < AWK_STEPS; i++) {
		struct value key = text_value(kt_key(array, i), true);
		assign(s, n->a->a, &key);
		value_clear(&key);
		flow = execute(s, n->d);
	}
	kt_json_free(array);
	kt_free(name);
	return flow;
}

static enum awk_flow execute(struct awk *s, const struct awk_node *n)
{
	enum awk_flow flow = FLOW_ON;
	struct value v;
	if (!n || ++s->steps > AWK_STEPS)
		return FLOW_ON;
	switch (n->kind) {
	case AWK_PRINT:
		print(s, n);
		break;
	case AWK_PRINTF: {
		char *text = format(s, n->a);
		emit(s, n->b, text);
		kt_free(text);
		break;
	}
	case AWK_IF:
		return execute(s, condition(s, n->a) ? n->b : n->c);
	case AWK_WHILE:
		while (flow == FLOW_ON && s->steps < AWK_STEPS && condition(s, n->a))
			flow = execute(s, n->b);
		break;
	case AWK_FOR:
		v = evaluate(s, n->a);
		value_clear(&v);
		while (flow == FLOW_ON && s->steps < AWK_STEPS && (!n->b || condition(s, n->b))) {
			flow = execute(s, n->d);
			v = evaluate(s, n->c);
			value_clear(&v);
		}
		break;
	case AWK_FOR_IN:
		return for_in(s, n);
	case AWK_BLOCK:
		for (const struct awk_node *a = n->a; a && flow == FLOW_ON; a = a->next)
			flow = execute(s, a);
		break;
	case AWK_NEXT:
		return FLOW_NEXT;
	case AWK_EXIT:
		s->status = n->a ? (int)number_of(s, n->a) & 255 : s->status;
		s->exiting = true;
		return FLOW_EXIT;
	case AWK_DELETE: {
		char *name = kt_strf("[]%s", n->a && n->a->text ? n->a->text : ""), *key = NULL;
		if (n->a && n->a->kind == AWK_INDEX && kt_get(s->variables, name)) {
			key = text_of(s, n->a->a);
			kt_unset(kt_edit(&s->variables, name), key);
		} else {
			kt_unset(&s->variables, name);
		}
		kt_free(name);
		kt_free(key);
		break;
	}
	default:
		v = evaluate(s, n->a);
		value_clear(&v);
		break;
	}
	return flow;
}

static void run_rules(struct awk *s, bool begin, bool end)
{
	for (const struct awk_rule *rule = s->rules; rule; rule = rule->next) {
		if (rule->begin != begin || rule->end != end ||
		    (rule->pattern && !condition(s, rule->pattern)))
			continue;
		enum awk_flow flow = FLOW_ON;
		if (rule->body)
			flow = execute(s, rule->body);
		else
			print(s, NULL);
		if (flow != FLOW_ON)
			return;
	}
}

/* --- the tool --- */
static void end_awk(struct tool_run *r)
{
	struct awk *s = r->state;
	for (size_t i = 0; i < s->regex_count; i++) {
		regfree(s->regexes[i]);
		kt_free(s->regexes[i]);
	}
	kt_arena_clear(&s->arena);
	kt_json_free(s->variables);
	kt_strs_clear(&s->fields);
	kt_free(s->line);
	kt_buf_clear(&s->out);
}

static void set_text(struct awk *s, const char *pair)
{
	size_t len = strcspn(pair, "=");
	if (!pair[len])
		return;
	char *name = kt_strndup(pair, len);
	struct kt_buf value = {0};
	bool stop = false;
	unescape(pair + len + 1, strlen(pair + len + 1), false, &value, &stop);
	kt_set(&s->variables, name, kt_json_str(kt_buf_str(&value)));
	kt_buf_clear(&value);
	kt_free(name);
}

static int start(struct tool_run *r, struct awk *s)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	struct kt_buf program = {0};
	s->r = r;
	s->variables = kt_json_object();
	while ((option = tool_option(r, &at, &in, "F:v:f:", &value))) {
		if (option == '?')
			return 1;
		if (option == 'F') {
			char *pair = kt_strf("FS=%s", !strcmp(value, "t") ? "\t" : value);
			set_text(s, pair);
			kt_free(pair);
		} else if (option == 'v') {
			set_text(s, value);
		} else if (option == 'f') {
			char *path = tool_path(r, value);
			int rc = files_read(tool_container(r)->files, path, &program);
			kt_free(path);
			if (rc) {
				kt_buf_clear(&program);
				return tool_fail(r, 1, "can't open '%s': %s", value, tool_strerror(rc));
			}
		}
	}
	if (!program.len && at < r->argv.count)
		kt_buf_adds(&program, r->argv.items[at++]);
	s->at = keep(s, kt_buf_str(&program), program.len);
	kt_buf_clear(&program);
	parse_rules(s);
	if (s->bad)
		return tool_fail(r, tool_busybox(r) ? 1 : 2, "cmd. line:1: Unexpected token");
	tool_inputs(r, at);
	return 0;
}

static bool only_begin(const struct awk *s)
{
	for (const struct awk_rule *rule = s->rules; rule; rule = rule->next) {
		if (!rule->begin)
			return false;
	}
	return true;
}

static void flush(struct awk *s)
{
	tool_out(s->r, kt_buf_str(&s->out), s->out.len);
	kt_buf_cut(&s->out, 0);
}

static int run_awk(struct tool_run *r)
{
	struct awk *s = r->state;
	struct kt_buf line = {0};
	int rc;
	if (!r->opened) {
		r->opened = true;
		if ((rc = start(r, s)))
			return rc;
		run_rules(s, true, false);
	}
	while (!s->exiting && !only_begin(s) && (rc = tool_line(r, &line)) != 0) {
		if (rc == TOOL_WAIT) {
			kt_buf_clear(&line);
			flush(s);
			return TOOL_WAIT;
		}
		s->records++;
		kt_free(s->line);
		s->line = kt_strdup(kt_buf_str(&line));
		split_line(s, s->line);
		run_rules(s, false, false);
	}
	kt_buf_clear(&line);
	run_rules(s, false, true);
	flush(s);
	return s->status ? s->status : (r->in_status ? 2 : 0);
}

const struct tool tools_awk[] = {
        {.name = "awk",
         .sets = "busybox debian",
         .run = run_awk,
         .state_size = sizeof(struct awk),
         .end = end_awk},
        {.name = "gawk",
         .sets = "netshoot",
         .run = run_awk,
         .state_size = sizeof(struct awk),
         .end = end_awk},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* CEL by recursive descent, evaluated while it is read: what must not be evaluated (the other side of ?:,
 * what follows a decided && or ||) is read with `skip` set. Macros read their body once for every item. See
 * cel.h for what is understood. */
#include "cluster/api/cel.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 200000 /* nodes evaluated in all: the server has a budget too */
#define MAX_NEST  64
#define MAX_TEXT  (64 * 1024)

struct cel {
	const char *at;
	struct kt_json *vars;
	struct kt_err *err;
	unsigned skip, nest, steps;
	bool failed;
};

static struct kt_json *expression(struct cel *c);

static struct kt_json *bad(struct cel *c, enum kt_code code, const char *what, const char *detail)
{
	if (!c->failed)
		kt_fail(c->err, code, "%s%s", what, detail);
	c->failed = true;
	return kt_json_null();
}

static void space(struct cel *c)
{
	for (;;) {
		c->at += strspn(c->at, " \t\r\n");
		if (c->at[0] != '/' || c->at[1] != '/')
			return;
		c->at += strcspn(c->at, "\n");
	}
}

/* Take `word` if it is next; of a word, all of it. */
static bool take(struct cel *c, const char *word)
{
	size_t n = strlen(word);
	space(c);
	if (strncmp(c->at, word, n) != 0)
		return false;
	if (word[0] >= 'a' && word[0] <= 'z' &&
	    (c->at[n] == '_' || (c->at[n] >= '0' && c->at[n] <= '9') ||
	     ((c->at[n] | 32) >= 'a' && (c->at[n] | 32) <= 'z')))
		return false;
	c->at += n;
	return true;
}

static bool want(struct cel *c, const char *word)
{
	if (take(c, word))
		return true;
	bad(c, KT_EINVAL, "syntax error: expected ", word);
	return false;
}

static bool identifier(struct cel *c, char out[64])
{
	size_t n = 0;
	space(c);
	while (c->at[n] == '_' || ((c->at[n] | 32) >= 'a' && (c->at[n] | 32) <= 'z') ||
	       (n > 0 && c->at[n] >= '0' && c->at[n] <= '9'))
		n++;
	if (n == 0 || n >= 64)
		return false;
	memcpy(out, c->at, n);
	out[n] = '\0';
	c->at += n;
	return true;
}

/* --- operators --- */

static bool is_number(const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_INT || kt_json_type(v) == KT_JSON_REAL;
}

static struct kt_json *arithmetic(struct cel *c, char op, const struct kt_json *a, const struct kt_json *b)
{
	if (c->skip || c->failed)
		return kt_json_null();
	if (op == '+' && kt_is_string(a) && kt_is_string(b))
		return kt_json_strf("%s%s", kt_str(a), kt_str(b));
	if (op == '+' && kt_is_array(a) && kt_is_array(b)) {
		struct kt_json *out = kt_json_ref(a);
		const struct kt_json *item;
		KT_JSON_EACH (item, b)
			kt_push(&out, kt_json_ref(item));
		return out;
	}
	if (!is_number(a) || !is_number(b))
		return bad(c, KT_EINVAL, "no such overload", "");
	if (kt_json_type(a) == KT_JSON_INT && kt_json_type(b) == KT_JSON_INT) {
		int64_t x = kt_int_or(a, 0), y = kt_int_or(b, 0), r = 0;
		if ((op == '/' || op == '%') && y == 0)
			return bad(c, KT_EINVAL, op == '/' ? "division by zero" : "modulus by zero", "");
		if (((op == '/' || op == '%') && x == INT64_MIN && y == -1) ||
		    (op == '+' && __builtin_add_overflow(x, y, &r)) ||
		    (op == '-' && __builtin_sub_overflow(x, y, &r)) ||
		    (op == '*' && __builtin_mul_overflow(x, y, &r)))
			return bad(c, KT_EINVAL, "integer overflow", "");
		return kt_json_int(op == '/' ? x / y : op == '%' ? x % y : r);
	}
	double x = kt_real_or(a, 0), y = kt_real_or(b, 0);
	return kt_json_real(op == '+'   ? x + y
	                    : op == '-' ? x - y
	                    : op == '*' ? x * y
	                    : op == '/' ? x / y
	                                : fmod(x, y));
}

static int order(struct cel *c, const struct kt_json *a, const struct kt_json *b)
{
	if (is_number(a) && is_number(b)) {
		double x = kt_real_or(a, 0), y = kt_real_or(b, 0);
		return x < y ? -1 : x > y;
	}
	if (kt_is_string(a) && kt_is_string(b))
		return strcmp(kt_str(a), kt_str(b));
	if (!c->skip)
		bad(c, KT_EINVAL, "no such overload", "");
	return 0;
}

static bool contains(struct cel *c, const struct kt_json *list, const struct kt_json *value)
{
	const struct kt_json *item;
	if (kt_is_object(list))
		return kt_str(value) && kt_get(list, kt_str(value));
	if (!kt_is_array(list) && !c->skip)
		bad(c, KT_EINVAL, "no such overload", "");
	KT_JSON_EACH (item, list)
		if (kt_equal(item, value))
			return true;
	return false;
}

/* --- functions --- */

static int64_t characters(const char *s)
{
	int64_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static struct kt_json *size_of(struct cel *c, const struct kt_json *v)
{
	if (kt_is_string(v))
		return kt_json_int(characters(kt_str(v)));
	if (kt_is_array(v) || kt_is_object(v))
		return kt_json_int((int64_t)kt_count(v));
	return c->skip ? kt_json_null() : bad(c, KT_EINVAL, "no such overload", "");
}

static struct kt_json *matches(struct cel *c, const char *s, const char *pattern)
{
	regex_t re;
	if (strlen(pattern) > 1000 || regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return bad(c, KT_EINVAL, "error parsing regexp: ", pattern);
	bool found = regexec(&re, s, 0, NULL, 0) == 0;
	regfree(&re);
	return kt_json_bool(found);
}

static struct kt_json *to_case(const char *s, bool upper)
{
	char *copy = kt_strdup(s);
	for (char *p = copy; *p; p++)
		if (upper ? *p >= 'a' && *p <= 'z' : *p >= 'A' && *p <= 'Z')
			*p = (char)(*p ^ 32);
	struct kt_json *out = kt_json_str(copy);
	kt_free(copy);
	return out;
}

static struct kt_json *split(const char *s, const char *by)
{
	struct kt_json *out = kt_json_array();
	size_t n = strlen(by);
	for (const char *end; n > 0 && (end = strstr(s, by)) != NULL; s = end + n)
		kt_push(&out, kt_json_strn(s, (size_t)(end - s)));
	kt_push(&out, kt_json_str(s));
	return out;
}

static struct kt_json *convert(struct cel *c, const char *name, const struct kt_json *v)
{
	const char *s = kt_str(v);
	if (strcmp(name, "size") == 0)
		return size_of(c, v);
	if (strcmp(name, "string") == 0) {
		char *text = s ? kt_strdup(s) : kt_json_text(v);
		struct kt_json *out = kt_json_str(text);
		kt_free(text);
		return out;
	}
	if (strcmp(name, "int") == 0 || strcmp(name, "uint") == 0)
		return kt_json_int(s ? strtoll(s, NULL, 10) : (int64_t)kt_real_or(v, 0));
	if (strcmp(name, "double") == 0)
		return kt_json_real(s ? strtod(s, NULL) : kt_real_or(v, 0));
	if (strcmp(name, "type") == 0 || strcmp(name, "dyn") == 0)
		return kt_json_ref(v);
	return bad(c, KT_EUNSUPPORTED, "undeclared reference to ", name);
}

static struct kt_json *method(struct cel *c, const char *name, const struct kt_json *self,
                              const struct kt_json *args)
{
	const char *s = kt_str(self), *a = kt_str(kt_at(args, 0));
	if (strcmp(name, "size") == 0)
		return size_of(c, self);
	if (!s)
		return bad(c, KT_EINVAL, "no such overload: ", name);
	if (strcmp(name, "lowerAscii") == 0 || strcmp(name, "upperAscii") == 0)
		return to_case(s, *name == 'u');
	if (!a)
		return bad(c, KT_EINVAL, "no such overload: ", name);
	if (strcmp(name, "startsWith") == 0)
		return kt_json_bool(kt_starts(s, a));
	if (strcmp(name, "endsWith") == 0)
		return kt_json_bool(kt_ends(s, a));
	if (strcmp(name, "contains") == 0)
		return kt_json_bool(strstr(s, a) != NULL);
	if (strcmp(name, "matches") == 0)
		return matches(c, s, a);
	if (strcmp(name, "split") == 0)
		return split(s, a);
	return bad(c, KT_EUNSUPPORTED, "undeclared reference to ", name);
}

/* --- macros: NAME.all(x, body) and its sisters --- */

static struct kt_json *macro(struct cel *c, const char *name, const struct kt_json *range)
{
	char variable[64];
	size_t hits = 0, n = kt_count(range);
	struct kt_json *out = kt_json_array(), *outer;
	if (!identifier(c, variable) || !want(c, ","))
		bad(c, KT_EINVAL, "syntax error in ", name);
	const char *body = c->at;
	outer = kt_json_ref(kt_get(c->vars, variable));
	bool quiet = c->skip || n == 0;
	c->skip += quiet;
	for (size_t i = 0; (i < n || i == 0) && !c->failed; i++) {
		struct kt_json *item =
		        kt_is_object(range) ? kt_json_str(kt_key(range, i)) : kt_json_ref(kt_at(range, i));
		c->at = body;
		kt_set(&c->vars, variable, item ? kt_json_ref(item) : kt_json_null());
		struct kt_json *v = expression(c);
		if (!quiet && kt_bool_or(v, false))
			hits++;
		if (!quiet &&
		    (strcmp(name, "map") == 0 || (strcmp(name, "filter") == 0 && kt_bool_or(v, false))))
			kt_push(&out, kt_json_ref(strcmp(name, "map") == 0 ? v : item));
		kt_json_free(v);
		kt_json_free(item);
	}
	c->skip -= quiet;
	kt_set(&c->vars, variable, outer);
	want(c, ")");
	if (strcmp(name, "map") == 0 || strcmp(name, "filter") == 0)
		return out;
	kt_json_free(out);
	if (quiet)
		return kt_json_bool(strcmp(name, "all") == 0);
	return kt_json_bool(strcmp(name, "all") == 0      ? hits == n
	                    : strcmp(name, "exists") == 0 ? hits > 0
	                                                  : hits == 1);
}

static bool is_macro(const char *name)
{
	static const char *const names[] = {"all", "exists", "exists_one", "filter", "map"};
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* --- literals --- */

static struct kt_json *string_literal(struct cel *c)
{
	struct kt_buf text = {0};
	char quote = *c->at++;
	while (*c->at && *c->at != quote) {
		if (*c->at == '\\' && c->at[1]) {
			const char *codes = "n\nt\tr\r", *found = strchr(codes, c->at[1]);
			kt_buf_addc(&text, found ? found[1] : c->at[1]);
			c->at += 2;
		} else {
			kt_buf_addc(&text, *c->at++);
		}
	}
	if (*c->at)
		c->at++;
	else
		bad(c, KT_EINVAL, "syntax error: unterminated string", "");
	struct kt_json *out = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return out;
}

static struct kt_json *number_literal(struct cel *c)
{
	char *end, *real_end;
	int64_t i = strtoll(c->at, &end, 0);
	double d = strtod(c->at, &real_end);
	bool real = real_end > end;
	c->at = real ? real_end : end;
	if (*c->at == 'u')
		c->at++;
	return real ? kt_json_real(d) : kt_json_int(i);
}

static struct kt_json *list_literal(struct cel *c, const char *close)
{
	struct kt_json *out = kt_json_array();
	while (!c->failed && !take(c, close)) {
		kt_push(&out, expression(c));
		if (!take(c, ",")) {
			want(c, close);
			break;
		}
	}
	return out;
}

static struct kt_json *map_literal(struct cel *c)
{
	struct kt_json *out = kt_json_object();
	while (!c->failed && !take(c, "}")) {
		struct kt_json *key = expression(c);
		want(c, ":");
		struct kt_json *value = expression(c);
		if (kt_str(key))
			kt_set(&out, kt_str(key), value);
		else
			kt_json_free(value);
		kt_json_free(key);
		if (!take(c, ",")) {
			want(c, "}");
			break;
		}
	}
	return out;
}

/* --- members --- */

static struct kt_json *select_member(struct cel *c, const struct kt_json *v, const char *name)
{
	const struct kt_json *member = kt_get(v, name);
	if (member || c->skip)
		return member ? kt_json_ref(member) : kt_json_null();
	return bad(c, KT_EINVAL, "no such key: ", name);
}

static struct kt_json *select_index(struct cel *c, const struct kt_json *v, const struct kt_json *index)
{
	if (c->skip)
		return kt_json_null();
	if (kt_is_object(v) && kt_str(index))
		return select_member(c, v, kt_str(index));
	int64_t i = kt_int_or(index, -1);
	if (!kt_is_array(v) || i < 0 || i >= (int64_t)kt_count(v))
		return bad(c, KT_EINVAL, "index out of bounds", "");
	return kt_json_ref(kt_at(v, (size_t)i));
}

/* has(a.b.c): the last member may be missing, those before not. */
static struct kt_json *has(struct cel *c)
{
	char name[64];
	if (!identifier(c, name))
		return bad(c, KT_EINVAL, "syntax error in has", "");
	struct kt_json *v = kt_json_ref(kt_get(c->vars, name));
	bool there = v != NULL;
	while (take(c, ".") && identifier(c, name)) {
		if (!there && !c->skip)
			bad(c, KT_EINVAL, "no such key: ", name);
		struct kt_json *next = kt_json_ref(kt_get(v, name));
		there = next != NULL;
		kt_json_free(v);
		v = next;
	}
	kt_json_free(v);
	want(c, ")");
	return kt_json_bool(there);
}

static struct kt_json *primary(struct cel *c)
{
	char name[64];
	space(c);
	if (take(c, "(")) {
		struct kt_json *v = expression(c);
		want(c, ")");
		return v;
	}
	if (take(c, "["))
		return list_literal(c, "]");
	if (take(c, "{"))
		return map_literal(c);
	if (*c->at == '"' || *c->at == '\'')
		return string_literal(c);
	if (*c->at == 'r' && (c->at[1] == '"' || c->at[1] == '\'')) {
		const char *end = strchr(c->at + 2, c->at[1]);
		struct kt_json *v = kt_json_strn(c->at + 2, end ? (size_t)(end - c->at - 2) : 0);
		c->at = end ? end + 1 : c->at + strlen(c->at);
		return v;
	}
	if (*c->at >= '0' && *c->at <= '9')
		return number_literal(c);
	if (take(c, "true"))
		return kt_json_bool(true);
	if (take(c, "false"))
		return kt_json_bool(false);
	if (take(c, "null"))
		return kt_json_null();
	if (!identifier(c, name))
		return bad(c, KT_EINVAL, "syntax error at ", c->at);
	if (take(c, "(")) {
		if (strcmp(name, "has") == 0)
			return has(c);
		struct kt_json *args = list_literal(c, ")");
		struct kt_json *v = c->skip || c->failed ? kt_json_null() : convert(c, name, kt_at(args, 0));
		kt_json_free(args);
		return v;
	}
	const struct kt_json *v = kt_get(c->vars, name);
	if (!v && !c->skip)
		return bad(c, KT_EINVAL, "undeclared reference to ", name);
	return v ? kt_json_ref(v) : kt_json_null();
}

static struct kt_json *postfix(struct cel *c)
{
	struct kt_json *v = primary(c);
	char name[64];
	while (!c->failed) {
		struct kt_json *next = NULL;
		if (take(c, "[")) {
			struct kt_json *index = expression(c);
			want(c, "]");
			next = select_index(c, v, index);
			kt_json_free(index);
		} else if (take(c, ".")) {
			take(c, "?");
			if (!identifier(c, name))
				next = bad(c, KT_EINVAL, "syntax error at ", c->at);
			else if (!take(c, "("))
				next = select_member(c, v, name);
			else if (is_macro(name))
				next = macro(c, name, v);
			else {
				struct kt_json *args = list_literal(c, ")");
				next = c->skip || c->failed ? kt_json_null() : method(c, name, v, args);
				kt_json_free(args);
			}
		} else {
			break;
		}
		kt_json_free(v);
		v = next;
	}
	return v;
}

static struct kt_json *unary(struct cel *c)
{
	space(c);
	if (c->at[0] == '!' && c->at[1] != '=') {
		c->at++;
		struct kt_json *v = unary(c), *out = kt_json_bool(!kt_bool_or(v, false));
		kt_json_free(v);
		return out;
	}
	if (take(c, "-")) {
		struct kt_json *v = unary(c), *zero = kt_json_int(0), *out = arithmetic(c, '-', zero, v);
		kt_json_free(v);
		kt_json_free(zero);
		return out;
	}
	return postfix(c);
}

static struct kt_json *chain(struct cel *c, const char *operators, struct kt_json *(*next)(struct cel *c))
{
	struct kt_json *v = next(c);
	for (;;) {
		space(c);
		if (!*c->at || !strchr(operators, *c->at) || c->failed)
			return v;
		char op = *c->at++;
		struct kt_json *right = next(c), *out = arithmetic(c, op, v, right);
		kt_json_free(v);
		kt_json_free(right);
		v = out;
	}
}

static struct kt_json *product(struct cel *c)
{
	return chain(c, "*/%", unary);
}

static struct kt_json *sum(struct cel *c)
{
	return chain(c, "+-", product);
}

static struct kt_json *relation(struct cel *c)
{
	static const char *const operators[] = {"==", "!=", "<=", ">=", "<", ">", "in"};
	struct kt_json *v = sum(c);
	for (size_t i = 0; i < KT_COUNT(operators) && !c->failed; i++) {
		if (!take(c, operators[i]))
			continue;
		struct kt_json *right = sum(c);
		bool result = i == 0   ? kt_equal(v, right)
		              : i == 1 ? !kt_equal(v, right)
		              : i == 6 ? contains(c, right, v)
		                       : false;
		if (i > 1 && i < 6) {
			int o = order(c, v, right);
			result = i == 2 ? o <= 0 : i == 3 ? o >= 0 : i == 4 ? o < 0 : o > 0;
		}
		kt_json_free(v);
		kt_json_free(right);
		v = kt_json_bool(result);
		i = (size_t)-1; /* comparisons may follow each other */
	}
	return v;
}

/* && and ||: what cannot change the result is not evaluated. */
static struct kt_json *logical(struct cel *c, const char *operator, bool decides,
                               struct kt_json *(*next)(struct cel *c))
{
	struct kt_json *v = next(c);
	while (!c->failed && take(c, operator)) {
		bool decided = kt_bool_or(v, !decides) == decides;
		c->skip += decided;
		struct kt_json *right = next(c);
		c->skip -= decided;
		if (!decided) {
			kt_json_free(v);
			v = kt_json_ref(right);
		}
		kt_json_free(right);
	}
	return v;
}

static struct kt_json *conjunction(struct cel *c)
{
	return logical(c, "&&", false, relation);
}

static struct kt_json *disjunction(struct cel *c)
{
	return logical(c, "||", true, conjunction);
}

static struct kt_json *expression(struct cel *c)
{
	if (++c->steps > MAX_STEPS || c->nest >= MAX_NEST)
		return bad(c, KT_ELIMIT, "expression exceeds its cost budget", "");
	c->nest++;
	struct kt_json *v = disjunction(c);
	if (!c->failed && take(c, "?")) {
		bool yes = kt_bool_or(v, false);
		c->skip += !yes;
		struct kt_json *then = expression(c);
		c->skip -= !yes;
		want(c, ":");
		c->skip += yes;
		struct kt_json *otherwise = expression(c);
		c->skip -= yes;
		kt_json_free(v);
		v = yes ? kt_json_ref(then) : kt_json_ref(otherwise);
		kt_json_free(then);
		kt_json_free(otherwise);
	}
	c->nest--;
	return v;
}

enum kt_code cel_eval(const char *text, const struct kt_json *vars, struct kt_json **out, struct kt_err *err)
{
	struct kt_err own = {0};
	struct cel c = {.at = text, .err = err ? err : &own, .vars = kt_json_ref(vars)};
	if (strlen(text) > MAX_TEXT)
		return kt_fail(err, KT_ELIMIT, "expression is too long");
	struct kt_json *v = expression(&c);
	space(&c);
	if (!c.failed && *c.at)
		bad(&c, KT_EINVAL, "syntax error at ", c.at);
	kt_json_free(c.vars);
	if (c.failed) {
		kt_json_free(v);
		return c.err->code ? c.err->code : KT_EINVAL;
	}
	*out = v;
	return KT_OK;
}

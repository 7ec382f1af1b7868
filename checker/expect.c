/* SPDX-License-Identifier: MIT */
/* EXPECT: a scalar, a list, or operators. Quantities, durations, percentages and times compare by value. */
#include "base/regex.h"
#include "checker/checker_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- comparing --- */

static bool percent(const char *text, double *out)
{
	char *end;
	double d = strtod(text, &end);
	if (end == text || end[0] != '%' || end[1])
		return false;
	*out = d;
	return true;
}

static bool is_number(const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_INT || kt_json_type(v) == KT_JSON_REAL;
}

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

/* A scalar as it is written; owned. */
static char *as_text(const struct kt_json *v)
{
	return kt_str(v) ? kt_strdup(kt_str(v)) : kt_json_text(v);
}

/* A condition's status is "True", a flag in a ConfigMap "yes"; YAML reads both as booleans when they stand
 * without quotes. */
static bool same_bool(bool b, const char *text)
{
	static const char *const words[2][4] = {{"false", "no", "off", "n"}, {"true", "yes", "on", "y"}};
	for (size_t i = 0; i < KT_COUNT(words[0]); i++)
		if (!strcasecmp(words[b][i], text))
			return true;
	return false;
}

/* "30s" against the 30 of a field in seconds. */
static bool seconds(const char *text, kt_ns *out)
{
	char *end;
	double d = strtod(text, &end);
	if (kt_duration_parse(text, out))
		return true;
	if (end == text || *end)
		return false;
	*out = (kt_ns)(d * (double)KT_SEC);
	return true;
}

static bool durations(const char *s, const char *r, kt_ns *t, kt_ns *u)
{
	return (kt_duration_parse(s, t) && seconds(r, u)) || (seconds(s, t) && kt_duration_parse(r, u));
}

static int compare_texts(const char *s, const char *r)
{
	static const char digits[] = "0123456789";
	double x, y;
	kt_ns t, u;
	struct kt_quantity q;
	if (!strcmp(s, r))
		return 0;
	if (percent(s, &x) || percent(r, &y)) /* a share is only like another share */
		return percent(s, &x) && percent(r, &y) ? order(x, y) : -2;
	if (strpbrk(s, digits) && strpbrk(r, digits) &&           /* "n" is a name */
	    kt_quantity_parse(s, &q) && kt_quantity_parse(r, &q)) /* 10m is ten minutes, too */
		return durations(s, r, &t, &u) && t == u ? 0 : kt_quantity_compare(s, r);
	if (durations(s, r, &t, &u))
		return order((double)t, (double)u);
	if (kt_time_parse(s, &t) && kt_time_parse(r, &u))
		return (t > u) - (t < u);
	return -2;
}

static bool same(const struct kt_json *value, const struct kt_json *wanted);

/* Containers are equal when what they hold is, by value. */
static bool same_inside(const struct kt_json *a, const struct kt_json *b)
{
	bool maps = kt_is_object(a) && kt_is_object(b), lists = kt_is_array(a) && kt_is_array(b);
	if (!(maps || lists) || kt_count(a) != kt_count(b))
		return false;
	for (size_t i = 0; i < kt_count(a); i++)
		if (!same(kt_at(a, i), maps ? kt_get(b, kt_key(a, i)) : kt_at(b, i)))
			return false;
	return true;
}

int check_compare(const struct kt_json *a, const struct kt_json *b)
{
	if (!a || !b)
		return -2;
	if (is_number(a) && is_number(b))
		return order(kt_real_or(a, 0), kt_real_or(b, 0));
	if (kt_is_object(a) || kt_is_object(b) || kt_is_array(a) || kt_is_array(b))
		return same_inside(a, b) ? 0 : -2;
	char *s = as_text(a), *r = as_text(b);
	int result = compare_texts(s, r);
	if (result && kt_json_type(a) == KT_JSON_BOOL)
		result = same_bool(kt_bool_or(a, false), r) ? 0 : -2;
	else if (result && kt_json_type(b) == KT_JSON_BOOL)
		result = same_bool(kt_bool_or(b, false), s) ? 0 : -2;
	kt_free(s);
	kt_free(r);
	return result;
}

/* "1.10" in quotes is a version's name rather than a number. */
static bool is_dotted(const struct kt_json *v)
{
	const char *s = kt_str(v);
	return s && *s && strspn(s, "0123456789.") == strlen(s) && strchr(s, '.');
}

static bool same(const struct kt_json *value, const struct kt_json *wanted)
{
	if (is_dotted(value) && is_dotted(wanted))
		return !strcmp(kt_str(value), kt_str(wanted));
	return check_compare(value, wanted) == 0;
}

/* --- operators --- */

static bool has_item(const struct kt_json *list, const struct kt_json *wanted);

/* Every member of `wanted` is in `value` (maps), or every item (lists), all the way down. */
static bool includes(const struct kt_json *value, const struct kt_json *wanted)
{
	if (kt_is_object(value) && kt_is_object(wanted)) {
		for (size_t i = 0; i < kt_count(wanted); i++)
			if (!includes(kt_get(value, kt_key(wanted, i)), kt_at(wanted, i)))
				return false;
		return true;
	}
	if (kt_is_array(value) && kt_is_array(wanted)) {
		const struct kt_json *item;
		KT_JSON_EACH (item, wanted)
			if (!has_item(value, item))
				return false;
		return true;
	}
	if (kt_is_array(value))
		return has_item(value, wanted);
	if (kt_is_object(value) && kt_str(wanted))
		return kt_get(value, kt_str(wanted)) != NULL;
	return same(value, wanted);
}

static bool has_item(const struct kt_json *list, const struct kt_json *wanted)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_is_object(wanted) || kt_is_array(wanted) ? includes(item, wanted) : same(item, wanted))
			return true;
	return false;
}

static bool op_at_least(const struct kt_json *v, const struct kt_json *w)
{
	return check_compare(v, w) >= 0;
}
static bool op_at_most(const struct kt_json *v, const struct kt_json *w)
{
	int c = check_compare(v, w);
	return c == 0 || c == -1;
}
static bool op_more_than(const struct kt_json *v, const struct kt_json *w)
{
	return check_compare(v, w) == 1;
}
static bool op_less_than(const struct kt_json *v, const struct kt_json *w)
{
	return check_compare(v, w) == -1;
}
static bool op_between(const struct kt_json *v, const struct kt_json *w)
{
	return op_at_least(v, kt_at(w, 0)) && op_at_most(v, kt_at(w, 1));
}
static bool op_one_of(const struct kt_json *v, const struct kt_json *w)
{
	return has_item(w, v);
}
static bool op_matches(const struct kt_json *v, const struct kt_json *w)
{
	regex_t regex;
	if (!kt_regex(kt_str_or(w, ""), REG_NOSUB, &regex))
		return false;
	char *text = as_text(v);
	bool fits = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	kt_free(text);
	return fits;
}
/* A text within a text, an item of a list, a key of a map. */
static bool op_contains(const struct kt_json *v, const struct kt_json *w)
{
	if (kt_is_array(v) || kt_is_object(v))
		return includes(v, w);
	if (kt_is_array(w) || kt_is_object(w))
		return false;
	char *text = as_text(v), *part = as_text(w);
	bool fits = strstr(text, part) != NULL;
	kt_free(text);
	kt_free(part);
	return fits;
}
static bool op_includes(const struct kt_json *v, const struct kt_json *w)
{
	return includes(v, w);
}
static bool op_subset_of(const struct kt_json *v, const struct kt_json *w)
{
	return includes(w, v);
}
static bool op_not(const struct kt_json *v, const struct kt_json *w)
{
	struct kt_json *values = kt_json_array();
	kt_push(&values, kt_json_ref(v));
	bool fits = !check_fits(w, values);
	kt_json_free(values);
	return fits;
}

enum want { WANT_SCALAR, WANT_LIST, WANT_PAIR, WANT_TEXT, WANT_BOOL, WANT_EXPECT, WANT_ANY };
static const struct operator
{
	const char *name, *says;
	bool (*fits)(const struct kt_json *value, const struct kt_json *wanted);
	enum want want;
}
operators[] = {
        {"at-least", "at least", op_at_least, WANT_SCALAR},
        {"at-most", "at most", op_at_most, WANT_SCALAR},
        {"more-than", "more than", op_more_than, WANT_SCALAR},
        {"less-than", "less than", op_less_than, WANT_SCALAR},
        {"between", "between", op_between, WANT_PAIR},
        {"one-of", "one of", op_one_of, WANT_LIST},
        {"not", "not", op_not, WANT_EXPECT},
        {"exists", "there", NULL, WANT_BOOL},
        {"matches", "matching", op_matches, WANT_TEXT},
        {"contains", "containing", op_contains, WANT_ANY},
        {"includes", "including", op_includes, WANT_ANY},
        {"subset-of", "within", op_subset_of, WANT_ANY},
        {"equals", "equal to", same, WANT_ANY},
};

static const char *const takes[] = {[WANT_SCALAR] = "one value, as in `at-least: 3`",
                                    [WANT_LIST] = "a list, as in `one-of: [a, b]`",
                                    [WANT_PAIR] = "two values, as in `between: [1, 3]`",
                                    [WANT_TEXT] = "a regular expression, as in `matches: ^web-`",
                                    [WANT_BOOL] = "yes or no",
                                    [WANT_EXPECT] = "a value or an operator",
                                    [WANT_ANY] = "a value"};

bool check_is_bool(const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_BOOL ||
	       (kt_str(v) && (same_bool(true, kt_str(v)) || same_bool(false, kt_str(v))));
}

bool check_bool(const struct kt_json *v, bool otherwise)
{
	return kt_str(v) ? same_bool(true, kt_str(v)) : kt_bool_or(v, otherwise);
}

static const struct operator* find_operator(const char *name)
{
	for (size_t i = 0; i < KT_COUNT(operators); i++)
		if (kt_streq(operators[i].name, name))
			return &operators[i];
	return NULL;
}

enum kt_code check_expect_hold(const struct check_source *source, const struct kt_json *expect)
{
	if (!kt_is_object(expect))
		return KT_OK;
	if (!kt_count(expect))
		return kt_yaml_fail(source->yaml, expect, source->err,
		                    "expected a value or an operator such as at-least");
	for (size_t i = 0; i < kt_count(expect); i++) {
		const struct operator* op = find_operator(kt_key(expect, i));
		const struct kt_json *w = kt_at(expect, i);
		if (!op) {
			const char *names[KT_COUNT(operators)];
			for (size_t k = 0; k < KT_COUNT(operators); k++)
				names[k] = operators[k].name;
			if (!kt_nearest(kt_key(expect, i), names, KT_COUNT(operators)))
				return kt_yaml_fail(
				        source->yaml, w, source->err,
				        "'%s' is no operator: a map is written `{includes: {%s: …}}` or "
				        "`{equals: {…}}`, a deeper path as `a.b.%s: …`",
				        kt_key(expect, i), kt_key(expect, i), kt_key(expect, i));
			return check_unknown_key(source, w, kt_key(expect, i), "the language", names,
			                         KT_COUNT(operators));
		}
		regex_t regex;
		bool wrong = (op->want == WANT_PAIR && kt_count(w) != 2) ||
		             (op->want == WANT_LIST && !kt_is_array(w)) ||
		             (op->want == WANT_BOOL && !check_is_bool(w)) ||
		             (op->want == WANT_SCALAR && (kt_is_array(w) || kt_is_object(w))) ||
		             (op->want == WANT_TEXT && !kt_str(w));
		if (!wrong && op->fits == op_matches) {
			wrong = !kt_regex(kt_str(w), REG_NOSUB, &regex);
			if (!wrong)
				regfree(&regex);
		}
		if (wrong)
			return kt_yaml_fail(source->yaml, w, source->err, "'%s': expected %s", op->name,
			                    takes[op->want]);
		enum kt_code rc = op->want == WANT_EXPECT ? check_expect_hold(source, w) : KT_OK;
		if (rc)
			return rc;
	}
	return KT_OK;
}

static bool has_null(const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_json_type(item) == KT_JSON_NULL)
			return true;
	return false;
}

/* A path that ends in nothing: `null`, `exists: no`, `one-of: [null, …]` and what is not something fit. */
static bool fits_nothing(const struct kt_json *expect)
{
	if (!kt_is_object(expect))
		return kt_json_type(expect) == KT_JSON_NULL;
	for (size_t i = 0; i < kt_count(expect); i++) {
		const struct kt_json *w = kt_at(expect, i);
		bool fits = kt_streq(kt_key(expect, i), "exists")   ? !check_bool(w, true)
		            : kt_streq(kt_key(expect, i), "not")    ? !fits_nothing(w)
		            : kt_streq(kt_key(expect, i), "one-of") ? has_null(w)
		                                                    : false;
		if (!fits)
			return false;
	}
	return kt_count(expect) > 0;
}

/* `besides`: an operator that is not for a single value. */
static bool fits_one(const struct kt_json *expect, const struct kt_json *value, const char *besides)
{
	if (!kt_is_object(expect))
		return same(value, expect);
	for (size_t i = 0; i < kt_count(expect); i++) {
		const struct operator* op = find_operator(kt_key(expect, i));
		if (!op)
			return false;
		if (besides && kt_streq(op->name, besides))
			continue;
		if (!op->fits ? !check_bool(kt_at(expect, i), true) : !op->fits(value, kt_at(expect, i)))
			return false;
	}
	return true;
}

/* `containers[*].name: {includes: [app, log]}`: no single name includes anything, the names together do. */
static bool are_a_list(const struct kt_json *expect, const struct kt_json *values)
{
	const struct kt_json *value;
	KT_JSON_EACH (value, values)
		if (kt_is_array(value) || kt_is_object(value))
			return false;
	return kt_get(expect, "includes") != NULL;
}

bool check_fits(const struct kt_json *expect, const struct kt_json *values)
{
	size_t count = kt_count(values);
	if (!count)
		return fits_nothing(expect);
	bool together = are_a_list(expect, values);
	if (together && !includes(values, kt_get(expect, "includes")))
		return false;
	const struct kt_json *value;
	KT_JSON_EACH (value, values)
		if (!fits_one(expect, value, together ? "includes" : NULL))
			return false;
	return true;
}

/* --- words --- */

static void show(const struct kt_json *v, struct kt_buf *out)
{
	if (kt_str(v)) {
		kt_buf_add_clean(out, kt_str(v), kt_str_len(v));
	} else if (kt_is_array(v)) {
		const struct kt_json *item;
		size_t n = 0;
		KT_JSON_EACH (item, v) {
			kt_buf_adds(out, n++ ? ", " : "");
			show(item, out);
		}
		if (!n)
			kt_buf_adds(out, "an empty list");
	} else if (kt_json_type(v) == KT_JSON_NULL) {
		kt_buf_adds(out, "nothing");
	} else {
		kt_json_print(v, out);
	}
}

void check_describe(const struct kt_json *expect, struct kt_buf *out)
{
	if (!kt_is_object(expect)) {
		show(expect, out);
		return;
	}
	for (size_t i = 0; i < kt_count(expect); i++) {
		const struct operator* op = find_operator(kt_key(expect, i));
		const struct kt_json *w = kt_at(expect, i);
		kt_buf_adds(out, i ? " and " : "");
		if (op && op->want == WANT_BOOL) {
			kt_buf_adds(out, check_bool(w, true) ? "there" : "not there");
			continue;
		}
		kt_buf_addf(out, "%s ", op ? op->says : kt_key(expect, i));
		if (op && op->want == WANT_PAIR) {
			show(kt_at(w, 0), out);
			kt_buf_adds(out, " and ");
			show(kt_at(w, 1), out);
		} else if (op && op->want == WANT_EXPECT) {
			check_describe(w, out);
		} else {
			show(w, out);
		}
	}
}

void check_show(const struct kt_json *values, struct kt_buf *out)
{
	const struct kt_json *v;
	size_t n = 0;
	KT_JSON_EACH (v, values) {
		if (n == 6) {
			kt_buf_addf(out, ", … (%zu in all)", kt_count(values));
			return;
		}
		kt_buf_adds(out, n++ ? ", " : "");
		show(v, out);
	}
	if (!n)
		kt_buf_adds(out, "nothing");
}

/* SPDX-License-Identifier: MIT */
/* EXPECT: a scalar, a list, or operators. Quantities, durations, percentages and times compare by value. */
#include "checker/checker_internal.h"

#include <regex.h>
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

static bool number(const struct kt_json *v, double *out)
{
	enum kt_json_type type = kt_json_type(v);
	if (type == KT_JSON_INT || type == KT_JSON_REAL) {
		*out = kt_real_or(v, 0);
		return true;
	}
	return kt_str(v) && percent(kt_str(v), out);
}

static int order(double a, double b)
{
	return (a > b) - (a < b);
}

static const char *as_text(const struct kt_json *v, char *room, size_t size)
{
	if (kt_str(v))
		return kt_str(v);
	char *text = kt_json_text(v);
	size_t len = KT_MIN(strlen(text), size - 1);
	memcpy(room, text, len);
	room[len] = '\0';
	kt_free(text);
	return room;
}

int check_compare(const struct kt_json *a, const struct kt_json *b)
{
	char room_a[64], room_b[64];
	double x, y;
	kt_ns t, u;
	struct kt_quantity q;
	if (number(a, &x) && number(b, &y))
		return order(x, y);
	if (kt_is_object(a) || kt_is_object(b) || kt_is_array(a) || kt_is_array(b))
		return kt_equal(a, b) ? 0 : -2;
	const char *s = as_text(a, room_a, sizeof(room_a)), *r = as_text(b, room_b, sizeof(room_b));
	if (!strcmp(s, r))
		return 0;
	if (kt_quantity_parse(s, &q) && kt_quantity_parse(r, &q))
		return kt_quantity_compare(s, r);
	if (kt_duration_parse(s, &t) && kt_duration_parse(r, &u))
		return order((double)t, (double)u);
	if (kt_time_parse(s, &t) && kt_time_parse(r, &u))
		return (t > u) - (t < u);
	/* a condition's status is "True"; YAML's True is a boolean */
	bool boolean = kt_json_type(a) == KT_JSON_BOOL || kt_json_type(b) == KT_JSON_BOOL;
	return boolean && !strcasecmp(s, r) ? 0 : -2;
}

static bool same(const struct kt_json *value, const struct kt_json *wanted)
{
	return check_compare(value, wanted) == 0;
}

/* --- operators --- */

static bool has_item(const struct kt_json *list, const struct kt_json *wanted);

/* Every member of `wanted` is in `value` (maps), or every item (lists). */
static bool includes(const struct kt_json *value, const struct kt_json *wanted)
{
	if (kt_is_array(value) && !kt_is_array(wanted))
		return has_item(value, wanted);
	if (kt_is_object(wanted)) {
		for (size_t i = 0; i < kt_count(wanted); i++) {
			const struct kt_json *mine = kt_get(value, kt_key(wanted, i));
			if (!mine || !(kt_is_object(kt_at(wanted, i)) ? includes(mine, kt_at(wanted, i))
			                                              : same(mine, kt_at(wanted, i))))
				return false;
		}
		return kt_is_object(value);
	}
	if (kt_is_array(wanted)) {
		const struct kt_json *item;
		KT_JSON_EACH (item, wanted)
			if (!has_item(value, item))
				return false;
		return kt_is_array(value);
	}
	return has_item(value, wanted);
}

static bool has_item(const struct kt_json *list, const struct kt_json *wanted)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_is_object(wanted) ? includes(item, wanted) : same(item, wanted))
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
	char room[256];
	regex_t regex;
	if (regcomp(&regex, kt_str_or(w, ""), REG_EXTENDED | REG_NOSUB))
		return false;
	bool fits = regexec(&regex, as_text(v, room, sizeof(room)), 0, NULL, 0) == 0;
	regfree(&regex);
	return fits;
}
static bool op_contains(const struct kt_json *v, const struct kt_json *w)
{
	char room[256];
	if (kt_str(v))
		return strstr(kt_str(v), as_text(w, room, sizeof(room))) != NULL;
	if (kt_is_object(v) && kt_str(w))
		return kt_get(v, kt_str(w)) != NULL;
	return includes(v, w);
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
			return check_unknown_key(source, w, kt_key(expect, i), "the language", names,
			                         KT_COUNT(operators));
		}
		regex_t regex;
		bool wrong = (op->want == WANT_PAIR && kt_count(w) != 2) ||
		             (op->want == WANT_LIST && !kt_is_array(w)) ||
		             (op->want == WANT_BOOL && kt_json_type(w) != KT_JSON_BOOL) ||
		             (op->want == WANT_SCALAR && (kt_is_array(w) || kt_is_object(w))) ||
		             (op->want == WANT_TEXT && !kt_str(w));
		if (!wrong && op->fits == op_matches) {
			wrong = regcomp(&regex, kt_str(w), REG_EXTENDED | REG_NOSUB) != 0;
			if (!wrong)
				regfree(&regex);
		}
		if (wrong)
			return kt_yaml_fail(source->yaml, w, source->err,
			                    "'%s': this is not what the operator takes", op->name);
		enum kt_code rc = op->want == WANT_EXPECT ? check_expect_hold(source, w) : KT_OK;
		if (rc)
			return rc;
	}
	return KT_OK;
}

/* What a path yields where it ends in nothing: only `exists: no` and `not: …` fit. */
static bool fits_nothing(const struct kt_json *expect)
{
	for (size_t i = 0; i < kt_count(expect); i++) {
		bool exists_no = kt_streq(kt_key(expect, i), "exists") && !kt_bool_or(kt_at(expect, i), true);
		if (!exists_no && !kt_streq(kt_key(expect, i), "not"))
			return false;
	}
	return kt_is_object(expect) && kt_count(expect);
}

static bool fits_one(const struct kt_json *expect, const struct kt_json *value)
{
	if (!kt_is_object(expect))
		return same(value, expect);
	for (size_t i = 0; i < kt_count(expect); i++) {
		const struct operator* op = find_operator(kt_key(expect, i));
		if (!op)
			return false;
		if (!op->fits ? !kt_bool_or(kt_at(expect, i), true) : !op->fits(value, kt_at(expect, i)))
			return false;
	}
	return true;
}

bool check_fits(const struct kt_json *expect, const struct kt_json *values)
{
	size_t count = kt_count(values);
	if (!count)
		return fits_nothing(expect);
	const struct kt_json *value;
	KT_JSON_EACH (value, values)
		if (!fits_one(expect, value))
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
			kt_buf_adds(out, kt_bool_or(w, true) ? "there" : "not there");
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

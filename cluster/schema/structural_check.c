/* SPDX-License-Identifier: MIT */
/* Values of custom objects against their structural schema, in the words of the real server (kube-openapi
 * pkg/validation, apiextensions-apiserver pkg/apiserver/validation, field.Error of apimachinery). Rules of
 * x-kubernetes-validations (CEL) are not evaluated. */
#include "base/regex.h"
#include "cluster/schema/schema_internal.h"

#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 100, MAX_ERRORS = 100, MAX_PATTERN = 4096 };

struct check {
	struct kt_json *errors;
	bool blocked; /* an error after which the server does not look at rules */
	bool rules;   /* the schema has such rules */
	unsigned depth;
};

/* `old`: what it was, NULL where there was nothing or nobody can tell. */
static void check_value(struct check *c, const struct kt_json *schema, const struct kt_json *value,
                        const struct kt_json *old, const char *path);

static const char *kind_of_value(const struct kt_json *v)
{
	static const char *const names[] = {
	        [KT_JSON_NULL] = "null",    [KT_JSON_BOOL] = "boolean",  [KT_JSON_INT] = "integer",
	        [KT_JSON_REAL] = "number",  [KT_JSON_STRING] = "string", [KT_JSON_ARRAY] = "array",
	        [KT_JSON_OBJECT] = "object"};
	return names[kt_json_type(v)];
}

/* --- errors: rows of reason and opening words --- */
enum failure { REQUIRED, INVALID, TYPE_INVALID, UNSUPPORTED, TOO_LONG, TOO_MANY, DUPLICATE };
static const struct {
	const char *reason, *opening;
	bool blocks;
} failures[] = {
        [REQUIRED] = {"FieldValueRequired", "Required value", true},
        [INVALID] = {"FieldValueInvalid", "Invalid value", false},
        [TYPE_INVALID] = {"FieldValueTypeInvalid", "Invalid value", true},
        [UNSUPPORTED] = {"FieldValueNotSupported", "Unsupported value", true},
        [TOO_LONG] = {"FieldValueTooLong", "Too long", true},
        [TOO_MANY] = {"FieldValueTooMany", "Too many", true},
        [DUPLICATE] = {"FieldValueDuplicate", "Duplicate value", false},
};

/* `shown`: the value in the message (consumed), or NULL; `detail` (consumed) may be NULL. */
static void add_error(struct check *c, enum failure failure, const char *path, struct kt_json *shown,
                      char *detail)
{
	if (kt_count(c->errors) < MAX_ERRORS) {
		struct kt_buf text = {0};
		kt_buf_adds(&text, failures[failure].opening);
		if (shown) {
			kt_buf_adds(&text, ": ");
			kt_json_print(shown, &text);
		}
		if (detail && *detail)
			kt_buf_addf(&text, ": %s", detail);
		kt_push(&c->errors, kt_jsonf("{reason: %s, message: %s, field: %s}", failures[failure].reason,
		                             kt_buf_str(&text), *path ? path : "<nil>"));
		kt_buf_clear(&text);
	}
	c->blocked = c->blocked || failures[failure].blocks;
	kt_json_free(shown);
	kt_free(detail);
}

static void invalid(struct check *c, const char *path, const struct kt_json *value, char *detail)
{
	add_error(c, INVALID, path, kt_json_ref(value), detail);
}

/* "spec.heads in body should be less than 9", with something behind the bound or "". */
static char *said(const char *path, const char *what, const struct kt_json *bound, const char *behind)
{
	char *text = kt_json_text(bound);
	char *all = kt_strf("%s in body should be %s%s%s", path, what, text, behind);
	kt_free(text);
	return all;
}

/* --- scalars --- */
static bool type_fits(const char *type, const struct kt_json *v)
{
	const char *have = kind_of_value(v);
	if (!strcmp(type, have))
		return true;
	if (!strcmp(type, "number"))
		return !strcmp(have, "integer");
	return !strcmp(type, "integer") && kt_json_type(v) == KT_JSON_REAL &&
	       !(kt_real_or(v, 0) < floor(kt_real_or(v, 0))) && !(kt_real_or(v, 0) > floor(kt_real_or(v, 0)));
}

static bool check_type(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                       const char *path)
{
	const char *type = kt_get_str(schema, "type");
	if (kt_json_type(v) == KT_JSON_NULL && kt_get_bool(schema, "nullable", false))
		return true;
	if (kt_get_bool(schema, "x-kubernetes-int-or-string", false)) {
		if (kt_is_string(v) || kt_json_type(v) == KT_JSON_INT)
			return true;
		type = "integer,string";
	}
	if (!type || !*type || type_fits(type, v))
		return true;
	const char *have = kind_of_value(v);
	add_error(c, TYPE_INVALID, path, kt_json_str(have),
	          kt_strf("%s in body must be of type %s: \"%s\"", path, type, have));
	return false;
}

static void check_enum(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                       const char *path)
{
	const struct kt_json *values = kt_get(schema, "enum"), *one;
	struct kt_buf words = {0};
	if (!kt_count(values))
		return;
	KT_JSON_EACH (one, values)
		if (kt_equal(one, v))
			return;
	KT_JSON_EACH (one, values) {
		kt_buf_adds(&words, words.len ? ", " : "supported values: ");
		if (kt_is_string(one)) {
			kt_json_print(one, &words);
		} else {
			char *text = kt_json_text(one);
			kt_json_print_string(text, strlen(text), &words);
			kt_free(text);
		}
	}
	add_error(c, UNSUPPORTED, path, kt_json_ref(v), kt_buf_take(&words));
}

static void check_number(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                         const char *path)
{
	const struct kt_json *most = kt_get(schema, "maximum"), *least = kt_get(schema, "minimum");
	const struct kt_json *factor = kt_get(schema, "multipleOf");
	bool below = kt_get_bool(schema, "exclusiveMaximum", false),
	     above = kt_get_bool(schema, "exclusiveMinimum", false);
	double x = kt_real_or(v, 0), max = kt_real_or(most, 0), min = kt_real_or(least, 0);
	if (most && (x > max || (below && x >= max)))
		invalid(c, path, v, said(path, below ? "less than " : "less than or equal to ", most, ""));
	if (least && (x < min || (above && x <= min)))
		invalid(c, path, v,
		        said(path, above ? "greater than " : "greater than or equal to ", least, ""));
	if (factor && kt_real_or(factor, 0) > 0 && fabs(remainder(x, kt_real_or(factor, 1))) > 1e-9)
		invalid(c, path, v, said(path, "a multiple of ", factor, ""));
}

bool schema_pattern_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool matches = true;
	if (strlen(pattern) <= MAX_PATTERN && kt_regex(pattern, REG_NOSUB, &regex)) {
		matches = !regexec(&regex, text, 0, NULL, 0);
		regfree(&regex);
	}
	return matches;
}

bool schema_pattern_find(const char *pattern, const char *text, size_t *begin, size_t *end)
{
	regex_t regex;
	regmatch_t match = {0};
	bool found = false;
	if (strlen(pattern) > MAX_PATTERN)
		return false;
	if (kt_regex(pattern, 0, &regex)) {
		found = !regexec(&regex, text, 1, &match, 0);
		regfree(&regex);
	}
	*begin = (size_t)match.rm_so;
	*end = (size_t)match.rm_eo;
	return found;
}

/* Go's words for what regexp/syntax commonly finds; NULL: nothing is wrong that is looked for here. */
static char *pattern_fault(const char *pattern)
{
	size_t open = 0;
	bool operand = false;
	for (const char *p = pattern; *p; p++) {
		if (*p == '\\') {
			if (!p[1])
				return kt_strdup("trailing backslash at end of expression: ``");
			p++;
			operand = true;
		} else if (*p == '[') {
			const char *end = p + 1 + (p[1] == '^');
			end += *end == ']';
			while (*end && *end != ']')
				end += *end == '\\' && end[1] ? 2 : 1;
			if (!*end)
				return kt_strf("missing closing ]: `%s`", p);
			p = end;
			operand = true;
		} else if (*p == '(') {
			open++;
			operand = false;
			if (p[1] == '?')
				p += strcspn(p, ":>)");
			if (!*p)
				break;
		} else if (*p == ')') {
			if (!open--)
				return kt_strf("unexpected ): `%s`", pattern);
			operand = true;
		} else if (strchr("*+?", *p)) {
			if (!operand)
				return kt_strf("missing argument to repetition operator: `%c`", *p);
		} else {
			operand = *p != '|';
		}
	}
	return open ? kt_strf("missing closing ): `%s`", pattern) : NULL;
}

bool schema_pattern_parses(const char *pattern, struct kt_err *err)
{
	char *fault = pattern_fault(pattern);
	if (fault)
		(void)kt_fail(err, KT_EINVAL, "error parsing regexp: %s", fault);
	kt_free(fault);
	return !fault;
}

static size_t characters(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* --- formats of texts (kube-openapi pkg/validation/strfmt); what is not known fits --- */
static bool is_date_time(const char *s)
{
	kt_ns t;
	return kt_time_parse(s, &t);
}

static bool is_bytes(const char *s)
{
	struct kt_buf out = {0};
	bool fine = *s && kt_unbase64(s, strlen(s), &out);
	kt_buf_clear(&out);
	return fine;
}

/* Go's durations, and "3 days" as well. */
static bool is_duration(const char *s)
{
	return schema_pattern_matches("^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\\.[0-"
	                              "9]*)?|\\.[0-9]+)"
	                              "(ns|us|µs|ms|s|m|h))*$",
	                              s) ||
	       strcmp(s, "0") == 0 ||
	       schema_pattern_matches(
	               "^[0-9]+ *(nanos?(econds?)?|micros?(econds?)?|millis?(econds?)?|s(ec(onds?)?)?|"
	               "m(in(utes?)?)?|h(r|ours?)?|d(ays?)?|w(k|eeks?)?)$",
	               s);
}

static bool has_format(const char *format, const char *s)
{
	static const struct {
		const char *name, *pattern;
		bool (*fits)(const char *s);
	} rows[] = {
	        {"date-time", NULL, is_date_time},
	        {"byte", NULL, is_bytes},
	        {"duration", NULL, is_duration},
	        {"date", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", NULL},
	        {"ipv4", "^((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])$",
	         NULL},
	        {"uuid", "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$",
	         NULL},
	        {"email", "^[^@ ]+@[^@ ]+$", NULL},
	        {"uri", "^([A-Za-z][A-Za-z0-9+.-]*:.+|/.*)$", NULL},
	};
	for (size_t i = 0; format && i < KT_COUNT(rows); i++)
		if (strcmp(rows[i].name, format) == 0)
			return rows[i].fits ? rows[i].fits(s) : schema_pattern_matches(rows[i].pattern, s);
	return true;
}

static void check_string(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                         const char *path)
{
	const struct kt_json *most = kt_get(schema, "maxLength"), *least = kt_get(schema, "minLength");
	const char *pattern = kt_get_str(schema, "pattern"), *format = kt_get_str(schema, "format");
	int64_t length = (int64_t)characters(kt_str(v));
	if (most && length > kt_int_or(most, 0)) {
		add_error(c, TOO_LONG, path, NULL,
		          kt_strf("may not be more than %lld byte%s", (long long)kt_int_or(most, 0),
		                  kt_int_or(most, 0) == 1 ? "" : "s"));
		return; /* the first fault of a text is told */
	}
	if (least && length < kt_int_or(least, 0))
		invalid(c, path, v, said(path, "at least ", least, " chars long"));
	else if (pattern && !schema_pattern_matches(pattern, kt_str(v)))
		invalid(c, path, v, kt_strf("%s in body should match '%s'", path, pattern));
	if (!has_format(format, kt_str(v)))
		add_error(c, TYPE_INVALID, path, kt_json_ref(v),
		          kt_strf("%s in body must be of type %s: \"%s\"", path, format, kt_str(v)));
}

/* --- containers --- */
static char *have_at_least(const char *path, const struct kt_json *bound, const char *what)
{
	return kt_strf("%s in body should have at least %lld %s", path, (long long)kt_int_or(bound, 0), what);
}

/* The same item (set) or the same keys (map) twice. */
static void check_unique(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                         const char *path)
{
	const char *list_type = kt_get_str(schema, "x-kubernetes-list-type");
	const struct kt_json *keys = kt_get(schema, "x-kubernetes-list-map-keys"), *key;
	bool set = kt_streq(list_type, "set"), map = kt_streq(list_type, "map");
	struct kt_json *seen = kt_json_array();
	for (size_t i = 0; (set || map) && i < kt_count(v); i++) {
		struct kt_json *mark = set ? kt_json_ref(kt_at(v, i)) : kt_json_object();
		bool twice = false;
		if (map)
			KT_JSON_EACH (key, keys)
				if (kt_str(key) && kt_get(kt_at(v, i), kt_str(key)))
					kt_set(&mark, kt_str(key),
					       kt_json_ref(kt_get(kt_at(v, i), kt_str(key))));
		for (size_t j = 0; j < kt_count(seen) && !twice; j++)
			twice = kt_equal(kt_at(seen, j), mark);
		if (twice) {
			char *inner = kt_strf("%s[%zu]", path, i);
			add_error(c, DUPLICATE, inner, kt_json_ref(mark), NULL);
			kt_free(inner);
		}
		kt_push(&seen, mark);
	}
	kt_json_free(seen);
}

/* The item of the old list with the same keys; NULL where lists are not told apart by keys. */
const struct kt_json *schema_old_item(const struct kt_json *schema, const struct kt_json *old,
                                      const struct kt_json *item)
{
	const struct kt_json *keys = kt_get(schema, "x-kubernetes-list-map-keys"), *key, *other;
	if (!kt_streq(kt_get_str(schema, "x-kubernetes-list-type"), "map"))
		return NULL;
	KT_JSON_EACH (other, old) {
		bool same = true;
		KT_JSON_EACH (key, keys)
			same = same && kt_equal(kt_get(item, kt_str(key)), kt_get(other, kt_str(key)));
		if (same)
			return other;
	}
	return NULL;
}

static void check_array(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                        const struct kt_json *old, const char *path)
{
	const struct kt_json *items = kt_get(schema, "items"), *most = kt_get(schema, "maxItems");
	const struct kt_json *least = kt_get(schema, "minItems");
	int64_t n = (int64_t)kt_count(v);
	for (size_t i = 0; items && i < kt_count(v); i++) {
		char *inner = kt_strf("%s[%zu]", path, i);
		check_value(c, items, kt_at(v, i), schema_old_item(schema, old, kt_at(v, i)), inner);
		kt_free(inner);
	}
	if (least && n < kt_int_or(least, 0))
		add_error(c, INVALID, path, kt_json_int(n), have_at_least(path, least, "items"));
	if (most && n > kt_int_or(most, 0))
		add_error(c, TOO_MANY, path, kt_json_int(n),
		          kt_strf("must have at most %lld item%s", (long long)kt_int_or(most, 0),
		                  kt_int_or(most, 0) == 1 ? "" : "s"));
	check_unique(c, schema, v, path);
}

static char *child(const char *path, const char *key)
{
	return kt_strf("%s%s%s", path, *path ? "." : "", key);
}

static void check_object(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                         const struct kt_json *old, const char *path)
{
	const struct kt_json *properties = kt_get(schema, "properties");
	const struct kt_json *additional = kt_get(schema, "additionalProperties"), *key;
	const struct kt_json *most = kt_get(schema, "maxProperties"),
	                     *least = kt_get(schema, "minProperties");
	int64_t n = (int64_t)kt_count(v);
	bool atomic = kt_streq(kt_get_str(schema, "x-kubernetes-map-type"), "atomic");
	if (least && n < kt_int_or(least, 0))
		add_error(c, INVALID, path, kt_json_int(n), have_at_least(path, least, "properties"));
	if (most && n > kt_int_or(most, 0))
		add_error(c, TOO_MANY, path, kt_json_int(n),
		          kt_strf("must have at most %lld item%s", (long long)kt_int_or(most, 0),
		                  kt_int_or(most, 0) == 1 ? "" : "s"));
	for (size_t i = 0; i < kt_count(v); i++) {
		const struct kt_json *inner = kt_get(properties, kt_key(v, i));
		char *at = child(path, kt_key(v, i));
		if (!inner && kt_is_object(additional))
			inner = additional;
		if (inner)
			check_value(c, inner, kt_at(v, i), atomic ? NULL : kt_get(old, kt_key(v, i)), at);
		kt_free(at);
	}
	KT_JSON_EACH (key, kt_get(schema, "required")) {
		if (!kt_str(key) || kt_get(v, kt_str(key)))
			continue;
		char *at = child(path, kt_str(key));
		add_error(c, REQUIRED, at, NULL, NULL);
		kt_free(at);
	}
}

/* --- allOf, anyOf, oneOf, not --- */
static size_t fitting(struct check *c, const struct kt_json *list, const struct kt_json *v,
                      const struct kt_json *old, const char *path)
{
	const struct kt_json *one;
	size_t n = 0;
	KT_JSON_EACH (one, list) {
		struct check inner = {.depth = c->depth};
		check_value(&inner, one, v, old, path);
		n += !kt_count(inner.errors);
		kt_json_free(inner.errors);
	}
	return n;
}

static void composite(struct check *c, const char *path, const char *what)
{
	add_error(c, INVALID, "", kt_json_str(""), kt_strf("\"%s\" must %s", path, what));
}

static void check_composites(struct check *c, const struct kt_json *schema, const struct kt_json *v,
                             const struct kt_json *old, const char *path)
{
	const struct kt_json *all = kt_get(schema, "allOf"), *any = kt_get(schema, "anyOf");
	const struct kt_json *one = kt_get(schema, "oneOf"), *none = kt_get(schema, "not"), *part;
	if (kt_count(any) && !fitting(c, any, v, old, path)) {
		composite(c, path, "validate at least one schema (anyOf)");
		check_value(c, kt_at(any, 0), v, old, path); /* what was nearest is told as well */
	}
	size_t n = kt_count(one) ? fitting(c, one, v, old, path) : 1;
	if (!n) {
		composite(c, path, "validate one and only one schema (oneOf). Found none valid");
		check_value(c, kt_at(one, 0), v, old, path);
	} else if (n > 1) {
		char *what =
		        kt_strf("validate one and only one schema (oneOf). Found %zu valid alternatives", n);
		composite(c, path, what);
		kt_free(what);
	}
	if (kt_count(all) && fitting(c, all, v, old, path) < kt_count(all)) {
		KT_JSON_EACH (part, all)
			check_value(c, part, v, old, path);
		composite(c, path, "validate all the schemas (allOf)");
	}
	if (kt_is_object(none)) {
		struct check inner = {.depth = c->depth};
		check_value(&inner, none, v, old, path);
		if (!kt_count(inner.errors))
			composite(c, path, "not validate the schema (not)");
		kt_json_free(inner.errors);
	}
}

/* What is as it was may be wrong: only what is changed is held to the schema (apiextensions-apiserver
 * pkg/apiserver/validation/ratcheting.go). */
static void check_value(struct check *c, const struct kt_json *schema, const struct kt_json *value,
                        const struct kt_json *old, const char *path)
{
	if (old && kt_equal(old, value))
		return;
	bool deep = ++c->depth <= MAX_DEPTH, fits = deep && check_type(c, schema, value, path);
	if (fits)
		check_composites(c, schema, value, old, path);
	if (deep && (fits || kt_json_type(value) != KT_JSON_NULL))
		check_enum(c, schema, value, path);
	if (fits) {
		switch (kt_json_type(value)) {
		case KT_JSON_INT:
		case KT_JSON_REAL:
			check_number(c, schema, value, path);
			break;
		case KT_JSON_STRING:
			check_string(c, schema, value, path);
			break;
		case KT_JSON_ARRAY:
			check_array(c, schema, value, old, path);
			break;
		case KT_JSON_OBJECT:
			check_object(c, schema, value, old, path);
			break;
		case KT_JSON_NULL:
		case KT_JSON_BOOL:
			break;
		}
	}
	c->depth--;
}

static bool has_rules(const struct kt_json *schema, unsigned depth)
{
	if (depth > MAX_DEPTH)
		return false;
	if (kt_count(kt_get(schema, "x-kubernetes-validations")))
		return true;
	for (size_t i = 0; i < kt_count(schema); i++) {
		const struct kt_json *v = kt_at(schema, i);
		if ((kt_is_object(v) || kt_is_array(v)) && has_rules(v, depth + 1))
			return true;
	}
	return false;
}

/* The real server's validator of a member knows nothing around it: the words say where in the member, the
 * field says where in the object. */
static void check_member(struct check *c, const struct kt_json *schema, const struct kt_json *object,
                         const struct kt_json *old, const char *member)
{
	if (!kt_get(object, member))
		return;
	check_value(c, kt_get(kt_get(schema, "properties"), member), kt_get(object, member),
	            kt_get(old, member), "");
	for (size_t i = 0, n = kt_count(c->errors); i < n; i++) {
		const char *path = kt_get_text(kt_at(c->errors, i), "field");
		bool whole = strcmp(path, "<nil>") == 0;
		struct kt_json *field =
		        kt_json_strf("%s%s%s", member, whole || *path == '[' ? "" : ".", whole ? "" : path);

		kt_set(kt_edit_at(&c->errors, i), "field", field);
	}
}

struct kt_json *schema_validate_crd_object(const struct schema_kind *kind, const struct kt_json *object,
                                           const struct kt_json *old, const char *member)
{
	const struct kt_json *schema = kind->crd ? schema_structural(kind) : NULL;
	struct check c = {.rules = has_rules(schema, 0)};
	if (!kt_is_object(schema) || !kt_is_object(object))
		return NULL;
	if (member)
		check_member(&c, schema, object, old, member);
	else
		check_value(&c, schema, object, old, "");
	if (c.blocked && c.rules)
		add_error(&c, INVALID, "", kt_json_null(),
		          kt_strdup("some validation rules were not checked because the object was invalid; "
		                    "correct "
		                    "the existing errors to complete validation"));
	return c.errors;
}

struct kt_json *schema_validate_value(const struct kt_json *schema, const struct kt_json *value)
{
	struct check c = {0};
	check_value(&c, schema, value, NULL, "");
	return c.errors;
}

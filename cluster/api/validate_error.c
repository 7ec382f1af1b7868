/* SPDX-License-Identifier: MIT */
/* Field errors: k8s.io/apimachinery/pkg/util/validation/field/errors.go, and the rule tables. */
#include "cluster/api/validate.h"

#include <string.h>

#define MAX_ERRORS 200

void v_path_print(const struct v_path *path, struct kt_buf *out)
{
	if (path->up)
		v_path_print(path->up, out);
	if (path->name)
		kt_buf_addf(out, "%s%s", path->up && out->len > 0 ? "." : "", path->name);
	else if (path->key)
		kt_buf_addf(out, "[%s]", path->key);
	else
		kt_buf_addf(out, "[%zu]", path->index);
}

size_t v_count(const struct v *v)
{
	return kt_count(v->errors->causes);
}

/* The words before the detail, by metav1.CauseType. */
static void add(struct rules_errors *errors, const char *cause, const char *field,
                const struct kt_json *value, bool valued, const char *detail)
{
	static const char *const prefixes[][2] = {
	        {"FieldValueInvalid", "Invalid value"},     {"FieldValueRequired", "Required value"},
	        {"FieldValueDuplicate", "Duplicate value"}, {"FieldValueNotSupported", "Unsupported value"},
	        {"FieldValueForbidden", "Forbidden"},       {"FieldValueNotFound", "Not found"},
	        {"FieldValueTooLong", "Too long"},          {"FieldValueTooMany", "Too many"},
	        {"FieldValueTypeInvalid", "Invalid value"}, {"InternalError", "Internal error"},
	};
	struct kt_buf message = {0};
	if (!errors->causes)
		errors->causes = kt_json_array();
	if (kt_count(errors->causes) >= MAX_ERRORS)
		return;
	for (size_t i = 0; i < KT_COUNT(prefixes); i++)
		if (strcmp(prefixes[i][0], cause) == 0)
			kt_buf_adds(&message, prefixes[i][1]);
	if (valued) {
		kt_buf_adds(&message, ": ");
		if (kt_is_string(value))
			kt_json_print_pretty(value, 0, &message); /* %q leaves <, > and & */
		else
			kt_json_print(value, &message);
	}
	if (*detail)
		kt_buf_addf(&message, ": %s", detail);
	kt_push(&errors->causes,
	        kt_jsonf("{reason: %s, message: %s, field: %s}", cause, kt_buf_str(&message), field));
	kt_buf_clear(&message);
}

void rules_error(struct rules_errors *errors, const char *cause, const char *field,
                 const struct kt_json *bad_value, const char *fmt, ...)
{
	struct kt_buf detail = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&detail, fmt, ap);
	va_end(ap);
	add(errors, cause, field, bad_value, bad_value != NULL, kt_buf_str(&detail));
	kt_buf_clear(&detail);
}

void rules_errors_clear(struct rules_errors *errors)
{
	kt_json_free(errors->causes);
	kt_strs_clear(&errors->warnings);
	errors->causes = NULL;
}

static void report(struct v *v, const char *cause, const struct v_path *path, const struct kt_json *value,
                   bool valued, const char *detail)
{
	struct kt_buf field = {0};
	v_path_print(path, &field);
	add(v->errors, cause, kt_buf_str(&field), value, valued, detail);
	kt_buf_clear(&field);
}

static void reportf(struct v *v, const char *cause, const struct v_path *path, const struct kt_json *value,
                    bool valued, const char *fmt, va_list ap) KT_PRINTF(6, 0);
static void reportf(struct v *v, const char *cause, const struct v_path *path, const struct kt_json *value,
                    bool valued, const char *fmt, va_list ap)
{
	struct kt_buf detail = {0};
	kt_buf_vaddf(&detail, fmt, ap);
	report(v, cause, path, value, valued, kt_buf_str(&detail));
	kt_buf_clear(&detail);
}

void v_invalid(struct v *v, const struct v_path *path, const struct kt_json *value, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	reportf(v, "FieldValueInvalid", path, value, true, fmt, ap);
	va_end(ap);
}

void v_invalid_str(struct v *v, const struct v_path *path, const char *value, const char *fmt, ...)
{
	struct kt_json *text = kt_json_str(value ? value : "");
	va_list ap;
	va_start(ap, fmt);
	reportf(v, "FieldValueInvalid", path, text, true, fmt, ap);
	va_end(ap);
	kt_json_free(text);
}

void v_invalid_steal(struct v *v, const struct v_path *path, struct kt_json *value, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	reportf(v, "FieldValueInvalid", path, value, true, fmt, ap);
	va_end(ap);
	kt_json_free(value);
}

void v_invalid_bare(struct v *v, const struct v_path *path, const char *detail)
{
	report(v, "FieldValueInvalid", path, NULL, false, detail);
}

void v_add_cause(struct v *v, const struct kt_json *cause)
{
	if (!v->errors->causes)
		v->errors->causes = kt_json_array();
	if (kt_count(v->errors->causes) < MAX_ERRORS)
		kt_push(&v->errors->causes, kt_json_ref(cause));
}

void v_required(struct v *v, const struct v_path *path, const char *detail)
{
	report(v, "FieldValueRequired", path, NULL, false, detail);
}

void v_duplicate(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	report(v, "FieldValueDuplicate", path, value, true, "");
}

void v_duplicate_because(struct v *v, const struct v_path *path, const struct kt_json *value,
                         const char *detail)
{
	report(v, "FieldValueDuplicate", path, value, true, detail);
}

void v_forbidden(struct v *v, const struct v_path *path, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	reportf(v, "FieldValueForbidden", path, NULL, false, fmt, ap);
	va_end(ap);
}

void v_not_found(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	report(v, "FieldValueNotFound", path, value, true, "");
}

void v_not_found_because(struct v *v, const struct v_path *path, const struct kt_json *value,
                         const char *detail)
{
	report(v, "FieldValueNotFound", path, value, true, detail);
}

void v_unsupported(struct v *v, const struct v_path *path, const struct kt_json *value,
                   const char *const *values)
{
	struct kt_buf detail = {0};
	struct kt_json *none = value ? NULL : kt_json_str("");
	kt_buf_adds(&detail, "supported values: ");
	for (size_t i = 0; values[i]; i++)
		kt_buf_addf(&detail, "%s\"%s\"", i > 0 ? ", " : "", values[i]);
	report(v, "FieldValueNotSupported", path, value ? value : none, true, kt_buf_str(&detail));
	kt_buf_clear(&detail);
	kt_json_free(none);
}

void v_too_long(struct v *v, const struct v_path *path, size_t max)
{
	char *detail = kt_strf("may not be more than %zu bytes", max);
	report(v, "FieldValueTooLong", path, NULL, false, detail);
	kt_free(detail);
}

void v_too_many(struct v *v, const struct v_path *path, size_t is, size_t max)
{
	char *detail = kt_strf("must have at most %zu item%s", max, max == 1 ? "" : "s");
	struct kt_json *count = kt_json_int((int64_t)is);
	report(v, "FieldValueTooMany", path, count, true, detail);
	kt_json_free(count);
	kt_free(detail);
}

void v_warn(struct v *v, const struct v_path *path, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	v_path_print(path, &text);
	kt_buf_adds(&text, ": ");
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_strs_steal(&v->errors->warnings, kt_buf_take(&text));
}

bool v_check(struct v *v, const struct v_path *path, const char *s, v_format *format)
{
	struct kt_strs faults = {0};
	format(s, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid_str(v, path, s, "%s", faults.items[i]);
	bool fine = faults.count == 0;
	kt_strs_clear(&faults);
	return fine;
}

/* --- rule tables --- */

static bool is_one_of(const char *s, const char *const *values)
{
	for (size_t i = 0; values[i]; i++)
		if (strcmp(s, values[i]) == 0)
			return true;
	return false;
}

static void check_int(struct v *v, const struct v_path *path, const struct kt_json *value,
                      const struct v_rule *rule)
{
	int64_t i = kt_int_or(value, 0);
	if (kt_json_type(value) == KT_JSON_NULL)
		return;
	if (rule->kind == V_MIN && i < rule->lo)
		v_invalid(v, path, value, "must be greater than or equal to %lld", (long long)rule->lo);
	else if (rule->kind == V_POSITIVE && i <= 0)
		v_invalid(v, path, value, "must be greater than 0");
	else if (rule->kind == V_RANGE && (i < rule->lo || i > rule->hi))
		v_invalid(v, path, value, "must be between %lld and %lld, inclusive", (long long)rule->lo,
		          (long long)rule->hi);
}

static void check_string(struct v *v, const struct v_path *path, const struct kt_json *value,
                         const struct v_rule *rule)
{
	const char *s = kt_str_or(value, "");
	bool needed = rule->kind == V_REQUIRED || rule->kind == V_NEEDED || rule->kind == V_ENUM_NEEDED;
	if (!*s && needed)
		v_required(v, path, "");
	else if (*s && rule->format)
		v_check(v, path, s, rule->format);
	else if (rule->values && (*s || value) && !is_one_of(s, rule->values))
		v_unsupported(v, path, value, rule->values);
}

static void run(struct v *v, const struct v_path *path, const struct kt_json *value,
                const struct v_rule *rule)
{
	const struct kt_json *item;
	switch (rule->kind) {
	case V_MIN:
	case V_POSITIVE:
	case V_RANGE:
		check_int(v, path, value, rule);
		break;
	case V_CALL:
		rule->fn(v, path, value);
		break;
	case V_OBJECT:
		if (value && kt_json_type(value) != KT_JSON_NULL)
			rule->fn(v, path, value);
		break;
	case V_EACH:
		KT_JSON_EACH (item, value)
			rule->fn(v, V_AT(path, item_i), item);
		break;
	case V_IMMUTABLE:
	case V_FIXED:
		break;
	default:
		check_string(v, path, value, rule);
		break;
	}
}

void v_rules(struct v *v, const struct v_path *path, const struct kt_json *object, const struct v_rule *rules,
             size_t count)
{
	for (size_t i = 0; i < count; i++)
		run(v, V_IN(path, rules[i].field), kt_get(object, rules[i].field), &rules[i]);
}

void v_immutable(struct v *v, const struct v_path *path, const struct kt_json *now, const struct kt_json *old)
{
	if ((now || old) && !(now && old && kt_equal(now, old)))
		v_invalid(v, path, now, "field is immutable");
}

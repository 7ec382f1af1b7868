/* SPDX-License-Identifier: MIT */
/* Custom resources: their schema (schema_validate_crd_object), then its rules in CEL (apiextensions-apiserver
 * pkg/apiserver/schema/cel). */
#include "cluster/api/validate.h"
#include "cluster/cel/cel.h"

#include <string.h>

#define MAX_DEPTH 64

struct custom {
	struct v *v;
	unsigned depth;
};

static const char *type_of(const struct kt_json *v)
{
	static const char *const names[] = {
	        [KT_JSON_NULL] = "null",    [KT_JSON_BOOL] = "boolean",  [KT_JSON_INT] = "integer",
	        [KT_JSON_REAL] = "number",  [KT_JSON_STRING] = "string", [KT_JSON_ARRAY] = "array",
	        [KT_JSON_OBJECT] = "object"};
	return names[kt_json_type(v)];
}

/* --- rules in CEL --- */

struct subject {
	const struct v_path *path;
	const struct kt_json *value, *old; /* old: NULL unless it can be told which it was */
	bool kept; /* it, or what it is a part of, is as it was: what is wrong is only warned of */
};

/* What messageExpression makes, if that is one line of text; owned. */
static char *spoken(const struct kt_json *rule, const struct cel_world *world)
{
	const char *text = kt_get_text(rule, "messageExpression");
	struct cel_program *program = NULL;
	struct kt_buf wrong = {0};
	struct kt_json *value = NULL;
	char *out = NULL;
	if (*text && cel_compile(text, world->variables, &program, &wrong) &&
	    cel_run(program, world, &value, NULL) == KT_OK && kt_str_len(value) > 0 &&
	    !strpbrk(kt_str(value), "\r\n") && kt_str(value)[strspn(kt_str(value), " \t")])
		out = kt_strdup(kt_str(value));
	kt_buf_clear(&wrong);
	cel_program_free(program);
	kt_json_free(value);
	return out;
}

/* The rule says which field is to blame, and for what. */
static void refuse(struct v *v, const struct v_path *path, const struct kt_json *rule,
                   const struct kt_json *shown, const char *detail)
{
	const char *reason = kt_get_text(rule, "reason"), *field = kt_get_text(rule, "fieldPath");
	struct v_path below = {path, NULL, NULL, 0};
	const struct v_path *at = path;
	char *name = NULL;
	if (*field) {
		name = kt_strdup(field + (*field == '.'));
		below.name = name;
		at = &below;
	}
	if (strcmp(reason, "FieldValueForbidden") == 0)
		v_forbidden(v, at, "%s", detail);
	else if (strcmp(reason, "FieldValueRequired") == 0)
		v_required(v, at, detail);
	else if (strcmp(reason, "FieldValueDuplicate") == 0)
		v_duplicate(v, at, shown);
	else
		v_invalid(v, at, shown, "%s", detail);
	kt_free(name);
}

/* As refuse(), but a warning: nobody is kept from changing something else. */
static void warn(struct custom *c, const struct v_path *path, const struct kt_json *rule,
                 const struct kt_json *shown, const char *detail)
{
	struct rules_errors errors = {0};
	struct v v = *c->v;
	v.errors = &errors;
	refuse(&v, path, rule, shown, detail);
	const struct kt_json *cause = kt_at(errors.causes, 0);
	char *text = kt_strf("%s: %s", kt_get_text(cause, "field"), kt_get_text(cause, "message"));
	kt_strs_steal(&c->v->errors->warnings, text);
	rules_errors_clear(&errors);
}

/* A rule that could not be evaluated. */
static void failed(struct custom *c, const struct subject *s, const struct kt_json *rule,
                   const struct kt_json *shown, const char *why)
{
	const char *message = kt_get_str(rule, "message");
	char *whole = message ? kt_strdup(message) : kt_strf("failed rule: %s", kt_get_text(rule, "rule"));
	if (kt_starts(why, "no such overload"))
		v_invalid(c->v, s->path, shown,
		          "'%s': call arguments did not match a supported operator, function or macro "
		          "signature for rule: %s",
		          why, whole);
	else if (kt_starts(why, "operation cancelled"))
		v_invalid(c->v, s->path, shown,
		          "'%s': no further validation rules will be run due to call cost exceeds limit for "
		          "rule: %s",
		          why, whole);
	else
		v_invalid(c->v, s->path, shown, "%s evaluating rule: %s", why, whole);
	kt_free(whole);
}

static void run_rule(struct custom *c, const struct subject *s, const struct kt_json *rule,
                     const struct cel_type *type)
{
	const char *text = kt_get_text(rule, "rule"), *message = kt_get_str(rule, "message");
	struct kt_arena arena = {0};
	bool optional = kt_get_bool(rule, "optionalOldSelf", false);
	const struct cel_variable variables[] = {
	        {"self", type}, {"oldSelf", optional ? cel_optional_of(&arena, type) : type}, {NULL, NULL}};
	struct kt_json *values = kt_jsonf("{self: %J, oldSelf: %J}", s->value, s->old);
	struct kt_json *shown = kt_json_str(type_of(s->value)), *result = NULL;
	struct cel_world world = {.values = values, .variables = variables};
	struct cel_program *program = NULL;
	struct kt_buf wrong = {0};
	struct kt_err err = {0};
	char *said = NULL;
	bool uses_old;
	if (!cel_compile(text, variables, &program, &wrong)) {
		v_invalid(c->v, s->path, shown, "rule compile error: compilation failed: %s",
		          kt_buf_str(&wrong));
		goto out;
	}
	uses_old = cel_program_uses(program, "oldSelf");
	if (uses_old && !s->old && !optional)
		goto out;
	if (cel_run(program, &world, &result, &err) != KT_OK) {
		failed(c, s, rule, shown, err.text);
	} else if (!kt_bool_or(result, false)) {
		said = spoken(rule, &world);
		if (!said)
			said = message ? kt_strdup(message) : kt_strf("failed rule: %s", text);
		if (s->kept && !uses_old)
			warn(c, s->path, rule, shown, said);
		else
			refuse(c->v, s->path, rule, shown, said);
	}
out:
	cel_program_free(program);
	kt_buf_clear(&wrong);
	kt_arena_clear(&arena);
	kt_free(said);
	kt_json_free(result);
	kt_json_free(shown);
	kt_json_free(values);
}

static void run_rules(struct custom *c, const struct subject *s, const struct kt_json *schema, bool root)
{
	const struct kt_json *rules = kt_get(schema, "x-kubernetes-validations"), *rule, *item;
	struct kt_arena arena = {0};
	if (!schema || !s->value || kt_json_type(s->value) == KT_JSON_NULL || c->depth >= MAX_DEPTH)
		return;
	c->depth++;
	root = root || kt_get_bool(schema, "x-kubernetes-embedded-resource", false);
	const struct cel_type *type =
	        kt_count(rules) > 0 ? cel_schema_type(&arena, schema, root, "selfType") : NULL;
	struct subject here = *s;
	here.path = s->path ? s->path : V_ROOT("<nil>");
	KT_JSON_EACH (rule, rules)
		if (type)
			run_rule(c, &here, rule, type);
	kt_arena_clear(&arena);
	for (size_t i = 0, n = kt_is_object(s->value) ? kt_count(s->value) : 0; i < n; i++) {
		const char *key = kt_key(s->value, i);
		const struct kt_json *below = kt_get(kt_get(schema, "properties"), key),
		                     *old = kt_get(s->old, key);
		if (!below && kt_is_object(kt_get(schema, "additionalProperties")))
			below = kt_get(schema, "additionalProperties");
		struct subject sub = {V_IN(s->path, key), kt_at(s->value, i), old,
		                      s->kept || (old && kt_equal(old, kt_at(s->value, i)))};
		run_rules(c, &sub, below, false);
	}
	if (kt_is_array(s->value))
		KT_JSON_EACH (item, s->value) {
			const struct kt_json *old = schema_old_item(schema, s->old, item);
			struct subject sub = {V_AT(s->path, item_i), item, old,
			                      s->kept || (old && kt_equal(old, item))};
			run_rules(c, &sub, kt_get(schema, "items"), false);
		}
	c->depth--;
}

/* Rules are looked at only where the object has the shape that they may rely on. */
static bool is_blocked(const struct kt_json *causes)
{
	const struct kt_json *cause;
	KT_JSON_EACH (cause, causes)
		if (kt_streq(kt_get_str(cause, "field"), "<nil>") ||
		    !kt_streq(kt_get_str(cause, "reason"), "FieldValueInvalid"))
			return true;
	return false;
}

/* --- what the scale subresource reads --- */

/* As Go names the type of what JSON gave. */
static const char *go_type(const struct kt_json *value)
{
	switch (kt_json_type(value)) {
	case KT_JSON_STRING:
		return "string";
	case KT_JSON_BOOL:
		return "bool";
	case KT_JSON_INT:
		return "int64";
	case KT_JSON_REAL:
		return "float64";
	case KT_JSON_ARRAY:
		return "[]interface {}";
	case KT_JSON_OBJECT:
		return "map[string]interface {}";
	default:
		return "<nil>";
	}
}

static void wrong_type(struct v *v, const char *path, const struct kt_json *value, const char *expected,
                       struct kt_json *shown)
{
	char *text = kt_str(value) ? kt_strdup(kt_str(value)) : kt_json_text(value);
	v_invalid_steal(v, V_ROOT(path), shown, "%s accessor error: %s is of the type %s, expected %s", path,
	                text, go_type(value), expected);
	kt_free(text);
}

/* apiextensions-apiserver pkg/registry/customresource/validator.go ValidateScaleSpec, ValidateScaleStatus */
static void scale_field(struct v *v, const char *path, bool is_text)
{
	const struct kt_json *value = v->object;
	const char *rest = path + 1, *name;
	size_t len;
	while ((name = kt_split(&rest, '.', &len)) != NULL) {
		if (kt_json_type(value) != KT_JSON_OBJECT) {
			wrong_type(v, path, value, "map[string]interface{}",
			           is_text ? kt_json_str("") : kt_json_int(0));
			return;
		}
		char *key = kt_strndup(name, len);
		value = kt_get(value, key);
		kt_free(key);
		if (!value)
			return;
	}
	if (is_text && kt_json_type(value) != KT_JSON_STRING)
		wrong_type(v, path, value, "string", kt_json_str(""));
	else if (!is_text && kt_json_type(value) != KT_JSON_INT)
		wrong_type(v, path, value, "int64", kt_json_int(0));
	else if (!is_text && kt_int_or(value, 0) < 0)
		v_invalid(v, V_ROOT(path), value, "should be a non-negative integer");
	else if (!is_text && kt_int_or(value, 0) > INT32_MAX)
		v_invalid(v, V_ROOT(path), value, "should be less than or equal to %d", INT32_MAX);
}

static void scale_fields(struct v *v, const struct kt_json *scale, bool of_status)
{
	static const struct {
		const char *field;
		bool of_spec, is_text;
	} rows[] = {{"specReplicasPath", true, false},
	            {"statusReplicasPath", false, false},
	            {"labelSelectorPath", false, true}};
	for (size_t i = 0; scale && i < KT_COUNT(rows); i++) {
		const char *path = kt_get_text(scale, rows[i].field);
		if (*path == '.' && !(of_status && rows[i].of_spec))
			scale_field(v, path, rows[i].is_text);
	}
}

void v_custom_resource(struct v *v, bool of_status)
{
	const struct kt_json *version, *schema = NULL, *scale = NULL, *cause;
	/* by the schema of the version that the request speaks: what is kept in another is not looked at
	 * again */
	const struct schema_kind *kind = v->asked && v->asked->crd ? v->asked : v->kind;
	struct kt_json *causes =
	        schema_validate_crd_object(kind, v->object, v->old, of_status ? "status" : NULL);
	KT_JSON_EACH (version, kt_path(kind->crd, "spec.versions"))
		if (kt_streq(kt_get_str(version, "name"), kind->version))
			schema = kt_path(version, "schema.openAPIV3Schema"),
			scale = kt_path(version, "subresources.scale");
	KT_JSON_EACH (cause, causes)
		v_add_cause(v, cause);
	scale_fields(v, scale, of_status);
	if (schema && !is_blocked(causes)) {
		struct custom c = {.v = v};
		struct subject whole = {NULL, v->object, v->old, false};
		run_rules(&c, &whole, schema, true);
	}
	kt_json_free(causes);
}

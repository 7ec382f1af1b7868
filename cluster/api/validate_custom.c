/* SPDX-License-Identifier: MIT */
/* Custom resources: their schema (schema_validate_crd_object), then its rules in CEL, as far as cel.h goes
 * (apiextensions-apiserver pkg/apiserver/schema/cel). */
#include "cluster/api/cel.h"
#include "cluster/api/validate.h"

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

/* What messageExpression makes, if that is one line of text; owned. */
static char *spoken(const struct kt_json *rule, const struct kt_json *vars)
{
	const char *text = kt_get_text(rule, "messageExpression");
	struct kt_json *value = NULL;
	char *out = NULL;
	if (*text && cel_eval(text, vars, &value, NULL) == KT_OK && kt_str_len(value) > 0 &&
	    !strpbrk(kt_str(value), "\r\n") && kt_str(value)[strspn(kt_str(value), " \t")])
		out = kt_strdup(kt_str(value));
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

static void run_rule(struct custom *c, const struct v_path *path, const struct kt_json *rule,
                     const struct kt_json *value, const struct kt_json *old)
{
	const char *text = kt_get_text(rule, "rule"), *message = kt_get_str(rule, "message");
	char *said = NULL;
	struct kt_json *vars = kt_jsonf("{self: %J, oldSelf: %J}", value, old);
	struct kt_json *shown = kt_json_str(type_of(value));
	struct kt_err err = {0};
	struct kt_json *result = NULL;
	if (strstr(text, "oldSelf") && !old)
		goto out;
	if (cel_eval(text, vars, &result, &err) != KT_OK) {
		v_invalid(c->v, path, shown, "rule could not be evaluated: %s", err.text);
	} else if (!kt_bool_or(result, false)) {
		said = spoken(rule, vars);
		if (!said)
			said = message ? kt_strdup(message) : kt_strf("failed rule: %s", text);
		refuse(c->v, path, rule, shown, said);
	}
out:
	kt_free(said);
	kt_json_free(result);
	kt_json_free(shown);
	kt_json_free(vars);
}

static void run_rules(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                      const struct kt_json *value, const struct kt_json *old)
{
	const struct kt_json *rule, *item;
	if (!schema || !value || c->depth >= MAX_DEPTH)
		return;
	c->depth++;
	KT_JSON_EACH (rule, kt_get(schema, "x-kubernetes-validations"))
		run_rule(c, path ? path : V_ROOT("<nil>"), rule, value, old);
	for (size_t i = 0, n = kt_is_object(value) ? kt_count(value) : 0; i < n; i++) {
		const char *key = kt_key(value, i);
		const struct kt_json *below = kt_get(kt_get(schema, "properties"), key);
		if (!below && kt_is_object(kt_get(schema, "additionalProperties")))
			below = kt_get(schema, "additionalProperties");
		run_rules(c, V_IN(path, key), below, kt_at(value, i), kt_get(old, key));
	}
	if (kt_is_array(value))
		KT_JSON_EACH (item, value)
			run_rules(c, V_AT(path, item_i), kt_get(schema, "items"), item, NULL);
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

void v_custom_resource(struct v *v)
{
	const struct kt_json *version, *schema = NULL, *cause;
	struct kt_json *causes = schema_validate_crd_object(v->kind, v->object);
	KT_JSON_EACH (version, kt_path(v->kind->crd, "spec.versions"))
		if (kt_streq(kt_get_str(version, "name"), v->kind->version))
			schema = kt_path(version, "schema.openAPIV3Schema");
	KT_JSON_EACH (cause, causes)
		v_add_cause(v, cause);
	if (schema && !is_blocked(causes)) {
		struct custom c = {.v = v};
		run_rules(&c, NULL, schema, v->object, v->old);
	}
	kt_json_free(causes);
}

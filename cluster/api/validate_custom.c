/* SPDX-License-Identifier: MIT */
/* Custom resources against the structural schema of their definition: k8s.io/kube-openapi pkg/validation with
 * the words of apiextensions-apiserver pkg/apiserver/validation/validation.go. */
#include "cluster/api/validate.h"
#include "cluster/api/cel.h"

#include <math.h>
#include <regex.h>
#include <string.h>

#define MAX_DEPTH 64

struct custom {
	struct v *v;
	unsigned depth;
	bool rules;   /* the schema has x-kubernetes-validations */
	bool blocked; /* what is wrong keeps the rules from being checked */
};

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

static const char *type_of(const struct kt_json *v)
{
	static const char *const names[] = {
	        [KT_JSON_NULL] = "null",     [KT_JSON_BOOL] = "boolean",  [KT_JSON_INT] = "integer",
	        [KT_JSON_REAL] = "number",   [KT_JSON_STRING] = "string", [KT_JSON_ARRAY] = "array",
	        [KT_JSON_OBJECT] = "object",
	};
	return names[kt_json_type(v)];
}

static char *dotted(const struct v_path *path)
{
	struct kt_buf text = {0};
	v_path_print(path, &text);
	return kt_buf_take(&text);
}

static bool type_fits(const struct kt_json *schema, const struct kt_json *value)
{
	const char *type = str(schema, "type"), *is = type_of(value);
	if (kt_get_bool(schema, "x-kubernetes-int-or-string", false))
		return strcmp(is, "integer") == 0 || strcmp(is, "string") == 0;
	if (!*type || strcmp(type, is) == 0)
		return true;
	if (strcmp(is, "null") == 0)
		return kt_get_bool(schema, "nullable", false);
	if (strcmp(type, "number") == 0)
		return strcmp(is, "integer") == 0;
	return strcmp(type, "integer") == 0 && strcmp(is, "number") == 0 &&
	       kt_real_or(value, 0.5) == floor(kt_real_or(value, 0.5));
}

static void check_numbers(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                          const struct kt_json *value)
{
	const struct kt_json *min = kt_get(schema, "minimum"), *max = kt_get(schema, "maximum"),
	                     *step = kt_get(schema, "multipleOf");
	double is = kt_real_or(value, 0);
	bool below = kt_get_bool(schema, "exclusiveMinimum", false),
	     above = kt_get_bool(schema, "exclusiveMaximum", false);
	char *name = dotted(path), *text;
	if (max && (above ? is >= kt_real_or(max, 0) : is > kt_real_or(max, 0))) {
		text = kt_json_text(max);
		v_invalid(c->v, path, value, "%s in body should be less than %s%s", name,
		          above ? "" : "or equal to ", text);
		kt_free(text);
	}
	if (min && (below ? is <= kt_real_or(min, 0) : is < kt_real_or(min, 0))) {
		text = kt_json_text(min);
		v_invalid(c->v, path, value, "%s in body should be greater than %s%s", name,
		          below ? "" : "or equal to ", text);
		kt_free(text);
	}
	if (step && kt_real_or(step, 0) > 0 && fmod(is, kt_real_or(step, 1)) != 0) {
		text = kt_json_text(step);
		v_invalid(c->v, path, value, "%s in body should be a multiple of %s", name, text);
		kt_free(text);
	}
	kt_free(name);
}

static void check_string(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                         const struct kt_json *value)
{
	const char *pattern = kt_get_str(schema, "pattern"), *s = kt_str_or(value, "");
	int64_t max = kt_get_int(schema, "maxLength", -1), min = kt_get_int(schema, "minLength", -1),
	        length = 0;
	regex_t re;
	char *name = dotted(path);
	for (const char *p = s; *p; p++)
		length += ((unsigned char)*p & 0xc0) != 0x80;
	if (max >= 0 && length > max) {
		v_too_long(c->v, path, (size_t)max);
		c->blocked = true;
	}
	if (min >= 0 && length < min)
		v_invalid(c->v, path, value, "%s in body should be at least %lld chars long", name,
		          (long long)min);
	if (pattern && strlen(pattern) < 2000 && regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
		if (regexec(&re, s, 0, NULL, 0) != 0)
			v_invalid(c->v, path, value, "%s in body should match '%s'", name, pattern);
		regfree(&re);
	}
	kt_free(name);
}

static void check(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                  const struct kt_json *value);

static void check_array(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                        const struct kt_json *value)
{
	int64_t max = kt_get_int(schema, "maxItems", -1), min = kt_get_int(schema, "minItems", -1);
	const struct kt_json *item;
	char *name = dotted(path);
	if (max >= 0 && (int64_t)kt_count(value) > max) {
		v_too_many(c->v, path, kt_count(value), (size_t)max);
		c->blocked = true;
	}
	if (min >= 0 && (int64_t)kt_count(value) < min)
		v_invalid_steal(c->v, path, kt_json_int((int64_t)kt_count(value)),
		                "%s in body should have at least %lld items", name, (long long)min);
	kt_free(name);
	KT_JSON_EACH (item, value)
		check(c, V_AT(path, item_i), kt_get(schema, "items"), item);
}

static void check_object(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                         const struct kt_json *value)
{
	const struct kt_json *properties = kt_get(schema, "properties"),
	                     *more = kt_get(schema, "additionalProperties"), *name;
	KT_JSON_EACH (name, kt_get(schema, "required"))
		if (!kt_get(value, kt_str_or(name, ""))) {
			v_required(c->v, V_IN(path, kt_str_or(name, "")), "");
			c->blocked = true;
		}
	for (size_t i = 0, n = kt_count(value); i < n; i++) {
		const char *key = kt_key(value, i);
		const struct kt_json *below = kt_get(properties, key);
		if (!below && kt_is_object(more))
			below = more;
		if (!path && (strcmp(key, "metadata") == 0 || strcmp(key, "apiVersion") == 0 ||
		              strcmp(key, "kind") == 0))
			continue;
		if (below)
			check(c, V_IN(path, key), below, kt_at(value, i));
	}
}

static void check_enum(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                       const struct kt_json *value)
{
	const struct kt_json *list = kt_get(schema, "enum"), *item;
	size_t n = kt_count(list);
	if (n == 0)
		return;
	KT_JSON_EACH (item, list)
		if (kt_equal(item, value))
			return;
	const char **words = kt_alloc((n + 1) * sizeof(*words));
	struct kt_strs texts = {0};
	for (size_t i = 0; i < n; i++) {
		if (kt_str(kt_at(list, i)))
			kt_strs_add(&texts, kt_str(kt_at(list, i)));
		else
			kt_strs_steal(&texts, kt_json_text(kt_at(list, i)));
		words[i] = texts.items[i];
	}
	v_unsupported(c->v, path, value, words);
	c->blocked = true;
	kt_free((void *)(uintptr_t)words);
	kt_strs_clear(&texts);
}

static void check(struct custom *c, const struct v_path *path, const struct kt_json *schema,
                  const struct kt_json *value)
{
	if (!schema || c->depth >= MAX_DEPTH)
		return;
	c->rules = c->rules || kt_count(kt_get(schema, "x-kubernetes-validations")) > 0;
	if (kt_json_type(value) == KT_JSON_NULL && kt_get_bool(schema, "nullable", false))
		return;
	if (!type_fits(schema, value)) {
		struct kt_json *is = kt_json_str(type_of(value));
		char *name = dotted(path ? path : V_ROOT(""));
		v_invalid(c->v, path ? path : V_ROOT(""), is, "%s in body must be of type %s: \"%s\"", name,
		          str(schema, "type"), type_of(value));
		kt_free(name);
		kt_json_free(is);
		c->blocked = true;
		return;
	}
	c->depth++;
	if (kt_is_object(value))
		check_object(c, path, schema, value);
	else if (kt_is_array(value))
		check_array(c, path, schema, value);
	else if (kt_is_string(value))
		check_string(c, path, schema, value);
	else if (kt_json_type(value) == KT_JSON_INT || kt_json_type(value) == KT_JSON_REAL)
		check_numbers(c, path, schema, value);
	check_enum(c, path, schema, value);
	c->depth--;
}

/* --- rules in CEL --- */

static void run_rule(struct custom *c, const struct v_path *path, const struct kt_json *rule,
                     const struct kt_json *value, const struct kt_json *old)
{
	const char *text = str(rule, "rule"), *message = kt_get_str(rule, "message");
	struct kt_json *vars = kt_jsonf("{self: %J, oldSelf: %J}", value, old);
	struct kt_json *shown = kt_json_str(type_of(value));
	struct kt_err err = {0};
	struct kt_json *result = NULL;
	if (strstr(text, "oldSelf") && !old)
		goto out;
	if (cel_eval(text, vars, &result, &err) != KT_OK) {
		v_invalid(c->v, path, shown, "rule could not be evaluated: %s", err.text);
	} else if (!kt_bool_or(result, false)) {
		if (message)
			v_invalid(c->v, path, shown, "%s", message);
		else
			v_invalid(c->v, path, shown, "failed rule: %s", text);
	}
out:
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

static bool has_rules(const struct kt_json *schema, unsigned depth)
{
	const struct kt_json *properties = kt_get(schema, "properties");
	if (!schema || depth > MAX_DEPTH)
		return false;
	if (kt_count(kt_get(schema, "x-kubernetes-validations")) > 0)
		return true;
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		if (has_rules(kt_at(properties, i), depth + 1))
			return true;
	return has_rules(kt_get(schema, "items"), depth + 1) ||
	       has_rules(kt_get(schema, "additionalProperties"), depth + 1);
}

void v_custom_resource(struct v *v)
{
	const struct kt_json *version, *schema = NULL;
	KT_JSON_EACH (version, kt_path(v->kind->crd, "spec.versions"))
		if (kt_streq(kt_get_str(version, "name"), v->kind->version))
			schema = kt_path(version, "schema.openAPIV3Schema");
	if (!schema)
		return;
	struct custom c = {.v = v};
	check(&c, NULL, schema, v->object);
	if (!has_rules(schema, 0))
		return;
	if (c.blocked)
		v_invalid(v, V_ROOT("<nil>"), NULL,
		          "some validation rules were not checked because the object was invalid; correct "
		          "the existing errors to complete "
		          "validation");
	else
		run_rules(&c, NULL, schema, v->object, v->old);
}

/* SPDX-License-Identifier: MIT */
/* What makes the schema of a custom kind structural (apiextensions-apiserver pkg/apiserver/schema
 * validation.go), and its defaults (schema/defaulting). */
#include "cluster/api/validate.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

static bool is_set(const struct kt_json *v, const char *key)
{
	return kt_get_bool(v, key, false);
}

/* Children that are schemas themselves, in the order in which the server goes through them. */
static const char *const junctors[] = {"allOf", "oneOf", "anyOf"};

/* --- structural: collected, then sorted by their words --- */

enum level { ROOT, ITEM, FIELD };

static void nested(struct v *v, const struct v_path *path, const struct kt_json *s, bool skip_any,
                   unsigned depth);

/* anyOf: [{type: integer}, {type: string}], as a field that is either may say it. */
static bool int_or_string_any(const struct kt_json *s)
{
	const struct kt_json *any = kt_get(s, "anyOf");
	return kt_count(any) == 2 && kt_count(kt_at(any, 0)) == 1 && kt_count(kt_at(any, 1)) == 1 &&
	       kt_streq(kt_get_str(kt_at(any, 0), "type"), "integer") &&
	       kt_streq(kt_get_str(kt_at(any, 1), "type"), "string");
}

static void value_validation(struct v *v, const struct v_path *path, const struct kt_json *s, bool skip_any,
                             bool skip_first_all, unsigned depth)
{
	const struct kt_json *item, *not = kt_get(s, "not");
	struct kt_err err = {0};
	if (!skip_any)
		KT_JSON_EACH (item, kt_get(s, "anyOf"))
			nested(v, V_AT(V_IN(path, "anyOf"), item_i), item, false, depth);
	KT_JSON_EACH (item, kt_get(s, "allOf"))
		nested(v, V_AT(V_IN(path, "allOf"), item_i), item, skip_first_all && item_i == 0, depth);
	KT_JSON_EACH (item, kt_get(s, "oneOf"))
		nested(v, V_AT(V_IN(path, "oneOf"), item_i), item, false, depth);
	if (kt_is_object(not ))
		nested(v, V_IN(path, "not"), not, false, depth);
	if (*kt_get_text(s, "pattern") && !schema_pattern_parses(kt_get_text(s, "pattern"), &err))
		v_invalid_str(v, V_IN(path, "pattern"), kt_get_text(s, "pattern"),
		              "must be a valid regular expression, but isn't: %s", err.text);
}

/* What a schema below allOf, anyOf, oneOf and not leaves to the structure. */
static const struct {
	const char *field, *must;
	bool whole; /* counts when there, whatever it is */
} structure_only[] = {
        {"type", "empty", false},
        {"additionalProperties", "undefined", true},
        {"default", "undefined", true},
        {"title", "empty", false},
        {"description", "empty", false},
        {"nullable", "false", false},
        {"x-kubernetes-preserve-unknown-fields", "false", false},
        {"x-kubernetes-embedded-resource", "false", false},
        {"x-kubernetes-int-or-string", "false", false},
        {"x-kubernetes-list-map-keys", "empty", false},
        {"x-kubernetes-list-type", "undefined", true},
        {"x-kubernetes-map-type", "undefined", true},
        {"x-kubernetes-validations", "empty", false},
};

static bool says_something(const struct kt_json *value, bool whole)
{
	return value && (whole || kt_bool_or(value, false) || kt_count(value) > 0 || *kt_str_or(value, ""));
}

static void nested(struct v *v, const struct v_path *path, const struct kt_json *s, bool skip_any,
                   unsigned depth)
{
	const struct kt_json *properties = kt_get(s, "properties");
	if (depth > MAX_DEPTH)
		return;
	value_validation(v, path, s, skip_any, false, depth + 1);
	if (kt_is_object(kt_get(s, "items")))
		nested(v, V_IN(path, "items"), kt_get(s, "items"), false, depth + 1);
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		nested(v, V_KEY(V_IN(path, "properties"), kt_key(properties, i)), kt_at(properties, i), false,
		       depth + 1);
	for (size_t i = 0; i < KT_COUNT(structure_only); i++)
		if (says_something(kt_get(s, structure_only[i].field), structure_only[i].whole))
			v_forbidden(v, V_IN(path, structure_only[i].field), "must be %s to be structural",
			            structure_only[i].must);
	if (kt_get(properties, "metadata"))
		v_forbidden(v, V_KEY(V_IN(path, "properties"), "metadata"),
		            "must not be specified in a nested context");
}

static void metadata(struct v *v, const struct v_path *path, const struct kt_json *s, bool check,
                     enum level level)
{
	static const char *const silent[] = {"type", "default"};
	const struct kt_json *properties = kt_get(s, "properties");
	bool names = true;
	if (check && strcmp(kt_get_text(s, "type"), "object") != 0)
		v_invalid_str(v, V_IN(path, "type"), kt_get_text(s, "type"), "must be object");
	if (level != ROOT)
		return;
	for (size_t i = 0; i < kt_count(properties); i++)
		names = names && (kt_streq(kt_key(properties, i), "name") ||
		                  kt_streq(kt_key(properties, i), "generateName"));
	for (size_t i = 0; i < kt_count(s); i++) {
		const char *key = kt_key(s, i);
		if (strcmp(key, silent[0]) == 0 || strcmp(key, silent[1]) == 0 ||
		    (strcmp(key, "properties") == 0 && names))
			continue;
		v_forbidden(v, path,
		            "must not specify anything other than name and generateName, but metadata is "
		            "implicitly specified");
		return;
	}
}

static void type_of_level(struct v *v, const struct v_path *path, const struct kt_json *s, enum level level)
{
	static const char *const empty[] = {[ROOT] = "must not be empty at the root",
	                                    [ITEM] = "must not be empty for specified array items",
	                                    [FIELD] = "must not be empty for specified object fields"};
	const char *type = kt_get_text(s, "type");
	if (is_set(s, "x-kubernetes-embedded-resource") && strcmp(type, "object") != 0) {
		static const char must[] = "must be object if x-kubernetes-embedded-resource is true";
		if (!*type)
			v_required(v, V_IN(path, "type"), must);
		else
			v_invalid_str(v, V_IN(path, "type"), type, "%s", must);
	} else if (!*type && !is_set(s, "x-kubernetes-int-or-string") &&
	           !is_set(s, "x-kubernetes-preserve-unknown-fields")) {
		v_required(v, V_IN(path, "type"), empty[level]);
	}
	if (is_set(s, "x-kubernetes-embedded-resource") && kt_get(s, "additionalProperties"))
		v_forbidden(v, V_IN(path, "additionalProperties"),
		            "must not be used if x-kubernetes-embedded-resource is set");
	if (level == ROOT && *type && strcmp(type, "object") != 0)
		v_invalid_str(v, V_IN(path, "type"), type, "must be object at the root");
}

static void structure(struct v *v, const struct v_path *path, const struct kt_json *s, enum level level,
                      unsigned depth)
{
	static const char *const text_fields[] = {"kind", "apiVersion"};
	static const char *const alone[] = {"x-kubernetes-preserve-unknown-fields",
	                                    "x-kubernetes-embedded-resource"};
	const struct kt_json *properties = kt_get(s, "properties"), *more = kt_get(s, "additionalProperties");
	const struct v_path *pp = V_IN(path, "properties");
	bool embedded = is_set(s, "x-kubernetes-embedded-resource"), check = level == ROOT || embedded;
	if (depth > MAX_DEPTH)
		return;
	if (strcmp(kt_get_text(s, "type"), "array") == 0 && !kt_get(s, "items"))
		v_required(v, V_IN(path, "items"), "must be specified");
	if (kt_is_object(kt_get(s, "items")))
		structure(v, V_IN(path, "items"), kt_get(s, "items"), ITEM, depth + 1);
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		structure(v, V_KEY(pp, kt_key(properties, i)), kt_at(properties, i), FIELD, depth + 1);
	if (more && level == ROOT)
		v_forbidden(v, V_IN(path, "additionalProperties"), "must not be used at the root");
	if (kt_is_object(more))
		structure(v, V_IN(path, "additionalProperties"), more, FIELD, depth + 1);
	for (size_t i = 0; i < KT_COUNT(alone); i++)
		if (is_set(s, "x-kubernetes-int-or-string") && is_set(s, alone[i]))
			v_invalid(v, V_IN(path, alone[i]), kt_get(s, alone[i]),
			          "must be false if x-kubernetes-int-or-string is true");
	value_validation(v, path, s, int_or_string_any(s), int_or_string_any(kt_at(kt_get(s, "allOf"), 0)),
	                 depth);
	type_of_level(v, path, s, level);
	for (size_t i = 0; i < KT_COUNT(text_fields); i++) {
		const struct kt_json *own = kt_get(properties, text_fields[i]);
		if (own && check && strcmp(kt_get_text(own, "type"), "string") != 0)
			v_invalid_str(v, V_IN(V_KEY(pp, text_fields[i]), "type"), kt_get_text(own, "type"),
			              "must be string");
	}
	if (kt_get(properties, "metadata"))
		metadata(v, V_KEY(pp, "metadata"), kt_get(properties, "metadata"), check, level);
	if (embedded && !is_set(s, "x-kubernetes-preserve-unknown-fields") && kt_count(properties) == 0)
		v_required(v, pp,
		           "must not be empty if x-kubernetes-embedded-resource is true without "
		           "x-kubernetes-preserve-unknown-fields");
}

/* --- every field that is validated is there --- */

static void complete(struct v *v, const struct v_path *at, const struct v_path *said,
                     const struct kt_json *part, const struct kt_json *s, unsigned depth);

static void because(struct v *v, const struct v_path *at, const struct v_path *said)
{
	struct kt_buf text = {0};
	kt_buf_adds(&text, "because it is defined in ");
	v_path_print(said, &text);
	v_required(v, at, kt_buf_str(&text));
	kt_buf_clear(&text);
}

static void complete_junctors(struct v *v, const struct v_path *at, const struct v_path *said,
                              const struct kt_json *part, const struct kt_json *s, unsigned depth)
{
	const struct kt_json *item;
	if (kt_is_object(kt_get(part, "not")))
		complete(v, at, V_IN(said, "not"), kt_get(part, "not"), s, depth);
	for (size_t i = 0; i < KT_COUNT(junctors); i++)
		KT_JSON_EACH (item, kt_get(part, junctors[i]))
			complete(v, at, V_AT(V_IN(said, junctors[i]), item_i), item, s, depth);
}

static void complete(struct v *v, const struct v_path *at, const struct v_path *said,
                     const struct kt_json *part, const struct kt_json *s, unsigned depth)
{
	const struct kt_json *properties = kt_get(part, "properties");
	if (depth > MAX_DEPTH)
		return;
	if (!s) {
		because(v, at, said);
		return;
	}
	complete_junctors(v, at, said, part, s, depth + 1);
	if (kt_is_object(kt_get(part, "items")))
		complete(v, V_IN(at, "items"), V_IN(said, "items"), kt_get(part, "items"), kt_get(s, "items"),
		         depth + 1);
	for (size_t i = 0, n = kt_count(properties); i < n; i++) {
		const char *key = kt_key(properties, i);
		complete(v, V_KEY(V_IN(at, "properties"), key), V_KEY(V_IN(said, "properties"), key),
		         kt_at(properties, i), kt_get(kt_get(s, "properties"), key), depth + 1);
	}
}

static int by_words(const void *a, const void *b)
{
	const struct kt_json *x = *(const struct kt_json *const *)a, *y = *(const struct kt_json *const *)b;
	char *left = kt_strf("%s: %s", kt_get_text(x, "field"), kt_get_text(x, "message"));
	char *right = kt_strf("%s: %s", kt_get_text(y, "field"), kt_get_text(y, "message"));
	int order = strcmp(left, right);
	kt_free(left);
	kt_free(right);
	return order;
}

static void add_sorted(struct v *v, const struct kt_json *causes)
{
	size_t n = kt_count(causes);
	const struct kt_json **list = kt_alloc((n + 1) * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] = kt_at(causes, i);
	qsort(list, n, sizeof(*list), by_words);
	for (size_t i = 0; i < n; i++)
		v_add_cause(v, list[i]);
	kt_free(list);
}

/* --- defaults: values of their own field --- */

static void add_below(struct v *v, const struct v_path *path, const struct kt_json *causes)
{
	const struct kt_json *cause;
	struct kt_buf at = {0};
	v_path_print(path, &at);
	KT_JSON_EACH (cause, causes) {
		const char *field = kt_get_text(cause, "field");
		char *whole = strcmp(field, "<nil>") == 0 ? kt_strdup(kt_buf_str(&at))
		                                          : kt_strf("%s.%s", kt_buf_str(&at), field);
		struct kt_json *moved =
		        kt_jsonf("{reason: %s, message: %s, field: %s}", kt_get_text(cause, "reason"),
		                 kt_get_text(cause, "message"), whole);
		v_add_cause(v, moved);
		kt_json_free(moved);
		kt_free(whole);
	}
	kt_buf_clear(&at);
}

static void check_default(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *value = kt_get(s, "default");
	struct kt_json *pruned, *causes;
	if (!value)
		return;
	pruned = schema_structural_prune(s, value);
	if (!kt_equal(pruned, value))
		v_invalid(v, V_IN(path, "default"), value, "must not have unknown fields");
	kt_json_free(pruned);
	causes = schema_validate_value(s, value);
	add_below(v, V_IN(path, "default"), causes);
	kt_json_free(causes);
}

static void defaults(struct v *v, const struct v_path *path, const struct kt_json *s, unsigned depth)
{
	const struct kt_json *properties = kt_get(s, "properties");
	if (depth > MAX_DEPTH)
		return;
	check_default(v, path, s);
	if (kt_is_object(kt_get(s, "items")))
		defaults(v, V_IN(path, "items"), kt_get(s, "items"), depth + 1);
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		defaults(v, V_KEY(V_IN(path, "properties"), kt_key(properties, i)), kt_at(properties, i),
		         depth + 1);
}

static bool is_unsupported(const struct kt_json *s, unsigned depth)
{
	static const char *const unknown[] = {
	        "id",           "schema",          "$ref",       "patternProperties",
	        "dependencies", "additionalItems", "definitions"};
	const struct kt_json *properties = kt_get(s, "properties");
	for (size_t i = 0; i < KT_COUNT(unknown); i++)
		if (kt_get(s, unknown[i]))
			return true;
	if (depth > MAX_DEPTH || kt_is_array(kt_get(s, "items")))
		return true;
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		if (is_unsupported(kt_at(properties, i), depth + 1))
			return true;
	return (kt_is_object(kt_get(s, "items")) && is_unsupported(kt_get(s, "items"), depth + 1)) ||
	       (kt_is_object(kt_get(s, "additionalProperties")) &&
	        is_unsupported(kt_get(s, "additionalProperties"), depth + 1));
}

bool v_crd_structure(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	struct rules_errors found = {0};
	struct v inner = *v;
	size_t before;
	inner.errors = &found;
	if (is_unsupported(s, 0))
		return false;
	structure(&inner, path, s, ROOT, 0);
	complete_junctors(&inner, path, path, s, s, 0);
	add_sorted(v, found.causes);
	before = v_count(v);
	bool fine = kt_count(found.causes) == 0;
	if (fine)
		defaults(v, path, s, 0);
	rules_errors_clear(&found);
	return fine && v_count(v) == before;
}

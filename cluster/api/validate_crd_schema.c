/* SPDX-License-Identifier: MIT */
/* The schemas of custom kinds: what makes one structural (apiextensions-apiserver pkg/apiserver/schema
 * validation.go), its defaults (schema/defaulting), and what is allowed in it
 * (pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema). */
#include "cluster/api/validate.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

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
	if (*str(s, "pattern") && !schema_pattern_parses(str(s, "pattern"), &err))
		v_invalid_str(v, V_IN(path, "pattern"), str(s, "pattern"),
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
	if (check && strcmp(str(s, "type"), "object") != 0)
		v_invalid_str(v, V_IN(path, "type"), str(s, "type"), "must be object");
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
	const char *type = str(s, "type");
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
	if (strcmp(str(s, "type"), "array") == 0 && !kt_get(s, "items"))
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
		if (own && check && strcmp(str(own, "type"), "string") != 0)
			v_invalid_str(v, V_IN(V_KEY(pp, text_fields[i]), "type"), str(own, "type"),
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
	char *left = kt_strf("%s: %s", str(x, "field"), str(x, "message"));
	char *right = kt_strf("%s: %s", str(y, "field"), str(y, "message"));
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
		const char *field = str(cause, "field");
		char *whole = strcmp(field, "<nil>") == 0 ? kt_strdup(kt_buf_str(&at))
		                                          : kt_strf("%s.%s", kt_buf_str(&at), field);
		struct kt_json *moved = kt_jsonf("{reason: %s, message: %s, field: %s}", str(cause, "reason"),
		                                 str(cause, "message"), whole);
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

/* --- what is allowed --- */

/* What is true of everything below a place. */
struct below {
	const char *no_default;      /* why, or NULL */
	bool meta;                   /* in metadata, kind or apiVersion */
	const struct v_path *no_old; /* the place from which on old values are not known */
};

static void allowed(struct v *v, const struct v_path *path, const struct kt_json *s, struct below in,
                    bool root, unsigned depth);

static void allowed_plain(struct v *v, const struct v_path *path, const struct kt_json *s,
                          const struct below *in)
{
	static const char *const types[] = {"array",  "boolean", "integer", "number",
	                                    "object", "string",  NULL};
	static const char *const unknown[] = {"id",          "additionalItems", "patternProperties",
	                                      "definitions", "dependencies",    "$ref"};
	const char *type = str(s, "type");
	bool known = !*type;
	for (size_t i = 0; types[i]; i++)
		known = known || strcmp(types[i], type) == 0;
	if (!known)
		v_unsupported(v, V_IN(path, "type"), kt_get(s, "type"), types);
	if (kt_get(s, "default") && in->no_default)
		v_forbidden(v, V_IN(path, "default"), "must not be set %s", in->no_default);
	for (size_t i = 0; i < KT_COUNT(unknown); i++)
		if (kt_get(s, unknown[i]))
			v_forbidden(v, V_IN(path, unknown[i]), "%s is not supported", unknown[i]);
	if (strcmp(type, "null") == 0)
		v_forbidden(v, V_IN(path, "type"),
		            "type cannot be set to null, use nullable as an alternative");
	if (kt_is_array(kt_get(s, "items")))
		v_forbidden(v, V_IN(path, "items"), "items must be a schema object and not an array");
	if (in->meta && is_set(s, "x-kubernetes-embedded-resource"))
		v_forbidden(v, V_IN(path, "x-kubernetes-embedded-resource"),
		            "must not be used inside of resource meta");
	if (is_set(s, "uniqueItems"))
		v_forbidden(
		        v, V_IN(path, "uniqueItems"),
		        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
}

static void allowed_children(struct v *v, const struct v_path *path, const struct kt_json *s, struct below in,
                             bool root, unsigned depth)
{
	const struct kt_json *properties = kt_get(s, "properties"), *more = kt_get(s, "additionalProperties"),
	                     *items = kt_get(s, "items"), *item;
	struct below sub = in;
	if (more && kt_count(properties) > 0 && !kt_bool_or(more, false))
		v_forbidden(v, V_IN(path, "additionalProperties"),
		            "additionalProperties and properties are mutual exclusive");
	if (in.meta)
		sub.no_default = "inside additionalProperties applying to object metadata";
	if (kt_is_object(more))
		allowed(v, V_IN(path, "additionalProperties"), more, sub, false, depth);
	for (size_t i = 0, n = kt_count(properties); i < n; i++) {
		const char *key = kt_key(properties, i);
		bool meta = !strcmp(key, "metadata") || !strcmp(key, "kind") || !strcmp(key, "apiVersion");
		char *why = kt_strf("in top-level %s", key);
		sub = in;
		if (kt_streq(kt_get_str(s, "x-kubernetes-map-type"), "atomic") && !sub.no_old)
			sub.no_old = path;
		if (meta && (root || is_set(s, "x-kubernetes-embedded-resource")))
			sub.meta = true;
		if (meta && root)
			sub.no_default = why;
		allowed(v, V_KEY(V_IN(path, "properties"), key), kt_at(properties, i), sub, false, depth);
		kt_free(why);
	}
	if (kt_is_object(kt_get(s, "not")))
		allowed(v, V_IN(path, "not"), kt_get(s, "not"), in, false, depth);
	for (size_t i = 0; i < KT_COUNT(junctors); i++)
		KT_JSON_EACH (item, kt_get(s, junctors[i]))
			allowed(v, V_AT(V_IN(path, junctors[i]), item_i), item, in, false, depth);
	sub = in;
	if (!kt_streq(kt_get_str(s, "x-kubernetes-list-type"), "map") && !sub.no_old)
		sub.no_old = path;
	if (kt_is_object(items))
		allowed(v, V_IN(path, "items"), items, sub, false, depth);
}

/* x-kubernetes-map-type and -list-type ask for a type. */
static void typed(struct v *v, const struct v_path *path, const struct kt_json *s, const char *type,
                  const char *extension)
{
	if (!*str(s, "type")) {
		char *text = kt_strf("must be %s if %s is specified", type, extension);
		v_required(v, V_IN(path, "type"), text);
		kt_free(text);
	} else {
		v_invalid_str(v, V_IN(path, "type"), str(s, "type"), "must be %s if %s is specified", type,
		              extension);
	}
}

static void set_items(struct v *v, const struct v_path *path, const struct kt_json *items)
{
	static const char must[] = "must be atomic as item of a list with x-kubernetes-list-type=set";
	const char *type = str(items, "type");
	const struct kt_json *list = kt_get(items, "x-kubernetes-list-type"),
	                     *map = kt_get(items, "x-kubernetes-map-type");
	if (strcmp(type, "array") == 0 && list && !kt_streq(kt_str(list), "atomic"))
		v_invalid(v, V_IN(path, "x-kubernetes-list-type"), list, must);
	if (strcmp(type, "object") == 0 && !kt_streq(map ? kt_str(map) : NULL, "atomic"))
		v_invalid(v, V_IN(path, "x-kubernetes-map-type"), list, must);
}

static void map_keys(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *keys = kt_get(s, "x-kubernetes-list-map-keys"), *items = kt_get(s, "items"),
	                     *key;
	const struct v_path *kp = V_IN(path, "x-kubernetes-list-map-keys");
	if (kt_count(keys) == 0)
		v_required(v, kp, "must not be empty if x-kubernetes-list-type is map");
	if (!items)
		v_required(v, V_IN(path, "items"), "must have a schema if x-kubernetes-list-type is map");
	if (!kt_is_object(items))
		return;
	if (strcmp(str(items, "type"), "object") != 0) {
		v_invalid_str(v, V_IN(V_IN(path, "items"), "type"), str(items, "type"),
		              "must be object if parent array's x-kubernetes-list-type is map");
		return;
	}
	KT_JSON_EACH (key, keys) {
		const struct kt_json *property = kt_get(kt_get(items, "properties"), kt_str_or(key, ""));
		const char *type = str(property, "type");
		if (!property)
			v_invalid(v, kp, keys, "entries must all be names of item properties");
		else if (strcmp(type, "array") == 0 || strcmp(type, "object") == 0)
			v_invalid(v,
			          V_IN(V_KEY(V_IN(V_IN(path, "items"), "properties"), kt_str_or(key, "")),
			               "type"),
			          kt_get(items, "type"),
			          "must be a scalar type if parent array's x-kubernetes-list-type is map");
		for (size_t i = 0; i < key_i; i++)
			if (kt_equal(kt_at(keys, i), key)) {
				v_invalid(v, kp, keys, "must not contain duplicate entries");
				break;
			}
	}
}

static bool lists(const struct kt_json *list, const char *word)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_streq(kt_str(item), word))
			return true;
	return false;
}

/* Items of sets and maps can be told apart: no nulls, keys always there. */
static void told_apart(struct v *v, const struct v_path *path, const struct kt_json *s, const char *type)
{
	const struct kt_json *items = kt_get(s, "items"), *key;
	const struct v_path *ip = V_IN(path, "items");
	if (is_set(items, "nullable"))
		v_forbidden(v, V_IN(ip, "nullable"), "cannot be nullable when x-kubernetes-list-type is %s",
		            type);
	if (strcmp(type, "map") != 0)
		return;
	KT_JSON_EACH (key, kt_get(s, "x-kubernetes-list-map-keys")) {
		const char *name = kt_str_or(key, "");
		const struct kt_json *property = kt_get(kt_get(items, "properties"), name);
		const struct v_path *at = V_KEY(V_IN(ip, "properties"), name);
		if (!property)
			continue;
		if (!lists(kt_get(items, "required"), name) && !kt_get(property, "default"))
			v_required(v, V_IN(at, "default"),
			           "this property is in x-kubernetes-list-map-keys, so it must have a "
			           "default or be "
			           "a required property");
		if (is_set(property, "nullable"))
			v_forbidden(
			        v, V_IN(at, "nullable"),
			        "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
	}
}

static void allowed_extensions(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *keep = kt_get(s, "x-kubernetes-preserve-unknown-fields"),
	                     *map = kt_get(s, "x-kubernetes-map-type"),
	                     *list = kt_get(s, "x-kubernetes-list-type"), *items = kt_get(s, "items");
	const struct v_path *lp = V_IN(path, "x-kubernetes-list-type");
	const char *list_type = kt_str_or(list, "");
	static const char if_keys[] = "must be map if x-kubernetes-list-map-keys is non-empty";
	if (keep && !kt_bool_or(keep, true))
		v_invalid(v, V_IN(path, "x-kubernetes-preserve-unknown-fields"), keep,
		          "must be true or undefined");
	if (map && strcmp(str(s, "type"), "object") != 0)
		typed(v, path, s, "object", "x-kubernetes-map-type");
	if (map && strcmp(kt_str_or(map, ""), "atomic") && strcmp(kt_str_or(map, ""), "granular"))
		v_unsupported(v, V_IN(path, "x-kubernetes-map-type"), map, V_WORDS("atomic", "granular"));
	if (list && strcmp(str(s, "type"), "array") != 0)
		typed(v, path, s, "array", "x-kubernetes-list-type");
	else if (strcmp(list_type, "set") == 0 && kt_is_object(items))
		set_items(v, V_IN(path, "items"), items);
	if (list && strcmp(list_type, "atomic") && strcmp(list_type, "set") && strcmp(list_type, "map"))
		v_unsupported(v, lp, list, V_WORDS("atomic", "set", "map"));
	if (kt_count(kt_get(s, "x-kubernetes-list-map-keys")) > 0 && !list)
		v_required(v, lp, if_keys);
	else if (kt_count(kt_get(s, "x-kubernetes-list-map-keys")) > 0 && strcmp(list_type, "map") != 0)
		v_invalid(v, lp, list, if_keys);
	if (strcmp(list_type, "map") == 0)
		map_keys(v, path, s);
	if (kt_is_object(items) && (strcmp(list_type, "set") == 0 || strcmp(list_type, "map") == 0))
		told_apart(v, path, s, list_type);
}

/* --- rules, but for their CEL --- */

static bool has_newline(const char *s)
{
	return strpbrk(s, "\r\n") != NULL;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == 0;
}

/* A newline that is not at the ends. */
static bool broken(const char *s)
{
	size_t from = strspn(s, " \t\r\n"), to = strlen(s);
	while (to > from && strchr(" \t\r\n", s[to - 1]))
		to--;
	for (size_t i = from; i < to; i++)
		if (s[i] == '\n' || s[i] == '\r')
			return true;
	return false;
}

static void rule_words(struct v *v, const struct v_path *path, const struct kt_json *s,
                       const struct kt_json *rule)
{
	static const char *const reasons[] = {"FieldValueDuplicate", "FieldValueForbidden",
	                                      "FieldValueInvalid", "FieldValueRequired", NULL};
	const char *text = str(rule, "rule"), *message = str(rule, "message"), *reason = str(rule, "reason"),
	           *expression = str(rule, "messageExpression"), *field = str(rule, "fieldPath");
	if (is_blank(text))
		v_required(v, V_IN(path, "rule"), "rule is not specified");
	else if (*message && is_blank(message))
		v_invalid_str(v, V_IN(path, "message"), message, "must be non-empty if specified");
	else if (broken(message))
		v_invalid_str(v, V_IN(path, "message"), message, "must not contain line breaks");
	else if (broken(text) && is_blank(message))
		v_required(v, V_IN(path, "message"),
		           "message must be specified if rule contains line breaks");
	if (*expression && is_blank(expression))
		v_required(v, V_IN(path, "messageExpression"),
		           "messageExpression must be non-empty if specified");
	if (kt_get(rule, "reason")) {
		bool known = false;
		for (size_t i = 0; reasons[i]; i++)
			known = known || strcmp(reasons[i], reason) == 0;
		if (!known)
			v_unsupported(v, V_IN(path, "reason"), kt_get(rule, "reason"), reasons);
	}
	if (*field && is_blank(field))
		v_invalid_str(v, V_IN(path, "fieldPath"), field, "must be non-empty if specified");
	if (has_newline(field))
		v_invalid_str(v, V_IN(path, "fieldPath"), field, "must not contain line breaks");
	if (*field) {
		char *why = v_schema_path(s, field, true, NULL);
		if (why)
			v_invalid_str(v, V_IN(path, "fieldPath"), field, "must be a valid path");
		kt_free(why);
	}
}

static void allowed(struct v *v, const struct v_path *path, const struct kt_json *s, struct below in,
                    bool root, unsigned depth)
{
	const struct kt_json *rule;
	if (depth > MAX_DEPTH)
		return;
	allowed_plain(v, path, s, &in);
	allowed_children(v, path, s, in, root, depth + 1);
	allowed_extensions(v, path, s);
	KT_JSON_EACH (rule, kt_get(s, "x-kubernetes-validations"))
		rule_words(v, V_AT(V_IN(path, "x-kubernetes-validations"), rule_i), s, rule);
}

/* --- paths in a schema: .spec.a['b'] (schema/cel ValidFieldPath) --- */

static char *step(const struct kt_json **s, const char *name, size_t n)
{
	const struct kt_json *properties = kt_get(*s, "properties"),
	                     *more = kt_get(*s, "additionalProperties");
	char *key = kt_strf("%.*s", (int)n, name), *why = NULL;
	const struct kt_json *next = properties ? kt_get(properties, key) : kt_is_object(more) ? more : NULL;
	if (!next)
		why = kt_strdup("does not refer to a valid field");
	*s = next;
	kt_free(key);
	return why;
}

char *v_schema_path(const struct kt_json *s, const char *path, bool keys, const struct kt_json **out)
{
	const char *p = path;
	while (*p) {
		size_t n;
		char *why;
		if (*p == '.') {
			n = strcspn(++p, ".[]");
			if (!*p)
				return kt_strdup("unexpected end of JSON path");
			why = step(&s, p, n ? n : 1);
			p += n ? n : 1;
		} else if (*p == '[' && !keys) {
			return kt_strdup("array notation is not allowed");
		} else if (*p == '[') {
			const char *end = *++p == '\'' ? strchr(p + 1, '\'') : NULL;
			if (!*p)
				return kt_strdup("unexpected end of JSON path");
			if (!end)
				return kt_strf("expected single quoted string but got %.*s",
				               (int)strcspn(p, ".[]"), p);
			why = step(&s, p + 1, (size_t)(end - p - 1));
			p = end + 1;
			if (!why && *p != ']')
				why = *p ? kt_strf("expected ] but got %.*s", (int)strcspn(p, ".[]"), p)
				         : kt_strdup("unexpected end of JSON path");
			p += *p == ']';
		} else {
			return kt_strf("expected [ or . but got: %.*s", (int)strcspn(p, ".[]"), p);
		}
		if (why)
			return why;
	}
	if (out)
		*out = s;
	return NULL;
}

/* --- all of it --- */

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

void v_crd_schema(struct v *v, const struct v_path *path, const struct kt_json *s, bool has_status)
{
	struct rules_errors found = {0};
	struct v inner = *v;
	size_t before = v_count(v);
	bool fine = false;
	if (has_status && *str(s, "type") && strcmp(str(s, "type"), "object") != 0)
		v_invalid_str(
		        v, V_IN(path, "type"), str(s, "type"),
		        "only \"object\" is allowed as the type at the root of the schema if the status "
		        "subresource is enabled");
	if (is_set(s, "nullable"))
		v_forbidden(v, V_IN(path, "nullable"), "nullable cannot be true at the root");
	inner.errors = &found;
	if (!is_unsupported(s, 0)) {
		structure(&inner, path, s, ROOT, 0);
		complete_junctors(&inner, path, path, s, s, 0);
		add_sorted(v, found.causes);
		if (kt_count(found.causes) == 0) {
			size_t structural = v_count(v);
			defaults(v, path, s, 0);
			fine = v_count(v) == structural;
		}
		rules_errors_clear(&found);
	}
	allowed(v, path, s, (struct below){0}, true, 0);
	(void)before;
	(void)fine;
}

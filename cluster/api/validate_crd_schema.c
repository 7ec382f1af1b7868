/* SPDX-License-Identifier: MIT */
/* The schemas of custom kinds: what is allowed in them (pkg/apis/apiextensions/validation
 * ValidateCustomResourceDefinitionOpenAPISchema). */
#include "cluster/api/validate.h"

#include <string.h>

#define MAX_DEPTH 64

static bool is_set(const struct kt_json *v, const char *key)
{
	return kt_get_bool(v, key, false);
}

/* Children that are schemas themselves, in the order in which the server goes through them. */
static const char *const junctors[] = {"allOf", "oneOf", "anyOf"};

/* --- what is allowed --- */

/* What is true of everything below a place. */
struct below {
	const char *no_default; /* why, or NULL */
	bool meta;              /* in metadata, kind or apiVersion */
	struct faulty *faulty;
};
/* Schemas with a fault in them or below. */
struct faulty {
	const struct kt_json **items; /* NULL-terminated */
	size_t count, cap;
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
	const char *type = kt_get_text(s, "type");
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
	if (kt_is_object(items))
		allowed(v, V_IN(path, "items"), items, in, false, depth);
}

/* x-kubernetes-map-type and -list-type ask for a type. */
static void typed(struct v *v, const struct v_path *path, const struct kt_json *s, const char *type,
                  const char *extension)
{
	if (!*kt_get_text(s, "type")) {
		char *text = kt_strf("must be %s if %s is specified", type, extension);
		v_required(v, V_IN(path, "type"), text);
		kt_free(text);
	} else {
		v_invalid_str(v, V_IN(path, "type"), kt_get_text(s, "type"), "must be %s if %s is specified",
		              type, extension);
	}
}

static void set_items(struct v *v, const struct v_path *path, const struct kt_json *items)
{
	static const char must[] = "must be atomic as item of a list with x-kubernetes-list-type=set";
	const char *type = kt_get_text(items, "type");
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
	if (strcmp(kt_get_text(items, "type"), "object") != 0) {
		v_invalid_str(v, V_IN(V_IN(path, "items"), "type"), kt_get_text(items, "type"),
		              "must be object if parent array's x-kubernetes-list-type is map");
		return;
	}
	KT_JSON_EACH (key, keys) {
		const struct kt_json *property = kt_get(kt_get(items, "properties"), kt_str_or(key, ""));
		const char *type = kt_get_text(property, "type");
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
		if (!kt_has_word(kt_get(items, "required"), name) && !kt_get(property, "default"))
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
	if (map && strcmp(kt_get_text(s, "type"), "object") != 0)
		typed(v, path, s, "object", "x-kubernetes-map-type");
	if (map && strcmp(kt_str_or(map, ""), "atomic") && strcmp(kt_str_or(map, ""), "granular"))
		v_unsupported(v, V_IN(path, "x-kubernetes-map-type"), map, V_WORDS("atomic", "granular"));
	if (list && strcmp(kt_get_text(s, "type"), "array") != 0)
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

/* --- rules, but for their CEL (validate_crd_rules.c) --- */

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
	const char *text = kt_get_text(rule, "rule"), *message = kt_get_text(rule, "message"),
	           *reason = kt_get_text(rule, "reason"),
	           *expression = kt_get_text(rule, "messageExpression"),
	           *field = kt_get_text(rule, "fieldPath");
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
	struct faulty *faulty = in.faulty;
	size_t before = v_count(v);
	if (depth > MAX_DEPTH)
		return;
	allowed_plain(v, path, s, &in);
	allowed_children(v, path, s, in, root, depth + 1);
	allowed_extensions(v, path, s);
	KT_JSON_EACH (rule, kt_get(s, "x-kubernetes-validations"))
		rule_words(v, V_AT(V_IN(path, "x-kubernetes-validations"), rule_i), s, rule);
	if (v_count(v) > before) {
		faulty->items =
		        kt_grow(faulty->items, &faulty->cap, faulty->count + 2, sizeof(*faulty->items));
		faulty->items[faulty->count++] = s;
		faulty->items[faulty->count] = NULL;
	}
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

void v_crd_schema(struct v *v, const struct v_path *path, const struct kt_json *s, bool has_status)
{
	if (has_status && *kt_get_text(s, "type") && strcmp(kt_get_text(s, "type"), "object") != 0)
		v_invalid_str(
		        v, V_IN(path, "type"), kt_get_text(s, "type"),
		        "only \"object\" is allowed as the type at the root of the schema if the status "
		        "subresource is enabled");
	if (is_set(s, "nullable"))
		v_forbidden(v, V_IN(path, "nullable"), "nullable cannot be true at the root");
	static const struct kt_json *const none[] = {NULL};
	struct faulty faulty = {0};
	bool structural = v_crd_structure(v, path, s);
	allowed(v, path, s, (struct below){.faulty = &faulty}, true, 0);
	if (structural)
		v_crd_rules(v, path, s, faulty.items ? faulty.items : none);
	kt_free(faulty.items);
}

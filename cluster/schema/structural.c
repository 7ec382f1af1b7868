/* SPDX-License-Identifier: MIT */
/* Custom objects by their structural schemas (k8s.io/apiextensions-apiserver pkg/apiserver/schema): pruning
 * and defaulting walk the openAPIV3Schema itself. */
#include "cluster/schema/schema_internal.h"

#include <string.h>

enum { MAX_DEPTH = 100 };

bool structural_keeps_unknown(const struct kt_json *schema)
{
	return kt_get_bool(schema, "x-kubernetes-preserve-unknown-fields", false) ||
	       kt_get_bool(schema, "additionalProperties", false);
}

struct prune {
	struct kt_strs *unknown;
	unsigned depth;
};

static void prune(struct prune *p, const struct kt_json *schema, const char *path, bool root,
                  struct kt_json **value);

static void prune_items(struct prune *p, const struct kt_json *schema, const char *path,
                        struct kt_json **value)
{
	const struct kt_json *items = kt_get(schema, "items");
	for (size_t i = 0; items && i < kt_count(*value); i++) {
		struct kt_json *item = kt_json_ref(kt_at(*value, i));
		char *inner = kt_strf("%s[%zu]", path, i);
		prune(p, items, inner, false, &item);
		kt_free(inner);
		if (item != kt_at(*value, i))
			kt_put(value, i, item);
		else
			kt_json_free(item);
	}
}

static bool always_known(const char *key)
{
	return !strcmp(key, "apiVersion") || !strcmp(key, "kind") || !strcmp(key, "metadata");
}

static void prune_members(struct prune *p, const struct kt_json *schema, const char *path, bool root,
                          struct kt_json **value)
{
	const struct kt_json *properties = kt_get(schema, "properties");
	const struct kt_json *additional = kt_get(schema, "additionalProperties");
	bool embedded = root || kt_get_bool(schema, "x-kubernetes-embedded-resource", false);
	for (size_t i = 0; i < kt_count(*value);) {
		const char *key = kt_key(*value, i);
		const struct kt_json *inner_schema = kt_get(properties, key);
		if (!inner_schema && kt_is_object(additional))
			inner_schema = additional;
		if (embedded && always_known(key)) {
			i++;
			continue;
		}
		char *inner = kt_strf("%s%s%s", path, *path ? "." : "", key);
		if (!inner_schema && !structural_keeps_unknown(schema)) {
			if (p->unknown)
				kt_strs_steal(p->unknown, kt_strf("unknown field \"%s\"", inner));
			kt_remove(value, i);
			kt_free(inner);
			continue;
		}
		if (inner_schema) {
			struct kt_json *member = kt_json_ref(kt_at(*value, i));
			prune(p, inner_schema, inner, false, &member);
			if (member != kt_at(*value, i))
				kt_put(value, i, member);
			else
				kt_json_free(member);
		}
		kt_free(inner);
		i++;
	}
}

static void prune(struct prune *p, const struct kt_json *schema, const char *path, bool root,
                  struct kt_json **value)
{
	if (++p->depth <= MAX_DEPTH) {
		if (kt_is_object(*value))
			prune_members(p, schema, path, root, value);
		else if (kt_is_array(*value))
			prune_items(p, schema, path, value);
	}
	p->depth--;
}

struct kt_json *structural_prune(const struct kt_json *schema, const struct kt_json *value,
                                 struct kt_strs *unknown)
{
	struct prune p = {.unknown = unknown};
	struct kt_json *out = kt_json_ref(value);
	prune(&p, schema, "", true, &out);
	return out;
}

struct kt_json *schema_structural_prune(const struct kt_json *schema, const struct kt_json *value)
{
	struct prune p = {0};
	struct kt_json *out = kt_json_ref(value);
	prune(&p, schema, "", false, &out);
	return out;
}

static void fill_defaults(const struct kt_json *schema, struct kt_json **value, unsigned depth);

static void default_member(const struct kt_json *schema, struct kt_json **value, size_t i, unsigned depth)
{
	struct kt_json *member = kt_json_ref(kt_at(*value, i));
	fill_defaults(schema, &member, depth);
	if (member != kt_at(*value, i))
		kt_put(value, i, member);
	else
		kt_json_free(member);
}

/* A null where there is a default and no `nullable` counts as not given. */
static bool absent(const struct kt_json *schema, const struct kt_json *value)
{
	return !value || (kt_json_type(value) == KT_JSON_NULL && !kt_get_bool(schema, "nullable", false));
}

static void fill_defaults(const struct kt_json *schema, struct kt_json **value, unsigned depth)
{
	const struct kt_json *properties = kt_get(schema, "properties"), *items = kt_get(schema, "items");
	const struct kt_json *additional = kt_get(schema, "additionalProperties");
	if (depth > MAX_DEPTH)
		return;
	if (kt_is_array(*value) && items)
		for (size_t i = 0; i < kt_count(*value); i++)
			default_member(items, value, i, depth + 1);
	if (!kt_is_object(*value))
		return;
	for (size_t i = 0; i < kt_count(properties); i++) {
		const struct kt_json *deflt = kt_get(kt_at(properties, i), "default");
		if (deflt && absent(kt_at(properties, i), kt_get(*value, kt_key(properties, i))))
			kt_set(value, kt_key(properties, i), kt_json_ref(deflt));
	}
	for (size_t i = 0; i < kt_count(*value); i++) {
		const struct kt_json *inner = kt_get(properties, kt_key(*value, i));
		if (!inner && kt_is_object(additional))
			inner = additional;
		if (inner)
			default_member(inner, value, i, depth + 1);
	}
}

void structural_default(const struct kt_json *schema, struct kt_json **value)
{
	struct kt_json *fresh = kt_json_ref(*value);
	fill_defaults(schema, &fresh, 0);
	if (fresh == *value) {
		kt_json_free(fresh);
		return;
	}
	/* Unstructured objects print in order of name. */
	struct kt_json *sorted = kt_json_sorted(fresh);
	kt_json_free(fresh);
	kt_json_free(*value);
	*value = sorted;
}

/* SPDX-License-Identifier: MIT */
/* Field sets and walks along the schema, for managedFields (sigs.k8s.io/structured-merge-diff v6).
 *
 * A set of field paths is the JSON that FieldsV1 shows: an object whose members are path elements ("f:spec",
 * "k:{\"name\":\"web\"}", "v:\"x\"") in order. A node that is empty or has a member "." is itself in the set;
 * others only hold what is below. NULL is the empty set. Being JSON values, sets share structure and cost
 * nothing to keep. */
#ifndef API_MANAGED_INTERNAL_H
#define API_MANAGED_INTERNAL_H

#include "cluster/api/patch.h"

/* All new; arguments are borrowed. */
struct kt_json *managed_union(const struct kt_json *a, const struct kt_json *b);
struct kt_json *managed_difference(const struct kt_json *a, const struct kt_json *b);
struct kt_json *managed_union_in(struct managed_cache *cache, const struct kt_json *a,
                                 const struct kt_json *b); /* for managed_do */
struct kt_json *managed_difference_in(struct managed_cache *cache, const struct kt_json *a,
                                      const struct kt_json *b);
struct kt_json *managed_intersection(const struct kt_json *a, const struct kt_json *b);
bool managed_is_member(const struct kt_json *node);
/* Put `child` (stolen; NULL: nothing happens) below the element `prefix``name`. */
void managed_put(struct kt_json **node, const char *prefix, const char *name, struct kt_json *child);
void managed_sort(struct kt_json **node);
/* Make the node itself a member. */
void managed_mark(struct kt_json **node);
/* One element: "f:x" as .x, "k:{…}" as [a=1,b="x"], "v:…" as [=…], "i:0" as [0]. */
void managed_print_element(const char *element, struct kt_buf *out);
/* Each path of the set in the order of the real library, as ".spec.containers[name=\"web\"].image". */
void managed_each(const struct kt_json *set, void (*fn)(void *arg, const char *path), void *arg);

/* Where a walk stands in the schema. */
struct managed_at {
	const struct schema_type *type; /* NULL: unknown, deduced from the value */
	enum schema_shape shape;
	enum schema_list_type list; /* SCHEMA_ATOMIC: one value */
	const char *const *keys;
	const struct schema_field *field; /* that led here, or NULL */
};
struct managed_at managed_at_root(const struct schema_type *type);
struct managed_at managed_at_member(const struct managed_at *at, const char *name);
struct managed_at managed_at_item(const struct managed_at *at);
/* The path element of a list's item: "k:{…}" or "v:…" in `out`; false where a key is missing. */
bool managed_element(const struct managed_at *at, const struct kt_json *item, struct kt_buf *out);
/* Is `value` walked into here, as an object or as a list? */
bool managed_is_map(const struct managed_at *at, const struct kt_json *value);
bool managed_is_list(const struct managed_at *at, const struct kt_json *value);

struct managed_diff {
	struct kt_json *changed, *removed; /* sets */
};
/* Have two items the same path element? */
bool managed_same_element(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b);
/* What differs between two values (NULL: absent). `out` starts empty. */
void managed_compare(const struct managed_at *at, const struct kt_json *old, const struct kt_json *now,
                     struct managed_cache *cache, struct managed_diff *out);
/* All that `value` sets. */
struct kt_json *managed_to_set(const struct managed_at *at, const struct kt_json *value);
/* Fields of structs that hold members become members. */
struct kt_json *managed_named(const struct managed_at *at, const struct kt_json *set);
/* `value` without what is in `set`; NULL if nothing is left. */
struct kt_json *managed_without(const struct managed_at *at, const struct kt_json *value,
                                const struct kt_json *set);
/* `config` laid over `live`. */
struct kt_json *managed_merge(const struct managed_at *at, const struct kt_json *live,
                              const struct kt_json *config);
/* What is wrong with an applied configuration, in the library's words; one string each. */
void managed_check(const struct managed_at *at, const struct kt_json *value, struct kt_strs *errors);

/* `set` without what no manager owns: names, versions; the other half of an object with a status. New set. */
struct kt_json *managed_stripped(struct managed_cache *cache, const struct schema_kind *kind,
                                 const char *subresource, const struct kt_json *set);

/* --- managed_shape.c --- */
/* Do two values set the same fields, whatever they set them to? (True is certain, false may be wrong.) */
bool managed_same_shape(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b);
/* Equal for values of the same shape. */
uint64_t managed_shape_hash(const struct kt_json *value);

/* --- managed_cache.c: what many objects have in common; all accept a cache of NULL --- */
/* What a map or list sets that is new as a whole, all of it: `old` is absent, null or empty. False if none of
 * its shape is known. */
bool managed_cached(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                    const struct kt_json *value, struct kt_json **out);
void managed_cache_add(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                       const struct kt_json *value, const struct kt_json *set);
/* What differs between two values that many objects have had in turn. New; false if it is not known. */
bool managed_differed(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                      const struct kt_json *now, struct managed_diff *out);
void managed_differed_add(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                          const struct kt_json *now, const struct managed_diff *diff);
/* managed_union and the rest on two sets (borrowed; NULL is one), remembered here and below. New. */
enum managed_op {
	MANAGED_UNION,
	MANAGED_DIFFERENCE,
	MANAGED_NO_SPEC,  /* `a` without f:spec */
	MANAGED_NO_STATUS /* … f:status */
};
struct kt_json *managed_do(struct managed_cache *cache, enum managed_op op, const struct kt_json *a,
                           const struct kt_json *b);
/* managed_entry of an update, remembered. New. */
struct kt_json *managed_update_entry(struct managed_cache *cache, const char *manager,
                                     const char *api_version, const char *subresource, kt_ns now,
                                     const struct kt_json *set);
/* The one set that all with its value share: stolen and given back. */
struct kt_json *managed_one(struct managed_cache *cache, struct kt_json *steal);
/* Put in order, make a member if `mark`, and the one set of its value. */
void managed_finish(struct managed_cache *cache, struct kt_json **set, bool mark);
/* managed_put with "f:" for a field of the schema (NULL: none). */
void managed_put_field(struct managed_cache *cache, struct kt_json **node, const struct managed_at *below,
                       const char *name, struct kt_json *child);
struct kt_json *managed_never_owned(struct managed_cache *cache);
struct kt_json *managed_time_of(struct managed_cache *cache, kt_ns now);
/* Replace metadata.managedFields; `entries` (stolen) is put in order and freed of empty ones. */
void managed_store(struct kt_json **object, struct kt_json *entries);
struct kt_json *managed_entry(const char *manager, const char *operation, const char *api_version,
                              const char *subresource, const struct kt_json *time, const struct kt_json *set);
bool managed_is_entry(const struct kt_json *entry, const char *manager, const char *operation,
                      const char *api_version, const char *subresource);
struct kt_json *managed_time(kt_ns now);
/* managed_scale.c: the last entry of each manager, as the server reads them. New. */
struct kt_json *managed_last_of_each(const struct kt_json *entries);

#endif

/* SPDX-License-Identifier: MIT */
/* What the managedFields of many objects have in common, kept once: thousands of pods have the same sets.
 * Tables of a fixed size; what comes later takes the place of what was there, and costs memory, not truth. */
#include "cluster/api/managed_internal.h"

#include <string.h>

#define LISTS 512
#define NAMES 1024
#define SETS  4096

struct managed_cache {
	struct list {
		const struct schema_field *field;
		struct kt_json *list, *set; /* holding the list keeps its address from being used again */
	} lists[LISTS];
	struct name {
		const char *name; /* of a built-in field: there for good */
		struct kt_json *key;
	} names[NAMES];
	struct set {
		struct kt_json *as_made, *set; /* the same but for order and mark, or the same */
		bool marked;
	} sets[SETS];
	struct kt_json *never_owned, *time;
	kt_ns second;
};

struct managed_cache *managed_cache_new(void)
{
	return kt_alloc(sizeof(struct managed_cache));
}

void managed_cache_free(struct managed_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < LISTS; i++) {
		kt_json_free(cache->lists[i].list);
		kt_json_free(cache->lists[i].set);
	}
	for (size_t i = 0; i < NAMES; i++)
		kt_json_free(cache->names[i].key);
	for (size_t i = 0; i < SETS; i++) {
		kt_json_free(cache->sets[i].as_made);
		kt_json_free(cache->sets[i].set);
	}
	kt_json_free(cache->never_owned);
	kt_json_free(cache->time);
	kt_free(cache);
}

/* --- what lists set that objects share --- */
static struct list *list_slot(struct managed_cache *cache, const struct kt_json *list)
{
	return &cache->lists[((uintptr_t)list >> 4) % LISTS];
}

bool managed_cached(struct managed_cache *cache, const struct schema_field *field, const struct kt_json *list,
                    struct kt_json **out)
{
	struct list *slot = cache ? list_slot(cache, list) : NULL;
	if (!slot || slot->list != list || slot->field != field)
		return false;
	*out = kt_json_ref(slot->set);
	return true;
}

void managed_cache_add(struct managed_cache *cache, const struct schema_field *field,
                       const struct kt_json *list, const struct kt_json *set)
{
	struct list *slot = cache ? list_slot(cache, list) : NULL;
	if (!slot || kt_count(list) == 0)
		return;
	kt_json_free(slot->list);
	kt_json_free(slot->set);
	*slot = (struct list){.field = field, .list = kt_json_ref(list), .set = kt_json_ref(set)};
}

/* --- sets --- */
static uint64_t mix(uint64_t hash, uint64_t more)
{
	hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* Of the keys' texts and the members' addresses: those are one already, if they are known. */
static struct set *set_slot(struct managed_cache *cache, const struct kt_json *set, bool marked)
{
	uint64_t hash = kt_count(set) * 2 + marked;
	for (size_t i = 0, n = kt_count(set); i < n; i++) {
		const char *key = kt_key(set, i);
		hash = mix(mix(hash, kt_hash32(key, strlen(key))), (uintptr_t)kt_at(set, i));
	}
	return &cache->sets[hash >> 8 & (SETS - 1)];
}

static bool same(const struct kt_json *a, const struct kt_json *b)
{
	size_t n = kt_count(a);
	if (!a || n != kt_count(b))
		return false;
	for (size_t i = 0; i < n; i++)
		if (kt_at(a, i) != kt_at(b, i) || !kt_streq(kt_key(a, i), kt_key(b, i)))
			return false;
	return true;
}

static bool known(const struct set *slot, struct kt_json **set, bool marked)
{
	if (slot->marked != marked || !same(slot->as_made, *set))
		return false;
	if (slot->set != *set) {
		kt_json_free(*set);
		*set = kt_json_ref(slot->set);
	}
	return true;
}

static void remember(struct set *slot, struct kt_json *as_made, const struct kt_json *set, bool marked)
{
	kt_json_free(slot->as_made);
	kt_json_free(slot->set);
	*slot = (struct set){as_made, kt_json_ref(set), marked};
}

struct kt_json *managed_one(struct managed_cache *cache, struct kt_json *steal)
{
	if (!cache || kt_count(steal) == 0)
		return steal;
	struct set *slot = set_slot(cache, steal, false);
	if (!known(slot, &steal, false))
		remember(slot, kt_json_ref(steal), steal, false);
	return steal;
}

void managed_finish(struct managed_cache *cache, struct kt_json **set, bool mark)
{
	struct set *slot = cache && kt_count(*set) ? set_slot(cache, *set, mark) : NULL;
	if (slot && known(slot, set, mark))
		return;
	struct kt_json *as_made = slot ? kt_json_ref(*set) : NULL;
	if (*set)
		managed_sort(set);
	if (mark)
		managed_mark(set);
	if (slot) {
		*set = managed_one(cache, *set); /* whatever order it was made in */
		remember(set_slot(cache, as_made, mark), as_made, *set, mark);
	}
}

struct kt_json *managed_share(struct managed_cache *cache, struct kt_json *steal)
{
	if (!cache || kt_count(steal) == 0 || known(set_slot(cache, steal, false), &steal, false))
		return steal;
	for (size_t i = 0, n = kt_count(steal); i < n; i++) {
		struct kt_json *below = managed_share(cache, kt_json_ref(kt_at(steal, i)));
		if (below == kt_at(steal, i))
			kt_json_free(below);
		else
			kt_put(&steal, i, below);
	}
	return managed_one(cache, steal);
}

/* --- keys --- */
void managed_put_field(struct managed_cache *cache, struct kt_json **node, const struct managed_at *below,
                       const char *name, struct kt_json *child)
{
	/* the types of custom kinds come and go, and their names with them */
	if (!cache || !below->field || !below->type || !below->type->id) {
		managed_put(node, "f:", name, child);
		return;
	}
	const char *given = below->field->name;
	struct name *slot = &cache->names[((uintptr_t)given * UINT64_C(0x9e3779b97f4a7c15) >> 40) % NAMES];
	if (slot->name != given) {
		kt_json_free(slot->key);
		*slot = (struct name){given, kt_json_strf("f:%s", given)};
	}
	kt_set_key(node, slot->key, child);
}

/* --- what is the same for all --- */
/* Names, versions and times of the system belong to nobody. */
static struct kt_json *never_owned(void)
{
	static const char *const metadata[] = {"name",       "namespace",     "creationTimestamp",
	                                       "selfLink",   "uid",           "clusterName",
	                                       "generation", "managedFields", "resourceVersion"};
	struct kt_json *set = kt_json_object(), *below = kt_json_object();
	for (size_t i = 0; i < KT_COUNT(metadata); i++)
		managed_put(&below, "f:", metadata[i], kt_json_object());
	kt_set(&below, ".", kt_json_object());
	managed_put(&set, "f:", "metadata", below);
	managed_put(&set, "f:", "apiVersion", kt_json_object());
	managed_put(&set, "f:", "kind", kt_json_object());
	return set;
}

struct kt_json *managed_never_owned(struct managed_cache *cache)
{
	if (!cache)
		return never_owned();
	if (!cache->never_owned)
		cache->never_owned = never_owned();
	return kt_json_ref(cache->never_owned);
}

struct kt_json *managed_time_of(struct managed_cache *cache, kt_ns now)
{
	if (!cache)
		return managed_time(now);
	if (!cache->time || cache->second != now / KT_SEC) {
		kt_json_free(cache->time);
		cache->time = managed_time(now);
		cache->second = now / KT_SEC;
	}
	return kt_json_ref(cache->time);
}

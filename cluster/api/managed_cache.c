/* SPDX-License-Identifier: MIT */
/* What the managedFields of many objects have in common, kept once: thousands of pods have the same sets.
 * Tables of a fixed size; what comes later takes the place of what was there, and costs memory, not truth. */
#include "cluster/api/managed_internal.h"

#include <string.h>

#define SHAPES  1024
#define WAYS    4 /* how many of the same hash are kept, the last used first */
#define NAMES   1024
#define SETS    4096
#define DONE    1024
#define ENTRIES 256
#define PAIRS   256

struct managed_cache {
	struct shape {
		enum was { WAS_ABSENT, WAS_NULL, WAS_EMPTY } was;
		const struct schema_field *field;
		const struct schema_type *type;
		struct kt_json *value, *set; /* of one that was there, and of all of its shape */
	} shapes[SHAPES];
	struct name {
		const char *name; /* of a built-in field: there for good */
		struct kt_json *key;
	} names[NAMES];
	struct set {
		struct kt_json *as_made, *set; /* the same but for order and mark, or the same */
		bool marked;
	} sets[SETS];
	struct done {
		enum managed_op op;
		bool used;
		struct kt_json *a, *b, *out; /* holding them keeps their addresses from being used again */
	} done[DONE];
	struct pair {
		const struct schema_field *field;
		const struct schema_type *type;
		struct kt_json *old, *now; /* held, as those of `done` */
		struct managed_diff diff;
	} pairs[PAIRS];
	struct kt_json *entries[ENTRIES];
	struct kt_json *never_owned, *time;
	kt_ns second;
};

struct managed_cache *managed_cache_new(void)
{
	return kt_alloc(sizeof(struct managed_cache));
}

static void forget(struct done *done)
{
	kt_json_free(done->a);
	kt_json_free(done->b);
	kt_json_free(done->out);
}

static void forget_pair(struct pair *pair)
{
	kt_json_free(pair->old);
	kt_json_free(pair->now);
	kt_json_free(pair->diff.changed);
	kt_json_free(pair->diff.removed);
}

void managed_cache_free(struct managed_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < SHAPES; i++) {
		kt_json_free(cache->shapes[i].value);
		kt_json_free(cache->shapes[i].set);
	}
	for (size_t i = 0; i < DONE; i++)
		forget(&cache->done[i]);
	for (size_t i = 0; i < PAIRS; i++)
		forget_pair(&cache->pairs[i]);
	for (size_t i = 0; i < ENTRIES; i++)
		kt_json_free(cache->entries[i]);
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

static uint64_t mix(uint64_t hash, uint64_t more)
{
	hash = (hash ^ more) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t mix_address(uint64_t hash, const void *address)
{
	return mix(hash, (uintptr_t)address);
}

/* --- what values of a shape set --- */
static size_t shape_at(const struct managed_at *at, const struct kt_json *value)
{
	uint64_t hash = mix_address(mix_address(managed_shape_hash(value), at->field), at->type);
	return (hash >> 8) % (SHAPES / WAYS) * WAYS;
}

/* What counts as printed though nobody set it depends on whether the parent was there. */
static enum was was_of(const struct kt_json *old)
{
	return !old ? WAS_ABSENT : kt_json_type(old) == KT_JSON_NULL ? WAS_NULL : WAS_EMPTY;
}

bool managed_cached(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                    const struct kt_json *value, struct kt_json **out)
{
	if (!cache)
		return false;
	struct shape *ways = &cache->shapes[shape_at(at, value)], *slot = ways;
	for (size_t i = 0; i < WAYS; i++, slot++)
		if (slot->value && slot->was == was_of(old) && slot->field == at->field &&
		    slot->type == at->type && managed_same_shape(at, slot->value, value)) {
			struct shape found = *slot;
			*out = kt_json_ref(found.set);
			memmove(ways + 1, ways, i * sizeof(*ways));
			ways[0] = found;
			return true;
		}
	return false;
}

void managed_cache_add(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                       const struct kt_json *value, const struct kt_json *set)
{
	if (!cache)
		return;
	struct shape *ways = &cache->shapes[shape_at(at, value)], *last = &ways[WAYS - 1];
	kt_json_free(last->value);
	kt_json_free(last->set);
	memmove(ways + 1, ways, (WAYS - 1) * sizeof(*ways));
	*ways = (struct shape){was_of(old), at->field, at->type, kt_json_ref(value), kt_json_ref(set)};
}

/* --- what differs --- */
static struct pair *pair_at(struct managed_cache *cache, const struct kt_json *old, const struct kt_json *now)
{
	return &cache->pairs[(mix_address(mix_address(0, old), now) >> 8) % PAIRS];
}

bool managed_differed(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                      const struct kt_json *now, struct managed_diff *out)
{
	const struct pair *pair = pair_at(cache, old, now);
	if (!pair->old || pair->old != old || pair->now != now || pair->field != at->field ||
	    pair->type != at->type)
		return false;
	*out = (struct managed_diff){kt_json_ref(pair->diff.changed), kt_json_ref(pair->diff.removed)};
	return true;
}

void managed_differed_add(struct managed_cache *cache, const struct managed_at *at, const struct kt_json *old,
                          const struct kt_json *now, const struct managed_diff *diff)
{
	struct pair *pair = pair_at(cache, old, now);
	forget_pair(pair);
	*pair = (struct pair){at->field,
	                      at->type,
	                      kt_json_ref(old),
	                      kt_json_ref(now),
	                      {kt_json_ref(diff->changed), kt_json_ref(diff->removed)}};
}

/* --- sets --- */
/* By the keys' texts and the members' addresses: those are one already, if they are known. */
static struct set *set_ways(struct managed_cache *cache, const struct kt_json *set, bool marked)
{
	uint64_t hash = kt_count(set) * 2 + marked;
	for (size_t i = 0, n = kt_count(set); i < n; i++) {
		const char *key = kt_key(set, i);
		hash = mix_address(mix(hash, kt_hash32(key, strlen(key))), kt_at(set, i));
	}
	return &cache->sets[(hash >> 8) % (SETS / WAYS) * WAYS];
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

static bool known(struct set *ways, struct kt_json **set, bool marked)
{
	for (size_t i = 0; i < WAYS; i++) {
		if (ways[i].marked != marked || !same(ways[i].as_made, *set))
			continue;
		struct set found = ways[i];
		if (found.set != *set) {
			kt_json_free(*set);
			*set = kt_json_ref(found.set);
		}
		memmove(ways + 1, ways, i * sizeof(*ways)); /* what is used stays */
		ways[0] = found;
		return true;
	}
	return false;
}

static void remember(struct set *ways, struct kt_json *as_made, const struct kt_json *set, bool marked)
{
	kt_json_free(ways[WAYS - 1].as_made);
	kt_json_free(ways[WAYS - 1].set);
	memmove(ways + 1, ways, (WAYS - 1) * sizeof(*ways));
	*ways = (struct set){as_made, kt_json_ref(set), marked};
}

struct kt_json *managed_one(struct managed_cache *cache, struct kt_json *steal)
{
	if (!cache || kt_count(steal) == 0)
		return steal;
	struct set *ways = set_ways(cache, steal, false);
	if (!known(ways, &steal, false))
		remember(ways, kt_json_ref(steal), steal, false);
	return steal;
}

void managed_finish(struct managed_cache *cache, struct kt_json **set, bool mark)
{
	struct set *ways = cache && kt_count(*set) ? set_ways(cache, *set, mark) : NULL;
	if (ways && known(ways, set, mark))
		return;
	struct kt_json *as_made = ways ? kt_json_ref(*set) : NULL;
	if (*set)
		managed_sort(set);
	if (mark)
		managed_mark(set);
	if (ways) {
		*set = managed_one(cache, *set); /* whatever order it was made in */
		remember(ways, as_made, *set, mark);
	}
}

/* --- sets put together --- */
static struct kt_json *put_together(struct managed_cache *cache, enum managed_op op, const struct kt_json *a,
                                    const struct kt_json *b)
{
	if (op == MANAGED_UNION)
		return managed_union_in(cache, a, b);
	if (op == MANAGED_DIFFERENCE)
		return managed_difference_in(cache, a, b);
	struct kt_json *out = kt_json_ref(a);
	kt_unset(&out, op == MANAGED_NO_SPEC ? "f:spec" : "f:status");
	if (kt_count(a) && !kt_count(out))
		kt_json_freep(&out);
	return out;
}

struct kt_json *managed_do(struct managed_cache *cache, enum managed_op op, const struct kt_json *a,
                           const struct kt_json *b)
{
	if (!cache)
		return put_together(NULL, op, a, b);
	struct done *done = &cache->done[(mix_address(mix_address(op, a), b) >> 8) % DONE];
	if (!done->used || done->op != op || done->a != a || done->b != b) {
		struct kt_json *out = managed_one(cache, put_together(cache, op, a, b));
		forget(done);
		*done = (struct done){op, true, kt_json_ref(a), kt_json_ref(b), out};
	}
	return kt_json_ref(done->out);
}

/* Thousands of pods are written in a second, by the same few writers. */
struct kt_json *managed_update_entry(struct managed_cache *cache, const char *manager,
                                     const char *api_version, const char *subresource, kt_ns now,
                                     const struct kt_json *set)
{
	struct kt_json *time = managed_time_of(cache, now);
	struct kt_json **slot = NULL, *entry = NULL;
	if (cache) {
		uint64_t hash = mix_address(mix_address(kt_hash32(manager, strlen(manager)), set), time);
		slot = &cache->entries[(hash >> 8) % ENTRIES];
		if (*slot && kt_get(*slot, "fieldsV1") == set && kt_get(*slot, "time") == time &&
		    managed_is_entry(*slot, manager, "Update", api_version, subresource))
			entry = kt_json_ref(*slot);
	}
	if (!entry) {
		entry = managed_one(cache,
		                    managed_entry(manager, "Update", api_version, subresource, time, set));
		if (slot) {
			kt_json_free(*slot);
			*slot = kt_json_ref(entry);
		}
	}
	kt_json_free(time);
	return entry;
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

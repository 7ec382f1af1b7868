/* SPDX-License-Identifier: MIT */
/* Walks along values and their schema: what differs, what is set, what is left, what comes of merging. */
#include "cluster/api/managed_internal.h"

#include <string.h>

struct managed_at managed_at_root(const struct schema_type *type)
{
	bool leaf = type && (type->atomic || type->scalar != SCHEMA_MESSAGE);
	return (struct managed_at){.type = type, .list = leaf ? SCHEMA_ATOMIC : SCHEMA_GRANULAR};
}

struct managed_at managed_at_item(const struct managed_at *at)
{
	return managed_at_root(at->type);
}

struct managed_at managed_at_member(const struct managed_at *at, const char *name)
{
	if (at->shape == SCHEMA_MAP)
		return managed_at_item(at);
	const struct schema_field *f = at->type ? schema_field_named(at->type, name) : NULL;
	if (!f)
		return (struct managed_at){.list = SCHEMA_GRANULAR};
	return (struct managed_at){
	        .type = f->type, .shape = f->shape, .list = f->list_type, .keys = f->list_keys, .field = f};
}

bool managed_is_map(const struct managed_at *at, const struct kt_json *value)
{
	return at->list == SCHEMA_GRANULAR && at->shape != SCHEMA_LIST && (!value || kt_is_object(value));
}

bool managed_is_list(const struct managed_at *at, const struct kt_json *value)
{
	return at->shape == SCHEMA_LIST && (at->list == SCHEMA_KEYED || at->list == SCHEMA_SET) &&
	       (!value || kt_is_array(value));
}

/* What an item leaves out counts with its default ("protocol": "TCP"); NULL: it has none. */
static const char *key_default(const struct managed_at *at, const char *key)
{
	const struct schema_field *f = at->type ? schema_field_named(at->type, key) : NULL;
	return f ? schema_field_default(f) : NULL;
}

bool managed_element(const struct managed_at *at, const struct kt_json *item, struct kt_buf *out)
{
	kt_buf_cut(out, 0);
	if (at->list == SCHEMA_SET) {
		kt_buf_adds(out, "v:");
		kt_json_print(item, out);
		return true;
	}
	kt_buf_adds(out, "k:{");
	bool any = false;
	/* keys without a value are left out, but not all of them */
	for (size_t i = 0; at->keys && at->keys[i]; i++) {
		const struct kt_json *v = kt_get(item, at->keys[i]);
		const char *otherwise = v ? NULL : key_default(at, at->keys[i]);
		if (!v && !otherwise)
			continue;
		kt_buf_addf(out, "%s\"%s\":", any ? "," : "", at->keys[i]);
		if (v)
			kt_json_print(v, out);
		else
			kt_buf_adds(out, otherwise);
		any = true;
	}
	kt_buf_addc(out, '}');
	return any;
}

bool managed_same_element(const struct managed_at *at, const struct kt_json *a, const struct kt_json *b)
{
	if (at->list == SCHEMA_SET)
		return kt_equal(a, b);
	for (size_t i = 0; at->keys && at->keys[i]; i++) {
		const struct kt_json *ka = kt_get(a, at->keys[i]), *kb = kt_get(b, at->keys[i]);
		if (ka && kb ? !kt_equal(ka, kb) : ka != kb) {
			/* one leaves out what the other says: equal if it says the default */
			const char *said = kt_str(ka ? ka : kb),
			           *otherwise = !ka || !kb ? key_default(at, at->keys[i]) : NULL;
			size_t len = said ? strlen(said) : 0;
			if (!said || !otherwise || strlen(otherwise) != len + 2 ||
			    strncmp(otherwise + 1, said, len) != 0)
				return false;
		}
	}
	return true;
}

/* The item of `list` with the same key as `item`, looked for first at `hint`. */
static const struct kt_json *find_item(const struct managed_at *at, const struct kt_json *list,
                                       const struct kt_json *item, size_t hint)
{
	size_t n = kt_count(list);
	if (hint < n && managed_same_element(at, kt_at(list, hint), item))
		return kt_at(list, hint);
	for (size_t i = 0; i < n; i++)
		if (i != hint && managed_same_element(at, kt_at(list, i), item))
			return kt_at(list, i);
	return NULL;
}

/* --- comparing --- */

/* Go prints some fields even when nobody set them: both sides count as having them. */
static struct kt_json *kept(const struct schema_field *f)
{
	if (!f || !f->keep)
		return NULL;
	if (f->shape != SCHEMA_ONE)
		return kt_json_null();
	switch (f->type->scalar) {
	case SCHEMA_MESSAGE:
		return f->pointer ? kt_json_null() : kt_json_object();
	case SCHEMA_STRING:
		return kt_json_str("");
	case SCHEMA_BOOL:
		return kt_json_bool(false);
	case SCHEMA_INT32:
	case SCHEMA_INT64:
		return kt_json_int(0);
	default:
		return kt_json_null();
	}
}

static void compare_member(const struct managed_at *at, const char *key, const struct kt_json *old_parent,
                           const struct kt_json *now_parent, const struct kt_json *old,
                           const struct kt_json *now, struct managed_cache *cache, struct managed_diff *out)
{
	if (old == now)
		return;
	struct managed_at below = managed_at_member(at, key);
	struct managed_diff diff = {0};
	struct kt_json *zero = NULL;
	if (!old && old_parent)
		old = zero = kept(below.field);
	else if (!now && now_parent)
		now = zero = kept(below.field);
	managed_compare(&below, old, now, cache, &diff);
	if (diff.changed)
		managed_put_field(cache, &out->changed, &below, key, diff.changed);
	if (diff.removed)
		managed_put_field(cache, &out->removed, &below, key, diff.removed);
	kt_json_free(zero);
}

/* Most objects have their members where their neighbours have them. */
static const struct kt_json *get_near(const struct kt_json *object, const char *key, size_t i)
{
	return kt_key(object, i) == key ? kt_at(object, i) : kt_get(object, key);
}

static void compare_maps(const struct managed_at *at, const struct kt_json *old, const struct kt_json *now,
                         struct managed_cache *cache, struct managed_diff *out)
{
	const struct kt_json *before = kt_is_object(old) ? old : NULL,
	                     *after = kt_is_object(now) ? now : NULL;
	for (size_t i = 0, n = kt_count(after); i < n; i++) {
		const char *key = kt_key(after, i);
		compare_member(at, key, old, now, get_near(before, key, i), kt_at(after, i), cache, out);
	}
	for (size_t i = 0, n = kt_count(before); i < n; i++) {
		const char *key = kt_key(before, i);
		if (!get_near(after, key, i))
			compare_member(at, key, old, now, kt_at(before, i), NULL, cache, out);
	}
}

static void compare_item(const struct managed_at *at, const struct kt_json *old, const struct kt_json *now,
                         struct managed_cache *cache, struct managed_diff *out)
{
	struct managed_at below = managed_at_item(at);
	struct managed_diff diff = {0};
	struct kt_buf element = {0};
	if (old == now || !managed_element(at, now ? now : old, &element))
		goto out;
	managed_compare(&below, old, now, cache, &diff);
	managed_put(&out->changed, "", kt_buf_str(&element), diff.changed);
	managed_put(&out->removed, "", kt_buf_str(&element), diff.removed);
out:
	kt_buf_clear(&element);
}

static void compare_lists(const struct managed_at *at, const struct kt_json *old, const struct kt_json *now,
                          struct managed_cache *cache, struct managed_diff *out)
{
	const struct kt_json *item;
	const struct kt_json *before = kt_is_array(old) ? old : NULL, *after = kt_is_array(now) ? now : NULL;
	KT_JSON_EACH (item, after)
		compare_item(at, find_item(at, before, item, item_i), item, cache, out);
	KT_JSON_EACH (item, before)
		if (!find_item(at, after, item, item_i))
			compare_item(at, item, NULL, cache, out);
}

static bool is_absent_or(bool (*is)(const struct managed_at *, const struct kt_json *),
                         const struct managed_at *at, const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_NULL || is(at, v);
}

void managed_compare(const struct managed_at *at, const struct kt_json *old, const struct kt_json *now,
                     struct managed_cache *cache, struct managed_diff *out)
{
	if (old == now)
		return;
	bool some = kt_is_object(old) || kt_is_object(now) || kt_is_array(old) || kt_is_array(now);
	bool map = some && is_absent_or(managed_is_map, at, old) && is_absent_or(managed_is_map, at, now);
	bool list = some && !map && is_absent_or(managed_is_list, at, old) &&
	            is_absent_or(managed_is_list, at, now);
	if (!map && !list) {
		if (!now)
			out->removed = kt_json_object();
		else if (!old || !kt_equal(old, now))
			out->changed = kt_json_object();
		return;
	}
	if (old && now && !kt_count(old) && !kt_count(now)) {
		if (kt_json_type(old) != kt_json_type(now)) /* null is not {} */
			out->changed = kt_json_object();
		return;
	}
	/* all of it is new; types of custom kinds come and go */
	bool whole = !kt_count(old) && kt_count(now) && at->type && at->type->id != 0;
	if (whole && managed_cached(cache, at, old, now, &out->changed))
		return;
	bool common = cache && !whole && at->type && at->type->id != 0 && kt_json_is_shared(old) &&
	              kt_json_is_shared(now);
	if (common && managed_differed(cache, at, old, now, out))
		return;
	(map ? compare_maps : compare_lists)(at, old, now, cache, out);
	managed_finish(cache, &out->changed, !old);
	managed_finish(cache, &out->removed, old && !now);
	if (whole)
		managed_cache_add(cache, at, old, now, out->changed);
	if (common)
		managed_differed_add(cache, at, old, now, out);
}

/* --- what is set --- */

struct kt_json *managed_to_set(const struct managed_at *at, const struct kt_json *value)
{
	struct kt_json *out = NULL;
	if (value && managed_is_map(at, value)) {
		for (size_t i = 0, n = kt_count(value); i < n; i++) {
			const char *key = kt_key(value, i);
			const struct kt_json *v = kt_at(value, i);
			struct managed_at below = managed_at_member(at, key);
			struct kt_json *child = managed_to_set(&below, v);
			if (kt_json_type(v) == KT_JSON_NULL || (kt_is_object(v) && kt_count(v) == 0) ||
			    !below.field)
				managed_mark(&child);
			managed_put(&out, "f:", key, child);
		}
	} else if (value && managed_is_list(at, value)) {
		struct managed_at below = managed_at_item(at);
		struct kt_buf element = {0};
		const struct kt_json *item;
		KT_JSON_EACH (item, value) {
			if (!managed_element(at, item, &element))
				continue;
			struct kt_json *child = managed_to_set(&below, item);
			managed_mark(&child);
			managed_put(&out, "", kt_buf_str(&element), child);
		}
		kt_buf_clear(&element);
	} else if (value && at->list != SCHEMA_ATOMIC && kt_json_type(value) == KT_JSON_NULL &&
	           at->shape == SCHEMA_LIST) {
		return NULL;
	} else if (value) {
		return kt_json_object();
	}
	if (out)
		managed_sort(&out);
	return out;
}

struct kt_json *managed_named(const struct managed_at *at, const struct kt_json *set)
{
	if (!set || kt_count(set) == 0)
		return kt_json_ref(set);
	struct kt_json *out = kt_json_ref(set);
	for (size_t i = 0, n = kt_count(set); i < n; i++) {
		const char *key = kt_key(set, i);
		if (key[0] == '.')
			continue;
		bool field = key[0] == 'f';
		struct managed_at below = field ? managed_at_member(at, key + 2) : managed_at_item(at);
		struct kt_json *child = managed_named(&below, kt_at(set, i));
		if (field && below.field)
			managed_mark(&child);
		if (child == kt_at(set, i))
			kt_json_free(child);
		else
			kt_set(&out, key, child);
	}
	return out;
}

/* --- taking away --- */

struct kt_json *managed_without(const struct managed_at *at, const struct kt_json *value,
                                const struct kt_json *set)
{
	if (!set || kt_count(set) == 0)
		return kt_json_ref(value);
	if (managed_is_map(at, value)) {
		struct kt_json *out = kt_json_ref(value);
		for (size_t i = 0, n = kt_count(value); i < n; i++) {
			const char *key = kt_key(value, i);
			struct kt_buf element = {0};
			kt_buf_addf(&element, "f:%s", key);
			const struct kt_json *taken = kt_get(set, kt_buf_str(&element));
			kt_buf_clear(&element);
			if (!taken)
				continue;
			struct managed_at below = managed_at_member(at, key);
			kt_set(&out, key,
			       managed_is_member(taken) ? NULL
			                                : managed_without(&below, kt_at(value, i), taken));
		}
		if (kt_count(out) > 0)
			return out;
		kt_json_free(out);
		return NULL;
	}
	if (managed_is_list(at, value)) {
		struct managed_at below = managed_at_item(at);
		struct kt_json *out = kt_json_array();
		struct kt_buf element = {0};
		const struct kt_json *item;
		KT_JSON_EACH (item, value) {
			const struct kt_json *taken = managed_element(at, item, &element)
			                                      ? kt_get(set, kt_buf_str(&element))
			                                      : NULL;
			struct kt_json *left = NULL;
			if (!taken)
				left = kt_json_ref(item);
			else if (!managed_is_member(taken))
				left = managed_without(&below, item, taken);
			if (left)
				kt_push(&out, left);
		}
		kt_buf_clear(&element);
		if (kt_count(out) > 0)
			return out;
		kt_json_free(out);
		return NULL;
	}
	return kt_json_ref(value);
}

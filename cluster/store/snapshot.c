/* SPDX-License-Identifier: MIT */
/* Snapshots hold the versions themselves: nothing is copied but pointers. */
#include "cluster/store/store_internal.h"
#include <stdlib.h>
#include <string.h>

struct store_snapshot {
	struct store_table objects; /* referenced, by key */
};

struct key {
	const struct schema_kind *kind;
	const char *ns, *name;
};

static bool object_is(const void *item, const void *key)
{
	const struct store_object *object = item;
	const struct key *k = key;

	return object->kind == k->kind && strcmp(object->name, k->name) == 0 &&
	       strcmp(object->ns, k->ns) == 0;
}

static struct store_object *find(const struct store_snapshot *snapshot, const struct store_object *like)
{
	struct key key = {like->kind, like->ns, like->name};

	return store_table_find(&snapshot->objects, store_key_hash(key.kind, key.ns, key.name), object_is,
	                        &key);
}

static void *unconst(const struct store_object *object)
{
	return (void *)(uintptr_t)object;
}

struct store_snapshot *store_snapshot(struct store *store)
{
	struct store_snapshot *snapshot = kt_alloc(sizeof(*snapshot));
	struct store_entry *entry;

	for (size_t i = 0; (entry = store_table_next(&store->by_key, &i));)
		store_table_add(&snapshot->objects, entry->hash, unconst(store_ref(entry->object)));
	return snapshot;
}

static void undo(struct store_snapshot *snapshot, const struct store_event *event)
{
	struct store_object *now = find(snapshot, event->object);
	uint64_t hash = store_key_hash(event->object->kind, event->object->ns, event->object->name);

	if (now && event->old) {
		store_table_replace(&snapshot->objects, hash, now, unconst(store_ref(event->old)));
		store_unref(now);
	} else if (now) {
		store_table_remove(&snapshot->objects, hash, now);
		store_unref(now);
	} else if (event->old) {
		store_table_add(&snapshot->objects, hash, unconst(store_ref(event->old)));
	}
}

struct store_snapshot *store_snapshot_at(struct store *store, uint64_t version)
{
	struct store_snapshot *snapshot;

	if (version < store->oldest || version > store->version)
		return NULL;
	snapshot = store_snapshot(store);
	for (uint64_t v = store->version; v > version; v--) {
		const struct store_record *record = store_record_at(store, v);

		if (record)
			undo(snapshot, &record->event);
	}
	return snapshot;
}

static int by_age(const void *a, const void *b)
{
	const struct store_object *x = *(const struct store_object *const *)a;
	const struct store_object *y = *(const struct store_object *const *)b;

	return (x->created_version > y->created_version) - (x->created_version < y->created_version);
}

static const struct store_object **sorted(const struct store_object **objects, size_t count)
{
	if (count)
		qsort(objects, count, sizeof(*objects), by_age);
	return objects;
}

void store_restore(struct store *store, const struct store_snapshot *snapshot, kt_ns now)
{
	struct store_cause cause = {.actor = "rewind"};
	const struct store_object **gone = kt_alloc((store->by_key.count + 1) * sizeof(*gone));
	const struct store_object **back = kt_alloc((snapshot->objects.count + 1) * sizeof(*back));
	size_t gone_count = 0, back_count = 0;
	struct store_entry *entry;
	const struct store_object *object;

	for (size_t i = 0; (entry = store_table_next(&store->by_key, &i));) {
		object = find(snapshot, entry->object);
		/* another object of the same name is another object */
		if (!object || strcmp(object->uid, entry->object->uid) != 0)
			gone[gone_count++] = store_ref(entry->object);
	}
	for (size_t i = 0; (object = store_table_next(&snapshot->objects, &i));) {
		entry = store_entry_of(store, object->kind, object->ns, object->name);
		if (!entry || entry->object != object)
			back[back_count++] = object;
	}
	sorted(gone, gone_count);
	sorted(back, back_count);
	for (size_t i = 0; i < gone_count; i++) {
		store_delete(store, gone[i], now, &cause);
		store_unref(gone[i]);
	}
	for (size_t i = 0; i < back_count; i++)
		store_put_as(store, back[i]->kind, kt_json_ref(back[i]->json), now, &cause,
		             back[i]->created_version);
	kt_free(gone);
	kt_free(back);
}

void store_snapshot_free(struct store_snapshot *snapshot)
{
	struct store_object *object;

	if (!snapshot)
		return;
	for (size_t i = 0; (object = store_table_next(&snapshot->objects, &i));)
		store_unref(object);
	store_table_clear(&snapshot->objects);
	kt_free(snapshot);
}

/* SPDX-License-Identifier: MIT */
/* The ring of events: one a version, so that a version is its place. */
#include "cluster/store/store_internal.h"

const struct store_record *store_record_at(const struct store *store, uint64_t version)
{
	if (version <= store->oldest || version > store->version)
		return NULL;
	return &store->ring[version % store->ring_cap];
}

static void forget_oldest(struct store *store)
{
	struct store_record *record = &store->ring[++store->oldest % store->ring_cap];
	struct store_kind_table *table = store_kind_table(store, record->event.object->kind);

	table->compacted = record->event.version;
	store->ring_bytes -= record->event.object->inner->cost;
	record->event.object->inner->ring_refs--;
	if (record->event.old)
		record->event.old->inner->ring_refs--;
	store_unref(record->event.object);
	store_unref(record->event.old);
	kt_free((void *)(uintptr_t)record->event.reason);
	*record = (struct store_record){0};
}

static void grow(struct store *store)
{
	size_t cap = store->ring_cap ? store->ring_cap * 2 : 256;
	struct store_record *ring = kt_alloc(cap * sizeof(*ring));

	for (uint64_t v = store->oldest + 1; v < store->version; v++)
		ring[v % cap] = store->ring[v % store->ring_cap];
	kt_free(store->ring);
	store->ring = ring;
	store->ring_cap = cap;
}

void store_history_add(struct store *store, const struct store_event *event)
{
	struct store_kind_table *table = store_kind_table(store, event->object->kind);
	struct store_record *record;

	/* store->version is this event's already */
	if (store->version - store->oldest > store->ring_cap)
		grow(store);
	record = &store->ring[event->version % store->ring_cap];
	record->event = *event;
	record->prev_kind = table->last;
	record->next_kind = 0;
	if (table->last > store->oldest)
		store->ring[table->last % store->ring_cap].next_kind = event->version;
	table->last = event->version;
	store->ring_bytes += event->object->inner->cost;
	/* what was not told to the listeners yet must stay */
	while (store->oldest + 1 < store->emitted &&
	       (store->version - store->oldest > store->max_events || store->ring_bytes > store->max_bytes))
		forget_oldest(store);
}

void store_history_clear(struct store *store)
{
	while (store->oldest < store->version)
		forget_oldest(store);
	kt_free(store->ring);
	store->ring = NULL;
	store->ring_cap = 0;
}

uint64_t store_oldest(const struct store *store)
{
	return store->oldest;
}

void store_history(struct store *store, uint64_t since,
                   bool (*fn)(void *arg, const struct store_event *event), void *arg)
{
	for (uint64_t v = KT_MAX(since, store->oldest) + 1; v <= store->version; v++) {
		const struct store_record *record = store_record_at(store, v);

		if (record && !fn(arg, &record->event))
			return;
	}
}

void store_set_history_limits(struct store *store, size_t max_events, size_t max_bytes)
{
	store->max_events = KT_MAX(max_events, 1);
	store->max_bytes = max_bytes;
}

uint64_t store_kind_compacted(struct store *store, const struct schema_kind *kind)
{
	return store_kind_table(store, kind)->compacted;
}

uint64_t store_kind_version(struct store *store, const struct schema_kind *kind)
{
	return store_kind_table(store, kind)->last;
}

const struct store_event *store_next_event(struct store *store, const struct schema_kind *kind,
                                           uint64_t since, uint64_t hint)
{
	struct store_kind_table *table = store_kind_table(store, kind);
	const struct store_record *record;
	uint64_t version;

	if (table->last <= since)
		return NULL;
	record = hint ? store_record_at(store, hint) : NULL;
	if (record && record->event.object->kind == kind && hint <= since) {
		version = record->next_kind;
		while (version && version <= since) {
			record = store_record_at(store, version);
			version = record ? record->next_kind : 0;
		}
		record = store_record_at(store, version);
		return record ? &record->event : NULL;
	}
	record = store_record_at(store, table->last);
	while (record && record->prev_kind > KT_MAX(since, store->oldest))
		record = store_record_at(store, record->prev_kind);
	return record ? &record->event : NULL;
}

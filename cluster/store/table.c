/* SPDX-License-Identifier: MIT */
#include "cluster/store/table.h"

static char gone_mark;
#define GONE ((void *)&gone_mark)

static void place(struct store_slot *slots, size_t cap, uint64_t hash, void *item)
{
	size_t at = (size_t)hash & (cap - 1);

	while (slots[at].item)
		at = (at + 1) & (cap - 1);
	slots[at].hash = hash;
	slots[at].item = item;
}

static void rehash(struct store_table *table)
{
	size_t cap = 16;
	struct store_slot *slots;

	while (cap < table->count * 2 + 2)
		cap *= 2;
	slots = kt_alloc(cap * sizeof(*slots));
	for (size_t i = 0; i < table->cap; i++) {
		if (table->slots[i].item && table->slots[i].item != GONE)
			place(slots, cap, table->slots[i].hash, table->slots[i].item);
	}
	kt_free(table->slots);
	table->slots = slots;
	table->cap = cap;
	table->used = table->count;
}

void *store_table_find(const struct store_table *table, uint64_t hash, store_table_equal *equal,
                       const void *key)
{
	if (!table->count)
		return NULL;
	for (size_t at = (size_t)hash & (table->cap - 1); table->slots[at].item;
	     at = (at + 1) & (table->cap - 1)) {
		const struct store_slot *slot = &table->slots[at];

		if (slot->hash == hash && slot->item != GONE && equal(slot->item, key))
			return slot->item;
	}
	return NULL;
}

void store_table_add(struct store_table *table, uint64_t hash, void *item)
{
	if ((table->used + 1) * 4 > table->cap * 3)
		rehash(table);
	place(table->slots, table->cap, hash, item);
	table->count++;
	table->used++;
}

static struct store_slot *slot_of(const struct store_table *table, uint64_t hash, const void *item)
{
	if (!table->cap)
		return NULL;
	for (size_t at = (size_t)hash & (table->cap - 1); table->slots[at].item;
	     at = (at + 1) & (table->cap - 1)) {
		if (table->slots[at].item == item)
			return &table->slots[at];
	}
	return NULL;
}

void store_table_remove(struct store_table *table, uint64_t hash, const void *item)
{
	struct store_slot *slot = slot_of(table, hash, item);

	if (!slot)
		return;
	slot->item = GONE;
	table->count--;
	if (!table->count)
		store_table_clear(table);
}

void store_table_replace(struct store_table *table, uint64_t hash, const void *old, void *item)
{
	struct store_slot *slot = slot_of(table, hash, old);

	if (slot)
		slot->item = item;
}

void *store_table_next(const struct store_table *table, size_t *i)
{
	while (*i < table->cap) {
		void *item = table->slots[(*i)++].item;

		if (item && item != GONE)
			return item;
	}
	return NULL;
}

void store_table_clear(struct store_table *table)
{
	kt_free(table->slots);
	*table = (struct store_table){0};
}

/* SPDX-License-Identifier: MIT */
/* An open-addressing table of pointers by hash, for the store's lookups. The caller knows the keys: equality
 * is a function. Items are borrowed. */
#ifndef STORE_TABLE_H
#define STORE_TABLE_H

#include "base/base.h"

struct store_slot {
	uint64_t hash;
	void *item; /* NULL free; &store_table_gone removed */
};
struct store_table {
	struct store_slot *slots;
	size_t cap, count, used; /* used: with the removed ones */
};
typedef bool store_table_equal(const void *item, const void *key);

void *store_table_find(const struct store_table *table, uint64_t hash, store_table_equal *equal,
                       const void *key);
void store_table_add(struct store_table *table, uint64_t hash, void *item); /* no such key is in it yet */
void store_table_remove(struct store_table *table, uint64_t hash, const void *item);
/* Put `item` where `old` is. */
void store_table_replace(struct store_table *table, uint64_t hash, const void *old, void *item);
/* Visit: i from 0; NULL at the end. */
void *store_table_next(const struct store_table *table, size_t *i);
void store_table_clear(struct store_table *table);

#endif

/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <string.h>

/* Open addressing with linear probing; never more than half full. */
static size_t find(const struct table *table, const char *key)
{
	size_t at = (size_t)kt_hash(key, strlen(key)) & (table->cap - 1);
	while (table->rows[at].key && strcmp(table->rows[at].key, key) != 0)
		at = (at + 1) & (table->cap - 1);
	return at;
}

void *table_get(const struct table *table, const char *key)
{
	if (!table->cap || !key)
		return NULL;
	return table->rows[find(table, key)].value;
}

static void grow(struct table *table)
{
	struct table old = *table;
	table->cap = old.cap ? old.cap * 2 : 16;
	table->rows = kt_alloc(table->cap * sizeof(*table->rows));
	for (size_t i = 0; i < old.cap; i++) {
		if (old.rows[i].key)
			table->rows[find(table, old.rows[i].key)] = old.rows[i];
	}
	kt_free(old.rows);
}

void **table_slot(struct table *table, const char *key)
{
	if ((table->count + 1) * 2 > table->cap)
		grow(table);
	struct table_row *row = &table->rows[find(table, key)];
	if (!row->key) {
		row->key = kt_strdup(key);
		table->count++;
	}
	return &row->value;
}

void table_remove(struct table *table, const char *key)
{
	if (!table->cap)
		return;
	size_t at = find(table, key);
	if (!table->rows[at].key)
		return;
	kt_free(table->rows[at].key);
	table->rows[at] = (struct table_row){0};
	table->count--;
	/* those behind it may have been pushed there by it */
	for (size_t i = (at + 1) & (table->cap - 1); table->rows[i].key; i = (i + 1) & (table->cap - 1)) {
		struct table_row row = table->rows[i];
		table->rows[i] = (struct table_row){0};
		table->rows[find(table, row.key)] = row;
	}
}

void table_clear(struct table *table)
{
	for (size_t i = 0; i < table->cap; i++)
		kt_free(table->rows[i].key);
	kt_free(table->rows);
	*table = (struct table){0};
}

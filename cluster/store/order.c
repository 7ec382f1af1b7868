/* SPDX-License-Identifier: MIT */
#include "cluster/store/store_internal.h"
#include <string.h>

/* A namespace ends with '/' in the key, and '/' sorts behind '-' and '.': "a-b/x" comes before "a/x". */
static int compare_ns(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	return (*a ? (unsigned char)*a : '/') - (*b ? (unsigned char)*b : '/');
}

int store_key_compare(const char *ns_a, const char *name_a, const char *ns_b, const char *name_b)
{
	int by_ns = ns_a == ns_b ? 0 : compare_ns(ns_a, ns_b);

	return by_ns ? by_ns : strcmp(name_a, name_b);
}

static int compare_entry(const struct store_entry *entry, const char *ns, const char *name)
{
	return store_key_compare(entry->object->ns, entry->object->name, ns, name);
}

void store_order_seek(const struct store_order *order, const char *ns, const char *name, size_t *chunk,
                      size_t *item)
{
	size_t low = 0, high = order->count;

	/* the first chunk whose last entry is not before the key */
	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct store_chunk *c = order->chunks[mid];

		if (compare_entry(c->items[c->count - 1], ns, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*chunk = low;
	*item = 0;
	if (low == order->count)
		return;
	const struct store_chunk *c = order->chunks[low];

	low = 0;
	high = c->count;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare_entry(c->items[mid], ns, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*item = low;
}

static void insert_chunk(struct store_order *order, size_t at, struct store_chunk *chunk)
{
	order->chunks = kt_grow(order->chunks, &order->cap, order->count + 1, sizeof(*order->chunks));
	memmove(order->chunks + at + 1, order->chunks + at, (order->count - at) * sizeof(*order->chunks));
	order->chunks[at] = chunk;
	order->count++;
}

void store_order_insert(struct store_order *order, struct store_entry *entry)
{
	size_t at, item;
	struct store_chunk *chunk;

	store_order_seek(order, entry->object->ns, entry->object->name, &at, &item);
	if (!order->count)
		insert_chunk(order, 0, kt_alloc(sizeof(*chunk)));
	if (at == order->count) {
		at--;
		item = order->chunks[at]->count;
	}
	chunk = order->chunks[at];
	if (chunk->count == STORE_CHUNK) {
		/* appending at the very end leaves a full chunk behind; elsewhere halves are even */
		size_t keep = item == STORE_CHUNK && at + 1 == order->count ? STORE_CHUNK : STORE_CHUNK / 2;
		struct store_chunk *next = kt_alloc(sizeof(*next));

		next->count = STORE_CHUNK - keep;
		memcpy(next->items, chunk->items + keep, next->count * sizeof(next->items[0]));
		chunk->count = keep;
		insert_chunk(order, at + 1, next);
		if (item > keep || keep == STORE_CHUNK) {
			item -= keep;
			chunk = next;
		}
	}
	memmove(chunk->items + item + 1, chunk->items + item,
	        (chunk->count - item) * sizeof(chunk->items[0]));
	chunk->items[item] = entry;
	chunk->count++;
}

void store_order_remove(struct store_order *order, const struct store_entry *entry)
{
	size_t at, item;
	struct store_chunk *chunk;

	store_order_seek(order, entry->object->ns, entry->object->name, &at, &item);
	if (at == order->count || order->chunks[at]->items[item] != entry)
		return;
	chunk = order->chunks[at];
	chunk->count--;
	memmove(chunk->items + item, chunk->items + item + 1,
	        (chunk->count - item) * sizeof(chunk->items[0]));
	if (chunk->count)
		return;
	kt_free(chunk);
	order->count--;
	memmove(order->chunks + at, order->chunks + at + 1, (order->count - at) * sizeof(*order->chunks));
}

void store_order_clear(struct store_order *order)
{
	for (size_t i = 0; i < order->count; i++)
		kt_free(order->chunks[i]);
	kt_free(order->chunks);
	*order = (struct store_order){0};
}

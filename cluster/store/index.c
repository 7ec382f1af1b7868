/* SPDX-License-Identifier: MIT */
#include "cluster/store/store_internal.h"
#include <string.h>

static bool bucket_is(const void *item, const void *key)
{
	return strcmp(((const struct store_bucket *)item)->word, key) == 0;
}

static struct store_bucket *find(const struct store_table *index, const char *word, uint64_t *hash)
{
	*hash = kt_hash(word, strlen(word));
	return store_table_find(index, *hash, bucket_is, word);
}

const struct store_bucket *store_index_find(const struct store_table *index, const char *word)
{
	uint64_t hash;

	return find(index, word, &hash);
}

/* Where an entry of that age is, or belongs. */
static size_t place(const struct store_bucket *bucket, uint64_t created)
{
	size_t low = 0, high = bucket->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (bucket->items[mid]->object->created_version < created)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void store_index_add(struct store_table *index, const char *word, struct store_entry *entry)
{
	uint64_t hash;
	struct store_bucket *bucket = find(index, word, &hash);
	size_t at;

	if (!bucket) {
		bucket = kt_alloc(sizeof(*bucket));
		bucket->word = kt_strdup(word);
		bucket->hash = hash;
		store_table_add(index, hash, bucket);
	}
	at = place(bucket, entry->object->created_version);
	if (at < bucket->count && bucket->items[at] == entry)
		return;
	bucket->items = kt_grow(bucket->items, &bucket->cap, bucket->count + 1, sizeof(*bucket->items));
	memmove(bucket->items + at + 1, bucket->items + at, (bucket->count - at) * sizeof(*bucket->items));
	bucket->items[at] = entry;
	bucket->count++;
}

static void bucket_free(struct store_bucket *bucket)
{
	kt_free(bucket->word);
	kt_free(bucket->items);
	kt_free(bucket);
}

void store_index_remove(struct store_table *index, const char *word, const struct store_entry *entry)
{
	uint64_t hash;
	struct store_bucket *bucket = find(index, word, &hash);
	size_t at;

	if (!bucket)
		return;
	at = place(bucket, entry->object->created_version);
	if (at == bucket->count || bucket->items[at] != entry)
		return;
	bucket->count--;
	memmove(bucket->items + at, bucket->items + at + 1, (bucket->count - at) * sizeof(*bucket->items));
	if (bucket->count)
		return;
	store_table_remove(index, hash, bucket);
	bucket_free(bucket);
}

void store_index_clear(struct store_table *index)
{
	struct store_bucket *bucket;

	for (size_t i = 0; (bucket = store_table_next(index, &i));)
		bucket_free(bucket);
	store_table_clear(index);
}

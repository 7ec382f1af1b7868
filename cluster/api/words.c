/* SPDX-License-Identifier: MIT */
#include "cluster/api/words.h"
#include <string.h>

struct word {
	char *key, *value;
};

static bool is(const void *item, const void *key)
{
	return strcmp(((const struct word *)item)->key, key) == 0;
}

static void word_free(struct word *word)
{
	kt_free(word->key);
	kt_free(word->value);
	kt_free(word);
}

const char *api_words_get(const struct api_words *words, const char *key)
{
	const struct word *word = store_table_find(&words->table, kt_hash(key, strlen(key)), is, key);

	return word ? word->value : NULL;
}

void api_words_set(struct api_words *words, const char *key, const char *value)
{
	uint64_t hash = kt_hash(key, strlen(key));
	struct word *word = store_table_find(&words->table, hash, is, key);

	if (word) {
		store_table_remove(&words->table, hash, word);
		word_free(word);
	}
	if (!value)
		return;
	word = kt_alloc(sizeof(*word));
	word->key = kt_strdup(key);
	word->value = kt_strdup(value);
	store_table_add(&words->table, hash, word);
}

size_t api_words_count(const struct api_words *words)
{
	return words->table.count;
}

void api_words_clear(struct api_words *words)
{
	struct word *word;

	for (size_t i = 0; (word = store_table_next(&words->table, &i));)
		word_free(word);
	store_table_clear(&words->table);
}

/* SPDX-License-Identifier: MIT */
/* A map from words to words. Zeroed = empty. */
#ifndef API_WORDS_H
#define API_WORDS_H

#include "cluster/store/table.h"

struct api_words {
	struct store_table table;
};
const char *api_words_get(const struct api_words *words, const char *key);       /* NULL absent; borrowed */
void api_words_set(struct api_words *words, const char *key, const char *value); /* NULL removes */
size_t api_words_count(const struct api_words *words);
void api_words_clear(struct api_words *words);

#endif

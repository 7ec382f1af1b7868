/* SPDX-License-Identifier: MIT */
/* Which words of the glossary a page uses. */
#include "lessons/lessons.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool lesson_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = text; at && *at; at++) {
		bool starts = at == text || !isalnum((unsigned char)at[-1]);
		if (!starts || strncasecmp(at, word, len) != 0)
			continue;
		const char *end = at + len;
		end += *end == 's';
		if (!isalnum((unsigned char)*end))
			return true;
	}
	return false;
}

char *lesson_block_text(const struct lesson_block *block)
{
	struct kt_buf all = {0};
	for (size_t s = 0; s < block->span_count; s++)
		kt_buf_adds(&all, block->spans[s].text);
	return kt_buf_take(&all);
}

bool lesson_page_uses(const struct lesson_page *page, const char *word)
{
	struct kt_buf all = {0};
	for (size_t b = 0; b < page->block_count; b++) {
		kt_buf_adds(&all, page->blocks[b].text ? page->blocks[b].text : "");
		for (size_t s = 0; s < page->blocks[b].span_count; s++)
			kt_buf_adds(&all, page->blocks[b].spans[s].text);
		kt_buf_addc(&all, '\n');
	}
	bool found = lesson_has_word(kt_buf_str(&all), word) || lesson_has_word(page->title, word);
	kt_buf_clear(&all);
	return found;
}

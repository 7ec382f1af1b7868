/* SPDX-License-Identifier: MIT */
/* A lesson as plain text, in reading order: for pipes and screen readers. */
#include "lessons/lessons.h"

#include <string.h>

/* Words of `text` wrapped at `width`; each line behind `indent`, the first behind `first`. */
static void wrap(const char *text, size_t width, const char *first, const char *indent, struct kt_buf *out)
{
	size_t column = kt_width(first, strlen(first));
	kt_buf_adds(out, first);
	bool fresh = true;
	for (const char *word = text; *word;) {
		size_t len = strcspn(word, " \n");
		size_t wide = kt_width(word, len);
		if (!fresh && column + 1 + wide > width) {
			kt_buf_addf(out, "\n%s", indent);
			column = kt_width(indent, strlen(indent));
			fresh = true;
		}
		if (len) {
			if (!fresh) {
				kt_buf_addc(out, ' ');
				column++;
			}
			kt_buf_add(out, word, len);
			column += wide;
			fresh = false;
		}
		word += len;
		if (*word == '\n') {
			kt_buf_addf(out, "\n%s", indent);
			column = kt_width(indent, strlen(indent));
			fresh = true;
		}
		word += *word != '\0';
	}
	kt_buf_addc(out, '\n');
}

static void print_lines(const char *text, const char *indent, struct kt_buf *out)
{
	size_t len;
	for (const char *line; (line = kt_split(&text, '\n', &len));) {
		kt_buf_adds(out, len ? indent : "");
		kt_buf_add(out, line, len);
		kt_buf_addc(out, '\n');
	}
}

static void print_block(const struct lesson_block *block, size_t width, struct kt_buf *out)
{
	static const char *const marks[][2] = {[LESSON_HEADING] = {"", ""},
	                                       [LESSON_PARAGRAPH] = {"", ""},
	                                       [LESSON_QUOTE] = {"> ", "> "},
	                                       [LESSON_LIST] = {"- ", "  "}};
	if (block->text) {
		print_lines(block->text, "    ", out);
		return;
	}
	struct kt_buf prose = {0};
	for (size_t i = 0; i < block->span_count; i++) {
		const char *quote = block->spans[i].style == LESSON_MONO ? "`" : "";
		kt_buf_addf(&prose, "%s%s%s", quote, block->spans[i].text, quote);
	}
	wrap(kt_buf_str(&prose), width, marks[block->kind][0], marks[block->kind][1], out);
	kt_buf_clear(&prose);
}

void lesson_print_page(const struct lesson_page *page, size_t width, struct kt_buf *out)
{
	kt_buf_addf(out, "## %s\n", page->title);
	for (size_t i = 0; i < page->block_count; i++) {
		bool run_on = i && page->blocks[i].kind == page->blocks[i - 1].kind &&
		              (page->blocks[i].kind == LESSON_LIST || page->blocks[i].kind == LESSON_QUOTE);
		if (!run_on)
			kt_buf_addc(out, '\n');
		print_block(&page->blocks[i], width, out);
	}
}

void lesson_print(const struct lesson *lesson, size_t width, struct kt_buf *out)
{
	kt_buf_addf(out, "%s  %s  (%u min)\n", lesson->id, lesson->title, lesson->minutes);
	for (size_t i = 0; i < lesson->page_count; i++) {
		kt_buf_addc(out, '\n');
		lesson_print_page(&lesson->pages[i], width, out);
	}
}

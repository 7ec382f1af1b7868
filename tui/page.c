/* SPDX-License-Identifier: MIT */
/* A lesson's page as lines: prose wrapped, pictures and code as they are. */
#include "tui/app.h"

#include <string.h>

static enum tui_style span_style(enum lesson_style style, enum tui_style plain)
{
	switch (style) {
	case LESSON_STRONG:
		return TUI_STRONG;
	case LESSON_EMPHASIS:
		return TUI_EMPHASIS;
	case LESSON_MONO:
		return TUI_CODE;
	default:
		return plain;
	}
}

static bool is_numbered(const struct lesson_block *block)
{
	const char *s = block->span_count ? block->spans[0].text : "";
	size_t digits = strspn(s, "0123456789");
	return digits && s[digits] == '.' && s[digits + 1] == ' ';
}

static void add_prose(const struct lesson_block *block, struct tui_text *text)
{
	static const struct {
		enum tui_style style;
		const char *first, *indent;
	} shapes[] = {[LESSON_HEADING] = {TUI_HEADING, "", ""},
	              [LESSON_PARAGRAPH] = {TUI_PLAIN, "", ""},
	              [LESSON_QUOTE] = {TUI_QUOTE, "│ ", "│ "},
	              [LESSON_LIST] = {TUI_PLAIN, "• ", "  "}};
	struct tui_piece *pieces = kt_alloc((block->span_count + 1) * sizeof(*pieces));
	for (size_t i = 0; i < block->span_count; i++)
		pieces[i] = (struct tui_piece){span_style(block->spans[i].style, shapes[block->kind].style),
		                               block->spans[i].text};
	bool numbered = block->kind == LESSON_LIST && is_numbered(block);
	tui_text_wrap(text, pieces, block->span_count, numbered ? "" : shapes[block->kind].first,
	              numbered ? "   " : shapes[block->kind].indent);
	kt_free(pieces);
}

static int widest(const char *lines)
{
	size_t most = 0, len;
	const char *line;
	while (lines && (line = kt_split(&lines, '\n', &len)))
		most = KT_MAX(most, kt_width(line, len));
	return (int)most;
}

void tui_page_text(const struct lesson_page *page, struct tui_text *text, int code)
{
	for (size_t i = 0; i < page->block_count; i++) {
		const struct lesson_block *block = &page->blocks[i];
		bool run_on = i && block->kind == page->blocks[i - 1].kind &&
		              (block->kind == LESSON_LIST || block->kind == LESSON_QUOTE);
		if (!run_on)
			tui_text_gap(text);
		if (!block->text) {
			add_prose(block, text);
			continue;
		}
		/* as far in as there is room for the widest line */
		bool roomy = widest(block->text) + 2 <= text->width;
		text->tag = (int)i;
		tui_text_keep(text, block->kind == LESSON_CODE ? TUI_CODE : TUI_PLAIN,
		              (int)i == code ? "▸ "
		              : roomy        ? "  "
		                             : "",
		              block->text);
		text->tag = -1;
	}
}

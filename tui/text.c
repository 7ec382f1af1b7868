/* SPDX-License-Identifier: MIT */
#include "tui/text.h"

#include <stdarg.h>
#include <string.h>

void tui_text_init(struct tui_text *text, int width)
{
	memset(text, 0, sizeof(*text));
	text->width = KT_MAX(width, 8);
	text->tag = -1;
}

void tui_text_clear(struct tui_text *text)
{
	for (size_t i = 0; i < text->count; i++)
		kt_free(text->lines[i].pieces);
	kt_free(text->lines);
	kt_arena_clear(&text->arena);
	memset(text, 0, sizeof(*text));
}

static struct tui_line *new_line(struct tui_text *text)
{
	text->lines = kt_grow(text->lines, &text->cap, text->count + 1, sizeof(*text->lines));
	struct tui_line *line = &text->lines[text->count++];
	*line = (struct tui_line){.tag = text->tag};
	return line;
}

static void add_piece(struct tui_text *text, struct tui_line *line, enum tui_style style, const char *s,
                      size_t len)
{
	char *kept = kt_arena_alloc(&text->arena, len + 1);
	memcpy(kept, s, len);
	line->pieces = kt_grow(line->pieces, &line->piece_cap, line->piece_count + 1, sizeof(*line->pieces));
	line->pieces[line->piece_count++] = (struct tui_piece){style, kept};
}

void tui_text_line(struct tui_text *text, enum tui_style style, const char *line)
{
	add_piece(text, new_line(text), style, line, strlen(line));
}

void tui_text_linef(struct tui_text *text, enum tui_style style, const char *fmt, ...)
{
	struct kt_buf line = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&line, fmt, ap);
	va_end(ap);
	tui_text_line(text, style, kt_buf_str(&line));
	kt_buf_clear(&line);
}

void tui_text_keep(struct tui_text *text, enum tui_style style, const char *indent, const char *lines)
{
	size_t len;
	const char *piece;
	while (lines && (piece = kt_split(&lines, '\n', &len))) {
		if (!lines && !len)
			break; /* behind the last newline */
		struct tui_line *line = new_line(text);
		line->wide = true;
		add_piece(text, line, style, indent, strlen(indent));
		add_piece(text, line, style, piece, len);
	}
}

struct wrapping {
	struct tui_text *text;
	struct tui_line *line;
	const char *indent;
	int column;
	bool fresh; /* nothing but the indent is on the line */
};

static void next_line(struct wrapping *w)
{
	w->line = new_line(w->text);
	add_piece(w->text, w->line, TUI_PLAIN, w->indent, strlen(w->indent));
	w->column = (int)kt_width(w->indent, strlen(w->indent));
	w->fresh = true;
}

/* A word with what stuck to it from other pieces: `glued` says that no blank was between. */
static void add_word(struct wrapping *w, enum tui_style style, const char *word, size_t len, bool glued)
{
	int width = (int)kt_width(word, len), blank = w->fresh || glued ? 0 : 1;
	if (!w->fresh && w->column + blank + width > w->text->width) {
		next_line(w);
		blank = 0;
	}
	if (blank)
		add_piece(w->text, w->line, TUI_PLAIN, " ", 1);
	while (width > w->text->width - w->column - blank && len > 1) { /* longer than a line: broken */
		size_t fits = 0;
		while (fits < len && (int)kt_width(word, fits + 1) <= w->text->width - w->column - blank)
			fits++;
		while (fits < len && fits && ((unsigned char)word[fits] & 0xc0) == 0x80)
			fits--;
		if (!fits || fits >= len)
			break;
		add_piece(w->text, w->line, style, word, fits);
		word += fits;
		len -= fits;
		width = (int)kt_width(word, len);
		next_line(w);
		blank = 0;
	}
	add_piece(w->text, w->line, style, word, len);
	w->column += blank + width;
	w->fresh = false;
}

void tui_text_wrap(struct tui_text *text, const struct tui_piece *pieces, size_t count, const char *first,
                   const char *indent)
{
	struct wrapping w = {.text = text, .indent = first};
	next_line(&w);
	w.indent = indent;
	bool glued = true;
	for (size_t i = 0; i < count; i++) {
		const char *s = pieces[i].text;
		while (*s) {
			size_t len = strcspn(s, " \n\t");
			if (len) {
				add_word(&w, pieces[i].style, s, len, glued);
				glued = true;
			}
			s += len;
			if (*s) {
				glued = false;
				if (*s == '\n' && s[1])
					next_line(&w);
				s++;
			}
		}
	}
}

void tui_text_prose(struct tui_text *text, enum tui_style style, const char *first, const char *indent,
                    const char *prose)
{
	struct tui_piece piece = {style, prose};
	tui_text_wrap(text, &piece, 1, first, indent);
}

void tui_text_gap(struct tui_text *text)
{
	if (text->count && text->lines[text->count - 1].piece_count)
		new_line(text);
}

int tui_text_clamp(const struct tui_text *text, int rows, int from)
{
	int last = KT_MAX((int)text->count - rows, 0);
	return KT_MAX(KT_MIN(from, last), 0);
}

void tui_text_draw(const struct tui_text *text, struct tui_grid *grid, struct tui_area area, int from)
{
	for (int r = 0; r < area.rows && from + r < (int)text->count; r++) {
		const struct tui_line *line = &text->lines[from + r];
		int at = 0;
		for (size_t i = 0; i < line->piece_count && at < area.cols; i++)
			at += tui_put(grid, area.row + r, area.col + at, area.cols - at,
			              line->pieces[i].style, line->pieces[i].text);
	}
	if (from > 0)
		tui_put(grid, area.row, area.col + area.cols, 1, TUI_KEY, "▲");
	if (from + area.rows < (int)text->count)
		tui_put(grid, area.row + area.rows - 1, area.col + area.cols, 1, TUI_KEY, "▼");
}

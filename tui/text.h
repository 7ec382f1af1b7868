/* SPDX-License-Identifier: MIT */
/* text: prose with styles, wrapped into lines that an area of a grid shows a part of. */
#ifndef TUI_TEXT_H
#define TUI_TEXT_H

#include "tui/grid.h"

struct tui_piece {
	enum tui_style style;
	const char *text;
};
struct tui_line {
	struct tui_piece *pieces;
	size_t piece_count, piece_cap;
	int tag;   /* whatever the maker meant by it; -1 none */
	bool wide; /* kept as it is: a picture, code */
};
/* Zeroed = empty. Lines are made for `width` columns, which is set before the first. */
struct tui_text {
	struct kt_arena arena;
	struct tui_line *lines;
	size_t count, cap;
	int width;
	int tag; /* given to every line that is added */
};
void tui_text_init(struct tui_text *text, int width);
void tui_text_clear(struct tui_text *text);
/* A line as it is. */
void tui_text_line(struct tui_text *text, enum tui_style style, const char *line);
void tui_text_linef(struct tui_text *text, enum tui_style style, const char *fmt, ...) KT_PRINTF(3, 4);
/* Every line of `lines`, behind `indent`, never wrapped. */
void tui_text_keep(struct tui_text *text, enum tui_style style, const char *indent, const char *lines);
/* Pieces run on and are wrapped; the first line behind `first`, others behind `indent`. */
void tui_text_wrap(struct tui_text *text, const struct tui_piece *pieces, size_t count, const char *first,
                   const char *indent);
void tui_text_prose(struct tui_text *text, enum tui_style style, const char *first, const char *indent,
                    const char *prose);
void tui_text_gap(struct tui_text *text); /* an empty line, unless there is one or nothing yet */
/* Lines from `from` on; signs at the right border tell of more above and below. */
void tui_text_draw(const struct tui_text *text, struct tui_grid *grid, struct tui_area area, int from);
/* `from` such that it is within the text for an area of `rows`. */
int tui_text_clamp(const struct tui_text *text, int rows, int from);

#endif

/* SPDX-License-Identifier: MIT */
/* grid: what a screen is drawn on: cells of UTF-8 with a style, no terminal. Everything that is put is cut at
 * the borders, with a sign where text did not fit, and cleaned of control characters. */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include "base/base.h"

enum tui_style {
	TUI_PLAIN,
	TUI_DIM,
	TUI_STRONG,
	TUI_EMPHASIS,
	TUI_HEADING,
	TUI_CODE,
	TUI_QUOTE,
	TUI_KEY,
	TUI_BORDER,
	TUI_GOOD,
	TUI_BAD,
	TUI_WARN,
	TUI_STYLES
};
/* Flags of a cell, beside its style. */
enum {
	TUI_REVERSE = 1, /* selected */
	TUI_BOLD = 2,
	TUI_UNDERLINE = 4,
	TUI_ITALIC = 8,
	TUI_CHANGED = 16 /* a second ago it was something else */
};
struct tui_cell {
	char text[15]; /* UTF-8 with what combines; "" behind a wide one */
	uint8_t style, flags;
	int16_t fg, bg; /* of the 256; -1: the style's own */
};
struct tui_grid {
	int rows, cols;
	struct tui_cell *cells;
	int cursor_row, cursor_col; /* -1: hidden */
};
struct tui_area {
	int row, col, rows, cols;
};

void tui_grid_size(struct tui_grid *grid, int rows, int cols); /* sets the size and clears */
void tui_grid_clear(struct tui_grid *grid);                    /* frees */
void tui_grid_wipe(struct tui_grid *grid, struct tui_area area);
struct tui_cell *tui_grid_at(struct tui_grid *grid, int row, int col); /* NULL outside */
/* At most `cols` columns of `text` (one line); "…" ends what is too long. Returns the columns taken. */
int tui_put(struct tui_grid *grid, int row, int col, int cols, enum tui_style style, const char *text);
int tui_putf(struct tui_grid *grid, int row, int col, int cols, enum tui_style style, const char *fmt, ...)
        KT_PRINTF(6, 7);
/* The same, ending at column `end` (not included). */
void tui_put_right(struct tui_grid *grid, int row, int end, int cols, enum tui_style style, const char *text);
void tui_mark(struct tui_grid *grid, struct tui_area area, unsigned flags);
void tui_hline(struct tui_grid *grid, int row, int col, int cols);
void tui_vline(struct tui_grid *grid, int row, int col, int rows);
/* `done` of `of` as a bar. */
void tui_bar(struct tui_grid *grid, int row, int col, int cols, size_t done, size_t of);
/* A frame with a title; returns what is inside. Wipes it. */
struct tui_area tui_frame(struct tui_grid *grid, struct tui_area area, const char *title);
/* For terminals without Unicode: every cell becomes ASCII. */
void tui_grid_to_ascii(struct tui_grid *grid);
/* The cells as lines of text without the blanks at their ends. */
void tui_grid_print(const struct tui_grid *grid, struct kt_buf *out);

#endif

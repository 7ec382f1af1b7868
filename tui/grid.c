/* SPDX-License-Identifier: MIT */
#include "tui/grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct tui_cell blank = {.text = " ", .style = TUI_PLAIN, .fg = -1, .bg = -1};

void tui_grid_size(struct tui_grid *grid, int rows, int cols)
{
	rows = KT_MAX(rows, 1);
	cols = KT_MAX(cols, 1);
	if (rows != grid->rows || cols != grid->cols) {
		kt_free(grid->cells);
		grid->cells = kt_alloc((size_t)rows * (size_t)cols * sizeof(*grid->cells));
		grid->rows = rows;
		grid->cols = cols;
	}
	grid->cursor_row = grid->cursor_col = -1;
	tui_grid_wipe(grid, (struct tui_area){0, 0, rows, cols});
}

void tui_grid_clear(struct tui_grid *grid)
{
	kt_free(grid->cells);
	memset(grid, 0, sizeof(*grid));
}

struct tui_cell *tui_grid_at(struct tui_grid *grid, int row, int col)
{
	if (row < 0 || col < 0 || row >= grid->rows || col >= grid->cols)
		return NULL;
	return &grid->cells[(size_t)row * (size_t)grid->cols + (size_t)col];
}

void tui_grid_wipe(struct tui_grid *grid, struct tui_area area)
{
	for (int r = area.row; r < area.row + area.rows; r++)
		for (int c = area.col; c < area.col + area.cols; c++) {
			struct tui_cell *cell = tui_grid_at(grid, r, c);
			if (cell)
				*cell = blank;
		}
}

/* The length of the character at `s` with all that combines with it, as far as a cell holds it. */
static size_t cluster_len(const char *s, size_t len)
{
	size_t n = 1;
	while (n < len && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	for (;;) {
		size_t more = n < len ? 1 : 0;
		while (n + more < len && ((unsigned char)s[n + more] & 0xc0) == 0x80)
			more++;
		if (!more || (unsigned char)s[n] < 0x80 || kt_width(s + n, more) ||
		    n + more >= sizeof(((struct tui_cell *)0)->text))
			return n;
		n += more;
	}
}

static void set_cell(struct tui_grid *grid, int row, int col, enum tui_style style, const char *s, size_t len)
{
	struct tui_cell *cell = tui_grid_at(grid, row, col);
	if (!cell)
		return;
	*cell = blank;
	cell->style = (uint8_t)style;
	len = KT_MIN(len, sizeof(cell->text) - 1);
	memcpy(cell->text, s, len);
	cell->text[len] = '\0';
}

static int put_clean(struct tui_grid *grid, int row, int col, int cols, enum tui_style style,
                     const char *text, size_t len)
{
	bool cut = (size_t)cols < kt_width(text, len);
	int room = cut ? cols - 1 : cols, at = 0;
	for (size_t i = 0; i < len;) {
		size_t n = cluster_len(text + i, len - i);
		int width = (int)kt_width(text + i, n);
		if (text[i] == '\n' || text[i] == '\t') {
			set_cell(grid, row, col + at, style, " ", 1);
			width = 1;
		} else if (at + width > room) {
			break;
		} else if (width > 0) {
			set_cell(grid, row, col + at, style, text + i, n);
			if (width == 2)
				set_cell(grid, row, col + at + 1, style, "", 0);
		}
		at += width;
		i += n;
		if (at >= room)
			break;
	}
	if (cut && cols > 0) {
		set_cell(grid, row, col + at, style, "…", strlen("…"));
		at++;
	}
	return at;
}

int tui_put(struct tui_grid *grid, int row, int col, int cols, enum tui_style style, const char *text)
{
	cols = KT_MIN(cols, grid->cols - col);
	if (cols <= 0 || !text || row < 0 || row >= grid->rows || col < 0)
		return 0;
	struct kt_buf clean = {0};
	kt_buf_add_clean(&clean, text, strlen(text));
	int used = put_clean(grid, row, col, cols, style, kt_buf_str(&clean), clean.len);
	kt_buf_clear(&clean);
	return used;
}

int tui_putf(struct tui_grid *grid, int row, int col, int cols, enum tui_style style, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	int used = tui_put(grid, row, col, cols, style, kt_buf_str(&text));
	kt_buf_clear(&text);
	return used;
}

void tui_put_right(struct tui_grid *grid, int row, int end, int cols, enum tui_style style, const char *text)
{
	int width = KT_MIN((int)kt_width(text, strlen(text)), cols);
	tui_put(grid, row, end - width, width, style, text);
}

void tui_mark(struct tui_grid *grid, struct tui_area area, unsigned flags)
{
	for (int r = area.row; r < area.row + area.rows; r++)
		for (int c = area.col; c < area.col + area.cols; c++) {
			struct tui_cell *cell = tui_grid_at(grid, r, c);
			if (cell)
				cell->flags = (uint8_t)(cell->flags | flags);
		}
}

void tui_hline(struct tui_grid *grid, int row, int col, int cols)
{
	for (int c = col; c < col + cols; c++)
		set_cell(grid, row, c, TUI_BORDER, "─", strlen("─"));
}

void tui_vline(struct tui_grid *grid, int row, int col, int rows)
{
	for (int r = row; r < row + rows; r++)
		set_cell(grid, r, col, TUI_BORDER, "│", strlen("│"));
}

void tui_bar(struct tui_grid *grid, int row, int col, int cols, size_t done, size_t of)
{
	int full = of ? (int)((size_t)cols * KT_MIN(done, of) / of) : 0;
	for (int c = 0; c < cols; c++)
		set_cell(grid, row, col + c, c < full ? TUI_GOOD : TUI_DIM, c < full ? "█" : "░",
		         strlen("█"));
}

struct tui_area tui_frame(struct tui_grid *grid, struct tui_area area, const char *title)
{
	static const char *const corners[] = {"┌", "┐", "└", "┘"};
	tui_grid_wipe(grid, area);
	int bottom = area.row + area.rows - 1, right = area.col + area.cols - 1;
	tui_hline(grid, area.row, area.col, area.cols);
	tui_hline(grid, bottom, area.col, area.cols);
	tui_vline(grid, area.row, area.col, area.rows);
	tui_vline(grid, area.row, right, area.rows);
	for (int i = 0; i < 4; i++)
		set_cell(grid, i < 2 ? area.row : bottom, i % 2 ? right : area.col, TUI_BORDER, corners[i],
		         strlen(corners[i]));
	if (title)
		tui_putf(grid, area.row, area.col + 2, area.cols - 4, TUI_HEADING, " %s ", title);
	return (struct tui_area){area.row + 1, area.col + 2, area.rows - 2, area.cols - 4};
}

/* What stands for what; all else that is not ASCII becomes '?'. */
static const struct {
	const char *from;
	char to;
} ascii[] = {
        {"✓", '+'}, {"✗", 'x'}, {"●", '*'}, {"○", 'o'}, {"◐", '~'}, {"▸", '>'}, {"▪", '#'},  {"█", '#'},
        {"░", '.'}, {"│", '|'}, {"─", '-'}, {"┌", '+'}, {"┐", '+'}, {"└", '+'}, {"┘", '+'},  {"├", '+'},
        {"┤", '+'}, {"┬", '+'}, {"┴", '+'}, {"┼", '+'}, {"╭", '+'}, {"╮", '+'}, {"╰", '+'},  {"╯", '+'},
        {"═", '='}, {"║", '|'}, {"╔", '+'}, {"╗", '+'}, {"╚", '+'}, {"╝", '+'}, {"…", '~'},  {"·", '.'},
        {"→", '>'}, {"←", '<'}, {"↑", '^'}, {"↓", 'v'}, {"▶", '>'}, {"◀", '<'}, {"▲", '^'},  {"▼", 'v'},
        {"►", '>'}, {"◄", '<'}, {"–", '-'}, {"—", '-'}, {"“", '"'}, {"”", '"'}, {"‘", '\''}, {"’", '\''},
        {"×", 'x'}, {"•", '*'}, {"■", '#'}, {"□", 'o'}, {"▌", '|'}, {"◌", 'o'}, {"≤", '<'},  {"≥", '>'},
};

void tui_grid_to_ascii(struct tui_grid *grid)
{
	for (int i = 0; i < grid->rows * grid->cols; i++) {
		char *text = grid->cells[i].text;
		if (!text[0]) { /* behind a wide one */
			memcpy(text, "?", 2);
			continue;
		}
		if (!((unsigned char)text[0] & 0x80) && !text[1])
			continue;
		char to = (unsigned char)text[0] & 0x80 ? '?' : text[0];
		for (size_t m = 0; m < KT_COUNT(ascii); m++)
			if (kt_streq(ascii[m].from, text))
				to = ascii[m].to;
		text[0] = to;
		text[1] = '\0';
	}
}

void tui_grid_print(const struct tui_grid *grid, struct kt_buf *out)
{
	for (int r = 0; r < grid->rows; r++) {
		size_t end = out->len;
		for (int c = 0; c < grid->cols; c++) {
			const char *text = grid->cells[(size_t)r * (size_t)grid->cols + (size_t)c].text;
			kt_buf_adds(out, text);
			if (text[0] && !kt_streq(text, " "))
				end = out->len;
		}
		kt_buf_cut(out, end);
		kt_buf_addc(out, '\n');
	}
}

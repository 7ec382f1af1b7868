/* SPDX-License-Identifier: MIT */
/* What the shell shows (libvterm's cells onto a grid's) and what it is told by keys. Whatever escapes the
 * programs write end here: only characters and colours go on. */
#include "tui/app.h"
#include "tui/pane_internal.h"

#include <string.h>

/* --- cells --- */

static void add_utf8(char *out, size_t size, uint32_t c)
{
	size_t at = strlen(out), n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
	if (at + n >= size || (c < 0x20) || (c >= 0x7f && c < 0xa0))
		return;
	for (size_t i = n; i-- > 1; c >>= 6)
		out[at + i] = (char)(0x80 | (c & 0x3f));
	out[at] = (char)(n == 1 ? c : first[n] | c);
	out[at + n] = '\0';
}

/* The nearest of the 6x6x6 cube. */
static int16_t cube(const VTermColor *color)
{
	int r = (color->rgb.red + 25) / 51, g = (color->rgb.green + 25) / 51, b = (color->rgb.blue + 25) / 51;
	return (int16_t)(16 + 36 * r + 6 * g + b);
}

static int16_t color_of(const VTermColor *color, bool is_default)
{
	if (is_default)
		return -1;
	return VTERM_COLOR_IS_INDEXED(color) ? (int16_t)color->indexed.idx : cube(color);
}

static void take_cell(const VTermScreenCell *from, struct tui_cell *to)
{
	*to = (struct tui_cell){.fg = color_of(&from->fg, VTERM_COLOR_IS_DEFAULT_FG(&from->fg)),
	                        .bg = color_of(&from->bg, VTERM_COLOR_IS_DEFAULT_BG(&from->bg))};
	to->flags =
	        (uint8_t)((from->attrs.bold ? TUI_BOLD : 0) | (from->attrs.underline ? TUI_UNDERLINE : 0) |
	                  (from->attrs.italic ? TUI_ITALIC : 0) | (from->attrs.reverse ? TUI_REVERSE : 0));
	if (from->chars[0] == (uint32_t)-1)
		return; /* behind a wide one */
	for (size_t i = 0; i < VTERM_MAX_CHARS_PER_CELL && from->chars[i]; i++)
		add_utf8(to->text, sizeof(to->text), from->chars[i]);
	if (!to->text[0])
		memcpy(to->text, " ", 2);
}

/* --- libvterm's calls --- */

static int set_prop(VTermProp prop, VTermValue *value, void *arg)
{
	struct tui_pane *pane = arg;
	if (prop == VTERM_PROP_CURSORVISIBLE)
		pane->cursor = value->boolean;
	return 1;
}

static int push_line(int cols, const VTermScreenCell *cells, void *arg)
{
	struct tui_pane *pane = arg;
	struct tui_cell *line = kt_alloc((size_t)cols * sizeof(*line));
	for (int i = 0; i < cols; i++)
		take_cell(&cells[i], &line[i]);
	kt_free(pane->history[pane->history_at]);
	pane->history[pane->history_at] = line;
	pane->history_cols[pane->history_at] = cols;
	pane->history_at = (pane->history_at + 1) % TUI_PANE_HISTORY;
	pane->history_count = KT_MIN(pane->history_count + 1, TUI_PANE_HISTORY);
	if (pane->back)
		pane->back++; /* stay where one reads */
	return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = set_prop, .sb_pushline = push_line};

static void gather_output(struct tui_pane *pane)
{
	char bytes[512];
	size_t n;
	while ((n = vterm_output_read(pane->term, bytes, sizeof(bytes))) > 0)
		kt_buf_add(&pane->unsent, bytes, n);
	tui_pane_send(pane);
}

void tui_pane_open_screen(struct tui_pane *pane)
{
	pane->term = vterm_new(KT_MAX(pane->options.rows, 2), KT_MAX(pane->options.cols, 8));
	pane->screen = vterm_obtain_screen(pane->term);
	pane->cursor = true;
	vterm_set_utf8(pane->term, 1);
	vterm_screen_set_callbacks(pane->screen, &callbacks, pane);
	vterm_screen_enable_altscreen(pane->screen, 1);
#if VTERM_VERSION_MAJOR > 0 || VTERM_VERSION_MINOR >= 3
	vterm_screen_enable_reflow(pane->screen, true);
#endif
	vterm_screen_reset(pane->screen, 1);
}

void tui_pane_close_screen(struct tui_pane *pane)
{
	for (size_t i = 0; i < TUI_PANE_HISTORY; i++)
		kt_free(pane->history[i]);
	vterm_free(pane->term);
}

void tui_pane_size_screen(struct tui_pane *pane, int rows, int cols)
{
	int old_rows, old_cols;
	vterm_get_size(pane->term, &old_rows, &old_cols);
	if (rows != old_rows || cols != old_cols)
		vterm_set_size(pane->term, rows, cols);
}

void tui_pane_feed(struct tui_pane *pane, const char *bytes, size_t len)
{
	vterm_input_write(pane->term, bytes, len);
	gather_output(pane); /* answers to what programs ask a terminal */
	if (pane->options.changed)
		pane->options.changed(pane->options.arg);
}

/* --- keys --- */

static const struct {
	int key;
	VTermKey term;
} special[] = {
        {TUI_KEY_UP, VTERM_KEY_UP},
        {TUI_KEY_DOWN, VTERM_KEY_DOWN},
        {TUI_KEY_LEFT, VTERM_KEY_LEFT},
        {TUI_KEY_RIGHT, VTERM_KEY_RIGHT},
        {TUI_KEY_PAGE_UP, VTERM_KEY_PAGEUP},
        {TUI_KEY_PAGE_DOWN, VTERM_KEY_PAGEDOWN},
        {TUI_KEY_HOME, VTERM_KEY_HOME},
        {TUI_KEY_END, VTERM_KEY_END},
        {TUI_KEY_DELETE, VTERM_KEY_DEL},
        {TUI_KEY_INSERT, VTERM_KEY_INS},
        {TUI_KEY_ENTER, VTERM_KEY_ENTER},
        {TUI_KEY_TAB, VTERM_KEY_TAB},
        {TUI_KEY_BACKSPACE, VTERM_KEY_BACKSPACE},
        {TUI_KEY_ESC, VTERM_KEY_ESCAPE},
};

void tui_pane_key(struct tui_pane *pane, int key)
{
	pane->back = 0;
	VTermKey term = VTERM_KEY_NONE;
	for (size_t i = 0; i < KT_COUNT(special); i++)
		if (special[i].key == key)
			term = special[i].term;
	if (term != VTERM_KEY_NONE)
		vterm_keyboard_key(pane->term, term, VTERM_MOD_NONE);
	else if (key == TUI_KEY_BACK_TAB)
		vterm_keyboard_key(pane->term, VTERM_KEY_TAB, VTERM_MOD_SHIFT);
	else if (key > TUI_KEY_F0 && key <= TUI_KEY_F0 + 12)
		vterm_keyboard_key(pane->term, (VTermKey)VTERM_KEY_FUNCTION(key - TUI_KEY_F0),
		                   VTERM_MOD_NONE);
	else if (key >= 0 && key < ' ')
		kt_buf_addc(&pane->unsent, (char)key);
	else if (key < TUI_KEY_UP)
		vterm_keyboard_unichar(pane->term, (uint32_t)key, VTERM_MOD_NONE);
	gather_output(pane);
}

void tui_pane_type(struct tui_pane *pane, const char *text, size_t len)
{
	pane->back = 0;
	kt_buf_add(&pane->unsent, text, len);
	tui_pane_send(pane);
}

void tui_pane_scroll(struct tui_pane *pane, int lines)
{
	pane->back = KT_MAX(KT_MIN(pane->back + lines, (int)pane->history_count), 0);
}

/* --- drawing --- */

static void draw_history(const struct tui_pane *pane, struct tui_grid *grid, struct tui_area area, int r,
                         int back)
{
	size_t i = (pane->history_at + 2 * TUI_PANE_HISTORY - (size_t)back) % TUI_PANE_HISTORY;
	for (int c = 0; c < KT_MIN(area.cols, pane->history_cols[i]); c++) {
		struct tui_cell *to = tui_grid_at(grid, area.row + r, area.col + c);
		if (to)
			*to = pane->history[i][c];
	}
}

void tui_pane_draw(const struct tui_pane *pane, struct tui_grid *grid, struct tui_area area, bool focus)
{
	int rows, cols, back = KT_MIN(pane->back, (int)pane->history_count);
	vterm_get_size(pane->term, &rows, &cols);
	for (int r = 0; r < area.rows; r++) {
		if (r < back) {
			draw_history(pane, grid, area, r, back - r);
			continue;
		}
		for (int c = 0; r - back < rows && c < KT_MIN(area.cols, cols); c++) {
			VTermScreenCell cell;
			struct tui_cell *to = tui_grid_at(grid, area.row + r, area.col + c);
			if (to && vterm_screen_get_cell(pane->screen, (VTermPos){r - back, c}, &cell))
				take_cell(&cell, to);
		}
	}
	VTermPos at;
	vterm_state_get_cursorpos(vterm_obtain_state(pane->term), &at);
	if (focus && pane->cursor && !back && at.row < area.rows && at.col < area.cols) {
		grid->cursor_row = area.row + at.row;
		grid->cursor_col = area.col + at.col;
	}
}

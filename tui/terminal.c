/* SPDX-License-Identifier: MIT */
#define NCURSES_WIDECHAR 1
#include "tui/app.h"
#include "tui/restore.h"
#include "tui/terminal.h"
#include "tui/theme.h"

#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>

#define PAIRS_MAX 250
#define WHEEL_UP  BUTTON4_PRESSED
#ifdef BUTTON5_PRESSED
#define WHEEL_DOWN BUTTON5_PRESSED
#else
#define WHEEL_DOWN 0
#endif
#define CLIPBOARD_MAX (64 * 1024) /* more is refused by terminals */

struct pair {
	int16_t fg, bg;
};
struct tui_terminal {
	SCREEN *screen;
	const struct tui_theme *theme;
	struct tui_grid shown;
	struct pair pairs[PAIRS_MAX]; /* curses' pair i + 1 */
	int pair_count, pair_max;
};

bool tui_is_theme(const char *name)
{
	return tui_theme_find(name) != NULL;
}

/* --- begin and end --- */

/* What leaves the screen, from terminfo, for the crash handler. */
static void arm(void)
{
	static const char *const names[] = {"sgr0", "cnorm", "rmkx", "rmcup"};
	static const char mouse_off[] = "\033[?1000l\033[?1002l\033[?1006l";
	struct kt_buf sequence = {0};
	kt_buf_adds(&sequence, mouse_off);
	for (size_t i = 0; i < KT_COUNT(names); i++) {
		char name[8];
		(void)snprintf(name, sizeof(name), "%s", names[i]);
		const char *text = tigetstr(name);
		if (text && text != (char *)-1)
			kt_buf_adds(&sequence, text);
	}
	tui_restore_arm(sequence.data, sequence.len);
	kt_buf_clear(&sequence);
}

static void set_modes(void)
{
	(void)raw();
	(void)noecho();
	(void)nonl();
	(void)nodelay(stdscr, TRUE);
	(void)keypad(stdscr, TRUE);
	(void)meta(stdscr, TRUE);
	(void)set_escdelay(25);
	(void)mousemask(BUTTON1_PRESSED | WHEEL_UP | WHEEL_DOWN, NULL);
	(void)mouseinterval(0);
	(void)idlok(stdscr, TRUE);
}

/* What setupterm() read has served its purpose; newterm() reads its own. */
static void forget_probe(void)
{
	TERMINAL *probe = set_curterm(NULL);
	if (probe)
		(void)del_curterm(probe);
}

enum kt_code tui_terminal_new(const char *theme, struct tui_terminal **out, struct kt_err *err)
{
	char *name = getenv("TERM");
	int status = 0;
	bool known = setupterm(name, STDOUT_FILENO, &status) == OK;
	if (!known || !cursor_address) {
		if (known)
			forget_probe();
		return kt_fail(
		        err, KT_EUNSUPPORTED,
		        "the terminal '%s' cannot show screens; set TERM rightly, or use `ktutor learn`",
		        name ? name : "");
	}
	struct tui_terminal *terminal = kt_alloc(sizeof(*terminal));
	terminal->theme = tui_theme_find(theme);
	if (!terminal->theme)
		terminal->theme = tui_theme_find("dark");
	arm(); /* the modes as they are before curses changes them */
	forget_probe();
	terminal->screen = newterm(name, stdout, stdin);
	if (!terminal->screen) {
		tui_restore_disarm();
		kt_free(terminal);
		return kt_fail(err, KT_EUNSUPPORTED, "the terminal '%s' cannot show screens",
		               name ? name : "");
	}
	set_modes();
	if (terminal->theme->colour && has_colors() && start_color() == OK && use_default_colors() == OK)
		terminal->pair_max = KT_MIN(PAIRS_MAX, COLOR_PAIRS - 1);
	*out = terminal;
	return KT_OK;
}

void tui_terminal_free(struct tui_terminal *terminal)
{
	if (!terminal)
		return;
	(void)mousemask(0, NULL);
	(void)endwin();
	delscreen(terminal->screen);
	tui_restore_disarm();
	tui_grid_clear(&terminal->shown);
	kt_free(terminal);
}

void tui_terminal_suspend(struct tui_terminal *terminal)
{
	(void)mousemask(0, NULL);
	(void)endwin();
	(void)fflush(stdout);
	(void)signal(SIGTSTP, SIG_DFL);
	(void)raise(SIGTSTP);
	set_modes();
	tui_terminal_resized(terminal);
	tui_terminal_redraw(terminal);
}

/* --- size --- */

void tui_terminal_size(const struct tui_terminal *terminal, int *rows, int *cols)
{
	(void)terminal;
	*rows = LINES;
	*cols = COLS;
}

void tui_terminal_resized(struct tui_terminal *terminal)
{
	struct winsize size;
	(void)terminal;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		(void)resizeterm(size.ws_row, size.ws_col);
}

void tui_terminal_redraw(struct tui_terminal *terminal)
{
	tui_grid_clear(&terminal->shown);
	(void)clearok(stdscr, TRUE);
}

/* --- putting --- */

static short pair_of(struct tui_terminal *terminal, int16_t fg, int16_t bg)
{
	if (fg >= COLORS)
		fg = COLORS >= 8 && fg < 16 ? (int16_t)(fg - 8) : -1;
	if (bg >= COLORS)
		bg = -1;
	if (fg < 0 && bg < 0)
		return 0;
	for (int i = 0; i < terminal->pair_count; i++)
		if (terminal->pairs[i].fg == fg && terminal->pairs[i].bg == bg)
			return (short)(i + 1);
	if (terminal->pair_count >= terminal->pair_max)
		return 0;
	terminal->pairs[terminal->pair_count] = (struct pair){fg, bg};
	short pair = (short)++terminal->pair_count;
	(void)init_pair(pair, fg, bg);
	return pair;
}

static attr_t attributes_of(unsigned flags, bool dim)
{
	static const struct {
		unsigned flag;
		attr_t attribute;
	} table[] = {{TUI_REVERSE, A_REVERSE},
	             {TUI_BOLD, A_BOLD},
	             {TUI_UNDERLINE, A_UNDERLINE},
	             {TUI_CHANGED, A_REVERSE},
#ifdef A_ITALIC
	             {TUI_ITALIC, A_ITALIC}
#else
	             {TUI_ITALIC, A_UNDERLINE}
#endif
	};
	attr_t attributes = dim ? A_DIM : A_NORMAL;
	for (size_t i = 0; i < KT_COUNT(table); i++)
		if (flags & table[i].flag)
			attributes |= table[i].attribute;
	return attributes;
}

static size_t to_wide(const char *s, wchar_t out[8])
{
	size_t n = 0;
	while (*s && n < 6) {
		unsigned char c = (unsigned char)*s++;
		uint32_t value = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;
		while (((unsigned char)*s & 0xc0) == 0x80)
			value = value << 6 | ((unsigned char)*s++ & 0x3f);
		out[n++] = (wchar_t)value;
	}
	out[n] = L'\0';
	return n;
}

static void put_cell(struct tui_terminal *terminal, int row, int col, const struct tui_cell *cell)
{
	const struct tui_look *look = &terminal->theme->looks[cell->style];
	cchar_t wide;
	wchar_t text[8];
	if (!to_wide(cell->text, text))
		return; /* behind a wide one */
	short pair =
	        terminal->pair_max ? pair_of(terminal, cell->fg >= 0 ? cell->fg : look->fg, cell->bg) : 0;
	if (setcchar(&wide, text, attributes_of(cell->flags | look->flags, look->dim), pair, NULL) == OK)
		(void)mvadd_wch(row, col, &wide);
}

static bool row_changed(const struct tui_terminal *terminal, const struct tui_grid *grid, int row)
{
	const struct tui_grid *shown = &terminal->shown;
	size_t cols = (size_t)grid->cols, at = (size_t)row * cols;
	if (shown->rows != grid->rows || shown->cols != grid->cols)
		return true;
	for (size_t i = at; i < at + cols; i++) {
		const struct tui_cell *a = &shown->cells[i], *b = &grid->cells[i];
		if (a->style != b->style || a->flags != b->flags || a->fg != b->fg || a->bg != b->bg ||
		    strcmp(a->text, b->text) != 0)
			return true;
	}
	return false;
}

void tui_terminal_put(struct tui_terminal *terminal, const struct tui_grid *grid)
{
	for (int r = 0; r < grid->rows; r++)
		for (int c = 0; row_changed(terminal, grid, r) && c < grid->cols; c++)
			put_cell(terminal, r, c, &grid->cells[(size_t)r * (size_t)grid->cols + (size_t)c]);
	if (terminal->shown.rows != grid->rows || terminal->shown.cols != grid->cols)
		tui_grid_size(&terminal->shown, grid->rows, grid->cols);
	memcpy(terminal->shown.cells, grid->cells,
	       (size_t)grid->rows * (size_t)grid->cols * sizeof(*grid->cells));
	(void)curs_set(grid->cursor_row >= 0);
	if (grid->cursor_row >= 0)
		(void)move(grid->cursor_row, grid->cursor_col);
	(void)refresh();
}

void tui_terminal_copy(struct tui_terminal *terminal, const char *text, size_t len)
{
	struct kt_buf sequence = {0};
	(void)terminal;
	if (len > CLIPBOARD_MAX)
		return;
	kt_buf_adds(&sequence, "\033]52;c;");
	kt_base64(text, len, &sequence);
	kt_buf_addc(&sequence, '\a');
	(void)fwrite(sequence.data, 1, sequence.len, stdout);
	(void)fflush(stdout);
	kt_buf_clear(&sequence);
}

/* --- reading --- */

static const struct {
	int curses, ours;
} names[] = {
        {KEY_UP, TUI_KEY_UP},
        {KEY_DOWN, TUI_KEY_DOWN},
        {KEY_LEFT, TUI_KEY_LEFT},
        {KEY_RIGHT, TUI_KEY_RIGHT},
        {KEY_PPAGE, TUI_KEY_PAGE_UP},
        {KEY_NPAGE, TUI_KEY_PAGE_DOWN},
        {KEY_HOME, TUI_KEY_HOME},
        {KEY_END, TUI_KEY_END},
        {KEY_DC, TUI_KEY_DELETE},
        {KEY_IC, TUI_KEY_INSERT},
        {KEY_BTAB, TUI_KEY_BACK_TAB},
        {KEY_ENTER, TUI_KEY_ENTER},
        {KEY_BACKSPACE, TUI_KEY_BACKSPACE},
};

static bool read_mouse(struct tui_event *out)
{
	MEVENT event;
	if (getmouse(&event) != OK)
		return false;
	*out = (struct tui_event){.row = event.y,
	                          .col = event.x,
	                          .wheel = event.bstate & WHEEL_UP     ? -1
	                                   : event.bstate & WHEEL_DOWN ? 1
	                                                               : 0};
	return true;
}

bool tui_terminal_read(struct tui_terminal *terminal, struct tui_event *out)
{
	wint_t c;
	(void)terminal;
	for (;;) {
		int kind = get_wch(&c);
		if (kind == ERR)
			return false;
		*out = (struct tui_event){.key = (int)c};
		if (kind != KEY_CODE_YES)
			return true;
		if (c == KEY_MOUSE && read_mouse(out))
			return true;
		if (c >= (wint_t)KEY_F(1) && c <= (wint_t)KEY_F(12)) {
			out->key = TUI_KEY_F0 + (int)c - KEY_F0;
			return true;
		}
		for (size_t i = 0; i < KT_COUNT(names); i++)
			if (names[i].curses == (int)c) {
				out->key = names[i].ours;
				return true;
			}
	}
}

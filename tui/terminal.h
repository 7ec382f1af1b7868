/* SPDX-License-Identifier: MIT */
/* terminal: the one place that knows curses. Puts grids onto the screen, reads keys, the mouse and the size,
 * and gives the terminal back on every way out. */
#ifndef TUI_TERMINAL_H
#define TUI_TERMINAL_H

#include "tui/grid.h"

struct tui_terminal;
/* `theme`: "dark", "light", "contrast", "none". Fails on a terminal that cannot move its cursor. */
KT_MUST_CHECK enum kt_code tui_terminal_new(const char *theme, struct tui_terminal **out, struct kt_err *err);
void tui_terminal_free(struct tui_terminal *terminal); /* gives the terminal back; NULL is fine */
void tui_terminal_size(const struct tui_terminal *terminal, int *rows, int *cols);
void tui_terminal_resized(struct tui_terminal *terminal); /* after SIGWINCH */
/* Only what differs from what was put last. */
void tui_terminal_put(struct tui_terminal *terminal, const struct tui_grid *grid);
void tui_terminal_redraw(struct tui_terminal *terminal);
void tui_terminal_copy(struct tui_terminal *terminal, const char *text, size_t len); /* OSC 52 */
void tui_terminal_suspend(struct tui_terminal *terminal); /* returns when the program goes on */

struct tui_event {
	int key; /* as in tui/app.h; 0: the mouse */
	int row, col, wheel;
};
bool tui_terminal_read(struct tui_terminal *terminal, struct tui_event *out); /* false: nothing is there */
bool tui_is_theme(const char *name);

#endif

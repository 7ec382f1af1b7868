/* SPDX-License-Identifier: MIT */
/* What the two files of the pane share: the process (pane.c) and the screen (pane_screen.c). */
#ifndef TUI_PANE_INTERNAL_H
#define TUI_PANE_INTERNAL_H

#include "tui/pane.h"

#include <sys/types.h>
#include <vterm.h>

#define TUI_PANE_HISTORY 2000

struct tui_pane {
	struct tui_pane_options options;
	int fd; /* -1: no process */
	pid_t pid;
	struct kt_buf unsent;
	VTerm *term;
	VTermScreen *screen;
	bool cursor;
	struct tui_cell *history[TUI_PANE_HISTORY]; /* a ring of lines that scrolled away */
	int history_cols[TUI_PANE_HISTORY];
	size_t history_at, history_count;
	int back; /* lines scrolled back */
};
void tui_pane_send(struct tui_pane *pane); /* pane->unsent on its way */
void tui_pane_open_screen(struct tui_pane *pane);
void tui_pane_close_screen(struct tui_pane *pane);
void tui_pane_size_screen(struct tui_pane *pane, int rows, int cols);

#endif

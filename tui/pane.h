/* SPDX-License-Identifier: MIT */
/* pane: a terminal within the screen: the learner's own shell on a pty, drawn through libvterm. */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "tui/grid.h"

struct tui_pane;
struct tui_pane_options {
	const char *shell;      /* a program */
	const char *const *env; /* NAME=value pairs added to ours, NULL-terminated */
	const char *dir;        /* where it begins; NULL: here */
	int rows, cols;
	struct kt_loop *loop;       /* NULL: no process; what it shows is fed (tests) */
	void (*changed)(void *arg); /* there is something new to draw; may be NULL */
	void *arg;
};
KT_MUST_CHECK enum kt_code tui_pane_new(const struct tui_pane_options *options, struct tui_pane **out,
                                        struct kt_err *err);
void tui_pane_free(struct tui_pane *pane); /* hangs up; NULL is fine */
bool tui_pane_alive(const struct tui_pane *pane);
void tui_pane_size(struct tui_pane *pane, int rows, int cols);
void tui_pane_feed(struct tui_pane *pane, const char *bytes, size_t len); /* output of the program */
void tui_pane_key(struct tui_pane *pane, int key);                        /* as in tui/app.h */
void tui_pane_type(struct tui_pane *pane, const char *text, size_t len);
void tui_pane_scroll(struct tui_pane *pane, int lines); /* back (positive) into what scrolled away */
/* The cursor is set when `focus`. */
void tui_pane_draw(const struct tui_pane *pane, struct tui_grid *grid, struct tui_area area, bool focus);

#endif

/* SPDX-License-Identifier: MIT */
/* tui: the screens. The only folder that sees curses. A screen is a row: its name, its keys (a table, from
 * which the bottom line and the help are made), draw, key. Screens are functions of a model and a size onto a
 * grid of cells, so that tests draw without a terminal. */
#ifndef TUI_H
#define TUI_H

#include "labs/labs.h"
#include "db/db.h"

struct tui_options {
	const char *home, *share;
	const char *bin;    /* the folder of the running ktutor, for the shell's PATH; NULL: unknown */
	const char *theme;  /* "dark", "light", "contrast", "none"; NULL: by setting, NO_COLOR and terminal */
	bool ascii;         /* no Unicode */
	struct db *db;      /* NULL: progress is not kept */
	const char *unkept; /* why not, for the first screen; or NULL */
	const char *lesson; /* open this one at once, or NULL */
};
/* The tutor, until the learner leaves. Restores the terminal on every way out, also on a crash. Standard
 * input and output are a terminal. */
KT_MUST_CHECK enum kt_code tui_run(const struct tui_options *options, struct kt_err *err);
/* The course with the learner's marks as plain text, for pipes and screen readers. */
KT_MUST_CHECK enum kt_code tui_print_overview(const struct tui_options *options, struct kt_buf *out,
                                              struct kt_err *err);

#endif

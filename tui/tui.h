/* SPDX-License-Identifier: MIT */
/* tui: the screens. The only folder that sees curses. A screen is a row: its name, its keys (a table, from
 * which the bottom line and the help are made), draw, key, tick. Screens are functions of a model and a size
 * onto a grid of cells, so that tests draw without a terminal. */
#ifndef TUI_H
#define TUI_H

#include "labs/labs.h"
#include "db/db.h"

struct tui_options {
	const char *home, *share;
	const char *theme; /* "dark", "light", "contrast", "none"; NULL: by NO_COLOR and terminal */
	bool ascii;        /* no Unicode */
	struct db *db;
	const char *lesson; /* open this one at once, or NULL */
};
/* The tutor, until the learner leaves. Restores the terminal on every way out, also on a crash. */
KT_MUST_CHECK enum kt_code tui_run(const struct tui_options *options, struct kt_err *err);

#endif

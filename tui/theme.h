/* SPDX-License-Identifier: MIT */
/* theme: what a style looks like. Colour never says alone what something means. */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/grid.h"

struct tui_look {
	int16_t fg; /* of the first 16 colours; -1: the terminal's own */
	uint8_t flags;
	bool dim;
};
struct tui_theme {
	const char *name;
	bool colour; /* false: none at all, not the shell's either */
	struct tui_look looks[TUI_STYLES];
};
const struct tui_theme *tui_theme_find(const char *name); /* NULL: there is no such */

#endif

/* SPDX-License-Identifier: MIT */
#include "tui/theme.h"

enum { RED = 1, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

static const struct tui_theme themes[] = {
        {"dark",
         true,
         {[TUI_PLAIN] = {-1, 0, false},
          [TUI_DIM] = {-1, 0, true},
          [TUI_STRONG] = {-1, TUI_BOLD, false},
          [TUI_EMPHASIS] = {-1, TUI_ITALIC, false},
          [TUI_HEADING] = {CYAN, TUI_BOLD, false},
          [TUI_CODE] = {GREEN, 0, false},
          [TUI_QUOTE] = {CYAN, 0, false},
          [TUI_KEY] = {YELLOW, TUI_BOLD, false},
          [TUI_BORDER] = {-1, 0, true},
          [TUI_GOOD] = {GREEN, 0, false},
          [TUI_BAD] = {RED, TUI_BOLD, false},
          [TUI_WARN] = {YELLOW, 0, false}}},
        {"light",
         true,
         {[TUI_PLAIN] = {-1, 0, false},
          [TUI_DIM] = {-1, 0, true},
          [TUI_STRONG] = {-1, TUI_BOLD, false},
          [TUI_EMPHASIS] = {-1, TUI_ITALIC, false},
          [TUI_HEADING] = {BLUE, TUI_BOLD, false},
          [TUI_CODE] = {MAGENTA, 0, false},
          [TUI_QUOTE] = {BLUE, 0, false},
          [TUI_KEY] = {BLUE, TUI_BOLD, false},
          [TUI_BORDER] = {-1, 0, true},
          [TUI_GOOD] = {GREEN, TUI_BOLD, false},
          [TUI_BAD] = {RED, TUI_BOLD, false},
          [TUI_WARN] = {MAGENTA, 0, false}}},
        {"contrast",
         true,
         {[TUI_PLAIN] = {-1, 0, false},
          [TUI_DIM] = {-1, 0, false},
          [TUI_STRONG] = {-1, TUI_BOLD, false},
          [TUI_EMPHASIS] = {-1, TUI_UNDERLINE, false},
          [TUI_HEADING] = {-1, TUI_BOLD | TUI_UNDERLINE, false},
          [TUI_CODE] = {-1, TUI_BOLD, false},
          [TUI_QUOTE] = {-1, TUI_BOLD, false},
          [TUI_KEY] = {-1, TUI_BOLD, false},
          [TUI_BORDER] = {-1, 0, false},
          [TUI_GOOD] = {GREEN, TUI_BOLD, false},
          [TUI_BAD] = {RED, TUI_BOLD | TUI_UNDERLINE, false},
          [TUI_WARN] = {YELLOW, TUI_BOLD, false}}},
        {"none",
         false,
         {[TUI_PLAIN] = {-1, 0, false},
          [TUI_DIM] = {-1, 0, true},
          [TUI_STRONG] = {-1, TUI_BOLD, false},
          [TUI_EMPHASIS] = {-1, TUI_ITALIC, false},
          [TUI_HEADING] = {-1, TUI_BOLD, false},
          [TUI_CODE] = {-1, 0, false},
          [TUI_QUOTE] = {-1, 0, false},
          [TUI_KEY] = {-1, TUI_BOLD, false},
          [TUI_BORDER] = {-1, 0, true},
          [TUI_GOOD] = {-1, 0, false},
          [TUI_BAD] = {-1, TUI_BOLD, false},
          [TUI_WARN] = {-1, TUI_BOLD, false}}},
};

const struct tui_theme *tui_theme_find(const char *name)
{
	for (size_t i = 0; i < KT_COUNT(themes); i++)
		if (kt_streq(themes[i].name, name))
			return &themes[i];
	return NULL;
}

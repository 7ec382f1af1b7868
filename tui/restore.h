/* SPDX-License-Identifier: MIT */
/* restore: the terminal comes back even when the program crashes. */
#ifndef TUI_RESTORE_H
#define TUI_RESTORE_H

#include <stddef.h>

/* Remember the terminal as it is now, and what to write to leave the screen; from now on a crash gives it
 * back before the process dies. */
void tui_restore_arm(const char *sequence, size_t len);
void tui_restore_disarm(void);

#endif

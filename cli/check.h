/* SPDX-License-Identifier: MIT */
/* Checks that take real minutes: begun in the background, watched, left, taken up again (check_away.c). */
#ifndef CLI_CHECK_H
#define CLI_CHECK_H

#include "cli/labs.h"

/* Does this call run drills on a cluster whose minutes are minutes? Asks no cluster. */
bool cli_check_is_long(const struct cli_call *call, const struct lab *lab);
/* Have `grade` go on in a process of its own (call->away says where it writes), and watch it; or take up the
 * one that goes on already; or show what one found that nobody watched to its end. Exit code; 130: left.
 * Nothing that a fork must not share (databases, connections) may be open. */
int cli_check_away(struct cli_call *call, const struct lab *lab, const char *format,
                   int (*grade)(struct cli_call *call, const struct lab *lab));
/* End one that goes on, in order; true: there was one. */
bool cli_check_cancel(struct cli_call *call, const struct lab *lab);

#endif

/* SPDX-License-Identifier: MIT */
/* What a lesson shows, and what a cluster printed. */
#ifndef LABS_SHOWN_H
#define LABS_SHOWN_H

#include "labs/labs.h"

/* Does what is shown look like what was given, line by line or, with a head in capitals, as tables? `why` is
 * told what does not. */
bool lab_shown_fits(const char *shown, const char *given, struct kt_buf *why);

#endif

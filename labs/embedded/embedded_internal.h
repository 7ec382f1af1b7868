/* SPDX-License-Identifier: MIT */
#ifndef EMBEDDED_INTERNAL_H
#define EMBEDDED_INTERNAL_H

#include "labs/embedded/embedded.h"

char *embedded_root(const char *home); /* owned */
void embedded_set_current(const char *home, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* Regular expressions as people write them, on POSIX extended ones. */
#ifndef KT_REGEX_H
#define KT_REGEX_H

#include <regex.h>
#include <stdbool.h>

/* Beside what POSIX has: \d \w \s (in sets, too), (?:groups), lazy quantifiers (the longest is found all the
 * same),
 * (?i), (?m), (?s) in front. `flags`: REG_NOSUB, REG_ICASE. False: it is none. The result is to be
 * regfree()d. */
bool kt_regex(const char *text, int flags, regex_t *out);

#endif

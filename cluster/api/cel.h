/* SPDX-License-Identifier: MIT */
/* The part of CEL (the Common Expression Language) that admission policies and custom resources commonly use:
 * literals, members, indexes, lists and maps, ! - * / % + == != < <= > >= in && || ?:, has(), size(), int(),
 * string(), double(), type conversions, the string methods startsWith, endsWith, contains, matches,
 * lowerAscii, upperAscii, split, and the macros all, exists, exists_one, filter, map. Values are JSON values.
 */
#ifndef API_CEL_H
#define API_CEL_H

#include "base/base.h"

/* Evaluate `text` with the members of `vars` as variables. *out is new. KT_EINVAL: it does not parse or
 * cannot be evaluated
 * ("no such key: x"); KT_EUNSUPPORTED: a function that is not known here. */
KT_MUST_CHECK enum kt_code cel_eval(const char *text, const struct kt_json *vars, struct kt_json **out,
                                    struct kt_err *err);

#endif

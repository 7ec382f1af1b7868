/* SPDX-License-Identifier: MIT */
/* UTF-8, one character at a time. */
#ifndef KT_UTF8_INTERNAL_H
#define KT_UTF8_INTERNAL_H

#include "base/buf.h"

/* The character at `s`: its length in bytes, 0 when it is not valid UTF-8 (overlong, surrogate, cut) or len
 * is 0. */
size_t kt_utf8_next(const char *s, size_t len, uint32_t *out_char);
/* Append a character (U+FFFD for what is none). */
void kt_utf8_add(struct kt_buf *buf, uint32_t c);
/* The largest border of a character <= at. */
size_t kt_utf8_floor(const char *s, size_t at);

#endif

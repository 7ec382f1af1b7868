/* SPDX-License-Identifier: MIT */
/* A growing string of bytes, always NUL-terminated behind `len`. Zeroed = empty. */
#ifndef KT_BUF_H
#define KT_BUF_H

#include "base/mem.h"
#include <stdarg.h>

struct kt_buf {
	char *data; /* never NULL after the first append; use kt_buf_str() to read */
	size_t len, cap;
};

void kt_buf_add(struct kt_buf *buf, const void *data, size_t len);
void kt_buf_adds(struct kt_buf *buf, const char *s);
void kt_buf_addc(struct kt_buf *buf, char c);
void kt_buf_addf(struct kt_buf *buf, const char *fmt, ...) KT_PRINTF(2, 3);
void kt_buf_vaddf(struct kt_buf *buf, const char *fmt, va_list ap) KT_PRINTF(2, 0);
void kt_buf_reserve(struct kt_buf *buf, size_t more);
void kt_buf_cut(struct kt_buf *buf, size_t len);  /* shorten to `len` */
void kt_buf_drop(struct kt_buf *buf, size_t n);   /* remove the first n bytes */
const char *kt_buf_str(const struct kt_buf *buf); /* "" when empty; borrowed */
char *kt_buf_take(struct kt_buf *buf);            /* the string moves out; buf is empty after */
void kt_buf_clear(struct kt_buf *buf);            /* frees */

/* Strings. */
bool kt_streq(const char *a, const char *b); /* NULL equals NULL only */
bool kt_starts(const char *s, const char *prefix);
bool kt_ends(const char *s, const char *suffix);
/* Is it one of these words, which blanks part? Of no words (NULL) none is. */
bool kt_listed(const char *words, const char *word);
/* Next piece of `*s` up to `sep` (not included); *s moves behind it, NULL at the end. Borrowed. */
const char *kt_split(const char **s, char sep, size_t *len);
/* The closest of `words` to `s` (edit distance <= a third of its length), or NULL: for "did you mean". */
const char *kt_nearest(const char *s, const char *const *words, size_t count);
uint64_t kt_hash(const void *data, size_t len); /* FNV-1a */
uint32_t kt_hash32(const void *data, size_t len);
/* Growing list of owned strings. */
struct kt_strs {
	char **items;
	size_t count, cap;
};
void kt_strs_add(struct kt_strs *list, const char *s); /* copies */
void kt_strs_steal(struct kt_strs *list, char *s);
bool kt_strs_has(const struct kt_strs *list, const char *s);
void kt_strs_sort(struct kt_strs *list);
void kt_strs_clear(struct kt_strs *list);

/* Terminal safety: copies `s` with control characters (except \n and \t) and escapes made visible or dropped,
 * valid UTF-8 only. */
void kt_buf_add_clean(struct kt_buf *buf, const char *s, size_t len);
/* Columns that UTF-8 text takes (wide = 2, combining = 0). */
size_t kt_width(const char *s, size_t len);

#endif

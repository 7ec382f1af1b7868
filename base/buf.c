/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kt_buf_reserve(struct kt_buf *buf, size_t more)
{
	size_t need = buf->len + more + 1;
	if (need < more)
		kt_bug("a string of more than all memory");
	if (need <= buf->cap && buf->data)
		return;
	buf->data = kt_grow(buf->data, &buf->cap, KT_MAX(need, 32), 1);
	buf->data[buf->len] = 0;
}

void kt_buf_add(struct kt_buf *buf, const void *data, size_t len)
{
	kt_buf_reserve(buf, len);
	if (len)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = 0;
}

void kt_buf_adds(struct kt_buf *buf, const char *s)
{
	if (s)
		kt_buf_add(buf, s, strlen(s));
}

void kt_buf_addc(struct kt_buf *buf, char c)
{
	if (buf->len + 1 >= buf->cap)
		kt_buf_reserve(buf, 1);
	buf->data[buf->len++] = c;
	buf->data[buf->len] = 0;
}

void kt_buf_vaddf(struct kt_buf *buf, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	kt_buf_reserve(buf, 64);
	size_t room = buf->cap - buf->len;
	int n = vsnprintf(buf->data + buf->len, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room) {
		kt_buf_reserve(buf, (size_t)n);
		vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n > 0)
		buf->len += (size_t)n;
	buf->data[buf->len] = 0;
}

void kt_buf_addf(struct kt_buf *buf, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(buf, fmt, ap);
	va_end(ap);
}

void kt_buf_cut(struct kt_buf *buf, size_t len)
{
	if (len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = 0;
}

void kt_buf_drop(struct kt_buf *buf, size_t n)
{
	if (!n || !buf->data)
		return;
	n = KT_MIN(n, buf->len);
	buf->len -= n;
	memmove(buf->data, buf->data + n, buf->len + 1);
}

const char *kt_buf_str(const struct kt_buf *buf)
{
	return buf->data ? buf->data : "";
}

char *kt_buf_take(struct kt_buf *buf)
{
	kt_buf_reserve(buf, 0);
	buf->data[buf->len] = 0;
	char *s = buf->data;
	*buf = (struct kt_buf){0};
	return s;
}

void kt_buf_clear(struct kt_buf *buf)
{
	kt_free(buf->data);
	*buf = (struct kt_buf){0};
}

/* --- strings --- */

bool kt_streq(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool kt_starts(const char *s, const char *prefix)
{
	return s && prefix && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool kt_ends(const char *s, const char *suffix)
{
	if (!s || !suffix)
		return false;
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool kt_listed(const char *words, const char *word)
{
	size_t len, wanted = strlen(word);
	for (const char *one; words && (one = kt_split(&words, ' ', &len));)
		if (len == wanted && !strncmp(one, word, len))
			return true;
	return false;
}

const char *kt_split(const char **s, char sep, size_t *len)
{
	const char *piece = *s;
	if (!piece) {
		*len = 0;
		return NULL;
	}
	const char *end = strchr(piece, sep);
	*len = end ? (size_t)(end - piece) : strlen(piece);
	*s = end ? end + 1 : NULL;
	return piece;
}

enum { NEAREST_MAX = 64 };

/* Edit distance with neighbours swapped counting one (optimal string alignment). */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= m; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			best = KT_MIN(best, last[j] + 1);
			best = KT_MIN(best, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = KT_MIN(best, before[j - 2] + 1);
			row[j] = best;
		}
		size_t *free_row = before;
		before = last;
		last = row;
		row = free_row;
	}
	return last[m];
}

const char *kt_nearest(const char *s, const char *const *words, size_t count)
{
	size_t len = s ? strlen(s) : 0;
	if (!len || len > NEAREST_MAX)
		return NULL;
	const char *best = NULL;
	size_t least = len / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		size_t m = strlen(words[i]);
		if (m > NEAREST_MAX)
			continue;
		size_t d = distance(s, len, words[i], m);
		if (d < least) {
			least = d;
			best = words[i];
		}
	}
	return best;
}

uint64_t kt_hash(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

uint32_t kt_hash32(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t h = UINT32_C(0x811c9dc5);
	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT32_C(0x01000193);
	return h;
}

void kt_strs_steal(struct kt_strs *list, char *s)
{
	list->items = kt_grow(list->items, &list->cap, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = s;
}

void kt_strs_add(struct kt_strs *list, const char *s)
{
	kt_strs_steal(list, kt_strdup(s));
}

bool kt_strs_has(const struct kt_strs *list, const char *s)
{
	for (size_t i = 0; i < list->count; i++)
		if (kt_streq(list->items[i], s))
			return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

void kt_strs_sort(struct kt_strs *list)
{
	if (list->count > 1)
		qsort(list->items, list->count, sizeof(*list->items), by_text);
}

void kt_strs_clear(struct kt_strs *list)
{
	for (size_t i = 0; i < list->count; i++)
		kt_free(list->items[i]);
	kt_free(list->items);
	*list = (struct kt_strs){0};
}

/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/slab_internal.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void kt_mem_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

static KT_NORETURN void out_of_memory(size_t size)
{
	fprintf(stderr, "ktutor: out of memory (%zu bytes wanted)\n", size);
	abort();
}

void *kt_alloc(size_t size)
{
	void *p = size <= SLAB_LARGEST ? kt_slab_alloc(size) : NULL;
	if (p)
		return memset(p, 0, size);
	p = calloc(1, size ? size : 1);
	if (!p)
		out_of_memory(size);
	return p;
}

/* Out of a slab: within it as long as half of the block is used. */
static void *move(void *p, size_t size)
{
	size_t room = kt_slab_room(p);
	if (size <= room && size * 2 >= room)
		return p;
	void *moved = kt_realloc(NULL, size);
	memcpy(moved, p, KT_MIN(size, room));
	kt_slab_free(p);
	return moved;
}

void *kt_realloc(void *p, size_t size)
{
	if (p && kt_slab_has(p))
		return move(p, size);
	void *moved = !p && size <= SLAB_LARGEST ? kt_slab_alloc(size) : NULL;
	if (moved)
		return moved;
	moved = realloc(p, size ? size : 1);
	if (!moved)
		out_of_memory(size);
	return moved;
}

void *kt_grow(void *p, size_t *cap, size_t need, size_t item)
{
	if (need <= *cap && p)
		return p;
	size_t more = *cap ? *cap : item >= 64 ? 2 : 8; /* lists of large things are mostly short */
	while (more < need) {
		if (more > SIZE_MAX / 2)
			out_of_memory(SIZE_MAX);
		more *= 2;
	}
	if (item && more > SIZE_MAX / item)
		out_of_memory(SIZE_MAX);
	*cap = more;
	return kt_realloc(p, more * item);
}

char *kt_strdup(const char *s)
{
	return s ? kt_strndup(s, strlen(s)) : NULL;
}

char *kt_strndup(const char *s, size_t n)
{
	if (!s)
		return NULL;
	const char *end = memchr(s, 0, n);
	size_t len = end ? (size_t)(end - s) : n;
	char *copy = kt_alloc(len + 1);
	memcpy(copy, s, len);
	return copy;
}

/* Length of what `fmt` makes, or 0 when the C library refuses it. */
static size_t formatted_len(const char *fmt, va_list ap) KT_PRINTF(1, 0);
static size_t formatted_len(const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	return n < 0 ? 0 : (size_t)n;
}

char *kt_strf(const char *fmt, ...)
{
	char most[256];
	va_list ap, again;
	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(most, sizeof(most), fmt, ap);
	size_t len = n < 0 ? 0 : (size_t)n;
	char *s = kt_realloc(NULL, len + 1);
	if (len < sizeof(most))
		memcpy(s, most, len);
	else
		vsnprintf(s, len + 1, fmt, again);
	s[len] = 0;
	va_end(again);
	va_end(ap);
	return s;
}

void kt_free(void *p)
{
	if (kt_slab_has(p))
		kt_slab_free(p);
	else
		free(p);
}

void kt_freep(void *slot)
{
	void *p;
	memcpy(&p, slot, sizeof(p));
	kt_free(p);
	p = NULL;
	memcpy(slot, &p, sizeof(p));
}

void kt_bug(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("ktutor: bug: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

/* --- arena --- */

enum { ARENA_BLOCK = 4096 - 64, ARENA_ALIGN = alignof(max_align_t) };

struct kt_arena_block {
	struct kt_arena_block *next;
	size_t size, used;
	max_align_t data[];
};

void *kt_arena_alloc(struct kt_arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		out_of_memory(size);
	size_t want = (KT_MAX(size, 1) + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	struct kt_arena_block *block = arena->blocks;
	if (!block || block->size - block->used < want) {
		/* Blocks grow with the arena, so that large requests take few of them. */
		size_t room =
		        KT_MAX(KT_MAX((size_t)ARENA_BLOCK, want), KT_MIN(arena->total, (size_t)1 << 20));
		block = kt_alloc(sizeof(*block) + room);
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
		arena->total += room;
	}
	void *p = (char *)block->data + block->used;
	block->used += want;
	arena->used += want;
	return p;
}

char *kt_arena_strdup(struct kt_arena *arena, const char *s)
{
	if (!s)
		return NULL;
	size_t len = strlen(s);
	char *copy = kt_arena_alloc(arena, len + 1);
	memcpy(copy, s, len);
	return copy;
}

char *kt_arena_strf(struct kt_arena *arena, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	size_t len = formatted_len(fmt, ap);
	char *s = kt_arena_alloc(arena, len + 1);
	vsnprintf(s, len + 1, fmt, ap);
	va_end(ap);
	return s;
}

void kt_arena_clear(struct kt_arena *arena)
{
	while (arena->blocks) {
		struct kt_arena_block *next = arena->blocks->next;
		kt_free(arena->blocks);
		arena->blocks = next;
	}
	arena->used = arena->total = 0;
}

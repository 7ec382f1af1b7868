/* SPDX-License-Identifier: MIT */
#include "base/slab_internal.h"

#include <stdint.h>
#include <sys/mman.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif
#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

#define SLAB_BYTES ((size_t)16 << 10)
#define SLABS      ((size_t)1 << 19) /* 8 GiB of addresses, not of memory */
#define WARM       64                /* empty slabs that keep their memory */
#define NONE       UINT32_MAX

/* Sizes: 8 to 128 by 8, to 256 by 16, to 512 by 32. */
enum { FINE = 16, MIDDLE = 8, COARSE = 8, CLASSES = FINE + MIDDLE + COARSE };

struct block {
	struct block *next;
};
struct slab {
	struct block *free;
	uint32_t prev, next;      /* of the same list */
	uint16_t live, fresh, of; /* blocks given; blocks never given; class */
};
/* The process's heap, as malloc's is. */
static struct {
	bool asked;
	char *base;
	struct slab *slabs;
	uint32_t begun;            /* slabs that were ever used */
	uint32_t partial[CLASSES]; /* lists: with room */
	uint32_t empty;            /* list */
	size_t warm, held;
} heap;

static unsigned class_of(size_t size)
{
	if (size <= 128)
		return (unsigned)((size + 7) / 8 - (size > 0));
	if (size <= 256)
		return FINE + (unsigned)((size - 128 + 15) / 16 - 1);
	return FINE + MIDDLE + (unsigned)((size - 256 + 31) / 32 - 1);
}

static size_t bytes_of(unsigned class)
{
	if (class < FINE)
		return ((size_t) class + 1) * 8;
	if (class < FINE + MIDDLE)
		return 128 + ((size_t) class - FINE + 1) * 16;
	return 256 + ((size_t) class - FINE - MIDDLE + 1) * 32;
}

static void *reserve(size_t bytes)
{
	void *p =
	        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void begin(void)
{
	heap.asked = true;
	heap.empty = NONE;
	for (unsigned i = 0; i < CLASSES; i++)
		heap.partial[i] = NONE;
	if (SANITIZED || sizeof(void *) < 8)
		return;
	char *base = reserve((SLABS + 1) * SLAB_BYTES);
	struct slab *slabs = base ? reserve(SLABS * sizeof(*slabs)) : NULL;
	if (!slabs)
		return;
	heap.slabs = slabs;
	heap.base = base + (SLAB_BYTES - (uintptr_t)base % SLAB_BYTES) % SLAB_BYTES;
}

static uint32_t index_of(const void *p)
{
	return (uint32_t)((size_t)((const char *)p - heap.base) / SLAB_BYTES);
}

static void put(uint32_t *list, uint32_t i)
{
	struct slab *slab = &heap.slabs[i];

	slab->prev = NONE;
	slab->next = *list;
	if (*list != NONE)
		heap.slabs[*list].prev = i;
	*list = i;
}

static void take(uint32_t *list, uint32_t i)
{
	struct slab *slab = &heap.slabs[i];

	if (slab->prev == NONE)
		*list = slab->next;
	else
		heap.slabs[slab->prev].next = slab->next;
	if (slab->next != NONE)
		heap.slabs[slab->next].prev = slab->prev;
}

/* A slab for this class, from the empty ones or a new one; false: no addresses are left. */
static bool open_slab(unsigned class)
{
	uint32_t i = heap.empty;

	if (i != NONE) {
		take(&heap.empty, i);
		heap.warm -= heap.warm > 0;
	} else if (heap.base && heap.begun < SLABS) {
		i = heap.begun++;
	} else {
		return false;
	}
	heap.slabs[i] =
	        (struct slab){.of = (uint16_t) class, .fresh = (uint16_t)(SLAB_BYTES / bytes_of(class))};
	put(&heap.partial[class], i);
	heap.held += SLAB_BYTES;
	return true;
}

void *kt_slab_alloc(size_t size)
{
	if (!heap.asked)
		begin();
	unsigned class = class_of(size);
	if (heap.partial[class] == NONE && !open_slab(class))
		return NULL;
	uint32_t i = heap.partial[class];
	struct slab *slab = &heap.slabs[i];
	struct block *block = slab->free;
	if (block)
		slab->free = block->next;
	else
		block = (struct block *)(void *)(heap.base + (size_t)i * SLAB_BYTES +
		                                 SLAB_BYTES / bytes_of(class) * bytes_of(class) -
		                                 slab->fresh-- * bytes_of(class));
	slab->live++;
	if (!slab->free && !slab->fresh)
		take(&heap.partial[class], i);
	return block;
}

bool kt_slab_has(const void *p)
{
	return heap.base && (uintptr_t)p - (uintptr_t)heap.base < SLABS * SLAB_BYTES;
}

size_t kt_slab_room(const void *p)
{
	return bytes_of(heap.slabs[index_of(p)].of);
}

/* The memory of most empty slabs goes back to the system. */
static void close_slab(uint32_t i)
{
	take(&heap.partial[heap.slabs[i].of], i);
	heap.held -= SLAB_BYTES;
	if (heap.warm < WARM)
		heap.warm++;
	else
		(void)madvise(heap.base + (size_t)i * SLAB_BYTES, SLAB_BYTES, MADV_DONTNEED);
	put(&heap.empty, i);
}

void kt_slab_free(void *p)
{
	uint32_t i = index_of(p);
	struct slab *slab = &heap.slabs[i];
	struct block *block = p;

	if (!slab->free && !slab->fresh)
		put(&heap.partial[slab->of], i);
	block->next = slab->free;
	slab->free = block;
	/* the last slab of its class stays: the next block is near */
	if (!--slab->live && (slab->prev != NONE || slab->next != NONE))
		close_slab(i);
}

size_t kt_slab_held(void)
{
	return heap.held;
}

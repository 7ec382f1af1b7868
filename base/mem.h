/* SPDX-License-Identifier: MIT */
/* Memory. Running out of it ends the process with a sentence: a tutor that
 * limps on with half an object is worse. All of ktutor allocates through these. */
#ifndef KT_MEM_H
#define KT_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define KT_MUST_CHECK   __attribute__((warn_unused_result))
#define KT_CLEANUP(fn)  __attribute__((cleanup(fn)))
#define KT_PRINTF(a, b) __attribute__((format(printf, a, b)))
#define KT_NORETURN     __attribute__((noreturn))
#else
#define KT_MUST_CHECK
#define KT_CLEANUP(fn)
#define KT_PRINTF(a, b)
#define KT_NORETURN
#endif

#define KT_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KT_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define KT_MAX(a, b)    ((a) > (b) ? (a) : (b))

void *kt_alloc(size_t size);                                   /* zeroed, never NULL */
void *kt_realloc(void *p, size_t size);                        /* never NULL; new bytes undefined */
void *kt_grow(void *p, size_t *cap, size_t need, size_t item); /* array of items: doubles until cap >= need */
char *kt_strdup(const char *s);                                /* NULL gives NULL */
char *kt_strndup(const char *s, size_t n);
char *kt_strf(const char *fmt, ...) KT_PRINTF(1, 2); /* owned by the caller */
void kt_free(void *p);                               /* NULL is fine */
void kt_freep(void *slot);                           /* for KT_CLEANUP: frees *(void **)slot */
/* Give the system back what was freed, where the C library keeps it (glibc); else nothing. */
void kt_mem_trim(void);
/* Say why in one sentence on stderr and abort. For bugs, never for bad input. */
void kt_bug(const char *fmt, ...) KT_PRINTF(1, 2) KT_NORETURN;

/* An arena: many small allocations freed at once. Not for objects that outlive a request. */
struct kt_arena {
	struct kt_arena_block *blocks;
	size_t used, total;
};
void *kt_arena_alloc(struct kt_arena *arena, size_t size); /* zeroed, aligned for any type */
char *kt_arena_strdup(struct kt_arena *arena, const char *s);
char *kt_arena_strf(struct kt_arena *arena, const char *fmt, ...) KT_PRINTF(2, 3);
void kt_arena_clear(struct kt_arena *arena);

#endif

/* SPDX-License-Identifier: MIT */
/* Small blocks for mem.c, in slabs of one size each: no head before a block, sizes in steps of eight bytes, a
 * block costs a few instructions. A large cluster is some ten million of them. Blocks lie in one stretch of
 * addresses, so that free() can tell whose a pointer is. Where there is no such stretch (32 bits, limits of
 * the system, sanitizers, which want to see every block) the C library's are used. One thread. */
#ifndef KT_SLAB_INTERNAL_H
#define KT_SLAB_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#define SLAB_LARGEST 512

/* Not zeroed; aligned for what has this size; NULL: ask the C library. */
void *kt_slab_alloc(size_t size);
/* Is it one of ours? Else it is the C library's. */
bool kt_slab_has(const void *p);
size_t kt_slab_room(const void *p); /* bytes that fit */
void kt_slab_free(void *p);
size_t kt_slab_held(void); /* bytes of slabs that hold something, for tests */

#endif

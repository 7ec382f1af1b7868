/* SPDX-License-Identifier: MIT */
/* Deterministic randomness (PCG32 or better), one state a user; seeded from a number or a name. */
#ifndef KT_RANDOM_H
#define KT_RANDOM_H

#include "base/mem.h"

struct kt_random {
	uint64_t state, inc;
};
void kt_random_init(struct kt_random *r, uint64_t seed);
uint32_t kt_random_u32(struct kt_random *r);
uint64_t kt_random_u64(struct kt_random *r);
uint32_t kt_random_below(struct kt_random *r, uint32_t bound); /* [0, bound), unbiased; 0 for 0 */
double kt_random_unit(struct kt_random *r);                    /* [0, 1) */
void kt_random_fill(struct kt_random *r, void *out, size_t len);
/* Kubernetes' suffixes: `len` letters of bcdfghjklmnpqrstvwxz2456789 and a NUL. */
void kt_random_name(struct kt_random *r, char *out, size_t len);
/* A version 4 UUID, 36 characters and NUL. */
void kt_random_uuid(struct kt_random *r, char out[37]);
/* From the operating system, for keys and tokens. */
void kt_random_secret(void *out, size_t len);

#endif

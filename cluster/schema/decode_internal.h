/* SPDX-License-Identifier: MIT */
/* Between decode.c and scalar.c. */
#ifndef DECODE_INTERNAL_H
#define DECODE_INTERNAL_H

#include "cluster/schema/schema_internal.h"

struct decode {
	struct schema_problems *problems; /* may be NULL */
	struct kt_err *err;
	bool failed; /* the first failure is told; the rest is still walked, as Go does */
	bool ended;  /* a type that decodes itself failed: that is told whatever was before, and nothing after
	              */
};
/* Where a value stands; a chain up to the object. */
struct decode_at {
	const struct decode_at *up;
	const char *name;                /* of the field or the key of a map; NULL: an item */
	size_t index;                    /* of an item */
	const struct schema_type *owner; /* the struct whose field this is; NULL: an item or a map's value */
};

typedef struct kt_json *decode_scalar_fn(struct decode *d, const struct decode_at *at, const char *go,
                                         const struct kt_json *raw);
extern decode_scalar_fn *const decode_scalars[];

/* "json: cannot unmarshal number into Go struct field Toleration.spec.tolerations.value of type string"; `at`
 * NULL: "into Go value of type". Returns NULL. */
struct kt_json *decode_mismatch(struct decode *d, const struct decode_at *at, const char *go,
                                const struct kt_json *raw);
struct kt_json *decode_refuse(struct decode *d, const char *fmt, ...) KT_PRINTF(2, 3);

#endif

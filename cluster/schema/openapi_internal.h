/* SPDX-License-Identifier: MIT */
/* Between openapi.c (documents) and openapi_types.c (components.schemas). */
#ifndef OPENAPI_INTERNAL_H
#define OPENAPI_INTERNAL_H

#include "cluster/schema/schema_internal.h"

/* Types that a document needs, each once. */
struct openapi_types {
	const struct schema_type **items;
	size_t count, cap;
	bool *seen; /* by id */
};
void openapi_need(struct openapi_types *types, const struct schema_type *type);
void openapi_types_clear(struct openapi_types *types);
/* "io.k8s.api.core.v1.Pod" */
void openapi_name(const struct schema_type *type, struct kt_buf *out);
/* `"io.k8s.api.core.v1.Pod": {…}`; with its group, version and kind if `kind` is given. */
void openapi_component(const struct schema_type *type, const struct schema_kind *kind, const char *kind_name,
                       struct kt_buf *out);
/* A sentence made of a field's name: "minReadySeconds" -> "Min ready seconds." */
void openapi_sentence(const char *name, struct kt_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
/* What the files of this folder share. */
#ifndef SCHEMA_INTERNAL_H
#define SCHEMA_INTERNAL_H

#include "cluster/schema/schema.h"

struct schema_crd;
struct schema_defaults;
/* One row of defaults.tsv. */
struct schema_default_row {
	uint16_t type, field; /* indexes */
	const char *value;    /* JSON */
	const char *when;
};
struct schema_openapi_cache;

struct schema {
	const struct schema_kind **kinds; /* built-in ones first, in the order of kinds.tsv */
	size_t count, cap;
	unsigned next_index; /* never reused: tables by kind stay valid */
	uint64_t generation;
	struct schema_crd *crds;    /* list, crd.c */
	struct schema_crd *retired; /* gone or replaced: versions in histories still point at their kinds */
	struct schema_defaults *defaults;
	struct schema_openapi_cache *openapi;
	const struct schema_kind *
	        *found; /* what schema_stored() found last, by hash of the name: built-in kinds only */
};
#define SCHEMA_FOUND 128

/* The compiled-in rows (tables.c). */
size_t schema_builtin_kind_count(void);
const struct schema_kind *schema_builtin_kind(size_t i);
size_t schema_builtin_type_count(void);
const struct schema_type *schema_builtin_type(size_t i);
const struct schema_type *schema_builtin_type_named(const char *name);
size_t schema_builtin_default_count(void);
const struct schema_default_row *schema_builtin_default(size_t i);
extern const char *const schema_no_words[1]; /* {NULL} */

struct schema_defaults *schema_defaults_new(void);
void schema_defaults_free(struct schema_defaults *defaults);

/* Index of the field in its type, or -1. */
ptrdiff_t schema_field_index(const struct schema_type *type, const char *name);
/* `*slot`, an object of `type`, with its members in the order of the fields (others last). */
void schema_reorder(const struct schema_type *type, struct kt_json **slot);
/* "core.v1.PodSpec" -> "PodSpec". */
const char *schema_short_name(const struct schema_type *type);
/* What Go prints for a value that is not set: {} with what is kept inside, null, "", 0, false. New. */
struct kt_json *schema_zero(const struct schema_field *field);

/* Kinds by priority of their group, then version, then resource: the order of discovery. Owned array. */
const struct schema_kind **schema_kinds_in_order(const struct schema *schema);
int schema_compare_versions(const char *a, const char *b); /* "v2" before "v1" before "v1beta1" */

void schema_kinds_add(struct schema *schema, const struct schema_kind *kind);
void schema_kinds_remove(struct schema *schema, const struct schema_kind *kind);
void schema_crds_free(struct schema *schema);
void schema_openapi_free(struct schema *schema);

/* Custom objects, by their structural schemas (structural.c). */
struct kt_json *structural_prune(const struct kt_json *schema, const struct kt_json *value,
                                 struct kt_strs *unknown);
void structural_default(const struct kt_json *schema, struct kt_json **value);
const struct kt_json *
schema_structural(const struct schema_kind *kind); /* openAPIV3Schema of a custom kind */

/* Adds the members of `from` that `*into` lacks, in order of name. */
bool schema_add_missing(struct kt_json **into, const struct kt_json *from);
/* resources of a pod as a whole, from its containers and its limits (pod_resources.c). */
bool schema_default_pod_level(struct kt_json **spec);

/* Does a structural schema keep what it does not declare? */
bool structural_keeps_unknown(const struct kt_json *schema);

#endif

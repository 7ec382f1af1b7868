/* SPDX-License-Identifier: MIT */
/* The rows of the .tsv files here, compiled in (tools/schema-gen.awk writes schema_tables.h while building).
 */
#include "cluster/schema/schema_internal.h"

#include <string.h>

static const char *const schema_empty_words[1] = {NULL};
#include "schema_tables.h"

const char *const schema_no_words[1] = {NULL};

size_t schema_builtin_kind_count(void)
{
	return SCHEMA_STATIC_KINDS;
}

const struct schema_kind *schema_builtin_kind(size_t i)
{
	return &schema_static_kinds[i];
}

size_t schema_builtin_type_count(void)
{
	return SCHEMA_STATIC_TYPES;
}

const struct schema_type *schema_builtin_type(size_t i)
{
	return &schema_static_types[i];
}

const struct schema_type *schema_builtin_type_named(const char *name)
{
	for (size_t i = 0; i < SCHEMA_STATIC_TYPES; i++)
		if (!strcmp(schema_static_types[i].name, name))
			return &schema_static_types[i];
	return NULL;
}

size_t schema_builtin_default_count(void)
{
	return KT_COUNT(schema_default_rows);
}

const struct schema_default_row *schema_builtin_default(size_t i)
{
	return &schema_default_rows[i];
}

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

/* By name: twice as many places as types, so that few meet. */
enum { PLACES = 2 * SCHEMA_STATIC_TYPES + 1 };
static uint16_t type_places[PLACES]; /* index + 1; 0: free */

static size_t place_of(const char *name)
{
	size_t at = kt_hash32(name, strlen(name)) % PLACES;
	while (type_places[at] && strcmp(schema_static_types[type_places[at] - 1].name, name) != 0)
		at = (at + 1) % PLACES;
	return at;
}

const struct schema_type *schema_builtin_type_named(const char *name)
{
	static bool filled;
	for (size_t i = 0; i < SCHEMA_STATIC_TYPES && !filled; i++) {
		size_t at = place_of(schema_static_types[i].name);
		if (!type_places[at]) /* the first of a name */
			type_places[at] = (uint16_t)(i + 1);
	}
	filled = true;
	size_t at = place_of(name);
	return type_places[at] ? &schema_static_types[type_places[at] - 1] : NULL;
}

size_t schema_builtin_default_count(void)
{
	return KT_COUNT(schema_default_rows);
}

const struct schema_default_row *schema_builtin_default(size_t i)
{
	return &schema_default_rows[i];
}

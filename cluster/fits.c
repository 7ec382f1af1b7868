/* SPDX-License-Identifier: MIT */
/* Manifests beside the schema, without a cluster: an object, or a piece of one as a page shows it. */
#include "cluster/cluster.h"
#include "cluster/schema/schema.h"

#include <string.h>

#define DEPTH_MAX 32

static bool fits(const struct kt_json *v, const struct schema_type *type);

static bool fits_field(const struct kt_json *v, const struct schema_field *field)
{
	if (field->shape == SCHEMA_ONE)
		return fits(v, field->type);
	if (kt_json_type(v) != KT_JSON_NULL && kt_is_array(v) != (field->shape == SCHEMA_LIST))
		return false;
	for (size_t i = 0; i < kt_count(v); i++)
		if (!fits(kt_at(v, i), field->type))
			return false;
	return true;
}

static bool fits(const struct kt_json *v, const struct schema_type *type)
{
	if (type->scalar != SCHEMA_MESSAGE) /* whether its value is right, a cluster says */
		return type->scalar == SCHEMA_ANY || type->scalar == SCHEMA_RAW || !kt_count(v);
	if (kt_is_array(v) || kt_str(v))
		return false;
	for (size_t i = 0; i < kt_count(v); i++) {
		const struct schema_field *field = schema_field_named(type, kt_key(v, i));
		if (!field || !fits_field(kt_at(v, i), field))
			return false;
	}
	return true;
}

/* Is it a piece of some object: does it fit the type, or one below it? */
static bool fits_below(const struct kt_json *v, const struct schema_type *type, struct kt_json **seen,
                       unsigned depth)
{
	if (type->scalar != SCHEMA_MESSAGE || depth > DEPTH_MAX || kt_get(*seen, type->name))
		return false;
	kt_set(seen, type->name, kt_json_bool(true));
	if (fits(v, type))
		return true;
	for (size_t i = 0; i < type->field_count; i++)
		if (fits_below(v, type->fields[i].type, seen, depth + 1))
			return true;
	return false;
}

static bool is_piece(const struct schema *schema, const struct kt_json *v)
{
	struct kt_json *seen = kt_json_object();
	bool piece = false;
	for (size_t i = 0; !piece && i < schema_kind_count(schema); i++)
		piece = fits_below(v, schema_kind_at(schema, i)->type, &seen, 0);
	kt_json_free(seen);
	return piece;
}

/* `kind` may stand without its apiVersion, where the page is about something else. */
static const struct schema_type *type_of(const struct schema *schema, const char *api, const char *kind)
{
	if (api)
		return schema_type_for(schema, api, kind);
	for (size_t i = 0; i < schema_kind_count(schema); i++)
		if (kt_streq(schema_kind_at(schema, i)->kind, kind))
			return schema_kind_at(schema, i)->type;
	return NULL;
}

/* The first name in the way from the top that the type does not have: "spec.replcas". Owned; NULL: none. */
static char *misfit(const struct kt_json *v, const struct schema_type *type, const char *above)
{
	char *found = NULL;
	for (size_t i = 0; !found && !kt_is_array(v) && i < kt_count(v); i++) {
		const struct schema_field *field = schema_field_named(type, kt_key(v, i));
		char *here = kt_strf("%s%s%s", above, *above ? "." : "", kt_key(v, i));
		if (field && fits_field(kt_at(v, i), field))
			kt_free(here);
		else if (field && field->shape == SCHEMA_ONE && field->type->scalar == SCHEMA_MESSAGE &&
		         (found = misfit(kt_at(v, i), field->type, here)))
			kt_free(here);
		else
			found = here;
	}
	return found;
}

enum cluster_fit cluster_fits(const struct kt_json *v, char **where)
{
	struct schema *schema = schema_new();
	const char *kind = kt_get_str(v, "kind");
	const struct schema_type *type = kind ? type_of(schema, kt_get_str(v, "apiVersion"), kind) : NULL;
	*where = type ? misfit(v, type, "") : NULL;
	enum cluster_fit fit = kind && !type                   ? CLUSTER_NO_KIND
	                       : *where                        ? CLUSTER_NO_FIELD
	                       : !type && !is_piece(schema, v) ? CLUSTER_NO_PIECE
	                                                       : CLUSTER_FITS;
	schema_free(schema);
	return fit;
}

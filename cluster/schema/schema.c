/* SPDX-License-Identifier: MIT */
/* Finding kinds, types and fields. */
#include "cluster/schema/schema_internal.h"

#include <string.h>

struct schema *schema_new(void)
{
	struct schema *schema = kt_alloc(sizeof(*schema));
	for (size_t i = 0; i < schema_builtin_kind_count(); i++)
		schema_kinds_add(schema, schema_builtin_kind(i));
	schema->next_index = (unsigned)schema->count;
	schema->defaults = schema_defaults_new();
	schema->found = kt_alloc(SCHEMA_FOUND * sizeof(const struct schema_kind *));
	return schema;
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	schema_openapi_free(schema);
	schema_crds_free(schema);
	schema_defaults_free(schema->defaults);
	kt_free(schema->kinds);
	kt_free(schema->found);
	kt_free(schema);
}

void schema_kinds_add(struct schema *schema, const struct schema_kind *kind)
{
	schema->kinds = kt_grow(schema->kinds, &schema->cap, schema->count + 1, sizeof(*schema->kinds));
	schema->kinds[schema->count++] = kind;
	schema->generation++;
}

void schema_kinds_remove(struct schema *schema, const struct schema_kind *kind)
{
	for (size_t i = 0; i < schema->count; i++) {
		if (schema->kinds[i] != kind)
			continue;
		memmove(&schema->kinds[i], &schema->kinds[i + 1],
		        (schema->count - i - 1) * sizeof(*schema->kinds));
		schema->count--;
		schema->generation++;
		return;
	}
}

size_t schema_kind_count(const struct schema *schema)
{
	return schema->count;
}

const struct schema_kind *schema_kind_at(const struct schema *schema, size_t i)
{
	return i < schema->count ? schema->kinds[i] : NULL;
}

uint64_t schema_generation(const struct schema *schema)
{
	return schema->generation;
}

/* Later versions of a group are preferred to earlier ones: in the tables v1 stands before v2. */
static bool same_group(const struct schema_kind *kind, const char *group, const char *version)
{
	return !strcmp(kind->group, group ? group : "") && (!version || !strcmp(kind->version, version));
}

const struct schema_kind *schema_by_resource(const struct schema *schema, const char *group,
                                             const char *version, const char *resource)
{
	for (size_t i = schema->count; resource && i-- > 0;)
		if (!strcmp(schema->kinds[i]->resource, resource) &&
		    same_group(schema->kinds[i], group, version))
			return schema->kinds[i];
	return NULL;
}

const struct schema_kind *schema_by_kind(const struct schema *schema, const char *group, const char *version,
                                         const char *kind)
{
	for (size_t i = schema->count; kind && i-- > 0;)
		if (!strcmp(schema->kinds[i]->kind, kind) && same_group(schema->kinds[i], group, version))
			return schema->kinds[i];
	return NULL;
}

const struct schema_kind *schema_by_api_version(const struct schema *schema, const char *api_version,
                                                const char *kind)
{
	for (size_t i = 0; api_version && kind && i < schema->count; i++)
		if (!strcmp(schema->kinds[i]->kind, kind) &&
		    !strcmp(schema->kinds[i]->api_version, api_version))
			return schema->kinds[i];
	return NULL;
}

const struct schema_kind *schema_stored(const struct schema *schema, const char *group, const char *kind)
{
	const struct schema_kind **slot = &schema->found[kt_hash32(kind, strlen(kind)) % SCHEMA_FOUND];
	const struct schema_kind *found = *slot;

	if (found && !strcmp(found->kind, kind) && !strcmp(found->group, group))
		return found->storage;
	found = schema_by_kind(schema, group, NULL, kind);
	if (!found)
		kt_bug("no kind %s in group '%s'", kind, group);
	if (!found->crd)
		*slot = found;
	return found->storage;
}

const struct schema_type *schema_type_named(const struct schema *schema, const char *name)
{
	const struct schema_type *type = schema_builtin_type_named(name);
	for (size_t i = 0; !type && i < schema->count; i++)
		if (schema->kinds[i]->type && !strcmp(schema->kinds[i]->type->name, name))
			type = schema->kinds[i]->type;
	return type;
}

const struct schema_type *schema_type_for(const struct schema *schema, const char *api_version,
                                          const char *kind)
{
	const struct schema_kind *known = schema_by_api_version(schema, api_version, kind);
	if (known)
		return known->type;
	if (!api_version || !kind)
		return NULL;
	/* "rbac.authorization.k8s.io/v1" + Role is the type rbac.v1.Role */
	const char *slash = strchr(api_version, '/');
	size_t group = slash ? strcspn(api_version, "./") : 0;
	char *name = slash ? kt_strf("%.*s.%s.%s", (int)group, api_version, slash + 1, kind)
	                   : kt_strf("core.%s.%s", api_version, kind);
	const struct schema_type *type = schema_builtin_type_named(name);
	kt_free(name);
	/* Options may be posted as of any group. */
	if (!type) {
		name = kt_strf("meta.v1.%s", kind);
		type = schema_builtin_type_named(name);
		kt_free(name);
	}
	return type && type->scalar == SCHEMA_MESSAGE ? type : NULL;
}

ptrdiff_t schema_field_index(const struct schema_type *type, const char *name)
{
	if (!type->sorted) {
		for (size_t i = 0; i < type->field_count; i++)
			if (!strcmp(type->fields[i].name, name))
				return (ptrdiff_t)i;
		return -1;
	}
	for (size_t low = 0, high = type->field_count; low < high;) {
		size_t middle = (low + high) / 2;
		int order = strcmp(type->fields[type->sorted[middle]].name, name);
		if (!order)
			return type->sorted[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

const char *schema_field_default(const struct schema_field *field)
{
	if (field->deflt && *field->deflt)
		return field->deflt;
	return field->keep && field->shape == SCHEMA_ONE && field->type &&
	                       field->type->scalar == SCHEMA_STRING
	               ? "\"\""
	               : NULL;
}

const struct schema_field *schema_field_named(const struct schema_type *type, const char *name)
{
	ptrdiff_t i = type && name ? schema_field_index(type, name) : -1;
	return i < 0 ? NULL : &type->fields[i];
}

const struct schema_subresource *schema_subresource_named(const struct schema_kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->subresource_count; i++)
		if (!strcmp(kind->subresources[i].name, name))
			return &kind->subresources[i];
	return NULL;
}

const char *schema_short_name(const struct schema_type *type)
{
	const char *dot = strrchr(type->name, '.');
	return dot ? dot + 1 : type->name;
}

static int by_field(const char *a, const char *b, void *arg)
{
	const struct schema_type *type = arg;
	ptrdiff_t i = schema_field_index(type, a), j = schema_field_index(type, b);
	/* what is not a field comes last */
	size_t x = i < 0 ? type->field_count : (size_t)i, y = j < 0 ? type->field_count : (size_t)j;
	return x < y ? -1 : x > y;
}

void schema_reorder(const struct schema_type *type, struct kt_json **slot)
{
	union {
		const struct schema_type *in;
		void *out;
	} arg = {.in = type};
	kt_sort_keys(slot, by_field, arg.out);
}

/* SPDX-License-Identifier: MIT */
/* Kinds from CustomResourceDefinitions: a kind a served version, its types made of the structural schema (for
 * server-side apply, OpenAPI and columns; objects themselves are walked by structural.c). */
#include "cluster/schema/schema_internal.h"

#include <string.h>

enum { MAX_DEPTH = 64 };

struct schema_crd {
	struct schema_crd *next;
	char *name;
	struct kt_json *crd;
	struct kt_arena arena; /* kinds, types, words */
	struct schema_kind **kinds;
	size_t kind_count;
};

const struct kt_json *schema_structural(const struct schema_kind *kind)
{
	const struct kt_json *version;
	KT_JSON_EACH (version, kt_path(kind->crd, "spec.versions"))
		if (kt_streq(kt_get_str(version, "name"), kind->version))
			return kt_path(version, "schema.openAPIV3Schema");
	return NULL;
}

static const char *const *words(struct kt_arena *arena, const struct kt_json *list)
{
	size_t n = 0;
	const char **out = kt_arena_alloc(arena, (kt_count(list) + 1) * sizeof(*out));
	for (size_t i = 0; i < kt_count(list); i++)
		if (kt_str(kt_at(list, i)))
			out[n++] = kt_str(kt_at(list, i));
	return out;
}

/* --- types --- */
static const struct {
	const char *type, *format;
	enum schema_scalar scalar;
} scalars[] = {
        {"string", "date-time", SCHEMA_TIME}, {"string", NULL, SCHEMA_STRING},
        {"boolean", NULL, SCHEMA_BOOL},       {"integer", "int32", SCHEMA_INT32},
        {"integer", NULL, SCHEMA_INT64},      {"number", NULL, SCHEMA_DOUBLE},
};

static const struct schema_type *scalar_type(struct kt_arena *arena, enum schema_scalar scalar)
{
	static const char *const names[] = {[SCHEMA_TIME] = "meta.v1.Time",
	                                    [SCHEMA_STRING] = "string",
	                                    [SCHEMA_BOOL] = "bool",
	                                    [SCHEMA_INT32] = "int32",
	                                    [SCHEMA_INT64] = "int64",
	                                    [SCHEMA_DOUBLE] = "double",
	                                    [SCHEMA_ANY] = "any"};
	if (scalar == SCHEMA_INT_OR_STRING) {
		/* Not that of the built-in kinds: it is published in other words. */
		struct schema_type *type = kt_arena_alloc(arena, sizeof(*type));
		type->name = "int-or-string";
		type->scalar = scalar;
		return type;
	}
	return schema_builtin_type_named(names[scalar]);
}

static const struct schema_type *type_of(struct kt_arena *arena, const struct kt_json *schema,
                                         const char *name, unsigned depth);

/* Fills shape and type of `field` from the schema of its value. */
static void shape_of(struct kt_arena *arena, const struct kt_json *schema, const char *name,
                     struct schema_field *field, unsigned depth)
{
	const struct kt_json *items = kt_get(schema, "items");
	const struct kt_json *additional = kt_get(schema, "additionalProperties");
	const char *list_type = kt_get_str(schema, "x-kubernetes-list-type");
	field->list_type = SCHEMA_GRANULAR;
	if (kt_streq(kt_get_str(schema, "type"), "array") && kt_is_object(items)) {
		field->shape = SCHEMA_LIST;
		field->type = type_of(arena, items, name, depth + 1);
		field->list_type = kt_streq(list_type, "set")   ? SCHEMA_SET
		                   : kt_streq(list_type, "map") ? SCHEMA_KEYED
		                                                : SCHEMA_ATOMIC;
		field->list_keys = words(arena, kt_get(schema, "x-kubernetes-list-map-keys"));
	} else if (kt_is_object(additional)) {
		field->shape = SCHEMA_MAP;
		field->type = type_of(arena, additional, name, depth + 1);
	} else {
		field->type = type_of(arena, schema, name, depth + 1);
	}
	if (field->shape != SCHEMA_LIST && kt_streq(kt_get_str(schema, "x-kubernetes-map-type"), "atomic"))
		field->list_type = SCHEMA_ATOMIC;
	if (field->shape == SCHEMA_ONE && field->type->scalar != SCHEMA_MESSAGE)
		field->list_type = SCHEMA_ATOMIC;
}

static const struct schema_type *message_type(struct kt_arena *arena, const struct kt_json *schema,
                                              const char *name, bool root, unsigned depth)
{
	static const struct {
		const char *name, *type;
	} head[] = {{"apiVersion", "string"}, {"kind", "string"}, {"metadata", "meta.v1.ObjectMeta"}};
	const struct kt_json *properties = kt_get(schema, "properties");
	struct schema_type *type = kt_arena_alloc(arena, sizeof(*type));
	struct schema_field *fields =
	        kt_arena_alloc(arena, (kt_count(properties) + KT_COUNT(head)) * sizeof(*fields));
	size_t n = 0;
	for (size_t i = 0; root && i < KT_COUNT(head); i++) {
		const struct schema_type *t = schema_builtin_type_named(head[i].type);
		fields[n++] = (struct schema_field){.name = head[i].name,
		                                    .type = t,
		                                    .proto = "",
		                                    .list_type = t->scalar ? SCHEMA_ATOMIC : SCHEMA_GRANULAR};
	}
	for (size_t i = 0; i < kt_count(properties); i++) {
		const struct kt_json *inner = kt_at(properties, i);
		const char *key = kt_key(properties, i);
		bool known = false;
		for (size_t j = 0; root && j < KT_COUNT(head); j++)
			known = known || !strcmp(key, head[j].name);
		if (known)
			continue;
		struct schema_field *field = &fields[n++];
		*field = (struct schema_field){.name = key, .proto = "", .pointer = true};
		field->required = kt_has_word(kt_get(schema, "required"), key);
		field->text = kt_get_str(inner, "description");
		if (kt_get(inner, "enum"))
			field->values = words(arena, kt_get(inner, "enum"));
		shape_of(arena, inner, kt_arena_strf(arena, "%s.%s", name, key), field, depth);
	}
	type->name = name;
	type->fields = fields;
	type->field_count = n;
	type->text = kt_get_str(schema, "description");
	type->atomic = kt_streq(kt_get_str(schema, "x-kubernetes-map-type"), "atomic");
	type->open = structural_keeps_unknown(schema);
	return type;
}

static const struct schema_type *type_of(struct kt_arena *arena, const struct kt_json *schema,
                                         const char *name, unsigned depth)
{
	const char *type = kt_get_str(schema, "type"), *format = kt_get_str(schema, "format");
	if (kt_get_bool(schema, "x-kubernetes-int-or-string", false))
		return scalar_type(arena, SCHEMA_INT_OR_STRING);
	if (kt_get(schema, "properties") && depth < MAX_DEPTH)
		return message_type(arena, schema, name, false, depth);
	for (size_t i = 0; type && i < KT_COUNT(scalars); i++)
		if (!strcmp(type, scalars[i].type) &&
		    (!scalars[i].format || kt_streq(format, scalars[i].format)))
			return scalar_type(arena, scalars[i].scalar);
	return scalar_type(arena, SCHEMA_ANY);
}

/* --- kinds --- */
static const struct schema_column *columns_of(struct kt_arena *arena, const struct kt_json *version,
                                              size_t *out_count)
{
	const struct kt_json *list = kt_get(version, "additionalPrinterColumns");
	size_t n = kt_count(list), count = 0;
	struct schema_column *columns = kt_arena_alloc(arena, (n + 2) * sizeof(*columns));
	columns[count++] = (struct schema_column){.name = "Name", .type = "string", .format = "name"};
	for (size_t i = 0; i < n; i++) {
		const struct kt_json *c = kt_at(list, i);
		columns[count++] = (struct schema_column){.name = kt_str_or(kt_get(c, "name"), ""),
		                                          .type = kt_str_or(kt_get(c, "type"), "string"),
		                                          .format = kt_str_or(kt_get(c, "format"), ""),
		                                          .priority = (int)kt_get_int(c, "priority", 0),
		                                          .text = kt_get_str(c, "description"),
		                                          .path = kt_str_or(kt_get(c, "jsonPath"), "")};
	}
	if (!n)
		columns[count++] = (struct schema_column){
		        .name = "Age", .type = "date", .format = "", .path = ".metadata.creationTimestamp"};
	*out_count = count;
	return columns;
}

static void subresources_of(struct kt_arena *arena, struct schema_kind *kind, const struct kt_json *version)
{
	const unsigned verbs = SCHEMA_GET | SCHEMA_PATCH | SCHEMA_UPDATE;
	const struct kt_json *wanted = kt_get(version, "subresources");
	struct schema_subresource *list = kt_arena_alloc(arena, 2 * sizeof(*list));
	size_t n = 0;
	if (kt_get(wanted, "scale"))
		list[n++] = (struct schema_subresource){"scale", "autoscaling", "v1", "Scale", verbs};
	if (kt_get(wanted, "status"))
		list[n++] =
		        (struct schema_subresource){"status", kind->group, kind->version, kind->kind, verbs};
	kind->subresources = list;
	kind->subresource_count = n;
}

static char *lowered(struct kt_arena *arena, const char *s)
{
	char *out = kt_arena_strdup(arena, s);
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return out;
}

/* "example.com", "v1", "Dragon" -> "com.example.v1.Dragon" */
static char *type_name(struct kt_arena *arena, const char *group, const char *version, const char *kind)
{
	struct kt_buf name = {0};
	for (size_t end = strlen(group); end;) {
		size_t start = end;
		while (start && group[start - 1] != '.')
			start--;
		kt_buf_add(&name, group + start, end - start);
		kt_buf_addc(&name, '.');
		end = start ? start - 1 : 0;
	}
	kt_buf_addf(&name, "%s.%s", version, kind);
	char *out = kt_arena_strdup(arena, kt_buf_str(&name));
	kt_buf_clear(&name);
	return out;
}

static struct schema_kind *kind_of(struct schema *schema, struct schema_crd *crd,
                                   const struct kt_json *version)
{
	struct kt_arena *arena = &crd->arena;
	const struct kt_json *spec = kt_get(crd->crd, "spec"), *names = kt_get(spec, "names");
	struct schema_kind *kind = kt_arena_alloc(arena, sizeof(*kind));
	kind->group = kt_get_str(spec, "group");
	kind->version = kt_get_str(version, "name");
	kind->kind = kt_get_str(names, "kind");
	kind->resource = kt_get_str(names, "plural");
	const char *list = kt_get_str(names, "listKind"), *singular = kt_get_str(names, "singular");
	kind->list_kind = list && *list ? list : kt_arena_strf(arena, "%sList", kind->kind);
	kind->singular = singular && *singular ? singular : lowered(arena, kind->kind);
	kind->api_version = kt_arena_strf(arena, "%s/%s", kind->group, kind->version);
	kind->namespaced = kt_streq(kt_get_str(spec, "scope"), "Namespaced");
	kind->verbs = SCHEMA_CREATE | SCHEMA_DELETE | SCHEMA_DELETECOLLECTION | SCHEMA_GET |
	              SCHEMA_LIST_VERB | SCHEMA_PATCH | SCHEMA_UPDATE | SCHEMA_WATCH;
	kind->short_names = words(arena, kt_get(names, "shortNames"));
	kind->categories = words(arena, kt_get(names, "categories"));
	kind->columns = columns_of(arena, version, &kind->column_count);
	subresources_of(arena, kind, version);
	kind->crd = crd->crd;
	kind->type = message_type(arena, kt_path(version, "schema.openAPIV3Schema"),
	                          type_name(arena, kind->group, kind->version, kind->kind), true, 0);
	kind->index = schema->next_index++;
	return kind;
}

static void crd_free(struct schema_crd *crd)
{
	kt_free(crd->kinds);
	kt_free(crd->name);
	kt_arena_clear(&crd->arena);
	kt_json_free(crd->crd);
	kt_free(crd);
}

static bool complete(const struct kt_json *crd)
{
	static const char *const needed[] = {"metadata.name", "spec.group", "spec.names.plural",
	                                     "spec.names.kind"};
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (!kt_path_str(crd, needed[i]) || !*kt_path_str(crd, needed[i]))
			return false;
	return kt_count(kt_path(crd, "spec.versions")) > 0;
}

/* A changed definition: stored objects know their kind by its address and index, so both stay. */
static void keep_addresses(struct schema *schema, struct schema_crd *crd, struct schema_kind **storage)
{
	struct schema_crd *old = schema->crds;

	while (old && strcmp(old->name, crd->name) != 0)
		old = old->next;
	for (size_t i = 0; old && i < crd->kind_count; i++) {
		for (size_t k = 0; k < old->kind_count; k++) {
			struct schema_kind *was = old->kinds[k], *now = crd->kinds[i];
			if (strcmp(was->version, now->version) != 0)
				continue;
			unsigned index = was->index;
			schema_kinds_remove(schema, was);
			*was = *now;
			was->index = index;
			if (*storage == now)
				*storage = was;
			crd->kinds[i] = was;
		}
	}
}

enum kt_code schema_add_crd(struct schema *schema, const struct kt_json *json, struct kt_err *err)
{
	if (!complete(json))
		return kt_fail(err, KT_EINVAL, "not a CustomResourceDefinition with names and versions");
	const struct kt_json *versions = kt_path(json, "spec.versions"), *version;
	struct schema_crd *crd = kt_alloc(sizeof(*crd));
	struct schema_kind *storage = NULL;
	crd->crd = kt_json_ref(json);
	crd->name = kt_strdup(kt_path_str(json, "metadata.name"));
	crd->kinds = kt_alloc(kt_count(versions) * sizeof(struct schema_kind *));
	KT_JSON_EACH (version, versions) {
		bool stored = kt_get_bool(version, "storage", false),
		     served = kt_get_bool(version, "served", false);
		if (!kt_get_str(version, "name") || (!stored && !served))
			continue;
		struct schema_kind *kind = kind_of(schema, crd, version);
		if (stored)
			storage = kind;
		if (served)
			crd->kinds[crd->kind_count++] = kind;
	}
	if (!storage) {
		crd_free(crd);
		return kt_fail(err, KT_EINVAL, "no version is the storage version");
	}
	keep_addresses(schema, crd, &storage);
	schema_remove_crd(schema, crd->name);
	for (size_t i = 0; i < crd->kind_count; i++) {
		crd->kinds[i]->storage = storage;
		schema_kinds_add(schema, crd->kinds[i]);
	}
	storage->storage = storage;
	crd->next = schema->crds;
	schema->crds = crd;
	return KT_OK;
}

void schema_remove_crd(struct schema *schema, const char *crd_name)
{
	for (struct schema_crd **at = &schema->crds; *at; at = &(*at)->next) {
		struct schema_crd *crd = *at;
		if (strcmp(crd->name, crd_name) != 0)
			continue;
		for (size_t i = 0; i < crd->kind_count; i++)
			schema_kinds_remove(schema, crd->kinds[i]);
		*at = crd->next;
		crd->next = schema->retired;
		schema->retired = crd;
		return;
	}
}

static void free_list(struct schema_crd *list)
{
	while (list) {
		struct schema_crd *crd = list;
		list = crd->next;
		crd_free(crd);
	}
}

void schema_crds_free(struct schema *schema)
{
	free_list(schema->crds);
	free_list(schema->retired);
}

/* SPDX-License-Identifier: MIT */
/* GET /openapi/v3: the index of documents, and one document a group and version. A document is made when it
 * is asked for and kept until a CustomResourceDefinition changes; the index keeps hashes only. */
#include "cluster/schema/openapi_internal.h"

#include <string.h>

struct openapi_document {
	char *path;
	char hash[65];
	struct kt_buf text; /* empty until asked for */
};
struct schema_openapi_cache {
	uint64_t generation;
	struct openapi_document *documents;
	size_t count, cap;
	struct kt_buf index;
};

static void cache_clear(struct schema_openapi_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++) {
		kt_free(cache->documents[i].path);
		kt_buf_clear(&cache->documents[i].text);
	}
	kt_free(cache->documents);
	kt_buf_clear(&cache->index);
	*cache = (struct schema_openapi_cache){0};
}

void schema_openapi_free(struct schema *schema)
{
	if (!schema->openapi)
		return;
	cache_clear(schema->openapi);
	kt_free(schema->openapi);
	schema->openapi = NULL;
}

/* Query parameters of a PATCH; kubectl looks for fieldValidation (query_param_verifier_v3.go). */
static const struct {
	const char *name, *type, *text;
} parameters[] = {
        {"dryRun", "string", "All: go through every step but keep nothing."},
        {"fieldManager", "string", "Who is named as the owner of the fields that change."},
        {"fieldValidation", "string",
         "Ignore, Warn or Strict: what to do about unknown and duplicate fields."},
        {"force", "boolean", "Take over fields that others own; for apply only."},
        {"pretty", "string", "Print the answer for reading."},
};

static const char *const patch_types[] = {"application/apply-patch+yaml", "application/json-patch+json",
                                          "application/merge-patch+json",
                                          "application/strategic-merge-patch+json"};

static void add_kind(const struct schema_kind *kind, const char *action, struct kt_buf *out)
{
	kt_buf_addf(out,
	            "\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":{\"group\":\"%s\","
	            "\"version\":\"%s\",\"kind\":\"%s\"}",
	            action, kind->group, kind->version, kind->kind);
}

static void add_response(const struct schema_type *type, struct kt_buf *out)
{
	kt_buf_adds(out, ",\"responses\":{\"200\":{\"description\":\"OK\",\"content\":{\"application/"
	                 "json\":{\"schema\":{"
	                 "\"$ref\":\"#/components/schemas/");
	openapi_name(type, out);
	kt_buf_adds(out, "\"}}}}}");
}

static void add_patch(const struct schema_kind *kind, struct kt_buf *out)
{
	kt_buf_adds(out, "\"patch\":{");
	add_kind(kind, "patch", out);
	kt_buf_adds(out, ",\"parameters\":[");
	for (size_t i = 0; i < KT_COUNT(parameters); i++)
		kt_buf_addf(out,
		            "%s{\"name\":\"%s\",\"in\":\"query\",\"description\":\"%s\",\"schema\":{\"type\":"
		            "\"%s\","
		            "\"uniqueItems\":true}}",
		            i ? "," : "", parameters[i].name, parameters[i].text, parameters[i].type);
	kt_buf_adds(out, "],\"requestBody\":{\"content\":{");
	for (size_t i = 0; i < KT_COUNT(patch_types); i++) {
		if (kind->crd && kt_starts(patch_types[i], "application/strategic"))
			continue;
		kt_buf_addf(out,
		            "%s\"%s\":{\"schema\":{\"$ref\":\"#/components/schemas/"
		            "io.k8s.apimachinery.pkg.apis.meta.v1.Patch\"}}",
		            i ? "," : "", patch_types[i]);
	}
	kt_buf_adds(out, "}}");
	add_response(kind->type, out);
	kt_buf_addc(out, '}');
}

/* Operations of a collection or of one object. */
static const struct {
	const char *method, *action;
	unsigned verb;
	bool item;
} operations[] = {
        {"get", "list", SCHEMA_LIST_VERB, false},
        {"post", "post", SCHEMA_CREATE, false},
        {"delete", "deletecollection", SCHEMA_DELETECOLLECTION, false},
        {"get", "get", SCHEMA_GET, true},
        {"put", "put", SCHEMA_UPDATE, true},
        {"delete", "delete", SCHEMA_DELETE, true},
        {"patch", "patch", SCHEMA_PATCH, true},
};

static void add_path(const struct schema_kind *kind, const char *base, bool in_namespace, bool item,
                     struct kt_buf *out)
{
	bool first = true;
	kt_buf_addf(out, "%s\"/%s/%s%s%s\":{", out->data[out->len - 1] == '{' ? "" : ",", base,
	            in_namespace ? "namespaces/{namespace}/" : "", kind->resource, item ? "/{name}" : "");
	for (size_t i = 0; i < KT_COUNT(operations); i++) {
		if (operations[i].item != item || !(kind->verbs & operations[i].verb))
			continue;
		/* Across namespaces one can list only. */
		if (kind->namespaced && !in_namespace && operations[i].verb != SCHEMA_LIST_VERB)
			continue;
		kt_buf_adds(out, first ? "" : ",");
		first = false;
		if (operations[i].verb == SCHEMA_PATCH) {
			add_patch(kind, out);
			continue;
		}
		kt_buf_addf(out, "\"%s\":{", operations[i].method);
		add_kind(kind, operations[i].action, out);
		add_response(kind->type, out);
		kt_buf_addc(out, '}');
	}
	kt_buf_addc(out, '}');
}

static void add_paths(const struct schema_kind *kind, const char *base, struct kt_buf *out)
{
	bool items = kind->verbs & (SCHEMA_GET | SCHEMA_UPDATE | SCHEMA_DELETE | SCHEMA_PATCH);
	add_path(kind, base, false, false, out);
	if (kind->namespaced)
		add_path(kind, base, true, false, out);
	if (items)
		add_path(kind, base, kind->namespaced, true, out);
}

static const struct schema_type *list_type(const struct schema_kind *kind)
{
	char *name = kt_strf("%sList", kind->type->name);
	const struct schema_type *type = kind->type->id ? schema_builtin_type_named(name) : NULL;
	kt_free(name);
	return type;
}

/* The kind, or the list of it, whose type this is. */
static const struct schema_kind *kind_of(const struct schema *schema, const char *api_version,
                                         const struct schema_type *type, const char **name)
{
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_kind *kind = schema->kinds[i];
		if (strcmp(kind->api_version, api_version) != 0)
			continue;
		*name = kind->type == type ? kind->kind : kind->list_kind;
		if (kind->type == type || (kt_ends(type->name, "List") && list_type(kind) == type))
			return kind;
	}
	return NULL;
}

/* Subresources have bodies of their own types (Scale, Eviction, TokenRequest). */
static void need_bodies(const struct schema *schema, const struct schema_kind *kind,
                        struct openapi_types *types)
{
	for (size_t i = 0; i < kind->subresource_count; i++) {
		const struct schema_subresource *sub = &kind->subresources[i];
		char *api_version = kt_strf("%s%s%s", sub->group, *sub->group ? "/" : "", sub->version);
		const struct schema_type *type = schema_type_for(schema, api_version, sub->kind);
		if (type && type->id)
			openapi_need(types, type);
		kt_free(api_version);
	}
}

static void make_document(const struct schema *schema, const char *path, const char *api_version,
                          struct kt_buf *out)
{
	struct openapi_types types = {0};
	kt_buf_adds(out, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"Kubernetes\",\"version\":\"v1.34.4\"},"
	                 "\"paths\":{");
	openapi_need(&types, schema_builtin_type_named("meta.v1.Patch"));
	for (size_t i = 0; i < schema->count; i++) {
		const struct schema_kind *kind = schema->kinds[i];
		if (strcmp(kind->api_version, api_version) != 0)
			continue;
		add_paths(kind, path, out);
		openapi_need(&types, kind->type);
		need_bodies(schema, kind, &types);
		if (list_type(kind))
			openapi_need(&types, list_type(kind));
	}
	kt_buf_adds(out, "},\"components\":{\"schemas\":{");
	size_t n = 0;
	for (size_t i = 0; i < types.count; i++) {
		const char *name = NULL;
		const struct schema_kind *kind = kind_of(schema, api_version, types.items[i], &name);
		kt_buf_adds(out, n++ ? "," : "");
		openapi_component(types.items[i], kind, name, out);
	}
	/* Custom kinds have no number. */
	for (size_t i = 0; i < schema->count; i++) {
		if (!schema->kinds[i]->crd || strcmp(schema->kinds[i]->api_version, api_version) != 0)
			continue;
		kt_buf_adds(out, n++ ? "," : "");
		openapi_component(schema->kinds[i]->type, schema->kinds[i], schema->kinds[i]->kind, out);
	}
	kt_buf_adds(out, "}}}\n");
	openapi_types_clear(&types);
}

static void hash_of(const struct kt_buf *text, char hash[65])
{
	unsigned char sum[32];
	kt_sha256(text->data, text->len, sum);
	struct kt_buf hex = {0};
	kt_hex(sum, sizeof(sum), &hex);
	for (size_t i = 0; i < 64; i++)
		hash[i] = (char)(hex.data[i] >= 'a' ? hex.data[i] - 'a' + 'A' : hex.data[i]);
	hash[64] = 0;
	kt_buf_clear(&hex);
}

static const char *api_version_of(const char *path)
{
	return kt_starts(path, "apis/") ? path + 5 : kt_starts(path, "api/") ? path + 4 : "";
}

static void list_documents(struct schema *schema, struct schema_openapi_cache *cache)
{
	const struct schema_kind **kinds = schema_kinds_in_order(schema);
	for (size_t i = 0; i < schema->count; i++) {
		if (i && !strcmp(kinds[i]->api_version, kinds[i - 1]->api_version))
			continue;
		cache->documents =
		        kt_grow(cache->documents, &cache->cap, cache->count + 1, sizeof(*cache->documents));
		struct openapi_document *document = &cache->documents[cache->count++];
		*document = (struct openapi_document){0};
		document->path = kt_strf("%s/%s", *kinds[i]->group ? "apis" : "api", kinds[i]->api_version);
	}
	kt_free(kinds);
}

static struct schema_openapi_cache *cache_of(struct schema *schema)
{
	if (!schema->openapi)
		schema->openapi = kt_alloc(sizeof(*schema->openapi));
	struct schema_openapi_cache *cache = schema->openapi;
	if (cache->count && cache->generation == schema->generation)
		return cache;
	cache_clear(cache);
	cache->generation = schema->generation;
	list_documents(schema, cache);
	return cache;
}

const struct kt_buf *schema_openapi_index(struct schema *schema)
{
	struct schema_openapi_cache *cache = cache_of(schema);
	if (cache->index.len)
		return &cache->index;
	kt_buf_adds(&cache->index, "{\"paths\":{");
	for (size_t i = 0; i < cache->count; i++) {
		struct openapi_document *document = &cache->documents[i];
		if (!*document->hash) {
			struct kt_buf text = {0};
			make_document(schema, document->path, api_version_of(document->path), &text);
			hash_of(&text, document->hash);
			kt_buf_clear(&text);
		}
		kt_buf_addf(&cache->index, "%s\"%s\":{\"serverRelativeURL\":\"/openapi/v3/%s?hash=%s\"}",
		            i ? "," : "", document->path, document->path, document->hash);
	}
	kt_buf_adds(&cache->index, "}}\n");
	return &cache->index;
}

const struct kt_buf *schema_openapi(struct schema *schema, const char *path, char out_hash[65])
{
	struct schema_openapi_cache *cache = cache_of(schema);
	for (size_t i = 0; i < cache->count; i++) {
		struct openapi_document *document = &cache->documents[i];
		if (strcmp(document->path, path) != 0)
			continue;
		if (!document->text.len)
			make_document(schema, path, api_version_of(path), &document->text);
		if (!*document->hash)
			hash_of(&document->text, document->hash);
		memcpy(out_hash, document->hash, sizeof(document->hash));
		return &document->text;
	}
	return NULL;
}

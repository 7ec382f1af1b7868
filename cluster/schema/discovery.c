/* SPDX-License-Identifier: MIT */
/* GET /api, /apis and what is below, as kube-apiserver's discovery (k8s.io/apiserver
 * pkg/endpoints/discovery). */
#include "cluster/schema/schema_internal.h"

#include <stdlib.h>
#include <string.h>

/* Groups in the order of their priority (pkg/controlplane/apiserver: group priorities); custom groups follow
 * by name, and last what an add-on serves. */
static const char *const group_order[] = {"",
                                          "apiregistration.k8s.io",
                                          "apps",
                                          "events.k8s.io",
                                          "authentication.k8s.io",
                                          "authorization.k8s.io",
                                          "autoscaling",
                                          "batch",
                                          "certificates.k8s.io",
                                          "networking.k8s.io",
                                          "policy",
                                          "rbac.authorization.k8s.io",
                                          "storage.k8s.io",
                                          "admissionregistration.k8s.io",
                                          "apiextensions.k8s.io",
                                          "scheduling.k8s.io",
                                          "coordination.k8s.io",
                                          "node.k8s.io",
                                          "discovery.k8s.io",
                                          "resource.k8s.io",
                                          "flowcontrol.apiserver.k8s.io"};

static size_t group_rank(const char *group)
{
	for (size_t i = 0; i < KT_COUNT(group_order); i++)
		if (!strcmp(group, group_order[i]))
			return i;
	return KT_COUNT(group_order) + !strcmp(group, "metrics.k8s.io");
}

/* Stable versions before beta before alpha, larger numbers first (k8s.io/apimachinery pkg/version). */
static int version_rank(const char *version, long parts[2])
{
	char *rest = NULL;
	parts[0] = parts[1] = 0;
	if (*version != 'v')
		return 0;
	parts[0] = strtol(version + 1, &rest, 10);
	if (rest == version + 1)
		return 0;
	if (!*rest)
		return 3;
	bool beta = kt_starts(rest, "beta"), alpha = kt_starts(rest, "alpha");
	if (!beta && !alpha)
		return 0;
	parts[1] = strtol(rest + (beta ? 4 : 5), NULL, 10);
	return beta ? 2 : 1;
}

int schema_compare_versions(const char *a, const char *b)
{
	long x[2], y[2];
	int i = version_rank(a, x), j = version_rank(b, y);
	if (i != j)
		return i > j ? -1 : 1;
	for (size_t k = 0; k < 2; k++)
		if (x[k] != y[k])
			return x[k] > y[k] ? -1 : 1;
	return strcmp(a, b);
}

static int by_place(const void *a, const void *b)
{
	const struct schema_kind *x = *(const struct schema_kind *const *)a,
	                         *y = *(const struct schema_kind *const *)b;
	size_t i = group_rank(x->group), j = group_rank(y->group);
	if (i != j)
		return i < j ? -1 : 1;
	int order = strcmp(x->group, y->group);
	if (!order)
		order = schema_compare_versions(x->version, y->version);
	return order ? order : strcmp(x->resource, y->resource);
}

const struct schema_kind **schema_kinds_in_order(const struct schema *schema)
{
	const struct schema_kind **kinds = kt_alloc((schema->count + 1) * sizeof(*kinds));
	memcpy(kinds, schema->kinds, schema->count * sizeof(*kinds));
	qsort(kinds, schema->count, sizeof(*kinds), by_place);
	return kinds;
}

static const char *const verb_names[] = {"create", "delete", "deletecollection", "get",
                                         "list",   "patch",  "update",           "watch"};

static struct kt_json *verbs(unsigned mask)
{
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < KT_COUNT(verb_names); i++)
		if (mask & 1u << i)
			kt_push(&list, kt_json_str(verb_names[i]));
	return list;
}

/* Those of custom kinds come in an order of their own (apiextensions customresource_discovery_controller.go).
 */
static struct kt_json *verbs_of(const struct schema_kind *kind)
{
	static const char *const custom[] = {"delete", "deletecollection", "get",    "list",
	                                     "patch",  "create",           "update", "watch"};
	struct kt_json *list = NULL;
	if (!kind->crd)
		return verbs(kind->verbs);
	for (size_t i = 0; i < KT_COUNT(custom); i++)
		kt_push(&list, kt_json_str(custom[i]));
	return list;
}

/* NULL when empty: left out. */
static struct kt_json *words(const char *const *list)
{
	struct kt_json *out = NULL;
	for (; list && *list; list++)
		kt_push(&out, kt_json_str(*list));
	return out;
}

/* Group and version are told only where they differ from the place. */
static struct kt_json *response_kind(const struct schema_kind *kind, const struct schema_subresource *sub)
{
	bool same = !sub || (!strcmp(sub->group, kind->group) && !strcmp(sub->version, kind->version));
	return kt_jsonf("{group: %s, version: %s, kind: %s}", same ? "" : sub->group,
	                same ? "" : sub->version, sub ? sub->kind : kind->kind);
}

static struct kt_json *aggregated_resource(const struct schema_kind *kind)
{
	struct kt_json *subresources = NULL;
	for (size_t i = 0; i < kind->subresource_count; i++) {
		const struct schema_subresource *sub = &kind->subresources[i];
		kt_push(&subresources, kt_jsonf("{subresource: %s, responseKind: %j, verbs: %j}", sub->name,
		                                response_kind(kind, sub), verbs(sub->verbs)));
	}
	return kt_jsonf(
	        "{resource: %s, responseKind: %j, scope: %s, singularResource: %s, verbs: %j, shortNames: %j,"
	        "categories: %j, subresources: %j}",
	        kind->resource, response_kind(kind, NULL), kind->namespaced ? "Namespaced" : "Cluster",
	        kind->singular, verbs_of(kind), words(kind->short_names), words(kind->categories),
	        subresources);
}

static struct kt_json *aggregated(const struct schema_kind **kinds, size_t count, bool legacy,
                                  const char *version)
{
	struct kt_json *groups = kt_json_array();
	for (size_t i = 0; i < count;) {
		size_t g = i;
		struct kt_json *versions = kt_json_array();
		while (i < count && !strcmp(kinds[i]->group, kinds[g]->group)) {
			size_t v = i;
			struct kt_json *resources = kt_json_array();
			for (; i < count && !strcmp(kinds[i]->group, kinds[g]->group) &&
			       !strcmp(kinds[i]->version, kinds[v]->version);
			     i++)
				kt_push(&resources, aggregated_resource(kinds[i]));
			kt_push(&versions, kt_jsonf("{version: %s, resources: %j, freshness: 'Current'}",
			                            kinds[v]->version, resources));
		}
		if (legacy == !*kinds[g]->group)
			kt_push(&groups, kt_jsonf("{metadata: {name: %s}, versions: %j}",
			                          *kinds[g]->group ? kinds[g]->group : NULL, versions));
		else
			kt_json_free(versions);
	}
	struct kt_json *api_version = kt_json_strf("apidiscovery.k8s.io/%s", version);
	return kt_jsonf("{kind: 'APIGroupDiscoveryList', apiVersion: %j, metadata: {}, items: %j}",
	                api_version, groups);
}

/* One group of APIGroupList; kinds[*i] is its first, *i moves behind it. */
static struct kt_json *plain_group(const struct schema_kind **kinds, size_t count, size_t *i)
{
	const struct schema_kind *first = kinds[*i];
	struct kt_json *versions = kt_json_array();
	for (; *i < count && !strcmp(kinds[*i]->group, first->group); (*i)++)
		if (kinds[*i] == first || strcmp(kinds[*i]->version, kinds[*i - 1]->version) != 0)
			kt_push(&versions, kt_jsonf("{groupVersion: %s, version: %s}", kinds[*i]->api_version,
			                            kinds[*i]->version));
	return kt_jsonf("{name: %s, versions: %j, preferredVersion: {groupVersion: %s, version: %s}}",
	                first->group, versions, first->api_version, first->version);
}

struct kt_json *schema_discovery_root(const struct schema *schema, bool legacy, const char *version)
{
	if (legacy && !version)
		return kt_jsonf("{kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: []}");
	const struct schema_kind **kinds = schema_kinds_in_order(schema);
	struct kt_json *out = NULL;
	if (version) {
		out = aggregated(kinds, schema->count, legacy, version);
	} else {
		struct kt_json *groups = kt_json_array();
		for (size_t i = 0; i < schema->count;) {
			bool core = !*kinds[i]->group;
			struct kt_json *group = plain_group(kinds, schema->count, &i);
			if (core)
				kt_json_free(group);
			else
				kt_push(&groups, group);
		}
		out = kt_jsonf("{kind: 'APIGroupList', apiVersion: 'v1', groups: %j}", groups);
	}
	kt_free(kinds);
	return out;
}

struct kt_json *schema_discovery_group(const struct schema *schema, const char *group)
{
	const struct schema_kind **kinds = schema_kinds_in_order(schema);
	struct kt_json *out = NULL;
	for (size_t i = 0; i < schema->count && !out;) {
		bool wanted = *group && !strcmp(kinds[i]->group, group);
		struct kt_json *one = plain_group(kinds, schema->count, &i);
		if (wanted) {
			out = kt_jsonf("{kind: 'APIGroup', apiVersion: 'v1', name: %J, versions: %J, "
			               "preferredVersion: %J}",
			               kt_get(one, "name"), kt_get(one, "versions"),
			               kt_get(one, "preferredVersion"));
		}
		kt_json_free(one);
	}
	kt_free(kinds);
	return out;
}

/* First eight bytes of SHA-256 of "group/version/Kind" as stored (discovery.StorageVersionHash). */
static struct kt_json *storage_hash(const struct schema_kind *kind)
{
	unsigned char sum[32];
	struct kt_buf text = {0};
	if (kind->unstored)
		return NULL;
	char *name = kt_strf("%s/%s/%s", kind->storage->group, kind->storage->version, kind->storage->kind);
	kt_sha256(name, strlen(name), sum);
	kt_free(name);
	kt_base64(sum, 8, &text);
	struct kt_json *hash = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return hash;
}

static void add_plain(struct kt_json **list, const struct schema_kind *kind)
{
	kt_push(list,
	        kt_jsonf("{name: %s, singularName: %s, namespaced: %b, kind: %s, verbs: %j, shortNames: %j,"
	                 "categories: %j, storageVersionHash: %j}",
	                 kind->resource, kind->singular, kind->namespaced, kind->kind, verbs_of(kind),
	                 words(kind->short_names), words(kind->categories), storage_hash(kind)));
	for (size_t i = 0; i < kind->subresource_count; i++) {
		const struct schema_subresource *sub = &kind->subresources[i];
		bool other = strcmp(sub->group, kind->group) != 0 || strcmp(sub->version, kind->version) != 0;
		struct kt_json *name = kt_json_strf("%s/%s", kind->resource, sub->name);
		kt_push(list, kt_jsonf("{name: %j, singularName: '', namespaced: %b, group: %s, version: %s, "
		                       "kind: %s,"
		                       "verbs: %j}",
		                       name, kind->namespaced, other ? sub->group : NULL,
		                       other ? sub->version : NULL, sub->kind, verbs(sub->verbs)));
	}
}

struct kt_json *schema_discovery_version(const struct schema *schema, const char *group, const char *version)
{
	const struct schema_kind **kinds = schema_kinds_in_order(schema);
	struct kt_json *list = NULL, *out = NULL;
	const char *api_version = NULL;
	for (size_t i = 0; i < schema->count; i++) {
		if (strcmp(kinds[i]->group, group) != 0 || strcmp(kinds[i]->version, version) != 0)
			continue;
		api_version = kinds[i]->api_version;
		add_plain(&list, kinds[i]);
	}
	/* The core group, older than apiVersions in lists, has none. */
	if (list)
		out = kt_jsonf("{kind: 'APIResourceList', apiVersion: %s, groupVersion: %s, resources: %j}",
		               *group ? "v1" : NULL, api_version, list);
	kt_free(kinds);
	return out;
}

/* SPDX-License-Identifier: MIT */
/* Kinds that are computed, never stored: metrics.k8s.io from use, ComponentStatus (kubernetes
 * pkg/registry/core/componentstatus) from what runs here. */
#include "cluster/api/internal.h"
#include "cluster/network/network.h"

static bool is_pods(const struct schema_kind *kind)
{
	return kt_streq(kind->resource, "pods");
}

static const struct schema_kind *measured(struct api_request *request)
{
	return schema_stored(cluster_schema(request->cluster), "", is_pods(request->kind) ? "Pod" : "Node");
}

static struct kt_json *metrics_of(struct api_request *request, const struct store_object *object)
{
	return is_pods(request->kind) ? usage_pod_metrics(request->cluster, object->ns, object->name)
	                              : usage_node_metrics(request->cluster, object->name);
}

static bool is_metrics(const struct api_request *request)
{
	return kt_streq(request->kind->group, "metrics.k8s.io");
}

/* --- components --- */
static const char *const components[] = {"controller-manager", "etcd-0", "scheduler"};

static struct kt_json *component(const char *name)
{
	return kt_jsonf("{apiVersion: 'v1', kind: 'ComponentStatus', metadata: {name: %s}, "
	                "conditions: [{type: 'Healthy', status: 'True', message: 'ok'}]}",
	                name);
}

static void get_component(struct api_request *request)
{
	struct kt_json *found = NULL;

	for (size_t i = 0; i < KT_COUNT(components) && !found; i++)
		if (kt_streq(components[i], request->name))
			found = component(components[i]);
	if (found)
		api_respond_object(request, 200, found);
	else /* named by its kind's word alone */
		api_fail(&request->status, 404, "NotFound", "componentstatus \"%s\" not found",
		         request->name);
	kt_json_free(found);
}

static void list_components(struct api_request *request)
{
	struct store_object found[KT_COUNT(components)] = {0};
	const struct store_object *items[KT_COUNT(components)];
	struct api_filter filter;
	size_t count = 0;

	if (!api_filter_init(&filter, request))
		return;
	for (size_t i = 0; i < KT_COUNT(components); i++) {
		found[i].json = component(components[i]);
		if (api_filter_matches(&filter, request->kind, found[i].json))
			items[count++] = &found[i];
	}
	api_respond_list(request, &(struct api_list_head){.version = 0, .remaining = -1}, items, count);
	for (size_t i = 0; i < KT_COUNT(components); i++)
		kt_json_free((struct kt_json *)(uintptr_t)found[i].json);
	api_filter_clear(&filter);
}

/* --- metrics --- */
void api_metrics_get(struct api_request *request)
{
	const struct store_object *object = NULL;
	struct kt_json *metrics = NULL;

	if (!*request->kind->group) {
		get_component(request);
		return;
	}

	if (is_metrics(request))
		object = store_get(cluster_store(request->cluster), measured(request), request->ns,
		                   request->name);
	/* metrics-server watches Running pods only */
	if (object && is_pods(request->kind) && view_pod(object)->phase != VIEW_RUNNING)
		object = NULL;
	if (object)
		metrics = metrics_of(request, object);
	if (metrics)
		api_respond_object(request, 200, metrics);
	else if (object) /* it is there and was not looked at yet */
		api_fail(&request->status, 404, "NotFound", "%s.metrics.k8s.io \"%s%s%s\" not found",
		         is_pods(request->kind) ? "podmetrics" : "nodemetrics", object->ns,
		         *object->ns ? "/" : "", object->name);
	else /* metrics-server names what it measures, not what it serves */
		api_fail(&request->status, 404, "NotFound", "%s \"%s\" not found",
		         is_pods(request->kind) ? "pods" : "node", request->name);
	kt_json_free(metrics);
}

void api_metrics_list(struct api_request *request)
{
	struct store_list list = {0};
	struct store_object *found;
	const struct store_object **items;
	struct api_filter filter;
	size_t count = 0;

	if (!*request->kind->group) {
		list_components(request);
		return;
	}
	if (!api_filter_init(&filter, request))
		return;
	if (is_metrics(request))
		store_list(cluster_store(request->cluster), measured(request),
		           *request->ns ? request->ns : NULL, &list);
	found = kt_alloc((list.count + 1) * sizeof(*found));
	items = kt_alloc((list.count + 1) * sizeof(*items));
	for (size_t i = 0; i < list.count; i++) {
		if (!api_filter_matches(&filter, request->kind, list.items[i]->json))
			continue;
		found[count].json = metrics_of(request, list.items[i]);
		if (found[count].json) {
			items[count] = &found[count];
			count++;
		}
	}
	api_respond_list(request, &(struct api_list_head){.version = 0, .remaining = -1}, items, count);
	for (size_t i = 0; i < count; i++)
		kt_json_free((struct kt_json *)(uintptr_t)found[i].json);
	kt_free(found);
	kt_free(items);
	store_list_clear(&list);
	api_filter_clear(&filter);
}

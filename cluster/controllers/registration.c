/* SPDX-License-Identifier: MIT */
/* What the API server notes of itself in objects: whether the level a FlowSchema names is there (apiserver
 * pkg/util/flowcontrol), an APIService for each version of a custom kind, and that what it serves itself is
 * available (kubernetes pkg/controlplane/controller/crdregistration, kube-aggregator
 * pkg/controllers/status/local). */
#include "cluster/controllers/controllers_internal.h"

#include <string.h>

/* --- FlowSchemas --- */

static bool reconcile_flow(struct cluster *cluster, struct controller_queue *queue, const char *key,
                           const struct store_object *because)
{
	const struct store_object *flow = controller_get(cluster, queue->kinds->flow_schema, key);
	const char *level = flow ? kt_path_str(flow->json, "spec.priorityLevelConfiguration.name") : NULL;
	bool found = level && controller_get(cluster, queue->kinds->priority_level, level);
	if (!flow)
		return true;
	char *text =
	        kt_strf("This FlowSchema references the PriorityLevelConfiguration object named \"%s\" %s",
	                level ? level : "", found ? "and it exists" : "but there is no such object");
	struct kt_json *status = kt_json_ref(kt_get(flow->json, "status"));
	struct api_actor actor = controller_actor(queue, because ? because : flow);
	bool changed =
	        controller_set_condition(kt_edit(&status, "conditions"), "Dangling", found ? "False" : "True",
	                                 found ? "Found" : "NotFound", text, cluster_now(cluster), false);
	kt_free(text);
	if (!changed) {
		kt_json_free(status);
		return true;
	}
	return controller_write_status(cluster, &actor, flow, status) != NULL;
}

static void observe_flow(struct cluster *cluster, struct controller_queue *queue,
                         const struct store_event *event)
{
	if (event->object->kind == queue->kinds->flow_schema)
		controller_add(cluster, queue, "", event->object->name, event->object);
	else if (event->object->kind == queue->kinds->priority_level)
		controller_add_all(cluster, queue, queue->kinds->flow_schema);
}

static void start_flow(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->flow_schema);
}

/* --- APIServices --- */
#define MANAGED "kube-aggregator.kubernetes.io/automanaged"

static char *service_name(const char *version, const char *group)
{
	return kt_strf("%s.%s", version, group);
}

/* The definition that serves what this APIService is for; *out_version is its version. */
static const struct store_object *definition_of(struct cluster *cluster, struct controller_queue *queue,
                                                const char *service, const char **out_version)
{
	const struct store_object *crd;
	STORE_EACH (crd, cluster_store(cluster), queue->kinds->crd, NULL) {
		const char *group = kt_path_str(crd->json, "spec.group");
		const struct kt_json *version;
		if (!controller_condition(kt_path(crd->json, "status.conditions"), "Established"))
			continue;
		KT_JSON_EACH (version, kt_path(crd->json, "spec.versions")) {
			const char *name = kt_str_or(kt_get(version, "name"), "");
			char *own = service_name(name, group ? group : "");
			bool is = kt_get_bool(version, "served", false) && strcmp(own, service) == 0;
			kt_free(own);
			if (is) {
				*out_version = name;
				return crd;
			}
		}
	}
	return NULL;
}

static bool add_service(struct cluster *cluster, const struct api_actor *actor,
                        const struct schema_kind *kind, const char *name, const char *version,
                        const char *group)
{
	return api_create(cluster, actor, kind,
	                  kt_jsonf("{metadata: {name: %s, labels: {'" MANAGED
	                           "': 'true'}}, spec: {group: %s, "
	                           "version: %s, groupPriorityMinimum: 1000, versionPriority: 100}}",
	                           name, group, version),
	                  NULL) != NULL;
}

static bool tell_available(struct cluster *cluster, const struct api_actor *actor,
                           const struct store_object *service)
{
	struct kt_json *status = kt_json_ref(kt_get(service->json, "status"));
	if (!controller_set_condition(kt_edit(&status, "conditions"), "Available", "True", "Local",
	                              "Local APIServices are always available", cluster_now(cluster),
	                              false)) {
		kt_json_free(status);
		return true;
	}
	return controller_write_status(cluster, actor, service, status) != NULL;
}

static bool reconcile_service(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	const struct store_object *service = controller_get(cluster, queue->kinds->api_service, key);
	const char *version = NULL;
	const struct store_object *crd = definition_of(cluster, queue, key, &version);
	struct api_actor actor = controller_actor(queue, because ? because : service ? service : crd);
	if (!service)
		return !crd || add_service(cluster, &actor, queue->kinds->api_service, key, version,
		                           kt_path_str(crd->json, "spec.group"));
	if (!crd && kt_streq(controller_label(service->json, MANAGED), "true"))
		return controller_delete(cluster, &actor, service, NULL, NULL);
	return kt_get(kt_get(service->json, "spec"), "service") || tell_available(cluster, &actor, service);
}

static void add_versions(struct cluster *cluster, struct controller_queue *queue,
                         const struct store_object *crd)
{
	const struct kt_json *version;
	KT_JSON_EACH (version, kt_path(crd->json, "spec.versions")) {
		char *name = service_name(kt_str_or(kt_get(version, "name"), ""),
		                          kt_str_or(kt_path(crd->json, "spec.group"), ""));
		controller_add(cluster, queue, "", name, crd);
		kt_free(name);
	}
}

static void observe_service(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	if (event->object->kind == queue->kinds->api_service) {
		controller_add(cluster, queue, "", event->object->name, event->object);
	} else if (event->object->kind == queue->kinds->crd) {
		add_versions(cluster, queue, event->object);
		if (event->old)
			add_versions(cluster, queue, event->old);
	}
}

static void start_service(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *crd;
	controller_add_all(cluster, queue, queue->kinds->api_service);
	STORE_EACH (crd, cluster_store(cluster), queue->kinds->crd, NULL)
		add_versions(cluster, queue, crd);
}

const struct controller controller_flow_schema = {
        .name = "flow-schema",
        .component = "api-priority-and-fairness-config-consumer-v1",
        .reconcile = reconcile_flow,
        .observe = observe_flow,
        .start = start_flow,
        .latency = 20 * KT_MS,
};
const struct controller controller_api_service = {
        .name = "api-service",
        .component = "kube-apiserver",
        .reconcile = reconcile_service,
        .observe = observe_service,
        .start = start_service,
        .latency = 20 * KT_MS,
};

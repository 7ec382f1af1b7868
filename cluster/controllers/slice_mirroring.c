/* SPDX-License-Identifier: MIT */
/* Slices for hand-made Endpoints of services without a selector (kubernetes
 * pkg/controller/endpointslicemirroring). */
#include "cluster/controllers/endpoints.h"

#define SERVICE    "kubernetes.io/service-name"
#define MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define MANAGER    "endpointslicemirroring-controller.k8s.io"
#define SKIP       "endpointslice.kubernetes.io/skip-mirror"

static void push_addresses(struct kt_json **endpoints, const struct kt_json *addresses, bool ready)
{
	const struct kt_json *address;
	KT_JSON_EACH (address, addresses) {
		kt_push(endpoints,
		        kt_jsonf("{addresses: [%s], conditions: {ready: %b}, hostname: %s, targetRef: %J, "
		                 "nodeName: %s}",
		                 kt_get_str(address, "ip"), ready, kt_get_str(address, "hostname"),
		                 kt_get(address, "targetRef"), kt_get_str(address, "nodeName")));
	}
}

static struct kt_json *ports_of(const struct kt_json *subset)
{
	struct kt_json *ports = kt_json_array();
	const struct kt_json *port;
	KT_JSON_EACH (port, kt_get(subset, "ports")) {
		kt_push(&ports, kt_jsonf("{name: %s, port: %J, protocol: %s, appProtocol: %s}",
		                         kt_str_or(kt_get(port, "name"), ""), kt_get(port, "port"),
		                         kt_str_or(kt_get(port, "protocol"), "TCP"),
		                         kt_get_str(port, "appProtocol")));
	}
	return ports;
}

static struct kt_json *slice_of(const struct store_object *endpoints, const struct kt_json *subset)
{
	char *generate = kt_strf("%s-", endpoints->name);
	struct kt_json *labels = kt_json_ref(view_labels(endpoints->json)), *list = kt_json_array();
	kt_set(&labels, SERVICE, kt_json_str(endpoints->name));
	kt_set(&labels, MANAGED_BY, kt_json_str(MANAGER));
	push_addresses(&list, kt_get(subset, "addresses"), true);
	push_addresses(&list, kt_get(subset, "notReadyAddresses"), false);
	struct kt_json *slice = kt_jsonf(
	        "{apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: {generateName: %s, "
	        "namespace: %s, labels: %j, ownerReferences: [%j]}, addressType: 'IPv4', endpoints: %j, "
	        "ports: %j}",
	        generate, endpoints->ns, labels, controller_owner_ref(endpoints), list, ports_of(subset));
	kt_free(generate);
	return slice;
}

static bool mirrored(struct cluster *cluster, struct controller_queue *queue,
                     const struct store_object *endpoints)
{
	if (!endpoints || kt_streq(controller_label(endpoints->json, SKIP), "true") ||
	    controller_annotation(endpoints->json, "control-plane.alpha.kubernetes.io/leader"))
		return false;
	const struct store_object *service =
	        store_get(cluster_store(cluster), queue->kinds->service, endpoints->ns, endpoints->name);
	return service && kt_count(kt_path(service->json, "spec.selector")) == 0;
}

static void find_mirrors(struct cluster *cluster, struct controller_queue *queue, const char *key,
                         struct store_list *out)
{
	char ns[64], name[256];
	controller_key(key, ns, name);
	const struct store_object *slice;
	STORE_EACH (slice, cluster_store(cluster), queue->kinds->slice, ns) {
		if (kt_streq(controller_label(slice->json, SERVICE), name) &&
		    kt_streq(controller_label(slice->json, MANAGED_BY), MANAGER))
			controller_list_add(out, slice);
	}
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *endpoints = controller_get(cluster, queue->kinds->endpoints, key);
	struct api_actor actor = controller_actor(queue, because);
	struct store_list mirrors = {0};
	find_mirrors(cluster, queue, key, &mirrors);
	const struct kt_json *subsets =
	        mirrored(cluster, queue, endpoints) ? kt_get(endpoints->json, "subsets") : NULL;
	bool done = true;
	for (size_t i = 0; i < kt_count(subsets); i++) {
		struct kt_json *slice = slice_of(endpoints, kt_at(subsets, i));
		if (i >= mirrors.count) {
			done &= api_create(cluster, &actor, queue->kinds->slice, slice, NULL) != NULL;
			continue;
		}
		struct kt_json *json = kt_json_ref(mirrors.items[i]->json);
		kt_set(&json, "endpoints", kt_json_ref(kt_get(slice, "endpoints")));
		kt_set(&json, "ports", kt_json_ref(kt_get(slice, "ports")));
		kt_set_path(&json, "metadata.labels", kt_json_ref(kt_path(slice, "metadata.labels")));
		kt_json_free(slice);
		if (kt_equal(json, mirrors.items[i]->json))
			kt_json_free(json);
		else
			done &= api_update(cluster, &actor, queue->kinds->slice, json, NULL) != NULL;
	}
	for (size_t i = kt_count(subsets); i < mirrors.count; i++)
		controller_delete(cluster, &actor, mirrors.items[i], NULL, NULL);
	store_list_clear(&mirrors);
	return done;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->endpoints || object->kind == queue->kinds->service)
		controller_add(cluster, queue, object->ns, object->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->endpoints);
}

const struct controller controller_slice_mirroring = {
        .name = "endpointslicemirroring",
        .component = "endpoint-slice-mirroring-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 20 * KT_MS,
};

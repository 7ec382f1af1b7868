/* SPDX-License-Identifier: MIT */
/* Addresses from outside: for Services of type LoadBalancer, as the service controller of a cloud gives them
 * (k8s.io/cloud-provider controllers/service/controller.go), and for Ingresses, as ingress-nginx tells its
 * own. A few seconds late, as there. The balancers themselves: network/balancer.h. */
#include "cluster/controllers/controllers_internal.h"
#include "cluster/controllers/load_balancer.h"
#include "cluster/network/balancer.h"
#include "cluster/network/network.h"
#include <stdio.h>
#include <string.h>

#define CLEANUP       "service.kubernetes.io/load-balancer-cleanup"
#define SERVICE_TAKES (5 * KT_SEC)
#define INGRESS_TAKES (10 * KT_SEC)

/* --- addresses: 172.18.255.2 and up, those of the first 3,000 balancers --- */
static bool holds(const struct kt_json *list, const char *key, const char *address)
{
	return kt_find(list, key, address) >= 0;
}

static bool taken(struct cluster *cluster, struct controller_queue *queue, const char *address)
{
	const struct store_object *object;
	STORE_EACH (object, cluster_store(cluster), queue->kinds->service, NULL) {
		if (holds(kt_path(object->json, "status.loadBalancer.ingress"), "ip", address))
			return true;
	}
	STORE_EACH (object, cluster_store(cluster), queue->kinds->gateway, NULL) {
		if (holds(kt_path(object->json, "status.addresses"), "value", address))
			return true;
	}
	return kt_streq(address, BALANCER_INGRESS_ADDRESS);
}

bool load_balancer_address(struct cluster *cluster, struct controller_queue *queue, char out[46])
{
	for (int high = 255; high >= 244; high--) {
		for (int low = 2; low < 255; low++) {
			snprintf(out, 46, "172.18.%d.%d", high, low);
			if (!taken(cluster, queue, out))
				return true;
		}
	}
	return false;
}

/* --- Services --- */
static bool wants_balancer(struct cluster *cluster, const struct store_object *service)
{
	return kt_streq(kt_path_str(service->json, "spec.type"), "LoadBalancer") &&
	       !kt_path_str(service->json, "spec.loadBalancerClass") && !view_is_deleting(service->json) &&
	       balancer_has_edge(cluster, "load-balancer");
}

static bool has_finalizer(const struct kt_json *object)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(object, "metadata.finalizers")) {
		if (kt_streq(kt_str(item), CLEANUP))
			return true;
	}
	return false;
}

static void set_finalizer(struct cluster *cluster, const struct api_actor *actor,
                          const struct store_object *service, bool wanted)
{
	struct kt_json *json = kt_json_ref(service->json), *list = kt_json_array();
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(json, "metadata.finalizers")) {
		if (!kt_streq(kt_str(item), CLEANUP))
			kt_push(&list, kt_json_ref(item));
	}
	if (wanted)
		kt_push(&list, kt_json_str(CLEANUP));
	if (!kt_count(list))
		kt_json_freep(&list);
	kt_set(kt_edit(&json, "metadata"), "finalizers", list);
	(void)controller_write(cluster, actor, service, json);
}

static void give(struct cluster *cluster, struct controller_queue *queue, const struct api_actor *actor,
                 const struct store_object *service, const char *key)
{
	char address[46];
	const char *wanted = kt_path_str(service->json, "spec.loadBalancerIP");
	if (wanted && !taken(cluster, queue, wanted))
		snprintf(address, sizeof(address), "%s", wanted);
	else if (!load_balancer_address(cluster, queue, address))
		return;
	api_event(cluster, actor, service, "Normal", "EnsuringLoadBalancer", NULL, NULL,
	          "Ensuring load balancer");
	if (!has_finalizer(service->json))
		set_finalizer(cluster, actor, service, true);
	service = controller_get(cluster, queue->kinds->service, key);
	if (service)
		service = controller_write_status(
		        cluster, actor, service,
		        kt_jsonf("{loadBalancer: {ingress: [{ip: %s, ipMode: 'VIP'}]}}", address));
	if (service)
		api_event(cluster, actor, service, "Normal", "EnsuredLoadBalancer", NULL, NULL,
		          "Ensured load balancer");
}

static void take_back(struct cluster *cluster, struct controller_queue *queue, const struct api_actor *actor,
                      const struct store_object *service, const char *key)
{
	api_event(cluster, actor, service, "Normal", "DeletingLoadBalancer", NULL, NULL,
	          "Deleting load balancer");
	if (kt_count(kt_path(service->json, "status.loadBalancer.ingress")))
		(void)controller_write_status(cluster, actor, service, kt_jsonf("{loadBalancer: {}}"));
	service = controller_get(cluster, queue->kinds->service, key);
	if (service && has_finalizer(service->json)) {
		api_event(cluster, actor, service, "Normal", "DeletedLoadBalancer", NULL, NULL,
		          "Deleted load balancer");
		service = controller_get(cluster, queue->kinds->service, key);
		set_finalizer(cluster, actor, service, false);
	}
}

static bool reconcile_service(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	const struct store_object *service = controller_get(cluster, queue->kinds->service, key);
	struct api_actor actor = controller_actor(queue, because);
	if (!service)
		return true;
	bool has = kt_count(kt_path(service->json, "status.loadBalancer.ingress")) > 0;
	if (!wants_balancer(cluster, service)) {
		if (has_finalizer(service->json))
			take_back(cluster, queue, &actor, service, key);
	} else if (!has) {
		give(cluster, queue, &actor, service, key);
	}
	return true;
}

static void observe_service(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	const struct store_object *service = event->object;
	if (service->kind != queue->kinds->service || event->change == STORE_DELETED)
		return;
	if (wants_balancer(cluster, service)) {
		if (!kt_count(kt_path(service->json, "status.loadBalancer.ingress")))
			controller_add_after(cluster, queue, service->ns, service->name, SERVICE_TAKES);
	} else if (has_finalizer(service->json)) {
		controller_add(cluster, queue, service->ns, service->name, service);
	}
}

static void start_service(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *service;
	STORE_EACH (service, cluster_store(cluster), queue->kinds->service, NULL) {
		struct store_event event = {.change = STORE_ADDED, .object = service};
		observe_service(cluster, queue, &event);
	}
}

const struct controller controller_load_balancer = {
        .name = "service-lb",
        .component = "service-controller",
        .reconcile = reconcile_service,
        .observe = observe_service,
        .start = start_service,
        .latency = 100 * KT_MS,
};

/* --- Ingresses --- */
static bool reconcile_ingress(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	const struct store_object *ingress = controller_get(cluster, queue->kinds->ingress, key);
	struct api_actor actor = controller_actor(queue, because);
	actor.manager = "nginx-ingress-controller";
	if (!ingress || view_is_deleting(ingress->json) || !balancer_serves(cluster, ingress->json) ||
	    kt_count(kt_path(ingress->json, "status.loadBalancer.ingress")))
		return true;
	api_event(cluster, &actor, ingress, "Normal", "Sync", NULL, NULL, "Scheduled for sync");
	return controller_write_status(
	               cluster, &actor, ingress,
	               kt_jsonf("{loadBalancer: {ingress: [{ip: %s}]}}", BALANCER_INGRESS_ADDRESS)) != NULL;
}

static void add_ingresses(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *ingress;
	STORE_EACH (ingress, cluster_store(cluster), queue->kinds->ingress, NULL)
		controller_add_after(cluster, queue, ingress->ns, ingress->name, INGRESS_TAKES);
}

static void observe_ingress(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (event->change == STORE_DELETED)
		return;
	if (object->kind == queue->kinds->ingress)
		controller_add_after(cluster, queue, object->ns, object->name, INGRESS_TAKES);
	else if (object->kind == queue->kinds->ingress_class)
		add_ingresses(cluster, queue);
}

const struct controller controller_ingress = {
        .name = "ingress",
        .component = "nginx-ingress-controller",
        .reconcile = reconcile_ingress,
        .observe = observe_ingress,
        .start = add_ingresses,
        .latency = 100 * KT_MS,
};

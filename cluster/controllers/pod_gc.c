/* SPDX-License-Identifier: MIT */
/* Pods that nobody ends (kubernetes pkg/controller/podgc): those of nodes that are gone or declared out of
 * service, those deleted before they had a node, and the oldest of too many that are over. */
#include "cluster/controllers/controllers_internal.h"

#define PERIOD     (20 * KT_SEC)
#define QUARANTINE (40 * KT_SEC) /* a node may only be late in the list */
#define THRESHOLD  12500

static void force(struct cluster *cluster, const struct api_actor *actor, const struct store_object *pod,
                  const char *why)
{
	if (why) {
		struct kt_json *status = kt_json_ref(kt_get(pod->json, "status"));
		enum view_phase phase = view_pod(pod)->phase;
		if (phase != VIEW_SUCCEEDED && phase != VIEW_FAILED)
			kt_set(&status, "phase", kt_json_str("Failed"));
		api_disruption_target(&status, "DeletionByPodGC", why, controller_generation(pod),
		                      cluster_now(cluster));
		const struct store_object *now = controller_write_status(cluster, actor, pod, status);
		if (!now)
			return;
		pod = now;
	}
	struct api_delete_options options = {.grace = 0, .uid = pod->uid};
	api_delete(cluster, actor, pod->kind, pod->ns, pod->name, &options, NULL);
}

/* A node is gone only if it is still gone when its quarantine ends: key "quarantine/NAME". */
static void end_quarantine(struct cluster *cluster, struct controller_queue *queue, const char *node)
{
	struct store_list pods = {0};
	if (store_get(cluster_store(cluster), queue->kinds->node, "", node))
		return;
	store_pods_on_node(cluster_store(cluster), node, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		struct api_actor actor = controller_actor(queue, pods.items[i]);
		force(cluster, &actor, pods.items[i], "PodGC: node no longer exists");
	}
	store_list_clear(&pods);
}

/* A person has said that this machine is off: what should end on it may be forgotten. */
static bool out_of_service(const struct store_object *node)
{
	return node && !view_node(node)->ready &&
	       kt_find(view_node(node)->taints, "key", "node.kubernetes.io/out-of-service") >= 0;
}

static void sweep(struct cluster *cluster, struct controller_queue *queue)
{
	struct store_list over = {0}, lost = {0};
	const struct store_object *object;
	STORE_EACH (object, cluster_store(cluster), queue->kinds->pod, NULL) {
		const struct view_pod *pod = view_pod(object);
		if (pod->deleting &&
		    (!pod->node ||
		     out_of_service(store_get(cluster_store(cluster), queue->kinds->node, "", pod->node))))
			controller_list_add(&lost, object);
		else if (pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED)
			controller_list_add(&over, object);
	}
	for (size_t i = 0; i < lost.count; i++) {
		struct api_actor actor = controller_actor(queue, lost.items[i]);
		force(cluster, &actor, lost.items[i], NULL);
	}
	if (over.count > THRESHOLD) {
		controller_list_sort(&over, controller_by_creation);
		for (size_t i = 0; i < over.count - THRESHOLD; i++) {
			struct api_actor actor = controller_actor(queue, over.items[i]);
			force(cluster, &actor, over.items[i], NULL);
		}
	}
	store_list_clear(&over);
	store_list_clear(&lost);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	(void)because;
	if (kt_starts(key, "quarantine/")) {
		end_quarantine(cluster, queue, key + sizeof("quarantine/") - 1);
		return true;
	}
	sweep(cluster, queue);
	return true;
}

/* Sweeps only when there may be something to sweep: a quiet cluster has no timers. */
static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->node && event->change == STORE_DELETED) {
		controller_add_after(cluster, queue, "quarantine", object->name, QUARANTINE);
		return;
	}
	if (object->kind == queue->kinds->node && out_of_service(object))
		controller_add_after(cluster, queue, "", "sweep", PERIOD);
	if (object->kind != queue->kinds->pod || event->change == STORE_DELETED)
		return;
	const struct view_pod *pod = view_pod(object);
	/* one that somebody gave to a node that never was */
	if (pod->node && (!event->old || !view_pod(event->old)->node) &&
	    !store_get(cluster_store(cluster), queue->kinds->node, "", pod->node))
		controller_add_after(cluster, queue, "quarantine", pod->node, QUARANTINE);
	if (pod->deleting && !pod->node)
		controller_add_after(cluster, queue, "", "sweep", PERIOD);
	else if (event->change == STORE_MODIFIED &&
	         (pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED) &&
	         store_count(cluster_store(cluster), queue->kinds->pod, NULL) > THRESHOLD)
		controller_add_after(cluster, queue, "", "sweep", PERIOD);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *object;
	controller_add_after(cluster, queue, "", "sweep", PERIOD);
	STORE_EACH (object, cluster_store(cluster), queue->kinds->pod, NULL) {
		const char *node = view_pod(object)->node;
		if (node && !store_get(cluster_store(cluster), queue->kinds->node, "", node))
			controller_add_after(cluster, queue, "quarantine", node, QUARANTINE);
	}
}

const struct controller controller_pod_gc = {
        .name = "podgc",
        .component = "pod-garbage-collector",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

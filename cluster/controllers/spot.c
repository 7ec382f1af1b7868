/* SPDX-License-Identifier: MIT */
/* Spot machines (label ktutor.dev/spot=true): cheap, and taken back by the cloud with two minutes' notice, as
 * the large clouds do. What a node termination handler does then: taint, cordon, evict (budgets count) until
 * the time is up; then the machine is off and its Node gone. Nodes that were given notice bear the annotation
 * ktutor.dev/interrupted-at; each spot node gets one of its own accord after a time drawn from the seed (a
 * quarter of a day on average), others when the world does it (disturb.c). Keys: node names. */
#include "cluster/controllers/spot.h"
#include "cluster/kubelet/kubelet.h"
#include <math.h>
#include <string.h>

#define MEAN   (6 * 3600.0) /* seconds */
#define NOTICE (2 * KT_MIN_NS)
#define AGAIN  (5 * KT_SEC)
#define AT     "ktutor.dev/interrupted-at"

static const struct api_actor cloud = {.user = "system:cloud-controller-manager",
                                       .manager = "cloud-controller-manager",
                                       .component = "cloud"};

bool spot_is(const struct store_object *node)
{
	return kt_streq(controller_label(node->json, SPOT_LABEL), "true");
}

static kt_ns noticed_at(const struct store_object *node)
{
	const char *text = controller_annotation(node->json, AT);
	kt_ns t;
	return text && kt_time_parse(text, &t) ? t : 0;
}

void spot_interrupt(struct cluster *cluster, const struct store_object *node)
{
	struct kt_json *json = kt_json_ref(node->json);
	struct kt_buf now = {0};
	if (noticed_at(node)) {
		kt_json_free(json);
		return;
	}
	kt_time_print(cluster_now(cluster), &now);
	controller_set_annotation(&json, AT, kt_buf_str(&now));
	kt_set_path(&json, "spec.unschedulable", kt_json_bool(true));
	kt_push(kt_edit_path(&json, "spec.taints"), kt_jsonf("{key: %s, effect: 'NoSchedule'}", SPOT_TAINT));
	api_event(cluster, &cloud, node, "Warning", "SpotInterruption", NULL, NULL,
	          "The machine will be taken back in 2 minutes");
	(void)controller_write(cluster, &cloud, node, json);
	kt_buf_clear(&now);
}

/* After how long a machine is taken back: exponential, from its name and the cluster's seed. */
static kt_ns lifetime(struct cluster *cluster, const struct store_object *node)
{
	char *words = kt_strf("spot %s %s", node->name, node->uid);
	double part = (double)(cluster_hash(cluster, words) >> 11) / 9007199254740992.0;
	kt_free(words);
	return (kt_ns)(-log(1 - part) * MEAN * 1e9);
}

static void evict(struct cluster *cluster, const struct api_actor *actor, const struct store_object *node)
{
	struct store_list pods = {0};
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const struct view_pod *pod = view_pod(pods.items[i]);
		if (!pod->deleting && !kt_streq(pod->owner.kind, "DaemonSet") &&
		    pod->phase != VIEW_SUCCEEDED && pod->phase != VIEW_FAILED)
			(void)api_evict(cluster, actor, pods.items[i]->ns, pods.items[i]->name, NULL);
	}
	store_list_clear(&pods);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *node = controller_get(cluster, queue->kinds->node, key);
	struct api_actor actor = controller_actor(queue, because ? because : node);
	kt_ns now = cluster_now(cluster);
	if (!node || !spot_is(node))
		return true;
	kt_ns noticed = noticed_at(node);
	if (!noticed) {
		kt_ns due = controller_created(node) + lifetime(cluster, node);
		if (due > now) {
			controller_add_after(cluster, queue, "", key, due - now);
			return true;
		}
		spot_interrupt(cluster, node);
	} else if (now >= noticed + NOTICE) {
		api_event(cluster, &cloud, node, "Normal", "DeletingNode", NULL, NULL,
		          "Deleting node %s because it does not exist in the cloud provider", node->name);
		kubelet_node_set(cluster, node->name, false);
		(void)controller_delete(cluster, &cloud, node, NULL, NULL);
		return true;
	} else {
		evict(cluster, &actor, node);
	}
	controller_add_after(cluster, queue, "", key, AGAIN);
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *node = event->object;
	if (node->kind == queue->kinds->node && event->change != STORE_DELETED && spot_is(node) &&
	    (event->change == STORE_ADDED || !spot_is(event->old) ||
	     noticed_at(event->old) != noticed_at(node)))
		controller_add(cluster, queue, "", node->name, node);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *node;
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		if (spot_is(node))
			controller_add(cluster, queue, "", node->name, NULL);
	}
}

const struct controller controller_spot = {
        .name = "spot",
        .component = "node-termination-handler",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = KT_SEC,
};

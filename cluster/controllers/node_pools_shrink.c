/* SPDX-License-Identifier: MIT */
/* Which nodes may go (cluster-autoscaler core/scaledown): less than half requested for ten minutes, and every
 * pod would find another place. One at a time; evictions ask the budgets. */
#include "cluster/controllers/node_pools.h"
#include "cluster/controllers/hash.h"
#include <string.h>

#define UNNEEDED  (10 * KT_MIN_NS)
#define AFTER_ADD (10 * KT_MIN_NS)
#define THRESHOLD 0.5

struct pool_idle {
	UT_hash_handle hh;
	kt_ns since;
	bool seen;
	char name[];
};

void pool_idle_clear(struct pool_idle **idle)
{
	struct pool_idle *one, *next;
	HASH_ITER (hh, *idle, one, next) {
		HASH_DEL(*idle, one);
		kt_free(one);
	}
}

static bool going(const struct store_object *node)
{
	const struct kt_json *taint;
	KT_JSON_EACH (taint, view_node(node)->taints) {
		if (kt_streq(kt_get_str(taint, "key"), POOL_GOING))
			return true;
	}
	return false;
}

static double use_of(struct cluster *cluster, const struct store_object *node)
{
	const struct view_resources *has = &view_node(node)->allocatable;
	struct store_list pods = {0};
	int64_t cpu = 0, memory = 0;
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		if (pool_is_daemon(pods.items[i]))
			continue;
		cpu += view_pod(pods.items[i])->requests.cpu_milli;
		memory += view_pod(pods.items[i])->requests.memory;
	}
	store_list_clear(&pods);
	double a = has->cpu_milli > 0 ? (double)cpu / (double)has->cpu_milli : 0;
	double b = has->memory > 0 ? (double)memory / (double)has->memory : 0;
	return KT_MAX(a, b);
}

struct pool_room pool_room_left(struct cluster *cluster, const struct store_object *node)
{
	struct store_list pods = {0};
	struct pool_room room = {.labels = view_node(node)->labels,
	                         .taints = view_node(node)->taints,
	                         .node = node->name,
	                         .left = view_node(node)->allocatable};
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		enum view_phase phase = view_pod(pods.items[i])->phase;
		if (phase != VIEW_SUCCEEDED && phase != VIEW_FAILED)
			pool_take(pods.items[i], &room);
	}
	store_list_clear(&pods);
	return room;
}

static bool may_move(const struct store_object *pod)
{
	const struct view_pod *view = view_pod(pod);
	const char *safe = controller_annotation(pod->json, "cluster-autoscaler.kubernetes.io/safe-to-evict");
	if (kt_streq(safe, "false"))
		return false;
	return view->owner.uid || kt_streq(safe, "true");
}

/* Every pod of the node, placed anew on the others. */
static bool pods_would_fit(struct cluster *cluster, const struct store_object *node,
                           const struct store_list *nodes)
{
	struct pool_room *rooms = kt_alloc((nodes->count + 1) * sizeof(*rooms));
	struct store_list pods = {0};
	size_t count = 0;
	bool fits = true;
	for (size_t i = 0; i < nodes->count; i++) {
		const struct store_object *other = nodes->items[i];
		if (other != node && view_node(other)->ready && !view_node(other)->unschedulable)
			rooms[count++] = pool_room_left(cluster, other);
	}
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count && fits; i++) {
		const struct store_object *pod = pods.items[i];
		enum view_phase phase = view_pod(pod)->phase;
		if (pool_is_daemon(pod) || phase == VIEW_SUCCEEDED || phase == VIEW_FAILED)
			continue;
		fits = false;
		for (size_t k = 0; k < count && may_move(pod) && !fits; k++) {
			fits = pool_pod_fits(pod, &rooms[k]);
			if (fits)
				pool_take(pod, &rooms[k]);
		}
	}
	store_list_clear(&pods);
	kt_free(rooms);
	return fits;
}

/* --- the end of a node --- */
static void mark(struct cluster *cluster, struct controller_queue *queue, const struct store_object *node)
{
	struct api_actor actor = controller_actor(queue, node);
	struct kt_json *json = kt_json_ref(node->json);
	char *value = kt_strf("%lld", (long long)(cluster_now(cluster) / KT_SEC));
	kt_push(kt_edit_path(&json, "spec.taints"),
	        kt_jsonf("{key: %s, value: %s, effect: 'NoSchedule'}", POOL_GOING, value));
	kt_free(value);
	api_event(cluster, &actor, node, "Normal", "ScaleDown", NULL, NULL,
	          "marked the node as toBeDeleted/unschedulable");
	controller_write(cluster, &actor, node, json);
}

static void drain(struct cluster *cluster, struct controller_queue *queue, const struct store_object *node)
{
	struct api_actor actor = controller_actor(queue, node);
	struct store_list pods = {0};
	bool left = false;
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const struct store_object *pod = pods.items[i];
		enum view_phase phase = view_pod(pod)->phase;
		if (pool_is_daemon(pod) || phase == VIEW_SUCCEEDED || phase == VIEW_FAILED)
			continue;
		left = true;
		if (!view_pod(pod)->deleting && api_evict(cluster, &actor, pod->ns, pod->name, NULL))
			api_event(cluster, &actor, pod, "Normal", "ScaleDown", NULL, NULL,
			          "deleting pod for node scale down");
	}
	store_list_clear(&pods);
	if (!left)
		controller_delete(cluster, &actor, node, NULL, NULL);
}

static bool idle_long(struct pool_idle **idle, const struct store_object *node, kt_ns now)
{
	struct pool_idle *one;
	HASH_FIND_STR(*idle, node->name, one);
	if (!one) {
		size_t len = strlen(node->name);
		one = kt_alloc(sizeof(*one) + len + 1);
		memcpy(one->name, node->name, len + 1);
		one->since = now;
		HASH_ADD_STR(*idle, name, one);
	}
	one->seen = true;
	return one->since + UNNEEDED <= now;
}

static void forget_busy(struct pool_idle **idle)
{
	struct pool_idle *one, *next;
	HASH_ITER (hh, *idle, one, next) {
		if (one->seen) {
			one->seen = false;
			continue;
		}
		HASH_DEL(*idle, one);
		kt_free(one);
	}
}

void pools_shrink(struct cluster *cluster, struct controller_queue *queue, struct pools *pools,
                  struct pool_idle **idle, kt_ns grown_at)
{
	struct store_list nodes = {0};
	kt_ns now = cluster_now(cluster);
	const struct store_object *chosen = NULL;
	bool busy = false;
	store_list(cluster_store(cluster), queue->kinds->node, NULL, &nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		if (going(nodes.items[i])) {
			drain(cluster, queue, nodes.items[i]);
			busy = true;
		}
	}
	for (size_t i = 0; i < nodes.count; i++) {
		const struct store_object *node = nodes.items[i];
		struct pool *pool = pools_named(pools, controller_label(node->json, POOL_LABEL));
		if (!pool || going(node) || pool->count <= pool->min ||
		    kt_streq(controller_annotation(node->json,
		                                   "cluster-autoscaler.kubernetes.io/scale-down-disabled"),
		             "true") ||
		    use_of(cluster, node) >= THRESHOLD || !pods_would_fit(cluster, node, &nodes))
			continue;
		if (idle_long(idle, node, now) && !chosen)
			chosen = node;
	}
	forget_busy(idle);
	if (chosen && !busy && (!grown_at || grown_at + AFTER_ADD <= now))
		mark(cluster, queue, chosen);
	store_list_clear(&nodes);
}

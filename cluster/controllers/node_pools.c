/* SPDX-License-Identifier: MIT */
/* The cluster autoscaler (kubernetes/autoscaler cluster-autoscaler): pods that fit nowhere make the cheapest
 * pool grow that would take them. Scans each 10 s; a machine takes a minute to come. Keys: "scan". */
#include "cluster/controllers/node_pools.h"
#include "cluster/controllers/hash.h"
#include "cluster/controllers/spot.h"
#include <stdlib.h>
#include <string.h>

#define SCAN (10 * KT_SEC)
#define BOOT (60 * KT_SEC)
#define KEEP "autoscaler/"

struct coming { /* a machine that was ordered */
	struct coming *next;
	struct kt_json *node;
	kt_ns ready;
};
struct autoscaler {
	struct coming *coming;
	struct pool_idle *idle;
	kt_ns grown_at;
	bool any; /* there are pools that may change: scan on */
};

/* --- pools --- */
static int64_t number(const struct kt_json *node, const char *annotation, int64_t otherwise)
{
	const char *text = controller_annotation(node, annotation);
	return text ? strtoll(text, NULL, 10) : otherwise;
}

struct pool *pools_named(struct pools *pools, const char *name)
{
	for (size_t i = 0; name && i < pools->count; i++) {
		if (kt_streq(pools->items[i].name, name))
			return &pools->items[i];
	}
	return NULL;
}

/* The next node of a pool: as this one, without what is its own. */
static struct kt_json *model_of(const struct kt_json *node)
{
	struct kt_json *labels = kt_json_ref(kt_path(node, "metadata.labels")), *taints = kt_json_array();
	const struct kt_json *taint;
	kt_unset(&labels, "kubernetes.io/hostname");
	KT_JSON_EACH (taint, kt_path(node, "spec.taints")) {
		const char *key = kt_str_or(kt_get(taint, "key"), "");
		if (!kt_starts(key, "node.kubernetes.io/") && !kt_streq(key, POOL_GOING) &&
		    !kt_streq(key, SPOT_TAINT))
			kt_push(&taints, kt_json_ref(taint));
	}
	if (!kt_count(taints))
		kt_json_freep(&taints);
	return kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Node', metadata: {labels: %j, annotations: {%s: %s, %s: %s}}, "
	        "spec: {taints: %j}, status: {capacity: %J, allocatable: %J, nodeInfo: %J}}",
	        labels, POOL_MIN, controller_annotation(node, POOL_MIN), POOL_MAX,
	        controller_annotation(node, POOL_MAX), taints, kt_path(node, "status.capacity"),
	        kt_path(node, "status.allocatable"), kt_path(node, "status.nodeInfo"));
}

static struct pool *add_pool(struct pools *pools, const char *name, struct kt_json *steal_model)
{
	const char *price = controller_label(steal_model, POOL_PRICE);
	pools->items = kt_grow(pools->items, &pools->cap, pools->count + 1, sizeof(*pools->items));
	struct pool *pool = &pools->items[pools->count++];
	*pool = (struct pool){.name = kt_strdup(name),
	                      .model = steal_model,
	                      .min = number(steal_model, POOL_MIN, 0),
	                      .max = number(steal_model, POOL_MAX, 0),
	                      .price = price ? strtod(price, NULL) : 1};
	return pool;
}

static void find_pools(struct cluster *cluster, struct controller_queue *queue, struct pools *pools)
{
	struct autoscaler *state = queue->state;
	const struct store_object *node;
	struct kt_strs kept = {0};
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		const char *name = controller_label(node->json, POOL_LABEL);
		if (!name || !controller_annotation(node->json, POOL_MAX))
			continue;
		struct pool *pool = pools_named(pools, name);
		if (!pool)
			pool = add_pool(pools, name, model_of(node->json));
		pool->count++;
	}
	for (size_t i = 0; i < pools->count; i++) {
		char *key = kt_strf(KEEP "%s", pools->items[i].name);
		if (!kt_equal(cluster_kept(cluster, key), pools->items[i].model))
			cluster_keep(cluster, key, kt_json_ref(pools->items[i].model));
		kt_free(key);
	}
	cluster_kept_keys(cluster, KEEP, &kept);
	for (size_t i = 0; i < kept.count; i++) {
		const char *name = kept.items[i] + strlen(KEEP);
		if (!pools_named(pools, name))
			add_pool(pools, name, kt_json_ref(cluster_kept(cluster, kept.items[i])));
	}
	kt_strs_clear(&kept);
	for (const struct coming *coming = state->coming; coming; coming = coming->next) {
		struct pool *pool = pools_named(pools, controller_label(coming->node, POOL_LABEL));
		if (pool)
			pool->count++;
	}
}

static void pools_clear(struct pools *pools)
{
	for (size_t i = 0; i < pools->count; i++) {
		kt_free(pools->items[i].name);
		kt_json_free(pools->items[i].model);
	}
	kt_free(pools->items);
}

/* --- fitting --- */
bool pool_is_daemon(const struct store_object *pod)
{
	return kt_streq(view_pod(pod)->owner.kind, "DaemonSet");
}

static int64_t amount(const struct kt_json *map, const char *name, bool milli)
{
	struct kt_quantity q;
	const char *text = kt_get_str(map, name);
	return text && kt_quantity_parse(text, &q) ? (milli ? q.milli : q.value) : 0;
}

bool pool_pod_fits(const struct store_object *pod, const struct pool_room *room)
{
	const struct view_pod *view = view_pod(pod);
	const struct kt_json *taint, *tolerations = kt_get(view->spec, "tolerations");
	KT_JSON_EACH (taint, room->taints) {
		if (!kt_streq(kt_get_str(taint, "effect"), "PreferNoSchedule") &&
		    !controller_tolerates(tolerations, taint))
			return false;
	}
	return view->requests.cpu_milli <= room->left.cpu_milli &&
	       view->requests.memory <= room->left.memory && room->left.pods >= 1 &&
	       controller_affinity_fits(view->spec, room->labels, room->node);
}

void pool_take(const struct store_object *pod, struct pool_room *room)
{
	const struct view_pod *view = view_pod(pod);
	room->left.cpu_milli -= view->requests.cpu_milli;
	room->left.memory -= view->requests.memory;
	room->left.pods--;
}

static struct pool_room room_of(const struct kt_json *node, const char *name)
{
	const struct kt_json *has = kt_path(node, "status.allocatable");
	return (struct pool_room){.labels = view_labels(node),
	                          .taints = kt_path(node, "spec.taints"),
	                          .node = name,
	                          .left = {.cpu_milli = amount(has, "cpu", true),
	                                   .memory = amount(has, "memory", false),
	                                   .pods = amount(has, "pods", false)}};
}

/* --- growing --- */
static bool is_stuck(const struct store_object *pod)
{
	const struct view_pod *view = view_pod(pod);
	const struct kt_json *scheduled =
	        controller_condition(kt_get(view->status, "conditions"), "PodScheduled");
	return !view->node && !view->deleting && !pool_is_daemon(pod) &&
	       kt_streq(kt_get_str(scheduled, "reason"), "Unschedulable");
}

static struct coming *order_machine(struct cluster *cluster, struct controller_queue *queue,
                                    struct pool *pool)
{
	struct autoscaler *state = queue->state;
	struct coming *coming = kt_alloc(sizeof(*coming)), **last = &state->coming;
	char suffix[6] = "";
	kt_random_name(cluster_random(cluster), suffix, 5);
	coming->node = kt_json_ref(pool->model);
	char *name = kt_strf("%s-%s", pool->name, suffix);
	kt_set_path(&coming->node, "metadata.name", kt_json_str(name));
	controller_set_label(&coming->node, "kubernetes.io/hostname", name);
	kt_free(name);
	coming->ready = cluster_now(cluster) + BOOT;
	while (*last)
		last = &(*last)->next;
	*last = coming;
	state->grown_at = cluster_now(cluster);
	pool->count++;
	return coming;
}

static struct pool *cheapest(struct pools *pools, const struct store_object *pod, bool *full)
{
	struct pool *best = NULL;
	for (size_t i = 0; i < pools->count; i++) {
		struct pool *pool = &pools->items[i];
		struct pool_room room = room_of(pool->model, pool->name);
		if (!pool_pod_fits(pod, &room))
			continue;
		if (pool->count >= pool->max)
			*full = true;
		else if (!best || pool->price < best->price)
			best = pool;
	}
	return best;
}

struct rooms {
	struct pool_room *items;
	size_t count, cap;
};

static void grow_for(struct cluster *cluster, struct controller_queue *queue, struct pools *pools,
                     struct rooms *rooms, const struct store_object *pod)
{
	struct api_actor actor = controller_actor(queue, pod);
	bool full = false;
	for (size_t i = 0; i < rooms->count; i++) {
		if (pool_pod_fits(pod, &rooms->items[i])) {
			pool_take(pod, &rooms->items[i]);
			return;
		}
	}
	struct pool *pool = cheapest(pools, pod, &full);
	if (!pool) {
		api_event(
		        cluster, &actor, pod, "Normal", "NotTriggerScaleUp", NULL, NULL, "%s%s",
		        "pod didn't trigger scale-up: ",
		        full ? "1 max node group size reached"
		             : "1 node(s) didn't match Pod's node affinity/selector or have too little room");
		return;
	}
	struct coming *coming = order_machine(cluster, queue, pool);
	api_event(cluster, &actor, pod, "Normal", "TriggeredScaleUp", NULL, NULL,
	          "pod triggered scale-up: [{%s %lld->%lld (max: %lld)}]", pool->name,
	          (long long)pool->count - 1, (long long)pool->count, (long long)pool->max);
	rooms->items = kt_grow(rooms->items, &rooms->cap, rooms->count + 1, sizeof(*rooms->items));
	rooms->items[rooms->count] = room_of(coming->node, kt_path_str(coming->node, "metadata.name"));
	pool_take(pod, &rooms->items[rooms->count++]);
}

static void grow(struct cluster *cluster, struct controller_queue *queue, struct pools *pools)
{
	struct autoscaler *state = queue->state;
	struct rooms rooms = {0};
	struct store_list stuck = {0};
	const struct store_object *pod, *node;
	STORE_EACH (pod, cluster_store(cluster), queue->kinds->pod, NULL) {
		if (is_stuck(pod))
			controller_list_add(&stuck, pod);
	}
	/* a machine that just came has room that the scheduler has not used yet */
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		if (!stuck.count || !view_node(node)->ready || view_node(node)->unschedulable)
			continue;
		rooms.items = kt_grow(rooms.items, &rooms.cap, rooms.count + 1, sizeof(*rooms.items));
		rooms.items[rooms.count++] = pool_room_left(cluster, node);
	}
	for (const struct coming *coming = state->coming; coming; coming = coming->next) {
		rooms.items = kt_grow(rooms.items, &rooms.cap, rooms.count + 1, sizeof(*rooms.items));
		rooms.items[rooms.count++] =
		        room_of(coming->node, kt_path_str(coming->node, "metadata.name"));
	}
	for (size_t i = 0; i < stuck.count; i++)
		grow_for(cluster, queue, pools, &rooms, stuck.items[i]);
	for (size_t i = 0; i < pools->count; i++) {
		while (pools->items[i].count < KT_MIN(pools->items[i].min, pools->items[i].max))
			order_machine(cluster, queue, &pools->items[i]);
	}
	store_list_clear(&stuck);
	kt_free(rooms.items);
}

static void let_in(struct cluster *cluster, struct controller_queue *queue)
{
	struct autoscaler *state = queue->state;
	struct api_actor actor = {.user = "system:node", .manager = "kubelet", .component = "kubelet"};
	while (state->coming && state->coming->ready <= cluster_now(cluster)) {
		struct coming *coming = state->coming;
		struct kt_json *now = controller_time(cluster_now(cluster));
		state->coming = coming->next;
		kt_set_path(&coming->node, "status.conditions",
		            kt_jsonf("[{type: 'Ready', status: 'True', lastHeartbeatTime: %J, "
		                     "lastTransitionTime: %J, "
		                     "reason: 'KubeletReady', message: 'kubelet is posting ready status'}]",
		                     now, now));
		kt_json_free(now);
		struct kt_json *status = kt_json_ref(kt_get(coming->node, "status"));
		const struct store_object *node =
		        api_create(cluster, &actor, queue->kinds->node, coming->node, NULL);
		if (node) /* creating drops the status */
			controller_write_status(cluster, &actor, node, kt_json_ref(status));
		kt_json_free(status);
		kt_free(coming);
	}
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	struct autoscaler *state = queue->state;
	struct pools pools = {0};
	(void)because;
	let_in(cluster, queue);
	find_pools(cluster, queue, &pools);
	if (pools.count) {
		grow(cluster, queue, &pools);
		pools_shrink(cluster, queue, &pools, &state->idle, state->grown_at);
		controller_add_after(cluster, queue, "", key, SCAN);
	}
	state->any = pools.count > 0;
	pools_clear(&pools);
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	struct autoscaler *state = queue->state;
	if (!state->any && event->object->kind == queue->kinds->node &&
	    controller_annotation(event->object->json, POOL_MAX))
		controller_add_after(cluster, queue, "", "scan", SCAN);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	queue->state = kt_alloc(sizeof(struct autoscaler));
	controller_add_after(cluster, queue, "", "scan", SCAN);
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	struct autoscaler *state = queue->state;
	(void)cluster;
	while (state->coming) {
		struct coming *coming = state->coming;
		state->coming = coming->next;
		kt_json_free(coming->node);
		kt_free(coming);
	}
	pool_idle_clear(&state->idle);
	kt_free(state);
}

const struct controller controller_node_pools = {
        .name = "cluster-autoscaler",
        .component = "cluster-autoscaler",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 10 * KT_MS,
};

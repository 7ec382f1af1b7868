/* SPDX-License-Identifier: MIT */
/* Nodes that fall silent (kubernetes pkg/controller/nodelifecycle/node_lifecycle_controller.go): conditions
 * become Unknown, taints follow, at a rate that depends on how much of the zone is lost. Keys: "monitor"
 * (each 5 s), "taint" (while nodes wait for their NoExecute taint), "node/NAME" (NoSchedule taints). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>
#include "cluster/controllers/hash.h"

#define MONITOR       (5 * KT_SEC)
#define GRACE         (50 * KT_SEC)
#define STARTUP_GRACE (60 * KT_SEC)
#define TAINT_PASS    (100 * KT_MS)
#define RATE          (10 * KT_SEC)  /* one node in: 0.1 a second */
#define RATE_SLOW     (100 * KT_SEC) /* 0.01 a second */
#define LARGE_ZONE    50
#define NOT_READY     "node.kubernetes.io/not-ready"
#define UNREACHABLE   "node.kubernetes.io/unreachable"

enum zone_state { ZONE_INITIAL, ZONE_NORMAL, ZONE_PARTIAL, ZONE_FULL };
struct zone {
	UT_hash_handle hh;
	enum zone_state state;
	kt_ns period; /* between two taints; 0: none at all */
	kt_ns last;   /* the last one; 0 none */
	size_t ready, not_ready;
	bool seen;
	char name[];
};
struct health {
	UT_hash_handle hh;
	kt_ns probe;       /* when a sign of life was last seen */
	char *renew;       /* the lease's renewTime then */
	char *heartbeat;   /* the Ready condition's lastHeartbeatTime then */
	const char *taint; /* the NoExecute taint it waits for; NULL none */
	kt_ns waiting;     /* since when: first come, first tainted */
	bool seen, retry;
	char name[];
};
struct lifecycle {
	struct zone *zones;
	struct health *nodes;
};

/* --- memory --- */
static struct health *health_of(struct lifecycle *state, const struct store_object *node, kt_ns now)
{
	struct health *health;
	HASH_FIND_STR(state->nodes, node->name, health);
	if (!health) {
		size_t len = strlen(node->name);
		health = kt_alloc(sizeof(*health) + len + 1);
		memcpy(health->name, node->name, len + 1);
		health->probe = now;
		HASH_ADD_STR(state->nodes, name, health);
	}
	return health;
}

static void health_free(struct lifecycle *state, struct health *health)
{
	HASH_DEL(state->nodes, health);
	kt_free(health->renew);
	kt_free(health->heartbeat);
	kt_free(health);
}

static struct zone *zone_of(struct lifecycle *state, const struct store_object *node)
{
	const struct view_node *view = view_node(node);
	char *name = kt_strf("%s:%s", view->region ? view->region : "", view->zone ? view->zone : "");
	struct zone *zone;
	HASH_FIND_STR(state->zones, name, zone);
	if (!zone) {
		size_t len = strlen(name);
		zone = kt_alloc(sizeof(*zone) + len + 1);
		memcpy(zone->name, name, len + 1);
		zone->period = RATE;
		HASH_ADD_STR(state->zones, name, zone);
	}
	kt_free(name);
	return zone;
}

/* --- taints --- */
static bool same_taint(const struct kt_json *taint, const char *key, const char *effect)
{
	return kt_streq(kt_get_str(taint, "key"), key) && kt_streq(kt_get_str(taint, "effect"), effect);
}

static bool has_taint(const struct kt_json *taints, const char *key, const char *effect)
{
	const struct kt_json *taint;
	KT_JSON_EACH (taint, taints) {
		if (same_taint(taint, key, effect))
			return true;
	}
	return false;
}

/* Set or take away one taint in a list; true if it changed. */
static bool put_taint(struct kt_json **taints, const char *key, const char *effect, bool wanted, kt_ns now)
{
	bool there = has_taint(*taints, key, effect);
	if (there == wanted)
		return false;
	if (wanted) {
		kt_push(taints,
		        kt_jsonf("{key: %s, effect: %s, timeAdded: %j}", key, effect, controller_time(now)));
		return true;
	}
	for (size_t i = kt_count(*taints); i-- > 0;) {
		if (same_taint(kt_at(*taints, i), key, effect))
			kt_remove(taints, i);
	}
	return true;
}

static void write_taints(struct cluster *cluster, const struct api_actor *actor,
                         const struct store_object *node, struct kt_json *steal, bool changed)
{
	struct kt_json *json;
	if (!changed) {
		kt_json_free(steal);
		return;
	}
	json = kt_json_ref(node->json);
	if (!kt_count(steal))
		kt_json_freep(&steal);
	kt_set_path(&json, "spec.taints", steal);
	controller_write(cluster, actor, node, json);
}

/* condition, its bad status, the taint */
static const struct {
	const char *condition, *status, *taint;
} scheduling_taints[] = {
        {"Ready", "False", NOT_READY},
        {"Ready", "Unknown", UNREACHABLE},
        {"MemoryPressure", "True", "node.kubernetes.io/memory-pressure"},
        {"DiskPressure", "True", "node.kubernetes.io/disk-pressure"},
        {"NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"},
        {"PIDPressure", "True", "node.kubernetes.io/pid-pressure"},
};

static const struct kt_json *condition_of(const struct store_object *node, const char *type)
{
	return controller_condition(kt_path(node->json, "status.conditions"), type);
}

static void taint_for_conditions(struct cluster *cluster, struct controller_queue *queue,
                                 const struct store_object *node)
{
	struct api_actor actor = controller_actor(queue, node);
	struct kt_json *taints = kt_json_ref(kt_path(node->json, "spec.taints"));
	kt_ns now = cluster_now(cluster);
	bool changed = false;
	for (size_t i = 0; i < KT_COUNT(scheduling_taints); i++) {
		const struct kt_json *condition = condition_of(node, scheduling_taints[i].condition);
		bool bad = kt_streq(kt_get_str(condition, "status"), scheduling_taints[i].status);
		changed |= put_taint(&taints, scheduling_taints[i].taint, "NoSchedule", bad, now);
	}
	changed |= put_taint(&taints, "node.kubernetes.io/unschedulable", "NoSchedule",
	                     view_node(node)->unschedulable, now);
	write_taints(cluster, &actor, node, taints, changed);
}

/* Only `key` (NULL: none) of the two NoExecute taints of lost nodes stays. */
static bool taint_no_execute(struct cluster *cluster, struct controller_queue *queue,
                             const struct store_object *node, const char *key)
{
	struct api_actor actor = controller_actor(queue, node);
	struct kt_json *taints = kt_json_ref(kt_path(node->json, "spec.taints"));
	kt_ns now = cluster_now(cluster);
	bool changed = put_taint(&taints, NOT_READY, "NoExecute", kt_streq(key, NOT_READY), now);
	changed |= put_taint(&taints, UNREACHABLE, "NoExecute", kt_streq(key, UNREACHABLE), now);
	write_taints(cluster, &actor, node, taints, changed);
	return changed;
}

/* --- health --- */
static const struct kt_json *lease_of(struct cluster *cluster, struct controller_queue *queue,
                                      const char *node)
{
	const struct store_object *lease =
	        store_get(cluster_store(cluster), queue->kinds->lease, "kube-node-lease", node);
	return lease ? kt_path(lease->json, "spec.renewTime") : NULL;
}

static bool remember(char **slot, const char *text)
{
	if (!text || kt_streq(*slot, text))
		return false;
	kt_free(*slot);
	*slot = kt_strdup(text);
	return true;
}

static void silence(struct cluster *cluster, struct kt_json **conditions, const char *type)
{
	const struct kt_json *old = controller_condition(*conditions, type);
	kt_ns now = cluster_now(cluster);
	if (!old) {
		kt_push(conditions, kt_jsonf("{type: %s, status: 'Unknown', lastHeartbeatTime: %j, "
		                             "lastTransitionTime: %j, reason: 'NodeStatusNeverUpdated', "
		                             "message: 'Kubelet never posted node status.'}",
		                             type, controller_time(now), controller_time(now)));
		return;
	}
	if (kt_streq(kt_get_str(old, "status"), "Unknown"))
		return;
	ptrdiff_t at = kt_find(*conditions, "type", type);
	struct kt_json **slot = kt_edit_at(conditions, (size_t)at);
	kt_set(slot, "status", kt_json_str("Unknown"));
	kt_set(slot, "lastTransitionTime", controller_time(now));
	kt_set(slot, "reason", kt_json_str("NodeStatusUnknown"));
	kt_set(slot, "message", kt_json_str("Kubelet stopped posting node status."));
}

static void fall_silent(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *node)
{
	static const char *const types[] = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"};
	struct api_actor actor = controller_actor(queue, node);
	struct kt_json *status = kt_json_ref(kt_get(node->json, "status"));
	for (size_t i = 0; i < KT_COUNT(types); i++)
		silence(cluster, kt_edit(&status, "conditions"), types[i]);
	controller_write_status(cluster, &actor, node, status);
}

static bool mark_pod_not_ready(struct cluster *cluster, struct controller_queue *queue,
                               const struct store_object *pod)
{
	ptrdiff_t at = kt_find(kt_path(pod->json, "status.conditions"), "type", "Ready");
	if (!view_pod(pod)->ready || at < 0)
		return true;
	struct api_actor actor = controller_actor(queue, pod);
	struct kt_json *status = kt_json_ref(kt_get(pod->json, "status"));
	struct kt_json **slot = kt_edit_at(kt_edit(&status, "conditions"), (size_t)at);
	kt_set(slot, "status", kt_json_str("False"));
	kt_set(slot, "lastTransitionTime", controller_time(cluster_now(cluster)));
	const struct store_object *now = controller_write_status(cluster, &actor, pod, status);
	if (now)
		api_event(cluster, &actor, now, "Warning", "NodeNotReady", NULL, NULL, "Node is not ready");
	return now != NULL;
}

static void mark_pods_not_ready(struct cluster *cluster, struct controller_queue *queue,
                                struct health *health)
{
	struct store_list pods = {0};
	health->retry = false;
	store_pods_on_node(cluster_store(cluster), health->name, &pods);
	for (size_t i = 0; i < pods.count; i++)
		health->retry |= !mark_pod_not_ready(cluster, queue, pods.items[i]);
	store_list_clear(&pods);
}

/* What the observed state of Ready asks for; the tainting itself waits for the zone's rate. */
static void plan_taint(struct cluster *cluster, struct controller_queue *queue,
                       const struct store_object *node, struct health *health, const char *observed)
{
	const char *wanted = kt_streq(observed, "True")    ? NULL
	                     : kt_streq(observed, "False") ? NOT_READY
	                                                   : UNREACHABLE;
	const char *other = kt_streq(wanted, NOT_READY) ? UNREACHABLE : NOT_READY;
	const struct kt_json *taints = kt_path(node->json, "spec.taints");
	if (!wanted) {
		health->taint = NULL;
		taint_no_execute(cluster, queue, node, NULL);
	} else if (has_taint(taints, other, "NoExecute")) {
		taint_no_execute(cluster, queue, node, wanted); /* it was counted already */
	} else if (!has_taint(taints, wanted, "NoExecute") && !health->taint) {
		health->taint = wanted;
		health->waiting = cluster_now(cluster);
		controller_add_after(cluster, queue, "", "taint", TAINT_PASS);
	} else if (health->taint) {
		health->taint = wanted;
	}
}

static void monitor_node(struct cluster *cluster, struct controller_queue *queue,
                         const struct store_object *node)
{
	struct lifecycle *state = queue->state;
	kt_ns now = cluster_now(cluster), grace = GRACE;
	struct health *health = health_of(state, node, now);
	const struct kt_json *ready = condition_of(node, "Ready");
	health->seen = true;
	if (!ready) {
		grace = STARTUP_GRACE;
		health->probe = controller_created(node);
	}
	if (remember(&health->heartbeat, kt_get_str(ready, "lastHeartbeatTime")))
		health->probe = now;
	if (remember(&health->renew, kt_str(lease_of(cluster, queue, node->name))))
		health->probe = now;
	char *observed = kt_strdup(kt_str_or(kt_get(ready, "status"), "Unknown"));
	if (now > health->probe + grace)
		fall_silent(cluster, queue, node);
	const struct store_object *current =
	        store_get(cluster_store(cluster), queue->kinds->node, "", node->name);
	if (current && condition_of(current, "Ready")) {
		const char *status = kt_str_or(kt_get(condition_of(current, "Ready"), "status"), "Unknown");
		bool is_ready = kt_streq(status, "True");
		current = store_ref(current);
		plan_taint(cluster, queue, current, health, observed);
		if (!is_ready && kt_streq(observed, "True")) {
			struct api_actor actor = controller_actor(queue, current);
			api_event(cluster, &actor, current, "Normal", "NodeNotReady", NULL, NULL,
			          "Node %s status is now: NodeNotReady", current->name);
			mark_pods_not_ready(cluster, queue, health);
		} else if (health->retry && !kt_streq(observed, "True")) {
			mark_pods_not_ready(cluster, queue, health);
		}
		struct zone *zone = zone_of(state, current);
		zone->seen = true;
		if (is_ready)
			zone->ready++;
		else
			zone->not_ready++;
		store_unref(current);
	}
	kt_free(observed);
}

/* --- zones --- */
static enum zone_state judge(const struct zone *zone)
{
	if (!zone->ready && zone->not_ready)
		return ZONE_FULL;
	if (zone->not_ready > 2 && (double)zone->not_ready / (double)(zone->ready + zone->not_ready) >= 0.55)
		return ZONE_PARTIAL;
	return ZONE_NORMAL;
}

static void set_zone(struct zone *zone, enum zone_state next)
{
	static const kt_ns periods[] = {RATE, RATE, 0, RATE};
	zone->state = next;
	zone->period = periods[next];
	if (next == ZONE_PARTIAL && zone->ready + zone->not_ready > LARGE_ZONE)
		zone->period = RATE_SLOW;
}

/* When everything seems lost it is more likely that the control plane is cut off: nothing is evicted. */
static void judge_zones(struct cluster *cluster, struct controller_queue *queue, struct store_list *nodes)
{
	struct lifecycle *state = queue->state;
	struct zone *zone, *next;
	bool all = true, all_before = true;
	HASH_ITER (hh, state->zones, zone, next) {
		if (!zone->seen) {
			HASH_DEL(state->zones, zone);
			kt_free(zone);
			continue;
		}
		all &= judge(zone) == ZONE_FULL;
		all_before &= zone->state == ZONE_FULL;
	}
	if (!state->zones || (all && all_before))
		return;
	for (size_t i = 0; i < nodes->count; i++) {
		const struct store_object *node =
		        store_get(cluster_store(cluster), queue->kinds->node, "", nodes->items[i]->name);
		struct health *health = node ? health_of(state, node, cluster_now(cluster)) : NULL;
		if (all && node) {
			health->taint = NULL;
			taint_no_execute(cluster, queue, node, NULL);
		} else if (all_before && node) {
			health->probe = cluster_now(cluster);
		}
	}
	HASH_ITER (hh, state->zones, zone, next) {
		enum zone_state now = judge(zone);
		if (now != zone->state || all_before)
			set_zone(zone, now);
		if (all)
			zone->period = 0;
	}
}

static void monitor(struct cluster *cluster, struct controller_queue *queue)
{
	struct lifecycle *state = queue->state;
	struct store_list nodes = {0};
	struct zone *zone, *next_zone;
	struct health *health, *next;
	HASH_ITER (hh, state->zones, zone, next_zone) {
		zone->ready = zone->not_ready = 0;
		zone->seen = false;
	}
	HASH_ITER (hh, state->nodes, health, next)
		health->seen = false;
	store_list(cluster_store(cluster), queue->kinds->node, NULL, &nodes);
	for (size_t i = 0; i < nodes.count; i++)
		monitor_node(cluster, queue, nodes.items[i]);
	HASH_ITER (hh, state->nodes, health, next) {
		if (!health->seen)
			health_free(state, health);
	}
	judge_zones(cluster, queue, &nodes);
	store_list_clear(&nodes);
	controller_add_after(cluster, queue, "", "monitor", MONITOR);
}

/* --- the queue of nodes that wait for their NoExecute taint --- */
static struct health *next_waiting(struct cluster *cluster, struct controller_queue *queue, struct zone *zone)
{
	struct lifecycle *state = queue->state;
	struct health *health, *following, *first = NULL;
	HASH_ITER (hh, state->nodes, health, following) {
		if (!health->taint || (first && first->waiting <= health->waiting))
			continue;
		const struct store_object *node =
		        store_get(cluster_store(cluster), queue->kinds->node, "", health->name);
		if (node && zone_of(state, node) == zone)
			first = health;
	}
	return first;
}

static void taint_pass(struct cluster *cluster, struct controller_queue *queue)
{
	struct lifecycle *state = queue->state;
	struct zone *zone, *next;
	kt_ns now = cluster_now(cluster);
	bool more = false;
	HASH_ITER (hh, state->zones, zone, next) {
		struct health *health = next_waiting(cluster, queue, zone);
		if (!health)
			continue;
		more = true;
		if (!zone->period || (zone->last && now < zone->last + zone->period))
			continue;
		const struct store_object *node =
		        store_get(cluster_store(cluster), queue->kinds->node, "", health->name);
		const char *taint = health->taint;
		health->taint = NULL;
		zone->last = now;
		taint_no_execute(cluster, queue, node, taint);
	}
	if (more)
		controller_add_after(cluster, queue, "", "taint", TAINT_PASS);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	(void)because;
	if (kt_streq(key, "monitor")) {
		monitor(cluster, queue);
	} else if (kt_streq(key, "taint")) {
		taint_pass(cluster, queue);
	} else if (kt_starts(key, "node/")) {
		const struct store_object *node =
		        store_get(cluster_store(cluster), queue->kinds->node, "", key + strlen("node/"));
		if (node && !view_is_deleting(node->json))
			taint_for_conditions(cluster, queue, node);
	}
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *node = event->object;
	if (node->kind != queue->kinds->node)
		return;
	struct api_actor actor = controller_actor(queue, node);
	if (event->change == STORE_DELETED) {
		api_event(cluster, &actor, node, "Normal", "RemovingNode", NULL, NULL,
		          "Node %s event: Removing Node %s from Controller", node->name, node->name);
		return;
	}
	if (event->change == STORE_ADDED) {
		api_event(cluster, &actor, node, "Normal", "RegisteredNode", NULL, NULL,
		          "Node %s event: Registered Node %s in Controller", node->name, node->name);
	} else if (event->old) {
		bool same = kt_equal(kt_get(node->json, "spec"), kt_get(event->old->json, "spec"));
		for (size_t i = 0; same && i < KT_COUNT(scheduling_taints); i++) {
			const char *type = scheduling_taints[i].condition;
			same = kt_streq(kt_get_str(condition_of(node, type), "status"),
			                kt_get_str(condition_of(event->old, type), "status"));
		}
		if (same)
			return;
	}
	controller_add(cluster, queue, "node", node->name, node);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *node;
	queue->state = kt_alloc(sizeof(struct lifecycle));
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL)
		controller_add(cluster, queue, "node", node->name, NULL);
	controller_add_after(cluster, queue, "", "monitor", MONITOR);
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	struct lifecycle *state = queue->state;
	struct zone *zone, *next_zone;
	struct health *health, *next;
	(void)cluster;
	HASH_ITER (hh, state->zones, zone, next_zone) {
		HASH_DEL(state->zones, zone);
		kt_free(zone);
	}
	HASH_ITER (hh, state->nodes, health, next)
		health_free(state, health);
	kt_free(state);
}

const struct controller controller_node_lifecycle = {
        .name = "nodelifecycle",
        .component = "node-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 5 * KT_MS,
};

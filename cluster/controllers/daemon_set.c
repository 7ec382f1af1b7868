/* SPDX-License-Identifier: MIT */
/* The DaemonSet controller (kubernetes pkg/controller/daemon): a pod on every node that takes it. */
#include "cluster/controllers/daemon_set.h"
#include <string.h>

struct spot {                            /* one node and its pods */
	const struct store_object *node; /* NULL: the node is gone */
	struct store_list pods;          /* oldest first */
	bool run, stay;
	const struct store_object *fresh, *old; /* of the current template, and of any other; not deleting */
};
struct daemon_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *set;
	struct store_list nodes, pods;
	struct spot *spots; /* by node, in order of `nodes` */
	char hash[16];
	int64_t wait;
	kt_ns now;
	bool failed, changed;
};

/* The node that a pod is on or meant for. */
static const char *node_of(const struct store_object *pod)
{
	const struct view_pod *view = view_pod(pod);
	if (view->node)
		return view->node;
	return kt_path_str(view->spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
	                               "nodeSelectorTerms.0.matchFields.0.values.0");
}

static struct spot *spot_of(struct daemon_sync *sync, const char *node)
{
	/* nodes are in order of name */
	size_t low = 0, high = sync->nodes.count;
	while (node && low < high) {
		size_t middle = (low + high) / 2;
		int c = strcmp(sync->nodes.items[middle]->name, node);
		if (c == 0)
			return &sync->spots[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_fresh(const struct daemon_sync *sync, const struct store_object *pod)
{
	return kt_streq(controller_label(pod->json, DAEMON_HASH), sync->hash);
}

static bool delete_pod(struct daemon_sync *sync, const struct store_object *pod)
{
	struct api_status status = {0};
	bool done = controller_delete(sync->cluster, &sync->actor, pod, NULL, &status);
	if (done)
		api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulDelete", NULL, NULL,
		          "Deleted pod: %s", pod->name);
	else if (status.code != 404)
		sync->failed = true;
	sync->changed |= done;
	api_status_clear(&status);
	return done;
}

static bool create_pod(struct daemon_sync *sync, const char *node)
{
	struct api_status status = {0};
	const struct store_object *pod = api_create(sync->cluster, &sync->actor, sync->queue->kinds->pod,
	                                            daemon_pod(sync->set, node, sync->hash), &status);
	if (pod) {
		sync->changed = true;
		api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulCreate", NULL, NULL,
		          "Created pod: %s", pod->name);
	} else {
		sync->failed = true;
		api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedCreate", NULL, NULL,
		          "Error creating: %s", status.message ? status.message : "");
	}
	api_status_clear(&status);
	return pod != NULL;
}

/* --- where pods are --- */
static void place_pods(struct daemon_sync *sync)
{
	sync->spots = kt_alloc((sync->nodes.count + 1) * sizeof(*sync->spots));
	for (size_t i = 0; i < sync->nodes.count; i++) {
		sync->spots[i].node = sync->nodes.items[i];
		daemon_fits(sync->set, sync->nodes.items[i], &sync->spots[i].run, &sync->spots[i].stay);
	}
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		struct spot *spot = spot_of(sync, node_of(pod));
		if (spot)
			controller_list_add(&spot->pods, pod);
		else if (!view_pod(pod)->node && !view_pod(pod)->deleting)
			delete_pod(sync, pod); /* waits for a node that is gone */
	}
	for (size_t i = 0; i < sync->nodes.count; i++) {
		struct spot *spot = &sync->spots[i];
		controller_list_sort(&spot->pods, controller_by_creation);
		for (size_t k = 0; k < spot->pods.count; k++) {
			const struct store_object *pod = spot->pods.items[k];
			if (view_pod(pod)->deleting)
				continue;
			if (is_fresh(sync, pod))
				spot->fresh = pod;
			else
				spot->old = pod;
		}
	}
}

/* Pods that ended are replaced; of several the oldest stays. */
static void tidy(struct daemon_sync *sync, struct spot *spot, bool surge)
{
	size_t running = 0;
	for (size_t i = 0; i < spot->pods.count; i++) {
		const struct store_object *pod = spot->pods.items[i];
		const struct view_pod *view = view_pod(pod);
		if (view->deleting)
			continue;
		if (view->phase == VIEW_FAILED || view->phase == VIEW_SUCCEEDED) {
			bool failed = view->phase == VIEW_FAILED;
			api_event(
			        sync->cluster, &sync->actor, sync->set, failed ? "Warning" : "Normal",
			        failed ? "FailedDaemonPod" : "SucceededDaemonPod", NULL, NULL,
			        failed ? "Found failed daemon pod %s/%s on node %s, will try to kill it"
			               : "Found succeeded daemon pod %s/%s on node %s, will try to delete it",
			        pod->ns, pod->name, spot->node->name);
			delete_pod(sync, pod);
		} else if (running++ && !surge) {
			delete_pod(sync, pod);
		}
	}
}

static void manage(struct daemon_sync *sync, bool surge)
{
	int64_t batch = 1, in_batch = 0;
	bool refused = false;
	for (size_t i = 0; i < sync->nodes.count; i++) {
		struct spot *spot = &sync->spots[i];
		if (spot->run && !spot->pods.count) {
			if (refused)
				continue;
			bool made = create_pod(sync, spot->node->name);
			if (++in_batch == batch) {
				refused = !made;
				in_batch = 0;
				batch *= 2;
			}
		} else if (spot->stay) {
			tidy(sync, spot, surge);
		} else {
			for (size_t k = 0; k < spot->pods.count; k++) {
				if (!view_pod(spot->pods.items[k])->deleting)
					delete_pod(sync, spot->pods.items[k]);
			}
		}
	}
}

/* --- updates --- */
static bool available(const struct daemon_sync *sync, const struct store_object *pod)
{
	return controller_pod_available(view_pod(pod), sync->wait, sync->now);
}

static int64_t desired_count(const struct daemon_sync *sync)
{
	int64_t count = 0;
	for (size_t i = 0; i < sync->nodes.count; i++)
		count += sync->spots[i].run;
	return count;
}

/* Old pods that do not work anyway go first, then as many as may be unavailable. */
static void roll(struct daemon_sync *sync, int64_t most)
{
	int64_t unavailable = 0;
	for (size_t i = 0; i < sync->nodes.count; i++) {
		const struct spot *spot = &sync->spots[i];
		if (!spot->run)
			continue;
		const struct store_object *pod = spot->fresh ? spot->fresh : spot->old;
		unavailable += !pod || !available(sync, pod);
	}
	int64_t left = most - unavailable;
	for (size_t i = 0; i < sync->nodes.count; i++) {
		const struct spot *spot = &sync->spots[i];
		if (spot->run && !spot->fresh && spot->old && !available(sync, spot->old))
			delete_pod(sync, spot->old);
	}
	for (size_t i = 0; i < sync->nodes.count && left > 0; i++) {
		const struct spot *spot = &sync->spots[i];
		if (spot->run && !spot->fresh && spot->old && available(sync, spot->old) &&
		    delete_pod(sync, spot->old))
			left--;
	}
}

/* With surge: the new pod comes first, the old one goes when it is available. */
static void roll_surge(struct daemon_sync *sync, int64_t surge)
{
	int64_t both = 0;
	for (size_t i = 0; i < sync->nodes.count; i++) {
		const struct spot *spot = &sync->spots[i];
		both += spot->run && spot->fresh && spot->old;
	}
	for (size_t i = 0; i < sync->nodes.count; i++) {
		const struct spot *spot = &sync->spots[i];
		if (!spot->run || !spot->old)
			continue;
		if (spot->fresh) {
			if (available(sync, spot->fresh))
				delete_pod(sync, spot->old);
		} else if (!available(sync, spot->old) || both < surge) {
			both += available(sync, spot->old);
			create_pod(sync, spot->node->name);
		}
	}
}

static void update(struct daemon_sync *sync)
{
	const struct kt_json *strategy = kt_path(sync->set->json, "spec.updateStrategy");
	const struct kt_json *limits = kt_get(strategy, "rollingUpdate");
	if (kt_streq(kt_get_str(strategy, "type"), "OnDelete"))
		return;
	int64_t desired = desired_count(sync);
	int64_t surge = controller_int_or_percent(kt_get(limits, "maxSurge"), desired, true, 0);
	int64_t most = controller_int_or_percent(kt_get(limits, "maxUnavailable"), desired, true, 1);
	if (surge == 0 && most == 0)
		most = 1;
	if (surge)
		roll_surge(sync, surge);
	else
		roll(sync, most);
}

/* --- status --- */
static void write_status(struct daemon_sync *sync)
{
	int64_t desired = 0, current = 0, missed = 0, ready = 0, updated = 0, usable = 0;
	for (size_t i = 0; i < sync->nodes.count; i++) {
		const struct spot *spot = &sync->spots[i];
		const struct store_object *pod = spot->pods.count ? spot->pods.items[0] : NULL;
		desired += spot->run;
		missed += !spot->run && pod;
		current += spot->run && pod;
		if (!spot->run || !pod)
			continue;
		ready += view_pod(pod)->ready;
		usable += available(sync, pod);
		updated += is_fresh(sync, pod);
	}
	struct kt_json *status =
	        kt_jsonf("{currentNumberScheduled: %l, numberMisscheduled: %l, desiredNumberScheduled: %l, "
	                 "numberReady: %l, observedGeneration: %l}",
	                 current, missed, desired, ready, controller_generation(sync->set));
	if (updated)
		kt_set(&status, "updatedNumberScheduled", kt_json_int(updated));
	if (usable)
		kt_set(&status, "numberAvailable", kt_json_int(usable));
	if (desired - usable > 0)
		kt_set(&status, "numberUnavailable", kt_json_int(desired - usable));
	if (!controller_write_status(sync->cluster, &sync->actor, sync->set, status))
		sync->failed = true;
}

static void look_again(struct daemon_sync *sync)
{
	kt_ns next = 0;
	for (size_t i = 0; sync->wait && i < sync->pods.count; i++) {
		const struct view_pod *pod = view_pod(sync->pods.items[i]);
		kt_ns when = pod->ready_since + sync->wait * KT_SEC;
		if (pod->ready && when > sync->now && (!next || when < next))
			next = when;
	}
	if (next)
		controller_add_after(sync->cluster, sync->queue, sync->set->ns, sync->set->name,
		                     next - sync->now);
}

static void trim_history(struct daemon_sync *sync, const struct store_list *history)
{
	struct kt_strs live = {0};
	for (size_t i = 0; i < history->count; i++) {
		const char *hash = controller_label(history->items[i]->json, DAEMON_HASH);
		bool used = kt_streq(hash, sync->hash);
		for (size_t k = 0; k < sync->pods.count && !used; k++)
			used = kt_streq(controller_label(sync->pods.items[k]->json, DAEMON_HASH), hash);
		if (used)
			kt_strs_add(&live, history->items[i]->name);
	}
	controller_revision_trim(sync->cluster, sync->queue, sync->set, history, &live);
	kt_strs_clear(&live);
}

static void sync_set(struct daemon_sync *sync)
{
	struct store_list history = {0};
	int64_t collisions = kt_path_int(sync->set->json, "status.collisionCount", 0);
	controller_revision_list(sync->cluster, sync->queue, sync->set, &history);
	const struct store_object *revision =
	        controller_revision_sync(sync->cluster, sync->queue, sync->set, &history, &collisions);
	if (!revision) {
		sync->failed = true;
		store_list_clear(&history);
		return;
	}
	const char *hash = controller_label(revision->json, DAEMON_HASH);
	size_t len = hash ? strlen(hash) : 0;
	memcpy(sync->hash, hash ? hash : "", KT_MIN(len, sizeof(sync->hash) - 1));
	place_pods(sync);
	if (!view_is_deleting(sync->set->json)) {
		const struct kt_json *surge =
		        kt_path(sync->set->json, "spec.updateStrategy.rollingUpdate.maxSurge");
		manage(sync, controller_int_or_percent(surge, 100, true, 0) > 0);
		if (!sync->changed)
			update(sync);
	}
	write_status(sync);
	trim_history(sync, &history);
	look_again(sync);
	for (size_t i = 0; i < sync->nodes.count; i++)
		store_list_clear(&sync->spots[i].pods);
	kt_free(sync->spots);
	store_unref(revision);
	store_list_clear(&history);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *set = controller_get(cluster, queue->kinds->daemon_set, key);
	if (!set)
		return true;
	struct daemon_sync sync = {.cluster = cluster,
	                           .queue = queue,
	                           .actor = controller_actor(queue, because ? because : set),
	                           .set = store_ref(set),
	                           .wait = kt_path_int(set->json, "spec.minReadySeconds", 0),
	                           .now = cluster_now(cluster)};
	controller_claim(cluster, queue, set, queue->kinds->pod, kt_path(set->json, "spec.selector"), false,
	                 &sync.pods);
	store_list(cluster_store(cluster), queue->kinds->node, NULL, &sync.nodes);
	sync_set(&sync);
	store_list_clear(&sync.pods);
	store_list_clear(&sync.nodes);
	store_unref(sync.set);
	return !sync.failed;
}

/* A heartbeat of a node changes nothing here. */
static bool node_matters(const struct store_event *event)
{
	if (!event->old || event->change != STORE_MODIFIED)
		return true;
	return !kt_equal(view_node(event->object)->labels, view_node(event->old)->labels) ||
	       !kt_equal(view_node(event->object)->taints, view_node(event->old)->taints);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->daemon_set)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == queue->kinds->pod)
		controller_add_owner(cluster, queue, queue->kinds->daemon_set, event, true, 0);
	else if (object->kind == queue->kinds->node && node_matters(event))
		controller_add_all(cluster, queue, queue->kinds->daemon_set);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->daemon_set);
}

const struct controller controller_daemon_set = {
        .name = "daemonset",
        .component = "daemonset-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

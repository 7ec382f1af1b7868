/* SPDX-License-Identifier: MIT */
/* The StatefulSet controller (kubernetes pkg/controller/statefulset/stateful_set_control.go): one pod to an
 * ordinal, up from the first, down from the last, updated from the last down to the partition. */
#include "cluster/controllers/stateful_set.h"
#include <stdlib.h>
#include <string.h>

/* How long a pod's name stays free before its successor takes it. `kubectl delete pod` asks for the pod, then
 * watches its name: a successor that came in between keeps it waiting for ever (kubectl
 * pkg/cmd/wait/delete.go). On real nodes the end of a pod takes longer than that. */
#define SUCCESSION (500 * KT_MS)

struct counts {
	int64_t replicas, ready, available, current, updated;
};
struct plan {
	const struct store_object **slots; /* by ordinal - start; NULL: not there */
	size_t slot_count;
	struct store_list condemned; /* ordinals beyond, ascending */
	int64_t start, wait;
	bool parallel;
	kt_ns now;
	struct counts counts;
};

/* --- judging pods --- */
static bool ready(const struct store_object *pod)
{
	return view_pod(pod)->phase == VIEW_RUNNING && view_pod(pod)->ready;
}

static bool available(const struct plan *plan, const struct store_object *pod)
{
	return ready(pod) && controller_pod_available(view_pod(pod), plan->wait, plan->now);
}

static bool at_revision(const struct store_object *pod, const struct store_object *revision)
{
	return kt_streq(controller_label(pod->json, "controller-revision-hash"), revision->name);
}

static bool rolling(const struct stateful_sync *sync)
{
	return !kt_streq(kt_path_str(sync->set->json, "spec.updateStrategy.type"), "OnDelete");
}

static int64_t partition(const struct stateful_sync *sync)
{
	return kt_path_int(sync->set->json, "spec.updateStrategy.rollingUpdate.partition", 0);
}

static int by_ordinal(const struct store_object *a, const struct store_object *b)
{
	const char *x = strrchr(a->name, '-'), *y = strrchr(b->name, '-');
	long long p = x ? strtoll(x + 1, NULL, 10) : 0, q = y ? strtoll(y + 1, NULL, 10) : 0;
	return (p > q) - (p < q);
}

static void make_plan(struct stateful_sync *sync, struct plan *plan)
{
	const struct kt_json *spec = kt_get(sync->set->json, "spec");
	plan->start = kt_path_int(spec, "ordinals.start", 0);
	plan->slot_count = (size_t)KT_MAX(kt_get_int(spec, "replicas", 1), 0);
	plan->slots = kt_alloc((plan->slot_count + 1) * sizeof(*plan->slots));
	plan->wait = kt_get_int(spec, "minReadySeconds", 0);
	plan->parallel = kt_streq(kt_get_str(spec, "podManagementPolicy"), "Parallel");
	plan->now = cluster_now(sync->cluster);
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		int64_t ordinal = stateful_ordinal(sync, pod->name), at = ordinal - plan->start;
		if (ordinal >= 0 && at >= 0 && (size_t)at < plan->slot_count)
			plan->slots[at] = pod;
		else if (ordinal >= 0)
			controller_list_add(&plan->condemned, pod);
		plan->counts.replicas++;
		plan->counts.ready += ready(pod);
		plan->counts.available += available(plan, pod);
		if (view_pod(pod)->deleting)
			continue;
		plan->counts.current += at_revision(pod, sync->current);
		plan->counts.updated += at_revision(pod, sync->update);
	}
	controller_list_sort(&plan->condemned, by_ordinal);
}

/* --- up: the pods of the ordinals that there should be --- */
static const struct store_object *revision_for(const struct stateful_sync *sync, const struct plan *plan,
                                               int64_t ordinal)
{
	const struct kt_json *update = kt_path(sync->set->json, "spec.updateStrategy.rollingUpdate");
	if (update && ordinal < plan->start + partition(sync))
		return sync->current;
	if (!update && rolling(sync) &&
	    ordinal < plan->start + kt_path_int(sync->set->json, "status.currentReplicas", 0))
		return sync->current;
	return sync->update;
}

static void count_made(struct stateful_sync *sync, struct plan *plan, const struct store_object *revision)
{
	plan->counts.replicas++;
	plan->counts.current += revision == sync->current || kt_streq(revision->name, sync->current->name);
	plan->counts.updated += kt_streq(revision->name, sync->update->name);
}

/* True: wait, nothing further may be done in this sync. */
static bool grow(struct stateful_sync *sync, struct plan *plan)
{
	for (size_t i = 0; i < plan->slot_count; i++) {
		const struct store_object *pod = plan->slots[i];
		const struct view_pod *view = pod ? view_pod(pod) : NULL;
		if (!pod && sync->pause > 0) {
			controller_add_after(sync->cluster, sync->queue, sync->set->ns, sync->set->name,
			                     sync->pause);
			return true;
		}
		if (!pod) {
			int64_t ordinal = plan->start + (int64_t)i;
			const struct store_object *revision = revision_for(sync, plan, ordinal);
			if (!stateful_create(sync, ordinal, revision))
				return true;
			count_made(sync, plan, revision);
			if (!plan->parallel)
				return true;
			continue;
		}
		if (view->phase == VIEW_FAILED || view->phase == VIEW_SUCCEEDED) {
			if (!view->deleting) {
				api_event(sync->cluster, &sync->actor, sync->set, "Warning",
				          view->phase == VIEW_FAILED ? "RecreatingFailedPod"
				                                     : "RecreatingTerminatedPod",
				          NULL, NULL, "StatefulSet %s/%s is recreating %s Pod %s",
				          sync->set->ns, sync->set->name,
				          view->phase == VIEW_FAILED ? "failed" : "terminated", pod->name);
				stateful_delete(sync, pod, false);
			}
			if (!plan->parallel)
				return true;
			continue;
		}
		if (!plan->parallel && (view->deleting || !ready(pod) || !available(plan, pod)))
			return true;
		stateful_keep_claims(sync, pod);
	}
	return false;
}

/* --- down --- */
static const struct store_object *first_unhealthy(const struct plan *plan)
{
	for (size_t i = 0; i < plan->slot_count; i++) {
		const struct store_object *pod = plan->slots[i];
		if (pod && (!ready(pod) || view_pod(pod)->deleting))
			return pod;
	}
	for (size_t i = 0; i < plan->condemned.count; i++) {
		const struct store_object *pod = plan->condemned.items[i];
		if (!ready(pod) || view_pod(pod)->deleting)
			return pod;
	}
	return NULL;
}

static bool shrink(struct stateful_sync *sync, struct plan *plan)
{
	const struct store_object *unhealthy = first_unhealthy(plan);
	for (size_t i = plan->condemned.count; i-- > 0;) {
		const struct store_object *pod = plan->condemned.items[i];
		if (view_pod(pod)->deleting) {
			if (!plan->parallel)
				return true;
			continue;
		}
		/* a healthy pod waits for the others; the one that is ill itself may go */
		if (!plan->parallel && (!ready(pod) || !available(plan, pod)) && pod != unhealthy)
			return true;
		if (!stateful_delete(sync, pod, true))
			return true;
		plan->counts.current -= at_revision(pod, sync->current);
		plan->counts.updated -= at_revision(pod, sync->update);
		if (!plan->parallel)
			return true;
	}
	return false;
}

/* --- update: from the last down to the partition, one at a time --- */
static void roll(struct stateful_sync *sync, struct plan *plan)
{
	int64_t least = partition(sync);
	for (size_t i = plan->slot_count; i-- > 0 && (int64_t)i >= least;) {
		const struct store_object *pod = plan->slots[i];
		if (!pod)
			return;
		if (!at_revision(pod, sync->update) && !view_pod(pod)->deleting) {
			if (stateful_delete(sync, pod, false) && at_revision(pod, sync->current))
				plan->counts.current--;
			return;
		}
		if (!ready(pod) || view_pod(pod)->deleting)
			return;
	}
}

/* --- status --- */
static void put_count(struct kt_json **status, const char *name, int64_t count)
{
	if (count > 0)
		kt_set(status, name, kt_json_int(count));
}

static void write_status(struct stateful_sync *sync, const struct plan *plan, int64_t collisions)
{
	struct counts counts = plan->counts;
	const char *current = sync->current->name;
	if (rolling(sync) && counts.updated == counts.replicas && counts.ready == counts.replicas &&
	    counts.replicas == (int64_t)plan->slot_count) {
		counts.current = counts.updated;
		current = sync->update->name;
	}
	struct kt_json *status = kt_jsonf("{observedGeneration: %l, replicas: %l}",
	                                  controller_generation(sync->set), counts.replicas);
	put_count(&status, "readyReplicas", counts.ready);
	put_count(&status, "currentReplicas", counts.current);
	put_count(&status, "updatedReplicas", counts.updated);
	kt_set(&status, "currentRevision", kt_json_str(current));
	kt_set(&status, "updateRevision", kt_json_str(sync->update->name));
	kt_set(&status, "collisionCount", kt_json_int(collisions));
	kt_set(&status, "availableReplicas", kt_json_int(counts.available));
	if (!controller_write_status(sync->cluster, &sync->actor, sync->set, status))
		sync->failed = true;
}

static void look_again(struct stateful_sync *sync, const struct plan *plan)
{
	kt_ns next = 0;
	for (size_t i = 0; plan->wait && i < sync->pods.count; i++) {
		kt_ns when = view_pod(sync->pods.items[i])->ready_since + plan->wait * KT_SEC;
		if (ready(sync->pods.items[i]) && when > plan->now && (!next || when < next))
			next = when;
	}
	if (next)
		controller_add_after(sync->cluster, sync->queue, sync->set->ns, sync->set->name,
		                     next - plan->now);
}

/* --- revisions --- */
static bool find_revisions(struct stateful_sync *sync, struct store_list *history, int64_t *collisions)
{
	controller_revision_list(sync->cluster, sync->queue, sync->set, history);
	*collisions = kt_path_int(sync->set->json, "status.collisionCount", 0);
	sync->update = controller_revision_sync(sync->cluster, sync->queue, sync->set, history, collisions);
	if (!sync->update)
		return false;
	const char *name = kt_path_str(sync->set->json, "status.currentRevision");
	for (size_t i = 0; i < history->count && name && !sync->current; i++) {
		if (kt_streq(history->items[i]->name, name))
			sync->current = store_ref(history->items[i]);
	}
	if (!sync->current)
		sync->current = store_ref(sync->update);
	return true;
}

static void trim_history(struct stateful_sync *sync, const struct store_list *history)
{
	struct kt_strs live = {0};
	kt_strs_add(&live, sync->current->name);
	kt_strs_add(&live, sync->update->name);
	for (size_t i = 0; i < sync->pods.count; i++) {
		const char *name = controller_label(sync->pods.items[i]->json, "controller-revision-hash");
		if (name)
			kt_strs_add(&live, name);
	}
	controller_revision_trim(sync->cluster, sync->queue, sync->set, history, &live);
	kt_strs_clear(&live);
}

static void sync_set(struct stateful_sync *sync)
{
	struct store_list history = {0};
	struct plan plan = {0};
	int64_t collisions = 0;
	if (!find_revisions(sync, &history, &collisions)) {
		sync->failed = true;
		store_list_clear(&history);
		return;
	}
	make_plan(sync, &plan);
	if (!view_is_deleting(sync->set->json) && !grow(sync, &plan) && !shrink(sync, &plan) && rolling(sync))
		roll(sync, &plan);
	write_status(sync, &plan, collisions);
	trim_history(sync, &history);
	look_again(sync, &plan);
	store_list_clear(&plan.condemned);
	kt_free(plan.slots);
	store_list_clear(&history);
}

/* What is left of SUCCESSION since a pod of the set went; queue->state: {"ns/set": when}. */
static kt_ns pause_left(struct cluster *cluster, struct controller_queue *queue, const char *key)
{
	struct kt_json *gone = queue->state;
	kt_ns at = kt_get_int(gone, key, 0), left = at ? at + SUCCESSION - cluster_now(cluster) : 0;
	if (at && (left <= 0 || left > SUCCESSION)) {
		kt_unset(&gone, key);
		queue->state = gone;
	}
	return left > SUCCESSION ? 0 : left;
}

static void note_gone(struct cluster *cluster, struct controller_queue *queue, const struct store_object *pod)
{
	const struct store_object *set = controller_owner(cluster, queue->kinds->stateful_set, pod);
	struct kt_json *gone = queue->state;
	if (!set)
		return;
	char *key = kt_strf("%s/%s", set->ns, set->name);
	kt_set(&gone, key, kt_json_int(cluster_now(cluster)));
	queue->state = gone;
	kt_free(key);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *set = controller_get(cluster, queue->kinds->stateful_set, key);
	if (!set)
		return true;
	struct stateful_sync sync = {.cluster = cluster,
	                             .queue = queue,
	                             .actor = controller_actor(queue, because ? because : set),
	                             .set = store_ref(set),
	                             .pause = pause_left(cluster, queue, key)};
	controller_claim(cluster, queue, set, queue->kinds->pod, kt_path(set->json, "spec.selector"), false,
	                 &sync.pods);
	sync_set(&sync);
	store_list_clear(&sync.pods);
	store_unref(sync.current);
	store_unref(sync.update);
	store_unref(sync.set);
	return !sync.failed;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->stateful_set)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == queue->kinds->pod) {
		if (event->change == STORE_DELETED)
			note_gone(cluster, queue, object);
		controller_add_owner(cluster, queue, queue->kinds->stateful_set, event, true, 0);
	}
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	queue->state = kt_json_object();
	controller_add_all(cluster, queue, queue->kinds->stateful_set);
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	(void)cluster;
	kt_json_free(queue->state);
	queue->state = NULL;
}

const struct controller controller_stateful_set = {
        .name = "statefulset",
        .component = "statefulset-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 30 * KT_MS, /* slower than a client's next request: a deletion must be seen */
};

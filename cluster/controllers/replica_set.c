/* SPDX-License-Identifier: MIT */
/* The replica set controller, and the replication controller, which is the same in old clothes (kubernetes
 * pkg/controller/replicaset/replica_set.go). */
#include "cluster/controllers/controllers_internal.h"
#include <stdlib.h>

#define BURST 500
/* what a sync of one pod more takes: large sets are looked at less often */
#define PER_POD (10 * KT_US)

struct set_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *set;
	struct store_list pods; /* active */
	const char *failed;     /* "FailedCreate", "FailedDelete"; NULL none */
	char *failure;          /* its message */
	bool retry;
};

static const struct schema_kind *kind_of(const struct controller_queue *queue)
{
	return queue->controller == &controller_replication ? queue->kinds->rc : queue->kinds->replica_set;
}

static void note_failure(struct set_sync *sync, const char *reason, struct api_status *status)
{
	if (!sync->failed) {
		sync->failed = reason;
		sync->failure = kt_strdup(status->message ? status->message : "");
	}
	sync->retry = true;
}

static bool create_one(struct set_sync *sync)
{
	struct api_status status = {0};
	char *generate = kt_strf("%s-", sync->set->name);
	struct kt_json *pod = controller_pod_from_template(
	        sync->set, kt_path(sync->set->json, "spec.template"), NULL, generate);
	kt_free(generate);
	const struct store_object *made =
	        api_create(sync->cluster, &sync->actor, sync->queue->kinds->pod, pod, &status);
	if (made) {
		api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulCreate", NULL, NULL,
		          "Created pod: %s", made->name);
		controller_list_add(&sync->pods, made);
		return true;
	}
	/* in a namespace that goes away nothing can be made, and nobody needs to know */
	const struct kt_json *causes = kt_get(status.details, "causes");
	if (kt_find(causes, "reason", "NamespaceTerminating") < 0) {
		api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedCreate", NULL, NULL,
		          "Error creating: %s", status.message ? status.message : "");
		note_failure(sync, "FailedCreate", &status);
	}
	api_status_clear(&status);
	return false;
}

/* 1, 2, 4, …: a set whose pods are all refused does not ask five hundred times. */
static void create_pods(struct set_sync *sync, int64_t count)
{
	int64_t left = KT_MIN(count, BURST);
	for (int64_t batch = 1; left > 0; batch *= 2) {
		int64_t now = KT_MIN(batch, left);
		bool all = true;
		for (int64_t i = 0; i < now; i++)
			all &= create_one(sync);
		left -= now;
		if (!all)
			return;
	}
}

static void delete_pods(struct set_sync *sync, int64_t count)
{
	int64_t now = KT_MIN(count, BURST);
	if ((size_t)now < sync->pods.count)
		controller_rank_pods(sync->cluster, sync->pods.items, sync->pods.count);
	for (int64_t i = 0; i < now; i++) {
		const struct store_object *pod = sync->pods.items[i];
		struct api_status status = {0};
		if (controller_delete(sync->cluster, &sync->actor, pod, NULL, &status)) {
			api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulDelete", NULL,
			          NULL, "Deleted pod: %s", pod->name);
		} else if (status.code != 404) {
			api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedDelete", NULL,
			          NULL, "Error deleting: %s", status.message ? status.message : "");
			note_failure(sync, "FailedDelete", &status);
		}
		api_status_clear(&status);
	}
}

/* --- status --- */
struct tally {
	int64_t replicas, labelled, ready, available;
	kt_ns next; /* when the next ready pod becomes available; 0 none */
};

static struct tally count_pods(const struct set_sync *sync)
{
	const struct kt_json *spec = kt_get(sync->set->json, "spec");
	const struct kt_json *labels = kt_path(spec, "template.metadata.labels");
	int64_t wait = kt_get_int(spec, "minReadySeconds", 0);
	kt_ns now = cluster_now(sync->cluster);
	struct tally tally = {.replicas = (int64_t)sync->pods.count};
	const struct kt_json *last = NULL; /* pods of one template share their labels */
	bool labelled = false;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct view_pod *pod = view_pod(sync->pods.items[i]);
		if (!pod->labels || pod->labels != last)
			labelled = view_map_matches(labels, pod->labels);
		last = pod->labels;
		tally.labelled += labelled;
		tally.ready += pod->ready;
		bool available = controller_pod_available(pod, wait, now);
		tally.available += available;
		kt_ns when = pod->ready_since + wait * KT_SEC;
		if (pod->ready && !available && (!tally.next || when < tally.next))
			tally.next = when;
	}
	return tally;
}

static void set_failure(struct set_sync *sync, struct kt_json **status)
{
	const struct kt_json *conditions = kt_path(sync->set->json, "status.conditions");
	const struct kt_json *there = controller_condition(conditions, "ReplicaFailure");
	if (kt_count(conditions))
		kt_set(status, "conditions", kt_json_ref(conditions));
	if (sync->failed && !there)
		kt_push(kt_edit(status, "conditions"),
		        kt_jsonf("{type: 'ReplicaFailure', status: 'True', lastTransitionTime: %j, reason: "
		                 "%s, "
		                 "message: %s}",
		                 controller_time(cluster_now(sync->cluster)), sync->failed, sync->failure));
	else if (!sync->failed && there)
		controller_remove_condition(kt_edit(status, "conditions"), "ReplicaFailure");
	if (kt_get(*status, "conditions") && !kt_count(kt_get(*status, "conditions")))
		kt_unset(status, "conditions");
}

static void put_count(struct kt_json **status, const char *name, int64_t count)
{
	if (count)
		kt_set(status, name, kt_json_int(count));
}

static void write_status(struct set_sync *sync)
{
	struct tally tally = count_pods(sync);
	struct kt_json *status = kt_jsonf("{replicas: %l}", tally.replicas);
	put_count(&status, "fullyLabeledReplicas", tally.labelled);
	put_count(&status, "readyReplicas", tally.ready);
	put_count(&status, "availableReplicas", tally.available);
	kt_set(&status, "observedGeneration", kt_json_int(controller_generation(sync->set)));
	set_failure(sync, &status);
	if (!controller_write_status(sync->cluster, &sync->actor, sync->set, status))
		sync->retry = true;
	if (tally.next)
		controller_add_after(sync->cluster, sync->queue, sync->set->ns, sync->set->name,
		                     tally.next - cluster_now(sync->cluster));
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *set = controller_get(cluster, kind_of(queue), key);
	if (!set)
		return true;
	struct set_sync sync = {.cluster = cluster,
	                        .queue = queue,
	                        .actor = controller_actor(queue, because ? because : set),
	                        .set = store_ref(set)};
	controller_claim(cluster, queue, set, queue->kinds->pod, kt_path(set->json, "spec.selector"), true,
	                 &sync.pods);
	if (!view_is_deleting(set->json)) {
		int64_t missing = kt_path_int(set->json, "spec.replicas", 1) - (int64_t)sync.pods.count;
		struct store_list before = {0};
		for (size_t i = 0; i < sync.pods.count; i++)
			controller_list_add(&before, sync.pods.items[i]);
		if (missing > 0)
			create_pods(&sync, missing);
		else if (missing < 0)
			delete_pods(&sync, -missing);
		/* the status tells what was seen, not what was just done: the next sync counts that */
		store_list_clear(&sync.pods);
		sync.pods = before;
	}
	write_status(&sync);
	store_list_clear(&sync.pods);
	store_unref(sync.set);
	kt_free(sync.failure);
	return !sync.retry;
}

/* Large sets are looked at less often. 0: as usual. */
static kt_ns delay_of(const struct controller_queue *queue, const struct store_object *set)
{
	int64_t size = set ? kt_path_int(set->json, "status.replicas", 0) : 0;
	return size > 100 ? queue->controller->latency + size * PER_POD : 0;
}

static void observe_set(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_event *event)
{
	const struct store_object *set = event->object;
	/* its own status comes back, too */
	bool own = event->old && controller_generation(event->old) == controller_generation(set);
	kt_ns delay = own ? delay_of(queue, set) : 0;
	if (delay)
		controller_add_after(cluster, queue, set->ns, set->name, delay);
	else
		controller_add(cluster, queue, set->ns, set->name, set);
}

/* What a set sees of its pods. A pod that is given a node, or whose containers are being made, is as it was.
 */
static bool seen_the_same(const struct store_object *a, const struct store_object *b)
{
	const struct view_pod *x = view_pod(a), *y = view_pod(b);
	return x->ready == y->ready && x->ready_since == y->ready_since && x->deleting == y->deleting &&
	       controller_pod_active(x) == controller_pod_active(y) && kt_equal(x->labels, y->labels) &&
	       kt_equal(kt_path(a->json, "metadata.ownerReferences"),
	                kt_path(b->json, "metadata.ownerReferences"));
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct schema_kind *kind = kind_of(queue);
	const struct store_object *object = event->object;
	if (object->kind == kind) {
		observe_set(cluster, queue, event);
		return;
	}
	if (object->kind != queue->kinds->pod ||
	    (event->change == STORE_MODIFIED && event->old && seen_the_same(event->old, object)))
		return;
	const struct view_owner *owner = &view_pod(object)->owner;
	kt_ns delay = 0;
	if (owner->name && kt_streq(owner->kind, kind->kind))
		delay = delay_of(queue, store_get(cluster_store(cluster), kind, object->ns, owner->name));
	controller_add_owner(cluster, queue, kind, event, true, delay);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, kind_of(queue));
}

const struct controller controller_replica_set = {
        .name = "replicaset",
        .component = "replicaset-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

const struct controller controller_replication = {
        .name = "replicationcontroller",
        .component = "replication-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

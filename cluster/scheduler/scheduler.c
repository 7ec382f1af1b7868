/* SPDX-License-Identifier: MIT */
/* The part: what the scheduler hears, and the loop that takes one pod after the other. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

static const char *const me = "default-scheduler";

struct api_actor sched_actor(const struct store_object *because)
{
	return (struct api_actor){.user = "system:kube-scheduler",
	                          .manager = "kube-scheduler",
	                          .component = me,
	                          .because = because};
}

/* --- pods --- */

static bool over(const struct view_pod *view)
{
	return view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED;
}

static bool mine(const struct view_pod *view)
{
	return (!view->scheduler || strcmp(view->scheduler, me) == 0) && !view->gated && !view->deleting &&
	       !over(view);
}

/* Was the change one that may matter to the scheduling of this pod itself? Its status is not. */
static bool respecified(const struct store_event *event)
{
	const struct kt_json *old = event->old ? event->old->json : NULL, *new = event->object->json;

	if (!old)
		return true;
	if (kt_get(old, "spec") != kt_get(new, "spec") && !kt_equal(kt_get(old, "spec"), kt_get(new, "spec")))
		return true;
	return !kt_equal(kt_path(old, "metadata.labels"), kt_path(new, "metadata.labels"));
}

static void unscheduled(struct scheduler *scheduler, const struct store_event *event,
                        const struct view_pod *view)
{
	struct sched_item *item = sched_queue_find(scheduler, event->object->uid);

	if (!mine(view)) {
		if (item) {
			struct sched_assigned *assumed = sched_assigned_find(scheduler, item->uid);

			if (assumed)
				sched_unassign(scheduler, assumed);
			sched_queue_remove(scheduler, event->object->uid);
		}
		return;
	}
	if (!item)
		sched_queue_add(scheduler, event->object);
	else if (item->where == SCHED_PARKED && respecified(event))
		sched_queue_event(scheduler, &(struct sched_change){.what = SCHED_POD_ITSELF,
		                                                    .before = event->old,
		                                                    .after = event->object});
}

static void scheduled(struct scheduler *scheduler, const struct store_event *event,
                      const struct view_pod *view)
{
	struct sched_assigned *assigned = sched_assigned_find(scheduler, event->object->uid);
	struct sched_node *node;

	struct sched_change change = {.what = SCHED_POD_ADDED, .after = event->object};

	if (assigned &&
	    (assigned->assumed || assigned->deleting != view->deleting || over(view) || respecified(event))) {
		if (!assigned->assumed) {
			change.what =
			        respecified(event) || over(view) ? SCHED_POD_DELETED | SCHED_POD_ADDED : 0;
			change.before = event->old;
		}
		sched_unassign(scheduler, assigned);
		assigned = NULL;
		if (over(view))
			sched_queue_event(scheduler, &(struct sched_change){.what = SCHED_POD_DELETED,
			                                                    .before = event->object});
	}
	sched_queue_remove(scheduler, event->object->uid);
	if (assigned || over(view))
		return;
	node = sched_node_find(scheduler, view->node);
	if (!node)
		return;
	sched_assign(scheduler, event->object, node, false);
	sched_queue_event(scheduler, &change);
}

static void pod_event(struct scheduler *scheduler, const struct store_event *event)
{
	const struct view_pod *view = view_pod(event->object);

	if (event->change == STORE_DELETED) {
		struct sched_assigned *assigned = sched_assigned_find(scheduler, event->object->uid);

		sched_queue_remove(scheduler, event->object->uid);
		if (!assigned)
			return;
		sched_unassign(scheduler, assigned);
		sched_queue_event(scheduler,
		                  &(struct sched_change){.what = SCHED_POD_DELETED, .before = event->object});
	} else if (view->node && *view->node) {
		scheduled(scheduler, event, view);
	} else {
		unscheduled(scheduler, event, view);
	}
}

/* --- nodes --- */

static void add_pods_of(struct scheduler *scheduler, const char *name)
{
	struct sched_node *node = sched_node_find(scheduler, name);
	struct store_list pods;

	store_pods_on_node(cluster_store(scheduler->cluster), name, &pods);
	for (size_t i = 0; i < pods.count; i++)
		if (!over(view_pod(pods.items[i])) && !sched_assigned_find(scheduler, pods.items[i]->uid))
			sched_assign(scheduler, pods.items[i], node, false);
	store_list_clear(&pods);
}

static void node_event(struct scheduler *scheduler, const struct store_event *event)
{
	struct sched_change change = {.before = event->old, .after = event->object};

	if (event->change == STORE_DELETED) {
		sched_node_remove(scheduler, event->object->name);
		sched_queue_event(scheduler,
		                  &(struct sched_change){.what = SCHED_NODE_GONE, .before = event->object});
		return;
	}
	sched_node_set(scheduler, event->object, &change.what);
	if (change.what & SCHED_NODE_ADDED)
		add_pods_of(scheduler, event->object->name);
	sched_queue_event(scheduler, &change);
}

/* --- volumes --- */

static void bind(struct scheduler *scheduler, struct sched_item *item, const char *node);

static void look_at_waiting(struct cluster *cluster, void *arg)
{
	struct scheduler *scheduler = arg;
	struct sched_item *item, *next;

	scheduler->volume_timer = 0;
	HASH_ITER (hh, scheduler->items, item, next) {
		const struct store_object *pod;

		if (item->where != SCHED_BINDING)
			continue;
		pod = store_get_uid(cluster_store(cluster), item->uid);
		if (pod && sched_volumes_ready(scheduler, pod))
			bind(scheduler, item, item->binding_to);
	}
}

static void volume_event(struct scheduler *scheduler, const struct sched_change *change)
{
	sched_queue_event(scheduler, change);
	if (scheduler->binding && !scheduler->volume_timer)
		scheduler->volume_timer =
		        cluster_after(scheduler->cluster, SCHED_LATENCY, look_at_waiting, scheduler);
}

static void observe(struct cluster *cluster, void *state, const struct store_event *event)
{
	struct scheduler *scheduler = state;
	const struct schema_kind *kind = event->object->kind;

	(void)cluster;
	if (kind == scheduler->pods) {
		pod_event(scheduler, event);
	} else if (kind == scheduler->nodes) {
		node_event(scheduler, event);
	} else if (kind == scheduler->claims || kind == scheduler->disks ||
	           kind == scheduler->storage_classes) {
		volume_event(scheduler, &(struct sched_change){
		                                .what = event->change == STORE_DELETED ? 0 : SCHED_VOLUMES,
		                                .before = event->old,
		                                .after = event->object});
	} else if (kind == scheduler->services || kind == scheduler->replica_sets ||
	           kind == scheduler->stateful_sets || kind == scheduler->replication_controllers) {
		if (event->change != STORE_MODIFIED ||
		    !kt_equal(kt_path(event->old->json, "spec.selector"),
		              kt_path(event->object->json, "spec.selector")))
			scheduler->owner_generation++;
	}
}

/* --- the loop --- */

static void tell_unschedulable(struct scheduler *scheduler, const struct store_object *pod,
                               const char *message, const char *nominated)
{
	struct api_actor actor = sched_actor(NULL);
	struct kt_json *json = kt_json_ref(pod->json), *condition, **list;
	struct kt_buf now = {0};
	const struct kt_json *old = kt_path(pod->json, "status.conditions"), *before;
	ptrdiff_t at = kt_find(old, "type", "PodScheduled");
	int64_t generation = kt_path_int(pod->json, "metadata.generation", 0);

	before = at >= 0 ? kt_at(old, (size_t)at) : NULL;
	kt_time_print(cluster_now(scheduler->cluster), &now);
	condition = kt_jsonf("{type: 'PodScheduled'}");
	if (generation)
		kt_set(&condition, "observedGeneration", kt_json_int(generation));
	kt_set(&condition, "status", kt_json_str("False"));
	kt_set(&condition, "lastProbeTime", kt_json_null());
	kt_set(&condition, "lastTransitionTime",
	       kt_streq(kt_get_str(before, "status"), "False")
	               ? kt_json_ref(kt_get(before, "lastTransitionTime"))
	               : kt_json_str(kt_buf_str(&now)));
	kt_set(&condition, "reason", kt_json_str("Unschedulable"));
	kt_set(&condition, "message", kt_json_str(message));
	kt_buf_clear(&now);
	list = kt_edit(kt_edit(&json, "status"), "conditions");
	if (at >= 0)
		kt_put(list, (size_t)at, condition);
	else
		kt_push(list, condition);
	if (nominated && *nominated)
		kt_set(kt_edit(&json, "status"), "nominatedNodeName", kt_json_str(nominated));
	else if (nominated)
		kt_unset(kt_edit(&json, "status"), "nominatedNodeName");
	api_event(scheduler->cluster, &actor, pod, "Warning", "FailedScheduling", NULL, NULL, "%s", message);
	api_update_status(scheduler->cluster, &actor, scheduler->pods, json, NULL);
}

static void bind(struct scheduler *scheduler, struct sched_item *item, const char *node)
{
	const struct store_object *pod = store_ref(
	        store_get(cluster_store(scheduler->cluster), scheduler->pods, item->ns, item->name));
	struct api_actor actor = sched_actor(NULL);
	struct api_status status = {0};
	char *name = kt_strdup(node); /* the binding ends the item */

	scheduler->binding -= item->where == SCHED_BINDING;
	item->where = SCHED_NOWHERE;
	if (pod && api_bind(scheduler->cluster, &actor, pod, name, &status)) {
		api_event(scheduler->cluster, &actor, pod, "Normal", "Scheduled", NULL, NULL,
		          "Successfully assigned %s/%s to %s", pod->ns, pod->name, name);
	} else if (pod) {
		struct sched_assigned *assumed = sched_assigned_find(scheduler, pod->uid);

		item = sched_queue_find(scheduler, pod->uid);
		if (assumed && assumed->assumed)
			sched_unassign(scheduler, assumed);
		if (item)
			sched_queue_park(scheduler, item, 0);
	}
	api_status_clear(&status);
	store_unref(pod);
	kt_free(name);
}

static void wait_for_volumes(struct scheduler *scheduler, struct sched_item *item,
                             const struct store_object *pod, struct sched_node *node)
{
	sched_assign(scheduler, pod, node, true);
	item->where = SCHED_BINDING;
	kt_free(item->binding_to);
	item->binding_to = kt_strdup(node->name);
	item->bind_by = cluster_now(scheduler->cluster) + SCHED_BIND_TIMEOUT;
	scheduler->binding++;
	sched_queue_wake(scheduler, item->bind_by);
	volume_event(scheduler, &(struct sched_change){.what = SCHED_VOLUMES});
}

static void schedule(struct scheduler *scheduler, struct sched_item *item, const struct store_object *pod)
{
	struct sched_pod *read = &scheduler->pod;
	struct sched_node *node;
	char *message, *nominated;
	unsigned rejected_by;

	scheduler->cycle++;
	sched_pod_read(scheduler, pod, read);
	scheduler->missed = 0;
	scheduler->deciding = true;
	node = sched_choose(scheduler, read, item->nominated, &rejected_by, &message, &nominated);
	scheduler->deciding = false;
	if (!node) {
		if (nominated)
			sched_nominate(scheduler, item, nominated);
		/* Parked before it is told, so that what the telling sets off finds it there. */
		sched_queue_park(scheduler, item, rejected_by);
		sched_queue_event(scheduler, &(struct sched_change){.what = scheduler->missed});
		tell_unschedulable(scheduler, read->object, message, nominated);
	} else if (read->claim_count && !sched_volumes_reserve(scheduler, read, node)) {
		wait_for_volumes(scheduler, item, read->object, node);
	} else {
		bind(scheduler, item, node->name);
	}
	kt_free(message);
	kt_free(nominated);
	sched_pod_clear(scheduler, read);
	sched_tallies_trim(scheduler);
}

void sched_one(struct cluster *cluster, void *arg)
{
	struct scheduler *scheduler = arg;
	struct sched_item *item = sched_queue_pop(scheduler);
	const struct store_object *pod;

	scheduler->timer = 0;
	if (!item)
		return;
	pod = store_get(cluster_store(cluster), scheduler->pods, item->ns, item->name);
	if (!pod || strcmp(pod->uid, item->uid) != 0 || !mine(view_pod(pod)))
		sched_queue_remove(scheduler, item->uid);
	else
		schedule(scheduler, item, pod);
	if (scheduler->heap_count && !scheduler->timer)
		scheduler->timer = cluster_after(cluster, SCHED_CYCLE, sched_one, scheduler);
}

/* --- life --- */

static void *start(struct cluster *cluster)
{
	struct scheduler *scheduler = kt_alloc(sizeof(*scheduler));
	struct schema *schema = cluster_schema(cluster);
	const struct {
		const struct schema_kind **slot;
		const char *group, *kind;
	} kinds[] = {
	        {&scheduler->pods, "", "Pod"},
	        {&scheduler->nodes, "", "Node"},
	        {&scheduler->services, "", "Service"},
	        {&scheduler->claims, "", "PersistentVolumeClaim"},
	        {&scheduler->disks, "", "PersistentVolume"},
	        {&scheduler->namespaces, "", "Namespace"},
	        {&scheduler->storage_classes, "storage.k8s.io", "StorageClass"},
	        {&scheduler->budgets, "policy", "PodDisruptionBudget"},
	        {&scheduler->replica_sets, "apps", "ReplicaSet"},
	        {&scheduler->stateful_sets, "apps", "StatefulSet"},
	        {&scheduler->replication_controllers, "", "ReplicationController"},
	};
	const struct store_object *object;
	unsigned events = 0;

	scheduler->cluster = cluster;
	scheduler->wake = INT64_MAX;
	scheduler->owner_generation = 1;
	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		*kinds[i].slot = schema_stored(schema, kinds[i].group, kinds[i].kind);
	STORE_EACH (object, cluster_store(cluster), scheduler->nodes, NULL)
		sched_node_set(scheduler, object, &events);
	STORE_EACH (object, cluster_store(cluster), scheduler->pods, NULL) {
		const struct view_pod *view = view_pod(object);
		struct sched_node *node = view->node ? sched_node_find(scheduler, view->node) : NULL;

		if (node && !over(view))
			sched_assign(scheduler, object, node, false);
		else if ((!view->node || !*view->node) && mine(view))
			sched_queue_add(scheduler, object);
	}
	return scheduler;
}

static void stop(struct cluster *cluster, void *state)
{
	struct scheduler *scheduler = state;

	cluster_cancel(cluster, scheduler->volume_timer);
	sched_queue_clear(scheduler);
	sched_cache_clear(scheduler);
	kt_free(scheduler);
}

const struct cluster_part scheduler_part = {
        .name = "scheduler", .start = start, .stop = stop, .observe = observe};

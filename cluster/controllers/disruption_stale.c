/* SPDX-License-Identifier: MIT */
/* A pod that was to be disrupted and is still there is told so no more: after two minutes its
 * DisruptionTarget is False (kubernetes pkg/controller/disruption/disruption.go, syncStalePodDisruption).
 * What the kubelet said stays, and so does that of a pod which is over. */
#include "cluster/controllers/controllers_internal.h"

#define STALE_AFTER (2 * KT_MIN_NS)

/* Since when the pod has a condition that gets stale; false: it has none. */
static bool may_get_stale(const struct store_object *pod, kt_ns *since)
{
	const struct view_pod *view = view_pod(pod);
	const struct kt_json *condition;
	if (view->deleting || view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED)
		return false;
	condition = controller_condition(kt_path(pod->json, "status.conditions"), "DisruptionTarget");
	if (!kt_streq(kt_get_str(condition, "status"), "True") ||
	    kt_streq(kt_get_str(condition, "reason"), "TerminationByKubelet"))
		return false;
	*since = controller_time_of(kt_get(condition, "lastTransitionTime"));
	return true;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *pod = controller_get(cluster, queue->kinds->pod, key);
	kt_ns since, now = cluster_now(cluster);
	if (!pod || !may_get_stale(pod, &since))
		return true;
	if (since + STALE_AFTER > now) {
		controller_add_after(cluster, queue, pod->ns, pod->name, since + STALE_AFTER - now);
		return true;
	}
	struct api_actor actor = controller_actor(queue, because ? because : pod);
	struct kt_json *status = kt_json_ref(kt_get(pod->json, "status"));
	api_disruption_target(&status, NULL, NULL, controller_generation(pod), now);
	return controller_write_status(cluster, &actor, pod, status) != NULL;
}

static void look_at(struct cluster *cluster, struct controller_queue *queue, const struct store_object *pod,
                    const struct store_object *because)
{
	kt_ns since;
	if (may_get_stale(pod, &since))
		controller_add(cluster, queue, pod->ns, pod->name, because);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	if (event->object->kind == queue->kinds->pod)
		look_at(cluster, queue, event->object, event->object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(cluster), queue->kinds->pod, NULL)
		look_at(cluster, queue, pod, NULL);
}

const struct controller controller_disruption_stale = {
        .name = "disruption-stale",
        .component = "controllermanager",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* Finished jobs whose time is over (kubernetes pkg/controller/ttlafterfinished). */
#include "cluster/controllers/controllers_internal.h"

static kt_ns finished_at(const struct store_object *job)
{
	static const char *const types[] = {"Complete", "Failed"};
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		const struct kt_json *found =
		        controller_condition(kt_path(job->json, "status.conditions"), types[i]);
		if (kt_streq(kt_get_str(found, "status"), "True"))
			return controller_time_of(kt_get(found, "lastTransitionTime"));
	}
	return 0;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *job = controller_get(cluster, queue->kinds->job, key);
	const struct kt_json *ttl = job ? kt_path(job->json, "spec.ttlSecondsAfterFinished") : NULL;
	kt_ns at = ttl ? finished_at(job) : 0, now = cluster_now(cluster);
	if (!at || view_is_deleting(job->json))
		return true;
	kt_ns due = at + kt_int_or(ttl, 0) * KT_SEC;
	if (due > now) {
		controller_add_after(cluster, queue, job->ns, job->name, due - now);
		return true;
	}
	struct api_actor actor = controller_actor(queue, because ? because : job);
	return controller_delete(cluster, &actor, job, "Foreground", NULL);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *job = event->object;
	if (job->kind == queue->kinds->job && event->change != STORE_DELETED &&
	    kt_path(job->json, "spec.ttlSecondsAfterFinished"))
		controller_add(cluster, queue, job->ns, job->name, job);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->job);
}

const struct controller controller_job_ttl = {
        .name = "ttl-after-finished",
        .component = "ttl-after-finished-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

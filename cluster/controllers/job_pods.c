/* SPDX-License-Identifier: MIT */
/* The pods of a job: counted once each when they end, made with an index where the job wants one (kubernetes
 * pkg/controller/job/job_controller.go, indexed_job_utils.go). */
#include "cluster/controllers/job.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_AT_ONCE 500

int64_t job_pod_index(const struct store_object *pod)
{
	const char *text = controller_annotation(pod->json, JOB_INDEX);
	return text ? strtoll(text, NULL, 10) : -1;
}

bool job_only_failed_replaced(const struct job_sync *sync)
{
	return kt_streq(kt_get_str(sync->spec, "podReplacementPolicy"), "Failed");
}

bool job_pod_failed(const struct job_sync *sync, const struct store_object *pod)
{
	const struct view_pod *view = view_pod(pod);
	if (view->phase == VIEW_FAILED)
		return true;
	return !job_only_failed_replaced(sync) && view->deleting && view->phase != VIEW_SUCCEEDED;
}

bool job_pod_counted(const struct store_object *pod)
{
	const struct kt_json *finalizer;
	KT_JSON_EACH (finalizer, kt_path(pod->json, "metadata.finalizers")) {
		if (kt_streq(kt_str(finalizer), JOB_FINALIZER))
			return false;
	}
	return true;
}

void job_release(struct cluster *cluster, struct controller_queue *queue, const struct store_object *pod)
{
	struct api_actor actor = controller_actor(queue, pod);
	if (job_pod_counted(pod))
		return;
	struct kt_json *json = kt_json_ref(pod->json);
	struct kt_json **finalizers = kt_edit_path(&json, "metadata.finalizers");
	for (size_t i = kt_count(*finalizers); i-- > 0;) {
		if (kt_streq(kt_str(kt_at(*finalizers, i)), JOB_FINALIZER))
			kt_remove(finalizers, i);
	}
	if (!kt_count(*finalizers))
		kt_unset_path(&json, "metadata.finalizers");
	controller_write(cluster, &actor, pod, json);
}

static int64_t index_failures(const struct store_object *pod)
{
	const char *text = controller_annotation(pod->json, JOB_INDEX_FAILURES);
	return text ? strtoll(text, NULL, 10) : 0;
}

static void count_failed(struct job_sync *sync, const struct store_object *pod)
{
	char *message = NULL;
	enum job_action action = job_failure_action(sync, pod, &message);
	int64_t index = job_pod_index(pod);
	if (action == JOB_FAIL && !sync->fail_reason) {
		sync->fail_reason = kt_strdup("PodFailurePolicy");
		sync->fail_message = message;
		message = NULL;
	}
	kt_free(message);
	/* pods that are ended because the job has succeeded have not failed */
	if (action == JOB_IGNORE ||
	    kt_find(kt_get(sync->status, "conditions"), "type", "SuccessCriteriaMet") >= 0)
		return;
	sync->failures++;
	sync->uncounted_failures++;
	/* those that are ended because the job fails are counted, their indexes are not */
	bool ending = kt_find(kt_get(sync->status, "conditions"), "type", "FailureTarget") >= 0;
	if (sync->per_index && !ending && !job_indexes_has(&sync->done, index) &&
	    (action == JOB_FAIL_INDEX ||
	     index_failures(pod) >= kt_get_int(sync->spec, "backoffLimitPerIndex", 0)))
		job_indexes_add(&sync->lost, index);
}

static void count_succeeded(struct job_sync *sync, const struct store_object *pod)
{
	int64_t index = job_pod_index(pod);
	if (!sync->indexed)
		sync->succeeded++;
	else if (index >= 0 && index < sync->completions)
		job_indexes_add(&sync->done, index);
}

void job_count_pods(struct job_sync *sync)
{
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		const struct view_pod *view = view_pod(pod);
		bool over = view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED;
		if (view->deleting && !over)
			sync->terminating++;
		if (controller_pod_active(view)) {
			controller_list_add(&sync->active, pod);
			sync->ready += view->ready;
			continue;
		}
		if (job_pod_counted(pod))
			continue;
		if (view->phase == VIEW_SUCCEEDED)
			count_succeeded(sync, pod);
		else if (job_pod_failed(sync, pod))
			count_failed(sync, pod);
		else
			continue; /* on its way out: waited for */
		job_release(sync->cluster, sync->queue, pod);
	}
	if (sync->indexed)
		sync->succeeded = job_indexes_total(&sync->done);
}

void job_delete_pod(struct job_sync *sync, const struct store_object *pod)
{
	struct api_status status = {0};
	if (controller_delete(sync->cluster, &sync->actor, pod, NULL, &status))
		api_event(sync->cluster, &sync->actor, sync->job, "Normal", "SuccessfulDelete", NULL, NULL,
		          "Deleted pod: %s", pod->name);
	else if (status.code != 404)
		sync->failed = true;
	api_status_clear(&status);
}

/* --- making --- */
static struct kt_json *pod_of(struct job_sync *sync, int64_t index, int64_t failures)
{
	char *generate = index < 0 ? kt_strf("%s-", sync->job->name)
	                           : kt_strf("%s-%lld-", sync->job->name, (long long)index);
	struct kt_json *pod =
	        controller_pod_from_template(sync->job, kt_get(sync->spec, "template"), NULL, generate);
	kt_free(generate);
	kt_push(kt_edit_path(&pod, "metadata.finalizers"), kt_json_str(JOB_FINALIZER));
	if (index < 0)
		return pod;
	static const char *const lists[] = {"initContainers", "containers"};
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)index);
	controller_set_annotation(&pod, JOB_INDEX, text);
	controller_set_label(&pod, JOB_INDEX, text);
	char *host = kt_strf("%s-%s", sync->job->name, text);
	kt_set_path(&pod, "spec.hostname", kt_json_str(host));
	kt_free(host);
	if (sync->per_index) {
		snprintf(text, sizeof(text), "%lld", (long long)failures);
		controller_set_annotation(&pod, JOB_INDEX_FAILURES, text);
	}
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		size_t count = kt_count(kt_get(kt_get(pod, "spec"), lists[i]));
		for (size_t k = 0; k < count; k++) {
			struct kt_json **container = kt_edit_at(kt_edit(kt_edit(&pod, "spec"), lists[i]), k);
			if (kt_find(kt_get(*container, "env"), "name", "JOB_COMPLETION_INDEX") < 0)
				kt_push(kt_edit(container, "env"),
				        kt_jsonf("{name: 'JOB_COMPLETION_INDEX', valueFrom: {fieldRef: "
				                 "{apiVersion: "
				                 "'v1', fieldPath: %s}}}",
				                 "metadata.labels['" JOB_INDEX "']"));
		}
	}
	return pod;
}

static bool create_one(struct job_sync *sync, int64_t index, int64_t failures)
{
	struct api_status status = {0};
	const struct store_object *pod = api_create(sync->cluster, &sync->actor, sync->queue->kinds->pod,
	                                            pod_of(sync, index, failures), &status);
	if (pod) {
		api_event(sync->cluster, &sync->actor, sync->job, "Normal", "SuccessfulCreate", NULL, NULL,
		          "Created pod: %s", pod->name);
		controller_list_add(&sync->active, pod);
	} else {
		api_event(sync->cluster, &sync->actor, sync->job, "Warning", "FailedCreate", NULL, NULL,
		          "Error creating: %s", status.message ? status.message : "");
		sync->failed = true;
	}
	api_status_clear(&status);
	return pod != NULL;
}

/* How often an index failed so far: one more than its last failed pod knew. */
static int64_t failures_of(const struct job_sync *sync, int64_t index)
{
	int64_t most = -1;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		if (job_pod_failed(sync, pod) && job_pod_index(pod) == index)
			most = KT_MAX(most, index_failures(pod));
	}
	return most + 1;
}

static bool index_runs(const struct job_sync *sync, int64_t index)
{
	for (size_t i = 0; i < sync->active.count; i++) {
		if (job_pod_index(sync->active.items[i]) == index)
			return true;
	}
	for (size_t i = 0; job_only_failed_replaced(sync) && i < sync->pods.count; i++) {
		const struct view_pod *pod = view_pod(sync->pods.items[i]);
		if (pod->deleting && pod->phase != VIEW_FAILED && pod->phase != VIEW_SUCCEEDED &&
		    job_pod_index(sync->pods.items[i]) == index)
			return true;
	}
	return false;
}

static bool create_indexed(struct job_sync *sync, int64_t count)
{
	kt_ns least = 0;
	for (int64_t index = 0; index < sync->completions && count > 0; index++) {
		if (job_indexes_has(&sync->done, index) || job_indexes_has(&sync->lost, index) ||
		    index_runs(sync, index))
			continue;
		kt_ns wait = sync->per_index ? job_backoff(sync, index) : 0;
		if (wait > 0) {
			least = least ? KT_MIN(least, wait) : wait;
			continue;
		}
		if (!create_one(sync, index, failures_of(sync, index)))
			return false;
		count--;
	}
	if (least)
		controller_add_after(sync->cluster, sync->queue, sync->job->ns, sync->job->name, least);
	return true;
}

bool job_create_pods(struct job_sync *sync, int64_t count)
{
	kt_ns wait = sync->per_index ? 0 : job_backoff(sync, -1);
	if (wait > 0) {
		controller_add_after(sync->cluster, sync->queue, sync->job->ns, sync->job->name, wait);
		return true;
	}
	count = KT_MIN(count, MOST_AT_ONCE);
	if (sync->indexed)
		return create_indexed(sync, count);
	for (int64_t i = 0; i < count; i++) {
		if (!create_one(sync, -1, 0))
			return false;
	}
	return true;
}

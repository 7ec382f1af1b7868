/* SPDX-License-Identifier: MIT */
/* The Job controller (kubernetes pkg/controller/job/job_controller.go). Keys: jobs, and "ns/pod:NAME" for
 * pods whose job is gone. */
#include "cluster/controllers/job.h"
#include <stdlib.h>
#include <string.h>

#define BATCH   KT_SEC /* changes of pods are looked at together */
#define ORPHANS "pod:"
#define OURS    "kubernetes.io/job-controller"

/* --- conditions --- */
static const struct kt_json *condition(const struct job_sync *sync, const char *type)
{
	const struct kt_json *found = controller_condition(kt_get(sync->status, "conditions"), type);
	return kt_streq(kt_get_str(found, "status"), "True") ? found : NULL;
}

static void set_condition(struct job_sync *sync, const char *type, bool status, const char *reason,
                          const char *message)
{
	kt_ns now = cluster_now(sync->cluster);
	struct kt_json **conditions = kt_edit(&sync->status, "conditions");
	struct kt_json *made = kt_jsonf(
	        "{type: %s, status: %s, lastProbeTime: %j, lastTransitionTime: %j, reason: %s, "
	        "message: %s}",
	        type, status ? "True" : "False", controller_time(now), controller_time(now), reason, message);
	ptrdiff_t at = kt_find(*conditions, "type", type);
	if (at >= 0)
		kt_put(conditions, (size_t)at, made);
	else
		kt_push(conditions, made);
}

static void event(struct job_sync *sync, const char *type, const char *reason, const char *message)
{
	api_event(sync->cluster, &sync->actor, sync->job, type, reason, NULL, NULL, "%s", message);
}

static bool finished(const struct kt_json *job)
{
	static const char *const types[] = {"Complete", "Failed"};
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		const struct kt_json *found =
		        controller_condition(kt_path(job, "status.conditions"), types[i]);
		if (kt_streq(kt_get_str(found, "status"), "True"))
			return true;
	}
	return false;
}

/* --- does it fail? --- */
static void target_failure(struct job_sync *sync, const char *reason, const char *message)
{
	if (!condition(sync, "FailureTarget"))
		set_condition(sync, "FailureTarget", true, reason, message);
}

static bool past_deadline(struct job_sync *sync)
{
	const struct kt_json *seconds = kt_get(sync->spec, "activeDeadlineSeconds");
	kt_ns begun = controller_time_of(kt_get(sync->status, "startTime"));
	if (!seconds || !begun || sync->suspended)
		return false;
	kt_ns due = begun + kt_int_or(seconds, 0) * KT_SEC, now = cluster_now(sync->cluster);
	if (now < due)
		controller_add_after(sync->cluster, sync->queue, sync->job->ns, sync->job->name, due - now);
	return now >= due;
}

static void judge_indexes(struct job_sync *sync)
{
	const struct kt_json *most = kt_get(sync->spec, "maxFailedIndexes");
	int64_t lost = job_indexes_total(&sync->lost);
	if (most && lost > kt_int_or(most, 0))
		target_failure(sync, "MaxFailedIndexesExceeded",
		               "Job has exceeded the specified maximal number of failed indexes");
	else if (lost && lost + sync->succeeded >= sync->completions && !sync->active.count)
		target_failure(sync, "FailedIndexes", "Job has failed indexes");
}

static void judge(struct job_sync *sync)
{
	if (condition(sync, "FailureTarget") || condition(sync, "SuccessCriteriaMet"))
		return;
	if (sync->fail_reason) {
		target_failure(sync, sync->fail_reason, sync->fail_message);
		return;
	}
	if ((sync->uncounted_failures && sync->failures > kt_get_int(sync->spec, "backoffLimit", 6)) ||
	    job_past_restarts(sync)) {
		target_failure(sync, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
		return;
	}
	if (past_deadline(sync)) {
		target_failure(sync, "DeadlineExceeded", "Job was active longer than specified deadline");
		return;
	}
	int64_t rule = sync->indexed ? job_success_rule(sync) : -1;
	if (rule >= 0) {
		char *message = kt_strf("Matched rules at index %lld", (long long)rule);
		set_condition(sync, "SuccessCriteriaMet", true, "SuccessPolicy", message);
		kt_free(message);
	} else if (sync->per_index) {
		judge_indexes(sync);
	}
}

/* --- pods --- */
static int64_t wanted(const struct job_sync *sync)
{
	if (sync->completions < 0)
		return sync->succeeded ? (int64_t)sync->active.count : sync->parallelism;
	int64_t left = sync->completions - sync->succeeded - job_indexes_total(&sync->lost);
	return KT_MAX(KT_MIN(left, sync->parallelism), 0);
}

/* `uncounted`: pods that the job itself has too many of did not fail: they are let go before they are
 * deleted. */
static void delete_active(struct job_sync *sync, int64_t count, bool uncounted)
{
	if ((size_t)count < sync->active.count)
		controller_rank_pods(sync->cluster, sync->active.items, sync->active.count);
	for (int64_t i = 0; i < count && (size_t)i < sync->active.count; i++) {
		if (uncounted)
			job_release(sync->cluster, sync->queue, sync->active.items[i]);
		job_delete_pod(sync, sync->active.items[i]);
	}
	for (int64_t i = 0; i < count && sync->active.count; i++) {
		const struct view_pod *pod = view_pod(sync->active.items[0]);
		sync->ready -= pod->ready;
		sync->terminating++;
		controller_list_drop(&sync->active, 0);
	}
}

static void manage(struct job_sync *sync)
{
	bool over = condition(sync, "FailureTarget") || condition(sync, "SuccessCriteriaMet");
	if (over || sync->suspended) {
		delete_active(sync, (int64_t)sync->active.count, !over);
		return;
	}
	int64_t active = (int64_t)sync->active.count, want = wanted(sync);
	if (active > want)
		delete_active(sync, active - want, true);
	else if (want - active - (job_only_failed_replaced(sync) ? sync->terminating : 0) > 0)
		job_create_pods(sync,
		                want - active - (job_only_failed_replaced(sync) ? sync->terminating : 0));
}

static void note_suspension(struct job_sync *sync)
{
	const struct kt_json *there = controller_condition(kt_get(sync->status, "conditions"), "Suspended");
	bool was = kt_streq(kt_get_str(there, "status"), "True");
	if (sync->suspended && !was) {
		set_condition(sync, "Suspended", true, "JobSuspended", "Job suspended");
		event(sync, "Normal", "Suspended", "Job suspended");
	} else if (!sync->suspended && was) {
		set_condition(sync, "Suspended", false, "JobResumed", "Job resumed");
		event(sync, "Normal", "Resumed", "Job resumed");
		kt_set(&sync->status, "startTime", controller_time(cluster_now(sync->cluster)));
	}
}

/* --- the end --- */
static void conclude(struct job_sync *sync)
{
	bool reached = sync->completions < 0 ? sync->succeeded > 0 && !sync->active.count
	                                     : sync->succeeded >= sync->completions && !sync->active.count;
	if (!condition(sync, "FailureTarget") && !condition(sync, "SuccessCriteriaMet") && reached &&
	    !sync->suspended)
		set_condition(sync, "SuccessCriteriaMet", true, "CompletionsReached",
		              "Reached expected number of succeeded pods");
	if (sync->active.count || sync->terminating)
		return;
	const struct kt_json *failure = condition(sync, "FailureTarget");
	const struct kt_json *success = condition(sync, "SuccessCriteriaMet");
	if (failure) {
		char *reason = kt_strdup(kt_get_str(failure, "reason"));
		char *message = kt_strdup(kt_get_str(failure, "message"));
		set_condition(sync, "Failed", true, reason, message);
		event(sync, "Warning", reason, message);
		kt_free(reason);
		kt_free(message);
	} else if (success) {
		char *reason = kt_strdup(kt_get_str(success, "reason"));
		char *message = kt_strdup(kt_get_str(success, "message"));
		set_condition(sync, "Complete", true, reason, message);
		kt_set(&sync->status, "completionTime", controller_time(cluster_now(sync->cluster)));
		event(sync, "Normal", "Completed", "Job completed");
		kt_free(reason);
		kt_free(message);
	}
}

/* --- status --- */
static void put_count(struct job_sync *sync, const char *name, int64_t count)
{
	kt_set(&sync->status, name, count > 0 ? kt_json_int(count) : NULL);
}

static void put_indexes(struct job_sync *sync, const char *name, const struct job_indexes *indexes)
{
	char *text = job_indexes_text(indexes);
	kt_set(&sync->status, name, *text ? kt_json_str(text) : NULL);
	kt_free(text);
}

static void write_status(struct job_sync *sync)
{
	put_count(sync, "active", (int64_t)sync->active.count);
	put_count(sync, "succeeded", sync->succeeded);
	put_count(sync, "failed", sync->failures);
	if (sync->indexed)
		put_indexes(sync, "completedIndexes", &sync->done);
	if (sync->per_index) { /* there even if there are none, unlike the completed ones */
		char *lost = job_indexes_text(&sync->lost);
		kt_set(&sync->status, "failedIndexes", kt_json_str(lost));
		kt_free(lost);
	}
	kt_set(&sync->status, "ready", kt_json_int(KT_MAX(sync->ready, 0)));
	kt_set(&sync->status, "terminating", kt_json_int(sync->terminating));
	kt_set(&sync->status, "uncountedTerminatedPods", kt_json_object());
	if (!controller_write_status(sync->cluster, &sync->actor, sync->job, kt_json_ref(sync->status)))
		sync->failed = true;
}

static void read_job(struct job_sync *sync)
{
	const struct kt_json *spec = sync->spec = kt_get(sync->job->json, "spec");
	sync->status = kt_json_ref(kt_get(sync->job->json, "status"));
	sync->indexed = kt_streq(kt_get_str(spec, "completionMode"), "Indexed");
	sync->per_index = sync->indexed && kt_get(spec, "backoffLimitPerIndex");
	sync->suspended = kt_get_bool(spec, "suspend", false);
	sync->completions = kt_get_int(spec, "completions", -1);
	sync->parallelism = kt_get_int(spec, "parallelism", 1);
	sync->failures = kt_get_int(sync->status, "failed", 0);
	sync->succeeded = kt_get_int(sync->status, "succeeded", 0);
	job_indexes_init(&sync->done, sync->indexed ? sync->completions : 0,
	                 kt_get_str(sync->status, "completedIndexes"));
	job_indexes_init(&sync->lost, sync->indexed ? sync->completions : 0,
	                 kt_get_str(sync->status, "failedIndexes"));
	if (!kt_get(sync->status, "startTime") && !sync->suspended)
		kt_set(&sync->status, "startTime", controller_time(cluster_now(sync->cluster)));
}

static void sync_job(struct job_sync *sync)
{
	controller_claim(sync->cluster, sync->queue, sync->job, sync->queue->kinds->pod,
	                 kt_get(sync->spec, "selector"), false, &sync->pods);
	job_remember(sync);
	job_count_pods(sync);
	judge(sync);
	manage(sync);
	note_suspension(sync);
	conclude(sync);
	write_status(sync);
}

static void release_all(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *job)
{
	struct store_list pods = {0};
	store_controlled_by(cluster_store(cluster), queue->kinds->pod, job->uid, &pods);
	for (size_t i = 0; i < pods.count; i++)
		job_release(cluster, queue, pods.items[i]);
	store_list_clear(&pods);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	char ns[64], name[256];
	controller_key(key, ns, name);
	if (kt_starts(name, ORPHANS)) {
		const struct store_object *pod =
		        store_get(cluster_store(cluster), queue->kinds->pod, ns, name + strlen(ORPHANS));
		if (pod && !controller_owner(cluster, queue->kinds->job, pod))
			job_release(cluster, queue, pod);
		return true;
	}
	const struct store_object *job = controller_get(cluster, queue->kinds->job, key);
	if (!job)
		job_forget(queue, key);
	if (!job || !kt_path(job->json, "spec.selector") ||
	    !kt_streq(kt_str_or(kt_path(job->json, "spec.managedBy"), OURS), OURS))
		return true;
	if (finished(job->json) || view_is_deleting(job->json)) {
		release_all(cluster, queue, job);
		job_forget(queue, key);
		return true;
	}
	struct job_sync sync = {.cluster = cluster,
	                        .queue = queue,
	                        .actor = controller_actor(queue, because ? because : job),
	                        .key = key,
	                        .job = store_ref(job)};
	read_job(&sync);
	sync_job(&sync);
	store_list_clear(&sync.pods);
	store_list_clear(&sync.active);
	job_indexes_clear(&sync.done);
	job_indexes_clear(&sync.lost);
	kt_free(sync.fail_reason);
	kt_free(sync.fail_message);
	kt_json_free(sync.status);
	store_unref(sync.job);
	return !sync.failed;
}

static void add_orphan(struct cluster *cluster, struct controller_queue *queue,
                       const struct store_object *pod)
{
	char *name = kt_strf(ORPHANS "%s", pod->name);
	controller_add(cluster, queue, pod->ns, name, pod);
	kt_free(name);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event_)
{
	const struct store_object *object = event_->object;
	if (object->kind == queue->kinds->job) {
		if (event_->change == STORE_DELETED) {
			struct store_list pods = {0};
			store_controlled_by(cluster_store(cluster), queue->kinds->pod, object->uid, &pods);
			for (size_t i = 0; i < pods.count; i++)
				add_orphan(cluster, queue, pods.items[i]);
			store_list_clear(&pods);
		} else {
			controller_add(cluster, queue, object->ns, object->name, object);
		}
	} else if (object->kind == queue->kinds->pod) {
		const struct view_owner *owner = &view_pod(object)->owner;
		if (!kt_streq(owner->kind, "Job"))
			return;
		if (controller_owner(cluster, queue->kinds->job, object))
			controller_add_after(cluster, queue, object->ns, owner->name, BATCH);
		else if (event_->change != STORE_DELETED)
			add_orphan(cluster, queue, object);
	}
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *pod;
	controller_add_all(cluster, queue, queue->kinds->job);
	STORE_EACH (pod, cluster_store(cluster), queue->kinds->pod, NULL) {
		if (kt_streq(view_pod(pod)->owner.kind, "Job") &&
		    !controller_owner(cluster, queue->kinds->job, pod))
			add_orphan(cluster, queue, pod);
	}
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	(void)cluster;
	job_forget_all(queue);
}

const struct controller controller_job = {
        .name = "job",
        .component = "job-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 5 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* The CronJob controller (kubernetes pkg/controller/cronjob/cronjob_controllerv2.go). */
#include "cluster/controllers/controllers_internal.h"
#include <stdio.h>
#include <string.h>

#define SCHEDULED "batch.kubernetes.io/cronjob-scheduled-timestamp"
#define MARGIN    (100 * KT_MS) /* so that the next time is past when it is looked at */
#define TOO_MANY  100

struct cron_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *cron;
	const struct kt_json *spec;
	struct kt_json *status;
	struct store_list jobs;
	bool failed;
};

static const char *finished(const struct store_object *job)
{
	static const char *const types[] = {"Complete", "Failed"};
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		const struct kt_json *found =
		        controller_condition(kt_path(job->json, "status.conditions"), types[i]);
		if (kt_streq(kt_get_str(found, "status"), "True"))
			return types[i];
	}
	return NULL;
}

static const struct store_object *job_of(const struct cron_sync *sync, const char *uid)
{
	for (size_t i = 0; i < sync->jobs.count; i++) {
		if (kt_streq(sync->jobs.items[i]->uid, uid))
			return sync->jobs.items[i];
	}
	return NULL;
}

#define TELL(sync, type, reason, ...)                                                                        \
	api_event((sync)->cluster, &(sync)->actor, (sync)->cron, type, reason, NULL, NULL, __VA_ARGS__)

/* --- the list of active jobs --- */
static void drop_active(struct cron_sync *sync, size_t i)
{
	struct kt_json **active = kt_edit(&sync->status, "active");
	kt_remove(active, i);
	if (!kt_count(*active))
		kt_unset(&sync->status, "active");
}

static void note_success(struct cron_sync *sync, const struct store_object *job)
{
	const struct kt_json *at = kt_path(job->json, "status.completionTime");
	if (controller_time_of(at) > controller_time_of(kt_get(sync->status, "lastSuccessfulTime")))
		kt_set(&sync->status, "lastSuccessfulTime", kt_json_ref(at));
}

static void follow_jobs(struct cron_sync *sync)
{
	for (size_t i = 0; i < sync->jobs.count; i++) {
		const struct store_object *job = sync->jobs.items[i];
		ptrdiff_t at = kt_find(kt_get(sync->status, "active"), "uid", job->uid);
		const char *end = finished(job);
		if (at < 0 && !end) {
			TELL(sync, "Warning", "UnexpectedJob",
			     "Saw a job that the controller did not create or forgot: %s", job->name);
		} else if (at >= 0 && end) {
			drop_active(sync, (size_t)at);
			TELL(sync, "Normal", "SawCompletedJob", "Saw completed job: %s, condition: %s",
			     job->name, end);
		}
		if (kt_streq(end, "Complete"))
			note_success(sync, job);
	}
	for (size_t i = kt_count(kt_get(sync->status, "active")); i-- > 0;) {
		const struct kt_json *ref = kt_at(kt_get(sync->status, "active"), i);
		if (job_of(sync, kt_get_str(ref, "uid")))
			continue;
		TELL(sync, "Normal", "MissingJob", "Active job went missing: %s",
		     kt_str_or(kt_get(ref, "name"), ""));
		drop_active(sync, i);
	}
}

static bool delete_job(struct cron_sync *sync, const struct store_object *job)
{
	struct api_status status = {0};
	bool done = controller_delete(sync->cluster, &sync->actor, job, "Background", &status);
	if (done)
		TELL(sync, "Normal", "SuccessfulDelete", "Deleted job %s", job->name);
	else
		TELL(sync, "Warning", "FailedDelete", "Deleted job: %s",
		     status.message ? status.message : "");
	ptrdiff_t at = kt_find(kt_get(sync->status, "active"), "uid", job->uid);
	if (done && at >= 0)
		drop_active(sync, (size_t)at);
	api_status_clear(&status);
	return done;
}

static int by_start(const struct store_object *a, const struct store_object *b)
{
	kt_ns x = controller_time_of(kt_path(a->json, "status.startTime"));
	kt_ns y = controller_time_of(kt_path(b->json, "status.startTime"));
	return x != y ? (x < y ? -1 : 1) : controller_by_creation(a, b);
}

static void trim(struct cron_sync *sync, const char *end, const char *limit_name)
{
	const struct kt_json *limit = kt_get(sync->spec, limit_name);
	struct store_list list = {0};
	if (!limit)
		return;
	for (size_t i = 0; i < sync->jobs.count; i++) {
		if (kt_streq(finished(sync->jobs.items[i]), end))
			controller_list_add(&list, sync->jobs.items[i]);
	}
	controller_list_sort(&list, by_start);
	for (size_t i = 0; (int64_t)(list.count - i) > kt_int_or(limit, 0) && i < list.count; i++)
		delete_job(sync, list.items[i]);
	store_list_clear(&list);
}

/* --- starting one --- */
static struct kt_json *job_for(struct cron_sync *sync, kt_ns at)
{
	const struct kt_json *template = kt_get(sync->spec, "jobTemplate");
	char *name = kt_strf("%s-%lld", sync->cron->name, (long long)(at / KT_MIN_NS));
	struct kt_json *job = kt_jsonf("{apiVersion: 'batch/v1', kind: 'Job', metadata: {name: %s, "
	                               "namespace: %s, labels: %J, annotations: %J, "
	                               "ownerReferences: [%j]}, spec: %J}",
	                               name, sync->cron->ns, kt_path(template, "metadata.labels"),
	                               kt_path(template, "metadata.annotations"),
	                               controller_owner_ref(sync->cron), kt_get(template, "spec"));
	struct kt_json *time = controller_time(at);
	controller_set_annotation(&job, SCHEDULED, kt_str(time));
	kt_json_free(time);
	kt_free(name);
	return job;
}

static void start_job(struct cron_sync *sync, kt_ns at)
{
	struct api_status status = {0};
	const struct store_object *job =
	        api_create(sync->cluster, &sync->actor, sync->queue->kinds->job, job_for(sync, at), &status);
	if (!job && status.code != 409) {
		TELL(sync, "Warning", "FailedCreate", "Error creating job: %s",
		     status.message ? status.message : "");
		sync->failed = true;
	}
	api_status_clear(&status);
	if (!job)
		return;
	TELL(sync, "Normal", "SuccessfulCreate", "Created job %s", job->name);
	char version[24];
	snprintf(version, sizeof(version), "%llu", (unsigned long long)job->version);
	kt_push(kt_edit(&sync->status, "active"), kt_jsonf("{kind: 'Job', namespace: %s, name: %s, uid: %s, "
	                                                   "apiVersion: 'batch/v1', resourceVersion: %s}",
	                                                   job->ns, job->name, job->uid, version));
	kt_set(&sync->status, "lastScheduleTime", controller_time(at));
}

/* The latest time that was due and not yet used; 0 if none. */
static bool due_time(struct cron_sync *sync, const char *zone, kt_ns *out)
{
	const char *schedule = kt_get_str(sync->spec, "schedule");
	const struct kt_json *deadline = kt_get(sync->spec, "startingDeadlineSeconds");
	kt_ns now = cluster_now(sync->cluster), from = controller_created(sync->cron), next;
	const struct kt_json *last = kt_get(sync->status, "lastScheduleTime");
	size_t missed = 0;
	*out = 0;
	if (last)
		from = controller_time_of(last);
	if (deadline)
		from = KT_MAX(from, now - kt_int_or(deadline, 0) * KT_SEC);
	while (controller_cron_next(schedule, zone, from, &next)) {
		if (!next || next > now)
			break;
		*out = from = next;
		missed++;
		if (missed > TOO_MANY && now - next > 1000 * (now - from + KT_SEC))
			break;
		if (missed > 10000) { /* far behind: the latest is what counts */
			from = KT_MAX(from, now - KT_HOUR * 24);
			missed = TOO_MANY + 1;
		}
	}
	if (missed > TOO_MANY && !deadline)
		TELL(sync, "Warning", "TooManyMissedTimes",
		     "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check "
		     "clock skew");
	return true;
}

static bool may_start(struct cron_sync *sync, kt_ns at)
{
	const struct kt_json *deadline = kt_get(sync->spec, "startingDeadlineSeconds");
	const char *policy = kt_str_or(kt_get(sync->spec, "concurrencyPolicy"), "Allow");
	if (deadline && at + kt_int_or(deadline, 0) * KT_SEC < cluster_now(sync->cluster)) {
		struct kt_json *time = controller_time(at);
		TELL(sync, "Warning", "MissSchedule", "Missed scheduled time to start a job: %s",
		     kt_str(time));
		kt_json_free(time);
		return false;
	}
	if (controller_time_of(kt_get(sync->status, "lastScheduleTime")) == at)
		return false;
	if (kt_streq(policy, "Forbid") && kt_count(kt_get(sync->status, "active"))) {
		TELL(sync, "Normal", "JobAlreadyActive",
		     "Not starting job because prior execution is running and concurrency policy is Forbid");
		return false;
	}
	while (kt_streq(policy, "Replace") && kt_count(kt_get(sync->status, "active"))) {
		const struct kt_json *ref = kt_at(kt_get(sync->status, "active"), 0);
		const struct store_object *job = job_of(sync, kt_get_str(ref, "uid"));
		if (!job || !delete_job(sync, job))
			return false;
	}
	return true;
}

static void follow_schedule(struct cron_sync *sync)
{
	const char *schedule = kt_get_str(sync->spec, "schedule"), *zone = kt_get_str(sync->spec, "timeZone");
	kt_ns due = 0, next = 0, now = cluster_now(sync->cluster);
	if (view_is_deleting(sync->cron->json) || kt_get_bool(sync->spec, "suspend", false))
		return;
	if (!controller_cron_next("@daily", zone, now, &next)) {
		TELL(sync, "Warning", "UnknownTimeZone", "invalid timeZone: \"%s\": unknown time zone %s",
		     zone, zone);
		return;
	}
	if (!controller_cron_next(schedule, zone, now, &next)) {
		TELL(sync, "Warning", "UnparseableSchedule", "unparseable schedule: \"%s\"",
		     schedule ? schedule : "");
		return;
	}
	due_time(sync, zone, &due);
	if (due && may_start(sync, due))
		start_job(sync, due);
	if (next)
		controller_add_after(sync->cluster, sync->queue, sync->cron->ns, sync->cron->name,
		                     next - now + MARGIN);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *cron = controller_get(cluster, queue->kinds->cron_job, key);
	if (!cron)
		return true;
	struct cron_sync sync = {.cluster = cluster,
	                         .queue = queue,
	                         .actor = controller_actor(queue, because ? because : cron),
	                         .cron = store_ref(cron),
	                         .spec = kt_get(cron->json, "spec"),
	                         .status = kt_json_ref(kt_get(cron->json, "status"))};
	store_controlled_by(cluster_store(cluster), queue->kinds->job, cron->uid, &sync.jobs);
	trim(&sync, "Complete", "successfulJobsHistoryLimit");
	trim(&sync, "Failed", "failedJobsHistoryLimit");
	follow_jobs(&sync);
	follow_schedule(&sync);
	if (sync.status &&
	    !controller_write_status(cluster, &sync.actor, sync.cron, kt_json_ref(sync.status)))
		sync.failed = true;
	kt_json_free(sync.status);
	store_list_clear(&sync.jobs);
	store_unref(sync.cron);
	return !sync.failed;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->cron_job)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == queue->kinds->job)
		controller_add_owner(cluster, queue, queue->kinds->cron_job, event, false, 0);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->cron_job);
}

const struct controller controller_cron_job = {
        .name = "cronjob",
        .component = "cronjob-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* Failure and success policies, and how long failures make a job wait (kubernetes
 * pkg/controller/job/pod_failure_policy.go, success_policy.go, backoff_utils.go). */
#include "cluster/controllers/job.h"
#include "cluster/controllers/hash.h"
#include <string.h>

#define BACKOFF     (10 * KT_SEC)
#define BACKOFF_MAX (10 * KT_MIN_NS)

/* --- failure policy --- */
static const struct kt_json *terminated(const struct kt_json *container)
{
	return kt_path(container, "state.terminated");
}

static const struct kt_json *exited_by_rule(const struct kt_json *rule, const struct store_object *pod)
{
	static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};
	const char *only = kt_get_str(rule, "containerName");
	bool in = kt_streq(kt_get_str(rule, "operator"), "In");
	const struct kt_json *container, *value;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (container, kt_get(view_pod(pod)->status, lists[i])) {
			int64_t code = kt_get_int(terminated(container), "exitCode", 0);
			bool listed = false;
			if (!code || (only && !kt_streq(only, kt_get_str(container, "name"))))
				continue;
			KT_JSON_EACH (value, kt_get(rule, "values"))
				listed |= kt_int_or(value, 0) == code;
			if (listed == in)
				return container;
		}
	}
	return NULL;
}

static const struct kt_json *condition_by_rule(const struct kt_json *patterns, const struct store_object *pod)
{
	const struct kt_json *pattern;
	KT_JSON_EACH (pattern, patterns) {
		const char *type = kt_get_str(pattern, "type");
		const struct kt_json *condition =
		        type ? controller_condition(kt_get(view_pod(pod)->status, "conditions"), type) : NULL;
		if (condition &&
		    kt_streq(kt_get_str(condition, "status"), kt_str_or(kt_get(pattern, "status"), "True")))
			return condition;
	}
	return NULL;
}

static enum job_action action_named(const char *name)
{
	return kt_streq(name, "FailJob")     ? JOB_FAIL
	       : kt_streq(name, "Ignore")    ? JOB_IGNORE
	       : kt_streq(name, "FailIndex") ? JOB_FAIL_INDEX
	                                     : JOB_COUNT;
}

enum job_action job_failure_action(const struct job_sync *sync, const struct store_object *pod,
                                   char **message)
{
	const struct kt_json *rules = kt_path(sync->spec, "podFailurePolicy.rules"), *rule;
	KT_JSON_EACH (rule, rules) {
		const char *name = kt_str_or(kt_get(rule, "action"), "Count");
		const struct kt_json *container = NULL, *condition = NULL;
		if (kt_get(rule, "onExitCodes"))
			container = exited_by_rule(kt_get(rule, "onExitCodes"), pod);
		else
			condition = condition_by_rule(kt_get(rule, "onPodConditions"), pod);
		if (!container && !condition)
			continue;
		if (container)
			*message = kt_strf(
			        "Container %s for pod %s/%s failed with exit code %lld matching %s rule "
			        "at index %zu",
			        kt_str_or(kt_get(container, "name"), ""), pod->ns, pod->name,
			        (long long)kt_get_int(terminated(container), "exitCode", 0), name, rule_i);
		else
			*message =
			        kt_strf("Pod %s/%s has condition %s matching %s rule at index %zu", pod->ns,
			                pod->name, kt_str_or(kt_get(condition, "type"), ""), name, rule_i);
		return action_named(name);
	}
	return JOB_COUNT;
}

/* --- success policy --- */
int64_t job_success_rule(const struct job_sync *sync)
{
	const struct kt_json *rules = kt_path(sync->spec, "successPolicy.rules"), *rule;
	KT_JSON_EACH (rule, rules) {
		const char *text = kt_get_str(rule, "succeededIndexes");
		const struct kt_json *count = kt_get(rule, "succeededCount");
		struct job_indexes wanted;
		int64_t hits = 0, total = 0;
		job_indexes_init(&wanted, sync->completions, text);
		for (int64_t i = 0; i < sync->done.count; i++) {
			bool in = !text || job_indexes_has(&wanted, i);
			total += in;
			hits += in && job_indexes_has(&sync->done, i);
		}
		job_indexes_clear(&wanted);
		if (hits >= kt_int_or(count, total))
			return (int64_t)rule_i;
	}
	return -1;
}

/* --- back-off --- */
/* When its containers ended; else since when it is not ready; else when it was asked to go (getFinishedTime).
 */
static kt_ns finished_at(const struct store_object *pod)
{
	const struct kt_json *container;
	const struct view_pod *view = view_pod(pod);
	kt_ns latest = 0, at = 0;
	KT_JSON_EACH (container, kt_get(view->status, "containerStatuses")) {
		at = controller_time_of(kt_get(terminated(container), "finishedAt"));
		latest = at ? KT_MAX(latest, at) : 0;
		if (!at)
			break;
	}
	if (latest)
		return latest;
	const struct kt_json *ready = controller_condition(kt_get(view->status, "conditions"), "Ready");
	if (kt_streq(kt_get_str(ready, "status"), "False"))
		at = controller_time_of(kt_get(ready, "lastTransitionTime"));
	if (at)
		return at;
	if (view->deletion)
		return view->deletion -
		       kt_path_int(pod->json, "metadata.deletionGracePeriodSeconds", 0) * KT_SEC;
	return view->created;
}

struct job_memory {
	UT_hash_handle hh;
	int64_t failures; /* since the last success */
	kt_ns last_failure;
	char key[];
};

static struct job_memory *find_memory(const struct controller_queue *queue, const char *key)
{
	struct job_memory *all = queue->state, *found;
	HASH_FIND_STR(all, key, found);
	return found;
}

void job_forget(struct controller_queue *queue, const char *key)
{
	struct job_memory *all = queue->state, *memory = find_memory(queue, key);
	if (!memory)
		return;
	HASH_DEL(all, memory);
	queue->state = all;
	kt_free(memory);
}

void job_forget_all(struct controller_queue *queue)
{
	while (queue->state)
		job_forget(queue, ((struct job_memory *)queue->state)->key);
}

static void remember(struct job_memory *memory, const struct job_sync *sync, bool counted)
{
	kt_ns success = 0;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		if (job_pod_counted(pod) == counted && view_pod(pod)->phase == VIEW_SUCCEEDED)
			success = KT_MAX(success, finished_at(pod));
	}
	if (success && success >= memory->last_failure)
		memory->failures = memory->last_failure = 0;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		if (job_pod_counted(pod) != counted || !job_pod_failed(sync, pod) ||
		    finished_at(pod) < success)
			continue;
		memory->failures++;
		memory->last_failure = KT_MAX(memory->last_failure, finished_at(pod));
	}
}

/* Pods that were deleted are gone, their failures are not. After a restart those count whose pods are there.
 */
void job_remember(const struct job_sync *sync)
{
	struct job_memory *all = sync->queue->state, *memory = find_memory(sync->queue, sync->key);
	if (!memory) {
		size_t len = strlen(sync->key);
		memory = kt_alloc(sizeof(*memory) + len + 1);
		memcpy(memory->key, sync->key, len + 1);
		HASH_ADD_STR(all, key, memory);
		sync->queue->state = all;
		remember(memory, sync, true);
	}
	remember(memory, sync, false);
}

static kt_ns left(const struct job_sync *sync, int64_t failures, kt_ns last)
{
	kt_ns wait = BACKOFF;
	if (!failures)
		return 0;
	for (int64_t i = 1; i < failures && wait < BACKOFF_MAX; i++)
		wait *= 2;
	return KT_MAX(last + KT_MIN(wait, BACKOFF_MAX) - cluster_now(sync->cluster), 0);
}

kt_ns job_backoff(const struct job_sync *sync, int64_t index)
{
	kt_ns last = 0;
	int64_t failures = 0;
	if (index < 0) {
		const struct job_memory *memory = find_memory(sync->queue, sync->key);
		return memory ? left(sync, memory->failures, memory->last_failure) : 0;
	}
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct store_object *pod = sync->pods.items[i];
		if (!job_pod_failed(sync, pod) || job_pod_index(pod) != index)
			continue;
		failures++;
		last = KT_MAX(last, finished_at(pod));
	}
	return left(sync, failures, last);
}

bool job_past_restarts(const struct job_sync *sync)
{
	int64_t limit = kt_get_int(sync->spec, "backoffLimit", 6), restarts = 0;
	if (!kt_streq(kt_path_str(sync->spec, "template.spec.restartPolicy"), "OnFailure"))
		return false;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct view_pod *pod = view_pod(sync->pods.items[i]);
		if (pod->phase == VIEW_PENDING || pod->phase == VIEW_RUNNING)
			restarts += pod->restarts;
	}
	return limit == 0 ? restarts > 0 : restarts >= limit;
}

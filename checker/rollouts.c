/* SPDX-License-Identifier: MIT */
/* Before a drill: what is still being built is not broken yet. A learner who just applied something, and asks
 * at once, is not graded on the half of it. */
#include "checker/steps_internal.h"

#include <string.h>

#define STUCK   (60 * KT_SEC) /* what has not come further for so long is stuck, and the drill will show it */
#define LONGEST (300 * KT_SEC) /* old pods that do not listen take half a minute each to go */

/* --- rollouts --- */

/* Until its newest pods have all been available once (the reason NewReplicaSetAvailable), and the old ones
 * are gone. One that is late or paused goes on by itself no more. */
static bool deployment_moves(const struct kt_json *object)
{
	const struct kt_json *progressing = check_condition(object, "Progressing");
	const char *reason = kt_get_str(progressing, "reason");
	if (kt_path_bool(object, "spec.paused", false) ||
	    kt_streq(kt_get_str(progressing, "status"), "False"))
		return false;
	return !kt_streq(reason, "NewReplicaSetAvailable") ||
	       kt_path_int(object, "status.replicas", 0) > kt_path_int(object, "status.updatedReplicas", 0);
}

static bool stateful_set_moves(const struct kt_json *object)
{
	bool rolls = !kt_streq(kt_path_str(object, "spec.updateStrategy.type"), "OnDelete") &&
	             !kt_path_int(object, "spec.updateStrategy.rollingUpdate.partition", 0);
	return kt_path_int(object, "status.replicas", 0) < kt_path_int(object, "spec.replicas", 1) ||
	       (rolls && kt_path_str(object, "status.updateRevision") &&
	        !kt_streq(kt_path_str(object, "status.updateRevision"),
	                  kt_path_str(object, "status.currentRevision")));
}

static bool daemon_set_moves(const struct kt_json *object)
{
	int64_t desired = kt_path_int(object, "status.desiredNumberScheduled", 0);
	return kt_path_int(object, "status.numberAvailable", 0) < desired ||
	       (!kt_streq(kt_path_str(object, "spec.updateStrategy.type"), "OnDelete") &&
	        kt_path_int(object, "status.updatedNumberScheduled", 0) < desired);
}

/* --- autoscalers --- */

/* An autoscaler looks first up to 15 s after it was made (--horizontal-pod-autoscaler-sync-period), and its
 * copies take a while: a drill that does not wait breaks what is still being built. */

/* Fewer copies Ready than the autoscaler's minimum; one that is switched off (0 replicas) waits for nothing.
 */
static bool is_below_minimum(const struct check_run *run, const struct kt_json *autoscaler)
{
	const struct kt_json *target = kt_path(autoscaler, "spec.scaleTargetRef");
	struct kt_buf words = {0};
	struct kt_json *object = NULL;
	struct check_ref ref;
	struct kt_err err = {0};
	kt_buf_addf(&words, "%s %s/%s", kt_get_str(target, "kind"),
	            kt_path_str(autoscaler, "metadata.namespace"), kt_get_str(target, "name"));
	bool there = !check_ref_object(run, kt_buf_str(&words), &ref, &err) &&
	             !check_get(run, &ref, &object, &err);
	kt_buf_clear(&words);
	bool below = there && kt_path_int(object, "spec.replicas", 1) > 0 &&
	             kt_path_int(object, "status.readyReplicas", 0) <
	                     kt_path_int(autoscaler, "spec.minReplicas", 1);
	kt_json_free(object);
	return below;
}

/* --- all of them --- */

static const struct {
	const char *path, *what;
	bool (*moves)(const struct kt_json *object); /* or */
	bool (*scales)(const struct check_run *run, const struct kt_json *object);
} kinds[] = {{"/apis/apps/v1/deployments", "deployment", deployment_moves, NULL},
             {"/apis/apps/v1/statefulsets", "statefulset", stateful_set_moves, NULL},
             {"/apis/apps/v1/daemonsets", "daemonset", daemon_set_moves, NULL},
             {"/apis/autoscaling/v2/horizontalpodautoscalers", "autoscaler", NULL, is_below_minimum}};

static bool is_moving(const struct check_run *run, size_t kind, const struct kt_json *object)
{
	if (kinds[kind].scales)
		return kinds[kind].scales(run, object);
	return kt_path_int(object, "status.observedGeneration", 0) <
	               kt_path_int(object, "metadata.generation", 0) ||
	       kinds[kind].moves(object);
}

/* How far a rollout has come: a number that grows. */
static int64_t come_so_far(const struct kt_json *object)
{
	static const char *const counters[] = {"status.updatedReplicas", "status.readyReplicas",
	                                       "status.updatedNumberScheduled", "status.numberAvailable",
	                                       "status.currentReplicas"};
	int64_t sum = 0;
	for (size_t i = 0; i < KT_COUNT(counters); i++)
		sum += kt_path_int(object, counters[i], 0);
	return sum;
}

/* "deployment shop/web", owned; NULL: nothing moves (or nobody knows). */
static char *first_moving(const struct check_run *run, int64_t *so_far)
{
	char *found = NULL;
	for (size_t k = 0; k < KT_COUNT(kinds) && !found; k++) {
		struct kt_json *list = NULL;
		const struct kt_json *item;
		if (check_call(run, "GET", kinds[k].path, NULL, NULL, &list, NULL))
			continue;
		KT_JSON_EACH (item, kt_get(list, "items"))
			if (!found && is_moving(run, k, item)) {
				*so_far = come_so_far(item);
				found = kt_strf("%s %s/%s", kinds[k].what,
				                kt_path_str(item, "metadata.namespace"),
				                kt_path_str(item, "metadata.name"));
			}
		kt_json_free(list);
	}
	return found;
}

void check_wait_for_rollouts(const struct check_run *run)
{
	kt_ns began = run->world->now(run->world->arg), now = began, came = began;
	int64_t most = -1, so_far = 0;
	char *last = NULL, *moving = NULL;
	bool go_on = true;
	while (go_on && now - began < LONGEST && (moving = first_moving(run, &so_far))) {
		if (!last || strcmp(last, moving) != 0 || so_far > most) {
			came = now;
			most = so_far;
		}
		kt_free(last);
		last = moving;
		go_on = now - came < STUCK &&
		        check_tell(run, now - began, LONGEST,
		                   "waiting for %s to come to rest before the drill", moving) &&
		        !check_pass(run, KT_SEC, false, NULL, NULL);
		now = run->world->now(run->world->arg);
	}
	kt_free(last);
}

/* SPDX-License-Identifier: MIT */
/* What a deployment tells of itself (kubernetes pkg/controller/deployment/progress.go, sync.go). */
#include "cluster/controllers/deployment.h"

struct kt_json *deployment_condition(kt_ns now, const char *type, const char *status, const char *reason,
                                     const char *message)
{
	return kt_jsonf(
	        "{type: %s, status: %s, lastUpdateTime: %j, lastTransitionTime: %j, reason: %s, message: %s}",
	        type, status, controller_time(now), controller_time(now), reason, message);
}

static void put_count(struct kt_json **status, const char *name, int64_t count)
{
	kt_set(status, name, count > 0 ? kt_json_int(count) : NULL);
}

struct kt_json *deployment_status(const struct deployment_sync *sync)
{
	const struct kt_json *old = kt_get(sync->deployment->json, "status");
	int64_t available = controller_sum(&sync->all, "status.availableReplicas");
	int64_t total = controller_sum(&sync->all, "spec.replicas");
	bool enough = available >= sync->replicas - sync->unavailable;
	struct kt_json *status = kt_json_object();
	kt_set(&status, "observedGeneration", kt_json_int(controller_generation(sync->deployment)));
	put_count(&status, "replicas", controller_sum(&sync->all, "status.replicas"));
	put_count(&status, "updatedReplicas",
	          sync->fresh ? kt_path_int(sync->fresh->json, "status.replicas", 0) : 0);
	put_count(&status, "readyReplicas", controller_sum(&sync->all, "status.readyReplicas"));
	put_count(&status, "availableReplicas", available);
	put_count(&status, "unavailableReplicas", total - available);
	if (kt_get(old, "conditions"))
		kt_set(&status, "conditions", kt_json_ref(kt_get(old, "conditions")));
	controller_replace_condition(
	        kt_edit(&status, "conditions"),
	        deployment_condition(cluster_now(sync->cluster), "Available", enough ? "True" : "False",
	                             enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
	                             enough ? "Deployment has minimum availability."
	                                    : "Deployment does not have minimum availability."));
	if (kt_get(old, "collisionCount"))
		kt_set(&status, "collisionCount", kt_json_ref(kt_get(old, "collisionCount")));
	return status;
}

bool deployment_complete(const struct deployment_sync *sync, const struct kt_json *status)
{
	return kt_get_int(status, "updatedReplicas", 0) == sync->replicas &&
	       kt_get_int(status, "replicas", 0) == sync->replicas &&
	       kt_get_int(status, "availableReplicas", 0) == sync->replicas &&
	       kt_get_int(status, "observedGeneration", 0) >= controller_generation(sync->deployment);
}

static bool write(struct deployment_sync *sync, struct kt_json *status)
{
	if (kt_equal(status, kt_get(sync->deployment->json, "status"))) {
		kt_json_free(status);
		return false;
	}
	struct kt_json *json = kt_json_ref(sync->deployment->json);
	kt_set(&json, "status", status);
	deployment_replace_status(sync, json);
	return true;
}

void deployment_sync_status(struct deployment_sync *sync)
{
	write(sync, deployment_status(sync));
}

static bool progressing(const struct kt_json *old, const struct kt_json *now)
{
	int64_t old_outdated = kt_get_int(old, "replicas", 0) - kt_get_int(old, "updatedReplicas", 0);
	int64_t outdated = kt_get_int(now, "replicas", 0) - kt_get_int(now, "updatedReplicas", 0);
	return kt_get_int(now, "updatedReplicas", 0) > kt_get_int(old, "updatedReplicas", 0) ||
	       outdated < old_outdated ||
	       kt_get_int(now, "readyReplicas", 0) > kt_get_int(old, "readyReplicas", 0) ||
	       kt_get_int(now, "availableReplicas", 0) > kt_get_int(old, "availableReplicas", 0);
}

static kt_ns deadline(const struct deployment_sync *sync, const struct kt_json *condition)
{
	int64_t seconds = kt_path_int(sync->deployment->json, "spec.progressDeadlineSeconds", 600);
	return controller_time_of(kt_get(condition, "lastUpdateTime")) + seconds * KT_SEC;
}

static bool timed_out(const struct deployment_sync *sync, const struct kt_json *condition)
{
	const char *reason = kt_get_str(condition, "reason");
	if (!condition || kt_streq(reason, "NewReplicaSetAvailable"))
		return false;
	if (kt_streq(reason, "ProgressDeadlineExceeded"))
		return true;
	return deadline(sync, condition) < cluster_now(sync->cluster);
}

static char *progress_message(const struct deployment_sync *sync, const char *what)
{
	return sync->fresh ? kt_strf("ReplicaSet \"%s\" %s", sync->fresh->name, what)
	                   : kt_strf("Deployment \"%s\" %s", sync->deployment->name, what);
}

static void set_progress(struct deployment_sync *sync, struct kt_json **status)
{
	const struct kt_json *old_status = kt_get(sync->deployment->json, "status");
	const struct kt_json *current = controller_condition(kt_get(old_status, "conditions"), "Progressing");
	struct kt_json **conditions = kt_edit(status, "conditions");
	kt_ns now = cluster_now(sync->cluster);
	if (deployment_complete(sync, *status)) {
		char *message = progress_message(sync, "has successfully progressed.");
		controller_replace_condition(
		        conditions,
		        deployment_condition(now, "Progressing", "True", "NewReplicaSetAvailable", message));
		kt_free(message);
	} else if (progressing(old_status, *status)) {
		char *message = progress_message(sync, "is progressing.");
		struct kt_json *made =
		        deployment_condition(now, "Progressing", "True", "ReplicaSetUpdated", message);
		if (kt_streq(kt_get_str(current, "status"), "True"))
			kt_set(&made, "lastTransitionTime",
			       kt_json_ref(kt_get(current, "lastTransitionTime")));
		controller_remove_condition(conditions, "Progressing"); /* so that the update time counts */
		kt_push(conditions, made);
		kt_free(message);
	} else if (timed_out(sync, current)) {
		char *message = progress_message(sync, "has timed out progressing.");
		controller_replace_condition(conditions,
		                             deployment_condition(now, "Progressing", "False",
		                                                  "ProgressDeadlineExceeded", message));
		kt_free(message);
	}
}

/* The fresh set's ReplicaFailure, or else any other's. */
static void copy_failure(struct deployment_sync *sync, struct kt_json **status)
{
	const struct kt_json *failure = NULL;
	if (sync->fresh)
		failure = controller_condition(kt_path(sync->fresh->json, "status.conditions"),
		                               "ReplicaFailure");
	for (size_t i = 0; i < sync->all.count && !failure; i++)
		failure = controller_condition(kt_path(sync->all.items[i]->json, "status.conditions"),
		                               "ReplicaFailure");
	struct kt_json **conditions = kt_edit(status, "conditions");
	if (!failure) {
		controller_remove_condition(conditions, "ReplicaFailure");
		return;
	}
	const struct kt_json *since = kt_get(failure, "lastTransitionTime");
	struct kt_json *made = deployment_condition(
	        cluster_now(sync->cluster), "ReplicaFailure", kt_get_str(failure, "status"),
	        kt_get_str(failure, "reason"), kt_get_str(failure, "message"));
	if (since) {
		kt_set(&made, "lastUpdateTime", kt_json_ref(since));
		kt_set(&made, "lastTransitionTime", kt_json_ref(since));
	}
	controller_replace_condition(conditions, made);
}

/* A rollout that stands still is looked at again when its deadline has passed. */
static void look_again(struct deployment_sync *sync)
{
	const struct kt_json *status = kt_get(sync->deployment->json, "status");
	const struct kt_json *condition = controller_condition(kt_get(status, "conditions"), "Progressing");
	if (!sync->has_deadline || !condition || deployment_complete(sync, status) ||
	    kt_streq(kt_get_str(condition, "reason"), "ProgressDeadlineExceeded"))
		return;
	kt_ns wait = deadline(sync, condition) - cluster_now(sync->cluster);
	controller_add_after(sync->cluster, sync->queue, sync->deployment->ns, sync->deployment->name,
	                     KT_MAX(wait, 0) + KT_SEC);
}

void deployment_sync_rollout_status(struct deployment_sync *sync)
{
	struct kt_json *status = deployment_status(sync);
	const struct kt_json *current =
	        controller_condition(kt_path(sync->deployment->json, "status.conditions"), "Progressing");
	bool complete = kt_get_int(status, "replicas", 0) == kt_get_int(status, "updatedReplicas", 0) &&
	                kt_streq(kt_get_str(current, "reason"), "NewReplicaSetAvailable");
	if (!sync->has_deadline)
		controller_remove_condition(kt_edit(&status, "conditions"), "Progressing");
	else if (!complete)
		set_progress(sync, &status);
	copy_failure(sync, &status);
	if (!write(sync, status))
		look_again(sync);
}

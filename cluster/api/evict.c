/* SPDX-License-Identifier: MIT */
/* The eviction subresource: a deletion that disruption budgets may refuse (kubernetes
 * pkg/registry/core/pod/storage/eviction.go). */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <string.h>

/* A budget forgets pods that were to be disrupted after two minutes; more than this many at once it refuses.
 */
#define MAX_DISRUPTED 2000

static bool ignores_budgets(const struct view_pod *pod)
{
	return pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED || pod->phase == VIEW_PENDING ||
	       pod->deleting;
}

static const struct store_object *budget_of(struct api_write *write, const struct store_object *pod,
                                            bool *several)
{
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(write->cluster), "policy", "PodDisruptionBudget");
	const struct store_object *object, *found = NULL;

	*several = false;
	STORE_EACH (object, cluster_store(write->cluster), kind, pod->ns) {
		const struct kt_json *selector = kt_path(object->json, "spec.selector");

		if (!selector || !view_selector_matches(selector, view_labels(pod->json)))
			continue;
		*several = found != NULL;
		if (!found)
			found = object;
	}
	return found;
}

static bool too_many(struct api_write *write, const struct store_object *budget, int64_t retry)
{
	const struct kt_json *status = kt_get(budget->json, "status");
	char *why = retry ? kt_strf("The disruption budget %s is still being processed by the server.",
	                            budget->name)
	                  : kt_strf("The disruption budget %s needs %" PRId64 " healthy pods and has %" PRId64
	                            " currently",
	                            budget->name, kt_get_int(status, "desiredHealthy", 0),
	                            kt_get_int(status, "currentHealthy", 0));

	api_fail(write->status, 429, "TooManyRequests",
	         "Cannot evict pod as it would violate the pod's disruption budget.");
	if (write->status && !write->status->details) {
		write->status->details =
		        kt_jsonf("{causes: [{reason: 'DisruptionBudget', message: %s}]}", why);
		if (retry)
			kt_set(&write->status->details, "retryAfterSeconds", kt_json_int(retry));
	}
	kt_free(why);
	return false;
}

/* The budget counts the pod as disrupted before it is gone. */
static bool spend(struct api_write *write, const struct store_object *budget, const struct store_object *pod)
{
	const struct kt_json *status = kt_get(budget->json, "status");
	struct store_cause cause = api_cause(write);
	struct kt_json *json;
	char *now;

	if (kt_get_int(status, "observedGeneration", 0) < kt_path_int(budget->json, "metadata.generation", 0))
		return too_many(write, budget, 10);
	if (kt_get_int(status, "disruptionsAllowed", 0) < 0) {
		struct kt_json *details = NULL;

		api_fail(write->status, 403, "Forbidden", "pdb disruptions allowed is negative");
		kt_json_free(details);
		return false;
	}
	if (kt_count(kt_get(status, "disruptedPods")) > MAX_DISRUPTED)
		return api_fail(write->status, 403, "Forbidden",
		                "DisruptedPods map too big - too many evictions not confirmed "
		                "by PDB controller");
	if (!kt_get_int(status, "disruptionsAllowed", 0))
		return too_many(write, budget, 0);
	if (write->dry_run)
		return true;
	json = kt_json_ref(budget->json);
	now = api_time(cluster_now(write->cluster));
	kt_set_path(&json, "status.disruptionsAllowed",
	            kt_json_int(kt_get_int(status, "disruptionsAllowed", 0) - 1));
	kt_set(kt_edit_path(&json, "status.disruptedPods"), pod->name, kt_json_str(now));
	kt_free(now);
	store_put(cluster_store(write->cluster), budget->kind, json, cluster_now(write->cluster), &cause);
	return true;
}

/* Unready pods may go when that does not hurt: AlwaysAllow, or the budget is met without them. */
static bool unready_passes(const struct store_object *budget, const struct view_pod *pod)
{
	const struct kt_json *status = kt_get(budget->json, "status");
	int64_t desired = kt_get_int(status, "desiredHealthy", 0);

	if (pod->ready)
		return false;
	if (kt_streq(kt_path_str(budget->json, "spec.unhealthyPodEvictionPolicy"), "AlwaysAllow"))
		return true;
	return kt_get_int(status, "currentHealthy", 0) >= desired && desired > 0;
}

void api_disruption_target(struct kt_json **status, const char *reason, const char *message,
                           int64_t generation, kt_ns now)
{
	struct kt_json **conditions = kt_edit(status, "conditions");
	ptrdiff_t at = kt_find(*conditions, "type", "DisruptionTarget");
	const struct kt_json *old = at < 0 ? NULL : kt_at(*conditions, (size_t)at);
	const char *holds = reason ? "True" : "False";
	char *text = api_time(now);
	struct kt_json *since = kt_streq(kt_get_str(old, "status"), holds)
	                                ? kt_json_ref(kt_get(old, "lastTransitionTime"))
	                                : kt_json_str(text);
	struct kt_json *made = kt_jsonf(
	        "{type: 'DisruptionTarget', observedGeneration: %j, status: %s, lastProbeTime: null, "
	        "lastTransitionTime: %j, reason: %s, message: %s}",
	        generation ? kt_json_int(generation) : NULL, holds, since, reason, message);

	if (old)
		kt_put(conditions, (size_t)at, made);
	else
		kt_push(conditions, made);
	kt_free(text);
}

static void add_disruption_condition(struct api_write *write, const struct store_object *pod)
{
	struct store_cause cause = api_cause(write);
	struct kt_json *json = kt_json_ref(pod->json);

	api_disruption_target(kt_edit(&json, "status"), "EvictionByEvictionAPI", "Eviction API: evicting", 0,
	                      cluster_now(write->cluster));
	store_put(cluster_store(write->cluster), pod->kind, json, cluster_now(write->cluster), &cause);
}

bool api_evict_pod(struct api_write *write, const struct store_object *pod,
                   const struct api_deletion *deletion)
{
	const struct view_pod *view = view_pod(pod);
	const struct store_object *budget;
	struct kt_json *out = NULL;
	bool several, gone, fine;

	if (!ignores_budgets(view)) {
		budget = budget_of(write, pod, &several);
		if (several)
			return api_fail(write->status, 500, "",
			                "This pod has more than one PodDisruptionBudget, which the eviction "
			                "subresource "
			                "does not support.");
		if (budget && !unready_passes(budget, view) && !spend(write, budget, pod))
			return false;
		if (!write->dry_run) {
			add_disruption_condition(write, pod);
			pod = api_find(write);
		}
	}
	fine = api_write_delete(write, pod, deletion, &out, &gone);
	kt_json_free(out);
	return fine;
}

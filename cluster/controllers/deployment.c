/* SPDX-License-Identifier: MIT */
/* The deployment controller (kubernetes pkg/controller/deployment): which replica sets there are and how
 * large each may be. */
#include "cluster/controllers/deployment.h"
#include <stdlib.h>
#include <string.h>

int64_t deployment_spec_replicas(const struct store_object *set)
{
	return kt_path_int(set->json, "spec.replicas", 1);
}

static bool has_replicas(const struct store_object *set)
{
	return deployment_spec_replicas(set) > 0;
}

void deployment_old_sets(const struct deployment_sync *sync, bool active, struct store_list *out)
{
	for (size_t i = 0; i < sync->all.count; i++) {
		const struct store_object *set = sync->all.items[i];
		if (set != sync->fresh && (!active || has_replicas(set)))
			controller_list_add(out, set);
	}
}

/* --- reading the spec --- */
static void resolve_limits(struct deployment_sync *sync)
{
	const struct kt_json *spec = kt_get(sync->deployment->json, "spec");
	const char *type = kt_path_str(spec, "strategy.type");
	sync->replicas = kt_get_int(spec, "replicas", 1);
	sync->rolling = !type || kt_streq(type, "RollingUpdate");
	sync->has_deadline = kt_get_int(spec, "progressDeadlineSeconds", INT32_MAX) != INT32_MAX;
	if (!sync->rolling)
		return;
	const struct kt_json *rolling = kt_path(spec, "strategy.rollingUpdate");
	sync->surge = controller_int_or_percent(kt_get(rolling, "maxSurge"), sync->replicas, true,
	                                        (sync->replicas + 3) / 4);
	sync->unavailable = controller_int_or_percent(kt_get(rolling, "maxUnavailable"), sync->replicas,
	                                              false, sync->replicas / 4);
	if (sync->surge == 0 && sync->unavailable == 0)
		sync->unavailable = 1; /* both round to nothing: it must still move */
	sync->unavailable = KT_MIN(sync->unavailable, sync->replicas);
}

/* --- rolling update --- */
static bool grow_fresh(struct deployment_sync *sync)
{
	if (!sync->fresh)
		return false;
	int64_t now = deployment_spec_replicas(sync->fresh);
	if (now == sync->replicas)
		return false;
	int64_t want = now > sync->replicas ? sync->replicas : deployment_fresh_replicas(sync, now);
	return want != now && deployment_scale_set(sync, sync->fresh, want);
}

/* Old sets lose first what is not available anyway. */
static int64_t shrink_unhealthy(struct deployment_sync *sync, int64_t most)
{
	struct store_list old = {0};
	int64_t total = 0;
	deployment_old_sets(sync, true, &old);
	controller_list_sort(&old, controller_by_creation);
	for (size_t i = 0; i < old.count && total < most; i++) {
		int64_t size = deployment_spec_replicas(old.items[i]);
		int64_t unhealthy = size - kt_path_int(old.items[i]->json, "status.availableReplicas", 0);
		int64_t less = KT_MIN(most - total, unhealthy);
		if (less <= 0)
			continue;
		deployment_scale_set(sync, old.items[i], size - less);
		total += less;
	}
	store_list_clear(&old);
	return total;
}

/* `cap`: what the replica sets tell may be older than what they were last told. */
static int64_t shrink_old(struct deployment_sync *sync, int64_t cap)
{
	int64_t available = controller_sum(&sync->all, "status.availableReplicas");
	int64_t most = KT_MIN(available - (sync->replicas - sync->unavailable), cap), total = 0;
	if (most <= 0)
		return 0;
	struct store_list old = {0};
	deployment_old_sets(sync, true, &old);
	controller_list_sort(&old, controller_by_creation);
	for (size_t i = 0; i < old.count && total < most; i++) {
		int64_t size = deployment_spec_replicas(old.items[i]);
		int64_t less = KT_MIN(size, most - total);
		deployment_scale_set(sync, old.items[i], size - less);
		total += less;
	}
	store_list_clear(&old);
	return total;
}

static bool shrink(struct deployment_sync *sync)
{
	struct store_list old = {0};
	deployment_old_sets(sync, true, &old);
	int64_t old_pods = controller_sum(&old, "spec.replicas");
	store_list_clear(&old);
	if (!old_pods)
		return false;
	int64_t fresh_unavailable = 0;
	if (sync->fresh)
		fresh_unavailable = deployment_spec_replicas(sync->fresh) -
		                    kt_path_int(sync->fresh->json, "status.availableReplicas", 0);
	int64_t most = controller_sum(&sync->all, "spec.replicas") - (sync->replicas - sync->unavailable) -
	               fresh_unavailable;
	if (most <= 0)
		return false;
	int64_t total = shrink_unhealthy(sync, most);
	total += shrink_old(sync, most - total);
	return total > 0;
}

static int by_revision(const struct store_object *a, const struct store_object *b)
{
	const char *ta = controller_annotation(a->json, DEPLOYMENT_REVISION);
	const char *tb = controller_annotation(b->json, DEPLOYMENT_REVISION);
	long long ra = ta ? strtoll(ta, NULL, 10) : 0, rb = tb ? strtoll(tb, NULL, 10) : 0;
	if (ra != rb)
		return ra < rb ? -1 : 1;
	return controller_by_creation(a, b);
}

static void clean_up(struct deployment_sync *sync)
{
	int64_t limit = kt_path_int(sync->deployment->json, "spec.revisionHistoryLimit", INT32_MAX);
	struct store_list old = {0};
	deployment_old_sets(sync, false, &old);
	for (size_t i = old.count; i-- > 0;) {
		if (view_is_deleting(old.items[i]->json))
			controller_list_drop(&old, i);
	}
	controller_list_sort(&old, by_revision);
	int64_t surplus = (int64_t)old.count - limit;
	for (size_t i = 0; i < old.count && (int64_t)i < surplus; i++) {
		const struct kt_json *json = old.items[i]->json;
		if (kt_path_int(json, "status.replicas", 0) || has_replicas(old.items[i]) ||
		    controller_generation(old.items[i]) > kt_path_int(json, "status.observedGeneration", 0))
			continue;
		controller_delete(sync->cluster, &sync->actor, old.items[i], NULL, NULL);
	}
	store_list_clear(&old);
}

static void clean_up_if_complete(struct deployment_sync *sync)
{
	if (deployment_complete(sync, kt_get(sync->deployment->json, "status")))
		clean_up(sync);
}

static void roll(struct deployment_sync *sync)
{
	deployment_find_fresh(sync, true);
	if (!grow_fresh(sync) && !shrink(sync))
		clean_up_if_complete(sync);
	deployment_sync_rollout_status(sync);
}

/* --- Recreate --- */
static bool old_pods_run(struct deployment_sync *sync)
{
	struct store_list old = {0};
	bool runs = false;
	deployment_old_sets(sync, false, &old);
	for (size_t i = 0; i < old.count && !runs; i++) {
		struct store_list pods = {0};
		runs = kt_path_int(old.items[i]->json, "status.replicas", 0) > 0;
		store_controlled_by(cluster_store(sync->cluster), sync->queue->kinds->pod, old.items[i]->uid,
		                    &pods);
		for (size_t j = 0; j < pods.count; j++) {
			const struct view_pod *pod = view_pod(pods.items[j]);
			runs |= pod->phase != VIEW_SUCCEEDED && pod->phase != VIEW_FAILED;
		}
		store_list_clear(&pods);
	}
	store_list_clear(&old);
	return runs;
}

static void recreate(struct deployment_sync *sync)
{
	struct store_list old = {0};
	bool shrunk = false;
	deployment_find_fresh(sync, false);
	deployment_old_sets(sync, true, &old);
	for (size_t i = 0; i < old.count; i++)
		shrunk |= deployment_scale_set(sync, old.items[i], 0);
	store_list_clear(&old);
	if (!shrunk && !old_pods_run(sync)) {
		if (!sync->fresh)
			deployment_find_fresh(sync, true);
		if (sync->fresh && deployment_spec_replicas(sync->fresh) != sync->replicas)
			deployment_scale_set(sync, sync->fresh, sync->replicas);
		clean_up_if_complete(sync);
	}
	deployment_sync_rollout_status(sync);
}

/* --- pause --- */
static void note_pause(struct deployment_sync *sync, bool paused)
{
	if (!sync->has_deadline)
		return;
	const struct kt_json *condition =
	        controller_condition(kt_path(sync->deployment->json, "status.conditions"), "Progressing");
	const char *reason = kt_get_str(condition, "reason");
	if (kt_streq(reason, "ProgressDeadlineExceeded"))
		return;
	bool said = kt_streq(reason, "DeploymentPaused");
	if (paused == said)
		return;
	struct kt_json *json = kt_json_ref(sync->deployment->json);
	controller_replace_condition(
	        kt_edit_path(&json, "status.conditions"),
	        deployment_condition(cluster_now(sync->cluster), "Progressing", "Unknown",
	                             paused ? "DeploymentPaused" : "DeploymentResumed",
	                             paused ? "Deployment is paused" : "Deployment is resumed"));
	deployment_replace_status(sync, json);
}

/* Somebody changed spec.replicas since the sets were last told. */
static bool size_changed(const struct deployment_sync *sync)
{
	for (size_t i = 0; i < sync->all.count; i++) {
		const char *desired = controller_annotation(sync->all.items[i]->json, DEPLOYMENT_DESIRED);
		if (has_replicas(sync->all.items[i]) && desired &&
		    strtoll(desired, NULL, 10) != sync->replicas)
			return true;
	}
	return false;
}

static void sync_deployment(struct deployment_sync *sync)
{
	const struct kt_json *spec = kt_get(sync->deployment->json, "spec");
	bool paused = kt_get_bool(spec, "paused", false);
	if (view_is_deleting(sync->deployment->json)) {
		deployment_find_fresh(sync, false);
		deployment_sync_status(sync);
		return;
	}
	note_pause(sync, paused);
	if (paused || size_changed(sync)) {
		deployment_find_fresh(sync, false);
		deployment_scale(sync);
		if (paused)
			clean_up(sync);
		deployment_sync_status(sync);
	} else if (sync->rolling) {
		roll(sync);
	} else {
		recreate(sync);
	}
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *deployment = controller_get(cluster, queue->kinds->deployment, key);
	if (!deployment)
		return true;
	struct deployment_sync sync = {.cluster = cluster,
	                               .queue = queue,
	                               .actor = controller_actor(queue, because ? because : deployment),
	                               .deployment = store_ref(deployment)};
	resolve_limits(&sync);
	controller_claim(cluster, queue, deployment, queue->kinds->replica_set,
	                 kt_path(deployment->json, "spec.selector"), false, &sync.all);
	controller_list_sort(&sync.all, controller_by_creation);
	sync_deployment(&sync);
	store_list_clear(&sync.all);
	store_unref(sync.deployment);
	return !sync.failed;
}

/* A pod that goes may be the last one that Recreate waits for. */
static void observe_pod(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_event *event)
{
	if (event->change != STORE_DELETED)
		return;
	const struct store_object *set = controller_owner(cluster, queue->kinds->replica_set, event->object);
	const struct store_object *deployment =
	        set ? controller_owner(cluster, queue->kinds->deployment, set) : NULL;
	if (deployment && kt_streq(kt_path_str(deployment->json, "spec.strategy.type"), "Recreate"))
		controller_add(cluster, queue, deployment->ns, deployment->name, event->object);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct controller_kinds *kinds = queue->kinds;
	if (event->object->kind == kinds->pod)
		observe_pod(cluster, queue, event);
	else if (event->object->kind == kinds->replica_set)
		controller_add_owner(cluster, queue, kinds->deployment, event, true, 0);
	else if (event->object->kind == kinds->deployment)
		controller_add(cluster, queue, event->object->ns, event->object->name, event->object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->deployment);
}

const struct controller controller_deployment = {
        .name = "deployment",
        .component = "deployment-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

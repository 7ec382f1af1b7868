/* SPDX-License-Identifier: MIT */
/* The horizontal pod autoscaler's loop (kubernetes pkg/controller/podautoscaler/horizontal.go). */
#include "cluster/controllers/hpa.h"
#include <stdarg.h>
#include <string.h>

#define SYNC (15 * KT_SEC)

void hpa_condition(struct hpa_sync *sync, const char *type, bool status, const char *reason, const char *fmt,
                   ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	controller_set_condition(&sync->conditions, type, status ? "True" : "False", reason,
	                         kt_buf_str(&text), cluster_now(sync->cluster), false);
	kt_buf_clear(&text);
}

static void warn(struct hpa_sync *sync, const char *reason, const char *text)
{
	api_event(sync->cluster, &sync->actor, sync->hpa, "Warning", reason, NULL, NULL, "%s", text);
}

/* --- status --- */
static void write_status(struct hpa_sync *sync, int64_t desired, bool rescaled)
{
	const struct kt_json *old = kt_get(sync->hpa->json, "status");
	struct kt_json *status = kt_json_object();
	kt_set(&status, "lastScaleTime",
	       rescaled ? controller_time(cluster_now(sync->cluster))
	                : kt_json_ref(kt_get(old, "lastScaleTime")));
	if (sync->current)
		kt_set(&status, "currentReplicas", kt_json_int(sync->current));
	kt_set(&status, "desiredReplicas", kt_json_int(desired));
	kt_set(&status, "currentMetrics",
	       kt_count(sync->metrics) ? kt_json_ref(sync->metrics) : kt_json_null());
	kt_set(&status, "conditions", kt_json_ref(sync->conditions));
	controller_write_status(sync->cluster, &sync->actor, sync->hpa, status);
}

/* Only conditions changed: the rest stays as it was. */
static void write_conditions(struct hpa_sync *sync)
{
	struct kt_json *status = kt_json_ref(kt_get(sync->hpa->json, "status"));
	if (!kt_get(status, "currentMetrics"))
		kt_set(&status, "currentMetrics", kt_json_null());
	if (!kt_get(status, "desiredReplicas"))
		kt_set(&status, "desiredReplicas", kt_json_int(0));
	kt_set(&status, "conditions", kt_json_ref(sync->conditions));
	controller_write_status(sync->cluster, &sync->actor, sync->hpa, status);
}

/* --- the target --- */
static const struct schema_kind *target_kind(struct hpa_sync *sync, const struct store_object *hpa)
{
	return schema_by_api_version(cluster_schema(sync->cluster),
	                             kt_str_or(kt_path(hpa->json, "spec.scaleTargetRef.apiVersion"), "v1"),
	                             kt_str_or(kt_path(hpa->json, "spec.scaleTargetRef.kind"), ""));
}

const struct store_object *hpa_target(struct hpa_sync *sync, const struct store_object *hpa)
{
	const struct schema_kind *kind = target_kind(sync, hpa);
	const char *name = kt_str_or(kt_path(hpa->json, "spec.scaleTargetRef.name"), "");
	return kind ? store_get(cluster_store(sync->cluster), kind->storage, hpa->ns, name) : NULL;
}

static bool find_target(struct hpa_sync *sync)
{
	const struct kt_json *ref = kt_path(sync->hpa->json, "spec.scaleTargetRef");
	const char *kind_name = kt_str_or(kt_get(ref, "kind"), ""),
	           *name = kt_str_or(kt_get(ref, "name"), "");
	const struct schema_kind *kind = target_kind(sync, sync->hpa);
	char *why;
	if (!kind) {
		const char *group = kt_str_or(kt_get(ref, "apiVersion"), "");
		why = kt_strf("no matches for kind \"%s\" in group \"%.*s\"", kind_name,
		              (int)(kt_streq(group, "v1") ? 0 : (size_t)(strcspn(group, "/"))), group);
	} else {
		const struct store_object *target = hpa_target(sync, sync->hpa);
		bool scalable = schema_subresource_named(kind, "scale");
		if (target && scalable) {
			sync->target = store_ref(target);
			return true;
		}
		if (!scalable) /* there is no such path, whatever the name */
			why = kt_strdup("the server could not find the requested resource");
		else if (*kind->group)
			why = kt_strf("%s.%s \"%s\" not found", kind->resource, kind->group, name);
		else
			why = kt_strf("%s \"%s\" not found", kind->resource, name);
	}
	warn(sync, "FailedGetScale", why);
	hpa_condition(sync, "AbleToScale", false, "FailedGetScale",
	              "the HPA controller was unable to get the target's current scale: %s", why);
	write_conditions(sync);
	kt_free(why);
	return false;
}

/* --- metrics together: the highest proposal, unless one that failed might have been higher --- */
struct verdict {
	int64_t replicas;
	char *metric;
	char *error; /* NULL: none failed */
};

static bool decide(struct hpa_sync *sync, struct verdict *out)
{
	const struct kt_json *specs = kt_path(sync->hpa->json, "spec.metrics"), *spec;
	size_t total = kt_count(specs), invalid = 0;
	const char *bad_reason = NULL;
	char *bad = NULL, *bad_longer = NULL;
	KT_JSON_EACH (spec, specs) {
		struct hpa_proposal proposal = {0};
		if (hpa_propose(sync, spec, &proposal)) {
			kt_push(&sync->metrics, kt_json_ref(proposal.status));
			if (!out->metric || proposal.replicas > out->replicas) {
				out->replicas = proposal.replicas;
				kt_free(out->metric);
				out->metric = proposal.name;
				proposal.name = NULL;
			}
		} else {
			kt_push(&sync->metrics, kt_jsonf("{type: %s}", ""));
			warn(sync, proposal.reason, proposal.why);
			if (!invalid++) {
				bad_reason = proposal.reason;
				bad = kt_strdup(proposal.why);
				bad_longer = kt_strdup(proposal.longer);
			}
		}
		hpa_proposal_clear(&proposal);
	}
	if (invalid)
		out->error = kt_strf("invalid metrics (%zu invalid out of %zu), first error is: %s", invalid,
		                     total, bad_longer);
	bool usable = !(invalid >= total || (invalid && out->replicas < sync->current));
	if (!usable)
		hpa_condition(sync, "ScalingActive", false, bad_reason ? bad_reason : "InvalidMetrics",
		              "the HPA was unable to compute the replica count: %s", bad ? bad : "");
	else
		hpa_condition(sync, "ScalingActive", true, "ValidMetricFound",
		              "the HPA was able to successfully calculate a replica count from %s",
		              out->metric);
	kt_free(bad);
	kt_free(bad_longer);
	return usable;
}

static bool rescale(struct hpa_sync *sync, int64_t desired, const char *why)
{
	struct api_status status = {0};
	struct kt_json *json = kt_json_ref(sync->target->json);
	kt_set_path(&json, "spec.replicas", kt_json_int(desired));
	const struct store_object *now =
	        api_update(sync->cluster, &sync->actor, sync->target->kind, json, &status);
	if (!now) {
		api_event(sync->cluster, &sync->actor, sync->hpa, "Warning", "FailedRescale", NULL, NULL,
		          "New size: %lld; reason: %s; error: %s", (long long)desired, why, status.message);
		hpa_condition(sync, "AbleToScale", false, "FailedUpdateScale",
		              "the HPA controller was unable to update the target scale: %s", status.message);
		write_status(sync, kt_path_int(sync->hpa->json, "status.desiredReplicas", 0), false);
	} else {
		hpa_condition(sync, "AbleToScale", true, "SucceededRescale",
		              "the HPA controller was able to update the target scale to %lld",
		              (long long)desired);
		api_event(sync->cluster, &sync->actor, sync->hpa, "Normal", "SuccessfulRescale", NULL, NULL,
		          "New size: %lld; reason: %s", (long long)desired, why);
		hpa_memory_scaled(hpa_memory_get(sync->queue, sync->key, true), sync->current, desired,
		                  cluster_now(sync->cluster));
	}
	api_status_clear(&status);
	return now != NULL;
}

/* Pods that several autoscalers count are scaled by none of them (hpasControllingPodsUnderSelector). */
static bool contested(struct hpa_sync *sync, struct verdict *verdict)
{
	struct kt_strs rivals = {0};
	hpa_rivals(sync, &rivals);
	if (rivals.count > 1) {
		struct kt_buf text = {0};
		kt_buf_adds(&text, "pods by selector ");
		api_scale_selector(sync->target->kind, sync->target->json, &text);
		kt_buf_adds(&text, " are controlled by multiple HPAs: [");
		for (size_t i = 0; i < rivals.count; i++)
			kt_buf_addf(&text, "%s%s/%s", i ? " " : "", sync->hpa->ns, rivals.items[i]);
		kt_buf_addc(&text, ']');
		verdict->error = kt_buf_take(&text);
		warn(sync, "AmbiguousSelector", verdict->error);
		hpa_condition(sync, "ScalingActive", false, "AmbiguousSelector", "%s", verdict->error);
	}
	kt_strs_clear(&rivals);
	return verdict->error != NULL;
}

/* False: nothing could be decided (told already). */
static bool desired_by_metrics(struct hpa_sync *sync, int64_t *out, char **out_why)
{
	struct verdict verdict = {0};
	bool usable = !contested(sync, &verdict) && decide(sync, &verdict);
	if (!usable) {
		write_status(sync, kt_path_int(sync->hpa->json, "status.desiredReplicas", 0), false);
		warn(sync, "FailedComputeMetricsReplicas", verdict.error ? verdict.error : "");
	} else {
		*out = verdict.replicas;
		if (verdict.replicas > sync->current)
			*out_why = kt_strf("%s above target", verdict.metric);
		else if (verdict.replicas < sync->current)
			*out_why = kt_strdup("All metrics below target");
		*out = hpa_normalize(sync, *out);
	}
	kt_free(verdict.metric);
	kt_free(verdict.error);
	return usable;
}

static void autoscale(struct hpa_sync *sync)
{
	int64_t desired = sync->current;
	char *why = NULL;
	hpa_condition(sync, "AbleToScale", true, "SucceededGetScale",
	              "the HPA controller was able to get the target's current scale");
	sync->current = desired = kt_path_int(sync->target->json, "spec.replicas", 1);
	hpa_memory_first(hpa_memory_get(sync->queue, sync->key, true), sync->current,
	                 cluster_now(sync->cluster));
	if (sync->current == 0 && sync->min != 0) {
		desired = 0;
		hpa_condition(sync, "ScalingActive", false, "ScalingDisabled",
		              "scaling is disabled since the replica count of the target is zero");
	} else if (sync->current > sync->max) {
		desired = sync->max;
		why = kt_strdup("Current number of replicas above Spec.MaxReplicas");
	} else if (sync->current < sync->min) {
		desired = sync->min;
		why = kt_strdup("Current number of replicas below Spec.MinReplicas");
	} else if (!desired_by_metrics(sync, &desired, &why)) {
		kt_free(why);
		return;
	}
	bool change = desired != sync->current;
	if (!change || rescale(sync, desired, why ? why : ""))
		write_status(sync, desired, change);
	kt_free(why);
}

static void read_spec(struct hpa_sync *sync)
{
	const struct kt_json *spec = kt_get(sync->hpa->json, "spec");
	sync->min = kt_get_int(spec, "minReplicas", 1);
	sync->max = kt_get_int(spec, "maxReplicas", 1);
	struct kt_quantity q;
	const char *up = kt_path_str(spec, "behavior.scaleUp.tolerance");
	const char *down = kt_path_str(spec, "behavior.scaleDown.tolerance");
	sync->tolerance_up = up && kt_quantity_parse(up, &q) ? (double)q.milli / 1000 : 0.1;
	sync->tolerance_down = down && kt_quantity_parse(down, &q) ? (double)q.milli / 1000 : 0.1;
	sync->conditions = kt_json_ref(kt_path(sync->hpa->json, "status.conditions"));
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *hpa = controller_get(cluster, queue->kinds->hpa, key);
	if (!hpa) {
		hpa_memory_drop(queue, key);
		return true;
	}
	struct hpa_sync sync = {.cluster = cluster,
	                        .queue = queue,
	                        .actor = controller_actor(queue, because ? because : hpa),
	                        .hpa = store_ref(hpa),
	                        .key = key};
	char ns[64], name[256];
	controller_key(key, ns, name);
	read_spec(&sync);
	if (find_target(&sync)) {
		autoscale(&sync);
		store_unref(sync.target);
	}
	kt_json_free(sync.conditions);
	kt_json_free(sync.metrics);
	store_unref(sync.hpa);
	controller_add_after(cluster, queue, ns, name, SYNC);
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind != queue->kinds->hpa)
		return;
	/* its own status does not count: the queue of the real one is limited to once in 15 seconds */
	bool asked = event->change != STORE_MODIFIED || !event->old ||
	             controller_generation(object) != controller_generation(event->old) ||
	             !kt_equal(kt_get(object->json, "spec"), kt_get(event->old->json, "spec"));
	/* "Requests are always added to queue with resyncPeriod delay": also the first (horizontal.go
	 * enqueueHPA) */
	if (event->change == STORE_DELETED)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (asked)
		controller_add_after(cluster, queue, object->ns, object->name, SYNC);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->hpa);
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	(void)cluster;
	hpa_memory_free_all(queue);
}

const struct controller controller_hpa = {
        .name = "horizontalpodautoscaler",
        .component = "horizontal-pod-autoscaler",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 10 * KT_MS,
};

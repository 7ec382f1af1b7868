/* SPDX-License-Identifier: MIT */
/* What the pods of an autoscaler's target use (kubernetes pkg/controller/podautoscaler/replica_calculator.go
 * groupPods, metrics/client.go). */
#include "cluster/controllers/hpa.h"
#include "cluster/network/network.h"

#define CPU_INITIALIZATION (5 * KT_MIN_NS)
#define INITIAL_READINESS  (30 * KT_SEC)
#define WINDOW             (15 * KT_SEC) /* of a sample of metrics-server */

struct question {
	const char *resource;  /* "cpu", "memory" */
	const char *container; /* NULL: all */
	bool by_value;
	int64_t target; /* percent, or milli-units */
};
struct answers {
	struct controller_hpa_pod *pods;
	struct store_list objects;
	size_t measured;       /* pods of which there are metrics */
	char *lacks_container; /* the message, if the named one is not there */
	char *lacks_request;
};

static void answers_clear(struct answers *answers)
{
	kt_free(answers->pods);
	kt_free(answers->lacks_container);
	kt_free(answers->lacks_request);
	store_list_clear(&answers->objects);
}

static bool selects(const struct store_object *target, const struct store_object *pod)
{
	const struct kt_json *selector = kt_path(target->json, "spec.selector"),
	                     *labels = view_pod(pod)->labels;
	return kt_streq(target->kind->kind, "ReplicationController")
	               ? view_map_matches(selector, labels)
	               : view_selector_matches(selector, labels);
}

static bool shares_pods(struct hpa_sync *sync, const struct store_object *target)
{
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(sync->cluster), sync->queue->kinds->pod, sync->hpa->ns)
		if (selects(sync->target, pod) && selects(target, pod))
			return true;
	return false;
}

void hpa_rivals(struct hpa_sync *sync, struct kt_strs *out)
{
	const struct store_object *hpa, *target;
	STORE_EACH (hpa, cluster_store(sync->cluster), sync->queue->kinds->hpa, sync->hpa->ns) {
		target = hpa_target(sync, hpa);
		if (target && shares_pods(sync, target))
			kt_strs_add(out, hpa->name);
	}
}

static void find_pods(struct hpa_sync *sync, struct answers *answers)
{
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(sync->cluster), sync->queue->kinds->pod, sync->hpa->ns)
		if (selects(sync->target, pod))
			controller_list_add(&answers->objects, pod);
	answers->pods = kt_alloc((answers->objects.count + 1) * sizeof(*answers->pods));
}

/* --- one pod --- */
static bool runs_always(const struct kt_json *container)
{
	return kt_streq(kt_get_str(container, "restartPolicy"), "Always");
}

/* The use of its containers; false if metrics-server knows none of it yet. */
static bool measure(struct hpa_sync *sync, const struct store_object *object, const struct question *question,
                    int64_t *out, char **lacks_container)
{
	const struct kt_json *spec = view_pod(object)->spec, *container;
	bool any = false, named = false;
	int64_t sum = 0;
	const struct kt_json *lists[] = {kt_get(spec, "containers"), kt_get(spec, "initContainers")};
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (container, lists[i]) {
			const char *name = kt_get_str(container, "name");
			int64_t cpu = 0, memory = 0;
			if (i == 1 && !runs_always(container))
				continue;
			if (!usage_container(sync->cluster, object->ns, object->name, name, &cpu, &memory)) {
				if (i == 0)
					return false;
				continue;
			}
			any = true;
			if (question->container && !kt_streq(question->container, name))
				continue;
			named = true;
			sum += kt_streq(question->resource, "cpu") ? (cpu + 999999) / 1000000 : memory * 1000;
		}
	}
	if (any && !named && question->container && !*lacks_container)
		*lacks_container = kt_strf("container %s not present in metrics for pod %s/%s",
		                           question->container, object->ns, object->name);
	*out = sum;
	return any && named;
}

static bool request_of(const struct store_object *object, const struct question *question, int64_t *out,
                       char **lacks)
{
	const struct kt_json *spec = view_pod(object)->spec, *container;
	const struct kt_json *lists[] = {kt_get(spec, "containers"), kt_get(spec, "initContainers")};
	*out = 0;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (container, lists[i]) {
			const char *name = kt_get_str(container, "name");
			struct kt_quantity q;
			if ((i == 1 && !runs_always(container)) ||
			    (question->container && !kt_streq(question->container, name)))
				continue;
			const char *text =
			        kt_get_str(kt_path(container, "resources.requests"), question->resource);
			if (!text || !kt_quantity_parse(text, &q)) {
				*lacks = kt_strf("missing request for %s in container %s of Pod %s",
				                 question->resource, name, object->name);
				return false;
			}
			*out += q.milli;
		}
	}
	return true;
}

static const struct kt_json *ready_condition(const struct view_pod *pod)
{
	return controller_condition(kt_get(pod->status, "conditions"), "Ready");
}

/* CPU of a pod that just started says little. */
static bool cpu_unready(const struct view_pod *pod, kt_ns now)
{
	const struct kt_json *ready = ready_condition(pod);
	kt_ns started = controller_time_of(kt_get(pod->status, "startTime"));
	if (!ready || !started)
		return true;
	bool is_false = kt_streq(kt_get_str(ready, "status"), "False");
	kt_ns changed = controller_time_of(kt_get(ready, "lastTransitionTime"));
	if (started + CPU_INITIALIZATION > now)
		return is_false || now < changed + WINDOW;
	return is_false && started + INITIAL_READINESS > changed;
}

static void classify(struct hpa_sync *sync, const struct question *question, struct answers *answers)
{
	kt_ns now = cluster_now(sync->cluster);
	for (size_t i = 0; i < answers->objects.count; i++) {
		const struct store_object *object = answers->objects.items[i];
		const struct view_pod *pod = view_pod(object);
		struct controller_hpa_pod *out = &answers->pods[i];
		out->ignored = pod->deleting || pod->phase == VIEW_FAILED;
		out->measured = measure(sync, object, question, &out->usage, &answers->lacks_container);
		answers->measured += out->measured;
		out->unready =
		        !out->ignored &&
		        (pod->phase == VIEW_PENDING ||
		         (out->measured && kt_streq(question->resource, "cpu") && cpu_unready(pod, now)));
	}
}

static bool usable_metrics(const struct answers *answers)
{
	for (size_t i = 0; i < answers->objects.count; i++) {
		const struct controller_hpa_pod *pod = &answers->pods[i];
		if (!pod->ignored && !pod->unready && pod->measured)
			return true;
	}
	return false;
}

static bool add_requests(const struct question *question, struct answers *answers)
{
	for (size_t i = 0; i < answers->objects.count; i++) {
		if (!request_of(answers->objects.items[i], question, &answers->pods[i].request,
		                &answers->lacks_request))
			return false;
	}
	return true;
}

/* --- one metric --- */
static struct kt_json *quantity(int64_t milli, bool binary)
{
	struct kt_buf text = {0};
	if (binary)
		kt_quantity_print_value(milli / 1000, KT_DECIMAL_SI, &text);
	else
		kt_quantity_print_milli(milli, KT_DECIMAL_SI, &text);
	struct kt_json *v = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return v;
}

/* The replicas for a question, or what went wrong. */
static char *ask(struct hpa_sync *sync, const struct question *question, struct answers *answers,
                 int64_t *replicas, int64_t *utilization, int64_t *value)
{
	find_pods(sync, answers);
	classify(sync, question, answers);
	if (answers->lacks_container)
		return kt_strf("unable to get metrics for resource %s: %s", question->resource,
		               answers->lacks_container);
	if (!answers->measured)
		return kt_strf("unable to get metrics for resource %s: no metrics returned from resource "
		               "metrics API",
		               question->resource);
	if (!answers->objects.count)
		return kt_strdup("no pods returned by selector while calculating replica count");
	if (!usable_metrics(answers))
		return kt_strdup("did not receive metrics for targeted pods (pods might be unready)");
	if (!question->by_value && !add_requests(question, answers))
		return kt_strdup(answers->lacks_request);
	if (!controller_hpa_replicas(answers->pods, answers->objects.count, sync->current, question->target,
	                             question->by_value, sync->tolerance_up, sync->tolerance_down, replicas,
	                             utilization, value))
		return kt_strdup("no metrics returned matched known pods");
	return NULL;
}

static void read_target(const struct kt_json *target, struct question *question)
{
	struct kt_quantity q;
	const char *average = kt_get_str(target, "averageValue");
	question->by_value = average != NULL;
	if (average && kt_quantity_parse(average, &q))
		question->target = q.milli;
	else
		question->target = kt_get_int(target, "averageUtilization", 0);
}

static bool propose_resource(struct hpa_sync *sync, const struct kt_json *source, const char *member,
                             const char *type, const char *reason, struct hpa_proposal *out)
{
	struct question question = {.resource = kt_str_or(kt_get(source, "name"), ""),
	                            .container = kt_get_str(source, "container")};
	struct answers answers = {0};
	int64_t utilization = 0, value = 0;
	read_target(kt_get(source, "target"), &question);
	const char *noun = question.container ? "container resource" : "resource";
	char *why = ask(sync, &question, &answers, &out->replicas, &utilization, &value);
	if (why) {
		out->reason = reason;
		out->why = kt_strf("failed to get %s %s: %s", question.resource,
		                   question.by_value ? "usage" : "utilization", why);
		out->longer = question.container ? kt_strf("failed to get %s container metric value: %s",
		                                           question.container, out->why)
		                                 : kt_strf("failed to get %s resource metric value: %s",
		                                           question.resource, out->why);
	} else {
		out->name = kt_strf(question.by_value ? "%s %s" : "%s %s utilization (percentage of request)",
		                    question.resource, noun);
		struct kt_json *current = kt_jsonf("{averageValue: %j}",
		                                   quantity(value, kt_streq(question.resource, "memory")));
		if (!question.by_value)
			kt_set(&current, "averageUtilization", kt_json_int(utilization));
		out->status = kt_jsonf("{type: %s, %s: {name: %s, container: %s, current: %j}}", type, member,
		                       question.resource, question.container, current);
	}
	kt_free(why);
	answers_clear(&answers);
	return out->reason == NULL;
}

/* As Go prints a LabelSelector. */
static void add_selector(struct kt_buf *out, const struct kt_json *selector)
{
	const struct kt_json *labels = kt_get(selector, "matchLabels"), *one, *value;

	if (!selector) {
		kt_buf_adds(out, "nil");
		return;
	}
	kt_buf_adds(out, "&LabelSelector{MatchLabels:map[string]string{");
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(out, "%s: %s,", kt_key(labels, i), kt_str_or(kt_at(labels, i), ""));
	kt_buf_adds(out, "},MatchExpressions:[]LabelSelectorRequirement{");
	KT_JSON_EACH (one, kt_get(selector, "matchExpressions")) {
		const char *gap = "";

		kt_buf_addf(out, "LabelSelectorRequirement{Key:%s,Operator:%s,Values:[",
		            kt_str_or(kt_get(one, "key"), ""), kt_str_or(kt_get(one, "operator"), ""));
		KT_JSON_EACH (value, kt_get(one, "values")) {
			kt_buf_addf(out, "%s%s", gap, kt_str_or(value, ""));
			gap = " ";
		}
		kt_buf_adds(out, "],},");
	}
	kt_buf_adds(out, "},}");
}

static const char *const no_custom =
        "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) "
        "registered";

static void lacks_pods(const struct kt_json *source, struct hpa_proposal *out)
{
	out->reason = "FailedGetPodsMetric";
	out->why = kt_strf("unable to get metric %s: %s", kt_str_or(kt_path(source, "metric.name"), ""),
	                   no_custom);
	out->longer = kt_strf("failed to get pods metric value: %s", out->why);
}

/* "Ingress on NAMESPACE NAME/…": its arguments are in another order than its words. */
static void lacks_object(const struct hpa_sync *sync, const struct kt_json *source, struct hpa_proposal *out)
{
	const char *name = kt_str_or(kt_path(source, "metric.name"), "");

	out->reason = "FailedGetObjectMetric";
	out->why = kt_strf("unable to get metric %s: %s on %s %s/%s", name,
	                   kt_str_or(kt_path(source, "describedObject.kind"), ""), sync->hpa->ns,
	                   kt_str_or(kt_path(source, "describedObject.name"), ""), no_custom);
	out->longer =
	        kt_path(source, "target.value")
	                ? kt_strf("failed to get object metric value: %s", out->why)
	                : kt_strf("failed to get object metric value: failed to get %s object metric: %s",
	                          name, out->why);
}

static void lacks_external(const struct hpa_sync *sync, const struct kt_json *source,
                           struct hpa_proposal *out)
{
	const char *name = kt_str_or(kt_path(source, "metric.name"), "");
	struct kt_buf selector = {0};

	add_selector(&selector, kt_path(source, "metric.selector"));
	out->reason = "FailedGetExternalMetric";
	out->why = kt_strf("unable to get external metric %s/%s/%s: unable to fetch metrics from external "
	                   "metrics API: the server could not find the requested resource (get "
	                   "%s.external.metrics.k8s.io)",
	                   sync->hpa->ns, name, kt_buf_str(&selector), name);
	out->longer =
	        kt_strf(kt_path(source, "target.value")
	                        ? "failed to get %s external metric value: failed to get external metric "
	                          "%s: %s"
	                        : "failed to get %s external metric value: failed to get %s external "
	                          "metric: %s",
	                name, name, out->why);
	kt_buf_clear(&selector);
}

/* Metrics that need an adapter which this cluster, as most, does not have. */
static bool propose_custom(const struct hpa_sync *sync, const struct kt_json *metric, const char *type,
                           struct hpa_proposal *out)
{
	if (kt_streq(type, "External"))
		lacks_external(sync, kt_get(metric, "external"), out);
	else if (kt_streq(type, "Object"))
		lacks_object(sync, kt_get(metric, "object"), out);
	else
		lacks_pods(kt_get(metric, "pods"), out);
	return false;
}

bool hpa_propose(struct hpa_sync *sync, const struct kt_json *metric, struct hpa_proposal *out)
{
	const char *type = kt_str_or(kt_get(metric, "type"), "");
	if (kt_streq(type, "Resource"))
		return propose_resource(sync, kt_get(metric, "resource"), "resource", type,
		                        "FailedGetResourceMetric", out);
	if (kt_streq(type, "ContainerResource"))
		return propose_resource(sync, kt_get(metric, "containerResource"), "containerResource", type,
		                        "FailedGetContainerResourceMetric", out);
	return propose_custom(sync, metric, type, out);
}

void hpa_proposal_clear(struct hpa_proposal *proposal)
{
	kt_free(proposal->name);
	kt_free(proposal->why);
	kt_free(proposal->longer);
	kt_json_free(proposal->status);
}

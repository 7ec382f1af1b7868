/* SPDX-License-Identifier: MIT */
/* One version of an object as another (pkg/apis/autoscaling/v1/conversion.go, pkg/apis/events of Kubernetes):
 * a field renamed is a row, what is more is a function. */
#include "cluster/schema/schema_internal.h"

#include <string.h>

static void rename_member(struct kt_json **object, const char *from, const char *to)
{
	struct kt_json *v = kt_json_ref(kt_get(*object, from));
	if (!v || !strcmp(from, to)) {
		kt_json_free(v);
		return;
	}
	kt_unset(object, from);
	kt_set(object, to, v);
}

/* core/v1 Event and events.k8s.io/v1 Event: the same object under other names. */
static const struct {
	const char *core, *events;
} event_names[] = {
        {"involvedObject", "regarding"},
        {"message", "note"},
        {"reportingComponent", "reportingController"},
        {"source", "deprecatedSource"},
        {"firstTimestamp", "deprecatedFirstTimestamp"},
        {"lastTimestamp", "deprecatedLastTimestamp"},
        {"count", "deprecatedCount"},
};

static void event_to_core(struct kt_json **object)
{
	for (size_t i = 0; i < KT_COUNT(event_names); i++)
		rename_member(object, event_names[i].events, event_names[i].core);
}

static void event_to_events(struct kt_json **object)
{
	for (size_t i = 0; i < KT_COUNT(event_names); i++)
		rename_member(object, event_names[i].core, event_names[i].events);
}

static bool cpu_utilization(const struct kt_json *metric)
{
	return kt_streq(kt_get_str(metric, "type"), "Resource") &&
	       kt_streq(kt_path_str(metric, "resource.name"), "cpu");
}

/* What v1 cannot say is kept in annotations of v1, as the real server does. */
static void annotate(struct kt_json **object, const char *name, const struct kt_json *value)
{
	if (!kt_count(value))
		return;
	struct kt_json **metadata = kt_edit(object, "metadata");
	struct kt_json **annotations = kt_edit(metadata, "annotations");
	char *text = kt_json_text(value);
	kt_set(annotations, name, kt_json_str(text));
	kt_free(text);
}

#define BEHAVIOR   "autoscaling.alpha.kubernetes.io/behavior"
#define METRICS    "autoscaling.alpha.kubernetes.io/metrics"
#define CURRENT    "autoscaling.alpha.kubernetes.io/current-metrics"
#define CONDITIONS "autoscaling.alpha.kubernetes.io/conditions"

static void hpa_to_v1(struct kt_json **object)
{
	struct kt_json *spec = kt_json_ref(kt_get(*object, "spec"));
	struct kt_json *status = kt_json_ref(kt_get(*object, "status"));
	struct kt_json *others = NULL;
	const struct kt_json *metric;
	struct kt_json *target = NULL;
	KT_JSON_EACH (metric, kt_get(spec, "metrics")) {
		const struct kt_json *average = kt_path(metric, "resource.target.averageUtilization");
		if (cpu_utilization(metric) && average && !target)
			target = kt_json_ref(average);
		else if (!cpu_utilization(metric) || !average)
			kt_push(&others, kt_json_ref(metric));
	}
	KT_JSON_EACH (metric, kt_get(status, "currentMetrics"))
		if (cpu_utilization(metric) && kt_path(metric, "resource.current.averageUtilization"))
			kt_set(&status, "currentCPUUtilizationPercentage",
			       kt_json_ref(kt_path(metric, "resource.current.averageUtilization")));
	annotate(object, METRICS, others);
	annotate(object, CURRENT, kt_get(status, "currentMetrics"));
	annotate(object, BEHAVIOR, kt_get(spec, "behavior"));
	annotate(object, CONDITIONS, kt_get(status, "conditions"));
	kt_json_free(others);
	if (spec) {
		kt_unset(&spec, "metrics");
		kt_unset(&spec, "behavior");
		kt_set(&spec, "targetCPUUtilizationPercentage", target);
		kt_set(object, "spec", spec);
	}
	if (status) {
		kt_unset(&status, "currentMetrics");
		kt_unset(&status, "conditions");
		kt_set(object, "status", status);
	}
}

/* Takes an annotation off and gives its value, parsed; NULL if none. */
static struct kt_json *take_annotation(struct kt_json **object, const char *name)
{
	const struct kt_json *text = kt_get(kt_path(*object, "metadata.annotations"), name);
	struct kt_json *value = NULL;
	struct kt_err err = {0};
	if (!kt_is_string(text))
		return NULL;
	if (kt_json_parse(kt_str(text), kt_str_len(text), NULL, &value, NULL, &err))
		value = NULL;
	struct kt_json **metadata = kt_edit(object, "metadata");
	struct kt_json **annotations = kt_edit(metadata, "annotations");
	kt_unset(annotations, name);
	if (!kt_count(*annotations))
		kt_unset(metadata, "annotations");
	return value;
}

static void hpa_to_v2(struct kt_json **object)
{
	struct kt_json *metrics = take_annotation(object, METRICS),
	               *current = take_annotation(object, CURRENT);
	struct kt_json *behavior = take_annotation(object, BEHAVIOR);
	struct kt_json *conditions = take_annotation(object, CONDITIONS);
	struct kt_json *spec = kt_json_ref(kt_get(*object, "spec"));
	struct kt_json *status = kt_json_ref(kt_get(*object, "status"));
	int64_t target = kt_get_int(spec, "targetCPUUtilizationPercentage", -1);
	if (target < 0 && !metrics)
		target = 80;
	if (target >= 0)
		kt_push(&metrics,
		        kt_jsonf("{type: 'Resource', resource: {name: 'cpu', target: {type: 'Utilization',"
		                 "averageUtilization: %l}}}",
		                 target));
	kt_unset(&spec, "targetCPUUtilizationPercentage");
	kt_set(&spec, "metrics", metrics);
	kt_set(&spec, "behavior", behavior);
	kt_set(object, "spec", spec);
	int64_t used = kt_get_int(status, "currentCPUUtilizationPercentage", -1);
	if (used >= 0 && !current)
		current = kt_jsonf(
		        "[{type: 'Resource', resource: {name: 'cpu', current: {averageUtilization: %l}}}]",
		        used);
	if (status || current || conditions) {
		kt_unset(&status, "currentCPUUtilizationPercentage");
		kt_set(&status, "currentMetrics", current);
		kt_set(&status, "conditions", conditions);
		kt_set(object, "status", status);
	}
}

static const struct {
	const char *kind, *from, *to; /* apiVersions */
	void (*convert)(struct kt_json **object);
} conversions[] = {
        {"HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2", hpa_to_v2},
        {"HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1", hpa_to_v1},
        {"Event", "events.k8s.io/v1", "v1", event_to_core},
        {"Event", "v1", "events.k8s.io/v1", event_to_events},
};

struct kt_json *schema_convert(const struct kt_json *object, const struct schema_kind *from,
                               const struct schema_kind *to)
{
	struct kt_json *out = kt_json_ref(object), *canonical = NULL;
	if (from == to || !kt_is_object(object))
		return out;
	kt_set(&out, "apiVersion", kt_json_str(to->api_version));
	kt_set(&out, "kind", kt_json_str(to->kind));
	for (size_t i = 0; i < KT_COUNT(conversions); i++)
		if (!strcmp(conversions[i].kind, from->kind) &&
		    !strcmp(conversions[i].from, from->api_version) &&
		    !strcmp(conversions[i].to, to->api_version))
			conversions[i].convert(&out);
	/* Put into the other version's order, with what it always prints. */
	struct kt_err err = {0};
	if (!to->crd && !schema_decode_type(to->type, out, &canonical, NULL, &err)) {
		kt_json_free(out);
		out = canonical;
	}
	return out;
}

/* SPDX-License-Identifier: MIT */
/* Autoscalers, disruption budgets, priority classes: kubernetes pkg/apis/autoscaling/validation,
 * pkg/apis/policy/validation, pkg/apis/scheduling/validation. */
#include "cluster/api/validate.h"

#include <string.h>

/* --- horizontal pod autoscalers --- */

static void object_reference(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const struct v_rule rules[] = {
	        {.field = "kind", .kind = V_NEEDED, .format = v_path_segment},
	        {.field = "name", .kind = V_NEEDED, .format = v_path_segment},
	};
	V_RULES(v, path, ref, rules);
}

static void scale_target(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	const char *version = kt_get_text(ref, "apiVersion"), *slash = strchr(version, '/');
	bool core = strcmp(kt_get_text(ref, "kind"), "ReplicationController") == 0;
	object_reference(v, path, ref);
	if (slash && strchr(slash + 1, '/'))
		v_invalid_str(v, V_IN(path, "apiVersion"), version, "unexpected GroupVersion string: %s",
		              version);
	else if (!slash && !core)
		v_invalid_str(v, V_IN(path, "apiVersion"), version, "apiVersion must specify API group");
}

static void metric_target(struct v *v, const struct v_path *path, const struct kt_json *target)
{
	static const char *const types[] = {"Utilization", "Value", "AverageValue", NULL};
	const char *type = kt_get_text(target, "type");
	const struct kt_json *utilization = kt_get(target, "averageUtilization"),
	                     *value = kt_get(target, "value");
	const struct kt_json *average = kt_get(target, "averageValue");
	bool known = false;
	for (size_t i = 0; types[i]; i++)
		known = known || strcmp(types[i], type) == 0;
	if (!*type)
		v_required(v, V_IN(path, "type"), "must specify a metric target type");
	else if (!known)
		v_invalid_str(v, V_IN(path, "type"), type,
		              "must be either Utilization, Value, or AverageValue");
	if (value && kt_quantity_compare(kt_str_or(value, "0"), "0") <= 0)
		v_invalid(v, V_IN(path, "value"), value, "must be positive");
	if (average && kt_quantity_compare(kt_str_or(average, "0"), "0") <= 0)
		v_invalid(v, V_IN(path, "averageValue"), average, "must be positive");
	if (utilization && kt_int_or(utilization, 0) < 1)
		v_invalid(v, V_IN(path, "averageUtilization"), utilization, "must be greater than 0");
}

static void resource_metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	const struct kt_json *target = kt_get(m, "target");
	const struct v_path *tp = V_IN(path, "target");
	if (!*kt_get_text(m, "name"))
		v_required(v, V_IN(path, "name"), "must specify a resource name");
	metric_target(v, tp, target);
	if (!kt_get(target, "averageUtilization") && !kt_get(target, "averageValue"))
		v_required(v, V_IN(tp, "averageUtilization"),
		           "must set either a target raw value or a target utilization");
	else if (kt_get(target, "averageUtilization") && kt_get(target, "averageValue"))
		v_forbidden(v, V_IN(tp, "averageValue"),
		            "may not set both a target raw value and a target utilization");
}

static void container_metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	if (!*kt_get_text(m, "container"))
		v_required(v, V_IN(path, "container"), "must specify a container");
	else
		v_check(v, V_IN(path, "container"), kt_get_text(m, "container"), v_dns_label);
	resource_metric(v, path, m);
}

static void metric_name(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	const char *name = kt_str_or(kt_path(m, "metric.name"), "");
	const struct v_path *at = V_IN(V_IN(path, "metric"), "name");
	if (!*name)
		v_required(v, at, "must specify a metric name");
	else
		v_check(v, at, name, v_path_segment);
	metric_target(v, V_IN(path, "target"), kt_get(m, "target"));
}

static void pods_metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	metric_name(v, path, m);
	if (!kt_path(m, "target.averageValue"))
		v_required(v, V_IN(V_IN(path, "target"), "averageValue"),
		           "must specify a positive target averageValue");
}

static void object_metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	object_reference(v, V_IN(path, "describedObject"), kt_get(m, "describedObject"));
	metric_name(v, path, m);
	if (!kt_path(m, "target.value") && !kt_path(m, "target.averageValue"))
		v_required(v, V_IN(V_IN(path, "target"), "averageValue"),
		           "must set either a target value or averageValue");
}

static void external_metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	const struct v_path *tp = V_IN(path, "target");
	bool value = kt_path(m, "target.value"), average = kt_path(m, "target.averageValue");
	metric_name(v, path, m);
	if (!value && !average)
		v_required(v, V_IN(tp, "averageValue"),
		           "must set either a target value for metric or a per-pod target");
	if (value && average)
		v_forbidden(v, V_IN(tp, "value"),
		            "may not set both a target value for metric and a per-pod target");
}

/* In the order in which the server looks: of several sources it checks the first. */
static const struct {
	const char *type, *field;
	v_fn *fn;
} sources[] = {
        {"Object", "object", object_metric},
        {"External", "external", external_metric},
        {"Pods", "pods", pods_metric},
        {"Resource", "resource", resource_metric},
        {"ContainerResource", "containerResource", container_metric},
};

static void metric(struct v *v, const struct v_path *path, const struct kt_json *m)
{
	static const char *const types[] = {"ContainerResource", "External", "Object", "Pods",
	                                    "Resource",          NULL};
	const char *type = kt_get_text(m, "type");
	size_t count = 0;
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(sources); i++)
		known = known || strcmp(sources[i].type, type) == 0;
	if (!*type)
		v_required(v, V_IN(path, "type"), "must specify a metric source type");
	else if (!known)
		v_unsupported(v, V_IN(path, "type"), kt_get(m, "type"), types);
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *source = kt_get(m, sources[i].field);
		if (source && count++ == 0)
			sources[i].fn(v, V_IN(path, sources[i].field), source);
	}
	for (size_t i = 0; i < KT_COUNT(sources); i++)
		if (strcmp(sources[i].type, type) == 0 && !kt_get(m, sources[i].field))
			v_required(v, V_IN(path, sources[i].field),
			           "must populate information for the given metric source");
	for (size_t i = 0; count > 1 && i < KT_COUNT(sources); i++)
		if (strcmp(sources[i].type, type) != 0 && kt_get(m, sources[i].field))
			v_forbidden(v, V_IN(path, sources[i].field),
			            "must populate the given metric source only");
}

static void scaling_rules(struct v *v, const struct v_path *path, const struct kt_json *rules)
{
	static const char *const selects[] = {"Disabled", "Max", "Min", NULL};
	static const struct v_rule rows[] = {{.field = "selectPolicy", .kind = V_ENUM, .values = selects}};
	const struct kt_json *window = kt_get(rules, "stabilizationWindowSeconds"), *policy;
	const struct v_path *pp = V_IN(path, "policies");
	if (window && kt_int_or(window, 0) < 0)
		v_invalid(v, V_IN(path, "stabilizationWindowSeconds"), window,
		          "must be greater than or equal to zero");
	if (window && kt_int_or(window, 0) > 3600)
		v_invalid(v, V_IN(path, "stabilizationWindowSeconds"), window,
		          "must be less than or equal to 3600");
	V_RULES(v, path, rules, rows);
	if (kt_count(kt_get(rules, "policies")) == 0)
		v_required(v, pp, "must specify at least one Policy");
	KT_JSON_EACH (policy, kt_get(rules, "policies")) {
		const struct v_path *at = V_AT(pp, policy_i);
		int64_t period = kt_get_int(policy, "periodSeconds", 0);
		if (strcmp(kt_get_text(policy, "type"), "Pods") != 0 &&
		    strcmp(kt_get_text(policy, "type"), "Percent") != 0)
			v_unsupported(v, V_IN(at, "type"), kt_get(policy, "type"),
			              V_WORDS("Percent", "Pods"));
		if (kt_get_int(policy, "value", 0) <= 0)
			v_invalid(v, V_IN(at, "value"), kt_get(policy, "value"), "must be greater than zero");
		if (period <= 0)
			v_invalid(v, V_IN(at, "periodSeconds"), kt_get(policy, "periodSeconds"),
			          "must be greater than zero");
		if (period > 1800)
			v_invalid(v, V_IN(at, "periodSeconds"), kt_get(policy, "periodSeconds"),
			          "must be less than or equal to 1800");
	}
}

static void behavior(struct v *v, const struct v_path *path, const struct kt_json *b)
{
	static const struct v_rule rules[] = {
	        {.field = "scaleUp", .kind = V_OBJECT, .fn = scaling_rules},
	        {.field = "scaleDown", .kind = V_OBJECT, .fn = scaling_rules},
	};
	V_RULES(v, path, b, rules);
}

static void autoscaler(struct v *v)
{
	const struct v_path *path = V_ROOT("spec"), *mp = V_IN(path, "metrics");
	const struct kt_json *spec = kt_get(v->object, "spec"), *min = kt_get(spec, "minReplicas"),
	                     *max = kt_get(spec, "maxReplicas"), *m;
	bool outside = false;
	if (min && kt_int_or(min, 0) < 1)
		v_invalid(v, V_IN(path, "minReplicas"), min, "must be greater than or equal to 1");
	if (kt_int_or(max, 0) < 1)
		v_invalid_steal(v, V_IN(path, "maxReplicas"), kt_json_int(kt_int_or(max, 0)),
		                "must be greater than 0");
	if (min && kt_int_or(max, 0) < kt_int_or(min, 0))
		v_invalid(v, V_IN(path, "maxReplicas"), max,
		          "must be greater than or equal to `minReplicas`");
	scale_target(v, V_IN(path, "scaleTargetRef"), kt_get(spec, "scaleTargetRef"));
	KT_JSON_EACH (m, kt_get(spec, "metrics")) {
		metric(v, V_AT(mp, m_i), m);
		outside = outside || strcmp(kt_get_text(m, "type"), "Object") == 0 ||
		          strcmp(kt_get_text(m, "type"), "External") == 0;
	}
	if (min && kt_int_or(min, 0) == 0 && !outside)
		v_forbidden(v, mp,
		            "must specify at least one Object or External metric to support scaling to zero "
		            "replicas");
	if (kt_get(spec, "behavior"))
		behavior(v, V_IN(path, "behavior"), kt_get(spec, "behavior"));
}

/* --- disruption budgets --- */

static void budget_number(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t percent;
	v_int_or_percent(v, path, value);
	if (v_is_percent(value, &percent) && percent > 100)
		v_invalid(v, path, value, "must not be greater than 100%%");
}

static void budget(struct v *v)
{
	static const char *const policies[] = {"AlwaysAllow", "IfHealthyBudget", NULL};
	static const struct v_rule rules[] = {
	        {.field = "minAvailable", .kind = V_OBJECT, .fn = budget_number},
	        {.field = "maxUnavailable", .kind = V_OBJECT, .fn = budget_number},
	        {.field = "selector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "unhealthyPodEvictionPolicy", .kind = V_ENUM, .values = policies},
	};
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec");
	if (kt_get(spec, "minAvailable") && kt_get(spec, "maxUnavailable"))
		v_invalid_steal(v, path, v_internal(v, "PodDisruptionBudgetSpec", spec),
		                "minAvailable and maxUnavailable cannot be both set");
	V_RULES(v, path, spec, rules);
}

/* --- priority classes --- */

#define HIGHEST_USER_PRIORITY 1000000000

static void priority_class(struct v *v)
{
	static const char *const policies[] = {"PreemptLowerPriority", "Never", NULL};
	static const struct v_rule rules[] = {
	        {.field = "preemptionPolicy", .kind = V_ENUM, .values = policies}};
	const char *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
	bool system =
	        strcmp(name, "system-node-critical") == 0 || strcmp(name, "system-cluster-critical") == 0;
	if (kt_starts(name, "system-") && !system)
		v_forbidden(v, V_IN(V_ROOT("metadata"), "name"),
		            "priority class names with 'system-' prefix are reserved for system use only. "
		            "error: %s is not a known "
		            "system priority class",
		            name);
	else if (!system && kt_get_int(v->object, "value", 0) > HIGHEST_USER_PRIORITY)
		v_forbidden(v, V_ROOT("value"), "maximum allowed value of a user defined priority is %d",
		            HIGHEST_USER_PRIORITY);
	V_RULES(v, NULL, v->object, rules);
}

static void priority_class_update(struct v *v)
{
	if (kt_get_int(v->object, "value", 0) != kt_get_int(v->old, "value", 0))
		v_forbidden(v, V_ROOT("value"), "may not be changed in an update.");
	v_immutable(v, V_ROOT("preemptionPolicy"), kt_get(v->object, "preemptionPolicy"),
	            kt_get(v->old, "preemptionPolicy"));
}

const struct v_kind v_kinds_policy[] = {
        {.group = "autoscaling", .kind = "HorizontalPodAutoscaler", .create = autoscaler},
        {.group = "policy", .kind = "PodDisruptionBudget", .create = budget},
        {.group = "scheduling.k8s.io",
         .kind = "PriorityClass",
         .create = priority_class,
         .update = priority_class_update},
        {0},
};

/* SPDX-License-Identifier: MIT */
/* Defaults: the rows of defaults.tsv, and functions for those that depend on more than their own object.
 * Where nothing is to do, nothing is copied. Source of the rules: the SetDefaults functions of
 * Kubernetes 1.34. */
#include "cluster/schema/schema_internal.h"

#include <string.h>

/* Fill in more of one object; true if it changed. */
typedef bool default_fn(struct kt_json **object);

struct default_row {
	const struct schema_field *field;
	struct kt_json *value;
	const char *when;
};
struct default_type {
	const struct schema_type *type;
	struct default_row *rows;
	size_t row_count;
	default_fn *fn;
	const struct schema_field **below; /* fields below which there is something to do */
	size_t below_count;
	bool any;
};
struct schema_defaults {
	struct default_type *types; /* by id - 1 */
	size_t count;
};

/* --- functions --- */
static bool missing(const struct kt_json *object, const char *key)
{
	const struct kt_json *v = kt_get(object, key);
	return !v || kt_json_type(v) == KT_JSON_NULL || (kt_is_string(v) && !kt_str_len(v)) ||
	       ((kt_is_array(v) || kt_is_object(v)) && !kt_count(v));
}

static bool fill(struct kt_json **object, const char *key, struct kt_json *steal)
{
	kt_set(object, key, steal);
	return true;
}

/* The tag of an image reference; none and no digest is "latest" (distribution's reference grammar). */
static const char *pull_policy(const char *image)
{
	const char *name = image ? strrchr(image, '/') : NULL;
	name = name ? name + 1 : image ? image : "";
	const char *tag = strchr(name, ':');
	if (strchr(name, '@'))
		tag = tag && tag < strchr(name, '@') ? tag : "@";
	bool latest = !tag || (!strncmp(tag, ":latest", 7) && (!tag[7] || tag[7] == '@'));
	return latest ? "Always" : "IfNotPresent";
}

static bool default_container(struct kt_json **object)
{
	if (!missing(*object, "imagePullPolicy"))
		return false;
	return fill(object, "imagePullPolicy", kt_json_str(pull_policy(kt_get_str(*object, "image"))));
}

static bool default_image_volume(struct kt_json **object)
{
	if (!missing(*object, "pullPolicy"))
		return false;
	return fill(object, "pullPolicy", kt_json_str(pull_policy(kt_get_str(*object, "reference"))));
}

static bool default_volume(struct kt_json **object)
{
	for (size_t i = 0; i < kt_count(*object); i++)
		if (strcmp(kt_key(*object, i), "name") != 0 &&
		    kt_json_type(kt_at(*object, i)) != KT_JSON_NULL)
			return false;
	return fill(object, "emptyDir", kt_json_object());
}

/* serviceAccount is the old name of serviceAccountName: the server always shows both. */
static bool default_pod_spec(struct kt_json **object)
{
	bool name = !missing(*object, "serviceAccountName"), old = !missing(*object, "serviceAccount");
	if (name && !kt_equal(kt_get(*object, "serviceAccountName"), kt_get(*object, "serviceAccount")))
		return fill(object, "serviceAccount", kt_json_ref(kt_get(*object, "serviceAccountName")));
	if (!name && old)
		return fill(object, "serviceAccountName", kt_json_ref(kt_get(*object, "serviceAccount")));
	return false;
}

/* container.resources.requests from its limits */
static bool requests_of_limits(struct kt_json **containers)
{
	bool changed = false;
	for (size_t i = 0; i < kt_count(*containers); i++) {
		const struct kt_json *resources = kt_get(kt_at(*containers, i), "resources");
		struct kt_json *requests = kt_json_ref(kt_get(resources, "requests"));
		if (schema_add_missing(&requests, kt_get(resources, "limits"))) {
			struct kt_json **slot = kt_edit(kt_edit_at(containers, i), "resources");
			kt_set(slot, "requests", requests);
			schema_reorder(schema_builtin_type_named("core.v1.ResourceRequirements"), slot);
			changed = true;
		} else {
			kt_json_free(requests);
		}
	}
	return changed;
}

static bool host_ports(struct kt_json **containers)
{
	bool changed = false;
	for (size_t i = 0; i < kt_count(*containers); i++) {
		const struct kt_json *ports = kt_get(kt_at(*containers, i), "ports");
		for (size_t j = 0; j < kt_count(ports); j++) {
			if (kt_get_int(kt_at(ports, j), "hostPort", 0))
				continue;
			struct kt_json **slot = kt_edit_at(kt_edit(kt_edit_at(containers, i), "ports"), j);
			kt_set(slot, "hostPort", kt_json_int(kt_get_int(*slot, "containerPort", 0)));
			schema_reorder(schema_builtin_type_named("core.v1.ContainerPort"), slot);
			ports = kt_get(kt_at(*containers, i), "ports");
			changed = true;
		}
	}
	return changed;
}

/* Only pods themselves, not templates. */
static bool default_pod(struct kt_json **object)
{
	static const char *const lists[] = {"containers", "initContainers"};
	struct kt_json *spec = kt_json_ref(kt_get(*object, "spec"));
	bool changed = false;
	if (!kt_is_object(spec)) {
		kt_json_free(spec);
		return false;
	}
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		struct kt_json *list = kt_json_ref(kt_get(spec, lists[i]));
		bool edited = requests_of_limits(&list);
		if (kt_get_bool(spec, "hostNetwork", false))
			edited = host_ports(&list) || edited;
		if (edited)
			changed = fill(&spec, lists[i], kt_json_ref(list));
		kt_json_free(list);
	}
	changed = schema_default_pod_level(&spec) || changed;
	if (!kt_get(spec, "enableServiceLinks")) {
		changed = fill(&spec, "enableServiceLinks", kt_json_bool(true));
		schema_reorder(schema_builtin_type_named("core.v1.PodSpec"), &spec);
	}
	if (changed)
		kt_set(object, "spec", spec);
	else
		kt_json_free(spec);
	return changed;
}

static bool type_is(const struct kt_json *object, const char *value)
{
	return kt_streq(kt_get_str(object, "type"), value);
}

static bool default_service_spec(struct kt_json **object)
{
	bool changed = false;
	if (missing(*object, "sessionAffinity"))
		changed = fill(object, "sessionAffinity", kt_json_str("None"));
	if (missing(*object, "type"))
		changed = fill(object, "type", kt_json_str("ClusterIP"));
	bool client_ip = kt_streq(kt_get_str(*object, "sessionAffinity"), "ClientIP");
	if (client_ip && !kt_path(*object, "sessionAffinityConfig.clientIP.timeoutSeconds"))
		changed = fill(object, "sessionAffinityConfig",
		               kt_jsonf("{clientIP: {timeoutSeconds: 10800}}"));
	if (kt_streq(kt_get_str(*object, "sessionAffinity"), "None") &&
	    kt_get(*object, "sessionAffinityConfig"))
		changed = fill(object, "sessionAffinityConfig", NULL);
	bool balancer = type_is(*object, "LoadBalancer"), node_port = type_is(*object, "NodePort");
	bool outside = balancer || node_port ||
	               (type_is(*object, "ClusterIP") && kt_count(kt_get(*object, "externalIPs")));
	if (outside && missing(*object, "externalTrafficPolicy"))
		changed = fill(object, "externalTrafficPolicy", kt_json_str("Cluster"));
	if ((balancer || node_port || type_is(*object, "ClusterIP")) &&
	    missing(*object, "internalTrafficPolicy"))
		changed = fill(object, "internalTrafficPolicy", kt_json_str("Cluster"));
	if (balancer && !kt_get(*object, "allocateLoadBalancerNodePorts"))
		changed = fill(object, "allocateLoadBalancerNodePorts", kt_json_bool(true));
	return changed;
}

static bool default_service_port(struct kt_json **object)
{
	const struct kt_json *target = kt_get(*object, "targetPort");
	if (target && (kt_is_string(target) ? kt_str_len(target) > 0 : kt_int_or(target, 0) != 0))
		return false;
	return fill(object, "targetPort", kt_json_int(kt_get_int(*object, "port", 0)));
}

static bool default_load_balancer_ingress(struct kt_json **object)
{
	if (missing(*object, "ip") || kt_get(*object, "ipMode"))
		return false;
	return fill(object, "ipMode", kt_json_str("VIP"));
}

static bool default_namespace(struct kt_json **object)
{
	const char *name = kt_path_str(*object, "metadata.name");
	const struct kt_json *labels = kt_path(*object, "metadata.labels");
	if (!name || !*name || kt_streq(kt_get_str(labels, "kubernetes.io/metadata.name"), name))
		return false;
	struct kt_json *fresh = kt_json_ref(labels);
	kt_set(&fresh, "kubernetes.io/metadata.name", kt_json_str(name));
	struct kt_json *sorted = kt_json_sorted(fresh);
	kt_json_free(fresh);
	struct kt_json **metadata = kt_edit(object, "metadata");
	kt_set(metadata, "labels", sorted);
	schema_reorder(schema_builtin_type_named("meta.v1.ObjectMeta"), metadata);
	return true;
}

/* podCIDR is the old name of the first of podCIDRs, and counts where the two do not go together. */
static bool default_node_spec(struct kt_json **object)
{
	const struct kt_json *first = kt_at(kt_get(*object, "podCIDRs"), 0);
	if (!missing(*object, "podCIDR")) {
		if (kt_equal(kt_get(*object, "podCIDR"), first))
			return false;
		return fill(object, "podCIDRs", kt_jsonf("[%s]", kt_get_str(*object, "podCIDR")));
	}
	return first && fill(object, "podCIDR", kt_json_ref(first));
}

static bool default_node_status(struct kt_json **object)
{
	if (kt_get(*object, "allocatable") || !kt_get(*object, "capacity"))
		return false;
	return fill(object, "allocatable", kt_json_ref(kt_get(*object, "capacity")));
}

static bool default_limit(struct kt_json **object)
{
	if (!type_is(*object, "Container"))
		return false;
	struct kt_json *deflt = kt_json_ref(kt_get(*object, "default"));
	struct kt_json *request = kt_json_ref(kt_get(*object, "defaultRequest"));
	bool changed = schema_add_missing(&deflt, kt_get(*object, "max"));
	changed = schema_add_missing(&request, deflt) || changed;
	changed = schema_add_missing(&request, kt_get(*object, "min")) || changed;
	if (!changed) {
		kt_json_free(deflt);
		kt_json_free(request);
		return false;
	}
	kt_set(object, "default", deflt);
	kt_set(object, "defaultRequest", request);
	return true;
}

/* Labels of the template stand in for labels and selector that are not given. */
static bool labels_of_template(struct kt_json **object, bool selector)
{
	const struct kt_json *labels = kt_path(*object, "spec.template.metadata.labels");
	bool changed = false;
	if (!kt_count(labels))
		return false;
	if (!kt_count(kt_path(*object, "metadata.labels"))) {
		struct kt_json **metadata = kt_edit(object, "metadata");
		changed = fill(metadata, "labels", kt_json_ref(labels));
		schema_reorder(schema_builtin_type_named("meta.v1.ObjectMeta"), metadata);
	}
	if (selector && !kt_count(kt_path(*object, "spec.selector"))) {
		struct kt_json **spec = kt_edit(object, "spec");
		changed = fill(spec, "selector", kt_json_ref(labels));
		schema_reorder(schema_builtin_type_named("core.v1.ReplicationControllerSpec"), spec);
	}
	return changed;
}

static bool default_replication_controller(struct kt_json **object)
{
	return labels_of_template(object, true);
}

/* Of a Job itself; not of a CronJob's template. */
static bool default_job(struct kt_json **object)
{
	bool changed = labels_of_template(object, false);
	struct kt_json *spec = kt_json_ref(kt_get(*object, "spec"));
	bool filled = false;
	if (!kt_get(spec, "completions") && !kt_get(spec, "parallelism"))
		filled = fill(&spec, "completions", kt_json_int(1));
	if (!kt_get(spec, "parallelism"))
		filled = fill(&spec, "parallelism", kt_json_int(1));
	if (!kt_get(spec, "backoffLimit"))
		filled = fill(&spec, "backoffLimit",
		              kt_json_int(kt_get(spec, "backoffLimitPerIndex") ? INT32_MAX : 6));
	if (!kt_get(spec, "completionMode"))
		filled = fill(&spec, "completionMode", kt_json_str("NonIndexed"));
	if (!kt_get(spec, "suspend"))
		filled = fill(&spec, "suspend", kt_json_bool(false));
	if (!kt_get(spec, "podReplacementPolicy"))
		filled = fill(
		        &spec, "podReplacementPolicy",
		        kt_json_str(kt_get(spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed"));
	if (!kt_get(spec, "manualSelector"))
		filled = fill(&spec, "manualSelector", kt_json_bool(false));
	if (!filled) {
		kt_json_free(spec);
		return changed;
	}
	schema_reorder(schema_builtin_type_named("batch.v1.JobSpec"), &spec);
	return fill(object, "spec", spec);
}

static bool default_network_policy(struct kt_json **object)
{
	if (!missing(*object, "policyTypes"))
		return false;
	bool egress = kt_count(kt_get(*object, "egress")) > 0;
	return fill(object, "policyTypes",
	            egress ? kt_jsonf("['Ingress', 'Egress']") : kt_jsonf("['Ingress']"));
}

static bool default_rules(struct kt_json **behavior, const char *key, const char *rules)
{
	struct kt_json *all = kt_jsonf(rules), *given = kt_json_ref(kt_get(*behavior, key));
	bool changed = !given;
	for (size_t i = 0; i < kt_count(all); i++)
		if (!kt_get(given, kt_key(all, i)))
			changed = fill(&given, kt_key(all, i), kt_json_ref(kt_at(all, i)));
	kt_json_free(all);
	if (!changed) {
		kt_json_free(given);
		return false;
	}
	schema_reorder(schema_builtin_type_named("autoscaling.v2.HPAScalingRules"), &given);
	return fill(behavior, key, given);
}

static bool default_behavior(struct kt_json **object)
{
	bool up = default_rules(object, "scaleUp",
	                        "{stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: ["
	                        "{type: 'Pods', value: 4, periodSeconds: 15},"
	                        "{type: 'Percent', value: 100, periodSeconds: 15}]}");
	bool down = default_rules(object, "scaleDown",
	                          "{selectPolicy: 'Max', policies: ["
	                          "{type: 'Percent', value: 100, periodSeconds: 15}]}");
	return up || down;
}

/* autoscaling/v1 is kept as v2, where a missing target becomes 80 % of the CPU. */
static bool default_hpa_v1(struct kt_json **object)
{
	if (kt_get(*object, "targetCPUUtilizationPercentage"))
		return false;
	return fill(object, "targetCPUUtilizationPercentage", kt_json_int(80));
}

static bool default_crd(struct kt_json **object)
{
	if (kt_count(kt_path(*object, "status.storedVersions")))
		return false;
	const struct kt_json *version;
	KT_JSON_EACH (version, kt_path(*object, "spec.versions")) {
		if (!kt_get_bool(version, "storage", false))
			continue;
		struct kt_json **status = kt_edit(object, "status");
		kt_set(status, "storedVersions", kt_jsonf("[%s]", kt_get_str(version, "name")));
		return true;
	}
	return false;
}

static bool default_crd_names(struct kt_json **object)
{
	const char *kind = kt_get_str(*object, "kind");
	bool changed = false;
	if (kind && *kind && missing(*object, "singular")) {
		char *lower = kt_strdup(kind);
		for (char *c = lower; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		changed = fill(object, "singular", kt_json_str(lower));
		kt_free(lower);
	}
	if (kind && *kind && missing(*object, "listKind"))
		changed = fill(object, "listKind", kt_json_strf("%sList", kind));
	return changed;
}

/* Templates of claims say what they are (conversion of apps/v1). */
static bool default_stateful_set(struct kt_json **object)
{
	bool changed = false;
	struct kt_json *templates = kt_json_ref(kt_get(*object, "volumeClaimTemplates"));
	for (size_t i = 0; i < kt_count(templates); i++) {
		if (kt_get(kt_at(templates, i), "kind") && kt_get(kt_at(templates, i), "apiVersion"))
			continue;
		struct kt_json **slot = kt_edit_at(&templates, i);
		kt_set(slot, "kind", kt_json_str("PersistentVolumeClaim"));
		changed = fill(slot, "apiVersion", kt_json_str("v1"));
		schema_reorder(schema_builtin_type_named("core.v1.PersistentVolumeClaim"), slot);
	}
	if (changed)
		kt_set(object, "volumeClaimTemplates", kt_json_ref(templates));
	kt_json_free(templates);
	return changed;
}

static const struct {
	const char *type;
	default_fn *fn;
} functions[] = {
        {"core.v1.Container", default_container},
        {"core.v1.EphemeralContainer", default_container},
        {"core.v1.ImageVolumeSource", default_image_volume},
        {"core.v1.Volume", default_volume},
        {"core.v1.PodSpec", default_pod_spec},
        {"core.v1.Pod", default_pod},
        {"core.v1.ServiceSpec", default_service_spec},
        {"core.v1.ServicePort", default_service_port},
        {"core.v1.LoadBalancerIngress", default_load_balancer_ingress},
        {"core.v1.Namespace", default_namespace},
        {"core.v1.NodeSpec", default_node_spec},
        {"core.v1.NodeStatus", default_node_status},
        {"core.v1.LimitRangeItem", default_limit},
        {"core.v1.ReplicationController", default_replication_controller},
        {"batch.v1.Job", default_job},
        {"networking.v1.NetworkPolicySpec", default_network_policy},
        {"autoscaling.v1.HorizontalPodAutoscalerSpec", default_hpa_v1},
        {"autoscaling.v2.HorizontalPodAutoscalerBehavior", default_behavior},
        {"apps.v1.StatefulSetSpec", default_stateful_set},
        {"apiextensions.v1.CustomResourceDefinition", default_crd},
        {"apiextensions.v1.CustomResourceDefinitionNames", default_crd_names},
};

/* --- rows --- */
static struct default_type *of_type(const struct schema_defaults *defaults, const struct schema_type *type)
{
	return type->id ? &defaults->types[type->id - 1] : NULL;
}

static void add_row(struct default_type *t, const struct schema_field *field, struct kt_json *value,
                    const char *when)
{
	/* Few rows a type: grown one by one. */
	t->rows = kt_realloc(t->rows, (t->row_count + 1) * sizeof(*t->rows));
	t->rows[t->row_count++] = (struct default_row){field, value, when};
}

static void load_rows(struct schema_defaults *defaults)
{
	for (size_t i = 0; i < schema_builtin_default_count(); i++) {
		const struct schema_default_row *row = schema_builtin_default(i);
		struct default_type *t = &defaults->types[row->type];
		struct kt_json *value = NULL;
		struct kt_err err = {0};
		if (kt_json_parse(row->value, strlen(row->value), NULL, &value, NULL, &err))
			kt_bug("default of %s: %s", t->type->name, err.text);
		add_row(t, &t->type->fields[row->field], value, row->when);
	}
	/* Structs that Go prints even when empty. */
	for (size_t i = 0; i < defaults->count; i++) {
		struct default_type *t = &defaults->types[i];
		for (size_t j = 0; j < t->type->field_count; j++) {
			const struct schema_field *f = &t->type->fields[j];
			if (f->keep && !f->pointer && f->shape == SCHEMA_ONE &&
			    f->type->scalar == SCHEMA_MESSAGE)
				add_row(t, f, schema_zero(f), "");
		}
		t->any = t->any || t->row_count;
	}
}

/* Which types have something to do below: until nothing is added. */
static void find_below(struct schema_defaults *defaults)
{
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < defaults->count; i++) {
			struct default_type *t = &defaults->types[i];
			for (size_t j = 0; !t->any && j < t->type->field_count; j++) {
				t->any = of_type(defaults, t->type->fields[j].type)->any;
				again = again || t->any;
			}
		}
	}
	for (size_t i = 0; i < defaults->count; i++) {
		struct default_type *t = &defaults->types[i];
		t->below = kt_alloc((t->type->field_count + 1) * sizeof(const struct schema_field *));
		for (size_t j = 0; j < t->type->field_count; j++)
			if (of_type(defaults, t->type->fields[j].type)->any)
				t->below[t->below_count++] = &t->type->fields[j];
	}
}

struct schema_defaults *schema_defaults_new(void)
{
	struct schema_defaults *defaults = kt_alloc(sizeof(*defaults));
	defaults->count = schema_builtin_type_count();
	defaults->types = kt_alloc(defaults->count * sizeof(*defaults->types));
	for (size_t i = 0; i < defaults->count; i++)
		defaults->types[i].type = schema_builtin_type(i);
	load_rows(defaults);
	for (size_t i = 0; i < KT_COUNT(functions); i++) {
		struct default_type *t = of_type(defaults, schema_builtin_type_named(functions[i].type));
		t->fn = functions[i].fn;
		t->any = true;
	}
	find_below(defaults);
	return defaults;
}

void schema_defaults_free(struct schema_defaults *defaults)
{
	for (size_t i = 0; defaults && i < defaults->count; i++) {
		for (size_t j = 0; j < defaults->types[i].row_count; j++)
			kt_json_free(defaults->types[i].rows[j].value);
		kt_free(defaults->types[i].rows);
		kt_free(defaults->types[i].below);
	}
	if (defaults)
		kt_free(defaults->types);
	kt_free(defaults);
}

/* "field=value", "field", "!field" or "". */
static bool holds(const char *when, const struct kt_json *object)
{
	if (!*when)
		return true;
	if (*when == '!')
		return missing(object, when + 1);
	const char *equals = strchr(when, '=');
	if (!equals)
		return !missing(object, when);
	for (size_t i = 0; i < kt_count(object); i++)
		if (!strncmp(kt_key(object, i), when, (size_t)(equals - when)) &&
		    !kt_key(object, i)[equals - when])
			return kt_streq(kt_str(kt_at(object, i)), equals + 1);
	return false;
}

static bool unset(const struct schema_field *field, const struct kt_json *v)
{
	if (!v || kt_json_type(v) == KT_JSON_NULL)
		return true;
	if (field->shape != SCHEMA_ONE)
		return !kt_count(v);
	if (field->pointer)
		return false;
	return (kt_is_string(v) && !kt_str_len(v)) ||
	       (kt_json_type(v) == KT_JSON_INT && field->type->scalar != SCHEMA_INT_OR_STRING &&
	        !kt_int_or(v, 1));
}

static void default_object(const struct schema_defaults *defaults, const struct default_type *t,
                           struct kt_json **slot, const struct kt_json *settled);

/* The field's value or its items; written back only if something changed. */
static void default_below(const struct schema_defaults *defaults, const struct schema_field *field,
                          struct kt_json **slot, const struct kt_json *settled)
{
	const struct kt_json *old = kt_get(*slot, field->name), *was = kt_get(settled, field->name);
	const struct default_type *t = of_type(defaults, field->type);
	if (!old || old == was || (field->shape == SCHEMA_ONE ? !kt_is_object(old) : !kt_count(old)))
		return;
	struct kt_json *fresh = kt_json_ref(old);
	if (field->shape == SCHEMA_ONE)
		default_object(defaults, t, &fresh, was);
	for (size_t i = 0; field->shape != SCHEMA_ONE && i < kt_count(old); i++) {
		const struct kt_json *item_was = kt_at(was, i);
		if (!kt_is_object(kt_at(fresh, i)) || kt_at(fresh, i) == item_was)
			continue;
		struct kt_json *item = kt_json_ref(kt_at(fresh, i));
		default_object(defaults, t, &item, item_was);
		if (item != kt_at(fresh, i))
			kt_put(&fresh, i, item);
		else
			kt_json_free(item);
	}
	if (fresh != old)
		kt_set(slot, field->name, fresh);
	else
		kt_json_free(fresh);
}

static void default_object(const struct schema_defaults *defaults, const struct default_type *t,
                           struct kt_json **slot, const struct kt_json *settled)
{
	bool changed = false;
	for (size_t i = 0; i < t->row_count; i++) {
		const struct default_row *row = &t->rows[i];
		if (unset(row->field, kt_get(*slot, row->field->name)) && holds(row->when, *slot))
			changed = fill(slot, row->field->name, kt_json_ref(row->value));
	}
	if (t->fn)
		changed = t->fn(slot) || changed;
	if (changed)
		schema_reorder(t->type, slot);
	for (size_t i = 0; i < t->below_count; i++)
		default_below(defaults, t->below[i], slot, settled);
}

void schema_default(const struct schema *schema, const struct schema_kind *kind, struct kt_json **object)
{
	schema_default_since(schema, kind, NULL, object);
}

void schema_default_since(const struct schema *schema, const struct schema_kind *kind,
                          const struct kt_json *settled, struct kt_json **object)
{
	if (kind->crd) {
		structural_default(schema_structural(kind), object);
		return;
	}
	const struct default_type *t = of_type(schema->defaults, kind->type);
	if (t && t->any && kt_is_object(*object))
		default_object(schema->defaults, t, object, settled);
}

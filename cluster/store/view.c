/* SPDX-License-Identifier: MIT */
#include "cluster/store/store_internal.h"
#include <stdio.h>
#include <string.h>

/* --- metadata of any object --- */
struct view_owner view_controller_of(const struct kt_json *object)
{
	const struct kt_json *owner;

	KT_JSON_EACH (owner, kt_get(kt_get(object, "metadata"), "ownerReferences")) {
		if (kt_get_bool(owner, "controller", false))
			return (struct view_owner){.api_version = kt_get_str(owner, "apiVersion"),
			                           .kind = kt_get_str(owner, "kind"),
			                           .name = kt_get_str(owner, "name"),
			                           .uid = kt_get_str(owner, "uid")};
	}
	return (struct view_owner){0};
}

const struct kt_json *view_labels(const struct kt_json *object)
{
	return kt_get(kt_get(object, "metadata"), "labels");
}

bool view_is_deleting(const struct kt_json *object)
{
	return kt_get_str(kt_get(object, "metadata"), "deletionTimestamp") != NULL;
}

/* --- selectors --- */
static bool expression_matches(const struct kt_json *expression, const struct kt_json *labels)
{
	const char *op = kt_str_or(kt_get(expression, "operator"), "");
	const char *value = kt_get_str(labels, kt_str_or(kt_get(expression, "key"), ""));
	const struct kt_json *item;
	bool among = false;

	if (kt_streq(op, "Exists"))
		return value != NULL;
	if (kt_streq(op, "DoesNotExist"))
		return value == NULL;
	KT_JSON_EACH (item, kt_get(expression, "values"))
		among = among || kt_streq(kt_str(item), value);
	if (kt_streq(op, "In"))
		return value && among;
	return kt_streq(op, "NotIn") && !(value && among);
}

static bool all_equal(const struct kt_json *map, const struct kt_json *labels)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, map) {
		const char *value = kt_get_str(labels, kt_key(map, item_i));

		if (!value || !kt_streq(value, kt_str(item)))
			return false;
	}
	return true;
}

bool view_selector_matches(const struct kt_json *selector, const struct kt_json *labels)
{
	const struct kt_json *item;

	if (!selector || !all_equal(kt_get(selector, "matchLabels"), labels))
		return false;
	KT_JSON_EACH (item, kt_get(selector, "matchExpressions")) {
		if (!expression_matches(item, labels))
			return false;
	}
	return true;
}

bool view_map_matches(const struct kt_json *map, const struct kt_json *labels)
{
	return kt_count(map) && all_equal(map, labels);
}

/* --- resources --- */
static void add_quantity(struct view_resources *to, const char *name, const char *text, int64_t times)
{
	struct kt_quantity quantity;

	if (!text || !kt_quantity_parse(text, &quantity))
		return;
	if (kt_streq(name, "cpu"))
		to->cpu_milli += times * quantity.milli;
	else if (kt_streq(name, "memory"))
		to->memory += times * quantity.value;
	else if (kt_streq(name, "ephemeral-storage"))
		to->ephemeral += times * quantity.value;
	else if (kt_streq(name, "pods"))
		to->pods += times * quantity.value;
}

static const char *quantity_text(const struct kt_json *value, char number[24])
{
	if (kt_str(value))
		return kt_str(value);
	if (kt_json_type(value) != KT_JSON_INT)
		return NULL;
	snprintf(number, 24, "%lld", (long long)kt_int_or(value, 0));
	return number;
}

static bool is_usual(const char *name)
{
	return kt_streq(name, "cpu") || kt_streq(name, "memory") || kt_streq(name, "ephemeral-storage") ||
	       kt_streq(name, "pods");
}

/* Totals of a pod: usual resources as numbers, others as a map of whole numbers. */
struct totals {
	struct view_resources sum;
	struct kt_json *others;
};

static void add_map(struct totals *to, const struct kt_json *map)
{
	const struct kt_json *value;

	KT_JSON_EACH (value, map) {
		const char *name = kt_key(map, value_i);
		char number[24];
		const char *text = quantity_text(value, number);
		struct kt_quantity quantity;

		if (is_usual(name))
			add_quantity(&to->sum, name, text, 1);
		else if (text && kt_quantity_parse(text, &quantity))
			kt_set(&to->others, name,
			       kt_json_int(kt_get_int(to->others, name, 0) + quantity.value));
	}
}

static void add_totals(struct totals *to, const struct totals *from)
{
	const struct kt_json *value;

	to->sum.cpu_milli += from->sum.cpu_milli;
	to->sum.memory += from->sum.memory;
	to->sum.ephemeral += from->sum.ephemeral;
	KT_JSON_EACH (value, from->others) {
		const char *name = kt_key(from->others, value_i);

		kt_set(&to->others, name, kt_json_int(kt_get_int(to->others, name, 0) + kt_int_or(value, 0)));
	}
}

static void max_totals(struct totals *to, const struct totals *from)
{
	const struct kt_json *value;

	to->sum.cpu_milli = KT_MAX(to->sum.cpu_milli, from->sum.cpu_milli);
	to->sum.memory = KT_MAX(to->sum.memory, from->sum.memory);
	to->sum.ephemeral = KT_MAX(to->sum.ephemeral, from->sum.ephemeral);
	KT_JSON_EACH (value, from->others) {
		const char *name = kt_key(from->others, value_i);

		if (kt_get_int(to->others, name, 0) < kt_int_or(value, 0))
			kt_set(&to->others, name, kt_json_int(kt_int_or(value, 0)));
	}
}

/* k8s.io/component-helpers/resource PodRequests: an init container runs beside the sidecars before it, the
 * app containers beside all of them. */
static void pod_totals(const struct kt_json *spec, const char *which, struct totals *out)
{
	struct totals sidecars = {0}, init = {0};
	const struct kt_json *container, *pod_level = kt_get(kt_get(spec, "resources"), which);

	KT_JSON_EACH (container, kt_get(spec, "containers"))
		add_map(out, kt_get(kt_get(container, "resources"), which));
	KT_JSON_EACH (container, kt_get(spec, "initContainers")) {
		struct totals one = {0};

		add_map(&one, kt_get(kt_get(container, "resources"), which));
		if (kt_streq(kt_get_str(container, "restartPolicy"), "Always")) {
			add_totals(out, &one);
			add_totals(&sidecars, &one);
			kt_json_free(one.others);
			one = (struct totals){0};
			add_totals(&one, &sidecars);
		} else {
			add_totals(&one, &sidecars);
		}
		max_totals(&init, &one);
		kt_json_free(one.others);
	}
	max_totals(out, &init);
	kt_json_free(sidecars.others);
	kt_json_free(init.others);
	if (kt_get(pod_level, "cpu"))
		out->sum.cpu_milli = 0;
	if (kt_get(pod_level, "memory"))
		out->sum.memory = 0;
	add_map(out, pod_level);
	if (kt_streq(which, "requests") || kt_count(pod_level) || out->sum.cpu_milli || out->sum.memory)
		add_map(out, kt_get(spec, "overhead"));
}

static void take_totals(struct view_resources *to, const struct kt_json *spec, const char *which)
{
	struct totals totals = {0};

	pod_totals(spec, which, &totals);
	*to = totals.sum;
	to->all = totals.others;
}

/* --- pods --- */
struct pod_view {
	struct view_pod pod;
	bool spec_read, complete;
};

static const char *const phases[] = {"Pending", "Running", "Succeeded", "Failed", "Unknown"};

static void read_spec(struct view_pod *pod)
{
	const struct kt_json *spec = pod->spec;

	pod->host_network = kt_get_bool(spec, "hostNetwork", false);
	pod->priority = (int32_t)kt_get_int(spec, "priority", 0);
	take_totals(&pod->requests, spec, "requests");
	pod->requests.pods = 1;
	take_totals(&pod->limits, spec, "limits");
}

static void read_conditions(struct view_pod *pod)
{
	const struct kt_json *conditions = kt_get(pod->status, "conditions");
	ptrdiff_t at = kt_find(conditions, "type", "Ready");
	const struct kt_json *ready = at < 0 ? NULL : kt_at(conditions, (size_t)at);

	pod->ready = kt_streq(kt_get_str(ready, "status"), "True");
	if (pod->ready)
		(void)kt_time_parse(kt_str_or(kt_get(ready, "lastTransitionTime"), ""), &pod->ready_since);
}

static void read_status(struct view_pod *pod)
{
	const char *phase = kt_get_str(pod->status, "phase");
	const struct kt_json *container;

	pod->phase = phase ? VIEW_UNKNOWN : VIEW_PENDING;
	for (size_t i = 0; phase && i < KT_COUNT(phases); i++) {
		if (kt_streq(phases[i], phase))
			pod->phase = (enum view_phase)i;
	}
	pod->ip = kt_get_str(pod->status, "podIP");
	pod->qos = kt_get_str(pod->status, "qosClass");
	read_conditions(pod);
	KT_JSON_EACH (container, kt_get(pod->status, "containerStatuses"))
		pod->restarts += (int32_t)kt_get_int(container, "restartCount", 0);
}

static void read_metadata(struct view_pod *pod, const struct kt_json *json)
{
	const struct kt_json *metadata = kt_get(json, "metadata");

	pod->labels = kt_get(metadata, "labels");
	pod->annotations = kt_get(metadata, "annotations");
	pod->owner = view_controller_of(json);
	pod->hash = kt_get_str(pod->labels, "pod-template-hash");
	if (!pod->hash)
		pod->hash = kt_get_str(pod->labels, "controller-revision-hash");
	(void)kt_time_parse(kt_str_or(kt_get(metadata, "creationTimestamp"), ""), &pod->created);
	pod->deleting = kt_get_str(metadata, "deletionTimestamp") != NULL;
	if (pod->deleting)
		(void)kt_time_parse(kt_get_str(metadata, "deletionTimestamp"), &pod->deletion);
}

static void pod_view_free(void *arg)
{
	struct pod_view *view = arg;

	kt_json_free((struct kt_json *)(uintptr_t)view->pod.requests.all);
	kt_json_free((struct kt_json *)(uintptr_t)view->pod.limits.all);
	kt_free(view);
}

const struct view_pod *view_pod(const struct store_object *object)
{
	struct store_inner *inner = object->inner;
	struct pod_view *view = inner->view;

	if (view && view->complete)
		return &view->pod;
	if (!view) {
		view = kt_alloc(sizeof(*view));
		inner->view = view;
		inner->view_free = pod_view_free;
	}
	view->pod.spec = kt_get(object->json, "spec");
	view->pod.status = kt_get(object->json, "status");
	if (!view->spec_read)
		read_spec(&view->pod);
	/* cheap, and its strings must be this version's */
	view->pod.node = kt_get_str(view->pod.spec, "nodeName");
	if (view->pod.node && !*view->pod.node)
		view->pod.node = NULL;
	view->pod.scheduler = kt_get_str(view->pod.spec, "schedulerName");
	view->pod.gated = kt_count(kt_get(view->pod.spec, "schedulingGates")) > 0;
	read_metadata(&view->pod, object->json);
	read_status(&view->pod);
	view->spec_read = view->complete = true;
	return &view->pod;
}

/* Adding up requests is the dear part: a version with the same containers takes the sums over. */
static bool same_containers(const struct kt_json *a, const struct kt_json *b)
{
	return a == b || (kt_get(a, "containers") == kt_get(b, "containers") &&
	                  kt_get(a, "initContainers") == kt_get(b, "initContainers") &&
	                  kt_get(a, "resources") == kt_get(b, "resources") &&
	                  kt_get(a, "overhead") == kt_get(b, "overhead") &&
	                  kt_get_int(a, "priority", 0) == kt_get_int(b, "priority", 0));
}

void view_inherit(const struct store_object *old, const struct store_object *object)
{
	const struct pod_view *from = old->inner->view;
	struct pod_view *view;

	if (!from || old->inner->view_free != pod_view_free || !from->spec_read ||
	    !same_containers(kt_get(old->json, "spec"), kt_get(object->json, "spec")))
		return;
	view = kt_alloc(sizeof(*view));
	view->pod.host_network = from->pod.host_network;
	view->pod.priority = from->pod.priority;
	view->pod.requests = from->pod.requests;
	view->pod.limits = from->pod.limits;
	view->pod.requests.all = kt_json_ref(from->pod.requests.all);
	view->pod.limits.all = kt_json_ref(from->pod.limits.all);
	view->spec_read = true;
	object->inner->view = view;
	object->inner->view_free = pod_view_free;
}

void view_drop(const struct store_object *object)
{
	struct store_inner *inner = object->inner;

	if (inner->view)
		inner->view_free(inner->view);
	inner->view = NULL;
}

/* --- nodes --- */
static void read_map(struct view_resources *to, const struct kt_json *map)
{
	const struct kt_json *value;

	to->all = map;
	KT_JSON_EACH (value, map) {
		char number[24];

		add_quantity(to, kt_key(map, value_i), quantity_text(value, number), 1);
	}
}

const struct view_node *view_node(const struct store_object *object)
{
	struct view_node *node = object->inner->view;
	const struct kt_json *conditions;
	ptrdiff_t at;

	if (node)
		return node;
	node = kt_alloc(sizeof(*node));
	node->labels = view_labels(object->json);
	node->spec = kt_get(object->json, "spec");
	node->status = kt_get(object->json, "status");
	node->taints = kt_get(node->spec, "taints");
	read_map(&node->allocatable, kt_get(node->status, "allocatable"));
	read_map(&node->capacity, kt_get(node->status, "capacity"));
	node->zone = kt_get_str(node->labels, "topology.kubernetes.io/zone");
	node->region = kt_get_str(node->labels, "topology.kubernetes.io/region");
	node->hostname = kt_get_str(node->labels, "kubernetes.io/hostname");
	node->unschedulable = kt_get_bool(node->spec, "unschedulable", false);
	conditions = kt_get(node->status, "conditions");
	at = kt_find(conditions, "type", "Ready");
	node->ready_status =
	        at < 0 ? "Unknown" : kt_str_or(kt_get(kt_at(conditions, (size_t)at), "status"), "Unknown");
	node->ready = kt_streq(node->ready_status, "True");
	object->inner->view = node;
	object->inner->view_free = kt_free;
	return node;
}

const char *view_volume_claim(const struct store_object *pod, const struct kt_json *volume,
                              char name[VIEW_CLAIM_NAME])
{
	const char *claim = kt_path_str(volume, "persistentVolumeClaim.claimName");

	if (claim || !kt_get(volume, "ephemeral"))
		return claim;
	snprintf(name, VIEW_CLAIM_NAME, "%s-%s", pod->name, kt_str_or(kt_get(volume, "name"), ""));
	return name;
}

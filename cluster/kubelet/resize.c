/* SPDX-License-Identifier: MIT */
/* Pods that are resized in place: what a node can never give is infeasible, what it cannot give now is
 * deferred and tried again; until then the pod keeps what it had (kubernetes pkg/kubelet/allocation). */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

static const char *const lists[] = {"initContainers", "containers"};

static bool same_resources(const struct kt_json *a, const struct kt_json *b)
{
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *one, *others = kt_get(b, lists[i]);

		KT_JSON_EACH (one, kt_get(a, lists[i]))
			if (!kt_equal(kt_get(one, "resources"), kt_get(kt_at(others, one_i), "resources")))
				return false;
	}
	return true;
}

static void pend(struct kubelet_pod *pod, const char *reason, char *steal_message)
{
	if (pod->resize_reason != reason || !kt_streq(pod->resize_message, steal_message))
		pod->dirty = true;
	kt_free(pod->resize_message);
	pod->resize_reason = reason;
	pod->resize_message = steal_message;
}

/* False: it does not fit, and pend() was told why. */
static bool fits(struct kubelet_pod *pod)
{
	struct kubelet_node *node = pod->node;
	const struct store_object *object =
	        store_get(cluster_store(node->kubelet->cluster), node->kubelet->nodes, "", node->name);
	const struct view_pod *wanted = view_pod(pod->object);
	if (!object)
		return true;
	const struct {
		const char *what;
		long long asked, used, has;
	} rows[] = {{"cpu", wanted->requests.cpu_milli, node->cpu_milli - pod->cpu_milli,
	             view_node(object)->allocatable.cpu_milli},
	            {"memory", wanted->requests.memory, node->memory - pod->memory,
	             view_node(object)->allocatable.memory}};

	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (rows[i].asked <= rows[i].has)
			continue;
		pend(pod, "Infeasible",
		     kt_strf("Node didn't have enough capacity: %s, requested: %lld, capacity: %lld",
		             rows[i].what, rows[i].asked, rows[i].has));
		return false;
	}
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (rows[i].asked + rows[i].used <= rows[i].has)
			continue;
		pend(pod, "Deferred",
		     kt_strf("Node didn't have enough resource: %s, requested: %lld, used: %lld, capacity: "
		             "%lld",
		             rows[i].what, rows[i].asked, rows[i].used, rows[i].has));
		return false;
	}
	return true;
}

static void allot(struct kubelet_pod *pod)
{
	const struct view_pod *view = view_pod(pod->object);

	if (pod->gone)
		return;
	pod->node->cpu_milli += view->requests.cpu_milli - pod->cpu_milli;
	pod->node->memory += view->requests.memory - pod->memory;
	pod->cpu_milli = view->requests.cpu_milli;
	pod->memory = view->requests.memory;
}

/* --- done --- */
static bool in_progress(const struct kubelet_pod *pod)
{
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if ((ctr->role == KUBELET_MAIN || ctr->role == KUBELET_SIDECAR) &&
		    (ctr->stopping || ctr->state == KUBELET_STARTING || ctr->state == KUBELET_WAITING))
			return true;
	return false;
}

static void add_resources(const struct kt_json *containers, struct kt_json **out)
{
	const struct kt_json *one, *resources;

	KT_JSON_EACH (one, containers) {
		struct kt_json *row = NULL, *told = kt_json_object();

		resources = kt_get(one, "resources");
		if (kt_get(resources, "limits"))
			kt_set(&told, "limits", kt_json_sorted(kt_get(resources, "limits")));
		if (kt_get(resources, "requests"))
			kt_set(&told, "requests", kt_json_sorted(kt_get(resources, "requests")));
		kt_set(&row, "name", kt_json_ref(kt_get(one, "name")));
		kt_set(&row, "resources", told);
		kt_push(out, row);
	}
}

void kubelet_resize_tell(struct kubelet_pod *pod)
{
	struct kt_json *summary = NULL;
	struct kt_buf text = {0};

	if (!pod->resizing || in_progress(pod))
		return;
	pod->resizing = false;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		struct kt_json *list = NULL;

		add_resources(kt_get(pod->spec, lists[i]), &list);
		if (list)
			kt_set(&summary, lists[i], list);
	}
	kt_json_print(summary, &text);
	kubelet_event(pod, NULL, false, "ResizeCompleted", "Pod resize completed: %s", kt_buf_str(&text));
	kt_buf_clear(&text);
	kt_json_free(summary);
}

struct kt_json *kubelet_heeded_spec(struct kubelet_pod *pod, kt_ns now)
{
	struct kt_json *spec = kt_json_ref(kt_get(pod->object->json, "spec"));

	bool same = same_resources(spec, pod->spec);
	pod->resize_at = 0;
	if (same || fits(pod)) {
		pod->resizing |= !same;
		pend(pod, NULL, NULL);
		allot(pod);
		return spec;
	}
	if (strcmp(pod->resize_reason, "Deferred") == 0)
		pod->resize_at = kubelet_next_sync(pod, now);
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *old = kt_get(pod->spec, lists[i]);

		for (size_t k = 0; k < kt_count(kt_get(spec, lists[i])); k++)
			kt_set(kt_edit_at(kt_edit(&spec, lists[i]), k), "resources",
			       kt_json_ref(kt_get(kt_at(old, k), "resources")));
	}
	return spec;
}

/* SPDX-License-Identifier: MIT */
/* What a pod's containers ask for together (k8s.io/component-helpers/resource/helpers.go): an init container
 * runs beside the sidecars before it, the others beside all of them. */
#include "cluster/schema/schema_internal.h"

#include <string.h>

const char *schema_pod_spec_path(const char *group, const char *kind)
{
	static const struct {
		const char *group, *kind, *path;
	} rows[] = {
	        {"", "Pod", "spec"},
	        {"", "PodTemplate", "template.spec"},
	        {"", "ReplicationController", "spec.template.spec"},
	        {"apps", "Deployment", "spec.template.spec"},
	        {"apps", "ReplicaSet", "spec.template.spec"},
	        {"apps", "StatefulSet", "spec.template.spec"},
	        {"apps", "DaemonSet", "spec.template.spec"},
	        {"batch", "Job", "spec.template.spec"},
	        {"batch", "CronJob", "spec.jobTemplate.spec.template.spec"},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (kt_streq(rows[i].kind, kind) && kt_streq(rows[i].group, group))
			return rows[i].path;
	return NULL;
}

static void add(struct kt_json **into, const char *name, const struct kt_json *value, bool largest)
{
	struct kt_quantity have = {0}, more = {0};
	struct kt_buf text = {0};
	const char *was = kt_get_str(*into, name);
	if (!kt_quantity_parse(kt_str_or(value, ""), &more))
		return;
	if (was && !kt_quantity_parse(was, &have))
		return;
	if (was && largest && have.milli >= more.milli)
		return;
	kt_quantity_print_milli(largest ? more.milli : have.milli + more.milli,
	                        was ? have.format : more.format, &text);
	kt_set(into, name, kt_json_str(kt_buf_str(&text)));
	kt_buf_clear(&text);
}

static void add_all(struct kt_json **into, const struct kt_json *from, bool largest)
{
	for (size_t i = 0; i < kt_count(from); i++)
		add(into, kt_key(from, i), kt_at(from, i), largest);
}

struct kt_json *schema_pod_sum(const struct kt_json *spec, const char *member)
{
	struct kt_json *sum = kt_json_object(), *sidecars = kt_json_object(), *init = kt_json_object();
	const struct kt_json *container;
	KT_JSON_EACH (container, kt_get(spec, "containers"))
		add_all(&sum, kt_get(kt_get(container, "resources"), member), false);
	KT_JSON_EACH (container, kt_get(spec, "initContainers")) {
		const struct kt_json *own = kt_get(kt_get(container, "resources"), member);
		bool sidecar = kt_streq(kt_get_str(container, "restartPolicy"), "Always");
		struct kt_json *now = kt_json_ref(sidecars);
		add_all(&now, own, false);
		if (sidecar) {
			add_all(&sum, own, false);
			add_all(&sidecars, own, false);
		}
		add_all(&init, now, true);
		kt_json_free(now);
	}
	add_all(&sum, init, true);
	kt_json_free(sidecars);
	kt_json_free(init);
	return sum;
}

bool schema_pod_level(const char *resource)
{
	return strcmp(resource, "cpu") == 0 || strcmp(resource, "memory") == 0 ||
	       kt_starts(resource, "hugepages-");
}

bool schema_add_missing(struct kt_json **into, const struct kt_json *from)
{
	bool changed = false;
	for (size_t i = 0; i < kt_count(from); i++)
		if (!kt_get(*into, kt_key(from, i))) {
			kt_set(into, kt_key(from, i), kt_json_ref(kt_at(from, i)));
			changed = true;
		}
	if (changed) {
		struct kt_json *sorted = kt_json_sorted(*into);
		kt_json_free(*into);
		*into = sorted;
	}
	return changed;
}

static bool is_huge(const char *resource)
{
	return !strncmp(resource, "hugepages-", 10);
}

/* What containers have and the pod as a whole lacks: of requests what can be overcommitted, of limits huge
 * pages (pkg/apis/core/v1/defaults.go defaultPodRequests, defaultHugePagePodLimits). */
static bool from_containers(struct kt_json **values, const struct kt_json *spec, const char *member,
                            const struct kt_json *unless)
{
	struct kt_json *sum = schema_pod_sum(spec, member), *missing_ones = kt_json_object();
	bool huge = kt_streq(member, "limits"), changed;
	for (size_t i = 0; i < kt_count(sum); i++) {
		const char *name = kt_key(sum, i);
		if (schema_pod_level(name) && is_huge(name) == huge && !kt_get(unless, name))
			kt_set(&missing_ones, name, kt_json_ref(kt_at(sum, i)));
	}
	changed = schema_add_missing(values, missing_ones);
	kt_json_free(sum);
	kt_json_free(missing_ones);
	return changed;
}

bool schema_default_pod_level(struct kt_json **spec)
{
	const struct kt_json *resources = kt_get(*spec, "resources");
	struct kt_json *limits = kt_json_ref(kt_get(resources, "limits")),
	               *requests = kt_json_ref(kt_get(resources, "requests")), *known = kt_json_object();
	bool more_limits = false, more_requests = false;
	if (kt_count(limits) + kt_count(requests) > 0)
		more_limits = from_containers(&limits, *spec, "limits", requests);
	if (kt_count(limits) > 0) {
		more_requests = from_containers(&requests, *spec, "requests", NULL);
		for (size_t i = 0; i < kt_count(limits); i++)
			if (schema_pod_level(kt_key(limits, i)))
				kt_set(&known, kt_key(limits, i), kt_json_ref(kt_at(limits, i)));
		more_requests = schema_add_missing(&requests, known) || more_requests;
	}
	if (more_limits || more_requests) {
		struct kt_json **slot = kt_edit(spec, "resources");
		kt_set(slot, "limits", kt_count(limits) ? kt_json_ref(limits) : NULL);
		kt_set(slot, "requests", kt_count(requests) ? kt_json_ref(requests) : NULL);
		schema_reorder(schema_builtin_type_named("core.v1.ResourceRequirements"), slot);
	}
	kt_json_free(limits);
	kt_json_free(requests);
	kt_json_free(known);
	return more_limits || more_requests;
}

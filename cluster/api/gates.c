/* SPDX-License-Identifier: MIT */
/* Fields whose feature is off by default in Kubernetes 1.34: the server takes them and drops them before it
 * validates (pkg/api/pod/util.go dropDisabledFields, pkg/registry/autoscaling/horizontalpodautoscaler). */
#include "cluster/api/internal.h"

#include <string.h>

static bool is_not_sidecar(const struct kt_json *policy)
{
	return !kt_streq(kt_str(policy), "Always");
}

/* In each item of a list of the pod spec. */
static const struct {
	const char *list, *field;
	bool (*only)(const struct kt_json *value); /* NULL: always */
} of_items[] = {
        /* ContainerRestartRules */
        {"containers", "restartPolicy", NULL},
        {"containers", "restartPolicyRules", NULL},
        {"initContainers", "restartPolicy", is_not_sidecar},
        {"initContainers", "restartPolicyRules", NULL},
        /* ContainerStopSignals */
        {"containers", "lifecycle.stopSignal", NULL},
        {"initContainers", "lifecycle.stopSignal", NULL},
};

static void drop_of_items(struct kt_json **spec)
{
	for (size_t row = 0; row < KT_COUNT(of_items); row++) {
		for (size_t i = 0; i < kt_count(kt_get(*spec, of_items[row].list)); i++) {
			const struct kt_json *item = kt_at(kt_get(*spec, of_items[row].list), i);
			const struct kt_json *value = kt_path(item, of_items[row].field);

			if (value && (!of_items[row].only || of_items[row].only(value)))
				kt_unset_path(kt_edit_at(kt_edit(spec, of_items[row].list), i),
				              of_items[row].field);
		}
	}
}

/* ImageVolume */
static void drop_image_volumes(struct kt_json **spec)
{
	for (size_t i = kt_count(kt_get(*spec, "volumes")); i-- > 0;) {
		if (kt_get(kt_at(kt_get(*spec, "volumes"), i), "image"))
			kt_remove(kt_edit(spec, "volumes"), i);
	}
}

static void drop_of_pod(struct kt_json **spec)
{
	drop_of_items(spec);
	drop_image_volumes(spec);
	if (kt_get(*spec, "hostnameOverride")) /* HostnameOverride */
		kt_unset(spec, "hostnameOverride");
}

/* HPAConfigurableTolerance */
static void drop_tolerance(struct kt_json **behavior)
{
	static const char *const ways[] = {"scaleUp", "scaleDown"};

	for (size_t i = 0; i < KT_COUNT(ways); i++) {
		if (kt_get(kt_get(*behavior, ways[i]), "tolerance"))
			kt_unset(kt_edit(behavior, ways[i]), "tolerance");
	}
}

/* CoordinatedLeaderElection */
static void drop_strategy(struct kt_json **spec)
{
	kt_unset(spec, "strategy");
	kt_unset(spec, "preferredHolder");
}

/* DRAConsumableCapacity */
static void drop_request_capacity(struct kt_json **requests)
{
	for (size_t i = 0; i < kt_count(*requests); i++) {
		struct kt_json **request = kt_edit_at(requests, i);

		if (kt_path(*request, "exactly.capacity"))
			kt_unset_path(request, "exactly.capacity");
		for (size_t k = 0; k < kt_count(kt_get(*request, "firstAvailable")); k++)
			kt_unset(kt_edit_at(kt_edit(request, "firstAvailable"), k), "capacity");
	}
}

/* DRADeviceTaints, DRAPartitionableDevices, DRADeviceBindingConditions, DRAConsumableCapacity */
static void drop_of_slice(struct kt_json **spec)
{
	static const char *const fields[] = {"taints",
	                                     "consumesCounters",
	                                     "nodeName",
	                                     "nodeSelector",
	                                     "allNodes",
	                                     "bindsToNode",
	                                     "bindingConditions",
	                                     "bindingFailureConditions",
	                                     "allowMultipleAllocations"};

	kt_unset(spec, "sharedCounters");
	kt_unset(spec, "perDeviceNodeSelection");
	for (size_t i = 0; i < kt_count(kt_get(*spec, "devices")); i++) {
		struct kt_json **device = kt_edit_at(kt_edit(spec, "devices"), i);

		for (size_t k = 0; k < KT_COUNT(fields); k++)
			kt_unset(device, fields[k]);
		for (size_t k = 0; k < kt_count(kt_get(*device, "capacity")); k++) {
			const struct kt_json *capacity = kt_get(*device, "capacity");

			if (kt_get(kt_at(capacity, k), "requestPolicy"))
				kt_unset(kt_edit(kt_edit(device, "capacity"), kt_key(capacity, k)),
				         "requestPolicy");
		}
	}
}

/* DRAExtendedResource */
static void drop_extended_name(struct kt_json **spec)
{
	kt_unset(spec, "extendedResourceName");
}

/* MutableCSINodeAllocatableCount */
static void drop_allocatable_period(struct kt_json **spec)
{
	kt_unset(spec, "nodeAllocatableUpdatePeriodSeconds");
}

static const struct {
	const char *group, *kind, *path;
	void (*drop)(struct kt_json **slot);
} rows[] = {
        {"coordination.k8s.io", "Lease", "spec", drop_strategy},
        {"storage.k8s.io", "CSIDriver", "spec", drop_allocatable_period},
        {"autoscaling", "HorizontalPodAutoscaler", "spec.behavior", drop_tolerance},
        {"resource.k8s.io", "ResourceClaim", "spec.devices.requests", drop_request_capacity},
        {"resource.k8s.io", "ResourceClaimTemplate", "spec.spec.devices.requests", drop_request_capacity},
        {"resource.k8s.io", "ResourceSlice", "spec", drop_of_slice},
        {"resource.k8s.io", "DeviceClass", "spec", drop_extended_name},
};

static void drop_at(const struct kt_json *old, struct kt_json **object, const char *path,
                    void (*drop)(struct kt_json **slot))
{
	const struct kt_json *part = kt_path(*object, path);

	if (part && part != kt_path(old, path))
		drop(kt_edit_path(object, path));
}

void api_drop_disabled(const struct schema_kind *kind, const struct kt_json *old, struct kt_json **object)
{
	const char *pod = schema_pod_spec_path(kind->group, kind->kind);

	if (pod)
		drop_at(old, object, pod, drop_of_pod);
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (kt_streq(rows[i].kind, kind->kind) && kt_streq(rows[i].group, kind->group))
			drop_at(old, object, rows[i].path, rows[i].drop);
}

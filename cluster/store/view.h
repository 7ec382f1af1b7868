/* SPDX-License-Identifier: MIT */
/* Typed views of one object version, made on first use and kept with it. Strings are borrowed from the
 * version's JSON. Add a view: a struct here, a row in view.c. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include "base/base.h"

struct store_object;

enum view_phase { VIEW_PENDING, VIEW_RUNNING, VIEW_SUCCEEDED, VIEW_FAILED, VIEW_UNKNOWN };
struct view_resources {
	int64_t cpu_milli, memory, ephemeral, pods;
	const struct kt_json *all; /* the map, for extended resources; may be NULL */
};
struct view_owner {
	const char *api_version, *kind, *name, *uid; /* the controller reference; all NULL if none */
};
struct view_pod {
	const struct kt_json *labels, *annotations, *spec, *status;
	struct view_owner owner;
	const char *node;                  /* spec.nodeName; NULL unscheduled */
	const char *scheduler, *ip, *hash; /* hash: label pod-template-hash or controller-revision-hash */
	enum view_phase phase;
	bool ready, deleting, host_network, gated;
	kt_ns created, ready_since, deletion; /* 0: not */
	int32_t priority, restarts;
	struct view_resources
	        requests; /* effective: max(init, sum of containers and sidecars) + overhead; pods = 1 */
	struct view_resources limits;
	const char *qos;
};
const struct view_pod *view_pod(const struct store_object *object);
/* The claim that a volume of the pod uses, "POD-VOLUME" for a generic ephemeral one; NULL if none. In `name`
 * or borrowed. */
enum { VIEW_CLAIM_NAME = 320 };
const char *view_volume_claim(const struct store_object *pod, const struct kt_json *volume,
                              char name[VIEW_CLAIM_NAME]);

struct view_node {
	const struct kt_json *labels, *taints, *spec, *status;
	struct view_resources allocatable, capacity;
	const char *zone, *region, *hostname;
	bool unschedulable, ready;
	const char *ready_status; /* "True", "False", "Unknown" */
};
const struct view_node *view_node(const struct store_object *object);

/* metadata, of any object (not kept: cheap reads) */
struct view_owner view_controller_of(const struct kt_json *object);
const struct kt_json *view_labels(const struct kt_json *object);
bool view_is_deleting(const struct kt_json *object);

/* Label selectors. `selector` is a LabelSelector ({matchLabels, matchExpressions}); NULL matches nothing, {}
 * everything. */
bool view_selector_matches(const struct kt_json *selector, const struct kt_json *labels);
/* A plain map, as Services have: NULL or {} matches nothing. */
bool view_map_matches(const struct kt_json *map, const struct kt_json *labels);

#endif

/* SPDX-License-Identifier: MIT */
/* The counts in the status of controllers, which anybody may write who may write the status
 * (pkg/apis/apps/validation and its neighbours, Validate…StatusUpdate). */
#include "cluster/api/validate.h"

#include <string.h>

struct counts {
	const char *group, *kind;
	const char *const *counts;   /* none is negative; told in this order */
	const char *const *of_all;   /* none is above status.replicas */
	const char *available;       /* what availableReplicas is told when it is above readyReplicas */
	bool collides;               /* collisionCount becomes no less than it was, if it was there */
	const char *const *counters; /* none becomes less */
};
static const struct counts rows[] = {
        {"apps", "Deployment",
         V_WORDS("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
                 "unavailableReplicas", "terminatingReplicas", "collisionCount"),
         V_WORDS("updatedReplicas", "readyReplicas", "availableReplicas"), "readyReplicas", true, NULL},
        {"apps", "ReplicaSet",
         V_WORDS("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
                 "observedGeneration", "terminatingReplicas"),
         V_WORDS("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas", false, NULL},
        {"apps", "StatefulSet",
         V_WORDS("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas",
                 "observedGeneration", "collisionCount"),
         V_WORDS("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
         "status.readyReplicas", true, NULL},
        {"apps", "DaemonSet",
         V_WORDS("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady",
                 "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable",
                 "collisionCount"),
         NULL, NULL, true, NULL},
        {"", "ReplicationController",
         V_WORDS("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas",
                 "observedGeneration"),
         V_WORDS("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas", false, NULL},
        {"batch", "Job", V_WORDS("active", "succeeded", "failed", "ready", "terminating"), NULL, NULL, false,
         V_WORDS("failed", "succeeded")},
        {"autoscaling", "HorizontalPodAutoscaler", V_WORDS("currentReplicas", "desiredReplicas"), NULL, NULL,
         false, NULL},
};

static void above(struct v *v, const struct v_path *path, int64_t count, const char *what)
{
	v_invalid_steal(v, path, kt_json_int(count), "cannot be greater than %s", what);
}

static bool is_less(const struct kt_json *now, const struct kt_json *was, const char *name)
{
	return kt_get_int(now, name, 0) < kt_get_int(was, name, 0);
}

static void check(struct v *v, const struct counts *row)
{
	const struct v_path *path = V_ROOT("status");
	const struct kt_json *status = kt_get(v->object, "status");
	const struct kt_json *was = kt_get(v->old, "status");
	int64_t all = kt_get_int(status, "replicas", 0),
	        available = kt_get_int(status, "availableReplicas", 0);
	const char *const *name;

	for (name = row->counts; *name; name++) {
		const struct v_rule rule[] = {{.field = *name, .kind = V_MIN}};

		V_RULES(v, path, status, rule);
	}
	for (name = row->of_all; name && *name; name++)
		if (kt_get_int(status, *name, 0) > all)
			above(v, V_IN(path, *name), kt_get_int(status, *name, 0), "status.replicas");
	if (row->available && available > kt_get_int(status, "readyReplicas", 0))
		above(v, V_IN(path, "availableReplicas"), available, row->available);
	if (row->collides && is_less(status, was, "collisionCount") && kt_get(was, "collisionCount"))
		v_invalid_steal(v, V_IN(path, "collisionCount"),
		                kt_json_int(kt_get_int(status, "collisionCount", 0)),
		                "cannot be decremented");
	for (name = row->counters; name && *name; name++)
		if (is_less(status, was, *name))
			v_invalid_steal(v, V_IN(path, *name), kt_json_int(kt_get_int(status, *name, 0)),
			                "cannot decrease the %s counter", *name);
}

void v_status(struct v *v)
{
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (!strcmp(rows[i].kind, v->kind->kind) && !strcmp(rows[i].group, v->kind->group))
			check(v, &rows[i]);
}

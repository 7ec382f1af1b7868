/* SPDX-License-Identifier: MIT */
/* The StatefulSet controller's two files: stateful_set.c decides, stateful_set_pod.c makes pods and claims.
 */
#ifndef CONTROLLER_STATEFUL_SET_H
#define CONTROLLER_STATEFUL_SET_H

#include "cluster/controllers/controllers_internal.h"

struct stateful_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *set;              /* reference */
	const struct store_object *current, *update; /* revisions, references */
	struct store_list pods;
	kt_ns pause; /* until a name that has just become free may be taken */
	bool failed;
};
/* The number behind the set's name, or -1. */
int64_t stateful_ordinal(const struct stateful_sync *sync, const char *pod_name);
/* Make the pod of an ordinal at the current or the update revision, and its claims first. */
bool stateful_create(struct stateful_sync *sync, int64_t ordinal, const struct store_object *revision);
/* Claims of a pod that stays belong to whom persistentVolumeClaimRetentionPolicy says. */
void stateful_keep_claims(struct stateful_sync *sync, const struct store_object *pod);
bool stateful_delete(struct stateful_sync *sync, const struct store_object *pod, bool condemned);

#endif

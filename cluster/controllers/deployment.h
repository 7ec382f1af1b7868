/* SPDX-License-Identifier: MIT */
/* The deployment controller's files among themselves: deployment.c (what to do), deployment_scale.c (how many
 * where), deployment_status.c (what to tell), deployment_sets.c (the new replica set and its revisions). */
#ifndef CONTROLLER_DEPLOYMENT_H
#define CONTROLLER_DEPLOYMENT_H

#include "cluster/controllers/controllers_internal.h"

#define DEPLOYMENT_REVISION "deployment.kubernetes.io/revision"
#define DEPLOYMENT_DESIRED  "deployment.kubernetes.io/desired-replicas"
#define DEPLOYMENT_MAX      "deployment.kubernetes.io/max-replicas"

/* One sync. Replica sets are held by reference and replaced by what a write returns. */
struct deployment_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *deployment; /* reference */
	struct store_list all;                 /* every replica set of it */
	const struct store_object *fresh;      /* the one of the current template, of `all`; NULL none */
	int64_t replicas, surge, unavailable;
	bool rolling, has_deadline, failed;
};

int64_t deployment_spec_replicas(const struct store_object *set);
/* Every set but the fresh one; `active` only those that have or want pods. References. */
void deployment_old_sets(const struct deployment_sync *sync, bool active, struct store_list *out);
/* Find (or, if `create`, make) the fresh set, and keep revisions and annotations. */
void deployment_find_fresh(struct deployment_sync *sync, bool create);
void deployment_replace_status(struct deployment_sync *sync, struct kt_json *object);
/* True if anything was changed. */
bool deployment_scale_set(struct deployment_sync *sync, const struct store_object *set, int64_t replicas);
bool deployment_set_annotations(const struct deployment_sync *sync, struct kt_json **set);
void deployment_scale(struct deployment_sync *sync); /* when spec.replicas changed or it is paused */
int64_t deployment_fresh_replicas(const struct deployment_sync *sync, int64_t now);

struct kt_json *deployment_status(const struct deployment_sync *sync);
bool deployment_complete(const struct deployment_sync *sync, const struct kt_json *status);
void deployment_sync_status(struct deployment_sync *sync);         /* counts and Available only */
void deployment_sync_rollout_status(struct deployment_sync *sync); /* and Progressing */
struct kt_json *deployment_condition(kt_ns now, const char *type, const char *status, const char *reason,
                                     const char *message);

#endif

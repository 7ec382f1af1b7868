/* SPDX-License-Identifier: MIT */
/* What controllers share: a work queue on the virtual clock, as client-go's: keys "namespace/name", each at
 * most once in the queue, worked on one at a time, put back with exponential delay after a failure. A
 * controller is a file with one struct controller; the table is in controllers/controllers.c, which is itself
 * a row of cluster/parts.c. */
#ifndef CONTROLLER_H
#define CONTROLLER_H

#include "cluster/api/api.h"

/* All controllers together: a row of cluster/parts.c. */
extern const struct cluster_part controllers_part;

struct controller_queue;
struct controller {
	const char *name;      /* "deployment": for `why` and the queue's jitter */
	const char *component; /* of events: "deployment-controller" */
	/* Bring the object of `key` nearer to its desired state. True: done; false: try again later (rate
	 * limited). Reads the store afresh. `because`: the event's object that queued it first (may be NULL).
	 */
	bool (*reconcile)(struct cluster *cluster, struct controller_queue *queue, const char *key,
	                  const struct store_object *because);
	/* Which keys an event queues. */
	void (*observe)(struct cluster *cluster, struct controller_queue *queue,
	                const struct store_event *event);
	void (*start)(
	        struct cluster *cluster,
	        struct controller_queue *queue); /* may be NULL; queue what exists, set periodic timers */
	void (*stop)(struct cluster *cluster,
	             struct controller_queue *queue); /* may be NULL; free queue->state */
	kt_ns latency; /* from an event to the reconcile: what the real one typically takes (informer + queue
	                  + sync), a few ms */
};
struct controller_kinds; /* controllers_internal.h: the kinds looked up once */
struct controller_queue {
	const struct controller *controller;
	const struct controller_kinds *kinds;
	void *state; /* the controller's own */
	struct controller_inner *inner;
};
void controller_add(struct cluster *cluster, struct controller_queue *queue, const char *ns, const char *name,
                    const struct store_object *because);
void controller_add_after(struct cluster *cluster, struct controller_queue *queue, const char *ns,
                          const char *name, kt_ns delay);
/* Split "ns/name" (or "name"). */
void controller_key(const char *key, char ns[64], char name[256]);

/* The actor of this controller for api_*() calls. */
struct api_actor controller_actor(const struct controller_queue *queue, const struct store_object *because);

/* --- what several controllers do --- */
/* {apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true} */
struct kt_json *controller_owner_ref(const struct store_object *owner);
/* A pod from a template (spec.template) for `owner`, with labels, annotations, generateName; shares the
 * template's structure. */
struct kt_json *controller_pod_from_template(const struct store_object *owner, const struct kt_json *template,
                                             const char *name, const char *generate_name);
/* Set or replace a condition {type,…}; keeps lastTransitionTime when the status is the same. True if anything
 * changed. */
bool controller_set_condition(struct kt_json **conditions, const char *type, const char *status,
                              const char *reason, const char *message, kt_ns now, bool with_update_time);
/* intstr: "25%" of `total` or a number; `up` rounds up. */
int64_t controller_int_or_percent(const struct kt_json *v, int64_t total, bool up, int64_t otherwise);
/* The hash of a pod template: 8 to 10 letters of rand.SafeEncodeString, stable; `collision` mixes in
 * status.collisionCount. */
void controller_template_hash(const struct kt_json *template, int64_t collision, char out[11]);
bool controller_pod_active(const struct view_pod *pod); /* not Succeeded, Failed or deleting */
bool controller_pod_available(const struct view_pod *pod, int64_t min_ready_seconds, kt_ns now);
/* The order in which a ReplicaSet deletes (controller_utils.go ActivePodsWithRanks): qsort-able by
 * controller_rank_pods. */
void controller_rank_pods(struct cluster *cluster, const struct store_object **pods, size_t count);

#endif

/* SPDX-License-Identifier: MIT */
/* api: what kube-apiserver does: from a request to the store and back. handle.c routes (a table), the verbs
 * are one file each; validation, admission, access (authentication, RBAC) and patches have headers of their
 * own here. Controllers, scheduler and kubelets use the same path through api_create() and its sisters,
 * without HTTP. */
#ifndef API_H
#define API_H

#include "cluster/cluster_internal.h"

/* The outcome of a request: metav1.Status. */
struct api_status {
	int code;                /* 0: success so far */
	const char *reason;      /* "NotFound"…; static */
	char *message;           /* owned */
	struct kt_json *details; /* owned: {name, group, kind, uid, causes, retryAfterSeconds} or NULL */
};
void api_status_clear(struct api_status *status);
/* Fill `status` (if it is empty); returns false, so that `return api_fail(…)` reads well. */
bool api_fail(struct api_status *status, int code, const char *reason, const char *fmt, ...) KT_PRINTF(4, 5);
/* The usual ones, with the real texts and details. */
bool api_fail_not_found(struct api_status *status, const struct schema_kind *kind, const char *name);
/* `going`: the one that is there is being deleted. */
bool api_fail_exists(struct api_status *status, const struct schema_kind *kind, const char *name, bool going);
bool api_fail_conflict(struct api_status *status, const struct schema_kind *kind, const char *name,
                       const char *why);
bool api_fail_forbidden(struct api_status *status, const struct schema_kind *kind, const char *name,
                        const char *why);
bool api_fail_invalid(struct api_status *status, const struct schema_kind *kind, const char *name,
                      const struct kt_json *causes /* [{reason,message,field}] */);
struct kt_json *api_status_json(const struct api_status *status);

struct api_user {
	const char *name, *uid;
	struct kt_strs groups;
	struct kt_json *extra;
};
/* Who acts inside the cluster: a row each. */
struct api_actor {
	const char *user;                   /* "system:kube-controller-manager" */
	const char *manager;                /* of managedFields: "kube-controller-manager" */
	const char *component;              /* of events and causes: "deployment-controller" */
	const struct store_object *because; /* the cause, for the history; may be NULL */
};

/* Inner clients: trusted (no RBAC, no strict decoding), but with defaulting, admission (quota, limits,
 * service accounts…), validation of names, managedFields, generation, finalizers, garbage-collection
 * semantics: as over HTTP. On failure NULL (or false) and `status` (may be NULL) is filled. Returned objects
 * are borrowed from the store. */
const struct store_object *api_create(struct cluster *cluster, const struct api_actor *actor,
                                      const struct schema_kind *kind, struct kt_json *steal,
                                      struct api_status *status);
/* Replace. A resourceVersion in it must match (409 else); without one the newest is replaced. No change: no
 * write. */
const struct store_object *api_update(struct cluster *cluster, const struct api_actor *actor,
                                      const struct schema_kind *kind, struct kt_json *steal,
                                      struct api_status *status);
const struct store_object *api_update_status(struct cluster *cluster, const struct api_actor *actor,
                                             const struct schema_kind *kind, struct kt_json *steal,
                                             struct api_status *status);
struct api_delete_options {
	const char *propagation; /* "Background", "Foreground", "Orphan"; NULL: the kind's default */
	int64_t grace;           /* seconds; -1: the object's own */
	const char *uid;         /* precondition or NULL */
	uint64_t version;        /* precondition or 0 */
};
bool api_delete(struct cluster *cluster, const struct api_actor *actor, const struct schema_kind *kind,
                const char *ns, const char *name, const struct api_delete_options *options,
                struct api_status *status);
/* The eviction subresource: budgets count. */
bool api_evict(struct cluster *cluster, const struct api_actor *actor, const char *ns, const char *pod,
               struct api_status *status);
/* Set the condition DisruptionTarget in a pod's status: True for `reason`, without one (NULL) False. A time
 * of change is kept where the status is the same. `generation`: the pod's as it was seen; 0: not told. */
void api_disruption_target(struct kt_json **status, const char *reason, const char *message,
                           int64_t generation, kt_ns now);
/* The pods of something that can be scaled, as its Scale tells them: "app=web,tier in (a,b)". */
void api_scale_selector(const struct schema_kind *kind, const struct kt_json *object, struct kt_buf *out);
/* Bind a pod to a node (pods/binding). */
bool api_bind(struct cluster *cluster, const struct api_actor *actor, const struct store_object *pod,
              const char *node, struct api_status *status);
/* The token that a Secret of type kubernetes.io/service-account-token holds: valid as long as the account and
 * the Secret with it are there. Owned by the caller. */
char *api_secret_token(struct cluster *cluster, const struct store_object *secret,
                       const struct store_object *account);
/* Record an Event (core/v1) about `about`, aggregated as client-go's recorder does: same source, object,
 * reason and message raise count and lastTimestamp. `type` "Normal" or "Warning". `field_path`
 * ("spec.containers{c}") may be NULL. `host` may be NULL. */
void api_event(struct cluster *cluster, const struct api_actor *actor, const struct store_object *about,
               const char *type, const char *reason, const char *field_path, const char *host,
               const char *fmt, ...) KT_PRINTF(8, 9);

/* The in-process request: for the edge's own routes and tests. */
void api_handle(struct cluster *cluster, const struct cluster_request *request,
                struct cluster_response *response);

/* The pod range of the index-th node: of 10.244.0.0/16 as long as that has some (of 256), then of what lies
 * behind it, then of what lies behind the Services' 10.96.0.0/12. Each has its own: 36,864 nodes. */
void api_pod_range(unsigned index, char out[32]);

#endif

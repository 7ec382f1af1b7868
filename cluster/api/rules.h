/* SPDX-License-Identifier: MIT */
/* The rules an object must meet on its way into the store: validation, admission, access. One file a rule
 * family; the verbs call these in the real server's order (authenticate, impersonate, authorize, decode,
 * default, mutate, validate, admit). */
#ifndef API_RULES_H
#define API_RULES_H

#include "cluster/api/api.h"

/* --- validation: field errors with the real server's words --- */
struct rules_errors {
	struct kt_json *causes;  /* [{reason: "FieldValueInvalid", message: 'Invalid value: "x": must be …',
	                            field: "spec.a[0].b"}] */
	struct kt_strs warnings; /* for Warning headers: deprecated, duplicate or pointless fields */
};
/* One field error. `reason` is a metav1.CauseType; the message gets its prefix from it ("Invalid value: …",
 * "Required value: …"). */
void rules_error(struct rules_errors *errors, const char *cause, const char *field,
                 const struct kt_json *bad_value, const char *fmt, ...) KT_PRINTF(5, 6);
void rules_errors_clear(struct rules_errors *errors);
/* `object` is decoded and defaulted. `subresource` "" for the object itself. */
void rules_validate_create(struct cluster *cluster, const struct schema_kind *asked,
                           const struct kt_json *object, struct rules_errors *errors);
void rules_validate_update(struct cluster *cluster, const struct schema_kind *asked, const char *subresource,
                           const struct kt_json *object, const struct kt_json *old,
                           struct rules_errors *errors);
/* Of a Service only what has to do with its addresses: the allocator looks at that before all else. */
void rules_validate_addresses(struct cluster *cluster, const struct schema_kind *kind,
                              const struct kt_json *object, struct rules_errors *errors);
/* Warnings that the real server sends for this object (deprecated fields, PodSecurity warn, …) are added by
 * these too. */

/* --- admission --- */
enum rules_operation { RULES_CREATE, RULES_UPDATE, RULES_DELETE, RULES_CONNECT };
struct rules_request {
	struct cluster *cluster;
	enum rules_operation operation;
	const struct schema_kind *kind;
	const char *ns, *name, *subresource; /* subresource "" if none */
	const struct api_user *user;
	struct kt_json **object;   /* may be changed; NULL for DELETE, CONNECT */
	const struct kt_json *old; /* UPDATE, DELETE */
	bool dry_run;
	struct kt_strs *warnings; /* for Warning headers; may be NULL */
};
/* Mutating then validating plugins (NamespaceLifecycle, ServiceAccount, LimitRanger, Priority,
 * DefaultTolerationSeconds, DefaultStorageClass, DefaultIngressClass, PodSecurity, ResourceQuota, …). False
 * and `status` where one refuses. */
bool rules_mutate(const struct rules_request *request, struct api_status *status);
bool rules_prepare(const struct rules_request *request, struct api_status *status); /* it has its name now */
bool rules_admit(const struct rules_request *request, struct api_status *status);

/* --- access --- */
/* Who asks: bearer token (static admin token, service account JWT), client certificate, anonymous; then
 * impersonation headers. `user` is filled (clear with rules_user_clear) or false with 401/403. */
bool rules_authenticate(struct cluster *cluster, const struct cluster_request *request, struct api_user *user,
                        struct api_status *status);
void rules_user_clear(struct api_user *user);
struct rules_attributes {
	const char *verb; /* get, list, watch, create, update, patch, delete, deletecollection, impersonate,
	                     bind, escalate… */
	const char *group, *version, *resource, *subresource, *ns, *name; /* "" where none */
	const char *path;    /* for non-resource requests; NULL for resources */
	const char *of_node; /* of lists: spec.nodeName that the field selector asks for; NULL none */
};
/* Nodes, then RBAC. `reason` (may be NULL) gets what SubjectAccessReview tells ("RBAC: allowed by
 * ClusterRoleBinding …"), owned by the caller. */
bool rules_authorize(struct cluster *cluster, const struct api_user *user,
                     const struct rules_attributes *attributes, char **reason);
/* POST of a kind that is never stored (reviews, TokenRequest, CSR approval is not here): answers in *object.
 * False with status. */
bool rules_review(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                  const char *ns, const char *name, struct kt_json **object, struct api_status *status);
/* What a new cluster holds: default namespaces, cluster roles and bindings, priority classes, service
 * accounts are made by their controller. */
void rules_bootstrap(struct cluster *cluster);
/* PATCH bodies, SSA: see patch.h. */

#endif

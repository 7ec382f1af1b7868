/* SPDX-License-Identifier: MIT */
/* Admission plugins: a row each in admit.c, functions in the admit_*.c files. */
#ifndef API_ADMIT_H
#define API_ADMIT_H

#include "cluster/api/rules.h"

/* One plugin for one kind of object ("" any). False with a Status where it refuses. */
typedef bool admit_fn(const struct rules_request *r, struct api_status *status);

bool admit_is(const struct rules_request *r, const char *group, const char *kind);
/* The parts of the control plane act inside the cluster; their own roles say that they may. */
bool admit_is_trusted(const struct rules_request *r);
bool admit_forbid(const struct rules_request *r, struct api_status *status, const char *fmt, ...)
        KT_PRINTF(3, 4);
void admit_warn(const struct rules_request *r, const char *fmt, ...) KT_PRINTF(2, 3);
/* Stored object of a built-in kind, or NULL. */
const struct kt_json *admit_get(const struct rules_request *r, const char *group, const char *kind,
                                const char *ns, const char *name);
/* `object`'s members in the order of the type's fields, where plugins appended some. */
/* The value of this text; all objects that get it share it. New. */
struct kt_json *admit_common(const struct rules_request *r, const char *text);
void admit_reorder(const struct schema_type *type, struct kt_json **object);

admit_fn admit_namespace, admit_immortal_namespace; /* admit_namespace.c */
admit_fn admit_service_account, admit_tolerations, admit_priority, admit_priority_class,
        admit_system_priority, admit_runtime_class, admit_overhead, admit_pod_order; /* admit_pod.c */
admit_fn admit_limit_defaults, admit_limits;                                         /* admit_limit.c */
admit_fn admit_quota;                                                                /* admit_quota.c */
admit_fn admit_pod_security, admit_security_labels;                                  /* admit_security.c */
admit_fn admit_storage_class, admit_ingress_class, admit_claim_resize, admit_job;    /* admit_default.c */
admit_fn admit_policies;                                                             /* admit_policy.c */
admit_fn admit_mutating_webhooks, admit_validating_webhooks;                         /* admit_webhook.c */
/* A rule of a policy or a webhook: groups, versions, operations, resources; its selectors. */
bool admit_rule_fits(const struct rules_request *r, const struct kt_json *rule);
bool admit_selectors_fit(const struct rules_request *r, const struct kt_json *match);
admit_fn admit_csr_subject, admit_csr_approval, admit_csr_signing; /* admit_csr.c */
admit_fn admit_escalation;                                         /* access_escalate.c */
admit_fn admit_node;                                               /* admit_node.c */

#endif

/* SPDX-License-Identifier: MIT */
/* The Pod Security Standards (k8s.io/pod-security-admission policy). */
#ifndef API_SECURITY_POLICY_H
#define API_SECURITY_POLICY_H

#include "cluster/api/admit.h"

enum security_level { SECURITY_PRIVILEGED, SECURITY_BASELINE, SECURITY_RESTRICTED };

/* Append what a pod violates at `level` as of `version` ("latest" or "v1.x"): "reason (detail), …", without
 * the details if not asked for; nothing if nothing. */
void security_evaluate(const struct kt_json *spec, enum security_level level, const char *version,
                       bool details, struct kt_buf *out);

/* May any pod set this parameter of the kernel, as of Kubernetes 1.`minor`? It has a namespace and harms
 * nobody: the list of the standards, which is the kubelet's as well (pkg/kubelet/sysctl). */
#define SECURITY_LATEST 1000
bool security_sysctl_safe(const char *name, int minor);
#endif

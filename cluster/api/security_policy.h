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
#endif

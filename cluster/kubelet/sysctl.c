/* SPDX-License-Identifier: MIT */
/* What of the kernel a pod may set for itself: what has a namespace and harms nobody (kubernetes
 * pkg/kubelet/sysctl). */
#include "cluster/api/security_policy.h"
#include "cluster/kubelet/kubelet_internal.h"

/* "net/ipv4/x" is "net.ipv4.x", by whichever separator comes first. */
static char *normal_name(const char *name)
{
	char *out = kt_strdup(name), *first = strpbrk(out, "./");

	if (first && *first == '/')
		for (char *c = out; *c; c++)
			*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	return out;
}

static char *refusal(const char *name, bool host_network, bool host_ipc)
{
	bool network = kt_starts(name, "net.");

	if (!security_sysctl_safe(name, SECURITY_LATEST))
		return kt_strf("forbidden sysctl: \"%s\" not allowlisted", name);
	if (network ? host_network : host_ipc)
		return kt_strf("forbidden sysctl: \"%s\" not allowed with host %s enabled", name,
		               network ? "net" : "ipc");
	return NULL;
}

char *kubelet_sysctl_refusal(const struct kt_json *spec)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, kt_path(spec, "securityContext.sysctls")) {
		char *name = normal_name(kt_get_text(one, "name"));
		char *why = refusal(name, kt_get_bool(spec, "hostNetwork", false),
		                    kt_get_bool(spec, "hostIPC", false));

		kt_free(name);
		if (why)
			return why;
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* NamespaceLifecycle: apiserver pkg/admission/plugin/namespace/lifecycle/admission.go. */
#include "cluster/api/admit.h"

#include <string.h>

bool admit_namespace(const struct rules_request *r, struct api_status *status)
{
	const struct schema_kind *kind;
	if (!r->kind->namespaced || !r->ns || !*r->ns)
		return true;
	kind = schema_stored(cluster_schema(r->cluster), "", "Namespace");
	const struct kt_json *ns = admit_get(r, "", "Namespace", "", r->ns);
	if (!ns)
		return api_fail_not_found(status, kind, r->ns);
	if (!kt_path_str(ns, "metadata.deletionTimestamp"))
		return true;
	bool first = status && status->code == 0;
	admit_forbid(r, status, "unable to create new content in namespace %s because it is being terminated",
	             r->ns);
	if (first)
		kt_set(&status->details, "causes",
		       kt_jsonf(
		               "[{reason: 'NamespaceTerminating', message: %j, field: 'metadata.namespace'}]",
		               kt_json_strf("namespace %s is being terminated", r->ns)));
	return false;
}

bool admit_immortal_namespace(const struct rules_request *r, struct api_status *status)
{
	static const char *const immortal[] = {"default", "kube-system", "kube-public"};
	for (size_t i = 0; i < KT_COUNT(immortal); i++)
		if (r->name && strcmp(r->name, immortal[i]) == 0)
			return admit_forbid(r, status, "this namespace may not be deleted");
	return true;
}

/* SPDX-License-Identifier: MIT */
/* NodeRestriction: a kubelet changes its own node and the pods on it, and nothing that would draw work to it
 * (kubernetes plugin/pkg/admission/noderestriction). */
#include "cluster/api/access.h"
#include "cluster/api/admit.h"

#include <stdlib.h>
#include <string.h>

static bool is_below(const char *domain, size_t len, const char *of)
{
	size_t n = strlen(of);
	return (len == n && strncmp(domain, of, n) == 0) ||
	       (len > n && domain[len - n - 1] == '.' && strncmp(domain + len - n, of, n) == 0);
}

/* Labels that kubelets may have (k8s.io/kubelet/pkg/apis IsKubeletLabel). */
static bool is_kubelets(const char *key, size_t domain)
{
	static const char *const known[] = {"kubernetes.io/hostname",
	                                    "topology.kubernetes.io/zone",
	                                    "topology.kubernetes.io/region",
	                                    "failure-domain.beta.kubernetes.io/zone",
	                                    "failure-domain.beta.kubernetes.io/region",
	                                    "node.kubernetes.io/instance-type",
	                                    "beta.kubernetes.io/instance-type",
	                                    "kubernetes.io/os",
	                                    "kubernetes.io/arch",
	                                    "beta.kubernetes.io/os",
	                                    "beta.kubernetes.io/arch"};
	for (size_t i = 0; i < KT_COUNT(known); i++)
		if (strcmp(known[i], key) == 0)
			return true;
	return is_below(key, domain, "kubelet.kubernetes.io") || is_below(key, domain, "node.kubernetes.io");
}

static bool is_forbidden(const char *key)
{
	const char *slash = strchr(key, '/');
	size_t domain = slash ? (size_t)(slash - key) : 0;
	if (!domain)
		return false;
	if (is_below(key, domain, "node-restriction.kubernetes.io"))
		return true;
	return (is_below(key, domain, "kubernetes.io") || is_below(key, domain, "k8s.io")) &&
	       !is_kubelets(key, domain);
}

static void differing(const struct kt_json *a, const struct kt_json *b, struct kt_strs *out)
{
	for (size_t i = 0, n = kt_count(a); i < n; i++)
		if (!kt_equal(kt_at(a, i), kt_get(b, kt_key(a, i))) && is_forbidden(kt_key(a, i)) &&
		    !kt_strs_has(out, kt_key(a, i)))
			kt_strs_add(out, kt_key(a, i));
}

/* The labels that changed and may not, as a list in words; NULL: none. */
static char *forbidden_labels(const struct kt_json *now, const struct kt_json *was)
{
	struct kt_strs names = {0};
	struct kt_buf text = {0};
	differing(now, was, &names);
	differing(was, now, &names);
	kt_strs_sort(&names);
	for (size_t i = 0; i < names.count; i++)
		kt_buf_addf(&text, "%s%s", i ? ", " : "", names.items[i]);
	kt_strs_clear(&names);
	return text.len ? kt_buf_take(&text) : NULL;
}

static bool admit_own_node(const struct rules_request *r, struct api_status *status, const char *node)
{
	const struct kt_json *now = *r->object;
	bool creates = r->operation == RULES_CREATE, fine = true;
	if (!kt_streq(r->name, node))
		return admit_forbid(r, status, "node \"%s\" is not allowed to modify node \"%s\"", node,
		                    r->name);
	if (!creates && !kt_equal(kt_path(now, "spec.taints"), kt_path(r->old, "spec.taints")))
		return admit_forbid(r, status, "node \"%s\" is not allowed to modify taints", node);
	if (!creates &&
	    !kt_equal(kt_path(now, "metadata.ownerReferences"), kt_path(r->old, "metadata.ownerReferences")))
		return admit_forbid(r, status, "node \"%s\" is not allowed to modify ownerReferences", node);
	char *labels = forbidden_labels(kt_path(now, "metadata.labels"),
	                                creates ? NULL : kt_path(r->old, "metadata.labels"));
	if (labels && creates)
		fine = admit_forbid(r, status, "node \"%s\" is not allowed to set the following labels: %s",
		                    node, labels);
	else if (labels)
		fine = admit_forbid(r, status, "is not allowed to modify labels: %s", labels);
	kt_free(labels);
	return fine;
}

static bool admit_mirror(const struct rules_request *r, struct api_status *status, const char *node)
{
	static const char mirror[] = "kubernetes.io/config.mirror";
	const struct kt_json *owners = kt_path(*r->object, "metadata.ownerReferences"),
	                     *owner = kt_at(owners, 0);
	if (!kt_get(kt_path(*r->object, "metadata.annotations"), mirror))
		return admit_forbid(
		        r, status,
		        "pod does not have \"%s\" annotation, node \"%s\" can only create mirror pods",
		        mirror, node);
	if (!kt_streq(kt_path_str(*r->object, "spec.nodeName"), node))
		return admit_forbid(
		        r, status, "node \"%s\" can only create pods with spec.nodeName set to itself", node);
	if (kt_count(owners) > 1)
		return admit_forbid(
		        r, status,
		        "node \"%s\" can only create pods with a single owner reference set to itself", node);
	if (!owner || !kt_streq(kt_get_str(owner, "apiVersion"), "v1") ||
	    !kt_streq(kt_get_str(owner, "kind"), "Node") || !kt_streq(kt_get_str(owner, "name"), node))
		return admit_forbid(r, status,
		                    "node \"%s\" can only create pods with an owner reference set to itself",
		                    node);
	return kt_get_bool(owner, "controller", false) ||
	       admit_forbid(
	               r, status,
	               "node \"%s\" can only create pods with a controller owner reference set to itself",
	               node);
}

static bool admit_own_pod(const struct rules_request *r, struct api_status *status, const char *node)
{
	bool own = r->old && kt_streq(kt_path_str(r->old, "spec.nodeName"), node);
	if (r->operation == RULES_CREATE)
		return admit_mirror(r, status, node);
	if (r->operation == RULES_DELETE)
		return own ||
		       admit_forbid(r, status,
		                    "node \"%s\" can only delete pods with spec.nodeName set to itself",
		                    node);
	if (strcmp(r->subresource, "status") != 0)
		return admit_forbid(
		        r, status,
		        "unexpected operation \"UPDATE\", node \"%s\" can only create and delete mirror pods",
		        node);
	if (!own)
		return admit_forbid(
		        r, status,
		        "node \"%s\" can only update pod status for pods with spec.nodeName set to itself",
		        node);
	return kt_equal(kt_path(*r->object, "metadata.labels"), kt_path(r->old, "metadata.labels")) ||
	       admit_forbid(r, status, "node \"%s\" cannot update labels through pod status", node);
}

bool admit_node(const struct rules_request *r, struct api_status *status)
{
	const char *node = r->user ? access_node_name(r->user) : NULL;
	if (!node)
		return true;
	return admit_is(r, "", "Node") ? admit_own_node(r, status, node) : admit_own_pod(r, status, node);
}

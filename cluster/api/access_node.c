/* SPDX-License-Identifier: MIT */
/* What kubelets may, each what its own node and the pods on it are about: kubernetes
 * plugin/pkg/auth/authorizer/node; what they may change of it is admit_node.c. */
#include "cluster/api/access.h"

#include <string.h>

enum { MAX_DEPTH = 12 };

const char *access_node_name(const struct api_user *user)
{
	static const char prefix[] = "system:node:";
	return kt_starts(user->name, prefix) && access_has_group(user, "system:nodes")
	               ? user->name + strlen(prefix)
	               : NULL;
}

/* --- what pods refer to --- */

/* The resource that a member of a pod's spec names, and by which member of its own. */
static const struct {
	const char *resource, *member, *by;
} references[] = {
        {"secrets", "secretKeyRef", "name"},
        {"secrets", "secretRef", "name"},
        {"secrets", "secret", "secretName"},
        {"secrets", "secret", "name"},
        {"configmaps", "configMapKeyRef", "name"},
        {"configmaps", "configMapRef", "name"},
        {"configmaps", "configMap", "name"},
        {"persistentvolumeclaims", "persistentVolumeClaim", "claimName"},
};

static bool is_reference(const char *resource, const char *name, const char *member, const struct kt_json *v)
{
	for (size_t i = 0; i < KT_COUNT(references); i++)
		if (kt_streq(references[i].resource, resource) && kt_streq(references[i].member, member) &&
		    kt_streq(kt_get_str(v, references[i].by), name))
			return true;
	return false;
}

static bool refers(const struct kt_json *v, const char *resource, const char *name, unsigned depth)
{
	for (size_t i = 0, n = depth < MAX_DEPTH ? kt_count(v) : 0; i < n; i++) {
		const struct kt_json *below = kt_at(v, i);
		if (kt_is_object(v) && is_reference(resource, name, kt_key(v, i), below))
			return true;
		if ((kt_is_object(below) || kt_is_array(below)) && refers(below, resource, name, depth + 1))
			return true;
	}
	return false;
}

static bool pod_refers(const struct kt_json *pod, const char *resource, const char *name)
{
	const struct kt_json *spec = kt_get(pod, "spec");
	if (strcmp(resource, "pods") == 0)
		return kt_streq(kt_path_str(pod, "metadata.name"), name);
	if (strcmp(resource, "serviceaccounts") == 0)
		return kt_streq(kt_get_str(spec, "serviceAccountName"), name);
	if (strcmp(resource, "secrets") == 0 && kt_find(kt_get(spec, "imagePullSecrets"), "name", name) >= 0)
		return true;
	return refers(spec, resource, name, 0);
}

static bool is_related(struct cluster *cluster, const char *node, const char *resource, const char *ns,
                       const char *name)
{
	const struct schema_kind *pods = schema_stored(cluster_schema(cluster), "", "Pod");
	const struct store_object *pod;
	if (strcmp(resource, "persistentvolumes") == 0) {
		const struct schema_kind *kind =
		        schema_stored(cluster_schema(cluster), "", "PersistentVolume");
		const struct store_object *volume = store_get(cluster_store(cluster), kind, "", name);
		const char *claim = volume ? kt_path_str(volume->json, "spec.claimRef.name") : NULL;
		return claim &&
		       is_related(cluster, node, "persistentvolumeclaims",
		                  kt_str_or(kt_path(volume->json, "spec.claimRef.namespace"), ""), claim);
	}
	STORE_EACH (pod, cluster_store(cluster), pods, ns)
		if (kt_streq(kt_path_str(pod->json, "spec.nodeName"), node) &&
		    pod_refers(pod->json, resource, name))
			return true;
	return false;
}

/* --- who asks for what --- */

struct ask {
	struct cluster *cluster;
	const char *node;
	const struct rules_attributes *a;
	char **why; /* may be NULL */
};

static bool no(const struct ask *q, const char *fmt, ...) KT_PRINTF(2, 3);
static bool no(const struct ask *q, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (q->why)
		*q->why = kt_buf_take(&text);
	kt_buf_clear(&text);
	return false;
}

static bool is_verb(const struct ask *q, const char *verbs)
{
	return kt_listed(verbs, q->a->verb);
}

static bool related(const struct ask *q)
{
	if (!*q->a->name)
		return no(q, "No Object name found");
	return is_related(q->cluster, q->node, q->a->resource, q->a->ns, q->a->name) ||
	       no(q, "no relationship found between node '%s' and this object", q->node);
}

/* Secrets and ConfigMaps. */
static bool readable(const struct ask *q)
{
	if (!is_verb(q, "get list watch"))
		return no(q, "can only read resources of this type");
	if (*q->a->subresource)
		return no(q, "cannot read subresource");
	if (!*q->a->ns)
		return no(q, "can only read namespaced object of this type");
	return related(q);
}

static bool gettable(const struct ask *q)
{
	if (!is_verb(q, "get"))
		return no(q, "can only get individual resources of this type");
	if (*q->a->subresource)
		return no(q, "cannot get subresource");
	return related(q);
}

static bool claim(const struct ask *q)
{
	if (strcmp(q->a->subresource, "status") != 0)
		return gettable(q);
	return is_verb(q, "update patch") ? related(q) : no(q, "can only get/update/patch this type");
}

static bool account(const struct ask *q)
{
	if (is_verb(q, "get") && !*q->a->subresource)
		return readable(q);
	if (!is_verb(q, "create") || !*q->a->name)
		return no(q, "can only create tokens for individual service accounts");
	if (strcmp(q->a->subresource, "token") != 0)
		return no(q, "can only create token subresource of serviceaccount");
	return related(q);
}

static bool lease(const struct ask *q)
{
	if (!is_verb(q, "get create update patch delete"))
		return no(q, "can only get, create, update, patch, or delete a node lease");
	if (strcmp(q->a->ns, "kube-node-lease") != 0)
		return no(q, "can only access leases in the \"kube-node-lease\" system namespace");
	return is_verb(q, "create") || kt_streq(q->a->name, q->node) ||
	       no(q, "can only access node lease with the same name as the requesting node");
}

static bool csi_node(const struct ask *q)
{
	if (!is_verb(q, "get create update patch delete"))
		return no(q, "can only get, create, update, patch, or delete a CSINode");
	if (*q->a->subresource)
		return no(q, "cannot authorize CSINode subresources");
	return is_verb(q, "create") || kt_streq(q->a->name, q->node) ||
	       no(q, "can only access CSINode with the same name as the requesting node");
}

static bool node(const struct ask *q)
{
	if (strcmp(q->a->subresource, "status") == 0)
		return is_verb(q, "update patch");
	if (*q->a->subresource)
		return false;
	if (is_verb(q, "create update patch"))
		return true; /* which of them is admission's */
	if (!is_verb(q, "get list watch"))
		return false;
	if (!*q->a->name)
		return no(q, "node '%s' cannot read all nodes, only its own Node object", q->node);
	return kt_streq(q->a->name, q->node) ||
	       no(q, "node '%s' cannot read '%s', only its own Node object", q->node, q->a->name);
}

static bool pod(const struct ask *q)
{
	if (strcmp(q->a->subresource, "status") == 0)
		return is_verb(q, "update patch");
	if (strcmp(q->a->subresource, "eviction") == 0)
		return is_verb(q, "create");
	if (*q->a->subresource)
		return false;
	if (is_verb(q, "get"))
		return gettable(q);
	if (is_verb(q, "list watch")) {
		if (kt_streq(q->a->of_node, q->node))
			return true;
		return *q->a->name ? related(q)
		                   : no(q, "can only list/watch pods with spec.nodeName field selector");
	}
	return is_verb(q, "create delete");
}

static const struct {
	const char *group, *resource;
	bool (*fn)(const struct ask *q);
} guarded[] = {
        {"", "secrets", readable},
        {"", "configmaps", readable},
        {"", "persistentvolumeclaims", claim},
        {"", "persistentvolumes", gettable},
        {"", "serviceaccounts", account},
        {"", "nodes", node},
        {"", "pods", pod},
        {"coordination.k8s.io", "leases", lease},
        {"storage.k8s.io", "csinodes", csi_node},
};

/* What all of them may (bootstrappolicy.NodeRules, without what stands above). */
static const struct {
	const char *group, *resource, *verbs;
} rules[] = {
        {"authentication.k8s.io", "tokenreviews", "create"},
        {"authorization.k8s.io", "subjectaccessreviews", "create"},
        {"authorization.k8s.io", "localsubjectaccessreviews", "create"},
        {"", "services", "get list watch"},
        {"", "events", "create update patch"},
        {"", "endpoints", "get"},
        {"certificates.k8s.io", "certificatesigningrequests", "create get list watch"},
        {"storage.k8s.io", "csidrivers", "get list watch"},
        {"node.k8s.io", "runtimeclasses", "get list watch"},
};

bool access_node_may(struct cluster *cluster, const struct api_user *user, const struct rules_attributes *a,
                     char **why)
{
	struct ask q = {cluster, access_node_name(user), a, why};
	if (!q.node || a->path)
		return false;
	for (size_t i = 0; i < KT_COUNT(guarded); i++)
		if (kt_streq(guarded[i].group, a->group) && kt_streq(guarded[i].resource, a->resource))
			return guarded[i].fn(&q);
	for (size_t i = 0; i < KT_COUNT(rules); i++)
		if (kt_streq(rules[i].group, a->group) && kt_streq(rules[i].resource, a->resource) &&
		    !*a->subresource && is_verb(&q, rules[i].verbs))
			return true;
	return false;
}

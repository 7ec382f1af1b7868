/* SPDX-License-Identifier: MIT */
/* Role based access: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go and
 * pkg/registry/rbac/validation/rule.go. */
#include "cluster/api/access.h"

#include <string.h>

bool access_has(const struct kt_json *list, const char *word)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_streq(kt_str(item), word))
			return true;
	return false;
}

const struct kt_json *access_role_rules(struct cluster *cluster, const char *kind, const char *ns,
                                        const char *name)
{
	bool namespaced = strcmp(kind, "Role") == 0;
	const struct schema_kind *k =
	        schema_stored(cluster_schema(cluster), ACCESS_RBAC, namespaced ? "Role" : "ClusterRole");
	const struct store_object *role = store_get(cluster_store(cluster), k, namespaced ? ns : "", name);
	if (!role)
		return NULL;
	return role->json;
}

/* --- who is bound --- */

static bool is_subject(const struct kt_json *s, const struct api_user *user, const char *ns)
{
	const char *kind = kt_str_or(kt_get(s, "kind"), ""), *name = kt_str_or(kt_get(s, "name"), "");
	if (strcmp(kind, "User") == 0)
		return strcmp(name, user->name) == 0;
	if (strcmp(kind, "Group") == 0)
		return access_has_group(user, name);
	if (strcmp(kind, "ServiceAccount") != 0 || !kt_starts(user->name, "system:serviceaccount:"))
		return false;
	const char *of = kt_str_or(kt_get(s, "namespace"), ns);
	size_t len = strlen(of);
	const char *rest = user->name + strlen("system:serviceaccount:");
	return strncmp(rest, of, len) == 0 && rest[len] == ':' && strcmp(rest + len + 1, name) == 0;
}

struct walk {
	struct cluster *cluster;
	const struct api_user *user;
	access_rule_fn *fn;
	void *arg;
	struct kt_strs *missing;
};

static bool walk_binding(struct walk *w, const struct kt_json *binding, const char *ns)
{
	const struct kt_json *subject, *rule, *ref = kt_get(binding, "roleRef");
	KT_JSON_EACH (subject, kt_get(binding, "subjects")) {
		if (!is_subject(subject, w->user, ns))
			continue;
		const char *kind = kt_str_or(kt_get(ref, "kind"), ""),
		           *name = kt_str_or(kt_get(ref, "name"), "");
		const struct kt_json *role = access_role_rules(w->cluster, kind, ns, name);
		if (!role && w->missing)
			kt_strs_steal(w->missing,
			              kt_strf("%s." ACCESS_RBAC " \"%s\" not found",
			                      strcmp(kind, "Role") == 0 ? "role" : "clusterrole", name));
		KT_JSON_EACH (rule, kt_get(role, "rules"))
			if (!w->fn(w->arg, rule, binding, subject))
				return false;
		return true;
	}
	return true;
}

void access_each_rule(struct cluster *cluster, const struct api_user *user, const char *ns,
                      access_rule_fn *fn, void *arg, struct kt_strs *missing)
{
	struct walk w = {cluster, user, fn, arg, missing};
	const struct schema_kind *everywhere =
	        schema_stored(cluster_schema(cluster), ACCESS_RBAC, "ClusterRoleBinding");
	const struct schema_kind *here = schema_stored(cluster_schema(cluster), ACCESS_RBAC, "RoleBinding");
	const struct store_object *binding;
	STORE_EACH (binding, cluster_store(cluster), everywhere, NULL)
		if (!walk_binding(&w, binding->json, ""))
			return;
	if (!*ns)
		return;
	STORE_EACH (binding, cluster_store(cluster), here, ns)
		if (!walk_binding(&w, binding->json, ns))
			return;
}

/* --- what a rule allows --- */

static bool resource_fits(const struct kt_json *list, const char *resource, const char *subresource)
{
	const struct kt_json *item;
	size_t len = strlen(resource);
	KT_JSON_EACH (item, list) {
		const char *s = kt_str_or(item, "");
		if (strcmp(s, "*") == 0)
			return true;
		if (!*subresource && strcmp(s, resource) == 0)
			return true;
		if (*subresource && strncmp(s, resource, len) == 0 && s[len] == '/' &&
		    strcmp(s + len + 1, subresource) == 0)
			return true;
		if (*subresource && s[0] == '*' && s[1] == '/' && strcmp(s + 2, subresource) == 0)
			return true;
	}
	return false;
}

static bool url_fits(const struct kt_json *list, const char *path)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		const char *s = kt_str_or(item, "");
		size_t len = strlen(s);
		if (strcmp(s, "*") == 0 || strcmp(s, path) == 0 ||
		    (len > 0 && s[len - 1] == '*' && strncmp(s, path, len - 1) == 0))
			return true;
	}
	return false;
}

bool access_rule_allows(const struct kt_json *rule, const struct rules_attributes *a)
{
	const struct kt_json *verbs = kt_get(rule, "verbs"), *names = kt_get(rule, "resourceNames"),
	                     *groups = kt_get(rule, "apiGroups");
	if (!access_has(verbs, "*") && !access_has(verbs, a->verb))
		return false;
	if (a->path)
		return url_fits(kt_get(rule, "nonResourceURLs"), a->path);
	return (access_has(groups, "*") || access_has(groups, a->group)) &&
	       resource_fits(kt_get(rule, "resources"), a->resource, a->subresource) &&
	       (kt_count(names) == 0 || access_has(names, a->name));
}

struct question {
	const struct rules_attributes *attributes;
	const struct kt_json *binding, *subject;
};

static bool ask(void *arg, const struct kt_json *rule, const struct kt_json *binding,
                const struct kt_json *subject)
{
	struct question *q = arg;
	if (!access_rule_allows(rule, q->attributes))
		return true;
	q->binding = binding;
	q->subject = subject;
	return false;
}

static char *tell(const struct question *q)
{
	const struct kt_json *meta = kt_get(q->binding, "metadata"), *ref = kt_get(q->binding, "roleRef");
	const char *ns = kt_get_str(meta, "namespace"), *of = kt_get_str(q->subject, "namespace");
	return kt_strf("RBAC: allowed by %s \"%s%s%s\" of %s \"%s\" to %s \"%s%s%s\"",
	               kt_get_str(q->binding, "kind"), kt_get_str(meta, "name"), ns ? "/" : "", ns ? ns : "",
	               kt_get_str(ref, "kind"), kt_get_str(ref, "name"), kt_get_str(q->subject, "kind"),
	               kt_get_str(q->subject, "name"), of ? "/" : "", of ? of : "");
}

static bool rbac(struct cluster *cluster, const struct api_user *user,
                 const struct rules_attributes *attributes, char **reason)
{
	struct question q = {.attributes = attributes};
	struct kt_strs missing = {0};
	access_each_rule(cluster, user, attributes->path ? "" : attributes->ns, ask, &q,
	                 reason ? &missing : NULL);
	if (reason && q.binding) {
		*reason = tell(&q);
	} else if (reason && missing.count > 0) {
		struct kt_buf text = {0};
		kt_buf_adds(&text, missing.count > 1 ? "RBAC: [" : "RBAC: ");
		for (size_t i = 0; i < missing.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? ", " : "", missing.items[i]);
		kt_buf_adds(&text, missing.count > 1 ? "]" : "");
		*reason = kt_buf_take(&text);
	}
	kt_strs_clear(&missing);
	return q.binding != NULL;
}

bool rules_authorize(struct cluster *cluster, const struct api_user *user,
                     const struct rules_attributes *attributes, char **reason)
{
	char *why = NULL;
	if (reason)
		*reason = NULL;
	if (access_has_group(user, "system:masters") || access_node_may(cluster, user, attributes, &why)) {
		if (reason)
			*reason = kt_strdup("");
		return true;
	}
	bool allowed = rbac(cluster, user, attributes, reason);
	if (reason && why && !allowed) {
		/* each authorizer that says no is heard */
		char *both = *reason ? kt_strf("%s\n%s", why, *reason) : kt_strdup(why);
		kt_free(*reason);
		*reason = both;
	}
	kt_free(why);
	return allowed;
}

/* SPDX-License-Identifier: MIT */
/* Roles, bindings, certificate requests: kubernetes pkg/apis/rbac/validation,
 * pkg/apis/certificates/validation. */
#include "cluster/api/validate.h"

#include <string.h>

/* --- roles --- */

static void policy_rule(struct v *v, const struct v_path *path, const struct kt_json *rule, bool namespaced)
{
	const struct kt_json *urls = kt_get(rule, "nonResourceURLs");
	if (kt_count(kt_get(rule, "verbs")) == 0)
		v_required(v, V_IN(path, "verbs"), "verbs must contain at least one value");
	if (kt_count(urls) > 0) {
		if (namespaced)
			v_invalid(v, V_IN(path, "nonResourceURLs"), urls,
			          "namespaced rules cannot apply to non-resource URLs");
		if (kt_count(kt_get(rule, "apiGroups")) + kt_count(kt_get(rule, "resources")) +
		            kt_count(kt_get(rule, "resourceNames")) >
		    0)
			v_invalid(v, V_IN(path, "nonResourceURLs"), urls,
			          "rules cannot apply to both regular resources and non-resource URLs");
		return;
	}
	if (kt_count(kt_get(rule, "apiGroups")) == 0)
		v_required(v, V_IN(path, "apiGroups"), "resource rules must supply at least one api group");
	if (kt_count(kt_get(rule, "resources")) == 0)
		v_required(v, V_IN(path, "resources"), "resource rules must supply at least one resource");
}

static void rules(struct v *v, bool namespaced)
{
	const struct kt_json *rule;
	KT_JSON_EACH (rule, kt_get(v->object, "rules"))
		policy_rule(v, V_AT(V_ROOT("rules"), rule_i), rule, namespaced);
}

static void role(struct v *v)
{
	rules(v, true);
}

static void cluster_role(struct v *v)
{
	const struct kt_json *aggregation = kt_get(v->object, "aggregationRule"), *selector;
	const struct v_path *path = V_IN(V_ROOT("aggregationRule"), "clusterRoleSelectors");
	rules(v, false);
	if (!aggregation)
		return;
	if (kt_count(kt_get(aggregation, "clusterRoleSelectors")) == 0)
		v_required(v, path,
		           "at least one clusterRoleSelector required if aggregationRule is non-nil");
	KT_JSON_EACH (selector, kt_get(aggregation, "clusterRoleSelectors")) {
		v_label_selector(v, V_AT(path, selector_i), selector);
		if (!v_selector_valid(selector))
			v_invalid(v, V_AT(path, selector_i), NULL, "invalid label selector.");
	}
}

static void subject(struct v *v, const struct v_path *path, const struct kt_json *s, bool namespaced)
{
	const char *kind = kt_get_text(s, "kind"), *group = kt_get_text(s, "apiGroup");
	if (!*kt_get_text(s, "name"))
		v_required(v, V_IN(path, "name"), "");
	if (strcmp(kind, "ServiceAccount") == 0) {
		if (*kt_get_text(s, "name"))
			v_check(v, V_IN(path, "name"), kt_get_text(s, "name"), v_dns_subdomain);
		if (*group)
			v_unsupported(v, V_IN(path, "apiGroup"), kt_get(s, "apiGroup"), V_WORDS(""));
		if (!namespaced && !*kt_get_text(s, "namespace"))
			v_required(v, V_IN(path, "namespace"), "");
	} else if (strcmp(kind, "User") == 0 || strcmp(kind, "Group") == 0) {
		if (strcmp(group, "rbac.authorization.k8s.io") != 0)
			v_unsupported(v, V_IN(path, "apiGroup"), kt_get(s, "apiGroup"),
			              V_WORDS("rbac.authorization.k8s.io"));
	} else {
		v_unsupported(v, V_IN(path, "kind"), kt_get(s, "kind"),
		              V_WORDS("ServiceAccount", "User", "Group"));
	}
}

static void binding(struct v *v, bool namespaced)
{
	const struct kt_json *ref = kt_get(v->object, "roleRef"), *s;
	const struct v_path *path = V_ROOT("roleRef");
	const char *kind = kt_get_text(ref, "kind");
	if (strcmp(kt_get_text(ref, "apiGroup"), "rbac.authorization.k8s.io") != 0)
		v_unsupported(v, V_IN(path, "apiGroup"), kt_get(ref, "apiGroup"),
		              V_WORDS("rbac.authorization.k8s.io"));
	if (strcmp(kind, "ClusterRole") != 0 && !(namespaced && strcmp(kind, "Role") == 0)) {
		if (namespaced)
			v_unsupported(v, V_IN(path, "kind"), kt_get(ref, "kind"),
			              V_WORDS("Role", "ClusterRole"));
		else
			v_unsupported(v, V_IN(path, "kind"), kt_get(ref, "kind"), V_WORDS("ClusterRole"));
	}
	if (!*kt_get_text(ref, "name"))
		v_required(v, V_IN(path, "name"), "");
	else
		v_check(v, V_IN(path, "name"), kt_get_text(ref, "name"), v_path_segment);
	KT_JSON_EACH (s, kt_get(v->object, "subjects"))
		subject(v, V_AT(V_ROOT("subjects"), s_i), s, namespaced);
}

static void role_binding(struct v *v)
{
	binding(v, true);
}

static void cluster_role_binding(struct v *v)
{
	binding(v, false);
}

static void fixed_ref(struct v *v)
{
	if (!kt_equal(kt_get(v->object, "roleRef"), kt_get(v->old, "roleRef")))
		v_invalid_steal(v, V_ROOT("roleRef"), v_internal(v, "RoleRef", kt_get(v->object, "roleRef")),
		                "cannot change roleRef");
}

static void role_binding_update(struct v *v)
{
	role_binding(v);
	fixed_ref(v);
}

static void cluster_role_binding_update(struct v *v)
{
	cluster_role_binding(v);
	fixed_ref(v);
}

#define RBAC "rbac.authorization.k8s.io"
const struct v_kind v_kinds_rbac[] = {
        {.group = RBAC, .kind = "Role", .name = v_path_segment, .prefix = v_path_segment, .create = role},
        {.group = RBAC,
         .kind = "ClusterRole",
         .name = v_path_segment,
         .prefix = v_path_segment,
         .create = cluster_role},
        {.group = RBAC,
         .kind = "RoleBinding",
         .name = v_path_segment,
         .prefix = v_path_segment,
         .create = role_binding,
         .update = role_binding_update},
        {.group = RBAC,
         .kind = "ClusterRoleBinding",
         .name = v_path_segment,
         .prefix = v_path_segment,
         .create = cluster_role_binding,
         .update = cluster_role_binding_update},
        {0},
};

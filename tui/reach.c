/* SPDX-License-Identifier: MIT */
/* Who may reach whom, as the cluster's NetworkPolicies say, for the map's arrows. A drawing aid: what is
 * graded is tried for real. Ports are left out: one open port is an arrow. Rules of the API: a pod that no
 * policy selects for a direction is open in it; else some rule has to let the other one through. */
#include "tui/work_internal.h"

#include <string.h>

#define APPS_MAX 32

struct reaching {
	const struct kt_json *policies, *namespaces; /* lists, as the API gives them */
};

/* --- selectors --- */

static bool fits_expression(const struct kt_json *e, const struct kt_json *labels)
{
	const struct kt_json *value, *has = kt_get(labels, kt_str_or(kt_get(e, "key"), ""));
	const char *op = kt_str_or(kt_get(e, "operator"), "");
	bool among = false;
	KT_JSON_EACH (value, kt_get(e, "values"))
		among = among || (has && kt_equal(value, has));
	return kt_streq(op, "In")       ? among
	       : kt_streq(op, "NotIn")  ? !among
	       : kt_streq(op, "Exists") ? has != NULL
	                                : has == NULL;
}

static bool fits(const struct kt_json *selector, const struct kt_json *labels)
{
	const struct kt_json *want = kt_get(selector, "matchLabels"), *e;
	for (size_t i = 0; i < kt_count(want); i++)
		if (!kt_equal(kt_at(want, i), kt_get(labels, kt_key(want, i))))
			return false;
	KT_JSON_EACH (e, kt_get(selector, "matchExpressions"))
		if (!fits_expression(e, labels))
			return false;
	return true;
}

static const struct kt_json *labels_of_namespace(const struct reaching *r, const char *name)
{
	const struct kt_json *ns;
	KT_JSON_EACH (ns, kt_get(r->namespaces, "items"))
		if (kt_streq(kt_path_str(ns, "metadata.name"), name))
			return kt_path(ns, "metadata.labels");
	return NULL;
}

/* --- policies --- */

static const char *ns_of(const struct kt_json *object)
{
	return kt_str_or(kt_path(object, "metadata.namespace"), "");
}

static bool is_peer(const struct reaching *r, const struct kt_json *peer, const char *ns,
                    const struct kt_json *pod)
{
	const struct kt_json *spaces = kt_get(peer, "namespaceSelector"), *pods = kt_get(peer, "podSelector");
	if (kt_get(peer, "ipBlock"))
		return false;
	bool there = spaces ? fits(spaces, labels_of_namespace(r, ns_of(pod))) : kt_streq(ns, ns_of(pod));
	return there && fits(pods, kt_path(pod, "metadata.labels"));
}

static bool rules_let(const struct reaching *r, const struct kt_json *policy, bool ingress,
                      const struct kt_json *other)
{
	const struct kt_json *rule, *peer;
	KT_JSON_EACH (rule, kt_path(policy, ingress ? "spec.ingress" : "spec.egress")) {
		const struct kt_json *peers = kt_get(rule, ingress ? "from" : "to");
		if (!kt_count(peers))
			return true;
		KT_JSON_EACH (peer, peers)
			if (is_peer(r, peer, ns_of(policy), other))
				return true;
	}
	return false;
}

static bool is_about(const struct kt_json *policy, bool ingress, const struct kt_json *pod)
{
	const struct kt_json *types = kt_path(policy, "spec.policyTypes"), *type;
	bool of_type = !types && (ingress || kt_path(policy, "spec.egress"));
	KT_JSON_EACH (type, types)
		of_type = of_type || kt_streq(kt_str(type), ingress ? "Ingress" : "Egress");
	return of_type && kt_streq(ns_of(policy), ns_of(pod)) &&
	       fits(kt_path(policy, "spec.podSelector"), kt_path(pod, "metadata.labels"));
}

static bool is_open(const struct reaching *r, bool ingress, const struct kt_json *pod,
                    const struct kt_json *other)
{
	const struct kt_json *policy;
	bool held = false;
	KT_JSON_EACH (policy, kt_get(r->policies, "items")) {
		if (!is_about(policy, ingress, pod))
			continue;
		if (rules_let(r, policy, ingress, other))
			return true;
		held = true;
	}
	return !held;
}

/* --- apps --- */

static const char *app_of(const struct kt_json *pod)
{
	const char *app = kt_path_str(pod, "metadata.labels.app");
	return app ? app : kt_str_or(kt_path(pod, "metadata.name"), "?");
}

/* A pod of each app stands for all of it. */
static size_t list_apps(const struct kt_json *pods, const struct kt_json *apps[APPS_MAX])
{
	const struct kt_json *pod;
	size_t count = 0;
	KT_JSON_EACH (pod, kt_get(pods, "items")) {
		bool known = kt_streq(ns_of(pod), "kube-system") || count == APPS_MAX;
		for (size_t i = 0; i < count; i++)
			known = known || kt_streq(app_of(apps[i]), app_of(pod));
		if (!known)
			apps[count++] = pod;
	}
	return count;
}

struct kt_json *tui_reach(const struct kt_json *pods, const struct kt_json *policies,
                          const struct kt_json *namespaces)
{
	const struct reaching r = {policies, namespaces};
	const struct kt_json *apps[APPS_MAX];
	size_t count = list_apps(pods, apps);
	if (!kt_count(kt_get(policies, "items")))
		return NULL;
	struct kt_json *out = kt_json_object();
	for (size_t a = 0; a < count; a++) {
		struct kt_json *open = kt_json_array();
		for (size_t b = 0; b < count; b++)
			if (a != b && is_open(&r, false, apps[a], apps[b]) &&
			    is_open(&r, true, apps[b], apps[a]))
				kt_push(&open, kt_json_str(app_of(apps[b])));
		kt_set(&out, app_of(apps[a]), open);
	}
	return out;
}

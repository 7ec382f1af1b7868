/* SPDX-License-Identifier: MIT */
/* ConfigMaps, Secrets, quotas, limits, namespaces, nodes, accounts, leases: kubernetes
 * pkg/apis/core/validation and pkg/apis/coordination/validation. */
#include "cluster/api/validate.h"

#include <string.h>

#define MAX_DATA (1024 * 1024)

/* --- config maps and secrets --- */

static size_t data_keys(struct v *v, const struct v_path *path, const struct kt_json *data,
                        const struct kt_json *other)
{
	size_t total = 0;
	for (size_t i = 0, n = kt_count(data); i < n; i++) {
		const char *key = kt_key(data, i);
		v_check(v, V_KEY(path, key), key, v_config_key);
		if (kt_get(other, key))
			v_invalid_str(v, V_KEY(path, key), key, "duplicate of key present in %s",
			              "binaryData");
		total += kt_str_len(kt_at(data, i));
	}
	return total;
}

static void config_map(struct v *v)
{
	const struct kt_json *data = kt_get(v->object, "data"), *binary = kt_get(v->object, "binaryData");
	size_t total = data_keys(v, V_ROOT("data"), data, binary);
	total += data_keys(v, V_ROOT("binaryData"), binary, NULL) / 4 * 3;
	if (total > MAX_DATA)
		v_too_long(v, V_ROOT(""), MAX_DATA);
}

static void frozen(struct v *v, const char *const *fields)
{
	if (!kt_get_bool(v->old, "immutable", false))
		return;
	if (!kt_get_bool(v->object, "immutable", false))
		v_forbidden(v, V_ROOT("immutable"), "field is immutable when `immutable` is set");
	for (size_t i = 0; fields[i]; i++)
		if (!(kt_count(kt_get(v->object, fields[i])) + kt_count(kt_get(v->old, fields[i])) == 0) &&
		    !kt_equal(kt_get(v->object, fields[i]), kt_get(v->old, fields[i])))
			v_forbidden(v, V_ROOT(fields[i]), "field is immutable when `immutable` is set");
}

static void config_map_update(struct v *v)
{
	frozen(v, V_WORDS("data", "binaryData"));
	config_map(v);
}

/* What a type of Secret must hold. */
static const struct {
	const char *type, *keys[2];
	bool any; /* one of them will do */
} secret_types[] = {
        {"kubernetes.io/dockercfg", {".dockercfg"}, false},
        {"kubernetes.io/dockerconfigjson", {".dockerconfigjson"}, false},
        {"kubernetes.io/basic-auth", {"username", "password"}, true},
        {"kubernetes.io/ssh-auth", {"ssh-privatekey"}, false},
        {"kubernetes.io/tls", {"tls.crt", "tls.key"}, false},
};

/* The first fault of a text that should be JSON, in the words of encoding/json. */
static void must_be_json(struct v *v, const struct v_path *path, const char *base64)
{
	struct kt_buf text = {0};
	struct kt_json *parsed = NULL;
	struct kt_err err = {0};
	kt_unbase64(base64, strlen(base64), &text);
	if (kt_json_parse(kt_buf_str(&text), text.len, NULL, &parsed, NULL, &err) != KT_OK)
		v_invalid_str(v, path, "<secret contents redacted>", "%s", err.text);
	kt_json_free(parsed);
	kt_buf_clear(&text);
}

static void secret(struct v *v)
{
	const struct v_path *path = V_ROOT("data"), *annotations = V_IN(V_ROOT("metadata"), "annotations");
	const struct kt_json *data = kt_get(v->object, "data");
	const char *type = kt_get_text(v->object, "type");
	if (data_keys(v, path, data, NULL) / 4 * 3 > MAX_DATA)
		v_too_long(v, path, MAX_DATA);
	if (strcmp(type, "kubernetes.io/service-account-token") == 0 &&
	    !*kt_get_text(kt_path(v->object, "metadata.annotations"), "kubernetes.io/service-account.name"))
		v_required(v, V_KEY(annotations, "kubernetes.io/service-account.name"), "");
	for (size_t i = 0; i < KT_COUNT(secret_types); i++) {
		const char *const *keys = secret_types[i].keys;
		if (strcmp(secret_types[i].type, type) != 0)
			continue;
		if (secret_types[i].any && (kt_get(data, keys[0]) || kt_get(data, keys[1])))
			continue;
		for (size_t k = 0; k < 2 && keys[k]; k++)
			if (!kt_get(data, keys[k]))
				v_required(v, V_KEY(path, keys[k]), "");
			else if (kt_starts(keys[k], ".docker"))
				must_be_json(v, V_KEY(path, keys[k]), kt_get_text(data, keys[k]));
	}
}

static void secret_update(struct v *v)
{
	v_immutable(v, V_ROOT("type"), kt_get(v->object, "type"), kt_get(v->old, "type"));
	frozen(v, V_WORDS("data"));
	secret(v);
}

/* --- quotas --- */

/* All but the capacity of one volume (helper.IsStandardQuotaResourceName). */
static bool is_standard_quota(const char *name)
{
	return strcmp(name, "storage") != 0 && v_standard_resource(name);
}

static bool is_whole(const char *name)
{
	static const char *const names[] = {"pods",
	                                    "resourcequotas",
	                                    "services",
	                                    "replicationcontrollers",
	                                    "secrets",
	                                    "configmaps",
	                                    "persistentvolumeclaims",
	                                    "services.nodeports",
	                                    "services.loadbalancers"};
	for (size_t i = 0; i < KT_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return kt_starts(name, "count/");
}

static void quota_hard(struct v *v, const struct v_path *path, const struct kt_json *hard)
{
	for (size_t i = 0, n = kt_count(hard); i < n; i++) {
		const char *name = kt_key(hard, i), *value = kt_str_or(kt_at(hard, i), "0");
		const struct v_path *at = V_KEY(path, name);
		struct kt_strs faults = {0};
		struct kt_quantity q;
		v_resource_name(name, &faults);
		for (size_t k = 0; k < faults.count; k++)
			v_invalid_str(v, at, name, "%s", faults.items[k]);
		kt_strs_clear(&faults);
		if (!strchr(name, '/') && !is_standard_quota(name))
			v_invalid_str(v, at, name, "must be a standard resource for quota");
		v_quantity_min(v, at, kt_at(hard, i));
		if (is_whole(name) && kt_quantity_parse(value, &q) && q.milli % 1000 != 0)
			v_invalid_str(v, at, value, "must be an integer");
	}
}

static const char *const quota_scopes[] = {"BestEffort",
                                           "NotBestEffort",
                                           "NotTerminating",
                                           "PriorityClass",
                                           "Terminating",
                                           "CrossNamespacePodAffinity",
                                           "VolumeAttributesClass",
                                           NULL};

static bool is_scope(const char *s)
{
	for (size_t i = 0; quota_scopes[i]; i++)
		if (strcmp(quota_scopes[i], s) == 0)
			return true;
	return false;
}

/* Whether a scope can narrow what a resource counts (helper.IsResourceQuotaScopeValidForResource). */
static bool fits(const char *scope, const char *resource)
{
	static const char *const of_pods[] = {
	        "pods", "cpu", "memory", "requests.cpu", "limits.cpu", "requests.memory", "limits.memory"};
	if (strcmp(scope, "VolumeAttributesClass") == 0)
		return strcmp(resource, "persistentvolumeclaims") == 0 ||
		       strcmp(resource, "requests.storage") == 0;
	if (strcmp(scope, "BestEffort") == 0)
		return strcmp(resource, "pods") == 0;
	for (size_t i = 0; i < KT_COUNT(of_pods); i++)
		if (strcmp(of_pods[i], resource) == 0)
			return true;
	return false;
}

/* Once for each resource that the scope cannot be applied to. */
static void unfit(struct v *v, const struct v_path *path, const struct kt_json *shown, const char *scope,
                  const struct kt_json *hard)
{
	for (size_t i = 0, n = kt_count(hard); i < n; i++)
		if (is_standard_quota(kt_key(hard, i)) && is_scope(scope) && !fits(scope, kt_key(hard, i)))
			v_invalid(v, path, shown, "unsupported scope applied to resource");
}

static void quota_scope_list(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *scopes = kt_get(spec, "scopes"), *item;
	KT_JSON_EACH (item, scopes) {
		if (!is_scope(kt_str_or(item, "")))
			v_invalid(v, path, scopes, "unsupported scope");
		unfit(v, path, scopes, kt_str_or(item, ""), kt_get(spec, "hard"));
	}
	if ((kt_has_word(scopes, "BestEffort") && kt_has_word(scopes, "NotBestEffort")) ||
	    (kt_has_word(scopes, "Terminating") && kt_has_word(scopes, "NotTerminating")))
		v_invalid(v, path, scopes, "conflicting scopes");
}

static bool takes_values(const char *scope)
{
	return strcmp(scope, "PriorityClass") == 0 || strcmp(scope, "VolumeAttributesClass") == 0;
}

static void scope_requirement(struct v *v, const struct v_path *path, const struct kt_json *item,
                              const struct kt_json *spec)
{
	const char *op = kt_get_text(item, "operator"), *scope = kt_get_text(item, "scopeName");
	bool listed = strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0;
	if (!is_scope(scope))
		v_invalid_str(v, V_IN(path, "scopeName"), scope, "unsupported scope");
	struct kt_json *shown = v_internal(v, "ScopeSelector", kt_get(spec, "scopeSelector"));
	unfit(v, path, shown, scope, kt_get(spec, "hard"));
	kt_json_free(shown);
	if (is_scope(scope) && !takes_values(scope) && strcmp(op, "Exists") != 0)
		v_invalid_str(v, V_IN(path, "operator"), op,
		              "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, "
		              "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
		              "ResourceQuotaScopeNotBestEffort or "
		              "ResourceQuotaScopeCrossNamespacePodAffinity");
	if (listed && kt_count(kt_get(item, "values")) == 0)
		v_required(v, V_IN(path, "values"),
		           "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
		           "selector");
	else if (!listed && (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0)) {
		if (kt_count(kt_get(item, "values")) > 0)
			v_invalid(v, V_IN(path, "values"), kt_get(item, "values"),
			          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope "
			          "selector");
	} else if (!listed)
		v_invalid_str(v, V_IN(path, "operator"), op, "not a valid selector operator");
}

static void quota(struct v *v)
{
	static const char *const against[][2] = {{"BestEffort", "NotBestEffort"},
	                                         {"Terminating", "NotTerminating"}};
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *item;
	quota_hard(v, V_IN(path, "hard"), kt_get(spec, "hard"));
	quota_scope_list(v, V_IN(path, "scopes"), spec);
	const struct kt_json *wanted = kt_path(spec, "scopeSelector.matchExpressions");
	const struct v_path *wp = V_IN(V_IN(path, "scopeSelector"), "matchExpressions");
	KT_JSON_EACH (item, wanted)
		scope_requirement(v, wp, item, spec);
	for (size_t i = 0; i < KT_COUNT(against); i++)
		if (kt_find(wanted, "scopeName", against[i][0]) >= 0 &&
		    kt_find(wanted, "scopeName", against[i][1]) >= 0) {
			struct kt_json *shown = kt_json_ref(kt_get(spec, "scopes"));
			shown = shown ? shown : kt_json_null();
			v_invalid(v, wp, shown, "conflicting scopes");
			kt_json_free(shown);
		}
}

static void quota_update(struct v *v)
{
	quota(v);
	if (!kt_equal(kt_path(v->object, "spec.scopes"), kt_path(v->old, "spec.scopes")) &&
	    (kt_path(v->object, "spec.scopes") || kt_path(v->old, "spec.scopes")))
		v_invalid(v, V_IN(V_ROOT("spec"), "scopes"), kt_path(v->object, "spec.scopes"),
		          "field is immutable");
}

/* --- limit ranges --- */

static int compare(const char *a, const char *b)
{
	return kt_quantity_compare(a, b);
}

static void limit_values(struct v *v, const struct v_path *path, const struct kt_json *limit,
                         const char *name)
{
	const char *max = kt_get_str(kt_get(limit, "max"), name),
	           *min = kt_get_str(kt_get(limit, "min"), name);
	const char *deflt = kt_get_str(kt_get(limit, "default"), name),
	           *request = kt_get_str(kt_get(limit, "defaultRequest"), name);
	const char *ratio = kt_get_str(kt_get(limit, "maxLimitRequestRatio"), name);
	const struct v_path *mp = V_KEY(V_IN(path, "min"), name),
	                    *rp = V_KEY(V_IN(path, "defaultRequest"), name);
	const struct v_path *dp = V_KEY(V_IN(path, "default"), name);
	if (min && max && compare(min, max) > 0)
		v_invalid_str(v, mp, min, "min value %s is greater than max value %s", min, max);
	if (request && min && compare(min, request) > 0)
		v_invalid_str(v, rp, request, "min value %s is greater than default request value %s", min,
		              request);
	if (request && max && compare(request, max) > 0)
		v_invalid_str(v, rp, request, "default request value %s is greater than max value %s",
		              request, max);
	if (request && deflt && compare(request, deflt) > 0)
		v_invalid_str(v, rp, request,
		              "default request value %s is greater than default limit value %s", request,
		              deflt);
	if (deflt && min && compare(min, deflt) > 0)
		v_invalid_str(v, dp, min, "min value %s is greater than default value %s", min, deflt);
	if (deflt && max && compare(deflt, max) > 0)
		v_invalid_str(v, dp, max, "default value %s is greater than max value %s", deflt, max);
	if (ratio && compare(ratio, "1") < 0)
		v_invalid_str(v, V_KEY(V_IN(path, "maxLimitRequestRatio"), name), ratio,
		              "ratio %s is less than 1", ratio);
}

static void limit_type(struct v *v, const struct v_path *path, const char *type)
{
	static const char *const standard[] = {"Pod", "Container", "PersistentVolumeClaim"};
	bool known = strchr(type, '/') != NULL;
	for (size_t i = 0; i < KT_COUNT(standard); i++)
		known = known || strcmp(standard[i], type) == 0;
	if (v_check(v, path, type, v_qualified_name) && !known)
		v_invalid_str(v, path, type, "must be a standard limit type or fully qualified");
}

static void limit_names(struct v *v, const struct v_path *path, const struct kt_json *map, bool in_pod,
                        struct kt_json **names)
{
	for (size_t i = 0, n = kt_count(map); i < n; i++) {
		const char *name = kt_key(map, i);
		struct kt_strs faults = {0};
		if (in_pod)
			v_container_resource(v, V_KEY(path, name), name);
		else
			v_resource_name(name, &faults);
		for (size_t k = 0; k < faults.count; k++)
			v_invalid_str(v, V_KEY(path, name), name, "%s", faults.items[k]);
		kt_strs_clear(&faults);
		if (!kt_get(*names, name))
			kt_set(names, name, kt_json_bool(true));
	}
}

static void limit_range(struct v *v)
{
	enum { RATIO = 4 };
	static const char *const maps[] = {"max", "min", "default", "defaultRequest", "maxLimitRequestRatio"};
	const struct kt_json *limits = kt_path(v->object, "spec.limits"), *limit;
	KT_JSON_EACH (limit, limits) {
		const struct v_path *at = V_AT(V_IN(V_ROOT("spec"), "limits"), limit_i);
		struct kt_json *names = kt_json_object();
		const char *type = kt_get_text(limit, "type");
		bool pod = strcmp(type, "Pod") == 0, in_pod = pod || strcmp(type, "Container") == 0;
		limit_type(v, V_IN(at, "type"), kt_get_text(limit, "type"));
		if (kt_find(limits, "type", kt_get_text(limit, "type")) < (ptrdiff_t)limit_i)
			v_duplicate(v, V_IN(at, "type"), kt_get(limit, "type"));
		for (size_t m = 0; m < KT_COUNT(maps); m++) {
			bool a_default = kt_starts(maps[m], "default");
			if (m == RATIO && strcmp(type, "PersistentVolumeClaim") == 0 &&
			    !kt_path(limit, "min.storage") && !kt_path(limit, "max.storage"))
				v_required(v, V_IN(at, "limits"),
				           "either minimum or maximum storage value is required, but neither "
				           "was provided");
			if (!pod || !a_default)
				limit_names(v, V_IN(at, maps[m]), kt_get(limit, maps[m]), in_pod, &names);
			else if (kt_count(kt_get(limit, maps[m])) > 0)
				v_forbidden(v, V_IN(at, maps[m]),
				            "may not be specified when `type` is 'Pod'");
		}
		for (size_t i = 0, n = kt_count(names); i < n; i++)
			limit_values(v, at, limit, kt_key(names, i));
		kt_json_free(names);
	}
}

/* --- nodes, namespaces, accounts, leases --- */

static void taints(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const effects[] = {"NoSchedule", "PreferNoSchedule", "NoExecute", NULL};
	static const struct v_rule rules[] = {{.field = "effect", .kind = V_ENUM_NEEDED, .values = effects}};
	const struct kt_json *taint;
	KT_JSON_EACH (taint, list) {
		const struct v_path *at = V_AT(path, taint_i);
		v_check(v, V_IN(at, "key"), kt_get_text(taint, "key"), v_qualified_name);
		v_check(v, V_IN(at, "value"), kt_get_text(taint, "value"), v_label_value);
		V_RULES(v, at, taint, rules);
		for (size_t i = 0; i < taint_i; i++)
			if (kt_equal(kt_get(kt_at(list, i), "key"), kt_get(taint, "key")) &&
			    kt_equal(kt_get(kt_at(list, i), "effect"), kt_get(taint, "effect"))) {
				struct kt_json *shown = v_internal(v, "Taint", taint);
				v_duplicate_because(v, at, shown,
				                    "taints must be unique by key and effect pair");
				kt_json_free(shown);
				break;
			}
	}
}

/* The server names the taints below metadata (ValidateNode). */
static void node(struct v *v)
{
	const struct kt_json *spec = kt_get(v->object, "spec"), *item;
	taints(v, V_IN(V_ROOT("metadata"), "taints"), kt_get(spec, "taints"));
	KT_JSON_EACH (item, kt_get(spec, "podCIDRs"))
		v_check(v, V_AT(V_IN(V_ROOT("spec"), "podCIDRs"), item_i), kt_str_or(item, ""), v_cidr);
}

static void node_update(struct v *v)
{
	const char *now = kt_path_str(v->object, "spec.podCIDR"), *old = kt_path_str(v->old, "spec.podCIDR");
	const char *provider = kt_path_str(v->old, "spec.providerID");
	taints(v, V_IN(V_ROOT("metadata"), "taints"), kt_path(v->object, "spec.taints"));
	if (old && !kt_streq(now, old))
		v_forbidden(v, V_IN(V_ROOT("spec"), "podCIDRs"),
		            "node updates may not change podCIDR except from \"\" to valid");
	if (provider && *provider && !kt_streq(kt_path_str(v->object, "spec.providerID"), provider))
		v_forbidden(v, V_IN(V_ROOT("spec"), "providerID"),
		            "node updates may not change providerID except from \"\" to valid");
}

static void namespace(struct v *v)
{
	const struct v_path *path = V_IN(V_ROOT("spec"), "finalizers");
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(v->object, "spec.finalizers")) {
		const char *name = kt_str_or(item, "");
		bool standard = strcmp(name, "kubernetes") == 0 || strcmp(name, "orphan") == 0 ||
		                strcmp(name, "foregroundDeletion") == 0;
		if (v_check(v, path, name, v_qualified_name) && !strchr(name, '/') && !standard)
			v_invalid_str(v, path, name,
			              "name is neither a standard finalizer name nor is it fully qualified");
	}
}

static void lease(struct v *v)
{
	static const struct v_rule rules[] = {
	        {.field = "leaseDurationSeconds", .kind = V_POSITIVE},
	        {.field = "leaseTransitions", .kind = V_MIN},
	};
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rules);
}

/* --- runtime classes --- */

static void scheduling(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	v_labels(v, V_IN(path, "nodeSelector"), kt_get(s, "nodeSelector"));
	v_tolerations(v, V_IN(V_IN(path, "tolerations"), "tolerations"), kt_get(s, "tolerations"));
}

static void runtime_class(struct v *v)
{
	const struct kt_json *fixed = kt_path(v->object, "overhead.podFixed");
	struct kt_json *resources = fixed ? kt_jsonf("{limits: %J}", fixed) : NULL;
	v_check(v, V_ROOT("handler"), kt_get_text(v->object, "handler"), v_dns_label);
	if (resources)
		v_resources(v, V_ROOT("overhead"), resources);
	kt_json_free(resources);
	if (kt_get(v->object, "scheduling"))
		scheduling(v, V_ROOT("scheduling"), kt_get(v->object, "scheduling"));
}

static void nothing(struct v *v)
{
	(void)v;
}

static const char *const fixed_lease[] = {NULL};
static const char *const fixed_handler[] = {"handler", NULL};

/* --- events (pkg/apis/core/validation/events.go) --- */

static void event_words(struct v *v, bool new_style)
{
	static const struct {
		const char *field;
		size_t most;
	} rows[] = {{"reportingInstance", 128}, {"action", 128}, {"reason", 128}, {"message", 1024}};
	const char *by = new_style ? "reportingController" : "reportingComponent",
	           *controller = kt_get_text(v->object, "reportingComponent");
	const struct v_path *cp = V_ROOT(by);
	if (!*controller)
		v_required(v, cp, "");
	v_check(v, cp, controller, v_qualified_name);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const char *text = kt_get_text(v->object, rows[i].field);
		if (!*text && strcmp(rows[i].field, "message") != 0)
			v_required(v, V_ROOT(rows[i].field), "");
		if (strlen(text) > rows[i].most)
			v_invalid_str(v, V_ROOT(rows[i].field), "", "can have at most %zu characters",
			              rows[i].most);
	}
}

static void event_of_v1(struct v *v)
{
	static const char *const unset[] = {"firstTimestamp", "lastTimestamp", "count"};
	const struct kt_json *series = kt_get(v->object, "series"), *source = kt_get(v->object, "source");
	const char *type = kt_get_text(v->object, "type");
	if (series && kt_get_int(series, "count", 0) < 2)
		v_invalid_str(v, V_ROOT("series.count"), "", "should be at least 2");
	if (series && !*kt_get_text(series, "lastObservedTime"))
		v_required(v, V_ROOT("series.lastObservedTime"), "");
	if (!*kt_get_text(v->object, "eventTime"))
		v_required(v, V_ROOT("eventTime"), "");
	if (strcmp(type, "Normal") != 0 && strcmp(type, "Warning") != 0)
		v_invalid_str(v, V_ROOT("type"), "", "has invalid value: %s", type);
	for (size_t i = 0; i < KT_COUNT(unset); i++) {
		const struct kt_json *value = kt_get(v->object, unset[i]);
		if (kt_str_len(value) > 0 || kt_int_or(value, 0) != 0)
			v_invalid_str(v, V_ROOT(unset[i]), "", "needs to be unset");
	}
	if (*kt_get_text(source, "component") || *kt_get_text(source, "host"))
		v_invalid_str(v, V_ROOT("source"), "", "needs to be unset");
}

static void event(struct v *v)
{
	const char *of = kt_str_or(kt_path(v->object, "involvedObject.namespace"), ""),
	           *ns = kt_str_or(kt_path(v->object, "metadata.namespace"), "");
	bool timed = *kt_get_text(v->object, "eventTime") != 0, new_style = v->asked && *v->asked->group;
	bool agrees = *of ? timed || strcmp(of, ns) == 0
	                  : strcmp(ns, "default") == 0 || (timed && strcmp(ns, "kube-system") == 0);
	if (!agrees)
		v_invalid_str(v, V_IN(V_ROOT("involvedObject"), "namespace"), of,
		              "does not match event.namespace");
	if (timed)
		event_words(v, new_style);
	if (new_style && !v->old)
		event_of_v1(v);
}

const struct v_kind v_kinds_core[] = {
        {.group = "", .kind = "ConfigMap", .create = config_map, .update = config_map_update},
        {.group = "", .kind = "Secret", .create = secret, .update = secret_update},
        {.group = "", .kind = "ResourceQuota", .create = quota, .update = quota_update},
        {.group = "", .kind = "LimitRange", .create = limit_range},
        {.group = "",
         .kind = "Namespace",
         .name = v_dns_label,
         .prefix = v_dns_label_trailing,
         .create = namespace,
         .update = nothing},
        {.group = "", .kind = "Node", .create = node, .update = node_update},
        {.group = "", .kind = "ServiceAccount", .create = nothing},
        {.group = "", .kind = "Event", .create = event, .update = event},
        {.group = "node.k8s.io",
         .kind = "RuntimeClass",
         .create = runtime_class,
         .update = nothing,
         .immutable = fixed_handler},
        {.group = "coordination.k8s.io", .kind = "Lease", .create = lease, .immutable = fixed_lease},
        {0},
};

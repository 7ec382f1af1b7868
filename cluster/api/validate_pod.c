/* SPDX-License-Identifier: MIT */
/* Pod specs and templates: kubernetes pkg/apis/core/validation/validation.go (ValidatePodSpec), in its order.
 */
#include "cluster/api/validate.h"

#include <stdlib.h>
#include <string.h>

/* --- where it may run --- */

static void node_field(struct v *v, const struct v_path *path, const struct kt_json *r)
{
	const char *op = kt_get_text(r, "operator");
	const struct kt_json *values = kt_get(r, "values"), *name;
	if (strcmp(op, "In") && strcmp(op, "NotIn"))
		v_invalid_str(v, V_IN(path, "operator"), op, "not a valid selector operator");
	else if (kt_count(values) != 1)
		v_required(
		        v, V_IN(path, "values"),
		        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
	if (strcmp(kt_get_text(r, "key"), "metadata.name") != 0) {
		v_invalid_str(v, V_IN(path, "key"), kt_get_text(r, "key"), "not a valid field selector key");
		return;
	}
	KT_JSON_EACH (name, values)
		v_check(v, V_AT(V_IN(path, "values"), name_i), kt_str_or(name, ""), v_dns_subdomain);
}

static void node_requirement(struct v *v, const struct v_path *path, const struct kt_json *r, bool of_fields)
{
	const char *op = kt_get_text(r, "operator");
	const struct kt_json *values = kt_get(r, "values");
	if (of_fields) {
		node_field(v, path, r);
		return;
	}
	if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
		if (kt_count(values) == 0)
			v_required(v, V_IN(path, "values"),
			           "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
		if (kt_count(values) > 0)
			v_forbidden(v, V_IN(path, "values"),
			            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else if (strcmp(op, "Gt") == 0 || strcmp(op, "Lt") == 0) {
		if (kt_count(values) != 1)
			v_required(v, V_IN(path, "values"),
			           "must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		v_invalid_str(v, V_IN(path, "operator"), op, "not a valid selector operator");
	}
	v_check(v, V_IN(path, "key"), kt_get_text(r, "key"), v_qualified_name);
}

void v_node_selector_term(struct v *v, const struct v_path *path, const struct kt_json *term)
{
	const struct kt_json *r;
	KT_JSON_EACH (r, kt_get(term, "matchExpressions"))
		node_requirement(v, V_AT(V_IN(path, "matchExpressions"), r_i), r, false);
	KT_JSON_EACH (r, kt_get(term, "matchFields"))
		node_requirement(v, V_AT(V_IN(path, "matchFields"), r_i), r, true);
}

static void weight(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	int64_t w = kt_get_int(item, "weight", 0);
	if (w <= 0 || w > 100)
		v_invalid_steal(v, V_IN(path, "weight"), kt_json_int(w), "must be in the range 1-100");
}

static void node_affinity(struct v *v, const struct v_path *path, const struct kt_json *a)
{
	const struct kt_json *required = kt_get(a, "requiredDuringSchedulingIgnoredDuringExecution"), *item;
	const struct v_path *rp =
	        V_IN(V_IN(path, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms");
	const struct v_path *pp = V_IN(path, "preferredDuringSchedulingIgnoredDuringExecution");
	if (required && kt_count(kt_get(required, "nodeSelectorTerms")) == 0)
		v_required(v, rp, "must have at least one node selector term");
	KT_JSON_EACH (item, kt_get(required, "nodeSelectorTerms"))
		v_node_selector_term(v, V_AT(rp, item_i), item);
	KT_JSON_EACH (item, kt_get(a, "preferredDuringSchedulingIgnoredDuringExecution")) {
		weight(v, V_AT(pp, item_i), item);
		v_node_selector_term(v, V_IN(V_AT(pp, item_i), "preference"), kt_get(item, "preference"));
	}
}

static void keys_are_labels(struct v *v, const struct v_path *path, const struct kt_json *term,
                            const char *member)
{
	const struct kt_json *keys = kt_get(term, member), *key;
	if (kt_count(keys) > 0 && !kt_get(term, "labelSelector")) {
		v_forbidden(v, V_IN(path, member), "must not be specified when labelSelector is not set");
		return;
	}
	KT_JSON_EACH (key, keys)
		v_check(v, V_AT(V_IN(path, member), key_i), kt_str_or(key, ""), v_qualified_name);
}

/* The server has merged matchLabelKeys into the selector: a key there twice was there before. (The path of
 * that error is the real server's: the place in the list of keys, behind the term.) */
static void label_keys(struct v *v, const struct v_path *path, const struct kt_json *term)
{
	const struct kt_json *keys = kt_get(term, "matchLabelKeys"),
	                     *selector = kt_get(term, "labelSelector");
	const struct kt_json *key, *other, *mismatched = kt_get(term, "mismatchLabelKeys");
	keys_are_labels(v, path, term, "matchLabelKeys");
	keys_are_labels(v, path, term, "mismatchLabelKeys");
	KT_JSON_EACH (key, selector ? keys : NULL) {
		const char *name = kt_str_or(key, "");
		size_t seen = kt_get(kt_get(selector, "matchLabels"), name) ? 1 : 0;
		KT_JSON_EACH (other, kt_get(selector, "matchExpressions")) {
			if (kt_streq(kt_get_str(other, "key"), name) && seen++)
				v_invalid(v, V_AT(path, key_i), key,
				          "exists in both matchLabelKeys and labelSelector");
		}
	}
	KT_JSON_EACH (key, keys) {
		bool both = false;
		KT_JSON_EACH (other, mismatched)
			both = both || kt_streq(kt_str(key), kt_str(other));
		if (both)
			v_invalid(v, V_AT(V_IN(path, "matchLabelKeys"), key_i), key,
			          "exists in both matchLabelKeys and mismatchLabelKeys");
	}
}

static void pod_affinity_term(struct v *v, const struct v_path *path, const struct kt_json *term)
{
	const struct kt_json *ns;
	v_label_selector(v, V_IN(path, "labelSelector"), kt_get(term, "labelSelector"));
	v_label_selector(v, V_IN(path, "namespaceSelector"), kt_get(term, "namespaceSelector"));
	KT_JSON_EACH (ns, kt_get(term, "namespaces"))
		v_check(v, V_IN(path, "namespace"), kt_str_or(ns, ""), v_dns_label);
	label_keys(v, path, term);
	if (!*kt_get_text(term, "topologyKey"))
		v_required(v, V_IN(path, "topologyKey"), "can not be empty");
	v_check(v, V_IN(path, "topologyKey"), kt_get_text(term, "topologyKey"), v_qualified_name);
}

static void pod_affinity(struct v *v, const struct v_path *path, const struct kt_json *a)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(a, "requiredDuringSchedulingIgnoredDuringExecution"))
		pod_affinity_term(
		        v, V_AT(V_IN(path, "requiredDuringSchedulingIgnoredDuringExecution"), item_i), item);
	KT_JSON_EACH (item, kt_get(a, "preferredDuringSchedulingIgnoredDuringExecution")) {
		const struct v_path *at =
		        V_AT(V_IN(path, "preferredDuringSchedulingIgnoredDuringExecution"), item_i);
		weight(v, at, item);
		pod_affinity_term(v, V_IN(at, "podAffinityTerm"), kt_get(item, "podAffinityTerm"));
	}
}

static void affinity(struct v *v, const struct v_path *path, const struct kt_json *a)
{
	static const struct v_rule rules[] = {
	        {.field = "nodeAffinity", .kind = V_OBJECT, .fn = node_affinity},
	        {.field = "podAffinity", .kind = V_OBJECT, .fn = pod_affinity},
	        {.field = "podAntiAffinity", .kind = V_OBJECT, .fn = pod_affinity},
	};
	V_RULES(v, path, a, rules);
}

static void toleration(struct v *v, const struct v_path *path, const struct kt_json *t)
{
	const char *op = kt_get_text(t, "operator"), *effect = kt_get_text(t, "effect");
	if (*kt_get_text(t, "key"))
		v_check(v, V_IN(path, "key"), kt_get_text(t, "key"), v_qualified_name);
	else if (strcmp(op, "Exists") != 0)
		v_invalid_str(v, V_IN(path, "operator"), op,
		              "operator must be Exists when `key` is empty, which means \"match all values "
		              "and all keys\"");
	if (kt_get(t, "tolerationSeconds") && strcmp(effect, "NoExecute") != 0)
		v_invalid_str(v, V_IN(path, "effect"), effect,
		              "effect must be 'NoExecute' when `tolerationSeconds` is set");
	if (!*op || strcmp(op, "Equal") == 0) {
		struct kt_strs faults = {0};
		struct kt_buf text = {0};
		v_label_value(kt_get_text(t, "value"), &faults);
		for (size_t i = 0; i < faults.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? ";" : "", faults.items[i]);
		if (faults.count > 0)
			v_invalid_str(v, V_IN(path, "operator"), kt_get_text(t, "value"), "%s",
			              kt_buf_str(&text));
		kt_strs_clear(&faults);
		kt_buf_clear(&text);
	} else if (strcmp(op, "Exists") == 0) {
		if (*kt_get_text(t, "value"))
			v_invalid(v, V_IN(path, "operator"), kt_get(t, "value"),
			          "value must be empty when `operator` is 'Exists'");
	} else {
		v_unsupported(v, V_IN(path, "operator"), kt_get(t, "operator"), V_WORDS("Equal", "Exists"));
	}
	if (*effect && strcmp(effect, "NoSchedule") && strcmp(effect, "PreferNoSchedule") &&
	    strcmp(effect, "NoExecute"))
		v_unsupported(v, V_IN(path, "effect"), kt_get(t, "effect"),
		              V_WORDS("NoSchedule", "PreferNoSchedule", "NoExecute"));
}

void v_tolerations(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *t;
	KT_JSON_EACH (t, list)
		toleration(v, V_AT(path, t_i), t);
}

/* The first of two alike is the one that is reported. */
static void spread_again(struct v *v, const struct v_path *path, const struct kt_json *c,
                         const struct kt_json *list, size_t from)
{
	for (size_t i = from; i < kt_count(list); i++) {
		const struct kt_json *other = kt_at(list, i);
		if (strcmp(kt_get_text(c, "topologyKey"), kt_get_text(other, "topologyKey")) ||
		    strcmp(kt_get_text(c, "whenUnsatisfiable"), kt_get_text(other, "whenUnsatisfiable")))
			continue;
		struct kt_json *text = kt_json_strf("{%s, %s}", kt_get_text(c, "topologyKey"),
		                                    kt_get_text(c, "whenUnsatisfiable"));
		v_duplicate(v, path, text);
		kt_json_free(text);
		return;
	}
}

static void spread(struct v *v, const struct v_path *path, const struct kt_json *c,
                   const struct kt_json *rest, size_t from)
{
	static const char *const when[] = {"DoNotSchedule", "ScheduleAnyway", NULL};
	static const char *const policies[] = {"Honor", "Ignore", NULL};
	const char *unsatisfiable = kt_get_text(c, "whenUnsatisfiable"), *key = kt_get_text(c, "topologyKey");
	const struct kt_json *domains = kt_get(c, "minDomains");
	const struct v_rule rules[] = {
	        {.field = "nodeAffinityPolicy", .kind = V_ENUM, .values = policies},
	        {.field = "nodeTaintsPolicy", .kind = V_ENUM, .values = policies},
	};
	if (kt_get_int(c, "maxSkew", 0) <= 0)
		v_invalid_steal(v, V_IN(path, "maxSkew"), kt_json_int(kt_get_int(c, "maxSkew", 0)),
		                "must be greater than zero");
	if (!*key)
		v_required(v, V_IN(path, "topologyKey"), "can not be empty");
	if (strcmp(unsatisfiable, when[0]) && strcmp(unsatisfiable, when[1]))
		v_unsupported(v, V_IN(path, "whenUnsatisfiable"), kt_get(c, "whenUnsatisfiable"), when);
	spread_again(v, V_IN(path, "{topologyKey, whenUnsatisfiable}"), c, rest, from);
	if (domains && kt_int_or(domains, 0) <= 0)
		v_invalid(v, V_IN(path, "minDomains"), domains, "must be greater than zero");
	if (domains && strcmp(unsatisfiable, "DoNotSchedule") != 0)
		v_invalid(v, V_IN(path, "minDomains"), domains,
		          "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not %s",
		          unsatisfiable);
	V_RULES(v, path, c, rules);
	label_keys(v, path, c);
	v_label_selector(v, V_IN(path, "labelSelector"), kt_get(c, "labelSelector"));
}

static void spreads(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *c;
	KT_JSON_EACH (c, list)
		spread(v, V_AT(path, c_i), c, list, c_i + 1);
}

/* --- network, names --- */

static void dns_search(struct v *v, const struct v_path *path, const char *search)
{
	size_t len = strlen(search);
	if (strcmp(search, ".") == 0)
		return;
	char *bare = kt_strndup(search, len > 0 && search[len - 1] == '.' ? len - 1 : len);
	v_check(v, path, bare, v_dns_subdomain_underscore);
	kt_free(bare);
}

static void dns_config(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *config = kt_get(spec, "dnsConfig"), *item;
	if (strcmp(kt_get_text(spec, "dnsPolicy"), "None") == 0) {
		if (!config)
			v_required(v, path, "must provide `dnsConfig` when `dnsPolicy` is None");
		else if (kt_count(kt_get(config, "nameservers")) == 0)
			v_required(v, V_IN(path, "nameservers"),
			           "must provide at least one DNS nameserver when `dnsPolicy` is None");
	}
	if (kt_count(kt_get(config, "nameservers")) > 3)
		v_invalid(v, V_IN(path, "nameservers"), kt_get(config, "nameservers"),
		          "must not have more than 3 nameservers");
	KT_JSON_EACH (item, kt_get(config, "nameservers"))
		v_check(v, V_AT(V_IN(path, "nameservers"), item_i), kt_str_or(item, ""), v_ip);
	if (kt_count(kt_get(config, "searches")) > 32)
		v_invalid(v, V_IN(path, "searches"), kt_get(config, "searches"),
		          "must not have more than 32 search paths");
	KT_JSON_EACH (item, kt_get(config, "searches"))
		dns_search(v, V_AT(V_IN(path, "searches"), item_i), kt_str_or(item, ""));
	KT_JSON_EACH (item, kt_get(config, "options"))
		if (!*kt_get_text(item, "name"))
			v_required(v, V_AT(V_IN(path, "options"), item_i), "must not be empty");
}

static void host_aliases(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *alias, *name;
	KT_JSON_EACH (alias, list) {
		const struct v_path *at = V_AT(path, alias_i);
		v_check(v, V_IN(at, "ip"), kt_get_text(alias, "ip"), v_ip);
		KT_JSON_EACH (name, kt_get(alias, "hostnames"))
			v_check(v, V_AT(V_IN(at, "hostnames"), name_i), kt_str_or(name, ""), v_dns_subdomain);
	}
}

static void host_network(struct v *v, const struct v_path *path, const struct kt_json *containers)
{
	const struct kt_json *c, *port;
	bool template = strcmp(v->kind->kind, "Pod") != 0; /* its pods get theirs by default */
	KT_JSON_EACH (c, containers)
		KT_JSON_EACH (port, kt_get(c, "ports"))
			if (kt_get_int(port, "hostPort", 0) != kt_get_int(port, "containerPort", 0) &&
			    !(template && kt_get_int(port, "hostPort", 0) == 0))
				v_invalid_steal(
				        v, V_IN(V_AT(V_IN(V_AT(path, c_i), "ports"), port_i), "hostPort"),
				        kt_json_int(kt_get_int(port, "hostPort", 0)),
				        "must match `containerPort` when `hostNetwork` is true");
}

static void pull_secrets(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *ref;
	KT_JSON_EACH (ref, list)
		if (kt_count(ref) > 0 && !*kt_get_text(ref, "name") && kt_get(ref, "name"))
			v_required(v, V_IN(V_AT(path, ref_i), "name"), "");
}

static void host_name(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct v_path *at = V_IN(path, "hostnameOverride");
	const char *name = kt_get_str(spec, "hostnameOverride");
	if (!name)
		return;
	if (kt_get_bool(spec, "setHostnameAsFQDN", false))
		v_forbidden(v, at, "may not be specified when setHostnameAsFQDN is true");
	if (kt_get_bool(spec, "hostNetwork", false))
		v_forbidden(v, at, "may not be specified when hostNetwork is true");
	if (strlen(name) > 64)
		v_too_long(v, at, 64);
	v_check(v, at, name, v_dns_subdomain);
}

static void gates(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *gate;
	KT_JSON_EACH (gate, list) {
		v_check(v, V_AT(path, gate_i), kt_get_text(gate, "name"), v_qualified_name);
		if (kt_find(list, "name", kt_get_text(gate, "name")) < (ptrdiff_t)gate_i)
			v_duplicate(v, V_AT(path, gate_i), kt_get(gate, "name"));
	}
}

static void readiness_gates(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *gate;
	KT_JSON_EACH (gate, list)
		v_check(v, V_IN(V_AT(path, gate_i), "conditionType"), kt_get_text(gate, "conditionType"),
		        v_qualified_name);
}

static void overhead(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	struct kt_json *resources = kt_jsonf("{limits: %J}", value);
	v_resources(v, path, resources);
	kt_json_free(resources);
}

void v_pod_spec_of(struct v *v, const struct v_path *path, const struct kt_json *spec,
                   const struct kt_json *meta)
{
	static const char *const restart[] = {"Always", "OnFailure", "Never", NULL};
	static const char *const dns[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None", NULL};
	static const char *const preemption[] = {"PreemptLowerPriority", "Never", NULL};
	static const struct v_rule first[] = {
	        {.field = "restartPolicy", .kind = V_ENUM_NEEDED, .values = restart},
	        {.field = "dnsPolicy", .kind = V_ENUM_NEEDED, .values = dns},
	        {.field = "nodeSelector", .kind = V_CALL, .fn = v_labels},
	};
	static const struct v_rule then[] = {
	        {.field = "imagePullSecrets", .kind = V_CALL, .fn = pull_secrets},
	        {.field = "affinity", .kind = V_OBJECT, .fn = affinity},
	};
	static const struct v_rule gated[] = {
	        {.field = "readinessGates", .kind = V_CALL, .fn = readiness_gates},
	        {.field = "schedulingGates", .kind = V_CALL, .fn = gates},
	        {.field = "topologySpreadConstraints", .kind = V_CALL, .fn = spreads},
	};
	static const struct v_rule rest[] = {
	        {.field = "serviceAccountName", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "nodeName", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "activeDeadlineSeconds", .kind = V_RANGE, .lo = 1, .hi = INT32_MAX},
	        {.field = "hostname", .kind = V_FORMAT, .format = v_dns_label},
	        {.field = "subdomain", .kind = V_FORMAT, .format = v_dns_label},
	        {.field = "tolerations", .kind = V_CALL, .fn = v_tolerations},
	        {.field = "hostAliases", .kind = V_CALL, .fn = host_aliases},
	        {.field = "priorityClassName", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "runtimeClassName", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "preemptionPolicy", .kind = V_ENUM, .values = preemption},
	        {.field = "overhead", .kind = V_OBJECT, .fn = overhead},
	};
	v_volumes(v, V_IN(path, "volumes"), kt_get(spec, "volumes"), meta);
	v_pod_claims(v, V_IN(path, "resourceClaims"), kt_get(spec, "resourceClaims"));
	v_containers(v, path, spec, meta);
	v_pod_resources(v, V_IN(path, "resources"), spec);
	if (kt_get_bool(spec, "hostNetwork", false))
		host_network(v, V_IN(path, "containers"), kt_get(spec, "containers"));
	V_RULES(v, path, spec, first);
	v_pod_security_context(v, V_IN(path, "securityContext"), spec);
	V_RULES(v, path, spec, then);
	dns_config(v, V_IN(path, "dnsConfig"), spec);
	V_RULES(v, path, spec, gated);
	v_host_process(v, path, spec);
	v_host_users(v, path, spec);
	host_name(v, path, spec);
	V_RULES(v, path, spec, rest);
	v_pod_os(v, path, spec);
}

void v_pod_spec(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	v_pod_spec_of(v, path, spec, NULL);
}

/* A 32-bit number as it is printed: no plus sign, no leading zeros (pkg/apis/core/v1/helper/helpers.go). */
static bool is_cost(const char *text)
{
	const char *digits = *text == '-' ? text + 1 : text;
	char *end;
	if (*digits < '0' || *digits > '9' || (*text == '0' && text[1]))
		return false;
	long long cost = strtoll(text, &end, 10);
	return !*end && cost >= INT32_MIN && cost <= INT32_MAX;
}

/* Annotations that mean something to Kubernetes itself. What was wrong before may stay so. */
void v_pod_annotations(struct v *v, const struct v_path *path, const struct kt_json *now,
                       const struct kt_json *old)
{
	static const char cost[] = "controller.kubernetes.io/pod-deletion-cost";
	const char *text = kt_get_str(now, cost), *before = kt_get_str(old, cost);
	if (text && !is_cost(text) && (!before || is_cost(before)))
		v_invalid_str(v, V_KEY(path, cost), text, "must be a 32bit integer");
}

void v_pod_template(struct v *v, const struct v_path *path, const struct kt_json *template)
{
	const struct kt_json *meta = kt_get(template, "metadata"), *spec = kt_get(template, "spec");
	v_labels(v, V_IN(path, "labels"), kt_get(meta, "labels"));
	v_annotations(v, V_IN(path, "annotations"), kt_get(meta, "annotations"));
	v_pod_annotations(v, V_IN(path, "annotations"), kt_get(meta, "annotations"), NULL);
	v_pod_spec_of(v, V_IN(path, "spec"), spec, meta);
	if (kt_count(kt_get(spec, "ephemeralContainers")) > 0)
		v_forbidden(v, V_IN(V_IN(path, "spec"), "ephemeralContainers"),
		            "ephemeral containers not allowed in pod template");
}

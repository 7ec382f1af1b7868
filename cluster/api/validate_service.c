/* SPDX-License-Identifier: MIT */
/* Services: kubernetes pkg/apis/core/validation (ValidateService and around it). */
#include "cluster/api/validate.h"

#include <string.h>

static bool is(const struct kt_json *v, const char *key, const char *value)
{
	return strcmp(kt_get_text(v, key), value) == 0;
}

static void service_port(struct v *v, const struct v_path *path, const struct kt_json *ports, size_t i)
{
	static const struct v_rule rules[] = {
	        {.field = "protocol", .kind = V_ENUM_NEEDED, .values = v_protocols}};
	const struct kt_json *port = kt_at(ports, i);
	const char *name = kt_get_text(port, "name");
	if (kt_count(ports) > 1 && !*name)
		v_required(v, V_IN(path, "name"), "");
	if (*name) {
		v_check(v, V_IN(path, "name"), name, v_dns_label);
		if (kt_find(ports, "name", name) < (ptrdiff_t)i)
			v_duplicate(v, V_IN(path, "name"), kt_get(port, "name"));
	}
	v_port_range(v, V_IN(path, "port"), kt_get_int(port, "port", 0));
	V_RULES(v, path, port, rules);
	v_port_or_name(v, V_IN(path, "targetPort"), kt_get(port, "targetPort"));
	if (*kt_get_text(port, "appProtocol"))
		v_check(v, V_IN(path, "appProtocol"), kt_get_text(port, "appProtocol"), v_qualified_name);
}

static bool same_port(const struct kt_json *a, const struct kt_json *b, const char *key)
{
	return kt_get_int(a, key, 0) != 0 && kt_get_int(a, key, 0) == kt_get_int(b, key, 0) &&
	       is(a, "protocol", kt_get_text(b, "protocol"));
}

/* The ports among themselves: no node port twice, no port twice. */
static void service_ports_differ(struct v *v, const struct v_path *path, const struct kt_json *ports,
                                 const char *key)
{
	for (size_t i = 1, n = kt_count(ports); i < n; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct kt_json *port = kt_at(ports, i);
			if (!same_port(port, kt_at(ports, j), key))
				continue;
			if (strcmp(key, "port") != 0) {
				v_duplicate(v, V_IN(V_AT(path, i), key), kt_get(port, key));
				break;
			}
			struct kt_json *only =
			        kt_jsonf("{protocol: %s, port: %l}", kt_get_text(port, "protocol"),
			                 kt_get_int(port, key, 0));
			struct kt_json *shown = v_internal(v, "ServicePort", only);
			v_duplicate(v, V_AT(path, i), shown);
			kt_json_free(shown);
			kt_json_free(only);
			break;
		}
	}
}

static void affinity(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const kinds[] = {"ClientIP", "None", NULL};
	static const struct v_rule rules[] = {
	        {.field = "sessionAffinity", .kind = V_ENUM_NEEDED, .values = kinds}};
	const struct kt_json *config = kt_get(spec, "sessionAffinityConfig");
	const struct v_path *cp = V_IN(path, "sessionAffinityConfig");
	int64_t timeout = kt_path_int(config, "clientIP.timeoutSeconds", 10800);
	V_RULES(v, path, spec, rules);
	if (is(spec, "sessionAffinity", "None") && config)
		v_forbidden(v, cp, "must not be set when session affinity is None");
	if (is(spec, "sessionAffinity", "ClientIP") && (timeout <= 0 || timeout > 86400))
		v_invalid_steal(v, V_IN(V_IN(cp, "clientIP"), "timeoutSeconds"), kt_json_int(timeout),
		                "must be greater than 0 and less than 86400");
}

static void external_name(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const unset[] = {"clusterIPs", "ipFamilies", "ipFamilyPolicy"};
	const char *name = kt_get_text(spec, "externalName");
	size_t len = strlen(name);
	for (size_t i = 0; i < KT_COUNT(unset); i++)
		if (kt_count(kt_get(spec, unset[i])) > 0 || *kt_get_text(spec, unset[i]) ||
		    (i == 0 && *kt_get_text(spec, "clusterIP")))
			v_forbidden(v, V_IN(path, unset[i]), "may not be set for ExternalName services");
	/* a trailing dot says that it is whole */
	char *bare = kt_strndup(name, len > 0 && name[len - 1] == '.' ? len - 1 : len);
	if (*bare)
		v_check(v, V_IN(path, "externalName"), bare, v_dns_subdomain);
	else
		v_required(v, V_IN(path, "externalName"), "");
	kt_free(bare);
}

static void by_type(struct v *v, const struct v_path *path, const struct kt_json *spec, bool headless)
{
	const struct v_path *first = V_AT(V_IN(path, "clusterIPs"), 0);
	const struct kt_json *port;
	if (is(spec, "type", "LoadBalancer")) {
		KT_JSON_EACH (port, kt_get(spec, "ports"))
			if (kt_get_int(port, "port", 0) == 10250)
				v_invalid(v, V_AT(V_IN(path, "ports"), port_i), kt_get(port, "port"),
				          "may not expose port 10250 externally since it is used by kubelet");
		if (headless)
			v_invalid_str(v, first, "None", "may not be set to 'None' for LoadBalancer services");
	} else if (is(spec, "type", "NodePort") && headless) {
		v_invalid_str(v, first, "None", "may not be set to 'None' for NodePort services");
	} else if (is(spec, "type", "ExternalName")) {
		external_name(v, path, spec);
	}
}

static void traffic(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const policies[] = {"Cluster", "Local", NULL};
	const char *external = kt_get_text(spec, "externalTrafficPolicy"),
	           *internal = kt_get_text(spec, "internalTrafficPolicy");
	bool external_service = is(spec, "type", "NodePort") || is(spec, "type", "LoadBalancer") ||
	                        (is(spec, "type", "ClusterIP") && kt_count(kt_get(spec, "externalIPs")) > 0);
	if (!external_service && *external)
		v_invalid_str(v, V_IN(path, "externalTrafficPolicy"), external,
		              "may only be set for externally-accessible services");
	else if (external_service && !*external)
		v_required(v, V_IN(path, "externalTrafficPolicy"), "");
	else if (external_service && strcmp(external, "Cluster") && strcmp(external, "Local"))
		v_unsupported(v, V_IN(path, "externalTrafficPolicy"), kt_get(spec, "externalTrafficPolicy"),
		              policies);
	if (kt_get_int(spec, "healthCheckNodePort", 0) &&
	    !(is(spec, "type", "LoadBalancer") && strcmp(external, "Local") == 0))
		v_invalid(v, V_IN(path, "healthCheckNodePort"), kt_get(spec, "healthCheckNodePort"),
		          "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
		          "'Local'");
	if (*internal && strcmp(internal, "Cluster") && strcmp(internal, "Local"))
		v_unsupported(v, V_IN(path, "internalTrafficPolicy"), kt_get(spec, "internalTrafficPolicy"),
		              policies);
}

/* What balancers alone have. */
static void balancer(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const own[] = {"allocateLoadBalancerNodePorts", "loadBalancerClass"};
	const struct v_path *ranges = V_IN(path, "LoadBalancerSourceRanges"); /* as the server spells it */
	const struct kt_json *item;
	bool balanced = is(spec, "type", "LoadBalancer");
	if (kt_count(kt_get(spec, "loadBalancerSourceRanges")) > 0 && !balanced)
		v_forbidden(v, ranges, "may only be used when `type` is 'LoadBalancer'");
	KT_JSON_EACH (item, kt_get(spec, "loadBalancerSourceRanges")) {
		const char *text = kt_str_or(item, ""), *from = text + strspn(text, " \t\n");
		size_t n = strlen(from);
		while (n > 0 && strchr(" \t\n", from[n - 1]))
			n--;
		char *trimmed = kt_strf("%.*s", (int)n, from);
		struct kt_strs faults = {0};
		v_cidr(trimmed, &faults);
		for (size_t i = 0; i < faults.count; i++)
			v_invalid(v, V_AT(ranges, item_i), item, "%s", faults.items[i]);
		kt_strs_clear(&faults);
		kt_free(trimmed);
	}
	for (size_t i = 0; i < KT_COUNT(own) && !balanced; i++)
		if (kt_get(spec, own[i]))
			v_forbidden(v, V_IN(path, own[i]), "may only be used when `type` is 'LoadBalancer'");
	if (balanced && *kt_get_text(spec, "loadBalancerClass"))
		v_check(v, V_IN(path, "loadBalancerClass"), kt_get_text(spec, "loadBalancerClass"),
		        v_qualified_name);
}

static void families(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const known[] = {"IPv4", "IPv6", NULL};
	static const char *const policies[] = {"PreferDualStack", "RequireDualStack", "SingleStack", NULL};
	static const struct v_rule rules[] = {
	        {.field = "ipFamilyPolicy", .kind = V_ENUM, .values = policies}};
	const struct kt_json *list = kt_get(spec, "ipFamilies"), *family;
	KT_JSON_EACH (family, list) {
		const struct v_path *at = V_AT(V_IN(path, "ipFamilies"), family_i);
		if (!kt_streq(kt_str(family), "IPv4") && !kt_streq(kt_str(family), "IPv6"))
			v_unsupported(v, at, family, known);
		for (size_t i = 0; i < family_i; i++)
			if (kt_equal(kt_at(list, i), family)) {
				v_duplicate(v, at, family);
				break;
			}
	}
	V_RULES(v, path, spec, rules);
}

static bool is_v6(const char *address)
{
	return strchr(address, ':') != NULL;
}

/* Each address of the family that stands at its place. */
static void families_fit(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *list = kt_get(spec, "clusterIPs"), *of = kt_get(spec, "ipFamilies"), *ip;
	KT_JSON_EACH (ip, list) {
		const char *family = kt_str_or(kt_at(of, ip_i), "");
		if (ip_i >= kt_count(of))
			break;
		if (strcmp(family, is_v6(kt_str_or(ip, "")) ? "IPv4" : "IPv6") == 0)
			v_invalid(v, V_AT(path, ip_i), ip,
			          "expected an %s value as indicated by `ipFamilies[%zu]`", family, ip_i);
	}
}

/* ValidateServiceClusterIPsRelatedFields. A manifest may name the first address alone. */
void v_service_addresses(struct v *v)
{
	const struct v_path *path = V_ROOT("spec"), *lp = V_IN(path, "clusterIPs");
	const struct kt_json *spec = kt_get(v->object, "spec"), *list = kt_get(spec, "clusterIPs"), *ip;
	const char *first = kt_get_text(spec, "clusterIP");
	bool bad = false, headless = strcmp(first, "None") == 0;
	if (is(spec, "type", "ExternalName"))
		return;
	if (*first && kt_count(list) > 0 && !kt_streq(kt_str(kt_at(list, 0)), first))
		v_invalid(v, lp, list, "first value must match `clusterIP`");
	else if (!*first && kt_count(list) > 0)
		v_invalid(v, lp, list, "must be empty when `clusterIP` is not specified");
	families(v, path, spec);
	KT_JSON_EACH (ip, list) {
		if (ip_i == 0 && kt_streq(kt_str(ip), "None")) {
			if (kt_count(list) > 1)
				v_invalid(v, lp, list, "'None' must be the first and only value");
			bad = bad || kt_count(list) > 1;
			continue;
		}
		bad = !v_check(v, V_AT(lp, ip_i), kt_str_or(ip, ""), v_ip) || bad;
	}
	if (kt_count(list) == 0 && *first && !headless)
		bad = !v_check(v, V_AT(lp, 0), first, v_ip) || bad;
	if (kt_count(list) > 2)
		v_invalid(v, lp, list, "may only hold up to 2 values");
	if (bad)
		return;
	if (kt_count(list) > 1 &&
	    is_v6(kt_str_or(kt_at(list, 0), "")) == is_v6(kt_str_or(kt_at(list, 1), "")))
		v_invalid(v, lp, list, "may specify no more than one IP for each IP family");
	if (!headless)
		families_fit(v, lp, spec);
}

void v_service(struct v *v)
{
	static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
	static const char *const near[] = {"PreferClose", "PreferSameZone", "PreferSameNode", NULL};
	static const struct v_rule distribution[] = {
	        {.field = "trafficDistribution", .kind = V_ENUM, .values = near}};
	static const struct v_rule type_rule[] = {{.field = "type", .kind = V_ENUM_NEEDED, .values = types}};
	const struct v_path *path = V_ROOT("spec"), *pp = V_IN(path, "ports");
	const struct kt_json *spec = kt_get(v->object, "spec"), *ports = kt_get(spec, "ports"), *item;
	bool headless = is(spec, "clusterIP", "None");
	if (kt_count(ports) == 0 && !headless && !is(spec, "type", "ExternalName"))
		v_required(v, pp, "");
	by_type(v, path, spec, headless);
	for (size_t i = 0, n = kt_count(ports); i < n; i++)
		service_port(v, V_AT(pp, i), ports, i);
	v_labels(v, V_IN(path, "selector"), kt_get(spec, "selector"));
	affinity(v, path, spec);
	v_service_addresses(v);
	KT_JSON_EACH (item, kt_get(spec, "externalIPs"))
		if (v_check(v, V_AT(V_IN(path, "externalIPs"), item_i), kt_str_or(item, ""), v_ip))
			v_check(v, V_AT(V_IN(path, "externalIPs"), item_i), kt_str_or(item, ""),
			        v_endpoint_ip);
	V_RULES(v, path, spec, type_rule);
	if (is(spec, "type", "ClusterIP"))
		KT_JSON_EACH (item, ports)
			if (kt_get_int(item, "nodePort", 0) != 0)
				v_forbidden(v, V_IN(V_AT(pp, item_i), "nodePort"),
				            "may not be used when `type` is 'ClusterIP'");
	service_ports_differ(v, pp, ports, "nodePort");
	service_ports_differ(v, pp, ports, "port");
	balancer(v, path, spec);
	traffic(v, path, spec);
	V_RULES(v, path, spec, distribution);
}

void v_service_update(struct v *v)
{
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	if (!is(now, "type", "ExternalName") && !is(old, "type", "ExternalName") &&
	    *kt_get_text(old, "clusterIP") && *kt_get_text(now, "clusterIP") &&
	    !kt_equal(kt_get(now, "clusterIP"), kt_get(old, "clusterIP")))
		v_invalid_steal(v, V_AT(V_IN(V_ROOT("spec"), "clusterIPs"), 0),
		                kt_jsonf("[%s]", kt_get_text(now, "clusterIP")), "may not change once set");
	v_service(v);
}

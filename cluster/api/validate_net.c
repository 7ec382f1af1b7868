/* SPDX-License-Identifier: MIT */
/* Services, ingresses, network policies, endpoints: kubernetes pkg/apis/core/validation (ValidateService),
 * pkg/apis/networking/validation, pkg/apis/discovery/validation. */
#include "cluster/api/validate.h"

#include <string.h>

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

static bool is(const struct kt_json *v, const char *key, const char *value)
{
	return strcmp(str(v, key), value) == 0;
}

static void port_range(struct v *v, const struct v_path *path, int64_t port)
{
	if (port < 1 || port > 65535)
		v_invalid_steal(v, path, kt_json_int(port), "must be between 1 and 65535, inclusive");
}

static void port_or_name(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	if (kt_is_string(port))
		v_check(v, path, kt_str(port), v_port_name);
	else
		port_range(v, path, kt_int_or(port, 0));
}

static const char *const protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* --- services --- */

static void service_port(struct v *v, const struct v_path *path, const struct kt_json *ports, size_t i)
{
	static const struct v_rule rules[] = {
	        {.field = "protocol", .kind = V_ENUM_NEEDED, .values = protocols}};
	const struct kt_json *port = kt_at(ports, i);
	const char *name = str(port, "name");
	if (kt_count(ports) > 1 && !*name)
		v_required(v, V_IN(path, "name"), "");
	if (*name) {
		v_check(v, V_IN(path, "name"), name, v_dns_label);
		if (kt_find(ports, "name", name) < (ptrdiff_t)i)
			v_duplicate(v, V_IN(path, "name"), kt_get(port, "name"));
	}
	port_range(v, V_IN(path, "port"), kt_get_int(port, "port", 0));
	V_RULES(v, path, port, rules);
	port_or_name(v, V_IN(path, "targetPort"), kt_get(port, "targetPort"));
	if (*str(port, "appProtocol"))
		v_check(v, V_IN(path, "appProtocol"), str(port, "appProtocol"), v_qualified_name);
}

static bool same_port(const struct kt_json *a, const struct kt_json *b, const char *key)
{
	return kt_get_int(a, key, 0) != 0 && kt_get_int(a, key, 0) == kt_get_int(b, key, 0) &&
	       is(a, "protocol", str(b, "protocol"));
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
			struct kt_json *only = kt_jsonf("{protocol: %s, %s: %l}", str(port, "protocol"), key,
			                                kt_get_int(port, key, 0));
			struct kt_json *shown = v_internal(v, "ServicePort", only);
			v_duplicate(v, strcmp(key, "port") == 0 ? V_AT(path, i) : V_IN(V_AT(path, i), key),
			            shown);
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
		if (*str(spec, "clusterIP") || kt_count(kt_get(spec, "clusterIPs")) > 0)
			v_forbidden(v, V_IN(path, "clusterIPs"), "may not be set for ExternalName services");
		if (*str(spec, "externalName"))
			v_check(v, V_IN(path, "externalName"), str(spec, "externalName"), v_dns_subdomain);
		else
			v_required(v, V_IN(path, "externalName"), "");
	}
}

static void traffic(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const policies[] = {"Cluster", "Local", NULL};
	const char *external = str(spec, "externalTrafficPolicy"),
	           *internal = str(spec, "internalTrafficPolicy");
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
	if (*internal && strcmp(internal, "Cluster") && strcmp(internal, "Local"))
		v_unsupported(v, V_IN(path, "internalTrafficPolicy"), kt_get(spec, "internalTrafficPolicy"),
		              policies);
}

static void service(struct v *v)
{
	static const char *const types[] = {"ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL};
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
	KT_JSON_EACH (item, kt_get(spec, "externalIPs"))
		v_check(v, V_AT(V_IN(path, "externalIPs"), item_i), kt_str_or(item, ""), v_ip);
	V_RULES(v, path, spec, type_rule);
	if (is(spec, "type", "ClusterIP"))
		KT_JSON_EACH (item, ports)
			if (kt_get_int(item, "nodePort", 0) != 0)
				v_forbidden(v, V_IN(V_AT(pp, item_i), "nodePort"),
				            "may not be used when `type` is 'ClusterIP'");
	service_ports_differ(v, pp, ports, "nodePort");
	service_ports_differ(v, pp, ports, "port");
	KT_JSON_EACH (item, kt_get(spec, "loadBalancerSourceRanges"))
		v_check(v, V_AT(V_IN(path, "loadBalancerSourceRanges"), item_i), kt_str_or(item, ""), v_cidr);
	traffic(v, path, spec);
}

static void service_update(struct v *v)
{
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	if (!is(now, "type", "ExternalName") && !is(old, "type", "ExternalName") && *str(old, "clusterIP") &&
	    *str(now, "clusterIP") && !kt_equal(kt_get(now, "clusterIP"), kt_get(old, "clusterIP")))
		v_invalid_steal(v, V_AT(V_IN(V_ROOT("spec"), "clusterIPs"), 0),
		                kt_jsonf("[%s]", str(now, "clusterIP")), "may not change once set");
	service(v);
}

/* --- ingresses --- */

static void backend(struct v *v, const struct v_path *path, const struct kt_json *b)
{
	const struct kt_json *svc = kt_get(b, "service"), *port = kt_get(svc, "port");
	const struct v_path *sp = V_IN(path, "service"), *pp = V_IN(sp, "port");
	if (svc && kt_get(b, "resource"))
		v_invalid_str(v, path, "", "cannot set both resource and service backends");
	if (!svc && !kt_get(b, "resource")) {
		v_required(v, path, "resource or service backend is required");
		return;
	}
	if (!svc)
		return;
	if (!*str(svc, "name"))
		v_required(v, V_IN(sp, "name"), "");
	else
		v_check(v, V_IN(sp, "name"), str(svc, "name"), v_dns_1035);
	if (*str(port, "name") && kt_get_int(port, "number", 0) != 0)
		v_invalid_str(v, path, "", "cannot set both port name & port number");
	else if (*str(port, "name"))
		v_check(v, V_IN(pp, "name"), str(port, "name"), v_port_name);
	else if (kt_get_int(port, "number", 0) != 0)
		port_range(v, V_IN(pp, "number"), kt_get_int(port, "number", 0));
	else
		v_required(v, path, "port name or number is required");
}

static void ingress_path(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	static const char *const bad[] = {"//", "/./", "/../", "%2f", "%2F"};
	static const char *const bad_ends[] = {"/..", "/."};
	const char *type = str(p, "pathType"), *s = str(p, "path");
	if (!kt_get(p, "pathType")) {
		v_required(v, V_IN(path, "pathType"), "pathType must be specified");
	} else if (strcmp(type, "Exact") == 0 || strcmp(type, "Prefix") == 0) {
		if (*s != '/')
			v_invalid_str(v, V_IN(path, "path"), s, "must be an absolute path");
		for (size_t i = 0; *s && i < KT_COUNT(bad); i++)
			if (strstr(s, bad[i]))
				v_invalid_str(v, V_IN(path, "path"), s, "must not contain '%s'", bad[i]);
		for (size_t i = 0; *s && i < KT_COUNT(bad_ends); i++)
			if (kt_ends(s, bad_ends[i]))
				v_invalid_str(v, V_IN(path, "path"), s, "cannot end with '%s'", bad_ends[i]);
	} else if (strcmp(type, "ImplementationSpecific") == 0) {
		if (*s && *s != '/')
			v_invalid_str(v, V_IN(path, "path"), s, "must be an absolute path");
	} else {
		v_unsupported(v, V_IN(path, "pathType"), kt_get(p, "pathType"),
		              V_WORDS("Exact", "ImplementationSpecific", "Prefix"));
	}
	backend(v, V_IN(path, "backend"), kt_get(p, "backend"));
}

static void host(struct v *v, const struct v_path *path, const char *s)
{
	struct kt_strs faults = {0};
	v_ip(s, &faults);
	if (faults.count == 0)
		v_invalid_str(v, path, s, "must be a DNS name, not an IP address");
	kt_strs_clear(&faults);
	v_check(v, path, s, strchr(s, '*') ? v_wildcard_dns : v_dns_subdomain);
}

static void ingress(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *rules = kt_get(spec, "rules"), *rule, *p,
	                     *tls, *h;
	if (kt_count(rules) == 0 && !kt_get(spec, "defaultBackend"))
		v_invalid_steal(v, path, kt_json_ref(rules),
		                "either `defaultBackend` or `rules` must be specified");
	if (kt_get(spec, "defaultBackend"))
		backend(v, V_IN(path, "defaultBackend"), kt_get(spec, "defaultBackend"));
	KT_JSON_EACH (rule, rules) {
		const struct v_path *at = V_AT(V_IN(path, "rules"), rule_i), *http = V_IN(at, "http");
		if (*str(rule, "host"))
			host(v, V_IN(at, "host"), str(rule, "host"));
		if (kt_get(rule, "http") && kt_count(kt_path(rule, "http.paths")) == 0)
			v_required(v, V_IN(http, "paths"), "");
		KT_JSON_EACH (p, kt_path(rule, "http.paths"))
			ingress_path(v, V_AT(V_IN(http, "paths"), p_i), p);
	}
	KT_JSON_EACH (tls, kt_get(spec, "tls"))
		KT_JSON_EACH (h, kt_get(tls, "hosts"))
			v_check(v, V_AT(V_IN(V_AT(V_IN(path, "tls"), tls_i), "hosts"), h_i), kt_str_or(h, ""),
			        strchr(kt_str_or(h, ""), '*') ? v_wildcard_dns : v_dns_subdomain);
	if (kt_get(spec, "ingressClassName"))
		v_check(v, V_IN(path, "ingressClassName"), str(spec, "ingressClassName"), v_dns_subdomain);
}

/* --- network policies --- */

static void policy_port(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	const struct kt_json *number = kt_get(port, "port"), *end = kt_get(port, "endPort");
	if (kt_get(port, "protocol") && !is(port, "protocol", "TCP") && !is(port, "protocol", "UDP") &&
	    !is(port, "protocol", "SCTP"))
		v_unsupported(v, V_IN(path, "protocol"), kt_get(port, "protocol"), protocols);
	if (number)
		port_or_name(v, V_IN(path, "port"), number);
	if (end && kt_is_string(number))
		v_invalid(v, V_IN(path, "endPort"), end, "may not be specified when `port` is non-numeric");
	else if (end && !number)
		v_required(v, V_IN(path, "port"), "must be specified when `endPort` is specified");
	else if (end && kt_int_or(end, 0) < kt_int_or(number, 0))
		v_invalid(v, V_IN(path, "endPort"), end, "must be greater than or equal to `port`");
	if (end && (kt_int_or(end, 0) < 1 || kt_int_or(end, 0) > 65535))
		port_range(v, V_IN(path, "endPort"), kt_int_or(end, 0));
}

static void policy_peer(struct v *v, const struct v_path *path, const struct kt_json *peer)
{
	const struct kt_json *block = kt_get(peer, "ipBlock"), *except;
	size_t count = 0;
	if (kt_get(peer, "podSelector")) {
		count++;
		v_label_selector(v, V_IN(path, "podSelector"), kt_get(peer, "podSelector"));
	}
	if (kt_get(peer, "namespaceSelector")) {
		count++;
		v_label_selector(v, V_IN(path, "namespaceSelector"), kt_get(peer, "namespaceSelector"));
	}
	if (block) {
		const struct v_path *bp = V_IN(path, "ipBlock");
		if (!*str(block, "cidr"))
			v_required(v, V_IN(bp, "cidr"), "");
		else
			v_check(v, V_IN(bp, "cidr"), str(block, "cidr"), v_cidr);
		KT_JSON_EACH (except, kt_get(block, "except"))
			v_check(v, V_AT(V_IN(bp, "except"), except_i), kt_str_or(except, ""), v_cidr);
	}
	if (count == 0 && !block)
		v_required(v, path, "must specify a peer");
	else if (count > 0 && block)
		v_forbidden(v, path, "may not specify both ipBlock and another peer");
}

static void policy_rules(struct v *v, const struct v_path *path, const struct kt_json *list,
                         const char *peers)
{
	const struct kt_json *rule, *item;
	KT_JSON_EACH (rule, list) {
		const struct v_path *at = V_AT(path, rule_i);
		KT_JSON_EACH (item, kt_get(rule, "ports"))
			policy_port(v, V_AT(V_IN(at, "ports"), item_i), item);
		KT_JSON_EACH (item, kt_get(rule, peers))
			policy_peer(v, V_AT(V_IN(at, peers), item_i), item);
	}
}

static void network_policy(struct v *v)
{
	const struct v_path *path = V_ROOT("spec"), *tp = V_IN(path, "policyTypes");
	const struct kt_json *spec = kt_get(v->object, "spec"), *types = kt_get(spec, "policyTypes"), *type;
	v_label_selector(v, V_IN(path, "podSelector"), kt_get(spec, "podSelector"));
	policy_rules(v, V_IN(path, "ingress"), kt_get(spec, "ingress"), "from");
	policy_rules(v, V_IN(path, "egress"), kt_get(spec, "egress"), "to");
	if (kt_count(types) > 2) {
		v_invalid(v, tp, types, "may not specify more than two policyTypes");
		return;
	}
	KT_JSON_EACH (type, types)
		if (!kt_streq(kt_str(type), "Ingress") && !kt_streq(kt_str(type), "Egress"))
			v_unsupported(v, V_AT(tp, type_i), type, V_WORDS("Egress", "Ingress"));
}

/* --- endpoints, slices, classes --- */

static void endpoints(struct v *v)
{
	const struct kt_json *subset, *item;
	KT_JSON_EACH (subset, kt_get(v->object, "subsets")) {
		const struct v_path *at = V_AT(V_ROOT("subsets"), subset_i);
		if (kt_count(kt_get(subset, "addresses")) + kt_count(kt_get(subset, "notReadyAddresses")) ==
		    0)
			v_required(v, at, "must specify `addresses` or `notReadyAddresses`");
		KT_JSON_EACH (item, kt_get(subset, "addresses"))
			v_check(v, V_IN(V_AT(V_IN(at, "addresses"), item_i), "ip"), str(item, "ip"), v_ip);
		KT_JSON_EACH (item, kt_get(subset, "ports")) {
			const struct v_path *pp = V_AT(V_IN(at, "ports"), item_i);
			if (kt_count(kt_get(subset, "ports")) > 1 && !*str(item, "name"))
				v_required(v, V_IN(pp, "name"), "");
			else if (*str(item, "name"))
				v_check(v, V_IN(pp, "name"), str(item, "name"), v_dns_label);
			port_range(v, V_IN(pp, "port"), kt_get_int(item, "port", 0));
			if (!is(item, "protocol", "TCP") && !is(item, "protocol", "UDP") &&
			    !is(item, "protocol", "SCTP"))
				v_unsupported(v, V_IN(pp, "protocol"), kt_get(item, "protocol"), protocols);
		}
	}
}

static void endpoint_slice(struct v *v)
{
	static const char *const types[] = {"FQDN", "IPv4", "IPv6", NULL};
	static const struct v_rule rules[] = {
	        {.field = "addressType", .kind = V_ENUM_NEEDED, .values = types}};
	const struct kt_json *endpoint, *address;
	V_RULES(v, NULL, v->object, rules);
	KT_JSON_EACH (endpoint, kt_get(v->object, "endpoints")) {
		const struct v_path *at = V_IN(V_AT(V_ROOT("endpoints"), endpoint_i), "addresses");
		if (kt_count(kt_get(endpoint, "addresses")) == 0)
			v_required(v, at, "must contain at least 1 address");
		KT_JSON_EACH (address, kt_get(endpoint, "addresses"))
			v_check(v, V_AT(at, address_i), kt_str_or(address, ""),
			        is(v->object, "addressType", "FQDN") ? v_dns_subdomain : v_ip);
	}
}

static void ingress_class(struct v *v)
{
	const char *controller = kt_str_or(kt_path(v->object, "spec.controller"), "");
	const struct v_path *path = V_IN(V_ROOT("spec"), "controller");
	if (!*controller)
		v_required(v, path, "");
	else if (!strchr(controller, '/'))
		v_invalid_str(v, path, controller,
		              "must be a domain-prefixed path (such as \"acme.io/foo\")");
}

static const char *const fixed_address_type[] = {"addressType", NULL};
static const char *const fixed_controller[] = {"spec.controller", NULL};

const struct v_kind v_kinds_net[] = {
        {.group = "",
         .kind = "Service",
         .name = v_dns_1035,
         .prefix = v_dns_1035_trailing,
         .create = service,
         .update = service_update},
        {.group = "", .kind = "Endpoints", .create = endpoints},
        {.group = "networking.k8s.io", .kind = "Ingress", .create = ingress},
        {.group = "networking.k8s.io", .kind = "NetworkPolicy", .create = network_policy},
        {.group = "networking.k8s.io",
         .kind = "IngressClass",
         .create = ingress_class,
         .immutable = fixed_controller},
        {.group = "discovery.k8s.io",
         .kind = "EndpointSlice",
         .create = endpoint_slice,
         .immutable = fixed_address_type},
        {0},
};

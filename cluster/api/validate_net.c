/* SPDX-License-Identifier: MIT */
/* Ingresses, network policies, endpoints: kubernetes pkg/apis/networking/validation,
 * pkg/apis/discovery/validation. Services are in validate_service.c. */
#include "cluster/api/validate.h"

#include <string.h>

static bool is(const struct kt_json *v, const char *key, const char *value)
{
	return strcmp(kt_get_text(v, key), value) == 0;
}

void v_port_range(struct v *v, const struct v_path *path, int64_t port)
{
	if (port < 1 || port > 65535)
		v_invalid_steal(v, path, kt_json_int(port), "must be between 1 and 65535, inclusive");
}

void v_port_or_name(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	if (kt_is_string(port))
		v_check(v, path, kt_str(port), v_port_name);
	else
		v_port_range(v, path, kt_int_or(port, 0));
}

const char *const v_protocols[] = {"SCTP", "TCP", "UDP", NULL};

/* --- ingresses --- */

static void resource_reference(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const struct v_rule rules[] = {
	        {.field = "apiGroup", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "kind", .kind = V_NEEDED, .format = v_path_segment},
	        {.field = "name", .kind = V_NEEDED, .format = v_path_segment},
	};
	V_RULES(v, path, ref, rules);
}

static void backend(struct v *v, const struct v_path *path, const struct kt_json *b)
{
	const struct kt_json *svc = kt_get(b, "service"), *port = kt_get(svc, "port");
	const struct v_path *sp = V_IN(path, "service"), *pp = V_IN(sp, "port");
	if (svc && kt_get(b, "resource")) {
		v_invalid_str(v, path, "", "cannot set both resource and service backends");
		return;
	}
	if (!svc && !kt_get(b, "resource")) {
		v_invalid_str(v, path, "", "resource or service backend is required");
		return;
	}
	if (!svc) {
		resource_reference(v, V_IN(path, "resource"), kt_get(b, "resource"));
		return;
	}
	if (!*kt_get_text(svc, "name"))
		v_required(v, V_IN(sp, "name"), "");
	else
		v_check(v, V_IN(sp, "name"), kt_get_text(svc, "name"), v_dns_1035);
	if (*kt_get_text(port, "name") && kt_get_int(port, "number", 0) != 0)
		v_invalid_str(v, path, "", "cannot set both port name & port number");
	else if (*kt_get_text(port, "name"))
		v_check(v, V_IN(pp, "name"), kt_get_text(port, "name"), v_port_name);
	else if (kt_get_int(port, "number", 0) != 0)
		v_port_range(v, V_IN(pp, "number"), kt_get_int(port, "number", 0));
	else
		v_required(v, path, "port name or number is required");
}

static void ingress_path(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	static const char *const bad[] = {"//", "/./", "/../", "%2f", "%2F"};
	static const char *const bad_ends[] = {"/..", "/."};
	const char *type = kt_get_text(p, "pathType"), *s = kt_get_text(p, "path");
	if (kt_json_type(kt_get(p, "pathType")) == KT_JSON_NULL) {
		v_required(v, V_IN(path, "pathType"), "pathType must be specified");
		return;
	}
	if (strcmp(type, "Exact") == 0 || strcmp(type, "Prefix") == 0) {
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
	const char *annotated =
	        kt_get_str(kt_path(v->object, "metadata.annotations"), "kubernetes.io/ingress.class");
	if (kt_count(rules) == 0 && !kt_get(spec, "defaultBackend"))
		v_invalid_steal(v, path, kt_json_ref(rules),
		                "either `defaultBackend` or `rules` must be specified");
	if (kt_get(spec, "defaultBackend"))
		backend(v, V_IN(path, "defaultBackend"), kt_get(spec, "defaultBackend"));
	KT_JSON_EACH (rule, rules) {
		const struct v_path *at = V_AT(V_IN(path, "rules"), rule_i), *http = V_IN(at, "http");
		if (*kt_get_text(rule, "host"))
			host(v, V_IN(at, "host"), kt_get_text(rule, "host"));
		if (kt_get(rule, "http") && kt_count(kt_path(rule, "http.paths")) == 0)
			v_required(v, V_IN(http, "paths"), "");
		KT_JSON_EACH (p, kt_path(rule, "http.paths"))
			ingress_path(v, V_AT(V_IN(http, "paths"), p_i), p);
	}
	KT_JSON_EACH (tls, kt_get(spec, "tls")) {
		const struct v_path *at = V_AT(V_IN(path, "tls"), tls_i);
		KT_JSON_EACH (h, kt_get(tls, "hosts"))
			v_check(v, V_AT(V_IN(at, "hosts"), h_i), kt_str_or(h, ""),
			        strchr(kt_str_or(h, ""), '*') ? v_wildcard_dns : v_dns_subdomain);
		if (*kt_get_text(tls, "secretName"))
			v_check(v, V_IN(at, "secretName"), kt_get_text(tls, "secretName"), v_dns_subdomain);
	}
	if (kt_get(spec, "ingressClassName"))
		v_check(v, V_IN(path, "ingressClassName"), kt_get_text(spec, "ingressClassName"),
		        v_dns_subdomain);
	if (!v->old && annotated && kt_get(spec, "ingressClassName") &&
	    strcmp(annotated, kt_get_text(spec, "ingressClassName")))
		v_invalid_str(v, V_IN(V_ROOT("annotations"), "kubernetes.io/ingress.class"), annotated,
		              "must match `ingressClassName` when both are specified");
}

/* --- network policies --- */

static void policy_port(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	static const char *const policy_protocols[] = {"TCP", "UDP", "SCTP", NULL};
	static const struct v_rule rules[] = {
	        {.field = "protocol", .kind = V_ENUM, .values = policy_protocols}};
	const struct kt_json *number = kt_get(port, "port"), *end = kt_get(port, "endPort");
	const struct v_path *ep = V_IN(path, "endPort");
	V_RULES(v, path, port, rules);
	if (end && kt_is_string(number))
		v_invalid(v, ep, end, "may not be specified when `port` is non-numeric");
	else if (end && !number)
		v_invalid(v, ep, end, "may not be specified when `port` is not specified");
	if (number)
		v_port_or_name(v, V_IN(path, "port"), number);
	if (!end || !number || kt_is_string(number))
		return;
	if (kt_int_or(end, 0) < kt_int_or(number, 0)) /* the server shows the port */
		v_invalid(v, ep, number, "must be greater than or equal to `port`");
	if (kt_int_or(end, 0) < 1 || kt_int_or(end, 0) > 65535)
		v_port_range(v, ep, kt_int_or(end, 0));
}

static void ip_block(struct v *v, const struct v_path *path, const struct kt_json *block)
{
	const struct kt_json *except;
	const char *cidr = kt_get_text(block, "cidr");
	if (!*cidr) {
		v_required(v, V_IN(path, "cidr"), "");
		return;
	}
	if (!v_check(v, V_IN(path, "cidr"), cidr, v_cidr))
		return;
	KT_JSON_EACH (except, kt_get(block, "except")) {
		const struct v_path *at = V_AT(V_IN(path, "except"), except_i);
		if (v_check(v, at, kt_str_or(except, ""), v_cidr) &&
		    !v_is_within(cidr, kt_str_or(except, "")))
			v_invalid(v, at, except, "must be a strict subset of `cidr`");
	}
}

static void policy_peer(struct v *v, const struct v_path *path, const struct kt_json *peer)
{
	const struct kt_json *block = kt_get(peer, "ipBlock");
	size_t count = 0;
	if (kt_get(peer, "podSelector")) {
		count++;
		v_label_selector(v, V_IN(path, "podSelector"), kt_get(peer, "podSelector"));
	}
	if (kt_get(peer, "namespaceSelector")) {
		count++;
		v_label_selector(v, V_IN(path, "namespaceSelector"), kt_get(peer, "namespaceSelector"));
	}
	if (block)
		ip_block(v, V_IN(path, "ipBlock"), block);
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
			v_unsupported(v, V_AT(tp, type_i), type, V_WORDS("Ingress", "Egress"));
}

/* --- endpoints, slices, classes --- */

static void endpoint_port(struct v *v, const struct v_path *path, const struct kt_json *port)
{
	static const struct v_rule rules[] = {
	        {.field = "protocol", .kind = V_ENUM_NEEDED, .values = v_protocols},
	        {.field = "appProtocol", .kind = V_FORMAT, .format = v_qualified_name},
	};
	V_RULES(v, path, port, rules);
}

static void endpoint_address(struct v *v, const struct v_path *path, const struct kt_json *address)
{
	v_check(v, V_IN(path, "ip"), kt_get_text(address, "ip"), v_ip);
	if (kt_get(address, "hostname"))
		v_check(v, V_IN(path, "hostname"), kt_get_text(address, "hostname"), v_dns_label);
	if (kt_get(address, "nodeName"))
		v_check(v, V_IN(path, "nodeName"), kt_get_text(address, "nodeName"), v_dns_subdomain);
	v_check(v, V_IN(path, "ip"), kt_get_text(address, "ip"), v_endpoint_ip);
}

static void endpoints(struct v *v)
{
	static const char *const lists[] = {"addresses", "notReadyAddresses"};
	const struct kt_json *subset, *item;
	KT_JSON_EACH (subset, kt_get(v->object, "subsets")) {
		const struct v_path *at = V_AT(V_ROOT("subsets"), subset_i);
		if (kt_count(kt_get(subset, lists[0])) + kt_count(kt_get(subset, lists[1])) == 0)
			v_required(v, at, "must specify `addresses` or `notReadyAddresses`");
		for (size_t i = 0; i < KT_COUNT(lists); i++)
			KT_JSON_EACH (item, kt_get(subset, lists[i]))
				endpoint_address(v, V_AT(V_IN(at, lists[i]), item_i), item);
		KT_JSON_EACH (item, kt_get(subset, "ports")) {
			const struct v_path *pp = V_AT(V_IN(at, "ports"), item_i);
			if (kt_count(kt_get(subset, "ports")) > 1 && !*kt_get_text(item, "name"))
				v_required(v, V_IN(pp, "name"), "");
			else if (*kt_get_text(item, "name"))
				v_check(v, V_IN(pp, "name"), kt_get_text(item, "name"), v_dns_label);
			v_port_range(v, V_IN(pp, "port"), kt_get_int(item, "port", 0));
			endpoint_port(v, pp, item);
		}
	}
}

static void slice_address(struct v *v, const struct v_path *list, size_t i, const char *address)
{
	bool v6 = is(v->object, "addressType", "IPv6");
	if (is(v->object, "addressType", "FQDN")) {
		v_check(v, V_AT(list, i), address, v_dns_subdomain);
		return;
	}
	if (!v6 && !is(v->object, "addressType", "IPv4"))
		return; /* of no type that is known */
	if (!v_check(v, V_AT(list, i), address, v_ip))
		return;
	if (v6 != (strchr(address, ':') != NULL))
		v_invalid_str(v, list, address, "must be an %s address", v6 ? "IPv6" : "IPv4");
	v_check(v, V_AT(list, i), address, v_endpoint_ip);
}

static void slice_ports(struct v *v, const struct v_path *path, const struct kt_json *ports)
{
	const struct kt_json *port;
	KT_JSON_EACH (port, ports) {
		const struct v_path *at = V_AT(path, port_i);
		if (*kt_get_text(port, "name"))
			v_check(v, V_IN(at, "name"), kt_get_text(port, "name"), v_dns_label);
		for (size_t i = 0; i < port_i; i++)
			if (strcmp(kt_get_text(kt_at(ports, i), "name"), kt_get_text(port, "name")) == 0) {
				struct kt_json *name = kt_json_str(kt_get_text(port, "name"));
				v_duplicate(v, V_IN(at, "name"), name);
				kt_json_free(name);
				break;
			}
		endpoint_port(v, at, port);
	}
}

/* Names of zones or nodes, each once, at most eight. */
static void hints(struct v *v, const struct v_path *path, const struct kt_json *object)
{
	static const struct {
		const char *field;
		v_format *format;
	} rows[] = {{"forZones", v_label_value}, {"forNodes", v_dns_subdomain}};
	const struct kt_json *item;
	for (size_t r = 0; r < KT_COUNT(rows); r++) {
		const struct kt_json *list = kt_get(object, rows[r].field);
		const struct v_path *at = V_IN(path, rows[r].field);
		if (kt_count(list) > 8) {
			v_too_many(v, at, kt_count(list), 8);
			continue;
		}
		KT_JSON_EACH (item, list) {
			const char *name = kt_get_text(item, "name");
			if (kt_find(list, "name", name) < (ptrdiff_t)item_i)
				v_duplicate(v, V_IN(V_AT(at, item_i), "name"), kt_get(item, "name"));
			else
				v_check(v, V_IN(V_AT(at, item_i), "name"), name, rows[r].format);
		}
	}
}

static void endpoint_slice(struct v *v)
{
	static const char *const types[] = {"FQDN", "IPv4", "IPv6", NULL};
	static const struct v_rule rules[] = {
	        {.field = "addressType", .kind = V_ENUM_NEEDED, .values = types},
	        {.field = "ports", .kind = V_CALL, .fn = slice_ports},
	};
	const struct kt_json *endpoint, *address;
	V_RULES(v, NULL, v->object, rules);
	KT_JSON_EACH (endpoint, kt_get(v->object, "endpoints")) {
		const struct v_path *ep = V_AT(V_ROOT("endpoints"), endpoint_i), *at = V_IN(ep, "addresses");
		if (kt_count(kt_get(endpoint, "addresses")) == 0)
			v_required(v, at, "must contain at least 1 address");
		KT_JSON_EACH (address, kt_get(endpoint, "addresses"))
			slice_address(v, at, address_i, kt_str_or(address, ""));
		if (kt_get(endpoint, "nodeName"))
			v_check(v, V_IN(ep, "nodeName"), kt_get_text(endpoint, "nodeName"), v_dns_subdomain);
		if (kt_get(endpoint, "hostname"))
			v_check(v, V_IN(ep, "hostname"), kt_get_text(endpoint, "hostname"), v_dns_label);
		hints(v, V_IN(ep, "hints"), kt_get(endpoint, "hints"));
	}
}

/* Addresses are not looked at as another type's. */
static void endpoint_slice_update(struct v *v)
{
	if (kt_equal(kt_get(v->object, "addressType"), kt_get(v->old, "addressType")))
		endpoint_slice(v);
}

static void class_parameters(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	static const char *const scopes[] = {"Cluster", "Namespace", NULL};
	const struct kt_json *ns = kt_get(p, "namespace");
	resource_reference(v, path, p);
	if (!*kt_get_text(p, "scope"))
		v_required(v, V_IN(path, "scope"), "");
	else if (!is(p, "scope", "Cluster") && !is(p, "scope", "Namespace"))
		v_unsupported(v, V_IN(path, "scope"), kt_get(p, "scope"), scopes);
	else if (is(p, "scope", "Cluster") && ns)
		v_forbidden(v, V_IN(path, "namespace"), "`parameters.scope` is set to 'Cluster'");
	else if (is(p, "scope", "Namespace") && !ns)
		v_required(v, V_IN(path, "namespace"), "`parameters.scope` is set to 'Namespace'");
	else if (ns)
		v_check(v, V_IN(path, "namespace"), kt_str_or(ns, ""), v_dns_label);
}

static void ingress_class(struct v *v)
{
	const char *controller = kt_str_or(kt_path(v->object, "spec.controller"), "");
	const struct v_path *path = V_IN(V_ROOT("spec"), "controller");
	const struct kt_json *parameters = kt_path(v->object, "spec.parameters");
	if (!*controller)
		v_required(v, path, "");
	else
		v_domain_path(v, path, controller);
	if (parameters)
		class_parameters(v, V_IN(V_ROOT("spec"), "parameters"), parameters);
}

static void ip_address(struct v *v)
{
	static const struct v_rule rules[] = {
	        {.field = "group", .kind = V_FORMAT, .format = v_dns_subdomain},
	        {.field = "resource", .kind = V_NEEDED, .format = v_path_segment},
	        {.field = "name", .kind = V_NEEDED, .format = v_path_segment},
	        {.field = "namespace", .kind = V_FORMAT, .format = v_path_segment},
	};
	const struct v_path *path = V_IN(V_ROOT("spec"), "parentRef");
	const struct kt_json *parent = kt_path(v->object, "spec.parentRef");
	if (!parent)
		v_required(v, path, "");
	else
		V_RULES(v, path, parent, rules);
}

static void service_cidr(struct v *v)
{
	const struct v_path *path = V_IN(V_ROOT("spec"), "cidrs");
	const struct kt_json *list = kt_path(v->object, "spec.cidrs"), *item;
	bool known = true, one;
	if (!kt_count(list)) {
		v_required(v, path, "at least one CIDR required");
		return;
	}
	if (kt_count(list) > 2) {
		v_invalid_steal(v, path, kt_jsonf("{CIDRs: %J}", list), "may only hold up to 2 values");
		return;
	}
	KT_JSON_EACH (item, list) {
		one = v_check(v, V_AT(path, item_i), kt_str_or(item, ""), v_cidr);
		if (one)
			v_check(v, V_AT(path, item_i), kt_str_or(item, ""), v_subnet);
		known = known && one;
	}
	if (kt_count(list) == 2 && known &&
	    !strchr(kt_str(kt_at(list, 0)), ':') == !strchr(kt_str(kt_at(list, 1)), ':'))
		v_invalid(v, path, list,
		          "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and "
		          "2001:db8::/64");
}

static const char *const fixed_address_type[] = {"addressType", NULL};
static const char *const fixed_controller[] = {"spec.controller", NULL};
static const char *const fixed_parent[] = {"spec.parentRef", NULL};

const struct v_kind v_kinds_net[] = {
        {.group = "",
         .kind = "Service",
         .name = v_dns_1035,
         .prefix = v_dns_1035_trailing,
         .create = v_service,
         .update = v_service_update},
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
         .update = endpoint_slice_update,
         .immutable = fixed_address_type},
        {.group = "networking.k8s.io",
         .kind = "IPAddress",
         .name = v_ip,
         .create = ip_address,
         .immutable = fixed_parent},
        {.group = "networking.k8s.io", .kind = "ServiceCIDR", .create = service_cidr},
        {0},
};

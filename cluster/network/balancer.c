/* SPDX-License-Identifier: MIT */
/* Which balancers there are and what their rules are: from Ingresses, Gateways and HTTPRoutes. */
#include "cluster/network/balancer_internal.h"

#include <stdio.h>
#include <string.h>

/* --- classes --- */
static const struct store_object *find(struct cluster *cluster, enum network_kind kind, const char *name)
{
	return name ? store_get(cluster_store(cluster), network_of(cluster)->kinds[kind], "", name) : NULL;
}

static bool names_edge(const char *list, const char *edge)
{
	const char *word;
	size_t len;
	while (list && (word = kt_split(&list, ',', &len))) {
		if (len == strlen(edge) && !strncmp(word, edge, len))
			return true;
	}
	return false;
}

bool balancer_has_edge(struct cluster *cluster, const char *edge)
{
	const struct store_object *node;
	STORE_EACH (node, cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Node"), NULL) {
		if (names_edge(kt_get_str(kt_path(node->json, "metadata.annotations"), BALANCER_EDGES), edge))
			return true;
	}
	return false;
}

static bool is_ours(const struct store_object *ingress_class)
{
	return kt_streq(kt_path_str(ingress_class->json, "spec.controller"), BALANCER_INGRESS);
}

static bool any_class(struct cluster *cluster)
{
	const struct store_object *class;
	STORE_EACH (class, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_INGRESS_CLASS], NULL) {
		if (is_ours(class))
			return true;
	}
	return false;
}

bool balancer_serves(struct cluster *cluster, const struct kt_json *ingress)
{
	const char *name = kt_path_str(ingress, "spec.ingressClassName");
	if (!name)
		name = kt_get_str(kt_path(ingress, "metadata.annotations"), "kubernetes.io/ingress.class");
	if (!name)
		return any_class(cluster);
	const struct store_object *class = find(cluster, NETWORK_INGRESS_CLASS, name);
	return class && is_ours(class);
}

const char *balancer_controller(struct cluster *cluster, const char *gateway_class)
{
	static const char *const ours[] = {BALANCER_GATEWAY, BALANCER_GLOBAL};
	const struct store_object *class = find(cluster, NETWORK_GATEWAY_CLASS, gateway_class);
	for (size_t i = 0; class && i < KT_COUNT(ours); i++) {
		if (kt_streq(kt_path_str(class->json, "spec.controllerName"), ours[i]))
			return ours[i];
	}
	return NULL;
}

static bool grants(const struct kt_json *spec, const char *from_kind, const char *from, const char *kind,
                   const char *name)
{
	const struct kt_json *row;
	bool froms = false, tos = false;
	KT_JSON_EACH (row, kt_get(spec, "from"))
		froms = froms || (kt_streq(kt_get_str(row, "group"), "gateway.networking.k8s.io") &&
		                  kt_streq(kt_get_str(row, "kind"), from_kind) &&
		                  kt_streq(kt_get_str(row, "namespace"), from));
	KT_JSON_EACH (row, kt_get(spec, "to"))
		tos = tos ||
		      (kt_streq(kt_get_str(row, "group"), "") && kt_streq(kt_get_str(row, "kind"), kind) &&
		       kt_streq(kt_str_or(kt_get(row, "name"), name), name));
	return froms && tos;
}

bool balancer_permits(struct cluster *cluster, const char *from_kind, const char *from, const char *kind,
                      const char *ns, const char *name)
{
	const struct schema_kind *grant_kind = network_of(cluster)->kinds[NETWORK_REFERENCE_GRANT];
	const struct store_object *grant;
	if (kt_streq(from, ns))
		return true;
	STORE_EACH (grant, cluster_store(cluster), grant_kind, ns) {
		if (grants(kt_get(grant->json, "spec"), from_kind, from, kind, name))
			return true;
	}
	return false;
}

bool balancer_permits_backend(struct cluster *cluster, const struct balancer *balancer, const char *from,
                              const struct route_target *target)
{
	return !balancer->gateway ||
	       balancer_permits(cluster, "HTTPRoute", from, "Service", target->ns, target->service);
}

/* --- routes and listeners --- */
static bool namespace_allowed(struct cluster *cluster, const struct kt_json *gateway,
                              const struct kt_json *listener, const char *ns)
{
	const struct kt_json *namespaces = kt_path(listener, "allowedRoutes.namespaces");
	const char *from = kt_str_or(kt_get(namespaces, "from"), "Same");
	if (kt_streq(from, "All"))
		return true;
	if (kt_streq(from, "Same"))
		return kt_streq(kt_path_str(gateway, "metadata.namespace"), ns);
	const struct store_object *object = store_get(
	        cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Namespace"), "", ns);
	return object && view_selector_matches(kt_get(namespaces, "selector"), view_labels(object->json));
}

static bool kind_allowed(const struct kt_json *listener)
{
	const struct kt_json *kinds = kt_path(listener, "allowedRoutes.kinds"), *item;
	const char *protocol = kt_str_or(kt_get(listener, "protocol"), "");
	if (strcmp(protocol, "HTTP") != 0 && strcmp(protocol, "HTTPS") != 0)
		return false;
	KT_JSON_EACH (item, kinds) {
		if (kt_streq(kt_get_str(item, "kind"), "HTTPRoute"))
			return true;
	}
	return !kt_count(kinds);
}

static bool means(const struct kt_json *parent, const struct kt_json *gateway, const char *route_ns)
{
	return kt_streq(kt_str_or(kt_get(parent, "kind"), "Gateway"), "Gateway") &&
	       kt_streq(kt_get_str(parent, "name"), kt_path_str(gateway, "metadata.name")) &&
	       kt_streq(kt_str_or(kt_get(parent, "namespace"), route_ns),
	                kt_path_str(gateway, "metadata.namespace"));
}

const char *balancer_refuses(struct cluster *cluster, const struct kt_json *gateway,
                             const struct kt_json *listener, const struct kt_json *route,
                             const struct kt_json *parent)
{
	const char *ns = kt_str_or(kt_path(route, "metadata.namespace"), "default"),
	           *section = kt_get_str(parent, "sectionName");
	const struct kt_json *hosts = kt_path(route, "spec.hostnames"), *host;
	if (!means(parent, gateway, ns))
		return "";
	if ((section && !kt_streq(section, kt_get_str(listener, "name"))) ||
	    kt_get_int(parent, "port", kt_get_int(listener, "port", 0)) != kt_get_int(listener, "port", 0))
		return "NoMatchingParent";
	if (!namespace_allowed(cluster, gateway, listener, ns) || !kind_allowed(listener))
		return "NotAllowedByListeners";
	KT_JSON_EACH (host, hosts) {
		if (route_host_meet(kt_get_str(listener, "hostname"), kt_str(host)))
			return NULL;
	}
	return kt_count(hosts) ? "NoMatchingListenerHostname" : NULL;
}

/* --- the table of balancers --- */
static struct balancer *balancer_add(struct network *network, const char *address)
{
	void **slot = table_slot(&network->balancers, address);
	if (!*slot) {
		*slot = kt_alloc(sizeof(struct balancer));
		((struct balancer *)*slot)->address = kt_strdup(address);
	}
	return *slot;
}

static void door(struct balancer *balancer, unsigned port, bool https)
{
	for (size_t i = 0; i < balancer->door_count; i++) {
		if (balancer->doors[i].port == port)
			return;
	}
	if (balancer->door_count < KT_COUNT(balancer->doors))
		balancer->doors[balancer->door_count++] = (struct balancer_door){port, https};
}

static void add_routes(struct cluster *cluster, struct balancer *balancer, const struct kt_json *gateway,
                       const struct kt_json *listener)
{
	const struct store_object *route;
	const struct kt_json *parent;
	STORE_EACH (route, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_HTTP_ROUTE], NULL) {
		bool attached = false;
		KT_JSON_EACH (parent, kt_path(route->json, "spec.parentRefs"))
			attached = attached ||
			           !balancer_refuses(cluster, gateway, listener, route->json, parent);
		if (attached)
			route_add_http_route(&balancer->routes, route->json, kt_get_str(listener, "hostname"),
			                     (unsigned)kt_get_int(listener, "port", 0));
	}
}

static void add_gateway(struct cluster *cluster, struct network *network, const struct store_object *gateway)
{
	const char *controller =
	        balancer_controller(cluster, kt_path_str(gateway->json, "spec.gatewayClassName"));
	const char *address = kt_path_str(gateway->json, "status.addresses.0.value");
	const struct kt_json *listener;
	if (!controller || !address)
		return;
	struct balancer *balancer = balancer_add(network, address);
	balancer->global = kt_streq(controller, BALANCER_GLOBAL);
	balancer->gateway = true;
	KT_JSON_EACH (listener, kt_path(gateway->json, "spec.listeners")) {
		door(balancer, (unsigned)kt_get_int(listener, "port", 0),
		     kt_streq(kt_get_str(listener, "protocol"), "HTTPS"));
		add_routes(cluster, balancer, gateway->json, listener);
	}
	route_sort(&balancer->routes);
}

static void add_ingresses(struct cluster *cluster, struct network *network)
{
	const struct store_object *ingress;
	struct balancer *balancer = balancer_add(network, BALANCER_INGRESS_ADDRESS);
	door(balancer, 80, false);
	door(balancer, 443, true);
	STORE_EACH (ingress, cluster_store(cluster), network->kinds[NETWORK_INGRESS], NULL) {
		if (balancer_serves(cluster, ingress->json))
			route_add_ingress(&balancer->routes, ingress->json);
	}
	route_sort(&balancer->routes);
}

static void forget(struct network *network)
{
	for (size_t i = 0; i < network->balancers.cap; i++) {
		struct balancer *balancer = network->balancers.rows[i].value;
		if (!balancer)
			continue;
		route_clear(&balancer->routes);
		kt_free(balancer->address);
		kt_free(balancer);
	}
	table_clear(&network->balancers);
}

void balancers_clear(struct cluster *cluster, struct network *network)
{
	forget(network);
	cluster_cancel(cluster, network->health_timer);
	for (size_t i = 0; i < network->regions.cap; i++)
		kt_free(network->regions.rows[i].value);
	table_clear(&network->regions);
}

const struct balancer *balancer_at(struct cluster *cluster, const char *address)
{
	struct network *network = network_of(cluster);
	if (!network->balancers_known) {
		const struct store_object *gateway;
		forget(network);
		network->balancers_known = true;
		add_ingresses(cluster, network);
		STORE_EACH (gateway, cluster_store(cluster), network->kinds[NETWORK_GATEWAY], NULL)
			add_gateway(cluster, network, gateway);
		balancer_watch_health(cluster, network);
	}
	return table_get(&network->balancers, address);
}

/* --- connecting --- */
bool balancer_connect(struct cluster *cluster, const struct network_peer *from, const char *address,
                      unsigned port, struct network_path *out)
{
	const struct balancer *balancer = balancer_at(cluster, address);
	struct network_peer to = {.address = address};
	const char *region = from->region ? from->region
	                     : from->node ? node_region(cluster, from->node)
	                                  : NULL;
	if (!balancer)
		return false;
	out->latency = KT_MS;
	out->outcome = NETWORK_TIMEOUT;
	if (!network_policy_allows(cluster, from, &to, port, "TCP", out->why))
		return true;
	out->outcome = NETWORK_REFUSED;
	for (size_t i = 0; i < balancer->door_count; i++) {
		if (balancer->doors[i].port == port)
			out->outcome = NETWORK_OPEN;
	}
	out->balancer = out->outcome == NETWORK_OPEN;
	snprintf(out->region, sizeof(out->region), "%s", region ? region : "");
	return true;
}

/* --- names --- */
static bool has_host(const struct kt_json *hosts, const char *host)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, hosts) {
		const char *name = kt_str(item) ? kt_str(item) : kt_get_str(item, "host");
		if (name && route_host_fits(name, host, true))
			return true;
	}
	return false;
}

static void add_addresses(const struct kt_json *list, const char *key, struct kt_strs *addresses)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		const char *address = kt_get_str(item, key);
		if (address && !kt_strs_has(addresses, address))
			kt_strs_add(addresses, address);
	}
}

static void service_names(struct cluster *cluster, const char *host, struct kt_strs *addresses)
{
	const struct store_object *service;
	STORE_EACH (service, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_SERVICE], NULL) {
		const char *rest = kt_get_str(kt_path(service->json, "metadata.annotations"),
		                              "external-dns.alpha.kubernetes.io/hostname");
		size_t len;
		for (const char *name; rest && (name = kt_split(&rest, ',', &len));) {
			if (strlen(host) == len && !strncmp(name, host, len))
				add_addresses(kt_path(service->json, "status.loadBalancer.ingress"), "ip",
				              addresses);
		}
	}
}

bool balancer_names(struct cluster *cluster, const char *host, struct kt_strs *addresses)
{
	struct network *network = network_of(cluster);
	const struct store_object *object;
	const struct kt_json *parent;
	size_t before = addresses->count;
	STORE_EACH (object, cluster_store(cluster), network->kinds[NETWORK_INGRESS], NULL) {
		if (has_host(kt_path(object->json, "spec.rules"), host))
			add_addresses(kt_path(object->json, "status.loadBalancer.ingress"), "ip", addresses);
	}
	STORE_EACH (object, cluster_store(cluster), network->kinds[NETWORK_HTTP_ROUTE], NULL) {
		if (!has_host(kt_path(object->json, "spec.hostnames"), host))
			continue;
		KT_JSON_EACH (parent, kt_path(object->json, "spec.parentRefs")) {
			const struct store_object *gateway =
			        store_get(cluster_store(cluster), network->kinds[NETWORK_GATEWAY],
			                  kt_str_or(kt_get(parent, "namespace"), object->ns),
			                  kt_str_or(kt_get(parent, "name"), ""));
			if (gateway)
				add_addresses(kt_path(gateway->json, "status.addresses"), "value", addresses);
		}
	}
	service_names(cluster, host, addresses);
	return addresses->count > before;
}

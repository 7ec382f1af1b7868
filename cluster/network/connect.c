/* SPDX-License-Identifier: MIT */
/* From one address to another: links, nodes, policies, listeners; through Services to endpoints. */
#include "cluster/network/network_internal.h"

#include <string.h>

#include "cluster/kubelet/kubelet.h"
#include "cluster/network/world.h"

/* Round trips, about those of the large clouds. */
static const kt_ns SAME_NODE = 100 * KT_US, SAME_ZONE = 500 * KT_US, OTHER_ZONE = KT_MS,
                   OTHER_REGION = 60 * KT_MS, OUTSIDE = 2 * KT_MS;

/* --- nodes, zones, links --- */
const char *node_zone(struct cluster *cluster, const char *node)
{
	const struct store_object *object =
	        node ? store_get(cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], "", node)
	             : NULL;
	return object ? view_node(object)->zone : NULL;
}

const char *node_region(struct cluster *cluster, const char *node)
{
	const struct store_object *object =
	        store_get(cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], "", node);
	return object ? view_node(object)->region : NULL;
}

static void load_links(struct cluster *cluster, struct network *network)
{
	if (network->links_known)
		return;
	network->links_known = true;
	struct kt_json *links = world_get(cluster, "links");
	for (size_t i = 0; i < network->link_count; i++) {
		kt_free(network->links[i].a);
		kt_free(network->links[i].b);
	}
	network->link_count = 0;
	const struct kt_json *row;
	KT_JSON_EACH (row, links) {
		network->links = kt_grow(network->links, &network->link_cap, network->link_count + 1,
		                         sizeof(*network->links));
		network->links[network->link_count++] = (struct link){
		        kt_strdup(kt_str_or(kt_get(row, "a"), "")),
		        kt_strdup(kt_str_or(kt_get(row, "b"), "")), kt_get_bool(row, "cut", false),
		        kt_get_int(row, "latency", 0), kt_real_or(kt_get(row, "loss"), 0)};
	}
	kt_json_free(links);
}

void network_link_set(struct cluster *cluster, const char *zone_a, const char *zone_b, bool cut,
                      kt_ns latency, double loss)
{
	struct kt_json *links = world_get(cluster, "links"), *kept = kt_json_array();
	const struct kt_json *row;
	KT_JSON_EACH (row, links) {
		const char *a = kt_str_or(kt_get(row, "a"), ""), *b = kt_str_or(kt_get(row, "b"), "");
		bool same = (kt_streq(a, zone_a) && kt_streq(b, zone_b)) ||
		            (kt_streq(a, zone_b) && kt_streq(b, zone_a));
		if (!same)
			kt_push(&kept, kt_json_ref(row));
	}
	kt_json_free(links);
	if (cut || latency || loss > 0)
		kt_push(&kept, kt_jsonf("{a: %s, b: %s, cut: %b, latency: %l, loss: %f}", zone_a, zone_b,
		                        (int)cut, latency, loss));
	world_set(cluster, "links", kept);
	struct network *network = network_of(cluster);
	if (network) {
		network->links_known = false;
		network->epoch++;
	}
}

static bool in_group(struct cluster *cluster, const char *node, const char *group)
{
	const struct store_object *object =
	        node ? store_get(cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], "", node)
	             : NULL;
	if (!object)
		return false;
	const struct view_node *view = view_node(object);
	return kt_streq(node, group) || kt_streq(view->zone, group) || kt_streq(view->region, group);
}

const struct link *link_between(struct cluster *cluster, const char *node_a, const char *node_b)
{
	struct network *network = network_of(cluster);
	load_links(cluster, network);
	for (size_t i = 0; i < network->link_count; i++) {
		const struct link *link = &network->links[i];
		if ((in_group(cluster, node_a, link->a) && in_group(cluster, node_b, link->b)) ||
		    (in_group(cluster, node_a, link->b) && in_group(cluster, node_b, link->a)))
			return link;
	}
	return NULL;
}

static kt_ns latency_between(struct cluster *cluster, const char *a, const char *b)
{
	if (!a || !b)
		return OUTSIDE;
	if (!strcmp(a, b))
		return SAME_NODE;
	const char *region_a = node_region(cluster, a), *region_b = node_region(cluster, b);
	if (region_a && region_b && strcmp(region_a, region_b) != 0)
		return OTHER_REGION;
	const char *zone_a = node_zone(cluster, a), *zone_b = node_zone(cluster, b);
	return zone_a && zone_b && strcmp(zone_a, zone_b) != 0 ? OTHER_ZONE : SAME_ZONE;
}

/* --- connecting --- */
static void say(struct network_path *out, const char *fmt, ...) KT_PRINTF(2, 3);
static void say(struct network_path *out, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	size_t len = KT_MIN(text.len, sizeof(out->why) - 1);
	memcpy(out->why, kt_buf_str(&text), len);
	out->why[len] = '\0';
	kt_buf_clear(&text);
}

static void set_address(struct network_path *out, const char *address)
{
	size_t len = KT_MIN(strlen(address), sizeof(out->address) - 1);
	memcpy(out->address, address, len);
	out->address[len] = '\0';
}

static bool reserved(const char *address)
{
	static const char *const ranges[] = {"10.0.0.0/8",  "172.16.0.0/12",  "192.168.0.0/16",
	                                     "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/8",
	                                     "224.0.0.0/3", "100.64.0.0/10"};
	for (size_t i = 0; i < KT_COUNT(ranges); i++) {
		if (network_in_cidr(address, ranges[i]))
			return true;
	}
	return false;
}

/* The one address behind all: a pod, a node, or outside. What a pod sends to its own address stays within it;
 * by way of a Service it leaves the pod and comes back, past the policies of both sides. */
static void connect_to(struct cluster *cluster, const struct network_peer *from, const char *address,
                       unsigned port, const char *protocol, bool by_service, struct network_path *out)
{
	struct network *network = network_of(cluster);
	const struct place *place = table_get(&network->places, address);
	bool self = from->address && !strcmp(from->address, address);
	set_address(out, address);
	out->port = port;
	if (!place && !self) {
		struct network_peer outside = {.address = address};
		bool internet = !reserved(address);
		struct kt_json *away = internet ? world_get(cluster, "internet") : NULL;
		bool cut = kt_get_bool(away, "cut", false);
		kt_json_free(away);
		out->latency = 20 * KT_MS;
		if (!network_policy_allows(cluster, from, &outside, port, protocol, out->why))
			out->outcome = NETWORK_TIMEOUT;
		else if (internet && !cut && (port == 80 || port == 443 || port == 53))
			out->outcome = NETWORK_OPEN;
		else
			out->outcome = internet || cut ? NETWORK_TIMEOUT : NETWORK_UNREACHABLE;
		if (out->outcome == NETWORK_UNREACHABLE)
			say(out, "nothing has the address %s", address);
		return;
	}
	const char *node = place ? place->node : from->node;
	struct network_peer to = {.ns = place ? place->ns : from->ns,
	                          .pod = place ? place->pod : from->pod,
	                          .node = node,
	                          .address = address};
	out->latency = self ? 50 * KT_US : latency_between(cluster, from->node, node);
	out->outcome = NETWORK_TIMEOUT;
	if (node && !kubelet_node_is_up(cluster, node)) {
		say(out, "node %s is down", node);
		return;
	}
	if (from->node && !kubelet_node_is_up(cluster, from->node)) {
		say(out, "node %s is down", from->node);
		return;
	}
	const struct link *link =
	        self || !node || !from->node ? NULL : link_between(cluster, from->node, node);
	if (link && link->cut) {
		say(out, "the link between %s and %s is cut", link->a, link->b);
		return;
	}
	if (link) {
		out->latency += link->latency;
		if (link->loss > 0 && kt_random_unit(&network->random) < link->loss)
			out->latency += KT_SEC; /* the first packet again */
	}
	if ((!self || by_service) && !network_policy_allows(cluster, from, &to, port, protocol, out->why))
		return;
	char *key = listener_key(address, port, protocol);
	const struct network_listener *there = table_get(&network->listeners, key);
	out->listener = there && (!there->loopback || out->loopback) ? there->id : 0;
	kt_free(key);
	if (!out->listener && place && !place->pod && (port == 6443 || port == 10250)) {
		out->outcome = NETWORK_OPEN;
		return;
	}
	out->outcome = out->listener ? NETWORK_OPEN : NETWORK_REFUSED;
	if (!out->listener)
		say(out, "nothing listens on %s:%u", address, port);
}

static void connect_service(struct cluster *cluster, const struct network_peer *from,
                            const struct service *service, const struct kt_json *port, const char *protocol,
                            const char *via_node, bool external, struct network_path *out)
{
	struct endpoints all = {0};
	const char *name = kt_str_or(kt_get(port, "name"), "");
	const char *policy =
	        kt_get_str(service->spec, external ? "externalTrafficPolicy" : "internalTrafficPolicy");
	const char *local =
	        kt_streq(policy, "Local") ? (via_node ? via_node : (external ? NULL : from->node)) : NULL;
	endpoints_of(network_of(cluster), service->ns, service->name, name, &all);
	size_t at = endpoints_choose(cluster, from, service, &all, local);
	if (at == SIZE_MAX) {
		bool some = false;
		for (size_t i = 0; i < all.count; i++)
			some = some || all.items[i].ready;
		out->latency = 100 * KT_US;
		/* kube-proxy rejects where there are no endpoints at all, drops where only the local ones are
		 * missing */
		out->outcome = some ? NETWORK_TIMEOUT : NETWORK_REFUSED;
		say(out,
		    some ? "service %s/%s has no endpoint on node %s"
		         : "service %s/%s has no ready endpoints%.0s",
		    service->ns, service->name, local ? local : "");
	} else {
		char *address = kt_strdup(all.items[at].address);
		unsigned target = all.items[at].port ? all.items[at].port
		                                     : (unsigned)kt_get_int(port, "targetPort",
		                                                            kt_get_int(port, "port", 0));
		connect_to(cluster, from, address, target, protocol, true, out);
		kt_free(address);
	}
	kt_free(all.items);
}

void network_connect(struct cluster *cluster, const struct network_peer *from, const char *address,
                     unsigned port, const char *protocol, struct network_path *out)
{
	struct network *network = network_of(cluster);
	*out = (struct network_path){.outcome = NETWORK_UNREACHABLE};
	if (!protocol)
		protocol = "TCP";
	if (kt_starts(address, "127.") || kt_streq(address, "localhost") || kt_streq(address, "::1") ||
	    kt_streq(address, "0.0.0.0")) {
		address = from->address ? from->address : "127.0.0.1";
		out->loopback = true;
	}
	set_address(out, address);
	out->port = port;
	if (balancer_connect(cluster, from, address, port, out))
		return;
	const struct service *service = table_get(&network->services, address);
	if (service) {
		bool external = !kt_streq(kt_get_str(service->spec, "clusterIP"), address);
		const struct kt_json *item = service_port(service, port, false, protocol);
		if (item) {
			connect_service(cluster, from, service, item, protocol, NULL, external, out);
		} else {
			/* nothing is translated: the packet to a virtual address goes nowhere */
			out->outcome = NETWORK_TIMEOUT;
			say(out, "service %s/%s has no port %u", service->ns, service->name, port);
		}
		return;
	}
	const struct place *place = table_get(&network->places, address);
	if (place && !place->pod) {
		char *key = kt_strf("%u/%s", port, protocol);
		service = table_get(&network->node_ports, key);
		kt_free(key);
		if (service && !kubelet_node_is_up(cluster, place->node)) {
			out->outcome = NETWORK_TIMEOUT;
			say(out, "node %s is down", place->node);
			return;
		}
		if (service) {
			connect_service(cluster, from, service, service_port(service, port, true, protocol),
			                protocol, place->node, true, out);
			return;
		}
	}
	connect_to(cluster, from, address, port, protocol, false, out);
}

/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kubelet/kubelet.h"
#include "cluster/network/world.h"

/* kube-proxy notices a changed EndpointSlice and rewrites its rules after about this long. */
static const kt_ns PROXY_DELAY = 150 * KT_MS;

struct network *network_of(struct cluster *cluster)
{
	return cluster_part_state(cluster, &network_part);
}

static const struct schema_kind *kind_of(struct cluster *cluster, const char *group, const char *kind)
{
	return schema_stored(cluster_schema(cluster), group, kind);
}

/* --- addresses --- */
bool parse_ipv4(const char *text, uint32_t *out)
{
	uint32_t value = 0;
	for (int i = 0; text && i < 4; i++) {
		unsigned part = 0, digits = 0;
		for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
			part = part * 10 + (unsigned)(*text - '0');
		if (!digits || part > 255 || (i < 3 && *text != '.'))
			return false;
		if (i < 3)
			text++;
		value = value << 8 | part;
	}
	*out = value;
	return text && (!*text || *text == '/');
}

bool in_cidr(const char *address, const char *cidr)
{
	uint32_t a, b;
	const char *slash = strchr(cidr, '/');
	long bits = slash ? strtol(slash + 1, NULL, 10) : 32;
	if (!parse_ipv4(address, &a) || !parse_ipv4(cidr, &b) || bits < 0 || bits > 32)
		return false;
	uint32_t mask = bits ? ~(uint32_t)0 << (32 - bits) : 0;
	return (a & mask) == (b & mask);
}

static void place_free(struct place *place)
{
	if (!place)
		return;
	kt_free(place->ns);
	kt_free(place->pod);
	kt_free(place->node);
	kt_free(place);
}

static void place_set(struct network *network, const char *address, const char *ns, const char *pod,
                      const char *node)
{
	void **slot = table_slot(&network->places, address);
	place_free(*slot);
	struct place *place = kt_alloc(sizeof(*place));
	place->ns = kt_strdup(ns);
	place->pod = kt_strdup(pod);
	place->node = kt_strdup(node);
	*slot = place;
}

void network_pod_address(struct cluster *cluster, const char *node, const char *pod_uid, char out[46])
{
	struct network *network = network_of(cluster);
	const struct store_object *object =
	        store_get(cluster_store(cluster), kind_of(cluster, "", "Node"), "", node);
	const char *cidr = object ? kt_path_str(object->json, "spec.podCIDR") : NULL;
	uint32_t base = 0;
	const char *slash = cidr ? strchr(cidr, '/') : NULL;
	long bits = slash ? strtol(slash + 1, NULL, 10) : 24;
	if (!cidr || !parse_ipv4(cidr, &base) || bits < 8 || bits > 30) {
		base = 0x0AF40000u | (uint32_t)(cluster_hash(cluster, node) & 0xFF) << 8;
		bits = 24;
	}
	uint32_t room = ((uint32_t)1 << (32 - bits)) - 3;
	void **slot = table_slot(&network->next, node);
	uint32_t at = (uint32_t)(uintptr_t)*slot;
	for (uint32_t i = 0; i <= room; i++) {
		uint32_t ip = base + 2 + (at + i) % room;
		struct kt_buf text = {0};
		kt_buf_addf(&text, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
		bool taken = table_get(&network->given, text.data) != NULL;
		if (!taken || i == room) {
			void **given = table_slot(&network->given, text.data);
			kt_free(*given);
			*given = kt_strdup(pod_uid);
			memcpy(out, text.data, text.len + 1);
			kt_buf_clear(&text);
			*table_slot(&network->next, node) = (void *)(uintptr_t)((at + i + 1) % room);
			return;
		}
		kt_buf_clear(&text);
	}
}

void network_release(struct cluster *cluster, const char *address)
{
	struct network *network = network_of(cluster);
	void *given = network ? table_get(&network->given, address) : NULL;
	if (!given)
		return;
	table_remove(&network->given, address);
	kt_free(given);
}

/* --- listeners --- */
static char *listener_key(const char *address, unsigned port, const char *protocol)
{
	return kt_strf("%s:%u/%s", address, port, protocol ? protocol : "TCP");
}

static void listener_free(struct network_listener *listener)
{
	if (!listener)
		return;
	const char *texts[] = {listener->address, listener->protocol, listener->ns, listener->pod,
	                       listener->container};
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		kt_free((void *)(uintptr_t)texts[i]);
	kt_free(listener);
}

void network_listen(struct cluster *cluster, const struct network_listener *listener)
{
	struct network *network = network_of(cluster);
	if (!network || !listener->address)
		return;
	char *key = listener_key(listener->address, listener->port, listener->protocol);
	void **slot = table_slot(&network->listeners, key);
	struct network_listener *copy = kt_alloc(sizeof(*copy));
	*copy = *listener;
	copy->address = kt_strdup(listener->address);
	copy->protocol = kt_strdup(listener->protocol ? listener->protocol : "TCP");
	copy->ns = kt_strdup(listener->ns);
	copy->pod = kt_strdup(listener->pod);
	copy->container = kt_strdup(listener->container);
	listener_free(*slot);
	*slot = copy;
	kt_free(key);
}

void network_unlisten(struct cluster *cluster, const char *address, unsigned port, const char *protocol)
{
	struct network *network = network_of(cluster);
	if (!network || !address)
		return;
	char *key = listener_key(address, port, protocol);
	struct network_listener *listener = table_get(&network->listeners, key);
	table_remove(&network->listeners, key);
	listener_free(listener);
	kt_free(key);
}

bool network_is_listening(struct cluster *cluster, const char *address, unsigned port, const char *protocol)
{
	char *key = listener_key(address, port, protocol);
	bool found = table_get(&network_of(cluster)->listeners, key) != NULL;
	kt_free(key);
	return found;
}

void network_each_listener(struct cluster *cluster, const char *address,
                           void (*fn)(void *arg, const struct network_listener *listener), void *arg)
{
	const struct network *network = network_of(cluster);
	for (size_t i = 0; i < network->listeners.cap; i++) {
		const struct network_listener *listener = network->listeners.rows[i].value;
		if (listener && kt_streq(listener->address, address))
			fn(arg, listener);
	}
}

/* --- kube-proxy's view --- */
static void service_free(struct service *service)
{
	if (!service)
		return;
	kt_free(service->ns);
	kt_free(service->name);
	kt_json_free(service->spec);
	kt_json_free(service->status);
	kt_free(service);
}

static void service_index(struct network *network, const struct service *service, bool add)
{
	const struct kt_json *item;
	struct kt_strs addresses = {0};
	const char *ip = kt_get_str(service->spec, "clusterIP");
	if (ip && *ip && strcmp(ip, "None") != 0)
		kt_strs_add(&addresses, ip);
	KT_JSON_EACH (item, kt_get(service->spec, "externalIPs"))
		kt_strs_add(&addresses, kt_str_or(item, ""));
	KT_JSON_EACH (item, kt_path(service->status, "loadBalancer.ingress")) {
		if (kt_get_str(item, "ip"))
			kt_strs_add(&addresses, kt_get_str(item, "ip"));
	}
	for (size_t i = 0; i < addresses.count; i++) {
		if (add)
			*table_slot(&network->services, addresses.items[i]) = (void *)(uintptr_t)service;
		else if (table_get(&network->services, addresses.items[i]) == service)
			table_remove(&network->services, addresses.items[i]);
	}
	kt_strs_clear(&addresses);
	KT_JSON_EACH (item, kt_get(service->spec, "ports")) {
		int64_t port = kt_get_int(item, "nodePort", 0);
		if (!port)
			continue;
		char *key = kt_strf("%lld/%s", (long long)port, kt_str_or(kt_get(item, "protocol"), "TCP"));
		if (add)
			*table_slot(&network->node_ports, key) = (void *)(uintptr_t)service;
		else if (table_get(&network->node_ports, key) == service)
			table_remove(&network->node_ports, key);
		kt_free(key);
	}
}

static void service_update(struct network *network, const struct store_object *object, bool there)
{
	char *key = kt_strf("%s/%s", object->ns, object->name);
	struct service *old = table_get(&network->all, key);
	if (old) {
		service_index(network, old, false);
		table_remove(&network->all, key);
		service_free(old);
	}
	if (there) {
		struct service *service = kt_alloc(sizeof(*service));
		service->ns = kt_strdup(object->ns);
		service->name = kt_strdup(object->name);
		service->spec = kt_json_ref(kt_get(object->json, "spec"));
		service->status = kt_json_ref(kt_get(object->json, "status"));
		*table_slot(&network->all, key) = service;
		service_index(network, service, true);
		if (kt_streq(object->name, "kube-dns") && kt_streq(object->ns, "kube-system"))
			network->dns_seen = true;
	}
	kt_free(key);
}

const struct service *network_service(struct cluster *cluster, const char *ns, const char *name)
{
	char *key = kt_strf("%s/%s", ns, name);
	const struct service *service = table_get(&network_of(cluster)->all, key);
	kt_free(key);
	return service;
}

static char *slice_service(const struct kt_json *slice)
{
	const char *name = kt_get_str(view_labels(slice), "kubernetes.io/service-name");
	return name ? kt_strf("%s/%s", kt_str_or(kt_path(slice, "metadata.namespace"), ""), name) : NULL;
}

static void slice_update(struct network *network, const char *key, const struct kt_json *json)
{
	struct kt_json *old = table_get(&network->slices, key);
	char *service = old ? slice_service(old) : NULL;
	struct kt_strs *list = service ? table_get(&network->by_service, service) : NULL;
	for (size_t i = 0; list && i < list->count; i++) {
		if (kt_streq(list->items[i], key)) {
			kt_free(list->items[i]);
			list->items[i] = list->items[--list->count];
			break;
		}
	}
	kt_free(service);
	kt_json_free(old);
	if (!json) {
		table_remove(&network->slices, key);
		return;
	}
	*table_slot(&network->slices, key) = kt_json_ref(json);
	service = slice_service(json);
	if (!service)
		return;
	void **slot = table_slot(&network->by_service, service);
	if (!*slot)
		*slot = kt_alloc(sizeof(struct kt_strs));
	kt_strs_add(*slot, key);
	kt_free(service);
}

static void sync_slices(struct cluster *cluster, void *arg)
{
	struct network *network = network_of(cluster);
	const struct schema_kind *kind = kind_of(cluster, "discovery.k8s.io", "EndpointSlice");
	(void)arg;
	network->sync_timer = 0;
	for (size_t i = 0; i < network->pending.count; i++) {
		const char *key = network->pending.items[i], *slash = strchr(key, '/');
		char *ns = kt_strndup(key, (size_t)(slash - key));
		const struct store_object *object = store_get(cluster_store(cluster), kind, ns, slash + 1);
		slice_update(network, key, object ? object->json : NULL);
		kt_free(ns);
	}
	kt_strs_clear(&network->pending);
}

static bool fits_port(const struct kt_json *port, const char *name)
{
	return !name || kt_streq(kt_str_or(kt_get(port, "name"), ""), name);
}

void endpoints_of(struct network *network, const char *ns, const char *name, const char *port_name,
                  struct endpoints *out)
{
	char *key = kt_strf("%s/%s", ns, name);
	const struct kt_strs *list = table_get(&network->by_service, key);
	kt_free(key);
	for (size_t i = 0; list && i < list->count; i++) {
		const struct kt_json *slice = table_get(&network->slices, list->items[i]), *port, *item,
		                     *found = NULL;
		KT_JSON_EACH (port, kt_get(slice, "ports")) {
			if (!found && fits_port(port, port_name))
				found = port;
		}
		if (port_name && !found)
			continue;
		KT_JSON_EACH (item, kt_get(slice, "endpoints")) {
			const struct kt_json *conditions = kt_get(item, "conditions");
			const char *address = kt_str(kt_at(kt_get(item, "addresses"), 0));
			if (!address)
				continue;
			out->items = kt_grow(out->items, &out->cap, out->count + 1, sizeof(*out->items));
			out->items[out->count++] = (struct endpoint){
			        .address = address,
			        .node = kt_get_str(item, "nodeName"),
			        .host_name = kt_get_str(item, "hostname"),
			        .zone = kt_get_str(item, "zone"),
			        .pod_ns = kt_path_str(item, "targetRef.namespace"),
			        .pod = kt_path_str(item, "targetRef.name"),
			        .port = (unsigned)kt_get_int(found, "port", 0),
			        .ready = kt_get_bool(conditions, "ready", true),
			        .serving = kt_get_bool(conditions, "serving", true),
			        .terminating = kt_get_bool(conditions, "terminating", false)};
		}
	}
}

/* --- nodes, zones, links --- */
const char *node_zone(struct cluster *cluster, const char *node)
{
	const struct store_object *object =
	        node ? store_get(cluster_store(cluster), kind_of(cluster, "", "Node"), "", node) : NULL;
	return object ? view_node(object)->zone : NULL;
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
	if (network)
		network->links_known = false;
}

static bool in_group(struct cluster *cluster, const char *node, const char *group)
{
	const struct store_object *object =
	        node ? store_get(cluster_store(cluster), kind_of(cluster, "", "Node"), "", node) : NULL;
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
		return 2 * KT_MS;
	if (!strcmp(a, b))
		return 100 * KT_US;
	const char *zone_a = node_zone(cluster, a), *zone_b = node_zone(cluster, b);
	return zone_a && zone_b && strcmp(zone_a, zone_b) != 0 ? KT_MS : 500 * KT_US;
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
		if (in_cidr(address, ranges[i]))
			return true;
	}
	return false;
}

/* The one address behind all: a pod, a node, or outside. */
static void connect_to(struct cluster *cluster, const struct network_peer *from, const char *address,
                       unsigned port, const char *protocol, struct network_path *out)
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
	if (!self && !network_policy_allows(cluster, from, &to, port, protocol, out->why))
		return;
	char *key = listener_key(address, port, protocol);
	out->listener = table_get(&network->listeners, key);
	kt_free(key);
	if (!out->listener && place && !place->pod && (port == 6443 || port == 10250)) {
		out->outcome = NETWORK_OPEN;
		return;
	}
	out->outcome = out->listener ? NETWORK_OPEN : NETWORK_REFUSED;
	if (!out->listener)
		say(out, "nothing listens on %s:%u", address, port);
}

static const struct kt_json *service_port(const struct service *service, unsigned port, bool by_node_port,
                                          const char *protocol)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(service->spec, "ports")) {
		if (kt_get_int(item, by_node_port ? "nodePort" : "port", 0) == (int64_t)port &&
		    kt_streq(kt_str_or(kt_get(item, "protocol"), "TCP"), protocol))
			return item;
	}
	return NULL;
}

/* Which of the endpoints: ready ones; if there are none, serving ones that terminate (proxy terminating
 * endpoints, 1.28). */
static size_t choose(struct cluster *cluster, const struct network_peer *from, const struct service *service,
                     struct endpoints *all, const char *local)
{
	struct network *network = network_of(cluster);
	size_t n = 0;
	for (int pass = 0; pass < 2 && !n; pass++) {
		for (size_t i = 0; i < all->count; i++) {
			struct endpoint *e = &all->items[i];
			bool usable = pass ? e->serving && e->terminating : e->ready;
			if (!usable || (local && !kt_streq(e->node, local)))
				continue;
			struct endpoint swap = all->items[n];
			all->items[n++] = *e;
			*e = swap;
		}
	}
	if (!n)
		return SIZE_MAX;
	if (!kt_streq(kt_get_str(service->spec, "sessionAffinity"), "ClientIP"))
		return kt_random_below(&network->random, (uint32_t)n);
	/* the same client meets the same endpoint as long as that exists: highest hash of the pair */
	size_t best = 0;
	uint64_t most = 0;
	for (size_t i = 0; i < n; i++) {
		char *pair = kt_strf("%s %s", from->address ? from->address : "", all->items[i].address);
		uint64_t hash = kt_hash(pair, strlen(pair));
		hash ^= hash >> 29;
		hash *= 0x9E3779B97F4A7C15u;
		hash ^= hash >> 32;
		kt_free(pair);
		if (hash >= most) {
			most = hash;
			best = i;
		}
	}
	return best;
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
	size_t at = choose(cluster, from, service, &all, local);
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
		connect_to(cluster, from, address, target, protocol, out);
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
	    kt_streq(address, "0.0.0.0"))
		address = from->address ? from->address : "127.0.0.1";
	set_address(out, address);
	out->port = port;
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
	connect_to(cluster, from, address, port, protocol, out);
}

/* --- the part --- */
static const char *node_address(const struct kt_json *node)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(node, "status.addresses")) {
		if (kt_streq(kt_get_str(item, "type"), "InternalIP"))
			return kt_get_str(item, "address");
	}
	return NULL;
}

static void see_pod(struct network *network, const struct store_object *object, bool there)
{
	const struct view_pod *pod = view_pod(object);
	if (!pod->ip || pod->host_network)
		return;
	bool over = pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED;
	struct place *old = table_get(&network->places, pod->ip);
	if (there && !over) {
		if (!old || !kt_streq(old->pod, object->name) || !kt_streq(old->ns, object->ns) ||
		    !kt_streq(old->node, pod->node))
			place_set(network, pod->ip, object->ns, object->name, pod->node);
	} else if (old && kt_streq(old->pod, object->name) && kt_streq(old->ns, object->ns)) {
		table_remove(&network->places, pod->ip);
		place_free(old);
	}
}

static void see(struct cluster *cluster, struct network *network, const struct store_object *object,
                bool there, bool at_start)
{
	const char *kind = object->kind->kind;
	if (kt_streq(kind, "Pod")) {
		see_pod(network, object, there);
		const char *ip = view_pod(object)->ip;
		if (at_start && ip && !view_pod(object)->host_network && !table_get(&network->given, ip))
			*table_slot(&network->given, ip) = kt_strdup(object->uid);
	} else if (kt_streq(kind, "Node")) {
		const char *ip = node_address(object->json);
		if (ip && there && !table_get(&network->places, ip))
			place_set(network, ip, NULL, NULL, object->name);
	} else if (kt_streq(kind, "Service")) {
		service_update(network, object, there);
	} else if (kt_streq(kind, "EndpointSlice")) {
		char *key = kt_strf("%s/%s", object->ns, object->name);
		if (at_start) {
			slice_update(network, key, object->json);
		} else if (!kt_strs_has(&network->pending, key)) {
			kt_strs_add(&network->pending, key);
			if (!network->sync_timer)
				network->sync_timer = cluster_after(cluster, PROXY_DELAY, sync_slices, NULL);
		}
		kt_free(key);
	}
}

static void observe(struct cluster *cluster, void *state, const struct store_event *event)
{
	see(cluster, state, event->object, event->change != STORE_DELETED, false);
}

static void *start(struct cluster *cluster)
{
	static const struct {
		const char *group, *kind;
	} kinds[] = {{"", "Node"}, {"", "Pod"}, {"", "Service"}, {"discovery.k8s.io", "EndpointSlice"}};
	struct network *network = kt_alloc(sizeof(*network));
	const struct store_object *object;
	kt_random_init(&network->random, cluster_hash(cluster, "network"));
	for (size_t i = 0; i < KT_COUNT(kinds); i++) {
		STORE_EACH (object, cluster_store(cluster), kind_of(cluster, kinds[i].group, kinds[i].kind),
		            NULL)
			see(cluster, network, object, true, true);
	}
	traffic_start(cluster, network);
	usage_start(cluster, network);
	return network;
}

static void stop(struct cluster *cluster, void *state)
{
	struct network *network = state;
	usage_stop(cluster, network);
	traffic_stop(cluster, network);
	cluster_cancel(cluster, network->sync_timer);
	for (size_t i = 0; i < network->listeners.cap; i++)
		listener_free(network->listeners.rows[i].value);
	for (size_t i = 0; i < network->places.cap; i++)
		place_free(network->places.rows[i].value);
	for (size_t i = 0; i < network->given.cap; i++)
		kt_free(network->given.rows[i].value);
	for (size_t i = 0; i < network->slices.cap; i++)
		kt_json_free(network->slices.rows[i].value);
	for (size_t i = 0; i < network->by_service.cap; i++) {
		if (network->by_service.rows[i].value)
			kt_strs_clear(network->by_service.rows[i].value);
		kt_free(network->by_service.rows[i].value);
	}
	for (size_t i = 0; i < network->all.cap; i++)
		service_free(network->all.rows[i].value);
	struct table *tables[] = {&network->listeners, &network->places,     &network->given,
	                          &network->slices,    &network->by_service, &network->services,
	                          &network->all,       &network->node_ports, &network->next};
	for (size_t i = 0; i < KT_COUNT(tables); i++)
		table_clear(tables[i]);
	for (size_t i = 0; i < network->link_count; i++) {
		kt_free(network->links[i].a);
		kt_free(network->links[i].b);
	}
	kt_free(network->links);
	kt_strs_clear(&network->pending);
	kt_free(network);
}

const struct cluster_part network_part = {
        .name = "network", .start = start, .stop = stop, .observe = observe};

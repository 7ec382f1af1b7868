/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/kubelet/kubelet.h"
#include "cluster/network/world.h"

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

bool network_in_cidr(const char *address, const char *cidr)
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

void network_pod_address(struct cluster *cluster, const char *node, const struct store_object *pod,
                         char out[46])
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
			*given = kt_strdup(pod->uid);
			memcpy(out, text.data, text.len + 1);
			place_set(network, out, pod->ns, pod->name, node);
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
	place_free(table_get(&network->places, address));
	table_remove(&network->places, address);
}

/* --- listeners --- */
char *listener_key(const char *address, unsigned port, const char *protocol)
{
	return kt_strf("%s:%u/%s", address, port, protocol ? protocol : "TCP");
}

static void listener_free(struct network_listener *listener)
{
	if (!listener)
		return;
	const char *texts[] = {listener->address, listener->protocol,  listener->ns,
	                       listener->pod,     listener->container, listener->certificate};
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
	copy->certificate = kt_strdup(listener->certificate);
	copy->id = ++network->last_listener;
	listener_free(*slot);
	*slot = copy;
	network->epoch++;
	traffic_port_opened(network, key);
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
	network->epoch++;
	if (listener)
		traffic_port_closed(cluster, network, key);
	listener_free(listener);
	kt_free(key);
}

const struct network_listener *network_path_listener(struct cluster *cluster, const struct network_path *path)
{
	static const char *const protocols[] = {"TCP", "UDP", "SCTP"};
	const struct network_listener *found = NULL;
	for (size_t i = 0; path->listener && !found && i < KT_COUNT(protocols); i++) {
		char *key = listener_key(path->address, path->port, protocols[i]);
		const struct network_listener *there = table_get(&network_of(cluster)->listeners, key);
		found = there && there->id == path->listener ? there : NULL;
		kt_free(key);
	}
	return found;
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

void network_changed(struct cluster *cluster)
{
	struct network *network = network_of(cluster);
	if (network)
		network->epoch++;
}

static void see(struct cluster *cluster, struct network *network, const struct store_object *object,
                bool there, bool at_start)
{
	const struct schema_kind *kind = object->kind, *const *kinds = network->kinds;
	for (size_t i = 0; i < NETWORK_KINDS; i++)
		network->epoch += kind == kinds[i];
	if (kind == kinds[NETWORK_POD]) {
		see_pod(network, object, there);
		const char *ip = view_pod(object)->ip;
		if (at_start && ip && !view_pod(object)->host_network && !table_get(&network->given, ip))
			*table_slot(&network->given, ip) = kt_strdup(object->uid);
	} else if (kind == kinds[NETWORK_NODE]) {
		const char *ip = node_address(object->json);
		if (ip && there && !table_get(&network->places, ip))
			place_set(network, ip, NULL, NULL, object->name);
	} else if (kind == kinds[NETWORK_SERVICE]) {
		service_update(network, object, there);
	} else if (kind == kinds[NETWORK_SLICE]) {
		char *key = kt_strf("%s/%s", object->ns, object->name);
		if (at_start)
			slice_update(network, key, object->json);
		else
			slice_later(cluster, network, key);
		kt_free(key);
	} else {
		for (size_t i = NETWORK_INGRESS; i < NETWORK_KINDS; i++)
			network->balancers_known &= kind != kinds[i];
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
	} kinds[NETWORK_KINDS] = {
	        [NETWORK_NODE] = {"", "Node"},
	        [NETWORK_POD] = {"", "Pod"},
	        [NETWORK_SERVICE] = {"", "Service"},
	        [NETWORK_SLICE] = {"discovery.k8s.io", "EndpointSlice"},
	        [NETWORK_POLICY] = {"networking.k8s.io", "NetworkPolicy"},
	        [NETWORK_NAMESPACE] = {"", "Namespace"},
	        [NETWORK_INGRESS] = {"networking.k8s.io", "Ingress"},
	        [NETWORK_INGRESS_CLASS] = {"networking.k8s.io", "IngressClass"},
	        [NETWORK_GATEWAY] = {"gateway.networking.k8s.io", "Gateway"},
	        [NETWORK_GATEWAY_CLASS] = {"gateway.networking.k8s.io", "GatewayClass"},
	        [NETWORK_HTTP_ROUTE] = {"gateway.networking.k8s.io", "HTTPRoute"},
	        [NETWORK_REFERENCE_GRANT] = {"gateway.networking.k8s.io", "ReferenceGrant"},
	};
	struct network *network = kt_alloc(sizeof(*network));
	const struct store_object *object;
	kt_random_init(&network->random, cluster_hash(cluster, "network"));
	for (size_t i = 0; i < NETWORK_KINDS; i++)
		network->kinds[i] = kind_of(cluster, kinds[i].group, kinds[i].kind);
	for (size_t i = NETWORK_NODE; i <= NETWORK_SLICE; i++) {
		STORE_EACH (object, cluster_store(cluster), network->kinds[i], NULL)
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
	balancers_clear(cluster, network);
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

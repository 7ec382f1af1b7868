/* SPDX-License-Identifier: MIT */
/* Services as kube-proxy sees them, a little late: addresses, EndpointSlices, which endpoint is chosen. */
#include "cluster/network/network_internal.h"

#include <string.h>

/* kube-proxy notices a changed EndpointSlice and rewrites its rules after about this long. */
static const kt_ns PROXY_DELAY = 150 * KT_MS;

/* --- kube-proxy's view --- */
void service_free(struct service *service)
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

void service_update(struct network *network, const struct store_object *object, bool there)
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

void slice_update(struct network *network, const char *key, const struct kt_json *json)
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
	const struct schema_kind *kind = network->kinds[NETWORK_SLICE];
	(void)arg;
	network->sync_timer = 0;
	for (size_t i = 0; i < network->pending.count; i++) {
		const char *key = network->pending.items[i], *slash = strchr(key, '/');
		char *ns = kt_strndup(key, (size_t)(slash - key));
		const struct store_object *object = store_get(cluster_store(cluster), kind, ns, slash + 1);
		traffic_slice_changes(cluster, network, table_get(&network->slices, key),
		                      object ? object->json : NULL);
		slice_update(network, key, object ? object->json : NULL);
		kt_free(ns);
	}
	kt_strs_clear(&network->pending);
	network_changed(cluster); /* who reaches whom is another one only now */
}

void slice_later(struct cluster *cluster, struct network *network, const char *key)
{
	if (kt_strs_has(&network->pending, key))
		return;
	kt_strs_add(&network->pending, key);
	if (!network->sync_timer)
		network->sync_timer = cluster_after(cluster, PROXY_DELAY, sync_slices, NULL);
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
			        .hints = kt_get(item, "hints"),
			        .pod_ns = kt_path_str(item, "targetRef.namespace"),
			        .pod = kt_path_str(item, "targetRef.name"),
			        .port = (unsigned)kt_get_int(found, "port", 0),
			        .ready = kt_get_bool(conditions, "ready", true),
			        .serving = kt_get_bool(conditions, "serving", true),
			        .terminating = kt_get_bool(conditions, "terminating", false)};
		}
	}
}

const struct kt_json *service_port(const struct service *service, unsigned port, bool by_node_port,
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

static size_t keep(struct endpoints *all, size_t count,
                   bool (*fits)(const struct endpoint *e, const char *what), const char *what)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		if (!fits(&all->items[i], what))
			continue;
		struct endpoint swap = all->items[n];
		all->items[n++] = all->items[i];
		all->items[i] = swap;
	}
	return n;
}

static bool is_ready(const struct endpoint *e, const char *what)
{
	(void)what;
	return e->ready;
}

static bool is_going(const struct endpoint *e, const char *what)
{
	(void)what;
	return e->serving && e->terminating;
}

static bool is_on(const struct endpoint *e, const char *node)
{
	return kt_streq(e->node, node);
}

static bool is_for_zone(const struct endpoint *e, const char *zone)
{
	return kt_find(kt_get(e->hints, "forZones"), "name", zone) >= 0;
}

static bool is_for_node(const struct endpoint *e, const char *node)
{
	return kt_find(kt_get(e->hints, "forNodes"), "name", node) >= 0;
}

/* Hints count only if every endpoint has one and one is for here (kubernetes pkg/proxy/topology.go). */
static size_t near(struct cluster *cluster, struct endpoints *all, size_t count, const char *node)
{
	const char *zone = node ? node_zone(cluster, node) : NULL;
	size_t n;
	if (!node)
		return count;
	if ((n = keep(all, count, is_for_node, node)))
		return n;
	for (size_t i = 0; i < count; i++) {
		if (!kt_count(kt_get(all->items[i].hints, "forZones")))
			return count;
	}
	n = zone ? keep(all, count, is_for_zone, zone) : 0;
	return n ? n : count;
}

size_t endpoints_usable(struct cluster *cluster, const char *from_node, const char *local,
                        struct endpoints *all)
{
	for (int pass = 0; pass < 2; pass++) {
		size_t n = keep(all, all->count, pass ? is_going : is_ready, NULL);
		if (local)
			n = keep(all, n, is_on, local);
		if (n)
			return local ? n : near(cluster, all, n, from_node);
	}
	return 0;
}

/* The same client meets the same endpoint as long as that exists: highest hash of the pair. */
static size_t stick(const struct network_peer *from, const struct endpoints *all, size_t n)
{
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

size_t endpoints_choose(struct cluster *cluster, const struct network_peer *from,
                        const struct service *service, struct endpoints *all, const char *local)
{
	size_t n = endpoints_usable(cluster, from->node, local, all);
	if (!n)
		return SIZE_MAX;
	if (!kt_streq(kt_get_str(service->spec, "sessionAffinity"), "ClientIP"))
		return kt_random_below(&network_of(cluster)->random, (uint32_t)n);
	return stick(from, all, n);
}

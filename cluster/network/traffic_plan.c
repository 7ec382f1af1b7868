/* SPDX-License-Identifier: MIT */
/* Who reaches whom, worked out once for as long as nothing changes: from each load through its balancer or
 * Service to the pods that are chosen now, and from those to what they call. */
#include "cluster/network/traffic_internal.h"

#include <stdio.h>
#include <string.h>

/* --- ways --- */
static size_t index_of(const struct table *table, const char *key)
{
	uintptr_t found = (uintptr_t)table_get(table, key);
	return found ? (size_t)found - 1 : SIZE_MAX;
}

static void index_set(struct table *table, const char *key, size_t at)
{
	*table_slot(table, key) = (void *)(uintptr_t)(at + 1);
}

static struct hop hop_to(struct cluster *cluster, struct traffic *traffic, const struct network_peer *from,
                         const struct endpoint *e, kt_ns work, unsigned depth)
{
	struct network_path path;
	network_connect(cluster, from, e->address, e->port, "TCP", &path);
	struct hop hop = {.open = path.outcome == NETWORK_OPEN,
	                  .silent = path.outcome == NETWORK_TIMEOUT,
	                  .latency = (double)path.latency / 1e9,
	                  .pod = SIZE_MAX};
	snprintf(hop.address, sizeof(hop.address), "%s", e->address);
	const struct link *link = from->node && e->node ? link_between(cluster, from->node, e->node) : NULL;
	if (link && link->loss > 0) {
		hop.loss = KT_MIN(link->loss, 1);
		hop.latency = (double)link->latency / 1e9 + 0.001;
	}
	if (hop.open)
		hop.pod = plan_pod(cluster, traffic, e, work, depth);
	hop.open = hop.pod != SIZE_MAX;
	if (!hop.open)
		hop.since = traffic_closed_since(traffic, e->address, e->port);
	if (!hop.open)
		hop.why = kt_strdup(*path.why ? path.why : "the container does not run");
	return hop;
}

/* What kube-proxy (or the balancer) chooses between for this source. */
static size_t usable(struct cluster *cluster, const struct network_peer *from,
                     const struct balancer *balancer, const struct route_target *target, const char *region,
                     struct endpoints *all)
{
	int status;
	struct route_target any = *target;
	if (balancer)
		return balancer_endpoints(cluster, balancer, target, region, all, &status);
	const struct service *service = network_service(cluster, target->ns, target->service);
	const struct kt_json *port = kt_at(kt_get(service->spec, "ports"), 0);
	any.port = any.port ? any.port : kt_get(port, "port");
	const struct kt_json *wanted = service_port(service, (unsigned)kt_int_or(any.port, 0), false, "TCP");
	endpoints_of(network_of(cluster), target->ns, target->service,
	             kt_str_or(kt_get(wanted ? wanted : port, "name"), ""), all);
	const char *local =
	        kt_streq(kt_get_str(service->spec, "internalTrafficPolicy"), "Local") ? from->node : NULL;
	return endpoints_usable(cluster, from->node, local, all);
}

static char *way_key(const char *as, const struct route_target *target, const char *region)
{
	char *port = target->port ? kt_json_text(target->port) : NULL;
	char *key = kt_strf("%s > %s/%s:%s %s", as, target->ns, target->service, port ? port : "", region);
	kt_free(port);
	return key;
}

size_t plan_way(struct cluster *cluster, struct traffic *traffic, const struct network_peer *from,
                const char *as, const struct balancer *balancer, const struct route_target *target,
                const char *region, kt_ns work, unsigned depth)
{
	struct plan *plan = &traffic->plan;
	struct endpoints all = {0};
	if (!target->service || !network_service(cluster, target->ns, target->service))
		return SIZE_MAX;
	char *key = way_key(as, target, region);
	size_t at = index_of(&plan->way_by_key, key), n;
	if (at != SIZE_MAX) {
		kt_free(key);
		return at;
	}
	plan->ways = kt_grow(plan->ways, &plan->way_cap, plan->way_count + 1, sizeof(*plan->ways));
	at = plan->way_count++;
	plan->ways[at] = (struct way){
	        .key = key,
	        .balancer = balancer != NULL,
	        .work = work,
	        .flow = flow_add(traffic, FLOW_SERVICE, target->ns, target->service, cluster_now(cluster))};
	index_set(&plan->way_by_key, key, at);
	n = usable(cluster, from, balancer, target, region, &all);
	struct hop *hops = kt_alloc((n + 1) * sizeof(*hops));
	/* the array of ways may move meanwhile: a pod that is met for the first time brings its own */
	for (size_t i = 0; i < n; i++)
		hops[i] = hop_to(cluster, traffic, from, &all.items[i], work, depth);
	struct way *way = &plan->ways[at];
	way->hops = hops;
	way->count = n;
	way->caller = SIZE_MAX;
	for (size_t i = 0; i < n; i++)
		way->open += hops[i].open;
	kt_free(all.items);
	return at;
}

/* --- entries --- */
static void entry_add(struct plan *plan, size_t flow, size_t way, double share, bool fails)
{
	plan->entries =
	        kt_grow(plan->entries, &plan->entry_cap, plan->entry_count + 1, sizeof(*plan->entries));
	plan->entries[plan->entry_count++] =
	        (struct entry){.flow = flow, .way = way, .share = share, .fails = fails};
}

static void enter_service(struct cluster *cluster, struct traffic *traffic, size_t at)
{
	const struct flow flow = traffic->flows[at];
	struct network_peer outside = {.address = "203.0.113.1", .region = flow.region};
	struct route_target target = {.ns = flow.ns, .service = flow.name, .share = 1};
	size_t way = plan_way(cluster, traffic, &outside, "outside", NULL, &target, "", flow.work, 0);
	entry_add(&traffic->plan, at, way, 1, way == SIZE_MAX);
}

static void enter_targets(struct cluster *cluster, struct traffic *traffic, size_t at,
                          const struct balancer *balancer, const struct route_answer *answer,
                          const char *region, double part)
{
	struct network_peer from = {.address = balancer->address};
	for (size_t i = 0; i < answer->count; i++) {
		const struct route_target *target = &answer->targets[i];
		bool permitted = balancer_permits_backend(cluster, balancer, answer->ns, target);
		size_t way = permitted ? plan_way(cluster, traffic, &from, balancer->address, balancer,
		                                  target, region, traffic->flows[at].work, 0)
		                       : SIZE_MAX;
		entry_add(&traffic->plan, at, way, part * target->share, way == SIZE_MAX);
	}
	if (!answer->count)
		entry_add(&traffic->plan, at, SIZE_MAX, part, answer->kind != ROUTE_REDIRECT);
}

static void regions_of(struct cluster *cluster, const struct flow *flow, bool global, struct kt_strs *out)
{
	const struct store_object *node;
	if (flow->region)
		kt_strs_add(out, flow->region);
	if (flow->region || !global)
		return;
	STORE_EACH (node, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], NULL) {
		const char *region = view_node(node)->region;
		if (region && !kt_strs_has(out, region))
			kt_strs_add(out, region);
	}
	kt_strs_sort(out);
}

/* The host and path that a load without them means: of the first rule that is not a canary's. */
static void usual_target(struct cluster *cluster, const struct flow *flow, const char **address,
                         const char **host, const char **path, unsigned *port)
{
	struct network *network = network_of(cluster);
	const struct store_object *object;
	*host = flow->host ? flow->host : "";
	*path = flow->path ? flow->path : "/";
	*port = 0;
	if (flow->kind == FLOW_INGRESS) {
		object = store_get(cluster_store(cluster), network->kinds[NETWORK_INGRESS], flow->ns,
		                   flow->name);
		const struct kt_json *rule = object ? kt_path(object->json, "spec.rules.0") : NULL;
		*address = object && balancer_serves(cluster, object->json) ? BALANCER_INGRESS_ADDRESS : NULL;
		*host = flow->host ? flow->host : kt_str_or(kt_get(rule, "host"), "");
		*path = flow->path ? flow->path : kt_str_or(kt_path(rule, "http.paths.0.path"), "/");
		*port = kt_count(object ? kt_path(object->json, "spec.tls") : NULL) ? 443 : 80;
		return;
	}
	object = store_get(cluster_store(cluster), network->kinds[NETWORK_GATEWAY], flow->ns, flow->name);
	*address = object ? kt_path_str(object->json, "status.addresses.0.value") : NULL;
	if (flow->host)
		return;
	STORE_EACH (object, cluster_store(cluster), network->kinds[NETWORK_HTTP_ROUTE], NULL) {
		const struct kt_json *parent;
		KT_JSON_EACH (parent, kt_path(object->json, "spec.parentRefs")) {
			if (kt_streq(kt_get_str(parent, "name"), flow->name) &&
			    kt_streq(kt_str_or(kt_get(parent, "namespace"), object->ns), flow->ns)) {
				*host = kt_str_or(kt_path(object->json, "spec.hostnames.0"), "");
				return;
			}
		}
	}
}

static void enter_balancer(struct cluster *cluster, struct traffic *traffic, size_t at)
{
	const char *address, *host, *path;
	struct route_request request = {.method = "GET"};
	struct kt_strs regions = {0};
	usual_target(cluster, &traffic->flows[at], &address, &host, &path, &request.port);
	const struct balancer *balancer = address ? balancer_at(cluster, address) : NULL;
	if (!balancer) {
		entry_add(&traffic->plan, at, SIZE_MAX, 1, true);
		return;
	}
	request.host = host;
	request.path = path;
	request.https = request.port == 443;
	if (balancer->gateway)
		request.port = 0;
	regions_of(cluster, &traffic->flows[at], balancer->global, &regions);
	size_t count = KT_MAX(regions.count, (size_t)1);
	for (size_t i = 0; i < count; i++) {
		struct route_answer answer;
		route_find(&balancer->routes, &request, &answer);
		enter_targets(cluster, traffic, at, balancer, &answer, regions.count ? regions.items[i] : "",
		              1.0 / (double)count);
		route_answer_clear(&answer);
	}
	kt_strs_clear(&regions);
}

void plan_make(struct cluster *cluster, struct traffic *traffic)
{
	plan_clear(&traffic->plan);
	traffic->plan.epoch = network_of(cluster)->epoch;
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		if (traffic->pods.rows[i].value)
			((struct pod_load *)traffic->pods.rows[i].value)->seen = false;
	}
	/* flows of called Services are added on the way */
	for (size_t i = 0; i < traffic->count; i++) {
		if (!traffic->flows[i].given)
			continue;
		if (traffic->flows[i].kind == FLOW_SERVICE)
			enter_service(cluster, traffic, i);
		else
			enter_balancer(cluster, traffic, i);
	}
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->way_count; i++) {
		for (size_t k = 0; k < plan->ways[i].count; k++)
			kt_free(plan->ways[i].hops[k].why);
		kt_free(plan->ways[i].key);
		kt_free(plan->ways[i].hops);
	}
	for (size_t i = 0; i < plan->node_count; i++)
		kt_free(plan->nodes[i].name);
	kt_free(plan->ways);
	kt_free(plan->pods);
	kt_free(plan->entries);
	kt_free(plan->nodes);
	table_clear(&plan->way_by_key);
	table_clear(&plan->pod_by_name);
	table_clear(&plan->pod_by_owner);
	*plan = (struct plan){0};
}

/* SPDX-License-Identifier: MIT */
/* Which endpoints a balancer uses: ready ones; a global balancer's also by region and health checks. */
#include "cluster/network/balancer_internal.h"

#include <string.h>

static const kt_ns EVERY = 5 * KT_SEC;
enum { FAILURES = 2, SUCCESSES = 2 };

struct health { /* of one Service in one region */
	bool down;
	int row; /* results in a row that speak against it */
};

static char *health_key(const char *ns, const char *service, const char *region)
{
	return kt_strf("%s/%s %s", ns, service, region);
}

static const char *region_of(struct cluster *cluster, const struct endpoint *e)
{
	const char *region = e->node ? node_region(cluster, e->node) : NULL;
	return region ? region : "";
}

static bool region_down(struct cluster *cluster, const struct route_target *target, const char *region)
{
	char *key = health_key(target->ns, target->service, region);
	const struct health *health = table_get(&network_of(cluster)->regions, key);
	kt_free(key);
	return health && health->down;
}

/* --- health checks --- */
static void probe(struct cluster *cluster, const struct route_target *target, const struct endpoints *all,
                  size_t n, const char *region)
{
	struct network_peer from = {.address = "203.0.113.10"};
	struct network_path path;
	char *key = health_key(target->ns, target->service, region);
	struct health **slot = (struct health **)table_slot(&network_of(cluster)->regions, key);
	bool answered = false;
	kt_free(key);
	if (!*slot)
		*slot = kt_alloc(sizeof(**slot));
	for (size_t i = 0; i < n && !answered; i++) {
		if (strcmp(region_of(cluster, &all->items[i]), region) != 0)
			continue;
		network_connect(cluster, &from, all->items[i].address, all->items[i].port, "TCP", &path);
		answered = path.outcome == NETWORK_OPEN;
	}
	struct health *health = *slot;
	health->row = answered == health->down ? health->row + 1 : 0;
	if (health->row >= (health->down ? SUCCESSES : FAILURES)) {
		health->down = !health->down;
		network_changed(cluster);
		health->row = 0;
	}
}

static void check_target(struct cluster *cluster, const struct balancer *balancer,
                         const struct route_target *target)
{
	struct endpoints all = {0};
	struct kt_strs seen = {0};
	int status;
	size_t n = balancer_endpoints(cluster, NULL, target, "", &all, &status);
	(void)balancer;
	for (size_t i = 0; i < n; i++) {
		const char *region = region_of(cluster, &all.items[i]);
		if (!kt_strs_has(&seen, region))
			probe(cluster, target, &all, n, region);
		kt_strs_add(&seen, region);
	}
	kt_strs_clear(&seen);
	kt_free(all.items);
}

static void check(struct cluster *cluster, void *arg)
{
	struct network *network = arg;
	bool any = false;
	network->health_timer = 0;
	(void)balancer_at(cluster, "");
	for (size_t i = 0; i < network->balancers.cap; i++) {
		const struct balancer *balancer = network->balancers.rows[i].value;
		if (!balancer || !balancer->global)
			continue;
		any = true;
		for (size_t k = 0; k < route_count(&balancer->routes); k++) {
			struct route_answer targets;
			route_all(&balancer->routes, k, &targets);
			for (size_t t = 0; t < targets.count; t++)
				check_target(cluster, balancer, &targets.targets[t]);
			route_answer_clear(&targets);
		}
	}
	if (any && !network->health_timer)
		network->health_timer = cluster_after(cluster, EVERY, check, network);
}

void balancer_watch_health(struct cluster *cluster, struct network *network)
{
	bool any = false;
	for (size_t i = 0; i < network->balancers.cap; i++) {
		const struct balancer *balancer = network->balancers.rows[i].value;
		any = any || (balancer && balancer->global);
	}
	if (any && !network->health_timer)
		network->health_timer = cluster_after(cluster, EVERY, check, network);
}

/* --- choosing --- */
static size_t in_region(struct cluster *cluster, struct endpoints *all, size_t n, const char *region)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(region_of(cluster, &all->items[i]), region) != 0)
			continue;
		struct endpoint swap = all->items[kept];
		all->items[kept++] = all->items[i];
		all->items[i] = swap;
	}
	return kept;
}

/* The client's own region if it has endpoints and answers; else those that answer; if none does, all. */
static size_t by_region(struct cluster *cluster, const struct route_target *target, const char *region,
                        struct endpoints *all, size_t n)
{
	if (*region && !region_down(cluster, target, region)) {
		size_t own = in_region(cluster, all, n, region);
		if (own)
			return own;
	}
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (region_down(cluster, target, region_of(cluster, &all->items[i])))
			continue;
		struct endpoint swap = all->items[kept];
		all->items[kept++] = all->items[i];
		all->items[i] = swap;
	}
	return kept ? kept : n;
}

static const struct kt_json *port_of(const struct service *service, const struct kt_json *want)
{
	const struct kt_json *port, *ports = kt_get(service->spec, "ports");
	KT_JSON_EACH (port, ports) {
		if (!want || (kt_str(want) ? kt_streq(kt_get_str(port, "name"), kt_str(want))
		                           : kt_get_int(port, "port", 0) == kt_int_or(want, -1)))
			return port;
	}
	return NULL;
}

size_t balancer_endpoints(struct cluster *cluster, const struct balancer *balancer,
                          const struct route_target *target, const char *region, struct endpoints *out,
                          int *status)
{
	const struct service *service =
	        target->service ? network_service(cluster, target->ns, target->service) : NULL;
	const struct kt_json *port = service ? port_of(service, target->port) : NULL;
	*status = balancer && balancer->gateway && !port ? 500 : 503;
	if (!port)
		return 0;
	endpoints_of(network_of(cluster), target->ns, target->service, kt_str_or(kt_get(port, "name"), ""),
	             out);
	size_t n = endpoints_usable(cluster, NULL, NULL, out);
	return balancer && balancer->global ? by_region(cluster, target, region, out, n) : n;
}

/* SPDX-License-Identifier: MIT */
#ifndef NETWORK_BALANCER_INTERNAL_H
#define NETWORK_BALANCER_INTERNAL_H

#include "cluster/network/balancer.h"
#include "cluster/network/network_internal.h"

struct balancer_door {
	unsigned port;
	bool https;
};
struct balancer {
	char *address;
	bool gateway, global;
	struct balancer_door doors[16];
	size_t door_count;
	struct route_table routes;
};
/* The balancer with this address, its rules up to date; NULL: none. Borrowed until anything changes. */
const struct balancer *balancer_at(struct cluster *cluster, const char *address);
/* The endpoints of a target that the balancer sends to now, for a client in `region` ("" unknown). 0: HTTP
 * status in *status. */
size_t balancer_endpoints(struct cluster *cluster, const struct balancer *balancer,
                          const struct route_target *target, const char *region, struct endpoints *out,
                          int *status);
/* May a route of namespace `from` send to this target? (An Ingress has none elsewhere.) */
bool balancer_permits_backend(struct cluster *cluster, const struct balancer *balancer, const char *from,
                              const struct route_target *target);
/* Global balancers look after their backends' regions from now on. */
void balancer_watch_health(struct cluster *cluster, struct network *network);

#endif

/* SPDX-License-Identifier: MIT */
/* The cluster autoscaler's files: node_pools.c (the loop: growing), node_pools_shrink.c (which nodes may go).
 *
 * A pool is the nodes with the label ktutor.dev/pool; it may grow and shrink if they carry the annotations
 * ktutor.dev/pool-min and ktutor.dev/pool-max. ktutor.dev/price (a label, per hour) orders pools: the
 * cheapest that fits grows. A pool that shrank to nothing is remembered (cluster_keep). */
#ifndef CONTROLLER_NODE_POOLS_H
#define CONTROLLER_NODE_POOLS_H

#include "cluster/controllers/controllers_internal.h"

#define POOL_LABEL "ktutor.dev/pool"
#define POOL_MIN   "ktutor.dev/pool-min"
#define POOL_MAX   "ktutor.dev/pool-max"
#define POOL_PRICE "ktutor.dev/price"
#define POOL_GOING "ToBeDeletedByClusterAutoscaler"

struct pool {
	char *name;
	struct kt_json *model; /* a node as the next one will be */
	int64_t min, max, count;
	double price;
};
struct pools {
	struct pool *items;
	size_t count, cap;
};
struct pool *pools_named(struct pools *pools, const char *name);

/* Room: what a node has left, in milli-CPU, bytes and pods. */
struct pool_room {
	const struct kt_json *labels, *taints;
	const char *node;
	struct view_resources left;
};
bool pool_pod_fits(const struct store_object *pod, const struct pool_room *room);
struct pool_room pool_room_left(struct cluster *cluster, const struct store_object *node);
void pool_take(const struct store_object *pod, struct pool_room *room);
/* A DaemonSet's pod comes and goes with its node. */
bool pool_is_daemon(const struct store_object *pod);

/* Nodes of pools that are hardly used for ten minutes are drained and deleted. */
struct pool_idle; /* since when, by node */
void pools_shrink(struct cluster *cluster, struct controller_queue *queue, struct pools *pools,
                  struct pool_idle **idle, kt_ns grown_at);
void pool_idle_clear(struct pool_idle **idle);

#endif

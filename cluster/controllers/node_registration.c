/* SPDX-License-Identifier: MIT */
/* What is added to a Node that is new: a range for its pods' addresses (kubernetes pkg/controller/nodeipam),
 * and how long its kubelet may keep what it read of ConfigMaps and Secrets (pkg/controller/ttl). */
#include "cluster/controllers/controllers_internal.h"
#include <stdio.h>
#include <string.h>

#define TTL "node.alpha.kubernetes.io/ttl"

/* --- pod ranges --- */
static bool is_taken(struct cluster *cluster, struct controller_queue *queue, const char *range)
{
	const struct store_object *node;
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		if (kt_streq(kt_path_str(node->json, "spec.podCIDR"), range))
			return true;
	}
	return false;
}

static bool lacks_range(const struct store_object *node)
{
	const char *range = kt_path_str(node->json, "spec.podCIDR");
	return (!range || !*range) && !view_is_deleting(node->json);
}

static bool give_range(struct cluster *cluster, struct controller_queue *queue, const char *key,
                       const struct store_object *because)
{
	const struct store_object *node = controller_get(cluster, queue->kinds->node, key);
	struct api_actor actor = controller_actor(queue, because);
	unsigned index = 0;
	char range[32];
	if (!node || !lacks_range(node))
		return true;
	do
		api_pod_range(index++, range);
	while (is_taken(cluster, queue, range));
	struct kt_json *json = kt_json_ref(node->json);
	kt_set_path(&json, "spec.podCIDR", kt_json_str(range));
	kt_set_path(&json, "spec.podCIDRs", kt_jsonf("[%s]", range));
	return controller_write(cluster, &actor, node, json) != NULL;
}

static void observe_range(struct cluster *cluster, struct controller_queue *queue,
                          const struct store_event *event)
{
	if (event->object->kind == queue->kinds->node && event->change != STORE_DELETED &&
	    lacks_range(event->object))
		controller_add(cluster, queue, "", event->object->name, event->object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->node);
}

const struct controller controller_node_ipam = {
        .name = "node-ipam",
        .component = "cidrAllocator",
        .reconcile = give_range,
        .observe = observe_range,
        .start = start,
        .latency = 8 * KT_MS,
};

/* --- the more nodes, the longer --- */
static const struct {
	size_t nodes; /* up to so many */
	const char *seconds;
} boundaries[] = {{100, "0"}, {500, "15"}, {1000, "30"}, {2000, "60"}, {SIZE_MAX, "300"}};

/* Nodes that have one keep it: a crowd of nodes that all change with the last one would tell nobody anything.
 */
static bool give_ttl(struct cluster *cluster, struct controller_queue *queue, const char *key,
                     const struct store_object *because)
{
	const struct store_object *node = controller_get(cluster, queue->kinds->node, key);
	struct api_actor actor = controller_actor(queue, because);
	size_t count = store_count(cluster_store(cluster), queue->kinds->node, NULL), row = 0;
	if (!node || controller_annotation(node->json, TTL) || view_is_deleting(node->json))
		return true;
	while (count > boundaries[row].nodes)
		row++;
	struct kt_json *json = kt_json_ref(node->json);
	controller_set_annotation(&json, TTL, boundaries[row].seconds);
	return controller_write(cluster, &actor, node, json) != NULL;
}

static void observe_ttl(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_event *event)
{
	if (event->object->kind == queue->kinds->node && event->change == STORE_ADDED)
		controller_add(cluster, queue, "", event->object->name, event->object);
}

const struct controller controller_ttl = {
        .name = "ttl",
        .component = "ttl-controller",
        .reconcile = give_ttl,
        .observe = observe_ttl,
        .start = start,
        .latency = 9 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* NodePorts: host ports are free on the node. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool prefilter(struct sched_cycle *cycle)
{
	return cycle->pod->port_count > 0;
}

static bool any(const char *ip)
{
	return strcmp(ip, "0.0.0.0") == 0;
}

static bool clash(const struct sched_port *a, const struct sched_port *b)
{
	return a->port == b->port && a->protocol == b->protocol &&
	       (any(a->ip) || any(b->ip) || strcmp(a->ip, b->ip) == 0);
}

bool scheduler_wants_ports(const struct kt_json *spec)
{
	struct sched_port one;

	return sched_ports(spec, &one, 1) > 0;
}

bool scheduler_ports_clash(const struct kt_json *a_spec, const struct kt_json *b_spec)
{
	struct sched_port a[32], b[32];
	size_t count = sched_ports(a_spec, a, KT_COUNT(a)), others = sched_ports(b_spec, b, KT_COUNT(b));

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < others; j++)
			if (clash(&a[i], &b[j]))
				return true;
	return false;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	const struct sched_pod *pod = cycle->pod;

	if (!node->port_pods)
		return SCHED_OK;
	for (const struct sched_assigned *other = node->pods; other; other = other->next) {
		struct sched_port ports[32];
		size_t count;

		if (!other->has_ports || other->away)
			continue;
		count = sched_ports(view_pod(other->object)->spec, ports, KT_COUNT(ports));
		for (size_t i = 0; i < count; i++)
			for (size_t j = 0; j < pod->port_count; j++)
				if (clash(&ports[i], &pod->ports[j])) {
					sched_no(
					        verdict,
					        "node(s) didn't have free ports for the requested pod ports");
					return SCHED_UNSCHEDULABLE;
				}
	}
	return SCHED_OK;
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	(void)scheduler;
	if (change->what & SCHED_NODE_ADDED)
		return true;
	return !change->after && scheduler_ports_clash(view_pod(change->before)->spec, view_pod(pod)->spec);
}

const struct sched_plugin sched_node_ports = {.name = "NodePorts",
                                              .events = SCHED_NODE_ADDED | SCHED_POD_DELETED,
                                              .prefilter = prefilter,
                                              .filter = filter,
                                              .helps = helps};

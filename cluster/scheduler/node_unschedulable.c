/* SPDX-License-Identifier: MIT */
/* NodeUnschedulable: cordoned nodes take only pods that tolerate the taint of cordoning. */
#include "cluster/scheduler/plugins.h"

static bool prefilter(struct sched_cycle *cycle)
{
	return !cycle->pod->tolerates_unschedulable;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	(void)cycle;
	if (!node->unschedulable)
		return SCHED_OK;
	sched_no(verdict, "node(s) were unschedulable");
	return SCHED_UNRESOLVABLE;
}

static bool node_helps(const struct kt_json *spec, const struct sched_node *node)
{
	(void)spec;
	return !node->unschedulable;
}

const struct sched_plugin sched_node_unschedulable = {.name = "NodeUnschedulable",
                                                      .events = SCHED_NODE_ADDED | SCHED_NODE_TAINTS |
                                                                SCHED_POD_ITSELF,
                                                      .prefilter = prefilter,
                                                      .filter = filter,
                                                      .node_helps = node_helps};

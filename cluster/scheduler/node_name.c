/* SPDX-License-Identifier: MIT */
/* NodeName: a pod that names its node goes nowhere else. Such pods seldom reach a scheduler. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool prefilter(struct sched_cycle *cycle)
{
	return cycle->pod->view->node && *cycle->pod->view->node;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	if (strcmp(cycle->pod->view->node, node->name) == 0)
		return SCHED_OK;
	sched_no(verdict, "node(s) didn't match the requested node name");
	return SCHED_UNRESOLVABLE;
}

const struct sched_plugin sched_node_name = {
        .name = "NodeName", .events = SCHED_NODE_ADDED, .prefilter = prefilter, .filter = filter};

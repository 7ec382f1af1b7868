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

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	(void)scheduler;
	if (change->what & SCHED_POD_ITSELF) {
		struct kt_json *taint =
		        kt_jsonf("{key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule'}");
		bool tolerated = scheduler_tolerates(kt_get(view_pod(pod)->spec, "tolerations"), taint);

		kt_json_free(taint);
		return tolerated;
	}
	return (!change->before || view_node(change->before)->unschedulable) &&
	       !view_node(change->after)->unschedulable;
}

const struct sched_plugin sched_node_unschedulable = {.name = "NodeUnschedulable",
                                                      .events = SCHED_NODE_ADDED | SCHED_NODE_TAINTS |
                                                                SCHED_POD_ITSELF,
                                                      .prefilter = prefilter,
                                                      .filter = filter,
                                                      .helps = helps};

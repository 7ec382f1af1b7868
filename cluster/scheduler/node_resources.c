/* SPDX-License-Identifier: MIT */
/* NodeResourcesFit (with LeastAllocated) and NodeResourcesBalancedAllocation. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

/* Pods of the same or a higher priority that were promised the node by preemption count as if they were
 * there. */
static void nominated(struct sched_cycle *cycle, const struct sched_node *node, int64_t *cpu, int64_t *memory,
                      int64_t *pods)
{
	struct scheduler *scheduler = cycle->scheduler;

	if (!scheduler->nominated)
		return;
	for (struct sched_item *item = scheduler->items; item; item = item->hh.next) {
		const struct store_object *other;

		if (!item->nominated || strcmp(item->nominated, node->name) != 0 ||
		    item->priority < cycle->pod->priority ||
		    strcmp(item->uid, cycle->pod->object->uid) == 0 ||
		    sched_assigned_find(scheduler, item->uid))
			continue;
		other = store_get_uid(cluster_store(scheduler->cluster), item->uid);
		if (!other)
			continue;
		*cpu += view_pod(other)->requests.cpu_milli;
		*memory += view_pod(other)->requests.memory;
		*pods += 1;
	}
}

static const char *insufficient(struct scheduler *scheduler, const char *name)
{
	struct kt_buf text = {0};
	const char *word;

	kt_buf_addf(&text, "Insufficient %s", name);
	word = sched_word(scheduler, kt_buf_str(&text));
	kt_buf_clear(&text);
	return word;
}

static void lacks(struct sched_verdict *verdict, enum sched_code *code, const char *reason, bool never)
{
	sched_no(verdict, reason);
	if (never)
		*code = SCHED_UNRESOLVABLE;
	else if (*code == SCHED_OK)
		*code = SCHED_UNSCHEDULABLE;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	const struct sched_pod *pod = cycle->pod;
	enum sched_code code = SCHED_OK;
	int64_t cpu = node->cpu, memory = node->memory, pods = node->pod_count;

	if (cycle->scheduler->nominated)
		nominated(cycle, node, &cpu, &memory, &pods);
	if (pods + 1 > node->cap_pods)
		lacks(verdict, &code, "Too many pods", false);
	if (pod->cpu > 0 && pod->cpu > node->cap_cpu - cpu)
		lacks(verdict, &code, "Insufficient cpu", pod->cpu > node->cap_cpu);
	if (pod->memory > 0 && pod->memory > node->cap_memory - memory)
		lacks(verdict, &code, "Insufficient memory", pod->memory > node->cap_memory);
	if (pod->ephemeral > 0 && pod->ephemeral > node->cap_ephemeral - node->ephemeral)
		lacks(verdict, &code, "Insufficient ephemeral-storage", pod->ephemeral > node->cap_ephemeral);
	for (size_t i = 0; i < pod->extended_count; i++) {
		int64_t has = 0, used = 0;

		for (size_t j = 0; j < node->extended_count; j++)
			if (node->extended[j].name == pod->extended[i].name) {
				has = node->extended[j].amount;
				used = node->extended[j].used;
			}
		if (pod->extended[i].amount > 0 && pod->extended[i].amount > has - used)
			lacks(verdict, &code, insufficient(cycle->scheduler, pod->extended[i].name),
			      pod->extended[i].amount > has);
	}
	return code;
}

static bool fits_alone(const struct view_resources *requests, const struct view_node *node)
{
	const struct view_resources *has = &node->allocatable;

	return has->pods >= 1 && requests->cpu_milli <= has->cpu_milli && requests->memory <= has->memory &&
	       requests->ephemeral <= has->ephemeral;
}

static bool less(const struct view_resources *wanted, const struct view_resources *before,
                 const struct view_resources *after)
{
	return (wanted->cpu_milli && after->cpu_milli < before->cpu_milli) ||
	       (wanted->memory && after->memory < before->memory) ||
	       (wanted->ephemeral && after->ephemeral < before->ephemeral);
}

static bool pod_helps(const struct store_object *pod, const struct sched_change *change)
{
	if (!change->after || strcmp(change->after->uid, pod->uid) == 0)
		return true;
	return change->before && less(&view_pod(pod)->requests, &view_pod(change->before)->requests,
	                              &view_pod(change->after)->requests);
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	(void)scheduler;
	if (change->what & (SCHED_POD_DELETED | SCHED_POD_ADDED | SCHED_POD_ITSELF))
		return pod_helps(pod, change);
	return fits_alone(&view_pod(pod)->requests, view_node(change->after));
}

static int64_t least(int64_t asked, int64_t has)
{
	return has <= 0 || asked > has ? 0 : (has - asked) * SCHED_MAX_SCORE / has;
}

static void score_least(struct sched_cycle *cycle, int64_t *scores)
{
	const struct sched_pod *pod = cycle->pod;

	for (size_t i = 0; i < cycle->feasible_count; i++) {
		const struct sched_node *node = cycle->feasible[i];

		scores[i] = (least(node->nz_cpu + pod->nz_cpu, node->cap_cpu) +
		             least(node->nz_memory + pod->nz_memory, node->cap_memory)) /
		            2;
	}
}

const struct sched_plugin sched_node_resources = {.name = "NodeResourcesFit",
                                                  .events = SCHED_NODE_ADDED | SCHED_NODE_RESOURCES |
                                                            SCHED_POD_DELETED | SCHED_POD_ITSELF,
                                                  .filter = filter,
                                                  .helps = helps,
                                                  .weight = 1,
                                                  .score = score_least};

static double fraction(int64_t asked, int64_t has)
{
	double part = has > 0 ? (double)asked / (double)has : 1;

	return part > 1 ? 1 : part;
}

/* A pod that asks for nothing does not change the balance. */
static bool prescore_balanced(struct sched_cycle *cycle)
{
	return cycle->pod->cpu || cycle->pod->memory;
}

static void score_balanced(struct sched_cycle *cycle, int64_t *scores)
{
	const struct sched_pod *pod = cycle->pod;

	for (size_t i = 0; i < cycle->feasible_count; i++) {
		const struct sched_node *node = cycle->feasible[i];
		double cpu = fraction(node->cpu + pod->cpu, node->cap_cpu);
		double memory = fraction(node->memory + pod->memory, node->cap_memory);
		double apart = cpu > memory ? (cpu - memory) / 2 : (memory - cpu) / 2;

		scores[i] = (int64_t)((1 - apart) * SCHED_MAX_SCORE);
	}
}

const struct sched_plugin sched_balanced_allocation = {.name = "NodeResourcesBalancedAllocation",
                                                       .weight = 1,
                                                       .prescore = prescore_balanced,
                                                       .score = score_balanced};

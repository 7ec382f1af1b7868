/* SPDX-License-Identifier: MIT */
/* One scheduling cycle: filter enough nodes, score them, take the best. Source: kubernetes
 * pkg/scheduler/schedule_one.go. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

void sched_no(struct sched_verdict *verdict, const char *reason)
{
	if (verdict->count < SCHED_REASONS)
		verdict->reasons[verdict->count++] = reason;
}

/* Half of a hundred nodes, less of more, never less than 100 nodes or 5 %. */
size_t sched_sample(size_t nodes)
{
	size_t percent;

	if (nodes < 100)
		return nodes;
	percent = nodes / 125 < 45 ? 50 - nodes / 125 : 5;
	return KT_MAX(nodes * percent / 100, (size_t)100);
}

void sched_normalise(int64_t *scores, size_t count, bool reverse)
{
	int64_t most = 0;

	for (size_t i = 0; i < count; i++)
		most = KT_MAX(most, scores[i]);
	for (size_t i = 0; i < count; i++) {
		if (most)
			scores[i] = scores[i] * SCHED_MAX_SCORE / most;
		if (reverse)
			scores[i] = SCHED_MAX_SCORE - scores[i];
	}
}

enum sched_code sched_filter(struct sched_cycle *cycle, struct sched_node *node,
                             struct sched_verdict *verdict)
{
	verdict->count = 0;
	if (cycle->names && !sched_names_node(cycle->names, node->name)) {
		sched_no(verdict, "node(s) didn't satisfy plugin(s) [NodeAffinity]");
		verdict->code = SCHED_UNRESOLVABLE;
		verdict->plugin = cycle->names_bit;
		return SCHED_UNRESOLVABLE;
	}
	for (unsigned i = 0; i < cycle->active_count; i++) {
		enum sched_code code = cycle->active[i]->filter(cycle, node, verdict);

		if (code == SCHED_OK)
			continue;
		verdict->code = (uint8_t)code;
		verdict->plugin = cycle->active_bit[i];
		return code;
	}
	verdict->code = SCHED_OK;
	return SCHED_OK;
}

/* Which plugins have something to say. False: one refuses all nodes (cycle->reject). */
static bool prefilter(struct sched_cycle *cycle, unsigned *rejected_by)
{
	cycle->active_count = 0;
	for (unsigned i = 0; sched_plugins[i]; i++) {
		const struct sched_plugin *plugin = sched_plugins[i];

		if (!plugin->filter)
			continue;
		if (plugin->prefilter && !plugin->prefilter(cycle)) {
			if (!cycle->reject)
				continue;
			*rejected_by |= 1U << i;
			return false;
		}
		if (plugin == &sched_node_affinity)
			cycle->names_bit = (uint8_t)i;
		cycle->active[cycle->active_count] = plugin;
		cycle->active_bit[cycle->active_count++] = (uint8_t)i;
	}
	return true;
}

static void find_feasible(struct sched_cycle *cycle, unsigned *rejected_by)
{
	struct scheduler *scheduler = cycle->scheduler;
	size_t count = scheduler->node_count, wanted = sched_sample(count), looked = 0;

	for (; looked < count && cycle->feasible_count < wanted; looked++) {
		struct sched_node *node = scheduler->order[(scheduler->next_start + looked) % count];
		struct sched_verdict *verdict = &scheduler->verdicts[node->index];

		if (sched_filter(cycle, node, verdict) == SCHED_OK)
			cycle->feasible[cycle->feasible_count++] = node;
		else
			*rejected_by |= 1U << verdict->plugin;
	}
	scheduler->next_start = (scheduler->next_start + looked) % count;
}

/* --- the message --- */

struct reason {
	const char *text;
	size_t count;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "3 Insufficient cpu, 1 node(s) …" sorted as strings, as the real one sorts them. */
void sched_reasons(struct scheduler *scheduler, struct kt_buf *out)
{
	struct reason reasons[64];
	size_t count = 0;
	struct kt_strs lines = {0};

	for (size_t n = 0; n < scheduler->index_cap; n++) {
		const struct sched_verdict *verdict = &scheduler->verdicts[n];

		if (!scheduler->by_index[n])
			continue;
		for (size_t r = 0; r < verdict->count; r++) {
			size_t i = 0;

			while (i < count && strcmp(reasons[i].text, verdict->reasons[r]) != 0)
				i++;
			if (i == KT_COUNT(reasons))
				continue;
			if (i == count)
				reasons[count++] = (struct reason){.text = verdict->reasons[r]};
			reasons[i].count++;
		}
	}
	for (size_t i = 0; i < count; i++)
		kt_strs_steal(&lines, kt_strf("%zu %s", reasons[i].count, reasons[i].text));
	if (lines.count)
		qsort(lines.items, lines.count, sizeof(lines.items[0]), by_text);
	for (size_t i = 0; i < lines.count; i++)
		kt_buf_addf(out, "%s%s", i ? ", " : "", lines.items[i]);
	kt_strs_clear(&lines);
}

/* --- scoring --- */

static struct sched_node *best(struct sched_cycle *cycle)
{
	struct scheduler *scheduler = cycle->scheduler;
	int64_t *totals = scheduler->totals, most = INT64_MIN;
	size_t count = cycle->feasible_count, ties = 0;
	struct sched_node *chosen = NULL;
	struct kt_random random;

	memset(totals, 0, count * sizeof(*totals));
	for (unsigned i = 0; sched_plugins[i]; i++) {
		const struct sched_plugin *plugin = sched_plugins[i];

		if (!plugin->score || (plugin->prescore && !plugin->prescore(cycle)))
			continue;
		plugin->score(cycle, scheduler->scores);
		for (size_t n = 0; n < count; n++)
			totals[n] += plugin->weight * scheduler->scores[n];
	}
	/* Among equals one by the seed and the pod, whatever happened before. */
	kt_random_init(&random, cluster_hash(scheduler->cluster, cycle->pod->object->uid));
	for (size_t n = 0; n < count; n++) {
		if (totals[n] < most)
			continue;
		if (totals[n] > most) {
			most = totals[n];
			ties = 1;
			chosen = cycle->feasible[n];
		} else if (kt_random_below(&random, (uint32_t)++ties) == 0) {
			chosen = cycle->feasible[n];
		}
	}
	return chosen;
}

static char *no_nodes(void)
{
	return kt_strdup("no nodes available to schedule pods");
}

static char *refused(struct sched_cycle *cycle, const char *nominated, char **new_nominated)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct kt_buf text = {0}, half = {0};

	kt_buf_addf(&text, "0/%zu nodes are available: ", scheduler->node_count);
	if (cycle->reject) {
		/* The claims plugin of 1.34 finds no state of its own then, and says so. */
		kt_buf_addf(&text, "%s. not found", cycle->reject);
		return kt_buf_take(&text);
	}
	sched_reasons(scheduler, &text);
	*new_nominated = sched_preempt(cycle, nominated, &half);
	kt_buf_addc(&text, '.');
	if (half.len) /* made room: nothing more is said */
		kt_buf_addf(&text, " no new claims to deallocate, preemption: %s", kt_buf_str(&half));
	kt_buf_clear(&half);
	return kt_buf_take(&text);
}

struct sched_node *sched_choose(struct scheduler *scheduler, struct sched_pod *pod, const char *nominated,
                                unsigned *rejected_by, char **message, char **new_nominated)
{
	struct sched_cycle cycle = {.scheduler = scheduler, .pod = pod, .feasible = scheduler->feasible};
	struct sched_node *node = nominated ? sched_node_find(scheduler, nominated) : NULL;

	*rejected_by = 0;
	*message = *new_nominated = NULL;
	if (!scheduler->node_count) {
		*message = no_nodes();
		return NULL;
	}
	sched_order(scheduler);
	if (prefilter(&cycle, rejected_by)) {
		/* What preemption made room on is tried first. */
		if (node && sched_filter(&cycle, node, &scheduler->verdicts[node->index]) == SCHED_OK)
			return node;
		find_feasible(&cycle, rejected_by);
	}
	if (!cycle.feasible_count) {
		*message = refused(&cycle, nominated, new_nominated);
		kt_free(cycle.reject);
		return NULL;
	}
	return cycle.feasible_count == 1 ? cycle.feasible[0] : best(&cycle);
}

/* SPDX-License-Identifier: MIT */
/* Preemption: the node where the fewest and least important pods must go. Source: kubernetes
 * pkg/scheduler/framework/preemption and plugins/defaultpreemption. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

#define VICTIMS 256

struct candidate {
	struct sched_node *node;
	struct sched_assigned *victims[VICTIMS];
	size_t count, violations;
	int64_t priority_sum;
	int32_t highest;
	kt_ns latest_start; /* of the highest victims the earliest */
};

static kt_ns started(struct scheduler *scheduler, const struct sched_assigned *pod)
{
	const struct store_object *object = store_get_uid(cluster_store(scheduler->cluster), pod->uid);
	const char *text = object ? kt_path_str(object->json, "status.startTime") : NULL;
	kt_ns at = 0;

	return text && kt_time_parse(text, &at) ? at : cluster_now(scheduler->cluster);
}

static bool matches_nothing(const struct kt_json *selector)
{
	return !kt_count(kt_get(selector, "matchLabels")) && !kt_count(kt_get(selector, "matchExpressions"));
}

/* Does the budget heed this pod? Here one with an empty selector heeds nobody, and those whose eviction was
 * allowed are reckoned with already. */
static bool heeds(const struct store_object *budget, const struct sched_assigned *pod,
                  const struct store_object *object)
{
	const struct kt_json *selector = kt_path(budget->json, "spec.selector");

	return kt_count(pod->class->labels) && !matches_nothing(selector) &&
	       view_selector_matches(selector, pod->class->labels) && object &&
	       !kt_get(kt_path(budget->json, "status.disruptedPods"), object->name);
}

/* Would its end break a budget? Budgets already used up by this preemption count in `used`. */
static bool violates(struct scheduler *scheduler, const struct sched_assigned *pod, int64_t *used, size_t cap)
{
	struct store *store = cluster_store(scheduler->cluster);
	const struct store_object *budget, *object = store_get_uid(store, pod->uid);
	bool broken = false;
	size_t i = 0;

	STORE_EACH (budget, store, scheduler->budgets, pod->class->ns) {
		if (i >= cap)
			break;
		if (heeds(budget, pod, object) &&
		    ++used[i] > kt_path_int(budget->json, "status.disruptionsAllowed", 0))
			broken = true;
		i++;
	}
	return broken;
}

/* Higher priority first, then those that run longer. */
static bool more_important(struct scheduler *scheduler, const struct sched_assigned *a,
                           const struct sched_assigned *b)
{
	kt_ns one, two;

	if (a->priority != b->priority)
		return a->priority > b->priority;
	one = started(scheduler, a);
	two = started(scheduler, b);
	return one != two ? one < two : strcmp(a->uid, b->uid) < 0;
}

static void sort_by_importance(struct scheduler *scheduler, struct sched_assigned **pods, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct sched_assigned *pod = pods[i];
		size_t j = i;

		for (; j > 0 && more_important(scheduler, pod, pods[j - 1]); j--)
			pods[j] = pods[j - 1];
		pods[j] = pod;
	}
}

static void away(struct scheduler *scheduler, struct sched_assigned *pod, bool gone)
{
	sched_account(scheduler, pod, gone ? -1 : 1);
	pod->away = gone;
}

static bool fits(struct sched_cycle *cycle, struct sched_node *node, struct sched_verdict *verdict)
{
	/* Spread and affinity look at sums that just changed. */
	for (unsigned i = 0; i < cycle->active_count; i++)
		if (cycle->active[i]->prefilter)
			(void)!cycle->active[i]->prefilter(cycle);
	return sched_filter(cycle, node, verdict) == SCHED_OK;
}

/* Who must go from `node`: all that are less important, but for those that can stay after all. */
static bool select_victims(struct sched_cycle *cycle, struct candidate *candidate,
                           struct sched_verdict *verdict)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct sched_node *node = candidate->node;
	struct sched_assigned *lower[VICTIMS];
	bool violating[VICTIMS] = {false};
	int64_t used[64] = {0};
	size_t count = 0;
	bool good;

	for (struct sched_assigned *pod = node->pods; pod; pod = pod->next)
		if (pod->priority < cycle->pod->priority && count < VICTIMS)
			lower[count++] = pod;
	verdict->count = 0;
	if (!count) {
		sched_no(verdict, "No preemption victims found for incoming pod");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		away(scheduler, lower[i], true);
	good = fits(cycle, node, verdict);
	if (good) {
		sort_by_importance(scheduler, lower, count);
		for (size_t i = 0; i < count; i++)
			violating[i] = violates(scheduler, lower[i], used, KT_COUNT(used));
		for (int pass = 0; pass < 2; pass++) { /* those with a budget are spared first */
			for (size_t i = 0; i < count; i++) {
				struct sched_verdict unused = {0};

				if (violating[i] != (pass == 0))
					continue;
				away(scheduler, lower[i], false);
				if (fits(cycle, node, &unused))
					continue;
				away(scheduler, lower[i], true);
				candidate->violations += violating[i];
				candidate->victims[candidate->count++] = lower[i];
			}
		}
	}
	for (size_t i = 0; i < count; i++)
		if (lower[i]->away)
			away(scheduler, lower[i], false);
	if (!good)
		return false;
	candidate->highest = INT32_MIN;
	for (size_t i = 0; i < candidate->count; i++) {
		candidate->highest = KT_MAX(candidate->highest, candidate->victims[i]->priority);
		candidate->priority_sum += (int64_t)candidate->victims[i]->priority + INT32_MAX + 1LL;
	}
	candidate->latest_start = INT64_MAX;
	for (size_t i = 0; i < candidate->count; i++)
		if (candidate->victims[i]->priority == candidate->highest)
			candidate->latest_start =
			        KT_MIN(candidate->latest_start, started(scheduler, candidate->victims[i]));
	return true;
}

static bool better(const struct candidate *a, const struct candidate *b)
{
	if (a->violations != b->violations)
		return a->violations < b->violations;
	if (a->highest != b->highest)
		return a->highest < b->highest;
	if (a->priority_sum != b->priority_sum)
		return a->priority_sum < b->priority_sum;
	if (a->count != b->count)
		return a->count < b->count;
	return a->latest_start > b->latest_start;
}

static void end_victims(struct sched_cycle *cycle, const struct candidate *chosen)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct store *store = cluster_store(scheduler->cluster);
	struct kt_strs uids = {0};

	for (size_t i = 0; i < chosen->count; i++)
		kt_strs_add(&uids, chosen->victims[i]->uid); /* the entries go with their pods */
	for (size_t i = 0; i < uids.count; i++) {
		const struct store_object *pod = store_ref(store_get_uid(store, uids.items[i]));
		struct api_actor actor = sched_actor(cycle->pod->object);
		struct api_delete_options options = {.grace = -1, .uid = uids.items[i]};
		struct kt_json *json;

		if (!pod)
			continue;
		json = kt_json_ref(pod->json);
		api_disruption_target(kt_edit(&json, "status"), "PreemptionByScheduler",
		                      "default-scheduler: preempting to accommodate a higher priority pod",
		                      kt_path_int(pod->json, "metadata.generation", 0),
		                      cluster_now(scheduler->cluster));
		api_update_status(scheduler->cluster, &actor, scheduler->pods, json, NULL);
		api_delete(scheduler->cluster, &actor, scheduler->pods, pod->ns, pod->name, &options, NULL);
		api_event(scheduler->cluster, &actor, pod, "Normal", "Preempted", NULL, NULL,
		          "Preempted by pod %s on node %s", cycle->pod->object->uid, chosen->node->name);
		store_unref(pod);
	}
	kt_strs_clear(&uids);
}

static bool preempted(struct scheduler *scheduler, const struct sched_assigned *pod)
{
	const struct store_object *object = store_get_uid(cluster_store(scheduler->cluster), pod->uid);
	const struct kt_json *conditions = object ? kt_path(object->json, "status.conditions") : NULL;
	ptrdiff_t at = kt_find(conditions, "type", "DisruptionTarget");
	const struct kt_json *target = at < 0 ? NULL : kt_at(conditions, (size_t)at);

	return pod->deleting && kt_streq(kt_get_str(target, "status"), "True") &&
	       kt_streq(kt_get_str(target, "reason"), "PreemptionByScheduler");
}

/* Victims of an earlier preemption are still going from the node where this pod is to go, which does not
 * matter where it cannot go there after all. */
static bool still_going(struct sched_cycle *cycle, const char *nominated)
{
	struct scheduler *scheduler = cycle->scheduler;
	const struct sched_node *node = nominated ? sched_node_find(scheduler, nominated) : NULL;

	if (!node || scheduler->verdicts[node->index].code == SCHED_UNRESOLVABLE)
		return false;
	for (const struct sched_assigned *pod = node->pods; pod; pod = pod->next)
		if (pod->priority < cycle->pod->priority && preempted(scheduler, pod))
			return true;
	return false;
}

/* Less important pods that were promised the room on `node` are promised it no more. */
static void withdraw(struct sched_cycle *cycle, const char *node)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct api_actor actor = sched_actor(cycle->pod->object);
	struct sched_item *item, *next;

	HASH_ITER (hh, scheduler->items, item, next) {
		const struct store_object *pod;
		struct kt_json *json;

		if (item->priority >= cycle->pod->priority || !kt_streq(item->nominated, node))
			continue;
		sched_nominate(scheduler, item, NULL);
		pod = store_get_uid(cluster_store(scheduler->cluster), item->uid);
		if (!pod)
			continue;
		json = kt_json_ref(pod->json);
		kt_unset(kt_edit(&json, "status"), "nominatedNodeName");
		api_update_status(scheduler->cluster, &actor, scheduler->pods, json, NULL);
	}
}

char *sched_preempt(struct sched_cycle *cycle, const char *nominated, struct kt_buf *text)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct candidate *one, *chosen = NULL;
	size_t found = 0, wanted = KT_MAX(scheduler->node_count / 10, (size_t)100);
	char *name;

	if (cycle->pod->never_preempts) {
		kt_buf_adds(text, "not eligible due to preemptionPolicy=Never.");
		return NULL;
	}
	if (still_going(cycle, nominated)) {
		kt_buf_adds(text, "not eligible due to a terminating pod on the nominated node.");
		return NULL;
	}
	one = kt_alloc(sizeof(*one));
	for (size_t i = 0; i < scheduler->node_count && found < wanted; i++) {
		struct sched_node *node = scheduler->order[i];
		struct sched_verdict *verdict = &scheduler->verdicts[node->index];

		if (verdict->code != SCHED_UNSCHEDULABLE) {
			verdict->count = 0;
			sched_no(verdict, "Preemption is not helpful for scheduling");
			continue;
		}
		*one = (struct candidate){.node = node};
		if (!select_victims(cycle, one, verdict))
			continue;
		found++;
		if (!chosen || better(one, chosen)) {
			struct candidate *swap = chosen ? chosen : kt_alloc(sizeof(*swap));

			chosen = one;
			one = swap;
		}
	}
	kt_buf_addf(text, "0/%zu nodes are available: ", scheduler->node_count);
	sched_reasons(scheduler, text);
	kt_buf_addc(text, '.');
	name = kt_strdup(chosen ? chosen->node->name : "");
	if (chosen) {
		kt_buf_cut(text, 0);
		withdraw(cycle, name);
		end_victims(cycle, chosen);
	}
	kt_free(chosen);
	kt_free(one);
	return name;
}

/* SPDX-License-Identifier: MIT */
/* InterPodAffinity: near some pods, away from others; both what the pod says and what those that are there
 * say. Source: kubernetes pkg/scheduler/framework/plugins/interpodaffinity. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool prefilter(struct sched_cycle *cycle)
{
	const struct sched_pod *pod = cycle->pod;

	return pod->affinity_count || pod->anti_count || pod->against_count;
}

static int32_t in_domain(struct scheduler *scheduler, struct sched_tally *tally,
                         const struct sched_topo *topo, const struct sched_node *node)
{
	int32_t domain = topo->domain[node->index];

	return domain < 0 ? 0 : sched_tally_sum(scheduler, tally, topo)[domain];
}

static bool affinity_met(struct sched_cycle *cycle, const struct sched_node *node)
{
	struct sched_pod *pod = cycle->pod;
	bool met = true;

	for (size_t i = 0; i < pod->affinity_count; i++) {
		const struct sched_topo *topo = pod->affinity[i].topo;

		if (topo->domain[node->index] < 0)
			return false;
		if (in_domain(cycle->scheduler, &pod->all_affinity->tally, topo, node) <= 0)
			met = false;
	}
	/* The first pod of a group that wants to be together finds nobody to be near to. */
	return met || (!pod->all_affinity->tally.total && pod->self_affinity);
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	struct sched_pod *pod = cycle->pod;

	if (pod->affinity_count && !affinity_met(cycle, node)) {
		sched_no(verdict, "node(s) didn't match pod affinity rules");
		return SCHED_UNRESOLVABLE;
	}
	for (size_t i = 0; i < pod->anti_count; i++)
		if (in_domain(cycle->scheduler, &pod->anti[i].counter->tally, pod->anti[i].topo, node) > 0) {
			sched_no(verdict, "node(s) didn't match pod anti-affinity rules");
			return SCHED_UNSCHEDULABLE;
		}
	for (size_t i = 0; i < pod->against_count; i++)
		if (in_domain(cycle->scheduler, &pod->against[i]->tally, pod->against[i]->topo, node) > 0) {
			sched_no(verdict, "node(s) didn't satisfy existing pods anti-affinity rules");
			return SCHED_UNSCHEDULABLE;
		}
	return SCHED_OK;
}

/* --- what may help --- */

static const struct kt_json *required(const struct store_object *pod, const char *kind)
{
	return kt_get(kt_get(kt_get(view_pod(pod)->spec, "affinity"), kind),
	              "requiredDuringSchedulingIgnoredDuringExecution");
}

/* No terms match nothing: that a pod objects to goes is not noticed (podMatchesAllAffinityTerms). */
static bool matches_all(struct scheduler *scheduler, const struct store_object *pod,
                        const struct kt_json *terms, const struct store_object *other)
{
	const struct kt_json *term;

	KT_JSON_EACH (term, terms) {
		struct sched_match match = sched_term_match(term);
		bool matched = sched_matches(scheduler, &match, pod->ns, other->ns, view_labels(other->json));

		sched_match_clear(&match);
		if (!matched)
			return false;
	}
	return kt_count(terms) > 0;
}

static bool pod_helps(struct scheduler *scheduler, const struct store_object *pod,
                      const struct sched_change *change)
{
	const struct kt_json *near = required(pod, "podAffinity"), *away = required(pod, "podAntiAffinity");
	bool was_away = change->before && matches_all(scheduler, pod, away, change->before);

	if (!change->after)
		return was_away;
	if (matches_all(scheduler, pod, near, change->after) &&
	    !(change->before && matches_all(scheduler, pod, near, change->before)))
		return true;
	return was_away && !matches_all(scheduler, pod, away, change->after);
}

/* It came to a domain, or left one; any node that is added may be away from everybody. */
static bool node_helps(const struct store_object *pod, const struct sched_change *change)
{
	const struct kt_json *term;
	const char *const kinds[] = {"podAffinity", "podAntiAffinity"};

	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		KT_JSON_EACH (term, required(pod, kinds[i])) {
			const char *key = kt_str_or(kt_get(term, "topologyKey"), "");
			const struct kt_json *before =
			                             change->before
			                                     ? kt_get(view_node(change->before)->labels, key)
			                                     : NULL,
			                     *after = kt_get(view_node(change->after)->labels, key);

			if (kt_equal(before, after) ? i == 1 && !change->before
			    : i == 0                ? after != NULL
			                            : before || !change->before)
				return true;
		}
	return false;
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	if (change->what & (SCHED_POD_ADDED | SCHED_POD_DELETED))
		return pod_helps(scheduler, pod, change);
	return node_helps(pod, change);
}

static bool prescore(struct sched_cycle *cycle)
{
	return cycle->pod->preferred_count || cycle->pod->liked_count;
}

static void score(struct sched_cycle *cycle, int64_t *scores)
{
	struct sched_pod *pod = cycle->pod;
	int64_t least = INT64_MAX, most = INT64_MIN;

	for (size_t n = 0; n < cycle->feasible_count; n++) {
		const struct sched_node *node = cycle->feasible[n];
		int64_t sum = 0;

		for (size_t i = 0; i < pod->preferred_count; i++)
			sum += pod->preferred_terms[i].weight *
			       in_domain(cycle->scheduler, &pod->preferred_terms[i].counter->tally,
			                 pod->preferred_terms[i].topo, node);
		for (size_t i = 0; i < pod->liked_count; i++)
			sum += pod->liked[i]->weight *
			       in_domain(cycle->scheduler, &pod->liked[i]->tally, pod->liked[i]->topo, node);
		scores[n] = sum;
		least = KT_MIN(least, sum);
		most = KT_MAX(most, sum);
	}
	for (size_t n = 0; n < cycle->feasible_count; n++)
		scores[n] = most > least ? SCHED_MAX_SCORE * (scores[n] - least) / (most - least) : 0;
}

const struct sched_plugin sched_inter_pod_affinity = {.name = "InterPodAffinity",
                                                      .events = SCHED_NODE_ADDED | SCHED_NODE_LABELS |
                                                                SCHED_POD_ADDED | SCHED_POD_DELETED,
                                                      .prefilter = prefilter,
                                                      .filter = filter,
                                                      .helps = helps,
                                                      .weight = 2,
                                                      .prescore = prescore,
                                                      .score = score};

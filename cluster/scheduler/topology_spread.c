/* SPDX-License-Identifier: MIT */
/* PodTopologySpread, with the default constraints (hostname 3, zone 5, ScheduleAnyway) for pods of Services
 * and workloads. Source: kubernetes pkg/scheduler/framework/plugins/podtopologyspread (filtering.go,
 * scoring.go). */
#include <math.h>
#include <string.h>

#include "cluster/scheduler/plugins.h"

/* Does a node count for the constraint? */
static bool counts(const struct sched_pod *pod, const struct sched_constraint *one,
                   const struct sched_node *node)
{
	const struct kt_json *taint;

	if (one->honor_affinity && (pod->node_selector || pod->required) &&
	    !scheduler_wants_node(pod->spec, node->view->labels, node->name))
		return false;
	if (!one->honor_taints || !node->tainted)
		return true;
	KT_JSON_EACH (taint, node->view->taints) {
		if (!kt_streq(kt_get_str(taint, "effect"), "PreferNoSchedule") &&
		    !scheduler_tolerates(pod->tolerations, taint))
			return false;
	}
	return true;
}

static bool has_all(const struct sched_constraint *all, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++)
		if (all[i].topo->domain[index] < 0)
			return false;
	return true;
}

/* Matching pods by domain, over the nodes that count; and in *seen which domains there are. */
static void count_domains(struct sched_cycle *cycle, struct sched_constraint *all, size_t count,
                          struct sched_constraint *one, bool need_all, uint8_t *seen)
{
	struct scheduler *scheduler = cycle->scheduler;
	const struct sched_pod *pod = cycle->pod;
	bool some = (one->honor_affinity && (pod->node_selector || pod->required)) || one->honor_taints ||
	            count > 1;

	if (!some) {
		one->sum = sched_tally_sum(scheduler, &one->counter->tally, one->topo);
		if (!seen)
			return;
	} else {
		kt_free(one->own_sum);
		one->own_sum = kt_alloc((one->topo->count + 1) * sizeof(*one->own_sum));
		one->sum = one->own_sum;
	}
	for (size_t i = 0; i < scheduler->index_cap; i++) {
		const struct sched_node *node = scheduler->by_index[i];
		int32_t domain = one->topo->domain[i];

		if (!node || domain < 0 ||
		    (some && ((need_all && !has_all(all, count, i)) || !counts(pod, one, node))))
			continue;
		if (some)
			one->own_sum[domain] += one->counter->tally.node[i];
		if (seen)
			seen[domain] = 1;
	}
}

static bool prefilter(struct sched_cycle *cycle)
{
	struct sched_pod *pod = cycle->pod;

	for (size_t i = 0; i < pod->hard_count; i++) {
		struct sched_constraint *one = &pod->hard[i];
		uint8_t *seen = kt_alloc(one->topo->count + 1);
		int64_t domains = 0;

		count_domains(cycle, pod->hard, pod->hard_count, one, true, seen);
		one->min = INT32_MAX;
		for (size_t d = 0; d < one->topo->count; d++) {
			if (!seen[d])
				continue;
			domains++;
			one->min = KT_MIN(one->min, one->sum[d]);
		}
		if (domains < one->min_domains || !domains)
			one->min = 0;
		kt_free(seen);
	}
	return pod->hard_count > 0;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	struct sched_pod *pod = cycle->pod;

	for (size_t i = 0; i < pod->hard_count; i++) {
		const struct sched_constraint *one = &pod->hard[i];
		int32_t domain = one->topo->domain[node->index];

		if (domain < 0) {
			sched_no(verdict, "node(s) didn't match pod topology spread constraints (missing "
			                  "required label)");
			return SCHED_UNRESOLVABLE;
		}
		if (one->sum[domain] + one->self - one->min > one->max_skew) {
			sched_no(verdict, "node(s) didn't match pod topology spread constraints");
			return SCHED_UNSCHEDULABLE;
		}
	}
	return SCHED_OK;
}

/* --- what may help --- */

static bool hard(const struct kt_json *constraint)
{
	return kt_streq(kt_get_str(constraint, "whenUnsatisfiable"), "DoNotSchedule");
}

static bool selects(const struct kt_json *constraint, const struct store_object *pod)
{
	return hard(constraint) &&
	       view_selector_matches(kt_get(constraint, "labelSelector"), view_labels(pod->json));
}

static bool has_keys(const struct kt_json *constraints, const struct store_object *node)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, constraints)
		if (hard(one) && !kt_get(view_node(node)->labels, kt_str_or(kt_get(one, "topologyKey"), "")))
			return false;
	return true;
}

static bool moved(const struct kt_json *constraints, const struct store_object *before,
                  const struct store_object *after)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, constraints) {
		const char *key = kt_str_or(kt_get(one, "topologyKey"), "");

		if (hard(one) &&
		    !kt_equal(kt_get(view_node(before)->labels, key), kt_get(view_node(after)->labels, key)))
			return true;
	}
	return !kt_equal(view_node(before)->taints, view_node(after)->taints);
}

static bool node_helps(const struct kt_json *constraints, const struct sched_change *change)
{
	bool had = change->before && has_keys(constraints, change->before),
	     has = change->after && has_keys(constraints, change->after);

	if (had != has)
		return true;
	return had && moved(constraints, change->before, change->after);
}

static bool honors_taints(const struct kt_json *constraints)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, constraints)
		if (hard(one) && kt_streq(kt_get_str(one, "nodeTaintsPolicy"), "Honor"))
			return true;
	return false;
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	const struct kt_json *constraints = kt_get(view_pod(pod)->spec, "topologySpreadConstraints"), *one;
	const struct store_object *other = change->after ? change->after : change->before;
	size_t selecting = 0;

	(void)scheduler;
	if (change->what & (SCHED_NODE_ADDED | SCHED_NODE_GONE | SCHED_NODE_LABELS | SCHED_NODE_TAINTS))
		return node_helps(constraints, change);
	if (strcmp(other->ns, pod->ns) != 0)
		return false;
	if ((change->what & SCHED_POD_ITSELF) && honors_taints(constraints) &&
	    !kt_equal(kt_get(view_pod(change->before)->spec, "tolerations"),
	              kt_get(view_pod(change->after)->spec, "tolerations")))
		return true;
	KT_JSON_EACH (one, constraints) {
		bool selected = selects(one, other);

		selecting += selected;
		if (change->before && change->after && selected != selects(one, change->before))
			return true;
	}
	return !(change->before && change->after) && selecting;
}

/* Hostname counts are read off the node; the others by domain. The weight grows with the number of domains,
 * so that few large ones do not drown many small ones. */
static bool prescore(struct sched_cycle *cycle)
{
	struct sched_pod *pod = cycle->pod;
	bool need_all = !pod->default_spread;

	for (size_t i = 0; i < pod->soft_count; i++) {
		struct sched_constraint *one = &pod->soft[i];
		size_t domains = 0;

		if (!one->topo->hostname)
			count_domains(cycle, pod->soft, need_all ? pod->soft_count : 1, one, need_all, NULL);
		if (one->topo->hostname) {
			for (size_t n = 0; n < cycle->feasible_count; n++)
				domains += !need_all ||
				           has_all(pod->soft, pod->soft_count, cycle->feasible[n]->index);
		} else {
			uint8_t *seen = kt_alloc(one->topo->count + 1);

			for (size_t n = 0; n < cycle->feasible_count; n++) {
				int32_t domain = one->topo->domain[cycle->feasible[n]->index];

				if (domain >= 0 && !seen[domain]) {
					seen[domain] = 1;
					domains++;
				}
			}
			kt_free(seen);
		}
		one->weight = log((double)domains + 2);
	}
	return pod->soft_count > 0;
}

static void score(struct sched_cycle *cycle, int64_t *scores)
{
	struct sched_pod *pod = cycle->pod;
	bool need_all = !pod->default_spread;
	int64_t least = INT64_MAX, most = 0;

	for (size_t n = 0; n < cycle->feasible_count; n++) {
		size_t index = cycle->feasible[n]->index;
		double sum = 0;

		if (need_all && !has_all(pod->soft, pod->soft_count, index)) {
			scores[n] = -1; /* does not take part */
			continue;
		}
		for (size_t i = 0; i < pod->soft_count; i++) {
			const struct sched_constraint *one = &pod->soft[i];
			int32_t domain = one->topo->domain[index], count;

			if (domain < 0)
				continue;
			count = one->topo->hostname ? one->counter->tally.node[index] : one->sum[domain];
			sum += (double)count * one->weight + (double)(one->max_skew - 1);
		}
		scores[n] = (int64_t)(sum + 0.5);
		least = KT_MIN(least, scores[n]);
		most = KT_MAX(most, scores[n]);
	}
	for (size_t n = 0; n < cycle->feasible_count; n++) {
		if (scores[n] < 0)
			scores[n] = 0;
		else
			scores[n] =
			        most ? SCHED_MAX_SCORE * (most + least - scores[n]) / most : SCHED_MAX_SCORE;
	}
}

const struct sched_plugin sched_topology_spread = {
        .name = "PodTopologySpread",
        .events = SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_NODE_GONE | SCHED_NODE_TAINTS |
                  SCHED_POD_ADDED | SCHED_POD_DELETED | SCHED_POD_ITSELF,
        .prefilter = prefilter,
        .filter = filter,
        .helps = helps,
        .weight = 2,
        .prescore = prescore,
        .score = score};

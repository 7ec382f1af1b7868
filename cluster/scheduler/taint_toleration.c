/* SPDX-License-Identifier: MIT */
/* TaintToleration: taints that are not tolerated keep a pod away, or make a node less liked. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

bool scheduler_tolerates(const struct kt_json *tolerations, const struct kt_json *taint)
{
	const char *key = kt_str_or(kt_get(taint, "key"), ""), *value = kt_str_or(kt_get(taint, "value"), "");
	const char *effect = kt_str_or(kt_get(taint, "effect"), "");
	const struct kt_json *one;

	KT_JSON_EACH (one, tolerations) {
		const char *its_effect = kt_get_str(one, "effect"), *its_key = kt_get_str(one, "key");
		const char *operator= kt_str_or(kt_get(one, "operator"), "Equal");

		if (its_effect && *its_effect && strcmp(its_effect, effect) != 0)
			continue;
		if (its_key && *its_key && strcmp(its_key, key) != 0)
			continue;
		if (strcmp(operator, "Exists") == 0 ||
		    (its_key && *its_key && strcmp(kt_str_or(kt_get(one, "value"), ""), value) == 0))
			return true;
	}
	return false;
}

static bool tolerates_all(const struct kt_json *tolerations, const struct kt_json *taints)
{
	const struct kt_json *taint;

	KT_JSON_EACH (taint, taints)
		if (!kt_streq(kt_get_str(taint, "effect"), "PreferNoSchedule") &&
		    !scheduler_tolerates(tolerations, taint))
			return false;
	return true;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	if (!node->tainted || tolerates_all(cycle->pod->tolerations, node->view->taints))
		return SCHED_OK;
	sched_no(verdict, "node(s) had untolerated taint(s)");
	return SCHED_UNRESOLVABLE;
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	const struct kt_json *tolerations = kt_get(view_pod(pod)->spec, "tolerations");

	(void)scheduler;
	if (change->what & SCHED_POD_ITSELF)
		return !kt_equal(tolerations, kt_get(view_pod(change->before)->spec, "tolerations"));
	return tolerates_all(tolerations, view_node(change->after)->taints) &&
	       !(change->before && tolerates_all(tolerations, view_node(change->before)->taints));
}

static bool prescore(struct sched_cycle *cycle)
{
	for (size_t i = 0; i < cycle->feasible_count; i++)
		if (cycle->feasible[i]->soft_tainted)
			return true;
	return false;
}

static void score(struct sched_cycle *cycle, int64_t *scores)
{
	for (size_t i = 0; i < cycle->feasible_count; i++) {
		const struct kt_json *taint;

		scores[i] = 0;
		KT_JSON_EACH (taint, cycle->feasible[i]->view->taints) {
			if (kt_streq(kt_get_str(taint, "effect"), "PreferNoSchedule") &&
			    !scheduler_tolerates(cycle->pod->tolerations, taint))
				scores[i]++;
		}
	}
	sched_normalise(scores, cycle->feasible_count, true);
}

const struct sched_plugin sched_taint_toleration = {.name = "TaintToleration",
                                                    .events = SCHED_NODE_ADDED | SCHED_NODE_TAINTS |
                                                              SCHED_POD_ITSELF,
                                                    .filter = filter,
                                                    .helps = helps,
                                                    .weight = 3,
                                                    .prescore = prescore,
                                                    .score = score};

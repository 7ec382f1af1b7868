/* SPDX-License-Identifier: MIT */
/* NodeAffinity: nodeSelector, required and preferred node affinity
 * (component-helpers/scheduling/corev1/nodeaffinity). */
#include <stdlib.h>
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool in_values(const struct kt_json *values, const char *value)
{
	const struct kt_json *one;

	KT_JSON_EACH (one, values) {
		if (value && strcmp(kt_str_or(one, ""), value) == 0)
			return true;
	}
	return false;
}

static bool number(const char *text, long long *out)
{
	char *end;

	if (!text || !*text)
		return false;
	*out = strtoll(text, &end, 10);
	return !*end;
}

static bool requirement(const struct kt_json *one, const char *value)
{
	const char *operator= kt_str_or(kt_get(one, "operator"), "");
	const struct kt_json *values = kt_get(one, "values");
	long long have, want;

	if (strcmp(operator, "In") == 0)
		return in_values(values, value);
	if (strcmp(operator, "NotIn") == 0)
		return !in_values(values, value);
	if (strcmp(operator, "Exists") == 0)
		return value != NULL;
	if (strcmp(operator, "DoesNotExist") == 0)
		return value == NULL;
	if (!number(value, &have) || !number(kt_str(kt_at(values, 0)), &want))
		return false;
	return strcmp(operator, "Gt") == 0 ? have > want : have < want;
}

static bool term_takes(const struct kt_json *term, const struct kt_json *labels, const char *name)
{
	const struct kt_json *expressions = kt_get(term, "matchExpressions"),
	                     *fields = kt_get(term, "matchFields"), *one;

	if (!kt_count(expressions) && !kt_count(fields))
		return false;
	KT_JSON_EACH (one, expressions) {
		if (!requirement(one, kt_get_str(labels, kt_str_or(kt_get(one, "key"), ""))))
			return false;
	}
	KT_JSON_EACH (one, fields) {
		if (!kt_streq(kt_get_str(one, "key"), "metadata.name") || !requirement(one, name))
			return false;
	}
	return true;
}

bool scheduler_selects_node(const struct kt_json *node_selector, const struct kt_json *labels,
                            const char *name)
{
	const struct kt_json *term;

	KT_JSON_EACH (term, kt_get(node_selector, "nodeSelectorTerms")) {
		if (term_takes(term, labels, name))
			return true;
	}
	return false;
}

static bool wants(const struct kt_json *map, const struct kt_json *required, const struct kt_json *labels,
                  const char *name)
{
	for (size_t i = 0; i < kt_count(map); i++)
		if (!kt_streq(kt_get_str(labels, kt_key(map, i)), kt_str_or(kt_at(map, i), "")))
			return false;
	return !required || scheduler_selects_node(required, labels, name);
}

bool scheduler_wants_node(const struct kt_json *pod_spec, const struct kt_json *labels, const char *name)
{
	return wants(
	        kt_get(pod_spec, "nodeSelector"),
	        kt_path(pod_spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution"),
	        labels, name);
}

static const struct kt_json *named(const struct kt_json *term)
{
	const struct kt_json *field;

	KT_JSON_EACH (field, kt_get(term, "matchFields"))
		if (kt_streq(kt_get_str(field, "key"), "metadata.name") &&
		    kt_streq(kt_get_str(field, "operator"), "In"))
			return kt_get(field, "values");
	return NULL;
}

static bool all_named(const struct kt_json *required)
{
	const struct kt_json *term, *terms = kt_get(required, "nodeSelectorTerms");

	KT_JSON_EACH (term, terms)
		if (!named(term))
			return false;
	return kt_count(terms) > 0;
}

bool sched_names_node(const struct kt_json *required, const char *name)
{
	const struct kt_json *term;

	KT_JSON_EACH (term, kt_get(required, "nodeSelectorTerms"))
		if (in_values(named(term), name))
			return true;
	return false;
}

static bool prefilter(struct sched_cycle *cycle)
{
	if (all_named(cycle->pod->required)) /* a DaemonSet's pods: only these nodes are looked at */
		cycle->names = cycle->pod->required;
	return cycle->pod->node_selector || cycle->pod->required;
}

static bool takes(const struct store_object *pod, const struct store_object *node)
{
	return node && scheduler_wants_node(view_pod(pod)->spec, view_node(node)->labels, node->name);
}

static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	(void)scheduler;
	return takes(pod, change->after) && !takes(pod, change->before);
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	const struct sched_pod *pod = cycle->pod;

	if (wants(pod->node_selector, pod->required, node->view->labels, node->name))
		return SCHED_OK;
	sched_no(verdict, "node(s) didn't match Pod's node affinity/selector");
	return SCHED_UNRESOLVABLE;
}

static bool prescore(struct sched_cycle *cycle)
{
	return kt_count(cycle->pod->preferred) > 0;
}

static void score(struct sched_cycle *cycle, int64_t *scores)
{
	for (size_t i = 0; i < cycle->feasible_count; i++) {
		const struct sched_node *node = cycle->feasible[i];
		const struct kt_json *one;

		scores[i] = 0;
		KT_JSON_EACH (one, cycle->pod->preferred) {
			if (term_takes(kt_get(one, "preference"), node->view->labels, node->name))
				scores[i] += kt_get_int(one, "weight", 0);
		}
	}
	sched_normalise(scores, cycle->feasible_count, false);
}

const struct sched_plugin sched_node_affinity = {.name = "NodeAffinity",
                                                 .events = SCHED_NODE_ADDED | SCHED_NODE_LABELS,
                                                 .prefilter = prefilter,
                                                 .filter = filter,
                                                 .helps = helps,
                                                 .weight = 2,
                                                 .prescore = prescore,
                                                 .score = score};

/* SPDX-License-Identifier: MIT */
/* Which nodes a pod may stand on at all: those over which a spread is counted (Kubernetes does the same with
 * nodeAffinityPolicy: Honor). */
#include "checker/checker_internal.h"

#include <stdlib.h>
#include <string.h>

static bool tolerates(const struct kt_json *pod, const struct kt_json *taint)
{
	const struct kt_json *t;
	const char *effect = kt_get_str(taint, "effect"), *key = kt_get_str(taint, "key");
	KT_JSON_EACH (t, kt_path(pod, "spec.tolerations")) {
		const char *its_effect = kt_get_str(t, "effect"), *its_key = kt_get_str(t, "key");
		bool exists = kt_streq(kt_get_str(t, "operator"), "Exists");
		if (its_effect && *its_effect && !kt_streq(its_effect, effect))
			continue;
		if (exists && (!its_key || !*its_key))
			return true;
		if (kt_streq(its_key, key) && (exists || kt_streq(kt_str_or(kt_get(t, "value"), ""),
		                                                  kt_str_or(kt_get(taint, "value"), ""))))
			return true;
	}
	return false;
}

static bool requirement_fits(const struct kt_json *requirement, const char *value)
{
	const char *op = kt_str_or(kt_get(requirement, "operator"), "");
	const struct kt_json *item, *values = kt_get(requirement, "values");
	bool in = false;
	KT_JSON_EACH (item, values)
		in = in || kt_streq(kt_str(item), value);
	if (kt_streq(op, "In"))
		return value && in;
	if (kt_streq(op, "NotIn"))
		return !value || !in;
	if (kt_streq(op, "Exists") || kt_streq(op, "DoesNotExist"))
		return kt_streq(op, "Exists") == (value != NULL);
	long mine = value ? strtol(value, NULL, 10) : 0,
	     bound = strtol(kt_str_or(kt_at(values, 0), "0"), NULL, 10);
	return value && (kt_streq(op, "Gt") ? mine > bound : mine < bound);
}

/* Whoever asks for a place by its name is not kept from the others: it keeps away from them. */
static bool names_place(const char *key, const char *over)
{
	return kt_streq(key, over) || kt_streq(key, "kubernetes.io/hostname") ||
	       kt_starts(key, "topology.kubernetes.io/");
}

/* Any term fits whose requirements all do; no terms: every node. */
static bool affinity_fits(const struct kt_json *node, const struct kt_json *terms, const char *over)
{
	const struct kt_json *term, *r;
	KT_JSON_EACH (term, terms) {
		bool all =
		        kt_count(kt_get(term, "matchExpressions")) || kt_count(kt_get(term, "matchFields"));
		KT_JSON_EACH (r, kt_get(term, "matchExpressions")) {
			const char *key = kt_str_or(kt_get(r, "key"), "");
			all = all && (names_place(key, over) ||
			              requirement_fits(r, kt_get_str(kt_path(node, "metadata.labels"), key)));
		}
		KT_JSON_EACH (r, kt_get(term, "matchFields"))
			all = all && requirement_fits(r, kt_path_str(node, "metadata.name"));
		if (all)
			return true;
	}
	return !kt_count(terms);
}

static bool takes(const struct kt_json *node, const struct kt_json *pod, const char *over)
{
	const struct kt_json *taint, *label, *selector = kt_path(pod, "spec.nodeSelector");
	KT_JSON_EACH (taint, kt_path(node, "spec.taints"))
		if (!kt_streq(kt_get_str(taint, "effect"), "PreferNoSchedule") && !tolerates(pod, taint))
			return false;
	KT_JSON_EACH (label, selector)
		if (!names_place(kt_key(selector, label_i), over) &&
		    !kt_equal(label, kt_get(kt_path(node, "metadata.labels"), kt_key(selector, label_i))))
			return false;
	return affinity_fits(node,
	                     kt_path(pod, "spec.affinity.nodeAffinity."
	                                  "requiredDuringSchedulingIgnoredDuringExecution."
	                                  "nodeSelectorTerms"),
	                     over);
}

bool check_takes_one_of(const struct kt_json *node, const struct kt_json *pods, const char *over)
{
	const struct kt_json *pod;
	if (kt_path_bool(node, "spec.unschedulable", false))
		return false;
	KT_JSON_EACH (pod, pods)
		if (takes(node, pod, over))
			return true;
	return false;
}

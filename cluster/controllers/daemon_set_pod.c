/* SPDX-License-Identifier: MIT */
/* A daemon's pod for one node (kubernetes pkg/controller/daemon/util/daemonset_util.go). */
#include "cluster/controllers/daemon_set.h"
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *effect;
	bool host_network;
} tolerated[] = {
        {"node.kubernetes.io/not-ready", "NoExecute", false},
        {"node.kubernetes.io/unreachable", "NoExecute", false},
        {"node.kubernetes.io/disk-pressure", "NoSchedule", false},
        {"node.kubernetes.io/memory-pressure", "NoSchedule", false},
        {"node.kubernetes.io/pid-pressure", "NoSchedule", false},
        {"node.kubernetes.io/unschedulable", "NoSchedule", false},
        {"node.kubernetes.io/network-unavailable", "NoSchedule", true},
};

static struct kt_json *tolerations_of(const struct kt_json *spec)
{
	struct kt_json *list = kt_json_ref(kt_get(spec, "tolerations"));
	bool host = kt_get_bool(spec, "hostNetwork", false);
	for (size_t i = 0; i < KT_COUNT(tolerated); i++) {
		if (tolerated[i].host_network && !host)
			continue;
		struct kt_json *one = kt_jsonf("{key: %s, operator: 'Exists', effect: %s}", tolerated[i].key,
		                               tolerated[i].effect);
		bool there = false;
		for (size_t k = 0; k < kt_count(list); k++)
			there |= kt_equal(kt_at(list, k), one);
		if (there)
			kt_json_free(one);
		else
			kt_push(&list, one);
	}
	return list;
}

struct kt_json *daemon_pod(const struct store_object *set, const char *node, const char *hash)
{
	const struct kt_json *template = kt_path(set->json, "spec.template");
	char *generate = kt_strf("%s-", set->name);
	struct kt_json *pod = controller_pod_from_template(set, template, NULL, generate);
	kt_free(generate);
	const char *generation = controller_annotation(set->json, "deprecated.daemonset.template.generation");
	controller_set_label(&pod, DAEMON_HASH, hash);
	controller_set_label(&pod, "pod-template-generation", generation ? generation : "1");
	kt_set_path(&pod, "spec.tolerations", tolerations_of(kt_get(template, "spec")));
	kt_set_path(&pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
	            kt_jsonf("{nodeSelectorTerms: [{matchFields: [{key: 'metadata.name', operator: 'In', "
	                     "values: [%s]}]}]}",
	                     node));
	return pod;
}

/* --- node selectors (component-helpers/scheduling/corev1/nodeaffinity) --- */
static bool requirement_fits(const struct kt_json *requirement, const char *value)
{
	const char *op = kt_str_or(kt_get(requirement, "operator"), "");
	const struct kt_json *values = kt_get(requirement, "values");
	if (kt_streq(op, "Exists"))
		return value != NULL;
	if (kt_streq(op, "DoesNotExist"))
		return value == NULL;
	if (kt_streq(op, "In"))
		return value && kt_has_word(values, value);
	if (kt_streq(op, "NotIn"))
		return !value || !kt_has_word(values, value);
	if (!value || !kt_str(kt_at(values, 0)))
		return false;
	long long have = strtoll(value, NULL, 10), bound = strtoll(kt_str(kt_at(values, 0)), NULL, 10);
	return kt_streq(op, "Gt") ? have > bound : kt_streq(op, "Lt") && have < bound;
}

static bool term_fits(const struct kt_json *term, const struct kt_json *labels, const char *node)
{
	const struct kt_json *expression;
	size_t total = kt_count(kt_get(term, "matchExpressions")) + kt_count(kt_get(term, "matchFields"));
	KT_JSON_EACH (expression, kt_get(term, "matchExpressions")) {
		const char *key = kt_str_or(kt_get(expression, "key"), "");
		if (!requirement_fits(expression, kt_get_str(labels, key)))
			return false;
	}
	KT_JSON_EACH (expression, kt_get(term, "matchFields")) {
		if (!requirement_fits(expression, node))
			return false;
	}
	return total > 0;
}

bool controller_affinity_fits(const struct kt_json *spec, const struct kt_json *labels, const char *node)
{
	const struct kt_json *selector = kt_get(spec, "nodeSelector"), *term;
	for (size_t i = 0; i < kt_count(selector); i++) {
		if (!kt_streq(kt_get_str(labels, kt_key(selector, i)), kt_str(kt_at(selector, i))))
			return false;
	}
	const struct kt_json *required =
	        kt_path(spec, "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
	if (!required)
		return true;
	KT_JSON_EACH (term, kt_get(required, "nodeSelectorTerms")) {
		if (term_fits(term, labels, node))
			return true;
	}
	return false;
}

void daemon_fits(const struct store_object *set, const struct store_object *node, bool *run, bool *stay)
{
	const struct kt_json *spec = kt_path(set->json, "spec.template.spec"), *taint;
	const char *name = kt_get_str(spec, "nodeName");
	*run = *stay = (!name || !*name || kt_streq(name, node->name)) &&
	               controller_affinity_fits(spec, view_node(node)->labels, node->name);
	if (!*run)
		return;
	struct kt_json *tolerations = tolerations_of(spec);
	KT_JSON_EACH (taint, view_node(node)->taints) {
		const char *effect = kt_str_or(kt_get(taint, "effect"), "");
		if (kt_streq(effect, "PreferNoSchedule") || controller_tolerates(tolerations, taint))
			continue;
		*run = false;
		if (kt_streq(effect, "NoExecute"))
			*stay = false;
	}
	kt_json_free(tolerations);
}

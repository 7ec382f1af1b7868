/* SPDX-License-Identifier: MIT */
/* Cluster roles that gather the rules of others (kubernetes pkg/controller/clusterroleaggregation). */
#include "cluster/controllers/controllers_internal.h"

static bool has_rule(const struct kt_json *rules, const struct kt_json *rule)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, rules) {
		if (kt_equal(item, rule))
			return true;
	}
	return false;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *role = controller_get(cluster, queue->kinds->cluster_role, key), *other;
	const struct kt_json *selectors =
	        role ? kt_path(role->json, "aggregationRule.clusterRoleSelectors") : NULL;
	const struct kt_json *selector, *rule;
	if (!selectors)
		return true;
	struct kt_json *rules = kt_json_array();
	KT_JSON_EACH (selector, selectors) {
		STORE_EACH (other, cluster_store(cluster), queue->kinds->cluster_role, NULL) {
			if (other == role || !view_selector_matches(selector, view_labels(other->json)))
				continue;
			KT_JSON_EACH (rule, kt_get(other->json, "rules")) {
				if (!has_rule(rules, rule))
					kt_push(&rules, kt_json_ref(rule));
			}
		}
	}
	if (kt_equal(rules, kt_get(role->json, "rules")) ||
	    (!kt_count(rules) && !kt_count(kt_get(role->json, "rules")))) {
		kt_json_free(rules);
		return true;
	}
	struct api_actor actor = controller_actor(queue, because ? because : role);
	struct kt_json *json = kt_json_ref(role->json);
	/* a role that gathers nothing has no rules: null */
	if (kt_count(rules) == 0) {
		kt_json_free(rules);
		rules = kt_json_null();
	}
	kt_set(&json, "rules", rules);
	return controller_write(cluster, &actor, role, json) != NULL;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *role;
	if (event->object->kind != queue->kinds->cluster_role)
		return;
	STORE_EACH (role, cluster_store(cluster), queue->kinds->cluster_role, NULL) {
		if (kt_get(role->json, "aggregationRule"))
			controller_add(cluster, queue, "", role->name, event->object);
	}
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *role;
	STORE_EACH (role, cluster_store(cluster), queue->kinds->cluster_role, NULL) {
		if (kt_get(role->json, "aggregationRule"))
			controller_add(cluster, queue, "", role->name, NULL);
	}
}

const struct controller controller_role_aggregation = {
        .name = "clusterrole-aggregation",
        .component = "clusterrole-aggregation-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 20 * KT_MS,
};

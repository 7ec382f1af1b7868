/* SPDX-License-Identifier: MIT */
/* The eviction subresource by a table of cases: the pod's state, the budget's status, what becomes of it.
 * Facts of pkg/registry/core/pod/storage/eviction.go and its tests. */
#include "tests/cluster/api/api_test.h"

#include "cluster/api/api.h"

static void put(struct cluster *cluster, const char *group, const char *kind, struct kt_json *json)
{
	kt_set_path(&json, "metadata.uid", kt_json_strf("%s-%s", kind, kt_path_str(json, "metadata.name")));
	kt_set_path(&json, "metadata.namespace", kt_json_str("default"));
	kt_set_path(&json, "metadata.generation", kt_json_int(1));
	store_put(cluster_store(cluster), schema_stored(cluster_schema(cluster), group, kind), json,
	          cluster_now(cluster), NULL);
}

#define BUSY  "Cannot evict pod as it would violate the pod's disruption budget."
#define NEEDS "The disruption budget budget needs 2 healthy pods and has 2 currently"
#define SEVERAL                                                                                              \
	"This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
static const struct row {
	const char *name, *phase;
	bool ready, deleting;
	int allowed, healthy, desired, observed; /* of the budget; observed -1: there is none */
	const char *policy;                      /* unhealthyPodEvictionPolicy */
	int budgets;
	int code; /* 0: evicted */
	const char *message, *cause;
	int left; /* disruptionsAllowed afterwards */
} rows[] = {
        {"no budget", "Running", true, false, 0, 0, 0, -1, NULL, 0, 0, NULL, NULL, 0},
        {"room in the budget", "Running", true, false, 1, 3, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"no room", "Running", true, false, 0, 2, 2, 1, NULL, 1, 429, BUSY, NEEDS, 0},
        {"the budget is not up to date", "Running", true, false, 1, 3, 2, 0, NULL, 1, 429, BUSY,
         "The disruption budget budget is still being processed by the server.", 1},
        {"less than nothing allowed", "Running", true, false, -1, 2, 2, 1, NULL, 1, 403,
         "pdb disruptions allowed is negative", NULL, -1},
        {"two budgets", "Running", true, false, 1, 3, 2, 1, NULL, 2, 500, SEVERAL, NULL, 1},
        {"pending pods do not count", "Pending", false, false, 0, 2, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"nor do succeeded ones", "Succeeded", false, false, 0, 2, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"nor failed ones", "Failed", false, false, 0, 2, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"nor those that go", "Running", true, true, 0, 2, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"pending, with two budgets", "Pending", false, false, 0, 2, 2, 1, NULL, 2, 0, NULL, NULL, 0},
        {"unready, the others are enough", "Running", false, false, 0, 2, 2, 1, NULL, 1, 0, NULL, NULL, 0},
        {"unready, the others are not enough", "Running", false, false, 0, 1, 2, 1, NULL, 1, 429, BUSY,
         "The disruption budget budget needs 2 healthy pods and has 1 currently", 0},
        {"unready, nobody is wanted", "Running", false, false, 0, 0, 0, 1, NULL, 1, 429, BUSY,
         "The disruption budget budget needs 0 healthy pods and has 0 currently", 0},
        {"unready, room in the budget", "Running", false, false, 1, 1, 0, 1, NULL, 1, 0, NULL, NULL, 0},
        {"unready, if healthy budget", "Running", false, false, 0, 1, 2, 1, "IfHealthyBudget", 1, 429, BUSY,
         "The disruption budget budget needs 2 healthy pods and has 1 currently", 0},
        {"unready, always allowed", "Running", false, false, 0, 1, 2, 1, "AlwaysAllow", 1, 0, NULL, NULL, 0},
        {"ready, always allowed", "Running", true, false, 0, 2, 2, 1, "AlwaysAllow", 1, 429, BUSY, NEEDS, 0},
};

static void prepare(struct cluster *cluster, const struct row *row)
{
	struct kt_json *pod =
	        kt_jsonf("{metadata: {name: 'web', labels: {app: 'web'}}, spec: {nodeName: 'worker-1', "
	                 "terminationGracePeriodSeconds: 30, containers: [{name: 'c', image: 'nginx'}]}, "
	                 "status: {phase: %s, "
	                 "conditions: [{type: 'Ready', status: %s}]}}",
	                 row->phase, row->ready ? "True" : "False");
	if (row->deleting) {
		kt_set_path(&pod, "metadata.deletionTimestamp", kt_json_str("2026-01-01T00:01:00Z"));
		kt_set_path(&pod, "metadata.deletionGracePeriodSeconds", kt_json_int(30));
	}
	put(cluster, "", "Pod", pod);
	for (int i = 0; i < row->budgets; i++)
		put(cluster, "policy", "PodDisruptionBudget",
		    kt_jsonf("{metadata: {name: %s}, spec: {minAvailable: 2, selector: {matchLabels: {app: "
		             "'web'}}, "
		             "unhealthyPodEvictionPolicy: %s}, status: {disruptionsAllowed: %d, "
		             "currentHealthy: %d, "
		             "desiredHealthy: %d, expectedPods: 3, observedGeneration: %d}}",
		             i ? "other" : "budget", row->policy, row->allowed, row->healthy, row->desired,
		             row->observed));
}

static void expect(struct cluster *cluster, const struct row *row)
{
	static const struct api_actor me = {.user = "me", .manager = "test", .component = "test"};
	struct api_status status = {0};
	bool gone = api_evict(cluster, &me, "default", "web", &status);
	const struct store_object *budget = store_get(
	        cluster_store(cluster),
	        schema_stored(cluster_schema(cluster), "policy", "PodDisruptionBudget"), "default", "budget");
	if (gone != !row->code || (row->code && status.code != row->code))
		fail_msg("%s: %d expected, got %d %s", row->name, row->code, status.code,
		         status.message ? status.message : "");
	if (row->message)
		assert_string_equal(status.message, row->message);
	if (row->cause)
		assert_string_equal(kt_path_str(status.details, "causes.0.message"), row->cause);
	if (budget)
		assert_int_equal(kt_path_int(budget->json, "status.disruptionsAllowed", 0), row->left);
	if (budget && gone && row->left != row->allowed)
		assert_non_null(kt_path(budget->json, "status.disruptedPods.web"));
	api_status_clear(&status);
}

static void evictions_end_as_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster *cluster = test_cluster();
		prepare(cluster, &rows[i]);
		expect(cluster, &rows[i]);
		cluster_free(cluster);
	}
}

static void a_pod_evicted_again_was_to_be_disrupted_since_the_first_time(void **state)
{
	static const char first[] = "2026-01-01T00:00:00Z";
	struct cluster *cluster = test_cluster();
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", "Pod");
	const struct api_actor actor = {.user = "somebody", .manager = "test", .component = "test"};
	struct kt_json *pod;
	const struct kt_json *target;
	(void)state;
	prepare(cluster, &rows[0]);
	pod = kt_json_ref(store_get(cluster_store(cluster), kind, "default", "web")->json);
	kt_push(kt_edit_path(&pod, "status.conditions"),
	        kt_jsonf("{type: 'DisruptionTarget', status: 'True', lastTransitionTime: %s, reason: "
	                 "'Before'}",
	                 first));
	put(cluster, "", "Pod", pod);
	assert_true(api_evict(cluster, &actor, "default", "web", NULL));
	target = kt_path(store_get(cluster_store(cluster), kind, "default", "web")->json,
	                 "status.conditions.1");
	assert_string_equal(kt_get_str(target, "reason"), "EvictionByEvictionAPI");
	assert_string_equal(kt_get_str(target, "lastTransitionTime"), first);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(evictions_end_as_the_table_says),
	        cmocka_unit_test(a_pod_evicted_again_was_to_be_disrupted_since_the_first_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

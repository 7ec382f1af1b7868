/* SPDX-License-Identifier: MIT */
/* Which pods a ReplicaSet gives up first: pairs in which the first one goes before the second, one criterion
 * after the other (pkg/controller/controller_utils.go ActivePodsWithRanks), and that any order of many comes
 * out the same. */
#include "tests/cluster/controllers/controllers_test.h"

#define AGO(minutes) (1767225600 - (minutes)*60)
struct pod_row {
	const char *node, *phase;
	bool ready;
	int cost, ready_at, restarts, created; /* seconds since 1970 */
};
/* Running and ready on n1. */
#define READY(cost, ready_at, restarts, created)                                                             \
	{                                                                                                    \
		"n1", "Running", true, cost, AGO(ready_at), restarts, AGO(created)                           \
	}
#define PLAIN READY(0, 60, 0, 60)
#define OTHER(node, phase, created)                                                                          \
	{                                                                                                    \
		node, phase, false, 0, 0, 0, AGO(created)                                                    \
	}
static const struct {
	const char *name;
	struct pod_row first, second;
} rows[] = {
        {"unassigned before assigned", OTHER(NULL, "Pending", 60), PLAIN},
        {"unassigned before pending", OTHER(NULL, "Pending", 60), OTHER("n1", "Pending", 60)},
        {"pending before unknown", OTHER("n1", "Pending", 60), OTHER("n1", "Unknown", 60)},
        {"unknown before running", OTHER("n1", "Unknown", 60), OTHER("n1", "Running", 60)},
        {"not ready before ready", OTHER("n1", "Running", 90), PLAIN},
        {"lower deletion cost", READY(-10, 60, 0, 60), PLAIN},
        {"lower deletion cost, though older", READY(1, 60, 0, 600), READY(2, 60, 0, 60)},
        {"not ready comes before cost", OTHER("n1", "Running", 60), READY(-100, 60, 0, 60)},
        {"ready for less long", READY(0, 1, 0, 60), PLAIN},
        {"more restarts", READY(0, 60, 3, 60), READY(0, 60, 1, 60)},
        {"readiness comes before restarts", READY(0, 1, 0, 60), READY(0, 600, 9, 60)},
        {"younger", READY(0, 60, 0, 2), READY(0, 60, 0, 120)},
};

static const struct store_object *make(struct world *world, const char *name, const struct pod_row *row)
{
	struct kt_json *created = controller_time((kt_ns)row->created * KT_SEC),
	               *ready_at = controller_time((kt_ns)row->ready_at * KT_SEC);
	char *cost = kt_strf("%d", row->cost);
	struct kt_json *json = kt_jsonf(
	        "{metadata: {name: %s, namespace: 'default', uid: %s, creationTimestamp: %j, "
	        "ownerReferences: "
	        "[{apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'set', controller: true}], "
	        "annotations: "
	        "{'controller.kubernetes.io/pod-deletion-cost': %s}}, spec: {nodeName: %s, containers: "
	        "[{name: 'c'}]}, "
	        "status: {phase: %s, conditions: [{type: 'Ready', status: %s, lastTransitionTime: %j}], "
	        "containerStatuses: [{name: 'c', restartCount: %d}]}}",
	        name, name, created, cost, row->node, row->phase, row->ready ? "True" : "False", ready_at,
	        row->restarts);
	kt_free(cost);
	return store_ref(store_put(cluster_store(world->cluster), kind_named(world, "Pod"), json,
	                           cluster_now(world->cluster), NULL));
}

static void each_criterion_decides_after_those_before_it(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		for (int swapped = 0; swapped < 2; swapped++) {
			const struct store_object *first = make(&world, "first", &rows[i].first),
			                          *second = make(&world, "second", &rows[i].second),
			                          *list[2] = {swapped ? second : first,
			                                      swapped ? first : second};
			controller_rank_pods(world.cluster, list, 2);
			if (list[0] != first)
				fail_msg("%s (%s)", rows[i].name, swapped ? "swapped" : "in order");
			store_unref(first);
			store_unref(second);
		}
	}
	world_end(&world);
}

/* Where several pods of the set share a node, those go first. */
static void crowded_nodes_give_first(void **state)
{
	struct world world;
	const struct pod_row crowd = PLAIN, alone = {"n2", "Running", true, 0, AGO(1), 0, AGO(1)};
	(void)state;
	world_begin(&world, 1);
	const struct store_object *list[] = {make(&world, "alone", &alone), make(&world, "one", &crowd),
	                                     make(&world, "two", &crowd)};
	controller_rank_pods(world.cluster, list, 3);
	assert_string_equal(list[2]->name, "alone");
	for (size_t i = 0; i < KT_COUNT(list); i++)
		store_unref(list[i]);
	world_end(&world);
}

/* The most restarts of one container count, then those of a sidecar (compareMaxContainerRestarts). */
static void restarts_count_by_container(void **state)
{
	static const struct {
		int first[3], second[3]; /* of two containers and a sidecar */
	} cases[] = {{{3, 0, 0}, {2, 2, 0}},
	             {{1, 2, 0}, {1, 1, 9}},
	             {{1, 1, 2}, {1, 1, 1}},
	             {{0, 1, 0}, {0, 0, 5}}};
	struct world world;
	const struct pod_row plain = PLAIN;
	(void)state;
	world_begin(&world, 1);
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		const struct store_object *list[2];
		for (int k = 0; k < 2; k++) {
			const int *counts = k ? cases[i].first : cases[i].second;
			const struct store_object *made = make(&world, k ? "first" : "second", &plain);
			struct kt_json *json = kt_json_ref(made->json);
			store_unref(made);
			kt_set_path(&json, "spec.initContainers",
			            kt_jsonf("[{name: 's', restartPolicy: 'Always'}, {name: 'i'}]"));
			kt_set_path(&json, "status.containerStatuses",
			            kt_jsonf("[{name: 'c', restartCount: %d}, {name: 'd', restartCount: %d}]",
			                     counts[0], counts[1]));
			kt_set_path(&json, "status.initContainerStatuses",
			            kt_jsonf("[{name: 's', restartCount: %d}, {name: 'i', restartCount: 7}]",
			                     counts[2]));
			list[k] = store_ref(store_put(cluster_store(world.cluster), kind_named(&world, "Pod"),
			                              json, cluster_now(world.cluster), NULL));
		}
		const struct store_object *both[] = {list[0], list[1]};
		controller_rank_pods(world.cluster, both, 2);
		if (both[0] != list[1])
			fail_msg("row %zu", i);
		store_unref(list[0]);
		store_unref(list[1]);
	}
	world_end(&world);
}

static void any_order_of_many_comes_out_the_same(void **state)
{
	enum { MANY = 2 * KT_COUNT(rows) };
	struct world world;
	struct kt_random random;
	const struct store_object *list[MANY];
	char order[2][MANY * 8] = {"", ""};
	(void)state;
	world_begin(&world, 1);
	kt_random_init(&random, 5);
	for (size_t i = 0; i < MANY; i++) {
		char name[8];
		snprintf(name, sizeof(name), "p%zu", i);
		list[i] = make(&world, name, i % 2 ? &rows[i / 2].second : &rows[i / 2].first);
	}
	for (int round = 0; round < 20; round++) {
		char *text = order[round > 0];
		for (uint32_t i = MANY - 1; i > 0; i--) {
			uint32_t k = kt_random_below(&random, i + 1);
			const struct store_object *swap = list[i];
			list[i] = list[k];
			list[k] = swap;
		}
		controller_rank_pods(world.cluster, list, MANY);
		text[0] = '\0';
		for (size_t i = 0; i < MANY; i++)
			strcat(strcat(text, list[i]->name), " ");
		if (round)
			assert_string_equal(order[1], order[0]);
	}
	for (size_t i = 0; i < MANY; i++)
		store_unref(list[i]);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_criterion_decides_after_those_before_it),
	        cmocka_unit_test(crowded_nodes_give_first),
	        cmocka_unit_test(restarts_count_by_container),
	        cmocka_unit_test(any_order_of_many_comes_out_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

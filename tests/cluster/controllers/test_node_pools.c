/* SPDX-License-Identifier: MIT */
#include "tests/cluster/controllers/controllers_test.h"

static const char web[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        "  replicas: 3\n  selector: {matchLabels: {app: web}}\n  template:\n"
        "    metadata: {labels: {app: web}}\n"
        "    spec: {containers: [{name: web, image: 'nginx:1.26', resources: {requests: {cpu: '3'}}}]}\n";

static void make_pool(struct world *world, const char *max)
{
	struct store_list nodes = {0};
	store_list(cluster_store(world->cluster), kind_named(world, "Node"), NULL, &nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		const struct store_object *node = nodes.items[i];
		if (kt_count(view_node(node)->taints))
			continue;
		struct kt_json *json = kt_json_ref(node->json);
		controller_set_label(&json, "ktutor.dev/pool", "general");
		controller_set_annotation(&json, "ktutor.dev/pool-min", "1");
		controller_set_annotation(&json, "ktutor.dev/pool-max", max);
		assert_non_null(api_update(world->cluster, &tester, node->kind, json, NULL));
	}
	store_list_clear(&nodes);
}

static size_t nodes(struct world *world)
{
	return store_count(cluster_store(world->cluster), kind_named(world, "Node"), NULL);
}

static void a_pool_grows_for_pods_and_shrinks_after_them(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	make_pool(&world, "4");
	create(&world, web);
	run(&world, 20 * KT_SEC);
	assert_int_equal(nodes(&world), 2);
	run(&world, 120 * KT_SEC);
	assert_int_equal(nodes(&world), 4);
	assert_int_equal(pods_where(&world, true), 3);
	set(&world, "Deployment", "web", "spec.replicas", kt_json_int(1));
	run(&world, 9 * KT_MIN_NS);
	assert_int_equal(nodes(&world), 4);
	run(&world, 16 * KT_MIN_NS);
	assert_int_equal(nodes(&world), 2);
	assert_int_equal(pods_where(&world, true), 1);
	world_end(&world);
}

static void a_full_pool_does_not_grow(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	make_pool(&world, "2");
	create(&world, web);
	run(&world, 150 * KT_SEC);
	assert_int_equal(nodes(&world), 3);
	assert_int_equal(pods_where(&world, true), 2);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_pool_grows_for_pods_and_shrinks_after_them),
	        cmocka_unit_test(a_full_pool_does_not_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

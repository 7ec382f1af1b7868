/* SPDX-License-Identifier: MIT */
#include "tests/cluster/controllers/controllers_test.h"

static const char web[] = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
                          "  replicas: 4\n  selector: {matchLabels: {app: web}}\n  template:\n"
                          "    metadata: {labels: {app: web}}\n"
                          "    spec: {containers: [{name: web, image: 'nginx:1.26'}]}\n";

static void set_image(struct world *world, const char *image)
{
	set(world, "Deployment", "web", "spec.template.spec.containers.0.image", kt_json_str(image));
}

static void a_deployment_becomes_available(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 5 * KT_SEC);
	assert_int_equal(pods_where(&world, true), 4);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.availableReplicas"), 4);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.observedGeneration"), 1);
	assert_string_equal(get_str(&world, "Deployment", "web", "status.conditions.0.type"), "Available");
	assert_string_equal(get_str(&world, "Deployment", "web", "status.conditions.1.reason"),
	                    "NewReplicaSetAvailable");
	assert_string_equal(controller_annotation(get(&world, "Deployment", "web")->json,
	                                          "deployment.kubernetes.io/revision"),
	                    "1");
	world_end(&world);
}

static void a_rollout_keeps_within_its_limits(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 5 * KT_SEC);
	set_image(&world, "nginx:1.27");
	run(&world, 10 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), 4);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.replicas"), 4);
	assert_string_equal(controller_annotation(get(&world, "Deployment", "web")->json,
	                                          "deployment.kubernetes.io/revision"),
	                    "2");
	assert_int_equal(
	        store_count(cluster_store(world.cluster), kind_named(&world, "ReplicaSet"), "default"), 2);
	world_end(&world);
}

static void a_stuck_rollout_passes_its_deadline(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 5 * KT_SEC);
	set(&world, "Deployment", "web", "spec.progressDeadlineSeconds", kt_json_int(5));
	set_image(&world, "nginx:missing");
	run(&world, 20 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), 2);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.availableReplicas"), 3);
	assert_string_equal(get_str(&world, "Deployment", "web", "status.conditions.1.reason"),
	                    "ProgressDeadlineExceeded");
	assert_string_equal(get_str(&world, "Deployment", "web", "status.conditions.1.status"), "False");
	world_end(&world);
}

static void recreate_starts_after_all_have_gone(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	set(&world, "Deployment", "web", "spec.strategy", kt_jsonf("{type: 'Recreate'}"));
	run(&world, 5 * KT_SEC);
	set_image(&world, "nginx:1.27");
	run(&world, 5 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), 4);
	char *events = events_of(&world, "web");
	assert_non_null(strstr(events, "from 0 to 4"));
	assert_non_null(strstr(events, "from 4 to 0"));
	kt_free(events);
	world_end(&world);
}

/* replica sets before, their max-replicas, the new size and surge; after: TestScale of kubernetes
 * pkg/controller/deployment/sync_test.go, the shares before what is left over. */
static void shares_are_proportional(void **state)
{
	static const struct {
		int64_t size, replicas, surge, before, to_add, added, share;
	} rows[] = {
	        {10, 12, 0, 10, 2, 0, 2}, {10, 5, 0, 10, -5, 0, -5}, {5, 20, 0, 10, 10, 0, 5},
	        {5, 20, 0, 10, 10, 5, 5}, {8, 16, 2, 10, 8, 0, 6},   {2, 10, 0, 20, -10, 0, -1},
	        {0, 10, 0, 10, 5, 0, 0},  {5, 0, 0, 10, -5, 0, -5},  {3, 6, 3, 7, 2, 0, 1},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		assert_int_equal(controller_deployment_share(rows[i].size, rows[i].replicas, rows[i].surge,
		                                             rows[i].before, rows[i].to_add, rows[i].added),
		                 rows[i].share);
}

static void a_paused_deployment_does_not_roll(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 5 * KT_SEC);
	set(&world, "Deployment", "web", "spec.paused", kt_json_bool(true));
	set_image(&world, "nginx:1.27");
	set(&world, "Deployment", "web", "spec.replicas", kt_json_int(2));
	run(&world, 5 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.replicas"), 2);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), 0);
	assert_string_equal(get_str(&world, "Deployment", "web", "status.conditions.1.reason"),
	                    "DeploymentPaused");
	set(&world, "Deployment", "web", "spec.paused", NULL);
	run(&world, 10 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), 2);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_deployment_becomes_available),
	        cmocka_unit_test(a_rollout_keeps_within_its_limits),
	        cmocka_unit_test(a_stuck_rollout_passes_its_deadline),
	        cmocka_unit_test(recreate_starts_after_all_have_gone),
	        cmocka_unit_test(shares_are_proportional),
	        cmocka_unit_test(a_paused_deployment_does_not_roll),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

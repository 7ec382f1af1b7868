/* SPDX-License-Identifier: MIT */
/* Over random rollouts: never more pods than replicas and surge, never fewer available than promised, and it
 * ends. */
#include "tests/cluster/controllers/controllers_test.h"

#define ROUNDS 25

struct limits {
	int64_t replicas, surge, unavailable;
	bool watched; /* a rollout runs, and its sizes did not change */
};

static void within_limits(struct world *world)
{
	struct limits *limits = world->arg;
	const struct store_object *set;
	int64_t wanted = 0, available = 0;
	if (!limits->watched)
		return;
	STORE_EACH (set, cluster_store(world->cluster), kind_named(world, "ReplicaSet"), "default") {
		wanted += kt_path_int(set->json, "spec.replicas", 0);
		available += kt_path_int(set->json, "status.availableReplicas", 0);
	}
	assert_true(wanted <= limits->replicas + limits->surge);
	assert_true(available >= limits->replicas - limits->unavailable);
}

static void one_round(struct kt_random *random)
{
	struct world world;
	struct limits limits = {.replicas = 1 + kt_random_below(random, 12)};
	world_begin(&world, 3);
	limits.surge = kt_random_below(random, 4);
	limits.unavailable = kt_random_below(random, 4);
	if (!limits.surge && !limits.unavailable)
		limits.surge = 1;
	limits.unavailable = KT_MIN(limits.unavailable, limits.replicas);
	/* ready pods that are not yet available are no better protected than others (as in the real one): a
	 * second change in the middle would see that */
	unsigned changes = 1 + kt_random_below(random, 3);
	char text[1024];
	snprintf(text, sizeof(text),
	         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: %d\n"
	         "  minReadySeconds: %d\n  strategy: {rollingUpdate: {maxSurge: %d, maxUnavailable: %d}}\n"
	         "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
	         "    spec: {containers: [{name: web, image: 'nginx:1.29'}]}\n",
	         (int)limits.replicas, changes > 1 ? 0 : (int)kt_random_below(random, 3), (int)limits.surge,
	         (int)limits.unavailable);
	create(&world, text);
	run(&world, 10 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.availableReplicas"), limits.replicas);
	world.arg = &limits;
	world.check = within_limits;
	limits.watched = true;
	for (unsigned i = 0; i < changes; i++) {
		snprintf(text, sizeof(text), "nginx:1.%u", i % 9 + 20);
		set(&world, "Deployment", "web", "spec.template.spec.containers.0.image", kt_json_str(text));
		run(&world, (kt_ns)(1 + kt_random_below(random, 3000)) * KT_MS);
	}
	run(&world, 60 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.updatedReplicas"), limits.replicas);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.replicas"), limits.replicas);
	world.arg = NULL;
	world_end(&world);
}

static void surge_and_unavailable_are_never_passed(void **state)
{
	struct kt_random random;
	(void)state;
	kt_random_init(&random, 42);
	for (int i = 0; i < ROUNDS; i++)
		one_round(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(surge_and_unavailable_are_never_passed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

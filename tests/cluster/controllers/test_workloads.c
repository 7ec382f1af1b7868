/* SPDX-License-Identifier: MIT */
#include "tests/cluster/controllers/controllers_test.h"

#define TEMPLATE(labels, command)                                                                            \
	"  template:\n    metadata: {labels: {app: " labels "}}\n"                                           \
	"    spec: {containers: [{name: c, image: 'nginx:1.27'" command "}]}\n"

static void a_replica_set_adopts_what_fits_and_lets_go_what_does_not(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: v1\nkind: Pod\nmetadata: {name: orphan, labels: {app: web}}\n"
	               "spec: {containers: [{name: c, image: nginx}]}\n");
	run(&world, KT_SEC);
	create(&world, "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n  replicas: 2\n"
	               "  selector: {matchLabels: {app: web}}\n" TEMPLATE("web", ""));
	run(&world, 2 * KT_SEC);
	assert_int_equal(pods_where(&world, true), 2);
	assert_string_equal(get_str(&world, "Pod", "orphan", "metadata.ownerReferences.0.name"), "web");
	set(&world, "Pod", "orphan", "metadata.labels", NULL);
	run(&world, 2 * KT_SEC);
	assert_int_equal(pods_where(&world, true), 3);
	assert_null(get_str(&world, "Pod", "orphan", "metadata.ownerReferences.0.name"));
	assert_int_equal(get_int(&world, "ReplicaSet", "web", "status.readyReplicas"), 2);
	set(&world, "Pod", "orphan", "metadata.labels", kt_jsonf("{app: 'web'}"));
	run(&world, 3 * KT_SEC);
	assert_int_equal(pods_where(&world, true), 2);
	world_end(&world);
}

static void victims_are_the_cheapest_first(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web}\nspec:\n  replicas: 3\n"
	               "  selector: {matchLabels: {app: web}}\n" TEMPLATE("web", ""));
	run(&world, 2 * KT_SEC);
	struct store_list pods = {0};
	store_list(cluster_store(world.cluster), kind_named(&world, "Pod"), "default", &pods);
	char *cheap = kt_strdup(pods.items[1]->name);
	store_list_clear(&pods);
	set(&world, "Pod", cheap, "metadata.annotations",
	    kt_jsonf("{'controller.kubernetes.io/pod-deletion-cost': '-100'}"));
	set(&world, "ReplicaSet", "web", "spec.replicas", kt_json_int(2));
	run(&world, 2 * KT_SEC);
	assert_null(get(&world, "Pod", cheap));
	assert_int_equal(pods_where(&world, true), 2);
	kt_free(cheap);
	world_end(&world);
}

static void stateful_pods_come_one_after_the_other_and_go_from_the_end(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: "
	               "db\n  replicas: 3\n"
	               "  selector: {matchLabels: {app: db}}\n" TEMPLATE(
	                       "db", "") "  volumeClaimTemplates:\n  - metadata: {name: data}\n"
	                                 "    spec: {accessModes: [ReadWriteOnce], resources: {requests: "
	                                 "{storage: 1Gi}}}\n");
	run(&world, 60 * KT_SEC);
	assert_int_equal(get_int(&world, "StatefulSet", "db", "status.readyReplicas"), 3);
	assert_int_equal(get_int(&world, "StatefulSet", "db", "status.currentReplicas"), 3);
	assert_string_equal(get_str(&world, "Pod", "db-1", "spec.hostname"), "db-1");
	assert_string_equal(get_str(&world, "Pod", "db-1", "spec.subdomain"), "db");
	assert_non_null(get(&world, "PersistentVolumeClaim", "data-db-2"));
	set(&world, "StatefulSet", "db", "spec.template.spec.containers.0.image", kt_json_str("nginx:1.28"));
	set(&world, "StatefulSet", "db", "spec.updateStrategy.rollingUpdate.partition", kt_json_int(2));
	run(&world, 60 * KT_SEC);
	assert_string_equal(get_str(&world, "Pod", "db-1", "spec.containers.0.image"), "nginx:1.27");
	assert_string_equal(get_str(&world, "Pod", "db-2", "spec.containers.0.image"), "nginx:1.28");
	assert_int_equal(get_int(&world, "StatefulSet", "db", "status.updatedReplicas"), 1);
	del(&world, "Pod", "db-0", NULL);
	run(&world, 60 * KT_SEC);
	assert_string_equal(get_str(&world, "Pod", "db-0", "spec.containers.0.image"), "nginx:1.27");
	set(&world, "StatefulSet", "db", "spec.replicas", kt_json_int(1));
	run(&world, 90 * KT_SEC);
	assert_int_equal(pods_where(&world, false), 1);
	assert_non_null(get(&world, "Pod", "db-0"));
	char *events = events_of(&world, "db");
	const char *first = strstr(events, "delete Pod db-2"), *second = strstr(events, "delete Pod db-1");
	assert_true(first && second);
	kt_free(events);
	world_end(&world);
}

static void a_daemon_runs_on_every_node_that_it_tolerates(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n"
	               "  selector: {matchLabels: {app: agent}}\n" TEMPLATE("agent", ""));
	run(&world, 5 * KT_SEC);
	assert_int_equal(get_int(&world, "DaemonSet", "agent", "status.numberReady"), 3);
	set(&world, "DaemonSet", "agent", "spec.template.spec.tolerations",
	    kt_jsonf("[{operator: 'Exists'}]"));
	run(&world, 15 * KT_SEC);
	assert_int_equal(get_int(&world, "DaemonSet", "agent", "status.desiredNumberScheduled"), 4);
	assert_int_equal(get_int(&world, "DaemonSet", "agent", "status.updatedNumberScheduled"), 4);
	assert_int_equal(get_int(&world, "DaemonSet", "agent", "status.numberAvailable"), 4);
	set(&world, "DaemonSet", "agent", "spec.template.spec.nodeSelector", kt_jsonf("{nowhere: 'true'}"));
	run(&world, 15 * KT_SEC);
	assert_int_equal(pods_where(&world, false), 0);
	assert_int_equal(store_count(cluster_store(world.cluster), kind_named(&world, "ControllerRevision"),
	                             "default"),
	                 3);
	world_end(&world);
}

static const char job[] =
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: batch}\nspec:\n  completions: 3\n  "
        "manualSelector: true\n"
        "  parallelism: 2\n  selector: {matchLabels: {job: batch}}\n  template:\n"
        "    metadata: {labels: {job: batch}}\n"
        "    spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ['%s']}]}\n";

static void make_job(struct world *world, const char *command)
{
	char text[1024];
	snprintf(text, sizeof(text), job, command);
	create(world, text);
}

static void a_job_runs_to_its_completions(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	make_job(&world, "true");
	run(&world, 20 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.succeeded"), 3);
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.0.type"),
	                    "SuccessCriteriaMet");
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.1.type"), "Complete");
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.1.message"),
	                    "Reached expected number of succeeded pods");
	set(&world, "Job", "batch", "spec.ttlSecondsAfterFinished", kt_json_int(2));
	run(&world, 10 * KT_SEC);
	assert_null(get(&world, "Job", "batch"));
	assert_int_equal(store_count(cluster_store(world.cluster), kind_named(&world, "Pod"), "default"), 0);
	world_end(&world);
}

static void a_job_waits_longer_after_each_failure_and_gives_up(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	make_job(&world, "false");
	set(&world, "Job", "batch", "spec.backoffLimit", kt_json_int(2));
	set(&world, "Job", "batch", "spec.parallelism", kt_json_int(1));
	run(&world, 9 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.failed"), 1);
	run(&world, 5 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.failed"), 2);
	run(&world, 15 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.failed"), 2);
	run(&world, 15 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.failed"), 3);
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.1.type"), "Failed");
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.1.reason"),
	                    "BackoffLimitExceeded");
	world_end(&world);
}

static void an_indexed_job_numbers_its_pods(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: shards}\nspec:\n  manualSelector: "
	               "true\n  completions: 3\n "
	               " parallelism: 3\n"
	               "  completionMode: Indexed\n  selector: {matchLabels: {job: shards}}\n  template:\n"
	               "    metadata: {labels: {job: shards}}\n"
	               "    spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: "
	               "['true']}]}\n");
	create(&world, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: by-index}\nspec:\n  "
	               "manualSelector: true\n  completions: "
	               "2\n  parallelism: 2\n"
	               "  completionMode: Indexed\n  backoffLimitPerIndex: 0\n  backoffLimit: 2147483647\n"
	               "  selector: {matchLabels: {job: by-index}}\n  template:\n"
	               "    metadata: {labels: {job: by-index}}\n"
	               "    spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: "
	               "['false']}]}\n");
	run(&world, 20 * KT_SEC);
	assert_string_equal(get_str(&world, "Job", "shards", "status.completedIndexes"), "0-2");
	assert_int_equal(get_int(&world, "Job", "shards", "status.succeeded"), 3);
	assert_string_equal(get_str(&world, "Job", "by-index", "status.failedIndexes"), "0,1");
	assert_string_equal(get_str(&world, "Job", "by-index", "status.conditions.1.reason"),
	                    "FailedIndexes");
	world_end(&world);
}

static void a_suspended_job_waits(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	make_job(&world, "true");
	set(&world, "Job", "batch", "spec.suspend", kt_json_bool(true));
	run(&world, 5 * KT_SEC);
	assert_string_equal(get_str(&world, "Job", "batch", "status.conditions.0.type"), "Suspended");
	assert_null(get_str(&world, "Job", "batch", "status.startTime"));
	set(&world, "Job", "batch", "spec.suspend", kt_json_bool(false));
	run(&world, 15 * KT_SEC);
	assert_int_equal(get_int(&world, "Job", "batch", "status.succeeded"), 3);
	world_end(&world);
}

static void a_cron_job_starts_on_the_minute_and_keeps_three(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world,
	       "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: often}\nspec:\n  schedule: "
	       "'*/1 * * * *'\n"
	       "  successfulJobsHistoryLimit: 3\n  jobTemplate:\n    spec:\n"
	       "      manualSelector: true\n      selector: {matchLabels: {job: often}}\n      template:\n"
	       "        metadata: {labels: {job: often}}\n"
	       "        spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: "
	       "['true']}]}\n");
	run(&world, 59 * KT_SEC);
	assert_int_equal(store_count(cluster_store(world.cluster), kind_named(&world, "Job"), "default"), 0);
	run(&world, 2 * KT_SEC);
	assert_int_equal(store_count(cluster_store(world.cluster), kind_named(&world, "Job"), "default"), 1);
	assert_string_equal(get_str(&world, "CronJob", "often", "status.lastScheduleTime"),
	                    "2026-01-01T00:01:00Z");
	run(&world, 10 * KT_MIN_NS);
	assert_true(store_count(cluster_store(world.cluster), kind_named(&world, "Job"), "default") <= 4);
	world_end(&world);
}

static void an_autoscaler_first_looks_after_fifteen_seconds(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n"
	               "  selector: {matchLabels: {app: web}}\n" TEMPLATE("web", ""));
	create(&world, "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
	               "spec: {minReplicas: 2, maxReplicas: 4, scaleTargetRef: {apiVersion: apps/v1, kind: "
	               "Deployment, "
	               "name: web}}\n");
	run(&world, 14 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "spec.replicas"), 1);
	run(&world, 2 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "spec.replicas"), 2);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_replica_set_adopts_what_fits_and_lets_go_what_does_not),
	        cmocka_unit_test(victims_are_the_cheapest_first),
	        cmocka_unit_test(stateful_pods_come_one_after_the_other_and_go_from_the_end),
	        cmocka_unit_test(a_daemon_runs_on_every_node_that_it_tolerates),
	        cmocka_unit_test(a_job_runs_to_its_completions),
	        cmocka_unit_test(a_job_waits_longer_after_each_failure_and_gives_up),
	        cmocka_unit_test(an_indexed_job_numbers_its_pods),
	        cmocka_unit_test(a_suspended_job_waits),
	        cmocka_unit_test(a_cron_job_starts_on_the_minute_and_keeps_three),
	        cmocka_unit_test(an_autoscaler_first_looks_after_fifteen_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tests/cluster/support.h"

static struct cluster *one_node(void)
{
	struct kt_json *nodes = kt_json_array();

	kt_push(&nodes, support_node("a", "zone-a", "4", NULL));
	return support_cluster(nodes);
}

/* A pod with one container and what else is in `more` of the spec. */
static struct kt_json *pod_of(const char *container, const char *more)
{
	struct kt_json *spec = kt_jsonf(more);

	kt_set(&spec, "containers", kt_jsonf("[%j]", kt_jsonf(container)));
	return spec;
}

static const struct kt_json *status_of(struct cluster *cluster, const char *pod)
{
	const struct store_object *object = support_get(cluster, "Pod", pod);

	return object ? kt_path(object->json, "status.containerStatuses.0") : NULL;
}

static void a_server_is_ready_within_two_seconds_with_its_conditions_in_order(void **state)
{
	static const char *const order[] = {"PodReadyToStartContainers", "Initialized", "Ready",
	                                    "ContainersReady", "PodScheduled"};
	struct cluster *cluster = one_node();
	const struct kt_json *conditions;

	(void)state;
	support_pod(cluster, "web", pod_of("{name: 'c', image: 'nginx:1.27'}", "{}"));
	support_wait(cluster, 2);
	assert_string_equal(support_text(cluster, "web", "status.phase"), "Running");
	conditions = kt_path(support_get(cluster, "Pod", "web")->json, "status.conditions");
	assert_int_equal(kt_count(conditions), KT_COUNT(order));
	for (size_t i = 0; i < KT_COUNT(order); i++) {
		assert_string_equal(kt_get_str(kt_at(conditions, i), "type"), order[i]);
		assert_string_equal(kt_get_str(kt_at(conditions, i), "status"), "True");
		assert_int_equal(kt_get_int(kt_at(conditions, i), "observedGeneration", 0), 1);
	}
	assert_string_equal(kt_get_str(status_of(cluster, "web"), "image"), "docker.io/library/nginx:1.27");
	assert_true(kt_path_bool(status_of(cluster, "web"), "ready", false));
	assert_int_equal(support_events(cluster, "web", "Created", "Created container: c"), 1);
	assert_int_equal(support_events(cluster, "web", "Started", "Started container c"), 1);
	cluster_free(cluster);
}

static void an_image_is_pulled_once_on_a_node(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "one", pod_of("{name: 'c', image: 'redis:7'}", "{}"));
	support_wait(cluster, 5);
	support_pod(cluster, "two", pod_of("{name: 'c', image: 'redis:7'}", "{}"));
	support_wait(cluster, 5);
	assert_int_equal(
	        support_events(cluster, "one", "Pulled", "Successfully pulled image \"redis:7\" in "), 1);
	assert_int_equal(support_events(cluster, "two", "Pulled",
	                                "Container image \"redis:7\" already present on machine"),
	                 1);
	cluster_free(cluster);
}

static void a_container_that_ends_is_started_more_and_more_slowly(void **state)
{
	/* Ends at 0; again at once; then at the first sync after 10, 20, 40 seconds. Syncs are 10 to 15
	 * seconds apart. That it waits is told by the next sync, but for the first time, when there is one at
	 * once. */
	static const struct {
		double at;
		int64_t restarts;
		const char *told;
	} rows[] = {{5, 1, "waiting"}, {19, 2, "terminated"}, {32, 2, "waiting"}, {70, 3, "waiting"}};
	struct cluster *cluster = one_node();
	double now = 0;

	(void)state;
	support_pod(cluster, "crash",
	            pod_of("{name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'exit 1']}", "{}"));
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		support_wait(cluster, rows[i].at - now);
		now = rows[i].at;
		assert_int_equal(kt_get_int(status_of(cluster, "crash"), "restartCount", -1),
		                 rows[i].restarts);
		const struct kt_json *status = status_of(cluster, "crash");
		bool waits = strcmp(rows[i].told, "waiting") == 0;
		assert_string_equal(
		        kt_path_str(status, waits ? "state.waiting.reason" : "state.terminated.reason"),
		        waits ? "CrashLoopBackOff" : "Error");
		assert_int_equal(kt_path_int(status, "lastState.terminated.exitCode", 0), 1);
	}
	assert_string_equal(support_text(cluster, "crash", "status.phase"), "Running");
	cluster_free(cluster);
}

/* When a kubelet syncs is drawn, but not from the date: a lab is the same whenever it begins. */
static void a_crash_goes_the_same_way_at_any_time(void **state)
{
	char told[4][121];

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct kt_json *nodes = kt_json_array();

		kt_push(&nodes, support_node("a", "zone-a", "4", NULL));
		struct cluster *cluster = support_cluster_born(nodes, 1764000000 * KT_SEC + i * KT_MIN_NS);

		support_pod(
		        cluster, "crash",
		        pod_of("{name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'exit 1']}", "{}"));
		for (int second = 0; second < 120; second++) {
			support_wait(cluster, 1);
			const struct kt_json *status = status_of(cluster, "crash");
			told[i][second] = (char)(kt_get_int(status, "restartCount", 0) * 2 + '0' +
			                         (kt_path(status, "state.waiting") != NULL));
		}
		told[i][120] = 0;
		assert_string_equal(told[i], told[0]);
		cluster_free(cluster);
	}
}

/* The log of a run that ended for good is all that is left: RESTARTS of it has no age. */
static void the_last_run_of_all_has_none_before_it(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "twice",
	            pod_of("{name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'test -e /d/f && exit; "
	                   "touch /d/f; exit 3'], volumeMounts: [{name: 'd', mountPath: '/d'}]}",
	                   "{restartPolicy: 'OnFailure', volumes: [{name: 'd', emptyDir: {}}]}"));
	support_wait(cluster, 30);
	assert_string_equal(support_text(cluster, "twice", "status.phase"), "Succeeded");
	assert_int_equal(kt_get_int(status_of(cluster, "twice"), "restartCount", 0), 1);
	assert_int_equal(kt_count(kt_get(status_of(cluster, "twice"), "lastState")), 0);
	cluster_free(cluster);
}

/* A hook over the network comes when a usual server listens, not in the moment of its start. */
static void a_hook_over_the_network_finds_a_server(void **state)
{
	static const struct {
		int port, restarts;
	} rows[] = {{80, 0}, {8080, 1}};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster *cluster = one_node();
		char *container = kt_strf("{name: 'c', image: 'nginx:1.27', lifecycle: {postStart: {httpGet: "
		                          "{path: '/', port: %d}}}}",
		                          rows[i].port);

		support_pod(cluster, "p", pod_of(container, "{terminationGracePeriodSeconds: 1}"));
		support_wait(cluster, 10);
		assert_string_equal(support_condition(cluster, "p", "Ready", "status"),
		                    rows[i].restarts ? "False" : "True");
		assert_int_equal(kt_get_int(status_of(cluster, "p"), "restartCount", -1), rows[i].restarts);
		kt_free(container);
		cluster_free(cluster);
	}
}

struct end {
	const char *container, *more, *phase, *reason;
	int code;
};
static const struct end ends[] = {
        {"{name: 'c', image: 'busybox:1.36', command: ['true']}", "{restartPolicy: 'Never'}", "Succeeded",
         "Completed", 0},
        {"{name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'exit 5']}", "{restartPolicy: 'Never'}",
         "Failed", "Error", 5},
        {"{name: 'c', image: 'busybox:1.36', command: ['true']}", "{restartPolicy: 'OnFailure'}", "Succeeded",
         "Completed", 0},
        {"{name: 'c', image: 'busybox:1.36', command: ['no-such-program']}", "{restartPolicy: 'Never'}",
         "Failed", "StartError", 128},
        {"{name: 'c', image: 'busybox:1.36', command: ['sleep', '3600']}",
         "{activeDeadlineSeconds: 2, terminationGracePeriodSeconds: 1}", "Failed", "Error", 137},
};

static void pods_end_as_their_containers_and_policies_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(ends); i++) {
		struct cluster *cluster = one_node();

		support_pod(cluster, "p", pod_of(ends[i].container, ends[i].more));
		support_wait(cluster, 10);
		assert_string_equal(support_text(cluster, "p", "status.phase"), ends[i].phase);
		assert_string_equal(kt_path_str(status_of(cluster, "p"), "state.terminated.reason"),
		                    ends[i].reason);
		assert_int_equal(kt_path_int(status_of(cluster, "p"), "state.terminated.exitCode", -1),
		                 ends[i].code);
		assert_string_equal(support_condition(cluster, "p", "PodReadyToStartContainers", "status"),
		                    "False");
		cluster_free(cluster);
	}
}

static void images_that_cannot_be_had_are_tried_again_with_back_off(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "p", pod_of("{name: 'c', image: 'nginx:no-such-tag'}", "{}"));
	support_wait(cluster, 1);
	assert_string_equal(kt_path_str(status_of(cluster, "p"), "state.waiting.reason"), "ErrImagePull");
	support_wait(cluster, 4);
	assert_string_equal(kt_path_str(status_of(cluster, "p"), "state.waiting.reason"), "ImagePullBackOff");
	support_wait(cluster, 15); /* after 10 s, then after 20 s more, and until the next sync */
	assert_int_equal(support_events(cluster, "p", "Pulling", ""), 2);
	support_wait(cluster, 30);
	assert_int_equal(support_events(cluster, "p", "Pulling", ""), 3);
	cluster_free(cluster);
}

static void readiness_follows_the_probe_and_liveness_restarts(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "ready",
	            pod_of("{name: 'c', image: 'nginx:1.27', readinessProbe: {httpGet: {path: '/', port: "
	                   "80}, periodSeconds: 1}}",
	                   "{}"));
	support_pod(cluster, "port",
	            pod_of("{name: 'c', image: 'nginx:1.27', readinessProbe: {httpGet: {path: '/', port: "
	                   "8080}, periodSeconds: "
	                   "1}}",
	                   "{}"));
	support_pod(
	        cluster, "secret",
	        pod_of("{name: 'c', image: 'nginx:1.27', readinessProbe: {httpGet: {scheme: 'HTTPS', port: "
	               "80}, periodSeconds: 1}}",
	               "{}"));
	support_pod(cluster, "live",
	            pod_of("{name: 'c', image: 'nginx:1.27', livenessProbe: {tcpSocket: {port: 81}, "
	                   "periodSeconds: 2}}",
	                   "{}"));
	support_wait(cluster, 12);
	assert_string_equal(support_condition(cluster, "ready", "Ready", "status"), "True");
	assert_string_equal(support_condition(cluster, "port", "Ready", "reason"), "ContainersNotReady");
	assert_true(support_events(cluster, "port", "Unhealthy", "Readiness probe failed: Get \"http://") >
	            2);
	assert_string_equal(support_condition(cluster, "secret", "Ready", "status"), "False");
	assert_true(support_events(cluster, "secret", "Unhealthy", "Readiness probe failed: Get \"https://") >
	            2);
	assert_true(support_events(cluster, "live", "Killing",
	                           "Container c failed liveness probe, will be restarted") >= 1);
	assert_true(kt_get_int(status_of(cluster, "live"), "restartCount", 0) >= 1);
	cluster_free(cluster);
}

static void a_deleted_pod_gets_its_grace_and_is_gone(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "stubborn",
	            pod_of("{name: 'c', image: 'busybox:1.36', command: ['sleep', '3600']}",
	                   "{terminationGracePeriodSeconds: 5}"));
	support_wait(cluster, 3);
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "stubborn", NULL,
	           NULL);
	support_wait(cluster, 4.5);
	assert_non_null(support_get(cluster, "Pod", "stubborn"));
	support_wait(cluster, 1.5);
	assert_null(support_get(cluster, "Pod", "stubborn"));
	assert_int_equal(support_events(cluster, "stubborn", "Killing", "Stopping container c"), 1);
	cluster_free(cluster);
}

/* A client's next command comes some 60 ms later. */
static void a_deleted_pod_whose_program_heeds_sigterm_is_seen_to_end_and_gone_soon(void **state)
{
	struct cluster *cluster = support_cluster(kt_jsonf("[%j]", support_node("n1", "a", "4", NULL)));
	const struct store_object *pod;

	(void)state;
	support_pod(cluster, "web", kt_jsonf("{containers: [{name: 'c', image: 'nginx:1.27'}]}"));
	support_wait(cluster, 5);
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "web", NULL, NULL);
	support_wait(cluster, 0.01);
	pod = support_get(cluster, "Pod", "web");
	assert_non_null(pod);
	assert_non_null(kt_path_str(pod->json, "metadata.deletionTimestamp"));
	support_wait(cluster, 0.04);
	assert_null(support_get(cluster, "Pod", "web"));
	cluster_free(cluster);
}

static void a_machine_without_power_is_silent_and_its_containers_start_anew(void **state)
{
	struct cluster *cluster = one_node();
	uint64_t version;

	(void)state;
	support_pod(cluster, "web", pod_of("{name: 'c', image: 'nginx:1.27'}", "{}"));
	support_wait(cluster, 3);
	version = support_get(cluster, "Pod", "web")->version;
	kubelet_node_set(cluster, "a", false);
	support_wait(cluster, 20);
	assert_int_equal(support_get(cluster, "Pod", "web")->version, version);
	assert_null(kubelet_container(cluster, "default", "web", NULL, NULL));
	kubelet_node_set(cluster, "a", true);
	support_wait(cluster, 10);
	assert_int_equal(kt_get_int(status_of(cluster, "web"), "restartCount", 0), 1);
	assert_int_equal(kt_path_int(status_of(cluster, "web"), "lastState.terminated.exitCode", 0), 255);
	assert_string_equal(support_condition(cluster, "web", "Ready", "status"), "True");
	cluster_free(cluster);
}

static void make_node(struct cluster *cluster, const char *name)
{
	const struct schema_kind *kind = support_kind(cluster, "", "Node");

	assert_non_null(
	        api_create(cluster, &support_actor, kind, kt_jsonf("{metadata: {name: %s}}", name), NULL));
	support_wait(cluster, 10);
}

static void a_node_made_by_hand_has_no_machine_unless_its_object_alone_was_deleted(void **state)
{
	struct cluster *cluster = one_node();
	struct cluster_snapshot *snapshot;

	(void)state;
	make_node(cluster, "bare");
	assert_false(kubelet_node_is_up(cluster, "bare"));
	snapshot = cluster_snapshot(cluster);
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Node"), "", "a", NULL, NULL);
	support_wait(cluster, 1);
	assert_false(kubelet_node_is_up(cluster, "a"));
	make_node(cluster, "a");
	assert_true(kubelet_node_is_up(cluster, "a"));
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	support_wait(cluster, 1);
	assert_true(kubelet_node_is_up(cluster, "a"));
	assert_false(kubelet_node_is_up(cluster, "bare"));
	cluster_free(cluster);
}

static void after_a_restore_containers_run_on_without_a_restart(void **state)
{
	struct cluster *cluster = one_node();
	struct cluster_snapshot *snapshot;
	char *id;

	(void)state;
	support_pod(cluster, "web", pod_of("{name: 'c', image: 'nginx:1.27'}", "{}"));
	support_wait(cluster, 3);
	id = kt_strdup(kt_get_str(status_of(cluster, "web"), "containerID"));
	snapshot = cluster_snapshot(cluster);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	support_wait(cluster, 20);
	assert_int_equal(kt_get_int(status_of(cluster, "web"), "restartCount", -1), 0);
	assert_string_equal(kt_get_str(status_of(cluster, "web"), "containerID"), id);
	assert_non_null(kubelet_container(cluster, "default", "web", NULL, NULL));
	kt_free(id);
	cluster_free(cluster);
}

static void hear_nothing(void *arg, int fd, const void *data, size_t len)
{
	(void)arg;
	(void)fd;
	(void)data;
	(void)len;
}

static void end_unheard(void *arg, int code, const char *reason)
{
	(void)arg;
	(void)code;
	(void)reason;
}

static void note_end(void *arg, int code, const char *reason)
{
	(void)reason;
	*(int *)arg = code;
}

static void hear(void *arg, int fd, const void *data, size_t len)
{
	(void)fd;
	kt_buf_add(arg, data, len);
}

/* Run a script in the pod's container until it ends; its output is added. */
static void run_in(struct cluster *cluster, const char *pod, const char *script, struct kt_buf *out)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct process *process;

	process = process_start(
	        &(struct process_spec){.container = kubelet_container(cluster, "default", pod, NULL, NULL),
	                               .argv = argv,
	                               .output = hear,
	                               .exited = end_unheard,
	                               .arg = out},
	        NULL);
	support_wait(cluster, 2);
	process_free(process);
}

static void what_was_just_written_on_a_disk_is_in_a_snapshot(void **state)
{
	struct cluster *cluster = one_node();
	struct cluster_snapshot *snapshot;
	struct kt_buf out = {0};

	(void)state;
	support_pod(cluster, "web",
	            pod_of("{name: 'c', image: 'busybox:1.36', command: ['sleep', '1000'], volumeMounts: "
	                   "[{name: 'd', "
	                   "mountPath: '/d'}]}",
	                   "{volumes: [{name: 'd', hostPath: {path: '/srv'}}]}"));
	support_wait(cluster, 13); /* between two looks at the disks */
	run_in(cluster, "web", "echo kept > /d/file", &out);
	snapshot = cluster_snapshot(cluster);
	run_in(cluster, "web", "rm /d/file", &out);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	support_wait(cluster, 1);
	run_in(cluster, "web", "cat /d/file", &out);
	assert_string_equal(kt_buf_str(&out), "kept\n");
	kt_buf_clear(&out);
	cluster_free(cluster);
}

static void what_a_program_had_in_memory_outlives_a_restore(void **state)
{
	static const char *const commands[] = {"['redis-server']",
	                                       "['sh', '-c', 'redis-server --save \"\"; echo over']"};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(commands); i++) {
		struct cluster *cluster = one_node();
		struct cluster_snapshot *snapshot;
		struct kt_buf out = {0};
		char *containers = kt_strf("{name: 'c', image: 'redis:7.4', command: %s}", commands[i]);

		support_pod(cluster, "web", pod_of(containers, "{}"));
		support_wait(cluster, 13);
		run_in(cluster, "web", "redis-cli set a 1", &out);
		snapshot = cluster_snapshot(cluster);
		run_in(cluster, "web", "redis-cli set a 2", &out);
		cluster_restore(cluster, snapshot);
		cluster_snapshot_free(snapshot);
		support_wait(cluster, 1);
		run_in(cluster, "web", "redis-cli get a", &out);
		assert_string_equal(kt_buf_str(&out), "OK\nOK\n1\n");
		kt_free(containers);
		kt_buf_clear(&out);
		cluster_free(cluster);
	}
}

static void what_somebody_runs_in_a_container_may_outlive_a_restore(void **state)
{
	static const char *const argv[] = {"sleep", "1000", NULL};
	struct cluster *cluster = one_node();
	struct cluster_snapshot *snapshot;
	struct process *process;
	int code = -1;

	(void)state;
	support_pod(cluster, "web", pod_of("{name: 'c', image: 'nginx:1.27'}", "{}"));
	support_wait(cluster, 3);
	snapshot = cluster_snapshot(cluster);
	process = process_start(
	        &(struct process_spec){.container = kubelet_container(cluster, "default", "web", NULL, NULL),
	                               .argv = argv,
	                               .output = hear_nothing,
	                               .exited = note_end,
	                               .arg = &code},
	        NULL);
	assert_non_null(process);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	support_wait(cluster, 20);
	assert_int_equal(code, 137);
	process_free(process); /* its container is there until now */
	support_wait(cluster, 20);
	assert_string_equal(support_condition(cluster, "web", "Ready", "status"), "True");
	cluster_free(cluster);
}

static void after_a_restore_a_slow_start_is_not_waited_for_again(void **state)
{
	struct cluster *cluster = one_node();
	struct cluster_snapshot *snapshot;

	(void)state;
	support_pod(cluster, "web",
	            pod_of("{name: 'c', image: 'nginx:1.27', command: ['sh', '-c', 'sleep 30; exec nginx -g "
	                   "\"daemon off;\"'], readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 1, "
	                   "failureThreshold: 2}}",
	                   "{}"));
	support_wait(cluster, 40);
	assert_string_equal(support_condition(cluster, "web", "Ready", "status"), "True");
	snapshot = cluster_snapshot(cluster);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	for (int i = 0; i < 10; i++) {
		support_wait(cluster, 1);
		assert_string_equal(support_condition(cluster, "web", "Ready", "status"), "True");
	}
	cluster_free(cluster);
}

static void what_the_environment_lacks_is_said(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	support_pod(cluster, "p",
	            pod_of("{name: 'c', image: 'nginx:1.27', env: [{name: 'A', valueFrom: {configMapKeyRef: "
	                   "{name: 'absent', key: "
	                   "'a'}}}]}",
	                   "{}"));
	support_wait(cluster, 3);
	assert_string_equal(kt_path_str(status_of(cluster, "p"), "state.waiting.reason"),
	                    "CreateContainerConfigError");
	assert_string_equal(kt_path_str(status_of(cluster, "p"), "state.waiting.message"),
	                    "configmap \"absent\" not found");
	support_create(cluster, "", "ConfigMap", kt_jsonf("{metadata: {name: 'absent'}, data: {a: 'b'}}"));
	support_wait(cluster, 15);
	assert_string_equal(support_text(cluster, "p", "status.phase"), "Running");
	assert_string_equal(kt_get_str(kubelet_container(cluster, "default", "p", "c", NULL)->env, "A"), "b");
	cluster_free(cluster);
}

static void logs_are_kept_with_their_end(void **state)
{
	struct cluster *cluster = one_node();
	struct kubelet_log_options options = {.tail = -1, .limit_bytes = -1};
	struct kt_buf out = {0};
	uint64_t position;

	(void)state;
	support_pod(
	        cluster, "talk",
	        pod_of("{name: 'c', image: 'busybox:1.36', command: ['sh', '-c', 'echo a; echo b; echo c']}",
	               "{restartPolicy: 'Never'}"));
	support_wait(cluster, 4);
	assert_true(kubelet_log(cluster, "default", "talk", &options, &out, &position, NULL));
	assert_string_equal(kt_buf_str(&out), "a\nb\nc\n");
	kt_buf_cut(&out, 0);
	options.tail = 2;
	assert_true(kubelet_log(cluster, "default", "talk", &options, &out, &position, NULL));
	assert_string_equal(kt_buf_str(&out), "b\nc\n");
	kt_buf_cut(&out, 0);
	assert_false(kubelet_log_more(cluster, "default", "talk", &options, &out, &position));
	assert_string_equal(kt_buf_str(&out), "");
	kt_buf_clear(&out);
	cluster_free(cluster);
}

static int by_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* 10.244.0.0/16 has ranges for 256 nodes, 10.0.0.0/8 not much more behind it. */
static void each_node_of_a_large_cluster_has_a_pod_range_of_its_own(void **state)
{
	enum { NODES = 3200 };
	struct kt_json *nodes = kt_json_array();
	struct cluster *cluster;
	const char **ranges = kt_alloc(NODES * sizeof(*ranges));
	const struct store_object *node;
	size_t count = 0;

	(void)state;
	for (int i = 0; i < NODES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "node-%d", i);
		kt_push(&nodes, support_node(name, "zone-a", "4", NULL));
	}
	cluster = support_cluster(nodes);
	STORE_EACH (node, cluster_store(cluster), support_kind(cluster, "", "Node"), NULL) {
		ranges[count] = kt_path_str(node->json, "spec.podCIDR");
		assert_non_null(ranges[count]);
		count++;
	}
	assert_int_equal(count, NODES);
	qsort(ranges, count, sizeof(*ranges), by_words);
	for (size_t i = 1; i < count; i++)
		assert_string_not_equal(ranges[i - 1], ranges[i]);
	kt_free(ranges);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_server_is_ready_within_two_seconds_with_its_conditions_in_order),
	        cmocka_unit_test(an_image_is_pulled_once_on_a_node),
	        cmocka_unit_test(a_container_that_ends_is_started_more_and_more_slowly),
	        cmocka_unit_test(a_hook_over_the_network_finds_a_server),
	        cmocka_unit_test(the_last_run_of_all_has_none_before_it),
	        cmocka_unit_test(pods_end_as_their_containers_and_policies_say),
	        cmocka_unit_test(a_crash_goes_the_same_way_at_any_time),
	        cmocka_unit_test(images_that_cannot_be_had_are_tried_again_with_back_off),
	        cmocka_unit_test(readiness_follows_the_probe_and_liveness_restarts),
	        cmocka_unit_test(a_deleted_pod_gets_its_grace_and_is_gone),
	        cmocka_unit_test(a_deleted_pod_whose_program_heeds_sigterm_is_seen_to_end_and_gone_soon),
	        cmocka_unit_test(a_machine_without_power_is_silent_and_its_containers_start_anew),
	        cmocka_unit_test(a_node_made_by_hand_has_no_machine_unless_its_object_alone_was_deleted),
	        cmocka_unit_test(after_a_restore_containers_run_on_without_a_restart),
	        cmocka_unit_test(what_a_program_had_in_memory_outlives_a_restore),
	        cmocka_unit_test(what_was_just_written_on_a_disk_is_in_a_snapshot),
	        cmocka_unit_test(what_somebody_runs_in_a_container_may_outlive_a_restore),
	        cmocka_unit_test(after_a_restore_a_slow_start_is_not_waited_for_again),
	        cmocka_unit_test(what_the_environment_lacks_is_said),
	        cmocka_unit_test(logs_are_kept_with_their_end),
	        cmocka_unit_test(each_node_of_a_large_cluster_has_a_pod_range_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

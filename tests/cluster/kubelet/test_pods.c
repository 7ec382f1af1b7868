/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/kubelet.h"
#include "tests/cluster/support.h"

static struct cluster *one_node(void)
{
	struct kt_json *nodes = kt_json_array();

	struct kt_json *node = support_node("a", "zone-a", "4", NULL);
	kt_set(kt_edit_path(&node, "status.capacity"), "ephemeral-storage", kt_json_str("100Gi"));
	kt_set(kt_edit_path(&node, "status.allocatable"), "ephemeral-storage", kt_json_str("100Gi"));
	kt_push(&nodes, node);
	return support_cluster(nodes);
}

/* A pod whose one container runs a script with busybox; `more` of the container, `rest` of the spec. */
static void run_script(struct cluster *cluster, const char *image, const char *script, const char *more,
                       const char *rest)
{
	struct kt_json *spec = kt_jsonf(rest), *container = kt_jsonf(more);

	kt_set(&container, "name", kt_json_str("c"));
	kt_set(&container, "image", kt_json_str(image));
	kt_set(&container, "command", kt_jsonf("['sh', '-c', %s]", script));
	kt_set(&spec, "containers", kt_jsonf("[%j]", container));
	support_pod(cluster, "p", spec);
}

static const char *ended(struct cluster *cluster, const char *path)
{
	const struct kt_json *status =
	        kt_path(support_get(cluster, "Pod", "p")->json, "status.containerStatuses.0");
	const char *text = kt_path_str(status, path);

	return text ? text : "";
}

/* What scripts find: their last line is the container's termination message. */
struct row {
	const char *script, *more, *rest, *message;
};
static const struct row rows[] = {
        {"id", "{}",
         "{restartPolicy: 'Never', securityContext: {runAsUser: 1000, runAsGroup: 3000, fsGroup: 2000}}",
         "uid=1000 gid=3000 groups=2000,3000\n"},
        {"id -u; whoami", "{securityContext: {runAsUser: 0}}", "{restartPolicy: 'Never'}", "0\nroot\n"},
        {"touch /x || echo refused", "{}", "{restartPolicy: 'Never', securityContext: {runAsUser: 1000}}",
         "touch: /x: Permission denied\nrefused\n"},
        {"touch /x || echo refused", "{securityContext: {readOnlyRootFilesystem: true}}",
         "{restartPolicy: 'Never'}", "touch: /x: Read-only file system\nrefused\n"},
        {"cat /etc/resolv.conf", "{}",
         "{restartPolicy: 'Never', dnsPolicy: 'None', dnsConfig: {nameservers: ['1.2.3.4'], searches: "
         "['a.b'], options: "
         "[{name: 'ndots', value: '2'}, {name: 'edns0'}]}}",
         "search a.b\nnameserver 1.2.3.4\noptions ndots:2 edns0\n"},
        {"grep -A1 HostAliases /etc/hosts", "{}",
         "{restartPolicy: 'Never', hostAliases: [{ip: '10.1.2.3', hostnames: ['foo.local', 'bar.local']}]}",
         "# Entries added by HostAliases.\n10.1.2.3\tfoo.local\tbar.local\n"},
        {"hostname -f", "{}", "{restartPolicy: 'Never', hostname: 'db-0', subdomain: 'db'}",
         "db-0.db.default.svc.cluster.local\n"},
        {"httpd -p 8080 -h /etc; sleep 1; wget -qO- http://localhost:8080/hostname", "{}",
         "{restartPolicy: 'Never'}", "p\n"},
        {"x=a; while true; do x=$x$x; done", "{resources: {limits: {memory: '32Mi'}}}",
         "{restartPolicy: 'Never'}", ""},
};

static void programs_see_what_the_spec_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster *cluster = one_node();
		char *script = kt_strf("(%s) >/dev/termination-log 2>&1", rows[i].script);

		run_script(cluster, "busybox:1.36", script, rows[i].more, rows[i].rest);
		support_wait(cluster, 10);
		if (strcmp(ended(cluster, "state.terminated.message"), rows[i].message) != 0)
			fail_msg("%s: %s", rows[i].script, ended(cluster, "state.terminated.message"));
		kt_free(script);
		cluster_free(cluster);
	}
}

static void only_root_images_break_a_policy_against_root(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	run_script(cluster, "nginx:1.27", "sleep 60", "{}", "{securityContext: {runAsNonRoot: true}}");
	support_wait(cluster, 5);
	assert_string_equal(ended(cluster, "state.waiting.reason"), "CreateContainerConfigError");
	assert_int_equal(
	        support_events(
	                cluster, "p", "Failed",
	                "Error: container has runAsNonRoot and image will run as root (pod: \"p_default("),
	        1);
	cluster_free(cluster);
}

static void a_full_volume_or_layer_evicts_its_pod(void **state)
{
	static const struct {
		const char *script, *more, *rest, *message;
	} full[] = {{"dd if=/dev/zero of=/v/f bs=1M count=20; sleep 600",
	             "{volumeMounts: [{name: 'v', mountPath: '/v'}]}",
	             "{volumes: [{name: 'v', emptyDir: {sizeLimit: '10Mi'}}]}",
	             "Usage of EmptyDir volume \"v\" exceeds the limit \"10Mi\". "},
	            {"dd if=/dev/zero of=/f bs=1M count=30; sleep 600",
	             "{resources: {limits: {'ephemeral-storage': '20Mi'}}}", "{}",
	             "Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. "}};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(full); i++) {
		struct cluster *cluster = one_node();

		run_script(cluster, "busybox:1.36", full[i].script, full[i].more, full[i].rest);
		support_wait(cluster, 30);
		assert_string_equal(support_text(cluster, "p", "status.phase"), "Failed");
		assert_string_equal(support_text(cluster, "p", "status.reason"), "Evicted");
		assert_string_equal(support_text(cluster, "p", "status.message"), full[i].message);
		assert_string_equal(ended(cluster, "state.terminated.reason"), "ContainerStatusUnknown");
		cluster_free(cluster);
	}
}

static void memory_volumes_count_as_memory(void **state)
{
	struct cluster *cluster = one_node();

	(void)state;
	run_script(cluster, "busybox:1.36", "dd if=/dev/zero of=/v/f bs=1M count=100; sleep 600",
	           "{volumeMounts: [{name: 'v', mountPath: '/v'}], resources: {limits: {memory: '32Mi'}}}",
	           "{restartPolicy: 'Never', volumes: [{name: 'v', emptyDir: {medium: 'Memory'}}]}");
	support_wait(cluster, 5);
	assert_string_equal(ended(cluster, "state.terminated.reason"), "OOMKilled");
	cluster_free(cluster);
}

static void images_that_no_registry_has_are_not_pulled(void **state)
{
	static const struct {
		const char *image, *words;
	} absent[] = {
	        {"ngnix:1.27", "pull access denied, repository does not exist or may require authorization"},
	        {"myorg/myapp:1.0", "pull access denied"},
	        {"nginx:1.27.99", "docker.io/library/nginx:1.27.99: not found"},
	        {"nginx:v1.27", "not found"},
	        {"nginx:1.27-broken", "not found"},
	        {"busybox:1.99", "not found"},
	        {"registry.example.com/shop/api:1", "no such host"}};
	static const char *const there[] = {
	        "nginx:1.27.0-alpine", "nginx:stable-alpine3.22",    "busybox:1",
	        "redis:7.2",           "registry.k8s.io/pause:3.10", "docker.io/library/httpd:2.4"};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(absent); i++) {
		char *why = NULL;

		assert_null(image_find(NULL, absent[i].image, &why));
		if (!strstr(why, absent[i].words))
			fail_msg("%s: %s", absent[i].image, why);
		kt_free(why);
	}
	for (size_t i = 0; i < KT_COUNT(there); i++) {
		if (!image_find(NULL, there[i], NULL))
			fail_msg("%s", there[i]);
	}
}

static void a_readiness_gate_opens_with_its_condition(void **state)
{
	struct cluster *cluster = one_node();
	struct kt_json *json;

	(void)state;
	run_script(cluster, "busybox:1.36", "sleep 600", "{}",
	           "{readinessGates: [{conditionType: 'example.com/ok'}]}");
	support_wait(cluster, 5);
	assert_string_equal(support_condition(cluster, "p", "Ready", "status"), "False");
	json = kt_json_ref(support_get(cluster, "Pod", "p")->json);
	kt_push(kt_edit_path(&json, "status.conditions"),
	        kt_jsonf("{type: 'example.com/ok', status: 'True'}"));
	api_update_status(cluster, &support_actor, schema_stored(cluster_schema(cluster), "", "Pod"), json,
	                  NULL);
	support_wait(cluster, 1);
	assert_string_equal(support_condition(cluster, "p", "Ready", "status"), "True");
	cluster_free(cluster);
}

/* A server that reads nothing but its image's own files costs no tree of them, and no reading after the
 * first. */
static void servers_that_change_nothing_share_their_files(void **state)
{
	(void)state;
	static const char *const names[] = {"a", "b"};
	struct cluster *cluster = one_node();
	for (size_t i = 0; i < KT_COUNT(names); i++)
		support_pod(cluster, names[i], kt_jsonf("{containers: [{name: 'c', image: 'nginx:1.27'}]}"));
	support_wait(cluster, 10);
	for (size_t i = 0; i < KT_COUNT(names); i++) {
		struct container *c = kubelet_container(cluster, "default", names[i], NULL, NULL);
		assert_non_null(c);
		assert_true(files_untouched(c->files, "/etc/nginx"));
		struct kt_strs list = {0};
		assert_int_equal(files_list(c->files, "/etc", &list), 0);
		kt_strs_clear(&list);
		assert_int_equal(files_write(c->files, "/etc/nginx/x", "", 0, false, 0644, 0), 0);
		assert_false(files_untouched(c->files, "/etc/nginx"));
	}
	cluster_free(cluster);
}

/* What pods tell alike in the same second is one value: a large cluster keeps it once. */
static void pods_that_tell_the_same_share_it(void **state)
{
	(void)state;
	static const char *const names[] = {"a", "b"};
	static const char *const shared[] = {"status.conditions", "status.containerStatuses.0.state",
	                                     "status.containerStatuses.0.user"};
	struct cluster *cluster = one_node();
	const struct kt_json *pods[2];
	for (size_t i = 0; i < KT_COUNT(names); i++)
		support_pod(cluster, names[i], kt_jsonf("{containers: [{name: 'c', image: 'nginx:1.27'}]}"));
	support_wait(cluster, 10);
	for (size_t i = 0; i < KT_COUNT(names); i++)
		pods[i] = store_get(cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Pod"),
		                    "default", names[i])
		                  ->json;
	for (size_t i = 0; i < KT_COUNT(shared); i++) {
		assert_non_null(kt_path(pods[0], shared[i]));
		assert_ptr_equal(kt_path(pods[0], shared[i]), kt_path(pods[1], shared[i]));
	}
	assert_false(kt_equal(kt_path(pods[0], "status.podIP"), kt_path(pods[1], "status.podIP")));
	cluster_free(cluster);
}

/* Ask for so many CPUs, as the resize subresource does. */
static void resize(struct cluster *cluster, const char *pod, const char *cpu)
{
	struct kt_json *json = kt_json_ref(support_get(cluster, "Pod", pod)->json);
	struct kt_json **containers = kt_edit_path(&json, "spec.containers");

	kt_set(kt_edit_at(containers, 0), "resources", kt_jsonf("{requests: {cpu: %s}}", cpu));
	assert_non_null(api_update(cluster, &support_actor, support_kind(cluster, "", "Pod"), json, NULL));
	support_wait(cluster, 3);
}

static const char *allocated(struct cluster *cluster, const char *pod)
{
	return kt_path_str(support_get(cluster, "Pod", pod)->json,
	                   "status.containerStatuses.0.allocatedResources.cpu");
}

static void a_pod_gets_more_when_its_node_has_it(void **state)
{
	static const char pending[] = "PodResizePending";
	struct cluster *cluster = one_node();
	static const char *const names[] = {"one", "two"};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(names); i++)
		support_pod(cluster, names[i],
		            kt_jsonf("{terminationGracePeriodSeconds: 1, containers: [{name: 'c', image: "
		                     "'busybox:1.36', "
		                     "command: ['sleep', '9999'], resources: {requests: {cpu: '1'}}}]}"));
	support_wait(cluster, 5);
	resize(cluster, "one", "2");
	assert_string_equal(allocated(cluster, "one"), "2");
	assert_string_equal(support_condition(cluster, "one", pending, "status"), "");
	resize(cluster, "one", "5"); /* the node has four */
	assert_string_equal(support_condition(cluster, "one", pending, "reason"), "Infeasible");
	assert_string_equal(support_condition(cluster, "one", pending, "message"),
	                    "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000");
	assert_string_equal(allocated(cluster, "one"), "2");
	resize(cluster, "one", "3500m"); /* it has, without the other pod; CoreDNS asks for the rest */
	assert_string_equal(support_condition(cluster, "one", pending, "reason"), "Deferred");
	assert_string_equal(
	        support_condition(cluster, "one", pending, "message"),
	        "Node didn't have enough resource: cpu, requested: 3500, used: 1200, capacity: 4000");
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "two", NULL, NULL);
	support_wait(cluster, 20);
	assert_string_equal(support_condition(cluster, "one", pending, "status"), "");
	assert_string_equal(allocated(cluster, "one"), "3500m");
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(programs_see_what_the_spec_says),
	        cmocka_unit_test(pods_that_tell_the_same_share_it),
	        cmocka_unit_test(servers_that_change_nothing_share_their_files),
	        cmocka_unit_test(only_root_images_break_a_policy_against_root),
	        cmocka_unit_test(a_full_volume_or_layer_evicts_its_pod),
	        cmocka_unit_test(memory_volumes_count_as_memory),
	        cmocka_unit_test(images_that_no_registry_has_are_not_pulled),
	        cmocka_unit_test(a_readiness_gate_opens_with_its_condition),
	        cmocka_unit_test(a_pod_gets_more_when_its_node_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

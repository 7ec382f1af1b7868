/* SPDX-License-Identifier: MIT */
#include "tests/cluster/support.h"

/* Nodes a, b, c in zones of these names; what else they are is in the row. */
static struct cluster *three(struct kt_json *spec_a, struct kt_json *spec_b, struct kt_json *spec_c)
{
	struct kt_json *nodes = kt_json_array();

	kt_push(&nodes, support_node("a", "zone-a", "4", spec_a));
	kt_push(&nodes, support_node("b", "zone-b", "4", spec_b));
	kt_push(&nodes, support_node("c", "zone-c", "4", spec_c));
	return support_cluster(nodes);
}

static const char box[] = "{name: 'c', image: 'nginx:1.27'}";

static struct kt_json *asks(const char *cpu)
{
	return kt_jsonf("{containers: [{name: 'c', image: 'nginx:1.27', resources: {requests: {cpu: %s}}}]}",
	                cpu);
}

struct row {
	const char *spec;    /* relaxed JSON; the container is added */
	const char *node;    /* where it goes, or NULL */
	const char *message; /* of the condition */
};

/* a is tainted, b is cordoned, c is labelled and plain. */
static const struct row rows[] = {
        {"{}", "c", NULL},
        {"{tolerations: [{key: 'k', operator: 'Exists'}], nodeSelector: {'kubernetes.io/hostname': 'a'}}",
         "a", NULL},
        {"{tolerations: [{key: 'k', value: 'v', effect: 'NoSchedule'}], nodeSelector: "
         "{'kubernetes.io/hostname': 'a'}}",
         "a", NULL},
        {"{nodeSelector: {disk: 'ssd'}}", NULL,
         "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had "
         "untolerated "
         "taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are "
         "available: 3 "
         "Preemption is not helpful for scheduling."},
        {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
         "[{matchExpressions: [{key: 'topology.kubernetes.io/zone', operator: 'NotIn', values: "
         "['zone-c']}]}]}}}}",
         NULL,
         "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had "
         "untolerated "
         "taint(s), 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are "
         "available: 3 "
         "Preemption is not helpful for scheduling."},
        {"{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: "
         "[{matchExpressions: [{key: 'topology.kubernetes.io/zone', operator: 'Exists'}]}]}}}}",
         "c", NULL},
        {"{affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: "
         "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: 'nobody'}}}]}}}",
         NULL,
         "0/3 nodes are available: 1 node(s) didn't match pod affinity rules, 1 node(s) had untolerated "
         "taint(s), 1 "
         "node(s) were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 "
         "Preemption "
         "is not helpful for scheduling."},
        {"{topologySpreadConstraints: [{maxSkew: 1, topologyKey: 'rack', whenUnsatisfiable: 'DoNotSchedule', "
         "labelSelector: {matchLabels: {app: 'x'}}}]}",
         NULL,
         "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required "
         "label), 1 "
         "node(s) had untolerated taint(s), 1 node(s) were unschedulable. no new claims to deallocate, "
         "preemption: 0/3 "
         "nodes are available: 3 Preemption is not helpful for scheduling."},
        {"{volumes: [{name: 'd', persistentVolumeClaim: {claimName: 'absent'}}]}", NULL,
         "0/3 nodes are available: persistentvolumeclaim \"absent\" not found. not found"},
};

static void a_pod_goes_where_the_plugins_let_it_or_is_told_why_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster *cluster =
		        three(kt_jsonf("{taints: [{key: 'k', value: 'v', effect: 'NoSchedule'}]}"),
		              kt_jsonf("{unschedulable: true}"), NULL);
		struct kt_json *spec = kt_jsonf(rows[i].spec);

		kt_set(&spec, "containers", kt_jsonf("[%j]", kt_jsonf(box)));
		support_pod(cluster, "p", spec);
		support_wait(cluster, 1);
		assert_string_equal(support_text(cluster, "p", "spec.nodeName"),
		                    rows[i].node ? rows[i].node : "");
		if (rows[i].message) {
			assert_string_equal(support_condition(cluster, "p", "PodScheduled", "message"),
			                    rows[i].message);
			assert_string_equal(support_condition(cluster, "p", "PodScheduled", "reason"),
			                    "Unschedulable");
			assert_int_equal(support_events(cluster, "p", "FailedScheduling", rows[i].message),
			                 1);
		} else {
			assert_int_equal(support_events(cluster, "p", "Scheduled",
			                                "Successfully assigned default/p to "),
			                 1);
		}
		cluster_free(cluster);
	}
}

static void requests_fill_nodes_and_the_rest_waits_for_room(void **state)
{
	struct cluster *cluster = three(NULL, NULL, NULL);
	char name[] = "p0";

	(void)state;
	for (int i = 0; i < 4; i++, name[1]++)
		support_pod(cluster, name, asks("2500m"));
	support_wait(cluster, 3);
	assert_string_equal(support_text(cluster, "p3", "spec.nodeName"), "");
	assert_string_equal(support_condition(cluster, "p3", "PodScheduled", "message"),
	                    "0/3 nodes are available: 3 Insufficient cpu. no new claims to deallocate, "
	                    "preemption: 0/3 nodes "
	                    "are available: 3 No preemption victims found for incoming pod.");
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "p0",
	           &(struct api_delete_options){.grace = 0}, NULL);
	support_wait(cluster, 3);
	assert_string_not_equal(support_text(cluster, "p3", "spec.nodeName"), "");
	cluster_free(cluster);
}

static void a_pod_with_priority_takes_the_place_of_a_lesser_one(void **state)
{
	struct cluster *cluster =
	        three(NULL, kt_jsonf("{unschedulable: true}"), kt_jsonf("{unschedulable: true}"));
	struct kt_json *high = asks("3"), *low = asks("3");

	(void)state;
	support_create(cluster, "scheduling.k8s.io", "PriorityClass",
	               kt_jsonf("{metadata: {name: 'high'}, value: 1000}"));
	/* heeds no SIGTERM: it is still there when the other has been given its place */
	kt_set(kt_edit_at(kt_edit(&low, "containers"), 0), "command", kt_jsonf("['sleep', '3600']"));
	support_pod(cluster, "low", low);
	support_wait(cluster, 5);
	assert_string_equal(support_text(cluster, "low", "spec.nodeName"), "a");
	kt_set(&high, "priorityClassName", kt_json_str("high"));
	kt_set(&high, "priority", kt_json_int(1000));
	support_pod(cluster, "high", high);
	support_wait(cluster, 0.1);
	assert_string_equal(support_text(cluster, "high", "status.nominatedNodeName"), "a");
	assert_int_equal(support_events(cluster, "low", "Preempted", "Preempted by pod "), 1);
	assert_string_equal(support_condition(cluster, "low", "DisruptionTarget", "reason"),
	                    "PreemptionByScheduler");
	support_wait(cluster, 40);
	assert_null(support_get(cluster, "Pod", "low"));
	assert_string_equal(support_text(cluster, "high", "spec.nodeName"), "a");
	cluster_free(cluster);
}

/* A worker alone, and pods of these classes. */
static struct cluster *one_node_with_classes(void)
{
	static const struct {
		const char *name;
		int value;
	} classes[] = {{"low", 10}, {"middle", 100}, {"high", 1000}};
	struct kt_json *nodes = kt_json_array();
	struct cluster *cluster;

	kt_push(&nodes, support_node("a", "zone-a", "4", NULL));
	cluster = support_cluster(nodes);
	for (size_t i = 0; i < KT_COUNT(classes); i++)
		support_create(
		        cluster, "scheduling.k8s.io", "PriorityClass",
		        kt_jsonf("{metadata: {name: %s}, value: %d}", classes[i].name, classes[i].value));
	return cluster;
}

/* Asks for so much, heeds no SIGTERM, is called as its app label says. */
static void pod_of_class(struct cluster *cluster, const char *name, const char *class, const char *cpu)
{
	struct kt_json *spec = asks(cpu);

	kt_set(kt_edit_at(kt_edit(&spec, "containers"), 0), "command", kt_jsonf("['sleep', '3600']"));
	kt_set(&spec, "priorityClassName", kt_json_str(class));
	support_create(cluster, "", "Pod",
	               kt_jsonf("{metadata: {name: %s, labels: {app: %s}}, spec: %j}", name, name, spec));
}

static void a_promise_of_room_is_withdrawn_for_a_more_important_pod_and_where_none_can_be_made(void **state)
{
	struct cluster *cluster = one_node_with_classes();

	(void)state;
	pod_of_class(cluster, "low", "low", "3");
	support_wait(cluster, 5);
	pod_of_class(cluster, "middle", "middle", "3");
	support_wait(cluster, 0.1);
	assert_string_equal(support_text(cluster, "middle", "status.nominatedNodeName"), "a");
	pod_of_class(cluster, "high", "high", "3");
	support_wait(cluster, 0.1);
	assert_string_equal(support_text(cluster, "high", "status.nominatedNodeName"), "a");
	assert_string_equal(support_text(cluster, "middle", "status.nominatedNodeName"), "");
	support_wait(cluster, 60);
	assert_string_equal(support_text(cluster, "high", "spec.nodeName"), "a");
	assert_string_equal(support_text(cluster, "middle", "spec.nodeName"), "");
	cluster_free(cluster);
}

static void a_pod_that_goes_for_another_reason_does_not_keep_anybody_from_preempting(void **state)
{
	struct cluster *cluster = one_node_with_classes();
	const struct store_object *pod;
	struct kt_json *json;

	(void)state;
	pod_of_class(cluster, "low", "low", "1500m");
	pod_of_class(cluster, "middle", "middle", "1500m");
	support_create(cluster, "", "Pod",
	               kt_jsonf("{metadata: {name: 'high'}, spec: {priorityClassName: 'high', containers: "
	                        "[{name: 'c', "
	                        "image: 'nginx:1.27', resources: {requests: {cpu: 2}}}], schedulingGates: "
	                        "[{name: 'example.com/wait'}]}}"));
	support_wait(cluster, 5);
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "middle",
	           &(struct api_delete_options){.grace = 25}, NULL);
	pod = support_get(cluster, "Pod", "high");
	json = kt_json_ref(pod->json);
	kt_set(kt_edit(&json, "status"), "nominatedNodeName", kt_json_str("a"));
	pod = api_update_status(cluster, &support_actor, pod->kind, json, NULL);
	json = kt_json_ref(pod->json);
	kt_unset_path(&json, "spec.schedulingGates");
	assert_non_null(api_update(cluster, &support_actor, pod->kind, json, NULL));
	support_wait(cluster, 0.1);
	assert_int_equal(support_events(cluster, "low", "Preempted", "Preempted by pod "), 1);
	cluster_free(cluster);
}

/* One of equals must go: not the one that runs longest as a rule, but no budget is broken where it need not.
 */
static void a_budget_that_heeds_nobody_spares_nobody(void **state)
{
	static const struct {
		const char *selector, *goes;
	} budgets[] = {
	        {"{matchLabels: {app: 'second'}}", "first"},
	        {"{}", "second"},
	};

	(void)state;
	for (size_t i = 0; i < KT_COUNT(budgets); i++) {
		struct cluster *cluster = one_node_with_classes();

		support_create(cluster, "policy", "PodDisruptionBudget",
		               kt_jsonf("{metadata: {name: 'b'}, spec: {minAvailable: 1, selector: %j}}",
		                        kt_jsonf(budgets[i].selector)));
		pod_of_class(cluster, "first", "low", "1500m");
		support_wait(cluster, 5);
		pod_of_class(cluster, "second", "low", "1500m");
		support_wait(cluster, 5);
		pod_of_class(cluster, "high", "high", "2");
		support_wait(cluster, 0.1);
		assert_int_equal(support_events(cluster, budgets[i].goes, "Preempted", "Preempted by pod "),
		                 1);
		cluster_free(cluster);
	}
}

static void pods_with_anti_affinity_to_themselves_go_to_nodes_of_their_own(void **state)
{
	struct cluster *cluster = three(NULL, NULL, NULL);
	char name[] = "p0";

	(void)state;
	for (int i = 0; i < 4; i++, name[1]++)
		support_create(
		        cluster, "", "Pod",
		        kt_jsonf("{metadata: {name: %s, labels: {app: 'web'}}, spec: {containers: [%j], "
		                 "affinity: "
		                 "{podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: "
		                 "[{topologyKey: "
		                 "'kubernetes.io/hostname', labelSelector: {matchLabels: {app: 'web'}}}]}}}}",
		                 name, kt_jsonf(box)));
	support_wait(cluster, 2);
	assert_string_not_equal(support_text(cluster, "p0", "spec.nodeName"),
	                        support_text(cluster, "p1", "spec.nodeName"));
	assert_string_not_equal(support_text(cluster, "p0", "spec.nodeName"),
	                        support_text(cluster, "p2", "spec.nodeName"));
	assert_string_not_equal(support_text(cluster, "p1", "spec.nodeName"),
	                        support_text(cluster, "p2", "spec.nodeName"));
	assert_string_equal(
	        support_condition(cluster, "p3", "PodScheduled", "message"),
	        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. no new claims to "
	        "deallocate, preemption: 0/3 nodes are available: 3 No preemption victims found for incoming "
	        "pod.");
	cluster_free(cluster);
}

static void a_gated_pod_waits_until_its_gates_are_open(void **state)
{
	struct cluster *cluster = three(NULL, NULL, NULL);
	const struct store_object *pod;
	struct kt_json *json;

	(void)state;
	support_pod(
	        cluster, "p",
	        kt_jsonf("{schedulingGates: [{name: 'example.com/wait'}], containers: [%j]}", kt_jsonf(box)));
	support_wait(cluster, 2);
	assert_string_equal(support_text(cluster, "p", "spec.nodeName"), "");
	assert_int_equal(support_events(cluster, "p", "FailedScheduling", ""), 0);
	pod = support_get(cluster, "Pod", "p");
	json = kt_json_ref(pod->json);
	kt_set(kt_edit(&json, "spec"), "schedulingGates", NULL);
	assert_non_null(api_update(cluster, &support_actor, pod->kind, json, NULL));
	support_wait(cluster, 2);
	assert_string_not_equal(support_text(cluster, "p", "spec.nodeName"), "");
	cluster_free(cluster);
}

/* Property: whatever comes, the requests on a node never exceed what it has. */
static void no_node_is_ever_promised_more_than_it_has(void **state)
{
	struct kt_random random;

	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct cluster *cluster = three(NULL, NULL, NULL);
		const struct store_object *node;

		kt_random_init(&random, seed);
		for (int i = 0; i < 60; i++) {
			char name[16], cpu[16];

			snprintf(name, sizeof(name), "p%d", i);
			snprintf(cpu, sizeof(cpu), "%um", 100 + kt_random_below(&random, 1500));
			support_pod(cluster, name, asks(cpu));
			support_wait(cluster, kt_random_unit(&random));
			if (kt_random_below(&random, 4) == 0) {
				snprintf(name, sizeof(name), "p%u",
				         kt_random_below(&random, (uint32_t)i + 1));
				api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"),
				           "default", name, &(struct api_delete_options){.grace = 1}, NULL);
			}
			STORE_EACH (node, cluster_store(cluster), support_kind(cluster, "", "Node"), NULL) {
				struct store_list pods;
				int64_t sum = 0;

				store_pods_on_node(cluster_store(cluster), node->name, &pods);
				for (size_t j = 0; j < pods.count; j++)
					sum += view_pod(pods.items[j])->requests.cpu_milli;
				store_list_clear(&pods);
				assert_true(sum <= view_node(node)->allocatable.cpu_milli);
			}
		}
		cluster_free(cluster);
	}
}

static void a_claim_for_one_pod_has_one_in_the_whole_cluster(void **state)
{
	struct cluster *cluster = three(NULL, NULL, NULL);
	struct api_delete_options options = {.grace = 0};
	const char *mode = "ReadWriteOncePod", *names[] = {"first", "second"};

	(void)state;
	support_create(
	        cluster, "", "PersistentVolume",
	        kt_jsonf("{metadata: {name: 'disk'}, spec: {capacity: {storage: '1Gi'}, accessModes: [%s], "
	                 "hostPath: {path: '/d'}}}",
	                 mode));
	support_create(cluster, "", "PersistentVolumeClaim",
	               kt_jsonf("{metadata: {name: 'disk'}, spec: {storageClassName: '', accessModes: [%s], "
	                        "resources: {requests: {storage: '1Gi'}}}}",
	                        mode));
	support_wait(cluster, 2);
	for (size_t i = 0; i < KT_COUNT(names); i++) {
		support_pod(cluster, names[i],
		            kt_jsonf("{containers: [%j], volumes: [{name: 'd', persistentVolumeClaim: "
		                     "{claimName: 'disk'}}]}",
		                     kt_jsonf(box)));
		support_wait(cluster, 2);
	}
	assert_string_not_equal(support_text(cluster, "first", "spec.nodeName"), "");
	assert_string_equal(
	        support_condition(cluster, "second", "PodScheduled", "message"),
	        "0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with "
	        "ReadWriteOncePod access mode already in-use by another pod. no new claims to deallocate, "
	        "preemption: "
	        "0/3 nodes are available: 3 No preemption victims found for incoming pod.");
	api_delete(cluster, &support_actor, support_kind(cluster, "", "Pod"), "default", "first", &options,
	           NULL);
	support_wait(cluster, 30);
	assert_string_not_equal(support_text(cluster, "second", "spec.nodeName"), "");
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_pod_goes_where_the_plugins_let_it_or_is_told_why_not),
	        cmocka_unit_test(requests_fill_nodes_and_the_rest_waits_for_room),
	        cmocka_unit_test(a_pod_with_priority_takes_the_place_of_a_lesser_one),
	        cmocka_unit_test(
	                a_promise_of_room_is_withdrawn_for_a_more_important_pod_and_where_none_can_be_made),
	        cmocka_unit_test(a_pod_that_goes_for_another_reason_does_not_keep_anybody_from_preempting),
	        cmocka_unit_test(a_budget_that_heeds_nobody_spares_nobody),
	        cmocka_unit_test(pods_with_anti_affinity_to_themselves_go_to_nodes_of_their_own),
	        cmocka_unit_test(a_gated_pod_waits_until_its_gates_are_open),
	        cmocka_unit_test(no_node_is_ever_promised_more_than_it_has),
	        cmocka_unit_test(a_claim_for_one_pod_has_one_in_the_whole_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

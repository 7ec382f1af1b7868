/* SPDX-License-Identifier: MIT */
/* What controllers count, as tables: budgets (every form, rounding), endpoints of pods in every state, the
 * parts of a deployment that is scaled in the middle of a rollout. */
#include "cluster/controllers/deployment.h"
#include "tests/cluster/controllers/controllers_test.h"

/* A pod of the ReplicaSet "set", on a machine that is nobody's. */
static void put_pod(struct world *world, const char *name, const char *phase, bool ready, bool deleting,
                    const char *ip)
{
	struct kt_json *json = kt_jsonf(
	        "{metadata: {name: %s, namespace: 'default', uid: %s, labels: {app: 'web'}, ownerReferences: "
	        "[{apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'set', uid: 'set', controller: true}]}, "
	        "spec: {nodeName: 'elsewhere', containers: [{name: 'c'}]}, status: {phase: %s, podIP: %s, "
	        "podIPs: %j, conditions: [{type: 'Ready', status: %s}]}}",
	        name, name, phase, ip, ip ? kt_jsonf("[{ip: %s}]", ip) : NULL, ready ? "True" : "False");
	if (deleting) {
		kt_set_path(&json, "metadata.deletionTimestamp",
		            controller_time(cluster_now(world->cluster)));
		kt_set_path(&json, "metadata.deletionGracePeriodSeconds", kt_json_int(30));
		kt_set_path(&json, "metadata.finalizers", kt_jsonf("['example.com/stay']"));
	}
	store_put(cluster_store(world->cluster), kind_named(world, "Pod"), json, cluster_now(world->cluster),
	          NULL);
}

static void put_set(struct world *world, int replicas)
{
	store_put(
	        cluster_store(world->cluster), kind_named(world, "ReplicaSet"),
	        kt_jsonf(
	                "{metadata: {name: 'set', namespace: 'default', uid: 'set', generation: 1}, spec: "
	                "{replicas: %d, selector: {matchLabels: {app: 'web'}}, template: {metadata: {labels: "
	                "{app: 'web'}}}}}",
	                replicas),
	        cluster_now(world->cluster), NULL);
}

/* desired of `pods`, `ready` of them; kubernetes pkg/controller/disruption (percentages round up). */
static const struct {
	const char *rule;
	int pods, ready;
	int64_t desired, allowed;
} budgets[] = {
        {"minAvailable: 0", 3, 3, 0, 3},      {"minAvailable: 1", 3, 3, 1, 2},
        {"minAvailable: 3", 3, 3, 3, 0},      {"minAvailable: 10", 3, 3, 10, 0},
        {"minAvailable: 2", 3, 2, 2, 0},      {"minAvailable: 2", 3, 1, 2, 0},
        {"minAvailable: 0%", 3, 3, 0, 3},     {"minAvailable: 1%", 3, 3, 1, 2},
        {"minAvailable: 50%", 3, 3, 2, 1},    {"minAvailable: 50%", 4, 4, 2, 2},
        {"minAvailable: 50%", 5, 5, 3, 2},    {"minAvailable: 34%", 3, 3, 2, 1},
        {"minAvailable: 33%", 3, 3, 1, 2},    {"minAvailable: 67%", 3, 3, 3, 0},
        {"minAvailable: 100%", 5, 5, 5, 0},   {"minAvailable: 50%", 5, 3, 3, 0},
        {"maxUnavailable: 0", 3, 3, 3, 0},    {"maxUnavailable: 1", 3, 3, 2, 1},
        {"maxUnavailable: 1", 3, 2, 2, 0},    {"maxUnavailable: 1", 3, 1, 2, 0},
        {"maxUnavailable: 3", 3, 3, 0, 3},    {"maxUnavailable: 10", 3, 3, 0, 3},
        {"maxUnavailable: 0%", 3, 3, 3, 0},   {"maxUnavailable: 1%", 3, 3, 2, 1},
        {"maxUnavailable: 10%", 1, 1, 0, 1},  {"maxUnavailable: 30%", 7, 7, 4, 3},
        {"maxUnavailable: 50%", 3, 3, 1, 2},  {"maxUnavailable: 50%", 3, 2, 1, 1},
        {"maxUnavailable: 100%", 4, 4, 0, 4}, {"maxUnavailable: 34%", 3, 3, 1, 2},
};

static void budgets_allow_what_the_table_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(budgets); i++) {
		struct world world;
		char text[256];
		world_begin(&world, 1);
		put_set(&world, budgets[i].pods);
		for (int k = 0; k < budgets[i].pods; k++) {
			snprintf(text, sizeof(text), "pod-%d", k);
			put_pod(&world, text, "Running", k < budgets[i].ready, false, NULL);
		}
		snprintf(text, sizeof(text),
		         "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\n"
		         "spec: {%s, selector: {matchLabels: {app: web}}}\n",
		         budgets[i].rule);
		create(&world, text);
		run(&world, KT_SEC);
		int64_t desired = get_int(&world, "PodDisruptionBudget", "b", "status.desiredHealthy"),
		        allowed = get_int(&world, "PodDisruptionBudget", "b", "status.disruptionsAllowed");
		if (desired != budgets[i].desired || allowed != budgets[i].allowed ||
		    get_int(&world, "PodDisruptionBudget", "b", "status.currentHealthy") !=
		            budgets[i].ready ||
		    get_int(&world, "PodDisruptionBudget", "b", "status.expectedPods") != budgets[i].pods)
			fail_msg("%s of %d, %d ready: %d desired, %d allowed", budgets[i].rule,
			         budgets[i].pods, budgets[i].ready, (int)desired, (int)allowed);
		world_end(&world);
	}
}

/* A pod's state, and whether its endpoint is there, ready, serving, terminating (staging
 * k8s.io/endpointslice/utils.go); and among the addresses of Endpoints (a), the not ready ones (n), or
 * neither. */
static const struct {
	const char *phase;
	bool ready, deleting, address, publish;
	const char *conditions; /* "": no endpoint */
	char endpoints;
} endpoints[] = {
        {"Running", true, false, true, false, "ready serving", 'a'},
        {"Running", false, false, true, false, "-", 'n'},
        {"Running", true, true, true, false, "serving terminating", '-'},
        {"Running", false, true, true, false, "terminating", '-'},
        {"Pending", false, false, true, false, "-", 'n'},
        {"Running", true, false, false, false, "", '-'},
        {"Running", false, false, false, false, "", '-'},
        {"Succeeded", false, false, true, false, "", '-'},
        {"Failed", false, false, true, false, "", '-'},
        {"Failed", true, false, true, true, "", '-'},
        {"Running", true, false, true, true, "ready serving", 'a'},
        {"Running", false, false, true, true, "ready", 'a'},
        {"Running", true, true, true, true, "ready serving terminating", 'a'},
        {"Running", false, true, true, true, "ready terminating", 'a'},
        {"Pending", false, false, true, true, "ready", 'a'},
        {"Running", true, false, false, true, "", '-'},
};

static const struct kt_json *only_endpoint(struct world *world)
{
	const struct store_object *slice;
	STORE_EACH (slice, cluster_store(world->cluster), kind_named(world, "EndpointSlice"), "default") {
		if (kt_streq(controller_label(slice->json, "kubernetes.io/service-name"), "web"))
			return kt_at(kt_get(slice->json, "endpoints"), 0);
	}
	return NULL;
}

static void say(struct kt_buf *text, const struct kt_json *conditions, const char *name)
{
	if (kt_get_bool(conditions, name, false))
		kt_buf_addf(text, "%s%s", text->len ? " " : "", name);
}

static void endpoints_are_what_their_pods_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(endpoints); i++) {
		struct world world;
		struct kt_buf text = {0};
		world_begin(&world, 1);
		put_set(&world, 1);
		put_pod(&world, "pod", endpoints[i].phase, endpoints[i].ready, endpoints[i].deleting,
		        endpoints[i].address ? "10.1.2.3" : NULL);
		create(&world,
		       endpoints[i].publish
		               ? "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: "
		                 "{app: web}, publishNotReadyAddresses: true, ports: [{port: 80}]}\n"
		               : "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: "
		                 "{app: web}, ports: [{port: 80}]}\n");
		run(&world, KT_SEC);
		const struct kt_json *endpoint = only_endpoint(&world),
		                     *conditions = kt_get(endpoint, "conditions"),
		                     *subsets = kt_get(get(&world, "Endpoints", "web")->json, "subsets");
		if (endpoint) {
			say(&text, conditions, "ready");
			say(&text, conditions, "serving");
			say(&text, conditions, "terminating");
			kt_buf_adds(&text, text.len ? "" : "-");
		}
		char where = kt_path(subsets, "0.addresses")           ? 'a'
		             : kt_path(subsets, "0.notReadyAddresses") ? 'n'
		                                                       : '-';
		if (strcmp(kt_buf_str(&text), endpoints[i].conditions) != 0 ||
		    where != endpoints[i].endpoints)
			fail_msg("row %zu: '%s' %c", i, kt_buf_str(&text), where);
		kt_buf_clear(&text);
		world_end(&world);
	}
}

/* The sizes of a deployment's replica sets (the newest first), how large it was, and what they become
 * (kubernetes pkg/controller/deployment/sync.go scale; its test TestScale). */
enum { SETS = 4 };
static const struct {
	const char *name;
	int before, surge_before, now, surge;
	bool fresh; /* the first set is that of the template */
	int available;
	int sizes[SETS], results[SETS]; /* -1 ends them */
} scales[] = {
        {"one set, up", 10, 0, 12, 0, true, 10, {10, -1}, {12, -1}},
        {"one set, down", 10, 0, 5, 0, true, 10, {10, -1}, {5, -1}},
        {"two sets, up", 5, 0, 10, 0, true, 0, {2, 3, -1}, {4, 6, -1}},
        {"two sets, down", 5, 0, 3, 0, true, 0, {2, 3, -1}, {1, 2, -1}},
        {"a small part goes altogether", 9, 0, 4, 0, true, 0, {8, 1, -1}, {4, 0, -1}},
        {"three sets, up", 7, 0, 10, 0, true, 0, {2, 3, 2, -1}, {3, 4, 3, -1}},
        {"three sets, down", 13, 0, 8, 0, true, 0, {6, 2, 5, -1}, {4, 1, 3, -1}},
        {"one more goes to the newest of equals", 3, 0, 4, 0, true, 0, {1, 1, 1, -1}, {2, 1, 1, -1}},
        {"one less is taken from the oldest of equals", 3, 0, 2, 0, true, 0, {1, 1, 1, -1}, {1, 1, 0, -1}},
        {"to nothing", 10, 0, 0, 0, true, 0, {6, 4, -1}, {0, 0, -1}},
        {"with surge", 10, 2, 20, 2, true, 0, {6, 6, -1}, {11, 11, -1}},
        {"size and surge change", 10, 3, 50, 6, true, 0, {5, 8, -1}, {22, 34, -1}},
        {"no set of the template yet", 10, 0, 14, 0, false, 0, {7, 3, -1}, {10, 4, -1}},
        {"a broken new set leaves the others", 2, 1, 2, 1, true, 0, {2, 1, -1}, {2, 1, -1}},
        {"a complete new set ends the others", 2, 1, 2, 1, true, 2, {2, 1, -1}, {2, 0, -1}},
        {"the only one that has pods", 5, 0, 7, 0, true, 0, {5, 0, -1}, {7, 0, -1}},
        {"the only one that has pods is old", 5, 0, 7, 0, true, 0, {0, 5, -1}, {0, 7, -1}},
        {"none has pods", 0, 0, 7, 0, true, 0, {0, 0, -1}, {7, 0, -1}},
};

static void a_deployment_in_between_is_scaled_in_proportion(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(scales); i++) {
		struct world world;
		struct controller_queue queue = {.controller = &controller_deployment};
		world_begin(&world, 1);
		struct store *store = cluster_store(world.cluster);
		kt_ns now = cluster_now(world.cluster);
		struct deployment_sync sync = {.cluster = world.cluster,
		                               .queue = &queue,
		                               .actor = tester,
		                               .replicas = scales[i].now,
		                               .surge = scales[i].surge,
		                               .rolling = true};
		sync.deployment = store_put(
		        store, kind_named(&world, "Deployment"),
		        kt_jsonf("{metadata: {name: 'web', namespace: 'default', uid: 'web', generation: 1}, "
		                 "spec: {replicas: %d, paused: true, selector: {matchLabels: {app: 'web'}}, "
		                 "template: {metadata: {labels: {app: 'web'}}}}, status: {replicas: %d}}",
		                 scales[i].now, scales[i].before),
		        now, NULL);
		char *desired = kt_strf("%d", scales[i].before),
		     *most = kt_strf("%d", scales[i].before + scales[i].surge_before);
		size_t count = 0;
		while (scales[i].sizes[count] >= 0)
			count++;
		for (size_t k = count; k-- > 0;) { /* the oldest first */
			char *name = kt_strf("set-%zu", k);
			struct kt_json *created = controller_time(now - (kt_ns)k * 60 * KT_SEC);
			const struct store_object *set = store_put(
			        store, kind_named(&world, "ReplicaSet"),
			        kt_jsonf(
			                "{metadata: {name: %s, namespace: 'default', uid: %s, generation: "
			                "1, creationTimestamp: %j, annotations: "
			                "{'deployment.kubernetes.io/desired-replicas': %s, "
			                "'deployment.kubernetes.io/max-replicas': %s}}, spec: {replicas: %d, "
			                "selector: {matchLabels: {app: 'none'}}, template: {metadata: "
			                "{labels: "
			                "{app: 'none'}}, spec: {containers: [{name: 'c', image: "
			                "'nginx'}]}}}, "
			                "status: {availableReplicas: %d}}",
			                name, name, created, desired, most, scales[i].sizes[k],
			                k ? 0 : scales[i].available),
			        now, NULL);
			controller_list_add(&sync.all, set);
			if (k == 0 && scales[i].fresh)
				sync.fresh = set;
			kt_free(name);
		}
		deployment_scale(&sync);
		for (size_t k = 0; k < count; k++) {
			int64_t got = deployment_spec_replicas(sync.all.items[count - 1 - k]);
			if (got != scales[i].results[k])
				fail_msg("%s: set %zu has %d, not %d", scales[i].name, k, (int)got,
				         scales[i].results[k]);
		}
		store_list_clear(&sync.all);
		kt_free(desired);
		kt_free(most);
		world_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(budgets_allow_what_the_table_says),
	        cmocka_unit_test(endpoints_are_what_their_pods_are),
	        cmocka_unit_test(a_deployment_in_between_is_scaled_in_proportion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Traffic on a whole cluster, against what queueing theory and arithmetic say: waiting, shares, dependencies,
 * overload, lost links, regions. */
#include "base/yaml.h"
#include "tests/cluster/network/traffic_test.h"

static void apply(struct cluster *cluster, const char *group, const char *kind, const char *yaml)
{
	struct kt_yaml *document = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("test", yaml, strlen(yaml), &document, &err))
		fail_msg("%s", err.text);
	support_create(cluster, group, kind, kt_json_ref(kt_yaml_doc(document, 0)));
	kt_yaml_free(document);
}

static double seconds_of(const char *quantity)
{
	struct kt_quantity q;
	assert_true(kt_quantity_parse(quantity, &q));
	return (double)q.nano / 1e9;
}

static void waiting_in_a_pod_is_that_of_mm1_and_its_cpu_is_the_load(void **state)
{
	(void)state;
	for (double rps = 40; rps <= 160; rps += 60) {
		struct cluster *cluster = three_zones();
		tier(cluster, "web", 2, kt_jsonf("{'ktutor.dev/work': '10ms'}"), NULL);
		support_wait(cluster, 5);
		load(cluster, kt_jsonf("{to: 'service web', rps: %f}", rps));
		support_wait(cluster, 90);
		double mu = 100, lambda = rps / 2, outside = 0.002;
		near_to(told(cluster, "services", "web", 0, "p50"), log(2) / (mu - lambda) + outside, 0.12);
		near_to(told(cluster, "services", "web", 0, "p99"), log(100) / (mu - lambda) + outside, 0.08);
		near_to(told(cluster, "services", "web", 0, "availability"), 1, 1e-6);
		near_to(told(cluster, "services", "web", 0, "offered"), 90 * rps, 0.02);
		const struct store_object *pod;
		double cpu = 0;
		STORE_EACH (pod, cluster_store(cluster), support_kind(cluster, "", "Pod"), "default") {
			struct kt_json *metrics = usage_pod_metrics(cluster, "default", pod->name);
			cpu += seconds_of(kt_path_str(metrics, "containers.0.usage.cpu"));
			kt_json_free(metrics);
		}
		near_to(cpu, rps * 0.01, 0.1);
		cluster_free(cluster);
	}
}

static void who_is_back_gets_load_again_whenever_it_came(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct cluster *cluster = three_zones();
		const struct store_object *pod;
		struct kt_err err = {0};
		support_create(
		        cluster, "apps", "Deployment",
		        kt_jsonf("{metadata: {name: 'web'}, spec: {selector: {matchLabels: {app: 'web'}}, "
		                 "template: {metadata: {labels: {app: 'web'}}, spec: {containers: [{name: "
		                 "'c', "
		                 "image: 'nginx:1.27', readinessProbe: {httpGet: {port: 80}, periodSeconds: "
		                 "1}}]}}}}"));
		support_create(
		        cluster, "", "Service",
		        kt_jsonf("{metadata: {name: 'web'}, spec: {selector: {app: 'web'}, ports: [{port: "
		                 "80}]}}"));
		/* probes keep their rhythm, the load has another one */
		cluster_advance(cluster, cluster_now(cluster) + 8 * KT_SEC + i * 50 * KT_MS);
		load(cluster, kt_jsonf("{to: 'service web', rps: 20}"));
		support_wait(cluster, 10);
		STORE_EACH (pod, cluster_store(cluster), support_kind(cluster, "", "Pod"), "default") {
			struct kt_json *kill = kt_jsonf(
			        "{pod: {is: 'killed', pick: {namespace: 'default', name: %s}}}", pod->name);
			if (cluster_disturb(cluster, kill, NULL, &err))
				fail_msg("%s", err.text);
			kt_json_free(kill);
			break;
		}
		support_wait(cluster, 15);
		kt_ns since = cluster_now(cluster);
		support_wait(cluster, 10);
		near_to(told(cluster, "services", "web", since, "availability"), 1, 1e-6);
		cluster_free(cluster);
	}
}

static void overload_answers_what_there_is_capacity_for(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '1Ki'}"), NULL);
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'service web', rps: 200}"));
	support_wait(cluster, 60);
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 60);
	near_to(told(cluster, "services", "web", since, "answered") +
	                told(cluster, "services", "web", since, "waiting"),
	        60 * 100, 0.05);
	cluster_free(cluster);
}

static void what_is_in_flight_takes_memory_until_the_kernel_ends_it(void **state)
{
	struct cluster *cluster = three_zones();
	int64_t restarts = 0;
	const struct store_object *pod;
	(void)state;
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/work': '10ms', 'ktutor.dev/memory': '1Mi'}"), NULL);
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'service web', rps: 200}"));
	support_wait(cluster, 60);
	STORE_EACH (pod, cluster_store(cluster), support_kind(cluster, "", "Pod"), "default") {
		restarts += kt_path_int(pod->json, "status.containerStatuses.0.restartCount", 0);
		const char *reason =
		        kt_path_str(pod->json, "status.containerStatuses.0.lastState.terminated.reason");
		assert_true(!restarts || kt_streq(reason, "OOMKilled"));
	}
	assert_true(restarts > 0);
	cluster_free(cluster);
}

/* frontend -> backend -> orders, told by the environment alone. */
static struct cluster *shop(int databases)
{
	struct cluster *cluster = three_zones();
	tier(cluster, "orders", databases, kt_jsonf("{'ktutor.dev/work': '10ms'}"), NULL);
	tier(cluster, "backend", 4, NULL, kt_jsonf("[{name: 'DATABASE_HOST', value: 'orders'}]"));
	tier(cluster, "frontend", 3, NULL,
	     kt_jsonf("[{name: 'BACKEND_URL', value: 'http://backend.default.svc:80/api'}, {name: 'ROLE', "
	              "value: "
	              "'orders'}]"));
	support_wait(cluster, 8);
	return cluster;
}

static void the_database_overloads_and_everybody_above_it_slows(void **state)
{
	struct cluster *cluster = shop(1);
	(void)state;
	load(cluster, kt_jsonf("{to: 'service frontend', rps: 50}"));
	support_wait(cluster, 60);
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 60);
	near_to(told(cluster, "services", "backend", since, "offered"), 60 * 50, 0.03);
	near_to(told(cluster, "services", "orders", since, "offered"), 60 * 50, 0.03);
	double calm = told(cluster, "services", "frontend", since, "p50");
	assert_true(calm < 0.06);
	load(cluster, kt_jsonf("{to: 'service frontend', times: 4}"));
	support_wait(cluster, 60);
	since = cluster_now(cluster);
	support_wait(cluster, 60);
	/* 100 a second is all that one database can do */
	near_to(told(cluster, "services", "frontend", since, "answered") +
	                told(cluster, "services", "frontend", since, "waiting"),
	        60 * 100, 0.1);
	assert_true(told(cluster, "services", "backend", since, "p50") > 20 * calm);
	cluster_free(cluster);
}

static void a_pod_may_say_whom_it_calls_and_how_often(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "cache", 1, NULL, NULL);
	tier(cluster, "orders", 1, NULL, NULL);
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/calls': 'cache*3, default/orders:80*0.25, nobody'}"),
	     kt_jsonf("[{name: 'OTHER_HOST', value: 'kubernetes.default'}]"));
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'service web', rps: 20}"));
	support_wait(cluster, 60);
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 60);
	near_to(told(cluster, "services", "cache", since, "offered"), 60 * 60, 0.03);
	near_to(told(cluster, "services", "orders", since, "offered"), 60 * 5, 0.03);
	near_to(told(cluster, "services", "kubernetes", since, "offered"), -1, 0);
	cluster_free(cluster);
}

static void a_worker_limit_turns_away_what_does_not_fit(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "orders", 1, kt_jsonf("{'ktutor.dev/work': '20ms'}"), NULL);
	tier(cluster, "web", 2, kt_jsonf("{'ktutor.dev/calls': 'orders', 'ktutor.dev/concurrency': '10'}"),
	     NULL);
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'service web', rps: 100}"));
	support_wait(cluster, 120);
	/* orders does 50 a second; who gets in does not wait ten seconds for it, as at most 20 are in */
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 60);
	assert_true(told(cluster, "services", "web", since, "p99") < 3);
	assert_true(told(cluster, "services", "web", since, "availability") > 0.2);
	assert_true(told(cluster, "services", "web", since, "availability") < 0.6);
	cluster_free(cluster);
}

static void an_ingress_splits_load_as_its_canary_says(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "v1", 2, NULL, NULL);
	tier(cluster, "v2", 1, NULL, NULL);
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: web}\nspec: {rules: [{host: shop.example, http: {paths: [{path: /, pathType: "
	      "Prefix, "
	      "backend: {service: {name: v1, port: {number: 80}}}}]}}]}\n");
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: canary, annotations: {nginx.ingress.kubernetes.io/canary: 'true', "
	      "nginx.ingress.kubernetes.io/canary-weight: '10'}}\n"
	      "spec: {rules: [{host: shop.example, http: {paths: [{path: /, pathType: Prefix, backend: "
	      "{service: "
	      "{name: v2, port: {number: 80}}}}]}}]}\n");
	support_wait(cluster, 5);
	load(cluster, kt_jsonf("{to: 'ingress default/web', rps: 100}"));
	support_wait(cluster, 60);
	double all = told(cluster, "entries", "web", 0, "offered");
	near_to(all, 60 * 100, 0.03);
	near_to(told(cluster, "services", "v1", 0, "offered"), all * 0.9, 1e-3);
	near_to(told(cluster, "services", "v2", 0, "offered"), all * 0.1, 1e-3);
	near_to(told(cluster, "entries", "web", 0, "availability"), 1, 1e-6);
	cluster_free(cluster);
}

/* Through a Service a request to a dead machine is lost; a balancer tries the next endpoint. */
static void a_dead_node_costs_a_service_its_share_and_a_balancer_time(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 6, NULL, NULL);
	tier(cluster, "other", 6, NULL, NULL);
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: front}\nspec: {defaultBackend: {service: {name: other, port: {number: "
	      "80}}}}\n");
	support_wait(cluster, 8);
	load(cluster, kt_jsonf("{to: 'service web', rps: 60}"));
	load(cluster, kt_jsonf("{to: 'ingress front', rps: 60}"));
	support_wait(cluster, 20);
	kt_ns since = cluster_now(cluster);
	kubelet_node_set(cluster, "n1", false);
	support_wait(cluster, 30);
	double here = told(cluster, "services", "web", since + 2 * KT_SEC, "availability");
	near_to(here, 5.0 / 6, 0.02);
	near_to(told(cluster, "entries", "front", since + 2 * KT_SEC, "availability"), 1, 0.04);
	assert_true(told(cluster, "entries", "front", since + 2 * KT_SEC, "p99") > 4);
	/* after 50 s the node is unknown, its endpoints are out */
	support_wait(cluster, 40);
	since = cluster_now(cluster);
	support_wait(cluster, 30);
	near_to(told(cluster, "services", "web", since, "availability"), 1, 1e-6);
	cluster_free(cluster);
}

static void retries_hide_errors_and_raise_the_load(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 6, NULL, NULL);
	support_wait(cluster, 8);
	load(cluster, kt_jsonf("{to: 'service web', rps: 60, retries: 2}"));
	support_wait(cluster, 20);
	kubelet_node_set(cluster, "n1", false);
	support_wait(cluster, 5);
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 20);
	near_to(told(cluster, "services", "web", since, "availability"), 1 - pow(1.0 / 6, 3), 0.002);
	cluster_free(cluster);
}

static void near_endpoints_are_preferred_if_the_service_says_so(void **state)
{
	struct cluster *cluster = three_zones();
	double p50[2];
	(void)state;
	tier(cluster, "web", 6, NULL, NULL);
	tier(cluster, "client", 6, kt_jsonf("{'ktutor.dev/calls': 'web', 'ktutor.dev/work': '1ms'}"), NULL);
	support_wait(cluster, 8);
	struct kt_err err = {0};
	struct kt_json *slow = kt_jsonf("{link: {between: ['zone-a', 'zone-b'], slow: '500ms'}}");
	assert_int_equal(cluster_disturb(cluster, slow, NULL, &err), KT_OK);
	kt_json_free(slow);
	load(cluster, kt_jsonf("{to: 'service client', rps: 30}"));
	for (int i = 0; i < 2; i++) {
		support_wait(cluster, 60);
		kt_ns since = cluster_now(cluster);
		support_wait(cluster, 60);
		p50[i] = told(cluster, "services", "client", since, "p95");
		const struct store_object *service = support_get(cluster, "Service", "web");
		struct kt_json *json = kt_json_ref(service->json);
		kt_set_path(&json, "spec.trafficDistribution", kt_json_str("PreferClose"));
		(void)api_update(cluster, &support_actor, service->kind, json, NULL);
	}
	assert_true(p50[0] > 0.4);
	assert_true(p50[1] < 0.1);
	cluster_free(cluster);
}

static void a_neighbour_without_limits_takes_cpu_but_not_what_was_requested(void **state)
{
	struct kt_json *nodes = kt_json_array();
	(void)state;
	kt_push(&nodes, support_node("n0", "zone-a", "2", NULL));
	struct cluster *cluster = support_cluster(nodes);
	tier(cluster, "web", 1, kt_jsonf("{'ktutor.dev/work': '10ms'}"), NULL);
	tier(cluster, "hog", 8, kt_jsonf("{'ktutor.dev/work': '100ms', 'ktutor.dev/memory': '1Ki'}"), NULL);
	support_wait(cluster, 8);
	load(cluster, kt_jsonf("{to: 'service web', rps: 60}"));
	support_wait(cluster, 30);
	double calm = told(cluster, "services", "web", 0, "p50");
	load(cluster, kt_jsonf("{to: 'service hog', rps: 200}"));
	support_wait(cluster, 60);
	kt_ns since = cluster_now(cluster);
	support_wait(cluster, 60);
	/* nine pods of equal requests share two cores: 0.22 each, 22 requests a second of 60 */
	near_to(told(cluster, "services", "web", since, "availability"), 0.217 / 0.6, 0.1);
	assert_true(told(cluster, "services", "web", since, "p50") > 10 * calm);
	cluster_free(cluster);
}

static void every_lost_request_has_its_cause(void **state)
{
	struct cluster *cluster = shop(1);
	(void)state;
	load(cluster, kt_jsonf("{to: 'service frontend', rps: 30}"));
	support_wait(cluster, 10);
	kubelet_node_set(cluster, "n1", false);
	support_wait(cluster, 100);
	kubelet_node_set(cluster, "n1", true);
	load(cluster, kt_jsonf("{to: 'service frontend', times: 6}"));
	support_wait(cluster, 120);
	static const char *const names[] = {"frontend", "backend", "orders"};
	for (size_t i = 0; i < KT_COUNT(names); i++)
		near_to(blamed(cluster, "services", names[i], NULL),
		        told(cluster, "services", names[i], 0, "errors"), 0.01);
	assert_true(blamed(cluster, "services", "orders", "more than their CPU can do") > 100);
	assert_true(blamed(cluster, "services", "backend", "service default/orders, which it calls") > 100);
	assert_true(blamed(cluster, "services", "frontend", "node n1 is down") +
	                    blamed(cluster, "services", "backend", "node n1 is down") +
	                    blamed(cluster, "services", "orders", "node n1 is down") >
	            10);
	cluster_free(cluster);
}

/* A drill that begins right after a reset must see that somebody calls. */
static void a_load_is_told_before_its_first_second_also_after_a_restore(void **state)
{
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 2, NULL, NULL);
	support_wait(cluster, 10);
	load(cluster, kt_jsonf("{to: 'service web', rps: 40}"));
	near_to(told(cluster, "services", "web", cluster_now(cluster), "rps"), 40, 0);
	struct cluster_snapshot *snapshot = cluster_snapshot(cluster);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	near_to(told(cluster, "services", "web", cluster_now(cluster), "rps"), 40, 0);
	cluster_free(cluster);
}

static void a_load_that_cannot_be_is_refused_with_what_there_is(void **state)
{
	static const struct {
		const char *step, *words;
	} rows[] = {
	        {"{to: 'service nobody', rps: 1}", "there is: kubernetes, web"},
	        {"{to: 'ingress nobody', rps: 1}", "there is no ingress 'nobody'"},
	        {"{to: 'web', rps: 1}", "a Service, Ingress or Gateway is wanted"},
	        {"{to: 'service web'}", "rps or times is wanted"},
	        {"{to: 'service web', rps: -1}", "a number from 0 to"},
	        {"{to: 'service web', rps: 1, shape: 'zigzag'}", "step, ramp, wave or spike"},
	        {"{to: 'service web', rps: 1, from: 'mars'}", "no node is in region 'mars'"},
	        {"{to: 'service web', rps: 1, retries: 9}", "0 to 5"},
	        {"{to: 'service web', rps: 1, speed: 9}", "unknown key 'speed'"},
	};
	struct cluster *cluster = three_zones();
	(void)state;
	tier(cluster, "web", 1, NULL, NULL);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *step = kt_jsonf(rows[i].step, NULL), *what = kt_jsonf("{load: %j}", step);
		struct kt_err err = {0};
		assert_int_not_equal(cluster_disturb(cluster, what, NULL, &err), KT_OK);
		if (!strstr(err.text, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].words);
		kt_json_free(what);
	}
	cluster_free(cluster);
}

/* Four pods end one after the other. nginx heeds SIGTERM at once, kube-proxy forgets the pod some tenths of a
 * second later: meanwhile a quarter of the requests finds nobody. With a preStop that waits nobody notices.
 */
static void who_hangs_up_at_once_loses_requests_for_a_moment(void **state)
{
	(void)state;
	for (int waits = 0; waits < 2; waits++) {
		struct cluster *cluster = three_zones();
		support_create(
		        cluster, "apps", "Deployment",
		        kt_jsonf(
		                "{metadata: {name: 'web'}, spec: {replicas: 4, selector: {matchLabels: {app: "
		                "'web'}}, template: {metadata: {labels: {app: 'web'}}, spec: {containers: "
		                "[{name: 'c', image: 'nginx:1.27', lifecycle: %j}]}}}}",
		                waits ? kt_jsonf("{preStop: {sleep: {seconds: 5}}}") : NULL));
		support_create(cluster, "", "Service",
		               kt_jsonf("{metadata: {name: 'web'}, spec: {selector: {app: 'web'}, ports: "
		                        "[{port: 80}]}}"));
		support_wait(cluster, 10);
		load(cluster, kt_jsonf("{to: 'service web', rps: 40}"));
		support_wait(cluster, 10);
		double lost = 0;
		for (int i = 0; i < 4; i++) {
			struct store_list pods;
			kt_ns began = cluster_now(cluster);
			store_list(cluster_store(cluster), support_kind(cluster, "", "Pod"), "default",
			           &pods);
			const struct store_object *pod = pods.items[0];
			(void)api_delete(cluster, &support_actor, pod->kind, pod->ns, pod->name, NULL, NULL);
			store_list_clear(&pods);
			support_wait(cluster, 20.37); /* at another part of the second each time */
			double offered = told(cluster, "services", "web", began, "offered");
			lost += offered * (1 - told(cluster, "services", "web", began, "availability"));
		}
		if (waits)
			assert_true(lost < 0.01);
		else /* some 0.16 s of 10 a second, four times */
			near_to(lost, 6.5, 0.4);
		struct kt_json *report = cluster_traffic(cluster, 0);
		char *text = kt_json_text(report);
		assert_int_equal(strstr(text, "still among the endpoints") != NULL, !waits);
		kt_free(text);
		kt_json_free(report);
		cluster_free(cluster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(waiting_in_a_pod_is_that_of_mm1_and_its_cpu_is_the_load),
	        cmocka_unit_test(who_is_back_gets_load_again_whenever_it_came),
	        cmocka_unit_test(overload_answers_what_there_is_capacity_for),
	        cmocka_unit_test(what_is_in_flight_takes_memory_until_the_kernel_ends_it),
	        cmocka_unit_test(the_database_overloads_and_everybody_above_it_slows),
	        cmocka_unit_test(a_pod_may_say_whom_it_calls_and_how_often),
	        cmocka_unit_test(a_worker_limit_turns_away_what_does_not_fit),
	        cmocka_unit_test(an_ingress_splits_load_as_its_canary_says),
	        cmocka_unit_test(a_dead_node_costs_a_service_its_share_and_a_balancer_time),
	        cmocka_unit_test(retries_hide_errors_and_raise_the_load),
	        cmocka_unit_test(near_endpoints_are_preferred_if_the_service_says_so),
	        cmocka_unit_test(a_neighbour_without_limits_takes_cpu_but_not_what_was_requested),
	        cmocka_unit_test(every_lost_request_has_its_cause),
	        cmocka_unit_test(a_load_is_told_before_its_first_second_also_after_a_restore),
	        cmocka_unit_test(a_load_that_cannot_be_is_refused_with_what_there_is),
	        cmocka_unit_test(who_hangs_up_at_once_loses_requests_for_a_moment),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

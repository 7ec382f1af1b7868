/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cluster/network/network.h"

/* Services, names and addresses over objects written straight into the store; listeners stand for programs.
 */
struct town {
	struct cluster *cluster;
};

static void put(struct town *t, const char *group, const char *kind, struct kt_json *json)
{
	const char *name = kt_path_str(json, "metadata.name"), *ns = kt_path_str(json, "metadata.namespace");
	char *uid = kt_strf("%s-%s-%s", kind, ns ? ns : "", name);
	kt_set_path(&json, "metadata.uid", kt_json_str(uid));
	kt_free(uid);
	store_put(cluster_store(t->cluster), schema_stored(cluster_schema(t->cluster), group, kind), json,
	          cluster_now(t->cluster), NULL);
}

static void pod(struct town *t, const char *name, const char *node, const char *ip)
{
	struct network_listener listener = {
	        .address = ip, .port = 8080, .protocol = "TCP", .http = true, .ns = "shop", .pod = name};
	put(t, "", "Pod",
	    kt_jsonf("{metadata: {name: %s, namespace: 'shop', labels: {app: 'web'}}, spec: {nodeName: %s, "
	             "containers: [{name: 'c'}]}, "
	             "status: {phase: 'Running', podIP: %s}}",
	             name, node, ip));
	network_listen(t->cluster, &listener);
}

static void service(struct town *t, const char *name, const char *ip, const char *more)
{
	struct kt_json *spec = kt_jsonf(more, NULL);
	kt_set(&spec, "clusterIP", kt_json_str(ip));
	kt_set(&spec, "ports",
	       kt_jsonf("[{name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', nodePort: 30080}]"));
	put(t, "", "Service", kt_jsonf("{metadata: {name: %s, namespace: 'shop'}, spec: %j}", name, spec));
}

static void slice(struct town *t, const char *name, struct kt_json *endpoints)
{
	put(t, "discovery.k8s.io", "EndpointSlice",
	    kt_jsonf("{metadata: {name: %s, namespace: 'shop', labels: {'kubernetes.io/service-name': %s}}, "
	             "addressType: 'IPv4', ports: "
	             "[{name: 'http', port: 8080, protocol: 'TCP'}], endpoints: %j}",
	             name, name, endpoints));
	cluster_advance(t->cluster, cluster_now(t->cluster) + KT_SEC);
}

static void town_init(struct town *t)
{
	struct cluster_options options = {
	        .name = "test", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 3};
	struct kt_err err = {0};
	assert_int_equal(cluster_new(&options, &t->cluster, &err), KT_OK);
	cluster_advance(t->cluster, cluster_now(t->cluster) + 30 * KT_SEC);
	pod(t, "web-0", "worker-1", "10.250.1.10");
	pod(t, "web-1", "worker-2", "10.250.2.10");
}

static const struct network_peer client = {
        .ns = "shop", .pod = NULL, .node = "worker-1", .address = "10.250.1.77"};

static enum network_outcome reach(struct town *t, const char *address, unsigned port, char out[46])
{
	struct network_path path;
	network_connect(t->cluster, &client, address, port, "TCP", &path);
	if (out)
		memcpy(out, path.address, sizeof(path.address));
	return path.outcome;
}

static struct kt_json *both(void)
{
	return kt_jsonf(
	        "[{addresses: ['10.250.1.10'], nodeName: 'worker-1', hostname: 'web-0', conditions: {ready: "
	        "true}}, {addresses: "
	        "['10.250.2.10'], nodeName: 'worker-2', hostname: 'web-1', conditions: {ready: true}}]");
}

static void a_service_leads_to_all_of_its_ready_pods(void **state)
{
	struct town t;
	char address[46];
	int first = 0, second = 0;
	(void)state;
	town_init(&t);
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP'}");
	assert_int_equal(reach(&t, "10.96.7.7", 80, NULL), NETWORK_REFUSED);
	slice(&t, "web", both());
	for (int i = 0; i < 200; i++) {
		assert_int_equal(reach(&t, "10.96.7.7", 80, address), NETWORK_OPEN);
		first += !strcmp(address, "10.250.1.10");
		second += !strcmp(address, "10.250.2.10");
	}
	assert_int_equal(first + second, 200);
	assert_in_range(first, 70, 130);
	assert_int_equal(reach(&t, "10.96.7.7", 81, NULL), NETWORK_TIMEOUT);
	assert_int_equal(reach(&t, "10.250.2.10", 8080, NULL), NETWORK_OPEN);
	assert_int_equal(reach(&t, "10.250.2.10", 80, NULL), NETWORK_REFUSED);
	cluster_free(t.cluster);
}

static void a_client_with_affinity_stays_with_one_pod(void **state)
{
	struct town t;
	char address[46], before[46];
	(void)state;
	town_init(&t);
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP', sessionAffinity: 'ClientIP'}");
	slice(&t, "web", both());
	assert_int_equal(reach(&t, "10.96.7.7", 80, before), NETWORK_OPEN);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(reach(&t, "10.96.7.7", 80, address), NETWORK_OPEN);
		assert_string_equal(address, before);
	}
	cluster_free(t.cluster);
}

static void local_policy_keeps_to_the_node(void **state)
{
	struct town t;
	char address[46];
	(void)state;
	town_init(&t);
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP', internalTrafficPolicy: 'Local'}");
	slice(&t, "web", both());
	for (int i = 0; i < 20; i++) {
		assert_int_equal(reach(&t, "10.96.7.7", 80, address), NETWORK_OPEN);
		assert_string_equal(address, "10.250.1.10");
	}
	slice(&t, "web",
	      kt_jsonf("[{addresses: ['10.250.2.10'], nodeName: 'worker-2', conditions: {ready: true}}]"));
	assert_int_equal(reach(&t, "10.96.7.7", 80, NULL), NETWORK_TIMEOUT);
	cluster_free(t.cluster);
}

static void cut_and_slow_links_are_felt(void **state)
{
	struct town t;
	struct network_path path;
	(void)state;
	town_init(&t);
	network_link_set(t.cluster, "worker-1", "worker-2", true, 0, 0);
	assert_int_equal(reach(&t, "10.250.2.10", 8080, NULL), NETWORK_TIMEOUT);
	assert_int_equal(reach(&t, "10.250.1.10", 8080, NULL), NETWORK_OPEN);
	network_link_set(t.cluster, "worker-2", "worker-1", false, 200 * KT_MS, 0);
	network_connect(t.cluster, &client, "10.250.2.10", 8080, "TCP", &path);
	assert_int_equal(path.outcome, NETWORK_OPEN);
	assert_in_range(path.latency, 200 * KT_MS, 210 * KT_MS);
	network_link_set(t.cluster, "worker-1", "worker-2", false, 0, 0);
	network_connect(t.cluster, &client, "10.250.2.10", 8080, "TCP", &path);
	assert_in_range(path.latency, 0, 2 * KT_MS);
	cluster_free(t.cluster);
}

static void resolves(struct town *t, const char *name, const char *want)
{
	struct kt_strs found = {0};
	struct kt_buf text = {0};
	enum network_outcome outcome = NETWORK_OPEN;
	network_resolve(t->cluster, &client, NULL, name, &found, NULL, &outcome);
	kt_strs_sort(&found);
	for (size_t i = 0; i < found.count; i++)
		kt_buf_addf(&text, "%s%s", i ? " " : "", found.items[i]);
	if (strcmp(kt_buf_str(&text), want) != 0)
		fail_msg("%s: '%s' expected, got '%s'", name, want, kt_buf_str(&text));
	assert_int_equal(outcome, *want ? NETWORK_OPEN : NETWORK_REFUSED);
	kt_buf_clear(&text);
	kt_strs_clear(&found);
}

static void names_resolve_as_in_a_real_cluster(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
	        {"web", "10.96.7.7"},
	        {"web.shop", "10.96.7.7"},
	        {"web.shop.svc", "10.96.7.7"},
	        {"web.shop.svc.cluster.local", "10.96.7.7"},
	        {"web.shop.svc.cluster.local.", "10.96.7.7"},
	        {"WEB.shop", "10.96.7.7"},
	        {"web.other", ""},
	        {"web.", ""},
	        {"absent", ""},
	        {"peers", "10.250.1.10 10.250.2.10"},
	        {"web-0.peers", "10.250.1.10"},
	        {"web-1.peers.shop.svc.cluster.local", "10.250.2.10"},
	        {"web-9.peers", ""},
	        {"web-0.web", ""},
	        {"10-250-1-10.shop.pod.cluster.local", "10.250.1.10"},
	        {"x-250-1-10.shop.pod.cluster.local", ""},
	        {"kubernetes.default", "10.96.0.1"},
	        {"10.1.2.3", "10.1.2.3"},
	        {"registry.invalid", ""},
	};
	struct town t;
	(void)state;
	town_init(&t);
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP'}");
	service(&t, "peers", "None", "{type: 'ClusterIP'}");
	slice(&t, "peers", both());
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		resolves(&t, rows[i].name, rows[i].want);
	cluster_free(t.cluster);
}

static void srv_records_name_ports_and_hosts(void **state)
{
	struct town t;
	struct kt_strs found = {0};
	enum network_outcome outcome;
	(void)state;
	town_init(&t);
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP'}");
	assert_true(network_query(t.cluster, &client, NULL, "_http._tcp.web", "SRV", true, &found, NULL,
	                          &outcome));
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0], "0 100 80 web.shop.svc.cluster.local.");
	kt_strs_clear(&found);
	cluster_free(t.cluster);
}

static void a_resolver_says_who_is_asked_and_what_for(void **state)
{
	static const struct {
		const char *conf, *name, *want;
		enum network_outcome outcome;
	} rows[] = {
	        {"nameserver 10.96.0.10\nsearch shop.svc.cluster.local\n", "web", "10.96.7.7", NETWORK_OPEN},
	        {"nameserver 10.96.0.10\n", "web", "", NETWORK_REFUSED},
	        {"nameserver 10.96.0.10\noptions ndots:2\nsearch x svc.cluster.local\n", "web.shop",
	         "10.96.7.7", NETWORK_OPEN},
	        {"search shop.svc.cluster.local\nnameserver 10.96.0.10\nsearch nowhere\n", "web", "",
	         NETWORK_REFUSED},
	        {"nameserver 10.96.0.99\n", "web.shop.svc.cluster.local", "", NETWORK_TIMEOUT},
	        {"nameserver 10.96.0.99\nnameserver 10.96.0.10\n", "web.shop.svc.cluster.local", "10.96.7.7",
	         NETWORK_OPEN},
	        {"nameserver " NETWORK_NODE_DNS "\n", "web.shop.svc.cluster.local", "", NETWORK_REFUSED},
	        {"nameserver 8.8.8.8\n", "web.shop.svc.cluster.local", "", NETWORK_REFUSED},
	        {"", "web.shop.svc.cluster.local", "", NETWORK_TIMEOUT},
	};
	struct network_peer from = client;
	struct town t;
	(void)state;
	town_init(&t);
	from.pod = "web-0";
	service(&t, "web", "10.96.7.7", "{type: 'ClusterIP'}");
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct network_resolver resolver;
		struct kt_strs found = {0};
		enum network_outcome outcome = NETWORK_OPEN;
		network_resolver_read(&resolver, rows[i].conf);
		network_resolve(t.cluster, &from, &resolver, rows[i].name, &found, NULL, &outcome);
		const char *got = found.count ? found.items[0] : "";
		if (strcmp(got, rows[i].want) != 0 || outcome != rows[i].outcome)
			fail_msg("row %zu: '%s' expected, got '%s', outcome %d", i, rows[i].want, got,
			         outcome);
		kt_strs_clear(&found);
		network_resolver_clear(&resolver);
	}
	cluster_free(t.cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_service_leads_to_all_of_its_ready_pods),
	        cmocka_unit_test(a_client_with_affinity_stays_with_one_pod),
	        cmocka_unit_test(local_policy_keeps_to_the_node),
	        cmocka_unit_test(cut_and_slow_links_are_felt),
	        cmocka_unit_test(names_resolve_as_in_a_real_cluster),
	        cmocka_unit_test(srv_records_name_ports_and_hosts),
	        cmocka_unit_test(a_resolver_says_who_is_asked_and_what_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cluster/network/network.h"

/* Nine pods as the published suites have them: a, b, c in the namespaces x, y, z (labels pod and ns). Each
 * row says who may reach whom under its policies; every other pair of the nine must be closed, or open where
 * the row says so. */
static const char *const spaces[] = {"x", "y", "z"}, *const pods[] = {"a", "b", "c"};
struct row {
	const char *name;
	const char *policies[3]; /* {namespace, spec} in relaxed JSON */
	unsigned port;
	const char *protocol;
	const char *target;  /* pods whose doors are judged ("x/a", "x/", ""): others must all be open */
	const char *sources; /* who gets in (words "x/a", "y/", "*"), blank: nobody */
	bool egress;         /* target is who goes out, sources are where it may go */
};
#define A    "{podSelector: {matchLabels: {pod: 'a'}}"
#define IN_X "{metadata: {name: 'p', namespace: 'x'}, spec: "
static const struct row rows[] = {
        {"no policy", {NULL}, 80, "TCP", "x/", "*", false},
        {"deny all ingress",
         {IN_X "{podSelector: {}, policyTypes: ['Ingress']}}"},
         80,
         "TCP",
         "x/",
         "",
         false},
        {"allow all ingress", {IN_X "{podSelector: {}, ingress: [{}]}}"}, 80, "TCP", "x/", "*", false},
        {"own namespace",
         {IN_X "{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}}"},
         80,
         "TCP",
         "x/",
         "x/",
         false},
        {"one pod label",
         {IN_X A ", ingress: [{from: [{podSelector: {matchLabels: {pod: 'b'}}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "x/b",
         false},
        {"a namespace",
         {IN_X A ", ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/",
         false},
        {"all namespaces",
         {IN_X A ", ingress: [{from: [{namespaceSelector: {}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "*",
         false},
        {"both in one peer",
         {IN_X A ", ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}, podSelector: "
                 "{matchLabels: {pod: 'b'}}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/b",
         false},
        {"two peers",
         {IN_X A ", ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'y'}}}, {podSelector: "
                 "{matchLabels: {pod: 'b'}}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/ x/b",
         false},
        {"expressions",
         {IN_X A ", ingress: [{from: [{namespaceSelector: {matchExpressions: [{key: 'ns', operator: 'NotIn', "
                 "values: ['x', 'z']}]}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/",
         false},
        {"the port", {IN_X A ", ingress: [{ports: [{port: 80}]}]}}"}, 80, "TCP", "x/a", "*", false},
        {"another port", {IN_X A ", ingress: [{ports: [{port: 81}]}]}}"}, 80, "TCP", "x/a", "", false},
        {"another protocol",
         {IN_X A ", ingress: [{ports: [{port: 80, protocol: 'UDP'}]}]}}"},
         80,
         "TCP",
         "x/a",
         "",
         false},
        {"a protocol without port",
         {IN_X A ", ingress: [{ports: [{protocol: 'UDP'}]}]}}"},
         80,
         "UDP",
         "x/a",
         "*",
         false},
        {"a range",
         {IN_X A ", ingress: [{ports: [{port: 79, endPort: 82}]}]}}"},
         81,
         "TCP",
         "x/a",
         "*",
         false},
        {"beyond a range",
         {IN_X A ", ingress: [{ports: [{port: 79, endPort: 82}]}]}}"},
         83,
         "TCP",
         "x/a",
         "",
         false},
        {"a named port", {IN_X A ", ingress: [{ports: [{port: 'web'}]}]}}"}, 80, "TCP", "x/a", "*", false},
        {"a named port of another number",
         {IN_X A ", ingress: [{ports: [{port: 'web'}]}]}}"},
         81,
         "TCP",
         "x/a",
         "",
         false},
        {"an unknown named port",
         {IN_X A ", ingress: [{ports: [{port: 'nope'}]}]}}"},
         80,
         "TCP",
         "x/a",
         "",
         false},
        {"peer and port",
         {IN_X A ", ingress: [{from: [{podSelector: {matchLabels: {pod: 'b'}}}], ports: [{port: 81}]}]}}"},
         80,
         "TCP",
         "x/a",
         "",
         false},
        {"policies unite",
         {IN_X A ", ingress: [{from: [{podSelector: {matchLabels: {pod: 'b'}}}]}]}}",
          "{metadata: {name: 'q', namespace: 'x'}, spec: " A
          ", ingress: [{from: [{namespaceSelector: {matchLabels: {ns: 'z'}}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "x/b z/",
         false},
        {"a block",
         {IN_X A ", ingress: [{from: [{ipBlock: {cidr: '10.244.1.0/24'}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/",
         false},
        {"a block with a hole",
         {IN_X A ", ingress: [{from: [{ipBlock: {cidr: '10.244.1.0/24', except: ['10.244.1.11/32']}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "y/a y/c",
         false},
        {"everybody's block",
         {IN_X A ", ingress: [{from: [{ipBlock: {cidr: '0.0.0.0/0'}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "*",
         false},
        {"deny all egress", {IN_X "{podSelector: {}, policyTypes: ['Egress']}}"}, 80, "TCP", "x/", "", true},
        {"egress rules imply the type",
         {IN_X A
          ", egress: [{to: [{namespaceSelector: {matchLabels: {ns: 'z'}}}]}], policyTypes: ['Egress']}}"},
         80,
         "TCP",
         "x/a",
         "z/",
         true},
        {"egress to a port",
         {IN_X A ", policyTypes: ['Egress'], egress: [{ports: [{port: 80}]}]}}"},
         80,
         "TCP",
         "x/a",
         "*",
         true},
        {"egress to a named port",
         {IN_X A ", policyTypes: ['Egress'], egress: [{ports: [{port: 'web'}]}]}}"},
         80,
         "TCP",
         "x/a",
         "*",
         true},
        {"egress to a pod and its port",
         {IN_X A ", policyTypes: ['Egress'], egress: [{to: [{podSelector: {matchLabels: {pod: 'c'}}}], "
                 "ports: [{port: 80}]}]}}"},
         80,
         "TCP",
         "x/a",
         "x/c",
         true},
        {"egress to a block",
         {IN_X A ", policyTypes: ['Egress'], egress: [{to: [{ipBlock: {cidr: '10.244.2.0/24'}}]}]}}"},
         80,
         "TCP",
         "x/a",
         "z/",
         true},
};

static struct cluster *nine(void)
{
	struct cluster_options options = {
	        .name = "test", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 1};
	struct cluster *cluster = NULL;
	struct kt_err err = {0};
	assert_int_equal(cluster_new(&options, &cluster, &err), KT_OK);
	struct schema *schema = cluster_schema(cluster);
	for (int i = 0; i < 3; i++) {
		store_put(cluster_store(cluster), schema_stored(schema, "", "Namespace"),
		          kt_jsonf("{metadata: {name: %s, uid: %s, labels: {ns: %s}}}", spaces[i], spaces[i],
		                   spaces[i]),
		          0, NULL);
		for (int k = 0; k < 3; k++) {
			char *ip = kt_strf("10.244.%d.%d", i, 10 + k),
			     *uid = kt_strf("%s-%s", spaces[i], pods[k]);
			store_put(cluster_store(cluster), schema_stored(schema, "", "Pod"),
			          kt_jsonf("{metadata: {name: %s, namespace: %s, uid: %s, labels: {pod: "
			                   "%s}}, spec: {nodeName: 'elsewhere', "
			                   "containers: [{name: 'c', ports: [{name: 'web', containerPort: "
			                   "80}]}]}, status: {phase: "
			                   "'Running', podIP: %s}}",
			                   pods[k], spaces[i], uid, pods[k], ip),
			          0, NULL);
			kt_free(ip);
			kt_free(uid);
		}
	}
	return cluster;
}

/* Relaxed JSON: kt_jsonf's template, which has no % in here. */
static struct kt_json *parse(const char *text)
{
	return kt_jsonf(text, NULL);
}

static bool among(const char *words, const char *ns, const char *pod)
{
	const char *rest = words;
	size_t len;
	for (const char *w; rest && (w = kt_split(&rest, ' ', &len));) {
		if (!len)
			continue;
		if (*w == '*' || (w[0] == ns[0] && (len == 2 || w[2] == pod[0])))
			return true;
	}
	return false;
}

static struct network_peer peer_of(int i, int k, char address[32])
{
	struct kt_buf text = {0};
	kt_buf_addf(&text, "10.244.%d.%d", i, 10 + k);
	memcpy(address, text.data, text.len + 1);
	kt_buf_clear(&text);
	return (struct network_peer){.ns = spaces[i], .pod = pods[k], .address = address};
}

static void judge(struct cluster *cluster, const struct row *row)
{
	char from_ip[32], to_ip[32], why[256];
	for (int pair = 0; pair < 81; pair++) {
		int i = pair / 27, k = pair / 9 % 3, m = pair / 3 % 3, n = pair % 3;
		struct network_peer from = peer_of(i, k, from_ip), to = peer_of(m, n, to_ip);
		if (i == m && k == n)
			continue;
		const struct network_peer *mine = row->egress ? &from : &to,
		                          *other = row->egress ? &to : &from;
		bool judged = among(row->target, mine->ns, mine->pod);
		bool want = !judged || among(row->sources, other->ns, other->pod);
		bool got = network_policy_allows(cluster, &from, &to, row->port, row->protocol, why);
		if (got != want)
			fail_msg("%s: %s/%s to %s/%s is %s (%s)", row->name, from.ns, from.pod, to.ns, to.pod,
			         got ? "open" : "closed", why);
		assert_true(got || why[0]);
	}
}

static void policies_open_and_close_what_the_tables_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct cluster *cluster = nine();
		for (int p = 0; p < 3 && rows[i].policies[p]; p++) {
			struct kt_json *policy = parse(rows[i].policies[p]);
			kt_set_path(&policy, "metadata.uid", kt_json_strf("policy-%d", p));
			store_put(
			        cluster_store(cluster),
			        schema_stored(cluster_schema(cluster), "networking.k8s.io", "NetworkPolicy"),
			        policy, 0, NULL);
		}
		judge(cluster, &rows[i]);
		cluster_free(cluster);
	}
}

static void a_pod_s_own_node_always_gets_in(void **state)
{
	struct cluster *cluster = nine();
	char ip[32], why[256];
	(void)state;
	store_put(cluster_store(cluster),
	          schema_stored(cluster_schema(cluster), "networking.k8s.io", "NetworkPolicy"),
	          kt_jsonf("{metadata: {name: 'p', namespace: 'x', uid: 'p'}, spec: {podSelector: {}, "
	                   "policyTypes: ['Ingress']}}"),
	          0, NULL);
	struct network_peer to = peer_of(0, 0, ip), own = {.node = "n1", .address = "172.18.0.2"},
	                    other = {.node = "n2", .address = "172.18.0.3"};
	to.node = "n1";
	assert_true(network_policy_allows(cluster, &own, &to, 80, "TCP", why));
	assert_false(network_policy_allows(cluster, &other, &to, 80, "TCP", why));
	assert_string_equal(why, "networkpolicies in x: p");
	cluster_free(cluster);
}

static void a_peer_s_closed_exit_and_the_target_s_closed_door_both_count(void **state)
{
	struct cluster *cluster = nine();
	char a[32], b[32], why[256];
	(void)state;
	struct network_peer from = peer_of(0, 0, a), to = peer_of(1, 0, b);
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(cluster), "networking.k8s.io", "NetworkPolicy");
	store_put(cluster_store(cluster), kind,
	          kt_jsonf("{metadata: {name: 'in', namespace: 'y', uid: 'in'}, spec: {podSelector: {}, "
	                   "ingress: [{}]}}"),
	          0, NULL);
	assert_true(network_policy_allows(cluster, &from, &to, 80, "TCP", why));
	store_put(cluster_store(cluster), kind,
	          kt_jsonf("{metadata: {name: 'out', namespace: 'x', uid: 'out'}, spec: {podSelector: {}, "
	                   "policyTypes: ['Egress']}}"),
	          0, NULL);
	assert_false(network_policy_allows(cluster, &from, &to, 80, "TCP", why));
	assert_string_equal(why, "egress networkpolicies in x: out");
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(policies_open_and_close_what_the_tables_say),
	        cmocka_unit_test(a_pod_s_own_node_always_gets_in),
	        cmocka_unit_test(a_peer_s_closed_exit_and_the_target_s_closed_door_both_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

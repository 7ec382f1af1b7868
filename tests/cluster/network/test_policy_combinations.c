/* SPDX-License-Identifier: MIT */
/* Every kind of peer with every kind of port in both directions, as the published generators combine them
 * (kubernetes-sigs/network-policy-api policy-assistant: nine pods x, y, z times a, b, c; ports 80 and 81, TCP
 * and UDP). What a peer means is told as the pods that it lets in, what a port means as the doors that it
 * opens: the truth table is their product. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cluster/network/network.h"

static const char *const spaces[] = {"x", "y", "z"}, *const pods[] = {"a", "b", "c"};

/* Pods as bits: x/a x/b x/c y/a … z/c. The policy is in x. */
enum {
	XA = 1,
	XB = 2,
	XC = 4,
	X = 7,
	Y = 7 << 3,
	Z = 7 << 6,
	ALL = 511,
	B_ALL = 2 | 2 << 3 | 2 << 6,
	B_C_ALL = B_ALL | B_ALL << 1,
};
static const struct {
	const char *json; /* NULL: no list of peers */
	int pods;
} peers[] = {
        {NULL, ALL},
        {"[]", ALL},
        {"[{podSelector: {}}]", X},
        {"[{podSelector: {matchLabels: {pod: 'b'}}}]", XB},
        {"[{podSelector: {matchLabels: {pod: 'none'}}}]", 0},
        {"[{podSelector: {matchExpressions: [{key: 'pod', operator: 'In', values: ['b', 'c']}]}}]", XB | XC},
        {"[{podSelector: {matchExpressions: [{key: 'pod', operator: 'NotIn', values: ['b', 'c']}]}}]", XA},
        {"[{podSelector: {matchExpressions: [{key: 'pod', operator: 'Exists'}]}}]", X},
        {"[{podSelector: {matchExpressions: [{key: 'pod', operator: 'DoesNotExist'}]}}]", 0},
        {"[{namespaceSelector: {}}]", ALL},
        {"[{namespaceSelector: {matchLabels: {ns: 'y'}}}]", Y},
        {"[{namespaceSelector: {matchLabels: {ns: 'none'}}}]", 0},
        {"[{namespaceSelector: {matchExpressions: [{key: 'ns', operator: 'In', values: ['y', 'z']}]}}]",
         Y | Z},
        {"[{namespaceSelector: {matchExpressions: [{key: 'ns', operator: 'NotIn', values: ['y']}]}}]", X | Z},
        {"[{namespaceSelector: {}, podSelector: {}}]", ALL},
        {"[{namespaceSelector: {}, podSelector: {matchLabels: {pod: 'b'}}}]", B_ALL},
        {"[{namespaceSelector: {}, podSelector: {matchExpressions: [{key: 'pod', operator: 'In', values: "
         "['b', "
         "'c']}]}}]",
         B_C_ALL},
        {"[{namespaceSelector: {matchLabels: {ns: 'y'}}, podSelector: {}}]", Y},
        {"[{namespaceSelector: {matchLabels: {ns: 'y'}}, podSelector: {matchLabels: {pod: 'b'}}}]", 2 << 3},
        {"[{namespaceSelector: {matchLabels: {ns: 'y'}}}, {podSelector: {matchLabels: {pod: 'b'}}}]", Y | XB},
        {"[{ipBlock: {cidr: '10.244.0.0/16'}}]", ALL},
        {"[{ipBlock: {cidr: '10.244.1.0/24'}}]", Y},
        {"[{ipBlock: {cidr: '10.244.0.10/32'}}]", XA},
        {"[{ipBlock: {cidr: '10.244.0.0/23', except: ['10.244.1.0/24']}}]", X},
        {"[{ipBlock: {cidr: '0.0.0.0/0', except: ['10.244.0.0/24', '10.244.2.11/32']}}]", Y | (5 << 6)},
        {"[{ipBlock: {cidr: '10.244.2.0/24'}}, {podSelector: {matchLabels: {pod: 'c'}}}]", Z | XC},
};
/* Doors as bits: 80/TCP 81/TCP 80/UDP 81/UDP. Each pod names 80/TCP serve-80-tcp and so on. */
static const struct {
	unsigned number;
	const char *protocol;
} doors[] = {{80, "TCP"}, {81, "TCP"}, {80, "UDP"}, {81, "UDP"}};
static const struct {
	const char *json;
	int doors;
} ports[] = {
        {NULL, 15},
        {"[]", 15},
        {"[{port: 80, protocol: 'TCP'}]", 1},
        {"[{port: 80}]", 1},
        {"[{port: 81, protocol: 'UDP'}]", 8},
        {"[{protocol: 'TCP'}]", 3},
        {"[{protocol: 'UDP'}]", 12},
        {"[{protocol: 'SCTP'}]", 0},
        {"[{port: 79, protocol: 'TCP'}]", 0},
        {"[{port: 'serve-80-tcp', protocol: 'TCP'}]", 1},
        {"[{port: 'serve-81-udp', protocol: 'UDP'}]", 8},
        {"[{port: 'serve-81-udp', protocol: 'TCP'}]", 0},
        {"[{port: 'no-such-port', protocol: 'TCP'}]", 0},
        {"[{port: 80, endPort: 81, protocol: 'TCP'}]", 3},
        {"[{port: 81, endPort: 90, protocol: 'UDP'}]", 8},
        {"[{port: 1, endPort: 79, protocol: 'TCP'}]", 0},
        {"[{port: 80, protocol: 'TCP'}, {port: 80, protocol: 'UDP'}]", 5},
        {"[{port: 80, protocol: 'TCP'}, {protocol: 'UDP'}]", 13},
};

static void put(struct cluster *cluster, const char *group, const char *kind, struct kt_json *json)
{
	kt_set_path(&json, "metadata.uid",
	            kt_json_strf("%s-%s-%s", kind, kt_str_or(kt_path(json, "metadata.namespace"), ""),
	                         kt_path_str(json, "metadata.name")));
	store_put(cluster_store(cluster), schema_stored(cluster_schema(cluster), group, kind), json, 0, NULL);
}

static struct cluster *nine(void)
{
	struct cluster_options options = {
	        .name = "test", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 1};
	struct cluster *cluster = NULL;
	assert_int_equal(cluster_new(&options, &cluster, NULL), KT_OK);
	for (int i = 0; i < 9; i++) {
		char *ip = kt_strf("10.244.%d.%d", i / 3, 10 + i % 3);
		if (i % 3 == 0)
			put(cluster, "", "Namespace",
			    kt_jsonf("{metadata: {name: %s, labels: {ns: %s}}}", spaces[i / 3],
			             spaces[i / 3]));
		put(cluster, "", "Pod",
		    kt_jsonf(
		            "{metadata: {name: %s, namespace: %s, labels: {pod: %s}}, spec: {nodeName: "
		            "'worker-9', "
		            "containers: [{name: 'c', ports: [{name: 'serve-80-tcp', containerPort: 80, "
		            "protocol: "
		            "'TCP'}, {name: 'serve-81-tcp', containerPort: 81, protocol: 'TCP'}, {name: "
		            "'serve-80-udp', containerPort: 80, protocol: 'UDP'}, {name: 'serve-81-udp', "
		            "containerPort: 81, protocol: 'UDP'}]}]}, status: {phase: 'Running', podIP: %s}}",
		            pods[i % 3], spaces[i / 3], pods[i % 3], ip));
		kt_free(ip);
	}
	return cluster;
}

static struct network_peer peer_at(int i, char address[32])
{
	struct kt_buf text = {0};
	kt_buf_addf(&text, "10.244.%d.%d", i / 3, 10 + i % 3);
	memcpy(address, text.data, text.len + 1);
	kt_buf_clear(&text);
	return (struct network_peer){.ns = spaces[i / 3], .pod = pods[i % 3], .address = address};
}

/* The policy selects x/a; all pairs with it, and some without. */
static void judge(struct cluster *cluster, bool egress, size_t peer, size_t port)
{
	char here_ip[32], there_ip[32], why[256];
	for (int there = 0; there < 9; there++) {
		for (size_t d = 0; d < KT_COUNT(doors); d++) {
			for (int here = 0; here < 2; here++) { /* x/a, and x/b that no policy selects */
				struct network_peer mine = peer_at(here, here_ip),
				                    other = peer_at(there, there_ip);
				bool want = here == 1 ||
				            ((peers[peer].pods >> there & 1) && (ports[port].doors >> d & 1));
				if (here == there || (here == 1 && there == 0))
					continue;
				bool got = network_policy_allows(cluster, egress ? &mine : &other,
				                                 egress ? &other : &mine, doors[d].number,
				                                 doors[d].protocol, why);
				if (got != want)
					fail_msg("%s %s %s: x/%s and %s/%s %u/%s is %s",
					         egress ? "to" : "from",
					         peers[peer].json ? peers[peer].json : "-",
					         ports[port].json ? ports[port].json : "-", pods[here],
					         other.ns, other.pod, doors[d].number, doors[d].protocol,
					         got ? "open" : "closed");
			}
		}
	}
}

static struct kt_json *parsed(const char *text)
{
	return text ? kt_jsonf(text, NULL) : NULL;
}

static void the_truth_table_is_the_product_of_peers_and_ports(void **state)
{
	struct cluster *cluster = nine();
	size_t policies = 0;
	(void)state;
	for (int egress = 0; egress < 2; egress++) {
		for (size_t peer = 0; peer < KT_COUNT(peers); peer++) {
			for (size_t port = 0; port < KT_COUNT(ports); port++) {
				struct kt_json *rule = kt_json_object();
				kt_set(&rule, egress ? "to" : "from", parsed(peers[peer].json));
				kt_set(&rule, "ports", parsed(ports[port].json));
				put(cluster, "networking.k8s.io", "NetworkPolicy",
				    kt_jsonf("{metadata: {name: 'p', namespace: 'x'}, spec: {podSelector: "
				             "{matchLabels: "
				             "{pod: 'a'}}, policyTypes: [%s], %s: [%j]}}",
				             egress ? "Egress" : "Ingress", egress ? "egress" : "ingress",
				             rule));
				judge(cluster, egress, peer, port);
				policies++;
			}
		}
	}
	assert_int_equal(policies, 2 * KT_COUNT(peers) * KT_COUNT(ports));
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_truth_table_is_the_product_of_peers_and_ports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

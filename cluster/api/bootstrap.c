/* SPDX-License-Identifier: MIT */
/* What a new cluster holds: namespaces, nodes, the Services of the API server and of DNS. Roles and priority
 * classes: rules_bootstrap. Service accounts and root certificates: their controllers. */
#include "cluster/api/internal.h"
#include "cluster/network/balancer.h"
#include <stdio.h>
#include <string.h>

static const struct api_actor server = {
        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};
static const struct api_actor kubeadm = {
        .user = "kubernetes-admin", .manager = "kubeadm", .component = "kubeadm"};
static const struct api_actor node_agent = {
        .user = "system:node", .manager = "kubelet", .component = "kubelet"};

static void create(struct cluster *cluster, const struct api_actor *actor, const char *group,
                   const char *kind, struct kt_json *steal)
{
	(void)api_create(cluster, actor, schema_stored(cluster_schema(cluster), group, kind), steal, NULL);
}

static void namespaces(struct cluster *cluster)
{
	static const char *const names[] = {"kube-system", "kube-public", "kube-node-lease", "default"};

	for (size_t i = 0; i < KT_COUNT(names); i++)
		create(cluster, &server, "", "Namespace", kt_jsonf("{metadata: {name: %s}}", names[i]));
}

/* --- nodes --- */
static struct kt_json *node_conditions(const char *now)
{
	static const char *const rows[][4] = {
	        {"MemoryPressure", "False", "KubeletHasSufficientMemory",
	         "kubelet has sufficient memory available"},
	        {"DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"},
	        {"PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"},
	        {"Ready", "True", "KubeletReady", "kubelet is posting ready status"},
	};
	struct kt_json *conditions = NULL;

	for (size_t i = 0; i < KT_COUNT(rows); i++)
		kt_push(&conditions, kt_jsonf("{type: %s, status: %s, lastHeartbeatTime: %s, "
		                              "lastTransitionTime: %s, reason: "
		                              "%s, message: %s}",
		                              rows[i][0], rows[i][1], now, now, rows[i][2], rows[i][3]));
	return conditions;
}

static void fill(struct kt_json **slot, const char *key, struct kt_json *steal)
{
	if (kt_get(*slot, key))
		kt_json_free(steal);
	else
		kt_set(slot, key, steal);
}

void api_pod_range(unsigned index, char out[32])
{
	enum { FIRST = 244, FIRST_COUNT = 256 - FIRST, THEN = 112, THEN_COUNT = FIRST - THEN };
	unsigned block = index / 256;

	block = block < FIRST_COUNT ? FIRST + block : THEN + (block - FIRST_COUNT) % THEN_COUNT;
	snprintf(out, 32, "10.%u.%u.0/24", block, index % 256);
}

/* What the kubelet and the controllers add to a Node that somebody described: address, pod range, conditions.
 */
static void complete_node(struct cluster *cluster, struct kt_json **node, unsigned index)
{
	const char *name = kt_path_str(*node, "metadata.name");
	char *now = api_time(cluster_now(cluster)), address[32], range[32], provider[320];
	struct kt_json **labels = kt_edit_path(node, "metadata.labels"), **spec, **status;

	snprintf(address, sizeof(address), "172.18.%u.%u", index / 250, index % 250 + 2);
	api_pod_range(index, range);
	snprintf(provider, sizeof(provider), "ktutor://%s/%s", cluster_get_options(cluster)->name, name);
	fill(labels, "kubernetes.io/hostname", kt_json_str(name));
	fill(labels, "kubernetes.io/os", kt_json_str("linux"));
	fill(labels, "kubernetes.io/arch", kt_json_str("amd64"));
	spec = kt_edit(node, "spec");
	if (!kt_get(*spec, "podCIDR")) {
		kt_set(spec, "podCIDR", kt_json_str(range));
		kt_set(spec, "podCIDRs", kt_jsonf("[%s]", range));
	}
	if (!kt_count(kt_get(cluster_get_options(cluster)->nodes,
	                     "items"))) /* a described node says it itself */
		fill(spec, "providerID", kt_json_str(provider));
	status = kt_edit(node, "status");
	fill(status, "capacity",
	     kt_jsonf("{cpu: '4', 'ephemeral-storage': '100Gi', 'hugepages-1Gi': '0', 'hugepages-2Mi': '0', "
	              "memory: '8Gi', "
	              "pods: '110'}"));
	fill(status, "allocatable", kt_json_ref(kt_get(*status, "capacity")));
	if (!kt_count(kt_get(*status, "conditions")))
		kt_set(status, "conditions", node_conditions(now));
	fill(status, "addresses",
	     kt_jsonf("[{type: 'InternalIP', address: %s}, {type: 'Hostname', address: %s}]", address, name));
	fill(status, "daemonEndpoints", kt_jsonf("{kubeletEndpoint: {Port: 10250}}"));
	fill(status, "nodeInfo",
	     kt_jsonf(
	             "{machineID: '', systemUUID: '', bootID: '', kernelVersion: '6.1.0', osImage: 'Debian "
	             "GNU/Linux 12 "
	             "(bookworm)', containerRuntimeVersion: 'containerd://2.1.3', kubeletVersion: 'v1.34.4', "
	             "kubeProxyVersion: '', operatingSystem: 'linux', architecture: 'amd64'}"));
	kt_free(now);
}

/* Nodes come with a status: it goes in by the second write, as from a kubelet. */
static void create_node(struct cluster *cluster, struct kt_json *steal, unsigned index)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "", "Node");
	const struct store_object *object;
	struct kt_json *status, *decoded = NULL, *next;

	complete_node(cluster, &steal, index);
	if (schema_decode(cluster_schema(cluster), kind, steal, &decoded, NULL, NULL))
		decoded = kt_json_ref(steal);
	kt_json_free(steal);
	status = kt_json_ref(kt_get(decoded, "status"));
	object = api_create(cluster, &node_agent, kind, decoded, NULL);
	if (object) {
		next = kt_json_ref(object->json);
		kt_set(&next, "status", status);
		(void)api_update_status(cluster, &node_agent, kind, next, NULL);
	} else {
		kt_json_free(status);
	}
}

/* The control plane takes no pods and no balancer's traffic, unless it is all there is: as kind sees to it.
 */
static void control_plane(struct cluster *cluster, bool alone)
{
	struct kt_json *node = kt_jsonf(
	        "{metadata: {name: 'control-plane', annotations: {'node.alpha.kubernetes.io/ttl': '0'}, "
	        "labels: "
	        "{'node-role.kubernetes.io/control-plane': '', 'topology.kubernetes.io/region': 'region-1', "
	        "'topology.kubernetes.io/zone': 'zone-a'}}, spec: {}}");
	struct kt_json *labels = kt_json_ref(kt_path(node, "metadata.labels")),
	               *meta = kt_json_ref(kt_get(node, "metadata"));

	if (!alone) {
		kt_set(&labels, "node.kubernetes.io/exclude-from-external-load-balancers", kt_json_str(""));
		kt_set(&node, "spec",
		       kt_jsonf("{taints: [{key: 'node-role.kubernetes.io/control-plane', effect: "
		                "'NoSchedule'}]}"));
	}
	kt_set(&meta, "labels", labels);
	kt_set(&node, "metadata", meta);
	create_node(cluster, node, 0);
}

static void default_nodes(struct cluster *cluster, unsigned workers)
{
	char name[32], zone[16];

	control_plane(cluster, workers == 0);
	for (unsigned i = 0; i < workers; i++) {
		snprintf(name, sizeof(name), i ? "worker-%u" : "worker-%u", i + 1);
		snprintf(zone, sizeof(zone), "zone-%c", (char)('a' + i % 3));
		create_node(cluster,
		            kt_jsonf("{metadata: {name: %s, annotations: {'node.alpha.kubernetes.io/ttl': "
		                     "'0'}, labels: "
		                     "{'topology.kubernetes.io/region': 'region-1', "
		                     "'topology.kubernetes.io/zone': %s}}, spec: "
		                     "{}}",
		                     name, zone),
		            i + 1);
	}
}

static void nodes(struct cluster *cluster)
{
	const struct cluster_options *options = cluster_get_options(cluster);
	const struct kt_json *items = kt_get(options->nodes, "items"), *item;
	unsigned index = 0;

	if (!kt_count(items)) {
		default_nodes(cluster, options->workers);
		return;
	}
	KT_JSON_EACH (item, items)
		create_node(cluster, kt_json_ref(item), index++);
}

/* kubernetes pkg/apis/scheduling/types.go */
static void priority_classes(struct cluster *cluster)
{
	static const struct {
		const char *name, *text;
		int value;
	} rows[] = {
	        {"system-cluster-critical",
	         "Used for system critical pods that must run in the cluster, but can be moved to another "
	         "node if necessary.",
	         2000000000},
	        {"system-node-critical",
	         "Used for system critical pods that must not be moved from their current node.", 2000001000},
	};
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		create(cluster, &server, "scheduling.k8s.io", "PriorityClass",
		       kt_jsonf("{metadata: {name: %s}, value: %d, description: %s}", rows[i].name,
		                rows[i].value, rows[i].text));
}

/* --- Services --- */
static void services(struct cluster *cluster)
{
	create(cluster, &server, "", "Service",
	       kt_jsonf("{metadata: {name: 'kubernetes', namespace: 'default', labels: {component: "
	                "'apiserver', provider: "
	                "'kubernetes'}}, spec: {ports: [{name: 'https', protocol: 'TCP', port: 443, "
	                "targetPort: 6443}], "
	                "clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], type: 'ClusterIP', "
	                "sessionAffinity: 'None'}}"));
	create(cluster, &server, "discovery.k8s.io", "EndpointSlice",
	       kt_jsonf("{metadata: {name: 'kubernetes', namespace: 'default', labels: "
	                "{'kubernetes.io/service-name': "
	                "'kubernetes'}}, addressType: 'IPv4', endpoints: [{addresses: ['172.18.0.2'], "
	                "conditions: {ready: "
	                "true}}], ports: [{name: 'https', protocol: 'TCP', port: 6443}]}"));
	create(cluster, &server, "", "Endpoints",
	       kt_jsonf("{metadata: {name: 'kubernetes', namespace: 'default', labels: "
	                "{'endpointslice.kubernetes.io/skip-mirror': 'true'}}, subsets: [{addresses: [{ip: "
	                "'172.18.0.2'}], "
	                "ports: [{name: 'https', port: 6443, protocol: 'TCP'}]}]}"));
	create(cluster, &kubeadm, "", "Service",
	       kt_jsonf("{metadata: {name: 'kube-dns', namespace: 'kube-system', labels: {'k8s-app': "
	                "'kube-dns', "
	                "'kubernetes.io/name': 'CoreDNS'}}, spec: "
	                "{ports: [{name: "
	                "'dns', protocol: 'UDP', port: 53, targetPort: 53}, {name: 'dns-tcp', protocol: "
	                "'TCP', port: 53, "
	                "targetPort: 53}, {name: 'metrics', protocol: 'TCP', port: 9153, targetPort: 9153}], "
	                "selector: "
	                "{'k8s-app': 'kube-dns'}, clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], type: "
	                "'ClusterIP'}}"));
}

/* Who serves Ingresses and Gateways here: network/balancer.h. */
static void classes(struct cluster *cluster)
{
	if (balancer_has_edge(cluster, "ingress"))
		create(cluster, &server, "networking.k8s.io", "IngressClass",
		       kt_jsonf("{metadata: {name: 'nginx'}, spec: {controller: %s}}", BALANCER_INGRESS));
	if (!balancer_has_edge(cluster, "gateway"))
		return;
	create(cluster, &server, "gateway.networking.k8s.io", "GatewayClass",
	       kt_jsonf("{metadata: {name: 'nginx'}, spec: {controllerName: %s}}", BALANCER_GATEWAY));
	create(cluster, &server, "gateway.networking.k8s.io", "GatewayClass",
	       kt_jsonf("{metadata: {name: 'global'}, spec: {controllerName: %s, description: 'Sends each "
	                "client "
	                "to the nearest region that is healthy'}}",
	                BALANCER_GLOBAL));
}

void api_bootstrap(struct cluster *cluster)
{
	namespaces(cluster);
	priority_classes(cluster);
	rules_bootstrap(cluster);
	api_bootstrap_system(cluster);
	api_bootstrap_accounts(cluster);
	nodes(cluster);
	services(cluster);
	classes(cluster);
	api_bootstrap_dns(cluster);
}

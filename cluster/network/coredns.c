/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include "cluster/api/api.h"

/* CoreDNS as kubeadm installs it: objects, so that policies, deletions and dead nodes matter. Made once in a
 * cluster's life: its ConfigMap is the mark. */
static const struct api_actor kubeadm = {
        .user = "kubernetes-admin", .manager = "kubeadm", .component = "kubeadm"};
static const char corefile[] =
        ".:53 {\n    errors\n    health {\n       lameduck 5s\n    }\n    ready\n"
        "    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n"
        "       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n    prometheus :9153\n"
        "    forward . /etc/resolv.conf {\n       max_concurrent 1000\n    }\n    cache 30\n    loop\n"
        "    reload\n    loadbalance\n}\n";
static const char image[] = "registry.k8s.io/coredns/coredns:v1.12.1";

static const struct schema_kind *kind_of(struct cluster *cluster, const char *group, const char *kind)
{
	return schema_stored(cluster_schema(cluster), group, kind);
}

bool coredns_installed(struct cluster *cluster)
{
	return store_get(cluster_store(cluster), kind_of(cluster, "", "ConfigMap"), "kube-system",
	                 "coredns") != NULL;
}

static struct kt_json *pod_spec(void)
{
	struct kt_json *container = kt_jsonf(
	        "{name: 'coredns', image: %s, args: ['-conf', '/etc/coredns/Corefile'], ports: [{name: "
	        "'dns', containerPort: "
	        "53, protocol: 'UDP'}, {name: 'dns-tcp', containerPort: 53, protocol: 'TCP'}, {name: "
	        "'metrics', "
	        "containerPort: 9153, protocol: 'TCP'}], resources: {limits: {memory: '170Mi'}, requests: "
	        "{cpu: '100m', "
	        "memory: '70Mi'}}, livenessProbe: {httpGet: {path: '/health', port: 8080}, "
	        "initialDelaySeconds: 60, "
	        "timeoutSeconds: 5, failureThreshold: 5}, readinessProbe: {httpGet: {path: '/ready', port: "
	        "8181}}, "
	        "volumeMounts: [{name: 'config-volume', mountPath: '/etc/coredns', readOnly: true}]}",
	        image);
	return kt_jsonf(
	        "{priorityClassName: 'system-cluster-critical', dnsPolicy: 'Default', nodeSelector: "
	        "{'kubernetes.io/os': "
	        "'linux'}, tolerations: [{key: 'CriticalAddonsOnly', operator: 'Exists'}, {key: "
	        "'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}], affinity: {nodeAffinity: "
	        "{preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, preference: "
	        "{matchExpressions: [{key: "
	        "'node-role.kubernetes.io/control-plane', operator: 'Exists'}]}}]}}, containers: [%j], "
	        "volumes: [{name: "
	        "'config-volume', configMap: {name: 'coredns', items: [{key: 'Corefile', path: "
	        "'Corefile'}]}}]}",
	        container);
}

static void install(struct cluster *cluster, void *arg)
{
	(void)arg;
	if (coredns_installed(cluster) || !network_service(cluster, "kube-system", "kube-dns"))
		return;
	(void)api_create(
	        cluster, &kubeadm, kind_of(cluster, "", "ConfigMap"),
	        kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system'}, data: {Corefile: %s}}",
	                 corefile),
	        NULL);
	(void)api_create(cluster, &kubeadm, kind_of(cluster, "", "ServiceAccount"),
	                 kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system'}}"), NULL);
	struct kt_json *spec = pod_spec();
	kt_set(&spec, "serviceAccountName", kt_json_str("coredns"));
	(void)api_create(cluster, &kubeadm, kind_of(cluster, "apps", "Deployment"),
	                 kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system', labels: "
	                          "{'k8s-app': 'kube-dns'}}, spec: "
	                          "{replicas: 2, strategy: {type: 'RollingUpdate', rollingUpdate: "
	                          "{maxUnavailable: 1}}, selector: "
	                          "{matchLabels: {'k8s-app': 'kube-dns'}}, template: {metadata: {labels: "
	                          "{'k8s-app': 'kube-dns'}}, "
	                          "spec: %j}}}",
	                          spec),
	                 NULL);
}

void coredns_start(struct cluster *cluster)
{
	cluster_after(cluster, 0, install, NULL);
}

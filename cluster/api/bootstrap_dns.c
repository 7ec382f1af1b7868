/* SPDX-License-Identifier: MIT */
/* The cluster's DNS as kubeadm sets it up: a Deployment in kube-system, so that policies, drains and dead
 * nodes matter to it. */
#include "cluster/api/internal.h"

#define DNS_IMAGE "registry.k8s.io/coredns/coredns:v1.12.1"

static const struct api_actor kubeadm = {
        .user = "kubernetes-admin", .manager = "kubeadm", .component = "kubeadm"};

static void create(struct cluster *cluster, const char *group, const char *kind, struct kt_json *steal)
{
	(void)api_create(cluster, &kubeadm, schema_stored(cluster_schema(cluster), group, kind), steal, NULL);
}

static struct kt_json *probe(const char *path, int port, int delay)
{
	return kt_jsonf(
	        "{httpGet: {path: %s, port: %d, scheme: 'HTTP'}, initialDelaySeconds: %d, timeoutSeconds: 5}",
	        path, port, delay);
}

static struct kt_json *container(void)
{
	return kt_jsonf("{name: 'coredns', image: %s, imagePullPolicy: 'IfNotPresent', args: ['-conf', "
	                "'/etc/coredns/Corefile'],"
	                " resources: {limits: {memory: '170Mi'}, requests: {cpu: '100m', memory: '70Mi'}},"
	                " ports: [{name: 'dns', containerPort: 53, protocol: 'UDP'}, {name: 'dns-tcp', "
	                "containerPort: 53, protocol: 'TCP'},"
	                " {name: 'metrics', containerPort: 9153, protocol: 'TCP'}],"
	                " livenessProbe: %j, readinessProbe: %j,"
	                " volumeMounts: [{name: 'config-volume', mountPath: '/etc/coredns', readOnly: true}],"
	                " securityContext: {allowPrivilegeEscalation: false, capabilities: {add: "
	                "['NET_BIND_SERVICE'], drop: ['ALL']},"
	                " readOnlyRootFilesystem: true}}",
	                DNS_IMAGE, probe("/health", 8080, 60), probe("/ready", 8181, 0));
}

/* Beside the control plane, where kubeadm's first node is the only one for a while: workers stay empty. */
static struct kt_json *pod_spec(void)
{
	return kt_jsonf("{serviceAccountName: 'coredns', dnsPolicy: 'Default', priorityClassName: "
	                "'system-cluster-critical',"
	                " nodeSelector: {'kubernetes.io/os': 'linux'},"
	                " tolerations: [{key: 'CriticalAddonsOnly', operator: 'Exists'},"
	                " {key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}],"
	                " affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: "
	                "[{weight: 100, preference:"
	                " {matchExpressions: [{key: 'node-role.kubernetes.io/control-plane', operator: "
	                "'Exists'}]}}]}},"
	                " containers: [%j],"
	                " volumes: [{name: 'config-volume', configMap: {name: 'coredns', items: [{key: "
	                "'Corefile', path: 'Corefile'}]}}]}",
	                container());
}

void api_bootstrap_dns(struct cluster *cluster)
{
	create(cluster, "", "ServiceAccount",
	       kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system'}}"));
	create(cluster, "", "ConfigMap",
	       kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system'}, data: {Corefile: %s}}",
	                ".:53 {\n    errors\n    health {\n       lameduck 5s\n    }\n    ready\n"
	                "    kubernetes cluster.local in-addr.arpa ip6.arpa {\n       pods insecure\n"
	                "       fallthrough in-addr.arpa ip6.arpa\n       ttl 30\n    }\n    prometheus "
	                ":9153\n"
	                "    forward . /etc/resolv.conf\n    cache 30\n    loop\n    reload\n    "
	                "loadbalance\n}\n"));
	create(cluster, "apps", "Deployment",
	       kt_jsonf("{metadata: {name: 'coredns', namespace: 'kube-system', labels: {'k8s-app': "
	                "'kube-dns'}},"
	                " spec: {replicas: 2, strategy: {type: 'RollingUpdate', rollingUpdate: "
	                "{maxUnavailable: 1}},"
	                " selector: {matchLabels: {'k8s-app': 'kube-dns'}},"
	                " template: {metadata: {labels: {'k8s-app': 'kube-dns'}}, spec: %j}}}",
	                pod_spec()));
}

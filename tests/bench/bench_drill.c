/* SPDX-License-Identifier: MIT */
/* What a drill costs: ten minutes of a shop of 200 pods under load, with a zone that fails and a release; and
 * taking and putting back a snapshot of it. CPU time, so that a busy machine does not count. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cluster/api/api.h"

static const struct api_actor me = {.user = "kubernetes-admin", .manager = "bench", .component = "bench"};

static void print(const char *what, double value, const char *unit, const char *budget)
{
	(void)printf("%-58s %9.1f %-4s budget %s\n", what, value, unit, budget);
}

static double cpu_ms(void)
{
	return (double)clock() / CLOCKS_PER_SEC * 1e3;
}

static struct kt_json *nodes(void)
{
	struct kt_json *items = kt_json_array();
	for (int i = 0; i < 12; i++) {
		char name[16], zone[16];
		snprintf(name, sizeof(name), "node-%d", i);
		snprintf(zone, sizeof(zone), "zone-%c", 'a' + i % 3);
		kt_push(&items,
		        kt_jsonf(
		                "{apiVersion: 'v1', kind: 'Node', metadata: {name: %s, labels: "
		                "{'kubernetes.io/hostname': %s, 'topology.kubernetes.io/zone': %s}}, status: "
		                "{capacity: {cpu: '16', memory: '64Gi', pods: '110'}, allocatable: {cpu: "
		                "'16', "
		                "memory: '64Gi', pods: '110'}}}",
		                name, name, zone));
	}
	return kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %j}", items);
}

static void create(struct cluster *cluster, const char *group, const char *kind, struct kt_json *steal)
{
	struct api_status status = {0};
	if (!api_create(cluster, &me, schema_stored(cluster_schema(cluster), group, kind), steal, &status)) {
		fprintf(stderr, "%s: %s\n", kind, status.message);
		exit(1);
	}
	api_status_clear(&status);
}

static void tier(struct cluster *cluster, const char *name, int replicas, const char *calls)
{
	create(cluster, "apps", "Deployment",
	       kt_jsonf("{apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: %s, namespace: "
	                "'default'}, spec: "
	                "{replicas: %d, selector: {matchLabels: {app: %s}}, template: {metadata: {labels: "
	                "{app: %s}}, "
	                "spec: {containers: [{name: 'c', image: 'nginx:1.27', env: [{name: 'UPSTREAM_HOST', "
	                "value: %s}], "
	                "resources: {requests: {cpu: '100m', memory: '64Mi'}, limits: {cpu: '500m', memory: "
	                "'256Mi'}}}]}}}}",
	                name, replicas, name, name, calls));
	create(cluster, "", "Service",
	       kt_jsonf("{apiVersion: 'v1', kind: 'Service', metadata: {name: %s, namespace: 'default'}, "
	                "spec: "
	                "{selector: {app: %s}, ports: [{port: 80}]}}",
	                name, name));
	create(cluster, "policy", "PodDisruptionBudget",
	       kt_jsonf("{apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: {name: %s, "
	                "namespace: "
	                "'default'}, spec: {maxUnavailable: 1, selector: {matchLabels: {app: %s}}}}",
	                name, name));
}

static void disturb(struct cluster *cluster, struct kt_json *steal)
{
	struct kt_err err = {0};
	if (cluster_disturb(cluster, steal, NULL, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	kt_json_free(steal);
}

static void wait(struct cluster *cluster, int seconds)
{
	cluster_advance(cluster, cluster_now(cluster) + seconds * KT_SEC);
}

static void drill(struct cluster *cluster)
{
	disturb(cluster, kt_jsonf("{load: {to: 'service frontend', rps: 400}}"));
	wait(cluster, 60);
	disturb(cluster, kt_jsonf("{zone: {name: 'zone-a', is: 'down'}}"));
	wait(cluster, 240);
	disturb(cluster, kt_jsonf("{zone: {name: 'zone-a', is: 'up'}}"));
	disturb(cluster, kt_jsonf("{load: {to: 'service frontend', times: 3, shape: 'ramp', over: '60s'}}"));
	wait(cluster, 120);
	const struct schema_kind *kind = schema_stored(cluster_schema(cluster), "apps", "Deployment");
	struct kt_json *json =
	        kt_json_ref(store_get(cluster_store(cluster), kind, "default", "frontend")->json);
	kt_set_path(&json, "spec.template.spec.containers.0.image", kt_json_str("nginx:1.26"));
	(void)api_update(cluster, &me, kind, json, NULL);
	wait(cluster, 180);
}

int main(void)
{
	struct kt_json *list = nodes();
	struct cluster_options options = {
	        .name = "bench", .seed = 1, .now = (kt_ns)1764000000 * KT_SEC, .nodes = list};
	struct cluster *cluster;
	if (cluster_new(&options, &cluster, NULL))
		return 1;
	kt_json_free(list);
	tier(cluster, "frontend", 80, "backend");
	tier(cluster, "backend", 80, "orders");
	tier(cluster, "orders", 40, NULL);
	wait(cluster, 30);
	double began = cpu_ms();
	struct cluster_snapshot *snapshot = cluster_snapshot(cluster);
	drill(cluster);
	double done = cpu_ms();
	print("a ten-minute drill with 200 pods", done - began, "ms", "200");
	cluster_restore(cluster, snapshot);
	print("putting 200 pods back to a snapshot", cpu_ms() - done, "ms", "");
	cluster_snapshot_free(snapshot);
	cluster_free(cluster);

	/* a lab's size */
	options.nodes = NULL;
	options.workers = 3;
	if (cluster_new(&options, &cluster, NULL))
		return 1;
	tier(cluster, "frontend", 6, "backend");
	tier(cluster, "backend", 4, "orders");
	tier(cluster, "orders", 2, NULL);
	wait(cluster, 30);
	const int rounds = 50;
	began = cpu_ms();
	for (int i = 0; i < rounds; i++) {
		snapshot = cluster_snapshot(cluster);
		wait(cluster, 1);
		cluster_restore(cluster, snapshot);
		cluster_snapshot_free(snapshot);
	}
	print("snapshot and restore of a lab", (cpu_ms() - began) / rounds, "ms", "5");
	cluster_free(cluster);
	return 0;
}

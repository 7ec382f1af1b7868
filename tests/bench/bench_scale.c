/* SPDX-License-Identifier: MIT */
/* How a large cluster costs: N nodes, M pods by ReplicaSets (or bare), until all are Ready.
 *     bench_scale [NODES PODS [plain]]      without arguments: the sizes of the budget
 * Prints seconds of CPU, memory, and the cost of a pod. A benchmark, not a test: nothing is asserted; at
 * three times the budget it stops. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "cluster/api/api.h"

#define BUDGET_SECONDS 20.0 /* of so many pods: */
#define BUDGET_PODS    150000
#define BUDGET_MIB     1536

static const struct api_actor me = {.user = "kubernetes-admin", .manager = "bench", .component = "bench"};

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static double mebibytes(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
	return (double)usage.ru_maxrss / 1024 / 1024;
#else
	return (double)usage.ru_maxrss / 1024;
#endif
}

static struct kt_json *nodes(size_t count)
{
	struct kt_json *items = kt_json_array();

	for (size_t i = 0; i < count; i++) {
		char name[32], zone[16];

		snprintf(name, sizeof(name), "node-%zu", i);
		snprintf(zone, sizeof(zone), "zone-%c", (char)('a' + i % 3));
		kt_push(&items, kt_jsonf("{apiVersion: 'v1', kind: 'Node', metadata: {name: %s, labels: "
		                         "{'kubernetes.io/hostname': %s, "
		                         "'topology.kubernetes.io/zone': %s}}, status: {capacity: {cpu: "
		                         "'32', memory: '128Gi', pods: '110'}, "
		                         "allocatable: {cpu: '32', memory: '128Gi', pods: '110'}}}",
		                         name, name, zone));
	}
	return kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %j}", items);
}

static struct kt_json *pod_spec(void)
{
	return kt_jsonf("{containers: [{name: 'c', image: 'nginx:1.27', resources: {requests: {cpu: '50m', "
	                "memory: '64Mi'}}}]}");
}

static void create(struct cluster *cluster, const char *group, const char *kind, struct kt_json *steal)
{
	struct api_status status = {0};

	if (!api_create(cluster, &me, schema_stored(cluster_schema(cluster), group, kind), steal, &status)) {
		fprintf(stderr, "%s: %s\n", kind, status.message ? status.message : "not created");
		exit(1);
	}
	api_status_clear(&status);
}

static void make_pods(struct cluster *cluster, size_t count, bool plain)
{
	size_t each = 100, sets = (count + each - 1) / each;
	struct kt_json *spec = pod_spec();

	for (size_t i = 0; plain && i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "pod-%zu", i);
		create(cluster, "", "Pod",
		       kt_jsonf("{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, namespace: 'default', "
		                "labels: {app: "
		                "'plain'}}, spec: %J}",
		                name, spec));
	}
	for (size_t i = 0; !plain && i < sets; i++) {
		char name[32];

		snprintf(name, sizeof(name), "set-%zu", i);
		create(cluster, "apps", "ReplicaSet",
		       kt_jsonf("{apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: {name: %s, namespace: "
		                "'default'}, spec: "
		                "{replicas: %l, selector: {matchLabels: {app: %s}}, template: {metadata: "
		                "{labels: {app: %s}}, "
		                "spec: %J}}}",
		                name, (int64_t)KT_MIN(each, count - i * each), name, name, spec));
	}
	kt_json_free(spec);
}

static size_t ready(struct cluster *cluster)
{
	const struct schema_kind *pods = schema_stored(cluster_schema(cluster), "", "Pod");
	const struct store_object *pod;
	size_t count = 0;

	STORE_EACH (pod, cluster_store(cluster), pods, "default")
		count += view_pod(pod)->ready;
	return count;
}

static void run(size_t node_count, size_t pod_count, bool plain)
{
	struct kt_json *list = nodes(node_count);
	struct cluster_options options = {
	        .name = "bench", .seed = 1, .now = (kt_ns)1764000000 * KT_SEC, .nodes = list};
	struct cluster *cluster;
	struct kt_err err = {0};
	double began = cpu_seconds(), up, done;
	kt_ns virtual;
	size_t there = 0;

	if (cluster_new(&options, &cluster, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	kt_json_free(list);
	cluster_advance(cluster, cluster_now(cluster) + 12 * KT_SEC);
	up = cpu_seconds();
	virtual = cluster_now(cluster);
	make_pods(cluster, pod_count, plain);
	double limit = KT_MAX(3 * BUDGET_SECONDS * (double)pod_count / BUDGET_PODS, 10.0);
	for (int i = 0; i < 400 && there < pod_count && cpu_seconds() - up < limit; i++) {
		cluster_advance(cluster, cluster_now(cluster) + (kt_ns)(pod_count > 20000 ? 20 : 2) * KT_SEC);
		there = ready(cluster);
	}
	done = cpu_seconds();
	char budget[96] = "";
	if (pod_count >= BUDGET_PODS)
		snprintf(budget, sizeof(budget), "  budget %.0f s, %d MiB", BUDGET_SECONDS, BUDGET_MIB);
	if (there < pod_count)
		strcat(budget, done - up >= limit ? "  STOPPED: three times the budget" : "  NOT ALL READY");
	printf("%6zu nodes (up in %5.2f s)  %7zu of %7zu pods Ready in %6.2f s, %5.1f us a pod, %6.0f s "
	       "virtual, peak %5.0f MiB%s\n",
	       node_count, up - began, there, pod_count, done - up, (done - up) * 1e6 / (double)pod_count,
	       (double)(cluster_now(cluster) - virtual) / 1e9, mebibytes(), budget);
	fflush(stdout);
	cluster_free(cluster);
}

int main(int argc, char **argv)
{
	if (argc >= 3) {
		run(strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10),
		    argc > 3 && strcmp(argv[3], "plain") == 0);
		return 0;
	}
	run(50, 1000, false);
	run(350, 10000, false);
	run(5000, 150000, false);
	return 0;
}

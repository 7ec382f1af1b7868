/* SPDX-License-Identifier: MIT */
/* What requests cost in the server, without a socket: one GET, a list of 5,000 pods as a Table, creates; and
 * what a write of a controller costs. Prints "WHAT  MEASURED  BUDGET" a line. */
#include "cluster/api/api.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void print(const char *what, double value, const char *unit, const char *budget)
{
	(void)printf("%-58s %9.1f %-4s budget %s\n", what, value, unit, budget);
}

static const char table[] = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
static const char pod_body[] = "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"generateName\":\"web-"
                               "\",\"labels\":{\"app\":\"web\"}},"
                               "\"spec\":{\"containers\":[{\"name\":\"web\",\"image\":\"nginx:1.27\","
                               "\"resources\":{\"requests\":{\"cpu\":"
                               "\"10m\",\"memory\":\"16Mi\"}}}]}}";

static const char one_body[] =
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"one\"},\"spec\":{"
        "\"containers\":[{\"name\":\"web\",\"image\":\"nginx:1.27\"}]}}";

static int handle(struct cluster *cluster, const char *method, const char *target, const char *accept,
                  const char *body, size_t *len)
{
	struct cluster_header headers[] = {{"Accept", accept}, {"Content-Type", "application/json"}};
	struct cluster_request request = {.method = method,
	                                  .target = target,
	                                  .headers = headers,
	                                  .header_count = 2,
	                                  .body = body,
	                                  .body_len = body ? strlen(body) : 0,
	                                  .loopback_admin = true};
	struct cluster_response response = {0};
	int status;

	cluster_handle(cluster, &request, &response);
	status = response.status;
	if (len)
		*len = response.body.len;
	cluster_response_clear(&response);
	return status;
}

/* CPU time, so that what else the machine does is not measured. */
static kt_ns cpu(void)
{
	return (kt_ns)clock() * (KT_SEC / CLOCKS_PER_SEC);
}

static double since(kt_ns start)
{
	return (double)(cpu() - start);
}

static void http(struct cluster *cluster)
{
	kt_ns start = cpu();
	size_t len = 0;
	int bad = 0;

	bad += handle(cluster, "POST", "/api/v1/namespaces/default/pods", "application/json", one_body,
	              NULL) != 201;
	for (int i = 0; i < 5000; i++)
		bad += handle(cluster, "POST", "/api/v1/namespaces/default/pods", "application/json",
		              pod_body, NULL) != 201;
	print("creates of pods through cluster_handle", 5000 / (since(start) / 1e9), "/s", ">= 10000 /s");
	start = cpu();
	for (int i = 0; i < 20; i++)
		handle(cluster, "GET", "/api/v1/namespaces/default/pods", table, NULL, &len);
	print("list of 5,000 pods as a Table", since(start) / 20 / 1e6, "ms", "<= 60 ms");
	start = cpu();
	for (int i = 0; i < 2000; i++)
		handle(cluster, "GET", "/api/v1/namespaces/default/pods?limit=500", table, NULL, &len);
	print("first 500 of them", since(start) / 2000 / 1e6, "ms", "");
	start = cpu();
	for (int i = 0; i < 20000; i++)
		bad += handle(cluster, "GET", "/api/v1/namespaces/default/pods/one", "application/json", NULL,
		              &len) != 200;
	print("GET of one pod", since(start) / 20000 / 1e3, "us", "<= 100 us");
	if (bad)
		(void)printf("%d requests failed\n", bad);
}

static void inner(struct cluster *cluster)
{
	static const struct api_actor actor = {.user = "system:kube-controller-manager",
	                                       .manager = "kube-controller-manager",
	                                       .component = "bench"};
	const struct schema_kind *pods = schema_stored(cluster_schema(cluster), "", "Pod");
	struct kt_json *spec = kt_jsonf(
	        "{containers: [{name: 'web', image: 'nginx:1.27', resources: {requests: {cpu: '10m', "
	        "memory: '16Mi'}}}]}");
	const int count = 20000;
	kt_ns start = cpu();
	const struct store_object **made = kt_alloc((size_t)count * sizeof(*made));
	struct api_actor kubelet = actor;

	for (int i = 0; i < count; i++)
		made[i] = store_ref(api_create(cluster, &actor, pods,
		                               kt_jsonf("{metadata: {generateName: 'web-', namespace: "
		                                        "'default', labels: {app: 'web', "
		                                        "'pod-template-hash': 'abc'}, ownerReferences: "
		                                        "[{apiVersion: 'apps/v1', kind: 'ReplicaSet', "
		                                        "name: 'web', uid: 'u-1', controller: true, "
		                                        "blockOwnerDeletion: true}]}, spec: %J}",
		                                        spec),
		                               NULL));
	print("create of a pod by a controller", since(start) / count / 1e3, "us", "<= 15 us");
	kubelet.manager = "kubelet";
	start = cpu();
	for (int i = 0; i < count; i++) {
		struct kt_json *json = kt_json_ref(made[i]->json);

		kt_set_path(&json, "status.phase", kt_json_str("Running"));
		kt_set_path(&json, "status.podIP", kt_json_str("10.244.1.2"));
		(void)api_update_status(cluster, &kubelet, pods, json, NULL);
	}
	print("update of a pod's status by its kubelet", since(start) / count / 1e3, "us", "<= 15 us");
	start = cpu();
	for (int i = 0; i < count; i++)
		(void)api_bind(cluster, &actor, made[i], "worker-1", NULL);
	print("binding of a pod", since(start) / count / 1e3, "us", "<= 15 us");
	for (int i = 0; i < count; i++)
		store_unref(made[i]);
	kt_free(made);
	kt_json_free(spec);
}

int main(int argc, char **argv)
{
	struct cluster_options options = {
	        .name = "bench", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 2};
	struct cluster *cluster = NULL;
	struct rusage usage;
	kt_ns start = cpu();

	if (cluster_new(&options, &cluster, NULL))
		return 1;
	print("a new cluster", since(start) / 1e6, "ms", "");
	cluster_advance(cluster, options.now + 10 * KT_SEC);
	if (argc < 2 || strcmp(argv[1], "inner") != 0)
		http(cluster);
	inner(cluster);
	if (!getrusage(RUSAGE_SELF, &usage))
		print("memory with 25,000 pods", (double)usage.ru_maxrss / 1024, "MiB", "");
	cluster_free(cluster);
	return 0;
}

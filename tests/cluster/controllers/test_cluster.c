/* SPDX-License-Identifier: MIT */
#include "tests/cluster/controllers/controllers_test.h"
#include "cluster/kubelet/kubelet.h"

static const char web[] =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
        "  replicas: 3\n  selector: {matchLabels: {app: web}}\n  template:\n"
        "    metadata: {labels: {app: web}}\n"
        "    spec:\n      containers: [{name: web, image: 'nginx:1.26'}]\n"
        "      tolerations:\n"
        "      - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, "
        "tolerationSeconds: 300}\n"
        "      - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, "
        "tolerationSeconds: 300}\n";

static size_t count(struct world *world, const char *kind)
{
	return store_count(cluster_store(world->cluster), kind_named(world, kind), "default");
}

static void every_namespace_has_an_account_and_a_root_certificate(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	run(&world, KT_SEC);
	assert_non_null(get(&world, "ServiceAccount", "default"));
	assert_string_equal(
	        kt_get_str(kt_get(get(&world, "ConfigMap", "kube-root-ca.crt")->json, "data"), "ca.crt"),
	        "PEM");
	del(&world, "ServiceAccount", "default", NULL);
	run(&world, KT_SEC);
	assert_non_null(get(&world, "ServiceAccount", "default"));
	world_end(&world);
}

/* kind's pkg/cluster/internal/create/actions/kubeadminit */
static void a_machine_that_is_all_there_is_takes_pods(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 0);
	create(&world, web);
	run(&world, 30 * KT_SEC);
	assert_int_equal(get_int(&world, "Deployment", "web", "status.readyReplicas"), 3);
	world_end(&world);
}

static void a_schema_tells_whether_its_level_is_there(void **state)
{
	static const char path[] = "status.conditions.0.status";
	struct world world;
	(void)state;
	world_begin(&world, 1);
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "FlowSchema", "catch-all", path), "False");
	create(&world, "apiVersion: flowcontrol.apiserver.k8s.io/v1\nkind: FlowSchema\nmetadata: {name: f}\n"
	               "spec: {priorityLevelConfiguration: {name: mine}, rules: []}\n");
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "FlowSchema", "f", path), "True");
	create(&world,
	       "apiVersion: flowcontrol.apiserver.k8s.io/v1\nkind: PriorityLevelConfiguration\n"
	       "metadata: {name: mine}\nspec: {type: Limited, limited: {limitResponse: {type: Reject}}}\n");
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "FlowSchema", "f", path), "False");
	world_end(&world);
}

static void a_custom_version_is_served_as_long_as_its_definition(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	create(&world,
	       "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
	       "metadata: {name: cats.example.com}\nspec: {group: example.com, scope: Cluster, names: "
	       "{plural: cats, kind: Cat}, versions: [{name: v1, served: true, storage: true, schema: "
	       "{openAPIV3Schema: {type: object}}}, {name: v2, served: false, storage: false, schema: "
	       "{openAPIV3Schema: {type: object}}}]}\n");
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "APIService", "v1.apps", "status.conditions.0.reason"), "Local");
	assert_string_equal(get_str(&world, "APIService", "v1.example.com", "spec.group"), "example.com");
	assert_string_equal(get_str(&world, "APIService", "v1.example.com", "status.conditions.0.status"),
	                    "True");
	assert_null(get(&world, "APIService", "v2.example.com"));
	del(&world, "CustomResourceDefinition", "cats.example.com", NULL);
	run(&world, KT_SEC);
	assert_null(get(&world, "APIService", "v1.example.com"));
	world_end(&world);
}

struct answer {
	int status;
	char *text;
};

static struct answer ask_as(struct world *world, const char *token)
{
	char *bearer = kt_strf("Bearer %s", token);
	struct cluster_header header = {"Authorization", bearer};
	struct cluster_request request = {.method = "POST",
	                                  .target = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
	                                  .headers = &header,
	                                  .header_count = 1,
	                                  .body = "{}",
	                                  .body_len = 2};
	struct cluster_response response = {0};
	cluster_handle(world->cluster, &request, &response);
	struct answer answer = {.status = response.status, .text = kt_buf_take(&response.body)};
	cluster_response_clear(&response);
	kt_free(bearer);
	return answer;
}

static void a_token_secret_is_filled_and_lives_as_long_as_its_account(void **state)
{
	struct world world;
	struct kt_buf token = {0};
	(void)state;
	world_begin(&world, 1);
	create(&world, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: robot}\n");
	create(&world, "apiVersion: v1\nkind: Secret\nmetadata: {name: t, annotations: "
	               "{kubernetes.io/service-account.name: robot}}\ntype: "
	               "kubernetes.io/service-account-token\n");
	create(&world, "apiVersion: v1\nkind: Secret\nmetadata: {name: lost, annotations: "
	               "{kubernetes.io/service-account.name: nobody}}\ntype: "
	               "kubernetes.io/service-account-token\n");
	run(&world, KT_SEC);
	assert_null(get(&world, "Secret", "lost"));
	const struct kt_json *data = kt_get(get(&world, "Secret", "t")->json, "data");
	assert_string_equal(kt_get_str(data, "ca.crt"), "UEVN");
	assert_string_equal(kt_get_str(data, "namespace"), "ZGVmYXVsdA==");
	const char *text = kt_get_str(data, "token");
	assert_true(kt_unbase64(text, strlen(text), &token));
	struct answer answer = ask_as(&world, kt_buf_str(&token));
	assert_int_equal(answer.status, 201);
	assert_non_null(strstr(answer.text, "system:serviceaccount:default:robot"));
	kt_free(answer.text);
	del(&world, "ServiceAccount", "robot", NULL);
	run(&world, KT_SEC);
	assert_null(get(&world, "Secret", "t"));
	answer = ask_as(&world, kt_buf_str(&token));
	assert_int_equal(answer.status, 401);
	kt_free(answer.text);
	kt_buf_clear(&token);
	world_end(&world);
}

static enum kt_code sign(void *arg, const struct cluster_certificate *wanted, char **out, struct kt_err *err)
{
	if (*(int *)arg)
		return kt_fail(err, KT_EDENIED, "not for you");
	*out = kt_strf("signed %s for %lld s", wanted->request, (long long)wanted->seconds);
	return KT_OK;
}

static void csr(struct world *world, const char *name, const char *usages, const char *more)
{
	char *text = kt_strf("apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: "
	                     "{name: %s}\nspec: {request: cGVt, signerName: "
	                     "kubernetes.io/kube-apiserver-client, usages: [%s]%s}\n",
	                     name, usages, more);
	create(world, text);
	kt_free(text);
	const struct store_object *made = get(world, "CertificateSigningRequest", name);
	struct kt_json *json = kt_json_ref(made->json);
	kt_set_path(&json, "status.conditions", kt_jsonf("[{type: 'Approved', status: 'True'}]"));
	assert_non_null(api_update_status(world->cluster, &tester, made->kind, json, NULL));
}

static void an_approved_request_is_signed_by_the_rules_of_its_signer(void **state)
{
	struct world world = {0};
	int refuse = 0;
	const struct cluster_signer signer = {.arg = &refuse, .sign = sign};
	struct cluster_options options = {.name = "test", .now = 1767225600 * KT_SEC, .signer = &signer};
	static const char path[] = "status.certificate", why[] = "status.conditions.1.message";
	(void)state;
	assert_int_equal(cluster_new(&options, &world.cluster, NULL), KT_OK);
	csr(&world, "amy", "client auth", "");
	csr(&world, "short", "client auth, digital signature", ", expirationSeconds: 3600");
	csr(&world, "server", "server auth", "");
	csr(&world, "none", "digital signature", "");
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "CertificateSigningRequest", "amy", path),
	                    "c2lnbmVkIHBlbSBmb3IgMzE1MzYwMDAgcw==");
	assert_null(get_str(&world, "CertificateSigningRequest", "server", path));
	assert_string_equal(get_str(&world, "CertificateSigningRequest", "server", why),
	                    "invalid usage for client certificate: server auth");
	assert_string_equal(get_str(&world, "CertificateSigningRequest", "none", why),
	                    "missing required usage for client certificate: client auth");
	/* the real server keeps no managedFields of this kind */
	assert_null(kt_path(get(&world, "CertificateSigningRequest", "amy")->json, "metadata.managedFields"));
	refuse = 1;
	csr(&world, "bob", "client auth", "");
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "CertificateSigningRequest", "bob", why), "not for you");
	world_end(&world);
}

static void a_stateful_pods_name_stays_free_for_a_moment(void **state)
{
	struct world world;
	struct api_delete_options now = {.grace = 0};
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: "
	               "db, replicas: 2, "
	               "podManagementPolicy: Parallel, selector: {matchLabels: {a: b}}, template: {metadata: "
	               "{labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}\n");
	run(&world, 3 * KT_SEC);
	assert_non_null(get(&world, "Pod", "db-1"));
	assert_true(
	        api_delete(world.cluster, &tester, kind_named(&world, "Pod"), "default", "db-1", &now, NULL));
	/* whatever else makes the controller look */
	set(&world, "StatefulSet", "db", "metadata.labels", kt_jsonf("{x: 'y'}"));
	run(&world, 300 * KT_MS);
	assert_null(get(&world, "Pod", "db-1"));
	run(&world, KT_SEC);
	assert_non_null(get(&world, "Pod", "db-1"));
	world_end(&world);
}

static void deletion_takes_dependents_along(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 3 * KT_SEC);
	del(&world, "Deployment", "web", "Background");
	run(&world, 3 * KT_SEC);
	assert_int_equal(count(&world, "ReplicaSet") + count(&world, "Pod") + count(&world, "Deployment"), 0);
	create(&world, web);
	run(&world, 3 * KT_SEC);
	del(&world, "Deployment", "web", "Foreground");
	assert_int_equal(count(&world, "Deployment"), 1);
	run(&world, 3 * KT_SEC);
	assert_int_equal(count(&world, "ReplicaSet") + count(&world, "Pod") + count(&world, "Deployment"), 0);
	create(&world, web);
	run(&world, 3 * KT_SEC);
	del(&world, "Deployment", "web", "Orphan");
	run(&world, 3 * KT_SEC);
	assert_int_equal(count(&world, "Deployment"), 0);
	assert_int_equal(count(&world, "ReplicaSet"), 1);
	assert_int_equal(count(&world, "Pod"), 3);
	world_end(&world);
}

static void a_namespace_goes_with_all_that_is_in_it(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n");
	create(&world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: two, finalizers: "
	               "[example.com/hold]}\n");
	run(&world, KT_SEC);
	del(&world, "Namespace", "two", NULL);
	run(&world, 3 * KT_SEC);
	assert_string_equal(get_str(&world, "Namespace", "two", "status.phase"), "Terminating");
	assert_null(kt_path(get(&world, "Namespace", "two")->json, "status.conditions"));
	run(&world, 3 * KT_SEC); /* the controller waits for 5 s */
	assert_string_equal(get_str(&world, "Namespace", "two", "status.conditions.3.message"),
	                    "Some resources are remaining: configmaps. has 1 resource instances");
	assert_string_equal(
	        get_str(&world, "Namespace", "two", "status.conditions.4.message"),
	        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource "
	        "instances");
	const struct store_object *map =
	        store_get(cluster_store(world.cluster), kind_named(&world, "ConfigMap"), "two", "c");
	struct kt_json *json = kt_json_ref(map->json);
	kt_unset_path(&json, "metadata.finalizers");
	api_update(world.cluster, &tester, map->kind, json, NULL);
	run(&world, 9 * KT_SEC);
	assert_null(get(&world, "Namespace", "two"));
	world_end(&world);
}

/* While pods end, the rest stays, and nothing is told of either (OrderedNamespaceDeletion). */
static void pods_go_before_what_they_need(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n");
	create(&world, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: two}\n");
	run(&world, KT_SEC);
	create(&world, "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: two}\n"
	               "spec: {terminationGracePeriodSeconds: 12, containers: [{name: c, image: busybox, "
	               "command: [sleep, "
	               "'900']}]}\n");
	run(&world, 5 * KT_SEC);
	del(&world, "Namespace", "two", NULL);
	run(&world, 6 * KT_SEC);
	assert_string_equal(get_str(&world, "Namespace", "two", "status.conditions.3.reason"),
	                    "ContentRemoved");
	assert_non_null(store_get(cluster_store(world.cluster), kind_named(&world, "ConfigMap"), "two", "c"));
	run(&world, 24 * KT_SEC);
	assert_null(get(&world, "Namespace", "two"));
	world_end(&world);
}

static const struct store_object *first_slice(struct world *world)
{
	const struct store_object *slice;
	STORE_EACH (slice, cluster_store(world->cluster), kind_named(world, "EndpointSlice"), "default") {
		if (kt_streq(controller_label(slice->json, "kubernetes.io/service-name"), "web"))
			return slice;
	}
	return NULL;
}

static void endpoints_follow_pods(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world,
	       "apiVersion: v1\nkind: Service\nmetadata: {name: web, labels: {app: web}}\n"
	       "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080, protocol: TCP}]}\n");
	run(&world, KT_SEC);
	assert_non_null(get(&world, "Endpoints", "web"));
	assert_int_equal(kt_count(kt_get(first_slice(&world)->json, "endpoints")), 0);
	create(&world, web);
	run(&world, 3 * KT_SEC);
	const struct kt_json *slice = first_slice(&world)->json;
	assert_int_equal(kt_count(kt_get(slice, "endpoints")), 3);
	assert_true(kt_path_bool(slice, "endpoints.0.conditions.ready", false));
	assert_int_equal(kt_path_int(slice, "ports.0.port", 0), 8080);
	assert_int_equal(kt_count(kt_path(get(&world, "Endpoints", "web")->json, "subsets.0.addresses")), 3);
	set(&world, "Deployment", "web", "spec.replicas", kt_json_int(0));
	run(&world, 3 * KT_SEC);
	assert_int_equal(kt_count(kt_get(first_slice(&world)->json, "endpoints")), 0);
	assert_null(kt_get(get(&world, "Endpoints", "web")->json, "subsets"));
	del(&world, "Service", "web", NULL);
	run(&world, KT_SEC);
	assert_null(first_slice(&world));
	assert_null(get(&world, "Endpoints", "web"));
	world_end(&world);
}

static void slices_hold_a_hundred(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world,
	       "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
	       "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080, protocol: TCP}]}\n");
	create(&world, web);
	set(&world, "Deployment", "web", "spec.replicas", kt_json_int(250));
	run(&world, 240 * KT_SEC);
	const struct store_object *slice;
	size_t slices = 0, endpoints = 0;
	STORE_EACH (slice, cluster_store(world.cluster), kind_named(&world, "EndpointSlice"), "default") {
		size_t here = kt_count(kt_get(slice->json, "endpoints"));
		assert_true(here <= 100);
		if (!kt_streq(controller_label(slice->json, "kubernetes.io/service-name"), "web"))
			continue;
		slices++;
		endpoints += here;
	}
	assert_int_equal(endpoints, 250);
	assert_in_range(slices, 3, 5); /* no more are changed than must be */
	world_end(&world);
}

static void a_budget_counts_what_may_go(void **state)
{
	static const struct {
		const char *spec;
		int64_t healthy, desired, allowed, expected;
	} rows[] = {
	        {"minAvailable: 2", 3, 2, 1, 3},     {"minAvailable: 3", 3, 3, 0, 3},
	        {"minAvailable: 50%", 3, 2, 1, 3},   {"maxUnavailable: 1", 3, 2, 1, 3},
	        {"maxUnavailable: 30%", 3, 2, 1, 3}, {"maxUnavailable: 0", 3, 3, 0, 3},
	        {"minAvailable: 100%", 3, 3, 0, 3},
	};
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 3 * KT_SEC);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char text[512];
		snprintf(text, sizeof(text),
		         "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\n"
		         "spec: {%s, selector: {matchLabels: {app: web}}}\n",
		         rows[i].spec);
		create(&world, text);
		run(&world, KT_SEC);
		assert_int_equal(get_int(&world, "PodDisruptionBudget", "b", "status.currentHealthy"),
		                 rows[i].healthy);
		assert_int_equal(get_int(&world, "PodDisruptionBudget", "b", "status.desiredHealthy"),
		                 rows[i].desired);
		assert_int_equal(get_int(&world, "PodDisruptionBudget", "b", "status.disruptionsAllowed"),
		                 rows[i].allowed);
		assert_int_equal(get_int(&world, "PodDisruptionBudget", "b", "status.expectedPods"),
		                 rows[i].expected);
		del(&world, "PodDisruptionBudget", "b", NULL);
	}
	world_end(&world);
}

static void a_budget_without_pods_says_so(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 1);
	create(&world, "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\n"
	               "spec: {minAvailable: 1, selector: {matchLabels: {app: nothing}}}\n");
	run(&world, KT_SEC);
	char *events = events_of(&world, "b");
	assert_string_equal(events, "NoPods No matching pods found\n");
	assert_string_equal(get_str(&world, "PodDisruptionBudget", "b", "status.conditions.0.reason"),
	                    "InsufficientPods");
	kt_free(events);
	world_end(&world);
}

/* A machine that stops: 50 s of grace, then Unknown; the taint five seconds later; pods go after their 300 s.
 */
static void a_silent_node_loses_its_pods_in_time(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 60 * KT_SEC);
	struct store_list pods = {0};
	store_list(cluster_store(world.cluster), kind_named(&world, "Pod"), "default", &pods);
	char *pod = kt_strdup(pods.items[0]->name), *node = kt_strdup(view_pod(pods.items[0])->node);
	store_list_clear(&pods);
	kubelet_node_set(world.cluster, node, false);
	/* the last heartbeat may be 10 s old, and it is looked at every 5 s */
	run(&world, 38 * KT_SEC);
	assert_string_equal(view_node(get(&world, "Node", node))->ready_status, "True");
	run(&world, 24 * KT_SEC);
	assert_string_equal(view_node(get(&world, "Node", node))->ready_status, "Unknown");
	assert_false(view_pod(get(&world, "Pod", pod))->ready);
	run(&world, 6 * KT_SEC);
	assert_int_equal(kt_count(view_node(get(&world, "Node", node))->taints), 2);
	assert_null(kt_path_str(get(&world, "Pod", pod)->json, "metadata.deletionTimestamp"));
	run(&world, 284 * KT_SEC);
	assert_null(kt_path_str(get(&world, "Pod", pod)->json, "metadata.deletionTimestamp"));
	run(&world, 25 * KT_SEC);
	/* nobody is there to end it: it stays Terminating, and another runs elsewhere */
	assert_non_null(get_str(&world, "Pod", pod, "metadata.deletionTimestamp"));
	run(&world, 20 * KT_SEC);
	assert_int_equal(pods_where(&world, true), 3);
	kubelet_node_set(world.cluster, node, true);
	run(&world, 60 * KT_SEC);
	assert_null(get(&world, "Pod", pod));
	assert_string_equal(view_node(get(&world, "Node", node))->ready_status, "True");
	assert_int_equal(kt_count(view_node(get(&world, "Node", node))->taints), 0);
	kt_free(pod);
	kt_free(node);
	world_end(&world);
}

/* What a person does when a machine is known to be off: its pods are forgotten, a StatefulSet may go on. */
static void a_node_out_of_service_gives_its_pods_up(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, web);
	run(&world, 60 * KT_SEC);
	struct store_list pods = {0};
	store_list(cluster_store(world.cluster), kind_named(&world, "Pod"), "default", &pods);
	char *pod = kt_strdup(pods.items[0]->name), *node = kt_strdup(view_pod(pods.items[0])->node);
	store_list_clear(&pods);
	set(&world, "Node", node, "spec.taints",
	    kt_jsonf("[{key: 'node.kubernetes.io/out-of-service', effect: 'NoSchedule'}]"));
	kubelet_node_set(world.cluster, node, false);
	run(&world, 380 * KT_SEC);
	assert_non_null(get_str(&world, "Pod", pod, "metadata.deletionTimestamp"));
	set(&world, "Node", node, "metadata.labels.looked-at", kt_json_str("yes"));
	run(&world, 25 * KT_SEC);
	assert_null(get(&world, "Pod", pod));
	kt_free(pod);
	kt_free(node);
	world_end(&world);
}

static void claims_find_volumes(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	static const char volume[] =
	        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: %s}\nspec: {storageClassName: x, "
	        "capacity: {storage: %s}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: "
	        "Retain, volumeMode: Filesystem, hostPath: {path: /tmp/x}}\n";
	static const char claim[] = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: "
	                            "%s}\nspec: {storageClassName: x, "
	                            "accessModes: [ReadWriteOnce], volumeMode: Filesystem, resources: "
	                            "{requests: {storage: %s}}}\n";
	char text[512];
	snprintf(text, sizeof(text), volume, "large", "5Gi");
	create(&world, text);
	snprintf(text, sizeof(text), volume, "small", "1Gi");
	create(&world, text);
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "PersistentVolume", "small", "status.phase"), "Available");
	snprintf(text, sizeof(text), claim, "two", "2Gi");
	create(&world, text);
	snprintf(text, sizeof(text), claim, "huge", "9Gi");
	create(&world, text);
	snprintf(text, sizeof(text), claim, "one", "100Mi");
	create(&world, text);
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "PersistentVolumeClaim", "two", "spec.volumeName"), "large");
	assert_string_equal(get_str(&world, "PersistentVolumeClaim", "one", "spec.volumeName"), "small");
	assert_string_equal(get_str(&world, "PersistentVolumeClaim", "huge", "status.phase"), "Pending");
	assert_string_equal(get_str(&world, "PersistentVolumeClaim", "two", "status.capacity.storage"),
	                    "5Gi");
	char *events = events_of(&world, "huge");
	assert_non_null(strstr(events, "ProvisioningFailed storageclass.storage.k8s.io \"x\" not found"));
	kt_free(events);
	del(&world, "PersistentVolumeClaim", "one", NULL);
	run(&world, KT_SEC);
	assert_null(get(&world, "PersistentVolumeClaim", "one"));
	assert_string_equal(get_str(&world, "PersistentVolume", "small", "status.phase"), "Released");
	set(&world, "PersistentVolume", "small", "spec.claimRef", NULL);
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "PersistentVolume", "small", "status.phase"), "Available");
	world_end(&world);
}

static void a_volume_is_made_for_the_first_consumer(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	run(&world, KT_SEC);
	create(&world, "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: "
	               "{storageClassName: standard, "
	               "accessModes: [ReadWriteOnce], volumeMode: Filesystem, resources: {requests: "
	               "{storage: 1Gi}}}\n");
	run(&world, KT_SEC);
	char *events = events_of(&world, "data");
	assert_non_null(strstr(
	        events, "WaitForFirstConsumer waiting for first consumer to be created before binding"));
	kt_free(events);
	const struct store_object *node = NULL;
	STORE_EACH (node, cluster_store(world.cluster), kind_named(&world, "Node"), NULL) {
	}
	struct store_list nodes = {0};
	store_list(cluster_store(world.cluster), kind_named(&world, "Node"), NULL, &nodes);
	set(&world, "PersistentVolumeClaim", "data", "metadata.annotations",
	    kt_jsonf("{'volume.kubernetes.io/selected-node': %s}", nodes.items[1]->name));
	store_list_clear(&nodes);
	run(&world, KT_SEC);
	assert_string_equal(get_str(&world, "PersistentVolumeClaim", "data", "status.phase"), "Bound");
	del(&world, "PersistentVolumeClaim", "data", NULL);
	run(&world, KT_SEC);
	assert_int_equal(
	        store_count(cluster_store(world.cluster), kind_named(&world, "PersistentVolume"), NULL), 0);
	world_end(&world);
}

static void a_quota_tells_what_is_used(void **state)
{
	struct world world;
	(void)state;
	world_begin(&world, 3);
	create(&world, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: '5', "
	               "configmaps: '4', "
	               "requests.storage: 2Gi, count/deployments.apps: '1'}}\n");
	create(&world, web);
	run(&world, 3 * KT_SEC);
	const struct kt_json *used = kt_path(get(&world, "ResourceQuota", "q")->json, "status.used");
	assert_string_equal(kt_get_str(used, "pods"), "3");
	assert_string_equal(kt_get_str(used, "configmaps"), "1");
	assert_string_equal(kt_get_str(used, "requests.storage"), "0");
	assert_string_equal(kt_get_str(used, "count/deployments.apps"), "1");
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_namespace_has_an_account_and_a_root_certificate),
	        cmocka_unit_test(a_machine_that_is_all_there_is_takes_pods),
	        cmocka_unit_test(a_token_secret_is_filled_and_lives_as_long_as_its_account),
	        cmocka_unit_test(an_approved_request_is_signed_by_the_rules_of_its_signer),
	        cmocka_unit_test(a_stateful_pods_name_stays_free_for_a_moment),
	        cmocka_unit_test(deletion_takes_dependents_along),
	        cmocka_unit_test(a_namespace_goes_with_all_that_is_in_it),
	        cmocka_unit_test(pods_go_before_what_they_need),
	        cmocka_unit_test(endpoints_follow_pods),
	        cmocka_unit_test(slices_hold_a_hundred),
	        cmocka_unit_test(a_budget_counts_what_may_go),
	        cmocka_unit_test(a_budget_without_pods_says_so),
	        cmocka_unit_test(a_silent_node_loses_its_pods_in_time),
	        cmocka_unit_test(a_node_out_of_service_gives_its_pods_up),
	        cmocka_unit_test(claims_find_volumes),
	        cmocka_unit_test(a_volume_is_made_for_the_first_consumer),
	        cmocka_unit_test(a_schema_tells_whether_its_level_is_there),
	        cmocka_unit_test(a_custom_version_is_served_as_long_as_its_definition),
	        cmocka_unit_test(a_quota_tells_what_is_used),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Ingresses, Gateways and Services of type LoadBalancer on a whole cluster: what they tell and what they do.
 */
#include "base/yaml.h"
#include "cluster/network/network.h"
#include "tests/cluster/support.h"

static void apply(struct cluster *cluster, const char *group, const char *kind, const char *yaml)
{
	struct kt_yaml *document = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("test", yaml, strlen(yaml), &document, &err))
		fail_msg("%s", err.text);
	support_create(cluster, group, kind, kt_json_ref(kt_yaml_doc(document, 0)));
	kt_yaml_free(document);
}

/* A Deployment of `count` pods that answer with their version, and its Service. */
static void version(struct cluster *cluster, const char *name, int count, struct kt_json *selector)
{
	char *text = kt_strf("-text=%s", name);
	support_create(cluster, "apps", "Deployment",
	               kt_jsonf("{metadata: {name: %s}, spec: {replicas: %d, selector: {matchLabels: {app: "
	                        "%s}}, template: "
	                        "{metadata: {labels: {app: %s}}, spec: {nodeSelector: %j, containers: "
	                        "[{name: 'c', image: "
	                        "'hashicorp/http-echo:1.0', args: [%s]}]}}}}",
	                        name, count, name, name, selector, text));
	support_create(
	        cluster, "", "Service",
	        kt_jsonf("{metadata: {name: %s}, spec: {selector: {app: %s}, ports: [{name: 'http', port: "
	                 "80, targetPort: 5678}]}}",
	                 name, name));
	kt_free(text);
}

static struct cluster *shop(void)
{
	struct kt_json *nodes = kt_json_array();
	kt_push(&nodes, support_node("a", "zone-a", "4", NULL));
	kt_push(&nodes, support_node("b", "zone-b", "4", NULL));
	struct cluster *cluster = support_cluster(nodes);
	version(cluster, "v1", 2, NULL);
	version(cluster, "v2", 1, NULL);
	support_wait(cluster, 5);
	return cluster;
}

/* The status of one request from outside; its body's first word in `out`. */
static int ask(struct cluster *cluster, const char *address, unsigned port, const char *host,
               const char *path, const char *region, char out[64], kt_ns *takes)
{
	struct network_peer from = {.address = "203.0.113.7", .region = region};
	struct network_path way;
	struct network_http_response response = {0};
	struct network_http_request request = {
	        .method = "GET", .path = path, .host = host, .client = from.address, .body = ""};
	network_connect(cluster, &from, address, port, "TCP", &way);
	if (way.outcome != NETWORK_OPEN)
		return -(int)way.outcome;
	assert_true(network_serve(cluster, &way, &request, &response));
	int status = response.status;
	if (out) {
		snprintf(out, 64, "%s", kt_buf_str(&response.body));
		out[strcspn(out, "\r\n")] = '\0';
	}
	if (takes)
		*takes = response.takes;
	network_http_response_clear(&response);
	return status;
}

static const char *ingress_address(struct cluster *cluster, const char *name)
{
	const struct store_object *ingress =
	        store_get(cluster_store(cluster), support_kind(cluster, "networking.k8s.io", "Ingress"),
	                  "default", name);
	return kt_path_str(ingress->json, "status.loadBalancer.ingress.0.ip");
}

static const char one_host[] = "metadata: {name: web}\n"
                               "spec:\n"
                               "  ingressClassName: nginx\n"
                               "  rules:\n"
                               "  - host: shop.example\n"
                               "    http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: v1, "
                               "port: {number: 80}}}}]}\n";

static void an_ingress_gets_an_address_and_answers_for_its_host(void **state)
{
	struct cluster *cluster = shop();
	char body[64];
	(void)state;
	apply(cluster, "networking.k8s.io", "Ingress", one_host);
	support_wait(cluster, 12);
	const char *address = ingress_address(cluster, "web");
	assert_non_null(address);
	assert_int_equal(ask(cluster, address, 80, "shop.example", "/", NULL, body, NULL), 200);
	assert_string_equal(body, "v1");
	assert_int_equal(ask(cluster, address, 443, "shop.example", "/", NULL, body, NULL), 200);
	assert_int_equal(ask(cluster, address, 80, "other.example", "/", NULL, body, NULL), 404);
	assert_int_equal(ask(cluster, address, 81, "shop.example", "/", NULL, NULL, NULL), -NETWORK_REFUSED);
	/* ExternalDNS tells its name */
	struct network_peer from = {.address = "203.0.113.7"};
	struct kt_strs addresses = {0};
	enum network_outcome outcome;
	assert_true(network_resolve(cluster, &from, NULL, "shop.example", &addresses, NULL, &outcome));
	assert_string_equal(addresses.items[0], address);
	kt_strs_clear(&addresses);
	cluster_free(cluster);
}

static void another_controllers_class_is_left_alone(void **state)
{
	struct cluster *cluster = shop();
	(void)state;
	apply(cluster, "networking.k8s.io", "IngressClass",
	      "metadata: {name: other}\nspec: {controller: example.com/other}\n");
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: web}\nspec: {ingressClassName: other, defaultBackend: {service: {name: v1, "
	      "port: "
	      "{number: 80}}}}\n");
	support_wait(cluster, 60);
	assert_null(ingress_address(cluster, "web"));
	assert_int_equal(ask(cluster, "172.18.255.1", 80, "any", "/", NULL, NULL, NULL), 404);
	cluster_free(cluster);
}

static void an_ingress_without_endpoints_says_503_and_one_to_dead_machines_502_or_504(void **state)
{
	struct cluster *cluster = shop();
	kt_ns takes = 0;
	(void)state;
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: web}\nspec: {rules: [{host: none, http: {paths: [{path: /, pathType: Prefix, "
	      "backend: {service: {name: missing, port: {number: 80}}}}]}}, {host: v2, http: {paths: [{path: "
	      "/, "
	      "pathType: Prefix, backend: {service: {name: v2, port: {name: http}}}}]}}]}\n");
	support_wait(cluster, 1);
	assert_int_equal(ask(cluster, "172.18.255.1", 80, "none", "/", NULL, NULL, NULL), 503);
	assert_int_equal(ask(cluster, "172.18.255.1", 80, "v2", "/", NULL, NULL, NULL), 200);
	kubelet_node_set(cluster, "a", false);
	kubelet_node_set(cluster, "b", false);
	support_wait(cluster, 1);
	assert_int_equal(ask(cluster, "172.18.255.1", 80, "v2", "/", NULL, NULL, &takes), 504);
	assert_int_equal(takes / KT_SEC, 5);
	cluster_free(cluster);
}

static void a_weight_splits_single_requests(void **state)
{
	struct cluster *cluster = shop();
	int canary = 0;
	(void)state;
	apply(cluster, "networking.k8s.io", "Ingress", one_host);
	apply(cluster, "networking.k8s.io", "Ingress",
	      "metadata: {name: canary, annotations: {nginx.ingress.kubernetes.io/canary: 'true', "
	      "nginx.ingress.kubernetes.io/canary-weight: '20'}}\n"
	      "spec: {ingressClassName: nginx, rules: [{host: shop.example, http: {paths: [{path: /, "
	      "pathType: "
	      "Prefix, backend: {service: {name: v2, port: {number: 80}}}}]}}]}\n");
	support_wait(cluster, 1);
	for (int i = 0; i < 1000; i++) {
		char body[64];
		assert_int_equal(ask(cluster, "172.18.255.1", 80, "shop.example", "/", NULL, body, NULL),
		                 200);
		canary += !strcmp(body, "v2");
	}
	assert_in_range(canary, 160, 240);
	cluster_free(cluster);
}

static void a_load_balancer_service_gets_an_address_and_gives_it_back(void **state)
{
	struct cluster *cluster = shop();
	char body[64];
	(void)state;
	apply(cluster, "", "Service",
	      "metadata: {name: front, annotations: {external-dns.alpha.kubernetes.io/hostname: "
	      "front.example}}\n"
	      "spec: {type: LoadBalancer, selector: {app: v1}, ports: [{port: 8080, targetPort: 5678}]}\n");
	support_wait(cluster, 2);
	const struct store_object *service = support_get(cluster, "Service", "front");
	assert_null(kt_path(service->json, "status.loadBalancer.ingress"));
	support_wait(cluster, 5);
	service = support_get(cluster, "Service", "front");
	const char *address = kt_path_str(service->json, "status.loadBalancer.ingress.0.ip");
	assert_non_null(address);
	assert_int_equal(support_events(cluster, "front", "EnsuredLoadBalancer", "Ensured load balancer"), 1);
	assert_int_equal(ask(cluster, address, 8080, "x", "/", NULL, body, NULL), 200);
	assert_string_equal(body, "v1");
	struct api_delete_options options = {.grace = -1};
	assert_true(api_delete(cluster, &support_actor, service->kind, "default", "front", &options, NULL));
	support_wait(cluster, 2);
	assert_null(support_get(cluster, "Service", "front"));
	cluster_free(cluster);
}

/* As on a kind cluster: who asks for an address waits for it, and classes are the learner's to install. */
static void a_plain_cluster_has_no_balancers(void **state)
{
	struct cluster_options options = {
	        .name = "plain", .seed = 1, .now = (kt_ns)1764000000 * KT_SEC, .workers = 2};
	struct cluster *cluster = NULL;
	(void)state;
	assert_int_equal(cluster_new(&options, &cluster, NULL), KT_OK);
	assert_null(store_get(cluster_store(cluster),
	                      support_kind(cluster, "networking.k8s.io", "IngressClass"), "", "nginx"));
	apply(cluster, "", "Service",
	      "metadata: {name: front}\nspec: {type: LoadBalancer, selector: {app: v1}, ports: [{port: "
	      "80}]}\n");
	support_wait(cluster, 60);
	assert_null(kt_path(support_get(cluster, "Service", "front")->json, "status.loadBalancer.ingress"));
	assert_int_equal(support_events(cluster, "front", "EnsuredLoadBalancer", NULL), 0);
	cluster_free(cluster);
}

/* --- Gateway API --- */
#define GATEWAY "gateway.networking.k8s.io"

static const struct store_object *gateway_object(struct cluster *cluster, const char *kind, const char *name)
{
	return store_get(cluster_store(cluster), support_kind(cluster, GATEWAY, kind),
	                 kt_streq(kind, "GatewayClass") ? "" : "default", name);
}

static const char *condition(const struct kt_json *list, const char *type, const char *key)
{
	ptrdiff_t at = kt_find(list, "type", type);
	return at < 0 ? "" : kt_str_or(kt_get(kt_at(list, (size_t)at), key), "");
}

static const char gateway[] =
        "metadata: {name: front}\n"
        "spec: {gatewayClassName: nginx, listeners: [{name: http, port: 80, protocol: HTTP, "
        "hostname: '*.example'}]}\n";
static const char http_route[] = "metadata: {name: shop}\n"
                                 "spec: {parentRefs: [{name: front}], hostnames: [shop.example], rules: "
                                 "[{backendRefs: [{name: v1, port: 80, "
                                 "weight: 3}, {name: v2, port: 80, weight: 1}]}]}\n";

static void a_gateway_tells_its_state_and_splits_by_weight(void **state)
{
	struct cluster *cluster = shop();
	int second = 0;
	(void)state;
	apply(cluster, GATEWAY, "Gateway", gateway);
	apply(cluster, GATEWAY, "HTTPRoute", http_route);
	support_wait(cluster, 3);
	const struct store_object *class = gateway_object(cluster, "GatewayClass", "nginx"),
	                          *front = gateway_object(cluster, "Gateway", "front"),
	                          *route = gateway_object(cluster, "HTTPRoute", "shop");
	assert_string_equal(condition(kt_path(class->json, "status.conditions"), "Accepted", "status"),
	                    "True");
	assert_string_equal(condition(kt_path(front->json, "status.conditions"), "Programmed", "status"),
	                    "True");
	assert_int_equal(kt_path_int(front->json, "status.listeners.0.attachedRoutes", -1), 1);
	const struct kt_json *told = kt_path(route->json, "status.parents.0.conditions");
	assert_string_equal(condition(told, "Accepted", "status"), "True");
	assert_string_equal(condition(told, "ResolvedRefs", "reason"), "ResolvedRefs");
	const char *address = kt_path_str(front->json, "status.addresses.0.value");
	assert_non_null(address);
	for (int i = 0; i < 1000; i++) {
		char body[64];
		assert_int_equal(ask(cluster, address, 80, "shop.example", "/", NULL, body, NULL), 200);
		second += !strcmp(body, "v2");
	}
	assert_in_range(second, 200, 300);
	assert_int_equal(ask(cluster, address, 80, "www.example", "/", NULL, NULL, NULL), 404);
	cluster_free(cluster);
}

static void a_route_that_cannot_be_served_says_why(void **state)
{
	static const struct {
		const char *name, *spec, *type, *reason;
	} rows[] = {
	        {"host", "{parentRefs: [{name: front}], hostnames: [shop.test]}", "Accepted",
	         "NoMatchingListenerHostname"},
	        {"section", "{parentRefs: [{name: front, sectionName: https}]}", "Accepted",
	         "NoMatchingParent"},
	        {"port", "{parentRefs: [{name: front, port: 81}]}", "Accepted", "NoMatchingParent"},
	        {"backend",
	         "{parentRefs: [{name: front}], rules: [{backendRefs: [{name: missing, port: 80}]}]}",
	         "ResolvedRefs", "BackendNotFound"},
	        {"foreign",
	         "{parentRefs: [{name: front}], rules: [{backendRefs: [{name: kube-dns, namespace: "
	         "kube-system, "
	         "port: 53}]}]}",
	         "ResolvedRefs", "RefNotPermitted"},
	};
	struct cluster *cluster = shop();
	(void)state;
	apply(cluster, GATEWAY, "Gateway", gateway);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char *yaml = kt_strf("metadata: {name: %s}\nspec: %s\n", rows[i].name, rows[i].spec);
		apply(cluster, GATEWAY, "HTTPRoute", yaml);
		kt_free(yaml);
	}
	support_wait(cluster, 3);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const struct store_object *route = gateway_object(cluster, "HTTPRoute", rows[i].name);
		const struct kt_json *told = kt_path(route->json, "status.parents.0.conditions");
		assert_string_equal(condition(told, rows[i].type, "status"), "False");
		assert_string_equal(condition(told, rows[i].type, "reason"), rows[i].reason);
	}
	cluster_free(cluster);
}

static void a_grant_lets_a_route_send_to_another_namespace_and_a_gateway_use_its_certificate(void **state)
{
	static const char grant[] =
	        "metadata: {name: %s, namespace: other}\n"
	        "spec: {from: [{group: gateway.networking.k8s.io, kind: %s, namespace: default}], "
	        "to: [{group: '', kind: %s%s}]}\n";
	static const struct {
		const char *name, *from, *to, *only; /* of the grant; the first two allow nothing here */
		const char *route, *listener;        /* reasons */
		int answer;
	} rows[] = {
	        {NULL, NULL, NULL, NULL, "RefNotPermitted", "RefNotPermitted", 500},
	        {"a", "HTTPRoute", "Service", ", name: another", "RefNotPermitted", "RefNotPermitted", 500},
	        {"b", "HTTPRoute", "Service", "", "ResolvedRefs", "RefNotPermitted", 200},
	        {"c", "Gateway", "Secret", ", name: pair", "ResolvedRefs", "ResolvedRefs", 200},
	};
	struct cluster *cluster = shop();
	(void)state;
	support_create(cluster, "", "Namespace", kt_jsonf("{metadata: {name: 'other'}}"));
	apply(cluster, "apps", "Deployment",
	      "metadata: {name: far, namespace: other}\nspec: {selector: {matchLabels: {app: far}}, "
	      "template: "
	      "{metadata: {labels: {app: far}}, spec: {containers: [{name: c, image: "
	      "'hashicorp/http-echo:1.0', args: ['-text=far']}]}}}\n");
	apply(cluster, "", "Service",
	      "metadata: {name: far, namespace: other}\nspec: {selector: {app: far}, ports: [{port: 80, "
	      "targetPort: 5678}]}\n");
	apply(cluster, "", "Secret", "metadata: {name: pair, namespace: other}\n");
	apply(cluster, GATEWAY, "Gateway",
	      "metadata: {name: front}\nspec: {gatewayClassName: nginx, listeners: [{name: http, port: 80, "
	      "protocol: HTTP}, {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: "
	      "pair, "
	      "namespace: other}]}}]}\n");
	apply(cluster, GATEWAY, "HTTPRoute",
	      "metadata: {name: shop}\nspec: {parentRefs: [{name: front}], rules: [{backendRefs: [{name: "
	      "far, "
	      "namespace: other, port: 80}]}]}\n");
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (rows[i].name) {
			char *yaml = kt_strf(grant, rows[i].name, rows[i].from, rows[i].to, rows[i].only);
			apply(cluster, GATEWAY, "ReferenceGrant", yaml);
			kt_free(yaml);
		}
		support_wait(cluster, 5);
		const struct store_object *front = gateway_object(cluster, "Gateway", "front"),
		                          *route = gateway_object(cluster, "HTTPRoute", "shop");
		assert_string_equal(condition(kt_path(route->json, "status.parents.0.conditions"),
		                              "ResolvedRefs", "reason"),
		                    rows[i].route);
		assert_string_equal(condition(kt_path(front->json, "status.listeners.1.conditions"),
		                              "ResolvedRefs", "reason"),
		                    rows[i].listener);
		assert_int_equal(ask(cluster, kt_path_str(front->json, "status.addresses.0.value"), 80,
		                     "shop.example", "/", NULL, NULL, NULL),
		                 rows[i].answer);
	}
	cluster_free(cluster);
}

/* Two regions, a global Gateway: each client at home while that lives. */
static struct kt_json *in_region(const char *name, const char *region)
{
	struct kt_json *node = support_node(name, "zone-a", "4", NULL);
	kt_set(kt_edit_path(&node, "metadata.labels"), "topology.kubernetes.io/region", kt_json_str(region));
	return node;
}

static void a_global_gateway_stays_in_the_region_and_leaves_it_when_it_fails(void **state)
{
	struct kt_json *nodes = kt_json_array();
	char body[64];
	(void)state;
	kt_push(&nodes, in_region("e1", "eu"));
	kt_push(&nodes, in_region("u1", "us"));
	struct cluster *cluster = support_cluster(nodes);
	version(cluster, "eu", 2, kt_jsonf("{'topology.kubernetes.io/region': 'eu'}"));
	version(cluster, "us", 2, kt_jsonf("{'topology.kubernetes.io/region': 'us'}"));
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "us" : "eu";
		const struct store_object *object = store_get(
		        cluster_store(cluster), support_kind(cluster, "apps", "Deployment"), "default", name);
		struct kt_json *json = kt_json_ref(object->json);
		kt_set_path(&json, "spec.template.metadata.labels.all", kt_json_str("yes"));
		assert_non_null(api_update(cluster, &support_actor, object->kind, json, NULL));
	}
	apply(cluster, "", "Service",
	      "metadata: {name: all}\nspec: {selector: {all: 'yes'}, ports: [{port: 80, targetPort: "
	      "5678}]}\n");
	apply(cluster, GATEWAY, "Gateway",
	      "metadata: {name: world}\nspec: {gatewayClassName: global, listeners: [{name: http, port: 80, "
	      "protocol: HTTP}]}\n");
	apply(cluster, GATEWAY, "HTTPRoute",
	      "metadata: {name: all}\nspec: {parentRefs: [{name: world}], rules: [{backendRefs: [{name: all, "
	      "port: "
	      "80}]}]}\n");
	support_wait(cluster, 20);
	char *address = kt_strdup(
	        kt_path_str(gateway_object(cluster, "Gateway", "world")->json, "status.addresses.0.value"));
	assert_non_null(address);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(cluster, address, 80, "x", "/", "eu", body, NULL), 200);
		assert_string_equal(body, "eu");
		assert_int_equal(ask(cluster, address, 80, "x", "/", "us", body, NULL), 200);
		assert_string_equal(body, "us");
	}
	kubelet_node_set(cluster, "e1", false);
	assert_int_equal(ask(cluster, address, 80, "x", "/", "eu", NULL, NULL), 504);
	support_wait(cluster, 11);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(ask(cluster, address, 80, "x", "/", "eu", body, NULL), 200);
		assert_string_equal(body, "us");
	}
	kubelet_node_set(cluster, "e1", true);
	support_wait(cluster, 60);
	assert_int_equal(ask(cluster, address, 80, "x", "/", "eu", body, NULL), 200);
	assert_string_equal(body, "eu");
	kt_free(address);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_ingress_gets_an_address_and_answers_for_its_host),
	        cmocka_unit_test(another_controllers_class_is_left_alone),
	        cmocka_unit_test(an_ingress_without_endpoints_says_503_and_one_to_dead_machines_502_or_504),
	        cmocka_unit_test(a_weight_splits_single_requests),
	        cmocka_unit_test(a_load_balancer_service_gets_an_address_and_gives_it_back),
	        cmocka_unit_test(a_plain_cluster_has_no_balancers),
	        cmocka_unit_test(a_gateway_tells_its_state_and_splits_by_weight),
	        cmocka_unit_test(a_route_that_cannot_be_served_says_why),
	        cmocka_unit_test(
	                a_grant_lets_a_route_send_to_another_namespace_and_a_gateway_use_its_certificate),
	        cmocka_unit_test(a_global_gateway_stays_in_the_region_and_leaves_it_when_it_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

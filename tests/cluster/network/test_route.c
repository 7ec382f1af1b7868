/* SPDX-License-Identifier: MIT */
/* Rules of Ingresses and HTTPRoutes as tables of cases: which backend gets which request. The expectations
 * are those of the Ingress and Gateway API documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "cluster/network/route.h"

struct example {
	const char *host, *path, *headers;
	/* "web 0.9 canary 0.1", "-> location", "404" */
	const char *want, *path_after;
};

static char *told(const struct route_answer *answer)
{
	struct kt_buf text = {0};
	if (answer->kind == ROUTE_REDIRECT)
		kt_buf_addf(&text, "-> %s", answer->location);
	else if (answer->kind != ROUTE_FORWARD)
		kt_buf_addf(&text, "%d", answer->status);
	for (size_t i = 0; i < answer->count; i++)
		kt_buf_addf(&text, "%s%s %.3g", i ? " " : "", answer->targets[i].service,
		            answer->targets[i].share);
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

static void hold(const struct route_table *table, const struct example *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct kt_json *headers = rows[i].headers ? kt_jsonf(rows[i].headers, NULL) : NULL;
		struct route_request request = {
		        .method = "GET", .host = rows[i].host, .path = rows[i].path, .headers = headers};
		struct route_answer answer;
		route_find(table, &request, &answer);
		char *got = told(&answer);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s%s %s: '%s' expected, got '%s'", rows[i].host, rows[i].path,
			         rows[i].headers ? rows[i].headers : "", rows[i].want, got);
		if (rows[i].path_after)
			assert_string_equal(answer.path ? answer.path : rows[i].path, rows[i].path_after);
		kt_free(got);
		route_answer_clear(&answer);
		kt_json_free(headers);
	}
}

/* One path of one host to one service. */
static void add(struct route_table *table, const char *name, struct kt_json *notes, const char *host,
                const char *type, const char *path, const char *service)
{
	struct kt_json *ingress = kt_jsonf(
	        "{metadata: {name: %s, namespace: 'shop', annotations: %j}, spec: {rules: [{host: %s, http: "
	        "{paths: [{path: %s, pathType: %s, backend: {service: {name: %s, port: {number: 80}}}}]}}]}}",
	        name, notes, host, path, type, service);
	route_add_ingress(table, ingress);
	kt_json_free(ingress);
}

/* The table "Examples" of kubernetes.io/docs/concepts/services-networking/ingress, one row a case. */
static void ingress_paths_match_as_documented(void **state)
{
	static const struct {
		const char *type, *path, *request;
		bool fits;
	} rows[] = {
	        {"Prefix", "/", "/any", true},
	        {"Exact", "/foo", "/foo", true},
	        {"Exact", "/foo", "/bar", false},
	        {"Exact", "/foo", "/foo/", false},
	        {"Exact", "/foo/", "/foo", false},
	        {"Prefix", "/foo", "/foo", true},
	        {"Prefix", "/foo", "/foo/", true},
	        {"Prefix", "/foo/", "/foo", true},
	        {"Prefix", "/foo/", "/foo/", true},
	        {"Prefix", "/aaa/bb", "/aaa/bbb", false},
	        {"Prefix", "/aaa/bbb", "/aaa/bbb", true},
	        {"Prefix", "/aaa/bbb/", "/aaa/bbb", true},
	        {"Prefix", "/aaa/bbb", "/aaa/bbb/", true},
	        {"Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true},
	        {"Prefix", "/aaa/bbb", "/aaa/bbbxyz", false},
	        {"Prefix", "/foo", "/foo?x=/bar", true},
	        {"ImplementationSpecific", "/foo", "/foobar", true},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct route_table table = {0};
		add(&table, "a", NULL, NULL, rows[i].type, rows[i].path, "web");
		route_sort(&table);
		struct example row = {"h", rows[i].request, NULL, rows[i].fits ? "web 1" : "404", NULL};
		hold(&table, &row, 1);
		route_clear(&table);
	}
}

static void the_longest_path_of_the_narrowest_host_wins(void **state)
{
	static const struct example rows[] = {
	        {"shop.example", "/", NULL, "root 1", NULL},
	        {"shop.example", "/api/v1", NULL, "api 1", NULL},
	        {"shop.example", "/api/exact", NULL, "exact 1", NULL},
	        {"shop.example:80", "/api/exact/more", NULL, "api 1", NULL},
	        {"SHOP.example", "/", NULL, "root 1", NULL},
	        {"www.shop.example", "/", NULL, "wild 1", NULL},
	        {"a.www.shop.example", "/", NULL, "fallback 1", NULL},
	        {"other.example", "/x", NULL, "fallback 1", NULL},
	};
	struct route_table table = {0};
	struct kt_json *fallback =
	        kt_jsonf("{metadata: {name: 'f', namespace: 'shop'}, spec: {defaultBackend: "
	                 "{service: {name: 'fallback', port: {name: 'http'}}}}}");
	(void)state;
	route_add_ingress(&table, fallback);
	add(&table, "w", NULL, "*.shop.example", "Prefix", "/", "wild");
	add(&table, "r", NULL, "shop.example", "Prefix", "/", "root");
	add(&table, "a", NULL, "shop.example", "Prefix", "/api", "api");
	add(&table, "e", NULL, "shop.example", "Exact", "/api/exact", "exact");
	route_sort(&table);
	hold(&table, rows, KT_COUNT(rows));
	route_clear(&table);
	kt_json_free(fallback);
}

/* ingress-nginx annotations: canary: header before cookie before weight. */
static void a_canary_takes_its_share(void **state)
{
	static const struct example rows[] = {
	        {"shop.example", "/", NULL, "web 0.9 new 0.1", NULL},
	        {"shop.example", "/", "{'x-canary': 'always'}", "new 1", NULL},
	        {"shop.example", "/", "{'X-Canary': 'never'}", "web 1", NULL},
	        {"shop.example", "/", "{'X-Canary': 'perhaps'}", "web 0.9 new 0.1", NULL},
	        {"shop.example", "/", "{Cookie: 'a=b; beta=always'}", "new 1", NULL},
	        {"shop.example", "/", "{Cookie: 'beta=never'}", "web 1", NULL},
	        {"shop.example", "/", "{Cookie: 'beta=always', 'X-Canary': 'never'}", "web 1", NULL},
	        {"shop.example", "/of-its-own", NULL, "404", NULL},
	};
	struct route_table table = {0};
	(void)state;
	add(&table, "web", NULL, "shop.example", "Exact", "/", "web");
	add(&table, "new",
	    kt_jsonf("{'nginx.ingress.kubernetes.io/canary': 'true', "
	             "'nginx.ingress.kubernetes.io/canary-weight': "
	             "'10', 'nginx.ingress.kubernetes.io/canary-by-header': 'X-Canary', "
	             "'nginx.ingress.kubernetes.io/canary-by-cookie': 'beta'}"),
	    "shop.example", "Exact", "/", "new");
	add(&table, "alone", kt_jsonf("{'nginx.ingress.kubernetes.io/canary': 'true'}"), "shop.example",
	    "Exact", "/of-its-own", "new");
	route_sort(&table);
	hold(&table, rows, KT_COUNT(rows));
	route_clear(&table);
}

static void a_canary_may_want_a_value_or_a_pattern_or_another_total(void **state)
{
	static const struct example rows[] = {
	        {"a", "/", NULL, "web 0.5 new 0.5", NULL},
	        {"a", "/", "{region: 'eu'}", "new 1", NULL},
	        {"a", "/", "{region: 'always'}", "web 0.5 new 0.5", NULL},
	        {"b", "/", "{region: 'eu-west'}", "new 1", NULL},
	        {"b", "/", "{region: 'us-west'}", "web 1", NULL},
	};
	struct route_table table = {0};
	(void)state;
	add(&table, "1", NULL, "a", "Prefix", "/", "web");
	add(&table, "2",
	    kt_jsonf("{'nginx.ingress.kubernetes.io/canary': 'true', "
	             "'nginx.ingress.kubernetes.io/canary-weight': "
	             "'5', 'nginx.ingress.kubernetes.io/canary-weight-total': '10', "
	             "'nginx.ingress.kubernetes.io/canary-by-header': 'region', "
	             "'nginx.ingress.kubernetes.io/canary-by-header-value': 'eu'}"),
	    "a", "Prefix", "/", "new");
	add(&table, "3", NULL, "b", "Prefix", "/", "web");
	add(&table, "4",
	    kt_jsonf("{'nginx.ingress.kubernetes.io/canary': 'true', "
	             "'nginx.ingress.kubernetes.io/canary-by-header': 'region', "
	             "'nginx.ingress.kubernetes.io/canary-by-header-pattern': '^eu-'}"),
	    "b", "Prefix", "/", "new");
	route_sort(&table);
	hold(&table, rows, KT_COUNT(rows));
	route_clear(&table);
}

static void nginx_annotations_rewrite_and_redirect(void **state)
{
	static const struct example rows[] = {
	        {"a", "/api/items?x=1", NULL, "api 1", "/items?x=1"},
	        {"a", "/api", NULL, "api 1", "/"},
	        {"a", "/apis", NULL, "404", NULL},
	        {"a", "/old/page", NULL, "old 1", "/"},
	        {"b", "/x", NULL, "-> https://b/x", NULL},
	        {"c", "/x", NULL, "tls 1", NULL},
	        {"d", "/x", NULL, "-> https://elsewhere.example", NULL},
	};
	struct route_table table = {0};
	struct kt_json *tls = kt_jsonf("{metadata: {name: 't', namespace: 'shop'}, spec: {tls: [{hosts: "
	                               "['b']}], rules: [{host: 'b', "
	                               "http: {paths: [{path: '/', pathType: 'Prefix', backend: {service: "
	                               "{name: 'tls', port: {number: "
	                               "80}}}}]}}]}}");
	(void)state;
	route_add_ingress(&table, tls);
	kt_set_path(&tls, "spec.tls.0.hosts.0", kt_json_str("c"));
	kt_set_path(&tls, "spec.rules.0.host", kt_json_str("c"));
	kt_set(kt_edit_path(&tls, "metadata.annotations"), "nginx.ingress.kubernetes.io/ssl-redirect",
	       kt_json_str("false"));
	route_add_ingress(&table, tls);
	add(&table, "1", kt_jsonf("{'nginx.ingress.kubernetes.io/rewrite-target': '/$2'}"), "a",
	    "ImplementationSpecific", "/api(/|$)(.*)", "api");
	add(&table, "2", kt_jsonf("{'nginx.ingress.kubernetes.io/rewrite-target': '/'}"), "a", "Prefix",
	    "/old", "old");
	add(&table, "3",
	    kt_jsonf("{'nginx.ingress.kubernetes.io/permanent-redirect': 'https://elsewhere.example'}"), "d",
	    "Prefix", "/", "d");
	route_sort(&table);
	hold(&table, rows, KT_COUNT(rows));
	route_clear(&table);
	kt_json_free(tls);
}

/* --- HTTPRoute --- */
static const char route[] =
        "{metadata: {name: 'r', namespace: 'shop'}, spec: {hostnames: ['shop.example'], rules: ["
        "{matches: [{path: {type: 'PathPrefix', value: '/'}}], backendRefs: [{name: 'v1', port: 80, weight: "
        "90}, "
        "{name: 'v2', port: 80, weight: 10}]},"
        "{matches: [{path: {type: 'PathPrefix', value: '/'}, headers: [{name: 'env', value: 'canary'}]}], "
        "backendRefs: [{name: 'v2', port: 80}]},"
        "{matches: [{path: {type: 'Exact', value: '/login'}}, {path: {type: 'PathPrefix', value: '/sign'}}], "
        "filters: [{type: 'URLRewrite', urlRewrite: {path: {type: 'ReplacePrefixMatch', replacePrefixMatch: "
        "'/auth'}}}], backendRefs: [{name: 'auth', port: 80}]},"
        "{matches: [{path: {type: 'PathPrefix', value: '/q'}, queryParams: [{name: 'version', value: "
        "'2'}]}], "
        "backendRefs: [{name: 'v2', port: 80}, {name: 'none', port: 80, weight: 0}]},"
        "{matches: [{path: {type: 'PathPrefix', value: '/gone'}}], filters: [{type: 'RequestRedirect', "
        "requestRedirect: {hostname: 'new.example', statusCode: 301, path: {type: 'ReplaceFullPath', "
        "replaceFullPath: '/here'}}}]},"
        "{matches: [{path: {type: 'PathPrefix', value: '/off'}}], backendRefs: [{name: 'v1', port: 80, "
        "weight: "
        "0}]}]}}";

static void http_routes_match_by_precedence(void **state)
{
	static const struct example rows[] = {
	        {"shop.example", "/", NULL, "v1 0.9 v2 0.1", NULL},
	        {"shop.example", "/", "{Env: 'canary'}", "v2 1", NULL},
	        {"shop.example", "/login", "{Env: 'canary'}", "auth 1", "/auth"},
	        {"shop.example", "/sign/up?a", NULL, "auth 1", "/auth/up?a"},
	        {"shop.example", "/q?a=1&version=2", NULL, "v2 1", NULL},
	        {"shop.example", "/q?version=3", NULL, "v1 0.9 v2 0.1", NULL},
	        {"shop.example", "/gone/x", NULL, "-> http://new.example/here", NULL},
	        {"shop.example", "/off", NULL, "500", NULL},
	        {"other.example", "/", NULL, "404", NULL},
	};
	struct route_table table = {0};
	struct kt_json *json = kt_jsonf(route, NULL);
	(void)state;
	route_add_http_route(&table, json, NULL, 80);
	route_sort(&table);
	hold(&table, rows, KT_COUNT(rows));
	route_clear(&table);
	kt_json_free(json);
}

static void hosts_of_listener_and_route_meet_in_the_narrower(void **state)
{
	static const struct {
		const char *listener, *route, *want;
	} rows[] = {
	        {NULL, "a.example", "a.example"},
	        {"a.example", NULL, "a.example"},
	        {"a.example", "a.example", "a.example"},
	        {"a.example", "b.example", NULL},
	        {"*.example", "a.example", "a.example"},
	        {"*.example", "a.b.example", "a.b.example"},
	        {"*.example", "example", NULL},
	        {"a.b.example", "*.example", "a.b.example"},
	        {"*.b.example", "*.example", "*.b.example"},
	        {"*.example", "*.b.example", "*.b.example"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const char *got = route_host_meet(rows[i].listener, rows[i].route);
		if (!kt_streq(got, rows[i].want))
			fail_msg("%zu: got %s", i, got ? got : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ingress_paths_match_as_documented),
	        cmocka_unit_test(the_longest_path_of_the_narrowest_host_wins),
	        cmocka_unit_test(a_canary_takes_its_share),
	        cmocka_unit_test(a_canary_may_want_a_value_or_a_pattern_or_another_total),
	        cmocka_unit_test(nginx_annotations_rewrite_and_redirect),
	        cmocka_unit_test(http_routes_match_by_precedence),
	        cmocka_unit_test(hosts_of_listener_and_route_meet_in_the_narrower),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

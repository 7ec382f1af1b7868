/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/api_test.h"

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", ""};
static const char *const targets[] = {
        "",
        "/",
        "//",
        "/api",
        "/api/",
        "/api/v1/",
        "/api/v1/pods",
        "/api/v1/pods/x",
        "/api/v1/namespaces",
        "/api/v1/namespaces/",
        "/api/v1/namespaces/default",
        "/api/v1/namespaces/default/",
        "/api/v1/namespaces/default/pods",
        "/api/v1/namespaces/default/pods/x/y/z/w",
        "/api/v1/namespaces/default/pods/x/log?follow=x&tailLines=-1",
        "/api/v1/namespaces/default/pods/x/exec",
        "/api/v1/namespaces/default/services/:::/proxy/",
        "/api/v1/watch/pods?timeoutSeconds=1",
        "/apis/apps/v1/deployments?limit=99999999999999999999",
        "/apis/apps/v1/namespaces/default/deployments/x/scale",
        "/apis/%zz",
        "/apis/apps/v1/namespaces/default/deployments?labelSelector=%00",
        "/api/v1/pods?continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi9hIn0",
        "/api/v1/pods?fieldSelector=%5C&labelSelector=(((((",
        "/openapi/v3/../../etc/passwd",
        "/openapi/v3/apis/apps/v1?hash=x",
        "/healthz/../x",
        "?x",
};
static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"kind\":1}",
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":[],\"spec\":\"x\"}",
        "{\"metadata\":{\"name\":7,\"namespace\":{}}}",
        "{\"metadata\":{\"name\":\"x\",\"ownerReferences\":[null,1]},\"spec\":{\"ports\":[null]}}",
        "[{\"op\":\"remove\",\"path\":\"/a\"}]",
        "k8s",
};
static const char *const types[] = {"application/json",
                                    "application/yaml",
                                    "application/vnd.kubernetes.protobuf",
                                    "application/json-patch+json",
                                    "application/apply-patch+yaml",
                                    "text/plain"};

static void every_malformed_request_gets_an_answer(void **state)
{
	struct cluster *cluster = test_cluster();
	uint64_t count = 0;

	(void)state;
	for (size_t m = 0; m < KT_COUNT(methods); m++) {
		for (size_t t = 0; t < KT_COUNT(targets); t++) {
			for (size_t b = 0; b < KT_COUNT(bodies); b++) {
				struct answer answer =
				        test_request(cluster, methods[m], targets[t],
				                     types[(b + t) % KT_COUNT(types)], NULL, bodies[b]);

				assert_in_range(answer.response.status, 101, 599);
				answer_clear(&answer);
				count++;
			}
		}
	}
	cluster_advance(cluster, cluster_now(cluster) + 60 * KT_SEC);
	assert_int_equal(test_code(cluster, "GET", "/readyz", NULL), 200);
	cluster_free(cluster);
	assert_true(count > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_malformed_request_gets_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

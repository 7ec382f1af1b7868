/* SPDX-License-Identifier: MIT */
/* Requests to a cluster without a socket, for the tests of this folder. */
#ifndef API_TEST_H
#define API_TEST_H

#include "cluster/cluster.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct answer {
	struct cluster_response response;
	struct kt_json *json; /* of the body; NULL if it is none */
};

/* Clear with answer_clear. */
__attribute__((unused)) static struct answer answer_to(struct cluster *cluster,
                                                       const struct cluster_request *request)
{
	struct answer answer = {0};

	cluster_handle(cluster, request, &answer.response);
	if (kt_json_parse(kt_buf_str(&answer.response.body), answer.response.body.len, NULL, &answer.json,
	                  NULL, NULL))
		answer.json = NULL;
	return answer;
}

__attribute__((unused)) static struct cluster *test_cluster(void)
{
	struct cluster_options options = {
	        .name = "test", .seed = 7, .now = 1767225600 * KT_SEC, .workers = 2};
	struct cluster *cluster = NULL;

	assert_int_equal(cluster_new(&options, &cluster, NULL), KT_OK);
	return cluster;
}

/* Clear with answer_clear. `type` NULL: application/json. `accept` NULL: the same. */
__attribute__((unused)) static struct answer test_request(struct cluster *cluster, const char *method,
                                                          const char *target, const char *type,
                                                          const char *accept, const char *body)
{
	struct cluster_header headers[] = {
	        {"Content-Type", type ? type : "application/json"},
	        {"User-Agent", "test/1.0"},
	        {"Accept", accept ? accept : "application/json"},
	};
	struct cluster_request request = {.method = method,
	                                  .target = target,
	                                  .headers = headers,
	                                  .header_count = 3,
	                                  .body = body,
	                                  .body_len = body ? strlen(body) : 0,
	                                  .loopback_admin = true};
	return answer_to(cluster, &request);
}

__attribute__((unused)) static void answer_clear(struct answer *answer)
{
	cluster_response_clear(&answer->response);
	kt_json_freep(&answer->json);
}

__attribute__((unused)) static int test_code(struct cluster *cluster, const char *method, const char *target,
                                             const char *body)
{
	struct answer answer = test_request(cluster, method, target, NULL, NULL, body);
	int code = answer.response.status;

	answer_clear(&answer);
	return code;
}

__attribute__((unused)) static char *test_get(struct cluster *cluster, const char *target, const char *path)
{
	struct answer answer = test_request(cluster, "GET", target, NULL, NULL, NULL);
	const struct kt_json *value = kt_path(answer.json, path);
	char *text = kt_str(value) ? kt_strdup(kt_str(value)) : kt_json_text(value);

	answer_clear(&answer);
	return text;
}

#endif

/* SPDX-License-Identifier: MIT */
/* Whole requests, straight into cluster_handle: "METHOD TARGET", a line with the content type, the body;
 * several are separated by a line "%%". Each gets an answer; one that is refused, or only reads, changes
 * nothing in the store; a refusal in JSON is a Status with its code. Afterwards the cluster has, now and
 * then, a second to work on what came. */
#include "tests/fuzz/fuzz.h"

#include "cluster/cluster_internal.h"

#include <stdio.h>
#include <string.h>

#define MOST 4 /* requests of one input */

static struct cluster *begin(const struct cluster_snapshot **snapshot)
{
	static struct cluster *cluster;
	static struct cluster_snapshot *clean;
	if (!cluster) {
		const struct cluster_options options = {
		        .name = "fuzz", .seed = 1, .now = 1767225600 * KT_SEC, .workers = 1};
		if (cluster_new(&options, &cluster, NULL))
			kt_bug("no cluster");
		cluster_advance(cluster, options.now + 20 * KT_SEC);
		clean = cluster_snapshot(cluster);
	}
	*snapshot = clean;
	return cluster;
}

static void check_answer(const struct cluster_request *request, const struct cluster_response *response)
{
	struct kt_json *json = NULL;
	if (response->status < 100 || response->status > 599)
		kt_bug("%s %s: status %d", request->method, request->target, response->status);
	if (response->stream || !response->body.len || !kt_starts(response->content_type, "application/json"))
		return;
	if (kt_json_parse(kt_buf_str(&response->body), response->body.len, NULL, &json, NULL, NULL))
		kt_bug("%s %s: an answer that is no JSON", request->method, request->target);
	if (response->status >= 400 && kt_streq(kt_get_str(json, "kind"), "Status") &&
	    kt_get_int(json, "code", 0) != response->status)
		kt_bug("%s %s: a Status of another code", request->method, request->target);
	kt_json_free(json);
}

static void ask(struct cluster *cluster, char *text, size_t len)
{
	char *line = memchr(text, '\n', len), *space = memchr(text, ' ', len), *type, *body;
	if (!line || !space || space > line)
		return;
	*line = *space = 0;
	type = line + 1;
	body = memchr(type, '\n', len - (size_t)(type - text));
	if (!body)
		return;
	*body++ = 0;
	struct cluster_header headers[] = {{"Content-Type", type}, {"Accept", "application/json"}};
	struct cluster_request request = {.method = text,
	                                  .target = space + 1,
	                                  .headers = headers,
	                                  .header_count = 2,
	                                  .body = body,
	                                  .body_len = len - (size_t)(body - text),
	                                  .loopback_admin = true};
	struct cluster_response response = {0};
	uint64_t version = store_version(cluster_store(cluster));
	cluster_handle(cluster, &request, &response);
	check_answer(&request, &response);
	if (store_version(cluster_store(cluster)) != version &&
	    (response.status >= 400 || strcmp(request.method, "GET") == 0))
		kt_bug("%s %s: answered %d, but something was changed", request.method, request.target,
		       response.status);
	cluster_response_clear(&response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cluster_snapshot *clean;
	struct cluster *cluster = begin(&clean);
	char *text = kt_strndup((const char *)data, size), *at = text;
	size_t left = strlen(text) == size ? size : 0;
	uint64_t version = store_version(cluster_store(cluster));
	for (int i = 0; i < MOST && left; i++) {
		char *next = strstr(at, "\n%%\n");
		size_t len = next ? (size_t)(next - at) : left;
		if (next)
			*next = 0;
		ask(cluster, at, len);
		at += next ? len + 4 : len;
		left -= next ? len + 4 : len;
	}
	if (store_version(cluster_store(cluster)) != version) {
		if (size % 8 == 0) /* it costs a hundred times what the requests do */
			cluster_advance(cluster, cluster_now(cluster) + KT_SEC);
		cluster_restore(cluster, clean);
	}
	kt_free(text);
	return 0;
}

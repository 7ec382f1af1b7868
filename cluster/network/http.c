/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <string.h>
#include <strings.h>

void network_http_response_clear(struct network_http_response *response)
{
	kt_json_free(response->headers);
	kt_buf_clear(&response->body);
	*response = (struct network_http_response){0};
}

char *network_status_line(const struct network_http_response *response)
{
	return kt_strf("HTTP/1.%d %d %s", response->http_1_0 ? 0 : 1, response->status,
	               response->reason ? response->reason : kt_http_reason(response->status));
}

const char *network_header(const struct kt_json *headers, const char *name)
{
	for (size_t i = 0; i < kt_count(headers); i++)
		if (!strcasecmp(kt_key(headers, i), name))
			return kt_str_or(kt_at(headers, i), "");
	return NULL;
}

void network_header_set(struct kt_json **headers, const char *name, const char *value)
{
	for (size_t i = 0; i < kt_count(*headers); i++) {
		if (strcasecmp(kt_key(*headers, i), name) != 0)
			continue;
		char *key = kt_strdup(kt_key(*headers, i));
		kt_set(headers, key, kt_json_str(value));
		kt_free(key);
		return;
	}
	if (value)
		kt_set(headers, name, kt_json_str(value));
}

static void page(struct network_http_response *response, int status, const char *type, const char *text)
{
	response->status = status;
	kt_set(&response->headers, "Content-Type", kt_json_str(type));
	kt_buf_adds(&response->body, text);
}

enum { MOST_BYTES = 16 << 20 };

/* The API server, asked by a pod: as whoever its token says, else anonymous. */
static void ask_api(struct cluster *cluster, const struct network_http_request *request,
                    struct network_http_response *response)
{
	struct cluster_header headers[32];
	struct cluster_request asked = {.method = request->method,
	                                .target = request->path,
	                                .headers = headers,
	                                .body = request->body,
	                                .body_len = request->body_len};
	struct cluster_response answer = {0};
	unsigned channel = 0;
	struct kt_json *json = NULL;
	struct kt_err err = {0};

	for (size_t i = 0; i < kt_count(request->headers) && asked.header_count < KT_COUNT(headers); i++)
		headers[asked.header_count++] = (struct cluster_header){
		        kt_key(request->headers, i), kt_str_or(kt_at(request->headers, i), "")};
	cluster_handle(cluster, &asked, &answer);
	while (answer.stream && answer.status == 200 && answer.body.len < MOST_BYTES &&
	       cluster_stream_read(answer.stream, &channel, &answer.body) == CLUSTER_STREAM_DATA)
		;
	response->status = answer.status;
	if (answer.content_type[0])
		kt_set(&response->headers, "Content-Type", kt_json_str(answer.content_type));
	/* people's programs get it indented */
	if (!kt_starts(kt_str_or(kt_get(request->headers, "User-Agent"), ""), "kubectl") &&
	    kt_starts(answer.content_type, "application/json") &&
	    kt_json_parse(kt_buf_str(&answer.body), answer.body.len, NULL, &json, NULL, &err) == KT_OK)
		kt_json_print_pretty(json, 2, &response->body);
	else
		kt_buf_add(&response->body, kt_buf_str(&answer.body), answer.body.len);
	kt_json_free(json);
	cluster_response_clear(&answer); /* what would go on (a watch) ends here */
	response->takes += 3 * KT_MS;
}

bool network_serve(struct cluster *cluster, const struct network_path *path,
                   const struct network_http_request *request, struct network_http_response *response)
{
	const struct network_listener *listener = network_path_listener(cluster, path);
	if (path->balancer) {
		balancer_serve(cluster, path, request, response);
		return true;
	}
	if (!path->listener) {
		bool inside = kt_starts(path->address, "10.") || kt_starts(path->address, "172.") ||
		              kt_starts(path->address, "192.168.");
		if (inside && request->https) {
			ask_api(cluster, request, response);
			return true;
		}
		if (inside)
			page(response, 400, "text/plain",
			     "Client sent an HTTP request to an HTTPS server.\n");
		else
			page(response, 200, "text/html",
			     "<!doctype html><title>Example Domain</title><h1>Example Domain</h1>\n");
		response->takes += 30 * KT_MS;
		return true;
	}
	if (!listener || !listener->serve)
		return false;
	traffic_admit(cluster, listener, response);
	if (response->status)
		return true;
	struct network_http_request arrived = *request;
	arrived.port = listener->port;
	listener->serve(listener->arg, &arrived, response);
	return response->status != 0; /* it may close without a word */
}

/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <string.h>

void network_http_response_clear(struct network_http_response *response)
{
	kt_json_free(response->headers);
	kt_buf_clear(&response->body);
	*response = (struct network_http_response){0};
}

static void page(struct network_http_response *response, int status, const char *type, const char *text)
{
	response->status = status;
	kt_set(&response->headers, "Content-Type", kt_json_str(type));
	kt_buf_adds(&response->body, text);
}

bool network_serve(struct cluster *cluster, const struct network_path *path,
                   const struct network_http_request *request, struct network_http_response *response)
{
	const struct network_listener *listener = path->listener;
	if (path->balancer) {
		balancer_serve(cluster, path, request, response);
		return true;
	}
	if (!listener) {
		bool inside = kt_starts(path->address, "10.") || kt_starts(path->address, "172.") ||
		              kt_starts(path->address, "192.168.");
		if (inside)
			page(response, 403, "application/json",
			     "{\n  \"kind\": \"Status\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {},\n  "
			     "\"status\": \"Failure\",\n  "
			     "\"message\": \"forbidden: User \\\"system:anonymous\\\" cannot get path "
			     "\\\"/\\\"\",\n  \"reason\": "
			     "\"Forbidden\",\n  \"details\": {},\n  \"code\": 403\n}");
		else
			page(response, 200, "text/html",
			     "<!doctype html><title>Example Domain</title><h1>Example Domain</h1>\n");
		response->takes += 30 * KT_MS;
		return true;
	}
	if (!listener->serve)
		return false;
	traffic_admit(cluster, listener, response);
	if (response->status)
		return true;
	listener->serve(listener->arg, request, response);
	return true;
}

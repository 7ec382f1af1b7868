/* SPDX-License-Identifier: MIT */
/* One request through a balancer: its rule, a target by its share, an endpoint; what goes wrong becomes 502,
 * 503 or 504, as nginx has it. */
#include "cluster/network/balancer_internal.h"

#include <string.h>
#include <strings.h>

static const kt_ns CONNECT = 5 * KT_SEC; /* proxy_connect_timeout of ingress-nginx */
enum { TRIES = 3 };                      /* proxy_next_upstream_tries */

static void page(struct network_http_response *response, int status)
{
	static const struct {
		int status;
		const char *text;
	} words[] = {{301, "Moved Permanently"},
	             {302, "Moved Temporarily"},
	             {308, "Permanent Redirect"},
	             {404, "Not Found"},
	             {500, "Internal Server Error"},
	             {502, "Bad Gateway"},
	             {503, "Service Temporarily Unavailable"},
	             {504, "Gateway Time-out"}};
	const char *text = "";
	for (size_t i = 0; i < KT_COUNT(words); i++)
		text = words[i].status == status ? words[i].text : text;
	kt_ns takes = response->takes;
	network_http_response_clear(response);
	response->takes = takes;
	response->status = status;
	kt_set(&response->headers, "Content-Type", kt_json_str("text/html"));
	kt_buf_addf(&response->body,
	            "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d "
	            "%s</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
	            status, text, status, text);
}

/* --- headers --- */
/* Behind what it has, after a comma. */
static void header_add(struct kt_json **headers, const char *name, const char *value)
{
	const char *before = network_header(*headers, name);
	if (!value)
		return;
	char *both = before ? kt_strf("%s,%s", before, value) : kt_strdup(value);
	network_header_set(headers, name, both);
	kt_free(both);
}

static void modify(struct kt_json **headers, const struct kt_json *filters, const char *which)
{
	const struct kt_json *filter, *item;
	KT_JSON_EACH (filter, filters) {
		const struct kt_json *change = kt_get(filter, which);
		KT_JSON_EACH (item, kt_get(change, "set"))
			network_header_set(headers, kt_str_or(kt_get(item, "name"), ""),
			                   kt_get_str(item, "value"));
		KT_JSON_EACH (item, kt_get(change, "add"))
			header_add(headers, kt_str_or(kt_get(item, "name"), ""), kt_get_str(item, "value"));
		KT_JSON_EACH (item, kt_get(change, "remove"))
			network_header_set(headers, kt_str_or(item, ""), NULL);
	}
}

static struct kt_json *onward_headers(const struct network_http_request *request,
                                      const struct route_answer *answer, const struct route_target *target,
                                      bool https)
{
	struct kt_json *headers = kt_json_ref(request->headers);
	const char *client = request->client ? request->client : "203.0.113.1";
	network_header_set(&headers, "X-Real-IP", client);
	network_header_set(&headers, "X-Forwarded-For", client);
	network_header_set(&headers, "X-Forwarded-Host", request->host);
	network_header_set(&headers, "X-Forwarded-Proto", https ? "https" : "http");
	modify(&headers, answer->filters, "requestHeaderModifier");
	modify(&headers, target->filters, "requestHeaderModifier");
	return headers;
}

/* --- upstream --- */
static int upstream(struct cluster *cluster, const struct balancer *balancer, const struct endpoints *all,
                    size_t n, const struct route_answer *answer, const struct network_http_request *request,
                    struct network_http_response *response)
{
	struct network_peer from = {.address = balancer->address};
	kt_ns patience = answer->connect ? answer->connect : CONNECT;
	int failed = 502;
	size_t at = kt_random_below(&network_of(cluster)->random, (uint32_t)n);
	for (size_t i = 0; i < KT_MIN(n, (size_t)TRIES); i++) {
		const struct endpoint *e = &all->items[(at + i) % n];
		struct network_path path;
		network_connect(cluster, &from, e->address, e->port, "TCP", &path);
		if (path.outcome == NETWORK_OPEN) {
			kt_ns before = response->takes;
			response->takes = 0;
			bool spoke = network_serve(cluster, &path, request, response);
			if (answer->request && response->takes > answer->request) {
				response->takes = before + answer->request;
				return 504;
			}
			response->takes += before + path.latency;
			return spoke ? 0 : 502;
		}
		failed = path.outcome == NETWORK_TIMEOUT ? 504 : 502;
		response->takes += path.outcome == NETWORK_TIMEOUT ? patience : path.latency;
	}
	return failed;
}

static const struct route_target *draw(struct cluster *cluster, const struct route_answer *answer)
{
	double at = kt_random_unit(&network_of(cluster)->random);
	for (size_t i = 0; i + 1 < answer->count; i++) {
		if (at < answer->targets[i].share)
			return &answer->targets[i];
		at -= answer->targets[i].share;
	}
	return &answer->targets[answer->count - 1];
}

static void forward(struct cluster *cluster, const struct balancer *balancer,
                    const struct route_answer *answer, const struct route_target *target, bool https,
                    const char *region, const struct network_http_request *request,
                    struct network_http_response *response)
{
	struct endpoints all = {0};
	int status = 0;
	bool permitted = balancer_permits_backend(cluster, balancer, answer->ns, target);
	size_t n = permitted ? balancer_endpoints(cluster, balancer, target, region, &all, &status) : 0;
	if (!permitted)
		status = 500;
	if (n) {
		struct kt_json *headers = onward_headers(request, answer, target, https);
		struct network_http_request onward = *request;
		onward.path = answer->path ? answer->path : request->path;
		onward.host = answer->host ? answer->host : request->host;
		onward.headers = headers;
		onward.client = balancer->address;
		status = upstream(cluster, balancer, &all, n, answer, &onward, response);
		kt_json_free(headers);
	}
	if (status) {
		page(response, status);
	} else {
		modify(&response->headers, answer->filters, "responseHeaderModifier");
		modify(&response->headers, target->filters, "responseHeaderModifier");
	}
	kt_free(all.items);
}

/* requestMirror: a copy whose answer nobody waits for. */
static void mirror(struct cluster *cluster, const struct balancer *balancer,
                   const struct route_answer *answer, const char *region,
                   const struct network_http_request *request)
{
	const struct kt_json *filter;
	KT_JSON_EACH (filter, answer->filters) {
		const struct kt_json *to = kt_path(filter, "requestMirror.backendRef");
		double share = kt_real_or(kt_path(filter, "requestMirror.percent"), 100) / 100;
		if (!to || kt_random_unit(&network_of(cluster)->random) >= share)
			continue;
		struct route_target target = {.ns = kt_str_or(kt_get(to, "namespace"), answer->ns),
		                              .service = kt_get_str(to, "name"),
		                              .port = kt_get(to, "port")};
		struct network_http_response unheard = {0};
		forward(cluster, balancer, answer, &target, false, region, request, &unheard);
		network_http_response_clear(&unheard);
	}
}

void balancer_serve(struct cluster *cluster, const struct network_path *path,
                    const struct network_http_request *request, struct network_http_response *response)
{
	const struct balancer *balancer = balancer_at(cluster, path->address);
	struct route_answer answer;
	struct route_request ask = {.method = request->method,
	                            .path = request->path,
	                            .host = request->host,
	                            .headers = request->headers,
	                            .port = path->port};
	if (!balancer) { /* gone since the connection was made */
		page(response, 503);
		return;
	}
	for (size_t i = 0; i < balancer->door_count; i++)
		ask.https = ask.https || (balancer->doors[i].port == path->port && balancer->doors[i].https);
	route_find(&balancer->routes, &ask, &answer);
	if (answer.kind == ROUTE_FORWARD) {
		mirror(cluster, balancer, &answer, path->region, request);
		forward(cluster, balancer, &answer, draw(cluster, &answer), ask.https, path->region, request,
		        response);
	} else {
		page(response, answer.status);
		if (answer.kind == ROUTE_REDIRECT)
			kt_set(&response->headers, "Location", kt_json_str(answer.location));
	}
	route_answer_clear(&answer);
}

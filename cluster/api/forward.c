/* SPDX-License-Identifier: MIT */
/* pods/portforward, and the proxy subresources: connections into the cluster's network. */
#include "cluster/api/internal.h"
#include "cluster/kubelet/kubelet.h"
#include "cluster/network/network.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_HEAD  ((size_t)64 << 10)
#define MAX_PIECE ((size_t)8 << 20)

/* --- HTTP/1.1 as a server of the network speaks it --- */
struct head {
	char *method, *path, *host;
	struct kt_json *headers;
	size_t length, body;
	bool close;
};

static void head_clear(struct head *head)
{
	kt_free(head->method);
	kt_free(head->path);
	kt_free(head->host);
	kt_json_free(head->headers);
	*head = (struct head){0};
}

static void read_header(struct head *head, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	char *name, *value;

	if (!colon)
		return;
	name = kt_strndup(line, (size_t)(colon - line));
	colon++;
	while (colon < line + len && *colon == ' ')
		colon++;
	value = kt_strndup(colon, (size_t)(line + len - colon));
	if (strcasecmp(name, "content-length") == 0)
		head->body = (size_t)strtoull(value, NULL, 10);
	if (strcasecmp(name, "connection") == 0 && strcasecmp(value, "close") == 0)
		head->close = true;
	if (strcasecmp(name, "host") == 0) {
		kt_free(head->host);
		head->host = kt_strdup(value);
	}
	kt_set(&head->headers, name, kt_json_str(value));
	kt_free(name);
	kt_free(value);
}

/* False: more is needed. */
static bool read_head(const struct kt_buf *in, struct head *head)
{
	const char *end = in->len ? strstr(in->data, "\r\n\r\n") : NULL, *line = in->data, *space, *second,
	           *next;

	if (!end)
		return false;
	*head = (struct head){.length = (size_t)(end - in->data) + 4};
	next = strstr(line, "\r\n");
	space = memchr(line, ' ', (size_t)(next - line));
	second = space ? memchr(space + 1, ' ', (size_t)(next - space - 1)) : NULL;
	head->method = kt_strndup(line, space ? (size_t)(space - line) : 0);
	head->path = second ? kt_strndup(space + 1, (size_t)(second - space - 1)) : kt_strdup("/");
	head->close = second && kt_starts(second + 1, "HTTP/1.0");
	while (next < end) {
		line = next + 2;
		next = strstr(line, "\r\n");
		read_header(head, line, (size_t)(next - line));
	}
	return true;
}

static void print_response(const struct network_http_response *response, bool close, struct kt_buf *out)
{
	const struct kt_json *value;
	char *line = network_status_line(response);

	kt_buf_addf(out, "%s\r\n", line);
	kt_free(line);
	KT_JSON_EACH (value, response->headers) {
		const char *name = kt_key(response->headers, value_i);

		if (strcasecmp(name, "content-length") != 0 && strcasecmp(name, "connection") != 0)
			kt_buf_addf(out, "%s: %s\r\n", name, kt_str_or(value, ""));
	}
	kt_buf_addf(out, "Content-Length: %zu\r\nConnection: %s\r\n\r\n", response->body.len,
	            close ? "close" : "keep-alive");
	kt_buf_add(out, response->body.data, response->body.len);
}

/* --- port-forward --- */
struct connection {
	unsigned port;
	struct kt_buf in, out, error;
	bool closed;
};
struct forward {
	struct cluster_stream stream;
	struct cluster *cluster;
	char *ns, *pod;
	struct connection *items;
	size_t count, cap;
};

static bool connect_pod(struct forward *forward, unsigned port, struct network_path *path)
{
	const struct store_object *object = store_get(
	        cluster_store(forward->cluster), schema_stored(cluster_schema(forward->cluster), "", "Pod"),
	        forward->ns, forward->pod);
	const struct view_pod *pod = object ? view_pod(object) : NULL;
	struct network_peer peer = {0};

	*path = (struct network_path){.outcome = NETWORK_UNREACHABLE};
	if (!pod || !pod->ip)
		return false;
	peer.node = pod->node;
	peer.address = pod->ip; /* within the pod */
	network_connect(forward->cluster, &peer, "127.0.0.1", port, "TCP", path);
	return path->outcome == NETWORK_OPEN;
}

static void answer_http(struct forward *forward, struct connection *connection,
                        const struct network_path *path)
{
	struct head head;

	while (read_head(&connection->in, &head)) {
		struct network_http_response response = {0};
		struct network_http_request request = {.method = head.method,
		                                       .path = head.path,
		                                       .host = head.host ? head.host : "localhost",
		                                       .headers = head.headers,
		                                       .client = "127.0.0.1"};
		bool whole = connection->in.len >= head.length + head.body;

		if (!whole || head.body > MAX_PIECE) {
			head_clear(&head);
			return;
		}
		request.body = connection->in.data + head.length;
		request.body_len = head.body;
		if (network_serve(forward->cluster, path, &request, &response))
			print_response(&response, head.close, &connection->out);
		network_http_response_clear(&response);
		kt_buf_drop(&connection->in, head.length + head.body);
		connection->closed = connection->closed || head.close;
		head_clear(&head);
	}
}

static void refuse(struct forward *forward, struct connection *connection)
{
	kt_buf_addf(&connection->error,
	            "error forwarding port %u to pod %s, uid : failed to connect to localhost:%u inside "
	            "namespace \"%s\", "
	            "IPv4: dial tcp4 127.0.0.1:%u: connect: connection refused IPv6 dial tcp6 [::1]:%u: "
	            "connect: connection "
	            "refused ",
	            connection->port, forward->pod, connection->port, forward->ns, connection->port,
	            connection->port);
	connection->closed = true;
}

static void forward_write(struct cluster_stream *stream, unsigned channel, const void *data, size_t len)
{
	struct forward *forward = (struct forward *)stream;
	struct connection *connection = channel / 2 < forward->count ? &forward->items[channel / 2] : NULL;
	struct network_path path;
	const struct network_listener *listener = NULL;

	if (!connection || channel % 2 || connection->closed)
		return;
	bool open = connect_pod(forward, connection->port, &path);
	if (open)
		listener = network_path_listener(forward->cluster, &path);
	if (!open) {
		refuse(forward, connection);
	} else if (listener && listener->bytes && !listener->http) {
		listener->bytes(listener->arg, data, len, &connection->out);
	} else if (connection->in.len + len < MAX_PIECE + MAX_HEAD) {
		kt_buf_add(&connection->in, data, len);
		answer_http(forward, connection, &path);
	}
	api_stream_wake(stream);
}

static void forward_eof(struct cluster_stream *stream, unsigned channel)
{
	struct forward *forward = (struct forward *)stream;

	if (channel / 2 < forward->count && channel % 2 == 0)
		forward->items[channel / 2].closed = true;
}

static unsigned forward_open(struct cluster_stream *stream, unsigned port)
{
	struct forward *forward = (struct forward *)stream;
	struct network_path path;

	forward->items = kt_grow(forward->items, &forward->cap, forward->count + 1, sizeof(*forward->items));
	forward->items[forward->count] = (struct connection){.port = port};
	if (!connect_pod(forward, port, &path))
		refuse(forward, &forward->items[forward->count]);
	api_stream_wake(stream);
	return (unsigned)forward->count++;
}

static enum cluster_stream_state forward_read(struct cluster_stream *stream, unsigned *channel,
                                              struct kt_buf *out)
{
	struct forward *forward = (struct forward *)stream;

	for (size_t i = 0; i < forward->count; i++) {
		struct kt_buf *pieces[] = {&forward->items[i].out, &forward->items[i].error};

		for (unsigned k = 0; k < 2; k++) {
			if (!pieces[k]->len)
				continue;
			*channel = (unsigned)(2 * i) + k;
			kt_buf_add(out, pieces[k]->data, pieces[k]->len);
			kt_buf_clear(pieces[k]);
			return CLUSTER_STREAM_DATA;
		}
	}
	*channel = 0;
	return CLUSTER_STREAM_WAIT;
}

static void forward_free(struct cluster_stream *stream)
{
	struct forward *forward = (struct forward *)stream;

	for (size_t i = 0; i < forward->count; i++) {
		kt_buf_clear(&forward->items[i].in);
		kt_buf_clear(&forward->items[i].out);
		kt_buf_clear(&forward->items[i].error);
	}
	kt_free(forward->items);
	kt_free(forward->ns);
	kt_free(forward->pod);
	kt_free(forward);
}

static const struct api_stream_ops forward_ops = {
        .kind = CLUSTER_STREAM_PORTFORWARD,
        .read = forward_read,
        .write = forward_write,
        .eof = forward_eof,
        .open = forward_open,
        .free = forward_free,
};

void api_portforward_request(struct api_request *request)
{
	const struct store_object *pod = store_get(cluster_store(request->cluster), request->kind->storage,
	                                           request->ns, request->name);
	const char *connection = api_header(request->http, "Connection");
	char *address = NULL, *silence;
	struct forward *forward;

	if (!pod) {
		api_fail_not_found(&request->status, request->kind, request->name);
		return;
	}
	if (!view_pod(pod)->node) {
		api_fail(&request->status, 400, "BadRequest", "pod %s does not have a host assigned",
		         pod->name);
		return;
	}
	if (!request->http->loopback_admin && (!connection || !strcasestr(connection, "upgrade"))) {
		api_fail(&request->status, 400, "BadRequest", "Upgrade request required");
		return;
	}
	silence = kubelet_no_answer(request->cluster, view_pod(pod)->node, &address);
	if (silence) {
		api_fail(&request->status, 500, "", "%s%s", address ? "error dialing backend: " : "",
		         silence);
		kt_free(address);
		kt_free(silence);
		return;
	}
	forward = kt_alloc(sizeof(*forward));
	forward->stream.ops = &forward_ops;
	forward->cluster = request->cluster;
	forward->ns = kt_strdup(request->ns);
	forward->pod = kt_strdup(request->name);
	request->response->status = 101;
	request->response->stream = &forward->stream;
}

/* --- proxy: "name", "name:port", "scheme:name:port" (apimachinery pkg/util/net/port_split.go) --- */
static bool target_fits(struct api_request *request)
{
	const char *text = request->name, *first = strchr(text, ':'), *last = strrchr(text, ':');

	if (!first || first == last)
		return true;
	if (!memchr(first + 1, ':', (size_t)(last - first - 1)) &&
	    (kt_starts(text, "http:") || kt_starts(text, "https:") || first == text))
		return true;
	return api_fail(&request->status, 400, "BadRequest", "invalid %s request \"%s\"",
	                request->kind->singular, text);
}

static void split_target(const char *text, char **name, char **port)
{
	const char *first = strchr(text, ':'), *last = strrchr(text, ':');

	*port = NULL;
	if (first && first != last)
		text = first + 1;
	else if (first)
		last = first;
	*name = last && last >= text ? kt_strndup(text, (size_t)(last - text)) : kt_strdup(text);
	if (last && last >= text)
		*port = kt_strdup(last + 1);
}

static unsigned service_port(const struct kt_json *service, const char *wanted)
{
	const struct kt_json *port, *ports = kt_path(service, "spec.ports");

	if (!wanted || !*wanted)
		return kt_count(ports) == 1 ? (unsigned)kt_get_int(kt_at(ports, 0), "port", 0) : 0;
	KT_JSON_EACH (port, ports) {
		char *number = kt_strf("%" PRId64, kt_get_int(port, "port", 0));
		bool same = kt_streq(number, wanted) || kt_streq(kt_get_str(port, "name"), wanted);

		kt_free(number);
		if (same)
			return (unsigned)kt_get_int(port, "port", 0);
	}
	return 0;
}

static unsigned pod_port(const struct kt_json *pod, const char *wanted)
{
	if (wanted && *wanted)
		return (unsigned)strtoul(wanted, NULL, 10);
	return (unsigned)kt_path_int(pod, "spec.containers.0.ports.0.containerPort", 80);
}

static const char *tail_of(struct api_request *request)
{
	const char *at = strstr(request->http->target, "/proxy");

	at = at ? at + strlen("/proxy") : "";
	return *at == '/' ? at : "/";
}

static void respond_proxy(struct api_request *request, const struct network_http_response *response)
{
	const char *type = kt_str_or(kt_get(response->headers, "Content-Type"), "text/plain");

	if (response->status == 404) {
		api_respond_text(request, 404, type, "");
		kt_buf_add(&request->response->body, response->body.data, response->body.len);
		return;
	}
	api_respond_text(request, response->status, type, "");
	kt_buf_add(&request->response->body, response->body.data, response->body.len);
}

static bool no_endpoints(struct api_request *request, const struct network_path *path, const char *address,
                         unsigned port)
{
	const char *how = path->outcome == NETWORK_REFUSED ? "connect: connection refused" : "i/o timeout";

	return api_fail(&request->status, 503, "ServiceUnavailable",
	                "error trying to reach service: dial tcp %s:%u: %s", address, port, how);
}

/* What a kubelet serves itself. */
static void respond_kubelet(struct api_request *request)
{
	if (kt_streq(tail_of(request), "/healthz"))
		api_respond_text(request, 200, "text/plain; charset=utf-8", "ok");
	else
		api_respond_text(request, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

void api_proxy_request(struct api_request *request)
{
	bool service = kt_streq(request->kind->kind, "Service");
	struct network_peer peer = {.node = NULL};
	struct network_path path;
	struct network_http_response response = {0};
	char *name, *port_text;
	const struct store_object *object;
	const char *address;
	unsigned port;

	if (!target_fits(request))
		return;
	split_target(request->name, &name, &port_text);
	object = store_get(cluster_store(request->cluster), request->kind->storage, request->ns, name);
	if (!object) {
		api_fail_not_found(&request->status, request->kind, name);
		goto out;
	}
	if (kt_streq(request->kind->kind, "Node")) {
		respond_kubelet(request);
		goto out;
	}
	port = service ? service_port(object->json, port_text) : pod_port(object->json, port_text);
	address = kt_path_str(object->json, service ? "spec.clusterIP" : "status.podIP");
	if (!port || !address || !*address) {
		api_fail(&request->status, 503, "ServiceUnavailable",
		         "no endpoints available for service \"%s\"", request->name);
		goto out;
	}
	if (!service)
		peer.node = kt_path_str(object->json, "spec.nodeName");
	network_connect(request->cluster, &peer, address, port, "TCP", &path);
	if (path.outcome != NETWORK_OPEN && service) {
		api_fail(&request->status, 503, "ServiceUnavailable",
		         "no endpoints available for service \"%s\"", request->name);
	} else if (path.outcome != NETWORK_OPEN) {
		no_endpoints(request, &path, address, port);
	} else {
		struct network_http_request ask = {.method = request->http->method,
		                                   .path = tail_of(request),
		                                   .host = address,
		                                   .body = request->http->body,
		                                   .body_len = request->http->body_len,
		                                   .client = "172.18.0.2"};

		if (network_serve(request->cluster, &path, &ask, &response))
			respond_proxy(request, &response);
		else
			no_endpoints(request, &path, address, port);
		network_http_response_clear(&response);
	}
out:
	kt_free(name);
	kt_free(port_text);
}

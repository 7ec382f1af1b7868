/* SPDX-License-Identifier: MIT */
/* proxy_pass: a request of its own to an upstream's servers, one after the other until one answers. Source:
 * nginx.org/en/docs/http/ngx_http_proxy_module.html, ngx_http_upstream_module.html. */
#include "cluster/kubelet/servers/nginx.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const kt_ns PATIENCE = 60 * KT_SEC; /* to connect, and to read */

/* A server to ask: an address of a name. */
struct target {
	const char *address; /* borrowed */
	unsigned port, weight;
	unsigned most_fails; /* 0: never left out */
	kt_ns fail_timeout;
	bool backup;
};
struct targets {
	struct target *items;
	size_t count, cap;
};

static void add_addresses(const struct kt_json *addresses, struct target like, struct targets *out)
{
	for (size_t i = 0; i < kt_count(addresses); i++) {
		like.address = kt_str_or(kt_at(addresses, i), "");
		out->items = kt_grow(out->items, &out->cap, out->count + 1, sizeof(*out->items));
		out->items[out->count++] = like;
	}
}

static void add_upstream(const struct nginx_visit *v, const struct nginx_directive *upstream, unsigned port,
                         struct targets *out)
{
	for (const struct nginx_directive *d = nginx_find(upstream->block, "server"); d;
	     d = nginx_find(d->next, "server")) {
		const char *colon = strchr(d->args[0], ':');
		struct target like = {.port = colon ? (unsigned)strtoul(colon + 1, NULL, 10) : port,
		                      .weight = 1,
		                      .most_fails = 1,
		                      .fail_timeout = 10 * KT_SEC};
		bool down = false;
		for (size_t i = 1; i < d->count; i++) {
			const char *word = d->args[i];
			down = down || !strcmp(word, "down");
			like.backup = like.backup || !strcmp(word, "backup");
			if (kt_starts(word, "weight="))
				like.weight = (unsigned)KT_MAX(strtoul(word + 7, NULL, 10), 1);
			if (kt_starts(word, "max_fails="))
				like.most_fails = (unsigned)strtoul(word + 10, NULL, 10);
			if (kt_starts(word, "fail_timeout="))
				like.fail_timeout = nginx_time(word + 13);
		}
		char *host =
		        kt_strndup(d->args[0], colon ? (size_t)(colon - d->args[0]) : strlen(d->args[0]));
		if (!down)
			add_addresses(kt_get(v->nginx->addresses, host), like, out);
		kt_free(host);
	}
}

kt_ns nginx_time(const char *text)
{
	char *end;
	double n = strtod(text, &end);
	kt_ns unit = !strcmp(end, "ms") ? KT_MS
	             : *end == 'm'      ? KT_MIN_NS
	             : *end == 'h'      ? KT_HOUR
	             : *end == 'd'      ? 24 * KT_HOUR
	                                : KT_SEC;
	return (kt_ns)(n * (double)unit);
}

static bool is_out(const struct nginx_visit *v, const struct target *t)
{
	char *key = kt_strf("%s:%u", t->address, t->port);
	bool out = kt_get_int(v->nginx->failed, key, 0) > process_now(v->r->task->process);
	kt_free(key);
	return out;
}

static void leave_out(const struct nginx_visit *v, const struct target *t)
{
	char *key = kt_strf("%s:%u", t->address, t->port);
	if (t->most_fails)
		kt_set(&v->nginx->failed, key,
		       kt_json_int(process_now(v->r->task->process) + t->fail_timeout));
	kt_free(key);
}

/* The order in which they are asked: by turns and weights; those that failed lately, and back-ups, only when
 * nobody else is there. */
static size_t order(const struct nginx_visit *v, const char *name, const struct targets *all,
                    const struct target **out)
{
	size_t count = 0, sum = 0;
	for (size_t pass = 0; pass < 2 && !count; pass++)
		for (size_t i = 0; i < all->count; i++)
			if (all->items[i].backup == (pass == 1) &&
			    (all->count == 1 || !is_out(v, &all->items[i]))) {
				out[count++] = &all->items[i];
				sum += all->items[i].weight;
			}
	if (!count)
		return 0;
	int64_t turn = kt_get_int(v->nginx->turns, name, 0);
	kt_set(&v->nginx->turns, name, kt_json_int(turn + 1));
	size_t at = (size_t)turn % sum, first = 0;
	while (at >= out[first]->weight)
		at -= out[first++]->weight;
	for (size_t i = 0; i < first; i++) { /* turned, so that `first` leads */
		const struct target *t = out[0];
		memmove(out, out + 1, (count - 1) * sizeof(const struct target *));
		out[count - 1] = t;
	}
	return count;
}

/* Request headers as they go on: its own Host and Connection, proxy_set_header over them. */
static struct kt_json *onward_headers(const struct nginx_visit *v, char **host)
{
	struct kt_json *headers = kt_json_object();
	*host = nginx_expand(v, "$proxy_host");
	for (size_t i = 0; i < kt_count(v->request->headers); i++)
		if (strcasecmp(kt_key(v->request->headers, i), "host") != 0)
			kt_set(&headers, kt_key(v->request->headers, i),
			       kt_json_str(kt_str_or(kt_at(v->request->headers, i), "")));
	kt_set(&headers, "Connection", kt_json_str("close"));
	for (const struct nginx_directive *d = nginx_setting(v, "proxy_set_header"); d;
	     d = nginx_find(d->next, "proxy_set_header")) {
		char *value = d->count > 1 ? nginx_expand(v, d->args[1]) : kt_strdup("");
		if (!strcasecmp(d->args[0], "host")) {
			kt_free(*host);
			*host = value;
			continue;
		}
		network_header_set(&headers, d->args[0], NULL);
		if (*value)
			kt_set(&headers, d->args[0], kt_json_str(value));
		kt_free(value);
	}
	return headers;
}

/* The path that is asked for: the location's prefix replaced by the URL's own path, where it has one. */
static char *onward_path(const struct nginx_visit *v, const struct nginx_directive *pass,
                         const struct nginx_url *url)
{
	const struct nginx_directive *location = pass->parent;
	while (location && strcmp(location->name, "location") != 0)
		location = location->parent;
	const char *prefix = location ? location->args[location->count - 1] : "/",
	           *mark = v->args && *v->args ? "?" : "";
	const char *args = v->args ? v->args : "";
	if (url->uri && strchr(pass->args[0], '$'))
		return kt_strdup(url->uri);
	if (url->uri && kt_starts(v->uri, prefix))
		return kt_strf("%s%s%s%s", url->uri, v->uri + strlen(prefix), mark, args);
	return kt_strf("%s%s%s", v->uri, mark, args);
}

static void failed(struct nginx_visit *v, int status, const char *what, const struct target *t,
                   const char *path)
{
	const char *name = nginx_value(v->server->block, "server_name");
	nginx_log(
	        v->r, "error",
	        "*%llu %s while %s upstream, client: %s, server: %s, request: \"%s %s HTTP/1.1\", upstream: "
	        "\"http://%s:%u%s\", host: \"%s\"",
	        (unsigned long long)((struct server *)v->r->state)->requests, what,
	        status == 504 && kt_ends(what, "read)") ? "reading response header from" : "connecting to",
	        v->request->client ? v->request->client : "", name ? name : "", v->request->method,
	        v->request->path, t->address, t->port, path, v->request->host ? v->request->host : "");
}

static kt_ns patience(const struct nginx_visit *v, const char *setting)
{
	const struct nginx_directive *d = nginx_setting(v, setting);
	return d && d->count ? nginx_time(d->args[0]) : PATIENCE;
}

/* Does proxy_next_upstream name it? */
static bool goes_on_for(const struct nginx_visit *v, const char *word, bool usual)
{
	const struct nginx_directive *d = nginx_setting(v, "proxy_next_upstream");
	for (size_t i = 0; d && i < d->count; i++)
		if (!strcmp(d->args[i], word))
			return true;
	return !d && usual;
}

/* One server is asked. 0: it answered; else the status that its failure is. */
static int ask(struct nginx_visit *v, const struct target *t, const struct network_http_request *request)
{
	struct tool_run *r = v->r;
	struct cluster *cluster = tool_container(r)->cluster;
	struct network_peer from = task_peer(r->task);
	struct network_path to;
	network_connect(cluster, &from, t->address, t->port, "TCP", &to);
	kt_free(v->upstream);
	v->upstream = kt_strf("%s:%u", t->address, t->port);
	if (to.outcome == NETWORK_REFUSED || to.outcome == NETWORK_UNREACHABLE) {
		failed(v, 502,
		       to.outcome == NETWORK_REFUSED ? "connect() failed (111: Connection refused)"
		                                     : "connect() failed (113: Host is unreachable)",
		       t, request->path);
		return 502;
	}
	if (to.outcome == NETWORK_TIMEOUT) {
		v->response->takes += patience(v, "proxy_connect_timeout");
		failed(v, 504, "upstream timed out (110: Operation timed out)", t, request->path);
		return 504;
	}
	const struct network_listener *there = network_path_listener(cluster, &to);
	if (request->https && there && !there->certificate) {
		failed(v, 502,
		       "SSL_do_handshake() failed (SSL: error:0A00010B:SSL routines::wrong version number) "
		       "while "
		       "SSL handshaking to",
		       t, request->path);
		return 502;
	}
	kt_ns before = v->response->takes;
	struct network_http_request from_here = *request;
	from_here.client = kt_starts(t->address, "127.") ? "127.0.0.1" : tool_container(r)->pod_ip;
	if (!network_serve(cluster, &to, &from_here, v->response)) {
		failed(v, 502, "upstream prematurely closed connection", t, request->path);
		return 502;
	}
	v->response->takes += to.latency;
	if (v->response->takes - before > patience(v, "proxy_read_timeout")) {
		v->response->takes = before + patience(v, "proxy_read_timeout");
		failed(v, 504, "upstream timed out (110: Operation timed out)", t, request->path);
		return 504;
	}
	char *word = kt_strf("http_%d", v->response->status);
	bool on = goes_on_for(v, word, false);
	kt_free(word);
	return on ? v->response->status : 0;
}

/* Where the answer sends on to, seen from outside: proxy_redirect FROM TO; by default the URL that is asked
 * becomes the location again. */
static void redirect_onward(struct nginx_visit *v, const struct nginx_directive *pass,
                            const struct nginx_url *url)
{
	const struct nginx_directive *told = nginx_setting(v, "proxy_redirect"), *location = pass->parent;
	const char *to = network_header(v->response->headers, "Location");
	while (location && strcmp(location->name, "location") != 0)
		location = location->parent;
	if (!to || (told && !strcmp(told->args[0], "off")) || strchr(pass->args[0], '$'))
		return;
	bool own = told && told->count == 2, whole = url->uri && location;
	char *from =
	        own ? nginx_expand(v, told->args[0]) : kt_strf("%s%s", pass->args[0], url->uri ? "" : "/");
	char *as = own     ? nginx_expand(v, told->args[1])
	           : whole ? kt_strdup(location->args[location->count - 1])
	                   : kt_strdup("/");
	if (kt_starts(to, from)) {
		char *path = kt_strf("%s%s", as, to + strlen(from));
		network_header_set(&v->response->headers, "Location", NULL);
		nginx_redirect_to(v, path);
		kt_free(path);
	}
	kt_free(from);
	kt_free(as);
}

static void ask_all(struct nginx_visit *v, const struct nginx_directive *pass, const struct nginx_url *url,
                    const char *name, const struct targets *all)
{
	const struct target **turn = kt_alloc((all->count + 1) * sizeof(const struct target *));
	size_t count = order(v, name, all, turn);
	char *host, *path = onward_path(v, pass, url);
	struct kt_json *headers = onward_headers(v, &host);
	struct network_http_request onward = *v->request;
	int status = 502;
	onward.path = path;
	onward.host = host;
	onward.headers = headers;
	onward.https = url->https;
	if (!count)
		nginx_log(v->r, "error",
		          "no live upstreams while connecting to upstream, upstream: \"http://%s%s\"", name,
		          path);
	for (size_t i = 0; i < count; i++) {
		status = ask(v, turn[i], &onward);
		bool next = status == 504   ? goes_on_for(v, "timeout", true)
		            : status == 502 ? goes_on_for(v, "error", true)
		                            : status != 0;
		if (status)
			leave_out(v, turn[i]);
		if (!status || !next)
			break;
	}
	if (status && !(v->response->status && v->response->status == status && v->response->body.len)) {
		kt_free(v->upstream); /* it is nginx that answers */
		v->upstream = NULL;
		nginx_page(v, status);
	}
	if (v->upstream)
		redirect_onward(v, pass, url);
	kt_free(turn);
	kt_free(path);
	kt_free(host);
	kt_json_free(headers);
}

/* A name that was not there at the start (it has variables): nginx' own resolver, which knows no search
 * domains. */
static bool look_up(struct nginx_visit *v, const char *host, struct kt_json **addresses)
{
	const struct nginx_directive *resolver = nginx_setting(v, "resolver");
	struct network_peer from = task_peer(v->r->task);
	struct kt_strs found = {0};
	enum network_outcome outcome;
	bool address = strspn(host, "0123456789.") == strlen(host);
	*addresses = kt_json_array();
	if (address) {
		kt_push(addresses, kt_json_str(host));
		return true;
	}
	if (!resolver) {
		nginx_log(v->r, "error", "no resolver defined to resolve %s", host);
		return false;
	}
	struct network_resolver servers = {0};
	for (size_t i = 0; i < resolver->count; i++) {
		if (!strchr(resolver->args[i], '='))
			(void)task_resolve(v->r->task, resolver->args[i], &servers.servers, NULL, &outcome);
	}
	char *whole = kt_strf("%s.", host);
	bool good = network_resolve(tool_container(v->r)->cluster, &from, &servers, whole, &found, NULL,
	                            &outcome);
	network_resolver_clear(&servers);
	for (size_t i = 0; good && i < found.count; i++)
		kt_push(addresses, kt_json_str(found.items[i]));
	if (!good)
		nginx_log(v->r, "error", "%s could not be resolved (3: Host not found)", host);
	kt_strs_clear(&found);
	kt_free(whole);
	return good;
}

void nginx_proxy(struct nginx_visit *v, const struct nginx_directive *pass)
{
	enum { DEEPEST = 8 };
	char *text = nginx_expand(v, pass->args[0]);
	struct nginx_url url;
	struct targets all = {0};
	struct kt_json *found = NULL;
	if (!nginx_url(text, &url) || v->r->task->process->steps >= DEEPEST) {
		nginx_log(v->r, "error", "invalid URL prefix in \"%s\"", text);
		nginx_page(v, 500);
		kt_free(text);
		return;
	}
	char *host = kt_strndup(url.host, url.host_len);
	const struct nginx_directive *upstream = nginx_upstream(v->nginx, url.host, url.host_len);
	struct target like = {.port = url.port, .weight = 1};
	if (upstream)
		add_upstream(v, upstream, 80, &all);
	else if (kt_get(v->nginx->addresses, host))
		add_addresses(kt_get(v->nginx->addresses, host), like, &all);
	else if (look_up(v, host, &found))
		add_addresses(found, like, &all);
	if (!all.count && !upstream) {
		nginx_page(v, 502);
	} else {
		v->r->task->process->steps++;
		ask_all(v, pass, &url, host, &all);
		v->r->task->process->steps--;
	}
	kt_json_free(found);
	kt_free(all.items);
	kt_free(host);
	kt_free(text);
}

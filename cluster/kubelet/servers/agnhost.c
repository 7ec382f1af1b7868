/* SPDX-License-Identifier: MIT */
/* agnhost, the test program of Kubernetes' own end-to-end tests. */
#include "cluster/kubelet/servers/servers.h"

#include <stdlib.h>
#include <string.h>

static const char *query_value(const char *path, const char *name, struct kt_buf *out)
{
	const char *query = strchr(path, '?'), *at = query;
	size_t len = strlen(name);
	for (; at; at = strchr(at + 1, '&')) {
		if (!strncmp(at + 1, name, len) && at[1 + len] == '=') {
			(void)kt_unpercent(at + 2 + len, strcspn(at + 2 + len, "&"), true, out);
			return kt_buf_str(out);
		}
	}
	return NULL;
}

void agnhost_serve(struct tool_run *r, const struct network_http_request *request,
                   struct network_http_response *response)
{
	struct server *s = r->state;
	struct kt_buf value = {0};
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "", *path = request->path, *text;
	kt_ns age = process_now(r->task->process) - s->since;
	if (kt_streq(mode, "serve-hostname")) {
		server_plain(response, 200, "%s", server_pod_name(r));
	} else if (kt_streq(mode, "liveness")) {
		if (age > 10 * KT_SEC)
			server_plain(response, 500, "error: %lld.%09llds", (long long)(age / KT_SEC),
			             (long long)(age % KT_SEC));
		else
			server_plain(response, 200, "ok");
	} else if (kt_starts(path, "/hostname") || kt_starts(path, "/hostName")) {
		server_plain(response, 200, "%s", server_pod_name(r));
	} else if (kt_starts(path, "/clientip")) {
		server_plain(response, 200, "%s:40312", request->client ? request->client : "");
	} else if (kt_starts(path, "/healthz")) {
		server_plain(response, 200, "%s", "");
	} else if (kt_starts(path, "/echo") && (text = query_value(path, "msg", &value))) {
		struct kt_buf code = {0};
		char *msg = kt_strdup(text);
		text = query_value(path, "code", &code);
		server_plain(response, text && *text ? (int)strtol(text, NULL, 10) : 200, "%s", msg);
		kt_buf_clear(&code);
		kt_free(msg);
	} else if (kt_starts(path, "/exit")) {
		text = query_value(path, "code", &value);
		s->exit_after = (text ? (int)(strtol(text, NULL, 10) & 255) : 0) + 1;
		server_plain(response, 200, "%s", "");
		process_changed(r->task->process);
	} else {
		bool any = kt_streq(mode, "netexec") || kt_streq(path, "/"); /* its root takes every path */
		char when[40];
		struct tm tm = server_now(r);
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		server_plain(response, any ? 200 : 404,
		             any ? "NOW: %s.%09lld +0000 UTC m=+%lld.%09lld" : "404 page not found\n%.0s",
		             when, (long long)(process_now(r->task->process) % KT_SEC),
		             (long long)(age / KT_SEC), (long long)(age % KT_SEC));
	}
	kt_buf_clear(&value);
}

bool agnhost_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "", *port;
	(void)status;
	if (kt_streq(mode, "netexec")) {
		port = server_option(r, "http-port");
		server_port(s, port ? strtoul(port, NULL, 10) : 8080, "TCP");
		port = server_option(r, "udp-port");
		server_port(s, port ? strtoul(port, NULL, 10) : 8081, "UDP");
	} else if (kt_streq(mode, "serve-hostname")) {
		port = server_option(r, "port");
		server_port(s, port ? strtoul(port, NULL, 10) : 9376, "TCP");
	} else if (kt_streq(mode, "grpc-health-checking")) {
		port = server_option(r, "port");
		server_port(s, port ? strtoul(port, NULL, 10) : 5000, "TCP");
		port = server_option(r, "http-port");
		server_port(s, port ? strtoul(port, NULL, 10) : 8080, "TCP");
	} else if (kt_streq(mode, "liveness") || kt_streq(mode, "test-webserver")) {
		server_port(s, kt_streq(mode, "liveness") ? 8080 : 80, "TCP");
	}
	return true;
}

/* agnhost connect HOST:PORT --timeout=3s: nothing, or REFUSED, TIMEOUT, DNS, OTHER. */
static int agnhost_connect(struct tool_run *r, struct fetch *f)
{
	const char *timeout = server_option(r, "timeout"), *target = NULL;
	for (size_t i = 2; i < r->argv.count; i++) {
		if (r->argv.items[i][0] != '-' && strchr(r->argv.items[i], ':'))
			target = r->argv.items[i];
	}
	if (!f->host) {
		if (!target || !fetch_url(f, target))
			return tool_fail(r, 1, "connect needs HOST:PORT");
		f->limit = KT_SEC;
		if (timeout)
			(void)kt_duration_parse(timeout, &f->limit);
	}
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	static const char *const words[] = {[FETCH_OK] = NULL,
	                                    [FETCH_BAD_NAME] = "DNS\n",
	                                    [FETCH_NO_DNS] = "DNS\n",
	                                    [FETCH_REFUSED] = "REFUSED\n",
	                                    [FETCH_TIMEOUT] = "TIMEOUT\n",
	                                    [FETCH_SLOW] = "TIMEOUT\n",
	                                    [FETCH_UNREACHABLE] = "OTHER\n",
	                                    [FETCH_SILENT] = NULL};
	const char *word = words[f->result];
	if (word)
		tool_err(r, "%s", word);
	return word ? 1 : 0;
}

struct agnhost {
	struct server server; /* first: what run_server takes the state for */
	struct fetch fetch;
	struct hoard hoard;
};

static int run_agnhost(struct tool_run *r)
{
	struct agnhost *s = r->state;
	if (r->argv.count > 1 && !strcmp(r->argv.items[1], "connect"))
		return agnhost_connect(r, &s->fetch);
	if (r->argv.count > 1 && !strcmp(r->argv.items[1], "stress"))
		return run_hoard(r, &s->hoard);
	return server_run(r);
}

static void end_agnhost(struct tool_run *r)
{
	struct agnhost *s = r->state;
	server_end(r);
	fetch_clear(&s->fetch);
}

const struct tool tools_agnhost[] = {
        {.name = "agnhost",
         .sets = "agnhost",
         .run = run_agnhost,
         .state_size = sizeof(struct agnhost),
         .end = end_agnhost,
         .term = 1},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* agnhost, the test program of Kubernetes' own end-to-end tests. */
#include "cluster/kubelet/servers/agnhost.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* /redirect?location=/x&code=307, as Go's http.Redirect. */
static void redirect(const struct network_http_request *request, struct network_http_response *response)
{
	struct kt_buf location = {0}, code = {0};
	const char *to = query_value(request->path, "location", &location);
	const char *status = query_value(request->path, "code", &code);
	int number = status && *status ? (int)strtol(status, NULL, 10) : 302;
	if (kt_streq(request->method, "GET")) {
		char *text = kt_strf("<a href=\"%s\">%s</a>.\n\n", to ? to : "", kt_http_reason(number));
		server_answer(response, number, "text/html; charset=utf-8", text, strlen(text));
		kt_free(text);
	} else {
		server_plain(response, number, "%s", "");
	}
	kt_set(&response->headers, "Location", kt_json_str(to ? to : ""));
	kt_buf_clear(&location);
	kt_buf_clear(&code);
}

static void answer_json(struct network_http_response *response, struct kt_json *steal)
{
	char *text = kt_json_text(steal);
	server_plain(response, 200, "%s", text);
	kt_free(text);
	kt_json_free(steal);
}

/* /shell?cmd=WORDS */
static void run_shell(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response)
{
	struct kt_buf text = {0}, out = {0};
	const char *command = query_value(request->path, "shellCommand", &text);
	if (!command)
		command = query_value(request->path, "cmd", &text);
	char *both = kt_strf("exec 2>&1; %s", command ? command : "");
	const char *argv[] = {"sh", "-c", both, NULL};
	struct kt_json *answer = kt_json_object();
	int code = 0;
	bool ran = process_answer(tool_container(r), argv, "", 0, &out, &response->takes, &code);
	if (code || !ran) {
		char *error = kt_strf("exit status %d", code);
		kt_set(&answer, "error", kt_json_str(error));
		kt_free(error);
	}
	if (out.len)
		kt_set(&answer, "output", kt_json_str(kt_buf_str(&out)));
	answer_json(response, answer);
	kt_free(both);
	kt_buf_clear(&text);
	kt_buf_clear(&out);
}

/* One request of a /dial: what came, or what went wrong (owned). */
static bool dial_once(struct tool_run *r, const char *address, unsigned port, bool udp, const char *what,
                      struct network_http_response *response, char **text)
{
	struct cluster *cluster = tool_container(r)->cluster;
	struct network_peer from = task_peer(r->task);
	struct network_path to;
	network_connect(cluster, &from, address, port, udp ? "UDP" : "TCP", &to);
	if (to.outcome != NETWORK_OPEN) {
		bool late = to.outcome == NETWORK_TIMEOUT;
		response->takes += late ? 5 * KT_SEC : 0;
		*text = udp ? kt_strf("reading from udp connection failed. err:'read udp %s:%u: %s'", address,
		                      port, late ? "i/o timeout" : "connection refused")
		            : kt_strf("Get \"http://%s:%u/%s\": %s", address, port, what,
		                      late ? "context deadline exceeded (Client.Timeout exceeded while "
		                             "awaiting headers)"
		                           : "dial tcp: connect: connection refused");
		return false;
	}
	char *path = kt_strf("/%s", what);
	struct network_http_request request = {.method = "GET", .path = path, .host = address};
	struct network_http_response answer = {0};
	bool served = network_serve(cluster, &to, &request, &answer);
	kt_buf_adds(&answer.body, "");
	response->takes += to.latency + answer.takes;
	*text = served ? kt_strdup(answer.body.data)
	               : kt_strf("Get \"http://%s:%u/%s\": EOF", address, port, what);
	network_http_response_clear(&answer);
	kt_free(path);
	return served;
}

/* /dial?host=H&port=P&request=hostname&protocol=http&tries=3 */
static void dial(struct tool_run *r, const struct network_http_request *request,
                 struct network_http_response *response)
{
	struct kt_buf texts[5] = {{0}};
	static const char *const names[] = {"host", "port", "request", "protocol", "tries"};
	const char *values[5];
	struct kt_strs addresses = {0};
	enum network_outcome outcome = NETWORK_OPEN;
	for (size_t i = 0; i < KT_COUNT(values); i++)
		values[i] = query_value(request->path, names[i], &texts[i]);
	long tries = values[4] && *values[4] ? strtol(values[4], NULL, 10) : 1;
	bool there =
	        values[0] && task_resolve(r->task, values[0], &addresses, NULL, &outcome) && addresses.count;
	if (!values[2] || !*values[2]) {
		server_plain(response, 400, "request parameter not specified. <nil>\n");
	} else if (!there) {
		server_plain(response, 400, "host and/or port param are invalid. lookup %s: no such host\n",
		             values[0] ? values[0] : "");
	} else {
		struct kt_json *good = kt_json_array(), *bad = kt_json_array(), *answer = kt_json_object();
		bool last = false;
		for (long i = 0; i < KT_MIN(tries, 100L); i++) {
			char *text = NULL;
			last = dial_once(r, addresses.items[0],
			                 values[1] ? (unsigned)strtoul(values[1], NULL, 10) : 0,
			                 kt_streq(values[3], "udp"), values[2], response, &text);
			kt_push(last ? &good : &bad, kt_json_str(text ? text : ""));
			kt_free(text);
		}
		if (kt_count(bad))
			kt_set(&answer, "errors", kt_json_ref(bad));
		if (last)
			kt_set(&answer, "responses", kt_json_ref(good));
		kt_json_free(good);
		kt_json_free(bad);
		answer_json(response, answer);
	}
	kt_strs_clear(&addresses);
	for (size_t i = 0; i < KT_COUNT(texts); i++)
		kt_buf_clear(&texts[i]);
}

static void tell_header(const struct network_http_request *request, struct network_http_response *response)
{
	struct kt_buf key = {0};
	const char *name = query_value(request->path, "key", &key);
	for (size_t i = 0; name && i < kt_count(request->headers); i++)
		if (!strcasecmp(kt_key(request->headers, i), name))
			server_plain(response, 200, "%s", kt_str_or(kt_at(request->headers, i), ""));
	if (!response->status) {
		char *all = name ? kt_strdup("") : kt_json_text(request->headers);
		server_plain(response, 200, "%s", all);
		kt_free(all);
	}
	kt_buf_clear(&key);
}

/* porter: what SERVE_PORT_81 says, at 81 */
static void serve_porter(struct tool_run *r, const struct network_http_request *request,
                         struct network_http_response *response)
{
	char *name = kt_strf("SERVE_PORT_%u", request->port);
	const char *text = tool_env(r, name);
	server_plain(response, 200, "%s", text ? text : "");
	kt_free(name);
}

/* /upload: the first file of the form, kept in /uploads */
static void take_upload(struct tool_run *r, const struct network_http_request *request,
                        struct network_http_response *response)
{
	struct server *s = r->state;
	const char *body = request->body ? request->body : "", *from = strstr(body, "\r\n\r\n"),
	           *line = strstr(body, "\r\n"), *end = NULL;
	if (!kt_streq(request->method, "POST") || !from || !line || from > body + request->body_len) {
		answer_json(response, kt_jsonf("{error: 'Unable to upload file.'}"));
		return;
	}
	from += 4;
	size_t mark = (size_t)(line - body);
	for (const char *c = from; c + mark + 2 <= body + request->body_len && !end; c++)
		if (!strncmp(c, "\r\n", 2) && !strncmp(c + 2, body, mark))
			end = c;
	end = end ? end : body + request->body_len;
	char *path = kt_strf("/uploads/upload%llu", (unsigned long long)s->requests);
	kt_ns now = process_now(r->task->process);
	(void)files_mkdir(tool_container(r)->files, "/uploads", true, now);
	int rc = files_write(tool_container(r)->files, path, from, (size_t)(end - from), false, 0644, now);
	answer_json(response, rc ? kt_jsonf("{error: 'Unable to open file for write'}")
	                         : kt_jsonf("{output: %s}", path));
	kt_free(path);
}

/* netexec tells of each request; what it was asked for stands in words of its own. */
static void log_request(struct tool_run *r, const char *path)
{
	static const struct {
		const char *path, *shown, *keys[3];
	} rows[] = {{"/echo", "/echo", {"msg", "code"}},
	            {"/exit", "/exit", {"code", "timeout", "wait"}},
	            {"/header", "/header", {"key"}},
	            {"/redirect", "/redirect", {"location", "code"}},
	            {"/shell", "/shell", {"cmd"}}};
	static const char *const plain[] = {"/clientip", "/dial",       "/healthz",  "/hostname", "/hostName",
	                                    "/readyz",   "/serverport", "/shutdown", "/upload"};
	struct kt_buf text = {0};
	for (size_t i = 0; i < KT_COUNT(rows) && !text.len; i++) {
		if (strncmp(path, rows[i].path, strlen(rows[i].path)) != 0)
			continue;
		kt_buf_addf(&text, "GET %s", rows[i].shown);
		for (size_t k = 0; k < 3 && rows[i].keys[k]; k++) {
			struct kt_buf value = {0};
			const char *name = rows[i].keys[k], *given = query_value(path, name, &value);
			kt_buf_addf(&text, "%c%s=%s", k ? '&' : '?',
			            kt_streq(name, "location") ? "msg" : name, given ? given : "");
			kt_buf_clear(&value);
		}
	}
	for (size_t i = 0; i < KT_COUNT(plain) && !text.len; i++)
		if (kt_starts(path, plain[i]))
			kt_buf_addf(&text, "GET %s", plain[i]);
	agnhost_log(r, "log.go:244", text.len ? kt_buf_str(&text) : "GET /");
	kt_buf_clear(&text);
}

void agnhost_serve(struct tool_run *r, const struct network_http_request *request,
                   struct network_http_response *response)
{
	struct server *s = r->state;
	struct kt_buf value = {0};
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "", *path = request->path, *text;
	kt_ns age = process_now(r->task->process) - s->since;
	if (kt_streq(mode, "netexec"))
		log_request(r, path);
	if (kt_streq(mode, "porter")) {
		serve_porter(r, request, response);
	} else if (kt_streq(mode, "netexec") && kt_starts(path, "/upload")) {
		take_upload(r, request, response);
	} else if (kt_streq(mode, "serve-hostname")) {
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
	} else if (kt_streq(mode, "netexec") && kt_starts(path, "/redirect")) {
		redirect(request, response);
	} else if (kt_streq(mode, "netexec") && kt_starts(path, "/shell")) {
		run_shell(r, request, response);
	} else if (kt_streq(mode, "netexec") && kt_starts(path, "/dial")) {
		dial(r, request, response);
	} else if (kt_streq(mode, "netexec") && kt_starts(path, "/header")) {
		tell_header(request, response);
	} else if (kt_starts(path, "/readyz")) {
		server_plain(response, 200, "ok");
	} else if (kt_starts(path, "/serverport")) {
		text = server_option(r, "http-port");
		server_plain(response, 200, "%s", text && *text ? text : "8080");
	} else if (kt_starts(path, "/exit") || kt_starts(path, "/shutdown")) {
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
		for (size_t i = 0; i < s->port_count; i++) {
			char *line = kt_strf(i ? "Started UDP server on port  %u"
			                       : "Started HTTP server on port %u",
			                     s->ports[i]);
			agnhost_log(r, "log.go:244", line);
			kt_free(line);
		}
	} else if (kt_streq(mode, "porter")) {
		struct kt_json *env = tool_env_all(r);
		for (size_t i = 0; i < kt_count(env); i++)
			if (kt_starts(kt_key(env, i), "SERVE_PORT_"))
				server_port(s, strtoul(kt_key(env, i) + strlen("SERVE_PORT_"), NULL, 10),
				            "TCP");
		kt_json_free(env);
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
	int code;
	if (agnhost_command(r, &code))
		return code;
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

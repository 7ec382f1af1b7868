/* SPDX-License-Identifier: MIT */
/* Small applications that people deploy to see who answers, and those that nobody knows. */
#include "cluster/kubelet/servers/servers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void echo_serve(struct tool_run *r, const struct network_http_request *request,
                struct network_http_response *response)
{
	server_plain(response, 200, "Request served by %s\n\n%s %s HTTP/1.1\n\nHost: %s\n%.*s",
	             server_pod_name(r), request->method, request->path, request->host ? request->host : "",
	             (int)request->body_len, request->body ? request->body : "");
}

void whoami_serve(struct tool_run *r, const struct network_http_request *request,
                  struct network_http_response *response)
{
	struct kt_buf text = {0};
	if (kt_starts(request->path, "/health")) {
		server_plain(response, 200, "%s", "");
		return;
	}
	kt_buf_addf(&text,
	            "Hostname: %s\nIP: 127.0.0.1\nIP: %s\nRemoteAddr: %s:40312\n%s %s HTTP/1.1\nHost: %s\n",
	            server_pod_name(r), tool_container(r)->pod_ip ? tool_container(r)->pod_ip : "",
	            request->client ? request->client : "", request->method, request->path,
	            request->host ? request->host : "");
	for (size_t i = 0; i < kt_count(request->headers); i++)
		kt_buf_addf(&text, "%s: %s\n", kt_key(request->headers, i),
		            kt_str_or(kt_at(request->headers, i), ""));
	kt_buf_adds(&text, "\n");
	server_answer(response, 200, "text/plain; charset=utf-8", text.data, text.len);
	kt_buf_clear(&text);
}

void http_echo_serve(struct tool_run *r, const struct network_http_request *request,
                     struct network_http_response *response)
{
	const struct server *s = r->state;
	if (kt_streq(request->path, "/health"))
		server_answer(response, 200, "application/json", "{\"status\":\"ok\"}", 15);
	else
		server_plain(response, 200, "%s\n", s->text);
}

bool http_echo_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *text = server_option(r, "text"), *listen = server_option(r, "listen");
	if (!text)
		text = tool_env(r, "ECHO_TEXT");
	if (!text) {
		tool_err(r, "Missing -text option!\n");
		*status = 127;
		return false;
	}
	s->text = kt_strdup(text);
	if (listen && strchr(listen, ':'))
		server_port_at(s, listen, strtoul(strrchr(listen, ':') + 1, NULL, 10), "TCP");
	return true;
}

void hello_app_serve(struct tool_run *r, const struct network_http_request *request,
                     struct network_http_response *response)
{
	const char *image = tool_container(r)->image;
	(void)request;
	server_plain(response, 200, "Hello, world!\nVersion: %s.0.0\nHostname: %s\n",
	             strstr(image, ":2") ? "2" : "1", server_pod_name(r));
}

void hello_node_serve(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response)
{
	(void)r;
	(void)request;
	server_plain(response, 200, "%s", "Hello Kubernetes!");
}

void bootcamp_serve(struct tool_run *r, const struct network_http_request *request,
                    struct network_http_response *response)
{
	const char *image = tool_container(r)->image;
	(void)request;
	server_plain(response, 200, "Hello Kubernetes bootcamp! | Running on: %s | v=%s\n",
	             server_pod_name(r), strstr(image, "v2") ? "2" : "1");
}

void hpa_serve(struct tool_run *r, const struct network_http_request *request,
               struct network_http_response *response)
{
	(void)r;
	(void)request;
	kt_set(&response->headers, "Server", kt_json_str("Apache/2.4.10 (Debian)"));
	server_answer(response, 200, "text/html", "OK!", 3);
}

void podinfo_serve(struct tool_run *r, const struct network_http_request *request,
                   struct network_http_response *response)
{
	const char *image = tool_container(r)->image, *colon = strrchr(image, ':');
	const char *message = tool_env(r, "PODINFO_UI_MESSAGE"), *colour = tool_env(r, "PODINFO_UI_COLOR");
	if (kt_starts(request->path, "/healthz") || kt_starts(request->path, "/readyz")) {
		server_answer(response, 200, "application/json", "{\n  \"status\": \"OK\"\n}", 20);
		return;
	}
	if (kt_starts(request->path, "/status/")) {
		long status = strtol(request->path + 8, NULL, 10);
		server_plain(response, status >= 200 && status < 600 ? (int)status : 400, "{\"status\":%ld}",
		             status);
		return;
	}
	if (kt_starts(request->path, "/delay/"))
		response->takes += strtol(request->path + 7, NULL, 10) % 3600 * KT_SEC;
	struct kt_json *json =
	        kt_jsonf("{hostname: %s, version: %s, color: %s, message: %s}", server_pod_name(r),
	                 colon && colon[1] != '/' ? colon + 1 : "6.9.0", colour ? colour : "#34577c",
	                 message ? message : "greetings from podinfo v6");
	struct kt_buf text = {0};
	kt_json_print_pretty(json, 2, &text);
	server_answer(response, 200, "application/json; charset=utf-8", text.data, text.len);
	kt_buf_clear(&text);
	kt_json_free(json);
}

/* An application that nobody knows: healthy, and it tells who answered. */
void generic_serve(struct tool_run *r, const struct network_http_request *request,
                   struct network_http_response *response)
{
	const char *path = request->path, *image = tool_container(r)->image, *colon = strrchr(image, ':');
	if (strstr(path, "health") || strstr(path, "ready") || strstr(path, "live"))
		server_plain(response, 200, "ok\n");
	else if (strstr(path, "metrics"))
		server_plain(response, 200, "http_requests_total %llu\n",
		             (unsigned long long)((struct server *)r->state)->requests);
	else
		server_plain(response, 200, "%s %s from %s\n", kt_basename(image), colon ? "" : "latest",
		             server_pod_name(r));
}

bool generic_prepare(struct tool_run *r, struct server *s, int *status)
{
	static const char *const options[] = {"port", "http-port", "listen", "addr", "address", "bind", "p"};
	static const char *const variables[] = {"PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT",
	                                        "APP_PORT"};
	const char *value = NULL;
	(void)status;
	for (size_t i = 0; i < KT_COUNT(options) && !value; i++)
		value = server_option(r, options[i]);
	for (size_t i = 0; i < KT_COUNT(variables) && !value; i++)
		value = tool_env(r, variables[i]);
	if (value) {
		const char *number = strrchr(value, ':') ? strrchr(value, ':') + 1 : value;
		server_port(s, strtoul(number, NULL, 10), "TCP");
	}
	if (!s->port_count) {
		/* the ports that its pod declares; else the usual one */
		const struct container *c = tool_container(r);
		const struct store_object *pod =
		        store_get(cluster_store(c->cluster),
		                  schema_stored(cluster_schema(c->cluster), "", "Pod"), c->ns, c->pod);
		const struct kt_json *containers = pod ? kt_path(pod->json, "spec.containers") : NULL, *port;
		ptrdiff_t at = kt_find(containers, "name", c->name);
		KT_JSON_EACH (port, at >= 0 ? kt_get(kt_at(containers, (size_t)at), "ports") : NULL)
			server_port(s, (unsigned long)kt_get_int(port, "containerPort", 0),
			            kt_streq(kt_get_str(port, "protocol"), "UDP") ? "UDP" : "TCP");
	}
	return true;
}

/* --- python, node: a script cannot be run here; one that serves is taken at its word --- */
bool script_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *module = server_option(r, "m"), *code = server_option(r, "c");
	if (!code)
		code = server_option(r, "e");
	const char *first = r->argv.count > 1 ? r->argv.items[1] : NULL;
	struct kt_buf text = {0};
	*status = 0;
	if (first && (!strcmp(first, "--version") || !strcmp(first, "-V") || !strcmp(first, "-v"))) {
		tool_outs(r, r->tool->name[0] == 'p' ? "Python 3.12.3\n" : "v22.11.0\n");
		return false;
	}
	if (module && kt_streq(module, "http.server")) {
		const char *bind = server_option(r, "bind"), *at = bind ? bind : server_option(r, "b");
		at = at && *at ? at : "0.0.0.0";
		for (size_t i = 3; i < r->argv.count; i++) {
			const char *word = r->argv.items[i];
			if (strspn(word, "0123456789") == strlen(word))
				server_port_at(s, at, strtoul(word, NULL, 10), "TCP");
		}
		if (!s->port_count)
			server_port_at(s, at, 8000, "TCP");
		s->files = true;
		tool_outf(r, "Serving HTTP on %s port %u (http://%s:%u/) ...\n", at, s->ports[0], at,
		          s->ports[0]);
		return true;
	}
	if (!code && first && first[0] != '-') {
		char *path = tool_path(r, first);
		int rc = files_read(tool_container(r)->files, path, &text);
		kt_free(path);
		if (rc) {
			if (r->tool->name[0] == 'p')
				tool_err(r,
				         "python: can't open file '%s%s': [Errno 2] No such file or "
				         "directory\n",
				         first[0] == '/' ? "" : "/", first);
			else
				tool_err(r, "Error: Cannot find module '%s'\n", first);
			*status = r->tool->name[0] == 'p' ? 2 : 1;
			return false;
		}
		code = kt_buf_str(&text);
	}
	static const char *const marks[] = {"listen(",      "port=",       "PORT =", "port =", "PORT=",
	                                    "HTTPServer((", "TCPServer((", "\", ",   "', "};
	for (size_t i = 0; code && i < KT_COUNT(marks) && !s->port_count; i++) {
		const char *at = strstr(code, marks[i]);
		bool serves = strstr(code, "listen") || strstr(code, "serve") || strstr(code, "app.run");
		if (!at || !serves)
			continue;
		at += strlen(marks[i]);
		while (*at && !isdigit((unsigned char)*at) && *at != '\n')
			at++;
		server_port(s, strtoul(at, NULL, 10), "TCP");
	}
	if (s->port_count) {
		kt_buf_clear(&text);
		return true;
	}
	for (const char *at = code;
	     at && (at = strstr(at, r->tool->name[0] == 'p' ? "print(" : "console.log(")); at++) {
		const char *open = strchr(at, '(') + 1, *close;
		if ((*open == '"' || *open == '\'') && (close = strchr(open + 1, *open))) {
			struct kt_buf out = {0};
			bool stop = false;
			unescape(open + 1, (size_t)(close - open - 1), false, &out, &stop);
			tool_outf(r, "%s\n", kt_buf_str(&out));
			kt_buf_clear(&out);
		}
	}
	if (code && strstr(code, "while True"))
		s->exit_after = -1;
	kt_buf_clear(&text);
	return s->exit_after == -1;
}

void script_serve(struct tool_run *r, const struct network_http_request *request,
                  struct network_http_response *response)
{
	if (((const struct server *)r->state)->files)
		python_serve(r, request, response);
	else
		generic_serve(r, request, response);
}

/* SPDX-License-Identifier: MIT */
/* What all servers share, and their table. */
#include "cluster/kubelet/servers/nginx.h"
#include "cluster/kubelet/servers/redis.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void server_port(struct server *s, unsigned long port, const char *protocol)
{
	if (!port || port > 65535 || s->port_count == SERVER_PORTS)
		return;
	for (size_t i = 0; i < s->port_count; i++) {
		if (s->ports[i] == port && kt_streq(s->protocols[i], protocol))
			return;
	}
	s->ports[s->port_count] = (unsigned)port;
	s->protocols[s->port_count++] = protocol;
}

void server_port_at(struct server *s, const char *address, unsigned long port, const char *protocol)
{
	bool inner = kt_starts(address, "127.") || kt_starts(address, "localhost");
	size_t before = s->port_count;
	server_port(s, port, protocol);
	if (s->port_count > before && inner)
		s->inner |= 1u << before;
	for (size_t i = 0; i < before && !inner; i++) /* once more, for everybody */
		if (s->ports[i] == port && kt_streq(s->protocols[i], protocol))
			s->inner &= ~(1u << i);
}

void server_tls(struct server *s, unsigned port, const char *certificate)
{
	if (!s->certificates)
		s->certificates = kt_alloc(SERVER_PORTS * sizeof(char *));
	for (size_t i = 0; i < s->port_count; i++) {
		if (s->ports[i] != port)
			continue;
		kt_free(s->certificates[i]);
		s->certificates[i] = kt_strdup(certificate);
	}
}

void server_answer(struct network_http_response *response, int status, const char *type, const char *text,
                   size_t len)
{
	response->status = status;
	kt_set(&response->headers, "Content-Type", kt_json_str(type));
	kt_set(&response->headers, "Content-Length", kt_json_strf("%zu", len));
	kt_buf_add(&response->body, text, len);
	kt_buf_adds(&response->body, "");
}

void server_plain(struct network_http_response *response, int status, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	server_answer(response, status, "text/plain; charset=utf-8", kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

const char *server_option(const struct tool_run *r, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i] + strspn(r->argv.items[i], "-");
		if (r->argv.items[i][0] != '-' || strncmp(word, name, len) != 0)
			continue;
		if (word[len] == '=')
			return word + len + 1;
		if (!word[len])
			return i + 1 < r->argv.count ? r->argv.items[i + 1] : "";
	}
	return NULL;
}

struct tm server_now(const struct tool_run *r)
{
	time_t seconds = (time_t)(process_now(r->task->process) / KT_SEC);
	struct tm tm;
	return *gmtime_r(&seconds, &tm);
}

void server_background(struct tool_run *r, const char *option, const char *value, bool silent)
{
	struct task *child = task_fork(r->task, NULL, NULL);
	for (int fd = 0; silent && fd < 3; fd++)
		fd_put(&child->fds[fd], chan_new(child->process, CHAN_NULL), fd > 0);
	kt_strs_add(&r->argv, option);
	if (value)
		kt_strs_add(&r->argv, value);
	if (task_become(child, &r->argv, NULL))
		task_end(child, 127);
	child->orphan = true;
}

const char *server_pod_name(const struct tool_run *r)
{
	const struct container *c = tool_container(r);
	return c->host_name ? c->host_name : c->pod;
}

static bool dns_prepare(struct tool_run *r, struct server *s, int *status)
{
	(void)r;
	(void)status;
	server_port(s, 53, "UDP");
	server_port(s, 53, "TCP");
	server_port(s, 8080, "TCP");
	server_port(s, 8181, "TCP");
	server_port(s, 9153, "TCP");
	return true;
}

static bool rabbit_prepare(struct tool_run *r, struct server *s, int *status)
{
	(void)r;
	(void)status;
	server_port(s, 5672, "TCP");
	server_port(s, 15672, "TCP");
	return true;
}

static void ok_serve(struct tool_run *r, const struct network_http_request *request,
                     struct network_http_response *response)
{
	(void)r;
	(void)request;
	server_plain(response, 200, "OK");
}

static const char nginx_entrypoint[] =
        "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration\n"
        "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/\n"
        "/docker-entrypoint.sh: Configuration complete; ready for start up\n";
static const struct server_row rows[] = {
        {.program = "python", .prepare = script_prepare, .serve = script_serve, .work = KT_MS},
        {.program = "python3", .prepare = script_prepare, .serve = script_serve, .work = KT_MS},
        {.program = "node", .prepare = script_prepare, .serve = generic_serve, .work = KT_MS},
        {.program = "nginx",
         .prepare = nginx_prepare,
         .serve = nginx_serve,
         .work = 200 * KT_US,
         .entrypoint = nginx_entrypoint,
         .end = nginx_free},
        {.program = "httpd-foreground",
         .port = 80,
         .serve = httpd_serve,
         .hello = "AH00558: httpd: Could not reliably determine the server's fully qualified domain name\n",
         .access_log = true,
         .work = 300 * KT_US},
        {.program = "httpd", .port = 80, .serve = httpd_serve, .access_log = true, .work = 300 * KT_US},
        {.program = "busybox httpd",
         .prepare = small_httpd_prepare,
         .serve = small_httpd_serve,
         .work = 200 * KT_US},
        {.program = "apache2-foreground",
         .port = 80,
         .serve = hpa_serve,
         .hello = "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n",
         .access_log = true,
         .work = 6 * KT_MS},
        {.program = "agnhost", .prepare = agnhost_prepare, .serve = agnhost_serve, .work = 200 * KT_US},
        {.program = "http-echo",
         .port = 5678,
         .prepare = http_echo_prepare,
         .serve = http_echo_serve,
         .work = 100 * KT_US},
        {.program = "whoami",
         .port = 80,
         .serve = whoami_serve,
         .hello = "Starting up on port 80\n",
         .work = 100 * KT_US},
        {.program = "echo-server", .prepare = generic_prepare, .serve = echo_serve, .work = 100 * KT_US},
        {.program = "hello-app",
         .port = 8080,
         .prepare = generic_prepare,
         .serve = hello_app_serve,
         .hello = "Server listening on port 8080\n",
         .work = 100 * KT_US},
        {.program = "server", .prepare = generic_prepare, .serve = generic_serve, .work = 2 * KT_MS},
        {.program = "podinfo",
         .port = 9898,
         .serve = podinfo_serve,
         .hello = "{\"level\":\"info\",\"msg\":\"Starting podinfo\",\"port\":\"9898\"}\n",
         .work = 500 * KT_US},
        {.program = "consumer", .port = 8080, .serve = ok_serve, .work = KT_MS},
        {.program = "redis-server",
         .prepare = redis_prepare,
         .bytes = redis_bytes,
         .work = 50 * KT_US,
         .end = redis_free},
        {.program = "valkey-server",
         .prepare = redis_prepare,
         .bytes = redis_bytes,
         .work = 50 * KT_US,
         .end = redis_free},
        {.program = "postgres",
         .port = 5432,
         .prepare = postgres_prepare,
         .bytes = sql_bytes,
         .end = sql_free,
         .hello = "LOG:  database system is ready to accept connections\n",
         .work = KT_MS},
        {.program = "mysqld",
         .port = 3306,
         .prepare = mysql_prepare,
         .bytes = sql_bytes,
         .end = sql_free,
         .hello = "[System] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.3'  socket: "
                  "'/var/run/mysqld/mysqld.sock'  port: 3306\n",
         .work = KT_MS},
        {.program = "mariadbd",
         .port = 3306,
         .prepare = mysql_prepare,
         .bytes = sql_bytes,
         .end = sql_free,
         .hello = "[Note] mariadbd: ready for connections.\n",
         .work = KT_MS},
        {.program = "mongod",
         .port = 27017,
         .hello = "{\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017}}\n",
         .work = KT_MS},
        {.program = "rabbitmq-server",
         .port = 5672,
         .prepare = rabbit_prepare,
         .hello = "Server startup complete; 4 plugins started.\n",
         .work = KT_MS},
        {.program = "memcached", .port = 11211, .work = 50 * KT_US},
        {.program = "coredns",
         .port = 53,
         .prepare = dns_prepare,
         .serve = ok_serve,
         .hello = ".:53\n[INFO] plugin/reload: Running configuration SHA512\nCoreDNS-1.12.1\nlinux/amd64, "
                  "go1.24.1\n",
         .work = 50 * KT_US},
        {.program = "daemon", .serve = ok_serve, .work = 100 * KT_US},
};

static const struct server_row *row_of(const struct tool_run *r)
{
	const char *name = kt_streq(r->tool->sets, "plain") ? "busybox httpd" : r->tool->name;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (!strcmp(rows[i].program, name))
			return &rows[i];
	}
	return &rows[KT_COUNT(rows) - 1];
}

static void access_log(struct tool_run *r, const struct network_http_request *request,
                       const struct network_http_response *response)
{
	struct kt_buf line = {0};
	char when[64];
	struct tm tm = server_now(r);
	size_t len = strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	const char *agent = kt_get_str(request->headers, "User-Agent");
	kt_buf_addf(&line, "%s - - [%.*s] \"%s %s HTTP/1.1\" %d %zu \"-\" \"%s\" \"-\"\n",
	            request->client ? request->client : "-", (int)len, when, request->method, request->path,
	            response->status, response->body.len, agent ? agent : "Wget");
	tool_out(r, line.data, line.len);
	kt_buf_clear(&line);
}

static void serve(void *arg, const struct network_http_request *request,
                  struct network_http_response *response)
{
	struct tool_run *r = arg;
	struct server *s = r->state;
	const struct image *image = r->task->process->image;
	s->requests++;
	if (image_has_tools(image, "hello-node"))
		hello_node_serve(r, request, response);
	else if (image_has_tools(image, "bootcamp"))
		bootcamp_serve(r, request, response);
	else
		s->row->serve(r, request, response);
	if (kt_streq(request->method, "HEAD"))
		kt_buf_cut(&response->body, 0);
	kt_ns work = s->row->work;
	if (image_has_tools(image, "hpa-example"))
		work = 60 * KT_MS; /* a million square roots */
	const char *told = tool_env(r, "KTUTOR_WORK");
	if (told)
		(void)kt_duration_parse(told, &work);
	response->takes += work;
	container_work(tool_container(r), work);
	if (s->row->access_log)
		access_log(r, request, response);
}

static void bytes(void *arg, const void *data, size_t len, struct kt_buf *reply)
{
	struct tool_run *r = arg;
	const struct server *s = r->state;
	char *text = kt_strndup(data, len);
	container_work(tool_container(r), s->row->work);
	if (s->row->bytes)
		s->row->bytes(r, text, len, reply);
	kt_free(text);
}

void server_end(struct tool_run *r)
{
	struct server *s = r->state;
	const struct container *c = tool_container(r);
	for (size_t i = 0; s->listening && i < s->port_count; i++)
		network_unlisten(c->cluster, c->pod_ip, s->ports[i], s->protocols[i]);
	for (size_t i = 0; s->certificates && i < SERVER_PORTS; i++)
		kt_free(s->certificates[i]);
	kt_free(s->certificates);
	kt_free(s->text);
	kt_free(s->root);
	if (s->row && s->row->end)
		s->row->end(s->own);
}

static int server_listen(struct tool_run *r, struct server *s)
{
	const struct container *c = tool_container(r);
	for (size_t i = 0; i < s->port_count && c->pod_ip; i++) {
		if (network_is_listening(c->cluster, c->pod_ip, s->ports[i], s->protocols[i])) {
			tool_err(r, "%s: bind() to 0.0.0.0:%u failed (98: Address already in use)\n",
			         r->tool->name, s->ports[i]);
			s->port_count = i;
			s->listening = true;
			return 1;
		}
		struct network_listener listener = {.address = c->pod_ip,
		                                    .port = s->ports[i],
		                                    .protocol = s->protocols[i],
		                                    .http = s->row->serve != NULL,
		                                    .serve = s->row->serve ? serve : NULL,
		                                    .bytes = s->row->bytes ? bytes : NULL,
		                                    .arg = r,
		                                    .ns = c->ns,
		                                    .pod = c->pod,
		                                    .container = c->name,
		                                    .loopback = s->inner >> i & 1,
		                                    .certificate =
		                                            s->certificates ? s->certificates[i] : NULL};
		network_listen(c->cluster, &listener);
	}
	s->listening = c->pod_ip != NULL;
	if (s->row->entrypoint && r->task->wrapped)
		tool_outs(r, s->row->entrypoint);
	if (s->row->hello)
		tool_outs(r, s->row->hello);
	return 0;
}

int server_run(struct tool_run *r)
{
	struct server *s = r->state;
	const struct image *image = r->task->process->image;
	int status = 0;
	if (!s->prepared) {
		s->prepared = true;
		s->row = row_of(r);
		s->since = process_now(r->task->process);
		if (s->row->prepare && !s->row->prepare(r, s, &status))
			return status;
		if (!s->port_count && s->row->port)
			server_port(s, s->row->port, "TCP");
		if (!s->port_count && image->port && !kt_streq(r->tool->name, "agnhost") &&
		    s->exit_after != -1)
			server_port(s, image->port, "TCP");
	}
	if (!s->listening && s->port_count) {
		if (tool_sleep(r, image->start))
			return TOOL_WAIT;
		if (server_listen(r, s))
			return 1;
	}
	return s->exit_after > 0 ? s->exit_after - 1 : TOOL_WAIT;
}

static int run_pause(struct tool_run *r)
{
	(void)r;
	return TOOL_WAIT;
}

static int run_hello(struct tool_run *r)
{
	tool_outs(r, "\nHello from Docker!\nThis message shows that your installation appears to be working "
	             "correctly.\n\n");
	return 0;
}

#define SERVER .run = server_run, .state_size = sizeof(struct server), .end = server_end
const struct tool tools_servers[] = {
        {.name = "apache2-foreground", .sets = "hpa-example generic-server", SERVER, .term = 1},
        {.name = "consumer", .sets = "consumer", SERVER, .term = 1},
        {.name = "coredns", .sets = "coredns", SERVER, .term = 1},
        {.name = "daemon", .sets = "daemon", SERVER, .term = 1},
        {.name = "echo-server", .sets = "echo-server", SERVER, .term = 1},
        {.name = "fluent-bit", .sets = "daemon", SERVER, .term = 1},
        {.name = "fluentd", .sets = "daemon", SERVER, .term = 1},
        {.name = "hello", .sets = "hello", .run = run_hello},
        {.name = "hello-app", .sets = "hello-app", SERVER, .term = 3},
        {.name = "http-echo", .sets = "http-echo", SERVER, .term = 1},
        {.name = "httpd", .sets = "httpd", SERVER, .term = 1},
        {.name = "httpd", .sets = "plain", SERVER},
        {.name = "httpd-foreground", .sets = "httpd", SERVER, .term = 1},
        {.name = "kube-proxy", .sets = "daemon", SERVER, .term = 1},
        {.name = "mariadbd", .sets = "mysql", SERVER, .term = 1},
        {.name = "memcached", .sets = "debian", SERVER, .term = 1},
        {.name = "metrics-server", .sets = "daemon", SERVER, .term = 1},
        {.name = "mongod", .sets = "mongo", SERVER, .term = 1},
        {.name = "mysqld", .sets = "mysql", SERVER, .term = 1},
        {.name = "nginx", .sets = "nginx", SERVER, .term = 1, .hangup = nginx_hangup},
        {.name = "nginx-ingress-controller", .sets = "daemon", SERVER, .term = 1},
        {.name = "node", .sets = "node", SERVER},
        {.name = "node_exporter", .sets = "daemon", SERVER, .term = 1},
        {.name = "pause", .sets = "pause", .run = run_pause, .term = 1},
        {.name = "podinfo", .sets = "podinfo", SERVER, .term = 1},
        {.name = "postgres", .sets = "postgres", SERVER, .term = 1},
        {.name = "prometheus", .sets = "daemon", SERVER, .term = 1},
        {.name = "python", .sets = "python", SERVER},
        {.name = "python3", .sets = "python", SERVER},
        {.name = "rabbitmq-server", .sets = "rabbitmq", SERVER, .term = 1},
        {.name = "run.sh", .sets = "daemon", SERVER, .term = 1},
        {.name = "server", .sets = "generic-server hello-node bootcamp", SERVER, .term = 1},
        {.name = "whoami", .sets = "whoami-server", SERVER, .term = 3},
        {.name = NULL},
};

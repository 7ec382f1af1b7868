/* SPDX-License-Identifier: MIT */
/* Programs that serve: what nginx, redis, agnhost and the like answer. A row (servers.c) says what stands
 * behind a program's name; where it listens comes from arguments, environment and configuration files. They
 * are tools of the shell (kubelet/shell), so they run as any program does and end with the container. */
#ifndef SERVERS_H
#define SERVERS_H

#include <time.h>

#include "cluster/kubelet/shell/fetch.h"

struct server;
/* The answer to one request. */
typedef void serve_fn(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response);
/* Before it listens; false: it ends, with *status. */
typedef bool ready_fn(struct tool_run *r, struct server *s, int *status);
/* Bytes came over a connection that speaks no HTTP; `data` ends with 0. */
typedef void bytes_fn(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply);

struct server_row {
	const char *program;
	unsigned port;     /* its own default; 0: the image's */
	ready_fn *prepare; /* may be NULL */
	serve_fn *serve;   /* NULL: no HTTP */
	bytes_fn *bytes;
	const char *hello;      /* first lines of its log */
	bool access_log;        /* nginx' format, to stdout */
	kt_ns work;             /* CPU of one request */
	const char *entrypoint; /* what the image's entrypoint says before */
	void (*end)(void *own); /* frees server->own, NULL too; may be NULL */
};
enum { SERVER_PORTS = 6 };
/* The state of a serving tool: r->state of its run. */
struct server {
	const struct server_row *row;
	unsigned ports[SERVER_PORTS];
	const char *protocols[SERVER_PORTS];
	unsigned inner;      /* bit N: port N is at 127.0.0.1 alone */
	char **certificates; /* by port, as PEM, NULL: it speaks no TLS; NULL: none does */
	size_t port_count;
	bool prepared, listening, files;
	kt_ns since;
	char *text, *root;
	void *own; /* what the row's `end` frees */
	uint64_t requests;
	int exit_after; /* status + 1: it ends by itself; -1: it stays without a port */
};

int server_run(struct tool_run *r);
void server_end(struct tool_run *r);
/* One more port to listen on; twice the same, or one that cannot be, does nothing. */
void server_port(struct server *s, unsigned long port, const char *protocol);
/* The same, at an address: "127.0.0.1" (or localhost) is for its own pod alone. */
void server_port_at(struct server *s, const char *address, unsigned long port, const char *protocol);
/* That port speaks TLS and shows this certificate. */
void server_tls(struct server *s, unsigned port, const char *certificate);
void server_answer(struct network_http_response *response, int status, const char *type, const char *text,
                   size_t len);
void server_plain(struct network_http_response *response, int status, const char *fmt, ...) KT_PRINTF(3, 4);
/* The value of -name VALUE, --name=VALUE; "" without one; NULL: not given. */
const char *server_option(const struct tool_run *r, const char *name);
/* The same program once more, with one or two words behind its arguments, as a task of its own that nobody
 * waits for. `silent`: it lets its terminal or pipe go, so that an exec that began it ends. */
void server_background(struct tool_run *r, const char *option, const char *value, bool silent);
const char *server_pod_name(const struct tool_run *r);
struct tm server_now(const struct tool_run *r); /* the time of logs, UTC */
/* A file below `root`, with nginx' pages for what is not there. */
void server_file(struct tool_run *r, const char *root, const char *url, const char *server,
                 struct network_http_response *response);
void server_error_page(struct network_http_response *response, int status, const char *server);

/* --- the rows' functions --- */
ready_fn nginx_prepare, small_httpd_prepare, http_echo_prepare, generic_prepare, agnhost_prepare,
        script_prepare, postgres_prepare, mysql_prepare, redis_prepare;
serve_fn nginx_serve, httpd_serve, small_httpd_serve, python_serve, echo_serve, whoami_serve, http_echo_serve,
        hello_app_serve, hello_node_serve, bootcamp_serve, hpa_serve, podinfo_serve, generic_serve,
        agnhost_serve, script_serve;
bytes_fn redis_bytes, sql_bytes;
void sql_free(void *own);

#endif

/* SPDX-License-Identifier: MIT */
/* A running nginx, between its files: nginx.c starts it, nginx_serve.c answers, nginx_variable.c knows the
 * variables. */
#ifndef NGINX_H
#define NGINX_H

#include <regex.h>

#include "cluster/kubelet/servers/nginx_conf.h"
#include "cluster/kubelet/servers/servers.h"

struct nginx {
	struct nginx_conf *conf;   /* as nginx_conf_ref gives it: of one image's own there is one a cluster */
	struct kt_json *addresses; /* {host: [address…]}: names that were looked up at the start */
	struct kt_json *turns;     /* {upstream: number of requests} */
	struct kt_json *buckets;   /* of limit_req: {"zone key": {excess, last}} */
	struct kt_json *failed;    /* {"address:port": until, ns}: servers of upstreams that are left out */
};
void nginx_free(void *own);
void nginx_hangup(struct tool_run *r); /* SIGHUP: it reads its configuration again */
/* A line of the error log, to stderr. */
void nginx_log(struct tool_run *r, const char *level, const char *fmt, ...) KT_PRINTF(3, 4);
const char *nginx_version(const struct tool_run *r);

/* http://host:port/uri, borrowed from the text; uri NULL: none. */
struct nginx_url {
	const char *host, *uri;
	size_t host_len;
	unsigned port;
	bool https, with_port;
};
bool nginx_url(const char *url, struct nginx_url *out);
/* The upstream of that name; NULL. */
const struct nginx_directive *nginx_upstream(const struct nginx *nginx, const char *name, size_t len);
bool nginx_speaks_tls(const struct nginx_directive *listen);
unsigned nginx_listen_port(const struct nginx_directive *listen);
/* map, geo, types: what is in their block are values. */
bool nginx_lists_values(const struct nginx_directive *directive);
/* A regular expression of its configuration. False: it cannot be compiled. */
bool nginx_regex(const char *text, bool ignore_case, regex_t *out);

/* --- nginx_values.c --- */
/* Are a directive's words what it takes? False: what is wrong with them is added, without its place. */
bool nginx_words_fit(const struct nginx *nginx, const struct nginx_directive *directive, struct kt_buf *why);
/* What is wrong though all was understood: logs that cannot be opened, zones that nobody defined. */
bool nginx_can_begin(struct tool_run *r, const struct nginx *nginx, const struct nginx_directive *from,
                     struct kt_buf *why);

/* One request on its way. */
enum { NGINX_CAPTURES = 10 };
struct nginx_visit {
	struct tool_run *r;
	struct nginx *nginx;
	const struct network_http_request *request;
	struct network_http_response *response;
	const struct nginx_directive *server,
	        *here;    /* here: the innermost block: a location, an if, or the server */
	char *uri, *args; /* as rewritten so far; args without '?' */
	char *captures[NGINX_CAPTURES];
	struct kt_json *set; /* {name: value} of set */
	char *upstream;      /* address:port that answered */
	unsigned jumps;
	bool moved;     /* a rewrite changed the path: its location is to be found anew */
	bool internal;  /* its path is not the one that was asked for */
	bool of_file;   /* a file was given */
	kt_ns modified; /* when it was */
};
/* A setting as it holds here: the innermost block that has it; NULL. */
const struct nginx_directive *nginx_setting(const struct nginx_visit *visit, const char *name);
bool nginx_on(const struct nginx_visit *visit, const char *name, bool otherwise);

/* proxy_pass. */
void nginx_proxy(struct nginx_visit *visit, const struct nginx_directive *pass);
/* limit_req: why this request is refused (owned), or NULL; what waits takes longer. */
char *nginx_limited(struct nginx_visit *visit);
/* Its Location; a path becomes a whole URL, unless that is not wanted. */
void nginx_redirect_to(struct nginx_visit *visit, const char *to);
/* auth_basic_user_file: why this request is of nobody in it; owned, NULL: it is. */
char *nginx_stranger(const struct nginx_visit *visit, const char *file);
/* What its filters make of the answer, when all else is done. */
void nginx_finish(struct nginx_visit *visit);
/* nginx' own page for a status. */
void nginx_page(struct nginx_visit *visit, int status);
kt_ns nginx_time(const char *text); /* "10s", "500ms", "1m"; without a unit seconds */

/* The text with its variables in place; owned. */
char *nginx_expand(const struct nginx_visit *visit, const char *text);
/* The first variable of a directive's words that nobody defines; borrowed from the arena, NULL: none. */
const char *nginx_unknown_variable(struct nginx *nginx, const struct nginx_directive *directive);
/* Does it match? Its groups become $1 to $9. */
bool nginx_match(struct nginx_visit *visit, const char *text, const char *regex, bool ignore_case);

#endif

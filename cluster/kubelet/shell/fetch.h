/* SPDX-License-Identifier: MIT */
/* A name, a connection, a request: what wget, curl, nc and the like have in common, as a machine that waits.
 */
#ifndef SHELL_FETCH_H
#define SHELL_FETCH_H

#include "cluster/kubelet/shell/shell.h"

enum fetch_result {
	FETCH_OK,
	FETCH_BAD_NAME, /* NXDOMAIN */
	FETCH_NO_DNS,   /* the DNS servers do not answer */
	FETCH_REFUSED,
	FETCH_TIMEOUT, /* while connecting */
	FETCH_SLOW,    /* connected, no answer in time */
	FETCH_UNREACHABLE,
	FETCH_SILENT, /* connected, it does not speak HTTP */
	FETCH_EMPTY,  /* it closed the connection without an answer (nginx' 444) */
};
struct fetch {
	char *host, *path;
	unsigned port;
	bool https, with_port; /* the URL names the port */
	const char *protocol;  /* NULL: TCP */
	const char *given;     /* the address to use; NULL: the host's is looked up */
	kt_ns limit;           /* for connecting; 0: the kernel's patience */
	kt_ns total;           /* for all of it; 0 none */
	/* */
	unsigned stage;
	kt_ns started, connected;
	char *address, *canonical;
	struct network_path to;
	struct network_http_response response;
	enum fetch_result result;
};
/* "http://host:8080/path", "host/path"; false: rubbish. */
bool fetch_url(struct fetch *fetch, const char *url);
/* The limit passed before the name servers were given up. */
bool fetch_lost_patience(const struct fetch *fetch);
/* Resolve and connect. 0 when fetch->result is known (or the connection is there: FETCH_OK), else TOOL_WAIT.
 */
int fetch_connect(struct tool_run *r, struct fetch *fetch);
/* Then ask. 0 when response or result is there. */
int fetch_request(struct tool_run *r, struct fetch *fetch, const char *method, const struct kt_json *headers,
                  const char *body);
void fetch_clear(struct fetch *fetch);
/* Where a redirect leads, as a whole URL; owned, NULL: it is none. */
char *fetch_redirect(const struct fetch *fetch);
/* "Name: value" as people write it behind -H; what is no header is passed over. */
void fetch_add_header(struct kt_json **headers, const char *line);
/* What came into a file (/dev/null and - are understood): 0, or an errno value after complaining. */
int fetch_save(struct tool_run *r, const char *name, const struct kt_buf *data);
kt_ns fetch_seconds(const char *text); /* "2", "0.5" */

#endif

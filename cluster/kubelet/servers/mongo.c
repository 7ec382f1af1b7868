/* SPDX-License-Identifier: MIT */
/* mongosh: is the server there? Documents are not kept here; what asks for them is told so. */
#include "cluster/kubelet/servers/servers.h"

#include <stdlib.h>
#include <string.h>

static int run_mongosh(struct tool_run *r)
{
	struct fetch *f = r->state;
	const char *host = server_option(r, "host"), *port = server_option(r, "port"),
	           *asked = server_option(r, "eval");
	if (!f->host) {
		f->host = kt_strdup(host ? host : "127.0.0.1");
		f->port = port ? (unsigned)strtoul(port, NULL, 10) : 27017;
		f->limit = 30 * KT_SEC;
	}
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	if (f->result != FETCH_OK) {
		tool_err(r, "MongoNetworkError: connect ECONNREFUSED %s:%u\n",
		         f->address ? f->address : f->host, f->port);
		return 1;
	}
	bool ping = asked && strstr(asked, "ping");
	if (ping)
		tool_outs(r, "{ ok: 1 }\n");
	else
		tool_err(r, "MongoServerError: this server answers a ping only\n");
	return ping ? 0 : 1;
}

static void end_mongosh(struct tool_run *r)
{
	fetch_clear(r->state);
}

const struct tool tools_mongo[] = {
        {.name = "mongosh",
         .sets = "mongo",
         .run = run_mongosh,
         .state_size = sizeof(struct fetch),
         .end = end_mongosh},
        {.name = NULL},
};

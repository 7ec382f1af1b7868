/* SPDX-License-Identifier: MIT */
/* edge: a cluster as a server: HTTPS on loopback, WebSockets and SPDY, real time. The only place that knows
 * sockets and TLS. */
#ifndef EDGE_H
#define EDGE_H

#include "cluster/cluster.h"

struct edge_options {
	const char *dir; /* where kubeconfig, certificates, pid and port are kept (0700) */
	const char *name;
	unsigned port; /* 0: any free one, the same again after a restart if it is free */
	struct kt_loop *loop;
};
/* Keys and certificates: made once, kept in `dir`: CA, server, admin client. Fills what cluster_options
 * needs. */
struct edge_identity {
	char *ca_pem, *server_key_pem, *server_cert_pem, *admin_key_pem, *admin_cert_pem;
};
KT_MUST_CHECK enum kt_code edge_identity_load(const char *dir, const char *name, struct edge_identity *out,
                                              struct kt_err *err);
void edge_identity_clear(struct edge_identity *identity);

struct edge;
/* Serve `cluster` (borrowed) until the loop stops; the virtual clock follows real time times the cluster's
 * speed. Writes dir/kubeconfig. */
KT_MUST_CHECK enum kt_code edge_new(const struct edge_options *options, struct cluster *cluster,
                                    const struct edge_identity *identity, struct edge **out,
                                    struct kt_err *err);
void edge_free(struct edge *edge);
unsigned edge_port(const struct edge *edge);

/* Routes of ktutor itself, under /ktutor/v1/ (the admin's credentials needed): a table in edge/control.c.
 *   GET  clock                       {now, speed, paused, next}
 *   POST clock                       {speed: 60} {pause: true} {advance: "30s"} {advance: "3m", until:
 * "change"} {jump: "next"} POST disturb                     a step GET  traffic[?since=RFC3339] GET
 * history[?object=KIND/NS/NAME&since=RV] POST snapshot {name} / restore {name}, GET snapshots; POST rewind
 * {to: RFC3339} GET  status                      {name, nodes, pods, memory, version} POST stop */

#endif

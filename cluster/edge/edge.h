/* SPDX-License-Identifier: MIT */
/* edge: a cluster as a server: HTTPS on loopback, WebSockets and SPDY, real time. The only place that knows
 * sockets and TLS. What it keeps lies in one folder for each cluster (0700, files 0600):
 *   identity.pem  CA, server and admin certificates with their keys
 *   kubeconfig    for kubectl, everything inline
 *   port          the port, so that it is the same again after a restart
 *   socket        the same server for ktutor itself, as the admin: HTTP without TLS on a Unix socket; not
 *                 there where its path would be too long for one (sun_path)
 *   lock          held (fcntl) by the process that serves; its holder is the pid */
#ifndef EDGE_H
#define EDGE_H

#include "cluster/cluster.h"

struct edge_options {
	const char *dir;  /* exists, 0700 */
	const char *name; /* of the cluster: context "ktutor-NAME" in the kubeconfig */
	unsigned port;    /* 0: any free one, the same again after a restart if it is free */
	double speed;     /* virtual seconds a real second; 0: 1 */
	long holder;      /* a process that holds the clock from the first moment; 0: nobody */
	struct kt_loop *loop;
};
/* Keys and certificates (ECDSA P-256): made once, kept in dir/identity.pem. The CA's certificate is for
 * cluster_options.ca_pem. */
struct edge_identity {
	char *ca_pem, *ca_key_pem, *server_pem, *server_key_pem, *admin_pem, *admin_key_pem;
};
KT_MUST_CHECK enum kt_code edge_identity_load(const char *dir, struct edge_identity *out, struct kt_err *err);
void edge_identity_clear(struct edge_identity *identity);
/* Signs with the identity's CA; for cluster_options.signer. Borrows `identity`. */
struct cluster_signer edge_signer(const struct edge_identity *identity);

/* Listen, before there is a cluster: its options need the address. The port stays this process's. */
struct edge;
KT_MUST_CHECK enum kt_code edge_new(const struct edge_options *options, const struct edge_identity *identity,
                                    struct edge **out, struct kt_err *err);
/* Serve `cluster` (borrowed) until the loop stops; the virtual clock follows real time times the speed.
 * Writes dir/kubeconfig and dir/port. */
KT_MUST_CHECK enum kt_code edge_serve(struct edge *edge, struct cluster *cluster, struct kt_err *err);
/* Bring the cluster to now, and stop the loop. */
void edge_stop(struct edge *edge);
void edge_free(struct edge *edge);
unsigned edge_port(const struct edge *edge);
const char *edge_address(const struct edge *edge); /* https://127.0.0.1:PORT; borrowed */

/* --- one process a cluster --- */
/* Hold dir/lock. KT_EEXIST with *pid if another process holds it. Closing *fd gives it up. */
KT_MUST_CHECK enum kt_code edge_lock(const char *dir, int *fd, long *pid, struct kt_err *err);
/* The pid of the process that serves `dir`; 0: none. */
long edge_holder(const char *dir);

/* dir/socket, owned; NULL where it is not there. */
char *edge_socket(const char *dir);

/* A call of a ktutor route (or any other) on the cluster that `dir` serves, as its admin. Blocking, at most
 * `timeout` (0: 30 s). KT_EUNREACHABLE if nobody answers; a status of 400 and more is a failure with the
 * server's message. `body` and `out` may be NULL. */
KT_MUST_CHECK enum kt_code edge_call(const char *dir, const char *method, const char *target,
                                     const struct kt_json *body, kt_ns timeout, struct kt_json **out,
                                     struct kt_err *err);

/* Routes of ktutor itself, under /ktutor/v1/ (the admin's credentials needed): a table in edge/control.c.
 *   GET  clock                       {now, speed, paused, held, next, ahead, waiting, asked}: `ahead` =
 *                                    virtual minus real time; `waiting` clients have been told all that
 *                                    there is, and wait; `asked`: requests so far, but for such as these
 *   POST clock                       {speed: 60} {paused: true} {advance: "30s"}
 *                                    {advance: "3m", until: "change"} {jump: "next"}
 *                                    {hold: PID} {release: PID}
 *   POST disturb                     a step
 *   POST snapshot {name} / restore {name}, GET snapshots
 *   GET  status                      {name, server, pid, nodes, pods, memory, version, clock}
 *   POST stop
 *   GET  history[?object=KIND/NS/NAME&since=RV], GET traffic
 *   POST rewind                     {to: RFC3339, or how long ago ("5m")}
 *
 * The clock held. Where the same requests shall always find the same moment (a lab's set-up, a check, a
 * proof), the process that makes them holds the clock: virtual time then passes only by `advance` and `jump`,
 * never with real time, and all that is due at a moment is done before a request of that moment is answered.
 * So what comes of it depends on the seed and the requests, not on how fast the machine is. Everybody else is
 * answered as ever, at the moment that it is; times on the wire agree with a client's own clock.
 * A process may hold it several times, and releases it as often. One that ends, however, holds it no more: a
 * second later at the latest time goes on.
 *
 * Nobody looks. While no client has a stream open (a watch, logs -f, a command in a pod) nobody can tell when
 * a cluster does what is due in it. It is done when somebody asks, before the answer, in the same order and
 * at the same virtual moments: what is seen is the same, and an idle cluster takes no processor time. So that
 * nobody waits, no more is put off than some 5 ms of work, and never more than 10 minutes of virtual time; a
 * kill -9 undoes as much (docs/adr/0010). */

#endif

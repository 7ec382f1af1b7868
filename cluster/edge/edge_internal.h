/* SPDX-License-Identifier: MIT */
#ifndef EDGE_INTERNAL_H
#define EDGE_INTERNAL_H

#include "cluster/edge/edge.h"
#include "cluster/edge/http.h"
#include "cluster/edge/session.h"
#include <gnutls/gnutls.h>

/* Limits: a learner's machine has a handful of clients; the rest is somebody's mistake. */
#define EDGE_MAX_CONNS   512
#define EDGE_HEAD_TIME   (10 * KT_SEC)  /* TLS handshake; a request's head once it has begun */
#define EDGE_BODY_TIME   (30 * KT_SEC)  /* a request's whole body */
#define EDGE_IDLE_TIME   (300 * KT_SEC) /* between requests of a kept connection */
#define EDGE_WRITE_TIME  (60 * KT_SEC)  /* without the client taking a byte */
#define EDGE_LINGER_TIME (2 * KT_SEC)
/* Before the first word of a command's WebSocket. kubectl up to 1.33 reads messages before it has opened all
 * of its streams, and drops what comes for the others ("Unknown stream id 1"; client-go
 * tools/remotecommand/websocket.go); on a real node starting the command takes longer than that. */
#define EDGE_HUSH          (40 * KT_MS)
#define EDGE_OUT_HIGH      (256 * 1024) /* streams are not read beyond this */
#define EDGE_MAX_SNAPSHOTS 64
/* Who the admin's certificate and the Unix socket are for, as kubeadm names them. */
#define EDGE_ADMIN       "kubernetes-admin"
#define EDGE_ADMIN_GROUP "kubeadm:cluster-admins"

/* The virtual clock against the real (monotonic) one. It stands when somebody stopped it, and while it is
 * held. */
struct edge_clock {
	kt_ns real, virtual; /* a moment at which both were known */
	double speed;
	bool paused, held;
};

/* Who holds the clock (edge.h, "The clock held"). */
#define EDGE_MAX_HOLDS 8
#define EDGE_HOLD_LOOK KT_SEC /* how often it is seen whether they still live */
struct edge_hold {
	long pid;
	unsigned depth;
};

struct edge {
	struct edge_options options;
	char *dir, *name, *address;
	struct cluster *cluster;
	struct edge_clock clock;
	struct edge_hold holds[EDGE_MAX_HOLDS];
	size_t hold_count;
	uint64_t hold_look; /* timer; 0: nobody holds it */
	kt_ns wire_offset;  /* as the cluster was told last */
	/* Virtual: how much may be put off while nobody looks (0: not known yet), and the rest at hand (until
	 * 0: there is none). */
	kt_ns rest, rest_from, rest_until;
	gnutls_certificate_credentials_t creds;
	gnutls_priority_t priorities;
	int fd, local_fd; /* listening: on loopback; on the Unix socket, or -1 */
	char *socket;     /* its path */
	unsigned port;
	char *kubeconfig;
	struct conn *conns;
	size_t conn_count;
	uint64_t asked;   /* requests so far, but for those of ktutor's own routes */
	uint64_t pause;   /* timer: no descriptors left, accepting waits */
	kt_ns next_sweep; /* 0: nothing has a deadline */
	bool again;       /* more to do without waiting */
	bool stopping;
	kt_ns started;
	struct edge_snapshot {
		char *name;
		kt_ns at;
		struct cluster_snapshot *snapshot;
	} snapshots[EDGE_MAX_SNAPSHOTS];
	size_t snapshot_count;
	char *flush_trouble; /* the journal's last complaint, owned; NULL: all is written */
};

/* --- clock.c --- */
void edge_clock_init(struct edge_clock *clock, kt_ns real, kt_ns virtual, double speed);
kt_ns edge_clock_virtual(const struct edge_clock *clock, kt_ns real);
/* From now on the virtual time is `virtual`, at this pace. */
void edge_clock_set(struct edge_clock *clock, kt_ns real, kt_ns virtual);
/* Real time from `real` until the virtual clock shows `virtual`; KT_LOOP_FOREVER if never. */
kt_ns edge_clock_until(const struct edge_clock *clock, kt_ns real, kt_ns virtual);
/* Does it stand still, but for jumps? */
bool edge_clock_stands(const struct edge_clock *clock);
/* Bring the cluster to where the clock is. False if there was too much to do at once: call again soon; what
 * was put off by edge_rest() is done in any case. */
bool edge_tick(struct edge *edge);
/* Real time from `real`, at which all that was due is done, until the cluster needs to be looked after;
 * KT_LOOP_FOREVER if never. That is when something is next due, or, while no client has a stream open
 * (edge.h, "Nobody looks"), later. */
kt_ns edge_rest(struct edge *edge, kt_ns real);

/* --- hold.c --- */
KT_MUST_CHECK enum kt_code edge_hold(struct edge *edge, long pid, struct kt_err *err);
/* Of one that does not hold it: nothing. */
void edge_release(struct edge *edge, long pid);
void edge_holds_end(struct edge *edge);
/* How many clients have been told all that there is, and wait for more: watches, commands in pods, logs. */
size_t edge_waiting(const struct edge *edge);

/* --- conn.c --- */
enum conn_state { CONN_HANDSHAKE, CONN_HEAD, CONN_BODY, CONN_STREAM, CONN_UPGRADED, CONN_LINGER };
struct conn {
	struct edge *edge;
	struct conn *next, *prev;
	int fd;
	bool local;           /* plain, through the Unix socket */
	gnutls_session_t tls; /* NULL when local */
	enum conn_state state;
	struct http_head head;
	struct http_chunks chunks;
	struct kt_buf in, out, body;
	size_t sent;      /* of `out` */
	size_t sending;   /* of a record that TLS has begun to send */
	bool read_closed; /* the client said that it sends no more */
	bool ready;       /* the stream may have something */
	bool more;        /* TLS may hold bytes that poll does not see */
	bool keep_alive;
	bool chunked;
	bool close_when_sent;
	bool want_write; /* TLS waits for the socket */
	bool dead;
	size_t answer_at; /* where in `out` the answer starts that no flush has covered yet */
	bool unflushed;   /* … of a request that may have changed something */
	kt_ns deadline;   /* monotonic; 0: none */
	uint64_t hush;    /* timer: until then an upgraded connection says nothing */
	struct cluster_stream *stream;
	struct session *session;
	char *user;
	struct kt_strs groups;
	bool admin;
};
/* `local`: came through the Unix socket, and is the admin. */
void conn_accept(struct edge *edge, int fd, bool local);
void conn_free(struct conn *conn);
/* After a round: move streams' news into the output. */
void conn_pump(struct conn *conn);
/* The journal could not be written: the answer becomes `why`. */
void conn_take_back(struct conn *conn, const char *why);
/* Send what waits. */
void conn_write(struct conn *conn);
/* Set who the client is from its certificate. */
void conn_identify(struct conn *conn);

/* --- wire.c: what they return is a number of bytes or a code of GnuTLS (GNUTLS_E_AGAIN, …) --- */
bool wire_start(struct conn *conn);
ssize_t wire_read(struct conn *conn, char *into, size_t len);
ssize_t wire_write(struct conn *conn, const char *from, size_t len);
/* We say no more. */
void wire_end(struct conn *conn);

/* --- control.c --- */
bool control_is_route(const char *target);
void control_handle(struct edge *edge, const struct cluster_request *request,
                    struct cluster_response *response);

/* --- kubeconfig.c --- */
char *edge_kubeconfig(const char *name, const char *address, const struct edge_identity *identity);

#endif

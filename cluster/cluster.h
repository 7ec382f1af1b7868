/* SPDX-License-Identifier: MIT */
/* cluster: a simulated Kubernetes cluster in one process: control plane, nodes, network, traffic, on a
 * virtual clock.
 *
 * A cluster is a value: it does nothing by itself, has no thread and no socket. Requests go in through
 * cluster_handle(), time passes through cluster_advance(). Same seed, same requests at the same virtual
 * times: same history, byte for byte. One thread. The daemon around it (cluster_serve, cluster/edge) adds
 * HTTPS, WebSockets and real time. */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "base/base.h"

struct cluster;

/* Where state is kept. The owner (cli, through db) implements it; NULL members: nothing is kept. Every call
 * is complete when it returns (a kill -9 afterwards loses nothing). Blobs are opaque. */
struct cluster_record {
	const char *key;
	const void *value;
	size_t len;
};
struct cluster_journal {
	void *arg;
	/* Write a batch of changes in one transaction. A NULL value deletes the key. */
	enum kt_code (*write)(void *arg, const struct cluster_record *records, size_t count,
	                      struct kt_err *err);
	/* Read all records back, in key order. */
	enum kt_code (*read)(void *arg, void (*row)(void *row_arg, const struct cluster_record *record),
	                     void *row_arg, struct kt_err *err);
};

/* Who signs certificates: the keeper of the CA's key, which is not in the cluster. */
struct cluster_certificate {
	const char *request;          /* a PKCS#10 request, PEM */
	const struct kt_json *usages; /* of spec.usages: "client auth"… */
	int64_t seconds;              /* how long it shall hold */
	bool of_node; /* the subject must be O=system:nodes, CN=system:node:NAME: else KT_EDENIED */
	enum { CLUSTER_NAMES_ANY, CLUSTER_NAMES_NONE, CLUSTER_NAMES_NEEDED } names; /* alternative ones */
};
struct cluster_signer {
	void *arg;
	/* *out: the certificate, PEM, owned by the caller. KT_EDENIED: the request breaks a rule of the
	 * signer, `err` tells which; other failures may pass. */
	enum kt_code (*sign)(void *arg, const struct cluster_certificate *wanted, char **out,
	                     struct kt_err *err);
};

struct cluster_options {
	const char *name; /* for messages and certificates */
	uint64_t seed;
	kt_ns now;                   /* virtual time at birth, since 1970 */
	const struct kt_json *nodes; /* a List of Node objects, or NULL: one control plane and `workers`
	                                workers in zones a, b, c… */
	unsigned workers;
	const struct cluster_journal *journal; /* borrowed; NULL: nothing is kept */
	const struct cluster_signer *signer;   /* borrowed; NULL: approved requests stay unsigned */
	const char *ca_pem,
	        *server_address; /* what /api, tokens and the kube-root-ca.crt ConfigMaps tell; may be NULL */
};

/* A new cluster, or the one that the journal holds (options->nodes and workers are then ignored). */
KT_MUST_CHECK enum kt_code cluster_new(const struct cluster_options *options, struct cluster **out,
                                       struct kt_err *err);
void cluster_free(struct cluster *cluster); /* NULL is fine */

/* --- time --- */
kt_ns cluster_now(const struct cluster *cluster);
/* When something is next due; INT64_MAX: nothing ever, without a request. */
kt_ns cluster_next(const struct cluster *cluster);
/* Do everything that is due up to and including `until`, in order; now == until afterwards. */
void cluster_advance(struct cluster *cluster, kt_ns until);
/* As cluster_advance, but stops (with now = that moment) after the first change to the store that is not a
 * lease renewed by its holder, which says only that all is as it was. True if one happened. */
bool cluster_advance_to_change(struct cluster *cluster, kt_ns until);
/* Write what changed to the journal. The daemon calls it before an answer leaves. */
KT_MUST_CHECK enum kt_code cluster_flush(struct cluster *cluster, struct kt_err *err);

/* After a jump virtual time runs ahead of the client's clock. With offset = virtual - wall, times in answers
 * are shifted back by it, so that ages and a client's own clock agree. 0 (the default) costs nothing. */
void cluster_set_wire_offset(struct cluster *cluster, kt_ns offset);

/* --- requests --- */
struct cluster_header {
	const char *name, *value;
};
struct cluster_request {
	const char *method; /* "GET"… */
	const char *target; /* raw path with query, percent-encoded */
	const struct cluster_header *headers;
	size_t header_count;
	const void *body;
	size_t body_len;
	const char *cert_user;          /* from a verified client certificate: CN; NULL if none */
	const char *const *cert_groups; /* its O values, NULL-terminated */
	bool loopback_admin; /* in-process caller (tests, drills): system:masters without credentials */
};
struct cluster_stream;
struct cluster_response {
	int status; /* HTTP */
	char content_type[96];
	struct cluster_header_list {
		struct kt_strs names, values;
	} headers; /* further ones (Warning, ETag, …) */
	struct kt_buf body;
	struct cluster_stream *stream; /* what follows the body while it lasts (watch, logs -f), or an upgrade
	                                  (status 101); owned */
};
void cluster_response_clear(struct cluster_response *response);
/* Answer one request, at cluster_now(). Never fails: bad requests get the real server's Status. `response`
 * starts zeroed. */
void cluster_handle(struct cluster *cluster, const struct cluster_request *request,
                    struct cluster_response *response);

/* --- streams: an answer that goes on. Chunked bodies have channel 0 only; upgrades (exec, attach,
 * port-forward) have Kubernetes' channels: 0 stdin, 1 stdout, 2 stderr, 3 a Status at the end, 4 resize. For
 * port-forward, channel 2i is the data and 2i+1 the error channel of the i-th connection. The edge only
 * frames (HTTP chunks, WebSocket, SPDY). --- */
enum cluster_stream_kind { CLUSTER_STREAM_CHUNKS, CLUSTER_STREAM_EXEC, CLUSTER_STREAM_PORTFORWARD };
enum cluster_stream_kind cluster_stream_kind(const struct cluster_stream *stream);
enum cluster_stream_state { CLUSTER_STREAM_DATA, CLUSTER_STREAM_WAIT, CLUSTER_STREAM_END };
/* The next piece for the client, if there is one now; END after the last. */
enum cluster_stream_state cluster_stream_read(struct cluster_stream *stream, unsigned *channel,
                                              struct kt_buf *out);
void cluster_stream_write(struct cluster_stream *stream, unsigned channel, const void *data, size_t len);
void cluster_stream_eof(struct cluster_stream *stream,
                        unsigned channel); /* the client will send no more there */
/* port-forward: a further connection to `port`; returns its index i. */
unsigned cluster_stream_open(struct cluster_stream *stream, unsigned port);
/* `fn` is called whenever a read may give something new; it must not call back into the cluster. */
void cluster_stream_notify(struct cluster_stream *stream, void (*fn)(void *arg), void *arg);
void cluster_stream_free(struct cluster_stream *stream); /* the client is gone, or all is read */

/* --- what the world does to it: not through the Kubernetes API. `what` is a step of the scenario language as
 * JSON
 * ({node: {is: down, pick: {name: n1}}}, {zone: …}, {link: …}, {load: …}, {pod: …}, {image: …}); over HTTP it
 * is POST /ktutor/v1/disturb. Errors say what was wrong and what there is instead. --- */
KT_MUST_CHECK enum kt_code cluster_disturb(struct cluster *cluster, const struct kt_json *what,
                                           struct kt_json **out_result, struct kt_err *err);

/* What became of the traffic since then, a row a Service (network/network.h traffic_report). New. */
struct kt_json *cluster_traffic(struct cluster *cluster, kt_ns since);

/* --- memory of it --- */
struct cluster_snapshot;
struct cluster_snapshot *cluster_snapshot(struct cluster *cluster); /* instant: structure is shared */
void cluster_restore(struct cluster *cluster,
                     const struct cluster_snapshot *snapshot); /* time too; resourceVersions go on */
void cluster_snapshot_free(struct cluster_snapshot *snapshot);
/* Put everything back to the moment `t`; fails when that is longer ago than the history reaches (the error
 * says how far it does). */
KT_MUST_CHECK enum kt_code cluster_rewind(struct cluster *cluster, kt_ns t, struct kt_err *err);
/* What happened and why, newest last: {"oldest": VERSION, "events": [{version, at, change, kind, namespace,
 * name, actor, reason, because, changed: [{path, from, to}]}]}. `object` "KIND/NS/NAME", "KIND/NAME" or
 * "KIND" (any of its names), NULL: everything; `since` a resourceVersion. At most `limit` events (0: 500),
 * the newest. */
struct kt_json *cluster_history(struct cluster *cluster, const char *object, uint64_t since, size_t limit);

/* --- without a cluster --- */
enum cluster_fit { CLUSTER_FITS, CLUSTER_NO_KIND, CLUSTER_NO_FIELD, CLUSTER_NO_PIECE };
/* Is it an object of Kubernetes (its `kind` may stand without an apiVersion) or, without a kind, a piece of
 * one: does it have the names that some type has? *where: the field that its kind does not have; new, or
 * NULL. */
enum cluster_fit cluster_fits(const struct kt_json *manifest, char **where);

#endif

/* SPDX-License-Identifier: MIT */
/* session: an upgraded connection: between a cluster_stream (channels) and what the client speaks (WebSocket
 * channels, SPDY streams, SPDY in WebSocket). Bytes in, bytes out; no socket.
 *
 * Which protocols there are: a table in session.c, from
 * kubernetes staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go and
 * portforward/constants.go. */
#ifndef EDGE_SESSION_H
#define EDGE_SESSION_H

#include "cluster/edge/http.h"

struct session;
/* Agree on a protocol with the client. On KT_OK `response` (status 101) has the headers of the upgrade and
 * the session owns `steal`. On failure the stream is freed and `response` is the refusal. */
KT_MUST_CHECK enum kt_code session_new(const struct http_head *head, struct cluster_stream *steal,
                                       struct cluster_response *response, struct session **out);
void session_free(struct session *session);
/* Bytes of the client; false: nothing more can come of them. */
bool session_feed(struct session *session, const void *data, size_t len);
/* Move what the stream has to the client, until about `max` bytes wait in `out`. False: all is said and in
 * `out`. */
bool session_pump(struct session *session, size_t max, struct kt_buf *out);
/* The channels are the first bytes of messages: the client may not have opened them when the first ones come.
 */
bool session_may_be_early(const struct session *session);
struct cluster_stream *session_stream(struct session *session); /* borrowed, for cluster_stream_notify */

#endif

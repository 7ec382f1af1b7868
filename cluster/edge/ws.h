/* SPDX-License-Identifier: MIT */
/* WebSocket (RFC 6455), server side: bytes in, messages out; framing by wslay. No socket. */
#ifndef EDGE_WS_H
#define EDGE_WS_H

#include "base/base.h"

struct ws;
/* Complete messages of the client. Text messages come as bytes too. */
typedef void ws_message_fn(void *arg, const void *data, size_t len);
struct ws *ws_new(ws_message_fn *fn, void *arg);
void ws_free(struct ws *ws);
/* Bytes from the wire: calls `fn` for each message; replies (pong, close) go to the output. False: the
 * connection is to be closed after the output is written. */
bool ws_feed(struct ws *ws, const void *data, size_t len);
void ws_send(struct ws *ws, const void *data, size_t len); /* one binary message */
void ws_ping(struct ws *ws);
void ws_close(struct ws *ws, unsigned code); /* no more after this */
bool ws_closed(const struct ws *ws);         /* both sides said so, or an error */
/* What is to be written to the wire is appended to `out`. */
void ws_drain(struct ws *ws, struct kt_buf *out);
/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
void ws_accept(const char *key, struct kt_buf *out);

#endif

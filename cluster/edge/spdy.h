/* SPDX-License-Identifier: MIT */
/* SPDY/3.1 framing, server side, as kubectl's client (moby/spdystream) speaks it: bytes in, events out. No
 * socket, no push, no flow control (that client has none: it neither sends nor heeds WINDOW_UPDATE). */
#ifndef EDGE_SPDY_H
#define EDGE_SPDY_H

#include "base/base.h"

enum spdy_event_kind { SPDY_OPEN, SPDY_DATA, SPDY_RESET, SPDY_GOAWAY };
struct spdy_event {
	enum spdy_event_kind kind;
	uint32_t stream;
	const void *data; /* SPDY_DATA */
	size_t len;
	bool fin;                             /* the client sends no more on this stream */
	const struct kt_strs *names, *values; /* SPDY_OPEN: headers, names in lower case */
};
typedef void spdy_event_fn(void *arg, const struct spdy_event *event);

struct spdy;
struct spdy *spdy_new(spdy_event_fn *fn, void *arg);
void spdy_free(struct spdy *spdy);
/* Bytes from the wire. False: not SPDY (or too large a frame); a GOAWAY is in the output. */
bool spdy_feed(struct spdy *spdy, const void *data, size_t len);
/* What the server says. */
void spdy_reply(struct spdy *spdy, uint32_t stream); /* SYN_REPLY without headers: accepted */
void spdy_send(struct spdy *spdy, uint32_t stream, const void *data, size_t len, bool fin);
void spdy_reset(struct spdy *spdy, uint32_t stream);
void spdy_goaway(struct spdy *spdy);
void spdy_drain(struct spdy *spdy, struct kt_buf *out);

const char *spdy_header(const struct spdy_event *event, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
#include "cluster/edge/session.h"
#include "cluster/edge/spdy.h"
#include "cluster/edge/ws.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SESSION_MAX_FORWARDS 4096 /* connections forwarded in one session's life */
#define SESSION_CHANNELS     5
#define CLOSE_CHANNEL        255 /* v5: the client's next byte names the channel that it closes */

struct protocol {
	const char *upgrade, *name;
	enum cluster_stream_kind kind;
	bool spdy; /* else channels are the first byte of each message */
};
/* In the server's order of preference. */
static const struct protocol protocols[] = {
        {"websocket", "v5.channel.k8s.io", CLUSTER_STREAM_EXEC, false},
        {"websocket", "v4.channel.k8s.io", CLUSTER_STREAM_EXEC, false},
        {"websocket", "SPDY/3.1+portforward.k8s.io", CLUSTER_STREAM_PORTFORWARD, true},
        {"SPDY/3.1", "v4.channel.k8s.io", CLUSTER_STREAM_EXEC, true},
        {"SPDY/3.1", "portforward.k8s.io", CLUSTER_STREAM_PORTFORWARD, true},
};

/* One SPDY stream of the client and the channel that it carries. */
struct lane {
	uint32_t stream;    /* 0: the client has not opened it yet */
	struct kt_buf held; /* said before it was opened */
	bool ended, fin_sent;
};

struct session {
	const struct protocol *protocol;
	struct cluster_stream *stream;
	struct ws *ws;
	struct spdy *spdy;
	struct lane *lanes; /* by channel; SPDY only */
	size_t lane_count, lane_cap;
	struct forward {
		long id; /* the client's requestID */
		uint32_t data, error;
		bool opened;
		unsigned index; /* of cluster_stream_open */
	} * forwards;
	size_t forward_count, forward_cap;
	unsigned expected; /* channels that the client said it will open, by bit; exec over SPDY */
	bool stream_over, gone;
};

/* --- lanes: channels over SPDY --- */

static struct lane *lane_of(struct session *session, size_t channel)
{
	if (channel >= 2 * (size_t)SESSION_MAX_FORWARDS)
		return NULL;
	if (channel >= session->lane_count) {
		session->lanes =
		        kt_grow(session->lanes, &session->lane_cap, channel + 1, sizeof(struct lane));
		memset(session->lanes + session->lane_count, 0,
		       (channel + 1 - session->lane_count) * sizeof(struct lane));
		session->lane_count = channel + 1;
	}
	return &session->lanes[channel];
}

static void lane_flush(struct session *session, struct lane *lane)
{
	if (!lane->stream || lane->fin_sent)
		return;
	if (lane->held.len || lane->ended)
		spdy_send(session->spdy, lane->stream, kt_buf_str(&lane->held), lane->held.len, lane->ended);
	lane->fin_sent = lane->ended;
	kt_buf_clear(&lane->held);
}

static void lane_end(struct session *session, size_t channel)
{
	struct lane *lane = lane_of(session, channel);
	if (!lane)
		return;
	lane->ended = true;
	lane_flush(session, lane);
}

static void lane_open(struct session *session, size_t channel, uint32_t stream)
{
	struct lane *lane = lane_of(session, channel);
	if (!lane)
		return;
	lane->stream = stream;
	lane_flush(session, lane);
}

static ptrdiff_t channel_of_stream(const struct session *session, uint32_t stream)
{
	for (size_t i = 0; stream && i < session->lane_count; i++)
		if (session->lanes[i].stream == stream)
			return (ptrdiff_t)i;
	return -1;
}

/* --- SPDY: what the client says --- */

static void open_exec(struct session *session, const struct spdy_event *event)
{
	static const char *const types[SESSION_CHANNELS] = {"stdin", "stdout", "stderr", "error", "resize"};
	const char *type = spdy_header(event, "streamtype");
	for (size_t i = 0; i < SESSION_CHANNELS; i++) {
		if (!kt_streq(type, types[i]))
			continue;
		spdy_reply(session->spdy, event->stream);
		lane_open(session, i, event->stream);
		return;
	}
	spdy_reset(session->spdy, event->stream);
}

static struct forward *forward_of(struct session *session, long id)
{
	for (size_t i = session->forward_count; i-- > 0;)
		if (session->forwards[i].id == id)
			return &session->forwards[i];
	if (session->forward_count == SESSION_MAX_FORWARDS)
		return NULL;
	session->forwards = kt_grow(session->forwards, &session->forward_cap, session->forward_count + 1,
	                            sizeof *session->forwards);
	struct forward *forward = &session->forwards[session->forward_count++];
	memset(forward, 0, sizeof *forward);
	forward->id = id;
	return forward;
}

/* A pair of streams is one connection: "error" comes first, then "data", with the same requestID. */
static void open_forward(struct session *session, const struct spdy_event *event)
{
	const char *type = spdy_header(event, "streamtype"), *port = spdy_header(event, "port");
	const char *id = spdy_header(event, "requestid");
	char *end = NULL;
	long number = port ? strtol(port, &end, 10) : 0;
	bool data = kt_streq(type, "data"), known = data || kt_streq(type, "error");
	struct forward *forward = NULL;
	if (known && number > 0 && number < 65536 && !*end)
		forward = forward_of(session, id ? strtol(id, NULL, 10) : (long)event->stream / 4);
	if (!forward) {
		spdy_reset(session->spdy, event->stream);
		return;
	}
	if (!forward->opened) {
		forward->index = cluster_stream_open(session->stream, (unsigned)number);
		forward->opened = true;
	}
	spdy_reply(session->spdy, event->stream);
	lane_open(session, 2 * (size_t)forward->index + (data ? 0 : 1), event->stream);
}

static void on_spdy(void *arg, const struct spdy_event *event)
{
	struct session *session = arg;
	bool forward = session->protocol->kind == CLUSTER_STREAM_PORTFORWARD;
	if (event->kind == SPDY_GOAWAY) {
		session->gone = true;
		return;
	}
	if (event->kind == SPDY_OPEN)
		(forward ? open_forward : open_exec)(session, event);
	ptrdiff_t channel = channel_of_stream(session, event->stream);
	/* The client only closes its side of an error stream. */
	if (channel < 0 || (forward && channel % 2))
		return;
	if (event->kind == SPDY_DATA && event->len)
		cluster_stream_write(session->stream, (unsigned)channel, event->data, event->len);
	if (event->fin || event->kind == SPDY_RESET)
		cluster_stream_eof(session->stream, (unsigned)channel);
	if (event->kind == SPDY_RESET) {
		session->lanes[channel].ended = session->lanes[channel].fin_sent = true;
		kt_buf_clear(&session->lanes[channel].held);
	}
}

static void on_message(void *arg, const void *data, size_t len)
{
	struct session *session = arg;
	const unsigned char *bytes = data;
	if (session->spdy) {
		if (!spdy_feed(session->spdy, data, len))
			session->gone = true;
	} else if (len >= 2 && bytes[0] == CLOSE_CHANNEL) {
		cluster_stream_eof(session->stream, bytes[1]);
	} else if (len >= 2 && (bytes[0] == 0 || bytes[0] == 4)) {
		cluster_stream_write(session->stream, bytes[0], bytes + 1, len - 1);
	}
}

bool session_feed(struct session *session, const void *data, size_t len)
{
	if (session->ws ? !ws_feed(session->ws, data, len) : !spdy_feed(session->spdy, data, len))
		session->gone = true;
	return !session->gone;
}

/* --- what the stream says --- */

static void say(struct session *session, unsigned channel, const struct kt_buf *data)
{
	bool forward = session->protocol->kind == CLUSTER_STREAM_PORTFORWARD;
	if (!session->spdy) {
		if (channel < SESSION_CHANNELS && data->len) {
			struct kt_buf message = {0};
			kt_buf_addc(&message, (char)channel);
			kt_buf_add(&message, data->data, data->len);
			ws_send(session->ws, message.data, message.len);
			kt_buf_clear(&message);
		}
		return;
	}
	struct lane *lane = lane_of(session, channel);
	if (!lane || lane->ended)
		return;
	if (data->len) {
		kt_buf_add(&lane->held, data->data, data->len);
		lane_flush(session, lane);
	} else {
		lane_end(session, channel);
		if (forward && channel % 2 == 0) /* kubectl waits for the end of the error stream too */
			lane_end(session, channel + 1);
	}
}

static void end_all(struct session *session)
{
	session->stream_over = true;
	size_t channels = session->protocol->kind == CLUSTER_STREAM_EXEC ? 4 : session->lane_count;
	for (size_t i = 0; session->spdy && i < channels; i++)
		lane_end(session, i);
	if (session->spdy && session->protocol->kind == CLUSTER_STREAM_PORTFORWARD)
		spdy_goaway(session->spdy);
	if (session->ws && !session->spdy)
		ws_close(session->ws, 1000);
}

/* The client may open its streams after the command has ended, one by one: all that it asked for must have
 * heard the end. */
static bool all_said(const struct session *session)
{
	if (!session->stream_over)
		return false;
	if (!session->spdy)
		return ws_closed(session->ws);
	if (session->protocol->kind == CLUSTER_STREAM_PORTFORWARD)
		return true;
	for (size_t i = 0; i < SESSION_CHANNELS; i++)
		if ((session->expected >> i & 1) && !session->lanes[i].fin_sent)
			return false;
	return true;
}

static void drain(struct session *session, struct kt_buf *out)
{
	if (session->spdy && session->ws) {
		struct kt_buf frames = {0};
		spdy_drain(session->spdy, &frames);
		if (frames.len)
			ws_send(session->ws, frames.data, frames.len);
		kt_buf_clear(&frames);
	} else if (session->spdy) {
		spdy_drain(session->spdy, out);
	}
	if (session->ws)
		ws_drain(session->ws, out);
}

bool session_pump(struct session *session, size_t max, struct kt_buf *out)
{
	struct kt_buf data = {0};
	unsigned channel = 0;
	drain(session, out);
	while (!session->stream_over && !session->gone && out->len < max) {
		kt_buf_cut(&data, 0);
		enum cluster_stream_state state = cluster_stream_read(session->stream, &channel, &data);
		if (state == CLUSTER_STREAM_WAIT)
			break;
		if (state == CLUSTER_STREAM_END)
			end_all(session);
		else
			say(session, channel, &data);
		drain(session, out);
	}
	kt_buf_clear(&data);
	return !session->gone && !all_said(session);
}

bool session_may_be_early(const struct session *session)
{
	return !session->spdy;
}

struct cluster_stream *session_stream(struct session *session)
{
	return session->stream;
}

/* --- the handshake --- */

static void add_header(struct cluster_response *response, const char *name, const char *value)
{
	kt_strs_add(&response->headers.names, name);
	kt_strs_add(&response->headers.values, value);
}

/* Which streams the client will open: those that it names in the query, and the error stream (kubernetes
 * staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand/httpstream.go). */
static unsigned expected_channels(const char *target)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	const char *query = strchr(target, '?'), *piece;
	unsigned expected = 1u << 3;
	size_t len;
	query = query ? query + 1 : NULL;
	while (query && (piece = kt_split(&query, '&', &len))) {
		for (size_t i = 0; i < KT_COUNT(names); i++) {
			size_t name = strlen(names[i]);
			if (len > name + 1 && !strncmp(piece, names[i], name) && piece[name] == '=' &&
			    (piece[name + 1] == 't' || piece[name + 1] == '1'))
				expected |= 1u << i;
		}
	}
	return expected;
}

static const struct protocol *choose(const struct http_head *head, enum cluster_stream_kind kind)
{
	for (size_t i = 0; i < KT_COUNT(protocols); i++) {
		const struct protocol *p = &protocols[i];
		bool ws = kt_streq(p->upgrade, "websocket");
		if (p->kind == kind && http_header_has(head, "upgrade", p->upgrade) &&
		    http_header_has(head, ws ? "sec-websocket-protocol" : "x-stream-protocol-version",
		                    p->name))
			return p;
	}
	return NULL;
}

static enum kt_code refuse(const struct http_head *head, enum cluster_stream_kind kind,
                           struct cluster_response *response)
{
	if (!http_header(head, "upgrade") || !http_header_has(head, "connection", "upgrade")) {
		http_fail(response, 400, "BadRequest", "Upgrade request required");
		return KT_EINVAL;
	}
	const char *asked = http_header(head, "sec-websocket-protocol");
	if (!asked)
		asked = http_header(head, "x-stream-protocol-version");
	struct kt_buf text = {0};
	kt_buf_addf(&text, "unable to negotiate protocol: client supports [%s], server accepts [",
	            asked ? asked : "");
	for (size_t i = 0, n = 0; i < KT_COUNT(protocols); i++)
		if (protocols[i].kind == kind)
			kt_buf_addf(&text, "%s%s", n++ ? " " : "", protocols[i].name);
	kt_buf_addc(&text, ']');
	http_fail(response, 403, "Forbidden", kt_buf_str(&text));
	kt_buf_clear(&text);
	return KT_EINVAL;
}

enum kt_code session_new(const struct http_head *head, struct cluster_stream *steal,
                         struct cluster_response *response, struct session **out)
{
	enum cluster_stream_kind kind = cluster_stream_kind(steal);
	const struct protocol *protocol = NULL;
	const char *key = http_header(head, "sec-websocket-key");
	if (http_header_has(head, "connection", "upgrade"))
		protocol = choose(head, kind);
	bool ws = protocol && kt_streq(protocol->upgrade, "websocket");
	if (!protocol || (ws && !key)) {
		cluster_stream_free(steal);
		return refuse(head, kind, response);
	}
	struct session *session = kt_alloc(sizeof *session);
	session->protocol = protocol;
	session->stream = steal;
	session->expected = expected_channels(head->target);
	if (ws)
		session->ws = ws_new(on_message, session);
	if (protocol->spdy)
		session->spdy = spdy_new(on_spdy, session);
	if (protocol->spdy && kind == CLUSTER_STREAM_EXEC)
		(void)lane_of(session, SESSION_CHANNELS - 1);
	response->status = 101;
	response->content_type[0] = 0;
	add_header(response, "Upgrade", protocol->upgrade);
	add_header(response, "Connection", "Upgrade");
	if (ws) {
		struct kt_buf accept = {0};
		ws_accept(key, &accept);
		add_header(response, "Sec-WebSocket-Accept", kt_buf_str(&accept));
		kt_buf_clear(&accept);
	}
	add_header(response, ws ? "Sec-WebSocket-Protocol" : "X-Stream-Protocol-Version", protocol->name);
	*out = session;
	return KT_OK;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	cluster_stream_free(session->stream);
	ws_free(session->ws);
	spdy_free(session->spdy);
	for (size_t i = 0; i < session->lane_count; i++)
		kt_buf_clear(&session->lanes[i].held);
	kt_free(session->lanes);
	kt_free(session->forwards);
	kt_free(session);
}

/* SPDX-License-Identifier: MIT */
#include "cluster/edge/ws.h"
#include <string.h>
#include <sys/types.h>
#include <wslay/wslay.h>

/* kubectl's messages are 32 KiB at most; SPDY in WebSocket as well. */
#define WS_MAX_MESSAGE (1024 * 1024)

struct ws {
	wslay_event_context_ptr ctx;
	ws_message_fn *fn;
	void *arg;
	const unsigned char *in; /* what is left of the bytes of ws_feed */
	size_t in_len;
	struct kt_buf out;
	bool failed;
};

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *buf, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;
	(void)flags;
	if (!ws->in_len) {
		wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	size_t n = KT_MIN(len, ws->in_len);
	memcpy(buf, ws->in, n);
	ws->in += n;
	ws->in_len -= n;
	return (ssize_t)n;
}

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *data, size_t len, int flags, void *arg)
{
	struct ws *ws = arg;
	(void)ctx;
	(void)flags;
	kt_buf_add(&ws->out, data, len);
	return (ssize_t)len;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *message,
                       void *arg)
{
	struct ws *ws = arg;
	(void)ctx;
	if (!wslay_is_ctrl_frame(message->opcode))
		ws->fn(ws->arg, message->msg, message->msg_length);
}

struct ws *ws_new(ws_message_fn *fn, void *arg)
{
	static const struct wslay_event_callbacks callbacks = {
	        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};
	struct ws *ws = kt_alloc(sizeof *ws);
	ws->fn = fn;
	ws->arg = arg;
	if (wslay_event_context_server_init(&ws->ctx, &callbacks, ws))
		kt_bug("wslay cannot make a context");
	wslay_event_config_set_max_recv_msg_length(ws->ctx, WS_MAX_MESSAGE);
	return ws;
}

void ws_free(struct ws *ws)
{
	if (!ws)
		return;
	wslay_event_context_free(ws->ctx);
	kt_buf_clear(&ws->out);
	kt_free(ws);
}

static void flush(struct ws *ws)
{
	if (wslay_event_want_write(ws->ctx) && wslay_event_send(ws->ctx))
		ws->failed = true;
}

bool ws_feed(struct ws *ws, const void *data, size_t len)
{
	ws->in = data;
	ws->in_len = len;
	while (ws->in_len && !ws->failed && wslay_event_want_read(ws->ctx))
		if (wslay_event_recv(ws->ctx))
			ws->failed = true;
	ws->in = NULL;
	ws->in_len = 0;
	flush(ws);
	return !ws_closed(ws);
}

static void queue(struct ws *ws, unsigned char opcode, const void *data, size_t len)
{
	struct wslay_event_msg message = {.opcode = opcode, .msg = data, .msg_length = len};
	if (!ws->failed && !wslay_event_queue_msg(ws->ctx, &message))
		flush(ws);
}

void ws_send(struct ws *ws, const void *data, size_t len)
{
	queue(ws, WSLAY_BINARY_FRAME, data, len);
}

void ws_ping(struct ws *ws)
{
	queue(ws, WSLAY_PING, NULL, 0);
}

void ws_close(struct ws *ws, unsigned code)
{
	if (!ws->failed && !wslay_event_queue_close(ws->ctx, (uint16_t)code, NULL, 0))
		flush(ws);
}

bool ws_closed(const struct ws *ws)
{
	return ws->failed || (wslay_event_get_close_received(ws->ctx) && wslay_event_get_close_sent(ws->ctx));
}

void ws_drain(struct ws *ws, struct kt_buf *out)
{
	kt_buf_add(out, kt_buf_str(&ws->out), ws->out.len);
	kt_buf_cut(&ws->out, 0);
}

void ws_accept(const char *key, struct kt_buf *out)
{
	unsigned char digest[20];
	struct kt_buf joined = {0};
	kt_buf_adds(&joined, key);
	kt_buf_adds(&joined, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
	kt_sha1(joined.data, joined.len, digest);
	kt_base64(digest, sizeof digest, out);
	kt_buf_clear(&joined);
}

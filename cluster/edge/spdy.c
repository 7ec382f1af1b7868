/* SPDX-License-Identifier: MIT */
/* Frame layouts: draft-mbelshe-httpbis-spdy-00, section 2. */
#include "cluster/edge/spdy.h"
#include "cluster/edge/spdy_dictionary.h"
#include <string.h>
#include <zlib.h>

#define SPDY_MAX_FRAME   (1024 * 1024)
#define SPDY_MAX_HEADERS 64
#define SPDY_MAX_BLOCK   (64 * 1024) /* of headers, unpacked */
#define SPDY_MAX_PIECE   (32 * 1024) /* of data that we send in one frame */

enum { SYN_STREAM = 1, SYN_REPLY = 2, RST_STREAM = 3, PING = 6, GOAWAY = 7 };
enum { FLAG_FIN = 1 };

struct spdy {
	spdy_event_fn *fn;
	void *arg;
	struct kt_buf in, out;
	z_stream inflate, deflate;
	uint32_t last_stream;
	bool failed;
};

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(struct kt_buf *out, uint32_t v)
{
	unsigned char bytes[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16), (unsigned char)(v >> 8),
	                          (unsigned char)v};
	kt_buf_add(out, bytes, 4);
}

static void put_control(struct kt_buf *out, unsigned type, unsigned flags, size_t len)
{
	put32(out, 0x80030000u | type);
	put32(out, (uint32_t)flags << 24 | (uint32_t)len);
}

struct spdy *spdy_new(spdy_event_fn *fn, void *arg)
{
	struct spdy *spdy = kt_alloc(sizeof *spdy);
	spdy->fn = fn;
	spdy->arg = arg;
	/* A small window: replies have no headers, and each connection would pay 256 KiB. */
	if (inflateInit(&spdy->inflate) != Z_OK ||
	    deflateInit2(&spdy->deflate, 1, Z_DEFLATED, 11, 1, Z_DEFAULT_STRATEGY) != Z_OK ||
	    deflateSetDictionary(&spdy->deflate, spdy_dictionary, sizeof spdy_dictionary) != Z_OK)
		kt_bug("zlib cannot make a stream");
	return spdy;
}

void spdy_free(struct spdy *spdy)
{
	if (!spdy)
		return;
	inflateEnd(&spdy->inflate);
	deflateEnd(&spdy->deflate);
	kt_buf_clear(&spdy->in);
	kt_buf_clear(&spdy->out);
	kt_free(spdy);
}

/* Unpack a header block; all blocks of a connection are one zlib stream. */
static bool unpack(struct spdy *spdy, const unsigned char *data, size_t len, struct kt_buf *out)
{
	z_stream *z = &spdy->inflate;
	unsigned char piece[4096];
	z->next_in = (unsigned char *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	do {
		z->next_out = piece;
		z->avail_out = sizeof piece;
		int rc = inflate(z, Z_SYNC_FLUSH);
		if (rc == Z_NEED_DICT) {
			if (inflateSetDictionary(z, spdy_dictionary, sizeof spdy_dictionary) != Z_OK)
				return false;
			continue;
		}
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return false;
		kt_buf_add(out, piece, sizeof piece - z->avail_out);
		if (out->len > SPDY_MAX_BLOCK)
			return false;
		if (rc == Z_BUF_ERROR && z->avail_out)
			break;
	} while (z->avail_in || !z->avail_out);
	return true;
}

static bool take_string(const unsigned char **at, const unsigned char *end, struct kt_strs *list)
{
	if (end - *at < 4)
		return false;
	uint32_t len = get32(*at);
	*at += 4;
	if ((size_t)(end - *at) < len)
		return false;
	kt_strs_steal(list, kt_strndup((const char *)*at, len));
	*at += len;
	return true;
}

static bool parse_block(const struct kt_buf *block, struct kt_strs *names, struct kt_strs *values)
{
	const unsigned char *at = (const unsigned char *)kt_buf_str(block), *end = at + block->len;
	if (block->len < 4)
		return false;
	uint32_t count = get32(at);
	at += 4;
	if (count > SPDY_MAX_HEADERS)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!take_string(&at, end, names) || !take_string(&at, end, values))
			return false;
	return true;
}

static bool on_syn_stream(struct spdy *spdy, const unsigned char *body, size_t len, unsigned flags)
{
	struct kt_buf block = {0};
	struct kt_strs names = {0}, values = {0};
	bool ok = len >= 10 && unpack(spdy, body + 10, len - 10, &block) &&
	          parse_block(&block, &names, &values);
	uint32_t stream = ok ? get32(body) & 0x7fffffffu : 0;
	/* Streams of the client are odd and grow. */
	if (ok && (!(stream & 1) || stream <= spdy->last_stream)) {
		spdy_reset(spdy, stream);
	} else if (ok) {
		spdy->last_stream = stream;
		struct spdy_event event = {.kind = SPDY_OPEN,
		                           .stream = stream,
		                           .fin = flags & FLAG_FIN,
		                           .names = &names,
		                           .values = &values};
		spdy->fn(spdy->arg, &event);
	}
	kt_buf_clear(&block);
	kt_strs_clear(&names);
	kt_strs_clear(&values);
	return ok;
}

static bool on_control(struct spdy *spdy, unsigned type, unsigned flags, const unsigned char *body,
                       size_t len)
{
	struct spdy_event event = {0};
	switch (type) {
	case SYN_STREAM:
		return on_syn_stream(spdy, body, len, flags);
	case RST_STREAM:
		if (len != 8)
			return false;
		event.kind = SPDY_RESET;
		event.stream = get32(body) & 0x7fffffffu;
		spdy->fn(spdy->arg, &event);
		return true;
	case PING:
		if (len != 4)
			return false;
		if (get32(body) & 1) { /* the client's own: echo; others answer ours */
			put_control(&spdy->out, PING, 0, 4);
			put32(&spdy->out, get32(body));
		}
		return true;
	case GOAWAY:
		event.kind = SPDY_GOAWAY;
		spdy->fn(spdy->arg, &event);
		return true;
	case 8: /* HEADERS: nothing in them for us, but the packed stream must be followed */
	case SYN_REPLY: {
		struct kt_buf block = {0};
		bool ok = len >= 4 && unpack(spdy, body + 4, len - 4, &block);
		kt_buf_clear(&block);
		return ok;
	}
	default: /* SETTINGS, WINDOW_UPDATE and what may come */
		return true;
	}
}

static bool on_frame(struct spdy *spdy, const unsigned char *head, size_t len)
{
	uint32_t first = get32(head);
	unsigned flags = head[4];
	if (first & 0x80000000u)
		return (first >> 16 & 0x7fff) == 3 && on_control(spdy, first & 0xffff, flags, head + 8, len);
	struct spdy_event event = {
	        .kind = SPDY_DATA, .stream = first, .data = head + 8, .len = len, .fin = flags & FLAG_FIN};
	if (!event.stream)
		return false;
	spdy->fn(spdy->arg, &event);
	return true;
}

bool spdy_feed(struct spdy *spdy, const void *data, size_t len)
{
	if (spdy->failed)
		return false;
	kt_buf_add(&spdy->in, data, len);
	size_t at = 0;
	while (!spdy->failed && spdy->in.len - at >= 8) {
		const unsigned char *head = (const unsigned char *)spdy->in.data + at;
		size_t size = get32(head + 4) & 0xffffff;
		if (size > SPDY_MAX_FRAME) {
			spdy->failed = true;
			break;
		}
		if (spdy->in.len - at - 8 < size)
			break;
		if (!on_frame(spdy, head, size))
			spdy->failed = true;
		at += 8 + size;
	}
	kt_buf_drop(&spdy->in, KT_MIN(at, spdy->in.len));
	if (spdy->failed) {
		put_control(&spdy->out, GOAWAY, 0, 8);
		put32(&spdy->out, spdy->last_stream);
		put32(&spdy->out, 1); /* protocol error */
	}
	return !spdy->failed;
}

void spdy_reply(struct spdy *spdy, uint32_t stream)
{
	unsigned char packed[64], none[4] = {0};
	z_stream *z = &spdy->deflate;
	z->next_in = none;
	z->avail_in = sizeof none;
	z->next_out = packed;
	z->avail_out = sizeof packed;
	if (deflate(z, Z_SYNC_FLUSH) != Z_OK)
		kt_bug("zlib cannot pack four bytes");
	size_t len = sizeof packed - z->avail_out;
	put_control(&spdy->out, SYN_REPLY, 0, 4 + len);
	put32(&spdy->out, stream);
	kt_buf_add(&spdy->out, packed, len);
}

void spdy_send(struct spdy *spdy, uint32_t stream, const void *data, size_t len, bool fin)
{
	const char *at = data;
	do {
		size_t piece = KT_MIN(len, (size_t)SPDY_MAX_PIECE);
		bool last = piece == len;
		put32(&spdy->out, stream);
		put32(&spdy->out, (uint32_t)(last && fin ? FLAG_FIN : 0) << 24 | (uint32_t)piece);
		if (piece)
			kt_buf_add(&spdy->out, at, piece);
		at = piece ? at + piece : at;
		len -= piece;
	} while (len);
}

void spdy_reset(struct spdy *spdy, uint32_t stream)
{
	put_control(&spdy->out, RST_STREAM, 0, 8);
	put32(&spdy->out, stream);
	put32(&spdy->out, 1); /* protocol error */
}

void spdy_goaway(struct spdy *spdy)
{
	put_control(&spdy->out, GOAWAY, 0, 8);
	put32(&spdy->out, spdy->last_stream);
	put32(&spdy->out, 0);
}

void spdy_drain(struct spdy *spdy, struct kt_buf *out)
{
	kt_buf_add(out, kt_buf_str(&spdy->out), spdy->out.len);
	kt_buf_cut(&spdy->out, 0);
}

const char *spdy_header(const struct spdy_event *event, const char *name)
{
	for (size_t i = 0; event->names && i < event->names->count && i < event->values->count; i++)
		if (kt_streq(event->names->items[i], name))
			return event->values->items[i];
	return NULL;
}

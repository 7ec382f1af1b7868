/* SPDX-License-Identifier: MIT */
/* What a client says: WebSocket and SPDY frames, for tests. */
#ifndef TEST_EDGE_CLIENT_H
#define TEST_EDGE_CLIENT_H

#include "cluster/edge/spdy_dictionary.h"
#include "base/base.h"
#include <string.h>
#include <zlib.h>

enum { WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

static inline void client_ws(struct kt_buf *out, unsigned opcode, const void *data, size_t len)
{
	static const unsigned char mask[4] = {1, 2, 3, 4};
	kt_buf_addc(out, (char)(0x80 | opcode));
	if (len < 126) {
		kt_buf_addc(out, (char)(0x80 | len));
	} else {
		kt_buf_addc(out, (char)(0x80 | 126));
		kt_buf_addc(out, (char)(len >> 8));
		kt_buf_addc(out, (char)len);
	}
	kt_buf_add(out, mask, 4);
	for (size_t i = 0; i < len; i++)
		kt_buf_addc(out, (char)(((const unsigned char *)data)[i] ^ mask[i % 4]));
}

/* The server's frame at *at (unmasked): its opcode, or -1 when there is none whole; *at moves behind it. */
static inline int client_ws_next(const struct kt_buf *in, size_t *at, const char **data, size_t *len)
{
	const unsigned char *p = (const unsigned char *)kt_buf_str(in) + *at;
	size_t left = in->len - *at, head = 2;
	if (left < 2)
		return -1;
	*len = p[1] & 0x7f;
	if (*len == 126 && left >= 4) {
		*len = (size_t)p[2] << 8 | p[3];
		head = 4;
	} else if (*len == 127 && left >= 10) {
		*len = (size_t)p[6] << 24 | (size_t)p[7] << 16 | (size_t)p[8] << 8 | p[9];
		head = 10;
	}
	if (left < head + *len)
		return -1;
	*data = (const char *)p + head;
	*at += head + *len;
	return p[0] & 15;
}

static inline void client_put32(struct kt_buf *out, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		kt_buf_addc(out, (char)(v >> shift));
}

static inline uint32_t client_get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* SYN_STREAM with the headers NAME, VALUE, …, NULL; `z` packs all of a connection's headers. */
static inline void client_syn(struct kt_buf *out, z_stream *z, uint32_t stream, unsigned flags,
                              const char *const *headers)
{
	struct kt_buf block = {0};
	unsigned char packed[4096];
	uint32_t count = 0;
	while (headers[2 * count])
		count++;
	client_put32(&block, count);
	for (uint32_t i = 0; i < 2 * count; i++) {
		client_put32(&block, (uint32_t)strlen(headers[i]));
		kt_buf_adds(&block, headers[i]);
	}
	z->next_in = (unsigned char *)block.data;
	z->avail_in = (unsigned)block.len;
	z->next_out = packed;
	z->avail_out = sizeof packed;
	(void)deflate(z, Z_SYNC_FLUSH);
	size_t len = sizeof packed - z->avail_out;
	client_put32(out, 0x80030001u);
	client_put32(out, (uint32_t)flags << 24 | (uint32_t)(len + 10));
	client_put32(out, stream);
	client_put32(out, 0);
	kt_buf_add(out, "\0\0", 2);
	kt_buf_add(out, packed, len);
	kt_buf_clear(&block);
}

static inline void client_data(struct kt_buf *out, uint32_t stream, const char *text, bool fin)
{
	client_put32(out, stream);
	client_put32(out, (fin ? 1u << 24 : 0) | (uint32_t)strlen(text));
	kt_buf_adds(out, text);
}

static inline void client_zlib(z_stream *z)
{
	memset(z, 0, sizeof *z);
	(void)deflateInit(z, 9);
	(void)deflateSetDictionary(z, spdy_dictionary, sizeof spdy_dictionary);
}

/* All the server's SPDY frames as text: "reply 1;data 1 hello;fin 1;…". */
static inline char *client_spdy_text(const struct kt_buf *in)
{
	struct kt_buf text = {0};
	for (size_t at = 0; at + 8 <= in->len;) {
		const char *head = in->data + at;
		uint32_t first = client_get32(head), size = client_get32(head + 4) & 0xffffff;
		bool fin = head[4] & 1;
		if (first == 0x80030002u)
			kt_buf_addf(&text, "reply %u;", client_get32(head + 8));
		else if (first == 0x80030003u)
			kt_buf_addf(&text, "reset %u;", client_get32(head + 8));
		else if (first == 0x80030006u)
			kt_buf_addf(&text, "ping %u;", client_get32(head + 8));
		else if (first == 0x80030007u)
			kt_buf_adds(&text, "goaway;");
		else if (!(first & 0x80000000u) && size)
			kt_buf_addf(&text, "data %u %.*s;", first, (int)size, head + 8);
		if (!(first & 0x80000000u) && fin)
			kt_buf_addf(&text, "fin %u;", first);
		at += 8 + size;
	}
	kt_buf_addc(&text, '\0');
	return kt_buf_take(&text);
}

#endif

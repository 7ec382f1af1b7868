/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/codec.h"

#include <math.h>
#include <string.h>

/* RFC 1321: its table of constants is floor(2^32 * |sin(i + 1)|). */
void kt_md5(const void *data, size_t len, unsigned char out[16])
{
	static const unsigned shifts[4][4] = {
	        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
	uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
	struct kt_buf text = {0};
	kt_buf_add(&text, data, len);
	kt_buf_addc(&text, (char)0x80);
	while (text.len % 64 != 56)
		kt_buf_addc(&text, '\0');
	for (unsigned i = 0; i < 8; i++)
		kt_buf_addc(&text, (char)((uint64_t)len * 8 >> (8 * i)));
	for (size_t at = 0; at < text.len; at += 64) {
		uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3];
		for (unsigned i = 0; i < 16; i++) {
			const unsigned char *p = (const unsigned char *)text.data + at + (size_t)i * 4;
			w[i] = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			       (uint32_t)p[3] << 24;
		}
		for (unsigned i = 0; i < 64; i++) {
			unsigned round = i / 16, shift = shifts[round][i % 4];
			uint32_t f = round == 0 ? (b & c) | (~b & d)
			                        : (round == 1 ? (d & b) | (~d & c)
			                                      : (round == 2 ? b ^ c ^ d : c ^ (b | ~d)));
			unsigned k =
			        round == 0 ? i
			                   : (round == 1 ? 5 * i + 1 : (round == 2 ? 3 * i + 5 : 7 * i)) % 16;
			uint32_t t = a + f +
			             (uint32_t)(int64_t)floor(fabs(sin((double)i + 1)) * 4294967296.0) + w[k];
			a = d;
			d = c;
			c = b;
			b += t << shift | t >> (32 - shift);
		}
		state[0] += a;
		state[1] += b;
		state[2] += c;
		state[3] += d;
	}
	for (unsigned i = 0; i < 16; i++)
		out[i] = (unsigned char)(state[i / 4] >> (8 * (i % 4)));
	kt_buf_clear(&text);
}

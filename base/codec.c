/* SPDX-License-Identifier: MIT */
#include "base/codec.h"

#include <gnutls/gnutls.h>
#include <gnutls/crypto.h>
#include <string.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode64(const unsigned char *p, size_t len, const char *alphabet, bool pad, struct kt_buf *out)
{
	kt_buf_reserve(out, (len + 2) / 3 * 4);
	for (; len; p += KT_MIN(len, 3), len -= KT_MIN(len, 3)) {
		unsigned bits =
		        (unsigned)p[0] << 16 | (len > 1 ? (unsigned)p[1] << 8 : 0) | (len > 2 ? p[2] : 0u);
		for (unsigned i = 0; i < 4; i++) {
			if (i <= len)
				kt_buf_addc(out, alphabet[bits >> (18 - 6 * i) & 63]);
			else if (pad)
				kt_buf_addc(out, '=');
		}
	}
}

void kt_base64(const void *data, size_t len, struct kt_buf *out)
{
	encode64(data, len, standard, true, out);
}

void kt_base64url(const void *data, size_t len, struct kt_buf *out)
{
	encode64(data, len, url_safe, false, out);
}

static int digit64(char c)
{
	const char *at = c ? strchr(standard, c) : NULL;
	if (at)
		return (int)(at - standard);
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Like Go's decoder, line ends within are nothing; padding may be missing (the URL form has none). */
bool kt_unbase64(const char *text, size_t len, struct kt_buf *out)
{
	size_t before = out->len, digits = 0, pads = 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n' || text[i] == '\r')
			continue;
		int digit = digit64(text[i]);
		if (text[i] == '=') {
			pads++;
			continue;
		}
		if (digit < 0 || pads)
			goto rubbish;
		bits = bits << 6 | (uint32_t)digit;
		if (++digits % 4 == 0)
			kt_buf_add(out,
			           (unsigned char[]){(unsigned char)(bits >> 16), (unsigned char)(bits >> 8),
			                             (unsigned char)bits},
			           3);
	}
	size_t rest = digits % 4;
	if (rest == 1 || (pads && (rest + pads != 4 || rest == 0)))
		goto rubbish;
	if (rest == 2)
		kt_buf_addc(out, (char)(bits >> 4));
	if (rest == 3)
		kt_buf_add(out, (unsigned char[]){(unsigned char)(bits >> 10), (unsigned char)(bits >> 2)},
		           2);
	return true;
rubbish:
	kt_buf_cut(out, before);
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool kt_unpercent(const char *text, size_t len, bool plus, struct kt_buf *out)
{
	size_t before = out->len;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			kt_buf_addc(out, plus && text[i] == '+' ? ' ' : text[i]);
			continue;
		}
		int high = i + 2 < len ? hex_digit(text[i + 1]) : -1,
		    low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
		if (high < 0 || low < 0) {
			kt_buf_cut(out, before);
			return false;
		}
		kt_buf_addc(out, (char)(high << 4 | low));
		i += 2;
	}
	return true;
}

void kt_percent(const char *text, struct kt_buf *out)
{
	/* RFC 3986: only the unreserved stay as they are. */
	static const char digits[] = "0123456789ABCDEF";
	kt_buf_reserve(out, strlen(text) + 16);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		             c == '-' || c == '_' || c == '.' || c == '~';
		if (plain) {
			kt_buf_addc(out, *text);
			continue;
		}
		kt_buf_add(out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
	}
}

void kt_hex(const void *data, size_t len, struct kt_buf *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = data;
	kt_buf_reserve(out, 2 * len);
	for (size_t i = 0; i < len; i++) {
		kt_buf_addc(out, digits[p[i] >> 4]);
		kt_buf_addc(out, digits[p[i] & 15]);
	}
}

static void hash(gnutls_digest_algorithm_t algorithm, const void *data, size_t len, unsigned char *out)
{
	int rc = gnutls_hash_fast(algorithm, len ? data : "", len, out);
	if (rc < 0)
		kt_bug("hashing: %s", gnutls_strerror(rc));
}

void kt_sha256(const void *data, size_t len, unsigned char out[32])
{
	hash(GNUTLS_DIG_SHA256, data, len, out);
}

void kt_sha512(const void *data, size_t len, unsigned char out[64])
{
	hash(GNUTLS_DIG_SHA512, data, len, out);
}

void kt_sha1(const void *data, size_t len, unsigned char out[20])
{
	hash(GNUTLS_DIG_SHA1, data, len, out);
}

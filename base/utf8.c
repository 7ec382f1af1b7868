/* SPDX-License-Identifier: MIT */
#include "base/utf8_internal.h"

#include "base/codec.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t kt_utf8_next(const char *s, size_t len, uint32_t *out_char)
{
	static const struct {
		unsigned char mask, lead;
		size_t tails;
		uint32_t least;
	} forms[] = {{0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};
	if (!len)
		return 0;
	unsigned char first = (unsigned char)*s;
	if (first < 0x80) {
		*out_char = first;
		return 1;
	}
	for (size_t f = 0; f < KT_COUNT(forms); f++) {
		if ((first & forms[f].mask) != forms[f].lead)
			continue;
		if (len <= forms[f].tails)
			return 0;
		uint32_t c = first & (unsigned)(unsigned char)~forms[f].mask;
		for (size_t i = 1; i <= forms[f].tails; i++) {
			if (!is_tail((unsigned char)s[i]))
				return 0;
			c = c << 6 | ((unsigned char)s[i] & 0x3fu);
		}
		if (c < forms[f].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*out_char = c;
		return forms[f].tails + 1;
	}
	return 0;
}

void kt_utf8_add(struct kt_buf *buf, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		kt_buf_addc(buf, (char)c);
	} else if (c < 0x800) {
		kt_buf_addc(buf, (char)(0xc0 | c >> 6));
		kt_buf_addc(buf, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		kt_buf_addc(buf, (char)(0xe0 | c >> 12));
		kt_buf_addc(buf, (char)(0x80 | (c >> 6 & 0x3f)));
		kt_buf_addc(buf, (char)(0x80 | (c & 0x3f)));
	} else {
		kt_buf_addc(buf, (char)(0xf0 | c >> 18));
		kt_buf_addc(buf, (char)(0x80 | (c >> 12 & 0x3f)));
		kt_buf_addc(buf, (char)(0x80 | (c >> 6 & 0x3f)));
		kt_buf_addc(buf, (char)(0x80 | (c & 0x3f)));
	}
}

size_t kt_utf8_floor(const char *s, size_t at)
{
	while (at && is_tail((unsigned char)s[at]))
		at--;
	return at;
}

bool kt_utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = kt_utf8_next(s + i, len - i, &c);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

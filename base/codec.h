/* SPDX-License-Identifier: MIT */
/* Small encodings. */
#ifndef KT_CODEC_H
#define KT_CODEC_H

#include "base/buf.h"

void kt_base64(const void *data, size_t len, struct kt_buf *out);
void kt_base64url(const void *data, size_t len, struct kt_buf *out); /* no padding */
bool kt_unbase64(const char *text, size_t len,
                 struct kt_buf *out); /* standard or URL alphabet; false on rubbish */
bool kt_unpercent(const char *text, size_t len, bool plus,
                  struct kt_buf *out); /* URL decoding; plus: '+' is a space */
void kt_percent(const char *text, struct kt_buf *out);
void kt_hex(const void *data, size_t len, struct kt_buf *out);
void kt_sha256(const void *data, size_t len, unsigned char out[32]);
void kt_md5(const void *data, size_t len, unsigned char out[16]); /* of what others sort by it; no secret */
void kt_sha512(const void *data, size_t len, unsigned char out[64]);
void kt_sha1(const void *data, size_t len, unsigned char out[20]);
void kt_gzip(const void *data, size_t len, struct kt_buf *out);
/* All members of it; false on rubbish, and on more than `most` bytes. */
bool kt_gunzip(const void *data, size_t len, size_t most, struct kt_buf *out);
bool kt_utf8_valid(const char *s, size_t len);

#endif

/* SPDX-License-Identifier: MIT */
#include <zlib.h>

#include "base/base.h"

#define GZIP_WINDOW (15 + 16) /* zlib's number for its format */

void kt_gzip(const void *data, size_t len, struct kt_buf *out)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
	unsigned char block[4096];
	int rc = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);

	if (rc != Z_OK || len > UINT32_MAX)
		kt_bug("deflateInit2: %d", rc);
	do {
		z.next_out = block;
		z.avail_out = sizeof(block);
		rc = deflate(&z, Z_FINISH);
		kt_buf_add(out, block, sizeof(block) - z.avail_out);
	} while (rc == Z_OK);
	deflateEnd(&z);
}

static bool inflate_all(z_stream *z, size_t most, struct kt_buf *out)
{
	unsigned char block[4096];
	size_t start = out->len;

	for (;;) {
		z->next_out = block;
		z->avail_out = sizeof(block);
		int rc = inflate(z, Z_NO_FLUSH);

		if ((rc != Z_OK && rc != Z_STREAM_END) ||
		    out->len - start + sizeof(block) - z->avail_out > most)
			return false;
		kt_buf_add(out, block, sizeof(block) - z->avail_out);
		if (rc == Z_STREAM_END && !z->avail_in)
			return true;
		if (rc == Z_STREAM_END && inflateReset(z) != Z_OK)
			return false;
	}
}

bool kt_gunzip(const void *data, size_t len, size_t most, struct kt_buf *out)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)data, .avail_in = (uInt)len};
	bool good = len <= UINT32_MAX && inflateInit2(&z, GZIP_WINDOW) == Z_OK;

	if (!good)
		return false;
	good = inflate_all(&z, most, out);
	inflateEnd(&z);
	return good;
}

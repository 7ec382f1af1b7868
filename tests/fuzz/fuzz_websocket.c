/* SPDX-License-Identifier: MIT */
/* WebSocket frames from a client: the same messages and replies, however the bytes are cut. */
#include "tests/fuzz/fuzz.h"

#include "cluster/edge/ws.h"
#include <string.h>

static void note(void *arg, const void *data, size_t len)
{
	kt_buf_addf(arg, "%zu:", len);
	kt_buf_add(arg, len ? data : "", len);
}

static void run(const uint8_t *data, size_t size, size_t piece, struct kt_buf *said, struct kt_buf *out)
{
	struct ws *ws = ws_new(note, said);
	for (size_t at = 0; at < size; at += piece)
		if (!ws_feed(ws, data + at, KT_MIN(piece, size - at)))
			break;
	ws_close(ws, 1000);
	ws_drain(ws, out);
	ws_free(ws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_buf said = {0}, out = {0}, said_cut = {0}, out_cut = {0};
	run(data, size, size + 1, &said, &out);
	run(data, size, 1, &said_cut, &out_cut);
	if (said.len != said_cut.len || memcmp(kt_buf_str(&said), kt_buf_str(&said_cut), said.len) != 0)
		kt_bug("messages depend on how the bytes are cut");
	kt_buf_clear(&said);
	kt_buf_clear(&out);
	kt_buf_clear(&said_cut);
	kt_buf_clear(&out_cut);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* SPDY frames from a client: the same events and replies, however the bytes are cut. */
#include "tests/fuzz/fuzz.h"

#include "cluster/edge/spdy.h"
#include <string.h>

struct run {
	struct spdy *spdy;
	struct kt_buf said, out;
};

static void note(void *arg, const struct spdy_event *event)
{
	struct run *run = arg;
	kt_buf_addf(&run->said, "%d %u %zu %d;", event->kind, event->stream, event->len, event->fin);
	kt_buf_add(&run->said, event->len ? event->data : "", event->len);
	for (size_t i = 0; event->names && i < event->names->count; i++)
		kt_buf_addf(&run->said, "%s=%s;", event->names->items[i], event->values->items[i]);
	if (event->kind == SPDY_OPEN)
		spdy_reply(run->spdy, event->stream);
	if (event->kind == SPDY_DATA)
		spdy_send(run->spdy, event->stream, event->data, event->len, event->fin);
}

static struct run run(const uint8_t *data, size_t size, size_t piece)
{
	struct run it = {0};
	it.spdy = spdy_new(note, &it);
	for (size_t at = 0; at < size; at += piece)
		if (!spdy_feed(it.spdy, data + at, KT_MIN(piece, size - at)))
			break;
	spdy_drain(it.spdy, &it.out);
	spdy_free(it.spdy);
	it.spdy = NULL;
	return it;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block that unpacks to much is long work in any order; what is told must not differ. */
	struct run whole = run(data, size, size + 1), cut = run(data, size, 3);
	if (whole.said.len != cut.said.len ||
	    memcmp(kt_buf_str(&whole.said), kt_buf_str(&cut.said), cut.said.len) != 0 ||
	    whole.out.len != cut.out.len)
		kt_bug("events depend on how the bytes are cut");
	kt_buf_clear(&whole.said);
	kt_buf_clear(&whole.out);
	kt_buf_clear(&cut.said);
	kt_buf_clear(&cut.out);
	return 0;
}

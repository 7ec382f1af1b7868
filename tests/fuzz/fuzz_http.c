/* SPDX-License-Identifier: MIT */
/* A request's head and its chunks: parsed or refused, the same however the bytes are cut. */
#include "tests/fuzz/fuzz.h"

#include "cluster/edge/http.h"
#include <string.h>

static ptrdiff_t chunks(const char *data, size_t len, size_t piece, struct kt_buf *out)
{
	struct http_chunks state = {0};
	size_t at = 0;
	bool done = false;
	while (at < len && !done) {
		ptrdiff_t used =
		        http_parse_chunks(&state, data + at, KT_MIN(piece, len - at), 4096, out, &done);
		if (used < 0)
			return used;
		if ((size_t)used < KT_MIN(piece, len - at) && !done)
			kt_bug("bytes were left though the body goes on");
		at += (size_t)used;
	}
	return done ? (ptrdiff_t)at : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct http_head head = {0};
	ptrdiff_t used = http_parse_head(text, size, &head);
	if (used > (ptrdiff_t)size)
		kt_bug("more was used than there was");
	if (used > 0 && (!head.method || !head.target || strlen(head.target) > HTTP_MAX_TARGET))
		kt_bug("a head without method or target");
	if (used > 0) {
		struct http_head again = {0};
		for (size_t len = (size_t)used; len-- > (size_t)used - KT_MIN((size_t)used, (size_t)4);)
			if (http_parse_head(text, len, &again) > 0 && text[len - 1] != '\n')
				kt_bug("a cut head passed for a whole one");
		http_head_clear(&again);
	}
	http_head_clear(&head);
	struct kt_buf whole = {0}, cut = {0};
	ptrdiff_t a = chunks(text, size, size + 1, &whole), b = chunks(text, size, 1, &cut);
	if (a != b ||
	    (a > 0 && (whole.len != cut.len || memcmp(kt_buf_str(&whole), kt_buf_str(&cut), cut.len) != 0)))
		kt_bug("chunks depend on how they are cut");
	kt_buf_clear(&whole);
	kt_buf_clear(&cut);
	return 0;
}

/* SPDX-License-Identifier: MIT */
#include "tui/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void tui_wire_tell(struct tui_wire *wire, struct kt_json *steal)
{
	struct kt_buf line = {0};
	kt_json_print(steal, &line);
	kt_buf_addc(&line, '\n');
	for (size_t at = 0; at < line.len && !wire->ended;) {
		ssize_t n = write(wire->out, line.data + at, line.len - at);
		if (n < 0 && errno != EINTR)
			wire->ended = true;
		at += n > 0 ? (size_t)n : 0;
	}
	kt_buf_clear(&line);
	kt_json_free(steal);
}

static void take_line(struct tui_wire *wire, size_t len)
{
	struct kt_json *request = NULL;
	if (kt_json_parse(wire->heard.data, len, NULL, &request, NULL, NULL))
		request = NULL;
	kt_buf_drop(&wire->heard, len + 1);
	if (kt_streq(kt_get_str(request, "do"), "cancel"))
		wire->cancelled = true;
	else if (request && wire->asked)
		kt_push(&wire->asked, kt_json_ref(request));
	kt_json_free(request);
}

void tui_wire_hear(struct tui_wire *wire, int ms)
{
	struct pollfd p = {.fd = wire->in, .events = POLLIN};
	char bytes[4096];
	const char *end;
	if (wire->ended || poll(&p, 1, ms) <= 0)
		return;
	ssize_t n = read(wire->in, bytes, sizeof(bytes));
	if (n == 0 || (n < 0 && errno != EINTR))
		wire->ended = true;
	if (n > 0)
		kt_buf_add(&wire->heard, bytes, (size_t)n);
	while (wire->heard.len && (end = memchr(wire->heard.data, '\n', wire->heard.len)))
		take_line(wire, (size_t)(end - wire->heard.data));
}

bool tui_wire_progress(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit)
{
	struct tui_wire *wire = arg;
	tui_wire_tell(wire, kt_jsonf("{told: 'busy', sentence: %s, elapsed: %f, limit: %f}", sentence,
	                             (double)elapsed / 1e9, (double)limit / 1e9));
	tui_wire_hear(wire, 0);
	return !wire->cancelled && !wire->ended;
}

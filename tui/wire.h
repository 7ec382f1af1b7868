/* SPDX-License-Identifier: MIT */
/* wire: a worker's side of the two pipes: JSON, an object a line, both ways. */
#ifndef TUI_WIRE_H
#define TUI_WIRE_H

#include "base/base.h"

struct tui_wire {
	int in, out;
	struct kt_buf heard;
	struct kt_json *asked; /* requests that came while something else was done; NULL: none are kept */
	bool cancelled, ended; /* ended: nobody is at the other side any more */
};
void tui_wire_tell(struct tui_wire *wire, struct kt_json *steal);
/* Gather requests that are there within `ms`; a cancel is seen at once. */
void tui_wire_hear(struct tui_wire *wire, int ms);
/* For lab_options.progress; `arg` is a tui_wire. */
bool tui_wire_progress(void *arg, const char *sentence, kt_ns elapsed, kt_ns limit);

#endif

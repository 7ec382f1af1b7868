/* SPDX-License-Identifier: MIT */
/* A worker that plays one round of predictions, tells what came of it, and ends. */
#include "tui/wire.h"
#include "tui/worker.h"

#include <signal.h>

void tui_worker_play(const struct tui_worker_options *options, int in, int out)
{
	struct tui_wire wire = {.in = in, .out = out};
	struct kt_err err = {0};
	struct kt_json *result = NULL;
	char *home = kt_strf("%s/expert", options->home);
	struct lab_options lab = {.home = home, .progress = tui_wire_progress, .progress_arg = &wire};
	/* Who leaves closes the pipe: then it ends in good order, and its cluster with it. */
	(void)signal(SIGTERM, SIG_IGN);
	if (lab_round_play(options->round, &lab, &result, &err))
		tui_wire_tell(&wire, kt_jsonf("{told: 'failed', error: %s}", err.text));
	else
		tui_wire_tell(&wire, kt_jsonf("{told: 'played', result: %J}", result));
	kt_json_free(result);
	kt_buf_clear(&wire.heard);
	kt_free(home);
}

/* SPDX-License-Identifier: MIT */
/* ktutor without arguments: the tutor; without a terminal the course as plain text. */
#include "cli/labs.h"
#include "tui/tui.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum kt_code show(struct cli_call *call, struct tui_options *options, struct kt_err *err)
{
	if (!cli_flag(call, "plain") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return tui_run(options, err);
	struct kt_buf text = {0};
	enum kt_code rc = tui_print_overview(options, &text, err);
	(void)fwrite(kt_buf_str(&text), 1, text.len, call->out);
	kt_buf_clear(&text);
	return rc;
}

static int run(struct cli_call *call)
{
	struct kt_err err = {0}, unkept = {0};
	char *share = NULL, *bin = cli_own_folder();
	struct tui_options options = {.home = call->home,
	                              .bin = bin,
	                              .theme = cli_flag(call, "theme"),
	                              .ascii = cli_flag(call, "ascii") != NULL,
	                              .lesson = call->args[0]};
	if (db_progress_open(call->home, &options.db, &unkept)) {
		(void)fputs("ktutor: progress is not kept: ", call->err);
		cli_print_clean(call->err, unkept.text);
		(void)fputc('\n', call->err);
		options.unkept = unkept.text;
	}
	enum kt_code rc = kt_share(&share, &err);
	options.share = share;
	if (!rc)
		rc = show(call, &options, &err);
	db_close(options.db);
	kt_free(share);
	kt_free(bin);
	return rc ? cli_fail(call, &err) : CLI_OK;
}

static const struct cli_flag flags[] = {
        {"plain", NULL, "the course as plain text (what a pipe gets anyway)"},
        {"theme", "dark|light|contrast|none", "colours (default: the setting `theme`, else dark)"},
        {"ascii", NULL, "no characters beyond ASCII"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_tutor = {
        .name = "tutor",
        .args = "[LESSON]",
        .summary = "the tutor, full screen (also `ktutor` alone)",
        .flags = flags,
        .max_args = 1,
        .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"

#ifndef KT_VERSION
#define KT_VERSION "0.1"
#endif

static int run_version(struct cli_call *call)
{
	(void)fputs("ktutor " KT_VERSION "\n", call->out);
	return CLI_OK;
}

const struct cli_command cli_version = {
        .name = "version",
        .args = "",
        .summary = "which ktutor this is",
        .run = run_version,
};

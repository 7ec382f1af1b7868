/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <string.h>

/* "cluster up", or everything that begins with the words. */
static int run_help(struct cli_call *call)
{
	struct kt_buf words = {0};
	bool some = false;
	for (size_t i = 0; i < call->arg_count; i++)
		kt_buf_addf(&words, "%s%s", i ? " " : "", call->args[i]);
	if (!words.len)
		cli_print_overview(call->out);
	for (size_t i = 0; words.len && cli_commands[i]; i++) {
		const char *name = cli_commands[i]->name;
		if (!kt_starts(name, words.data) || (name[words.len] && name[words.len] != ' '))
			continue;
		if (cli_commands[i]->hidden && name[words.len])
			continue;
		if (some)
			(void)fputc('\n', call->out);
		cli_print_help(call->out, cli_commands[i]);
		some = true;
	}
	int code = words.len && !some ? cli_usage(call, "there is no command '%s'", words.data) : CLI_OK;
	kt_buf_clear(&words);
	return code;
}

const struct cli_command cli_help = {
        .name = "help",
        .args = "[COMMAND]",
        .summary = "what there is, or more about one command",
        .max_args = 3,
        .run = run_help,
};

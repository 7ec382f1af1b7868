/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include <stdlib.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* For a shell's eval: nothing in the path can end the quotes. */
static void print_quoted(FILE *out, const char *text)
{
	(void)fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", out);
		else
			(void)fputc(*text, out);
	}
	(void)fputc('\'', out);
}

static bool is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@%:,";
	return text[strspn(text, plain)] == 0;
}

static int run_env(struct cli_call *call)
{
	char *path = NULL;
	int code = cli_cluster_kubeconfig(call, NULL, &path);
	if (code)
		return code;
	(void)fputs("export KUBECONFIG=", call->out);
	if (is_plain(path))
		(void)fputs(path, call->out);
	else
		print_quoted(call->out, path);
	(void)fputc('\n', call->out);
	kt_free(path);
	return CLI_OK;
}

static int run_shell(struct cli_call *call)
{
	char *path = NULL, *name = NULL;
	int code = cli_cluster_kubeconfig(call, &name, &path);
	if (code)
		return code;
	const char *shell = getenv("SHELL");
	if (!shell || !*shell)
		shell = "/bin/sh";
	(void)setenv("KUBECONFIG", path, 1);
	(void)setenv("KTUTOR_CLUSTER", name, 1);
	if (isatty(STDIN_FILENO))
		(void)fprintf(call->err, "kubectl now talks to cluster '%s'; `exit` comes back.\n", name);
	(void)fflush(NULL);
	(void)execl(shell, shell, (char *)NULL);
	struct kt_err err = {0};
	(void)kt_fail(&err, KT_EIO, "%s: %s", shell, strerror(errno));
	kt_free(path);
	kt_free(name);
	return cli_fail(call, &err);
}

const struct cli_command cli_cluster_env = {
        .name = "cluster env",
        .args = "[NAME]",
        .summary = "what makes kubectl talk to a cluster: eval \"$(ktutor cluster env)\"",
        .help = "Without NAME: the cluster started last.",
        .max_args = 1,
        .run = run_env,
};

const struct cli_command cli_shell = {
        .name = "shell",
        .args = "[NAME]",
        .summary = "a shell whose kubectl talks to a cluster",
        .max_args = 1,
        .run = run_shell,
};

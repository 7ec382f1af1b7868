/* SPDX-License-Identifier: MIT */
/* What the commands on clusters share: which one is meant. */
#include "cli/cli.h"
#include "labs/embedded/embedded.h"

int cli_cluster(struct cli_call *call, bool running, char **out_name, char **out_dir)
{
	struct kt_err err = {0};
	char *name = call->arg_count ? kt_strdup(call->args[0]) : embedded_current(call->home), *dir = NULL;
	enum kt_code rc;
	if (!name)
		rc = kt_fail(&err, KT_EUNREACHABLE,
		             "there is no cluster; start one with `ktutor cluster up NAME` or a lab with "
		             "`ktutor lab "
		             "start LAB`");
	else
		rc = embedded_find(call->home, name, running, &dir, &err);
	if (rc) {
		kt_free(name);
		return cli_fail(call, &err);
	}
	*out_dir = dir;
	if (out_name)
		*out_name = name;
	else
		kt_free(name);
	return CLI_OK;
}

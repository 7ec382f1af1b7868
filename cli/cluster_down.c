/* SPDX-License-Identifier: MIT */
#include "cli/labs.h"
#include "labs/embedded/embedded.h"

static const struct cli_flag flags[] = {
        {"all", NULL, "every cluster"},
        {"keep", NULL, "keep what it is, for the next `up`"},
        {NULL, NULL, NULL},
};

/* Of another provider: nothing of it is kept. */
static int down_other(struct cli_call *call, const struct kt_json *row)
{
	struct kt_err err = {0};
	const char *name = kt_get_str(row, "cluster");
	const struct provider *provider = provider_find(kt_get_str(row, "provider"));
	struct lab_options options = {.home = call->home};
	cli_provider_settings(call, &options);
	if (provider->down(&options, name, &err))
		return cli_fail(call, &err);
	(void)fprintf(call->out, "cluster '%s' is down\n", name);
	return CLI_OK;
}

static int down_one(struct cli_call *call, const char *name)
{
	struct kt_err err = {0};
	struct kt_json *other = cli_other_cluster(call, name);
	if (other) {
		int code = down_other(call, other);
		kt_json_free(other);
		return code;
	}
	if (embedded_down(call->home, name, cli_flag(call, "keep") != NULL, &err))
		return cli_fail(call, &err);
	(void)fprintf(call->out, "cluster '%s' is down\n", name);
	return CLI_OK;
}

static int run_down(struct cli_call *call)
{
	struct kt_strs names = {0};
	struct kt_err err = {0};
	bool all = cli_flag(call, "all") != NULL;
	int code = CLI_OK;
	if (all == (call->arg_count > 0))
		return cli_usage(call, "a NAME or --all was expected");
	if (!all)
		return down_one(call, call->args[0]);
	if (embedded_list(call->home, &names, &err))
		code = cli_fail(call, &err);
	for (size_t i = 0; i < names.count; i++) {
		int one = down_one(call, names.items[i]);
		code = code ? code : one;
	}
	struct kt_json *others = cli_other_clusters(call);
	const struct kt_json *other;
	KT_JSON_EACH (other, others) {
		int one = down_other(call, other);
		code = code ? code : one;
	}
	kt_json_free(others);
	kt_strs_clear(&names);
	return code;
}

const struct cli_command cli_cluster_down = {
        .name = "cluster down",
        .args = "NAME | --all [--keep]",
        .summary = "stop a cluster and forget it",
        .flags = flags,
        .max_args = 1,
        .run = run_down,
};

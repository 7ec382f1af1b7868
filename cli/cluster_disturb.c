/* SPDX-License-Identifier: MIT */
#include "cli/labs.h"
#include "cluster/edge/edge.h"
#include "labs/embedded/embedded.h"
#include <string.h>

/* On a cluster of another provider: what its world does in drills. */
static int disturb_other(struct cli_call *call, const struct kt_json *row, const struct kt_json *step)
{
	struct kt_err err = {0};
	struct check_world *world = NULL;
	const struct provider *provider = provider_find(kt_get_str(row, "provider"));
	enum kt_code rc = provider->world(call->home, kt_get_str(row, "cluster"), &world, &err);
	if (!rc)
		rc = world->disturb(world->arg, step, &err);
	provider->world_free(world);
	if (rc)
		return cli_fail(call, &err);
	struct kt_json *done = kt_jsonf("{disturbed: [%s]}", kt_key(step, 0));
	cli_print_json(call, done);
	kt_json_free(done);
	return CLI_OK;
}

static int run_disturb(struct cli_call *call)
{
	struct kt_err err = {0};
	struct kt_yaml *yaml = NULL;
	struct kt_json *result = NULL;
	char *dir = NULL;
	if (kt_yaml_parse("STEP", call->args[1], strlen(call->args[1]), &yaml, &err))
		return cli_usage(call, "%s", err.text);
	int code = CLI_OK;
	if (kt_yaml_count(yaml) != 1 || !kt_is_object(kt_yaml_doc(yaml, 0)))
		code = cli_usage(call,
		                 "one step was expected, such as '{node: {is: down, pick: {name: n1}}}'");
	struct kt_json *other = code ? NULL : cli_other_cluster(call, call->args[0]);
	if (other)
		code = disturb_other(call, other, kt_yaml_doc(yaml, 0));
	else if (!code)
		code = cli_cluster(call, true, NULL, &dir);
	if (!code && !other &&
	    edge_call(dir, "POST", "/ktutor/v1/disturb", kt_yaml_doc(yaml, 0), 0, &result, &err))
		code = cli_fail(call, &err);
	if (!code && !other)
		cli_print_json(call, result);
	kt_json_free(other);
	kt_yaml_free(yaml);
	kt_json_free(result);
	kt_free(dir);
	return code;
}

const struct cli_command cli_cluster_disturb = {
        .name = "cluster disturb",
        .args = "NAME STEP",
        .summary = "do something to a cluster's world: a node, a zone, a link, traffic",
        .help = "STEP is one step of the scenario language, for example\n"
                "  ktutor cluster disturb demo '{zone: {name: a, is: down}}'",
        .min_args = 2,
        .max_args = 2,
        .run = run_disturb,
};

static int run_rewind(struct cli_call *call)
{
	struct kt_err err = {0};
	struct kt_json *clock = NULL;
	char *dir = NULL;
	/* [NAME] TIME */
	const char *to = call->args[call->arg_count - 1];
	kt_ns ignored;
	if (!kt_duration_parse(to, &ignored) && !kt_time_parse(to, &ignored))
		return cli_usage(call, "how long ago (5m) or a time (RFC 3339) was expected, not '%s'", to);
	call->arg_count--;
	int code = cli_cluster(call, true, NULL, &dir);
	struct kt_json *body = kt_jsonf("{to: %s}", to);
	if (!code && edge_call(dir, "POST", "/ktutor/v1/rewind", body, 0, &clock, &err))
		code = cli_fail(call, &err);
	if (!code)
		(void)fprintf(call->out, "the cluster is as it was at %.19sZ\n",
		              kt_str_or(kt_get(clock, "now"), "?"));
	kt_json_free(body);
	kt_json_free(clock);
	kt_free(dir);
	return code;
}

const struct cli_command cli_cluster_rewind = {
        .name = "cluster rewind",
        .args = "[NAME] TIME",
        .summary = "put a cluster back to how it was: 5m ago, or at a time",
        .min_args = 1,
        .max_args = 2,
        .run = run_rewind,
};

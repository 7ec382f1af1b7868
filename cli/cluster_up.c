/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "labs/embedded/embedded.h"
#include <string.h>

static const struct cli_flag flags[] = {
        {"nodes", "N", "nodes, the control plane among them (default 4)"},
        {"nodes-from", "FILE", "a List of Node objects (YAML or JSON) instead"},
        {"seed", "S", "a number: the same one, the same history (default: from the name)"},
        {"speed", "X", "virtual seconds a real second (default 1)"},
        {NULL, NULL, NULL},
};

static void add_nodes(struct kt_json **items, const struct kt_json *document)
{
	const struct kt_json *item;
	if (!kt_get(document, "items"))
		kt_push(items, kt_json_ref(document));
	KT_JSON_EACH (item, kt_get(document, "items")) {
		kt_push(items, kt_json_ref(item));
	}
}

/* A List, or documents each a Node or a List. New. */
static enum kt_code read_nodes(const char *path, struct kt_json **out, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct kt_json *items = NULL;
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < kt_yaml_count(yaml); i++)
		add_nodes(&items, kt_yaml_doc(yaml, i));
	for (size_t i = 0; !rc && i < kt_count(items); i++) {
		const struct kt_json *item = kt_at(items, i);
		if (!kt_streq(kt_get_str(item, "kind"), "Node") || !kt_path_str(item, "metadata.name"))
			rc = kt_fail(err, KT_EINVAL, "%s:%u: a Node with a name was expected", path,
			             kt_yaml_line(yaml, item));
	}
	if (!rc && !kt_count(items))
		rc = kt_fail(err, KT_EINVAL, "%s: a List of Nodes was expected, there is none in it", path);
	if (!rc)
		*out = kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %J}", items);
	kt_json_free(items);
	kt_yaml_free(yaml);
	return rc;
}

/* What `up` and `serve` have in common; `nodes` is for the caller to free. */
static int gather(struct cli_call *call, struct embedded_options *options, struct kt_json **nodes)
{
	long count = 4, seed = -1;
	const char *from = cli_flag(call, "nodes-from");
	struct kt_err err = {0};
	options->home = call->home;
	options->name = call->args[0];
	if (!cli_number(call, "nodes", 1, 5000, &count) || !cli_number(call, "seed", 0, INT32_MAX, &seed) ||
	    !cli_real(call, "speed", 0.001, 100000, &options->speed))
		return CLI_USAGE;
	if (from && cli_flag(call, "nodes"))
		return cli_usage(call, "--nodes and --nodes-from exclude each other");
	if (from && read_nodes(from, nodes, &err))
		return cli_fail(call, &err);
	options->nodes = *nodes;
	options->workers = (unsigned)count - 1;
	options->seed = seed >= 0 ? (uint64_t)seed : kt_hash(call->args[0], strlen(call->args[0]));
	return CLI_OK;
}

static int run_up(struct cli_call *call)
{
	struct embedded_options options = {0};
	struct kt_json *nodes = NULL;
	struct kt_err err = {0};
	bool found = false;
	int code = gather(call, &options, &nodes);
	if (!code && embedded_up(&options, &found, &err))
		code = cli_fail(call, &err);
	if (!code)
		(void)fprintf(call->out, "cluster '%s' %s; for kubectl: eval \"$(ktutor cluster env %s)\"\n",
		              options.name, found ? "was up already" : "is up", options.name);
	kt_json_free(nodes);
	return code;
}

static int run_serve(struct cli_call *call)
{
	struct embedded_options options = {0};
	struct kt_json *nodes = NULL;
	struct kt_err err = {0};
	int code = gather(call, &options, &nodes);
	if (!code && embedded_serve(&options, -1, &err))
		code = cli_fail(call, &err);
	kt_json_free(nodes);
	return code;
}

const struct cli_command cli_cluster_up = {
        .name = "cluster up",
        .args = "NAME [--nodes N | --nodes-from FILE] [--seed S] [--speed X]",
        .summary = "start a cluster, or find it running",
        .help = "Returns when the cluster answers. It goes on in the background until `ktutor cluster down`; "
                "what it\n"
                "is survives a crash, and the next `up` goes on from there.",
        .flags = flags,
        .min_args = 1,
        .max_args = 1,
        .run = run_up,
};

const struct cli_command cli_cluster_serve = {
        .name = "cluster serve",
        .args = "NAME [--nodes N | --nodes-from FILE] [--seed S] [--speed X]",
        .summary = "be the cluster's process, in the foreground",
        .flags = flags,
        .min_args = 1,
        .max_args = 1,
        .hidden = true,
        .run = run_serve,
};

/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cluster/edge/edge.h"
#include "labs/embedded/embedded.h"

/* What can be said without asking the cluster. New. */
static struct kt_json *describe(struct cli_call *call, const char *name)
{
	long pid = embedded_pid(call->home, name);
	char *dir = NULL, *config = NULL, *server = NULL;
	if (embedded_dir(call->home, name, &dir, NULL))
		return NULL;
	struct kt_buf port = {0};
	char *path = kt_join(dir, "port");
	config = kt_join(dir, "kubeconfig");
	if (pid && !kt_read_file(path, 32, &port, NULL)) {
		while (port.len && (port.data[port.len - 1] < '0' || port.data[port.len - 1] > '9'))
			kt_buf_cut(&port, port.len - 1);
		server = kt_strf("https://127.0.0.1:%s", kt_buf_str(&port));
	}
	struct kt_json *row = kt_jsonf(
	        "{cluster: %s, provider: 'embedded', status: %s, pid: %j, server: %s, kubeconfig: %s}", name,
	        pid ? "running" : "stopped", pid ? kt_json_int(pid) : NULL, server, config);
	kt_buf_clear(&port);
	kt_free(path);
	kt_free(server);
	kt_free(config);
	kt_free(dir);
	return row;
}

static void print_rows(struct cli_call *call, const struct kt_json *rows)
{
	size_t count = kt_count(rows);
	const char **cells = kt_alloc((count + 1) * 4 * sizeof *cells);
	static const char *const head[] = {"CLUSTER", "PROVIDER", "STATUS", "SERVER"};
	static const char *const keys[] = {"cluster", "provider", "status", "server"};
	for (size_t column = 0; column < 4; column++) {
		cells[column] = head[column];
		for (size_t i = 0; i < count; i++)
			cells[(i + 1) * 4 + column] = kt_get_str(kt_at(rows, i), keys[column]);
	}
	if (count)
		cli_print_table(call->out, cells, 4, count + 1);
	else
		(void)fputs("no clusters; `ktutor cluster up NAME` starts one\n", call->out);
	kt_free(cells);
}

static int run_list(struct cli_call *call)
{
	struct kt_strs names = {0};
	struct kt_err err = {0};
	bool json;
	int code = CLI_OK;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	struct kt_json *rows = kt_json_array();
	if (embedded_list(call->home, &names, &err))
		code = cli_fail(call, &err);
	for (size_t i = 0; i < names.count; i++)
		kt_push(&rows, describe(call, names.items[i]));
	struct kt_json *others = cli_other_clusters(call);
	const struct kt_json *other;
	KT_JSON_EACH (other, others)
		kt_push(&rows, kt_json_ref(other));
	kt_json_free(others);
	if (!code && json)
		cli_print_json(call, rows);
	else if (!code)
		print_rows(call, rows);
	kt_json_free(rows);
	kt_strs_clear(&names);
	return code;
}

static void print_status(struct cli_call *call, const struct kt_json *row)
{
	static const struct {
		const char *label, *path;
	} lines[] = {{"cluster", "cluster"},       {"provider", "provider"},
	             {"status", "status"},         {"lab", "lab"},
	             {"server", "server"},         {"pid", "pid"},
	             {"nodes", "nodes"},           {"pods", "pods"},
	             {"memory", "memory"},         {"time", "clock.now"},
	             {"speed", "clock.speed"},     {"paused", "clock.paused"},
	             {"kubeconfig", "kubeconfig"}, {"trouble", "journal"}};
	for (size_t i = 0; i < KT_COUNT(lines); i++) {
		const struct kt_json *value = kt_path(row, lines[i].path);
		if (!value)
			continue;
		char *text = kt_is_string(value) ? kt_strdup(kt_str(value)) : kt_json_text(value);
		if (kt_streq(lines[i].label, "memory")) {
			kt_free(text);
			text = kt_strf("%.1f MiB", (double)kt_int_or(value, 0) / (1024 * 1024));
		}
		(void)fprintf(call->out, "%-11s", lines[i].label);
		cli_print_clean(call->out, text);
		(void)fputc('\n', call->out);
		kt_free(text);
	}
}

static int run_status(struct cli_call *call)
{
	struct kt_err err = {0};
	struct kt_json *more = NULL;
	char *name = NULL, *dir = NULL;
	bool json;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	struct kt_json *row = cli_other_cluster(call, call->arg_count ? call->args[0] : NULL);
	if (row) {
		int answer = kt_streq(kt_get_str(row, "status"), "running") ? CLI_OK : CLI_UNREACHABLE;
		if (json)
			cli_print_json(call, row);
		else
			print_status(call, row);
		kt_json_free(row);
		return answer;
	}
	int code = cli_cluster(call, false, &name, &dir);
	if (code)
		return code;
	row = describe(call, name);
	if (embedded_pid(call->home, name)) {
		if (edge_call(dir, "GET", "/ktutor/v1/status", NULL, 0, &more, &err))
			code = cli_fail(call, &err);
	} else {
		code = CLI_UNREACHABLE;
	}
	for (size_t i = 0; i < kt_count(more); i++)
		if (!kt_streq(kt_key(more, i), "name"))
			kt_set(&row, kt_key(more, i), kt_json_ref(kt_at(more, i)));
	if (json)
		cli_print_json(call, row);
	else
		print_status(call, row);
	kt_json_free(row);
	kt_json_free(more);
	kt_free(name);
	kt_free(dir);
	return code;
}

static const struct cli_flag flags[] = {
        {"format", "text|json", "how to print: text (default) or json"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_cluster_list = {
        .name = "cluster list",
        .args = "[--format text|json]",
        .summary = "which clusters there are",
        .flags = flags,
        .run = run_list,
};

const struct cli_command cli_cluster_status = {
        .name = "cluster status",
        .args = "[NAME] [--format text|json]",
        .summary = "how a cluster is; exit code 3 if it does not run",
        .flags = flags,
        .max_args = 1,
        .run = run_status,
};

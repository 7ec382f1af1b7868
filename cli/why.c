/* SPDX-License-Identifier: MIT */
#include "cli/cli.h"
#include "cluster/edge/edge.h"
#include "labs/embedded/embedded.h"
#include <string.h>

#define MAX_CAUSES 6

static const struct cli_flag flags[] = {
        {"namespace", "NS", "the object's namespace (default: default)"},
        {"cluster", "NAME", "which cluster (default: the one started last)"},
        {"format", "text|json", "how to print: text (default) or json"},
        {NULL, NULL, NULL},
};

static void print_change(struct cli_call *call, const struct kt_json *change)
{
	char *from = kt_json_text(kt_get(change, "from")), *to = kt_json_text(kt_get(change, "to"));
	(void)fputs("             ", call->out);
	cli_print_clean(call->out, kt_str_or(kt_get(change, "path"), "?"));
	(void)fputs(": ", call->out);
	cli_print_clean(call->out, kt_get(change, "from") ? from : "-");
	(void)fputs(" -> ", call->out);
	cli_print_clean(call->out, kt_get(change, "to") ? to : "-");
	(void)fputc('\n', call->out);
	kt_free(from);
	kt_free(to);
}

static const struct kt_json *event_of(const struct kt_json *all, int64_t version)
{
	const struct kt_json *event;
	KT_JSON_EACH (event, all) {
		if (kt_get_int(event, "version", -1) == version)
			return event;
	}
	return NULL;
}

/* What made the actor act, and what made that happen, back to somebody's request. */
static void print_causes(struct cli_call *call, const struct kt_json *event, const struct kt_json *all)
{
	for (int depth = 1; depth <= MAX_CAUSES; depth++) {
		int64_t version = kt_get_int(event, "because", 0);
		event = version ? event_of(all, version) : NULL;
		if (!event)
			return;
		char *line = kt_strf(
		        "%*sbecause %s/%s was %s by %s", 10 + 2 * depth, "",
		        kt_str_or(kt_get(event, "kind"), "?"), kt_str_or(kt_get(event, "name"), "?"),
		        kt_str_or(kt_get(event, "change"), "?"), kt_str_or(kt_get(event, "actor"), "?"));
		cli_print_clean(call->out, line);
		(void)fputc('\n', call->out);
		kt_free(line);
	}
}

static void print_event(struct cli_call *call, const struct kt_json *event, const struct kt_json *all)
{
	const char *at = kt_str_or(kt_get(event, "at"), "");
	const char *reason = kt_get_str(event, "reason");
	const struct kt_json *change;
	char *line = kt_strf("%.8s  %s %s/%s by %s%s%s", strlen(at) > 11 ? at + 11 : at,
	                     kt_str_or(kt_get(event, "change"), "?"), kt_str_or(kt_get(event, "kind"), "?"),
	                     kt_str_or(kt_get(event, "name"), "?"), kt_str_or(kt_get(event, "actor"), "?"),
	                     reason ? ": " : "", reason ? reason : "");
	cli_print_clean(call->out, line);
	(void)fputc('\n', call->out);
	kt_free(line);
	print_causes(call, event, all);
	KT_JSON_EACH (change, kt_get(event, "changed")) {
		print_change(call, change);
	}
}

/* --- traffic --- */
static void print_row(struct cli_call *call, const struct kt_json *row)
{
	const struct kt_json *cause;
	(void)fprintf(call->out,
	              "traffic   %.0f requests, %.2f %% answered; p50 %.0f ms, p95 %.0f ms, p99 %.0f ms\n",
	              kt_real_or(kt_get(row, "offered"), 0), 100 * kt_real_or(kt_get(row, "availability"), 1),
	              1e3 * kt_real_or(kt_get(row, "p50"), 0), 1e3 * kt_real_or(kt_get(row, "p95"), 0),
	              1e3 * kt_real_or(kt_get(row, "p99"), 0));
	KT_JSON_EACH (cause, kt_get(row, "causes")) {
		const char *from = kt_str_or(kt_get(cause, "from"), ""),
		           *to = kt_str_or(kt_get(cause, "to"), "");
		char *line =
		        kt_strf("  %.8s to %.8s  %.0f not answered: %s", strlen(from) > 11 ? from + 11 : from,
		                strlen(to) > 11 ? to + 11 : to, kt_real_or(kt_get(cause, "errors"), 0),
		                kt_str_or(kt_get(cause, "why"), "?"));
		cli_print_clean(call->out, line);
		(void)fputc('\n', call->out);
		kt_free(line);
	}
}

/* What became of the requests to a Service, an Ingress, a Gateway; `object` "KIND/[NS/]NAME". New; NULL:
 * none. */
static struct kt_json *traffic_of(const char *dir, const char *object)
{
	static const char *const kinds[] = {"service", "svc", "ingress", "ing", "gateway", "gtw"};
	static const char *const lists[] = {"services", "entries"};
	const char *slash = strchr(object, '/'), *name = slash ? strrchr(object, '/') + 1 : NULL;
	struct kt_json *report = NULL, *found = NULL;
	const struct kt_json *row;
	struct kt_err err = {0};
	size_t kind = 0;
	while (slash && kind < KT_COUNT(kinds) &&
	       (strlen(kinds[kind]) != (size_t)(slash - object) || !kt_starts(object, kinds[kind])))
		kind++;
	if (!slash || kind == KT_COUNT(kinds) ||
	    edge_call(dir, "GET", "/ktutor/v1/traffic", NULL, 0, &report, &err))
		return NULL;
	char *ns =
	        name > slash + 1 ? kt_strndup(slash + 1, (size_t)(name - slash - 2)) : kt_strdup("default");
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (row, kt_get(report, lists[i])) {
			if (!found && kt_streq(kt_get_str(row, "kind"), kinds[kind - kind % 2]) &&
			    kt_streq(kt_get_str(row, "namespace"), ns) &&
			    kt_streq(kt_get_str(row, "service"), name))
				found = kt_json_ref(row);
		}
	}
	kt_free(ns);
	kt_json_free(report);
	return found;
}

/* deployment/web, deployment web, deployment/shop/web: as cluster_history() wants it. Owned. */
static char *object_path(const struct cli_call *call)
{
	const char *ns = cli_flag(call, "namespace");
	const char *slash = strchr(call->args[0], '/');
	if (call->arg_count == 2)
		return ns ? kt_strf("%s/%s/%s", call->args[0], ns, call->args[1])
		          : kt_strf("%s/%s", call->args[0], call->args[1]);
	if (ns && slash && !strchr(slash + 1, '/'))
		return kt_strf("%.*s/%s/%s", (int)(slash - call->args[0]), call->args[0], ns, slash + 1);
	return kt_strdup(call->args[0]);
}

static int run_why(struct cli_call *call)
{
	struct kt_err err = {0};
	struct kt_json *history = NULL, *all = NULL;
	const struct kt_json *event;
	struct kt_buf target = {0};
	char *dir = NULL;
	bool json;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	char *object = object_path(call);
	kt_buf_adds(&target, "/ktutor/v1/history?object=");
	kt_percent(object, &target);
	call->args[0] = cli_flag(call, "cluster");
	call->arg_count = call->args[0] ? 1 : 0;
	int code = cli_cluster(call, true, NULL, &dir);
	if (!code && edge_call(dir, "GET", kt_buf_str(&target), NULL, 0, &history, &err))
		code = cli_fail(call, &err);
	if (!code && !json && edge_call(dir, "GET", "/ktutor/v1/history", NULL, 0, &all, &err))
		code = cli_fail(call, &err);
	struct kt_json *traffic = code ? NULL : traffic_of(dir, object);
	if (!code && json) {
		if (traffic)
			kt_set(&history, "traffic", kt_json_ref(traffic));
		cli_print_json(call, history);
	} else if (!code) {
		KT_JSON_EACH (event, kt_get(history, "events")) {
			print_event(call, event, kt_get(all, "events"));
		}
		if (!kt_count(kt_get(history, "events")))
			(void)fprintf(call->out, "nothing is known to have happened to %s\n", object);
		if (traffic)
			print_row(call, traffic);
	}
	kt_json_free(traffic);
	kt_json_free(history);
	kt_json_free(all);
	kt_buf_clear(&target);
	kt_free(object);
	kt_free(dir);
	return code;
}

const struct cli_command cli_why = {
        .name = "why",
        .args = "KIND/NAME [--namespace NS] [--cluster NAME] [--format text|json]",
        .summary = "what happened to an object, who did it, and because of what",
        .flags = flags,
        .min_args = 1,
        .max_args = 2,
        .run = run_why,
};

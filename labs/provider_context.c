/* SPDX-License-Identifier: MIT */
/* The context provider: a cluster that somebody else runs. Asked first, only in namespaces of ours, and away
 * again. */
#include "labs/context/context.h"
#include "labs/labs_internal.h"
#include "labs/real/real.h"

#include <stdio.h>
#include <string.h>

/* What may be there: found out when a lab needs it. Machines are not ours to take down. */
static const char *const capabilities[] = {"traffic", "network-policy", "metrics", "storage", NULL};

static bool context_available(const char *home, char why[512])
{
	struct kt_strs files = {0};
	bool found = false;
	(void)home;
	context_files(NULL, &files);
	for (size_t i = 0; i < files.count; i++)
		found = found || kt_is_file(files.items[i]);
	why[0] = '\0';
	if (!found)
		snprintf(why, 512, "there is no kubeconfig (%s): name one with --kubeconfig FILE",
		         files.count ? files.items[0] : "no home");
	kt_strs_clear(&files);
	return true; /* --kubeconfig may name one */
}

/* --- which tasks can be graded --- */

static bool has(const char *capability)
{
	for (size_t i = 0; capabilities[i]; i++)
		if (kt_streq(capabilities[i], capability))
			return true;
	return false;
}

static const char *why_not(const struct lab *lab, size_t i, bool allow_nodes)
{
	static const struct {
		const char *capability, *phrase;
	} phrases[] = {{"zones", "it takes zones of machines down"},
	               {"node-failure", "it takes machines down"},
	               {"registry", "it takes an image from the registry"},
	               {"links", "it cuts links between machines"}};
	const struct lab_task *task = &lab->tasks[i];
	for (size_t c = 0; c < task->check_count; c++) {
		const char *needs = check_check_needs(task->checks[c]);
		if (needs && !has(needs)) {
			for (size_t p = 0; p < KT_COUNT(phrases); p++)
				if (kt_streq(phrases[p].capability, needs))
					return phrases[p].phrase;
			return "it needs what only the embedded cluster has";
		}
		if (!allow_nodes && check_touches_nodes(task->checks[c]))
			return "it cordons or drains machines (--allow-nodes allows it)";
	}
	return NULL;
}

static const char *context_cannot(const char *home, const char *cluster, const struct lab *lab, size_t i)
{
	struct context context = {0};
	struct kt_err ignored = {0};
	bool allowed = !context_read(home, cluster, &context, &ignored) && context.allow_nodes;
	context_clear(&context);
	return why_not(lab, i, allowed);
}

/* Told before anything is made. KT_EUNSUPPORTED when no task can be graded. */
static enum kt_code tell_tasks(const struct lab_options *options, const struct lab *lab, struct kt_err *err)
{
	size_t graded = 0;
	for (size_t i = 0; i < lab->task_count; i++) {
		const char *why = why_not(lab, i, options->allow_nodes);
		graded += !why;
		if (why && options->tell) {
			char *line = kt_strf("task '%s' cannot be graded there: %s", lab->tasks[i].task, why);
			options->tell(options->tell_arg, line);
			kt_free(line);
		}
	}
	if (!graded)
		return kt_fail(err, KT_EUNSUPPORTED,
		               "no task of it can be graded on somebody else's cluster; `--provider kind` or "
		               "`--provider "
		               "embedded` can");
	if (options->tell && kt_count(kt_get(lab->cluster, "nodes")))
		options->tell(options->tell_arg,
		              "the lab was written for machines of its own: zones, pools and sizes are what "
		              "that cluster has");
	return KT_OK;
}

static enum kt_code context_session_client(const char *home, const char *cluster, struct check_client **out,
                                           struct kt_err *err)
{
	struct context *context = kt_alloc(sizeof(*context));
	enum kt_code rc = context_read(home, cluster, context, err);
	if (!rc)
		rc = context_client(context, out, err);
	else
		kt_free(context);
	return rc;
}

/* --- the world: real time, traffic from a pod, nothing else --- */

struct world {
	struct check_world world; /* first: what is handed out */
	struct check_client *client;
	bool nodes; /* machines may be cordoned */
	struct real_pace pace;
	char *ns; /* where pods of ours run */
};

static char *own_namespace(const char *lab)
{
	return kt_strf("ktutor-%s", lab);
}

static enum kt_code world_disturb(void *arg, const struct kt_json *step, struct kt_err *err)
{
	struct world *w = arg;
	const char *name = kt_count(step) ? kt_key(step, 0) : "";
	if (kt_streq(name, "load"))
		return real_load(w->client, w->ns, kt_at(step, 0), err);
	return kt_fail(err, KT_EUNSUPPORTED,
	               "'%s' cannot be done to a cluster that is not ktutor's; `--provider kind` can", name);
}

static enum kt_code world_pass(void *arg, kt_ns span, bool until_change, kt_ns *passed, struct kt_err *err)
{
	return real_pass(&((struct world *)arg)->pace, span, until_change, passed, err);
}

static kt_ns world_now(void *arg)
{
	(void)arg;
	return real_now();
}

static enum kt_code world_traffic(void *arg, const char *ns, const char *service, kt_ns since,
                                  struct kt_json **out, struct kt_err *err)
{
	struct world *w = arg;
	return real_traffic(w->client, w->ns, ns, service, since, out, err);
}

static enum kt_code world_snapshot(void *arg, char **out_name, struct kt_err *err)
{
	struct world *w = arg;
	return real_before(w->client, w->ns, w->nodes, out_name, err);
}

static enum kt_code world_restore(void *arg, const char *name, struct kt_err *err)
{
	struct world *w = arg;
	return real_after(w->client, w->ns, w->nodes, name, err);
}

static void context_world_free(struct check_world *world)
{
	if (!world)
		return;
	struct world *w = world->arg;
	real_pace_clear(&w->pace);
	check_client_free(w->client);
	kt_free(w->ns);
	kt_free(w);
}

static enum kt_code context_world(const char *home, const char *cluster, struct check_world **out,
                                  struct kt_err *err)
{
	struct world *w = kt_alloc(sizeof(*w));
	struct context context = {0};
	struct kt_err ignored = {0};
	w->ns = own_namespace(cluster);
	w->nodes = !context_read(home, cluster, &context, &ignored) && context.allow_nodes;
	context_clear(&context);
	w->world = (struct check_world){.arg = w,
	                                .disturb = world_disturb,
	                                .pass = world_pass,
	                                .now = world_now,
	                                .traffic = world_traffic,
	                                .snapshot = world_snapshot,
	                                .restore = world_restore,
	                                .capabilities = capabilities};
	enum kt_code rc = context_session_client(home, cluster, &w->client, err);
	w->pace.client = w->client;
	if (!rc)
		rc = real_call(w->client, "GET", "/version", NULL, NULL, NULL, err);
	if (rc)
		context_world_free(&w->world);
	else
		*out = &w->world;
	return rc;
}

/* The guard keeps a reference: the session's client has a context of its own that lives as long as it. */
struct owned {
	struct context context;
};

/* --- starting: ask first --- */

static enum kt_code consent(const struct lab_options *options, struct context *context, const char *plugin,
                            struct kt_err *err)
{
	char *question = NULL;
	bool yes = options->yes;
	if (plugin && !options->allow_exec) {
		question = kt_strf("Context '%s' logs in by running the program '%s'. May ktutor run it, as "
		                   "kubectl does?",
		                   context->name, plugin);
		context->allow_exec = options->ask && options->ask(options->ask_arg, question);
		kt_free(question);
		if (!context->allow_exec)
			return kt_fail(
			        err, KT_EDENIED,
			        "context '%s' logs in by running '%s': that needs a yes, or --allow-exec",
			        context->name, plugin);
	}
	if (!yes && !options->ask)
		return kt_fail(err, KT_EDENIED,
		               "labs on a cluster that is not ktutor's need a yes: start it at a terminal, "
		               "or with --yes "
		               "(context '%s', %s)",
		               context->name, context->server);
	question = kt_strf("On context '%s' (%s) ktutor will make namespaces for the lab, work in them "
	                   "alone, and remove "
	                   "them at the end. Go on?",
	                   context->name, context->server);
	yes = yes || options->ask(options->ask_arg, question);
	kt_free(question);
	return yes ? KT_OK : kt_fail(err, KT_ECANCELLED, "nothing was done");
}

static void home_id(const char *home, char out[17])
{
	snprintf(out, 17, "%016llx", (unsigned long long)kt_hash(home, strlen(home)));
}

static enum kt_code write_kubeconfig(const struct context *context, const struct kt_json *config,
                                     struct kt_err *err)
{
	struct kt_buf text = {0};
	kt_yaml_print(config, true, &text);
	enum kt_code rc = kt_make_dirs(context->dir, 0700, err);
	if (!rc)
		rc = kt_write_file(context->kubeconfig, kt_buf_str(&text), text.len, 0600, err);
	kt_buf_clear(&text);
	return rc;
}

static enum kt_code make(const struct lab_options *options, const char *cluster, const struct lab *lab,
                         struct context *context, struct kt_err *err)
{
	struct kt_strs files = {0};
	struct kt_json *config = NULL;
	struct check_client *client = NULL;
	char *plugin = NULL, *ns = own_namespace(cluster);
	enum kt_code rc = tell_tasks(options, lab, err);
	context_files(options->kubeconfig, &files);
	if (!rc)
		rc = context_extract(&files, options->context, &config, &plugin, err);
	if (!rc) {
		context->dir = kt_strf("%s/context/%s", options->home, cluster);
		context->kubeconfig = kt_join(context->dir, "kubeconfig");
		context->name = kt_strdup(kt_get_str(config, "current-context"));
		context->server = kt_strdup(kt_path_str(config, "clusters.0.cluster.server"));
		snprintf(context->lab, sizeof(context->lab), "%s", cluster);
		home_id(options->home, context->home);
		context->allow_nodes = options->allow_nodes;
		context->allow_cluster = options->allow_cluster;
		context->allow_exec = options->allow_exec;
		rc = consent(options, context, plugin, err);
	}
	if (!rc)
		rc = write_kubeconfig(context, config, err);
	if (!rc)
		rc = context_write(context, err);
	if (!rc)
		rc = check_client_new(context->kubeconfig, NULL, context->allow_exec, &client, err);
	if (!rc)
		rc = context_namespace(client, context, ns, err);
	if (rc && context->dir)
		context_forget(context);
	check_client_free(client);
	kt_json_free(config);
	kt_free(plugin);
	kt_free(ns);
	kt_strs_clear(&files);
	return rc;
}

/* Is our namespace still there? Somebody may have cleaned up. */
static enum kt_code still_there(const struct context *context, bool *out, struct kt_err *err)
{
	struct check_client *client = NULL;
	struct kt_err why = {0};
	char *ns = own_namespace(context->lab), *path = kt_strf("/api/v1/namespaces/%s", ns);
	enum kt_code rc = check_client_new(context->kubeconfig, NULL, context->allow_exec, &client, err);
	if (!rc) {
		rc = real_call(client, "GET", path, NULL, NULL, NULL, &why);
		*out = !rc;
		rc = rc == KT_ENOTFOUND ? KT_OK : rc ? kt_fail(err, rc, "%s", why.text) : KT_OK;
	}
	check_client_free(client);
	kt_free(path);
	kt_free(ns);
	return rc;
}

static enum kt_code context_start(const struct lab_options *options, const char *cluster,
                                  const struct lab *lab, char **out_kubeconfig, bool *bare,
                                  struct kt_err *err)
{
	struct context context = {0};
	struct kt_err ignored = {0};
	bool there = false;
	enum kt_code rc = KT_OK;
	if (!context_read(options->home, cluster, &context, &ignored))
		rc = still_there(&context, &there, err);
	*bare = !there;
	if (!rc && !there) {
		context_clear(&context);
		rc = make(options, cluster, lab, &context, err);
	}
	if (!rc)
		*out_kubeconfig = kt_strdup(context.kubeconfig);
	context_clear(&context);
	return rc;
}

static enum kt_code context_stop(const struct lab_options *options, const char *cluster, struct kt_err *err)
{
	struct context context = {0};
	enum kt_code rc = context_read(options->home, cluster, &context, err);
	if (!rc)
		rc = context_clean(&context, options->progress, options->progress_arg, err);
	if (!rc)
		context_forget(&context);
	context_clear(&context);
	return rc;
}

static enum kt_code context_mark(const char *home, const char *cluster, struct kt_err *err)
{
	(void)home;
	(void)cluster;
	(void)err;
	return KT_OK; /* set-up is done again after a reset */
}

static enum kt_code context_reset(const struct lab_options *options, const char *cluster,
                                  const struct lab *lab, bool *bare, struct kt_err *err)
{
	struct context context = {0};
	struct check_client *client = NULL;
	char *ns = own_namespace(cluster);
	(void)lab;
	*bare = true;
	enum kt_code rc = context_read(options->home, cluster, &context, err);
	if (!rc)
		rc = context_clean(&context, options->progress, options->progress_arg, err);
	if (!rc) {
		kt_json_freep(&context.made);
		rc = context_write(&context, err);
	}
	if (!rc)
		rc = check_client_new(context.kubeconfig, NULL, context.allow_exec, &client, err);
	if (!rc)
		rc = context_namespace(client, &context, ns, err);
	check_client_free(client);
	context_clear(&context);
	kt_free(ns);
	return rc;
}

static enum kt_code context_list(const char *home, struct kt_json **out, struct kt_err *err)
{
	struct kt_strs names = {0};
	*out = kt_json_array();
	enum kt_code rc = context_names(home, &names, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		struct context context = {0};
		struct kt_err ignored = {0};
		if (!context_read(home, names.items[i], &context, &ignored))
			kt_push(out, kt_jsonf("{cluster: %s, provider: 'context', status: 'running', server: "
			                      "%s, kubeconfig: "
			                      "%s, lab: %s, context: %s}",
			                      context.lab, context.server, context.kubeconfig, context.lab,
			                      context.name));
		context_clear(&context);
	}
	kt_strs_clear(&names);
	return rc;
}

const struct provider provider_context = {
        .name = "context",
        .title = "context: a cluster that you have, in namespaces of its own",
        .capabilities = capabilities,
        .foreign = true,
        .real_time = true,
        .available = context_available,
        .start = context_start,
        .stop = context_stop,
        .world = context_world,
        .world_free = context_world_free,
        .mark = context_mark,
        .reset = context_reset,
        .list = context_list,
        .down = context_stop,
        .cannot = context_cannot,
        .client = context_session_client,
};

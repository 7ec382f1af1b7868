/* SPDX-License-Identifier: MIT */
/* The embedded provider: a cluster in a process of ktutor's own (labs/embedded), disturbed and timed through
 * its own routes on the same server. */
#include "labs/embedded/embedded.h"
#include "labs/labs_internal.h"

#include <string.h>
#include <unistd.h>

#define MARK "start" /* the snapshot that a reset goes back to */

static const char *const capabilities[] = {"zones",
                                           "node-failure",
                                           "traffic",
                                           "network-policy",
                                           "metrics",
                                           "storage",
                                           "registry",
                                           "ingress",
                                           "gateway",
                                           "load-balancer",
                                           "links",
                                           "autoscaler",
                                           "network-disks",  /* any machine reaches them (CSI) */
                                           "whole-machines", /* as large as the lab says, each for itself */
                                           "named-policy-ports",
                                           NULL};

struct world {
	struct check_world world; /* first: what is handed out */
	struct check_client *client;
	unsigned snapshots;
	/* its clock as it was told last, and when; at the pace of real time, or held, it is known for a
	 * moment
	 */
	kt_ns told, told_at;
	bool stands;
};
#define KNOWN (5 * KT_MS)

static bool embedded_available(const char *home, char why[512])
{
	(void)home;
	why[0] = '\0';
	return true;
}

static char *kubeconfig_of(const char *home, const char *cluster)
{
	return kt_strf("%s/clusters/%s/kubeconfig", home, cluster);
}

/* --- ktutor's own routes --- */

static enum kt_code call(struct check_client *client, const char *method, const char *path,
                         const struct kt_json *body, struct kt_json **out, struct kt_err *err)
{
	struct check_answer answer = {0};
	char *text = body ? kt_json_text(body) : NULL;
	enum kt_code rc = check_request(client, method, path, body ? "application/json" : NULL, text,
	                                text ? strlen(text) : 0, &answer, err);
	if (!rc && (answer.status < 200 || answer.status > 299)) {
		const char *message = kt_get_str(answer.json, "message");
		rc = kt_fail(err,
		             answer.status == 404   ? KT_ENOTFOUND
		             : answer.status == 501 ? KT_EUNSUPPORTED
		                                    : KT_EINVAL,
		             "%s", message ? message : "the cluster refused");
	}
	if (!rc && out)
		*out = kt_json_ref(answer.json);
	check_answer_clear(&answer);
	kt_free(text);
	return rc;
}

static enum kt_code call_named(struct check_client *client, const char *route, const char *name,
                               struct kt_err *err)
{
	struct kt_json *body = kt_jsonf("{name: %s}", name);
	enum kt_code rc = call(client, "POST", route, body, NULL, err);
	kt_json_free(body);
	return rc;
}

/* --- the world --- */

static enum kt_code world_disturb(void *arg, const struct kt_json *step, struct kt_err *err)
{
	return call(((struct world *)arg)->client, "POST", "/ktutor/v1/disturb", step, NULL, err);
}

/* What the cluster said its clock is; 0: it did not answer. */
static kt_ns hear_clock(struct world *w, const struct kt_json *clock)
{
	kt_ns now = 0;
	bool heard = kt_time_parse(kt_str_or(kt_get(clock, "now"), ""), &now);
	bool as_ours = kt_real_or(kt_get(clock, "speed"), 0) == 1 && !kt_get_bool(clock, "paused", true);
	w->stands = kt_get_bool(clock, "held", false);
	w->told = heard && (as_ours || w->stands) ? now : 0;
	w->told_at = kt_monotonic();
	return heard ? now : 0;
}

static kt_ns world_now(void *arg)
{
	struct world *w = arg;
	struct kt_json *clock = NULL;
	kt_ns since = kt_monotonic() - w->told_at;
	if (w->told && since < KNOWN)
		return w->stands ? w->told : w->told + since;
	kt_ns now = call(w->client, "GET", "/ktutor/v1/clock", NULL, &clock, NULL) ? 0 : hear_clock(w, clock);
	kt_json_free(clock);
	return now;
}

static enum kt_code world_pass(void *arg, kt_ns span, bool until_change, kt_ns *passed, struct kt_err *err)
{
	struct world *w = arg;
	struct kt_buf text = {0};
	struct kt_json *clock = NULL;
	kt_ns before = world_now(w);
	kt_duration_print(span, &text);
	struct kt_json *body =
	        kt_jsonf("{advance: %s, until: %s}", kt_buf_str(&text), until_change ? "change" : NULL);
	enum kt_code rc = call(w->client, "POST", "/ktutor/v1/clock", body, &clock, err);
	if (!rc)
		*passed = hear_clock(w, clock) - before;
	kt_json_free(clock);
	kt_json_free(body);
	kt_buf_clear(&text);
	return rc;
}

static enum kt_code world_hold(void *arg, bool on, struct kt_err *err)
{
	struct world *w = arg;
	struct kt_json *body = kt_json_object(), *clock = NULL;
	kt_set(&body, on ? "hold" : "release", kt_json_int(getpid()));
	enum kt_code rc = call(w->client, "POST", "/ktutor/v1/clock", body, &clock, err);
	if (!rc)
		(void)hear_clock(w, clock);
	kt_json_free(clock);
	kt_json_free(body);
	return rc;
}

static enum kt_code world_clients(void *arg, struct check_clients *out, struct kt_err *err)
{
	struct kt_json *clock = NULL;
	enum kt_code rc = call(((struct world *)arg)->client, "GET", "/ktutor/v1/clock", NULL, &clock, err);
	*out = (struct check_clients){.waiting = (size_t)kt_get_int(clock, "waiting", 0),
	                              .asked = kt_get_int(clock, "asked", 0)};
	kt_json_free(clock);
	return rc;
}

static enum kt_code world_traffic(void *arg, const char *ns, const char *service, kt_ns since,
                                  struct kt_json **out, struct kt_err *err)
{
	struct kt_buf path = {0}, time = {0};
	struct kt_json *report = NULL;
	kt_time_print(since, &time);
	kt_buf_adds(&path, "/ktutor/v1/traffic?since=");
	kt_percent(kt_buf_str(&time), &path);
	enum kt_code rc = call(((struct world *)arg)->client, "GET", kt_buf_str(&path), NULL, &report, err);
	const struct kt_json *row;
	const char *space = strchr(service, ' '), *name = space ? space + 1 : service; /* "gateway front" */
	*out = NULL;
	KT_JSON_EACH (row, kt_get(report, space ? "entries" : "services"))
		if (!*out && kt_streq(kt_get_str(row, "namespace"), ns) &&
		    kt_streq(kt_get_str(row, "service"), name) &&
		    (!space ||
		     !strncmp(service, kt_str_or(kt_get(row, "kind"), ""), (size_t)(space - service))))
			*out = kt_json_ref(row);
	if (!rc && !*out)
		*out = kt_json_object(); /* nobody ever called it */
	kt_json_free(report);
	kt_buf_clear(&path);
	kt_buf_clear(&time);
	return rc;
}

static enum kt_code world_snapshot(void *arg, char **out_name, struct kt_err *err)
{
	struct world *w = arg;
	char *name = kt_strf("drill-%u", ++w->snapshots % 4); /* used again: a handful is kept */
	enum kt_code rc = call_named(w->client, "/ktutor/v1/snapshot", name, err);
	if (rc)
		kt_free(name);
	else
		*out_name = name;
	return rc;
}

static enum kt_code world_restore(void *arg, const char *name, struct kt_err *err)
{
	struct world *w = arg;
	w->told = 0; /* the clock goes back, too */
	return call_named(w->client, "/ktutor/v1/restore", name, err);
}

static void embedded_world_free(struct check_world *world)
{
	if (!world)
		return;
	check_client_free(((struct world *)world->arg)->client);
	kt_free(world->arg);
}

/* A check makes a connection for every command in a pod; TLS costs more than all else it does. */
static enum kt_code embedded_client(const char *home, const char *cluster, struct check_client **out,
                                    struct kt_err *err)
{
	char *dir = NULL, *kubeconfig = kubeconfig_of(home, cluster), *socket = NULL;
	enum kt_code rc = embedded_find(home, cluster, true, &dir, err);
	if (!rc)
		rc = check_client_new(kubeconfig, NULL, false, out, err);
	if (!rc)
		socket = embedded_socket(dir);
	if (socket)
		check_client_by_socket(*out, socket);
	kt_free(socket);
	kt_free(dir);
	kt_free(kubeconfig);
	return rc;
}

static enum kt_code embedded_world(const char *home, const char *cluster, struct check_world **out,
                                   struct kt_err *err)
{
	struct world *w = kt_alloc(sizeof(*w));
	enum kt_code rc = embedded_client(home, cluster, &w->client, err);
	if (rc) {
		kt_free(w);
		return rc;
	}
	w->world = (struct check_world){.arg = w,
	                                .disturb = world_disturb,
	                                .pass = world_pass,
	                                .now = world_now,
	                                .hold = world_hold,
	                                .clients = world_clients,
	                                .traffic = world_traffic,
	                                .snapshot = world_snapshot,
	                                .restore = world_restore,
	                                .capabilities = capabilities,
	                                .virtual_time = true};
	*out = &w->world;
	return KT_OK;
}

/* --- starting and stopping --- */

static enum kt_code embedded_start(const struct lab_options *lab_options, const char *cluster,
                                   const struct lab *lab, char **out_kubeconfig, bool *bare,
                                   struct kt_err *err)
{
	const char *home = lab_options->home;
	struct kt_json *nodes = lab_nodes(lab);
	struct embedded_options options = {.home = home,
	                                   .name = cluster,
	                                   .nodes = nodes,
	                                   .seed = (uint64_t)kt_get_int(lab->cluster, "seed", 1)};
	struct kt_err ignored = {0};
	char *dir = NULL;
	bool found = false;
	*bare = embedded_find(home, cluster, false, &dir, &ignored) != KT_OK;
	options.holder = *bare ? getpid() : 0;
	enum kt_code rc =
	        lab_options->progress && !lab_options->progress(lab_options->progress_arg,
	                                                        "starting the cluster", 0, KT_SEC / 10)
	                ? kt_fail(err, KT_ECANCELLED, "cancelled")
	                : embedded_up(&options, &found, err);
	if (!rc)
		*out_kubeconfig = kubeconfig_of(home, cluster);
	kt_json_free(nodes);
	kt_free(dir);
	return rc;
}

static enum kt_code embedded_stop(const struct lab_options *options, const char *cluster, struct kt_err *err)
{
	return embedded_down(options->home, cluster, false, err);
}

static enum kt_code with_client(const char *home, const char *cluster, const char *route, struct kt_err *err)
{
	struct check_client *client = NULL;
	enum kt_code rc = embedded_client(home, cluster, &client, err);
	if (!rc)
		rc = call_named(client, route, MARK, err);
	check_client_free(client);
	return rc;
}

static enum kt_code embedded_mark(const char *home, const char *cluster, struct kt_err *err)
{
	return with_client(home, cluster, "/ktutor/v1/snapshot", err);
}

static enum kt_code embedded_reset(const struct lab_options *options, const char *cluster,
                                   const struct lab *lab, bool *bare, struct kt_err *err)
{
	(void)lab;
	*bare = false;
	return with_client(options->home, cluster, "/ktutor/v1/restore", err);
}

const struct provider provider_embedded = {
        .name = "embedded",
        .title = "embedded: starts at once, needs nothing",
        .capabilities = capabilities,
        .available = embedded_available,
        .start = embedded_start,
        .stop = embedded_stop,
        .client = embedded_client,
        .world = embedded_world,
        .world_free = embedded_world_free,
        .mark = embedded_mark,
        .reset = embedded_reset,
};

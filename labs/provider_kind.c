/* SPDX-License-Identifier: MIT */
/* The kind provider: labs/kind for the machines, labs/real for what happens on them. */
#include "db/db.h"
#include "labs/kind/kind.h"
#include "labs/labs_internal.h"

#include <stdlib.h>
#include <string.h>

#define METRICS_TIME (3 * KT_MIN_NS)
#define NAMED_PORTS  "named-policy-ports"

static const char *const capabilities[] = {"zones",          "node-failure", "traffic",
                                           "network-policy", "metrics",      "storage",
                                           "registry",       "links",        NULL};

static bool kind_available(const char *home, char why[512])
{
	(void)home;
	return kind_is_here(why);
}

/* Asked for, in the environment, as a setting; else (NULL) the pinned one. Owned. */
static char *wanted_image(const struct lab_options *options)
{
	const char *named = options->image ? options->image : getenv("KTUTOR_KIND_IMAGE");
	struct kt_err ignored = {0};
	struct db *db = NULL;
	char *image = named && *named ? kt_strdup(named) : NULL;
	if (!image && !db_progress_open(options->home, &db, &ignored))
		image = db_setting(db, "kind-image");
	db_close(db);
	return image;
}

static struct kind kind_for(const struct lab_options *options)
{
	struct kind kind;
	kind_init(&kind, options->home);
	kind.progress = options->progress;
	kind.progress_arg = options->progress_arg;
	return kind;
}

/* --- the world --- */

struct world {
	struct check_world world; /* first: what is handed out */
	struct kind kind;
	char *home;
	struct kind_cluster cluster;
	struct check_client *client;
	struct real_pace pace;
	const char *capabilities[16]; /* those of all, and what was found out about this one */
};

static enum kt_code world_disturb(void *arg, const struct kt_json *step, struct kt_err *err)
{
	struct world *w = arg;
	return kind_disturb(&w->kind, &w->cluster, w->client, step, err);
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
	return real_traffic(((struct world *)arg)->client, REAL_NAMESPACE, ns, service, since, out, err);
}

static enum kt_code world_snapshot(void *arg, char **out_name, struct kt_err *err)
{
	return real_before(((struct world *)arg)->client, REAL_NAMESPACE, true, out_name, err);
}

/* The machines first: what they are is read off them. */
static enum kt_code world_restore(void *arg, const char *name, struct kt_err *err)
{
	struct world *w = arg;
	enum kt_code rc = kind_mend(&w->kind, &w->cluster, w->client, err);
	if (!rc)
		rc = kind_settle(&w->kind, &w->cluster, w->client, err);
	return rc ? rc : real_after(w->client, REAL_NAMESPACE, true, name, err);
}

static void kind_world_free(struct check_world *world)
{
	if (!world)
		return;
	struct world *w = world->arg;
	real_pace_clear(&w->pace);
	check_client_free(w->client);
	kind_cluster_clear(&w->cluster);
	kt_free(w->home);
	kt_free(w);
}

/* Why it does not answer, and what to do. */
static enum kt_code silent(struct world *w, const struct kt_err *said, struct kt_err *err)
{
	static const struct {
		const char *state, *sentence;
	} rows[] = {{"gone", "its kind cluster was deleted"},
	            {"stopped", "the containers of its kind cluster do not run"},
	            {"unknown", "the container engine does not answer"}};
	const char *state = kind_state(&w->kind, &w->cluster);
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (kt_streq(rows[i].state, state))
			return kt_fail(err, KT_EUNREACHABLE, "%s", rows[i].sentence);
	return kt_fail(err, KT_EUNREACHABLE, "%s", said->text);
}

static enum kt_code kind_world(const char *home, const char *cluster, struct check_world **out,
                               struct kt_err *err)
{
	struct world *w = kt_alloc(sizeof(*w));
	struct kt_err why = {0};
	w->home = kt_strdup(home);
	kind_init(&w->kind, w->home);
	w->world = (struct check_world){.arg = w,
	                                .disturb = world_disturb,
	                                .pass = world_pass,
	                                .now = world_now,
	                                .traffic = world_traffic,
	                                .snapshot = world_snapshot,
	                                .restore = world_restore,
	                                .capabilities = w->capabilities};
	enum kt_code rc = kind_find(home, cluster, &w->cluster, err);
	for (size_t i = 0; capabilities[i]; i++)
		w->capabilities[i] = capabilities[i];
	if (!rc && kt_get_bool(w->cluster.facts, NAMED_PORTS, false))
		w->capabilities[KT_COUNT(capabilities) - 1] = NAMED_PORTS;
	if (!rc)
		rc = check_client_new(w->cluster.kubeconfig, NULL, false, &w->client, err);
	w->pace.client = w->client;
	if (!rc && real_call(w->client, "GET", "/version", NULL, NULL, NULL, &why))
		rc = silent(w, &why, err);
	if (rc)
		kind_world_free(&w->world);
	else
		*out = &w->world;
	return rc;
}

/* --- what a lab needs is found out, once a cluster --- */

static enum kt_code metrics_there(struct kind *kind, struct check_client *client, struct kt_json **facts,
                                  bool *out, struct kt_err *err)
{
	(void)facts;
	kt_ns began = kt_monotonic(), passed;
	struct real_pace pace = {.client = client};
	enum kt_code rc = KT_OK;
	for (*out = false; !rc && !*out && kt_monotonic() - began < METRICS_TIME;) {
		rc = real_has_metrics(client, out, err);
		if (rc || *out)
			break;
		if (kind->progress && !kind->progress(kind->progress_arg, "waiting for the first metrics",
		                                      kt_monotonic() - began, KT_MIN_NS))
			rc = kt_fail(err, KT_ECANCELLED, "cancelled");
		if (!rc)
			rc = real_pass(&pace, KT_SEC, false, &passed, err);
	}
	real_pace_clear(&pace);
	return rc;
}

static enum kt_code enforces(struct kind *kind, struct check_client *client, struct kt_json **facts,
                             bool *out, struct kt_err *err)
{
	bool named = false;
	if (kind->progress && !kind->progress(kind->progress_arg,
	                                      "trying whether the network enforces policies", 0, 10 * KT_SEC))
		return kt_fail(err, KT_ECANCELLED, "cancelled");
	enum kt_code rc = real_enforces(client, out, &named, err);
	if (!rc)
		kt_set(facts, NAMED_PORTS, kt_json_bool(named));
	return rc;
}

static enum kt_code has_storage(struct kind *kind, struct check_client *client, struct kt_json **facts,
                                bool *out, struct kt_err *err)
{
	(void)kind;
	(void)facts;
	return real_has_storage(client, out, err);
}

static const struct {
	const char *need, *lack;
	enum kt_code (*find_out)(struct kind *kind, struct check_client *client, struct kt_json **facts,
	                         bool *out, struct kt_err *err);
} needs[] = {
        {"network-policy",
         "the network of this node image does not enforce network policies (kind's own does since v0.24): "
         "another image (`ktutor config kind-image IMAGE`) or `--provider embedded` has it",
         enforces},
        {"metrics",
         "no metrics came within 3 minutes: the image of metrics-server could not be fetched, most likely; "
         "`--provider embedded` has them",
         metrics_there},
        {"storage", "this cluster has no default storage class; `--provider embedded` has one", has_storage},
};

static enum kt_code find_out(struct kind *kind, struct kind_cluster *cluster, const struct lab *lab,
                             struct kt_err *err)
{
	struct check_client *client = NULL;
	enum kt_code rc = check_client_new(cluster->kubeconfig, NULL, false, &client, err);
	for (size_t n = 0; !rc && lab->needs && lab->needs[n]; n++)
		for (size_t i = 0; !rc && i < KT_COUNT(needs); i++) {
			bool has = kt_get_bool(cluster->facts, needs[i].need, false);
			if (has || !kt_streq(needs[i].need, lab->needs[n]))
				continue;
			rc = needs[i].find_out(kind, client, &cluster->facts, &has, err);
			if (!rc && !has)
				rc = kt_fail(err, KT_EUNSUPPORTED, "%s", needs[i].lack);
			if (!rc) {
				kt_set(&cluster->facts, needs[i].need, kt_json_bool(true));
				rc = kind_cluster_write(cluster, err);
			}
		}
	check_client_free(client);
	return rc;
}

/* --- starting and stopping --- */

static enum kt_code kind_start(const struct lab_options *options, const char *cluster, const struct lab *lab,
                               char **out_kubeconfig, bool *bare, struct kt_err *err)
{
	struct kind kind = kind_for(options);
	struct kind_cluster held = {0};
	struct kt_json *nodes = lab_nodes(lab);
	char *image = wanted_image(options);
	kind.image = image;
	enum kt_code rc = kind_hold(&kind, cluster, nodes, &held, bare, err);
	if (!rc)
		rc = find_out(&kind, &held, lab, err);
	if (!rc)
		*out_kubeconfig = kt_strdup(held.kubeconfig);
	kind_cluster_clear(&held);
	kt_json_free(nodes);
	kt_free(image);
	return rc;
}

static enum kt_code kind_stop(const struct lab_options *options, const char *cluster, struct kt_err *err)
{
	struct kind kind = kind_for(options);
	return kind_let_go(&kind, cluster, err);
}

static enum kt_code kind_mark(const char *home, const char *cluster, struct kt_err *err)
{
	(void)home;
	(void)cluster;
	(void)err;
	return KT_OK; /* set-up is done again after a reset */
}

static enum kt_code kind_reset(const struct lab_options *options, const char *cluster, const struct lab *lab,
                               bool *bare, struct kt_err *err)
{
	struct kind kind = kind_for(options);
	struct kind_cluster held = {0};
	(void)lab;
	*bare = true;
	enum kt_code rc = kind_find(options->home, cluster, &held, err);
	if (!rc)
		rc = kind_clean(&kind, &held, err);
	kind_cluster_clear(&held);
	return rc;
}

static enum kt_code kind_list(const char *home, struct kt_json **out, struct kt_err *err)
{
	struct kt_strs names = {0};
	struct kind kind;
	kind_init(&kind, home);
	*out = kt_json_array();
	enum kt_code rc = kind_names(home, &names, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		struct kind_cluster cluster = {0};
		if (kind_cluster_read(home, names.items[i], &cluster, NULL))
			continue;
		char *server = check_server_of(cluster.kubeconfig);
		kt_push(out, kt_jsonf("{cluster: %s, provider: 'kind', status: %s, server: %s, kubeconfig: "
		                      "%s, lab: %s}",
		                      cluster.name, cluster.made ? kind_state(&kind, &cluster) : "starting",
		                      server, cluster.kubeconfig, cluster.holder[0] ? cluster.holder : NULL));
		kt_free(server);
		kind_cluster_clear(&cluster);
	}
	kt_strs_clear(&names);
	return rc;
}

static enum kt_code kind_down(const struct lab_options *options, const char *cluster, struct kt_err *err)
{
	struct kind kind = kind_for(options);
	struct kind_cluster found = {0};
	enum kt_code rc = kind_find(options->home, cluster, &found, err);
	if (!rc)
		rc = kind_remove(&kind, &found, err);
	kind_cluster_clear(&found);
	return rc;
}

const struct provider provider_kind = {
        .name = "kind",
        .title = "kind: a real cluster, in Docker or Podman",
        .capabilities = capabilities,
        .real_time = true,
        .available = kind_available,
        .start = kind_start,
        .stop = kind_stop,
        .world = kind_world,
        .world_free = kind_world_free,
        .mark = kind_mark,
        .reset = kind_reset,
        .list = kind_list,
        .down = kind_down,
};

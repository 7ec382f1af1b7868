/* SPDX-License-Identifier: MIT */
/* Who holds which cluster: found again, taken over when idle, made anew, let go. One process at a time
 * decides. */
#include "labs/kind/kind_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ANSWER_TIME (2 * KT_MIN_NS)

/* --- one at a time --- */

static enum kt_code lock(struct kind *kind, int *out, struct kt_err *err)
{
	char *dir = kt_join(kind->home, "kind"), *path = kt_join(dir, "lock");
	kt_ns began = kt_monotonic();
	enum kt_code rc = kt_make_dirs(dir, 0700, err);
	int fd = rc ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (!rc && fd < 0)
		rc = kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
	while (!rc && flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			rc = kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
		else if (!kind_tell(kind, "another ktutor is at work on the clusters", kt_monotonic() - began,
		                    KT_MIN_NS))
			rc = kt_fail(err, KT_ECANCELLED, "cancelled");
		else
			(void)poll(NULL, 0, 200);
	}
	if (rc && fd >= 0)
		(void)close(fd);
	else
		*out = fd;
	kt_free(path);
	kt_free(dir);
	return rc;
}

/* --- what runs --- */

enum kt_code kind_containers(struct kind *kind, const char *name, struct kt_json **out, struct kt_err *err)
{
	char *label = kt_strf("label=io.x-k8s.kind.cluster=%s", name);
	const char *const argv[] = {
	        kind->engine, "ps", "-a", "--filter", label, "--format", "{{.Names}} {{.State}}", NULL};
	struct kt_buf text = {0}, errout = {0};
	int status = 0;
	enum kt_code rc = kind_run(kind, &(struct kind_ask){.argv = argv, .out = &text, .errout = &errout},
	                           &status, err);
	if (!rc && status)
		rc = kt_fail(err, KT_EUNREACHABLE, "%s does not answer: %.*s", kind->engine,
		             (int)KT_MIN(strcspn(kt_buf_str(&errout), "\n"), 200), kt_buf_str(&errout));
	if (!rc) {
		const char *rest = kt_buf_str(&text), *line;
		size_t len;
		*out = kt_json_array();
		while ((line = kt_split(&rest, '\n', &len))) {
			const char *space = memchr(line, ' ', len);
			if (space)
				kt_push(out,
				        kt_jsonf("{name: %j, state: %j}",
				                 kt_json_strn(line, (size_t)(space - line)),
				                 kt_json_strn(space + 1, len - (size_t)(space - line) - 1)));
		}
	}
	kt_buf_clear(&text);
	kt_buf_clear(&errout);
	kt_free(label);
	return rc;
}

const char *kind_state(struct kind *kind, const struct kind_cluster *cluster)
{
	struct kt_json *containers = NULL;
	struct kt_err ignored = {0};
	const struct kt_json *c;
	size_t running = 0;
	if (kind_look(kind, &ignored) || kind_containers(kind, cluster->name, &containers, &ignored))
		return "unknown";
	KT_JSON_EACH (c, containers)
		running += kt_streq(kt_get_str(c, "state"), "running") &&
		           strstr(kt_get_str(c, "name"), "control-plane");
	const char *state = !kt_count(containers) ? "gone" : running ? "running" : "stopped";
	kt_json_free(containers);
	return state;
}

/* --- its end --- */

static enum kt_code forget(const struct kind_cluster *cluster, struct kt_err *err)
{
	return kt_remove_tree(cluster->dir, err);
}

static enum kt_code remove_unlocked(struct kind *kind, const struct kind_cluster *cluster, struct kt_err *err)
{
	enum kt_code rc = kind_look(kind, err);
	if (!rc)
		rc = kind_delete(kind, cluster->name, err);
	return rc ? rc : forget(cluster, err);
}

enum kt_code kind_remove(struct kind *kind, const struct kind_cluster *cluster, struct kt_err *err)
{
	int fd = -1;
	enum kt_code rc = lock(kind, &fd, err);
	if (rc)
		return rc;
	rc = remove_unlocked(kind, cluster, err);
	(void)close(fd);
	return rc;
}

/* --- back to how it was made --- */

static enum kt_code read_baseline(const struct kind_cluster *cluster, struct kt_json **out,
                                  struct kt_err *err)
{
	char *path = kt_join(cluster->dir, "baseline.json");
	enum kt_code rc = kt_read_json(path, 64u * 1024 * 1024, out, err);
	kt_free(path);
	return rc;
}

/* The API answers again: after a container of the control plane was started. */
static enum kt_code await_api(struct kind *kind, struct check_client *client, struct kt_err *err)
{
	kt_ns began = kt_monotonic();
	for (;;) {
		struct kt_err why = {0};
		enum kt_code rc = real_call(client, "GET", "/readyz", NULL, NULL, NULL, &why);
		kt_ns since = kt_monotonic() - began;
		if (!rc)
			return KT_OK;
		if (since > ANSWER_TIME)
			return kt_fail(err, KT_EUNREACHABLE,
			               "the cluster does not answer after %lld s (%s): `ktutor lab start LAB "
			               "--fresh` "
			               "makes a new one",
			               (long long)(since / KT_SEC), why.text);
		if (!kind_tell(kind, "waiting for the cluster to answer", since, 40 * KT_SEC))
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		(void)poll(NULL, 0, 500);
	}
}

enum kt_code kind_settle(struct kind *kind, const struct kind_cluster *cluster, struct check_client *client,
                         struct kt_err *err)
{
	struct kt_json *containers = NULL;
	enum kt_code rc = kind_containers(kind, cluster->name, &containers, err);
	if (!rc && !kt_count(containers))
		rc = kt_fail(err, KT_ENOTFOUND, "the cluster '%s' is gone: somebody deleted it",
		             cluster->name);
	if (!rc)
		rc = await_api(kind, client, err);
	if (!rc)
		rc = kind_wait_ready(kind, client, kt_count(containers), err);
	kt_json_free(containers);
	return rc;
}

enum kt_code kind_clean(struct kind *kind, const struct kind_cluster *cluster, struct kt_err *err)
{
	struct check_client *client = NULL;
	struct kt_json *baseline = NULL;
	enum kt_code rc = read_baseline(cluster, &baseline, err);
	if (!rc)
		rc = kind_look(kind, err);
	if (!rc)
		rc = check_client_new(cluster->kubeconfig, NULL, false, &client, err);
	if (!rc)
		rc = kind_mend(kind, cluster, client, err);
	if (!rc)
		rc = kind_settle(kind, cluster, client, err);
	if (!rc)
		rc = real_wipe(client, baseline, kind->progress, kind->progress_arg, err);
	check_client_free(client);
	kt_json_free(baseline);
	return rc;
}

static enum kt_code let_go_unlocked(struct kind *kind, struct kind_cluster *cluster, struct kt_err *err)
{
	struct kt_err why = {0};
	enum kt_code rc = kind_look(kind, err);
	if (rc)
		return rc;
	rc = kind_clean(kind, cluster, &why);
	if (rc == KT_ECANCELLED)
		return kt_fail(err, rc, "%s", why.text);
	if (rc) /* it cannot be put back: better none than a wrong one */
		return remove_unlocked(kind, cluster, err);
	cluster->holder[0] = '\0';
	return kind_cluster_write(cluster, err);
}

enum kt_code kind_let_go(struct kind *kind, const char *holder, struct kt_err *err)
{
	struct kind_cluster cluster = {0};
	int fd = -1;
	enum kt_code rc = lock(kind, &fd, err);
	if (rc)
		return rc;
	rc = kind_find(kind->home, holder, &cluster, err);
	if (!rc)
		rc = let_go_unlocked(kind, &cluster, err);
	kind_cluster_clear(&cluster);
	(void)close(fd);
	return rc;
}

/* --- finding one --- */

static bool alive(long pid)
{
	return pid > 0 && (!kill((pid_t)pid, 0) || errno == EPERM);
}

struct search {
	struct kind *kind;
	const char *holder, *shape;
	struct kind_cluster found; /* name "" : none */
};

/* Made half by a process that died. */
static bool is_ruin(const struct kind_cluster *cluster)
{
	return !cluster->made && !alive(cluster->maker);
}

/* Wake it if it was stopped (the machine was started anew); what is gone is forgotten. */
static enum kt_code wake(struct kind *kind, const struct kind_cluster *cluster, bool *there,
                         struct kt_err *err)
{
	struct check_client *client = NULL;
	const char *state = kind_state(kind, cluster);
	*there = !kt_streq(state, "gone");
	if (!*there)
		return forget(cluster, err);
	enum kt_code rc = check_client_new(cluster->kubeconfig, NULL, false, &client, err);
	if (!rc && kt_streq(state, "stopped"))
		rc = kind_mend(kind, cluster, client, err);
	if (!rc)
		rc = await_api(kind, client, err);
	check_client_free(client);
	return rc;
}

static enum kt_code consider(struct search *s, struct kind_cluster *cluster, struct kt_err *err)
{
	bool mine = kt_streq(cluster->holder, s->holder), idle = !cluster->holder[0],
	     fits = kt_streq(cluster->shape, s->shape), there = false;
	enum kt_code rc = KT_OK;
	if (is_ruin(cluster))
		return remove_unlocked(s->kind, cluster, err);
	if (mine && !fits)
		return let_go_unlocked(s->kind, cluster, err);
	if (!cluster->made || (!mine && !idle) || !fits || (s->found.name[0] && !mine))
		return KT_OK;
	rc = wake(s->kind, cluster, &there, err);
	if (!rc && there) {
		kind_cluster_clear(&s->found);
		s->found = *cluster;
		memset(cluster, 0, sizeof(*cluster)); /* moved */
	}
	return rc;
}

static enum kt_code look_for(struct search *s, struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kind_names(s->kind->home, &names, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		struct kind_cluster cluster = {0};
		if (!kind_cluster_read(s->kind->home, names.items[i], &cluster, NULL))
			rc = consider(s, &cluster, err);
		kind_cluster_clear(&cluster);
	}
	kt_strs_clear(&names);
	return rc;
}

/* Idle ones make room for a new one. */
static enum kt_code remove_idle(struct kind *kind, struct kt_buf *held, struct kt_err *err)
{
	struct kt_strs names = {0};
	enum kt_code rc = kind_names(kind->home, &names, err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		struct kind_cluster cluster = {0};
		if (kind_cluster_read(kind->home, names.items[i], &cluster, NULL))
			continue;
		if (!cluster.holder[0])
			rc = remove_unlocked(kind, &cluster, err);
		else
			kt_buf_addf(held, "%s%s", held->len ? ", " : "", cluster.holder);
		kind_cluster_clear(&cluster);
	}
	kt_strs_clear(&names);
	return rc;
}

static enum kt_code make_room(struct kind *kind, size_t nodes, struct kt_err *err)
{
	struct kt_err why = {0};
	struct kt_buf held = {0};
	if (!kind_room(kind, nodes, &why))
		return KT_OK;
	enum kt_code rc = remove_idle(kind, &held, err);
	if (!rc) {
		kt_err_clear(&why);
		rc = kind_room(kind, nodes, &why);
		if (rc)
			kt_fail(err, rc,
			        held.len ? "%s. These labs hold clusters: %s; `ktutor lab stop LAB` frees one"
			                 : "%s",
			        why.text, kt_buf_str(&held));
	}
	kt_buf_clear(&held);
	return rc;
}

/* --- names --- */

static void shape_of(const struct kind *kind, const struct kt_json *nodes, char out[17])
{
	char *text = kt_json_text(nodes), *whole = kt_strf("%s %s", kind_image(kind), text);
	snprintf(out, 17, "%016llx", (unsigned long long)kt_hash(whole, strlen(whole)));
	kt_free(whole);
	kt_free(text);
}

/* No other home's cluster, and no other of ours, bears it. */
static void name_of(const struct kind *kind, const char *shape, char out[64])
{
	unsigned home = (unsigned)kt_hash32(kind->home, strlen(kind->home));
	for (unsigned i = 1;; i++) {
		char *dir;
		snprintf(out, 64, "ktutor-%05x-%.5s%s%.0u", home & 0xfffff, shape, i > 1 ? "-" : "",
		         i > 1 ? i : 0);
		dir = kt_strf("%s/kind/%s", kind->home, out);
		bool taken = kt_is_dir(dir);
		kt_free(dir);
		if (!taken)
			return;
	}
}

static enum kt_code make(struct kind *kind, const char *holder, const char *shape,
                         const struct kt_json *nodes, struct kind_cluster *out, struct kt_err *err)
{
	struct kind_cluster cluster = {.maker = getpid()};
	struct kt_err ignored = {0};
	enum kt_code rc = make_room(kind, kt_count(kt_get(nodes, "items")), err);
	if (rc)
		return rc;
	name_of(kind, shape, cluster.name);
	snprintf(cluster.holder, sizeof(cluster.holder), "%s", holder);
	snprintf(cluster.shape, sizeof(cluster.shape), "%s", shape);
	snprintf(cluster.engine, sizeof(cluster.engine), "%s", kind->engine);
	cluster.dir = kt_strf("%s/kind/%s", kind->home, cluster.name);
	cluster.kubeconfig = kt_join(cluster.dir, "kubeconfig");
	rc = kind_cluster_write(&cluster, err);
	/* containers of that name are a ruin of ours whose record was lost */
	if (!rc && kind_delete(kind, cluster.name, &ignored)) {
		/* kind create will say what is in the way */
	}
	if (!rc)
		rc = kind_create(kind, &cluster, nodes, err);
	cluster.made = !rc;
	if (!rc)
		rc = kind_cluster_write(&cluster, err);
	if (rc)
		kind_cluster_clear(&cluster);
	else
		*out = cluster;
	return rc;
}

enum kt_code kind_hold(struct kind *kind, const char *holder, const struct kt_json *nodes,
                       struct kind_cluster *out, bool *bare, struct kt_err *err)
{
	char shape[17];
	int fd = -1;
	enum kt_code rc = kind_look(kind, err);
	if (!rc)
		rc = lock(kind, &fd, err);
	if (rc)
		return rc;
	shape_of(kind, nodes, shape);
	struct search s = {.kind = kind, .holder = holder, .shape = shape};
	rc = look_for(&s, err);
	*bare = !s.found.name[0] || !kt_streq(s.found.holder, holder);
	if (!rc && !s.found.name[0])
		rc = make(kind, holder, shape, nodes, &s.found, err);
	else if (!rc && !kt_streq(s.found.holder, holder)) {
		snprintf(s.found.holder, sizeof(s.found.holder), "%s", holder);
		rc = kind_cluster_write(&s.found, err);
	}
	(void)close(fd);
	if (rc)
		kind_cluster_clear(&s.found);
	else
		*out = s.found;
	return rc;
}

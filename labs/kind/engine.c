/* SPDX-License-Identifier: MIT */
/* What this machine has: an engine, kind, room, the image. Each lack is a sentence with its remedy. */
#include "labs/kind/kind_internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#define ASK_TIME  (30 * KT_SEC)
#define PULL_TIME (30 * KT_MIN_NS)
#define MIB       ((int64_t)1024 * 1024)

/* What a fresh cluster takes, measured on kind v0.30 with Kubernetes 1.34 (a first node is the control
 * plane). */
#define MEMORY_FIRST  (800 * MIB)
#define MEMORY_OTHER  (250 * MIB)
#define DISK_FIRST    (900 * MIB)
#define DISK_OTHER    (500 * MIB)
#define INOTIFY_OTHER 16 /* systemd, containerd and the kubelet of a node */

static const struct engine {
	const char *name, *title, *cpus, *memory, *root, *start;
} engines[] = {
        {"docker", "Docker", "NCPU", "MemTotal", "DockerRootDir",
         "start it (`sudo systemctl start docker`, or open Docker Desktop)"},
        {"podman", "Podman", "host.cpus", "host.memTotal", "store.graphRoot",
         "start it (`podman machine start`)"},
};

/* Images that a release of kind was published with, newest first: github.com/kubernetes-sigs/kind/releases.
 * kind promises an image only together with its own release. */
static const struct {
	unsigned minor;
	const char *image;
} pinned[] = {
        {33, "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d"},
        {0, "kindest/node:v1.34.0@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"},
};

void kind_init(struct kind *kind, const char *home)
{
	*kind = (struct kind){.runner = &kind_runner_real, .home = home};
}

bool kind_tell(struct kind *kind, const char *sentence, kt_ns elapsed, kt_ns usual)
{
	if (!kind->progress)
		return true;
	/* what is usual is no limit: it is said in words */
	char *told = usual >= KT_SEC ? kt_strf("%s: %lld s, usually about %lld s", sentence,
	                                       (long long)(elapsed / KT_SEC), (long long)(usual / KT_SEC))
	                             : kt_strdup(sentence);
	bool go_on = kind->progress(kind->progress_arg, told, elapsed, 0);
	kt_free(told);
	return go_on;
}

static bool keep_on(void *arg, const char *line)
{
	struct kind_stage *stage = arg;
	(void)line;
	return kind_tell(stage->kind, stage->sentence, kt_monotonic() - stage->began, stage->usual);
}

enum kt_code kind_run(struct kind *kind, const struct kind_ask *ask, int *status, struct kt_err *err)
{
	struct kind_stage stage = {
	        .kind = kind, .sentence = ask->sentence, .usual = ask->usual, .began = kt_monotonic()};
	char *engine = kt_strf("KIND_EXPERIMENTAL_PROVIDER=%s", kind->engine),
	     *config = kt_strf("KUBECONFIG=%s/kind/kubeconfig", kind->home);
	/* Never the user's own kubeconfig, whatever the environment says. */
	const char *env[] = {config, kind->engine[0] ? engine : NULL, NULL};
	struct kind_command command = {.argv = ask->argv,
	                               .env = env,
	                               .in = ask->in,
	                               .out = ask->out,
	                               .errout = ask->errout,
	                               .timeout = ask->timeout ? ask->timeout : ASK_TIME,
	                               .tick = ask->tick       ? ask->tick
	                                       : ask->sentence ? keep_on
	                                                       : NULL,
	                               .arg = ask->tick ? ask->arg : &stage};
	enum kt_code rc = kind->runner->run(kind->runner->arg, &command, status, err);
	kt_free(engine);
	kt_free(config);
	return rc;
}

/* --- is it here --- */

static const struct engine *engine_here(void)
{
	const char *wanted = getenv("KTUTOR_ENGINE");
	for (size_t i = 0; i < KT_COUNT(engines); i++) {
		char *path = wanted && *wanted && !kt_streq(wanted, engines[i].name)
		                     ? NULL
		                     : kt_which(engines[i].name);
		kt_free(path);
		if (path)
			return &engines[i];
	}
	return NULL;
}

bool kind_is_here(char why[512])
{
	const struct engine *engine = engine_here();
	char *kind = kt_which("kind");
	why[0] = '\0';
	if (!engine)
		snprintf(why, 512,
		         "kind clusters need Docker or Podman, and neither is on the PATH: install one, or "
		         "stay "
		         "with `--provider embedded`, which needs nothing");
	else if (!kind)
		snprintf(why, 512,
		         "%s is here, but the program kind is not: install it (https://kind.sigs.k8s.io, or "
		         "`go "
		         "install sigs.k8s.io/kind@latest`), or stay with `--provider embedded`",
		         engine->title);
	kt_free(kind);
	return engine && !why[0];
}

/* The engine's own words when it did not answer: {words, sentence with %s (title), %s (remedy)}. */
static const struct {
	const char *words;
	bool rights;
} refusals[] = {{"permission denied", true}, {"Permission denied", true}, {"dial unix", false}};

static enum kt_code engine_silent(const struct engine *engine, const char *said, struct kt_err *err)
{
	for (size_t i = 0; i < KT_COUNT(refusals); i++)
		if (strstr(said, refusals[i].words) && refusals[i].rights)
			return kt_fail(
			        err, KT_EDENIED,
			        "%s is here, but you may not use it: `sudo usermod -aG %s $USER`, then "
			        "log in again",
			        engine->title, engine->name);
	size_t len = strcspn(said, "\n");
	return kt_fail(err, KT_EUNSUPPORTED, "%s is here, but does not answer: %s%s%.*s%s", engine->title,
	               engine->start, len ? " (" : "", (int)KT_MIN(len, 200), said, len ? ")" : "");
}

static enum kt_code ask_engine(struct kind *kind, const struct engine *engine, struct kt_err *err)
{
	const char *const argv[] = {engine->name, "info", "--format", "{{json .}}", NULL};
	struct kt_buf out = {0}, errout = {0};
	struct kt_json *info = NULL;
	int status = 0;
	enum kt_code rc = kind_run(kind,
	                           &(struct kind_ask){.argv = argv,
	                                              .out = &out,
	                                              .errout = &errout,
	                                              .sentence = "asking the container engine"},
	                           &status, err);
	if (rc == KT_ETIMEOUT) {
		kt_err_clear(err);
		rc = engine_silent(engine, "no answer within 30 s", err);
	}
	if (!rc && kt_json_parse(kt_buf_str(&out), out.len, NULL, &info, NULL, NULL))
		info = NULL;
	if (!rc && (status || !kt_path_int(info, engine->cpus, 0)))
		rc = engine_silent(engine,
		                   errout.len ? kt_buf_str(&errout)
		                              : kt_str_or(kt_path(info, "ServerErrors.0"), ""),
		                   err);
	if (!rc) {
		snprintf(kind->engine, sizeof(kind->engine), "%s", engine->name);
		kind->cpus = kt_path_int(info, engine->cpus, 0);
		kind->memory = kt_path_int(info, engine->memory, 0);
		snprintf(kind->root, sizeof(kind->root), "%s", kt_str_or(kt_path(info, engine->root), ""));
	}
	kt_json_free(info);
	kt_buf_clear(&out);
	kt_buf_clear(&errout);
	return rc;
}

/* "kind v0.30.0 go1.25.0 linux/amd64" */
static enum kt_code ask_kind(struct kind *kind, struct kt_err *err)
{
	const char *const argv[] = {"kind", "version", NULL};
	struct kt_buf out = {0};
	int status = 0;
	enum kt_code rc = kind_run(kind, &(struct kind_ask){.argv = argv, .out = &out}, &status, err);
	const char *v = strstr(kt_buf_str(&out), "v");
	while (v && !isdigit((unsigned char)v[1]))
		v = strstr(v + 1, "v");
	if (!rc && (status || !v || sscanf(v, "v%u.%u", &kind->major, &kind->minor) != 2))
		rc = kt_fail(err, KT_EUNSUPPORTED,
		             "the program kind does not say its version (`kind version`): install it anew "
		             "(https://kind.sigs.k8s.io)");
	bool old = kind->major == KIND_OLDEST_MAJOR && kind->minor < KIND_OLDEST_MINOR;
	if (!rc && old)
		rc = kt_fail(err, KT_EUNSUPPORTED,
		             "kind v%u.%u is too old, v%d.%d or later is needed: install it anew "
		             "(https://kind.sigs.k8s.io)",
		             kind->major, kind->minor, KIND_OLDEST_MAJOR, KIND_OLDEST_MINOR);
	kt_buf_clear(&out);
	return rc;
}

enum kt_code kind_look(struct kind *kind, struct kt_err *err)
{
	char why[512];
	if (kind->engine[0])
		return KT_OK; /* asked already */
	if (!kind_is_here(why))
		return kt_fail(err, KT_EUNSUPPORTED, "%s", why);
	enum kt_code rc = ask_engine(kind, engine_here(), err);
	if (!rc)
		rc = ask_kind(kind, err);
	if (rc)
		kind->engine[0] = '\0';
	return rc;
}

/* --- room --- */

static int64_t number_in(const char *path, const char *label)
{
	struct kt_buf text = {0};
	int64_t value = -1;
	if (kt_is_file(path) && !kt_read_file(path, 64 * 1024, &text, NULL)) {
		const char *at = label ? strstr(kt_buf_str(&text), label) : kt_buf_str(&text);
		if (at)
			value = strtoll(at + (label ? strlen(label) : 0), NULL, 10);
	}
	kt_buf_clear(&text);
	return value;
}

static enum kt_code memory_room(const struct kind *kind, size_t nodes, struct kt_err *err)
{
	int64_t need = MEMORY_FIRST + (int64_t)(nodes - 1) * MEMORY_OTHER,
	        here = number_in("/proc/meminfo", "MemAvailable:") * 1024, have = kind->memory;
	/* The engine's machine is this one (no virtual machine between): what is free counts. */
	int64_t total = number_in("/proc/meminfo", "MemTotal:") * 1024;
	if (here > 0 && total > 0 && have > total - total / 8)
		have = here;
	if (have <= 0 || have >= need)
		return KT_OK;
	return kt_fail(err, KT_ELIMIT,
	               "%zu nodes need about %lld MiB of memory, %lld MiB are free: close something, give %s "
	               "more, or use `--provider embedded`",
	               nodes, (long long)(need / MIB), (long long)(have / MIB), kind->engine);
}

static enum kt_code disk_room(const struct kind *kind, size_t nodes, struct kt_err *err)
{
	struct statvfs fs;
	if (!kind->root[0] || statvfs(kind->root, &fs))
		return KT_OK; /* elsewhere: kind will say */
	int64_t need = DISK_FIRST + (int64_t)(nodes - 1) * DISK_OTHER,
	        have = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
	if (have >= need)
		return KT_OK;
	return kt_fail(
	        err, KT_ELIMIT,
	        "%zu nodes need about %lld MiB of disk, %s has %lld MiB left: `%s system prune` frees what "
	        "is not used",
	        nodes, (long long)(need / MIB), kind->root, (long long)(have / MIB), kind->engine);
}

/* How many nodes of kind run already: they share the machine's inotify instances. */
static size_t running_nodes(struct kind *kind)
{
	const char *const argv[] = {kind->engine, "ps", "-q", "--filter", "label=io.x-k8s.kind.cluster",
	                            NULL};
	struct kt_buf out = {0};
	struct kt_err ignored = {0};
	int status = 0;
	size_t count = 0;
	if (!kind_run(kind, &(struct kind_ask){.argv = argv, .out = &out}, &status, &ignored) && !status)
		for (size_t i = 0; i < out.len; i++)
			count += out.data[i] == '\n';
	kt_buf_clear(&out);
	return count;
}

static enum kt_code inotify_room(struct kind *kind, size_t nodes, struct kt_err *err)
{
	int64_t have = number_in("/proc/sys/fs/inotify/max_user_instances", NULL),
	        need = (int64_t)(nodes + running_nodes(kind)) * INOTIFY_OTHER;
	if (have < 0 || have >= need)
		return KT_OK;
	return kt_fail(
	        err, KT_ELIMIT,
	        "%zu nodes more need about %lld inotify instances, this machine allows %lld: `sudo sysctl "
	        "fs.inotify.max_user_instances=512` (in /etc/sysctl.d to keep it)",
	        nodes, (long long)need, (long long)have);
}

enum kt_code kind_room(struct kind *kind, size_t nodes, struct kt_err *err)
{
	enum kt_code rc = memory_room(kind, nodes, err);
	if (!rc)
		rc = disk_room(kind, nodes, err);
	return rc ? rc : inotify_room(kind, nodes, err);
}

/* --- the image --- */

const char *kind_image(const struct kind *kind)
{
	if (kind->image && *kind->image)
		return kind->image;
	size_t i = 0;
	while (i + 1 < KT_COUNT(pinned) && kind->major == 0 && kind->minor < pinned[i].minor)
		i++;
	return pinned[i].image;
}

enum kt_code kind_fetch_image(struct kind *kind, struct kt_err *err)
{
	const char *image = kind_image(kind);
	const char *const look[] = {kind->engine, "image", "inspect", "--format", "{{.Id}}", image, NULL};
	const char *const pull[] = {kind->engine, "pull", "--quiet", image, NULL};
	struct kt_buf errout = {0};
	int status = 0;
	enum kt_code rc = kind_run(kind, &(struct kind_ask){.argv = look}, &status, err);
	if (rc || !status)
		return rc;
	rc = kind_run(kind,
	              &(struct kind_ask){.argv = pull,
	                                 .errout = &errout,
	                                 .timeout = PULL_TIME,
	                                 .sentence = "fetching the node image, once (about 1 GB)",
	                                 .usual = 3 * KT_MIN_NS},
	              &status, err);
	if (!rc && status) {
		const char *said = kt_buf_str(&errout);
		rc = strstr(said, "no space left")
		             ? kind_explain(said, err)
		             : kt_fail(err, KT_EUNSUPPORTED,
		                       "the node image %s is not here and cannot be fetched "
		                       "(%.*s): with a network run `%s pull %s`, or name one "
		                       "that is here with `ktutor config kind-image IMAGE`",
		                       image, (int)KT_MIN(strcspn(said, "\n"), 160), said, kind->engine,
		                       image);
	}
	kt_buf_clear(&errout);
	return rc;
}

/* --- what kind says when it fails --- */

static const struct {
	const char *words, *sentence;
} explanations[] = {
        {"no space left on device",
         "the disk is full: `docker system prune` (or podman) frees what is not used"},
        {"port is already allocated",
         "a port that the cluster needs is taken by another program; try again, or "
         "stop that program"},
        {"address already in use", "a port that the cluster needs is taken by another program; try again, or "
                                   "stop that program"},
        {"too many open files", "this machine allows too few inotify instances: `sudo sysctl "
                                "fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288`"},
        {"inotify", "this machine allows too few inotify instances: `sudo sysctl "
                    "fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288`"},
        {"failed to pull image",
         "the node image is not here and cannot be fetched: fetch it with a network, or "
         "name another with `ktutor config kind-image IMAGE`"},
        {"permission denied", "the container engine refused: may this user use it?"},
        {"unable to apply caps", "the container engine cannot start privileged containers here, which nodes "
                                 "are"},
        {"cgroup", "the container engine's cgroups do not suit this Kubernetes: kind's page on known issues "
                   "(https://kind.sigs.k8s.io/docs/user/known-issues) has the remedy"},
        {"kubelet is not healthy",
         "a node's kubelet did not get healthy: too little memory is the usual cause"},
        {"timed out waiting for the condition", "the control plane did not get ready in time: too little "
                                                "memory or CPU is the usual cause; try again"},
};

enum kt_code kind_explain(const char *words, struct kt_err *err)
{
	const char *error = strstr(words, "ERROR: ");
	error = error ? error + 7 : words;
	char *first = kt_strndup(error, KT_MIN(strcspn(error, "\n"), 200));
	enum kt_code rc = KT_EIO;
	for (size_t i = 0; i < KT_COUNT(explanations); i++)
		if (strstr(words, explanations[i].words)) {
			kt_fail(err, rc, "%s (kind: %s)", explanations[i].sentence, first);
			kt_free(first);
			return rc;
		}
	kt_fail(err, rc, "kind could not make the cluster: %s", *first ? first : "it did not say why");
	kt_free(first);
	return rc;
}

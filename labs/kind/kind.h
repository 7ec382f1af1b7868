/* SPDX-License-Identifier: MIT */
/* kind: real clusters of several nodes on this machine, each node a container of Docker or Podman, made by
 * the program kind (https://kind.sigs.k8s.io). Whatever is run goes through one function table, never through
 * a shell, and never with the user's kubeconfig.
 *
 * A cluster outlives its lab: it is held by one lab at a time (its holder), is put back to how it was made
 * when the lab is stopped, and is found again by the next lab that wants the same machines. What is known of
 * it lies in HOME/kind/NAME: cluster.json, kubeconfig, baseline.json. */
#ifndef KIND_H
#define KIND_H

#include "base/base.h"
#include "labs/real/real.h"

/* The oldest kind that reads our configuration. */
#define KIND_OLDEST_MAJOR 0
#define KIND_OLDEST_MINOR 20

/* --- programs (run.c) --- */
struct kind_command {
	const char *const *argv;     /* argv[0] is looked up on PATH */
	const char *const *env;      /* NAME=value beside what is inherited; NULL: none */
	const char *in;              /* standard input; NULL: empty */
	struct kt_buf *out, *errout; /* NULL: not wanted */
	kt_ns timeout;               /* 0: none */
	/* Called some five times a second, and with each line of standard error when it is whole. False: the
	 * program and what it started are ended; KT_ECANCELLED. */
	bool (*tick)(void *arg, const char *line);
	void *arg;
};
struct kind_runner {
	/* KT_OK when it ran, whatever its exit code (`*status`; 128+N for a signal). KT_ENOTFOUND: no such
	 * program. KT_ETIMEOUT. */
	enum kt_code (*run)(void *arg, const struct kind_command *command, int *status, struct kt_err *err);
	void *arg;
};
extern const struct kind_runner kind_runner_real; /* processes, each in a group of its own */

/* --- who asks, and with what --- */
struct kind {
	const struct kind_runner *runner;
	const char *home;  /* $KTUTOR_HOME */
	const char *image; /* the node image; NULL: the one pinned for this kind */
	bool (*progress)(void *arg, const char *sentence, kt_ns elapsed, kt_ns usual); /* may be NULL */
	void *progress_arg;
	/* found by kind_look: */
	char engine[16];       /* "docker", "podman" */
	unsigned major, minor; /* of the program kind */
	int64_t cpus, memory;  /* of the engine's machine */
	char root[256];        /* where the engine keeps its data; "" elsewhere */
};
void kind_init(struct kind *kind, const char *home);

/* Are an engine and kind on the PATH? Quick: asks nobody. `why`: what is missing, and the remedy. */
bool kind_is_here(char why[512]);
/* Does the engine answer, is kind new enough? Fills `engine`, `major`, `minor`. Errors are sentences with the
 * remedy. */
KT_MUST_CHECK enum kt_code kind_look(struct kind *kind, struct kt_err *err);
/* The image of nodes; kind_look before. Borrowed. */
const char *kind_image(const struct kind *kind);
/* Is there room for `nodes` more of them: memory, disk, inotify instances? And the image, fetched if need be
 * (told as progress). */
KT_MUST_CHECK enum kt_code kind_room(struct kind *kind, size_t nodes, struct kt_err *err);
KT_MUST_CHECK enum kt_code kind_fetch_image(struct kind *kind, struct kt_err *err);
/* What `kind create cluster` wrote when it failed, as a sentence with the remedy. */
enum kt_code kind_explain(const char *words, struct kt_err *err);

/* The configuration for `kind create cluster`, of a v1 List of Nodes: names, and what of CPU and memory is
 * kept back so that a node offers what the lab says (never more than the machine has). YAML into `out`. */
void kind_config(const struct kt_json *nodes, int64_t host_cpus, int64_t host_memory, struct kt_buf *out);

/* --- clusters --- */
struct kind_cluster {
	char name[64]; /* kind's name: the containers begin with it */
	char engine[16];
	char *dir, *kubeconfig; /* HOME/kind/NAME, and the file in it */
	char holder[64];        /* the lab's cluster that uses it, "" nobody */
	char shape[17];         /* which machines it was made of, hashed */
	bool made;              /* false: its making did not end */
	long maker;             /* the process that makes it */
	struct kt_json *facts;  /* found out about it: {"network-policy": true} */
};
void kind_cluster_clear(struct kind_cluster *cluster);
KT_MUST_CHECK enum kt_code kind_cluster_read(const char *home, const char *name, struct kind_cluster *out,
                                             struct kt_err *err);
KT_MUST_CHECK enum kt_code kind_cluster_write(const struct kind_cluster *cluster, struct kt_err *err);
/* Names of all clusters of this home, sorted. */
KT_MUST_CHECK enum kt_code kind_names(const char *home, struct kt_strs *out, struct kt_err *err);
/* The one that `word` names: its holder or its own name. KT_ENOTFOUND. */
KT_MUST_CHECK enum kt_code kind_find(const char *home, const char *word, struct kind_cluster *out,
                                     struct kt_err *err);

/* Have `holder` hold a cluster of these machines: the one it holds, an idle one, or a new one (minutes).
 * `*bare`: it did not hold it before. What it held that does not fit is let go. KT_ECANCELLED leaves nothing
 * behind. */
KT_MUST_CHECK enum kt_code kind_hold(struct kind *kind, const char *holder, const struct kt_json *nodes,
                                     struct kind_cluster *out, bool *bare, struct kt_err *err);
/* Put the cluster back to how it was made: machines up, links whole, nothing left that a lab made. Seconds.
 */
KT_MUST_CHECK enum kt_code kind_clean(struct kind *kind, const struct kind_cluster *cluster,
                                      struct kt_err *err);
/* kind_clean, and nobody holds it any more. One that cannot be cleaned is removed. */
KT_MUST_CHECK enum kt_code kind_let_go(struct kind *kind, const char *holder, struct kt_err *err);
/* Delete it with all that is known of it. */
KT_MUST_CHECK enum kt_code kind_remove(struct kind *kind, const struct kind_cluster *cluster,
                                       struct kt_err *err);
/* Do its containers run? "running", "stopped", "gone" (deleted behind our back), "unknown" (no engine). */
const char *kind_state(struct kind *kind, const struct kind_cluster *cluster);

/* --- disturbances: a step of the language on a cluster --- */
KT_MUST_CHECK enum kt_code kind_disturb(struct kind *kind, const struct kind_cluster *cluster,
                                        struct check_client *client, const struct kt_json *step,
                                        struct kt_err *err);
/* Undo all of them but load: containers up, filters away, images back. */
KT_MUST_CHECK enum kt_code kind_mend(struct kind *kind, const struct kind_cluster *cluster,
                                     struct check_client *client, struct kt_err *err);
/* Wait until the API answers and every machine is Ready. */
KT_MUST_CHECK enum kt_code kind_settle(struct kind *kind, const struct kind_cluster *cluster,
                                       struct check_client *client, struct kt_err *err);

#endif

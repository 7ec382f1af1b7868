/* SPDX-License-Identifier: MIT */
/* What the files of labs/kind share. */
#ifndef KIND_INTERNAL_H
#define KIND_INTERNAL_H

#include "labs/kind/kind.h"

/* A run of a program with the defaults of ours: an environment that keeps the user's kubeconfig out, thirty
 * seconds, and a sentence told while it runs. */
struct kind_ask {
	const char *const *argv;
	const char *in;
	struct kt_buf *out, *errout;
	kt_ns timeout;        /* 0: thirty seconds */
	const char *sentence; /* told while it runs; NULL: nothing, and it cannot be cancelled */
	kt_ns usual;
	bool (*tick)(void *arg, const char *line); /* instead of `sentence` */
	void *arg;
};
KT_MUST_CHECK enum kt_code kind_run(struct kind *kind, const struct kind_ask *ask, int *status,
                                    struct kt_err *err);
struct kind_stage {
	struct kind *kind;
	const char *sentence;
	kt_ns usual, began;
};
bool kind_tell(struct kind *kind, const char *sentence, kt_ns elapsed, kt_ns usual); /* false: cancel */

/* Make it: minutes. On failure or cancel nothing is left. (create.c) */
KT_MUST_CHECK enum kt_code kind_create(struct kind *kind, const struct kind_cluster *cluster,
                                       const struct kt_json *nodes, struct kt_err *err);
/* Delete its containers and kubeconfig, whatever there is of them. */
KT_MUST_CHECK enum kt_code kind_delete(struct kind *kind, const char *name, struct kt_err *err);
/* Containers of a cluster: [{name, state}] ("running", "exited", "paused"). New. */
KT_MUST_CHECK enum kt_code kind_containers(struct kind *kind, const char *name, struct kt_json **out,
                                           struct kt_err *err);
KT_MUST_CHECK enum kt_code kind_wait_ready(struct kind *kind, struct check_client *client, size_t count,
                                           struct kt_err *err);

#endif

/* SPDX-License-Identifier: MIT */
/* context: a cluster that somebody else runs, reached by a context of a kubeconfig. ktutor acts there only in
 * namespaces that it made and labelled for this lab of this home; everything else is refused before a request
 * is sent, unless the person allowed it. What is kept of it: HOME/context/LAB (context.json, kubeconfig;
 * 0600). */
#ifndef CONTEXT_H
#define CONTEXT_H

#include "checker/checker.h"

#define CONTEXT_LAB  "ktutor.dev/lab"  /* labels on every namespace made there */
#define CONTEXT_HOME "ktutor.dev/home" /* whose: a hash of the home */

struct context {
	char *dir, *kubeconfig; /* ours: one context, copied */
	char *name, *server;    /* the context's; the cluster's address */
	char lab[64], home[17];
	bool allow_nodes, allow_cluster, allow_exec;
	struct kt_json
	        *made; /* [{path}] of what stands outside namespaces and is ours; nodes cordoned by us */
};
void context_clear(struct context *context);
/* What is kept of `lab`; KT_ENOTFOUND: nothing. */
KT_MUST_CHECK enum kt_code context_read(const char *home, const char *lab, struct context *out,
                                        struct kt_err *err);
KT_MUST_CHECK enum kt_code context_write(const struct context *context, struct kt_err *err);
void context_forget(const struct context *context);
/* Names of labs that something is kept of, sorted. */
KT_MUST_CHECK enum kt_code context_names(const char *home, struct kt_strs *out, struct kt_err *err);

/* --- the person's kubeconfig is read, never written (config.c) --- */
/* The files that kubectl would read: `given`, else those of $KUBECONFIG, else ~/.kube/config. */
void context_files(const char *given, struct kt_strs *out);
/* Context `name` (NULL: the current one) as a kubeconfig of its own: paths made absolute. KT_ENOTFOUND names
 * those that are there. `*plugin`: the program that its user logs in with, owned; NULL: none. A user of the
 * kind that kubectl no longer knows (auth-provider) is refused with what took its place. */
KT_MUST_CHECK enum kt_code context_extract(const struct kt_strs *files, const char *name,
                                           struct kt_json **out, char **plugin, struct kt_err *err);

/* --- what may be done (guard.c) --- */
/* A client of it that refuses what the person did not allow. It makes the namespaces that are applied,
 * labelled, and keeps what it makes outside of them. `steal` is consumed, even by a failure. */
KT_MUST_CHECK enum kt_code context_client(struct context *steal, struct check_client **out,
                                          struct kt_err *err);
/* Make a namespace that is ours; KT_EEXIST when one of that name is not. */
KT_MUST_CHECK enum kt_code context_namespace(struct check_client *plain, const struct context *context,
                                             const char *name, struct kt_err *err);
/* Delete all that is ours there and wait until it is gone. */
KT_MUST_CHECK enum kt_code context_clean(const struct context *context,
                                         bool (*tell)(void *arg, const char *sentence, kt_ns elapsed,
                                                      kt_ns usual),
                                         void *arg, struct kt_err *err);

#endif

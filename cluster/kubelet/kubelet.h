/* SPDX-License-Identifier: MIT */
/* kubelet: one part for all nodes: takes pods that are bound, runs their containers, probes them, tells their
 * status, ends them; keeps the nodes' leases and conditions while their machines are up. */
#ifndef KUBELET_H
#define KUBELET_H

#include "cluster/kubelet/process.h"

extern const struct cluster_part kubelet_part;

/* The running container, or NULL with the real kubelet's words in *why (owned). `container` NULL: the default
 * one. */
struct container *kubelet_container(struct cluster *cluster, const char *ns, const char *pod,
                                    const char *container, char **why);
/* What the API server meets instead of the kubelet of `node`: "dial tcp ADDRESS:10250: connect: no route to
 * host" where the machine is off or there is none, "no preferred addresses found…" where the Node tells no
 * address (then *out_address is NULL). Both are owned. NULL: it answers. */
char *kubelet_no_answer(struct cluster *cluster, const char *node, char **out_address);
/* Every running container of the cluster, for traffic and metrics. Stops when fn returns false. */
void kubelet_each(struct cluster *cluster, bool (*fn)(void *arg, struct container *container), void *arg);

/* What programs of many containers have in common and never change, by name: kept once, until the kubelets
 * stop; `done` frees it then. */
void *kubelet_shared(struct cluster *cluster, const char *key); /* NULL: not there */
void kubelet_share(struct cluster *cluster, const char *key, void *value, void (*done)(void *value));

/* --- logs --- */
struct kubelet_log_options {
	const char *container; /* NULL: the only one */
	bool previous, timestamps, follow;
	int64_t tail;        /* -1 all */
	int64_t limit_bytes; /* -1 none */
	kt_ns since;         /* 0 none */
};
/* Adds the log so far to `out` and returns a position for kubelet_log_more (0 and status where it cannot: the
 * real server's words). */
bool kubelet_log(struct cluster *cluster, const char *ns, const char *pod,
                 const struct kubelet_log_options *options, struct kt_buf *out, uint64_t *position,
                 char **why);
/* What was added since `*position`; false when the container is over and all is read. */
bool kubelet_log_more(struct cluster *cluster, const char *ns, const char *pod,
                      const struct kubelet_log_options *options, struct kt_buf *out, uint64_t *position);

/* --- machines (disturbances) --- */
bool kubelet_node_is_up(struct cluster *cluster, const char *node);
void kubelet_node_set(struct cluster *cluster, const char *node,
                      bool up); /* power: kept in the store's journal with the cluster */
/* Kill a container's main process (137), as the OOM killer if `oom`. False if none runs. */
bool kubelet_kill(struct cluster *cluster, const char *ns, const char *pod, const char *container, bool oom);

#endif

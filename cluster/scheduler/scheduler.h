/* SPDX-License-Identifier: MIT */
/* scheduler: binds pods to nodes with kube-scheduler's default plugins, weights and messages (v1.34). One
 * file a plugin, one row a plugin in scheduler/plugins.c. */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "cluster/api/api.h"

extern const struct cluster_part scheduler_part;

/* Does a NodeSelector ({nodeSelectorTerms: […]}) take a node with these labels and this name? Terms are
 * or-ed, what is in a term and-ed; an empty term takes nothing (component-helpers nodeaffinity). */
bool scheduler_selects_node(const struct kt_json *node_selector, const struct kt_json *labels,
                            const char *name);
/* spec.nodeSelector and the required node affinity of a pod's spec together. */
bool scheduler_wants_node(const struct kt_json *pod_spec, const struct kt_json *labels, const char *name);
/* Does one of the tolerations tolerate the taint? */
bool scheduler_tolerates(const struct kt_json *tolerations, const struct kt_json *taint);
/* Does a pod's spec want any port of its host? Do two want the same? */
bool scheduler_wants_ports(const struct kt_json *spec);
bool scheduler_ports_clash(const struct kt_json *a_spec, const struct kt_json *b_spec);

#endif

/* SPDX-License-Identifier: MIT */
/* scheduler: binds pods to nodes with kube-scheduler's default plugins, weights and messages (v1.34). One
 * file a plugin, one row a plugin in scheduler/plugins.c. */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include "cluster/api/api.h"

extern const struct cluster_part scheduler_part;

#endif

/* SPDX-License-Identifier: MIT */
/* The DaemonSet controller's two files: daemon_set.c (which nodes, updates, status), daemon_set_pod.c (pods,
 * and whether one fits a node). */
#ifndef CONTROLLER_DAEMON_SET_H
#define CONTROLLER_DAEMON_SET_H

#include "cluster/controllers/controllers_internal.h"

#define DAEMON_HASH "controller-revision-hash"

struct kt_json *daemon_pod(const struct store_object *set, const char *node, const char *hash);
/* Whether a pod of `set` should be started on `node`, and whether one that is there may stay. */
void daemon_fits(const struct store_object *set, const struct store_object *node, bool *run, bool *stay);

#endif

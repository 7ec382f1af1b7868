/* SPDX-License-Identifier: MIT */
/* The volume controllers' files: volume.c (binding), volume_match.c (which volume fits a claim),
 * volume_provision.c (making and removing volumes), volume_protection.c (finalizers of what is in use). */
#ifndef CONTROLLER_VOLUME_H
#define CONTROLLER_VOLUME_H

#include "cluster/controllers/controllers_internal.h"

#define VOLUME_BOUND_BY      "pv.kubernetes.io/bound-by-controller"
#define VOLUME_BIND_DONE     "pv.kubernetes.io/bind-completed"
#define VOLUME_PROVISIONED   "pv.kubernetes.io/provisioned-by"
#define VOLUME_SELECTED_NODE "volume.kubernetes.io/selected-node"

const char *volume_class(const struct kt_json *object); /* of a claim or a volume; "" none */
bool volume_points_at(const struct store_object *volume, const struct store_object *claim);
/* The best volume for a claim; with `only_prebound` just one that names the claim already. */
const struct store_object *volume_best(struct cluster *cluster, struct controller_queue *queue,
                                       const struct store_object *claim, bool only_prebound);
/* NULL if the volume does for the claim, else why not. */
const char *volume_unfit(const struct store_object *volume, const struct store_object *claim);
void volume_provision(struct cluster *cluster, struct controller_queue *queue,
                      const struct store_object *claim, const char *class_name);
/* True if it was ours to delete. */
void volume_remove(struct cluster *cluster, struct controller_queue *queue,
                   const struct store_object *volume);
/* The class `standard`, as local-path-provisioner brings it, unless there are classes. */
void volume_make_class(struct cluster *cluster, struct controller_queue *queue);

#endif

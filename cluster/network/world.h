/* SPDX-License-Identifier: MIT */
/* What the world does to the cluster and Kubernetes does not know: cut links, images that left the registry,
 * load, the internet being away. Kept as the data of one ConfigMap (kube-system/ktutor-world, made by the
 * first disturbance), so that it survives a kill -9, is part of snapshots, and rewinds with everything else.
 */
#ifndef WORLD_H
#define WORLD_H

#include "cluster/cluster_internal.h"

/* The value below `key`, parsed; owned; NULL if there is none. */
struct kt_json *world_get(struct cluster *cluster, const char *key);
/* Replace it; NULL removes it. */
void world_set(struct cluster *cluster, const char *key, struct kt_json *steal);
/* `full`: "docker.io/library/nginx:1.27". A disturbed name without tag counts for all its tags. */
bool world_image_missing(struct cluster *cluster, const char *full);

#endif

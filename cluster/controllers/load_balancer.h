/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLER_LOAD_BALANCER_H
#define CONTROLLER_LOAD_BALANCER_H

#include "cluster/controllers/controllers_internal.h"

/* A free address for a load balancer; false: all are given out. */
bool load_balancer_address(struct cluster *cluster, struct controller_queue *queue, char out[46]);

#endif

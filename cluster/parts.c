/* SPDX-License-Identifier: MIT */
/* The parts of a cluster, in the order in which they start. A row each. */
#include "cluster/controllers/controller.h"
#include "cluster/scheduler/scheduler.h"

const struct cluster_part *const cluster_parts[] = {
        &controllers_part,
        &scheduler_part,
        NULL,
};

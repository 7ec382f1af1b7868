/* SPDX-License-Identifier: MIT */
/* The parts of a cluster, in the order in which they start. A row each. */
#include "cluster/controllers/controller.h"
#include "cluster/kubelet/kubelet.h"
#include "cluster/network/network.h"
#include "cluster/scheduler/scheduler.h"

const struct cluster_part *const cluster_parts[] = {
        &network_part, &controllers_part, &scheduler_part, &kubelet_part, NULL,
};

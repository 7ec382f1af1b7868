/* SPDX-License-Identifier: MIT */
/* Each plugin is a row in a file of its name. */
#ifndef SCHED_PLUGINS_H
#define SCHED_PLUGINS_H

#include "cluster/scheduler/scheduler_internal.h"

extern const struct sched_plugin sched_node_unschedulable, sched_node_name, sched_taint_toleration,
        sched_node_affinity, sched_node_ports, sched_node_resources, sched_volume_restrictions,
        sched_volume_binding, sched_volume_zone, sched_topology_spread, sched_inter_pod_affinity,
        sched_balanced_allocation, sched_image_locality;

#endif

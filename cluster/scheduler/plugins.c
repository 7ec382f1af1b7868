/* SPDX-License-Identifier: MIT */
/* The plugins, in the order in which the default configuration runs them; a row each. */
#include "cluster/scheduler/plugins.h"

const struct sched_plugin *const sched_plugins[] = {
        &sched_node_unschedulable,  &sched_node_name,
        &sched_taint_toleration,    &sched_node_affinity,
        &sched_node_ports,          &sched_node_resources,
        &sched_volume_restrictions, &sched_volume_binding,
        &sched_volume_zone,         &sched_topology_spread,
        &sched_inter_pod_affinity,  &sched_balanced_allocation,
        &sched_image_locality,      NULL,
};

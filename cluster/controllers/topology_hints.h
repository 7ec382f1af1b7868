/* SPDX-License-Identifier: MIT */
/* The hints of EndpointSlices: for which zones (or nodes) an endpoint is. By a Service's trafficDistribution
 * each is for its own; by the annotation service.kubernetes.io/topology-mode: Auto the ready ones are shared
 * out to the zones by the CPUs of their nodes, and a Service is told when that cannot be (kubernetes
 * staging/src/k8s.io/endpointslice/topologycache, trafficdist). */
#ifndef CONTROLLER_TOPOLOGY_HINTS_H
#define CONTROLLER_TOPOLOGY_HINTS_H

#include "cluster/controllers/controllers_internal.h"

/* A slice as it will be. */
struct hinted_slice {
	struct kt_json *endpoints; /* without hints, in the order of `before` if nothing changed; owned by the
	                              caller, changed in place */
	const struct kt_json *before; /* the endpoints that are stored; NULL: none */
	bool changed;                 /* it will be written; raised where hints differ */
};
struct hint_event {
	const char *type, *reason; /* literals; NULL: none */
	char *message;             /* owned */
};

bool topology_hints_wanted(const struct store_object *service); /* by the annotation */
/* Put the hints of one Service into its slices. `populated`: whether the last pass by the annotation gave
 * some (false at first). What is to be told is in *event. */
void topology_hints_put(struct cluster *cluster, const struct controller_kinds *kinds,
                        const struct store_object *service, struct hinted_slice *slices, size_t count,
                        bool *populated, struct hint_event *event);
/* Whether stored hints leave a zone with too few endpoints for its CPUs: then a change of the nodes is a
 * reason to look again. `slices`: the Service's, referenced. */
bool topology_hints_overloaded(struct cluster *cluster, const struct controller_kinds *kinds,
                               const struct store_list *slices);

#endif

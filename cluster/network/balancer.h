/* SPDX-License-Identifier: MIT */
/* Load balancers in front of the cluster, as a cloud has them: one that serves Ingresses (as ingress-nginx
 * does), one for each Gateway. They are not pods: they have an address outside the pods' ranges, reach
 * endpoints directly, and are what NetworkPolicies see as the source (an ipBlock).
 *
 * Classes served: IngressClasses whose controller is k8s.io/ingress-nginx, and Ingresses without a class
 * where there is such a class; GatewayClasses whose controllerName is BALANCER_GATEWAY or BALANCER_GLOBAL. A
 * global Gateway sends each client to the nearest region (topology.kubernetes.io/region of the endpoints'
 * nodes) that answers its health checks: every 5 s, out after two failures, back after two successes. */
#ifndef NETWORK_BALANCER_H
#define NETWORK_BALANCER_H

#include "cluster/cluster_internal.h"

#define BALANCER_INGRESS         "k8s.io/ingress-nginx"
#define BALANCER_INGRESS_ADDRESS "172.18.255.1"
#define BALANCER_GATEWAY         "gateway.nginx.org/nginx-gateway-controller"
#define BALANCER_GLOBAL          "ktutor.dev/global-load-balancer"

/* A cluster has of "ingress", "gateway" and "load-balancer" what a node's annotation BALANCER_EDGES names
 * ("ingress,load-balancer"); as a rule the control plane's, where a lab's `needs` ask for it. Without: no
 * class is there, and Services of type LoadBalancer wait for an address for ever, as on a plain kind cluster.
 */
#define BALANCER_EDGES "ktutor.dev/edges"
bool balancer_has_edge(struct cluster *cluster, const char *edge);

/* Does our controller serve this Ingress? */
bool balancer_serves(struct cluster *cluster, const struct kt_json *ingress);
/* The controllerName of a GatewayClass if it is one of ours, static; else NULL. */
const char *balancer_controller(struct cluster *cluster, const char *gateway_class);
/* Is `route` attached to this listener of `gateway` by `parent` (one of its parentRefs)? NULL: yes; else the
 * reason for its Accepted condition, static: NoMatchingParent, NotAllowedByListeners,
 * NoMatchingListenerHostname; "" if `parent` means another Gateway altogether. */
const char *balancer_refuses(struct cluster *cluster, const struct kt_json *gateway,
                             const struct kt_json *listener, const struct kt_json *route,
                             const struct kt_json *parent);
/* May a `from_kind` (Gateway, HTTPRoute) of namespace `from` use this object of the core group? One of its
 * own namespace, and what a ReferenceGrant beside it allows. */
bool balancer_permits(struct cluster *cluster, const char *from_kind, const char *from, const char *kind,
                      const char *ns, const char *name);
/* Addresses that `host` has outside the cluster's own domain, as ExternalDNS would publish them: hosts of
 * Ingresses and HTTPRoutes that have an address, Services of type LoadBalancer with the annotation
 * external-dns.alpha.kubernetes.io/hostname. False: nobody owns the name. */
bool balancer_names(struct cluster *cluster, const char *host, struct kt_strs *addresses);

#endif

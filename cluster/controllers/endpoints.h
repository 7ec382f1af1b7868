/* SPDX-License-Identifier: MIT */
/* What Endpoints and EndpointSlices have in common: which pods are behind a Service, and at which ports. */
#ifndef CONTROLLER_ENDPOINTS_H
#define CONTROLLER_ENDPOINTS_H

#include "cluster/controllers/controllers_internal.h"

#define ENDPOINTS_TRIGGER_TIME "endpoints.kubernetes.io/last-change-trigger-time"

/* Pods that a service's selector matches and that have an address and are not over, by name; `deleting` also
 * those on their way out. Returns when the first of what changed since the last call did, of a service that
 * is new when it was made; 0: nothing that has a time (pkg endpointslice/util TriggerTimeTracker). */
kt_ns endpoints_pods(struct cluster *cluster, struct controller_queue *queue,
                     const struct store_object *service, bool deleting, struct store_list *out);
/* Tell such a time in the annotation; 0: tell none. */
void endpoints_tell_trigger(struct kt_json **object, kt_ns trigger);
/* The service's ports at this pod: [{name, port, protocol, appProtocol}]; names left out when empty unless
 * `named`. A named target port that the pod lacks is left out. New. */
struct kt_json *endpoints_ports(const struct store_object *service, const struct view_pod *pod, bool named);
/* The same; what does not depend on the pod is worked out once and kept in *common (NULL at first; freed by
 * the caller). */
struct kt_json *endpoints_ports_once(const struct store_object *service, const struct view_pod *pod,
                                     bool named, struct kt_json **common);
/* The pod's hostname, if it is one of a subdomain that is this service; else NULL. */
const char *endpoints_hostname(const struct store_object *service, const struct store_object *pod);
struct kt_json *endpoints_target(const struct store_object *pod); /* an ObjectReference */
/* Queue the services that a pod event touches (before and after). */
void endpoints_observe_pod(struct cluster *cluster, struct controller_queue *queue,
                           const struct store_event *event);
/* How many pods the service of `key` had at its last sync: large ones are synced less often. The queue's
 * state. */
void endpoints_note_size(struct controller_queue *queue, const char *key, size_t pods);
/* Whether its slices got hints by the annotation at the last sync (topology_hints.h). */
void endpoints_note_hinted(struct controller_queue *queue, const char *key, bool hinted);
bool endpoints_hinted(const struct controller_queue *queue, const char *key);
/* The service of `key` is no more. */
void endpoints_note_gone(struct controller_queue *queue, const char *key);
/* Queue a service, the later the larger it is. */
void endpoints_add(struct cluster *cluster, struct controller_queue *queue, const char *ns, const char *name,
                   const struct store_object *because);
void endpoints_forget(struct cluster *cluster, struct controller_queue *queue);
bool endpoints_headless(const struct store_object *service);

#endif

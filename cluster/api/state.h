/* SPDX-License-Identifier: MIT */
/* What the API keeps beside the objects: open watches, addresses that are taken, counts of events. All of it
 * can be worked out from the store. */
#ifndef API_STATE_H
#define API_STATE_H

#include "cluster/api/api.h"

struct api_watch;
struct api_state {
	struct cluster *cluster;
	struct api_watch *watches;    /* open ones */
	struct kt_json *addresses;    /* taken cluster IPs: {"10.96.0.1": true} */
	struct kt_json *ports;        /* taken node ports: {"30080/TCP": true} */
	struct kt_json *events;       /* correlation: key -> name of the Event */
	uint64_t event_sweep;         /* timer that ages Events out */
	struct kt_json *event_budget; /* component -> {at, left}: see event.c */
};

struct api_state *api_state_new(struct cluster *cluster);
void api_state_reset(struct api_state *state); /* after a restore: look at the store again */
void api_state_free(struct api_state *state);
/* Each change of the store: wakes watches, frees addresses. */
void api_observe(struct cluster *cluster, const struct store_event *event);
/* The objects of a new cluster. */
void api_bootstrap(struct cluster *cluster);

#endif

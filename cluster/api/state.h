/* SPDX-License-Identifier: MIT */
/* What the API keeps beside the objects: open watches, addresses that are taken, counts of events. All of it
 * can be worked out from the store. */
#ifndef API_STATE_H
#define API_STATE_H

#include "cluster/api/api.h"
#include "cluster/api/patch.h"
#include "cluster/api/words.h"

struct api_watch;
struct event_flow;
struct access_key;
struct api_state {
	struct cluster *cluster;
	struct api_watch *watches;         /* open ones */
	struct kt_random watch_random;     /* how long they last */
	struct api_words addresses, ports; /* taken: cluster IPs; node ports ("30080/TCP") */
	struct api_words events;           /* correlation: what is told -> name of its Event */
	uint64_t crd_timer;                /* establishes definitions */
	uint64_t event_sweep;              /* timer that ages Events out */
	struct managed_cache *managed;     /* field sets of lists that objects share */
	struct event_flow *event_flow;     /* NULL: nothing was told yet */
	struct kt_json *event_budget;      /* component -> {at, left}: see event.c */
	struct access_key *token_key;      /* read; NULL: nobody needed it yet */
	struct kt_json *common;            /* what admission puts into most pods alike: see admit.c */
};

struct api_state *api_state_new(struct cluster *cluster);
void api_state_reset(struct api_state *state); /* after a restore: look at the store again */
void api_state_free(struct api_state *state);
/* Each change of the store: wakes watches, frees addresses. */
void api_observe(struct cluster *cluster, const struct store_event *event);
/* A definition goes: its objects go before it. */
void api_crd_remove_objects(struct cluster *cluster, const struct store_object *crd);
/* The objects of a new cluster. */
void api_bootstrap(struct cluster *cluster);

#endif

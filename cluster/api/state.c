/* SPDX-License-Identifier: MIT */
#include "cluster/api/access.h"
#include "cluster/api/event_flow.h"
#include "cluster/api/internal.h"

struct api_state *api_state_new(struct cluster *cluster)
{
	struct api_state *state = kt_alloc(sizeof(*state));

	state->cluster = cluster;
	state->managed = managed_cache_new();
	kt_random_init(&state->watch_random, cluster_hash(cluster, "watches"));
	api_state_reset(state);
	return state;
}

void api_state_reset(struct api_state *state)
{
	api_service_reset(state);
	api_events_reset(state);
	api_event_sweep(state);
}

void api_state_free(struct api_state *state)
{
	if (!state)
		return;
	api_watch_forget_all(state);
	api_words_clear(&state->addresses);
	api_words_clear(&state->ports);
	api_words_clear(&state->events);
	event_flow_free(state->event_flow);
	kt_json_free(state->event_budget);
	kt_json_free(state->common);
	access_key_free(state->token_key);
	managed_cache_free(state->managed);
	kt_free(state);
}

void api_observe(struct cluster *cluster, const struct store_event *event)
{
	struct api_state *state = cluster_api_state(cluster);

	api_service_observe(state, event);
	api_crd_observe(state, event);
	api_event_sweep(state);
	api_watch_observe(state, event);
}

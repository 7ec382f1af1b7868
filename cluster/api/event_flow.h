/* SPDX-License-Identifier: MIT */
/* What client-go's recorder holds back (client-go tools/record/events_cache.go): a component tells ten
 * different things of one reason about an object, later ones are told as one; and 25 Events about an object,
 * then one in five minutes. Events of the newer API are not held back. */
#ifndef API_EVENT_FLOW_H
#define API_EVENT_FLOW_H

#include "base/base.h"

/* Who tells it about what (component, host, object), of which reason, in which words: hashes. */
struct event_flow_key {
	uint64_t about, reason, message;
};

/* Bounded, as the recorder's caches are: what was not seen for long is forgotten. */
struct event_flow;
struct event_flow *event_flow_new(void);
void event_flow_free(struct event_flow *flow);

/* Note it; true if it is one too many of its kind, to be told as "combined from similar events". */
bool event_flow_combines(struct event_flow *flow, const struct event_flow_key *key, kt_ns now);
/* May one more about this object be written? */
bool event_flow_allows(struct event_flow *flow, const struct event_flow_key *key, kt_ns now);

#endif

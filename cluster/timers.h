/* SPDX-License-Identifier: MIT */
/* Timers on virtual time: a heap of (when, order of setting). */
#ifndef CLUSTER_TIMERS_H
#define CLUSTER_TIMERS_H

#include "cluster/cluster_internal.h"

struct cluster_timer {
	kt_ns when;
	uint64_t order;
	cluster_timer_fn *fn; /* NULL: free slot */
	void *arg;
	size_t place;  /* in the heap; of a free slot: the next free one */
	uint32_t turn; /* how often the slot was used: makes ids unique */
};
struct cluster_timers {
	struct cluster_timer *slots;
	size_t slot_count, slot_cap, free_slot; /* free_slot: index + 1, 0 none */
	size_t *heap;
	size_t count, heap_cap;
	uint64_t order;
};

uint64_t cluster_timers_add(struct cluster_timers *timers, kt_ns when, cluster_timer_fn *fn, void *arg);
void cluster_timers_cancel(struct cluster_timers *timers, uint64_t id);
kt_ns cluster_timers_next(const struct cluster_timers *timers); /* INT64_MAX: none */
/* Takes the first one out. False if there is none. */
bool cluster_timers_take(struct cluster_timers *timers, struct cluster_timer *out);
void cluster_timers_clear(struct cluster_timers *timers);

#endif

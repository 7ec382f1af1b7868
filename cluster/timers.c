/* SPDX-License-Identifier: MIT */
#include "cluster/timers.h"

static bool before(const struct cluster_timers *timers, size_t a, size_t b)
{
	const struct cluster_timer *x = &timers->slots[a], *y = &timers->slots[b];

	return x->when != y->when ? x->when < y->when : x->order < y->order;
}

static void put(struct cluster_timers *timers, size_t place, size_t slot)
{
	timers->heap[place] = slot;
	timers->slots[slot].place = place;
}

static void rise(struct cluster_timers *timers, size_t place)
{
	size_t slot = timers->heap[place];

	while (place && before(timers, slot, timers->heap[(place - 1) / 2])) {
		put(timers, place, timers->heap[(place - 1) / 2]);
		place = (place - 1) / 2;
	}
	put(timers, place, slot);
}

static void sink(struct cluster_timers *timers, size_t place)
{
	size_t slot = timers->heap[place], child;

	while ((child = 2 * place + 1) < timers->count) {
		if (child + 1 < timers->count && before(timers, timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!before(timers, timers->heap[child], slot))
			break;
		put(timers, place, timers->heap[child]);
		place = child;
	}
	put(timers, place, slot);
}

uint64_t cluster_timers_add(struct cluster_timers *timers, kt_ns when, cluster_timer_fn *fn, void *arg)
{
	size_t slot;
	struct cluster_timer *timer;

	if (timers->free_slot) {
		slot = timers->free_slot - 1;
		timers->free_slot = timers->slots[slot].place;
	} else {
		timers->slots = kt_grow(timers->slots, &timers->slot_cap, timers->slot_count + 1,
		                        sizeof(*timers->slots));
		slot = timers->slot_count++;
		timers->slots[slot].turn = 0;
	}
	timer = &timers->slots[slot];
	timer->when = when;
	timer->order = ++timers->order;
	timer->fn = fn;
	timer->arg = arg;
	timer->turn++;
	timers->heap = kt_grow(timers->heap, &timers->heap_cap, timers->count + 1, sizeof(*timers->heap));
	timers->heap[timers->count] = slot;
	rise(timers, timers->count++);
	return ((uint64_t)timer->turn << 32) | (uint64_t)(slot + 1);
}

static void remove_slot(struct cluster_timers *timers, size_t slot)
{
	size_t place = timers->slots[slot].place, last = timers->heap[--timers->count];

	if (last != slot) {
		put(timers, place, last);
		rise(timers, place);
		sink(timers, timers->slots[last].place);
	}
	timers->slots[slot].fn = NULL;
	timers->slots[slot].place = timers->free_slot;
	timers->free_slot = slot + 1;
}

void cluster_timers_cancel(struct cluster_timers *timers, uint64_t id)
{
	size_t slot = (size_t)(id & 0xffffffffu);

	if (!slot || slot > timers->slot_count)
		return;
	slot--;
	if (timers->slots[slot].fn && timers->slots[slot].turn == (uint32_t)(id >> 32))
		remove_slot(timers, slot);
}

kt_ns cluster_timers_next(const struct cluster_timers *timers)
{
	return timers->count ? timers->slots[timers->heap[0]].when : INT64_MAX;
}

bool cluster_timers_take(struct cluster_timers *timers, struct cluster_timer *out)
{
	if (!timers->count)
		return false;
	*out = timers->slots[timers->heap[0]];
	remove_slot(timers, timers->heap[0]);
	return true;
}

void cluster_timers_clear(struct cluster_timers *timers)
{
	kt_free(timers->slots);
	kt_free(timers->heap);
	*timers = (struct cluster_timers){0};
}

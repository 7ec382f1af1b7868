/* SPDX-License-Identifier: MIT */
#include "cluster/api/event_flow.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SETS      512
#define WAYS      8 /* 4,096 in all, as there */
#define SIMILAR   10
#define FORGOTTEN (600 * KT_SEC)
#define BURST     25
#define REFILL    (300 * KT_SEC)

struct group {
	uint64_t reason;
	kt_ns seen;
	uint64_t messages[SIMILAR];
	unsigned count;
};

struct bucket {
	uint64_t about;
	kt_ns seen;
	kt_ns left; /* what has been saved up, in REFILLs of time */
};

/* Sets of WAYS, made when they are first needed: most clusters tell little. */
struct event_flow {
	struct group *groups[SETS];
	struct bucket *buckets[SETS];
};

struct event_flow *event_flow_new(void)
{
	return kt_alloc(sizeof(struct event_flow));
}

void event_flow_free(struct event_flow *flow)
{
	for (size_t i = 0; flow && i < SETS; i++) {
		kt_free(flow->groups[i]);
		kt_free(flow->buckets[i]);
	}
	kt_free(flow);
}

/* The place of `reason`, emptied if it was not seen for long; else that of the one not seen for longest. */
static struct group *group_of(struct event_flow *flow, uint64_t reason, kt_ns now)
{
	struct group **place = &flow->groups[reason % SETS];

	if (!*place)
		*place = kt_alloc(WAYS * sizeof(**place));
	struct group *set = *place, *group = set;
	for (size_t i = 0; i < WAYS && group->reason != reason; i++) {
		if (set[i].reason == reason || set[i].seen < group->seen)
			group = &set[i];
	}
	if (group->reason != reason || now - group->seen > FORGOTTEN)
		*group = (struct group){.reason = reason};
	return group;
}

bool event_flow_combines(struct event_flow *flow, const struct event_flow_key *key, kt_ns now)
{
	struct group *group = group_of(flow, key->reason, now);
	bool known = false;

	group->seen = now;
	for (unsigned i = 0; i < group->count; i++)
		known = known || group->messages[i] == key->message;
	if (!known)
		group->messages[group->count++] = key->message;
	if (group->count < SIMILAR)
		return false;
	/* there any of them goes; here the oldest */
	memmove(group->messages, group->messages + 1, sizeof(group->messages) - sizeof(*group->messages));
	group->count--;
	return true;
}

bool event_flow_allows(struct event_flow *flow, const struct event_flow_key *key, kt_ns now)
{
	struct bucket **place = &flow->buckets[key->about % SETS];

	if (!*place)
		*place = kt_alloc(WAYS * sizeof(**place));
	struct bucket *set = *place, *bucket = set;
	for (size_t i = 0; i < WAYS && bucket->about != key->about; i++) {
		if (set[i].about == key->about || set[i].seen < bucket->seen)
			bucket = &set[i];
	}
	if (bucket->about != key->about)
		*bucket = (struct bucket){.about = key->about, .seen = now, .left = BURST * REFILL};
	bucket->left = KT_MIN(bucket->left + (now - bucket->seen), BURST * REFILL);
	bucket->seen = now;
	if (bucket->left < REFILL)
		return false;
	bucket->left -= REFILL;
	return true;
}

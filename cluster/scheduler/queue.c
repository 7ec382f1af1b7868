/* SPDX-License-Identifier: MIT */
/* The scheduling queue: active (by priority, then age), backing off, parked until something happens that may
 * help. Those that back off are taken when nobody else is active; but not those whose cycle ended in an
 * error. Source: kubernetes pkg/scheduler/backend/queue. */
#include <string.h>

#include "cluster/scheduler/scheduler_internal.h"

/* --- the heap --- */

static bool in_heap(const struct sched_item *item)
{
	return item->where == SCHED_ACTIVE || (item->where == SCHED_BACKOFF && item->rejected_by);
}

static bool before(const struct sched_item *a, const struct sched_item *b)
{
	bool a_waits = a->where == SCHED_BACKOFF, b_waits = b->where == SCHED_BACKOFF;

	if (a_waits != b_waits)
		return b_waits;
	if (a_waits && a->backoff_until / KT_SEC != b->backoff_until / KT_SEC)
		return a->backoff_until < b->backoff_until;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	if (a->since != b->since)
		return a->since < b->since;
	return a->seq < b->seq;
}

static void put(struct scheduler *scheduler, size_t i, struct sched_item *item)
{
	scheduler->heap[i] = item;
	item->heap_index = i;
}

static void up(struct scheduler *scheduler, size_t i)
{
	struct sched_item *item = scheduler->heap[i];

	while (i > 0 && before(item, scheduler->heap[(i - 1) / 2])) {
		put(scheduler, i, scheduler->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(scheduler, i, item);
}

static void down(struct scheduler *scheduler, size_t i)
{
	struct sched_item *item = scheduler->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= scheduler->heap_count)
			break;
		if (child + 1 < scheduler->heap_count &&
		    before(scheduler->heap[child + 1], scheduler->heap[child]))
			child++;
		if (!before(scheduler->heap[child], item))
			break;
		put(scheduler, i, scheduler->heap[child]);
		i = child;
	}
	put(scheduler, i, item);
}

static void heap_remove(struct scheduler *scheduler, struct sched_item *item)
{
	size_t i = item->heap_index;
	struct sched_item *last = scheduler->heap[--scheduler->heap_count];

	if (last == item)
		return;
	put(scheduler, i, last);
	up(scheduler, i);
	down(scheduler, last->heap_index);
}

/* --- items --- */

struct sched_item *sched_queue_find(struct scheduler *scheduler, const char *uid)
{
	struct sched_item *item;

	HASH_FIND_STR(scheduler->items, uid, item);
	return item;
}

static void woken(struct cluster *cluster, void *arg)
{
	struct scheduler *scheduler = arg;
	kt_ns now = cluster_now(cluster), next = INT64_MAX;

	scheduler->wake_timer = 0;
	scheduler->wake = INT64_MAX;
	for (struct sched_item *item = scheduler->items; item; item = item->hh.next) {
		kt_ns due = item->where == SCHED_BACKOFF   ? item->backoff_until
		            : item->where == SCHED_PARKED  ? item->since + SCHED_FLUSH
		            : item->where == SCHED_BINDING ? item->bind_by
		                                           : INT64_MAX;

		if (due == INT64_MAX)
			continue;
		if (due <= now && item->where == SCHED_BINDING) {
			struct sched_assigned *assumed = sched_assigned_find(scheduler, item->uid);

			scheduler->binding--;
			if (assumed && assumed->assumed)
				sched_unassign(scheduler, assumed);
			sched_queue_park(scheduler, item, 0);
			due = item->since + SCHED_FLUSH;
		} else if (due <= now) {
			sched_queue_activate(scheduler, item);
			continue;
		}
		next = KT_MIN(next, due);
	}
	if (next != INT64_MAX)
		sched_queue_wake(scheduler, KT_MAX(next, now + 20 * KT_MS));
}

void sched_queue_wake(struct scheduler *scheduler, kt_ns when)
{
	if (scheduler->wake_timer && scheduler->wake <= when)
		return;
	cluster_cancel(scheduler->cluster, scheduler->wake_timer);
	scheduler->wake = when;
	scheduler->wake_timer = cluster_at(scheduler->cluster, when, woken, scheduler);
}

void sched_queue_run_soon(struct scheduler *scheduler)
{
	if (!scheduler->timer && scheduler->heap_count)
		scheduler->timer = cluster_after(scheduler->cluster, SCHED_LATENCY, sched_one, scheduler);
}

static void unpark(struct scheduler *scheduler, struct sched_item *item)
{
	if (item->where != SCHED_PARKED)
		return;
	if (item->prev)
		item->prev->next = item->next;
	else
		scheduler->parked = item->next;
	if (item->next)
		item->next->prev = item->prev;
	item->prev = item->next = NULL;
	item->where = SCHED_NOWHERE;
}

static void heap_add(struct scheduler *scheduler, struct sched_item *item)
{
	scheduler->heap = kt_grow(scheduler->heap, &scheduler->heap_cap, scheduler->heap_count + 1,
	                          sizeof(*scheduler->heap));
	put(scheduler, scheduler->heap_count++, item);
	up(scheduler, item->heap_index);
	sched_queue_run_soon(scheduler);
}

static void back_off(struct scheduler *scheduler, struct sched_item *item)
{
	unpark(scheduler, item);
	item->where = SCHED_BACKOFF;
	if (in_heap(item))
		heap_add(scheduler, item);
	sched_queue_wake(scheduler, item->backoff_until);
}

void sched_queue_activate(struct scheduler *scheduler, struct sched_item *item)
{
	if (item->where == SCHED_ACTIVE)
		return;
	unpark(scheduler, item);
	if (in_heap(item))
		heap_remove(scheduler, item);
	item->where = SCHED_ACTIVE;
	heap_add(scheduler, item);
}

void sched_queue_add(struct scheduler *scheduler, const struct store_object *pod)
{
	struct sched_item *item = kt_alloc(sizeof(*item));
	const struct view_pod *view = view_pod(pod);
	const char *nominated = kt_path_str(pod->json, "status.nominatedNodeName");

	if (strlen(pod->uid) >= sizeof(item->uid)) {
		kt_free(item);
		return;
	}
	strncpy(item->uid, pod->uid, sizeof(item->uid) - 1);
	item->ns = kt_strdup(pod->ns);
	item->name = kt_strdup(pod->name);
	item->priority = view->priority;
	item->seq = ++scheduler->seq;
	item->since = cluster_now(scheduler->cluster);
	item->nominated = nominated && *nominated ? kt_strdup(nominated) : NULL;
	scheduler->nominated += item->nominated != NULL;
	HASH_ADD_STR(scheduler->items, uid, item);
	sched_queue_activate(scheduler, item);
}

void sched_nominate(struct scheduler *scheduler, struct sched_item *item, const char *node)
{
	scheduler->nominated -= item->nominated != NULL;
	kt_free(item->nominated);
	item->nominated = node && *node ? kt_strdup(node) : NULL;
	scheduler->nominated += item->nominated != NULL;
}

static void item_free(struct scheduler *scheduler, struct sched_item *item)
{
	if (in_heap(item))
		heap_remove(scheduler, item);
	unpark(scheduler, item);
	scheduler->nominated -= item->nominated != NULL;
	scheduler->binding -= item->where == SCHED_BINDING;
	HASH_DEL(scheduler->items, item);
	kt_free(item->ns);
	kt_free(item->name);
	kt_free(item->nominated);
	kt_free(item->binding_to);
	kt_free(item);
}

void sched_queue_remove(struct scheduler *scheduler, const char *uid)
{
	struct sched_item *item = sched_queue_find(scheduler, uid);

	if (item)
		item_free(scheduler, item);
}

struct sched_item *sched_queue_pop(struct scheduler *scheduler)
{
	struct sched_item *item;

	if (!scheduler->heap_count)
		return NULL;
	item = scheduler->heap[0];
	heap_remove(scheduler, item);
	item->where = SCHED_NOWHERE;
	item->attempts++;
	return item;
}

static kt_ns backoff(const struct sched_item *item)
{
	kt_ns span = SCHED_BACKOFF_FIRST;

	for (unsigned i = 1; i < item->attempts && span < SCHED_BACKOFF_LAST; i++)
		span *= 2;
	return KT_MIN(span, SCHED_BACKOFF_LAST);
}

/* Not schedulable now: wait for an event of one of the plugins that refused it. */
void sched_queue_park(struct scheduler *scheduler, struct sched_item *item, unsigned rejected_by)
{
	unpark(scheduler, item);
	item->where = SCHED_PARKED;
	item->next = scheduler->parked;
	if (item->next)
		item->next->prev = item;
	scheduler->parked = item;
	item->rejected_by = rejected_by;
	item->since = cluster_now(scheduler->cluster);
	item->backoff_until = item->since + backoff(item);
	sched_queue_wake(scheduler, item->since + SCHED_FLUSH);
}

/* Does one of the plugins that refused it think that the change may help now? */
static bool hinted(struct scheduler *scheduler, const struct sched_item *item, unsigned plugins,
                   const struct sched_change *change)
{
	const struct store_object *pod = NULL;

	for (unsigned i = 0; sched_plugins[i]; i++) {
		if (!(plugins & item->rejected_by & 1U << i))
			continue;
		if (!sched_plugins[i]->helps)
			return true;
		if (!pod)
			pod = store_get_uid(cluster_store(scheduler->cluster), item->uid);
		if (!pod || sched_plugins[i]->helps(scheduler, pod, change))
			return true;
	}
	return false;
}

static bool concerns(struct scheduler *scheduler, const struct sched_item *item, unsigned plugins,
                     const struct sched_change *change)
{
	if ((change->what & SCHED_POD_ITSELF) && change->after && strcmp(change->after->uid, item->uid) != 0)
		return false;
	if (!item->rejected_by)
		return true;
	if (!(item->rejected_by & plugins))
		return false;
	return (!change->before && !change->after) || hinted(scheduler, item, plugins, change);
}

void sched_queue_event(struct scheduler *scheduler, const struct sched_change *change)
{
	kt_ns now = cluster_now(scheduler->cluster);
	unsigned plugins = 0;
	struct sched_item *next;

	if (scheduler->deciding)
		scheduler->missed |= change->what;
	if (!change->what || !scheduler->parked)
		return;
	for (unsigned i = 0; sched_plugins[i]; i++)
		if (sched_plugins[i]->events & change->what)
			plugins |= 1U << i;
	for (struct sched_item *item = scheduler->parked; item; item = next) {
		next = item->next;
		if (!concerns(scheduler, item, plugins, change))
			continue;
		if (item->backoff_until > now)
			back_off(scheduler, item);
		else
			sched_queue_activate(scheduler, item);
	}
}

void sched_queue_clear(struct scheduler *scheduler)
{
	struct sched_item *item, *next;

	HASH_ITER (hh, scheduler->items, item, next)
		item_free(scheduler, item);
	cluster_cancel(scheduler->cluster, scheduler->timer);
	cluster_cancel(scheduler->cluster, scheduler->wake_timer);
	kt_free(scheduler->heap);
}

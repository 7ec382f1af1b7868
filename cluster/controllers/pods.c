/* SPDX-License-Identifier: MIT */
/* Pods as the workload controllers judge them (kubernetes pkg/controller/controller_utils.go). */
#include "cluster/controllers/controllers_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "cluster/controllers/hash.h"

bool controller_pod_active(const struct view_pod *pod)
{
	return pod->phase != VIEW_SUCCEEDED && pod->phase != VIEW_FAILED && !pod->deleting;
}

bool controller_pod_available(const struct view_pod *pod, int64_t min_ready_seconds, kt_ns now)
{
	if (!pod->ready)
		return false;
	return min_ready_seconds <= 0 ||
	       (pod->ready_since && pod->ready_since + min_ready_seconds * KT_SEC <= now);
}

/* --- the order of victims --- */
struct ranked {
	const struct store_object *object;
	const struct view_pod *pod;
	int64_t cost;
	unsigned neighbours;        /* active pods of the same owner's owner on the same node */
	int64_t restarts, sidecars; /* the most of one container; of one sidecar */
	kt_ns now;
};

static int64_t deletion_cost(const struct view_pod *pod)
{
	const char *text = kt_get_str(pod->annotations, "controller.kubernetes.io/pod-deletion-cost");
	return text ? strtoll(text, NULL, 10) : 0;
}

static int64_t most_restarts(const struct kt_json *statuses, const struct kt_json *only)
{
	const struct kt_json *status;
	int64_t most = 0;
	KT_JSON_EACH (status, statuses) {
		ptrdiff_t at = only ? kt_find(only, "name", kt_str_or(kt_get(status, "name"), "")) : 0;
		if (at < 0 ||
		    (only && !kt_streq(kt_get_str(kt_at(only, (size_t)at), "restartPolicy"), "Always")))
			continue;
		most = KT_MAX(most, kt_get_int(status, "restartCount", 0));
	}
	return most;
}

static int phase_order(enum view_phase phase)
{
	return phase == VIEW_PENDING ? 0 : phase == VIEW_UNKNOWN ? 1 : 2;
}

/* Times on a logarithmic scale: pods of about the same age go in a random, but stable order (by UID). */
static int by_age(const struct ranked *a, const struct ranked *b, kt_ns ta, kt_ns tb)
{
	kt_ns da = a->now - ta, db = b->now - tb;
	int64_t ra = da > 0 ? (int64_t)log2((double)da) : -1, rb = db > 0 ? (int64_t)log2((double)db) : -1;
	if (ra != rb)
		return ra < rb ? -1 : 1;
	return strcmp(a->object->uid, b->object->uid);
}

static int number(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	const struct view_pod *p = a->pod, *q = b->pod;
	int c;
	if ((c = number(p->node != NULL, q->node != NULL)))
		return c;
	if ((c = number(phase_order(p->phase), phase_order(q->phase))))
		return c;
	if ((c = number(p->ready, q->ready)))
		return c;
	if ((c = number(a->cost, b->cost)))
		return c;
	if ((c = number(b->neighbours, a->neighbours)))
		return c;
	if (p->ready && q->ready && p->ready_since != q->ready_since)
		return by_age(a, b, p->ready_since, q->ready_since);
	if ((c = number(b->restarts, a->restarts)))
		return c;
	if ((c = number(b->sidecars, a->sidecars)))
		return c;
	if (p->created != q->created)
		return by_age(a, b, p->created, q->created);
	/* Go's sort is not stable either; for us equal history must give equal results */
	return strcmp(a->object->uid, b->object->uid);
}

struct node_count {
	UT_hash_handle hh;
	const char *node;
	unsigned pods;
};

static void count_on_nodes(const struct store_list *related, struct node_count **counts)
{
	for (size_t i = 0; i < related->count; i++) {
		const struct view_pod *pod = view_pod(related->items[i]);
		const char *node = pod->node ? pod->node : "";
		if (!controller_pod_active(pod))
			continue;
		struct node_count *count;
		HASH_FIND_STR(*counts, node, count);
		if (!count) {
			count = kt_alloc(sizeof(*count));
			count->node = node;
			HASH_ADD_KEYPTR(hh, *counts, count->node, strlen(node), count);
		}
		count->pods++;
	}
}

static void take_counts(struct node_count *counts, struct ranked *ranked, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		const char *node = ranked[i].pod->node ? ranked[i].pod->node : "";
		struct node_count *count;
		HASH_FIND_STR(counts, node, count);
		ranked[i].neighbours = count ? count->pods : 0;
	}
	struct node_count *count, *next;
	HASH_ITER (hh, counts, count, next) {
		HASH_DEL(counts, count);
		kt_free(count);
	}
}

static void add_pods(struct store *store, const struct schema_kind *kind, const char *uid,
                     struct store_list *out)
{
	struct store_list pods = {0};
	store_controlled_by(store, kind, uid, &pods);
	for (size_t i = 0; i < pods.count; i++)
		controller_list_add(out, pods.items[i]);
	store_list_clear(&pods);
}

/* Pods of all replica sets of the same deployment (or of the replica set alone). */
static void count_related(struct cluster *cluster, struct ranked *ranked, size_t number)
{
	struct store *store = cluster_store(cluster);
	const struct schema_kind *kind = ranked[0].object->kind;
	const char *owner_uid = ranked[0].pod->owner.uid;
	if (!owner_uid)
		return;
	struct store_list pods = {0}, sets = {0};
	struct node_count *counts = NULL;
	const struct store_object *owner = store_get_uid(store, owner_uid);
	struct view_owner above = {0};
	if (owner)
		above = view_controller_of(owner->json);
	if (above.uid)
		store_controlled_by(store, owner->kind, above.uid, &sets);
	if (!sets.count)
		add_pods(store, kind, owner_uid, &pods);
	for (size_t i = 0; i < sets.count; i++)
		add_pods(store, kind, sets.items[i]->uid, &pods);
	count_on_nodes(&pods, &counts);
	take_counts(counts, ranked, number);
	store_list_clear(&pods);
	store_list_clear(&sets);
}

void controller_rank_pods(struct cluster *cluster, const struct store_object **pods, size_t count)
{
	if (count < 2)
		return;
	struct ranked *ranked = kt_alloc(count * sizeof(*ranked));
	for (size_t i = 0; i < count; i++) {
		ranked[i].object = pods[i];
		ranked[i].pod = view_pod(pods[i]);
		ranked[i].cost = deletion_cost(ranked[i].pod);
		ranked[i].restarts = most_restarts(kt_get(ranked[i].pod->status, "containerStatuses"), NULL);
		const struct kt_json *init = kt_get(ranked[i].pod->spec, "initContainers");
		if (init)
			ranked[i].sidecars =
			        most_restarts(kt_get(ranked[i].pod->status, "initContainerStatuses"), init);
		ranked[i].now = cluster_now(cluster);
	}
	count_related(cluster, ranked, count);
	qsort(ranked, count, sizeof(*ranked), compare);
	for (size_t i = 0; i < count; i++)
		pods[i] = ranked[i].object;
	kt_free(ranked);
}

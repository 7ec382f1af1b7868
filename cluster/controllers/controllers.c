/* SPDX-License-Identifier: MIT */
/* The table of controllers, their queues, and what all of them see: one pass over the rows for each change.
 */
#include "cluster/controllers/control_plane.h"
#include "cluster/controllers/controllers_internal.h"
#include "cluster/controllers/hash.h"
#include <string.h>

static const struct controller *const rows[] = {
        &controller_service_account,
        &controller_root_ca,
        &controller_token_secret,
        &controller_csr_signing,
        &controller_namespace,
        &controller_garbage,
        &controller_deployment,
        &controller_replica_set,
        &controller_replication,
        &controller_stateful_set,
        &controller_daemon_set,
        &controller_job,
        &controller_cron_job,
        &controller_job_ttl,
        &controller_ephemeral_volume,
        &controller_endpoints,
        &controller_endpoint_slice,
        &controller_slice_mirroring,
        &controller_disruption,
        &controller_disruption_stale,
        &controller_hpa,
        &controller_node_ipam,
        &controller_ttl,
        &controller_node_lifecycle,
        &controller_taint_eviction,
        &controller_pod_gc,
        &controller_quota,
        &controller_volume,
        &controller_volume_protection,
        &controller_role_aggregation,
        &controller_node_pools,
        &controller_load_balancer,
        &controller_ingress,
        &controller_gateway_class,
        &controller_gateway,
        &controller_http_route,
        &controller_spot,
        &controller_cost,
        &controller_flow_schema,
        &controller_api_service,
        &controller_policy_status,
        &controller_lease,
        &controller_service_cidr,
};

/* client-go's ItemExponentialFailureRateLimiter of the default controller limiter */
#define BACKOFF_BASE (5 * KT_MS)
#define BACKOFF_MAX  (1000 * KT_SEC)

struct item {
	UT_hash_handle hh;
	struct controller_queue *queue;
	const struct store_object *because;
	uint64_t timer; /* 0: not queued */
	kt_ns due;
	unsigned failures;
	bool working;
	char key[];
};
struct controller_inner {
	struct cluster *cluster;
	struct controllers *all;
	struct item *items;
};
struct orphan {
	UT_hash_handle hh;
	char name[];
};
struct orphan_space {
	UT_hash_handle hh;
	struct orphan *orphans;
	char ns[];
};
struct controllers {
	struct controller_kinds kinds;
	struct controller_queue queues[KT_COUNT(rows)];
	struct orphan_space *orphan_pods, *orphan_sets;
};

/* --- the queue --- */
static void item_run(struct cluster *cluster, void *arg);

static void item_free(struct item *item)
{
	HASH_DEL(item->queue->inner->items, item);
	cluster_cancel(item->queue->inner->cluster, item->timer);
	store_unref(item->because);
	kt_free(item);
}

static void item_queue(struct item *item, kt_ns delay)
{
	struct cluster *cluster = item->queue->inner->cluster;
	kt_ns due = cluster_now(cluster) + delay;
	if (item->timer && item->due <= due)
		return;
	cluster_cancel(cluster, item->timer);
	item->due = due;
	item->timer = cluster_at(cluster, due, item_run, item);
}

static void item_run(struct cluster *cluster, void *arg)
{
	struct item *item = arg;
	struct controller_queue *queue = item->queue;
	const struct store_object *because = item->because;
	item->because = NULL;
	item->timer = 0;
	item->working = true;
	bool done = queue->controller->reconcile(cluster, queue, item->key, because);
	item->working = false;
	if (because)
		store_unref(because);
	if (done) {
		item->failures = 0;
		if (!item->timer)
			item_free(item);
		return;
	}
	kt_ns delay = item->failures < 18 ? BACKOFF_BASE << item->failures : BACKOFF_MAX;
	item->failures++;
	item_queue(item, KT_MIN(delay, BACKOFF_MAX));
}

static struct item *item_get(struct controller_queue *queue, const char *ns, const char *name)
{
	char key[64 + 256 + 2];
	size_t ns_len = ns ? strlen(ns) : 0, name_len = strlen(name), at = 0;
	if (ns_len > 63 || name_len > 255)
		return NULL;
	if (ns_len) {
		memcpy(key, ns, ns_len);
		key[ns_len] = '/';
		at = ns_len + 1;
	}
	memcpy(key + at, name, name_len + 1);
	size_t len = at + name_len;
	struct item *item;
	HASH_FIND(hh, queue->inner->items, key, len, item);
	if (!item) {
		item = kt_alloc(sizeof(*item) + len + 1);
		memcpy(item->key, key, len + 1);
		item->queue = queue;
		HASH_ADD_KEYPTR(hh, queue->inner->items, item->key, len, item);
	}
	return item;
}

void controller_add(struct cluster *cluster, struct controller_queue *queue, const char *ns, const char *name,
                    const struct store_object *because)
{
	(void)cluster;
	struct item *item = item_get(queue, ns, name);
	if (!item)
		return;
	if (because && !item->because)
		item->because = store_ref(because);
	item_queue(item, queue->controller->latency);
}

void controller_add_after(struct cluster *cluster, struct controller_queue *queue, const char *ns,
                          const char *name, kt_ns delay)
{
	(void)cluster;
	struct item *item = item_get(queue, ns, name);
	if (item)
		item_queue(item, KT_MAX(delay, 0));
}

void controller_key(const char *key, char ns[64], char name[256])
{
	const char *slash = strchr(key, '/');
	size_t len = slash ? (size_t)(slash - key) : 0;
	len = KT_MIN(len, (size_t)63);
	memcpy(ns, key, len);
	ns[len] = 0;
	const char *rest = slash ? slash + 1 : key;
	size_t rest_len = KT_MIN(strlen(rest), (size_t)255);
	memcpy(name, rest, rest_len);
	name[rest_len] = 0;
}

struct api_actor controller_actor(const struct controller_queue *queue, const struct store_object *because)
{
	return (struct api_actor){
	        .user = "system:kube-controller-manager",
	        .manager = "kube-controller-manager",
	        .component = queue->controller->component,
	        .because = because,
	};
}

/* --- orphans: what an owner may adopt, without walking a namespace of pods --- */
static void orphan_note(struct orphan_space **spaces, const struct store_object *object, bool is_orphan)
{
	struct orphan_space *space;
	HASH_FIND_STR(*spaces, object->ns, space);
	if (!space && !is_orphan)
		return;
	if (!space) {
		size_t len = strlen(object->ns);
		space = kt_alloc(sizeof(*space) + len + 1);
		memcpy(space->ns, object->ns, len + 1);
		HASH_ADD_STR(*spaces, ns, space);
	}
	struct orphan *orphan;
	HASH_FIND_STR(space->orphans, object->name, orphan);
	if (is_orphan && !orphan) {
		size_t len = strlen(object->name);
		orphan = kt_alloc(sizeof(*orphan) + len + 1);
		memcpy(orphan->name, object->name, len + 1);
		HASH_ADD_STR(space->orphans, name, orphan);
	} else if (!is_orphan && orphan) {
		HASH_DEL(space->orphans, orphan);
		kt_free(orphan);
	}
	if (!space->orphans) {
		HASH_DEL(*spaces, space);
		kt_free(space);
	}
}

static void orphans_clear(struct orphan_space **spaces)
{
	struct orphan_space *space, *next_space;
	HASH_ITER (hh, *spaces, space, next_space) {
		struct orphan *orphan, *next;
		HASH_ITER (hh, space->orphans, orphan, next) {
			HASH_DEL(space->orphans, orphan);
			kt_free(orphan);
		}
		HASH_DEL(*spaces, space);
		kt_free(space);
	}
}

static void orphans_observe(struct controllers *all, const struct store_event *event)
{
	const struct store_object *object = event->object;
	bool gone = event->change == STORE_DELETED;
	if (object->kind == all->kinds.pod)
		orphan_note(&all->orphan_pods, object, !gone && !view_pod(object)->owner.uid);
	else if (object->kind == all->kinds.replica_set)
		orphan_note(&all->orphan_sets, object, !gone && !view_controller_of(object->json).uid);
}

void controller_orphans(struct cluster *cluster, struct controller_queue *queue,
                        const struct schema_kind *kind, const char *ns, struct store_list *out)
{
	struct controllers *all = queue->inner->all;
	struct orphan_space *spaces = kind == all->kinds.pod ? all->orphan_pods : all->orphan_sets, *space;
	HASH_FIND_STR(spaces, ns, space);
	if (!space)
		return;
	struct orphan *orphan, *next;
	HASH_ITER (hh, space->orphans, orphan, next) {
		const struct store_object *object = store_get(cluster_store(cluster), kind, ns, orphan->name);
		if (object)
			controller_list_add(out, object);
	}
}

/* --- the part --- */
static void look_up_kinds(struct schema *schema, struct controller_kinds *kinds)
{
#define X(name, group, kind) kinds->name = schema_stored(schema, group, kind);
	CONTROLLER_KINDS(X)
#undef X
}

static void note_existing(struct cluster *cluster, struct controllers *all)
{
	const struct schema_kind *kinds[] = {all->kinds.pod, all->kinds.replica_set};
	for (size_t i = 0; i < KT_COUNT(kinds); i++) {
		const struct store_object *object;
		STORE_EACH (object, cluster_store(cluster), kinds[i], NULL) {
			struct store_event event = {.change = STORE_ADDED, .object = object};
			orphans_observe(all, &event);
		}
	}
}

static void *start(struct cluster *cluster)
{
	struct controllers *all = kt_alloc(sizeof(*all));
	look_up_kinds(cluster_schema(cluster), &all->kinds);
	note_existing(cluster, all);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct controller_queue *queue = &all->queues[i];
		queue->controller = rows[i];
		queue->kinds = &all->kinds;
		queue->inner = kt_alloc(sizeof(*queue->inner));
		queue->inner->cluster = cluster;
		queue->inner->all = all;
		if (rows[i]->start)
			rows[i]->start(cluster, queue);
	}
	return all;
}

static void stop(struct cluster *cluster, void *state)
{
	struct controllers *all = state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct controller_queue *queue = &all->queues[i];
		if (queue->controller->stop)
			queue->controller->stop(cluster, queue);
		struct item *item, *next;
		HASH_ITER (hh, queue->inner->items, item, next)
			item_free(item);
		kt_free(queue->inner);
	}
	orphans_clear(&all->orphan_pods);
	orphans_clear(&all->orphan_sets);
	kt_free(all);
}

static void observe(struct cluster *cluster, void *state, const struct store_event *event)
{
	struct controllers *all = state;
	if (event->object->kind == all->kinds.event)
		return;
	orphans_observe(all, event);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (rows[i]->observe)
			rows[i]->observe(cluster, &all->queues[i], event);
	}
}

const struct cluster_part controllers_part = {
        .name = "controllers",
        .start = start,
        .stop = stop,
        .observe = observe,
};

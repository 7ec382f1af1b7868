/* SPDX-License-Identifier: MIT */
/* The EndpointSlice controller (kubernetes pkg/controller/endpointslice, staging/src/k8s.io/endpointslice):
 * every pod behind a service, a hundred to a slice, changing as few slices as it can. */
#include "cluster/controllers/endpoints.h"
#include <string.h>
#include "cluster/controllers/hash.h"
#include "cluster/controllers/topology_hints.h"

#define PER_SLICE  100
#define SERVICE    "kubernetes.io/service-name"
#define MANAGED_BY "endpointslice.kubernetes.io/managed-by"
#define MANAGER    "endpointslice-controller.k8s.io"

/* One endpoint that there must be. */
struct wanted {
	UT_hash_handle hh;
	struct kt_json *endpoint; /* owned until it is placed */
	const char *uid;
};
/* The endpoints of one list of ports. */
struct port_group {
	struct kt_json *ports;
	struct wanted *wanted;
};
struct slice_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *service;
	struct port_group *groups;
	size_t group_count;
	struct store_list slices; /* ours, of this service */
	struct kt_json *labels;
	kt_ns trigger;
	const char *key; /* of the service */
	struct hint_event event;
	bool failed;
};

/* --- what there must be --- */
static struct kt_json *endpoint_of(struct slice_sync *sync, const struct store_object *object)
{
	const struct view_pod *pod = view_pod(object);
	const struct store_object *node = NULL;
	if (pod->node)
		node = store_get(cluster_store(sync->cluster), sync->queue->kinds->node, "", pod->node);
	const char *zone = node ? view_node(node)->zone : NULL;
	bool always = kt_path_bool(sync->service->json, "spec.publishNotReadyAddresses", false);
	bool ready = always || (pod->ready && !pod->deleting);
	return kt_jsonf(
	        "{addresses: [%s], conditions: {ready: %b, serving: %b, terminating: %b}, hostname: %s, "
	        "targetRef: %j, nodeName: %s, zone: %s}",
	        pod->ip, ready, pod->ready, pod->deleting, endpoints_hostname(sync->service, object),
	        endpoints_target(object), pod->node, zone);
}

static struct port_group *group_for(struct slice_sync *sync, struct kt_json *steal_ports)
{
	for (size_t i = 0; i < sync->group_count; i++) {
		if (kt_equal(sync->groups[i].ports, steal_ports)) {
			kt_json_free(steal_ports);
			return &sync->groups[i];
		}
	}
	sync->groups = kt_realloc(sync->groups, (sync->group_count + 1) * sizeof(*sync->groups));
	sync->groups[sync->group_count] = (struct port_group){.ports = steal_ports};
	return &sync->groups[sync->group_count++];
}

static size_t collect(struct slice_sync *sync)
{
	struct store_list pods = {0};
	struct kt_json *common = NULL;
	sync->trigger = endpoints_pods(sync->cluster, sync->queue, sync->service, true, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const struct view_pod *pod = view_pod(pods.items[i]);
		struct port_group *group =
		        group_for(sync, endpoints_ports_once(sync->service, pod, true, &common));
		struct wanted *wanted = kt_alloc(sizeof(*wanted));
		wanted->endpoint = endpoint_of(sync, pods.items[i]);
		wanted->uid = kt_path_str(wanted->endpoint, "targetRef.uid");
		HASH_ADD_KEYPTR(hh, group->wanted, wanted->uid, strlen(wanted->uid), wanted);
	}
	size_t count = pods.count;
	kt_json_free(common);
	store_list_clear(&pods);
	return count;
}

static void groups_free(struct slice_sync *sync)
{
	for (size_t i = 0; i < sync->group_count; i++) {
		struct wanted *wanted, *next;
		HASH_ITER (hh, sync->groups[i].wanted, wanted, next) {
			HASH_DEL(sync->groups[i].wanted, wanted);
			kt_json_free(wanted->endpoint);
			kt_free(wanted);
		}
		kt_json_free(sync->groups[i].ports);
	}
	kt_free(sync->groups);
}

/* --- what there is --- */
static void find_slices(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *service, struct store_list *out)
{
	const struct store_object *slice;
	STORE_EACH (slice, cluster_store(cluster), queue->kinds->slice, service->ns) {
		if (kt_streq(controller_label(slice->json, SERVICE), service->name) &&
		    kt_streq(controller_label(slice->json, MANAGED_BY), MANAGER) &&
		    !view_is_deleting(slice->json))
			controller_list_add(out, slice);
	}
}

static struct kt_json *labels_of(const struct store_object *service)
{
	struct kt_json *labels = kt_json_ref(view_labels(service->json));
	kt_set(&labels, SERVICE, kt_json_str(service->name));
	kt_set(&labels, MANAGED_BY, kt_json_str(MANAGER));
	if (endpoints_headless(service))
		kt_set(&labels, "service.kubernetes.io/headless", kt_json_str(""));
	return labels;
}

/* --- plan: the endpoints that each slice will hold; first those that there are, in order, then new ones ---
 */
struct plan {
	struct kt_json *endpoints; /* array; NULL: delete */
	const struct kt_json *ports;
	bool changed, gone;
};
struct plans {
	struct plan *items;
	size_t count, cap;
};

/* Hints are put in at the end, so they do not count. */
static bool same_endpoint(const struct kt_json *stored, const struct kt_json *wanted)
{
	if (!kt_get(stored, "hints"))
		return kt_equal(stored, wanted);
	struct kt_json *plain = kt_json_ref(stored);
	kt_unset(&plain, "hints");
	bool same = kt_equal(plain, wanted);
	kt_json_free(plain);
	return same;
}

static struct wanted *take(struct port_group *group, const char *uid)
{
	struct wanted *wanted = NULL;
	if (uid)
		HASH_FIND_STR(group->wanted, uid, wanted);
	return wanted;
}

static void keep_endpoints(struct port_group *group, const struct store_object *slice, struct plan *plan)
{
	const struct kt_json *endpoint;
	plan->endpoints = kt_json_array();
	plan->ports = group->ports;
	KT_JSON_EACH (endpoint, kt_get(slice->json, "endpoints")) {
		struct wanted *wanted = take(group, kt_path_str(endpoint, "targetRef.uid"));
		if (!wanted) {
			plan->changed = true;
			continue;
		}
		plan->changed |= !same_endpoint(endpoint, wanted->endpoint);
		kt_push(&plan->endpoints, wanted->endpoint);
		HASH_DEL(group->wanted, wanted);
		kt_free(wanted);
	}
}

static void fill(struct port_group *group, struct plan *plan)
{
	while (group->wanted && kt_count(plan->endpoints) < PER_SLICE) {
		struct wanted *wanted = group->wanted;
		kt_push(&plan->endpoints, wanted->endpoint);
		HASH_DEL(group->wanted, wanted);
		kt_free(wanted);
		plan->changed = true;
	}
}

/* What is new goes into slices that change anyway, then into the fullest that has room for all, else into new
 * ones. */
static void place_new(struct slice_sync *sync, struct port_group *group, struct plan *plans)
{
	for (size_t i = 0; i < sync->slices.count; i++) {
		if (plans[i].ports == group->ports && plans[i].changed)
			fill(group, &plans[i]);
	}
	size_t left = HASH_COUNT(group->wanted), best = SIZE_MAX;
	for (size_t i = 0; left && i < sync->slices.count; i++) {
		size_t used = kt_count(plans[i].endpoints);
		if (plans[i].ports == group->ports && used + left <= PER_SLICE &&
		    (best == SIZE_MAX || used > kt_count(plans[best].endpoints)))
			best = i;
	}
	if (best != SIZE_MAX)
		fill(group, &plans[best]);
}

static bool labels_ok(struct slice_sync *sync, const struct store_object *slice)
{
	return kt_equal(view_labels(slice->json), sync->labels);
}

static void write_slice(struct slice_sync *sync, const struct store_object *slice,
                        const struct kt_json *ports, struct kt_json *steal_endpoints)
{
	struct kt_json *json;
	if (slice) {
		json = kt_json_ref(slice->json);
	} else {
		char *generate = kt_strf("%s-", sync->service->name);
		json = kt_jsonf("{apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: "
		                "{generateName: %s, "
		                "namespace: %s, ownerReferences: [%j]}, addressType: 'IPv4'}",
		                generate, sync->service->ns, controller_owner_ref(sync->service));
		kt_free(generate);
	}
	bool empty = kt_count(steal_endpoints) == 0;
	kt_set_path(&json, "metadata.labels", kt_json_ref(sync->labels));
	endpoints_tell_trigger(&json, sync->trigger);
	if (empty)
		kt_json_freep(&steal_endpoints);
	kt_set(&json, "endpoints", empty ? kt_json_null() : steal_endpoints);
	kt_set(&json, "ports", kt_count(ports) ? kt_json_ref(ports) : kt_json_null());
	struct api_status status = {0};
	const struct schema_kind *kind = sync->queue->kinds->slice;
	const struct store_object *now = slice ? api_update(sync->cluster, &sync->actor, kind, json, &status)
	                                       : api_create(sync->cluster, &sync->actor, kind, json, &status);
	if (!now && status.code != 403 && status.code != 404)
		sync->failed = true;
	api_status_clear(&status);
}

/* What fits into no slice. A service has one at least, if an empty one. */
static void add_slices(struct slice_sync *sync, struct plans *plans)
{
	for (size_t g = 0; g < sync->group_count; g++) {
		while (sync->groups[g].wanted) {
			struct plan more = {.endpoints = kt_json_array(), .ports = sync->groups[g].ports};
			fill(&sync->groups[g], &more);
			plans->items = kt_grow(plans->items, &plans->cap, plans->count + 1, sizeof(more));
			plans->items[plans->count++] = more;
		}
	}
}

static void put_hints(struct slice_sync *sync, struct plans *plans)
{
	struct hinted_slice *slices = kt_alloc((plans->count + 1) * sizeof(*slices));
	struct hint_event event;
	bool populated = endpoints_hinted(sync->queue, sync->key);
	for (size_t i = 0; i < plans->count; i++) {
		const struct store_object *slice = i < sync->slices.count ? sync->slices.items[i] : NULL;
		slices[i].endpoints = plans->items[i].endpoints;
		slices[i].changed = plans->items[i].changed;
		slices[i].before = slice && slices[i].endpoints ? kt_get(slice->json, "endpoints") : NULL;
	}
	topology_hints_put(sync->cluster, sync->queue->kinds, sync->service, slices, plans->count, &populated,
	                   &event);
	for (size_t i = 0; i < plans->count; i++) {
		plans->items[i].endpoints = slices[i].endpoints;
		plans->items[i].changed = slices[i].changed;
	}
	kt_free(slices);
	endpoints_note_hinted(sync->queue, sync->key, populated);
	sync->event = event;
}

static void carry_out(struct slice_sync *sync, struct plans *plans)
{
	size_t left = 0, spare = SIZE_MAX;
	for (size_t i = 0; i < plans->count; i++) {
		plans->items[i].gone = kt_count(plans->items[i].endpoints) == 0;
		left += !plans->items[i].gone;
	}
	for (size_t i = sync->slices.count; i < plans->count; i++) {
		write_slice(sync, NULL, plans->items[i].ports, plans->items[i].endpoints);
		plans->items[i].endpoints = NULL;
	}
	if (!left && sync->slices.count)
		spare = 0;
	else if (!left)
		write_slice(sync, NULL, NULL, NULL);
	for (size_t i = 0; i < sync->slices.count; i++) {
		const struct store_object *slice = sync->slices.items[i];
		struct plan *plan = &plans->items[i];
		if (i == spare) {
			if (kt_count(kt_get(slice->json, "endpoints")) ||
			    kt_count(kt_get(slice->json, "ports")) || !labels_ok(sync, slice))
				write_slice(sync, slice, NULL, NULL);
		} else if (plan->gone) {
			controller_delete(sync->cluster, &sync->actor, slice, NULL, NULL);
		} else if (plan->changed) {
			write_slice(sync, slice, plan->ports, plan->endpoints);
			plan->endpoints = NULL;
		}
		kt_json_freep(&plan->endpoints);
	}
}

static void tell_hints(struct slice_sync *sync)
{
	if (sync->event.type)
		api_event(sync->cluster, &sync->actor, sync->service, sync->event.type, sync->event.reason,
		          NULL, NULL, "%s", sync->event.message);
	kt_free(sync->event.message);
}

static void plan_kept(struct slice_sync *sync, struct plan *plans)
{
	for (size_t i = 0; i < sync->slices.count; i++) {
		const struct kt_json *ports = kt_get(sync->slices.items[i]->json, "ports");
		plans[i].changed = !labels_ok(sync, sync->slices.items[i]);
		for (size_t g = 0; g < sync->group_count; g++) {
			bool same = kt_equal(sync->groups[g].ports, ports) ||
			            (!kt_count(sync->groups[g].ports) && !kt_count(ports));
			if (same && !plans[i].endpoints)
				keep_endpoints(&sync->groups[g], sync->slices.items[i], &plans[i]);
		}
	}
}

static void sync_slices(struct slice_sync *sync)
{
	struct plans plans = {.count = sync->slices.count, .cap = sync->slices.count + 1};
	plans.items = kt_alloc(plans.cap * sizeof(*plans.items));
	plan_kept(sync, plans.items);
	/* an empty placeholder is filled rather than replaced */
	for (size_t i = 0; i < sync->slices.count && sync->group_count; i++) {
		if (plans.items[i].endpoints)
			continue;
		size_t g = 0;
		while (g < sync->group_count && !sync->groups[g].wanted)
			g++;
		if (g == sync->group_count)
			break;
		plans.items[i] = (struct plan){
		        .endpoints = kt_json_array(), .ports = sync->groups[g].ports, .changed = true};
		fill(&sync->groups[g], &plans.items[i]);
	}
	for (size_t g = 0; g < sync->group_count; g++)
		place_new(sync, &sync->groups[g], plans.items);
	add_slices(sync, &plans);
	put_hints(sync, &plans);
	carry_out(sync, &plans);
	tell_hints(sync);
	kt_free(plans.items);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *service = controller_get(cluster, queue->kinds->service, key);
	if (!service) { /* its slices belong to it: the garbage collector takes them */
		endpoints_note_gone(queue, key);
		return true;
	}
	if (kt_count(kt_path(service->json, "spec.selector")) == 0 ||
	    kt_streq(kt_path_str(service->json, "spec.type"), "ExternalName"))
		return true;
	struct slice_sync sync = {.cluster = cluster,
	                          .queue = queue,
	                          .actor = controller_actor(queue, because ? because : service),
	                          .service = store_ref(service),
	                          .key = key,
	                          .labels = labels_of(service)};
	find_slices(cluster, queue, service, &sync.slices);
	endpoints_note_size(queue, key, collect(&sync));
	sync_slices(&sync);
	groups_free(&sync);
	store_list_clear(&sync.slices);
	kt_json_free(sync.labels);
	store_unref(sync.service);
	return !sync.failed;
}

/* Nodes that come, go, are ready or not, or move to another zone: the services whose hints they upset. */
static void observe_node(struct cluster *cluster, struct controller_queue *queue,
                         const struct store_event *event)
{
	const struct view_node *node = view_node(event->object),
	                       *old = event->old ? view_node(event->old) : NULL;
	const struct store_object *service;
	if (event->change == STORE_MODIFIED && old && old->ready == node->ready &&
	    kt_streq(old->zone, node->zone))
		return;
	STORE_EACH (service, cluster_store(cluster), queue->kinds->service, NULL) {
		struct store_list slices = {0};
		if (!topology_hints_wanted(service))
			continue;
		find_slices(cluster, queue, service, &slices);
		if (topology_hints_overloaded(cluster, queue->kinds, &slices))
			controller_add(cluster, queue, service->ns, service->name, event->object);
		store_list_clear(&slices);
	}
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct controller_kinds *kinds = queue->kinds;
	const struct store_object *object = event->object;
	if (object->kind == kinds->pod) {
		endpoints_observe_pod(cluster, queue, event);
	} else if (object->kind == kinds->service) {
		controller_add(cluster, queue, object->ns, object->name, object);
	} else if (object->kind == kinds->node) {
		observe_node(cluster, queue, event);
	} else if (object->kind == kinds->slice &&
	           kt_streq(controller_label(object->json, MANAGED_BY), MANAGER)) {
		const char *service = controller_label(object->json, SERVICE);
		if (service)
			endpoints_add(cluster, queue, object->ns, service, object);
	}
}

/* Whether hints were given by the annotation is seen by the hints. */
static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *service, *slice;
	STORE_EACH (slice, cluster_store(cluster), queue->kinds->slice, NULL) {
		const char *name = controller_label(slice->json, SERVICE);
		if (!name || !kt_path(slice->json, "endpoints.0.hints"))
			continue;
		service = store_get(cluster_store(cluster), queue->kinds->service, slice->ns, name);
		if (service && topology_hints_wanted(service)) {
			char *key = kt_strf("%s/%s", slice->ns, name);
			endpoints_note_hinted(queue, key, true);
			kt_free(key);
		}
	}
	controller_add_all(cluster, queue, queue->kinds->service);
}

const struct controller controller_endpoint_slice = {
        .name = "endpointslice",
        .component = "endpoint-slice-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = endpoints_forget,
        .latency = 8 * KT_MS,
};

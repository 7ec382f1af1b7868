/* SPDX-License-Identifier: MIT */
/* The Endpoints controller (kubernetes pkg/controller/endpoint/endpoints_controller.go). */
#include "base/codec.h"
#include "cluster/controllers/endpoints.h"
#include "cluster/controllers/hash.h"
#include <stdlib.h>
#include <string.h>

#define MOST 1000 /* addresses in one Endpoints object */

bool endpoints_headless(const struct store_object *service)
{
	return kt_streq(kt_path_str(service->json, "spec.clusterIP"), "None");
}

static bool over(const struct view_pod *pod)
{
	return pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED;
}

/* --- what is remembered of services: when their pods changed, how many there are, whether slices have hints
 * --- */
#define PER_POD (50 * KT_US) /* what a sync of one pod more takes */
#define SMALL   100

struct seen {
	uint64_t pod; /* hash of its name */
	kt_ns changed;
};
struct memory {
	UT_hash_handle hh;
	size_t pods; /* 0: few */
	bool hinted;
	struct seen *seen; /* at the last sync, by hash */
	size_t seen_count;
	char key[];
};

static struct memory *recall(const struct controller_queue *queue, const char *key)
{
	struct memory *all = queue->state, *memory = NULL;
	HASH_FIND_STR(all, key, memory);
	return memory;
}

static struct memory *remember(struct controller_queue *queue, const char *key)
{
	struct memory *all = queue->state, *memory = recall(queue, key);
	size_t len = strlen(key);
	if (memory)
		return memory;
	memory = kt_alloc(sizeof(*memory) + len + 1);
	memcpy(memory->key, key, len + 1);
	HASH_ADD_STR(all, key, memory);
	queue->state = all;
	return memory;
}

static void forget(struct controller_queue *queue, struct memory *memory)
{
	struct memory *all = queue->state;
	HASH_DEL(all, memory);
	queue->state = all;
	kt_free(memory->seen);
	kt_free(memory);
}

static int by_pod(const void *a, const void *b)
{
	uint64_t x = ((const struct seen *)a)->pod, y = ((const struct seen *)b)->pod;
	return (x > y) - (x < y);
}

static kt_ns ready_changed(const struct view_pod *pod)
{
	const struct kt_json *ready = controller_condition(kt_get(pod->status, "conditions"), "Ready");
	return ready ? controller_time_of(kt_get(ready, "lastTransitionTime")) : 0;
}

/* Of what changed since the last sync, when the first thing did; of a service that is new, when it was made.
 */
static kt_ns trigger_time(struct controller_queue *queue, const struct store_object *service,
                          struct seen *steal, size_t count)
{
	char *key = kt_strf("%s/%s", service->ns, service->name);
	struct memory *known = recall(queue, key), *memory = known ? known : remember(queue, key);
	kt_ns first = 0;
	if (count)
		qsort(steal, count, sizeof(*steal), by_pod);
	for (size_t i = 0; i < count; i++) {
		const struct seen *old =
		        memory->seen_count
		                ? bsearch(&steal[i], memory->seen, memory->seen_count, sizeof(*steal), by_pod)
		                : NULL;
		if ((!old || steal[i].changed > old->changed) && (!first || steal[i].changed < first))
			first = steal[i].changed;
	}
	kt_free(memory->seen);
	memory->seen = steal;
	memory->seen_count = count;
	kt_free(key);
	return known ? first : controller_created(service);
}

kt_ns endpoints_pods(struct cluster *cluster, struct controller_queue *queue,
                     const struct store_object *service, bool deleting, struct store_list *out)
{
	const struct kt_json *selector = kt_path(service->json, "spec.selector");
	const struct store_object *object;
	struct seen *seen = NULL;
	size_t count = 0, cap = 0;
	STORE_EACH (object, cluster_store(cluster), queue->kinds->pod, service->ns) {
		const struct view_pod *pod = view_pod(object);
		kt_ns changed;
		if (!view_map_matches(selector, pod->labels))
			continue;
		changed = ready_changed(pod);
		if (changed) {
			seen = kt_grow(seen, &cap, count + 1, sizeof(*seen));
			seen[count++] = (struct seen){kt_hash(object->name, strlen(object->name)), changed};
		}
		if (pod->ip && *pod->ip && !over(pod) && (deleting || !pod->deleting))
			controller_list_add(out, object);
	}
	return trigger_time(queue, service, seen, count);
}

/* The number of a named container port; 0 if the pod has none. Sidecars (restartable init containers) count.
 */
static int64_t port_named(const struct view_pod *pod, const char *name, const char *protocol)
{
	const struct kt_json *lists[] = {kt_get(pod->spec, "containers"),
	                                 kt_get(pod->spec, "initContainers")};
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *container, *port;
		KT_JSON_EACH (container, lists[i]) {
			if (i == 1 && !kt_streq(kt_get_str(container, "restartPolicy"), "Always"))
				continue;
			KT_JSON_EACH (port, kt_get(container, "ports")) {
				if (kt_streq(kt_get_str(port, "name"), name) &&
				    kt_streq(kt_str_or(kt_get(port, "protocol"), "TCP"), protocol))
					return kt_get_int(port, "containerPort", 0);
			}
		}
	}
	return 0;
}

/* Real controllers keep ports in the order of the MD5 of how Go prints them (pkg/util/hash DeepHashObject).
 */
struct hashed_port {
	unsigned char hash[16];
	struct kt_json *port;
};

static int by_hash(const void *a, const void *b)
{
	return memcmp(((const struct hashed_port *)a)->hash, ((const struct hashed_port *)b)->hash, 16);
}

static void hash_port(const struct kt_json *port, bool slice, unsigned char out[16])
{
	const char *app = kt_get_str(port, "appProtocol");
	long long number = (long long)kt_get_int(port, "port", 0);
	struct kt_buf text = {0};
	if (slice)
		kt_buf_addf(&text,
		            "(v1.EndpointPort){Name:(*string)%s Protocol:(*v1.Protocol)%s Port:(*int32)%lld",
		            kt_get_text(port, "name"), kt_get_text(port, "protocol"), number);
	else
		kt_buf_addf(&text,
		            "(v1.EndpointPort){Name:(string)%s Port:(int32)%lld Protocol:(v1.Protocol)%s",
		            kt_get_text(port, "name"), number, kt_get_text(port, "protocol"));
	kt_buf_addf(&text, " AppProtocol:(*string)%s}", app ? app : "<nil>");
	kt_md5(kt_buf_str(&text), text.len, out);
	kt_buf_clear(&text);
}

static struct kt_json *in_order(struct kt_json *steal, bool slice)
{
	size_t count = kt_count(steal);
	if (count < 2)
		return steal;
	struct hashed_port *ports = kt_alloc(count * sizeof(*ports));
	struct kt_json *out = kt_json_array();
	for (size_t i = 0; i < count; i++) {
		ports[i].port = kt_json_ref(kt_at(steal, i));
		hash_port(ports[i].port, slice, ports[i].hash);
	}
	qsort(ports, count, sizeof(*ports), by_hash);
	for (size_t i = 0; i < count; i++)
		kt_push(&out, ports[i].port);
	kt_free(ports);
	kt_json_free(steal);
	return out;
}

struct kt_json *endpoints_ports(const struct store_object *service, const struct view_pod *pod, bool named)
{
	struct kt_json *out = kt_json_array();
	const struct kt_json *port;
	KT_JSON_EACH (port, kt_path(service->json, "spec.ports")) {
		const struct kt_json *target = kt_get(port, "targetPort");
		const char *protocol = kt_str_or(kt_get(port, "protocol"), "TCP");
		const char *name = kt_get_str(port, "name");
		int64_t number = kt_is_string(target) ? port_named(pod, kt_str(target), protocol)
		                                      : kt_int_or(target, 0);
		if (!target || (!kt_is_string(target) && number == 0))
			number = kt_get_int(port, "port", 0);
		if (number <= 0)
			continue;
		if (!name && named)
			name = "";
		kt_push(&out, kt_jsonf("{name: %s, port: %l, protocol: %s, appProtocol: %s}", name, number,
		                       protocol, kt_get_str(port, "appProtocol")));
	}
	return in_order(out, named);
}

struct kt_json *endpoints_ports_once(const struct store_object *service, const struct view_pod *pod,
                                     bool named, struct kt_json **common)
{
	const struct kt_json *port;
	KT_JSON_EACH (port, kt_path(service->json, "spec.ports"))
		if (kt_is_string(kt_get(port, "targetPort")))
			return endpoints_ports(service, pod, named);
	if (!*common)
		*common = endpoints_ports(service, pod, named);
	return kt_json_ref(*common);
}

const char *endpoints_hostname(const struct store_object *service, const struct store_object *pod)
{
	const struct kt_json *spec = view_pod(pod)->spec;
	const char *hostname = kt_get_str(spec, "hostname");
	if (!hostname || !*hostname || !kt_streq(kt_get_str(spec, "subdomain"), service->name))
		return NULL;
	return hostname;
}

struct kt_json *endpoints_target(const struct store_object *pod)
{
	return kt_jsonf("{kind: 'Pod', namespace: %s, name: %s, uid: %s}", pod->ns, pod->name, pod->uid);
}

void endpoints_note_size(struct controller_queue *queue, const char *key, size_t pods)
{
	remember(queue, key)->pods = pods > SMALL ? pods : 0;
}

void endpoints_note_hinted(struct controller_queue *queue, const char *key, bool hinted)
{
	remember(queue, key)->hinted = hinted;
}

void endpoints_note_gone(struct controller_queue *queue, const char *key)
{
	struct memory *memory = recall(queue, key);
	if (memory)
		forget(queue, memory);
}

bool endpoints_hinted(const struct controller_queue *queue, const char *key)
{
	const struct memory *memory = recall(queue, key);
	return memory && memory->hinted;
}

void endpoints_forget(struct cluster *cluster, struct controller_queue *queue)
{
	struct memory *all = queue->state, *memory, *next;
	(void)cluster;
	HASH_ITER (hh, all, memory, next)
		forget(queue, memory);
}

void endpoints_add(struct cluster *cluster, struct controller_queue *queue, const char *ns, const char *name,
                   const struct store_object *because)
{
	const struct memory *memory = NULL;
	if (queue->state) {
		char *key = kt_strf("%s/%s", ns, name);
		memory = recall(queue, key);
		kt_free(key);
	}
	if (memory && memory->pods)
		controller_add_after(cluster, queue, ns, name,
		                     queue->controller->latency + (kt_ns)memory->pods * PER_POD);
	else
		controller_add(cluster, queue, ns, name, because);
}

/* --- which services an event touches --- */
static bool same_endpoint(const struct view_pod *a, const struct view_pod *b)
{
	return a->ready == b->ready && a->deleting == b->deleting && over(a) == over(b) &&
	       kt_streq(a->ip, b->ip) && kt_streq(a->node, b->node);
}

void endpoints_observe_pod(struct cluster *cluster, struct controller_queue *queue,
                           const struct store_event *event)
{
	const struct view_pod *pod = view_pod(event->object), *old = event->old ? view_pod(event->old) : NULL;
	bool relabelled = old && !kt_equal(pod->labels, old->labels);
	if (old && event->change == STORE_MODIFIED && !relabelled && same_endpoint(pod, old))
		return;
	if (!pod->ip && (!old || !old->ip))
		return;
	const struct store_object *service;
	STORE_EACH (service, cluster_store(cluster), queue->kinds->service, event->object->ns) {
		const struct kt_json *selector = kt_path(service->json, "spec.selector");
		if (view_map_matches(selector, pod->labels) ||
		    (relabelled && view_map_matches(selector, old->labels)))
			endpoints_add(cluster, queue, service->ns, service->name, event->object);
	}
}

/* --- Endpoints --- */
static int by_name(const struct store_object *a, const struct store_object *b)
{
	return strcmp(a->name, b->name);
}

static int by_address(const struct store_object *a, const struct store_object *b)
{
	return strcmp(view_pod(a)->ip, view_pod(b)->ip);
}

static struct kt_json *address_of(const struct store_object *service, const struct store_object *object)
{
	const struct view_pod *pod = view_pod(object);
	return kt_jsonf("{ip: %s, hostname: %s, nodeName: %s, targetRef: %j}", pod->ip,
	                endpoints_hostname(service, object), pod->node, endpoints_target(object));
}

/* Subsets: pods whose ports have the same numbers stand together. */
static struct kt_json *subsets_of(const struct store_object *service, const struct store_list *pods)
{
	bool unready_too = kt_path_bool(service->json, "spec.publishNotReadyAddresses", false);
	struct kt_json *subsets = kt_json_array(), *common = NULL;
	bool portless = endpoints_headless(service) && kt_count(kt_path(service->json, "spec.ports")) == 0;
	for (size_t i = 0; i < pods->count && i < MOST; i++) {
		const struct view_pod *pod = view_pod(pods->items[i]);
		struct kt_json *ports = endpoints_ports_once(service, pod, false, &common);
		if (!kt_count(ports) && !portless) {
			kt_json_free(ports);
			continue;
		}
		size_t at = 0;
		while (at < kt_count(subsets) && !kt_equal(kt_get(kt_at(subsets, at), "ports"), ports))
			at++;
		if (at == kt_count(subsets))
			kt_push(&subsets,
			        kt_jsonf("{addresses: [], notReadyAddresses: [], ports: %J}", ports));
		kt_json_free(ports);
		kt_push(kt_edit(kt_edit_at(&subsets, at),
		                pod->ready || unready_too ? "addresses" : "notReadyAddresses"),
		        address_of(service, pods->items[i]));
	}
	kt_json_free(common);
	for (size_t i = 0; i < kt_count(subsets); i++) {
		static const char *const lists[] = {"addresses", "notReadyAddresses", "ports"};
		for (size_t k = 0; k < KT_COUNT(lists); k++) {
			if (!kt_count(kt_get(kt_at(subsets, i), lists[k])))
				kt_unset(kt_edit_at(&subsets, i), lists[k]);
		}
	}
	return subsets;
}

/* --- packed anew: each port stands once, with all that have it (pkg/api/v1/endpoints RepackSubsets) --- */
static bool has_port(const struct kt_json *subset, const struct kt_json *port)
{
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_get(subset, "ports"))
		if (kt_equal(one, port))
			return true;
	return false;
}

/* Do the same of the old subsets have both? */
static bool stand_together(const struct kt_json *subsets, const struct kt_json *a, const struct kt_json *b)
{
	const struct kt_json *subset;
	KT_JSON_EACH (subset, subsets)
		if (has_port(subset, a) != has_port(subset, b))
			return false;
	return true;
}

static int by_ip(const void *a, const void *b)
{
	return strcmp(kt_get_text(*(const struct kt_json *const *)a, "ip"),
	              kt_get_text(*(const struct kt_json *const *)b, "ip"));
}

static struct kt_json *addresses_with(const struct kt_json *subsets, const struct kt_json *port,
                                      const char *list)
{
	const struct kt_json *subset, *address;
	const struct kt_json **found = NULL;
	size_t count = 0, cap = 0;
	struct kt_json *out = NULL;
	KT_JSON_EACH (subset, subsets) {
		if (!has_port(subset, port))
			continue;
		KT_JSON_EACH (address, kt_get(subset, list)) {
			found = kt_grow(found, &cap, count + 1, sizeof(*found));
			found[count++] = address;
		}
	}
	if (count)
		qsort(found, count, sizeof(*found), by_ip);
	for (size_t i = 0; i < count; i++)
		kt_push(&out, kt_json_ref(found[i]));
	kt_free(found);
	return out;
}

static struct kt_json *repack(struct kt_json *steal)
{
	struct kt_json *out = kt_json_array(), *ports = kt_json_array();
	const struct kt_json *subset, *port, *other;
	if (kt_count(steal) < 2) {
		kt_json_free(out);
		kt_json_free(ports);
		return steal;
	}
	KT_JSON_EACH (subset, steal)
		KT_JSON_EACH (port, kt_get(subset, "ports")) {
			bool known = false;
			KT_JSON_EACH (other, ports)
				known = known || kt_equal(other, port);
			if (!known)
				kt_push(&ports, kt_json_ref(port));
		}
	ports = in_order(ports, false);
	KT_JSON_EACH (port, ports) {
		size_t first = 0;
		while (!stand_together(steal, kt_at(ports, first), port))
			first++;
		if (first < port_i)
			continue; /* stands with an earlier one */
		struct kt_json *made = kt_json_object(), *with = kt_json_array();
		kt_set(&made, "addresses", addresses_with(steal, port, "addresses"));
		kt_set(&made, "notReadyAddresses", addresses_with(steal, port, "notReadyAddresses"));
		KT_JSON_EACH (other, ports)
			if (stand_together(steal, port, other))
				kt_push(&with, kt_json_ref(other));
		kt_set(&made, "ports", with);
		kt_push(&out, made);
	}
	kt_json_free(ports);
	kt_json_free(steal);
	return out;
}

void endpoints_tell_trigger(struct kt_json **object, kt_ns trigger)
{
	struct kt_json *time = trigger ? controller_time(trigger) : NULL;
	if (time)
		controller_set_annotation(object, ENDPOINTS_TRIGGER_TIME, kt_str(time));
	else
		controller_unset_annotation(object, ENDPOINTS_TRIGGER_TIME);
	kt_json_free(time);
}

static struct kt_json *labels_of(const struct store_object *service)
{
	struct kt_json *labels = kt_json_ref(view_labels(service->json));
	kt_set(&labels, "endpoints.kubernetes.io/managed-by", kt_json_str("endpoint-controller"));
	if (endpoints_headless(service))
		kt_set(&labels, "service.kubernetes.io/headless", kt_json_str(""));
	return labels;
}

static bool write_endpoints(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_object *service, const struct store_list *pods, kt_ns trigger,
                            const struct api_actor *actor)
{
	const struct store_object *there =
	        store_get(cluster_store(cluster), queue->kinds->endpoints, service->ns, service->name);
	struct kt_json *subsets = repack(subsets_of(service, pods)), *labels = labels_of(service);
	if (!kt_count(subsets))
		kt_json_freep(&subsets);
	if (there && kt_equal(kt_get(there->json, "subsets"), subsets) &&
	    kt_equal(view_labels(there->json), labels)) {
		kt_json_free(subsets);
		kt_json_free(labels);
		return true;
	}
	struct kt_json *json =
	        there ? kt_json_ref(there->json)
	              : kt_jsonf("{apiVersion: 'v1', kind: 'Endpoints', metadata: {name: %s, namespace: %s}}",
	                         service->name, service->ns);
	kt_set_path(&json, "metadata.labels", labels);
	kt_set(&json, "subsets", subsets);
	endpoints_tell_trigger(&json, trigger);
	struct api_status status = {0};
	const struct store_object *now =
	        there ? api_update(cluster, actor, queue->kinds->endpoints, json, &status)
	              : api_create(cluster, actor, queue->kinds->endpoints, json, &status);
	bool gone = status.code == 403 || status.code == 404; /* the namespace is going */
	api_status_clear(&status);
	return now || gone;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *service = controller_get(cluster, queue->kinds->service, key);
	struct api_actor actor = controller_actor(queue, because ? because : service);
	if (!service) {
		const struct store_object *there = controller_get(cluster, queue->kinds->endpoints, key);
		if (there)
			controller_delete(cluster, &actor, there, NULL, NULL);
		endpoints_note_gone(queue, key);
		return true;
	}
	if (kt_count(kt_path(service->json, "spec.selector")) == 0 ||
	    kt_streq(kt_path_str(service->json, "spec.type"), "ExternalName"))
		return true;
	struct store_list pods = {0};
	kt_ns trigger =
	        endpoints_pods(cluster, queue, service,
	                       kt_path_bool(service->json, "spec.publishNotReadyAddresses", false), &pods);
	endpoints_note_size(queue, key, pods.count);
	controller_list_sort(&pods, by_name);
	controller_list_sort(&pods, by_address);
	bool done = write_endpoints(cluster, queue, service, &pods, trigger, &actor);
	store_list_clear(&pods);
	return done;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct controller_kinds *kinds = queue->kinds;
	const struct store_object *object = event->object;
	if (object->kind == kinds->pod)
		endpoints_observe_pod(cluster, queue, event);
	else if (object->kind == kinds->service ||
	         (object->kind == kinds->endpoints && event->change == STORE_DELETED))
		controller_add(cluster, queue, object->ns, object->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->service);
}

const struct controller controller_endpoints = {
        .name = "endpoint",
        .component = "endpoint-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = endpoints_forget,
        .latency = 8 * KT_MS,
};

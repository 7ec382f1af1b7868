/* SPDX-License-Identifier: MIT */
/* Gateway API (gateway.networking.k8s.io/v1): what a controller tells of GatewayClasses, Gateways and
 * HTTPRoutes: conditions, addresses, attached routes. The traffic itself: network/balancer.h. Conditions and
 * reasons: sigs.k8s.io/gateway-api apis/v1 (gateway_types.go, shared_types.go). */
#include "cluster/controllers/load_balancer.h"
#include "cluster/network/balancer.h"
#include <string.h>

struct saying { /* a condition */
	const char *type;
	bool holds;
	const char *reason, *message;
};

static void tell(struct kt_json **conditions, const struct kt_json *old, const struct saying *saying,
                 int64_t generation, kt_ns now)
{
	const char *status = saying->holds ? "True" : "False";
	const struct kt_json *before = controller_condition(old, saying->type);
	struct kt_json *since = before && kt_streq(kt_get_str(before, "status"), status)
	                                ? kt_json_ref(kt_get(before, "lastTransitionTime"))
	                                : controller_time(now);
	kt_push(conditions,
	        kt_jsonf("{lastTransitionTime: %j, message: %s, observedGeneration: %l, reason: %s, "
	                 "status: %s, type: %s}",
	                 since, saying->message, generation, saying->reason, status, saying->type));
}

/* --- GatewayClass --- */
static bool reconcile_class(struct cluster *cluster, struct controller_queue *queue, const char *key,
                            const struct store_object *because)
{
	const struct store_object *class = controller_get(cluster, queue->kinds->gateway_class, key);
	struct api_actor actor = controller_actor(queue, because);
	const struct saying accepted = {"Accepted", true, "Accepted", "GatewayClass is accepted"};
	struct kt_json *conditions = kt_json_array();
	if (!class || !balancer_controller(cluster, class->name)) {
		kt_json_free(conditions);
		return true;
	}
	tell(&conditions, kt_path(class->json, "status.conditions"), &accepted, controller_generation(class),
	     cluster_now(cluster));
	struct kt_json *status = kt_json_ref(kt_get(class->json, "status"));
	kt_set(&status, "conditions", conditions);
	(void)controller_write_status(cluster, &actor, class, status);
	return true;
}

static void observe_class(struct cluster *cluster, struct controller_queue *queue,
                          const struct store_event *event)
{
	if (event->object->kind == queue->kinds->gateway_class && event->change != STORE_DELETED)
		controller_add(cluster, queue, "", event->object->name, event->object);
}

static void start_class(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->gateway_class);
}

const struct controller controller_gateway_class = {
        .name = "gateway-class",
        .component = "gateway-controller",
        .reconcile = reconcile_class,
        .observe = observe_class,
        .start = start_class,
        .latency = 50 * KT_MS,
};

/* --- Gateway --- */
static int64_t attached_routes(struct cluster *cluster, struct controller_queue *queue,
                               const struct kt_json *gateway, const struct kt_json *listener)
{
	const struct store_object *route;
	const struct kt_json *parent;
	int64_t count = 0;
	STORE_EACH (route, cluster_store(cluster), queue->kinds->http_route, NULL) {
		bool attached = false;
		KT_JSON_EACH (parent, kt_path(route->json, "spec.parentRefs"))
			attached = attached ||
			           !balancer_refuses(cluster, gateway, listener, route->json, parent);
		count += attached;
	}
	return count;
}

/* What is said of a listener's certificates; those of HTTPS alone are looked at. */
static struct saying certificates_saying(struct cluster *cluster, const struct store_object *gateway,
                                         const struct kt_json *listener)
{
	const struct kt_json *ref, *refs = kt_path(listener, "tls.certificateRefs");
	const struct schema_kind *secret = schema_stored(cluster_schema(cluster), "", "Secret");
	bool https = kt_streq(kt_get_str(listener, "protocol"), "HTTPS"), there = kt_count(refs) > 0;
	KT_JSON_EACH (ref, refs) {
		const char *ns = kt_str_or(kt_get(ref, "namespace"), gateway->ns),
		           *name = kt_str_or(kt_get(ref, "name"), "");
		if (https && !balancer_permits(cluster, "Gateway", gateway->ns, "Secret", ns, name))
			return (struct saying){"ResolvedRefs", false, "RefNotPermitted",
			                       "A certificate in another namespace needs a ReferenceGrant"};
		there = there && store_get(cluster_store(cluster), secret, ns, name);
	}
	if (https && !there)
		return (struct saying){"ResolvedRefs", false, "InvalidCertificateRef",
		                       "A certificate is missing"};
	return (struct saying){"ResolvedRefs", true, "ResolvedRefs", "All references are resolved"};
}

/* The status of one listener; true if it is programmed. */
static bool listener_status(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_object *gateway, const struct kt_json *listener,
                            struct kt_json **list)
{
	const char *name = kt_str_or(kt_get(listener, "name"), ""),
	           *protocol = kt_str_or(kt_get(listener, "protocol"), "");
	const struct kt_json *all = kt_path(gateway->json, "status.listeners");
	ptrdiff_t at = kt_find(all, "name", name);
	const struct kt_json *old = at < 0 ? NULL : kt_get(kt_at(all, (size_t)at), "conditions");
	bool known = kt_streq(protocol, "HTTPS") || kt_streq(protocol, "HTTP");
	struct saying certificates = certificates_saying(cluster, gateway, listener);
	bool fine = known && certificates.holds;
	const struct saying sayings[] = {
	        {"Accepted", known, known ? "Accepted" : "UnsupportedProtocol",
	         known ? "Listener is accepted" : "Only HTTP and HTTPS are served"},
	        {"Programmed", fine, fine ? "Programmed" : "Invalid",
	         fine ? "Listener is programmed" : "Listener is invalid"},
	        certificates,
	        {"Conflicted", false, "NoConflicts", "No conflicts"},
	};
	struct kt_json *conditions = kt_json_array();
	for (size_t i = 0; i < KT_COUNT(sayings); i++)
		tell(&conditions, old, &sayings[i], controller_generation(gateway), cluster_now(cluster));
	kt_push(list, kt_jsonf("{attachedRoutes: %l, conditions: %j, name: %s, supportedKinds: %j}",
	                       attached_routes(cluster, queue, gateway->json, listener), conditions, name,
	                       known ? kt_jsonf("[{group: 'gateway.networking.k8s.io', kind: 'HTTPRoute'}]")
	                             : kt_json_array()));
	return fine;
}

static struct kt_json *addresses_of(struct cluster *cluster, struct controller_queue *queue,
                                    const struct store_object *gateway)
{
	const char *wanted = kt_path_str(gateway->json, "spec.addresses.0.value");
	const struct kt_json *now = kt_path(gateway->json, "status.addresses");
	char address[46];
	if (kt_count(now))
		return kt_json_ref(now);
	if (!wanted && !load_balancer_address(cluster, queue, address))
		return NULL;
	return kt_jsonf("[{type: 'IPAddress', value: %s}]", wanted ? wanted : address);
}

static bool reconcile_gateway(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	const struct store_object *gateway = controller_get(cluster, queue->kinds->gateway, key);
	struct api_actor actor = controller_actor(queue, because);
	if (!gateway || view_is_deleting(gateway->json) ||
	    !balancer_controller(cluster, kt_path_str(gateway->json, "spec.gatewayClassName")))
		return true;
	struct kt_json *listeners = kt_json_array(), *conditions = kt_json_array();
	const struct kt_json *listener, *old = kt_path(gateway->json, "status.conditions");
	size_t fine = 0, all = kt_count(kt_path(gateway->json, "spec.listeners"));
	KT_JSON_EACH (listener, kt_path(gateway->json, "spec.listeners"))
		fine += listener_status(cluster, queue, gateway, listener, &listeners);
	const struct saying sayings[] = {
	        {"Accepted", fine > 0, fine == all ? "Accepted" : "ListenersNotValid",
	         fine == all ? "Gateway is accepted"
	         : fine      ? "Gateway has at least one valid listener"
	                     : "Gateway has no valid listeners"},
	        {"Programmed", fine > 0, fine ? "Programmed" : "Invalid",
	         fine ? "Gateway is programmed" : "Gateway has no valid listeners"},
	};
	for (size_t i = 0; i < KT_COUNT(sayings); i++)
		tell(&conditions, old, &sayings[i], controller_generation(gateway), cluster_now(cluster));
	(void)controller_write_status(cluster, &actor, gateway,
	                              kt_jsonf("{addresses: %j, conditions: %j, listeners: %j}",
	                                       addresses_of(cluster, queue, gateway), conditions, listeners));
	return true;
}

static void observe_gateway(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	const struct controller_kinds *kinds = queue->kinds;
	const struct store_object *object = event->object;
	if (object->kind == kinds->gateway && event->change != STORE_DELETED)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == kinds->gateway_class || object->kind == kinds->http_route ||
	         object->kind == kinds->reference_grant)
		controller_add_all(cluster, queue, kinds->gateway);
}

static void start_gateway(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->gateway);
}

const struct controller controller_gateway = {
        .name = "gateway",
        .component = "gateway-controller",
        .reconcile = reconcile_gateway,
        .observe = observe_gateway,
        .start = start_gateway,
        .latency = 500 * KT_MS,
};

/* --- HTTPRoute --- */
static struct saying backends_saying(struct cluster *cluster, struct controller_queue *queue,
                                     const struct store_object *route)
{
	const struct kt_json *rule, *backend;
	KT_JSON_EACH (rule, kt_path(route->json, "spec.rules")) {
		KT_JSON_EACH (backend, kt_get(rule, "backendRefs")) {
			const char *ns = kt_str_or(kt_get(backend, "namespace"), route->ns),
			           *name = kt_str_or(kt_get(backend, "name"), "");
			if (!kt_streq(kt_str_or(kt_get(backend, "kind"), "Service"), "Service"))
				return (struct saying){"ResolvedRefs", false, "InvalidKind",
				                       "Only Services can be backends"};
			if (!balancer_permits(cluster, "HTTPRoute", route->ns, "Service", ns, name))
				return (struct saying){
				        "ResolvedRefs", false, "RefNotPermitted",
				        "A backend in another namespace needs a ReferenceGrant"};
			if (!store_get(cluster_store(cluster), queue->kinds->service, ns, name))
				return (struct saying){"ResolvedRefs", false, "BackendNotFound",
				                       "A backend Service does not exist"};
		}
	}
	return (struct saying){"ResolvedRefs", true, "ResolvedRefs", "All references are resolved"};
}

static struct saying parent_saying(struct cluster *cluster, const struct store_object *gateway,
                                   const struct store_object *route, const struct kt_json *parent)
{
	static const struct {
		const char *reason, *message;
	} rows[] = {
	        {"NoMatchingListenerHostname", "Listener hostname does not match the Route hostnames"},
	        {"NotAllowedByListeners", "Route is not allowed by any listener"},
	        {"NoMatchingParent", "Listener is not found for this parent ref"},
	};
	const struct kt_json *listener;
	size_t best = KT_COUNT(rows) - 1;
	KT_JSON_EACH (listener, kt_path(gateway->json, "spec.listeners")) {
		const char *reason = balancer_refuses(cluster, gateway->json, listener, route->json, parent);
		if (!reason)
			return (struct saying){"Accepted", true, "Accepted", "The route is accepted"};
		for (size_t i = 0; i < best; i++) {
			if (!strcmp(rows[i].reason, reason))
				best = i;
		}
	}
	return (struct saying){"Accepted", false, rows[best].reason, rows[best].message};
}

static const struct kt_json *old_conditions(const struct store_object *route, const struct kt_json *parent)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_path(route->json, "status.parents")) {
		if (kt_equal(kt_get(row, "parentRef"), parent))
			return kt_get(row, "conditions");
	}
	return NULL;
}

static bool reconcile_route(struct cluster *cluster, struct controller_queue *queue, const char *key,
                            const struct store_object *because)
{
	const struct store_object *route = controller_get(cluster, queue->kinds->http_route, key);
	struct api_actor actor = controller_actor(queue, because);
	struct kt_json *parents = kt_json_array();
	const struct kt_json *parent;
	if (!route || view_is_deleting(route->json)) {
		kt_json_free(parents);
		return true;
	}
	KT_JSON_EACH (parent, kt_path(route->json, "spec.parentRefs")) {
		const struct store_object *gateway =
		        store_get(cluster_store(cluster), queue->kinds->gateway,
		                  kt_str_or(kt_get(parent, "namespace"), route->ns),
		                  kt_str_or(kt_get(parent, "name"), ""));
		const char *controller =
		        gateway ? balancer_controller(cluster,
		                                      kt_path_str(gateway->json, "spec.gatewayClassName"))
		                : NULL;
		if (!controller || !kt_streq(kt_str_or(kt_get(parent, "kind"), "Gateway"), "Gateway"))
			continue;
		const struct saying sayings[] = {parent_saying(cluster, gateway, route, parent),
		                                 backends_saying(cluster, queue, route)};
		struct kt_json *conditions = kt_json_array();
		for (size_t i = 0; i < KT_COUNT(sayings); i++)
			tell(&conditions, old_conditions(route, parent), &sayings[i],
			     controller_generation(route), cluster_now(cluster));
		kt_push(&parents, kt_jsonf("{conditions: %j, controllerName: %s, parentRef: %J}", conditions,
		                           controller, parent));
	}
	if (kt_count(parents) || kt_count(kt_path(route->json, "status.parents")))
		(void)controller_write_status(cluster, &actor, route, kt_jsonf("{parents: %j}", parents));
	else
		kt_json_free(parents);
	return true;
}

/* Services matter when they come and go, not each time they change. */
static void observe_route(struct cluster *cluster, struct controller_queue *queue,
                          const struct store_event *event)
{
	const struct controller_kinds *kinds = queue->kinds;
	const struct store_object *object = event->object;
	if (object->kind == kinds->http_route && event->change != STORE_DELETED)
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == kinds->gateway || object->kind == kinds->gateway_class ||
	         object->kind == kinds->reference_grant ||
	         (object->kind == kinds->service && event->change != STORE_MODIFIED))
		controller_add_all(cluster, queue, kinds->http_route);
}

static void start_route(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->http_route);
}

const struct controller controller_http_route = {
        .name = "http-route",
        .component = "gateway-controller",
        .reconcile = reconcile_route,
        .observe = observe_route,
        .start = start_route,
        .latency = 200 * KT_MS,
};

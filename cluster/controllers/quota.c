/* SPDX-License-Identifier: MIT */
/* What a ResourceQuota counts (kubernetes pkg/controller/resourcequota, pkg/quota/v1/evaluator/core). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

struct quota_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	const struct store_object *quota;
};

/* --- scopes --- */
static bool best_effort(const struct view_pod *pod)
{
	return kt_streq(pod->qos, "BestEffort");
}

static bool scope_fits(const struct view_pod *pod, const char *scope, const struct kt_json *requirement)
{
	if (kt_streq(scope, "Terminating"))
		return kt_get(pod->spec, "activeDeadlineSeconds") != NULL;
	if (kt_streq(scope, "NotTerminating"))
		return kt_get(pod->spec, "activeDeadlineSeconds") == NULL;
	if (kt_streq(scope, "BestEffort"))
		return best_effort(pod);
	if (kt_streq(scope, "NotBestEffort"))
		return !best_effort(pod);
	if (kt_streq(scope, "PriorityClass")) {
		const char *class = kt_get_str(pod->spec, "priorityClassName");
		const char *op = kt_str_or(kt_get(requirement, "operator"), "Exists");
		const struct kt_json *value;
		bool in = false;
		KT_JSON_EACH (value, kt_get(requirement, "values"))
			in |= kt_streq(kt_str(value), class);
		if (kt_streq(op, "In"))
			return class && in;
		if (kt_streq(op, "NotIn"))
			return !in;
		return kt_streq(op, "Exists") == (class && *class);
	}
	return false;
}

static bool in_scope(const struct quota_sync *sync, const struct view_pod *pod)
{
	const struct kt_json *spec = kt_get(sync->quota->json, "spec"), *item;
	KT_JSON_EACH (item, kt_get(spec, "scopes")) {
		if (!scope_fits(pod, kt_str(item), NULL))
			return false;
	}
	KT_JSON_EACH (item, kt_path(spec, "scopeSelector.matchExpressions")) {
		if (!scope_fits(pod, kt_get_str(item, "scopeName"), item))
			return false;
	}
	return true;
}

/* --- amounts, in milli-units --- */
static int64_t milli(const struct kt_json *quantity)
{
	struct kt_quantity q;
	return kt_str(quantity) && kt_quantity_parse(kt_str(quantity), &q) ? q.milli : 0;
}

static int64_t compute_of(const struct view_resources *resources, const char *name)
{
	if (kt_streq(name, "cpu"))
		return resources->cpu_milli;
	if (kt_streq(name, "memory"))
		return resources->memory * 1000;
	if (kt_streq(name, "ephemeral-storage"))
		return resources->ephemeral * 1000;
	return milli(kt_get(resources->all, name));
}

static int64_t pod_amount(const struct view_pod *pod, const char *resource)
{
	bool over = pod->phase == VIEW_SUCCEEDED || pod->phase == VIEW_FAILED;
	if (kt_streq(resource, "count/pods"))
		return 1000;
	if (over)
		return 0;
	if (kt_streq(resource, "pods"))
		return 1000;
	if (kt_starts(resource, "requests."))
		return compute_of(&pod->requests, resource + strlen("requests."));
	if (kt_starts(resource, "limits."))
		return compute_of(&pod->limits, resource + strlen("limits."));
	if (kt_streq(resource, "cpu") || kt_streq(resource, "memory") ||
	    kt_streq(resource, "ephemeral-storage"))
		return compute_of(&pod->requests, resource);
	return 0;
}

static int64_t service_amount(const struct store_object *service, const char *resource)
{
	const char *type = kt_str_or(kt_path(service->json, "spec.type"), "ClusterIP");
	bool balancer = kt_streq(type, "LoadBalancer");
	int64_t ports = 0;
	const struct kt_json *port;
	if (kt_streq(resource, "services.loadbalancers"))
		return balancer ? 1000 : 0;
	if (!kt_streq(resource, "services.nodeports"))
		return 1000;
	KT_JSON_EACH (port, kt_path(service->json, "spec.ports"))
		ports += kt_streq(type, "NodePort") || (balancer && kt_get_int(port, "nodePort", 0));
	return ports * 1000;
}

static int64_t claim_amount(const struct store_object *claim, const char *resource)
{
	const char *class = kt_str_or(kt_path(claim->json, "spec.storageClassName"), "");
	const char *mark = strstr(resource, ".storageclass.storage.k8s.io/");
	if (mark) {
		if (strlen(class) != (size_t)(mark - resource) ||
		    strncmp(class, resource, strlen(class)) != 0)
			return 0;
		resource = strchr(mark, '/') + 1;
	}
	if (kt_streq(resource, "requests.storage"))
		return milli(kt_path(claim->json, "spec.resources.requests.storage"));
	return 1000;
}

/* --- which kind a resource counts --- */
static bool counts_claims(const char *resource)
{
	return strstr(resource, ".storageclass.storage.k8s.io/") || kt_streq(resource, "requests.storage") ||
	       kt_streq(resource, "persistentvolumeclaims");
}

static const struct schema_kind *counted_kind(const struct quota_sync *sync, const char *resource)
{
	struct schema *schema = cluster_schema(sync->cluster);
	const char *name = kt_starts(resource, "count/") ? resource + strlen("count/") : resource;
	size_t len = strcspn(name, ".");
	const char *group = name[len] ? name + len + 1 : "";
	bool core = !kt_starts(resource, "count/");
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (kind->storage == kind && !kind->unstored && strlen(kind->resource) == len &&
		    strncmp(kind->resource, name, len) == 0 && kt_streq(kind->group, core ? "" : group))
			return kind;
	}
	return NULL;
}

static bool counts_pods(const struct quota_sync *sync, const char *resource)
{
	const struct schema_kind *kind = counted_kind(sync, resource);
	return !counts_claims(resource) && !kt_starts(resource, "services") &&
	       (!kind || kind == sync->queue->kinds->pod);
}

static int64_t used(struct quota_sync *sync, const char *resource)
{
	const struct controller_kinds *kinds = sync->queue->kinds;
	const struct store_object *object;
	const char *ns = sync->quota->ns;
	int64_t sum = 0;
	const struct kt_json *spec = kt_get(sync->quota->json, "spec");
	/* Nothing but pods fits a scope. */
	bool scoped =
	        kt_count(kt_get(spec, "scopes")) + kt_count(kt_path(spec, "scopeSelector.matchExpressions")) >
	        0;
	if (scoped && !counts_pods(sync, resource))
		return 0;
	if (counts_claims(resource)) {
		STORE_EACH (object, cluster_store(sync->cluster), kinds->pvc, ns)
			sum += claim_amount(object, resource);
	} else if (kt_starts(resource, "services.") || kt_streq(resource, "services")) {
		STORE_EACH (object, cluster_store(sync->cluster), kinds->service, ns)
			sum += service_amount(object, resource);
	} else {
		const struct schema_kind *kind = counted_kind(sync, resource);
		if (kind && kind != kinds->pod)
			return (int64_t)store_count(cluster_store(sync->cluster), kind, ns) * 1000;
		STORE_EACH (object, cluster_store(sync->cluster), kinds->pod, ns) {
			const struct view_pod *pod = view_pod(object);
			if (in_scope(sync, pod))
				sum += pod_amount(pod, resource);
		}
	}
	return sum;
}

static enum kt_quantity_format format_of(const char *resource)
{
	return strstr(resource, "memory") || strstr(resource, "storage") ? KT_BINARY_SI : KT_DECIMAL_SI;
}

static struct kt_json *amount(const char *resource, int64_t value)
{
	struct kt_buf text = {0};
	if (value % 1000)
		kt_quantity_print_milli(value, KT_DECIMAL_SI, &text);
	else
		kt_quantity_print_value(value / 1000, format_of(resource), &text);
	struct kt_json *v = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return v;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *quota = controller_get(cluster, queue->kinds->quota, key);
	if (!quota)
		return true;
	struct quota_sync sync = {cluster, queue, quota};
	struct api_actor actor = controller_actor(queue, because ? because : quota);
	const struct kt_json *hard = kt_path(quota->json, "spec.hard");
	struct kt_json *counted = kt_json_object();
	for (size_t i = 0; i < kt_count(hard); i++)
		kt_set(&counted, kt_key(hard, i), amount(kt_key(hard, i), used(&sync, kt_key(hard, i))));
	struct kt_json *status = kt_json_object();
	if (kt_count(hard)) {
		kt_set(&status, "hard", kt_json_ref(hard));
		kt_set(&status, "used", kt_json_ref(counted));
	}
	kt_json_free(counted);
	return controller_write_status(cluster, &actor, quota, status) != NULL;
}

/* Whether a change can change what is used. */
static bool counts(const struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (event->change != STORE_MODIFIED || !event->old)
		return true;
	if (object->kind == queue->kinds->pod)
		return view_pod(object)->phase != view_pod(event->old)->phase;
	if (object->kind == queue->kinds->service || object->kind == queue->kinds->pvc)
		return !kt_equal(kt_get(object->json, "spec"), kt_get(event->old->json, "spec"));
	return false;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object, *quota;
	if (object->kind == queue->kinds->quota) {
		if (event->change == STORE_ADDED || !event->old ||
		    !kt_equal(kt_get(object->json, "spec"), kt_get(event->old->json, "spec")))
			controller_add(cluster, queue, object->ns, object->name, object);
		if (event->change == STORE_MODIFIED)
			return;
	}
	if (!*object->ns || !counts(queue, event))
		return;
	STORE_EACH (quota, cluster_store(cluster), queue->kinds->quota, object->ns)
		controller_add(cluster, queue, quota->ns, quota->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->quota);
}

const struct controller controller_quota = {
        .name = "resourcequota",
        .component = "resourcequota-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 30 * KT_MS,
};

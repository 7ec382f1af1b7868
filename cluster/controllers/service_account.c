/* SPDX-License-Identifier: MIT */
/* What every namespace has: the service account `default` and the ConfigMap kube-root-ca.crt (kubernetes
 * pkg/controller/serviceaccount, pkg/controller/certificates/rootcacertpublisher). */
#include "cluster/controllers/controllers_internal.h"

#define DESCRIPTION                                                                                          \
	"Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints "  \
	"such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across "    \
	"distributions of Kubernetes clusters."

static bool is_active(const struct store_object *ns)
{
	return ns && !view_is_deleting(ns->json) &&
	       !kt_streq(kt_path_str(ns->json, "status.phase"), "Terminating");
}

/* Both: the object `name` of `kind` must be in the namespace `key`. */
static bool ensure(struct cluster *cluster, struct controller_queue *queue, const char *key,
                   const struct schema_kind *kind, struct kt_json *steal)
{
	const struct store_object *ns = store_get(cluster_store(cluster), queue->kinds->ns, "", key);
	const char *name = kt_path_str(steal, "metadata.name");
	if (!is_active(ns) || store_get(cluster_store(cluster), kind, key, name)) {
		kt_json_free(steal);
		return true;
	}
	struct api_actor actor = controller_actor(queue, ns);
	struct api_status status = {0};
	bool done = api_create(cluster, &actor, kind, steal, &status) || status.code == 409 ||
	            status.code == 403 || status.code == 404;
	api_status_clear(&status);
	return done;
}

static bool reconcile_account(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	(void)because;
	return ensure(cluster, queue, key, queue->kinds->service_account,
	              kt_jsonf("{apiVersion: 'v1', kind: 'ServiceAccount', metadata: {name: 'default', "
	                       "namespace: %s}}",
	                       key));
}

static bool reconcile_root_ca(struct cluster *cluster, struct controller_queue *queue, const char *key,
                              const struct store_object *because)
{
	(void)because;
	const struct cluster_options *options = cluster_get_options(cluster);
	const char *pem = options && options->ca_pem ? options->ca_pem : "";
	const struct store_object *there =
	        store_get(cluster_store(cluster), queue->kinds->config_map, key, "kube-root-ca.crt");
	const struct store_object *ns = store_get(cluster_store(cluster), queue->kinds->ns, "", key);
	if (there && is_active(ns) && !kt_streq(kt_get_str(kt_get(there->json, "data"), "ca.crt"), pem)) {
		struct api_actor actor = controller_actor(queue, there);
		struct kt_json *json = kt_json_ref(there->json);
		kt_set(&json, "data", NULL);
		kt_set(kt_edit(&json, "data"), "ca.crt", kt_json_str(pem));
		return controller_write(cluster, &actor, there, json) != NULL;
	}
	struct kt_json *map =
	        kt_jsonf("{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'kube-root-ca.crt', "
	                 "namespace: %s, annotations: {'kubernetes.io/description': %s}}, "
	                 "data: {'ca.crt': %s}}",
	                 key, DESCRIPTION, pem);
	return ensure(cluster, queue, key, queue->kinds->config_map, map);
}

static void observe_kind(struct cluster *cluster, struct controller_queue *queue,
                         const struct store_event *event, const struct schema_kind *kind, const char *name)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->ns && event->change != STORE_DELETED)
		controller_add(cluster, queue, "", object->name, object);
	else if (object->kind == kind && event->change != STORE_ADDED && kt_streq(object->name, name))
		controller_add(cluster, queue, "", object->ns, object);
}

static void observe_account(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	observe_kind(cluster, queue, event, queue->kinds->service_account, "default");
}

static void observe_root_ca(struct cluster *cluster, struct controller_queue *queue,
                            const struct store_event *event)
{
	observe_kind(cluster, queue, event, queue->kinds->config_map, "kube-root-ca.crt");
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->ns);
}

const struct controller controller_service_account = {
        .name = "serviceaccount",
        .component = "service-account-controller",
        .reconcile = reconcile_account,
        .observe = observe_account,
        .start = start,
        .latency = 3 * KT_MS,
};

const struct controller controller_root_ca = {
        .name = "root-ca-certificate-publisher",
        .component = "root-ca-cert-publisher",
        .reconcile = reconcile_root_ca,
        .observe = observe_root_ca,
        .start = start,
        .latency = 3 * KT_MS,
};

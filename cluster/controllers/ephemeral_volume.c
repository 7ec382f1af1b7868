/* SPDX-License-Identifier: MIT */
/* Claims of generic ephemeral volumes: made for the pod, owned by it (kubernetes
 * pkg/controller/volume/ephemeral). */
#include "cluster/controllers/controllers_internal.h"

static void tell(struct cluster *cluster, const struct api_actor *actor, const struct store_object *pod,
                 const struct kt_json *volume, const char *what, const char *claim, const char *why)
{
	api_event(cluster, actor, pod, "Warning", "FailedBinding", NULL, NULL,
	          "ephemeral volume %s: %s%s: %s", kt_get_str(volume, "name"), what, claim, why);
}

static bool make_claim(struct cluster *cluster, struct controller_queue *queue, const struct api_actor *actor,
                       const struct store_object *pod, const struct kt_json *volume)
{
	char name[VIEW_CLAIM_NAME];
	const struct kt_json *template = kt_path(volume, "ephemeral.volumeClaimTemplate");
	const char *claim = view_volume_claim(pod, volume, name);
	const struct store_object *there =
	        store_get(cluster_store(cluster), queue->kinds->pvc, pod->ns, claim);
	struct api_status status = {0};
	if (there && kt_streq(view_controller_of(there->json).uid, pod->uid))
		return true;
	if (there) {
		char *why = kt_strf(
		        "(uid: \"%s\") was not created for pod \"%s\" (uid: \"%s\") (pod is not owner)",
		        there->uid, pod->name, pod->uid);
		tell(cluster, actor, pod, volume, "PVC ", claim, why);
		kt_free(why);
		return false;
	}
	bool made = api_create(cluster, actor, queue->kinds->pvc,
	                       kt_jsonf("{apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: {name: "
	                                "%s, namespace: "
	                                "%s, labels: %J, annotations: %J, ownerReferences: [%j]}, spec: %J}",
	                                claim, pod->ns, kt_path(template, "metadata.labels"),
	                                kt_path(template, "metadata.annotations"), controller_owner_ref(pod),
	                                kt_get(template, "spec")),
	                       &status) != NULL;
	if (!made)
		tell(cluster, actor, pod, volume, "create PVC ", claim, status.message ? status.message : "");
	api_status_clear(&status);
	return made;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *pod = controller_get(cluster, queue->kinds->pod, key);
	const struct kt_json *volume;
	bool done = true;
	if (!pod || view_is_deleting(pod->json))
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : pod);
	pod = store_ref(pod);
	KT_JSON_EACH (volume, kt_path(pod->json, "spec.volumes")) {
		if (kt_get(volume, "ephemeral"))
			done = make_claim(cluster, queue, &actor, pod, volume) && done;
	}
	store_unref(pod);
	return done;
}

static bool has_ephemeral(const struct store_object *pod)
{
	const struct kt_json *volume;
	KT_JSON_EACH (volume, view_pod(pod)->spec ? kt_get(view_pod(pod)->spec, "volumes") : NULL) {
		if (kt_get(volume, "ephemeral"))
			return true;
	}
	return false;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->pod && event->change == STORE_ADDED && has_ephemeral(object))
		controller_add(cluster, queue, object->ns, object->name, object);
	else if (object->kind == queue->kinds->pvc && event->change == STORE_DELETED)
		controller_add_owner(cluster, queue, queue->kinds->pod, event, false, 0);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(cluster), queue->kinds->pod, NULL) {
		if (has_ephemeral(pod))
			controller_add(cluster, queue, pod->ns, pod->name, pod);
	}
}

const struct controller controller_ephemeral_volume = {
        .name = "ephemeral-volume",
        .component = "ephemeral_volume",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 5 * KT_MS,
};

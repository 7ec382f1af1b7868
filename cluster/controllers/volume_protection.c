/* SPDX-License-Identifier: MIT */
/* Claims that pods use and volumes that claims use are not deleted (kubernetes
 * pkg/controller/volume/pvcprotection, pvprotection). Keys as in volume.c. */
#include "cluster/controllers/volume.h"
#include <string.h>

#define CLAIM  "kubernetes.io/pvc-protection"
#define VOLUME "kubernetes.io/pv-protection"

static bool uses(const struct store_object *pod, const char *claim)
{
	const struct view_pod *view = view_pod(pod);
	const struct kt_json *volume;
	if (!view->node || view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED)
		return false;
	KT_JSON_EACH (volume, kt_get(view->spec, "volumes")) {
		char own[VIEW_CLAIM_NAME];
		if (kt_streq(view_volume_claim(pod, volume, own), claim))
			return true;
	}
	return false;
}

static bool in_use(struct cluster *cluster, struct controller_queue *queue, const struct store_object *object)
{
	const struct store_object *pod;
	if (object->kind == queue->kinds->pv)
		return kt_streq(kt_path_str(object->json, "status.phase"), "Bound");
	STORE_EACH (pod, cluster_store(cluster), queue->kinds->pod, object->ns) {
		if (uses(pod, object->name))
			return true;
	}
	return false;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	bool is_claim = strchr(key, '/') != NULL, there = false;
	const char *name = is_claim ? CLAIM : VOLUME;
	const struct store_object *object =
	        controller_get(cluster, is_claim ? queue->kinds->pvc : queue->kinds->pv, key);
	if (!object || !view_is_deleting(object->json) || in_use(cluster, queue, object))
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : object);
	struct api_status status = {0};
	struct kt_json *json = kt_json_ref(object->json);
	struct kt_json **finalizers = kt_edit_path(&json, "metadata.finalizers");
	for (size_t i = kt_count(*finalizers); i-- > 0;) {
		if (kt_streq(kt_str(kt_at(*finalizers, i)), name)) {
			kt_remove(finalizers, i);
			there = true;
		}
	}
	if (!there) {
		kt_json_free(json);
		return true;
	}
	if (!kt_count(*finalizers))
		kt_unset_path(&json, "metadata.finalizers");
	api_update(cluster, &actor, object->kind, json, &status);
	bool done = status.code == 0;
	api_status_clear(&status);
	return done;
}

static void observe_pod(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_event *event)
{
	const struct store_object *pod = event->object;
	const struct view_pod *view = view_pod(pod);
	const struct kt_json *volume;
	bool over =
	        event->change == STORE_DELETED || view->phase == VIEW_SUCCEEDED || view->phase == VIEW_FAILED;
	if (!over)
		return;
	KT_JSON_EACH (volume, kt_get(view->spec, "volumes")) {
		char own[VIEW_CLAIM_NAME];
		const char *claim = view_volume_claim(pod, volume, own);
		if (claim)
			controller_add(cluster, queue, pod->ns, claim, pod);
	}
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->pod)
		observe_pod(cluster, queue, event);
	else if ((object->kind == queue->kinds->pvc || object->kind == queue->kinds->pv) &&
	         event->change != STORE_DELETED && view_is_deleting(object->json))
		controller_add(cluster, queue, object->ns, object->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->pvc);
	controller_add_all(cluster, queue, queue->kinds->pv);
}

const struct controller controller_volume_protection = {
        .name = "persistentvolumeclaim-protection",
        .component = "pvc-protection-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* Claims and volumes find each other (kubernetes pkg/controller/volume/persistentvolume/pv_controller.go).
 * Keys: "ns/claim" and "volume". */
#include "cluster/controllers/volume.h"
#include <string.h>

struct volume_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
};

static const struct store_object *volume_named(struct volume_sync *sync, const char *name)
{
	return store_get(cluster_store(sync->cluster), sync->queue->kinds->pv, "", name);
}

/* --- phases --- */
static const struct store_object *set_volume_phase(struct volume_sync *sync,
                                                   const struct store_object *volume, const char *phase)
{
	struct kt_json *status = kt_json_ref(kt_get(volume->json, "status"));
	kt_set(&status, "phase", kt_json_str(phase));
	return controller_write_status(sync->cluster, &sync->actor, volume, status);
}

static void set_claim_phase(struct volume_sync *sync, const struct store_object *claim, const char *phase,
                            const struct store_object *volume)
{
	struct kt_json *status = kt_json_ref(kt_get(claim->json, "status"));
	kt_set(&status, "phase", kt_json_str(phase));
	kt_set(&status, "accessModes",
	       volume ? kt_json_ref(kt_path(volume->json, "spec.accessModes")) : NULL);
	kt_set(&status, "capacity", volume ? kt_json_ref(kt_path(volume->json, "spec.capacity")) : NULL);
	controller_write_status(sync->cluster, &sync->actor, claim, status);
}

static void tell(struct volume_sync *sync, const struct store_object *claim, const char *type,
                 const char *reason, const char *text)
{
	api_event(sync->cluster, &sync->actor, claim, type, reason, NULL, NULL, "%s", text);
}

/* --- binding --- */
static const struct store_object *bind_volume(struct volume_sync *sync, const struct store_object *volume,
                                              const struct store_object *claim)
{
	const struct kt_json *ref = kt_path(volume->json, "spec.claimRef");
	if (kt_streq(kt_get_str(ref, "uid"), claim->uid))
		return volume;
	struct kt_json *json = kt_json_ref(volume->json);
	char *version = kt_strf("%llu", (unsigned long long)claim->version);
	kt_set_path(
	        &json, "spec.claimRef",
	        kt_jsonf(
	                "{kind: 'PersistentVolumeClaim', namespace: %s, name: %s, uid: %s, apiVersion: 'v1', "
	                "resourceVersion: %s}",
	                claim->ns, claim->name, claim->uid, version));
	kt_free(version);
	if (!ref)
		controller_set_annotation(&json, VOLUME_BOUND_BY, "yes");
	return controller_write(sync->cluster, &sync->actor, volume, json);
}

static const struct store_object *bind_claim(struct volume_sync *sync, const struct store_object *claim,
                                             const struct store_object *volume)
{
	struct kt_json *json = kt_json_ref(claim->json);
	bool named = kt_streq(kt_path_str(json, "spec.volumeName"), volume->name);
	if (named && controller_annotation(json, VOLUME_BIND_DONE)) {
		kt_json_free(json);
		return claim;
	}
	if (!named) {
		kt_set_path(&json, "spec.volumeName", kt_json_str(volume->name));
		controller_set_annotation(&json, VOLUME_BOUND_BY, "yes");
	}
	controller_set_annotation(&json, VOLUME_BIND_DONE, "yes");
	return controller_write(sync->cluster, &sync->actor, claim, json);
}

static bool bind(struct volume_sync *sync, const struct store_object *volume,
                 const struct store_object *claim)
{
	bool done = false;
	volume = bind_volume(sync, volume, claim);
	volume = volume ? set_volume_phase(sync, volume, "Bound") : NULL;
	if (!volume)
		return false;
	volume = store_ref(volume);
	claim = bind_claim(sync, claim, volume);
	if (claim) {
		set_claim_phase(sync, claim, "Bound", volume);
		done = true;
	}
	store_unref(volume);
	return done;
}

/* --- claims --- */
static bool waits_for_consumer(struct volume_sync *sync, const struct store_object *claim)
{
	const struct store_object *class =
	        store_get(cluster_store(sync->cluster), sync->queue->kinds->storage_class, "",
	                  volume_class(claim->json));
	return class && kt_streq(kt_get_str(class->json, "volumeBindingMode"), "WaitForFirstConsumer") &&
	       !controller_annotation(claim->json, VOLUME_SELECTED_NODE);
}

static const struct store_object *waiting_pod(struct volume_sync *sync, const struct store_object *claim)
{
	const struct store_object *pod;
	const struct kt_json *volume;
	STORE_EACH (pod, cluster_store(sync->cluster), sync->queue->kinds->pod, claim->ns) {
		if (view_pod(pod)->node)
			continue;
		KT_JSON_EACH (volume, kt_get(view_pod(pod)->spec, "volumes")) {
			char own[VIEW_CLAIM_NAME];
			if (kt_streq(view_volume_claim(pod, volume, own), claim->name))
				return pod;
		}
	}
	return NULL;
}

static void tell_waiting(struct volume_sync *sync, const struct store_object *claim)
{
	const struct store_object *pod = waiting_pod(sync, claim);
	if (!pod) {
		tell(sync, claim, "Normal", "WaitForFirstConsumer",
		     "waiting for first consumer to be created before binding");
		return;
	}
	char *text = kt_strf("waiting for pod %s to be scheduled", pod->name);
	tell(sync, claim, "Normal", "WaitForPodScheduled", text);
	kt_free(text);
}

/* A claim that names no class at all gets the default one as soon as there is one. */
static const struct store_object *default_class(struct volume_sync *sync)
{
	const struct store_object *class, *newest = NULL;
	STORE_EACH (class, cluster_store(sync->cluster), sync->queue->kinds->storage_class, NULL) {
		if (kt_streq(
		            controller_annotation(class->json, "storageclass.kubernetes.io/is-default-class"),
		            "true") &&
		    (!newest || controller_by_creation(newest, class) < 0))
			newest = class;
	}
	return newest;
}

static bool assign_class(struct volume_sync *sync, const struct store_object *claim)
{
	const char *volume = kt_path_str(claim->json, "spec.volumeName");
	const struct store_object *class;
	if (kt_path(claim->json, "spec.storageClassName") || (volume && *volume) ||
	    *volume_class(claim->json) || !(class = default_class(sync)))
		return false;
	struct kt_json *json = kt_json_ref(claim->json);
	kt_set_path(&json, "spec.storageClassName", kt_json_str(class->name));
	return controller_write(sync->cluster, &sync->actor, claim, json) != NULL;
}

static bool sync_unbound(struct volume_sync *sync, const struct store_object *claim)
{
	const char *named = kt_path_str(claim->json, "spec.volumeName"), *class = volume_class(claim->json);
	bool waits = waits_for_consumer(sync, claim);
	if (named && *named) {
		const struct store_object *volume = volume_named(sync, named);
		bool free_or_ours = volume && (!kt_path(volume->json, "spec.claimRef") ||
		                               volume_points_at(volume, claim));
		const char *why = free_or_ours ? volume_unfit(volume, claim) : NULL;
		if (free_or_ours && !why)
			return bind(sync, volume, claim);
		if (why) {
			char *text = kt_strf("Cannot bind to requested volume \"%s\": %s", named, why);
			tell(sync, claim, "Warning", "VolumeMismatch", text);
			kt_free(text);
		} else if (volume) {
			char *text = kt_strf("volume \"%s\" already bound to a different claim.", named);
			tell(sync, claim, "Warning", "FailedBinding", text);
			kt_free(text);
		}
		set_claim_phase(sync, claim, "Pending", NULL);
		return true;
	}
	const struct store_object *volume = volume_best(sync->cluster, sync->queue, claim, waits);
	if (volume)
		return bind(sync, volume, claim);
	if (waits)
		tell_waiting(sync, claim);
	else if (*class)
		volume_provision(sync->cluster, sync->queue, claim, class);
	else
		tell(sync, claim, "Normal", "FailedBinding",
		     "no persistent volumes available for this claim and no storage class is set");
	const struct store_object *now =
	        store_get(cluster_store(sync->cluster), claim->kind, claim->ns, claim->name);
	if (now)
		set_claim_phase(sync, now, "Pending", NULL);
	return true;
}

static bool sync_bound(struct volume_sync *sync, const struct store_object *claim)
{
	const char *named = kt_path_str(claim->json, "spec.volumeName");
	const struct store_object *volume = named ? volume_named(sync, named) : NULL;
	if (volume && (!kt_path(volume->json, "spec.claimRef") || volume_points_at(volume, claim)))
		return bind(sync, volume, claim);
	bool lost = kt_streq(kt_path_str(claim->json, "status.phase"), "Lost");
	if (!lost && !volume)
		tell(sync, claim, "Warning", "ClaimLost",
		     "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
	else if (!lost)
		tell(sync, claim, "Warning", "ClaimMisbound",
		     "Two claims are bound to the same volume, this one is bound incorrectly");
	set_claim_phase(sync, claim, "Lost", NULL);
	return true;
}

/* --- volumes --- */
static bool sync_volume(struct volume_sync *sync, const struct store_object *volume)
{
	const struct kt_json *ref = kt_path(volume->json, "spec.claimRef");
	const char *uid = kt_get_str(ref, "uid"), *phase = kt_path_str(volume->json, "status.phase");
	if (!ref || !uid || !*uid) {
		bool done = set_volume_phase(sync, volume, "Available") != NULL;
		if (ref)
			controller_add(sync->cluster, sync->queue, kt_str_or(kt_get(ref, "namespace"), ""),
			               kt_str_or(kt_get(ref, "name"), ""), volume);
		return done;
	}
	const struct store_object *claim =
	        store_get(cluster_store(sync->cluster), sync->queue->kinds->pvc,
	                  kt_str_or(kt_get(ref, "namespace"), ""), kt_str_or(kt_get(ref, "name"), ""));
	if (claim && !kt_streq(claim->uid, uid))
		claim = NULL;
	if (!claim) {
		if (kt_streq(phase, "Failed"))
			return true;
		const struct store_object *now = set_volume_phase(sync, volume, "Released");
		if (now && kt_streq(kt_path_str(now->json, "spec.persistentVolumeReclaimPolicy"), "Delete") &&
		    !view_is_deleting(now->json))
			volume_remove(sync->cluster, sync->queue, now);
		return now != NULL;
	}
	const char *named = kt_path_str(claim->json, "spec.volumeName");
	if (kt_streq(named, volume->name))
		return set_volume_phase(sync, volume, "Bound") != NULL;
	if (!named || !*named)
		controller_add(sync->cluster, sync->queue, claim->ns, claim->name, volume);
	return true;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	bool is_claim = strchr(key, '/') != NULL, done;
	const struct store_object *object =
	        controller_get(cluster, is_claim ? queue->kinds->pvc : queue->kinds->pv, key);
	if (!object)
		return true;
	struct volume_sync sync = {cluster, queue, controller_actor(queue, because ? because : object)};
	object = store_ref(object);
	if (!is_claim)
		done = sync_volume(&sync, object);
	else if (controller_annotation(object->json, VOLUME_BIND_DONE))
		done = sync_bound(&sync, object);
	else if (assign_class(&sync, object))
		done = true; /* its change queued it again */
	else
		done = sync_unbound(&sync, object);
	store_unref(object);
	return done;
}

/* A volume that came or became free may be what claims of its class wait for. */
static void wake_claims(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *because, const char *class)
{
	const struct store_object *claim;
	STORE_EACH (claim, cluster_store(cluster), queue->kinds->pvc, NULL) {
		if (!controller_annotation(claim->json, VOLUME_BIND_DONE) &&
		    kt_streq(volume_class(claim->json), class))
			controller_add(cluster, queue, claim->ns, claim->name, because);
	}
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->pvc) {
		const char *volume = kt_path_str(object->json, "spec.volumeName");
		controller_add(cluster, queue, object->ns, object->name, object);
		if (event->change == STORE_DELETED && volume)
			controller_add(cluster, queue, "", volume, object);
	} else if (object->kind == queue->kinds->pv) {
		const struct kt_json *ref = kt_path(object->json, "spec.claimRef");
		if (event->change == STORE_DELETED && ref)
			controller_add(cluster, queue, kt_str_or(kt_get(ref, "namespace"), ""),
			               kt_str_or(kt_get(ref, "name"), ""), object);
		else if (event->change != STORE_DELETED)
			controller_add(cluster, queue, "", object->name, object);
		if (!ref && kt_streq(kt_path_str(object->json, "status.phase"), "Available"))
			wake_claims(cluster, queue, object, volume_class(object->json));
	} else if (object->kind == queue->kinds->storage_class && event->change != STORE_DELETED) {
		wake_claims(cluster, queue, object, object->name);
		wake_claims(cluster, queue, object, "");
	}
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	volume_make_class(cluster, queue);
	controller_add_all(cluster, queue, queue->kinds->pvc);
	controller_add_all(cluster, queue, queue->kinds->pv);
}

const struct controller controller_volume = {
        .name = "persistentvolume-binder",
        .component = "persistentvolume-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

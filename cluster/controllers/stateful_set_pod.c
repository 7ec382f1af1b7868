/* SPDX-License-Identifier: MIT */
/* Pods with a name of their own, and their claims (kubernetes
 * pkg/controller/statefulset/stateful_set_utils.go, stateful_pod_control.go). */
#include "cluster/controllers/stateful_set.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t stateful_ordinal(const struct stateful_sync *sync, const char *pod_name)
{
	size_t len = strlen(sync->set->name);
	if (strncmp(pod_name, sync->set->name, len) != 0 || pod_name[len] != '-')
		return -1;
	const char *digits = pod_name + len + 1;
	if (!*digits || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 9)
		return -1;
	return strtoll(digits, NULL, 10);
}

static char *claim_name(const struct stateful_sync *sync, const struct kt_json *claim, int64_t ordinal)
{
	return kt_strf("%s-%s-%lld", kt_str_or(kt_path(claim, "metadata.name"), ""), sync->set->name,
	               (long long)ordinal);
}

static const struct kt_json *claims_of(const struct stateful_sync *sync)
{
	return kt_path(sync->set->json, "spec.volumeClaimTemplates");
}

static bool retention(const struct stateful_sync *sync, const char *when)
{
	const struct kt_json *policy = kt_path(sync->set->json, "spec.persistentVolumeClaimRetentionPolicy");
	return kt_streq(kt_get_str(policy, when), "Delete");
}

static bool create_claim(struct stateful_sync *sync, const struct kt_json *template, int64_t ordinal,
                         const char *pod)
{
	char *name = claim_name(sync, template, ordinal);
	const struct schema_kind *kind = sync->queue->kinds->pvc;
	bool done = true;
	if (!store_get(cluster_store(sync->cluster), kind, sync->set->ns, name)) {
		struct api_status status = {0};
		struct kt_json *labels = kt_json_ref(kt_path(template, "metadata.labels"));
		const struct kt_json *match = kt_path(sync->set->json, "spec.selector.matchLabels");
		for (size_t i = 0; i < kt_count(match); i++)
			kt_set(&labels, kt_key(match, i), kt_json_ref(kt_at(match, i)));
		struct kt_json *claim =
		        kt_jsonf("{apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: {name: %s, "
		                 "namespace: %s, "
		                 "labels: %j, annotations: %J}, spec: %J}",
		                 name, sync->set->ns, labels, kt_path(template, "metadata.annotations"),
		                 kt_get(template, "spec"));
		done = api_create(sync->cluster, &sync->actor, kind, claim, &status) != NULL;
		if (done)
			api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulCreate", NULL,
			          NULL, "create Claim %s Pod %s in StatefulSet %s success", name, pod,
			          sync->set->name);
		else
			api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedCreate", NULL,
			          NULL, "create Claim %s for Pod %s in StatefulSet %s failed error: %s", name,
			          pod, sync->set->name, status.message ? status.message : "");
		api_status_clear(&status);
	}
	kt_free(name);
	return done;
}

/* Claims stand before the template's own volumes, and replace those of the same name. */
static struct kt_json *volumes_of(const struct stateful_sync *sync, const struct kt_json *spec,
                                  int64_t ordinal)
{
	struct kt_json *volumes = kt_json_array();
	const struct kt_json *claim, *volume;
	KT_JSON_EACH (claim, claims_of(sync)) {
		char *name = claim_name(sync, claim, ordinal);
		kt_push(&volumes, kt_jsonf("{name: %s, persistentVolumeClaim: {claimName: %s}}",
		                           kt_path_str(claim, "metadata.name"), name));
		kt_free(name);
	}
	KT_JSON_EACH (volume, kt_get(spec, "volumes")) {
		if (kt_find(volumes, "name", kt_get_str(volume, "name")) < 0)
			kt_push(&volumes, kt_json_ref(volume));
	}
	return volumes;
}

static struct kt_json *pod_of(const struct stateful_sync *sync, int64_t ordinal, const char *name,
                              const struct store_object *revision)
{
	const struct kt_json *template = kt_path(revision->json, "data.spec.template");
	char index[24];
	char *prefix = kt_strf("%s-", sync->set->name);
	struct kt_json *pod = controller_pod_from_template(sync->set, template, name, prefix);
	kt_free(prefix);
	snprintf(index, sizeof(index), "%lld", (long long)ordinal);
	controller_set_label(&pod, "apps.kubernetes.io/pod-index", index);
	controller_set_label(&pod, "controller-revision-hash", revision->name);
	controller_set_label(&pod, "statefulset.kubernetes.io/pod-name", name);
	kt_set_path(&pod, "spec.hostname", kt_json_str(name));
	const char *service = kt_path_str(sync->set->json, "spec.serviceName");
	if (service && *service)
		kt_set_path(&pod, "spec.subdomain", kt_json_str(service));
	if (kt_count(claims_of(sync)))
		kt_set_path(&pod, "spec.volumes", volumes_of(sync, kt_get(template, "spec"), ordinal));
	return pod;
}

/* whenDeleted: Delete: the claims of a pod that is to stay belong to the set; to nobody by default. What a
 * change of the policy left is put right, as kubernetes pkg/controller/statefulset/stateful_pod_control.go
 * does. */
static bool keep_claims(struct stateful_sync *sync, int64_t ordinal, const char *pod_uid)
{
	const struct kt_json *claim;
	bool belongs = retention(sync, "whenDeleted"), changed = false;
	KT_JSON_EACH (claim, claims_of(sync)) {
		char *name = claim_name(sync, claim, ordinal);
		const struct store_object *object =
		        store_get(cluster_store(sync->cluster), sync->queue->kinds->pvc, sync->set->ns, name);
		const struct kt_json *refs =
		        object ? kt_path(object->json, "metadata.ownerReferences") : NULL;
		kt_free(name);
		bool of_set = kt_find(refs, "uid", sync->set->uid) >= 0,
		     of_pod = pod_uid && kt_find(refs, "uid", pod_uid) >= 0;
		if (!object || (of_set == belongs && !of_pod))
			continue;
		struct kt_json *json = kt_json_ref(object->json), *list = kt_json_array();
		const struct kt_json *ref;
		KT_JSON_EACH (ref, refs) {
			const char *uid = kt_get_str(ref, "uid");
			if (!kt_streq(uid, sync->set->uid) && !kt_streq(uid, pod_uid))
				kt_push(&list, kt_json_ref(ref));
		}
		if (belongs)
			kt_push(&list, controller_owner_ref(sync->set));
		kt_set_path(&json, "metadata.ownerReferences", list);
		controller_write(sync->cluster, &sync->actor, object, json);
		changed = true;
	}
	return changed;
}

bool stateful_create(struct stateful_sync *sync, int64_t ordinal, const struct store_object *revision)
{
	char *name = kt_strf("%s-%lld", sync->set->name, (long long)ordinal);
	const struct kt_json *claim;
	bool done = true;
	KT_JSON_EACH (claim, claims_of(sync))
		done = done && create_claim(sync, claim, ordinal, name);
	if (done) {
		struct api_status status = {0};
		done = api_create(sync->cluster, &sync->actor, sync->queue->kinds->pod,
		                  pod_of(sync, ordinal, name, revision), &status) != NULL;
		if (!kt_streq(status.reason, "AlreadyExists"))
			(void)keep_claims(sync, ordinal, NULL); /* only now: the scheduler looks again */
		if (done)
			api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulCreate", NULL,
			          NULL, "create Pod %s in StatefulSet %s successful", name, sync->set->name);
		else if (!kt_streq(status.reason,
		                   "AlreadyExists")) /* of a name that is taken nothing is told */
			api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedCreate", NULL,
			          NULL, "create Pod %s in StatefulSet %s failed error: %s", name,
			          sync->set->name, status.message ? status.message : "");
		api_status_clear(&status);
	}
	sync->failed |= !done;
	kt_free(name);
	return done;
}

/* whenScaled: Delete: the claims of a pod that will not come back belong to it, and go with it. */
static void hand_over_claims(struct stateful_sync *sync, const struct store_object *pod)
{
	const struct kt_json *claim;
	int64_t ordinal = stateful_ordinal(sync, pod->name);
	KT_JSON_EACH (claim, claims_of(sync)) {
		char *name = claim_name(sync, claim, ordinal);
		const struct store_object *object =
		        store_get(cluster_store(sync->cluster), sync->queue->kinds->pvc, sync->set->ns, name);
		kt_free(name);
		if (!object ||
		    kt_find(kt_path(object->json, "metadata.ownerReferences"), "uid", pod->uid) >= 0)
			continue;
		struct kt_json *json = kt_json_ref(object->json);
		struct kt_json *refs = kt_json_array();
		kt_push(&refs, controller_owner_ref(pod));
		kt_set_path(&json, "metadata.ownerReferences", refs);
		controller_write(sync->cluster, &sync->actor, object, json);
	}
}

void stateful_keep_claims(struct stateful_sync *sync, const struct store_object *pod)
{
	if (keep_claims(sync, stateful_ordinal(sync, pod->name), pod->uid))
		api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulUpdate", NULL, NULL,
		          "update Pod %s in StatefulSet %s successful", pod->name, sync->set->name);
}

bool stateful_delete(struct stateful_sync *sync, const struct store_object *pod, bool condemned)
{
	struct api_status status = {0};
	if (condemned && retention(sync, "whenScaled"))
		hand_over_claims(sync, pod);
	bool done = controller_delete(sync->cluster, &sync->actor, pod, NULL, &status);
	if (done)
		api_event(sync->cluster, &sync->actor, sync->set, "Normal", "SuccessfulDelete", NULL, NULL,
		          "delete Pod %s in StatefulSet %s successful", pod->name, sync->set->name);
	else if (status.code != 404)
		api_event(sync->cluster, &sync->actor, sync->set, "Warning", "FailedDelete", NULL, NULL,
		          "delete Pod %s in StatefulSet %s failed error: %s", pod->name, sync->set->name,
		          status.message ? status.message : "");
	sync->failed |= !done && status.code != 404;
	api_status_clear(&status);
	return done;
}

/* SPDX-License-Identifier: MIT */
/* Which volume fits a claim (kubernetes component-helpers/storage/volume/pv_helpers.go,
 * pkg/controller/volume/persistentvolume/index.go). */
#include "cluster/controllers/volume.h"
#include <string.h>

const char *volume_class(const struct kt_json *object)
{
	const char *name = controller_annotation(object, "volume.beta.kubernetes.io/storage-class");
	return name ? name : kt_str_or(kt_path(object, "spec.storageClassName"), "");
}

bool volume_points_at(const struct store_object *volume, const struct store_object *claim)
{
	const struct kt_json *ref = kt_path(volume->json, "spec.claimRef");
	const char *uid = kt_get_str(ref, "uid");
	return ref && kt_streq(kt_get_str(ref, "name"), claim->name) &&
	       kt_streq(kt_get_str(ref, "namespace"), claim->ns) &&
	       (!uid || !*uid || kt_streq(uid, claim->uid));
}

static int64_t bytes(const struct kt_json *quantity)
{
	struct kt_quantity q;
	return kt_str(quantity) && kt_quantity_parse(kt_str(quantity), &q) ? q.value : 0;
}

static bool has_modes(const struct kt_json *have, const struct kt_json *want)
{
	const struct kt_json *mode, *other;
	KT_JSON_EACH (mode, want) {
		bool found = false;
		KT_JSON_EACH (other, have)
			found |= kt_equal(mode, other);
		if (!found)
			return false;
	}
	return true;
}

const char *volume_unfit(const struct store_object *volume, const struct store_object *claim)
{
	const struct kt_json *pv = kt_get(volume->json, "spec"), *pvc = kt_get(claim->json, "spec");
	const char *pv_mode = kt_str_or(kt_get(pv, "volumeMode"), "Filesystem");
	if (bytes(kt_path(pv, "capacity.storage")) < bytes(kt_path(pvc, "resources.requests.storage")))
		return "requested PV is too small";
	if (!kt_streq(volume_class(volume->json), volume_class(claim->json)))
		return "storageClassName does not match";
	if (!kt_streq(pv_mode, kt_str_or(kt_get(pvc, "volumeMode"), "Filesystem")))
		return "incompatible volumeMode";
	if (!has_modes(kt_get(pv, "accessModes"), kt_get(pvc, "accessModes")))
		return "incompatible accessMode";
	return NULL;
}

/* Fewer modes than needed is unfit; more than needed is waste; then the smallest. */
static bool better(const struct store_object *a, const struct store_object *b)
{
	size_t x = kt_count(kt_path(a->json, "spec.accessModes")),
	       y = kt_count(kt_path(b->json, "spec.accessModes"));
	if (x != y)
		return x < y;
	int64_t p = bytes(kt_path(a->json, "spec.capacity.storage")),
	        q = bytes(kt_path(b->json, "spec.capacity.storage"));
	return p != q ? p < q : strcmp(a->name, b->name) < 0;
}

const struct store_object *volume_best(struct cluster *cluster, struct controller_queue *queue,
                                       const struct store_object *claim, bool only_prebound)
{
	const struct kt_json *selector = kt_path(claim->json, "spec.selector");
	const struct store_object *volume, *best = NULL;
	STORE_EACH (volume, cluster_store(cluster), queue->kinds->pv, NULL) {
		bool prebound = volume_points_at(volume, claim);
		if (view_is_deleting(volume->json) || volume_unfit(volume, claim))
			continue;
		if (prebound)
			return volume;
		if (only_prebound || kt_path(volume->json, "spec.claimRef") ||
		    !kt_streq(kt_path_str(volume->json, "status.phase"), "Available") ||
		    (selector && !view_selector_matches(selector, view_labels(volume->json))))
			continue;
		if (!best || better(volume, best))
			best = volume;
	}
	return best;
}

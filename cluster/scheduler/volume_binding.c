/* SPDX-License-Identifier: MIT */
/* VolumeBinding: bound volumes must be usable on the node, unbound ones findable or makeable there; the
 * choice of a node is told to the PV controller, and the pod waits for it. Source: kubernetes
 * pkg/scheduler/framework/plugins/volumebinding. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool is_bound(const struct sched_claim *claim)
{
	return claim->fully;
}

static bool prefilter(struct sched_cycle *cycle)
{
	const struct sched_pod *pod = cycle->pod;

	if (pod->missing_own) {
		cycle->reject = kt_strdup(pod->missing_own);
		return false;
	}
	for (size_t i = 0; i < pod->claim_count; i++) {
		const struct sched_claim *claim = &pod->claims[i];
		const char *volume = claim->claim ? kt_path_str(claim->claim->json, "spec.volumeName") : NULL;

		if (!claim->claim)
			continue; /* VolumeRestrictions spoke of it */
		if (kt_path(claim->claim->json, "metadata.deletionTimestamp"))
			cycle->reject =
			        kt_strf("persistentvolumeclaim \"%s\" is being deleted", claim->claim->name);
		else if (kt_streq(kt_path_str(claim->claim->json, "status.phase"), "Lost"))
			cycle->reject = kt_strf(
			        "persistentvolumeclaim \"%s\" bound to non-existent persistentvolume \"%s\"",
			        claim->claim->name, volume ? volume : "");
		else if (!is_bound(claim) && !claim->waits)
			cycle->reject = kt_strdup("pod has unbound immediate PersistentVolumeClaims");
		if (cycle->reject)
			return false;
	}
	return pod->claim_count > 0;
}

static bool disk_on_node(const struct store_object *disk, const struct sched_node *node)
{
	const struct kt_json *required = kt_path(disk->json, "spec.nodeAffinity.required");

	return !required || scheduler_selects_node(required, node->view->labels, node->name);
}

static int64_t size_of(const char *text)
{
	struct kt_quantity quantity;

	return text && kt_quantity_parse(text, &quantity) ? quantity.value : 0;
}

static bool modes_in(const struct kt_json *wanted, const struct kt_json *have)
{
	const struct kt_json *one, *other;

	KT_JSON_EACH (one, wanted) {
		bool found = false;

		KT_JSON_EACH (other, have)
			found |= kt_streq(kt_str(one), kt_str(other));
		if (!found)
			return false;
	}
	return true;
}

/* The smallest Available PV that fits the claim and the node. */
static const struct store_object *find_disk(struct scheduler *scheduler, const struct store_object *claim,
                                            const struct sched_node *node)
{
	const struct store_object *disk, *best = NULL;
	const struct kt_json *spec = kt_get(claim->json, "spec"), *selector = kt_get(spec, "selector");
	int64_t asked = size_of(kt_path_str(spec, "resources.requests.storage")), best_size = 0;

	STORE_EACH (disk, cluster_store(scheduler->cluster), scheduler->disks, NULL) {
		const struct kt_json *its = kt_get(disk->json, "spec"), *ref = kt_get(its, "claimRef");
		int64_t size = size_of(kt_path_str(its, "capacity.storage"));
		const char *phase = kt_path_str(disk->json, "status.phase");

		if (ref) {
			if (kt_streq(kt_get_str(ref, "name"), claim->name) &&
			    kt_streq(kt_get_str(ref, "namespace"), claim->ns) && disk_on_node(disk, node))
				return disk;
			continue;
		}
		if ((phase && !kt_streq(phase, "Available")) || size < asked || (best && size >= best_size))
			continue;
		if (!kt_streq(kt_str_or(kt_get(its, "storageClassName"), ""),
		              kt_str_or(kt_get(spec, "storageClassName"), "")) ||
		    !modes_in(kt_get(spec, "accessModes"), kt_get(its, "accessModes")) ||
		    (selector && !view_selector_matches(selector, view_labels(disk->json))) ||
		    !disk_on_node(disk, node))
			continue;
		best = disk;
		best_size = size;
	}
	return best;
}

static bool can_make(const struct store_object *class, const struct sched_node *node)
{
	const char *provisioner = kt_get_str(class->json, "provisioner");
	const struct kt_json *terms = kt_get(class->json, "allowedTopologies"), *term, *one, *value;

	if (!provisioner || strcmp(provisioner, "kubernetes.io/no-provisioner") == 0)
		return false;
	if (!kt_count(terms))
		return true;
	KT_JSON_EACH (term, terms) {
		bool all = true;

		KT_JSON_EACH (one, kt_get(term, "matchLabelExpressions")) {
			const char *label = kt_get_str(node->view->labels, kt_str_or(kt_get(one, "key"), ""));
			bool found = false;

			KT_JSON_EACH (value, kt_get(one, "values"))
				found |= label && kt_streq(kt_str(value), label);
			all &= found;
		}
		if (all)
			return true;
	}
	return false;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	const struct sched_pod *pod = cycle->pod;

	for (size_t i = 0; i < pod->claim_count; i++) {
		const struct sched_claim *claim = &pod->claims[i];

		if (claim->bound && !disk_on_node(claim->bound, node)) {
			sched_no(verdict, "node(s) didn't match PersistentVolume's node affinity");
			return SCHED_UNRESOLVABLE;
		}
		if (is_bound(claim) && !claim->bound) {
			sched_no(verdict,
			         "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)");
			return SCHED_UNRESOLVABLE;
		}
		if (is_bound(claim) || find_disk(cycle->scheduler, claim->claim, node) ||
		    can_make(claim->storage_class, node))
			continue;
		sched_no(verdict, "node(s) didn't find available persistent volumes to bind");
		return SCHED_UNRESOLVABLE;
	}
	return SCHED_OK;
}

/* A claim helps those that use it; anything else may help anybody. */
static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	const struct kt_json *volume;

	if (!change->after || change->after->kind != scheduler->claims)
		return true;
	if (strcmp(change->after->ns, pod->ns) != 0)
		return false;
	KT_JSON_EACH (volume, kt_get(view_pod(pod)->spec, "volumes")) {
		char name[VIEW_CLAIM_NAME];

		if (kt_streq(view_volume_claim(pod, volume, name), change->after->name))
			return true;
	}
	return false;
}

const struct sched_plugin sched_volume_binding = {.name = "VolumeBinding",
                                                  .events = SCHED_NODE_ADDED | SCHED_NODE_LABELS |
                                                            SCHED_VOLUMES,
                                                  .prefilter = prefilter,
                                                  .filter = filter,
                                                  .helps = helps};

/* --- after the choice --- */

static void claim_disk(struct scheduler *scheduler, const struct store_object *disk,
                       const struct store_object *claim)
{
	struct api_actor actor = sched_actor(claim);
	struct kt_json *json = kt_json_ref(disk->json);

	kt_set(kt_edit(&json, "spec"), "claimRef",
	       kt_jsonf("{kind: 'PersistentVolumeClaim', namespace: %s, name: %s, uid: %s, apiVersion: 'v1', "
	                "resourceVersion: %j}",
	                claim->ns, claim->name, claim->uid,
	                kt_json_strf("%llu", (unsigned long long)claim->version)));
	kt_set(kt_edit(kt_edit(&json, "metadata"), "annotations"), "pv.kubernetes.io/bound-by-controller",
	       kt_json_str("yes"));
	api_update(scheduler->cluster, &actor, scheduler->disks, json, NULL);
}

static void select_node(struct scheduler *scheduler, const struct store_object *claim, const char *node)
{
	struct api_actor actor = sched_actor(claim);
	struct kt_json *json = kt_json_ref(claim->json);

	kt_set(kt_edit(kt_edit(&json, "metadata"), "annotations"), "volume.kubernetes.io/selected-node",
	       kt_json_str(node));
	api_update(scheduler->cluster, &actor, scheduler->claims, json, NULL);
}

bool sched_volumes_reserve(struct scheduler *scheduler, struct sched_pod *pod, const struct sched_node *node)
{
	bool ready = true;

	for (size_t i = 0; i < pod->claim_count; i++) {
		const struct store_object *claim = pod->claims[i].claim, *disk;

		if (!claim || is_bound(&pod->claims[i]))
			continue;
		ready = false;
		disk = find_disk(scheduler, claim, node);
		store_ref(claim);
		if (disk)
			claim_disk(scheduler, disk, claim);
		else
			select_node(scheduler, claim, node->name);
		store_unref(claim);
	}
	return ready;
}

bool sched_volumes_ready(struct scheduler *scheduler, const struct store_object *pod)
{
	struct store *store = cluster_store(scheduler->cluster);
	const struct kt_json *volume;

	KT_JSON_EACH (volume, kt_path(pod->json, "spec.volumes")) {
		char own[VIEW_CLAIM_NAME];
		const char *name = view_volume_claim(pod, volume, own);
		const struct store_object *claim;

		if (!name)
			continue;
		claim = store_get(store, scheduler->claims, pod->ns, name);
		if (!claim || !kt_streq(kt_path_str(claim->json, "status.phase"), "Bound"))
			return false;
	}
	return true;
}

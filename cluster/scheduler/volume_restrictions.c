/* SPDX-License-Identifier: MIT */
/* VolumeRestrictions: claims must be there; one that is ReadWriteOncePod has one pod. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static bool once(const struct sched_claim *claim)
{
	const struct kt_json *mode;

	KT_JSON_EACH (mode, claim->claim ? kt_path(claim->claim->json, "spec.accessModes") : NULL) {
		if (kt_streq(kt_str(mode), "ReadWriteOncePod"))
			return true;
	}
	return false;
}

static bool prefilter(struct sched_cycle *cycle)
{
	const struct sched_pod *pod = cycle->pod;
	bool any = false;

	if (pod->missing_claim) {
		cycle->reject = kt_strdup(pod->missing_claim);
		return false;
	}
	for (size_t i = 0; i < pod->claim_count; i++)
		any |= once(&pod->claims[i]);
	return any;
}

static bool uses(const struct store_object *pod, const char *claim)
{
	const struct kt_json *volume;

	KT_JSON_EACH (volume, kt_path(pod->json, "spec.volumes")) {
		char own[VIEW_CLAIM_NAME];

		if (kt_streq(view_volume_claim(pod, volume, own), claim))
			return true;
	}
	return false;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	struct store *store = cluster_store(cycle->scheduler->cluster);
	const struct sched_pod *pod = cycle->pod;

	for (const struct sched_assigned *other = node->pods; other; other = other->next) {
		const struct store_object *object = other->away ? NULL : store_get_uid(store, other->uid);

		if (!object || strcmp(object->ns, pod->object->ns) != 0)
			continue;
		for (size_t i = 0; i < pod->claim_count; i++)
			if (once(&pod->claims[i]) && uses(object, pod->claims[i].claim->name)) {
				sched_no(verdict,
				         "node has pod using PersistentVolumeClaim with the same name and "
				         "ReadWriteOncePod access mode");
				return SCHED_UNSCHEDULABLE;
			}
	}
	return SCHED_OK;
}

const struct sched_plugin sched_volume_restrictions = {.name = "VolumeRestrictions",
                                                       .events = SCHED_VOLUMES | SCHED_POD_DELETED |
                                                                 SCHED_NODE_ADDED,
                                                       .prefilter = prefilter,
                                                       .filter = filter};

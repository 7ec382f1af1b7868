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

/* How many of the pod's claims that are for one pod `other` has. */
static size_t shared(const struct sched_pod *pod, const struct store_object *other)
{
	const struct kt_json *volume;
	size_t count = 0;

	KT_JSON_EACH (volume, kt_path(other->json, "spec.volumes")) {
		char own[VIEW_CLAIM_NAME];
		const char *name = view_volume_claim(other, volume, own);

		for (size_t i = 0; name && i < pod->claim_count; i++)
			count += once(&pod->claims[i]) && kt_streq(pod->claims[i].claim->name, name);
	}
	return count;
}

/* One pod may have them in the whole cluster, not on each node. */
static bool prefilter(struct sched_cycle *cycle)
{
	struct scheduler *scheduler = cycle->scheduler;
	struct sched_pod *pod = cycle->pod;
	const struct store_object *other;
	bool any = false;

	if (pod->missing_claim) {
		cycle->reject = kt_strdup(pod->missing_claim);
		return false;
	}
	for (size_t i = 0; i < pod->claim_count; i++)
		any |= once(&pod->claims[i]);
	pod->taken_claims = 0;
	if (!any)
		return false;
	STORE_EACH (other, cluster_store(scheduler->cluster), scheduler->pods, pod->object->ns) {
		if (sched_assigned_find(scheduler, other->uid))
			pod->taken_claims += shared(pod, other);
	}
	return pod->taken_claims > 0;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	struct store *store = cluster_store(cycle->scheduler->cluster);
	const struct sched_pod *pod = cycle->pod;
	size_t taken = pod->taken_claims;

	for (const struct sched_assigned *other = node->pods; other; other = other->next) {
		const struct store_object *object = other->away ? store_get_uid(store, other->uid) : NULL;

		if (object && strcmp(object->ns, pod->object->ns) == 0)
			taken -= shared(pod, object);
	}
	if (!taken)
		return SCHED_OK;
	sched_no(verdict,
	         "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
	         "already in-use by another pod");
	return SCHED_UNSCHEDULABLE;
}

/* A claim helps those that name it; one of an ephemeral volume is not this plugin's matter. */
static bool helps(struct scheduler *scheduler, const struct store_object *pod,
                  const struct sched_change *change)
{
	const struct kt_json *volume;

	if (!change->after || change->after->kind != scheduler->claims)
		return true;
	KT_JSON_EACH (volume, kt_get(view_pod(pod)->spec, "volumes")) {
		if (kt_streq(kt_path_str(volume, "persistentVolumeClaim.claimName"), change->after->name))
			return strcmp(change->after->ns, pod->ns) == 0;
	}
	return false;
}

const struct sched_plugin sched_volume_restrictions = {.name = "VolumeRestrictions",
                                                       .events = SCHED_VOLUMES | SCHED_POD_DELETED |
                                                                 SCHED_NODE_ADDED,
                                                       .prefilter = prefilter,
                                                       .filter = filter,
                                                       .helps = helps};

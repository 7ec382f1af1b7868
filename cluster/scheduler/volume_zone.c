/* SPDX-License-Identifier: MIT */
/* VolumeZone: a PV that is labelled with a zone or region is used there. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

static const char *const keys[] = {"topology.kubernetes.io/zone", "topology.kubernetes.io/region",
                                   "failure-domain.beta.kubernetes.io/zone",
                                   "failure-domain.beta.kubernetes.io/region"};

static bool prefilter(struct sched_cycle *cycle)
{
	for (size_t i = 0; i < cycle->pod->claim_count; i++)
		for (size_t k = 0; cycle->pod->claims[i].bound && k < KT_COUNT(keys); k++)
			if (kt_get(view_labels(cycle->pod->claims[i].bound->json), keys[k]))
				return true;
	return false;
}

/* A label may list several zones: "a__b". */
static bool lists(const char *zones, const char *zone)
{
	size_t len = zone ? strlen(zone) : 0;

	while (zone && zones) {
		const char *end = strstr(zones, "__");

		if ((end ? (size_t)(end - zones) : strlen(zones)) == len && strncmp(zones, zone, len) == 0)
			return true;
		zones = end ? end + 2 : NULL;
	}
	return false;
}

static enum sched_code filter(struct sched_cycle *cycle, struct sched_node *node,
                              struct sched_verdict *verdict)
{
	for (size_t i = 0; i < cycle->pod->claim_count; i++) {
		const struct store_object *disk = cycle->pod->claims[i].bound;

		for (size_t k = 0; disk && k < KT_COUNT(keys); k++) {
			const char *zones = kt_get_str(view_labels(disk->json), keys[k]);

			if (!zones || lists(zones, kt_get_str(node->view->labels, keys[k])))
				continue;
			sched_no(verdict, "node(s) had no available volume zone");
			return SCHED_UNRESOLVABLE;
		}
	}
	return SCHED_OK;
}

const struct sched_plugin sched_volume_zone = {.name = "VolumeZone",
                                               .events = SCHED_NODE_ADDED | SCHED_NODE_LABELS | SCHED_VOLUMES,
                                               .prefilter = prefilter,
                                               .filter = filter};

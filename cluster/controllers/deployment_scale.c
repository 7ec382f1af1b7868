/* SPDX-License-Identifier: MIT */
/* How many replicas go where (kubernetes pkg/controller/deployment/sync.go scale, util/deployment_util.go).
 */
#include "cluster/controllers/deployment.h"
#include <math.h>
#include <stdlib.h>

int64_t deployment_fresh_replicas(const struct deployment_sync *sync, int64_t now)
{
	if (!sync->rolling)
		return sync->replicas;
	int64_t room = sync->replicas + sync->surge - controller_sum(&sync->all, "spec.replicas");
	if (room <= 0)
		return now;
	return now + KT_MIN(room, sync->replicas - now);
}

int64_t controller_deployment_share(int64_t size, int64_t replicas, int64_t surge, int64_t before,
                                    int64_t to_add, int64_t added)
{
	if (to_add == 0 || to_add == added)
		return 0;
	int64_t allowed = to_add - added, share;
	if (replicas == 0)
		share = -size;
	else if (before <= 0)
		share = 0;
	else
		share = (int64_t)round((double)size * (double)(replicas + surge) / (double)before) - size;
	return to_add > 0 ? KT_MIN(share, allowed) : KT_MAX(share, allowed);
}

static int larger_newer(const struct store_object *a, const struct store_object *b)
{
	int64_t x = deployment_spec_replicas(a), y = deployment_spec_replicas(b);
	return x != y ? (x > y ? -1 : 1) : controller_by_creation(b, a);
}

static int larger_older(const struct store_object *a, const struct store_object *b)
{
	int64_t x = deployment_spec_replicas(a), y = deployment_spec_replicas(b);
	return x != y ? (x > y ? -1 : 1) : controller_by_creation(a, b);
}

/* In the middle of a rollout: every active set gets its part of the difference, what is left over goes to
 * the largest. */
static void scale_in_proportion(struct deployment_sync *sync, struct store_list *active)
{
	int64_t allowed = sync->replicas > 0 ? sync->replicas + sync->surge : 0, added = 0;
	int64_t to_add = allowed - controller_sum(active, "spec.replicas");
	int64_t *sizes = kt_alloc((active->count + 1) * sizeof(*sizes));
	controller_list_sort(active, to_add > 0 ? larger_newer : larger_older);
	for (size_t i = 0; i < active->count; i++) {
		const char *max = controller_annotation(active->items[i]->json, DEPLOYMENT_MAX);
		int64_t before = max ? strtoll(max, NULL, 10) : 0;
		if (before <= 0)
			before = kt_path_int(sync->deployment->json, "status.replicas", 0);
		sizes[i] = deployment_spec_replicas(active->items[i]);
		if (sizes[i] == 0)
			continue;
		int64_t share = controller_deployment_share(sizes[i], sync->replicas, sync->surge, before,
		                                            to_add, added);
		sizes[i] += share;
		added += share;
	}
	for (size_t i = 0; i < active->count; i++) {
		if (i == 0 && to_add != 0)
			sizes[i] = KT_MAX(sizes[i] + to_add - added, 0);
		deployment_scale_set(sync, active->items[i], sizes[i]);
	}
	kt_free(sizes);
}

static bool saturated(const struct deployment_sync *sync)
{
	if (!sync->fresh)
		return false;
	const char *desired = controller_annotation(sync->fresh->json, DEPLOYMENT_DESIRED);
	return desired && deployment_spec_replicas(sync->fresh) == sync->replicas &&
	       strtoll(desired, NULL, 10) == sync->replicas &&
	       kt_path_int(sync->fresh->json, "status.availableReplicas", 0) == sync->replicas;
}

/* The only active set, or, if none is, the fresh or else the latest. */
static const struct store_object *active_or_latest(const struct deployment_sync *sync,
                                                   const struct store_list *active)
{
	if (active->count == 1)
		return active->items[0];
	if (active->count > 1)
		return NULL;
	if (sync->fresh)
		return sync->fresh;
	return sync->all.count ? sync->all.items[sync->all.count - 1] : NULL;
}

void deployment_scale(struct deployment_sync *sync)
{
	struct store_list active = {0};
	for (size_t i = 0; i < sync->all.count; i++) {
		if (deployment_spec_replicas(sync->all.items[i]) > 0)
			controller_list_add(&active, sync->all.items[i]);
	}
	const struct store_object *only = active_or_latest(sync, &active);
	if (only) {
		if (deployment_spec_replicas(only) != sync->replicas)
			deployment_scale_set(sync, only, sync->replicas);
	} else if (saturated(sync)) {
		for (size_t i = 0; i < active.count; i++) {
			if (active.items[i] != sync->fresh)
				deployment_scale_set(sync, active.items[i], 0);
		}
	} else if (sync->rolling && active.count) {
		scale_in_proportion(sync, &active);
	}
	store_list_clear(&active);
}

/* SPDX-License-Identifier: MIT */
/* How fast an autoscaler may go: stabilization windows, policies, the default limits (kubernetes
 * pkg/controller/podautoscaler/horizontal.go). */
#include "cluster/controllers/hpa.h"
#include <math.h>
#include <string.h>
#include "cluster/controllers/hash.h"

#define DOWNSCALE_WINDOW (300) /* seconds, without a behavior */
#define LONGEST_WINDOW   (3600 * KT_SEC)

struct mark {
	int64_t value; /* replicas recommended, or by how much it was scaled */
	kt_ns at;
};
struct marks {
	struct mark *items;
	size_t count, cap;
};
struct hpa_memory {
	UT_hash_handle hh;
	struct marks recommended, ups, downs;
	char key[];
};

/* --- memory --- */
static void marks_add(struct marks *marks, int64_t value, kt_ns at)
{
	size_t kept = 0;
	for (size_t i = 0; i < marks->count; i++) {
		if (marks->items[i].at + LONGEST_WINDOW > at)
			marks->items[kept++] = marks->items[i];
	}
	marks->count = kept;
	marks->items = kt_grow(marks->items, &marks->cap, marks->count + 1, sizeof(*marks->items));
	marks->items[marks->count++] = (struct mark){value, at};
}

static int64_t marks_since(const struct marks *marks, kt_ns since)
{
	int64_t sum = 0;
	for (size_t i = 0; i < marks->count; i++)
		sum += marks->items[i].at > since ? marks->items[i].value : 0;
	return sum;
}

struct hpa_memory *hpa_memory_get(struct controller_queue *queue, const char *key, bool make)
{
	struct hpa_memory *all = queue->state, *memory;
	HASH_FIND_STR(all, key, memory);
	if (!memory && make) {
		size_t len = strlen(key);
		memory = kt_alloc(sizeof(*memory) + len + 1);
		memcpy(memory->key, key, len + 1);
		HASH_ADD_STR(all, key, memory);
		queue->state = all;
	}
	return memory;
}

void hpa_memory_drop(struct controller_queue *queue, const char *key)
{
	struct hpa_memory *all = queue->state, *memory = hpa_memory_get(queue, key, false);
	if (!memory)
		return;
	HASH_DEL(all, memory);
	queue->state = all;
	kt_free(memory->recommended.items);
	kt_free(memory->ups.items);
	kt_free(memory->downs.items);
	kt_free(memory);
}

void hpa_memory_free_all(struct controller_queue *queue)
{
	while (queue->state)
		hpa_memory_drop(queue, ((struct hpa_memory *)queue->state)->key);
}

void hpa_memory_recommended(struct hpa_memory *memory, int64_t replicas, kt_ns now)
{
	marks_add(&memory->recommended, replicas, now);
}

void hpa_memory_first(struct hpa_memory *memory, int64_t replicas, kt_ns now)
{
	if (!memory->recommended.count)
		hpa_memory_recommended(memory, replicas, now);
}

void hpa_memory_scaled(struct hpa_memory *memory, int64_t from, int64_t to, kt_ns now)
{
	if (to > from)
		marks_add(&memory->ups, to - from, now);
	else if (to < from)
		marks_add(&memory->downs, from - to, now);
}

/* --- windows --- */
static int64_t stabilize(struct hpa_sync *sync, struct hpa_memory *memory, int64_t desired,
                         int64_t up_seconds, int64_t down_seconds)
{
	kt_ns now = cluster_now(sync->cluster);
	int64_t up = desired, down = desired, result = sync->current;
	for (size_t i = 0; i < memory->recommended.count; i++) {
		const struct mark *mark = &memory->recommended.items[i];
		if (mark->at > now - up_seconds * KT_SEC)
			up = KT_MIN(up, mark->value);
		if (mark->at > now - down_seconds * KT_SEC)
			down = KT_MAX(down, mark->value);
	}
	hpa_memory_recommended(memory, desired, now);
	result = KT_MAX(result, up);
	result = KT_MIN(result, down);
	return result;
}

static int64_t highest(const struct hpa_memory *memory, int64_t desired, kt_ns since)
{
	for (size_t i = 0; i < memory->recommended.count; i++) {
		if (memory->recommended.items[i].at > since)
			desired = KT_MAX(desired, memory->recommended.items[i].value);
	}
	return desired;
}

static void tell_window(struct hpa_sync *sync, int64_t desired, int64_t stable)
{
	if (stable == desired)
		hpa_condition(sync, "AbleToScale", true, "ReadyForNewScale",
		              "recommended size matches current size");
	else if (stable < desired)
		hpa_condition(
		        sync, "AbleToScale", true, "ScaleUpStabilized",
		        "recent recommendations were lower than current one, applying the lowest recent "
		        "recommendation");
	else
		hpa_condition(
		        sync, "AbleToScale", true, "ScaleDownStabilized",
		        "recent recommendations were higher than current one, applying the highest recent "
		        "recommendation");
}

/* --- rates --- */
static int64_t policy_limit(const struct hpa_memory *memory, const struct kt_json *policy, int64_t current,
                            kt_ns now, bool up)
{
	kt_ns since = now - kt_get_int(policy, "periodSeconds", 15) * KT_SEC;
	int64_t start = current - marks_since(&memory->ups, since) + marks_since(&memory->downs, since);
	int64_t value = kt_get_int(policy, "value", 0);
	if (!kt_streq(kt_get_str(policy, "type"), "Percent"))
		return up ? start + value : start - value;
	double factor = up ? 1 + (double)value / 100 : 1 - (double)value / 100;
	/* up rounds up so that it always can; down cuts off */
	return up ? (int64_t)ceil((double)start * factor) : (int64_t)((double)start * factor);
}

static int64_t rate_limit(struct hpa_sync *sync, const struct hpa_memory *memory, const struct kt_json *rules,
                          bool up)
{
	const char *select = kt_str_or(kt_get(rules, "selectPolicy"), "Max");
	const struct kt_json *policy;
	bool any = false;
	int64_t limit = sync->current;
	if (kt_streq(select, "Disabled"))
		return limit;
	bool larger = kt_streq(select, "Max") == up;
	KT_JSON_EACH (policy, kt_get(rules, "policies")) {
		int64_t one = policy_limit(memory, policy, sync->current, cluster_now(sync->cluster), up);
		limit = !any ? one : larger ? KT_MAX(limit, one) : KT_MIN(limit, one);
		any = true;
	}
	if (!any)
		return up ? INT32_MAX : 0;
	return up ? KT_MAX(limit, sync->current) : KT_MIN(limit, sync->current);
}

static void limited(struct hpa_sync *sync, const char *reason, const char *message)
{
	hpa_condition(sync, "ScalingLimited", true, reason, "%s", message);
}

static int64_t bound_up(struct hpa_sync *sync, int64_t desired, int64_t limit)
{
	int64_t most = KT_MIN(sync->max, limit);
	if (desired <= most)
		return desired;
	if (sync->max > limit)
		limited(sync, "ScaleUpLimit",
		        "the desired replica count is increasing faster than the maximum scale rate");
	else
		limited(sync, "TooManyReplicas",
		        "the desired replica count is more than the maximum replica count");
	return most;
}

static int64_t bound_down(struct hpa_sync *sync, int64_t desired, int64_t limit)
{
	int64_t least = KT_MAX(sync->min, limit);
	if (desired >= least)
		return desired;
	if (sync->min < limit)
		limited(sync, "ScaleDownLimit",
		        "the desired replica count is decreasing faster than the maximum scale rate");
	else
		limited(sync, "TooFewReplicas",
		        "the desired replica count is less than the minimum replica count");
	return least;
}

static int64_t bound(struct hpa_sync *sync, const struct hpa_memory *memory, const struct kt_json *behavior,
                     int64_t desired)
{
	int64_t result = desired;
	if (!behavior) {
		result = bound_down(sync, desired, 0);
		if (result == desired)
			result = bound_up(sync, desired, KT_MAX(2 * sync->current, 4));
	} else if (desired > sync->current) {
		result = bound_up(sync, desired, rate_limit(sync, memory, kt_get(behavior, "scaleUp"), true));
	} else if (desired < sync->current) {
		result = bound_down(sync, desired,
		                    rate_limit(sync, memory, kt_get(behavior, "scaleDown"), false));
	}
	if (result == desired)
		hpa_condition(sync, "ScalingLimited", false, "DesiredWithinRange",
		              "the desired count is within the acceptable range");
	return result;
}

int64_t hpa_normalize(struct hpa_sync *sync, int64_t desired)
{
	struct hpa_memory *memory = hpa_memory_get(sync->queue, sync->key, true);
	const struct kt_json *behavior = kt_path(sync->hpa->json, "spec.behavior");
	int64_t up = kt_path_int(behavior, "scaleUp.stabilizationWindowSeconds", 0);
	int64_t down = kt_path_int(behavior, "scaleDown.stabilizationWindowSeconds", DOWNSCALE_WINDOW);
	int64_t stable = stabilize(sync, memory, desired, up, down);
	if (!behavior) /* only the highest of the window counts, wherever it stands now */
		stable = highest(memory, desired, cluster_now(sync->cluster) - DOWNSCALE_WINDOW * KT_SEC);
	tell_window(sync, desired, stable);
	return bound(sync, memory, behavior, stable);
}

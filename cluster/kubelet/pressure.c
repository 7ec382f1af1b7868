/* SPDX-License-Identifier: MIT */
/* Node-pressure eviction: when the memory of a node runs out, the pods that use more than they asked for go
 * first, then by priority, then by how much. Source: kubernetes pkg/kubelet/eviction (helpers.go). */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

#define PRESSURE_LEAST      ((int64_t)100 * 1024 * 1024) /* memory.available<100Mi */
#define PRESSURE_TRANSITION (5 * KT_MIN_NS)

struct victim {
	struct kubelet_pod *pod;
	int64_t used, asked, excess;
	int32_t priority;
};

static int64_t used_by(const struct kubelet_pod *pod)
{
	int64_t sum = 0;

	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->process)
			sum += container_memory(&ctr->pub);
	return sum;
}

static bool before(const struct victim *a, const struct victim *b)
{
	bool over_a = a->excess > 0, over_b = b->excess > 0;

	if (over_a != over_b)
		return over_a;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->excess > b->excess;
}

static void evict(struct kubelet_node *node, const struct victim *victim, int64_t available)
{
	struct kubelet_pod *pod = victim->pod;
	struct kt_buf text = {0}, left = {0}, used = {0}, asked = {0};

	kt_quantity_print_value(available / 1024 * 1024, KT_BINARY_SI, &left);
	kt_quantity_print_value(victim->used / 1024 * 1024, KT_BINARY_SI, &used);
	kt_quantity_print_value(victim->asked, KT_BINARY_SI, &asked);
	kt_buf_addf(&text, "The node was low on resource: memory. Threshold quantity: 100Mi, available: %s. ",
	            kt_buf_str(&left));
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->role == KUBELET_MAIN)
			kt_buf_addf(&text,
			            "Container %s was using %s, request is %s, has larger consumption of "
			            "memory. ",
			            ctr->pub.name, kt_buf_str(&used), kt_buf_str(&asked));
	kubelet_event(pod, NULL, true, "Evicted", "%s", kt_buf_str(&text));
	kubelet_pod_fail(pod, "Evicted", kt_buf_str(&text));
	pod->disrupted = true;
	kt_buf_clear(&text);
	kt_buf_clear(&left);
	kt_buf_clear(&used);
	kt_buf_clear(&asked);
	(void)node;
}

/* --- local storage --- */
static int64_t quantity_of(const struct kt_json *source, const char *path)
{
	const char *text = kt_path_str(source, path);
	struct kt_quantity value = {0};

	return text && kt_quantity_parse(text, &value) ? value.value : 0;
}

/* Volumes on the node's disk and what containers wrote, logs too. */
static int64_t disk_of(const struct kubelet_ctr *ctr)
{
	return (ctr->pub.files ? files_written(ctr->pub.files) : 0) +
	       (ctr->log ? (int64_t)kubelet_log_size(ctr->log) : 0);
}

/* Source: kubernetes pkg/kubelet/eviction/eviction_manager.go, localStorageEviction: volumes first, then the
 * pod, then its containers. */
static char *storage_exceeded(const struct kubelet_pod *pod)
{
	int64_t sum = 0, limits = 0;
	bool all = true;
	struct kt_buf text = {0};

	for (size_t i = 0; i < pod->mount_count; i++) {
		const struct kt_json *empty = kt_get(pod->mounts[i].spec, "emptyDir");
		int64_t used = empty && pod->mounts[i].volume ? volume_used(pod->mounts[i].volume) : 0;
		int64_t limit = quantity_of(empty, "sizeLimit");

		if (limit && used > limit)
			return kt_strf("Usage of EmptyDir volume \"%s\" exceeds the limit \"%s\". ",
			               pod->mounts[i].name, kt_get_str(empty, "sizeLimit"));
		if (empty && !kt_get_str(empty, "medium"))
			sum += used;
	}
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		int64_t limit = quantity_of(ctr->spec, "resources.limits.ephemeral-storage");

		sum += disk_of(ctr);
		limits += limit;
		all = all && (limit || ctr->role == KUBELET_INIT);
	}
	if (limits && all && sum > limits) {
		kt_quantity_print_value(limits, KT_BINARY_SI, &text);
		char *words = kt_strf(
		        "Pod ephemeral local storage usage exceeds the total limit of containers %s. ",
		        kt_buf_str(&text));
		kt_buf_clear(&text);
		return words;
	}
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		int64_t limit = quantity_of(ctr->spec, "resources.limits.ephemeral-storage");

		if (limit && disk_of(ctr) > limit)
			return kt_strf("Container %s exceeded its local ephemeral storage limit \"%s\". ",
			               ctr->pub.name,
			               kt_path_str(ctr->spec, "resources.limits.ephemeral-storage"));
	}
	return NULL;
}

bool kubelet_storage_bounded(const struct kt_json *spec)
{
	static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};
	const struct kt_json *one;

	KT_JSON_EACH (one, kt_get(spec, "volumes"))
		if (kt_path(one, "emptyDir.sizeLimit"))
			return true;
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		KT_JSON_EACH (one, kt_get(spec, lists[i]))
			if (kt_path(one, "resources.limits.ephemeral-storage"))
				return true;
	return false;
}

static void storage_check(struct kubelet_node *node)
{
	for (struct kubelet_pod *pod = node->pods; pod; pod = pod->next) {
		char *words;

		if (!pod->storage_bounded || pod->held || pod->fail_reason || pod->deleting ||
		    pod->stage != KUBELET_GOING)
			continue;
		words = storage_exceeded(pod);
		if (!words)
			continue;
		kubelet_event(pod, NULL, true, "Evicted", "%s", words);
		kubelet_pod_fail(pod, "Evicted", words);
		kt_free(words);
	}
}

/* The first to go, of those that may; pod NULL: none. */
static struct victim choose(struct kubelet_node *node)
{
	struct victim worst = {0};

	for (struct kubelet_pod *pod = node->pods; pod; pod = pod->next) {
		struct victim one = {.pod = pod, .used = used_by(pod), .asked = pod->memory};

		if (pod->held || pod->fail_reason || pod->deleting || pod->stage != KUBELET_GOING)
			continue;
		one.excess = one.used - one.asked;
		one.priority = view_pod(pod->object)->priority;
		if (one.priority >= 2000000000)
			continue; /* critical pods stay */
		if (!worst.pod || before(&one, &worst))
			worst = one;
	}
	return worst;
}

void kubelet_pressure_check(struct kubelet_node *node, kt_ns now)
{
	struct cluster *cluster = node->kubelet->cluster;
	const struct store_object *object;
	int64_t available;

	if (!node->pods)
		return;
	storage_check(node);
	object = store_get(cluster_store(cluster), node->kubelet->nodes, "", node->name);
	if (!object)
		return;
	available = view_node(object)->capacity.memory;
	for (const struct kubelet_pod *pod = node->pods; pod; pod = pod->next)
		available -= used_by(pod);
	if (available < PRESSURE_LEAST) {
		struct victim worst = choose(node);

		if (!node->memory_pressure)
			node->status_at = now;
		node->memory_pressure = true;
		node->pressure_until = now + PRESSURE_TRANSITION;
		if (worst.pod)
			evict(node, &worst, KT_MAX(available, 0));
	} else if (node->memory_pressure && now >= node->pressure_until) {
		node->memory_pressure = false;
		node->status_at = now;
	}
}

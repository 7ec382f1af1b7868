/* SPDX-License-Identifier: MIT */
/* ImageLocality: nodes that have the images already, the more so the larger and the more spread they are. */
#include <string.h>

#include "cluster/scheduler/plugins.h"

#define MIB        ((int64_t)1024 * 1024)
#define SIZE_LEAST (23 * MIB)
#define SIZE_MOST  (1000 * MIB)

/* "nginx" is "nginx:latest", as in the lists of nodes with their registry. */
static const struct sched_image *image_of(struct scheduler *scheduler, const char *reference)
{
	const char *slash = strrchr(reference, '/'), *tag = strchr(slash ? slash : reference, ':');
	const char *dot = strpbrk(reference, "./:");
	bool registry = slash && dot && *dot != '/' && dot < strchr(reference, '/');
	struct kt_buf name = {0};
	struct sched_image *image;

	if (!registry)
		kt_buf_adds(&name, slash ? "docker.io/" : "docker.io/library/");
	kt_buf_adds(&name, reference);
	if (!tag && !strchr(reference, '@'))
		kt_buf_adds(&name, ":latest");
	HASH_FIND_STR(scheduler->images, kt_buf_str(&name), image);
	kt_buf_clear(&name);
	return image;
}

static void score(struct sched_cycle *cycle, int64_t *scores)
{
	struct scheduler *scheduler = cycle->scheduler;
	const struct kt_json *containers = kt_get(cycle->pod->spec, "containers"), *one;
	int64_t most = SIZE_MOST * (int64_t)kt_count(containers);

	memset(scores, 0, cycle->feasible_count * sizeof(*scores));
	KT_JSON_EACH (one, containers) {
		const struct sched_image *image = image_of(scheduler, kt_str_or(kt_get(one, "image"), ""));
		double spread;

		if (!image || !image->nodes)
			continue;
		spread = (double)image->nodes / (double)scheduler->node_count;
		for (size_t i = 0; i < cycle->feasible_count; i++)
			if (image->on[cycle->feasible[i]->index])
				scores[i] += (int64_t)((double)image->size * spread);
	}
	for (size_t i = 0; i < cycle->feasible_count; i++) {
		int64_t sum = KT_MIN(KT_MAX(scores[i], SIZE_LEAST), most);

		scores[i] =
		        most > SIZE_LEAST ? SCHED_MAX_SCORE * (sum - SIZE_LEAST) / (most - SIZE_LEAST) : 0;
	}
}

const struct sched_plugin sched_image_locality = {.name = "ImageLocality", .weight = 1, .score = score};

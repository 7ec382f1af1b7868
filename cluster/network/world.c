/* SPDX-License-Identifier: MIT */
#include "cluster/network/world.h"

#include <string.h>

static char *key_of(const char *key)
{
	return kt_strf("world/%s", key);
}

struct kt_json *world_get(struct cluster *cluster, const char *key)
{
	char *full = key_of(key);
	struct kt_json *value = kt_json_ref(cluster_kept(cluster, full));
	kt_free(full);
	return value;
}

void world_set(struct cluster *cluster, const char *key, struct kt_json *steal)
{
	char *full = key_of(key);
	cluster_keep(cluster, full, steal);
	kt_free(full);
}

bool world_image_missing(struct cluster *cluster, const char *full)
{
	struct kt_json *images = world_get(cluster, "images");
	bool missing = false;
	for (size_t i = 0; i < kt_count(images) && !missing; i++) {
		const char *name = kt_key(images, i);
		size_t len = strlen(name);
		missing = !strcmp(name, full) || (!strncmp(name, full, len) && full[len] == ':');
	}
	kt_json_free(images);
	return missing;
}

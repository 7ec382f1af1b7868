/* SPDX-License-Identifier: MIT */
#include "cluster/network/world.h"

#include <string.h>

#include "cluster/api/api.h"

static const struct schema_kind *config_map(struct cluster *cluster)
{
	return schema_stored(cluster_schema(cluster), "", "ConfigMap");
}

struct kt_json *world_get(struct cluster *cluster, const char *key)
{
	const struct store_object *object =
	        store_get(cluster_store(cluster), config_map(cluster), "kube-system", "ktutor-world");
	const char *text = object ? kt_get_str(kt_get(object->json, "data"), key) : NULL;
	struct kt_json *value = NULL;
	struct kt_err err = {0};
	if (text && kt_json_parse(text, strlen(text), NULL, &value, NULL, &err) != KT_OK)
		return NULL;
	return value;
}

void world_set(struct cluster *cluster, const char *key, struct kt_json *steal)
{
	static const struct api_actor actor = {
	        .user = "system:admin", .manager = "ktutor", .component = "ktutor"};
	const struct store_object *object =
	        store_get(cluster_store(cluster), config_map(cluster), "kube-system", "ktutor-world");
	struct kt_json *json = object ? kt_json_ref(object->json)
	                              : kt_jsonf("{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: "
	                                         "'ktutor-world', namespace: 'kube-system'}}");
	char *text = steal ? kt_json_text(steal) : NULL;
	struct kt_json **data = kt_edit(&json, "data");
	kt_set(data, key, kt_json_str(text));
	kt_free(text);
	kt_json_free(steal);
	if (object)
		(void)api_update(cluster, &actor, config_map(cluster), json, NULL);
	else
		(void)api_create(cluster, &actor, config_map(cluster), json, NULL);
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

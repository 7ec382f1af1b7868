/* SPDX-License-Identifier: MIT */
/* What the apiextensions server does beside serving definitions: accept their names, establish them, and take
 * custom objects along when a definition goes. */
#include "cluster/api/internal.h"
#include <string.h>

static const struct api_actor server = {
        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};

static bool is_crd(const struct store_object *object)
{
	return kt_streq(object->kind->kind, "CustomResourceDefinition") &&
	       kt_streq(object->kind->group, "apiextensions.k8s.io");
}

static void set_condition(struct kt_json **status, const char *type, const char *reason, const char *message,
                          const char *now)
{
	struct kt_json **conditions = kt_edit(status, "conditions");

	if (kt_is_array(*conditions) && kt_find(*conditions, "type", type) >= 0)
		return;
	if (!kt_is_array(*conditions)) {
		kt_json_free(*conditions);
		*conditions = kt_json_array();
	}
	kt_push(conditions,
	        kt_jsonf("{type: %s, status: 'True', lastTransitionTime: %s, reason: %s, message: %s}", type,
	                 now, reason, message));
}

static void remember_versions(const struct kt_json *crd, struct kt_json **status)
{
	const struct kt_json *version;

	KT_JSON_EACH (version, kt_path(crd, "spec.versions")) {
		struct kt_json **stored = kt_edit(status, "storedVersions");
		bool known = false;

		for (size_t i = 0; i < kt_count(*stored); i++)
			known = known || kt_streq(kt_str(kt_at(*stored, i)), kt_get_str(version, "name"));
		if (kt_get_bool(version, "storage", false) && !known)
			kt_push(stored, kt_json_ref(kt_get(version, "name")));
	}
}

static void establish(struct cluster *cluster, const struct store_object *crd)
{
	struct kt_json *json = kt_json_ref(crd->json), *names = kt_json_ref(kt_path(crd->json, "spec.names"));
	struct kt_json **status = kt_edit(&json, "status");
	char *now = api_time(cluster_now(cluster));

	set_condition(status, "NamesAccepted", "NoConflicts", "no conflicts found", now);
	set_condition(status, "Established", "InitialNamesAccepted", "the initial names have been accepted",
	              now);
	kt_set(status, "acceptedNames", names);
	remember_versions(crd->json, status);
	kt_free(now);
	(void)api_update_status(cluster, &server, crd->kind, json, NULL);
}

static void establish_all(struct cluster *cluster, void *arg)
{
	struct api_state *state = arg;
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(cluster), "apiextensions.k8s.io", "CustomResourceDefinition");
	struct store_list list;

	state->crd_timer = 0;
	store_list(cluster_store(cluster), kind, NULL, &list);
	for (size_t i = 0; i < list.count; i++)
		establish(cluster, list.items[i]);
	store_list_clear(&list);
}

void api_crd_observe(struct api_state *state, const struct store_event *event)
{
	if (!is_crd(event->object) || event->change == STORE_DELETED)
		return;
	if (event->old && kt_equal(kt_get(event->old->json, "spec"), kt_get(event->object->json, "spec")))
		return;
	if (!state->crd_timer)
		state->crd_timer = cluster_after(state->cluster, 5 * KT_MS, establish_all, state);
}

void api_crd_remove_objects(struct cluster *cluster, const struct store_object *crd)
{
	const char *group = kt_path_str(crd->json, "spec.group"),
	           *plural = kt_path_str(crd->json, "spec.names.plural");
	struct store_cause cause = {
	        .actor = "kube-apiserver", .reason = "its definition is gone", .because = crd};
	struct schema *schema = cluster_schema(cluster);

	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		struct store_list list;

		if (!kind->crd || kind->storage != kind || !kt_streq(kind->group, group) ||
		    !kt_streq(kind->resource, plural))
			continue;
		store_list(cluster_store(cluster), kind, NULL, &list);
		for (size_t k = 0; k < list.count; k++)
			store_delete(cluster_store(cluster), list.items[k], cluster_now(cluster), &cause);
		store_list_clear(&list);
	}
}

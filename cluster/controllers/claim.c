/* SPDX-License-Identifier: MIT */
/* Adoption and release (kubernetes pkg/controller/controller_ref_manager.go). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

/* Pods of one template share their labels: what was found for them holds. */
struct matching {
	const struct store_object *owner;
	const struct kt_json *selector, *labels;
	bool matched;
};

static bool look(const struct store_object *owner, const struct kt_json *selector,
                 const struct kt_json *labels)
{
	if (kt_streq(owner->kind->kind, "ReplicationController"))
		return view_map_matches(selector, labels);
	return view_selector_matches(selector, labels);
}

static bool matches(struct matching *matching, const struct kt_json *labels)
{
	if (!labels || labels != matching->labels)
		matching->matched = look(matching->owner, matching->selector, labels);
	matching->labels = labels;
	return matching->matched;
}

static void release(struct cluster *cluster, const struct api_actor *actor, const struct store_object *owner,
                    const struct store_object *object)
{
	struct kt_json *json = kt_json_ref(object->json);
	struct kt_json **refs = kt_edit_path(&json, "metadata.ownerReferences");
	ptrdiff_t i = kt_find(*refs, "uid", owner->uid);
	if (i >= 0)
		kt_remove(refs, (size_t)i);
	if (kt_count(*refs) == 0)
		kt_unset_path(&json, "metadata.ownerReferences");
	controller_write(cluster, actor, object, json);
}

static const struct store_object *adopt(struct cluster *cluster, const struct api_actor *actor,
                                        const struct store_object *owner, const struct store_object *object)
{
	struct kt_json *json = kt_json_ref(object->json);
	kt_push(kt_edit_path(&json, "metadata.ownerReferences"), controller_owner_ref(owner));
	return controller_write(cluster, actor, object, json);
}

static const struct kt_json *labels_of(const struct store_object *object)
{
	return kt_streq(object->kind->kind, "Pod") ? view_pod(object)->labels : view_labels(object->json);
}

static bool wanted(const struct store_object *object, bool active)
{
	return !active || controller_pod_active(view_pod(object));
}

void controller_claim(struct cluster *cluster, struct controller_queue *queue,
                      const struct store_object *owner, const struct schema_kind *kind,
                      const struct kt_json *selector, bool active, struct store_list *out)
{
	struct api_actor actor = controller_actor(queue, owner);
	struct store_list owned = {0}, orphans = {0};
	bool going = view_is_deleting(owner->json);
	struct matching matching = {.owner = owner, .selector = selector};
	store_controlled_by(cluster_store(cluster), kind, owner->uid, &owned);
	for (size_t i = 0; i < owned.count; i++) {
		const struct store_object *object = owned.items[i];
		if (!wanted(object, active))
			continue;
		if (matches(&matching, labels_of(object)))
			controller_list_add(out, object);
		else if (!going)
			release(cluster, &actor, owner, object);
	}
	store_list_clear(&owned);
	if (going)
		return;
	controller_orphans(cluster, queue, kind, owner->ns, &orphans);
	for (size_t i = 0; i < orphans.count; i++) {
		const struct store_object *object = orphans.items[i];
		if (!wanted(object, active) || view_is_deleting(object->json) ||
		    !matches(&matching, labels_of(object)))
			continue;
		const struct store_object *adopted = adopt(cluster, &actor, owner, object);
		if (adopted)
			controller_list_add(out, adopted);
	}
	store_list_clear(&orphans);
}

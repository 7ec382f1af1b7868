/* SPDX-License-Identifier: MIT */
/* The garbage collector (kubernetes pkg/controller/garbagecollector): what has lost its owners goes; owners
 * that are deleted in the foreground wait for their dependents; orphaned dependents lose the reference. Keys
 * are UIDs. */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

#define FOREGROUND "foregroundDeletion"
#define ORPHAN     "orphan"

static bool has_finalizer(const struct store_object *object, const char *name)
{
	const struct kt_json *finalizer;
	KT_JSON_EACH (finalizer, kt_path(object->json, "metadata.finalizers")) {
		if (kt_streq(kt_str(finalizer), name))
			return true;
	}
	return false;
}

static void add_uid(struct cluster *cluster, struct controller_queue *queue, const char *uid,
                    const struct store_object *because)
{
	if (uid)
		controller_add(cluster, queue, "", uid, because);
}

static bool remove_finalizer(struct cluster *cluster, const struct api_actor *actor,
                             const struct store_object *object, const char *name)
{
	struct kt_json *json = kt_json_ref(object->json);
	struct kt_json **finalizers = kt_edit_path(&json, "metadata.finalizers");
	for (size_t i = kt_count(*finalizers); i-- > 0;) {
		if (kt_streq(kt_str(kt_at(*finalizers, i)), name))
			kt_remove(finalizers, i);
	}
	if (!kt_count(*finalizers))
		kt_unset_path(&json, "metadata.finalizers");
	struct api_status status = {0};
	const struct schema_kind *kind = object->kind;
	/* the last finalizer: the write is a deletion, and there is nothing to return */
	bool done = api_update(cluster, actor, kind, json, &status) || status.code == 0 || status.code == 404;
	api_status_clear(&status);
	return done;
}

/* --- owners --- */
enum owner_state { OWNER_SOLID, OWNER_ABSENT, OWNER_WAITING };

static enum owner_state owner_state(struct cluster *cluster, const struct store_object *object,
                                    const struct kt_json *ref)
{
	const char *uid = kt_get_str(ref, "uid");
	const struct store_object *owner = uid ? store_get_uid(cluster_store(cluster), uid) : NULL;
	if (!owner || !kt_streq(owner->kind->kind, kt_get_str(ref, "kind")) ||
	    !kt_streq(owner->name, kt_get_str(ref, "name")))
		return OWNER_ABSENT;
	if (*owner->ns && !kt_streq(owner->ns, object->ns))
		return OWNER_ABSENT;
	if (view_is_deleting(owner->json) && has_finalizer(owner, FOREGROUND))
		return OWNER_WAITING;
	return OWNER_SOLID;
}

static bool drop_lost_owners(struct cluster *cluster, const struct api_actor *actor,
                             const struct store_object *object)
{
	struct kt_json *json = kt_json_ref(object->json);
	struct kt_json **refs = kt_edit_path(&json, "metadata.ownerReferences");
	for (size_t i = kt_count(*refs); i-- > 0;) {
		if (owner_state(cluster, object, kt_at(*refs, i)) != OWNER_SOLID)
			kt_remove(refs, i);
	}
	return controller_write(cluster, actor, object, json) != NULL;
}

static bool has_dependents(struct cluster *cluster, const struct store_object *object)
{
	struct store_list dependents = {0};
	store_owned_by(cluster_store(cluster), object->uid, &dependents);
	bool any = dependents.count > 0;
	store_list_clear(&dependents);
	return any;
}

/* An owner of another namespace is none. (graph_builder.go reportInvalidNamespaceOwnerRef) */
static void tell_of_foreign(struct cluster *cluster, const struct api_actor *actor,
                            const struct store_object *object, const struct kt_json *ref)
{
	const char *uid = kt_get_str(ref, "uid");
	const struct store_object *owner = uid ? store_get_uid(cluster_store(cluster), uid) : NULL;
	if (!owner || !*owner->ns || kt_streq(owner->ns, object->ns))
		return;
	api_event(cluster, actor, object, "Warning", "OwnerRefInvalidNamespace", NULL, NULL,
	          "ownerRef [%s/%s, namespace: %s, name: %s, uid: %s] does not exist in namespace \"%s\"",
	          kt_str_or(kt_get(ref, "apiVersion"), ""), kt_str_or(kt_get(ref, "kind"), ""), object->ns,
	          kt_str_or(kt_get(ref, "name"), ""), uid, object->ns);
}

static bool collect(struct cluster *cluster, const struct api_actor *actor, const struct store_object *object)
{
	size_t counts[3] = {0};
	const struct kt_json *ref;
	KT_JSON_EACH (ref, kt_path(object->json, "metadata.ownerReferences")) {
		counts[owner_state(cluster, object, ref)]++;
		tell_of_foreign(cluster, actor, object, ref);
	}
	if (counts[OWNER_SOLID])
		return counts[OWNER_ABSENT] + counts[OWNER_WAITING] == 0 ||
		       drop_lost_owners(cluster, actor, object);
	if (!counts[OWNER_ABSENT] && !counts[OWNER_WAITING])
		return true;
	const char *how = "Background";
	if (counts[OWNER_WAITING] && has_dependents(cluster, object))
		how = "Foreground";
	else if (has_finalizer(object, ORPHAN))
		how = "Orphan";
	else if (has_finalizer(object, FOREGROUND))
		how = "Foreground";
	struct api_status status = {0};
	bool done = controller_delete(cluster, actor, object, how, &status) || status.code == 404 ||
	            status.code == 409;
	api_status_clear(&status);
	return done;
}

/* --- owners on their way out --- */
static bool orphan_dependents(struct cluster *cluster, const struct api_actor *actor,
                              const struct store_object *owner)
{
	struct store_list dependents = {0};
	bool done = true;
	store_owned_by(cluster_store(cluster), owner->uid, &dependents);
	for (size_t i = 0; i < dependents.count; i++) {
		struct kt_json *json = kt_json_ref(dependents.items[i]->json);
		struct kt_json **refs = kt_edit_path(&json, "metadata.ownerReferences");
		ptrdiff_t at = kt_find(*refs, "uid", owner->uid);
		if (at >= 0)
			kt_remove(refs, (size_t)at);
		if (!kt_count(*refs))
			kt_unset_path(&json, "metadata.ownerReferences");
		done &= controller_write(cluster, actor, dependents.items[i], json) != NULL;
	}
	store_list_clear(&dependents);
	return done && remove_finalizer(cluster, actor, owner, ORPHAN);
}

static bool blocks(const struct store_object *dependent, const char *owner_uid)
{
	const struct kt_json *refs = kt_path(dependent->json, "metadata.ownerReferences");
	ptrdiff_t at = kt_find(refs, "uid", owner_uid);
	return at >= 0 && kt_get_bool(kt_at(refs, (size_t)at), "blockOwnerDeletion", false);
}

static bool wait_for_dependents(struct cluster *cluster, struct controller_queue *queue,
                                const struct api_actor *actor, const struct store_object *owner)
{
	struct store_list dependents = {0};
	bool blocked = false;
	store_owned_by(cluster_store(cluster), owner->uid, &dependents);
	for (size_t i = 0; i < dependents.count; i++) {
		blocked |= blocks(dependents.items[i], owner->uid);
		if (!view_is_deleting(dependents.items[i]->json))
			add_uid(cluster, queue, dependents.items[i]->uid, owner);
	}
	store_list_clear(&dependents);
	return blocked || remove_finalizer(cluster, actor, owner, FOREGROUND);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *object = store_get_uid(cluster_store(cluster), key);
	if (!object)
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : object);
	object = store_ref(object);
	bool done = true;
	if (view_is_deleting(object->json)) {
		if (has_finalizer(object, ORPHAN))
			done = orphan_dependents(cluster, &actor, object);
		else if (has_finalizer(object, FOREGROUND))
			done = wait_for_dependents(cluster, queue, &actor, object);
	} else {
		done = collect(cluster, &actor, object);
	}
	store_unref(object);
	return done;
}

/* --- what to look at --- */
static void object_gone(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *object)
{
	struct store_list dependents = {0};
	const struct kt_json *ref;
	store_owned_by(cluster_store(cluster), object->uid, &dependents);
	for (size_t i = 0; i < dependents.count; i++)
		add_uid(cluster, queue, dependents.items[i]->uid, object);
	store_list_clear(&dependents);
	KT_JSON_EACH (ref, kt_path(object->json, "metadata.ownerReferences")) {
		const char *uid = kt_get_str(ref, "uid");
		const struct store_object *owner = uid ? store_get_uid(cluster_store(cluster), uid) : NULL;
		if (owner && view_is_deleting(owner->json))
			add_uid(cluster, queue, uid, object);
	}
}

static bool has_lost_owner(struct cluster *cluster, const struct store_object *object)
{
	const struct kt_json *ref;
	KT_JSON_EACH (ref, kt_path(object->json, "metadata.ownerReferences")) {
		if (owner_state(cluster, object, ref) != OWNER_SOLID)
			return true;
	}
	return false;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (event->change == STORE_DELETED) {
		object_gone(cluster, queue, object);
		return;
	}
	const struct kt_json *meta = kt_get(object->json, "metadata");
	if (kt_get(meta, "deletionTimestamp")) {
		if (has_finalizer(object, FOREGROUND) || has_finalizer(object, ORPHAN))
			add_uid(cluster, queue, object->uid, object);
		return;
	}
	const struct kt_json *refs = kt_get(meta, "ownerReferences");
	if (!refs || (event->old && kt_equal(refs, kt_path(event->old->json, "metadata.ownerReferences"))))
		return;
	if (has_lost_owner(cluster, object))
		add_uid(cluster, queue, object->uid, object);
}

/* After a restart: everything that waits or was left behind. */
static void start(struct cluster *cluster, struct controller_queue *queue)
{
	struct schema *schema = cluster_schema(cluster);
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		const struct store_object *object;
		if (kind->unstored || kind->storage != kind)
			continue;
		STORE_EACH (object, cluster_store(cluster), kind, NULL) {
			bool going = view_is_deleting(object->json);
			if ((going && kt_count(kt_path(object->json, "metadata.finalizers"))) ||
			    (!going && has_lost_owner(cluster, object)))
				add_uid(cluster, queue, object->uid, NULL);
		}
	}
}

const struct controller controller_garbage = {
        .name = "garbagecollector",
        .component = "garbage-collector-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 20 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* The end of a namespace (kubernetes pkg/controller/namespace/deletion): pods first, then all else, told in
 * five conditions; then its own finalizer. */
#include "cluster/controllers/controllers_internal.h"
#include <stdlib.h>
#include <string.h>

struct remains {
	struct kt_json *objects;    /* "configmaps." -> count */
	struct kt_json *finalizers; /* "example.com/hold" -> count */
	char *failure;              /* what could not be deleted; NULL */
	int64_t estimate;           /* seconds that what is left may still take */
};
#define DELAY      (5 * KT_SEC) /* the controller's: what was made at the last moment shall be seen */
#define FINALIZERS 15           /* seconds that others' finalizers are given */

/* condition, what it says while all is well, and otherwise */
static const struct row {
	const char *type, *good_reason, *good, *bad_reason;
} rows[] = {
        {"NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered",
         "DiscoveryFailed"},
        {"NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
         "All legacy kube types successfully parsed", "GroupVersionParsingFailed"},
        {"NamespaceDeletionContentFailure", "ContentDeleted",
         "All content successfully deleted, may be waiting on finalization", "ContentDeletionFailed"},
        {"NamespaceContentRemaining", "ContentRemoved", "All content successfully removed",
         "SomeResourcesRemain"},
        {"NamespaceFinalizersRemaining", "ContentHasNoFinalizers",
         "All content-preserving finalizers finished", "SomeFinalizersRemain"},
};

static void count_up(struct kt_json **map, const char *key)
{
	kt_set(map, key, kt_json_int(kt_get_int(*map, key, 0) + 1));
}

static void note_left(struct remains *remains, const struct store_object *object)
{
	char *resource = kt_strf("%s.%s", object->kind->resource, object->kind->group);
	const struct kt_json *finalizer;
	count_up(&remains->objects, resource);
	kt_free(resource);
	KT_JSON_EACH (finalizer, kt_path(object->json, "metadata.finalizers"))
		count_up(&remains->finalizers, kt_str(finalizer));
}

/* How long the pods may take from the deletion of the namespace on; 0 when that is over. */
static int64_t pods_take(struct cluster *cluster, const struct store_object *ns,
                         const struct store_list *pods)
{
	int64_t longest = 0;
	kt_ns since = controller_time_of(kt_path(ns->json, "metadata.deletionTimestamp"));
	for (size_t i = 0; i < pods->count; i++) {
		const struct kt_json *pod = pods->items[i]->json;
		const char *phase = kt_path_str(pod, "status.phase");
		if (!kt_streq(phase, "Succeeded") && !kt_streq(phase, "Failed"))
			longest = KT_MAX(longest, kt_path_int(pod, "spec.terminationGracePeriodSeconds", 0));
	}
	return cluster_now(cluster) - since >= longest * KT_SEC ? 0 : longest;
}

/* What of a kind is left: it has its time, or finalizers hold it, or something went wrong. */
static void judge(struct remains *remains, const struct schema_kind *kind, const char *ns, int64_t takes,
                  bool held)
{
	if (!takes && held)
		takes = FINALIZERS;
	remains->estimate = KT_MAX(remains->estimate, takes);
	if (!takes && !remains->failure)
		remains->failure =
		        kt_strf("unexpected items still remain in namespace: %s for gvr: %s/%s, Resource=%s",
		                ns, kind->group, kind->version, kind->resource);
}

static void delete_kind(struct cluster *cluster, const struct api_actor *actor,
                        const struct schema_kind *kind, const struct store_object *ns, bool pods,
                        struct remains *remains)
{
	struct store_list list = {0};
	bool any = false, held = false;
	store_list(cluster_store(cluster), kind, ns->name, &list);
	int64_t takes = pods ? pods_take(cluster, ns, &list) : 0;
	for (size_t i = 0; i < list.count; i++) {
		const struct store_object *object = list.items[i];
		struct api_status status = {0};
		if (!view_is_deleting(object->json))
			controller_delete(cluster, actor, object, "Background", &status);
		const struct store_object *left =
		        store_get(cluster_store(cluster), kind, ns->name, object->name);
		if (left) {
			note_left(remains, left);
			any = true;
			held = held || kt_count(kt_path(left->json, "metadata.finalizers"));
		}
		if (left && status.code >= 400 && !remains->failure)
			remains->failure = kt_strdup(status.message);
		api_status_clear(&status);
	}
	if (any)
		judge(remains, kind, ns->name, takes, held);
	store_list_clear(&list);
}

static bool holds_content(const struct schema_kind *kind)
{
	return kind->namespaced && !kind->unstored && kind->storage == kind;
}

/* False if pods are left: what they need must not go before them, and nothing is told of them. */
static bool delete_all(struct cluster *cluster, struct controller_queue *queue, const struct api_actor *actor,
                       const struct store_object *ns, struct remains *remains)
{
	struct schema *schema = cluster_schema(cluster);
	delete_kind(cluster, actor, queue->kinds->pod, ns, true, remains);
	if (kt_count(remains->objects))
		return false;
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (holds_content(kind) && kind != queue->kinds->pod)
			delete_kind(cluster, actor, kind, ns, false, remains);
	}
	return true;
}

/* "configmaps. has 1 resource instances, …" in order of name */
static char *tell(const struct kt_json *counts, const char *head, const char *fmt_between)
{
	struct kt_json *sorted = kt_json_sorted(counts);
	struct kt_buf text = {0};
	kt_buf_adds(&text, head);
	for (size_t i = 0; i < kt_count(sorted); i++)
		kt_buf_addf(&text, "%s%s %s %lld resource instances", i ? ", " : "", kt_key(sorted, i),
		            fmt_between, (long long)kt_int_or(kt_at(sorted, i), 0));
	kt_json_free(sorted);
	return kt_buf_take(&text);
}

static const struct store_object *write_conditions(struct cluster *cluster, const struct api_actor *actor,
                                                   const struct store_object *ns,
                                                   const struct remains *remains, bool totals)
{
	char *texts[KT_COUNT(rows)] = {0};
	texts[2] = remains->failure
	                   ? kt_strf("Failed to delete all resource types, 1 remaining: %s", remains->failure)
	                   : NULL;
	if (totals && kt_count(remains->objects))
		texts[3] = tell(remains->objects, "Some resources are remaining: ", "has");
	if (totals && kt_count(remains->finalizers))
		texts[4] = tell(remains->finalizers,
		                "Some content in the namespace has finalizers remaining: ", "in");
	struct kt_json *status = kt_json_ref(kt_get(ns->json, "status"));
	kt_set(&status, "phase", kt_json_str("Terminating"));
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		controller_set_condition(kt_edit(&status, "conditions"), rows[i].type,
		                         texts[i] ? "True" : "False",
		                         texts[i] ? rows[i].bad_reason : rows[i].good_reason,
		                         texts[i] ? texts[i] : rows[i].good, cluster_now(cluster), false);
		kt_free(texts[i]);
	}
	return controller_write_status(cluster, actor, ns, status);
}

static bool finalize(struct cluster *cluster, const struct api_actor *actor, const struct store_object *ns)
{
	struct kt_json *json = kt_json_ref(ns->json);
	const struct schema_kind *kind = ns->kind;
	char *name = kt_strdup(ns->name);
	struct kt_json **finalizers = kt_edit_path(&json, "spec.finalizers");
	for (size_t i = kt_count(*finalizers); i-- > 0;) {
		if (kt_streq(kt_str(kt_at(*finalizers, i)), "kubernetes"))
			kt_remove(finalizers, i);
	}
	bool last = kt_count(*finalizers) == 0;
	if (last)
		kt_unset_path(&json, "spec.finalizers");
	bool done = api_update(cluster, actor, kind, json, NULL) || !last;
	const struct store_object *left = store_get(cluster_store(cluster), kind, "", name);
	if (last && left && kt_count(kt_path(left->json, "metadata.finalizers")) == 0)
		done = controller_delete(cluster, actor, left, NULL, NULL);
	kt_free(name);
	return done;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *ns = store_get(cluster_store(cluster), queue->kinds->ns, "", key);
	if (!ns || !view_is_deleting(ns->json) || kt_count(kt_path(ns->json, "spec.finalizers")) == 0)
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : ns);
	struct remains remains = {.objects = kt_json_object(), .finalizers = kt_json_object()};
	ns = store_ref(ns);
	bool totals = delete_all(cluster, queue, &actor, ns, &remains), done = !remains.failure;
	const struct store_object *now = write_conditions(cluster, &actor, ns, &remains, totals);
	if (!remains.failure && remains.estimate)
		controller_add_after(cluster, queue, "", key, (remains.estimate / 2 + 1) * KT_SEC);
	else if (!remains.failure)
		done = now && finalize(cluster, &actor, now);
	kt_json_free(remains.objects);
	kt_json_free(remains.finalizers);
	kt_free(remains.failure);
	store_unref(ns);
	return done;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->ns && event->change != STORE_DELETED &&
	    view_is_deleting(object->json))
		controller_add_after(cluster, queue, "", object->name, DELAY);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->ns);
}

const struct controller controller_namespace = {
        .name = "namespace",
        .component = "namespace-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 50 * KT_MS,
};

/* SPDX-License-Identifier: MIT */
/* Small reads, builds and writes that several controllers share. */
#include "cluster/controllers/controllers_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- reading --- */
const struct store_object *controller_get(struct cluster *cluster, const struct schema_kind *kind,
                                          const char *key)
{
	char ns[64], name[256];
	controller_key(key, ns, name);
	return store_get(cluster_store(cluster), kind, ns, name);
}

bool controller_is(const struct store_object *object, const struct schema_kind *kind)
{
	return object && object->kind == kind;
}

int64_t controller_generation(const struct store_object *object)
{
	return kt_path_int(object->json, "metadata.generation", 0);
}

kt_ns controller_time_of(const struct kt_json *time)
{
	kt_ns t = 0;
	const char *text = kt_str(time);
	return text && kt_time_parse(text, &t) ? t : 0;
}

kt_ns controller_created(const struct store_object *object)
{
	return controller_time_of(kt_path(object->json, "metadata.creationTimestamp"));
}

const char *controller_annotation(const struct kt_json *object, const char *name)
{
	return kt_get_str(kt_path(object, "metadata.annotations"), name);
}

const char *controller_label(const struct kt_json *object, const char *name)
{
	return kt_get_str(kt_path(object, "metadata.labels"), name);
}

int64_t controller_sum(const struct store_list *list, const char *path)
{
	int64_t sum = 0;
	for (size_t i = 0; i < list->count; i++)
		sum += kt_path_int(list->items[i]->json, path, 0);
	return sum;
}

const struct store_object *controller_owner(struct cluster *cluster, const struct schema_kind *kind,
                                            const struct store_object *object)
{
	struct view_owner owner = view_controller_of(object->json);
	if (!owner.uid || !kt_streq(owner.kind, kind->kind))
		return NULL;
	const struct store_object *found = store_get(cluster_store(cluster), kind, object->ns, owner.name);
	return found && kt_streq(found->uid, owner.uid) ? found : NULL;
}

/* --- queueing owners --- */
static struct view_owner owner_of(const struct store_object *object)
{
	/* pods come by the hundred thousand: their view keeps the owner */
	if (kt_streq(object->kind->kind, "Pod"))
		return view_pod(object)->owner;
	return view_controller_of(object->json);
}

static void add_named(struct cluster *cluster, struct controller_queue *queue,
                      const struct store_event *event, const char *name, kt_ns delay)
{
	if (delay)
		controller_add_after(cluster, queue, event->object->ns, name, delay);
	else
		controller_add(cluster, queue, event->object->ns, name, event->object);
}

void controller_add_owner(struct cluster *cluster, struct controller_queue *queue,
                          const struct schema_kind *kind, const struct store_event *event, bool adopts,
                          kt_ns delay)
{
	struct view_owner owner = owner_of(event->object);
	if (event->old) {
		struct view_owner old = owner_of(event->old);
		if (old.uid && !kt_streq(old.uid, owner.uid) && kt_streq(old.kind, kind->kind))
			add_named(cluster, queue, event, old.name, delay);
	}
	if (owner.uid) {
		if (kt_streq(owner.kind, kind->kind))
			add_named(cluster, queue, event, owner.name, delay);
		return;
	}
	if (!adopts || event->change == STORE_DELETED)
		return;
	const struct kt_json *labels = view_labels(event->object->json);
	const struct store_object *candidate;
	STORE_EACH (candidate, cluster_store(cluster), kind, event->object->ns) {
		const struct kt_json *selector = kt_path(candidate->json, "spec.selector");
		bool fits = kt_streq(kind->kind, "ReplicationController")
		                    ? view_map_matches(selector, labels)
		                    : view_selector_matches(selector, labels);
		if (fits)
			add_named(cluster, queue, event, candidate->name, delay);
	}
}

void controller_add_all(struct cluster *cluster, struct controller_queue *queue,
                        const struct schema_kind *kind)
{
	const struct store_object *object;
	STORE_EACH (object, cluster_store(cluster), kind, NULL)
		controller_add(cluster, queue, object->ns, object->name, NULL);
}

/* --- lists --- */
void controller_list_add(struct store_list *list, const struct store_object *object)
{
	/* grows at powers of two; store_list_clear frees `items` */
	if ((list->count & (list->count - 1)) == 0 || list->count < 2) {
		size_t cap = list->count < 2 ? 2 : list->count * 2;
		list->items = kt_realloc(list->items, cap * sizeof(*list->items));
	}
	list->items[list->count++] = store_ref(object);
}

void controller_list_drop(struct store_list *list, size_t i)
{
	store_unref(list->items[i]);
	memmove(list->items + i, list->items + i + 1, (list->count - i - 1) * sizeof(*list->items));
	list->count--;
}

int controller_by_creation(const struct store_object *a, const struct store_object *b)
{
	kt_ns ta = controller_created(a), tb = controller_created(b);
	if (ta != tb)
		return ta < tb ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* A stable merge sort: qsort has no argument and is not stable. */
static void merge_sort(const struct store_object **items, const struct store_object **spare, size_t count,
                       int (*cmp)(const struct store_object *a, const struct store_object *b))
{
	if (count < 2)
		return;
	size_t half = count / 2, i = 0, j = half, k = 0;
	merge_sort(items, spare, half, cmp);
	merge_sort(items + half, spare, count - half, cmp);
	while (i < half && j < count)
		spare[k++] = cmp(items[j], items[i]) < 0 ? items[j++] : items[i++];
	while (i < half)
		spare[k++] = items[i++];
	memcpy(items, spare, k * sizeof(*items));
}

void controller_list_sort(struct store_list *list,
                          int (*cmp)(const struct store_object *a, const struct store_object *b))
{
	const struct store_object **spare = kt_alloc((list->count + 1) * sizeof(*spare));
	merge_sort(list->items, spare, list->count, cmp);
	kt_free(spare);
}

/* --- building --- */
struct kt_json *controller_time(kt_ns t)
{
	struct kt_buf buf = {0};
	kt_time_print(t, &buf);
	struct kt_json *v = kt_json_str(kt_buf_str(&buf));
	kt_buf_clear(&buf);
	return v;
}

void controller_set_annotation(struct kt_json **object, const char *name, const char *value)
{
	struct kt_json **annotations = kt_edit_path(object, "metadata.annotations");
	kt_set(annotations, name, kt_json_str(value));
}

void controller_unset_annotation(struct kt_json **object, const char *name)
{
	if (!kt_get(kt_path(*object, "metadata.annotations"), name))
		return;
	kt_unset(kt_edit_path(object, "metadata.annotations"), name);
	if (!kt_count(kt_path(*object, "metadata.annotations")))
		kt_unset_path(object, "metadata.annotations");
}

void controller_set_label(struct kt_json **object, const char *name, const char *value)
{
	struct kt_json **labels = kt_edit_path(object, "metadata.labels");
	kt_set(labels, name, kt_json_str(value));
}

struct kt_json *controller_owner_ref(const struct store_object *owner)
{
	return kt_jsonf(
	        "{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true, blockOwnerDeletion: true}",
	        owner->kind->api_version, owner->kind->kind, owner->name, owner->uid);
}

struct kt_json *controller_pod_from_template(const struct store_object *owner, const struct kt_json *template,
                                             const char *name, const char *generate_name)
{
	const struct kt_json *meta = kt_get(template, "metadata");
	return kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Pod', metadata: {name: %s, generateName: %s, namespace: %s, "
	        "labels: %J, annotations: %J, ownerReferences: [%j], finalizers: %J}, spec: %J}",
	        name, generate_name, owner->ns, kt_get(meta, "labels"), kt_get(meta, "annotations"),
	        controller_owner_ref(owner), kt_get(meta, "finalizers"), kt_get(template, "spec"));
}

const struct kt_json *controller_condition(const struct kt_json *conditions, const char *type)
{
	ptrdiff_t i = kt_find(conditions, "type", type);
	return i < 0 ? NULL : kt_at(conditions, (size_t)i);
}

bool controller_remove_condition(struct kt_json **conditions, const char *type)
{
	ptrdiff_t i = kt_find(*conditions, "type", type);
	if (i < 0)
		return false;
	kt_remove(conditions, (size_t)i);
	return true;
}

bool controller_set_condition(struct kt_json **conditions, const char *type, const char *status,
                              const char *reason, const char *message, kt_ns now, bool with_update_time)
{
	ptrdiff_t i = kt_find(*conditions, "type", type);
	const struct kt_json *old = i < 0 ? NULL : kt_at(*conditions, (size_t)i);
	bool same_status = old && kt_streq(kt_get_str(old, "status"), status);
	if (same_status && kt_streq(kt_get_str(old, "reason"), reason) &&
	    kt_streq(kt_get_str(old, "message"), message))
		return false;
	struct kt_json *made = kt_jsonf(
	        "{type: %s, status: %s, lastUpdateTime: %j, lastTransitionTime: %j, reason: %s, message: %s}",
	        type, status, with_update_time ? controller_time(now) : NULL,
	        same_status ? kt_json_ref(kt_get(old, "lastTransitionTime")) : controller_time(now), reason,
	        message);
	if (old)
		kt_put(conditions, (size_t)i, made);
	else
		kt_push(conditions, made);
	return true;
}

bool controller_replace_condition(struct kt_json **conditions, struct kt_json *steal)
{
	const char *type = kt_get_str(steal, "type");
	const struct kt_json *old = controller_condition(*conditions, type);
	bool same = old && kt_streq(kt_get_str(old, "status"), kt_get_str(steal, "status"));
	if (same && kt_streq(kt_get_str(old, "reason"), kt_get_str(steal, "reason"))) {
		kt_json_free(steal);
		return false;
	}
	if (same)
		kt_set(&steal, "lastTransitionTime", kt_json_ref(kt_get(old, "lastTransitionTime")));
	controller_remove_condition(conditions, type);
	kt_push(conditions, steal);
	return true;
}

int64_t controller_int_or_percent(const struct kt_json *v, int64_t total, bool up, int64_t otherwise)
{
	const char *text = kt_str(v);
	if (!text)
		return kt_int_or(v, otherwise);
	char *end;
	long long percent = strtoll(text, &end, 10);
	if (end == text || *end != '%')
		return otherwise;
	int64_t scaled = (int64_t)percent * total;
	return up ? (scaled + 99) / 100 : scaled / 100;
}

void controller_template_hash(const struct kt_json *template, int64_t collision, char out[11])
{
	static const char letters[] = "456789bcdf"; /* rand.SafeEncodeString of the digits 0 to 9 */
	struct kt_json *sorted = kt_json_sorted(template);
	struct kt_buf text = {0};
	kt_json_print(sorted, &text);
	if (collision)
		kt_buf_addf(&text, "#%lld", (long long)collision);
	for (;;) {
		char digits[16];
		int len = snprintf(digits, sizeof(digits), "%u", kt_hash32(kt_buf_str(&text), text.len));
		bool digit = false, letter = false;
		for (int i = 0; i < len; i++) {
			out[i] = letters[digits[i] - '0'];
			digit |= out[i] < 'a';
			letter |= out[i] >= 'a';
		}
		out[len] = 0;
		if (len >= 8 && digit && letter)
			break;
		kt_buf_addc(&text, '+');
	}
	kt_buf_clear(&text);
	kt_json_free(sorted);
}

/* --- writing --- */
const struct store_object *controller_write_status(struct cluster *cluster, const struct api_actor *actor,
                                                   const struct store_object *object, struct kt_json *steal)
{
	if (kt_equal(steal, kt_get(object->json, "status"))) {
		kt_json_free(steal);
		return object;
	}
	struct kt_json *json = kt_json_ref(object->json);
	kt_set(&json, "status", steal);
	return api_update_status(cluster, actor, object->kind, json, NULL);
}

const struct store_object *controller_write(struct cluster *cluster, const struct api_actor *actor,
                                            const struct store_object *object, struct kt_json *steal)
{
	return api_update(cluster, actor, object->kind, steal, NULL);
}

const struct store_object *controller_write_replicas(struct cluster *cluster, const struct api_actor *actor,
                                                     const struct store_object *object, int64_t replicas)
{
	if (kt_path_int(object->json, "spec.replicas", 1) == replicas)
		return object;
	struct kt_json *json = kt_json_ref(object->json);
	kt_set_path(&json, "spec.replicas", kt_json_int(replicas));
	return api_update(cluster, actor, object->kind, json, NULL);
}

bool controller_delete(struct cluster *cluster, const struct api_actor *actor,
                       const struct store_object *object, const char *propagation, struct api_status *status)
{
	struct api_delete_options options = {.propagation = propagation, .grace = -1, .uid = object->uid};
	return api_delete(cluster, actor, object->kind, object->ns, object->name, &options, status);
}

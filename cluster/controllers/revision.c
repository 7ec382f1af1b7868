/* SPDX-License-Identifier: MIT */
/* ControllerRevisions: the templates that a StatefulSet or DaemonSet had (kubernetes
 * pkg/controller/history/controller_history.go). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

static int64_t number_of(const struct store_object *revision)
{
	return kt_path_int(revision->json, "revision", 0);
}

static int by_number(const struct store_object *a, const struct store_object *b)
{
	int64_t x = number_of(a), y = number_of(b);
	if (x != y)
		return x < y ? -1 : 1;
	return controller_by_creation(a, b);
}

void controller_revision_list(struct cluster *cluster, struct controller_queue *queue,
                              const struct store_object *owner, struct store_list *out)
{
	struct store_list owned = {0};
	store_controlled_by(cluster_store(cluster), queue->kinds->revision, owner->uid, &owned);
	for (size_t i = 0; i < owned.count; i++)
		controller_list_add(out, owned.items[i]);
	store_list_clear(&owned);
	controller_list_sort(out, by_number);
}

/* A patch that puts the template back: what `rollout undo` sends. */
static struct kt_json *data_of(const struct store_object *owner)
{
	struct kt_json *template = kt_json_ref(kt_path(owner->json, "spec.template"));
	kt_set(&template, "$patch", kt_json_str("replace"));
	return kt_jsonf("{spec: {template: %j}}", template);
}

static const struct store_object *renumber(struct cluster *cluster, struct controller_queue *queue,
                                           const struct store_object *revision, int64_t number)
{
	struct api_actor actor = controller_actor(queue, revision);
	struct kt_json *json = kt_json_ref(revision->json);
	kt_set(&json, "revision", kt_json_int(number));
	return controller_write(cluster, &actor, revision, json);
}

static const struct store_object *make(struct cluster *cluster, struct controller_queue *queue,
                                       const struct store_object *owner, struct kt_json *steal_data,
                                       int64_t number, int64_t *collisions)
{
	struct api_actor actor = controller_actor(queue, owner);
	bool daemon = owner->kind == queue->kinds->daemon_set;
	for (;;) {
		char hash[11];
		struct api_status status = {0};
		controller_template_hash(kt_path(owner->json, "spec.template"), *collisions, hash);
		char *name = kt_strf("%s-%s", owner->name, hash);
		struct kt_json *json = kt_jsonf(
		        "{apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: {name: %s, namespace: "
		        "%s, "
		        "labels: %J, annotations: %J, ownerReferences: [%j]}, data: %J, revision: %l}",
		        name, owner->ns, kt_path(owner->json, "spec.template.metadata.labels"),
		        kt_path(owner->json, "metadata.annotations"), controller_owner_ref(owner), steal_data,
		        number);
		controller_set_label(
		        &json, daemon ? "controller-revision-hash" : "controller.kubernetes.io/hash", hash);
		kt_free(name);
		const struct store_object *made =
		        api_create(cluster, &actor, queue->kinds->revision, json, &status);
		bool taken = !made && kt_streq(status.reason, "AlreadyExists");
		api_status_clear(&status);
		if (!taken) {
			kt_json_free(steal_data);
			return made;
		}
		++*collisions;
	}
}

const struct store_object *controller_revision_sync(struct cluster *cluster, struct controller_queue *queue,
                                                    const struct store_object *owner,
                                                    struct store_list *history, int64_t *collisions)
{
	struct kt_json *data = data_of(owner);
	int64_t next = history->count ? number_of(history->items[history->count - 1]) + 1 : 1;
	const struct store_object *found = NULL;
	for (size_t i = history->count; i-- > 0 && !found;) {
		if (kt_equal(kt_get(history->items[i]->json, "data"), data))
			found = history->items[i];
	}
	if (found && found != history->items[history->count - 1]) {
		found = renumber(cluster, queue, found, next);
	} else if (!found) {
		found = make(cluster, queue, owner, data, next, collisions);
		data = NULL;
	}
	kt_json_free(data);
	if (!found)
		return NULL;
	found = store_ref(found);
	store_list_clear(history);
	*history = (struct store_list){0};
	controller_revision_list(cluster, queue, owner, history);
	return found;
}

void controller_revision_trim(struct cluster *cluster, struct controller_queue *queue,
                              const struct store_object *owner, const struct store_list *history,
                              const struct kt_strs *live)
{
	int64_t limit = kt_path_int(owner->json, "spec.revisionHistoryLimit", 10), spare = 0;
	struct api_actor actor = controller_actor(queue, owner);
	for (size_t i = 0; i < history->count; i++)
		spare += !kt_strs_has(live, history->items[i]->name);
	for (size_t i = 0; i < history->count && spare > limit; i++) {
		if (kt_strs_has(live, history->items[i]->name))
			continue;
		controller_delete(cluster, &actor, history->items[i], NULL, NULL);
		spare--;
	}
}

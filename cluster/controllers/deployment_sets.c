/* SPDX-License-Identifier: MIT */
/* The replica set of the current template: finding it, making it, its revision and annotations (kubernetes
 * pkg/controller/deployment/sync.go and util/deployment_util.go). */
#include "cluster/controllers/deployment.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_LABEL      "pod-template-hash"
#define HISTORY         "deployment.kubernetes.io/revision-history"
#define HISTORY_LONGEST 2000

/* Annotations of a deployment that its replica sets do not inherit. */
static const char *const not_copied[] = {
        "kubectl.kubernetes.io/last-applied-configuration",
        DEPLOYMENT_REVISION,
        HISTORY,
        DEPLOYMENT_DESIRED,
        DEPLOYMENT_MAX,
        "deprecated.deployment.rollback.to",
};

static long long number_in(const struct kt_json *object, const char *annotation)
{
	const char *text = controller_annotation(object, annotation);
	return text ? strtoll(text, NULL, 10) : 0;
}

static bool same_template(const struct kt_json *a, const struct kt_json *b)
{
	struct kt_json *x = kt_json_ref(a), *y = kt_json_ref(b);
	struct kt_json **both[] = {&x, &y};
	for (size_t i = 0; i < 2; i++) {
		if (kt_get(kt_path(*both[i], "metadata.labels"), HASH_LABEL))
			kt_unset(kt_edit_path(both[i], "metadata.labels"), HASH_LABEL);
	}
	/* creationTimestamp: null may be there or not */
	for (size_t i = 0; i < 2; i++) {
		if (kt_path(*both[i], "metadata.creationTimestamp"))
			kt_unset_path(both[i], "metadata.creationTimestamp");
	}
	bool same = kt_equal(kt_get(x, "spec"), kt_get(y, "spec")) &&
	            kt_equal(kt_path(x, "metadata.labels"), kt_path(y, "metadata.labels"));
	if (same) {
		const struct kt_json *p = kt_path(x, "metadata.annotations"),
		                     *q = kt_path(y, "metadata.annotations");
		same = (kt_count(p) == 0 && kt_count(q) == 0) || kt_equal(p, q);
	}
	kt_json_free(x);
	kt_json_free(y);
	return same;
}

static size_t find_fresh(const struct deployment_sync *sync)
{
	const struct kt_json *template = kt_path(sync->deployment->json, "spec.template");
	for (size_t i = 0; i < sync->all.count; i++) {
		if (same_template(kt_path(sync->all.items[i]->json, "spec.template"), template))
			return i;
	}
	return SIZE_MAX;
}

static bool copied(const char *annotation)
{
	for (size_t i = 0; i < KT_COUNT(not_copied); i++) {
		if (kt_streq(annotation, not_copied[i]))
			return false;
	}
	return true;
}

static bool copy_annotations(const struct store_object *deployment, struct kt_json **set)
{
	const struct kt_json *from = kt_path(deployment->json, "metadata.annotations");
	bool changed = false;
	for (size_t i = 0; i < kt_count(from); i++) {
		const char *key = kt_key(from, i), *value = kt_str(kt_at(from, i));
		if (!copied(key) || kt_streq(controller_annotation(*set, key), value))
			continue;
		controller_set_annotation(set, key, value);
		changed = true;
	}
	return changed;
}

/* The revision that the set had before, kept for `rollout history`. */
static void add_history(struct kt_json **set, long long old_revision)
{
	const char *history = controller_annotation(*set, HISTORY);
	char *longer = history ? kt_strf("%s,%lld", history, old_revision) : kt_strf("%lld", old_revision);
	const char *kept = longer;
	while (strlen(kept) > HISTORY_LONGEST && strchr(kept, ','))
		kept = strchr(kept, ',') + 1;
	controller_set_annotation(set, HISTORY, kept);
	kt_free(longer);
}

static bool raise_revision(struct kt_json **set, long long revision)
{
	long long old = number_in(*set, DEPLOYMENT_REVISION);
	if (old >= revision)
		return false;
	bool had = controller_annotation(*set, DEPLOYMENT_REVISION) != NULL;
	if (had)
		add_history(set, old);
	char text[32];
	snprintf(text, sizeof(text), "%lld", revision);
	controller_set_annotation(set, DEPLOYMENT_REVISION, text);
	return true;
}

static bool set_number(struct kt_json **set, const char *annotation, int64_t value)
{
	char text[32];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	if (kt_streq(controller_annotation(*set, annotation), text))
		return false;
	controller_set_annotation(set, annotation, text);
	return true;
}

bool deployment_set_annotations(const struct deployment_sync *sync, struct kt_json **set)
{
	bool changed = set_number(set, DEPLOYMENT_DESIRED, sync->replicas);
	return set_number(set, DEPLOYMENT_MAX, sync->replicas + sync->surge) || changed;
}

static long long highest_old_revision(const struct deployment_sync *sync, const struct store_object *but)
{
	long long highest = 0;
	for (size_t i = 0; i < sync->all.count; i++) {
		long long revision = number_in(sync->all.items[i]->json, DEPLOYMENT_REVISION);
		if (sync->all.items[i] != but && revision > highest)
			highest = revision;
	}
	return highest;
}

void deployment_replace_status(struct deployment_sync *sync, struct kt_json *object)
{
	const struct store_object *now =
	        api_update_status(sync->cluster, &sync->actor, sync->queue->kinds->deployment, object, NULL);
	if (!now) {
		sync->failed = true;
		return;
	}
	now = store_ref(now);
	store_unref(sync->deployment);
	sync->deployment = now;
}

/* The deployment shows the revision of its fresh set; the first sight of a set begins its progress. */
static void tell_revision(struct deployment_sync *sync, const char *reason, const char *phrase)
{
	struct kt_json *json = kt_json_ref(sync->deployment->json);
	const char *revision = controller_annotation(sync->fresh->json, DEPLOYMENT_REVISION);
	bool changed = revision && !kt_streq(controller_annotation(json, DEPLOYMENT_REVISION), revision);
	if (changed)
		controller_set_annotation(&json, DEPLOYMENT_REVISION, revision);
	const struct kt_json *conditions = kt_path(json, "status.conditions");
	bool made = kt_streq(reason, "NewReplicaSetCreated");
	if (sync->has_deadline && (made || !controller_condition(conditions, "Progressing"))) {
		char *message = kt_strf("%s \"%s\"", phrase, sync->fresh->name);
		changed |= controller_replace_condition(kt_edit_path(&json, "status.conditions"),
		                                        deployment_condition(cluster_now(sync->cluster),
		                                                             "Progressing", "True", reason,
		                                                             message));
		kt_free(message);
	}
	if (changed)
		deployment_replace_status(sync, json);
	else
		kt_json_free(json);
}

static void put_set(struct deployment_sync *sync, size_t i, const struct store_object *now)
{
	const struct store_object *old = sync->all.items[i];
	bool fresh = old == sync->fresh;
	sync->all.items[i] = store_ref(now);
	if (fresh)
		sync->fresh = sync->all.items[i];
	store_unref(old);
}

static void keep_fresh(struct deployment_sync *sync, size_t i)
{
	sync->fresh = sync->all.items[i];
	struct kt_json *json = kt_json_ref(sync->fresh->json);
	bool changed = copy_annotations(sync->deployment, &json);
	changed |= raise_revision(&json, highest_old_revision(sync, sync->fresh) + 1);
	int64_t wait = kt_path_int(sync->deployment->json, "spec.minReadySeconds", 0);
	if (kt_path_int(json, "spec.minReadySeconds", 0) != wait) {
		kt_set_path(&json, "spec.minReadySeconds", wait ? kt_json_int(wait) : NULL);
		changed = true;
	}
	if (!changed) {
		kt_json_free(json);
		tell_revision(sync, "FoundNewReplicaSet", "Found new replica set");
		return;
	}
	const struct store_object *now = controller_write(sync->cluster, &sync->actor, sync->fresh, json);
	if (now)
		put_set(sync, i, now);
	else
		sync->failed = true;
	if (now)
		tell_revision(sync, "FoundNewReplicaSet", "Found new replica set");
}

static struct kt_json *fresh_set(struct deployment_sync *sync, const char *hash, int64_t *out_replicas)
{
	const struct store_object *d = sync->deployment;
	const struct kt_json *spec = kt_get(d->json, "spec");
	struct kt_json *template = kt_json_ref(kt_get(spec, "template"));
	struct kt_json *selector = kt_json_ref(kt_get(spec, "selector"));
	kt_set(kt_edit_path(&template, "metadata.labels"), HASH_LABEL, kt_json_str(hash));
	kt_set(kt_edit(&selector, "matchLabels"), HASH_LABEL, kt_json_str(hash));
	*out_replicas = sync->rolling ? deployment_fresh_replicas(sync, 0) : sync->replicas;
	int64_t wait = kt_get_int(spec, "minReadySeconds", 0);
	char *name = kt_strf("%s-%s", d->name, hash);
	struct kt_json *set = kt_jsonf(
	        "{apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: {name: %s, namespace: %s, labels: %J, "
	        "ownerReferences: [%j]}, spec: {replicas: %l, minReadySeconds: %j, selector: %J, template: "
	        "%J}}",
	        name, d->ns, kt_path(template, "metadata.labels"), controller_owner_ref(d), *out_replicas,
	        wait ? kt_json_int(wait) : NULL, selector, template);
	kt_free(name);
	kt_json_free(template);
	kt_json_free(selector);
	copy_annotations(d, &set);
	raise_revision(&set, highest_old_revision(sync, NULL) + 1);
	deployment_set_annotations(sync, &set);
	return set;
}

static void create_failed(struct deployment_sync *sync, const char *name, const struct api_status *status)
{
	sync->failed = true;
	struct kt_json *json = kt_json_ref(sync->deployment->json);
	if (kt_streq(status->reason, "AlreadyExists")) {
		int64_t collisions = kt_path_int(json, "status.collisionCount", 0) + 1;
		kt_set_path(&json, "status.collisionCount", kt_json_int(collisions));
		deployment_replace_status(sync, json);
		sync->failed = true;
		return;
	}
	char *message = kt_strf("Failed to create new replica set \"%s\": %s", name, status->message);
	if (sync->has_deadline) {
		controller_replace_condition(kt_edit_path(&json, "status.conditions"),
		                             deployment_condition(cluster_now(sync->cluster), "Progressing",
		                                                  "False", "ReplicaSetCreateError", message));
		deployment_replace_status(sync, json);
		json = NULL;
	}
	kt_json_free(json);
	api_event(sync->cluster, &sync->actor, sync->deployment, "Warning", "ReplicaSetCreateError", NULL,
	          NULL, "%s", message);
	kt_free(message);
}

static void make_fresh(struct deployment_sync *sync)
{
	char hash[11];
	int64_t replicas = 0;
	controller_template_hash(kt_path(sync->deployment->json, "spec.template"),
	                         kt_path_int(sync->deployment->json, "status.collisionCount", 0), hash);
	struct kt_json *set = fresh_set(sync, hash, &replicas);
	char *name = kt_strdup(kt_path_str(set, "metadata.name"));
	struct api_status status = {0};
	const struct store_object *made =
	        api_create(sync->cluster, &sync->actor, sync->queue->kinds->replica_set, set, &status);
	if (!made) {
		create_failed(sync, name, &status);
	} else {
		controller_list_add(&sync->all, made);
		sync->fresh = made;
		if (replicas > 0)
			api_event(sync->cluster, &sync->actor, sync->deployment, "Normal",
			          "ScalingReplicaSet", NULL, NULL, "Scaled up replica set %s from 0 to %lld",
			          name, (long long)replicas);
		tell_revision(sync, "NewReplicaSetCreated", "Created new replica set");
	}
	api_status_clear(&status);
	kt_free(name);
}

void deployment_find_fresh(struct deployment_sync *sync, bool create)
{
	size_t i = find_fresh(sync);
	if (i != SIZE_MAX)
		keep_fresh(sync, i);
	else if (create)
		make_fresh(sync);
}

bool deployment_scale_set(struct deployment_sync *sync, const struct store_object *set, int64_t replicas)
{
	struct kt_json *json = kt_json_ref(set->json);
	int64_t before = deployment_spec_replicas(set);
	bool changed = deployment_set_annotations(sync, &json);
	if (before != replicas)
		kt_set_path(&json, "spec.replicas", kt_json_int(replicas));
	if (!changed && before == replicas) {
		kt_json_free(json);
		return false;
	}
	const struct store_object *now = controller_write(sync->cluster, &sync->actor, set, json);
	if (!now) {
		sync->failed = true;
		return false;
	}
	for (size_t i = 0; i < sync->all.count; i++) {
		if (sync->all.items[i] == set) {
			put_set(sync, i, now);
			break;
		}
	}
	if (before != replicas)
		api_event(sync->cluster, &sync->actor, sync->deployment, "Normal", "ScalingReplicaSet", NULL,
		          NULL, "Scaled %s replica set %s from %lld to %lld",
		          before < replicas ? "up" : "down", now->name, (long long)before,
		          (long long)replicas);
	return before != replicas;
}

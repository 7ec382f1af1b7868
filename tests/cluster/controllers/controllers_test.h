/* SPDX-License-Identifier: MIT */
/* A cluster whose scheduler and kubelets are a few lines, unless the real ones are there: for tests of
 * controllers. */
#ifndef CONTROLLERS_TEST_H
#define CONTROLLERS_TEST_H

#include "cluster/controllers/controllers_internal.h"
#include "base/yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define UNUSED __attribute__((unused))

static const struct api_actor tester = {.user = "tester", .manager = "tester", .component = "tester"};

/* Called after each step of time; for properties that must always hold. */
struct world {
	struct cluster *cluster;
	void (*check)(struct world *world);
	void *arg;
	const char *down; /* a node without a heartbeat */
	bool never_ready; /* pods stay Pending */
	int64_t port;
};

static UNUSED bool world_has_part(const char *name)
{
	for (size_t i = 0; cluster_parts[i]; i++) {
		if (kt_streq(cluster_parts[i]->name, name))
			return true;
	}
	return false;
}

static UNUSED const struct schema_kind *kind_named(struct world *world, const char *name)
{
	struct schema *schema = cluster_schema(world->cluster);
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (kt_streq(kind->kind, name) && kind->storage == kind && !kind->unstored)
			return kind;
	}
	return NULL;
}

static UNUSED void world_begin(struct world *world, unsigned workers)
{
	struct cluster_options options = {
	        .name = "test", .seed = 7, .now = 1767225600 * KT_SEC, .workers = workers, .ca_pem = "PEM"};
	memset(world, 0, sizeof(*world));
	assert_int_equal(cluster_new(&options, &world->cluster, NULL), KT_OK);
}

static UNUSED void world_end(struct world *world)
{
	cluster_free(world->cluster);
}

static UNUSED const struct store_object *get(struct world *world, const char *kind, const char *name)
{
	const struct schema_kind *k = kind_named(world, kind);
	return store_get(cluster_store(world->cluster), k, k->namespaced ? "default" : "", name);
}

static UNUSED int64_t get_int(struct world *world, const char *kind, const char *name, const char *path)
{
	const struct store_object *object = get(world, kind, name);
	return object ? kt_path_int(object->json, path, 0) : -1;
}

static UNUSED const char *get_str(struct world *world, const char *kind, const char *name, const char *path)
{
	const struct store_object *object = get(world, kind, name);
	return object ? kt_path_str(object->json, path) : NULL;
}

/* YAML of one object. */
static UNUSED const struct store_object *create(struct world *world, const char *yaml)
{
	struct kt_yaml *document = NULL;
	struct kt_err err = {0};
	struct api_status status = {0};
	if (kt_yaml_parse("test", yaml, strlen(yaml), &document, &err))
		fail_msg("%s", err.text);
	struct kt_json *json = kt_json_ref(kt_yaml_doc(document, 0));
	kt_yaml_free(document);
	const struct schema_kind *kind = kind_named(world, kt_path_str(json, "kind"));
	assert_non_null(kind);
	if (kind->namespaced && !kt_path(json, "metadata.namespace"))
		kt_set_path(&json, "metadata.namespace", kt_json_str("default"));
	const struct store_object *object = api_create(world->cluster, &tester, kind, json, &status);
	if (!object)
		fail_msg("%s", status.message);
	api_status_clear(&status);
	return object;
}

static UNUSED void set(struct world *world, const char *kind, const char *name, const char *path,
                       struct kt_json *steal)
{
	const struct store_object *object = get(world, kind, name);
	struct api_status status = {0};
	assert_non_null(object);
	struct kt_json *json = kt_json_ref(object->json);
	kt_set_path(&json, path, steal);
	if (!api_update(world->cluster, &tester, object->kind, json, &status) && status.code)
		fail_msg("%s", status.message);
	api_status_clear(&status);
}

static UNUSED void del(struct world *world, const char *kind, const char *name, const char *propagation)
{
	const struct store_object *object = get(world, kind, name);
	struct api_delete_options options = {.propagation = propagation, .grace = -1};
	assert_non_null(object);
	assert_true(api_delete(world->cluster, &tester, object->kind, object->ns, name, &options, NULL));
}

static UNUSED size_t pods_where(struct world *world, bool ready)
{
	const struct store_object *pod;
	size_t count = 0;
	STORE_EACH (pod, cluster_store(world->cluster), kind_named(world, "Pod"), "default")
		count += !view_pod(pod)->deleting && (!ready || view_pod(pod)->ready);
	return count;
}

/* --- the little kubelet --- */
static UNUSED struct kt_json *pod_status(struct world *world, const struct store_object *pod)
{
	const char *command = kt_path_str(pod->json, "spec.containers.0.command.0");
	const char *restart = kt_path_str(pod->json, "spec.restartPolicy");
	bool ends = command && restart && !kt_streq(restart, "Always");
	bool fails = ends && kt_streq(command, "false");
	const char *phase = !ends ? "Running" : fails ? "Failed" : "Succeeded";
	struct kt_json *now = controller_time(cluster_now(world->cluster));
	char ip[32];
	world->port++;
	snprintf(ip, sizeof(ip), "10.0.%d.%d", (int)(world->port / 250), (int)(world->port % 250) + 1);
	struct kt_json *state =
	        ends ? kt_jsonf("{terminated: {exitCode: %d, finishedAt: %J}}", fails ? 1 : 0, now)
	             : kt_jsonf("{running: {startedAt: %J}}", now);
	return kt_jsonf(
	        "{phase: %s, podIP: %s, podIPs: [{ip: %s}], startTime: %j, conditions: [{type: 'Ready', "
	        "status: "
	        "%s, lastTransitionTime: %J}], containerStatuses: [{name: %s, ready: %b, restartCount: 0, "
	        "state: %j}]}",
	        phase, ip, ip, now, ends ? "False" : "True", now,
	        kt_path_str(pod->json, "spec.containers.0.name"), !ends, state);
}

static UNUSED bool image_missing(const struct store_object *pod)
{
	const char *image = kt_path_str(pod->json, "spec.containers.0.image");
	return image && kt_ends(image, ":missing");
}

static UNUSED void kubelet_step(struct world *world)
{
	struct store_list pods = {0}, nodes = {0};
	struct store *store = cluster_store(world->cluster);
	const struct schema_kind *pod_kind = kind_named(world, "Pod");
	store_list(store, pod_kind, NULL, &pods);
	store_list(store, kind_named(world, "Node"), NULL, &nodes);
	for (size_t i = 0; i < pods.count; i++) {
		const struct store_object *pod =
		        store_get(store, pod_kind, pods.items[i]->ns, pods.items[i]->name);
		if (!pod)
			continue;
		const struct view_pod *view = view_pod(pod);
		if (view->deleting) {
			struct api_delete_options now = {.grace = 0};
			api_delete(world->cluster, &tester, pod_kind, pod->ns, pod->name, &now, NULL);
		} else if (!view->node) {
			const char *wanted = kt_path_str(
			        view->spec,
			        "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
			        "nodeSelectorTerms.0.matchFields.0.values.0");
			api_bind(world->cluster, &tester, pod,
			         wanted ? wanted : nodes.items[nodes.count - 1 - i % (nodes.count - 1)]->name,
			         NULL);
		} else if (!view->ip && !world->never_ready && !image_missing(pod)) {
			struct kt_json *json = kt_json_ref(pod->json);
			kt_set(&json, "status", pod_status(world, pod));
			api_update_status(world->cluster, &tester, pod_kind, json, NULL);
		}
	}
	store_list_clear(&pods);
	store_list_clear(&nodes);
}

static UNUSED void renew_leases(struct world *world)
{
	struct store_list nodes = {0};
	struct kt_buf time = {0};
	const struct schema_kind *kind = kind_named(world, "Lease");
	kt_time_print_micro(cluster_now(world->cluster), &time);
	store_list(cluster_store(world->cluster), kind_named(world, "Node"), NULL, &nodes);
	for (size_t i = 0; i < nodes.count; i++) {
		const char *name = nodes.items[i]->name;
		struct kt_json *lease =
		        kt_jsonf("{apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {name: %s, "
		                 "namespace: 'kube-node-lease'}, spec: {renewTime: %s}}",
		                 name, kt_buf_str(&time));
		if (kt_streq(name, world->down)) /* this one is down */
			kt_json_free(lease);
		else if (store_get(cluster_store(world->cluster), kind, "kube-node-lease", name))
			api_update(world->cluster, &tester, kind, lease, NULL);
		else
			api_create(world->cluster, &tester, kind, lease, NULL);
	}
	kt_buf_clear(&time);
	store_list_clear(&nodes);
}

/* Let time pass, in steps of a quarter of a second. */
static UNUSED void run(struct world *world, kt_ns duration)
{
	kt_ns end = cluster_now(world->cluster) + duration, step = 250 * KT_MS;
	bool fake = !world_has_part("kubelet");
	while (cluster_now(world->cluster) < end) {
		kt_ns now = cluster_now(world->cluster), next = KT_MIN(now + step, end);
		if (world->check) {
			while (cluster_advance_to_change(world->cluster, next))
				world->check(world);
		}
		cluster_advance(world->cluster, next);
		if (fake) {
			kubelet_step(world);
			if (now / (10 * KT_SEC) != next / (10 * KT_SEC))
				renew_leases(world);
		}
		if (world->check)
			world->check(world);
	}
}

/* Every event of an object, in order: "reason message\n". Owned. */
static UNUSED char *events_of(struct world *world, const char *name)
{
	const struct store_object *event;
	struct store_list list = {0};
	struct kt_buf text = {0};
	STORE_EACH (event, cluster_store(world->cluster), kind_named(world, "Event"), NULL) {
		if (kt_streq(kt_path_str(event->json, "involvedObject.name"), name))
			controller_list_add(&list, event);
	}
	controller_list_sort(&list, controller_by_creation);
	for (size_t i = 0; i < list.count; i++)
		kt_buf_addf(&text, "%s %s\n", kt_path_str(list.items[i]->json, "reason"),
		            kt_path_str(list.items[i]->json, "message"));
	store_list_clear(&list);
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

static UNUSED void dump(struct world *world, const char *kind)
{
	const struct store_object *object;
	STORE_EACH (object, cluster_store(world->cluster), kind_named(world, kind), NULL) {
		char *text = kt_json_text(object->json);
		fprintf(stderr, "%s\n", text);
		kt_free(text);
	}
}

#endif

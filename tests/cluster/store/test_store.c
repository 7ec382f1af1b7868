/* SPDX-License-Identifier: MIT */
#include "cluster/store/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct schema_kind pods, sets;

static void set_kinds(void)
{
	pods = (struct schema_kind){
	        .group = "", .version = "v1", .kind = "Pod", .namespaced = true, .index = 3};
	sets = (struct schema_kind){.group = "apps", .version = "v1", .kind = "ReplicaSet", .index = 40};
	pods.storage = &pods;
	sets.storage = &sets;
}

static int set_up(void **state)
{
	set_kinds();
	*state = store_new();
	return 0;
}

static int tear_down(void **state)
{
	store_free(*state);
	return 0;
}

static struct kt_json *pod(const char *ns, const char *name, const char *uid)
{
	return kt_jsonf("{kind: 'Pod', metadata: {name: %s, namespace: %s, uid: %s}, spec: {}}", name, ns,
	                uid);
}

static const struct store_object *put(struct store *store, const char *ns, const char *name)
{
	char uid[300];

	snprintf(uid, sizeof(uid), "uid-%s-%s", ns, name);
	return store_put(store, &pods, pod(ns, name, uid), 5, NULL);
}

static void an_object_is_found_by_key_and_by_uid(void **state)
{
	struct store *store = *state;
	const struct store_object *object = put(store, "shop", "web");

	assert_ptr_equal(store_get(store, &pods, "shop", "web"), object);
	assert_ptr_equal(store_get_uid(store, "uid-shop-web"), object);
	assert_null(store_get(store, &pods, "shop", "other"));
	assert_null(store_get(store, &sets, "shop", "web"));
	assert_string_equal(kt_path_str(object->json, "metadata.resourceVersion"), "1");
}

static void a_list_is_in_the_order_of_etcd_keys(void **state)
{
	struct store *store = *state;
	static const char *const want[] = {"a-b/x", "a/m", "a/z", "b/a"};
	struct store_list list;

	put(store, "b", "a");
	put(store, "a", "z");
	put(store, "a-b", "x");
	put(store, "a", "m");
	store_list(store, &pods, NULL, &list);
	assert_int_equal(list.count, 4);
	for (size_t i = 0; i < 4; i++) {
		char key[32];

		snprintf(key, sizeof(key), "%s/%s", list.items[i]->ns, list.items[i]->name);
		assert_string_equal(key, want[i]);
	}
	store_list_clear(&list);
	assert_int_equal(store_count(store, &pods, "a"), 2);
	assert_int_equal(store_count(store, &pods, NULL), 4);
}

static void thousands_of_inserts_and_removals_keep_the_order(void **state)
{
	struct store *store = *state;
	const struct store_object *object;
	char last[32] = "", name[32];
	size_t count = 0;

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "p%05u", i * 2654435761u % 100000);
		put(store, "ns", name);
	}
	for (unsigned i = 0; i < 5000; i += 2) {
		snprintf(name, sizeof(name), "p%05u", i * 2654435761u % 100000);
		object = store_get(store, &pods, "ns", name);
		if (object)
			store_delete(store, object, 6, NULL);
	}
	STORE_EACH (object, store, &pods, "ns") {
		assert_true(strcmp(last, object->name) < 0);
		snprintf(last, sizeof(last), "%s", object->name);
		assert_ptr_equal(store_get(store, &pods, "ns", object->name), object);
		count++;
	}
	assert_int_equal(count, store_count(store, &pods, NULL));
}

static void pods_are_indexed_by_node_and_owner(void **state)
{
	struct store *store = *state;
	struct store_list list;
	const struct store_object *object;
	struct kt_json *json =
	        kt_jsonf("{metadata: {name: 'a', namespace: 'n', uid: 'u1', ownerReferences: [{kind: "
	                 "'ReplicaSet', name: 'r', uid: 'owner', controller: true}]}, spec: {}}");

	object = store_put(store, &pods, json, 1, NULL);
	store_controlled_by(store, &pods, "owner", &list);
	assert_int_equal(list.count, 1);
	store_list_clear(&list);
	json = kt_json_ref(object->json);
	kt_set_path(&json, "spec.nodeName", kt_json_str("n1"));
	kt_unset_path(&json, "metadata.ownerReferences");
	store_put(store, &pods, json, 2, NULL);
	store_pods_on_node(store, "n1", &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0]->name, "a");
	store_list_clear(&list);
	store_owned_by(store, "owner", &list);
	assert_int_equal(list.count, 0);
	store_list_clear(&list);
	store_delete(store, store_get(store, &pods, "n", "a"), 3, NULL);
	store_pods_on_node(store, "n1", &list);
	assert_int_equal(list.count, 0);
	store_list_clear(&list);
}

struct heard {
	struct store *store;
	char text[200];
};

static void hear(void *arg, const struct store_event *event)
{
	struct heard *heard = arg;
	size_t len = strlen(heard->text);

	snprintf(heard->text + len, sizeof(heard->text) - len, "%d:%s@%d ", (int)event->change,
	         event->object->name, (int)event->version);
	if (event->change == STORE_ADDED && strcmp(event->object->name, "first") == 0)
		put(heard->store, "n", "second");
}

static void a_listener_that_writes_hears_its_event_after_the_first(void **state)
{
	struct heard heard = {.store = *state};
	uint64_t id = store_listen(*state, hear, &heard);

	put(*state, "n", "first");
	assert_string_equal(heard.text, "0:first@1 0:second@2 ");
	store_unlisten(*state, id);
	put(*state, "n", "third");
	assert_string_equal(heard.text, "0:first@1 0:second@2 ");
}

static void a_deletion_has_a_version_of_its_own(void **state)
{
	struct store *store = *state;
	const struct store_event *event;

	put(store, "n", "a");
	store_delete(store, store_get(store, &pods, "n", "a"), 9, NULL);
	event = store_next_event(store, &pods, 1, 0);
	assert_non_null(event);
	assert_int_equal(event->change, STORE_DELETED);
	assert_string_equal(kt_path_str(event->object->json, "metadata.resourceVersion"), "2");
	assert_string_equal(kt_path_str(event->old->json, "metadata.resourceVersion"), "1");
}

static void events_of_one_kind_are_read_without_the_others(void **state)
{
	struct store *store = *state;
	const struct store_event *event;
	uint64_t since = 0, hint = 0, seen = 0;

	for (int i = 0; i < 10; i++) {
		put(store, "n", "pod");
		store_put(store, &sets, kt_jsonf("{metadata: {name: 's', uid: 's'}}"), 1, NULL);
	}
	while ((event = store_next_event(store, &pods, since, hint))) {
		assert_ptr_equal(event->object->kind, &pods);
		assert_true(event->version > since);
		since = hint = event->version;
		seen++;
	}
	assert_int_equal(seen, 10);
	assert_int_equal(store_next_event(store, &pods, 4, 0)->version, 5);
	assert_int_equal(store_next_event(store, &sets, 5, 2)->version, 6);
}

static void history_forgets_the_oldest_and_says_so(void **state)
{
	struct store *store = *state;

	store_set_history_limits(store, 10, (size_t)1 << 30);
	for (int i = 0; i < 50; i++)
		put(store, "n", "pod");
	assert_in_range(store_oldest(store), 38, 41);
	assert_int_equal(store_kind_compacted(store, &pods), store_oldest(store));
	assert_int_equal(store_kind_compacted(store, &sets), 0);
	assert_int_equal(store_next_event(store, &pods, 45, 0)->version, 46);
	assert_null(store_snapshot_at(store, 3));
}

static void a_restore_is_seen_as_writes(void **state)
{
	struct store *store = *state;
	struct store_snapshot *snapshot;
	struct heard heard = {.store = store};

	put(store, "n", "kept");
	put(store, "n", "gone");
	snapshot = store_snapshot(store);
	store_delete(store, store_get(store, &pods, "n", "gone"), 3, NULL);
	put(store, "n", "later");
	store_listen(store, hear, &heard);
	store_restore(store, snapshot, 4);
	assert_string_equal(heard.text, "2:later@5 0:gone@6 ");
	assert_non_null(store_get(store, &pods, "n", "kept"));
	assert_null(store_get(store, &pods, "n", "later"));
	assert_int_equal(store_get(store, &pods, "n", "gone")->created_version, 2);
	store_snapshot_free(snapshot);
}

static void a_past_state_is_worked_out_from_the_history(void **state)
{
	struct store *store = *state;
	struct store_snapshot *snapshot;

	put(store, "n", "a");
	put(store, "n", "b");
	store_delete(store, store_get(store, &pods, "n", "a"), 3, NULL);
	put(store, "n", "c");
	snapshot = store_snapshot_at(store, 2);
	store_restore(store, snapshot, 4);
	store_snapshot_free(snapshot);
	assert_non_null(store_get(store, &pods, "n", "a"));
	assert_non_null(store_get(store, &pods, "n", "b"));
	assert_null(store_get(store, &pods, "n", "c"));
}

static void what_changed_is_told_once_to_the_journal(void **state)
{
	struct store *store = *state;
	const struct store_object **dirty;
	size_t count;

	store_track(store);
	put(store, "n", "a");
	put(store, "n", "a");
	put(store, "n", "b");
	count = store_take_dirty(store, &dirty);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		store_unref(dirty[i]);
	kt_free(dirty);
	assert_int_equal(store_take_dirty(store, &dirty), 0);
	kt_free(dirty);
}

static void a_pod_view_adds_up_requests_with_sidecars_and_init_containers(void **state)
{
	struct store *store = *state;
	const struct store_object *object = store_put(
	        store, &pods,
	        kt_jsonf("{metadata: {name: 'a', namespace: 'n', uid: 'u'}, spec: {nodeName: 'n1', "
	                 "initContainers: "
	                 "[{name: 's', restartPolicy: 'Always', resources: {requests: {cpu: '100m'}}}, "
	                 "{name: 'i', "
	                 "resources: {requests: {cpu: '1', memory: '1Gi'}}}], containers: [{name: 'c', "
	                 "resources: "
	                 "{requests: {cpu: '250m', memory: '64Mi', 'example.com/gpu': '2'}}}], overhead: "
	                 "{memory: "
	                 "'1Mi'}}, status: {phase: 'Running', conditions: [{type: 'Ready', status: 'True', "
	                 "lastTransitionTime: '2026-01-01T00:00:00Z'}]}}"),
	        1, NULL);
	const struct view_pod *view = view_pod(object);
	struct kt_json *json;

	assert_int_equal(view->requests.cpu_milli, 1100);
	assert_int_equal(view->requests.memory, ((int64_t)1 << 30) + (1 << 20));
	assert_int_equal(kt_get_int(view->requests.all, "example.com/gpu", 0), 2);
	assert_string_equal(view->node, "n1");
	assert_true(view->ready);
	json = kt_json_ref(object->json);
	kt_set_path(&json, "status.phase", kt_json_str("Failed"));
	view = view_pod(store_put(store, &pods, json, 2, NULL));
	assert_int_equal(view->requests.cpu_milli, 1100);
	assert_int_equal(view->phase, VIEW_FAILED);
}

static void selectors_match_labels(void **state)
{
	struct kt_json *labels = kt_jsonf("{app: 'web', tier: 'front'}");
	struct kt_json *selector =
	        kt_jsonf("{matchLabels: {app: 'web'}, matchExpressions: [{key: 'tier', operator: "
	                 "'In', values: ['front', 'back']}, {key: 'x', operator: 'DoesNotExist'}]}");
	struct kt_json *none =
	        kt_jsonf("{matchExpressions: [{key: 'app', operator: 'NotIn', values: ['web']}]}");
	struct kt_json *all = kt_json_object();

	(void)state;
	assert_true(view_selector_matches(selector, labels));
	assert_false(view_selector_matches(none, labels));
	assert_true(view_selector_matches(all, labels));
	assert_false(view_selector_matches(NULL, labels));
	assert_false(view_map_matches(all, labels));
	kt_json_free(labels);
	kt_json_free(selector);
	kt_json_free(none);
	kt_json_free(all);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(an_object_is_found_by_key_and_by_uid),
	        CASE(a_list_is_in_the_order_of_etcd_keys),
	        CASE(thousands_of_inserts_and_removals_keep_the_order),
	        CASE(pods_are_indexed_by_node_and_owner),
	        CASE(a_listener_that_writes_hears_its_event_after_the_first),
	        CASE(a_deletion_has_a_version_of_its_own),
	        CASE(events_of_one_kind_are_read_without_the_others),
	        CASE(history_forgets_the_oldest_and_says_so),
	        CASE(a_restore_is_seen_as_writes),
	        CASE(a_past_state_is_worked_out_from_the_history),
	        CASE(what_changed_is_told_once_to_the_journal),
	        CASE(a_pod_view_adds_up_requests_with_sidecars_and_init_containers),
	        CASE(selectors_match_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/api_test.h"

#define CM "/api/v1/namespaces/default/configmaps"

static int set_up(void **state)
{
	*state = test_cluster();
	return 0;
}

static int tear_down(void **state)
{
	cluster_free(*state);
	return 0;
}

static void a_new_cluster_has_its_namespaces_nodes_and_services(void **state)
{
	struct answer answer = test_request(*state, "GET", "/api/v1/nodes", NULL, NULL, NULL);
	char *ip;

	assert_int_equal(kt_count(kt_get(answer.json, "items")), 3);
	answer_clear(&answer);
	answer = test_request(*state, "GET", "/api/v1/namespaces", NULL, NULL, NULL);
	assert_int_equal(kt_count(kt_get(answer.json, "items")), 4);
	answer_clear(&answer);
	ip = test_get(*state, "/api/v1/namespaces/default/services/kubernetes", "spec.clusterIP");
	assert_string_equal(ip, "10.96.0.1");
	kt_free(ip);
}

static void a_new_cluster_has_what_the_control_plane_keeps_for_itself(void **state)
{
	static const char *const there[] = {"serviceaccounts/deployment-controller",
	                                    "serviceaccounts/generic-garbage-collector",
	                                    "configmaps/extension-apiserver-authentication"};
	char *since;

	for (size_t i = 0; i < KT_COUNT(there); i++) {
		char *path = kt_strf("/api/v1/namespaces/kube-system/%s", there[i]);

		assert_int_equal(test_code(*state, "GET", path, NULL), 200);
		kt_free(path);
	}
	since = test_get(*state,
	                 "/api/v1/namespaces/kube-system/configmaps/"
	                 "kube-apiserver-legacy-service-account-token-tracking",
	                 "data.since");
	assert_string_equal(since, "2026-01-01");
	kt_free(since);
}

/* registry/core/service/ipallocator */
static void each_cluster_ip_is_an_ip_address(void **state)
{
#define ADDRESSES "/apis/networking.k8s.io/v1/ipaddresses"
#define SERVICES  "/api/v1/namespaces/default/services"
#define AT(name, ip)                                                                                         \
	"{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"clusterIP\":\"" ip "\",\"ports\":[{\"port\":80}]" \
	"}}"
	static const struct {
		const char *method, *path, *body;
		int code;
	} steps[] = {
	        {"POST", SERVICES, AT("s", "10.96.7.7"), 201},
	        {"GET", ADDRESSES "/10.96.7.7", NULL, 200},
	        {"POST", SERVICES "?dryRun=All", AT("t", "10.96.7.8"), 201},
	        {"GET", ADDRESSES "/10.96.7.8", NULL, 404},
	        {"DELETE", SERVICES "/s", NULL, 200},
	        {"GET", ADDRESSES "/10.96.7.7", NULL, 404},
	        {"POST", ADDRESSES,
	         "{\"metadata\":{\"name\":\"10.96.7.9\"},\"spec\":{\"parentRef\":{\"resource\":"
	         "\"things\",\"name\":\"mine\"}}}",
	         201},
	        {"POST", SERVICES, AT("u", "10.96.7.9"), 422},
	        {"POST", ADDRESSES, "{\"metadata\":{\"name\":\"10.96.7\"},\"spec\":{}}", 422},
	};
	char *name = test_get(*state, ADDRESSES "/10.96.0.1", "spec.parentRef.name");

	assert_string_equal(name, "kubernetes");
	kt_free(name);
	for (size_t i = 0; i < KT_COUNT(steps); i++)
		assert_int_equal(test_code(*state, steps[i].method, steps[i].path, steps[i].body),
		                 steps[i].code);
}

static void what_is_created_is_read_back_with_its_metadata_in_order(void **state)
{
	struct answer answer = test_request(*state, "POST", CM, NULL, NULL,
	                                    "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
	const struct kt_json *metadata;

	assert_int_equal(answer.response.status, 201);
	metadata = kt_get(answer.json, "metadata");
	assert_string_equal(kt_key(answer.json, 0), "kind");
	assert_string_equal(kt_key(answer.json, 1), "apiVersion");
	assert_string_equal(kt_key(metadata, 0), "name");
	assert_string_equal(kt_key(metadata, 1), "namespace");
	assert_string_equal(kt_key(metadata, 2), "uid");
	assert_string_equal(kt_key(metadata, 3), "resourceVersion");
	assert_string_equal(kt_get_str(metadata, "creationTimestamp"), "2026-01-01T00:00:00Z");
	answer_clear(&answer);
	assert_int_equal(test_code(*state, "GET", CM "/a", NULL), 200);
	assert_int_equal(test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}"), 409);
}

static void what_is_not_there_is_not_found_by_name(void **state)
{
	struct answer answer = test_request(*state, "GET", "/apis/apps/v1/namespaces/default/deployments/x",
	                                    NULL, NULL, NULL);

	assert_int_equal(answer.response.status, 404);
	assert_string_equal(kt_get_str(answer.json, "message"), "deployments.apps \"x\" not found");
	assert_string_equal(kt_path_str(answer.json, "details.group"), "apps");
	assert_string_equal(kt_path_str(answer.json, "details.kind"), "deployments");
	answer_clear(&answer);
	assert_int_equal(test_code(*state, "GET", "/apis/nope/v1/things", NULL), 404);
	assert_int_equal(test_code(*state, "PUT", CM, "{}"), 405);
}

static void an_update_from_an_old_version_conflicts(void **state)
{
	struct answer answer =
	        test_request(*state, "POST", CM, NULL, NULL, "{\"metadata\":{\"name\":\"a\"}}");
	char *old = kt_json_text(answer.json);

	answer_clear(&answer);
	assert_int_equal(
	        test_code(*state, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}"),
	        200);
	answer = test_request(*state, "PUT", CM "/a", NULL, NULL, old);
	assert_int_equal(answer.response.status, 409);
	assert_string_equal(
	        kt_get_str(answer.json, "message"),
	        "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please "
	        "apply your changes to the latest version and try again");
	answer_clear(&answer);
	kt_free(old);
	assert_int_equal(test_code(*state, "PUT", CM "/nope", "{\"metadata\":{\"name\":\"nope\"}}"), 404);
}

static void an_update_without_a_change_writes_nothing(void **state)
{
	char *before, *after;

	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}");
	before = test_get(*state, CM "/a", "metadata.resourceVersion");
	assert_int_equal(
	        test_code(*state, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}"),
	        200);
	after = test_get(*state, CM "/a", "metadata.resourceVersion");
	assert_string_equal(before, after);
	kt_free(before);
	kt_free(after);
}

static void a_spec_change_raises_the_generation_and_a_status_change_does_not(void **state)
{
	static const char body[] =
	        "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
	        "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{"
	        "\"name\":\"c\",\"image\":\"nginx\"}]}}},\"status\":{\"replicas\":9}}";
	static const char path[] = "/apis/apps/v1/namespaces/default/deployments";
	struct answer answer = test_request(*state, "POST", path, NULL, NULL, body);
	char item[100], *text;

	assert_int_equal(answer.response.status, 201);
	assert_int_equal(kt_path_int(answer.json, "metadata.generation", 0), 1);
	assert_int_equal(kt_path_int(answer.json, "status.replicas", 0), 0);
	answer_clear(&answer);
	snprintf(item, sizeof(item), "%s/d", path);
	answer = test_request(*state, "PATCH", item, "application/merge-patch+json", NULL,
	                      "{\"spec\":{\"replicas\":3}}");
	assert_int_equal(kt_path_int(answer.json, "metadata.generation", 0), 2);
	answer_clear(&answer);
	snprintf(item, sizeof(item), "%s/d/status", path);
	answer = test_request(*state, "PATCH", item, "application/merge-patch+json", NULL,
	                      "{\"spec\":{\"replicas\":5},\"status\":{\"replicas\":2}}");
	assert_int_equal(kt_path_int(answer.json, "metadata.generation", 0), 2);
	assert_int_equal(kt_path_int(answer.json, "spec.replicas", 0), 3);
	assert_int_equal(kt_path_int(answer.json, "status.replicas", 0), 2);
	answer_clear(&answer);
	snprintf(item, sizeof(item), "%s/d/scale", path);
	text = test_get(*state, item, "status.selector");
	assert_string_equal(text, "a=b");
	kt_free(text);
}

/* Whose fields an object's are, an entry a line: manager, subresource, set ("+" for more than replicas). */
static void expect_managers(void *world, const char *path, const char *wanted)
{
	struct answer answer = test_request(world, "GET", path, NULL, NULL, NULL);
	const struct kt_json *entry;
	struct kt_buf is = {0};

	KT_JSON_EACH (entry, kt_path(answer.json, "metadata.managedFields")) {
		const struct kt_json *set = kt_get(entry, "fieldsV1");
		char *text = kt_json_text(set);

		kt_buf_addf(&is, "%s%s %s %s", entry_i ? "\n" : "", kt_get_text(entry, "manager"),
		            kt_get_text(entry, "subresource"),
		            kt_count(kt_get(set, "f:spec")) > 1 ? "+" : text);
		if (kt_get(entry, "time") && strstr(text, "f:replicas"))
			kt_buf_adds(&is, " at");
		kt_free(text);
	}
	assert_string_equal(kt_buf_str(&is), wanted);
	kt_buf_clear(&is);
	answer_clear(&answer);
}

/* kubectl scale to what it is: the creator's entry is parted, and the next write keeps the last of the two.
 */
static void a_scale_parts_the_entries_of_its_object(void **state)
{
#define DEPLOYMENTS "/apis/apps/v1/namespaces/default/deployments"
	static const struct {
		int replicas;
		const char *managers;
	} rows[] = {{2, "kubectl-create  {\"f:spec\":{\"f:replicas\":{}}}\nkubectl-create  +"},
	            {2, "kubectl-create  +"},
	            {3, "kubectl-create  +"}};
	static const char made[] =
	        "{\"metadata\":{\"name\":\"%s\"},\"spec\":{\"replicas\":2,\"selector\":{\"matchLabels\":{"
	        "\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
	        "\"containers\":"
	        "[{\"name\":\"c\",\"image\":\"i\"}]}}}}";
	char body[512];

	snprintf(body, sizeof(body), made, "same");
	test_code(*state, "POST", DEPLOYMENTS "?fieldManager=kubectl-create", body);
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		snprintf(body, sizeof(body), "{\"spec\":{\"replicas\":%d}}", rows[i].replicas);
		struct answer answer =
		        test_request(*state, "PATCH", DEPLOYMENTS "/same/scale?fieldManager=kubectl",
		                     "application/merge-patch+json", NULL, body);
		assert_int_equal(answer.response.status, 200);
		assert_null(kt_path(answer.json, "metadata.managedFields"));
		answer_clear(&answer);
		expect_managers(*state, DEPLOYMENTS "/same", rows[i].managers);
	}
	snprintf(body, sizeof(body), made, "other");
	test_code(*state, "POST", DEPLOYMENTS "?fieldManager=kubectl-create", body);
	for (int replicas = 3; replicas < 5; replicas++) {
		snprintf(body, sizeof(body), "{\"spec\":{\"replicas\":%d}}", replicas);
		struct answer answer =
		        test_request(*state, "PATCH", DEPLOYMENTS "/other/scale?fieldManager=kubectl",
		                     "application/merge-patch+json", NULL, body);
		answer_clear(&answer);
		expect_managers(*state, DEPLOYMENTS "/other",
		                "kubectl scale {\"f:spec\":{\"f:replicas\":{}}}\nkubectl-create  +");
	}
	test_code(*state, "PUT", DEPLOYMENTS "/other/scale?fieldManager=other",
	          "{\"metadata\":{\"name\":\"other\",\"namespace\":\"default\"},\"spec\":{\"replicas\":1}}");
	expect_managers(*state, DEPLOYMENTS "/other",
	                "other scale {\"f:spec\":{\"f:replicas\":{}}}\nkubectl-create  +");
}

static void finalizers_hold_an_object_until_the_last_one_goes(void **state)
{
	struct answer answer;

	test_code(*state, "POST", CM,
	          "{\"metadata\":{\"name\":\"a\",\"finalizers\":[\"example.com/hold\"]}}");
	answer = test_request(*state, "DELETE", CM "/a", NULL, NULL, NULL);
	assert_int_equal(answer.response.status, 200);
	assert_string_equal(kt_path_str(answer.json, "metadata.deletionTimestamp"), "2026-01-01T00:00:00Z");
	answer_clear(&answer);
	answer = test_request(*state, "PATCH", CM "/a", "application/merge-patch+json", NULL,
	                      "{\"metadata\":{\"finalizers\":null}}");
	assert_int_equal(answer.response.status, 200);
	answer_clear(&answer);
	assert_int_equal(test_code(*state, "GET", CM "/a", NULL), 404);
}

static void a_plain_deletion_answers_with_a_status_and_keeps_uid_preconditions(void **state)
{
	struct answer answer;

	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	answer = test_request(*state, "DELETE", CM "/a", NULL, NULL,
	                      "{\"preconditions\":{\"uid\":\"other\"}}");
	assert_int_equal(answer.response.status, 409);
	answer_clear(&answer);
	answer = test_request(*state, "DELETE", CM "/a", NULL, NULL, NULL);
	assert_string_equal(kt_get_str(answer.json, "status"), "Success");
	assert_string_equal(kt_path_str(answer.json, "details.kind"), "configmaps");
	answer_clear(&answer);
}

static void a_dry_run_leaves_nothing_behind(void **state)
{
	assert_int_equal(test_code(*state, "POST", CM "?dryRun=All", "{\"metadata\":{\"name\":\"a\"}}"), 201);
	assert_int_equal(test_code(*state, "GET", CM "/a", NULL), 404);
}

static void lists_come_in_chunks_of_one_moment(void **state)
{
	struct answer first, second;
	char target[600];

	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"b\"}}");
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"c\"}}");
	first = test_request(*state, "GET", CM "?limit=2", NULL, NULL, NULL);
	assert_int_equal(kt_count(kt_get(first.json, "items")), 2);
	assert_int_equal(kt_path_int(first.json, "metadata.remainingItemCount", 0), 1);
	/* what comes later is not part of it, what goes still is */
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"d\"}}");
	test_code(*state, "DELETE", CM "/c", NULL);
	snprintf(target, sizeof(target), CM "?limit=2&continue=%s",
	         kt_path_str(first.json, "metadata.continue"));
	second = test_request(*state, "GET", target, NULL, NULL, NULL);
	assert_int_equal(kt_count(kt_get(second.json, "items")), 1);
	assert_string_equal(kt_path_str(second.json, "items.0.metadata.name"), "c");
	answer_clear(&first);
	answer_clear(&second);
}

static void selectors_choose_and_their_errors_are_told(void **state)
{
	struct answer answer;

	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\",\"labels\":{\"app\":\"x\"}}}");
	answer = test_request(*state, "GET", CM "?labelSelector=app%20in%20(x,y)", NULL, NULL, NULL);
	assert_int_equal(kt_count(kt_get(answer.json, "items")), 1);
	answer_clear(&answer);
	answer = test_request(*state, "GET", CM "?fieldSelector=metadata.name!%3Da", NULL, NULL, NULL);
	assert_int_equal(kt_count(kt_get(answer.json, "items")), 0);
	answer_clear(&answer);
	answer = test_request(*state, "GET", CM "?labelSelector=app%20in%20(", NULL, NULL, NULL);
	assert_string_equal(kt_get_str(answer.json, "message"),
	                    "unable to parse requirement: found '', expected: ',', ')' or identifier");
	answer_clear(&answer);
	answer = test_request(*state, "GET", "/api/v1/pods?fieldSelector=spec.nope%3Dx", NULL, NULL, NULL);
	assert_string_equal(kt_get_str(answer.json, "message"), "field label not supported: spec.nope");
	answer_clear(&answer);
}

static void a_table_has_columns_and_rows(void **state)
{
	struct answer answer =
	        test_request(*state, "GET", "/api/v1/nodes", NULL,
	                     "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", NULL);

	assert_string_equal(kt_get_str(answer.json, "kind"), "Table");
	assert_int_equal(kt_count(kt_get(answer.json, "rows")), 3);
	assert_string_equal(kt_path_str(answer.json, "rows.0.object.kind"), "PartialObjectMetadata");
	assert_string_equal(kt_path_str(answer.json, "rows.0.cells.0"), "control-plane");
	answer_clear(&answer);
}

static void generated_names_have_five_letters(void **state)
{
	struct answer answer =
	        test_request(*state, "POST", CM, NULL, NULL, "{\"metadata\":{\"generateName\":\"made-\"}}");

	assert_int_equal(strlen(kt_path_str(answer.json, "metadata.name")), 10);
	answer_clear(&answer);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_new_cluster_has_its_namespaces_nodes_and_services),
	        CASE(a_new_cluster_has_what_the_control_plane_keeps_for_itself),
	        CASE(each_cluster_ip_is_an_ip_address),
	        CASE(what_is_created_is_read_back_with_its_metadata_in_order),
	        CASE(what_is_not_there_is_not_found_by_name),
	        CASE(an_update_from_an_old_version_conflicts),
	        CASE(an_update_without_a_change_writes_nothing),
	        CASE(a_spec_change_raises_the_generation_and_a_status_change_does_not),
	        CASE(a_scale_parts_the_entries_of_its_object),
	        CASE(finalizers_hold_an_object_until_the_last_one_goes),
	        CASE(a_plain_deletion_answers_with_a_status_and_keeps_uid_preconditions),
	        CASE(a_dry_run_leaves_nothing_behind),
	        CASE(lists_come_in_chunks_of_one_moment),
	        CASE(selectors_choose_and_their_errors_are_told),
	        CASE(a_table_has_columns_and_rows),
	        CASE(generated_names_have_five_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "cluster/cluster_internal.h"
#include "tests/cluster/api/api_test.h"

#define CM "/api/v1/namespaces/default/configmaps"

static void time_passes_only_when_it_is_advanced(void **state)
{
	struct cluster *cluster = test_cluster();
	kt_ns start = cluster_now(cluster);

	(void)state;
	cluster_advance(cluster, start + 90 * KT_SEC);
	assert_true(cluster_now(cluster) == start + 90 * KT_SEC);
	assert_true(cluster_next(cluster) > cluster_now(cluster));
	cluster_free(cluster);
}

/* What a cluster does of itself, nodes' and control plane's leases first: each moment wakes a server that is
 * looked at. */
static void an_idle_cluster_has_little_to_do(void **state)
{
	struct cluster *cluster = test_cluster();
	kt_ns end;
	uint64_t version;
	size_t moments = 0;

	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 60 * KT_SEC);
	end = cluster_now(cluster) + 600 * KT_SEC;
	version = store_version(cluster_store(cluster));
	for (; cluster_next(cluster) <= end; moments++)
		cluster_advance(cluster, cluster_next(cluster));
	assert_in_range(moments, 60, 400);
	assert_in_range(store_version(cluster_store(cluster)) - version, 60, 400);
	cluster_free(cluster);
}

static void two_clusters_with_one_seed_have_one_history(void **state)
{
	char *texts[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct cluster *cluster = test_cluster();
		struct kt_json *history;

		test_code(cluster, "POST", "/api/v1/namespaces/default/pods",
		          "{\"metadata\":{\"generateName\":\"p-\"},\"spec\":{\"containers\":[{\"name\":\"c\","
		          "\"image\":"
		          "\"nginx\"}]}}");
		cluster_advance(cluster, cluster_now(cluster) + 60 * KT_SEC);
		history = cluster_history(cluster, NULL, 0, 5000);
		texts[i] = kt_json_text(history);
		kt_json_free(history);
		cluster_free(cluster);
	}
	assert_string_equal(texts[0], texts[1]);
	kt_free(texts[0]);
	kt_free(texts[1]);
}

static void advancing_to_a_change_stops_at_its_moment(void **state)
{
	struct cluster *cluster = test_cluster();
	kt_ns start;

	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 30 * KT_SEC);
	start = cluster_now(cluster);
	test_code(cluster, "POST", "/api/v1/namespaces/default/pods",
	          "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":"
	          "\"nginx\"}]}}");
	assert_true(cluster_advance_to_change(cluster, start + 60 * KT_SEC));
	assert_true(cluster_now(cluster) < start + 60 * KT_SEC);
	cluster_free(cluster);
}

static void a_renewed_lease_is_no_change(void **state)
{
	struct cluster *cluster = test_cluster();
	kt_ns end;
	uint64_t version;

	(void)state;
	cluster_advance(cluster, cluster_now(cluster) + 60 * KT_SEC);
	version = store_version(cluster_store(cluster));
	end = cluster_now(cluster) + 60 * KT_SEC;
	assert_false(cluster_advance_to_change(cluster, end));
	assert_true(cluster_now(cluster) == end);
	assert_true(store_version(cluster_store(cluster)) > version);
	cluster_free(cluster);
}

static void a_restore_brings_objects_and_time_back(void **state)
{
	struct cluster *cluster = test_cluster();
	struct cluster_snapshot *snapshot;
	kt_ns then;

	(void)state;
	test_code(cluster, "POST", CM, "{\"metadata\":{\"name\":\"kept\"}}");
	snapshot = cluster_snapshot(cluster);
	then = cluster_now(cluster);
	test_code(cluster, "DELETE", CM "/kept", NULL);
	test_code(cluster, "POST", CM, "{\"metadata\":{\"name\":\"later\"}}");
	cluster_advance(cluster, then + 600 * KT_SEC);
	cluster_restore(cluster, snapshot);
	cluster_snapshot_free(snapshot);
	assert_true(cluster_now(cluster) == then);
	assert_int_equal(test_code(cluster, "GET", CM "/kept", NULL), 200);
	assert_int_equal(test_code(cluster, "GET", CM "/later", NULL), 404);
	cluster_advance(cluster, then + 600 * KT_SEC);
	cluster_free(cluster);
}

static void a_rewind_goes_to_any_moment_of_the_history(void **state)
{
	struct cluster *cluster = test_cluster();
	kt_ns start = cluster_now(cluster);
	char *value;
	struct kt_err err = {0};

	(void)state;
	test_code(cluster, "POST", CM, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}");
	cluster_advance(cluster, start + 60 * KT_SEC);
	test_code(cluster, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"2\"}}");
	cluster_advance(cluster, start + 120 * KT_SEC);
	test_code(cluster, "DELETE", CM "/a", NULL);
	cluster_advance(cluster, start + 180 * KT_SEC);
	assert_int_equal(cluster_rewind(cluster, start + 90 * KT_SEC, &err), KT_OK);
	value = test_get(cluster, CM "/a", "data.k");
	assert_string_equal(value, "2");
	kt_free(value);
	assert_int_equal(cluster_rewind(cluster, start + 30 * KT_SEC, &err), KT_OK);
	value = test_get(cluster, CM "/a", "data.k");
	assert_string_equal(value, "1");
	kt_free(value);
	assert_int_not_equal(cluster_rewind(cluster, start + 3600 * KT_SEC, &err), KT_OK);
	cluster_free(cluster);
}

static void the_history_says_who_changed_what(void **state)
{
	struct cluster *cluster = test_cluster();
	struct kt_json *history;
	const struct kt_json *event;

	(void)state;
	test_code(cluster, "POST", CM, "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"1\"}}");
	test_code(cluster, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"2\"}}");
	history = cluster_history(cluster, "cm/default/a", 0, 0);
	assert_int_equal(kt_count(kt_get(history, "events")), 2);
	event = kt_at(kt_get(history, "events"), 1);
	assert_string_equal(kt_get_str(event, "change"), "modified");
	assert_string_equal(kt_path_str(event, "changed.0.path"), "data.k");
	assert_string_equal(kt_path_str(event, "changed.0.to"), "2");
	kt_json_free(history);
	cluster_free(cluster);
}

static void times_on_the_wire_are_shifted_to_the_clients_clock(void **state)
{
	struct cluster *cluster = test_cluster();
	char *time;

	(void)state;
	cluster_set_wire_offset(cluster, 3600 * KT_SEC);
	test_code(cluster, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	time = test_get(cluster, CM "/a", "metadata.creationTimestamp");
	assert_string_equal(time, "2025-12-31T23:00:00Z");
	kt_free(time);
	cluster_set_wire_offset(cluster, 0);
	time = test_get(cluster, CM "/a", "metadata.creationTimestamp");
	assert_string_equal(time, "2026-01-01T00:00:00Z");
	kt_free(time);
	cluster_free(cluster);
}

/* What somebody wrote down about a year long past is not the cluster's time. */
static void old_times_are_nobodys_clock(void **state)
{
	static const char leases[] = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
	struct cluster *cluster = test_cluster();
	char *path = kt_strf("%s/a", leases), *time;

	(void)state;
	test_code(cluster, "POST", leases,
	          "{\"metadata\":{\"name\":\"a\"},\"spec\":{\"renewTime\":\"2024-01-01T00:00:00.000000Z\"}}");
	cluster_set_wire_offset(cluster, 3600 * KT_SEC); /* it jumped since */
	time = test_get(cluster, path, "spec.renewTime");
	assert_string_equal(time, "2024-01-01T00:00:00.000000Z");
	kt_free(time);
	kt_free(path);
	cluster_free(cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(old_times_are_nobodys_clock),
	        cmocka_unit_test(time_passes_only_when_it_is_advanced),
	        cmocka_unit_test(an_idle_cluster_has_little_to_do),
	        cmocka_unit_test(two_clusters_with_one_seed_have_one_history),
	        cmocka_unit_test(advancing_to_a_change_stops_at_its_moment),
	        cmocka_unit_test(a_renewed_lease_is_no_change),
	        cmocka_unit_test(a_restore_brings_objects_and_time_back),
	        cmocka_unit_test(a_rewind_goes_to_any_moment_of_the_history),
	        cmocka_unit_test(the_history_says_who_changed_what),
	        cmocka_unit_test(times_on_the_wire_are_shifted_to_the_clients_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What a cluster keeps, and what becomes of it when the keeping fails. The journal here is a JSON object. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "tests/cluster/shelf.h"

static struct cluster *open_cluster(struct cluster_journal *journal, struct shelf *shelf)
{
	struct cluster *cluster = NULL;
	struct kt_err err = {0};
	*journal = (struct cluster_journal){shelf, shelf_write, shelf_read};
	const struct cluster_options options = {
	        .name = "demo", .seed = 1, .now = 1000000 * KT_SEC, .workers = 2, .journal = journal};
	if (cluster_new(&options, &cluster, &err))
		fail_msg("%s", err.text);
	return cluster;
}

static int ask(struct cluster *cluster, const char *method, const char *target, const char *body)
{
	static const struct cluster_header json = {"Content-Type", "application/json"};
	const struct cluster_request request = {.method = method,
	                                        .target = target,
	                                        .headers = &json,
	                                        .header_count = 1,
	                                        .body = body,
	                                        .body_len = body ? strlen(body) : 0,
	                                        .loopback_admin = true};
	struct cluster_response response = {0};
	cluster_handle(cluster, &request, &response);
	int status = response.status;
	cluster_response_clear(&response);
	return status;
}

#define CONFIG_MAP(name)                                                                                     \
	"{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" name                       \
	"\"},\"data\":{\"a\":\"1\"}}"
#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"

static void what_was_flushed_comes_back(void **state)
{
	struct cluster_journal journal;
	struct shelf shelf = {0};
	struct cluster *cluster = open_cluster(&journal, &shelf);
	(void)state;
	assert_int_equal(ask(cluster, "POST", CONFIG_MAPS, CONFIG_MAP("kept")), 201);
	assert_int_equal(ask(cluster, "POST", CONFIG_MAPS, CONFIG_MAP("gone")), 201);
	assert_int_equal(cluster_flush(cluster, NULL), KT_OK);
	assert_int_equal(ask(cluster, "DELETE", CONFIG_MAPS "/gone", NULL), 200);
	assert_int_equal(cluster_flush(cluster, NULL), KT_OK);
	kt_ns now = cluster_now(cluster);
	cluster_free(cluster);
	cluster = open_cluster(&journal, &shelf);
	assert_int_equal(cluster_now(cluster), now);
	assert_int_equal(ask(cluster, "GET", CONFIG_MAPS "/kept", NULL), 200);
	assert_int_equal(ask(cluster, "GET", CONFIG_MAPS "/gone", NULL), 404);
	cluster_free(cluster);
	kt_json_free(shelf.records);
}

static void what_could_not_be_written_is_written_later(void **state)
{
	struct cluster_journal journal;
	struct shelf shelf = {0};
	struct kt_err err = {0};
	struct cluster *cluster = open_cluster(&journal, &shelf);
	(void)state;
	assert_int_equal(cluster_flush(cluster, NULL), KT_OK);
	shelf.full = true;
	assert_int_equal(ask(cluster, "POST", CONFIG_MAPS, CONFIG_MAP("one")), 201);
	assert_int_equal(cluster_flush(cluster, &err), KT_EIO);
	assert_string_equal(err.text, "the shelf is full");
	assert_int_equal(ask(cluster, "POST", CONFIG_MAPS, CONFIG_MAP("two")), 201);
	assert_int_equal(ask(cluster, "DELETE", CONFIG_MAPS "/one", NULL), 200);
	assert_int_equal(cluster_flush(cluster, NULL), KT_EIO);
	shelf.full = false;
	assert_int_equal(cluster_flush(cluster, NULL), KT_OK);
	cluster_free(cluster);
	cluster = open_cluster(&journal, &shelf);
	assert_int_equal(ask(cluster, "GET", CONFIG_MAPS "/two", NULL), 200);
	assert_int_equal(ask(cluster, "GET", CONFIG_MAPS "/one", NULL), 404);
	cluster_free(cluster);
	kt_json_free(shelf.records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_was_flushed_comes_back),
	        cmocka_unit_test(what_could_not_be_written_is_written_later),
	};
	return cmocka_run_group_tests_name("cluster journal", tests, NULL, NULL);
}

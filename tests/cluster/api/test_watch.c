/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/api_test.h"

#define CM "/api/v1/namespaces/kube-public/configmaps"

static int set_up(void **state)
{
	*state = test_cluster();
	/* what the controllers make at the start */
	cluster_advance(*state, cluster_now(*state) + 5 * KT_SEC);
	return 0;
}

static int tear_down(void **state)
{
	cluster_free(*state);
	return 0;
}

/* All lines that can be read now; "END" when it is over. */
static char *lines(struct answer *watch)
{
	struct kt_buf out = {0}, text = {0};
	enum cluster_stream_state state;
	unsigned channel;
	const char *at, *line;
	size_t len;

	while ((state = cluster_stream_read(watch->response.stream, &channel, &text)) == CLUSTER_STREAM_DATA)
		;
	at = kt_buf_str(&text);
	while (at && (line = kt_split(&at, '\n', &len))) {
		struct kt_json *event = NULL;

		if (!len || kt_json_parse(line, len, NULL, &event, NULL, NULL))
			continue;
		kt_buf_addf(&out, "%s %s%s ", kt_get_str(event, "type"),
		            kt_str_or(kt_path(event, "object.metadata.name"), ""),
		            kt_path(event, "object.code") ? "410" : "");
		kt_json_free(event);
	}
	if (state == CLUSTER_STREAM_END)
		kt_buf_adds(&out, "END");
	kt_buf_clear(&text);
	return kt_buf_take(&out);
}

static struct answer watch(struct cluster *cluster, const char *query)
{
	char target[300];

	snprintf(target, sizeof(target), CM "?watch=1%s", query);
	return test_request(cluster, "GET", target, NULL, NULL, NULL);
}

static void expect(struct answer *watching, const char *want)
{
	char *got = lines(watching);

	assert_string_equal(got, want);
	kt_free(got);
}

static void a_watch_begins_with_what_is_and_goes_on_with_what_happens(void **state)
{
	struct answer watching = watch(*state, "");

	expect(&watching, "ADDED kube-root-ca.crt ");
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	test_code(*state, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"v\"}}");
	test_code(*state, "DELETE", CM "/a", NULL);
	test_code(*state, "POST", "/api/v1/namespaces/default/configmaps",
	          "{\"metadata\":{\"name\":\"elsewhere\"}}");
	expect(&watching, "ADDED a MODIFIED a DELETED a ");
	answer_clear(&watching);
}

static void leaving_and_entering_a_selection_is_deletion_and_addition(void **state)
{
	char *version = test_get(*state, CM, "metadata.resourceVersion"), query[100];
	struct answer watching;

	snprintf(query, sizeof(query), "&resourceVersion=%s&labelSelector=app%%3Dx", version);
	watching = watch(*state, query);
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	test_code(*state, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\",\"labels\":{\"app\":\"x\"}}}");
	test_code(*state, "PUT", CM "/a", "{\"metadata\":{\"name\":\"a\",\"labels\":{\"app\":\"y\"}}}");
	expect(&watching, "ADDED a DELETED a ");
	answer_clear(&watching);
	kt_free(version);
}

static void a_watch_ends_after_its_time(void **state)
{
	struct answer watching = watch(*state, "&timeoutSeconds=3&resourceVersion=1&labelSelector=none");

	expect(&watching, "");
	cluster_advance(*state, cluster_now(*state) + 2 * KT_SEC);
	expect(&watching, "");
	cluster_advance(*state, cluster_now(*state) + 2 * KT_SEC);
	expect(&watching, "END");
	answer_clear(&watching);
}

static void a_streaming_list_ends_with_a_bookmark(void **state)
{
	struct answer watching = watch(*state, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&"
	                                       "allowWatchBookmarks=true");

	expect(&watching, "ADDED kube-root-ca.crt BOOKMARK  ");
	answer_clear(&watching);
	watching = watch(*state, "&sendInitialEvents=true");
	assert_int_equal(watching.response.status, 422);
	answer_clear(&watching);
}

static void a_version_that_is_forgotten_is_gone(void **state)
{
	struct answer watching;

	for (int i = 0; i < 40000; i++) {
		char body[100];

		snprintf(body, sizeof(body), "{\"metadata\":{\"name\":\"a\"},\"data\":{\"k\":\"%d\"}}", i);
		test_code(*state, i ? "PUT" : "POST", i ? CM "/a" : CM, body);
	}
	watching = watch(*state, "&resourceVersion=50");
	expect(&watching, "ERROR 410 END");
	answer_clear(&watching);
}

static void bookmarks_come_once_a_minute_if_anything_happened(void **state)
{
	struct answer watching = watch(*state, "&allowWatchBookmarks=true&labelSelector=none");

	expect(&watching, "");
	test_code(*state, "POST", CM, "{\"metadata\":{\"name\":\"a\"}}");
	cluster_advance(*state, cluster_now(*state) + 61 * KT_SEC);
	expect(&watching, "BOOKMARK  ");
	answer_clear(&watching);
}

static void a_watch_outlives_nothing_but_its_cluster(void **state)
{
	struct cluster *cluster = test_cluster();
	struct answer watching = watch(cluster, "");

	(void)state;
	cluster_free(cluster);
	expect(&watching, "END");
	answer_clear(&watching);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
	        CASE(a_watch_begins_with_what_is_and_goes_on_with_what_happens),
	        CASE(leaving_and_entering_a_selection_is_deletion_and_addition),
	        CASE(a_watch_ends_after_its_time),
	        CASE(a_streaming_list_ends_with_a_bookmark),
	        CASE(a_version_that_is_forgotten_is_gone),
	        CASE(bookmarks_come_once_a_minute_if_anything_happened),
	        cmocka_unit_test(a_watch_outlives_nothing_but_its_cluster),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "checker/checker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char open_door[] = "connected", cannot[] = "stranger cannot connect to service shop/backend:8080",
            place[] = "service shop/backend:8080";
static const struct check_finding failed_twice[] = {
        {.status = CHECK_FAILED, .expected = cannot, .found = open_door, .object = place},
        {.status = CHECK_FAILED, .expected = cannot, .found = open_door, .object = place}};
static const struct check_finding passed[] = {
        {.status = CHECK_PASSED, .expected = cannot, .found = open_door}};
static const struct check_report_task tasks[] = {
        {.task = "closed",
         .title = "Close the door",
         .why = "One hacked pod is in.",
         .points = 1,
         .findings = failed_twice,
         .finding_count = 2,
         .hints_left = 3},
        {.task = "other", .title = "Other <&>", .points = 2, .findings = passed, .finding_count = 1},
        {.task = "last", .title = "Last", .points = 1, .blocked = true},
};

static char *report(enum check_format format)
{
	struct kt_buf out = {0};
	check_report(format, "lab", tasks, KT_COUNT(tasks), false, &out);
	return kt_buf_take(&out);
}

static void text_shows_a_finding_once_with_its_reason(void **state)
{
	(void)state;
	char *text = report(CHECK_TEXT);
	assert_string_equal(text, "✗ closed  Close the door\n"
	                          "    expected   stranger cannot connect to service shop/backend:8080\n"
	                          "    found      connected\n"
	                          "    why        One hacked pod is in.\n"
	                          "    next       `ktutor lab hint` · 3 hints left\n"
	                          "✓ other  Other <&>\n"
	                          "○ last  Last\n"
	                          "    waits      for the tasks before it\n"
	                          "lab: 1 of 3 tasks, 2 of 4 points\n");
	kt_free(text);
}

static void json_has_status_findings_and_places(void **state)
{
	(void)state;
	char *text = report(CHECK_JSON);
	struct kt_json *json = NULL;
	assert_int_equal(kt_json_parse(text, strlen(text), NULL, &json, NULL, NULL), KT_OK);
	assert_string_equal(kt_get_str(json, "status"), "failed");
	assert_int_equal(kt_get_int(json, "points", -1), 2);
	assert_string_equal(kt_path_str(json, "tasks.0.findings.0.where.object"), place);
	assert_string_equal(kt_path_str(json, "tasks.2.status"), "blocked");
	kt_json_free(json);
	kt_free(text);
}

static void junit_counts_and_escapes(void **state)
{
	(void)state;
	char *text = report(CHECK_JUNIT);
	assert_non_null(strstr(text, "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
	assert_non_null(strstr(text, "<failure message=\"connected\">"));
	kt_free(text);
}

static void tap_numbers_every_task(void **state)
{
	(void)state;
	char *text = report(CHECK_TAP);
	assert_non_null(strstr(text, "1..3\nnot ok 1 - lab closed\n"));
	assert_non_null(strstr(text, "ok 2 - lab other\n"));
	assert_non_null(strstr(text, "not ok 3 - lab last # SKIP"));
	kt_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_shows_a_finding_once_with_its_reason),
	        cmocka_unit_test(json_has_status_findings_and_places),
	        cmocka_unit_test(junit_counts_and_escapes),
	        cmocka_unit_test(tap_numbers_every_task),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

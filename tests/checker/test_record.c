/* SPDX-License-Identifier: MIT */
/* What the learner has done is asked as objects are: rows, `where`, `count`, `none`; and questions are
 * computed from it. No cluster is needed. */
#include "checker/checker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char full[] =
        "{labs: [{lab: one, passed: 1700000000, hints: 3, seconds: 60}, {lab: two, passed: null, hints: 3, "
        "seconds: 900},"
        " {lab: self, passed: null, hints: 9}, {lab: three, passed: 1700000900, hints: 0}],"
        " tasks: [{lab: one, task: a, passed: 1700000000, hints: 3}, {lab: one, task: b, passed: 1700000000, "
        "hints: 0},"
        " {lab: two, task: c, passed: null, hints: 0}],"
        " answers: [{lesson: '6.1', question: 0, right: 1}, {lesson: '6.2', question: 0, right: 0}]}";

/* The check of `text`, with the record (NULL: nobody keeps one) and an answer to "?" (may be NULL). */
static enum check_status look(const char *text, const char *record, const char *typed, char found[200])
{
	struct kt_yaml *yaml = NULL, *rows = NULL;
	struct check_check **checks = NULL;
	struct check_finding finding = {0};
	struct kt_json *answers = typed ? kt_jsonf("{'?': %s}", typed) : NULL;
	size_t count = 0;
	assert_int_equal(kt_yaml_parse("lab.yaml", text, strlen(text), &yaml, NULL), KT_OK);
	assert_int_equal(check_checks_parse(yaml, kt_yaml_doc(yaml, 0), ".", &checks, &count, NULL), KT_OK);
	if (record)
		assert_int_equal(kt_yaml_parse("record", record, strlen(record), &rows, NULL), KT_OK);
	struct check_run run = {
	        .no_wait = true, .answers = answers, .record = rows ? kt_yaml_doc(rows, 0) : NULL};
	check_look(&run, checks, 1, &finding);
	enum check_status status = finding.status;
	(void)snprintf(found, 200, "%s", finding.found);
	check_finding_clear(&finding);
	check_checks_free(checks, count);
	kt_json_free(answers);
	kt_yaml_free(rows);
	kt_yaml_free(yaml);
	return status;
}

static void rows_are_asked_as_objects_are(void **state)
{
	static const struct {
		const char *check, *record;
		enum check_status status;
		const char *found;
	} rows[] = {
	        {"[{record: answers, count: {at-least: 2}}]", full, CHECK_PASSED, "there are 2"},
	        {"[{record: answers, none: {right: 0}}]", full, CHECK_FAILED, "6.2: right is 0"},
	        {"[{record: answers, where: {lesson: '6.1'}, none: {right: 0}}]", full, CHECK_PASSED,
	         "none is so"},
	        {"[{record: tasks, some: {task: b, hints: 0}}]", full, CHECK_PASSED, "b is so"},
	        {"[{record: labs, where: {passed: {at-least: 1}}, count: 2}]", full, CHECK_PASSED,
	         "there are 2"},
	        {"[{record: answers, count: {at-least: 1}, none: {right: 0}}]", "{}", CHECK_FAILED,
	         "there are 0"},
	        {"[{record: answers, each: {right: 1}}]", "{answers: []}", CHECK_FAILED, "there are none"},
	        {"[{record: answers, none: {right: 0}}]", NULL, CHECK_UNKNOWN,
	         "there is no record to look at"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char found[200];
		assert_int_equal(look(rows[i].check, rows[i].record, NULL, found), rows[i].status);
		assert_string_equal(found, rows[i].found);
	}
}

static void questions_are_computed_from_it(void **state)
{
#define NOT_SELF "lab: {not: self}"
	static const char passed[] = "[{answer: {ask: '?', value: {record: labs, where: {" NOT_SELF
	                             ", passed: {at-least: 1}}, count: all}}}]",
	                  most[] = "[{answer: {ask: '?', value: {record: labs, where: {" NOT_SELF
	                           "}, most: hints, path: lab}}}]",
	                  longest[] =
	                          "[{answer: {ask: '?', value: {record: labs, most: seconds, path: lab}}}]";
	static const struct {
		const char *check, *record, *typed;
		enum check_status status;
	} rows[] = {
	        {passed, full, "2", CHECK_PASSED},       {passed, full, "3", CHECK_FAILED},
	        {passed, "{}", "0", CHECK_PASSED},       {passed, "{}", "1", CHECK_FAILED},
	        {most, full, "two, one", CHECK_PASSED},  {most, full, "one", CHECK_FAILED},
	        {most, full, "none", CHECK_FAILED},      {most, "{}", "none", CHECK_PASSED},
	        {most, "{}", " Nothing.", CHECK_PASSED}, {most, "{}", "one", CHECK_FAILED},
	        {most, "{}", "", CHECK_FAILED},          {longest, full, "two", CHECK_PASSED},
	        {passed, NULL, "0", CHECK_UNKNOWN},      {passed, full, NULL, CHECK_FAILED},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		char found[200];
		if (look(rows[i].check, rows[i].record, rows[i].typed, found) != rows[i].status)
			fail_msg("row %zu: %s", i, found);
	}
}

static void an_unknown_part_is_refused(void **state)
{
	static const char text[] = "- record: grades\n  count: 1\n";
	struct kt_yaml *yaml = NULL;
	struct check_check **checks = NULL;
	struct kt_err err = {0};
	size_t count = 0;
	(void)state;
	assert_int_equal(kt_yaml_parse("lab.yaml", text, strlen(text), &yaml, NULL), KT_OK);
	assert_int_not_equal(check_checks_parse(yaml, kt_yaml_doc(yaml, 0), ".", &checks, &count, &err),
	                     KT_OK);
	assert_non_null(strstr(err.text, "lab.yaml:1"));
	assert_non_null(strstr(err.text, "labs|tasks"));
	kt_yaml_free(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_are_asked_as_objects_are),
	        cmocka_unit_test(questions_are_computed_from_it),
	        cmocka_unit_test(an_unknown_part_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

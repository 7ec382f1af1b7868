/* SPDX-License-Identifier: MIT */
#include "checker/checker_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct kt_json *yaml_value(const char *text)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("test", text, strlen(text), &yaml, &err))
		fail_msg("%s: %s", text, err.text);
	struct kt_json *v = kt_json_copy(kt_yaml_doc(yaml, 0));
	kt_yaml_free(yaml);
	return v;
}

/* expectation, what the path yielded (a list), whether it fits */
static void expectations_compare_by_value(void **state)
{
	static const struct {
		const char *expect, *values;
		bool fits;
	} cases[] = {
	        {"3", "[3]", true},
	        {"3", "[2]", false},
	        {"3", "[\"3\"]", true},
	        {"500m", "[\"0.5\"]", true},
	        {"1Gi", "[1024Mi]", true},
	        {"1m", "[60s]", true},
	        {"\"True\"", "[\"True\"]", true},
	        {"True", "[\"True\"]", true},
	        {"nginx", "[nginx, nginx]", true},
	        {"nginx", "[nginx, httpd]", false},
	        {"nginx", "[]", false},
	        {"{includes: [app, log]}", "[log, app, proxy]", true},
	        {"{includes: log}", "[app, log]", true},
	        {"{includes: [app]}", "[app]", true},
	        {"{includes: [app, log]}", "[app]", false},
	        {"{includes: [app], matches: '^[a-z]*$'}", "[app, log]", true},
	        {"{includes: [app], matches: ^a}", "[app, log]", false},
	        {"{includes: web}", "[app, log]", false},
	        {"{includes: [a]}", "[[a, b], [b]]", false},
	        {"{at-least: 3}", "[3]", true},
	        {"{at-least: 3}", "[2]", false},
	        {"{at-least: 100m}", "[\"0.1\"]", true},
	        {"{at-most: 70%}", "[70%]", true},
	        {"{at-least: 99.9%}", "[99.95%]", true},
	        {"1", "[1%]", false},
	        {"30s", "[30]", true},
	        {"10m", "[600]", true},
	        {"10m", "[\"0.01\"]", true},
	        {"{at-most: 1m}", "[45s]", true},
	        {"yes", "[\"yes\"]", true},
	        {"off", "[\"off\"]", true},
	        {"no", "[\"yes\"]", false},
	        {"null", "[]", true},
	        {"null", "[3]", false},
	        {"\"1.1\"", "[\"1.10\"]", false},
	        {"[ReadWriteOnce]", "[[ReadWriteOnce]]", true},
	        {"[500m, 1]", "[[\"0.5\", 1]]", true},
	        {"[a]", "[[a, b]]", false},
	        {"{equals: {cpu: 500m}}", "[{cpu: \"0.5\"}]", true},
	        {"{exists: \"no\"}", "[]", true},
	        {"{not: {exists: no}}", "[]", false},
	        {"{one-of: [no, null]}", "[]", true},
	        {"m", "['n']", false},
	        {"{one-of: [no, null]}", "[false]", true},
	        {"{one-of: [no, yes]}", "[]", false},
	        {"{not: {exists: yes}}", "[]", true},
	        {"{not: {at-least: 3}}", "[]", true},
	        {"{matches: 'v\\d+$'}", "[v12]", true},
	        {"{matches: 'v[\\d.]+$'}", "[v1.2]", true},
	        {"{includes: {resources: {requests: {cpu: 100m}}}}",
	         "[{resources: {requests: {cpu: 100m, memory: 1Gi}}}]", true},
	        {"{includes: {ports: [{port: 80}]}}", "[{ports: [{port: 80, protocol: TCP}, {port: 443}]}]",
	         true},
	        {"{includes: {ports: [{port: 81}]}}", "[{ports: [{port: 80}]}]", false},
	        {"{includes: app}", "[{app: web}]", true},
	        {"{contains: tier}", "[{app: web}]", false},
	        {"{subset-of: {app: web, tier: x}}", "[{app: web}]", true},
	        {"{more-than: 1}", "[1]", false},
	        {"{less-than: 1Gi}", "[512Mi]", true},
	        {"{between: [100m, 500m]}", "[200m]", true},
	        {"{between: [100m, 500m]}", "[1]", false},
	        {"{one-of: [a, b]}", "[b]", true},
	        {"{one-of: [a, b]}", "[c]", false},
	        {"{not: latest}", "[\"1.27\"]", true},
	        {"{not: latest}", "[latest]", false},
	        {"{not: latest}", "[]", true},
	        {"{exists: yes}", "[x]", true},
	        {"{exists: yes}", "[]", false},
	        {"{exists: no}", "[]", true},
	        {"{exists: no}", "[x]", false},
	        {"{matches: '^web-[0-9]+$'}", "[web-12]", true},
	        {"{matches: '^web-[0-9]+$'}", "[web-x]", false},
	        {"{matches: '(?i)^WEB$'}", "[web]", true},
	        {"{matches: '^WEB$'}", "[web]", false},
	        {"{matches: '(?m)^two$'}", "[\"one\\ntwo\\nthree\"]", true},
	        {"{matches: '^two$'}", "[\"one\\ntwo\\nthree\"]", false},
	        {"{matches: '(?s)one.*three'}", "[\"one\\ntwo\\nthree\"]", true},
	        {"{matches: '^(?:a|b)+?c{1,2}?$'}", "[abacc]", true},
	        {"{matches: '^(?:a|b)+?c{1,2}?$'}", "[abaccc]", false},
	        {"{matches: '^[\\w.-]+@\\w+\\s\\S$'}", "['a-b.c@d e']", true},
	        {"{matches: '^[\\w.-]+@\\w+\\s\\S$'}", "['a-b,c@d e']", false},
	        {"{matches: '^a[\\.\\s]b\\/c\\-d$'}", "['a b/c-d']", true},
	        {"{matches: '^[]x]+[^]x]$'}", "['x]y']", true},
	        {"{matches: '^[[:alpha:]\\d]+$'}", "[a1]", true},
	        {"{contains: gin}", "[nginx]", true},
	        {"{contains: a}", "[[a, b]]", true},
	        {"{contains: {name: c}}", "[[{name: c, image: i}]]", true},
	        {"{contains: {name: d}}", "[[{name: c, image: i}]]", false},
	        {"{includes: {app: web}}", "[{app: web, tier: x}]", true},
	        {"{includes: [a, c]}", "[[a, b]]", false},
	        {"{subset-of: [a, b, c]}", "[[a, b]]", true},
	        {"{subset-of: [a]}", "[[a, b]]", false},
	        {"{at-least: 1, at-most: 3}", "[2]", true},
	        {"{at-least: 1, at-most: 3}", "[4]", false},
	        {"{not: {at-least: 3}}", "[2]", true},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *expect = yaml_value(cases[i].expect), *values = yaml_value(cases[i].values);
		if (check_fits(expect, values) != cases[i].fits)
			fail_msg("%s on %s", cases[i].expect, cases[i].values);
		kt_json_free(expect);
		kt_json_free(values);
	}
}

static void expectations_are_told_in_words(void **state)
{
	static const char *const cases[][2] = {{"3", "3"},
	                                       {"{at-least: 3}", "at least 3"},
	                                       {"{between: [1, 5]}", "between 1 and 5"},
	                                       {"{exists: no}", "not there"},
	                                       {"{not: {one-of: [a, b]}}", "not one of a, b"}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *expect = yaml_value(cases[i][0]);
		struct kt_buf out = {0};
		check_describe(expect, &out);
		assert_string_equal(kt_buf_str(&out), cases[i][1]);
		kt_buf_clear(&out);
		kt_json_free(expect);
	}
}

static void selectors_become_query_text(void **state)
{
	(void)state;
	struct kt_json *selector =
	        yaml_value("{matchLabels: {app: web}, matchExpressions: [{key: tier, operator: NotIn, "
	                   "values: [a, b]}, {key: x, operator: DoesNotExist}]}");
	struct kt_buf out = {0};
	check_selector_text(selector, false, &out);
	assert_string_equal(kt_buf_str(&out), "app=web,tier notin (a,b),!x");
	kt_buf_clear(&out);
	kt_json_free(selector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(expectations_compare_by_value),
	        cmocka_unit_test(expectations_are_told_in_words),
	        cmocka_unit_test(selectors_become_query_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

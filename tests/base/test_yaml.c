/* SPDX-License-Identifier: MIT */
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct kt_yaml *parse(const char *text)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("f.yaml", text, strlen(text), &yaml, &err))
		fail_msg("%s: %s", text, err.text);
	return yaml;
}

static void scalars_are_what_yaml_1_1_says(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
	        {"yes", "true"},
	        {"On", "true"},
	        {"y", "true"},
	        {"TRUE", "true"},
	        {"tRUE", "\"tRUE\""},
	        {"no", "false"},
	        {"off", "false"},
	        {"N", "false"},
	        {"'yes'", "\"yes\""},
	        {"\"1\"", "\"1\""},
	        {"! 12", "\"12\""},
	        {"!!str 12", "\"12\""},
	        {"!!int 12", "12"},
	        {"!!float 12", "12"},
	        {"!!bool on", "true"},
	        {"!x a", "\"a\""},
	        {"1", "1"},
	        {"+12", "12"},
	        {"-12", "-12"},
	        {"1_000", "1000"},
	        {"0o17", "15"},
	        {"017", "15"},
	        {"08", "8"},
	        {"0x1F", "31"},
	        {"-0x1f", "-31"},
	        {"0b101", "5"},
	        {"0x", "\"0x\""},
	        {"0", "0"},
	        {"1.5", "1.5"},
	        {".5", "0.5"},
	        {"1.", "1"},
	        {"1e3", "1000"},
	        {"1e", "\"1e\""},
	        {"1:30", "\"1:30\""},
	        {"1.2.3", "\"1.2.3\""},
	        {"9223372036854775807", "9223372036854775807"},
	        {"9223372036854775808", "9223372036854776000"},
	        {"1e999", "\"1e999\""},
	        {"2026-01-02", "\"2026-01-02\""},
	        {"2026-01-02T03:04:05Z", "\"2026-01-02T03:04:05Z\""},
	        {"[~, null, Null, ]", "[null,null,null]"},
	        {"a b", "\"a b\""},
	        {"|\n  a\n  b\n", "\"a\\nb\\n\""},
	        {"|-\n  a\n  b\n", "\"a\\nb\""},
	        {">\n  a\n  b\n", "\"a b\\n\""},
	        {"{1: a, on: b, 1.5: c}", "{\"1\":\"a\",\"true\":\"b\",\"1.5\":\"c\"}"},
	        {"{a: 1, \"b\": [x, {c: }]}", "{\"a\":1,\"b\":[\"x\",{\"c\":null}]}"},
	        {"[]", "[]"},
	        {"\"\"", "\"\""},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		if (!cases[i].out)
			continue;
		struct kt_yaml *yaml = parse(cases[i].in);
		char *text = kt_json_text(kt_yaml_doc(yaml, 0));
		assert_string_equal(text, cases[i].out);
		kt_free(text);
		kt_yaml_free(yaml);
	}
}

static void every_node_has_its_line(void **state)
{
	(void)state;
	struct kt_yaml *yaml = parse("# first\n"
	                             "a: 1\n"
	                             "b:\n"
	                             "- true\n"
	                             "- true\n"
	                             "- x: ''\n"
	                             "  w: {}\n"
	                             "---\n"
	                             "\n"
	                             "c: 1\n");
	assert_int_equal(kt_yaml_count(yaml), 2);
	const struct kt_json *doc = kt_yaml_doc(yaml, 0);
	assert_int_equal(kt_yaml_line(yaml, doc), 2);
	assert_int_equal(kt_yaml_line(yaml, kt_get(doc, "a")), 2);
	assert_int_equal(kt_yaml_key_line(yaml, doc, 1), 3);
	assert_int_equal(kt_yaml_line(yaml, kt_get(doc, "b")), 4);
	assert_int_equal(kt_yaml_line(yaml, kt_path(doc, "b.0")), 4);
	assert_int_equal(kt_yaml_line(yaml, kt_path(doc, "b.1")), 5);
	assert_int_equal(kt_yaml_line(yaml, kt_path(doc, "b.2.x")), 6);
	assert_int_equal(kt_yaml_line(yaml, kt_path(doc, "b.2.w")), 7);
	assert_int_equal(kt_yaml_key_line(yaml, kt_path(doc, "b.2"), 1), 7);
	assert_int_equal(kt_yaml_line(yaml, kt_get(kt_yaml_doc(yaml, 1), "c")), 10);
	assert_int_equal(kt_yaml_line(yaml, kt_json_null()), 0);
	assert_int_equal(kt_yaml_line(yaml, NULL), 0);
	assert_int_equal(kt_yaml_key_line(yaml, doc, 2), 0);
	struct kt_err err = {0};
	assert_int_equal(kt_yaml_fail(yaml, kt_path(doc, "b.1"), &err, "no %s", "good"), KT_EINVAL);
	assert_string_equal(err.text, "f.yaml:5: no good");
	kt_yaml_free(yaml);
}

static void aliases_and_merge_keys_are_expanded(void **state)
{
	(void)state;
	struct kt_yaml *yaml = parse("base: &b {x: 1, w: [a]}\n"
	                             "other: &o {w: 2, z: 3}\n"
	                             "same: *b\n"
	                             "one: {<<: *b, x: 9}\n"
	                             "two: {<<: [*o, *b]}\n"
	                             "&k key: *k\n");
	const struct kt_json *doc = kt_yaml_doc(yaml, 0);
	char *text = kt_json_text(doc);
	assert_string_equal(
	        text, "{\"base\":{\"x\":1,\"w\":[\"a\"]},\"other\":{\"w\":2,\"z\":3},\"same\":{\"x\":1,\"w\":"
	              "[\"a\"]},"
	              "\"one\":{\"x\":9,\"w\":[\"a\"]},\"two\":{\"w\":2,\"z\":3,\"x\":1},\"key\":\"key\"}");
	kt_free(text);
	assert_ptr_not_equal(kt_get(doc, "base"), kt_get(doc, "same"));
	assert_int_equal(kt_yaml_line(yaml, kt_path(doc, "same.x")), 1);
	assert_int_equal(kt_yaml_line(yaml, kt_get(doc, "key")), 6);
	kt_yaml_free(yaml);
}

static void empty_documents_are_left_out(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t count;
	} cases[] = {{"", 0},
	             {"# x\n", 0},
	             {"---\n---\n", 0},
	             {"a: 1\n---\n# x\n---\nb: 2\n...\n", 2},
	             {"---\na: 1\n---\n", 1}};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_yaml *yaml = parse(cases[i].in);
		assert_int_equal(kt_yaml_count(yaml), cases[i].count);
		kt_yaml_free(yaml);
	}
}

static void errors_name_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *in, *message;
	} cases[] = {
	        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: key \"a\" is already set in line 1"},
	        {"a: .inf\n", "f.yaml:1: infinity and NaN cannot be said in JSON"},
	        {"a:\n  ? [b]\n  : c\n", "f.yaml:2: a key must be a string"},
	        {"a: *b\n", "f.yaml:1: an alias names an anchor that is not there"},
	        {"a: &a [*a]\n", "f.yaml:1: an alias names an anchor that is not there"},
	        {"a: 1\nb: {<<: x}\n", "f.yaml:2: map merge requires map or sequence of maps as the value"},
	        {"a: !!int x\n", "f.yaml:1: the value is not what its tag says"},
	        {"a: \"\\0\"\n", "f.yaml:1: a string holds \\0"},
	        {"a: b: c\n", "f.yaml:1: mapping values are not allowed in this context"},
	        {"a:\n\tb: 1\n", "f.yaml:2: found character that cannot start any token"},
	        {"a: [1,\nb: 2\n", "f.yaml:3: did not find expected ',' or ']' (while parsing a flow "
	                           "sequence that began in line 1)"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_yaml *yaml = NULL;
		struct kt_err err = {0};
		assert_int_equal(
		        kt_yaml_parse("f.yaml", cases[i].in, strlen(cases[i].in), &yaml, &err) == KT_OK, 0);
		assert_null(yaml);
		assert_string_equal(err.text, cases[i].message);
	}
}

static void bombs_are_refused(void **state)
{
	(void)state;
	struct kt_buf deep = {0}, laughs = {0};
	for (int i = 0; i < 500; i++)
		kt_buf_addc(&deep, '[');
	kt_buf_adds(&laughs, "- &a0 [x]\n");
	for (int i = 1; i < 30; i++)
		kt_buf_addf(&laughs, "- &a%d [*a%d, *a%d]\n", i, i - 1, i - 1);
	const struct kt_buf *texts[] = {&deep, &laughs};
	for (size_t i = 0; i < KT_COUNT(texts); i++) {
		struct kt_yaml *yaml = NULL;
		struct kt_err err = {0};
		assert_int_equal(kt_yaml_parse("f", texts[i]->data, texts[i]->len, &yaml, &err), KT_ELIMIT);
	}
	kt_buf_clear(&deep);
	kt_buf_clear(&laughs);
}

static void a_file_may_have_many_keys(void **state)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	struct kt_buf text = {0};
	(void)state;
	for (int i = 0; i < 3000; i++)
		kt_buf_addf(&text, "key-%d: %d\n", i, i);
	if (kt_yaml_parse("many.yaml", kt_buf_str(&text), text.len, &yaml, &err))
		fail_msg("%s", err.text);
	assert_int_equal(kt_count(kt_yaml_doc(yaml, 0)), 3000);
	kt_yaml_free(yaml);
	kt_buf_clear(&text);
}

static void values_are_printed_as_kubectl_prints_them(void **state)
{
	(void)state;
	static const struct {
		const char *json, *yaml;
	} cases[] = {
	        {"{}", "{}\n"},
	        {"[]", "[]\n"},
	        {"null", "null\n"},
	        {"\"x\"", "x\n"},
	        {"{\"b\":1,\"a\":true,\"c\":null,\"d\":{},\"e\":[]}",
	         "a: true\nb: 1\nc: null\nd: {}\ne: []\n"},
	        {"{\"a\":[{\"x\":1,\"w\":[\"p\",[\"q\"]]},2]}", "a:\n- w:\n  - p\n  - - q\n  x: 1\n- 2\n"},
	        {"{\"a\":\"\"}", "a: \"\"\n"},
	        {"{\"a\":\"true\",\"b\":\"1\",\"c\":\"1.5\",\"d\":\"null\",\"e\":\"yes\",\"f\":\"~\",\"g\":"
	         "\"0x1\",\"h\":\"1e3\"}",
	         "a: \"true\"\nb: \"1\"\nc: \"1.5\"\nd: \"null\"\ne: \"yes\"\nf: \"~\"\ng: \"0x1\"\nh: "
	         "\"1e3\"\n"},
	        {"{\"t\":\"2026-01-02T03:04:05Z\",\"d\":\"2026-01-02\",\"s\":\"1:30\",\"v\":\"1.2.3\",\"ip\":"
	         "\"10.0.0.1\"}",
	         "d: \"2026-01-02\"\nip: 10.0.0.1\ns: \"1:30\"\nt: \"2026-01-02T03:04:05Z\"\nv: 1.2.3\n"},
	        {"{\"a\":\"x: y\",\"b\":\"- x\",\"c\":\"#x\",\"d\":\"it's\",\"e\":\"*\",\"f\":\"a "
	         "#b\",\"g\":\" x\",\"h\":\"a: 'b'\"}",
	         "a: 'x: y'\nb: '- x'\nc: '#x'\nd: it's\ne: '*'\nf: 'a #b'\ng: ' x'\nh: 'a: ''b'''\n"},
	        {"{\"a\":\"x\\ny\\n\",\"b\":\"x\\ny\",\"c\":\"x\\n\\n\",\"d\":\" x\\ny\"}",
	         "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2-\n   x\n  y\n"},
	        {"{\"a\":\"x\\ty\",\"b\":\"\\u00e9\",\"c\":\"\\ud83d\\ude00\",\"d\":\"x \\ny\"}",
	         "a: \"x\\ty\"\nb: é\nc: \"\\U0001F600\"\nd: \"x \\ny\"\n"},
	        {"{\"yes\":1,\"1\":2,\"\":3,\"a.b/c\":4}", "\"\": 3\n\"1\": 2\na.b/c: 4\n\"yes\": 1\n"},
	        {"{\"a10\":1,\"a2\":2,\"a\":3,\"ab\":4,\"a.b\":5}", "a: 3\na.b: 5\na2: 2\na10: 1\nab: 4\n"},
	        {"{\"a\":1.5,\"b\":1e21,\"c\":0.00001,\"d\":1234567.5,\"e\":-0.5}",
	         "a: 1.5\nb: 1e+21\nc: 1e-05\nd: 1.2345675e+06\ne: -0.5\n"},
	        {"{\"status\":{\"conditions\":[{\"message\":\"0/4 nodes are available: 1 node(s) had "
	         "untolerated taint(s), 3 node(s) "
	         "didn't match\"}]}}",
	         "status:\n  conditions:\n  - message: '0/4 nodes are available: 1 node(s) had untolerated "
	         "taint(s), 3 node(s)\n      "
	         "didn''t match'\n"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *v = NULL;
		assert_int_equal(kt_json_parse(cases[i].json, strlen(cases[i].json), NULL, &v, NULL, NULL),
		                 KT_OK);
		struct kt_buf out = {0};
		kt_yaml_print(v, false, &out);
		assert_string_equal(kt_buf_str(&out), cases[i].yaml);
		/* And it reads back as what it was. */
		struct kt_yaml *yaml = parse(out.data);
		if (kt_yaml_count(yaml))
			assert_true(kt_equal(kt_yaml_doc(yaml, 0), v));
		kt_yaml_free(yaml);
		kt_buf_clear(&out);
		kt_json_free(v);
	}
}

static void order_is_kept_when_wanted(void **state)
{
	(void)state;
	struct kt_json *v = kt_jsonf("{b: 1, a: {d: 1, c: 2}}");
	struct kt_buf out = {0};
	kt_yaml_print(v, true, &out);
	assert_string_equal(out.data, "b: 1\na:\n  d: 1\n  c: 2\n");
	kt_buf_clear(&out);
	kt_json_free(v);
}

/* Zones x, y, z; who may talk to whom: {x: …, y: …}. */
static void letters_may_be_names(void **state)
{
	(void)state;
	static const char text[] = "{zones: [x, y, z], y: {n: N}, a: [yes, no, on], b: !!bool y}";
	struct kt_yaml *yaml = NULL;
	assert_int_equal(kt_yaml_parse_letters("f.yaml", text, strlen(text), &yaml, NULL), KT_OK);
	char *out = kt_json_text(kt_yaml_doc(yaml, 0));
	assert_string_equal(out, "{\"zones\":[\"x\",\"y\",\"z\"],\"y\":{\"n\":\"N\"},\"a\":[true,false,true],"
	                         "\"b\":true}");
	kt_free(out);
	kt_yaml_free(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(scalars_are_what_yaml_1_1_says),
	        cmocka_unit_test(letters_may_be_names),
	        cmocka_unit_test(every_node_has_its_line),
	        cmocka_unit_test(aliases_and_merge_keys_are_expanded),
	        cmocka_unit_test(empty_documents_are_left_out),
	        cmocka_unit_test(errors_name_file_and_line),
	        cmocka_unit_test(bombs_are_refused),
	        cmocka_unit_test(a_file_may_have_many_keys),
	        cmocka_unit_test(values_are_printed_as_kubectl_prints_them),
	        cmocka_unit_test(order_is_kept_when_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

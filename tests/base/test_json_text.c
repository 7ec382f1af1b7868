/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void what_is_read_is_written_as_go_writes_it(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
	        {"null", NULL},
	        {" true ", "true"},
	        {"false", NULL},
	        {"0", NULL},
	        {"-0", "0"},
	        {"-1", NULL},
	        {"127", NULL},
	        {"128", NULL},
	        {"9223372036854775807", NULL},
	        {"-9223372036854775808", NULL},
	        {"9223372036854775808", "9223372036854776000"},
	        {"1.0", "1"},
	        {"0.1", NULL},
	        {"-0.0", "-0"},
	        {"1e21", "1e+21"},
	        {"1e20", "100000000000000000000"},
	        {"123456789.125", NULL},
	        {"0.000001", NULL},
	        {"0.0000001", "1e-7"},
	        {"1.5e-9", "1.5e-9"},
	        {"5e-324", "5e-324"},
	        {"1.7976931348623157e308", "1.7976931348623157e+308"},
	        {"0.30000000000000004", NULL},
	        {"\"\"", NULL},
	        {"\"a b\"", NULL},
	        {"\"<a href='x'>&amp;\"", "\"\\u003ca href='x'\\u003e\\u0026amp;\""},
	        {"\"\\u00e9\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"é/\\b\\f\\n\\r\\t\\\"\\\\\""},
	        {"\"\\ud83d\\ude00\"", "\"😀\""},
	        {"\"\\ud83d\"", "\"\xef\xbf\xbd\""},
	        {"\"\\ud83dx\"", "\"\xef\xbf\xbdx\""},
	        {"\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd"
	                               "A\""},
	        {"\"\xff\"", "\"\xef\xbf\xbd\""},
	        {"\"\xe2\x80\xa8\"", "\"\\u2028\""},
	        {"\"\\u001f\\u007f\"", "\"\\u001f\x7f\""},
	        {"[]", NULL},
	        {"{}", NULL},
	        {"[1,[2,[3,{}]],\"x\"]", NULL},
	        {" { \"b\" : 1 , \"a\" : [ ] } ", "{\"b\":1,\"a\":[]}"},
	        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *v = NULL;
		struct kt_err err = {0};
		assert_int_equal(kt_json_parse(cases[i].in, strlen(cases[i].in), NULL, &v, NULL, &err),
		                 KT_OK);
		char *text = kt_json_text(v);
		assert_string_equal(text, cases[i].out ? cases[i].out : cases[i].in);
		kt_free(text);
		kt_json_free(v);
	}
}

static void what_is_wrong_is_said_in_the_words_of_go(void **state)
{
	(void)state;
	static const struct {
		const char *in, *message;
	} cases[] = {
	        {"", "unexpected end of JSON input"},
	        {"  ", "unexpected end of JSON input"},
	        {"{", "unexpected end of JSON input"},
	        {"[1", "unexpected end of JSON input"},
	        {"\"a", "unexpected end of JSON input"},
	        {"tru", "unexpected end of JSON input"},
	        {"-", "unexpected end of JSON input"},
	        {"x", "invalid character 'x' looking for beginning of value"},
	        {"[1,]", "invalid character ']' looking for beginning of value"},
	        {"{1:2}", "invalid character '1' looking for beginning of object key string"},
	        {"{\"a\":1,}", "invalid character '}' looking for beginning of object key string"},
	        {"{\"a\" 1}", "invalid character '1' after object key"},
	        {"{\"a\":1 \"b\"}", "invalid character '\"' after object key:value pair"},
	        {"[1 2]", "invalid character '2' after array element"},
	        {"1 2", "invalid character '2' after top-level value"},
	        {"01", "invalid character '1' after top-level value"},
	        {"trux", "invalid character 'x' in literal true (expecting 'e')"},
	        {"nil", "invalid character 'i' in literal null (expecting 'u')"},
	        {"-x", "invalid character 'x' in numeric literal"},
	        {"1.x", "invalid character 'x' after decimal point in numeric literal"},
	        {"1ex", "invalid character 'x' in exponent of numeric literal"},
	        {"\"\\x\"", "invalid character 'x' in string escape code"},
	        {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
	        {"\"a\nb\"", "invalid character '\\n' in string literal"},
	        {"'", "invalid character '\\'' looking for beginning of value"},
	        {"\xc3\xa9", "invalid character 'Ã' looking for beginning of value"},
	        {"\x01", "invalid character '\\x01' looking for beginning of value"},
	        {"\"\\u0000\"", "a string holds \\u0000"},
	        {"1e999", "json: cannot unmarshal number 1e999 into Go value of type float64"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *v = NULL;
		struct kt_err err = {0};
		assert_int_not_equal(kt_json_parse(cases[i].in, strlen(cases[i].in), NULL, &v, NULL, &err),
		                     KT_OK);
		assert_null(v);
		assert_string_equal(err.text, cases[i].message);
	}
}

static void deep_and_large_texts_are_refused(void **state)
{
	(void)state;
	struct kt_buf text = {0};
	for (int i = 0; i < 100000; i++)
		kt_buf_addc(&text, '[');
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	assert_int_equal(kt_json_parse(text.data, text.len, NULL, &v, NULL, &err), KT_ELIMIT);
	assert_string_equal(err.text, "exceeded max depth");
	kt_buf_clear(&text);
	kt_err_clear(&err);
	assert_int_equal(kt_json_parse("[[1]]", 5, &(struct kt_json_limits){.depth = 1}, &v, NULL, &err),
	                 KT_ELIMIT);
	assert_int_equal(kt_json_parse("[[1]]", 5, &(struct kt_json_limits){.bytes = 4}, &v, NULL, NULL),
	                 KT_ELIMIT);
	assert_int_equal(
	        kt_json_parse("[[1]]", 5, &(struct kt_json_limits){.depth = 2, .bytes = 5}, &v, NULL, NULL),
	        KT_OK);
	kt_json_free(v);
}

static void duplicate_keys_are_named_with_their_paths(void **state)
{
	(void)state;
	static const struct {
		const char *in, *path, *out;
	} cases[] = {
	        {"{\"a\":1,\"a\":2}", "a", "{\"a\":2}"},
	        {"{\"spec\":{\"containers\":[{\"name\":1},{\"name\":2,\"x\":0,\"name\":3}]}}",
	         "spec.containers[1].name",
	         "{\"spec\":{\"containers\":[{\"name\":1},{\"name\":3,\"x\":0}]}}"},
	        {"{\"a\":1,\"a\":2,\"b\":{\"c\":1,\"c\":2,\"c\":3},\"b\":4}", "a\nb.c\nb",
	         "{\"a\":2,\"b\":4}"},
	        {"{\"a\":1,\"b\":2}", NULL, "{\"a\":1,\"b\":2}"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *v = NULL;
		char *path = NULL;
		assert_int_equal(kt_json_parse(cases[i].in, strlen(cases[i].in), NULL, &v, &path, NULL),
		                 KT_OK);
		assert_true(kt_streq(path, cases[i].path));
		char *text = kt_json_text(v);
		assert_string_equal(text, cases[i].out);
		kt_free(text);
		kt_free(path);
		kt_json_free(v);
	}
}

static void many_keys_take_no_squared_time(void **state)
{
	(void)state;
	struct kt_buf text = {0};
	kt_buf_addc(&text, '{');
	for (int i = 0; i < 200000; i++)
		kt_buf_addf(&text, "%s\"k%d\":%d", i ? "," : "", i % 199999, i);
	kt_buf_addc(&text, '}');
	struct kt_json *v = NULL;
	char *path = NULL;
	assert_int_equal(kt_json_parse(text.data, text.len, NULL, &v, &path, NULL), KT_OK);
	assert_string_equal(path, "k0");
	assert_int_equal(kt_count(v), 199999);
	assert_int_equal(kt_get_int(v, "k0", -1), 199999);
	kt_free(path);
	kt_json_free(v);
	kt_buf_clear(&text);
}

static void pretty_text_has_one_member_a_line(void **state)
{
	(void)state;
	struct kt_json *v = kt_jsonf("{a: [1, {b: '<x>'}], c: {}, d: []}");
	struct kt_buf out = {0};
	kt_json_print_pretty(v, 4, &out);
	assert_string_equal(
	        out.data,
	        "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"<x>\"\n        }\n    ],\n"
	        "    \"c\": {},\n    \"d\": []\n}");
	kt_buf_clear(&out);
	kt_json_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_read_is_written_as_go_writes_it),
	        cmocka_unit_test(what_is_wrong_is_said_in_the_words_of_go),
	        cmocka_unit_test(deep_and_large_texts_are_refused),
	        cmocka_unit_test(duplicate_keys_are_named_with_their_paths),
	        cmocka_unit_test(many_keys_take_no_squared_time),
	        cmocka_unit_test(pretty_text_has_one_member_a_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void buffers_grow_and_stay_terminated(void **state)
{
	(void)state;
	struct kt_buf buf = {0};
	assert_string_equal(kt_buf_str(&buf), "");
	kt_buf_adds(&buf, NULL);
	for (int i = 0; i < 1000; i++)
		kt_buf_addf(&buf, "%d,", i);
	kt_buf_addc(&buf, 'x');
	assert_int_equal(strlen(buf.data), buf.len);
	assert_true(kt_ends(buf.data, "998,999,x"));
	kt_buf_drop(&buf, 2);
	assert_true(kt_starts(buf.data, "1,2,"));
	kt_buf_cut(&buf, 3);
	assert_string_equal(buf.data, "1,2");
	kt_buf_cut(&buf, 30);
	kt_buf_drop(&buf, 99);
	assert_string_equal(buf.data, "");
	kt_buf_addf(&buf, "%0300d", 7);
	assert_int_equal(buf.len, 300);
	char *s = kt_buf_take(&buf);
	assert_int_equal(strlen(s), 300);
	kt_free(s);
	assert_int_equal(buf.len, 0);
	s = kt_buf_take(&buf);
	assert_string_equal(s, "");
	kt_free(s);
}

static void strings_are_split_at_every_separator(void **state)
{
	(void)state;
	static const struct {
		const char *in, *pieces;
	} cases[] = {{"a.bc.d", "<a><bc><d>"}, {"", "<>"}, {".", "<><>"}, {"a", "<a>"}, {"a..", "<a><><>"}};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf out = {0};
		const char *s = cases[i].in;
		size_t len;
		for (const char *piece; (piece = kt_split(&s, '.', &len));)
			kt_buf_addf(&out, "<%.*s>", (int)len, piece);
		assert_string_equal(out.data, cases[i].pieces);
		kt_buf_clear(&out);
	}
}

static void comparisons_accept_null(void **state)
{
	(void)state;
	assert_true(kt_streq(NULL, NULL));
	assert_false(kt_streq("a", NULL));
	assert_false(kt_streq(NULL, "a"));
	assert_true(kt_streq("a", "a"));
	assert_false(kt_starts(NULL, "a"));
	assert_false(kt_ends("a", "ba"));
	assert_true(kt_ends("ba", "a"));
}

static void the_nearest_word_is_close(void **state)
{
	(void)state;
	static const char *const words[] = {"deployment", "service", "pod", "node"};
	static const struct {
		const char *in, *out;
	} cases[] = {{"deploymnet", "deployment"},
	             {"servcie", "service"},
	             {"pods", "pod"},
	             {"xyz", NULL},
	             {"", NULL},
	             {"pod", "pod"},
	             {"p", NULL}};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		const char *near = kt_nearest(cases[i].in, words, KT_COUNT(words));
		if (!kt_streq(near, cases[i].out))
			fail_msg("%s: %s", cases[i].in, near ? near : "(none)");
	}
	assert_null(kt_nearest(NULL, words, 1));
}

static void lists_of_strings_own_them(void **state)
{
	(void)state;
	struct kt_strs list = {0};
	kt_strs_sort(&list);
	kt_strs_add(&list, "b");
	kt_strs_steal(&list, kt_strdup("c"));
	kt_strs_add(&list, "a");
	assert_true(kt_strs_has(&list, "c"));
	assert_false(kt_strs_has(&list, "d"));
	kt_strs_sort(&list);
	assert_string_equal(list.items[0], "a");
	assert_string_equal(list.items[2], "c");
	kt_strs_clear(&list);
	assert_int_equal(list.count, 0);
}

static void hashes_are_fnv_1a(void **state)
{
	(void)state;
	assert_true(kt_hash("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(kt_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(kt_hash32("a", 1) == UINT32_C(0xe40c292c));
	assert_true(kt_hash32("foobar", 6) == UINT32_C(0xbf9cf968));
}

static void text_for_terminals_has_no_escapes(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
	        {"plain é\n\tx", "plain é\n\tx"},
	        {"\x1b[31mred\x1b]0;t\x07", "^[[31mred^[]0;t^G"},
	        {"a\r\nb\rc", "a\nb^Mc"},
	        {"\x7f", "^?"},
	        {"a\xff"
	         "b",
	         "a\xef\xbf\xbd"
	         "b"},
	        {"\xc2\x9b"
	         "31m",
	         "31m"},
	        {"x\xe2\x80\xaey", "xy"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf out = {0};
		kt_buf_add_clean(&out, cases[i].in, strlen(cases[i].in));
		assert_string_equal(out.data, cases[i].out);
		kt_buf_clear(&out);
	}
}

static void widths_are_columns(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t width;
	} cases[] = {{"", 0},  {"abc", 3}, {"é", 1},    {"e\xcc\x81", 1},   {"日本", 4},
	             {"😀", 2}, {"│─", 2},  {"\xff", 1}, {"\xe2\x80\x8b", 0}};
	for (size_t i = 0; i < KT_COUNT(cases); i++)
		assert_int_equal(kt_width(cases[i].in, strlen(cases[i].in)), cases[i].width);
}

static void errors_keep_the_first_and_are_wrapped(void **state)
{
	(void)state;
	struct kt_err err = {0};
	assert_int_equal(kt_fail(&err, KT_ENOTFOUND, "no %s", "pod"), KT_ENOTFOUND);
	assert_int_equal(kt_fail(&err, KT_EIO, "second"), KT_EIO);
	assert_int_equal(kt_wrap(&err, "lab '%s'", "x"), KT_ENOTFOUND);
	assert_string_equal(err.text, "lab 'x': no pod");
	kt_err_clear(&err);
	assert_int_equal(kt_wrap(&err, "alone"), KT_EINVAL);
	assert_string_equal(err.text, "alone");
	assert_int_equal(kt_fail(NULL, KT_EIO, "x"), KT_EIO);
	assert_int_equal(kt_wrap(NULL, "x"), KT_EINVAL);
	assert_string_equal(kt_code_name(KT_ENOTFOUND), "not found");
}

static void long_errors_are_cut_between_characters(void **state)
{
	(void)state;
	for (size_t shift = 0; shift < 4; shift++) {
		struct kt_buf text = {0};
		struct kt_err err = {0};
		for (size_t i = 0; i < shift; i++)
			kt_buf_addc(&text, 'x');
		for (int i = 0; i < 600; i++)
			kt_buf_adds(&text, "é");
		kt_fail(&err, KT_EIO, "%s", text.data);
		assert_true(strlen(err.text) < sizeof(err.text));
		assert_true(kt_ends(err.text, "é…"));
		kt_buf_clear(&text);
	}
}

static void arenas_give_aligned_zeroed_memory(void **state)
{
	(void)state;
	struct kt_arena arena = {0};
	for (size_t size = 0; size < 10000; size = size * 2 + 1) {
		char *p = kt_arena_alloc(&arena, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 1, size);
	}
	assert_string_equal(kt_arena_strf(&arena, "%s-%d", "x", 1), "x-1");
	assert_string_equal(kt_arena_strdup(&arena, "y"), "y");
	assert_null(kt_arena_strdup(&arena, NULL));
	assert_true(arena.used <= arena.total);
	kt_arena_clear(&arena);
	assert_int_equal(arena.total, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(buffers_grow_and_stay_terminated),
	        cmocka_unit_test(strings_are_split_at_every_separator),
	        cmocka_unit_test(comparisons_accept_null),
	        cmocka_unit_test(the_nearest_word_is_close),
	        cmocka_unit_test(lists_of_strings_own_them),
	        cmocka_unit_test(hashes_are_fnv_1a),
	        cmocka_unit_test(text_for_terminals_has_no_escapes),
	        cmocka_unit_test(widths_are_columns),
	        cmocka_unit_test(errors_keep_the_first_and_are_wrapped),
	        cmocka_unit_test(long_errors_are_cut_between_characters),
	        cmocka_unit_test(arenas_give_aligned_zeroed_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

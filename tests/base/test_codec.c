/* SPDX-License-Identifier: MIT */
#include "base/codec.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void base64_goes_there_and_back(void **state)
{
	(void)state;
	static const struct {
		const char *plain, *standard, *url;
	} cases[] = {
	        {"", "", ""},
	        {"f", "Zg==", "Zg"},
	        {"fo", "Zm8=", "Zm8"},
	        {"foo", "Zm9v", "Zm9v"},
	        {"foob", "Zm9vYg==", "Zm9vYg"},
	        {"\xff\xfe\xfd", "//79", "__79"},
	        {"\xfb\xf0", "+/A=", "-_A"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf a = {0}, b = {0}, back = {0};
		kt_base64(cases[i].plain, strlen(cases[i].plain), &a);
		kt_base64url(cases[i].plain, strlen(cases[i].plain), &b);
		assert_string_equal(kt_buf_str(&a), cases[i].standard);
		assert_string_equal(kt_buf_str(&b), cases[i].url);
		assert_true(kt_unbase64(kt_buf_str(&a), a.len, &back));
		assert_true(kt_unbase64(kt_buf_str(&b), b.len, &back));
		assert_int_equal(back.len, 2 * strlen(cases[i].plain));
		kt_buf_clear(&a);
		kt_buf_clear(&b);
		kt_buf_clear(&back);
	}
	static const char *const rubbish[] = {
	        "A", "Zg=", "Zg===", "Z=g=", "Zm9v=", "Zm 9v", "====", "Zm9v!", "Zm8=Zm8="};
	for (size_t i = 0; i < KT_COUNT(rubbish); i++) {
		struct kt_buf out = {0};
		assert_false(kt_unbase64(rubbish[i], strlen(rubbish[i]), &out));
		assert_int_equal(out.len, 0);
		kt_buf_clear(&out);
	}
	struct kt_buf out = {0};
	assert_true(kt_unbase64("Zm9v\nYg==\n", 10, &out));
	assert_string_equal(out.data, "foob");
	kt_buf_clear(&out);
}

static void percent_encoding_goes_there_and_back(void **state)
{
	(void)state;
	struct kt_buf out = {0}, back = {0};
	kt_percent("a b/c=d,é~", &out);
	assert_string_equal(out.data, "a%20b%2Fc%3Dd%2C%C3%A9~");
	assert_true(kt_unpercent(out.data, out.len, false, &back));
	assert_string_equal(back.data, "a b/c=d,é~");
	kt_buf_cut(&back, 0);
	assert_true(kt_unpercent("a+b%2b", 6, true, &back));
	assert_string_equal(back.data, "a b+");
	kt_buf_cut(&back, 0);
	assert_false(kt_unpercent("a%2", 3, false, &back));
	assert_false(kt_unpercent("%zz", 3, false, &back));
	kt_buf_clear(&out);
	kt_buf_clear(&back);
}

static void hashes_are_those_of_the_standards(void **state)
{
	(void)state;
	unsigned char out[64];
	struct kt_buf hex = {0};
	kt_sha1("abc", 3, out);
	kt_hex(out, 20, &hex);
	assert_string_equal(hex.data, "a9993e364706816aba3e25717850c26c9cd0d89d");
	kt_buf_cut(&hex, 0);
	kt_sha256("", 0, out);
	kt_hex(out, 32, &hex);
	assert_string_equal(hex.data, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	kt_buf_cut(&hex, 0);
	kt_sha512("abc", 3, out);
	kt_hex(out, 8, &hex);
	assert_string_equal(hex.data, "ddaf35a193617aba");
	kt_buf_clear(&hex);
}

static void utf8_is_checked(void **state)
{
	(void)state;
	static const struct {
		const char *s;
		bool valid;
	} cases[] = {{"", true},
	             {"aé日😀", true},
	             {"\xff", false},
	             {"\xc0\x80", false},
	             {"\xe2\x80", false},
	             {"\xed\xa0\x80", false},
	             {"\xf4\x90\x80\x80", false},
	             {"\x80", false}};
	for (size_t i = 0; i < KT_COUNT(cases); i++)
		assert_int_equal(kt_utf8_valid(cases[i].s, strlen(cases[i].s)), cases[i].valid);
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
	(void)state;
	struct kt_random a, b, c;
	kt_random_init(&a, 1);
	kt_random_init(&b, 1);
	kt_random_init(&c, 2);
	bool differs = false;
	for (int i = 0; i < 100; i++) {
		uint64_t x = kt_random_u64(&a);
		assert_true(x == kt_random_u64(&b));
		differs |= x != kt_random_u64(&c);
		double unit = kt_random_unit(&a);
		assert_true(unit >= 0 && unit < 1);
		kt_random_unit(&b);
	}
	assert_true(differs);
}

static void bounds_are_kept_and_filled_evenly(void **state)
{
	(void)state;
	struct kt_random r;
	int counts[7] = {0};
	kt_random_init(&r, 3);
	assert_int_equal(kt_random_below(&r, 0), 0);
	assert_int_equal(kt_random_below(&r, 1), 0);
	for (int i = 0; i < 70000; i++)
		counts[kt_random_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9500, 10500);
}

static void names_and_uuids_look_like_kubernetes(void **state)
{
	(void)state;
	struct kt_random r;
	char name[11], uuid[37];
	kt_random_init(&r, 4);
	kt_random_name(&r, name, 10);
	assert_int_equal(strlen(name), 10);
	assert_int_equal(strspn(name, "bcdfghjklmnpqrstvwxz2456789"), 10);
	kt_random_uuid(&r, uuid);
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(strspn(uuid, "0123456789abcdef-"), 36);
	assert_int_equal(uuid[14], '4');
	assert_non_null(strchr("89ab", uuid[19]));
	unsigned char a[300] = {0}, b[300] = {0};
	kt_random_secret(a, sizeof(a));
	kt_random_secret(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(base64_goes_there_and_back),
	        cmocka_unit_test(percent_encoding_goes_there_and_back),
	        cmocka_unit_test(hashes_are_those_of_the_standards),
	        cmocka_unit_test(utf8_is_checked),
	        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
	        cmocka_unit_test(bounds_are_kept_and_filled_evenly),
	        cmocka_unit_test(names_and_uuids_look_like_kubernetes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void times_are_read_and_printed(void **state)
{
	(void)state;
	static const struct {
		const char *in, *seconds, *micros;
	} cases[] = {
	        {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
	        {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z"},
	        {"2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000006Z"},
	        {"2026-01-02T03:04:05.9999999999Z", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.999999Z"},
	        {"2026-01-02T03:04:05+02:30", "2026-01-02T00:34:05Z", "2026-01-02T00:34:05.000000Z"},
	        {"2026-12-31T23:00:00-01:00", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00.000000Z"},
	        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
	        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
	        {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.500000Z"},
	        {"1900-03-01T00:00:00Z", "1900-03-01T00:00:00Z", "1900-03-01T00:00:00.000000Z"},
	        {"9999-12-31T00:00:00Z", "2262-04-11T23:47:16Z", "2262-04-11T23:47:16.854775Z"},
	        {"0001-01-01T00:00:00Z", "1677-09-21T00:12:43Z", "1677-09-21T00:12:43.145224Z"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		kt_ns t;
		struct kt_buf out = {0};
		assert_true(kt_time_parse(cases[i].in, &t));
		kt_time_print(t, &out);
		assert_string_equal(out.data, cases[i].seconds);
		kt_buf_cut(&out, 0);
		kt_time_print_micro(t, &out);
		assert_string_equal(out.data, cases[i].micros);
		kt_buf_clear(&out);
	}
}

static void every_day_has_one_date(void **state)
{
	(void)state;
	for (kt_ns day = -80000; day < 80000; day++) {
		struct kt_buf out = {0};
		kt_ns back;
		kt_time_print(day * 24 * KT_HOUR, &out);
		assert_true(kt_time_parse(out.data, &back));
		assert_true(back == day * 24 * KT_HOUR);
		kt_buf_clear(&out);
	}
}

static void what_is_no_rfc_3339_is_refused(void **state)
{
	(void)state;
	static const char *const cases[] = {
	        "",
	        "2026-01-02",
	        "2026-01-02T03:04:05",
	        "2026-01-02 03:04:05Z",
	        "2026-13-01T00:00:00Z",
	        "2026-02-29T00:00:00Z",
	        "2026-01-00T00:00:00Z",
	        "2026-01-02T24:00:00Z",
	        "2026-01-02T00:60:00Z",
	        "2026-01-02T00:00:60Z",
	        "2026-01-02T00:00:00.Z",
	        "2026-01-02T00:00:00Zx",
	        "2026-01-02T00:00:00+2:00",
	        "2026-01-02T00:00:00+0200",
	        "26-01-02T00:00:00Z",
	        "1900-02-29T00:00:00Z",
	        "2026-01-02T00:00:00+25:00",
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		kt_ns t = 7;
		assert_false(kt_time_parse(cases[i], &t));
		assert_int_equal(t, 7);
	}
	assert_false(kt_time_parse(NULL, &(kt_ns){0}));
}

static void what_is_no_time_is_told_in_words_of_go(void **state)
{
	(void)state;
#define LAYOUT "2006-01-02T15:04:05Z07:00\": cannot parse "
#define MICRO  "2006-01-02T15:04:05.000000Z07:00\": cannot parse "
	static const struct {
		const char *in;
		bool micro;
		const char *says;
	} cases[] = {
	        {"yesterday", false, " as \"" LAYOUT "\"yesterday\" as \"2006\""},
	        {"2020-01-01", false, " as \"" LAYOUT "\"\" as \"T\""},
	        {"2020-01-01", true, " as \"" MICRO "\"\" as \"T\""},
	        {"2020/02-01T20:00:00", false, " as \"" LAYOUT "\"/02-01T20:00:00\" as \"-\""},
	        {"2020-1-01T00:00:00Z", false, " as \"" LAYOUT "\"1-01T00:00:00Z\" as \"01\""},
	        {"2020-02-01T20:00:00", false, " as \"" LAYOUT "\"\" as \"Z07:00\""},
	        {"2020-02-01T20:00:00.5+1:00", false, " as \"" LAYOUT "\"+1:00\" as \"Z07:00\""},
	        {"2020-01-01T00:00:00Z", true, " as \"" MICRO "\"Z\" as \".000000\""},
	        {"2020-13-01T00:00:00Z", false, ": month out of range"},
	        {"2020-02-31T00:00:00Z", false, ": day out of range"},
	        {"2020-01-31T25:00:00Z", false, ": hour out of range"},
	        {"2020-02-01T20:00:00Zx", false, ": extra text: \"x\""},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf is = {0}, wanted = {0};
		kt_time_fault(cases[i].in, cases[i].micro, &is);
		kt_buf_addf(&wanted, "parsing time \"%s\"%s", cases[i].in, cases[i].says);
		assert_string_equal(kt_buf_str(&is), kt_buf_str(&wanted));
		kt_buf_clear(&is);
		kt_buf_clear(&wanted);
	}
#undef LAYOUT
#undef MICRO
}

static void durations_are_those_of_go(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
	        {"0", "0s"},
	        {"0s", "0s"},
	        {"+5s", "5s"},
	        {"-1.5h", "-1h30m0s"},
	        {"1h2m3.5s", "1h2m3.5s"},
	        {"300ms", "300ms"},
	        {"1m", "1m0s"},
	        {"3m", "3m0s"},
	        {".5s", "500ms"},
	        {"1.s", "1s"},
	        {"100us", "100µs"},
	        {"100µs", "100µs"},
	        {"100μs", "100µs"},
	        {"1500ns", "1.5µs"},
	        {"1ns", "1ns"},
	        {"1m1m", "2m0s"},
	        {"2h", "2h0m0s"},
	        {"1.000000001s", "1.000000001s"},
	        {"0.3333333333333333333h", "20m0s"},
	        {"2562047h47m16.854775807s", "2562047h47m16.854775807s"},
	        {"-2562047h47m16.854775808s", "-2562047h47m16.854775808s"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		kt_ns d;
		struct kt_buf out = {0};
		assert_true(kt_duration_parse(cases[i].in, &d));
		kt_duration_print(d, &out);
		assert_string_equal(out.data, cases[i].out);
		kt_buf_clear(&out);
	}
	static const char *const wrong[] = {"",         "-",
	                                    "1",        "s",
	                                    ".s",       "1x",
	                                    "1 s",      "1s ",
	                                    "1m-1s",    "2562047h47m16.854775808s",
	                                    "9999999h", "99999999999999999999s",
	                                    "1d"};
	for (size_t i = 0; i < KT_COUNT(wrong); i++) {
		kt_ns d = 7;
		assert_false(kt_duration_parse(wrong[i], &d));
		assert_int_equal(d, 7);
	}
}

static void ages_are_those_of_kubectl(void **state)
{
	(void)state;
	/* Most of them from duration_test.go of k8s.io/apimachinery. */
	enum { DAY = 24 * 3600, YEAR = 365 * DAY };
	static const struct {
		int64_t seconds;
		const char *out;
	} cases[] = {
	        {-2, "<invalid>"},
	        {-1, "0s"},
	        {0, "0s"},
	        {1, "1s"},
	        {70, "70s"},
	        {119, "119s"},
	        {120, "2m"},
	        {123, "2m3s"},
	        {190, "3m10s"},
	        {599, "9m59s"},
	        {600, "10m"},
	        {70 * 60, "70m"},
	        {179 * 60 + 59, "179m"},
	        {3 * 3600, "3h"},
	        {3 * 3600 + 600, "3h10m"},
	        {47 * 60, "47m"},
	        {8 * 3600 - 1, "7h59m"},
	        {8 * 3600, "8h"},
	        {10 * 3600 + 59, "10h"},
	        {47 * 3600, "47h"},
	        {2 * DAY, "2d"},
	        {2 * DAY + 3600, "2d1h"},
	        {70 * 3600, "2d22h"},
	        {8 * DAY - 1, "7d23h"},
	        {8 * DAY, "8d"},
	        {30 * DAY + 7000, "30d"},
	        {INT64_C(2) * YEAR - 1, "729d"},
	        {INT64_C(2) * YEAR, "2y"},
	        {INT64_C(2) * YEAR + 30 * DAY, "2y30d"},
	        {INT64_C(8) * YEAR - 1, "7y364d"},
	        {INT64_C(8) * YEAR, "8y"},
	        {INT64_C(70) * YEAR, "70y"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf out = {0};
		kt_duration_print_human(cases[i].seconds * KT_SEC, &out);
		assert_string_equal(out.data, cases[i].out);
		kt_buf_clear(&out);
	}
}

static void clocks_go_forward(void **state)
{
	(void)state;
	struct kt_clock clock = kt_clock_real();
	kt_ns a = kt_monotonic(), wall = clock.now(clock.arg);
	assert_true(kt_monotonic() >= a);
	assert_true(wall > INT64_C(1700000000) * KT_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(times_are_read_and_printed),
	        cmocka_unit_test(every_day_has_one_date),
	        cmocka_unit_test(what_is_no_time_is_told_in_words_of_go),
	        cmocka_unit_test(what_is_no_rfc_3339_is_refused),
	        cmocka_unit_test(durations_are_those_of_go),
	        cmocka_unit_test(ages_are_those_of_kubectl),
	        cmocka_unit_test(clocks_go_forward),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

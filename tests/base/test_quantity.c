/* SPDX-License-Identifier: MIT */
#include "base/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void quantities_are_printed_in_their_canonical_form(void **state)
{
	(void)state;
	/* After quantity_test.go of k8s.io/apimachinery. */
	static const struct {
		const char *in, *out;
	} cases[] = {
	        {"0", "0"},
	        {"0n", "0"},
	        {"0Mi", "0"},
	        {"-0", "0"},
	        {"+1", "1"},
	        {"-", "0"},
	        {"Mi", "0"},
	        {"0.5", "500m"},
	        {".5", "500m"},
	        {"5.", "5"},
	        {"-1.5", "-1500m"},
	        {"500m", "500m"},
	        {"1000m", "1"},
	        {"1500m", "1500m"},
	        {"1000", "1k"},
	        {"1k", "1k"},
	        {"1024", "1024"},
	        {"1024Mi", "1Gi"},
	        {"1.5Gi", "1536Mi"},
	        {"0.5Gi", "512Mi"},
	        {"0.3Gi", "322122547200m"},
	        {"1Ki", "1Ki"},
	        {"1000Ki", "1000Ki"},
	        {"0.5Ki", "512"},
	        {"1.5Ki", "1536"},
	        {"100Mi", "100Mi"},
	        {"128974848", "128974848"},
	        {"129e6", "129e6"},
	        {"129M", "129M"},
	        {"128974848000m", "128974848"},
	        {"123Mi", "123Mi"},
	        {"1e3", "1e3"},
	        {"1E3", "1e3"},
	        {"100e-3", "100e-3"},
	        {"12e4", "120e3"},
	        {"1e-3", "1e-3"},
	        {"1E", "1E"},
	        {"1Ei", "1Ei"},
	        {"8Ei", "9223372036854775807"},
	        {"9223372036854775807", "9223372036854775807"},
	        {"0.1n", "1n"},
	        {"1.1n", "2n"},
	        {"-1.1n", "-2n"},
	        {"1u", "1u"},
	        {"100u", "100u"},
	        {"0.0001m", "100n"},
	        {"2000000n", "2m"},
	        {"1P", "1P"},
	        {"1000P", "1E"},
	        {"1000E", "1000E"},
	        {"0.000000000000000000000000000000000000001Ei", "1n"},
	        {"00012", "12"},
	        {"7012e+311", "100e27"},
	        {".618313915720388313915726126127Gi", "663909511670192023n"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf out = {0};
		assert_true(kt_quantity_canonical(cases[i].in, &out));
		assert_string_equal(kt_buf_str(&out), cases[i].out);
		kt_buf_clear(&out);
	}
}

static void what_kubernetes_refuses_is_no_quantity(void **state)
{
	(void)state;
	static const char *const cases[] = {
	        "",       " ",       "1 ", " 1",   "1.1.M", "1+1.0M", "0.1mi", "0.1am", "aoeu", ".5i",   "1i",
	        "-3.01i", "-3.01e-", "1e", "1Mib", "1MM",   "--1",    "1K",    "1e3x",  "0x10", "1_000",
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_buf out = {0};
		struct kt_quantity q;
		assert_false(kt_quantity_canonical(cases[i], &out));
		assert_false(kt_quantity_parse(cases[i], &q));
		assert_int_equal(out.len, 0);
	}
}

static void values_round_away_from_zero_and_saturate(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		int64_t value, milli, nano;
		enum kt_quantity_format format;
	} cases[] = {
	        {"0", 0, 0, 0, KT_DECIMAL_SI},
	        {"1", 1, 1000, 1000000000, KT_DECIMAL_SI},
	        {"250m", 1, 250, 250000000, KT_DECIMAL_SI},
	        {"-250m", -1, -250, -250000000, KT_DECIMAL_SI},
	        {"1n", 1, 1, 1, KT_DECIMAL_SI},
	        {"1.0005", 2, 1001, 1000500000, KT_DECIMAL_SI},
	        {"1e3", 1000, 1000000, 1000000000000, KT_DECIMAL_EXPONENT},
	        {"64Gi", 68719476736, 68719476736000, INT64_MAX, KT_BINARY_SI},
	        {"1Ei", INT64_C(1) << 60, INT64_MAX, INT64_MAX, KT_BINARY_SI},
	        {"1e30", INT64_MAX, INT64_MAX, INT64_MAX, KT_DECIMAL_EXPONENT},
	        {"-1e99", -INT64_MAX - 1, -INT64_MAX - 1, -INT64_MAX - 1, KT_DECIMAL_EXPONENT},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_quantity q;
		assert_true(kt_quantity_parse(cases[i].in, &q));
		assert_true(q.value == cases[i].value);
		assert_true(q.milli == cases[i].milli);
		assert_true(q.nano == cases[i].nano);
		assert_int_equal(q.format, cases[i].format);
	}
}

static void quantities_compare_by_value(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
	        {"1", "1000m", 0}, {"1Gi", "1G", 1}, {"1023Mi", "1Gi", -1},
	        {"-1", "0", -1},   {"1n", "0", 1},   {"1e3", "1k", 0},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		assert_int_equal(kt_quantity_compare(cases[i].a, cases[i].b), cases[i].order);
		assert_int_equal(kt_quantity_compare(cases[i].b, cases[i].a), -cases[i].order);
	}
}

static void numbers_are_printed_in_a_format(void **state)
{
	(void)state;
	struct kt_buf out = {0};
	kt_quantity_print_milli(1500, KT_DECIMAL_SI, &out);
	kt_buf_addc(&out, ' ');
	kt_quantity_print_milli(2000, KT_DECIMAL_SI, &out);
	kt_buf_addc(&out, ' ');
	kt_quantity_print_value(268435456, KT_BINARY_SI, &out);
	kt_buf_addc(&out, ' ');
	kt_quantity_print_value(500, KT_BINARY_SI, &out);
	kt_buf_addc(&out, ' ');
	kt_quantity_print_value(120000, KT_DECIMAL_EXPONENT, &out);
	assert_string_equal(out.data, "1500m 2 256Mi 500 120e3");
	kt_buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(quantities_are_printed_in_their_canonical_form),
	        cmocka_unit_test(what_kubernetes_refuses_is_no_quantity),
	        cmocka_unit_test(values_round_away_from_zero_and_saturate),
	        cmocka_unit_test(quantities_compare_by_value),
	        cmocka_unit_test(numbers_are_printed_in_a_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

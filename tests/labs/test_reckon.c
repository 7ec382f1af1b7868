/* SPDX-License-Identifier: MIT */
/* Sums in texts of which something is drawn. */
#include "labs/labs_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void sums_come_out(void **state)
{
	static const struct {
		const char *sum;
		double is;
	} rows[] = {{"2 + 3 * 4", 14},
	            {"(2 + 3) * 4", 20},
	            {"10 - 4 - 3", 3},
	            {"-two + 5", 3},
	            {"ceil(replicas * quarter)", 3},
	            {"floor(replicas * quarter)", 2},
	            {"ceil(0.1 * 30)", 3},
	            {"floor(0.7 * 10)", 7},
	            {"min(replicas, 3) + max(two, 7)", 10},
	            {"replicas > two ? 1 : 0", 1},
	            {"replicas <= two ? 1 : two == 2 ? 5 : 6", 5},
	            {"7 / two", 3.5}};
	struct kt_json *drawn = kt_jsonf("{replicas: 9, two: '2', quarter: %s, word: 'web'}", "25%");
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		double is = -1;
		struct kt_err err = {0};
		if (lab_reckon(rows[i].sum, drawn, &is, &err))
			fail_msg("%s", err.text);
		if (is < rows[i].is - 1e-9 || is > rows[i].is + 1e-9)
			fail_msg("%s is %g, not %g", rows[i].sum, is, rows[i].is);
	}
	kt_json_free(drawn);
}

static void wrong_sums_are_told(void **state)
{
	static const struct {
		const char *sum, *says;
	} rows[] = {{"2 +", "expected a number or a name"},
	            {"copies * 2", "expected a number or a name that is drawn at 'copies * 2'"},
	            {"word * 2", "no number"},
	            {"(2", "expected a bracket"},
	            {"min(2)", "expected a comma"},
	            {"root(2)", "no such function"},
	            {"1 / 0", "a division by nought"},
	            {"1 ? 2", "expected a colon"},
	            {"2 3", "expected an end at '3'"}};
	struct kt_json *drawn = kt_jsonf("{word: 'web'}");
	struct kt_buf deep = {0};
	double is;
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_err err = {0};
		assert_int_equal(lab_reckon(rows[i].sum, drawn, &is, &err), KT_EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].sum, err.text);
	}
	for (int i = 0; i < 1000; i++)
		kt_buf_addc(&deep, '(');
	assert_int_equal(lab_reckon(kt_buf_str(&deep), drawn, &is, NULL), KT_EINVAL);
	kt_buf_clear(&deep);
	kt_json_free(drawn);
}

static void texts_get_what_was_drawn(void **state)
{
	static const char text[] = "vary: {num: [3, 4]}\n"
	                           "a: {num} of {=num * 2}, {m} and ${num}\n"
	                           "b: {x: {num}, y: 1}\n";
	struct kt_json *drawn = kt_jsonf("{num: 3}");
	struct kt_err err = {0};
	char *out = NULL;
	(void)state;
	assert_int_equal(lab_put_in("f.yaml", text, drawn, &out, &err), KT_OK);
	assert_string_equal(out, "vary: {num: [3, 4]}\na: 3 of 6, {m} and $3\nb: {x: 3, y: 1}\n");
	kt_free(out);
	assert_int_equal(lab_put_in("f.yaml", "a\nb {=num +}\n", drawn, &out, &err), KT_EINVAL);
	assert_non_null(strstr(err.text, "f.yaml:2: {=num +}: expected a number"));
	kt_json_free(drawn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sums_come_out),
	        cmocka_unit_test(wrong_sums_are_told),
	        cmocka_unit_test(texts_get_what_was_drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

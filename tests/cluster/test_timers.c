/* SPDX-License-Identifier: MIT */
#include "cluster/timers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void nothing(struct cluster *cluster, void *arg)
{
	(void)cluster;
	(void)arg;
}

static void timers_come_by_time_and_then_by_order_of_setting(void **state)
{
	struct cluster_timers timers = {0};
	struct cluster_timer timer;
	static const kt_ns due[] = {30, 10, 20, 10, 5, 10};
	static const size_t want[] = {4, 1, 3, 5, 2, 0};
	size_t tags[KT_COUNT(due)];

	(void)state;
	for (size_t i = 0; i < KT_COUNT(due); i++) {
		tags[i] = i;
		assert_int_not_equal(cluster_timers_add(&timers, due[i], nothing, &tags[i]), 0);
	}
	for (size_t i = 0; i < KT_COUNT(want); i++) {
		assert_true(cluster_timers_take(&timers, &timer));
		assert_int_equal(*(size_t *)timer.arg, want[i]);
	}
	assert_false(cluster_timers_take(&timers, &timer));
	assert_true(cluster_timers_next(&timers) == INT64_MAX);
	cluster_timers_clear(&timers);
}

static void a_cancelled_timer_never_comes_and_its_id_is_not_used_again(void **state)
{
	struct cluster_timers timers = {0};
	uint64_t first = cluster_timers_add(&timers, 1, nothing, NULL), second;

	(void)state;
	cluster_timers_cancel(&timers, first);
	second = cluster_timers_add(&timers, 2, nothing, NULL);
	assert_true(first != second);
	cluster_timers_cancel(&timers, first);
	cluster_timers_cancel(&timers, 0);
	assert_int_equal(cluster_timers_next(&timers), 2);
	cluster_timers_clear(&timers);
}

static void thousands_of_timers_keep_their_order_under_cancelling(void **state)
{
	struct cluster_timers timers = {0};
	struct cluster_timer timer;
	struct kt_random random;
	uint64_t ids[2000];
	kt_ns last = 0;
	size_t left = 0;

	(void)state;
	kt_random_init(&random, 7);
	for (size_t i = 0; i < KT_COUNT(ids); i++)
		ids[i] = cluster_timers_add(&timers, kt_random_below(&random, 500), nothing, NULL);
	for (size_t i = 0; i < KT_COUNT(ids); i += 3)
		cluster_timers_cancel(&timers, ids[i]);
	while (cluster_timers_take(&timers, &timer)) {
		assert_true(timer.when >= last);
		last = timer.when;
		left++;
	}
	assert_int_equal(left, KT_COUNT(ids) - 667);
	cluster_timers_clear(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(timers_come_by_time_and_then_by_order_of_setting),
	        cmocka_unit_test(a_cancelled_timer_never_comes_and_its_id_is_not_used_again),
	        cmocka_unit_test(thousands_of_timers_keep_their_order_under_cancelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "cluster/edge/edge_internal.h"
#include "tests/cluster/edge/fake_cluster.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define T0 (1000 * KT_SEC)

static void virtual_time_runs_at_its_speed(void **state)
{
	struct edge_clock clock;
	(void)state;
	edge_clock_init(&clock, 5 * KT_SEC, T0, 60);
	assert_int_equal(edge_clock_virtual(&clock, 5 * KT_SEC), T0);
	assert_int_equal(edge_clock_virtual(&clock, 6 * KT_SEC), T0 + 60 * KT_SEC);
	assert_int_equal(edge_clock_virtual(&clock, 4 * KT_SEC), T0); /* never back */
}

static void a_change_of_pace_counts_from_where_the_clock_is(void **state)
{
	struct edge_clock clock;
	(void)state;
	edge_clock_init(&clock, 0, T0, 60);
	edge_clock_set(&clock, KT_SEC, edge_clock_virtual(&clock, KT_SEC));
	clock.speed = 1;
	assert_int_equal(edge_clock_virtual(&clock, 3 * KT_SEC), T0 + 62 * KT_SEC);
	clock.paused = true;
	assert_int_equal(edge_clock_virtual(&clock, 99 * KT_SEC), T0 + 60 * KT_SEC);
}

static void the_sleep_ends_when_something_is_due(void **state)
{
	struct edge_clock clock;
	(void)state;
	edge_clock_init(&clock, 0, T0, 10);
	assert_int_equal(edge_clock_until(&clock, 0, T0 + 20 * KT_SEC), 2 * KT_SEC + 1);
	assert_int_equal(edge_clock_until(&clock, 0, T0 - 1), 0);
	assert_int_equal(edge_clock_until(&clock, 0, INT64_MAX), KT_LOOP_FOREVER);
	assert_true(edge_clock_virtual(&clock, edge_clock_until(&clock, 0, T0 + 7)) >= T0 + 7);
	clock.paused = true;
	assert_int_equal(edge_clock_until(&clock, 0, T0), KT_LOOP_FOREVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(virtual_time_runs_at_its_speed),
	        cmocka_unit_test(a_change_of_pace_counts_from_where_the_clock_is),
	        cmocka_unit_test(the_sleep_ends_when_something_is_due),
	};
	return cmocka_run_group_tests_name("edge clock", tests, NULL, NULL);
}

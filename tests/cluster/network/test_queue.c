/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <math.h>

#include "cluster/network/queue.h"

/* Against the textbook: Kleinrock, Queueing Systems I: M/M/1 T = 1/(mu - lambda); Erlang's C formula for
 * M/M/c. */
static void near_to(double got, double want, double share)
{
	if (fabs(got - want) > fabs(want) * share + 1e-9)
		fail_msg("%g expected, got %g", want, got);
}

static void one_server_waits_as_the_formula_says(void **state)
{
	(void)state;
	for (double load = 0.1; load < 0.95; load += 0.1) {
		struct queue queue = {0};
		struct queue_result r;
		queue_step(&queue, load * 100, 1, 0.01, 100, 1, &r);
		near_to(r.mean, 0.01 / (1 - load), 1e-6);
		near_to(r.wait, load * 0.01 / (1 - load), 1e-6);
		near_to(r.p50, log(2) * 0.01 / (1 - load), 1e-6);
		near_to(r.p99, log(100) * 0.01 / (1 - load), 1e-6);
		near_to(r.busy, load, 1e-9);
		near_to(r.answered, 1, 0);
	}
}

static void erlang_c_agrees_with_published_values(void **state)
{
	(void)state;
	near_to(queue_erlang_c(1, 0.5), 0.5, 1e-9);
	near_to(queue_erlang_c(2, 1), 1.0 / 3, 1e-9);
	near_to(queue_erlang_c(3, 2), 4.0 / 9, 1e-9);
	near_to(queue_erlang_c(10, 8), 0.4092, 1e-3);
	near_to(queue_erlang_c(5, 4), 0.5541, 1e-3);
}

static void several_servers_wait_less(void **state)
{
	struct queue a = {0}, b = {0};
	struct queue_result one, two;
	(void)state;
	queue_step(&a, 80, 1, 0.01, 100, 1, &one);
	queue_step(&b, 160, 2, 0.01, 100, 1, &two);
	assert_true(two.wait < one.wait);
	near_to(two.wait, queue_erlang_c(2, 1.6) / (200 - 160), 1e-9);
}

static void too_much_load_waits_longer_each_second_and_then_fails(void **state)
{
	struct queue queue = {0};
	struct queue_result r;
	(void)state;
	for (int i = 0; i < 5; i++)
		queue_step(&queue, 150, 1, 0.01, 10, 1, &r);
	near_to(r.wait, 2.5, 1e-9);
	near_to(r.answered, 1, 0);
	for (int i = 0; i < 60; i++)
		queue_step(&queue, 150, 1, 0.01, 10, 1, &r);
	near_to(r.wait, 10, 1e-9);
	near_to(r.answered, 100.0 / 150, 1e-9);
	for (int i = 0; i < 30; i++)
		queue_step(&queue, 10, 1, 0.01, 10, 1, &r);
	near_to(r.answered, 1, 0);
	assert_true(r.mean < 0.02);
}

static void a_limit_below_a_core_stretches_the_work(void **state)
{
	struct queue queue = {0};
	struct queue_result r;
	(void)state;
	queue_step(&queue, 5, 0.1, 0.01, 10, 1, &r);
	near_to(r.mean, 1 / (10.0 - 5), 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_server_waits_as_the_formula_says),
	        cmocka_unit_test(erlang_c_agrees_with_published_values),
	        cmocka_unit_test(several_servers_wait_less),
	        cmocka_unit_test(too_much_load_waits_longer_each_second_and_then_fails),
	        cmocka_unit_test(a_limit_below_a_core_stretches_the_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

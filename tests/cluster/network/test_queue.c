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

static void step(struct queue *queue, double rps, double cores, double work, double patience,
                 struct queue_result *out)
{
	struct queue_load load = {
	        .rps = rps, .cores = cores, .work = work, .variation = 1, .patience = patience};
	queue_step(queue, &load, 1, out);
}

static void one_server_waits_as_the_formula_says(void **state)
{
	(void)state;
	for (double load = 0.1; load < 0.95; load += 0.1) {
		struct queue queue = {0};
		struct queue_result r;
		step(&queue, load * 100, 1, 0.01, 100, &r);
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
	step(&a, 80, 1, 0.01, 100, &one);
	step(&b, 160, 2, 0.01, 100, &two);
	assert_true(two.wait < one.wait);
	near_to(two.wait, queue_erlang_c(2, 1.6) / (200 - 160), 1e-9);
}

static void too_much_load_waits_longer_each_second_and_then_fails(void **state)
{
	struct queue queue = {0};
	struct queue_result r;
	(void)state;
	for (int i = 0; i < 5; i++)
		step(&queue, 150, 1, 0.01, 10, &r);
	near_to(r.wait, 2.5, 1e-9);
	near_to(r.answered, 1, 0);
	for (int i = 0; i < 60; i++)
		step(&queue, 150, 1, 0.01, 10, &r);
	near_to(r.wait, 10, 1e-9);
	near_to(r.answered, 100.0 / 150, 1e-9);
	for (int i = 0; i < 30; i++)
		step(&queue, 10, 1, 0.01, 10, &r);
	near_to(r.answered, 1, 0);
	assert_true(r.mean < 0.02);
}

static void a_limit_below_a_core_stretches_the_work(void **state)
{
	struct queue queue = {0};
	struct queue_result r;
	(void)state;
	step(&queue, 5, 0.1, 0.01, 10, &r);
	near_to(r.mean, 1 / (10.0 - 5), 1e-6);
}

/* M/D/1: half the wait of M/M/1 (Pollaczek and Khinchine); and between for what varies less. */
static void constant_work_waits_half_as_long(void **state)
{
	(void)state;
	for (double load = 0.1; load < 0.95; load += 0.1) {
		for (double variation = 0; variation <= 1; variation += 0.25) {
			struct queue queue = {0};
			struct queue_result r;
			struct queue_load given = {.rps = load * 100,
			                           .cores = 1,
			                           .work = 0.01,
			                           .variation = variation,
			                           .patience = 100};
			queue_step(&queue, &given, 1, &r);
			near_to(r.wait, (1 + variation) / 2 * load * 0.01 / (1 - load), 1e-6);
		}
	}
}

/* Little's law: what is in the system is arrivals times the time spent there; from the waiting line of M/M/c.
 */
static void littles_law_holds(void **state)
{
	(void)state;
	for (unsigned c = 1; c <= 8; c *= 2) {
		for (double load = 0.2; load < 0.95; load += 0.15) {
			struct queue queue = {0};
			struct queue_result r;
			double a = load * c, line = queue_erlang_c(c, a) * load / (1 - load);
			step(&queue, a * 100, c, 0.01, 100, &r);
			near_to(a * 100 * r.wait, line, 1e-6);
			near_to(a * 100 * r.mean, line + a, 1e-6);
			/* and the distribution agrees with the mean that it was made of */
			near_to(latency_mean(&r.latency), r.mean, 0.03);
			near_to(latency_percentile(&r.latency, 0.99), r.p99, 0.05);
			near_to(latency_percentile(&r.latency, 0.5), r.p50, 0.08);
		}
	}
}

/* Two exponential services one after the other: mean 2/mu, P(T > t) = (1 + mu t) exp(-mu t) (Erlang-2). */
static void times_one_after_the_other_add_up(void **state)
{
	struct queue queue = {0};
	struct queue_result r;
	struct latency both, three;
	(void)state;
	step(&queue, 1e-6, 1, 0.01, 100, &r);
	latency_chain(&r.latency, &r.latency, &both);
	near_to(latency_mean(&both), 0.02, 0.03);
	near_to(latency_percentile(&both, 0.5), 0.01678, 0.08);
	near_to(latency_percentile(&both, 0.99), 0.06638, 0.08);
	latency_shift(&both, 1);
	near_to(latency_mean(&both), 1.02, 0.01);
	latency_at(&three, 0.25, 0.5);
	near_to(latency_mean(&three), 0.25, 1e-3);
	near_to(latency_sum(&three), 0.5, 1e-6);
	latency_cut(&both, 0.5);
	near_to(latency_sum(&both), 0, 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_server_waits_as_the_formula_says),
	        cmocka_unit_test(erlang_c_agrees_with_published_values),
	        cmocka_unit_test(several_servers_wait_less),
	        cmocka_unit_test(too_much_load_waits_longer_each_second_and_then_fails),
	        cmocka_unit_test(a_limit_below_a_core_stretches_the_work),
	        cmocka_unit_test(constant_work_waits_half_as_long),
	        cmocka_unit_test(littles_law_holds),
	        cmocka_unit_test(times_one_after_the_other_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct seen {
	struct kt_loop *loop;
	char text[64];
	int fds[2], events;
	uint64_t timer;
};

static void note(struct seen *seen, char c)
{
	size_t len = strlen(seen->text);
	if (len + 1 < sizeof(seen->text))
		seen->text[len] = c;
}

static void on_a(void *arg)
{
	note(arg, 'a');
}

static void on_b(void *arg)
{
	note(arg, 'b');
}

static void on_end(void *arg)
{
	struct seen *seen = arg;
	note(seen, '.');
	kt_loop_stop(seen->loop);
}

static void timers_fire_in_order_and_may_be_cancelled(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	kt_loop_after(seen.loop, 3 * KT_MS, on_end, &seen);
	kt_loop_after(seen.loop, 2 * KT_MS, on_b, &seen);
	uint64_t gone = kt_loop_after(seen.loop, KT_MS, on_b, &seen);
	kt_loop_after(seen.loop, KT_MS, on_a, &seen);
	kt_loop_after(seen.loop, 0, on_a, &seen);
	kt_loop_after(seen.loop, -5, on_a, &seen);
	assert_int_not_equal(gone, 0);
	kt_loop_cancel(seen.loop, gone);
	kt_loop_cancel(seen.loop, gone);
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "aaab.");
	kt_loop_free(seen.loop);
}

static void many_timers_keep_their_order(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	uint64_t ids[200];
	for (int i = 0; i < 200; i++)
		ids[i] = kt_loop_after(seen.loop, (i * 7919) % 200 * KT_US, i % 2 ? on_a : on_b, &seen);
	for (int i = 0; i < 200; i++)
		if (i % 2 == 0 || i > 20)
			kt_loop_cancel(seen.loop, ids[i]);
	kt_loop_after(seen.loop, KT_MS, on_end, &seen);
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "aaaaaaaaaa.");
	kt_loop_free(seen.loop);
}

static void on_readable(int fd, int events, void *arg)
{
	struct seen *seen = arg;
	char c;
	seen->events |= events;
	if (read(fd, &c, 1) == 1) {
		note(seen, c);
		return;
	}
	kt_loop_watch(seen->loop, fd, 0, NULL, NULL);
	kt_loop_stop(seen->loop);
}

static void on_writable(int fd, int events, void *arg)
{
	struct seen *seen = arg;
	assert_int_equal(events, KT_LOOP_WRITE);
	assert_int_equal(write(fd, "hi", 2), 2);
	kt_loop_watch(seen->loop, fd, 0, NULL, NULL);
	close(fd);
}

static void pipes_are_read_and_written_until_their_end(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	assert_int_equal(pipe(seen.fds), 0);
	kt_loop_watch(seen.loop, seen.fds[0], KT_LOOP_READ, on_readable, &seen);
	kt_loop_watch(seen.loop, seen.fds[1], KT_LOOP_WRITE, on_writable, &seen);
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "hi");
	assert_true(seen.events & KT_LOOP_READ);
	close(seen.fds[0]);
	kt_loop_free(seen.loop);
}

static kt_ns idle(void *arg)
{
	struct seen *seen = arg;
	note(seen, 'i');
	if (strlen(seen->text) == 3)
		kt_loop_stop(seen->loop);
	return 0;
}

static void idle_work_bounds_the_sleep(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	kt_loop_idle(seen.loop, idle, &seen);
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "iii");
	kt_loop_free(seen.loop);
}

static void on_signal(int signo, void *arg)
{
	struct seen *seen = arg;
	note(seen, signo == SIGWINCH ? 'w' : 'u');
	if (strlen(seen->text) == 2)
		kt_loop_stop(seen->loop);
}

static void signals_arrive_as_events(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	kt_loop_signal(seen.loop, SIGWINCH, on_signal, &seen);
	kt_loop_signal(seen.loop, SIGUSR1, on_signal, &seen);
	raise(SIGWINCH);
	raise(SIGUSR1);
	assert_string_equal(seen.text, "");
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "wu");
	kt_loop_signal(seen.loop, SIGWINCH, NULL, NULL);
	kt_loop_free(seen.loop);
}

/* A child that was forked and has not yet become something else still has its parent's handlers. */
static void a_signal_to_a_child_is_not_its_parents(void **state)
{
	(void)state;
	struct seen seen = {.loop = kt_loop_new()};
	int status = 0;
	kt_loop_signal(seen.loop, SIGTERM, on_signal, &seen);
	kt_loop_signal(seen.loop, SIGUSR1, on_signal, &seen);
	pid_t child = fork();
	if (!child) {
		(void)alarm(60); /* nobody waits for ever */
		for (;;)
			(void)pause();
	}
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	raise(SIGUSR1);
	raise(SIGUSR1);
	kt_loop_run(seen.loop);
	assert_string_equal(seen.text, "uu");
	kt_loop_free(seen.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(timers_fire_in_order_and_may_be_cancelled),
	        cmocka_unit_test(many_timers_keep_their_order),
	        cmocka_unit_test(pipes_are_read_and_written_until_their_end),
	        cmocka_unit_test(idle_work_bounds_the_sleep),
	        cmocka_unit_test(signals_arrive_as_events),
	        cmocka_unit_test(a_signal_to_a_child_is_not_its_parents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

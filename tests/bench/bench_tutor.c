/* SPDX-License-Identifier: MIT */
/* What a learner feels: from the command to the first frame, from a key to its frame (on the first screen, a
 * page turned with its progress kept, in the lab's shell), in a pseudo terminal of 120x36.
 * bench_tutor PROGRAM [ROUNDS]. Prints "WHAT  MEASURED  BUDGET" a line; exit 0 whatever they are. */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 20000
#define QUIET_MS    40 /* a frame is whole when nothing follows for so long */
#define MOST_ROUNDS 200

struct terminal {
	int fd;
	pid_t pid;
	struct kt_buf seen;
};

static void print(const char *what, kt_ns *times, size_t count, const char *budget)
{
	for (size_t i = 1; i < count; i++) /* few: sorted by insertion */
		for (size_t k = i; k > 0 && times[k - 1] > times[k]; k--) {
			kt_ns kept = times[k];
			times[k] = times[k - 1];
			times[k - 1] = kept;
		}
	if (count)
		(void)printf("%-58s %9.1f %-4s budget %s (worst of %zu: %.1f)\n", what,
		             (double)times[count / 2] / 1e6, "ms", budget, count,
		             (double)times[count - 1] / 1e6);
}

static void become_tutor(const char *program, const char *terminal)
{
	(void)setsid();
	int fd = open(terminal, O_RDWR);
	if (fd < 0)
		_exit(126);
	(void)ioctl(fd, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		(void)dup2(fd, i);
	(void)execl(program, program, (char *)NULL);
	_exit(127);
}

static bool open_terminal(struct terminal *t, const char *program)
{
	struct winsize size = {.ws_row = 36, .ws_col = 120};
	t->fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (t->fd < 0 || grantpt(t->fd) || unlockpt(t->fd))
		return false;
	const char *name = ptsname(t->fd);
	(void)ioctl(t->fd, TIOCSWINSZ, &size);
	(void)fcntl(t->fd, F_SETFD, FD_CLOEXEC);
	t->pid = name ? fork() : -1;
	if (!t->pid)
		become_tutor(program, name);
	return t->pid > 0;
}

static void close_terminal(struct terminal *t)
{
	(void)kill(t->pid, SIGTERM);
	while (waitpid(t->pid, NULL, 0) < 0 && errno == EINTR)
		;
	(void)close(t->fd);
	kt_buf_clear(&t->seen);
}

/* When the last byte came, of what comes until it is quiet; 0: nothing came in time. */
static kt_ns frame_end(struct terminal *t, int patience_ms)
{
	struct pollfd p = {.fd = t->fd, .events = POLLIN};
	kt_ns last = 0;
	char bytes[65536];
	while (poll(&p, 1, last ? QUIET_MS : patience_ms) > 0) {
		ssize_t n = read(t->fd, bytes, sizeof(bytes));
		if (n <= 0)
			break;
		last = kt_monotonic();
		kt_buf_add(&t->seen, bytes, (size_t)n);
	}
	return last;
}

static bool wait_for(struct terminal *t, const char *text)
{
	kt_ns begin = kt_monotonic();
	while (!strstr(kt_buf_str(&t->seen), text))
		if (!frame_end(t, 1000) && kt_monotonic() - begin > PATIENCE_MS * KT_MS)
			return false;
	return true;
}

static bool press(struct terminal *t, const char *keys, kt_ns *took)
{
	kt_buf_cut(&t->seen, 0);
	kt_ns begin = kt_monotonic();
	if (write(t->fd, keys, strlen(keys)) < 0)
		return false;
	kt_ns end = frame_end(t, PATIENCE_MS);
	*took = end - begin;
	return end != 0;
}

static void measure_keys(struct terminal *t, const char *what, const char *const keys[2], size_t rounds)
{
	kt_ns times[MOST_ROUNDS];
	size_t count = 0;
	for (size_t i = 0; i < rounds; i++)
		if (press(t, keys[i % 2], &times[count]))
			count++;
	print(what, times, count, "16");
}

static bool measure_first(const char *program, size_t rounds)
{
	kt_ns times[MOST_ROUNDS];
	size_t count = 0;
	for (size_t i = 0; i < rounds; i++) {
		struct terminal t = {.fd = -1};
		kt_ns begin = kt_monotonic();
		if (!open_terminal(&t, program))
			return false;
		kt_ns end = frame_end(&t, PATIENCE_MS);
		if (end && strstr(kt_buf_str(&t.seen), "quit"))
			times[count++] = end - begin;
		close_terminal(&t);
	}
	print("first frame of the tutor (median)", times, count, "50");
	return count > 0;
}

static bool measure_screens(const char *program, size_t rounds)
{
	static const char *const up_down[] = {"j", "k"}, *const pages[] = {"\033OC", "\033OD"},
	                         *const letters[] = {"x", "\177"};
	struct terminal t = {.fd = -1};
	kt_ns ignored;
	if (!open_terminal(&t, program))
		return false;
	bool good = wait_for(&t, "quit");
	if (good)
		measure_keys(&t, "a key to its frame, first screen (median)", up_down, rounds);
	good = good && press(&t, "/zone-goes-dark\r", &ignored) && press(&t, "\r", &ignored);
	if (good)
		measure_keys(&t, "a page turned and kept (median)", pages, rounds);
	good = good && press(&t, "l", &ignored) && wait_for(&t, "expected");
	if (good)
		measure_keys(&t, "a key in the lab's shell to its frame (median)", letters, rounds);
	close_terminal(&t);
	return good;
}

int main(int argc, char **argv)
{
	char home[] = "/tmp/ktutor-bench.XXXXXX";
	size_t rounds = argc > 2 ? (size_t)strtol(argv[2], NULL, 10) : 31;
	if (argc < 2 || !mkdtemp(home) || setenv("KTUTOR_HOME", home, 1) ||
	    setenv("TERM", "xterm-256color", 1) || setenv("SHELL", "/bin/sh", 1)) {
		(void)fputs("usage: bench_tutor PROGRAM [ROUNDS]\n", stderr);
		return 2;
	}
	rounds = KT_MIN(KT_MAX(rounds, 1), MOST_ROUNDS);
	bool good = measure_first(argv[1], rounds) && measure_screens(argv[1], rounds);
	if (!good)
		(void)fputs("bench_tutor: a screen did not come\n", stderr);
	const char *const down[] = {argv[1], "cluster", "down", "--all", NULL};
	int status = 0;
	if (kt_run(&(struct kt_run){.argv = down, .timeout_ms = 30000}, &status, NULL))
		(void)fputs("bench_tutor: the cluster did not stop\n", stderr);
	(void)!kt_remove_tree(home, NULL);
	return good ? 0 : 1;
}

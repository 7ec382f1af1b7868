/* SPDX-License-Identifier: MIT */
/* What a learner waits for: `ktutor check` as a whole process, the first frame of the tutor and a key to its
 * frame; and what the cluster of a lab takes. bench_program PROGRAM [LAB]. Prints "WHAT  MEASURED  BUDGET" a
 * line. */
#include "cluster/edge/edge.h"
#include "labs/embedded/embedded.h"
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __APPLE__
#include <util.h>
#else
#include <pty.h>
#endif

enum { ROUNDS = 11 };

static void print(const char *what, double value, const char *unit, const char *budget)
{
	(void)printf("%-58s %9.1f %-4s budget %s\n", what, value, unit, budget);
}

static int compare(const void *a, const void *b)
{
	kt_ns x = *(const kt_ns *)a, y = *(const kt_ns *)b;
	return (x > y) - (x < y);
}

static double median_ms(kt_ns *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	return (double)times[count / 2] / 1e6;
}

static int run(const char *const *argv)
{
	struct kt_err err = {0};
	struct kt_buf out = {0};
	int status = -1;
	struct kt_run run = {.argv = argv, .timeout_ms = 120000, .out = &out};
	if (kt_run(&run, &status, &err))
		(void)fprintf(stderr, "%s %s: %s\n", argv[0], argv[1], err.text);
	kt_buf_clear(&out);
	return status;
}

/* The lab's solution, as a learner applies it; a check that fails waits for what may still come. */
static int solve(const char *home, const char *lab)
{
	char *config = kt_strf("KUBECONFIG=%s/clusters/%s/kubeconfig", home, lab),
	     *folder = kt_strf("labs/level-6-pro/%s/solution", lab);
	const char *const argv[] = {"kubectl", "apply", "-f", folder, NULL}, *const env[] = {config, NULL};
	struct kt_err err = {0};
	struct kt_buf out = {0};
	int status = -1;
	struct kt_run apply = {.argv = argv, .env = env, .timeout_ms = 60000, .out = &out};
	if (kt_run(&apply, &status, &err) || status)
		(void)fprintf(stderr, "bench_program: the solution was not applied: %s\n", err.text);
	kt_buf_clear(&out);
	kt_free(config);
	kt_free(folder);
	return status;
}

/* CPU time of the processes that were waited for. */
static double children_ms(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_CHILDREN, &usage))
		return 0;
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void check(const char *program, const char *lab)
{
	const char *const argv[] = {program, "check", lab, "--format", "json", NULL};
	kt_ns times[ROUNDS];
	double cpu = children_ms();
	for (int i = 0; i < ROUNDS; i++) {
		kt_ns begin = kt_monotonic();
		int code = run(argv);
		times[i] = kt_monotonic() - begin;
		if (code > 1)
			(void)fprintf(stderr, "bench_program: check ended with %d\n", code);
	}
	print("ktutor check, the whole process (median)", median_ms(times, ROUNDS), "ms", "20");
	print("ktutor check, CPU of the process", (children_ms() - cpu) / ROUNDS, "ms", "");
}

static void memory(const char *home, const char *lab)
{
	struct kt_json *status = NULL;
	struct kt_err err = {0};
	char *dir = NULL;
	if (embedded_dir(home, lab, &dir, &err) ||
	    edge_call(dir, "GET", "/ktutor/v1/status", NULL, 0, &status, &err))
		(void)fprintf(stderr, "bench_program: %s\n", err.text);
	else
		print("memory of a cluster with a lab running",
		      (double)kt_get_int(status, "memory", 0) / (1024 * 1024), "MiB", "15");
	kt_json_free(status);
	kt_free(dir);
}

/* Output that came within `patience` and then rested for 30 ms; the time of its last byte, 0: none. */
static kt_ns settle(int fd, int patience)
{
	kt_ns last = 0;
	char bytes[65536];
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		if (poll(&wait, 1, last ? 30 : patience) <= 0 || read(fd, bytes, sizeof(bytes)) <= 0)
			return last;
		last = kt_monotonic();
	}
}

static void frames(const char *program)
{
	kt_ns firsts[ROUNDS], keys[ROUNDS];
	size_t count = 0;
	for (int i = 0; i < ROUNDS; i++) {
		struct winsize size = {.ws_row = 24, .ws_col = 80};
		int fd = -1;
		kt_ns begin = kt_monotonic();
		pid_t pid = forkpty(&fd, NULL, NULL, &size);
		if (!pid) {
			(void)setenv("TERM", "xterm-256color", 1);
			(void)execl(program, program, (char *)NULL);
			_exit(127);
		}
		kt_ns first = settle(fd, 5000), pressed = kt_monotonic();
		kt_ns after = write(fd, "j", 1) == 1 ? settle(fd, 1000) : 0;
		if (first && after) {
			firsts[count] = first - begin;
			keys[count++] = after - pressed;
		}
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		(void)close(fd);
	}
	if (!count)
		return;
	print("first frame of the tutor (median)", median_ms(firsts, count), "ms", "50");
	print("a key to its frame (median)", median_ms(keys, count), "ms", "16");
}

int main(int argc, char **argv)
{
	char home[] = "/tmp/ktutor-bench.XXXXXX";
	const char *lab = argc > 2 ? argv[2] : "only-the-frontend";
	if (argc < 2 || !mkdtemp(home) || setenv("KTUTOR_HOME", home, 1)) {
		(void)fputs("usage: bench_program PROGRAM [LAB]\n", stderr);
		return 2;
	}
	const char *const start[] = {argv[1], "lab", "start", lab, NULL},
	                  *const settled[] = {argv[1], "check", lab, NULL},
	                  *const down[] = {argv[1], "cluster", "down", "--all", NULL};
	if (!run(start)) {
		if (!solve(home, lab) && !run(settled))
			check(argv[1], lab);
		memory(home, lab);
		frames(argv[1]);
	}
	(void)run(down);
	(void)!kt_remove_tree(home, NULL);
	return 0;
}

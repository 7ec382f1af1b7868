/* SPDX-License-Identifier: MIT */
/* What an embedded cluster costs: from the command to the first answered list of nodes, its memory, its CPU
 * while idle. bench_start PROGRAM [ROUNDS]. Prints "WHAT  MEASURED  BUDGET" a line; exit 0 whatever they are.
 */
#include "cluster/edge/edge.h"
#include "labs/embedded/embedded.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_SECONDS 5

static int compare(const void *a, const void *b)
{
	kt_ns x = *(const kt_ns *)a, y = *(const kt_ns *)b;
	return (x > y) - (x < y);
}

static void print(const char *what, double value, const char *unit, const char *budget)
{
	(void)printf("%-58s %9.1f %-4s budget %s\n", what, value, unit, budget);
}

/* CPU time of a process so far; -1 where /proc does not say. */
static kt_ns cpu_time(long pid)
{
	char *path = kt_strf("/proc/%ld/stat", pid);
	struct kt_buf text = {0};
	kt_ns result = -1;
	if (!kt_read_file(path, 4096, &text, NULL)) {
		const char *at = strrchr(kt_buf_str(&text), ')');
		unsigned long user = 0, system_time = 0;
		if (at && sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		                 &system_time) == 2)
			result = (kt_ns)(user + system_time) * KT_SEC / sysconf(_SC_CLK_TCK);
	}
	kt_buf_clear(&text);
	kt_free(path);
	return result;
}

static enum kt_code command(const char *program, const char *verb, const char *name, struct kt_err *err)
{
	const char *const argv[] = {program, "cluster", verb, name, NULL};
	int status = 0;
	struct kt_run run = {.argv = argv, .timeout_ms = 60000};
	enum kt_code rc = kt_run(&run, &status, err);
	return rc || !status ? rc
	                     : kt_fail(err, KT_EIO, "%s cluster %s: exit code %d", program, verb, status);
}

static enum kt_code round_trip(const char *program, const char *dir, kt_ns times[2], struct kt_err *err)
{
	kt_ns begin = kt_monotonic();
	enum kt_code rc = command(program, "up", "bench", err);
	kt_ns up = kt_monotonic();
	if (!rc)
		rc = edge_call(dir, "GET", "/api/v1/nodes", NULL, 0, NULL, err);
	times[0] = up - begin;
	times[1] = kt_monotonic() - begin;
	return rc;
}

static enum kt_code measure(const char *program, const char *home, size_t rounds, struct kt_err *err)
{
	kt_ns *ups = kt_alloc(rounds * sizeof *ups), *alls = kt_alloc(rounds * sizeof *alls), times[2];
	char *dir = NULL;
	enum kt_code rc = embedded_dir(home, "bench", &dir, err);
	for (size_t i = 0; !rc && i < rounds; i++) {
		if (i)
			rc = command(program, "down", "bench", err);
		if (!rc)
			rc = round_trip(program, dir, times, err);
		ups[i] = times[0];
		alls[i] = times[1];
	}
	struct kt_json *status = NULL;
	if (!rc) {
		qsort(ups, rounds, sizeof *ups, compare);
		qsort(alls, rounds, sizeof *alls, compare);
		print("cluster up, the command (median)", (double)ups[rounds / 2] / 1e6, "ms", "50");
		print("cluster up to the first answered list of nodes (median)",
		      (double)alls[rounds / 2] / 1e6, "ms", "50");
		print("cluster up to the first answered list of nodes (worst)",
		      (double)alls[rounds - 1] / 1e6, "ms", "50");
		long pid = edge_holder(dir);
		kt_ns before = cpu_time(pid);
		(void)sleep(IDLE_SECONDS);
		kt_ns after = cpu_time(pid);
		if (before >= 0)
			print("CPU while idle", (double)(after - before) / IDLE_SECONDS / 1e7, "%", "0");
		rc = edge_call(dir, "GET", "/ktutor/v1/status", NULL, 0, &status, err);
	}
	if (!rc)
		print("memory while idle", (double)kt_get_int(status, "memory", 0) / (1024 * 1024), "MiB",
		      "12");
	if (dir && edge_holder(dir) && command(program, "down", "bench", NULL))
		(void)fputs("bench_start: the cluster did not stop\n", stderr);
	kt_json_free(status);
	kt_free(dir);
	kt_free(ups);
	kt_free(alls);
	return rc;
}

int main(int argc, char **argv)
{
	char home[] = "/tmp/ktutor-bench.XXXXXX";
	struct kt_err err = {0};
	size_t rounds = argc > 2 ? (size_t)KT_MAX(strtol(argv[2], NULL, 10), 1L) : 11;
	if (argc < 2 || !mkdtemp(home) || setenv("KTUTOR_HOME", home, 1)) {
		(void)fputs("usage: bench_start PROGRAM [ROUNDS]\n", stderr);
		return 2;
	}
	enum kt_code rc = measure(argv[1], home, rounds, &err);
	if (rc)
		(void)fprintf(stderr, "bench_start: %s\n", err.text);
	(void)!kt_remove_tree(home, NULL);
	return rc ? 1 : 0;
}

/* SPDX-License-Identifier: MIT */
/* Into the background: twice forked, a session of its own, a pipe to say when it answers. */
#include "labs/embedded/embedded_internal.h"
#include "cluster/edge/edge.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START_TIME (60 * KT_SEC)
#define LOG_MAX    (1024 * 1024)

/* Standard error goes into the cluster's log, everything else of the parent's is let go. */
static void detach(const char *dir, int keep_fd)
{
	char *log = kt_join(dir, "log");
	struct stat info;
	int flags = O_WRONLY | O_CREAT | O_APPEND;
	if (!stat(log, &info) && info.st_size > LOG_MAX)
		flags |= O_TRUNC;
	int null = open("/dev/null", O_RDWR), err = open(log, flags, 0600);
	kt_free(log);
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	(void)dup2(err >= 0 ? err : null, 2);
	long limit = sysconf(_SC_OPEN_MAX);
	for (int fd = 3; fd < (int)KT_MIN(limit > 0 ? limit : 1024, 4096L); fd++)
		if (fd != keep_fd)
			(void)close(fd);
	(void)umask(077);
	(void)!chdir("/");
	/* A screen's or a shell's handlers are not ours. */
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGWINCH, SIGTSTP, SIGALRM};
	sigset_t none;
	(void)sigemptyset(&none);
	for (size_t i = 0; i < KT_COUNT(signals); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_detached(const struct embedded_options *options, const char *dir, int ready_fd) KT_NORETURN;
static void run_detached(const struct embedded_options *options, const char *dir, int ready_fd)
{
	struct kt_err err = {0};
	detach(dir, ready_fd);
	if (embedded_serve(options, ready_fd, &err)) {
		ssize_t told = write(ready_fd, err.text, strlen(err.text));
		told = write(2, err.text, strlen(err.text));
		told = write(2, "\n", 1);
		(void)told;
		_exit(1);
	}
	_exit(0);
}

/* What the process says until it closes the pipe: "ok", or why not. */
static enum kt_code await(int fd, struct kt_err *err)
{
	struct kt_buf text = {0};
	kt_ns end = kt_monotonic() + START_TIME;
	enum kt_code rc = KT_OK;
	for (;;) {
		char piece[1024];
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		kt_ns left = end - kt_monotonic();
		int n = left > 0 ? poll(&poller, 1, (int)(left / KT_MS) + 1) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		ssize_t got = n > 0 ? read(fd, piece, sizeof piece) : 0;
		if (got > 0)
			kt_buf_add(&text, piece, (size_t)got);
		if (got <= 0 || kt_starts(kt_buf_str(&text), "ok\n"))
			break;
	}
	if (!text.len && kt_monotonic() >= end)
		rc = kt_fail(err, KT_ETIMEOUT, "it did not start within %d s", (int)(START_TIME / KT_SEC));
	else if (!text.len)
		rc = kt_fail(err, KT_EIO, "its process ended while starting");
	else if (!kt_starts(kt_buf_str(&text), "ok\n"))
		rc = kt_fail(err, KT_EIO, "%s", kt_buf_str(&text));
	kt_buf_clear(&text);
	return rc;
}

static enum kt_code spawn(const struct embedded_options *options, const char *dir, struct kt_err *err)
{
	int ends[2], status;
	if (pipe(ends))
		return kt_fail(err, KT_EIO, "no pipe: %s", strerror(errno));
	pid_t child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		(void)setsid();
		pid_t grandchild = fork();
		if (grandchild == 0)
			run_detached(options, dir, ends[1]);
		_exit(grandchild < 0);
	}
	(void)close(ends[1]);
	enum kt_code rc = child < 0 ? kt_fail(err, KT_EIO, "no process: %s", strerror(errno)) : KT_OK;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (!rc)
		rc = await(ends[0], err);
	(void)close(ends[0]);
	return rc;
}

/* It holds the lock: it answers, or will soon. */
static enum kt_code await_other(const char *name, const char *dir, struct kt_err *err)
{
	kt_ns end = kt_monotonic() + START_TIME;
	struct kt_err last = {0};
	while (edge_holder(dir) && kt_monotonic() < end) {
		kt_err_clear(&last);
		if (!edge_call(dir, "GET", "/ktutor/v1/clock", NULL, 5 * KT_SEC, NULL, &last))
			return KT_OK;
		(void)poll(NULL, 0, 20);
	}
	return kt_fail(err, KT_EUNREACHABLE, "cluster '%s': process %ld holds it but does not answer: %s",
	               name, edge_holder(dir), last.text);
}

enum kt_code embedded_up(const struct embedded_options *options, bool *found, struct kt_err *err)
{
	char *dir = NULL;
	enum kt_code rc = embedded_dir(options->home, options->name, &dir, err);
	if (!rc)
		rc = kt_make_dirs(dir, 0700, err);
	if (rc) {
		kt_free(dir);
		return rc;
	}
	*found = edge_holder(dir) != 0;
	if (!*found) {
		rc = spawn(options, dir, err);
		/* Somebody else was quicker. */
		if (rc && edge_holder(dir)) {
			kt_err_clear(err);
			*found = true;
		}
	}
	if (*found)
		rc = await_other(options->name, dir, err);
	if (!rc)
		embedded_set_current(options->home, options->name);
	kt_free(dir);
	return rc;
}

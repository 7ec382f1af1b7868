/* SPDX-License-Identifier: MIT */
/* Child processes that can be watched and ended: each in a process group of its own, so that a Ctrl-C at the
 * terminal reaches us alone and we decide what becomes of them. */
#include "labs/kind/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK       (200 * KT_MS)
#define PATIENCE   (8 * KT_SEC) /* between asking a program to end and ending it */
#define OUTPUT_MAX (8u * 1024 * 1024)

struct child {
	const struct kind_command *command;
	pid_t pid;
	int in, out, err;   /* our ends; -1 closed */
	size_t written;     /* of command->in */
	struct kt_buf line; /* of standard error, not whole yet */
	bool cancelled;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void become(const struct kind_command *command, const char *program, const int in[2], const int out[2],
                   const int err[2])
{
	(void)setpgid(0, 0);
	(void)dup2(in[0], 0);
	(void)dup2(out[1], 1);
	(void)dup2(err[1], 2);
	for (int fd = 3; fd < 256; fd++)
		(void)close(fd);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	static const int signals[] = {SIGINT, SIGTERM, SIGPIPE, SIGHUP, SIGCHLD};
	for (size_t i = 0; i < KT_COUNT(signals); i++)
		(void)signal(signals[i], SIG_DFL);
	for (size_t i = 0; command->env && command->env[i]; i++) {
		const char *equal = strchr(command->env[i], '=');
		char *name = kt_strndup(command->env[i], (size_t)(equal - command->env[i]));
		(void)setenv(name, equal + 1, 1);
		kt_free(name);
	}
	char **argv = NULL;
	memcpy(&argv, &command->argv, sizeof(argv)); /* execv's type has no const */
	(void)execv(program, argv);
	_exit(127);
}

static enum kt_code start(struct child *child, struct kt_err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, errout[2] = {-1, -1};
	const char *name = child->command->argv[0];
	char *program = strchr(name, '/') ? kt_strdup(name) : kt_which(name);
	if (!program)
		return kt_fail(err, KT_ENOTFOUND, "there is no program '%s' on the PATH", name);
	if (pipe(in) || pipe(out) || pipe(errout)) {
		kt_free(program);
		return kt_fail(err, KT_EIO, "no pipe: %s", strerror(errno));
	}
	child->pid = fork();
	if (child->pid == 0)
		become(child->command, program, in, out, errout);
	if (child->pid > 0)
		(void)setpgid(child->pid, child->pid);
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(errout[1]);
	child->in = in[1];
	child->out = out[0];
	child->err = errout[0];
	kt_free(program);
	return child->pid < 0 ? kt_fail(err, KT_EIO, "no process for '%s': %s", name, strerror(errno))
	                      : KT_OK;
}

static bool tick(struct child *child, const char *line)
{
	const struct kind_command *command = child->command;
	if (!child->cancelled && command->tick && !command->tick(command->arg, line))
		child->cancelled = true;
	return !child->cancelled;
}

static void take_lines(struct child *child, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' || data[i] == '\r') {
			if (child->line.len)
				(void)tick(child, kt_buf_str(&child->line));
			kt_buf_cut(&child->line, 0);
		} else if (child->line.len < 4096) {
			kt_buf_addc(&child->line, data[i]);
		}
	}
}

static void take(struct child *child, int *fd, struct kt_buf *into, bool lines)
{
	char piece[8192];
	ssize_t got = read(*fd, piece, sizeof(piece));
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (got <= 0) {
		close_fd(fd);
		return;
	}
	if (into && into->len + (size_t)got <= OUTPUT_MAX)
		kt_buf_add(into, piece, (size_t)got);
	if (lines)
		take_lines(child, piece, (size_t)got);
}

static void give(struct child *child)
{
	const char *in = child->command->in ? child->command->in : "";
	size_t len = strlen(in);
	if (child->written < len) {
		ssize_t put = write(child->in, in + child->written, len - child->written);
		if (put < 0 && (errno == EINTR || errno == EAGAIN))
			return;
		child->written = put < 0 ? len : child->written + (size_t)put;
	}
	if (child->written >= len)
		close_fd(&child->in);
}

/* One round of what the pipes bring. */
static void listen_once(struct child *child, kt_ns wait)
{
	struct pollfd fds[3] = {{.fd = child->in, .events = POLLOUT},
	                        {.fd = child->out, .events = POLLIN},
	                        {.fd = child->err, .events = POLLIN}};
	if (poll(fds, 3, (int)(wait / KT_MS)) <= 0)
		return;
	if (fds[0].revents)
		give(child);
	if (fds[1].revents)
		take(child, &child->out, child->command->out, false);
	if (fds[2].revents)
		take(child, &child->err, child->command->errout, true);
}

static bool ended(const struct child *child, int *wait_status)
{
	return waitpid(child->pid, wait_status, WNOHANG) == child->pid;
}

/* Ask the whole group, then insist. */
static void end(struct child *child, int *wait_status)
{
	kt_ns until = kt_monotonic() + PATIENCE;
	(void)kill(-child->pid, SIGTERM);
	while (!ended(child, wait_status)) {
		if (kt_monotonic() > until)
			(void)kill(-child->pid, SIGKILL);
		listen_once(child, 50 * KT_MS);
	}
	(void)kill(-child->pid, SIGKILL); /* whoever stayed behind */
}

static enum kt_code watch(struct child *child, int *wait_status, struct kt_err *err)
{
	const struct kind_command *command = child->command;
	kt_ns began = kt_monotonic(), last = began;
	while (!ended(child, wait_status)) {
		kt_ns now = kt_monotonic();
		if (now - last >= TICK) {
			last = now;
			(void)tick(child, NULL);
		}
		bool late = command->timeout && now - began > command->timeout;
		if (child->cancelled || late) {
			end(child, wait_status);
			return child->cancelled
			               ? kt_fail(err, KT_ECANCELLED, "cancelled")
			               : kt_fail(err, KT_ETIMEOUT, "'%s' did not end within %lld s",
			                         command->argv[0], (long long)(command->timeout / KT_SEC));
		}
		listen_once(child, 20 * KT_MS);
	}
	/* What was written before the end; a grandchild may hold the pipes open for ever. */
	for (int round = 0; (child->out >= 0 || child->err >= 0) && round < 50; round++)
		listen_once(child, 10 * KT_MS);
	return KT_OK;
}

static enum kt_code run_real(void *arg, const struct kind_command *command, int *status, struct kt_err *err)
{
	struct child child = {.command = command, .in = -1, .out = -1, .err = -1};
	int wait_status = 0;
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	(void)arg;
	(void)sigaction(SIGPIPE, &ignore, &before); /* a program that does not read what it is given */
	enum kt_code rc = start(&child, err);
	if (!rc)
		rc = watch(&child, &wait_status, err);
	(void)sigaction(SIGPIPE, &before, NULL);
	if (!rc)
		*status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	close_fd(&child.in);
	close_fd(&child.out);
	close_fd(&child.err);
	kt_buf_clear(&child.line);
	return rc;
}

const struct kind_runner kind_runner_real = {.run = run_real};

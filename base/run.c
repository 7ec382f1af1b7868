/* SPDX-License-Identifier: MIT */
/* kt_run: another program, its input and output through pipes. */
#include "base/file.h"
#include "base/time.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 << 20, GRACE_MS = 50 };

enum { IN, OUT, ERR, FAILED, PIPES };

struct running {
	const struct kt_run *run;
	int ours[PIPES], theirs[PIPES];
	pid_t pid;
	size_t written;
	kt_ns deadline; /* 0: none */
	bool too_much, too_late;
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool open_pipes(struct running *r)
{
	for (int i = 0; i < PIPES; i++)
		r->ours[i] = r->theirs[i] = -1;
	for (int i = 0; i < PIPES; i++) {
		int ends[2];
		if (pipe(ends) != 0)
			return false;
		bool writing = i == IN;
		r->ours[i] = ends[writing ? 1 : 0];
		r->theirs[i] = ends[writing ? 0 : 1];
		fcntl(ends[0], F_SETFD, FD_CLOEXEC);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		fcntl(r->ours[i], F_SETFL, O_NONBLOCK);
	}
	return true;
}

static void close_pipes(struct running *r)
{
	for (int i = 0; i < PIPES; i++) {
		close_fd(&r->ours[i]);
		close_fd(&r->theirs[i]);
	}
}

/* The environment of the child: ours, with `added` instead of what bears the same names. */
static char **make_environment(const char *const *added)
{
	extern char **environ;
	size_t n = 0, count = 0, cap = 0;
	char **env = NULL;
	for (char **e = environ; e && *e; e++) {
		bool replaced = false;
		for (size_t i = 0; added && added[i]; i++) {
			size_t name = strcspn(added[i], "=");
			replaced |= strncmp(*e, added[i], name) == 0 && (*e)[name] == '=';
		}
		if (!replaced) {
			env = kt_grow(env, &cap, count + 1, sizeof(*env));
			env[count++] = *e;
		}
	}
	for (; added && added[n]; n++) {
		env = kt_grow(env, &cap, count + 1, sizeof(*env));
		env[count++] = (char *)(uintptr_t)added[n];
	}
	env = kt_grow(env, &cap, count + 1, sizeof(*env));
	env[count] = NULL;
	return env;
}

/* In the child: only what is safe between fork and exec. */
static KT_NORETURN void become(const struct running *r, const char *program, char **env)
{
	for (int i = IN; i <= ERR; i++)
		if (dup2(r->theirs[i], i) < 0)
			goto failed;
	signal(SIGPIPE, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!r->run->dir || chdir(r->run->dir) == 0)
		execve(program, (char *const *)(uintptr_t)r->run->argv, env);
failed:;
	int e = errno;
	ssize_t told = write(r->theirs[FAILED], &e, sizeof(e));
	_exit(told == sizeof(e) ? 127 : 126);
}

static void feed(struct running *r)
{
	const char *in = r->run->in ? r->run->in : "";
	size_t len = strlen(in + r->written);
	ssize_t n = len ? write(r->ours[IN], in + r->written, len) : 0;
	if (n > 0)
		r->written += (size_t)n;
	bool again = n < 0 && (errno == EAGAIN || errno == EINTR);
	if (!again && (n < 0 || (size_t)n == len))
		close_fd(&r->ours[IN]);
}

static void gather(struct running *r, int which, struct kt_buf *out)
{
	char chunk[16384];
	ssize_t n = read(r->ours[which], chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_fd(&r->ours[which]);
		return;
	}
	if (out && out->len + (size_t)n > OUTPUT_MAX)
		r->too_much = true;
	else if (out)
		kt_buf_add(out, chunk, (size_t)n);
}

/* Milliseconds until the deadline, -1 for none. */
static int patience(struct running *r)
{
	if (!r->deadline)
		return -1;
	kt_ns left = r->deadline - kt_monotonic();
	r->too_late = left <= 0;
	return left <= 0 ? 0 : (int)KT_MIN(left / KT_MS + 1, 60000);
}

/* How long the next wait may be, in milliseconds; what is to happen meanwhile happens. */
static int next_wait(struct running *r, kt_ns *ticked)
{
	int wait = patience(r);
	if (!r->run->meanwhile || !wait)
		return wait;
	if (kt_monotonic() - *ticked >= KT_RUN_TICK_MS * KT_MS) {
		r->run->meanwhile(r->run->meanwhile_arg);
		*ticked = kt_monotonic();
	}
	return wait < 0 ? KT_RUN_TICK_MS : KT_MIN(wait, (int)KT_RUN_TICK_MS);
}

static void exchange(struct running *r)
{
	struct kt_buf *outs[] = {[OUT] = r->run->out, [ERR] = r->run->errout};
	kt_ns ticked = kt_monotonic();
	while (r->ours[OUT] >= 0 || r->ours[ERR] >= 0 || r->ours[IN] >= 0) {
		struct pollfd fds[] = {
		        {r->ours[IN], POLLOUT, 0}, {r->ours[OUT], POLLIN, 0}, {r->ours[ERR], POLLIN, 0}};
		int wait = next_wait(r, &ticked);
		if (r->too_late || r->too_much)
			return;
		if (poll(fds, KT_COUNT(fds), wait) < 0 && errno != EINTR)
			return;
		if (fds[IN].revents)
			feed(r);
		for (int i = OUT; i <= ERR; i++)
			if (fds[i].revents)
				gather(r, i, outs[i]);
	}
}

/* Wait for the child; until the deadline, then with force. */
static int reap(struct running *r)
{
	int status = 0;
	while (!r->too_late && !r->too_much && r->deadline) {
		pid_t done = waitpid(r->pid, &status, WNOHANG);
		if (done == r->pid)
			return status;
		if (patience(r) != 0)
			poll(NULL, 0, 1);
	}
	if (r->too_late || r->too_much) {
		kill(r->pid, SIGTERM);
		for (int i = 0; i < GRACE_MS; i++) {
			if (waitpid(r->pid, &status, WNOHANG) == r->pid)
				return status;
			poll(NULL, 0, 1);
		}
		kill(r->pid, SIGKILL);
	}
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static enum kt_code start(struct running *r, const char *program, struct kt_err *err)
{
	if (!open_pipes(r))
		return kt_fail(err, KT_EIO, "%s: %s", r->run->argv[0], strerror(errno));
	KT_CLEANUP(kt_freep) char **env = make_environment(r->run->env);
	r->pid = fork();
	if (r->pid == 0)
		become(r, program, env);
	for (int i = 0; i < PIPES; i++)
		close_fd(&r->theirs[i]);
	if (r->pid < 0)
		return kt_fail(err, KT_EIO, "%s: %s", r->run->argv[0], strerror(errno));
	return KT_OK;
}

enum kt_code kt_run(const struct kt_run *run, int *status, struct kt_err *err)
{
	KT_CLEANUP(kt_freep) char *program = kt_which(run->argv[0]);
	if (!program)
		return kt_fail(err, KT_ENOTFOUND, "%s: no such program", run->argv[0]);
	struct running r = {.run = run,
	                    .deadline = run->timeout_ms > 0 ? kt_monotonic() + run->timeout_ms * KT_MS : 0};
	enum kt_code rc = start(&r, program, err);
	if (rc) {
		close_pipes(&r);
		return rc;
	}
	/* A program that does not read its input must not end us. */
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	sigaction(SIGPIPE, &ignore, &before);
	exchange(&r);
	sigaction(SIGPIPE, &before, NULL);
	int ended = reap(&r), refused = 0;
	/* Read after the end: what is there then is what exec said. */
	bool failed = read(r.ours[FAILED], &refused, sizeof(refused)) == sizeof(refused);
	close_pipes(&r);
	if (failed)
		return kt_fail(err, KT_EIO, "%s: %s", run->argv[0], strerror(refused));
	if (r.too_late)
		return kt_fail(err, KT_ETIMEOUT, "%s: no end after %ld ms", run->argv[0], run->timeout_ms);
	if (r.too_much)
		return kt_fail(err, KT_ELIMIT, "%s: more than %d bytes of output", run->argv[0],
		               (int)OUTPUT_MAX);
	if (status)
		*status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
	return KT_OK;
}

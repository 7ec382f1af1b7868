/* SPDX-License-Identifier: MIT */
/* The screen's side of the worker: fork, pipes, lines. */
#include "tui/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_LEN (8 << 20) /* what a worker says about a large cluster */

struct tui_worker {
	struct tui_worker_options options;
	pid_t pid;
	int in, out; /* of the child: we write to in, read from out */
	struct kt_buf heard, unsent;
};

static void be_quiet(void)
{
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		close(null);
}

/* Signals as a program has them that was just started. */
static void default_signals(void)
{
	static const int all[] = {SIGTERM, SIGHUP,  SIGINT,  SIGWINCH, SIGTSTP,
	                          SIGCHLD, SIGSEGV, SIGABRT, SIGBUS};
	for (size_t i = 0; i < KT_COUNT(all); i++)
		(void)signal(all[i], SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTSTP, SIG_IGN);
}

static bool is_done(const char *data, size_t len, size_t *line)
{
	const char *end = len ? memchr(data, '\n', len) : NULL;
	*line = end ? (size_t)(end - data) : 0;
	return end != NULL;
}

static void hear(int fd, int events, void *arg)
{
	struct tui_worker *w = arg;
	char bytes[16384];
	size_t line;
	(void)events;
	ssize_t n = read(fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || w->heard.len > LINE_MAX_LEN) {
		kt_loop_watch(w->options.loop, fd, 0, NULL, NULL);
		struct kt_json *end =
		        kt_jsonf("{told: 'failed', error: 'what watches the lab has ended; leave the "
		                 "lab and come back'}");
		w->options.told(w->options.arg, end);
		kt_json_free(end);
		return;
	}
	kt_buf_add(&w->heard, bytes, (size_t)n);
	while (is_done(kt_buf_str(&w->heard), w->heard.len, &line)) {
		struct kt_json *message = NULL;
		if (!kt_json_parse(w->heard.data, line, NULL, &message, NULL, NULL))
			w->options.told(w->options.arg, message);
		kt_json_free(message);
		kt_buf_drop(&w->heard, line + 1);
	}
}

static void send_rest(int fd, int events, void *arg)
{
	struct tui_worker *w = arg;
	(void)events;
	ssize_t n = w->unsent.len ? write(fd, w->unsent.data, w->unsent.len) : 0;
	if (n > 0)
		kt_buf_drop(&w->unsent, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		kt_buf_cut(&w->unsent, 0); /* it has ended; hear() tells */
	kt_loop_watch(w->options.loop, fd, w->unsent.len ? KT_LOOP_WRITE : 0, send_rest, w);
}

void tui_worker_ask(struct tui_worker *worker, struct kt_json *steal)
{
	if (worker) {
		kt_json_print(steal, &worker->unsent);
		kt_buf_addc(&worker->unsent, '\n');
		send_rest(worker->in, 0, worker);
	}
	kt_json_free(steal);
}

static void close_both(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

enum kt_code tui_worker_new(const struct tui_worker_options *options, struct tui_worker **out,
                            struct kt_err *err)
{
	int to[2], from[2];
	if (pipe(to) != 0)
		return kt_fail(err, KT_EIO, "no pipe: %s", strerror(errno));
	if (pipe(from) != 0) {
		close_both(to);
		return kt_fail(err, KT_EIO, "no pipe: %s", strerror(errno));
	}
	pid_t pid = fork();
	if (pid < 0) {
		close_both(to);
		close_both(from);
		return kt_fail(err, KT_EIO, "no process: %s", strerror(errno));
	}
	if (!pid) {
		close(to[1]);
		close(from[0]);
		(void)fcntl(to[0], F_SETFD, FD_CLOEXEC);
		(void)fcntl(from[1], F_SETFD, FD_CLOEXEC);
		default_signals();
		be_quiet();
		(options->round ? tui_worker_play : tui_worker_serve)(options, to[0], from[1]);
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	struct tui_worker *w = kt_alloc(sizeof(*w));
	*w = (struct tui_worker){.options = *options, .pid = pid, .in = to[1], .out = from[0]};
	for (int i = 0; i < 2; i++) {
		int fd = i ? w->in : w->out;
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	kt_loop_watch(options->loop, w->out, KT_LOOP_READ, hear, w);
	*out = w;
	return KT_OK;
}

void tui_worker_free(struct tui_worker *worker)
{
	if (!worker)
		return;
	kt_loop_watch(worker->options.loop, worker->out, 0, NULL, NULL);
	kt_loop_watch(worker->options.loop, worker->in, 0, NULL, NULL);
	close(worker->in);
	close(worker->out);
	(void)kill(worker->pid, SIGTERM);
	while (waitpid(worker->pid, NULL, 0) < 0 && errno == EINTR)
		;
	kt_buf_clear(&worker->heard);
	kt_buf_clear(&worker->unsent);
	kt_free(worker);
}

/* SPDX-License-Identifier: MIT */
/* The shell's process and its pty. */
#include "tui/pane_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FIRST_FD_TO_CLOSE 3
#define LAST_FD_TO_CLOSE  256

/* --- the child's side --- */

static void become_shell(const struct tui_pane_options *options, const char *terminal)
{
	(void)setsid();
	int fd = open(terminal, O_RDWR);
	if (fd < 0)
		_exit(126);
	(void)ioctl(fd, TIOCSCTTY, 0);
	for (int i = 0; i < 3; i++)
		(void)dup2(fd, i);
	for (int i = FIRST_FD_TO_CLOSE; i < LAST_FD_TO_CLOSE; i++)
		close(i);
	for (int signo = 1; signo < 32; signo++)
		(void)signal(signo, SIG_DFL);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	for (const char *const *e = options->env; e && *e; e++) {
		const char *equals = strchr(*e, '=');
		char *name = kt_strndup(*e, (size_t)(equals - *e));
		(void)setenv(name, equals + 1, 1);
		kt_free(name);
	}
	if (options->dir && chdir(options->dir) != 0)
		_exit(126);
	(void)execlp(options->shell, options->shell, (char *)NULL);
	_exit(127);
}

/* --- ours --- */

static void flush(struct tui_pane *pane)
{
	while (pane->unsent.len) {
		ssize_t n = write(pane->fd, pane->unsent.data, pane->unsent.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		kt_buf_drop(&pane->unsent, (size_t)n);
	}
}

static void ready(int fd, int events, void *arg);

static void watch(struct tui_pane *pane)
{
	kt_loop_watch(pane->options.loop, pane->fd, KT_LOOP_READ | (pane->unsent.len ? KT_LOOP_WRITE : 0),
	              ready, pane);
}

static void gone(struct tui_pane *pane)
{
	static const char last[] = "\r\n[the shell has ended; press enter for a new one]";
	kt_loop_watch(pane->options.loop, pane->fd, 0, NULL, NULL);
	close(pane->fd);
	pane->fd = -1;
	while (waitpid(pane->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pane->pid = 0;
	tui_pane_feed(pane, last, sizeof(last) - 1);
}

static void ready(int fd, int events, void *arg)
{
	struct tui_pane *pane = arg;
	char bytes[65536];
	if (events & KT_LOOP_WRITE)
		flush(pane);
	ssize_t n = events & KT_LOOP_READ ? read(fd, bytes, sizeof(bytes)) : 0;
	if (n > 0)
		tui_pane_feed(pane, bytes, (size_t)n);
	else if (n < 0 && (errno == EAGAIN || errno == EINTR))
		;
	else if (events & (KT_LOOP_READ | KT_LOOP_ERROR)) {
		gone(pane);
		return;
	}
	watch(pane);
}

void tui_pane_send(struct tui_pane *pane)
{
	if (pane->fd < 0) {
		kt_buf_cut(&pane->unsent, 0);
		return;
	}
	flush(pane);
	watch(pane);
}

static enum kt_code open_pty(struct tui_pane *pane, struct kt_err *err)
{
	const char *terminal = NULL;
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0)
		terminal = ptsname(fd);
	if (!terminal) {
		if (fd >= 0)
			close(fd);
		return kt_fail(err, KT_EIO, "no terminal for a shell: %s", strerror(errno));
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	pane->fd = fd;
	pane->pid = fork();
	if (pane->pid < 0)
		return kt_fail(err, KT_EIO, "no process for a shell: %s", strerror(errno));
	if (!pane->pid)
		become_shell(&pane->options, terminal);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	tui_pane_size(pane, pane->options.rows, pane->options.cols);
	watch(pane);
	return KT_OK;
}

enum kt_code tui_pane_new(const struct tui_pane_options *options, struct tui_pane **out, struct kt_err *err)
{
	struct tui_pane *pane = kt_alloc(sizeof(*pane));
	pane->options = *options;
	pane->fd = -1;
	tui_pane_open_screen(pane);
	enum kt_code rc = options->loop ? open_pty(pane, err) : KT_OK;
	if (rc) {
		tui_pane_free(pane);
		return rc;
	}
	*out = pane;
	return KT_OK;
}

void tui_pane_free(struct tui_pane *pane)
{
	if (!pane)
		return;
	if (pane->fd >= 0) {
		kt_loop_watch(pane->options.loop, pane->fd, 0, NULL, NULL);
		close(pane->fd);
	}
	if (pane->pid > 0) {
		(void)kill(pane->pid, SIGHUP);
		(void)kill(-pane->pid, SIGHUP);
		/* A shell that does not listen is not waited for. */
		for (int i = 0; i < 50 && waitpid(pane->pid, NULL, WNOHANG) == 0; i++)
			(void)usleep(2000);
	}
	tui_pane_close_screen(pane);
	kt_buf_clear(&pane->unsent);
	kt_free(pane);
}

bool tui_pane_alive(const struct tui_pane *pane)
{
	return pane->fd >= 0;
}

void tui_pane_size(struct tui_pane *pane, int rows, int cols)
{
	rows = KT_MAX(rows, 2);
	cols = KT_MAX(cols, 8);
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols};
	tui_pane_size_screen(pane, rows, cols);
	if (pane->fd >= 0)
		(void)ioctl(pane->fd, TIOCSWINSZ, &size);
}

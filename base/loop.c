/* SPDX-License-Identifier: MIT */
#include "base/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct watch {
	int events; /* 0: not watched */
	kt_loop_fd_fn *fn;
	void *arg;
	uint64_t since; /* round in which it was begun: what that round's poll says is of an older owner of
	                   the fd */
};

struct timer {
	kt_ns due;
	uint64_t id;
	kt_loop_timer_fn *fn;
	void *arg;
};

struct idle {
	kt_ns (*fn)(void *arg);
	void *arg;
};

struct on_signal {
	int signo;
	void (*fn)(int signo, void *arg);
	void *arg;
};

struct kt_loop {
	struct watch *watches; /* by fd */
	size_t watch_cap;
	struct pollfd *polls; /* made of the watches when `stale` */
	size_t poll_count, poll_cap;
	struct timer *timers; /* a heap, the next due first */
	size_t timer_count, timer_cap;
	struct idle *idles;
	size_t idle_count, idle_cap;
	struct on_signal *signals;
	size_t signal_count, signal_cap;
	int signal_pipe[2];
	uint64_t round, last_id;
	bool stale, stopped;
};

/* The only mutable globals: a signal handler has no argument. One loop a process receives signals. */
static volatile sig_atomic_t signal_fd = -1;
static volatile pid_t signal_owner; /* who opened it */

struct kt_loop *kt_loop_new(void)
{
	struct kt_loop *loop = kt_alloc(sizeof(*loop));
	loop->signal_pipe[0] = loop->signal_pipe[1] = -1;
	return loop;
}

void kt_loop_free(struct kt_loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < loop->signal_count; i++)
		signal(loop->signals[i].signo, SIG_DFL);
	if (loop->signal_pipe[0] >= 0) {
		signal_fd = -1;
		close(loop->signal_pipe[0]);
		close(loop->signal_pipe[1]);
	}
	kt_free(loop->watches);
	kt_free(loop->polls);
	kt_free(loop->timers);
	kt_free(loop->idles);
	kt_free(loop->signals);
	kt_free(loop);
}

/* --- file descriptors --- */

void kt_loop_watch(struct kt_loop *loop, int fd, int events, kt_loop_fd_fn *fn, void *arg)
{
	if (fd < 0)
		return;
	size_t i = (size_t)fd, before = loop->watch_cap;
	if (i >= before) {
		if (!events)
			return;
		loop->watches = kt_grow(loop->watches, &loop->watch_cap, i + 1, sizeof(*loop->watches));
		memset(loop->watches + before, 0, (loop->watch_cap - before) * sizeof(*loop->watches));
	}
	struct watch *w = &loop->watches[i];
	if (!w->events)
		w->since = loop->round;
	loop->stale |= w->events != events;
	*w = (struct watch){events, fn, arg, w->since};
}

static void make_polls(struct kt_loop *loop)
{
	loop->stale = false;
	loop->poll_count = 0;
	for (size_t i = 0; i < loop->watch_cap; i++) {
		int events = loop->watches[i].events;
		if (!events)
			continue;
		loop->polls =
		        kt_grow(loop->polls, &loop->poll_cap, loop->poll_count + 1, sizeof(*loop->polls));
		short want = (short)((events & KT_LOOP_READ ? POLLIN : 0) |
		                     (events & KT_LOOP_WRITE ? POLLOUT : 0));
		loop->polls[loop->poll_count++] = (struct pollfd){.fd = (int)i, .events = want};
	}
}

/* An end or an error is told also as what was asked for, so that the read or write which says more is tried.
 */
static int events_of(short revents, int asked)
{
	int events = (revents & POLLIN ? KT_LOOP_READ : 0) | (revents & POLLOUT ? KT_LOOP_WRITE : 0);
	if (revents & POLLHUP)
		events |= KT_LOOP_ERROR | (asked & KT_LOOP_READ);
	if (revents & (POLLERR | POLLNVAL))
		events |= KT_LOOP_ERROR | asked;
	return events;
}

static void call_watches(struct kt_loop *loop)
{
	for (size_t i = 0; i < loop->poll_count; i++) {
		struct pollfd p = loop->polls[i];
		/* A copy: what is called may watch other things, and so move the table. */
		struct watch w = loop->watches[p.fd];
		if (!p.revents || !w.events || w.since >= loop->round)
			continue;
		int events = events_of(p.revents, w.events) & (w.events | KT_LOOP_ERROR);
		if (events)
			w.fn(p.fd, events, w.arg);
	}
}

/* --- timers --- */

static bool sooner(const struct timer *a, const struct timer *b)
{
	return a->due != b->due ? a->due < b->due : a->id < b->id;
}

static void move_up(struct timer *heap, size_t i)
{
	struct timer t = heap[i];
	for (; i && sooner(&t, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = t;
}

static void move_down(struct timer *heap, size_t count, size_t i)
{
	struct timer t = heap[i];
	for (size_t child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && sooner(&heap[child + 1], &heap[child]))
			child++;
		if (!sooner(&heap[child], &t))
			break;
		heap[i] = heap[child];
	}
	heap[i] = t;
}

static void remove_timer(struct kt_loop *loop, size_t i)
{
	size_t last = --loop->timer_count;
	if (i == last)
		return;
	loop->timers[i] = loop->timers[last];
	move_down(loop->timers, last, i);
	move_up(loop->timers, i);
}

uint64_t kt_loop_after(struct kt_loop *loop, kt_ns in, kt_loop_timer_fn *fn, void *arg)
{
	kt_ns now = kt_monotonic();
	in = KT_MAX(in, 0);
	struct timer t = {.due = in > INT64_MAX - now ? INT64_MAX : now + in,
	                  .id = ++loop->last_id,
	                  .fn = fn,
	                  .arg = arg};
	loop->timers = kt_grow(loop->timers, &loop->timer_cap, loop->timer_count + 1, sizeof(t));
	loop->timers[loop->timer_count++] = t;
	move_up(loop->timers, loop->timer_count - 1);
	return t.id;
}

void kt_loop_cancel(struct kt_loop *loop, uint64_t id)
{
	for (size_t i = 0; i < loop->timer_count; i++) {
		if (loop->timers[i].id == id) {
			remove_timer(loop, i);
			return;
		}
	}
}

/* Those due now; what they set for now waits for the next round, so that file descriptors get their turn. */
static void call_timers(struct kt_loop *loop)
{
	kt_ns now = kt_monotonic();
	uint64_t newest = loop->last_id;
	while (loop->timer_count && loop->timers[0].due <= now && loop->timers[0].id <= newest) {
		struct timer t = loop->timers[0];
		remove_timer(loop, 0);
		t.fn(t.arg);
	}
}

/* --- rounds --- */

void kt_loop_idle(struct kt_loop *loop, kt_ns (*fn)(void *arg), void *arg)
{
	if (!fn) {
		for (size_t i = loop->idle_count; i-- > 0;)
			if (loop->idles[i].arg == arg)
				loop->idles[i] = loop->idles[--loop->idle_count];
		return;
	}
	loop->idles = kt_grow(loop->idles, &loop->idle_cap, loop->idle_count + 1, sizeof(*loop->idles));
	loop->idles[loop->idle_count++] = (struct idle){fn, arg};
}

static kt_ns shorter(kt_ns a, kt_ns b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return KT_MIN(a, b);
}

static int as_milliseconds(kt_ns wait)
{
	enum { LONGEST = 3600 * 1000 };
	if (wait < 0)
		return -1;
	/* Rounded up: waking before a timer is due would only spin. */
	return (int)KT_MIN((wait / KT_MS) + (wait % KT_MS != 0), LONGEST);
}

void kt_loop_once(struct kt_loop *loop, kt_ns wait_at_most)
{
	kt_ns wait = wait_at_most;
	for (size_t i = 0; i < loop->idle_count; i++)
		wait = shorter(wait, loop->idles[i].fn(loop->idles[i].arg));
	if (loop->stopped)
		return;
	if (loop->timer_count)
		wait = shorter(wait, KT_MAX(loop->timers[0].due - kt_monotonic(), 0));
	if (loop->stale)
		make_polls(loop);
	loop->round++;
	int ready = poll(loop->polls, (nfds_t)loop->poll_count, as_milliseconds(wait));
	if (ready > 0)
		call_watches(loop);
	call_timers(loop);
}

void kt_loop_run(struct kt_loop *loop)
{
	while (!loop->stopped)
		kt_loop_once(loop, KT_LOOP_FOREVER);
	loop->stopped = false;
}

void kt_loop_stop(struct kt_loop *loop)
{
	loop->stopped = true;
}

/* --- signals --- */

static void caught(int signo)
{
	int kept = errno;
	unsigned char byte = (unsigned char)signo;
	if (getpid() !=
	    signal_owner) { /* a child that has not become something else yet: the pipe is not its own */
		signal(signo, SIG_DFL);
		raise(signo);
		return;
	}
	/* A full pipe has told already that there is something. */
	ssize_t ignored = signal_fd >= 0 ? write((int)signal_fd, &byte, 1) : 0;
	(void)ignored;
	errno = kept;
}

static void read_signals(int fd, int events, void *arg)
{
	struct kt_loop *loop = arg;
	unsigned char bytes[64];
	(void)events;
	ssize_t n = read(fd, bytes, sizeof(bytes));
	for (ssize_t i = 0; i < n; i++) {
		for (size_t j = 0; j < loop->signal_count; j++) {
			struct on_signal s = loop->signals[j];
			if (s.signo == bytes[i] && s.fn)
				s.fn(s.signo, s.arg);
		}
	}
}

static void open_signal_pipe(struct kt_loop *loop)
{
	if (loop->signal_pipe[0] >= 0)
		return;
	if (pipe(loop->signal_pipe) != 0)
		kt_bug("no pipe for signals: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		fcntl(loop->signal_pipe[i], F_SETFD, FD_CLOEXEC);
		fcntl(loop->signal_pipe[i], F_SETFL, O_NONBLOCK);
	}
	signal_fd = loop->signal_pipe[1];
	signal_owner = getpid();
	kt_loop_watch(loop, loop->signal_pipe[0], KT_LOOP_READ, read_signals, loop);
}

void kt_loop_signal(struct kt_loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg)
{
	open_signal_pipe(loop);
	size_t i = 0;
	while (i < loop->signal_count && loop->signals[i].signo != signo)
		i++;
	if (i == loop->signal_count) {
		loop->signals = kt_grow(loop->signals, &loop->signal_cap, i + 1, sizeof(*loop->signals));
		loop->signal_count++;
	}
	loop->signals[i] = (struct on_signal){signo, fn, arg};
	struct sigaction action = {.sa_handler = fn ? caught : SIG_DFL, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(signo, &action, NULL);
}

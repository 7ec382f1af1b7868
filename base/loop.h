/* SPDX-License-Identifier: MIT */
/* The one event loop: file descriptors and timers over poll(2). One thread. */
#ifndef KT_LOOP_H
#define KT_LOOP_H

#include "base/err.h"
#include "base/time.h"

struct kt_loop;
enum { KT_LOOP_READ = 1, KT_LOOP_WRITE = 2, KT_LOOP_ERROR = 4 };
typedef void kt_loop_fd_fn(int fd, int events, void *arg);
typedef void kt_loop_timer_fn(void *arg);

struct kt_loop *kt_loop_new(void);
void kt_loop_free(struct kt_loop *loop);
/* Watch `fd` for `events` (0 stops watching; before closing it); replaces what was asked for this fd before.
 * An end or an error comes as KT_LOOP_ERROR together with what was asked for. */
void kt_loop_watch(struct kt_loop *loop, int fd, int events, kt_loop_fd_fn *fn, void *arg);
/* Call `fn` once, `in` from now on the monotonic clock. Returns an id for cancelling (never 0). */
uint64_t kt_loop_after(struct kt_loop *loop, kt_ns in, kt_loop_timer_fn *fn, void *arg);
void kt_loop_cancel(struct kt_loop *loop, uint64_t id);
/* Called after each round of events, before sleeping; may return the longest time to sleep (KT_LOOP_FOREVER).
 * Several may be given; they stay as long as the loop. */
#define KT_LOOP_FOREVER ((kt_ns)-1)
void kt_loop_idle(struct kt_loop *loop, kt_ns (*fn)(void *arg), void *arg);
void kt_loop_run(struct kt_loop *loop); /* until kt_loop_stop */
void kt_loop_once(struct kt_loop *loop, kt_ns wait_at_most);
void kt_loop_stop(struct kt_loop *loop);
/* SIGTERM/SIGINT/SIGCHLD/SIGWINCH as an event, through a pipe; fn NULL restores the default. One loop a
 * process. */
void kt_loop_signal(struct kt_loop *loop, int signo, void (*fn)(int signo, void *arg), void *arg);

#endif

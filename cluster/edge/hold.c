/* SPDX-License-Identifier: MIT */
/* The clock held: by which processes, and whether they still live. */
#include "cluster/edge/edge_internal.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>

static bool lives(long pid)
{
	return !kill((pid_t)pid, 0) || errno == EPERM;
}

static size_t find(const struct edge *edge, long pid)
{
	size_t i = 0;
	while (i < edge->hold_count && edge->holds[i].pid != pid)
		i++;
	return i;
}

/* From this moment on it goes, or stands. */
static void set_held(struct edge *edge)
{
	bool held = edge->hold_count > 0;
	if (edge->clock.held == held)
		return;
	edge->clock.held = held;
	edge_clock_set(&edge->clock, kt_monotonic(), cluster_now(edge->cluster));
}

static void drop(struct edge *edge, size_t i)
{
	edge->holds[i] = edge->holds[--edge->hold_count];
	set_held(edge);
}

static void look_again(struct edge *edge);

static void on_look(void *arg)
{
	struct edge *edge = arg;
	edge->hold_look = 0;
	for (size_t i = edge->hold_count; i-- > 0;)
		if (!lives(edge->holds[i].pid))
			drop(edge, i);
	look_again(edge);
}

static void look_again(struct edge *edge)
{
	if (edge->hold_count && !edge->hold_look)
		edge->hold_look = kt_loop_after(edge->options.loop, EDGE_HOLD_LOOK, on_look, edge);
}

enum kt_code edge_hold(struct edge *edge, long pid, struct kt_err *err)
{
	size_t i = find(edge, pid);
	if (pid <= 0 || !lives(pid))
		return kt_fail(err, KT_EINVAL, "hold: the pid of a process that runs was expected");
	if (i == EDGE_MAX_HOLDS)
		return kt_fail(err, KT_ELIMIT, "%d processes hold the clock already", EDGE_MAX_HOLDS);
	if (i == edge->hold_count)
		edge->holds[edge->hold_count++] = (struct edge_hold){.pid = pid};
	edge->holds[i].depth++;
	set_held(edge);
	look_again(edge);
	return KT_OK;
}

void edge_release(struct edge *edge, long pid)
{
	size_t i = find(edge, pid);
	if (i < edge->hold_count && !--edge->holds[i].depth)
		drop(edge, i);
}

void edge_holds_end(struct edge *edge)
{
	if (edge->hold_look)
		kt_loop_cancel(edge->options.loop, edge->hold_look);
	edge->hold_look = 0;
}

size_t edge_waiting(const struct edge *edge)
{
	size_t n = 0;
	for (const struct conn *conn = edge->conns; conn; conn = conn->next)
		n += !conn->dead && (conn->state == CONN_STREAM || conn->state == CONN_UPGRADED) &&
		     !conn->ready && !conn->hush && conn->sent == conn->out.len;
	return n;
}

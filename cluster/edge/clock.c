/* SPDX-License-Identifier: MIT */
#include "cluster/edge/edge_internal.h"

/* At most this much work before the sockets get their turn. */
#define TICK_BUDGET (20 * KT_MS)
/* A cluster that cannot keep up falls behind rather than never answering. */
#define TICK_LAG (500 * KT_MS)
/* How much virtual time may be put off: as much as is made up in REST_WORK of real time, as far as is known.
 */
#define REST_WORK  (5 * KT_MS)
#define REST_FIRST (60 * KT_SEC)
#define REST_LEAST KT_SEC
#define REST_MOST  (600 * KT_SEC)

void edge_clock_init(struct edge_clock *clock, kt_ns real, kt_ns virtual, double speed)
{
	clock->real = real;
	clock->virtual = virtual;
	clock->speed = speed;
	clock->paused = clock->held = false;
}

bool edge_clock_stands(const struct edge_clock *clock)
{
	return clock->paused || clock->held;
}

kt_ns edge_clock_virtual(const struct edge_clock *clock, kt_ns real)
{
	if (edge_clock_stands(clock) || real <= clock->real)
		return clock->virtual;
	return clock->virtual + (kt_ns)((double)(real - clock->real) * clock->speed);
}

void edge_clock_set(struct edge_clock *clock, kt_ns real, kt_ns virtual)
{
	clock->real = real;
	clock->virtual = virtual;
}

kt_ns edge_clock_until(const struct edge_clock *clock, kt_ns real, kt_ns virtual)
{
	if (virtual == INT64_MAX || edge_clock_stands(clock))
		return KT_LOOP_FOREVER;
	kt_ns at = edge_clock_virtual(clock, real);
	if (virtual <= at)
		return 0;
	double wait = (double)(virtual - at) / clock->speed;
	return wait > 1e15 ? KT_LOOP_FOREVER : (kt_ns)wait + 1;
}

/* Whole seconds, and changed only when the error shows: times on the wire must not flicker between two
 * answers. */
static void set_wire_offset(struct edge *edge)
{
	kt_ns offset = cluster_now(edge->cluster) - kt_clock_real().now(NULL),
	      error = offset - edge->wire_offset;
	if (error > -1500 * KT_MS && error < 1500 * KT_MS)
		return;
	edge->wire_offset = offset / KT_SEC * KT_SEC;
	cluster_set_wire_offset(edge->cluster, edge->wire_offset);
}

/* --- while nobody looks --- */

static bool watched(const struct edge *edge)
{
	for (const struct conn *conn = edge->conns; conn; conn = conn->next)
		if (!conn->dead && (conn->state == CONN_STREAM || conn->state == CONN_UPGRADED))
			return true;
	return false;
}

kt_ns edge_rest(struct edge *edge, kt_ns real)
{
	kt_ns next = cluster_next(edge->cluster), now = edge_clock_virtual(&edge->clock, real);
	edge->rest_until = 0;
	if (next != INT64_MAX && !edge_clock_stands(&edge->clock) && !watched(edge)) {
		edge->rest_from = now;
		edge->rest_until = next = KT_MAX(next, now + (edge->rest ? edge->rest : REST_FIRST));
	}
	return edge_clock_until(&edge->clock, real, next);
}

/* What was put off for `put_off` of virtual time took `took`. */
static void learn(struct edge *edge, kt_ns put_off, kt_ns took)
{
	if (put_off < REST_LEAST)
		return;
	double rest = (double)put_off * (double)REST_WORK / (double)KT_MAX(took, (kt_ns)1),
	       most = 2.0 * (double)(edge->rest ? edge->rest : REST_FIRST);
	edge->rest = (kt_ns)KT_MAX(KT_MIN(KT_MIN(rest, most), (double)REST_MOST), (double)REST_LEAST);
}

static void step(struct edge *edge)
{
	cluster_advance(edge->cluster, KT_MAX(cluster_next(edge->cluster), cluster_now(edge->cluster)));
}

static void catch_up(struct edge *edge, kt_ns target)
{
	kt_ns start = kt_monotonic(), until = KT_MIN(target, edge->rest_until);
	if (!edge->rest_until)
		return;
	edge->rest_until = 0;
	while (cluster_next(edge->cluster) <= until)
		step(edge);
	learn(edge, until - edge->rest_from, kt_monotonic() - start);
}

/* --- ticks --- */

static bool advance(struct edge *edge)
{
	kt_ns start = kt_monotonic(), target = edge_clock_virtual(&edge->clock, start);
	catch_up(edge, target);
	while (cluster_next(edge->cluster) <= target) {
		step(edge);
		kt_ns real = kt_monotonic();
		/* Where time stands, what is due is due before whatever is asked next, however slow this
		 * machine is. */
		if (edge_clock_stands(&edge->clock) || real - start < TICK_BUDGET)
			continue;
		kt_ns behind = target - cluster_now(edge->cluster);
		if ((double)behind > (double)TICK_LAG * edge->clock.speed)
			edge_clock_set(&edge->clock, real, cluster_now(edge->cluster));
		return false;
	}
	if (target > cluster_now(edge->cluster))
		cluster_advance(edge->cluster, target);
	return true;
}

bool edge_tick(struct edge *edge)
{
	bool all = advance(edge);
	set_wire_offset(edge);
	return all;
}

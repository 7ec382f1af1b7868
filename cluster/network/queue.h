/* SPDX-License-Identifier: MIT */
/* One pod as a queue: Poisson arrivals and c servers. While it keeps up: M/G/c by Erlang's C formula with the
 * factor (1 + v) / 2 of Allen and Cunneen for the variation v of the work, which is exact for M/M/c (v 1),
 * M/D/1 (v 0) and M/G/1 (Pollaczek and Khinchine). While it does not: a fluid with a limited patience. Pure:
 * no cluster. */
#ifndef NETWORK_QUEUE_H
#define NETWORK_QUEUE_H

#include "cluster/network/latency.h"

struct queue {
	double waiting; /* requests left over from seconds in which more came than could be done */
};
struct queue_load {
	double rps;       /* arrivals a second */
	double cores;     /* CPU that it may use */
	double work;      /* seconds of CPU of one request, on average */
	double variation; /* of the work: variance / mean², 0 all alike, 1 exponential */
	double patience;  /* who would wait longer than this for service gives up; seconds */
};
struct queue_result {
	double answered;            /* share of the arrivals that get an answer in time */
	double dropped;             /* of those that waited before: who gave up, as it got slower; a share */
	double wait;                /* before service, seconds: on average; in a line, who comes last */
	double mean, p50, p95, p99; /* from arrival to answer, seconds */
	double busy;                /* share of the CPU that is used */
	struct latency latency;
};
/* `dt` seconds pass. */
void queue_step(struct queue *queue, const struct queue_load *load, double dt, struct queue_result *out);
/* Erlang C: the chance to wait, with `servers` and an offered load of `a` Erlang (a < servers). */
double queue_erlang_c(unsigned servers, double a);

#endif

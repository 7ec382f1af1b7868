/* SPDX-License-Identifier: MIT */
/* One pod as a queue: Poisson arrivals, exponential work, c servers (M/M/c, Erlang's C formula) while it
 * keeps up; a fluid with a limited patience while it does not. Pure: no cluster. */
#ifndef NETWORK_QUEUE_H
#define NETWORK_QUEUE_H

#include "base/base.h"

struct queue {
	double waiting; /* requests left over from seconds in which more came than could be done */
};
struct queue_result {
	double answered;            /* share of the arrivals that get an answer in time */
	double wait;                /* mean before service, seconds */
	double mean, p50, p95, p99; /* from arrival to answer, seconds */
	double busy;                /* share of the CPU that is used */
};
/* `dt` seconds with `rps` arrivals a second, `cores` of CPU, `work` seconds of CPU for one; who waits longer
 * than `patience` seconds gives up. */
void queue_step(struct queue *queue, double rps, double cores, double work, double patience, double dt,
                struct queue_result *out);
/* Erlang C: the chance to wait, with `servers` and an offered load of `a` Erlang (a < servers). */
double queue_erlang_c(unsigned servers, double a);

#endif

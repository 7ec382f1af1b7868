/* SPDX-License-Identifier: MIT */
#include "cluster/network/queue.h"

#include <math.h>

double queue_erlang_c(unsigned servers, double a)
{
	/* by Erlang B's recursion, which stays in range */
	double b = 1;
	if (a <= 0)
		return 0;
	for (unsigned i = 1; i <= servers; i++)
		b = a * b / ((double)i + a * b);
	double c = (double)servers;
	return c * b / (c - a * (1 - b));
}

/* P(T > t) of the time in an M/M/c system. */
static double tail(double t, unsigned c, double mu, double lambda, double wait_chance)
{
	double a = lambda / mu, d = (double)c - 1 - a;
	if (fabs(d) < 1e-9)
		return exp(-mu * t) * (1 + wait_chance * mu * t);
	return exp(-mu * t) * (1 + wait_chance * (1 - exp(-mu * t * d)) / d);
}

static double percentile(double share, unsigned c, double mu, double lambda, double wait_chance)
{
	double low = 0, high = 1 / mu;
	while (tail(high, c, mu, lambda, wait_chance) > 1 - share && high < 1e6)
		high *= 2;
	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;
		if (tail(middle, c, mu, lambda, wait_chance) > 1 - share)
			low = middle;
		else
			high = middle;
	}
	return high;
}

void queue_step(struct queue *queue, double rps, double cores, double work, double patience, double dt,
                struct queue_result *out)
{
	unsigned servers = cores >= 1 ? (unsigned)fmin(floor(cores), 256) : 1;
	double mu = fmin(cores, 1) / work; /* below one core a request is stretched by the throttling */
	double capacity = (double)servers * mu, room = capacity * patience;
	double left = queue->waiting + (rps - capacity) * dt;
	*out = (struct queue_result){.answered = 1};
	if (left <= 0 && rps < capacity * 0.999) {
		double chance = queue_erlang_c(servers, rps / mu);
		queue->waiting = 0;
		out->wait = chance / (capacity - rps);
		out->mean = out->wait + 1 / mu;
		out->p50 = percentile(0.5, servers, mu, rps, chance);
		out->p95 = percentile(0.95, servers, mu, rps, chance);
		out->p99 = percentile(0.99, servers, mu, rps, chance);
		out->busy = rps / capacity;
		/* nearly full, the formula's waits may be longer than anybody's patience */
		out->wait = fmin(out->wait, patience);
		out->mean = fmin(out->mean, patience);
		return;
	}
	left = fmax(left, 0);
	double lost = fmax(left - room, 0);
	queue->waiting = fmin(left, room);
	out->answered = rps > 0 ? fmax(0, 1 - lost / (rps * dt)) : 1;
	out->wait = queue->waiting / capacity;
	out->mean = out->wait + 1 / mu;
	out->p50 = out->mean;
	out->p95 = out->mean + 2 / mu;
	out->p99 = out->mean + 3.6 / mu;
	out->busy = 1;
}

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

/* Time in the system: with `chance` a wait (exponential, rate `leave`), then service (exponential with rate
 * mu, or always 1/mu). Where there is a line: a wait between `least` and `most` seconds, all alike likely,
 * then service. */
struct stay {
	double chance, leave, mu, least, most, answered;
	bool constant, line;
};

static double line_tail(const struct stay *s, double t)
{
	double span = s->most - s->least;
	if (t <= s->least)
		return 1;
	if (span < 1e-9)
		return exp(-s->mu * (t - s->least));
	if (t < s->most)
		return ((s->most - t) + (1 - exp(-s->mu * (t - s->least))) / s->mu) / span;
	return (exp(-s->mu * (t - s->most)) - exp(-s->mu * (t - s->least))) / (s->mu * span);
}

static double tail(const void *arg, double t)
{
	const struct stay *s = arg;
	if (s->line)
		return s->answered * line_tail(s, t);
	if (s->constant)
		return s->answered * (t < 1 / s->mu ? 1 : s->chance * exp(-s->leave * (t - 1 / s->mu)));
	double d = s->mu - s->leave, alone = exp(-s->mu * t);
	double both = fabs(d) < 1e-9 * s->mu ? (1 + s->mu * t) * alone
	                                     : (s->mu * exp(-s->leave * t) - s->leave * alone) / d;
	return s->answered * ((1 - s->chance) * alone + s->chance * both);
}

static double percentile(const struct stay *stay, double part)
{
	double low = 0, high = stay->most + 1 / stay->mu, over = stay->answered * (1 - part);
	while (tail(stay, high) > over && high < 1e6)
		high *= 2;
	for (int i = 0; i < 60 && high - low > high * 1e-9; i++) {
		double middle = (low + high) / 2;
		if (tail(stay, middle) > over)
			low = middle;
		else
			high = middle;
	}
	return high;
}

static void describe(const struct stay *stay, struct queue_result *out)
{
	out->p50 = percentile(stay, 0.5);
	out->p95 = percentile(stay, 0.95);
	out->p99 = percentile(stay, 0.99);
	latency_fill(&out->latency, tail, stay);
}

static void keeps_up(const struct queue_load *load, unsigned servers, double mu, double capacity,
                     struct queue_result *out)
{
	double factor = (1 + load->variation) / 2, chance = queue_erlang_c(servers, load->rps / mu);
	struct stay stay = {.chance = chance,
	                    .leave = (capacity - load->rps) / factor,
	                    .mu = mu,
	                    .answered = 1,
	                    .constant = load->variation < 0.5};
	out->answered = 1;
	out->wait = chance / stay.leave;
	out->mean = out->wait + 1 / mu;
	out->busy = load->rps / capacity;
	describe(&stay, out);
	/* nearly full, the formula's waits may be longer than anybody's patience */
	out->wait = fmin(out->wait, load->patience);
	out->mean = fmin(out->mean, load->patience);
	latency_cut(&out->latency, load->patience + 5 / mu);
}

void queue_step(struct queue *queue, const struct queue_load *load, double dt, struct queue_result *out)
{
	unsigned servers = load->cores >= 1 ? (unsigned)fmin(floor(load->cores), 256) : 1;
	/* below one core a request is stretched by the throttling */
	double mu = fmin(load->cores, 1) / load->work;
	double capacity = (double)servers * mu, room = capacity * load->patience;
	double before = queue->waiting, left = before + (load->rps - capacity) * dt;
	*out = (struct queue_result){.answered = 1};
	if (left <= 0 && load->rps < capacity * 0.999) {
		queue->waiting = 0;
		keeps_up(load, servers, mu, capacity, out);
		out->busy = fmin(out->busy + before / (capacity * dt), 1);
		return;
	}
	left = fmax(left, 0);
	double lost = fmax(left - room, 0);
	queue->waiting = fmin(left, room);
	out->answered = load->rps > 0 ? fmax(0, 1 - lost / (load->rps * dt)) : 1;
	out->dropped = before > 0 ? fmin(fmax(lost - load->rps * dt, 0) / before, 1) : 0;
	out->wait = queue->waiting / capacity;
	out->busy = 1;
	double then = fmin(before, room) / capacity;
	out->mean = (then + out->wait) / 2 + 1 / mu;
	struct stay stay = {.mu = mu,
	                    .least = fmin(then, out->wait),
	                    .most = fmax(then, out->wait),
	                    .answered = out->answered,
	                    .line = true};
	describe(&stay, out);
}

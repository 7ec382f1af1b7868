/* SPDX-License-Identifier: MIT */
#include "cluster/network/latency.h"

#include <math.h>

static const double FIRST = 1e-4, RATIO = 1.3415; /* FIRST * RATIO^47 = 100 s */

double latency_edge(unsigned bucket)
{
	return FIRST * pow(RATIO, bucket);
}

/* A bucket stands for its middle. */
static double middle(unsigned bucket)
{
	return bucket ? latency_edge(bucket) * (1 + 1 / RATIO) / 2 : FIRST / 2;
}

void latency_add(struct latency *into, const struct latency *from, double weight)
{
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		into->share[i] += (float)weight * from->share[i];
}

/* Between two middles so that the mean stays what it was. `at`: a bucket at or below. */
static unsigned put(struct latency *out, const double *middles, unsigned at, double seconds, double share)
{
	while (at < LATENCY_BUCKETS - 2 && middles[at + 1] <= seconds)
		at++;
	double part = (seconds - middles[at]) / (middles[at + 1] - middles[at]);
	part = fmin(fmax(part, 0), 1);
	out->share[at] += (float)(share * (1 - part));
	out->share[at + 1] += (float)(share * part);
	return at;
}

static void all_middles(double out[LATENCY_BUCKETS])
{
	out[0] = middle(0);
	out[1] = middle(1);
	for (unsigned i = 2; i < LATENCY_BUCKETS; i++)
		out[i] = out[i - 1] * RATIO;
}

void latency_at(struct latency *out, double seconds, double share)
{
	double middles[LATENCY_BUCKETS];
	*out = (struct latency){{0}};
	all_middles(middles);
	(void)put(out, middles, 0, seconds, share);
}

void latency_fill(struct latency *out, double (*tail)(const void *arg, double t), const void *arg)
{
	double before = tail(arg, 0);
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		double now = i == LATENCY_BUCKETS - 1 ? 0 : tail(arg, latency_edge(i));
		out->share[i] = (float)fmax(before - now, 0);
		before = now;
	}
}

void latency_shift(struct latency *latency, double seconds)
{
	struct latency out = {{0}};
	double middles[LATENCY_BUCKETS];
	unsigned at = 0;
	if (seconds <= 0)
		return;
	all_middles(middles);
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		if (latency->share[i] > 0)
			at = put(&out, middles, at, middles[i] + seconds, latency->share[i]);
	}
	*latency = out;
}

void latency_chain(const struct latency *a, const struct latency *b, struct latency *out)
{
	struct latency sum = {{0}};
	double middles[LATENCY_BUCKETS];
	all_middles(middles);
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		unsigned at = 0;
		if (a->share[i] <= 1e-9F)
			continue;
		/* sums grow with k, so their bucket only moves up */
		for (unsigned k = 0; k < LATENCY_BUCKETS; k++) {
			if (b->share[k] > 1e-9F)
				at = put(&sum, middles, at, middles[i] + middles[k],
				         (double)a->share[i] * (double)b->share[k]);
		}
	}
	*out = sum;
}

double latency_sum(const struct latency *latency)
{
	double sum = 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
		sum += latency->share[i];
	return sum;
}

void latency_cut(struct latency *latency, double patience)
{
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		double high = latency_edge(i), low = i ? latency_edge(i - 1) : 0;
		if (low >= patience)
			latency->share[i] = 0;
		else if (high > patience)
			latency->share[i] *= (float)((patience - low) / (high - low));
	}
}

double latency_percentile(const struct latency *latency, double part)
{
	double want = latency_sum(latency) * part, sum = 0;
	if (want <= 0)
		return 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		double here = latency->share[i];
		if (here > 0 && sum + here >= want) {
			double high = latency_edge(i), low = i ? latency_edge(i - 1) : 0;
			double within = (want - sum) / here;
			return low > 0 ? low * pow(high / low, within) : high * within;
		}
		sum += here;
	}
	return latency_edge(LATENCY_BUCKETS - 1);
}

double latency_mean(const struct latency *latency)
{
	double sum = 0, all = 0;
	for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
		sum += latency->share[i] * middle(i);
		all += latency->share[i];
	}
	return all > 0 ? sum / all : 0;
}

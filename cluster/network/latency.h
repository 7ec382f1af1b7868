/* SPDX-License-Identifier: MIT */
/* How long requests take, as shares in buckets from 0.1 ms to 100 s, each a third wider than the one before.
 * What is missing to 1 was never answered. Pure. */
#ifndef NETWORK_LATENCY_H
#define NETWORK_LATENCY_H

#include "base/base.h"

enum { LATENCY_BUCKETS = 48 };
struct latency {
	float share[LATENCY_BUCKETS];
};
double latency_edge(unsigned bucket); /* upper, seconds */
void latency_add(struct latency *into, const struct latency *from, double weight);
/* All at `seconds`. */
void latency_at(struct latency *out, double seconds, double share);
/* From P(T > t): `tail(arg, t)`. */
void latency_fill(struct latency *out, double (*tail)(const void *arg, double t), const void *arg);
void latency_shift(struct latency *latency, double seconds); /* each takes so much longer */
/* One after the other: both must be answered. */
void latency_chain(const struct latency *a, const struct latency *b, struct latency *out);
double latency_sum(const struct latency *latency); /* what was answered */
/* Who waits longer than `patience` gives up. */
void latency_cut(struct latency *latency, double patience);
/* The time that `part` of the answered requests do not exceed; 0: nothing was answered. */
double latency_percentile(const struct latency *latency, double part);
double latency_mean(const struct latency *latency); /* of the answered */

#endif

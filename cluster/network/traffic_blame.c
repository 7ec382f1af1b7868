/* SPDX-License-Identifier: MIT */
/* Why requests were not answered: told by the second, summed up by cause. */
#include "cluster/network/traffic_internal.h"

#include <math.h>
#include <string.h>

/* Why an endpoint does not answer all that it gets: what it calls, or itself. */
static char *pod_blame(const struct traffic *traffic, const struct traffic_pod *pod)
{
	const struct plan *plan = &traffic->plan;
	const struct flow *worst = NULL;
	double least = 0.999;
	if (pod->load->admit < 0.999)
		return kt_strf("pods like %s take %g requests at a time and turn the others away",
		               pod->load->pod, pod->concurrency);
	if (pod->result.answered < 0.999)
		return kt_strf("pods like %s have %.0f requests a second, more than their CPU can do",
		               pod->load->pod, pod->arriving);
	for (size_t i = 0; i < pod->call_count; i++) {
		const struct way *way = &plan->ways[pod->calls[i].way];
		double answered = latency_sum(&way->out.latency);
		if (answered < least) {
			least = answered;
			worst = &traffic->flows[way->flow];
		}
	}
	return worst ? kt_strf("service %s/%s, which it calls, does not answer all", worst->ns, worst->name)
	             : kt_strdup("the answer came later than the caller waits");
}

static const char *nobody(const struct flow *flow)
{
	return flow->kind == FLOW_SERVICE ? "the Service has no ready endpoints"
	                                  : "the balancer has no backend for it";
}

/* Shares of the errors over this way, told to `flow`. */
void traffic_blame_way(const struct traffic *traffic, struct flow *flow, const struct way *way, kt_ns now,
                       double errors)
{
	double sum = way->gone, done = 0;
	for (size_t i = 0; i < way->count; i++) {
		const struct hop *hop = &way->hops[i];
		double answered = hop->open ? latency_sum(&traffic->plan.pods[hop->pod].out.latency) : 0;
		sum += fmax(1 - answered, 0);
	}
	if (way->gone > 1e-6) {
		done = errors * way->gone / sum;
		flow_blame(flow, now, "the pod had ended, and was still among the endpoints", done);
	}
	for (size_t i = 0; sum > 1e-6 && i < way->count; i++) {
		const struct hop *hop = &way->hops[i];
		const struct traffic_pod *pod = hop->open ? &traffic->plan.pods[hop->pod] : NULL;
		double part = errors * fmax(1 - (pod ? latency_sum(&pod->out.latency) : 0), 0) / sum;
		char *why = !pod ? kt_strdup(hop->why) : part > 1e-9 ? pod_blame(traffic, pod) : NULL;
		if (why)
			flow_blame(flow, now, why, part);
		done += part;
		kt_free(why);
	}
	if (done < errors)
		flow_blame(flow, now,
		           way->count ? "the answer came later than the caller waits" : nobody(flow),
		           errors - done);
}

void traffic_blame_entries(struct traffic *traffic, size_t at, kt_ns now, double errors)
{
	const struct plan *plan = &traffic->plan;
	double sum = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t k = 0; k < plan->entry_count; k++) {
			const struct entry *entry = &plan->entries[k];
			const struct way *way = entry->way == SIZE_MAX ? NULL : &plan->ways[entry->way];
			double lost = way ? 1 - latency_sum(&way->out.latency) : entry->fails;
			if (entry->flow != at || lost <= 0)
				continue;
			if (!pass)
				sum += lost * entry->share;
			else if (way)
				traffic_blame_way(traffic, &traffic->flows[at], way, now,
				                  errors * lost * entry->share / sum);
			else
				flow_blame(&traffic->flows[at], now, nobody(&traffic->flows[at]),
				           errors * lost * entry->share / sum);
		}
		if (sum <= 1e-6) {
			flow_blame(&traffic->flows[at], now, "the answer came later than the caller waits",
			           errors);
			return;
		}
	}
}

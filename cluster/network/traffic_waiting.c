/* SPDX-License-Identifier: MIT */
/* Who still waits. The requests of a second are promised their answers when they come, with the time that
 * each will take: a cohort. They are answered once that time is over. What is in flight when a program ends,
 * a way is cut, or a pod becomes so slow that people give up, is never answered: the part of a flow's waiting
 * requests that was there is taken back, from the second in which it came. So at any moment
 * offered = answered + failed + waiting, and nobody is answered by a program that did not work for it. */
#include "cluster/network/traffic_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double NOBODY = 1e-6; /* requests: nothing worth keeping */

/* --- cohorts --- */
/* A second's requests came half of it before its end, on average. */
static double age_of(const struct cohort *cohort, kt_ns now)
{
	return (double)(now - cohort->at + TRAFFIC_TICK / 2) / 1e9;
}

/* The part of a bucket that takes longer than `age`. */
static double later(unsigned bucket, double age)
{
	double high = latency_edge(bucket), low = bucket ? latency_edge(bucket - 1) : 0;
	return fmin(fmax((high - age) / (high - low), 0), 1);
}

static double tail(const struct latency *latency, double age)
{
	double sum = 0;
	for (unsigned i = LATENCY_BUCKETS; i-- > 0 && latency_edge(i) > age;)
		sum += latency->share[i] * later(i, age);
	return sum;
}

static void forget_answered(struct flow *flow, kt_ns now)
{
	size_t kept = 0;
	for (size_t i = 0; i < flow->cohort_count; i++) {
		if (tail(&flow->cohorts[i].latency, age_of(&flow->cohorts[i], now)) > NOBODY)
			flow->cohorts[kept++] = flow->cohorts[i];
	}
	flow->cohort_count = kept;
}

void flow_promise(struct flow *flow, kt_ns now, kt_ns counted, const struct latency *requests)
{
	struct cohort *last = flow->cohort_count ? &flow->cohorts[flow->cohort_count - 1] : NULL;
	if (last && last->at != now) {
		forget_answered(flow, now);
		last = NULL;
	}
	if (last && last->counted == counted) {
		latency_add(&last->latency, requests, 1);
		return;
	}
	if (tail(requests, (double)TRAFFIC_TICK / 2e9) <= NOBODY)
		return;
	flow->cohorts =
	        kt_grow(flow->cohorts, &flow->cohort_cap, flow->cohort_count + 1, sizeof(*flow->cohorts));
	flow->cohorts[flow->cohort_count++] =
	        (struct cohort){.at = now, .counted = counted, .latency = *requests};
}

double flow_waiting(const struct flow *flow, kt_ns now, kt_ns since)
{
	double sum = 0;
	for (size_t i = 0; i < flow->cohort_count; i++) {
		if (flow->cohorts[i].counted >= since)
			sum += tail(&flow->cohorts[i].latency, age_of(&flow->cohorts[i], now));
	}
	return sum;
}

/* --- what is taken back, and what is sent once more --- */
/* `requests` of the second `counted` are answered after all (sign 1), or are not (-1). */
static double settle(struct flow *flow, kt_ns counted, const struct latency *requests, double sign)
{
	double sum = latency_sum(requests);
	struct second *second = flow_second(flow, counted);
	if (second)
		second->answered += sign * sum;
	flow->answered += sign * sum;
	flow->errors -= sign * sum;
	for (size_t i = 0; i < flow->slot_count; i++) {
		struct slot *slot = &flow->slots[i];
		if (slot->at != counted - counted % TRAFFIC_SLOT)
			continue;
		for (unsigned k = 0; k < LATENCY_BUCKETS; k++)
			slot->latency.share[k] =
			        fmaxf(slot->latency.share[k] + (float)sign * requests->share[k], 0);
	}
	return sum;
}

/* `share` of those who waited when the last second ended. */
static double take_back(struct flow *flow, kt_ns now, double share)
{
	double sum = 0;
	for (size_t i = 0; i < flow->cohort_count; i++) {
		struct cohort *cohort = &flow->cohorts[i];
		struct latency lost = {{0}};
		double age = age_of(cohort, now - TRAFFIC_TICK);
		for (unsigned k = 0; k < LATENCY_BUCKETS; k++) {
			lost.share[k] = cohort->latency.share[k] * (float)(later(k, age) * share);
			cohort->latency.share[k] -= lost.share[k];
		}
		sum += settle(flow, cohort->counted, &lost, -1);
		flow->again_of = cohort->counted;
	}
	return sum;
}

void flow_note_again(struct flow *flow, kt_ns now, const struct latency *seen)
{
	double good = latency_sum(seen), again = flow->again;
	struct latency answered = {{0}};
	if (again <= 0)
		return;
	flow->again = 0;
	if (good > 0)
		latency_add(&answered, seen, again * (1 - pow(fmax(1 - good, 0), flow->retries)) / good);
	double back = settle(flow, flow->again_of, &answered, 1);
	flow_promise(flow, now, flow->again_of, &answered);
	if (again - back > NOBODY)
		flow_blame(flow, now, "lost with a pod, and not answered when it was sent once more",
		           again - back);
}

/* --- pods --- */
void traffic_watch_over(struct cluster *cluster, struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (!load || !load->began)
			continue;
		const struct container *c = kubelet_container(cluster, load->ns, load->pod, NULL, NULL);
		if (c && c->main && c->began == load->began && kt_streq(c->pod_uid, load->uid))
			continue;
		load->gone = 1;
		load->ended = true;
		load->began = 0;
		load->wait = load->failing = 0;
		load->queue.waiting = 0;
		load->admit = load->passed = 1;
	}
}

void traffic_drain(struct cluster *cluster, struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		struct endpoint endpoint = {0};
		if (!load || load->seen || load->queue.waiting <= 0)
			continue;
		endpoint.pod_ns = load->ns;
		endpoint.pod = load->pod;
		/* whom it calls was called when the requests came */
		(void)plan_pod(cluster, traffic, &endpoint, load->work, TRAFFIC_DEPTH);
	}
}

bool traffic_drains(const struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->plan.pod_count; i++) {
		if (traffic->plan.pods[i].load->queue.waiting > 0)
			return true;
	}
	return false;
}

/* --- what is lost --- */
/* Requests a second by pod: what comes through, what is lost on the way or there. */
struct flood {
	const struct plan *plan;
	double *kept, *lost, *next_kept, *next_lost, *total;
};

static void flood_clear(struct flood *flood)
{
	size_t size = flood->plan->pod_count * sizeof(double);
	memset(flood->kept, 0, size);
	memset(flood->lost, 0, size);
}

static void pour(struct flood *flood, size_t at, double kept, double lost)
{
	const struct way *way = &flood->plan->ways[at];
	double part = way->open ? way->reaching / (double)way->open : 0;
	for (size_t i = 0; i < way->count; i++) {
		const struct hop *hop = &way->hops[i];
		if (!hop->open)
			continue;
		flood->next_kept[hop->pod] += hop->cut ? 0 : kept * part;
		flood->next_lost[hop->pod] += (lost + (hop->cut ? kept : 0)) * part;
	}
}

static void flow_down(struct flood *flood)
{
	const struct plan *plan = flood->plan;
	bool any = true;
	for (int depth = 0; any && depth <= TRAFFIC_DEPTH; depth++) {
		any = false;
		for (size_t i = 0; i < plan->pod_count; i++) {
			const struct traffic_pod *pod = &plan->pods[i];
			double kept = flood->next_kept[i], lost = flood->next_lost[i];
			flood->next_kept[i] = flood->next_lost[i] = 0;
			if (kept + lost <= 0)
				continue;
			any = true;
			lost += kept * pod->load->gone;
			kept -= kept * pod->load->gone;
			flood->kept[i] += kept;
			flood->lost[i] += lost;
			double onward = pod->load->admit * pod->load->passed;
			for (size_t k = 0; k < pod->call_count; k++)
				pour(flood, pod->calls[k].way, kept * onward * pod->calls[k].times,
				     lost * onward * pod->calls[k].times);
		}
	}
	/* what a ring of callers left over */
	memset(flood->next_kept, 0, plan->pod_count * sizeof(double));
	memset(flood->next_lost, 0, plan->pod_count * sizeof(double));
}

static void pour_entries(struct flood *flood, const struct traffic *traffic, size_t flow)
{
	for (size_t i = 0; i < flood->plan->entry_count; i++) {
		const struct entry *entry = &flood->plan->entries[i];
		if (entry->flow == flow && entry->way != SIZE_MAX)
			pour(flood, entry->way, traffic->flows[flow].lately * entry->share, 0);
	}
}

static void pour_flow(struct flood *flood, const struct traffic *traffic, size_t flow)
{
	pour_entries(flood, traffic, flow);
	for (size_t i = 0; i < flood->plan->way_count; i++) {
		const struct way *way = &flood->plan->ways[i];
		if (way->flow == flow && !(traffic->flows[flow].given && kt_starts(way->key, "outside")))
			pour(flood, i, way->lately, 0);
	}
}

static double *mix_of(struct pod_load *load, size_t flow)
{
	size_t had = load->mix_cap;
	load->mix = kt_grow(load->mix, &load->mix_cap, flow + 1, sizeof(*load->mix));
	if (load->mix_cap > had)
		memset(load->mix + had, 0, (load->mix_cap - had) * sizeof(*load->mix));
	return &load->mix[flow];
}

struct toll { /* of one flow */
	double all, lost, most;
	const struct pod_load *worst;
};

static void add_toll(struct toll *toll, const struct pod_load *load, double here, double lost)
{
	toll->all += here;
	toll->lost += here * lost;
	if (here * lost <= toll->most)
		return;
	toll->most = here * lost;
	toll->worst = load;
}

/* What a flow has in flight: in the pods that it reaches, and in those that it does not reach any more. */
static struct toll reckon(const struct flood *flood, struct traffic *traffic, size_t flow)
{
	struct toll toll = {0};
	for (size_t i = 0; i < flood->plan->pod_count; i++) {
		double sum = flood->kept[i] + flood->lost[i];
		if (flood->total[i] <= 0)
			continue;
		struct pod_load *load = flood->plan->pods[i].load;
		double *mix = mix_of(load, flow);
		*mix = fmin(sum / flood->total[i], 1);
		if (sum > 0)
			add_toll(&toll, load, load->in_flight * *mix, flood->lost[i] / sum);
	}
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (load && !load->reached && flow < load->mix_cap)
			add_toll(&toll, load, load->in_flight * load->mix[flow], load->gone);
	}
	return toll;
}

static void lose(struct flow *flow, const struct toll *toll, kt_ns now)
{
	if (toll->lost <= NOBODY || toll->all <= 0)
		return;
	double lost = take_back(flow, now, toll->lost / toll->all);
	char *why = kt_strf(toll->worst->ended  ? "pods like %s ended while requests waited in them"
	                    : toll->worst->gone ? "pods like %s got less CPU, who waited in them gave up"
	                                        : "who waited for pods like %s was cut off",
	                    toll->worst->pod);
	if (flow->retries > 0)
		flow->again += lost;
	else if (lost > NOBODY)
		flow_blame(flow, now, why, lost);
	kt_free(why);
}

static void mark_cut(struct plan *old, const struct plan *next)
{
	for (size_t i = 0; i < old->way_count; i++) {
		struct way *way = &old->ways[i];
		uintptr_t at = (uintptr_t)table_get(&next->way_by_key, way->key);
		const struct way *now = at ? &next->ways[at - 1] : NULL;
		for (size_t k = 0; now && k < way->count; k++) {
			for (size_t n = 0; way->hops[k].open && n < now->count; n++) {
				if (now->hops[n].silent &&
				    kt_streq(now->hops[n].address, way->hops[k].address))
					way->hops[k].cut = true;
			}
		}
	}
}

static void mark_reached(const struct flood *flood, struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (load)
			load->reached = false;
	}
	for (size_t i = 0; i < flood->plan->pod_count; i++)
		flood->plan->pods[i].load->reached = flood->total[i] > 0;
}

static void lose_all(struct traffic *traffic, const struct plan *plan, kt_ns now)
{
	size_t n = plan->pod_count + 1;
	double *rates = kt_alloc(5 * n * sizeof(*rates));
	struct flood flood = {plan, rates, rates + n, rates + 2 * n, rates + 3 * n, rates + 4 * n};
	for (size_t i = 0; i < traffic->count; i++) {
		if (traffic->flows[i].given)
			pour_entries(&flood, traffic, i);
	}
	flow_down(&flood);
	for (size_t i = 0; i < plan->pod_count; i++)
		flood.total[i] = flood.kept[i] + flood.lost[i];
	mark_reached(&flood, traffic);
	for (size_t i = 0; i < traffic->count; i++) {
		if (!traffic->flows[i].cohort_count)
			continue;
		flood_clear(&flood);
		pour_flow(&flood, traffic, i);
		flow_down(&flood);
		struct toll toll = reckon(&flood, traffic, i);
		lose(&traffic->flows[i], &toll, now);
	}
	kt_free(rates);
}

void traffic_lose(struct traffic *traffic, struct plan *old, const struct plan *next, kt_ns now)
{
	bool waits = false;
	for (size_t i = 0; i < traffic->count; i++) {
		forget_answered(&traffic->flows[i], now - TRAFFIC_TICK);
		waits = waits || traffic->flows[i].cohort_count;
	}
	if (waits && next)
		mark_cut(old, next);
	if (waits)
		lose_all(traffic, old, now);
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (!load)
			continue;
		load->in_flight *= 1 - load->gone;
		load->gone = 0;
		load->ended = false;
	}
}

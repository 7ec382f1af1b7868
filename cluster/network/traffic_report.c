/* SPDX-License-Identifier: MIT */
/* What became of the traffic: sums by the second for an hour, latencies by the quarter of a minute. */
#include "cluster/network/traffic_internal.h"

#include <string.h>

static const char *const kind_names[] = {"service", "ingress", "gateway"};

struct flow *flow_find(const struct traffic *traffic, enum flow_kind kind, const char *ns, const char *name)
{
	for (size_t i = 0; i < traffic->count; i++) {
		struct flow *flow = &traffic->flows[i];
		if (flow->kind == kind && kt_streq(flow->ns, ns) && kt_streq(flow->name, name))
			return flow;
	}
	return NULL;
}

size_t flow_add(struct traffic *traffic, enum flow_kind kind, const char *ns, const char *name, kt_ns now)
{
	struct flow *flow = flow_find(traffic, kind, ns, name);
	if (flow)
		return (size_t)(flow - traffic->flows);
	traffic->flows = kt_grow(traffic->flows, &traffic->cap, traffic->count + 1, sizeof(*traffic->flows));
	traffic->flows[traffic->count] = (struct flow){.kind = kind,
	                                               .ns = kt_strdup(ns),
	                                               .name = kt_strdup(name),
	                                               .shape = "step",
	                                               .begin = now,
	                                               .timeout = TRAFFIC_PATIENCE};
	return traffic->count++;
}

void flow_clear(struct flow *flow)
{
	kt_free(flow->ns);
	kt_free(flow->name);
	kt_free(flow->host);
	kt_free(flow->path);
	kt_free(flow->region);
	kt_free(flow->seconds);
	kt_free(flow->slots);
	kt_free(flow->cohorts);
	for (size_t i = 0; i < flow->cause_count; i++)
		kt_free(flow->causes[i].why);
	kt_free(flow->causes);
}

/* A cause that pauses for longer than this and comes back is told again. */
static const kt_ns PAUSE = 10 * KT_SEC;
enum { MAX_CAUSES = 64 };

void flow_blame(struct flow *flow, kt_ns now, const char *why, double errors)
{
	for (size_t i = flow->cause_count; i-- > 0;) {
		struct cause *cause = &flow->causes[i];
		if (cause->last + PAUSE < now || !kt_streq(cause->why, why))
			continue;
		cause->errors += errors;
		cause->last = now;
		return;
	}
	if (flow->cause_count == MAX_CAUSES) {
		kt_free(flow->causes[0].why);
		memmove(flow->causes, flow->causes + 1, (MAX_CAUSES - 1) * sizeof(*flow->causes));
		flow->cause_count--;
	}
	flow->causes = kt_grow(flow->causes, &flow->cause_cap, flow->cause_count + 1, sizeof(*flow->causes));
	flow->causes[flow->cause_count++] =
	        (struct cause){.why = kt_strdup(why), .errors = errors, .first = now, .last = now};
}

/* The next place of a ring that grows until it has `most`. */
static size_t ring(void **items, size_t *count, size_t *cap, size_t *next, size_t most, size_t size)
{
	if (*count < most) {
		*items = kt_grow(*items, cap, *count + 1, size);
		(*count)++;
		*next = *count % most;
		return *count - 1;
	}
	size_t at = *next;
	*next = (at + 1) % most;
	return at;
}

struct second *flow_second(struct flow *flow, kt_ns at)
{
	size_t last = flow->count < TRAFFIC_SECONDS ? flow->count : flow->next + flow->count;
	for (size_t i = 1; i <= flow->count; i++) {
		struct second *second = &flow->seconds[(last - i) % flow->count];
		if (second->at <= at)
			return second->at == at ? second : NULL;
	}
	return NULL;
}

static struct second *second_of(struct flow *flow, kt_ns now)
{
	struct second *second = flow_second(flow, now);
	if (second)
		return second;
	void *items = flow->seconds;
	size_t at =
	        ring(&items, &flow->count, &flow->cap, &flow->next, TRAFFIC_SECONDS, sizeof(*flow->seconds));
	flow->seconds = items;
	flow->seconds[at] = (struct second){.at = now};
	return &flow->seconds[at];
}

struct slot *flow_slot(struct flow *flow, kt_ns now)
{
	kt_ns begin = now - now % TRAFFIC_SLOT;
	for (size_t i = 0; i < flow->slot_count; i++) {
		/* the newest is nearly always the last one */
		struct slot *slot = &flow->slots[(flow->slot_next + flow->slot_count - 1 - i) %
		                                 KT_MAX(flow->slot_count, (size_t)1)];
		if (slot->at == begin)
			return slot;
		if (i == 1)
			break;
	}
	void *items = flow->slots;
	size_t at = ring(&items, &flow->slot_count, &flow->slot_cap, &flow->slot_next, TRAFFIC_SLOTS,
	                 sizeof(*flow->slots));
	flow->slots = items;
	flow->slots[at] = (struct slot){.at = begin};
	return &flow->slots[at];
}

static void last_minute(struct flow *flow, kt_ns now)
{
	struct latency sum = {{0}};
	for (size_t i = 0; i < flow->slot_count; i++) {
		if (flow->slots[i].at > now - 60 * KT_SEC)
			latency_add(&sum, &flow->slots[i].latency, 1);
	}
	flow->p50 = latency_percentile(&sum, 0.5);
	flow->p95 = latency_percentile(&sum, 0.95);
	flow->p99 = latency_percentile(&sum, 0.99);
}

void flow_note(struct flow *flow, kt_ns now, double rps, const struct latency *latency, double dt)
{
	double offered = rps * dt, answered = offered * KT_MIN(latency_sum(latency), 1);
	struct second *second = second_of(flow, now);
	bool first = second->offered == 0;
	second->offered += offered;
	second->answered += answered;
	latency_add(&flow_slot(flow, now)->latency, latency, offered);
	struct latency requests = {{0}};
	latency_add(&requests, latency, offered);
	flow_promise(flow, now, now, &requests);
	flow->rate = first ? rps : flow->rate + rps;
	flow->offered += offered;
	flow->answered += answered;
	flow->errors += offered - answered;
}

bool traffic_get(struct cluster *cluster, const char *ns, const char *service, struct traffic_stats *out)
{
	struct flow *flow = flow_find(network_of(cluster)->traffic, FLOW_SERVICE, ns, service);
	if (!flow)
		return false;
	last_minute(flow, cluster_now(cluster));
	double waiting = flow_waiting(flow, cluster_now(cluster), INT64_MIN);
	*out = (struct traffic_stats){flow->offered,
	                              flow->answered - waiting,
	                              flow->errors,
	                              waiting,
	                              (kt_ns)(flow->p50 * 1e9),
	                              (kt_ns)(flow->p95 * 1e9),
	                              (kt_ns)(flow->p99 * 1e9),
	                              flow->rate};
	return true;
}

static struct kt_json *causes_of(const struct flow *f, kt_ns since)
{
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < f->cause_count; i++) {
		const struct cause *cause = &f->causes[i];
		struct kt_buf from = {0}, to = {0};
		if (cause->last < since || cause->errors < 0.5)
			continue;
		kt_time_print(cause->first, &from);
		kt_time_print(cause->last, &to);
		kt_push(&list, kt_jsonf("{why: %s, errors: %f, from: %s, to: %s}", cause->why, cause->errors,
		                        kt_buf_str(&from), kt_buf_str(&to)));
		kt_buf_clear(&from);
		kt_buf_clear(&to);
	}
	return list;
}

static struct kt_json *row_of(const struct flow *f, kt_ns now, kt_ns since)
{
	double offered = 0, answered = 0, waiting = flow_waiting(f, now, since);
	struct latency sum = {{0}};
	for (size_t k = 0; k < f->count; k++) {
		if (f->seconds[k].at < since)
			continue;
		offered += f->seconds[k].offered;
		answered += f->seconds[k].answered;
	}
	for (size_t k = 0; k < f->slot_count; k++) {
		if (f->slots[k].at + TRAFFIC_SLOT > since)
			latency_add(&sum, &f->slots[k].latency, 1);
	}
	double over = offered - waiting, errors = offered - answered;
	answered -= waiting;
	return kt_jsonf(
	        "{kind: %s, namespace: %s, service: %s, rps: %f, offered: %f, answered: %f, errors: %f, "
	        "waiting: %f, availability: %f, p50: %f, p95: %f, p99: %f, causes: %j}",
	        kind_names[f->kind], f->ns, f->name, f->rate, offered, answered, errors, waiting,
	        over > 0 ? answered / over : 1.0, latency_percentile(&sum, 0.5),
	        latency_percentile(&sum, 0.95), latency_percentile(&sum, 0.99), causes_of(f, since));
}

struct kt_json *traffic_report(struct cluster *cluster, kt_ns since)
{
	const struct network *network = network_of(cluster);
	const struct traffic *traffic = network ? network->traffic : NULL;
	struct kt_json *services = kt_json_array(), *entries = kt_json_array();
	for (size_t i = 0; traffic && i < traffic->count; i++) {
		const struct flow *f = &traffic->flows[i];
		kt_push(f->kind == FLOW_SERVICE ? &services : &entries,
		        row_of(f, cluster_now(cluster), since));
	}
	return kt_jsonf("{services: %j, entries: %j}", services, entries);
}

struct kt_json *cluster_traffic(struct cluster *cluster, kt_ns since)
{
	return traffic_report(cluster, since);
}

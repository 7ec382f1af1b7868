/* SPDX-License-Identifier: MIT */
/* Load as a flow. Once a second arrivals are led along the plan (traffic_plan.c) to pods, from those to what
 * they call; each pod is a queue (queue.h) with the CPU that its limit and its node leave it. What it works
 * is CPU use, what is in flight is memory, what waits too long is an error; a caller holds its own request as
 * long as it waits for the one it made. */
#include "cluster/network/traffic_internal.h"

#include <math.h>
#include <string.h>

static const double RETRANSMIT = 0.2, REFUSED = 0.001, CONNECT = 5; /* seconds */
enum { TRIES = 3 };

/* --- down: arrivals --- */
static void push(struct plan *plan, size_t at, double rps)
{
	struct way *way = &plan->ways[at];
	double each = way->open ? rps * way->reaching / (double)way->open : 0;
	way->wanted += rps;
	way->lately = way->wanted;
	for (size_t i = 0; i < way->count; i++) {
		if (way->hops[i].open)
			plan->pods[way->hops[i].pod].next += each;
	}
}

static bool take_fresh(struct plan *plan)
{
	bool any = false;
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		pod->fresh = pod->next;
		pod->next = 0;
		pod->arriving += pod->fresh;
		any = any || pod->fresh > 0;
	}
	return any;
}

static void arrive(struct traffic *traffic, kt_ns now)
{
	struct plan *plan = &traffic->plan;
	for (size_t i = 0; i < plan->entry_count; i++) {
		const struct entry *entry = &plan->entries[i];
		const struct flow *flow = &traffic->flows[entry->flow];
		double rps = flow_rate(flow, now) * entry->share, again = 1, each = 1;
		for (int k = 0; k < flow->retries; k++)
			again += each *= flow->failing;
		rps = rps * again + flow->again * entry->share * 1e9 / (double)TRAFFIC_TICK;
		if (entry->way != SIZE_MAX && rps > 0)
			push(plan, entry->way, rps);
	}
	for (int depth = 0; depth <= TRAFFIC_DEPTH && take_fresh(plan); depth++) {
		for (size_t i = 0; i < plan->pod_count; i++) {
			struct traffic_pod *pod = &plan->pods[i];
			double onward = pod->fresh * pod->load->admit * pod->load->passed;
			for (size_t k = 0; onward > 0 && k < pod->call_count; k++)
				push(plan, pod->calls[k].way, onward * pod->calls[k].times);
		}
	}
}

/* --- CPU --- */
static double demand_of(const struct traffic_pod *pod)
{
	double rate = pod->arriving * pod->load->admit;
	return fmin(pod->load->queue.waiting > 0 ? pod->cores : rate * pod->work, pod->cores);
}

/* A node with too little CPU for all gives it by their requests (CFS shares). */
static void share_node(struct plan *plan, size_t node)
{
	double left = fmax(plan->nodes[node].cores - plan->nodes[node].others, 0.05);
	for (int round = 0; round < 8; round++) {
		double weights = 0, given = 0;
		for (size_t i = 0; i < plan->pod_count; i++) {
			if (plan->pods[i].node == node && plan->pods[i].granted < demand_of(&plan->pods[i]))
				weights += fmax(plan->pods[i].request, 0.002);
		}
		for (size_t i = 0; weights > 0 && i < plan->pod_count; i++) {
			struct traffic_pod *pod = &plan->pods[i];
			double want = demand_of(pod) - pod->granted;
			if (pod->node != node || want <= 0)
				continue;
			double part = fmin(want, left * fmax(pod->request, 0.002) / weights);
			pod->granted += part;
			given += part;
		}
		left -= given;
		if (left < 1e-6 || given < 1e-6)
			return;
	}
}

static void share_cpu(struct plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++)
		plan->nodes[i].demand = plan->nodes[i].others;
	for (size_t i = 0; i < plan->pod_count; i++)
		plan->nodes[plan->pods[i].node].demand += demand_of(&plan->pods[i]);
	for (size_t i = 0; i < plan->node_count; i++) {
		if (plan->nodes[i].demand > plan->nodes[i].cores)
			share_node(plan, i);
	}
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		bool tight = plan->nodes[pod->node].demand > plan->nodes[pod->node].cores;
		if (!tight)
			pod->granted = pod->cores;
	}
}

/* --- the queues --- */
static bool same(const struct traffic_pod *a, const struct traffic_pod *b)
{
	return a->arriving == b->arriving && a->granted == b->granted && a->work == b->work &&
	       a->variation == b->variation && a->admit == b->admit;
}

/* Nothing changed since the last second, and nobody waits from it or waited from the one before: all comes
 * out as it did. */
static bool steady(struct plan *plan)
{
	bool still = plan->worked_out;
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		pod->admit = pod->load->admit;
		still = still && pod->arriving == pod->was_arriving && pod->granted == pod->was_granted &&
		        pod->admit == pod->was_admit && pod->load->queue.waiting == 0 &&
		        pod->was_waiting == 0;
		pod->was_arriving = pod->arriving;
		pod->was_granted = pod->granted;
		pod->was_admit = pod->admit;
		pod->was_waiting = pod->load->queue.waiting;
	}
	plan->worked_out = true;
	return still;
}

/* Who gave up is not worked for: nobody is served who would then wait longer than the most impatient caller.
 */
static double patience_of(const struct traffic *traffic)
{
	double least = TRAFFIC_PATIENCE;
	for (size_t i = 0; i < traffic->count; i++) {
		if (traffic->flows[i].given && traffic->flows[i].rps > 0)
			least = fmin(least, traffic->flows[i].timeout);
	}
	return 0.8 * least;
}

static void step_queues(struct traffic *traffic, kt_ns now, double dt)
{
	struct plan *plan = &traffic->plan;
	double patience = patience_of(traffic);
	const struct traffic_pod *last = NULL;
	bool dropped = false;
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		struct queue_load load = {.rps = pod->arriving * pod->load->admit,
		                          .cores = fmax(pod->granted, 0.001),
		                          .work = pod->work,
		                          .variation = pod->variation,
		                          .patience = patience};
		bool empty = pod->load->queue.waiting == 0;
		if (empty && last && same(last, pod)) {
			pod->result = last->result;
			pod->load->queue = last->load->queue;
		} else {
			queue_step(&pod->load->queue, &load, dt, &pod->result);
			pod->load->gone = pod->result.dropped;
			dropped = dropped || pod->result.dropped > 0;
		}
		last = empty ? pod : NULL;
	}
	if (dropped)
		traffic_lose(traffic, plan, NULL, now);
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		pod->load->in_flight = pod->load->queue.waiting + pod->arriving * pod->load->admit *
		                                                          pod->result.answered *
		                                                          pod->result.mean;
	}
}

/* --- up: what became of them --- */
static void pod_outcome(struct plan *plan, size_t at);

static void lossy(struct latency *latency, double loss)
{
	struct latency out = {{0}}, late = *latency;
	double part = 1 - loss, wait = RETRANSMIT;
	for (int k = 0; k < TRIES; k++, part *= loss, wait *= 2) {
		latency_add(&out, &late, part);
		latency_shift(&late, wait);
	}
	*latency = out;
}

/* Endpoints that are equally far are one. */
struct near {
	double latency, loss;
	struct latency sum;
};

static void open_outcome(struct plan *plan, const struct way *way, struct outcome *out)
{
	enum { GROUPS = 8 };
	struct near groups[GROUPS];
	size_t count = 0;
	for (size_t i = 0; i < way->count; i++) {
		const struct hop *hop = &way->hops[i];
		size_t g = 0;
		if (!hop->open)
			continue;
		pod_outcome(plan, hop->pod);
		while (g < count && (groups[g].latency != hop->latency || groups[g].loss != hop->loss))
			g++;
		if (g == count && count < GROUPS)
			groups[count++] = (struct near){.latency = hop->latency, .loss = hop->loss};
		latency_add(&groups[KT_MIN(g, (size_t)GROUPS - 1)].sum, &plan->pods[hop->pod].out.latency, 1);
		out->held += plan->pods[hop->pod].out.held + hop->latency;
	}
	for (size_t g = 0; g < count; g++) {
		latency_shift(&groups[g].sum, groups[g].latency);
		if (groups[g].loss > 0)
			lossy(&groups[g].sum, groups[g].loss);
		latency_add(&out->latency, &groups[g].sum, 1);
	}
}

static void way_outcome(struct plan *plan, size_t at)
{
	struct way *way = &plan->ways[at];
	if (way->done || way->busy)
		return;
	way->busy = true;
	struct outcome open = {{{0}}, 0};
	double silent = 0, n = (double)way->count, good = (double)way->open;
	open_outcome(plan, way, &open);
	for (size_t i = 0; i < way->count; i++)
		silent += !way->hops[i].open && way->hops[i].silent;
	way->out = (struct outcome){{{0}}, REFUSED};
	double closed = way->closed, wait = way->balancer ? CONNECT : TRAFFIC_PATIENCE;
	double fail = n > good ? (silent * wait + (n - good - silent) * REFUSED) / (n - good) : REFUSED;
	double part = 1 - closed;
	if (good > 0)
		way->out.held = part * open.held / good + closed * fail;
	for (int k = 0; good > 0 && part > 0 && k < (way->balancer ? TRIES : 1); k++, part *= closed) {
		latency_add(&way->out.latency, &open.latency, part / good);
		if (closed > 0)
			latency_shift(&open.latency, fail);
	}
	if (good == 0 && n > 0)
		way->out.held = fail * (way->balancer ? TRIES : 1);
	way->busy = false;
	way->done = true;
}

/* One call after the other; a part of a call: so many requests make it. */
static void add_call(struct outcome *out, const struct outcome *call, double times)
{
	out->held += call->held * times * latency_sum(&out->latency);
	for (; times > 0; times -= 1) {
		struct latency after;
		double part = fmin(times, 1);
		latency_chain(&out->latency, &call->latency, &after);
		struct latency mixed = {{0}};
		latency_add(&mixed, &out->latency, 1 - part);
		latency_add(&mixed, &after, part);
		out->latency = mixed;
		if (times > 4) { /* far more than anybody draws: the rest on average */
			latency_shift(&out->latency, (times - 1) * latency_mean(&call->latency));
			break;
		}
	}
}

/* Pods of one owner on one node that get the same do the same. */
static bool as_another(struct plan *plan, size_t at)
{
	struct traffic_pod *pod = &plan->pods[at];
	struct way *way = pod->call_count ? &plan->ways[pod->calls[0].way] : NULL;
	if (!way || pod->concurrency > 0 || pod->load->queue.waiting > 0)
		return false;
	const struct traffic_pod *other = way->caller == SIZE_MAX ? NULL : &plan->pods[way->caller];
	way->caller = at;
	if (!other || !other->done || !same(pod, other) || other->concurrency > 0 ||
	    other->load->queue.waiting > 0 || other->call_count != pod->call_count ||
	    memcmp(other->calls, pod->calls, pod->call_count * sizeof(*pod->calls)) != 0)
		return false;
	pod->out = other->out;
	pod->load->wait = other->load->wait;
	pod->load->passed = other->load->passed;
	pod->load->failing = other->load->failing;
	pod->busy = false;
	pod->done = true;
	return true;
}

static void pod_outcome(struct plan *plan, size_t at)
{
	struct traffic_pod *pod = &plan->pods[at];
	if (pod->done || pod->busy)
		return;
	pod->busy = true;
	struct pod_load *load = pod->load;
	if (as_another(plan, at))
		return;
	pod->out.latency = pod->result.latency;
	pod->out.held =
	        pod->result.answered * pod->result.mean + (1 - pod->result.answered) * TRAFFIC_PATIENCE;
	for (size_t i = 0; i < pod->call_count; i++) {
		way_outcome(plan, pod->calls[i].way);
		add_call(&pod->out, &plan->ways[pod->calls[i].way].out, pod->calls[i].times);
	}
	pod->out.held = fmin(pod->out.held, 6 * TRAFFIC_PATIENCE);
	load->wait = pod->result.wait;
	load->passed = pod->result.answered;
	double flying = pod->arriving * load->admit * pod->out.held;
	struct latency admitted = {{0}};
	latency_add(&admitted, &pod->out.latency, load->admit);
	load->failing = 1 - latency_sum(&admitted);
	pod->out.latency = admitted;
	pod->out.held *= load->admit;
	/* a program with so many workers takes no more at a time; the next second knows */
	if (pod->concurrency > 0)
		load->admit = flying > pod->concurrency ? fmax(load->admit * pod->concurrency / flying, 0.001)
		                                        : fmin(1, load->admit * 1.25 + 0.01);
	pod->busy = false;
	pod->done = true;
}

/* --- a second --- */
static void use(struct traffic_pod *pod, double dt)
{
	struct container *c = pod->container;
	if (!c->main)
		return;
	double servers = pod->granted >= 1 ? floor(pod->granted) : 1;
	double cpu = pod->result.busy * servers * fmin(pod->granted, 1) * dt;
	container_work(c, (kt_ns)(cpu * 1e9));
	/* who came this second and waits in line is among those who wait */
	double waiting = pod->load->queue.waiting, held = pod->out.held;
	if (waiting > 0)
		held = fmax(held - pod->load->admit * pod->result.answered * pod->result.wait, 0);
	double flying = pod->arriving * held + waiting;
	/* too much of it and the kernel ends it */
	container_load(c, (int64_t)(flying * pod->memory));
}

static void note_flows(struct traffic *traffic, kt_ns now, double dt)
{
	struct plan *plan = &traffic->plan;
	for (size_t i = 0; i < plan->way_count; i++) {
		struct way *way = &plan->ways[i];
		const struct flow *flow = &traffic->flows[way->flow];
		/* a Service that is loaded itself counts as its users see it, below */
		if (way->wanted > 0 && !(flow->given && kt_starts(way->key, "outside")))
			flow_note(&traffic->flows[way->flow], now, way->wanted, &way->out.latency, dt);
		else
			continue;
		double lost = way->wanted * dt * (1 - latency_sum(&way->out.latency));
		if (lost > 1e-3)
			traffic_blame_way(traffic, &traffic->flows[way->flow], way, now, lost);
	}
	for (size_t i = 0; i < traffic->count; i++) {
		struct flow *flow = &traffic->flows[i];
		double rps = flow->given ? flow_rate(flow, now) : 0;
		struct latency seen = {{0}};
		for (size_t k = 0; k < plan->entry_count; k++) {
			const struct entry *entry = &plan->entries[k];
			if (entry->flow != i)
				continue;
			if (entry->way != SIZE_MAX)
				latency_add(&seen, &plan->ways[entry->way].out.latency, entry->share);
			else if (!entry->fails)
				seen.share[0] += (float)entry->share;
		}
		if (rps <= 0 && flow->again <= 0)
			continue;
		latency_cut(&seen, flow->timeout);
		flow_note_again(flow, now, &seen);
		if (rps <= 0)
			continue;
		flow->lately = rps;
		flow->failing = fmin(fmax(1 - latency_sum(&seen), 0), 1);
		struct latency first = seen;
		double missing = flow->failing;
		for (int r = 0; r < flow->retries; r++, missing *= flow->failing)
			latency_add(&seen, &first, missing);
		flow_note(flow, now, rps, &seen, dt);
		double lost = rps * dt * (1 - latency_sum(&seen));
		if (lost > 1e-3)
			traffic_blame_entries(traffic, i, now, lost);
	}
}

static void reset(struct plan *plan)
{
	for (size_t i = 0; i < plan->way_count; i++) {
		plan->ways[i].wanted = 0;
	}
	for (size_t i = 0; i < plan->pod_count; i++) {
		struct traffic_pod *pod = &plan->pods[i];
		pod->arriving = pod->fresh = pod->next = pod->granted = 0;
	}
}

static void work_out(struct traffic *traffic, kt_ns now, double dt)
{
	struct plan *plan = &traffic->plan;
	for (size_t i = 0; i < plan->way_count; i++) {
		plan->ways[i].done = false;
		plan->ways[i].caller = SIZE_MAX;
	}
	for (size_t i = 0; i < plan->pod_count; i++)
		plan->pods[i].done = false;
	step_queues(traffic, now, dt);
	for (size_t i = 0; i < plan->pod_count; i++)
		pod_outcome(plan, i);
	for (size_t i = 0; i < plan->way_count; i++)
		way_outcome(plan, i);
}

/* Nobody sends to these any more, and nothing waits in them: their memory is free again. */
static void let_go(struct cluster *cluster, struct traffic *traffic, bool all)
{
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (!load || (load->seen && !all))
			continue;
		struct container *c = kubelet_container(cluster, load->ns, load->pod, NULL, NULL);
		if (c)
			container_load(c, 0);
		load->wait = load->failing = 0;
		load->queue.waiting = 0;
		load->admit = load->passed = 1;
	}
}

static void tick(struct cluster *cluster, void *arg)
{
	struct traffic *traffic = arg;
	struct network *network = network_of(cluster);
	kt_ns now = cluster_now(cluster);
	double dt = (double)TRAFFIC_TICK / 1e9;
	bool any = false;
	if (traffic->plan.epoch != network->epoch) {
		struct plan old = traffic->plan;
		traffic->plan = (struct plan){0};
		traffic_watch_over(cluster, traffic);
		plan_make(cluster, traffic);
		traffic_drain(cluster, traffic);
		traffic_lose(traffic, &old, &traffic->plan, now);
		plan_clear(&old);
		let_go(cluster, traffic, false);
		usage_others(cluster, traffic);
	}
	reset(&traffic->plan);
	traffic_weigh(traffic, now);
	arrive(traffic, now);
	share_cpu(&traffic->plan);
	if (!steady(&traffic->plan))
		work_out(traffic, now, dt);
	note_flows(traffic, now, dt);
	/* an OOM kill changes the network, not this plan */
	for (size_t i = 0; i < traffic->plan.pod_count; i++)
		use(&traffic->plan.pods[i], dt);
	for (size_t i = 0; i < traffic->count; i++) {
		struct flow *flow = &traffic->flows[i];
		any = any || (flow->given && flow->rps > 0);
		if (flow->given && flow->rps <= 0)
			flow->rate = 0;
	}
	any = any || traffic_drains(traffic);
	traffic->timer = any ? cluster_after(cluster, TRAFFIC_TICK, tick, traffic) : 0;
	if (any)
		return;
	let_go(cluster, traffic, true);
	traffic_forget_gaps(traffic);
}

void traffic_wake(struct cluster *cluster, struct traffic *traffic)
{
	if (!traffic->timer)
		traffic->timer = cluster_after(cluster, TRAFFIC_TICK, tick, traffic);
}

/* A single request to a pod under load waits as all do, or fails as they do. */
void traffic_admit(struct cluster *cluster, const struct network_listener *listener,
                   struct network_http_response *response)
{
	struct network *network = network_of(cluster);
	if (!network->traffic || !listener->pod || !network->traffic->pods.count)
		return;
	char *key = kt_strf("%s/%s", listener->ns, listener->pod);
	const struct pod_load *load = table_get(&network->traffic->pods, key);
	kt_free(key);
	if (!load)
		return;
	response->takes += (kt_ns)(load->wait * 1e9);
	if (load->failing > 0 && kt_random_unit(&network->random) < load->failing)
		response->takes += (kt_ns)(TRAFFIC_PATIENCE * 1e9);
}

void traffic_stop(struct cluster *cluster, struct network *network)
{
	struct traffic *traffic = network->traffic;
	cluster_cancel(cluster, traffic->timer);
	for (size_t i = 0; i < traffic->count; i++)
		flow_clear(&traffic->flows[i]);
	kt_free(traffic->flows);
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (load) {
			kt_free(load->ns);
			kt_free(load->pod);
			kt_free(load->mix);
		}
		kt_free(load);
	}
	table_clear(&traffic->pods);
	traffic_forget_gaps(traffic);
	plan_clear(&traffic->plan);
	kt_free(traffic);
	network->traffic = NULL;
}

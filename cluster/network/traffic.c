/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <math.h>
#include <string.h>

#include "cluster/kubelet/kubelet.h"
#include "cluster/network/queue.h"
#include "cluster/network/world.h"

/* Load as a flow. Once a second every flow is led through its Service to the pods that kube-proxy would
 * choose now; each pod is a queue (queue.h) with the CPU that it may use. What it works is CPU use, what
 * waits is memory and latency, what waits too long is an error. Pods whose annotation ktutor.dev/calls names
 * another Service send it a request for each of theirs. Annotations: ktutor.dev/work "5ms" (CPU time of one
 * request), ktutor.dev/memory "50Ki" (of one in flight). */
enum { MAX_SECONDS = 3600, MAX_CALLS = 5 };
static const kt_ns TICK = KT_SEC, PATIENCE = 10 * KT_SEC, WORK = 5 * KT_MS;
static const int64_t REQUEST_MEMORY = 50 << 10;

struct second {
	kt_ns at;
	double offered, answered;
};
struct flow {
	char *ns, *service;
	double rps, from; /* wanted; and where a ramp began */
	char shape;       /* r, s, w */
	kt_ns begin, over;
	kt_ns work; /* 0: what the pods say */
	bool given; /* a load of its own, not only called by others */
	/* what became of it */
	double offered, answered, errors, rate;
	double p50, p95, p99;
	struct second *seconds; /* a ring */
	size_t count, next;
};
struct pod_load {
	struct queue queue;
	double wait, failing; /* seconds; share */
	double arriving;      /* in this tick */
};
struct traffic {
	struct flow *flows;
	size_t count, cap;
	struct table pods; /* "ns/pod" -> struct pod_load * */
	uint64_t timer;
};

static void tick(struct cluster *cluster, void *arg);

static struct flow *flow_find(const struct traffic *traffic, const char *ns, const char *service)
{
	for (size_t i = 0; i < traffic->count; i++) {
		if (kt_streq(traffic->flows[i].ns, ns) && kt_streq(traffic->flows[i].service, service))
			return &traffic->flows[i];
	}
	return NULL;
}

static struct flow *flow_add(struct traffic *traffic, const char *ns, const char *service, kt_ns now)
{
	struct flow *flow = flow_find(traffic, ns, service);
	if (flow)
		return flow;
	traffic->flows = kt_grow(traffic->flows, &traffic->cap, traffic->count + 1, sizeof(*traffic->flows));
	flow = &traffic->flows[traffic->count++];
	*flow = (struct flow){.ns = kt_strdup(ns), .service = kt_strdup(service), .shape = 's', .begin = now};
	return flow;
}

static double rate_at(const struct flow *flow, kt_ns now)
{
	double part = flow->over > 0 ? (double)(now - flow->begin) / (double)flow->over : 1;
	if (flow->shape == 'w' && flow->over > 0)
		return flow->rps * (0.5 - 0.5 * cos(2 * 3.14159265358979 * part));
	if (flow->shape == 'r' && part < 1)
		return flow->from + (flow->rps - flow->from) * part;
	return flow->rps;
}

static struct pod_load *pod_load(struct traffic *traffic, const char *ns, const char *pod)
{
	char *key = kt_strf("%s/%s", ns, pod);
	void **slot = table_slot(&traffic->pods, key);
	if (!*slot)
		*slot = kt_alloc(sizeof(struct pod_load));
	kt_free(key);
	return *slot;
}

/* The CPU that a pod's container may use, in cores. */
static double cores_of(const struct container *c)
{
	if (c && c->cpu_limit_milli > 0)
		return (double)c->cpu_limit_milli / 1000;
	return 1;
}

static kt_ns duration_note(const struct store_object *pod, const char *key, kt_ns otherwise)
{
	const char *text = pod ? kt_get_str(view_pod(pod)->annotations, key) : NULL;
	kt_ns value;
	return text && kt_duration_parse(text, &value) && value > 0 ? value : otherwise;
}

struct outcome {
	double answered;            /* share of what came */
	double p50, p95, p99, mean; /* seconds */
};

/* What a request costs the program in this image. */
static kt_ns usual_work(struct cluster *cluster, const struct container *c)
{
	const struct image *image = image_find(cluster, c->image, NULL);
	return image && image->work ? image->work : WORK;
}

static struct outcome lead(struct cluster *cluster, const char *ns, const char *service,
                           const struct network_peer *from, double rps, kt_ns work, double dt,
                           unsigned depth);

/* One pod's second. */
static struct outcome through_pod(struct cluster *cluster, const struct endpoint *e, double rps, kt_ns work,
                                  double dt, unsigned depth)
{
	struct traffic *traffic = network_of(cluster)->traffic;
	const struct store_object *pod =
	        e->pod ? store_get(cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Pod"),
	                           e->pod_ns, e->pod)
	               : NULL;
	struct container *c = pod ? kubelet_container(cluster, e->pod_ns, e->pod, NULL, NULL) : NULL;
	struct outcome out = {0};
	if (!c || !c->main)
		return out;
	struct pod_load *load = pod_load(traffic, e->pod_ns, e->pod);
	work = work ? work : duration_note(pod, "ktutor.dev/work", usual_work(cluster, c));
	double seconds = (double)work / 1e9, cores = cores_of(c);
	struct queue_result result;
	load->arriving += rps;
	queue_step(&load->queue, load->arriving, cores, seconds, (double)PATIENCE / 1e9, dt, &result);
	container_work(c, (kt_ns)(result.answered * rps * dt * (double)work));
	const char *memory = kt_get_str(view_pod(pod)->annotations, "ktutor.dev/memory");
	struct kt_quantity each;
	int64_t bytes = memory && kt_quantity_parse(memory, &each) ? each.value : REQUEST_MEMORY;
	load->wait = result.wait;
	load->failing = 1 - result.answered;
	out = (struct outcome){result.answered, result.p50, result.p95, result.p99, result.mean};
	const char *calls = kt_get_str(view_pod(pod)->annotations, "ktutor.dev/calls");
	if (calls && depth < MAX_CALLS) {
		const char *slash = strchr(calls, '/');
		char *other_ns = slash ? kt_strndup(calls, (size_t)(slash - calls)) : kt_strdup(e->pod_ns);
		struct network_peer peer = {
		        .ns = e->pod_ns, .pod = e->pod, .node = e->node, .address = e->address};
		struct outcome inner = lead(cluster, other_ns, slash ? slash + 1 : calls, &peer,
		                            rps * result.answered, 0, dt, depth + 1);
		kt_free(other_ns);
		out.answered *= inner.answered;
		out.p50 += inner.p50;
		out.p95 += inner.p95;
		out.p99 += inner.p99;
		out.mean += inner.mean;
	}
	/* what is in flight takes memory; too much of it and the kernel ends it */
	double flying = rps * out.mean + load->queue.waiting;
	container_load(c, (int64_t)(flying * (double)bytes));
	return out;
}

static void note(struct flow *flow, kt_ns now, double rps, const struct outcome *outcome, double dt)
{
	double offered = rps * dt, answered = offered * outcome->answered;
	flow->rate = rps;
	flow->offered += offered;
	flow->answered += answered;
	flow->errors += offered - answered;
	flow->p50 = outcome->p50;
	flow->p95 = outcome->p95;
	flow->p99 = outcome->p99;
	if (!flow->seconds)
		flow->seconds = kt_alloc(MAX_SECONDS * sizeof(*flow->seconds));
	struct second *last =
	        flow->count ? &flow->seconds[(flow->next + MAX_SECONDS - 1) % MAX_SECONDS] : NULL;
	if (last && last->at == now) {
		last->offered += offered;
		last->answered += answered;
		return;
	}
	flow->seconds[flow->next] = (struct second){now, offered, answered};
	flow->next = (flow->next + 1) % MAX_SECONDS;
	flow->count = KT_MIN(flow->count + 1, (size_t)MAX_SECONDS);
}

static struct outcome lead(struct cluster *cluster, const char *ns, const char *service,
                           const struct network_peer *from, double rps, kt_ns work, double dt, unsigned depth)
{
	struct network *network = network_of(cluster);
	const struct service *s = network_service(cluster, ns, service);
	const struct kt_json *port = s ? kt_at(kt_get(s->spec, "ports"), 0) : NULL;
	struct endpoints all = {0};
	struct outcome sum = {0};
	size_t n = 0;
	if (s)
		endpoints_of(network, ns, service, kt_str_or(kt_get(port, "name"), ""), &all);
	for (int pass = 0; pass < 2 && !n; pass++) {
		for (size_t i = 0; i < all.count; i++) {
			if (pass ? all.items[i].serving && all.items[i].terminating : all.items[i].ready)
				all.items[n++] = all.items[i];
		}
	}
	for (size_t i = 0; i < n; i++) {
		/* kube-proxy goes on choosing a dead pod until its endpoint is gone */
		struct network_path path;
		network_connect(cluster, from, all.items[i].address, all.items[i].port, "TCP", &path);
		if (path.outcome != NETWORK_OPEN)
			continue;
		struct outcome one = through_pod(cluster, &all.items[i], rps / (double)n, work, dt, depth);
		double latency = (double)path.latency / 1e9;
		sum.answered += one.answered / (double)n;
		sum.p50 += (one.p50 + latency) / (double)n;
		sum.p95 = fmax(sum.p95, one.p95 + latency);
		sum.p99 = fmax(sum.p99, one.p99 + latency);
		sum.mean += (one.mean + latency) / (double)n;
	}
	kt_free(all.items);
	struct flow *flow = flow_add(network->traffic, ns, service, cluster_now(cluster));
	note(flow, cluster_now(cluster), rps, &sum, dt);
	return sum;
}

static void tick(struct cluster *cluster, void *arg)
{
	struct traffic *traffic = arg;
	kt_ns now = cluster_now(cluster);
	double dt = (double)TICK / 1e9;
	bool any = false;
	struct network_peer outside = {.address = "203.0.113.1"};
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		struct pod_load *load = traffic->pods.rows[i].value;
		if (load)
			load->arriving = load->wait = load->failing = 0;
	}
	for (size_t i = 0; i < traffic->count; i++) {
		/* the array may move: lead() adds flows of called Services */
		if (!traffic->flows[i].given)
			continue;
		double rps = rate_at(&traffic->flows[i], now);
		char *ns = kt_strdup(traffic->flows[i].ns), *service = kt_strdup(traffic->flows[i].service);
		if (rps > 0)
			lead(cluster, ns, service, &outside, rps, traffic->flows[i].work, dt, 0);
		any = any || rps > 0 || traffic->flows[i].rps > 0;
		kt_free(ns);
		kt_free(service);
	}
	traffic->timer = any ? cluster_after(cluster, TICK, tick, traffic) : 0;
	if (any)
		return;
	for (size_t i = 0; i < traffic->pods.cap; i++) {
		/* nobody sends: the memory is free again */
		struct table_row *row = &traffic->pods.rows[i];
		if (!row->key)
			continue;
		const char *slash = strchr(row->key, '/');
		char *ns = kt_strndup(row->key, (size_t)(slash - row->key));
		struct container *c = kubelet_container(cluster, ns, slash + 1, NULL, NULL);
		if (c)
			container_load(c, 0);
		kt_free(ns);
	}
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
		response->takes += PATIENCE;
}

/* --- what is asked for --- */
static void remember(struct cluster *cluster, const struct flow *flow)
{
	struct kt_json *loads = world_get(cluster, "loads");
	char *key = kt_strf("%s/%s", flow->ns, flow->service);
	char shape[2] = {flow->shape, '\0'};
	kt_set(&loads, key,
	       flow->rps > 0 ? kt_jsonf("{rps: %f, from: %f, shape: %s, begin: %l, over: %l, work: %l}",
	                                flow->rps, flow->from, shape, flow->begin, flow->over, flow->work)
	                     : NULL);
	kt_free(key);
	world_set(cluster, "loads", loads);
}

static bool duration_of(const struct kt_json *v, kt_ns *out)
{
	const char *text = kt_str(v);
	if (text)
		return kt_duration_parse(text, out);
	*out = kt_int_or(v, 0) * KT_SEC;
	return v != NULL;
}

/* "5m" of CPU is five milliseconds of one core; "5ms" says the same. */
static bool work_of(const struct kt_json *v, kt_ns *out)
{
	const char *text = kt_str(v);
	struct kt_quantity q;
	if (text && kt_quantity_parse(text, &q)) {
		*out = q.nano;
		return q.nano > 0;
	}
	return text && kt_duration_parse(text, out) && *out > 0;
}

enum kt_code traffic_set(struct cluster *cluster, const struct kt_json *load, struct kt_err *err)
{
	struct network *network = network_of(cluster);
	const char *to = kt_get_str(load, "to"), *shape = kt_str_or(kt_get(load, "shape"), "step");
	const char *name = to ? strchr(to, ' ') : NULL, *slash = name ? strchr(name, '/') : NULL;
	if (!to || (!kt_starts(to, "service ") && !kt_starts(to, "svc ")))
		return kt_fail(err, KT_EINVAL,
		               "load: to: a Service is wanted, as in 'service shop/web', not '%s'",
		               to ? to : "");
	char *ns = slash ? kt_strndup(name + 1, (size_t)(slash - name - 1)) : kt_strdup("default");
	char *service = kt_strdup(slash ? slash + 1 : name + 1);
	enum kt_code rc = KT_OK;
	kt_ns over = 0, work = 0, now = cluster_now(cluster);
	if (!network_service(cluster, ns, service)) {
		struct kt_buf there = {0};
		for (size_t i = 0; i < network->all.cap; i++) {
			const struct service *s = network->all.rows[i].value;
			if (s && kt_streq(s->ns, ns))
				kt_buf_addf(&there, "%s%s", there.len ? ", " : "", s->name);
		}
		rc = kt_fail(err, KT_ENOTFOUND,
		             "load: there is no service '%s' in namespace '%s'; there is: %s", service, ns,
		             there.len ? kt_buf_str(&there) : "none");
		kt_buf_clear(&there);
	} else if (strcmp(shape, "ramp") != 0 && strcmp(shape, "step") != 0 && strcmp(shape, "wave") != 0) {
		rc = kt_fail(err, KT_EINVAL, "load: shape: ramp, step or wave is wanted, not '%s'", shape);
	} else if (kt_get(load, "over") && !duration_of(kt_get(load, "over"), &over)) {
		rc = kt_fail(err, KT_EINVAL, "load: over: a duration is wanted");
	} else if (kt_path(load, "work.cpu") && !work_of(kt_path(load, "work.cpu"), &work)) {
		rc = kt_fail(err, KT_EINVAL,
		             "load: work: cpu: CPU time of one request is wanted, as in 5m or 5ms");
	} else if (!kt_get(load, "rps") && !kt_get(load, "times")) {
		rc = kt_fail(err, KT_EINVAL, "load: rps or times is wanted");
	}
	if (rc == KT_OK) {
		const struct flow *old = flow_find(network->traffic, ns, service);
		double before = old && old->given ? rate_at(old, now) : 0;
		double rps = kt_get(load, "rps") ? kt_real_or(kt_get(load, "rps"), -1)
		                                 : before * kt_real_or(kt_get(load, "times"), -1);
		if (rps < 0 || rps > 1e7) {
			rc = kt_fail(err, KT_EINVAL, "load: rps: a number from 0 to 10000000 is wanted");
		} else {
			struct flow *flow = flow_add(network->traffic, ns, service, now);
			flow->from = before;
			flow->rps = rps;
			flow->shape = shape[0];
			flow->begin = now;
			flow->over = over;
			flow->work = work ? work : flow->work;
			flow->given = true;
			flow->rate = rate_at(flow, now); /* asked before its first second is over */
			remember(cluster, flow);
			if (!network->traffic->timer)
				network->traffic->timer =
				        cluster_after(cluster, TICK, tick, network->traffic);
		}
	}
	kt_free(ns);
	kt_free(service);
	return rc;
}

bool traffic_get(struct cluster *cluster, const char *ns, const char *service, struct traffic_stats *out)
{
	const struct flow *flow = flow_find(network_of(cluster)->traffic, ns, service);
	if (!flow)
		return false;
	*out = (struct traffic_stats){flow->offered,
	                              flow->answered,
	                              flow->errors,
	                              (kt_ns)(flow->p50 * 1e9),
	                              (kt_ns)(flow->p95 * 1e9),
	                              (kt_ns)(flow->p99 * 1e9),
	                              flow->rate};
	return true;
}

struct kt_json *traffic_report(struct cluster *cluster, kt_ns since)
{
	const struct network *network = network_of(cluster);
	const struct traffic *traffic = network ? network->traffic : NULL;
	struct kt_json *services = kt_json_array();
	for (size_t i = 0; traffic && i < traffic->count; i++) {
		const struct flow *f = &traffic->flows[i];
		double offered = 0, answered = 0;
		for (size_t k = 0; k < f->count; k++) {
			const struct second *s =
			        &f->seconds[(f->next + MAX_SECONDS - f->count + k) % MAX_SECONDS];
			if (s->at < since)
				continue;
			offered += s->offered;
			answered += s->answered;
		}
		kt_push(&services, kt_jsonf("{namespace: %s, service: %s, rps: %f, offered: %f, answered: "
		                            "%f, errors: %f, "
		                            "availability: %f, p50: %f, p95: %f, p99: %f}",
		                            f->ns, f->service, f->rate, offered, answered, offered - answered,
		                            offered > 0 ? answered / offered : 1.0, f->p50, f->p95, f->p99));
	}
	return kt_jsonf("{services: %j}", services);
}

/* --- life --- */
void traffic_start(struct cluster *cluster, struct network *network)
{
	struct traffic *traffic = kt_alloc(sizeof(*traffic));
	struct kt_json *loads = world_get(cluster, "loads");
	network->traffic = traffic;
	for (size_t i = 0; i < kt_count(loads); i++) {
		const char *key = kt_key(loads, i), *slash = strchr(key, '/');
		const struct kt_json *row = kt_at(loads, i);
		if (!slash)
			continue;
		char *ns = kt_strndup(key, (size_t)(slash - key));
		struct flow *flow = flow_add(traffic, ns, slash + 1, cluster_now(cluster));
		flow->rps = kt_real_or(kt_get(row, "rps"), 0);
		flow->from = kt_real_or(kt_get(row, "from"), 0);
		flow->shape = kt_str_or(kt_get(row, "shape"), "s")[0];
		flow->begin = kt_get_int(row, "begin", 0);
		flow->over = kt_get_int(row, "over", 0);
		flow->work = kt_get_int(row, "work", 0);
		flow->given = true;
		flow->rate = rate_at(flow, cluster_now(cluster));
		kt_free(ns);
	}
	kt_json_free(loads);
	if (traffic->count)
		traffic->timer = cluster_after(cluster, TICK, tick, traffic);
}

void traffic_stop(struct cluster *cluster, struct network *network)
{
	struct traffic *traffic = network->traffic;
	cluster_cancel(cluster, traffic->timer);
	for (size_t i = 0; i < traffic->count; i++) {
		kt_free(traffic->flows[i].ns);
		kt_free(traffic->flows[i].service);
		kt_free(traffic->flows[i].seconds);
	}
	kt_free(traffic->flows);
	for (size_t i = 0; i < traffic->pods.cap; i++)
		kt_free(traffic->pods.rows[i].value);
	table_clear(&traffic->pods);
	kt_free(traffic);
	network->traffic = NULL;
}

struct kt_json *cluster_traffic(struct cluster *cluster, kt_ns since)
{
	return traffic_report(cluster, since);
}

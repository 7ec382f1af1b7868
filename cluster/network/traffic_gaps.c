/* SPDX-License-Identifier: MIT */
/* The moments between a program's end and the news of it. Traffic goes by the second, but an address that
 * nobody answers at is mostly among the endpoints for some tenths of one: kube-proxy rewrites its rules a
 * little after the pod was told to go. Here is noted when a port closed and when its Service forgot it, so
 * that each second counts for the share of it during which requests went there. */
#include "cluster/network/traffic_internal.h"

#include <math.h>
#include <string.h>

/* Is anybody sending? Else nothing is noted. */
static struct traffic *awake(struct network *network)
{
	return network->traffic && network->traffic->timer ? network->traffic : NULL;
}

void traffic_port_closed(struct cluster *cluster, struct network *network, const char *key)
{
	struct traffic *traffic = awake(network);
	if (!traffic)
		return;
	void **slot = table_slot(&traffic->closed, key);
	if (!*slot)
		*slot = kt_alloc(sizeof(kt_ns));
	*(kt_ns *)*slot = cluster_now(cluster);
}

void traffic_port_opened(struct network *network, const char *key)
{
	void *at = network->traffic ? table_get(&network->traffic->closed, key) : NULL;
	if (!at)
		return;
	table_remove(&network->traffic->closed, key);
	kt_free(at);
}

kt_ns traffic_closed_since(const struct traffic *traffic, const char *address, unsigned port)
{
	if (!traffic->closed.count)
		return 0;
	char *key = listener_key(address, port, "TCP");
	const kt_ns *at = table_get(&traffic->closed, key);
	kt_free(key);
	return at ? *at : 0;
}

static bool is_used(const struct kt_json *endpoint)
{
	return kt_get_bool(kt_get(endpoint, "conditions"), "ready", true);
}

static size_t used_count(const struct kt_json *slice)
{
	const struct kt_json *endpoint;
	size_t count = 0;
	KT_JSON_EACH (endpoint, kt_get(slice, "endpoints"))
		count += is_used(endpoint);
	return count;
}

static const struct kt_json *endpoint_at(const struct kt_json *slice, const char *address)
{
	const struct kt_json *endpoint;
	KT_JSON_EACH (endpoint, kt_get(slice, "endpoints")) {
		if (kt_streq(kt_str(kt_at(kt_get(endpoint, "addresses"), 0)), address))
			return endpoint;
	}
	return NULL;
}

static void add_gap(struct traffic *traffic, const char *ns, const char *service, kt_ns from, kt_ns to,
                    size_t of)
{
	traffic->gaps =
	        kt_grow(traffic->gaps, &traffic->gap_cap, traffic->gap_count + 1, sizeof(*traffic->gaps));
	traffic->gaps[traffic->gap_count++] = (struct gap){
	        .flow = flow_add(traffic, FLOW_SERVICE, ns, service, to), .from = from, .to = to, .of = of};
}

void traffic_slice_changes(struct cluster *cluster, struct network *network, const struct kt_json *old,
                           const struct kt_json *next)
{
	struct traffic *traffic = awake(network);
	const char *ns = kt_path_str(old, "metadata.namespace");
	const char *service = kt_get_str(view_labels(old), "kubernetes.io/service-name");
	const struct kt_json *endpoint, *port;
	size_t of = used_count(old);
	/* where nobody is left, those that end are still used: the plan sees them */
	if (!traffic || !traffic->closed.count || !ns || !service || !used_count(next))
		return;
	KT_JSON_EACH (endpoint, kt_get(old, "endpoints")) {
		const char *address = kt_str(kt_at(kt_get(endpoint, "addresses"), 0));
		const struct kt_json *now = address ? endpoint_at(next, address) : NULL;
		if (!address || !is_used(endpoint) || (now && is_used(now)))
			continue;
		KT_JSON_EACH (port, kt_get(old, "ports")) {
			kt_ns since =
			        traffic_closed_since(traffic, address, (unsigned)kt_get_int(port, "port", 0));
			if (!since)
				continue;
			add_gap(traffic, ns, service, since, cluster_now(cluster), of);
			break;
		}
	}
}

/* The share of the second before `now` that lies between the two. */
static double share_of(kt_ns from, kt_ns to, kt_ns now)
{
	kt_ns begin = KT_MAX(from, now - TRAFFIC_TICK), end = KT_MIN(to, now);
	return end > begin ? (double)(end - begin) / (double)TRAFFIC_TICK : 0;
}

static double closed_share(const struct traffic *traffic, struct way *way, kt_ns now)
{
	double closed = 0;
	way->gone = 0;
	if (!way->count)
		return 1;
	for (size_t i = 0; way->open < way->count && i < way->count; i++) {
		const struct hop *hop = &way->hops[i];
		if (!hop->open)
			closed += hop->since ? share_of(hop->since, now, now) : 1;
	}
	for (size_t i = 0; i < traffic->gap_count; i++) {
		const struct gap *gap = &traffic->gaps[i];
		if (gap->flow == way->flow)
			way->gone += share_of(gap->from, gap->to, now) * (double)way->count /
			             (double)KT_MAX(gap->of, (size_t)1);
	}
	return fmin((closed + way->gone) / (double)way->count, 1);
}

void traffic_weigh(struct traffic *traffic, kt_ns now)
{
	struct plan *plan = &traffic->plan;
	for (size_t i = 0; i < plan->way_count; i++) {
		struct way *way = &plan->ways[i];
		double closed = closed_share(traffic, way, now);
		if (closed != way->closed)
			plan->worked_out = false;
		way->closed = closed;
		way->reaching = 1 - (way->balancer ? closed * closed * closed : closed);
	}
	traffic->gap_count = 0; /* all lie before `now` */
}

void traffic_forget_gaps(struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->closed.cap; i++)
		kt_free(traffic->closed.rows[i].value);
	table_clear(&traffic->closed);
	kt_free(traffic->gaps);
	traffic->gaps = NULL;
	traffic->gap_count = traffic->gap_cap = 0;
}

/* SPDX-License-Identifier: MIT */
/* What traffic is asked for: the step `load` of the scenario language, and keeping it. */
#include "cluster/network/traffic_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cluster/network/world.h"

static const double PI = 3.14159265358979;

/* step: at once; ramp: straight up (or down) during `over`; wave: up and down with that period; spike: up at
 * once, back after `over`. */
double flow_rate(const struct flow *flow, kt_ns now)
{
	double part = flow->over > 0 ? (double)(now - flow->begin) / (double)flow->over : 1;
	switch (flow->shape[0]) {
	case 'w':
		return flow->over > 0 ? flow->rps * (0.5 - 0.5 * cos(2 * PI * part)) : flow->rps;
	case 'r':
		return part < 1 ? flow->from + (flow->rps - flow->from) * part : flow->rps;
	default:
		return !strcmp(flow->shape, "spike") && part >= 1 && flow->over > 0 ? flow->from : flow->rps;
	}
}

/* --- where to --- */
static const struct {
	const char *word;
	enum flow_kind kind;
	enum network_kind object;
} kinds[] = {{"service", FLOW_SERVICE, NETWORK_SERVICE}, {"svc", FLOW_SERVICE, NETWORK_SERVICE},
             {"ingress", FLOW_INGRESS, NETWORK_INGRESS}, {"ing", FLOW_INGRESS, NETWORK_INGRESS},
             {"gateway", FLOW_GATEWAY, NETWORK_GATEWAY}, {"gtw", FLOW_GATEWAY, NETWORK_GATEWAY}};

struct target {
	size_t row;
	char *ns, *name;
};

static enum kt_code target_parse(const char *to, struct target *out, struct kt_err *err)
{
	const char *space = to ? strchr(to, ' ') : NULL, *slash = space ? strchr(space, '/') : NULL;
	for (size_t i = 0; space && i < KT_COUNT(kinds); i++) {
		if (strlen(kinds[i].word) != (size_t)(space - to) ||
		    strncmp(kinds[i].word, to, (size_t)(space - to)) != 0)
			continue;
		out->row = i;
		out->ns = slash ? kt_strndup(space + 1, (size_t)(slash - space - 1)) : kt_strdup("default");
		const char *name = slash ? slash + 1 : space + 1;
		out->name =
		        kt_strndup(name, strcspn(name, ":")); /* whichever port: traffic is the Service's */
		return KT_OK;
	}
	return kt_fail(
	        err, KT_EINVAL,
	        "load: to: a Service, Ingress or Gateway is wanted, as in 'service shop/web', not '%s'",
	        to ? to : "");
}

static enum kt_code target_there(struct cluster *cluster, const struct target *target, struct kt_err *err)
{
	const struct schema_kind *kind = network_of(cluster)->kinds[kinds[target->row].object];
	const struct store_object *object;
	struct kt_buf there = {0};
	if (store_get(cluster_store(cluster), kind, target->ns, target->name))
		return KT_OK;
	STORE_EACH (object, cluster_store(cluster), kind, target->ns)
		kt_buf_addf(&there, "%s%s", there.len ? ", " : "", object->name);
	enum kt_code rc =
	        kt_fail(err, KT_ENOTFOUND, "load: there is no %s '%s' in namespace '%s'; there is: %s",
	                kind->singular, target->name, target->ns, there.len ? kt_buf_str(&there) : "none");
	kt_buf_clear(&there);
	return rc;
}

/* --- how --- */
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

struct wish {
	double rps;
	const char *shape, *region;
	kt_ns over, work, timeout;
	int64_t retries;
};

static enum kt_code wish_parse(const struct kt_json *load, double now, struct wish *out, struct kt_err *err)
{
	static const struct {
		const char *word, *shape;
	} shapes[] = {{"step", "step"}, {"constant", "step"}, {"steady", "step"},
	              {"ramp", "ramp"}, {"wave", "wave"},     {"spike", "spike"}};
	const char *known = NULL;
	*out = (struct wish){.shape = kt_str_or(kt_get(load, "shape"), "step"),
	                     .region = kt_get_str(load, "from"),
	                     .timeout = (kt_ns)(TRAFFIC_PATIENCE * 1e9),
	                     .retries = kt_get_int(load, "retries", 0)};
	for (size_t i = 0; i < KT_COUNT(shapes); i++)
		if (!strcmp(out->shape, shapes[i].word))
			known = shapes[i].shape;
	if (!known)
		return kt_fail(err, KT_EINVAL, "load: shape: step, ramp, wave or spike is wanted, not '%s'",
		               out->shape);
	out->shape = known;
	if (kt_get(load, "over") && !duration_of(kt_get(load, "over"), &out->over))
		return kt_fail(err, KT_EINVAL, "load: over: a duration is wanted");
	if (kt_get(load, "timeout") &&
	    (!duration_of(kt_get(load, "timeout"), &out->timeout) || out->timeout <= 0))
		return kt_fail(err, KT_EINVAL, "load: timeout: a duration is wanted, as in 2s");
	if (out->retries < 0 || out->retries > 5)
		return kt_fail(err, KT_EINVAL, "load: retries: a number from 0 to 5 is wanted");
	if (kt_path(load, "work.cpu") && !work_of(kt_path(load, "work.cpu"), &out->work))
		return kt_fail(err, KT_EINVAL,
		               "load: work: cpu: CPU time of one request is wanted, as in 5m or 5ms");
	if (!kt_get(load, "rps") && !kt_get(load, "times"))
		return kt_fail(err, KT_EINVAL, "load: rps or times is wanted");
	out->rps = kt_get(load, "rps") ? kt_real_or(kt_get(load, "rps"), -1)
	                               : now * kt_real_or(kt_get(load, "times"), -1);
	if (out->rps < 0 || out->rps > 1e7)
		return kt_fail(err, KT_EINVAL, "load: rps: a number from 0 to 10000000 is wanted");
	if (out->region && kt_starts(out->region, "region "))
		out->region += strlen("region ");
	return KT_OK;
}

static enum kt_code region_there(struct cluster *cluster, const char *region, struct kt_err *err)
{
	const struct store_object *node;
	struct kt_buf there = {0};
	bool found = !region;
	STORE_EACH (node, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], NULL) {
		const char *its = view_node(node)->region;
		found = found || kt_streq(its, region);
		if (its && !strstr(kt_buf_str(&there), its))
			kt_buf_addf(&there, "%s%s", there.len ? ", " : "", its);
	}
	enum kt_code rc =
	        found ? KT_OK
	              : kt_fail(err, KT_ENOTFOUND, "load: from: no node is in region '%s'; there is: %s",
	                        region, there.len ? kt_buf_str(&there) : "none");
	kt_buf_clear(&there);
	return rc;
}

/* --- kept, so that it goes on after a restart --- */
static void remember(struct cluster *cluster, const struct flow *flow)
{
	static const char *const words[] = {"service", "ingress", "gateway"};
	struct kt_json *loads = world_get(cluster, "loads");
	char *key = kt_strf("%s %s/%s", words[flow->kind], flow->ns, flow->name);
	kt_set(&loads, key,
	       flow->rps > 0
	               ? kt_jsonf("{rps: %f, from: %f, shape: %s, begin: %l, over: %l, work: %l, host: %s, "
	                          "path: %s, region: %s, timeout: %f, retries: %d}",
	                          flow->rps, flow->from, flow->shape, flow->begin, flow->over, flow->work,
	                          flow->host, flow->path, flow->region, flow->timeout, flow->retries)
	               : NULL);
	kt_free(key);
	world_set(cluster, "loads", loads);
}

static void replace(char **text, const char *with)
{
	char *copy = kt_strdup(with);
	kt_free(*text);
	*text = copy;
}

enum kt_code traffic_set(struct cluster *cluster, const struct kt_json *load, struct kt_err *err)
{
	struct network *network = network_of(cluster);
	struct traffic *traffic = network->traffic;
	struct target target = {0};
	struct wish wish;
	kt_ns now = cluster_now(cluster);
	enum kt_code rc = target_parse(kt_get_str(load, "to"), &target, err);
	if (!rc)
		rc = target_there(cluster, &target, err);
	const struct flow *old =
	        rc ? NULL : flow_find(traffic, kinds[target.row].kind, target.ns, target.name);
	double before = old && old->given ? flow_rate(old, now) : 0;
	if (!rc)
		rc = wish_parse(load, before, &wish, err);
	if (!rc)
		rc = region_there(cluster, wish.region, err);
	if (!rc) {
		size_t at = flow_add(traffic, kinds[target.row].kind, target.ns, target.name, now);
		struct flow *flow = &traffic->flows[at];
		flow->from = before;
		flow->rps = wish.rps;
		snprintf(flow->shape, sizeof(flow->shape), "%s", wish.shape);
		flow->begin = now;
		flow->over = wish.over;
		flow->work = wish.work ? wish.work : flow->work;
		flow->timeout =
		        kt_get(load, "timeout") || !flow->given ? (double)wish.timeout / 1e9 : flow->timeout;
		flow->retries = kt_get(load, "retries") || !flow->given ? (int)wish.retries : flow->retries;
		flow->given = true;
		flow->rate = flow_rate(flow, now); /* asked before its first second is over */
		if (kt_get(load, "path"))
			replace(&flow->path, kt_get_str(load, "path"));
		if (kt_get(load, "host"))
			replace(&flow->host, kt_get_str(load, "host"));
		if (wish.region)
			replace(&flow->region, wish.region);
		remember(cluster, flow);
		network->epoch++;
		traffic_wake(cluster, traffic);
	}
	kt_free(target.ns);
	kt_free(target.name);
	return rc;
}

static void recall(struct cluster *cluster, struct traffic *traffic, const char *key,
                   const struct kt_json *row)
{
	struct target target = {0};
	if (target_parse(key, &target, NULL) == KT_OK) {
		size_t at = flow_add(traffic, kinds[target.row].kind, target.ns, target.name,
		                     cluster_now(cluster));
		struct flow *flow = &traffic->flows[at];
		flow->rps = kt_real_or(kt_get(row, "rps"), 0);
		flow->from = kt_real_or(kt_get(row, "from"), 0);
		snprintf(flow->shape, sizeof(flow->shape), "%.7s", kt_str_or(kt_get(row, "shape"), "step"));
		flow->begin = kt_get_int(row, "begin", 0);
		flow->over = kt_get_int(row, "over", 0);
		flow->work = kt_get_int(row, "work", 0);
		flow->timeout = kt_real_or(kt_get(row, "timeout"), TRAFFIC_PATIENCE);
		flow->retries = (int)kt_get_int(row, "retries", 0);
		replace(&flow->host, kt_get_str(row, "host"));
		replace(&flow->path, kt_get_str(row, "path"));
		replace(&flow->region, kt_get_str(row, "region"));
		flow->given = true;
		flow->rate = flow_rate(flow, cluster_now(cluster));
	}
	kt_free(target.ns);
	kt_free(target.name);
}

void traffic_start(struct cluster *cluster, struct network *network)
{
	struct kt_json *loads = world_get(cluster, "loads");
	network->traffic = kt_alloc(sizeof(*network->traffic));
	for (size_t i = 0; i < kt_count(loads); i++)
		recall(cluster, network->traffic, kt_key(loads, i), kt_at(loads, i));
	kt_json_free(loads);
	if (network->traffic->count)
		traffic_wake(cluster, network->traffic);
}

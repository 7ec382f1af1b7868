/* SPDX-License-Identifier: MIT */
/* What a pod does for one request. It may say so by annotations (docs/traffic.md): ktutor.dev/work,
 * /work-variation, /memory, /concurrency, /calls. Without them: what its image usually needs, and calls to
 * the Services that its environment or arguments name. */
#include "cluster/network/traffic_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const kt_ns USUAL_WORK = 5 * KT_MS;
static const double USUAL_MEMORY = 50 << 10;

static const char *note(const struct store_object *pod, const char *key)
{
	return kt_get_str(view_pod(pod)->annotations, key);
}

/* "5ms", or "5m" of a core's second. */
static double work_note(const struct store_object *pod, double otherwise)
{
	const char *text = note(pod, "ktutor.dev/work");
	struct kt_quantity q;
	kt_ns value;
	if (!text)
		return otherwise;
	if (kt_duration_parse(text, &value) && value > 0 && !kt_ends(text, "m"))
		return (double)value / 1e9;
	return kt_quantity_parse(text, &q) && q.nano > 0 ? (double)q.nano / 1e9 : otherwise;
}

static double number_note(const struct store_object *pod, const char *key, double otherwise)
{
	const char *text = note(pod, key);
	char *end;
	double value = text ? strtod(text, &end) : 0;
	return text && end != text && !*end && value >= 0 ? value : otherwise;
}

static double memory_note(const struct store_object *pod)
{
	const char *text = note(pod, "ktutor.dev/memory");
	struct kt_quantity q;
	return text && kt_quantity_parse(text, &q) ? (double)q.value : USUAL_MEMORY;
}

/* --- calls --- */
/* "orders.shop.svc:80", "orders:80", "shop/orders": the Service, if there is one. */
static bool service_named(struct cluster *cluster, const char *home, const char *text, size_t len,
                          char ns[64], char name[64], long *port)
{
	char copy[256];
	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	char *colon = strchr(copy, ':'), *slash = strchr(copy, '/'), *dot;
	*port = colon ? strtol(colon + 1, NULL, 10) : 0;
	if (colon)
		*colon = '\0';
	if (slash) {
		*slash = '\0';
		snprintf(ns, 64, "%.63s", copy);
		snprintf(name, 64, "%.63s", slash + 1);
	} else {
		dot = strchr(copy, '.');
		if (dot) {
			*dot++ = '\0';
			char *more = strchr(dot, '.');
			if (more && strcmp(more, ".svc") != 0 && strcmp(more, ".svc.cluster.local") != 0)
				return false;
			if (more)
				*more = '\0';
		}
		snprintf(ns, 64, "%.63s", dot ? dot : home);
		snprintf(name, 64, "%.63s", copy);
	}
	return network_service(cluster, ns, name) != NULL;
}

static void add_call(struct cluster *cluster, struct traffic *traffic, size_t at,
                     const struct network_peer *peer, const char *as, const char *text, size_t len,
                     double times, unsigned depth)
{
	char ns[64], name[64];
	long port;
	struct traffic_pod *pod = &traffic->plan.pods[at];
	if (pod->call_count == TRAFFIC_CALLS || depth >= TRAFFIC_DEPTH || times <= 0 ||
	    !service_named(cluster, peer->ns, text, len, ns, name, &port))
		return;
	const struct service *service = network_service(cluster, ns, name);
	const struct store_object *object = store_get(
	        cluster_store(cluster), network_of(cluster)->kinds[NETWORK_POD], peer->ns, peer->pod);
	if (kt_streq(ns, peer->ns) &&
	    view_map_matches(kt_get(service->spec, "selector"), view_pod(object)->labels))
		return; /* itself */
	struct kt_json *number = port ? kt_json_int(port) : NULL;
	struct route_target target = {.ns = ns, .service = name, .port = number};
	size_t way = plan_way(cluster, traffic, peer, as, NULL, &target, "", 0, depth + 1);
	kt_json_free(number);
	pod = &traffic->plan.pods[at]; /* it may have moved */
	for (size_t i = 0; i < pod->call_count; i++) {
		if (pod->calls[i].way == way)
			return;
	}
	if (way != SIZE_MAX)
		pod->calls[pod->call_count++] = (struct traffic_call){way, times};
}

/* "backend, shop/orders*3, cache:6379*0.2" */
static void declared_calls(struct cluster *cluster, struct traffic *traffic, size_t at,
                           const struct network_peer *peer, const char *as, const char *text, unsigned depth)
{
	size_t len;
	for (const char *one; text && (one = kt_split(&text, ',', &len));) {
		while (len && *one == ' ')
			one++, len--;
		while (len && one[len - 1] == ' ')
			len--;
		const char *star = memchr(one, '*', len);
		double times = star ? strtod(star + 1, NULL) : 1;
		add_call(cluster, traffic, at, peer, as, one, star ? (size_t)(star - one) : len, times,
		         depth);
	}
}

/* A word alone is taken for a host only if the variable's name says so. */
static bool means_host(const char *name)
{
	static const char *const words[] = {"HOST", "URL",      "URI", "ADDR",    "SERVER",
	                                    "DSN",  "ENDPOINT", "API", "BACKEND", "UPSTREAM"};
	for (const char *c = name; c && *c; c++) {
		char first = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		for (size_t i = 0; i < KT_COUNT(words); i++) {
			if (first == words[i][0] && !strncasecmp(c, words[i], strlen(words[i])))
				return true;
		}
	}
	return false;
}

/* The host in "postgres://user@orders:5432/shop" or "http://backend/api" or "orders:5432". */
static void call_in_text(struct cluster *cluster, struct traffic *traffic, size_t at,
                         const struct network_peer *peer, const char *as, const char *name, const char *text,
                         unsigned depth)
{
	const char *scheme = strstr(text, "://"), *host = scheme ? scheme + 3 : text;
	size_t len = strcspn(host, "/?, \t\"'");
	const char *user = memchr(host, '@', len);
	if (user) {
		len -= (size_t)(user + 1 - host);
		host = user + 1;
	}
	if (scheme || memchr(host, ':', len) || memchr(host, '.', len) || means_host(name))
		add_call(cluster, traffic, at, peer, as, host, len, 1, depth);
}

static void guessed_calls(struct cluster *cluster, struct traffic *traffic, size_t at,
                          const struct network_peer *peer, const char *as, const struct container *c,
                          const struct store_object *object, unsigned depth)
{
	static const char *const lists[] = {"command", "args"};
	const struct kt_json *container, *item;
	for (size_t i = 0; i < kt_count(c->env); i++)
		call_in_text(cluster, traffic, at, peer, as, kt_key(c->env, i),
		             kt_str_or(kt_at(c->env, i), ""), depth);
	KT_JSON_EACH (container, kt_get(view_pod(object)->spec, "containers")) {
		for (size_t i = 0; i < KT_COUNT(lists); i++) {
			KT_JSON_EACH (item, kt_get(container, lists[i])) {
				const char *url = strstr(kt_str_or(item, ""), "://");
				while (url && url > kt_str(item) && url[-1] >= 'a' && url[-1] <= 'z')
					url--;
				if (url)
					call_in_text(cluster, traffic, at, peer, as, NULL, url, depth);
			}
		}
	}
}

static void find_calls(struct cluster *cluster, struct traffic *traffic, size_t at, const struct endpoint *e,
                       const struct store_object *object, const struct container *c, const char *as,
                       unsigned depth)
{
	struct network_peer peer = {
	        .ns = object->ns, .pod = object->name, .node = c->node, .address = e->address};
	const char *calls = note(object, "ktutor.dev/calls");
	if (calls)
		declared_calls(cluster, traffic, at, &peer, as, calls, depth);
	else
		guessed_calls(cluster, traffic, at, &peer, as, c, object, depth);
}

/* --- the pod --- */
static size_t node_index(struct cluster *cluster, struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		if (kt_streq(plan->nodes[i].name, name))
			return i;
	}
	const struct store_object *node =
	        store_get(cluster_store(cluster), network_of(cluster)->kinds[NETWORK_NODE], "", name);
	double cores = node ? (double)view_node(node)->allocatable.cpu_milli / 1000 : 0;
	plan->nodes = kt_grow(plan->nodes, &plan->node_cap, plan->node_count + 1, sizeof(*plan->nodes));
	plan->nodes[plan->node_count] =
	        (struct traffic_node){.name = kt_strdup(name), .cores = cores > 0 ? cores : 1e6};
	return plan->node_count++;
}

static struct pod_load *load_of(struct traffic *traffic, const char *ns, const char *pod)
{
	char *key = kt_strf("%s/%s", ns, pod);
	void **slot = table_slot(&traffic->pods, key);
	if (!*slot) {
		struct pod_load *load = kt_alloc(sizeof(*load));
		load->ns = kt_strdup(ns);
		load->pod = kt_strdup(pod);
		load->admit = load->passed = 1;
		*slot = load;
	}
	kt_free(key);
	return *slot;
}

static void describe(struct cluster *cluster, struct traffic_pod *pod, const struct container *c,
                     const struct store_object *object, kt_ns work)
{
	const struct image *image = image_find(cluster, c->image, NULL);
	double usual = (double)(image && image->work ? image->work : USUAL_WORK) / 1e9;
	pod->request = (double)view_pod(object)->requests.cpu_milli / 1000;
	pod->cores = c->cpu_limit_milli > 0 ? (double)c->cpu_limit_milli / 1000 : KT_MAX(1, pod->request);
	pod->work = work ? (double)work / 1e9 : work_note(object, usual);
	pod->variation = number_note(object, "ktutor.dev/work-variation", 1);
	pod->memory = memory_note(object);
	pod->concurrency = number_note(object, "ktutor.dev/concurrency", 0);
}

size_t plan_pod(struct cluster *cluster, struct traffic *traffic, const struct endpoint *e, kt_ns work,
                unsigned depth)
{
	struct plan *plan = &traffic->plan;
	if (!e->pod)
		return SIZE_MAX;
	char *name = kt_strf("%s/%s", e->pod_ns, e->pod);
	uintptr_t known = (uintptr_t)table_get(&plan->pod_by_name, name);
	if (known) {
		kt_free(name);
		return (size_t)known - 1;
	}
	const struct store_object *object =
	        store_get(cluster_store(cluster), network_of(cluster)->kinds[NETWORK_POD], e->pod_ns, e->pod);
	struct container *c = object ? kubelet_container(cluster, e->pod_ns, e->pod, NULL, NULL) : NULL;
	if (!c || !c->main) {
		kt_free(name);
		return SIZE_MAX;
	}
	plan->pods = kt_grow(plan->pods, &plan->pod_cap, plan->pod_count + 1, sizeof(*plan->pods));
	size_t at = plan->pod_count++;
	*table_slot(&plan->pod_by_name, name) = (void *)(uintptr_t)(at + 1);
	plan->pods[at] = (struct traffic_pod){.load = load_of(traffic, e->pod_ns, e->pod),
	                                      .container = c,
	                                      .was_arriving = -1,
	                                      .node = node_index(cluster, plan, c->node)};
	plan->pods[at].load->seen = true;
	plan->pods[at].load->work = work;
	plan->pods[at].load->began = c->began;
	snprintf(plan->pods[at].load->uid, sizeof(plan->pods[at].load->uid), "%s", object->uid);
	describe(cluster, &plan->pods[at], c, object, work);
	/* pods of one owner on one node take the same way */
	const struct view_owner owner = view_pod(object)->owner;
	char *as = kt_strf("%s %s", owner.uid ? owner.uid : object->uid, c->node);
	uintptr_t twin = (uintptr_t)table_get(&plan->pod_by_owner, as);
	if (twin && plan->pods[twin - 1].called) {
		const struct traffic_pod *of = &plan->pods[twin - 1];
		memcpy(plan->pods[at].calls, of->calls, sizeof(of->calls));
		plan->pods[at].call_count = of->call_count;
	} else {
		find_calls(cluster, traffic, at, e, object, c, as, depth);
		*table_slot(&plan->pod_by_owner, as) = (void *)(uintptr_t)(at + 1);
	}
	plan->pods[at].called = true;
	kt_free(as);
	kt_free(name);
	return at;
}

/* SPDX-License-Identifier: MIT */
#include "cluster/network/traffic_internal.h"

#include <string.h>

#include "cluster/kubelet/kubelet.h"

/* metrics-server: a look at every container each 15 s (--metric-resolution); CPU is the rate between the last
 * two looks, so a container shows up with the second of them. */
static const kt_ns WINDOW = 15 * KT_SEC;
static const int64_t NODE_CPU_NANO = 45000000, NODE_MEMORY = 380LL << 20; /* the node's own programs */

struct usage {
	uint64_t timer;
	kt_ns at;
};

static bool look(void *arg, struct container *container)
{
	kt_ns now = *(const kt_ns *)arg;
	int64_t cpu, memory;
	struct container_sample *s = &container->sample;
	container_usage(container, &cpu, &memory);
	if (s->at && cpu >= s->cpu && now > s->at) {
		s->rate = (int64_t)((double)(cpu - s->cpu) / (double)(now - s->at) * 1e9);
		s->seen = true;
	} else {
		s->seen = false;
	}
	s->cpu = cpu;
	s->memory = memory;
	s->at = now;
	return true;
}

static void tick(struct cluster *cluster, void *arg)
{
	struct usage *usage = arg;
	kt_ns now = cluster_now(cluster);
	usage->at = now;
	kubelet_each(cluster, look, &now);
	struct traffic *traffic = network_of(cluster)->traffic;
	if (traffic && traffic->plan.node_count)
		usage_others(cluster, traffic);
	usage->timer = cluster_after(cluster, WINDOW, tick, usage);
}

static bool add_other(void *arg, struct container *container)
{
	struct traffic *traffic = arg;
	if (!container->sample.seen)
		return true;
	for (size_t i = 0; i < traffic->plan.node_count; i++) {
		if (!kt_streq(traffic->plan.nodes[i].name, container->node))
			continue;
		char *key = kt_strf("%s/%s", container->ns, container->pod);
		if (!table_get(&traffic->plan.pod_by_name, key))
			traffic->plan.nodes[i].others += (double)container->sample.rate / 1e9;
		kt_free(key);
	}
	return true;
}

void usage_others(struct cluster *cluster, struct traffic *traffic)
{
	for (size_t i = 0; i < traffic->plan.node_count; i++)
		traffic->plan.nodes[i].others = (double)NODE_CPU_NANO / 1e9;
	kubelet_each(cluster, add_other, traffic);
}

void usage_start(struct cluster *cluster, struct network *network)
{
	network->usage = kt_alloc(sizeof(*network->usage));
	network->usage->timer = cluster_after(cluster, WINDOW, tick, network->usage);
}

void usage_stop(struct cluster *cluster, struct network *network)
{
	cluster_cancel(cluster, network->usage->timer);
	kt_free(network->usage);
	network->usage = NULL;
}

bool usage_container(struct cluster *cluster, const char *ns, const char *pod, const char *container,
                     int64_t *cpu_nano, int64_t *memory)
{
	char *why = NULL;
	const struct container *c = kubelet_container(cluster, ns, pod, container, &why);
	kt_free(why);
	if (!c || !c->sample.seen)
		return false;
	*cpu_nano = c->sample.rate;
	*memory = c->sample.memory;
	return true;
}

static struct kt_json *amounts(int64_t cpu_nano, int64_t memory)
{
	return kt_jsonf("{cpu: %j, memory: %j}",
	                cpu_nano ? kt_json_strf("%lldn", (long long)cpu_nano) : kt_json_str("0"),
	                kt_json_strf("%lldKi", (long long)(memory / 1024)));
}

static struct kt_json *metrics(struct cluster *cluster, const char *kind, const struct store_object *about)
{
	struct kt_buf now = {0}, seen = {0};
	const struct network *network = network_of(cluster);
	kt_time_print(cluster_now(cluster), &now);
	kt_time_print(network->usage->at ? network->usage->at : cluster_now(cluster), &seen);
	struct kt_json *json = kt_jsonf(
	        "{kind: %s, apiVersion: 'metrics.k8s.io/v1beta1', metadata: {name: %s, namespace: %s, "
	        "creationTimestamp: %s, labels: %J}, timestamp: %s, window: '15s'}",
	        kind, about->name, *about->ns ? about->ns : NULL, kt_buf_str(&now), view_labels(about->json),
	        kt_buf_str(&seen));
	kt_buf_clear(&now);
	kt_buf_clear(&seen);
	return json;
}

struct kt_json *usage_pod_metrics(struct cluster *cluster, const char *ns, const char *pod)
{
	const struct store_object *object =
	        store_get(cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Pod"), ns, pod);
	static const char *const lists[] = {"spec.containers", "spec.initContainers"};
	if (!object)
		return NULL;
	struct kt_json *containers = kt_json_array();
	const struct kt_json *item;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (item, kt_path(object->json, lists[i])) {
			const char *name = kt_get_str(item, "name");
			int64_t cpu, memory;
			if (name && usage_container(cluster, ns, pod, name, &cpu, &memory))
				kt_push(&containers,
				        kt_jsonf("{name: %s, usage: %j}", name, amounts(cpu, memory)));
		}
	}
	if (!kt_count(containers)) {
		kt_json_free(containers);
		return NULL;
	}
	struct kt_json *json = metrics(cluster, "PodMetrics", object);
	kt_set(&json, "containers", containers);
	return json;
}

struct node_sum {
	const char *node;
	int64_t cpu, memory;
};

static bool add(void *arg, struct container *container)
{
	struct node_sum *sum = arg;
	if (kt_streq(container->node, sum->node) && container->sample.seen) {
		sum->cpu += container->sample.rate;
		sum->memory += container->sample.memory;
	}
	return true;
}

struct kt_json *usage_node_metrics(struct cluster *cluster, const char *node)
{
	const struct store_object *object = store_get(
	        cluster_store(cluster), schema_stored(cluster_schema(cluster), "", "Node"), "", node);
	struct node_sum sum = {.node = node, .cpu = NODE_CPU_NANO, .memory = NODE_MEMORY};
	if (!object || !kubelet_node_is_up(cluster, node))
		return NULL;
	kubelet_each(cluster, add, &sum);
	struct kt_json *json = metrics(cluster, "NodeMetrics", object);
	kt_set(&json, "usage", amounts(sum.cpu, sum.memory));
	return json;
}

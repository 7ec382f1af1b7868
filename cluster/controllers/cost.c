/* SPDX-License-Identifier: MIT */
/* What the machines cost, where an operator would look for it: ConfigMap cluster-cost in kube-system, kept
 * while any node bears the label ktutor.dev/price (per hour). Its data: perHour (now), total (so far), and
 * perHour.POOL for each pool (label ktutor.dev/pool); at: until when total counts. Keys: "cost". */
#include "cluster/controllers/node_pools.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVERY KT_MIN_NS
#define NS    "kube-system"
#define NAME  "cluster-cost"

static double price_of(const struct store_object *node)
{
	const char *text = controller_label(node->json, POOL_PRICE);
	return text ? strtod(text, NULL) : 0;
}

static void put_number(struct kt_json **data, const char *key, double value)
{
	char text[40];
	snprintf(text, sizeof(text), "%.4f", value);
	size_t len = strlen(text);
	while (len > 1 && text[len - 1] == '0')
		len--;
	len -= text[len - 1] == '.';
	kt_set(data, key, kt_json_strn(text, len));
}

/* perHour and perHour.POOL; false: nothing has a price. */
static bool sum_up(struct cluster *cluster, struct controller_queue *queue, struct kt_json **data)
{
	const struct store_object *node;
	double sum = 0;
	bool any = false;
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		const char *pool = controller_label(node->json, POOL_LABEL);
		double price = price_of(node);
		any = any || controller_label(node->json, POOL_PRICE);
		sum += price;
		if (pool && price > 0) {
			char *key = kt_strf("perHour.%s", pool);
			const char *before = kt_get_str(*data, key);
			put_number(data, key, (before ? strtod(before, NULL) : 0) + price);
			kt_free(key);
		}
	}
	put_number(data, "perHour", sum);
	return any;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *old =
	        store_get(cluster_store(cluster), queue->kinds->config_map, NS, NAME);
	const struct kt_json *before = old ? kt_get(old->json, "data") : NULL;
	struct api_actor actor = controller_actor(queue, because);
	struct kt_json *data = kt_json_object();
	struct kt_buf at = {0};
	kt_ns now = cluster_now(cluster), since = now;
	if (!sum_up(cluster, queue, &data) && !old) {
		kt_json_free(data);
		return true;
	}
	(void)!kt_time_parse(kt_str_or(kt_get(before, "at"), ""), &since);
	double rate = strtod(kt_str_or(kt_get(before, "perHour"), "0"), NULL),
	       total = strtod(kt_str_or(kt_get(before, "total"), "0"), NULL);
	put_number(&data, "total", total + rate * (double)KT_MAX(now - since, 0) / 3.6e12);
	kt_time_print(now, &at);
	kt_set(&data, "at", kt_json_str(kt_buf_str(&at)));
	kt_buf_clear(&at);
	if (old) {
		struct kt_json *json = kt_json_ref(old->json);
		kt_set(&json, "data", data);
		(void)controller_write(cluster, &actor, old, json);
	} else {
		(void)api_create(
		        cluster, &actor, queue->kinds->config_map,
		        kt_jsonf("{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: %s, namespace: "
		                 "%s}, data: %j}",
		                 NAME, NS, data),
		        NULL);
	}
	controller_add_after(cluster, queue, "", key, EVERY);
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *node = event->object;
	if (node->kind == queue->kinds->node && controller_label(node->json, POOL_PRICE) &&
	    (event->change != STORE_MODIFIED || price_of(node) != price_of(event->old)))
		controller_add(cluster, queue, "", "cost", node);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add(cluster, queue, "", "cost", NULL);
}

const struct controller controller_cost = {
        .name = "cost",
        .component = "cost-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 100 * KT_MS,
};

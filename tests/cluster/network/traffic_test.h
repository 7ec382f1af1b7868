/* SPDX-License-Identifier: MIT */
/* Tiers of pods, load on them, and what became of it. */
#ifndef TESTS_NETWORK_TRAFFIC_TEST_H
#define TESTS_NETWORK_TRAFFIC_TEST_H

#include <math.h>

#include "cluster/network/network.h"
#include "tests/cluster/support.h"

/* `count` pods of 1 CPU behind a Service; notes: annotations; env: the containers' environment. */
static inline void tier(struct cluster *cluster, const char *name, int count, struct kt_json *notes,
                        struct kt_json *env)
{
	support_create(
	        cluster, "apps", "Deployment",
	        kt_jsonf("{metadata: {name: %s}, spec: {replicas: %d, selector: {matchLabels: {app: %s}}, "
	                 "template: {metadata: {labels: {app: %s}, annotations: %j}, spec: {containers: "
	                 "[{name: 'c', image: 'nginx:1.27', env: %j, resources: {requests: {cpu: '100m'}, "
	                 "limits: {cpu: '1', memory: '256Mi'}}}]}}}}",
	                 name, count, name, name, notes, env));
	support_create(cluster, "", "Service",
	               kt_jsonf("{metadata: {name: %s}, spec: {selector: {app: %s}, ports: [{port: 80}]}}",
	                        name, name));
}

static inline struct cluster *three_zones(void)
{
	struct kt_json *nodes = kt_json_array();
	for (int i = 0; i < 6; i++) {
		char name[8] = "n0", zone[8] = "zone-a";
		name[1] = (char)('0' + i);
		zone[5] = (char)('a' + i % 3);
		kt_push(&nodes, support_node(name, zone, "8", NULL));
	}
	return support_cluster(nodes);
}

static inline void load(struct cluster *cluster, struct kt_json *step)
{
	struct kt_err err = {0};
	struct kt_json *what = kt_jsonf("{load: %j}", step);
	if (cluster_disturb(cluster, what, NULL, &err))
		fail_msg("%s", err.text);
	kt_json_free(what);
}

/* A number of the report since `since`. */
static inline double told(struct cluster *cluster, const char *list, const char *name, kt_ns since,
                          const char *what)
{
	struct kt_json *report = cluster_traffic(cluster, since);
	const struct kt_json *rows = kt_get(report, list);
	ptrdiff_t at = kt_find(rows, "service", name);
	double value = at < 0 ? -1 : kt_real_or(kt_get(kt_at(rows, (size_t)at), what), -1);
	kt_json_free(report);
	return value;
}

static inline void near_to(double got, double want, double share)
{
	if (fabs(got - want) > fabs(want) * share + 1e-9)
		fail_msg("%g expected, got %g", want, got);
}

/* The errors of a row by cause: all of them, and one with these words. */
static inline double blamed(struct cluster *cluster, const char *list, const char *name, const char *words)
{
	struct kt_json *report = cluster_traffic(cluster, 0);
	const struct kt_json *rows = kt_get(report, list), *cause;
	ptrdiff_t at = kt_find(rows, "service", name);
	double sum = 0;
	KT_JSON_EACH (cause, at < 0 ? NULL : kt_get(kt_at(rows, (size_t)at), "causes")) {
		if (!words || strstr(kt_str_or(kt_get(cause, "why"), ""), words))
			sum += kt_real_or(kt_get(cause, "errors"), 0);
	}
	kt_json_free(report);
	return sum;
}

#endif

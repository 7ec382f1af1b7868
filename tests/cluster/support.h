/* SPDX-License-Identifier: MIT */
/* A whole cluster in a test: nodes and pods from relaxed JSON, virtual time, what became of them. */
#ifndef TESTS_CLUSTER_SUPPORT_H
#define TESTS_CLUSTER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/api/api.h"
#include "cluster/kubelet/kubelet.h"

static const struct api_actor support_actor = {
        .user = "kubernetes-admin", .manager = "test", .component = "test"};

static inline const struct schema_kind *support_kind(struct cluster *cluster, const char *group,
                                                     const char *kind)
{
	return schema_stored(cluster_schema(cluster), group, kind);
}

/* A worker of 4 CPUs and 8Gi in `zone`; `more` overrides members of spec (may be NULL). */
static inline struct kt_json *support_node(const char *name, const char *zone, const char *cpu,
                                           struct kt_json *spec)
{
	return kt_jsonf("{apiVersion: 'v1', kind: 'Node', metadata: {name: %s, annotations: "
	                "{'ktutor.dev/edges': 'ingress,gateway,load-balancer'}, labels: "
	                "{'kubernetes.io/hostname': %s, "
	                "'topology.kubernetes.io/zone': %s}}, spec: %j, status: {capacity: {cpu: %s, memory: "
	                "'8Gi', pods: "
	                "'110'}, allocatable: {cpu: %s, memory: '8Gi', pods: '110'}}}",
	                name, name, zone, spec ? spec : kt_json_object(), cpu, cpu);
}

static inline struct cluster *support_cluster_born(struct kt_json *nodes /* array, stolen */, kt_ns now)
{
	struct kt_json *list = kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %j}", nodes);
	struct cluster_options options = {.name = "test", .seed = 7, .now = now, .nodes = list};
	struct kt_err err = {0};
	struct cluster *cluster = NULL;

	if (cluster_new(&options, &cluster, &err))
		fail_msg("%s", err.text);
	kt_json_free(list);
	cluster_advance(cluster, cluster_now(cluster) + 2 * KT_SEC);
	return cluster;
}

static inline struct cluster *support_cluster(struct kt_json *nodes)
{
	return support_cluster_born(nodes, (kt_ns)1764000000 * KT_SEC);
}

static inline void support_wait(struct cluster *cluster, double seconds)
{
	cluster_advance(cluster, cluster_now(cluster) + (kt_ns)(seconds * 1e9));
}

/* Parse relaxed JSON (as kt_jsonf without values). */
static inline const struct store_object *support_create(struct cluster *cluster, const char *group,
                                                        const char *kind, struct kt_json *steal)
{
	struct api_status status = {0};
	struct kt_json *object = steal;
	const struct schema_kind *of = support_kind(cluster, group, kind);
	const struct store_object *made;

	kt_set(&object, "apiVersion", kt_json_str(of->api_version));
	kt_set(&object, "kind", kt_json_str(kind));
	if (of->namespaced && !kt_path(object, "metadata.namespace"))
		kt_set(kt_edit(&object, "metadata"), "namespace", kt_json_str("default"));
	made = api_create(cluster, &support_actor, of, object, &status);
	if (!made)
		fail_msg("%s: %s", kind, status.message ? status.message : "not created");
	api_status_clear(&status);
	return made;
}

/* A pod with this spec. */
static inline void support_pod(struct cluster *cluster, const char *name, struct kt_json *spec)
{
	support_create(cluster, "", "Pod",
	               kt_jsonf("{metadata: {name: %s, labels: {app: %s}}, spec: %j}", name, name, spec));
}

static inline const struct store_object *support_get(struct cluster *cluster, const char *kind,
                                                     const char *name)
{
	const struct schema_kind *of = support_kind(cluster, "", kind);

	return store_get(cluster_store(cluster), of, of->namespaced ? "default" : "", name);
}

static inline const char *support_text(struct cluster *cluster, const char *pod, const char *path)
{
	const struct store_object *object = support_get(cluster, "Pod", pod);
	const char *text = object ? kt_path_str(object->json, path) : NULL;

	return text ? text : "";
}

static inline const char *support_condition(struct cluster *cluster, const char *pod, const char *type,
                                            const char *key)
{
	const struct store_object *object = support_get(cluster, "Pod", pod);
	const struct kt_json *list = object ? kt_path(object->json, "status.conditions") : NULL;
	ptrdiff_t at = kt_find(list, "type", type);

	return at >= 0 ? kt_str_or(kt_get(kt_at(list, (size_t)at), key), "") : "";
}

/* How often (sum of counts) an event with this reason, whose message begins so, was recorded about the
 * object. */
static inline int support_events(struct cluster *cluster, const char *name, const char *reason,
                                 const char *message)
{
	const struct store_object *event;
	int64_t count = 0;

	STORE_EACH (event, cluster_store(cluster), support_kind(cluster, "", "Event"), NULL) {
		if (!kt_streq(kt_path_str(event->json, "involvedObject.name"), name) ||
		    !kt_streq(kt_get_str(event->json, "reason"), reason) ||
		    !kt_starts(kt_str_or(kt_get(event->json, "message"), ""), message))
			continue;
		count += kt_get_int(event->json, "count", 1);
	}
	return (int)count;
}

#endif

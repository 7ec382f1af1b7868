/* SPDX-License-Identifier: MIT */
/* The machines that a lab asks for, as Node objects. */
#include "labs/labs_internal.h"

#include <stdio.h>
#include <string.h>

/* What a machine has beside CPU and memory, and which labels every node bears. */
static struct kt_json *make_node(const char *name, const char *cpu, const char *memory, const char *pods)
{
	struct kt_json *size = kt_jsonf("{cpu: %s, memory: %s, pods: %s, 'ephemeral-storage': '100Gi', "
	                                "'hugepages-1Gi': '0', 'hugepages-2Mi': '0'}",
	                                cpu, memory, pods);
	return kt_jsonf(
	        "{apiVersion: 'v1', kind: 'Node', metadata: {name: %s, labels: {'kubernetes.io/hostname': "
	        "%s, 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64',"
	        " 'beta.kubernetes.io/os': 'linux', 'beta.kubernetes.io/arch': 'amd64'}}, status: {capacity: "
	        "%J, allocatable: %j}}",
	        name, name, size, size);
}

static void label(struct kt_json **node, const char *key, const char *value)
{
	if (value)
		kt_set(kt_edit_path(node, "metadata.labels"), key, kt_json_str(value));
}

/* A scalar of the lab's YAML as a quantity's text: 4, 0.5, 8Gi. */
static char *text_of(const struct kt_json *value, const char *otherwise)
{
	if (!value)
		return kt_strdup(otherwise);
	return kt_str(value) ? kt_strdup(kt_str(value)) : kt_json_text(value);
}

static void add_labels(struct kt_json **node, const struct kt_json *row)
{
	const struct kt_json *labels = kt_get(row, "labels");
	for (size_t i = 0; i < kt_count(labels); i++) {
		char *value = text_of(kt_at(labels, i), "");
		label(node, kt_key(labels, i), value);
		kt_free(value);
	}
	label(node, "ktutor.dev/pool", kt_get_str(row, "pool"));
	if (kt_get_bool(row, "spot", false))
		label(node, "ktutor.dev/spot", "true");
	if (kt_get(row, "price")) {
		char *price = text_of(kt_get(row, "price"), "1");
		label(node, "ktutor.dev/price", price);
		kt_free(price);
	}
}

/* What the cluster autoscaler may make of the pool. */
static void add_bounds(struct kt_json **node, const struct kt_json *row)
{
	static const char *const names[][2] = {{"min", "ktutor.dev/pool-min"},
	                                       {"max", "ktutor.dev/pool-max"}};
	for (size_t i = 0; kt_get(row, "max") && i < KT_COUNT(names); i++) {
		char *value = text_of(kt_get(row, names[i][0]), "0");
		kt_set(kt_edit_path(node, "metadata.annotations"), names[i][1], kt_json_str(value));
		kt_free(value);
	}
}

/* "key=value:Effect" or an object. */
static void add_taints(struct kt_json **node, const struct kt_json *row)
{
	const struct kt_json *taint;
	KT_JSON_EACH (taint, kt_get(row, "taints")) {
		const char *text = kt_str(taint), *colon = text ? strrchr(text, ':') : NULL,
		           *equal = text ? strchr(text, '=') : NULL;
		if (!text) {
			kt_push(kt_edit_path(node, "spec.taints"), kt_json_ref(taint));
			continue;
		}
		size_t key = equal ? (size_t)(equal - text) : colon ? (size_t)(colon - text) : strlen(text);
		struct kt_json *object = kt_jsonf("{key: %j, effect: %s}", kt_json_strn(text, key),
		                                  colon ? colon + 1 : "NoSchedule");
		if (equal)
			kt_set(&object, "value",
			       kt_json_strn(equal + 1,
			                    colon ? (size_t)(colon - equal - 1) : strlen(equal + 1)));
		kt_push(kt_edit_path(node, "spec.taints"), object);
	}
}

static void add_resources(struct kt_json **node, const struct kt_json *row)
{
	const struct kt_json *more = kt_get(row, "resources"), *gpu = kt_get(row, "gpu");
	static const char *const places[] = {"status.capacity", "status.allocatable"};
	for (size_t p = 0; p < KT_COUNT(places); p++) {
		for (size_t i = 0; i < kt_count(more); i++) {
			char *value = text_of(kt_at(more, i), "0");
			kt_set(kt_edit_path(node, places[p]), kt_key(more, i), kt_json_str(value));
			kt_free(value);
		}
		if (gpu) {
			char *value = text_of(gpu, "0");
			kt_set(kt_edit_path(node, places[p]), "nvidia.com/gpu", kt_json_str(value));
			kt_free(value);
		}
	}
}

/* Machines of one row: general-a1, general-b1, general-c1, general-a2 … in turn over the zones. */
static void add_row(struct kt_json **items, const struct kt_json *row)
{
	static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	struct kt_json *made = NULL; /* `zones: 2` is short for [a, b] */
	for (int64_t z = 0; z < KT_MIN(kt_int_or(kt_get(row, "zones"), 0), (int64_t)KT_COUNT(letters)); z++)
		kt_push(&made, kt_json_str(letters[z]));
	const struct kt_json *zones = made ? made : kt_get(row, "zones"), *regions = kt_get(row, "regions");
	const char *pool = kt_str_or(kt_get(row, "pool"), "worker"), *given = kt_get_str(row, "name");
	char *cpu = text_of(kt_get(row, "cpu"), "4"), *memory = text_of(kt_get(row, "memory"), "8Gi"),
	     *pods = text_of(kt_get(row, "pods"), "110");
	int64_t count = kt_whole_or(kt_get(row, "count"), 1), places = (int64_t)kt_count(zones);
	for (int64_t i = 0; i < count; i++) {
		const char *zone =
		        places ? kt_str(kt_at(zones, (size_t)(i % places))) : kt_get_str(row, "zone");
		char name[128];
		if (given && count == 1)
			snprintf(name, sizeof(name), "%s", given);
		else if (zone)
			snprintf(name, sizeof(name), "%s-%s%lld", given ? given : pool, zone,
			         (long long)(places ? i / places : i) + 1);
		else
			snprintf(name, sizeof(name), "%s-%lld", given ? given : pool, (long long)i + 1);
		struct kt_json *node = make_node(name, cpu, memory, pods);
		label(&node, "topology.kubernetes.io/zone", zone);
		const char *region = kt_count(regions) ? kt_str(kt_at(regions, (size_t)i % kt_count(regions)))
		                                       : kt_get_str(row, "region");
		label(&node, "topology.kubernetes.io/region", region ? region : "region-1");
		add_labels(&node, row);
		add_bounds(&node, row);
		add_taints(&node, row);
		add_resources(&node, row);
		kt_push(items, node);
	}
	kt_json_free(made);
	kt_free(cpu);
	kt_free(memory);
	kt_free(pods);
}

/* What comes before the cluster is there when a lab needs it (cluster/network/balancer.h). */
static void add_edges(struct kt_json **control, const struct lab *lab)
{
	static const char *const edges[] = {"ingress", "gateway", "load-balancer"};
	struct kt_buf list = {0};
	for (size_t e = 0; e < KT_COUNT(edges); e++)
		for (const char *const *need = lab->needs; need && *need; need++)
			if (kt_streq(*need, edges[e]))
				kt_buf_addf(&list, "%s%s", list.len ? "," : "", edges[e]);
	if (list.len)
		kt_set_path(control, "metadata.annotations",
		            kt_jsonf("{'ktutor.dev/edges': %s}", kt_buf_str(&list)));
	kt_buf_clear(&list);
}

struct kt_json *lab_nodes(const struct lab *lab)
{
	const struct kt_json *rows = kt_get(lab->cluster, "nodes"), *row;
	struct kt_json *items = kt_json_array(), *control = make_node("control-plane", "4", "8Gi", "110");
	label(&control, "node-role.kubernetes.io/control-plane", "");
	label(&control, "node.kubernetes.io/exclude-from-external-load-balancers", "");
	/* in no zone and no region: it would count as a place of its own over which pods are to be spread */
	kt_set_path(&control, "spec.taints",
	            kt_jsonf("[{key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule'}]"));
	add_edges(&control, lab);
	kt_push(&items, control);
	KT_JSON_EACH (row, rows)
		add_row(&items, row);
	if (!kt_count(rows)) {
		struct kt_json *usual =
		        kt_jsonf("{pool: 'worker', count: %l, zones: ['a', 'b', 'c']}", kt_int_or(rows, 3));
		add_row(&items, usual);
		kt_json_free(usual);
	}
	return kt_jsonf("{apiVersion: 'v1', kind: 'List', items: %j}", items);
}

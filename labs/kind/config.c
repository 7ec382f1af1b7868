/* SPDX-License-Identifier: MIT */
/* What kind is told: machines by the lab's names. Labels and taints are set through the API later, where
 * every one is allowed. */
#include "labs/kind/kind.h"

#define MIB ((int64_t)1024 * 1024)
/* A kubelet must have something to schedule on. */
#define MILLI_LEAST  100
#define MEMORY_LEAST (256 * MIB)

/* What the kubelet keeps back, so that no more than the lab's size is left for pods; "" where the machine is
 * not larger. */
static void reserve(const struct kt_json *node, int64_t host_cpus, int64_t host_memory, struct kt_buf *out)
{
	struct kt_quantity cpu, memory;
	const char *cpu_text = kt_path_str(node, "status.allocatable.cpu"),
	           *memory_text = kt_path_str(node, "status.allocatable.memory");
	if (cpu_text && kt_quantity_parse(cpu_text, &cpu)) {
		int64_t spare = host_cpus * 1000 - KT_MAX(cpu.milli, MILLI_LEAST);
		if (spare > 0)
			kt_buf_addf(out, "cpu=%lldm", (long long)spare);
	}
	if (memory_text && kt_quantity_parse(memory_text, &memory)) {
		int64_t spare = (host_memory - KT_MAX(memory.value, MEMORY_LEAST)) / MIB;
		if (spare > 0)
			kt_buf_addf(out, "%smemory=%lldMi", out->len ? "," : "", (long long)spare);
	}
}

/* Arguments of the kubelet that a machine differs by: {name: value}. New. */
static struct kt_json *arguments(const struct kt_json *node, int64_t host_cpus, int64_t host_memory)
{
	struct kt_json *args = kt_json_object();
	const char *pods = kt_path_str(node, "status.allocatable.pods");
	struct kt_buf kept = {0};
	reserve(node, host_cpus, host_memory, &kept);
	if (kept.len)
		kt_set(&args, "system-reserved", kt_json_str(kt_buf_str(&kept)));
	if (pods && !kt_streq(pods, "110"))
		kt_set(&args, "max-pods", kt_json_str(pods));
	kt_buf_clear(&kept);
	return args;
}

/* v1beta3 has arguments as a map, v1beta4 as a list. */
static struct kt_json *as_list(const struct kt_json *args)
{
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < kt_count(args); i++)
		kt_push(&list, kt_jsonf("{name: %s, value: %J}", kt_key(args, i), kt_at(args, i)));
	return list;
}

/* Of the two patches kind takes the one that fits the configuration it writes. */
static struct kt_json *patches(const struct kt_json *node, const char *kind, int64_t host_cpus,
                               int64_t host_memory)
{
	static const char *const versions[] = {"kubeadm.k8s.io/v1beta3", "kubeadm.k8s.io/v1beta4"};
	struct kt_json *args = arguments(node, host_cpus, host_memory), *list = kt_json_array();
	struct kt_buf text = {0};
	for (size_t v = 0; v < KT_COUNT(versions); v++) {
		struct kt_json *patch = kt_jsonf(
		        "{kind: %s, apiVersion: %s, nodeRegistration: {name: %J, kubeletExtraArgs: %j}}",
		        kind, versions[v], kt_path(node, "metadata.name"),
		        !kt_count(args) ? NULL
		        : v             ? as_list(args)
		                        : kt_json_ref(args));
		kt_buf_cut(&text, 0);
		kt_yaml_print(patch, true, &text);
		kt_push(&list, kt_json_str(kt_buf_str(&text)));
		kt_json_free(patch);
	}
	kt_json_free(args);
	kt_buf_clear(&text);
	return list;
}

static bool is_control_plane(const struct kt_json *node)
{
	return kt_get(kt_path(node, "metadata.labels"), "node-role.kubernetes.io/control-plane") != NULL;
}

void kind_config(const struct kt_json *nodes, int64_t host_cpus, int64_t host_memory, struct kt_buf *out)
{
	struct kt_json *rows = kt_json_array();
	const struct kt_json *node;
	bool control = false;
	KT_JSON_EACH (node, kt_get(nodes, "items")) {
		/* one control plane: a second needs a load balancer's image */
		bool first = !control && is_control_plane(node);
		control = control || first;
		kt_push(&rows,
		        kt_jsonf("{role: %s, kubeadmConfigPatches: %j}", first ? "control-plane" : "worker",
		                 patches(node, first ? "InitConfiguration" : "JoinConfiguration", host_cpus,
		                         host_memory)));
	}
	struct kt_json *config =
	        kt_jsonf("{kind: 'Cluster', apiVersion: 'kind.x-k8s.io/v1alpha4', nodes: %j}", rows);
	kt_yaml_print(config, true, out);
	kt_json_free(config);
}

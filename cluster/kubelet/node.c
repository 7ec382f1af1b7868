/* SPDX-License-Identifier: MIT */
/* Nodes: their machines, what their kubelets tell of them, leases, power. */
#include <string.h>

#include "cluster/api/times.h"
#include "cluster/kubelet/kubelet_internal.h"

static const char *const version = "v1.34.4";

struct kubelet_node *kubelet_node_find(struct kubelet *kubelet, const char *name)
{
	struct kubelet_node *node;

	HASH_FIND_STR(kubelet->node_table, name, node);
	return node;
}

kt_ns kubelet_pleg(const struct kubelet_node *node, kt_ns now)
{
	kt_ns since = (now - node->pleg_phase) % KUBELET_PLEG;

	return now + KUBELET_PLEG - since;
}

static char *power_key(const char *name)
{
	return kt_strf("kubelet/off/%s", name);
}

/* --- machines and the objects that tell of them --- */

/* A Node that somebody made by hand, without a machine. */
static char *bare_key(const char *name)
{
	return kt_strf("kubelet/bare/%s", name);
}

/* A machine that runs although somebody deleted its Node. */
static char *unlisted_key(const char *name)
{
	return kt_strf("kubelet/unlisted/%s", name);
}

static bool is_bare(struct kubelet *kubelet, const char *name)
{
	char *key = bare_key(name);
	bool bare = cluster_kept(kubelet->cluster, key) != NULL;

	kt_free(key);
	return bare;
}

/* A kubelet registers its node itself. What somebody else makes is an object and no more, unless it bears the
 * name of a machine that is there. */
void kubelet_node_note(struct kubelet *kubelet, const struct store_event *event)
{
	/* what a rewind brings back was kept with it */
	if (event->change == STORE_MODIFIED || kt_streq(event->actor, "rewind"))
		return;
	char *bare = bare_key(event->object->name), *unlisted = unlisted_key(event->object->name);
	bool gone = event->change == STORE_DELETED, was_bare = cluster_kept(kubelet->cluster, bare) != NULL;
	bool machine = gone ? !was_bare
	                    : kt_streq(event->actor, "kubelet") || cluster_kept(kubelet->cluster, unlisted);

	if (machine == gone)
		cluster_keep(kubelet->cluster, unlisted, gone ? kt_json_bool(true) : NULL);
	if (machine == was_bare || gone)
		cluster_keep(kubelet->cluster, bare, gone || machine ? NULL : kt_json_bool(true));
	kt_free(bare);
	kt_free(unlisted);
}

char *kubelet_no_answer(struct cluster *cluster, const char *name, char **out_address)
{
	struct kubelet *kubelet = kubelet_of(cluster);
	struct kubelet_node *node = kubelet_node_find(kubelet, name);
	const struct store_object *object = store_get(cluster_store(cluster), kubelet->nodes, "", name);
	const struct kt_json *list = object ? kt_path(object->json, "status.addresses") : NULL;
	ptrdiff_t at = kt_find(list, "type", "InternalIP");
	const char *address = at >= 0 ? kt_get_str(kt_at(list, (size_t)at), "address") : NULL;

	*out_address = NULL;
	if (node && node->up)
		return NULL;
	if (node && node->address)
		address = node->address;
	if (!address)
		return object ? kt_strdup("no preferred addresses found; known addresses: []") : NULL;
	*out_address = kt_strdup(address);
	return kt_strf("dial tcp %s:10250: connect: no route to host", address);
}

/* --- status --- */

static struct kt_json *time_json(kt_ns at)
{
	struct kt_buf text = {0};
	struct kt_json *json;

	kt_time_print(at, &text);
	json = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return json;
}

struct told {
	const char *type, *reason, *message;
	bool is;
};

static struct kt_json *conditions(const struct kubelet_node *node, const struct kt_json *old, kt_ns now)
{
	const struct told told[] = {
	        {"Ready", "KubeletReady", "kubelet is posting ready status", true},
	        {"MemoryPressure",
	         node->memory_pressure ? "KubeletHasInsufficientMemory" : "KubeletHasSufficientMemory",
	         node->memory_pressure ? "kubelet has insufficient memory available"
	                               : "kubelet has sufficient memory available",
	         node->memory_pressure},
	        {"DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure", false},
	        {"PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available", false},
	        {"NetworkUnavailable", "RouteCreated", "RouteController created a route", false},
	};
	struct kt_json *list = kt_json_array();
	const struct kt_json *one;

	for (size_t i = 0; i < KT_COUNT(told); i++) {
		ptrdiff_t at = kt_find(old, "type", told[i].type);
		const struct kt_json *before = at >= 0 ? kt_at(old, (size_t)at) : NULL;
		const char *status = told[i].is ? "True" : "False";
		const struct kt_json *since = kt_get(before, "lastTransitionTime");
		struct kt_json *row = NULL;

		kt_set(&row, "type", kt_json_str(told[i].type));
		kt_set(&row, "status", kt_json_str(status));
		kt_set(&row, "lastHeartbeatTime", time_json(now));
		kt_set(&row, "lastTransitionTime",
		       since && kt_streq(kt_get_str(before, "status"), status) ? kt_json_ref(since)
		                                                               : time_json(now));
		kt_set(&row, "reason", kt_json_str(told[i].reason));
		kt_set(&row, "message", kt_json_str(told[i].message));
		kt_push(&list, row);
	}
	KT_JSON_EACH (one, old) {
		if (kt_find(list, "type", kt_str_or(kt_get(one, "type"), "")) < 0)
			kt_push(&list, kt_json_ref(one));
	}
	return list;
}

/* What is not told yet gets a usual machine's values; what is there stays. */
static void fill(struct kt_json **status, const char *key, struct kt_json *steal)
{
	const struct kt_json *there = kt_get(*status, key);

	if (there && !(kt_is_string(there) && !*kt_str(there)))
		kt_json_free(steal);
	else
		kt_set(status, key, steal);
}

static struct kt_json *node_info(const struct kubelet_node *node, const struct kt_json *old)
{
	struct kt_json *info = old ? kt_json_ref(old) : kt_json_object();
	bool known = kt_count(old) > 0;

	fill(&info, "architecture", kt_json_str("amd64"));
	fill(&info, "containerRuntimeVersion", kt_json_str("containerd://2.1.3"));
	fill(&info, "kernelVersion", kt_json_str("6.12.43"));
	fill(&info, "kubeletVersion", kt_json_str(version));
	fill(&info, "operatingSystem", kt_json_str("linux"));
	fill(&info, "osImage", kt_json_str("Debian GNU/Linux 12 (bookworm)"));
	if (!known) {
		static const char *const ids[] = {"machineID", "systemUUID", "bootID"};

		for (size_t i = 0; i < KT_COUNT(ids); i++) {
			struct kt_buf words = {0};
			uint64_t id;

			kt_buf_addf(&words, "%s %s", ids[i], node->name);
			id = cluster_hash(node->kubelet->cluster, kt_buf_str(&words));
			kt_buf_clear(&words);
			if (i == 0)
				kt_set(&info, ids[i],
				       kt_json_strf("%016llx%016llx", (unsigned long long)id,
				                    (unsigned long long)(id * 0x9e3779b97f4a7c15ULL)));
			else
				kt_set(&info, ids[i],
				       kt_json_strf("%08x-%04x-4%03x-a%03x-%012llx", (unsigned)(id >> 32),
				                    (unsigned)(id >> 16 & 0xffff),
				                    (unsigned)(id >> 4 & 0xfff), (unsigned)(id & 0xfff),
				                    (unsigned long long)(id * 0x9e3779b97f4a7c15ULL >> 16)));
		}
		kt_set(&info, "kubeProxyVersion", kt_json_str(""));
	}
	return info;
}

static struct kt_json *addresses(const struct kubelet_node *node)
{
	return kt_jsonf("[{type: 'InternalIP', address: %s}, {type: 'Hostname', address: %s}]", node->address,
	                node->name);
}

/* Extended resources are advertised by whoever patches the capacity of a node: what can be allocated follows
 * (pkg/kubelet/nodestatus MachineInfo). */
static void follow_capacity(struct kt_json **status)
{
	const struct kt_json *capacity = kt_get(*status, "capacity");
	struct kt_json **allocatable = kt_edit(status, "allocatable");

	for (size_t i = 0; i < kt_count(capacity); i++)
		if (strchr(kt_key(capacity, i), '/') &&
		    !kt_equal(kt_get(*allocatable, kt_key(capacity, i)), kt_at(capacity, i)))
			kt_set(allocatable, kt_key(capacity, i), kt_json_ref(kt_at(capacity, i)));
	for (size_t i = kt_count(*allocatable); i-- > 0;)
		if (strchr(kt_key(*allocatable, i), '/') && !kt_get(capacity, kt_key(*allocatable, i)))
			kt_remove(allocatable, i);
}

void kubelet_node_report(struct kubelet_node *node)
{
	struct kubelet *kubelet = node->kubelet;
	struct cluster *cluster = kubelet->cluster;
	kt_ns now = cluster_now(cluster);
	const struct store_object *object = store_get(cluster_store(cluster), kubelet->nodes, "", node->name);
	struct api_actor actor = {.user = node->user, .manager = "kubelet", .component = "kubelet"};
	static const char size[] = "{cpu: '4', 'ephemeral-storage': '100Gi', 'hugepages-1Gi': '0', "
	                           "'hugepages-2Mi': '0', memory: '8Gi', pods: '110'}";
	struct kt_json *json, *status;
	const struct kt_json *old;

	node->status_at = now + KUBELET_NODE_STATUS;
	if (!object || !node->up)
		return;
	old = kt_get(object->json, "status");
	status = old ? kt_json_ref(old) : kt_json_object();
	fill(&status, "capacity", kt_jsonf(size));
	fill(&status, "allocatable", kt_json_ref(kt_get(status, "capacity")));
	follow_capacity(&status);
	kt_set(&status, "conditions", conditions(node, kt_get(old, "conditions"), now));
	if (!kt_count(kt_get(status, "addresses")))
		kt_set(&status, "addresses", addresses(node));
	fill(&status, "daemonEndpoints", kt_jsonf("{kubeletEndpoint: {Port: 10250}}"));
	kt_set(&status, "nodeInfo", node_info(node, kt_get(old, "nodeInfo")));
	if (node->images_changed || !kt_get(status, "images"))
		kt_set(&status, "images", kubelet_image_list(node));
	node->images_changed = false;
	json = kt_json_ref(object->json);
	kt_set(&json, "status", status);
	node->registered = true;
	api_update_status(cluster, &actor, kubelet->nodes, json, NULL);
}

/* --- leases --- */

/* Renewed straight in the store: nobody else writes a node's lease, and there may be thousands. */
static void renew(struct kubelet_node *node, kt_ns now)
{
	struct kubelet *kubelet = node->kubelet;
	struct store *store = cluster_store(kubelet->cluster);
	static const char ns[] = "kube-node-lease";
	const struct store_object *lease = store_get(store, kubelet->leases, ns, node->name), *object;
	struct store_cause cause = {.actor = node->user};
	struct api_actor actor = {.user = node->user, .manager = "kubelet", .component = "kubelet"};
	struct kt_json *json;

	if (lease) {
		json = kt_json_ref(lease->json);
		kt_set(kt_edit(&json, "spec"), "renewTime", api_micro_time(now));
		store_put(store, kubelet->leases, json, now, &cause);
		return;
	}
	object = store_get(store, kubelet->nodes, "", node->name);
	if (!object || !store_get(store, kubelet->namespaces, "", ns))
		return;
	json = kt_jsonf(
	        "{apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: {name: %s, namespace: %s, "
	        "ownerReferences: [{apiVersion: 'v1', kind: 'Node', name: %s, uid: %s}]}, spec: "
	        "{holderIdentity: %s, leaseDurationSeconds: 40, renewTime: %j}}",
	        node->name, ns, node->name, object->uid, node->name, api_micro_time(now));
	api_create(kubelet->cluster, &actor, kubelet->leases, json, NULL);
}

static void lease_tick(struct cluster *cluster, void *arg)
{
	struct kubelet *kubelet = arg;
	kt_ns now = cluster_now(cluster);

	kubelet->lease_timer = cluster_after(cluster, KUBELET_LEASE, lease_tick, kubelet);
	for (struct kubelet_node *node = kubelet->node_table; node; node = node->hh.next) {
		if (!node->up || !node->listed || now < node->up_at)
			continue;
		renew(node, now);
		kubelet_pressure_check(node, now);
		if (now >= node->status_at || node->images_changed)
			kubelet_node_report(node);
	}
	kubelet_disks_keep(kubelet);
	kubelet_zombies_sweep(kubelet, false);
}

void kubelet_leases_start(struct kubelet *kubelet)
{
	kubelet->lease_timer = cluster_after(kubelet->cluster, 0, lease_tick, kubelet);
	kubelet->running = true;
}

/* --- coming and going --- */

static void booted(struct cluster *cluster, void *arg)
{
	struct kubelet_node *node = arg;
	struct kubelet *kubelet = node->kubelet;
	struct store_list pods;

	node->timer = 0;
	if (!node->up || !node->listed)
		return;
	renew(node, cluster_now(cluster));
	kubelet_node_report(node);
	for (struct kubelet_pod *pod = node->pods, *next; pod; pod = next) {
		next = pod->next;
		if (pod->held)
			kubelet_pod_power_back(pod);
	}
	store_pods_on_node(cluster_store(cluster), node->name, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		struct kubelet_pod *known;

		HASH_FIND_STR(kubelet->pod_table, pods.items[i]->uid, known);
		if (!known)
			kubelet_pod_restore(kubelet_pod_new(node, pods.items[i]));
	}
	store_list_clear(&pods);
}

static void boot_at(struct kubelet_node *node, kt_ns delay)
{
	struct cluster *cluster = node->kubelet->cluster;

	cluster_cancel(cluster, node->timer);
	node->up_at = cluster_now(cluster) + delay;
	node->timer = cluster_after(cluster, delay, booted, node);
}

static void read_images(struct kubelet_node *node, const struct store_object *object)
{
	const struct kt_json *one, *name;

	kubelet_image_preload(node);
	KT_JSON_EACH (one, kt_path(object->json, "status.images")) {
		KT_JSON_EACH (name, kt_get(one, "names")) {
			const char *text = kt_str_or(name, "");

			if (!strchr(text, '@'))
				kubelet_image_present(node, text);
		}
	}
	node->images_changed = kt_path(object->json, "status.images") == NULL;
}

static void read_address(struct kubelet_node *node, const struct store_object *object)
{
	const struct kt_json *list = kt_path(object->json, "status.addresses");
	ptrdiff_t at = kt_find(list, "type", "InternalIP");
	const char *told = at >= 0 ? kt_get_str(kt_at(list, (size_t)at), "address") : NULL;
	unsigned number;

	if (told && kt_streq(told, node->address))
		return;
	if (!told && node->address)
		return;
	kt_free(node->address);
	kt_json_freep(&node->host_ips);
	number = HASH_COUNT(node->kubelet->node_table) - 1;
	node->address = told ? kt_strdup(told) : kt_strf("172.18.%u.%u", number / 250, number % 250 + 2);
}

void kubelet_node_seen(struct kubelet *kubelet, const struct store_object *object)
{
	struct kubelet_node *node = kubelet_node_find(kubelet, object->name);
	bool ready = view_node(object)->ready;

	if (is_bare(kubelet, object->name))
		return;
	if (!node) {
		char *key = power_key(object->name);

		node = kt_alloc(sizeof(*node));
		node->kubelet = kubelet;
		node->name = kt_strdup(object->name);
		node->user = kt_strf("system:node:%s", object->name);
		node->up = !cluster_kept(kubelet->cluster, key);
		node->pleg_phase =
		        (kt_ns)(cluster_hash(kubelet->cluster, node->name) % (uint64_t)KUBELET_PLEG);
		kt_free(key);
		HASH_ADD_KEYPTR(hh, kubelet->node_table, node->name, strlen(node->name), node);
		read_images(node, object);
		read_address(node, object);
		node->listed = true;
		node->registered = ready;
		node->status_at = cluster_now(kubelet->cluster) + KUBELET_NODE_STATUS;
		if (node->up)
			boot_at(node, kubelet->running ? KUBELET_BOOT : 0);
		return;
	}
	read_address(node, object);
	if (!node->listed) {
		node->listed = true;
		if (node->up)
			boot_at(node, KUBELET_BOOT);
	}
}

/* The Node object is gone: so is the machine, as far as the cluster can tell; pods end by the pod GC. */
void kubelet_node_lost(struct kubelet *kubelet, const struct store_object *object)
{
	struct kubelet_node *node = kubelet_node_find(kubelet, object->name);
	char *key = power_key(object->name);

	if (cluster_kept(kubelet->cluster, key))
		cluster_keep(kubelet->cluster, key, NULL);
	kt_free(key);
	if (!node)
		return;
	node->listed = node->registered = false;
	cluster_cancel(kubelet->cluster, node->timer);
	node->timer = 0;
	if (!node->pods) {
		kubelet_node_free(kubelet, node);
		return;
	}
	for (struct kubelet_pod *pod = node->pods; pod; pod = pod->next)
		kubelet_pod_power_lost(pod);
	node->up = true;
}

void kubelet_node_free(struct kubelet *kubelet, struct kubelet_node *node)
{
	struct kubelet_image *image, *next;

	HASH_ITER (hh, node->images, image, next) {
		HASH_DEL(node->images, image);
		kt_free(image->name);
		kt_free(image);
	}
	cluster_cancel(kubelet->cluster, node->timer);
	HASH_DEL(kubelet->node_table, node);
	kt_free(node->name);
	kt_free(node->user);
	kt_free(node->address);
	kt_json_free(node->host_ips);
	kt_free(node);
}

bool kubelet_node_is_up(struct cluster *cluster, const char *name)
{
	struct kubelet *kubelet = kubelet_of(cluster);
	struct kubelet_node *node = kubelet ? kubelet_node_find(kubelet, name) : NULL;

	return node && node->up && node->listed;
}

void kubelet_node_set(struct cluster *cluster, const char *name, bool up)
{
	struct kubelet *kubelet = kubelet_of(cluster);
	struct kubelet_node *node = kubelet_node_find(kubelet, name);
	char *key;

	if (!node || node->up == up)
		return;
	key = power_key(name);
	cluster_keep(cluster, key, up ? NULL : kt_json_bool(true));
	kt_free(key);
	node->up = up;
	network_changed(cluster);
	if (up) {
		boot_at(node, KUBELET_BOOT);
		return;
	}
	cluster_cancel(cluster, node->timer);
	node->timer = 0;
	for (struct kubelet_pod *pod = node->pods; pod; pod = pod->next)
		kubelet_pod_power_lost(pod);
}

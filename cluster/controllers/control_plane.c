/* SPDX-License-Identifier: MIT */
/* What the parts of the control plane keep up of themselves: the leases that say that they live (apiserver
 * pkg/server/config.go, client-go tools/leaderelection), and that the range of Service addresses is ready
 * (kubernetes pkg/controller/servicecidrs). */
#include "cluster/api/times.h"
#include "cluster/controllers/control_plane.h"
#include "cluster/controllers/controllers_internal.h"
#include <string.h>

/* --- leases --- */
#define RENEWAL (10 * KT_SEC)
#define SYSTEM  "kube-system"

/* `seconds`: how long each holds. */
static const struct part {
	const char *name; /* NULL: of the API server, by the machine's name */
	int seconds;
} parts[] = {{NULL, 3600}, {"kube-controller-manager", 15}, {"kube-scheduler", 15}};

/* The machine that the control plane runs on. */
static const char *machine(struct cluster *cluster, const struct controller_queue *queue)
{
	const struct store_object *node;
	const char *first = NULL;
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		if (controller_label(node->json, "node-role.kubernetes.io/control-plane"))
			return node->name;
		first = first ? first : node->name;
	}
	return first ? first : "control-plane";
}

/* RFC 4648 base32 of the first 16 bytes of the hash, in lower case, without padding. */
static char *server_id(const char *host)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char hash[32];
	struct kt_buf text = {0};
	kt_sha256(host, strlen(host), hash);
	kt_buf_adds(&text, "apiserver-");
	for (unsigned bit = 0; bit < 128; bit += 5) {
		unsigned pair = (unsigned)hash[bit / 8] << 8 | (bit / 8 < 15 ? hash[bit / 8 + 1] : 0);
		kt_buf_addc(&text, letters[pair >> (11 - bit % 8) & 31]);
	}
	return kt_buf_take(&text);
}

static bool add_lease(struct cluster *cluster, const struct controller_queue *queue, const struct part *part,
                      const char *host)
{
	struct api_actor actor = {.user = part->name ? part->name : "system:apiserver",
	                          .manager = part->name ? part->name : "kube-apiserver",
	                          .component = part->name ? part->name : "kube-apiserver"};
	char *name = part->name ? kt_strdup(part->name) : server_id(host), id[37];
	struct kt_json *now = api_micro_time(cluster_now(cluster));
	kt_random_uuid(cluster_random(cluster), id);
	struct kt_json *lease =
	        kt_jsonf("{metadata: {name: %s, namespace: '" SYSTEM "'}, spec: {holderIdentity: %j, "
	                 "leaseDurationSeconds: %d, renewTime: %J}}",
	                 name, kt_json_strf("%s_%s", part->name ? host : name, id), part->seconds, now);
	if (part->name) {
		kt_set(kt_edit(&lease, "spec"), "acquireTime", kt_json_ref(now));
		kt_set(kt_edit(&lease, "spec"), "leaseTransitions", kt_json_int(0));
	} else {
		kt_set(kt_edit(&lease, "metadata"), "labels",
		       kt_jsonf("{'apiserver.kubernetes.io/identity': 'kube-apiserver', "
		                "'kubernetes.io/hostname': %s}",
		                host));
	}
	kt_json_free(now);
	kt_free(name);
	return api_create(cluster, &actor, queue->kinds->lease, lease, NULL) != NULL;
}

/* Renewed straight in the store, as those of the nodes are. */
static bool reconcile_lease(struct cluster *cluster, struct controller_queue *queue, const char *key,
                            const struct store_object *because)
{
	const char *host = machine(cluster, queue);
	(void)because;
	for (size_t i = 0; i < KT_COUNT(parts); i++) {
		char *name = parts[i].name ? kt_strdup(parts[i].name) : server_id(host);
		const struct store_object *lease =
		        store_get(cluster_store(cluster), queue->kinds->lease, SYSTEM, name);
		kt_free(name);
		if (!lease) {
			(void)add_lease(cluster, queue, &parts[i], host);
			continue;
		}
		struct store_cause cause = {.actor = parts[i].name ? parts[i].name : "kube-apiserver"};
		struct kt_json *json = kt_json_ref(lease->json);
		kt_set(kt_edit(&json, "spec"), "renewTime", api_micro_time(cluster_now(cluster)));
		store_put(cluster_store(cluster), queue->kinds->lease, json, cluster_now(cluster), &cause);
	}
	controller_add_after(cluster, queue, "", key, RENEWAL);
	return true;
}

static void start_lease(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add(cluster, queue, "", "leases", NULL);
}

/* --- the ranges of Service addresses --- */
#define GUARD "networking.k8s.io/service-cidr-finalizer"

static bool reconcile_range(struct cluster *cluster, struct controller_queue *queue, const char *key,
                            const struct store_object *because)
{
	const struct store_object *range = controller_get(cluster, queue->kinds->service_cidr, key);
	if (!range)
		return true;
	struct api_actor actor = controller_actor(queue, because ? because : range);
	const struct kt_json *finalizers = kt_path(range->json, "metadata.finalizers"), *item;
	struct kt_json *json = kt_json_ref(range->json), *left = NULL, *status;
	bool guarded = false, going = view_is_deleting(range->json);
	KT_JSON_EACH (item, finalizers) {
		bool is = kt_streq(kt_str(item), GUARD);
		guarded = guarded || is;
		if (!is || !going)
			kt_push(&left, kt_json_ref(item));
	}
	if (guarded == going) {
		if (!going)
			kt_push(&left, kt_json_str(GUARD));
		kt_set_path(&json, "metadata.finalizers", left);
		return controller_write(cluster, &actor, range, json) != NULL;
	}
	kt_json_free(left);
	kt_json_free(json);
	if (going)
		return true;
	status = kt_json_ref(kt_get(range->json, "status"));
	if (!controller_set_condition(kt_edit(&status, "conditions"), "Ready", "True", "",
	                              "Kubernetes Service CIDR is ready", cluster_now(cluster), false)) {
		kt_json_free(status);
		return true;
	}
	return controller_write_status(cluster, &actor, range, status) != NULL;
}

static void observe_range(struct cluster *cluster, struct controller_queue *queue,
                          const struct store_event *event)
{
	if (event->object->kind == queue->kinds->service_cidr && event->change != STORE_DELETED)
		controller_add(cluster, queue, "", event->object->name, event->object);
}

static void start_range(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->service_cidr);
}

const struct controller controller_lease = {
        .name = "lease",
        .component = "kube-apiserver",
        .reconcile = reconcile_lease,
        .start = start_lease,
        .latency = 5 * KT_MS,
};
const struct controller controller_service_cidr = {
        .name = "service-cidr",
        .component = "service-cidr-controller",
        .reconcile = reconcile_range,
        .observe = observe_range,
        .start = start_range,
        .latency = 20 * KT_MS,
};

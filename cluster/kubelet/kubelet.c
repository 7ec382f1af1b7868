/* SPDX-License-Identifier: MIT */
/* The part: what the kubelets hear of the store, and what others ask them. */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

struct kubelet *kubelet_of(struct cluster *cluster)
{
	return cluster_part_state(cluster, &kubelet_part);
}

struct api_actor kubelet_actor(const struct kubelet_pod *pod)
{
	return (struct api_actor){.user = pod->node->user,
	                          .manager = "kubelet",
	                          .component = "kubelet",
	                          .because = pod->object};
}

void kubelet_event(struct kubelet_pod *pod, const struct kubelet_ctr *ctr, bool warning, const char *reason,
                   const char *fmt, ...)
{
	static const char *const field[] = {[KUBELET_INIT] = "spec.initContainers{%s}",
	                                    [KUBELET_SIDECAR] = "spec.initContainers{%s}",
	                                    [KUBELET_MAIN] = "spec.containers{%s}",
	                                    [KUBELET_EPHEMERAL] = "spec.ephemeralContainers{%s}"};
	struct api_actor actor = kubelet_actor(pod);
	struct kt_buf text = {0}, path = {0};
	va_list ap;

	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (ctr) {
		const char *form = field[ctr->role], *at = strchr(form, '%');

		kt_buf_add(&path, form, (size_t)(at - form));
		kt_buf_adds(&path, ctr->pub.name);
		kt_buf_addc(&path, '}');
	}
	api_event(pod->node->kubelet->cluster, &actor, pod->object, warning ? "Warning" : "Normal", reason,
	          ctr ? kt_buf_str(&path) : NULL, pod->node->name, "%s", kt_buf_str(&text));
	kt_buf_clear(&text);
	kt_buf_clear(&path);
}

/* --- the store --- */

static struct kubelet_pod *pod_find(struct kubelet *kubelet, const char *uid)
{
	struct kubelet_pod *pod;

	HASH_FIND_STR(kubelet->pod_table, uid, pod);
	return pod;
}

static void pod_event(struct kubelet *kubelet, const struct store_event *event)
{
	const struct store_object *object = event->object;
	const char *node_name = kt_path_str(object->json, "spec.nodeName");
	struct kubelet_pod *pod;
	struct kubelet_node *node;

	if (!node_name || !*node_name)
		return;
	pod = pod_find(kubelet, object->uid);
	if (event->change == STORE_DELETED) {
		if (pod)
			kubelet_pod_gone(pod);
		return;
	}
	if (pod) {
		kubelet_pod_changed(pod, object);
		return;
	}
	node = kubelet_node_find(kubelet, node_name);
	if (!node || !node->up)
		return; /* nobody there; looked at again when the machine comes back */
	pod = kubelet_pod_new(node, object);
	kubelet_pod_wake(pod, cluster_now(kubelet->cluster) + KUBELET_SEE);
}

/* Pods whose volumes show this ConfigMap or Secret read it again within a minute, as the real kubelet's
 * periodic sync does. */
static void source_event(struct kubelet *kubelet, const struct store_event *event, bool secret)
{
	kt_ns now = cluster_now(kubelet->cluster);

	for (struct kubelet_pod *pod = kubelet->pod_table; pod; pod = pod->hh.next) {
		if (strcmp(pod->ns, event->object->ns) != 0 || pod->stage != KUBELET_GOING ||
		    !kubelet_volumes_uses(pod, secret, event->object->name))
			continue;
		if (!pod->refresh_at) {
			uint64_t spread = cluster_hash(kubelet->cluster, pod->uid) % 30;

			pod->refresh_at = now + KUBELET_REFRESH / 2 + (kt_ns)spread * KT_SEC;
		}
		kubelet_pod_wake(pod, pod->refresh_at);
	}
}

static void observe(struct cluster *cluster, void *state, const struct store_event *event)
{
	struct kubelet *kubelet = state;
	const struct schema_kind *kind = event->object->kind;

	(void)cluster;
	if (kind == kubelet->pods) {
		pod_event(kubelet, event);
	} else if (kind == kubelet->nodes) {
		kubelet_node_note(kubelet, event);
		if (event->change == STORE_DELETED)
			kubelet_node_lost(kubelet, event->object);
		else
			kubelet_node_seen(kubelet, event->object);
	} else if (kind == kubelet->config_maps || kind == kubelet->secrets) {
		if (event->change != STORE_ADDED)
			source_event(kubelet, event, kind == kubelet->secrets);
	} else if (kind == kubelet->services) {
		kubelet->env_generation++;
	} else if (kind == kubelet->disks && event->change == STORE_DELETED) {
		struct kt_buf key = {0};

		kt_buf_addf(&key, "kubelet/pv/%s", event->object->name);
		kubelet_disk_drop(kubelet, kt_buf_str(&key));
		kt_buf_clear(&key);
	}
}

static void *start(struct cluster *cluster)
{
	struct kubelet *kubelet = kt_alloc(sizeof(*kubelet));
	struct schema *schema = cluster_schema(cluster);
	struct store *store = cluster_store(cluster);
	const struct store_object *object;
	struct store_list pods;

	kubelet->cluster = cluster;
	kubelet->pods = schema_stored(schema, "", "Pod");
	kubelet->nodes = schema_stored(schema, "", "Node");
	kubelet->leases = schema_stored(schema, "coordination.k8s.io", "Lease");
	kubelet->config_maps = schema_stored(schema, "", "ConfigMap");
	kubelet->secrets = schema_stored(schema, "", "Secret");
	kubelet->services = schema_stored(schema, "", "Service");
	kubelet->claims = schema_stored(schema, "", "PersistentVolumeClaim");
	kubelet->disks = schema_stored(schema, "", "PersistentVolume");
	kubelet->namespaces = schema_stored(schema, "", "Namespace");
	STORE_EACH (object, store, kubelet->nodes, NULL)
		kubelet_node_seen(kubelet, object);
	store_list(store, kubelet->pods, NULL, &pods);
	for (size_t i = 0; i < pods.count; i++) {
		const char *node_name = kt_path_str(pods.items[i]->json, "spec.nodeName");
		struct kubelet_node *node = node_name ? kubelet_node_find(kubelet, node_name) : NULL;

		if (!node)
			continue;
		struct kubelet_pod *pod = kubelet_pod_new(node, pods.items[i]);
		kubelet_pod_restore(pod);
		if (!node->up) /* what ran there starts anew when the machine comes back */
			kubelet_pod_power_lost(pod);
	}
	store_list_clear(&pods);
	kubelet_leases_start(kubelet);
	return kubelet;
}

void *kubelet_shared(struct cluster *cluster, const char *key)
{
	const struct kubelet *kubelet = kubelet_of(cluster);

	for (size_t i = 0; kubelet && i < kubelet->shared_count; i++)
		if (strcmp(kubelet->shared[i].key, key) == 0)
			return kubelet->shared[i].value;
	return NULL;
}

void kubelet_share(struct cluster *cluster, const char *key, void *value, void (*done)(void *value))
{
	struct kubelet *kubelet = kubelet_of(cluster);

	if (!kubelet) {
		done(value);
		return;
	}
	kubelet->shared = kt_grow(kubelet->shared, &kubelet->shared_cap, kubelet->shared_count + 1,
	                          sizeof(*kubelet->shared));
	kubelet->shared[kubelet->shared_count++] = (struct kubelet_shared){kt_strdup(key), value, done};
}

static void forget_shared(struct kubelet *kubelet)
{
	for (size_t i = 0; i < kubelet->shared_count; i++) {
		kubelet->shared[i].done(kubelet->shared[i].value);
		kt_free(kubelet->shared[i].key);
	}
	kt_free(kubelet->shared);
}

static void stop(struct cluster *cluster, void *state)
{
	struct kubelet *kubelet = state;
	struct kubelet_pod *pod, *next_pod;
	struct kubelet_node *node, *next_node;

	HASH_ITER (hh, kubelet->pod_table, pod, next_pod)
		kubelet_pod_free(kubelet, pod);
	HASH_ITER (hh, kubelet->node_table, node, next_node)
		kubelet_node_free(kubelet, node);
	cluster_cancel(cluster, kubelet->lease_timer);
	kubelet_zombies_sweep(kubelet, true);
	kubelet_disks_free(kubelet);
	kubelet_env_free(kubelet);
	forget_shared(kubelet);
	kt_json_free(kubelet->image_ids[0]);
	kt_json_free(kubelet->image_ids[1]);
	kt_json_free(kubelet->words);
	kt_json_free(kubelet->second);
	kt_json_free(kubelet->root_user);
	kt_json_free(kubelet->full_images);
	for (size_t i = 0; i < KT_COUNT(kubelet->lists); i++)
		kt_json_free(kubelet->lists[i]);
	for (size_t i = 0; i < KT_COUNT(kubelet->told); i++) {
		kt_json_free(kubelet->told[i].since);
		kt_json_free(kubelet->told[i].row);
	}
	kt_free(kubelet);
}

static void keep(struct cluster *cluster, void *state)
{
	(void)cluster;
	kubelet_disks_keep(state);
	kubelet_memories_keep(state);
}

const struct cluster_part kubelet_part = {
        .name = "kubelet", .start = start, .stop = stop, .observe = observe, .keep = keep};

/* --- what others ask --- */

static const struct kt_json *spec_container(const struct kt_json *spec, const char *name)
{
	static const char *const lists[] = {"containers", "initContainers", "ephemeralContainers"};

	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *list = kt_get(spec, lists[i]);
		ptrdiff_t at = kt_find(list, "name", name);

		if (at >= 0)
			return kt_at(list, (size_t)at);
	}
	return NULL;
}

/* The name of the container that is meant, in the real server's words if that is not clear. */
static const char *choose(const struct store_object *pod, const char *container, char **why)
{
	const struct kt_json *spec = kt_get(pod->json, "spec"), *list = kt_get(spec, "containers"), *one;
	struct kt_buf names = {0};

	if (container && *container) {
		if (spec_container(spec, container))
			return container;
		*why = kt_strf("container %s is not valid for pod %s", container, pod->name);
		return NULL;
	}
	if (kt_count(list) == 1)
		return kt_get_str(kt_at(list, 0), "name");
	KT_JSON_EACH (one, list) {
		if (names.len)
			kt_buf_addc(&names, ' ');
		kt_buf_adds(&names, kt_str_or(kt_get(one, "name"), ""));
	}
	*why = kt_strf("a container name must be specified for pod %s, choose one of: [%s]", pod->name,
	               kt_buf_str(&names));
	kt_buf_clear(&names);
	return NULL;
}

struct container *kubelet_container(struct cluster *cluster, const char *ns, const char *name,
                                    const char *container, char **why)
{
	struct kubelet *kubelet = kubelet_of(cluster);
	const struct store_object *object = store_get(cluster_store(cluster), kubelet->pods, ns, name);
	const char *node_name, *chosen;
	struct kubelet_pod *pod;
	struct kubelet_ctr *ctr;
	char *unused = NULL;

	why = why ? why : &unused;
	*why = NULL;
	if (!object) {
		*why = kt_strf("pods \"%s\" not found", name);
		goto out;
	}
	chosen = choose(object, container, why);
	if (!chosen)
		goto out;
	node_name = kt_path_str(object->json, "spec.nodeName");
	if (!node_name || !*node_name) {
		*why = kt_strf("pod %s does not have a host assigned", name);
		goto out;
	}
	pod = pod_find(kubelet, object->uid);
	if (!pod || !pod->node->up) {
		char *address = NULL, *silence = kubelet_no_answer(cluster, node_name, &address);

		*why = silence ? kt_strf("%s%s", address ? "error dialing backend: " : "", silence)
		               : kt_strdup("unable to upgrade connection: pod does not exist");
		kt_free(address);
		kt_free(silence);
		goto out;
	}
	ctr = kubelet_ctr_find(pod, chosen);
	if (ctr && ctr->state == KUBELET_RUNNING && ctr->process) {
		kt_free(unused);
		kubelet_tokens_project(pod);
		return &ctr->pub;
	}
	*why = kt_strf("unable to upgrade connection: container not found (\"%s\")", chosen);
out:
	kt_free(unused);
	return NULL;
}

void kubelet_each(struct cluster *cluster, bool (*fn)(void *arg, struct container *container), void *arg)
{
	struct kubelet *kubelet = kubelet_of(cluster);

	for (struct kubelet_pod *pod = kubelet->pod_table; pod; pod = pod->hh.next)
		for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
			if (ctr->process && !fn(arg, &ctr->pub))
				return;
}

bool kubelet_kill(struct cluster *cluster, const char *ns, const char *pod, const char *container, bool oom)
{
	struct container *found = kubelet_container(cluster, ns, pod, container, NULL);
	struct kubelet_ctr *ctr;

	if (!found)
		return false;
	ctr = found->kubelet;
	ctr->oom = oom;
	process_signal(found->main, 9);
	return true;
}

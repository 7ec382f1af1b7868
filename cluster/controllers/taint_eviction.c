/* SPDX-License-Identifier: MIT */
/* Eviction by NoExecute taints (kubernetes pkg/controller/tainteviction): pods that do not tolerate go at
 * once, those that tolerate for a time go when it is over. Keys: pods, and nodes (without a namespace). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>
#include "cluster/controllers/hash.h"

/* When a pod is due. Times of taints have only seconds, so the instant is kept here. */
struct due {
	UT_hash_handle hh;
	kt_ns at;
	char key[];
};

/* --- tolerations --- */
bool controller_tolerates(const struct kt_json *tolerations, const struct kt_json *taint)
{
	const struct kt_json *toleration;
	const char *taint_key = kt_str_or(kt_get(taint, "key"), "");
	KT_JSON_EACH (toleration, tolerations) {
		const char *key = kt_str_or(kt_get(toleration, "key"), "");
		const char *effect = kt_str_or(kt_get(toleration, "effect"), "");
		const char *op = kt_str_or(kt_get(toleration, "operator"), "Equal");
		if (*effect && !kt_streq(effect, kt_get_str(taint, "effect")))
			continue;
		if (*key && !kt_streq(key, taint_key))
			continue;
		if (kt_streq(op, "Exists"))
			return true;
		if (*key && kt_streq(kt_str_or(kt_get(toleration, "value"), ""),
		                     kt_str_or(kt_get(taint, "value"), "")))
			return true;
	}
	return false;
}

/* The first toleration that fits counts. */
static const struct kt_json *first_toleration(const struct kt_json *tolerations, const struct kt_json *taint)
{
	const struct kt_json *toleration;
	KT_JSON_EACH (toleration, tolerations) {
		struct kt_json *one = kt_json_array();
		kt_push(&one, kt_json_ref(toleration));
		bool fits = controller_tolerates(one, taint);
		kt_json_free(one);
		if (fits)
			return toleration;
	}
	return NULL;
}

int64_t controller_taint_seconds(const struct kt_json *tolerations, const struct kt_json *taints)
{
	const struct kt_json *taint;
	int64_t least = -1;
	KT_JSON_EACH (taint, taints) {
		if (!kt_streq(kt_get_str(taint, "effect"), "NoExecute"))
			continue;
		const struct kt_json *toleration = first_toleration(tolerations, taint);
		if (!toleration)
			return 0;
		const struct kt_json *seconds = kt_get(toleration, "tolerationSeconds");
		if (!seconds)
			continue;
		int64_t value = kt_int_or(seconds, 0);
		if (value <= 0)
			return 0;
		least = least < 0 ? value : KT_MIN(least, value);
	}
	return least;
}

/* --- what is due --- */
static struct due *due_get(struct controller_queue *queue, const char *key, bool make)
{
	struct due *all = queue->state, *due;
	HASH_FIND_STR(all, key, due);
	if (!due && make) {
		size_t len = strlen(key);
		due = kt_alloc(sizeof(*due) + len + 1);
		memcpy(due->key, key, len + 1);
		HASH_ADD_STR(all, key, due);
		queue->state = all;
	}
	return due;
}

static bool due_drop(struct controller_queue *queue, const char *key)
{
	struct due *all = queue->state, *due = due_get(queue, key, false);
	if (!due)
		return false;
	HASH_DEL(all, due);
	queue->state = all;
	kt_free(due);
	return true;
}

static bool any_no_execute(const struct kt_json *taints)
{
	const struct kt_json *taint;
	KT_JSON_EACH (taint, taints) {
		if (kt_streq(kt_get_str(taint, "effect"), "NoExecute"))
			return true;
	}
	return false;
}

static bool evict(struct cluster *cluster, const struct api_actor *actor, const struct store_object *pod)
{
	struct kt_json *status = kt_json_ref(kt_get(pod->json, "status"));
	api_event(cluster, actor, pod, "Normal", "TaintManagerEviction", NULL, NULL,
	          "Marking for deletion Pod %s/%s", pod->ns, pod->name);
	api_disruption_target(&status, "DeletionByTaintManager",
	                      "Taint manager: deleting due to NoExecute taint", controller_generation(pod),
	                      cluster_now(cluster));
	const struct store_object *now = controller_write_status(cluster, actor, pod, status);
	return now && controller_delete(cluster, actor, now, NULL, NULL);
}

/* Since when the node has its newest NoExecute taint, to the second: for a start in the middle. */
static kt_ns tainted_since(const struct kt_json *taints, kt_ns now)
{
	const struct kt_json *taint;
	kt_ns newest = 0;
	KT_JSON_EACH (taint, taints) {
		if (kt_streq(kt_get_str(taint, "effect"), "NoExecute"))
			newest = KT_MAX(newest, controller_time_of(kt_get(taint, "timeAdded")));
	}
	/* a taint of this second began just now: the fraction is known */
	return newest && now - newest > 2 * KT_SEC ? newest : now;
}

static bool reconcile_pod(struct cluster *cluster, struct controller_queue *queue, const char *key,
                          const struct store_object *because)
{
	const struct store_object *pod = controller_get(cluster, queue->kinds->pod, key);
	const struct view_pod *view = pod ? view_pod(pod) : NULL;
	const struct store_object *node = NULL;
	if (view && view->node)
		node = store_get(cluster_store(cluster), queue->kinds->node, "", view->node);
	const struct kt_json *taints = node ? view_node(node)->taints : NULL;
	struct api_actor actor = controller_actor(queue, because ? because : pod);
	if (!pod || view->deleting || !any_no_execute(taints)) {
		if (due_drop(queue, key) && pod && !view->deleting)
			api_event(cluster, &actor, pod, "Normal", "TaintManagerEviction", NULL, NULL,
			          "Cancelling deletion of Pod %s/%s", pod->ns, pod->name);
		return true;
	}
	int64_t seconds = controller_taint_seconds(kt_get(view->spec, "tolerations"), taints);
	if (seconds < 0)
		return true;
	kt_ns now = cluster_now(cluster);
	struct due *due = due_get(queue, key, true);
	if (!due->at)
		due->at = KT_MAX(tainted_since(taints, now), view->created) + seconds * KT_SEC;
	if (seconds == 0)
		due->at = now;
	if (due->at > now) {
		controller_add_after(cluster, queue, pod->ns, pod->name, due->at - now);
		return true;
	}
	due_drop(queue, key);
	return evict(cluster, &actor, pod);
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	if (strchr(key, '/'))
		return reconcile_pod(cluster, queue, key, because);
	struct store_list pods = {0};
	store_pods_on_node(cluster_store(cluster), key, &pods);
	for (size_t i = 0; i < pods.count; i++)
		controller_add(cluster, queue, pods.items[i]->ns, pods.items[i]->name, because);
	store_list_clear(&pods);
	return true;
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->node) {
		bool had = event->old && any_no_execute(view_node(event->old)->taints);
		bool has = event->change != STORE_DELETED && any_no_execute(view_node(object)->taints);
		if ((had || has) &&
		    (!event->old || !kt_equal(view_node(object)->taints, view_node(event->old)->taints)))
			controller_add(cluster, queue, "", object->name, object);
		return;
	}
	if (object->kind != queue->kinds->pod)
		return;
	const struct view_pod *pod = view_pod(object);
	if (!pod->node || (event->old && kt_streq(view_pod(event->old)->node, pod->node) &&
	                   view_pod(event->old)->deleting == pod->deleting))
		return;
	const struct store_object *node =
	        store_get(cluster_store(cluster), queue->kinds->node, "", pod->node);
	if (node && any_no_execute(view_node(node)->taints))
		controller_add(cluster, queue, object->ns, object->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	const struct store_object *node;
	STORE_EACH (node, cluster_store(cluster), queue->kinds->node, NULL) {
		if (any_no_execute(view_node(node)->taints))
			controller_add(cluster, queue, "", node->name, NULL);
	}
}

static void stop(struct cluster *cluster, struct controller_queue *queue)
{
	(void)cluster;
	while (queue->state)
		due_drop(queue, ((struct due *)queue->state)->key);
}

const struct controller controller_taint_eviction = {
        .name = "tainteviction",
        .component = "taint-eviction-controller",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .stop = stop,
        .latency = 5 * KT_MS,
};

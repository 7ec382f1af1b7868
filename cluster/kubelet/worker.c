/* SPDX-License-Identifier: MIT */
/* The pod worker: from the binding to the end. Level-triggered: kubelet_pod_sync() does what is due now and
 * sets the pod's one timer to the next moment. Source of the order: kubernetes pkg/kubelet/kubelet.go
 * (SyncPod, SyncTerminatingPod, SyncTerminatedPod) and kuberuntime_manager.go (computePodActions). */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"
#include "cluster/scheduler/scheduler.h"

static struct cluster *cluster_of(const struct kubelet_pod *pod)
{
	return pod->node->kubelet->cluster;
}

/* --- life --- */

static void add_containers(struct kubelet_pod *pod)
{
	static const struct {
		const char *list;
		enum kubelet_role role;
	} lists[] = {{"initContainers", KUBELET_INIT},
	             {"containers", KUBELET_MAIN},
	             {"ephemeralContainers", KUBELET_EPHEMERAL}};
	struct kubelet_ctr **tail = &pod->ctrs;

	while (*tail)
		tail = &(*tail)->next;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *spec;

		KT_JSON_EACH (spec, kt_get(pod->spec, lists[i].list)) {
			enum kubelet_role role = lists[i].role;
			struct kubelet_ctr *known =
			        kubelet_ctr_find(pod, kt_str_or(kt_get(spec, "name"), ""));

			if (known)
				continue;
			if (role == KUBELET_INIT && kt_streq(kt_get_str(spec, "restartPolicy"), "Always"))
				role = KUBELET_SIDECAR;
			*tail = kubelet_ctr_new(pod, spec, role);
			tail = &(*tail)->next;
		}
	}
}

struct kubelet_pod *kubelet_pod_new(struct kubelet_node *node, const struct store_object *object)
{
	struct kubelet_pod *pod = kt_alloc(sizeof(*pod));
	const struct view_pod *view = view_pod(object);
	const struct kt_json *meta = kt_get(object->json, "metadata");

	pod->node = node;
	pod->object = store_ref(object);
	pod->spec = kt_json_ref(kt_get(object->json, "spec"));
	pod->storage_bounded = kubelet_storage_bounded(pod->spec);
	const char **words[] = {&pod->ns, &pod->name, &pod->uid};
	static const char *const members[] = {"namespace", "name", "uid"};
	for (size_t i = 0; i < KT_COUNT(words); i++) {
		pod->words[i] = kt_json_ref(kt_get(meta, members[i]));
		*words[i] = kt_str_or(pod->words[i], "");
	}
	pod->labels = kt_json_ref(kt_get(meta, "labels"));
	pod->deleting = kt_get(meta, "deletionTimestamp") != NULL;
	pod->cpu_milli = view->requests.cpu_milli;
	pod->memory = view->requests.memory;
	pod->wake = KUBELET_NEVER;
	pod->initialized = !kt_count(kt_get(pod->spec, "initContainers"));
	add_containers(pod);
	pod->next = node->pods;
	if (pod->next)
		pod->next->prev = pod;
	node->pods = pod;
	if (view->phase != VIEW_SUCCEEDED && view->phase != VIEW_FAILED) {
		pod->node->pod_count++;
		pod->node->cpu_milli += pod->cpu_milli;
		pod->node->memory += pod->memory;
	} else {
		pod->gone = true;
	}
	HASH_ADD_KEYPTR(hh, node->kubelet->pod_table, pod->uid, strlen(pod->uid), pod);
	return pod;
}

/* What it asked for is free again. */
static void give_back(struct kubelet_pod *pod)
{
	if (pod->gone)
		return;
	pod->gone = true;
	pod->node->pod_count--;
	pod->node->cpu_milli -= pod->cpu_milli;
	pod->node->memory -= pod->memory;
}

static void release_address(struct kubelet_pod *pod)
{
	if (pod->ip[0] && !kt_get_bool(pod->spec, "hostNetwork", false))
		network_release(cluster_of(pod), pod->ip);
}

void kubelet_pod_free(struct kubelet *kubelet, struct kubelet_pod *pod)
{
	struct kubelet_ctr *ctr, *next;

	cluster_cancel(kubelet->cluster, pod->timer);
	for (ctr = pod->ctrs; ctr; ctr = next) {
		next = ctr->next;
		kubelet_ctr_free(ctr);
	}
	if (pod->sandbox)
		release_address(pod);
	kubelet_volumes_clear(pod);
	give_back(pod);
	if (pod->prev)
		pod->prev->next = pod->next;
	else
		pod->node->pods = pod->next;
	if (pod->next)
		pod->next->prev = pod->prev;
	HASH_DEL(kubelet->pod_table, pod);
	store_unref(pod->object);
	kt_json_free(pod->labels);
	kt_json_free(pod->spec);
	for (size_t i = 0; i < KT_COUNT(pod->words); i++)
		kt_json_free(pod->words[i]);
	kt_free(pod->fail_message);
	kt_free(pod->resize_message);
	kt_free(pod->full_name);
	kt_free(pod);
}

struct kubelet_ctr *kubelet_ctr_find(struct kubelet_pod *pod, const char *name)
{
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (strcmp(ctr->pub.name, name) == 0)
			return ctr;
	return NULL;
}

static void timer(struct cluster *cluster, void *arg)
{
	struct kubelet_pod *pod = arg;

	(void)cluster;
	pod->timer = 0;
	pod->wake = KUBELET_NEVER;
	kubelet_pod_sync(pod);
}

void kubelet_pod_wake(struct kubelet_pod *pod, kt_ns when)
{
	if (when >= pod->wake || pod->held)
		return;
	if (pod->timer)
		cluster_cancel(cluster_of(pod), pod->timer);
	pod->wake = when;
	pod->timer = cluster_at(cluster_of(pod), when, timer, pod);
}

kt_ns kubelet_next_sync(const struct kubelet_pod *pod, kt_ns now)
{
	/* by its age: what is drawn is the same whenever the cluster begins */
	kt_ns words[] = {now - view_pod(pod->object)->created, (kt_ns)kt_hash32(pod->uid, strlen(pod->uid))};

	return now + 10 * KT_SEC + (kt_ns)(kt_hash32((const char *)words, sizeof(words)) % 5000) * KT_MS;
}

/* --- changes from outside --- */

/* Does a resource change that the container can only be given by a new run (its resizePolicy)? */
static bool needs_restart(const struct kt_json *old, const struct kt_json *spec)
{
	static const char *const lists[] = {"requests", "limits"};
	const struct kt_json *policy;

	KT_JSON_EACH (policy, kt_get(spec, "resizePolicy")) {
		const char *name = kt_str_or(kt_get(policy, "resourceName"), "");

		if (!kt_streq(kt_get_str(policy, "restartPolicy"), "RestartContainer"))
			continue;
		for (size_t i = 0; i < KT_COUNT(lists); i++) {
			const struct kt_json *was = kt_get(kt_get(kt_get(old, "resources"), lists[i]), name);

			if (!kt_equal(was, kt_get(kt_get(kt_get(spec, "resources"), lists[i]), name)))
				return true;
		}
	}
	return false;
}

/* A container whose spec changed gets the new one; a changed image means a new run. */
static void respec(struct kubelet_ctr *ctr, const struct kt_json *spec, kt_ns now)
{
	const struct kt_json *old = ctr->spec;
	bool image = !kt_streq(kt_get_str(spec, "image"), kt_get_str(old, "image"));
	bool restart = image || needs_restart(old, spec);

	if (spec == old)
		return;
	if (!kt_equal(kt_get(spec, "resources"), kt_get(old, "resources")))
		ctr->pod->dirty = true;
	ctr->spec = kt_json_ref(spec);
	ctr->pub.name = kt_str_or(kt_get(spec, "name"), "");
	ctr->pub.image = kt_str_or(kt_get(spec, "image"), "");
	kt_json_free((struct kt_json *)(uintptr_t)old);
	if (restart && ctr->process) {
		struct kt_buf text = {0};

		kt_buf_addf(&text,
		            image ? "Container %s definition changed, will be restarted"
		                  : "Container %s resize requires restart",
		            ctr->pub.name);
		kubelet_ctr_stop(ctr, now,
		                 kt_get_int(ctr->pod->spec, "terminationGracePeriodSeconds", 30) * KT_SEC,
		                 kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	if (restart) {
		ctr->retry_at = 0;
		ctr->pull_backoff = 0;
		ctr->backoff = 0;
	}
}

static void respecify(struct kubelet_pod *pod, const struct kt_json *spec, kt_ns now)
{
	static const char *const lists[] = {"initContainers", "containers", "ephemeralContainers"};
	struct kt_json *old = pod->spec;

	pod->spec = kt_json_ref(spec);
	pod->storage_bounded = kubelet_storage_bounded(spec);
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		const struct kt_json *one;

		KT_JSON_EACH (one, kt_get(spec, lists[i])) {
			struct kubelet_ctr *ctr = kubelet_ctr_find(pod, kt_str_or(kt_get(one, "name"), ""));

			if (ctr)
				respec(ctr, one, now);
		}
	}
	for (size_t i = 0; i < pod->mount_count; i++) {
		const struct kt_json *volumes = kt_get(spec, "volumes");
		ptrdiff_t at = kt_find(volumes, "name", pod->mounts[i].name);

		if (at >= 0) {
			pod->mounts[i].spec = kt_at(volumes, (size_t)at);
			pod->mounts[i].name = kt_get_str(pod->mounts[i].spec, "name");
		} else {
			pod->mounts[i].spec = NULL;
			pod->mounts[i].name = "";
		}
	}
	add_containers(pod);
	kt_json_free(old);
	pod->dirty = true; /* observedGeneration */
}

/* Somebody set a condition that the pod's readiness waits for. */
static bool gates_moved(const struct kubelet_pod *pod, const struct store_object *old,
                        const struct store_object *object)
{
	const struct kt_json *before = kt_path(old->json, "status.conditions"),
	                     *after = kt_path(object->json, "status.conditions"), *gate;

	KT_JSON_EACH (gate, kt_get(pod->spec, "readinessGates")) {
		const char *type = kt_str_or(kt_get(gate, "conditionType"), "");
		ptrdiff_t was = kt_find(before, "type", type), is = kt_find(after, "type", type);
		const char *one = was < 0 ? "" : kt_get_str(kt_at(before, (size_t)was), "status"),
		           *two = is < 0 ? "" : kt_get_str(kt_at(after, (size_t)is), "status");

		if (!kt_streq(one, two))
			return true;
	}
	return false;
}

void kubelet_pod_changed(struct kubelet_pod *pod, const struct store_object *object)
{
	const struct kt_json *meta = kt_get(object->json, "metadata"), *spec = kt_get(object->json, "spec");
	const struct kt_json *labels = kt_get(meta, "labels");
	kt_ns now = cluster_now(cluster_of(pod));
	bool deleting = kt_get(meta, "deletionTimestamp") != NULL, wake = false;
	const struct store_object *old = pod->object;

	pod->object = store_ref(object);
	if (spec != pod->spec) {
		struct kt_json *heeded = kubelet_heeded_spec(pod, now);

		wake = pod->dirty || !kt_equal(heeded, pod->spec);
		respecify(pod, heeded, now);
		kt_json_free(heeded);
	}
	if (labels != pod->labels) {
		kt_json_free(pod->labels);
		pod->labels = kt_json_ref(labels);
		for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
			ctr->pub.labels = pod->labels;
	}
	if (pod->stage == KUBELET_GOING && kubelet_volumes_tell_of_pod(pod) &&
	    (!kt_equal(labels, kt_path(old->json, "metadata.labels")) ||
	     !kt_equal(kt_get(meta, "annotations"), kt_path(old->json, "metadata.annotations")))) {
		pod->refresh_at = now + KUBELET_REMOUNT;
		kubelet_pod_wake(pod, pod->refresh_at);
	}
	if (deleting &&
	    (!pod->deleting || kt_path_int(old->json, "metadata.deletionGracePeriodSeconds", -1) !=
	                               kt_get_int(meta, "deletionGracePeriodSeconds", -1))) {
		pod->deleting = true;
		pod->delete_by = 0;
		pod->dirty = true; /* observedGeneration: a deletion with grace is a generation of its own */
		wake = true;
	}
	/* the node lifecycle controller thought the machine dead */
	if (!pod->writing && view_pod(object)->ready != view_pod(old)->ready) {
		pod->dirty = true;
		kubelet_pod_wake(pod, now + KUBELET_RECONCILE);
	}
	if (gates_moved(pod, old, object)) {
		pod->dirty = true;
		wake = true;
	}
	store_unref(old);
	if (wake)
		kubelet_pod_wake(pod, now + KUBELET_HEED);
}

void kubelet_pod_fail(struct kubelet_pod *pod, const char *reason, const char *message)
{
	if (pod->fail_reason)
		return;
	pod->fail_reason = reason;
	pod->fail_message = kt_strdup(message);
	pod->dirty = true;
	kubelet_pod_wake(pod, cluster_now(cluster_of(pod)));
}

/* --- what to do with containers --- */

bool kubelet_restarts(const struct kubelet_ctr *ctr)
{
	const struct kubelet_pod *pod = ctr->pod;
	const char *policy = kt_str_or(kt_get(pod->spec, "restartPolicy"), "Always");

	if (pod->deleting || pod->fail_reason || ctr->role == KUBELET_EPHEMERAL)
		return false;
	if (ctr->role == KUBELET_SIDECAR)
		return true;
	if (ctr->role == KUBELET_INIT)
		return ctr->end.code != 0 && strcmp(policy, "Never") != 0;
	if (strcmp(policy, "Always") == 0)
		return true;
	return ctr->end.code != 0 && strcmp(policy, "OnFailure") == 0;
}

static bool may_start(const struct kubelet_ctr *ctr)
{
	return ctr->state == KUBELET_WAITING || (ctr->state == KUBELET_ENDED && kubelet_restarts(ctr));
}

/* An init container bars those after it until it is done; a sidecar until it has started. */
static bool init_passed(const struct kubelet_ctr *ctr)
{
	if (ctr->role == KUBELET_SIDECAR)
		return ctr->state == KUBELET_RUNNING && ctr->started;
	return ctr->state == KUBELET_ENDED && ctr->end.code == 0;
}

static bool init_failed(const struct kubelet_pod *pod)
{
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->role == KUBELET_INIT && ctr->state == KUBELET_ENDED && ctr->end.code &&
		    !kubelet_restarts(ctr))
			return true;
	return false;
}

/* All main containers have run and none will run again. */
static bool finished(const struct kubelet_pod *pod)
{
	if (!pod->initialized)
		return init_failed(pod);
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->role == KUBELET_MAIN && (ctr->state != KUBELET_ENDED || kubelet_restarts(ctr)))
			return false;
	return true;
}

/* The next container to start now. */
static struct kubelet_ctr *next_to_start(struct kubelet_pod *pod, kt_ns now)
{
	bool barred = false;

	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		bool init = ctr->role == KUBELET_INIT || ctr->role == KUBELET_SIDECAR;

		if (init && pod->initialized && ctr->role == KUBELET_INIT)
			continue;
		if (ctr->role == KUBELET_MAIN && barred)
			continue;
		if (ctr->role == KUBELET_MAIN && !pod->initialized) {
			pod->initialized = true;
			pod->dirty = true;
		}
		if (!(init && barred) && may_start(ctr) && ctr->retry_at <= now)
			return ctr;
		if (init && !pod->initialized && !init_passed(ctr))
			barred = true;
	}
	return NULL;
}

static void start_containers(struct kubelet_pod *pod, kt_ns now)
{
	for (;;) {
		struct kubelet_ctr *ctr = pod->busy;

		if (ctr && !kubelet_ctr_step(ctr, now))
			return;
		if (ctr && ctr->hook && ctr->state != KUBELET_STARTING && !ctr->stopping) {
			kubelet_exec_free(ctr->hook);
			ctr->hook = NULL;
		}
		pod->busy = NULL;
		ctr = next_to_start(pod, now);
		if (!ctr)
			return;
		if (kubelet_ctr_begin(ctr, now))
			pod->busy = ctr;
		else if (ctr->retry_at <= now)
			ctr->retry_at = kubelet_next_sync(pod, now); /* cannot be: never spin */
	}
}

/* Containers that were found running: told in the status, probed. */
static void notice(struct kubelet_pod *pod, kt_ns now)
{
	pod->pleg_at = 0;
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		/* whatever happened to another container: this is a sync */
		if (ctr->loop_at)
			kubelet_ctr_tell_loop(ctr);
		if (may_start(ctr))
			ctr->retry_at = KT_MIN(ctr->retry_at, now);
		if (ctr->state == KUBELET_EXITED) {
			kubelet_ctr_noticed(ctr, now);
		} else if (ctr->state == KUBELET_RUNNING && !ctr->seen) {
			ctr->seen = true;
			ctr->started = !kt_get(ctr->spec, "startupProbe");
			ctr->ready = ctr->started && !kt_get(ctr->spec, "readinessProbe");
			pod->dirty = true;
			if (!ctr->stopping)
				kubelet_probes_start(ctr, now);
		}
	}
}

/* --- stages --- */

static void reject(struct kubelet_pod *pod, const char *reason, char *why)
{
	char *text = kt_strf("Pod was rejected: %s", why);

	kubelet_event(pod, NULL, true, reason, "%s", why);
	kubelet_pod_fail(pod, reason, text);
	kt_free(text);
	kt_free(why);
}

static bool fits(struct kubelet_pod *pod, const struct view_node *view)
{
	const struct kubelet_node *node = pod->node;
	const struct {
		const char *reason, *what;
		int64_t asked, used, has;
	} all[] = {
	        {"OutOfpods", "pods", 1, (int64_t)node->pod_count - 1, view->allocatable.pods},
	        {"OutOfcpu", "cpu", pod->cpu_milli, node->cpu_milli - pod->cpu_milli,
	         view->allocatable.cpu_milli},
	        {"OutOfmemory", "memory", pod->memory, node->memory - pod->memory, view->allocatable.memory},
	};

	for (size_t i = 0; i < KT_COUNT(all); i++) {
		if (!all[i].asked || all[i].asked + all[i].used <= all[i].has)
			continue;
		reject(pod, all[i].reason,
		       kt_strf("Node didn't have enough resource: %s, requested: %lld, used: %lld, capacity: "
		               "%lld",
		               all[i].what, (long long)all[i].asked, (long long)all[i].used,
		               (long long)all[i].has));
		return false;
	}
	return true;
}

static bool ports_free(const struct kubelet_pod *pod)
{
	if (!scheduler_wants_ports(
	            pod->spec)) /* nearly all: many pods on a node need not look at each other */
		return true;
	for (const struct kubelet_pod *other = pod->node->pods; other; other = other->next)
		if (other != pod && other->started_at && other->stage != KUBELET_OVER &&
		    !other->fail_reason && scheduler_ports_clash(other->spec, pod->spec))
			return false;
	return true;
}

/* The filters that matter for a pod that is bound by hand, too (pkg/kubelet/lifecycle/predicate.go). */
static bool admit(struct kubelet_pod *pod)
{
	const struct store_object *node =
	        store_get(cluster_store(cluster_of(pod)), pod->node->kubelet->nodes, "", pod->node->name);

	if (!node)
		return true;
	if (!fits(pod, view_node(node)))
		return false;
	if (!scheduler_wants_node(pod->spec, view_node(node)->labels, node->name)) {
		reject(pod, "NodeAffinity",
		       kt_strdup("Predicate NodeAffinity failed: node(s) didn't match Pod's node "
		                 "affinity/selector"));
		return false;
	}
	char *forbidden = kubelet_sysctl_refusal(pod->spec);

	if (forbidden) {
		reject(pod, "SysctlForbidden", forbidden);
		return false;
	}
	if (!ports_free(pod)) {
		reject(pod, "NodePorts",
		       kt_strdup("Predicate NodePorts failed: node(s) didn't have free ports for the "
		                 "requested pod ports"));
		return false;
	}
	return true;
}

static void see(struct kubelet_pod *pod, kt_ns now)
{
	if (!admit(pod))
		return;
	if (!pod->started_at)
		pod->started_at = now;
	pod->stage = KUBELET_MOUNTING;
	pod->stage_at = now + KUBELET_VOLUMES;
	pod->mount_began = now;
	pod->retry_delay = 0;
	pod->dirty = true;
}

static void mount_volumes(struct kubelet_pod *pod, kt_ns now)
{
	char *why = NULL;

	if (kubelet_volumes_setup(pod, &why)) {
		pod->stage = KUBELET_SANDBOXING;
		pod->stage_at = now + KUBELET_SANDBOX;
		return;
	}
	kubelet_event(pod, NULL, true, "FailedMount", "%s", why);
	kt_free(why);
	pod->retry_delay = pod->retry_delay ? KT_MIN(pod->retry_delay * 2, 122 * KT_SEC) : KT_SEC / 2;
	pod->stage_at = now + pod->retry_delay;
}

static void make_sandbox(struct kubelet_pod *pod, kt_ns now)
{
	struct kubelet_node *node = pod->node;

	pod->ip[0] = 0;
	if (kt_get_bool(pod->spec, "hostNetwork", false)) {
		size_t len = node->address ? strlen(node->address) : 0;

		if (len < sizeof(pod->ip))
			memcpy(pod->ip, node->address ? node->address : "", len + 1);
	} else {
		network_pod_address(cluster_of(pod), node->name, pod->object, pod->ip);
	}
	pod->sandbox = true;
	pod->stage = KUBELET_GOING;
	pod->stage_at = now;
}

static kt_ns grace_of(const struct kubelet_pod *pod)
{
	int64_t grace = kt_get_int(pod->spec, "terminationGracePeriodSeconds", 30);

	if (pod->deleting)
		grace = kt_path_int(pod->object->json, "metadata.deletionGracePeriodSeconds", grace);
	else if (kt_streq(pod->fail_reason, "Evicted"))
		grace = KT_MIN(grace, 1);
	return KT_MAX(grace, 0) * KT_SEC;
}

/* Stop what runs: all but the sidecars together, then those from the last to the first. True: nothing runs.
 */
static bool stop_all(struct kubelet_pod *pod, kt_ns now)
{
	struct kubelet_ctr *sidecar = NULL;
	bool busy = false;
	kt_ns grace;

	if (!pod->delete_by)
		pod->delete_by = now + grace_of(pod);
	grace = KT_MAX(pod->delete_by - now, 0);
	if (!pod->delete_by)
		grace = 0;
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		if (ctr->state == KUBELET_EXITED)
			kubelet_ctr_noticed(ctr, now);
		if (!kubelet_ctr_alive(ctr)) {
			if (ctr->state < KUBELET_RUNNING)
				ctr->state = KUBELET_WAITING;
			continue;
		}
		if (ctr->role == KUBELET_SIDECAR) {
			sidecar = ctr;
			continue;
		}
		kubelet_ctr_stop(ctr, now, grace, NULL);
		kubelet_ctr_stop_step(ctr, now);
		busy |= kubelet_ctr_alive(ctr) || ctr->state == KUBELET_EXITED;
	}
	pod->busy = NULL;
	if (busy)
		return false;
	if (!sidecar)
		return true;
	kubelet_ctr_stop(sidecar, now, grace, NULL);
	kubelet_ctr_stop_step(sidecar, now);
	return false;
}

/* Everything is over: the sandbox goes, the last status is told, a deleted pod is removed for good. */
static void over(struct kubelet_pod *pod, kt_ns now)
{
	pod->stage = KUBELET_OVER;
	pod->dirty = true;
	if (pod->sandbox)
		release_address(pod);
	pod->sandbox = false;
	give_back(pod);
	kubelet_volumes_clear(pod);
	pod->remove_at = now + KUBELET_REMOVE;
}

static void end(struct kubelet_pod *pod, kt_ns now)
{
	if (pod->stage != KUBELET_OVER && stop_all(pod, now))
		over(pod, now);
}

static bool removed(struct kubelet_pod *pod, kt_ns now)
{
	struct api_delete_options options = {.grace = 0, .uid = pod->uid};
	struct api_actor actor = kubelet_actor(pod);
	struct kubelet *kubelet = pod->node->kubelet;
	char *ns, *name;
	struct kubelet_pod *self;

	if (pod->stage != KUBELET_OVER || !pod->deleting || now < pod->remove_at)
		return false;
	ns = kt_strdup(pod->ns);
	name = kt_strdup(pod->name);
	pod->remove_at = kubelet_next_sync(pod, now); /* finalizers may keep it */
	HASH_FIND_STR(kubelet->pod_table, pod->uid, self);
	actor.because = NULL;
	api_delete(kubelet->cluster, &actor, kubelet->pods, ns, name, &options, NULL);
	kt_free(ns);
	kt_free(name);
	return true; /* `pod` may be freed by now: the store told us of its end */
}

static bool deadline_passed(const struct kubelet_pod *pod, kt_ns now, kt_ns *at)
{
	int64_t seconds = kt_get_int(pod->spec, "activeDeadlineSeconds", -1);

	*at = KUBELET_NEVER;
	if (seconds < 0 || !pod->started_at || pod->fail_reason || pod->stage == KUBELET_OVER)
		return false;
	*at = pod->started_at + seconds * KT_SEC;
	return now >= *at;
}

static void tell_loops(struct kubelet_pod *pod, kt_ns now)
{
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->loop_at && now >= ctr->loop_at)
			kubelet_ctr_tell_loop(ctr);
}

/* When something is due next. */
static kt_ns next_due(const struct kubelet_pod *pod, kt_ns now)
{
	kt_ns due = KUBELET_NEVER, at;
	bool ending = pod->deleting || pod->fail_reason || finished(pod);

	if (pod->pleg_at)
		due = pod->pleg_at;
	if (pod->stage == KUBELET_OVER)
		return pod->deleting ? KT_MIN(due, pod->remove_at) : due;
	deadline_passed(pod, now, &at);
	due = KT_MIN(due, at);
	if (pod->stage < KUBELET_GOING)
		return KT_MIN(due, KT_MAX(pod->stage_at, now));
	if (pod->refresh_at)
		due = KT_MIN(due, pod->refresh_at);
	if (pod->resize_at)
		due = KT_MIN(due, pod->resize_at);
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		if (ctr->stopping && ctr->process) {
			due = KT_MIN(due, ctr->kill_at);
			if (!ctr->term_sent)
				due = KT_MIN(due, ctr->op_at);
		} else if (ctr == pod->busy) {
			due = KT_MIN(due, ctr->op_at);
		} else if (!ending && may_start(ctr) && ctr->retry_at > now) {
			due = KT_MIN(due, ctr->retry_at);
		}
		if (ctr->loop_at)
			due = KT_MIN(due, KT_MAX(ctr->loop_at, now + KT_MS));
	}
	return due;
}

static void go(struct kubelet_pod *pod, kt_ns now)
{
	if (pod->stage == KUBELET_SEEING && now >= pod->stage_at)
		see(pod, now);
	if (pod->stage == KUBELET_MOUNTING && now >= pod->stage_at)
		mount_volumes(pod, now);
	if (pod->stage == KUBELET_SANDBOXING && now >= pod->stage_at)
		make_sandbox(pod, now);
	if (pod->stage == KUBELET_GOING && !pod->fail_reason) {
		for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
			kubelet_ctr_stop_step(ctr, now);
		if (pod->dirty) /* what ended is told before it starts again */
			kubelet_status_write(pod, now);
		start_containers(pod, now);
		tell_loops(pod, now);
		if (pod->resize_at && now >= pod->resize_at) {
			struct kt_json *heeded = kubelet_heeded_spec(pod, now);

			if (!pod->resize_reason)
				respecify(pod, heeded, now);
			kt_json_free(heeded);
		}
		kubelet_resize_tell(pod);
		if (pod->refresh_at && now >= pod->refresh_at) {
			pod->refresh_at = 0;
			kubelet_volumes_refresh(pod);
		}
	}
}

void kubelet_pod_gone(struct kubelet_pod *pod)
{
	for (const struct kubelet_ctr *ctr = pod->ctrs; ctr && !pod->held; ctr = ctr->next)
		if (ctr->process && !ctr->stopping)
			pod->orphaned = true;
	if (pod->orphaned)
		kubelet_pod_wake(pod, cluster_now(cluster_of(pod)));
	else
		kubelet_pod_free(pod->node->kubelet, pod);
}

/* Its object went before its containers did. */
static void stop_gone(struct kubelet_pod *pod)
{
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next)
		if (ctr->process && !ctr->stopping)
			kubelet_event(pod, ctr, false, "Killing", "Stopping container %s", ctr->pub.name);
	kubelet_pod_free(pod->node->kubelet, pod);
}

void kubelet_pod_sync(struct kubelet_pod *pod)
{
	kt_ns now = cluster_now(cluster_of(pod)), at;

	if (pod->orphaned) {
		stop_gone(pod);
		return;
	}
	if (pod->held || removed(pod, now))
		return;
	if (pod->pleg_at && now >= pod->pleg_at)
		notice(pod, now);
	if (deadline_passed(pod, now, &at)) {
		static const char text[] = "Pod was active on the node longer than the specified deadline";

		kubelet_event(pod, NULL, false, "DeadlineExceeded", "%s", text);
		kubelet_pod_fail(pod, "DeadlineExceeded", text);
	}
	if (!pod->deleting && !pod->fail_reason && !finished(pod) && pod->stage != KUBELET_OVER)
		go(pod, now);
	if (pod->deleting || pod->fail_reason || finished(pod))
		end(pod, now);
	if (pod->dirty)
		kubelet_status_write(pod, now);
	at = next_due(pod, now);
	if (at != KUBELET_NEVER)
		kubelet_pod_wake(pod, at);
}

/* SPDX-License-Identifier: MIT */
/* The status of PodDisruptionBudgets (kubernetes pkg/controller/disruption/disruption.go). */
#include "cluster/controllers/controllers_internal.h"
#include <string.h>
#include "cluster/controllers/hash.h"

#define DELETION_TIMEOUT (2 * KT_MIN_NS) /* a pod that was evicted and is still there counts again */

struct budget_sync {
	struct cluster *cluster;
	struct controller_queue *queue;
	struct api_actor actor;
	const struct store_object *budget;
	struct store_list pods;
	struct kt_json *disrupted; /* pod -> time; NULL none */
	kt_ns recheck;
};

static void find_pods(struct budget_sync *sync)
{
	const struct kt_json *selector = kt_path(sync->budget->json, "spec.selector");
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(sync->cluster), sync->queue->kinds->pod, sync->budget->ns) {
		if (view_selector_matches(selector, view_pod(pod)->labels))
			controller_list_add(&sync->pods, pod);
	}
}

/* --- how many pods there ought to be --- */
struct seen {
	UT_hash_handle hh;
	const char *uid;
};

static bool first_time(struct seen **seen, const char *uid)
{
	struct seen *entry;
	HASH_FIND_STR(*seen, uid, entry);
	if (entry)
		return false;
	entry = kt_alloc(sizeof(*entry));
	entry->uid = uid;
	HASH_ADD_KEYPTR(hh, *seen, entry->uid, strlen(uid), entry);
	return true;
}

static void seen_clear(struct seen **seen)
{
	struct seen *entry, *next;
	HASH_ITER (hh, *seen, entry, next) {
		HASH_DEL(*seen, entry);
		kt_free(entry);
	}
}

/* The object whose scale counts for a pod: a deployment stands above its replica sets. */
static const struct store_object *scaled_owner(struct budget_sync *sync, const struct store_object *pod,
                                               char **why)
{
	const struct controller_kinds *kinds = sync->queue->kinds;
	const struct schema_kind *scalable[] = {kinds->replica_set, kinds->stateful_set, kinds->rc};
	for (size_t i = 0; i < KT_COUNT(scalable); i++) {
		const struct store_object *owner = controller_owner(sync->cluster, scalable[i], pod);
		if (!owner)
			continue;
		const struct store_object *above = controller_owner(sync->cluster, kinds->deployment, owner);
		return above ? above : owner;
	}
	const struct view_owner *owner = &view_pod(pod)->owner;
	const struct schema_kind *kind =
	        schema_by_api_version(cluster_schema(sync->cluster), owner->api_version, owner->kind);
	if (kind && !schema_subresource_named(kind, "scale"))
		*why = kt_strf("%s.%s does not implement the scale subresource", kind->resource, kind->group);
	else
		*why = kt_strf("found no controllers for pod \"%s\"", pod->name);
	return NULL;
}

/* The sum over the owners; false and *why if one has no scale. */
static bool expected_scale(struct budget_sync *sync, int64_t *out, struct kt_strs *unmanaged, char **why)
{
	struct seen *seen = NULL;
	*out = 0;
	for (size_t i = 0; i < sync->pods.count && !*why; i++) {
		const char *uid = view_pod(sync->pods.items[i])->owner.uid;
		if (!uid) {
			kt_strs_add(unmanaged, sync->pods.items[i]->name);
			continue;
		}
		if (!first_time(&seen, uid))
			continue;
		const struct store_object *owner = scaled_owner(sync, sync->pods.items[i], why);
		if (owner && (kt_streq(owner->uid, uid) || first_time(&seen, owner->uid)))
			*out += kt_path_int(owner->json, "spec.replicas", 1);
	}
	seen_clear(&seen);
	return !*why;
}

static bool expected(struct budget_sync *sync, int64_t *out_expected, int64_t *out_desired,
                     struct kt_strs *unmanaged, char **why)
{
	const struct kt_json *most = kt_path(sync->budget->json, "spec.maxUnavailable");
	const struct kt_json *least = kt_path(sync->budget->json, "spec.minAvailable");
	if (!most && !kt_is_string(least)) {
		*out_expected = (int64_t)sync->pods.count;
		*out_desired = kt_int_or(least, 0);
		return true;
	}
	if (!expected_scale(sync, out_expected, unmanaged, why))
		return false;
	if (most)
		*out_desired =
		        KT_MAX(*out_expected - controller_int_or_percent(most, *out_expected, true, 0), 0);
	else
		*out_desired = controller_int_or_percent(least, *out_expected, true, 0);
	return true;
}

/* --- pods that the eviction API has let go --- */
static void check_disrupted(struct budget_sync *sync)
{
	const struct kt_json *map = kt_path(sync->budget->json, "status.disruptedPods");
	kt_ns now = cluster_now(sync->cluster);
	for (size_t i = 0; i < kt_count(map); i++) {
		const struct store_object *pod =
		        store_get(cluster_store(sync->cluster), sync->queue->kinds->pod, sync->budget->ns,
		                  kt_key(map, i));
		if (!pod || view_pod(pod)->deleting)
			continue;
		kt_ns until = controller_time_of(kt_at(map, i)) + DELETION_TIMEOUT;
		if (until < now) {
			api_event(sync->cluster, &sync->actor, pod, "Warning", "NotDeleted", NULL, NULL,
			          "Pod was expected by PDB %s/%s to be deleted but it wasn't",
			          sync->budget->ns, sync->budget->name);
			continue;
		}
		kt_set(&sync->disrupted, kt_key(map, i), kt_json_ref(kt_at(map, i)));
		if (!sync->recheck || until < sync->recheck)
			sync->recheck = until;
	}
}

static int64_t healthy(const struct budget_sync *sync)
{
	int64_t count = 0;
	for (size_t i = 0; i < sync->pods.count; i++) {
		const struct view_pod *pod = view_pod(sync->pods.items[i]);
		count += pod->ready && !pod->deleting && !kt_get(sync->disrupted, sync->pods.items[i]->name);
	}
	return count;
}

/* --- status --- */
static void set_condition(struct budget_sync *sync, struct kt_json **status, bool allowed, const char *reason,
                          const char *message)
{
	struct kt_json **conditions = kt_edit(status, "conditions");
	ptrdiff_t at;
	controller_set_condition(conditions, "DisruptionAllowed", allowed ? "True" : "False", reason, message,
	                         cluster_now(sync->cluster), false);
	at = kt_find(*conditions, "type", "DisruptionAllowed");
	kt_set(kt_edit_at(conditions, (size_t)at), "observedGeneration",
	       kt_json_int(controller_generation(sync->budget)));
}

static bool write_status(struct budget_sync *sync, int64_t expected_pods, int64_t desired)
{
	int64_t now = healthy(sync), allowed = KT_MAX(now - desired, 0);
	if (expected_pods <= 0)
		allowed = 0;
	struct kt_json *status = kt_json_ref(kt_get(sync->budget->json, "status"));
	kt_set(&status, "observedGeneration", kt_json_int(controller_generation(sync->budget)));
	kt_set(&status, "disruptedPods", kt_json_ref(sync->disrupted));
	kt_set(&status, "disruptionsAllowed", kt_json_int(allowed));
	kt_set(&status, "currentHealthy", kt_json_int(now));
	kt_set(&status, "desiredHealthy", kt_json_int(desired));
	kt_set(&status, "expectedPods", kt_json_int(expected_pods));
	set_condition(sync, &status, allowed > 0, allowed > 0 ? "SufficientPods" : "InsufficientPods", "");
	return controller_write_status(sync->cluster, &sync->actor, sync->budget, status) != NULL;
}

/* What cannot be counted allows nothing. It is not tried again until something changes. */
static bool fail_safe(struct budget_sync *sync, const char *why)
{
	api_event(sync->cluster, &sync->actor, sync->budget, "Warning", "CalculateExpectedPodCountFailed",
	          NULL, NULL, "Failed to calculate the number of expected pods: %s", why);
	struct kt_json *status = kt_json_ref(kt_get(sync->budget->json, "status"));
	kt_set(&status, "observedGeneration", kt_json_int(controller_generation(sync->budget)));
	kt_set(&status, "disruptionsAllowed", kt_json_int(0));
	set_condition(sync, &status, false, "SyncFailed", why);
	return controller_write_status(sync->cluster, &sync->actor, sync->budget, status) != NULL;
}

/* As Go prints a selector (apimachinery meta/v1, generated.pb.go). */
static void print_selector(const struct kt_json *selector, struct kt_buf *out)
{
	struct kt_json *labels = kt_json_sorted(kt_get(selector, "matchLabels"));
	const struct kt_json *one, *value;
	kt_buf_adds(out, "&LabelSelector{MatchLabels:map[string]string{");
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_buf_addf(out, "%s: %s,", kt_key(labels, i), kt_str_or(kt_at(labels, i), ""));
	kt_buf_adds(out, "},MatchExpressions:[]LabelSelectorRequirement{");
	KT_JSON_EACH (one, kt_get(selector, "matchExpressions")) {
		kt_buf_addf(out, "LabelSelectorRequirement{Key:%s,Operator:%s,Values:[",
		            kt_get_str(one, "key"), kt_get_str(one, "operator"));
		KT_JSON_EACH (value, kt_get(one, "values"))
			kt_buf_addf(out, "%s%s", value_i ? " " : "", kt_str_or(value, ""));
		kt_buf_adds(out, "],},");
	}
	kt_buf_adds(out, "},}");
	kt_json_free(labels);
}

static void warn_unmanaged(struct budget_sync *sync, const struct kt_strs *unmanaged)
{
	if (!unmanaged->count)
		return;
	struct kt_buf selector = {0};
	print_selector(kt_path(sync->budget->json, "spec.selector"), &selector);
	api_event(
	        sync->cluster, &sync->actor, sync->budget, "Warning", "UnmanagedPods", NULL, NULL,
	        "Pods selected by this PodDisruptionBudget (selector: %s) were found to be unmanaged. As a "
	        "result, the status of the PDB cannot be calculated correctly, which may result in undefined "
	        "behavior. To account for these pods please set \".spec.minAvailable\" field of the PDB to "
	        "an "
	        "integer value.",
	        kt_buf_str(&selector));
	kt_buf_clear(&selector);
}

static bool sync_budget(struct budget_sync *sync)
{
	struct kt_strs unmanaged = {0};
	char *why = NULL;
	int64_t expected_pods = 0, desired = 0;
	find_pods(sync);
	if (!sync->pods.count)
		api_event(sync->cluster, &sync->actor, sync->budget, "Normal", "NoPods", NULL, NULL,
		          "No matching pods found");
	bool done;
	if (!expected(sync, &expected_pods, &desired, &unmanaged, &why)) {
		done = fail_safe(sync, why);
	} else {
		warn_unmanaged(sync, &unmanaged);
		check_disrupted(sync);
		done = write_status(sync, expected_pods, desired);
	}
	if (sync->recheck)
		controller_add_after(sync->cluster, sync->queue, sync->budget->ns, sync->budget->name,
		                     sync->recheck - cluster_now(sync->cluster) + KT_MS);
	kt_strs_clear(&unmanaged);
	kt_free(why);
	return done;
}

static bool reconcile(struct cluster *cluster, struct controller_queue *queue, const char *key,
                      const struct store_object *because)
{
	const struct store_object *budget = controller_get(cluster, queue->kinds->pdb, key);
	if (!budget)
		return true;
	struct budget_sync sync = {.cluster = cluster,
	                           .queue = queue,
	                           .actor = controller_actor(queue, because ? because : budget),
	                           .budget = store_ref(budget)};
	bool done = sync_budget(&sync);
	store_list_clear(&sync.pods);
	kt_json_free(sync.disrupted);
	store_unref(sync.budget);
	return done;
}

static bool covers(const struct store_object *budget, const struct store_object *pod)
{
	return view_selector_matches(kt_path(budget->json, "spec.selector"), view_pod(pod)->labels);
}

/* A budget over many pods is counted less often. */
static void add_budget(struct cluster *cluster, struct controller_queue *queue,
                       const struct store_object *budget, const struct store_object *because)
{
	int64_t pods = kt_path_int(budget->json, "status.expectedPods", 0);
	if (pods > 100)
		controller_add_after(cluster, queue, budget->ns, budget->name,
		                     queue->controller->latency + pods * 50 * KT_US);
	else
		controller_add(cluster, queue, budget->ns, budget->name, because);
}

/* A pod wakes its budget. Of several the real controller wakes any one, so that at its next change it may be
 * another's turn; chance must not leave one behind for ever here, so it tells of one and wakes them all. */
static void observe_pod(struct cluster *cluster, struct controller_queue *queue,
                        const struct store_object *pod)
{
	const struct store_object *budget;
	struct store_list found = {0};
	STORE_EACH (budget, cluster_store(cluster), queue->kinds->pdb, pod->ns) {
		if (covers(budget, pod))
			controller_list_add(&found, budget);
	}
	if (found.count > 1) {
		struct api_actor actor = controller_actor(queue, pod);
		char *words = kt_strf("%s %llu", pod->uid, (unsigned long long)pod->version);
		budget = found.items[cluster_hash(cluster, words) % found.count];
		kt_free(words);
		api_event(
		        cluster, &actor, pod, "Warning", "MultiplePodDisruptionBudgets", NULL, NULL,
		        "Pod \"%s\"/\"%s\" matches multiple PodDisruptionBudgets.  Chose \"%s\" arbitrarily.",
		        pod->ns, pod->name, budget->name);
	}
	for (size_t i = 0; i < found.count; i++)
		add_budget(cluster, queue, found.items[i], pod);
	store_list_clear(&found);
}

static void observe(struct cluster *cluster, struct controller_queue *queue, const struct store_event *event)
{
	const struct store_object *object = event->object;
	if (object->kind == queue->kinds->pod) {
		observe_pod(cluster, queue, object);
		return;
	}
	if (object->kind != queue->kinds->pdb)
		return;
	/* its own status comes back, too */
	if (event->old && kt_equal(kt_get(event->old->json, "spec"), kt_get(object->json, "spec")))
		add_budget(cluster, queue, object, object);
	else
		controller_add(cluster, queue, object->ns, object->name, object);
}

static void start(struct cluster *cluster, struct controller_queue *queue)
{
	controller_add_all(cluster, queue, queue->kinds->pdb);
}

const struct controller controller_disruption = {
        .name = "disruption",
        .component = "controllermanager",
        .reconcile = reconcile,
        .observe = observe,
        .start = start,
        .latency = 10 * KT_MS,
};

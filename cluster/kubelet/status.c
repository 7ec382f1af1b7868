/* SPDX-License-Identifier: MIT */
/* What the API server is told of a pod. Order of conditions and their reasons: kubernetes
 * pkg/kubelet/status/generate.go and kubelet_pods.go (getPhase, generateAPIPodStatus). */
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

/* Most pods say the same words in the same second: one value for all of them. */
static struct kt_json *word(struct kubelet *kubelet, const char *text)
{
	const struct kt_json *known = kt_get(kubelet->words, text);

	if (known)
		return kt_json_ref(known);
	if (kt_count(kubelet->words) > 500) /* image names may be many */
		kt_json_freep(&kubelet->words);
	kt_set(&kubelet->words, text, kt_json_str(text));
	return kt_json_ref(kt_get(kubelet->words, text));
}

static struct kt_json *time_json(struct kubelet *kubelet, kt_ns at)
{
	struct kt_buf text = {0};

	if (!kubelet->second || kubelet->second_at != at / KT_SEC) {
		kt_time_print(at, &text);
		kt_json_free(kubelet->second);
		kubelet->second = kt_json_strn(kt_buf_str(&text), text.len);
		kubelet->second_at = at / KT_SEC;
		kt_buf_clear(&text);
	}
	return kt_json_ref(kubelet->second);
}

/* What thousands of pods tell in the same second is one value: a condition, or that a container runs. */
static struct kubelet_told *told_place(struct kubelet *kubelet, const struct kubelet_told *wanted)
{
	/* by the words' lengths, not by where they lie: which rows meet in a place is the same in every run
	 */
	uint64_t hash = strlen(wanted->type) ^ (uint64_t)(wanted->reason ? strlen(wanted->reason) : 0) << 5 ^
	                (uint64_t)wanted->generation << 11 ^ (uint64_t)wanted->is << 10;
	const char *since = kt_str_or(wanted->since, "");
	size_t len = kt_str_len(wanted->since);

	/* minutes and seconds stand at the end */
	for (size_t i = len > 6 ? len - 6 : 0; i < len; i++)
		hash = hash * 31 + (unsigned char)since[i];
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return &kubelet->told[(hash >> 32) % KT_COUNT(kubelet->told)];
}

/* With this message, or NULL; NULL: it is not known. */
static struct kt_json *told_before(struct kubelet *kubelet, const struct kubelet_told *wanted,
                                   const char *message)
{
	const struct kubelet_told *known = told_place(kubelet, wanted);

	return known->row && known->type == wanted->type && known->reason == wanted->reason &&
	                       known->is == wanted->is && known->generation == wanted->generation &&
	                       kt_equal(known->since, wanted->since) &&
	                       kt_streq(kt_get_str(known->row, "message"), message)
	               ? kt_json_ref(known->row)
	               : NULL;
}

static void tell_alike(struct kubelet *kubelet, const struct kubelet_told *told, const struct kt_json *row)
{
	struct kubelet_told *place = told_place(kubelet, told);

	kt_json_free(place->row);
	kt_json_free(place->since);
	*place = *told;
	place->row = kt_json_ref(row);
	place->since = kt_json_ref(told->since);
}

static bool same_items(const struct kt_json *a, const struct kt_json *b)
{
	if (!a || kt_count(a) != kt_count(b))
		return false;
	for (size_t i = 0; i < kt_count(a); i++) {
		if (kt_at(a, i) != kt_at(b, i))
			return false;
	}
	return true;
}

/* The same conditions in the same order: one list. */
static struct kt_json *one_list(struct kubelet *kubelet, struct kt_json *steal)
{
	for (size_t i = 0; i < KT_COUNT(kubelet->lists); i++) {
		if (same_items(kubelet->lists[i], steal)) {
			kt_json_free(steal);
			return kt_json_ref(kubelet->lists[i]);
		}
	}
	struct kt_json **oldest = &kubelet->lists[kubelet->next_list++ % KT_COUNT(kubelet->lists)];

	kt_json_free(*oldest);
	*oldest = steal;
	return kt_json_ref(steal);
}

/* --- phase --- */

const char *kubelet_phase(struct kubelet_pod *pod)
{
	const char *policy = kt_str_or(kt_get(pod->spec, "restartPolicy"), "Always");
	int waiting = 0, running = 0, stopped = 0, succeeded = 0;

	if (pod->fail_reason)
		return pod->stage == KUBELET_OVER || pod->stage < KUBELET_GOING ? "Failed" : "Running";
	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		if (ctr->role == KUBELET_INIT && ctr->state == KUBELET_ENDED && ctr->end.code &&
		    strcmp(policy, "Never") == 0)
			return pod->stage == KUBELET_OVER ? "Failed" : "Pending";
		if (ctr->role != KUBELET_MAIN)
			continue;
		if (ctr->seen || (ctr->state == KUBELET_RUNNING && pod->restored)) {
			running++;
		} else if (ctr->state == KUBELET_ENDED && !ctr->wait_reason) {
			stopped++;
			succeeded += ctr->end.code == 0;
		} else if (ctr->state == KUBELET_ENDED || ctr->last) {
			stopped++;
		} else {
			waiting++;
		}
	}
	if (!pod->initialized || waiting)
		return "Pending";
	if (running)
		return "Running";
	if (pod->stage != KUBELET_OVER)
		return "Running";
	return stopped == succeeded ? "Succeeded" : "Failed";
}

/* --- containers --- */

static struct kt_json *ended_json(struct kubelet *kubelet, const struct kubelet_ended *end)
{
	struct kt_json *inner = NULL, *state = NULL;
	char id[65];

	kt_set(&inner, "exitCode", kt_json_int(end->code));
	kt_set(&inner, "reason", kt_json_str(end->reason));
	if (end->message)
		kt_set(&inner, "message", kt_json_str(end->message));
	kt_set(&inner, "startedAt", time_json(kubelet, end->started_at));
	kt_set(&inner, "finishedAt", time_json(kubelet, end->finished_at));
	if (end->id) {
		kubelet_id_text(end->id, id);
		kt_set(&inner, "containerID", kt_json_strf("containerd://%s", id));
	}
	kt_set(&state, "terminated", inner);
	return state;
}

static struct kt_json *mounts_json(const struct kubelet_ctr *ctr)
{
	const struct kt_json *mounts = kt_get(ctr->spec, "volumeMounts"), *mount;
	struct kt_json *list = NULL;

	KT_JSON_EACH (mount, mounts) {
		bool read_only = kt_get_bool(mount, "readOnly", false);

		kt_push(&list, KT_MEMBERS({"name", kt_json_ref(kt_get(mount, "name"))},
		                          {"mountPath", kt_json_ref(kt_get(mount, "mountPath"))},
		                          {"readOnly", read_only ? kt_json_bool(true) : NULL},
		                          {"recursiveReadOnly",
		                           read_only ? word(ctr->pod->node->kubelet, "Disabled") : NULL}));
	}
	return list;
}

/* Source: kubernetes pkg/kubelet/status/status_manager.go (TerminatePod) and kubelet_pods.go. */
static struct kt_json *unknown_json(const char *message)
{
	return kt_jsonf(
	        "{terminated: {exitCode: 137, reason: 'ContainerStatusUnknown', message: %s, startedAt: "
	        "null, finishedAt: null}}",
	        message);
}

static void vanished_json(struct kubelet_ctr *ctr, struct kt_json **row)
{
	kt_set(row, "name", kt_json_ref(kt_get(ctr->spec, "name")));
	kt_set(row, "state", unknown_json("The container could not be located when the pod was terminated"));
	kt_set(row, "lastState",
	       unknown_json(
	               "The container could not be located when the pod was deleted.  The container used to "
	               "be Running"));
	kt_set(row, "ready", kt_json_bool(false));
	kt_set(row, "restartCount", kt_json_int(ctr->restarts));
	kt_set(row, "image", kt_json_ref(kt_get(ctr->spec, "image")));
	kt_set(row, "imageID", kt_json_str(""));
	kt_set(row, "started", kt_json_bool(false));
	kt_set(row, "volumeMounts", mounts_json(ctr));
}

static struct kt_json *running_json(struct kubelet *kubelet, kt_ns since)
{
	struct kubelet_told told = {.type = "running", .is = true, .since = time_json(kubelet, since)};
	struct kt_json *state = told_before(kubelet, &told, NULL);

	if (!state) {
		state = KT_MEMBERS({"running", KT_MEMBERS({"startedAt", kt_json_ref(told.since)})});
		tell_alike(kubelet, &told, state);
	}
	kt_json_free(told.since);
	return state;
}

static struct kt_json *state_json(const struct kubelet_ctr *ctr)
{
	struct kt_json *state;
	const struct kubelet_pod *pod = ctr->pod;
	bool inits = kt_count(kt_get(pod->spec, "initContainers")) > 0;
	const char *reason = ctr->wait_reason;

	if (ctr->seen)
		return running_json(pod->node->kubelet, ctr->started_at);
	if (ctr->state == KUBELET_ENDED && !reason)
		return ended_json(ctr->pod->node->kubelet, &ctr->end);
	if (!reason)
		reason = inits && (!pod->initialized || ctr->role != KUBELET_MAIN) ? "PodInitializing"
		                                                                   : "ContainerCreating";
	struct kubelet_told told = {.type = "waiting", .reason = reason};

	state = ctr->wait_message ? NULL : told_before(ctr->pod->node->kubelet, &told, NULL);
	if (state)
		return state;
	state = KT_MEMBERS({"waiting", KT_MEMBERS({"reason", kt_json_str(reason)},
	                                          {"message", kt_json_str(ctr->wait_message)})});
	if (!ctr->wait_message)
		tell_alike(ctr->pod->node->kubelet, &told, state);
	return state;
}

static struct kt_json *user_json(const struct kubelet_ctr *ctr)
{
	static const struct files_user root = {.all = true};
	const struct files_user *user = ctr->pub.files ? files_user(ctr->pub.files) : &root;
	struct kt_json **common = &ctr->pod->node->kubelet->root_user;
	bool is_root = !user->uid && !user->gid && !user->group_count;
	struct kt_json *groups, *inner = NULL, *out = NULL;

	if (is_root && *common)
		return kt_json_ref(*common);
	groups = kt_json_array();
	for (size_t i = 0; i < user->group_count; i++)
		kt_push(&groups, kt_json_int(user->groups[i]));
	if (!user->group_count)
		kt_push(&groups, kt_json_int(user->gid));
	kt_set(&inner, "uid", kt_json_int(user->uid));
	kt_set(&inner, "gid", kt_json_int(user->gid));
	kt_set(&inner, "supplementalGroups", groups);
	kt_set(&out, "linux", inner);
	if (is_root)
		*common = kt_json_ref(out);
	return out;
}

/* Images that were loaded into the node have no repository digest: their ID is the bare one. Reckoned once an
 * image, not once a pod. */
static struct kt_json *image_id_json(const struct kubelet_ctr *ctr, const char *full)
{
	struct kt_json **known = &ctr->pod->node->kubelet->image_ids[ctr->loaded_image];
	const struct kt_json *id = kt_get(*known, full);
	char text[128];

	if (id)
		return kt_json_ref(id);
	if (kt_count(*known) > 100)
		kt_json_freep(known);
	image_id(ctr->pub.image, text);
	const char *at = ctr->loaded_image ? strchr(text, '@') : NULL;
	kt_set(known, full, kt_json_str(at ? at + 1 : text));
	return kt_json_ref(kt_get(*known, full));
}

/* The run before, while its container is there: of those that ended, one of a name is kept
 * (MaxPerPodContainer of pkg/kubelet/container/container_gc.go), so the run that was the last one of all
 * stands alone. */
static struct kt_json *last_state_json(const struct kubelet_ctr *ctr)
{
	struct kubelet *kubelet = ctr->pod->node->kubelet;
	bool ended = ctr->state == KUBELET_ENDED;

	if (ended && ctr->wait_reason)
		return ended_json(kubelet, &ctr->end);
	if (!ctr->last || (ended && !kubelet_restarts(ctr)))
		return kt_json_object();
	return ended_json(kubelet, ctr->last);
}

static struct kt_json *container_json(struct kubelet_ctr *ctr)
{
	struct kubelet *kubelet = ctr->pod->node->kubelet;
	struct kt_json *row = NULL;
	const struct kt_json *resources = kt_get(ctr->spec, "resources"),
	                     *requests = kt_get(resources, "requests");
	bool made = ctr->seen || ctr->state == KUBELET_ENDED || ctr->last;
	const char *full = made ? kubelet_image_full(kubelet, ctr->pub.image) : NULL;
	char hex[65] = "";
	uint64_t run = ctr->seen                     ? ctr->id
	               : ctr->state == KUBELET_ENDED ? ctr->end.id
	               : ctr->last                   ? ctr->last->id
	                                             : 0;

	if (ctr->vanished && ctr->state == KUBELET_ENDED) {
		vanished_json(ctr, &row);
		return row;
	}
	if (run)
		kubelet_id_text(run, hex);
	bool ready = ctr->role == KUBELET_INIT ? ctr->state == KUBELET_ENDED && ctr->end.code == 0
	                                       : ctr->ready && ctr->role != KUBELET_EPHEMERAL;
	row = KT_MEMBERS({"name", kt_json_ref(kt_get(ctr->spec, "name"))}, {"state", state_json(ctr)},
	                 {"lastState", last_state_json(ctr)}, {"ready", kt_json_bool(ready)},
	                 {"restartCount", kt_json_int(ctr->restarts)},
	                 {"image", full ? word(kubelet, full) : kt_json_ref(kt_get(ctr->spec, "image"))},
	                 {"imageID", made ? image_id_json(ctr, full) : kt_json_str("")},
	                 {"containerID", run ? kt_json_strf("containerd://%s", hex) : NULL},
	                 {"started", ctr->role == KUBELET_EPHEMERAL ? NULL : kt_json_bool(ctr->started)},
	                 {"allocatedResources", kt_count(requests) ? kt_json_ref(requests) : NULL},
	                 {"resources", !made       ? NULL
	                               : resources ? kt_json_ref(resources)
	                                           : kt_json_object()},
	                 {"volumeMounts", mounts_json(ctr)}, {"user", ctr->seen ? user_json(ctr) : NULL});
	return row;
}

/* --- conditions --- */

struct condition {
	const char *type, *reason;
	char *message; /* owned */
	bool is;
};

static void set_condition(struct kubelet *kubelet, struct kt_json **list, const struct kt_json *old,
                          int64_t generation, const struct condition *condition, kt_ns now)
{
	const char *status = condition->is ? "True" : "False";
	ptrdiff_t at = kt_find(old, "type", condition->type);
	const struct kt_json *before = at >= 0 ? kt_at(old, (size_t)at) : NULL;
	const struct kt_json *since = kt_get(before, "lastTransitionTime");
	bool lasts = since && kt_streq(kt_get_str(before, "status"), status);
	struct kubelet_told told = {.type = condition->type,
	                            .reason = condition->reason,
	                            .is = condition->is,
	                            .generation = generation,
	                            .since = lasts ? kt_json_ref(since) : time_json(kubelet, now)};
	struct kt_json *row = told_before(kubelet, &told, condition->message);

	if (!row) {
		row = KT_MEMBERS({"type", word(kubelet, condition->type)},
		                 {"observedGeneration", generation ? kt_json_int(generation) : NULL},
		                 {"status", word(kubelet, status)}, {"lastProbeTime", kt_json_null()},
		                 {"lastTransitionTime", kt_json_ref(told.since)},
		                 {"reason", condition->reason ? word(kubelet, condition->reason) : NULL},
		                 {"message", kt_json_str(condition->message)});
		/* what is as it was stays the same value */
		if (lasts && kt_equal(before, row)) {
			kt_json_free(row);
			row = kt_json_ref(before);
		}
		tell_alike(kubelet, &told, row);
	}
	kt_json_free(told.since);
	kt_push(list, row);
}

/* "[a b]" of the containers that are not as they should be; NULL if all are. */
static char *names(struct kubelet_pod *pod, bool init)
{
	struct kt_buf out = {0};

	for (struct kubelet_ctr *ctr = pod->ctrs; ctr; ctr = ctr->next) {
		bool good;

		if (init && (ctr->role == KUBELET_INIT || ctr->role == KUBELET_SIDECAR))
			good = ctr->role == KUBELET_SIDECAR
			               ? ctr->started
			               : ctr->state == KUBELET_ENDED && ctr->end.code == 0;
		else if (!init && (ctr->role == KUBELET_MAIN || ctr->role == KUBELET_SIDECAR))
			good = ctr->ready;
		else
			continue;
		if (good)
			continue;
		kt_buf_addf(&out, "%s%s", out.len ? " " : "", ctr->pub.name);
	}
	return out.len ? kt_buf_take(&out) : NULL;
}

static bool gates_open(struct kubelet_pod *pod, const struct kt_json *old, char **message)
{
	const struct kt_json *gate;
	struct kt_buf out = {0};

	KT_JSON_EACH (gate, kt_get(pod->spec, "readinessGates")) {
		const char *type = kt_str_or(kt_get(gate, "conditionType"), "");
		ptrdiff_t at = kt_find(old, "type", type);

		if (at < 0)
			kt_buf_addf(&out,
			            "%scorresponding condition of pod readiness gate \"%s\" does not exist.",
			            out.len ? ", " : "", type);
		else if (!kt_streq(kt_get_str(kt_at(old, (size_t)at), "status"), "True"))
			kt_buf_addf(&out, "%sthe status of pod readiness gate \"%s\" is not \"True\", but %s",
			            out.len ? ", " : "", type,
			            kt_str_or(kt_get(kt_at(old, (size_t)at), "status"), ""));
	}
	*message = out.len ? kt_buf_take(&out) : NULL;
	return !*message;
}

bool kubelet_is_rejection(const char *reason)
{
	return reason && (kt_starts(reason, "OutOf") || strcmp(reason, "NodeAffinity") == 0 ||
	                  strcmp(reason, "NodePorts") == 0 || strcmp(reason, "SysctlForbidden") == 0);
}

static bool is_own_condition(const char *type)
{
	static const char *const own[] = {"PodScheduled",
	                                  "Ready",
	                                  "Initialized",
	                                  "ContainersReady",
	                                  "PodReadyToStartContainers",
	                                  "PodResizePending",
	                                  "PodResizeInProgress"};

	for (size_t i = 0; i < KT_COUNT(own); i++) {
		if (strcmp(own[i], type) == 0)
			return true;
	}
	return false;
}

/* What others have set comes first (status_manager.go, mergePodStatus). */
static struct kt_json *others_json(const struct kubelet_pod *pod, const struct kt_json *old)
{
	struct kt_json *list = NULL;
	const struct kt_json *one;

	KT_JSON_EACH (one, old) {
		const char *type = kt_str_or(kt_get(one, "type"), "");

		if (!is_own_condition(type) && !(pod->disrupted && strcmp(type, "DisruptionTarget") == 0))
			kt_push(&list, kt_json_ref(one));
	}
	return list;
}

static struct kt_json *conditions_json(struct kubelet_pod *pod, const struct kt_json *old, const char *phase,
                                       int64_t generation, kt_ns now)
{
	bool succeeded = strcmp(phase, "Succeeded") == 0, failed = strcmp(phase, "Failed") == 0;
	const char *end = succeeded ? "PodCompleted" : failed ? "PodFailed" : NULL;
	char *not_ready = names(pod, false), *not_done = pod->initialized ? NULL : names(pod, true),
	     *gates = NULL;
	struct condition initialized = {.type = "Initialized", .is = !not_done};
	struct condition ready = {.type = "Ready", .is = !not_ready && !end && pod->initialized};
	struct condition containers = {.type = "ContainersReady", .is = ready.is};
	struct condition sandbox = {.type = "PodReadyToStartContainers", .is = pod->sandbox};
	struct kt_json *list = others_json(pod, old);
	const struct kt_json *one;

	if (!list)
		list = kt_json_array();
	if (succeeded) {
		initialized.is = true;
		initialized.reason = "PodCompleted";
	} else if (not_done) {
		initialized.reason = "ContainersNotInitialized";
		initialized.message = kt_strf("containers with incomplete status: [%s]", not_done);
	}
	if (end) {
		ready.reason = containers.reason = end;
	} else if (!ready.is) {
		ready.reason = containers.reason = "ContainersNotReady";
		containers.message =
		        kt_strf("containers with unready status: [%s]", not_ready ? not_ready : "");
		ready.message = kt_strdup(containers.message);
	} else if (!gates_open(pod, old, &gates)) {
		ready.is = false;
		ready.reason = "ReadinessGatesNotReady";
		ready.message = gates;
	}
	if (pod->resize_reason) {
		struct condition pending = {.type = "PodResizePending",
		                            .is = true,
		                            .reason = pod->resize_reason,
		                            .message = kt_strdup(pod->resize_message)};

		set_condition(pod->node->kubelet, &list, old, generation, &pending, now);
		kt_free(pending.message);
	}
	set_condition(pod->node->kubelet, &list, old, generation, &sandbox, now);
	set_condition(pod->node->kubelet, &list, old, generation, &initialized, now);
	set_condition(pod->node->kubelet, &list, old, generation, &ready, now);
	set_condition(pod->node->kubelet, &list, old, generation, &containers, now);
	KT_JSON_EACH (one, old) {
		const char *type = kt_str_or(kt_get(one, "type"), "");

		if (kt_find(list, "type", type) >= 0 || kt_starts(type, "PodResize"))
			continue;
		if (strcmp(type, "PodScheduled") == 0) {
			struct condition same = {.type = "PodScheduled", .is = true};

			set_condition(pod->node->kubelet, &list, old, generation, &same, now);
		} else {
			kt_push(&list, kt_json_ref(one));
		}
	}
	if (pod->disrupted) {
		struct condition target = {.type = "DisruptionTarget",
		                           .is = true,
		                           .reason = "TerminationByKubelet",
		                           .message = pod->fail_message};

		set_condition(pod->node->kubelet, &list, old, generation, &target, now);
	}
	if (kt_find(list, "type", "PodScheduled") < 0) {
		struct condition scheduled = {.type = "PodScheduled", .is = true};

		set_condition(pod->node->kubelet, &list, old, generation, &scheduled, now);
	}
	kt_free(not_ready);
	kt_free(not_done);
	kt_free(initialized.message);
	kt_free(ready.message);
	kt_free(containers.message);
	return one_list(pod->node->kubelet, list);
}

/* --- all --- */

/* By name, but those of init containers in the pod's order. */
static struct kt_json *by_name(struct kt_json *steal)
{
	struct kt_json *sorted = NULL;
	size_t count = kt_count(steal), smallest;
	bool *done = kt_alloc(count + 1);

	for (size_t n = 0; n < count; n++) {
		smallest = count;
		for (size_t i = 0; i < count; i++)
			if (!done[i] && (smallest == count ||
			                 strcmp(kt_str_or(kt_get(kt_at(steal, i), "name"), ""),
			                        kt_str_or(kt_get(kt_at(steal, smallest), "name"), "")) < 0))
				smallest = i;
		done[smallest] = true;
		kt_push(&sorted, kt_json_ref(kt_at(steal, smallest)));
	}
	kt_free(done);
	kt_json_free(steal);
	return sorted;
}

/* [{ip: ADDRESS}]; NULL without one. */
static struct kt_json *one_address(const struct kt_json *address)
{
	struct kt_json *list = NULL;

	if (address)
		kt_push(&list, KT_MEMBERS({"ip", kt_json_ref(address)}));
	return list;
}

struct kt_json *kubelet_status(struct kubelet_pod *pod, kt_ns now)
{
	const struct kt_json *old = kt_get(pod->object->json, "status");
	int64_t generation = kt_path_int(pod->object->json, "metadata.generation", 0);
	const char *phase = kubelet_phase(pod), *why = pod->fail_reason;
	struct kubelet *kubelet = pod->node->kubelet;
	struct kt_json *lists[3] = {NULL, NULL, NULL};
	bool rejected = kubelet_is_rejection(why);

	for (struct kubelet_ctr *ctr = pod->ctrs; ctr && !rejected; ctr = ctr->next) {
		size_t which = ctr->role == KUBELET_MAIN ? 1 : ctr->role == KUBELET_EPHEMERAL ? 2 : 0;

		kt_push(&lists[which], container_json(ctr));
	}
	bool placed = pod->node->address && !rejected;
	if (placed && !pod->node->host_ips) {
		struct kt_json *address = kt_json_str(pod->node->address);

		pod->node->host_ips = one_address(address);
		kt_json_free(address);
	}
	struct kt_json *ip = pod->ip[0] ? kt_json_str(pod->ip) : NULL, *ips = one_address(ip);
	return KT_MEMBERS(
	        {"observedGeneration", generation ? kt_json_int(generation) : NULL},
	        {"phase", word(kubelet, phase)},
	        {"conditions",
	         rejected ? others_json(pod, kt_get(old, "conditions"))
	                  : conditions_json(pod, kt_get(old, "conditions"), phase, generation, now)},
	        {"message", why ? kt_json_str(pod->fail_message) : NULL}, {"reason", kt_json_str(why)},
	        {"hostIP", placed ? kt_json_ref(kt_path(pod->node->host_ips, "0.ip")) : NULL},
	        {"hostIPs", placed ? kt_json_ref(pod->node->host_ips) : NULL}, {"podIP", ip}, {"podIPs", ips},
	        {"startTime", time_json(kubelet, pod->started_at ? pod->started_at : now)},
	        {"initContainerStatuses", lists[0]},
	        {"containerStatuses", kt_count(lists[1]) > 1 ? by_name(lists[1]) : lists[1]},
	        {"qosClass", kt_json_ref(kt_get(old, "qosClass"))},
	        {"ephemeralContainerStatuses", kt_count(lists[2]) > 1 ? by_name(lists[2]) : lists[2]});
}

void kubelet_status_write(struct kubelet_pod *pod, kt_ns now)
{
	const struct store_object *because = store_ref(pod->object); /* the write makes it an old version */
	struct api_actor actor = kubelet_actor(pod);
	struct kt_json *json = kt_json_ref(because->json);

	pod->dirty = false;
	kt_set(&json, "status", kubelet_status(pod, now));
	pod->writing = true;
	api_update_status(pod->node->kubelet->cluster, &actor, pod->node->kubelet->pods, json, NULL);
	pod->writing = false;
	store_unref(because);
}

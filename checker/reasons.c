/* SPDX-License-Identifier: MIT */
/* What stands behind a failure, in the cluster's own words: why pods are not Ready, whom a Service sends to,
 * what became of requests. All of it is added to what was found; where nothing is known nothing is said. */
#include "checker/checker_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX   240 /* of a message of the cluster's */
#define REASONS_MAX 4

static const struct kt_json *named(const struct kt_json *list, const struct kt_json *like)
{
	const char *name = kt_get_str(like, "name");
	ptrdiff_t i = name ? kt_find(list, "name", name) : -1;
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

/* The scheduler's second sentence, on preemption, is left out. */
static void add_words(struct kt_buf *out, const char *words)
{
	const char *end = strstr(words, ". ");
	size_t len = end ? (size_t)(end - words) : strlen(words);
	kt_buf_add(out, words, KT_MIN(len, (size_t)WORDS_MAX));
	if (len > WORDS_MAX)
		kt_buf_adds(out, "…");
}

/* Of what the runtime says, the part after the layers that it came through: 'exec: "x": permission denied'.
 */
static void add_message(struct kt_buf *out, const struct kt_json *state)
{
	const char *words = kt_get_str(state, "message");
	if (!words || !*words)
		return;
	const char *exec = strstr(words, "exec: \"");
	kt_buf_adds(out, ": ");
	add_words(out, exec ? exec : words);
}

/* "OOMKilled, exit code 137", "Error, exit code 127", what could not even be started with the reason */
static void tell_ended(const struct kt_json *ended, struct kt_buf *out)
{
	const char *reason = kt_str_or(kt_get(ended, "reason"), "ended");
	kt_buf_addf(out, "%s, exit code %lld", reason, (long long)kt_get_int(ended, "exitCode", 0));
	if (kt_streq(reason, "StartError") || kt_streq(reason, "ContainerCannotRun"))
		add_message(out, ended);
}

/* An image that could not be pulled is tried again and again: in between its container waits with the one
 * reason or the other, as chance has it. Both are told, and what the registry said at the end of it. */
static bool tell_pull(const char *reason, const struct kt_json *status, const struct kt_json *spec,
                      struct kt_buf *out)
{
	static const char *const ends[] = {"pull access denied", ": "};
	const char *words = kt_str_or(kt_path(status, "state.waiting.message"), ""), *said = NULL;
	bool tried = kt_streq(reason, "ErrImagePull") || kt_streq(reason, "ImagePullBackOff");
	if (!tried && !kt_streq(reason, "InvalidImageName") && !kt_streq(reason, "ErrImageNeverPull"))
		return false;
	kt_buf_addf(out, "%s: %s%s", tried ? "ImagePullBackOff" : reason,
	            kt_str_or(kt_get(spec, "image"), "?"), tried ? ", ErrImagePull" : "");
	for (size_t i = 0; i < KT_COUNT(ends) && !said; i++)
		for (const char *at = words; (at = strstr(at, ends[i])); at++)
			said = i ? at + strlen(ends[i]) : at;
	if (said && *said) {
		kt_buf_adds(out, ": ");
		add_words(out, said);
	}
	return true;
}

/* What a container waits for; false: for nothing that is worth a word. */
static bool tell_waiting(const char *reason, const struct kt_json *status, const struct kt_json *spec,
                         struct kt_buf *out)
{
	static const char *const told[] = {"CreateContainerConfigError", "CreateContainerError",
	                                   "RunContainerError"};
	const struct kt_json *before = kt_path(status, "lastState.terminated");
	if (!reason || kt_streq(reason, "PodInitializing"))
		return false;
	if (tell_pull(reason, status, spec, out))
		return true;
	kt_buf_adds(out, reason);
	if (kt_streq(reason, "CrashLoopBackOff") && before) {
		kt_buf_adds(out, ": ");
		tell_ended(before, out);
	}
	for (size_t i = 0; i < KT_COUNT(told); i++)
		if (kt_streq(reason, told[i]))
			add_message(out, kt_path(status, "state.waiting"));
	return true;
}

/* Whether the kubelet starts it once more. It waits before it does, from the second time on: whether the
 * status says how it ended or already CrashLoopBackOff is chance. */
static bool is_in_back_off(const struct kt_json *pod, const struct kt_json *status, bool init)
{
	const char *policy = kt_str_or(kt_path(pod, "spec.restartPolicy"), "Always");
	bool failed = kt_path_int(status, "state.terminated.exitCode", 0) != 0;
	return kt_get_int(status, "restartCount", 0) > 0 &&
	       !kt_streq(kt_path_str(pod, "status.phase"), "Failed") &&
	       ((failed && !kt_streq(policy, "Never")) || (!init && kt_streq(policy, "Always")));
}

/* ", it was restarted: Error, exit code 1" */
static bool tell_restarted(const struct kt_json *status, struct kt_buf *out)
{
	const struct kt_json *before = kt_path(status, "lastState.terminated");
	if (!before || !kt_get_int(status, "restartCount", 0))
		return false;
	kt_buf_addf(out, "%sit was restarted: ", out->len ? ", " : "");
	tell_ended(before, out);
	return true;
}

/* Of a container that does not do its part; false: there is nothing to be said of it. */
static bool tell_container(const struct kt_json *pod, const struct kt_json *status,
                           const struct kt_json *spec, bool init, struct kt_buf *out)
{
	const struct kt_json *ended = kt_path(status, "state.terminated");
	if (tell_waiting(kt_str(kt_path(status, "state.waiting.reason")), status, spec, out))
		return true;
	if (ended && (!init || kt_get_int(ended, "exitCode", 0))) {
		kt_buf_adds(out, is_in_back_off(pod, status, init) ? "CrashLoopBackOff: " : "");
		tell_ended(ended, out);
		return true;
	}
	bool runs = kt_path(status, "state.running") && !kt_get_bool(status, "ready", false);
	if (runs && init && !kt_get(spec, "startupProbe"))
		kt_buf_adds(out, "it runs");
	else if (runs && kt_get(spec, "startupProbe") && !kt_get_bool(status, "started", false))
		kt_buf_adds(out, "its startup probe does not pass");
	else if (runs && kt_get(spec, "readinessProbe"))
		kt_buf_adds(out, "its readiness probe does not pass");
	if (runs)
		tell_restarted(status, out);
	return out->len > 0;
}

/* The same with its name, which says nothing of one alone. */
static bool tell_named(const struct kt_json *pod, const struct kt_json *status, const struct kt_json *specs,
                       bool init, struct kt_buf *out)
{
	struct kt_buf words = {0};
	bool told = tell_container(pod, status, named(specs, status), init, &words);
	if (told && (init || kt_count(specs) > 1))
		kt_buf_addf(out, "%s %s: %s", init ? "init container" : "container",
		            kt_str_or(kt_get(status, "name"), "?"),
		            init && isupper((unsigned char)words.data[0]) ? "Init:" : ""); /* as kubectl */
	kt_buf_adds(out, told ? kt_buf_str(&words) : "");
	kt_buf_clear(&words);
	return told;
}

/* Why a pod is not Ready, a phrase. */
static void tell_pod(const struct kt_json *pod, struct kt_buf *out)
{
	static const char *const lists[][2] = {{"status.initContainerStatuses", "spec.initContainers"},
	                                       {"status.containerStatuses", "spec.containers"}};
	const struct kt_json *scheduled = check_condition(pod, "PodScheduled"), *status;
	if (kt_streq(kt_get_str(scheduled, "status"), "False")) {
		kt_buf_addf(out, "%s: ", kt_str_or(kt_get(scheduled, "reason"), "Unschedulable"));
		add_words(out, kt_str_or(kt_get(scheduled, "message"), "no node takes it"));
		return;
	}
	/* one that ended well is to blame only if no other is */
	for (size_t l = 0; l < 2 * KT_COUNT(lists); l++) {
		bool init = l % 2 == 0;
		const struct kt_json *specs = kt_path(pod, lists[l % 2][1]);
		KT_JSON_EACH (status, kt_path(pod, lists[l % 2][0])) {
			bool well = kt_path(status, "state.terminated") &&
			            !kt_path_int(status, "state.terminated.exitCode", 0);
			if (kt_get_bool(status, "ready", false) || well != (l >= KT_COUNT(lists)))
				continue;
			if (tell_named(pod, status, specs, init, out))
				return;
		}
	}
}

/* Why a pod has failed: the kubelet's or a controller's word for all of it, or how its container ended. */
static void tell_failed(const struct kt_json *pod, struct kt_buf *out)
{
	const char *reason = kt_path_str(pod, "status.reason"), *message = kt_path_str(pod, "status.message");
	if (!reason) {
		tell_pod(pod, out);
		return;
	}
	kt_buf_addf(out, "%s%s", reason, message ? ": " : "");
	add_words(out, message ? message : "");
}

/* Each phrase once, with how many it is true of. Drops what is in `phrase`. */
static void count_phrase(struct kt_json **counts, struct kt_buf *phrase)
{
	if (phrase->len)
		kt_set(counts, kt_buf_str(phrase),
		       kt_json_int(kt_get_int(*counts, kt_buf_str(phrase), 0) + 1));
	kt_buf_clear(phrase);
}

static void add_phrases(const struct kt_json *counts, struct kt_buf *out)
{
	for (size_t i = 0; i < kt_count(counts) && i < REASONS_MAX; i++) {
		long long n = kt_int_or(kt_at(counts, i), 0);
		kt_buf_adds(out, i ? "; " : " (");
		if (n > 1)
			kt_buf_addf(out, "%lld × ", n);
		kt_buf_adds(out, kt_key(counts, i));
	}
	if (kt_count(counts))
		kt_buf_addc(out, ')');
}

/* What of a pod only its events say: what its probe got for an answer, which volume is not there. */
static bool count_event(const struct check_run *run, const struct kt_json *pod, struct kt_json **counts)
{
	static const char *const reasons[] = {
	        "FailedMount",         "FailedAttachVolume", "FailedCreatePodSandBox",
	        "FailedPostStartHook", "Unhealthy",          NULL};
	struct kt_buf phrase = {0};
	bool told = check_tell_event(run, pod, reasons, &phrase);
	count_phrase(counts, &phrase);
	return told;
}

void check_tell_pod(const struct check_run *run, const struct kt_json *pod, struct kt_buf *out)
{
	struct kt_json *counts = kt_json_object();
	const struct kt_json *status;
	struct kt_buf phrase = {0};
	bool active = check_pod_active(pod), ready = check_pod_ready(pod);
	if (active && !ready)
		tell_pod(pod, &phrase);
	KT_JSON_EACH (status, active && ready ? kt_path(pod, "status.containerStatuses") : NULL)
		if (!phrase.len)
			tell_restarted(status, &phrase);
	bool told = phrase.len > 0;
	count_phrase(&counts, &phrase);
	if (active && (!ready || told))
		count_event(run, pod, &counts);
	add_phrases(counts, out);
	kt_json_free(counts);
}

/* What an object's own conditions say of pods that could not even be made. */
static void count_conditions(const struct kt_json *object, struct kt_json **counts)
{
	static const char *const bad[][2] = {{"ReplicaFailure", "True"}, {"Failed", "True"},
	                                     {"Progressing", "False"},   {"ScalingActive", "False"},
	                                     {"AbleToScale", "False"},   {"Ready", "False"},
	                                     {"Ready", "Unknown"}};
	for (size_t i = 0; i < KT_COUNT(bad); i++) {
		const struct kt_json *condition = check_condition(object, bad[i][0]);
		struct kt_buf phrase = {0};
		if (!kt_streq(kt_get_str(condition, "status"), bad[i][1]))
			continue;
		kt_buf_addf(&phrase, "%s%s: ", kt_streq(bad[i][0], "Ready") ? "NotReady: " : "",
		            kt_str_or(kt_get(condition, "reason"), bad[i][0]));
		add_words(&phrase, kt_str_or(kt_get(condition, "message"), ""));
		count_phrase(counts, &phrase);
	}
}

void check_tell_object(const struct check_run *run, const struct kt_json *object, struct kt_buf *out)
{
	static const char *const reasons[] = {"ProvisioningFailed", "FailedBinding", "WaitForFirstConsumer",
	                                      "ExternalProvisioning", NULL};
	struct kt_json *counts = kt_json_object();
	struct kt_buf phrase = {0};
	count_conditions(object, &counts);
	check_tell_event(run, object, reasons, &phrase);
	count_phrase(&counts, &phrase);
	add_phrases(counts, out);
	kt_json_free(counts);
}

/* A Deployment's condition keeps the words of the first refusal for as long as anything is refused: its
 * newest set that lacks pods knows the last ones. */
static const struct kt_json *newest_set(const struct kt_json *deployment, const struct kt_json *sets)
{
	const char *uid = kt_path_str(deployment, "metadata.uid");
	const struct kt_json *set, *newest = NULL;
	long long most = -1;
	KT_JSON_EACH (set, sets) {
		const char *revision =
		        kt_get_str(kt_path(set, "metadata.annotations"), "deployment.kubernetes.io/revision");
		long long n = revision ? strtoll(revision, NULL, 10) : 0;
		if (n > most && kt_find(kt_path(set, "metadata.ownerReferences"), "uid", uid) >= 0) {
			most = n;
			newest = set;
		}
	}
	return newest;
}

static void count_refusals(const struct check_run *run, const char *words, struct kt_json **counts)
{
	struct check_ref ref;
	struct kt_json *object = NULL, *sets = NULL;
	if (check_ref_of(run, words, &ref, NULL) || ref.is_set || check_get(run, &ref, &object, NULL))
		return;
	char *set_words = kt_strf("replicasets.apps %s", ref.ns);
	bool deployment =
	        kt_streq(ref.resource.kind, "Deployment") && check_condition(object, "ReplicaFailure");
	if (deployment && !check_list_words(run, set_words, &sets, NULL))
		count_conditions(newest_set(object, sets), counts);
	if (!kt_count(*counts) || !deployment)
		count_conditions(object, counts);
	kt_free(set_words);
	kt_json_free(sets);
	kt_json_free(object);
}

void check_tell_unready(const struct check_run *run, const char *words, const struct kt_json *pods,
                        struct kt_buf *out)
{
	struct kt_json *counts = kt_json_object();
	const struct kt_json *pod;
	KT_JSON_EACH (pod, pods) {
		struct kt_buf phrase = {0};
		if (kt_streq(kt_path_str(pod, "status.phase"), "Failed"))
			tell_failed(pod, &phrase);
		else if (check_pod_active(pod) && !check_pod_ready(pod))
			tell_pod(pod, &phrase);
		count_phrase(&counts, &phrase);
	}
	count_refusals(run, words, &counts);
	bool told = false;
	KT_JSON_EACH (pod, pods)
		if (!told && check_pod_active(pod) && !check_pod_ready(pod))
			told = count_event(run, pod, &counts);
	add_phrases(counts, out);
	kt_json_free(counts);
}

void check_tell_behind(const struct check_run *run, const char *words, struct kt_buf *out)
{
	struct kt_json *pods = NULL;
	if (!check_pods_of(run, words, &pods, NULL))
		check_tell_unready(run, words, pods, out);
	kt_json_free(pods);
}

void check_tell_held(const struct kt_json *object, struct kt_buf *out)
{
	static const char *const types[] = {"NamespaceFinalizersRemaining", "NamespaceContentRemaining",
	                                    "NamespaceDeletionContentFailure"};
	const struct kt_json *finalizers = kt_path(object, "metadata.finalizers"), *one;
	KT_JSON_EACH (one, finalizers)
		kt_buf_addf(out, "%s%s", one_i ? ", " : " (finalizers: ", kt_str_or(one, "?"));
	if (kt_count(finalizers))
		kt_buf_addc(out, ')');
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		const struct kt_json *condition = check_condition(object, types[i]);
		if (!kt_streq(kt_get_str(condition, "status"), "True"))
			continue;
		kt_buf_adds(out, " (");
		add_words(out, kt_str_or(kt_get(condition, "message"), types[i]));
		kt_buf_addc(out, ')');
		return;
	}
}

void check_tell_endpoints(const struct check_run *run, const char *ns, const char *service,
                          struct kt_buf *out)
{
	struct kt_json *slices = NULL;
	const struct kt_json *slice, *endpoint, *port;
	char *set = kt_strf("endpointslices %s kubernetes.io/service-name=%s", ns, service),
	     *words = kt_strf("service %s/%s", ns, service);
	enum kt_code rc = check_list_words(run, set, &slices, NULL);
	long long ready = 0, other = 0;
	struct kt_json *ports = kt_json_object();
	KT_JSON_EACH (slice, slices) {
		KT_JSON_EACH (endpoint, kt_get(slice, "endpoints")) {
			bool serves = kt_get_bool(kt_get(endpoint, "conditions"), "ready", true);
			ready += serves;
			other += !serves;
		}
		KT_JSON_EACH (port, kt_get(slice, "ports")) {
			char *number = kt_strf("%lld", (long long)kt_get_int(port, "port", 0));
			kt_set(&ports, number, kt_json_bool(true));
			kt_free(number);
		}
	}
	if (!rc && ready) {
		kt_buf_addf(out, " (endpoints of %s: %lld, port", service, ready);
		for (size_t i = 0; i < kt_count(ports); i++)
			kt_buf_addf(out, "%s %s", i ? "," : "", kt_key(ports, i));
		kt_buf_addc(out, ')');
	} else if (!rc && kt_count(slices)) {
		kt_buf_addf(out, " (service %s has no endpoints", service);
		if (other)
			kt_buf_addf(out, " that are ready, %lld that are not", other);
		kt_buf_addc(out, ')');
		check_tell_behind(run, words, out);
	}
	kt_json_free(ports);
	kt_json_free(slices);
	kt_free(words);
	kt_free(set);
}

void check_tell_lost(const struct kt_json *traffic, struct kt_buf *out)
{
	const struct kt_json *cause;
	struct kt_json *sums = kt_json_object();
	KT_JSON_EACH (cause, kt_get(traffic, "causes")) {
		const char *why = kt_str_or(kt_get(cause, "why"), "?");
		kt_set(&sums, why,
		       kt_json_real(kt_real_or(kt_get(sums, why), 0) +
		                    kt_real_or(kt_get(cause, "errors"), 0)));
	}
	for (size_t told = 0; told < REASONS_MAX; told++) {
		size_t most = 0;
		for (size_t i = 1; i < kt_count(sums); i++)
			if (kt_real_or(kt_at(sums, i), 0) > kt_real_or(kt_at(sums, most), 0))
				most = i;
		double lost = kt_count(sums) ? kt_real_or(kt_at(sums, most), 0) : 0;
		if (lost < 0.5)
			break;
		kt_buf_addf(out, "%s%.0f: %s", told ? "; " : "; not: ", lost, kt_key(sums, most));
		kt_put(&sums, most, kt_json_int(0));
	}
	kt_json_free(sums);
}

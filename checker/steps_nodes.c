/* SPDX-License-Identifier: MIT */
/* Steps about nodes, pods, the world and time. */
#include "checker/steps_internal.h"

#include <string.h>

#define DRAIN_LIMIT (5 * KT_MIN_NS)
#define WAIT_LIMIT  (60 * KT_SEC)
#define DEATH_LOOKS 20
#define DEATH_LOOK  (250 * KT_MS)

enum kt_code check_pass(const struct check_run *run, kt_ns span, bool until_change, kt_ns *passed,
                        struct kt_err *err)
{
	kt_ns dummy = 0;
	if (!run->world || !run->world->pass)
		return kt_fail(err, KT_EUNSUPPORTED, "time cannot pass on this cluster");
	return run->world->pass(run->world->arg, span, until_change, passed ? passed : &dummy, err);
}

enum kt_code check_wait_until(const struct check_run *run, kt_ns limit,
                              enum kt_code (*done)(const struct check_run *run, void *arg, bool *out,
                                                   struct kt_err *err),
                              void *arg, const char *sentence, struct kt_err *err)
{
	kt_ns began = run->world->now(run->world->arg);
	for (;;) {
		bool is_done = false;
		enum kt_code rc = done(run, arg, &is_done, err);
		if (rc || is_done)
			return rc;
		kt_ns elapsed = run->world->now(run->world->arg) - began;
		if (elapsed >= limit)
			return kt_fail(err, KT_ETIMEOUT, "%s: not done after %lld s", sentence,
			               (long long)(limit / KT_SEC));
		if (!check_tell(run, elapsed, limit, "%s", sentence))
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		rc = check_pass(run, KT_MIN(limit - elapsed, KT_SEC), true, NULL, err);
		if (rc)
			return rc;
	}
}

static enum kt_code patch_node(const struct check_run *run, const char *node, const struct kt_json *patch,
                               struct kt_err *err)
{
	char *path = kt_strf("/api/v1/nodes/%s", node);
	enum kt_code rc =
	        check_call(run, "PATCH", path, "application/strategic-merge-patch+json", patch, NULL, err);
	kt_free(path);
	return rc;
}

static enum kt_code cordon(const struct check_run *run, const struct kt_json *nodes, bool on,
                           struct kt_err *err)
{
	const struct kt_json *node;
	struct kt_json *patch = kt_jsonf("{spec: {unschedulable: %b}}", on);
	enum kt_code rc = KT_OK;
	KT_JSON_EACH (node, nodes)
		if (!rc)
			rc = patch_node(run, kt_path_str(node, "metadata.name"), patch, err);
	kt_json_free(patch);
	return rc;
}

static enum kt_code cordon_picked(const struct check_run *run, const struct check_step *step, bool on,
                                  struct kt_err *err)
{
	struct kt_json *nodes = NULL;
	enum kt_code rc = check_pick(run, step->body, true, &nodes, err);
	if (!rc)
		rc = cordon(run, nodes, on, err);
	kt_json_free(nodes);
	return rc;
}

enum kt_code check_do_cordon(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	return cordon_picked(run, step, true, err);
}

enum kt_code check_do_uncordon(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	return cordon_picked(run, step, false, err);
}

/* --- drain: through the eviction API, asked again while a budget refuses (as kubectl drain does) --- */

static bool is_daemon(const struct kt_json *pod)
{
	const struct kt_json *owners = kt_path(pod, "metadata.ownerReferences"), *owner;
	KT_JSON_EACH (owner, owners)
		if (kt_streq(kt_get_str(owner, "kind"), "DaemonSet"))
			return true;
	return kt_path(pod, "metadata.annotations") &&
	       kt_get(kt_path(pod, "metadata.annotations"), "kubernetes.io/config.mirror");
}

/* `refused`, if it is wanted, gets the words of a budget that refuses. */
static enum kt_code evict(const struct check_run *run, const struct kt_json *pod, struct kt_err *refused,
                          struct kt_err *err)
{
	const char *ns = kt_path_str(pod, "metadata.namespace"), *name = kt_path_str(pod, "metadata.name");
	struct kt_json *body = kt_jsonf(
	        "{apiVersion: 'policy/v1', kind: 'Eviction', metadata: {name: %s, namespace: %s}}", name, ns);
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s/eviction", ns, name);
	struct kt_err local = {0};
	enum kt_code rc = check_call(run, "POST", path, NULL, body, NULL, &local);
	kt_json_free(body);
	kt_free(path);
	if (rc == KT_ELIMIT && refused) {
		kt_err_clear(refused);
		kt_fail(refused, rc, "%s: %s", name, local.text);
	}
	if (!rc || rc == KT_ENOTFOUND || rc == KT_ELIMIT) /* refused by a budget: asked again */
		return KT_OK;
	return kt_fail(err, rc, "%s", local.text);
}

enum kt_code check_do_evict(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_json *pods = NULL;
	const struct kt_json *pod;
	enum kt_code rc = check_pick(run, step->body, false, &pods, err);
	KT_JSON_EACH (pod, pods)
		if (!rc)
			rc = evict(run, pod, NULL, err);
	kt_json_free(pods);
	return rc;
}

struct draining {
	const char *node;
	struct kt_err refused; /* the last refusal, of the last round */
};

/* Ask every pod that is still there; true when none is left. */
static enum kt_code drained(const struct check_run *run, void *arg, bool *out, struct kt_err *err)
{
	struct draining *draining = arg;
	struct kt_json *pods = NULL;
	const struct kt_json *pod;
	struct kt_buf path = {0};
	kt_buf_addf(&path, "/api/v1/pods?fieldSelector=spec.nodeName%%3D%s", draining->node);
	kt_err_clear(&draining->refused);
	struct kt_json *list = NULL;
	enum kt_code rc = check_call(run, "GET", kt_buf_str(&path), NULL, NULL, &list, err);
	kt_buf_clear(&path);
	pods = kt_json_ref(kt_get(list, "items"));
	*out = true;
	KT_JSON_EACH (pod, pods) {
		const char *phase = kt_path_str(pod, "status.phase");
		if (rc || is_daemon(pod) || kt_streq(phase, "Succeeded") || kt_streq(phase, "Failed"))
			continue;
		*out = false;
		if (!kt_path(pod, "metadata.deletionTimestamp"))
			rc = evict(run, pod, &draining->refused, err);
	}
	kt_json_free(pods);
	kt_json_free(list);
	return rc;
}

enum kt_code check_do_drain(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_json *nodes = NULL;
	const struct kt_json *node;
	enum kt_code rc = check_pick(run, step->body, true, &nodes, err);
	if (!rc)
		rc = cordon(run, nodes, true, err);
	KT_JSON_EACH (node, nodes) {
		char *name = kt_strdup(kt_path_str(node, "metadata.name")),
		     *sentence = kt_strf("draining %s", name);
		struct draining draining = {.node = name};
		if (!rc)
			rc = check_wait_until(run, DRAIN_LIMIT, drained, &draining, sentence, err);
		if (rc == KT_ETIMEOUT && draining.refused.text[0]) {
			kt_err_clear(err);
			kt_fail(err, rc, "%s: not done after %d s: %s", sentence, (int)(DRAIN_LIMIT / KT_SEC),
			        draining.refused.text);
		}
		kt_free(sentence);
		kt_free(name);
	}
	kt_json_free(nodes);
	return rc;
}

/* --- the world --- */

/* A selection of nodes is made here, through the API; the world is told names. */
/* `load: {to: host shop.example}`: whoever answers to that name now. */
static enum kt_code load_of_host(const struct check_run *run, const struct check_step *step,
                                 struct kt_err *err)
{
	const char *words = kt_get_str(step->body, "to");
	char *to = NULL;
	enum kt_code rc = check_edge_words(run, words, &to, err);
	struct kt_json *load = rc ? NULL : kt_jsonf("{load: %J}", step->body);
	if (!rc) {
		struct kt_json **body = kt_edit(&load, "load");
		kt_set(body, "to", kt_json_str(to));
		if (!kt_get(*body, "host"))
			kt_set(body, "host", kt_json_str(words + strlen("host ")));
		rc = run->world->disturb(run->world->arg, load, err);
	}
	kt_json_free(load);
	kt_free(to);
	return rc;
}

enum kt_code check_do_disturb(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	if (!run->world || !run->world->disturb)
		return kt_fail(err, KT_EUNSUPPORTED, "this cluster cannot be disturbed");
	const struct kt_json *pick = kt_get(step->body, "pick"), *node;
	if (kt_starts(kt_str_or(kt_get(step->body, "to"), ""), "host "))
		return load_of_host(run, step, err);
	if (!pick)
		return run->world->disturb(run->world->arg, step->node, err);
	struct kt_json *nodes = NULL;
	enum kt_code rc = check_pick(run, pick, true, &nodes, err);
	KT_JSON_EACH (node, nodes) {
		if (rc)
			break;
		struct kt_json *one = kt_jsonf("{node: {is: %J, pick: {name: %J}}}", kt_get(step->body, "is"),
		                               kt_path(node, "metadata.name"));
		rc = run->world->disturb(run->world->arg, one, err);
		kt_json_free(one);
	}
	kt_json_free(nodes);
	return rc;
}

static int64_t restarts_of(const struct kt_json *pod)
{
	const struct kt_json *status;
	int64_t sum = 0;
	KT_JSON_EACH (status, kt_path(pod, "status.containerStatuses"))
		sum += kt_get_int(status, "restartCount", 0);
	return sum;
}

/* A kill comes about a moment later, and the copy that a lab's reset goes back to knows of it only once the
 * pod says so. Not in drills, where each moment counts. */
static void see_it_die(const struct check_run *run, const struct kt_json *pod)
{
	char *path = kt_strf("/api/v1/namespaces/%s/pods/%s", kt_path_str(pod, "metadata.namespace"),
	                     kt_path_str(pod, "metadata.name"));
	bool seen = false;
	for (int i = 0; i < DEATH_LOOKS && !seen; i++) {
		struct kt_json *now = NULL;
		struct kt_err err = {0};
		if (check_pass(run, DEATH_LOOK, true, NULL, &err))
			break;
		seen = check_call(run, "GET", path, NULL, NULL, &now, &err) ||
		       restarts_of(now) != restarts_of(pod) ||
		       !kt_streq(kt_path_str(now, "status.phase"), "Running");
		kt_json_free(now);
	}
	kt_free(path);
}

enum kt_code check_do_pod(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_json *pods = NULL;
	const struct kt_json *pod;
	const char *is = kt_get_str(step->body, "is");
	enum kt_code rc = check_pick(run, kt_get(step->body, "pick"), false, &pods, err);
	KT_JSON_EACH (pod, pods) {
		if (rc)
			break;
		const char *ns = kt_path_str(pod, "metadata.namespace"),
		           *name = kt_path_str(pod, "metadata.name");
		if (kt_streq(is, "deleted")) {
			char *path = kt_strf("/api/v1/namespaces/%s/pods/%s", ns, name);
			rc = check_call(run, "DELETE", path, NULL, NULL, NULL, err);
			kt_free(path);
		} else {
			struct kt_json *one =
			        kt_jsonf("{pod: {is: %s, pick: {namespace: %s, name: %s}, container: %J}}",
			                 is, ns, name, kt_path(step->body, "pick.container"));
			rc = run->world->disturb(run->world->arg, one, err);
			kt_json_free(one);
			if (!rc && !run->began && !run->once)
				see_it_die(run, pod);
		}
	}
	kt_json_free(pods);
	return rc;
}

/* --- time --- */

static enum kt_code pass_all(const struct check_run *run, kt_ns span, struct kt_err *err)
{
	for (kt_ns left = span; left > 0;) {
		kt_ns passed = 0;
		if (!check_tell(run, span - left, span, "waiting"))
			return kt_fail(err, KT_ECANCELLED, "cancelled");
		enum kt_code rc = check_pass(run, left, false, &passed, err);
		if (rc)
			return rc;
		left -= KT_MAX(passed, KT_MS);
	}
	return KT_OK;
}

/* How long a wait waits: what it says, or the most patient of its checks where one says so. */
static kt_ns wait_limit(const struct check_step *step)
{
	kt_ns limit = 0;
	for (size_t i = 0; i < step->until_count; i++)
		if (step->until[i]->patient)
			limit = KT_MAX(limit, step->until[i]->within);
	return check_duration(kt_get(step->body, "within"), limit ? limit : WAIT_LIMIT);
}

/* Look at all until one does not hold. */
static bool all_hold(const struct check_run *run, const struct check_step *step,
                     struct check_finding *finding)
{
	for (size_t i = 0; i < step->until_count; i++) {
		check_finding_clear(finding);
		check_look_once(run, step->until[i], finding);
		if (finding->status != CHECK_PASSED)
			return false;
	}
	return true;
}

enum kt_code check_do_wait(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	if (!step->until)
		return pass_all(run, check_duration(step->body, 0), err);
	kt_ns limit = wait_limit(step), began = run->world->now(run->world->arg);
	for (;;) {
		struct check_finding finding = {0};
		enum kt_code rc = all_hold(run, step, &finding) ? KT_OK : KT_ETIMEOUT;
		kt_ns elapsed = run->world->now(run->world->arg) - began;
		if (rc && elapsed >= limit)
			kt_fail(err, rc, "not so after %lld s: expected %s; found %s",
			        (long long)(limit / KT_SEC), finding.expected ? finding.expected : "?",
			        finding.found ? finding.found : "?");
		bool go_on = rc && elapsed < limit;
		if (go_on && !check_tell(run, elapsed, limit, "waiting for %s",
		                         finding.expected ? finding.expected : "the cluster"))
			rc = kt_fail(err, KT_ECANCELLED, "cancelled");
		check_finding_clear(&finding);
		if (!go_on || rc == KT_ECANCELLED)
			return rc;
		rc = check_pass(run, KT_MIN(limit - elapsed, KT_SEC), true, NULL, err);
		if (rc)
			return rc;
	}
}

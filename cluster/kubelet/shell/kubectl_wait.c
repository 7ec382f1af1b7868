/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: wait, and rollout status: asked again every second until it is so, or for too long. */
#include "cluster/kubelet/shell/kubectl.h"

#include <string.h>
#include <strings.h>

bool kubectl_expired(const struct tool_run *r, const struct kubectl *s, const char *limit)
{
	kt_ns span = 0;
	return limit && kt_duration_parse(limit, &span) && span &&
	       process_now(r->task->process) - s->since >= span;
}

/* Those that are to be waited for still; false: the time is over. */
static bool go_on(struct tool_run *r, struct kubectl *s, kt_ns usual)
{
	kt_ns limit = usual, now = process_now(r->task->process);
	if (s->timeout && !kt_duration_parse(s->timeout, &limit))
		limit = usual;
	if (!limit) /* 0: a single look, or for ever where there is no limit otherwise */
		limit = usual ? 0 : INT64_MAX / 2;
	if (now - s->since >= limit)
		return false;
	s->pause = KT_SEC;
	return true;
}

static bool ask_one(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (!kubectl_want_objects(r, s, &first))
		return false;
	if (!s->at) {
		s->since = process_now(r->task->process);
		s->at = first;
	}
	if (s->at >= s->words.count) {
		if (s->at == first)
			kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		return false;
	}
	s->call = (struct kubectl_call){
	        .method = "GET", .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at))};
	return true;
}

/* --- wait --- */

/* condition=NAME[=VALUE] */
static bool condition_is(const struct kt_json *object, const char *wanted)
{
	const char *equals = strchr(wanted, '=');
	char *name = kt_strndup(wanted, equals ? (size_t)(equals - wanted) : strlen(wanted));
	const struct kt_json *one;
	bool is = false;
	KT_JSON_EACH (one, kt_path(object, "status.conditions"))
		if (!strcasecmp(kt_str_or(kt_get(one, "type"), ""), name))
			is = !strcasecmp(kt_str_or(kt_get(one, "status"), ""), equals ? equals + 1 : "True");
	kt_free(name);
	return is;
}

/* jsonpath={.status.phase}=Running, or without a value: there is one */
static bool path_is(const struct kt_json *object, const char *wanted)
{
	const char *from = wanted + strspn(wanted, "'{$"), *end = from + strcspn(from, "}=");
	const char *equals = strchr(end, '=');
	char *path = kt_strndup(from + (*from == '.'), (size_t)(end - from) - (*from == '.'));
	const struct kt_json *value = kt_path(object, path);
	char *text = value ? kt_json_text(value) : NULL;
	const char *plain = kt_str_or(value, text);
	bool is = value && (!equals || kt_streq(plain, equals + 1));
	kt_free(text);
	kt_free(path);
	return is;
}

bool kubectl_ask_wait(struct tool_run *r, struct kubectl *s)
{
	if (!s->condition) {
		kubectl_complain(r, s, "error: required flag(s) \"for\" not set");
		return false;
	}
	/* gone; of one that never was nothing is told */
	if (kt_streq(s->condition, "delete") && s->at && s->fetch.response.status == 404) {
		if (s->told)
			kubectl_told(r, s, kubectl_name_at(s, s->at), true, "condition met");
		kt_free(s->told);
		s->told = NULL;
		s->at++;
	}
	return !s->status && ask_one(r, s);
}

void kubectl_tell_wait(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *object = kubectl_answer(body);
	if (!object)
		return;
	bool is = kt_starts(s->condition, "condition=")  ? condition_is(object, s->condition + 10)
	          : kt_starts(s->condition, "jsonpath=") ? path_is(object, s->condition + 9)
	                                                 : kt_streq(s->condition, "create");
	const char *name = kubectl_name_at(s, s->at);
	if (is) {
		kubectl_told(r, s, name, true, "condition met");
		s->at++;
	} else if (go_on(r, s, 30 * KT_SEC)) {
		kt_free(s->told);
		s->told = kt_strdup(name);
	} else {
		kubectl_complain(r, s, "error: timed out waiting for the condition on %s/%s",
		                 s->kind->resource, name);
	}
	kt_json_free(object);
}

/* --- rollout status --- */

/* What is not there yet, in kubectl's words (polymorphichelpers/rollout_status.go); NULL: nothing. New. */
static char *missing(const struct kt_json *object, const char *kind, const char *name)
{
	long long wanted = kt_path_int(object, "spec.replicas", 1),
	          updated = kt_path_int(object, "status.updatedReplicas", 0),
	          there = kt_path_int(object, "status.replicas", 0),
	          available = kt_path_int(object, "status.availableReplicas", 0),
	          ready = kt_path_int(object, "status.readyReplicas", 0);
	bool seen = kt_path_int(object, "metadata.generation", 0) <=
	            kt_path_int(object, "status.observedGeneration", 0);
	if (kt_streq(kind, "Deployment")) {
		if (!seen)
			return kt_strdup("Waiting for deployment spec update to be observed...");
		if (updated < wanted)
			return kt_strf(
			        "Waiting for deployment \"%s\" rollout to finish: %lld out of %lld new "
			        "replicas have been updated...",
			        name, updated, wanted);
		if (there > updated)
			return kt_strf(
			        "Waiting for deployment \"%s\" rollout to finish: %lld old replicas are "
			        "pending termination...",
			        name, there - updated);
		return available < updated
		               ? kt_strf("Waiting for deployment \"%s\" rollout to finish: %lld of "
		                         "%lld updated replicas are available...",
		                         name, available, updated)
		               : NULL;
	}
	if (kt_streq(kind, "DaemonSet")) {
		wanted = kt_path_int(object, "status.desiredNumberScheduled", 0);
		updated = kt_path_int(object, "status.updatedNumberScheduled", 0);
		available = kt_path_int(object, "status.numberAvailable", 0);
		if (!seen)
			return kt_strdup("Waiting for daemon set spec update to be observed...");
		if (updated < wanted)
			return kt_strf(
			        "Waiting for daemon set \"%s\" rollout to finish: %lld out of %lld new "
			        "pods have been updated...",
			        name, updated, wanted);
		return available < wanted
		               ? kt_strf("Waiting for daemon set \"%s\" rollout to finish: %lld of "
		                         "%lld updated pods are available...",
		                         name, available, wanted)
		               : NULL;
	}
	if (!seen)
		return kt_strdup("Waiting for statefulset spec update to be observed...");
	if (ready < wanted)
		return kt_strf("Waiting for %lld pods to be ready...", wanted - ready);
	return kt_streq(kt_path_str(object, "status.updateRevision"),
	                kt_path_str(object, "status.currentRevision"))
	               ? NULL
	               : kt_strf("waiting for statefulset rolling update to complete %lld pods at revision "
	                         "%s...",
	                         updated, kt_str_or(kt_path(object, "status.updateRevision"), ""));
}

/* A Deployment that is too late says so itself. */
static bool is_late(const struct kt_json *object)
{
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_path(object, "status.conditions"))
		if (kt_streq(kt_get_str(one, "reason"), "ProgressDeadlineExceeded"))
			return true;
	return false;
}

bool kubectl_ask_status(struct tool_run *r, struct kubectl *s)
{
	return !s->status && ask_one(r, s);
}

void kubectl_tell_status(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *object = kubectl_answer(body);
	if (!object)
		return;
	const char *name = kubectl_name_at(s, s->at), *kind = s->kind->kind;
	char *lacks = missing(object, kind, name);
	bool again = lacks && s->told && !strcmp(s->told, lacks);
	if (lacks && !again)
		tool_outf(r, "%s\n", lacks);
	if (!lacks) {
		tool_outf(r,
		          kt_streq(kind, "Deployment")  ? "deployment \"%s\" successfully rolled out\n"
		          : kt_streq(kind, "DaemonSet") ? "daemon set \"%s\" successfully rolled out\n"
		                                        : "partitioned roll out complete: \"%s\"\n",
		          name);
		s->at++;
	} else if (is_late(object)) {
		kubectl_complain(r, s, "error: deployment \"%s\" exceeded its progress deadline", name);
	} else if (!go_on(r, s, 0)) {
		kubectl_complain(r, s, "error: timed out waiting for the condition");
	}
	kt_free(s->told);
	s->told = lacks;
	kt_json_free(object);
}

/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: set, rollout, and what looks at an object first. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

#define REVISION "deployment.kubernetes.io/revision"

static bool get_object(struct tool_run *r, struct kubectl *s, size_t *first)
{
	if (!kubectl_want_objects(r, s, first))
		return false;
	if (*first >= s->words.count) {
		kubectl_complain(r, s, "error: resource(s) were provided, but no name was specified");
		return false;
	}
	s->at = *first;
	s->call = (struct kubectl_call){
	        .method = "GET", .path = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, *first))};
	return true;
}

/* --- set --- */

/* Where the pod's spec is in such an object. */
static const char *pod_spec(const struct kubectl *s)
{
	if (kt_streq(s->kind->kind, "Pod"))
		return "spec";
	return kt_streq(s->kind->kind, "CronJob") ? "spec.jobTemplate.spec.template.spec"
	                                          : "spec.template.spec";
}

/* A patch of it that holds `steal`. */
static struct kt_json *pod_patch(const struct kubectl *s, struct kt_json *steal)
{
	if (kt_streq(s->kind->kind, "Pod"))
		return kt_jsonf("{spec: %j}", steal);
	if (kt_streq(s->kind->kind, "CronJob"))
		return kt_jsonf("{spec: {jobTemplate: {spec: {template: {spec: %j}}}}}", steal);
	return kt_jsonf("{spec: {template: {spec: %j}}}", steal);
}

/* What `set` makes of one container; NULL: it says nothing of it. */
static struct kt_json *container_change(const struct kubectl *s, const char *what, size_t first,
                                        const char *name)
{
	struct kt_json *out = kt_jsonf("{name: %s}", name);
	if (kt_streq(what, "env")) {
		struct kt_json *env = kt_json_array();
		for (size_t i = first; i < s->words.count; i++) {
			const char *word = s->words.items[i], *equals = strchr(word, '=');
			char *key = kt_strndup(word, equals ? (size_t)(equals - word)
			                                    : strlen(word) - kt_ends(word, "-"));
			struct kt_json *one = kt_jsonf("{name: %s}", key);
			kt_set(&one, equals ? "value" : "$patch",
			       kt_json_str(equals ? equals + 1 : "delete"));
			kt_push(&env, one);
			kt_free(key);
		}
		kt_set(&out, "env", env);
	} else if (kt_streq(what, "resources")) {
		const char *limits = kubectl_option(s, "limits"), *requests = kubectl_option(s, "requests");
		struct kt_json *resources = kt_json_object();
		if (limits)
			kt_set(&resources, "limits", kubectl_pairs(limits));
		if (requests)
			kt_set(&resources, "requests", kubectl_pairs(requests));
		kt_set(&out, "resources", resources);
	} else {
		const char *image = NULL;
		for (size_t i = first; i < s->words.count; i++) {
			const char *word = s->words.items[i], *equals = strchr(word, '=');
			size_t len = equals ? (size_t)(equals - word) : strlen(word);
			if (equals &&
			    (!strncmp(word, "*", len) || (strlen(name) == len && !strncmp(word, name, len))))
				image = equals + 1;
		}
		if (!image) {
			kt_json_free(out);
			return NULL;
		}
		kt_set(&out, "image", kt_json_str(image));
	}
	return out;
}

/* set env|image|resources|serviceaccount TYPE/NAME …: of the containers that are there. */
bool kubectl_ask_set(struct tool_run *r, struct kubectl *s)
{
	static const char *const known[] = {"env", "image", "resources", "serviceaccount", "sa"};
	const char *what = s->what;
	size_t first = 0, rest;
	if (!what) {
		for (size_t i = 0; s->words.count > 1 && i < KT_COUNT(known) && !what; i++)
			what = kt_streq(known[i], s->words.items[1]) ? known[i] : NULL;
		if (!what) {
			kubectl_complain(r, s, "error: unknown command \"%s\"",
			                 s->words.count > 1 ? s->words.items[1] : "");
			return false;
		}
		s->what = what;
		kubectl_drop_word(s, 1);
		return get_object(r, s, &first);
	}
	if (!s->seen || s->stage++)
		return false;
	rest = s->at + 1;
	struct kt_json *spec = NULL, *containers = kt_json_array(), *one;
	const struct kt_json *item, *there = kt_path(s->seen, pod_spec(s));
	if (what[0] == 's') {
		kt_set(&spec, "serviceAccountName",
		       kt_json_str(rest < s->words.count ? s->words.items[rest] : ""));
		kt_json_free(containers);
	} else {
		KT_JSON_EACH (item, kt_get(there, "containers")) {
			const char *name = kt_str_or(kt_get(item, "name"), "");
			bool picked =
			        !s->container || kt_streq(s->container, name) || kt_streq(s->container, "*");
			if (picked && (one = container_change(s, what, rest, name)))
				kt_push(&containers, one);
		}
		if (!kt_count(containers))
			kubectl_complain(r, s, "error: unable to find container named \"%s\"",
			                 s->container            ? s->container
			                 : rest < s->words.count ? s->words.items[rest]
			                                         : "");
		kt_set(&spec, "containers", containers);
	}
	struct kt_json *patch = pod_patch(s, spec);
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at));
	s->call = (struct kubectl_call){.method = "PATCH",
	                                .type = "application/strategic-merge-patch+json",
	                                .body = kt_json_text(patch),
	                                .path = kt_strf("%s?fieldManager=kubectl-set", base)};
	kt_free(base);
	kt_json_free(patch);
	if (s->status) {
		kt_free(s->call.path);
		kt_free(s->call.body);
		s->call = (struct kubectl_call){0};
	}
	return !s->status;
}

/* env of what is there, with --list */
static void list_env(struct tool_run *r, const struct kubectl *s)
{
	const struct kt_json *item, *one;
	KT_JSON_EACH (item, kt_get(kt_path(s->seen, pod_spec(s)), "containers")) {
		tool_outf(r, "# %s %s, container %s\n", s->kind->kind, kubectl_name_at(s, s->at),
		          kt_str_or(kt_get(item, "name"), ""));
		KT_JSON_EACH (one, kt_get(item, "env"))
			if (kt_get_str(one, "value"))
				tool_outf(r, "%s=%s\n", kt_str_or(kt_get(one, "name"), ""),
				          kt_get_str(one, "value"));
	}
}

void kubectl_tell_set(struct tool_run *r, struct kubectl *s, const char *body)
{
	static const char *const told[][2] = {{"env", "env updated"},
	                                      {"image", "image updated"},
	                                      {"resources", "resource requirements updated"},
	                                      {"serviceaccount", "serviceaccount updated"},
	                                      {"sa", "serviceaccount updated"}};
	if (!s->seen) {
		s->seen = kubectl_answer(body);
		if (kt_streq(s->what, "env") && kubectl_option(s, "list")) {
			list_env(r, s);
			s->stage = 1;
		}
		return;
	}
	struct kt_json *now = kubectl_answer(body);
	bool same = kt_streq(kt_path_str(now, "metadata.resourceVersion"),
	                     kt_path_str(s->seen, "metadata.resourceVersion"));
	kt_json_free(now);
	for (size_t i = 0; !same && i < KT_COUNT(told); i++)
		if (kt_streq(told[i][0], s->what))
			kubectl_told(r, s, kubectl_name_at(s, s->at), true, told[i][1]);
}

/* --- rollout history and undo: of the ReplicaSets that the Deployment owns --- */
static long long revision_of(const struct kt_json *set)
{
	const char *text = kt_str_or(kt_get(kt_path(set, "metadata.annotations"), REVISION), "0");
	return strtoll(text, NULL, 10);
}

static bool owned(const struct kt_json *object, const struct kt_json *owner)
{
	const struct kt_json *one;
	KT_JSON_EACH (one, kt_path(object, "metadata.ownerReferences"))
		if (kt_streq(kt_get_str(one, "uid"), kt_str_or(kt_path(owner, "metadata.uid"), "")))
			return true;
	return false;
}

/* The set of this revision; 0: of the one before the last. */
static const struct kt_json *set_of(const struct kubectl *s, const struct kt_json *sets, long long wanted)
{
	const struct kt_json *set, *found = NULL;
	long long last = revision_of(s->seen);
	KT_JSON_EACH (set, kt_get(sets, "items")) {
		long long revision = revision_of(set);
		if (!owned(set, s->seen))
			continue;
		if (wanted ? revision == wanted
		           : revision < last && (!found || revision > revision_of(found)))
			found = set;
	}
	return found;
}

static void tell_history(struct tool_run *r, struct kubectl *s, const struct kt_json *sets)
{
	const char *name = kubectl_name_at(s, s->at), *wanted = kubectl_option(s, "revision");
	const struct kt_json *set;
	long long done = 0;
	if (wanted) {
		set = set_of(s, sets, strtoll(wanted, NULL, 10));
		if (!set) {
			kubectl_complain(r, s, "error: unable to find the specified revision");
			return;
		}
		tool_outf(r, "deployment.apps/%s with revision #%s\nPod Template:\n", name, wanted);
		const struct kt_json *one;
		KT_JSON_EACH (one, kt_path(set, "spec.template.spec.containers"))
			tool_outf(r, "  Containers:\n   %s:\n    Image:\t%s\n",
			          kt_str_or(kt_get(one, "name"), ""), kt_str_or(kt_get(one, "image"), ""));
		return;
	}
	tool_outf(r, "deployment.apps/%s \nREVISION  CHANGE-CAUSE\n", name);
	for (;;) {
		const struct kt_json *next = NULL;
		KT_JSON_EACH (set, kt_get(sets, "items"))
			if (owned(set, s->seen) && revision_of(set) > done &&
			    (!next || revision_of(set) < revision_of(next)))
				next = set;
		if (!next)
			break;
		done = revision_of(next);
		tool_outf(
		        r, "%-9lld %s\n", done,
		        kt_str_or(kt_get(kt_path(next, "metadata.annotations"), "kubernetes.io/change-cause"),
		                  "<none>"));
	}
	tool_outs(r, "\n");
}

static struct kt_json *undo_patch(const struct kt_json *set)
{
	struct kt_json *template = kt_json_ref(kt_path(set, "spec.template")), *patch = kt_json_array();
	struct kt_json *meta = kt_json_ref(kt_get(template, "metadata"));
	struct kt_json *labels = kt_json_ref(kt_get(meta, "labels"));
	kt_unset(&labels, "pod-template-hash");
	kt_set(&meta, "labels", labels);
	kt_set(&template, "metadata", meta);
	kt_push(&patch, kt_jsonf("{op: 'replace', path: '/spec/template', value: %j}", template));
	return patch;
}

/* 0: the Deployment is asked for, 1: its ReplicaSets, 2: the patch of an undo. */
bool kubectl_ask_revisions(struct tool_run *r, struct kubectl *s)
{
	size_t first = 0;
	if (s->stage == 0)
		return get_object(r, s, &first);
	if (s->stage == 1) {
		const struct schema_kind *sets = kubectl_kind_named(s, "replicasets");
		if (!kt_streq(s->kind->kind, "Deployment")) {
			kubectl_complain(r, s, "error: no history of %s here", s->kind->resource);
			return false;
		}
		s->call =
		        (struct kubectl_call){.method = "GET", .path = kubectl_path_of(s, sets, s->ns, NULL)};
		return true;
	}
	if (s->stage != 2 || !s->patch)
		return false;
	char *base = kubectl_path_of(s, s->kind, s->ns, kubectl_name_at(s, s->at));
	s->call = (struct kubectl_call){.method = "PATCH",
	                                .type = "application/json-patch+json",
	                                .body = kt_strdup(s->patch),
	                                .path = kt_strf("%s?fieldManager=kubectl-rollout", base)};
	kt_free(base);
	return true;
}

void kubectl_tell_revisions(struct tool_run *r, struct kubectl *s, const char *body)
{
	struct kt_json *answer = kubectl_answer(body);
	s->stage++;
	if (s->stage == 1) {
		s->seen = answer;
		return;
	}
	if (s->stage == 2 && kt_streq(s->what, "history")) {
		tell_history(r, s, answer);
	} else if (s->stage == 2) {
		const char *to = kubectl_option(s, "to-revision");
		long long wanted = to ? strtoll(to, NULL, 10) : 0;
		const struct kt_json *set = set_of(s, answer, wanted);
		if (!set && wanted) {
			kubectl_complain(r, s, "error: unable to find specified revision %lld in history",
			                 wanted);
		} else if (!set) {
			kubectl_complain(r, s, "error: no rollout history found for deployment \"%s\"",
			                 kubectl_name_at(s, s->at));
		} else {
			struct kt_json *patch = undo_patch(set);
			kt_free(s->told);
			s->patch = s->told = kt_json_text(patch);
			kt_json_free(patch);
		}
	} else {
		kubectl_told(r, s, kubectl_name_at(s, s->at), true, "rolled back");
	}
	kt_json_free(answer);
}

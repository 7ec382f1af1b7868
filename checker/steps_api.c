/* SPDX-License-Identifier: MIT */
/* Steps that are requests: apply, delete, patch, scale, set-image, restart. */
#include "checker/steps_internal.h"

#include <stdio.h>
#include <string.h>

#define DELETE_LIMIT (2 * KT_MIN_NS)
#define EARLY_LIMIT  (10 * KT_SEC)

/* The path of the collection or object that `object` (with apiVersion and kind) belongs to. */
enum kt_code check_object_ref(const struct check_run *run, const struct kt_json *object,
                              struct check_ref *out, struct kt_err *err)
{
	const char *kind = kt_get_str(object, "kind"), *api = kt_get_str(object, "apiVersion"),
	           *name = kt_path_str(object, "metadata.name");
	memset(out, 0, sizeof(*out));
	if (!kind || !api || !name)
		return kt_fail(err, KT_EINVAL, "an object needs apiVersion, kind and metadata.name");
	const char *slash = strchr(api, '/');
	char *words =
	        slash ? kt_strf("%s.%s.%.*s", kind, slash + 1, (int)(slash - api), api) : kt_strf("%s", kind);
	enum kt_code rc = check_find_resource(run->client, words, &out->resource, err);
	kt_free(words);
	if (rc)
		return rc;
	if (out->resource.namespaced) {
		const char *ns = kt_str_or(kt_path(object, "metadata.namespace"), "default");
		size_t len = KT_MIN(strlen(ns), sizeof(out->ns) - 1);
		memcpy(out->ns, ns, len);
	}
	size_t len = KT_MIN(strlen(name), sizeof(out->name) - 1);
	memcpy(out->name, name, len);
	return KT_OK;
}

static enum kt_code create_generated(const struct check_run *run, const struct kt_json *object,
                                     struct kt_err *err)
{
	struct check_ref ref;
	struct kt_json *named = kt_json_ref(object);
	kt_set_path(&named, "metadata.name", kt_json_str("x"));
	enum kt_code rc = check_object_ref(run, named, &ref, err);
	kt_json_free(named);
	ref.is_set = true;
	char *path = rc ? NULL : check_ref_path(&ref);
	if (!rc)
		rc = check_call(run, "POST", path, NULL, object, NULL, err);
	kt_free(path);
	return rc;
}

/* What comes about by itself in a moment: a definition that is not served yet, a namespace without its
 * service account. */
static bool is_early(enum kt_code rc, const struct kt_err *err)
{
	return rc == KT_ENOTFOUND || rc == KT_ECONFLICT || rc == KT_EUNREACHABLE ||
	       strstr(err->text, "error looking up service account") ||
	       (strstr(err->text, "serviceaccount") && strstr(err->text, "not found"));
}

static enum kt_code apply_once(const struct check_run *run, const struct kt_json *object, struct kt_err *err)
{
	struct check_ref ref;
	if (!kt_path_str(object, "metadata.name") && kt_path_str(object, "metadata.generateName"))
		return create_generated(run, object, err);
	enum kt_code rc = check_object_ref(run, object, &ref, err);
	if (rc)
		return rc;
	char *path = check_ref_path(&ref), *target = kt_strf("%s?fieldManager=ktutor&force=true", path);
	rc = check_call(run, "PATCH", target, "application/apply-patch+yaml", object, NULL, err);
	if (rc)
		kt_wrap(err, "%s %s", ref.resource.kind, ref.name);
	kt_free(target);
	kt_free(path);
	return rc;
}

const struct kt_json *check_items(const struct kt_json *object)
{
	const char *kind = kt_get_str(object, "kind");
	return kind && kt_ends(kind, "List") && kt_is_array(kt_get(object, "items")) ? kt_get(object, "items")
	                                                                             : NULL;
}

enum kt_code check_apply_object(const struct check_run *run, const struct kt_json *object, struct kt_err *err)
{
	const struct kt_json *items = kt_is_array(object) ? object : check_items(object);
	if (items) {
		const struct kt_json *item;
		KT_JSON_EACH (item, items) {
			enum kt_code rc = check_apply_object(run, item, err);
			if (rc)
				return rc;
		}
		return KT_OK;
	}
	for (kt_ns waited = 0, passed = 0;; waited += KT_MAX(passed, KT_MS)) {
		struct kt_err local = {0};
		enum kt_code rc = apply_once(run, object, &local);
		if (!rc)
			return KT_OK;
		if (!is_early(rc, &local) || waited >= EARLY_LIMIT ||
		    check_pass(run, KT_SEC, true, &passed, NULL))
			return kt_fail(err, rc, "%s", local.text);
	}
}

static enum kt_code apply_seen(void *arg, const struct kt_json *object, struct kt_err *err)
{
	return check_apply_object(arg, object, err);
}

enum kt_code check_do_apply(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct check_run own = *run;
	return check_each_manifest(step->dir, step->body, apply_seen, &own, err);
}

/* --- delete --- */

/* What was there before: its successors (of a StatefulSet by the same name, of a Deployment in the same set)
 * do not count. */
struct leaving {
	struct check_ref ref;
	struct kt_json *uids; /* {UID: true} */
};

/* The objects that `ref` means now, as an array; none: KT_OK and an empty one. New. */
static enum kt_code all_there(const struct check_run *run, const struct check_ref *ref, struct kt_json **out,
                              struct kt_err *err)
{
	struct kt_json *found = NULL;
	struct kt_err local = {0};
	enum kt_code rc =
	        ref->is_set ? check_list(run, ref, &found, &local) : check_get(run, ref, &found, &local);
	if (rc && rc != KT_ENOTFOUND)
		return kt_fail(err, rc, "%s", local.text);
	*out = rc ? kt_json_array() : ref->is_set ? found : kt_jsonf("[%j]", found);
	return KT_OK;
}

static enum kt_code note_leaving(const struct check_run *run, struct leaving *leaving, struct kt_err *err)
{
	struct kt_json *there = NULL;
	const struct kt_json *item;
	enum kt_code rc = all_there(run, &leaving->ref, &there, err);
	leaving->uids = kt_json_object();
	KT_JSON_EACH (item, there)
		kt_set(&leaving->uids, kt_path_str(item, "metadata.uid"), kt_json_bool(true));
	kt_json_free(there);
	return rc;
}

static enum kt_code is_gone(const struct check_run *run, void *arg, bool *out, struct kt_err *err)
{
	const struct leaving *leaving = arg;
	struct kt_json *there = NULL;
	const struct kt_json *item;
	bool gone = true;
	enum kt_code rc = all_there(run, &leaving->ref, &there, err);
	KT_JSON_EACH (item, there)
		gone = gone && !kt_get(leaving->uids, kt_path_str(item, "metadata.uid"));
	kt_json_free(there);
	*out = !rc && gone;
	return rc;
}

/* Services and namespaces cannot be deleted as a collection. */
static enum kt_code delete_each(const struct check_run *run, const struct check_ref *set,
                                const struct kt_json *options, struct kt_err *err)
{
	struct kt_json *items = NULL;
	const struct kt_json *item;
	kt_err_clear(err);
	enum kt_code rc = check_list(run, set, &items, err);
	KT_JSON_EACH (item, items) {
		struct check_ref one = *set;
		one.is_set = false;
		one.selector[0] = '\0';
		snprintf(one.name, sizeof(one.name), "%s", kt_path_str(item, "metadata.name"));
		snprintf(one.ns, sizeof(one.ns), "%s", kt_str_or(kt_path(item, "metadata.namespace"), ""));
		char *path = check_ref_path(&one);
		if (!rc)
			rc = check_call(run, "DELETE", path, NULL, options, NULL, err);
		if (rc == KT_ENOTFOUND)
			rc = KT_OK;
		kt_free(path);
	}
	kt_json_free(items);
	return rc;
}

static enum kt_code delete_words(const struct check_run *run, const char *words, struct kt_err *err)
{
	struct leaving leaving = {0};
	const struct check_ref *ref = &leaving.ref;
	enum kt_code rc = check_ref_of(run, words, &leaving.ref, err);
	if (!rc)
		rc = note_leaving(run, &leaving, err);
	if (rc) {
		kt_json_free(leaving.uids);
		return rc;
	}
	char *path = check_ref_path(ref);
	struct kt_json *options =
	        kt_jsonf("{kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background'}");
	struct kt_err local = {0};
	rc = check_call(run, "DELETE", path, NULL, options, NULL, &local);
	if (rc == KT_EINVAL && ref->is_set) /* some kinds have no delete of a collection: one by one */
		rc = delete_each(run, ref, options, &local);
	kt_json_free(options);
	kt_free(path);
	if (rc && rc != KT_ENOTFOUND)
		rc = kt_fail(err, rc, "%s", local.text);
	else
		rc = check_wait_until(run, DELETE_LIMIT, is_gone, &leaving, words, err);
	kt_json_free(leaving.uids);
	return rc;
}

enum kt_code check_do_delete(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	size_t count = kt_is_array(step->body) ? kt_count(step->body) : 1;
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < count; i++)
		rc = delete_words(run, kt_str(kt_is_array(step->body) ? kt_at(step->body, i) : step->body),
		                  err);
	return rc;
}

/* --- patch and its everyday forms --- */

static enum kt_code patch_object(const struct check_run *run, const char *words, const char *content_type,
                                 const struct kt_json *patch, const char *subresource, struct kt_err *err)
{
	struct check_ref ref;
	enum kt_code rc = check_ref_object(run, words, &ref, err);
	if (rc)
		return rc;
	char *path = check_ref_path(&ref), *target = kt_strf("%s%s?fieldManager=ktutor", path, subresource);
	rc = check_call(run, "PATCH", target, content_type, patch, NULL, err);
	kt_free(target);
	kt_free(path);
	return rc;
}

enum kt_code check_do_patch(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	static const char *const kinds[][2] = {{"merge", "application/merge-patch+json"},
	                                       {"json", "application/json-patch+json"},
	                                       {"strategic", "application/strategic-merge-patch+json"}};
	for (size_t i = 0; i < KT_COUNT(kinds); i++) {
		const struct kt_json *patch = kt_get(step->body, kinds[i][0]);
		const char *sub = kt_get_str(step->body, "subresource");
		char *below = kt_strf("%s%s", sub ? "/" : "", sub ? sub : "");
		enum kt_code rc = patch ? patch_object(run, kt_get_str(step->body, "object"), kinds[i][1],
		                                       patch, below, err)
		                        : KT_OK;
		kt_free(below);
		if (patch)
			return rc;
	}
	return kt_fail(err, KT_EINVAL, "needs merge, json or strategic");
}

enum kt_code check_do_scale(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_json *patch =
	        kt_jsonf("{spec: {replicas: %l}}", kt_whole_or(kt_get(step->body, "replicas"), 0));
	enum kt_code rc = patch_object(run, kt_get_str(step->body, "object"), "application/merge-patch+json",
	                               patch, "/scale", err);
	kt_json_free(patch);
	return rc;
}

/* Where an object keeps its pod's spec. */
static const char *pod_spec_path(const char *kind)
{
	return kt_streq(kind, "Pod")       ? "spec"
	       : kt_streq(kind, "CronJob") ? "spec.jobTemplate.spec.template.spec"
	                                   : "spec.template.spec";
}

enum kt_code check_do_set_image(const struct check_run *run, const struct check_step *step,
                                struct kt_err *err)
{
	struct check_ref ref;
	struct kt_json *object = NULL;
	const char *words = kt_get_str(step->body, "object"), *name = kt_get_str(step->body, "container");
	enum kt_code rc = check_ref_object(run, words, &ref, err);
	if (!rc)
		rc = check_get(run, &ref, &object, err);
	if (rc)
		return rc;
	const char *at = pod_spec_path(ref.resource.kind);
	const struct kt_json *spec = kt_path(object, at);
	name = name ? name : kt_path_str(spec, "containers.0.name");
	bool init = kt_find(kt_get(spec, "initContainers"), "name", name) >= 0;
	if (!init && kt_find(kt_get(spec, "containers"), "name", name) < 0) {
		rc = kt_fail(err, KT_ENOTFOUND, "%s has no container '%s'", words, name ? name : "");
	} else {
		struct kt_json *patch = kt_json_object();
		kt_set_path(&patch, at,
		            kt_jsonf(init ? "{initContainers: [{name: %s, image: %J}]}"
		                          : "{containers: [{name: %s, image: %J}]}",
		                     name, kt_get(step->body, "image")));
		rc = patch_object(run, words, "application/strategic-merge-patch+json", patch, "", err);
		kt_json_free(patch);
	}
	kt_json_free(object);
	return rc;
}

enum kt_code check_do_restart(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	const char *words = kt_str(step->body) ? kt_str(step->body) : kt_get_str(step->body, "object");
	struct kt_buf now = {0};
	kt_time_print(run->world->now(run->world->arg), &now);
	struct kt_json *patch = kt_jsonf(
	        "{spec: {template: {metadata: {annotations: {'kubectl.kubernetes.io/restartedAt': %s}}}}}",
	        kt_buf_str(&now));
	enum kt_code rc = patch_object(run, words, "application/strategic-merge-patch+json", patch, "", err);
	kt_json_free(patch);
	kt_buf_clear(&now);
	return rc;
}

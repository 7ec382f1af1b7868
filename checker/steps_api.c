/* SPDX-License-Identifier: MIT */
/* Steps that are requests: apply, delete, patch, scale, set-image, restart. */
#include "checker/steps_internal.h"

#include <string.h>

#define DELETE_LIMIT (2 * KT_MIN_NS)

/* The path of the collection or object that `object` (with apiVersion and kind) belongs to. */
static enum kt_code object_ref(const struct check_run *run, const struct kt_json *object,
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
	enum kt_code rc = object_ref(run, named, &ref, err);
	kt_json_free(named);
	ref.is_set = true;
	char *path = rc ? NULL : check_ref_path(&ref);
	if (!rc)
		rc = check_call(run, "POST", path, NULL, object, NULL, err);
	kt_free(path);
	return rc;
}

enum kt_code check_apply_object(const struct check_run *run, const struct kt_json *object, struct kt_err *err)
{
	if (kt_streq(kt_get_str(object, "kind"), "List")) {
		const struct kt_json *item;
		KT_JSON_EACH (item, kt_get(object, "items")) {
			enum kt_code rc = check_apply_object(run, item, err);
			if (rc)
				return rc;
		}
		return KT_OK;
	}
	if (!kt_path_str(object, "metadata.name") && kt_path_str(object, "metadata.generateName"))
		return create_generated(run, object, err);
	struct check_ref ref;
	enum kt_code rc = object_ref(run, object, &ref, err);
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

static enum kt_code apply_file(const struct check_run *run, const char *path, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	if (kt_is_dir(path)) {
		struct kt_strs names = {0};
		enum kt_code rc = kt_list_dir(path, &names, err);
		for (size_t i = 0; !rc && i < names.count; i++) {
			char *file = kt_join(path, names.items[i]);
			bool manifest =
			        (kt_ends(file, ".yaml") || kt_ends(file, ".yml") || kt_ends(file, ".json")) &&
			        !kt_streq(names.items[i], "expect.yaml");
			if (manifest)
				rc = apply_file(run, file, err);
			kt_free(file);
		}
		kt_strs_clear(&names);
		return rc;
	}
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	for (size_t i = 0; !rc && i < kt_yaml_count(yaml); i++) {
		rc = check_apply_object(run, kt_yaml_doc(yaml, i), err);
		if (rc)
			kt_wrap(err, "%s:%u", path, kt_yaml_line(yaml, kt_yaml_doc(yaml, i)));
	}
	kt_yaml_free(yaml);
	return rc;
}

enum kt_code check_apply_path(const struct check_run *run, const char *path, struct kt_err *err)
{
	return apply_file(run, path, err);
}

enum kt_code check_do_apply(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	const struct kt_json *body = step->body;
	size_t count = kt_is_array(body) ? kt_count(body) : 1;
	for (size_t i = 0; i < count; i++) {
		const struct kt_json *item = kt_is_array(body) ? kt_at(body, i) : body;
		char *path = kt_str(item) ? kt_join(step->dir, kt_str(item)) : NULL;
		enum kt_code rc = path ? apply_file(run, path, err) : check_apply_object(run, item, err);
		kt_free(path);
		if (rc)
			return rc;
	}
	return KT_OK;
}

/* --- delete --- */

static enum kt_code is_gone(const struct check_run *run, void *arg, bool *out, struct kt_err *err)
{
	struct kt_json *list = NULL;
	struct kt_err local = {0};
	const struct check_ref *ref = arg;
	enum kt_code rc =
	        ref->is_set ? check_list(run, ref, &list, &local) : check_get(run, ref, &list, &local);
	*out = rc == KT_ENOTFOUND || (!rc && ref->is_set && !kt_count(list));
	kt_json_free(list);
	return rc && rc != KT_ENOTFOUND ? kt_fail(err, rc, "%s", local.text) : KT_OK;
}

enum kt_code check_do_delete(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct check_ref ref;
	const char *words = kt_str(step->body), *space = strchr(words, ' ');
	/* one word behind the kind with a slash, or a cluster-scoped name: an object; else a set */
	bool object = space && !strchr(space + 1, ' ') && !strchr(space + 1, '=');
	enum kt_code rc =
	        object ? check_ref_object(run, words, &ref, err) : check_ref_set(run, words, &ref, err);
	if (rc)
		return rc;
	char *path = check_ref_path(&ref);
	struct kt_json *options =
	        kt_jsonf("{kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background'}");
	struct kt_err local = {0};
	rc = check_call(run, "DELETE", path, NULL, options, NULL, &local);
	kt_json_free(options);
	kt_free(path);
	if (rc && rc != KT_ENOTFOUND)
		return kt_fail(err, rc, "%s", local.text);
	return check_wait_until(run, DELETE_LIMIT, is_gone, &ref, words, err);
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
		if (patch)
			return patch_object(run, kt_get_str(step->body, "object"), kinds[i][1], patch, "",
			                    err);
	}
	return kt_fail(err, KT_EINVAL, "needs merge, json or strategic");
}

enum kt_code check_do_scale(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_json *patch = kt_jsonf("{spec: {replicas: %J}}", kt_get(step->body, "replicas"));
	enum kt_code rc = patch_object(run, kt_get_str(step->body, "object"), "application/merge-patch+json",
	                               patch, "/scale", err);
	kt_json_free(patch);
	return rc;
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
	bool is_pod = kt_streq(ref.resource.kind, "Pod");
	if (!name)
		name = kt_path_str(object, is_pod ? "spec.containers.0.name"
		                                  : "spec.template.spec.containers.0.name");
	struct kt_json *spec =
	        kt_jsonf("{containers: [{name: %s, image: %J}]}", name, kt_get(step->body, "image"));
	struct kt_json *patch =
	        is_pod ? kt_jsonf("{spec: %j}", spec) : kt_jsonf("{spec: {template: {spec: %j}}}", spec);
	rc = patch_object(run, words, "application/strategic-merge-patch+json", patch, "", err);
	kt_json_free(patch);
	kt_json_free(object);
	return rc;
}

enum kt_code check_do_restart(const struct check_run *run, const struct check_step *step, struct kt_err *err)
{
	struct kt_buf now = {0};
	kt_time_print(run->world->now(run->world->arg), &now);
	struct kt_json *patch = kt_jsonf(
	        "{spec: {template: {metadata: {annotations: {'kubectl.kubernetes.io/restartedAt': %s}}}}}",
	        kt_buf_str(&now));
	enum kt_code rc = patch_object(run, kt_str(step->body), "application/strategic-merge-patch+json",
	                               patch, "", err);
	kt_json_free(patch);
	kt_buf_clear(&now);
	return rc;
}

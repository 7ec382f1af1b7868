/* SPDX-License-Identifier: MIT */
/* Pods: what a new one needs beside its spec, and the little that may change later (kubernetes
 * pkg/apis/core/validation/validation.go ValidatePodUpdate, ValidatePodResize,
 * ValidatePodEphemeralContainersUpdate). */
#include "cluster/api/internal.h"
#include "cluster/api/validate.h"

#include <ctype.h>
#include <string.h>

#define UPDATE_TEXT                                                                                          \
	"pod updates may not change fields other than "                                                      \
	"`spec.containers[*].image`,`spec.initContainers[*].image`,"                                         \
	"`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"          \
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"

/* Of pods alone: templates may have such images (validateContainerOnlyForPod). */
static void padded_image(struct v *v, const struct v_path *path, const struct kt_json *c)
{
	const char *image = kt_get_text(c, "image");
	size_t len = strlen(image);
	if (len > 0 && (isspace((unsigned char)image[0]) || isspace((unsigned char)image[len - 1])))
		v_invalid_str(v, V_IN(path, "image"), image, "must not have leading or trailing whitespace");
}

/* What is looked at whenever a pod is written (validatePodMetadataAndSpec). */
static void whole_pod(struct v *v)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const struct v_path *spec_path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *c;
	v_pod_annotations(v, V_IN(V_ROOT("metadata"), "annotations"),
	                  kt_path(v->object, "metadata.annotations"),
	                  kt_path(v->old, "metadata.annotations"));
	v_pod_spec_of(v, spec_path, spec, kt_get(v->object, "metadata"));
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		KT_JSON_EACH (c, kt_get(spec, lists[i]))
			padded_image(v, V_AT(V_IN(spec_path, lists[i]), c_i), c);
}

static void pod_create(struct v *v)
{
	const struct v_path *spec_path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec");
	whole_pod(v);
	if (kt_count(kt_get(spec, "ephemeralContainers")) > 0)
		v_forbidden(v, V_IN(spec_path, "ephemeralContainers"), "cannot be set on create");
	if (kt_count(kt_get(spec, "schedulingGates")) > 0 && *kt_get_text(spec, "nodeName"))
		v_forbidden(v, V_IN(spec_path, "nodeName"),
		            "cannot be set until all schedulingGates have been cleared");
}

static bool same_count(struct v *v, const char *list)
{
	const struct kt_json *now = kt_get(kt_get(v->object, "spec"), list),
	                     *old = kt_get(kt_get(v->old, "spec"), list), *c;
	const struct v_path *path = V_IN(V_ROOT("spec"), list);
	if (kt_count(now) != kt_count(old)) {
		v_forbidden(v, path, "pod updates may not add or remove containers");
		return false;
	}
	KT_JSON_EACH (c, now)
		if (!*kt_get_text(c, "image"))
			v_required(v, V_IN(V_AT(path, c_i), "image"), "");
		else
			padded_image(v, V_AT(path, c_i), c);
	return true;
}

static bool deadline(struct v *v)
{
	const struct v_path *path = V_IN(V_ROOT("spec"), "activeDeadlineSeconds");
	const struct kt_json *now = kt_path(v->object, "spec.activeDeadlineSeconds"),
	                     *old = kt_path(v->old, "spec.activeDeadlineSeconds");
	if (now && (kt_int_or(now, 0) < 0 || kt_int_or(now, 0) > INT32_MAX)) {
		v_invalid(v, path, now, "must be between 0 and 2147483647, inclusive");
		return false;
	}
	if (now && old && kt_int_or(old, 0) < kt_int_or(now, 0)) {
		v_invalid(v, path, now, "must be less than or equal to previous value");
		return false;
	}
	if (!now && old)
		v_invalid(v, path, NULL, "must not update from a positive integer to nil value");
	return true;
}

static bool same_toleration(const struct kt_json *a, const struct kt_json *b)
{
	static const char *const keys[] = {"key", "operator", "value", "effect"};
	for (size_t i = 0; i < KT_COUNT(keys); i++)
		if (strcmp(kt_get_text(a, keys[i]), kt_get_text(b, keys[i])) != 0)
			return false;
	return true;
}

static void tolerations(struct v *v)
{
	const struct v_path *path = V_IN(V_ROOT("spec"), "tolerations");
	const struct kt_json *now = kt_path(v->object, "spec.tolerations"),
	                     *old = kt_path(v->old, "spec.tolerations"), *o, *n;
	KT_JSON_EACH (o, old) {
		bool found = false;
		KT_JSON_EACH (n, now)
			found = found || same_toleration(o, n);
		if (!found) {
			v_forbidden(v, path,
			            "existing toleration can not be modified except its tolerationSeconds");
			return;
		}
	}
	v_tolerations(v, path, now);
}

static void gates(struct v *v)
{
	const struct kt_json *now = kt_path(v->object, "spec.schedulingGates"),
	                     *old = kt_path(v->old, "spec.schedulingGates"), *gate;
	if (kt_count(now) == 0)
		return;
	KT_JSON_EACH (gate, now)
		if (kt_find(old, "name", kt_get_text(gate, "name")) < 0)
			v_forbidden(v, V_IN(V_AT(V_IN(V_ROOT("spec"), "schedulingGates"), gate_i), "name"),
			            "only deletion is allowed, but found new scheduling gate '%s'",
			            kt_get_text(gate, "name"));
}

/* --- what a pod that waits at a gate may narrow down --- */

static void selector_narrows(struct v *v, const struct kt_json *old, const struct kt_json *now)
{
	for (size_t i = 0; i < kt_count(old); i++)
		if (!kt_equal(kt_get(now, kt_key(old, i)), kt_at(old, i))) {
			v_invalid(v, V_IN(V_ROOT("spec"), "nodeSelector"), now,
			          "only additions to spec.nodeSelector are allowed (no mutations or "
			          "deletions)");
			return;
		}
}

static bool has_all(const struct kt_json *list, const struct kt_json *wanted)
{
	const struct kt_json *want, *one;
	KT_JSON_EACH (want, wanted) {
		bool found = false;
		KT_JSON_EACH (one, list)
			found = found || kt_equal(one, want);
		if (!found)
			return false;
	}
	return true;
}

static bool term_narrows(const struct kt_json *old, const struct kt_json *now)
{
	static const char *const lists[] = {"matchExpressions", "matchFields"};
	bool was_empty = true, is_empty = true;
	for (size_t i = 0; i < KT_COUNT(lists); i++) {
		was_empty = was_empty && !kt_count(kt_get(old, lists[i]));
		is_empty = is_empty && !kt_count(kt_get(now, lists[i]));
		if (!has_all(kt_get(now, lists[i]), kt_get(old, lists[i])))
			return false;
	}
	return !was_empty || is_empty; /* an empty term matches nothing: to add to it would widen it */
}

static void affinity_narrows(struct v *v, const struct kt_json *old, const struct kt_json *now)
{
	static const char terms_at[] = "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
	const struct kt_json *was = kt_path(old, terms_at), *is = kt_path(now, terms_at), *term;
	const struct v_path *path = V_IN(V_IN(V_IN(V_IN(V_ROOT("spec"), "affinity"), "nodeAffinity"),
	                                      "requiredDuringSchedulingIgnoredDuringExecution"),
	                                 "nodeSelectorTerms");
	if (kt_count(was) == 0)
		return;
	if (kt_count(was) != kt_count(is)) {
		struct kt_json *shown = v_internal(v, "[]NodeSelectorTerm", is);
		v_invalid(v, path, shown,
		          "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
		kt_json_free(shown);
		return;
	}
	KT_JSON_EACH (term, was) {
		const struct kt_json *new = kt_at(is, term_i);
		if (term_narrows(term, new))
			continue;
		struct kt_json *shown = v_internal(v, "NodeSelectorTerm", new);
		v_invalid(v, V_AT(path, term_i), shown,
		          "only additions are allowed (no mutations or deletions)");
		kt_json_free(shown);
	}
}

static void take(struct kt_json **spec, const struct kt_json *from, const char *key)
{
	const struct kt_json *value = kt_get(from, key);
	if (value != kt_get(*spec, key))
		kt_set(spec, key, kt_json_ref(value));
}

static void take_each(struct kt_json **spec, const struct kt_json *from, const char *list, const char *key)
{
	const struct kt_json *old = kt_get(from, list);
	for (size_t i = 0, n = kt_count(kt_get(*spec, list)); i < n; i++) {
		const struct kt_json *value = kt_get(kt_at(old, i), key);
		if (value != kt_get(kt_at(kt_get(*spec, list), i), key))
			kt_set(kt_edit_at(kt_edit(spec, list), i), key, kt_json_ref(value));
	}
}

static void forbid_rest(struct v *v, const struct kt_json *munged, const char *text)
{
	const struct kt_json *old = kt_get(v->old, "spec");
	if (kt_equal(munged, old))
		return;
	struct kt_json *was = v_internal(v, "PodSpec", old), *is = v_internal(v, "PodSpec", munged);
	struct kt_buf diff = {0};
	if (!kt_equal(was, is)) {
		v_diff(was, is, &diff);
		v_forbidden(v, V_ROOT("spec"), "%s%s", text, kt_buf_str(&diff));
	}
	kt_buf_clear(&diff);
	kt_json_free(was);
	kt_json_free(is);
}

static void update_spec(struct v *v)
{
	const struct kt_json *old = kt_get(v->old, "spec");
	struct kt_json *munged = kt_json_ref(kt_get(v->object, "spec"));
	take_each(&munged, old, "containers", "image");
	take_each(&munged, old, "initContainers", "image");
	take(&munged, old, "activeDeadlineSeconds");
	take(&munged, old, "schedulingGates");
	take(&munged, old, "tolerations");
	if (kt_get_int(old, "terminationGracePeriodSeconds", 0) < 0 &&
	    kt_get_int(munged, "terminationGracePeriodSeconds", 0) == 1)
		take(&munged, old, "terminationGracePeriodSeconds");
	/* A pod that waits at a gate may still narrow down where it goes. */
	if (kt_count(kt_get(old, "schedulingGates")) > 0) {
		const struct kt_json *was = kt_path(old, "affinity.nodeAffinity"),
		                     *is = kt_path(munged, "affinity.nodeAffinity");
		selector_narrows(v, kt_get(old, "nodeSelector"), kt_get(munged, "nodeSelector"));
		take(&munged, old, "nodeSelector");
		if (!kt_equal(was, is)) {
			affinity_narrows(v, was, is);
			kt_set(kt_edit(&munged, "affinity"), "nodeAffinity", kt_json_ref(was));
			if (!kt_count(kt_get(munged, "affinity")) && !kt_get(old, "affinity"))
				kt_unset(&munged, "affinity");
		}
	}
	forbid_rest(v, munged, UPDATE_TEXT);
	kt_json_free(munged);
}

static void resize(struct v *v)
{
	struct kt_json *munged = kt_json_ref(kt_get(v->object, "spec"));
	const struct kt_json *old = kt_get(v->old, "spec"), *c;
	const struct v_path *path = V_IN(V_ROOT("spec"), "containers");
	if (!same_count(v, "containers")) {
		kt_json_free(munged);
		return;
	}
	KT_JSON_EACH (c, kt_get(munged, "containers"))
		v_resources(v, V_IN(V_AT(path, c_i), "resources"), kt_get(c, "resources"));
	take_each(&munged, old, "containers", "resources");
	take_each(&munged, old, "initContainers", "resources");
	forbid_rest(v, munged, "only cpu and memory resources are mutable\n");
	kt_json_free(munged);
	const char *was = kt_path_str(v->old, "status.qosClass"),
	           *is = api_qos_class(kt_get(v->object, "spec"));
	if (was && strcmp(was, is) != 0)
		v_invalid(v, V_ROOT("spec"), kt_path(v->old, "status.qosClass"),
		          "Pod QOS Class may not change as a result of resizing");
}

static void ephemeral(struct v *v)
{
	const struct v_path *path = V_IN(V_ROOT("spec"), "ephemeralContainers");
	const struct kt_json *now = kt_path(v->object, "spec.ephemeralContainers"),
	                     *old = kt_path(v->old, "spec.ephemeralContainers"), *c;
	v_ephemeral_containers(v, path, kt_get(v->object, "spec"));
	KT_JSON_EACH (c, old) {
		ptrdiff_t at = kt_find(now, "name", kt_get_text(c, "name"));
		if (at < 0)
			v_forbidden(v, path, "existing ephemeral containers \"%s\" may not be removed\n",
			            kt_get_text(c, "name"));
		else if (!kt_equal(kt_at(now, (size_t)at), c))
			v_forbidden(v, path, "existing ephemeral containers \"%s\" may not be changed\n",
			            kt_get_text(c, "name"));
	}
}

void v_pod_update(struct v *v, const char *subresource)
{
	if (strcmp(subresource, "resize") == 0) {
		resize(v);
	} else if (strcmp(subresource, "ephemeralcontainers") == 0) {
		ephemeral(v);
	} else if (!*subresource) {
		if (!kt_equal(kt_get(v->object, "spec"), kt_get(v->old, "spec")))
			whole_pod(v);
		v_pod_annotations(v, V_IN(V_ROOT("metadata"), "annotations"),
		                  kt_path(v->object, "metadata.annotations"),
		                  kt_path(v->old, "metadata.annotations"));
		if (!same_count(v, "containers") || !same_count(v, "initContainers") || !deadline(v))
			return;
		gates(v);
		tolerations(v);
		update_spec(v);
	}
}

static void pod_update(struct v *v)
{
	v_pod_update(v, "");
}

static void pod_template_object(struct v *v)
{
	v_pod_template(v, V_ROOT("template"), kt_get(v->object, "template"));
}

const struct v_kind v_kinds_pods[] = {
        {.group = "", .kind = "Pod", .create = pod_create, .update = pod_update},
        {.group = "", .kind = "PodTemplate", .create = pod_template_object},
        {0},
};

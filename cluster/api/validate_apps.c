/* SPDX-License-Identifier: MIT */
/* Workloads: kubernetes pkg/apis/apps/validation/validation.go, and the immutable fields of
 * pkg/registry/apps. */
#include "cluster/api/validate.h"

#include <string.h>

/* A selector that was not given is kept as null. */
static const struct kt_json *selector_of(const struct kt_json *spec)
{
	const struct kt_json *selector = kt_get(spec, "selector");
	return kt_json_type(selector) == KT_JSON_NULL ? NULL : selector;
}

/* --- numbers or percentages --- */

bool v_is_percent(const struct kt_json *value, int64_t *out)
{
	const char *s = kt_str(value);
	size_t n = s ? strspn(s, "0123456789") : 0;
	if (n == 0 || n > 9 || strcmp(s + n, "%") != 0)
		return false;
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out = *out * 10 + (s[i] - '0');
	return true;
}

bool v_is_zero(const struct kt_json *value)
{
	int64_t percent;
	if (kt_is_string(value))
		return !v_is_percent(value, &percent) || percent == 0;
	return kt_int_or(value, 0) == 0;
}

void v_int_or_percent(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (kt_is_string(value))
		v_check(v, path, kt_str(value), v_percent);
	else if (kt_int_or(value, 0) < 0)
		v_invalid(v, path, value, "must be greater than or equal to 0");
}

static void at_most_all(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t percent;
	if (v_is_percent(value, &percent) && percent > 100)
		v_invalid(v, path, value, "must not be greater than 100%%");
}

/* --- templates --- */

/* A map that a patch emptied prints as {}, one that nobody gave, or that went with all of it, as null. */
static struct kt_json *shown_labels(struct v *v, const struct kt_json *template)
{
	const struct kt_json *labels = kt_path(template, "metadata.labels");
	if (labels)
		return kt_json_ref(labels);
	return kt_get(template, "metadata") && kt_count(kt_path(template, "spec.containers")) &&
	                       kt_path(v->old, "spec.template.metadata.labels")
	               ? kt_json_object()
	               : kt_json_null();
}

static void selector_matches(struct v *v, const struct v_path *path, const struct kt_json *selector,
                             const struct kt_json *template)
{
	const struct v_path *labels = V_IN(V_IN(path, "metadata"), "labels");
	if (selector && v_selector_is_empty(selector))
		return;
	if (!view_selector_matches(selector, kt_path(template, "metadata.labels")))
		v_invalid_steal(v, labels, shown_labels(v, template),
		                "`selector` does not match template `labels`");
}

static void always_restarts(struct v *v, const struct v_path *path, const struct kt_json *template,
                            const char *kind)
{
	const struct kt_json *spec = kt_get(template, "spec");
	const struct v_path *at = V_IN(path, "spec");
	const char *policy = kt_get_text(spec, "restartPolicy");
	if (strcmp(policy, "Always") != 0 && *policy)
		v_unsupported(v, V_IN(at, "restartPolicy"), kt_get(spec, "restartPolicy"), V_WORDS("Always"));
	if (kt_get(spec, "activeDeadlineSeconds"))
		v_forbidden(v, V_IN(at, "activeDeadlineSeconds"),
		            "activeDeadlineSeconds in %s is not Supported", kind);
}

/* Selector, then template against it. `kind_words`: how the message about an empty selector names the kind.
 */
static bool selector(struct v *v, const struct v_path *spec, const struct kt_json *value,
                     const char *kind_words)
{
	const struct v_path *path = V_IN(spec, "selector");
	if (!value) {
		v_required(v, path, "");
		return true;
	}
	v_label_selector(v, path, value);
	if (v_selector_is_empty(value))
		v_invalid(v, path, value, "empty selector is invalid for %s", kind_words);
	if (v_selector_valid(value))
		return true;
	v_invalid(v, path, value, "invalid label selector");
	return false;
}

static const struct v_rule replicas_rule[] = {{.field = "replicas", .kind = V_MIN}};
static const struct v_rule ready_rule[] = {{.field = "minReadySeconds", .kind = V_MIN}};

static void rs_template(struct v *v, const struct v_path *path, const struct kt_json *sel,
                        const struct kt_json *template)
{
	selector_matches(v, path, sel, template);
	v_pod_template(v, path, template);
	always_restarts(v, path, template, "ReplicaSet");
}

/* --- deployments --- */

static void strategy(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *rolling = kt_get(s, "rollingUpdate");
	const struct v_path *at = V_IN(path, "rollingUpdate");
	if (strcmp(kt_get_text(s, "type"), "Recreate") == 0) {
		if (rolling)
			v_forbidden(v, at, "may not be specified when strategy `type` is 'Recreate'");
	} else if (strcmp(kt_get_text(s, "type"), "RollingUpdate") == 0) {
		const struct kt_json *unavailable = kt_get(rolling, "maxUnavailable"),
		                     *surge = kt_get(rolling, "maxSurge");
		if (!rolling) {
			v_required(v, at, "this should be defaulted and never be nil");
			return;
		}
		v_int_or_percent(v, V_IN(at, "maxUnavailable"), unavailable);
		v_int_or_percent(v, V_IN(at, "maxSurge"), surge);
		if (v_is_zero(unavailable) && v_is_zero(surge))
			v_invalid(v, V_IN(at, "maxUnavailable"), unavailable,
			          "may not be 0 when `maxSurge` is 0");
		at_most_all(v, V_IN(at, "maxUnavailable"), unavailable);
	} else {
		struct kt_json *shown = v_internal(v, "DeploymentStrategy", s);
		v_unsupported(v, path, shown, V_WORDS("Recreate", "RollingUpdate"));
		kt_json_free(shown);
	}
}

static void deployment(struct v *v)
{
	static const struct v_rule rest[] = {
	        {.field = "strategy", .kind = V_CALL, .fn = strategy},
	        {.field = "minReadySeconds", .kind = V_MIN},
	        {.field = "revisionHistoryLimit", .kind = V_MIN},
	        {.field = "progressDeadlineSeconds", .kind = V_MIN},
	};
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"),
	                     *progress = kt_get(spec, "progressDeadlineSeconds");
	V_RULES(v, path, spec, replicas_rule);
	if (selector(v, path, selector_of(spec), "deployment"))
		rs_template(v, V_IN(path, "template"), selector_of(spec), kt_get(spec, "template"));
	V_RULES(v, path, spec, rest);
	if (progress && kt_int_or(progress, 0) <= kt_get_int(spec, "minReadySeconds", 0))
		v_invalid(v, V_IN(path, "progressDeadlineSeconds"), progress,
		          "must be greater than minReadySeconds");
}

static void replica_set(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec");
	V_RULES(v, path, spec, replicas_rule);
	V_RULES(v, path, spec, ready_rule);
	if (selector(v, path, selector_of(spec), "deployment"))
		rs_template(v, V_IN(path, "template"), selector_of(spec), kt_get(spec, "template"));
}

static void replication_controller(struct v *v)
{
	const struct v_path *path = V_ROOT("spec"), *tp = V_IN(path, "template");
	const struct kt_json *spec = kt_get(v->object, "spec"), *template = kt_get(spec, "template");
	V_RULES(v, path, spec, ready_rule);
	if (kt_count(selector_of(spec)) == 0)
		v_required(v, V_IN(path, "selector"), "");
	V_RULES(v, path, spec, replicas_rule);
	if (!template) {
		v_required(v, tp, "");
		return;
	}
	if (kt_count(selector_of(spec)) > 0 &&
	    !view_map_matches(selector_of(spec), kt_path(template, "metadata.labels")))
		v_invalid_steal(v, V_IN(V_IN(tp, "metadata"), "labels"), shown_labels(v, template),
		                "`selector` does not match template `labels`");
	v_pod_template(v, tp, template);
	always_restarts(v, tp, template, "ReplicationController");
}

/* --- daemon sets --- */

static void daemon_strategy(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *rolling = kt_get(s, "rollingUpdate");
	const struct v_path *at = V_IN(path, "rollingUpdate");
	if (strcmp(kt_get_text(s, "type"), "OnDelete") == 0)
		return;
	if (strcmp(kt_get_text(s, "type"), "RollingUpdate") != 0) {
		struct kt_json *shown = v_internal(v, "DeploymentStrategy", s);
		v_unsupported(v, path, shown, V_WORDS("RollingUpdate", "OnDelete"));
		kt_json_free(shown);
		return;
	}
	if (!rolling) {
		v_required(v, at, "");
		return;
	}
	const struct kt_json *unavailable = kt_get(rolling, "maxUnavailable"),
	                     *surge = kt_get(rolling, "maxSurge");
	v_int_or_percent(v, V_IN(at, "maxUnavailable"), unavailable);
	v_int_or_percent(v, V_IN(at, "maxSurge"), surge);
	at_most_all(v, V_IN(at, "maxUnavailable"), unavailable);
	at_most_all(v, V_IN(at, "maxSurge"), surge);
	if (!v_is_zero(unavailable) && !v_is_zero(surge))
		v_invalid(v, V_IN(at, "maxSurge"), surge, "may not be set when maxUnavailable is non-zero");
	if (v_is_zero(unavailable) && v_is_zero(surge))
		v_required(v, V_IN(at, "maxUnavailable"), "cannot be 0 when maxSurge is 0");
}

static void daemon_set(struct v *v)
{
	static const struct v_rule rest[] = {
	        {.field = "minReadySeconds", .kind = V_MIN},
	        {.field = "updateStrategy", .kind = V_CALL, .fn = daemon_strategy},
	        {.field = "revisionHistoryLimit", .kind = V_MIN},
	};
	const struct v_path *path = V_ROOT("spec"), *tp = V_IN(path, "template");
	const struct kt_json *spec = kt_get(v->object, "spec"), *sel = selector_of(spec),
	                     *template = kt_get(spec, "template");
	v_label_selector(v, V_IN(path, "selector"), sel);
	if (v_selector_valid(sel))
		selector_matches(v, tp, sel, template);
	if (sel && v_selector_is_empty(sel))
		v_invalid(v, V_IN(path, "selector"), sel, "empty selector is invalid for daemonset");
	v_pod_template(v, tp, template);
	always_restarts(v, tp, template, "DaemonSet");
	V_RULES(v, path, spec, rest);
}

/* --- stateful sets --- */

static void claim_templates(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *claim;
	KT_JSON_EACH (claim, list)
		v_claim_spec(v, V_IN(V_AT(path, claim_i), "spec"), kt_get(claim, "spec"));
}

/* The template with a volume for each claim template, which its containers may mount; counted up. */
static struct kt_json *with_claims(const struct kt_json *spec)
{
	/* what the controller writes over is not looked at */
	static const char *const given[] = {"subdomain", "hostname"};
	struct kt_json *template = kt_json_ref(kt_get(spec, "template")), *volumes = NULL, *row;
	const struct kt_json *claim;
	KT_JSON_EACH (claim, kt_get(spec, "volumeClaimTemplates")) {
		const char *name = kt_str_or(kt_path(claim, "metadata.name"), "");
		if (kt_find(volumes, "name", name) >= 0)
			continue;
		row = kt_jsonf("{name: %s, persistentVolumeClaim: {claimName: %s}}", name, name);
		kt_push(&volumes, row);
	}
	KT_JSON_EACH (claim, kt_path(template, "spec.volumes"))
		if (kt_find(volumes, "name", kt_get_text(claim, "name")) < 0)
			kt_push(&volumes, kt_json_ref(claim));
	if (volumes && kt_get(template, "spec"))
		kt_set(kt_edit(&template, "spec"), "volumes", volumes);
	else
		kt_json_free(volumes);
	for (size_t i = 0; i < KT_COUNT(given); i++)
		if (*kt_get_text(kt_get(template, "spec"), given[i]))
			kt_set(kt_edit(&template, "spec"), given[i], kt_json_str(""));
	return template;
}

static void stateful_strategy(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const struct v_rule rules[] = {{.field = "partition", .kind = V_MIN}};
	const struct kt_json *rolling = kt_get(s, "rollingUpdate");
	if (strcmp(kt_get_text(s, "type"), "OnDelete") == 0) {
		if (rolling)
			v_invalid_steal(v, V_IN(path, "rollingUpdate"),
			                v_internal(v, "StatefulRollingUpdate", rolling),
			                "only allowed for updateStrategy 'RollingUpdate'");
	} else if (strcmp(kt_get_text(s, "type"), "RollingUpdate") == 0) {
		V_RULES(v, V_IN(path, "rollingUpdate"), rolling, rules);
	} else {
		struct kt_json *shown = v_internal(v, "DeploymentStrategy", s);
		v_invalid_steal(v, path, shown, "must be 'RollingUpdate' or 'OnDelete'");
	}
}

static void stateful_set(struct v *v)
{
	static const char *const policies[] = {"Retain", "Delete", NULL};
	static const struct v_rule strategy[] = {
	        {.field = "updateStrategy", .kind = V_CALL, .fn = stateful_strategy},
	};
	static const struct v_rule retention[] = {
	        {.field = "whenDeleted", .kind = V_ENUM, .values = policies},
	        {.field = "whenScaled", .kind = V_ENUM, .values = policies},
	};
	static const struct v_rule counts[] = {
	        {.field = "replicas", .kind = V_MIN},
	        {.field = "minReadySeconds", .kind = V_MIN},
	};
	static const struct v_rule ordinals[] = {{.field = "start", .kind = V_MIN}};
	const struct v_path *path = V_ROOT("spec"), *tp = V_IN(path, "template");
	const struct kt_json *spec = kt_get(v->object, "spec"), *sel = selector_of(spec),
	                     *template = kt_get(spec, "template");
	const char *policy = kt_get_text(spec, "podManagementPolicy");
	if (!*policy)
		v_required(v, V_IN(path, "podManagementPolicy"), "");
	else if (strcmp(policy, "OrderedReady") != 0 && strcmp(policy, "Parallel") != 0)
		v_invalid_str(v, V_IN(path, "podManagementPolicy"), policy,
		              "must be 'OrderedReady' or 'Parallel'");
	V_RULES(v, path, spec, strategy);
	V_RULES(v, V_IN(path, "persistentVolumeClaimRetentionPolicy"),
	        kt_get(spec, "persistentVolumeClaimRetentionPolicy"), retention);
	if (!v->old)
		claim_templates(v, V_IN(path, "volumeClaimTemplates"), kt_get(spec, "volumeClaimTemplates"));
	V_RULES(v, path, spec, counts);
	V_RULES(v, V_IN(path, "ordinals"), kt_get(spec, "ordinals"), ordinals);
	if (!v->old && *kt_get_text(spec, "serviceName"))
		v_check(v, V_IN(path, "serviceName"), kt_get_text(spec, "serviceName"), v_dns_label);
	if (!sel) {
		v_required(v, V_IN(path, "selector"), "");
	} else {
		v_label_selector(v, V_IN(path, "selector"), sel);
		if (v_selector_is_empty(sel))
			v_invalid(v, V_IN(path, "selector"), sel,
			          "empty selector is invalid for statefulset");
	}
	if (v_selector_valid(sel)) {
		struct kt_json *whole = with_claims(spec);
		selector_matches(v, tp, sel, template);
		v_pod_template(v, tp, whole);
		kt_json_free(whole);
	} else {
		v_invalid(v, V_IN(path, "selector"), sel, "%s", "");
	}
	always_restarts(v, tp, template, "StatefulSet");
}

static void stateful_set_update(struct v *v)
{
	static const char *const free_fields[] = {"replicas",
	                                          "ordinals",
	                                          "template",
	                                          "updateStrategy",
	                                          "revisionHistoryLimit",
	                                          "persistentVolumeClaimRetentionPolicy",
	                                          "minReadySeconds"};
	struct kt_json *now = kt_json_ref(kt_get(v->object, "spec")),
	               *old = kt_json_ref(kt_get(v->old, "spec"));
	stateful_set(v);
	for (size_t i = 0; i < KT_COUNT(free_fields); i++) {
		kt_unset(&now, free_fields[i]);
		kt_unset(&old, free_fields[i]);
	}
	if (!kt_equal(now, old))
		v_forbidden(v, V_ROOT("spec"),
		            "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
		            "'template', 'updateStrategy', "
		            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
		            "'minReadySeconds' are forbidden");
	kt_json_free(now);
	kt_json_free(old);
}

static void revision(struct v *v)
{
	static const struct v_rule rules[] = {{.field = "revision", .kind = V_MIN}};
	V_RULES(v, NULL, v->object, rules);
	if (v->old)
		return;
	if (!kt_get(v->object, "data") || kt_json_type(kt_get(v->object, "data")) == KT_JSON_NULL)
		v_required(v, V_ROOT("data"), "data is mandatory");
	else if (!kt_is_object(kt_get(v->object, "data")))
		v_required(v, V_ROOT("data"), "data must be a valid JSON object");
}

static void revision_update(struct v *v)
{
	revision(v);
	if (!kt_equal(kt_get(v->object, "data"), kt_get(v->old, "data")))
		v_invalid(v, V_ROOT("data"), kt_get(v->object, "data"), "field is immutable");
}

/* The selector first, unlike the others of its group (ValidateDaemonSetUpdate). */
static void daemon_set_update(struct v *v)
{
	v_immutable(v, V_IN(V_ROOT("spec"), "selector"), kt_path(v->object, "spec.selector"),
	            kt_path(v->old, "spec.selector"));
	daemon_set(v);
}

static const char *const fixed_selector[] = {"spec.selector", NULL};

const struct v_kind v_kinds_apps[] = {
        {.group = "apps", .kind = "Deployment", .create = deployment, .immutable = fixed_selector},
        {.group = "apps", .kind = "ReplicaSet", .create = replica_set, .immutable = fixed_selector},
        {.group = "apps", .kind = "DaemonSet", .create = daemon_set, .update = daemon_set_update},
        {.group = "apps",
         .kind = "StatefulSet",
         .prefix = v_dns_label_trailing,
         .create = stateful_set,
         .update = stateful_set_update},
        {.group = "apps", .kind = "ControllerRevision", .create = revision, .update = revision_update},
        {.group = "", .kind = "ReplicationController", .create = replication_controller},
        {0},
};

/* SPDX-License-Identifier: MIT */
/* Jobs and cron jobs: kubernetes pkg/apis/batch/validation/validation.go. */
#include "cluster/api/validate.h"

#include <string.h>

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

/* --- failure policies --- */

static void exit_codes(struct v *v, const struct v_path *path, const struct kt_json *codes)
{
	static const char *const operators[] = {"In", "NotIn", NULL};
	const struct kt_json *values = kt_get(codes, "values"), *value;
	const struct v_path *vp = V_IN(path, "values");
	const char *op = str(codes, "operator");
	if (strcmp(op, "In") != 0 && strcmp(op, "NotIn") != 0)
		v_unsupported(v, V_IN(path, "operator"), kt_get(codes, "operator"), operators);
	if (kt_count(values) == 0)
		v_invalid_steal(v, vp, kt_json_ref(values), "at least one value is required");
	KT_JSON_EACH (value, values) {
		if (kt_int_or(value, 0) == 0 && strcmp(op, "In") == 0)
			v_invalid(v, V_AT(vp, value_i), value, "must not be 0 for the In operator");
		for (size_t i = 0; i < value_i; i++)
			if (kt_equal(kt_at(values, i), value)) {
				v_duplicate(v, V_AT(vp, value_i), value);
				break;
			}
	}
	for (size_t i = 1; i < kt_count(values); i++)
		if (kt_int_or(kt_at(values, i - 1), 0) > kt_int_or(kt_at(values, i), 0)) {
			v_invalid(v, vp, values, "must be ordered");
			break;
		}
}

static void failure_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	static const char *const actions[] = {"Count", "FailIndex", "FailJob", "Ignore", NULL};
	const char *action = str(rule, "action");
	bool known = false;
	for (size_t i = 0; actions[i]; i++)
		known = known || strcmp(action, actions[i]) == 0;
	if (!*action)
		v_required(v, V_IN(path, "action"),
		           "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
	else if (!known)
		v_unsupported(v, V_IN(path, "action"), kt_get(rule, "action"), actions);
	if (kt_get(rule, "onExitCodes"))
		exit_codes(v, V_IN(path, "onExitCodes"), kt_get(rule, "onExitCodes"));
	if (kt_get(rule, "onExitCodes") && kt_count(kt_get(rule, "onPodConditions")) > 0)
		v_invalid(v, path, NULL, "specifying both OnExitCodes and OnPodConditions is not supported");
	if (!kt_get(rule, "onExitCodes") && kt_count(kt_get(rule, "onPodConditions")) == 0)
		v_invalid(v, path, NULL, "specifying one of OnExitCodes and OnPodConditions is required");
}

static void failure_policy(struct v *v, const struct v_path *path, const struct kt_json *policy)
{
	const struct kt_json *rule;
	KT_JSON_EACH (rule, kt_get(policy, "rules"))
		failure_rule(v, V_AT(V_IN(path, "rules"), rule_i), rule);
}

/* --- jobs --- */

static void job_restart_policy(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *pod = kt_path(spec, "template.spec");
	const struct v_path *at = V_IN(V_IN(V_IN(path, "template"), "spec"), "restartPolicy");
	const char *policy = str(pod, "restartPolicy");
	if (!*policy || strcmp(policy, "Always") == 0)
		v_required(v, at, "valid values: \"OnFailure\", \"Never\"");
	else if (strcmp(policy, "OnFailure") != 0 && strcmp(policy, "Never") != 0)
		v_unsupported(v, at, kt_get(pod, "restartPolicy"), V_WORDS("OnFailure", "Never"));
	else if (kt_get(spec, "podFailurePolicy") && strcmp(policy, "Never") != 0)
		v_invalid_str(v, at, policy,
		              "only \"Never\" is supported when podFailurePolicy is specified");
}

void v_job_spec(struct v *v, const struct v_path *path, const struct kt_json *spec, bool in_cron_job)
{
	static const char *const modes[] = {"Indexed", "NonIndexed", NULL};
	static const char *const replacements[] = {"Failed", "TerminatingOrFailed", NULL};
	static const struct v_rule rules[] = {
	        {.field = "parallelism", .kind = V_MIN},
	        {.field = "completions", .kind = V_MIN},
	        {.field = "activeDeadlineSeconds", .kind = V_MIN},
	        {.field = "backoffLimit", .kind = V_MIN},
	        {.field = "ttlSecondsAfterFinished", .kind = V_MIN},
	        {.field = "backoffLimitPerIndex", .kind = V_MIN},
	        {.field = "maxFailedIndexes", .kind = V_MIN},
	        {.field = "completionMode", .kind = V_ENUM, .values = modes},
	};
	static const struct v_rule policies[] = {
	        {.field = "podFailurePolicy", .kind = V_OBJECT, .fn = failure_policy},
	        {.field = "podReplacementPolicy", .kind = V_ENUM, .values = replacements},
	        {.field = "template", .kind = V_CALL, .fn = v_pod_template},
	};
	bool indexed = strcmp(str(spec, "completionMode"), "Indexed") == 0;
	(void)in_cron_job;
	V_RULES(v, path, spec, rules);
	if (indexed && !kt_get(spec, "completions"))
		v_required(v, V_IN(path, "completions"), "when completion mode is Indexed");
	if (indexed && kt_get_int(spec, "parallelism", 0) > 100000)
		v_invalid(v, V_IN(path, "parallelism"), kt_get(spec, "parallelism"),
		          "must be less than or equal to 100000 when completion mode is Indexed");
	if (!indexed && kt_get(spec, "backoffLimitPerIndex"))
		v_invalid(v, V_IN(path, "backoffLimitPerIndex"), kt_get(spec, "backoffLimitPerIndex"),
		          "requires indexed completion mode");
	if (kt_get(spec, "maxFailedIndexes") && !kt_get(spec, "backoffLimitPerIndex"))
		v_required(v, V_IN(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	V_RULES(v, path, spec, policies);
	job_restart_policy(v, path, spec);
}

/* The server writes the selector, unless manualSelector: who writes another is refused. */
static void generated_selector(struct v *v)
{
	const struct kt_json *spec = kt_get(v->object, "spec"), *selector = kt_get(spec, "selector");
	const struct kt_json *labels = kt_path(spec, "template.metadata.labels");
	const char *uid = kt_path_str(v->object, "metadata.uid"),
	           *name = kt_path_str(v->object, "metadata.name");
	const struct v_path *lp = V_IN(V_IN(V_IN(V_ROOT("spec"), "template"), "metadata"), "labels");
	const struct {
		const char *key, *value;
	} wanted[] = {{"controller-uid", uid},
	              {"job-name", name},
	              {"batch.kubernetes.io/controller-uid", uid},
	              {"batch.kubernetes.io/job-name", name}};
	if (kt_json_type(selector) == KT_JSON_NULL || kt_get_bool(spec, "manualSelector", false))
		return;
	for (size_t i = 0; i < KT_COUNT(wanted); i++) {
		const char *is = kt_get_str(labels, wanted[i].key);
		char *detail = kt_strf("must be '%s'", wanted[i].value ? wanted[i].value : "");
		if (!is)
			v_required(v, V_KEY(lp, wanted[i].key), detail);
		else if (!kt_streq(is, wanted[i].value))
			v_invalid(v, V_KEY(lp, wanted[i].key), labels, "%s", detail);
		kt_free(detail);
	}
	const struct kt_json *match = kt_get(selector, "matchLabels");
	if (kt_count(match) != 1 || kt_count(kt_get(selector, "matchExpressions")) > 0 ||
	    !(kt_streq(kt_get_str(match, "batch.kubernetes.io/controller-uid"), uid) ||
	      kt_streq(kt_get_str(match, "controller-uid"), uid)))
		v_invalid(v, V_IN(V_ROOT("spec"), "selector"), selector, "`selector` not auto-generated");
}

static void job(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *selector = kt_get(spec, "selector");
	const struct kt_json *labels = kt_path(spec, "template.metadata.labels");
	if (kt_json_type(selector) == KT_JSON_NULL)
		selector = NULL;
	generated_selector(v);
	v_job_spec(v, path, spec, false);
	if (!selector)
		v_required(v, V_IN(path, "selector"), "");
	else
		v_label_selector(v, V_IN(path, "selector"), selector);
	if (v_selector_valid(selector) && selector && !view_selector_matches(selector, labels))
		v_invalid(v, V_IN(V_IN(V_IN(path, "template"), "metadata"), "labels"), labels,
		          "`selector` does not match template `labels`");
}

/* Where the pods of a suspended job that never started go may still change. */
static void keep_scheduling(struct kt_json **template, const struct kt_json *old)
{
	static const char *const free_fields[] = {"affinity", "nodeSelector", "tolerations",
	                                          "schedulingGates"};
	for (size_t i = 0; i < KT_COUNT(free_fields); i++) {
		const struct kt_json *was = kt_get(kt_get(old, "spec"), free_fields[i]);
		if (was != kt_get(kt_get(*template, "spec"), free_fields[i]))
			kt_set(kt_edit(template, "spec"), free_fields[i], kt_json_ref(was));
	}
	if (!kt_equal(kt_get(*template, "metadata"), kt_get(old, "metadata")))
		kt_set(template, "metadata", kt_json_ref(kt_get(old, "metadata")));
}

static void job_update(struct v *v)
{
	static const char *const fixed[] = {"podFailurePolicy", "backoffLimitPerIndex", "managedBy",
	                                    "successPolicy"};
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	const struct kt_json *was = kt_get(old, "template");
	bool indexed = strcmp(str(now, "completionMode"), "Indexed") == 0;
	bool elastic = indexed && kt_equal(kt_get(now, "completions"), kt_get(now, "parallelism")) &&
	               kt_get(now, "completions");
	job(v);
	if (!elastic)
		v_immutable(v, V_IN(path, "completions"), kt_get(now, "completions"),
		            kt_get(old, "completions"));
	v_immutable(v, V_IN(path, "selector"), kt_get(now, "selector"), kt_get(old, "selector"));
	struct kt_json *template = kt_json_ref(kt_get(now, "template"));
	if (kt_get_bool(old, "suspend", false) && !kt_path(v->old, "status.startTime"))
		keep_scheduling(&template, was);
	if (!kt_equal(template, was))
		v_invalid_steal(v, V_IN(path, "template"),
		                v_internal(v, "PodTemplateSpec", kt_get(now, "template")),
		                "field is immutable");
	kt_json_free(template);
	v_immutable(v, V_IN(path, "completionMode"), kt_get(now, "completionMode"),
	            kt_get(old, "completionMode"));
	for (size_t i = 0; i < KT_COUNT(fixed); i++)
		v_immutable(v, V_IN(path, fixed[i]), kt_get(now, fixed[i]), kt_get(old, fixed[i]));
}

/* --- cron jobs --- */

static void schedule(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	const char *s = kt_str_or(value, "");
	bool zone = kt_path(v->object, "spec.timeZone") != NULL, inside = strstr(s, "TZ") != NULL;
	if (!*s)
		v_required(v, path, "");
	else
		v_check(v, path, s, v_cron);
	if (inside)
		v_invalid_str(v, path, s, "%s",
		              zone ? "cannot use both timeZone field and TZ or CRON_TZ in schedule"
		                   : "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
}

static void zone(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	v_check(v, path, kt_str_or(value, ""), v_time_zone);
}

static void job_template(struct v *v, const struct v_path *path, const struct kt_json *template)
{
	const struct kt_json *spec = kt_get(template, "spec");
	const struct v_path *at = V_IN(path, "spec");
	v_job_spec(v, at, spec, true);
	if (kt_get(spec, "selector"))
		v_invalid(v, V_IN(at, "selector"), kt_get(spec, "selector"),
		          "`selector` will be auto-generated");
	if (kt_get_bool(spec, "manualSelector", false))
		v_unsupported(v, V_IN(at, "manualSelector"), kt_get(spec, "manualSelector"),
		              V_WORDS("nil", "false"));
}

static void cron_job(struct v *v)
{
	static const char *const policies[] = {"Allow", "Forbid", "Replace", NULL};
	static const struct v_rule rules[] = {
	        {.field = "schedule", .kind = V_CALL, .fn = schedule},
	        {.field = "startingDeadlineSeconds", .kind = V_MIN},
	        {.field = "timeZone", .kind = V_OBJECT, .fn = zone},
	        {.field = "concurrencyPolicy", .kind = V_ENUM_NEEDED, .values = policies},
	        {.field = "jobTemplate", .kind = V_CALL, .fn = job_template},
	        {.field = "successfulJobsHistoryLimit", .kind = V_MIN},
	        {.field = "failedJobsHistoryLimit", .kind = V_MIN},
	};
	const char *name = kt_path_str(v->object, "metadata.name");
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rules);
	if (!v->old && name && strlen(name) > 52)
		v_invalid_str(v, V_IN(V_ROOT("metadata"), "name"), name,
		              "must be no more than 52 characters");
}

const struct v_kind v_kinds_batch[] = {
        {.group = "batch", .kind = "Job", .create = job, .update = job_update},
        {.group = "batch", .kind = "CronJob", .create = cron_job},
        {0},
};

/* SPDX-License-Identifier: MIT */
/* Jobs and cron jobs: kubernetes pkg/apis/batch/validation/validation.go. */
#include "cluster/api/validate.h"

#include <string.h>

/* --- failure policies --- */

static void exit_codes(struct v *v, const struct v_path *path, const struct kt_json *codes,
                       const struct kt_json *template)
{
	static const char *const operators[] = {"In", "NotIn", NULL};
	const struct kt_json *values = kt_get(codes, "values"), *value;
	const struct v_path *vp = V_IN(path, "values");
	const char *op = kt_get_text(codes, "operator"), *name = kt_get_str(codes, "containerName");
	if (!*op)
		v_required(v, V_IN(path, "operator"), "valid values: [\"In\" \"NotIn\"]");
	else if (strcmp(op, "In") != 0 && strcmp(op, "NotIn") != 0)
		v_unsupported(v, V_IN(path, "operator"), kt_get(codes, "operator"), operators);
	if (name && kt_find(kt_path(template, "spec.containers"), "name", name) < 0 &&
	    kt_find(kt_path(template, "spec.initContainers"), "name", name) < 0)
		v_invalid_str(v, V_IN(path, "containerName"), name,
		              "must be one of the container or initContainer names in the pod template");
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

static void pod_condition(struct v *v, const struct v_path *path, const struct kt_json *pattern)
{
	static const char *const states[] = {"False", "True", "Unknown", NULL};
	const char *state = kt_get_text(pattern, "status");
	v_check(v, V_IN(path, "type"), kt_get_text(pattern, "type"), v_qualified_name);
	if (!*state)
		v_required(v, V_IN(path, "status"), "valid values: [\"False\" \"True\" \"Unknown\"]");
	else if (strcmp(state, "False") && strcmp(state, "True") && strcmp(state, "Unknown"))
		v_unsupported(v, V_IN(path, "status"), kt_get(pattern, "status"), states);
}

static void failure_rule(struct v *v, const struct v_path *path, const struct kt_json *rule,
                         const struct kt_json *spec)
{
	static const char *const actions[] = {"Count", "FailIndex", "FailJob", "Ignore", NULL};
	const struct kt_json *codes = kt_get(rule, "onExitCodes"),
	                     *conditions = kt_get(rule, "onPodConditions"), *pattern;
	const char *action = kt_get_text(rule, "action");
	bool known = false;
	for (size_t i = 0; actions[i]; i++)
		known = known || strcmp(action, actions[i]) == 0;
	if (!*action)
		v_required(v, V_IN(path, "action"),
		           "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]");
	else if (!known)
		v_unsupported(v, V_IN(path, "action"), kt_get(rule, "action"), actions);
	else if (strcmp(action, "FailIndex") == 0 && !kt_get(spec, "backoffLimitPerIndex"))
		v_invalid_str(v, V_IN(path, "action"), action, "requires the backoffLimitPerIndex to be set");
	if (codes)
		exit_codes(v, V_IN(path, "onExitCodes"), codes, kt_get(spec, "template"));
	KT_JSON_EACH (pattern, conditions)
		pod_condition(v, V_AT(V_IN(path, "onPodConditions"), pattern_i), pattern);
	if (codes && kt_count(conditions) > 0)
		v_invalid_bare(v, path, "specifying both OnExitCodes and OnPodConditions is not supported");
	if (!codes && kt_count(conditions) == 0)
		v_invalid_bare(v, path, "specifying one of OnExitCodes and OnPodConditions is required");
}

static void failure_policy(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *rules = kt_path(spec, "podFailurePolicy.rules"), *rule;
	if (kt_count(rules) > 20)
		v_too_many(v, V_IN(path, "rules"), kt_count(rules), 20);
	KT_JSON_EACH (rule, rules)
		failure_rule(v, V_AT(V_IN(path, "rules"), rule_i), rule, spec);
}

/* --- success policies --- */

/* A number in front of a '-' or ',' or the end; false and a message in `out` if it is none of the job's. */
static bool index_in(const char *text, size_t len, int64_t completions, int64_t *number, struct kt_buf *out)
{
	int64_t n = 0;
	bool digits = len > 0 && len < 10;
	for (size_t i = 0; digits && i < len; i++) {
		digits = text[i] >= '0' && text[i] <= '9';
		n = n * 10 + (text[i] - '0');
	}
	if (!digits)
		kt_buf_addf(out, "cannot convert string to integer for index: \"%.*s\"", (int)len, text);
	else if (n >= completions)
		kt_buf_addf(out, "too large index: \"%.*s\"", (int)len, text);
	*number = n;
	return out->len == 0;
}

/* How many indexes "1,3-5" names; what is wrong with it goes to `out`. */
static int64_t count_indexes(const char *text, int64_t completions, struct kt_buf *out)
{
	int64_t total = 0, last = -1, from, to;
	const char *rest = text, *piece;
	size_t len;
	while (*text && (piece = kt_split(&rest, ',', &len)) != NULL) {
		const char *dash = memchr(piece, '-', len);
		size_t first = dash ? (size_t)(dash - piece) : len;
		if (dash && memchr(dash + 1, '-', len - first - 1)) {
			kt_buf_addf(
			        out,
			        "the fragment \"%.*s\" violates the requirement that an index interval can "
			        "have at most two parts separated by '-'",
			        (int)len, piece);
			return 0;
		}
		if (!index_in(piece, first, completions, &from, out) ||
		    !index_in(dash ? dash + 1 : piece, dash ? len - first - 1 : len, completions, &to, out))
			return 0;
		if (dash ? from >= to : last >= from) {
			kt_buf_addf(out, "non-increasing order, previous: %lld, current: %lld",
			            (long long)(dash ? from : last), (long long)(dash ? to : from));
			return 0;
		}
		total += to - from + 1;
		last = to;
	}
	return total;
}

static void success_rule(struct v *v, const struct v_path *path, const struct kt_json *rule,
                         int64_t completions)
{
	const struct kt_json *count = kt_get(rule, "succeededCount");
	const char *indexes = kt_get_str(rule, "succeededIndexes");
	const struct v_path *cp = V_IN(path, "succeededCount");
	int64_t total = 0;
	if (!count && !indexes)
		v_required(v, path, "at least one of succeededCount or succeededIndexes must be specified");
	if (indexes) {
		struct kt_buf fault = {0};
		total = count_indexes(indexes, completions, &fault);
		if (fault.len > 0)
			v_invalid_str(v, V_IN(path, "succeededIndexes"), indexes,
			              "error parsing succeededIndexes: %s", kt_buf_str(&fault));
		kt_buf_clear(&fault);
	}
	if (!count)
		return;
	if (kt_int_or(count, 0) < 0)
		v_invalid(v, cp, count, "must be greater than or equal to 0");
	if (kt_int_or(count, 0) > completions)
		v_invalid(v, cp, count,
		          "must be less than or equal to %lld (the number of specified completions)",
		          (long long)completions);
	if (indexes && kt_int_or(count, 0) > total)
		v_invalid(v, cp, count,
		          "must be less than or equal to %lld (the number of indexes in the specified "
		          "succeededIndexes field)",
		          (long long)total);
}

static void success_policy(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *policy = kt_get(spec, "successPolicy"), *rules = kt_get(policy, "rules"), *rule;
	if (strcmp(kt_get_text(spec, "completionMode"), "Indexed") != 0) {
		v_invalid_steal(v, path, v_internal(v, "SuccessPolicy", policy),
		                "requires indexed completion mode");
		return;
	}
	if (kt_count(rules) == 0)
		v_required(v, V_IN(path, "rules"),
		           "at least one rules must be specified when the successPolicy is specified");
	KT_JSON_EACH (rule, rules)
		success_rule(v, V_AT(V_IN(path, "rules"), rule_i), rule, kt_get_int(spec, "completions", 0));
}

/* --- jobs --- */

static void job_restart_policy(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *pod = kt_path(spec, "template.spec");
	const struct v_path *at = V_IN(V_IN(V_IN(path, "template"), "spec"), "restartPolicy");
	const char *policy = kt_get_text(pod, "restartPolicy");
	if (!*policy || strcmp(policy, "Always") == 0)
		v_required(v, at, "valid values: \"OnFailure\", \"Never\"");
	else if (strcmp(policy, "OnFailure") != 0 && strcmp(policy, "Never") != 0)
		v_unsupported(v, at, kt_get(pod, "restartPolicy"), V_WORDS("OnFailure", "Never"));
	else if (kt_get(spec, "podFailurePolicy") && strcmp(policy, "Never") != 0)
		v_invalid_str(v, at, policy,
		              "only \"Never\" is supported when podFailurePolicy is specified");
}

static void managed_by(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	v_domain_path(v, path, kt_str_or(value, ""));
}

/* So many indexes with a limit each ask for less of the rest. */
static void many_indexes(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char most[] =
	        "must be less than or equal to 10000 when completions are above 100000 and used "
	        "with backoff limit per index";
	static const char *const fields[] = {"parallelism", "maxFailedIndexes"};
	if (!kt_get(spec, "maxFailedIndexes"))
		v_required(v, V_IN(path, "maxFailedIndexes"),
		           "must be specified when completions is above 100000");
	for (size_t i = 0; i < KT_COUNT(fields); i++)
		if (kt_get_int(spec, fields[i], 0) > 10000)
			v_invalid(v, V_IN(path, fields[i]), kt_get(spec, fields[i]), most);
}

static void job_indexes(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *completions = kt_get(spec, "completions"),
	                     *failed = kt_get(spec, "maxFailedIndexes");
	const char *mode = kt_get_text(spec, "completionMode");
	if (strcmp(mode, "Indexed") == 0) {
		if (!completions)
			v_required(v, V_IN(path, "completions"), "when completion mode is Indexed");
		if (kt_get_int(spec, "parallelism", 0) > 100000)
			v_invalid(v, V_IN(path, "parallelism"), kt_get(spec, "parallelism"),
			          "must be less than or equal to 100000 when completion mode is Indexed");
		if (completions && failed && kt_int_or(failed, 0) > kt_int_or(completions, 0))
			v_invalid(v, V_IN(path, "maxFailedIndexes"), failed,
			          "must be less than or equal to completions");
		if (failed && kt_int_or(failed, 0) > 100000)
			v_invalid(v, V_IN(path, "maxFailedIndexes"), failed,
			          "must be less than or equal to 100000");
		if (kt_int_or(completions, 0) > 100000 && kt_get(spec, "backoffLimitPerIndex"))
			many_indexes(v, path, spec);
		return;
	}
	if (*mode && strcmp(mode, "NonIndexed"))
		return;
	if (kt_get(spec, "backoffLimitPerIndex"))
		v_invalid(v, V_IN(path, "backoffLimitPerIndex"), kt_get(spec, "backoffLimitPerIndex"),
		          "requires indexed completion mode");
	if (failed)
		v_invalid(v, V_IN(path, "maxFailedIndexes"), failed, "requires indexed completion mode");
}

void v_job_spec(struct v *v, const struct v_path *path, const struct kt_json *spec, bool in_cron_job)
{
	static const char *const modes[] = {"NonIndexed", "Indexed", NULL};
	static const char *const replacements[] = {"Failed", "TerminatingOrFailed", NULL},
	                         *const only_failed[] = {"Failed", NULL};
	static const struct v_rule rules[] = {
	        {.field = "parallelism", .kind = V_MIN},
	        {.field = "completions", .kind = V_MIN},
	        {.field = "activeDeadlineSeconds", .kind = V_MIN},
	        {.field = "backoffLimit", .kind = V_MIN},
	        {.field = "ttlSecondsAfterFinished", .kind = V_MIN},
	        {.field = "backoffLimitPerIndex", .kind = V_MIN},
	        {.field = "maxFailedIndexes", .kind = V_MIN},
	};
	static const struct v_rule mode[] = {
	        {.field = "managedBy", .kind = V_OBJECT, .fn = managed_by},
	        {.field = "completionMode", .kind = V_ENUM, .values = modes},
	};
	const struct v_rule last[] = {
	        {.field = "podReplacementPolicy",
	         .kind = V_ENUM,
	         .values = kt_get(spec, "podFailurePolicy") ? only_failed : replacements},
	        {.field = "template", .kind = V_CALL, .fn = v_pod_template},
	};
	(void)in_cron_job;
	V_RULES(v, path, spec, rules);
	if (kt_get(spec, "maxFailedIndexes") && !kt_get(spec, "backoffLimitPerIndex"))
		v_required(v, V_IN(path, "backoffLimitPerIndex"), "when maxFailedIndexes is specified");
	V_RULES(v, path, spec, mode);
	job_indexes(v, path, spec);
	if (kt_get(spec, "podFailurePolicy"))
		failure_policy(v, V_IN(path, "podFailurePolicy"), spec);
	if (kt_get(spec, "successPolicy"))
		success_policy(v, V_IN(path, "successPolicy"), spec);
	V_RULES(v, path, spec, last);
	job_restart_policy(v, path, spec);
}

/* The server writes the selector, unless manualSelector: who writes another is refused. */
static void generated_selector(struct v *v)
{
	const struct kt_json *spec = kt_get(v->object, "spec"), *selector = kt_get(spec, "selector");
	const struct kt_json *labels = kt_path(spec, "template.metadata.labels");
	const char *uid = kt_path_str(v->object, "metadata.uid"),
	           *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
	struct kt_json *expected = kt_json_object();
	const struct v_path *lp = V_IN(V_IN(V_IN(V_ROOT("spec"), "template"), "metadata"), "labels");
	const struct {
		const char *key, *value;
	} wanted[] = {{"controller-uid", uid},
	              {"job-name", name},
	              {"batch.kubernetes.io/controller-uid", uid},
	              {"batch.kubernetes.io/job-name", name}};
	if (kt_json_type(selector) == KT_JSON_NULL || kt_get_bool(spec, "manualSelector", false)) {
		kt_json_free(expected);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(wanted); i++) {
		const char *is = kt_get_str(labels, wanted[i].key);
		/* a job that was made without the prefixed ones may go on without */
		if (v->old && strchr(wanted[i].key, '/') &&
		    !kt_get(kt_path(v->old, "spec.template.metadata.labels"), wanted[i].key))
			continue;
		kt_set(&expected, wanted[i].key, kt_json_str(wanted[i].value));
		char *detail = kt_strf("must be '%s'", wanted[i].value ? wanted[i].value : "");
		if (!is)
			v_required(v, V_KEY(lp, wanted[i].key), detail);
		else if (!kt_streq(is, wanted[i].value))
			v_invalid(v, V_KEY(lp, wanted[i].key), labels, "%s", detail);
		kt_free(detail);
	}
	if (v_selector_valid(selector) && !view_selector_matches(selector, expected))
		v_invalid(v, V_IN(V_ROOT("spec"), "selector"), selector, "`selector` not auto-generated");
	kt_json_free(expected);
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
	if (v_selector_valid(selector) && (!selector || !view_selector_matches(selector, labels)))
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
	bool indexed = strcmp(kt_get_text(now, "completionMode"), "Indexed") == 0;
	bool elastic = indexed && kt_equal(kt_get(now, "completions"), kt_get(now, "parallelism")) &&
	               kt_get(now, "completions");
	job(v);
	if (indexed && !elastic && !kt_equal(kt_get(now, "completions"), kt_get(old, "completions")))
		v_invalid(v, V_IN(path, "completions"), kt_get(now, "completions"),
		          "can only be modified in tandem with spec.parallelism");
	else if (!indexed)
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
		              zone && v->old && strstr(kt_str_or(kt_path(v->old, "spec.schedule"), ""), "TZ")
		                      ? "cannot use both timeZone field and TZ or CRON_TZ in schedule"
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

/* SPDX-License-Identifier: MIT */
/* Admission policies and webhooks: kubernetes pkg/apis/admissionregistration/validation. */
#include "cluster/api/validate.h"

#include <string.h>

#define GROUP "admissionregistration.k8s.io"

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

static const char *const failure_policies[] = {"Fail", "Ignore", NULL};
static const char *const match_policies[] = {"Equivalent", "Exact", NULL};

/* --- rules: which requests --- */

static void operations(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const known[] = {"*", "CONNECT", "CREATE", "DELETE", "UPDATE", NULL};
	const struct kt_json *item;
	bool all = false;
	if (kt_count(list) == 0)
		v_required(v, path, "");
	KT_JSON_EACH (item, list)
		all = all || kt_streq(kt_str(item), "*");
	if (all && kt_count(list) > 1)
		v_invalid(v, path, list, "if '*' is present, must not specify other operations");
	KT_JSON_EACH (item, list) {
		bool fine = false;
		for (size_t i = 0; known[i]; i++)
			fine = fine || kt_streq(kt_str(item), known[i]);
		if (!fine)
			v_unsupported(v, V_AT(path, item_i), item, known);
	}
}

static void resource_rule(struct v *v, const struct v_path *path, const struct kt_json *rule)
{
	static const char *const needed[] = {"apiGroups", "apiVersions", "resources"};
	operations(v, V_IN(path, "operations"), kt_get(rule, "operations"));
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (kt_count(kt_get(rule, needed[i])) == 0)
			v_required(v, V_IN(path, needed[i]), "");
}

static void match_resources(struct v *v, const struct v_path *path, const struct kt_json *match)
{
	static const struct v_rule rules[] = {
	        {.field = "matchPolicy", .kind = V_ENUM, .values = match_policies},
	        {.field = "namespaceSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "objectSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "resourceRules", .kind = V_EACH, .fn = resource_rule},
	        {.field = "excludeResourceRules", .kind = V_EACH, .fn = resource_rule},
	};
	V_RULES(v, path, match, rules);
}

/* --- policies --- */

static void policy(struct v *v)
{
	static const char both[] = "validations or auditAnnotations must contain at least one item";
	static const struct v_rule rules[] = {
	        {.field = "failurePolicy", .kind = V_ENUM, .values = failure_policies},
	};
	const struct v_path *path = V_ROOT("spec"), *mp = V_IN(path, "matchConstraints");
	const struct kt_json *spec = kt_get(v->object, "spec"), *match = kt_get(spec, "matchConstraints"),
	                     *item;
	V_RULES(v, path, spec, rules);
	if (!match)
		v_required(v, mp, "");
	else
		match_resources(v, mp, match);
	if (match && kt_count(kt_get(match, "resourceRules")) == 0)
		v_required(v, V_IN(mp, "resourceRules"), "");
	if (kt_count(kt_get(spec, "validations")) + kt_count(kt_get(spec, "auditAnnotations")) == 0) {
		v_required(v, V_IN(path, "validations"), both);
		v_required(v, V_IN(path, "auditAnnotations"), both);
	}
	KT_JSON_EACH (item, kt_get(spec, "validations"))
		if (!*str(item, "expression"))
			v_required(v, V_IN(V_AT(V_IN(path, "validations"), item_i), "expression"),
			           "expression is not specified");
}

static void actions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const known[] = {"Audit", "Deny", "Warn", NULL};
	const struct kt_json *item;
	bool deny = false, warn = false;
	KT_JSON_EACH (item, list) {
		const char *action = kt_str_or(item, "");
		if (strcmp(action, "Audit") && strcmp(action, "Deny") && strcmp(action, "Warn"))
			v_unsupported(v, V_AT(path, item_i), item, known);
		for (size_t i = 0; i < item_i; i++)
			if (kt_equal(kt_at(list, i), item)) {
				v_duplicate(v, V_AT(path, item_i), item);
				break;
			}
		deny = deny || strcmp(action, "Deny") == 0;
		warn = warn || strcmp(action, "Warn") == 0;
	}
	if (deny && warn)
		v_invalid(v, path, list,
		          "must not contain both Deny and Warn (repeating the same validation failure "
		          "information in the API response and headers serves no purpose)");
	if (kt_count(list) == 0)
		v_required(v, path, "at least one validation action is required");
}

static void policy_binding(struct v *v)
{
	static const struct v_rule rows[] = {
	        {.field = "policyName", .kind = V_NEEDED, .format = v_dns_subdomain},
	        {.field = "matchResources", .kind = V_OBJECT, .fn = match_resources},
	        {.field = "validationActions", .kind = V_CALL, .fn = actions},
	};
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rows);
}

/* --- webhooks --- */

static void webhook_name(struct v *v, const struct v_path *path, const char *name)
{
	size_t dots = 0;
	if (!*name) {
		v_required(v, path, "");
		return;
	}
	for (const char *c = name; *c; c++)
		dots += *c == '.';
	if (v_check(v, path, name, v_dns_subdomain) && dots < 2)
		v_invalid_str(v, path, name,
		              "should be a domain with at least three segments separated by dots");
}

static void review_versions(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	bool known = false;
	if (kt_count(list) == 0) {
		v_required(v, path, "must specify one of v1, v1beta1");
		return;
	}
	KT_JSON_EACH (item, list)
		known = known || kt_streq(kt_str(item), "v1") || kt_streq(kt_str(item), "v1beta1");
	if (!known)
		v_invalid(v, path, list, "must include at least one of v1, v1beta1");
}

static void client_config(struct v *v, const struct v_path *path, const struct kt_json *config)
{
	if (!kt_get(config, "url") == !kt_get(config, "service"))
		v_required(v, path, "exactly one of url or service is required");
}

static void webhook(struct v *v, const struct v_path *path, const struct kt_json *hook)
{
	static const char *const effects[] = {"None", "NoneOnDryRun", NULL};
	static const struct v_rule first[] = {
	        {.field = "rules", .kind = V_EACH, .fn = resource_rule},
	        {.field = "failurePolicy", .kind = V_ENUM, .values = failure_policies},
	        {.field = "matchPolicy", .kind = V_ENUM, .values = match_policies},
	};
	static const struct v_rule then[] = {
	        {.field = "sideEffects", .kind = V_ENUM, .values = effects},
	};
	static const struct v_rule last[] = {
	        {.field = "namespaceSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "objectSelector", .kind = V_CALL, .fn = v_label_selector},
	        {.field = "clientConfig", .kind = V_CALL, .fn = client_config},
	};
	int64_t seconds = kt_get_int(hook, "timeoutSeconds", 10);
	webhook_name(v, V_IN(path, "name"), str(hook, "name"));
	V_RULES(v, path, hook, first);
	if (!kt_get(hook, "sideEffects"))
		v_required(v, V_IN(path, "sideEffects"), "must specify one of None, NoneOnDryRun");
	V_RULES(v, path, hook, then);
	if (seconds < 1 || seconds > 30)
		v_invalid(v, V_IN(path, "timeoutSeconds"), kt_get(hook, "timeoutSeconds"),
		          "the timeout value must be between 1 and 30 seconds");
	V_RULES(v, path, hook, last);
}

/* All hooks, then their versions, as the server goes through them. */
static void webhooks(struct v *v)
{
	const struct kt_json *hooks = kt_get(v->object, "webhooks"), *hook;
	const struct v_path *path = V_ROOT("webhooks");
	KT_JSON_EACH (hook, hooks) {
		const struct v_path *at = V_AT(path, hook_i);
		webhook(v, at, hook);
		review_versions(v, V_IN(at, "admissionReviewVersions"),
		                kt_get(hook, "admissionReviewVersions"));
		if (*str(hook, "name") && kt_find(hooks, "name", str(hook, "name")) < (ptrdiff_t)hook_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(hook, "name"));
	}
}

const struct v_kind v_kinds_admission[] = {
        {.group = GROUP, .kind = "ValidatingAdmissionPolicy", .create = policy},
        {.group = GROUP, .kind = "ValidatingAdmissionPolicyBinding", .create = policy_binding},
        {.group = GROUP, .kind = "ValidatingWebhookConfiguration", .create = webhooks},
        {.group = GROUP, .kind = "MutatingWebhookConfiguration", .create = webhooks},
        {0},
};

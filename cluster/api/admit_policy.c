/* SPDX-License-Identifier: MIT */
/* ValidatingAdmissionPolicy: apiserver pkg/admission/plugin/policy/validating, with the part of CEL that
 * cel.h names. */
#include "cluster/api/admit.h"
#include "cluster/api/cel.h"

#include <string.h>

#define GROUP "admissionregistration.k8s.io"

static bool has(const struct kt_json *list, const char *word)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		if (kt_streq(kt_str(item), "*") || kt_streq(kt_str(item), word))
			return true;
	return false;
}

static const char *operation(const struct rules_request *r)
{
	return r->operation == RULES_CREATE   ? "CREATE"
	       : r->operation == RULES_UPDATE ? "UPDATE"
	       : r->operation == RULES_DELETE ? "DELETE"
	                                      : "CONNECT";
}

static bool rule_fits(const struct rules_request *r, const struct kt_json *rule)
{
	bool fits;
	char *resource = *r->subresource ? kt_strf("%s/%s", r->kind->resource, r->subresource)
	                                 : kt_strdup(r->kind->resource);
	const struct kt_json *resources = kt_get(rule, "resources"), *names = kt_get(rule, "resourceNames");
	fits = has(kt_get(rule, "apiGroups"), r->kind->group) &&
	       has(kt_get(rule, "apiVersions"), r->kind->version) &&
	       has(kt_get(rule, "operations"), operation(r)) &&
	       (*r->subresource ? has(resources, resource) || has(resources, "*/*")
	                        : has(resources, resource)) &&
	       (kt_count(names) == 0 || has(names, r->name));
	kt_free(resource);
	return fits;
}

static const struct kt_json *namespace_labels(const struct rules_request *r)
{
	const char *name = admit_is(r, "", "Namespace") ? r->name : r->ns;
	return name && *name ? kt_path(admit_get(r, "", "Namespace", "", name), "metadata.labels") : NULL;
}

static bool selectors_fit(const struct rules_request *r, const struct kt_json *match)
{
	const struct kt_json *ns = kt_get(match, "namespaceSelector"),
	                     *object = kt_get(match, "objectSelector");
	const struct kt_json *subject = r->object ? *r->object : r->old;
	if (ns && kt_count(ns) > 0 && (r->kind->namespaced || admit_is(r, "", "Namespace")) &&
	    !view_selector_matches(ns, namespace_labels(r)))
		return false;
	return !object || kt_count(object) == 0 ||
	       view_selector_matches(object, kt_path(subject, "metadata.labels"));
}

/* `all`: no rules mean everything (a binding), else nothing (a policy). */
static bool match_fits(const struct rules_request *r, const struct kt_json *match, bool all)
{
	const struct kt_json *rule, *rules = kt_get(match, "resourceRules");
	bool fits = kt_count(rules) == 0 && all;
	KT_JSON_EACH (rule, kt_get(match, "excludeResourceRules"))
		if (rule_fits(r, rule))
			return false;
	KT_JSON_EACH (rule, rules)
		fits = fits || rule_fits(r, rule);
	return fits && selectors_fit(r, match);
}

static struct kt_json *variables(const struct rules_request *r, const struct kt_json *policy)
{
	const struct kt_json *item, *ns = r->ns && *r->ns ? admit_get(r, "", "Namespace", "", r->ns) : NULL;
	struct kt_json *groups = kt_json_array(), *values = kt_json_object();
	for (size_t i = 0; r->user && i < r->user->groups.count; i++)
		kt_push(&groups, kt_json_str(r->user->groups.items[i]));
	struct kt_json *vars = kt_jsonf(
	        "{object: %j, oldObject: %j, namespaceObject: %j, params: %j, request: {operation: %s, name: "
	        "%s, namespace: %s,"
	        "dryRun: %b, subResource: %s, userInfo: {username: %s, groups: %j}, kind: {group: %s, "
	        "version: %s, kind: %s},"
	        "resource: {group: %s, version: %s, resource: %s}}}",
	        r->object ? kt_json_ref(*r->object) : kt_json_null(),
	        r->old ? kt_json_ref(r->old) : kt_json_null(), ns ? kt_json_ref(ns) : kt_json_null(),
	        kt_json_null(), operation(r), r->name ? r->name : "", r->ns ? r->ns : "", r->dry_run,
	        r->subresource, r->user && r->user->name ? r->user->name : "", groups, r->kind->group,
	        r->kind->version, r->kind->kind, r->kind->group, r->kind->version, r->kind->resource);
	KT_JSON_EACH (item, kt_path(policy, "spec.variables")) {
		struct kt_json *value = NULL;
		kt_set(&vars, "variables", kt_json_ref(values));
		if (cel_eval(kt_str_or(kt_get(item, "expression"), ""), vars, &value, NULL) == KT_OK)
			kt_set(&values, kt_str_or(kt_get(item, "name"), "_"), value);
	}
	kt_set(&vars, "variables", values);
	return vars;
}

static bool conditions_hold(const struct kt_json *policy, const struct kt_json *vars)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(policy, "spec.matchConditions")) {
		struct kt_json *value = NULL;
		bool yes = cel_eval(kt_str_or(kt_get(item, "expression"), ""), vars, &value, NULL) == KT_OK &&
		           kt_bool_or(value, false);
		kt_json_free(value);
		if (!yes)
			return false;
	}
	return true;
}

/* Why a validation refuses, owned; NULL if it does not. */
static char *refusal(const struct kt_json *policy, const struct kt_json *validation,
                     const struct kt_json *vars)
{
	const char *text = kt_str_or(kt_get(validation, "expression"), ""),
	           *message = kt_get_str(validation, "message");
	const char *other = kt_get_str(validation, "messageExpression");
	struct kt_json *value = NULL, *said = NULL;
	struct kt_err err = {0};
	char *why = NULL;
	if (cel_eval(text, vars, &value, &err) != KT_OK) {
		if (!kt_streq(kt_path_str(policy, "spec.failurePolicy"), "Ignore"))
			why = kt_strf("expression '%s' resulted in error: %s", text, err.text);
	} else if (!kt_bool_or(value, false)) {
		if (other && cel_eval(other, vars, &said, NULL) == KT_OK && kt_str(said))
			why = kt_strdup(kt_str(said));
		else
			why = message ? kt_strdup(message) : kt_strf("failed expression: %s", text);
	}
	kt_json_free(value);
	kt_json_free(said);
	return why;
}

static bool refuse(const struct rules_request *r, const struct kt_json *policy, const struct kt_json *binding,
                   const struct kt_json *validation, const char *why, struct api_status *status)
{
	const char *reason = kt_str_or(kt_get(validation, "reason"), "Invalid");
	char *text =
	        kt_strf("ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s",
	                kt_path_str(policy, "metadata.name"), kt_path_str(binding, "metadata.name"), why);
	char *resource = *r->kind->group ? kt_strf("%s.%s", r->kind->resource, r->kind->group)
	                                 : kt_strdup(r->kind->resource);
	bool first = status && status->code == 0;
	int code = strcmp(reason, "Unauthorized") == 0            ? 401
	           : strcmp(reason, "Forbidden") == 0             ? 403
	           : strcmp(reason, "RequestEntityTooLarge") == 0 ? 413
	                                                          : 422;
	static const char *const words[] = {"Unauthorized", "Forbidden", "RequestEntityTooLarge", "Invalid"};
	api_fail(status, code,
	         words[code == 401   ? 0
	               : code == 403 ? 1
	               : code == 413 ? 2
	                             : 3],
	         "%s \"%s\" is forbidden: %s", resource, r->name, text);
	if (first && !status->details)
		status->details =
		        kt_jsonf("{name: %s, group: %s, kind: %s, causes: [{message: %s}]}", r->name,
		                 *r->kind->group ? r->kind->group : NULL, r->kind->resource, text);
	kt_free(resource);
	kt_free(text);
	return false;
}

static bool apply(const struct rules_request *r, const struct kt_json *policy, const struct kt_json *binding,
                  struct api_status *status)
{
	const struct kt_json *actions = kt_path(binding, "spec.validationActions"), *validation;
	struct kt_json *vars = variables(r, policy);
	bool fine = true;
	if (conditions_hold(policy, vars)) {
		KT_JSON_EACH (validation, kt_path(policy, "spec.validations")) {
			char *why = refusal(policy, validation, vars);
			if (why && has(actions, "Warn"))
				admit_warn(r,
				           "Validation failed for ValidatingAdmissionPolicy '%s' with "
				           "binding '%s': %s",
				           kt_path_str(policy, "metadata.name"),
				           kt_path_str(binding, "metadata.name"), why);
			if (why && has(actions, "Deny"))
				fine = refuse(r, policy, binding, validation, why, status);
			kt_free(why);
			if (!fine)
				break;
		}
	}
	kt_json_free(vars);
	return fine;
}

bool admit_policies(const struct rules_request *r, struct api_status *status)
{
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(r->cluster), GROUP, "ValidatingAdmissionPolicyBinding");
	const struct store_object *binding;
	bool fine = true;
	/* The policies themselves, and reviews, are not theirs to judge. */
	if (strcmp(r->kind->group, GROUP) == 0 || store_count(cluster_store(r->cluster), kind, NULL) == 0)
		return true;
	STORE_EACH (binding, cluster_store(r->cluster), kind, NULL) {
		const char *name = kt_path_str(binding->json, "spec.policyName");
		const struct kt_json *policy =
		        name && fine ? admit_get(r, GROUP, "ValidatingAdmissionPolicy", "", name) : NULL;
		if (policy && match_fits(r, kt_path(policy, "spec.matchConstraints"), false) &&
		    match_fits(r, kt_path(binding->json, "spec.matchResources"), true))
			fine = apply(r, policy, binding->json, status);
	}
	return fine;
}

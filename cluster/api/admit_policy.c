/* SPDX-License-Identifier: MIT */
/* ValidatingAdmissionPolicy: apiserver pkg/admission/plugin/policy/validating. */
#include "cluster/api/admit.h"
#include "cluster/api/expression.h"

#include <stdarg.h>
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

bool admit_rule_fits(const struct rules_request *r, const struct kt_json *rule)
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

bool admit_selectors_fit(const struct rules_request *r, const struct kt_json *match)
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
		if (admit_rule_fits(r, rule))
			return false;
	KT_JSON_EACH (rule, rules)
		fits = fits || admit_rule_fits(r, rule);
	return fits && admit_selectors_fit(r, match);
}

/* What the expressions of one policy see. */
struct view {
	const struct rules_request *r;
	struct expression_scope scope;
	struct kt_json *values;
};

static bool may(void *arg, const struct cel_review *review)
{
	const struct rules_request *r = arg;
	struct rules_attributes attributes = {.verb = review->verb,
	                                      .group = review->group ? review->group : "",
	                                      .version = "*",
	                                      .resource = review->resource ? review->resource : "",
	                                      .subresource = review->subresource ? review->subresource : "",
	                                      .ns = review->ns ? review->ns : "",
	                                      .name = review->name ? review->name : "",
	                                      .path = review->path};
	struct api_user account = {0};
	bool allowed;
	if (!review->service_account)
		return r->user && rules_authorize(r->cluster, r->user, &attributes, NULL);
	account.name =
	        kt_strf("system:serviceaccount:%s:%s", review->service_account_ns, review->service_account);
	kt_strs_add(&account.groups, "system:serviceaccounts");
	kt_strs_steal(&account.groups, kt_strf("system:serviceaccounts:%s", review->service_account_ns));
	kt_strs_add(&account.groups, "system:authenticated");
	allowed = rules_authorize(r->cluster, &account, &attributes, NULL);
	rules_user_clear(&account);
	return allowed;
}

static enum kt_code evaluate(const struct view *view, const char *text, enum expression_result result,
                             struct kt_json **out, struct kt_err *err)
{
	struct cel_world world = {.values = view->values,
	                          .variables = view->scope.declared,
	                          .allowed = may,
	                          .arg = (void *)(uintptr_t)view->r};
	struct cel_program *program;
	char *why = expression_compile(&view->scope, text, result, &program);
	enum kt_code rc;
	if (why) {
		rc = kt_fail(err, KT_EINVAL, "%s", why);
		kt_free(why);
		return rc;
	}
	rc = cel_run(program, &world, out, err);
	cel_program_free(program);
	return rc;
}

static void view_open(struct view *view, const struct rules_request *r, const struct kt_json *policy,
                      const struct kt_json *params)
{
	const struct kt_json *item, *ns = r->ns && *r->ns ? admit_get(r, "", "Namespace", "", r->ns) : NULL;
	struct kt_json *groups = kt_json_array(), *made = kt_json_object(), *kind, *resource, *request;
	for (size_t i = 0; r->user && i < r->user->groups.count; i++)
		kt_push(&groups, kt_json_str(r->user->groups.items[i]));
	kind = kt_jsonf("{group: %s, version: %s, kind: %s}", r->kind->group, r->kind->version,
	                r->kind->kind);
	resource = kt_jsonf("{group: %s, version: %s, resource: %s}", r->kind->group, r->kind->version,
	                    r->kind->resource);
	request = kt_jsonf("{kind: %J, resource: %J, subResource: %s, requestKind: %J, requestResource: %J, "
	                   "requestSubResource: %s, "
	                   "name: %s, namespace: %s, operation: %s, userInfo: {username: %s, groups: %j}, "
	                   "dryRun: %b, options: {}}",
	                   kind, resource, r->subresource, kind, resource, r->subresource,
	                   r->name ? r->name : "", r->ns ? r->ns : "", operation(r),
	                   r->user && r->user->name ? r->user->name : "", groups, r->dry_run);
	kt_json_free(kind);
	kt_json_free(resource);
	view->r = r;
	view->values =
	        kt_jsonf("{object: %j, oldObject: %j, namespaceObject: %j, params: %j, request: %j, "
	                 "'authorizer.requestResource': {group: %s, resource: %s, subresource: %s, "
	                 "namespace: %s, name: %s}}",
	                 r->object ? kt_json_ref(*r->object) : kt_json_null(),
	                 r->old ? kt_json_ref(r->old) : kt_json_null(), ns ? kt_json_ref(ns) : kt_json_null(),
	                 params ? kt_json_ref(params) : kt_json_null(), request, r->kind->group,
	                 r->kind->resource, r->subresource, r->ns ? r->ns : "", r->name ? r->name : "");
	expression_open(&view->scope, NULL, kt_path(policy, "spec.paramKind") != NULL, NULL, true, true);
	KT_JSON_EACH (item, kt_path(policy, "spec.variables")) {
		struct kt_json *value = NULL;
		const char *name = kt_get_text(item, "name");
		kt_set(&view->values, "variables", kt_json_ref(made));
		if (evaluate(view, kt_get_text(item, "expression"), EXPRESSION_ANY, &value, NULL) == KT_OK)
			kt_set(&made, name, value);
		expression_add(&view->scope, name, NULL);
	}
	kt_set(&view->values, "variables", made);
}

static void view_close(struct view *view)
{
	expression_close(&view->scope);
	kt_json_free(view->values);
}

/* matchConditions: does the policy look at this request? One that is false says no, whatever went wrong in
 * others; *why, owned, else tells what did (plugin/webhook/matchconditions/matcher.go). */
static bool conditions_hold(const struct kt_json *policy, const struct view *view, char **why)
{
	const struct kt_json *item;
	struct kt_buf faults = {0};
	size_t count = 0;
	bool fits = true;
	*why = NULL;
	KT_JSON_EACH (item, kt_path(policy, "spec.matchConditions")) {
		const char *text = kt_get_text(item, "expression");
		struct kt_json *value = NULL;
		struct kt_err err = {0};
		if (evaluate(view, text, EXPRESSION_BOOL, &value, &err) != KT_OK)
			kt_buf_addf(&faults, "%sexpression '%s' resulted in error: %s", count++ ? ", " : "",
			            text, err.text);
		else
			fits = fits && kt_bool_or(value, false);
		kt_json_free(value);
	}
	if (fits && count)
		*why = count > 1 ? kt_strf("[%s]", kt_buf_str(&faults)) : kt_strdup(kt_buf_str(&faults));
	kt_buf_clear(&faults);
	return fits && !count;
}

static bool may_fail(const struct kt_json *policy)
{
	return kt_streq(kt_path_str(policy, "spec.failurePolicy"), "Ignore");
}

/* Why a validation refuses, owned, and *reason; NULL if it does not. */
static char *refusal(const struct kt_json *policy, const struct kt_json *validation, const struct view *view,
                     const char **reason)
{
	const char *text = kt_get_text(validation, "expression"),
	           *message = kt_get_str(validation, "message");
	const char *other = kt_get_str(validation, "messageExpression");
	struct kt_json *value = NULL, *said = NULL;
	struct kt_err err = {0};
	char *why = NULL;
	*reason = "Invalid";
	if (evaluate(view, text, EXPRESSION_BOOL, &value, &err) != KT_OK) {
		if (!may_fail(policy))
			why = kt_strf("expression '%s' resulted in error: %s", text, err.text);
	} else if (!kt_bool_or(value, false)) {
		*reason = kt_str_or(kt_get(validation, "reason"), "Invalid");
		if (other && evaluate(view, other, EXPRESSION_TEXT, &said, NULL) == KT_OK && kt_str(said))
			why = kt_strdup(kt_str(said));
		else
			why = message ? kt_strdup(message) : kt_strf("failed expression: %s", text);
	}
	kt_json_free(value);
	kt_json_free(said);
	return why;
}

static bool refuse(const struct rules_request *r, const struct kt_json *policy, const struct kt_json *binding,
                   const char *reason, const char *why, struct api_status *status)
{
	char *with = binding ? kt_strf(" with binding '%s'", kt_path_str(binding, "metadata.name"))
	                     : kt_strdup("");
	char *text = kt_strf("ValidatingAdmissionPolicy '%s'%s denied request: %s",
	                     kt_path_str(policy, "metadata.name"), with, why);
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
	kt_free(with);
	return false;
}

/* One judgement of a binding: its actions. False: denied. */
static bool judge(const struct rules_request *r, const struct kt_json *policy, const struct kt_json *binding,
                  const char *reason, const char *why, struct api_status *status)
{
	const struct kt_json *actions = kt_path(binding, "spec.validationActions");
	if (has(actions, "Warn"))
		admit_warn(r, "Validation failed for ValidatingAdmissionPolicy '%s' with binding '%s': %s",
		           kt_path_str(policy, "metadata.name"), kt_path_str(binding, "metadata.name"), why);
	return !has(actions, "Deny") || refuse(r, policy, binding, reason, why, status);
}

static bool apply(const struct rules_request *r, const struct kt_json *policy, const struct kt_json *binding,
                  const struct kt_json *params, struct api_status *status)
{
	const struct kt_json *validation;
	struct view view;
	bool fine = true;
	char *fault;
	view_open(&view, r, policy, params);
	if (conditions_hold(policy, &view, &fault)) {
		KT_JSON_EACH (validation, kt_path(policy, "spec.validations")) {
			const char *reason;
			char *why = refusal(policy, validation, &view, &reason);
			fine = (!why || judge(r, policy, binding, reason, why, status)) && fine;
			kt_free(why);
		}
	} else if (fault && !may_fail(policy)) {
		fine = judge(r, policy, binding, "Invalid", fault, status);
	}
	kt_free(fault);
	view_close(&view);
	return fine;
}

/* What a binding cannot be used for, whatever its actions are. */
static bool misconfigured(const struct rules_request *r, const struct kt_json *policy,
                          const struct kt_json *binding, struct api_status *status, const char *fmt, ...)
        KT_PRINTF(5, 6);
static bool misconfigured(const struct rules_request *r, const struct kt_json *policy,
                          const struct kt_json *binding, struct api_status *status, const char *fmt, ...)
{
	struct kt_buf why = {0};
	bool fine = true;
	va_list args;
	if (may_fail(policy))
		return true;
	va_start(args, fmt);
	kt_buf_vaddf(&why, fmt, args);
	va_end(args);
	fine = refuse(r, policy, binding, "Invalid", kt_buf_str(&why), status);
	kt_buf_clear(&why);
	return fine;
}

/* Once for each object that the binding's paramRef names; without one, once (generic CollectParams). */
static bool apply_with_params(const struct rules_request *r, const struct kt_json *policy,
                              const struct kt_json *binding, struct api_status *status)
{
	static const char failed[] = "failed to configure binding: ";
	const struct kt_json *of = kt_path(policy, "spec.paramKind"),
	                     *ref = kt_path(binding, "spec.paramRef"), *selector = kt_get(ref, "selector");
	const char *version = kt_get_text(of, "apiVersion"), *word = kt_get_text(of, "kind");
	const char *name = kt_get_text(ref, "name"), *ns = kt_get_text(ref, "namespace");
	const struct schema_kind *kind = schema_by_api_version(cluster_schema(r->cluster), version, word);
	const struct store_object *param;
	bool fine = true, any = false;
	if (!of || !ref)
		return apply(r, policy, binding, NULL, status);
	if (!kind)
		return misconfigured(r, policy, NULL, status,
		                     "failed to configure policy: failed to find resource referenced by "
		                     "paramKind: '%s%s, Kind=%s'",
		                     strchr(version, '/') ? "" : "/", version, word);
	if (*ns && !kind->namespaced)
		return misconfigured(
		        r, policy, binding, status,
		        "%sparamRef.namespace must not be provided for a cluster-scoped `paramKind`", failed);
	if (kind->namespaced && !*ns)
		ns = admit_is(r, "", "Namespace") && r->operation != RULES_CREATE ? r->name
		     : r->ns                                                      ? r->ns
		                                                                  : "";
	if (kind->namespaced && !*ns)
		return misconfigured(r, policy, binding, status,
		                     "%scannot use namespaced paramRef in policy binding that matches "
		                     "cluster-scoped resources",
		                     failed);
	STORE_EACH (param, cluster_store(r->cluster), kind->storage, kind->namespaced ? ns : NULL) {
		if (*name ? !kt_streq(param->name, name)
		          : !view_selector_matches(selector, kt_path(param->json, "metadata.labels")))
			continue;
		any = true;
		fine = apply(r, policy, binding, param->json, status) && fine;
	}
	if (!any && kt_streq(kt_get_str(ref, "parameterNotFoundAction"), "Deny"))
		return misconfigured(
		        r, policy, binding, status,
		        "%sno params found for policy binding with `Deny` parameterNotFoundAction", failed);
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
		        name ? admit_get(r, GROUP, "ValidatingAdmissionPolicy", "", name) : NULL;
		if (policy && match_fits(r, kt_path(policy, "spec.matchConstraints"), false) &&
		    match_fits(r, kt_path(binding->json, "spec.matchResources"), true))
			fine = apply_with_params(r, policy, binding->json, status) && fine;
	}
	return fine;
}

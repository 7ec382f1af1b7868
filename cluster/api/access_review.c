/* SPDX-License-Identifier: MIT */
/* Questions about access, asked over the API and answered at once: access reviews, who am I, tokens
 * (kubernetes pkg/registry/ authorization, pkg/registry/authentication,
 * pkg/registry/core/serviceaccount/storage/token.go). */
#include "cluster/api/access.h"
#include "cluster/api/validate.h"

#include <stdarg.h>
#include <string.h>

typedef bool review_fn(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                       const char *ns, const char *name, struct kt_json **object, struct api_status *status);

static bool invalid(struct api_status *status, const struct schema_kind *kind, const char *cause,
                    const char *field, const struct kt_json *value, const char *detail)
{
	struct rules_errors errors = {0};
	struct schema_kind nameless = *kind; /* access reviews are told of without their kind */
	if (kt_ends(kind->kind, "AccessReview"))
		nameless.kind = "";
	rules_error(&errors, cause, field, value, "%s", detail);
	api_fail_invalid(status, &nameless, "", errors.causes);
	rules_errors_clear(&errors);
	return false;
}

/* --- may I, may they --- */

static void answer_access(struct cluster *cluster, const struct api_user *user, struct kt_json **object)
{
	const struct kt_json *spec = kt_get(*object, "spec"), *r = kt_get(spec, "resourceAttributes");
	const struct kt_json *url = kt_get(spec, "nonResourceAttributes");
	const struct rules_attributes a = {.verb = url ? kt_get_text(url, "verb") : kt_get_text(r, "verb"),
	                                   .group = kt_get_text(r, "group"),
	                                   .version = kt_get_text(r, "version"),
	                                   .resource = kt_get_text(r, "resource"),
	                                   .subresource = kt_get_text(r, "subresource"),
	                                   .ns = kt_get_text(r, "namespace"),
	                                   .name = kt_get_text(r, "name"),
	                                   .path = url ? kt_get_text(url, "path") : NULL};
	char *reason = NULL;
	bool allowed = rules_authorize(cluster, user, &a, &reason);
	struct kt_json *status = kt_jsonf("{allowed: %b}", allowed);
	if (reason && *reason)
		kt_set(&status, "reason", kt_json_str(reason));
	kt_set(object, "status", status);
	kt_free(reason);
}

/* --- what is wrong with a question (pkg/apis/authorization/validation) --- */

static void wrong(struct rules_errors *errors, const char *cause, const struct kt_json *value,
                  const char *detail, const char *fmt, ...) KT_PRINTF(5, 6);
/* `fmt` makes the field's path. */
static void wrong(struct rules_errors *errors, const char *cause, const struct kt_json *value,
                  const char *detail, const char *fmt, ...)
{
	struct kt_buf field = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&field, fmt, ap);
	va_end(ap);
	rules_error(errors, cause, kt_buf_str(&field), value, "%s", detail);
	kt_buf_clear(&field);
}

static void check_requirement(struct rules_errors *errors, const char *path, size_t i,
                              const struct kt_json *item, bool labels)
{
	const char *key = kt_get_text(item, "key"), *operator= kt_get_text(item, "operator");
	bool in = strcmp(operator, "In") == 0 || strcmp(operator, "NotIn") == 0;
	bool exists = strcmp(operator, "Exists") == 0 || strcmp(operator, "DoesNotExist") == 0;
	size_t values = kt_count(kt_get(item, "values"));
	if (!labels && !*key)
		wrong(errors, "FieldValueRequired", NULL, "must be specified", "%s.requirements[%zu].key",
		      path, i);
	if (in && values == 0)
		wrong(errors, "FieldValueRequired", NULL,
		      "must be specified when `operator` is 'In' or 'NotIn'", "%s.requirements[%zu].values",
		      path, i);
	if (exists && values > 0)
		wrong(errors, "FieldValueForbidden", NULL,
		      "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
		      "%s.requirements[%zu].values", path, i);
	if (labels) {
		struct kt_strs faults = {0};
		v_qualified_name(key, &faults);
		for (size_t f = 0; f < faults.count; f++)
			wrong(errors, "FieldValueInvalid", kt_get(item, "key"), faults.items[f],
			      "%s.requirements[%zu].key", path, i);
		kt_strs_clear(&faults);
	}
}

static void check_selector(struct rules_errors *errors, const struct kt_json *attributes, const char *name)
{
	const struct kt_json *selector = kt_get(attributes, name), *list = kt_get(selector, "requirements"),
	                     *item;
	char *path = kt_strf("spec.resourceAttributes.%s", name);
	const char *raw = kt_get_text(selector, "rawSelector");
	if (selector && *raw && kt_count(list) > 0)
		wrong(errors, "FieldValueInvalid", kt_get(selector, "rawSelector"),
		      "may not specified at the same time as requirements", "%s.rawSelector", path);
	if (selector && !*raw && kt_count(list) == 0) {
		char *detail = kt_strf("when %s is specified, requirements or rawSelector is required", path);
		wrong(errors, "FieldValueRequired", NULL, detail, "%s.requirements", path);
		kt_free(detail);
	}
	KT_JSON_EACH (item, list)
		check_requirement(errors, path, item_i, item, strcmp(name, "labelSelector") == 0);
	kt_free(path);
}

/* `whose`: it asks for somebody. */
static void check_spec(struct rules_errors *errors, const struct kt_json *spec, bool whose)
{
	const struct kt_json *r = kt_get(spec, "resourceAttributes"),
	                     *url = kt_get(spec, "nonResourceAttributes");
	struct kt_json *shown = kt_jsonf("{Path: %s, Verb: %s}", kt_get_text(url, "path"),
	                                 kt_get_text(url, "verb")),
	               *null = kt_json_null(), *nobody = kt_json_str("");
	if (r && url)
		wrong(errors, "FieldValueInvalid", shown,
		      "cannot be specified in combination with resourceAttributes",
		      "spec.nonResourceAttributes");
	if (!r && !url)
		wrong(errors, "FieldValueInvalid", null,
		      "exactly one of nonResourceAttributes or resourceAttributes must be specified",
		      "spec.resourceAttributes");
	if (whose && !*kt_get_text(spec, "user") && kt_count(kt_get(spec, "groups")) == 0)
		wrong(errors, "FieldValueInvalid", nobody, "at least one of user or group must be specified",
		      "spec.user");
	check_selector(errors, r, "fieldSelector");
	check_selector(errors, r, "labelSelector");
	kt_json_free(shown);
	kt_json_free(null);
	kt_json_free(nobody);
}

static void check_local(struct rules_errors *errors, const struct kt_json *spec, const char *ns)
{
	const struct kt_json *r = kt_get(spec, "resourceAttributes"),
	                     *url = kt_get(spec, "nonResourceAttributes");
	struct kt_json *shown = kt_jsonf("{Path: %s, Verb: %s}", kt_get_text(url, "path"),
	                                 kt_get_text(url, "verb")),
	               *other = kt_json_str(kt_get_text(r, "namespace"));
	if (r && strcmp(kt_get_text(r, "namespace"), ns) != 0)
		wrong(errors, "FieldValueInvalid", other, "must match metadata.namespace",
		      "spec.resourceAttributes.namespace");
	if (url)
		wrong(errors, "FieldValueInvalid", shown, "disallowed on this kind of request",
		      "spec.nonResourceAttributes");
	kt_json_free(shown);
	kt_json_free(other);
}

/* False, and errors cleared either way. Access reviews are told of without their kind. */
static bool settle(const struct schema_kind *kind, struct rules_errors *errors, struct api_status *status)
{
	struct schema_kind nameless = *kind;
	bool fine = kt_count(errors->causes) == 0;
	nameless.kind = "";
	if (!fine)
		api_fail_invalid(status, &nameless, "", errors->causes);
	rules_errors_clear(errors);
	return fine;
}

/* A review is kept nowhere: it has no name. */
static void check_metadata(struct rules_errors *errors, const struct schema_kind *kind,
                           const struct kt_json *object)
{
	bool local = strcmp(kind->kind, "LocalSubjectAccessReview") == 0;
	struct kt_json *meta = kt_json_ref(kt_get(object, "metadata"));
	for (size_t i = 0; i < 3; i++)
		kt_unset(&meta, (const char *const[]){"managedFields", "creationTimestamp", "namespace"}[i]);
	if (kt_count(meta) > 0)
		rules_error(errors, "FieldValueInvalid", "metadata", kt_get(object, "metadata"),
		            local ? "must be empty except for namespace" : "must be empty");
	kt_json_free(meta);
}

static bool self_access(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                        const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	struct rules_errors errors = {0};
	(void)ns;
	(void)name;
	check_spec(&errors, kt_get(*object, "spec"), false);
	check_metadata(&errors, kind, *object);
	if (!settle(kind, &errors, status))
		return false;
	answer_access(cluster, user, object);
	return true;
}

static bool subject_access(struct cluster *cluster, const struct schema_kind *kind,
                           const struct api_user *user, const char *ns, const char *name,
                           struct kt_json **object, struct api_status *status)
{
	const struct kt_json *spec = kt_get(*object, "spec"), *group;
	struct rules_errors errors = {0};
	struct api_user subject = {0};
	(void)user;
	(void)name;
	check_spec(&errors, spec, true);
	check_metadata(&errors, kind, *object);
	if (strcmp(kind->kind, "LocalSubjectAccessReview") == 0)
		check_local(&errors, spec, ns);
	if (!settle(kind, &errors, status))
		return false;
	access_user_set(&subject, kt_get_text(spec, "user"), kt_get_text(spec, "uid"));
	KT_JSON_EACH (group, kt_get(spec, "groups"))
		access_user_group(&subject, kt_str_or(group, ""));
	answer_access(cluster, &subject, object);
	rules_user_clear(&subject);
	return true;
}

/* --- all that I may --- */

struct gathered {
	struct kt_json *resources, *urls;
};

static struct kt_json *list_or_empty(const struct kt_json *list)
{
	return list ? kt_json_ref(list) : NULL;
}

static bool gather(void *arg, const struct kt_json *rule, const struct kt_json *binding,
                   const struct kt_json *subject)
{
	struct gathered *g = arg;
	(void)binding;
	(void)subject;
	if (kt_count(kt_get(rule, "resources")) > 0)
		kt_push(&g->resources,
		        kt_jsonf("{verbs: %j, apiGroups: %j, resources: %j, resourceNames: %j}",
		                 list_or_empty(kt_get(rule, "verbs")),
		                 list_or_empty(kt_get(rule, "apiGroups")),
		                 list_or_empty(kt_get(rule, "resources")),
		                 list_or_empty(kt_get(rule, "resourceNames"))));
	if (kt_count(kt_get(rule, "nonResourceURLs")) > 0)
		kt_push(&g->urls,
		        kt_jsonf("{verbs: %j, nonResourceURLs: %j}", list_or_empty(kt_get(rule, "verbs")),
		                 list_or_empty(kt_get(rule, "nonResourceURLs"))));
	return true;
}

static bool self_rules(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                       const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	struct gathered g = {kt_json_array(), kt_json_array()};
	const char *where = kt_str_or(kt_path(*object, "spec.namespace"), "");
	(void)kind;
	(void)ns;
	(void)name;
	if (!*where) {
		kt_json_free(g.resources);
		kt_json_free(g.urls);
		return api_fail(status, 400, "BadRequest", "no namespace on request");
	}
	if (access_has_group(user, "system:masters")) {
		kt_push(&g.resources, kt_jsonf("{verbs: ['*'], apiGroups: ['*'], resources: ['*']}"));
		kt_push(&g.urls, kt_jsonf("{verbs: ['*'], nonResourceURLs: ['*']}"));
	}
	access_each_rule(cluster, user, where, gather, &g, NULL);
	kt_set(object, "metadata", kt_json_object()); /* answered with the status alone */
	kt_set(object, "spec", kt_json_object());
	kt_set(object, "status",
	       kt_jsonf("{resourceRules: %j, nonResourceRules: %j, incomplete: %b, evaluationError: %s}",
	                g.resources, g.urls, access_node_name(user) != NULL,
	                access_node_name(user) ? "node authorizer does not support user rule resolution"
	                                       : NULL));
	return true;
}

/* --- who am I, whose token is that --- */

static struct kt_json *user_info(const struct api_user *user)
{
	struct kt_json *groups = kt_json_array();
	for (size_t i = 0; i < user->groups.count; i++)
		kt_push(&groups, kt_json_str(user->groups.items[i]));
	struct kt_json *info = kt_jsonf("{username: %s, uid: %s, groups: %j, extra: %J}", user->name,
	                                user->uid && *user->uid ? user->uid : NULL, groups,
	                                kt_count(user->extra) > 0 ? user->extra : NULL);
	return info;
}

static bool self_subject(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                         const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	struct kt_buf now = {0};
	(void)kind;
	(void)ns;
	(void)name;
	(void)status;
	kt_time_print(cluster_now(cluster), &now);
	kt_set(kt_edit(object, "metadata"), "creationTimestamp", kt_json_str(kt_buf_str(&now)));
	kt_buf_clear(&now);
	kt_set(object, "status", kt_jsonf("{userInfo: %j}", user_info(user)));
	return true;
}

static bool token_review(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                         const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	const struct kt_json *spec = kt_get(*object, "spec"), *audiences = kt_get(spec, "audiences");
	struct api_user whose = {0};
	(void)user;
	(void)ns;
	(void)name;
	if (!*kt_get_text(spec, "token"))
		return api_fail(status, 400, "BadRequest",
		                "token is required for TokenReview in authentication");
	(void)kind;
	const char *why = access_token_check(cluster, kt_get_text(spec, "token"), audiences, &whose);
	if (why) {
		kt_set(object, "status",
		       kt_jsonf("{user: {}, error: %j}",
		                strcmp(why, "invalid bearer token") == 0
		                        ? kt_json_str(why)
		                        : kt_json_strf("[invalid bearer token, %s]", why)));
	} else {
		struct kt_json *heard = access_token_heard(kt_get_text(spec, "token"), audiences);
		kt_set(object, "status",
		       kt_jsonf("{authenticated: %b, user: %j, audiences: %j}", 1, user_info(&whose), heard));
	}
	rules_user_clear(&whose);
	return true;
}

/* --- a token, please --- */

/* What a token is bound to is there, and the same object (pkg/registry/core/serviceaccount/storage/token.go);
 * *out is the reference with its uid, NULL where there is none. */
static bool bind_token(struct cluster *cluster, const char *ns, const char *account,
                       const struct kt_json *bound, struct kt_json **out, struct api_status *status)
{
	const char *kind = kt_get_text(bound, "kind"), *name = kt_get_text(bound, "name"),
	           *uid = kt_get_text(bound, "uid"), *version = kt_get_text(bound, "apiVersion");
	bool known = strcmp(kind, "Pod") == 0 || strcmp(kind, "Secret") == 0 || strcmp(kind, "Node") == 0;
	const struct schema_kind *of;
	const struct store_object *object;
	if (!*kind)
		return true;
	if (!known)
		return api_fail(status, 400, "BadRequest",
		                "cannot bind token to object of type %s%s, Kind=%s",
		                strchr(version, '/') ? "" : "/", version, kind);
	of = schema_stored(cluster_schema(cluster), "", kind);
	object = store_get(cluster_store(cluster), of, of->namespaced ? ns : "", name);
	if (!object)
		return api_fail_not_found(status, of, name);
	if (strcmp(kind, "Pod") == 0 &&
	    !kt_streq(kt_path_str(object->json, "spec.serviceAccountName"), account))
		return api_fail(status, 400, "BadRequest",
		                "cannot bind token for serviceaccount \"%s\" to pod running with different "
		                "serviceaccount name.",
		                account);
	if (*uid && strcmp(uid, object->uid) != 0)
		return api_fail(status, 409, "Conflict",
		                "Operation cannot be fulfilled on %s \"%s\": the UID in the bound object "
		                "reference (%s) "
		                "does not match the UID in record. The object might have been deleted and "
		                "then recreated",
		                kind, name, uid);
	*out = kt_jsonf("{kind: %s, apiVersion: %s, name: %s, uid: %s}", kind,
	                *kt_get_text(bound, "apiVersion") ? kt_get_text(bound, "apiVersion") : "v1", name,
	                object->uid);
	return true;
}

static bool token_request(struct cluster *cluster, const struct schema_kind *kind,
                          const struct api_user *user, const char *ns, const char *name,
                          struct kt_json **object, struct api_status *status)
{
	const struct schema_kind *accounts = schema_stored(cluster_schema(cluster), "", "ServiceAccount");
	const struct store_object *account = store_get(cluster_store(cluster), accounts, ns, name);
	int64_t seconds = kt_path_int(*object, "spec.expirationSeconds", 3600);
	struct kt_buf until = {0};
	(void)user;
	if (!account)
		return api_fail_not_found(status, accounts, name);
	if (seconds < 600)
		return invalid(status, kind, "FieldValueInvalid", "spec.expirationSeconds",
		               kt_path(*object, "spec.expirationSeconds"),
		               "may not specify a duration less than 10 minutes");
	if (seconds > (int64_t)1 << 32)
		return invalid(status, kind, "FieldValueInvalid", "spec.expirationSeconds",
		               kt_path(*object, "spec.expirationSeconds"),
		               "may not specify a duration larger than 2^32 seconds");
	if (kt_count(kt_path(*object, "spec.audiences")) == 0)
		kt_set(kt_edit(object, "spec"), "audiences", kt_jsonf("[%s]", ACCESS_AUDIENCE));
	kt_set(kt_edit(object, "spec"), "expirationSeconds", kt_json_int(seconds));
	if (!kt_path(*object, "spec.boundObjectRef"))
		kt_set(kt_edit(object, "spec"), "boundObjectRef", kt_json_null());
	struct access_token token = {.ns = ns,
	                             .account = name,
	                             .uid = account->uid,
	                             .audiences = kt_path(*object, "spec.audiences"),
	                             .bound = kt_path(*object, "spec.boundObjectRef"),
	                             .seconds = seconds};
	struct kt_json *bound = NULL;
	if (!bind_token(cluster, ns, name, token.bound, &bound, status))
		return false;
	if (bound) {
		kt_set(kt_edit(object, "spec"), "boundObjectRef", bound);
		token.bound = bound;
	}
	char *text = access_token_make(cluster, &token);
	kt_time_print(cluster_now(cluster) + seconds * KT_SEC, &until);
	kt_set(object, "status", kt_jsonf("{token: %s, expirationTimestamp: %s}", text, kt_buf_str(&until)));
	kt_buf_cut(&until, 0);
	kt_time_print(cluster_now(cluster), &until);
	kt_set_path(object, "metadata.name", kt_json_str(name));
	kt_set_path(object, "metadata.namespace", kt_json_str(ns));
	kt_set_path(object, "metadata.creationTimestamp", kt_json_str(kt_buf_str(&until)));
	kt_buf_clear(&until);
	kt_free(text);
	return true;
}

static const struct {
	const char *kind;
	review_fn *fn;
} reviews[] = {
        {"SelfSubjectAccessReview", self_access},
        {"SubjectAccessReview", subject_access},
        {"LocalSubjectAccessReview", subject_access},
        {"SelfSubjectRulesReview", self_rules},
        {"SelfSubjectReview", self_subject},
        {"TokenReview", token_review},
        {"TokenRequest", token_request},
};

bool rules_review(struct cluster *cluster, const struct schema_kind *kind, const struct api_user *user,
                  const char *ns, const char *name, struct kt_json **object, struct api_status *status)
{
	for (size_t i = 0; i < KT_COUNT(reviews); i++)
		if (strcmp(reviews[i].kind, kind->kind) == 0)
			return reviews[i].fn(cluster, kind, user, ns ? ns : "", name ? name : "", object,
			                     status);
	return api_fail(status, 405, "MethodNotAllowed",
	                "the server does not allow this method on the requested resource");
}

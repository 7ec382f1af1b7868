/* SPDX-License-Identifier: MIT */
/* can, refused, answer: questions to the API server, and to the learner. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "serviceaccount NS/NAME", "user NAME", "group NAME" as a SubjectAccessReview's spec. New; NULL: not
 * understood. */
static struct kt_json *subject(const char *who)
{
	const char *space = strchr(who, ' '), *name = space ? space + 1 : "", *slash = strchr(name, '/');
	size_t len = space ? (size_t)(space - who) : 0;
	if ((len == 14 && !strncmp(who, "serviceaccount", len)) || (len == 2 && !strncmp(who, "sa", len))) {
		char *ns = slash ? kt_strndup(name, (size_t)(slash - name)) : kt_strdup("default");
		struct kt_json *spec =
		        kt_jsonf("{user: %j, groups: ['system:serviceaccounts', %j, 'system:authenticated']}",
		                 kt_json_strf("system:serviceaccount:%s:%s", ns, slash ? slash + 1 : name),
		                 kt_json_strf("system:serviceaccounts:%s", ns));
		kt_free(ns);
		return spec;
	}
	if (len == 4 && !strncmp(who, "user", len))
		return kt_jsonf("{user: %s, groups: ['system:authenticated']}", name);
	if (len == 5 && !strncmp(who, "group", len))
		return kt_jsonf("{user: 'ktutor:anybody', groups: [%s, 'system:authenticated']}", name);
	return NULL;
}

static bool yes(const struct kt_json *v)
{
	return kt_str(v) ? kt_streq(kt_str(v), "yes") : kt_bool_or(v, true);
}

void check_look_can(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding)
{
	const struct kt_json *b = check->body;
	const char *who = kt_get_str(b, "who"), *resource = kt_get_str(b, "resource"),
	           *ns = kt_get_str(b, "namespace"), *slash = strchr(resource, '/');
	bool wanted = yes(kt_get(b, "expect"));
	char *what = kt_strf("%s %s%s%s", kt_get_str(b, "verb"), resource, ns ? " in " : "", ns ? ns : "");
	struct kt_json *spec = subject(who), *answer = NULL;
	struct kt_err err = {0};
	check_expected(finding, wanted ? "%s can %s" : "%s cannot %s", who, what);
	check_where(finding, who, NULL);
	if (!spec) {
		check_found(finding, CHECK_UNKNOWN,
		            "'%s' is not `serviceaccount NS/NAME`, `user NAME` or `group NAME`", who);
		kt_free(what);
		return;
	}
	char *plain = slash ? kt_strndup(resource, (size_t)(slash - resource)) : kt_strdup(resource);
	struct check_resource found = {0};
	if (check_find_resource(run->client, plain, &found, NULL))
		snprintf(found.resource, sizeof(found.resource), "%s", plain);
	const char *at = strrchr(found.api_version, '/');
	char *group = kt_get_str(b, "group") ? kt_strdup(kt_get_str(b, "group"))
	              : at                   ? kt_strndup(found.api_version, (size_t)(at - found.api_version))
	                                     : kt_strdup("");
	kt_set(&spec, "resourceAttributes",
	       kt_jsonf("{verb: %J, resource: %s, subresource: %s, group: %s, namespace: %s, name: %J}",
	                kt_get(b, "verb"), found.resource, slash ? slash + 1 : kt_get_str(b, "subresource"),
	                group, ns, kt_get(b, "name")));
	struct kt_json *review = kt_jsonf(
	        "{apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: %j}", spec);
	if (check_call(run, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", NULL, review,
	               &answer, &err)) {
		check_unknown(finding, &err);
	} else {
		bool allowed = kt_path_bool(answer, "status.allowed", false);
		const char *reason = kt_str_or(kt_path(answer, "status.reason"), "");
		check_found(finding, allowed == wanted ? CHECK_PASSED : CHECK_FAILED, "%s%s%s",
		            allowed ? "it can" : "it cannot", *reason ? ": " : "", reason);
	}
	kt_json_free(answer);
	kt_json_free(review);
	kt_free(group);
	kt_free(plain);
	kt_free(what);
}

/* --- refused --- */

/* Words of the language for what the real server says. Others are looked for as they are. */
static const char *const reasons[][2] = {{"quota", "exceeded quota"},
                                         {"limits", "LimitRange"},
                                         {"limit-range", "usage per"},
                                         {"pod-security", "violates PodSecurity"},
                                         {"podsecurity", "violates PodSecurity"},
                                         {"rbac", "cannot"},
                                         {"immutable", "immutable"},
                                         {"invalid", "is invalid"},
                                         {"policy", "denied"}};

static bool says(const char *message, const char *because)
{
	for (size_t i = 0; i < KT_COUNT(reasons); i++)
		if (kt_streq(reasons[i][0], because) && strcasestr(message, reasons[i][1]))
			return true;
	return strcasestr(message, because) != NULL;
}

/* A dry run of one object. KT_OK: it would be accepted; else err holds the server's words. */
static enum kt_code dry_run(const struct check_run *run, const struct kt_json *object, struct kt_err *err)
{
	const char *kind = kt_get_str(object, "kind"), *api = kt_get_str(object, "apiVersion"),
	           *slash = api ? strchr(api, '/') : NULL;
	struct check_ref ref = {.is_set = true};
	char *words =
	        slash ? kt_strf("%s.%s.%.*s", kind, slash + 1, (int)(slash - api), api) : kt_strdup(kind);
	enum kt_code rc = words ? check_find_resource(run->client, words, &ref.resource, err)
	                        : kt_fail(err, KT_EINVAL, "the manifest has no kind");
	kt_free(words);
	if (rc)
		return rc == KT_ENOTFOUND ? KT_EUNREACHABLE : rc;
	if (ref.resource.namespaced)
		snprintf(ref.ns, sizeof(ref.ns), "%s",
		         kt_str_or(kt_path(object, "metadata.namespace"), "default"));
	char *path = check_ref_path(&ref), *target = kt_strf("%s?dryRun=All&fieldManager=ktutor", path);
	rc = check_call(run, "POST", target, NULL, object, NULL, err);
	if (rc == KT_ECONFLICT) { /* it is there already: what would an update be told? */
		kt_err_clear(err);
		kt_free(target);
		target = kt_strf("%s/%s?dryRun=All&fieldManager=ktutor&force=true", path,
		                 kt_str_or(kt_path(object, "metadata.name"), ""));
		rc = check_call(run, "PATCH", target, "application/apply-patch+yaml", object, NULL, err);
	}
	kt_free(target);
	kt_free(path);
	return rc;
}

void check_look_refused(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding)
{
	const struct kt_json *manifest = kt_get(check->body, "manifest");
	const char *because = kt_get_str(check->body, "because");
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	check_expected(finding, because ? "%s is refused because of %s" : "%s is refused%s",
	               kt_str(manifest) ? kt_str(manifest) : "the object", because ? because : "");
	check_where(finding, kt_str(manifest), NULL);
	if (kt_str(manifest)) {
		char *path = kt_join(check->dir, kt_str(manifest));
		enum kt_code rc = kt_yaml_read(path, &yaml, &err);
		kt_free(path);
		if (rc) {
			check_unknown(finding, &err);
			return;
		}
		manifest = kt_yaml_doc(yaml, 0);
	}
	enum kt_code rc = dry_run(run, manifest, &err);
	if (!rc)
		check_found(finding, CHECK_FAILED, "it would be accepted");
	else if (rc == KT_EUNREACHABLE || rc == KT_ELIMIT)
		check_unknown(finding, &err);
	else
		check_found(finding, !because || says(err.text, because) ? CHECK_PASSED : CHECK_FAILED, "%s",
		            err.text);
	kt_yaml_free(yaml);
}

/* --- answer --- */

/* The right answer: what the cluster says, or the choice that is marked. New; NULL with err. */
static struct kt_json *right_answer(const struct check_run *run, const struct check_check *check,
                                    struct kt_err *err)
{
	const struct kt_json *value = kt_get(check->body, "value"), *choice;
	struct kt_json *out = NULL;
	if (value)
		return check_value(run, value, &out, err) ? NULL : out;
	KT_JSON_EACH (choice, kt_get(check->body, "choices"))
		if (kt_get_bool(choice, "right", false))
			return kt_json_ref(kt_get(choice, "text"));
	kt_fail(err, KT_EINVAL, "no choice is marked as right");
	return NULL;
}

/* Lists are right in any order, separated by commas or blanks. */
static bool same_words(const struct kt_json *right, const char *typed)
{
	size_t found = 0, words = 0;
	struct kt_strs list = {0};
	for (const char *at = typed; *at;) {
		size_t len = strcspn(at, ", \t\n");
		if (len) {
			char *word = kt_strndup(at, len);
			kt_strs_steal(&list, word);
			words++;
		}
		at += len + (at[len] != '\0');
	}
	const struct kt_json *item;
	KT_JSON_EACH (item, right)
		found += kt_str(item) && kt_strs_has(&list, kt_str(item));
	kt_strs_clear(&list);
	return kt_is_array(right) && found == kt_count(right) && words == found;
}

static bool is_right(const struct kt_json *right, const char *typed)
{
	if (kt_is_array(right))
		return same_words(right, typed);
	while (*typed == ' ')
		typed++;
	size_t len = strlen(typed);
	while (len && typed[len - 1] == ' ')
		len--;
	char *text = kt_strndup(typed, len);
	struct kt_json *mine = kt_json_str(text);
	char *wanted = kt_str(right) ? kt_strdup(kt_str(right)) : kt_json_text(right);
	bool right_it_is = !strcasecmp(text, wanted) || check_compare(right, mine) == 0;
	kt_free(wanted);
	kt_json_free(mine);
	kt_free(text);
	return right_it_is;
}

void check_look_answer(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	const char *ask = kt_get_str(check->body, "ask"), *typed = kt_str(kt_get(run->answers, ask));
	struct kt_err err = {0};
	check_expected(finding, "an answer to: %s", ask);
	check_where(finding, ask, NULL);
	struct kt_json *right = right_answer(run, check, &err);
	if (!right)
		check_unknown(finding, &err);
	else if (run->answer_rightly)
		check_found(finding, CHECK_PASSED, "answered as the cluster would");
	else if (!typed)
		check_found(finding, CHECK_FAILED, "not answered yet");
	else
		check_found(finding, is_right(right, typed) ? CHECK_PASSED : CHECK_FAILED, "answered: %s",
		            typed);
	kt_json_free(right);
}

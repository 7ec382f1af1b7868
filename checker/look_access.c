/* SPDX-License-Identifier: MIT */
/* can, refused, answer: questions to the API server, and to the learner. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- can --- */

static bool is_word(const char *text, size_t len, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i]) == len && !strncasecmp(words[i], text, len))
			return true;
	return false;
}

/* "serviceaccount NS/NAME", "user NAME", "group NAME" as a SubjectAccessReview's spec. New; NULL: not
 * understood. */
static struct kt_json *subject_of(const char *who)
{
	static const char *const accounts[] = {"serviceaccount", "serviceaccounts", "service-account", "sa"},
	                         *const users[] = {"user"}, *const groups[] = {"group"};
	const char *space = strchr(who, ' '), *name = space ? space + 1 : "", *slash = strchr(name, '/');
	size_t len = space ? (size_t)(space - who) : 0;
	bool account = is_word(who, len, accounts, KT_COUNT(accounts));
	if (kt_starts(who, "system:serviceaccount:") && strchr(who + 22, ':')) {
		name = who + 22; /* as RBAC's messages write it */
		slash = strchr(name, ':');
		account = true;
	}
	if (account) {
		char *ns = slash ? kt_strndup(name, (size_t)(slash - name)) : kt_strdup("default");
		struct kt_json *spec =
		        kt_jsonf("{user: %j, groups: ['system:serviceaccounts', %j, 'system:authenticated']}",
		                 kt_json_strf("system:serviceaccount:%s:%s", ns, slash ? slash + 1 : name),
		                 kt_json_strf("system:serviceaccounts:%s", ns));
		kt_free(ns);
		return spec;
	}
	if (is_word(who, len, users, KT_COUNT(users)))
		return kt_jsonf("{user: %s, groups: ['system:authenticated']}", name);
	if (is_word(who, len, groups, KT_COUNT(groups)))
		return kt_jsonf("{user: 'ktutor:anybody', groups: [%s, 'system:authenticated']}", name);
	return NULL;
}

/* The same from a map: {user: jane, groups: [devs]}, {serviceaccount: shop/ci}. */
static struct kt_json *subject(const struct kt_json *who)
{
	static const char *const forms[] = {"serviceaccount", "user", "group"};
	if (kt_str(who))
		return subject_of(kt_str(who));
	struct kt_json *spec = NULL;
	for (size_t i = 0; i < KT_COUNT(forms) && !spec; i++)
		if (kt_get_str(who, forms[i])) {
			char *text = kt_strf("%s %s", forms[i], kt_get_str(who, forms[i]));
			spec = subject_of(text);
			kt_free(text);
		}
	const struct kt_json *group;
	KT_JSON_EACH (group, kt_get(who, "groups"))
		if (spec)
			kt_push(kt_edit(&spec, "groups"), kt_json_ref(group));
	return spec;
}

static char *subject_text(const struct kt_json *who)
{
	static const char *const forms[] = {"serviceaccount", "user", "group"};
	for (size_t i = 0; i < KT_COUNT(forms); i++)
		if (kt_get_str(who, forms[i]))
			return kt_strf("%s %s", forms[i], kt_get_str(who, forms[i]));
	return kt_strdup(kt_str_or(who, "?"));
}

enum kt_code check_hold_can(const struct check_source *source, const struct kt_json *body)
{
	const struct kt_json *who = kt_get(body, "who");
	struct kt_json *spec = subject(who);
	enum kt_code rc = KT_OK;
	if (!spec)
		rc = kt_yaml_fail(
		        source->yaml, who, source->err,
		        "'who': expected `serviceaccount NAMESPACE/NAME`, `user NAME` or `group NAME`");
	else if (!kt_get(body, "resource") && !kt_get(body, "path"))
		rc = kt_yaml_fail(source->yaml, body, source->err, "'can' needs 'resource' (or 'path')");
	kt_json_free(spec);
	return rc;
}

/* What of one verb on one resource is asked: attributes for the review. New. */
static struct kt_json *attributes(const struct check_run *run, const struct kt_json *body, const char *verb,
                                  const char *resource)
{
	if (*resource == '/')
		return kt_jsonf("{nonResourceAttributes: {path: %s, verb: %s}}", resource, verb);
	const char *slash = strchr(resource, '/');
	char *plain = slash ? kt_strndup(resource, (size_t)(slash - resource)) : kt_strdup(resource);
	struct check_resource found = {0};
	const char *dot = strchr(plain, '.'), *given = kt_get_str(body, "group");
	char *group = NULL;
	if (check_find_resource(run->client, plain, &found, NULL)) { /* RBAC knows what is not there, too */
		snprintf(found.resource, sizeof(found.resource), "%.*s", (int)strcspn(plain, "."), plain);
		group = kt_strdup(dot ? dot + 1 : "");
	} else {
		const char *at = strrchr(found.api_version, '/');
		group = at ? kt_strndup(found.api_version, (size_t)(at - found.api_version)) : kt_strdup("");
	}
	struct kt_json *out = kt_jsonf(
	        "{resourceAttributes: {verb: %s, resource: %s, subresource: %s, group: %s, namespace: %J, "
	        "name: %J}}",
	        verb, found.resource, slash ? slash + 1 : kt_get_str(body, "subresource"),
	        given ? given : group, kt_get(body, "namespace"), kt_get(body, "name"));
	kt_free(group);
	kt_free(plain);
	return out;
}

/* One question. False: it is not as wanted, or not known (finding tells). */
static bool ask_one(const struct check_run *run, const struct check_check *check, const char *verb,
                    const char *resource, struct check_finding *finding)
{
	const struct kt_json *b = check->body, *who = kt_get(b, "who");
	const char *ns = kt_get_str(b, "namespace"), *name = kt_get_str(b, "name"),
	           *sub = kt_get_str(b, "subresource");
	bool wanted = check_bool(kt_get(b, "expect"), true);
	char *who_text = subject_text(who),
	     *what = kt_strf("%s %s%s%s%s%s%s%s", verb, resource, sub ? "/" : "", sub ? sub : "",
	                     name ? " " : "", name ? name : "", ns ? " in " : "", ns ? ns : "");
	struct kt_json *spec = subject(who), *more = attributes(run, b, verb, resource), *answer = NULL;
	struct kt_err err = {0};
	bool as_wanted = false;
	check_expected(finding, wanted ? "%s can %s" : "%s cannot %s", who_text, what);
	check_where(finding, who_text, NULL);
	kt_set(&spec, kt_key(more, 0), kt_json_ref(kt_at(more, 0)));
	struct kt_json *review = kt_jsonf(
	        "{apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec: %j}", spec);
	if (check_call(run, "POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", NULL, review,
	               &answer, &err)) {
		check_unknown(finding, &err);
	} else {
		bool allowed = kt_path_bool(answer, "status.allowed", false);
		const char *reason = kt_str_or(kt_path(answer, "status.reason"), "");
		as_wanted = allowed == wanted;
		check_found(finding, as_wanted ? CHECK_PASSED : CHECK_FAILED, "%s %s %s%s%s%s", who_text,
		            allowed ? "can" : "cannot", what, *reason ? " (" : "", reason,
		            *reason ? ")" : "");
	}
	kt_json_free(answer);
	kt_json_free(review);
	kt_json_free(more);
	kt_free(what);
	kt_free(who_text);
	return as_wanted;
}

static const struct kt_json *nth(const struct kt_json *v, size_t i)
{
	return kt_is_array(v) ? kt_at(v, i) : i ? NULL : v;
}

void check_look_can(const struct check_run *run, const struct check_check *check,
                    struct check_finding *finding)
{
	const struct kt_json *verbs = kt_get(check->body, "verb"), *verb, *resource,
	                     *resources = kt_get(check->body, "resource");
	resources = resources ? resources : kt_get(check->body, "path");
	for (size_t v = 0; (verb = nth(verbs, v)); v++)
		for (size_t r = 0; (resource = nth(resources, r)); r++)
			if (!ask_one(run, check, kt_str_or(verb, "?"), kt_str_or(resource, "?"), finding))
				return;
}

/* --- refused --- */

/* Words of the language for what the real server says (compared without case and hyphens). Others are looked
 * for as they are. */
static const char *const reasons[][2] = {{"quota", "exceeded quota"},
                                         {"quota", "failed quota"},
                                         {"resourcequota", "exceeded quota"},
                                         {"resourcequota", "failed quota"},
                                         {"limits", "usage per"},
                                         {"limits", "LimitRange"},
                                         {"limits", "limit to request ratio"},
                                         {"limit", "usage per"},
                                         {"limit", "limit to request ratio"},
                                         {"limitrange", "usage per"},
                                         {"limitrange", "limit to request ratio"},
                                         {"limitranger", "usage per"},
                                         {"limitranger", "limit to request ratio"},
                                         {"podsecurity", "violates PodSecurity"},
                                         {"podsecurityadmission", "violates PodSecurity"},
                                         {"podsecuritystandards", "violates PodSecurity"},
                                         {"psa", "violates PodSecurity"},
                                         {"webhook", "failed calling webhook"},
                                         {"webhook", "denied the request"},
                                         {"rbac", "cannot"},
                                         {"immutable", "immutable"},
                                         {"immutable", "updates to"},
                                         {"immutable", "may not change fields"},
                                         {"immutable", "may not change once set"},
                                         {"invalid", "is invalid"},
                                         {"invalid", "ValidationError"},
                                         {"validation", "is invalid"},
                                         {"schema", "is invalid"},
                                         {"policy", "denied"},
                                         {"admission", "denied"},
                                         {"forbidden", "is forbidden"},
                                         {"namespace", "namespaces \""}};

/* Without case, hyphens, underscores and blanks: "Pod Security" is "pod-security". Owned. */
static char *plain_word(const char *text)
{
	struct kt_buf out = {0};
	for (const char *c = text; *c; c++)
		if (!strchr("-_ ", *c))
			kt_buf_addc(&out, *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c);
	return kt_buf_take(&out);
}

static bool says(const char *message, const char *because)
{
	char *word = plain_word(because), *plain = plain_word(message);
	bool found = strstr(plain, word) != NULL;
	for (size_t i = 0; i < KT_COUNT(reasons) && !found; i++)
		found = kt_streq(reasons[i][0], word) && strcasestr(message, reasons[i][1]);
	kt_free(word);
	kt_free(plain);
	return found;
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
		return rc;
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

/* Is any of the manifest's objects refused? The last refusal is in err. KT_OK: all would be accepted. */
static enum kt_code dry_run_all(const struct check_run *run, const struct check_check *check,
                                struct kt_err *err)
{
	const struct kt_json *manifest = kt_get(check->body, "manifest");
	const char *text = kt_str(manifest);
	struct kt_yaml *yaml = NULL;
	enum kt_code rc = KT_OK;
	if (text && strchr(text, '\n')) {
		rc = kt_yaml_parse_letters("manifest", text, strlen(text), &yaml, err);
	} else if (text) {
		char *path = kt_join(check->dir, text);
		rc = kt_yaml_read(path, &yaml, err);
		kt_free(path);
	}
	if (rc)
		return KT_EUNREACHABLE; /* the lab's fault */
	size_t count = yaml ? kt_yaml_count(yaml) : kt_is_array(manifest) ? kt_count(manifest) : 1;
	for (size_t i = 0; !rc && i < count; i++)
		rc = dry_run(run,
		             yaml                    ? kt_yaml_doc(yaml, i)
		             : kt_is_array(manifest) ? kt_at(manifest, i)
		                                     : manifest,
		             err);
	kt_yaml_free(yaml);
	return rc;
}

void check_look_refused(const struct check_run *run, const struct check_check *check,
                        struct check_finding *finding)
{
	const struct kt_json *manifest = kt_get(check->body, "manifest"),
	                     *object = kt_is_array(manifest) ? kt_at(manifest, 0) : manifest;
	const char *because = kt_get_str(check->body, "because");
	struct kt_err err = {0};
	char *what = kt_str(manifest) && !strchr(kt_str(manifest), '\n')
	                     ? kt_strdup(kt_str(manifest))
	                     : kt_strf("%s %s", kt_str_or(kt_get(object, "kind"), "the object"),
	                               kt_str_or(kt_path(object, "metadata.name"), ""));
	check_expected(finding, because ? "%s is refused because of %s" : "%s is refused%s", what,
	               because ? because : "");
	check_where(finding, what, NULL);
	enum kt_code rc = dry_run_all(run, check, &err);
	bool elsewhere = rc == KT_ENOTFOUND && !because; /* nothing was judged: no namespace, no such kind */
	if (!rc)
		check_found(finding, CHECK_FAILED, "%s would be accepted", what);
	else if ((rc == KT_EUNREACHABLE || rc == KT_ELIMIT) && !(because && says(err.text, because)))
		check_unknown(finding,
		              &err); /* but a webhook that cannot be called is an inner error that refuses */
	else if (elsewhere || (because && !says(err.text, because)))
		check_found(finding, CHECK_FAILED, "refused, but for another reason: %s", err.text);
	else
		check_found(finding, CHECK_PASSED, "%s", err.text);
	kt_free(what);
}

/* --- answer --- */

static const struct kt_json *right_choice(const struct kt_json *body)
{
	const struct kt_json *choice, *right = kt_get(body, "right"), *choices = kt_get(body, "choices");
	if (right)
		return kt_json_type(right) == KT_JSON_INT ? kt_at(choices, (size_t)kt_int_or(right, 0))
		                                          : right;
	KT_JSON_EACH (choice, choices)
		if (check_bool(kt_get(choice, "right"), false))
			return kt_get(choice, "text");
	return NULL;
}

enum kt_code check_hold_answer(const struct check_source *source, const struct kt_json *body)
{
	static const char *const keys[] = {"text", "right", "because"};
	const struct kt_json *choice;
	if (!kt_get(body, "value") && !kt_get(body, "choices"))
		return kt_yaml_fail(source->yaml, body, source->err, "'answer' needs 'value' or 'choices'");
	KT_JSON_EACH (choice, kt_get(body, "choices")) {
		enum kt_code rc = kt_is_object(choice) ? kt_yaml_keys(source->yaml, choice, "a choice", keys,
		                                                      KT_COUNT(keys), source->err)
		                                       : KT_OK;
		if (rc)
			return rc;
	}
	if (kt_get(body, "choices") && !kt_get(body, "value") && !right_choice(body))
		return kt_yaml_fail(source->yaml, kt_get(body, "choices"), source->err,
		                    "'choices': none is marked `right: yes`");
	const struct kt_json *value = kt_get(body, "value");
	return value ? check_value_hold(source->yaml, value, source->err) : KT_OK;
}

/* The right answer: what the cluster says, or the choice that is marked. New; NULL with err. */
static struct kt_json *right_answer(const struct check_run *run, const struct check_check *check,
                                    struct kt_err *err)
{
	struct kt_json *out = NULL;
	if (kt_get(check->body, "value"))
		return check_value(run, kt_get(check->body, "value"), &out, err) ? NULL : out;
	return kt_json_ref(right_choice(check->body));
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
	KT_JSON_EACH (item, right) {
		bool has = false;
		for (size_t i = 0; i < list.count && !has; i++) {
			struct kt_json *mine = kt_json_str(list.items[i]);
			has = check_compare(item, mine) == 0 ||
			      (kt_str(item) && !strcasecmp(kt_str(item), list.items[i]));
			kt_json_free(mine);
		}
		found += has;
	}
	kt_strs_clear(&list);
	return kt_is_array(right) && found == kt_count(right) && words == found;
}

bool check_answer_is(const struct kt_json *right, const char *typed)
{
	if (kt_is_array(right) && !kt_count(right)) {
		typed += strspn(typed, " ");
		size_t word = strcspn(typed, " .");
		return (word == 4 && !strncasecmp(typed, "none", 4)) ||
		       (word == 7 && !strncasecmp(typed, "nothing", 7));
	}
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
	if (!right && err.code == KT_ENOTFOUND)
		check_found(finding, CHECK_FAILED, "%s", err.text);
	else if (!right)
		check_unknown(finding, &err);
	else if (run->answer_rightly)
		check_found(finding, CHECK_PASSED, "answered as the cluster would");
	else if (!typed)
		check_found(finding, CHECK_FAILED, "not answered yet");
	else
		check_found(finding, check_answer_is(right, typed) ? CHECK_PASSED : CHECK_FAILED,
		            "answered: %s", typed); /* the right one is not told */
	kt_json_free(right);
}

/* SPDX-License-Identifier: MIT */
/* PodSecurity: what a namespace's labels ask for, and who is told (k8s.io/pod-security-admission
 * admission/admission.go). The checks are in security_policy.c. */
#include "cluster/api/security_policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[] = {"privileged", "baseline", "restricted"};

/* --- levels of a namespace --- */

#define LABEL "pod-security.kubernetes.io/"

static bool level_of(const struct kt_json *ns, const char *mode, enum security_level *level,
                     const char **version)
{
	const struct kt_json *labels = kt_path(ns, "metadata.labels");
	char *key = kt_strf(LABEL "%s", mode), *version_key = kt_strf(LABEL "%s-version", mode);
	const char *text = kt_get_str(labels, key);
	*version = kt_str_or(kt_get(labels, version_key), "latest");
	bool known = false;
	for (size_t i = 0; text && i < KT_COUNT(level_names); i++)
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum security_level)i;
			known = true;
		}
	kt_free(key);
	kt_free(version_key);
	return known;
}

/* Who is not told what is warned of is warned of what is enforced (PolicyToEvaluate). */
static bool warn_level_of(const struct kt_json *ns, enum security_level *level, const char **version)
{
	const struct kt_json *labels = kt_path(ns, "metadata.labels");
	if (kt_get(labels, LABEL "warn"))
		return level_of(ns, "warn", level, version);
	if (!level_of(ns, "enforce", level, version))
		return false;
	*version = kt_str_or(kt_get(labels, LABEL "warn-version"), *version);
	return *level > SECURITY_PRIVILEGED;
}

/* Pods are held to "enforce"; what makes pods is only warned about. */
bool admit_pod_security(const struct rules_request *r, struct api_status *status)
{
	const struct kt_json *spec, *ns;
	enum security_level level = SECURITY_PRIVILEGED;
	const char *version, *path = schema_pod_spec_path(r->kind->group, r->kind->kind);
	bool is_pod = admit_is(r, "", "Pod"), fine = true;
	if (!r->kind->namespaced || (*r->subresource && strcmp(r->subresource, "ephemeralcontainers") != 0))
		return true;
	if (!path)
		return true;
	spec = kt_path(*r->object, path);
	if (!spec || (is_pod && r->operation == RULES_UPDATE && !*r->subresource &&
	              kt_get(r->old, "spec") == kt_get(*r->object, "spec")))
		return true;
	ns = admit_get(r, "", "Namespace", "", r->ns);
	if (is_pod && level_of(ns, "enforce", &level, &version)) {
		struct kt_buf text = {0};
		security_evaluate(spec, level, version, true, &text);
		if (text.len > 0)
			fine = admit_forbid(r, status, "violates PodSecurity \"%s:%s\": %s",
			                    level_names[level], version, kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	if (fine && warn_level_of(ns, &level, &version)) {
		struct kt_buf text = {0};
		security_evaluate(spec, level, version, true, &text);
		if (text.len > 0)
			admit_warn(r, "would violate PodSecurity \"%s:%s\": %s", level_names[level], version,
			           kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	return fine;
}

/* --- labels of namespaces --- */

/* "latest" or "v1.x" */
static bool is_version(const char *s)
{
	if (strcmp(s, "latest") == 0)
		return true;
	if (!kt_starts(s, "v1.") || !s[3] || (s[3] == '0' && s[4]))
		return false;
	for (const char *c = s + 3; *c; c++)
		if (!isdigit((unsigned char)*c))
			return false;
	return true;
}

static void check_version(const struct kt_json *labels, const char *mode, struct rules_errors *errors)
{
	char *key = kt_strf(LABEL "%s-version", mode);
	char *field = kt_strf("metadata.labels[%s]", key);
	const struct kt_json *value = kt_get(labels, key);
	if (value && !is_version(kt_str_or(value, "")))
		rules_error(errors, "FieldValueInvalid", field, value, "must be \"latest\" or \"v1.x\"");
	kt_free(key);
	kt_free(field);
}

static void check_labels(const struct kt_json *labels, struct rules_errors *errors)
{
	static const char *const modes[] = {"enforce", "audit", "warn"};
	for (size_t i = 0; i < KT_COUNT(modes); i++) {
		char *key = kt_strf(LABEL "%s", modes[i]),
		     *field = kt_strf("metadata.labels[" LABEL "%s]", modes[i]);
		const struct kt_json *value = kt_get(labels, key);
		bool known = !value;
		for (size_t k = 0; k < KT_COUNT(level_names); k++)
			known = known || kt_streq(kt_str(value), level_names[k]);
		if (!known)
			rules_error(errors, "FieldValueInvalid", field, value,
			            "must be one of privileged, baseline, restricted");
		kt_free(key);
		kt_free(field);
		check_version(labels, modes[i], errors);
	}
}

/* Who tightens a namespace is told what already breaks the new rule: "NAME (and 2 other pods): reasons". */
static void warn_existing(const struct rules_request *r, enum security_level level, const char *version)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(r->cluster), "", "Pod");
	struct kt_json *groups = kt_json_object();
	const struct store_object *pod;
	STORE_EACH (pod, cluster_store(r->cluster), kind, r->name) {
		struct kt_buf text = {0};
		security_evaluate(kt_get(pod->json, "spec"), level, version, false, &text);
		if (text.len > 0)
			kt_push(kt_edit(&groups, kt_buf_str(&text)), kt_json_str(pod->name));
		kt_buf_clear(&text);
	}
	if (kt_count(groups) > 0)
		admit_warn(r,
		           "existing pods in namespace \"%s\" violate the new PodSecurity enforce level "
		           "\"%s:%s\"",
		           r->name, level_names[level], version);
	for (size_t i = 0, n = kt_count(groups); i < n; i++) {
		size_t more = kt_count(kt_at(groups, i)) - 1;
		const char *first = kt_str(kt_at(kt_at(groups, i), 0));
		if (more == 0)
			admit_warn(r, "%s: %s", first, kt_key(groups, i));
		else
			admit_warn(r, "%s (and %zu other pod%s): %s", first, more, more > 1 ? "s" : "",
			           kt_key(groups, i));
	}
	kt_json_free(groups);
}

bool admit_security_labels(const struct rules_request *r, struct api_status *status)
{
	struct rules_errors errors = {0};
	enum security_level now = SECURITY_PRIVILEGED, old = SECURITY_PRIVILEGED;
	const char *version, *before;
	if (*r->subresource)
		return true;
	check_labels(kt_path(*r->object, "metadata.labels"), &errors);
	if (kt_count(errors.causes) > 0) {
		api_fail_invalid(status, r->kind, r->name, errors.causes);
		rules_errors_clear(&errors);
		return false;
	}
	rules_errors_clear(&errors);
	if (r->operation != RULES_UPDATE || !level_of(*r->object, "enforce", &now, &version))
		return true;
	level_of(r->old, "enforce", &old, &before);
	/* nothing that runs can break under a laxer level of the same version */
	if (now != SECURITY_PRIVILEGED && (now > old || strcmp(version, before) != 0))
		warn_existing(r, now, version);
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Object metadata, labels, selectors: k8s.io/apimachinery/pkg/api/validation/objectmeta.go and
 * pkg/apis/meta/v1/validation/validation.go. */
#include "cluster/api/validate.h"

#include <string.h>

#define MAX_ANNOTATIONS (256 * (1 << 10))

void v_labels(struct v *v, const struct v_path *path, const struct kt_json *labels)
{
	for (size_t i = 0, n = kt_count(labels); i < n; i++) {
		v_check(v, path, kt_key(labels, i), v_qualified_name);
		v_check(v, path, kt_str_or(kt_at(labels, i), ""), v_label_value);
	}
}

void v_annotations(struct v *v, const struct v_path *path, const struct kt_json *annotations)
{
	size_t total = 0;
	for (size_t i = 0, n = kt_count(annotations); i < n; i++) {
		struct kt_strs faults = {0};
		const char *key = kt_key(annotations, i);
		v_annotation_key(key, &faults);
		for (size_t j = 0; j < faults.count; j++)
			v_invalid_str(v, path, key, "%s", faults.items[j]);
		kt_strs_clear(&faults);
		total += strlen(key) + kt_str_len(kt_at(annotations, i));
	}
	if (total > MAX_ANNOTATIONS)
		v_too_long(v, path, MAX_ANNOTATIONS);
}

static void owner_reference(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const needed[] = {"kind", "name", "uid"};
	const char *version = kt_str_or(kt_get(ref, "apiVersion"), "");
	bool odd = strchr(version, '/') != strrchr(version, '/');
	if (!*version || kt_ends(version, "/") || odd)
		v_invalid_str(v, V_IN(path, "apiVersion"), version, "version must not be empty");
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (!*kt_str_or(kt_get(ref, needed[i]), ""))
			v_invalid_str(v, V_IN(path, needed[i]), "", "must not be empty");
	if (strcmp(version, "v1") == 0 && kt_streq(kt_get_str(ref, "kind"), "Event"))
		v_invalid(v, path, ref, "/v1, Kind=Event is disallowed from being an owner");
}

static void owner_references(struct v *v, const struct v_path *path, const struct kt_json *refs)
{
	const struct kt_json *ref, *first = NULL;
	KT_JSON_EACH (ref, refs) {
		owner_reference(v, path, ref);
		if (!kt_get_bool(ref, "controller", false))
			continue;
		if (first)
			v_invalid(v, path, refs,
			          "Only one reference can have Controller set to true. Found \"true\" in "
			          "references for %s/%s and %s/%s",
			          kt_get_str(first, "kind"), kt_get_str(first, "name"),
			          kt_get_str(ref, "kind"), kt_get_str(ref, "name"));
		first = ref;
	}
}

static void finalizers(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const standard[] = {"kubernetes", "foregroundDeletion", "orphan"};
	const struct kt_json *item;
	bool orphan = false, foreground = false;
	KT_JSON_EACH (item, list) {
		const char *s = kt_str_or(item, "");
		orphan = orphan || strcmp(s, "orphan") == 0;
		foreground = foreground || strcmp(s, "foregroundDeletion") == 0;
		v_check(v, path, s, v_qualified_name); /* of all kinds: it does not say which one */
	}
	if (orphan && foreground)
		v_invalid(v, path, list, "finalizer orphan and foregroundDeletion cannot be both set");
	KT_JSON_EACH (item, list) {
		const char *s = kt_str_or(item, "");
		bool known = strchr(s, '/') != NULL;
		for (size_t i = 0; i < KT_COUNT(standard); i++)
			known = known || strcmp(s, standard[i]) == 0;
		if (!known)
			v_invalid_str(v, V_AT(path, item_i), s,
			              "name is neither a standard finalizer name nor is it fully qualified");
	}
}

static void managed_fields(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *entry;
	KT_JSON_EACH (entry, list) {
		const struct v_path *at = V_AT(path, entry_i);
		const char *op = kt_str_or(kt_get(entry, "operation"), ""),
		           *type = kt_str_or(kt_get(entry, "fieldsType"), "");
		if (strcmp(op, "Apply") != 0 && strcmp(op, "Update") != 0)
			v_invalid_str(v, V_IN(at, "operation"), op, "must be `Apply` or `Update`");
		if (*type && strcmp(type, "FieldsV1") != 0)
			v_invalid_str(v, V_IN(at, "fieldsType"), type, "must be `FieldsV1`");
		if (kt_str_len(kt_get(entry, "manager")) > 128)
			v_too_long(v, V_IN(at, "manager"), 128);
	}
}

static void lists(struct v *v, const struct v_path *path, const struct kt_json *meta)
{
	v_labels(v, V_IN(path, "labels"), kt_get(meta, "labels"));
	v_annotations(v, V_IN(path, "annotations"), kt_get(meta, "annotations"));
	owner_references(v, V_IN(path, "ownerReferences"), kt_get(meta, "ownerReferences"));
	finalizers(v, V_IN(path, "finalizers"), kt_get(meta, "finalizers"));
	managed_fields(v, V_IN(path, "managedFields"), kt_get(meta, "managedFields"));
}

/* "acme.io/foo" (apimachinery pkg/util/validation IsDomainPrefixedPath). */
void v_domain_path(struct v *v, const struct v_path *path, const char *s)
{
	static const char characters[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%!$&'()*+,;=:";
	const char *slash = strchr(s, '/');
	struct kt_strs faults = {0};
	if (!slash || slash == s || !slash[1]) {
		v_invalid_str(v, path, s, "must be a domain-prefixed path (such as \"acme.io/foo\")");
		return;
	}
	char *domain = kt_strndup(s, (size_t)(slash - s));
	v_dns_subdomain(domain, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid_str(v, path, domain, "%s", faults.items[i]);
	if (slash[1 + strspn(slash + 1, characters)])
		v_invalid_str(v, path, slash + 1,
		              "Invalid path (regex used for validation is "
		              "'[A-Za-z0-9/\\-._~%%!$&'()*+,;=:]+')");
	kt_strs_clear(&faults);
	kt_free(domain);
}

void v_metadata(struct v *v, bool namespaced, v_format *name_format, v_format *prefix_format)
{
	const struct v_path *path = V_ROOT("metadata");
	const struct kt_json *meta = kt_get(v->object, "metadata");
	const char *name = kt_str_or(kt_get(meta, "name"), ""),
	           *prefix = kt_str_or(kt_get(meta, "generateName"), "");
	const char *ns = kt_str_or(kt_get(meta, "namespace"), "");
	if (*prefix)
		v_check(v, V_IN(path, "generateName"), prefix, prefix_format);
	if (!*name)
		v_required(v, V_IN(path, "name"), "name or generateName is required");
	else
		v_check(v, V_IN(path, "name"), name, name_format);
	if (namespaced && !*ns)
		v_required(v, V_IN(path, "namespace"), "");
	else if (namespaced)
		v_check(v, V_IN(path, "namespace"), ns, v_dns_label);
	else if (*ns)
		v_forbidden(v, V_IN(path, "namespace"), "not allowed on this type");
	if (kt_get_int(meta, "generation", 0) < 0)
		v_invalid(v, V_IN(path, "generation"), kt_get(meta, "generation"),
		          "must be greater than or equal to 0");
	lists(v, path, meta);
}

/* What is being deleted may lose finalizers, not gain them. */
static void no_new_finalizers(struct v *v, const struct v_path *path, const struct kt_json *now,
                              const struct kt_json *old)
{
	struct kt_buf added = {0};
	const struct kt_json *item;
	KT_JSON_EACH (item, now)
		if (!kt_has_word(old, kt_str_or(item, "")))
			kt_buf_addf(&added, "%s\"%s\"", added.len > 0 ? ", " : "", kt_str_or(item, ""));
	if (added.len > 0)
		v_forbidden(v, path,
		            "no new finalizers can be added if the object is being deleted, found new "
		            "finalizers []string{%s}",
		            kt_buf_str(&added));
	kt_buf_clear(&added);
}

void v_metadata_update(struct v *v)
{
	static const char *const fixed[] = {"name",
	                                    "namespace",
	                                    "uid",
	                                    "creationTimestamp",
	                                    "deletionTimestamp",
	                                    "deletionGracePeriodSeconds"};
	const struct v_path *path = V_ROOT("metadata");
	const struct kt_json *now = kt_get(v->object, "metadata"), *old = kt_get(v->old, "metadata");
	if (kt_get(old, "deletionTimestamp"))
		no_new_finalizers(v, V_IN(path, "finalizers"), kt_get(now, "finalizers"),
		                  kt_get(old, "finalizers"));
	for (size_t i = 0; i < KT_COUNT(fixed); i++)
		v_immutable(v, V_IN(path, fixed[i]), kt_get(now, fixed[i]), kt_get(old, fixed[i]));
	if (kt_get(now, "labels") != kt_get(old, "labels"))
		v_labels(v, V_IN(path, "labels"), kt_get(now, "labels"));
	v_annotations(v, V_IN(path, "annotations"), kt_get(now, "annotations"));
	owner_references(v, V_IN(path, "ownerReferences"), kt_get(now, "ownerReferences"));
	finalizers(v, V_IN(path, "finalizers"), kt_get(now, "finalizers"));
	managed_fields(v, V_IN(path, "managedFields"), kt_get(now, "managedFields"));
}

/* --- label selectors --- */

static void requirement(struct v *v, const struct v_path *path, const struct kt_json *r)
{
	const char *op = kt_str_or(kt_get(r, "operator"), "");
	const struct kt_json *values = kt_get(r, "values"), *item;
	if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
		if (kt_count(values) == 0)
			v_required(v, V_IN(path, "values"),
			           "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
		if (kt_count(values) > 0)
			v_forbidden(v, V_IN(path, "values"),
			            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		v_invalid_str(v, V_IN(path, "operator"), op, "not a valid selector operator");
	}
	v_check(v, V_IN(path, "key"), kt_str_or(kt_get(r, "key"), ""), v_qualified_name);
	KT_JSON_EACH (item, values)
		v_check(v, V_AT(V_IN(path, "values"), item_i), kt_str_or(item, ""), v_label_value);
}

void v_label_selector(struct v *v, const struct v_path *path, const struct kt_json *selector)
{
	const struct kt_json *item;
	const struct v_path *list = V_IN(path, "matchExpressions");
	v_labels(v, V_IN(path, "matchLabels"), kt_get(selector, "matchLabels"));
	KT_JSON_EACH (item, kt_get(selector, "matchExpressions"))
		requirement(v, V_AT(list, item_i), item);
}

bool v_selector_is_empty(const struct kt_json *selector)
{
	return kt_count(kt_get(selector, "matchLabels")) + kt_count(kt_get(selector, "matchExpressions")) ==
	       0;
}

bool v_selector_valid(const struct kt_json *selector)
{
	struct rules_errors errors = {0};
	struct v v = {.errors = &errors};
	v_label_selector(&v, V_ROOT(""), selector);
	bool fine = kt_count(errors.causes) == 0;
	rules_errors_clear(&errors);
	return fine;
}

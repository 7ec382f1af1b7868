/* SPDX-License-Identifier: MIT */
/* Custom resource definitions: apiextensions-apiserver pkg/apis/apiextensions/validation. Their schemas:
 * validate_crd_schema.c. */
#include "cluster/api/validate.h"

#include <string.h>

/* --- what all versions share is kept, and named, at the top (the conversion to the internal type) --- */

struct shared {
	const struct kt_json *schema, *subresources, *columns,
	        *selectable; /* NULL: each version has its own */
};

static const struct kt_json *shared(const struct kt_json *versions, const char *field)
{
	const struct kt_json *first = kt_get(kt_at(versions, 0), field), *version;
	KT_JSON_EACH (version, versions) {
		const struct kt_json *own = kt_get(version, field);
		if (!own != !first || (own && !kt_equal(own, first)))
			return NULL;
	}
	return first;
}

static bool has_status(const struct kt_json *subresources)
{
	return kt_get(subresources, "status") != NULL;
}

/* --- parts of a version --- */

/* A path such as .spec.replicas; `under`: "spec" or "status", or both; NULL anywhere. */
static void simple_path(struct v *v, const struct v_path *path, const struct kt_json *value,
                        const char *const *under, const char *where)
{
	const char *s = kt_str_or(value, "");
	bool fine = !under;
	if (*s != '.') {
		v_invalid(v, path, value, "must be a simple json path starting with .");
		return;
	}
	for (size_t i = 0; under && under[i]; i++)
		fine = fine || kt_starts(s, under[i]);
	if (!fine)
		v_invalid(v, path, value, "should be a json path under %s", where);
}

static void subresources(struct v *v, const struct v_path *path, const struct kt_json *object)
{
	static const char *const spec[] = {".spec.", NULL}, *const status[] = {".status.", NULL},
	                         *const both[] = {".spec.", ".status.", NULL};
	static const struct {
		const char *field;
		const char *const *under;
		const char *where;
		bool needed;
	} rows[] = {
	        {"specReplicasPath", spec, ".spec", true},
	        {"statusReplicasPath", status, ".status", true},
	        {"labelSelectorPath", both, "either .spec or .status", false},
	};
	const struct kt_json *scale = kt_get(object, "scale");
	for (size_t i = 0; scale && i < KT_COUNT(rows); i++) {
		const struct v_path *at = V_IN(V_IN(path, "scale"), rows[i].field);
		if (*kt_get_text(scale, rows[i].field))
			simple_path(v, at, kt_get(scale, rows[i].field), rows[i].under, rows[i].where);
		else if (rows[i].needed)
			v_required(v, at, "");
	}
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static void columns(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char one_type[] = "must be one of boolean,date,integer,number,string";
	static const char *const types[] = {"boolean", "date", "integer", "number", "string", NULL};
	static const char *const formats[] = {"byte",  "date",  "date-time", "double", "float",
	                                      "int32", "int64", "password",  NULL};
	const struct kt_json *column;
	KT_JSON_EACH (column, list) {
		const struct v_path *at = V_AT(path, column_i);
		const char *type = kt_get_text(column, "type"), *format = kt_get_text(column, "format");
		if (!*kt_get_text(column, "name"))
			v_required(v, V_IN(at, "name"), "");
		if (!*type)
			v_required(v, V_IN(at, "type"), one_type);
		else if (!is_one_of(type, types))
			v_invalid_str(v, V_IN(at, "type"), type, one_type);
		if (*format && !is_one_of(format, formats))
			v_invalid_str(v, V_IN(at, "format"), format,
			              "must be one of byte,date,date-time,double,float,int32,int64,password");
		if (!*kt_get_text(column, "jsonPath"))
			v_required(v, V_IN(at, "JSONPath"), "");
		else
			simple_path(v, V_IN(at, "JSONPath"), kt_get(column, "jsonPath"), NULL, NULL);
	}
}

#define MAX_SELECTABLE 8

static void selectable_fields(struct v *v, const struct v_path *path, const struct kt_json *list,
                              const struct kt_json *schema)
{
	static const char *const types[] = {"string", "boolean", "integer", NULL};
	const struct kt_json *item;
	size_t different = 0;
	KT_JSON_EACH (item, list) {
		const struct v_path *at = V_IN(V_AT(path, item_i), "jsonPath");
		const char *text = kt_get_text(item, "jsonPath");
		const struct kt_json *found = NULL, *value = kt_get(item, "jsonPath");
		char *why;
		if (!*text) {
			v_required(v, at, "");
			continue;
		}
		why = v_schema_path(schema, text, false, &found);
		if (why) {
			v_invalid(v, at, value, "is an invalid path: %s", why);
			kt_free(why);
			continue;
		}
		if (kt_starts(text, ".metadata") && (text[9] == '.' || !text[9]))
			v_invalid(v, at, value, "must not point to fields in metadata");
		if (!is_one_of(kt_get_text(found, "type"), types))
			v_invalid(v, at, value,
			          "must point to a field of type string, boolean or integer. Enum string "
			          "fields and "
			          "strings with formats are allowed.");
		if (kt_find(list, "jsonPath", text) < (ptrdiff_t)item_i)
			v_duplicate(v, at, value);
		else
			different++;
	}
	if (different > MAX_SELECTABLE)
		v_too_many(v, path, different, MAX_SELECTABLE);
}

static void deprecation(struct v *v, const struct v_path *path, const struct kt_json *version)
{
	const struct kt_json *warning = kt_get(version, "deprecationWarning");
	if (!warning)
		return;
	if (!kt_get_bool(version, "deprecated", false)) {
		v_invalid(v, path, warning, "can only be set for deprecated versions");
		return;
	}
	if (kt_str_len(warning) > 256)
		v_invalid(v, path, warning, "must be <= 256 characters long");
	if (!kt_str_len(warning))
		v_invalid(v, path, warning, "must not be an empty string");
	for (size_t i = 0; i < kt_str_len(warning); i++)
		if ((unsigned char)kt_str(warning)[i] < ' ') {
			v_invalid(v, path, warning,
			          "must only contain printable UTF-8 characters; non-printable character "
			          "found at "
			          "index %zu",
			          i);
			break;
		}
}

/* --- definitions --- */

static void mixed_case(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	char *lower = kt_strdup(kt_str_or(value, ""));
	struct kt_strs faults = {0};
	for (char *c = lower; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	if (*lower)
		v_dns_1035(lower, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid(v, path, value, "may have mixed case, but should otherwise match: %s",
		          faults.items[i]);
	kt_strs_clear(&faults);
	kt_free(lower);
}

static void crd_names(struct v *v, const struct v_path *path, const struct kt_json *names)
{
	static const char *const needed[] = {"plural", "singular", "kind", "listKind"};
	static const struct v_rule rows[] = {
	        {.field = "plural", .kind = V_FORMAT, .format = v_dns_1035},
	        {.field = "singular", .kind = V_FORMAT, .format = v_dns_1035},
	        {.field = "kind", .kind = V_CALL, .fn = mixed_case},
	        {.field = "listKind", .kind = V_CALL, .fn = mixed_case},
	};
	const struct kt_json *item;
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (!*kt_get_text(names, needed[i]))
			v_required(v, V_IN(path, needed[i]), "");
	V_RULES(v, path, names, rows);
	KT_JSON_EACH (item, kt_get(names, "shortNames"))
		v_check(v, V_AT(V_IN(path, "shortNames"), item_i), kt_str_or(item, ""), v_dns_1035);
	if (*kt_get_text(names, "kind") &&
	    strcmp(kt_get_text(names, "kind"), kt_get_text(names, "listKind")) == 0)
		v_invalid_str(v, V_IN(path, "listKind"), kt_get_text(names, "listKind"),
		              "kind and listKind may not be the same");
	KT_JSON_EACH (item, kt_get(names, "categories"))
		v_check(v, V_AT(V_IN(path, "categories"), item_i), kt_str_or(item, ""), v_dns_1035);
}

static void schema_at(struct v *v, const struct v_path *path, const struct kt_json *holder, bool status)
{
	const struct kt_json *schema = kt_get(holder, "openAPIV3Schema");
	if (schema)
		v_crd_schema(v, V_IN(path, "openAPIV3Schema"), schema, status);
}

static void crd_version(struct v *v, const struct v_path *path, const struct kt_json *version,
                        const struct shared *common)
{
	const struct kt_json *own =
	        common->subresources ? common->subresources : kt_get(version, "subresources");
	v_check(v, V_IN(path, "name"), kt_get_text(version, "name"), v_dns_1035);
	deprecation(v, V_IN(path, "deprecationWarning"), version);
	if (!common->schema)
		schema_at(v, V_IN(path, "schema"), kt_get(version, "schema"), has_status(own));
	if (!common->subresources)
		subresources(v, V_IN(path, "subresources"), kt_get(version, "subresources"));
	if (!common->columns)
		columns(v, V_IN(path, "additionalPrinterColumns"),
		        kt_get(version, "additionalPrinterColumns"));
	if (!common->selectable && kt_count(kt_get(version, "selectableFields")) > 0 &&
	    !kt_path(version, "schema.openAPIV3Schema"))
		v_invalid_str(v, V_IN(path, "selectableFields"), "",
		              "may only be set when `version.schema.openAPIV3Schema` is not included");
	else if (!common->selectable)
		selectable_fields(v, V_IN(path, "selectableFields"), kt_get(version, "selectableFields"),
		                  kt_path(version, "schema.openAPIV3Schema"));
}

/* All versions, as the server prints them: without what they share. */
static void bad_versions(struct v *v, const struct v_path *path, const struct kt_json *versions,
                         const struct shared *common, const char *detail)
{
	struct kt_json *shown = kt_json_ref(versions);
	for (size_t i = 0; i < kt_count(versions); i++) {
		struct kt_json **version = kt_edit_at(&shown, i);
		if (common->schema)
			kt_unset(version, "schema");
		if (common->subresources)
			kt_unset(version, "subresources");
		if (common->columns)
			kt_unset(version, "additionalPrinterColumns");
		if (common->selectable)
			kt_unset(version, "selectableFields");
	}
	v_invalid_steal(v, path, v_internal(v, "[]CustomResourceDefinitionVersion", shown), "%s", detail);
	kt_json_free(shown);
}

static void crd_versions(struct v *v, const struct v_path *path, const struct kt_json *versions,
                         const struct shared *common)
{
	const struct kt_json *version;
	size_t stored = 0;
	bool unique = true;
	if (!kt_get(common->schema, "openAPIV3Schema"))
		KT_JSON_EACH (version, versions)
			if (!kt_path(version, "schema.openAPIV3Schema"))
				v_required(v, V_IN(V_IN(V_AT(path, version_i), "schema"), "openAPIV3Schema"),
				           "");
	KT_JSON_EACH (version, versions) {
		stored += kt_get_bool(version, "storage", false);
		unique = unique &&
		         kt_find(versions, "name", kt_get_text(version, "name")) == (ptrdiff_t)version_i;
		crd_version(v, V_AT(path, version_i), version, common);
	}
	if (!unique)
		bad_versions(v, path, versions, common, "must contain unique version names");
	if (stored != 1)
		bad_versions(v, path, versions, common,
		             "must have exactly one version marked as storage version");
	if (kt_count(versions) > 0)
		v_check(v, V_IN(V_ROOT("spec"), "version"), kt_get_text(kt_at(versions, 0), "name"),
		        v_dns_1035);
}

/* --- conversion --- */

static void conversion(struct v *v, const struct v_path *path, const struct kt_json *object)
{
	static const char *const strategies[] = {"None", "Webhook", NULL};
	static const char unwanted[] = "should not be set when strategy is not set to Webhook";
	const char *strategy = kt_get_text(object, "strategy");
	const struct kt_json *client = kt_path(object, "webhook.clientConfig"),
	                     *versions = kt_path(object, "webhook.conversionReviewVersions");
	const struct v_path *cp = V_IN(path, "webhookClientConfig"),
	                    *vp = V_IN(path, "conversionReviewVersions");
	if (!*strategy)
		v_required(v, V_IN(path, "strategy"), "");
	else if (!is_one_of(strategy, strategies))
		v_unsupported(v, V_IN(path, "strategy"), kt_get(object, "strategy"), strategies);
	if (strcmp(strategy, "Webhook") != 0) {
		if (client)
			v_forbidden(v, cp, unwanted);
		if (kt_count(versions) > 0)
			v_forbidden(v, vp, unwanted);
		return;
	}
	if (!client)
		v_required(v, cp, "required when strategy is set to Webhook");
	else
		v_webhook_client(v, cp, client);
	v_review_versions(v, vp, versions, "");
}

/* --- groups of the project itself: somebody must have approved them --- */

static bool is_protected(const char *group)
{
	size_t n = strlen(group);
	return strcmp(group, "k8s.io") == 0 || strcmp(group, "kubernetes.io") == 0 ||
	       (n > 7 && strcmp(group + n - 7, ".k8s.io") == 0) ||
	       (n > 14 && strcmp(group + n - 14, ".kubernetes.io") == 0);
}

static void approval(struct v *v, const char *group)
{
	static const char key[] = "api-approved.kubernetes.io";
	const struct v_path *path = V_KEY(V_IN(V_ROOT("metadata"), "annotations"), key);
	const struct kt_json *value = kt_get(kt_path(v->object, "metadata.annotations"), key),
	                     *was = kt_get(kt_path(v->old, "metadata.annotations"), key);
	const char *text = kt_str_or(value, "");
	if (!is_protected(group) || (v->old && kt_streq(kt_str_or(was, ""), text)))
		return;
	if (!*text)
		v_required(
		        v, path,
		        "protected groups must have approval annotation \"api-approved.kubernetes.io\", see "
		        "https://github.com/kubernetes/enhancements/pull/1111");
	else if (!kt_starts(text, "https://") && !kt_starts(text, "http://") &&
	         !kt_starts(text, "unapproved"))
		v_invalid(
		        v, path, value,
		        "protected groups must have approval annotation \"api-approved.kubernetes.io\" with "
		        "either a URL or a reason starting with \"unapproved\", see "
		        "https://github.com/kubernetes/enhancements/pull/1111");
}

/* --- the whole --- */

static void crd_group_and_scope(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const char *group = kt_get_text(spec, "group"), *scope = kt_get_text(spec, "scope");
	if (!*group)
		v_required(v, V_IN(path, "group"), "");
	else if (v_check(v, V_IN(path, "group"), group, v_dns_subdomain) && !strchr(group, '.'))
		v_invalid_str(v, V_IN(path, "group"), group, "should be a domain with at least one dot");
	if (!*scope)
		v_required(v, V_IN(path, "scope"), "");
	else if (strcmp(scope, "Cluster") != 0 && strcmp(scope, "Namespaced") != 0)
		v_unsupported(v, V_IN(path, "scope"), kt_get(spec, "scope"),
		              V_WORDS("Cluster", "Namespaced"));
}

static void crd_spec(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *versions = kt_get(spec, "versions"), *version;
	struct shared common = {
	        .schema = shared(versions, "schema"),
	        .subresources = shared(versions, "subresources"),
	        .columns = shared(versions, "additionalPrinterColumns"),
	        .selectable = shared(versions, "selectableFields"),
	};
	bool status = false;
	crd_group_and_scope(v, path, spec);
	crd_versions(v, V_IN(path, "versions"), versions, &common);
	crd_names(v, V_IN(path, "names"), kt_get(spec, "names"));
	KT_JSON_EACH (version, versions)
		status = status || has_status(kt_get(version, "subresources"));
	schema_at(v, V_IN(path, "validation"), common.schema, status);
	subresources(v, V_IN(path, "subresources"), common.subresources);
	columns(v, V_IN(path, "additionalPrinterColumns"), common.columns);
	if (kt_count(common.selectable) > 0 && !common.schema)
		v_invalid_str(v, V_IN(path, "selectableFields"), "",
		              "may only be set when validations.schema is included");
	else if (common.selectable)
		selectable_fields(v, V_IN(path, "selectableFields"), common.selectable,
		                  kt_get(common.schema, "openAPIV3Schema"));
	if (kt_get_bool(spec, "preserveUnknownFields", false) &&
	    kt_streq(kt_path_str(spec, "conversion.strategy"), "Webhook"))
		v_invalid(v, V_IN(V_IN(path, "conversion"), "strategy"), kt_path(spec, "conversion.strategy"),
		          "must be None if spec.preserveUnknownFields is true");
	conversion(v, V_IN(path, "conversion"), kt_get(spec, "conversion"));
}

static void stored_versions(struct v *v, const struct kt_json *versions)
{
	const struct v_path *path = V_IN(V_ROOT("status"), "storedVersions");
	const struct kt_json *stored = kt_path(v->object, "status.storedVersions"), *version, *item;
	if (kt_count(stored) == 0 && !v->old)
		v_invalid(v, path, NULL, "must have at least one stored version");
	if (kt_count(stored) == 0)
		return;
	KT_JSON_EACH (version, versions) {
		bool is = false;
		KT_JSON_EACH (item, stored)
			is = is || kt_equal(item, kt_get(version, "name"));
		if (!is && !v->old && kt_get_bool(version, "storage", false))
			v_invalid(v, path, stored, "must have the storage version %s",
			          kt_get_text(version, "name"));
	}
	KT_JSON_EACH (item, stored) {
		const char *name = kt_str_or(item, "");
		if (kt_find(versions, "name", name) < 0)
			v_invalid(v, V_AT(path, item_i), item,
			          "missing from spec.versions; %s was previously a storage version, and must "
			          "remain "
			          "in spec.versions until a storage migration ensures no data remains "
			          "persisted in "
			          "%s and removes %s from status.storedVersions",
			          name, name, name);
	}
}

static void crd(struct v *v)
{
	const struct kt_json *spec = kt_get(v->object, "spec");
	const char *name = kt_str_or(kt_path(v->object, "metadata.name"), ""),
	           *prefix = kt_str_or(kt_path(v->object, "metadata.generateName"), "");
	char *wanted =
	        kt_strf("%s.%s", kt_str_or(kt_path(spec, "names.plural"), ""), kt_get_text(spec, "group"));
	const struct {
		const char *field, *value;
	} names[] = {{"generateName", prefix}, {"name", name}};
	for (size_t i = 0; i < KT_COUNT(names) && !v->old; i++)
		if (*names[i].value && strcmp(names[i].value, wanted) != 0)
			v_invalid_str(v, V_IN(V_ROOT("metadata"), names[i].field), names[i].value,
			              "must be spec.names.plural+\".\"+spec.group");
	if (!*name)
		v_required(v, V_IN(V_ROOT("metadata"), "name"), "name or generateName is required");
	kt_free(wanted);
	crd_spec(v, V_ROOT("spec"), spec);
	stored_versions(v, kt_get(spec, "versions"));
	approval(v, kt_get_text(spec, "group"));
	if (kt_get_bool(spec, "preserveUnknownFields", false))
		v_invalid(v, V_IN(V_ROOT("spec"), "preserveUnknownFields"),
		          kt_get(spec, "preserveUnknownFields"),
		          "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in "
		          "spec.versions[*].schema instead");
}

static const char *const crd_fixed[] = {"spec.group", "spec.names.plural", "spec.scope", "spec.names.kind",
                                        NULL};

const struct v_kind v_kinds_crd[] = {
        {.group = "apiextensions.k8s.io",
         .kind = "CustomResourceDefinition",
         .create = crd,
         .immutable = crd_fixed},
        {0},
};

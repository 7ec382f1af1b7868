/* SPDX-License-Identifier: MIT */
/* Custom resource definitions: apiextensions-apiserver pkg/apis/apiextensions/validation, and what makes a
 * schema structural (pkg/apiserver/schema). */
#include "cluster/api/validate.h"

#include <string.h>

#define MAX_DEPTH 64

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

/* --- schemas --- */

static const char *const types[] = {"array", "boolean", "integer", "number", "object", "string", NULL};

static bool is_type(const char *type)
{
	for (size_t i = 0; types[i]; i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

static bool needs_type(const struct kt_json *schema)
{
	return !kt_get_bool(schema, "x-kubernetes-int-or-string", false) &&
	       !kt_get_bool(schema, "x-kubernetes-preserve-unknown-fields", false);
}

static const char *type_of(const struct kt_json *value)
{
	switch (kt_json_type(value)) {
	case KT_JSON_BOOL:
		return "boolean";
	case KT_JSON_INT:
		return "integer";
	case KT_JSON_REAL:
		return "number";
	case KT_JSON_STRING:
		return "string";
	case KT_JSON_ARRAY:
		return "array";
	case KT_JSON_OBJECT:
		return "object";
	default:
		return "null";
	}
}

/* Of the right type: defaults are validated as values of their field. */
static void check_default(struct v *v, const struct v_path *path, const struct kt_json *schema)
{
	const struct kt_json *value = kt_get(schema, "default");
	const char *wanted = str(schema, "type"), *is = type_of(value);
	if (!value || !*wanted || strcmp(wanted, is) == 0 ||
	    (strcmp(wanted, "number") == 0 && strcmp(is, "integer") == 0) ||
	    (strcmp(is, "null") == 0 && kt_get_bool(schema, "nullable", false)))
		return;
	v_invalid_str(v, V_IN(path, "default"), is, " in body must be of type %s: \"%s\"", wanted, is);
}

static void check_rules(struct v *v, const struct v_path *path, const struct kt_json *schema)
{
	const struct kt_json *rule;
	KT_JSON_EACH (rule, kt_get(schema, "x-kubernetes-validations"))
		if (strspn(str(rule, "rule"), " \t\n") == strlen(str(rule, "rule")))
			v_required(v, V_IN(V_AT(V_IN(path, "x-kubernetes-validations"), rule_i), "rule"),
			           "rule is not specified");
}

/* `what`: of what this is the schema, where a type is missing; NULL at the root. */
static void schema(struct v *v, const struct v_path *path, const struct kt_json *s, const char *what,
                   unsigned depth)
{
	const char *type = str(s, "type");
	const struct kt_json *properties = kt_get(s, "properties"), *items = kt_get(s, "items"),
	                     *more = kt_get(s, "additionalProperties");
	if (depth > MAX_DEPTH)
		return;
	if (what && !*type && needs_type(s))
		v_required(v, V_IN(path, "type"), what);
	else if (*type && !is_type(type))
		v_unsupported(v, V_IN(path, "type"), kt_get(s, "type"), types);
	if (strcmp(type, "array") == 0 && !items)
		v_required(v, V_IN(path, "items"), "must be specified");
	if (kt_count(properties) > 0 && kt_is_object(more))
		v_forbidden(v, V_IN(path, "additionalProperties"),
		            "additionalProperties and properties are mutual exclusive");
	check_default(v, path, s);
	check_rules(v, path, s);
	if (kt_is_object(items))
		schema(v, V_IN(path, "items"), items, "must not be empty for specified array items",
		       depth + 1);
	if (kt_is_object(more))
		schema(v, V_IN(path, "additionalProperties"), more,
		       "must not be empty for specified object fields", depth + 1);
	for (size_t i = 0, n = kt_count(properties); i < n; i++)
		schema(v, V_KEY(V_IN(path, "properties"), kt_key(properties, i)), kt_at(properties, i),
		       "must not be empty for specified object fields", depth + 1);
}

/* One schema that all versions share is kept, and named, at the top (the conversion to the internal type). */
static void schemas(struct v *v, const struct v_path *spec, const struct kt_json *versions)
{
	const struct kt_json *first = kt_path(kt_at(versions, 0), "schema.openAPIV3Schema"), *version;
	bool shared = true;
	KT_JSON_EACH (version, versions) {
		const struct kt_json *own = kt_path(version, "schema.openAPIV3Schema");
		shared = shared && own && first && kt_equal(own, first);
	}
	if (shared && first) {
		schema(v, V_IN(V_IN(spec, "validation"), "openAPIV3Schema"), first, NULL, 0);
		return;
	}
	KT_JSON_EACH (version, versions) {
		const struct kt_json *own = kt_path(version, "schema.openAPIV3Schema");
		if (own)
			schema(v,
			       V_IN(V_IN(V_AT(V_IN(spec, "versions"), version_i), "schema"),
			            "openAPIV3Schema"),
			       own, NULL, 0);
	}
}

/* --- definitions --- */

static void crd_names(struct v *v, const struct v_path *path, const struct kt_json *names)
{
	static const struct v_rule rows[] = {
	        {.field = "plural", .kind = V_NEEDED, .format = v_dns_1035},
	        {.field = "singular", .kind = V_FORMAT, .format = v_dns_1035},
	};
	const char *kind = str(names, "kind");
	const struct kt_json *item;
	V_RULES(v, path, names, rows);
	if (!*kind) {
		v_required(v, V_IN(path, "kind"), "");
	} else {
		char *lower = kt_strdup(kind);
		for (char *c = lower; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c - 'A' + 'a');
		struct kt_strs faults = {0};
		v_dns_1035(lower, &faults);
		for (size_t i = 0; i < faults.count; i++)
			v_invalid_str(v, V_IN(path, "kind"), kind,
			              "may have mixed case, but should otherwise match: %s", faults.items[i]);
		kt_strs_clear(&faults);
		kt_free(lower);
	}
	KT_JSON_EACH (item, kt_get(names, "shortNames"))
		v_check(v, V_AT(V_IN(path, "shortNames"), item_i), kt_str_or(item, ""), v_dns_1035);
}

static void crd_version(struct v *v, const struct v_path *path, const struct kt_json *version)
{
	const struct kt_json *schema = kt_path(version, "schema.openAPIV3Schema"), *column;
	const struct v_path *sp = V_IN(V_IN(path, "schema"), "openAPIV3Schema");
	const char *name = str(version, "name");
	if (!schema)
		v_required(v, sp, "");
	else if (!*str(schema, "type"))
		v_required(v, V_IN(sp, "type"), "must not be empty at the root");
	else if (strcmp(str(schema, "type"), "object") != 0)
		v_invalid_str(v, V_IN(sp, "type"), str(schema, "type"), "must be object at the root");
	if (*name)
		v_check(v, V_IN(path, "name"), name, v_dns_1035);
	else
		v_required(v, V_IN(path, "name"), "");
	KT_JSON_EACH (column, kt_get(version, "additionalPrinterColumns")) {
		const struct v_path *cp = V_AT(V_IN(path, "additionalPrinterColumns"), column_i);
		if (!*str(column, "name"))
			v_required(v, V_IN(cp, "name"), "");
		if (!*str(column, "type"))
			v_required(v, V_IN(cp, "type"), "must be one of boolean,date,integer,number,string");
		if (!*str(column, "jsonPath"))
			v_required(v, V_IN(cp, "jsonPath"), "");
	}
}

static void crd(struct v *v)
{
	const struct v_path *path = V_ROOT("spec"), *vp = V_IN(path, "versions");
	const struct kt_json *spec = kt_get(v->object, "spec"), *versions = kt_get(spec, "versions"),
	                     *version;
	const char *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
	char *wanted = kt_strf("%s.%s", kt_str_or(kt_path(spec, "names.plural"), ""), str(spec, "group"));
	size_t stored = 0;
	if (strcmp(name, wanted) != 0)
		v_invalid_str(v, V_IN(V_ROOT("metadata"), "name"), name,
		              "must be spec.names.plural+\".\"+spec.group");
	kt_free(wanted);
	if (!*str(spec, "group"))
		v_required(v, V_IN(path, "group"), "");
	else if (!strchr(str(spec, "group"), '.'))
		v_invalid_str(v, V_IN(path, "group"), str(spec, "group"),
		              "should be a domain with at least one dot");
	else
		v_check(v, V_IN(path, "group"), str(spec, "group"), v_dns_subdomain);
	if (!*str(spec, "scope"))
		v_required(v, V_IN(path, "scope"), "");
	else if (strcmp(str(spec, "scope"), "Cluster") != 0 && strcmp(str(spec, "scope"), "Namespaced") != 0)
		v_unsupported(v, V_IN(path, "scope"), kt_get(spec, "scope"),
		              V_WORDS("Cluster", "Namespaced"));
	KT_JSON_EACH (version, versions) {
		crd_version(v, V_AT(vp, version_i), version);
		stored += kt_get_bool(version, "storage", false);
	}
	schemas(v, path, versions);
	if (stored != 1)
		v_invalid_steal(v, vp, v_internal(v, "[]CustomResourceDefinitionVersion", versions),
		                "must have exactly one version marked as storage version");
	crd_names(v, V_IN(path, "names"), kt_get(spec, "names"));
	if (!v->old && kt_count(kt_path(v->object, "status.storedVersions")) == 0)
		v_invalid(v, V_IN(V_ROOT("status"), "storedVersions"), NULL,
		          "must have at least one stored version");
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

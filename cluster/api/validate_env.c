/* SPDX-License-Identifier: MIT */
/* Environment variables, and the references to fields and resources that downward volumes share with them:
 * kubernetes pkg/apis/core/validation/validation.go (ValidateEnv, ValidateEnvFrom,
 * validateObjectFieldSelector, validateContainerResourceFieldSelector). */
#include "cluster/api/validate.h"

#include <string.h>

static bool is_one_of(const char *s, const char *const *values)
{
	for (; *values; values++)
		if (strcmp(s, *values) == 0)
			return true;
	return false;
}

static void key_selector(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	v_check(v, V_IN(path, "name"), kt_get_text(ref, "name"), v_dns_subdomain);
	if (!*kt_get_text(ref, "key"))
		v_required(v, V_IN(path, "key"), "");
	else
		v_check(v, V_IN(path, "key"), kt_get_text(ref, "key"), v_config_key);
}

static void file_key(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const struct v_rule rules[] = {
	        {.field = "key", .kind = V_NEEDED, .format = v_env_name},
	        {.field = "volumeName", .kind = V_NEEDED, .format = v_dns_label},
	        {.field = "path", .kind = V_REQUIRED},
	};
	V_RULES(v, path, ref, rules);
}

/* "metadata.labels['x']": the key checked; false if it is none. */
static bool subscript(struct v *v, const struct v_path *path, const char *s)
{
	static const char *const maps[] = {"metadata.annotations['", "metadata.labels['"};
	for (size_t i = 0; i < KT_COUNT(maps); i++) {
		if (!kt_starts(s, maps[i]) || !kt_ends(s, "']"))
			continue;
		const char *from = s + strlen(maps[i]);
		char *key = kt_strndup(from, strlen(from) - 2);
		v_check(v, path, key, i == 0 ? v_annotation_key : v_qualified_name);
		kt_free(key);
		return true;
	}
	return false;
}

void v_field_ref(struct v *v, const struct v_path *path, const struct kt_json *ref,
                 const char *const *supported)
{
	static const char *const known[] = {"metadata.annotations",
	                                    "metadata.labels",
	                                    "metadata.name",
	                                    "metadata.namespace",
	                                    "metadata.uid",
	                                    "spec.nodeName",
	                                    "spec.restartPolicy",
	                                    "spec.serviceAccountName",
	                                    "spec.schedulerName",
	                                    "status.phase",
	                                    "status.hostIP",
	                                    "status.hostIPs",
	                                    "status.podIP",
	                                    "status.podIPs",
	                                    NULL};
	const char *s = kt_get_text(ref, "fieldPath"), *version = kt_get_text(ref, "apiVersion");
	if (!*version)
		v_required(v, V_IN(path, "apiVersion"), "");
	else if (!*s)
		v_required(v, V_IN(path, "fieldPath"), "");
	else if (strcmp(version, "v1") != 0)
		v_invalid_str(v, V_IN(path, "fieldPath"), s,
		              "error converting fieldPath: unsupported pod version: %s", version);
	else if (subscript(v, path, s) || is_one_of(s, supported))
		return;
	else if (is_one_of(s, known))
		v_unsupported(v, V_IN(path, "fieldPath"), kt_get(ref, "fieldPath"), supported);
	else
		v_invalid_str(v, V_IN(path, "fieldPath"), s,
		              "error converting fieldPath: field label not supported: %s", s);
}

static void divisor(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const of_cpu[] = {"1m", "1", NULL};
	static const char *const of_bytes[] = {"1",   "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
	                                       "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL};
	static const struct {
		const char *resource;
		const char *const *values;
		const char *text;
	} rows[] = {
	        {".cpu", of_cpu, "cpu"},
	        {".memory", of_bytes, "memory"},
	        {".ephemeral-storage", of_bytes, "local ephemeral storage"},
	        {".hugepages-", of_bytes, "hugepages"},
	};
	const char *s = kt_get_text(ref, "resource"), *by = kt_get_text(ref, "divisor");
	if (!*by || kt_quantity_compare(by, "0") == 0)
		return;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf list = {0};
		if (!strstr(s, rows[i].resource) || is_one_of(by, rows[i].values))
			continue;
		for (size_t j = 0; rows[i].values[j]; j++)
			kt_buf_addf(&list, "%s%s",
			            j == 0                     ? ""
			            : rows[i].values == of_cpu ? " and "
			                                       : ", ",
			            rows[i].values[j]);
		v_invalid_str(v, V_IN(path, "divisor"), s,
		              "only divisor's values %s are supported with the %s resource",
		              kt_buf_str(&list), rows[i].text);
		kt_buf_clear(&list);
	}
}

void v_resource_ref(struct v *v, const struct v_path *path, const struct kt_json *ref, bool of_volume)
{
	static const char *const fine[] = {"limits.cpu",
	                                   "limits.ephemeral-storage",
	                                   "limits.memory",
	                                   "requests.cpu",
	                                   "requests.ephemeral-storage",
	                                   "requests.memory",
	                                   NULL};
	const char *s = kt_get_text(ref, "resource");
	if (of_volume && !*kt_get_text(ref, "containerName"))
		v_required(v, V_IN(path, "containerName"), "");
	else if (!*s)
		v_required(v, V_IN(path, "resource"), "");
	else if (!is_one_of(s, fine) && !kt_starts(s, "limits.hugepages-") &&
	         !kt_starts(s, "requests.hugepages-"))
		v_unsupported(v, V_IN(path, "resource"), kt_get(ref, "resource"), fine);
	divisor(v, path, ref);
}

static void env_field_ref(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	static const char *const fine[] = {"metadata.name",
	                                   "metadata.namespace",
	                                   "metadata.uid",
	                                   "spec.nodeName",
	                                   "spec.serviceAccountName",
	                                   "status.hostIP",
	                                   "status.hostIPs",
	                                   "status.podIP",
	                                   "status.podIPs",
	                                   NULL};
	v_field_ref(v, path, ref, fine);
}

static void env_resource_ref(struct v *v, const struct v_path *path, const struct kt_json *ref)
{
	v_resource_ref(v, path, ref, false);
}

static void value_from(struct v *v, const struct v_path *path, const struct kt_json *var)
{
	static const struct {
		const char *name;
		v_fn *fn;
	} sources[] = {{"fieldRef", env_field_ref},
	               {"resourceFieldRef", env_resource_ref},
	               {"configMapKeyRef", key_selector},
	               {"secretKeyRef", key_selector},
	               {"fileKeyRef", file_key}};
	const struct kt_json *from = kt_get(var, "valueFrom");
	size_t count = 0;
	if (!from)
		return;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *ref = kt_get(from, sources[i].name);
		if (!ref)
			continue;
		count++;
		sources[i].fn(v, V_IN(path, sources[i].name), ref);
	}
	if (count == 0)
		v_invalid_str(v, path, "",
		              "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or "
		              "`secretKeyRef`");
	else if (*kt_get_text(var, "value"))
		v_invalid_str(v, path, "", "may not be specified when `value` is not empty");
	else if (count > 1)
		v_invalid_str(v, path, "", "may not have more than one field specified at a time");
}

void v_env(struct v *v, const struct v_path *path, const struct kt_json *vars)
{
	const struct kt_json *var;
	KT_JSON_EACH (var, vars) {
		const struct v_path *at = V_AT(path, var_i);
		if (!*kt_get_text(var, "name"))
			v_required(v, V_IN(at, "name"), "");
		else
			v_check(v, V_IN(at, "name"), kt_get_text(var, "name"), v_env_name);
		value_from(v, V_IN(at, "valueFrom"), var);
	}
}

void v_env_from(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const struct v_rule name[] = {{.field = "name", .kind = V_NEEDED, .format = v_dns_subdomain}};
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		static const char *const sources[] = {"configMapRef", "secretRef"};
		const struct v_path *at = V_AT(path, item_i);
		size_t count = 0;
		if (*kt_get_text(item, "prefix"))
			v_check(v, V_IN(at, "prefix"), kt_get_text(item, "prefix"), v_env_name);
		for (size_t i = 0; i < KT_COUNT(sources); i++) {
			const struct kt_json *ref = kt_get(item, sources[i]);
			if (!ref)
				continue;
			count++;
			V_RULES(v, V_IN(at, sources[i]), ref, name);
		}
		/* The server names the list here, not the item. */
		if (count == 0)
			v_invalid_str(v, path, "", "must specify one of: `configMapRef` or `secretRef`");
		else if (count > 1)
			v_invalid_str(v, path, "", "may not have more than one field specified at a time");
	}
}

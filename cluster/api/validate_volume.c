/* SPDX-License-Identifier: MIT */
/* Volumes of a pod: kubernetes pkg/apis/core/validation/validation.go (ValidateVolumes and the sources). */
#include "cluster/api/validate.h"

#include <string.h>

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

static void mode(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (value && (kt_int_or(value, 0) < 0 || kt_int_or(value, 0) > 0777))
		v_invalid(v, path, value, "must be a number between 0 and 0777 (octal), both inclusive");
}

static void local_path(struct v *v, const struct v_path *path, const char *s)
{
	if (*s == '/')
		v_invalid_str(v, path, s, "must be a relative path");
	if (kt_starts(s, "..") && s[2] != '/' && s[2])
		v_invalid_str(v, path, s, "must not start with '..'");
	else if (strcmp(s, "..") == 0 || kt_starts(s, "../") || strstr(s, "/../") || kt_ends(s, "/.."))
		v_invalid_str(v, path, s, "must not contain '..'");
}

static void key_to_path(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	if (!*str(item, "key"))
		v_required(v, V_IN(path, "key"), "");
	if (!*str(item, "path"))
		v_required(v, V_IN(path, "path"), "");
	else
		local_path(v, V_IN(path, "path"), str(item, "path"));
	mode(v, V_IN(path, "mode"), kt_get(item, "mode"));
}

static void items(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		key_to_path(v, V_AT(path, item_i), item);
}

static void secret(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "secretName"))
		v_required(v, V_IN(path, "secretName"), "");
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	items(v, V_IN(path, "items"), kt_get(s, "items"));
}

static void config_map(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "name"))
		v_required(v, V_IN(path, "name"), "");
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	items(v, V_IN(path, "items"), kt_get(s, "items"));
}

static void host_path(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const char *const types[] = {"BlockDevice", "CharDevice",   "Directory", "DirectoryOrCreate",
	                                    "File",        "FileOrCreate", "Socket",    NULL};
	const char *type = str(s, "type");
	bool known = !*type;
	if (!*str(s, "path")) {
		v_required(v, V_IN(path, "path"), "");
		return;
	}
	if (strstr(str(s, "path"), "..") &&
	    (strstr(str(s, "path"), "/..") || kt_starts(str(s, "path"), "..")))
		v_invalid(v, V_IN(path, "path"), kt_get(s, "path"), "must not contain '..'");
	for (size_t i = 0; types[i]; i++)
		known = known || strcmp(types[i], type) == 0;
	if (!known)
		v_unsupported(v, V_IN(path, "type"), kt_get(s, "type"), types);
}

static void empty_dir(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const char *limit = kt_get_str(s, "sizeLimit");
	if (limit && kt_quantity_compare(limit, "0") < 0)
		v_forbidden(v, V_IN(path, "sizeLimit"), "SizeLimit field must be a valid resource quantity");
}

static void claim(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "claimName"))
		v_required(v, V_IN(path, "claimName"), "");
}

static void nfs(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "server"))
		v_required(v, V_IN(path, "server"), "");
	if (!*str(s, "path"))
		v_required(v, V_IN(path, "path"), "");
	else if (*str(s, "path") != '/')
		v_invalid(v, V_IN(path, "path"), kt_get(s, "path"), "must be an absolute path");
}

static void downward_file(struct v *v, const struct v_path *path, const struct kt_json *f)
{
	if (!*str(f, "path"))
		v_required(v, V_IN(path, "path"), "");
	else
		local_path(v, V_IN(path, "path"), str(f, "path"));
	if (kt_get(f, "fieldRef")) {
		if (kt_get(f, "resourceFieldRef"))
			v_invalid_str(v, path, "resource",
			              "fieldRef and resourceFieldRef can not be specified simultaneously");
	} else if (!kt_get(f, "resourceFieldRef")) {
		v_required(v, V_IN(path, "fieldRef"), "one of fieldRef and resourceFieldRef is required");
	} else if (!*str(kt_get(f, "resourceFieldRef"), "containerName")) {
		v_required(v, V_IN(V_IN(path, "resourceFieldRef"), "containerName"), "");
	}
	mode(v, V_IN(path, "mode"), kt_get(f, "mode"));
}

static void downward(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *f;
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	KT_JSON_EACH (f, kt_get(s, "items"))
		downward_file(v, V_AT(V_IN(path, "items"), f_i), f);
}

static void token(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	int64_t seconds = kt_get_int(s, "expirationSeconds", 3600);
	if (seconds < 600)
		v_invalid(v, V_IN(path, "expirationSeconds"), kt_get(s, "expirationSeconds"),
		          "may not specify a duration less than 10 minutes");
	if (!*str(s, "path"))
		v_required(v, V_IN(path, "path"), "");
}

static void named_projection(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "name"))
		v_required(v, V_IN(path, "name"), "");
	items(v, V_IN(path, "items"), kt_get(s, "items"));
}

static void projection(struct v *v, const struct v_path *path, const struct kt_json *p)
{
	static const struct {
		const char *name;
		v_fn *fn;
	} sources[] = {{"secret", named_projection},
	               {"configMap", named_projection},
	               {"downwardAPI", downward},
	               {"serviceAccountToken", token}};
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *s = kt_get(p, sources[i].name);
		if (!s)
			continue;
		if (count++ > 0)
			v_forbidden(v, path, "may not specify more than 1 volume type");
		else
			sources[i].fn(v, V_IN(path, sources[i].name), s);
	}
}

static void projected(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *p;
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	KT_JSON_EACH (p, kt_get(s, "sources"))
		projection(v, V_AT(V_IN(path, "sources"), p_i), p);
}

static void csi(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "driver"))
		v_required(v, V_IN(path, "driver"), "");
}

static void ephemeral(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *template = kt_get(s, "volumeClaimTemplate");
	if (!template)
		v_required(v, V_IN(path, "volumeClaimTemplate"), "");
	else
		v_claim_spec(v, V_IN(V_IN(path, "volumeClaimTemplate"), "spec"), kt_get(template, "spec"));
}

static void image(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*str(s, "reference"))
		v_required(v, V_IN(path, "reference"), "");
}

static const struct {
	const char *name;
	v_fn *fn; /* NULL: taken as it is */
} sources[] = {
        {"emptyDir", empty_dir},
        {"hostPath", host_path},
        {"gitRepo", NULL},
        {"gcePersistentDisk", NULL},
        {"awsElasticBlockStore", NULL},
        {"secret", secret},
        {"nfs", nfs},
        {"iscsi", NULL},
        {"glusterfs", NULL},
        {"flocker", NULL},
        {"persistentVolumeClaim", claim},
        {"rbd", NULL},
        {"cinder", NULL},
        {"cephfs", NULL},
        {"quobyte", NULL},
        {"downwardAPI", downward},
        {"fc", NULL},
        {"flexVolume", NULL},
        {"configMap", config_map},
        {"azureFile", NULL},
        {"vsphereVolume", NULL},
        {"photonPersistentDisk", NULL},
        {"portworxVolume", NULL},
        {"azureDisk", NULL},
        {"storageos", NULL},
        {"projected", projected},
        {"scaleIO", NULL},
        {"csi", csi},
        {"ephemeral", ephemeral},
        {"image", image},
};

static void source(struct v *v, const struct v_path *path, const struct kt_json *volume)
{
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *s = kt_get(volume, sources[i].name);
		if (!s)
			continue;
		if (count++ > 0)
			v_forbidden(v, V_IN(path, sources[i].name),
			            "may not specify more than 1 volume type");
		else if (sources[i].fn)
			sources[i].fn(v, V_IN(path, sources[i].name), s);
	}
	if (count == 0)
		v_required(v, path, "must specify a volume type");
}

void v_volumes(struct v *v, const struct v_path *path, const struct kt_json *volumes,
               const struct kt_json *meta)
{
	const struct kt_json *volume;
	(void)meta;
	KT_JSON_EACH (volume, volumes) {
		const struct v_path *at = V_AT(path, volume_i);
		const char *name = str(volume, "name");
		source(v, at, volume);
		if (!*name)
			v_required(v, V_IN(at, "name"), "");
		else
			v_check(v, V_IN(at, "name"), name, v_dns_label);
		if (*name && kt_find(volumes, "name", name) < (ptrdiff_t)volume_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(volume, "name"));
	}
}

/* SPDX-License-Identifier: MIT */
/* Volumes of a pod: kubernetes pkg/apis/core/validation/validation.go (ValidateVolumes and the sources). */
#include "cluster/api/validate.h"

#include <ctype.h>
#include <string.h>

static void mode(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (value && (kt_int_or(value, 0) < 0 || kt_int_or(value, 0) > 0777))
		v_invalid(v, path, value, "must be a number between 0 and 0777 (octal), both inclusive");
}

/* Below something, and not one of the names that volumes keep for themselves. */
static void local_path(struct v *v, const struct v_path *path, const char *s)
{
	v_descending_path(v, path, s);
	if (kt_starts(s, "..") && s[2] != '/')
		v_invalid_str(v, path, s, "must not start with '..'");
}

static void key_to_path(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	if (!*kt_get_text(item, "key"))
		v_required(v, V_IN(path, "key"), "");
	if (!*kt_get_text(item, "path"))
		v_required(v, V_IN(path, "path"), "");
	else
		local_path(v, V_IN(path, "path"), kt_get_text(item, "path"));
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
	if (!*kt_get_text(s, "secretName"))
		v_required(v, V_IN(path, "secretName"), "");
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	items(v, V_IN(path, "items"), kt_get(s, "items"));
}

static void config_map(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*kt_get_text(s, "name"))
		v_required(v, V_IN(path, "name"), "");
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	items(v, V_IN(path, "items"), kt_get(s, "items"));
}

/* A part of the path is "..". */
static bool has_backstep(const char *path)
{
	size_t len;
	const char *part;
	while ((part = kt_split(&path, '/', &len)) != NULL)
		if (len == 2 && memcmp(part, "..", 2) == 0)
			return true;
	return false;
}

void v_host_path(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const char *const types[] = {
	        "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
	        "File", "FileOrCreate", "Socket",     NULL};
	const char *type = kt_get_text(s, "type");
	bool known = false;
	if (!*kt_get_text(s, "path")) {
		v_required(v, V_IN(path, "path"), "");
		return;
	}
	if (has_backstep(kt_get_text(s, "path")))
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
	if (!*kt_get_text(s, "claimName"))
		v_required(v, V_IN(path, "claimName"), "");
}

static void nfs(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	if (!*kt_get_text(s, "server"))
		v_required(v, V_IN(path, "server"), "");
	if (!*kt_get_text(s, "path"))
		v_required(v, V_IN(path, "path"), "");
	else if (*kt_get_text(s, "path") != '/')
		v_invalid(v, V_IN(path, "path"), kt_get(s, "path"), "must be an absolute path");
}

static void downward_file(struct v *v, const struct v_path *path, const struct kt_json *f)
{
	static const char *const fine[] = {"metadata.annotations", "metadata.labels", "metadata.name",
	                                   "metadata.namespace",   "metadata.uid",    NULL};
	const struct kt_json *field = kt_get(f, "fieldRef"), *resource = kt_get(f, "resourceFieldRef");
	if (!*kt_get_text(f, "path"))
		v_required(v, V_IN(path, "path"), "");
	local_path(v, V_IN(path, "path"), kt_get_text(f, "path"));
	if (field)
		v_field_ref(v, V_IN(path, "fieldRef"), field, fine);
	if (field && resource)
		v_invalid_str(v, path, "resource",
		              "fieldRef and resourceFieldRef can not be specified simultaneously");
	else if (resource)
		v_resource_ref(v, V_IN(path, "resourceFieldRef"), resource, true);
	else if (!field)
		v_required(v, path, "one of fieldRef and resourceFieldRef is required");
	mode(v, V_IN(path, "mode"), kt_get(f, "mode"));
}

/* The server names the volume here, not the item. */
static void downward(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *f;
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	KT_JSON_EACH (f, kt_get(s, "items"))
		downward_file(v, path, f);
}

/* --- projected --- */

/* Paths that sources before this one have taken. */
struct taken {
	const struct v_path *volume;
	struct kt_strs paths;
};

static void take(struct v *v, struct taken *taken, const char *path, const char *shown)
{
	if (!*path)
		return;
	if (kt_strs_has(&taken->paths, path))
		v_invalid_str(v, taken->volume, shown, "conflicting duplicate paths");
	else
		kt_strs_add(&taken->paths, path);
}

static void project_named(struct v *v, const struct v_path *path, const struct kt_json *s,
                          struct taken *taken)
{
	const struct kt_json *item;
	if (!*kt_get_text(s, "name"))
		v_required(v, V_IN(path, "name"), "");
	KT_JSON_EACH (item, kt_get(s, "items")) {
		key_to_path(v, V_AT(V_IN(path, "items"), item_i), item);
		take(v, taken, kt_get_text(item, "path"), kt_get_text(s, "name"));
	}
}

static void project_downward(struct v *v, const struct v_path *path, const struct kt_json *s,
                             struct taken *taken)
{
	const struct kt_json *f;
	KT_JSON_EACH (f, kt_get(s, "items")) {
		downward_file(v, path, f);
		take(v, taken, kt_get_text(f, "path"), kt_get_text(f, "path"));
	}
}

static void project_token(struct v *v, const struct v_path *path, const struct kt_json *s,
                          struct taken *taken)
{
	int64_t seconds = kt_get_int(s, "expirationSeconds", 3600);
	if (seconds < 600)
		v_invalid(v, V_IN(path, "expirationSeconds"), kt_get(s, "expirationSeconds"),
		          "may not specify a duration less than 10 minutes");
	else if (seconds > INT64_C(1) << 32)
		v_invalid(v, V_IN(path, "expirationSeconds"), kt_get(s, "expirationSeconds"),
		          "may not specify a duration larger than 2^32 seconds");
	if (!*kt_get_text(s, "path")) {
		v_required(v, V_IN(taken->volume, "path"), "");
		return;
	}
	local_path(v, V_IN(path, "path"), kt_get_text(s, "path"));
	take(v, taken, kt_get_text(s, "path"), kt_get_text(s, "path"));
}

static void projection(struct v *v, const struct v_path *path, const struct kt_json *p, struct taken *taken)
{
	static const struct {
		const char *name;
		void (*fn)(struct v *, const struct v_path *, const struct kt_json *, struct taken *);
	} sources[] = {{"secret", project_named},
	               {"configMap", project_named},
	               {"downwardAPI", project_downward},
	               {"serviceAccountToken", project_token}};
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *s = kt_get(p, sources[i].name);
		if (!s)
			continue;
		count++;
		sources[i].fn(v, V_IN(path, sources[i].name), s, taken);
	}
	if (count > 1)
		v_forbidden(v, path, "may not specify more than 1 volume type per source");
}

static void projected(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	struct taken taken = {.volume = path};
	const struct kt_json *p;
	mode(v, V_IN(path, "defaultMode"), kt_get(s, "defaultMode"));
	KT_JSON_EACH (p, kt_get(s, "sources"))
		projection(v, V_AT(V_IN(path, "sources"), p_i), p, &taken);
	kt_strs_clear(&taken.paths);
}

void v_csi_driver_name(struct v *v, const struct v_path *path, const char *name)
{
	if (!*name)
		v_required(v, path, "");
	if (strlen(name) > 63)
		v_too_long(v, path, 63);
	char *lower = kt_strdup(name);
	struct kt_strs faults = {0};
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	v_dns_subdomain(lower, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid_str(v, path, name, "%s", faults.items[i]);
	kt_strs_clear(&faults);
	kt_free(lower);
}

static void csi(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	v_csi_driver_name(v, V_IN(path, "driver"), kt_get_text(s, "driver"));
}

static void ephemeral(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const struct kt_json *template = kt_get(s, "volumeClaimTemplate");
	if (!template)
		v_required(v, V_IN(path, "volumeClaimTemplate"), "");
	else
		v_claim_spec(v, V_IN(V_IN(path, "volumeClaimTemplate"), "spec"), kt_get(template, "spec"));
}

/* Sources of which only a few words are needed. */
static void iscsi(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const struct v_rule rules[] = {{.field = "targetPortal", .kind = V_REQUIRED},
	                                      {.field = "iqn", .kind = V_REQUIRED},
	                                      {.field = "lun", .kind = V_RANGE, .hi = 255}};
	V_RULES(v, path, s, rules);
}

static void partition(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t number = kt_int_or(value, 0);
	if (number < 0 || number > 255)
		v_invalid(v, path, value, "must be between 1 and 255, inclusive");
}

static void ebs(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const struct v_rule rules[] = {{.field = "volumeID", .kind = V_REQUIRED},
	                                      {.field = "partition", .kind = V_CALL, .fn = partition}};
	V_RULES(v, path, s, rules);
}

static void gce(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const struct v_rule rules[] = {{.field = "pdName", .kind = V_REQUIRED},
	                                      {.field = "partition", .kind = V_CALL, .fn = partition}};
	V_RULES(v, V_IN(path->up, "persistentDisk"), s, rules);
}

static void flocker(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	const char *name = kt_get_text(s, "datasetName"), *uuid = kt_get_text(s, "datasetUUID");
	if (!*name && !*uuid)
		v_required(v, path, "one of datasetName and datasetUUID is required");
	if (*name && *uuid)
		v_invalid_str(v, path, "resource",
		              "datasetName and datasetUUID can not be specified simultaneously");
	if (strchr(name, '/'))
		v_invalid_str(v, V_IN(path, "datasetName"), name, "must not contain '/'");
}

static void git(struct v *v, const struct v_path *path, const struct kt_json *s)
{
	static const struct v_rule rules[] = {{.field = "repository", .kind = V_REQUIRED}};
	V_RULES(v, path, s, rules);
}

static const struct {
	const char *name;
	v_fn *fn; /* NULL: taken as it is */
} sources[] = {
        {"emptyDir", empty_dir},
        {"hostPath", v_host_path},
        {"gitRepo", git},
        {"gcePersistentDisk", gce},
        {"awsElasticBlockStore", ebs},
        {"secret", secret},
        {"nfs", nfs},
        {"iscsi", iscsi},
        {"glusterfs", NULL},
        {"flocker", flocker},
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
        {"image", NULL},
};

/* What must be there of those without rules of their own: a text, or a list with something in it. */
static const struct {
	const char *source, *field;
} needed[] = {
        {"glusterfs", "endpoints"},
        {"glusterfs", "path"},
        {"rbd", "monitors"},
        {"rbd", "image"},
        {"cinder", "volumeID"},
        {"cephfs", "monitors"},
        {"quobyte", "volume"},
        {"flexVolume", "driver"},
        {"azureFile", "secretName"},
        {"azureFile", "shareName"},
        {"vsphereVolume", "volumePath"},
        {"photonPersistentDisk", "pdID"},
        {"portworxVolume", "volumeID"},
        {"azureDisk", "diskName"},
        {"azureDisk", "diskURI"},
        {"storageos", "volumeName"},
        {"scaleIO", "gateway"},
        {"scaleIO", "system"},
        {"scaleIO", "volumeName"},
};

void v_volume_source(struct v *v, const struct v_path *path, const char *name, const struct kt_json *s)
{
	static const char *const with_secret[] = {"iscsi", "cinder", "storageos"};
	for (size_t i = 0; i < KT_COUNT(sources); i++)
		if (strcmp(sources[i].name, name) == 0 && sources[i].fn && strcmp(name, "csi") != 0)
			sources[i].fn(v, path, s);
	for (size_t i = 0; i < KT_COUNT(needed); i++)
		if (strcmp(needed[i].source, name) == 0 && !*kt_get_text(s, needed[i].field) &&
		    !kt_count(kt_get(s, needed[i].field)))
			v_required(v, V_IN(path, needed[i].field), "");
	for (size_t i = 0; i < KT_COUNT(with_secret); i++)
		if (strcmp(with_secret[i], name) == 0 && kt_get(s, "secretRef") &&
		    !*kt_get_text(kt_get(s, "secretRef"), "name"))
			v_required(v, V_IN(V_IN(path, "secretRef"), "name"), "");
}

/* As the server spells them in what it says. */
const char *v_volume_source_field(const char *name)
{
	return strcmp(name, "downwardAPI") == 0 ? "downwarAPI"
	       : strcmp(name, "cephfs") == 0    ? "cephFS"
	                                        : name;
}

static void source(struct v *v, const struct v_path *path, const struct kt_json *volume)
{
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(sources); i++) {
		const struct kt_json *s = kt_get(volume, sources[i].name);
		if (!s)
			continue;
		if (count++ > 0)
			v_forbidden(v, V_IN(path, v_volume_source_field(sources[i].name)),
			            "may not specify more than 1 volume type");
		else if (sources[i].fn == csi)
			csi(v, V_IN(path, sources[i].name), s);
		else
			v_volume_source(v, V_IN(path, sources[i].name), sources[i].name, s);
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
		const char *name = kt_get_text(volume, "name");
		source(v, at, volume);
		if (!*name)
			v_required(v, V_IN(at, "name"), "");
		else
			v_check(v, V_IN(at, "name"), name, v_dns_label);
		if (*name && kt_find(volumes, "name", name) < (ptrdiff_t)volume_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(volume, "name"));
	}
}

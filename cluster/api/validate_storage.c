/* SPDX-License-Identifier: MIT */
/* Volumes, claims and classes: kubernetes pkg/apis/core/validation and pkg/apis/storage/validation. */
#include "cluster/api/validate.h"

#include <string.h>

static const char *str(const struct kt_json *v, const char *key)
{
	return kt_str_or(kt_get(v, key), "");
}

static const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                           "ReadWriteOncePod", NULL};

static void modes(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *mode;
	bool pod = false;
	if (kt_count(list) == 0)
		v_required(v, path, "at least 1 access mode is required");
	KT_JSON_EACH (mode, list) {
		bool known = false;
		for (size_t i = 0; access_modes[i]; i++)
			known = known || kt_streq(access_modes[i], kt_str(mode));
		if (!known)
			v_unsupported(v, path, mode, access_modes);
		pod = pod || kt_streq(kt_str(mode), "ReadWriteOncePod");
	}
	if (pod && kt_count(list) > 1)
		v_forbidden(v, path, "may not use ReadWriteOncePod with other access modes");
}

static void positive(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (kt_str(value) && kt_quantity_compare(kt_str(value), "0") <= 0)
		v_invalid(v, path, value, "must be greater than zero");
}

static void volume_mode(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const kinds[] = {"Block", "Filesystem", NULL};
	static const struct v_rule rules[] = {{.field = "volumeMode", .kind = V_ENUM, .values = kinds}};
	V_RULES(v, path, spec, rules);
}

void v_claim_spec(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *request = kt_path(spec, "resources.requests.storage");
	const struct v_path *storage = V_KEY(V_IN(path, "resources"), "storage");
	modes(v, V_IN(path, "accessModes"), kt_get(spec, "accessModes"));
	v_label_selector(v, V_IN(path, "selector"), kt_get(spec, "selector"));
	if (!request)
		v_required(v, storage, "");
	else
		positive(v, V_KEY(V_IN(V_IN(path, "resources"), "requests"), "storage"), request);
	if (*str(spec, "storageClassName"))
		v_check(v, V_IN(path, "storageClassName"), str(spec, "storageClassName"), v_dns_subdomain);
	volume_mode(v, path, spec);
	const struct kt_json *source = kt_get(spec, "dataSource");
	if (source && !*str(source, "name"))
		v_required(v, V_IN(V_IN(path, "dataSource"), "name"), "");
	if (source && !*str(source, "kind"))
		v_required(v, V_IN(V_IN(path, "dataSource"), "kind"), "");
}

static void claim(struct v *v)
{
	v_claim_spec(v, V_ROOT("spec"), kt_get(v->object, "spec"));
}

static void claim_update(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	struct kt_json *now = kt_json_ref(kt_get(v->object, "spec")),
	               *old = kt_json_ref(kt_get(v->old, "spec"));
	const char *is = kt_path_str(now, "resources.requests.storage"),
	           *was = kt_path_str(old, "resources.requests.storage");
	bool bound = kt_streq(kt_path_str(v->old, "status.phase"), "Bound");
	bool smaller = is && was && kt_quantity_compare(is, was) < 0;
	claim(v);
	/* the binder may set the volume once, and the class may be filled in */
	if (!*str(old, "volumeName") && *str(now, "volumeName"))
		kt_unset(&now, "volumeName");
	if (!kt_get(old, "storageClassName"))
		kt_unset(&now, "storageClassName");
	kt_unset(&now, "volumeAttributesClassName");
	kt_unset(&old, "volumeAttributesClassName");
	struct kt_json *shown_now = kt_json_ref(now);
	if (bound && is && was)
		kt_set_path(&now, "resources.requests.storage", kt_json_str(was));
	if (!kt_equal(now, old)) {
		struct kt_json *a = v_internal(v, "PersistentVolumeClaimSpec", old);
		struct kt_json *b = v_internal(v, "PersistentVolumeClaimSpec", shown_now);
		struct kt_buf diff = {0};
		v_diff(a, b, &diff);
		v_forbidden(v, path,
		            "spec is immutable after creation except resources.requests and "
		            "volumeAttributesClassName for bound claims\n%s",
		            kt_buf_str(&diff));
		kt_buf_clear(&diff);
		kt_json_free(a);
		kt_json_free(b);
	} else if (smaller) {
		v_forbidden(v, V_IN(V_IN(V_IN(path, "resources"), "requests"), "storage"),
		            "field can not be less than previous value");
	}
	kt_json_free(shown_now);
	kt_json_free(now);
	kt_json_free(old);
}

/* --- volumes --- */

static const char *const volume_sources[] = {"hostPath",
                                             "gcePersistentDisk",
                                             "awsElasticBlockStore",
                                             "glusterfs",
                                             "flocker",
                                             "nfs",
                                             "rbd",
                                             "quobyte",
                                             "cephfs",
                                             "iscsi",
                                             "cinder",
                                             "fc",
                                             "flexVolume",
                                             "azureFile",
                                             "vsphereVolume",
                                             "photonPersistentDisk",
                                             "portworxVolume",
                                             "azureDisk",
                                             "scaleIO",
                                             "local",
                                             "storageos",
                                             "csi"};

static void node_affinity(struct v *v, const struct v_path *path, const struct kt_json *affinity)
{
	const struct kt_json *required = kt_get(affinity, "required"), *term;
	const struct v_path *tp = V_IN(V_IN(path, "required"), "nodeSelectorTerms");
	if (!required) {
		v_required(v, V_IN(path, "required"), "must specify required node constraints");
		return;
	}
	if (kt_count(kt_get(required, "nodeSelectorTerms")) == 0)
		v_required(v, tp, "must have at least one node selector term");
	KT_JSON_EACH (term, kt_get(required, "nodeSelectorTerms"))
		v_node_selector_term(v, V_AT(tp, term_i), term);
}

static void source(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(volume_sources); i++) {
		const char *name = volume_sources[i];
		const struct kt_json *s = kt_get(spec, name);
		if (!s)
			continue;
		if (count++ > 0) {
			v_forbidden(v, V_IN(path, name), "may not specify more than 1 volume type");
			continue;
		}
		if ((strcmp(name, "hostPath") == 0 || strcmp(name, "local") == 0) && !*str(s, "path"))
			v_required(v, V_IN(V_IN(path, name), "path"), "");
		if (strcmp(name, "local") == 0 && !kt_get(spec, "nodeAffinity"))
			v_required(v, V_ROOT("metadata.annotations"), "Local volume requires node affinity");
		if (strcmp(name, "csi") == 0 && !*str(s, "driver"))
			v_required(v, V_IN(V_IN(path, name), "driver"), "");
		if (strcmp(name, "csi") == 0 && !*str(s, "volumeHandle"))
			v_required(v, V_IN(V_IN(path, name), "volumeHandle"), "");
		if (strcmp(name, "nfs") == 0 && !*str(s, "server"))
			v_required(v, V_IN(V_IN(path, name), "server"), "");
	}
	if (count == 0)
		v_required(v, path, "must specify a volume type");
}

static void volume(struct v *v)
{
	static const char *const policies[] = {"Delete", "Recycle", "Retain", NULL};
	static const struct v_rule rules[] = {
	        {.field = "persistentVolumeReclaimPolicy", .kind = V_ENUM, .values = policies},
	        {.field = "nodeAffinity", .kind = V_OBJECT, .fn = node_affinity},
	};
	const struct v_path *path = V_ROOT("spec"), *cp = V_IN(path, "capacity");
	const struct kt_json *spec = kt_get(v->object, "spec"), *capacity = kt_get(spec, "capacity");
	modes(v, V_IN(path, "accessModes"), kt_get(spec, "accessModes"));
	if (kt_count(capacity) == 0)
		v_required(v, cp, "");
	else if (!kt_get(capacity, "storage") || kt_count(capacity) > 1)
		v_unsupported(v, cp, capacity, V_WORDS("storage"));
	for (size_t i = 0, n = kt_count(capacity); i < n; i++)
		positive(v, V_KEY(cp, kt_key(capacity, i)), kt_at(capacity, i));
	V_RULES(v, path, spec, rules);
	source(v, path, spec);
	if (*str(spec, "storageClassName"))
		v_check(v, V_IN(path, "storageClassName"), str(spec, "storageClassName"), v_dns_subdomain);
	volume_mode(v, path, spec);
}

static void volume_update(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	volume(v);
	for (size_t i = 0; i < KT_COUNT(volume_sources); i++)
		if (!(kt_get(now, volume_sources[i]) == NULL && kt_get(old, volume_sources[i]) == NULL) &&
		    !kt_equal(kt_get(now, volume_sources[i]), kt_get(old, volume_sources[i]))) {
			v_forbidden(v, V_IN(path, "persistentvolumesource"),
			            "spec.persistentvolumesource is immutable after creation\n");
			break;
		}
	v_immutable(v, V_IN(path, "volumeMode"), kt_get(now, "volumeMode"), kt_get(old, "volumeMode"));
	if (kt_get(old, "nodeAffinity") &&
	    !kt_equal(kt_get(now, "nodeAffinity"), kt_get(old, "nodeAffinity")))
		v_invalid(v, V_IN(path, "nodeAffinity"), kt_get(now, "nodeAffinity"), "field is immutable");
}

/* --- classes --- */

static void storage_class(struct v *v)
{
	static const char *const reclaim[] = {"Delete", "Retain", NULL};
	static const char *const binding[] = {"Immediate", "WaitForFirstConsumer", NULL};
	static const struct v_rule rules[] = {
	        {.field = "provisioner", .kind = V_NEEDED, .format = v_annotation_key},
	        {.field = "reclaimPolicy", .kind = V_ENUM, .values = reclaim},
	        {.field = "volumeBindingMode", .kind = V_ENUM_NEEDED, .values = binding},
	};
	V_RULES(v, NULL, v->object, rules);
}

static void storage_class_update(struct v *v)
{
	if (!kt_equal(kt_get(v->object, "parameters"), kt_get(v->old, "parameters")) &&
	    (kt_get(v->object, "parameters") || kt_get(v->old, "parameters")))
		v_forbidden(v, V_ROOT("parameters"), "updates to parameters are forbidden.");
	if (!kt_equal(kt_get(v->object, "provisioner"), kt_get(v->old, "provisioner")))
		v_forbidden(v, V_ROOT("provisioner"), "updates to provisioner are forbidden.");
	if (!kt_equal(kt_get(v->object, "reclaimPolicy"), kt_get(v->old, "reclaimPolicy")))
		v_forbidden(v, V_ROOT("reclaimPolicy"), "updates to reclaimPolicy are forbidden.");
	v_immutable(v, V_ROOT("volumeBindingMode"), kt_get(v->object, "volumeBindingMode"),
	            kt_get(v->old, "volumeBindingMode"));
}

const struct v_kind v_kinds_storage[] = {
        {.group = "", .kind = "PersistentVolumeClaim", .create = claim, .update = claim_update},
        {.group = "", .kind = "PersistentVolume", .create = volume, .update = volume_update},
        {.group = "storage.k8s.io",
         .kind = "StorageClass",
         .create = storage_class,
         .update = storage_class_update},
        {0},
};

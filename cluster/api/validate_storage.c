/* SPDX-License-Identifier: MIT */
/* Volumes, claims and classes: kubernetes pkg/apis/core/validation and pkg/apis/storage/validation. */
#include "cluster/api/validate.h"

#include <string.h>

static const char *const access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                           "ReadWriteOncePod", NULL};

static void modes(struct v *v, const struct v_path *path, const struct kt_json *list, const char *why)
{
	const struct kt_json *mode;
	bool pod = false, others = false;
	if (kt_count(list) == 0)
		v_required(v, path, why);
	KT_JSON_EACH (mode, list) {
		bool known = false;
		for (size_t i = 0; access_modes[i]; i++)
			known = known || kt_streq(access_modes[i], kt_str(mode));
		if (!known)
			v_unsupported(v, path, mode, access_modes);
		bool is_pod = kt_streq(kt_str(mode), "ReadWriteOncePod");
		pod = pod || is_pod;
		others = others || (known && !is_pod);
	}
	if (pod && others)
		v_forbidden(v, path, "may not use ReadWriteOncePod with other access modes");
}

static void positive(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (kt_str(value) && kt_quantity_compare(kt_str(value), "0") <= 0)
		v_invalid(v, path, value, "must be greater than zero");
}

/* What is no amount at all is shown in its smallest unit (validateBasicResource). */
static void basic(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	struct kt_quantity q;
	if (kt_str(value) && kt_quantity_parse(kt_str(value), &q) && q.milli < 0)
		v_invalid_steal(v, path, kt_json_int(q.milli / 1000), "must be a valid resource quantity");
}

static void volume_mode(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const kinds[] = {"Block", "Filesystem", NULL};
	static const struct v_rule rules[] = {{.field = "volumeMode", .kind = V_ENUM, .values = kinds}};
	V_RULES(v, path, spec, rules);
}

static void data_source(struct v *v, const struct v_path *path, const struct kt_json *source)
{
	const char *group = kt_get_text(source, "apiGroup"), *kind = kt_get_text(source, "kind"),
	           *ns = kt_get_text(source, "namespace");
	if (!*kt_get_text(source, "name"))
		v_required(v, V_IN(path, "name"), "");
	if (!*kind)
		v_required(v, V_IN(path, "kind"), "");
	if (!*group && strcmp(kind, "PersistentVolumeClaim") != 0)
		v_invalid_str(v, path, kind,
		              "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
	if (*group)
		v_check(v, V_IN(path, "apiGroup"), group, v_dns_subdomain);
	if (*ns)
		v_check(v, V_IN(path, "namespace"), ns, v_dns_label);
}

/* Where the two do not go together the server shows a field path, which prints as nothing. */
static void data_sources(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char *const fields[] = {"apiGroup", "kind", "name"};
	const struct kt_json *source = kt_get(spec, "dataSource"), *ref = kt_get(spec, "dataSourceRef");
	bool same = true;
	if (source)
		data_source(v, V_IN(path, "dataSource"), source);
	if (ref)
		data_source(v, V_IN(path, "dataSourceRef"), ref);
	for (size_t i = 0; i < KT_COUNT(fields); i++)
		same = same && strcmp(kt_get_text(source, fields[i]), kt_get_text(ref, fields[i])) == 0;
	if (source && *kt_get_text(ref, "namespace"))
		v_invalid_steal(v, path, kt_json_object(),
		                "may not be specified when dataSourceRef.namespace is specified");
	else if (source && ref && !same)
		v_invalid_steal(v, path, kt_json_object(), "must match dataSourceRef");
}

void v_claim_spec(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *request = kt_path(spec, "resources.requests.storage");
	const struct v_path *storage = V_KEY(V_IN(path, "resources"), "storage");
	const struct kt_json *wanted = kt_get(spec, "accessModes");
	const char *none = "at least 1 access mode is required";
	if (!kt_count(wanted))
		modes(v, V_IN(path, "accessModes"), wanted, none);
	v_label_selector(v, V_IN(path, "selector"), kt_get(spec, "selector"));
	if (kt_count(wanted))
		modes(v, V_IN(path, "accessModes"), wanted, none);
	if (!request)
		v_required(v, storage, "");
	else
		positive(v, storage, request);
	if (*kt_get_text(spec, "storageClassName"))
		v_check(v, V_IN(path, "storageClassName"), kt_get_text(spec, "storageClassName"),
		        v_dns_subdomain);
	volume_mode(v, path, spec);
	data_sources(v, path, spec);
	if (*kt_get_text(spec, "volumeAttributesClassName"))
		v_check(v, V_IN(path, "volumeAttributesClassName"),
		        kt_get_text(spec, "volumeAttributesClassName"), v_dns_subdomain);
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
	/* what an expansion that fails asked for may be taken back, down to what there is */
	const char *has = kt_path_str(v->old, "status.capacity.storage");
	bool smaller =
	        is && was && kt_quantity_compare(is, was) < 0 && (!has || kt_quantity_compare(is, has) <= 0);
	claim(v);
	/* the binder may set the volume once, and the class may be filled in */
	if (!*kt_get_text(old, "volumeName") && *kt_get_text(now, "volumeName"))
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
		            "field can not be less than status.capacity");
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

/* What each needs beside what pods' volumes need. */
static void source_fields(struct v *v, const struct v_path *path, const char *name, const struct kt_json *s)
{
	static const struct {
		const char *source, *field;
	} needed[] = {{"local", "path"}, {"csi", "driver"}, {"csi", "volumeHandle"}};
	v_volume_source(v, path, name, s);
	for (size_t i = 0; i < KT_COUNT(needed); i++) {
		const struct v_path *at = V_IN(path, needed[i].field);
		const char *is = kt_get_text(s, needed[i].field);
		if (strcmp(needed[i].source, name) != 0)
			continue;
		if (strcmp(needed[i].field, "driver") == 0)
			v_csi_driver_name(v, at, is);
		else if (!*is)
			v_required(v, at, "");
	}
}

static void csi_secrets(struct v *v, const struct v_path *path, const struct kt_json *csi)
{
	static const char *const refs[] = {"controllerPublishSecretRef", "controllerExpandSecretRef",
	                                   "nodePublishSecretRef", "nodeExpandSecretRef"};
	static const char *const fields[] = {"name", "namespace"};
	for (size_t i = 0; i < KT_COUNT(refs); i++)
		for (size_t j = 0; kt_get(csi, refs[i]) && j < KT_COUNT(fields); j++)
			if (!*kt_get_text(kt_get(csi, refs[i]), fields[j]))
				v_required(v, V_IN(V_IN(path, refs[i]), fields[j]), "");
}

static void source(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	size_t count = 0;
	for (size_t i = 0; i < KT_COUNT(volume_sources); i++) {
		const char *name = volume_sources[i];
		const struct kt_json *s = kt_get(spec, name);
		if (!s)
			continue;
		if (count++ > 0 && strcmp(name, "flexVolume") != 0) { /* it may come on top */
			v_forbidden(v, V_IN(path, v_volume_source_field(name)),
			            "may not specify more than 1 volume type");
			continue;
		}
		source_fields(v, V_IN(path, name), name, s);
		if (strcmp(name, "csi") == 0)
			csi_secrets(v, V_IN(path, name), s);
		if (strcmp(name, "local") == 0 && !kt_get(spec, "nodeAffinity"))
			v_required(v, V_IN(path, "nodeAffinity"), "Local volume requires node affinity");
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
	const struct kt_json *spec = kt_get(v->object, "spec"), *capacity = kt_get(spec, "capacity"),
	                     *attributes = kt_get(spec, "volumeAttributesClassName");
	struct kt_json *no_capacity = capacity ? kt_json_object() : kt_json_null();
	modes(v, V_IN(path, "accessModes"), kt_get(spec, "accessModes"), "");
	if (kt_count(capacity) == 0)
		v_required(v, cp, "");
	if (!kt_get(capacity, "storage") || kt_count(capacity) > 1)
		v_unsupported(v, cp, kt_count(capacity) > 0 ? capacity : no_capacity, V_WORDS("storage"));
	for (size_t i = 0, n = kt_count(capacity); i < n; i++) {
		const struct v_path *at = V_KEY(cp, kt_key(capacity, i));
		basic(v, at, kt_at(capacity, i));
		positive(v, at, kt_at(capacity, i));
	}
	kt_json_free(no_capacity);
	V_RULES(v, path, spec, rules);
	source(v, path, spec);
	if (kt_streq(kt_path_str(spec, "hostPath.path"), "/") &&
	    strcmp(kt_get_text(spec, "persistentVolumeReclaimPolicy"), "Recycle") == 0)
		v_forbidden(v, V_IN(path, "persistentVolumeReclaimPolicy"),
		            "may not be 'recycle' for a hostPath mount of '/'");
	if (*kt_get_text(spec, "storageClassName"))
		v_check(v, V_IN(path, "storageClassName"), kt_get_text(spec, "storageClassName"),
		        v_dns_subdomain);
	volume_mode(v, path, spec);
	if (!attributes)
		return;
	if (!*kt_str_or(attributes, ""))
		v_required(v, V_IN(path, "volumeAttributesClassName"), "an empty string is disallowed");
	else
		v_check(v, V_IN(path, "volumeAttributesClassName"), kt_str_or(attributes, ""),
		        v_dns_subdomain);
	if (!kt_get(spec, "csi"))
		v_required(v, V_IN(path, "csi"), "has to be specified when using volumeAttributesClassName");
}

static bool same_source(const struct kt_json *a, const struct kt_json *b)
{
	for (size_t i = 0; i < KT_COUNT(volume_sources); i++) {
		const struct kt_json *x = kt_get(a, volume_sources[i]), *y = kt_get(b, volume_sources[i]);
		if ((x || y) && !(x && y && kt_equal(x, y)))
			return false;
	}
	return true;
}

/* The server names these two by their last field alone (ValidatePersistentVolumeUpdate). */
static void volume_update(struct v *v)
{
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	const struct kt_json *affinity = kt_get(now, "nodeAffinity");
	volume(v);
	if (!same_source(now, old)) {
		struct kt_json *a = v_internal(v, "PersistentVolumeSource", old),
		               *b = v_internal(v, "PersistentVolumeSource", now);
		struct kt_buf diff = {0};
		v_diff(a, b, &diff);
		v_forbidden(v, V_IN(V_ROOT("spec"), "persistentvolumesource"),
		            "spec.persistentvolumesource is immutable after creation\n%s", kt_buf_str(&diff));
		kt_buf_clear(&diff);
		kt_json_free(a);
		kt_json_free(b);
	}
	v_immutable(v, V_ROOT("volumeMode"), kt_get(now, "volumeMode"), kt_get(old, "volumeMode"));
	if (kt_get(old, "nodeAffinity") && !kt_equal(affinity, kt_get(old, "nodeAffinity")))
		v_invalid_steal(v, V_ROOT("nodeAffinity"),
		                affinity ? v_internal(v, "VolumeNodeAffinity", affinity) : kt_json_null(),
		                "field is immutable, except for updating from beta label to GA");
}

/* --- classes --- */

void v_class_parameters(struct v *v, const struct v_path *path, const struct kt_json *map)
{
	size_t total = 0;
	if (kt_count(map) > 512)
		v_too_long(v, path, 512);
	for (size_t i = 0, n = kt_count(map); i < n; i++) {
		if (!*kt_key(map, i))
			v_invalid_str(v, path, "", "field can not be empty.");
		total += strlen(kt_key(map, i)) + strlen(kt_str_or(kt_at(map, i), ""));
	}
	if (total > 256 * 1024)
		v_too_long(v, path, 256 * 1024);
}

static void topology(struct v *v, const struct v_path *path, const struct kt_json *term)
{
	const struct kt_json *r, *value;
	KT_JSON_EACH (r, kt_get(term, "matchLabelExpressions")) {
		const struct v_path *at = V_AT(V_IN(path, "matchLabelExpressions"), r_i);
		const struct v_path *vp = V_IN(at, "values");
		const struct kt_json *values = kt_get(r, "values");
		if (kt_count(values) == 0)
			v_required(v, vp, "");
		KT_JSON_EACH (value, values)
			for (size_t i = 0; i < value_i; i++)
				if (kt_equal(kt_at(values, i), value)) {
					v_duplicate(v, V_AT(vp, value_i), value);
					break;
				}
		v_check(v, V_IN(at, "key"), kt_get_text(r, "key"), v_qualified_name);
		if (kt_find(kt_get(term, "matchLabelExpressions"), "key", kt_get_text(r, "key")) <
		    (ptrdiff_t)r_i)
			v_duplicate(v, V_IN(at, "key"), kt_get(r, "key"));
	}
}

/* The server counts a term without expressions among those it has seen. */
static void topologies(struct v *v, const struct v_path *path, const struct kt_json *terms)
{
	const struct kt_json *term;
	struct kt_json *nothing = kt_json_str("");
	KT_JSON_EACH (term, terms) {
		const struct kt_json *own = kt_get(term, "matchLabelExpressions");
		bool twice = kt_count(own) == 0;
		topology(v, V_AT(path, term_i), term);
		for (size_t i = 0; i < term_i; i++)
			twice = twice || kt_equal(kt_at(terms, i), term);
		if (twice)
			v_duplicate(v, V_IN(V_AT(path, term_i), "matchLabelExpressions"), nothing);
	}
	kt_json_free(nothing);
}

static void storage_class(struct v *v)
{
	static const char *const reclaim[] = {"Delete", "Retain", NULL};
	static const char *const binding[] = {"Immediate", "WaitForFirstConsumer", NULL};
	static const struct v_rule rules[] = {
	        {.field = "provisioner", .kind = V_NEEDED, .format = v_annotation_key},
	        {.field = "parameters", .kind = V_OBJECT, .fn = v_class_parameters},
	        {.field = "reclaimPolicy", .kind = V_ENUM, .values = reclaim},
	        {.field = "volumeBindingMode", .kind = V_ENUM_NEEDED, .values = binding},
	        {.field = "allowedTopologies", .kind = V_CALL, .fn = topologies},
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

/* SPDX-License-Identifier: MIT */
/* Storage drivers and what they tell: kubernetes pkg/apis/storage/validation. */
#include "cluster/api/validate.h"

#include <string.h>

#define GROUP "storage.k8s.io"

static bool before(const struct kt_json *list, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (kt_equal(kt_at(list, j), kt_at(list, i)))
			return true;
	return false;
}

/* --- CSIDriver --- */

static void token_requests(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list) {
		const struct kt_json *seconds = kt_get(item, "expirationSeconds");
		const struct v_path *at = V_AT(path, item_i), *sp = V_IN(at, "expirationSeconds");
		struct kt_json *audience = kt_json_str(kt_get_text(item, "audience"));
		bool twice = false;
		for (size_t i = 0; i < item_i; i++)
			twice = twice || strcmp(kt_get_text(kt_at(list, i), "audience"),
			                        kt_get_text(item, "audience")) == 0;
		if (twice)
			v_duplicate(v, V_IN(at, "audience"), audience);
		else if (seconds && kt_int_or(seconds, 0) < 600)
			v_invalid(v, sp, seconds, "may not specify a duration less than 10 minutes");
		else if (seconds && kt_int_or(seconds, 0) > (int64_t)1 << 32)
			v_invalid(v, sp, seconds, "may not specify a duration larger than 2^32 seconds");
		kt_json_free(audience);
	}
}

static void lifecycle_modes(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *mode;
	KT_JSON_EACH (mode, list)
		if (!kt_streq(kt_str(mode), "Persistent") && !kt_streq(kt_str(mode), "Ephemeral"))
			v_unsupported(v, path, mode, V_WORDS("Persistent", "Ephemeral"));
}

static void driver_spec(struct v *v)
{
	static const char *const policies[] = {"File", "None", "ReadWriteOnceWithFSType", NULL};
	static const struct v_rule rows[] = {
	        {.field = "fsGroupPolicy", .kind = V_ENUM, .values = policies},
	        {.field = "tokenRequests", .kind = V_CALL, .fn = token_requests},
	        {.field = "volumeLifecycleModes", .kind = V_CALL, .fn = lifecycle_modes},
	};
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rows);
}

/* The server names the first of these two by another word than its field. */
static void driver_update(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *now = kt_get(v->object, "spec"), *old = kt_get(v->old, "spec");
	driver_spec(v);
	v_immutable(v, V_IN(path, "attachedRequired"), kt_get(now, "attachRequired"),
	            kt_get(old, "attachRequired"));
	v_immutable(v, V_IN(path, "volumeLifecycleModes"), kt_get(now, "volumeLifecycleModes"),
	            kt_get(old, "volumeLifecycleModes"));
}

/* --- CSINode --- */

static void node_drivers(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const struct v_rule volumes[] = {{.field = "count", .kind = V_MIN, .lo = 0}};
	const struct kt_json *driver, *key;
	KT_JSON_EACH (driver, list) {
		const struct v_path *at = V_AT(path, driver_i);
		const struct kt_json *keys = kt_get(driver, "topologyKeys");
		v_csi_driver_name(v, V_IN(at, "name"), kt_get_text(driver, "name"));
		if (!*kt_get_text(driver, "nodeID"))
			v_required(v, V_IN(at, "nodeID"), "");
		V_RULES(v, V_IN(at, "allocatable"), kt_get(driver, "allocatable"), volumes);
		if (kt_find(list, "name", kt_get_text(driver, "name")) < (ptrdiff_t)driver_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(driver, "name"));
		KT_JSON_EACH (key, keys) {
			if (!kt_str_len(key))
				v_required(v, at, "");
			if (before(keys, key_i))
				v_duplicate(v, at, key);
			v_check(v, at, kt_str_or(key, ""), v_qualified_name);
		}
	}
}

static void node(struct v *v)
{
	static const struct v_rule rows[] = {{.field = "drivers", .kind = V_CALL, .fn = node_drivers}};
	V_RULES(v, V_ROOT("spec"), kt_get(v->object, "spec"), rows);
}

/* --- VolumeAttachment --- */

static void attachment(struct v *v)
{
	static const char one[] = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
	const struct v_path *path = V_ROOT("spec"), *sp = V_IN(path, "source");
	const struct kt_json *spec = kt_get(v->object, "spec"), *source = kt_get(spec, "source"),
	                     *volume = kt_get(source, "persistentVolumeName"),
	                     *inside = kt_get(source, "inlineVolumeSpec");
	const char *attacher = kt_get_text(spec, "attacher");
	if (!*attacher)
		v_required(v, V_IN(path, "attacher"), "");
	if (!volume && !inside)
		v_required(v, sp, one);
	else if (volume && inside)
		v_forbidden(v, sp, "%s", one);
	else if (volume && !kt_str_len(volume))
		v_required(v, V_IN(sp, "persistentVolumeName"),
		           "must specify non empty persistentVolumeName");
	v_check(v, V_IN(path, "nodeName"), kt_get_text(spec, "nodeName"), v_dns_subdomain);
	if (*attacher)
		v_csi_driver_name(v, V_IN(path, "attacher"), attacher);
	else
		v_check(v, V_IN(path, "attacher"), attacher, v_dns_subdomain);
	if (volume)
		v_check(v, V_IN(sp, "persistentVolumeName"), kt_str_or(volume, ""), v_dns_subdomain);
}

/* --- the others --- */

static void capacity(struct v *v)
{
	const struct kt_json *amount = kt_get(v->object, "capacity");
	v_label_selector(v, V_ROOT("nodeTopology"), kt_get(v->object, "nodeTopology"));
	v_check(v, V_ROOT("storageClassName"), kt_get_text(v->object, "storageClassName"), v_dns_subdomain);
	if (amount)
		v_quantity_min(v, V_ROOT("capacity"), amount);
}

static void capacity_update(struct v *v)
{
	static const char *const fixed[] = {"nodeTopology", "storageClassName"};
	for (size_t i = 0; i < KT_COUNT(fixed); i++)
		v_immutable(v, V_ROOT(fixed[i]), kt_get(v->object, fixed[i]), kt_get(v->old, fixed[i]));
}

static void attributes_class(struct v *v)
{
	static const struct v_rule rows[] = {
	        {.field = "driverName", .kind = V_NEEDED, .format = v_annotation_key},
	        {.field = "parameters", .kind = V_CALL, .fn = v_class_parameters},
	};
	V_RULES(v, NULL, v->object, rows);
	if (kt_count(kt_get(v->object, "parameters")) == 0)
		v_required(v, V_ROOT("parameters"), "must contain at least one key/value pair");
}

static void attributes_class_update(struct v *v)
{
	static const char *const fixed[] = {"driverName", "parameters"};
	for (size_t i = 0; i < KT_COUNT(fixed); i++) {
		const struct kt_json *now = kt_get(v->object, fixed[i]), *old = kt_get(v->old, fixed[i]);
		if ((now || old) && !(now && old && kt_equal(now, old)))
			v_forbidden(v, V_ROOT(fixed[i]), "updates to %s are forbidden.", fixed[i]);
	}
	attributes_class(v);
}

const struct v_kind v_kinds_csi[] = {
        {.group = GROUP, .kind = "CSIDriver", .create = driver_spec, .update = driver_update},
        {.group = GROUP, .kind = "CSINode", .create = node},
        {.group = GROUP, .kind = "VolumeAttachment", .create = attachment},
        {.group = GROUP, .kind = "CSIStorageCapacity", .create = capacity, .update = capacity_update},
        {.group = GROUP,
         .kind = "VolumeAttributesClass",
         .create = attributes_class,
         .update = attributes_class_update},
        {0},
};

/* SPDX-License-Identifier: MIT */
/* Which rules an object meets: validation by kind, from the tables of the validate_*.c files. */
#include "cluster/api/validate.h"

#include <string.h>

static const struct v_kind *const tables[] = {
        v_kinds_pods,    v_kinds_apps,   v_kinds_batch, v_kinds_core,   v_kinds_net,
        v_kinds_storage, v_kinds_policy, v_kinds_rbac,  v_kinds_crd,    v_kinds_admission,
        v_kinds_flow,    v_kinds_csi,    v_kinds_csr,   v_kinds_device,
};

const struct v_kind *v_kind_of(const struct schema_kind *kind)
{
	for (size_t t = 0; t < KT_COUNT(tables); t++)
		for (const struct v_kind *row = tables[t]; row->kind; row++)
			if (strcmp(row->kind, kind->kind) == 0 && strcmp(row->group, kind->group) == 0)
				return row;
	return NULL;
}

static void immutable_fields(struct v *v, const char *const *paths)
{
	for (size_t i = 0; paths && paths[i]; i++)
		v_immutable(v, V_ROOT(paths[i]), kt_path(v->object, paths[i]), kt_path(v->old, paths[i]));
}

static void metadata(struct v *v, const struct v_kind *row)
{
	v_format *name = row && row->name ? row->name : v_dns_subdomain;
	v_format *prefix = row && row->prefix ? row->prefix : v_dns_subdomain_trailing;
	v_metadata(v, v->kind->namespaced, name, prefix);
}

/* Names that become parts of host names had better be labels (the strategies' WarningsOnCreate). */
static void recommend_label(struct v *v)
{
	static const char *const kinds[] = {
	        "Deployment", "ReplicaSet", "StatefulSet", "ReplicationController", "Job", "CronJob", "Pod"};
	const char *name = kt_str_or(kt_path(v->object, "metadata.name"), "");
	bool pod = strcmp(v->kind->kind, "Pod") == 0, concerned = false;
	struct kt_strs faults = {0};
	struct kt_buf list = {0};
	for (size_t i = 0; i < KT_COUNT(kinds); i++)
		concerned = concerned || strcmp(v->kind->kind, kinds[i]) == 0;
	if (!concerned || v->kind->crd || !*name)
		return;
	v_dns_label(name, &faults);
	for (size_t i = 0; i < faults.count; i++)
		kt_buf_addf(&list, "%s%s", i > 0 ? " " : "", faults.items[i]);
	if (faults.count > 0)
		v_warn(v, V_IN(V_ROOT("metadata"), "name"),
		       "this is used in %s, which can result in surprising behavior; a DNS label is "
		       "recommended: [%s]",
		       pod ? "the Pod's hostname" : "Pod names and hostnames", kt_buf_str(&list));
	kt_strs_clear(&faults);
	kt_buf_clear(&list);
}

void rules_validate_create(struct cluster *cluster, const struct schema_kind *asked,
                           const struct kt_json *object, struct rules_errors *errors)
{
	const struct schema_kind *kind = asked->storage;
	struct v v = {.cluster = cluster, .errors = errors, .asked = asked, .kind = kind, .object = object};
	const struct v_kind *row = v_kind_of(kind);
	bool crd = strcmp(kind->kind, "CustomResourceDefinition") == 0;
	if (!crd)
		metadata(&v, row);
	recommend_label(&v);
	if (kind->crd)
		v_custom_resource(&v, false);
	else if (row && row->create)
		row->create(&v);
	v_warnings(&v);
}

void rules_validate_addresses(struct cluster *cluster, const struct schema_kind *kind,
                              const struct kt_json *object, struct rules_errors *errors)
{
	struct v v = {.cluster = cluster, .errors = errors, .kind = kind, .object = object};
	v_service_addresses(&v);
}

/* Only what changed is looked at again: old objects may have been made under other rules. */
void rules_validate_update(struct cluster *cluster, const struct schema_kind *asked, const char *subresource,
                           const struct kt_json *object, const struct kt_json *old,
                           struct rules_errors *errors)
{
	const struct schema_kind *kind = asked->storage;
	struct v v = {.cluster = cluster,
	              .errors = errors,
	              .asked = asked,
	              .kind = kind,
	              .object = object,
	              .old = old};
	const struct v_kind *row = v_kind_of(kind);
	if (kt_get(object, "metadata") != kt_get(old, "metadata"))
		v_metadata_update(&v);
	if (strcmp(kind->kind, "Pod") == 0 && strcmp(kind->group, "") == 0) {
		v_pod_update(&v, subresource);
		return;
	}
	if (kind->crd) {
		v_custom_resource(&v, strcmp(subresource, "status") == 0);
		return;
	}
	if (strcmp(subresource, "status") == 0)
		v_status(&v);
	if (*subresource) {
		if (row && row->part)
			row->part(&v, subresource);
		return;
	}
	if (row && row->update)
		row->update(&v);
	else if (row && row->create)
		row->create(&v);
	if (row)
		immutable_fields(&v, row->immutable);
	v_warnings(&v);
}

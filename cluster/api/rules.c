/* SPDX-License-Identifier: MIT */
/* Which rules an object meets: validation by kind, from the tables of the validate_*.c files. */
#include "cluster/api/validate.h"

#include <string.h>

static const struct v_kind *const tables[] = {
        v_kinds_pods, v_kinds_apps,    v_kinds_batch,  v_kinds_core,
        v_kinds_net,  v_kinds_storage, v_kinds_policy, v_kinds_rbac,
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

void rules_validate_create(struct cluster *cluster, const struct schema_kind *kind,
                           const struct kt_json *object, struct rules_errors *errors)
{
	struct v v = {.cluster = cluster, .errors = errors, .kind = kind, .object = object};
	const struct v_kind *row = v_kind_of(kind);
	bool crd = strcmp(kind->kind, "CustomResourceDefinition") == 0;
	if (!crd)
		metadata(&v, row);
	if (kind->crd)
		v_custom_resource(&v);
	else if (row && row->create)
		row->create(&v);
}

/* Only what changed is looked at again: old objects may have been made under other rules. */
void rules_validate_update(struct cluster *cluster, const struct schema_kind *kind, const char *subresource,
                           const struct kt_json *object, const struct kt_json *old,
                           struct rules_errors *errors)
{
	struct v v = {.cluster = cluster, .errors = errors, .kind = kind, .object = object, .old = old};
	const struct v_kind *row = v_kind_of(kind);
	if (kt_get(object, "metadata") != kt_get(old, "metadata"))
		v_metadata_update(&v);
	if (strcmp(kind->kind, "Pod") == 0 && strcmp(kind->group, "") == 0) {
		v_pod_update(&v, subresource);
		return;
	}
	if (*subresource)
		return;
	if (kind->crd) {
		v_custom_resource(&v);
		return;
	}
	if (row && row->update)
		row->update(&v);
	else if (row && row->create)
		row->create(&v);
	if (row)
		immutable_fields(&v, row->immutable);
}

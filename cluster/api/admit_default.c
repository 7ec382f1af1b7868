/* SPDX-License-Identifier: MIT */
/* Classes that count when none is named, growing of claims, and the selector of a Job (kubernetes
 * plugin/pkg/admission/storage, network/defaultingressclass; pkg/registry/batch/job/strategy.go). */
#include "cluster/api/admit.h"

#include <string.h>

/* The newest class that is marked as default; ties by name. */
static const struct kt_json *default_class(const struct rules_request *r, const char *group, const char *kind,
                                           const char *annotation)
{
	const struct schema_kind *k = schema_stored(cluster_schema(r->cluster), group, kind);
	const struct store_object *object;
	const struct kt_json *best = NULL;
	STORE_EACH (object, cluster_store(r->cluster), k, NULL) {
		const char *is = kt_get_str(kt_path(object->json, "metadata.annotations"), annotation);
		const char *made = kt_path_str(object->json, "metadata.creationTimestamp");
		if (kt_streq(is, "true") &&
		    (!best || strcmp(made, kt_path_str(best, "metadata.creationTimestamp")) > 0))
			best = object->json;
	}
	return best;
}

bool admit_storage_class(const struct rules_request *r, struct api_status *status)
{
	(void)status;
	if (kt_path(*r->object, "spec.storageClassName"))
		return true;
	const struct kt_json *class = default_class(r, "storage.k8s.io", "StorageClass",
	                                            "storageclass.kubernetes.io/is-default-class");
	if (class)
		kt_set(kt_edit(r->object, "spec"), "storageClassName",
		       kt_json_str(kt_path_str(class, "metadata.name")));
	const struct schema_type *type =
	        schema_type_named(cluster_schema(r->cluster), "core.v1.PersistentVolumeClaimSpec");
	if (class && type)
		admit_reorder(type, kt_edit(r->object, "spec"));
	return true;
}

bool admit_ingress_class(const struct rules_request *r, struct api_status *status)
{
	(void)status;
	if (kt_path(*r->object, "spec.ingressClassName") ||
	    kt_get(kt_path(*r->object, "metadata.annotations"), "kubernetes.io/ingress.class"))
		return true;
	const struct kt_json *class = default_class(r, "networking.k8s.io", "IngressClass",
	                                            "ingressclass.kubernetes.io/is-default-class");
	if (class)
		kt_set(kt_edit(r->object, "spec"), "ingressClassName",
		       kt_json_str(kt_path_str(class, "metadata.name")));
	const struct schema_type *type =
	        schema_type_named(cluster_schema(r->cluster), "networking.v1.IngressSpec");
	if (class && type)
		admit_reorder(type, kt_edit(r->object, "spec"));
	return true;
}

bool admit_claim_resize(const struct rules_request *r, struct api_status *status)
{
	const char *now = kt_path_str(*r->object, "spec.resources.requests.storage");
	const char *old = kt_path_str(r->old, "spec.resources.requests.storage"),
	           *name = kt_path_str(r->old, "spec.storageClassName");
	if (*r->subresource || !now || !old || kt_quantity_compare(now, old) <= 0)
		return true;
	if (!kt_streq(kt_path_str(r->old, "status.phase"), "Bound"))
		return admit_forbid(r, status, "Only bound persistent volume claims can be expanded");
	const struct kt_json *class =
	        name && *name ? admit_get(r, "storage.k8s.io", "StorageClass", "", name) : NULL;
	if (!kt_get_bool(class, "allowVolumeExpansion", false))
		return admit_forbid(r, status,
		                    "only dynamically provisioned pvc can be resized and the storageclass "
		                    "that provisions the pvc must "
		                    "support resize");
	return true;
}

/* The server names the pods of a Job by its uid, unless the author selects by hand. */
bool admit_job(const struct rules_request *r, struct api_status *status)
{
	const char *uid = kt_path_str(*r->object, "metadata.uid"),
	           *name = kt_str_or(kt_path(*r->object, "metadata.name"), "");
	const struct {
		const char *key, *value;
	} labels[] = {{"batch.kubernetes.io/controller-uid", uid},
	              {"batch.kubernetes.io/job-name", name},
	              {"controller-uid", uid},
	              {"job-name", name}};
	/* A job without labels has its template's, as defaulting gives them also to what is read: the same
	 * ones, and so what is added to them. */
	const struct kt_json *own = kt_path(*r->object, "metadata.labels");
	bool shared = !kt_count(own) || own == kt_path(*r->object, "spec.template.metadata.labels");
	(void)status;
	if (kt_path_bool(*r->object, "spec.manualSelector", false))
		return true;
	struct kt_json **spec = kt_edit(r->object, "spec"), **template = kt_edit(spec, "template");
	struct kt_json **map = kt_edit(kt_edit(template, "metadata"), "labels");
	for (size_t i = 0; i < KT_COUNT(labels); i++)
		if (!kt_get(*map, labels[i].key))
			kt_set(map, labels[i].key, kt_json_str(labels[i].value));
	if (shared)
		kt_set(kt_edit(r->object, "metadata"), "labels", kt_json_ref(*map));
	const struct schema_type *type =
	        schema_type_named(cluster_schema(r->cluster), "core.v1.PodTemplateSpec");
	if (type)
		admit_reorder(type, template);
	map = kt_edit(kt_edit(spec, "selector"), "matchLabels");
	if (!kt_get(*map, "batch.kubernetes.io/controller-uid"))
		kt_set(map, "batch.kubernetes.io/controller-uid", kt_json_str(uid));
	type = schema_type_named(cluster_schema(r->cluster), "batch.v1.JobSpec");
	if (type)
		admit_reorder(type, spec);
	return true;
}

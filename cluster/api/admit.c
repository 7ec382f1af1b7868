/* SPDX-License-Identifier: MIT */
/* The admission chain: which plugins see which requests, in the order of the real server
 * (kubernetes pkg/kubeapiserver/options/plugins.go). */
#include "cluster/api/admit.h"

#include <string.h>

enum { CREATE = 1, UPDATE = 2, DELETE = 4 };
struct plugin {
	const char *group, *kind; /* kind NULL: any */
	unsigned operations;
	admit_fn *fn;
};

static const struct plugin mutating[] = {
        {"", NULL, CREATE, admit_namespace},
        {"", "Pod", CREATE, admit_limit_defaults},
        {"", "Pod", CREATE, admit_service_account},
        {"", "Pod", CREATE, admit_priority},
        {"scheduling.k8s.io", "PriorityClass", CREATE | UPDATE, admit_priority_class},
        {"", "Pod", CREATE | UPDATE, admit_tolerations},
        {"", "PersistentVolumeClaim", CREATE, admit_storage_class},
        {"", "Pod", CREATE, admit_runtime_class},
        {"networking.k8s.io", "Ingress", CREATE, admit_ingress_class},
        {"", "Pod", CREATE, admit_pod_order},
        /* no plugin: the storage of roles looks before it validates (registry/rbac policybased) */
        {"rbac.authorization.k8s.io", NULL, CREATE | UPDATE, admit_escalation},
};

/* No plugins: the storage does this when it has made up the name. */
static const struct plugin preparing[] = {
        {"batch", "Job", CREATE, admit_job},
};

static const struct plugin validating[] = {
        {"", "Namespace", DELETE, admit_immortal_namespace},
        {"scheduling.k8s.io", "PriorityClass", DELETE, admit_system_priority},
        {"", "Pod", CREATE, admit_overhead},
        {"", "Pod", CREATE, admit_limits},
        {"", "PersistentVolumeClaim", CREATE | UPDATE, admit_limits},
        {"", NULL, CREATE | UPDATE, admit_pod_security},
        {"", "Namespace", CREATE | UPDATE, admit_security_labels},
        {"", "PersistentVolumeClaim", UPDATE, admit_claim_resize},
        {"", NULL, CREATE | UPDATE | DELETE, admit_policies},
        {"", NULL, CREATE | UPDATE, admit_quota},
};

static bool run(const struct plugin *plugins, size_t count, const struct rules_request *r,
                struct api_status *status)
{
	unsigned operation = r->operation == RULES_CREATE   ? CREATE
	                     : r->operation == RULES_UPDATE ? UPDATE
	                     : r->operation == RULES_DELETE ? DELETE
	                                                    : 0;
	for (size_t i = 0; i < count; i++) {
		const struct plugin *p = &plugins[i];
		if (!(p->operations & operation))
			continue;
		if (p->kind ? !admit_is(r, p->group, p->kind)
		            : *p->group && strcmp(p->group, r->kind->group) != 0)
			continue;
		if (!p->fn(r, status))
			return false;
	}
	return true;
}

bool rules_mutate(const struct rules_request *request, struct api_status *status)
{
	return run(mutating, KT_COUNT(mutating), request, status);
}

bool rules_prepare(const struct rules_request *request, struct api_status *status)
{
	return run(preparing, KT_COUNT(preparing), request, status);
}

bool rules_admit(const struct rules_request *request, struct api_status *status)
{
	return run(validating, KT_COUNT(validating), request, status);
}

/* --- what plugins share --- */

bool admit_is(const struct rules_request *r, const char *group, const char *kind)
{
	return strcmp(r->kind->kind, kind) == 0 && strcmp(r->kind->group, group) == 0;
}

bool admit_forbid(const struct rules_request *r, struct api_status *status, const char *fmt, ...)
{
	struct kt_buf text = {0};
	const char *name =
	        r->name && *r->name
	                ? r->name
	                : kt_str_or(kt_path(r->object ? *r->object : NULL, "metadata.generateName"), "");
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	api_fail_forbidden(status, r->kind, name, kt_buf_str(&text));
	kt_buf_clear(&text);
	return false;
}

void admit_warn(const struct rules_request *r, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	if (!r->warnings)
		return;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	kt_strs_steal(r->warnings, kt_buf_take(&text));
}

const struct kt_json *admit_get(const struct rules_request *r, const char *group, const char *kind,
                                const char *ns, const char *name)
{
	const struct schema_kind *k = schema_stored(cluster_schema(r->cluster), group, kind);
	const struct store_object *object = store_get(cluster_store(r->cluster), k, ns, name);
	return object ? object->json : NULL;
}

static int rank(const struct schema_type *type, const char *name)
{
	const struct schema_field *field = schema_field_named(type, name);
	return field ? (int)(field - type->fields) : INT32_MAX;
}

static int by_field(const char *a, const char *b, void *arg)
{
	const struct schema_type *type = *(const struct schema_type *const *)arg;
	int x = rank(type, a), y = rank(type, b);
	return x < y ? -1 : x > y;
}

void admit_reorder(const struct schema_type *type, struct kt_json **object)
{
	for (size_t i = 1, n = kt_count(*object); i < n; i++) {
		if (rank(type, kt_key(*object, i - 1)) > rank(type, kt_key(*object, i))) {
			kt_sort_keys(object, by_field, &type);
			return;
		}
	}
}

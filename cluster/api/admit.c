/* SPDX-License-Identifier: MIT */
/* The admission chain: which plugins see which requests, in the order of the real server
 * (kubernetes pkg/kubeapiserver/options/plugins.go). */
#include "cluster/api/admit.h"
#include "cluster/api/state.h"

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
        {"", "Node", CREATE | UPDATE, admit_node},
        {"", "Pod", CREATE | UPDATE, admit_node},
        {"", "Pod", CREATE, admit_priority},
        {"scheduling.k8s.io", "PriorityClass", CREATE | UPDATE, admit_priority_class},
        {"", "Pod", CREATE | UPDATE, admit_tolerations},
        {"", "PersistentVolumeClaim", CREATE, admit_storage_class},
        {"", "Pod", CREATE, admit_runtime_class},
        {"networking.k8s.io", "Ingress", CREATE, admit_ingress_class},
        {"", "Pod", CREATE, admit_pod_order},
        {"", NULL, CREATE | UPDATE | DELETE, admit_mutating_webhooks},
        /* no plugin: the storage of roles looks before it validates (registry/rbac policybased) */
        {"rbac.authorization.k8s.io", NULL, CREATE | UPDATE, admit_escalation},
};

/* No plugins: the storage does this when it has made up the name. */
static const struct plugin preparing[] = {
        {"batch", "Job", CREATE, admit_job},
};

static const struct plugin validating[] = {
        {"", "Pod", DELETE, admit_node},
        {"", "Namespace", DELETE, admit_immortal_namespace},
        {"scheduling.k8s.io", "PriorityClass", DELETE, admit_system_priority},
        {"", "Pod", CREATE, admit_overhead},
        {"", "Pod", CREATE, admit_limits},
        {"", "PersistentVolumeClaim", CREATE | UPDATE, admit_limits},
        {"", NULL, CREATE | UPDATE, admit_pod_security},
        {"", "Namespace", CREATE | UPDATE, admit_security_labels},
        {"certificates.k8s.io", "CertificateSigningRequest", UPDATE, admit_csr_approval},
        {"certificates.k8s.io", "CertificateSigningRequest", UPDATE, admit_csr_signing},
        {"certificates.k8s.io", "CertificateSigningRequest", CREATE, admit_csr_subject},
        {"", "PersistentVolumeClaim", UPDATE, admit_claim_resize},
        {"", NULL, CREATE | UPDATE | DELETE, admit_policies},
        {"", NULL, CREATE | UPDATE | DELETE, admit_validating_webhooks},
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

bool admit_is_trusted(const struct rules_request *r)
{
	return !r->user || !r->user->name || r->user->groups.count == 0;
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

struct ranked {
	int rank;
	size_t at;
};

/* Mostly in order: insertion is the fastest. */
static void sort_ranked(struct ranked *list, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct ranked one = list[i];
		size_t k = i;
		for (; k && list[k - 1].rank > one.rank; k--)
			list[k] = list[k - 1];
		list[k] = one;
	}
}

void admit_reorder(const struct schema_type *type, struct kt_json **object)
{
	size_t count = kt_count(*object);
	struct ranked small[64], *list = count > KT_COUNT(small) ? kt_alloc(count * sizeof(*list)) : small;
	bool in_order = true;
	for (size_t i = 0; i < count; i++) {
		list[i] = (struct ranked){rank(type, kt_key(*object, i)), i};
		in_order = in_order && (!i || list[i - 1].rank <= list[i].rank);
	}
	if (!in_order) {
		struct kt_json_member *members = kt_alloc(count * sizeof(*members));
		sort_ranked(list, count);
		for (size_t i = 0; i < count; i++)
			members[i] = (struct kt_json_member){kt_key(*object, list[i].at),
			                                     kt_json_ref(kt_at(*object, list[i].at))};
		struct kt_json *ordered = kt_json_members(members, count);
		kt_free(members);
		kt_json_free(*object);
		*object = ordered;
	}
	if (list != small)
		kt_free(list);
}

struct kt_json *admit_common(const struct rules_request *r, const char *text)
{
	struct kt_json **all = &cluster_api_state(r->cluster)->common;
	if (!kt_get(*all, text)) {
		struct kt_json *made = NULL;
		if (kt_json_parse(text, strlen(text), NULL, &made, NULL, NULL))
			kt_bug("not JSON: %s", text);
		kt_set(all, text, made);
	}
	return kt_json_ref(kt_get(*all, text));
}

/* SPDX-License-Identifier: MIT */
/* ResourceQuota: apiserver pkg/admission/plugin/resourcequota, kubernetes pkg/quota/v1/evaluator/core. What
 * is used is counted in the store at the moment of the request, so that no two requests can pass on one
 * remainder. */
#include "cluster/api/admit.h"

#include <stdlib.h>
#include <string.h>

/* --- amounts: {"requests.cpu": {milli}} kept as JSON numbers of milli-units, with the format of the quantity
 * --- */

static void add(struct kt_json **usage, const char *name, int64_t milli)
{
	kt_set(usage, name, kt_json_int(kt_get_int(*usage, name, 0) + milli));
}

static int64_t milli_of(const char *text)
{
	struct kt_quantity q = {0};
	return text && kt_quantity_parse(text, &q) ? q.milli : 0;
}

/* --- what an object uses --- */

static const char *const computed[] = {"cpu", "memory", "ephemeral-storage"};

/* A pod's total of a resource: its own, or of its containers together. */
static int64_t pod_total(const struct kt_json *spec, const char *member, const char *name)
{
	const char *own =
	        schema_pod_level(name) ? kt_get_str(kt_get(kt_get(spec, "resources"), member), name) : NULL;
	struct kt_json *sum = schema_pod_sum(spec, member);
	int64_t total = milli_of(own ? own : kt_get_str(sum, name));
	kt_json_free(sum);
	return total + milli_of(kt_get_str(kt_get(spec, "overhead"), name));
}

static void pod_usage(const struct kt_json *pod, struct kt_json **usage)
{
	const struct kt_json *spec = kt_get(pod, "spec"), *c;
	add(usage, "pods", 1000);
	add(usage, "count/pods", 1000);
	for (size_t i = 0; i < KT_COUNT(computed); i++) {
		char *request = kt_strf("requests.%s", computed[i]),
		     *limit = kt_strf("limits.%s", computed[i]);
		int64_t asked = pod_total(spec, "requests", computed[i]),
		        most = pod_total(spec, "limits", computed[i]);
		add(usage, computed[i], asked);
		add(usage, request, asked);
		add(usage, limit, most);
		kt_free(request);
		kt_free(limit);
	}
	/* extended resources: requests.NAME */
	KT_JSON_EACH (c, kt_get(spec, "containers")) {
		const struct kt_json *requests = kt_path(c, "resources.requests");
		for (size_t i = 0, n = kt_count(requests); i < n; i++) {
			if (!strchr(kt_key(requests, i), '/') &&
			    !kt_starts(kt_key(requests, i), "hugepages-"))
				continue;
			char *name = kt_strf("requests.%s", kt_key(requests, i));
			add(usage, name, milli_of(kt_str(kt_at(requests, i))));
			kt_free(name);
		}
	}
}

static void service_usage(const struct kt_json *service, struct kt_json **usage)
{
	const char *type = kt_str_or(kt_path(service, "spec.type"), "ClusterIP");
	int64_t ports = (int64_t)kt_count(kt_path(service, "spec.ports")) * 1000;
	add(usage, "services", 1000);
	if (strcmp(type, "LoadBalancer") == 0)
		add(usage, "services.loadbalancers", 1000);
	if (strcmp(type, "NodePort") == 0 ||
	    (strcmp(type, "LoadBalancer") == 0 &&
	     kt_path_bool(service, "spec.allocateLoadBalancerNodePorts", true)))
		add(usage, "services.nodeports", ports);
}

static void claim_usage(const struct kt_json *claim, struct kt_json **usage)
{
	int64_t storage = milli_of(kt_path_str(claim, "spec.resources.requests.storage"));
	const char *class = kt_path_str(claim, "spec.storageClassName");
	add(usage, "persistentvolumeclaims", 1000);
	add(usage, "requests.storage", storage);
	if (class && *class) {
		char *count = kt_strf("%s.storageclass.storage.k8s.io/persistentvolumeclaims", class);
		char *size = kt_strf("%s.storageclass.storage.k8s.io/requests.storage", class);
		add(usage, count, 1000);
		add(usage, size, storage);
		kt_free(count);
		kt_free(size);
	}
}

static struct kt_json *usage_of(const struct schema_kind *kind, const struct kt_json *object)
{
	static const char *const plain[] = {"configmaps", "secrets", "resourcequotas",
	                                    "replicationcontrollers"};
	struct kt_json *usage = kt_json_object();
	bool core = !*kind->group;
	char *count = core ? kt_strf("count/%s", kind->resource)
	                   : kt_strf("count/%s.%s", kind->resource, kind->group);
	if (core && strcmp(kind->kind, "Pod") == 0) {
		pod_usage(object, &usage);
	} else {
		add(&usage, count, 1000);
		if (core && strcmp(kind->kind, "Service") == 0)
			service_usage(object, &usage);
		if (core && strcmp(kind->kind, "PersistentVolumeClaim") == 0)
			claim_usage(object, &usage);
		for (size_t i = 0; core && i < KT_COUNT(plain); i++)
			if (strcmp(kind->resource, plain[i]) == 0)
				add(&usage, plain[i], 1000);
	}
	kt_free(count);
	return usage;
}

/* --- which quotas count it --- */

static bool is_best_effort(const struct kt_json *pod)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const struct kt_json *c;
	for (size_t l = 0; l < KT_COUNT(lists); l++)
		KT_JSON_EACH (c, kt_get(kt_get(pod, "spec"), lists[l]))
			for (size_t i = 0; i < 2; i++)
				if (kt_get(kt_path(c, "resources.requests"), computed[i]) ||
				    kt_get(kt_path(c, "resources.limits"), computed[i]))
					return false;
	return true;
}

static bool scope_fits(const char *scope, const char *op, const struct kt_json *values,
                       const struct kt_json *pod)
{
	const char *class = kt_str_or(kt_path(pod, "spec.priorityClassName"), "");
	if (strcmp(scope, "Terminating") == 0)
		return kt_path(pod, "spec.activeDeadlineSeconds") != NULL;
	if (strcmp(scope, "NotTerminating") == 0)
		return kt_path(pod, "spec.activeDeadlineSeconds") == NULL;
	if (strcmp(scope, "BestEffort") == 0)
		return is_best_effort(pod);
	if (strcmp(scope, "NotBestEffort") == 0)
		return !is_best_effort(pod);
	if (strcmp(scope, "PriorityClass") != 0)
		return false;
	if (strcmp(op, "In") == 0)
		return kt_has_word(values, class);
	if (strcmp(op, "NotIn") == 0)
		return !kt_has_word(values, class);
	return strcmp(op, "DoesNotExist") == 0 ? !*class : *class != '\0';
}

static bool scopes_fit(const struct kt_json *quota, const struct schema_kind *kind,
                       const struct kt_json *object)
{
	const struct kt_json *spec = kt_get(quota, "spec"), *item;
	bool pod = strcmp(kind->kind, "Pod") == 0 && !*kind->group;
	if (kt_count(kt_get(spec, "scopes")) + kt_count(kt_path(spec, "scopeSelector.matchExpressions")) >
	            0 &&
	    !pod)
		return false;
	KT_JSON_EACH (item, kt_get(spec, "scopes"))
		if (!scope_fits(kt_str_or(item, ""), "Exists", NULL, object))
			return false;
	KT_JSON_EACH (item, kt_path(spec, "scopeSelector.matchExpressions"))
		if (!scope_fits(kt_str_or(kt_get(item, "scopeName"), ""),
		                kt_str_or(kt_get(item, "operator"), ""), kt_get(item, "values"), object))
			return false;
	return true;
}

static bool is_over(const struct kt_json *object)
{
	const char *phase = kt_path_str(object, "status.phase");
	return kt_streq(phase, "Succeeded") || kt_streq(phase, "Failed");
}

static void add_all(struct kt_json **to, const struct kt_json *usage)
{
	for (size_t i = 0, n = kt_count(usage); i < n; i++)
		add(to, kt_key(usage, i), kt_int_or(kt_at(usage, i), 0));
}

static struct kt_json *used_now(const struct rules_request *r, const struct kt_json *quota)
{
	struct kt_json *used = kt_json_object();
	const struct store_object *object;
	bool pod = strcmp(r->kind->kind, "Pod") == 0;
	STORE_EACH (object, cluster_store(r->cluster), r->kind, r->ns) {
		if ((pod && is_over(object->json)) || !scopes_fit(quota, r->kind, object->json))
			continue;
		struct kt_json *usage = usage_of(r->kind, object->json);
		add_all(&used, usage);
		kt_json_free(usage);
	}
	return used;
}

/* --- checks --- */

/* "limits.memory for: a,b": containers that leave out what the quota counts. */
static void must_specify(const struct kt_json *hard, const struct kt_json *pod, struct kt_strs *lines)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const struct kt_json *c, *level = kt_path(pod, "spec.resources");
	if (kt_count(kt_get(level, "requests")) + kt_count(kt_get(level, "limits")) > 0)
		return; /* the pod as a whole says it */
	for (size_t i = 0, n = kt_count(hard); i < n; i++) {
		const char *name = kt_key(hard, i);
		bool limit = kt_starts(name, "limits.");
		const char *resource = limit ? name + 7 : kt_starts(name, "requests.") ? name + 9 : name;
		struct kt_buf names = {0};
		bool counted = false;
		for (size_t k = 0; k < KT_COUNT(computed); k++)
			counted = counted || strcmp(computed[k], resource) == 0;
		for (size_t l = 0; counted && l < KT_COUNT(lists); l++)
			KT_JSON_EACH (c, kt_get(kt_get(pod, "spec"), lists[l]))
				if (!kt_get(kt_path(c, limit ? "resources.limits" : "resources.requests"),
				            resource))
					kt_buf_addf(&names, "%s%s", names.len > 0 ? "," : "",
					            kt_str_or(kt_get(c, "name"), ""));
		if (names.len > 0)
			kt_strs_steal(lines, kt_strf("%s for: %s", name, kt_buf_str(&names)));
		kt_buf_clear(&names);
	}
	kt_strs_sort(lines);
}

static char *amount(int64_t milli, const char *like)
{
	struct kt_quantity q = {.format = KT_DECIMAL_SI};
	struct kt_buf text = {0};
	kt_quantity_parse(like, &q);
	kt_quantity_print_milli(milli, q.format, &text);
	return kt_buf_take(&text);
}

static void tell(struct kt_buf *out, const char *name, int64_t milli, const char *like)
{
	char *text = amount(milli, like);
	kt_buf_addf(out, "%s%s=%s", out->len > 0 ? "," : "", name, text);
	kt_free(text);
}

/* The quantity's own way of writing: memory in Mi where the object said Mi. */
static const char *written(const struct kt_json *object, const char *name, const char *hard)
{
	bool limit = kt_starts(name, "limits.");
	const char *resource = limit ? name + 7 : kt_starts(name, "requests.") ? name + 9 : name;
	const struct kt_json *c;
	KT_JSON_EACH (c, kt_path(object, "spec.containers")) {
		const char *text =
		        kt_get_str(kt_path(c, limit ? "resources.limits" : "resources.requests"), resource);
		if (text)
			return text;
	}
	const char *storage = kt_path_str(object, "spec.resources.requests.storage");
	return storage && strstr(name, "storage") ? storage : hard;
}

static bool check_quota(const struct rules_request *r, const struct kt_json *quota,
                        const struct kt_json *usage, const struct kt_json *before, struct api_status *status)
{
	const struct kt_json *hard = kt_path(quota, "spec.hard");
	struct kt_json *used = used_now(r, quota);
	struct kt_buf requested = {0}, has = {0}, limited = {0};
	struct kt_strs names = {0};
	for (size_t i = 0, n = kt_count(hard); i < n; i++)
		kt_strs_add(&names, kt_key(hard, i));
	kt_strs_sort(&names);
	for (size_t i = 0; i < names.count; i++) {
		const char *name = names.items[i], *bound = kt_str_or(kt_get(hard, name), "0");
		int64_t delta = kt_get_int(usage, name, 0) - kt_get_int(before, name, 0),
		        is = kt_get_int(used, name, 0);
		if (!kt_get(usage, name) || delta <= 0 || is + delta <= milli_of(bound))
			continue;
		const char *like = written(*r->object, name, bound);
		tell(&requested, name, delta, like);
		tell(&has, name, is, like);
		kt_buf_addf(&limited, "%s%s=%s", limited.len > 0 ? "," : "", name, bound);
	}
	bool fine = requested.len == 0;
	if (!fine)
		admit_forbid(r, status, "exceeded quota: %s, requested: %s, used: %s, limited: %s",
		             kt_path_str(quota, "metadata.name"), kt_buf_str(&requested), kt_buf_str(&has),
		             kt_buf_str(&limited));
	kt_buf_clear(&requested);
	kt_buf_clear(&has);
	kt_buf_clear(&limited);
	kt_strs_clear(&names);
	kt_json_free(used);
	return fine;
}

static bool check_specified(const struct rules_request *r, const struct kt_json *quota,
                            struct api_status *status)
{
	struct kt_strs lines = {0};
	must_specify(kt_path(quota, "spec.hard"), *r->object, &lines);
	bool fine = lines.count == 0;
	if (!fine) {
		struct kt_buf text = {0};
		for (size_t i = 0; i < lines.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? "; " : "", lines.items[i]);
		admit_forbid(r, status, "failed quota: %s: must specify %s",
		             kt_path_str(quota, "metadata.name"), kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	kt_strs_clear(&lines);
	return fine;
}

bool admit_quota(const struct rules_request *r, struct api_status *status)
{
	const struct schema_kind *kind = schema_stored(cluster_schema(r->cluster), "", "ResourceQuota");
	const struct store_object *quota;
	struct kt_json *usage, *before;
	bool fine = true, create = r->operation == RULES_CREATE;
	if (!r->kind->namespaced || *r->subresource ||
	    store_count(cluster_store(r->cluster), kind, r->ns) == 0 ||
	    (!create && strcmp(r->kind->kind, "PersistentVolumeClaim") != 0 &&
	     strcmp(r->kind->kind, "Service") != 0))
		return true;
	usage = usage_of(r->kind, *r->object);
	before = create ? NULL : usage_of(r->kind, r->old);
	STORE_EACH (quota, cluster_store(r->cluster), kind, r->ns) {
		if (!fine || !scopes_fit(quota->json, r->kind, *r->object))
			continue;
		fine = strcmp(r->kind->kind, "Pod") != 0 || check_specified(r, quota->json, status);
		fine = fine && check_quota(r, quota->json, usage, before, status);
	}
	kt_json_free(usage);
	kt_json_free(before);
	return fine;
}

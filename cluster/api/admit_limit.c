/* SPDX-License-Identifier: MIT */
/* LimitRanger: kubernetes plugin/pkg/admission/limitranger/admission.go. */
#include "cluster/api/admit.h"

#include <stdlib.h>
#include <string.h>

#define ANNOTATION "kubernetes.io/limit-ranger"

static const struct schema_kind *limit_kind(const struct rules_request *r)
{
	return schema_stored(cluster_schema(r->cluster), "", "LimitRange");
}

/* --- defaults --- */

struct defaults {
	const struct kt_json *limits, *requests;
};

/* What the ranges of the namespace say for a container: default limits, and requests from defaultRequest. */
static void gather(const struct kt_json *range, struct kt_json **limits, struct kt_json **requests)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_path(range, "spec.limits")) {
		const struct kt_json *deflt = kt_get(item, "default"),
		                     *request = kt_get(item, "defaultRequest");
		if (!kt_streq(kt_get_str(item, "type"), "Container"))
			continue;
		for (size_t i = 0, n = kt_count(deflt); i < n; i++)
			kt_set(limits, kt_key(deflt, i), kt_json_ref(kt_at(deflt, i)));
		for (size_t i = 0, n = kt_count(request); i < n; i++)
			kt_set(requests, kt_key(request, i), kt_json_ref(kt_at(request, i)));
	}
}

/* Put what is missing; tell which in "cpu, memory limit for container c". */
static void merge(struct kt_json **container, const char *member, const struct kt_json *values,
                  const char *word, const char *init, struct kt_strs *told)
{
	struct kt_strs set = {0};
	for (size_t i = 0, n = kt_count(values); i < n; i++) {
		if (kt_get(kt_get(kt_get(*container, "resources"), member), kt_key(values, i)))
			continue;
		kt_set(kt_edit(kt_edit(container, "resources"), member), kt_key(values, i),
		       kt_json_ref(kt_at(values, i)));
		kt_strs_add(&set, kt_key(values, i));
	}
	if (set.count > 0) {
		struct kt_buf text = {0};
		kt_strs_sort(&set);
		for (size_t i = 0; i < set.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? ", " : "", set.items[i]);
		kt_buf_addf(&text, " %s for %scontainer %s", word, init,
		            kt_str_or(kt_get(*container, "name"), ""));
		kt_strs_steal(told, kt_buf_take(&text));
	}
	kt_strs_clear(&set);
}

static void fill(struct kt_json **spec, const char *list, const char *init, const struct kt_json *limits,
                 const struct kt_json *requests, const struct schema_type *resources, struct kt_strs *told)
{
	for (size_t i = 0, n = kt_count(kt_get(*spec, list)); i < n; i++) {
		struct kt_json **container = kt_edit_at(kt_edit(spec, list), i);
		merge(container, "requests", requests, "request", init, told);
		merge(container, "limits", limits, "limit", init, told);
		if (resources && kt_get(*container, "resources"))
			admit_reorder(resources, kt_edit(container, "resources"));
	}
}

bool admit_limit_defaults(const struct rules_request *r, struct api_status *status)
{
	const struct schema_type *resources =
	        schema_type_named(cluster_schema(r->cluster), "core.v1.ResourceRequirements");
	const struct store_object *range;
	struct kt_strs told = {0};
	(void)status;
	if (*r->subresource || store_count(cluster_store(r->cluster), limit_kind(r), r->ns) == 0)
		return true;
	STORE_EACH (range, cluster_store(r->cluster), limit_kind(r), r->ns) {
		struct kt_json *limits = kt_json_object(), *requests = kt_json_object();
		gather(range->json, &limits, &requests);
		struct kt_json **spec = kt_edit(r->object, "spec");
		fill(spec, "containers", "", limits, requests, resources, &told);
		fill(spec, "initContainers", "init ", limits, requests, resources, &told);
		kt_json_free(limits);
		kt_json_free(requests);
	}
	if (told.count > 0) {
		struct kt_buf text = {0};
		kt_buf_adds(&text, "LimitRanger plugin set: ");
		for (size_t i = 0; i < told.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? "; " : "", told.items[i]);
		kt_set(kt_edit(kt_edit(r->object, "metadata"), "annotations"), ANNOTATION,
		       kt_json_str(kt_buf_str(&text)));
		kt_buf_clear(&text);
	}
	kt_strs_clear(&told);
	return true;
}

/* --- checks --- */

static int compare(const char *a, const char *b)
{
	return kt_quantity_compare(a, b);
}

static void check_min(struct kt_strs *faults, const char *type, const char *name, const char *bound,
                      const char *request, const char *limit)
{
	if (!request)
		kt_strs_steal(faults, kt_strf("minimum %s usage per %s is %s.  No request is specified", name,
		                              type, bound));
	else if (compare(request, bound) < 0)
		kt_strs_steal(faults, kt_strf("minimum %s usage per %s is %s, but request is %s", name, type,
		                              bound, request));
	else if (limit && compare(limit, bound) < 0)
		kt_strs_steal(faults, kt_strf("minimum %s usage per %s is %s, but limit is %s", name, type,
		                              bound, limit));
}

static void check_max(struct kt_strs *faults, const char *type, const char *name, const char *bound,
                      const char *request, const char *limit)
{
	if (!limit)
		kt_strs_steal(faults, kt_strf("maximum %s usage per %s is %s.  No limit is specified", name,
		                              type, bound));
	else if (compare(limit, bound) > 0)
		kt_strs_steal(faults, kt_strf("maximum %s usage per %s is %s, but limit is %s", name, type,
		                              bound, limit));
	else if (request && compare(request, bound) > 0)
		kt_strs_steal(faults, kt_strf("maximum %s usage per %s is %s, but request is %s", name, type,
		                              bound, request));
}

static void check_ratio(struct kt_strs *faults, const char *type, const char *name, const char *bound,
                        const char *request, const char *limit)
{
	struct kt_quantity b, q, l;
	if (!request || !kt_quantity_parse(request, &q) || q.milli == 0) {
		kt_strs_steal(faults, kt_strf("%s max limit to request ratio per %s is %s, but no request is "
		                              "specified or request is 0",
		                              name, type, bound));
		return;
	}
	if (!limit || !kt_quantity_parse(limit, &l) || l.milli == 0) {
		kt_strs_steal(faults, kt_strf("%s max limit to request ratio per %s is %s, but no limit is "
		                              "specified or limit is 0",
		                              name, type, bound));
		return;
	}
	double ratio = (double)l.milli / (double)q.milli;
	if (kt_quantity_parse(bound, &b) && ratio > (double)b.milli / 1000)
		kt_strs_steal(faults,
		              kt_strf("%s max limit to request ratio per %s is %s, but provided ratio is %f",
		                      name, type, bound, ratio));
}

typedef void check_fn(struct kt_strs *, const char *, const char *, const char *, const char *, const char *);

static void check(const struct kt_json *item, const char *type, const struct kt_json *requests,
                  const struct kt_json *limits, struct kt_strs *faults)
{
	static const struct {
		const char *member;
		check_fn *fn;
	} checks[] = {{"min", check_min}, {"max", check_max}, {"maxLimitRequestRatio", check_ratio}};
	for (size_t c = 0; c < KT_COUNT(checks); c++) {
		const struct kt_json *bounds = kt_get(item, checks[c].member);
		for (size_t i = 0, n = kt_count(bounds); i < n; i++) {
			const char *name = kt_key(bounds, i);
			checks[c].fn(faults, type, name, kt_str_or(kt_at(bounds, i), "0"),
			             kt_get_str(requests, name), kt_get_str(limits, name));
		}
	}
}

/* The sum over a pod's containers of what they ask of each resource. */
static struct kt_json *sum(const struct kt_json *spec, const char *member)
{
	struct kt_json *total = kt_json_object();
	const struct kt_json *c;
	KT_JSON_EACH (c, kt_get(spec, "containers")) {
		const struct kt_json *values = kt_get(kt_get(c, "resources"), member);
		for (size_t i = 0, n = kt_count(values); i < n; i++) {
			struct kt_quantity a = {0}, b = {0};
			struct kt_buf text = {0};
			kt_quantity_parse(kt_str_or(kt_get(total, kt_key(values, i)), "0"), &a);
			kt_quantity_parse(kt_str_or(kt_at(values, i), "0"), &b);
			kt_quantity_print_milli(a.milli + b.milli, b.format, &text);
			kt_set(&total, kt_key(values, i), kt_json_str(kt_buf_str(&text)));
			kt_buf_clear(&text);
		}
	}
	const struct kt_json *own = kt_get(kt_get(spec, "resources"), member);
	for (size_t i = 0, n = kt_count(own); i < n; i++)
		kt_set(&total, kt_key(own, i), kt_json_ref(kt_at(own, i)));
	return total;
}

static void check_pod(const struct kt_json *item, const struct kt_json *spec, struct kt_strs *faults)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const char *type = kt_str_or(kt_get(item, "type"), "");
	const struct kt_json *c;
	for (size_t l = 0; strcmp(type, "Container") == 0 && l < KT_COUNT(lists); l++)
		KT_JSON_EACH (c, kt_get(spec, lists[l]))
			check(item, type, kt_path(c, "resources.requests"), kt_path(c, "resources.limits"),
			      faults);
	if (strcmp(type, "Pod") == 0) {
		struct kt_json *requests = sum(spec, "requests"), *limits = sum(spec, "limits");
		check(item, type, requests, limits, faults);
		kt_json_free(requests);
		kt_json_free(limits);
	}
}

static void check_claim(const struct kt_json *item, const struct kt_json *spec, struct kt_strs *faults)
{
	const char *request = kt_path_str(spec, "resources.requests.storage"),
	           *min = kt_path_str(item, "min.storage");
	const char *max = kt_path_str(item, "max.storage");
	if (!kt_streq(kt_get_str(item, "type"), "PersistentVolumeClaim") || !request)
		return;
	if (min)
		check_min(faults, "PersistentVolumeClaim", "storage", min, request, NULL);
	if (max && compare(request, max) > 0)
		kt_strs_steal(
		        faults,
		        kt_strf("maximum storage usage per PersistentVolumeClaim is %s, but request is %s",
		                max, request));
}

bool admit_limits(const struct rules_request *r, struct api_status *status)
{
	const struct store_object *range;
	const struct kt_json *item, *spec = kt_get(*r->object, "spec");
	bool pod = strcmp(r->kind->kind, "Pod") == 0, fine = true;
	if (*r->subresource || store_count(cluster_store(r->cluster), limit_kind(r), r->ns) == 0)
		return true;
	STORE_EACH (range, cluster_store(r->cluster), limit_kind(r), r->ns) {
		struct kt_strs faults = {0};
		struct kt_buf text = {0};
		KT_JSON_EACH (item, kt_path(range->json, "spec.limits"))
			(pod ? check_pod : check_claim)(item, spec, &faults);
		for (size_t i = 0; i < faults.count; i++)
			kt_buf_addf(&text, "%s%s", i > 0 ? ", " : "", faults.items[i]);
		if (faults.count > 0)
			fine = admit_forbid(r, status, faults.count > 1 ? "[%s]" : "%s", kt_buf_str(&text));
		kt_strs_clear(&faults);
		kt_buf_clear(&text);
		if (!fine)
			break;
	}
	return fine;
}

/* SPDX-License-Identifier: MIT */
/* Amounts that containers and pods ask for: kubernetes pkg/apis/core/validation/validation.go
 * validateResourceRequirements, validatePodResources. */
#include "cluster/api/validate.h"

#include <string.h>

/* Native resources have no domain, or that of Kubernetes. */
static bool is_native(const char *name)
{
	return !strchr(name, '/') || strstr(name, "kubernetes.io/");
}

bool v_standard_resource(const char *name)
{
	static const char *const standard[] = {"cpu",
	                                       "memory",
	                                       "ephemeral-storage",
	                                       "requests.cpu",
	                                       "requests.memory",
	                                       "requests.ephemeral-storage",
	                                       "limits.cpu",
	                                       "limits.memory",
	                                       "limits.ephemeral-storage",
	                                       "pods",
	                                       "resourcequotas",
	                                       "services",
	                                       "replicationcontrollers",
	                                       "secrets",
	                                       "configmaps",
	                                       "persistentvolumeclaims",
	                                       "storage",
	                                       "requests.storage",
	                                       "services.nodeports",
	                                       "services.loadbalancers"};
	for (size_t i = 0; i < KT_COUNT(standard); i++)
		if (strcmp(name, standard[i]) == 0)
			return true;
	return kt_starts(name, "hugepages-") || kt_starts(name, "requests.hugepages-");
}

bool v_resource_name(const char *name, struct kt_strs *out)
{
	size_t before = out->count;
	v_qualified_name(name, out);
	if (out->count > before)
		return false;
	if (strchr(name, '/') || v_standard_resource(name))
		return true;
	kt_strs_add(out, "must be a standard resource type or fully qualified");
	return false;
}

/* helper.IsExtendedResourceName: fit to be counted by a quota as "requests.NAME". */
static bool is_extended(const char *name)
{
	struct kt_strs faults = {0};
	char *counted = kt_strf("requests.%s", name);
	v_qualified_name(counted, &faults);
	bool fine = faults.count == 0 && !kt_starts(name, "requests.");
	kt_strs_clear(&faults);
	kt_free(counted);
	return fine;
}

/* `of_pod`: of a pod as a whole. */
static void resource_name(struct v *v, const struct v_path *path, const char *name, bool of_pod)
{
	struct kt_strs faults = {0};
	v_resource_name(name, &faults);
	for (size_t i = 0; i < faults.count; i++)
		v_invalid_str(v, path, name, "%s", faults.items[i]);
	bool named = faults.count == 0;
	kt_strs_clear(&faults);
	if (of_pod) {
		struct kt_json *shown = kt_json_str(name);
		if (named && !schema_pod_level(name))
			v_unsupported(v, path, shown, V_WORDS("cpu", "hugepages-", "memory"));
		kt_json_free(shown);
		return;
	}
	if (!strchr(name, '/') && strcmp(name, "cpu") && strcmp(name, "memory") &&
	    strcmp(name, "ephemeral-storage") && !kt_starts(name, "hugepages-"))
		v_invalid_str(v, path, name, "must be a standard resource for containers");
	else if (strchr(name, '/') && !is_native(name) && !is_extended(name))
		v_invalid_str(v, path, name, "doesn't follow extended resource name standard");
}

void v_container_resource(struct v *v, const struct v_path *path, const char *name)
{
	resource_name(v, path, name, false);
}

static void huge_pages(struct v *v, const struct v_path *path, const char *name, const struct kt_json *value)
{
	struct kt_quantity page, is;
	if (!kt_starts(name, "hugepages-") || !kt_quantity_parse(name + strlen("hugepages-"), &page) ||
	    !kt_quantity_parse(kt_str_or(value, ""), &is))
		return;
	if (page.milli <= 0 || is.milli < 0 || is.milli % page.milli != 0)
		v_invalid(v, path, value, "%s is not positive integer multiple of %s", kt_str_or(value, ""),
		          name);
}

static void claims(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	const struct kt_json *of_pod = kt_get(v->pod, "resourceClaims"), *claim, *item;
	KT_JSON_EACH (claim, list) {
		const struct v_path *at = V_AT(path, claim_i);
		const char *name = kt_get_text(claim, "name");
		struct kt_buf detail = {0};
		if (!*name) {
			v_required(v, at, "");
			continue;
		}
		if (kt_find(list, "name", name) < (ptrdiff_t)claim_i)
			v_duplicate(v, at, kt_get(claim, "name"));
		if (kt_find(of_pod, "name", name) >= 0)
			continue;
		kt_buf_adds(&detail, "must be one of the names in pod.spec.resourceClaims");
		if (kt_count(of_pod) == 0)
			kt_buf_adds(&detail, " which is empty");
		struct kt_strs names = {0};
		KT_JSON_EACH (item, of_pod)
			if (!kt_strs_has(&names, kt_get_text(item, "name")))
				kt_strs_add(&names, kt_get_text(item, "name"));
		kt_strs_sort(&names);
		for (size_t i = 0; i < names.count; i++)
			kt_buf_addf(&detail, "%s%s", i == 0 ? ": " : ", ", names.items[i]);
		kt_strs_clear(&names);
		v_not_found_because(v, at, kt_get(claim, "name"), kt_buf_str(&detail));
		kt_buf_clear(&detail);
	}
}

/* spec.resourceClaims of a pod. */
void v_pod_claims(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	static const char *const sources[] = {"resourceClaimName", "resourceClaimTemplateName"};
	static const char *const faults[] = {
	        "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`", NULL,
	        "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"};
	const struct kt_json *claim;
	KT_JSON_EACH (claim, list) {
		const struct v_path *at = V_AT(path, claim_i);
		const char *name = kt_get_text(claim, "name");
		size_t given = 0;
		if (!*name)
			v_required(v, V_IN(at, "name"), "");
		else if (kt_find(list, "name", name) < (ptrdiff_t)claim_i)
			v_duplicate(v, V_IN(at, "name"), kt_get(claim, "name"));
		else
			v_check(v, V_IN(at, "name"), name, v_dns_label);
		for (size_t i = 0; i < KT_COUNT(sources); i++)
			given += kt_get(claim, sources[i]) != NULL;
		if (faults[given])
			v_invalid_steal(v, at, v_internal(v, "PodResourceClaim", claim), "%s", faults[given]);
		for (size_t i = 0; i < KT_COUNT(sources); i++)
			if (kt_get(claim, sources[i]))
				v_check(v, V_IN(at, sources[i]), kt_get_text(claim, sources[i]),
				        v_dns_subdomain);
	}
}

void v_quantity_min(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	if (kt_str(value) && kt_quantity_compare(kt_str(value), "0") < 0)
		v_invalid(v, path, value, "must be greater than or equal to 0");
}

static void resource_quantity(struct v *v, const struct v_path *path, const char *name,
                              const struct kt_json *value)
{
	struct kt_quantity q;
	v_quantity_min(v, path, value);
	if (!is_native(name) && kt_str(value) && kt_quantity_parse(kt_str(value), &q) && q.milli % 1000 != 0)
		v_invalid(v, path, value, "must be an integer");
}

static void requirements(struct v *v, const struct v_path *path, const struct kt_json *resources, bool of_pod)
{
	const struct kt_json *limits = kt_get(resources, "limits"), *requests = kt_get(resources, "requests");
	const struct v_path *lp = V_IN(path, "limits"), *rp = V_IN(path, "requests");
	bool huge = false, base = false;
	for (size_t i = 0, n = kt_count(limits); i < n; i++) {
		const char *name = kt_key(limits, i);
		resource_name(v, V_KEY(lp, name), name, of_pod);
		resource_quantity(v, V_KEY(lp, name), name, kt_at(limits, i));
		huge_pages(v, V_KEY(lp, name), name, kt_at(limits, i));
		huge = huge || kt_starts(name, "hugepages-");
		base = base || strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0;
	}
	for (size_t i = 0, n = kt_count(requests); i < n; i++) {
		const char *name = kt_key(requests, i), *is = kt_str_or(kt_at(requests, i), "0"),
		           *limit = kt_get_str(limits, name);
		bool overcommit = is_native(name) && !kt_starts(name, "hugepages-");
		resource_name(v, V_KEY(rp, name), name, of_pod);
		resource_quantity(v, V_KEY(rp, name), name, kt_at(requests, i));
		huge = huge || kt_starts(name, "hugepages-");
		base = base || strcmp(name, "cpu") == 0 || strcmp(name, "memory") == 0;
		huge_pages(v, V_KEY(rp, name), name, kt_at(requests, i));
		if (!limit && !overcommit)
			v_required(v, lp, "Limit must be set for non overcommitable resources");
		else if (limit && !overcommit && kt_quantity_compare(is, limit) != 0)
			v_invalid_str(v, rp, is, "must be equal to %s limit of %s", name, limit);
		else if (limit && kt_quantity_compare(is, limit) > 0)
			v_invalid_str(v, rp, is, "must be less than or equal to %s limit of %s", name, limit);
	}
	if (huge && !base)
		v_forbidden(v, path, "HugePages require cpu or memory");
	claims(v, V_IN(path, "claims"), kt_get(resources, "claims"));
}

void v_resources(struct v *v, const struct v_path *path, const struct kt_json *resources)
{
	requirements(v, path, resources, false);
}

/* No container, nor all of them together, has more than the pod (validatePodResourceConsistency). */
static void fits_pod(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *requests = kt_path(spec, "resources.requests"),
	                     *limits = kt_path(spec, "resources.limits"), *c;
	struct kt_json *asked = schema_pod_sum(spec, "requests"), *most = schema_pod_sum(spec, "limits");
	for (size_t i = 0, n = kt_count(asked); i < n; i++) {
		const char *name = kt_key(asked, i), *sum = kt_str_or(kt_at(asked, i), "0"),
		           *own = kt_get_str(requests, name);
		if (own && kt_quantity_compare(sum, own) > 0)
			v_invalid_str(v, V_KEY(V_IN(path, "requests"), name), own,
			              "must be greater than or equal to aggregate container requests of %s",
			              sum);
	}
	for (size_t i = 0, n = kt_count(most); i < n; i++) {
		const char *name = kt_key(most, i), *sum = kt_str_or(kt_at(most, i), "0"),
		           *own = kt_get_str(limits, name);
		if (own && kt_starts(name, "hugepages-") && kt_quantity_compare(sum, own) > 0)
			v_invalid_str(v, V_KEY(V_IN(path, "limits"), name), own,
			              "must be greater than or equal to aggregate container limits of %s",
			              sum);
	}
	KT_JSON_EACH (c, kt_get(spec, "containers")) {
		const struct kt_json *mine = kt_path(c, "resources.limits");
		for (size_t i = 0, n = kt_count(mine); i < n; i++) {
			const char *name = kt_key(mine, i), *is = kt_str_or(kt_at(mine, i), "0"),
			           *own = kt_get_str(limits, name);
			if (own && kt_quantity_compare(is, own) > 0)
				v_invalid_str(
				        v, V_IN(V_KEY(V_AT(V_IN(path, "containers"), c_i), name), "limits"),
				        is, "must be less than or equal to pod limits of %s", own);
		}
	}
	kt_json_free(asked);
	kt_json_free(most);
}

void v_pod_resources(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct kt_json *resources = kt_get(spec, "resources");
	if (!resources)
		return;
	if (kt_streq(kt_path_str(spec, "os.name"), "windows")) {
		v_forbidden(v, path, "may not be set for a windows pod");
		return;
	}
	if (kt_get(resources, "claims"))
		v_forbidden(v, V_IN(path, "claims"), "claims may not be set for Resources at pod-level");
	requirements(v, path, resources, true);
	fits_pod(v, path, spec);
}

/* SPDX-License-Identifier: MIT */
/* Devices of dynamic resource allocation: kubernetes pkg/apis/resource/validation. What belongs to features
 * that are off in 1.34 (taints, counters, consumable capacity, binding conditions) is dropped before it gets
 * here (gates.c). */
#include "cluster/api/validate.h"

#include <inttypes.h>
#include <string.h>

#include "cluster/cel/cel.h"

#define GROUP "resource.k8s.io"

enum {
	MOST_REQUESTS = 32,
	MOST_CONSTRAINTS = 32,
	MOST_CONFIGS = 32,
	MOST_SELECTORS = 32,
	MOST_FIRST = 8,
	MOST_DEVICES = 128,
	MOST_ATTRIBUTES = 32,
	MOST_RESERVED = 256,
	MOST_PARAMETERS = 10 * 1024,
	MOST_EXPRESSION = 10 * 1024,
	MOST_COST = 1000000,
	MOST_VALUE = 64,
	MOST_ID = 32,
	MOST_DOMAIN = 63,
	MOST_POOL = 253,
};

/* --- lists (validateSlice, validateSet) --- */

/* Each item by `fn`, then how many there are, then those that are there twice by their member `key` (NULL: as
 * they are). */
static void each(struct v *v, const struct v_path *path, const struct kt_json *list, size_t most, v_fn *fn,
                 bool set, const char *key)
{
	const struct kt_json *item;
	KT_JSON_EACH (item, list)
		fn(v, V_AT(path, item_i), item);
	if (kt_count(list) > most)
		v_too_many(v, path, kt_count(list), most);
	KT_JSON_EACH (item, list) {
		const struct kt_json *is = key ? kt_get(item, key) : item;
		bool twice = false;
		for (size_t i = 0; set && is && i < item_i && !twice; i++)
			twice = kt_equal(key ? kt_get(kt_at(list, i), key) : kt_at(list, i), is);
		if (twice && key)
			v_duplicate(v, V_IN(V_AT(path, item_i), key), is);
		else if (twice)
			v_duplicate(v, V_AT(path, item_i), is);
	}
}

/* --- names --- */

static void pool_name(struct v *v, const struct v_path *path, const char *name)
{
	const char *rest = name, *part;
	size_t len;
	if (!*name) {
		v_required(v, path, "");
		return;
	}
	if (strlen(name) > MOST_POOL)
		v_too_long(v, path, MOST_POOL);
	while (rest && (part = kt_split(&rest, '/', &len))) {
		char *one = kt_strndup(part, len);
		v_check(v, path, one, v_dns_subdomain);
		kt_free(one);
	}
}

static void identifier(struct v *v, const struct v_path *path, const char *id)
{
	if (strlen(id) > MOST_ID)
		v_too_long(v, path, MOST_ID);
	v_check(v, path, id, v_c_identifier);
}

/* "domain/identifier", or the latter alone. */
static void qualified(struct v *v, const struct v_path *path, const char *name)
{
	const char *slash = strchr(name, '/');
	if (!*name) {
		v_required(v, path, "name required");
		return;
	}
	if (!slash) {
		identifier(v, path, name);
		return;
	}
	if (strchr(slash + 1, '/'))
		return;
	if (slash == name) {
		v_required(v, path, "the domain must not be empty");
	} else {
		char *domain = kt_strndup(name, (size_t)(slash - name));
		v_csi_driver_name(v, path, domain);
		kt_free(domain);
	}
	if (!slash[1])
		v_required(v, path, "the name must not be empty");
	else
		identifier(v, path, slash + 1);
}

static void fully_qualified(struct v *v, const struct v_path *path, const struct kt_json *name)
{
	qualified(v, path, kt_str_or(name, ""));
	if (kt_str_len(name) && !strchr(kt_str(name), '/'))
		v_invalid(v, path, name, "must include a domain");
}

/* Keys that are too long are shown without their middle. */
static void short_key(const char *key, char out[MOST_DOMAIN + 1 + MOST_ID + 1])
{
	size_t most = MOST_DOMAIN + 1 + MOST_ID, len = strlen(key), keep = most - 3;
	if (len <= most) {
		memcpy(out, key, len + 1);
		return;
	}
	memcpy(out, key, (keep + 1) / 2);
	memcpy(out + (keep + 1) / 2, "...", 3);
	memcpy(out + (keep + 1) / 2 + 3, key + len - keep / 2, keep / 2 + 1);
}

/* --- selectors (dynamic-resource-allocation/cel/compile.go) --- */

static const struct cel_type attribute = {.kind = CEL_DYN, .name = "google.protobuf.Any", .most = MOST_VALUE},
                             domain = {.kind = CEL_STRING, .most = MOST_DOMAIN},
                             id = {.kind = CEL_STRING, .most = MOST_ID},
                             amount = {.kind = CEL_STRUCT, .name = "kubernetes.Quantity"};
static const struct cel_type attributes = {.kind = CEL_MAP,
                                           .args = {&id, &attribute},
                                           .most = MOST_ATTRIBUTES,
                                           .opened = true},
                             capacities = {.kind = CEL_MAP, .args = {&id, &amount}, .most = MOST_ATTRIBUTES};
static const struct cel_type all_attributes = {.kind = CEL_MAP,
                                               .args = {&domain, &attributes},
                                               .most = MOST_ATTRIBUTES},
                             all_capacities = {.kind = CEL_MAP,
                                               .args = {&domain, &capacities},
                                               .most = MOST_ATTRIBUTES};
static const struct cel_field device_fields[] = {{"driver", "driver", &domain},
                                                 {"attributes", "attributes", &all_attributes},
                                                 {"capacity", "capacity", &all_capacities}};
static const struct cel_type device_type = {.kind = CEL_STRUCT,
                                            .name = "kubernetes.DRADevice",
                                            .fields = device_fields,
                                            .field_count = KT_COUNT(device_fields),
                                            .opened = true};
static void expression(struct v *v, const struct v_path *path, const struct kt_json *text)
{
	static const struct cel_variable variables[] = {{"device", &device_type}, {NULL, NULL}};
	struct cel_program *program = NULL;
	struct kt_buf wrong = {0}, type = {0};
	if (kt_str_len(text) > MOST_EXPRESSION) {
		v_too_long(v, path, MOST_EXPRESSION);
		return;
	}
	if (!cel_compile(kt_str_or(text, ""), variables, &program, &wrong)) {
		v_invalid_str(v, path, kt_str_or(text, ""), "compilation failed: %s", kt_buf_str(&wrong));
		kt_buf_clear(&wrong);
		return;
	}
	const struct cel_type *gives = cel_program_type(program);
	cel_type_print_names(gives, &type);
	if (gives->kind != CEL_BOOL && !(gives->kind == CEL_DYN && gives->name))
		v_invalid_str(v, path, kt_str_or(text, ""),
		              "must evaluate to bool or the unknown type, not %s", kt_buf_str(&type));
	else if (cel_program_cost(program, &device_type) > MOST_COST)
		v_forbidden(v, path, "too complex, exceeds cost limit");
	kt_buf_clear(&type);
	kt_buf_clear(&wrong);
	cel_program_free(program);
}

static void selector(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const struct kt_json *cel = kt_get(item, "cel");
	if (!cel)
		v_required(v, V_IN(path, "cel"), "");
	else
		expression(v, V_IN(V_IN(path, "cel"), "expression"), kt_get(cel, "expression"));
}

static void selectors(struct v *v, const struct v_path *path, const struct kt_json *list)
{
	each(v, path, list, MOST_SELECTORS, selector, false, NULL);
}

/* --- requests --- */

static void toleration(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const char *operator= kt_get_text(item, "operator"), *key = kt_get_text(item, "key"),
	           *effect = kt_get_text(item, "effect"), *value = kt_get_text(item, "value");
	if (*key)
		v_check(v, V_IN(path, "key"), key, v_qualified_name);
	if (!strcmp(operator, "Exists")) {
		if (*value)
			v_invalid_str(v, V_IN(path, "value"), value, "must be empty for operator `Exists`");
	} else if (!strcmp(operator, "Equal")) {
		v_check(v, V_IN(path, "value"), value, v_label_value);
	} else if (!*operator) {
		v_required(v, V_IN(path, "operator"), "");
	} else {
		v_unsupported(v, V_IN(path, "operator"), kt_get(item, "operator"),
		              V_WORDS("Equal", "Exists"));
	}
	if (*effect && strcmp(effect, "NoSchedule") != 0 && strcmp(effect, "NoExecute") != 0)
		v_unsupported(v, V_IN(path, "effect"), kt_get(item, "effect"),
		              V_WORDS("NoExecute", "NoSchedule"));
}

/* What an exact request and a subrequest have in common. */
static void wanted(struct v *v, const struct v_path *path, const struct kt_json *request)
{
	const char *class = kt_get_text(request, "deviceClassName"),
	           *mode = kt_get_text(request, "allocationMode");
	int64_t count = kt_get_int(request, "count", 0);
	const struct kt_json *item;
	if (!*class)
		v_required(v, V_IN(path, "deviceClassName"), "");
	else
		v_check(v, V_IN(path, "deviceClassName"), class, v_dns_subdomain);
	selectors(v, V_IN(path, "selectors"), kt_get(request, "selectors"));
	if (!strcmp(mode, "All")) {
		if (count)
			v_invalid_steal(v, V_IN(path, "count"), kt_json_int(count),
			                "must not be specified when allocationMode is 'All'");
	} else if (!strcmp(mode, "ExactCount")) {
		if (count <= 0)
			v_invalid_steal(v, V_IN(path, "count"), kt_json_int(count),
			                "must be greater than zero");
	} else {
		v_unsupported(v, V_IN(path, "allocationMode"), kt_get(request, "allocationMode"),
		              V_WORDS("All", "ExactCount"));
	}
	KT_JSON_EACH (item, kt_get(request, "tolerations"))
		toleration(v, V_AT(V_IN(path, "tolerations"), item_i), item);
}

static void subrequest(struct v *v, const struct v_path *path, const struct kt_json *request)
{
	v_check(v, V_IN(path, "name"), kt_get_text(request, "name"), v_dns_label);
	wanted(v, path, request);
}

static void request(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const struct kt_json *first = kt_get(item, "firstAvailable"), *exactly = kt_get(item, "exactly");
	v_check(v, V_IN(path, "name"), kt_get_text(item, "name"), v_dns_label);
	if (kt_count(first))
		each(v, V_IN(path, "firstAvailable"), first, MOST_FIRST, subrequest, true, "name");
	if (exactly)
		wanted(v, V_IN(path, "exactly"), exactly);
	if (!exactly && !kt_count(first))
		v_required(v, path, "exactly one of `exactly` or `firstAvailable` is required");
	else if (exactly && kt_count(first))
		v_invalid_steal(v, path, kt_json_null(),
		                "exactly one of `exactly` or `firstAvailable` is required, but multiple "
		                "fields are set");
}

/* The devices of the claim that is looked at: a claim's own, or a template's. */
static const struct kt_json *devices_of(const struct v *v)
{
	const struct kt_json *inner = kt_path(v->object, "spec.spec.devices");
	return inner ? inner : kt_path(v->object, "spec.devices");
}

static bool is_request(const struct v *v, const char *name)
{
	const char *slash = strchr(name, '/');
	const struct kt_json *requests = kt_get(devices_of(v), "requests"), *item;
	KT_JSON_EACH (item, requests) {
		const char *is = kt_get_text(item, "name");
		if (slash ? strlen(is) != (size_t)(slash - name) || strncmp(is, name, strlen(is)) != 0
		          : strcmp(is, name) != 0)
			continue;
		return !slash || kt_find(kt_get(item, "firstAvailable"), "name", slash + 1) >= 0;
	}
	return false;
}

static void request_reference(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	static const char must[] =
	        "must be the name of a request in the claim or the name of a request and a "
	        "subrequest separated by '/'";
	const char *name = kt_str_or(item, ""), *slash = strchr(name, '/'), *rest = name, *part;
	size_t len;
	if (slash && strchr(slash + 1, '/')) {
		v_invalid(v, path, item, "%s", must);
		return;
	}
	while (rest && (part = kt_split(&rest, '/', &len))) {
		char *one = kt_strndup(part, len);
		v_check(v, path, one, v_dns_label);
		kt_free(one);
	}
	if (!is_request(v, name))
		v_invalid_str(v, path, name, "%s", must);
}

static void constraint(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	each(v, V_IN(path, "requests"), kt_get(item, "requests"), MOST_REQUESTS, request_reference, true,
	     NULL);
	if (kt_get(item, "matchAttribute"))
		fully_qualified(v, V_IN(path, "matchAttribute"), kt_get(item, "matchAttribute"));
	else if (kt_get(item, "distinctAttribute"))
		fully_qualified(v, V_IN(path, "distinctAttribute"), kt_get(item, "distinctAttribute"));
	else
		v_required(v, V_IN(path, "matchAttribute"), "");
}

/* --- configuration --- */

static void parameters(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	struct kt_buf text = {0};
	if (value)
		kt_json_print(value, &text);
	if (!value || kt_json_type(value) == KT_JSON_NULL)
		v_required(v, path, "");
	else if (text.len > MOST_PARAMETERS)
		v_too_long(v, path, MOST_PARAMETERS);
	else if (!kt_is_object(value))
		v_invalid_str(v, path, "<value omitted>", "must be a valid JSON object");
	kt_buf_clear(&text);
}

static void class_config(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const struct kt_json *opaque = kt_get(item, "opaque");
	const struct v_path *at = V_IN(path, "opaque");
	if (!opaque) {
		v_required(v, at, "");
		return;
	}
	v_csi_driver_name(v, V_IN(at, "driver"), kt_get_text(opaque, "driver"));
	parameters(v, V_IN(at, "parameters"), kt_get(opaque, "parameters"));
}

static void claim_config(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	each(v, V_IN(path, "requests"), kt_get(item, "requests"), MOST_REQUESTS, request_reference, true,
	     NULL);
	class_config(v, path, item);
}

/* --- ResourceClaim, ResourceClaimTemplate --- */

static void claim_spec(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	const struct v_path *at = V_IN(path, "devices");
	const struct kt_json *devices = kt_get(spec, "devices");
	each(v, V_IN(at, "requests"), kt_get(devices, "requests"), MOST_REQUESTS, request, true, "name");
	each(v, V_IN(at, "constraints"), kt_get(devices, "constraints"), MOST_CONSTRAINTS, constraint, false,
	     NULL);
	each(v, V_IN(at, "config"), kt_get(devices, "config"), MOST_CONFIGS, claim_config, false, NULL);
}

/* Who asks for access as an administrator may do so in namespaces that say so. */
static void admin_access(struct v *v, const struct kt_json *requests)
{
	const struct kt_json *item;
	const struct schema_kind *spaces = schema_stored(cluster_schema(v->cluster), "", "Namespace");
	const struct store_object *space = store_get(cluster_store(v->cluster), spaces, "",
	                                             kt_str_or(kt_path(v->object, "metadata.namespace"), ""));
	const struct kt_json *labels = space ? kt_path(space->json, "metadata.labels") : NULL;
	const struct v_path *path = V_IN(V_IN(V_ROOT("spec"), "devices"), "requests");
	if (kt_streq(kt_get_str(labels, "resource.kubernetes.io/admin-access"), "true"))
		return;
	KT_JSON_EACH (item, requests) {
		if (!kt_get_bool(kt_get(item, "exactly"), "adminAccess", false))
			continue;
		v_forbidden(
		        v, V_IN(V_AT(path, item_i), "adminAccess"),
		        "admin access to devices requires the `resource.kubernetes.io/admin-access: true` "
		        "label on the containing namespace");
		return;
	}
}

static void claim(struct v *v)
{
	admin_access(v, kt_path(v->object, "spec.devices.requests"));
	claim_spec(v, V_ROOT("spec"), kt_get(v->object, "spec"));
}

static void fixed_spec(struct v *v, const char *type)
{
	const struct kt_json *now = kt_get(v->object, "spec"), *was = kt_get(v->old, "spec");
	if (!kt_equal(now, was))
		v_invalid_steal(v, V_ROOT("spec"), v_internal(v, type, now), "field is immutable");
}

static void claim_update(struct v *v)
{
	claim_spec(v, V_ROOT("spec"), kt_get(v->object, "spec"));
	fixed_spec(v, "ResourceClaimSpec");
}

static void template_spec(struct v *v)
{
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *meta = kt_path(v->object, "spec.metadata");
	v_annotations(v, V_IN(V_IN(path, "metadata"), "annotations"), kt_get(meta, "annotations"));
	v_labels(v, V_IN(V_IN(path, "metadata"), "labels"), kt_get(meta, "labels"));
	claim_spec(v, V_IN(path, "spec"), kt_path(v->object, "spec.spec"));
}

static void template_create(struct v *v)
{
	admin_access(v, kt_path(v->object, "spec.spec.devices.requests"));
	template_spec(v);
}

static void template_update(struct v *v)
{
	template_spec(v);
	fixed_spec(v, "ResourceClaimTemplateSpec");
}

/* --- a claim's status --- */

static void consumer(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	static const struct v_rule rows[] = {{.field = "resource", .kind = V_REQUIRED},
	                                     {.field = "name", .kind = V_REQUIRED},
	                                     {.field = "uid", .kind = V_REQUIRED}};
	V_RULES(v, path, item, rows);
}

static void place(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	v_csi_driver_name(v, V_IN(path, "driver"), kt_get_text(item, "driver"));
	pool_name(v, V_IN(path, "pool"), kt_get_text(item, "pool"));
	v_check(v, V_IN(path, "device"), kt_get_text(item, "device"), v_dns_label);
}

static void allocated(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	struct kt_json *name = kt_json_str(kt_get_text(item, "request"));
	request_reference(v, V_IN(path, "request"), name);
	kt_json_free(name);
	place(v, path, item);
}

static void allocated_config(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const char *source = kt_get_text(item, "source");
	if (!*source)
		v_required(v, V_IN(path, "source"), "");
	else if (strcmp(source, "FromClaim") != 0 && strcmp(source, "FromClass") != 0)
		v_unsupported(v, V_IN(path, "source"), kt_get(item, "source"),
		              V_WORDS("FromClaim", "FromClass"));
	claim_config(v, path, item);
}

static void node_selector(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	const struct v_path *terms = V_IN(path, "nodeSelectorTerms");
	const struct kt_json *term;
	if (!kt_count(kt_get(value, "nodeSelectorTerms")))
		v_required(v, terms, "must have at least one node selector term");
	KT_JSON_EACH (term, kt_get(value, "nodeSelectorTerms"))
		v_node_selector_term(v, V_AT(terms, term_i), term);
}

static void claim_status(struct v *v, const char *subresource)
{
	const struct v_path *path = V_ROOT("status"), *at = V_IN(path, "allocation");
	const struct kt_json *status = kt_get(v->object, "status"), *now = kt_get(status, "allocation"),
	                     *was = kt_path(v->old, "status.allocation"),
	                     *nodes = kt_get(now, "nodeSelector");
	(void)subresource;
	each(v, V_IN(path, "reservedFor"), kt_get(status, "reservedFor"), MOST_RESERVED, consumer, true,
	     "uid");
	each(v, V_IN(path, "devices"), kt_get(status, "devices"), SIZE_MAX, place, false, NULL);
	if (kt_count(kt_get(status, "reservedFor")) && !now)
		v_forbidden(v, V_IN(path, "reservedFor"), "may not be specified when `allocated` is not set");
	if (now && was) {
		if (!kt_equal(now, was))
			v_invalid_steal(v, at, v_internal(v, "AllocationResult", now), "field is immutable");
		return;
	}
	each(v, V_IN(V_IN(at, "devices"), "results"), kt_path(now, "devices.results"), MOST_REQUESTS,
	     allocated, false, NULL);
	each(v, V_IN(V_IN(at, "devices"), "config"), kt_path(now, "devices.config"), (size_t)2 * MOST_CONFIGS,
	     allocated_config, false, NULL);
	if (nodes)
		node_selector(v, V_IN(at, "nodeSelector"), nodes);
}

/* --- DeviceClass --- */

static void device_class(struct v *v)
{
	const struct kt_json *spec = kt_get(v->object, "spec");
	const struct v_path *path = V_ROOT("spec");
	selectors(v, V_IN(path, "selectors"), kt_get(spec, "selectors"));
	each(v, V_IN(path, "config"), kt_get(spec, "config"), MOST_CONFIGS, class_config, false, NULL);
}

/* --- ResourceSlice --- */

/* semver.org 2.0.0: three numbers, "-" what goes before, "+" of which build. */
static bool is_version(const char *s)
{
	size_t dots = 0;
	char mark = '.';
	for (;;) {
		size_t n = strspn(s, "0123456789"), all = 0;
		while (s[all] == '-' || (s[all] >= '0' && s[all] <= '9') ||
		       (s[all] >= 'a' && s[all] <= 'z') || (s[all] >= 'A' && s[all] <= 'Z'))
			all++;
		if (mark == '.')
			all = n;
		bool number = n == all;
		if (!all || (number && mark != '+' && n > 1 && *s == '0'))
			return false;
		s += all;
		dots += mark == '.';
		if (mark == '.' && dots < 3) {
			if (*s++ != '.')
				return false;
		} else if (!*s) {
			return true;
		} else if (*s == '+' && mark != '+') {
			mark = *s++;
		} else if (*s == '-' && mark == '.') {
			mark = *s++;
		} else if (*s++ != '.' || mark == '.') {
			return false;
		}
	}
}

static void device_attribute(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	const struct kt_json *text = kt_get(value, "string"), *version = kt_get(value, "version");
	if (kt_str_len(text) > MOST_VALUE)
		v_too_long(v, V_IN(path, "string"), MOST_VALUE);
	if (version && !is_version(kt_str_or(version, "")))
		v_invalid(v, V_IN(path, "version"), version,
		          "must be a string compatible with semver.org spec 2.0.0");
	if (kt_str_len(version) > MOST_VALUE)
		v_too_long(v, V_IN(path, "version"), MOST_VALUE);
	if (kt_count(value) == 0)
		v_required(v, path, "exactly one value must be specified");
	else if (kt_count(value) > 1)
		v_invalid_steal(v, path, v_internal(v, "DeviceAttribute", value),
		                "exactly one value must be specified");
}

static void device(struct v *v, const struct v_path *path, const struct kt_json *item)
{
	const struct kt_json *maps[] = {kt_get(item, "attributes"), kt_get(item, "capacity")}, *value;
	size_t count = kt_count(maps[0]) + kt_count(maps[1]);
	v_check(v, V_IN(path, "name"), kt_get_text(item, "name"), v_dns_label);
	if (count > MOST_ATTRIBUTES)
		v_invalid_steal(v, path, kt_json_int((int64_t)count),
		                "the total number of attributes and capacities must not exceed %d",
		                MOST_ATTRIBUTES);
	for (size_t i = 0; i < KT_COUNT(maps); i++) {
		const struct v_path *at = V_IN(path, i ? "capacity" : "attributes");
		KT_JSON_EACH (value, maps[i]) {
			char key[MOST_DOMAIN + 1 + MOST_ID + 1];
			short_key(kt_key(maps[i], value_i), key);
			qualified(v, V_KEY(at, key), kt_key(maps[i], value_i));
			if (i == 0)
				device_attribute(v, V_KEY(at, key), value);
		}
	}
}

static void pool(struct v *v, const struct v_path *path, const struct kt_json *value)
{
	int64_t slices = kt_get_int(value, "resourceSliceCount", 0),
	        generation = kt_get_int(value, "generation", 0);
	pool_name(v, V_IN(path, "name"), kt_get_text(value, "name"));
	if (slices <= 0)
		v_invalid_steal(v, V_IN(path, "resourceSliceCount"), kt_json_int(slices),
		                "must be greater than zero");
	if (generation < 0)
		v_invalid_steal(v, V_IN(path, "generation"), kt_json_int(generation),
		                "must be greater than or equal to zero");
}

/* For which nodes a slice is: exactly one of three ways to say it. */
static void slice_nodes(struct v *v, const struct v_path *path, const struct kt_json *spec)
{
	static const char must[] = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, "
	                           "`perDeviceNodeSelection` is required";
	const struct kt_json *name = kt_get(spec, "nodeName"), *nodes = kt_get(spec, "nodeSelector"),
	                     *all = kt_get(spec, "allNodes"), *terms = kt_get(nodes, "nodeSelectorTerms");
	struct kt_buf set = {0};
	size_t count = 0;
	if (kt_str_len(name)) {
		kt_buf_addf(&set, "%s`nodeName`", count++ ? ", " : "");
		v_check(v, V_IN(path, "nodeName"), kt_str(name), v_dns_subdomain);
	} else if (name) {
		v_invalid(v, V_IN(path, "nodeName"), name,
		          "must be either unset or set to a non-empty string");
	}
	if (nodes) {
		kt_buf_addf(&set, "%s`nodeSelector`", count++ ? ", " : "");
		node_selector(v, V_IN(path, "nodeSelector"), nodes);
		if (kt_count(terms) != 1)
			v_invalid_steal(v, V_IN(V_IN(path, "nodeSelector"), "nodeSelectorTerms"),
			                v_internal(v, "[]NodeSelectorTerm", terms),
			                "must have exactly one node selector term");
	}
	if (kt_get_bool(spec, "allNodes", false))
		kt_buf_addf(&set, "%s`allNodes`", count++ ? ", " : "");
	else if (all)
		v_invalid(v, V_IN(path, "allNodes"), all, "must be either unset or set to true");
	if (count == 0)
		v_required(v, path, must);
	else if (count > 1)
		v_invalid_steal(v, path, kt_json_strf("{%s}", kt_buf_str(&set)),
		                "%s, but multiple fields are set", must);
	kt_buf_clear(&set);
}

static void slice(struct v *v)
{
	static const char *const fixed[] = {"pool.name", "driver", "nodeName"};
	const struct v_path *path = V_ROOT("spec");
	const struct kt_json *spec = kt_get(v->object, "spec"), *was = kt_get(v->old, "spec");
	v_csi_driver_name(v, V_IN(path, "driver"), kt_get_text(spec, "driver"));
	pool(v, V_IN(path, "pool"), kt_get(spec, "pool"));
	for (size_t i = 0; was && i < KT_COUNT(fixed); i++)
		v_immutable(v, V_IN(path, fixed[i]), kt_path(spec, fixed[i]), kt_path(was, fixed[i]));
	slice_nodes(v, path, spec);
	each(v, V_IN(path, "devices"), kt_get(spec, "devices"), MOST_DEVICES, device, true, "name");
}

const struct v_kind v_kinds_device[] = {
        {.group = GROUP,
         .kind = "ResourceClaim",
         .create = claim,
         .update = claim_update,
         .part = claim_status},
        {.group = GROUP,
         .kind = "ResourceClaimTemplate",
         .create = template_create,
         .update = template_update},
        {.group = GROUP, .kind = "DeviceClass", .create = device_class},
        {.group = GROUP, .kind = "ResourceSlice", .create = slice},
        {0},
};

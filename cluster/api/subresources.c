/* SPDX-License-Identifier: MIT */
/* status, scale, binding, eviction and the others: a row each. */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TOKEN_SECONDS 3600

static const struct store_object *object_of(struct api_request *request)
{
	const struct store_object *object =
	        store_get(cluster_store(request->cluster), request->kind->storage,
	                  request->kind->namespaced ? request->ns : "", request->name);

	if (!object)
		api_fail_not_found(&request->status, request->kind, request->name);
	return object;
}

/* What a subresource's body is an object of. */
static struct schema_kind kind_of_body(struct api_request *request, const char *api_version)
{
	const struct schema_subresource *sub = request->sub;

	return (struct schema_kind){
	        .group = sub->group,
	        .version = sub->version,
	        .kind = sub->kind,
	        .resource = "",
	        .api_version = api_version,
	        .type = schema_type_for(cluster_schema(request->cluster), api_version, sub->kind)};
}

/* The body, decoded as the subresource's kind. New. */
static bool body_of(struct api_request *request, struct kt_json **out)
{
	const struct schema_subresource *sub = request->sub;
	char *version = kt_strf("%s%s%s", sub->group, *sub->group ? "/" : "", sub->version);
	struct schema_kind kind = kind_of_body(request, version);
	bool fine = api_options_fit(request, "CreateOptions") && api_body_object(request, &kind, out);

	kt_free(version);
	return fine;
}

/* The names in a body that is created below an object are the object's (kubernetes
 * pkg/registry/core/pod/storage). */
static bool names_fit(struct api_request *request, const struct kt_json *body)
{
	const char *ns = kt_path_str(body, "metadata.namespace");

	if (ns && *ns && !kt_streq(ns, request->ns))
		return api_fail(&request->status, 400, "BadRequest",
		                "the namespace of the provided object does not match the namespace sent on "
		                "the request");
	if (!*request->name || kt_streq(kt_path_str(body, "metadata.name"), request->name))
		return true;
	return api_fail(&request->status, 400, "BadRequest", "name in URL does not match name in %s object",
	                request->sub->kind);
}

/* --- scale --- */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A LabelSelector as metav1.LabelSelectorAsSelector prints it: "app=web,tier in (a,b)". */
static void print_selector(const struct kt_json *selector, struct kt_buf *out)
{
	struct kt_strs terms = {0};
	const struct kt_json *item, *labels = kt_get(selector, "matchLabels");

	KT_JSON_EACH (item, labels)
		kt_strs_steal(&terms, kt_strf("%s=%s", kt_key(labels, item_i), kt_str_or(item, "")));
	KT_JSON_EACH (item, kt_get(selector, "matchExpressions")) {
		const char *key = kt_str_or(kt_get(item, "key"), ""),
		           *op = kt_str_or(kt_get(item, "operator"), "");
		struct kt_buf term = {0};
		struct kt_strs values = {0};
		const struct kt_json *value;

		KT_JSON_EACH (value, kt_get(item, "values"))
			kt_strs_add(&values, kt_str_or(value, ""));
		kt_strs_sort(&values);
		if (kt_streq(op, "Exists") || kt_streq(op, "DoesNotExist")) {
			kt_buf_addf(&term, "%s%s", kt_streq(op, "Exists") ? "" : "!", key);
		} else {
			kt_buf_addf(&term, "%s %s (", key, kt_streq(op, "In") ? "in" : "notin");
			for (size_t i = 0; i < values.count; i++)
				kt_buf_addf(&term, "%s%s", i ? "," : "", values.items[i]);
			kt_buf_addc(&term, ')');
		}
		kt_strs_clear(&values);
		kt_strs_steal(&terms, kt_buf_take(&term));
	}
	if (terms.count)
		qsort(terms.items, terms.count, sizeof(*terms.items), by_text);
	for (size_t i = 0; i < terms.count; i++)
		kt_buf_addf(out, "%s%s", i ? "," : "", terms.items[i]);
	kt_strs_clear(&terms);
}

static const struct kt_json *crd_scale(const struct schema_kind *kind)
{
	const struct kt_json *version;

	KT_JSON_EACH (version, kt_path(kind->crd, "spec.versions")) {
		if (kt_streq(kt_get_str(version, "name"), kind->version))
			return kt_path(version, "subresources.scale");
	}
	return NULL;
}

static const char *scale_path(const struct schema_kind *kind, const char *member, const char *otherwise)
{
	const char *path = kt_get_str(crd_scale(kind), member);

	return !path ? otherwise : path + (*path == '.');
}

void api_scale_selector(const struct schema_kind *kind, const struct kt_json *object, struct kt_buf *out)
{
	const struct kt_json *selector = kt_path(object, "spec.selector");

	if (kind->crd)
		kt_buf_adds(out, kt_str_or(kt_path(object, scale_path(kind, "labelSelectorPath", "")), ""));
	else if (kt_streq(kind->kind, "ReplicationController"))
		for (size_t i = 0, n = kt_count(selector); i < n; i++)
			kt_buf_addf(out, "%s%s=%s", i ? "," : "", kt_key(selector, i),
			            kt_str_or(kt_at(selector, i), ""));
	else
		print_selector(selector, out);
}

static void add_selector(const struct schema_kind *kind, const struct kt_json *object,
                         struct kt_json **status)
{
	struct kt_buf text = {0};

	api_scale_selector(kind, object, &text);
	if (text.len)
		kt_set(status, "selector", kt_json_str(kt_buf_str(&text)));
	kt_buf_clear(&text);
}

struct kt_json *api_scale_of(struct api_request *request, const struct store_object *object)
{
	const struct schema_kind *kind = request->kind;
	const struct kt_json *metadata = kt_get(object->json, "metadata");
	const char *spec_path = scale_path(kind, "specReplicasPath", "spec.replicas");
	const char *status_path = scale_path(kind, "statusReplicasPath", "status.replicas");
	int64_t replicas = kt_path_int(object->json, spec_path, 0);
	struct kt_json *scale =
	        kt_jsonf("{kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: {name: %J, namespace: %J, "
	                 "uid: %J, resourceVersion: "
	                 "%J, creationTimestamp: %J}, spec: {}, status: {replicas: %l}}",
	                 kt_get(metadata, "name"), kt_get(metadata, "namespace"), kt_get(metadata, "uid"),
	                 kt_get(metadata, "resourceVersion"), kt_get(metadata, "creationTimestamp"),
	                 kt_path_int(object->json, status_path, 0));

	if (replicas)
		kt_set_path(&scale, "spec.replicas", kt_json_int(replicas));
	add_selector(kind, object->json, kt_edit(&scale, "status"));
	return scale;
}

static const char *const scale_columns[][3] = {
        {"Name", "string", "name"},
        {"Desired", "integer", ""},
        {"Available", "integer", ""},
        {"Age", "string", ""},
};

static struct kt_json *scale_table(struct api_request *request, const struct kt_json *scale)
{
	struct kt_json *columns = NULL, *cells;
	struct kt_buf age = {0};
	kt_ns created = 0;

	for (size_t i = 0; i < KT_COUNT(scale_columns); i++)
		kt_push(&columns, kt_jsonf("{name: %s, type: %s, format: %s, description: '', priority: 0}",
		                           scale_columns[i][0], scale_columns[i][1], scale_columns[i][2]));
	if (kt_time_parse(kt_str_or(kt_path(scale, "metadata.creationTimestamp"), ""), &created))
		kt_duration_print_human(cluster_now(request->cluster) - created, &age);
	cells = kt_jsonf("[%J, %l, %l, %s]", kt_path(scale, "metadata.name"),
	                 kt_path_int(scale, "spec.replicas", 0), kt_path_int(scale, "status.replicas", 0),
	                 kt_buf_str(&age));
	kt_buf_clear(&age);
	return kt_jsonf(
	        "{kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: {}, columnDefinitions: %j, rows: "
	        "[{cells: "
	        "%j, object: {kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: %J}}]}",
	        columns, cells, kt_get(scale, "metadata"));
}

static void respond_scale(struct api_request *request, const struct store_object *object)
{
	struct kt_json *scale = api_scale_of(request, object), *table = NULL;

	if (request->as == API_AS_TABLE)
		table = scale_table(request, scale);
	api_respond_json(request, 200, table ? table : scale, false);
	kt_json_free(table);
	kt_json_free(scale);
}

static void scale_get(struct api_request *request)
{
	const struct store_object *object = object_of(request);
	const char *path = scale_path(request->kind, "specReplicasPath", "spec.replicas");

	if (object && request->kind->crd && !kt_path(object->json, path)) {
		char *why = kt_strf("the spec replicas field \".%s\" does not exist", path);

		api_fail(&request->status, 500, "InternalError", "Internal error occurred: %s", why);
		request->status.details = kt_jsonf("{causes: [{message: %s}]}", why);
		kt_free(why);
	} else if (object) {
		respond_scale(request, object);
	}
}

static bool check_scale(struct api_request *request, const struct kt_json *scale, int64_t *replicas)
{
	static const struct schema_kind kind = {.group = "autoscaling", .kind = "Scale", .resource = ""};
	struct rules_errors errors = {0};
	const struct kt_json *value = kt_path(scale, "spec.replicas");

	*replicas = kt_int_or(value, 0);
	if (*replicas >= 0)
		return true;
	rules_error(&errors, "FieldValueInvalid", "spec.replicas", value,
	            "must be greater than or equal to 0");
	api_fail_invalid(&request->status, &kind, request->name, errors.causes);
	rules_errors_clear(&errors);
	return false;
}

static struct schema_kind scale_kind(struct api_request *request)
{
	return (struct schema_kind){
	        .group = "autoscaling",
	        .version = "v1",
	        .kind = "Scale",
	        .resource = "scales",
	        .api_version = "autoscaling/v1",
	        .type = schema_type_for(cluster_schema(request->cluster), "autoscaling/v1", "Scale")};
}

/* As clients never see it: with whose the replicas are. */
static struct kt_json *managed_scale(struct api_request *request, const struct store_object *object)
{
	struct kt_json *scale = api_scale_of(request, object);
	struct kt_json *entries =
	        managed_to_scale(kt_path(object->json, "metadata.managedFields"),
	                         scale_path(request->kind, "specReplicasPath", "spec.replicas"));

	if (kt_count(entries))
		kt_set_path(&scale, "metadata.managedFields", entries);
	else
		kt_json_free(entries);
	return scale;
}

/* What nobody owned is nobody's after an update either (skipnonapplied.go). */
static void own_scale(struct api_write *write, const struct schema_kind *kind, const struct kt_json *old,
                      struct kt_json **scale)
{
	if (kt_path(old, "metadata.managedFields"))
		managed_update(kind, old, scale, write->manager, "scale", cluster_now(write->cluster));
	else if (kt_path(*scale, "metadata.managedFields"))
		kt_unset(kt_edit(scale, "metadata"), "managedFields");
}

/* `scale` is stolen, `old` what it was before. */
static void write_scale(struct api_request *request, const struct store_object *object,
                        const struct kt_json *old, struct kt_json *scale, bool applied)
{
	struct api_write write;
	struct schema_kind kind = scale_kind(request);
	struct kt_json *changed, *out = NULL;
	const struct kt_json *version = kt_path(scale, "metadata.resourceVersion"),
	                     *uid = kt_path(scale, "metadata.uid");
	const char *path = scale_path(request->kind, "specReplicasPath", "spec.replicas");
	int64_t replicas;

	kind.storage = &kind;
	api_write_from_request(&write, request);
	if (api_name_fits(request, scale) && check_scale(request, scale, &replicas)) {
		changed = kt_json_ref(object->json);
		kt_set_path(&changed, path, kt_json_int(replicas));
		if (kt_str_len(version))
			kt_set_path(&changed, "metadata.resourceVersion", kt_json_ref(version));
		if (kt_str_len(uid))
			kt_set_path(&changed, "metadata.uid", kt_json_ref(uid));
		if (!applied)
			own_scale(&write, &kind, old, &scale);
		managed_from_scale(&changed, kt_path(scale, "metadata.managedFields"), path,
		                   request->kind->api_version);
		write.owned = true;
		if (api_write_update(&write, object, changed, &out)) {
			struct store_object shown = *object;

			shown.json = out;
			respond_scale(request, &shown);
		}
	}
	kt_json_free(out);
	kt_json_free(scale);
}

static void scale_update(struct api_request *request)
{
	const struct store_object *object;
	struct kt_json *scale = NULL;

	if (body_of(request, &scale) && api_name_fits(request, scale) && (object = object_of(request))) {
		struct kt_json *old = managed_scale(request, object);

		write_scale(request, object, old, scale, false);
		scale = NULL;
		kt_json_free(old);
	}
	kt_json_free(scale);
}

static void scale_patch(struct api_request *request)
{
	const struct store_object *object = object_of(request);
	struct schema_kind kind = scale_kind(request);
	struct kt_json *scale, *patched = NULL;
	bool applied;

	if (!object)
		return;
	kind.storage = &kind;
	scale = managed_scale(request, object);
	if (api_patch_value(request, &kind, scale, &applied, &patched))
		write_scale(request, object, scale, patched, applied);
	kt_json_free(scale);
}

/* --- pods/binding --- */
/* What is wrong is no invalid object, but a fault that is told as it is (ValidatePodBinding, ToAggregate). */
static bool target_fits(struct api_request *request, const struct kt_json *target)
{
	const char *kind = kt_get_text(target, "kind"), *name = kt_get_text(target, "name");
	bool known = !*kind || kt_streq(kind, "Node");
	struct kt_buf why = {0};

	if (!known)
		kt_buf_addf(&why,
		            "target.kind: Unsupported value: \"%s\": supported values: \"Node\", \"<empty>\"",
		            kind);
	if (!*name)
		kt_buf_addf(&why, "%starget.name: Required value", known ? "" : ", ");
	if (why.len && !known && !*name)
		api_fail(&request->status, 500, "", "[%s]", kt_buf_str(&why));
	else if (why.len)
		api_fail(&request->status, 500, "", "%s", kt_buf_str(&why));
	kt_buf_clear(&why);
	return known && *name;
}

static void binding_create(struct api_request *request)
{
	const struct schema_kind *pods = schema_stored(cluster_schema(request->cluster), "", "Pod");
	struct api_write write;
	struct kt_json *body = NULL;
	const struct store_object *pod;
	const struct kt_json *target;

	if (request->sub ? !body_of(request, &body) : !api_body_object(request, request->kind, &body))
		return;
	api_write_from_request(&write, request);
	write.kind = pods;
	if (!*request->name)
		write.name = kt_str_or(kt_path(body, "metadata.name"), "");
	target = kt_get(body, "target");
	if (names_fit(request, body) && target_fits(request, target) && (pod = api_find(&write)) &&
	    api_bind_pod(&write, pod, kt_get_text(target, "name"))) {
		struct kt_json *done = kt_jsonf(
		        "{kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201}");

		api_respond_json(request, 201, done, false);
		kt_json_free(done);
	}
	kt_json_free(body);
}

/* --- pods/eviction --- */
static void eviction_create(struct api_request *request)
{
	struct api_write write;
	struct api_deletion deletion = {.grace = -1};
	struct kt_json *body = NULL;
	const struct kt_json *options;
	const struct store_object *pod;

	if (!body_of(request, &body))
		return;
	api_write_from_request(&write, request);
	options = kt_get(body, "deleteOptions");
	deletion.grace = kt_get_int(options, "gracePeriodSeconds", -1);
	deletion.propagation = kt_get_str(options, "propagationPolicy");
	deletion.uid = kt_path_str(options, "preconditions.uid");
	deletion.version_text = kt_path_str(options, "preconditions.resourceVersion");
	if (kt_count(kt_get(options, "dryRun")))
		write.dry_run = true;
	if (names_fit(request, body) && (pod = api_find(&write)) && api_evict_pod(&write, pod, &deletion)) {
		struct kt_json *done = kt_jsonf(
		        "{kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201}");

		request->as = API_AS_OBJECT;
		api_respond_json(request, 201, done, false);
		kt_json_free(done);
	}
	kt_json_free(body);
}

/* --- serviceaccounts/token --- */
/* What the body says of the account is true (registry/core/serviceaccount/storage/token.go). */
static bool account_fits(struct api_request *request, const struct schema_kind *kind,
                         const struct kt_json *body)
{
	struct rules_errors errors = {0};
	const struct kt_json *name = kt_path(body, "metadata.name"),
	                     *ns = kt_path(body, "metadata.namespace");

	if (kt_str_len(name) && !kt_streq(kt_str(name), request->name))
		rules_error(&errors, "FieldValueInvalid", "metadata.name", name,
		            "must match the service account name if specified");
	else if (kt_str_len(ns) && !kt_streq(kt_str(ns), request->ns))
		rules_error(&errors, "FieldValueInvalid", "metadata.namespace", ns,
		            "must match the service account namespace if specified");
	if (!errors.causes)
		return true;
	api_fail_invalid(&request->status, kind, request->name, errors.causes);
	rules_errors_clear(&errors);
	return false;
}

static void token_create(struct api_request *request)
{
	struct schema_kind kind = kind_of_body(request, "authentication.k8s.io/v1");
	const struct store_object *account;
	struct kt_json *body = NULL;
	struct api_write write;

	kind.unstored = true;
	kind.storage = &kind;
	if (!body_of(request, &body))
		return;
	api_write_from_request(&write, request);
	if (!kt_path(body, "spec.expirationSeconds"))
		kt_set_path(&body, "spec.expirationSeconds", kt_json_int(DEFAULT_TOKEN_SECONDS));
	managed_update(&kind, NULL, &body, write.manager, request->subresource,
	               cluster_now(request->cluster));
	if (account_fits(request, &kind, body) && (account = object_of(request))) {
		kt_set_path(&body, "metadata.uid", kt_json_str(account->uid));
		if (rules_review(request->cluster, &kind, &request->user, request->ns, request->name, &body,
		                 &request->status)) {
			request->as = API_AS_OBJECT;
			api_order_metadata(&body);
			api_respond_json(request, 201, body, false);
		}
	}
	kt_json_free(body);
}

/* --- rows --- */
static const struct api_subresource rows[] = {
        {"", "status", api_get, NULL, api_update_request, api_patch_request},
        {"", "scale", scale_get, NULL, scale_update, scale_patch},
        {"Pod", "binding", NULL, binding_create, NULL, NULL},
        {"Pod", "eviction", NULL, eviction_create, NULL, NULL},
        {"Pod", "ephemeralcontainers", api_get, NULL, api_update_request, api_patch_request},
        {"Pod", "resize", api_get, NULL, api_update_request, api_patch_request},
        {"Pod", "log", api_log_request, NULL, NULL, NULL},
        {"Pod", "exec", api_exec_request, api_exec_request, NULL, NULL},
        {"Pod", "attach", api_attach_request, api_attach_request, NULL, NULL},
        {"Pod", "portforward", api_portforward_request, api_portforward_request, NULL, NULL},
        {"Pod", "proxy", api_proxy_request, api_proxy_request, api_proxy_request, api_proxy_request},
        {"Service", "proxy", api_proxy_request, api_proxy_request, api_proxy_request, api_proxy_request},
        {"Node", "proxy", api_proxy_request, api_proxy_request, api_proxy_request, api_proxy_request},
        {"Namespace", "finalize", NULL, NULL, api_update_request, NULL},
        {"ServiceAccount", "token", NULL, token_create, NULL, NULL},
        {"CertificateSigningRequest", "approval", api_get, NULL, api_update_request, api_patch_request},
};

const struct api_subresource *api_subresource_of(const struct schema_kind *kind, const char *name)
{
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (kt_streq(rows[i].name, name) && (!*rows[i].kind || kt_streq(rows[i].kind, kind->kind)))
			return &rows[i];
	}
	return NULL;
}

/* SPDX-License-Identifier: MIT */
/* Server-side tables: a row of `printers` says for each column of a resource how its cell is made. */
#include "cluster/schema/cells_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CELLS = 12 };

struct kt_json *cell_take(struct kt_buf *buf)
{
	struct kt_json *cell = kt_json_strn(kt_buf_str(buf), buf->len);
	kt_buf_clear(buf);
	return cell;
}

struct kt_json *cell_since(const struct kt_json *time, kt_ns now)
{
	kt_ns t;
	struct kt_buf buf = {0};
	if (!kt_str(time) || !kt_time_parse(kt_str(time), &t))
		return kt_json_str("<unknown>");
	kt_duration_print_human(now - t, &buf);
	return cell_take(&buf);
}

const struct kt_json *cell_condition(const struct kt_json *list, const char *type)
{
	ptrdiff_t i = kt_find(list, "type", type);
	return i < 0 ? NULL : kt_at(list, (size_t)i);
}

bool cell_condition_true(const struct kt_json *list, const char *type)
{
	return kt_streq(kt_get_str(cell_condition(list, type), "status"), "True");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void cell_add_labels(const struct kt_json *map, struct kt_buf *out)
{
	struct kt_strs pairs = {0};
	for (size_t i = 0; i < kt_count(map); i++)
		kt_strs_steal(&pairs, kt_strf("%s=%s", kt_key(map, i), kt_str_or(kt_at(map, i), "")));
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), by_text);
	for (size_t i = 0; i < pairs.count; i++)
		kt_buf_addf(out, "%s%s", i ? "," : "", pairs.items[i]);
	kt_strs_clear(&pairs);
}

/* One of matchExpressions as labels.Requirement prints it; "key\tTEXT", so that it can be sorted by key. */
static char *requirement(const struct kt_json *expression)
{
	const char *key = kt_str_or(kt_get(expression, "key"), ""), *op = kt_get_str(expression, "operator");
	struct kt_buf text = {0};
	struct kt_strs values = {0};
	const struct kt_json *value;
	bool in = kt_streq(op, "In"), not_in = kt_streq(op, "NotIn");
	kt_buf_addf(&text, "%s\t%s%s", key, kt_streq(op, "DoesNotExist") ? "!" : "", key);
	if (in || not_in) {
		KT_JSON_EACH (value, kt_get(expression, "values"))
			kt_strs_add(&values, kt_str_or(value, ""));
		kt_strs_sort(&values);
		kt_buf_addf(&text, " %s (", in ? "in" : "notin");
		for (size_t i = 0; i < values.count; i++)
			kt_buf_addf(&text, "%s%s", i ? "," : "", values.items[i]);
		kt_buf_addc(&text, ')');
	}
	kt_strs_clear(&values);
	return kt_buf_take(&text);
}

void cell_add_selector(const struct kt_json *selector, struct kt_buf *out)
{
	const struct kt_json *labels = kt_get(selector, "matchLabels"), *expression;
	struct kt_strs all = {0};
	for (size_t i = 0; i < kt_count(labels); i++)
		kt_strs_steal(&all, kt_strf("%s\t%s=%s", kt_key(labels, i), kt_key(labels, i),
		                            kt_str_or(kt_at(labels, i), "")));
	KT_JSON_EACH (expression, kt_get(selector, "matchExpressions"))
		kt_strs_steal(&all, requirement(expression));
	kt_strs_sort(&all);
	for (size_t i = 0; i < all.count; i++)
		kt_buf_addf(out, "%s%s", i ? "," : "", strchr(all.items[i], '\t') + 1);
	kt_strs_clear(&all);
}

/* --- plain cells --- */
static struct kt_json *name(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_str(kt_str_or(kt_get(from->metadata, "name"), ""));
}

static struct kt_json *age(const struct cell_source *from, const char *path)
{
	(void)path;
	return cell_since(kt_get(from->metadata, "creationTimestamp"), from->now);
}

static struct kt_json *created(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_str(kt_str_or(kt_get(from->metadata, "creationTimestamp"), ""));
}

static struct kt_json *since(const struct cell_source *from, const char *path)
{
	const struct kt_json *time = kt_path(from->object, path);
	return kt_str(time) ? cell_since(time, from->now) : kt_json_str("<none>");
}

static struct kt_json *text_or(const struct cell_source *from, const char *path, const char *otherwise)
{
	const struct kt_json *v = kt_path(from->object, path);
	if (kt_is_string(v) && (kt_str_len(v) || !*otherwise))
		return kt_json_ref(v);
	if (kt_json_type(v) == KT_JSON_INT || kt_json_type(v) == KT_JSON_REAL) {
		struct kt_buf buf = {0};
		kt_json_print(v, &buf);
		return cell_take(&buf);
	}
	return kt_json_str(otherwise);
}

static struct kt_json *text(const struct cell_source *from, const char *path)
{
	return text_or(from, path, "");
}

static struct kt_json *text_or_none(const struct cell_source *from, const char *path)
{
	return text_or(from, path, "<none>");
}

static struct kt_json *text_or_unset(const struct cell_source *from, const char *path)
{
	return text_or(from, path, "<unset>");
}

static struct kt_json *text_or_unknown(const struct cell_source *from, const char *path)
{
	return text_or(from, path, "<unknown>");
}

static struct kt_json *text_or_na(const struct cell_source *from, const char *path)
{
	return text_or(from, path, "N/A");
}

static struct kt_json *number(const struct cell_source *from, const char *path)
{
	return kt_json_int(kt_path_int(from->object, path, 0));
}

static struct kt_json *number_or_none(const struct cell_source *from, const char *path)
{
	const struct kt_json *v = kt_path(from->object, path);
	return v ? kt_json_int(kt_int_or(v, 0)) : kt_json_str("<none>");
}

static struct kt_json *flag(const struct cell_source *from, const char *path)
{
	return kt_json_bool(kt_path_bool(from->object, path, false));
}

/* With a default of true. */
static struct kt_json *flag_true(const struct cell_source *from, const char *path)
{
	return kt_json_bool(kt_path_bool(from->object, path, true));
}

static struct kt_json *flag_word(const struct cell_source *from, const char *path)
{
	const struct kt_json *v = kt_path(from->object, path);
	return kt_json_str(!v ? "<unset>" : kt_bool_or(v, false) ? "True" : "False");
}

static struct kt_json *count(const struct cell_source *from, const char *path)
{
	return kt_json_int((int64_t)kt_count(kt_path(from->object, path)));
}

static struct kt_json *data_count(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_int((int64_t)(kt_count(kt_get(from->object, "data")) +
	                             kt_count(kt_get(from->object, "binaryData"))));
}

/* "2/3": ready of wanted replicas. */
static struct kt_json *ready(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_strf("%lld/%lld", (long long)kt_get_int(from->status, "readyReplicas", 0),
	                    (long long)kt_get_int(from->spec, "replicas", 0));
}

static struct kt_json *joined_member(const struct kt_json *list, const char *member)
{
	struct kt_buf buf = {0};
	for (size_t i = 0; i < kt_count(list); i++)
		kt_buf_addf(&buf, "%s%s", i ? "," : "", kt_str_or(kt_get(kt_at(list, i), member), ""));
	return cell_take(&buf);
}

static struct kt_json *containers(const struct cell_source *from, const char *path)
{
	return joined_member(kt_path(from->object, path), "name");
}

static struct kt_json *images(const struct cell_source *from, const char *path)
{
	return joined_member(kt_path(from->object, path), "image");
}

static struct kt_json *selector(const struct cell_source *from, const char *path)
{
	struct kt_buf buf = {0};
	cell_add_selector(kt_path(from->object, path), &buf);
	return buf.len ? cell_take(&buf) : kt_json_str("<none>");
}

static struct kt_json *bare_selector(const struct cell_source *from, const char *path)
{
	struct kt_buf buf = {0};
	cell_add_selector(kt_path(from->object, path), &buf);
	return cell_take(&buf);
}

static struct kt_json *labels(const struct cell_source *from, const char *path)
{
	struct kt_buf buf = {0};
	cell_add_labels(kt_path(from->object, path), &buf);
	return buf.len ? cell_take(&buf) : kt_json_str("<none>");
}

/* --- the table --- */
#define TEMPLATE "spec.template.spec.containers"

struct printer {
	const char *resource;
	void (*all)(const struct cell_source *from, struct kt_json **cells); /* instead of cells */
	struct {
		cell_fn *fn;
		const char *path;
	} cells[MAX_CELLS];
};

static const struct printer printers[] = {
        {"pods", cells_of_pod, {{NULL, NULL}}},
        {"deployments",
         NULL,
         {{name, ""},
          {ready, ""},
          {number, "status.updatedReplicas"},
          {number, "status.availableReplicas"},
          {age, ""},
          {containers, TEMPLATE},
          {images, TEMPLATE},
          {bare_selector, "spec.selector"}}},
        {"replicasets",
         NULL,
         {{name, ""},
          {number, "spec.replicas"},
          {number, "status.replicas"},
          {number, "status.readyReplicas"},
          {age, ""},
          {containers, TEMPLATE},
          {images, TEMPLATE},
          {selector, "spec.selector"}}},
        {"replicationcontrollers",
         NULL,
         {{name, ""},
          {number, "spec.replicas"},
          {number, "status.replicas"},
          {number, "status.readyReplicas"},
          {age, ""},
          {containers, TEMPLATE},
          {images, TEMPLATE},
          {labels, "spec.selector"}}},
        {"statefulsets",
         NULL,
         {{name, ""}, {ready, ""}, {age, ""}, {containers, TEMPLATE}, {images, TEMPLATE}}},
        {"daemonsets",
         NULL,
         {{name, ""},
          {number, "status.desiredNumberScheduled"},
          {number, "status.currentNumberScheduled"},
          {number, "status.numberReady"},
          {number, "status.updatedNumberScheduled"},
          {number, "status.numberAvailable"},
          {labels, "spec.template.spec.nodeSelector"},
          {age, ""},
          {containers, TEMPLATE},
          {images, TEMPLATE},
          {selector, "spec.selector"}}},
        {"jobs",
         NULL,
         {{name, ""},
          {cell_job_status, ""},
          {cell_job_completions, ""},
          {cell_job_duration, ""},
          {age, ""},
          {containers, TEMPLATE},
          {images, TEMPLATE},
          {selector, "spec.selector"}}},
        {"cronjobs",
         NULL,
         {{name, ""},
          {text, "spec.schedule"},
          {text_or_none, "spec.timeZone"},
          {flag_word, "spec.suspend"},
          {count, "status.active"},
          {since, "status.lastScheduleTime"},
          {age, ""},
          {containers, "spec.jobTemplate.spec.template.spec.containers"},
          {images, "spec.jobTemplate.spec.template.spec.containers"},
          {selector, "spec.jobTemplate.spec.selector"}}},
        {"services",
         NULL,
         {{name, ""},
          {text, "spec.type"},
          {cell_service_cluster_ip, ""},
          {cell_service_external_ip, ""},
          {cell_service_ports, ""},
          {age, ""},
          {labels, "spec.selector"}}},
        {"endpoints", NULL, {{name, ""}, {cell_endpoints, ""}, {age, ""}}},
        {"endpointslices",
         NULL,
         {{name, ""}, {text, "addressType"}, {cell_slice_ports, ""}, {cell_slice_endpoints, ""}, {age, ""}}},
        {"ingresses",
         NULL,
         {{name, ""},
          {text_or_none, "spec.ingressClassName"},
          {cell_ingress_hosts, ""},
          {cell_ingress_address, ""},
          {cell_ingress_ports, ""},
          {age, ""}}},
        {"ingressclasses",
         NULL,
         {{name, ""}, {text, "spec.controller"}, {cell_ingress_class_parameters, ""}, {age, ""}}},
        {"networkpolicies", NULL, {{name, ""}, {selector, "spec.podSelector"}, {age, ""}}},
        {"nodes",
         NULL,
         {{name, ""},
          {cell_node_status, ""},
          {cell_node_roles, ""},
          {age, ""},
          {text, "status.nodeInfo.kubeletVersion"},
          {cell_node_address, "InternalIP"},
          {cell_node_address, "ExternalIP"},
          {text_or_unknown, "status.nodeInfo.osImage"},
          {text_or_unknown, "status.nodeInfo.kernelVersion"},
          {text_or_unknown, "status.nodeInfo.containerRuntimeVersion"}}},
        {"namespaces", NULL, {{name, ""}, {text, "status.phase"}, {age, ""}}},
        {"configmaps", NULL, {{name, ""}, {data_count, ""}, {age, ""}}},
        {"secrets", NULL, {{name, ""}, {text, "type"}, {count, "data"}, {age, ""}}},
        {"serviceaccounts", NULL, {{name, ""}, {count, "secrets"}, {age, ""}}},
        {"events",
         NULL,
         {{cell_event_seen, ""},
          {text, "type"},
          {text, "reason"},
          {cell_event_target, ""},
          {text, "involvedObject.fieldPath"},
          {cell_event_source, ""},
          {cell_event_message, ""},
          {cell_event_first, ""},
          {cell_event_count, ""},
          {name, ""}}},
        {"persistentvolumes",
         NULL,
         {{name, ""},
          {cell_volume_capacity, ""},
          {cell_access_modes, "spec.accessModes"},
          {text, "spec.persistentVolumeReclaimPolicy"},
          {cell_phase, ""},
          {cell_volume_claim, ""},
          {cell_storage_class, ""},
          {text_or_unset, "spec.volumeAttributesClassName"},
          {text, "status.reason"},
          {age, ""},
          {text_or_unset, "spec.volumeMode"}}},
        {"persistentvolumeclaims",
         NULL,
         {{name, ""},
          {cell_phase, ""},
          {text, "spec.volumeName"},
          {cell_claim_capacity, ""},
          {cell_claim_modes, ""},
          {cell_storage_class, ""},
          {text_or_unset, "spec.volumeAttributesClassName"},
          {age, ""},
          {text_or_unset, "spec.volumeMode"}}},
        {"storageclasses",
         NULL,
         {{cell_class_name, ""},
          {text, "provisioner"},
          {text, "reclaimPolicy"},
          {text, "volumeBindingMode"},
          {flag, "allowVolumeExpansion"},
          {age, ""}}},
        {"volumeattributesclasses", NULL, {{cell_class_name, ""}, {text, "driverName"}, {age, ""}}},
        {"volumeattachments",
         NULL,
         {{name, ""},
          {text, "spec.attacher"},
          {text, "spec.source.persistentVolumeName"},
          {text, "spec.nodeName"},
          {flag, "status.attached"},
          {age, ""}}},
        {"csidrivers",
         NULL,
         {{name, ""},
          {flag_true, "spec.attachRequired"},
          {flag, "spec.podInfoOnMount"},
          {flag, "spec.storageCapacity"},
          {cell_audiences, "spec.tokenRequests"},
          {flag, "spec.requiresRepublish"},
          {cell_joined, "spec.volumeLifecycleModes"},
          {age, ""}}},
        {"csinodes", NULL, {{name, ""}, {count, "spec.drivers"}, {age, ""}}},
        {"horizontalpodautoscalers",
         NULL,
         {{name, ""},
          {cell_hpa_reference, ""},
          {cell_hpa_metrics, ""},
          {text_or_unset, "spec.minReplicas"},
          {number, "spec.maxReplicas"},
          {number, "status.currentReplicas"},
          {age, ""}}},
        {"poddisruptionbudgets",
         NULL,
         {{name, ""},
          {text_or_na, "spec.minAvailable"},
          {text_or_na, "spec.maxUnavailable"},
          {number, "status.disruptionsAllowed"},
          {age, ""}}},
        {"resourcequotas", NULL, {{name, ""}, {cell_quota, "requests"}, {cell_quota, "limits"}, {age, ""}}},
        {"rolebindings",
         NULL,
         {{name, ""},
          {cell_role, ""},
          {age, ""},
          {cell_subjects, "User"},
          {cell_subjects, "Group"},
          {cell_subjects, "ServiceAccount"}}},
        {"clusterrolebindings",
         NULL,
         {{name, ""},
          {cell_role, ""},
          {age, ""},
          {cell_subjects, "User"},
          {cell_subjects, "Group"},
          {cell_subjects, "ServiceAccount"}}},
        {"certificatesigningrequests",
         NULL,
         {{name, ""},
          {age, ""},
          {text_or_none, "spec.signerName"},
          {text, "spec.username"},
          {cell_csr_duration, ""},
          {cell_csr_condition, ""}}},
        {"leases", NULL, {{name, ""}, {text, "spec.holderIdentity"}, {age, ""}}},
        {"priorityclasses",
         NULL,
         {{name, ""}, {number, "value"}, {flag, "globalDefault"}, {age, ""}, {text, "preemptionPolicy"}}},
        {"runtimeclasses", NULL, {{name, ""}, {text, "handler"}, {age, ""}}},
        {"controllerrevisions",
         NULL,
         {{name, ""}, {cell_revision_controller, ""}, {number, "revision"}, {age, ""}}},
        {"podtemplates",
         NULL,
         {{name, ""},
          {containers, "template.spec.containers"},
          {images, "template.spec.containers"},
          {labels, "template.metadata.labels"}}},
        {"componentstatuses",
         NULL,
         {{name, ""}, {cell_component, "status"}, {cell_component, "message"}, {cell_component, "error"}}},
        {"mutatingwebhookconfigurations", NULL, {{name, ""}, {count, "webhooks"}, {age, ""}}},
        {"validatingwebhookconfigurations", NULL, {{name, ""}, {count, "webhooks"}, {age, ""}}},
        {"validatingadmissionpolicies",
         NULL,
         {{name, ""}, {count, "spec.validations"}, {cell_webhook_param_kind, ""}, {age, ""}}},
        {"validatingadmissionpolicybindings",
         NULL,
         {{name, ""}, {text, "spec.policyName"}, {cell_webhook_param, ""}, {age, ""}}},
        {"apiservices", NULL, {{name, ""}, {cell_service_of_api, ""}, {cell_available, ""}, {age, ""}}},
        {"flowschemas",
         NULL,
         {{name, ""},
          {text, "spec.priorityLevelConfiguration.name"},
          {number, "spec.matchingPrecedence"},
          {text_or_none, "spec.distinguisherMethod.type"},
          {age, ""},
          {text, "status.conditions.0.status"}}},
        {"prioritylevelconfigurations",
         NULL,
         {{name, ""},
          {text, "spec.type"},
          {number_or_none, "spec.limited.nominalConcurrencyShares"},
          {number_or_none, "spec.limited.limitResponse.queuing.queues"},
          {number_or_none, "spec.limited.limitResponse.queuing.handSize"},
          {number_or_none, "spec.limited.limitResponse.queuing.queueLengthLimit"},
          {age, ""}}},
        {"ipaddresses", NULL, {{name, ""}, {cell_address_parent, ""}}},
        {"servicecidrs", NULL, {{name, ""}, {cell_joined, "spec.cidrs"}, {age, ""}}},
        {"deviceclasses", NULL, {{name, ""}, {age, ""}}},
        {"resourceclaims", NULL, {{name, ""}, {cell_claim_state, ""}, {age, ""}}},
        {"resourceclaimtemplates", NULL, {{name, ""}, {age, ""}}},
        {"resourceslices",
         NULL,
         {{name, ""}, {text, "spec.nodeName"}, {text, "spec.driver"}, {text, "spec.pool.name"}, {age, ""}}},
};

/* --- columns with a JSONPath: custom resources (apiextensions-apiserver tableconvertor.go) --- */
static struct kt_json *typed_cell(const struct schema_column *column, const struct kt_json *v, kt_ns now)
{
	enum kt_json_type is = kt_json_type(v);
	bool number = is == KT_JSON_INT || is == KT_JSON_REAL;
	kt_ns t;
	if (!strcmp(column->type, "integer") && is == KT_JSON_REAL)
		return kt_json_int((int64_t)kt_real_or(v, 0));
	if (!strcmp(column->type, "date") && kt_is_string(v))
		return kt_time_parse(kt_str(v), &t) ? cell_since(v, now) : kt_json_str("<invalid>");
	if (!strcmp(column->type, "boolean") ? is == KT_JSON_BOOL : number && strcmp(column->type, "date"))
		return kt_json_ref(v);
	return kt_json_null(); /* of another type than the column */
}

static void add_text(const struct kt_json *v, struct kt_buf *out)
{
	if (kt_is_string(v))
		kt_buf_add(out, kt_str(v), kt_str_len(v));
	else
		kt_json_print(v, out);
}

static struct kt_json *path_cell(const struct schema_column *column, const struct kt_json *object, kt_ns now)
{
	struct kt_jsonpath *path = NULL;
	struct kt_err err = {0};
	if (kt_jsonpath_new(column->path, &path, &err))
		return kt_json_null();
	struct kt_json *found = kt_jsonpath_find(path, object), *cell = NULL;
	kt_jsonpath_free(path);
	if (!kt_count(found) || kt_json_type(kt_at(found, 0)) == KT_JSON_NULL) {
		cell = kt_json_null();
	} else if (!strcmp(column->type, "string")) {
		struct kt_buf buf = {0};
		add_text(kt_at(found, 0), &buf); /* of many the first */
		cell = cell_take(&buf);
	} else {
		cell = typed_cell(column, kt_at(found, 0), now);
	}
	kt_json_free(found);
	return cell;
}

/* --- what all tables have --- */
static const struct schema_column default_columns[] = {
        {.name = "Name", .type = "string", .format = "name"},
        {.name = "Created At", .type = "date", .format = ""},
};

static const struct schema_column *columns_of(const struct schema_kind *kind, size_t *n)
{
	*n = kind->column_count ? kind->column_count : KT_COUNT(default_columns);
	return kind->column_count ? kind->columns : default_columns;
}

static const struct printer *printer_of(const struct schema_kind *kind)
{
	for (size_t i = 0; i < KT_COUNT(printers); i++)
		if (!strcmp(printers[i].resource, kind->resource))
			return &printers[i];
	return NULL;
}

static struct cell_source source_of(const struct kt_json *object, kt_ns now)
{
	return (struct cell_source){.object = object,
	                            .metadata = kt_get(object, "metadata"),
	                            .spec = kt_get(object, "spec"),
	                            .status = kt_get(object, "status"),
	                            .now = now};
}

static void add_cells(const struct schema_kind *kind, const struct cell_source *from, struct kt_json **cells)
{
	size_t n;
	const struct schema_column *columns = columns_of(kind, &n);
	/* Kinds of other groups may have the same plural. */
	const struct printer *printer = kind->crd ? NULL : printer_of(kind);
	if (printer && printer->all && kind->column_count) {
		printer->all(from, cells);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (columns[i].path)
			kt_push(cells, path_cell(&columns[i], from->object, from->now));
		else if (printer && kind->column_count && i < MAX_CELLS && printer->cells[i].fn)
			kt_push(cells, printer->cells[i].fn(from, printer->cells[i].path));
		else if (!strcmp(columns[i].name, "Name"))
			kt_push(cells, name(from, ""));
		else
			kt_push(cells, !strcmp(columns[i].type, "date") ? created(from, "") : age(from, ""));
	}
}

struct kt_json *schema_cells(const struct schema_kind *kind, const struct kt_json *object, kt_ns now)
{
	struct kt_json *cells = kt_json_array(), *converted = NULL;
	/* Printers know the stored version. */
	if (kind->storage != kind && !kind->crd)
		object = converted = schema_convert(object, kind, kind->storage);
	struct cell_source from = source_of(object, now);
	add_cells(kind, &from, &cells);
	kt_json_free(converted);
	return cells;
}

struct kt_json *schema_column_definitions(const struct schema_kind *kind)
{
	size_t n;
	const struct schema_column *columns = columns_of(kind, &n);
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < n; i++)
		kt_push(&list,
		        kt_jsonf("{name: %s, type: %s, format: %s, description: %s, priority: %d}",
		                 columns[i].name, columns[i].type, columns[i].format ? columns[i].format : "",
		                 columns[i].text ? columns[i].text : columns[i].name, columns[i].priority));
	return list;
}

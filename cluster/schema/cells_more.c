/* SPDX-License-Identifier: MIT */
/* Cells with rules of their own: nodes, jobs, autoscalers, events, volumes, roles and others. */
#include "cluster/schema/cells_internal.h"

#include <ctype.h>
#include <string.h>

static const char *text_at(const struct kt_json *object, const char *key)
{
	return kt_str_or(kt_get(object, key), "");
}

static void add_lower(const char *s, struct kt_buf *out)
{
	for (; *s; s++)
		kt_buf_addc(out, (char)tolower((unsigned char)*s));
}

static struct kt_json *join_sorted(struct kt_strs *list, const char *otherwise)
{
	struct kt_buf buf = {0};
	kt_strs_sort(list);
	for (size_t i = 0; i < list->count; i++)
		kt_buf_addf(&buf, "%s%s", i ? "," : "", list->items[i]);
	kt_strs_clear(list);
	return buf.len ? cell_take(&buf) : kt_json_str(otherwise);
}

/* --- nodes --- */
struct kt_json *cell_node_status(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *ready = cell_condition(kt_get(from->status, "conditions"), "Ready");
	const char *word = !ready                                      ? "Unknown"
	                   : !strcmp(text_at(ready, "status"), "True") ? "Ready"
	                                                               : "NotReady";
	return kt_json_strf("%s%s", word,
	                    kt_get_bool(from->spec, "unschedulable", false) ? ",SchedulingDisabled" : "");
}

struct kt_json *cell_node_roles(const struct cell_source *from, const char *path)
{
	(void)path;
	static const char prefix[] = "node-role.kubernetes.io/";
	const struct kt_json *labels = kt_get(from->metadata, "labels");
	struct kt_strs roles = {0};
	for (size_t i = 0; i < kt_count(labels); i++) {
		const char *key = kt_key(labels, i), *role = "";
		if (kt_starts(key, prefix))
			role = key + strlen(prefix);
		else if (!strcmp(key, "kubernetes.io/role"))
			role = kt_str_or(kt_at(labels, i), "");
		if (*role && !kt_strs_has(&roles, role))
			kt_strs_add(&roles, role);
	}
	return join_sorted(&roles, "<none>");
}

struct kt_json *cell_node_address(const struct cell_source *from, const char *path)
{
	const struct kt_json *address = cell_condition(kt_get(from->status, "addresses"), path);
	return address ? kt_json_str(text_at(address, "address")) : kt_json_str("<none>");
}

/* --- jobs --- */
struct kt_json *cell_job_status(const struct cell_source *from, const char *path)
{
	(void)path;
	static const struct {
		const char *condition, *status; /* condition NULL: the job is being deleted */
	} rows[] = {{"Complete", "Complete"},
	            {"Failed", "Failed"},
	            {NULL, "Terminating"},
	            {"Suspended", "Suspended"},
	            {"FailureTarget", "FailureTarget"},
	            {"SuccessCriteriaMet", "SuccessCriteriaMet"}};
	const struct kt_json *conditions = kt_get(from->status, "conditions");
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (rows[i].condition ? cell_condition_true(conditions, rows[i].condition)
		                      : kt_get(from->metadata, "deletionTimestamp") != NULL)
			return kt_json_str(rows[i].status);
	return kt_json_str("Running");
}

struct kt_json *cell_job_completions(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *wanted = kt_get(from->spec, "completions");
	long long done = (long long)kt_get_int(from->status, "succeeded", 0);
	long long parallelism = (long long)kt_get_int(from->spec, "parallelism", 0);
	if (wanted)
		return kt_json_strf("%lld/%lld", done, (long long)kt_int_or(wanted, 0));
	if (parallelism > 1)
		return kt_json_strf("%lld/1 of %lld", done, parallelism);
	return kt_json_strf("%lld/1", done);
}

struct kt_json *cell_job_duration(const struct cell_source *from, const char *path)
{
	(void)path;
	kt_ns start, end = from->now;
	const char *started = kt_get_str(from->status, "startTime"),
	           *ended = kt_get_str(from->status, "completionTime");
	struct kt_buf buf = {0};
	if (!started || !kt_time_parse(started, &start) || (ended && !kt_time_parse(ended, &end)))
		return kt_json_str("");
	kt_duration_print_human(end - start, &buf);
	return cell_take(&buf);
}

/* --- autoscalers --- */
struct kt_json *cell_hpa_reference(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *target = kt_get(from->spec, "scaleTargetRef");
	return kt_json_strf("%s/%s", text_at(target, "kind"), text_at(target, "name"));
}

/* A row a type of metric: where it lies, and whether its name goes in front. */
static const struct {
	const char *type, *member;
	bool named;
} metric_types[] = {
        {"External", "external", false},
        {"Pods", "pods", false},
        {"Object", "object", false},
        {"Resource", "resource", true},
        {"ContainerResource", "containerResource", true},
};

static void add_metric(const struct kt_json *spec, const struct kt_json *status, struct kt_buf *out)
{
	size_t row = 0;
	while (row < KT_COUNT(metric_types) && strcmp(metric_types[row].type, text_at(spec, "type")) != 0)
		row++;
	if (row == KT_COUNT(metric_types)) {
		kt_buf_adds(out, "<unknown type>");
		return;
	}
	const struct kt_json *want = kt_get(spec, metric_types[row].member);
	const struct kt_json *target = kt_get(want, "target");
	const struct kt_json *current = kt_get(kt_get(status, metric_types[row].member), "current");
	const char *average = kt_get_str(target, "averageValue");
	bool named = metric_types[row].named, pods = !strcmp(metric_types[row].type, "Pods");
	if (named)
		kt_buf_addf(out, "%s: ", text_at(want, "name"));
	if (average || pods) {
		kt_buf_addf(out, "%s/%s%s", kt_str_or(kt_get(current, "averageValue"), "<unknown>"),
		            average ? average : "0", named || pods ? "" : " (avg)");
	} else if (named) {
		const struct kt_json *used = kt_get(current, "averageUtilization");
		const struct kt_json *wanted = kt_get(target, "averageUtilization");
		if (used)
			kt_buf_addf(out, "%lld%%/", (long long)kt_int_or(used, 0));
		else
			kt_buf_adds(out, "<unknown>/");
		if (wanted)
			kt_buf_addf(out, "%lld%%", (long long)kt_int_or(wanted, 0));
		else
			kt_buf_adds(out, "<auto>");
	} else {
		kt_buf_addf(out, "%s/%s", kt_str_or(kt_get(current, "value"), "<unknown>"),
		            kt_str_or(kt_get(target, "value"), "<nil>"));
	}
}

struct kt_json *cell_hpa_metrics(const struct cell_source *from, const char *path)
{
	(void)path;
	const size_t shown = 2;
	const struct kt_json *specs = kt_get(from->spec, "metrics"),
	                     *statuses = kt_get(from->status, "currentMetrics");
	struct kt_buf buf = {0};
	if (!kt_count(specs))
		return kt_json_str("<none>");
	for (size_t i = 0; i < kt_count(specs) && i < shown; i++) {
		kt_buf_adds(&buf, i ? ", " : "");
		add_metric(kt_at(specs, i), kt_at(statuses, i), &buf);
	}
	if (kt_count(specs) > shown)
		kt_buf_addf(&buf, " + %zu more...", kt_count(specs) - shown);
	return cell_take(&buf);
}

/* --- events --- */
struct kt_json *cell_event_first(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *first = kt_get(from->object, "firstTimestamp");
	return cell_since(kt_str(first) ? first : kt_get(from->object, "eventTime"), from->now);
}

struct kt_json *cell_event_seen(const struct cell_source *from, const char *path)
{
	const struct kt_json *last = kt_get(from->object, "lastTimestamp"),
	                     *series = kt_get(from->object, "series");
	if (kt_is_object(series))
		return cell_since(kt_get(series, "lastObservedTime"), from->now);
	return kt_str(last) ? cell_since(last, from->now) : cell_event_first(from, path);
}

struct kt_json *cell_event_count(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *series = kt_get(from->object, "series");
	int64_t n = kt_get_int(kt_is_object(series) ? series : from->object, "count", 0);
	return kt_json_int(n || series ? n : 1);
}

struct kt_json *cell_event_target(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *object = kt_get(from->object, "involvedObject");
	struct kt_buf buf = {0};
	add_lower(text_at(object, "kind"), &buf);
	if (*text_at(object, "name"))
		kt_buf_addf(&buf, "/%s", text_at(object, "name"));
	return cell_take(&buf);
}

struct kt_json *cell_event_source(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *source = kt_get(from->object, "source");
	const char *component = text_at(source, "component"), *host = text_at(source, "host");
	component = *component ? component : text_at(from->object, "reportingComponent");
	host = *host ? host : text_at(from->object, "reportingInstance");
	return *host ? kt_json_strf("%s, %s", component, host) : kt_json_str(component);
}

struct kt_json *cell_event_message(const struct cell_source *from, const char *path)
{
	(void)path;
	const char *text = text_at(from->object, "message");
	while (*text && isspace((unsigned char)*text))
		text++;
	size_t len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return kt_json_strn(text, len);
}

/* --- volumes --- */
struct kt_json *cell_volume_capacity(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_str(kt_str_or(kt_path(from->spec, "capacity.storage"), "0"));
}

struct kt_json *cell_claim_capacity(const struct cell_source *from, const char *path)
{
	(void)path;
	if (!*text_at(from->spec, "volumeName"))
		return kt_json_str("");
	return kt_json_str(kt_str_or(kt_path(from->status, "capacity.storage"), "0"));
}

static struct kt_json *modes(const struct kt_json *list)
{
	static const char *const names[][2] = {{"ReadWriteOnce", "RWO"},
	                                       {"ReadOnlyMany", "ROX"},
	                                       {"ReadWriteMany", "RWX"},
	                                       {"ReadWriteOncePod", "RWOP"}};
	struct kt_buf buf = {0};
	for (size_t i = 0; i < KT_COUNT(names); i++) {
		for (size_t j = 0; j < kt_count(list); j++) {
			if (!kt_streq(kt_str(kt_at(list, j)), names[i][0]))
				continue;
			kt_buf_addf(&buf, "%s%s", buf.len ? "," : "", names[i][1]);
			break;
		}
	}
	return cell_take(&buf);
}

struct kt_json *cell_access_modes(const struct cell_source *from, const char *path)
{
	return modes(kt_path(from->object, path));
}

struct kt_json *cell_claim_modes(const struct cell_source *from, const char *path)
{
	(void)path;
	return *text_at(from->spec, "volumeName") ? modes(kt_get(from->status, "accessModes"))
	                                          : kt_json_str("");
}

struct kt_json *cell_storage_class(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *old =
	        kt_get(kt_get(from->metadata, "annotations"), "volume.beta.kubernetes.io/storage-class");
	return kt_json_str(old ? kt_str_or(old, "") : text_at(from->spec, "storageClassName"));
}

struct kt_json *cell_phase(const struct cell_source *from, const char *path)
{
	(void)path;
	if (kt_get(from->metadata, "deletionTimestamp"))
		return kt_json_str("Terminating");
	return kt_json_str(text_at(from->status, "phase"));
}

struct kt_json *cell_volume_claim(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *claim = kt_get(from->spec, "claimRef");
	return claim ? kt_json_strf("%s/%s", text_at(claim, "namespace"), text_at(claim, "name"))
	             : kt_json_str("");
}

struct kt_json *cell_class_name(const struct cell_source *from, const char *path)
{
	(void)path;
	static const char *const marks[] = {"storageclass.kubernetes.io/is-default-class",
	                                    "storageclass.beta.kubernetes.io/is-default-class"};
	const struct kt_json *annotations = kt_get(from->metadata, "annotations");
	bool standard = false;
	for (size_t i = 0; i < KT_COUNT(marks); i++)
		standard = standard || kt_streq(kt_get_str(annotations, marks[i]), "true");
	return kt_json_strf("%s%s", text_at(from->metadata, "name"), standard ? " (default)" : "");
}

/* --- quotas, roles, requests --- */
/* `path`: "limits" for the limits.* resources, else all others. */
struct kt_json *cell_quota(const struct cell_source *from, const char *path)
{
	const struct kt_json *hard = kt_get(from->status, "hard"), *used = kt_get(from->status, "used");
	bool limits = !strcmp(path, "limits");
	struct kt_strs names = {0};
	struct kt_buf buf = {0};
	for (size_t i = 0; i < kt_count(hard); i++)
		if (kt_starts(kt_key(hard, i), "limits.") == limits)
			kt_strs_add(&names, kt_key(hard, i));
	kt_strs_sort(&names);
	for (size_t i = 0; i < names.count; i++)
		kt_buf_addf(&buf, "%s%s: %s/%s", i ? ", " : "", names.items[i],
		            kt_str_or(kt_get(used, names.items[i]), "0"),
		            kt_str_or(kt_get(hard, names.items[i]), "0"));
	kt_strs_clear(&names);
	return cell_take(&buf);
}

struct kt_json *cell_role(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *role = kt_get(from->object, "roleRef");
	return kt_json_strf("%s/%s", text_at(role, "kind"), text_at(role, "name"));
}

struct kt_json *cell_subjects(const struct cell_source *from, const char *path)
{
	const struct kt_json *subject;
	struct kt_buf buf = {0};
	KT_JSON_EACH (subject, kt_get(from->object, "subjects")) {
		if (strcmp(text_at(subject, "kind"), path) != 0)
			continue;
		kt_buf_adds(&buf, buf.len ? ", " : "");
		if (!strcmp(path, "ServiceAccount"))
			kt_buf_addf(&buf, "%s/", text_at(subject, "namespace"));
		kt_buf_adds(&buf, text_at(subject, "name"));
	}
	return cell_take(&buf);
}

struct kt_json *cell_csr_condition(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *conditions = kt_get(from->status, "conditions");
	const char *word = cell_condition(conditions, "Denied")     ? "Denied"
	                   : cell_condition(conditions, "Approved") ? "Approved"
	                                                            : "Pending";
	return kt_json_strf("%s%s%s", word, cell_condition(conditions, "Failed") ? ",Failed" : "",
	                    *text_at(from->status, "certificate") ? ",Issued" : "");
}

struct kt_json *cell_csr_duration(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *seconds = kt_get(from->spec, "expirationSeconds");
	struct kt_buf buf = {0};
	int64_t n = kt_int_or(seconds, 0);
	if (!seconds)
		return kt_json_str("<none>");
	kt_duration_print_human(n < 0 || n > INT32_MAX ? 0 : n * KT_SEC, &buf);
	return cell_take(&buf);
}

struct kt_json *cell_revision_controller(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *owner;
	struct kt_buf buf = {0};
	KT_JSON_EACH (owner, kt_get(from->metadata, "ownerReferences")) {
		if (!kt_get_bool(owner, "controller", false))
			continue;
		const char *version = text_at(owner, "apiVersion"), *slash = strchr(version, '/');
		add_lower(text_at(owner, "kind"), &buf);
		if (slash) {
			kt_buf_addc(&buf, '.');
			kt_buf_add(&buf, version, (size_t)(slash - version));
		}
		kt_buf_addf(&buf, "/%s", text_at(owner, "name"));
		return cell_take(&buf);
	}
	return kt_json_str("<none>");
}

struct kt_json *cell_component(const struct cell_source *from, const char *path)
{
	const struct kt_json *healthy = cell_condition(kt_get(from->object, "conditions"), "Healthy");
	if (strcmp(path, "status") != 0)
		return kt_json_str(text_at(healthy, path));
	return kt_json_str(!healthy                                      ? "Unknown"
	                   : !strcmp(text_at(healthy, "status"), "True") ? "Healthy"
	                                                                 : "Unhealthy");
}

struct kt_json *cell_address_parent(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *parent = kt_get(from->spec, "parentRef");
	struct kt_buf buf = {0};
	if (!parent)
		return kt_json_str("<none>");
	add_lower(text_at(parent, "resource"), &buf);
	if (*text_at(parent, "group")) {
		kt_buf_addc(&buf, '.');
		add_lower(text_at(parent, "group"), &buf);
	}
	if (*text_at(parent, "namespace"))
		kt_buf_addf(&buf, "/%s", text_at(parent, "namespace"));
	kt_buf_addf(&buf, "/%s", text_at(parent, "name"));
	return cell_take(&buf);
}

struct kt_json *cell_joined(const struct cell_source *from, const char *path)
{
	const struct kt_json *word;
	struct kt_buf buf = {0};
	KT_JSON_EACH (word, kt_path(from->object, path))
		kt_buf_addf(&buf, "%s%s", buf.len ? "," : "", kt_str_or(word, ""));
	return buf.len ? cell_take(&buf) : kt_json_str("<none>");
}

struct kt_json *cell_claim_state(const struct cell_source *from, const char *path)
{
	(void)path;
	bool deleted = kt_get(from->metadata, "deletionTimestamp") != NULL;
	if (!kt_get(from->status, "allocation"))
		return kt_json_str(deleted ? "deleted" : "pending");
	return kt_json_strf("%sallocated%s", deleted ? "deleted," : "",
	                    kt_count(kt_get(from->status, "reservedFor")) ? ",reserved" : "");
}

/* --- extensions of the API --- */
struct kt_json *cell_audiences(const struct cell_source *from, const char *path)
{
	const struct kt_json *list = kt_path(from->object, path), *item;
	struct kt_buf buf = {0};
	if (!list)
		return kt_json_str("<unset>");
	KT_JSON_EACH (item, list)
		kt_buf_addf(&buf, "%s%s", item_i ? "," : "", text_at(item, "audience"));
	return cell_take(&buf);
}

struct kt_json *cell_service_of_api(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *service = kt_get(from->spec, "service");
	if (!kt_is_object(service))
		return kt_json_str("Local");
	return kt_json_strf("%s/%s", text_at(service, "namespace"), text_at(service, "name"));
}

struct kt_json *cell_available(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *condition = cell_condition(kt_get(from->status, "conditions"), "Available");
	const char *status = kt_str_or(kt_get(condition, "status"), "Unknown");
	if (!condition || !strcmp(status, "True"))
		return kt_json_str(status);
	return kt_json_strf("%s (%s)", status, text_at(condition, "reason"));
}

struct kt_json *cell_webhook_param_kind(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *kind = kt_get(from->spec, "paramKind");
	return kind ? kt_json_strf("%s/%s", text_at(kind, "apiVersion"), text_at(kind, "kind"))
	            : kt_json_str("<unset>");
}

struct kt_json *cell_webhook_param(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *param = kt_get(from->spec, "paramRef");
	const char *ns = text_at(param, "namespace");
	if (*text_at(param, "name"))
		return kt_json_strf("%s/%s", *ns ? ns : "*", text_at(param, "name"));
	return kt_json_str("<unset>");
}

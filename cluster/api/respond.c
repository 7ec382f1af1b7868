/* SPDX-License-Identifier: MIT */
/* From values to bodies: objects, lists, Tables, PartialObjectMetadata; JSON, pretty JSON, YAML. */
#include "cluster/api/internal.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- times on the wire --- */

/* 2025: no cluster was born before; an older time is somebody's own words and stays as it is, in and out. */
static const kt_ns CLUSTERS_BEGIN = (kt_ns)1735689600 * KT_SEC;

static struct kt_json *shift_time(const struct schema_type *type, const struct kt_json *value, kt_ns by)
{
	struct kt_buf text = {0};
	struct kt_json *shifted;
	kt_ns t;

	if (!kt_str(value) || !kt_time_parse(kt_str(value), &t) || t < CLUSTERS_BEGIN)
		return kt_json_ref(value);
	if (type->scalar == SCHEMA_TIME)
		kt_time_print(t + by, &text);
	else
		kt_time_print_micro(t + by, &text);
	shifted = kt_json_str(kt_buf_str(&text));
	kt_buf_clear(&text);
	return shifted;
}

static struct kt_json *shift_field(const struct schema_field *field, const struct kt_json *value, kt_ns by)
{
	struct kt_json *result;

	if (field->shape == SCHEMA_ONE)
		return api_shift_times(field->type, value, by);
	result = kt_json_ref(value);
	for (size_t i = 0, n = kt_count(value); i < n; i++) {
		struct kt_json *item = api_shift_times(field->type, kt_at(value, i), by);

		if (item == kt_at(value, i))
			kt_json_free(item);
		else
			kt_put(&result, i, item);
	}
	return result;
}

struct kt_json *api_shift_times(const struct schema_type *type, const struct kt_json *value, kt_ns by)
{
	struct kt_json *result;

	if (!by || !type || !value)
		return kt_json_ref(value);
	if (type->scalar == SCHEMA_TIME || type->scalar == SCHEMA_MICROTIME)
		return shift_time(type, value, by);
	result = kt_json_ref(value);
	if (type->scalar != SCHEMA_MESSAGE || !kt_is_object(value))
		return result;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct schema_field *field = &type->fields[i];
		const struct kt_json *member = kt_get(value, field->name);
		struct kt_json *shifted;

		if (!member)
			continue;
		shifted = shift_field(field, member, by);
		if (shifted == member)
			kt_json_free(shifted);
		else
			kt_set(&result, field->name, shifted);
	}
	return result;
}

struct kt_json *api_outward(const struct schema_kind *kind, const struct kt_json *object, kt_ns offset)
{
	struct kt_json *converted = kind->storage && kind->storage != kind
	                                    ? schema_convert(object, kind->storage, kind)
	                                    : kt_json_ref(object);
	struct kt_json *shifted;

	if (!offset)
		return converted;
	shifted = api_shift_times(kind->type, converted, -offset);
	kt_json_free(converted);
	return shifted;
}

/* --- one object --- */
static void print_partial(const struct api_rendering *r, const struct kt_json *object, struct kt_buf *out)
{
	kt_buf_addf(out,
	            "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/%s\",\"metadata\":",
	            r->as_version);
	kt_json_print(kt_get(object, "metadata"), out);
	kt_buf_addc(out, '}');
}

static void print_row(const struct api_rendering *r, const struct kt_json *object, struct kt_buf *out)
{
	struct kt_json *outward = api_outward(r->kind, object, r->offset);
	/* ages are the same on either clock: cells are made from what is stored */
	struct kt_json *cells = schema_cells(r->kind, r->kind->storage == r->kind ? object : outward, r->now);

	kt_buf_adds(out, "{\"cells\":");
	kt_json_print(cells, out);
	kt_buf_adds(out, ",\"object\":");
	if (kt_streq(r->include_object, "None"))
		kt_buf_adds(out, "null");
	else if (kt_streq(r->include_object, "Object"))
		kt_json_print(outward, out);
	else
		print_partial(r, outward, out);
	kt_buf_addc(out, '}');
	kt_json_free(cells);
	kt_json_free(outward);
}

static void print_table_head(const struct api_rendering *r, const struct api_list_head *head,
                             const char *version, struct kt_buf *out)
{
	kt_buf_addf(out,
	            "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/"
	            "%s\",\"metadata\":{\"resourceVersion\":\"%s\"",
	            r->as_version, version);
	if (head && head->continue_token)
		kt_buf_addf(out, ",\"continue\":\"%s\"", head->continue_token);
	if (head && head->remaining >= 0 && head->continue_token)
		kt_buf_addf(out, ",\"remainingItemCount\":%" PRId64, head->remaining);
	kt_buf_adds(out, "},\"columnDefinitions\":");
	if (r->first) {
		struct kt_json *columns = schema_column_definitions(r->kind);

		kt_json_print(columns, out);
		kt_json_free(columns);
	} else {
		kt_buf_adds(out, "null");
	}
	kt_buf_adds(out, ",\"rows\":[");
}

void api_render(const struct api_rendering *r, const struct kt_json *object, struct kt_buf *out)
{
	struct kt_json *outward;

	if (r->as == API_AS_TABLE) {
		print_table_head(r, NULL, kt_str_or(kt_path(object, "metadata.resourceVersion"), ""), out);
		print_row(r, object, out);
		kt_buf_adds(out, "]}");
		return;
	}
	outward = api_outward(r->kind, object, r->offset);
	if (r->as == API_AS_OBJECT)
		kt_json_print(outward, out);
	else
		print_partial(r, outward, out);
	kt_json_free(outward);
}

/* Items of lists do not repeat what they are, but those of custom kinds do. */
static void print_item(const struct api_rendering *r, const struct kt_json *object, struct kt_buf *out)
{
	struct kt_json *outward = api_outward(r->kind, object, r->offset);
	const struct kt_json *member;
	bool first = true;

	if (r->kind->crd) {
		kt_json_print(outward, out);
		kt_json_free(outward);
		return;
	}
	kt_buf_addc(out, '{');
	KT_JSON_EACH (member, outward) {
		const char *key = kt_key(outward, member_i);

		if (kt_streq(key, "kind") || kt_streq(key, "apiVersion"))
			continue;
		if (!first)
			kt_buf_addc(out, ',');
		first = false;
		kt_json_print_string(key, strlen(key), out);
		kt_buf_addc(out, ':');
		kt_json_print(member, out);
	}
	kt_buf_addc(out, '}');
	kt_json_free(outward);
}

/* --- bodies --- */
static void set_type(struct cluster_response *response, const char *type)
{
	snprintf(response->content_type, sizeof(response->content_type), "%s", type);
}

static void add_warnings(struct api_request *request)
{
	for (size_t i = 0; i < request->warnings.count; i++) {
		struct kt_buf quoted = {0};

		for (const char *c = request->warnings.items[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				kt_buf_addc(&quoted, '\\');
			kt_buf_addc(&quoted, *c == '\n' ? ' ' : *c);
		}
		kt_strs_add(&request->response->headers.names, "Warning");
		kt_strs_steal(&request->response->headers.values,
		              kt_strf("299 - \"%s\"", kt_buf_str(&quoted)));
		kt_buf_clear(&quoted);
	}
	kt_strs_clear(&request->warnings);
}

/* The compact JSON in the body becomes what was asked for. */
static void finish(struct api_request *request, int code)
{
	struct cluster_response *response = request->response;
	struct kt_json *value = NULL;

	response->status = code;
	set_type(response, "application/json");
	add_warnings(request);
	if (!request->pretty && !request->yaml)
		return;
	if (kt_json_parse(kt_buf_str(&response->body), response->body.len, NULL, &value, NULL, NULL))
		return;
	kt_buf_clear(&response->body);
	if (request->yaml) {
		kt_yaml_print(value, false, &response->body);
		set_type(response, "application/yaml");
	} else {
		kt_json_print_indented(value, 2, &response->body);
	}
	kt_json_free(value);
}

void api_respond_text(struct api_request *request, int code, const char *type, const char *text)
{
	request->response->status = code;
	set_type(request->response, type);
	kt_buf_clear(&request->response->body);
	kt_buf_adds(&request->response->body, text);
	add_warnings(request);
}

void api_respond_json(struct api_request *request, int code, const struct kt_json *value, bool indent)
{
	kt_buf_clear(&request->response->body);
	if (indent)
		kt_json_print_indented(value, 2, &request->response->body);
	else
		kt_json_print(value, &request->response->body);
	if (indent) {
		request->response->status = code;
		set_type(request->response, "application/json");
		return;
	}
	finish(request, code);
}

void api_respond_status(struct api_request *request)
{
	struct kt_json *status = api_status_json(&request->status);
	int64_t retry = kt_path_int(request->status.details, "retryAfterSeconds", 0);

	if (retry > 0) {
		kt_strs_add(&request->response->headers.names, "Retry-After");
		kt_strs_steal(&request->response->headers.values, kt_strf("%" PRId64, retry));
	}
	api_respond_json(request, request->status.code, status, false);
	kt_json_free(status);
}

static void set_rendering(struct api_rendering *r, struct api_request *request)
{
	const char *include = api_query(request, "includeObject");

	*r = (struct api_rendering){
	        .kind = request->kind,
	        .as = request->as,
	        .as_version = request->as_version ? request->as_version : "v1",
	        .include_object = include && *include ? include : "Metadata",
	        .now = cluster_now(request->cluster),
	        .offset = cluster_wire_offset(request->cluster),
	        .first = true,
	};
}

void api_respond_object(struct api_request *request, int code, const struct kt_json *object)
{
	struct api_rendering rendering;

	set_rendering(&rendering, request);
	kt_buf_clear(&request->response->body);
	api_render(&rendering, object, &request->response->body);
	finish(request, code);
}

static int by_precedence(const void *a, const void *b)
{
	const struct store_object *x = *(const struct store_object *const *)a,
	                          *y = *(const struct store_object *const *)b;
	int64_t i = kt_path_int(x->json, "spec.matchingPrecedence", 0),
	        j = kt_path_int(y->json, "spec.matchingPrecedence", 0);

	return i != j ? (i < j ? -1 : 1) : strcmp(x->name, y->name);
}

/* The printer shows FlowSchemas in the order in which they are tried. New; NULL: as they are. */
static const struct store_object **in_printing_order(const struct schema_kind *kind,
                                                     const struct store_object *const *items, size_t count)
{
	const struct store_object **sorted;

	if (!kt_streq(kind->resource, "flowschemas") || !count)
		return NULL;
	sorted = kt_alloc(count * sizeof(*sorted));
	memcpy(sorted, items, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_precedence);
	return sorted;
}

void api_respond_list(struct api_request *request, const struct api_list_head *head,
                      const struct store_object *const *items, size_t count)
{
	struct api_rendering r;
	struct kt_buf *out = &request->response->body;
	const struct store_object **sorted;
	char version[24];

	set_rendering(&r, request);
	kt_buf_clear(out);
	snprintf(version, sizeof(version), "%" PRIu64, head->version);
	sorted = r.as == API_AS_TABLE ? in_printing_order(request->kind, items, count) : NULL;
	if (sorted)
		items = sorted;
	if (r.as == API_AS_TABLE) {
		print_table_head(&r, head, version, out);
	} else {
		if (r.as == API_AS_OBJECT)
			kt_buf_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\"", r.kind->list_kind,
			            r.kind->api_version);
		else
			kt_buf_addf(
			        out,
			        "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/%s\"",
			        r.as_version);
		kt_buf_addf(out, ",\"metadata\":{\"resourceVersion\":\"%s\"", version);
		if (head->continue_token)
			kt_buf_addf(out, ",\"continue\":\"%s\"", head->continue_token);
		if (head->continue_token && head->remaining >= 0)
			kt_buf_addf(out, ",\"remainingItemCount\":%" PRId64, head->remaining);
		kt_buf_adds(out, "},\"items\":[");
	}
	for (size_t i = 0; i < count; i++) {
		if (i)
			kt_buf_addc(out, ',');
		if (r.as == API_AS_TABLE)
			print_row(&r, items[i]->json, out);
		else if (r.as == API_AS_OBJECT)
			print_item(&r, items[i]->json, out);
		else
			api_render(&r, items[i]->json, out);
	}
	kt_buf_adds(out, "]}");
	kt_free(sorted);
	finish(request, 200);
}

/* --- Accept --- */
struct clause {
	char *type, *as, *group, *version;
};

static char *trimmed(const char *s, size_t len)
{
	while (len && (*s == ' ' || *s == '\t')) {
		s++;
		len--;
	}
	while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	return kt_strndup(s, len);
}

static void parse_clause(const char *text, size_t len, struct clause *out)
{
	char *copy = kt_strndup(text, len);
	const char *rest = copy, *piece;
	size_t n;

	*out = (struct clause){0};
	while ((piece = rest ? kt_split(&rest, ';', &n) : NULL)) {
		char *word = trimmed(piece, n);

		if (!out->type)
			out->type = kt_strdup(word);
		else if (kt_starts(word, "as=") && !out->as)
			out->as = kt_strdup(word + 3);
		else if (kt_starts(word, "g=") && !out->group)
			out->group = kt_strdup(word + 2);
		else if (kt_starts(word, "v=") && !out->version)
			out->version = kt_strdup(word + 2);
		kt_free(word);
	}
	kt_free(copy);
}

static void clause_clear(struct clause *clause)
{
	kt_free(clause->type);
	kt_free(clause->as);
	kt_free(clause->group);
	kt_free(clause->version);
}

static const struct {
	const char *as;
	enum api_as how;
} transforms[] = {
        {"Table", API_AS_TABLE},
        {"PartialObjectMetadata", API_AS_PARTIAL},
        {"PartialObjectMetadataList", API_AS_PARTIAL_LIST},
};

static bool take_clause(struct api_request *request, const struct clause *clause)
{
	static const char *const json_types[] = {"application/json", "*/*", "application/*"};
	bool json = false, yaml = clause->type && kt_streq(clause->type, "application/yaml");

	for (size_t i = 0; i < KT_COUNT(json_types); i++)
		json = json || (clause->type && kt_streq(clause->type, json_types[i]));
	if (!json && !yaml)
		return false;
	request->yaml = yaml;
	request->as = API_AS_OBJECT;
	if (!clause->as)
		return true;
	for (size_t i = 0; i < KT_COUNT(transforms); i++) {
		if (!kt_streq(transforms[i].as, clause->as) || !kt_streq(clause->group, "meta.k8s.io"))
			continue;
		if (!kt_streq(clause->version, "v1") && !kt_streq(clause->version, "v1beta1"))
			continue;
		request->as = transforms[i].how;
		request->as_version = kt_streq(clause->version, "v1") ? "v1" : "v1beta1";
		return true;
	}
	return false;
}

/* TableOptions (apiserver pkg/endpoints/handlers/response.go). */
static bool include_fits(struct api_request *request)
{
	const char *include = api_query(request, "includeObject");

	if (!include || !*include || kt_streq(include, "Metadata") || kt_streq(include, "Object") ||
	    kt_streq(include, "None"))
		return true;
	return api_fail(
	        &request->status, 400, "BadRequest",
	        "Unable to convert to Table as requested: includeObject: Invalid value: \"%s\": must be "
	        "'Metadata', 'Object', 'None', or empty",
	        include);
}

bool api_negotiate(struct api_request *request)
{
	const char *accept = api_header(request->http, "Accept"), *piece;
	const char *agent = api_header(request->http, "User-Agent"), *pretty = api_query(request, "pretty");
	size_t len;
	bool taken = !accept || !*accept;

	request->pretty = pretty ? !kt_streq(pretty, "0") && !kt_streq(pretty, "false")
	                         : agent && (kt_starts(agent, "curl") || kt_starts(agent, "Wget") ||
	                                     kt_starts(agent, "Mozilla/5.0"));
	while (!taken && accept && (piece = kt_split(&accept, ',', &len))) {
		struct clause clause;

		parse_clause(piece, len, &clause);
		taken = take_clause(request, &clause);
		clause_clear(&clause);
	}
	if (taken)
		return request->as != API_AS_TABLE || include_fits(request);
	/* the routes of built-in kinds look at the types themselves, but not at what more they ask for */
	accept = api_header(request->http, "Accept");
	bool known = accept && (strstr(accept, "application/json") || strstr(accept, "application/yaml"));
	api_fail(&request->status, 406, "NotAcceptable",
	         known || (request->kind && request->kind->crd)
	                 ? "only the following media types are accepted: application/json, application/yaml, "
	                   "application/vnd.kubernetes.protobuf"
	                 : "406: Not Acceptable\n\nAvailable representations: application/json, "
	                   "application/yaml, application/vnd.kubernetes.protobuf");
	if (!known)
		request->status.details = kt_json_object();
	return false;
}

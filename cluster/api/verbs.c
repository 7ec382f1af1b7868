/* SPDX-License-Identifier: MIT */
/* create, update and patch over HTTP: bodies in three encodings, strict decoding, then write.c. */
#include "cluster/api/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_BODY ((size_t)3 << 20) /* as the real server */

/* --- bodies --- */
void api_media_type(struct api_request *request, char out[96])
{
	const char *header = api_header(request->http, "Content-Type");
	size_t i = 0;

	while (header && header[i] && header[i] != ';' && header[i] != ' ' && i < 95) {
		out[i] = header[i];
		i++;
	}
	out[i] = '\0';
}

bool api_body_too_big(struct api_request *request)
{
	if (request->http->body_len <= MAX_BODY)
		return false;
	api_fail(&request->status, 413, "RequestEntityTooLarge", "Request entity too large: limit is %zu",
	         MAX_BODY);
	return true;
}

/* "(must be of type X): why (what came)": responsewriters.transformDecodeError */
static bool unrecognized(struct api_request *request, const char *why)
{
	const char *body = request->http->body ? request->http->body : "";
	size_t len = request->http->body_len, shown = KT_MIN(len, 30);
	struct kt_buf what = {0};

	/* DELETE tells what its decoder says as it is, and takes it for its own fault */
	if (kt_starts(request->verb, "delete"))
		return api_fail(&request->status, 500, "", "%s", why);
	if (!len)
		kt_buf_adds(&what, "<empty>");
	else if (body[0] == '{')
		kt_buf_add(&what, body, shown);
	else
		kt_hex(body, shown, &what);
	if (len > 30)
		kt_buf_adds(&what, " ...");
	api_fail(&request->status, 400, "BadRequest",
	         "the object provided is unrecognized (must be of type %s): %s (%s)",
	         request->sub    ? request->sub->kind
	         : request->kind ? request->kind->kind
	                         : "Status",
	         why, kt_buf_str(&what));
	kt_buf_clear(&what);
	return false;
}

static bool parse_json(struct api_request *request, struct kt_json **out, char **duplicates)
{
	struct kt_err err = {0};
	char *why;

	if (!kt_json_parse(request->http->body, request->http->body_len, NULL, out, duplicates, &err))
		return true;
	why = kt_strf("couldn't get version/kind; json parse error: %s", err.text);
	unrecognized(request, why);
	kt_free(why);
	return false;
}

/* As Go's YAML says what is wrong: its parser counts lines from 0 and does not tell that one, its scanner
 * from
 * 1. New. */
char *api_yaml_fault(const char *text)
{
	char *words = NULL;
	long line = *text == ':' ? strtol(text + 1, &words, 10) : 0;
	const char *why = words && kt_starts(words, ": ") ? words + 2 : text, *more = strstr(why, " (while ");
	long shown = line < 2 ? 0 : kt_starts(why, "did not find expected") ? line - 1 : line;
	int len = more ? (int)(more - why) : (int)strlen(why);

	return shown ? kt_strf("yaml: line %ld: %.*s", shown, len, why) : kt_strf("yaml: %.*s", len, why);
}

static bool parse_yaml(struct api_request *request, struct kt_json **out)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};

	if (kt_yaml_parse("", request->http->body, request->http->body_len, &yaml, &err)) {
		char *why = api_yaml_fault(err.text);

		unrecognized(request, why);
		kt_free(why);
		return false;
	}
	*out = kt_yaml_count(yaml) ? kt_json_ref(kt_yaml_doc(yaml, 0)) : kt_json_null();
	kt_yaml_free(yaml);
	return true;
}

static bool parse_proto(struct api_request *request, struct kt_json **out)
{
	struct kt_err err = {0};

	if (!schema_decode_proto(cluster_schema(request->cluster), request->http->body,
	                         request->http->body_len, out, &err))
		return true;
	return unrecognized(request, request->http->body_len ? err.text : "empty data");
}

static bool body_with_duplicates(struct api_request *request, struct kt_json **out, char **duplicates)
{
	char type[96];

	*out = NULL;
	if (api_body_too_big(request))
		return false;
	api_media_type(request, type);
	if (!*type || strcasecmp(type, "application/json") == 0)
		return parse_json(request, out, duplicates);
	if (strcasecmp(type, "application/yaml") == 0)
		return parse_yaml(request, out);
	if (strcasecmp(type, "application/vnd.kubernetes.protobuf") == 0)
		return parse_proto(request, out);
	return api_fail(&request->status, 415, "UnsupportedMediaType",
	                "the body of the request was in an unknown format - accepted media types include: "
	                "application/json, application/yaml, application/vnd.kubernetes.protobuf");
}

bool api_body(struct api_request *request, struct kt_json **out)
{
	return body_with_duplicates(request, out, NULL);
}

/* --- decoding --- */
bool api_undecodable(struct api_request *request, const struct kt_json *raw, const struct schema_kind *kind,
                     const char *why)
{
	const char *said = kt_get_str(raw, "kind"), *version = kt_get_str(raw, "apiVersion"), *slash;

	if (!said || !*said)
		return unrecognized(request, why);
	slash = version ? strrchr(version, '/') : NULL;
	return api_fail(&request->status, 400, "BadRequest",
	                "%s in version \"%s\" cannot be handled as a %s: %s", said,
	                slash     ? slash + 1
	                : version ? version
	                          : "",
	                kind->kind, why);
}

static void join(const struct kt_strs *list, struct kt_buf *out)
{
	for (size_t i = 0; i < list->count; i++)
		kt_buf_addf(out, "%s%s", out->len ? ", " : "", list->items[i]);
}

char *api_strict_fault(const struct schema_problems *problems)
{
	struct kt_buf all = {0};
	char *why;

	join(&problems->duplicate, &all);
	join(&problems->unknown, &all);
	why = kt_strf("strict decoding error: %s", kt_buf_str(&all));
	kt_buf_clear(&all);
	return why;
}

void api_add_duplicates(const char *paths, const char *before, struct schema_problems *problems)
{
	for (const char *rest = paths, *path; rest;) {
		size_t len;

		path = kt_split(&rest, '\n', &len);
		kt_strs_steal(&problems->duplicate,
		              kt_strf("%sduplicate field \"%.*s\"", before, (int)len, path));
	}
}

bool api_tolerate(struct api_request *request, const struct kt_json *raw, const struct schema_kind *kind,
                  const struct schema_problems *problems)
{
	const char *how = api_query(request, "fieldValidation");

	if (!problems->unknown.count && !problems->duplicate.count)
		return true;
	if (kt_streq(how, "Ignore"))
		return true;
	if (!kt_streq(how, "Strict")) {
		for (size_t i = 0; i < problems->duplicate.count; i++)
			kt_strs_add(&request->warnings, problems->duplicate.items[i]);
		for (size_t i = 0; i < problems->unknown.count; i++)
			kt_strs_add(&request->warnings, problems->unknown.items[i]);
		return true;
	}
	char *why = api_strict_fault(problems);
	if (request->kind && kt_streq(request->verb, "patch"))
		patch_fail_undecodable(&request->status, NULL, why);
	else
		api_undecodable(request, raw, kind, why);
	kt_free(why);
	return false;
}

/* "apps" of apps, "rbac" of rbac.authorization.k8s.io, "core" of none: the package of the internal types. */
static char *package_of(const struct schema_kind *kind)
{
	return *kind->group ? kt_strndup(kind->group, strcspn(kind->group, ".")) : kt_strdup("core");
}

/* A kind that is another than the path's, or none at all. */
static char *wrong_kind(struct api_request *request, const struct schema_kind *kind, const char *said)
{
	/* of a kind that is a list's, the list is one too; so is the List of any */
	char *single = kt_ends(said, "List") ? kt_strndup(said, strlen(said) - 4) : kt_strdup(said);
	const struct schema_kind *other = kt_streq(said, "List") && !*kind->group
	                                          ? kind
	                                          : schema_by_kind(cluster_schema(request->cluster),
	                                                           kind->group, kind->version, single);
	char *package, *why;

	kt_free(single);
	if (!other)
		return kt_strf("no kind \"%s\" is registered for version \"%s\" in scheme "
		               "\"pkg/runtime/scheme.go:110\"",
		               said, kind->api_version);
	package = package_of(kind);
	why = kt_strf("converting (%s.%s) to (%s.%s): unknown conversion", kind->version, said, package,
	              kind->kind);
	kt_free(package);
	return why;
}

char *api_kind_fault(struct api_request *request, const struct schema_kind *kind, const char *version,
                     const char *said)
{
	bool other = version && *version && !kt_streq(version, kind->api_version);

	if (!said || !*said)
		return NULL;
	if (other && !schema_type_for(cluster_schema(request->cluster), version, said))
		return kt_strf("no kind \"%s\" is registered for version \"%s\" in scheme "
		               "\"pkg/runtime/scheme.go:110\"",
		               said, version);
	if (other) { /* a kind of another group, or of another version */
		char *package = package_of(kind);
		const char *slash = strchr(version, '/');
		char *why = kt_strf("converting (%s.%s) to (%s.%s): unknown conversion",
		                    slash ? slash + 1 : version, said, package, kind->kind);

		kt_free(package);
		return why;
	}
	return kt_streq(said, kind->kind) ? NULL : wrong_kind(request, kind, said);
}

/* As apimachinery's json.SimpleMetaFactory has it. */
char *api_type_fault(const struct kt_json *raw)
{
	static const char *const members[] = {"apiVersion", "kind"};
	static const char before[] = "couldn't get version/kind; json parse error: json: cannot unmarshal";

	if (!kt_is_object(raw))
		return kt_strf("%s %s into Go value of type struct { APIVersion string "
		               "\"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
		               "\"json:\\\"kind,omitempty\\\"\" }",
		               before, patch_json_kind(raw));
	for (size_t i = 0; i < KT_COUNT(members); i++) {
		const struct kt_json *value = kt_get(raw, members[i]);

		if (value && !kt_is_string(value) && kt_json_type(value) != KT_JSON_NULL)
			return kt_strf("%s %s into Go struct field .%s of type string", before,
			               patch_json_kind(value), members[i]);
	}
	const char *version = kt_get_text(raw, "apiVersion"), *slash = strchr(version, '/');

	return slash && strchr(slash + 1, '/') ? kt_strf("unexpected GroupVersion string: %s", version)
	                                       : NULL;
}

static bool right_kind(struct api_request *request, const struct schema_kind *kind, struct kt_json **raw)
{
	const char *said = kt_get_str(*raw, "kind"), *version = kt_get_str(*raw, "apiVersion");

	if (kt_json_type(*raw) == KT_JSON_NULL) {
		kt_json_free(*raw);
		*raw = kt_json_object();
	}
	char *unread = api_type_fault(*raw);
	if (unread) {
		unrecognized(request, unread);
		kt_free(unread);
		return false;
	}
	bool other = version && *version && !kt_streq(version, kind->api_version) && said && *said;
	if (other && kt_streq(said, kind->kind) &&
	    schema_type_for(cluster_schema(request->cluster), version, said))
		return api_fail(
		        &request->status, 400, "BadRequest",
		        "the API version in the data (%s) does not match the expected API version (%s)",
		        version, kind->api_version);
	char *why = api_kind_fault(request, kind, version, said);
	if (why) {
		api_undecodable(request, *raw, kind, why);
		kt_free(why);
		return false;
	}
	if (!version || !*version)
		kt_set(raw, "apiVersion", kt_json_str(kind->api_version));
	if (!said || !*said)
		kt_set(raw, "kind", kt_json_str(kind->kind));
	return true;
}

static bool decode(struct api_request *request, const struct schema_kind *kind, struct kt_json *raw,
                   const char *duplicates, struct kt_json **out)
{
	struct schema_problems problems = {0};
	struct kt_err err = {0};
	kt_ns offset = cluster_wire_offset(request->cluster);
	bool fine = right_kind(request, kind, &raw);

	if (fine)
		api_add_duplicates(duplicates, "", &problems);
	if (fine && schema_decode(cluster_schema(request->cluster), kind, raw, out, &problems, &err))
		fine = api_undecodable(request, raw, kind, err.text);
	else if (fine && !api_tolerate(request, raw, kind, &problems)) {
		fine = false;
		kt_json_freep(out);
	}
	if (fine && offset) {
		struct kt_json *shifted = api_shift_times(kind->type, *out, offset);

		kt_json_free(*out);
		*out = shifted;
	}
	schema_problems_clear(&problems);
	kt_json_free(raw);
	return fine;
}

bool api_decode(struct api_request *request, const struct schema_kind *kind, struct kt_json *steal,
                struct kt_json **out)
{
	return decode(request, kind, steal, NULL, out);
}

bool api_body_object(struct api_request *request, const struct schema_kind *kind, struct kt_json **out)
{
	struct kt_json *raw, *object = NULL;
	char *duplicates = NULL;
	bool fine = body_with_duplicates(request, &raw, &duplicates);

	fine = fine && decode(request, kind, raw, duplicates, &object);
	kt_free(duplicates);
	if (!fine)
		return false;
	if (kind->storage && kind->storage != kind) {
		*out = schema_convert(object, kind, kind->storage);
		kt_json_free(object);
	} else {
		*out = object;
	}
	return true;
}

/* --- options --- */

/* A character that cannot be printed has no place in a manager's name; the value is told as Go quotes it. */
static void check_characters(const char *manager, struct kt_json **causes)
{
	static const char letters[] = "abtnvfr"; /* of 7 to 13 */
	struct kt_buf value = {0};

	for (const char *c = manager; *c; c++) {
		unsigned char byte = (unsigned char)*c;

		if (*c == '"' || *c == '\\')
			kt_buf_addf(&value, "\\%c", *c);
		else if (byte >= 7 && byte <= 13)
			kt_buf_addf(&value, "\\%c", letters[byte - 7]);
		else if (byte < ' ' || byte == 127)
			kt_buf_addf(&value, "\\x%02x", byte);
		else
			kt_buf_addc(&value, *c);
	}
	for (const char *c = manager; *c; c++) {
		if ((unsigned char)*c >= ' ' && *c != 127)
			continue;
		kt_push(causes, kt_jsonf("{reason: 'FieldValueInvalid', message: %j, field: 'fieldManager'}",
		                         kt_json_strf("Invalid value: \"%s\": invalid character U+%04X (at "
		                                      "position %td)",
		                                      kt_buf_str(&value), (unsigned char)*c, c - manager)));
	}
	kt_buf_clear(&value);
}

/* All that the query says of `name`. New; NULL nothing. */
static struct kt_json *queried(const struct api_request *request, const char *name)
{
	struct kt_json *values = NULL;

	for (size_t i = 0; i < request->query_names.count; i++) {
		if (!kt_streq(request->query_names.items[i], name))
			continue;
		if (!values)
			values = kt_json_array();
		kt_push(&values, kt_json_str(request->query_values.items[i]));
	}
	return values;
}

bool api_options_fit(struct api_request *request, const char *options)
{
	struct schema_kind kind = {.group = "meta.k8s.io", .kind = options, .resource = ""};
	const char *dry = api_query(request, "dryRun"), *validation = api_query(request, "fieldValidation"),
	           *manager = api_query(request, "fieldManager");
	struct rules_errors errors = {0};
	struct kt_json *value;
	char type[96];
	bool fine;

	api_media_type(request, type);
	value = queried(request, "dryRun");
	if (dry && (kt_count(value) > 1 || !kt_streq(dry, "All")))
		rules_error(&errors, "FieldValueNotSupported", "dryRun", value, "supported values: \"All\"");
	kt_json_free(value);
	if (validation && *validation && !kt_streq(validation, "Strict") && !kt_streq(validation, "Warn") &&
	    !kt_streq(validation, "Ignore")) {
		value = kt_json_str(validation);
		rules_error(&errors, "FieldValueNotSupported", "fieldValidation", value,
		            "supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"");
		kt_json_free(value);
	}
	if (kt_streq(options, "PatchOptions") && !kt_streq(type, "application/apply-patch+yaml") &&
	    api_query(request, "force"))
		rules_error(&errors, "FieldValueForbidden", "force", NULL,
		            "may not be specified for non-apply patch");
	if (manager && strlen(manager) > 128)
		rules_error(&errors, "FieldValueTooLong", "fieldManager", NULL,
		            "may not be more than 128 bytes");
	if (manager)
		check_characters(manager, &errors.causes);
	fine = !errors.causes;
	if (!fine)
		api_fail_invalid(&request->status, &kind, "", errors.causes);
	rules_errors_clear(&errors);
	return fine;
}

/* fieldManager, else the name of the program (managerOrUserAgent). */
static const char *manager_of(struct api_request *request)
{
	const char *manager = api_query(request, "fieldManager"),
	           *agent = api_header(request->http, "User-Agent");
	const char *slash = agent ? strchr(agent, '/') : NULL;

	if (manager && *manager)
		return manager;
	if (!agent || !*agent)
		return "unknown";
	/* kept with the request: the caller borrows it */
	kt_strs_add(&request->query_names, "");
	kt_strs_steal(&request->query_values,
	              kt_strndup(agent, KT_MIN(slash ? (size_t)(slash - agent) : strlen(agent), 128)));
	return request->query_values.items[request->query_values.count - 1];
}

void api_write_from_request(struct api_write *write, struct api_request *request)
{
	const char *dry = api_query(request, "dryRun");

	*write = (struct api_write){
	        .cluster = request->cluster,
	        .kind = request->kind,
	        .ns = request->ns,
	        .name = *request->name ? request->name : NULL,
	        .subresource = request->subresource,
	        .user = &request->user,
	        .manager = manager_of(request),
	        .dry_run = dry && *dry,
	        .warnings = &request->warnings,
	        .status = &request->status,
	};
}

/* --- create --- */
static bool namespace_fits(struct api_request *request, const struct kt_json *object)
{
	const char *ns = kt_path_str(object, "metadata.namespace");

	if (!request->kind->namespaced || !ns || !*ns || kt_streq(ns, request->ns))
		return true;
	return api_fail(
	        &request->status, 400, "BadRequest",
	        "the namespace of the provided object does not match the namespace sent on the request");
}

static void create_unstored(struct api_request *request)
{
	struct kt_json *object = NULL;

	if (!api_body_object(request, request->kind, &object))
		return;
	if (!kt_get(object, "metadata"))
		kt_set(&object, "metadata", kt_json_object());
	/* never stored, but owned all the same */
	managed_update(request->kind, NULL, &object, manager_of(request), "", cluster_now(request->cluster));
	if (namespace_fits(request, object) &&
	    rules_review(request->cluster, request->kind, &request->user, request->ns,
	                 kt_str_or(kt_path(object, "metadata.name"), ""), &object, &request->status))
		api_respond_object(request, 201, object);
	kt_json_free(object);
}

void api_create_request(struct api_request *request)
{
	struct api_write write;
	struct kt_json *object = NULL, *out = NULL;

	if (!api_options_fit(request, "CreateOptions"))
		return;
	if (request->kind->unstored) {
		if (kt_streq(request->kind->kind, "Binding"))
			api_subresource_of(schema_stored(cluster_schema(request->cluster), "", "Pod"),
			                   "binding")
			        ->create(request);
		else
			create_unstored(request);
		return;
	}
	if (!api_body_object(request, request->kind, &object))
		return;
	if (kt_str_len(kt_path(object, "metadata.resourceVersion")))
		api_fail(&request->status, 500, "",
		         "resourceVersion should not be set on objects to be created");
	if (request->status.code || !namespace_fits(request, object)) {
		kt_json_free(object);
		return;
	}
	api_write_from_request(&write, request);
	if (api_write_create(&write, object, &out))
		api_respond_object(request, 201, out);
	kt_json_free(out);
}

/* --- update --- */
bool api_name_fits(struct api_request *request, const struct kt_json *object)
{
	const char *name = kt_str_or(kt_path(object, "metadata.name"), "");
	const char *ns = kt_str_or(kt_path(object, "metadata.namespace"), "");

	if (!*name)
		return api_fail(&request->status, 400, "BadRequest",
		                "the name of the object (%s based on URL) was undeterminable: name must be "
		                "provided",
		                request->name);
	if (!kt_streq(name, request->name))
		return api_fail(&request->status, 400, "BadRequest",
		                "the name of the object (%s) does not match the name on the URL (%s)", name,
		                request->name);
	if (request->kind->namespaced && *ns && !kt_streq(ns, request->ns))
		return api_fail(&request->status, 400, "BadRequest",
		                "the namespace of the provided object does not match the namespace sent on "
		                "the request");
	return true;
}

void api_update_request(struct api_request *request)
{
	struct api_write write;
	const struct store_object *old;
	struct kt_json *object = NULL, *out = NULL;

	if (!api_options_fit(request, "UpdateOptions") || !api_body_object(request, request->kind, &object))
		return;
	api_write_from_request(&write, request);
	if (!api_name_fits(request, object)) {
		kt_json_free(object);
		return;
	}
	old = store_get(cluster_store(request->cluster), request->kind->storage,
	                request->kind->namespaced ? request->ns : "", request->name);
	if (!old && (api_traits_of(request->kind) & API_CREATES_ON_UPDATE)) {
		if (!api_may_create(request))
			kt_json_free(object);
		else if (api_write_create(&write, object, &out))
			api_respond_object(request, 201, out);
	} else if (!old) {
		api_find(&write);
		kt_json_free(object);
	} else if (api_write_update(&write, old, object, &out)) {
		api_respond_object(request, 200, out);
	}
	kt_json_free(out);
}

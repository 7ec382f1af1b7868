/* SPDX-License-Identifier: MIT */
/* From a request line to the verb that answers it: path and query, who asks and whether they may, then a
 * table of routes. */
#include "cluster/api/internal.h"
#include <string.h>
#include <strings.h>

#define MAX_SEGMENTS 64

const char *api_header(const struct cluster_request *http, const char *name)
{
	for (size_t i = 0; i < http->header_count; i++) {
		if (strcasecmp(http->headers[i].name, name) == 0)
			return http->headers[i].value;
	}
	return NULL;
}

const char *api_query(const struct api_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_names.count; i++) {
		if (kt_streq(request->query_names.items[i], name))
			return request->query_values.items[i];
	}
	return NULL;
}

bool api_query_bool(const struct api_request *request, const char *name)
{
	const char *value = api_query(request, name);

	/* "?watch" alone is true: runtime.Convert_Slice_string_To_bool */
	return value && !kt_streq(value, "0") && strcasecmp(value, "false") != 0;
}

/* --- parsing the target --- */
static bool parse_query(struct api_request *request, const char *text)
{
	const char *piece;
	size_t len;

	while (text && (piece = kt_split(&text, '&', &len))) {
		const char *equals = memchr(piece, '=', len);
		size_t name_len = equals ? (size_t)(equals - piece) : len;
		struct kt_buf name = {0}, value = {0};
		bool fine = kt_unpercent(piece, name_len, true, &name) &&
		            (!equals || kt_unpercent(equals + 1, len - name_len - 1, true, &value));

		if (fine && name.len) {
			kt_strs_add(&request->query_names, kt_buf_str(&name));
			kt_strs_add(&request->query_values, kt_buf_str(&value));
		}
		kt_buf_clear(&name);
		kt_buf_clear(&value);
		if (!fine)
			return false;
	}
	return true;
}

static bool parse_target(struct api_request *request)
{
	const char *target = request->http->target, *mark = strchr(target, '?'), *rest, *piece;
	size_t path_len = mark ? (size_t)(mark - target) : strlen(target), len;
	char *raw = kt_strndup(target, path_len);
	struct kt_buf path = {0};
	bool fine = kt_unpercent(raw, path_len, false, &path) && kt_utf8_valid(kt_buf_str(&path), path.len);

	request->path = kt_buf_take(&path);
	rest = raw;
	while (fine && rest && (piece = kt_split(&rest, '/', &len))) {
		struct kt_buf segment = {0};

		if (len) {
			fine = request->segments.count < MAX_SEGMENTS &&
			       kt_unpercent(piece, len, false, &segment);
			kt_strs_add(&request->segments, kt_buf_str(&segment));
		} else if (!request->gap && rest && rest[strspn(rest, "/")]) {
			request->gap = request->segments.count;
		}
		kt_buf_clear(&segment);
	}
	kt_free(raw);
	return fine && parse_query(request, mark ? mark + 1 : NULL);
}

/* --- what is asked for (apiserver pkg/endpoints/request/requestinfo.go) --- */
static const struct {
	const char *method, *one, *many;
} verbs[] = {
        {"GET", "get", "list"},      {"HEAD", "get", "list"},     {"POST", "create", "create"},
        {"PUT", "update", "update"}, {"PATCH", "patch", "patch"}, {"DELETE", "delete", "deletecollection"},
};

static const char *segment(const struct api_request *request, size_t i)
{
	return i < request->segments.count ? request->segments.items[i] : "";
}

/* Where the resource begins: behind /api/V or /apis/G/V. 0: not a resource path. */
static size_t resource_start(struct api_request *request)
{
	if (kt_streq(segment(request, 0), "api") && request->segments.count > 2) {
		request->group = "";
		request->version = segment(request, 1);
		return 2;
	}
	if (kt_streq(segment(request, 0), "apis") && request->segments.count > 3) {
		request->group = segment(request, 1);
		request->version = segment(request, 2);
		return 3;
	}
	return 0;
}

static void set_verb(struct api_request *request)
{
	for (size_t i = 0; i < KT_COUNT(verbs); i++) {
		if (kt_streq(verbs[i].method, request->http->method))
			request->verb = *request->name ? verbs[i].one : verbs[i].many;
	}
}

static bool is_read(const struct api_request *request)
{
	return kt_streq(request->verb, "get") || kt_streq(request->verb, "list");
}

static bool resource_path(struct api_request *request)
{
	size_t at = resource_start(request);

	request->resource = request->ns = request->name = request->subresource = "";
	request->verb = "";
	if (!at)
		return false;
	/* the old way to watch: /api/v1/watch/… */
	if (kt_streq(segment(request, at), "watch")) {
		request->watch = true;
		at++;
	}
	/* a namespace without a name: all of them */
	if (kt_streq(segment(request, at), "namespaces") && request->gap == at + 1 &&
	    !kt_streq(segment(request, at + 1), "status")) {
		at++;
	} else if (kt_streq(segment(request, at), "namespaces") && request->segments.count > at + 2 &&
	           !kt_streq(segment(request, at + 2), "status") &&
	           !kt_streq(segment(request, at + 2), "finalize")) {
		request->ns = segment(request, at + 1);
		at += 2;
	}
	request->resource = segment(request, at);
	request->name = segment(request, at + 1);
	request->subresource = segment(request, at + 2);
	set_verb(request);
	if (is_read(request) && (request->watch || api_query_bool(request, "watch"))) {
		request->watch = true;
		/* a watch of one object by its name is a list of one */
		request->verb = "watch";
	}
	return true;
}

/* --- may they? --- */
/* The one value of a field ("metadata.name=") that a list is to have. To authorization one with a name is a
 * request for that object (RequestInfoFactory). New; NULL none. */
static char *selected(struct api_request *request, const char *field)
{
	bool reads = kt_streq(request->verb, "list") || kt_streq(request->verb, "watch");
	const char *rest = reads && !*request->name ? api_query(request, "fieldSelector") : NULL;
	const char *term;
	size_t len;

	while (rest) {
		term = kt_split(&rest, ',', &len);
		if (!kt_starts(term, field))
			continue;
		term += strlen(field);
		len -= strlen(field);
		if (*term == '=')
			term++, len--;
		return kt_strndup(term, len);
	}
	return NULL;
}

static bool forbid(struct api_request *request, const char *name, const char *reason)
{
	struct kt_buf text = {0};
	bool named = *name != '\0';

	if (!*request->resource) {
		kt_buf_addf(&text, "forbidden: User \"%s\" cannot %s path \"%s\"", request->user.name,
		            request->verb, request->path);
		if (reason && *reason)
			kt_buf_addf(&text, ": %s", reason);
		api_fail(&request->status, 403, "Forbidden", "%s", kt_buf_str(&text));
		request->status.details = kt_json_object();
		kt_buf_clear(&text);
		return false;
	}
	kt_buf_adds(&text, request->resource);
	if (*request->group)
		kt_buf_addf(&text, ".%s", request->group);
	if (named)
		kt_buf_addf(&text, " \"%s\"", name);
	kt_buf_addf(&text, " is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API group \"%s\"",
	            request->user.name, request->verb, request->resource, *request->subresource ? "/" : "",
	            request->subresource, request->group);
	if (*request->ns)
		kt_buf_addf(&text, " in the namespace \"%s\"", request->ns);
	else
		kt_buf_adds(&text, " at the cluster scope");
	if (reason && *reason)
		kt_buf_addf(&text, ": %s", reason);
	api_fail(&request->status, 403, "Forbidden", "%s", kt_buf_str(&text));
	request->status.details = kt_jsonf("{name: %s, group: %s, kind: %s}", named ? name : NULL,
	                                   *request->group ? request->group : NULL, request->resource);
	kt_buf_clear(&text);
	return false;
}

static void lower(const char *method, char out[16])
{
	size_t i = 0;

	for (; i < 15 && method[i]; i++)
		out[i] = method[i] >= 'A' && method[i] <= 'Z' ? (char)(method[i] + 32) : method[i];
	out[i] = '\0';
}

static bool authorize(struct api_request *request, bool is_resource)
{
	if (request->http->loopback_admin)
		return true;
	char method[16], *reason = NULL, *name = is_resource ? selected(request, "metadata.name=") : NULL,
	                 *node = is_resource ? selected(request, "spec.nodeName=") : NULL;
	struct rules_attributes attributes = {
	        .verb = request->verb,
	        .group = is_resource ? request->group : "",
	        .version = is_resource ? request->version : "",
	        .resource = request->resource,
	        .subresource = request->subresource,
	        .ns = request->ns,
	        .name = name ? name : request->name,
	        .of_node = node,
	        .path = is_resource ? NULL : request->path,
	};
	bool allowed;

	lower(request->http->method, method);
	if (!is_resource)
		attributes.verb = request->verb = method;
	/* the namespace of a namespace is itself */
	if (is_resource && kt_streq(request->resource, "namespaces") && !*request->group && *request->name)
		attributes.ns = request->ns = request->name;
	allowed = rules_authorize(request->cluster, &request->user, &attributes, &reason);
	if (!allowed)
		forbid(request, attributes.name, reason);
	kt_free(name);
	kt_free(node);
	if (is_resource && kt_streq(request->resource, "namespaces") && !*request->group)
		request->ns = "";
	kt_free(reason);
	if (!is_resource)
		request->verb = "";
	return allowed;
}

bool api_may_create(struct api_request *request)
{
	const char *verb = request->verb;
	bool allowed;

	request->verb = "create";
	allowed = authorize(request, true);
	request->verb = verb;
	return allowed;
}

/* --- routes --- */
static void not_found(struct api_request *request)
{
	api_fail(&request->status, 404, "NotFound", "the server could not find the requested resource");
	request->status.details = kt_json_object();
}

/* A path that no handler serves: no Status, so that clients add what they asked for. */
static void no_route(struct api_request *request)
{
	api_respond_text(request, 404, "text/plain; charset=utf-8", "404 page not found\n");
}

/* Below the paths of a group that the server itself has, what is missing is told with a Status; other
 * servers, and the handler of custom kinds, know no such path. */
static bool is_own_group(const struct api_request *request)
{
	static const char *const others[] = {"metrics.k8s.io", "gateway.networking.k8s.io"};
	const struct schema *schema = cluster_schema(request->cluster);

	for (size_t i = 0; i < KT_COUNT(others); i++)
		if (kt_streq(others[i], request->group))
			return false;
	for (size_t i = 0, n = schema_kind_count(schema); i < n; i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);

		if (!kind->crd && kt_streq(kind->group, request->group))
			return true;
	}
	return false;
}

static void no_such_path(struct api_request *request)
{
	const char *first = segment(request, 0);

	request->group = kt_streq(first, "apis") ? segment(request, 1) : "";
	if (kt_streq(first, "api") || kt_streq(first, "version") ||
	    kt_starts(request->path, "/openid/v1/jwks/") ||
	    (kt_streq(first, "apis") && is_own_group(request)))
		not_found(request);
	else
		no_route(request);
}

/* Paths with an empty segment inside belong to nobody; those that end in slashes are read without. */
static bool gap_answered(struct api_request *request)
{
	if (kt_starts(request->path, "//") || kt_starts(request->path, "/apis//")) {
		no_route(request);
		return true;
	}
	if (!request->gap || *request->resource)
		return false;
	if (api_negotiate(request))
		no_such_path(request);
	return true;
}

static void not_allowed(struct api_request *request)
{
	api_fail(&request->status, 405, "MethodNotAllowed",
	         "the server does not allow this method on the requested resource");
	request->status.details = kt_json_object();
}

static const struct {
	const char *verb;
	unsigned needs;
	void (*fn)(struct api_request *request);
} routes[] = {
        {"get", SCHEMA_GET, api_get},
        {"list", SCHEMA_LIST_VERB, api_list},
        {"watch", SCHEMA_WATCH, api_watch_start},
        {"create", SCHEMA_CREATE, api_create_request},
        {"update", SCHEMA_UPDATE, api_update_request},
        {"patch", SCHEMA_PATCH, api_patch_request},
        {"delete", SCHEMA_DELETE, api_delete_request},
        {"deletecollection", SCHEMA_DELETECOLLECTION, api_delete_collection_request},
};

static void subresource_route(struct api_request *request)
{
	const struct api_subresource *row = api_subresource_of(request->kind, request->subresource);
	void (*fn)(struct api_request * request) = NULL;

	request->sub = schema_subresource_named(request->kind, request->subresource);
	if (!request->sub || !row) {
		if (request->kind->crd) /* apiextensions customresource_handler.go */
			api_fail_not_found(&request->status, request->kind, request->name);
		else
			not_found(request);
		return;
	}
	if (kt_streq(request->verb, "get") || kt_streq(request->verb, "watch"))
		fn = row->get;
	else if (kt_streq(request->verb, "create"))
		fn = row->create;
	else if (kt_streq(request->verb, "update"))
		fn = row->update;
	else if (kt_streq(request->verb, "patch"))
		fn = row->patch;
	if (fn)
		fn(request);
	else
		not_allowed(request);
}

/* Said with every answer of these (apiserver pkg/endpoints/deprecation). */
static const struct {
	const char *group, *kind, *text;
} deprecated[] = {
        {"", "Endpoints", "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"},
        {"", "ComponentStatus", "v1 ComponentStatus is deprecated in v1.19+"},
};

static void warn_deprecated(struct api_request *request)
{
	for (size_t i = 0; i < KT_COUNT(deprecated); i++) {
		if (kt_streq(deprecated[i].kind, request->kind->kind) &&
		    kt_streq(deprecated[i].group, request->group))
			kt_strs_add(&request->warnings, deprecated[i].text);
	}
}

/* A version of a custom kind that its definition calls deprecated. */
static void warn_old_version(struct api_request *request)
{
	const struct schema_kind *kind = request->kind;
	const struct schema_kind *crds = schema_stored(cluster_schema(request->cluster),
	                                               "apiextensions.k8s.io", "CustomResourceDefinition");
	char *name = kt_strf("%s.%s", kind->resource, kind->group);
	const struct store_object *crd = store_get(cluster_store(request->cluster), crds, "", name);
	const struct kt_json *versions = crd ? kt_path(crd->json, "spec.versions") : NULL, *version;
	const char *newer = NULL, *own = NULL;

	kt_free(name);
	KT_JSON_EACH (version, versions) {
		bool deprecated_one = kt_get_bool(version, "deprecated", false);

		if (kt_streq(kt_get_str(version, "name"), kind->version)) {
			if (!deprecated_one)
				return;
			own = kt_get_str(version, "deprecationWarning");
		} else if (!deprecated_one && kt_get_bool(version, "served", false) &&
		           (!newer || kt_get_bool(version, "storage", false))) {
			newer = kt_get_str(version, "name");
		}
	}
	if (!versions)
		return;
	if (own)
		kt_strs_add(&request->warnings, own);
	else if (newer)
		kt_strs_steal(&request->warnings,
		              kt_strf("%s/%s %s is deprecated; use %s/%s %s", kind->group, kind->version,
		                      kind->kind, kind->group, newer, kind->kind));
	else
		kt_strs_steal(&request->warnings,
		              kt_strf("%s/%s %s is deprecated", kind->group, kind->version, kind->kind));
}

/* A name, or a namespace, that is empty though more of the path follows (endpoints/handlers/namer.go). */
static bool gap_fits(struct api_request *request)
{
	const struct schema_subresource *sub = NULL;
	const char *before = request->gap ? segment(request, request->gap - 1) : "";

	if (!request->gap)
		return true;
	if (before != request->resource) {
		if (!kt_streq(before, "namespaces") || !request->kind->namespaced)
			not_found(request);
		else if (!*request->name)
			return true;
		else
			api_fail(&request->status, 400, "BadRequest", "Namespace parameter required.");
		return false;
	}
	sub = schema_subresource_named(request->kind, request->name);
	if (!sub)
		not_found(request);
	else if (kt_streq(request->verb, "get") || kt_streq(request->verb, "update") ||
	         kt_streq(request->verb, "patch"))
		api_fail(&request->status, 400, "BadRequest", "name must be provided");
	else
		not_allowed(request);
	return false;
}

static bool scope_fits(const struct api_request *request)
{
	bool collection_read = kt_streq(request->verb, "list") || kt_streq(request->verb, "watch");

	if (!request->kind->namespaced)
		return !*request->ns;
	/* all namespaces: only to read */
	return *request->ns || (collection_read && !*request->name);
}

static void resource_route(struct api_request *request)
{
	request->kind = schema_by_resource(cluster_schema(request->cluster), request->group, request->version,
	                                   request->resource);
	if (!request->kind || request->segments.count > 8) {
		if (is_own_group(request))
			not_found(request);
		else
			no_route(request);
		return;
	}
	if (kt_streq(request->http->method, "HEAD")) {
		not_allowed(request);
		return;
	}
	if (!gap_fits(request))
		return;
	if (!scope_fits(request)) {
		if (request->kind->namespaced && !*request->ns && !*request->name)
			not_allowed(request);
		else
			not_found(request);
		return;
	}
	warn_deprecated(request);
	if (request->kind->crd)
		warn_old_version(request);
	if (*request->subresource) {
		subresource_route(request);
		return;
	}
	/* what is only made has no paths of its own */
	if (request->kind->verbs == SCHEMA_CREATE && *request->name) {
		api_fail(&request->status, 404, "NotFound",
		         "the server could not find the requested resource");
		return;
	}
	for (size_t i = 0; i < KT_COUNT(routes); i++) {
		if (!kt_streq(routes[i].verb, request->verb))
			continue;
		/* POST to an object, PUT to a collection: no such route */
		if (((request->kind->verbs & routes[i].needs) == 0) ||
		    (kt_streq(request->verb, "create") && *request->name) ||
		    ((kt_streq(request->verb, "update") || kt_streq(request->verb, "patch")) &&
		     !*request->name))
			not_allowed(request);
		else
			routes[i].fn(request);
		return;
	}
	not_allowed(request);
}

/* /api/v1/watch, and nothing behind it (endpoints/request/requestinfo.go). */
static bool watches_nothing(struct api_request *request)
{
	size_t at = kt_streq(segment(request, 0), "api") ? 2 : kt_streq(segment(request, 0), "apis") ? 3 : 0;
	char *text;

	if (!at || request->segments.count != at + 1 || !kt_streq(segment(request, at), "watch"))
		return false;
	text = kt_strf(
	        "Internal Server Error: \"%s\": failed to create RequestInfo: unable to determine kind "
	        "and namespace from url, %s\n",
	        request->path, request->path);
	api_respond_text(request, 500, "text/plain; charset=utf-8", text);
	kt_free(text);
	return true;
}

static void answer(struct api_request *request)
{
	bool is_resource;

	if (!parse_target(request)) {
		api_respond_text(request, 400, "text/plain; charset=utf-8",
		                 "400 Bad Request: invalid URL escape");
		return;
	}
	if (watches_nothing(request))
		return;
	is_resource = resource_path(request);
	if (!rules_authenticate(request->cluster, request->http, &request->user, &request->status))
		return;
	if (!authorize(request, is_resource))
		return;
	if (gap_answered(request))
		return;
	if (!is_resource) {
		if (!api_nonresource(request) && !request->status.code)
			no_such_path(request);
		return;
	}
	if (api_negotiate(request))
		resource_route(request);
}

void api_handle(struct cluster *cluster, const struct cluster_request *http,
                struct cluster_response *response)
{
	struct api_request request = {.cluster = cluster, .http = http, .response = response};

	answer(&request);
	if (request.status.code)
		api_respond_status(&request);
	else if (!response->status && !response->stream)
		api_respond_text(&request, 500, "text/plain; charset=utf-8", "no answer");
	if (kt_streq(http->method, "HEAD"))
		kt_buf_clear(&response->body);
	api_status_clear(&request.status);
	rules_user_clear(&request.user);
	kt_strs_clear(&request.query_names);
	kt_strs_clear(&request.query_values);
	kt_strs_clear(&request.segments);
	kt_strs_clear(&request.warnings);
	kt_free(request.path);
}

/* SPDX-License-Identifier: MIT */
/* Paths that are no resources: /version, health, discovery, OpenAPI. */
#include "cluster/api/access.h"
#include "cluster/api/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- /version --- */
static void version(struct api_request *request)
{
	struct kt_json *json = kt_jsonf("{major: '1', minor: '34', emulationMajor: '1', emulationMinor: "
	                                "'34', minCompatibilityMajor: '1', "
	                                "minCompatibilityMinor: '33', gitVersion: 'v1.34.4', gitCommit: "
	                                "'0000000000000000000000000000000000000000', "
	                                "gitTreeState: 'clean', buildDate: '2026-01-01T00:00:00Z', "
	                                "goVersion: 'go1.26.8', compiler: 'gc', platform: "
	                                "'linux/amd64'}");

	api_respond_json(request, 200, json, true);
	kt_json_free(json);
}

/* --- health: the checks that the real server runs, in its order; which of the three endpoints has them ---
 */
enum { HEALTHZ = 1, LIVEZ = 2, READYZ = 4, ALL = 7 };
static const struct {
	const char *name;
	unsigned where;
} checks[] = {
        {"ping", ALL},
        {"log", ALL},
        {"etcd", ALL},
        {"etcd-readiness", READYZ},
        {"informer-sync", READYZ},
        {"poststarthook/start-apiserver-admission-initializer", ALL},
        {"poststarthook/generic-apiserver-start-informers", ALL},
        {"poststarthook/priority-and-fairness-config-consumer", ALL},
        {"poststarthook/priority-and-fairness-filter", ALL},
        {"poststarthook/storage-object-count-tracker-hook", ALL},
        {"poststarthook/start-apiextensions-informers", ALL},
        {"poststarthook/start-apiextensions-controllers", ALL},
        {"poststarthook/crd-informer-synced", ALL},
        {"poststarthook/start-system-namespaces-controller", ALL},
        {"poststarthook/start-cluster-authentication-info-controller", ALL},
        {"poststarthook/start-kube-apiserver-identity-lease-controller", ALL},
        {"poststarthook/start-kube-apiserver-identity-lease-garbage-collector", ALL},
        {"poststarthook/start-legacy-token-tracking-controller", ALL},
        {"poststarthook/start-service-ip-repair-controllers", ALL},
        {"poststarthook/rbac/bootstrap-roles", ALL},
        {"poststarthook/scheduling/bootstrap-system-priority-classes", ALL},
        {"poststarthook/priority-and-fairness-config-producer", ALL},
        {"poststarthook/bootstrap-controller", ALL},
        {"poststarthook/start-kubernetes-service-cidr-controller", ALL},
        {"poststarthook/aggregator-reload-proxy-client-cert", ALL},
        {"poststarthook/start-kube-aggregator-informers", ALL},
        {"poststarthook/apiservice-status-local-available-controller", ALL},
        {"poststarthook/apiservice-status-remote-available-controller", ALL},
        {"poststarthook/apiservice-registration-controller", ALL},
        {"poststarthook/apiservice-discovery-controller", ALL},
        {"poststarthook/kube-apiserver-autoregistration", ALL},
        {"autoregister-completion", ALL},
        {"poststarthook/apiservice-openapi-controller", ALL},
        {"poststarthook/apiservice-openapiv3-controller", ALL},
        {"shutdown", READYZ},
};
static const struct {
	const char *name;
	unsigned where;
} endpoints[] = {{"healthz", HEALTHZ}, {"livez", LIVEZ}, {"readyz", READYZ}};

static bool excluded(const struct api_request *request, const char *name)
{
	for (size_t i = 0; i < request->query_names.count; i++) {
		if (kt_streq(request->query_names.items[i], "exclude") &&
		    kt_streq(request->query_values.items[i], name))
			return true;
	}
	return false;
}

static void verbose_health(struct api_request *request, const char *endpoint, unsigned where)
{
	struct kt_buf text = {0};

	for (size_t i = 0; i < KT_COUNT(checks); i++) {
		if (checks[i].where & where)
			kt_buf_addf(&text,
			            excluded(request, checks[i].name) ? "[+]%s excluded: ok\n" : "[+]%s ok\n",
			            checks[i].name);
	}
	kt_buf_addf(&text, "%s check passed\n", endpoint);
	api_respond_text(request, 200, "text/plain; charset=utf-8", kt_buf_str(&text));
	kt_buf_clear(&text);
}

static bool health(struct api_request *request)
{
	const char *path = request->path + 1;

	for (size_t i = 0; i < KT_COUNT(endpoints); i++) {
		size_t len = strlen(endpoints[i].name);

		if (!kt_starts(path, endpoints[i].name) || (path[len] && path[len] != '/'))
			continue;
		if (!path[len]) {
			if (api_query(request, "verbose"))
				verbose_health(request, endpoints[i].name, endpoints[i].where);
			else
				api_respond_text(request, 200, "text/plain; charset=utf-8", "ok");
			return true;
		}
		for (size_t k = 0; k < KT_COUNT(checks); k++) {
			if ((checks[k].where & endpoints[i].where) &&
			    kt_streq(checks[k].name, path + len + 1)) {
				api_respond_text(request, 200, "text/plain; charset=utf-8", "ok");
				return true;
			}
		}
		return false;
	}
	return false;
}

/* --- / --- */
static void add_path(struct kt_strs *paths, char *steal)
{
	if (kt_strs_has(paths, steal))
		kt_free(steal);
	else
		kt_strs_steal(paths, steal);
}

static void root(struct api_request *request)
{
	static const char *const others[] = {"/.well-known/openid-configuration",
	                                     "/api",
	                                     "/api/v1",
	                                     "/apis",
	                                     "/apis/",

	                                     "/metrics",
	                                     "/metrics/slis",
	                                     "/openapi/v2",
	                                     "/openapi/v3",
	                                     "/openapi/v3/",
	                                     "/openid/v1/jwks",
	                                     "/version"};
	struct schema *schema = cluster_schema(request->cluster);
	struct kt_strs paths = {0};
	struct kt_json *json = NULL;

	for (size_t i = 0; i < KT_COUNT(others); i++)
		add_path(&paths, kt_strdup(others[i]));
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);

		/* what an aggregated server or a definition serves is not the API server's own */
		if (!*kind->group || kind->crd || kt_streq(kind->group, "metrics.k8s.io") ||
		    kt_streq(kind->group, "gateway.networking.k8s.io"))
			continue;
		add_path(&paths, kt_strf("/apis/%s", kind->group));
		add_path(&paths, kt_strf("/apis/%s/%s", kind->group, kind->version));
	}
	for (size_t i = 0; i < KT_COUNT(endpoints); i++) {
		add_path(&paths, kt_strf("/%s", endpoints[i].name));
		for (size_t k = 0; k < KT_COUNT(checks); k++) {
			if (checks[k].where & endpoints[i].where)
				add_path(&paths, kt_strf("/%s/%s", endpoints[i].name, checks[k].name));
		}
	}
	kt_strs_sort(&paths);
	for (size_t i = 0; i < paths.count; i++)
		kt_push(&json, kt_json_str(paths.items[i]));
	json = kt_jsonf("{paths: %j}", json);
	api_respond_json(request, 200, json, true);
	kt_json_free(json);
	kt_strs_clear(&paths);
}

/* --- discovery --- */
static const char *aggregated(struct api_request *request)
{
	const char *accept = api_header(request->http, "Accept");
	const char *list = accept ? strstr(accept, "as=APIGroupDiscoveryList") : NULL;

	if (!list)
		return NULL;
	/* the first that is asked for */
	const char *v2 = strstr(accept, "v=v2;"), *beta = strstr(accept, "v=v2beta1");

	return v2 && (!beta || v2 < beta) ? "v2" : beta ? "v2beta1" : "v2";
}

static bool respond_discovery(struct api_request *request, struct kt_json *steal, const char *how)
{
	char etag[72], type[96];
	unsigned char hash[32];
	struct kt_buf hex = {0};
	const char *known = api_header(request->http, "If-None-Match");

	if (!steal)
		return false;
	api_respond_json(request, 200, steal, false);
	kt_json_free(steal);
	if (!how)
		return true;
	snprintf(type, sizeof(type), "application/json;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList",
	         how);
	snprintf(request->response->content_type, sizeof(request->response->content_type), "%s", type);
	kt_sha256(request->response->body.data, request->response->body.len, hash);
	kt_hex(hash, sizeof(hash), &hex);
	snprintf(etag, sizeof(etag), "\"%.64s\"", kt_buf_str(&hex));
	kt_buf_clear(&hex);
	kt_strs_add(&request->response->headers.names, "ETag");
	kt_strs_add(&request->response->headers.values, etag);
	kt_strs_add(&request->response->headers.names, "Vary");
	kt_strs_add(&request->response->headers.values, "Accept");
	kt_strs_add(&request->response->headers.names, "Cache-Control");
	kt_strs_add(&request->response->headers.values, "public");
	if (known && kt_streq(known, etag)) {
		kt_buf_clear(&request->response->body);
		request->response->status = 304;
	}
	return true;
}

/* Where the server says that it is: the address of its Service's endpoints. NULL, or owned. */
static char *external_address(struct api_request *request)
{
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(request->cluster), "discovery.k8s.io", "EndpointSlice");
	const struct store_object *slice =
	        store_get(cluster_store(request->cluster), kind, "default", "kubernetes");
	const char *address = slice ? kt_str(kt_at(kt_path(slice->json, "endpoints.0.addresses"), 0)) : NULL;

	return address ? kt_strf("%s:%lld", address,
	                         (long long)kt_path_int(slice->json, "ports.0.port", 6443))
	               : NULL;
}

static struct kt_json *discovery_root(struct api_request *request, struct schema *schema, bool legacy,
                                      const char *how)
{
	struct kt_json *out = schema_discovery_root(schema, legacy, how);
	char *address = legacy && !how ? external_address(request) : NULL;

	if (address)
		kt_set(&out, "serverAddressByClientCIDRs",
		       kt_jsonf("[{clientCIDR: '0.0.0.0/0', serverAddress: %s}]", address));
	kt_free(address);
	return out;
}

static bool discovery(struct api_request *request)
{
	struct schema *schema = cluster_schema(request->cluster);
	const struct kt_strs *at = &request->segments;
	bool legacy = kt_streq(at->items[0], "api");
	const char *how = aggregated(request);

	if (!api_negotiate(request) && !how)
		return false;
	api_status_clear(&request->status);
	if (at->count == 1)
		return respond_discovery(request, discovery_root(request, schema, legacy, how), how);
	if (legacy && at->count == 2)
		return respond_discovery(request, schema_discovery_version(schema, "", at->items[1]), NULL);
	if (!legacy && at->count == 2)
		return respond_discovery(request, schema_discovery_group(schema, at->items[1]), NULL);
	if (!legacy && at->count == 3)
		return respond_discovery(request,
		                         schema_discovery_version(schema, at->items[1], at->items[2]), NULL);
	return false;
}

/* --- OpenAPI v3 --- */
static void header(struct api_request *request, const char *name, const char *value)
{
	kt_strs_add(&request->response->headers.names, name);
	kt_strs_add(&request->response->headers.values, value);
}

static bool openapi(struct api_request *request)
{
	struct schema *schema = cluster_schema(request->cluster);
	const char *path = request->path, *asked = api_query(request, "hash"), *known;
	const struct kt_buf *text;
	char hash[65] = "", etag[72];

	if (kt_streq(path, "/openapi/v3")) {
		text = schema_openapi_index(schema);
		api_respond_text(request, 200, "application/json", kt_buf_str(text));
		return true;
	}
	if (!kt_starts(path, "/openapi/v3/"))
		return false;
	text = schema_openapi(schema, path + strlen("/openapi/v3/"), hash);
	if (!text) {
		api_respond_text(request, 404, "", "");
		return true;
	}
	snprintf(etag, sizeof(etag), "\"%s\"", hash);
	header(request, "ETag", etag);
	header(request, "Vary", "Accept");
	if (asked && kt_streq(asked, hash)) {
		struct kt_buf expires = {0};

		header(request, "Cache-Control", "public, immutable");
		kt_buf_adds(&expires, "Thu, 31 Dec 2099 23:59:59 GMT");
		header(request, "Expires", kt_buf_str(&expires));
		kt_buf_clear(&expires);
	} else {
		header(request, "Cache-Control", "no-cache, private");
	}
	known = api_header(request->http, "If-None-Match");
	if (known && kt_streq(known, etag))
		api_respond_text(request, 304, "application/json", "");
	else
		api_respond_text(request, 200, "application/json", kt_buf_str(text));
	return true;
}

/* OpenAPI v2 is what kubectl falls back to for kinds that cannot be patched (reviews); it then finds nothing
 * to validate by: no paths, definitions only. */
static void openapi_v2(struct api_request *request)
{
	const char *accept = api_header(request->http, "Accept");
	struct kt_json *json;

	if (accept && strstr(accept, "protobuf")) {
		api_respond_text(request, 200, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
		                 "");
		schema_openapi_v2(cluster_schema(request->cluster), &request->response->body);
		return;
	}
	json = kt_jsonf("{swagger: '2.0', info: {title: 'Kubernetes', version: 'v1.34.4'}, paths: {}}");
	api_respond_json(request, 200, json, false);
	kt_json_free(json);
}

/* --- who issues service accounts' tokens, and the key that verifies them (pkg/routes/openidmetadata.go) ---
 */
static struct kt_json *openid_configuration(struct api_request *request)
{
	char *address = external_address(request);
	struct kt_json *json =
	        kt_jsonf("{issuer: %s, jwks_uri: %j, response_types_supported: ['id_token'], "
	                 "subject_types_supported: ['public'], id_token_signing_alg_values_supported: [%s]}",
	                 ACCESS_AUDIENCE, kt_json_strf("https://%s/openid/v1/jwks", address ? address : ""),
	                 ACCESS_ALGORITHM);

	kt_free(address);
	return json;
}

static struct kt_json *openid_keys(struct api_request *request)
{
	return access_key_set(request->cluster);
}

static bool accepts(struct api_request *request, const char *type)
{
	const char *accept = api_header(request->http, "Accept");

	return !accept || !*accept || strstr(accept, "*/*") || strstr(accept, type);
}

static bool openid(struct api_request *request)
{
	static const struct {
		const char *path, *type;
		struct kt_json *(*make)(struct api_request *request);
	} documents[] = {
	        {"/.well-known/openid-configuration", "application/json", openid_configuration},
	        {"/openid/v1/jwks", "application/jwk-set+json", openid_keys},
	};

	for (size_t i = 0; i < KT_COUNT(documents); i++) {
		size_t len = strlen(documents[i].path);

		if (!kt_starts(request->path, documents[i].path) ||
		    (request->path[len] && !kt_streq(request->path + len, "/")))
			continue;
		if (kt_streq(request->http->method, "GET") && !accepts(request, documents[i].type)) {
			api_fail(&request->status, 406, "NotAcceptable",
			         "406: Not Acceptable\n\nAvailable representations: %s", documents[i].type);
			request->status.details = kt_json_object();
			return true;
		}
		struct kt_json *json = documents[i].make(request);
		char *text = kt_json_text(json);

		header(request, "Cache-Control", "public, max-age=3600");
		api_respond_text(request, 200, documents[i].type, text);
		kt_free(text);
		kt_json_free(json);
		return true;
	}
	return false;
}

static bool read(struct api_request *request)
{
	if (!request->segments.count || kt_streq(request->path, "/index.html")) {
		root(request);
		return true;
	}
	if (kt_streq(request->segments.items[0], "version") && request->segments.count == 1) {
		version(request);
		return true;
	}
	if (kt_streq(request->segments.items[0], "api") || kt_streq(request->segments.items[0], "apis"))
		return discovery(request);
	if (kt_streq(request->path, "/openapi/v2")) {
		openapi_v2(request);
		return true;
	}
	return health(request) || openid(request) || openapi(request);
}

/* Some handlers look at the method (go-restful routes of GET), the others answer whatever it is. */
static bool only_gets(const struct api_request *request)
{
	const struct kt_strs *at = &request->segments;
	const char *first = at->count ? at->items[0] : "";

	return kt_streq(first, "version") || kt_streq(first, "openid") || kt_streq(first, ".well-known") ||
	       kt_streq(first, "api") || (kt_streq(first, "apis") && at->count > 2);
}

bool api_nonresource(struct api_request *request)
{
	if (!read(request))
		return false;
	if (!kt_streq(request->http->method, "GET") && only_gets(request)) {
		kt_strs_clear(&request->response->headers.names);
		kt_strs_clear(&request->response->headers.values);
		api_fail(&request->status, 405, "MethodNotAllowed",
		         "the server does not allow this method on the requested resource");
		request->status.details = kt_json_object();
	}
	return true;
}

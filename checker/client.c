/* SPDX-License-Identifier: MIT */
/* Requests over one kept connection, and names of resources from discovery. */
#include "checker/client_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX (256u * 1024 * 1024)

static void set_blob(CURL *curl, CURLoption option, const char *pem)
{
	struct curl_blob blob = {.data = NULL, .len = strlen(pem), .flags = CURL_BLOB_COPY};
	memcpy(&blob.data, &pem, sizeof(pem)); /* libcurl copies; its type has no const */
	curl_easy_setopt(curl, option, &blob);
}

void check_curl_setup(struct check_client *client, CURL *curl)
{
	const struct check_config *c = &client->config;
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "ktutor");
	curl_easy_setopt(curl, CURLOPT_SHARE, client->share);
	curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY,
	                 ""); /* a cluster on loopback is never behind a proxy that the environment names */
	if (client->socket) {
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
		return; /* no TLS, and who may open it needs no credentials */
	}
	if (c->insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (c->ca_pem)
		set_blob(curl, CURLOPT_CAINFO_BLOB, c->ca_pem);
	if (c->cert_pem)
		set_blob(curl, CURLOPT_SSLCERT_BLOB, c->cert_pem);
	if (c->key_pem)
		set_blob(curl, CURLOPT_SSLKEY_BLOB, c->key_pem);
	if (c->username && c->password) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, c->username);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, c->password);
	}
}

enum kt_code check_curl_fail(const struct check_client *client, CURLcode code, struct kt_err *err)
{
	return kt_fail(err, code == CURLE_FILESIZE_EXCEEDED ? KT_ELIMIT : KT_EUNREACHABLE,
	               "the cluster at %s did not answer: %s", client->config.server,
	               curl_easy_strerror(code));
}

enum kt_code check_client_new(const char *kubeconfig, const char *context, bool allow_exec,
                              struct check_client **out, struct kt_err *err)
{
	struct check_client *client = kt_alloc(sizeof(*client));
	enum kt_code rc = check_config_read(kubeconfig, context, allow_exec, &client->config, err);
	if (!rc) {
		curl_global_init(CURL_GLOBAL_DEFAULT);
		client->share = curl_share_init();
		client->curl = curl_easy_init();
		if (!client->share || !client->curl)
			rc = kt_fail(err, KT_EIO, "libcurl cannot be started");
	}
	if (rc) {
		check_client_free(client);
		return rc;
	}
	curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	if (client->config.token) {
		char *header = kt_strf("Authorization: Bearer %s", client->config.token);
		client->auth = curl_slist_append(NULL, header);
		kt_free(header);
	}
	client->origin = kt_strdup(client->config.server);
	check_curl_setup(client, client->curl);
	*out = client;
	return KT_OK;
}

void check_client_by_socket(struct check_client *client, const char *path)
{
	kt_free(client->origin);
	kt_free(client->socket);
	client->origin = kt_strdup("http://localhost");
	client->socket = kt_strdup(path);
	curl_slist_free_all(client->auth);
	client->auth = NULL;
	curl_easy_reset(client->curl);
	check_curl_setup(client, client->curl);
}

void check_client_free(struct check_client *client)
{
	if (!client)
		return;
	curl_easy_cleanup(client->curl);
	curl_share_cleanup(client->share);
	curl_slist_free_all(client->auth);
	if (client->judge_done)
		client->judge_done(client->judge_arg);
	check_config_clear(&client->config);
	kt_free(client->origin);
	kt_free(client->socket);
	kt_json_free(client->discovery);
	kt_free(client);
}

void check_client_guard(struct check_client *client,
                        enum kt_code (*judge)(void *arg, const char *method, const char *path,
                                              struct kt_err *err),
                        void (*done)(void *arg), void *arg)
{
	client->judge = judge;
	client->judge_done = done;
	client->judge_arg = arg;
}

void check_answer_clear(struct check_answer *answer)
{
	kt_buf_clear(&answer->body);
	kt_json_freep(&answer->json);
	answer->status = 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct kt_buf *body = arg;
	if (body->len + size * count > ANSWER_MAX)
		return 0;
	kt_buf_add(body, data, size * count);
	return size * count;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
	char *line = kt_strf("%s: %s", name, value);
	list = curl_slist_append(list, line);
	kt_free(line);
	return list;
}

static enum kt_code perform(struct check_client *client, const char *method, const char *path,
                            const char *accept, const char *content_type, const void *body, size_t len,
                            struct check_answer *out, struct kt_err *err)
{
	CURL *curl = client->curl;
	char *url = kt_strf("%s%s", client->origin, path);
	struct curl_slist *headers = add_header(NULL, "Accept", accept);
	struct kt_buf answer = {0};
	for (const struct curl_slist *h = client->auth; h; h = h->next)
		headers = curl_slist_append(headers, h->data);
	if (content_type)
		headers = add_header(headers, "Content-Type", content_type);
	headers = add_header(headers, "Expect", ""); /* no "100-continue" round trip */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 60000L);
	curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
	if (body) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)len);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	CURLcode code = curl_easy_perform(curl);
	long status = 0;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	kt_free(url);
	if (code != CURLE_OK) {
		kt_buf_clear(&answer);
		return check_curl_fail(client, code, err);
	}
	check_answer_clear(out);
	out->status = (int)status;
	out->body = answer;
	if (answer.len && (answer.data[0] == '{' || answer.data[0] == '[') &&
	    kt_json_parse(answer.data, answer.len, NULL, &out->json, NULL, NULL))
		out->json = NULL;
	return KT_OK;
}

enum kt_code check_request(struct check_client *client, const char *method, const char *path,
                           const char *content_type, const void *body, size_t len, struct check_answer *out,
                           struct kt_err *err)
{
	enum kt_code rc = client->judge ? client->judge(client->judge_arg, method, path, err) : KT_OK;
	const char *accept = client->accept ? client->accept : "application/json";
	return rc ? rc : perform(client, method, path, accept, content_type, body, len, out, err);
}

void check_client_accept(struct check_client *client, const char *accept)
{
	client->accept = accept;
}

bool check_account_is_coming(const struct check_answer *answer)
{
	const char *message = answer->status == 403 ? kt_get_str(answer->json, "message") : NULL;
	return message && strstr(message, "error looking up service account") &&
	       strstr(message, "serviceaccount \"default\" not found");
}

/* --- discovery --- */

static void note_version(struct kt_json **list, const char *group, const struct kt_json *version)
{
	const struct kt_json *resources = kt_get(version, "resources"), *r;
	KT_JSON_EACH (r, resources)
		kt_push(list, kt_jsonf("{group: %s, version: %s, resource: %J, kind: %J, singular: %J, "
		                       "short: %J, scope: %J}",
		                       group, kt_get_str(version, "version"), kt_get(r, "resource"),
		                       kt_path(r, "responseKind.kind"), kt_get(r, "singularResource"),
		                       kt_get(r, "shortNames"), kt_get(r, "scope")));
}

static enum kt_code get_json(struct check_client *client, const char *path, const char *accept,
                             struct check_answer *answer, struct kt_err *err)
{
	enum kt_code rc = perform(client, "GET", path, accept, NULL, NULL, 0, answer, err);
	if (!rc && (answer->status != 200 || !answer->json))
		rc = kt_fail(err, KT_EUNREACHABLE, "the cluster at %s answered %d to %s",
		             client->config.server, answer->status, path);
	return rc;
}

/* One group-version the plain way, for servers whose discovery is not aggregated and for what the checker
 * asks (application/json). */
static enum kt_code discover_version(struct check_client *client, const char *path, const char *group,
                                     const char *name, struct kt_err *err)
{
	struct check_answer answer = {0};
	enum kt_code rc = get_json(client, path, "application/json", &answer, err);
	const struct kt_json *resources = kt_get(answer.json, "resources"), *r;
	KT_JSON_EACH (r, resources) {
		const char *resource = kt_get_str(r, "name");
		if (resource && !strchr(resource, '/'))
			kt_push(&client->discovery,
			        kt_jsonf("{group: %s, version: %s, resource: %s, kind: %J, singular: %J, "
			                 "short: %J, scope: %s}",
			                 group, name, resource, kt_get(r, "kind"), kt_get(r, "singularName"),
			                 kt_get(r, "shortNames"),
			                 kt_get_bool(r, "namespaced", false) ? "Namespaced" : "Cluster"));
	}
	check_answer_clear(&answer);
	return rc;
}

static enum kt_code discover_plain(struct check_client *client, struct kt_err *err)
{
	struct check_answer groups = {0};
	enum kt_code rc = discover_version(client, "/api/v1", "", "v1", err);
	if (!rc)
		rc = get_json(client, "/apis", "application/json", &groups, err);
	const struct kt_json *list = kt_get(groups.json, "groups"), *group;
	for (size_t i = 0; !rc && i < kt_count(list); i++) {
		group = kt_at(list, i);
		const char *version = kt_path_str(group, "preferredVersion.groupVersion");
		char *path = kt_strf("/apis/%s", version ? version : "");
		rc = discover_version(client, path, kt_get_str(group, "name"),
		                      kt_path_str(group, "preferredVersion.version"), err);
		kt_free(path);
	}
	check_answer_clear(&groups);
	return rc;
}

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

static enum kt_code discover(struct check_client *client, struct kt_err *err)
{
	static const char *const roots[] = {"/api", "/apis"};
	kt_json_freep(&client->discovery);
	client->discovery = kt_json_array();
	for (size_t i = 0; i < KT_COUNT(roots); i++) {
		struct check_answer answer = {0};
		enum kt_code rc = get_json(client, roots[i], AGGREGATED, &answer, err);
		const struct kt_json *items = kt_get(answer.json, "items"), *group, *version;
		bool aggregated = items != NULL;
		KT_JSON_EACH (group, items)
			KT_JSON_EACH (version, kt_get(group, "versions"))
				note_version(&client->discovery,
				             kt_str_or(kt_path(group, "metadata.name"), ""), version);
		check_answer_clear(&answer);
		if (rc)
			return rc;
		if (!aggregated) {
			kt_json_freep(&client->discovery);
			client->discovery = kt_json_array();
			return discover_plain(client, err);
		}
	}
	return KT_OK;
}

static bool names(const struct kt_json *row, const char *word, size_t len)
{
	static const char *const keys[] = {"resource", "singular", "kind"};
	for (size_t i = 0; i < KT_COUNT(keys); i++) {
		const char *name = kt_get_str(row, keys[i]);
		if (name && strlen(name) == len && !strncasecmp(name, word, len))
			return true;
	}
	const struct kt_json *item;
	KT_JSON_EACH (item, kt_get(row, "short"))
		if (kt_str_len(item) == len && !strncmp(kt_str(item), word, len))
			return true;
	return false;
}

/* `deployments.apps` and `deployments.v1.apps` name the group (and version) behind the first dot. */
static bool in_group(const struct kt_json *row, const char *rest)
{
	const char *group = kt_get_str(row, "group");
	size_t version = strlen(kt_get_str(row, "version"));
	if (!*rest || kt_streq(rest, group))
		return true;
	return kt_starts(rest, kt_get_str(row, "version")) && rest[version] == '.' &&
	       kt_streq(rest + version + 1, group);
}

static void fill(const struct kt_json *row, struct check_resource *out)
{
	const char *group = kt_get_str(row, "group"), *version = kt_get_str(row, "version");
	memset(out, 0, sizeof(*out));
	snprintf(out->prefix, sizeof(out->prefix), *group ? "/apis/%s/%s" : "/api%s%s", *group ? group : "/",
	         version);
	snprintf(out->api_version, sizeof(out->api_version), "%s%s%s", group, *group ? "/" : "", version);
	snprintf(out->resource, sizeof(out->resource), "%s", kt_get_str(row, "resource"));
	snprintf(out->kind, sizeof(out->kind), "%s", kt_str_or(kt_get(row, "kind"), ""));
	out->namespaced = kt_streq(kt_get_str(row, "scope"), "Namespaced");
}

static bool look_up(const struct check_client *client, const char *words, struct check_resource *out)
{
	size_t len = strcspn(words, ".");
	const char *rest = words[len] ? words + len + 1 : "";
	const struct kt_json *row;
	KT_JSON_EACH (row, client->discovery)
		if (names(row, words, len) && in_group(row, rest)) {
			fill(row, out);
			return true;
		}
	return false;
}

enum kt_code check_find_resource(struct check_client *client, const char *words, struct check_resource *out,
                                 struct kt_err *err)
{
	if (client->discovery && look_up(client, words, out))
		return KT_OK;
	enum kt_code rc = discover(client, err); /* custom kinds may have come since */
	if (rc || look_up(client, words, out))
		return rc;
	return kt_fail(err, KT_ENOTFOUND, "the cluster has no resource type '%s'", words);
}

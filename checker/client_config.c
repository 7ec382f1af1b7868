/* SPDX-License-Identifier: MIT */
/* kubeconfig: one context's server and credentials (k8s.io/client-go/tools/clientcmd/api/v1). */
#include "checker/client_internal.h"

#include <string.h>

#define CONFIG_FILE_MAX (1024 * 1024)

struct place {
	const struct kt_yaml *yaml;
	const char *path; /* of the kubeconfig: files that it names are beside it */
	struct kt_err *err;
};

/* The `of` member ("cluster", "user", "context") of the entry called `name` in list `list`. */
static const struct kt_json *entry(const struct kt_json *doc, const char *list, const char *name,
                                   const char *of)
{
	const struct kt_json *items = kt_get(doc, list);
	ptrdiff_t i = name ? kt_find(items, "name", name) : -1;
	return i < 0 ? NULL : kt_get(kt_at(items, (size_t)i), of);
}

static char *beside(const char *config, const char *file)
{
	if (file[0] == '/')
		return kt_strdup(file);
	size_t dir = (size_t)(kt_basename(config) - config);
	return kt_strf("%.*s%s", (int)dir, config, file);
}

/* `NAME-data` (base64) or the file that `NAME` names. NULL stays where neither is there. */
static enum kt_code read_pem(const struct place *place, const struct kt_json *object, const char *name,
                             char **out)
{
	char *data_key = kt_strf("%s-data", name);
	const char *data = kt_get_str(object, data_key), *file = kt_get_str(object, name);
	struct kt_buf text = {0};
	enum kt_code rc = KT_OK;
	if (data && !kt_unbase64(data, strlen(data), &text)) {
		rc = kt_yaml_fail(place->yaml, kt_get(object, data_key), place->err, "'%s' is not base64",
		                  data_key);
	} else if (!data && file) {
		char *path = beside(place->path, file);
		rc = kt_read_file(path, CONFIG_FILE_MAX, &text, place->err);
		kt_free(path);
	}
	if (!rc && (data || file))
		*out = kt_buf_take(&text);
	kt_buf_clear(&text);
	kt_free(data_key);
	return rc;
}

/* An exec credential plugin, as kubectl runs it: its answer is an ExecCredential with a token or a
 * certificate. */
static enum kt_code run_plugin(const struct place *place, const struct kt_json *exec,
                               struct check_config *out)
{
	const char *command = kt_get_str(exec, "command");
	if (!command)
		return kt_yaml_fail(place->yaml, exec, place->err, "expected 'command'");
	const char *argv[66] = {command};
	const struct kt_json *args = kt_get(exec, "args"), *vars = kt_get(exec, "env"), *item;
	size_t n = 1;
	KT_JSON_EACH (item, args)
		if (n < 64 && kt_str(item))
			argv[n++] = kt_str(item);
	char *info = kt_strf("KUBERNETES_EXEC_INFO={\"apiVersion\":\"%s\",\"kind\":\"ExecCredential\","
	                     "\"spec\":{\"interactive\":false}}",
	                     kt_str_or(kt_get(exec, "apiVersion"), "client.authentication.k8s.io/v1"));
	struct kt_strs env = {0};
	kt_strs_steal(&env, info);
	KT_JSON_EACH (item, vars)
		kt_strs_steal(&env, kt_strf("%s=%s", kt_str_or(kt_get(item, "name"), ""),
		                            kt_str_or(kt_get(item, "value"), "")));
	const char **pairs = kt_alloc((env.count + 1) * sizeof(*pairs));
	for (size_t i = 0; i < env.count; i++)
		pairs[i] = env.items[i];
	struct kt_buf answer = {0};
	int status = 0;
	struct kt_run run = {.argv = argv, .env = pairs, .out = &answer, .timeout_ms = 60000};
	enum kt_code rc = kt_run(&run, &status, place->err);
	struct kt_json *json = NULL;
	if (!rc && status)
		rc = kt_fail(place->err, KT_EDENIED, "the credential plugin '%s' ended with %d", command,
		             status);
	if (!rc)
		rc = kt_json_parse(kt_buf_str(&answer), answer.len, NULL, &json, NULL, place->err);
	if (!rc) {
		out->token = kt_strdup(kt_path_str(json, "status.token"));
		out->cert_pem = kt_strdup(kt_path_str(json, "status.clientCertificateData"));
		out->key_pem = kt_strdup(kt_path_str(json, "status.clientKeyData"));
	}
	kt_json_free(json);
	kt_buf_clear(&answer);
	kt_strs_clear(&env);
	kt_free(pairs);
	return rc;
}

static enum kt_code read_user(const struct place *place, const struct kt_json *user, bool allow_exec,
                              struct check_config *out)
{
	enum kt_code rc = read_pem(place, user, "client-certificate", &out->cert_pem);
	if (!rc)
		rc = read_pem(place, user, "client-key", &out->key_pem);
	if (rc)
		return rc;
	out->token = kt_strdup(kt_get_str(user, "token"));
	out->username = kt_strdup(kt_get_str(user, "username"));
	out->password = kt_strdup(kt_get_str(user, "password"));
	const char *file = kt_get_str(user, "tokenFile");
	if (!out->token && file) {
		struct kt_buf text = {0};
		char *path = beside(place->path, file);
		rc = kt_read_file(path, CONFIG_FILE_MAX, &text, place->err);
		while (text.len && strchr(" \r\n", text.data[text.len - 1]))
			kt_buf_cut(&text, text.len - 1);
		out->token = rc ? NULL : kt_buf_take(&text);
		kt_buf_clear(&text);
		kt_free(path);
	}
	const struct kt_json *exec = kt_get(user, "exec");
	if (!rc && exec && !allow_exec)
		rc = kt_yaml_fail(place->yaml, exec, place->err,
		                  "this user logs in with the program '%s', which ktutor runs only when it "
		                  "is allowed to (--allow-exec)",
		                  kt_str_or(kt_get(exec, "command"), "?"));
	if (!rc && exec)
		rc = run_plugin(place, exec, out);
	return rc;
}

static enum kt_code read_context(const struct place *place, const char *name, bool allow_exec,
                                 struct check_config *out)
{
	const struct kt_json *doc = kt_yaml_doc(place->yaml, 0);
	name = name ? name : kt_get_str(doc, "current-context");
	if (!name || !*name)
		return kt_fail(place->err, KT_EINVAL, "%s names no current context", place->path);
	const struct kt_json *context = entry(doc, "contexts", name, "context");
	if (!context)
		return kt_fail(place->err, KT_ENOTFOUND, "%s has no context '%s'", place->path, name);
	const struct kt_json *cluster = entry(doc, "clusters", kt_get_str(context, "cluster"), "cluster");
	const struct kt_json *user = entry(doc, "users", kt_get_str(context, "user"), "user");
	if (!kt_get_str(cluster, "server"))
		return kt_fail(place->err, KT_EINVAL, "%s: context '%s' names no cluster with a server",
		               place->path, name);
	out->server = kt_strdup(kt_get_str(cluster, "server"));
	size_t len = strlen(out->server);
	while (len && out->server[len - 1] == '/')
		out->server[--len] = '\0';
	out->ns = kt_strdup(kt_str_or(kt_get(context, "namespace"), "default"));
	out->insecure = kt_get_bool(cluster, "insecure-skip-tls-verify", false);
	out->tls_server_name = kt_strdup(kt_get_str(cluster, "tls-server-name"));
	enum kt_code rc = read_pem(place, cluster, "certificate-authority", &out->ca_pem);
	return rc || !user ? rc : read_user(place, user, allow_exec, out);
}

enum kt_code check_config_read(const char *path, const char *context, bool allow_exec,
                               struct check_config *out, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct check_config config = {0};
	enum kt_code rc = kt_yaml_read(path, &yaml, err);
	if (!rc)
		rc = read_context(&(struct place){yaml, path, err}, context, allow_exec, &config);
	kt_yaml_free(yaml);
	if (rc) {
		check_config_clear(&config);
		return rc;
	}
	*out = config;
	return KT_OK;
}

char *check_server_of(const char *kubeconfig)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err ignored = {0};
	char *server = NULL;
	if (!kt_yaml_read(kubeconfig, &yaml, &ignored)) {
		const struct kt_json *doc = kt_yaml_doc(yaml, 0),
		                     *context = entry(doc, "contexts", kt_get_str(doc, "current-context"),
		                                      "context");
		server = kt_strdup(kt_get_str(
		        entry(doc, "clusters", kt_get_str(context, "cluster"), "cluster"), "server"));
	}
	kt_yaml_free(yaml);
	return server;
}

void check_config_clear(struct check_config *config)
{
	char *const owned[] = {config->server,   config->ns,       config->ca_pem,
	                       config->cert_pem, config->key_pem,  config->token,
	                       config->username, config->password, config->tls_server_name};
	for (size_t i = 0; i < KT_COUNT(owned); i++)
		kt_free(owned[i]);
	memset(config, 0, sizeof(*config));
}

/* SPDX-License-Identifier: MIT */
/* The environment of a container: Services, envFrom, env with its sources, $(VAR). Order and words:
 * kubernetes pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables) and pkg/kubelet/envvars. */
#include <ctype.h>
#include <string.h>

#include "cluster/kubelet/kubelet_internal.h"

/* The Service variables of a namespace, shared by its pods until a Service changes. */
struct kubelet_service_env {
	char *ns;
	uint64_t generation;
	struct kt_json *linked, *master; /* with all Services; with `kubernetes` alone */
	UT_hash_handle hh;
};

void kubelet_env_free(struct kubelet *kubelet)
{
	struct kubelet_service_env *row, *next;

	HASH_ITER (hh, kubelet->service_env, row, next) {
		HASH_DEL(kubelet->service_env, row);
		kt_json_free(row->linked);
		kt_json_free(row->master);
		kt_free(row->ns);
		kt_free(row);
	}
}

static void upper(const char *name, struct kt_buf *out)
{
	for (; *name; name++)
		kt_buf_addc(out, *name == '-' ? '_' : (char)toupper((unsigned char)*name));
}

static void put(struct kt_json **env, const char *prefix, const char *middle, const char *suffix,
                struct kt_json *value)
{
	struct kt_buf key = {0};

	kt_buf_adds(&key, prefix);
	upper(middle, &key);
	kt_buf_adds(&key, suffix);
	kt_set(env, kt_buf_str(&key), value);
	kt_buf_clear(&key);
}

/* FOO_SERVICE_HOST, FOO_SERVICE_PORT, FOO_SERVICE_PORT_NAME, and Docker's links FOO_PORT_80_TCP… */
static void add_service(struct kt_json **env, const struct store_object *service)
{
	const struct kt_json *ports = kt_path(service->json, "spec.ports"), *port;
	const char *ip = kt_path_str(service->json, "spec.clusterIP");
	struct kt_buf name = {0}, key = {0};

	if (!ip || !*ip || strcmp(ip, "None") == 0 || !kt_count(ports))
		return;
	upper(service->name, &name);
	put(env, kt_buf_str(&name), "", "_SERVICE_HOST", kt_json_str(ip));
	put(env, kt_buf_str(&name), "", "_SERVICE_PORT",
	    kt_json_strf("%lld", (long long)kt_get_int(kt_at(ports, 0), "port", 0)));
	KT_JSON_EACH (port, ports) {
		const char *port_name = kt_get_str(port, "name");

		if (!port_name || !*port_name)
			continue;
		kt_buf_cut(&key, 0);
		kt_buf_addf(&key, "%s_SERVICE_PORT_", kt_buf_str(&name));
		put(env, kt_buf_str(&key), port_name, "",
		    kt_json_strf("%lld", (long long)kt_get_int(port, "port", 0)));
	}
	KT_JSON_EACH (port, ports) {
		const char *protocol = kt_str_or(kt_get(port, "protocol"), "TCP");
		long long number = (long long)kt_get_int(port, "port", 0);
		struct kt_buf lower = {0};

		for (const char *p = protocol; *p; p++)
			kt_buf_addc(&lower, (char)tolower((unsigned char)*p));
		if (port_i == 0)
			put(env, kt_buf_str(&name), "", "_PORT",
			    kt_json_strf("%s://%s:%lld", kt_buf_str(&lower), ip, number));
		kt_buf_cut(&key, 0);
		kt_buf_addf(&key, "%s_PORT_%lld_%s", kt_buf_str(&name), number, protocol);
		put(env, kt_buf_str(&key), "", "",
		    kt_json_strf("%s://%s:%lld", kt_buf_str(&lower), ip, number));
		put(env, kt_buf_str(&key), "", "_PROTO", kt_json_str(kt_buf_str(&lower)));
		put(env, kt_buf_str(&key), "", "_PORT", kt_json_strf("%lld", number));
		put(env, kt_buf_str(&key), "", "_ADDR", kt_json_str(ip));
		kt_buf_clear(&lower);
	}
	kt_buf_clear(&name);
	kt_buf_clear(&key);
}

static const struct kt_json *service_env(struct kubelet *kubelet, const char *ns, bool links)
{
	struct store *store = cluster_store(kubelet->cluster);
	struct kubelet_service_env *row;
	const struct store_object *service;

	HASH_FIND_STR(kubelet->service_env, ns, row);
	if (!row) {
		row = kt_alloc(sizeof(*row));
		row->ns = kt_strdup(ns);
		HASH_ADD_KEYPTR(hh, kubelet->service_env, row->ns, strlen(row->ns), row);
	} else if (row->generation == kubelet->env_generation && row->linked) {
		return links ? row->linked : row->master;
	}
	kt_json_free(row->linked);
	kt_json_free(row->master);
	row->generation = kubelet->env_generation;
	row->linked = kt_json_object();
	row->master = kt_json_object();
	service = store_get(store, kubelet->services, "default", "kubernetes");
	if (service) {
		add_service(&row->master, service);
		add_service(&row->linked, service);
	}
	STORE_EACH (service, store, kubelet->services, ns)
		add_service(&row->linked, service);
	return links ? row->linked : row->master;
}

/* $(NAME) by its value, $$ by $; what is not known stays. */
char *kubelet_expand(const char *text, const struct kt_json *env)
{
	struct kt_buf out = {0};

	if (!strchr(text, '$'))
		return kt_strdup(text);
	while (*text) {
		const char *end;

		if (text[0] == '$' && text[1] == '$') {
			kt_buf_addc(&out, '$');
			text += 2;
		} else if (text[0] == '$' && text[1] == '(' && (end = strchr(text, ')')) != NULL) {
			char *name = kt_strndup(text + 2, (size_t)(end - text - 2));
			const char *value = kt_get_str(env, name);

			if (value)
				kt_buf_adds(&out, value);
			else
				kt_buf_add(&out, text, (size_t)(end - text) + 1);
			kt_free(name);
			text = end + 1;
		} else {
			kt_buf_addc(&out, *text++);
		}
	}
	return out.data ? kt_buf_take(&out) : kt_strdup("");
}

/* --- valueFrom --- */

/* "metadata.labels" as the downward API prints a map: key="value" lines. */
static char *print_map(const struct kt_json *map)
{
	KT_CLEANUP(kt_json_freep) struct kt_json *sorted = map ? kt_json_sorted(map) : NULL;
	struct kt_buf out = {0};

	for (size_t i = 0; i < kt_count(sorted); i++) {
		const char *value = kt_str_or(kt_at(sorted, i), "");

		kt_buf_addf(&out, "%s%s=", i ? "\n" : "", kt_key(sorted, i));
		kt_json_print_string(value, strlen(value), &out);
	}
	return out.data ? kt_buf_take(&out) : kt_strdup("");
}

char *kubelet_field(struct kubelet_pod *pod, const char *path, char **why)
{
	const struct kt_json *json = pod->object->json;
	const char *open = strchr(path, '['), *value = NULL;

	if (open && strlen(open) > 4 &&
	    (kt_starts(path, "metadata.labels[") || kt_starts(path, "metadata.annotations["))) {
		char *map = kt_strndup(path, (size_t)(open - path));
		char *key = kt_strndup(open + 2, strlen(open) - 4);

		value = kt_get_str(kt_path(json, map), key);
		kt_free(map);
		kt_free(key);
		return kt_strdup(value ? value : "");
	}
	if (strcmp(path, "metadata.labels") == 0 || strcmp(path, "metadata.annotations") == 0)
		return print_map(kt_path(json, path));
	if (strcmp(path, "status.podIP") == 0 || strcmp(path, "status.podIPs") == 0)
		value = pod->ip;
	else if (strcmp(path, "status.hostIP") == 0 || strcmp(path, "status.hostIPs") == 0)
		value = pod->node->address;
	else if (strcmp(path, "spec.nodeName") == 0)
		value = pod->node->name;
	else if (kt_starts(path, "metadata.") || strcmp(path, "spec.serviceAccountName") == 0)
		value = kt_path_str(json, path);
	if (!value && why)
		*why = kt_strf("unsupported fieldPath: %s", path);
	return kt_strdup(value);
}

char *kubelet_resource_field(struct kubelet_pod *pod, const struct kt_json *ref,
                             const struct kubelet_ctr *self, char **why)
{
	const char *resource = kt_str_or(kt_get(ref, "resource"), ""),
	           *name = kt_get_str(ref, "containerName");
	const char *dot = strchr(resource, '.'), *divisor = kt_get_str(ref, "divisor"), *text = NULL;
	const struct kubelet_ctr *ctr = name && *name ? kubelet_ctr_find(pod, name) : self;
	struct kt_quantity value = {0}, unit = {.milli = 1000, .value = 1};
	bool limit = kt_starts(resource, "limits."), cpu = dot && strcmp(dot, ".cpu") == 0;
	int64_t have, by;

	if (!ctr || !dot) {
		if (why)
			*why = kt_strf("container %s not found", name ? name : "");
		return NULL;
	}
	text = kt_get_str(kt_get(kt_get(ctr->spec, "resources"), limit ? "limits" : "requests"), dot + 1);
	if (!text && limit) { /* no limit: what the node has */
		const struct store_object *node = store_get(cluster_store(pod->node->kubelet->cluster),
		                                            pod->node->kubelet->nodes, "", pod->node->name);

		text = node ? kt_get_str(kt_path(node->json, "status.allocatable"), dot + 1) : NULL;
	}
	if (text)
		(void)!kt_quantity_parse(text, &value);
	if (divisor && *divisor && !(kt_quantity_parse(divisor, &unit) && unit.milli > 0))
		unit = (struct kt_quantity){.milli = 1000, .value = 1};
	have = cpu ? value.milli : value.value;
	by = cpu ? unit.milli : KT_MAX(unit.value, 1);
	return kt_strf("%lld", (long long)((have + by - 1) / by)); /* rounded up, as the real one */
}

static bool from_key(struct kubelet_pod *pod, const struct kt_json *ref, bool secret, char **value,
                     char **why)
{
	struct kubelet *kubelet = pod->node->kubelet;
	const char *name = kt_str_or(kt_get(ref, "name"), ""), *key = kt_str_or(kt_get(ref, "key"), "");
	bool optional = kt_get_bool(ref, "optional", false);
	const struct store_object *source =
	        store_get(cluster_store(kubelet->cluster), secret ? kubelet->secrets : kubelet->config_maps,
	                  pod->ns, name);
	const char *text = source ? kt_get_str(kt_get(source->json, "data"), key) : NULL;

	*value = NULL;
	if (text && secret) {
		struct kt_buf plain = {0};

		if (kt_unbase64(text, strlen(text), &plain))
			*value = kt_strdup(kt_buf_str(&plain));
		kt_buf_clear(&plain);
		return true;
	}
	*value = kt_strdup(text);
	if (text || optional)
		return true;
	if (!source)
		*why = kt_strf("%s \"%s\" not found", secret ? "secret" : "configmap", name);
	else
		*why = kt_strf("couldn't find key %s in %s %s/%s", key, secret ? "Secret" : "ConfigMap",
		               pod->ns, name);
	return false;
}

static bool value_from(struct kubelet_ctr *ctr, const struct kt_json *from, char **value, char **why)
{
	const struct kt_json *ref;

	if ((ref = kt_get(from, "configMapKeyRef")) != NULL)
		return from_key(ctr->pod, ref, false, value, why);
	if ((ref = kt_get(from, "secretKeyRef")) != NULL)
		return from_key(ctr->pod, ref, true, value, why);
	if ((ref = kt_get(from, "fieldRef")) != NULL) {
		*value = kubelet_field(ctr->pod, kt_str_or(kt_get(ref, "fieldPath"), ""), why);
		return *value != NULL;
	}
	if ((ref = kt_get(from, "resourceFieldRef")) != NULL) {
		*value = kubelet_resource_field(ctr->pod, ref, ctr, why);
		return *value != NULL;
	}
	return true;
}

static bool add_all(struct kubelet_pod *pod, const struct kt_json *source, struct kt_json **env, char **why)
{
	struct kubelet *kubelet = pod->node->kubelet;
	const struct kt_json *secret = kt_get(source, "secretRef"),
	                     *ref = secret ? secret : kt_get(source, "configMapRef");
	const char *prefix = kt_str_or(kt_get(source, "prefix"), ""),
	           *name = kt_str_or(kt_get(ref, "name"), "");
	const struct store_object *object =
	        store_get(cluster_store(kubelet->cluster), secret ? kubelet->secrets : kubelet->config_maps,
	                  pod->ns, name);
	const struct kt_json *data;

	if (!object) {
		if (kt_get_bool(ref, "optional", false))
			return true;
		*why = kt_strf("%s \"%s\" not found", secret ? "secret" : "configmap", name);
		return false;
	}
	data = kt_get(object->json, "data");
	for (size_t i = 0; i < kt_count(data); i++) {
		const char *text = kt_str_or(kt_at(data, i), "");
		struct kt_buf key = {0}, plain = {0};

		kt_buf_addf(&key, "%s%s", prefix, kt_key(data, i));
		if (secret && kt_unbase64(text, strlen(text), &plain))
			text = kt_buf_str(&plain);
		kt_set(env, kt_buf_str(&key), kt_json_str(text));
		kt_buf_clear(&key);
		kt_buf_clear(&plain);
	}
	return true;
}

struct kt_json *kubelet_env(struct kubelet_ctr *ctr, char **why)
{
	struct kubelet_pod *pod = ctr->pod;
	bool links = kt_get_bool(pod->spec, "enableServiceLinks", true);
	struct kt_json *env = kt_json_ref(service_env(pod->node->kubelet, pod->ns, links));
	const struct kt_json *one;

	KT_JSON_EACH (one, kt_get(ctr->spec, "envFrom")) {
		if (!add_all(pod, one, &env, why))
			goto fail;
	}
	KT_JSON_EACH (one, kt_get(ctr->spec, "env")) {
		const struct kt_json *from = kt_get(one, "valueFrom");
		const char *name = kt_str_or(kt_get(one, "name"), "");
		char *value = NULL;

		if (from && !value_from(ctr, from, &value, why))
			goto fail;
		if (!from)
			value = kubelet_expand(kt_str_or(kt_get(one, "value"), ""), env);
		if (value)
			kt_set(&env, name, kt_json_str(value));
		kt_free(value);
	}
	return env;
fail:
	kt_json_free(env);
	return NULL;
}

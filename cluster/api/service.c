/* SPDX-License-Identifier: MIT */
/* What the API server gives to Services: cluster IPs of 10.96.0.0/16, node ports 30000-32767
 * (kubernetes pkg/registry/core/service/storage/alloc.go). */
#include "cluster/api/internal.h"
#include <stdio.h>
#include <string.h>

#define FIRST_PORT 30000
#define PORTS      2768

static const struct schema_kind *service_kind(struct cluster *cluster)
{
	return schema_stored(cluster_schema(cluster), "", "Service");
}

/* --- what is taken --- */
static void port_key(char out[32], int64_t port)
{
	snprintf(out, 32, "%lld", (long long)port);
}

static void mark(struct api_state *state, const struct kt_json *service, bool taken)
{
	const struct kt_json *item, *spec = kt_get(service, "spec");
	char key[32];

	KT_JSON_EACH (item, kt_get(spec, "clusterIPs")) {
		if (kt_str(item) && !kt_streq(kt_str(item), "None"))
			api_words_set(&state->addresses, kt_str(item), taken ? "" : NULL);
	}
	KT_JSON_EACH (item, kt_get(spec, "ports")) {
		int64_t port = kt_get_int(item, "nodePort", 0);

		port_key(key, port);
		if (port)
			api_words_set(&state->ports, key, taken ? "" : NULL);
	}
	port_key(key, kt_get_int(spec, "healthCheckNodePort", 0));
	if (kt_get_int(spec, "healthCheckNodePort", 0))
		api_words_set(&state->ports, key, taken ? "" : NULL);
}

void api_service_observe(struct api_state *state, const struct store_event *event)
{
	if (!kt_streq(event->object->kind->kind, "Service") || *event->object->kind->group)
		return;
	if (event->old)
		mark(state, event->old->json, false);
	if (event->change != STORE_DELETED)
		mark(state, event->object->json, true);
}

void api_service_reset(struct api_state *state)
{
	const struct store_object *object;

	api_words_clear(&state->addresses);
	api_words_clear(&state->ports);
	STORE_EACH (object, cluster_store(state->cluster), service_kind(state->cluster), NULL)
		mark(state, object->json, true);
}

/* --- failing --- */
static bool refuse(struct api_write *write, const struct kt_json *object, const char *field,
                   const struct kt_json *value, const char *why)
{
	struct rules_errors errors = {0};

	rules_error(&errors, "FieldValueInvalid", field, value, "%s", why);
	api_fail_invalid(write->status, write->kind, kt_path_str(object, "metadata.name"), errors.causes);
	rules_errors_clear(&errors);
	return false;
}

/* --- families: the cluster has addresses of version 4 alone --- */
static bool is_free(const struct kt_json *spec);

static bool check_families(struct api_write *write, const struct kt_json *object)
{
	const struct kt_json *spec = kt_get(object, "spec"), *family,
	                     *policy = kt_get(spec, "ipFamilyPolicy");
	struct rules_errors errors = {0};
	bool fine;

	rules_validate_addresses(write->cluster, write->kind->storage, object, &errors);
	if (!kt_count(errors.causes)) {
		bool dual = kt_streq(kt_str(policy), "RequireDualStack"), free = is_free(spec);
		struct kt_json *single = kt_json_str("SingleStack"); /* what is meant where nothing is said */

		if (kt_count(kt_get(spec, "ipFamilies")) > 1 && !dual &&
		    !kt_streq(kt_str(policy), "PreferDualStack"))
			rules_error(
			        &errors, "FieldValueInvalid", "spec.ipFamilyPolicy", policy ? policy : single,
			        "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families "
			        "are specified");
		free = free || kt_count(errors.causes);
		kt_json_free(single);
		if (dual && !free)
			rules_error(&errors, "FieldValueInvalid", "spec.ipFamilyPolicy", policy,
			            "this cluster is not configured for dual-stack services");
		KT_JSON_EACH (family, kt_get(spec, "ipFamilies")) {
			char field[48];

			snprintf(field, sizeof(field), "spec.ipFamilies[%zu]", family_i);
			if (!free && !kt_streq(kt_str(family), "IPv4"))
				rules_error(&errors, "FieldValueInvalid", field, family,
				            "not configured on this cluster");
		}
	}
	fine = !kt_count(errors.causes);
	if (!fine)
		api_fail_invalid(write->status, write->kind, kt_path_str(object, "metadata.name"),
		                 errors.causes);
	rules_errors_clear(&errors);
	return fine;
}

/* --- addresses --- */
static bool in_range(const char *address)
{
	unsigned a, b, c, d;
	char rest;

	return sscanf(address, "%u.%u.%u.%u%c", &a, &b, &c, &d, &rest) == 4 && a == 10 && b == 96 &&
	       c < 256 && d < 256 && (c || d) && !(c == 255 && d == 255);
}

/* By a Service, or by an IPAddress that somebody made. */
static bool is_taken(struct cluster *cluster, const char *address)
{
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(cluster), "networking.k8s.io", "IPAddress");

	return api_words_get(&cluster_api_state(cluster)->addresses, address) ||
	       store_get(cluster_store(cluster), kind, "", address);
}

/* The upper part of the range first, as ranges of the real allocator; the seed decides. */
static void pick_address(struct api_write *write, char out[16])
{
	for (unsigned tries = 0; tries < 200000; tries++) {
		unsigned n = 257 + kt_random_below(cluster_random(write->cluster), 65534 - 257);

		snprintf(out, 16, "10.96.%u.%u", (n >> 8) & 255, n & 255);
		if (!is_taken(write->cluster, out))
			return;
	}
}

static bool take_address(struct api_write *write, struct kt_json **object)
{
	struct kt_json **spec = kt_edit(object, "spec");
	const char *asked = kt_get_str(*spec, "clusterIP");
	char address[16];

	if (kt_streq(asked, "None")) {
		kt_set(spec, "clusterIPs", kt_jsonf("['None']"));
		return true;
	}
	if (asked && *asked) {
		const struct kt_json *value = kt_get(*spec, "clusterIPs");
		struct kt_json *list = kt_count(value) ? kt_json_ref(value) : kt_jsonf("[%s]", asked);
		bool fine = true;
		char *why = NULL;

		if (!in_range(asked) && write->dry_run)
			why = kt_strf("failed to allocate IP %s: the provided IP (%s) is not in the valid "
			              "range. The range of valid IPs is 10.96.0.0/16",
			              asked, asked);
		else if (!in_range(asked))
			why = kt_strf("failed to allocate IP %s: the provided network does not match the "
			              "current range",
			              asked);
		else if (!write->dry_run && is_taken(write->cluster, asked)) /* a trial does not look */
			why = kt_strf("failed to allocate IP %s: provided IP is already allocated", asked);
		if (why)
			fine = refuse(write, *object, "spec.clusterIPs", list, why);
		else
			kt_set(kt_edit(object, "spec"), "clusterIPs", kt_json_ref(list));
		kt_free(why);
		kt_json_free(list);
		return fine;
	}
	pick_address(write, address);
	kt_set(spec, "clusterIP", kt_json_str(address));
	kt_set(spec, "clusterIPs", kt_jsonf("[%s]", address));
	return true;
}

/* --- ports --- */
static bool wants_ports(const struct kt_json *spec)
{
	const char *type = kt_str_or(kt_get(spec, "type"), "ClusterIP");

	if (kt_streq(type, "LoadBalancer"))
		return kt_get_bool(spec, "allocateLoadBalancerNodePorts", true);
	return kt_streq(type, "NodePort");
}

static int64_t pick_port(struct api_write *write, const struct kt_json *mine)
{
	const struct api_state *state = cluster_api_state(write->cluster);
	char key[32];

	for (unsigned tries = 0; tries < 50000; tries++) {
		int64_t port = FIRST_PORT + 86 + kt_random_below(cluster_random(write->cluster), PORTS - 86);

		port_key(key, port);
		if (!api_words_get(&state->ports, key) && !kt_get(mine, key))
			return port;
	}
	return 0;
}

static bool is_own_port(const struct kt_json *old, int64_t port)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, kt_path(old, "spec.ports")) {
		if (kt_get_int(item, "nodePort", 0) == port)
			return true;
	}
	return false;
}

/* A port that the manifest names is taken for this Service: `mine` holds those that it has by now. */
static bool take_port(struct api_write *write, const struct kt_json *object, size_t i, int64_t port,
                      struct kt_json **mine)
{
	const struct api_state *state = cluster_api_state(write->cluster);
	struct kt_json *value = kt_json_int(port);
	char field[48], key[32];
	bool fine = true;

	snprintf(field, sizeof(field), "spec.ports[%zu].nodePort", i);
	port_key(key, port);
	if (port < FIRST_PORT || port >= FIRST_PORT + PORTS)
		fine = refuse(
		        write, object, field, value,
		        "provided port is not in the valid range. The range of valid ports is 30000-32767");
	else if (!write->dry_run && (api_words_get(&state->ports, key) || kt_get(*mine, key)))
		fine = refuse(write, object, field, value, "provided port is already allocated");
	kt_set(mine, key, kt_json_bool(true));
	kt_json_free(value);
	return fine;
}

/* One that nobody has. */
static int64_t give_port(struct api_write *write, struct kt_json **object, size_t i, int64_t port,
                         struct kt_json **mine)
{
	char key[32];

	port = port ? port : pick_port(write, *mine);
	port_key(key, port);
	kt_set(mine, key, kt_json_bool(true));
	kt_set(kt_edit_at(kt_edit_path(object, "spec.ports"), i), "nodePort", kt_json_int(port));
	return port;
}

/* The node port that any of `ports` wants for this port of the Service. */
static int64_t wanted_port(const struct kt_json *ports, int64_t port)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, ports)
		if (kt_get_int(item, "port", 0) == port && kt_get_int(item, "nodePort", 0))
			return kt_get_int(item, "nodePort", 0);
	return 0;
}

/* The same port of the Service has the same node port, whatever the protocol (initNodePorts). */
static bool create_ports(struct api_write *write, struct kt_json **object, struct kt_json **mine)
{
	struct kt_json *given = kt_json_object(); /* by the port of the Service */
	bool fine = true, wants = wants_ports(kt_get(*object, "spec"));

	for (size_t i = 0, n = kt_count(kt_path(*object, "spec.ports")); fine && i < n; i++) {
		const struct kt_json *ports = kt_path(*object, "spec.ports"), *port = kt_at(ports, i);
		int64_t asked = kt_get_int(port, "nodePort", 0), has, number = kt_get_int(port, "port", 0);
		char key[32];

		if (!asked && !wants)
			continue;
		port_key(key, number);
		has = kt_get_int(given, key, 0);
		if (!has && (has = wanted_port(ports, number)) != 0)
			fine = take_port(write, *object, i, has, mine);
		else if (asked && asked != has)
			fine = take_port(write, *object, i, asked, mine);
		if (fine && !asked)
			has = give_port(write, object, i, has, mine);
		if (!kt_get(given, key))
			kt_set(&given, key, kt_json_int(has));
	}
	kt_json_free(given);
	return fine;
}

/* The node port that the port of this name had (patchAllocatedValues). */
static int64_t old_port(const struct kt_json *old, const struct kt_json *port)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, kt_path(old, "spec.ports")) {
		if (kt_streq(kt_str_or(kt_get(item, "name"), ""), kt_str_or(kt_get(port, "name"), "")))
			return kt_get_int(item, "nodePort", 0);
	}
	return 0;
}

static bool update_ports(struct api_write *write, struct kt_json **object, const struct kt_json *old,
                         struct kt_json **mine)
{
	bool fine = true, wants = wants_ports(kt_get(*object, "spec"));
	char key[32];

	for (size_t i = 0, n = kt_count(kt_path(*object, "spec.ports")); fine && i < n; i++) {
		const struct kt_json *port = kt_at(kt_path(*object, "spec.ports"), i);
		int64_t asked = kt_get_int(port, "nodePort", 0);

		port_key(key, asked);
		if (asked && !is_own_port(old, asked) && !kt_get(*mine, key))
			fine = take_port(write, *object, i, asked, mine);
		else if (!asked && wants)
			give_port(write, object, i, old_port(old, port), mine);
	}
	return fine;
}

static bool take_ports(struct api_write *write, struct kt_json **object, const struct kt_json *old)
{
	const char *type = kt_str_or(kt_path(*object, "spec.type"), "ClusterIP");
	struct kt_json *mine = kt_json_object();
	bool fine = true;

	if (kt_streq(type, "NodePort") || kt_streq(type, "LoadBalancer"))
		fine = old ? update_ports(write, object, old, &mine) : create_ports(write, object, &mine);
	kt_json_free(mine);
	return fine;
}

/* Neither its addresses nor its endpoints are this cluster's: it may have families that this cluster has not
 * (storage/alloc.go initIPFamilyFields). */
static bool is_free(const struct kt_json *spec)
{
	return kt_streq(kt_get_str(spec, "clusterIP"), "None") && !kt_count(kt_get(spec, "selector"));
}

static void set_families(struct kt_json **object)
{
	struct kt_json **spec = kt_edit(object, "spec");
	bool free = is_free(*spec);

	if (!kt_str_len(kt_get(*spec, "ipFamilyPolicy")))
		kt_set(spec, "ipFamilyPolicy", kt_json_str(free ? "RequireDualStack" : "SingleStack"));
	if (!kt_count(kt_get(*spec, "ipFamilies")))
		kt_set(spec, "ipFamilies", kt_jsonf("['IPv4']"));
	if (free && kt_count(kt_get(*spec, "ipFamilies")) == 1 &&
	    !kt_streq(kt_get_str(*spec, "ipFamilyPolicy"), "SingleStack")) {
		bool four = kt_streq(kt_str(kt_at(kt_get(*spec, "ipFamilies"), 0)), "IPv4");

		kt_push(kt_edit(spec, "ipFamilies"), kt_json_str(four ? "IPv6" : "IPv4"));
	}
}

static bool is_external_name(const struct kt_json *object)
{
	return kt_streq(kt_path_str(object, "spec.type"), "ExternalName");
}

static bool needs_health_port(const struct kt_json *service)
{
	return kt_streq(kt_path_str(service, "spec.type"), "LoadBalancer") &&
	       kt_streq(kt_path_str(service, "spec.externalTrafficPolicy"), "Local");
}

static bool take_health_port(struct api_write *write, struct kt_json **object)
{
	const struct kt_json *spec = kt_get(*object, "spec");
	int64_t asked = kt_get_int(spec, "healthCheckNodePort", 0);

	if (!needs_health_port(*object))
		return true;
	if (!asked) {
		kt_set_path(object, "spec.healthCheckNodePort", kt_json_int(pick_port(write, NULL)));
		return true;
	}
	if (asked >= FIRST_PORT && asked < FIRST_PORT + PORTS)
		return true;
	api_fail(write->status, 500, "InternalError",
	         "Internal error occurred: failed to allocate requested HealthCheck NodePort %lld: provided "
	         "port is not in "
	         "the valid range. The range of valid ports is 30000-32767",
	         (long long)asked);
	return false;
}

bool api_service_create(struct api_write *write, struct kt_json **object)
{
	if (!kt_get(*object, "status"))
		kt_set(object, "status", kt_jsonf("{loadBalancer: {}}"));
	if (is_external_name(*object))
		return true;
	if (!check_families(write, *object) || !take_address(write, object) ||
	    !take_ports(write, object, NULL) || !take_health_port(write, object))
		return false;
	set_families(object);
	return true;
}

static bool has_type(const struct kt_json *service, const char *type, const char *other)
{
	const char *is = kt_path_str(service, "spec.type");

	return kt_streq(is, type) || kt_streq(is, other);
}

/* What the old type needed and the new one does not goes, unless it was changed in the same update. */
static void drop_type_fields(const struct kt_json *old, struct kt_json **object)
{
	static const struct {
		const char *field, *type, *other;
	} rows[] = {
	        {"externalTrafficPolicy", "NodePort", "LoadBalancer"},
	        {"allocateLoadBalancerNodePorts", "LoadBalancer", "LoadBalancer"},
	        {"loadBalancerClass", "LoadBalancer", "LoadBalancer"},
	};

	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		const struct kt_json *was = kt_get(kt_get(old, "spec"), rows[i].field);

		if (was && has_type(old, rows[i].type, rows[i].other) &&
		    !has_type(*object, rows[i].type, rows[i].other) &&
		    kt_equal(was, kt_get(kt_get(*object, "spec"), rows[i].field)))
			kt_unset(kt_edit(object, "spec"), rows[i].field);
	}
	if (needs_health_port(old) && !needs_health_port(*object) &&
	    kt_equal(kt_path(old, "spec.healthCheckNodePort"), kt_path(*object, "spec.healthCheckNodePort")))
		kt_unset(kt_edit(object, "spec"), "healthCheckNodePort");
}

/* Who changes the first address alone means the list as well (strategy.go NormalizeClusterIPs). */
static void follow_first(const struct kt_json *old, struct kt_json **object)
{
	const char *first = kt_path_str(*object, "spec.clusterIP");
	const struct kt_json *list = kt_path(*object, "spec.clusterIPs");

	if (first && *first && kt_count(list) && !kt_streq(first, kt_str(kt_at(list, 0))) &&
	    kt_equal(list, kt_path(old, "spec.clusterIPs")))
		kt_set_path(object, "spec.clusterIPs", kt_jsonf("[%s]", first));
}

/* From and to ExternalName addresses go and come; a type that needs no ports gives them back
 * (strategy.go dropTypeDependentFields). */
bool api_service_update(struct api_write *write, const struct kt_json *old, struct kt_json **object)
{
	static const char *const addresses[] = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"};
	bool external = is_external_name(*object), ports_before = wants_ports(kt_get(old, "spec"));
	const struct kt_json *item;

	if (external && !is_external_name(old)) {
		for (size_t i = 0; i < KT_COUNT(addresses); i++) {
			if (kt_equal(kt_get(kt_get(old, "spec"), addresses[i]),
			             kt_get(kt_get(*object, "spec"), addresses[i])))
				kt_unset(kt_edit(object, "spec"), addresses[i]);
		}
	} else if (!external && !is_external_name(old)) {
		/* what a manifest does not repeat stays (patchAllocatedValues) */
		for (size_t i = 0; i < KT_COUNT(addresses); i++) {
			const struct kt_json *was = kt_get(kt_get(old, "spec"), addresses[i]);

			if (was && !kt_count(kt_get(kt_get(*object, "spec"), addresses[i])) &&
			    !kt_str_len(kt_get(kt_get(*object, "spec"), addresses[i])))
				kt_set(kt_edit(object, "spec"), addresses[i], kt_json_ref(was));
		}
	}
	if (ports_before && !wants_ports(kt_get(*object, "spec"))) {
		size_t i = 0;

		KT_JSON_EACH (item, kt_path(old, "spec.ports")) {
			int64_t port = kt_get_int(item, "nodePort", 0);

			if (port && i < kt_count(kt_path(*object, "spec.ports")) &&
			    kt_get_int(kt_at(kt_path(*object, "spec.ports"), i), "nodePort", 0) == port)
				kt_unset(kt_edit_at(kt_edit_path(object, "spec.ports"), i), "nodePort");
			i++;
		}
	}
	drop_type_fields(old, object);
	if (external)
		return true;
	follow_first(old, object);
	if (!check_families(write, *object))
		return false;
	if (is_external_name(old)) {
		if (!take_address(write, object))
			return false;
		set_families(object);
	}
	return take_ports(write, object, old) && take_health_port(write, object);
}

/* --- an IPAddress for each cluster IP (registry/core/service/ipallocator) --- */
static bool has_address(const struct kt_json *service, const char *address)
{
	const struct kt_json *item;

	KT_JSON_EACH (item, kt_path(service, "spec.clusterIPs")) {
		if (kt_streq(kt_str(item), address))
			return true;
	}
	return false;
}

void api_service_settle(struct cluster *cluster, const struct kt_json *old, const struct kt_json *service)
{
	static const struct api_actor server = {
	        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};
	const struct api_delete_options now = {.grace = -1};
	const struct schema_kind *kind =
	        schema_stored(cluster_schema(cluster), "networking.k8s.io", "IPAddress");
	const struct kt_json *item;

	KT_JSON_EACH (item, kt_path(old, "spec.clusterIPs")) {
		if (!kt_streq(kt_str(item), "None") && !has_address(service, kt_str(item)))
			(void)api_delete(cluster, &server, kind, "", kt_str(item), &now, NULL);
	}
	KT_JSON_EACH (item, kt_path(service, "spec.clusterIPs")) {
		if (kt_streq(kt_str(item), "None") || has_address(old, kt_str(item)))
			continue;
		(void)api_create(
		        cluster, &server, kind,
		        kt_jsonf("{metadata: {name: %s, labels: {'ipaddress.kubernetes.io/ip-family': "
		                 "'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io'}}, "
		                 "spec: {parentRef: {resource: 'services', namespace: %s, name: %s}}}",
		                 kt_str(item), kt_path_str(service, "metadata.namespace"),
		                 kt_path_str(service, "metadata.name")),
		        NULL);
	}
}

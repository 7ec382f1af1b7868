/* SPDX-License-Identifier: MIT */
/* Cells of Services, endpoints and Ingresses. */
#include "cluster/schema/cells_internal.h"

#include <string.h>

enum { SHOWN = 3 };

struct kt_json *cell_service_cluster_ip(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *ip = kt_at(kt_get(from->spec, "clusterIPs"), 0);
	return ip ? kt_json_ref(ip) : kt_json_str("<none>");
}

/* Addresses or host names of a load balancer, each once, in order. */
static void balancer_addresses(const struct kt_json *status, struct kt_strs *out)
{
	const struct kt_json *ingress;
	KT_JSON_EACH (ingress, kt_get(kt_get(status, "loadBalancer"), "ingress")) {
		const char *ip = kt_get_str(ingress, "ip"), *host = kt_get_str(ingress, "hostname");
		const char *address = ip && *ip ? ip : host;
		if (address && *address && !kt_strs_has(out, address))
			kt_strs_add(out, address);
	}
	kt_strs_sort(out);
}

static struct kt_json *join(struct kt_strs *list, const char *otherwise)
{
	struct kt_buf buf = {0};
	for (size_t i = 0; i < list->count; i++)
		kt_buf_addf(&buf, "%s%s", i ? "," : "", list->items[i]);
	kt_strs_clear(list);
	return buf.len ? cell_take(&buf) : kt_json_str(otherwise);
}

struct kt_json *cell_service_external_ip(const struct cell_source *from, const char *path)
{
	(void)path;
	const char *type = kt_str_or(kt_get(from->spec, "type"), "");
	struct kt_strs list = {0};
	const struct kt_json *ip;
	if (!strcmp(type, "ExternalName"))
		return kt_json_str(kt_str_or(kt_get(from->spec, "externalName"), ""));
	bool balancer = !strcmp(type, "LoadBalancer");
	if (!balancer && strcmp(type, "ClusterIP") != 0 && strcmp(type, "NodePort") != 0)
		return kt_json_str("<unknown>");
	if (balancer)
		balancer_addresses(from->status, &list);
	KT_JSON_EACH (ip, kt_get(from->spec, "externalIPs"))
		kt_strs_add(&list, kt_str_or(ip, ""));
	return join(&list, balancer ? "<pending>" : "<none>");
}

struct kt_json *cell_service_ports(const struct cell_source *from, const char *path)
{
	(void)path;
	struct kt_buf buf = {0};
	const struct kt_json *port;
	KT_JSON_EACH (port, kt_get(from->spec, "ports")) {
		int64_t node = kt_get_int(port, "nodePort", 0);
		kt_buf_addf(&buf, "%s%lld", buf.len ? "," : "", (long long)kt_get_int(port, "port", 0));
		if (node > 0)
			kt_buf_addf(&buf, ":%lld", (long long)node);
		kt_buf_addf(&buf, "/%s", kt_str_or(kt_get(port, "protocol"), ""));
	}
	return buf.len ? cell_take(&buf) : kt_json_str("<none>");
}

/* A list of which the first few are shown. */
struct some {
	struct kt_buf text;
	size_t shown, count;
};

static void add_some(struct some *some, const char *word)
{
	some->count++;
	if (some->shown == SHOWN)
		return;
	kt_buf_addf(&some->text, "%s%s", some->shown ? "," : "", word);
	some->shown++;
}

static struct kt_json *take_some(struct some *some, const char *otherwise)
{
	if (some->count > some->shown)
		kt_buf_addf(&some->text, " + %zu more...", some->count - SHOWN);
	return some->text.len ? cell_take(&some->text) : kt_json_str(otherwise);
}

static void add_address(struct some *some, const struct kt_json *address, const struct kt_json *port)
{
	const char *ip = kt_str_or(kt_get(address, "ip"), "");
	bool six = strchr(ip, ':') != NULL;
	char *word = port ? kt_strf("%s%s%s:%lld", six ? "[" : "", ip, six ? "]" : "",
	                            (long long)kt_get_int(port, "port", 0))
	                  : kt_strdup(ip);
	add_some(some, word);
	kt_free(word);
}

struct kt_json *cell_endpoints(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *subset, *address;
	struct some some = {{0}, 0, 0};
	if (!kt_count(kt_get(from->object, "subsets")))
		return kt_json_str("<none>");
	KT_JSON_EACH (subset, kt_get(from->object, "subsets")) {
		const struct kt_json *ports = kt_get(subset, "ports");
		for (size_t i = 0; i < (kt_count(ports) ? kt_count(ports) : 1); i++)
			KT_JSON_EACH (address, kt_get(subset, "addresses"))
				add_address(&some, address, kt_at(ports, i));
	}
	return take_some(&some, "");
}

struct kt_json *cell_slice_ports(const struct cell_source *from, const char *path)
{
	(void)path;
	struct some some = {{0}, 0, 0};
	const struct kt_json *port;
	KT_JSON_EACH (port, kt_get(from->object, "ports")) {
		const struct kt_json *number = kt_get(port, "port"), *name = kt_get(port, "name");
		char *word = number ? kt_strf("%lld", (long long)kt_int_or(number, 0))
		                    : kt_strdup(name ? kt_str_or(name, "") : "*");
		add_some(&some, word);
		kt_free(word);
	}
	return take_some(&some, "<unset>");
}

struct kt_json *cell_slice_endpoints(const struct cell_source *from, const char *path)
{
	(void)path;
	struct some some = {{0}, 0, 0};
	const struct kt_json *endpoint, *address;
	KT_JSON_EACH (endpoint, kt_get(from->object, "endpoints"))
		KT_JSON_EACH (address, kt_get(endpoint, "addresses"))
			add_some(&some, kt_str_or(address, ""));
	return take_some(&some, "<unset>");
}

struct kt_json *cell_ingress_hosts(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *rules = kt_get(from->spec, "rules"), *rule;
	struct kt_buf buf = {0};
	size_t shown = 0;
	bool more = false;
	KT_JSON_EACH (rule, rules) {
		const char *host = kt_str_or(kt_get(rule, "host"), "");
		more = more || shown == SHOWN;
		if (more || !*host)
			continue;
		kt_buf_addf(&buf, "%s%s", shown++ ? "," : "", host);
	}
	if (more)
		kt_buf_addf(&buf, " + %zu more...", kt_count(rules) - SHOWN);
	return shown ? cell_take(&buf) : kt_json_str("*");
}

struct kt_json *cell_ingress_address(const struct cell_source *from, const char *path)
{
	(void)path;
	struct kt_strs list = {0};
	balancer_addresses(from->status, &list);
	return join(&list, "");
}

struct kt_json *cell_ingress_ports(const struct cell_source *from, const char *path)
{
	(void)path;
	return kt_json_str(kt_count(kt_get(from->spec, "tls")) ? "80, 443" : "80");
}

struct kt_json *cell_ingress_class_parameters(const struct cell_source *from, const char *path)
{
	(void)path;
	const struct kt_json *parameters = kt_get(from->spec, "parameters"),
	                     *group = kt_get(parameters, "apiGroup");
	if (!parameters)
		return kt_json_str("<none>");
	return kt_json_strf("%s%s%s/%s", kt_str_or(kt_get(parameters, "kind"), ""), group ? "." : "",
	                    kt_str_or(group, ""), kt_str_or(kt_get(parameters, "name"), ""));
}

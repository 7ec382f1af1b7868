/* SPDX-License-Identifier: MIT */
/* Names that customers type: which Ingress, or which Gateway, answers to a host. */
#include "checker/checker_internal.h"

#include <string.h>

static bool host_fits(const char *rule, const char *host)
{
	const char *dot = strchr(host, '.');
	return kt_streq(rule, host) || (kt_starts(rule, "*.") && dot && kt_streq(rule + 1, dot));
}

/* The first of `items` (Ingresses or HTTPRoutes) that knows the host. */
static const struct kt_json *knows_host(const struct kt_json *items, const char *host)
{
	const struct kt_json *item, *rule;
	KT_JSON_EACH (item, items) {
		KT_JSON_EACH (rule, kt_path(item, "spec.rules"))
			if (kt_get_str(rule, "host") && host_fits(kt_get_str(rule, "host"), host))
				return item;
		KT_JSON_EACH (rule, kt_path(item, "spec.hostnames"))
			if (kt_str(rule) && host_fits(kt_str(rule), host))
				return item;
	}
	return NULL;
}

const char *check_edge_address(const struct check_edge *edge)
{
	const struct kt_json *object = edge->door, *at = kt_path(object, "status.loadBalancer.ingress.0");
	const char *ip = kt_get_str(at, "ip");
	return ip                           ? ip
	       : kt_get_str(at, "hostname") ? kt_get_str(at, "hostname")
	                                    : kt_path_str(object, "status.addresses.0.value");
}

/* The Gateway that an HTTPRoute hangs on. New; NULL: none. */
static struct kt_json *gateway_of(const struct check_run *run, const struct kt_json *route)
{
	const char *name = kt_path_str(route, "spec.parentRefs.0.name");
	char *words = kt_strf("gateways.gateway.networking.k8s.io %s",
	                      kt_str_or(kt_path(route, "spec.parentRefs.0.namespace"),
	                                kt_str_or(kt_path(route, "metadata.namespace"), "default")));
	struct kt_json *gateways = NULL, *out = NULL;
	const struct kt_json *gateway;
	if (!check_list_words(run, words, &gateways, NULL))
		KT_JSON_EACH (gateway, gateways)
			if (!out && kt_streq(kt_path_str(gateway, "metadata.name"), name))
				out = kt_json_ref(gateway);
	kt_json_free(gateways);
	kt_free(words);
	return out;
}

enum kt_code check_edge_find(const struct check_run *run, const char *host, struct check_edge *out)
{
	static const char *const edges[] = {"ingresses.networking.k8s.io all",
	                                    "httproutes.gateway.networking.k8s.io all"};
	for (size_t i = 0; i < KT_COUNT(edges); i++) {
		struct kt_json *items = NULL;
		const struct kt_json *rules =
		        check_list_words(run, edges[i], &items, NULL) ? NULL : knows_host(items, host);
		if (rules) {
			out->rules = kt_json_ref(rules);
			out->door = i ? gateway_of(run, rules) : kt_json_ref(rules);
			out->is_gateway = i > 0;
		}
		kt_json_free(items);
		if (rules)
			return KT_OK;
	}
	return KT_ENOTFOUND;
}

void check_edge_clear(struct check_edge *edge)
{
	kt_json_freep(&edge->rules);
	kt_json_freep(&edge->door);
}

enum kt_code check_edge_words(const struct check_run *run, const char *words, char **out, struct kt_err *err)
{
	struct check_edge edge = {0};
	if (!kt_starts(words, "host ")) {
		*out = kt_strdup(words);
		return KT_OK;
	}
	const char *host = words + strlen("host ");
	if (check_edge_find(run, host, &edge) || !edge.door) {
		check_edge_clear(&edge);
		return kt_fail(err, KT_ENOTFOUND, "no Ingress and no HTTPRoute knows the host %s", host);
	}
	*out = kt_strf("%s %s/%s", edge.is_gateway ? "gateway" : "ingress",
	               kt_str_or(kt_path(edge.door, "metadata.namespace"), "default"),
	               kt_str_or(kt_path(edge.door, "metadata.name"), ""));
	check_edge_clear(&edge);
	return KT_OK;
}

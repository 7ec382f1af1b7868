/* SPDX-License-Identifier: MIT */
/* Rules from objects, their order, and which one a request meets. What becomes of the request then:
 * route_filter.c. */
#include "base/regex.h"
#include "cluster/network/network.h"
#include "cluster/network/route_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NGINX "nginx.ingress.kubernetes.io/"

/* --- rules --- */
static struct route_rule *rule_add(struct route_table *table, const struct kt_json *object)
{
	table->rules = kt_grow(table->rules, &table->cap, table->count + 1, sizeof(*table->rules));
	struct route_rule *rule = &table->rules[table->count];
	*rule = (struct route_rule){.object = kt_json_ref(object), .order = table->count, .path = "/"};
	table->count++;
	return rule;
}

void route_clear(struct route_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		kt_json_free(table->rules[i].object);
		kt_json_free(table->rules[i].own);
	}
	kt_free(table->rules);
	*table = (struct route_table){0};
}

const char *route_note(const struct route_rule *rule, const char *name)
{
	char *key = kt_strf(NGINX "%s", name);
	const char *value = kt_get_str(rule->notes, key);
	kt_free(key);
	return value;
}

static bool note_is(const struct kt_json *notes, const char *name)
{
	return kt_streq(kt_get_str(notes, name), "true");
}

static void ingress_rule(struct route_table *table, const struct kt_json *ingress, const char *host,
                         const struct kt_json *path, const struct kt_json *backend)
{
	static const struct {
		const char *name;
		enum route_path type;
	} types[] = {
	        {"Exact", ROUTE_EXACT}, {"Prefix", ROUTE_PREFIX}, {"ImplementationSpecific", ROUTE_TEXT}};
	const struct kt_json *notes = kt_path(ingress, "metadata.annotations");
	struct route_rule *rule = rule_add(table, ingress);
	rule->ingress = true;
	rule->host = host && *host ? host : NULL;
	rule->path = kt_str_or(kt_get(path, "path"), "/");
	rule->last = !path;
	rule->notes = notes;
	rule->is_canary = note_is(notes, NGINX "canary");
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		if (kt_streq(kt_get_str(path, "pathType"), types[i].name))
			rule->type = types[i].type;
	}
	/* one regular expression makes all paths of the Ingress such */
	if (path && (note_is(notes, NGINX "use-regex") || kt_get(notes, NGINX "rewrite-target")) &&
	    rule->type != ROUTE_EXACT)
		rule->type = ROUTE_REGEX;
	const struct kt_json *service = kt_get(backend, "service"), *port = kt_path(service, "port.number");
	rule->own = kt_jsonf("[{name: %s, port: %J, weight: 1}]", kt_get_str(service, "name"),
	                     port ? port : kt_path(service, "port.name"));
	rule->backends = rule->own;
}

void route_add_ingress(struct route_table *table, const struct kt_json *ingress)
{
	const struct kt_json *spec = kt_get(ingress, "spec"), *rule, *path;
	KT_JSON_EACH (rule, kt_get(spec, "rules")) {
		KT_JSON_EACH (path, kt_path(rule, "http.paths"))
			ingress_rule(table, ingress, kt_get_str(rule, "host"), path, kt_get(path, "backend"));
		/* a host without paths: all of it goes to the default backend */
		if (!kt_count(kt_path(rule, "http.paths")) && kt_get(spec, "defaultBackend"))
			ingress_rule(table, ingress, kt_get_str(rule, "host"), NULL,
			             kt_get(spec, "defaultBackend"));
	}
	if (kt_get(spec, "defaultBackend"))
		ingress_rule(table, ingress, NULL, NULL, kt_get(spec, "defaultBackend"));
}

static void http_rule(struct route_table *table, const struct kt_json *route, const struct kt_json *rule,
                      const struct kt_json *match, const char *host, unsigned port)
{
	static const struct {
		const char *name;
		enum route_path type;
	} types[] = {
	        {"Exact", ROUTE_EXACT}, {"PathPrefix", ROUTE_PREFIX}, {"RegularExpression", ROUTE_REGEX}};
	struct route_rule *r = rule_add(table, route);
	r->host = host && *host ? host : NULL;
	r->port = port;
	r->path = kt_str_or(kt_path(match, "path.value"), "/");
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		if (kt_streq(kt_path_str(match, "path.type"), types[i].name))
			r->type = types[i].type;
	}
	r->method = kt_get(match, "method");
	r->headers = kt_get(match, "headers");
	r->queries = kt_get(match, "queryParams");
	r->backends = kt_get(rule, "backendRefs");
	r->filters = kt_get(rule, "filters");
	r->timeouts = kt_get(rule, "timeouts");
}

void route_add_http_route(struct route_table *table, const struct kt_json *route, const char *hostname,
                          unsigned port)
{
	const struct kt_json *hosts = kt_path(route, "spec.hostnames"), *rule, *match;
	size_t host_count = KT_MAX(kt_count(hosts), (size_t)1);
	for (size_t h = 0; h < host_count; h++) {
		const char *host = route_host_meet(hostname, kt_str(kt_at(hosts, h)));
		if (!host)
			continue;
		KT_JSON_EACH (rule, kt_path(route, "spec.rules")) {
			const struct kt_json *matches = kt_get(rule, "matches");
			KT_JSON_EACH (match, matches)
				http_rule(table, route, rule, match, host, port);
			if (!kt_count(matches))
				http_rule(table, route, rule, NULL, host, port);
		}
	}
}

/* --- hosts --- */
bool route_host_fits(const char *pattern, const char *host, bool one)
{
	if (!pattern || !*pattern)
		return true;
	size_t len = host ? strcspn(host, ":") : 0, want = strlen(pattern);
	if (!kt_starts(pattern, "*."))
		return len == want && !strncasecmp(pattern, host, len);
	const char *rest = pattern + 1;
	want--;
	if (len <= want || strncasecmp(host + len - want, rest, want) != 0)
		return false;
	return !one || !memchr(host, '.', len - want);
}

const char *route_host_meet(const char *listener, const char *route)
{
	if (!route || !*route)
		return listener ? listener : "";
	if (!listener || !*listener || kt_streq(listener, route))
		return route;
	if (kt_starts(listener, "*.") &&
	    (kt_starts(route, "*.") ? kt_ends(route, listener + 1) : route_host_fits(listener, route, false)))
		return route;
	if (kt_starts(route, "*.") && route_host_fits(route, listener, false))
		return listener;
	return NULL;
}

/* --- order: the narrower first --- */
static int host_rank(const struct route_rule *rule)
{
	if (!rule->host)
		return 0;
	int length = (int)strlen(rule->host);
	return kt_starts(rule->host, "*.") ? length : 1000 + length;
}

static int narrower(long long a, long long b)
{
	return (a < b) - (a > b);
}

static int compare(const void *x, const void *y)
{
	const struct route_rule *a = x, *b = y;
	int by = narrower(host_rank(a), host_rank(b));
	if (!by)
		by = narrower(!a->last, !b->last);
	if (!by) /* Gateway: an exact path first of all; Ingress: at equal length */
		by = a->ingress ? narrower((long long)strlen(a->path), (long long)strlen(b->path))
		                : narrower(a->type == ROUTE_EXACT, b->type == ROUTE_EXACT);
	if (!by)
		by = a->ingress ? narrower(a->type == ROUTE_EXACT, b->type == ROUTE_EXACT)
		                : narrower((long long)strlen(a->path), (long long)strlen(b->path));
	if (!by)
		by = narrower(a->method != NULL, b->method != NULL);
	if (!by)
		by = narrower((long long)kt_count(a->headers), (long long)kt_count(b->headers));
	if (!by)
		by = narrower((long long)kt_count(a->queries), (long long)kt_count(b->queries));
	if (!by) { /* the older object wins */
		const char *born_a = kt_str_or(kt_path(a->object, "metadata.creationTimestamp"), ""),
		           *born_b = kt_str_or(kt_path(b->object, "metadata.creationTimestamp"), "");
		by = strcmp(born_a, born_b);
	}
	return by ? by : narrower((long long)b->order, (long long)a->order);
}

/* A canary Ingress has no rules of its own: it stands beside the rule of the same host and path. */
static void pair_canaries(struct route_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct route_rule *main = &table->rules[i];
		for (size_t k = 0; k < table->count && main->ingress && !main->is_canary; k++) {
			struct route_rule *canary = &table->rules[k];
			if (!main->canary && canary->is_canary && kt_streq(main->host, canary->host) &&
			    kt_streq(main->path, canary->path) && main->last == canary->last)
				main->canary = canary;
		}
	}
}

void route_sort(struct route_table *table)
{
	if (table->count)
		qsort(table->rules, table->count, sizeof(*table->rules), compare);
	pair_canaries(table);
}

/* --- matching --- */
static bool regex_fits(const char *pattern, const char *text)
{
	regex_t regex;
	if (!kt_regex(pattern, REG_NOSUB, &regex))
		return false;
	bool fits = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return fits;
}

/* "/shop" fits /shop and /shop/x, not /shopping. */
static bool prefix_fits(const char *prefix, const char *path)
{
	size_t len = strlen(prefix);
	while (len && prefix[len - 1] == '/')
		len--;
	return !strncmp(prefix, path, len) && (!path[len] || path[len] == '/');
}

static bool path_fits(const struct route_rule *rule, const char *whole)
{
	char *path = kt_strndup(whole, strcspn(whole, "?")), *anchored;
	bool fits = false;
	switch (rule->type) {
	case ROUTE_EXACT:
		fits = !strcmp(rule->path, path);
		break;
	case ROUTE_PREFIX:
		fits = prefix_fits(rule->path, path);
		break;
	case ROUTE_TEXT:
		fits = kt_starts(path, rule->path);
		break;
	case ROUTE_REGEX:
		anchored = kt_strf("^%s", rule->path);
		fits = regex_fits(anchored, path);
		kt_free(anchored);
		break;
	}
	kt_free(path);
	return fits;
}

static bool value_fits(const struct kt_json *match, const char *value)
{
	const char *want = kt_str_or(kt_get(match, "value"), "");
	if (!value)
		return false;
	return kt_streq(kt_get_str(match, "type"), "RegularExpression") ? regex_fits(want, value)
	                                                                : !strcmp(want, value);
}

static char *query_value(const char *path, const char *name)
{
	const char *rest = strchr(path, '?');
	size_t len, want = strlen(name);
	rest = rest ? rest + 1 : NULL;
	for (const char *pair; rest && (pair = kt_split(&rest, '&', &len));) {
		if (len > want && !strncmp(pair, name, want) && pair[want] == '=')
			return kt_strndup(pair + want + 1, len - want - 1);
	}
	return NULL;
}

bool route_rule_fits(const struct route_rule *rule, const struct route_request *request)
{
	const struct kt_json *item;
	if (rule->is_canary || (rule->port && request->port && rule->port != request->port) ||
	    !route_host_fits(rule->host, request->host, rule->ingress) ||
	    !(rule->last || path_fits(rule, request->path)) ||
	    (rule->method && !kt_streq(kt_str(rule->method), request->method)))
		return false;
	KT_JSON_EACH (item, rule->headers) {
		if (!value_fits(item, network_header(request->headers, kt_str_or(kt_get(item, "name"), ""))))
			return false;
	}
	KT_JSON_EACH (item, rule->queries) {
		char *value = query_value(request->path, kt_str_or(kt_get(item, "name"), ""));
		bool fits = value_fits(item, value);
		kt_free(value);
		if (!fits)
			return false;
	}
	return true;
}

/* --- shares --- */
static const char *cookie(const struct kt_json *headers, const char *name, char out[64])
{
	const char *rest = network_header(headers, "Cookie");
	size_t len, want = strlen(name);
	for (const char *pair; rest && (pair = kt_split(&rest, ';', &len));) {
		while (len && *pair == ' ')
			pair++, len--;
		if (len <= want || strncmp(pair, name, want) != 0 || pair[want] != '=' || len - want > 63)
			continue;
		memcpy(out, pair + want + 1, len - want - 1);
		out[len - want - 1] = '\0';
		return out;
	}
	return NULL;
}

/* What a request gets of the canary: by header, then by cookie, then by weight. */
static double canary_share(const struct route_rule *canary, const struct route_request *request)
{
	const char *header = route_note(canary, "canary-by-header"),
	           *value = route_note(canary, "canary-by-header-value"),
	           *pattern = route_note(canary, "canary-by-header-pattern"),
	           *cookie_name = route_note(canary, "canary-by-cookie"),
	           *weight = route_note(canary, "canary-weight"),
	           *total = route_note(canary, "canary-weight-total");
	const char *given = header ? network_header(request->headers, header) : NULL;
	char crumb[64];
	if (given && value) {
		if (!strcmp(given, value))
			return 1;
	} else if (given && pattern) {
		if (regex_fits(pattern, given))
			return 1;
	} else if (given && (!strcmp(given, "always") || !strcmp(given, "never"))) {
		return given[0] == 'a';
	}
	given = cookie_name ? cookie(request->headers, cookie_name, crumb) : NULL;
	if (given && (!strcmp(given, "always") || !strcmp(given, "never")))
		return given[0] == 'a';
	double of = total ? strtod(total, NULL) : 100, part = weight ? strtod(weight, NULL) : 0;
	return of > 0 ? KT_MIN(KT_MAX(part / of, 0), 1) : 0;
}

static bool is_service(const struct kt_json *backend)
{
	return kt_streq(kt_str_or(kt_get(backend, "kind"), "Service"), "Service") &&
	       !*kt_str_or(kt_get(backend, "group"), "");
}

static void add_targets(const struct route_rule *rule, double part, struct route_answer *out)
{
	const struct kt_json *backend;
	const char *home = kt_str_or(kt_path(rule->object, "metadata.namespace"), "default");
	double sum = 0;
	KT_JSON_EACH (backend, rule->backends)
		sum += (double)kt_get_int(backend, "weight", 1);
	KT_JSON_EACH (backend, rule->backends) {
		double weight = (double)kt_get_int(backend, "weight", 1);
		if (weight <= 0 || part <= 0 || out->count == ROUTE_TARGETS)
			continue;
		out->targets[out->count++] = (struct route_target){
		        .ns = kt_str_or(kt_get(backend, "namespace"), home),
		        .service = is_service(backend) ? kt_get_str(backend, "name") : NULL,
		        .port = kt_get(backend, "port"),
		        .filters = kt_get(backend, "filters"),
		        .share = part * weight / sum};
	}
}

void route_find(const struct route_table *table, const struct route_request *request,
                struct route_answer *out)
{
	const struct route_rule *rule = NULL;
	*out = (struct route_answer){.kind = ROUTE_NONE, .status = 404};
	for (size_t i = 0; i < table->count && !rule; i++) {
		if (route_rule_fits(&table->rules[i], request))
			rule = &table->rules[i];
	}
	if (!rule)
		return;
	out->kind = ROUTE_FORWARD;
	out->kind_name = rule->ingress ? "ingress" : "httproute";
	out->ns = kt_path_str(rule->object, "metadata.namespace");
	out->name = kt_path_str(rule->object, "metadata.name");
	route_filter(rule, request, out);
	if (out->kind != ROUTE_FORWARD)
		return;
	double canary = rule->canary ? canary_share(rule->canary, request) : 0;
	add_targets(rule, 1 - canary, out);
	if (rule->canary)
		add_targets(rule->canary, canary, out);
	if (!out->count) { /* no backend, or none with a weight: Gateway API wants a 500 */
		out->kind = ROUTE_STATUS;
		out->status = rule->ingress ? 503 : 500;
	}
}

size_t route_count(const struct route_table *table)
{
	return table->count;
}

void route_all(const struct route_table *table, size_t i, struct route_answer *out)
{
	*out = (struct route_answer){.kind = ROUTE_FORWARD};
	add_targets(&table->rules[i], 1, out);
}

void route_answer_clear(struct route_answer *answer)
{
	kt_free(answer->location);
	kt_free(answer->path);
	kt_free(answer->host);
	*answer = (struct route_answer){0};
}

/* SPDX-License-Identifier: MIT */
#include "cluster/network/balancer.h"
#include "cluster/network/network_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

/* What CoreDNS answers with its kubernetes plugin (specification: kubernetes/dns docs/specification.md), and
 * what a resolver asks it, following the pod's search list. */
enum { MAX_LABELS = 20 };

struct labels {
	char text[256];
	char *items[MAX_LABELS];
	size_t count;
};

static bool split(const char *name, struct labels *out)
{
	size_t len = strlen(name);
	*out = (struct labels){.count = 0};
	if (len && name[len - 1] == '.')
		len--;
	if (!len || len > 253)
		return false;
	for (size_t i = 0; i < len; i++)
		out->text[i] = (char)tolower((unsigned char)name[i]);
	char *at = out->text;
	for (;;) {
		char *dot = strchr(at, '.');
		if (out->count == MAX_LABELS || at == dot || !*at)
			return false;
		out->items[out->count++] = at;
		if (!dot)
			return true;
		*dot = '\0';
		at = dot + 1;
	}
}

static char *dashed(const char *address)
{
	char *text = kt_strdup(address);
	for (char *c = text; *c; c++)
		*c = *c == '.' ? '-' : *c;
	return text;
}

static bool undashed(const char *text, struct kt_buf *out)
{
	uint32_t ip;
	for (; *text; text++)
		kt_buf_addc(out, *text == '-' ? '.' : *text);
	kt_buf_adds(out, "");
	return parse_ipv4(out->data, &ip);
}

/* Endpoints that a headless Service shows: ready ones (the controller has put publishNotReadyAddresses into
 * ready). */
static bool headless(struct network *network, const struct service *service, const char *host,
                     struct kt_strs *out)
{
	struct endpoints all = {0};
	bool found = false;
	endpoints_of(network, service->ns, service->name, NULL, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct endpoint *e = &all.items[i];
		if (!e->ready)
			continue;
		char *dash = dashed(e->address);
		bool fits = !host || kt_streq(e->host_name ? e->host_name : dash, host);
		if (fits && !kt_strs_has(out, e->address))
			kt_strs_add(out, e->address);
		found = found || fits;
		kt_free(dash);
	}
	kt_free(all.items);
	return found;
}

static bool is_headless(const struct service *service)
{
	return kt_streq(kt_get_str(service->spec, "clusterIP"), "None");
}

static bool external(const struct labels *labels, struct kt_strs *out)
{
	/* domains that are there in the outside world; whatever else ends a name is not */
	static const char *const tops[] = {"com", "net", "org", "io", "dev",   "app", "de", "uk", "eu", "fr",
	                                   "nl",  "ch",  "at",  "us", "ca",    "au",  "jp", "cn", "in", "br",
	                                   "es",  "it",  "pl",  "se", "cloud", "ai",  "co", "me", "tv", "gov",
	                                   "edu", "int", "sh",  "so", "info",  "biz", "xyz"};
	const char *top = labels->items[labels->count - 1];
	bool known = false;
	for (size_t i = 0; i < KT_COUNT(tops); i++)
		known = known || !strcmp(top, tops[i]);
	if (labels->count < 2 || !known)
		return false;
	uint64_t hash = 1469598103934665603u;
	for (size_t i = 0; i < labels->count; i++) {
		if (strstr(labels->items[i], "no-such") || strstr(labels->items[i], "nonexist") ||
		    strstr(labels->items[i], "does-not-exist") || strstr(labels->items[i], "doesnotexist"))
			return false;
		hash = hash * 1099511628211u ^ kt_hash(labels->items[i], strlen(labels->items[i]));
	}
	char *address = kt_strf("198.51.100.%u", (unsigned)(hash % 254) + 1);
	kt_strs_add(out, address);
	kt_free(address);
	return true;
}

/* Names that the cluster itself publishes. */
static bool published(struct cluster *cluster, const char *name, struct kt_strs *out)
{
	size_t len = strlen(name);
	char *host = kt_strndup(name, len && name[len - 1] == '.' ? len - 1 : len);
	bool found = balancer_names(cluster, host, out);
	kt_free(host);
	return found;
}

/* SRV: "_http._tcp.web.shop" with headless endpoints or the cluster address. */
static bool srv(struct network *network, const struct service *service, const char *port_label,
                struct kt_strs *out)
{
	const struct kt_json *port, *found = NULL;
	KT_JSON_EACH (port, kt_get(service->spec, "ports")) {
		if (!port_label || kt_streq(kt_get_str(port, "name"), port_label))
			found = found ? found : port;
	}
	if (!found)
		return false;
	if (!is_headless(service)) {
		kt_strs_steal(out,
		              kt_strf("0 100 %lld %s.%s.svc.cluster.local.",
		                      (long long)kt_get_int(found, "port", 0), service->name, service->ns));
		return true;
	}
	struct endpoints all = {0};
	endpoints_of(network, service->ns, service->name, kt_get_str(found, "name"), &all);
	for (size_t i = 0; i < all.count; i++) {
		char *dash = dashed(all.items[i].address);
		if (all.items[i].ready)
			kt_strs_steal(out, kt_strf("0 %zu %u %s.%s.%s.svc.cluster.local.", 100 / all.count,
			                           all.items[i].port,
			                           all.items[i].host_name ? all.items[i].host_name : dash,
			                           service->name, service->ns));
		kt_free(dash);
	}
	kt_free(all.items);
	return out->count > 0;
}

/* The name of an address, D.C.B.A.in-addr.arpa: of a Service, else of endpoints. */
static bool reverse(struct cluster *cluster, const struct labels *l, struct kt_strs *out)
{
	char address[64];
	if (l->count != 6 || strcmp(l->items[4], "in-addr") != 0 || strcmp(l->items[5], "arpa") != 0)
		return false;
	snprintf(address, sizeof(address), "%s.%s.%s.%s", l->items[3], l->items[2], l->items[1], l->items[0]);
	const struct store_object *object;
	STORE_EACH (object, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_SERVICE], NULL) {
		if (kt_streq(kt_path_str(object->json, "spec.clusterIP"), address))
			kt_strs_steal(out, kt_strf("%s.%s.svc.cluster.local", object->name, object->ns));
	}
	return out->count > 0;
}

/* One absolute name. `type` "A", "SRV", "CNAME", "TXT" or "PTR". */
bool dns_lookup(struct cluster *cluster, const char *name, const char *type, struct kt_strs *out,
                char **canonical)
{
	struct network *network = network_of(cluster);
	struct labels l;
	if (!split(name, &l))
		return false;
	if (kt_streq(type, "PTR"))
		return reverse(cluster, &l, out);
	bool cluster_name = l.count >= 3 && !strcmp(l.items[l.count - 1], "local") &&
	                    !strcmp(l.items[l.count - 2], "cluster");
	if (!cluster_name)
		return kt_streq(type, "A") && (published(cluster, name, out) || external(&l, out));
	if (l.count == 3 && kt_streq(type, "TXT") && !strcmp(l.items[0], "dns-version")) {
		kt_strs_add(out, "1.1.0"); /* of the specification of DNS-based service discovery */
		return true;
	}
	size_t n = l.count - 2;
	const char *zone = l.items[n - 1];
	if (!strcmp(zone, "pod") && n == 3) {
		/* CoreDNS' `pods insecure`, as kubeadm sets it up: any address is taken at its word */
		struct kt_buf address = {0};
		bool ok = kt_streq(type, "A") && undashed(l.items[0], &address);
		if (ok)
			kt_strs_add(out, address.data);
		kt_buf_clear(&address);
		return ok;
	}
	if (strcmp(zone, "svc") != 0 || n < 3)
		return false;
	const struct service *service = network_service(cluster, l.items[n - 2], l.items[n - 3]);
	if (!service)
		return false;
	bool srv_name = n == 5 && l.items[0][0] == '_' && l.items[1][0] == '_';
	if (kt_streq(type, "SRV"))
		return (srv_name || n == 3) && srv(network, service, srv_name ? l.items[0] + 1 : NULL, out);
	if (kt_streq(kt_get_str(service->spec, "type"), "ExternalName")) {
		const char *target = kt_get_str(service->spec, "externalName");
		if (kt_streq(type, "CNAME") && n == 3 && target) {
			kt_strs_add(out, target);
			return true;
		}
		if (canonical && !*canonical)
			*canonical = kt_strdup(target);
		return n == 3 && target && dns_lookup(cluster, target, type, out, NULL);
	}
	if (!kt_streq(type, "A"))
		return false;
	if (n == 3 && is_headless(service))
		return headless(network, service, NULL, out);
	if (n == 3) {
		kt_strs_add(out, kt_str_or(kt_get(service->spec, "clusterIP"), ""));
		return true;
	}
	return n == 4 && headless(network, service, l.items[0], out);
}

bool network_dns_address(struct cluster *cluster, char out[46])
{
	const struct network *network = network_of(cluster);
	const struct service *service = network ? network_service(cluster, "kube-system", "kube-dns") : NULL;
	const char *address = service ? kt_get_str(service->spec, "clusterIP") : NULL;
	if (!address && network && network->dns_seen)
		address = "10.96.0.10";
	if (!address)
		return false;
	size_t len = KT_MIN(strlen(address), (size_t)45);
	memcpy(out, address, len);
	out[len] = '\0';
	return true;
}

/* --- resolvers --- */
void network_resolver_clear(struct network_resolver *resolver)
{
	kt_strs_clear(&resolver->servers);
	kt_strs_clear(&resolver->search);
}

void network_resolver_read(struct network_resolver *out, const char *resolv_conf)
{
	size_t len;
	*out = (struct network_resolver){.ndots = 1};
	for (const char *line; (line = kt_split(&resolv_conf, '\n', &len));) {
		char *copy = kt_strndup(line, len), *rest = NULL;
		const char *key = strtok_r(copy, " \t\r", &rest);
		bool search = kt_streq(key, "search") || kt_streq(key, "domain");
		if (search) /* the last such line counts */
			kt_strs_clear(&out->search);
		for (const char *word; key && (word = strtok_r(NULL, " \t\r", &rest));) {
			if (search)
				kt_strs_add(&out->search, word);
			else if (!strcmp(key, "nameserver"))
				kt_strs_add(&out->servers, word);
			else if (!strcmp(key, "options") && kt_starts(word, "ndots:"))
				out->ndots = (unsigned)strtoul(word + strlen("ndots:"), NULL, 10);
		}
		kt_free(copy);
	}
}

static void default_resolver(struct cluster *cluster, const char *ns, struct network_resolver *out)
{
	char address[46];
	*out = (struct network_resolver){.ndots = 5};
	if (network_dns_address(cluster, address))
		kt_strs_add(&out->servers, address);
	kt_strs_steal(&out->search, kt_strf("%s.svc.cluster.local", ns ? ns : "default"));
	kt_strs_add(&out->search, "svc.cluster.local");
	kt_strs_add(&out->search, "cluster.local");
}

/* Does a server answer, and does it know the cluster's names? */
static bool asks(struct cluster *cluster, const struct network_peer *from, const char *server,
                 bool *cluster_zone)
{
	struct network_path path;
	char address[46], why[256];
	*cluster_zone = network_dns_address(cluster, address) && kt_streq(server, address);
	if (kt_streq(server, NETWORK_NODE_DNS)) {
		struct network_peer to = {.address = server};
		return network_policy_allows(cluster, from, &to, 53, "UDP", why);
	}
	network_connect(cluster, from, server, 53, "UDP", &path);
	*cluster_zone = *cluster_zone || path.listener != 0;
	return path.outcome == NETWORK_OPEN;
}

/* The query's way to the servers. Without a kube-dns Service ever, names are simply known (small test
 * clusters). */
static bool reach(struct cluster *cluster, const struct network_peer *from,
                  const struct network_resolver *resolver, bool *cluster_zone)
{
	char address[46];
	*cluster_zone = true;
	if (!from->pod || !network_dns_address(cluster, address))
		return true;
	for (size_t i = 0; i < resolver->servers.count; i++) {
		if (asks(cluster, from, resolver->servers.items[i], cluster_zone))
			return true;
	}
	return false;
}

static bool of_cluster(const char *name)
{
	return kt_ends(name, ".cluster.local") || kt_ends(name, ".cluster.local.");
}

static bool query(struct cluster *cluster, const struct network_peer *from,
                  const struct network_resolver *resolver, const char *name, const char *type, bool search,
                  struct kt_strs *out, char **canonical, enum network_outcome *outcome)
{
	size_t dots = 0;
	bool cluster_zone, found = false;
	struct kt_strs candidates = {0};
	if (!reach(cluster, from, resolver, &cluster_zone)) {
		*outcome = NETWORK_TIMEOUT;
		return false;
	}
	for (const char *c = name; *c; c++)
		dots += *c == '.';
	bool absolute = kt_ends(name, ".") || !search, first = absolute || dots >= resolver->ndots;
	if (first)
		kt_strs_add(&candidates, name);
	for (size_t i = 0; !absolute && i < resolver->search.count; i++)
		kt_strs_steal(&candidates, kt_strf("%s.%s", name, resolver->search.items[i]));
	if (!first)
		kt_strs_add(&candidates, name);
	for (size_t i = 0; i < candidates.count && !found; i++) {
		const char *candidate = candidates.items[i];
		found = (cluster_zone || !of_cluster(candidate)) &&
		        dns_lookup(cluster, candidate, type, out, canonical);
		if (found && canonical && !*canonical)
			*canonical = kt_strdup(candidate);
	}
	kt_strs_clear(&candidates);
	if (!found)
		*outcome = NETWORK_REFUSED;
	return found;
}

bool network_query(struct cluster *cluster, const struct network_peer *from,
                   const struct network_resolver *resolver, const char *name, const char *type, bool search,
                   struct kt_strs *out, char **canonical, enum network_outcome *outcome)
{
	struct network_resolver by_default;
	uint32_t ip;
	*outcome = NETWORK_OPEN;
	if (parse_ipv4(name, &ip)) {
		kt_strs_add(out, name);
		return true;
	}
	if (resolver)
		return query(cluster, from, resolver, name, type, search, out, canonical, outcome);
	default_resolver(cluster, from->ns, &by_default);
	bool found =
	        query(cluster, from, &by_default, name, type, search && from->ns, out, canonical, outcome);
	network_resolver_clear(&by_default);
	return found;
}

bool network_resolve(struct cluster *cluster, const struct network_peer *from,
                     const struct network_resolver *resolver, const char *name, struct kt_strs *addresses,
                     char **canonical, enum network_outcome *outcome)
{
	char *unused = NULL;
	bool found = network_query(cluster, from, resolver, name, "A", true, addresses,
	                           canonical ? canonical : &unused, outcome);
	kt_free(unused);
	if (found && !addresses->count) {
		*outcome = NETWORK_REFUSED;
		return false;
	}
	return found;
}

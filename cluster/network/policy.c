/* SPDX-License-Identifier: MIT */
#include "cluster/network/network_internal.h"

#include <string.h>

/* NetworkPolicy (networking.k8s.io/v1, api/networking/v1/types.go): a pod that no policy selects for a
 * direction may talk to all; for those selected the rules of all policies are united. Both ends must allow.
 */
struct end {
	const char *ns, *address;
	const struct kt_json *labels, *namespace_labels;
	const struct store_object *pod;
};

static void describe(struct cluster *cluster, const struct network_peer *peer, struct end *out)
{
	struct store *store = cluster_store(cluster);
	struct schema *schema = cluster_schema(cluster);
	*out = (struct end){.address = peer->address};
	if (!peer->pod || !peer->ns)
		return;
	out->pod = store_get(store, schema_stored(schema, "", "Pod"), peer->ns, peer->pod);
	/* pods in the host's network are the node as far as policies go */
	if (out->pod && view_pod(out->pod)->host_network) {
		out->pod = NULL;
		return;
	}
	if (!out->pod)
		return;
	const struct store_object *ns =
	        store_get(store, schema_stored(schema, "", "Namespace"), "", peer->ns);
	out->ns = peer->ns;
	out->labels = view_pod(out->pod)->labels;
	out->namespace_labels = ns ? view_labels(ns->json) : NULL;
}

static bool selects(const struct kt_json *selector, const struct kt_json *labels)
{
	/* an absent selector of a policy selects everything, as {} does */
	return !kt_count(kt_get(selector, "matchLabels")) && !kt_count(kt_get(selector, "matchExpressions"))
	               ? true
	               : view_selector_matches(selector, labels);
}

static bool block_fits(const struct kt_json *block, const char *address)
{
	const struct kt_json *except;
	const char *cidr = kt_get_str(block, "cidr");
	if (!address || !cidr || !network_in_cidr(address, cidr))
		return false;
	KT_JSON_EACH (except, kt_get(block, "except")) {
		if (kt_str(except) && network_in_cidr(address, kt_str(except)))
			return false;
	}
	return true;
}

static bool peer_fits(const struct kt_json *peer, const char *policy_ns, const struct end *other)
{
	const struct kt_json *block = kt_get(peer, "ipBlock"), *pods = kt_get(peer, "podSelector"),
	                     *namespaces = kt_get(peer, "namespaceSelector");
	if (block)
		return block_fits(block, other->address);
	if (!other->pod || (!pods && !namespaces))
		return false;
	if (namespaces ? !selects(namespaces, other->namespace_labels) : !kt_streq(policy_ns, other->ns))
		return false;
	return !pods || selects(pods, other->labels);
}

/* The number that a named port has in the pod that is connected to; 0: none of that name and protocol. */
static unsigned named_port(const struct store_object *pod, const char *name, const char *protocol)
{
	static const char *const lists[] = {"containers", "initContainers"};
	const struct kt_json *container, *port;
	for (size_t i = 0; pod && i < KT_COUNT(lists); i++) {
		KT_JSON_EACH (container, kt_get(view_pod(pod)->spec, lists[i])) {
			KT_JSON_EACH (port, kt_get(container, "ports")) {
				if (kt_streq(kt_get_str(port, "name"), name) &&
				    kt_streq(kt_str_or(kt_get(port, "protocol"), "TCP"), protocol))
					return (unsigned)kt_get_int(port, "containerPort", 0);
			}
		}
	}
	return 0;
}

static bool port_fits(const struct kt_json *rule, unsigned port, const char *protocol,
                      const struct store_object *to)
{
	const struct kt_json *number = kt_get(rule, "port");
	if (!kt_streq(kt_str_or(kt_get(rule, "protocol"), "TCP"), protocol))
		return false;
	if (!number)
		return true;
	if (kt_str(number))
		return named_port(to, kt_str(number), protocol) == port;
	int64_t low = kt_int_or(number, -1), high = kt_get_int(rule, "endPort", low);
	return (int64_t)port >= low && (int64_t)port <= high;
}

static bool rule_allows(const struct kt_json *rule, const char *peers_key, const char *policy_ns,
                        const struct end *other, unsigned port, const char *protocol,
                        const struct store_object *to)
{
	const struct kt_json *peers = kt_get(rule, peers_key), *ports = kt_get(rule, "ports"), *item;
	bool peer = !kt_count(peers), door = !kt_count(ports);
	KT_JSON_EACH (item, peers)
		peer = peer || peer_fits(item, policy_ns, other);
	KT_JSON_EACH (item, ports)
		door = door || port_fits(item, port, protocol, to);
	return peer && door;
}

static bool has_type(const struct kt_json *spec, const char *type)
{
	const struct kt_json *types = kt_get(spec, "policyTypes"), *item;
	if (!types)
		return kt_streq(type, "Ingress") || kt_count(kt_get(spec, "egress"));
	KT_JSON_EACH (item, types) {
		if (kt_streq(kt_str(item), type))
			return true;
	}
	return false;
}

static bool side_allows(struct cluster *cluster, const char *type, const struct end *mine,
                        const struct end *other, unsigned port, const char *protocol,
                        const struct store_object *to, struct kt_buf *names)
{
	bool ingress = type[0] == 'I', selected = false, allowed = false;
	const struct store_object *object;
	if (!mine->pod)
		return true;
	STORE_EACH (object, cluster_store(cluster), network_of(cluster)->kinds[NETWORK_POLICY], mine->ns) {
		const struct kt_json *spec = kt_get(object->json, "spec"), *rule;
		if (!has_type(spec, type) || !selects(kt_get(spec, "podSelector"), mine->labels))
			continue;
		selected = true;
		kt_buf_addf(names, "%s%s", names->len ? ", " : "", object->name);
		KT_JSON_EACH (rule, kt_get(spec, ingress ? "ingress" : "egress"))
			allowed = allowed || rule_allows(rule, ingress ? "from" : "to", mine->ns, other, port,
			                                 protocol, to);
		if (allowed)
			break;
	}
	return !selected || allowed;
}

bool network_policy_allows(struct cluster *cluster, const struct network_peer *from,
                           const struct network_peer *to, unsigned port, const char *protocol, char why[256])
{
	struct end a, b;
	struct kt_buf names = {0}, text = {0};
	const struct schema_kind *kind = network_of(cluster)->kinds[NETWORK_POLICY];
	why[0] = '\0';
	if (!store_count(cluster_store(cluster), kind, NULL))
		return true;
	describe(cluster, from, &a);
	describe(cluster, to, &b);
	/* what comes from the pod's own node always gets in (probes) */
	bool own_node = !a.pod && from->node && to->node && !strcmp(from->node, to->node);
	bool out = side_allows(cluster, "Egress", &a, &b, port, protocol, b.pod, &names);
	if (!out)
		kt_buf_addf(&text, "egress networkpolicies in %s: %s", a.ns, kt_buf_str(&names));
	kt_buf_clear(&names);
	bool in = own_node || side_allows(cluster, "Ingress", &b, &a, port, protocol, b.pod, &names);
	if (out && !in)
		kt_buf_addf(&text, "networkpolicies in %s: %s", b.ns, kt_buf_str(&names));
	size_t len = KT_MIN(text.len, (size_t)255);
	memcpy(why, kt_buf_str(&text), len);
	why[len] = '\0';
	kt_buf_clear(&names);
	kt_buf_clear(&text);
	return out && in;
}

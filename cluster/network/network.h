/* SPDX-License-Identifier: MIT */
/* network: addresses, listeners, Services, DNS, NetworkPolicy, links between zones; and the traffic that
 * becomes load. Everything that connects asks here: programs in containers, probes, traffic. */
#ifndef NETWORK_H
#define NETWORK_H

#include "cluster/cluster_internal.h"

extern const struct cluster_part
        network_part; /* also kube-proxy's view of EndpointSlices, with its usual delay */

/* --- addresses --- */
/* A pod's address on a node (from the node's podCIDR), given back by network_release. It is reached there at
 * once, before its status tells of it. */
void network_pod_address(struct cluster *cluster, const char *node, const struct store_object *pod,
                         char out[46]);
void network_release(struct cluster *cluster, const char *address);
/* ClusterIPs and node ports are allocated by the API (api/service.c). */

/* --- listeners: a container's program serves a port --- */
struct network_http_request {
	const char *method, *path, *host;
	const struct kt_json *headers;
	const char *body;
	size_t body_len;
	const char *client; /* address */
	unsigned port;      /* that it came in on; network_serve sets it */
	bool https;
};
struct network_http_response {
	int status;
	const char *reason; /* static: the server's own words for the status; NULL: the usual ones */
	bool http_1_0;      /* speaks HTTP/1.0 */
	struct kt_json *headers;
	struct kt_buf body;
	kt_ns takes; /* service time */
};
struct network_listener {
	const char *address; /* of the pod (or node for host network); borrowed from the container */
	unsigned port;
	const char *protocol; /* "TCP", "UDP" */
	bool http;
	bool loopback; /* at 127.0.0.1 alone: nobody outside its pod comes in */
	void (*serve)(void *arg, const struct network_http_request *request,
	              struct network_http_response *response); /* NULL: accepts and says nothing */
	/* Raw conversations (nc -l, redis): bytes in, bytes out. May be NULL. */
	void (*bytes)(void *arg, const void *data, size_t len, struct kt_buf *reply);
	void *arg;
	const char *ns, *pod, *container;
	const char *certificate; /* that it shows, as PEM; NULL: it speaks no TLS */
	uint64_t id;             /* given by network_listen; no other ever has it */
};
void network_listen(struct cluster *cluster, const struct network_listener *listener); /* copied */
void network_unlisten(struct cluster *cluster, const char *address, unsigned port, const char *protocol);

bool network_is_listening(struct cluster *cluster, const char *address, unsigned port, const char *protocol);
void network_each_listener(struct cluster *cluster, const char *address,
                           void (*fn)(void *arg, const struct network_listener *listener), void *arg);

/* --- connecting --- */
struct network_peer {         /* who connects */
	const char *ns, *pod; /* NULL: from outside or from a node */
	const char *node;     /* where it runs; NULL outside */
	const char *address;
	const char *region; /* of a client outside; NULL: unknown, or its node's */
};
enum network_outcome {
	NETWORK_OPEN,
	NETWORK_REFUSED,
	NETWORK_TIMEOUT /* dropped: policy, dead node, cut link */,
	NETWORK_UNREACHABLE
};
struct network_path {
	enum network_outcome outcome;
	kt_ns latency;     /* one round trip */
	uint64_t listener; /* whose id; 0: none of a container: the internet, the API server, a balancer */
	char address[46];  /* the endpoint after Service translation */
	unsigned port;
	bool loopback;   /* it was asked for at 127.0.0.1 */
	bool balancer;   /* a load balancer answers (network/balancer.h) */
	char region[64]; /* of who asks, for a balancer; "" unknown */
	char why[256];   /* for `why` and the screens: "networkpolicies in shop: backend" */
};
/* Through Services (session affinity, traffic policies), policies of both sides, links, node power,
 * listeners. */
void network_connect(struct cluster *cluster, const struct network_peer *from, const char *address,
                     unsigned port, const char *protocol, struct network_path *out);
/* Who answers on an open path, to be asked each time: NULL when nobody did, or the program has ended since.
 */
const struct network_listener *network_path_listener(struct cluster *cluster,
                                                     const struct network_path *path);
/* Have the listener of an open path answer: its words, and the time it takes under the load it is under
 * (traffic). False: it speaks no HTTP, or has gone (or the path has no listener: the internet: a page is made
 * up; the API server answers as to anybody, true). */
bool network_serve(struct cluster *cluster, const struct network_path *path,
                   const struct network_http_request *request, struct network_http_response *response);
void network_http_response_clear(struct network_http_response *response);
/* "HTTP/1.1 404 Not Found"; owned. */
char *network_status_line(const struct network_http_response *response);
/* A header's value, whatever its letters' case; NULL. */
const char *network_header(const struct kt_json *headers, const char *name);
/* In its place where it is, else at the end; NULL takes it away. */
void network_header_set(struct kt_json **headers, const char *name, const char *value);
/* Is the IPv4 address in a.b.c.d/bits, or the one that is named? False for rubbish, and for no address. */
bool network_in_cidr(const char *address, const char *cidr);
/* Who is asked for names, and how. Source: resolv.conf(5). */
struct network_resolver {
	struct kt_strs servers, search;
	unsigned ndots;
};
/* What a machine of a node asks; it knows the world, but no name of the cluster. */
#define NETWORK_NODE_DNS "172.18.0.1"
void network_resolver_read(struct network_resolver *out, const char *resolv_conf);
void network_resolver_clear(struct network_resolver *resolver);
/* Resolve a name as the resolver would (search domains, ndots, ExternalName, headless, pod and SRV names).
 * `resolver` NULL: as a pod has it by default. The lookup itself is a connection to the name servers, one
 * after the other: false with outcome TIMEOUT where policies, links, dead pods or wrong addresses forbid it,
 * REFUSED for NXDOMAIN. */
bool network_resolve(struct cluster *cluster, const struct network_peer *from,
                     const struct network_resolver *resolver, const char *name, struct kt_strs *addresses,
                     char **canonical, enum network_outcome *outcome);
/* The same for one record type ("A", "SRV", "CNAME", "TXT"), with or without the search list. SRV records as
 * "0 100 80 name.". */
bool network_query(struct cluster *cluster, const struct network_peer *from,
                   const struct network_resolver *resolver, const char *name, const char *type, bool search,
                   struct kt_strs *out, char **canonical, enum network_outcome *outcome);
/* The address of the cluster's DNS Service; false if there is none. */
bool network_dns_address(struct cluster *cluster, char out[46]);
/* Only the policies: for the map, for `why`, and for tests. */
bool network_policy_allows(struct cluster *cluster, const struct network_peer *from,
                           const struct network_peer *to, unsigned port, const char *protocol, char why[256]);

/* A machine went on or off: what was worked out about who reaches whom is to be worked out anew. */
void network_changed(struct cluster *cluster);

/* --- disturbances --- */
void network_link_set(struct cluster *cluster, const char *zone_a, const char *zone_b, bool cut,
                      kt_ns latency, double loss);

/* --- traffic (network/traffic.c): open-loop arrivals into pods of finite capacity, as a flow, recomputed
 * when anything changes and each second --- */
struct traffic_stats {
	/* requests since the flow began: offered = answered + errors + waiting */
	double offered, answered, errors, waiting;
	kt_ns p50, p95, p99; /* over the last minute */
	double rps;          /* offered now */
};
/* {to: "service shop/web", rps: 500, times: 10, shape: step|ramp|wave|spike, over: "2m", work: {cpu: "5ms"},
 * host, path, from: "eu" (the clients' region), timeout: "2s", retries: 1}; to: also "ingress …" and
 * "gateway …". */
KT_MUST_CHECK enum kt_code traffic_set(struct cluster *cluster, const struct kt_json *load,
                                       struct kt_err *err);
bool traffic_get(struct cluster *cluster, const char *ns, const char *service, struct traffic_stats *out);
/* {services: [{kind, namespace, service, rps, offered, answered, errors, waiting, availability, p50, p95,
 * p99, causes: [{why, errors, from, to}]}], entries: the same of Ingresses and Gateways}: sums over the
 * seconds since `since` (an hour is kept), latencies in seconds. New. */
struct kt_json *traffic_report(struct cluster *cluster, kt_ns since);

/* --- usage: what metrics-server, HPA, OOM and `kubectl top` see --- */
/* Smoothed use of a container now. False if it does not run or metrics-server has not seen it yet (first
 * sample after 15 s). */
bool usage_container(struct cluster *cluster, const char *ns, const char *pod, const char *container,
                     int64_t *cpu_nano, int64_t *memory);
/* metrics.k8s.io objects, as JSON (PodMetrics, NodeMetrics); NULL: not found. */
struct kt_json *usage_pod_metrics(struct cluster *cluster, const char *ns, const char *pod);
struct kt_json *usage_node_metrics(struct cluster *cluster, const char *node);

#endif

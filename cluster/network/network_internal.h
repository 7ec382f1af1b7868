/* SPDX-License-Identifier: MIT */
#ifndef NETWORK_INTERNAL_H
#define NETWORK_INTERNAL_H

#include "cluster/network/network.h"
#include "cluster/network/route.h"

/* A small hash table from text to pointer. */
struct table {
	struct table_row {
		char *key; /* NULL: empty; owned */
		void *value;
	} * rows;
	size_t count, cap;
};
void *table_get(const struct table *table, const char *key);
void **table_slot(struct table *table, const char *key); /* made if missing, holding NULL */
void table_remove(struct table *table, const char *key);
void table_clear(struct table *table); /* values are the caller's */

/* One Service as kube-proxy sees it. */
struct service {
	char *ns, *name;
	struct kt_json *spec, *status; /* referenced */
};
/* One address of the network, for pods and nodes. */
struct place {
	char *ns, *pod; /* NULL: a node */
	char *node;
};
struct link {
	char *a, *b; /* zones, regions or nodes */
	bool cut;
	kt_ns latency;
	double loss;
};
enum network_kind {
	NETWORK_NODE,
	NETWORK_POD,
	NETWORK_SERVICE,
	NETWORK_SLICE,
	NETWORK_POLICY,
	NETWORK_NAMESPACE,
	NETWORK_INGRESS, /* these and what follows make the balancers' rules */
	NETWORK_INGRESS_CLASS,
	NETWORK_GATEWAY,
	NETWORK_GATEWAY_CLASS,
	NETWORK_HTTP_ROUTE,
	NETWORK_REFERENCE_GRANT,
	NETWORK_KINDS
};
struct network {
	const struct schema_kind *kinds[NETWORK_KINDS];
	struct table listeners;  /* "10.1.2.3:80/TCP" -> struct network_listener * */
	struct table places;     /* address -> struct place * */
	struct table given;      /* address -> uid (owned text) */
	struct table slices;     /* "ns/name" -> struct kt_json * of the EndpointSlice */
	struct table by_service; /* "ns/service" -> struct kt_strs * of slice keys */
	struct table services;   /* address (clusterIP, load balancer, external) -> struct service *, borrowed
	                            from `all` */
	struct table all;        /* "ns/name" -> struct service * */
	struct table node_ports; /* "30080/TCP" -> struct service *, borrowed */
	struct table next;       /* node -> counter as pointer-sized number */
	struct kt_strs pending;  /* slices that changed */
	uint64_t sync_timer;
	struct link *links;
	size_t link_count, link_cap;
	bool links_known, dns_seen;
	struct table balancers; /* address -> struct balancer * */
	struct table regions;   /* "region" of a global balancer's backends -> struct health * */
	bool balancers_known;
	uint64_t epoch; /* higher after each change of who reaches whom */
	uint64_t last_listener;
	uint64_t health_timer;
	struct kt_random random;
	struct traffic *traffic;
	struct usage *usage;
};
struct network *network_of(struct cluster *cluster);
const struct service *network_service(struct cluster *cluster, const char *ns, const char *name);

/* The endpoints of a Service's port (NULL: any), with conditions. */
struct endpoint {
	const char *address, *node, *host_name, *zone, *pod_ns, *pod;
	unsigned port;
	bool ready, serving, terminating;
	const struct kt_json *hints;
};
struct endpoints {
	struct endpoint *items;
	size_t count, cap;
};
void endpoints_of(struct network *network, const char *ns, const char *name, const char *port_name,
                  struct endpoints *out);

/* Puts those that kube-proxy on `from_node` (NULL: elsewhere) would choose between to the front and counts
 * them: ready ones; if there are none, serving ones that terminate (proxy terminating endpoints, 1.28); only
 * those on `local` unless NULL; by topology hints. */
size_t endpoints_usable(struct cluster *cluster, const char *from_node, const char *local,
                        struct endpoints *all);
/* One of them, by chance or by the client's address; SIZE_MAX: none. */
size_t endpoints_choose(struct cluster *cluster, const struct network_peer *from,
                        const struct service *service, struct endpoints *all, const char *local);
const struct kt_json *service_port(const struct service *service, unsigned port, bool by_node_port,
                                   const char *protocol);
void service_free(struct service *service);
void service_update(struct network *network, const struct store_object *object, bool there);
void slice_update(struct network *network, const char *key, const struct kt_json *json);
void slice_later(struct cluster *cluster, struct network *network, const char *key);

char *listener_key(const char *address, unsigned port, const char *protocol); /* owned */
const char *node_region(struct cluster *cluster, const char *node);
const char *node_zone(struct cluster *cluster, const char *node);
bool parse_ipv4(const char *text, uint32_t *out);
/* What a link between two nodes does: cut, slower, lossy. */
const struct link *link_between(struct cluster *cluster, const char *node_a, const char *node_b);

bool dns_lookup(struct cluster *cluster, const char *name, const char *type, struct kt_strs *out,
                char **canonical);

bool balancer_connect(struct cluster *cluster, const struct network_peer *from, const char *address,
                      unsigned port, struct network_path *out);
void balancer_serve(struct cluster *cluster, const struct network_path *path,
                    const struct network_http_request *request, struct network_http_response *response);
void balancers_clear(struct cluster *cluster, struct network *network);

void traffic_start(struct cluster *cluster, struct network *network);
void traffic_stop(struct cluster *cluster, struct network *network);
void traffic_admit(struct cluster *cluster, const struct network_listener *listener,
                   struct network_http_response *response);
/* Ports (listener_key) that close and open; what kube-proxy's view of a slice becomes. */
void traffic_port_closed(struct cluster *cluster, struct network *network, const char *key);
void traffic_port_opened(struct network *network, const char *key);
void traffic_slice_changes(struct cluster *cluster, struct network *network, const struct kt_json *old,
                           const struct kt_json *next);
/* The CPU that containers without traffic use, by node of the plan. */
void usage_others(struct cluster *cluster, struct traffic *traffic);
void usage_start(struct cluster *cluster, struct network *network);
void usage_stop(struct cluster *cluster, struct network *network);

#endif

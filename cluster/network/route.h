/* SPDX-License-Identifier: MIT */
/* Which backend gets an HTTP request: the rules of Ingresses (with ingress-nginx's annotations) and of
 * Gateway API HTTPRoutes, as one ordered list. Pure: JSON in, targets out; no cluster.
 *
 * Sources: networking.k8s.io/v1 Ingress (pathType Exact, Prefix by elements, ImplementationSpecific),
 * kubernetes/ingress-nginx docs/user-guide/nginx-configuration/annotations.md (canary*, rewrite-target,
 * use-regex, ssl-redirect, permanent-redirect, temporal-redirect), gateway.networking.k8s.io/v1 HTTPRoute
 * (precedence of matches, weights, filters). */
#ifndef NETWORK_ROUTE_H
#define NETWORK_ROUTE_H

#include "base/base.h"

struct route_request {
	const char *method, *path, *host; /* path with query; host may bear a port */
	const struct kt_json *headers;
	bool https;
	unsigned port; /* of the listener that took it */
};
struct route_target {
	const char *ns,
	        *service; /* borrowed from the rules; service NULL: the reference is not one to serve */
	const struct kt_json *port;    /* number or name; NULL: the Service's first */
	const struct kt_json *filters; /* the backend's own (HTTPRoute); may be NULL */
	double share;                  /* of 1 */
};
enum route_kind {
	ROUTE_NONE,     /* no rule fits */
	ROUTE_FORWARD,  /* to `targets` */
	ROUTE_REDIRECT, /* to `location` with `status` */
	ROUTE_STATUS    /* an answer of the balancer's own */
};
enum { ROUTE_TARGETS = 16 };
struct route_answer {
	enum route_kind kind;
	int status;
	char *location, *path; /* owned; path: as rewritten, NULL: as it came */
	char *host;            /* as rewritten; owned; NULL: as it came */
	const struct kt_json *filters;
	struct route_target targets[ROUTE_TARGETS];
	size_t count;
	kt_ns connect, request;            /* time-outs; 0: the balancer's own */
	const char *kind_name, *ns, *name; /* the object that decided: for `why` */
};
void route_answer_clear(struct route_answer *answer);

struct route_rule;
struct route_table {
	struct route_rule *rules;
	size_t count, cap;
};
void route_clear(struct route_table *table);
/* Add the rules of one object. Call route_sort() when all are in. */
void route_add_ingress(struct route_table *table, const struct kt_json *ingress);
/* `hostname` and `port`: of the listener that the route is attached to (NULL, 0: any). */
void route_add_http_route(struct route_table *table, const struct kt_json *route, const char *hostname,
                          unsigned port);
void route_sort(struct route_table *table);
/* What happens to the request. Shares are what they are for this request: a canary's header decides. */
void route_find(const struct route_table *table, const struct route_request *request,
                struct route_answer *out);
/* All targets of the i-th rule, whatever the request: to look after them. */
size_t route_count(const struct route_table *table);
void route_all(const struct route_table *table, size_t i, struct route_answer *out);
/* "*.shop.example" fits "www.shop.example" and not "shop.example"; NULL and "" fit all. `one`: a wildcard
 * stands for one label (Ingress); otherwise for several (Gateway API). */
bool route_host_fits(const char *pattern, const char *host, bool one);
/* The host of a listener and one of a route, if they can meet: the narrower of the two; NULL: they cannot. */
const char *route_host_meet(const char *listener, const char *route);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef NETWORK_ROUTE_INTERNAL_H
#define NETWORK_ROUTE_INTERNAL_H

#include "cluster/network/route.h"

enum route_path { ROUTE_PREFIX, ROUTE_EXACT, ROUTE_REGEX, ROUTE_TEXT /* a plain prefix of letters */ };
struct route_rule {
	struct kt_json *object; /* referenced: everything below is borrowed from it */
	const char *host;       /* NULL: any */
	unsigned port;          /* 0: any listener */
	enum route_path type;
	const char *path;
	const struct kt_json *method, *headers, *queries; /* of a match; may be NULL */
	const struct kt_json *backends;                   /* HTTPRoute's, or one of an Ingress as an array */
	struct kt_json *own; /* owned: what `backends` points to, for an Ingress */
	const struct kt_json *filters, *timeouts;
	const struct kt_json *notes; /* an Ingress' annotations */
	bool ingress, last;          /* last: a default backend */
	struct route_rule *canary;   /* within the table, after route_sort() */
	bool is_canary;
	size_t order;
};
bool route_rule_fits(const struct route_rule *rule, const struct route_request *request);
void route_filter(const struct route_rule *rule, const struct route_request *request,
                  struct route_answer *out);
/* An Ingress' annotation without its "nginx.ingress.kubernetes.io/". */
const char *route_note(const struct route_rule *rule, const char *name);

#endif

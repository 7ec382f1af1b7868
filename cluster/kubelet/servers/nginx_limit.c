/* SPDX-License-Identifier: MIT */
/* limit_req: a bucket for each value of the zone's key that leaks at its rate, as ngx_http_limit_req_module
 * counts it (thousandths of a request, milliseconds). limit_conn never refuses: here a request is over before
 * the next begins. */
#include "cluster/kubelet/servers/nginx.h"

#include <stdlib.h>
#include <string.h>

static const struct nginx_directive *zone_of(const struct nginx_visit *v, const char *name)
{
	const struct nginx_directive *http = nginx_find(v->nginx->conf->top, "http");
	for (const struct nginx_directive *z = http ? nginx_find(http->block, "limit_req_zone") : NULL; z;
	     z = nginx_find(z->next, "limit_req_zone"))
		for (size_t i = 1; i < z->count; i++)
			if (kt_starts(z->args[i], "zone=") && strlen(name) == strcspn(z->args[i] + 5, ":") &&
			    !strncmp(z->args[i] + 5, name, strlen(name)))
				return z;
	return NULL;
}

static const char *argument(const struct nginx_directive *directive, const char *name)
{
	for (size_t i = 0; i < directive->count; i++)
		if (kt_starts(directive->args[i], name))
			return directive->args[i] + strlen(name);
	return NULL;
}

/* Thousandths of a request a second: "10r/s", "30r/m". */
static int64_t rate_of(const struct nginx_directive *zone)
{
	const char *text = argument(zone, "rate=");
	int64_t rate = text ? strtoll(text, NULL, 10) * 1000 : 1000;
	return text && kt_ends(text, "r/m") ? rate / 60 : rate;
}

/* Is there room for this request? *out: what is in the bucket with it. */
static bool pour(const struct nginx_visit *v, const char *bucket, int64_t rate, int64_t burst, int64_t *out)
{
	int64_t now = process_now(v->r->task->process) / KT_MS, excess = 0;
	const struct kt_json *was = kt_get(v->nginx->buckets, bucket);
	if (was) {
		excess = kt_whole_or(kt_get(was, "excess"), 0) -
		         rate * (now - kt_whole_or(kt_get(was, "last"), 0)) / 1000 + 1000;
		excess = KT_MAX(excess, 0);
	}
	*out = excess;
	if (excess > burst)
		return false;
	kt_set(&v->nginx->buckets, bucket,
	       kt_jsonf("{excess: %l, last: %l}", (long long)excess, (long long)now));
	return true;
}

char *nginx_limited(struct nginx_visit *v)
{
	for (const struct nginx_directive *d = nginx_setting(v, "limit_req"); d;
	     d = nginx_find(d->next, "limit_req")) {
		const char *name = argument(d, "zone="), *burst = argument(d, "burst="),
		           *delay = argument(d, "delay=");
		const struct nginx_directive *zone = name ? zone_of(v, name) : NULL;
		if (!zone)
			continue;
		char *key = nginx_expand(v, zone->args[0]), *bucket = kt_strf("%s %s", name, key);
		int64_t rate = rate_of(zone), excess = 0, free_of = 0;
		/* requests without a key are not counted */
		bool refused =
		        *key && !pour(v, bucket, rate, burst ? strtoll(burst, NULL, 10) * 1000 : 0, &excess);
		kt_free(key);
		kt_free(bucket);
		if (refused)
			return kt_strf("limiting requests, excess: %lld.%03lld by zone \"%.*s\"",
			               (long long)(excess / 1000), (long long)(excess % 1000),
			               (int)strcspn(name, ":"), name);
		free_of = delay ? strtoll(delay, NULL, 10) * 1000 : (argument(d, "nodelay") ? INT64_MAX : 0);
		if (excess > free_of && rate > 0)
			v->response->takes += (excess - free_of) * KT_SEC / rate;
	}
	return NULL;
}

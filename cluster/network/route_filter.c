/* SPDX-License-Identifier: MIT */
/* What a rule does to a request on its way: redirects, rewritten paths, time-outs. */
#include "base/regex.h"
#include "cluster/network/route_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- ingress-nginx's annotations --- */
static bool tls_host(const struct route_rule *rule, const char *host)
{
	const struct kt_json *tls, *name;
	KT_JSON_EACH (tls, kt_path(rule->object, "spec.tls")) {
		if (!kt_count(kt_get(tls, "hosts")))
			return true;
		KT_JSON_EACH (name, kt_get(tls, "hosts")) {
			if (route_host_fits(kt_str(name), host, true))
				return true;
		}
	}
	return false;
}

static void redirect(struct route_answer *out, int status, char *steal_location)
{
	out->kind = ROUTE_REDIRECT;
	out->status = status;
	kt_free(out->location);
	out->location = steal_location;
}

/* rewrite-target: $1 … are the groups of the path's expression. */
static char *rewritten(const struct route_rule *rule, const char *target, const char *whole)
{
	enum { GROUPS = 10 };
	size_t len = strcspn(whole, "?");
	char *path = kt_strndup(whole, len), *pattern = kt_strf("^%s", rule->path);
	regmatch_t at[GROUPS];
	regex_t regex;
	struct kt_buf out = {0};
	if (kt_regex(pattern, 0, &regex)) {
		bool fits = !regexec(&regex, path, GROUPS, at, 0);
		for (const char *c = target; fits && *c; c++) {
			if (*c != '$' || c[1] < '0' || c[1] > '9') {
				kt_buf_addc(&out, *c);
				continue;
			}
			regmatch_t m = at[*++c - '0'];
			if (m.rm_so >= 0)
				kt_buf_add(&out, path + m.rm_so, (size_t)(m.rm_eo - m.rm_so));
		}
		regfree(&regex);
	}
	kt_buf_adds(&out, whole + len);
	if (!out.len || out.data[0] != '/') {
		char *fixed = kt_strf("/%s", kt_buf_str(&out));
		kt_buf_clear(&out);
		kt_buf_adds(&out, fixed);
		kt_free(fixed);
	}
	kt_free(path);
	kt_free(pattern);
	return kt_buf_take(&out);
}

static kt_ns seconds_note(const struct route_rule *rule, const char *name)
{
	const char *text = route_note(rule, name);
	return text ? (kt_ns)strtoll(text, NULL, 10) * KT_SEC : 0;
}

static void ingress_notes(const struct route_rule *rule, const struct route_request *request,
                          struct route_answer *out)
{
	const char *host = request->host ? request->host : "", *to;
	bool forced = kt_streq(route_note(rule, "force-ssl-redirect"), "true");
	bool wanted = !kt_streq(route_note(rule, "ssl-redirect"), "false") && tls_host(rule, host);
	if (!request->https && (forced || wanted)) {
		redirect(out, 308, kt_strf("https://%.*s%s", (int)strcspn(host, ":"), host, request->path));
		return;
	}
	if ((to = route_note(rule, "permanent-redirect"))) {
		redirect(out, 301, kt_strdup(to));
		return;
	}
	if ((to = route_note(rule, "temporal-redirect"))) {
		redirect(out, 302, kt_strdup(to));
		return;
	}
	if ((to = route_note(rule, "rewrite-target")))
		out->path = rewritten(rule, to, request->path);
	out->connect = seconds_note(rule, "proxy-connect-timeout");
	out->request = seconds_note(rule, "proxy-read-timeout");
}

/* --- HTTPRoute's filters --- */
static char *modified_path(const struct route_rule *rule, const struct kt_json *modifier, const char *whole)
{
	size_t len = strcspn(whole, "?"), prefix = strlen(rule->path);
	const char *full = kt_get_str(modifier, "replaceFullPath"),
	           *other = kt_get_str(modifier, "replacePrefixMatch");
	if (full)
		return kt_strf("%s%s", full, whole + len);
	if (!other)
		return NULL;
	while (prefix && rule->path[prefix - 1] == '/')
		prefix--;
	const char *rest = whole + KT_MIN(prefix, strlen(whole));
	size_t other_len = strlen(other);
	if (other_len && other[other_len - 1] == '/' && *rest == '/')
		rest++;
	const char *slash = !other_len && *rest != '/' ? "/" : "";
	return kt_strf("%s%s%s", other, slash, rest);
}

static void redirect_filter(const struct route_rule *rule, const struct kt_json *filter,
                            const struct route_request *request, struct route_answer *out)
{
	const char *scheme = kt_str_or(kt_get(filter, "scheme"), request->https ? "https" : "http"),
	           *host = kt_get_str(filter, "hostname");
	int64_t port = kt_get_int(filter, "port", 0);
	char *path = modified_path(rule, kt_get(filter, "path"), request->path), *colon = NULL;
	if (port && !(port == 80 && kt_streq(scheme, "http")) && !(port == 443 && kt_streq(scheme, "https")))
		colon = kt_strf(":%lld", (long long)port);
	const char *from = request->host ? request->host : "";
	char *name = host ? kt_strdup(host) : kt_strndup(from, strcspn(from, ":"));
	redirect(out, (int)kt_get_int(filter, "statusCode", 302),
	         kt_strf("%s://%s%s%s", scheme, name, colon ? colon : "", path ? path : request->path));
	kt_free(name);
	kt_free(colon);
	kt_free(path);
}

static void http_filters(const struct route_rule *rule, const struct route_request *request,
                         struct route_answer *out)
{
	const struct kt_json *filter;
	KT_JSON_EACH (filter, rule->filters) {
		const struct kt_json *rewrite = kt_get(filter, "urlRewrite");
		if (kt_get(filter, "requestRedirect")) {
			redirect_filter(rule, kt_get(filter, "requestRedirect"), request, out);
			return;
		}
		if (!rewrite)
			continue;
		kt_free(out->path);
		out->path = modified_path(rule, kt_get(rewrite, "path"), request->path);
		if (kt_get_str(rewrite, "hostname")) {
			kt_free(out->host);
			out->host = kt_strdup(kt_get_str(rewrite, "hostname"));
		}
	}
	(void)!kt_duration_parse(kt_str_or(kt_get(rule->timeouts, "request"), "0s"), &out->request);
}

void route_filter(const struct route_rule *rule, const struct route_request *request,
                  struct route_answer *out)
{
	if (rule->ingress)
		ingress_notes(rule, request, out);
	else
		http_filters(rule, request, out);
	out->filters = rule->filters;
}

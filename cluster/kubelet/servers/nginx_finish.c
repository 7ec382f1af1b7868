/* SPDX-License-Identifier: MIT */
/* What nginx' filters make of an answer: other words, packed, its age and what else is told about it, only a
 * part of it, and all in nginx' order. Source: the order of modules in auto/modules, and each filter. */
#include "cluster/kubelet/servers/nginx.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"

static const char *has(const struct nginx_visit *v, const char *name)
{
	return network_header(v->response->headers, name);
}

static void put(struct nginx_visit *v, const char *name, const char *value)
{
	network_header_set(&v->response->headers, name, value);
}

static const char *asked(const struct nginx_visit *v, const char *name)
{
	const char *value = network_header(v->request->headers, name);
	return value ? value : "";
}

static bool is_good(int status)
{
	static const int good[] = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308};
	for (size_t i = 0; i < KT_COUNT(good); i++)
		if (good[i] == status)
			return true;
	return false;
}

static char *date_of(kt_ns when)
{
	char text[64];
	time_t seconds = (time_t)(when / KT_SEC);
	struct tm tm;
	size_t len = strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&seconds, &tm));
	return kt_strndup(text, len);
}

static void put_date(struct nginx_visit *v, const char *name, kt_ns when)
{
	char *text = date_of(when);
	put(v, name, text);
	kt_free(text);
}

/* Is the answer of a type that is listed, or of text/html, which always is? */
static bool is_of(const struct nginx_visit *v, const char *setting)
{
	const struct nginx_directive *types = nginx_setting(v, setting);
	const char *type = has(v, "Content-Type");
	size_t len = type ? strcspn(type, "; ") : 0;
	for (size_t i = 0; types && i < types->count; i++)
		if (!strcmp(types->args[i], "*") ||
		    (strlen(types->args[i]) == len && !strncasecmp(types->args[i], type, len)))
			return true;
	return len == 9 && !strncasecmp(type, "text/html", 9);
}

/* How long it is nobody knows before it is through. */
static void now_of_unknown_length(struct nginx_visit *v)
{
	put(v, "Content-Length", NULL);
	put(v, "Transfer-Encoding", kt_streq(v->request->method, "HEAD") ? NULL : "chunked");
}

/* --- sub_filter --- */
static bool replaced(struct kt_buf *text, const char *from, const char *to, bool once)
{
	struct kt_buf out = {0};
	size_t len = strlen(from);
	bool any = false;
	for (size_t i = 0; i < text->len;) {
		if (len && text->len - i >= len && !(any && once) &&
		    !strncasecmp(text->data + i, from, len)) {
			kt_buf_adds(&out, to);
			i += len;
			any = true;
		} else {
			kt_buf_addc(&out, text->data[i++]);
		}
	}
	kt_buf_cut(text, 0);
	kt_buf_add(text, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
	return any;
}

static void substitute(struct nginx_visit *v)
{
	const struct nginx_directive *d = nginx_setting(v, "sub_filter");
	if (!d || !is_of(v, "sub_filter_types") || has(v, "Content-Encoding"))
		return;
	bool once = nginx_on(v, "sub_filter_once", true);
	for (; d; d = nginx_find(d->next, "sub_filter")) {
		char *from = nginx_expand(v, d->args[0]), *to = nginx_expand(v, d->args[1]);
		(void)replaced(&v->response->body, from, to, once);
		kt_free(from);
		kt_free(to);
	}
	now_of_unknown_length(v);
	if (!nginx_on(v, "sub_filter_last_modified", false))
		put(v, "Last-Modified", NULL);
	put(v, "ETag", NULL);
	v->of_file = false;
}

/* --- gzip --- */
static void compress(struct nginx_visit *v)
{
	const struct nginx_directive *least = nginx_setting(v, "gzip_min_length");
	int status = v->response->status;
	bool worth = status == 200 || status == 403 || status == 404;
	if (!nginx_on(v, "gzip", false) || !worth || has(v, "Content-Encoding") || !is_of(v, "gzip_types") ||
	    (has(v, "Content-Length") &&
	     v->response->body.len < (least ? strtoul(least->args[0], NULL, 10) : 20)))
		return;
	if (nginx_on(v, "gzip_vary", false))
		put(v, "Vary", "Accept-Encoding");
	if (!strstr(asked(v, "Accept-Encoding"), "gzip"))
		return;
	struct kt_buf packed = {0};
	kt_gzip(v->response->body.data, v->response->body.len, &packed);
	kt_buf_cut(&v->response->body, 0);
	kt_buf_add(&v->response->body, packed.data, packed.len);
	kt_buf_clear(&packed);
	now_of_unknown_length(v);
	put(v, "Content-Encoding", "gzip");
	const char *etag = has(v, "ETag");
	if (etag && *etag == '"') {
		char *weak = kt_strf("W/%s", etag);
		put(v, "ETag", weak);
		kt_free(weak);
	}
}

/* --- expires, add_header --- */
static void expire(struct nginx_visit *v)
{
	const struct nginx_directive *d = nginx_setting(v, "expires");
	if (!d || !is_good(v->response->status))
		return;
	bool from_change = d->count > 1 && !strcmp(d->args[0], "modified");
	char *value = nginx_expand(v, d->args[d->count - 1]);
	kt_ns now = process_now(v->r->task->process);
	kt_ns lasts = nginx_time(value + (*value == '+' || *value == '-')) * (*value == '-' ? -1 : 1);
	if (!strcmp(value, "epoch") || !strcmp(value, "max")) {
		bool epoch = *value == 'e';
		put(v, "Expires", epoch ? "Thu, 01 Jan 1970 00:00:01 GMT" : "Thu, 31 Dec 2037 23:55:55 GMT");
		put(v, "Cache-Control", epoch ? "no-cache" : "max-age=315360000");
	} else if (*value && strcmp(value, "off") != 0) {
		if (from_change && v->of_file)
			lasts += v->modified - now;
		char *age = lasts < 0 ? kt_strdup("no-cache")
		                      : kt_strf("max-age=%lld", (long long)(lasts / KT_SEC));
		put_date(v, "Expires", now + lasts);
		put(v, "Cache-Control", age);
		kt_free(age);
	}
	kt_free(value);
}

/* add_header: of the innermost block that has any; for good answers, or always. */
static void add_headers(struct nginx_visit *v)
{
	for (const struct nginx_directive *d = nginx_setting(v, "add_header"); d;
	     d = nginx_find(d->next, "add_header")) {
		if (!is_good(v->response->status) && !(d->count > 2 && !strcmp(d->args[2], "always")))
			continue;
		char *value = nginx_expand(v, d->args[1]);
		const char *there = has(v, d->args[0]);
		/* two lines of one name are one list */
		char *both = there && *value ? kt_strf("%s, %s", there, value) : NULL;
		if (*value)
			put(v, d->args[0], both ? both : value);
		kt_free(both);
		kt_free(value);
	}
}

/* --- what the client has already, and what part it wants --- */
static bool has_it(const struct nginx_visit *v)
{
	const char *tags = asked(v, "If-None-Match"), *since = asked(v, "If-Modified-Since"),
	           *etag = has(v, "ETag"), *modified = has(v, "Last-Modified");
	const struct nginx_directive *how = nginx_setting(v, "if_modified_since");
	if (how && !strcmp(how->args[0], "off"))
		return false;
	if (*tags)
		return etag && (!strcmp(tags, "*") || strstr(tags, etag));
	return *since && modified && !strcmp(since, modified);
}

static void not_modified(struct nginx_visit *v)
{
	v->response->status = 304;
	kt_buf_cut(&v->response->body, 0);
	put(v, "Content-Type", NULL);
	put(v, "Content-Length", NULL);
	put(v, "Transfer-Encoding", NULL);
}

/* Range: bytes=FROM-TO, of one range; several are answered as a whole. */
static void cut_range(struct nginx_visit *v)
{
	const char *range = asked(v, "Range");
	struct kt_buf *body = &v->response->body;
	if (!kt_starts(range, "bytes=") || strchr(range, ',')) {
		put(v, "Accept-Ranges", "bytes");
		return;
	}
	char *end;
	size_t whole = body->len, from = 0, to = whole;
	if (range[6] == '-') {
		size_t last = strtoul(range + 7, NULL, 10);
		from = last < whole ? whole - last : 0;
	} else {
		from = strtoul(range + 6, &end, 10);
		to = *end == '-' && end[1] ? strtoul(end + 1, NULL, 10) + 1 : whole;
		to = KT_MIN(to, whole);
	}
	if (from >= to) {
		char *none = kt_strf("bytes */%zu", whole);
		put(v, "Last-Modified", NULL);
		put(v, "ETag", NULL);
		nginx_page(v, 416);
		put(v, "Content-Range", none);
		kt_free(none);
		return;
	}
	char *part = kt_strndup(body->data + from, to - from);
	char *words = kt_strf("bytes %zu-%zu/%zu", from, to - 1, whole), *len = kt_strf("%zu", to - from);
	kt_buf_cut(body, 0);
	kt_buf_add(body, part, to - from);
	v->response->status = 206;
	put(v, "Content-Length", len);
	put(v, "Content-Range", words);
	kt_free(part);
	kt_free(words);
	kt_free(len);
}

/* --- the order of headers, ngx_http_header_filter --- */
static void set_in_order(struct nginx_visit *v)
{
	static const char *const first[] = {
	        "Server",        "Date",     "Content-Type",      "Content-Length",
	        "Last-Modified", "Location", "Transfer-Encoding", "Connection",
	        "Vary",          "ETag"};
	/* what came from elsewhere stands where it came */
	size_t count = v->upstream ? 8 : KT_COUNT(first);
	struct kt_json *all = kt_json_object(), *was = v->response->headers;
	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < kt_count(was); i++)
			if (!strcasecmp(kt_key(was, i), first[n]) &&
			    !(v->upstream && !strcmp(first[n], "Last-Modified")))
				kt_set(&all, first[n], kt_json_ref(kt_at(was, i)));
	for (size_t i = 0; i < kt_count(was); i++)
		if (!kt_get(all, kt_key(was, i)) && !network_header(all, kt_key(was, i)))
			kt_set(&all, kt_key(was, i), kt_json_ref(kt_at(was, i)));
	kt_json_free(was);
	v->response->headers = all;
}

void nginx_finish(struct nginx_visit *v)
{
	bool file = v->of_file && v->response->status == 200 && !v->upstream;
	if (v->of_file && !v->upstream) {
		char *tag = kt_strf("\"%llx-%zx\"", (unsigned long long)(v->modified / KT_SEC),
		                    v->response->body.len);
		put_date(v, "Last-Modified", v->modified);
		if (nginx_on(v, "etag", true))
			put(v, "ETag", tag);
		kt_free(tag);
	}
	bool unchanged = file && has_it(v);
	if (unchanged)
		not_modified(v);
	else
		substitute(v);
	expire(v);
	add_headers(v);
	if (!unchanged)
		compress(v);
	if (file && v->of_file && !unchanged && !has(v, "Content-Encoding"))
		cut_range(v);
	char *name = nginx_on(v, "server_tokens", true) ? kt_strf("nginx/%s", nginx_version(v->r))
	                                                : kt_strdup("nginx");
	static const int last[] = {400, 413, 414, 500, 501}; /* after these nothing more is taken */
	bool close = !strcasecmp(asked(v, "Connection"), "close");
	for (size_t i = 0; i < KT_COUNT(last) && !v->upstream; i++)
		close = close || v->response->status == last[i];
	put(v, "Server", name);
	put_date(v, "Date", process_now(v->r->task->process));
	put(v, "Connection", close ? "close" : "keep-alive");
	kt_free(name);
	set_in_order(v);
}

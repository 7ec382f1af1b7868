/* SPDX-License-Identifier: MIT */
/* What nginx wants of the words behind a directive: on or off, a size, a time, a name that there is. In
 * nginx' own words (ngx_conf_file.c and the modules that have the directives). */
#include "cluster/kubelet/servers/nginx.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

typedef bool word_fn(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why);

static bool is_flag(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	if (!strcasecmp(d->args[0], "on") || !strcasecmp(d->args[0], "off"))
		return true;
	kt_buf_addf(why, "invalid value \"%s\" in \"%s\" directive, it must be \"on\" or \"off\"", d->args[0],
	            d->name);
	return false;
}

static bool invalid(const struct nginx_directive *d, struct kt_buf *why)
{
	kt_buf_addf(why, "\"%s\" directive invalid value", d->name);
	return false;
}

static bool is_size(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	size_t digits = strspn(d->args[0], "0123456789");
	const char *unit = d->args[0] + digits;
	return (digits && (!*unit || (strchr("kKmMgG", *unit) && !unit[1]))) || invalid(d, why);
}

static bool is_time_text(const char *text)
{
	static const char *const units[] = {"ms", "s", "m", "h", "d", "w", "M", "y"};
	bool any = false;
	while (*text) {
		size_t digits = strspn(text, "0123456789"), i = 0, len = 0;
		if (!digits)
			return false;
		text += digits;
		any = true;
		for (; *text && i < KT_COUNT(units) && !len; i++)
			len = kt_starts(text, units[i]) ? strlen(units[i]) : 0;
		if (*text && !len)
			return false;
		text += len;
		text += strspn(text, " ");
	}
	return any;
}

static bool is_time(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	return is_time_text(d->args[0]) || invalid(d, why);
}

static bool is_expiry(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	const char *text = d->args[d->count - 1];
	static const char *const words[] = {"epoch", "max", "off"};
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (!strcmp(text, words[i]))
			return true;
	text += *text == '+' || *text == '-' || *text == '@';
	return *text == '$' || is_time_text(text) || invalid(d, why);
}

static bool is_variable(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	const char *name = d->args[!strcmp(d->name, "set") ? 0 : d->count - 1];
	if (*name == '$' && name[1])
		return true;
	kt_buf_addf(why, "invalid variable name \"%s\"", name);
	return false;
}

static bool is_address(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	const char *text = d->args[0];
	if (!strcmp(text, "all") || !strcmp(text, "unix:") || strchr(text, ':'))
		return true;
	size_t len = strspn(text, "0123456789.");
	if (len > 6 && (!text[len] || (text[len] == '/' && isdigit((unsigned char)text[len + 1]))))
		return true;
	kt_buf_addf(why, "invalid parameter \"%s\"", text);
	return false;
}

/* The words behind the first one. */
static bool are_known(const struct nginx_directive *d, const char *const *known, size_t count,
                      struct kt_buf *why)
{
	for (size_t i = 1; i < d->count; i++) {
		bool good = false;
		for (size_t k = 0; k < count && !good; k++)
			good = kt_ends(known[k], "=") ? kt_starts(d->args[i], known[k])
			                              : !strcmp(d->args[i], known[k]);
		if (good)
			continue;
		kt_buf_addf(why, "invalid parameter \"%s\"", d->args[i]);
		return false;
	}
	return true;
}

static bool is_listen(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	static const char *const known[] = {
	        "default_server", "default",   "ssl",          "http2",   "quic",
	        "proxy_protocol", "reuseport", "deferred",     "bind",    "udp",
	        "backlog=",       "rcvbuf=",   "sndbuf=",      "setfib=", "fastopen=",
	        "accept_filter=", "ipv6only=", "so_keepalive="};
	(void)nginx;
	return are_known(d, known, KT_COUNT(known), why);
}

static bool is_peer(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	static const char *const known[] = {
	        "weight=", "max_conns=", "max_fails=",  "fail_timeout=", "backup", "down",
	        "resolve", "service=",   "slow_start=", "route=",        "drain"};
	(void)nginx;
	return d->has_block || !d->parent || strcmp(d->parent->name, "upstream") != 0 ||
	       are_known(d, known, KT_COUNT(known), why);
}

static bool is_inner(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	(void)nginx;
	const struct nginx_directive *outer = d->parent;
	if (strcmp(outer->name, "location") != 0)
		return true;
	const char *out = outer->args[outer->count - 1], *in = d->args[d->count - 1];
	bool patterns = outer->args[0][0] == '~' || d->args[0][0] == '~' || *in == '@';
	if (patterns || kt_starts(in, out))
		return true;
	kt_buf_addf(why, "location \"%s\" is outside location \"%s\"", in, out);
	return false;
}

static bool is_log(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	const struct nginx_directive *http = nginx_find(nginx->conf->top, "http");
	const struct nginx_directive *stream = nginx_find(nginx->conf->top, "stream");
	const char *name = d->count > 1 ? d->args[1] : NULL;
	if (!name || strchr(name, '=') || !strcmp(name, "combined") || !strcmp(d->args[0], "off"))
		return true;
	for (int part = 0; part < 2; part++) {
		const struct nginx_directive *of = part ? stream : http;
		const struct nginx_directive *f = of ? nginx_find(of->block, "log_format") : NULL;
		for (; f; f = nginx_find(f->next, "log_format"))
			if (!strcmp(f->args[0], name))
				return true;
	}
	kt_buf_addf(why, "unknown log format \"%s\"", name);
	return false;
}

static const struct {
	const char *names; /* words */
	word_fn *fits;
} rows[] = {
        {"gzip sendfile tcp_nopush tcp_nodelay autoindex autoindex_exact_size autoindex_localtime "
         "proxy_buffering proxy_request_buffering proxy_intercept_errors proxy_ssl_server_name "
         "proxy_ssl_verify absolute_redirect port_in_redirect server_name_in_redirect etag gzip_vary "
         "log_not_found log_subrequest recursive_error_pages chunked_transfer_encoding sub_filter_once "
         "underscores_in_headers merge_slashes ignore_invalid_headers proxy_pass_request_headers "
         "proxy_pass_request_body real_ip_recursive multi_accept accept_mutex daemon master_process",
         is_flag},
        {"client_max_body_size client_body_buffer_size client_header_buffer_size gzip_min_length "
         "proxy_buffer_size proxy_busy_buffers_size",
         is_size},
        {"keepalive_timeout client_body_timeout client_header_timeout send_timeout resolver_timeout "
         "proxy_connect_timeout proxy_read_timeout proxy_send_timeout lingering_timeout",
         is_time},
        {"expires", is_expiry},
        {"set map geo split_clients", is_variable},
        {"allow deny", is_address},
        {"listen", is_listen},
        {"server", is_peer},
        {"location", is_inner},
        {"access_log", is_log},
};

/* Those of which a block has one. */
static const char once[] =
        "root alias proxy_pass default_type sendfile keepalive_timeout client_max_body_size gzip autoindex "
        "proxy_http_version proxy_read_timeout proxy_connect_timeout proxy_send_timeout proxy_buffering "
        "server_tokens user worker_processes worker_connections pid daemon auth_basic auth_basic_user_file "
        "gzip_min_length gzip_comp_level expires charset etag limit_req_status";

bool nginx_words_fit(const struct nginx *nginx, const struct nginx_directive *d, struct kt_buf *why)
{
	const struct nginx_directive *first = d->parent ? d->parent->block : nginx->conf->top;
	if (kt_listed(once, d->name) && nginx_find(first, d->name) != d) {
		kt_buf_addf(why, "\"%s\" directive is duplicate", d->name);
		return false;
	}
	for (size_t i = 0; i < KT_COUNT(rows); i++)
		if (kt_listed(rows[i].names, d->name) && (d->count || !strcmp(d->name, "server")))
			return rows[i].fits(nginx, d, why);
	return true;
}

/* --- what is found wrong when all is read --- */
static const struct nginx_directive *zone_named(const struct nginx *nginx, const char *kind, const char *name)
{
	const struct nginx_directive *http = nginx_find(nginx->conf->top, "http");
	const struct nginx_directive *z = http ? nginx_find(http->block, kind) : NULL;
	for (; z; z = nginx_find(z->next, kind))
		for (size_t i = 1; i < z->count; i++)
			if (kt_starts(z->args[i], "zone=") && strlen(name) == strcspn(z->args[i] + 5, ":") &&
			    !strncmp(z->args[i] + 5, name, strlen(name)))
				return z;
	return NULL;
}

/* A log whose folder is not there; a zone that nobody defined. */
static bool can_begin(struct tool_run *r, const struct nginx *nginx, const struct nginx_directive *d,
                      struct kt_buf *why)
{
	if ((!strcmp(d->name, "access_log") || !strcmp(d->name, "error_log")) && d->args[0][0] == '/') {
		struct files_stat st;
		char *folder = kt_strndup(d->args[0], (size_t)(strrchr(d->args[0], '/') - d->args[0]));
		/* the image's own is there, and nobody's tree of files need be made for it */
		bool own = !strcmp(folder, "/var/log/nginx");
		int rc = *folder && !own ? files_stat(tool_container(r)->files, folder, &st) : 0;
		kt_free(folder);
		if (rc && !strchr(d->args[0], '$'))
			kt_buf_addf(why, "open() \"%s\" failed (%d: %s)", d->args[0], rc, tool_strerror(rc));
	}
	bool requests = !strcmp(d->name, "limit_req"), connections = !strcmp(d->name, "limit_conn");
	for (size_t i = 0; requests && i < d->count; i++)
		if (kt_starts(d->args[i], "zone=") && !zone_named(nginx, "limit_req_zone", d->args[i] + 5))
			kt_buf_addf(why, "zero size shared memory zone \"%s\"", d->args[i] + 5);
	if (connections && !zone_named(nginx, "limit_conn_zone", d->args[0]))
		kt_buf_addf(why, "zero size shared memory zone \"%s\"", d->args[0]);
	return !why->len;
}

bool nginx_can_begin(struct tool_run *r, const struct nginx *nginx, const struct nginx_directive *from,
                     struct kt_buf *why)
{
	for (const struct nginx_directive *d = from; d; d = d->next)
		if ((d->count && !can_begin(r, nginx, d, why)) ||
		    (!nginx_lists_values(d) && !nginx_can_begin(r, nginx, d->block, why)))
			return false;
	return true;
}

/* SPDX-License-Identifier: MIT */
/* nginx' variables, and the regular expressions that make some of them. Source:
 * nginx.org/en/docs/varindex.html. */
#include "base/regex.h"
#include "cluster/kubelet/servers/nginx.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

typedef void variable_fn(const struct nginx_visit *v, struct kt_buf *out);

static void adds(struct kt_buf *out, const char *text)
{
	kt_buf_adds(out, text ? text : "");
}

static void of_host(const struct nginx_visit *v, struct kt_buf *out)
{
	const char *host = v->request->host ? v->request->host : "";
	for (size_t i = 0, len = strcspn(host, ":"); i < len; i++)
		kt_buf_addc(out, (char)tolower((unsigned char)host[i]));
}

static void of_hostname(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, server_pod_name(v->r));
}

static void of_uri(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->uri);
}

static void of_request_uri(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->path);
}

static void of_args(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->args);
}

static void of_is_args(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->args && *v->args ? "?" : "");
}

static void of_method(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->method);
}

static void of_request(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%s %s HTTP/1.1", v->request->method, v->request->path);
}

static void of_client(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->client);
}

static void of_scheme(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->https ? "https" : "http");
}

static void of_server_name(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, nginx_value(v->server->block, "server_name"));
}

static void of_server_port(const struct nginx_visit *v, struct kt_buf *out)
{
	const struct server *s = v->r->state;
	kt_buf_addf(out, "%u", v->request->port ? v->request->port : s->ports[0]);
}

static void of_server_addr(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, tool_container(v->r)->pod_ip);
}

static void of_status(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%d", v->response->status);
}

static void of_bytes(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%zu", kt_streq(v->request->method, "HEAD") ? 0 : v->response->body.len);
}

static void of_time(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%.3f", (double)v->response->takes / KT_SEC);
}

static void of_time_local(const struct nginx_visit *v, struct kt_buf *out)
{
	char text[64];
	struct tm tm = server_now(v->r);
	kt_buf_add(out, text, strftime(text, sizeof(text), "%d/%b/%Y:%H:%M:%S +0000", &tm));
}

static void of_time_iso(const struct nginx_visit *v, struct kt_buf *out)
{
	char text[64];
	struct tm tm = server_now(v->r);
	kt_buf_add(out, text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &tm));
}

static void of_msec(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%.3f", (double)process_now(v->r->task->process) / KT_SEC);
}

static void of_forwarded_for(const struct nginx_visit *v, struct kt_buf *out)
{
	const char *before = network_header(v->request->headers, "X-Forwarded-For");
	kt_buf_addf(out, "%s%s%s", before ? before : "", before ? ", " : "",
	            v->request->client ? v->request->client : "");
}

/* Of the proxy_pass that holds here. */
static void of_proxy_host(const struct nginx_visit *v, struct kt_buf *out)
{
	const struct nginx_directive *pass = nginx_find(v->here->block, "proxy_pass");
	struct nginx_url url;
	if (pass && nginx_url(pass->args[0], &url))
		kt_buf_add(out, url.host, strcspn(url.host, "/?"));
}

static void of_upstream(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->upstream ? v->upstream : "");
}

static void of_nginx_version(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, nginx_version(v->r));
}

static void of_body(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_add(out, v->request->body ? v->request->body : "", v->request->body_len);
}

static void of_root(const struct nginx_visit *v, struct kt_buf *out)
{
	const struct nginx_directive *root = nginx_setting(v, "root");
	adds(out, root ? root->args[0] : "/etc/nginx/html");
}

static void of_nothing(const struct nginx_visit *v, struct kt_buf *out)
{
	(void)v;
	(void)out;
}

static void of_pid(const struct nginx_visit *v, struct kt_buf *out)
{
	kt_buf_addf(out, "%d", v->r->task->pid);
}

static void of_protocol(const struct nginx_visit *v, struct kt_buf *out)
{
	(void)v;
	adds(out, "HTTP/1.1");
}

static void of_https(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->https ? "on" : "");
}

static void of_ssl_protocol(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->https ? "TLSv1.3" : "");
}

static void of_ssl_cipher(const struct nginx_visit *v, struct kt_buf *out)
{
	adds(out, v->request->https ? "TLS_AES_256_GCM_SHA384" : "");
}

static const struct {
	const char *name;
	variable_fn *fn;
} variables[] = {
        {"host", of_host},
        {"hostname", of_hostname},
        {"uri", of_uri},
        {"document_uri", of_uri},
        {"request_uri", of_request_uri},
        {"args", of_args},
        {"query_string", of_args},
        {"is_args", of_is_args},
        {"request_method", of_method},
        {"request", of_request},
        {"remote_addr", of_client},
        {"realip_remote_addr", of_client},
        {"scheme", of_scheme},
        {"server_name", of_server_name},
        {"server_port", of_server_port},
        {"server_addr", of_server_addr},
        {"status", of_status},
        {"body_bytes_sent", of_bytes},
        {"bytes_sent", of_bytes},
        {"request_time", of_time},
        {"upstream_response_time", of_time},
        {"upstream_addr", of_upstream},
        {"upstream_status", of_status},
        {"time_local", of_time_local},
        {"time_iso8601", of_time_iso},
        {"msec", of_msec},
        {"proxy_add_x_forwarded_for", of_forwarded_for},
        {"proxy_host", of_proxy_host},
        {"nginx_version", of_nginx_version},
        {"request_body", of_body},
        {"document_root", of_root},
        {"pid", of_pid},
        /* what a request here does not have */
        {"remote_user", of_nothing},
        {"remote_port", of_nothing},
        {"request_id", of_nothing},
        {"request_length", of_nothing},
        {"connection", of_nothing},
        {"server_protocol", of_protocol},
        {"https", of_https},
        {"request_completion", of_nothing},
        {"request_filename", of_nothing},
        {"realpath_root", of_nothing},
        {"binary_remote_addr", of_client},
        {"proxy_port", of_nothing},
        {"invalid_referer", of_nothing},
        {"ssl_protocol", of_ssl_protocol},
        {"ssl_cipher", of_ssl_cipher},
        {"upstream_cache_status", of_nothing},
        {"upstream_connect_time", of_time},
        {"upstream_header_time", of_time},
        {"connections_active", of_nothing},
        {"gzip_ratio", of_nothing},
        {"pipe", of_nothing},
        {"tcpinfo_rtt", of_nothing},
        /* headers, read by their names */
        {"http_host", NULL},
        {"content_type", NULL},
        {"content_length", NULL},
};

/* Those whose name goes on. */
static const char *const families[] = {"http_",          "arg_", "cookie_", "sent_http_",
                                       "upstream_http_", "ssl_", "limit_"};

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static bool names_group(const char *pattern, const char *name)
{
	size_t len = strlen(name);
	for (const char *at = pattern; (at = strchr(at, '<')); at++)
		if ((at > pattern + 1 && at[-1] == '?') ||
		    (at > pattern + 2 && at[-1] == 'P' && at[-2] == '?'))
			if (!strncmp(at + 1, name, len) && at[1 + len] == '>')
				return true;
	return false;
}

/* Defined by set, map, geo, split_clients or a named group, anywhere. */
static bool defined(const struct nginx_directive *d, const char *name)
{
	for (; d; d = d->next) {
		size_t at = !strcmp(d->name, "set") ? 0 : d->count ? d->count - 1 : 0;
		bool defines = !strcmp(d->name, "set") || !strcmp(d->name, "map") ||
		               !strcmp(d->name, "geo") || !strcmp(d->name, "split_clients") ||
		               !strcmp(d->name, "auth_request_set");
		if (defines && d->count && d->args[at][0] == '$' && !strcmp(d->args[at] + 1, name))
			return true;
		for (size_t i = 0; i < d->count; i++)
			if (names_group(d->args[i], name))
				return true;
		for (const struct nginx_directive *row = nginx_lists_values(d) ? d->block : NULL; row;
		     row = row->next)
			if (names_group(row->name, name))
				return true;
		if (!nginx_lists_values(d) && defined(d->block, name))
			return true;
	}
	return false;
}

static bool known(struct nginx *nginx, const char *name)
{
	if (isdigit((unsigned char)name[0]))
		return true;
	for (size_t i = 0; i < KT_COUNT(variables); i++)
		if (!strcmp(variables[i].name, name))
			return true;
	for (size_t i = 0; i < KT_COUNT(families); i++)
		if (kt_starts(name, families[i]))
			return true;
	return defined(nginx->conf->top, name);
}

const char *nginx_unknown_variable(struct nginx *nginx, const struct nginx_directive *d)
{
	static const char *const with[] = {
	        "return",     "rewrite",      "set",        "if",         "root",
	        "alias",      "try_files",    "add_header", "proxy_pass", "proxy_set_header",
	        "log_format", "default_type", "access_log"};
	bool asked = false;
	for (size_t i = 0; i < KT_COUNT(with); i++)
		asked = asked || !strcmp(with[i], d->name);
	for (size_t i = !strcmp(d->name, "set") || !strcmp(d->name, "rewrite") ? 1 : 0; asked && i < d->count;
	     i++)
		for (const char *at = d->args[i]; (at = strchr(at, '$')); at++) {
			const char *from = at + 1 + (at[1] == '{');
			size_t len = 0;
			while (is_name(from[len]))
				len++;
			char *name = kt_arena_strf(&nginx->conf->arena, "%.*s", (int)len, from);
			if (len && !known(nginx, name))
				return name;
		}
	return NULL;
}

/* What a row of a map gives for `from`; its pattern's groups are variables of it. NULL: it does not fit.
 * Owned. */
static char *row_value(const struct nginx_visit *v, const struct nginx_directive *row, const char *from)
{
	bool tilde = row->name[0] == '~', nocase = tilde && row->name[1] == '*';
	if (row->count != 1 || !strcmp(row->name, "default"))
		return NULL;
	if (!tilde)
		return strcasecmp(row->name + (row->name[0] == '\\'), from) ? NULL
		                                                            : nginx_expand(v, row->args[0]);
	struct nginx_visit own = *v;
	memset(own.captures, 0, sizeof(own.captures));
	own.set = kt_json_ref(v->set);
	char *value = nginx_match(&own, from, row->name + 1 + nocase, nocase)
	                      ? nginx_expand(&own, row->args[0])
	                      : NULL;
	for (size_t i = 0; i < NGINX_CAPTURES; i++)
		kt_free(own.captures[i]);
	kt_json_free(own.set);
	return value;
}

/* map $from $to { value result; default other; ~regex result; }: plain values before patterns. */
static bool mapped(const struct nginx_visit *v, const char *name, struct kt_buf *out)
{
	const struct nginx_directive *http = nginx_find(v->nginx->conf->top, "http"),
	                             *map = http ? http->block : NULL, *row;
	for (; (map = nginx_find(map, "map")); map = map->next) {
		if (map->count != 2 || map->args[1][0] != '$' || strcmp(map->args[1] + 1, name) != 0)
			continue;
		char *from = nginx_expand(v, map->args[0]), *value = NULL;
		for (int patterns = 0; patterns < 2; patterns++)
			for (row = map->block; row && !value; row = row->next)
				if ((row->name[0] == '~') == patterns)
					value = row_value(v, row, from);
		row = nginx_find(map->block, "default");
		if (!value && row && row->count == 1)
			value = nginx_expand(v, row->args[0]);
		kt_buf_adds(out, value ? value : "");
		kt_free(value);
		kt_free(from);
		return true;
	}
	return false;
}

/* The block of http that gives `name` its value, a directive called `what`; its last word is the variable. */
static const struct nginx_directive *giver(const struct nginx_visit *v, const char *what, const char *name)
{
	const struct nginx_directive *http = nginx_find(v->nginx->conf->top, "http"),
	                             *at = http ? http->block : NULL;
	for (; (at = nginx_find(at, what)); at = at->next)
		if (at->count && at->args[at->count - 1][0] == '$' &&
		    !strcmp(at->args[at->count - 1] + 1, name))
			return at;
	return NULL;
}

/* geo [$address] $to { default value; CIDR value; }: the narrowest network that holds it. */
static bool located(const struct nginx_visit *v, const char *name, struct kt_buf *out)
{
	const struct nginx_directive *geo = giver(v, "geo", name);
	if (!geo)
		return false;
	char *address = nginx_expand(v, geo->count > 1 ? geo->args[0] : "$remote_addr");
	const char *found = "";
	long narrowest = -1;
	for (const struct nginx_directive *row = geo->block; row; row = row->next) {
		const char *slash = strchr(row->name, '/');
		bool otherwise = !strcmp(row->name, "default");
		long bits = otherwise ? 0 : slash ? strtol(slash + 1, NULL, 10) : 128;
		bool holds = otherwise ||
		             (slash ? network_in_cidr(address, row->name) : !strcmp(address, row->name));
		if (row->count == 1 && holds && bits > narrowest) {
			narrowest = bits;
			found = row->args[0];
		}
	}
	kt_buf_adds(out, found);
	kt_free(address);
	return true;
}

/* MurmurHash2, by which nginx splits. */
static uint32_t murmur(const char *text)
{
	size_t len = strlen(text);
	const unsigned char *at = (const unsigned char *)text;
	const uint32_t m = 0x5bd1e995;
	uint32_t h = (uint32_t)len;
	for (; len >= 4; len -= 4, at += 4) {
		uint32_t k = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
		k *= m;
		k ^= k >> 24;
		h = h * m ^ k * m;
	}
	for (size_t i = len; i-- > 0;)
		h ^= (uint32_t)at[i] << (8 * i);
	h = len ? h * m : h;
	h = (h ^ h >> 13) * m;
	return h ^ h >> 15;
}

/* split_clients TEXT $to { 5% a; * b; }: the share that the text's hash falls into. */
static bool split(const struct nginx_visit *v, const char *name, struct kt_buf *out)
{
	const struct nginx_directive *clients = giver(v, "split_clients", name);
	if (!clients || clients->count != 2)
		return false;
	char *text = nginx_expand(v, clients->args[0]);
	double at = murmur(text) / 4294967295.0 * 100, edge = 0;
	for (const struct nginx_directive *row = clients->block; row; row = row->next) {
		edge += strtod(row->name, NULL);
		if (row->count == 1 && (!strcmp(row->name, "*") || at < edge)) {
			kt_buf_adds(out, row->args[0]);
			break;
		}
	}
	kt_free(text);
	return true;
}

/* $http_x_user is the header X-User. */
static const char *header_of(const struct kt_json *headers, const char *name)
{
	for (size_t i = 0; i < kt_count(headers); i++) {
		const char *key = kt_key(headers, i);
		size_t n = 0;
		while (key[n] && name[n] && tolower((unsigned char)(key[n] == '-' ? '_' : key[n])) == name[n])
			n++;
		if (!key[n] && !name[n])
			return kt_str_or(kt_at(headers, i), "");
	}
	return NULL;
}

static void add_variable(const struct nginx_visit *v, const char *name, struct kt_buf *out)
{
	const char *set = kt_get_str(v->set, name);
	if (isdigit((unsigned char)name[0]) && !name[1]) {
		adds(out, v->captures[name[0] - '0']);
		return;
	}
	if (set || mapped(v, name, out) || located(v, name, out) || split(v, name, out)) {
		adds(out, set);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(variables); i++)
		if (variables[i].fn && !strcmp(variables[i].name, name)) {
			variables[i].fn(v, out);
			return;
		}
	if (!strcmp(name, "http_host")) {
		adds(out, v->request->host);
	} else if (kt_starts(name, "http_") || kt_starts(name, "content_")) {
		adds(out, header_of(v->request->headers, name + (*name == 'h' ? 5 : 0)));
	} else if (kt_starts(name, "sent_http_")) {
		adds(out, header_of(v->response->headers, name + 10));
	} else if (kt_starts(name, "arg_")) {
		size_t len = strlen(name + 4), n;
		const char *rest = v->args;
		for (const char *one; rest && (one = kt_split(&rest, '&', &n));)
			if (n > len && !strncasecmp(one, name + 4, len) && one[len] == '=') {
				kt_buf_add(out, one + len + 1, n - len - 1);
				return;
			}
	} else if (kt_starts(name, "cookie_")) {
		const char *cookies = network_header(v->request->headers, "Cookie");
		char *mark = kt_strf("%s=", name + 7), *at = cookies ? strstr(cookies, mark) : NULL;
		if (at)
			kt_buf_add(out, at + strlen(mark), strcspn(at + strlen(mark), "; "));
		kt_free(mark);
	}
}

char *nginx_expand(const struct nginx_visit *v, const char *text)
{
	struct kt_buf out = {0};
	kt_buf_adds(&out, "");
	for (const char *at = text; *at;) {
		bool brace = at[0] == '$' && at[1] == '{';
		const char *from = at + 1 + brace;
		size_t len = 0;
		while (at[0] == '$' && is_name(from[len]) &&
		       !(len && isdigit((unsigned char)from[0]) && !brace))
			len++;
		if (!len) {
			kt_buf_addc(&out, *at++);
			continue;
		}
		char *name = kt_strndup(from, len);
		add_variable(v, name, &out);
		kt_free(name);
		at = from + len + (brace && from[len] == '}');
	}
	return kt_buf_take(&out);
}

bool nginx_regex(const char *text, bool ignore_case, regex_t *out)
{
	return kt_regex(text, ignore_case ? REG_ICASE : 0, out);
}

/* The next group of a pattern behind `at`: where its parenthesis is; NULL: there is none. */
static const char *next_group(const char *at)
{
	bool in_set = false;
	for (; *at; at++) {
		if (*at == '\\' && at[1])
			at++;
		else if (*at == '[' && !in_set)
			in_set = true;
		else if (*at == ']')
			in_set = false;
		else if (*at == '(' && !in_set)
			return at;
	}
	return NULL;
}

/* The name of a group (?<name>…), and how long it is; NULL: it has none. */
static const char *group_name(const char *group, size_t *len)
{
	const char *from = kt_starts(group, "(?<") ? group + 3 : kt_starts(group, "(?P<") ? group + 4 : NULL;
	*len = from ? strcspn(from, ">") : 0;
	return *len && is_name(*from) ? from : NULL;
}

static char *group_text(const char *text, const regmatch_t *group)
{
	return group->rm_so < 0 ? NULL
	                        : kt_strndup(text + group->rm_so, (size_t)(group->rm_eo - group->rm_so));
}

bool nginx_match(struct nginx_visit *v, const char *text, const char *pattern, bool ignore_case)
{
	regmatch_t groups[2 * NGINX_CAPTURES];
	regex_t regex;
	if (!nginx_regex(pattern, ignore_case, &regex))
		return false;
	bool matches = !regexec(&regex, text, KT_COUNT(groups), groups, 0);
	regfree(&regex);
	if (!matches)
		return false;
	for (size_t i = 0; i < NGINX_CAPTURES; i++) {
		kt_free(v->captures[i]);
		v->captures[i] = i ? NULL : group_text(text, &groups[0]);
	}
	/* (?:…) is a group of the pattern that is matched, and none of those that are counted */
	size_t number = 0, len;
	const char *at = next_group(pattern);
	for (size_t i = 1; at && i < KT_COUNT(groups); i++, at = next_group(at + 1)) {
		const char *name = group_name(at, &len);
		if (!name && kt_starts(at, "(?"))
			continue;
		number++;
		if (name) {
			char *key = kt_strndup(name, len), *value = group_text(text, &groups[i]);
			kt_set(&v->set, key, kt_json_str(value ? value : ""));
			kt_free(value);
			kt_free(key);
		}
		if (number < NGINX_CAPTURES)
			v->captures[number] = group_text(text, &groups[i]);
	}
	return true;
}

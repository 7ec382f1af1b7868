/* SPDX-License-Identifier: MIT */
/* A request's way through nginx: server, rewrites, location, access, content, error pages. */
#include "cluster/kubelet/servers/nginx.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"

enum { MOST_JUMPS = 10 };

bool nginx_lists_values(const struct nginx_directive *d)
{
	static const char *const lists[] = {"map", "geo", "types", "split_clients"};
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		if (!strcmp(d->name, lists[i]))
			return true;
	return false;
}

unsigned nginx_listen_port(const struct nginx_directive *listen)
{
	const char *text = listen->args[0], *colon = strrchr(text, ':'), *number = colon ? colon + 1 : text;
	unsigned long port = strtoul(number, NULL, 10);
	return kt_starts(text, "unix:") ? 0 : !colon && strpbrk(text, ".*") ? 80 : (unsigned)port;
}

const struct nginx_directive *nginx_setting(const struct nginx_visit *v, const char *name)
{
	for (const struct nginx_directive *block = v->here ? v->here : v->server; block;
	     block = block->parent) {
		const struct nginx_directive *d = nginx_find(block->block, name);
		if (d)
			return d;
	}
	return NULL;
}

bool nginx_on(const struct nginx_visit *v, const char *name, bool otherwise)
{
	const struct nginx_directive *d = nginx_setting(v, name);
	return d && d->count ? !strcmp(d->args[0], "on") : otherwise;
}

/* --- pages --- */
static const struct title {
	int status;
	const char *words; /* of its page */
	const char *line;  /* of the status line, where that one's are others than anybody's */
} titles[] = {{301, "Moved Permanently", NULL},
              {302, "Found", "Moved Temporarily"},
              {303, "See Other", NULL},
              {307, "Temporary Redirect", NULL},
              {308, "Permanent Redirect", NULL},
              {400, "Bad Request", NULL},
              {401, "Authorization Required", NULL},
              {403, "Forbidden", NULL},
              {404, "Not Found", NULL},
              {405, "Not Allowed", "Not Allowed"},
              {408, "Request Time-out", "Request Time-out"},
              {409, "Conflict", NULL},
              {413, "Request Entity Too Large", NULL},
              {414, "Request-URI Too Large", "Request-URI Too Large"},
              {416, "Requested Range Not Satisfiable", NULL},
              {421, "Misdirected Request", NULL},
              {429, "Too Many Requests", NULL},
              {500, "Internal Server Error", NULL},
              {501, "Not Implemented", NULL},
              {502, "Bad Gateway", NULL},
              {503, "Service Temporarily Unavailable", "Service Temporarily Unavailable"},
              {504, "Gateway Time-out", "Gateway Time-out"},
              {507, "Insufficient Storage", NULL}};

static void header(struct nginx_visit *v, const char *name, const char *value)
{
	kt_set(&v->response->headers, name, kt_json_str(value));
}

static void body(struct nginx_visit *v, int status, const char *type, const char *text, size_t len)
{
	kt_buf_cut(&v->response->body, 0);
	server_answer(v->response, status, type, text, len);
}

static const struct title *title_of(int status)
{
	for (size_t i = 0; i < KT_COUNT(titles); i++)
		if (titles[i].status == status)
			return &titles[i];
	return NULL;
}

void nginx_page(struct nginx_visit *v, int status)
{
	const struct title *title = title_of(status);
	bool tokens = nginx_on(v, "server_tokens", true);
	if (!title) {
		body(v, status, "text/html", "", 0);
		return;
	}
	char *text = kt_strf(
	        "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1></center>\r\n"
	        "<hr><center>nginx%s%s</center>\r\n</body>\r\n</html>\r\n",
	        status, title->words, status, title->words, tokens ? "/" : "",
	        tokens ? nginx_version(v->r) : "");
	body(v, status, "text/html", text, strlen(text));
	kt_free(text);
}

static void trouble(struct nginx_visit *v, const char *fmt, ...) KT_PRINTF(2, 3);
static void trouble(struct nginx_visit *v, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	const char *name = nginx_value(v->server->block, "server_name");
	nginx_log(v->r, "error",
	          "*%llu %s, client: %s, server: %s, request: \"%s %s HTTP/1.1\", host: \"%s\"",
	          (unsigned long long)((struct server *)v->r->state)->requests, kt_buf_str(&text),
	          v->request->client ? v->request->client : "", name ? name : "", v->request->method,
	          v->request->path, v->request->host ? v->request->host : "");
	kt_buf_clear(&text);
}

static char *type_of(const struct nginx_visit *v, const char *path)
{
	const struct nginx_directive *types = nginx_setting(v, "types"),
	                             *otherwise = nginx_setting(v, "default_type");
	const char *dot = strrchr(path, '.');
	for (const struct nginx_directive *t = dot && types ? types->block : NULL; t; t = t->next)
		for (size_t i = 0; i < t->count; i++)
			if (!strcasecmp(t->args[i], dot + 1))
				return kt_strdup(t->name);
	return otherwise ? nginx_expand(v, otherwise->args[0]) : kt_strdup("text/plain");
}

/* --- which server, which location --- */
static unsigned name_fits(const char *pattern, const char *host)
{
	size_t len = strlen(pattern), given = strlen(host);
	regex_t regex;
	if (pattern[0] == '~') {
		if (!nginx_regex(pattern + 1, true, &regex))
			return 0;
		bool fits = !regexec(&regex, host, 0, NULL, 0);
		regfree(&regex);
		return fits ? 2 : 0;
	}
	if (!strcasecmp(pattern, host))
		return 5;
	if (pattern[0] == '.' &&
	    (!strcasecmp(pattern + 1, host) || (given > len && !strcasecmp(host + given - len, pattern))))
		return 4;
	if (pattern[0] == '*' && given >= len && !strcasecmp(host + given - (len - 1), pattern + 1))
		return 4;
	if (len > 1 && pattern[len - 1] == '*' && !strncasecmp(pattern, host, len - 1))
		return 3;
	return 0;
}

/* *name: its server_name that is a regular expression and fits, or NULL. */
static const struct nginx_directive *server_of(const struct nginx_visit *v, const char **name)
{
	const struct nginx_directive *http = nginx_find(v->nginx->conf->top, "http"), *best = NULL,
	                             *first = NULL;
	const char *given = v->request->host ? v->request->host : "";
	char *host = kt_strndup(given, strcspn(given, ":"));
	unsigned most = 0;
	bool named_default = false;
	for (const struct nginx_directive *s = nginx_find(http ? http->block : NULL, "server"); s;
	     s = nginx_find(s->next, "server")) {
		const struct nginx_directive *l = nginx_find(s->block, "listen");
		bool here = !l && (!v->request->port || v->request->port == 80), is_default = false;
		for (; l; l = nginx_find(l->next, "listen")) {
			if (v->request->port && nginx_listen_port(l) != v->request->port)
				continue;
			here = true;
			for (size_t i = 1; i < l->count; i++)
				is_default = is_default || kt_starts(l->args[i], "default");
		}
		if (!here)
			continue;
		if (!first || (is_default && !named_default))
			first = s;
		named_default = named_default || is_default;
		const struct nginx_directive *names = nginx_find(s->block, "server_name");
		for (size_t i = 0; names && i < names->count; i++) {
			unsigned fits = name_fits(names->args[i], host);
			if (fits > most)
				most = fits, best = s, *name = fits == 2 ? names->args[i] : NULL;
		}
	}
	kt_free(host);
	return best ? best : first;
}

/* The location for v->uri in a block: exact, else the longest prefix, unless a regular expression matches
 * before. */
static const struct nginx_directive *location_of(struct nginx_visit *v, const struct nginx_directive *in)
{
	const struct nginx_directive *best = NULL, *inner;
	size_t longest = 0;
	for (const struct nginx_directive *l = nginx_find(in->block, "location"); l;
	     l = nginx_find(l->next, "location")) {
		const char *how = l->count == 2 ? l->args[0] : "", *path = l->args[l->count - 1];
		size_t len = strlen(path);
		if (*how == '~' || *path == '@')
			continue;
		if (*how == '=' && !strcmp(v->uri, path))
			return l;
		if (*how != '=' && !strncmp(v->uri, path, len) && (!best || len >= longest))
			best = l, longest = len;
	}
	inner = best ? location_of(v, best) : NULL;
	if (inner)
		best = inner;
	if (best && best->count == 2 && !strcmp(best->args[0], "^~"))
		return best;
	for (const struct nginx_directive *l = nginx_find(in->block, "location"); l;
	     l = nginx_find(l->next, "location")) {
		bool regex = l->count == 2 && l->args[0][0] == '~';
		if (regex && nginx_match(v, v->uri, l->args[1], l->args[0][1] == '*')) {
			inner = location_of(v, l);
			return inner ? inner : l;
		}
	}
	return best;
}

/* The location that a block lies in, over its ifs; NULL: none. */
static const struct nginx_directive *enclosing(const struct nginx_directive *block)
{
	while (block && !strcmp(block->name, "if"))
		block = block->parent;
	return block && !strcmp(block->name, "location") ? block : NULL;
}

/* --- rewrites --- */
enum way { GO_ON, ANSWERED, LAST, STOP };

static void set_uri(struct nginx_visit *v, const char *to)
{
	const char *question = strchr(to, '?');
	char *uri = kt_strndup(to, question ? (size_t)(question - to) : strlen(to));
	if (question) {
		const char *old = v->args ? v->args : "";
		size_t len = strlen(question + 1);
		/* the arguments there were follow, unless the new ones end with '?' */
		char *args = len && question[len] == '?' ? kt_strndup(question + 1, len - 1)
		             : *old ? kt_strf("%s%s%s", question + 1, len ? "&" : "", old)
		                    : kt_strdup(question + 1);
		kt_free(v->args);
		v->args = args;
	}
	kt_free(v->uri);
	v->uri = uri;
	v->internal = true;
}

void nginx_redirect_to(struct nginx_visit *v, const char *to)
{
	if (to[0] != '/' || !nginx_on(v, "absolute_redirect", true)) {
		header(v, "Location", to);
		return;
	}
	/* the port at which it listens, not the one that was asked for (ngx_http_header_filter) */
	char *port = nginx_expand(v, "$server_port");
	bool usual =
	        !strcmp(port, v->request->https ? "443" : "80") || !nginx_on(v, "port_in_redirect", true);
	char *host = nginx_expand(v, usual ? "$scheme://$host" : "$scheme://$host:$server_port");
	char *whole = kt_strf("%s%s", host, to);
	header(v, "Location", whole);
	kt_free(port);
	kt_free(host);
	kt_free(whole);
}

static void redirect(struct nginx_visit *v, int status, const char *to)
{
	nginx_page(v, status);
	nginx_redirect_to(v, to);
}

static enum way run_return(struct nginx_visit *v, const struct nginx_directive *d)
{
	char *end;
	int status = (int)strtol(d->args[0], &end, 10);
	if (*end || end == d->args[0]) {
		char *to = nginx_expand(v, d->args[0]);
		redirect(v, 302, to);
		kt_free(to);
		return ANSWERED;
	}
	char *text = d->count > 1 ? nginx_expand(v, d->args[1]) : NULL;
	bool moves = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
	if (text && moves) {
		redirect(v, status, text);
	} else if (text) {
		char *type = type_of(v, v->uri);
		body(v, status, type, text, strlen(text));
		kt_free(type);
	} else if (status >= 300) {
		nginx_page(v, status);
	} else {
		body(v, status, "text/plain", "", 0);
	}
	kt_free(text);
	return ANSWERED;
}

static enum way run_rewrite(struct nginx_visit *v, const struct nginx_directive *d)
{
	const char *flag = d->count > 2 ? d->args[2] : "";
	if (!nginx_match(v, v->uri, d->args[0], false))
		return GO_ON;
	char *to = nginx_expand(v, d->args[1]);
	enum way way = LAST;
	bool away = kt_starts(to, "http://") || kt_starts(to, "https://");
	if (away || !strcmp(flag, "redirect") || !strcmp(flag, "permanent")) {
		redirect(v, !strcmp(flag, "permanent") ? 301 : 302, to);
		way = ANSWERED;
	} else {
		set_uri(v, to);
		v->moved = strcmp(flag, "break") != 0;
		way = !strcmp(flag, "break") ? STOP : !strcmp(flag, "last") ? LAST : GO_ON;
	}
	kt_free(to);
	return way;
}

/* if (…): a variable that is there, or compared; -f and the like. */
static bool holds(struct nginx_visit *v, const struct nginx_directive *d)
{
	struct kt_buf all = {0};
	for (size_t i = 0; i < d->count; i++)
		kt_buf_addf(&all, "%s%s", i ? " " : "", d->args[i]);
	char *text = kt_buf_take(&all), *at = text + strspn(text, "( ");
	size_t len = strlen(at);
	while (len && strchr(") ", at[len - 1]) && !(at[len - 1] == ')' && memchr(at, '(', len)))
		at[--len] = '\0';
	if (len && at[len - 1] == ')' && strchr(at, '(')) { /* the condition's own, behind a pattern's */
		size_t open = 0, close = 0;
		for (size_t i = 0; i < len; i++)
			open += at[i] == '(', close += at[i] == ')';
		if (close > open)
			at[--len] = '\0';
	}
	size_t first = strcspn(at, " ");
	char *left = kt_strndup(at, first);
	const char *op = at + first + strspn(at + first, " ");
	size_t op_len = strcspn(op, " ");
	const char *right = op + op_len + strspn(op + op_len, " ");
	bool negated = *op == '!' || *left == '!', result;
	if (left[0] == '-' || (left[0] == '!' && left[1] == '-')) {
		char *path = nginx_expand(v, op);
		struct files_stat st;
		char what = left[negated ? 2 : 1];
		int rc = files_stat(tool_container(v->r)->files, path, &st);
		result = !rc && (what == 'e' || (what == 'f' && st.type == FILES_REGULAR) ||
		                 (what == 'd' && st.type == FILES_DIR));
		kt_free(path);
	} else {
		char *value = nginx_expand(v, left), *other = nginx_expand(v, right);
		const char *plain = op + (*op == '!');
		if (!*op)
			result = *value && strcmp(value, "0") != 0;
		else if (*plain == '~')
			result = nginx_match(v, value, right, plain[1] == '*');
		else
			result = !strcmp(value, other);
		kt_free(value);
		kt_free(other);
	}
	kt_free(left);
	kt_free(text);
	return result != negated;
}

/* The rewrite directives of a block, in their order; an if whose condition holds is where one is from then
 * on. */
/* limit_except METHOD…: to other methods its block is the location; what that does with `return` is not for
 * them. */
static const struct nginx_directive *limited(const struct nginx_visit *v,
                                             const struct nginx_directive *location)
{
	const struct nginx_directive *limit = location ? nginx_find(location->block, "limit_except") : NULL;
	for (size_t i = 0; limit && i < limit->count; i++)
		if (kt_streq(limit->args[i], v->request->method) ||
		    (!strcmp(limit->args[i], "GET") && kt_streq(v->request->method, "HEAD")))
			return location;
	return limit ? limit : location;
}

static enum way run_script(struct nginx_visit *v, const struct nginx_directive *block)
{
	for (const struct nginx_directive *d = block->block; d; d = d->next) {
		enum way way = GO_ON;
		if (!strcmp(d->name, "return")) {
			way = run_return(v, d);
		} else if (!strcmp(d->name, "rewrite")) {
			way = run_rewrite(v, d);
		} else if (!strcmp(d->name, "break")) {
			way = STOP;
		} else if (!strcmp(d->name, "set")) {
			char *value = nginx_expand(v, d->args[1]);
			kt_set(&v->set, d->args[0] + (d->args[0][0] == '$'), kt_json_str(value));
			kt_free(value);
		} else if (!strcmp(d->name, "if") && holds(v, d)) {
			if (enclosing(d))
				v->here = d;
			way = run_script(v, d);
		}
		if (way != GO_ON)
			return way;
	}
	return GO_ON;
}

/* --- access --- */
static bool may(struct nginx_visit *v)
{
	const struct nginx_directive *allow = nginx_setting(v, "allow"), *deny = nginx_setting(v, "deny");
	const struct nginx_directive *first = allow ? allow : deny;
	/* the innermost block that has any of both */
	if (allow && deny && allow->parent != deny->parent)
		for (const struct nginx_directive *b = v->here; b; b = b->parent)
			if (b == allow->parent || b == deny->parent) {
				first = b == allow->parent ? allow : deny;
				break;
			}
	for (const struct nginx_directive *d = first && first->parent ? first->parent->block : NULL; d;
	     d = d->next) {
		bool lets = !strcmp(d->name, "allow");
		if ((lets || !strcmp(d->name, "deny")) &&
		    (!strcmp(d->args[0], "all") || network_in_cidr(v->request->client, d->args[0]))) {
			if (!lets)
				trouble(v, "access forbidden by rule");
			return lets;
		}
	}
	return true;
}

/* auth_basic */
static bool is_known(struct nginx_visit *v)
{
	const struct nginx_directive *realm = nginx_setting(v, "auth_basic"),
	                             *file = nginx_setting(v, "auth_basic_user_file");
	if (!realm || !strcmp(realm->args[0], "off"))
		return true;
	char *name = file ? nginx_expand(v, file->args[0]) : kt_strdup("/etc/nginx/htpasswd"),
	     *why = nginx_stranger(v, name);
	bool told = why && !kt_starts(why, "no user");
	if (told)
		trouble(v, "%s", why);
	if (why && kt_starts(why, "open()")) {
		nginx_page(v, 403);
	} else if (why) {
		char *value = kt_strf("Basic realm=\"%s\"", realm->args[0]);
		nginx_page(v, 401);
		header(v, "WWW-Authenticate", value);
		kt_free(value);
	}
	bool known = !why;
	kt_free(why);
	kt_free(name);
	return known;
}

/* --- content --- */
static void visit(struct nginx_visit *v, const struct nginx_directive *named);

static char *file_path(const struct nginx_visit *v, const char *uri)
{
	const struct nginx_directive *location = enclosing(v->here),
	                             *alias = location ? nginx_find(location->block, "alias") : NULL;
	const struct nginx_directive *root = nginx_setting(v, "root");
	if (alias) {
		const char *prefix = location->args[location->count - 1];
		bool regex = location->count == 2 && location->args[0][0] == '~';
		char *base = nginx_expand(v, alias->args[0]);
		char *path = kt_strf("%s%s", base,
		                     regex                    ? ""
		                     : kt_starts(uri, prefix) ? uri + strlen(prefix)
		                                              : uri);
		kt_free(base);
		return path;
	}
	char *base = root ? nginx_expand(v, root->args[0]) : kt_strdup("/etc/nginx/html");
	size_t len = strlen(base);
	while (len && base[len - 1] == '/')
		base[--len] = '\0';
	char *path =
	        base[0] == '/' || !*base ? kt_strf("%s%s", base, uri) : kt_strf("/etc/nginx/%s%s", base, uri);
	kt_free(base);
	return path;
}

static enum files_type type_at(const struct nginx_visit *v, const char *path)
{
	struct files_stat st;
	return files_stat(tool_container(v->r)->files, path, &st) ? FILES_NONE : st.type;
}

static void give_file(struct nginx_visit *v, const char *path)
{
	struct kt_buf data = {0};
	int rc = strstr(path, "/../") ? 2 : files_read(tool_container(v->r)->files, path, &data);
	if (rc) {
		trouble(v, "open() \"%s\" failed (%d: %s)", path, rc, tool_strerror(rc));
		nginx_page(v, rc == 2 || rc == 20 ? 404 : 403);
	} else {
		char *type = type_of(v, path);
		struct files_stat st;
		body(v, 200, type, kt_buf_str(&data), data.len);
		v->of_file = !files_stat(tool_container(v->r)->files, path, &st);
		v->modified = v->of_file ? st.modified : 0;
		kt_free(type);
	}
	kt_buf_clear(&data);
}

static void list_folder(struct nginx_visit *v, const char *path)
{
	struct kt_strs names = {0};
	struct kt_buf text = {0};
	(void)files_list(tool_container(v->r)->files, path, &names);
	kt_strs_sort(&names);
	kt_buf_addf(&text,
	            "<html>\r\n<head><title>Index of %s</title></head>\r\n<body>\r\n<h1>Index of "
	            "%s</h1><hr><pre><a "
	            "href=\"../\">../</a>\r\n",
	            v->uri, v->uri);
	for (size_t i = 0; i < names.count; i++) {
		char *one = kt_strf("%s%s", path, names.items[i]);
		const char *slash = type_at(v, one) == FILES_DIR ? "/" : "";
		kt_buf_addf(&text, "<a href=\"%s%s\">%s%s</a>\r\n", names.items[i], slash, names.items[i],
		            slash);
		kt_free(one);
	}
	kt_buf_adds(&text, "</pre><hr></body>\r\n</html>\r\n");
	body(v, 200, "text/html", text.data, text.len);
	kt_buf_clear(&text);
	kt_strs_clear(&names);
}

static void give_folder(struct nginx_visit *v, const char *path)
{
	static const char *const usual[] = {"index.html"};
	const struct nginx_directive *index = nginx_setting(v, "index");
	const char *const *names = index ? index->args : usual;
	size_t count = index ? index->count : 1;
	for (size_t i = 0; i < count; i++) {
		char *name = nginx_expand(v, names[i]), *one = kt_strf("%s%s", path, name);
		bool there = type_at(v, one) == FILES_REGULAR;
		if (there) {
			/* an internal redirect: its location may be another one */
			char *to = kt_strf("%s%s", v->uri, name);
			const struct nginx_directive *before = v->here;
			kt_free(v->uri);
			v->uri = to;
			v->internal = true;
			v->here = location_of(v, v->server);
			if (!v->here || enclosing(v->here) == enclosing(before) || v->jumps++ >= MOST_JUMPS) {
				v->here = before;
				give_file(v, one);
			} else {
				visit(v, v->here);
			}
		}
		kt_free(name);
		kt_free(one);
		if (there)
			return;
	}
	if (nginx_on(v, "autoindex", false)) {
		list_folder(v, path);
		return;
	}
	trouble(v, "directory index of \"%s\" is forbidden", path);
	nginx_page(v, 403);
}

static void give_static(struct nginx_visit *v)
{
	char *path = file_path(v, v->uri);
	if (strcmp(v->request->method, "GET") != 0 && strcmp(v->request->method, "HEAD") != 0) {
		nginx_page(v, 405);
	} else if (kt_ends(v->uri, "/")) {
		if (type_at(v, path) == FILES_DIR)
			give_folder(v, path);
		else
			give_file(v, path);
	} else if (type_at(v, path) == FILES_DIR) {
		char *to = kt_strf("%s/", v->uri);
		redirect(v, 301, to);
		kt_free(to);
	} else {
		give_file(v, path);
	}
	kt_free(path);
}

static const struct nginx_directive *named_location(const struct nginx_visit *v, const char *name)
{
	for (const struct nginx_directive *l = nginx_find(v->server->block, "location"); l;
	     l = nginx_find(l->next, "location"))
		if (l->count == 1 && !strcmp(l->args[0], name))
			return l;
	return NULL;
}

/* Onward inside nginx: to a named location, a status, or another path. */
static void jump(struct nginx_visit *v, const char *to)
{
	const struct nginx_directive *named = *to == '@' ? named_location(v, to) : NULL;
	if (++v->jumps > MOST_JUMPS || (*to == '@' && !named)) {
		trouble(v,
		        *to == '@' ? "could not find named location \"%s\""
		                   : "rewrite or internal redirection cycle while internally redirecting to "
		                     "\"%s\"",
		        to);
		nginx_page(v, 500);
		return;
	}
	if (!named)
		set_uri(v, to);
	v->internal = true;
	v->of_file = false;
	visit(v, named);
}

/* True: it found something, and that was answered. */
static bool try_files(struct nginx_visit *v, const struct nginx_directive *d)
{
	for (size_t i = 0; i + 1 < d->count; i++) {
		char *uri = nginx_expand(v, d->args[i]), *path = file_path(v, uri);
		size_t len = strlen(path);
		bool folder = kt_ends(d->args[i], "/");
		while (folder && len > 1 && path[len - 1] == '/')
			path[--len] = '\0';
		bool there = type_at(v, path) == (folder ? FILES_DIR : FILES_REGULAR);
		if (there) {
			kt_free(v->uri);
			v->uri = kt_strdup(uri);
		}
		kt_free(uri);
		kt_free(path);
		if (there)
			return false; /* content as usual, with the new path */
	}
	const char *last = d->args[d->count - 1];
	if (*last == '=') {
		nginx_page(v, (int)strtol(last + 1, NULL, 10));
		return true;
	}
	char *to = nginx_expand(v, last);
	jump(v, to);
	kt_free(to);
	return true;
}

static void give_status(struct nginx_visit *v)
{
	unsigned long long all = ((const struct server *)v->r->state)->requests;
	server_plain(v->response, 200,
	             "Active connections: 1 \nserver accepts handled requests\n %llu %llu %llu \nReading: 0 "
	             "Writing: 1 Waiting: 0 \n",
	             all, all, all);
}

static void content(struct nginx_visit *v)
{
	const struct nginx_directive *in = v->here ? v->here : v->server, *location = enclosing(in);
	const struct nginx_directive *pass = nginx_find(in->block, "proxy_pass"),
	                             *tries = nginx_setting(v, "try_files");
	if (!pass && location && location != in)
		pass = nginx_find(location->block, "proxy_pass");
	/* of this location, or of the server where there is none */
	if (tries && (tries->parent == location || (!location && tries->parent == v->server)) &&
	    try_files(v, tries))
		return;
	if (nginx_find(in->block, "stub_status"))
		give_status(v);
	else if (pass)
		nginx_proxy(v, pass);
	else
		give_static(v);
}

/* From the rewrites on; `named`: the location is known. */
static void visit(struct nginx_visit *v, const struct nginx_directive *named)
{
	for (;;) {
		v->moved = false;
		v->here = limited(v, named ? named : location_of(v, v->server));
		if (v->here && nginx_find(v->here->block, "internal") && !v->internal) {
			nginx_page(v, 404);
			return;
		}
		enum way way = v->here ? run_script(v, v->here) : GO_ON;
		if (way == ANSWERED)
			return;
		if (way == STOP || !v->moved)
			break;
		named = NULL;
		if (++v->jumps > MOST_JUMPS) {
			trouble(v, "rewrite or internal redirection cycle while processing \"%s\"", v->uri);
			nginx_page(v, 500);
			return;
		}
	}
	if (!v->here)
		v->here = v->server;
	char *limit = nginx_limited(v);
	if (limit) {
		const struct nginx_directive *status = nginx_setting(v, "limit_req_status");
		trouble(v, "%s", limit);
		nginx_page(v, status ? (int)strtol(status->args[0], NULL, 10) : 503);
		kt_free(limit);
	} else if (!may(v))
		nginx_page(v, 403);
	else if (is_known(v))
		content(v);
}

/* error_page 404 500 =200 /sorry.html: for what nginx itself says, and what others said where it is told so.
 */
static void say_otherwise(struct nginx_visit *v)
{
	int status = v->response->status;
	if (status < 300 || (v->upstream && !nginx_on(v, "proxy_intercept_errors", false)) ||
	    v->jumps >= MOST_JUMPS)
		return;
	const struct nginx_directive *first = nginx_setting(v, "error_page");
	for (const struct nginx_directive *d = first; d; d = nginx_find(d->next, "error_page")) {
		const char *to = d->args[d->count - 1], *as = d->count > 2 && d->args[d->count - 2][0] == '='
		                                                      ? d->args[d->count - 2]
		                                                      : NULL;
		bool listed = false;
		for (size_t i = 0; i + 1 < d->count; i++)
			listed = listed || strtol(d->args[i], NULL, 10) == status;
		if (!listed)
			continue;
		v->jumps = KT_MAX(v->jumps, 1u);
		if (kt_starts(to, "http")) {
			redirect(v, 302, to);
			return;
		}
		char *target = nginx_expand(v, to);
		jump(v, target);
		kt_free(target);
		if (as && as[1])
			v->response->status = (int)strtol(as + 1, NULL, 10);
		else if (!as && *to != '@')
			v->response->status = status;
		return;
	}
}

/* A line of the access log, in its format. */
static void access_line(struct nginx_visit *v)
{
	static const char combined[] =
	        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
	        "\"$http_referer\" \"$http_user_agent\"";
	const struct nginx_directive *log = nginx_setting(v, "access_log"),
	                             *http = nginx_find(v->nginx->conf->top, "http");
	const char *name = log && log->count > 1 ? log->args[1] : NULL;
	struct kt_buf format = {0}, line = {0};
	if (log && !strcmp(log->args[0], "off"))
		return;
	for (const struct nginx_directive *f = nginx_find(http ? http->block : NULL, "log_format"); f && name;
	     f = nginx_find(f->next, "log_format")) {
		if (strcmp(f->args[0], name) != 0)
			continue;
		kt_buf_cut(&format, 0); /* the last of a name */
		for (size_t i = 1; i < f->count; i++)
			if (!kt_starts(f->args[i], "escape="))
				kt_buf_adds(&format, f->args[i]);
	}
	/* what is empty is written as - */
	const char *text = format.len ? format.data : combined;
	for (const char *at = text; *at;) {
		size_t plain = strcspn(at, "$"), len = 0;
		kt_buf_add(&line, at, plain);
		at += plain;
		while (at[0] == '$' && (isalnum((unsigned char)at[1 + len]) || strchr("_{}", at[1 + len])) &&
		       at[1 + len])
			len++;
		if (!*at)
			break;
		char *one = kt_strndup(at, len + 1), *value = nginx_expand(v, one);
		kt_buf_adds(&line, *value ? value : "-");
		kt_free(one);
		kt_free(value);
		at += len + 1;
	}
	kt_buf_addc(&line, '\n');
	const char *to = log ? log->args[0] : "/var/log/nginx/access.log";
	/* the images have the usual one linked to stdout */
	bool out = !strcmp(to, "/dev/stdout") || !strcmp(to, "/var/log/nginx/access.log");
	if (out)
		tool_out(v->r, line.data, line.len);
	else
		(void)files_write(tool_container(v->r)->files, to, line.data, line.len, true, 0644,
		                  process_now(v->r->task->process));
	kt_buf_clear(&format);
	kt_buf_clear(&line);
}

/* A request that speaks no TLS where TLS is spoken is told so. */
static bool is_plain(struct nginx_visit *v)
{
	static const char why[] = "The plain HTTP request was sent to HTTPS port";
	const struct nginx_directive *l = v->request->https ? NULL : nginx_find(v->server->block, "listen");
	while (l && !(nginx_speaks_tls(l) && nginx_listen_port(l) == v->request->port))
		l = nginx_find(l->next, "listen");
	if (!l)
		return false;
	bool tokens = nginx_on(v, "server_tokens", true);
	char *text =
	        kt_strf("<html>\r\n<head><title>400 %s</title></head>\r\n<body>\r\n<center><h1>400 Bad "
	                "Request</h1></center>\r\n<center>%s</center>\r\n<hr><center>nginx%s%s</center>\r\n"
	                "</body>\r\n</html>\r\n",
	                why, why, tokens ? "/" : "", tokens ? nginx_version(v->r) : "");
	body(v, 400, "text/html", text, strlen(text));
	kt_free(text);
	return true;
}

void nginx_serve(struct tool_run *r, const struct network_http_request *request,
                 struct network_http_response *response)
{
	struct server *s = r->state;
	struct nginx_visit v = {.r = r, .nginx = s->own, .request = request, .response = response};
	const char *question = strchr(request->path, '?');
	struct kt_buf uri = {0};
	(void)kt_unpercent(request->path,
	                   question ? (size_t)(question - request->path) : strlen(request->path), false,
	                   &uri);
	v.uri = kt_strdup(kt_buf_str(&uri));
	v.args = kt_strdup(question ? question + 1 : "");
	v.set = kt_json_object();
	const char *pattern = NULL;
	v.server = server_of(&v, &pattern);
	if (pattern) { /* its groups are variables */
		char *host = kt_strndup(request->host, strcspn(request->host, ":"));
		(void)nginx_match(&v, host, pattern + 1, true);
		kt_free(host);
	}
	kt_buf_clear(&uri);
	if (v.server) {
		enum way way = is_plain(&v) ? ANSWERED : run_script(&v, v.server);
		if (way != ANSWERED)
			visit(&v, NULL);
		if (!v.here)
			v.here = v.server;
		say_otherwise(&v);
		const struct title *title = title_of(response->status);
		if (!v.upstream && title)
			response->reason = title->line;
		nginx_finish(&v);
		access_line(&v);
	}
	for (size_t i = 0; i < NGINX_CAPTURES; i++)
		kt_free(v.captures[i]);
	kt_free(v.uri);
	kt_free(v.args);
	kt_free(v.upstream);
	kt_json_free(v.set);
}

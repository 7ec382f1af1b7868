/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/servers/nginx_conf.h"

#include "cluster/kubelet/shell/shell.h"

#include <string.h>

/* --- which directives there are --- */
enum {
	MAIN = 1,
	EVENTS = 2,
	HTTP = 4,
	SERVER = 8,
	LOCATION = 16,
	UPSTREAM = 32,
	IF = 64,
	STREAM = 128,
	STREAM_SERVER = 256,
	MAP = 512,    /* map, geo, types, split_clients: any word is a directive */
	LIMIT = 1024, /* limit_except */
	STREAMS = STREAM | STREAM_SERVER,
	WEB = HTTP | SERVER | LOCATION,
	ANY = 99, /* words: as many as one likes */
};
struct known {
	const char *names; /* words, all alike */
	unsigned where;
	unsigned char least, most;
	unsigned inside; /* what its block is; 0: it has none */
};
static const struct known table[] = {
        {"user", MAIN, 1, 2, 0},
        {"daemon master_process worker_processes pid worker_rlimit_nofile worker_priority pcre_jit "
         "timer_resolution lock_file "
         "thread_pool worker_shutdown_timeout",
         MAIN, 1, 3, 0},
        {"load_module env worker_cpu_affinity", MAIN, 1, ANY, 0},
        {"error_log", MAIN | WEB | STREAMS, 1, 2, 0},
        {"include", MAIN | EVENTS | WEB | UPSTREAM | IF | STREAMS | MAP | LIMIT, 1, 1, 0},
        {"events", MAIN, 0, 0, EVENTS},
        {"http", MAIN, 0, 0, HTTP},
        {"stream", MAIN, 0, 0, STREAM},
        {"worker_connections use multi_accept accept_mutex accept_mutex_delay debug_connection", EVENTS, 1, 1,
         0},
        {"server", HTTP, 0, 0, SERVER},
        {"server", STREAM, 0, 0, STREAM_SERVER},
        {"server", UPSTREAM, 1, ANY, 0},
        {"upstream", HTTP | STREAM, 1, 1, UPSTREAM},
        {"zone keepalive hash queue", UPSTREAM, 1, 3, 0},
        {"least_conn ip_hash random", UPSTREAM, 0, 2, 0},
        {"listen", SERVER | STREAM_SERVER, 1, ANY, 0},
        {"server_name", SERVER, 1, ANY, 0},
        {"location", SERVER | LOCATION, 1, 2, LOCATION},
        {"if", SERVER | LOCATION, 1, ANY, IF},
        {"limit_except", LOCATION, 1, ANY, LIMIT},
        {"map geo split_clients", HTTP | STREAM, 1, 2, MAP},
        {"types", WEB, 0, 0, MAP},
        {"root", WEB | IF, 1, 1, 0},
        {"alias internal", LOCATION, 0, 1, 0},
        {"index", WEB, 1, ANY, 0},
        {"try_files", SERVER | LOCATION, 2, ANY, 0},
        {"return", SERVER | LOCATION | IF, 1, 2, 0},
        {"rewrite", SERVER | LOCATION | IF, 2, 3, 0},
        {"set", SERVER | LOCATION | IF, 2, 2, 0},
        {"break", SERVER | LOCATION | IF, 0, 0, 0},
        {"error_page", WEB | IF, 2, ANY, 0},
        {"add_header add_trailer", WEB | IF, 2, 3, 0},
        {"expires", WEB | IF, 1, 2, 0},
        {"default_type server_tokens sendfile tcp_nopush tcp_nodelay keepalive_timeout keepalive_requests "
         "autoindex "
         "autoindex_exact_size autoindex_localtime charset client_max_body_size client_body_timeout "
         "client_header_timeout "
         "client_body_buffer_size client_header_buffer_size send_timeout gzip gzip_comp_level "
         "gzip_min_length gzip_vary "
         "gzip_static gzip_http_version gzip_disable etag if_modified_since log_not_found log_subrequest "
         "msie_padding "
         "port_in_redirect absolute_redirect server_name_in_redirect reset_timedout_connection "
         "resolver_timeout "
         "types_hash_max_size types_hash_bucket_size variables_hash_max_size variables_hash_bucket_size "
         "server_names_hash_bucket_size server_names_hash_max_size underscores_in_headers merge_slashes "
         "satisfy "
         "sendfile_max_chunk limit_rate limit_rate_after recursive_error_pages chunked_transfer_encoding aio "
         "directio "
         "real_ip_header real_ip_recursive ssl_certificate ssl_certificate_key ssl_session_timeout "
         "ssl_session_cache "
         "ssl_prefer_server_ciphers ssl_ciphers ssl_session_tickets ssl_dhparam ssl_client_certificate "
         "ssl_verify_client "
         "ssl_verify_depth http2 client_body_temp_path client_body_in_file_only lingering_close "
         "lingering_time "
         "lingering_timeout max_ranges postpone_output open_file_cache_valid open_file_cache_min_uses "
         "ssl_buffer_size "
         "open_file_cache_errors ignore_invalid_headers limit_conn_status limit_req_status "
         "limit_conn_log_level "
         "limit_req_log_level proxy_temp_path fastcgi_temp_path uwsgi_temp_path scgi_temp_path "
         "subrequest_output_buffer_size",
         WEB | IF, 1, 4, 0},
        {"ssl_protocols gzip_types gzip_proxied resolver large_client_header_buffers output_buffers "
         "open_file_cache gzip_buffers "
         "set_real_ip_from disable_symlinks sub_filter_types charset_types fastcgi_param uwsgi_param",
         WEB | STREAMS, 1, ANY, 0},
        {"log_format", HTTP | STREAM, 2, ANY, 0},
        {"access_log", WEB | IF | LIMIT | STREAMS, 1, ANY, 0},
        {"allow deny", WEB | LIMIT | STREAMS, 1, 1, 0},
        {"auth_basic auth_basic_user_file", WEB | LIMIT, 1, 1, 0},
        {"auth_request auth_request_set", WEB, 1, 2, 0},
        {"limit_req_zone limit_conn_zone proxy_cache_path", HTTP | STREAM, 2, ANY, 0},
        {"limit_req limit_conn", WEB | STREAMS, 1, ANY, 0},
        {"sub_filter", WEB, 2, 2, 0},
        {"sub_filter_once sub_filter_last_modified mirror mirror_request_body", WEB, 1, 1, 0},
        {"stub_status", SERVER | LOCATION, 0, 1, 0},
        {"proxy_pass", LOCATION | IF | LIMIT | STREAM_SERVER, 1, 1, 0},
        {"proxy_set_header", WEB, 2, 2, 0},
        {"proxy_cookie_path proxy_cookie_domain", WEB, 1, 3, 0},
        {"proxy_redirect", WEB, 1, 2, 0},
        {"proxy_connect_timeout proxy_read_timeout proxy_send_timeout proxy_http_version proxy_buffering "
         "proxy_buffer_size "
         "proxy_busy_buffers_size proxy_max_temp_file_size proxy_request_buffering proxy_intercept_errors "
         "proxy_method "
         "proxy_pass_header proxy_hide_header proxy_ignore_client_abort proxy_next_upstream_tries "
         "proxy_next_upstream_timeout "
         "proxy_pass_request_headers proxy_pass_request_body proxy_set_body proxy_ssl_verify "
         "proxy_ssl_server_name "
         "proxy_ssl_name proxy_ssl_trusted_certificate proxy_ssl_certificate proxy_ssl_certificate_key "
         "proxy_cache "
         "proxy_cache_key proxy_cache_lock proxy_cache_bypass proxy_no_cache proxy_socket_keepalive "
         "proxy_bind "
         "proxy_headers_hash_max_size proxy_headers_hash_bucket_size proxy_timeout proxy_protocol "
         "proxy_responses",
         WEB | STREAMS, 1, ANY, 0},
        {"proxy_next_upstream proxy_cache_valid proxy_cache_use_stale proxy_ignore_headers proxy_buffers "
         "proxy_cache_methods "
         "proxy_ssl_protocols proxy_ssl_ciphers",
         WEB, 1, ANY, 0},
        {"fastcgi_pass uwsgi_pass grpc_pass scgi_pass memcached_pass fastcgi_index fastcgi_split_path_info "
         "fastcgi_read_timeout",
         LOCATION | IF, 1, 1, 0},
        {"grpc_set_header", WEB, 2, 2, 0},
        {"ssl_preread", STREAMS, 1, 2, 0},
};

static const struct known *known_at(const char *name, unsigned where, bool *elsewhere)
{
	for (size_t i = 0; i < KT_COUNT(table); i++) {
		if (!kt_listed(table[i].names, name))
			continue;
		if (table[i].where & where)
			return &table[i];
		*elsewhere = true;
	}
	return NULL;
}

/* --- reading --- */
enum { DEEPEST = 24, MOST_WORDS = 256 };
struct reader {
	struct nginx_conf *conf;
	struct files *files;
	const char *file, *at;
	unsigned line, depth;
};

static bool wrong(struct reader *rd, const char *fmt, ...) KT_PRINTF(2, 3);
static bool wrong(struct reader *rd, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	/* a text of the command line has no lines */
	rd->conf->problem =
	        rd->file ? kt_arena_strf(&rd->conf->arena, "%s in %s:%u", kt_buf_str(&text), rd->file,
	                                 rd->line)
	                 : kt_arena_strf(&rd->conf->arena, "%s in command line", kt_buf_str(&text));
	kt_buf_clear(&text);
	return false;
}

/* The next token: ';', '{', '}', 0 at the end, 'w' a word (into `word`), '?' after a problem. */
static int token(struct reader *rd, struct kt_buf *word)
{
	for (;; rd->at++) {
		if (*rd->at == '#')
			rd->at += strcspn(rd->at, "\n");
		if (!*rd->at)
			return 0;
		if (*rd->at == '\n')
			rd->line++;
		else if (!strchr(" \t\r", *rd->at))
			break;
	}
	char first = *rd->at;
	kt_buf_cut(word, 0);
	kt_buf_adds(word, "");
	if (strchr(";{}", first)) {
		rd->at++;
		return first;
	}
	char quote = first == '"' || first == '\'' ? first : '\0';
	rd->at += quote != '\0';
	for (; *rd->at; rd->at++) {
		char c = *rd->at;
		if (quote ? c == quote : strchr(" \t\r\n;", c) != NULL)
			break;
		if (!quote && c == '{' && (!word->len || word->data[word->len - 1] != '$'))
			break;
		if (c == '\n')
			rd->line++;
		if (c == '\\' && rd->at[1]) {
			const char *from = strchr("\"'\\ tnr", rd->at[1]);
			if (from && *from) {
				char next = *++rd->at;
				kt_buf_addc(word, next == 't'   ? '\t'
				                  : next == 'n' ? '\n'
				                  : next == 'r' ? '\r'
				                                : next);
				continue;
			}
			kt_buf_addc(word, c); /* a regular expression's */
			c = *++rd->at;
		} else if (c == '{' && !quote) { /* ${name} */
			while (*rd->at && *rd->at != '}')
				kt_buf_addc(word, *rd->at++);
			c = '}';
			if (!*rd->at)
				break;
		}
		kt_buf_addc(word, c);
	}
	if (quote && *rd->at == quote) {
		rd->at++;
		if (*rd->at && !strchr(" \t\r\n;{)", *rd->at)) {
			(void)wrong(rd, "unexpected \"%c\"", *rd->at);
			return '?';
		}
	}
	return 'w';
}

static bool read_block(struct reader *rd, unsigned where, struct nginx_directive *parent,
                       struct nginx_directive ***tail, bool braces);

static bool read_file(struct reader *rd, const char *path, unsigned where, struct nginx_directive *parent,
                      struct nginx_directive ***tail)
{
	struct kt_buf text = {0};
	int rc = rd->depth > DEEPEST ? 40 /* ELOOP */ : files_read(rd->files, path, &text);
	bool good = false;
	if (rc && rd->file) {
		(void)wrong(rd, "open() \"%s\" failed (%d: %s)", path, rc, tool_strerror(rc));
	} else if (rc) {
		rd->conf->problem = kt_arena_strf(&rd->conf->arena, "open() \"%s\" failed (%d: %s)", path, rc,
		                                  tool_strerror(rc));
	} else {
		struct reader inner = {.conf = rd->conf,
		                       .files = rd->files,
		                       .file = kt_arena_strdup(&rd->conf->arena, path),
		                       .at = kt_buf_str(&text),
		                       .line = 1,
		                       .depth = rd->depth + 1};
		good = read_block(&inner, where, parent, tail, false);
	}
	kt_buf_clear(&text);
	return good;
}

/* A pattern in the last part of the path, in the order of names; a plain name must be there. */
static bool include(struct reader *rd, const char *name, unsigned where, struct nginx_directive *parent,
                    struct nginx_directive ***tail)
{
	char *path = name[0] == '/' ? kt_strdup(name) : kt_strf("/etc/nginx/%s", name);
	char *slash = strrchr(path, '/');
	struct kt_strs names = {0};
	bool good = true;
	if (!strpbrk(slash, "*?[")) {
		good = read_file(rd, path, where, parent, tail);
	} else {
		*slash = '\0';
		(void)files_list(rd->files, *path ? path : "/", &names);
		kt_strs_sort(&names);
		for (size_t i = 0; i < names.count && good; i++) {
			if (!pattern_match(slash + 1, names.items[i]) || names.items[i][0] == '.')
				continue;
			char *one = kt_strf("%s/%s", path, names.items[i]);
			good = read_file(rd, one, where, parent, tail);
			kt_free(one);
		}
	}
	kt_strs_clear(&names);
	kt_free(path);
	return good;
}

/* The directive that `end` closed, when it may be so. */
static bool accept(struct reader *rd, struct nginx_directive *d, unsigned where, int end,
                   struct nginx_directive ***tail)
{
	bool elsewhere = false;
	const struct known *known = where & MAP ? NULL : known_at(d->name, where, &elsewhere);
	if (where & MAP && end == '{')
		return wrong(rd, "unexpected \"{\"");
	if (!known && !(where & MAP))
		return elsewhere ? wrong(rd, "\"%s\" directive is not allowed here", d->name)
		                 : wrong(rd, "unknown directive \"%s\"", d->name);
	if (known && known->inside && end != '{')
		return wrong(rd, "directive \"%s\" has no opening \"{\"", d->name);
	if (known && !known->inside && end == '{')
		return wrong(rd, "directive \"%s\" is not terminated by \";\"", d->name);
	if (known && (d->count < known->least || d->count > known->most))
		return wrong(rd, "invalid number of arguments in \"%s\" directive", d->name);
	if (!strcmp(d->name, "include") && d->count == 1)
		return include(rd, d->args[0], where, d->parent, tail);
	**tail = d;
	*tail = &d->next;
	if (end != '{')
		return true;
	struct nginx_directive **inner = &d->block;
	bool good;
	d->has_block = true;
	if (++rd->depth > DEEPEST)
		return wrong(rd, "too deep");
	good = read_block(rd, known ? known->inside : MAP, d, &inner, true);
	rd->depth--;
	return good;
}

static bool read_block(struct reader *rd, unsigned where, struct nginx_directive *parent,
                       struct nginx_directive ***tail, bool braces)
{
	struct kt_buf word = {0};
	struct kt_strs words = {0};
	bool good = true, closed = false;
	while (good && !closed) {
		int got = token(rd, &word);
		if (got == 'w' && words.count < MOST_WORDS) {
			kt_strs_add(&words, kt_buf_str(&word));
		} else if (got == 'w') {
			good = wrong(rd, "too many words");
		} else if (got == '?') {
			good = false;
		} else if (got == 0) {
			if (words.count)
				good = wrong(rd, "unexpected end of file, expecting \";\" or \"}\"");
			else if (braces)
				good = wrong(rd, "unexpected end of file, expecting \"}\"");
			closed = true;
		} else if (got == '}') {
			if (words.count || !braces)
				good = wrong(rd, "unexpected \"}\"");
			closed = true;
		} else if (!words.count) {
			good = wrong(rd, "unexpected \"%c\"", got);
		} else {
			struct nginx_directive *d = kt_arena_alloc(&rd->conf->arena, sizeof(*d));
			d->args = kt_arena_alloc(&rd->conf->arena, words.count * sizeof(*d->args));
			for (size_t i = 0; i < words.count; i++)
				d->args[i] = kt_arena_strdup(&rd->conf->arena, words.items[i]);
			d->name = d->args[0];
			d->args++;
			d->count = words.count - 1;
			d->file = rd->file ? rd->file : "command line";
			d->line = rd->line;
			d->parent = parent;
			kt_strs_clear(&words);
			good = accept(rd, d, where, got, tail);
		}
	}
	kt_strs_clear(&words);
	kt_buf_clear(&word);
	return good;
}

bool nginx_conf_read(struct nginx_conf *conf, struct files *files, const char *path, const char *globals)
{
	struct nginx_directive **tail = &conf->top;
	struct reader rd = {.conf = conf, .files = files, .at = globals ? globals : "", .line = 1};
	if (!read_block(&rd, MAIN, NULL, &tail, false) || !read_file(&rd, path, MAIN, NULL, &tail))
		return false;
	return true;
}

struct nginx_conf *nginx_conf_ref(struct nginx_conf *conf)
{
	conf->holders++;
	return conf;
}

void nginx_conf_unref(struct nginx_conf *conf)
{
	if (!conf || --conf->holders)
		return;
	kt_arena_clear(&conf->arena);
	kt_free(conf);
}

const struct nginx_directive *nginx_find(const struct nginx_directive *in, const char *name)
{
	for (; in; in = in->next)
		if (!strcmp(in->name, name))
			return in;
	return NULL;
}

const char *nginx_value(const struct nginx_directive *in, const char *name)
{
	const struct nginx_directive *d = nginx_find(in, name);
	return d ? d->count ? d->args[0] : "" : NULL;
}

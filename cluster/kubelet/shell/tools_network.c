/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/fetch.h"
#include "cluster/kubelet/shell/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVERY "busybox debian"

struct client {
	struct fetch fetch;
	const char *url, *output, *method;
	struct kt_json *headers;
	struct kt_buf body;
	bool quiet, spider, server_headers;
	int failed; /* why --post-file could not be read */
	kt_ns limit;
	unsigned redirects;
};

static void end_client(struct tool_run *r)
{
	struct client *s = r->state;
	fetch_clear(&s->fetch);
	kt_json_free(s->headers);
	kt_buf_clear(&s->body);
}

/* --- wget, as busybox has it --- */
enum wget_word {
	WGET_QUIET,
	WGET_HEADERS,
	WGET_SPIDER,
	WGET_OUTPUT,
	WGET_AGENT,
	WGET_LIMIT,
	WGET_HEADER,
	WGET_DATA,
	WGET_FILE,
	WGET_NOTHING
};
static const struct option_row wget_rows[] = {
        {"quiet", 'q', OPTION_ALONE, WGET_QUIET, 0},
        {"server-response", 'S', OPTION_ALONE, WGET_HEADERS, 0},
        {"spider", 0, OPTION_ALONE, WGET_SPIDER, 0},
        {"continue", 'c', OPTION_ALONE, WGET_NOTHING, 0},
        {"no-check-certificate", 0, OPTION_ALONE, WGET_NOTHING, 0},
        {"no-verbose", 0, OPTION_ALONE, WGET_NOTHING, 0},
        {"no-clobber", 0, OPTION_ALONE, WGET_NOTHING, 0},
        {"passive-ftp", 0, OPTION_ALONE, WGET_NOTHING, 0},
        {"output-document", 'O', OPTION_VALUE, WGET_OUTPUT, 0},
        {"output-file", 'o', OPTION_VALUE, WGET_NOTHING, 0},
        {"timeout", 'T', OPTION_VALUE, WGET_LIMIT, 0},
        {"tries", 't', OPTION_VALUE, WGET_NOTHING, 0},
        {"proxy", 'Y', OPTION_VALUE, WGET_NOTHING, 0},
        {"directory-prefix", 'P', OPTION_VALUE, WGET_NOTHING, 0},
        {"user-agent", 'U', OPTION_VALUE, WGET_AGENT, 0},
        {"header", 0, OPTION_VALUE, WGET_HEADER, 0},
        {"post-data", 0, OPTION_VALUE, WGET_DATA, 0},
        {"post-file", 0, OPTION_VALUE, WGET_FILE, 0},
};

static void wget_take(struct tool_run *r, const struct option_row *row, const char *value)
{
	struct client *s = r->state;
	switch (row ? (enum wget_word)row->what : WGET_NOTHING) {
	case WGET_QUIET:
		s->quiet = true;
		break;
	case WGET_HEADERS:
		s->server_headers = true;
		break;
	case WGET_SPIDER:
		s->spider = true;
		break;
	case WGET_OUTPUT:
		s->output = value;
		break;
	case WGET_AGENT:
		kt_set(&s->headers, "User-Agent", kt_json_str(value));
		break;
	case WGET_LIMIT:
		s->limit = fetch_seconds(value);
		break;
	case WGET_HEADER:
		fetch_add_header(&s->headers, value);
		break;
	case WGET_DATA:
		s->method = "POST";
		kt_buf_adds(&s->body, value);
		break;
	case WGET_FILE: {
		char *path = tool_path(r, value);
		s->method = "POST";
		s->failed = special_file(r->task, path, &s->body);
		if (s->failed)
			tool_errf(r, "%s: %s", value, tool_strerror(s->failed));
		kt_free(path);
		break;
	}
	case WGET_NOTHING:
		s->url = row ? s->url : value;
		break;
	}
}

static bool wget_options(struct tool_run *r, struct client *s)
{
	static const struct option_table table = {wget_rows, KT_COUNT(wget_rows), true, wget_take};
	bool known;
	s->method = "GET";
	s->limit = 900 * KT_SEC;
	kt_set(&s->headers, "User-Agent", kt_json_str("Wget"));
	kt_set(&s->headers, "Connection", kt_json_str("close"));
	const char *bad = options_read(r, &table, &known);
	if (bad)
		tool_errf(r, known ? "option '%s' requires an argument" : "unrecognized option '%s'", bad);
	if (s->method[0] == 'P' && !network_header(s->headers, "Content-Type"))
		kt_set(&s->headers, "Content-Type", kt_json_str("application/x-www-form-urlencoded"));
	return !bad && !s->failed;
}

static void wget_bar(struct tool_run *r, const char *name, size_t size)
{
	tool_err(r, "%-20.20s 100%% |********************************| %5zu  0:00:00 ETA\n", name, size);
}

/* -S */
static void wget_headers(struct tool_run *r, const struct network_http_response *response)
{
	char *line = network_status_line(response);
	tool_err(r, "  %s\n", line);
	kt_free(line);
	for (size_t i = 0; i < kt_count(response->headers); i++)
		tool_err(r, "  %s: %s\n", kt_key(response->headers, i),
		         kt_str_or(kt_at(response->headers, i), ""));
	tool_err(r, "  \n");
}

static int wget_answer(struct tool_run *r, struct client *s)
{
	const struct network_http_response *response = &s->fetch.response;
	if (s->server_headers)
		wget_headers(r, response);
	if (response->status >= 300) {
		char *line = network_status_line(response);
		int status = tool_fail(r, 1, "server returned error: %s", line);
		kt_free(line);
		return status;
	}
	if (s->spider) {
		if (!s->quiet)
			tool_err(r, "remote file exists\n");
		return 0;
	}
	const char *base = kt_basename(s->fetch.path);
	char *name = kt_strndup(base, strcspn(base, "?"));
	const char *file = s->output ? s->output : (*name ? name : "index.html");
	bool standard = !strcmp(file, "-");
	if (!s->quiet)
		tool_err(r, standard ? "writing to stdout\n" : "saving to '%s'\n", file);
	fetch_save(r, file, &response->body);
	if (!s->quiet) {
		wget_bar(r, kt_basename(file), response->body.len);
		tool_err(r, standard ? "written to stdout\n" : "'%s' saved\n", file);
	}
	kt_free(name);
	return 0;
}

enum { MOST_REDIRECTS = 20 };

/* The host as the URL has it: a port that is not the usual one is part of it. */
static void tell_connecting(struct tool_run *r, const struct fetch *f)
{
	char *port = f->port == (f->https ? 443u : 80u) ? kt_strdup("") : kt_strf(":%u", f->port);
	tool_err(r, "Connecting to %s%s (%s:%u)\n", f->host, port, f->address, f->port);
	kt_free(port);
}

static int run_wget(struct tool_run *r)
{
	struct client *s = r->state;
	struct fetch *f = &s->fetch;
	if (!r->opened) {
		r->opened = true;
		if (!wget_options(r, s))
			return 1;
		if (!s->url || !fetch_url(f, s->url))
			return tool_fail(r, 1, s->url ? "not an http or ftp url: %s" : "missing URL",
			                 s->url ? s->url : "");
		f->limit = s->limit;
	}
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	if (f->stage == 3 && f->result == FETCH_OK)
		f->total = process_now(r->task->process) - f->started + s->limit;
	switch (f->result) {
	case FETCH_BAD_NAME:
	case FETCH_NO_DNS:
		if (fetch_lost_patience(f))
			return tool_fail(r, 1, "download timed out");
		return f->with_port ? tool_fail(r, 1, "bad address '%s:%u'", f->host, f->port)
		                    : tool_fail(r, 1, "bad address '%s'", f->host);
	case FETCH_REFUSED:
		if (!s->quiet)
			tell_connecting(r, f);
		return tool_fail(r, 1, "can't connect to remote host (%s): Connection refused", f->address);
	case FETCH_UNREACHABLE:
		return tool_fail(r, 1, "can't connect to remote host (%s): Host is unreachable", f->address);
	case FETCH_TIMEOUT:
		if (!s->quiet)
			tell_connecting(r, f);
		return tool_fail(r, 1, "download timed out");
	case FETCH_SLOW:
	case FETCH_SILENT:
	case FETCH_EMPTY:
	case FETCH_OK:
	default:
		break;
	}
	if (f->stage == 3 && !s->quiet)
		tell_connecting(r, f);
	if (fetch_request(r, f, s->spider ? "HEAD" : s->method, s->headers,
	                  s->body.len ? s->body.data : NULL))
		return TOOL_WAIT;
	if (f->result == FETCH_EMPTY)
		return tool_fail(r, 1, "error getting response");
	if (f->result != FETCH_OK)
		return tool_fail(r, 1, "download timed out");
	char *to = fetch_redirect(f);
	if (!to)
		return wget_answer(r, s);
	if (s->server_headers)
		wget_headers(r, &f->response);
	bool goes_on = ++s->redirects <= MOST_REDIRECTS;
	fetch_clear(f);
	goes_on = goes_on && fetch_url(f, to);
	f->limit = s->limit;
	kt_free(to);
	return goes_on ? TOOL_AGAIN : tool_fail(r, 1, "too many redirections");
}

/* --- nc --- */
struct netcat {
	struct fetch fetch;
	bool scan, verbose, listen, keep, udp, opened, connected;
	kt_ns limit;
	unsigned port, last;
	struct kt_buf input;
	struct kt_buf received;
	bool met, spoke;
	struct kt_strs program; /* -e: what answers each connection */
};

/* The words of a program that answers HTTP itself: its status line, headers, body. */
static void nc_parse(const char *text, size_t len, struct network_http_response *response)
{
	response->status = len ? 200 : 0;
	if (!kt_starts(text, "HTTP/1.")) {
		kt_buf_add(&response->body, text, len);
		return;
	}
	const char *body = strstr(text, "\r\n\r\n"), *bare = strstr(text, "\n\n");
	long status = strtol(text + 8, NULL, 10);
	response->status = status >= 100 && status < 600 ? (int)status : 200;
	const char *from = body ? body + 4 : (bare ? bare + 2 : text + len);
	const char *lines = strchr(text, '\n');
	size_t line_len;
	for (const char *line; lines && lines + 1 < from;) {
		const char *rest = lines + 1;
		line = kt_split(&rest, '\n', &line_len);
		while (line_len && line[line_len - 1] == '\r')
			line_len--;
		char *one = kt_strndup(line, line_len);
		fetch_add_header(&response->headers, one);
		kt_free(one);
		lines = rest ? rest - 1 : NULL;
	}
	kt_buf_add(&response->body, from, len - (size_t)(from - text));
}

/* -e: the program gets what comes over the connection, and its output goes back. */
static void nc_run(struct tool_run *r, const void *data, size_t len, struct kt_buf *reply, kt_ns *took)
{
	struct netcat *s = r->state;
	enum { DEEPEST = 8 };
	if (r->task->process->steps >= DEEPEST)
		return;
	r->task->process->steps++;
	kt_strs_add(&s->program, "");
	char *last = s->program.items[s->program.count - 1];
	s->program.items[s->program.count - 1] = NULL;
	(void)process_answer(tool_container(r), (const char *const *)s->program.items, data, len, reply, took,
	                     NULL);
	s->program.items[s->program.count - 1] = last;
	kt_free(last);
	s->program.count--;
	r->task->process->steps--;
	kt_buf_adds(reply, "");
	s->met = true;
	process_changed(r->task->process);
}

static void nc_serve(void *arg, const struct network_http_request *request,
                     struct network_http_response *response)
{
	struct tool_run *r = arg;
	struct netcat *s = r->state;
	struct chan *chan = r->task->fds[0].chan;
	struct kt_buf got = {0};
	kt_buf_addf(&got, "%s %s HTTP/1.1\r\nHost: %s\r\n", request->method, request->path,
	            request->host ? request->host : "");
	for (size_t i = 0; i < kt_count(request->headers); i++)
		if (strcasecmp(kt_key(request->headers, i), "host") != 0)
			kt_buf_addf(&got, "%s: %s\r\n", kt_key(request->headers, i),
			            kt_str_or(kt_at(request->headers, i), ""));
	if (request->body_len && !network_header(request->headers, "Content-Length"))
		kt_buf_addf(&got, "Content-Length: %zu\r\n", request->body_len);
	kt_buf_adds(&got, "\r\n");
	kt_buf_add(&got, request->body ? request->body : "", request->body_len);
	if (s->program.count) {
		struct kt_buf reply = {0};
		kt_ns took = 0;
		nc_run(r, got.data, got.len, &reply, &took);
		response->takes += took;
		nc_parse(kt_buf_str(&reply), reply.len, response);
		kt_buf_clear(&reply);
		kt_buf_clear(&got);
		return;
	}
	kt_buf_add(&s->received, got.data, got.len);
	kt_buf_clear(&got);
	const char *text = chan && chan->data.len > chan->offset ? chan->data.data + chan->offset : "";
	size_t len = chan ? chan->data.len - chan->offset : 0;
	nc_parse(text, len, response);
	s->met = true;
	process_changed(r->task->process);
}

static void nc_bytes(void *arg, const void *data, size_t len, struct kt_buf *reply)
{
	struct tool_run *r = arg;
	struct netcat *s = r->state;
	struct chan *chan = r->task->fds[0].chan;
	if (s->program.count) {
		kt_ns took = 0;
		nc_run(r, data, len, reply, &took);
		return;
	}
	kt_buf_add(&s->received, data, len);
	if (chan && chan->data.len > chan->offset)
		kt_buf_add(reply, chan->data.data + chan->offset, chan->data.len - chan->offset);
	s->met = true;
	process_changed(r->task->process);
}

static void end_nc(struct tool_run *r)
{
	struct netcat *s = r->state;
	const struct container *c = tool_container(r);
	if (s->listen && s->opened && c->pod_ip)
		network_unlisten(c->cluster, c->pod_ip, s->port, s->udp ? "UDP" : "TCP");
	fetch_clear(&s->fetch);
	kt_buf_clear(&s->input);
	kt_buf_clear(&s->received);
	kt_strs_clear(&s->program);
}

static int nc_listen(struct tool_run *r, struct netcat *s)
{
	const struct container *c = tool_container(r);
	if (!s->opened) {
		struct network_listener listener = {.address = c->pod_ip,
		                                    .port = s->port,
		                                    .protocol = s->udp ? "UDP" : "TCP",
		                                    .http = true,
		                                    .serve = nc_serve,
		                                    .bytes = nc_bytes,
		                                    .arg = r,
		                                    .ns = c->ns,
		                                    .pod = c->pod,
		                                    .container = c->name};
		if (!c->pod_ip || network_is_listening(c->cluster, c->pod_ip, s->port, listener.protocol))
			return tool_fail(r, 1, "bind: Address in use");
		network_listen(c->cluster, &listener);
		s->opened = true;
		if (s->verbose)
			tool_err(r,
			         tool_busybox(r) ? "listening on [::]:%u ...\n" : "Listening on 0.0.0.0 %u\n",
			         s->port);
	}
	if (s->received.len) {
		tool_out(r, s->received.data, s->received.len);
		kt_buf_cut(&s->received, 0);
	}
	if (s->met && !s->keep)
		return 0;
	return TOOL_WAIT;
}

static bool nc_options(struct tool_run *r, struct netcat *s)
{
	size_t at = 1, in = 0;
	const char *value, *host = NULL, *port = NULL;
	int option;
	while (at < r->argv.count) {
		if (!in && (r->argv.items[at][0] != '-' || !r->argv.items[at][1])) {
			if (!host)
				host = r->argv.items[at];
			else if (!port)
				port = r->argv.items[at];
			at++;
			continue;
		}
		option = tool_option(r, &at, &in, "zvlkunNhw:p:s:e:q:i:46", &value);
		if (option == '?')
			return false;
		s->scan = s->scan || option == 'z';
		s->verbose = s->verbose || option == 'v';
		s->keep = s->keep || option == 'k' || (option == 'l' && s->listen); /* -ll */
		s->listen = s->listen || option == 'l';
		s->udp = s->udp || option == 'u';
		if (option == 'w')
			s->limit = fetch_seconds(value);
		if (option == 'p')
			port = value;
		if (option == 'e') { /* the rest is the program's */
			char *program = strchr(value, '/') ? tool_path(r, value) : kt_strdup(value);
			kt_strs_add(&s->program, program);
			kt_free(program);
			while (at < r->argv.count)
				kt_strs_add(&s->program, r->argv.items[at++]);
		}
	}
	if (s->listen && !port)
		port = host;
	if (!port || (!host && !s->listen)) {
		tool_err(r, "usage: nc [-hklnuvz] [-w timeout] [destination] [port]\n");
		return false;
	}
	char *end;
	s->port = (unsigned)strtoul(port, &end, 10);
	s->last = *end == '-' ? (unsigned)strtoul(end + 1, NULL, 10) : s->port;
	if (!s->port || s->port > 65535 || s->last > 65535) {
		tool_errf(r, tool_busybox(r) ? "bad port '%s'" : "port number invalid: %s", port);
		return false;
	}
	s->fetch.host = kt_strdup(host);
	s->fetch.port = s->port;
	s->fetch.limit = s->limit;
	s->fetch.protocol = s->udp ? "UDP" : NULL;
	return true;
}

static int nc_result(struct tool_run *r, struct netcat *s)
{
	struct fetch *f = &s->fetch;
	bool busybox = tool_busybox(r) && !image_has_tools(r->task->process->image, "netshoot");
	bool open = f->result == FETCH_OK || (s->udp && f->result == FETCH_TIMEOUT);
	if (f->result == FETCH_BAD_NAME || f->result == FETCH_NO_DNS) {
		if (busybox && fetch_lost_patience(f))
			return tool_fail(r, 1, "timed out");
		if (busybox)
			return tool_fail(r, 1, "bad address '%s'", f->host);
		return tool_fail(r, 1, "getaddrinfo for host \"%s\" port %u: Name or service not known",
		                 f->host, f->port);
	}
	if (open && s->verbose) {
		if (busybox)
			tool_err(r, "%s (%s:%u) open\n", f->host, f->address, f->port);
		else
			tool_err(r, "Connection to %s %u port [%s/*] succeeded!\n", f->host, f->port,
			         s->udp ? "udp" : "tcp");
	}
	if (open)
		return 0;
	if (!busybox) {
		if (s->verbose || !s->scan)
			tool_errf(r, "connect to %s port %u (tcp) %s", f->host, f->port,
			          f->result == FETCH_REFUSED
			                  ? "failed: Connection refused"
			                  : (f->result == FETCH_UNREACHABLE
			                             ? "failed: No route to host"
			                             : "timed out: Operation in progress"));
		return 1;
	}
	if (f->result == FETCH_TIMEOUT) {
		if (s->limit)
			return tool_fail(r, 1, "timed out");
		return tool_fail(r, 1, "%s (%s:%u): Connection timed out", f->host, f->address, f->port);
	}
	if (s->verbose || !s->scan)
		tool_errf(r, "%s (%s:%u): %s", f->host, f->address, f->port,
		          f->result == FETCH_REFUSED ? "Connection refused" : "Host is unreachable");
	return 1;
}

static int run_nc(struct tool_run *r)
{
	struct netcat *s = r->state;
	if (!r->opened) {
		r->opened = true;
		if (!nc_options(r, s))
			return 1;
	}
	if (s->listen)
		return nc_listen(r, s);
	while (!s->connected) {
		if (fetch_connect(r, &s->fetch))
			return TOOL_WAIT;
		int rc = nc_result(r, s);
		if (s->scan && s->fetch.port < s->last) {
			char *host = kt_strdup(s->fetch.host);
			unsigned next = s->fetch.port + 1;
			fetch_clear(&s->fetch);
			s->fetch = (struct fetch){.host = host, .port = next, .limit = s->limit};
			continue;
		}
		if (rc || s->scan)
			return rc;
		s->connected = true;
		tool_inputs(r, r->argv.count);
	}
	/* a conversation: what stdin has, and what comes back */
	int rc = tool_all(r, &s->input);
	if (rc == TOOL_WAIT && !s->input.len)
		return TOOL_WAIT;
	const struct network_listener *listener =
	        network_path_listener(r->task->process->cluster, &s->fetch.to);
	if (s->fetch.to.listener && !listener)
		return 0; /* the other side is gone */
	bool listens =
	        rc != TOOL_WAIT && !s->spoke; /* it has nothing to say, and hears what the other does */
	if (listener && listener->bytes && (s->input.len || listens)) {
		struct kt_buf reply = {0};
		s->spoke = true;
		listener->bytes(listener->arg, kt_buf_str(&s->input), s->input.len, &reply);
		tool_out(r, kt_buf_str(&reply), reply.len);
		kt_buf_clear(&reply);
		kt_buf_cut(&s->input, 0);
	} else if (listener && listener->serve && s->input.len) {
		struct network_http_response response = {0};
		char *path = NULL;
		const char *space = strchr(s->input.data, ' ');
		if (space)
			path = kt_strndup(space + 1, strcspn(space + 1, " \r\n"));
		struct network_http_request request = {.method = "GET",
		                                       .path = path ? path : "/",
		                                       .host = s->fetch.host,
		                                       .client = tool_container(r)->pod_ip};
		if (network_serve(r->task->process->cluster, &s->fetch.to, &request, &response)) {
			char *line = network_status_line(&response);
			tool_outf(r, "%s\r\n\r\n", line);
			kt_free(line);
			tool_out(r, kt_buf_str(&response.body), response.body.len);
		}
		network_http_response_clear(&response);
		kt_free(path);
		return 0;
	}
	return rc == TOOL_WAIT ? TOOL_WAIT : 0;
}

/* --- ping --- */
struct ping {
	struct fetch fetch;
	int64_t count, sent, got;
	kt_ns limit;
	bool ready;
};

static void end_ping(struct tool_run *r)
{
	fetch_clear(&((struct ping *)r->state)->fetch);
}

static int run_ping(struct tool_run *r)
{
	struct ping *s = r->state;
	if (!r->opened) {
		r->opened = true;
		s->count = INT64_MAX;
		for (size_t i = 1; i < r->argv.count; i++) {
			const char *word = r->argv.items[i];
			if (word[0] == '-' && strchr("cWwis", word[1]) && word[1]) {
				const char *value =
				        word[2] ? word + 2
				                : (i + 1 < r->argv.count ? r->argv.items[++i] : "1");
				if (word[1] == 'c')
					s->count = strtoll(value, NULL, 10);
				if (word[1] == 'w')
					s->limit = fetch_seconds(value);
			} else if (word[0] != '-') {
				s->fetch.host = kt_strdup(word);
			}
		}
		if (!s->fetch.host)
			return tool_fail(r, 1, "missing host");
		s->fetch.port = 7;
		s->fetch.protocol = "ICMP";
	}
	struct fetch *f = &s->fetch;
	if (!s->ready) {
		if (f->stage < 2 && fetch_connect(r, f) && f->stage < 2)
			return TOOL_WAIT;
		if (f->result == FETCH_BAD_NAME || f->result == FETCH_NO_DNS)
			return tool_fail(r, tool_busybox(r) ? 1 : 2,
			                 tool_busybox(r) ? "bad address '%s'"
			                                 : "%s: Name or service not known",
			                 f->host);
		r->until = 0;
		s->ready = true;
		tool_outf(r,
		          tool_busybox(r) ? "PING %s (%s): 56 data bytes\n"
		                          : "PING %s (%s) 56(84) bytes of data.\n",
		          f->host, f->address);
	}
	/* a pod answers when policies and links let it; the virtual address of a Service never does */
	bool answers = f->to.outcome == NETWORK_OPEN ||
	               (f->to.outcome == NETWORK_REFUSED && !kt_starts(f->to.why, "service"));
	while (s->sent < s->count) {
		if (!r->until) {
			if (answers) {
				tool_outf(r,
				          tool_busybox(r)
				                  ? "64 bytes from %s: seq=%lld ttl=62 time=%.3f ms\n"
				                  : "64 bytes from %s: icmp_seq=%lld ttl=62 time=%.3f ms\n",
				          f->address, (long long)s->sent + !tool_busybox(r),
				          (double)f->to.latency / 1e6);
				s->got++;
			}
			s->sent++;
		}
		if (tool_sleep(r, s->sent == s->count ? KT_MS : KT_SEC))
			return TOOL_WAIT;
		if (s->limit && process_now(r->task->process) - f->started >= s->limit)
			break;
	}
	tool_outf(r, "\n--- %s ping statistics ---\n%lld packets transmitted, %lld %s, %lld%% packet loss\n",
	          f->host, (long long)s->sent, (long long)s->got,
	          tool_busybox(r) ? "packets received" : "received",
	          (long long)(s->sent ? 100 * (s->sent - s->got) / s->sent : 0));
	if (s->got)
		tool_outf(r, "round-trip min/avg/max = %.3f/%.3f/%.3f ms\n", (double)f->to.latency / 1e6,
		          (double)f->to.latency / 1e6, (double)f->to.latency / 1e6);
	return s->got ? 0 : 1;
}

static int run_traceroute(struct tool_run *r)
{
	struct ping *s = r->state;
	if (!s->fetch.host)
		s->fetch.host = kt_strdup(r->argv.count > 1 ? r->argv.items[r->argv.count - 1] : "localhost");
	s->fetch.port = 33434;
	s->fetch.protocol = "UDP";
	s->fetch.limit = 5 * KT_SEC;
	if (fetch_connect(r, &s->fetch))
		return TOOL_WAIT;
	if (!s->fetch.address)
		return tool_fail(r, 1, "bad address '%s'", s->fetch.host);
	tool_outf(r, "traceroute to %s (%s), 30 hops max, 46 byte packets\n 1  %s  0.05 ms\n", s->fetch.host,
	          s->fetch.address, "10.244.0.1");
	bool there = s->fetch.result == FETCH_OK || s->fetch.result == FETCH_REFUSED;
	tool_outf(r, there ? " 2  %s  %.3f ms\n" : " 2  *  *  *%.0s%.0f\n", s->fetch.address,
	          there ? (double)s->fetch.to.latency / 1e6 : 0.0);
	return 0;
}

static void socket_line(void *arg, const struct network_listener *listener)
{
	struct tool_run *r = arg;
	if (kt_streq(r->tool->name, "ss"))
		tool_outf(r, "%s  LISTEN 0      511          0.0.0.0:%-5u      0.0.0.0:*\n",
		          listener->protocol[0] == 'U' ? "udp" : "tcp", listener->port);
	else
		tool_outf(r, "%s        0      0 0.0.0.0:%-15u 0.0.0.0:*               LISTEN\n",
		          listener->protocol[0] == 'U' ? "udp" : "tcp", listener->port);
}

static int run_sockets(struct tool_run *r)
{
	const struct container *c = tool_container(r);
	tool_outs(r, kt_streq(r->tool->name, "ss")
	                     ? "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"
	                     : "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local "
	                       "Address           Foreign "
	                       "Address         State\n");
	if (c->pod_ip)
		network_each_listener(c->cluster, c->pod_ip, socket_line, r);
	return 0;
}

static int run_ip(struct tool_run *r)
{
	const char *ip = tool_container(r)->pod_ip, *what = r->argv.count > 1 ? r->argv.items[1] : "addr";
	if (what[0] == 'r' || kt_streq(r->tool->name, "route"))
		tool_outf(r,
		          "default via 10.244.0.1 dev eth0\n10.244.0.0/24 via 10.244.0.1 dev eth0 src %s\n",
		          ip ? ip : "");
	else if (kt_streq(r->tool->name, "ifconfig"))
		tool_outf(
		        r,
		        "eth0      Link encap:Ethernet  HWaddr 02:42:0A:F4:00:02\n          inet addr:%s  "
		        "Bcast:0.0.0.0  "
		        "Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n",
		        ip ? ip : "");
	else
		tool_outf(r,
		          "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    "
		          "link/loopback 00:00:00:00:00:00 brd "
		          "00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever "
		          "preferred_lft forever\n"
		          "2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue\n    "
		          "link/ether "
		          "02:42:0a:f4:00:02 brd ff:ff:ff:ff:ff:ff\n    inet %s/24 scope global eth0\n       "
		          "valid_lft forever "
		          "preferred_lft forever\n",
		          ip ? ip : "");
	return 0;
}

#define CLIENT .state_size = sizeof(struct client), .end = end_client
const struct tool tools_network[] = {
        {.name = "ifconfig", .sets = "busybox netshoot", .run = run_ip},
        {.name = "ip", .sets = "busybox netshoot", .run = run_ip},
        {.name = "nc",
         .sets = "busybox netshoot",
         .run = run_nc,
         .state_size = sizeof(struct netcat),
         .end = end_nc},
        {.name = "ncat",
         .sets = "netshoot",
         .run = run_nc,
         .state_size = sizeof(struct netcat),
         .end = end_nc},
        {.name = "netstat", .sets = "busybox netshoot", .run = run_sockets},
        {.name = "ping",
         .sets = "busybox netshoot",
         .run = run_ping,
         .state_size = sizeof(struct ping),
         .end = end_ping},
        {.name = "route", .sets = "busybox netshoot", .run = run_ip},
        {.name = "ss", .sets = "netshoot", .run = run_sockets},
        {.name = "telnet",
         .sets = "busybox netshoot",
         .run = run_nc,
         .state_size = sizeof(struct netcat),
         .end = end_nc},
        {.name = "traceroute",
         .sets = "busybox netshoot",
         .run = run_traceroute,
         .state_size = sizeof(struct ping),
         .end = end_ping},
        {.name = "wget", .sets = "busybox netshoot", .run = run_wget, CLIENT},
        {.name = NULL},
};

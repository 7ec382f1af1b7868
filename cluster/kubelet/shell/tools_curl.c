/* SPDX-License-Identifier: MIT */
/* curl. Source: its manual page; exit codes and words as of 8.16. */
#include "cluster/kubelet/shell/fetch.h"
#include "cluster/kubelet/shell/options.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"

#define VERSION "8.16.0"
#define AGENT   "curl/" VERSION
enum { MOST_REDIRECTS = 50, MOST_RETRIES = 100, MOST_URLS = 10000 };

struct curl {
	struct fetch fetch;
	struct kt_strs urls, outputs;
	struct kt_json *headers, *addresses; /* {"host:port": address} of --resolve */
	struct kt_buf body, input;           /* what came by stdin, where it is asked for */
	struct kt_buf page;                  /* what is shown: headers where they are wanted, the body */
	bool silent, show_error, head, insecure, fail, fail_with_body, location, include, verbose, get,
	        remote_name, retry_refused, retry_all, no_meter, version, compressed, literal, told;
	const char *dump, *range; /* where headers go; which bytes */
	const char *format, *method, *user, *bearer, *agent, *authority, *referer, *cookie, *content_type,
	        *most_redirects;
	kt_ns limit, total, retry_delay;
	int64_t retries, tried, redirects;
	size_t at; /* which URL */
	char *url; /* as followed so far */
};

static void end_curl(struct tool_run *r)
{
	struct curl *s = r->state;
	fetch_clear(&s->fetch);
	kt_strs_clear(&s->urls);
	kt_strs_clear(&s->outputs);
	kt_json_free(s->headers);
	kt_json_free(s->addresses);
	kt_buf_clear(&s->body);
	kt_buf_clear(&s->input);
	kt_buf_clear(&s->page);
	kt_free(s->url);
}

/* --- options --- */
enum kind {
	FLAG,
	TEXT,
	SECONDS,
	HEADER,
	DATA, /* a file's lines run together */
	BINARY,
	RAW, /* no file */
	ENCODED,
	JSON,
	FORM,
	UPLOAD,
	RESOLVE,
	URL,
	OUTPUT,
	RETRIES,
	NOTHING
};
#define AT(member) offsetof(struct curl, member)
static const struct option_row options[] = {
        {"silent", 's', OPTION_ALONE, FLAG, AT(silent)},
        {"show-error", 'S', OPTION_ALONE, FLAG, AT(show_error)},
        {"head", 'I', OPTION_ALONE, FLAG, AT(head)},
        {"insecure", 'k', OPTION_ALONE, FLAG, AT(insecure)},
        {"fail", 'f', OPTION_ALONE, FLAG, AT(fail)},
        {"fail-with-body", 0, OPTION_ALONE, FLAG, AT(fail_with_body)},
        {"location", 'L', OPTION_ALONE, FLAG, AT(location)},
        {"include", 'i', OPTION_ALONE, FLAG, AT(include)},
        {"show-headers", 0, OPTION_ALONE, FLAG, AT(include)},
        {"verbose", 'v', OPTION_ALONE, FLAG, AT(verbose)},
        {"get", 'G', OPTION_ALONE, FLAG, AT(get)},
        {"remote-name", 'O', OPTION_ALONE, FLAG, AT(remote_name)},
        {"retry-connrefused", 0, OPTION_ALONE, FLAG, AT(retry_refused)},
        {"retry-all-errors", 0, OPTION_ALONE, FLAG, AT(retry_all)},
        {"no-progress-meter", 0, OPTION_ALONE, FLAG, AT(no_meter)},
        {"location-trusted", 0, OPTION_ALONE, FLAG, AT(location)},
        {"version", 'V', OPTION_ALONE, FLAG, AT(version)},
        {"compressed", 0, OPTION_ALONE, FLAG, AT(compressed)},
        {"globoff", 'g', OPTION_ALONE, FLAG, AT(literal)},
        {"dump-header", 'D', OPTION_VALUE, TEXT, AT(dump)},
        {"range", 'r', OPTION_VALUE, TEXT, AT(range)},
        {"write-out", 'w', OPTION_VALUE, TEXT, AT(format)},
        {"request", 'X', OPTION_VALUE, TEXT, AT(method)},
        {"user", 'u', OPTION_VALUE, TEXT, AT(user)},
        {"oauth2-bearer", 0, OPTION_VALUE, TEXT, AT(bearer)},
        {"user-agent", 'A', OPTION_VALUE, TEXT, AT(agent)},
        {"cacert", 0, OPTION_VALUE, TEXT, AT(authority)},
        {"referer", 'e', OPTION_VALUE, TEXT, AT(referer)},
        {"cookie", 'b', OPTION_VALUE, TEXT, AT(cookie)},
        {"max-redirs", 0, OPTION_VALUE, TEXT, AT(most_redirects)},
        {"max-time", 'm', OPTION_VALUE, SECONDS, AT(total)},
        {"connect-timeout", 0, OPTION_VALUE, SECONDS, AT(limit)},
        {"retry-delay", 0, OPTION_VALUE, SECONDS, AT(retry_delay)},
        {"retry", 0, OPTION_VALUE, RETRIES, 0},
        {"header", 'H', OPTION_VALUE, HEADER, 0},
        {"data", 'd', OPTION_VALUE, DATA, 0},
        {"data-raw", 0, OPTION_VALUE, RAW, 0},
        {"data-binary", 0, OPTION_VALUE, BINARY, 0},
        {"data-ascii", 0, OPTION_VALUE, DATA, 0},
        {"data-urlencode", 0, OPTION_VALUE, ENCODED, 0},
        {"json", 0, OPTION_VALUE, JSON, 0},
        {"form", 'F', OPTION_VALUE, FORM, 0},
        {"upload-file", 'T', OPTION_VALUE, UPLOAD, 0},
        {"resolve", 0, OPTION_VALUE, RESOLVE, 0},
        {"url", 0, OPTION_VALUE, URL, 0},
        {"output", 'o', OPTION_VALUE, OUTPUT, 0},
        {"cert", 'E', OPTION_VALUE, NOTHING, 0},
        {"key", 0, OPTION_VALUE, NOTHING, 0},
        {"retry-max-time", 0, OPTION_VALUE, NOTHING, 0},
        {"proxy", 'x', OPTION_VALUE, NOTHING, 0},
        {"noproxy", 0, OPTION_VALUE, NOTHING, 0},
        {"config", 'K', OPTION_VALUE, NOTHING, 0},
        {"cookie-jar", 'c', OPTION_VALUE, NOTHING, 0},
        {"interface", 0, OPTION_VALUE, NOTHING, 0},
        {"limit-rate", 0, OPTION_VALUE, NOTHING, 0},
        {"keepalive-time", 0, OPTION_VALUE, NOTHING, 0},
        {"capath", 0, OPTION_VALUE, NOTHING, 0},
        {"ciphers", 0, OPTION_VALUE, NOTHING, 0},
        {"expect100-timeout", 0, OPTION_VALUE, NOTHING, 0},
        {"max-filesize", 0, OPTION_VALUE, NOTHING, 0},
        {"parallel-max", 0, OPTION_VALUE, NOTHING, 0},
        {"proto", 0, OPTION_VALUE, NOTHING, 0},
        {"proto-redir", 0, OPTION_VALUE, NOTHING, 0},
        {"speed-limit", 'Y', OPTION_VALUE, NOTHING, 0},
        {"speed-time", 'y', OPTION_VALUE, NOTHING, 0},
        {"tls-max", 0, OPTION_VALUE, NOTHING, 0},
        {"fail-early", 0, OPTION_ALONE, NOTHING, 0},
        {"http2-prior-knowledge", 0, OPTION_ALONE, NOTHING, 0},
        {"post301", 0, OPTION_ALONE, NOTHING, 0},
        {"post302", 0, OPTION_ALONE, NOTHING, 0},
        {"tcp-nodelay", 0, OPTION_ALONE, NOTHING, 0},
        {"tlsv1", '1', OPTION_ALONE, NOTHING, 0},
        {"tlsv1.2", 0, OPTION_ALONE, NOTHING, 0},
        {"tlsv1.3", 0, OPTION_ALONE, NOTHING, 0},
        {"http1.0", '0', OPTION_ALONE, NOTHING, 0},
        {"http1.1", 0, OPTION_ALONE, NOTHING, 0},
        {"http2", 0, OPTION_ALONE, NOTHING, 0},
        {"ipv4", '4', OPTION_ALONE, NOTHING, 0},
        {"ipv6", '6', OPTION_ALONE, NOTHING, 0},
        {"no-buffer", 'N', OPTION_ALONE, NOTHING, 0},
        {"no-keepalive", 0, OPTION_ALONE, NOTHING, 0},
        {"parallel", 'Z', OPTION_ALONE, NOTHING, 0},
        {"progress-bar", '#', OPTION_ALONE, NOTHING, 0},
        {"path-as-is", 0, OPTION_ALONE, NOTHING, 0},
        {"create-dirs", 0, OPTION_ALONE, NOTHING, 0},
        {"remote-time", 'R', OPTION_ALONE, NOTHING, 0},
        {"disable", 'q', OPTION_ALONE, NOTHING, 0},
};

/* @FILE, without its line ends if they are to be stripped, or the text itself. */
static void add_body(struct tool_run *r, struct curl *s, const char *value, bool strip)
{
	if (value[0] == '@') {
		struct kt_buf text = {0};
		char *path = tool_path(r, value + 1);
		if (!strcmp(value, "@-"))
			kt_buf_add(&text, kt_buf_str(&s->input), s->input.len);
		else if (files_read(tool_container(r)->files, path, &text))
			tool_err(r,
			         "Warning: Couldn't read data from file \"%s\", this makes an empty POST.\n",
			         value + 1);
		for (size_t i = 0; i < text.len; i++)
			if (!strip || (text.data[i] != '\n' && text.data[i] != '\r'))
				kt_buf_addc(&s->body, text.data[i]);
		kt_buf_clear(&text);
		kt_free(path);
	} else {
		kt_buf_adds(&s->body, value);
	}
}

static void add_encoded(struct curl *s, const char *value)
{
	const char *equals = strchr(value, '=');
	if (s->body.len)
		kt_buf_addc(&s->body, '&');
	if (equals)
		kt_buf_add(&s->body, value, (size_t)(equals + 1 - value));
	kt_percent(equals ? equals + 1 : value, &s->body);
}

/* HOST:PORT:ADDRESS */
static void add_resolve(struct curl *s, const char *value)
{
	const char *first = strchr(value, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	if (!second)
		return;
	char *key = kt_strndup(value, (size_t)(second - value));
	kt_set(&s->addresses, key, kt_json_str(second + 1));
	kt_free(key);
}

/* -F NAME=VALUE, NAME=@FILE, NAME=<FILE: one part of the form; the end is added with the last. */
static void add_form(struct tool_run *r, const char *value)
{
	struct curl *s = r->state;
	const char *equals = strchr(value, '='), *data = equals ? equals + 1 : "";
	int name = (int)(equals ? equals - value : (long)strlen(value));
	struct kt_buf read = {0};
	kt_buf_addf(&s->body, "--form\r\nContent-Disposition: form-data; name=\"%.*s\"", name, value);
	if (*data == '@' || *data == '<') {
		char *file = kt_strndup(data + 1, strcspn(data + 1, ";")), *path = tool_path(r, file);
		if (special_file(r->task, path, &read))
			tool_err(r, "curl: (26) Failed to open/read local data from file/application\n");
		if (*data == '@')
			kt_buf_addf(&s->body, "; filename=\"%s\"\r\nContent-Type: application/octet-stream",
			            kt_basename(file));
		kt_free(file);
		kt_free(path);
	} else {
		kt_buf_adds(&read, data);
	}
	kt_buf_adds(&s->body, "\r\n\r\n");
	kt_buf_add(&s->body, kt_buf_str(&read), read.len);
	kt_buf_adds(&s->body, "\r\n");
	kt_buf_clear(&read);
}

static void take_option(struct tool_run *r, const struct option_row *option, const char *value)
{
	struct curl *s = r->state;
	if (!option) {
		kt_strs_add(&s->urls, value);
		return;
	}
	char *member = (char *)s + option->member;
	switch ((enum kind)option->what) {
	case FLAG:
		*(bool *)(void *)member = true;
		break;
	case TEXT:
		*(const char **)(void *)member = value;
		break;
	case SECONDS:
		*(kt_ns *)(void *)member = fetch_seconds(value);
		break;
	case RETRIES:
		s->retries = KT_MIN(strtoll(value, NULL, 10), MOST_RETRIES);
		break;
	case HEADER:
		fetch_add_header(&s->headers, value);
		break;
	case DATA:
	case BINARY:
	case RAW:
		if (s->body.len)
			kt_buf_addc(&s->body, '&');
		if (option->what == RAW)
			kt_buf_adds(&s->body, value);
		else
			add_body(r, s, value, option->what == DATA && value[0] == '@');
		s->content_type = "application/x-www-form-urlencoded";
		break;
	case ENCODED:
		add_encoded(s, value);
		s->content_type = "application/x-www-form-urlencoded";
		break;
	case JSON:
		add_body(r, s, value, false);
		s->content_type = "application/json";
		break;
	case FORM:
		add_form(r, value);
		s->content_type = "multipart/form-data; boundary=form";
		break;
	case UPLOAD: {
		char *at = kt_strf("@%s", value);
		add_body(r, s, at, false);
		kt_free(at);
		s->method = s->method ? s->method : "PUT";
		break;
	}
	case RESOLVE:
		add_resolve(s, value);
		break;
	case URL:
		kt_strs_add(&s->urls, value);
		break;
	case OUTPUT:
		kt_strs_add(&s->outputs, value);
		break;
	case NOTHING:
		break;
	}
}

static bool read_options(struct tool_run *r)
{
	static const struct option_table table = {options, KT_COUNT(options), false, take_option};
	bool known = true;
	const char *bad = options_read(r, &table, &known);
	if (bad)
		tool_err(r, "curl: option %s: %s\ncurl: try 'curl --help' for more information\n", bad,
		         known ? "requires parameter" : "is unknown");
	return !bad;
}

/* -d @-, --json @-, -T -: what is sent comes by stdin, all of it first. */
static bool takes_stdin(const struct tool_run *r)
{
	for (size_t i = 1; i < r->argv.count; i++)
		if (kt_ends(r->argv.items[i], "@-") ||
		    (!strcmp(r->argv.items[i], "-") &&
		     (!strcmp(r->argv.items[i - 1], "-T") || !strcmp(r->argv.items[i - 1], "--upload-file"))))
			return true;
	return false;
}

/* --- [1-3] and {a,b} in URLs --- */
static void add_value(struct kt_strs *values, const char *text, size_t len)
{
	char *one = kt_strndup(text, len);
	kt_strs_add(values, one);
	kt_free(one);
}

/* The values of the group that begins at `text`, and where it ends; NULL: it is none. */
static const char *group_values(const char *text, struct kt_strs *values)
{
	const char *close = strchr(text, *text == '[' ? ']' : '}');
	int first, last, step = 1, read = 0, width = 0;
	char from, to;
	if (!close)
		return NULL;
	if (*text == '{') {
		for (const char *at = text + 1; at <= close; at += strcspn(at, ",}") + 1)
			add_value(values, at, strcspn(at, ",}"));
		return close + 1;
	}
	if (sscanf(text, "[%d-%n%d:%d]", &first, &read, &last, &step) >= 2 && first <= last && step > 0 &&
	    last - first <= MOST_URLS) {
		width = text[1] == '0' ? read - 2 : 1;
		for (int i = first; i <= last; i += step) {
			char *one = kt_strf("%0*d", width, i);
			kt_strs_add(values, one);
			kt_free(one);
		}
	} else if (sscanf(text, "[%c-%c]", &from, &to) == 2 && close == text + 4) {
		for (char c = from; c <= to; c++)
			add_value(values, &c, 1);
	}
	return values->count ? close + 1 : NULL;
}

/* All URLs that one with groups stands for; #1 in its output is the first group's value. */
static void expand_url(struct curl *s, const char *url, const char *output)
{
	const char *group = s->literal ? NULL : strpbrk(url, "[{"), *rest = NULL;
	struct kt_strs values = {0};
	if (group)
		rest = group_values(group, &values);
	if (!rest || s->urls.count > MOST_URLS) {
		kt_strs_add(&s->urls, url);
		kt_strs_add(&s->outputs, output);
	}
	for (size_t i = 0; rest && i < values.count; i++) {
		char *one = kt_strf("%.*s%s%s", (int)(group - url), url, values.items[i], rest);
		const char *mark = strstr(output, "#1");
		char *to = mark ? kt_strf("%.*s%s%s", (int)(mark - output), output, values.items[i], mark + 2)
		                : kt_strdup(output);
		expand_url(s, one, to);
		kt_free(one);
		kt_free(to);
	}
	kt_strs_clear(&values);
}

static void expand_urls(struct curl *s)
{
	struct kt_strs urls = s->urls, outputs = s->outputs;
	s->urls = s->outputs = (struct kt_strs){0};
	for (size_t i = 0; i < urls.count; i++)
		expand_url(s, urls.items[i], i < outputs.count ? outputs.items[i] : "");
	kt_strs_clear(&urls);
	kt_strs_clear(&outputs);
}

/* --- what it sends --- */
static void set_headers(struct curl *s)
{
	struct kt_json *own = kt_json_object();
	kt_set(&own, "User-Agent", kt_json_str(s->agent ? s->agent : AGENT));
	kt_set(&own, "Accept", kt_json_str("*/*"));
	if (s->user) {
		struct kt_buf code = {0};
		char *login = strchr(s->user, ':') ? kt_strdup(s->user) : kt_strf("%s:", s->user);
		kt_buf_adds(&code, "Basic ");
		kt_base64(login, strlen(login), &code);
		kt_set(&own, "Authorization", kt_json_str(kt_buf_str(&code)));
		kt_free(login);
		kt_buf_clear(&code);
	}
	if (s->bearer)
		kt_set(&own, "Authorization", kt_json_strf("Bearer %s", s->bearer));
	if (s->range)
		kt_set(&own, "Range", kt_json_strf("bytes=%s", s->range));
	if (s->compressed)
		kt_set(&own, "Accept-Encoding", kt_json_str("deflate, gzip"));
	if (s->referer)
		kt_set(&own, "Referer", kt_json_str(s->referer));
	if (s->cookie)
		kt_set(&own, "Cookie", kt_json_str(s->cookie));
	if ((s->content_type || s->body.len) && !s->get)
		kt_set(&own, "Content-Length", kt_json_strf("%zu", s->body.len));
	if (s->content_type && !s->get)
		kt_set(&own, "Content-Type", kt_json_str(s->content_type));
	for (size_t i = 0; i < kt_count(s->headers); i++) {
		const char *name = kt_key(s->headers, i), *value = kt_str_or(kt_at(s->headers, i), "");
		network_header_set(&own, name, NULL);
		if (*value) /* "-H Name:" takes one of its own away */
			kt_set(&own, name, kt_json_str(value));
	}
	kt_json_free(s->headers);
	s->headers = own;
}

static const char *method_of(const struct curl *s)
{
	bool posts = s->content_type && !s->get && !s->redirects;
	return s->method ? s->method : s->head ? "HEAD" : posts ? "POST" : "GET";
}

/* The URL into s->fetch; false: rubbish. */
static bool set_url(struct curl *s, const char *url)
{
	char *whole = s->get && s->body.len && !s->redirects
	                      ? kt_strf("%s%s%s", url, strchr(url, '?') ? "&" : "?", kt_buf_str(&s->body))
	                      : kt_strdup(url);
	kt_free(s->url);
	s->url = whole;
	fetch_clear(&s->fetch);
	if (!fetch_url(&s->fetch, whole))
		return false;
	char *key = kt_strf("%s:%u", s->fetch.host, s->fetch.port);
	s->fetch.given = kt_get_str(s->addresses, key);
	kt_free(key);
	return true;
}

/* --- what it says --- */
static int fail(struct tool_run *r, const struct curl *s, int code, const char *fmt, ...) KT_PRINTF(4, 5);
static int fail(struct tool_run *r, const struct curl *s, int code, const char *fmt, ...)
{
	if (!s->silent || s->show_error) {
		struct kt_buf text = {0};
		va_list ap;
		va_start(ap, fmt);
		kt_buf_vaddf(&text, fmt, ap);
		va_end(ap);
		tool_err(r, "curl: (%d) %s\n", code, kt_buf_str(&text));
		kt_buf_clear(&text);
	}
	return code;
}

static void add_variable(const struct tool_run *r, const struct curl *s, const char *name, int code,
                         struct kt_buf *out)
{
	const struct fetch *f = &s->fetch;
	kt_ns took = process_now(r->task->process) - f->started, met = KT_MAX(f->connected - f->started, 0);
	const struct {
		const char *name;
		double seconds;
	} times[] = {{"time_total", (double)took},
	             {"time_connect", (double)met},
	             {"time_starttransfer", (double)took},
	             {"time_namelookup", 0},
	             {"time_appconnect", 0},
	             {"time_pretransfer", (double)met},
	             {"time_redirect", 0}};
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {{"size_download", (int64_t)f->response.body.len},
	               {"remote_port", f->port},
	               {"num_redirects", s->redirects},
	               {"num_connects", f->connected > 0},
	               {"exitcode", code},
	               {"size_upload", (int64_t)s->body.len},
	               {"ssl_verify_result", 0},
	               {"num_headers", (int64_t)kt_count(f->response.headers)},
	               {"num_retries", s->tried}};
	for (size_t i = 0; i < KT_COUNT(times); i++)
		if (!strcmp(times[i].name, name))
			kt_buf_addf(out, "%.6f", times[i].seconds / KT_SEC);
	for (size_t i = 0; i < KT_COUNT(numbers); i++)
		if (!strcmp(numbers[i].name, name))
			kt_buf_addf(out, "%lld", (long long)numbers[i].value);
	const char *type = network_header(f->response.headers, "Content-Type");
	if (kt_starts(name, "header{")) {
		char *header = kt_strndup(name + 7, strcspn(name + 7, "}"));
		const char *value = network_header(f->response.headers, header);
		kt_buf_adds(out, value ? value : "");
		kt_free(header);
	} else if (!strcmp(name, "http_code") || !strcmp(name, "response_code"))
		kt_buf_addf(out, "%03d", f->response.status);
	else if (!strcmp(name, "remote_ip"))
		kt_buf_adds(out, f->address ? f->address : "");
	else if (!strcmp(name, "local_ip"))
		kt_buf_adds(out, kt_starts(f->address ? f->address : "", "127.") ? "127.0.0.1"
		                                                                 : tool_container(r)->pod_ip);
	else if (!strcmp(name, "content_type"))
		kt_buf_adds(out, type ? type : "");
	else if (!strcmp(name, "method"))
		kt_buf_adds(out, method_of(s));
	else if (!strcmp(name, "http_version"))
		kt_buf_adds(out, f->response.status ? "1.1" : "0");
	else if (!strcmp(name, "scheme"))
		kt_buf_adds(out, f->https ? "https" : "http");
	else if (!strcmp(name, "url_effective") || !strcmp(name, "url"))
		kt_buf_addf(out, "%s%s%s", strstr(s->url, "://") ? "" : "http://", s->url,
		            strchr(strstr(s->url, "://") ? strstr(s->url, "://") + 3 : s->url, '/') ? ""
		                                                                                    : "/");
	else if (!strcmp(name, "redirect_url")) {
		char *to = fetch_redirect(&s->fetch);
		kt_buf_adds(out, to ? to : "");
		kt_free(to);
	}
}

static void write_out(struct tool_run *r, const struct curl *s, int code)
{
	struct kt_buf text = {0}, out = {0};
	bool stop = false;
	struct kt_buf read = {0};
	if (s->format[0] == '@') {
		struct kt_buf lines = {0};
		char *path = tool_path(r, s->format + 1);
		(void)files_read(tool_container(r)->files, path, &lines);
		for (size_t i = 0; i < lines.len; i++)
			if (!strchr("\r\n", lines.data[i]))
				kt_buf_addc(&read, lines.data[i]);
		kt_buf_clear(&lines);
		kt_free(path);
	}
	for (const char *c = s->format[0] == '@' ? kt_buf_str(&read) : s->format; *c; c++) {
		bool of_header = kt_starts(c, "%header{");
		const char *close = of_header || kt_starts(c, "%{") ? strchr(c, '}') : NULL;
		if (!close) {
			kt_buf_addc(&text, *c);
			c += c[0] == '%' && c[1] == '%';
			continue;
		}
		const char *from = c + (of_header ? 1 : 2);
		char *name = kt_strndup(from, (size_t)(close - from));
		add_variable(r, s, name, code, &text);
		kt_free(name);
		c = close;
	}
	unescape(kt_buf_str(&text), text.len, false, &out, &stop);
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&read);
	kt_buf_clear(&text);
	kt_buf_clear(&out);
}

static void say_all(struct tool_run *r, const struct curl *s)
{
	const struct fetch *f = &s->fetch;
	bool usual = f->port == (f->https ? 443 : 80);
	tool_err(r, "*   Trying %s:%u...\n* Connected to %s (%s) port %u\n> %s %s HTTP/1.1\n> Host: %s",
	         f->address, f->port, f->host, f->address, f->port, method_of(s), f->path, f->host);
	if (!usual)
		tool_err(r, ":%u", f->port);
	tool_err(r, "\n");
	for (size_t i = 0; i < kt_count(s->headers); i++)
		if (strcasecmp(kt_key(s->headers, i), "host") != 0)
			tool_err(r, "> %s: %s\n", kt_key(s->headers, i), kt_str_or(kt_at(s->headers, i), ""));
	char *line = network_status_line(&f->response);
	tool_err(r, "> \n< %s\n", line);
	kt_free(line);
	for (size_t i = 0; i < kt_count(f->response.headers); i++)
		tool_err(r, "< %s: %s\n", kt_key(f->response.headers, i),
		         kt_str_or(kt_at(f->response.headers, i), ""));
	tool_err(r, "< \n* Connection #0 to host %s left intact\n", f->host);
}

/* The headers of an answer, of one that sends on too: into the output, and where -D wants them. */
static void tell_headers(struct tool_run *r, struct curl *s)
{
	const struct network_http_response *response = &s->fetch.response;
	struct kt_buf text = {0};
	char *line = network_status_line(response);
	kt_buf_addf(&text, "%s\r\n", line);
	kt_free(line);
	for (size_t i = 0; i < kt_count(response->headers); i++)
		kt_buf_addf(&text, "%s: %s\r\n", kt_key(response->headers, i),
		            kt_str_or(kt_at(response->headers, i), ""));
	kt_buf_adds(&text, "\r\n");
	if (s->verbose)
		say_all(r, s);
	if (s->head || s->include)
		kt_buf_add(&s->page, text.data, text.len);
	if (s->dump && !strcmp(s->dump, "-"))
		tool_out(r, text.data, text.len);
	else if (s->dump) {
		char *path = tool_path(r, s->dump);
		(void)files_write(tool_container(r)->files, path, text.data, text.len, s->told, 0644,
		                  process_now(r->task->process));
		kt_free(path);
	}
	s->told = true;
	kt_buf_clear(&text);
}

/* --compressed: as it was before it was packed. */
static void unpack(struct curl *s)
{
	enum { MOST = 64 << 20 };
	struct kt_buf plain = {0}, *body = &s->fetch.response.body;
	const char *how = network_header(s->fetch.response.headers, "Content-Encoding");
	if (s->compressed && kt_streq(how, "gzip") && kt_gunzip(kt_buf_str(body), body->len, MOST, &plain)) {
		kt_buf_cut(body, 0);
		kt_buf_add(body, kt_buf_str(&plain), plain.len);
	}
	kt_buf_clear(&plain);
}

static int answer(struct tool_run *r, struct curl *s)
{
	const struct network_http_response *response = &s->fetch.response;
	bool bad = response->status >= 400 && (s->fail || s->fail_with_body);
	tell_headers(r, s);
	unpack(s);
	const char *name =
	        s->at < s->outputs.count && *s->outputs.items[s->at] ? s->outputs.items[s->at] : NULL;
	char *remote = s->remote_name && !name ? kt_strndup(kt_basename(s->fetch.path),
	                                                    strcspn(kt_basename(s->fetch.path), "?"))
	                                       : NULL;
	name = name ? name : remote;
	int rc = 0;
	bool shown = !s->head && (!bad || s->fail_with_body);
	if (shown)
		kt_buf_add(&s->page, kt_buf_str(&response->body), response->body.len);
	if (name && (shown || s->page.len))
		rc = fetch_save(r, name, &s->page);
	else
		tool_out(r, kt_buf_str(&s->page), s->page.len);
	kt_buf_cut(&s->page, 0);
	if (rc)
		(void)fail(r, s, 23, "client returned ERROR on write, %zu bytes", response->body.len);
	kt_free(remote);
	return bad ? fail(r, s, 22, "The requested URL returned error: %d", response->status) : rc ? 23 : 0;
}

/* --- one request --- */
/* Why the server is not trusted; 0: it is, or nobody asks. */
static int distrust(struct tool_run *r, const struct curl *s, const char *certificate)
{
	const char *first = strstr(certificate, "BEGIN CERTIFICATE");
	bool alone = first && !strstr(first + 1, "BEGIN CERTIFICATE");
	if (s->insecure || s->authority)
		return 0;
	int code = fail(r, s, 60, "SSL certificate problem: %s",
	                alone ? "self-signed certificate" : "unable to get local issuer certificate");
	if (!s->silent || s->show_error)
		tool_err(r, "More details here: https://curl.se/docs/sslcerts.html\n\n"
		            "curl failed to verify the legitimacy of the server and therefore could not\n"
		            "establish a secure connection to it. To learn more about this situation and\n"
		            "how to fix it, please visit the webpage mentioned above.\n");
	return code;
}

/* --cacert: is there a certificate in the file? */
static bool trusts(struct tool_run *r, const char *file, bool *missing)
{
	struct kt_buf text = {0};
	char *path = tool_path(r, file);
	*missing = files_read(tool_container(r)->files, path, &text) != 0;
	bool good = !*missing && strstr(kt_buf_str(&text), "BEGIN CERTIFICATE");
	kt_free(path);
	kt_buf_clear(&text);
	return good;
}

static int connect_failed(struct tool_run *r, const struct curl *s)
{
	const struct fetch *f = &s->fetch;
	long long ms = (long long)((process_now(r->task->process) - f->started) / KT_MS);
	bool limited = s->total || s->limit;
	switch (f->result) {
	case FETCH_NO_DNS:
		if (limited)
			return fail(r, s, 28, "Resolving timed out after %lld milliseconds", ms);
		/* fall through */
	case FETCH_BAD_NAME:
		return fail(r, s, 6, "Could not resolve host: %s", f->host);
	case FETCH_TIMEOUT:
		if (limited)
			return fail(r, s, 28, "Connection timed out after %lld milliseconds", ms);
		/* fall through */
	case FETCH_REFUSED:
	case FETCH_UNREACHABLE:
		return fail(r, s, f->result == FETCH_TIMEOUT ? 28 : 7,
		            "Failed to connect to %s port %u after %lld ms: Could not connect to server",
		            f->host, f->port, ms);
	case FETCH_SLOW:
	case FETCH_SILENT:
	case FETCH_EMPTY:
	case FETCH_OK:
	default:
		return 0;
	}
}

static int once(struct tool_run *r)
{
	struct curl *s = r->state;
	struct fetch *f = &s->fetch;
	bool missing = false;
	f->limit = s->limit;
	f->total = s->total;
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	int rc = connect_failed(r, s);
	if (rc)
		return rc;
	const struct network_listener *there = network_path_listener(r->task->process->cluster, &f->to);
	if (f->https && there && there->http && !there->certificate)
		return fail(r, s, 35, "TLS connect error: error:0A00010B:SSL routines::wrong version number");
	if (s->authority && !trusts(r, s->authority, &missing))
		return missing ? fail(r, s, 77, "error setting certificate file: %s", s->authority)
		               : fail(r, s, 60,
		                      "SSL certificate problem: unable to get local issuer certificate");
	if (f->https && there && there->certificate && (rc = distrust(r, s, there->certificate)))
		return rc;
	if (f->https && !f->to.listener && !s->insecure && !s->authority && kt_starts(f->address, "10."))
		return fail(r, s, 60, "SSL certificate problem: unable to get local issuer certificate");
	if (fetch_request(r, f, method_of(s), s->headers,
	                  s->body.len && !s->get && !s->redirects ? s->body.data : NULL))
		return TOOL_WAIT;
	long long ms = (long long)((process_now(r->task->process) - f->started) / KT_MS);
	if (f->result == FETCH_SLOW || (f->result == FETCH_SILENT && s->total))
		return fail(r, s, 28, "Operation timed out after %lld milliseconds with 0 bytes received",
		            ms);
	if (f->result == FETCH_SILENT || f->result == FETCH_EMPTY)
		return fail(r, s, 52, "Empty reply from server");
	return 0;
}

/* Worth another try? 5xx that pass, time-outs, names; a refused connection only when told so. */
static bool transient(const struct curl *s, int rc)
{
	static const int codes[] = {408, 429, 500, 502, 503, 504, 522, 524};
	for (size_t i = 0; i < KT_COUNT(codes) && !rc; i++)
		if (s->fetch.response.status == codes[i])
			return true;
	return rc == 28 || rc == 6 || (rc == 7 && s->retry_refused) || (rc && s->retry_all) ||
	       (!rc && s->retry_all && s->fail && s->fetch.response.status >= 400);
}

static int tell_version(struct tool_run *r)
{
	tool_outs(r, "curl " VERSION " (x86_64-pc-linux-musl) libcurl/" VERSION " OpenSSL/3.5.2 zlib/1.3.1\n"
	             "Release-Date: 2025-09-10\n"
	             "Protocols: file http https\n"
	             "Features: HTTP2 HTTPS-proxy IPv6 Largefile libz SSL threadsafe UnixSockets\n");
	return 0;
}

enum { START, ASK, PAUSE };

static int run_curl(struct tool_run *r)
{
	struct curl *s = r->state;
	if (!r->opened && takes_stdin(r)) {
		tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
	}
	if (!r->opened) {
		r->opened = true;
		s->addresses = kt_json_object();
		if (!read_options(r))
			return 2;
		if (s->version)
			return tell_version(r);
		if (!s->urls.count) {
			tool_err(r, "curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' "
			            "for more information\n");
			return 2;
		}
		expand_urls(s);
		set_headers(s);
		s->silent = s->silent || s->no_meter;
		s->show_error = s->show_error || s->no_meter;
	}
	if (r->pc == START) {
		s->redirects = s->tried = 0;
		if (!set_url(s, s->urls.items[s->at]))
			return fail(r, s, 3, "URL rejected: Malformed input to a URL function");
		if (!s->silent && (*s->outputs.items[s->at] || s->remote_name))
			tool_err(r, "  %% Total    %% Received %% Xferd  Average Speed   Time    Time     "
			            "Time  Current\n"
			            "                                 Dload  Upload   Total   Spent    Left  "
			            "Speed\n");
		r->pc = ASK;
	}
	if (r->pc == PAUSE) {
		if (tool_sleep(r, s->retry_delay ? s->retry_delay : KT_SEC << KT_MIN(s->tried - 1, 9)))
			return TOOL_WAIT;
		char *again = kt_strdup(s->urls.items[s->at]);
		(void)set_url(s, again);
		kt_free(again);
		r->pc = ASK;
	}
	int rc = once(r);
	if (rc == TOOL_WAIT)
		return TOOL_WAIT;
	if (s->tried < s->retries && transient(s, rc)) {
		s->tried++;
		r->pc = PAUSE;
		return TOOL_AGAIN;
	}
	char *to = !rc && s->location ? fetch_redirect(&s->fetch) : NULL;
	if (to) {
		tell_headers(r, s);
		int64_t most = s->most_redirects ? strtoll(s->most_redirects, NULL, 10) : MOST_REDIRECTS;
		bool again = s->redirects++ < most && set_url(s, to);
		kt_free(to);
		if (again)
			return TOOL_AGAIN;
		rc = fail(r, s, 47, "Maximum (%lld) redirects followed", (long long)most);
	} else if (!rc) {
		rc = answer(r, s);
	}
	if (s->format)
		write_out(r, s, rc);
	if (++s->at < s->urls.count) {
		r->pc = START;
		return TOOL_AGAIN;
	}
	return rc;
}

const struct tool tools_curl[] = {
        {.name = "curl", .sets = "curl", .run = run_curl, .state_size = sizeof(struct curl), .end = end_curl},
        {.name = NULL},
};

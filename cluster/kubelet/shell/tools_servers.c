/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/shell/fetch.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* Programs that serve. What they answer is a function a row; where they listen comes from arguments,
 * environment and configuration files. */
struct server;
typedef void serve_fn(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response);
typedef bool ready_fn(struct tool_run *r, struct server *s, int *status); /* false: it ends, with *status */
typedef void bytes_fn(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply);
struct server_row {
	const char *program;
	unsigned port;     /* its own default; 0: the image's */
	ready_fn *prepare; /* may be NULL */
	serve_fn *serve;   /* NULL: no HTTP */
	bytes_fn *bytes;
	const char *hello;      /* first lines of its log */
	bool access_log;        /* nginx' format, to stdout */
	kt_ns work;             /* CPU of one request */
	const char *entrypoint; /* what the image's entrypoint says before */
};
enum { MAX_PORTS = 6 };
struct server {
	const struct server_row *row;
	unsigned ports[MAX_PORTS];
	const char *protocols[MAX_PORTS];
	size_t port_count;
	bool prepared, listening, files;
	kt_ns since;
	char *text, *root, *conf;
	struct kt_json *data; /* redis' */
	uint64_t requests;
	int exit_after; /* status + 1: it ends by itself */
};

static void port_add(struct server *s, unsigned long port, const char *protocol)
{
	if (!port || port > 65535 || s->port_count == MAX_PORTS)
		return;
	for (size_t i = 0; i < s->port_count; i++) {
		if (s->ports[i] == port && kt_streq(s->protocols[i], protocol))
			return;
	}
	s->ports[s->port_count] = (unsigned)port;
	s->protocols[s->port_count++] = protocol;
}

static void answer(struct network_http_response *response, int status, const char *type, const char *text,
                   size_t len)
{
	response->status = status;
	kt_set(&response->headers, "Content-Type", kt_json_str(type));
	kt_set(&response->headers, "Content-Length", kt_json_strf("%zu", len));
	kt_buf_add(&response->body, text, len);
	kt_buf_adds(&response->body, "");
}

static void plain(struct network_http_response *response, int status, const char *fmt, ...) KT_PRINTF(3, 4);
static void plain(struct network_http_response *response, int status, const char *fmt, ...)
{
	struct kt_buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	answer(response, status, "text/plain; charset=utf-8", kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

static const char *option_of(const struct tool_run *r, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i] + strspn(r->argv.items[i], "-");
		if (r->argv.items[i][0] != '-' || strncmp(word, name, len) != 0)
			continue;
		if (word[len] == '=')
			return word + len + 1;
		if (!word[len])
			return i + 1 < r->argv.count ? r->argv.items[i + 1] : "";
	}
	return NULL;
}

static const char *pod_name(const struct tool_run *r)
{
	const struct container *c = tool_container(r);
	return c->host_name ? c->host_name : c->pod;
}

/* --- nginx and httpd: files --- */
static char *conf_text(const struct tool_run *r)
{
	struct files *files = tool_container(r)->files;
	struct kt_strs names = {0};
	struct kt_buf text = {0};
	(void)files_read(files, "/etc/nginx/nginx.conf", &text);
	bool includes = !text.len || strstr(text.data, "conf.d") != NULL;
	if (includes && files_list(files, "/etc/nginx/conf.d", &names) == 0) {
		for (size_t i = 0; i < names.count; i++) {
			char *path = kt_strf("/etc/nginx/conf.d/%s", names.items[i]);
			if (kt_ends(path, ".conf"))
				(void)files_read(files, path, &text);
			kt_free(path);
		}
	}
	kt_strs_clear(&names);
	kt_buf_adds(&text, "");
	/* comments go */
	struct kt_buf out = {0};
	bool comment = false;
	for (size_t i = 0; i < text.len; i++) {
		comment = (comment || text.data[i] == '#') && text.data[i] != '\n';
		if (!comment)
			kt_buf_addc(&out, text.data[i]);
	}
	kt_buf_adds(&out, "");
	kt_buf_clear(&text);
	return kt_buf_take(&out);
}

/* The value of a directive from `at` up to `end`: the words behind it to the semicolon; owned, or NULL. */
static char *directive(const char *at, const char *end, const char *name, const char **next)
{
	size_t len = strlen(name);
	for (const char *c = at; (c = strstr(c, name)) && c < end; c++) {
		bool before = c == at || isspace((unsigned char)c[-1]) || c[-1] == ';' || c[-1] == '{' ||
		              c[-1] == '}';
		if (!before || !isspace((unsigned char)c[len]))
			continue;
		const char *from = c + len + strspn(c + len, " \t\n"), *stop = from;
		char quote = '\0';
		for (; *stop && (quote || *stop != ';'); stop++) {
			if (quote ? *stop == quote : (*stop == '"' || *stop == '\''))
				quote = quote ? '\0' : *stop;
		}
		if (!*stop)
			return NULL;
		if (next)
			*next = stop + 1;
		return kt_strndup(from, (size_t)(stop - from));
	}
	return NULL;
}

/* Its temporary folders and its pid file, when not everything is allowed. */
static bool nginx_may_write(struct tool_run *r)
{
	struct container *c = tool_container(r);
	bool own = strstr(r->task->process->image->name, "unprivileged") != NULL;
	const char *folder = own ? "/tmp/proxy_temp" : "/var/cache/nginx/client_temp",
	           *pid = own ? "/tmp/nginx.pid" : "/run/nginx.pid";
	kt_ns now = process_now(r->task->process);
	struct kt_buf text = {0};
	int rc;
	if (files_user(c->files)->all && !c->read_only_root)
		return true;
	rc = files_mkdir(c->files, folder, false, now);
	if (rc && rc != EEXIST) {
		kt_buf_addf(&text, "nginx: [emerg] mkdir() \"%s\" failed (%d: %s)\n", folder, rc,
		            tool_strerror(rc));
	} else if ((rc = files_write(c->files, pid, "1\n", 2, false, 0644, now)) != 0) {
		kt_buf_addf(&text, "nginx: [emerg] open() \"%s\" failed (%d: %s)\n", pid, rc,
		            tool_strerror(rc));
	}
	bool good = !text.len;
	if (!good)
		task_write(r->task, 2, text.data, text.len);
	kt_buf_clear(&text);
	return good;
}

static bool nginx_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *flag = r->argv.count > 1 ? r->argv.items[1] : "";
	if (!strcmp(flag, "-v") || !strcmp(flag, "-V")) {
		const char *version = tool_env(r, "NGINX_VERSION");
		struct kt_buf text = {0};
		kt_buf_addf(&text, "nginx version: nginx/%s\n", version ? version : "1.27.5");
		task_write(r->task, 2, text.data, text.len);
		kt_buf_clear(&text);
		*status = 0;
		return false;
	}
	s->conf = conf_text(r);
	long depth = 0;
	for (const char *c = s->conf; *c; c++)
		depth += *c == '{' ? 1 : (*c == '}' ? -1 : 0);
	if (!strcmp(flag, "-t") || depth) {
		static const char good[] = "nginx: the configuration file /etc/nginx/nginx.conf syntax is "
		                           "ok\nnginx: configuration "
		                           "file /etc/nginx/nginx.conf test is successful\n";
		static const char bad[] = "nginx: [emerg] unexpected end of file, expecting \"}\" in "
		                          "/etc/nginx/conf.d/default.conf\n";
		task_write(r->task, 2, depth ? bad : good, depth ? sizeof(bad) - 1 : sizeof(good) - 1);
		*status = depth ? 1 : 0;
		return false;
	}
	if (!strcmp(flag, "-s")) {
		struct task *main = container_task(tool_container(r), 1);
		const char *what = r->argv.count > 2 ? r->argv.items[2] : "";
		if (main && main->depth && main->stack[0].kind == FRAME_TOOL && !strcmp(what, "reload")) {
			struct server *other = main->stack[0].tool->state;
			kt_free(other->conf);
			other->conf = conf_text(r);
		} else if (main && strcmp(what, "reload") != 0) {
			task_signal(main, 15);
		}
		*status = 0;
		return false;
	}
	const char *at = s->conf;
	for (char *value; (value = directive(at, s->conf + strlen(s->conf), "listen", &at)); kt_free(value)) {
		const char *number = strrchr(value, ':') ? strrchr(value, ':') + 1 : value;
		port_add(s, strtoul(number, NULL, 10), "TCP");
	}
	if (!s->port_count)
		port_add(s, 80, "TCP");
	*status = nginx_may_write(r) ? 0 : 1;
	return !*status;
}

static const char *mime(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {{".html", "text/html"},        {".txt", "text/plain"},
	             {".json", "application/json"}, {".js", "application/javascript"},
	             {".css", "text/css"},          {".png", "image/png"},
	             {".svg", "image/svg+xml"}};
	for (size_t i = 0; i < KT_COUNT(types); i++) {
		if (kt_ends(path, types[i].end))
			return types[i].type;
	}
	return "application/octet-stream";
}

static void error_page(struct network_http_response *response, int status, const char *server)
{
	char *text = kt_strf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d "
	                     "%s</h1></center>\r\n<hr><center>%s</center>\r\n</body>\r\n</html>\r\n",
	                     status, fetch_reason(status), status, fetch_reason(status), server);
	answer(response, status, "text/html", text, strlen(text));
	kt_free(text);
}

static void serve_file(struct tool_run *r, const char *root, const char *url, const char *server,
                       struct network_http_response *response)
{
	struct kt_buf path = {0}, data = {0};
	struct files_stat st;
	struct files *files = tool_container(r)->files;
	kt_buf_addf(&path, "%s", root);
	(void)kt_unpercent(url, strcspn(url, "?"), false, &path);
	if (!files_stat(files, path.data, &st) && st.type == FILES_DIR)
		kt_buf_addf(&path, "%sindex.html", kt_ends(path.data, "/") ? "" : "/");
	int rc = strstr(path.data, "/../") ? 2 : files_read(files, path.data, &data);
	if (rc)
		error_page(response,
		           rc == 2 ? (kt_ends(path.data, "/index.html") && strlen(url) < 2 ? 403 : 404) : 403,
		           server);
	else
		answer(response, 200, mime(path.data), kt_buf_str(&data), data.len);
	kt_buf_clear(&path);
	kt_buf_clear(&data);
}

/* proxy_pass: another request, from this pod. */
static void proxy(struct tool_run *r, const char *url, const struct network_http_request *request,
                  struct network_http_response *response)
{
	struct fetch f = {0};
	struct network_peer from = task_peer(r->task);
	struct kt_strs addresses = {0};
	enum network_outcome outcome;
	struct cluster *cluster = tool_container(r)->cluster;
	bool ok = fetch_url(&f, url) && network_resolve(cluster, &from, f.host, &addresses, NULL, &outcome);
	if (ok)
		network_connect(cluster, &from, addresses.items[0], f.port, "TCP", &f.to);
	struct network_http_request onward = *request;
	onward.client = from.address;
	if (ok && strlen(f.path) > 1)
		onward.path = f.path;
	enum { DEEPEST = 8 };
	if (!ok || f.to.outcome == NETWORK_REFUSED || f.to.outcome == NETWORK_UNREACHABLE) {
		error_page(response, 502, "nginx");
	} else if (f.to.outcome == NETWORK_TIMEOUT) {
		error_page(response, 504, "nginx");
		response->takes += 60 * KT_SEC;
	} else if (r->task->process->steps >= DEEPEST) {
		error_page(response, 508, "nginx");
	} else {
		r->task->process->steps++;
		if (!network_serve(cluster, &f.to, &onward, response))
			error_page(response, 502, "nginx");
		r->task->process->steps--;
		response->takes += f.to.latency;
	}
	kt_strs_clear(&addresses);
	fetch_clear(&f);
}

static void nginx_serve(struct tool_run *r, const struct network_http_request *request,
                        struct network_http_response *response)
{
	const struct server *s = r->state;
	const char *conf = s->conf, *end = conf + strlen(conf), *best = NULL, *best_end = NULL;
	size_t longest = 0;
	kt_set(&response->headers, "Server",
	       kt_json_strf("nginx/%s",
	                    tool_env(r, "NGINX_VERSION") ? tool_env(r, "NGINX_VERSION") : "1.27.5"));
	for (const char *c = conf; (c = strstr(c, "location")); c++) {
		const char *from = c + 8 + strspn(c + 8, " \t=~*^"), *open = strchr(from, '{');
		size_t len = strcspn(from, " \t{");
		if (!open || !isspace((unsigned char)c[8]) || strncmp(request->path, from, len) != 0 ||
		    len < longest)
			continue;
		unsigned depth = 0;
		const char *close = open;
		for (; *close; close++) {
			depth += *close == '{';
			depth -= *close == '}';
			if (!depth)
				break;
		}
		longest = len;
		best = open + 1;
		best_end = close;
	}
	char *back = best ? directive(best, best_end, "return", NULL) : directive(conf, end, "return", NULL);
	char *pass = best ? directive(best, best_end, "proxy_pass", NULL) : NULL;
	char *root = best ? directive(best, best_end, "root", NULL) : NULL;
	if (!root)
		root = directive(conf, end, "root", NULL);
	if (back) {
		char *text = NULL;
		long status = strtol(back, &text, 10);
		text += strspn(text, " \t");
		size_t len = strlen(text);
		bool quoted = len > 1 && (*text == '"' || *text == '\'');
		struct kt_buf out = {0};
		bool stop = false;
		unescape(text + quoted, len - (quoted ? 2u : 0u), false, &out, &stop);
		struct kt_buf named = {0};
		for (const char *c = kt_buf_str(&out); *c; c++) {
			if (kt_starts(c, "$hostname"))
				kt_buf_adds(&named, pod_name(r)), c += 8;
			else
				kt_buf_addc(&named, *c);
		}
		answer(response, status >= 100 && status < 600 ? (int)status : 200, "text/plain",
		       kt_buf_str(&named), named.len);
		kt_buf_clear(&out);
		kt_buf_clear(&named);
	} else if (pass) {
		proxy(r, pass, request, response);
	} else {
		serve_file(r, root ? root : "/usr/share/nginx/html", request->path, "nginx/1.27.5", response);
	}
	kt_free(back);
	kt_free(pass);
	kt_free(root);
}

static void httpd_serve(struct tool_run *r, const struct network_http_request *request,
                        struct network_http_response *response)
{
	kt_set(&response->headers, "Server", kt_json_str("Apache/2.4.65 (Unix)"));
	serve_file(r, "/usr/local/apache2/htdocs", request->path, "Apache", response);
}

/* busybox's: httpd [-f] [-p [ADDRESS:]PORT] [-h FOLDER] */
static bool small_httpd_prepare(struct tool_run *r, struct server *s, int *status)
{
	size_t at = 1, in = 0;
	const char *value;
	int option;
	bool stays = false;
	s->root = kt_strdup(r->task->dir);
	while ((option = tool_option(r, &at, &in, "fvip:h:c:u:r:e:d:m:", &value))) {
		const char *colon = value ? strrchr(value, ':') : NULL;
		if (option == '?') {
			*status = 1;
			return false;
		}
		stays = stays || option == 'f' || option == 'i';
		if (option == 'p')
			port_add(s, strtoul(colon ? colon + 1 : value, NULL, 10), "TCP");
		if (option == 'h') {
			struct files_stat st;
			kt_free(s->root);
			s->root = tool_path(r, value);
			if (files_stat(tool_container(r)->files, s->root, &st) || st.type != FILES_DIR) {
				*status = tool_fail(
				        r, 1, "can't change directory to '%s': No such file or directory",
				        value);
				return false;
			}
		}
	}
	if (!s->port_count)
		port_add(s, 80, "TCP");
	if (!stays) {
		/* into the background */
		struct task *child = task_fork(r->task, NULL, NULL);
		kt_strs_add(&r->argv, "-f");
		if (task_become(child, &r->argv, NULL))
			task_end(child, 127);
		child->orphan = true;
		*status = 0;
		return false;
	}
	return true;
}

static void small_httpd_serve(struct tool_run *r, const struct network_http_request *request,
                              struct network_http_response *response)
{
	const struct server *s = r->state;
	serve_file(r, s->root, request->path, "", response);
	if (response->status >= 400) {
		kt_buf_cut(&response->body, 0);
		kt_buf_addf(
		        &response->body,
		        "<HTML><HEAD><TITLE>%d %s</TITLE></HEAD>\n<BODY><H1>%d %s</H1>\n%s\n</BODY></HTML>\n",
		        response->status, fetch_reason(response->status), response->status,
		        fetch_reason(response->status),
		        response->status == 404 ? "The requested URL was not found" : "");
	}
}

static void python_serve(struct tool_run *r, const struct network_http_request *request,
                         struct network_http_response *response)
{
	const struct server *s = r->state;
	struct kt_strs names = {0};
	const char *dir = option_of(r, "directory");
	char *root = tool_path(r, dir ? dir : (s->root ? s->root : "."));
	char *path = kt_strf("%s%.*s", root, (int)strcspn(request->path, "?"), request->path);
	char *index = kt_strf("%s/index.html", path);
	struct files *files = tool_container(r)->files;
	struct files_stat st;
	kt_set(&response->headers, "Server", kt_json_str("SimpleHTTP/0.6 Python/3.12.3"));
	if (files_stat(files, path, &st) == 0 && st.type == FILES_DIR && files_stat(files, index, &st) != 0) {
		struct kt_buf page = {0};
		(void)files_list(files, path, &names);
		kt_buf_addf(&page,
		            "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta "
		            "charset=\"utf-8\">\n<title>Directory listing for "
		            "%s</title>\n</head>\n<body>\n<h1>Directory listing for %s</h1>\n<hr>\n<ul>\n",
		            request->path, request->path);
		for (size_t i = 0; i < names.count; i++)
			kt_buf_addf(&page, "<li><a href=\"%s\">%s</a></li>\n", names.items[i],
			            names.items[i]);
		kt_buf_adds(&page, "</ul>\n<hr>\n</body>\n</html>\n");
		answer(response, 200, "text/html; charset=utf-8", page.data, page.len);
		kt_buf_clear(&page);
		kt_strs_clear(&names);
	} else {
		serve_file(r, root, request->path, "SimpleHTTP", response);
	}
	kt_free(root);
	kt_free(path);
	kt_free(index);
}

/* --- small ones --- */
static void echo_serve(struct tool_run *r, const struct network_http_request *request,
                       struct network_http_response *response)
{
	plain(response, 200, "Request served by %s\n\n%s %s HTTP/1.1\n\nHost: %s\n%.*s", pod_name(r),
	      request->method, request->path, request->host ? request->host : "", (int)request->body_len,
	      request->body ? request->body : "");
}

static void whoami_serve(struct tool_run *r, const struct network_http_request *request,
                         struct network_http_response *response)
{
	struct kt_buf text = {0};
	if (kt_starts(request->path, "/health")) {
		plain(response, 200, "%s", "");
		return;
	}
	kt_buf_addf(&text,
	            "Hostname: %s\nIP: 127.0.0.1\nIP: %s\nRemoteAddr: %s:40312\n%s %s HTTP/1.1\nHost: %s\n",
	            pod_name(r), tool_container(r)->pod_ip ? tool_container(r)->pod_ip : "",
	            request->client ? request->client : "", request->method, request->path,
	            request->host ? request->host : "");
	for (size_t i = 0; i < kt_count(request->headers); i++)
		kt_buf_addf(&text, "%s: %s\n", kt_key(request->headers, i),
		            kt_str_or(kt_at(request->headers, i), ""));
	kt_buf_adds(&text, "\n");
	answer(response, 200, "text/plain; charset=utf-8", text.data, text.len);
	kt_buf_clear(&text);
}

static void http_echo_serve(struct tool_run *r, const struct network_http_request *request,
                            struct network_http_response *response)
{
	const struct server *s = r->state;
	if (kt_streq(request->path, "/health"))
		answer(response, 200, "application/json", "{\"status\":\"ok\"}", 15);
	else
		plain(response, 200, "%s\n", s->text);
}

static bool http_echo_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *text = option_of(r, "text"), *listen = option_of(r, "listen");
	if (!text)
		text = tool_env(r, "ECHO_TEXT");
	if (!text) {
		static const char missing[] = "Missing -text option!\n";
		task_write(r->task, 2, missing, sizeof(missing) - 1);
		*status = 127;
		return false;
	}
	s->text = kt_strdup(text);
	if (listen && strchr(listen, ':'))
		port_add(s, strtoul(strrchr(listen, ':') + 1, NULL, 10), "TCP");
	return true;
}

static void hello_app_serve(struct tool_run *r, const struct network_http_request *request,
                            struct network_http_response *response)
{
	const char *image = tool_container(r)->image;
	(void)request;
	plain(response, 200, "Hello, world!\nVersion: %s.0.0\nHostname: %s\n",
	      strstr(image, ":2") ? "2" : "1", pod_name(r));
}

static void hello_node_serve(struct tool_run *r, const struct network_http_request *request,
                             struct network_http_response *response)
{
	(void)r;
	(void)request;
	plain(response, 200, "%s", "Hello Kubernetes!");
}

static void bootcamp_serve(struct tool_run *r, const struct network_http_request *request,
                           struct network_http_response *response)
{
	const char *image = tool_container(r)->image;
	(void)request;
	plain(response, 200, "Hello Kubernetes bootcamp! | Running on: %s | v=%s\n", pod_name(r),
	      strstr(image, "v2") ? "2" : "1");
}

static void hpa_serve(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response)
{
	(void)r;
	(void)request;
	kt_set(&response->headers, "Server", kt_json_str("Apache/2.4.10 (Debian)"));
	answer(response, 200, "text/html", "OK!", 3);
}

static void podinfo_serve(struct tool_run *r, const struct network_http_request *request,
                          struct network_http_response *response)
{
	const char *image = tool_container(r)->image, *colon = strrchr(image, ':');
	const char *message = tool_env(r, "PODINFO_UI_MESSAGE"), *colour = tool_env(r, "PODINFO_UI_COLOR");
	if (kt_starts(request->path, "/healthz") || kt_starts(request->path, "/readyz")) {
		answer(response, 200, "application/json", "{\n  \"status\": \"OK\"\n}", 20);
		return;
	}
	if (kt_starts(request->path, "/status/")) {
		long status = strtol(request->path + 8, NULL, 10);
		plain(response, status >= 200 && status < 600 ? (int)status : 400, "{\"status\":%ld}",
		      status);
		return;
	}
	if (kt_starts(request->path, "/delay/"))
		response->takes += strtol(request->path + 7, NULL, 10) % 3600 * KT_SEC;
	struct kt_json *json =
	        kt_jsonf("{hostname: %s, version: %s, color: %s, message: %s}", pod_name(r),
	                 colon && colon[1] != '/' ? colon + 1 : "6.9.0", colour ? colour : "#34577c",
	                 message ? message : "greetings from podinfo v6");
	struct kt_buf text = {0};
	kt_json_print_pretty(json, 2, &text);
	answer(response, 200, "application/json; charset=utf-8", text.data, text.len);
	kt_buf_clear(&text);
	kt_json_free(json);
}

/* An application that nobody knows: healthy, and it tells who answered. */
static void generic_serve(struct tool_run *r, const struct network_http_request *request,
                          struct network_http_response *response)
{
	const char *path = request->path, *image = tool_container(r)->image, *colon = strrchr(image, ':');
	if (strstr(path, "health") || strstr(path, "ready") || strstr(path, "live"))
		plain(response, 200, "ok\n");
	else if (strstr(path, "metrics"))
		plain(response, 200, "http_requests_total %llu\n",
		      (unsigned long long)((struct server *)r->state)->requests);
	else
		plain(response, 200, "%s %s from %s\n", kt_basename(image), colon ? "" : "latest",
		      pod_name(r));
}

static bool generic_prepare(struct tool_run *r, struct server *s, int *status)
{
	static const char *const options[] = {"port", "http-port", "listen", "addr", "address", "bind", "p"};
	static const char *const variables[] = {"PORT", "HTTP_PORT", "SERVER_PORT", "LISTEN_PORT",
	                                        "APP_PORT"};
	const char *value = NULL;
	(void)status;
	for (size_t i = 0; i < KT_COUNT(options) && !value; i++)
		value = option_of(r, options[i]);
	for (size_t i = 0; i < KT_COUNT(variables) && !value; i++)
		value = tool_env(r, variables[i]);
	if (value) {
		const char *number = strrchr(value, ':') ? strrchr(value, ':') + 1 : value;
		port_add(s, strtoul(number, NULL, 10), "TCP");
	}
	if (!s->port_count) {
		/* the ports that its pod declares; else the usual one */
		const struct container *c = tool_container(r);
		const struct store_object *pod =
		        store_get(cluster_store(c->cluster),
		                  schema_stored(cluster_schema(c->cluster), "", "Pod"), c->ns, c->pod);
		const struct kt_json *containers = pod ? kt_path(pod->json, "spec.containers") : NULL, *port;
		ptrdiff_t at = kt_find(containers, "name", c->name);
		KT_JSON_EACH (port, at >= 0 ? kt_get(kt_at(containers, (size_t)at), "ports") : NULL)
			port_add(s, (unsigned long)kt_get_int(port, "containerPort", 0),
			         kt_streq(kt_get_str(port, "protocol"), "UDP") ? "UDP" : "TCP");
	}
	return true;
}

/* --- agnhost --- */
static const char *query_value(const char *path, const char *name, struct kt_buf *out)
{
	const char *query = strchr(path, '?'), *at = query;
	size_t len = strlen(name);
	for (; at; at = strchr(at + 1, '&')) {
		if (!strncmp(at + 1, name, len) && at[1 + len] == '=') {
			(void)kt_unpercent(at + 2 + len, strcspn(at + 2 + len, "&"), true, out);
			return kt_buf_str(out);
		}
	}
	return NULL;
}

static void agnhost_serve(struct tool_run *r, const struct network_http_request *request,
                          struct network_http_response *response)
{
	struct server *s = r->state;
	struct kt_buf value = {0};
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "", *path = request->path, *text;
	kt_ns age = process_now(r->task->process) - s->since;
	if (kt_streq(mode, "serve-hostname")) {
		plain(response, 200, "%s", pod_name(r));
	} else if (kt_streq(mode, "liveness")) {
		if (age > 10 * KT_SEC)
			plain(response, 500, "error: %lld.%09llds", (long long)(age / KT_SEC),
			      (long long)(age % KT_SEC));
		else
			plain(response, 200, "ok");
	} else if (kt_starts(path, "/hostname") || kt_starts(path, "/hostName")) {
		plain(response, 200, "%s", pod_name(r));
	} else if (kt_starts(path, "/clientip")) {
		plain(response, 200, "%s:40312", request->client ? request->client : "");
	} else if (kt_starts(path, "/healthz")) {
		plain(response, 200, "%s", "");
	} else if (kt_starts(path, "/echo") && (text = query_value(path, "msg", &value))) {
		plain(response, 200, "%s", text);
	} else if (kt_starts(path, "/exit")) {
		text = query_value(path, "code", &value);
		s->exit_after = (text ? (int)(strtol(text, NULL, 10) & 255) : 0) + 1;
		plain(response, 200, "%s", "");
		process_changed(r->task->process);
	} else {
		bool any = kt_streq(mode, "netexec") || kt_streq(path, "/"); /* its root takes every path */
		plain(response, any ? 200 : 404, any ? "NOW: %s" : "404 page not found\n%.0s", pod_name(r));
	}
	kt_buf_clear(&value);
}

static bool agnhost_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *mode = r->argv.count > 1 ? r->argv.items[1] : "", *port;
	(void)status;
	if (kt_streq(mode, "netexec")) {
		port = option_of(r, "http-port");
		port_add(s, port ? strtoul(port, NULL, 10) : 8080, "TCP");
		port = option_of(r, "udp-port");
		port_add(s, port ? strtoul(port, NULL, 10) : 8081, "UDP");
	} else if (kt_streq(mode, "serve-hostname")) {
		port = option_of(r, "port");
		port_add(s, port ? strtoul(port, NULL, 10) : 9376, "TCP");
	} else if (kt_streq(mode, "liveness") || kt_streq(mode, "test-webserver")) {
		port_add(s, kt_streq(mode, "liveness") ? 8080 : 80, "TCP");
	}
	return true;
}

/* agnhost connect HOST:PORT --timeout=3s: nothing, or REFUSED, TIMEOUT, DNS, OTHER. */
static int agnhost_connect(struct tool_run *r, struct fetch *f)
{
	const char *timeout = option_of(r, "timeout"), *target = NULL;
	for (size_t i = 2; i < r->argv.count; i++) {
		if (r->argv.items[i][0] != '-' && strchr(r->argv.items[i], ':'))
			target = r->argv.items[i];
	}
	if (!f->host) {
		if (!target || !fetch_url(f, target))
			return tool_fail(r, 1, "connect needs HOST:PORT");
		f->limit = KT_SEC;
		if (timeout)
			(void)kt_duration_parse(timeout, &f->limit);
	}
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	static const char *const words[] = {[FETCH_OK] = NULL,
	                                    [FETCH_BAD_NAME] = "DNS\n",
	                                    [FETCH_NO_DNS] = "DNS\n",
	                                    [FETCH_REFUSED] = "REFUSED\n",
	                                    [FETCH_TIMEOUT] = "TIMEOUT\n",
	                                    [FETCH_SLOW] = "TIMEOUT\n",
	                                    [FETCH_UNREACHABLE] = "OTHER\n",
	                                    [FETCH_SILENT] = NULL};
	const char *word = words[f->result];
	if (word)
		task_write(r->task, 2, word, strlen(word));
	return word ? 1 : 0;
}

/* --- databases --- */
static bool needs_secret(struct tool_run *r, const char *const *names, const char *seed, const char *text,
                         int *status)
{
	struct files_stat st;
	for (size_t i = 0; names[i]; i++) {
		const char *value = tool_env(r, names[i]);
		if (value && *value)
			return true;
	}
	/* data that is there already needs none */
	if (files_stat(tool_container(r)->files, seed, &st) == 0)
		return true;
	task_write(r->task, 2, text, strlen(text));
	*status = 1;
	return false;
}

static bool postgres_prepare(struct tool_run *r, struct server *s, int *status)
{
	static const char *const names[] = {"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE",
	                                    "POSTGRES_HOST_AUTH_METHOD", NULL};
	static const char text[] =
	        "Error: Database is uninitialized and superuser password is not specified.\n"
	        "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
	        "       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".\n\n"
	        "       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all\n"
	        "       connections without a password. This is *not* recommended.\n\n"
	        "       See PostgreSQL documentation about \"trust\":\n"
	        "       https://www.postgresql.org/docs/current/auth-trust.html\n";
	const char *data = tool_env(r, "PGDATA");
	char *seed = kt_strf("%s/PG_VERSION", data ? data : "/var/lib/postgresql/data");
	bool ok = needs_secret(r, names, seed, text, status);
	if (ok) {
		(void)files_mkdir(tool_container(r)->files, data ? data : "/var/lib/postgresql/data", true,
		                  0);
		(void)files_write(tool_container(r)->files, seed, "17\n", 3, false, 0600,
		                  process_now(r->task->process));
	}
	(void)s;
	kt_free(seed);
	return ok;
}

static bool mysql_prepare(struct tool_run *r, struct server *s, int *status)
{
	static const char *const names[] = {
	        "MYSQL_ROOT_PASSWORD",          "MYSQL_ALLOW_EMPTY_PASSWORD",
	        "MYSQL_RANDOM_ROOT_PASSWORD",   "MYSQL_ROOT_PASSWORD_FILE",
	        "MARIADB_ROOT_PASSWORD",        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD",
	        "MARIADB_RANDOM_ROOT_PASSWORD", NULL};
	static const char mysql_text[] =
	        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
	        "    You need to specify one of the following as an environment variable:\n"
	        "    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - "
	        "MYSQL_RANDOM_ROOT_PASSWORD\n";
	static const char maria_text[] =
	        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
	        "\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, "
	        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD\n";
	bool maria = r->tool->name[1] == 'a';
	bool ok = needs_secret(r, names, "/var/lib/mysql/ibdata1", maria ? maria_text : mysql_text, status);
	if (ok)
		(void)files_write(tool_container(r)->files, "/var/lib/mysql/ibdata1", "", 0, false, 0600,
		                  process_now(r->task->process));
	(void)s;
	return ok;
}

/* redis: enough of its language for counters and keys. */
static bool redis_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *port = option_of(r, "port"), *dir = "/data";
	struct kt_buf text = {0};
	char *path = kt_strf("%s/dump.rdb", dir);
	struct kt_err err = {0};
	(void)status;
	if (port)
		port_add(s, strtoul(port, NULL, 10), "TCP");
	if (!files_read(tool_container(r)->files, path, &text) &&
	    kt_json_parse(kt_buf_str(&text), text.len, NULL, &s->data, NULL, &err) != KT_OK)
		s->data = NULL;
	if (!kt_is_object(s->data)) {
		kt_json_free(s->data);
		s->data = kt_json_object();
	}
	kt_buf_clear(&text);
	kt_free(path);
	return true;
}

static void redis_save(struct tool_run *r)
{
	struct server *s = r->state;
	char *text = kt_json_text(s->data);
	(void)files_write(tool_container(r)->files, "/data/dump.rdb", text, strlen(text), false, 0644,
	                  process_now(r->task->process));
	kt_free(text);
}

static void redis_bytes(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply)
{
	struct server *s = r->state;
	char *line = kt_strndup(data, KT_MIN(len, strcspn(data, "\r\n"))), *rest = line;
	char *words[3] = {NULL, NULL, NULL};
	for (size_t i = 0; i < 3; i++) {
		rest += strspn(rest, " ");
		if (!*rest)
			break;
		words[i] = rest;
		rest += i == 2 ? strlen(rest) : strcspn(rest, " ");
		if (*rest)
			*rest++ = '\0';
	}
	const char *verb = words[0] ? words[0] : "", *key = words[1], *value = words[2];
	const char *old = key ? kt_get_str(s->data, key) : NULL;
	if (!strcasecmp(verb, "ping"))
		kt_buf_addf(reply, "%s\n", key ? key : "PONG");
	else if (!strcasecmp(verb, "set") && key && value && kt_count(s->data) < 10000)
		kt_set(&s->data, key, kt_json_str(value)), kt_buf_adds(reply, "OK\n"), redis_save(r);
	else if (!strcasecmp(verb, "get") && key)
		kt_buf_addf(reply, "%s\n", old ? old : "");
	else if (!strcasecmp(verb, "incr") && key) {
		int64_t n = old ? strtoll(old, NULL, 10) + 1 : 1;
		kt_set(&s->data, key, kt_json_strf("%lld", (long long)n));
		kt_buf_addf(reply, "%lld\n", (long long)n);
		redis_save(r);
	} else if (!strcasecmp(verb, "del") && key) {
		kt_buf_addf(reply, "%d\n", old != NULL);
		kt_unset(&s->data, key);
		redis_save(r);
	} else if (!strcasecmp(verb, "exists") && key)
		kt_buf_addf(reply, "%d\n", old != NULL);
	else if (!strcasecmp(verb, "dbsize"))
		kt_buf_addf(reply, "%zu\n", kt_count(s->data));
	else if (!strcasecmp(verb, "keys"))
		for (size_t i = 0; i < kt_count(s->data); i++)
			kt_buf_addf(reply, "%s\n", kt_key(s->data, i));
	else if (!strcasecmp(verb, "info"))
		kt_buf_adds(reply, "# Server\nredis_version:7.4.1\nrole:master\n");
	else if (!strcasecmp(verb, "flushall"))
		kt_json_free(s->data), s->data = kt_json_object(), kt_buf_adds(reply, "OK\n");
	else
		kt_buf_addf(reply, "ERR unknown command '%s'\n", verb);
	kt_free(line);
}

/* --- python, node: a script cannot be run here; one that serves is taken at its word --- */
static bool script_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *module = option_of(r, "m"), *code = option_of(r, "c");
	if (!code)
		code = option_of(r, "e");
	const char *first = r->argv.count > 1 ? r->argv.items[1] : NULL;
	struct kt_buf text = {0};
	*status = 0;
	if (first && (!strcmp(first, "--version") || !strcmp(first, "-V") || !strcmp(first, "-v"))) {
		tool_outs(r, r->tool->name[0] == 'p' ? "Python 3.12.3\n" : "v22.11.0\n");
		return false;
	}
	if (module && kt_streq(module, "http.server")) {
		for (size_t i = 3; i < r->argv.count; i++) {
			if (isdigit((unsigned char)r->argv.items[i][0]))
				port_add(s, strtoul(r->argv.items[i], NULL, 10), "TCP");
		}
		if (!s->port_count)
			port_add(s, 8000, "TCP");
		s->files = true;
		struct kt_buf hello = {0};
		kt_buf_addf(&hello, "Serving HTTP on 0.0.0.0 port %u (http://0.0.0.0:%u/) ...\n", s->ports[0],
		            s->ports[0]);
		task_write(r->task, 1, hello.data, hello.len);
		kt_buf_clear(&hello);
		return true;
	}
	if (!code && first && first[0] != '-') {
		char *path = tool_path(r, first);
		int rc = files_read(tool_container(r)->files, path, &text);
		kt_free(path);
		if (rc) {
			struct kt_buf line = {0};
			if (r->tool->name[0] == 'p')
				kt_buf_addf(&line,
				            "python: can't open file '%s%s': [Errno 2] No such file or "
				            "directory\n",
				            first[0] == '/' ? "" : "/", first);
			else
				kt_buf_addf(&line, "Error: Cannot find module '%s'\n", first);
			task_write(r->task, 2, line.data, line.len);
			kt_buf_clear(&line);
			*status = r->tool->name[0] == 'p' ? 2 : 1;
			return false;
		}
		code = kt_buf_str(&text);
	}
	static const char *const marks[] = {"listen(",      "port=",       "PORT =", "port =", "PORT=",
	                                    "HTTPServer((", "TCPServer((", "\", ",   "', "};
	for (size_t i = 0; code && i < KT_COUNT(marks) && !s->port_count; i++) {
		const char *at = strstr(code, marks[i]);
		bool serves = strstr(code, "listen") || strstr(code, "serve") || strstr(code, "app.run");
		if (!at || !serves)
			continue;
		at += strlen(marks[i]);
		while (*at && !isdigit((unsigned char)*at) && *at != '\n')
			at++;
		port_add(s, strtoul(at, NULL, 10), "TCP");
	}
	if (s->port_count) {
		kt_buf_clear(&text);
		return true;
	}
	for (const char *at = code;
	     at && (at = strstr(at, r->tool->name[0] == 'p' ? "print(" : "console.log(")); at++) {
		const char *open = strchr(at, '(') + 1, *close;
		if ((*open == '"' || *open == '\'') && (close = strchr(open + 1, *open))) {
			struct kt_buf out = {0};
			bool stop = false;
			unescape(open + 1, (size_t)(close - open - 1), false, &out, &stop);
			tool_outf(r, "%s\n", kt_buf_str(&out));
			kt_buf_clear(&out);
		}
	}
	if (code && strstr(code, "while True"))
		s->exit_after = -1;
	kt_buf_clear(&text);
	return s->exit_after == -1;
}

static void script_serve(struct tool_run *r, const struct network_http_request *request,
                         struct network_http_response *response)
{
	if (((const struct server *)r->state)->files)
		python_serve(r, request, response);
	else
		generic_serve(r, request, response);
}

/* --- the table --- */
static bool dns_prepare(struct tool_run *r, struct server *s, int *status)
{
	(void)r;
	(void)status;
	port_add(s, 53, "UDP");
	port_add(s, 53, "TCP");
	port_add(s, 8080, "TCP");
	port_add(s, 8181, "TCP");
	port_add(s, 9153, "TCP");
	return true;
}

static bool rabbit_prepare(struct tool_run *r, struct server *s, int *status)
{
	(void)r;
	(void)status;
	port_add(s, 5672, "TCP");
	port_add(s, 15672, "TCP");
	return true;
}

static void ok_serve(struct tool_run *r, const struct network_http_request *request,
                     struct network_http_response *response)
{
	(void)r;
	(void)request;
	plain(response, 200, "OK");
}

static const char nginx_entrypoint[] =
        "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration\n"
        "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/\n"
        "/docker-entrypoint.sh: Configuration complete; ready for start up\n";
static const struct server_row rows[] = {
        {"python", 0, script_prepare, script_serve, NULL, NULL, false, KT_MS, NULL},
        {"python3", 0, script_prepare, script_serve, NULL, NULL, false, KT_MS, NULL},
        {"node", 0, script_prepare, generic_serve, NULL, NULL, false, KT_MS, NULL},
        {"nginx", 0, nginx_prepare, nginx_serve, NULL, NULL, true, 200 * KT_US, nginx_entrypoint},
        {"httpd-foreground", 80, NULL, httpd_serve, NULL,
         "AH00558: httpd: Could not reliably determine the server's fully qualified domain name\n", true,
         300 * KT_US, NULL},
        {"httpd", 80, NULL, httpd_serve, NULL, NULL, true, 300 * KT_US, NULL},
        {"busybox httpd", 0, small_httpd_prepare, small_httpd_serve, NULL, NULL, false, 200 * KT_US, NULL},
        {"apache2-foreground", 80, NULL, hpa_serve, NULL,
         "AH00558: apache2: Could not reliably determine the server's fully qualified domain name\n", true,
         6 * KT_MS, NULL},
        {"agnhost", 0, agnhost_prepare, agnhost_serve, NULL, NULL, false, 200 * KT_US, NULL},
        {"http-echo", 5678, http_echo_prepare, http_echo_serve, NULL, NULL, false, 100 * KT_US, NULL},
        {"whoami", 80, NULL, whoami_serve, NULL, "Starting up on port 80\n", false, 100 * KT_US, NULL},
        {"echo-server", 0, generic_prepare, echo_serve, NULL, NULL, false, 100 * KT_US, NULL},
        {"hello-app", 8080, generic_prepare, hello_app_serve, NULL, "Server listening on port 8080\n", false,
         100 * KT_US, NULL},
        {"server", 0, generic_prepare, generic_serve, NULL, NULL, false, 2 * KT_MS, NULL},
        {"podinfo", 9898, NULL, podinfo_serve, NULL,
         "{\"level\":\"info\",\"msg\":\"Starting podinfo\",\"port\":\"9898\"}\n", false, 500 * KT_US, NULL},
        {"consumer", 8080, NULL, ok_serve, NULL, NULL, false, KT_MS, NULL},
        {"redis-server", 6379, redis_prepare, NULL, redis_bytes, "1:M * Ready to accept connections tcp\n",
         false, 50 * KT_US, NULL},
        {"valkey-server", 6379, redis_prepare, NULL, redis_bytes, "1:M * Ready to accept connections tcp\n",
         false, 50 * KT_US, NULL},
        {"postgres", 5432, postgres_prepare, NULL, NULL,
         "LOG:  database system is ready to accept connections\n", false, KT_MS, NULL},
        {"mysqld", 3306, mysql_prepare, NULL, NULL,
         "[System] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.4.3'  socket: "
         "'/var/run/mysqld/mysqld.sock'  port: 3306\n",
         false, KT_MS, NULL},
        {"mariadbd", 3306, mysql_prepare, NULL, NULL, "[Note] mariadbd: ready for connections.\n", false,
         KT_MS, NULL},
        {"mongod", 27017, NULL, NULL, NULL,
         "{\"msg\":\"Waiting for connections\",\"attr\":{\"port\":27017}}\n", false, KT_MS, NULL},
        {"rabbitmq-server", 5672, rabbit_prepare, NULL, NULL, "Server startup complete; 4 plugins started.\n",
         false, KT_MS, NULL},
        {"memcached", 11211, NULL, NULL, NULL, NULL, false, 50 * KT_US, NULL},
        {"coredns", 53, dns_prepare, ok_serve, NULL,
         ".:53\n[INFO] plugin/reload: Running configuration SHA512\nCoreDNS-1.12.1\nlinux/amd64, go1.24.1\n",
         false, 50 * KT_US, NULL},
        {"daemon", 0, NULL, ok_serve, NULL, NULL, false, 100 * KT_US, NULL},
};

static const struct server_row *row_of(const struct tool_run *r)
{
	const char *name = kt_streq(r->tool->sets, "plain") ? "busybox httpd" : r->tool->name;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (!strcmp(rows[i].program, name))
			return &rows[i];
	}
	return &rows[KT_COUNT(rows) - 1];
}

static void access_log(struct tool_run *r, const struct network_http_request *request,
                       const struct network_http_response *response)
{
	struct kt_buf line = {0};
	char when[64];
	time_t now = (time_t)(process_now(r->task->process) / KT_SEC);
	struct tm tm;
	gmtime_r(&now, &tm);
	size_t len = strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	const char *agent = kt_get_str(request->headers, "User-Agent");
	kt_buf_addf(&line, "%s - - [%.*s] \"%s %s HTTP/1.1\" %d %zu \"-\" \"%s\" \"-\"\n",
	            request->client ? request->client : "-", (int)len, when, request->method, request->path,
	            response->status, response->body.len, agent ? agent : "Wget");
	tool_out(r, line.data, line.len);
	kt_buf_clear(&line);
}

static void serve(void *arg, const struct network_http_request *request,
                  struct network_http_response *response)
{
	struct tool_run *r = arg;
	struct server *s = r->state;
	const struct image *image = r->task->process->image;
	s->requests++;
	if (image_has_tools(image, "hello-node"))
		hello_node_serve(r, request, response);
	else if (image_has_tools(image, "bootcamp"))
		bootcamp_serve(r, request, response);
	else
		s->row->serve(r, request, response);
	if (kt_streq(request->method, "HEAD"))
		kt_buf_cut(&response->body, 0);
	kt_ns work = s->row->work;
	if (image_has_tools(image, "hpa-example"))
		work = 60 * KT_MS; /* a million square roots */
	const char *told = tool_env(r, "KTUTOR_WORK");
	if (told)
		(void)kt_duration_parse(told, &work);
	response->takes += work;
	container_work(tool_container(r), work);
	if (s->row->access_log)
		access_log(r, request, response);
}

static void bytes(void *arg, const void *data, size_t len, struct kt_buf *reply)
{
	struct tool_run *r = arg;
	const struct server *s = r->state;
	char *text = kt_strndup(data, len);
	container_work(tool_container(r), s->row->work);
	if (s->row->bytes)
		s->row->bytes(r, text, len, reply);
	kt_free(text);
}

static void end_server(struct tool_run *r)
{
	struct server *s = r->state;
	const struct container *c = tool_container(r);
	for (size_t i = 0; s->listening && i < s->port_count; i++)
		network_unlisten(c->cluster, c->pod_ip, s->ports[i], s->protocols[i]);
	kt_free(s->text);
	kt_free(s->root);
	kt_free(s->conf);
	kt_json_free(s->data);
}

static int server_listen(struct tool_run *r, struct server *s)
{
	const struct container *c = tool_container(r);
	for (size_t i = 0; i < s->port_count && c->pod_ip; i++) {
		if (network_is_listening(c->cluster, c->pod_ip, s->ports[i], s->protocols[i])) {
			struct kt_buf line = {0};
			kt_buf_addf(&line, "%s: bind() to 0.0.0.0:%u failed (98: Address already in use)\n",
			            r->tool->name, s->ports[i]);
			task_write(r->task, 2, line.data, line.len);
			kt_buf_clear(&line);
			s->port_count = i;
			s->listening = true;
			return 1;
		}
		struct network_listener listener = {.address = c->pod_ip,
		                                    .port = s->ports[i],
		                                    .protocol = s->protocols[i],
		                                    .http = s->row->serve != NULL,
		                                    .serve = s->row->serve ? serve : NULL,
		                                    .bytes = s->row->bytes ? bytes : NULL,
		                                    .arg = r,
		                                    .ns = c->ns,
		                                    .pod = c->pod,
		                                    .container = c->name};
		network_listen(c->cluster, &listener);
	}
	s->listening = c->pod_ip != NULL;
	if (s->row->entrypoint && r->task->wrapped)
		tool_outs(r, s->row->entrypoint);
	if (s->row->hello)
		tool_outs(r, s->row->hello);
	return 0;
}

static int run_server(struct tool_run *r)
{
	struct server *s = r->state;
	const struct image *image = r->task->process->image;
	int status = 0;
	if (!s->prepared) {
		s->prepared = true;
		s->row = row_of(r);
		s->since = process_now(r->task->process);
		if (s->row->prepare && !s->row->prepare(r, s, &status))
			return status;
		if (!s->port_count && s->row->port)
			port_add(s, s->row->port, "TCP");
		if (!s->port_count && image->port && !kt_streq(r->tool->name, "agnhost") &&
		    s->exit_after != -1)
			port_add(s, image->port, "TCP");
	}
	if (!s->listening && s->port_count) {
		if (tool_sleep(r, image->start))
			return TOOL_WAIT;
		if (server_listen(r, s))
			return 1;
	}
	return s->exit_after > 0 ? s->exit_after - 1 : TOOL_WAIT;
}

struct agnhost {
	struct server server; /* first: what run_server takes the state for */
	struct fetch fetch;
	struct hoard hoard;
};

static int run_agnhost(struct tool_run *r)
{
	struct agnhost *s = r->state;
	if (r->argv.count > 1 && !strcmp(r->argv.items[1], "connect"))
		return agnhost_connect(r, &s->fetch);
	if (r->argv.count > 1 && !strcmp(r->argv.items[1], "stress"))
		return run_hoard(r, &s->hoard);
	return run_server(r);
}

static int run_pause(struct tool_run *r)
{
	(void)r;
	return TOOL_WAIT;
}

static int run_hello(struct tool_run *r)
{
	tool_outs(r, "\nHello from Docker!\nThis message shows that your installation appears to be working "
	             "correctly.\n\n");
	return 0;
}

/* --- clients of databases: a connection, and a short answer --- */
static int run_db_client(struct tool_run *r)
{
	struct fetch *f = r->state;
	const char *host = option_of(r, "h"), *port = option_of(r, "p"), *name = r->tool->name;
	bool redis = kt_starts(name, "redis") || kt_starts(name, "valkey"), postgres = name[0] == 'p';
	if (!host && (host = option_of(r, "host")) == NULL)
		host = tool_env(r, "PGHOST");
	if (!f->host) {
		f->host = kt_strdup(host ? host : "127.0.0.1");
		f->port =
		        redis ? 6379 : (postgres ? 5432 : (name[0] == 'm' && name[1] == 'o' ? 27017 : 3306));
		if (port && isdigit((unsigned char)port[0]) && (redis || postgres))
			f->port = (unsigned)strtoul(port, NULL, 10);
		f->limit = 3 * KT_SEC;
	}
	if (fetch_connect(r, f))
		return TOOL_WAIT;
	bool open = f->result == FETCH_OK;
	if (kt_streq(name, "pg_isready")) {
		tool_outf(r, "%s:%u - %s\n", host ? host : "/var/run/postgresql", f->port,
		          open ? "accepting connections" : "no response");
		return open ? 0 : 2;
	}
	if (!open && redis) {
		struct kt_buf line = {0};
		kt_buf_addf(&line, "Could not connect to Redis at %s:%u: %s\n", f->host, f->port,
		            f->result == FETCH_BAD_NAME ? "Name or service not known" : "Connection refused");
		task_write(r->task, 2, line.data, line.len);
		kt_buf_clear(&line);
		return 1;
	}
	if (!open && postgres) {
		struct kt_buf line = {0};
		kt_buf_addf(&line,
		            "psql: error: connection to server at \"%s\", port %u failed: %s\n\tIs the "
		            "server running on that "
		            "host and accepting TCP/IP connections?\n",
		            f->host, f->port,
		            f->result == FETCH_REFUSED ? "Connection refused" : "timeout expired");
		task_write(r->task, 2, line.data, line.len);
		kt_buf_clear(&line);
		return 2;
	}
	if (!open)
		return tool_fail(r, 1, "connect to server at '%s' failed", f->host);
	if (redis) {
		struct kt_buf line = {0}, reply = {0};
		for (size_t i = 1; i < r->argv.count; i++) {
			if (!strcmp(r->argv.items[i], "-h") || !strcmp(r->argv.items[i], "-p") ||
			    !strcmp(r->argv.items[i], "-a")) {
				i++;
				continue;
			}
			if (r->argv.items[i][0] != '-' || line.len)
				kt_buf_addf(&line, "%s%s", line.len ? " " : "", r->argv.items[i]);
		}
		if (f->to.listener && f->to.listener->bytes && line.len)
			f->to.listener->bytes(f->to.listener->arg, line.data, line.len, &reply);
		tool_out(r, kt_buf_str(&reply), reply.len);
		kt_buf_clear(&line);
		kt_buf_clear(&reply);
		return 0;
	}
	if (kt_ends(name, "admin")) {
		tool_outs(r, "mysqld is alive\n");
		return 0;
	}
	const char *query = option_of(r, postgres ? "c" : "e");
	if (!query)
		query = option_of(r, "eval");
	if (query && !strncasecmp(query, "select 1", 8))
		tool_outs(r, postgres ? (option_of(r, "t") ? "        1\n\n"
		                                           : " ?column? \n----------\n        1\n(1 row)\n\n")
		                      : "1\n1\n");
	else if (query && strstr(query, "ping"))
		tool_outs(r, "{ ok: 1 }\n");
	else if (query && postgres)
		tool_outf(r, "%s\n",
		          !strncasecmp(query, "create", 6)
		                  ? "CREATE TABLE"
		                  : (!strncasecmp(query, "insert", 6) ? "INSERT 0 1" : "(0 rows)"));
	return 0;
}

static void end_db_client(struct tool_run *r)
{
	fetch_clear(r->state);
}

static void end_agnhost(struct tool_run *r)
{
	struct agnhost *s = r->state;
	end_server(r);
	fetch_clear(&s->fetch);
}

#define SERVER .run = run_server, .state_size = sizeof(struct server), .end = end_server
#define DB     .run = run_db_client, .state_size = sizeof(struct fetch), .end = end_db_client
const struct tool tools_servers[] = {
        {.name = "agnhost",
         .sets = "agnhost",
         .run = run_agnhost,
         .state_size = sizeof(struct agnhost),
         .end = end_agnhost,
         .term = 1},
        {.name = "apache2-foreground", .sets = "hpa-example generic-server", SERVER, .term = 1},
        {.name = "consumer", .sets = "consumer", SERVER, .term = 1},
        {.name = "coredns", .sets = "coredns", SERVER, .term = 1},
        {.name = "daemon", .sets = "daemon", SERVER, .term = 1},
        {.name = "echo-server", .sets = "echo-server", SERVER, .term = 1},
        {.name = "fluent-bit", .sets = "daemon", SERVER, .term = 1},
        {.name = "fluentd", .sets = "daemon", SERVER, .term = 1},
        {.name = "hello", .sets = "hello", .run = run_hello},
        {.name = "hello-app", .sets = "hello-app", SERVER, .term = 3},
        {.name = "http-echo", .sets = "http-echo", SERVER, .term = 1},
        {.name = "httpd", .sets = "httpd", SERVER, .term = 1},
        {.name = "httpd", .sets = "plain", SERVER},
        {.name = "httpd-foreground", .sets = "httpd", SERVER, .term = 1},
        {.name = "kube-proxy", .sets = "daemon", SERVER, .term = 1},
        {.name = "mariadb", .sets = "mysql", DB},
        {.name = "mariadb-admin", .sets = "mysql", DB},
        {.name = "mariadbd", .sets = "mysql", SERVER, .term = 1},
        {.name = "memcached", .sets = "debian", SERVER, .term = 1},
        {.name = "metrics-server", .sets = "daemon", SERVER, .term = 1},
        {.name = "mongod", .sets = "mongo", SERVER, .term = 1},
        {.name = "mongosh", .sets = "mongo", DB},
        {.name = "mysql", .sets = "mysql", DB},
        {.name = "mysqladmin", .sets = "mysql", DB},
        {.name = "mysqld", .sets = "mysql", SERVER, .term = 1},
        {.name = "nginx", .sets = "nginx", SERVER, .term = 1},
        {.name = "nginx-ingress-controller", .sets = "daemon", SERVER, .term = 1},
        {.name = "node", .sets = "node", SERVER},
        {.name = "node_exporter", .sets = "daemon", SERVER, .term = 1},
        {.name = "pause", .sets = "pause", .run = run_pause, .term = 1},
        {.name = "pg_isready", .sets = "postgres", DB},
        {.name = "podinfo", .sets = "podinfo", SERVER, .term = 1},
        {.name = "postgres", .sets = "postgres", SERVER, .term = 1},
        {.name = "prometheus", .sets = "daemon", SERVER, .term = 1},
        {.name = "psql", .sets = "postgres", DB},
        {.name = "python", .sets = "python", SERVER},
        {.name = "python3", .sets = "python", SERVER},
        {.name = "rabbitmq-server", .sets = "rabbitmq", SERVER, .term = 1},
        {.name = "redis-cli", .sets = "redis", DB},
        {.name = "redis-server", .sets = "redis", SERVER, .term = 1},
        {.name = "run.sh", .sets = "daemon", SERVER, .term = 1},
        {.name = "server", .sets = "generic-server hello-node bootcamp", SERVER, .term = 1},
        {.name = "valkey-cli", .sets = "redis", DB},
        {.name = "valkey-server", .sets = "redis", SERVER, .term = 1},
        {.name = "whoami", .sets = "whoami-server", SERVER, .term = 3},
        {.name = NULL},
};

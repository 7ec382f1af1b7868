/* SPDX-License-Identifier: MIT */
/* nginx, httpd, busybox httpd, python -m http.server: files of the container over HTTP. */
#include "cluster/kubelet/servers/servers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

bool nginx_prepare(struct tool_run *r, struct server *s, int *status)
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
		server_port(s, strtoul(number, NULL, 10), "TCP");
	}
	if (!s->port_count)
		server_port(s, 80, "TCP");
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

void server_error_page(struct network_http_response *response, int status, const char *server)
{
	char *text = kt_strf("<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d "
	                     "%s</h1></center>\r\n<hr><center>%s</center>\r\n</body>\r\n</html>\r\n",
	                     status, fetch_reason(status), status, fetch_reason(status), server);
	server_answer(response, status, "text/html", text, strlen(text));
	kt_free(text);
}

void server_file(struct tool_run *r, const char *root, const char *url, const char *server,
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
		server_error_page(response,
		                  rc == 2 ? (kt_ends(path.data, "/index.html") && strlen(url) < 2 ? 403 : 404)
		                          : 403,
		                  server);
	else
		server_answer(response, 200, mime(path.data), kt_buf_str(&data), data.len);
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
		server_error_page(response, 502, "nginx");
	} else if (f.to.outcome == NETWORK_TIMEOUT) {
		server_error_page(response, 504, "nginx");
		response->takes += 60 * KT_SEC;
	} else if (r->task->process->steps >= DEEPEST) {
		server_error_page(response, 508, "nginx");
	} else {
		r->task->process->steps++;
		if (!network_serve(cluster, &f.to, &onward, response))
			server_error_page(response, 502, "nginx");
		r->task->process->steps--;
		response->takes += f.to.latency;
	}
	kt_strs_clear(&addresses);
	fetch_clear(&f);
}

void nginx_serve(struct tool_run *r, const struct network_http_request *request,
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
				kt_buf_adds(&named, server_pod_name(r)), c += 8;
			else
				kt_buf_addc(&named, *c);
		}
		server_answer(response, status >= 100 && status < 600 ? (int)status : 200, "text/plain",
		              kt_buf_str(&named), named.len);
		kt_buf_clear(&out);
		kt_buf_clear(&named);
	} else if (pass) {
		proxy(r, pass, request, response);
	} else {
		server_file(r, root ? root : "/usr/share/nginx/html", request->path, "nginx/1.27.5",
		            response);
	}
	kt_free(back);
	kt_free(pass);
	kt_free(root);
}

void httpd_serve(struct tool_run *r, const struct network_http_request *request,
                 struct network_http_response *response)
{
	kt_set(&response->headers, "Server", kt_json_str("Apache/2.4.65 (Unix)"));
	server_file(r, "/usr/local/apache2/htdocs", request->path, "Apache", response);
}

/* busybox's: httpd [-f] [-p [ADDRESS:]PORT] [-h FOLDER] */
bool small_httpd_prepare(struct tool_run *r, struct server *s, int *status)
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
			server_port(s, strtoul(colon ? colon + 1 : value, NULL, 10), "TCP");
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
		server_port(s, 80, "TCP");
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

void small_httpd_serve(struct tool_run *r, const struct network_http_request *request,
                       struct network_http_response *response)
{
	const struct server *s = r->state;
	server_file(r, s->root, request->path, "", response);
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

void python_serve(struct tool_run *r, const struct network_http_request *request,
                  struct network_http_response *response)
{
	const struct server *s = r->state;
	struct kt_strs names = {0};
	const char *dir = server_option(r, "directory");
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
		server_answer(response, 200, "text/html; charset=utf-8", page.data, page.len);
		kt_buf_clear(&page);
		kt_strs_clear(&names);
	} else {
		server_file(r, root, request->path, "SimpleHTTP", response);
	}
	kt_free(root);
	kt_free(path);
	kt_free(index);
}

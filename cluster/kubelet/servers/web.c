/* SPDX-License-Identifier: MIT */
/* httpd, busybox httpd, python -m http.server: files of the container over HTTP. */
#include "cluster/kubelet/servers/servers.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	                     status, kt_http_reason(status), status, kt_http_reason(status), server);
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
			server_port_at(s, colon ? value : "", strtoul(colon ? colon + 1 : value, NULL, 10),
			               "TCP");
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
		server_background(r, "-f", NULL, true);
		*status = 0;
		return false;
	}
	return true;
}

/* A script below /cgi-bin/: the request is in its environment and its input, headers stand before its words.
 */
static bool serve_cgi(struct tool_run *r, const struct network_http_request *request,
                      struct network_http_response *response)
{
	const struct server *s = r->state;
	size_t len = strcspn(request->path, "?");
	const char *query = request->path[len] ? request->path + len + 1 : "";
	char *path = kt_strf("%s%.*s", s->root, (int)len, request->path);
	struct kt_buf out = {0};
	kt_ns took = 0;
	if (!kt_starts(request->path, "/cgi-bin/")) {
		kt_free(path);
		return false;
	}
	char *words[] = {kt_strf("QUERY_STRING=%s", query),
	                 kt_strf("REQUEST_METHOD=%s", request->method),
	                 kt_strf("REQUEST_URI=%s", request->path),
	                 kt_strf("SCRIPT_NAME=%.*s", (int)len, request->path),
	                 kt_strf("REMOTE_ADDR=%s", request->client ? request->client : ""),
	                 kt_strf("CONTENT_LENGTH=%zu", request->body_len)};
	const char *argv[KT_COUNT(words) + 3] = {"env"};
	for (size_t i = 0; i < KT_COUNT(words); i++)
		argv[1 + i] = words[i];
	argv[1 + KT_COUNT(words)] = path;
	bool ran = process_answer(tool_container(r), argv, request->body ? request->body : "",
	                          request->body_len, &out, &took, NULL);
	const char *text = kt_buf_str(&out), *body = strstr(text, "\n\n"), *bare = strstr(text, "\r\n\r\n");
	size_t head = body && (!bare || body < bare) ? 2 : 4;
	const char *from = !body && !bare ? NULL : head == 2 ? body : bare;
	char *headers = from ? kt_strndup(text, (size_t)(from - text)) : kt_strdup("");
	const char *status = strcasestr(headers, "Status:"), *type = strcasestr(headers, "Content-type:");
	char *kind = type ? kt_strndup(type + 13 + strspn(type + 13, " "),
	                               strcspn(type + 13 + strspn(type + 13, " "), "\r\n;"))
	                  : kt_strdup("text/html");
	if (ran && from)
		server_answer(response, status ? atoi(status + 7) : 200, kind, from + head,
		              out.len - (size_t)(from + head - text));
	else if (!ran || files_access(tool_container(r)->files, path, FILES_RUN))
		server_error_page(response, 404, "");
	response->takes += took;
	for (size_t i = 0; i < KT_COUNT(words); i++)
		kt_free(words[i]);
	kt_free(kind);
	kt_free(headers);
	kt_free(path);
	kt_buf_clear(&out);
	return true;
}

void small_httpd_serve(struct tool_run *r, const struct network_http_request *request,
                       struct network_http_response *response)
{
	const struct server *s = r->state;
	if (serve_cgi(r, request, response))
		return;
	server_file(r, s->root, request->path, "", response);
	if (response->status >= 400) {
		kt_buf_cut(&response->body, 0);
		kt_buf_addf(
		        &response->body,
		        "<HTML><HEAD><TITLE>%d %s</TITLE></HEAD>\n<BODY><H1>%d %s</H1>\n%s\n</BODY></HTML>\n",
		        response->status, kt_http_reason(response->status), response->status,
		        kt_http_reason(response->status),
		        response->status == 404 ? "The requested URL was not found" : "");
	}
}

/* What http.server says of a request that it does not serve: its words for the status are the message. */
static void python_error(struct network_http_response *response, int status, const char *message,
                         const char *why)
{
	char *text =
	        kt_strf("<!DOCTYPE HTML>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"utf-8\">\n"
	                "        <title>Error response</title>\n    </head>\n    <body>\n"
	                "        <h1>Error response</h1>\n        <p>Error code: %d</p>\n        <p>Message: "
	                "%s.</p>\n"
	                "        <p>Error code explanation: %d - %s</p>\n    </body>\n</html>\n",
	                status, message, status, why);
	response->reason = message;
	server_answer(response, status, "text/html;charset=utf-8", text, strlen(text));
	kt_free(text);
}

static int as_python_sorts(const void *a, const void *b)
{
	return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static void python_list(struct files *files, const char *dir, const char *shown,
                        struct network_http_response *response)
{
	struct kt_strs names = {0};
	struct kt_buf page = {0};
	(void)files_list(files, dir, &names);
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), as_python_sorts);
	kt_buf_addf(&page,
	            "<!DOCTYPE HTML>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Directory "
	            "listing for "
	            "%s</title>\n</head>\n<body>\n<h1>Directory listing for %s</h1>\n<hr>\n<ul>\n",
	            shown, shown);
	for (size_t i = 0; i < names.count; i++) {
		struct files_stat st;
		char *path = kt_strf("%s/%s", dir, names.items[i]);
		const char *slash = !files_stat(files, path, &st) && st.type == FILES_DIR ? "/" : "";
		kt_buf_addf(&page, "<li><a href=\"%s%s\">%s%s</a></li>\n", names.items[i], slash,
		            names.items[i], slash);
		kt_free(path);
	}
	kt_buf_adds(&page, "</ul>\n<hr>\n</body>\n</html>\n");
	server_answer(response, 200, "text/html; charset=utf-8", page.data, page.len);
	kt_buf_clear(&page);
	kt_strs_clear(&names);
}

void python_serve(struct tool_run *r, const struct network_http_request *request,
                  struct network_http_response *response)
{
	const struct server *s = r->state;
	struct files *files = tool_container(r)->files;
	struct files_stat st;
	const char *dir = server_option(r, "directory");
	struct kt_buf asked = {0};
	(void)kt_unpercent(request->path, strcspn(request->path, "?"), false, &asked);
	char *root = tool_path(r, dir ? dir : (s->root ? s->root : "."));
	char *path = kt_strf("%s%s", root, kt_buf_str(&asked)), *index = kt_strf("%s/index.html", path);
	bool folder = !files_stat(files, path, &st) && st.type == FILES_DIR;
	response->http_1_0 = true;
	kt_set(&response->headers, "Server", kt_json_str("SimpleHTTP/0.6 Python/3.12.3"));
	if (!kt_streq(request->method, "GET") && !kt_streq(request->method, "HEAD")) {
		python_error(response, 501, "Unsupported method", "Server does not support this operation.");
	} else if (folder && !kt_ends(kt_buf_str(&asked), "/")) {
		kt_set(&response->headers, "Location", kt_json_strf("%s/", kt_buf_str(&asked)));
		response->status = 301;
	} else if (folder && files_stat(files, index, &st) != 0) {
		python_list(files, path, kt_buf_str(&asked), response);
	} else {
		server_file(r, root, request->path, "", response);
		if (response->status == 404) {
			kt_buf_cut(&response->body, 0);
			python_error(response, 404, "File not found", "Nothing matches the given URI.");
		}
	}
	kt_buf_clear(&asked);
	kt_free(root);
	kt_free(path);
	kt_free(index);
}

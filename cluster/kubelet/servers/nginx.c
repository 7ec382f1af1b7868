/* SPDX-License-Identifier: MIT */
/* nginx: its configuration is read and checked when it starts (what is wrong in it ends it, names of
 * upstreams that nobody knows too: they are looked up once), then each request goes the way that it would go
 * there: the server by its name, rewrites, the location, who may, then a text, a file, or another server.
 * Source: nginx.org/en/docs. */
#include "cluster/kubelet/kubelet.h"
#include "cluster/kubelet/servers/nginx.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- its log --- */
void nginx_log(struct tool_run *r, const char *level, const char *fmt, ...)
{
	struct kt_buf text = {0};
	char when[32];
	struct tm tm = server_now(r);
	size_t len = strftime(when, sizeof(when), "%Y/%m/%d %H:%M:%S", &tm);
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&text, fmt, ap);
	va_end(ap);
	tool_err(r, "%.*s [%s] %d#%d: %s\n", (int)len, when, level, r->task->pid, r->task->pid,
	         kt_buf_str(&text));
	kt_buf_clear(&text);
}

/* What ends it is said in the log and to whoever started it. */
static void emerg(struct tool_run *r, const char *text)
{
	nginx_log(r, "emerg", "%s", text);
	tool_err(r, "nginx: [emerg] %s\n", text);
}

/* --- the configuration's meaning --- */
bool nginx_url(const char *url, struct nginx_url *out)
{
	*out = (struct nginx_url){.port = 80};
	if (!strncasecmp(url, "https://", 8))
		out->https = true, out->port = 443;
	else if (strncasecmp(url, "http://", 7) != 0)
		return false;
	const char *host = url + (out->https ? 8 : 7);
	size_t len = strcspn(host, "/?");
	const char *colon = memchr(host, ':', len);
	out->uri = host[len] ? host + len : NULL;
	if (colon) {
		out->port = (unsigned)strtoul(colon + 1, NULL, 10);
		out->with_port = true;
		len = (size_t)(colon - host);
	}
	out->host = host;
	out->host_len = len;
	return len > 0 && out->port > 0 && out->port <= 65535;
}

const struct nginx_directive *nginx_upstream(const struct nginx *nginx, const char *name, size_t len)
{
	const struct nginx_directive *http = nginx_find(nginx->conf->top, "http"),
	                             *d = http ? http->block : NULL;
	for (; (d = nginx_find(d, "upstream")); d = d->next)
		if (strlen(d->args[0]) == len && !strncmp(d->args[0], name, len))
			return d;
	return NULL;
}

struct checking {
	struct tool_run *r;
	struct nginx *nginx;
	struct kt_buf problem;
};

static bool wrong(struct checking *c, const struct nginx_directive *d, const char *fmt, ...) KT_PRINTF(3, 4);
static bool wrong(struct checking *c, const struct nginx_directive *d, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	kt_buf_vaddf(&c->problem, fmt, ap);
	va_end(ap);
	kt_buf_addf(&c->problem, " in %s:%u", d->file, d->line);
	return false;
}

/* Once, at the start, as nginx does: what changes later is not seen until it is reloaded. */
static bool resolve(struct checking *c, const struct nginx_directive *d, const char *host, const char *said)
{
	struct kt_strs addresses = {0};
	enum network_outcome outcome;
	if (kt_get(c->nginx->addresses, host))
		return true;
	if (!strcmp(host, "localhost"))
		kt_strs_add(&addresses, "127.0.0.1");
	if (!addresses.count && !task_resolve(c->r->task, host, &addresses, NULL, &outcome))
		return wrong(c, d, "host not found in upstream \"%s\"", said);
	struct kt_json *list = kt_json_array();
	for (size_t i = 0; i < addresses.count; i++)
		kt_push(&list, kt_json_str(addresses.items[i]));
	kt_set(&c->nginx->addresses, host, list);
	kt_strs_clear(&addresses);
	return true;
}

static bool check_listen(struct checking *c, const struct nginx_directive *d)
{
	const char *colon = strrchr(d->args[0], ':'), *number = colon ? colon + 1 : d->args[0];
	char *end;
	unsigned long port = strtoul(number, &end, 10);
	bool address = !colon && strpbrk(d->args[0], ".*"); /* an address alone: port 80 */
	if (kt_starts(d->args[0], "unix:") || address)
		return true;
	if (*end || end == number)
		return colon ? wrong(c, d, "invalid port in \"%s\" of the \"listen\" directive", d->args[0])
		             : wrong(c, d, "host not found in \"%s\" of the \"listen\" directive",
		                     d->args[0]);
	if (!port || port > 65535)
		return wrong(c, d, "invalid port in \"%s\" of the \"listen\" directive", d->args[0]);
	return true;
}

static bool check_proxy_pass(struct checking *c, const struct nginx_directive *d)
{
	struct nginx_url url;
	if (strchr(d->args[0], '$'))
		return true; /* looked up for each request */
	bool in_stream = d->parent && d->parent->parent && !strcmp(d->parent->parent->name, "stream");
	if (in_stream)
		return true;
	if (!nginx_url(d->args[0], &url))
		return strstr(d->args[0], "://") && !kt_starts(d->args[0], "http")
		               ? wrong(c, d, "invalid URL prefix")
		       : strstr(d->args[0], "://")
		               ? wrong(c, d, "invalid port in upstream \"%s\"", d->args[0])
		               : wrong(c, d, "invalid URL prefix");
	const struct nginx_directive *location = d->parent;
	while (location && !strcmp(location->name, "if"))
		location = location->parent;
	if (url.uri && location && location->count &&
	    (location->args[0][0] == '~' || location->args[0][0] == '@'))
		return wrong(c, d,
		             "\"proxy_pass\" cannot have URI part in location given by regular expression, "
		             "or inside named "
		             "location, or inside \"if\" statement, or inside \"limit_except\" block");
	if (nginx_upstream(c->nginx, url.host, url.host_len))
		return true;
	char *host = kt_strndup(url.host, url.host_len);
	bool good = resolve(c, d, host, host);
	kt_free(host);
	return good;
}

static bool check_upstream(struct checking *c, const struct nginx_directive *d)
{
	const struct nginx_directive *one = nginx_find(d->block, "server");
	if (!one)
		return wrong(c, d, "no servers are inside upstream");
	for (; one; one = nginx_find(one->next, "server")) {
		char *host = kt_strndup(one->args[0], strcspn(one->args[0], ":"));
		bool good = kt_starts(one->args[0], "unix:") || resolve(c, one, host, one->args[0]);
		kt_free(host);
		if (!good)
			return false;
	}
	return true;
}

static bool check_location(struct checking *c, const struct nginx_directive *d)
{
	for (const struct nginx_directive *o = nginx_find(d->parent->block, "location"); o != d;
	     o = nginx_find(o->next, "location")) {
		bool same = o->count == d->count;
		for (size_t i = 0; same && i < d->count; i++)
			same = !strcmp(o->args[i], d->args[i]);
		if (same && d->args[0][0] != '~')
			return wrong(c, d, "duplicate location \"%s\"", d->args[d->count - 1]);
	}
	regex_t regex;
	if (d->count == 2 && d->args[0][0] == '~' && !nginx_regex(d->args[1], d->args[0][1] == '*', &regex))
		return wrong(c, d, "pcre2_compile() failed: in \"%s\"", d->args[1]);
	if (d->count == 2 && d->args[0][0] == '~')
		regfree(&regex);
	if (d->count == 2 && !strchr("~=^@", d->args[0][0]))
		return wrong(c, d, "invalid location modifier \"%s\"", d->args[0]);
	return true;
}

static bool check_return(struct checking *c, const struct nginx_directive *d)
{
	char *end;
	long status = strtol(d->args[0], &end, 10);
	if (*end && !kt_starts(d->args[0], "http") && d->args[0][0] != '$' && d->args[0][0] != '/')
		return wrong(c, d, "invalid return code \"%s\"", d->args[0]);
	if (!*end && (status < 0 || status > 999))
		return wrong(c, d, "invalid return code \"%s\"", d->args[0]);
	return true;
}

static bool check_all(struct checking *c, const struct nginx_directive *d)
{
	static const struct {
		const char *name;
		bool (*check)(struct checking *c, const struct nginx_directive *d);
	} checks[] = {{"listen", check_listen},
	              {"proxy_pass", check_proxy_pass},
	              {"upstream", check_upstream},
	              {"location", check_location},
	              {"return", check_return}};
	for (; d; d = d->next) {
		if (!nginx_words_fit(c->nginx, d, &c->problem)) {
			kt_buf_addf(&c->problem, " in %s:%u", d->file, d->line);
			return false;
		}
		for (size_t i = 0; i < KT_COUNT(checks); i++)
			if (!strcmp(checks[i].name, d->name) && !checks[i].check(c, d))
				return false;
		const char *name = nginx_unknown_variable(c->nginx, d);
		if (name) { /* told when all is read: without its place */
			kt_buf_addf(&c->problem, "unknown \"%s\" variable", name);
			return false;
		}
		if (!nginx_lists_values(d) && !check_all(c, d->block))
			return false;
	}
	return true;
}

bool nginx_speaks_tls(const struct nginx_directive *listen)
{
	for (size_t i = 1; i < listen->count; i++)
		if (!strcmp(listen->args[i], "ssl"))
			return true;
	return false;
}

/* A setting of a server, or of http around it. */
static const struct nginx_directive *server_setting(const struct nginx_directive *server, const char *name)
{
	const struct nginx_directive *own = nginx_find(server->block, name);
	return own ? own : nginx_find(server->parent->block, name);
}

/* One file of a certificate. */
static bool check_pem(struct checking *c, const struct nginx_directive *d, const char *what)
{
	struct kt_buf text = {0};
	char *path = d->args[0][0] == '/' ? kt_strdup(d->args[0]) : kt_strf("/etc/nginx/%s", d->args[0]);
	int rc = files_read(tool_container(c->r)->files, path, &text);
	bool key = kt_ends(d->name, "_key"), good = !rc && strstr(kt_buf_str(&text), what);
	if (rc)
		kt_buf_addf(&c->problem,
		            "cannot load certificate%s \"%s\": BIO_new_file() failed (SSL: "
		            "error:8000000%d:system library::%s:calling fopen(%s, r) "
		            "error:10000080:BIO routines::no such file)",
		            key ? " key" : "", path, rc, tool_strerror(rc), path);
	else if (!good && key)
		kt_buf_addf(&c->problem,
		            "cannot load certificate key \"%s\": PEM_read_bio_PrivateKey() failed (SSL: "
		            "error:1E08010C:DECODER routines::unsupported:No supported data to decode. Input "
		            "type: PEM)",
		            path);
	else if (!good)
		kt_buf_addf(&c->problem,
		            "cannot load certificate \"%s\": PEM_read_bio_X509_AUX() failed (SSL: "
		            "error:0480006C:PEM routines::no start line:Expecting: TRUSTED CERTIFICATE)",
		            path);
	kt_buf_clear(&text);
	kt_free(path);
	return good;
}

static bool check_tls(struct checking *c, const struct nginx_directive *server)
{
	const struct nginx_directive *certificate = server_setting(server, "ssl_certificate"),
	                             *key = server_setting(server, "ssl_certificate_key");
	const struct nginx_directive *l = nginx_find(server->block, "listen");
	for (; l && !certificate; l = nginx_find(l->next, "listen"))
		if (nginx_speaks_tls(l))
			return wrong(
			        c, l,
			        "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive");
	if (!certificate || strchr(certificate->args[0], '$'))
		return true;
	if (!key) { /* without its place */
		kt_buf_addf(&c->problem, "no \"ssl_certificate_key\" is defined for certificate \"%s\"",
		            certificate->args[0]);
		return false;
	}
	return check_pem(c, certificate, "BEGIN CERTIFICATE") && check_pem(c, key, "PRIVATE KEY");
}

/* A default server twice for one address, as everything that concerns several servers. */
static bool check_servers(struct checking *c)
{
	const struct nginx_directive *http = nginx_find(c->nginx->conf->top, "http");
	struct kt_json *defaults = kt_json_object();
	bool good = true;
	for (const struct nginx_directive *s = nginx_find(http ? http->block : NULL, "server"); s && good;
	     s = nginx_find(s->next, "server")) {
		good = check_tls(c, s);
		for (const struct nginx_directive *l = nginx_find(s->block, "listen"); l && good;
		     l = nginx_find(l->next, "listen")) {
			bool first = false;
			for (size_t i = 1; i < l->count; i++)
				first = first || kt_starts(l->args[i], "default");
			if (first && kt_get(defaults, l->args[0]))
				good = wrong(c, l, "a duplicate default server for %s%s",
				             strchr(l->args[0], ':') ? "" : "0.0.0.0:", l->args[0]);
			else if (first)
				kt_set(&defaults, l->args[0], kt_json_bool(true));
		}
	}
	kt_json_free(defaults);
	return good;
}

void nginx_free(void *own)
{
	struct nginx *nginx = own;
	if (!nginx)
		return;
	nginx_conf_unref(nginx->conf);
	kt_json_free(nginx->addresses);
	kt_json_free(nginx->turns);
	kt_json_free(nginx->failed);
	kt_json_free(nginx->buckets);
	kt_free(nginx);
}

#define FOLDER "/etc/nginx"

static void forget_conf(void *conf)
{
	nginx_conf_unref(conf);
}

/* Under which name those share what they read who read nothing but their image's own files; NULL: it does
 * not. Owned. */
static char *shared_key(const struct tool_run *r, const char *path, const char *globals)
{
	const struct image *image = r->task->process->image;
	if (!kt_starts(path, FOLDER "/") || !files_untouched(tool_container(r)->files, FOLDER))
		return NULL;
	return kt_strf("nginx %s %p %s %s", image->name, (const void *)image->files, path,
	               globals ? globals : "");
}

/* Read and checked, or NULL after saying why not. */
static struct nginx *load(struct tool_run *r, const char *path, const char *globals)
{
	struct nginx *nginx = kt_alloc(sizeof(*nginx));
	struct checking c = {.r = r, .nginx = nginx};
	nginx->addresses = kt_json_object();
	nginx->turns = kt_json_object();
	nginx->failed = kt_json_object();
	char *key = shared_key(r, path, globals);
	struct nginx_conf *known = key ? kubelet_shared(r->task->process->cluster, key) : NULL;
	bool good = true;
	if (known) { /* read and checked */
		nginx->conf = nginx_conf_ref(known);
		kt_free(key);
		return nginx;
	}
	nginx->conf = nginx_conf_ref(kt_alloc(sizeof(*nginx->conf)));
	good = nginx_conf_read(nginx->conf, tool_container(r)->files, path, globals);
	if (!good)
		emerg(r, nginx->conf->problem);
	else if (!(good = check_all(&c, nginx->conf->top) && check_servers(&c)))
		emerg(r, kt_buf_str(&c.problem));
	kt_buf_clear(&c.problem);
	/* names that it had to look up are this pod's */
	if (good && key && !kt_count(nginx->addresses))
		kubelet_share(r->task->process->cluster, key, nginx_conf_ref(nginx->conf), forget_conf);
	kt_free(key);
	if (!good) {
		nginx_free(nginx);
		return NULL;
	}
	return nginx;
}

static const struct nginx_directive *next_server(const struct nginx *nginx, const char *in,
                                                 const struct nginx_directive *at)
{
	const struct nginx_directive *of = nginx_find(nginx->conf->top, in);
	return nginx_find(at ? at->next : of ? of->block : NULL, "server");
}

static void show_certificate(struct tool_run *r, const struct nginx_directive *server, unsigned port,
                             struct server *s)
{
	const struct nginx_directive *d = server_setting(server, "ssl_certificate");
	struct kt_buf text = {0};
	if (d && !files_read(tool_container(r)->files, d->args[0], &text))
		server_tls(s, port, kt_buf_str(&text));
	else
		server_tls(s, port, "");
	kt_buf_clear(&text);
}

static void take_ports(struct tool_run *r, const struct nginx *nginx, struct server *s)
{
	static const char *const of[] = {"http", "stream"};
	for (size_t i = 0; i < KT_COUNT(of); i++)
		for (const struct nginx_directive *one = NULL; (one = next_server(nginx, of[i], one));) {
			const struct nginx_directive *l = nginx_find(one->block, "listen");
			if (!l && !i)
				server_port(s, 80, "TCP");
			for (; l; l = nginx_find(l->next, "listen")) {
				bool udp = l->count > 1 && !strcmp(l->args[1], "udp");
				server_port_at(s,
				               strchr(l->args[0], '.') || strchr(l->args[0], 'h') ? l->args[0]
				                                                                  : "",
				               nginx_listen_port(l), udp ? "UDP" : "TCP");
				if (nginx_speaks_tls(l))
					show_certificate(r, one, nginx_listen_port(l), s);
			}
		}
}

/* The server that runs in this container, but for `r`: PID 1, one in the background, or what a script has
 * started; NULL: there is none. */
static struct server *main_server(const struct container *c, const struct tool_run *r, struct task **main)
{
	for (struct process *p = c->processes; p; p = p->next)
		for (struct task *t = p->tasks; t; t = t->next)
			for (size_t i = 0; i < t->depth && !t->done; i++) {
				struct tool_run *run =
				        t->stack[i].kind == FRAME_TOOL ? t->stack[i].tool : NULL;
				struct server *server = run && run != r ? run->state : NULL;
				if (!server || strcmp(run->tool->name, "nginx") != 0 || !server->own)
					continue;
				*main = t;
				return server;
			}
	return NULL;
}

/* One folder on a machine, two here. */
static void put_pid(struct files *files, const struct task *task, kt_ns now)
{
	char *number = kt_strf("%d\n", task->pid);
	(void)files_write(files, "/run/nginx.pid", number, strlen(number), false, 0644, now);
	(void)files_write(files, "/var/run/nginx.pid", number, strlen(number), false, 0644, now);
	kt_free(number);
}

static void put_pid_late(void *arg, struct files *files)
{
	const struct container *c = arg;
	struct task *main;
	if (main_server(c, NULL, &main))
		put_pid(files, main, c->began);
}

/* Where a configuration wants them; NULL: where they are usually. */
static const char *wanted_path(const struct nginx *nginx, const char *directive)
{
	const struct nginx_directive *http = nginx_find(nginx->conf->top, "http");
	const char *path = nginx_value(nginx->conf->top, directive);
	return path ? path : (http ? nginx_value(http, directive) : NULL);
}

/* The five folders for what does not fit into memory: an errno value, and the folder that cannot be made. */
static int make_folders(struct tool_run *r, const struct nginx *nginx, const char *base, char **folder)
{
	static const char *const kinds[][2] = {{"client_body_temp_path", "client_temp"},
	                                       {"proxy_temp_path", "proxy_temp"},
	                                       {"fastcgi_temp_path", "fastcgi_temp"},
	                                       {"uwsgi_temp_path", "uwsgi_temp"},
	                                       {"scgi_temp_path", "scgi_temp"}};
	for (size_t n = 0; n < KT_COUNT(kinds); n++) {
		size_t i = kt_streq(base, "/tmp") && n < 2 ? 1 - n
		                                           : n; /* as that image's configuration names them */
		const char *wanted = wanted_path(nginx, kinds[i][0]);
		char *path = wanted ? kt_strdup(wanted) : kt_strf("%s/%s", base, kinds[i][1]);
		int rc = files_mkdir(tool_container(r)->files, path, false, process_now(r->task->process));
		if (rc && rc != EEXIST) {
			*folder = path;
			return rc;
		}
		kt_free(path);
	}
	return 0;
}

/* Its temporary folders and its pid file, when not everything is allowed. */
static bool may_write(struct tool_run *r, const struct nginx *nginx)
{
	struct container *c = tool_container(r);
	bool own = strstr(r->task->process->image->name, "unprivileged") != NULL;
	const char *told = wanted_path(nginx, "pid"),
	           *pid = told ? told : (own ? "/tmp/nginx.pid" : "/run/nginx.pid");
	bool usual = kt_streq(pid, "/run/nginx.pid") || kt_streq(pid, "/var/run/nginx.pid");
	kt_ns now = process_now(r->task->process);
	bool all = files_user(c->files)->all && !c->read_only_root;
	if (all && usual) {
		/* thousands of servers have no tree of files before somebody looks */
		if (files_untouched(c->files, "/run"))
			files_on_look(c->files, put_pid_late, c);
		else
			put_pid(c->files, r->task, now);
		return true;
	}
	char *number = kt_strf("%d\n", r->task->pid), *folder = NULL, *text = NULL;
	int rc = all ? 0 : make_folders(r, nginx, own ? "/tmp" : "/var/cache/nginx", &folder);
	if (folder)
		text = kt_strf("mkdir() \"%s\" failed (%d: %s)", folder, rc, tool_strerror(rc));
	else if ((rc = files_write(c->files, pid, number, strlen(number), false, 0644, now)))
		text = kt_strf("open() \"%s\" failed (%d: %s)", pid, rc, tool_strerror(rc));
	if (text)
		emerg(r, text);
	kt_free(text);
	kt_free(folder);
	kt_free(number);
	return !rc;
}

/* The image's entrypoint: /etc/nginx/templates with the environment's variables in their places. */
static void fill_templates(struct tool_run *r)
{
	struct files *files = tool_container(r)->files;
	const char *suffix = tool_env(r, "NGINX_ENVSUBST_TEMPLATE_SUFFIX");
	struct kt_json *env = tool_env_all(r);
	struct kt_strs names = {0};
	suffix = suffix ? suffix : ".template";
	(void)files_list(files, "/etc/nginx/templates", &names);
	for (size_t i = 0; i < names.count; i++) {
		struct kt_buf text = {0}, out = {0};
		char *from = kt_strf("/etc/nginx/templates/%s", names.items[i]);
		size_t len = strlen(names.items[i]), cut = strlen(suffix);
		if (kt_ends(names.items[i], suffix) && !files_read(files, from, &text)) {
			char *to = kt_strf("/etc/nginx/conf.d/%.*s", (int)(len - cut), names.items[i]);
			for (const char *at = kt_buf_str(&text); *at;) {
				bool brace = at[0] == '$' && at[1] == '{';
				const char *name = at + (brace ? 2 : 1);
				size_t n = 0;
				while (at[0] == '$' && (isalnum((unsigned char)name[n]) || name[n] == '_'))
					n++;
				char *key = kt_strndup(name, n);
				const char *value =
				        n && (!brace || name[n] == '}') ? kt_get_str(env, key) : NULL;
				kt_free(key);
				if (value)
					kt_buf_adds(&out, value), at = name + n + brace;
				else
					kt_buf_addc(&out, *at++);
			}
			(void)files_write(files, to, kt_buf_str(&out), out.len, false, 0644,
			                  process_now(r->task->process));
			kt_free(to);
		}
		kt_free(from);
		kt_buf_clear(&text);
		kt_buf_clear(&out);
	}
	kt_strs_clear(&names);
	kt_json_free(env);
}

void nginx_hangup(struct tool_run *r)
{
	struct server *server = r->state;
	struct nginx *fresh = load(r, "/etc/nginx/nginx.conf", NULL);
	if (!fresh)
		return;
	nginx_log(r, "notice", "signal 1 (SIGHUP) received from 0, reconfiguring");
	nginx_free(server->own);
	server->own = fresh;
}

/* nginx -s: the running one is told, when what it would read is fine. */
static int tell(struct tool_run *r, const char *what, const char *path, const char *globals)
{
	struct task *main = NULL;
	struct server *other = main_server(tool_container(r), r, &main);
	struct nginx *fresh = load(r, path, globals);
	if (!fresh)
		return 1;
	nginx_log(r, "notice", "signal process started");
	if (!other) {
		nginx_free(fresh);
		emerg(r, "invalid PID number \"\" in \"/run/nginx.pid\"");
		return 1;
	}
	if (!strcmp(what, "reload")) {
		nginx_free(other->own);
		other->own = fresh;
		return 0;
	}
	nginx_free(fresh);
	if (strcmp(what, "reopen") != 0)
		task_signal(main, !strcmp(what, "quit") ? 3 : 15);
	return 0;
}

const char *nginx_version(const struct tool_run *r)
{
	const char *version = tool_env(r, "NGINX_VERSION");
	return version ? version : "1.27.5";
}

bool nginx_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *path = "/etc/nginx/nginx.conf", *globals = NULL, *tell_what = NULL, *value;
	size_t at = 1, in = 0;
	bool test = false, dump = false;
	for (int option; (option = tool_option(r, &at, &in, "?hvVtTqs:p:e:c:g:", &value));) {
		*status = 0;
		if (option == '?' || option == 'h') {
			*status = option == 'h' ? 0 : 1;
			return false;
		}
		if (option == 'v' || option == 'V') {
			tool_err(r, "nginx version: nginx/%s\n", nginx_version(r));
			return false;
		}
		test = test || option == 't' || option == 'T';
		dump = dump || option == 'T';
		path = option == 'c' ? value : path;
		globals = option == 'g' ? value : globals;
		tell_what = option == 's' ? value : tell_what;
	}
	if (tell_what) {
		*status = tell(r, tell_what, path, globals);
		return false;
	}
	if (r->task->wrapped && !files_untouched(tool_container(r)->files, FOLDER)) /* images have none */
		fill_templates(r);
	struct nginx *nginx = load(r, path, globals);
	if (test && nginx)
		tool_err(r, "nginx: the configuration file %s syntax is ok\n", path);
	if (nginx && !nginx_find(nginx->conf->top, "events")) {
		emerg(r, "no \"events\" section in configuration");
		nginx_free(nginx);
		nginx = NULL;
	}
	struct kt_buf why = {0};
	if (nginx && !nginx_can_begin(r, nginx, nginx->conf->top, &why)) {
		emerg(r, kt_buf_str(&why));
		nginx_free(nginx);
		nginx = NULL;
	}
	kt_buf_clear(&why);
	if (test) {
		tool_err(r, "nginx: configuration file %s test %s\n", path,
		         nginx ? "is successful" : "failed");
		*status = nginx ? 0 : 1;
		nginx_free(nginx);
		return false;
	}
	const char *daemon = nginx ? nginx_value(nginx->conf->top, "daemon") : NULL;
	if (nginx && !kt_streq(daemon, "off")) {
		nginx_free(nginx);
		server_background(r, "-g", "daemon off;", false); /* its logs are open by then */
		*status = 0;
		return false;
	}
	s->own = nginx;
	*status = !nginx || !may_write(r, nginx);
	if (nginx)
		take_ports(r, nginx, s);
	return !*status;
}

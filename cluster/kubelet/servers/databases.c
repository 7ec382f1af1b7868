/* SPDX-License-Identifier: MIT */
/* Databases, and their clients. */
#include "cluster/kubelet/servers/servers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

bool postgres_prepare(struct tool_run *r, struct server *s, int *status)
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

bool mysql_prepare(struct tool_run *r, struct server *s, int *status)
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
bool redis_prepare(struct tool_run *r, struct server *s, int *status)
{
	const char *port = server_option(r, "port"), *dir = "/data";
	struct kt_buf text = {0};
	char *path = kt_strf("%s/dump.rdb", dir);
	struct kt_err err = {0};
	(void)status;
	if (port)
		server_port(s, strtoul(port, NULL, 10), "TCP");
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

void redis_bytes(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply)
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

static int run_db_client(struct tool_run *r)
{
	struct fetch *f = r->state;
	const char *host = server_option(r, "h"), *port = server_option(r, "p"), *name = r->tool->name;
	bool redis = kt_starts(name, "redis") || kt_starts(name, "valkey"), postgres = name[0] == 'p';
	if (!host && (host = server_option(r, "host")) == NULL)
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
	const char *query = server_option(r, postgres ? "c" : "e");
	if (!query)
		query = server_option(r, "eval");
	if (query && !strncasecmp(query, "select 1", 8))
		tool_outs(r, postgres ? (server_option(r, "t")
		                                 ? "        1\n\n"
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

#define DB .run = run_db_client, .state_size = sizeof(struct fetch), .end = end_db_client
const struct tool tools_databases[] = {
        {.name = "mariadb", .sets = "mysql", DB},    {.name = "mariadb-admin", .sets = "mysql", DB},
        {.name = "mongosh", .sets = "mongo", DB},    {.name = "mysql", .sets = "mysql", DB},
        {.name = "mysqladmin", .sets = "mysql", DB}, {.name = "pg_isready", .sets = "postgres", DB},
        {.name = "psql", .sets = "postgres", DB},    {.name = "redis-cli", .sets = "redis", DB},
        {.name = "valkey-cli", .sets = "redis", DB}, {.name = NULL},
};

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

static int run_db_client(struct tool_run *r)
{
	struct fetch *f = r->state;
	const char *host = server_option(r, "h"), *port = server_option(r, "p"), *name = r->tool->name;
	bool postgres = name[0] == 'p';
	if (!host && (host = server_option(r, "host")) == NULL)
		host = tool_env(r, "PGHOST");
	if (!f->host) {
		f->host = kt_strdup(host ? host : "127.0.0.1");
		f->port = postgres ? 5432 : name[0] == 'm' && name[1] == 'o' ? 27017 : 3306;
		if (port && isdigit((unsigned char)port[0]) && postgres)
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
        {.name = "psql", .sets = "postgres", DB},
};

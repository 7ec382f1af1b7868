/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/servers/sql.h"

#include <ctype.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/codec.h"

/* One database of the server. */
struct database {
	struct database *next;
	char *name;
	sqlite3 *db;
};
struct sql_server {
	struct tool_run *r;
	enum sql_dialect dialect;
	struct database *databases;
	struct kt_json *users; /* {NAME: password} */
	char *folder, *superuser;
	bool trusting;       /* no password is asked for */
	const char *current; /* database of the statement at hand */
};

static kt_ns now_of(const struct sql_server *s)
{
	return process_now(s->r->task->process);
}

/* --- what SQLite does not have --- */
static void fn_now(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct sql_server *s = sqlite3_user_data(context);
	struct kt_buf text = {0};
	(void)argc;
	(void)argv;
	kt_time_print(now_of(s), &text);
	text.data[10] = ' ';
	sqlite3_result_text(context, text.data, 19, SQLITE_TRANSIENT);
	kt_buf_clear(&text);
}

static void fn_version(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct sql_server *s = sqlite3_user_data(context);
	(void)argc;
	(void)argv;
	bool maria = !strcmp(s->r->tool->name, "mariadbd");
	sqlite3_result_text(
	        context,
	        s->dialect == SQL_POSTGRES
	                ? "PostgreSQL 17.2 (Debian 17.2-1.pgdg120+1) on x86_64-pc-linux-gnu, compiled by "
	                  "gcc (Debian 12.2.0-14) 12.2.0, 64-bit"
	        : maria ? "11.6.2-MariaDB-ubu2404"
	                : "8.4.3",
	        -1, SQLITE_STATIC);
}

static void fn_database(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct sql_server *s = sqlite3_user_data(context);
	(void)argc;
	(void)argv;
	sqlite3_result_text(context, s->current, -1, SQLITE_TRANSIENT);
}

static void fn_hostname(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const struct sql_server *s = sqlite3_user_data(context);
	(void)argc;
	(void)argv;
	sqlite3_result_text(context, server_pod_name(s->r), -1, SQLITE_TRANSIENT);
}

static void fn_md5(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	unsigned char sum[16];
	struct kt_buf hex = {0};
	const unsigned char *text = sqlite3_value_text(argv[0]);
	(void)argc;
	kt_md5(text ? (const char *)text : "", text ? strlen((const char *)text) : 0, sum);
	kt_hex(sum, sizeof(sum), &hex);
	sqlite3_result_text(context, hex.data, (int)hex.len, SQLITE_TRANSIENT);
	kt_buf_clear(&hex);
}

static void fn_concat(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	struct kt_buf all = {0};
	for (int i = 0; i < argc; i++) {
		const unsigned char *text = sqlite3_value_text(argv[i]);
		kt_buf_adds(&all, text ? (const char *)text : "");
	}
	sqlite3_result_text(context, kt_buf_str(&all), (int)all.len, SQLITE_TRANSIENT);
	kt_buf_clear(&all);
}

static void fn_false(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	(void)argc;
	(void)argv;
	sqlite3_result_text(context, "f", 1, SQLITE_STATIC);
}

static const struct {
	const char *name;
	int words;
	void (*fn)(sqlite3_context *context, int argc, sqlite3_value **argv);
} functions[] = {{"now", 0, fn_now},
                 {"version", 0, fn_version},
                 {"current_database", 0, fn_database},
                 {"database", 0, fn_database},
                 {"pg_is_in_recovery", 0, fn_false},
                 {"md5", 1, fn_md5},
                 {"concat", -1, fn_concat},
                 {"inet_server_addr", 0, fn_hostname}};

/* No other files, no switches. */
static int guard(void *arg, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)arg;
	(void)b;
	(void)c;
	(void)d;
	if (action == SQLITE_ATTACH || action == SQLITE_DETACH)
		return SQLITE_DENY;
	/* page_count: what sqlite3_serialize itself asks */
	if (action == SQLITE_PRAGMA && a && strcmp(a, "table_info") != 0 && strcmp(a, "page_count") != 0)
		return SQLITE_DENY;
	return SQLITE_OK;
}

static int too_long(void *arg)
{
	(void)arg;
	return 1;
}

/* --- databases and files --- */
static struct database *find(const struct sql_server *s, const char *name)
{
	for (struct database *d = s->databases; d; d = d->next)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

static void run_plain(struct database *d, const char *sql)
{
	(void)sqlite3_exec(d->db, sql, NULL, NULL, NULL);
}

static struct database *open_database(struct sql_server *s, const char *name, const void *bytes, size_t len)
{
	enum { MOST_STEPS = 50 * 1000 * 1000, LONGEST = 1 << 20 };
	struct database *d = kt_alloc(sizeof(*d)), **end = &s->databases;
	d->name = kt_strdup(name);
	if (sqlite3_open(":memory:", &d->db) != SQLITE_OK)
		kt_bug("SQLite opens no database in memory");
	for (size_t i = 0; i < KT_COUNT(functions); i++)
		(void)sqlite3_create_function(d->db, functions[i].name, functions[i].words, SQLITE_UTF8, s,
		                              functions[i].fn, NULL, NULL);
	if (len) {
		unsigned char *copy = sqlite3_malloc64(len);
		memcpy(copy, bytes, len);
		(void)sqlite3_deserialize(d->db, "main", copy, (sqlite3_int64)len, (sqlite3_int64)len,
		                          SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
	}
	/* what people ask of a server's own tables; temporary, so that it is not kept */
	if (s->dialect == SQL_POSTGRES)
		run_plain(d, "CREATE TEMP VIEW pg_tables AS SELECT 'public' AS schemaname, name AS tablename "
		             "FROM main.sqlite_master WHERE type = "
		             "'table' AND name NOT LIKE 'sqlite_%';"
		             "CREATE TEMP VIEW pg_settings AS SELECT 'max_connections' AS name, '100' AS "
		             "value UNION SELECT 'server_version', "
		             "'17.2 (Debian 17.2-1.pgdg120+1)' UNION SELECT 'shared_buffers', '128MB' UNION "
		             "SELECT 'data_directory', "
		             "'/var/lib/postgresql/data' UNION SELECT 'transaction_read_only', 'off' UNION "
		             "SELECT 'timezone', 'Etc/UTC';"
		             "CREATE TEMP VIEW pg_database AS SELECT 'postgres' AS datname;");
	(void)sqlite3_set_authorizer(d->db, guard, NULL);
	(void)sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, LONGEST);
	sqlite3_progress_handler(d->db, MOST_STEPS, too_long, NULL);
	while (*end)
		end = &(*end)->next;
	*end = d;
	return d;
}

static void close_database(struct sql_server *s, struct database *d)
{
	for (struct database **at = &s->databases; *at; at = &(*at)->next)
		if (*at == d) {
			*at = d->next;
			break;
		}
	(void)sqlite3_close(d->db);
	kt_free(d->name);
	kt_free(d);
}

static char *file_of(const struct sql_server *s, const char *name)
{
	return kt_strf("%s/base/%s.db", s->folder, name);
}

static void write_database(struct sql_server *s, const struct database *d)
{
	sqlite3_int64 len = 0;
	unsigned char *bytes = sqlite3_serialize(d->db, "main", &len, 0);
	char *path = file_of(s, d->name), *folder = kt_strf("%s/base", s->folder);
	struct files *files = tool_container(s->r)->files;
	(void)files_mkdir(files, folder, true, now_of(s));
	(void)files_write(files, path, bytes ? (const void *)bytes : "", bytes ? (size_t)len : 0, false, 0600,
	                  now_of(s));
	sqlite3_free(bytes);
	kt_free(path);
	kt_free(folder);
}

static void write_users(struct sql_server *s)
{
	char *path = kt_strf("%s/global.json", s->folder), *text = kt_json_text(s->users);
	(void)files_write(tool_container(s->r)->files, path, text, strlen(text), false, 0600, now_of(s));
	kt_free(path);
	kt_free(text);
}

/* What an earlier server of this folder left. False: nothing, it is a new one. */
static bool read_folder(struct sql_server *s)
{
	struct files *files = tool_container(s->r)->files;
	char *folder = kt_strf("%s/base", s->folder), *global = kt_strf("%s/global.json", s->folder);
	struct kt_strs names = {0};
	struct kt_buf text = {0};
	struct kt_err err = {0};
	struct kt_json *users = NULL;
	(void)files_list(files, folder, &names);
	for (size_t i = 0; i < names.count; i++) {
		char *path = kt_strf("%s/%s", folder, names.items[i]);
		struct kt_buf bytes = {0};
		if (kt_ends(path, ".db") && !files_read(files, path, &bytes)) {
			char *name = kt_strndup(names.items[i], strlen(names.items[i]) - 3);
			(void)open_database(s, name, kt_buf_str(&bytes), bytes.len);
			kt_free(name);
		}
		kt_buf_clear(&bytes);
		kt_free(path);
	}
	if (!files_read(files, global, &text) &&
	    kt_json_parse(kt_buf_str(&text), text.len, NULL, &users, NULL, &err) == KT_OK) {
		kt_json_free(s->users);
		s->users = users;
	}
	kt_buf_clear(&text);
	kt_strs_clear(&names);
	kt_free(folder);
	kt_free(global);
	return s->databases != NULL;
}

/* --- statements --- */
/* SQLite's complaint in the server's words. */
static void add_error(const struct sql_server *s, const char *message, struct kt_json **answer)
{
	static const struct {
		const char *begins, *postgres, *code, *mysql;
	} forms[] = {
	        {"no such table: ", "relation \"%s\" does not exist", "42P01",
	         "ERROR 1146 (42S02) at line 1: Table '%s' doesn't exist"},
	        {"no such column: ", "column \"%s\" does not exist", "42703",
	         "ERROR 1054 (42S22) at line 1: Unknown column '%s' in 'field list'"},
	        {"no such function: ", "function %s() does not exist", "42883",
	         "ERROR 1305 (42000) at line 1: FUNCTION %s does not exist"},
	        {"table ", "relation \"%s\" already exists", "42P07",
	         "ERROR 1050 (42S01) at line 1: Table '%s' already exists"},
	        {"UNIQUE constraint failed: ", "duplicate key value violates unique constraint on %s",
	         "23505", "ERROR 1062 (23000) at line 1: Duplicate entry for key '%s'"},
	        {"NOT NULL constraint failed: ", "null value in column \"%s\" violates not-null constraint",
	         "23502", "ERROR 1048 (23000) at line 1: Column '%s' cannot be null"},
	        {"near ", "syntax error at or near %s", "42601",
	         "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax near %s"},
	        {"interrupted", "canceling statement due to statement timeout", "57014",
	         "ERROR 3024 (HY000) at line 1: Query execution was interrupted, maximum statement execution "
	         "time exceeded"}};
	for (size_t i = 0; i < KT_COUNT(forms); i++) {
		if (!kt_starts(message, forms[i].begins) || (i == 3 && !kt_ends(message, " already exists")))
			continue;
		const char *rest = message + strlen(forms[i].begins);
		size_t len = i == 3 ? strcspn(rest, " ") : i == 6 ? strcspn(rest, ":") : strlen(rest);
		const char *dot = i == 5 ? strrchr(rest, '.') : NULL;
		struct kt_buf name = {0}, text = {0};
		if (i == 0 && s->dialect == SQL_MYSQL)
			kt_buf_addf(&name, "%s.", s->current);
		kt_buf_add(&name, dot ? dot + 1 : rest, dot ? strlen(dot + 1) : len);
		const char *form = s->dialect == SQL_POSTGRES ? forms[i].postgres : forms[i].mysql,
		           *mark = strstr(form, "%s");
		kt_buf_add(&text, form, mark ? (size_t)(mark - form) : strlen(form));
		if (mark)
			kt_buf_addf(&text, "%s%s", kt_buf_str(&name), mark + 2);
		kt_set(answer, "error", kt_json_str(kt_buf_str(&text)));
		kt_set(answer, "code", kt_json_str(forms[i].code));
		kt_set(answer, "name", kt_json_str(kt_buf_str(&name)));
		kt_buf_clear(&name);
		kt_buf_clear(&text);
		return;
	}
	kt_set(answer, "error",
	       s->dialect == SQL_POSTGRES ? kt_json_str(message)
	                                  : kt_json_strf("ERROR 1105 (HY000) at line 1: %s", message));
}

static bool begins(const char *statement, const char *words)
{
	for (;;) {
		statement += strspn(statement, " \t\r\n");
		size_t len = strcspn(words, " ");
		if (strncasecmp(statement, words, len) != 0 || isalnum((unsigned char)statement[len]) ||
		    statement[len] == '_')
			return false;
		if (!words[len])
			return true;
		statement += len;
		words += len + 1;
	}
}

/* The word behind `words`, without quotes; owned, NULL: none. */
static char *word_after(const char *statement, const char *words)
{
	for (const char *w = words; *w;) {
		statement += strspn(statement, " \t\r\n");
		size_t len = strcspn(w, " ");
		statement += len;
		w += len + (w[len] == ' ');
	}
	statement += strspn(statement, " \t\r\n\"'`");
	size_t len = strcspn(statement, " \t\r\n\"'`;@(");
	return len ? kt_strndup(statement, len) : NULL;
}

/* The text behind a word, in single quotes; owned. */
static char *quoted_after(const char *statement, const char *word)
{
	for (const char *at = statement; *at; at++)
		if (!strncasecmp(at, word, strlen(word))) {
			const char *from = strchr(at, '\''), *to = from ? strchr(from + 1, '\'') : NULL;
			return to ? kt_strndup(from + 1, (size_t)(to - from - 1)) : NULL;
		}
	return NULL;
}

static void add_result(struct kt_json **answer, const char *tag, struct kt_json *columns,
                       struct kt_json *rows, struct kt_json *numbers)
{
	kt_push(kt_edit(answer, "results"),
	        kt_jsonf("{tag: %s, columns: %j, rows: %j, numbers: %j}", tag, columns, rows, numbers));
}

/* Databases, users, rights: what is not one database's matter. True: it was one of these. */
static bool run_global(struct sql_server *s, const char *statement, struct kt_json **answer)
{
	static const struct {
		const char *words, *tag;
		char what; /* d: make a database, D: drop it, u: a user, U: drop one, n: nothing to be done
		              here */
	} forms[] = {{"create database if not exists", "CREATE DATABASE", 'i'},
	             {"create database", "CREATE DATABASE", 'd'},
	             {"drop database if exists", "DROP DATABASE", 'I'},
	             {"drop database", "DROP DATABASE", 'D'},
	             {"create user if not exists", "CREATE ROLE", 'u'},
	             {"create user", "CREATE ROLE", 'u'},
	             {"create role", "CREATE ROLE", 'u'},
	             {"alter user", "ALTER ROLE", 'u'},
	             {"alter role", "ALTER ROLE", 'u'},
	             {"drop user", "DROP ROLE", 'U'},
	             {"drop role", "DROP ROLE", 'U'},
	             {"grant", "GRANT", 'n'},
	             {"revoke", "REVOKE", 'n'},
	             {"flush privileges", "FLUSH", 'n'},
	             {"set", "SET", 'n'},
	             {"create extension", "CREATE EXTENSION", 'n'},
	             {"vacuum", "VACUUM", 'n'},
	             {"analyze", "ANALYZE", 'n'},
	             {"checkpoint", "CHECKPOINT", 'n'}};
	size_t i = 0;
	while (i < KT_COUNT(forms) && !begins(statement, forms[i].words))
		i++;
	if (i == KT_COUNT(forms))
		return false;
	char *name = word_after(statement, forms[i].words), what = forms[i].what;
	char *password = quoted_after(statement, s->dialect == SQL_POSTGRES ? "password" : "identified");
	struct database *d = name ? find(s, name) : NULL;
	bool good = true;
	if (what == 'd' && d) {
		good = false;
		kt_set(answer, "error",
		       s->dialect == SQL_POSTGRES ? kt_json_strf("database \"%s\" already exists", name)
		                                  : kt_json_strf("ERROR 1007 (HY000) at line 1: Can't create "
		                                                 "database '%s'; database exists",
		                                                 name));
	} else if (what == 'D' && !d) {
		good = false;
		kt_set(answer, "error",
		       s->dialect == SQL_POSTGRES
		               ? kt_json_strf("database \"%s\" does not exist", name ? name : "")
		               : kt_json_strf("ERROR 1008 (HY000) at line 1: Can't drop database '%s'; "
		                              "database doesn't exist",
		                              name ? name : ""));
	} else if ((what == 'd' || what == 'i') && !d && name) {
		write_database(s, open_database(s, name, NULL, 0));
	} else if ((what == 'D' || what == 'I') && d) {
		char *path = file_of(s, name);
		(void)files_remove(tool_container(s->r)->files, path, false);
		kt_free(path);
		close_database(s, d);
	} else if (what == 'u' && name) {
		kt_set(&s->users, name, kt_json_str(password ? password : ""));
		write_users(s);
	} else if (what == 'U' && name) {
		kt_unset(&s->users, name);
		write_users(s);
	}
	if (good)
		add_result(answer, forms[i].tag, NULL, NULL, NULL);
	kt_free(name);
	kt_free(password);
	return true;
}

static struct kt_json *cell(sqlite3_stmt *statement, int i)
{
	const unsigned char *text = sqlite3_column_text(statement, i);
	const char *type = sqlite3_column_decltype(statement, i);
	if (!text)
		return kt_json_null();
	if (type && !strncasecmp(type, "bool", 4) && sqlite3_column_type(statement, i) == SQLITE_INTEGER)
		return kt_json_str(*text == '0' ? "f" : "t");
	return kt_json_str((const char *)text);
}

/* "INSERT 0 1", "CREATE TABLE": what psql prints. */
static char *tag_of(const char *statement, const char *sql, int changes, size_t rows)
{
	static const char *const two[] = {"create", "drop", "alter"};
	char *first = word_after(sql, ""), *second = NULL;
	for (char *c = first; c && *c; c++)
		*c = (char)toupper((unsigned char)*c);
	char *tag = NULL;
	for (size_t i = 0; i < KT_COUNT(two); i++)
		if (begins(sql, two[i]))
			second = word_after(sql, two[i]);
	for (char *c = second; c && *c; c++)
		*c = (char)toupper((unsigned char)*c);
	if (begins(sql, "insert") || begins(sql, "replace"))
		tag = kt_strf("INSERT 0 %d", changes);
	else if (begins(statement, "truncate"))
		tag = kt_strdup("TRUNCATE TABLE");
	else if (begins(sql, "update") || begins(sql, "delete"))
		tag = kt_strf("%s %d", first, changes);
	else if (begins(sql, "select") || begins(sql, "with") || begins(sql, "values"))
		tag = kt_strf("SELECT %zu", rows);
	else if (second)
		tag = kt_strf("%s %s", first, second);
	else
		tag = kt_strdup(first ? first : "");
	kt_free(first);
	kt_free(second);
	return tag;
}

/* True: the data may have changed. */
static bool run_statement(struct sql_server *s, struct database *d, const char *text, const char *user,
                          struct kt_json **answer)
{
	enum { MOST_ROWS = 100 * 1000 };
	char *sql = sql_translate(s->dialect, text, d->name, user);
	sqlite3_stmt *statement = NULL;
	struct kt_json *rows = kt_json_array(), *columns = kt_json_array(), *numbers = kt_json_array();
	int rc = sqlite3_prepare_v2(d->db, sql, -1, &statement, NULL),
	    count = rc ? 0 : sqlite3_column_count(statement);
	int before = sqlite3_total_changes(d->db);
	for (int i = 0; i < count; i++) {
		struct kt_buf name = {0};
		sql_column_name(s->dialect, sqlite3_column_name(statement, i), &name);
		kt_push(&columns, kt_json_str(kt_buf_str(&name)));
		kt_push(&numbers, kt_json_bool(true));
		kt_buf_clear(&name);
	}
	while (!rc && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
		struct kt_json *row = kt_json_array();
		for (int i = 0; i < count; i++) {
			int type = sqlite3_column_type(statement, i);
			const char *declared = sqlite3_column_decltype(statement, i);
			if (type == SQLITE_TEXT || type == SQLITE_BLOB ||
			    (declared && !strncasecmp(declared, "bool", 4)))
				kt_put(&numbers, (size_t)i, kt_json_bool(false));
			kt_push(&row, cell(statement, i));
		}
		kt_push(&rows, row);
		rc = kt_count(rows) > MOST_ROWS ? SQLITE_TOOBIG : SQLITE_OK;
	}
	bool good = rc == SQLITE_DONE || rc == SQLITE_OK,
	     writes = statement && !sqlite3_stmt_readonly(statement);
	if (good) {
		char *tag = tag_of(text, sql, sqlite3_total_changes(d->db) - before, kt_count(rows));
		add_result(answer, tag, count ? kt_json_ref(columns) : NULL, count ? kt_json_ref(rows) : NULL,
		           count ? kt_json_ref(numbers) : NULL);
		kt_free(tag);
	} else {
		add_error(s, sqlite3_errmsg(d->db), answer);
	}
	(void)sqlite3_finalize(statement);
	kt_json_free(rows);
	kt_json_free(columns);
	kt_json_free(numbers);
	kt_free(sql);
	return good && writes;
}

static void run_text(struct sql_server *s, const char *database, const char *text, const char *user,
                     struct kt_json **answer)
{
	bool changed = false;
	char *current = kt_strdup(database);
	for (char *one; !kt_get(*answer, "error") && (one = sql_next(&text)); kt_free(one)) {
		struct database *d = find(s, current);
		s->current = current;
		if (begins(one, "use")) { /* MySQL's */
			char *name = word_after(one, "use");
			d = name ? find(s, name) : NULL;
			if (d) {
				kt_free(current);
				current = kt_strdup(name);
			} else {
				kt_set(answer, "error",
				       kt_json_strf("ERROR 1049 (42000) at line 1: Unknown database '%s'",
				                    name ? name : ""));
			}
			kt_free(name);
		} else if (s->dialect == SQL_MYSQL && begins(one, "show databases")) {
			struct kt_json *rows = kt_json_array();
			struct kt_strs names = {0};
			static const char *const own[] = {"information_schema", "mysql", "performance_schema",
			                                  "sys"};
			for (size_t i = 0; i < KT_COUNT(own); i++)
				kt_strs_add(&names, own[i]);
			for (const struct database *b = s->databases; b; b = b->next)
				if (*b->name)
					kt_strs_add(&names, b->name);
			kt_strs_sort(&names);
			for (size_t i = 0; i < names.count; i++)
				kt_push(&rows, kt_jsonf("[%s]", names.items[i]));
			kt_strs_clear(&names);
			add_result(answer, "SHOW", kt_jsonf("['Database']"), rows, kt_jsonf("[false]"));
		} else if (run_global(s, one, answer)) {
			;
		} else if (!d || (!*current && (begins(one, "create") || begins(one, "insert") ||
		                                begins(one, "show tables")))) {
			kt_set(answer, "error",
			       kt_json_str("ERROR 1046 (3D000) at line 1: No database selected"));
		} else {
			changed = run_statement(s, d, one, user, answer) || changed;
		}
		if (changed && d && sqlite3_get_autocommit(d->db)) {
			write_database(s, d);
			changed = false;
		}
	}
	/* what is not committed when the connection ends did not happen */
	for (struct database *d = s->databases; d; d = d->next)
		if (!sqlite3_get_autocommit(d->db))
			run_plain(d, "ROLLBACK");
	s->current = "";
	kt_free(current);
}

/* --- who may --- */
static bool let_in(const struct sql_server *s, const struct kt_json *ask, struct kt_json **answer)
{
	const char *user = kt_str_or(kt_get(ask, "user"), ""), *password = kt_get_str(ask, "password"),
	           *database = kt_str_or(kt_get(ask, "database"), ""), *wanted = kt_get_str(s->users, user);
	bool local = kt_get_bool(ask, "local", false), postgres = s->dialect == SQL_POSTGRES;
	bool right =
	        wanted && (s->trusting || (postgres && local) || !strcmp(wanted, password ? password : ""));
	if (postgres && !wanted && (local || s->trusting))
		kt_set(answer, "fatal", kt_json_strf("role \"%s\" does not exist", user));
	else if (postgres && !right && !password)
		kt_set(answer, "fatal", kt_json_str("fe_sendauth: no password supplied"));
	else if (postgres && !right)
		kt_set(answer, "fatal", kt_json_strf("password authentication failed for user \"%s\"", user));
	else if (!right)
		kt_set(answer, "fatal",
		       kt_json_strf(
		               "ERROR 1045 (28000): Access denied for user '%s'@'%s' (using password: %s)",
		               user, local ? "localhost" : kt_str_or(kt_get(ask, "client"), "%"),
		               password ? "YES" : "NO"));
	else if (*database && !find(s, database))
		kt_set(answer, "fatal",
		       postgres ? kt_json_strf("database \"%s\" does not exist", database)
		                : kt_json_strf("ERROR 1049 (42000): Unknown database '%s'", database));
	return !kt_get(*answer, "fatal");
}

void sql_bytes(struct tool_run *r, const char *data, size_t len, struct kt_buf *reply)
{
	struct sql_server *s = ((struct server *)r->state)->own;
	struct kt_json *ask = NULL, *answer = kt_jsonf("{results: []}");
	struct kt_err err = {0};
	if (kt_json_parse(data, len, NULL, &ask, NULL, &err) == KT_OK && let_in(s, ask, &answer))
		run_text(s, kt_str_or(kt_get(ask, "database"), ""), kt_str_or(kt_get(ask, "text"), ""),
		         kt_str_or(kt_get(ask, "user"), ""), &answer);
	kt_json_print(answer, reply);
	kt_json_free(ask);
	kt_json_free(answer);
}

struct kt_json *sql_ask_server(struct cluster *cluster, const struct fetch *connection,
                               const struct sql_ask *ask)
{
	const struct network_listener *to = network_path_listener(cluster, &connection->to);
	struct kt_buf reply = {0};
	struct kt_json *answer = NULL;
	struct kt_err err = {0};
	struct kt_json *json = kt_jsonf("{user: %s, password: %s, database: %s, local: %b, text: %s}",
	                                ask->user, ask->password, ask->database, (int)ask->local, ask->text);
	char *text = kt_json_text(json);
	kt_json_free(json);
	if (to && to->bytes)
		to->bytes(to->arg, text, strlen(text), &reply);
	if (!reply.len || kt_json_parse(reply.data, reply.len, NULL, &answer, NULL, &err) != KT_OK)
		answer = NULL;
	kt_buf_clear(&reply);
	kt_free(text);
	return answer;
}

/* --- the servers --- */
void sql_free(void *own)
{
	struct sql_server *s = own;
	if (!s)
		return;
	while (s->databases)
		close_database(s, s->databases);
	kt_json_free(s->users);
	kt_free(s->folder);
	kt_free(s->superuser);
	kt_free(s);
}

/* NAME, or what is in the file that NAME_FILE names; owned, NULL: neither. */
static char *secret(struct tool_run *r, const char *name)
{
	const char *value = tool_env(r, name);
	char *file_name = kt_strf("%s_FILE", name);
	const char *path = tool_env(r, file_name);
	struct kt_buf text = {0};
	kt_free(file_name);
	if (value && *value)
		return kt_strdup(value);
	if (!path || files_read(tool_container(r)->files, path, &text))
		return NULL;
	while (text.len && isspace((unsigned char)text.data[text.len - 1]))
		kt_buf_cut(&text, text.len - 1);
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

/* /docker-entrypoint-initdb.d: once, in the order of names. False: a statement failed. */
static bool run_first(struct sql_server *s, const char *database)
{
	static const char folder[] = "/docker-entrypoint-initdb.d";
	struct files *files = tool_container(s->r)->files;
	struct kt_strs names = {0};
	bool good = true;
	(void)files_list(files, folder, &names);
	kt_strs_sort(&names);
	for (size_t i = 0; i < names.count && good; i++) {
		char *path = kt_strf("%s/%s", folder, names.items[i]);
		struct kt_buf text = {0};
		struct kt_json *answer = kt_jsonf("{results: []}");
		if (kt_ends(path, ".sql") && !files_read(files, path, &text)) {
			tool_outf(s->r, "/usr/local/bin/docker-entrypoint.sh: running %s\n", path);
			run_text(s, database, kt_buf_str(&text), s->superuser, &answer);
		}
		const char *error = kt_get_str(answer, "error");
		if (error)
			tool_err(s->r, s->dialect == SQL_POSTGRES ? "psql:%s:1: ERROR:  %s\n" : "%s: %s\n",
			         path, error);
		good = !error;
		kt_json_free(answer);
		kt_buf_clear(&text);
		kt_free(path);
	}
	kt_strs_clear(&names);
	return good;
}

static struct sql_server *new_server(struct tool_run *r, enum sql_dialect dialect, const char *folder)
{
	struct sql_server *s = kt_alloc(sizeof(*s));
	s->r = r;
	s->dialect = dialect;
	s->folder = kt_strdup(folder);
	s->users = kt_json_object();
	s->current = "";
	return s;
}

bool postgres_prepare(struct tool_run *r, struct server *server, int *status)
{
	static const char needs[] =
	        "Error: Database is uninitialized and superuser password is not specified.\n"
	        "       You must specify POSTGRES_PASSWORD to a non-empty value for the\n"
	        "       superuser. For example, \"-e POSTGRES_PASSWORD=password\" on \"docker run\".\n\n"
	        "       You may also use \"POSTGRES_HOST_AUTH_METHOD=trust\" to allow all\n"
	        "       connections without a password. This is *not* recommended.\n\n"
	        "       See PostgreSQL documentation about \"trust\":\n"
	        "       https://www.postgresql.org/docs/current/auth-trust.html\n";
	const char *folder = tool_env(r, "PGDATA"), *method = tool_env(r, "POSTGRES_HOST_AUTH_METHOD"),
	           *user = tool_env(r, "POSTGRES_USER"), *name = tool_env(r, "POSTGRES_DB");
	struct sql_server *s = new_server(r, SQL_POSTGRES, folder ? folder : "/var/lib/postgresql/data");
	char *password = secret(r, "POSTGRES_PASSWORD");
	server->own = s;
	s->superuser = kt_strdup(user && *user ? user : "postgres");
	s->trusting = kt_streq(method, "trust");
	name = name && *name ? name : s->superuser;
	*status = 0;
	if (read_folder(s)) {
		tool_outs(r, "\nPostgreSQL Database directory appears to contain a database; Skipping "
		             "initialization\n\n");
	} else if (!password && !s->trusting) {
		tool_err(r, "%s", needs);
		*status = 1;
	} else {
		struct files *files = tool_container(r)->files;
		char *version = kt_strf("%s/PG_VERSION", s->folder);
		int rc = files_mkdir(files, s->folder, true, now_of(s));
		rc = rc && rc != 17 /* EEXIST */ ? rc
		                                 : files_write(files, version, "17\n", 3, false, 0600,
		                                               now_of(s));
		kt_free(version);
		if (rc) {
			tool_err(r, "initdb: error: could not change permissions of directory \"%s\": %s\n",
			         s->folder, tool_strerror(rc));
			*status = 1;
		} else {
			kt_set(&s->users, s->superuser, kt_json_str(password ? password : ""));
			write_users(s);
			write_database(s, open_database(s, "postgres", NULL, 0));
			if (!find(s, name))
				write_database(s, open_database(s, name, NULL, 0));
			*status = run_first(s, name) ? 0 : 3;
		}
		if (!*status)
			tool_outs(r, "\nPostgreSQL init process complete; ready for start up.\n\n");
	}
	kt_free(password);
	return !*status;
}

bool mysql_prepare(struct tool_run *r, struct server *server, int *status)
{
	static const char mysql_needs[] =
	        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
	        "    You need to specify one of the following as an environment variable:\n"
	        "    - MYSQL_ROOT_PASSWORD\n    - MYSQL_ALLOW_EMPTY_PASSWORD\n    - "
	        "MYSQL_RANDOM_ROOT_PASSWORD\n";
	static const char maria_needs[] =
	        "[ERROR] [Entrypoint]: Database is uninitialized and password option is not specified\n"
	        "\tYou need to specify one of MARIADB_ROOT_PASSWORD, MARIADB_ROOT_PASSWORD_HASH, "
	        "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD\n";
	static const char *const families[] = {"MYSQL", "MARIADB"};
	struct sql_server *s = new_server(r, SQL_MYSQL, "/var/lib/mysql");
	char *values[4] = {NULL}; /* root's password, a database, a user, its password */
	static const char *const ends[] = {"ROOT_PASSWORD", "DATABASE", "USER", "PASSWORD"};
	bool open = false;
	server->own = s;
	s->superuser = kt_strdup("root");
	for (size_t f = 0; f < KT_COUNT(families); f++) {
		static const char *const lets[] = {"ALLOW_EMPTY_PASSWORD", "ALLOW_EMPTY_ROOT_PASSWORD",
		                                   "RANDOM_ROOT_PASSWORD"};
		for (size_t i = 0; i < KT_COUNT(lets); i++) {
			char *name = kt_strf("%s_%s", families[f], lets[i]);
			open = open || tool_env(r, name);
			kt_free(name);
		}
		for (size_t i = 0; i < KT_COUNT(ends); i++) {
			char *name = kt_strf("%s_%s", families[f], ends[i]);
			values[i] = values[i] ? values[i] : secret(r, name);
			kt_free(name);
		}
	}
	*status = 0;
	if (read_folder(s)) {
		;
	} else if (!values[0] && !open) {
		tool_err(r, "%s", r->tool->name[1] == 'a' ? maria_needs : mysql_needs);
		*status = 1;
	} else {
		kt_set(&s->users, "root", kt_json_str(values[0] ? values[0] : ""));
		if (values[2])
			kt_set(&s->users, values[2], kt_json_str(values[3] ? values[3] : ""));
		write_database(s, open_database(s, "", NULL, 0));
		if (values[1])
			write_database(s, open_database(s, values[1], NULL, 0));
		write_users(s);
		*status = run_first(s, values[1] ? values[1] : "") ? 0 : 1;
	}
	for (size_t i = 0; i < KT_COUNT(values); i++)
		kt_free(values[i]);
	return !*status;
}

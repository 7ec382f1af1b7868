/* SPDX-License-Identifier: MIT */
/* psql, mysql and those that only ask whether a server is there. Source: their manual pages. */
#include "cluster/kubelet/servers/sql.h"
#include "cluster/kubelet/shell/options.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct client {
	struct fetch fetch;
	char *host, *user, *password, *database; /* owned; NULL: not given */
	unsigned port;
	struct kt_strs texts; /* of -c and -e */
	const char *file, *separator;
	struct kt_buf input;
	bool tuples, plain, csv, quiet, stop, no_names, version;
};

static void end_client(struct tool_run *r)
{
	struct client *s = r->state;
	fetch_clear(&s->fetch);
	kt_free(s->host);
	kt_free(s->user);
	kt_free(s->password);
	kt_free(s->database);
	kt_strs_clear(&s->texts);
	kt_buf_clear(&s->input);
}

static void take(char **slot, const char *value)
{
	kt_free(*slot);
	*slot = kt_strdup(value);
}

/* postgresql://USER:PASSWORD@HOST:PORT/DATABASE?… */
static void take_url(struct client *s, const char *url)
{
	const char *rest = strstr(url, "://") + 3, *at = strchr(rest, '@');
	if (at) {
		size_t len = (size_t)(at - rest), user = strcspn(rest, ":@");
		kt_free(s->user);
		s->user = kt_strndup(rest, user);
		if (user < len) {
			kt_free(s->password);
			s->password = kt_strndup(rest + user + 1, len - user - 1);
		}
		rest = at + 1;
	}
	size_t host = strcspn(rest, ":/?");
	kt_free(s->host);
	s->host = kt_strndup(rest, host);
	if (rest[host] == ':')
		s->port = (unsigned)strtoul(rest + host + 1, NULL, 10);
	const char *slash = strchr(rest, '/');
	if (slash && strcspn(slash + 1, "?")) {
		kt_free(s->database);
		s->database = kt_strndup(slash + 1, strcspn(slash + 1, "?"));
	}
}

/* --- options --- */
enum kind { FLAG, TEXT, PORT, DATABASE, RUN, FILE_NAME, SEPARATOR, LIST, SET, VERSION, PASSWORD, NOTHING };
#define AT(member) offsetof(struct client, member)

static void take_option(struct tool_run *r, const struct option_row *option, const char *value)
{
	struct client *s = r->state;
	char *member = option ? (char *)s + option->member : NULL;
	switch (option ? (enum kind)option->what : DATABASE) {
	case FLAG:
		*(bool *)(void *)member = true;
		break;
	case TEXT:
		take((char **)(void *)member, value);
		break;
	case PASSWORD:
		if (value)
			take(&s->password, value);
		break;
	case PORT:
		s->port = (unsigned)strtoul(value, NULL, 10);
		break;
	case DATABASE:
		/* a word that is none: the database, then (psql) the user; of mysqladmin what it is to do */
		if (strstr(value, "://"))
			take_url(s, value);
		else if (!option && kt_ends(r->tool->name, "admin"))
			kt_strs_add(&s->texts, value);
		else
			take(!option && s->database ? &s->user : &s->database, value);
		break;
	case RUN:
		kt_strs_add(&s->texts, value);
		break;
	case FILE_NAME:
		s->file = value;
		break;
	case SEPARATOR:
		s->separator = value;
		break;
	case LIST:
		kt_strs_add(&s->texts, "\\l");
		break;
	case SET:
		s->stop = s->stop || !strcasecmp(value, "ON_ERROR_STOP=1") ||
		          !strcasecmp(value, "ON_ERROR_STOP=on");
		break;
	case VERSION:
		s->version = true;
		break;
	case NOTHING:
		break;
	}
}

/* Options of psql and pg_isready. */
static bool psql_options(struct tool_run *r, struct client *s)
{
	static const struct option_row rows[] = {{"host", 'h', OPTION_VALUE, TEXT, AT(host)},
	                                         {"port", 'p', OPTION_VALUE, PORT, 0},
	                                         {"username", 'U', OPTION_VALUE, TEXT, AT(user)},
	                                         {"dbname", 'd', OPTION_VALUE, DATABASE, 0},
	                                         {"command", 'c', OPTION_VALUE, RUN, 0},
	                                         {"file", 'f', OPTION_VALUE, FILE_NAME, 0},
	                                         {"field-separator", 'F', OPTION_VALUE, SEPARATOR, 0},
	                                         {"set", 'v', OPTION_VALUE, SET, 0},
	                                         {"variable", 0, OPTION_VALUE, SET, 0},
	                                         {"timeout", 'T', OPTION_VALUE, NOTHING, 0},
	                                         {"pset", 'P', OPTION_VALUE, NOTHING, 0},
	                                         {"output", 'o', OPTION_VALUE, NOTHING, 0},
	                                         {"record-separator", 'R', OPTION_VALUE, NOTHING, 0},
	                                         {"list", 'l', OPTION_ALONE, LIST, 0},
	                                         {"version", 'V', OPTION_ALONE, VERSION, 0},
	                                         {"quiet", 'q', OPTION_ALONE, FLAG, AT(quiet)},
	                                         {"tuples-only", 't', OPTION_ALONE, FLAG, AT(tuples)},
	                                         {"no-align", 'A', OPTION_ALONE, FLAG, AT(plain)},
	                                         {"csv", 0, OPTION_ALONE, FLAG, AT(csv)},
	                                         {"no-password", 'w', OPTION_ALONE, NOTHING, 0},
	                                         {"password", 'W', OPTION_ALONE, NOTHING, 0},
	                                         {"no-psqlrc", 'X', OPTION_ALONE, NOTHING, 0},
	                                         {"expanded", 'x', OPTION_ALONE, NOTHING, 0},
	                                         {"single-transaction", '1', OPTION_ALONE, NOTHING, 0},
	                                         {"no-readline", 'n', OPTION_ALONE, NOTHING, 0},
	                                         {"echo-all", 'a', OPTION_ALONE, NOTHING, 0},
	                                         {"echo-errors", 'b', OPTION_ALONE, NOTHING, 0}};
	static const struct option_table table = {rows, KT_COUNT(rows), true, take_option};
	bool known = true;
	const char *bad = options_read(r, &table, &known);
	if (bad) {
		tool_err(r,
		         known ? "%s: option requires an argument -- '%s'\n"
		               : "%s: unrecognized option '%s'\n",
		         r->tool->name, bad);
		tool_err(r, "%s: hint: Try \"%s --help\" for more information.\n", r->tool->name,
		         r->tool->name);
		return false;
	}
	if (s->version) {
		tool_outf(r, "%s (PostgreSQL) 17.2 (Debian 17.2-1.pgdg120+1)\n", r->tool->name);
		return false;
	}
	static const struct {
		const char *name;
		size_t member;
	} variables[] = {{"PGHOST", offsetof(struct client, host)},
	                 {"PGUSER", offsetof(struct client, user)},
	                 {"PGDATABASE", offsetof(struct client, database)},
	                 {"PGPASSWORD", offsetof(struct client, password)}};
	for (size_t i = 0; i < KT_COUNT(variables); i++) {
		char **slot = (char **)(void *)((char *)s + variables[i].member);
		if (!*slot && tool_env(r, variables[i].name))
			*slot = kt_strdup(tool_env(r, variables[i].name));
	}
	if (!s->port)
		s->port = tool_env(r, "PGPORT") ? (unsigned)strtoul(tool_env(r, "PGPORT"), NULL, 10) : 5432;
	if (!s->user)
		s->user = kt_strdup(tool_container(r)->run_as_user > 0 ? "postgres" : "root");
	if (!s->database)
		s->database = kt_strdup(s->user);
	return true;
}

/* --- how psql shows it --- */
static void add_cell(struct kt_buf *out, const char *text, size_t width, bool right, bool last)
{
	int pad = (int)(width - KT_MIN(kt_width(text, strlen(text)), width));
	kt_buf_addf(out, " %*s%s", right ? pad : 0, "", text);
	if (!right && !last)
		kt_buf_addf(out, "%*s", pad, "");
	kt_buf_adds(out, last ? "" : " |");
}

static void show_aligned(const struct client *s, const struct kt_json *result, struct kt_buf *out)
{
	const struct kt_json *columns = kt_get(result, "columns"), *rows = kt_get(result, "rows"),
	                     *numbers = kt_get(result, "numbers"), *row;
	size_t count = kt_count(columns), *widths = kt_alloc((count + 1) * sizeof(*widths));
	for (size_t i = 0; i < count; i++) {
		const char *name = kt_str_or(kt_at(columns, i), "");
		widths[i] = s->tuples ? 0 : kt_width(name, strlen(name));
		KT_JSON_EACH (row, rows) {
			const char *text = kt_str_or(kt_at(row, i), "");
			widths[i] = KT_MAX(widths[i], kt_width(text, strlen(text)));
		}
	}
	for (size_t i = 0; i < count && !s->tuples; i++) {
		const char *name = kt_str_or(kt_at(columns, i), "");
		size_t pad = widths[i] - kt_width(name, strlen(name));
		kt_buf_addf(out, " %*s%s%*s %s", (int)(pad / 2), "", name, (int)(pad - pad / 2), "",
		            i + 1 < count ? "|" : "\n");
	}
	for (size_t i = 0; i < count && !s->tuples; i++) {
		for (size_t k = 0; k < widths[i] + 2; k++)
			kt_buf_addc(out, '-');
		kt_buf_addc(out, i + 1 < count ? '+' : '\n');
	}
	KT_JSON_EACH (row, rows) {
		for (size_t i = 0; i < count; i++)
			add_cell(out, kt_str_or(kt_at(row, i), ""), widths[i],
			         kt_bool_or(kt_at(numbers, i), false), i + 1 == count);
		kt_buf_addc(out, '\n');
	}
	if (!s->tuples)
		kt_buf_addf(out, "(%zu row%s)\n", kt_count(rows), kt_count(rows) == 1 ? "" : "s");
	kt_buf_addc(out, '\n');
	kt_free(widths);
}

static void show_plain(const struct client *s, const struct kt_json *result, struct kt_buf *out)
{
	const struct kt_json *columns = kt_get(result, "columns"), *rows = kt_get(result, "rows"), *row;
	const char *between = s->csv ? "," : s->separator ? s->separator : "|";
	for (size_t i = 0; i < kt_count(columns) && !s->tuples; i++)
		kt_buf_addf(out, "%s%s", i ? between : "", kt_str_or(kt_at(columns, i), ""));
	if (!s->tuples)
		kt_buf_addc(out, '\n');
	KT_JSON_EACH (row, rows) {
		for (size_t i = 0; i < kt_count(row); i++)
			kt_buf_addf(out, "%s%s", i ? between : "", kt_str_or(kt_at(row, i), ""));
		kt_buf_addc(out, '\n');
	}
	if (!s->tuples && !s->csv)
		kt_buf_addf(out, "(%zu row%s)\n", kt_count(rows), kt_count(rows) == 1 ? "" : "s");
}

static void show_result(struct tool_run *r, const struct client *s, const struct kt_json *result)
{
	struct kt_buf out = {0};
	if (!kt_get(result, "columns") && !s->quiet && !s->tuples)
		kt_buf_addf(&out, "%s\n", kt_str_or(kt_get(result, "tag"), ""));
	else if (kt_get(result, "columns") && (s->plain || s->csv))
		show_plain(s, result, &out);
	else if (kt_get(result, "columns"))
		show_aligned(s, result, &out);
	tool_out(r, kt_buf_str(&out), out.len);
	kt_buf_clear(&out);
}

static int psql_refused(struct tool_run *r, const struct client *s)
{
	static const char *const words[] = {[FETCH_REFUSED] = "Connection refused",
	                                    [FETCH_TIMEOUT] = "Connection timed out",
	                                    [FETCH_UNREACHABLE] = "No route to host"};
	const struct fetch *f = &s->fetch;
	if (!s->host)
		tool_err(r,
		         "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.%u\" "
		         "failed: No such file or directory\n"
		         "\tIs the server running locally and accepting connections on that socket?\n",
		         s->port);
	else if (f->result == FETCH_BAD_NAME || f->result == FETCH_NO_DNS)
		tool_err(r, "psql: error: could not translate host name \"%s\" to address: %s\n", s->host,
		         f->result == FETCH_BAD_NAME ? "Name or service not known"
		                                     : "Temporary failure in name resolution");
	else
		tool_err(r,
		         "psql: error: connection to server at \"%s\" (%s), port %u failed: %s\n\tIs the "
		         "server running on that host and "
		         "accepting TCP/IP connections?\n",
		         s->host, f->address, s->port,
		         words[KT_MIN((size_t)f->result, KT_COUNT(words) - 1)] ? words[f->result]
		                                                               : "Connection refused");
	return 2;
}

/* What begins with a backslash: what it asks for; NULL: nothing that is known. */
static char *meta(const char *text)
{
	static const struct {
		const char *name, *sql;
	} forms[] = {{"\\l", "SELECT datname AS \"Name\" FROM pg_database"},
	             {"\\dt", "SELECT schemaname AS \"Schema\", tablename AS \"Name\", 'table' AS \"Type\" "
	                      "FROM pg_tables ORDER BY 2"},
	             {"\\d", "SELECT schemaname AS \"Schema\", tablename AS \"Name\", 'table' AS \"Type\" "
	                     "FROM pg_tables ORDER BY 2"}};
	const char *from = text + strspn(text, " \t\n");
	size_t len = strcspn(from, " \t\n"), blank = strspn(from + len, " \t\n");
	if (!strncmp(from, "\\d", len) && len == 2 && from[len + blank])
		return kt_strf(
		        "SELECT name AS \"Column\", lower(type) AS \"Type\" FROM pragma_table_info('%.*s')",
		        (int)strcspn(from + len + blank, " \t\n;"), from + len + blank);
	for (size_t i = 0; i < KT_COUNT(forms); i++)
		if (strlen(forms[i].name) == len && !strncmp(from, forms[i].name, len))
			return kt_strdup(forms[i].sql);
	return NULL;
}

/* The first place where it stands as a word of its own; NULL. */
static const char *word_in(const char *text, const char *word)
{
	size_t len = strlen(word);
	for (const char *at = text; (at = strstr(at, word)); at++) {
		bool before = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
		if (before && !(isalnum((unsigned char)at[len]) || at[len] == '_'))
			return at;
	}
	return NULL;
}

/* The line of the text that an error is about, with a mark below the name. */
static void show_place(struct tool_run *r, const char *text, const struct kt_json *answer)
{
	static const char *const with[] = {"42P01", "42703", "42601", "42883"};
	const char *code = kt_str_or(kt_get(answer, "code"), ""),
	           *name = kt_str_or(kt_get(answer, "name"), "");
	bool has_place = false;
	for (size_t i = 0; i < KT_COUNT(with); i++)
		has_place = has_place || !strcmp(with[i], code);
	char *word = kt_strndup(name + (*name == '"'), strcspn(name + (*name == '"'), "\""));
	const char *at = has_place && *word ? word_in(text, word) : NULL, *from = text;
	unsigned line = 1;
	for (const char *c = text; at && c < at; c++)
		if (*c == '\n')
			from = c + 1, line++;
	if (at) {
		char *head = kt_strf("LINE %u: ", line);
		tool_err(r, "%s%.*s\n%*s^\n", head, (int)strcspn(from, "\n"), from,
		         (int)(strlen(head) + (size_t)(at - from)), "");
		kt_free(head);
	}
	kt_free(word);
}

/* One text of -c, -f or stdin; false: go no further. */
static bool psql_run(struct tool_run *r, struct client *s, const char *text, int *status)
{
	char *asked = text[strspn(text, " \t\n")] == '\\' ? meta(text) : NULL;
	if (text[strspn(text, " \t\n")] == '\\' && !asked) {
		tool_err(r, "invalid command %.*s\nTry \\? for help.\n", (int)strcspn(text, " \n"), text);
		return true;
	}
	bool local = !s->host || !strcmp(s->host, "localhost") || kt_starts(s->host, "127.");
	struct sql_ask ask = {s->user, s->password, s->database, asked ? asked : text, local};
	struct kt_json *answer = sql_ask_server(r->task->process->cluster, &s->fetch, &ask);
	const struct kt_json *result;
	const char *fatal = kt_get_str(answer, "fatal"), *error = kt_get_str(answer, "error");
	kt_free(asked);
	if (!answer)
		fatal = "server closed the connection unexpectedly";
	if (fatal && !s->host)
		tool_err(r,
		         "psql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.%u\" "
		         "failed: FATAL:  %s\n",
		         s->port, fatal);
	else if (fatal)
		tool_err(r, "psql: error: connection to server at \"%s\" (%s), port %u failed: %s%s\n",
		         s->host, s->fetch.address, s->port,
		         kt_starts(fatal, "fe_sendauth") ? "" : "FATAL:  ", fatal);
	KT_JSON_EACH (result, kt_get(answer, "results"))
		if (!fatal)
			show_result(r, s, result);
	if (error)
		tool_err(r, "%sERROR:  %s\n", s->file ? "psql: " : "", error);
	if (error)
		show_place(r, text, answer);
	*status = fatal ? 2 : error ? (s->file || !s->texts.count ? (s->stop ? 3 : 0) : 1) : *status;
	bool go_on = !fatal && !(error && (s->stop || s->texts.count));
	kt_json_free(answer);
	return go_on;
}

/* Connect and have what to say: TOOL_WAIT, else 0. */
static int get_ready(struct tool_run *r, struct client *s)
{
	if (!s->texts.count && !s->file && !r->ended) {
		if (!r->use_stdin)
			tool_inputs(r, r->argv.count);
		if (tool_all(r, &s->input) == TOOL_WAIT)
			return TOOL_WAIT;
		r->ended = true;
	}
	if (!s->fetch.host) {
		s->fetch.host = kt_strdup(s->host && *s->host != '/' ? s->host : "127.0.0.1");
		s->fetch.port = s->port;
	}
	return fetch_connect(r, &s->fetch);
}

static int run_psql(struct tool_run *r)
{
	struct client *s = r->state;
	if (!r->opened) {
		r->opened = true;
		if (!psql_options(r, s))
			return 0;
	}
	if (get_ready(r, s))
		return TOOL_WAIT;
	if (s->fetch.result != FETCH_OK)
		return psql_refused(r, s);
	int status = 0;
	if (s->file) {
		char *path = tool_path(r, s->file);
		int rc = strcmp(s->file, "-") ? files_read(tool_container(r)->files, path, &s->input) : 0;
		kt_free(path);
		if (rc) {
			tool_err(r, "psql: error: %s: %s\n", s->file, tool_strerror(rc));
			return 1;
		}
	}
	for (size_t i = 0; i < s->texts.count; i++)
		if (!psql_run(r, s, s->texts.items[i], &status))
			return status;
	const char *rest = kt_buf_str(&s->input);
	for (char *one; (one = sql_next(&rest));) {
		char *whole = kt_strf("%s;", one + strspn(one, " \t\n"));
		bool go_on = psql_run(r, s, whole, &status);
		kt_free(whole);
		kt_free(one);
		if (!go_on)
			return status;
	}
	return status;
}

static int run_isready(struct tool_run *r)
{
	struct client *s = r->state;
	if (!r->opened) {
		r->opened = true;
		if (!psql_options(r, s))
			return 3;
		kt_strs_add(&s->texts, "");
		s->fetch.limit = 3 * KT_SEC;
	}
	if (get_ready(r, s))
		return TOOL_WAIT;
	bool open = s->fetch.result == FETCH_OK;
	if (!s->quiet)
		tool_outf(r, "%s:%u - %s\n", s->host ? s->host : "/var/run/postgresql", s->port,
		          open ? "accepting connections" : "no response");
	return open ? 0 : 2;
}

/* --- mysql --- */
static bool mysql_options(struct tool_run *r, struct client *s)
{
	static const struct option_row rows[] = {{"host", 'h', OPTION_VALUE, TEXT, AT(host)},
	                                         {"port", 'P', OPTION_VALUE, PORT, 0},
	                                         {"user", 'u', OPTION_VALUE, TEXT, AT(user)},
	                                         {"password", 'p', OPTION_STICKS, PASSWORD, 0},
	                                         {"execute", 'e', OPTION_VALUE, RUN, 0},
	                                         {"database", 'D', OPTION_VALUE, DATABASE, 0},
	                                         {"protocol", 0, OPTION_VALUE, NOTHING, 0},
	                                         {"socket", 'S', OPTION_VALUE, NOTHING, 0},
	                                         {"connect-timeout", 0, OPTION_VALUE, NOTHING, 0},
	                                         {"connect_timeout", 0, OPTION_VALUE, NOTHING, 0},
	                                         {"default-character-set", 0, OPTION_VALUE, NOTHING, 0},
	                                         {"ssl-mode", 0, OPTION_VALUE, NOTHING, 0},
	                                         {"skip-column-names", 'N', OPTION_ALONE, FLAG, AT(no_names)},
	                                         {"batch", 'B', OPTION_ALONE, NOTHING, 0},
	                                         {"silent", 's', OPTION_ALONE, NOTHING, 0},
	                                         {"skip-ssl", 0, OPTION_ALONE, NOTHING, 0},
	                                         {"table", 't', OPTION_ALONE, NOTHING, 0},
	                                         {"force", 'f', OPTION_ALONE, NOTHING, 0},
	                                         {"wait", 'w', OPTION_ALONE, NOTHING, 0},
	                                         {"verbose", 'v', OPTION_ALONE, NOTHING, 0}};
	static const struct option_table table = {rows, KT_COUNT(rows), true, take_option};
	bool known = true;
	s->port = 3306;
	const char *bad = options_read(r, &table, &known);
	if (bad) {
		tool_err(r,
		         known ? "%s: [ERROR] %s: option requires an argument.\n"
		               : "%s: [ERROR] unknown option '%s'.\n",
		         r->tool->name, bad);
		return false;
	}
	if (!s->password && tool_env(r, "MYSQL_PWD"))
		s->password = kt_strdup(tool_env(r, "MYSQL_PWD"));
	else if (s->password)
		tool_err(r, "%s: [Warning] Using a password on the command line interface can be insecure.\n",
		         r->tool->name);
	if (!s->user)
		s->user = kt_strdup("root");
	return true;
}

static int mysql_refused(struct tool_run *r, const struct client *s)
{
	const char *who = kt_ends(r->tool->name, "admin") ? r->tool->name : NULL;
	if (who)
		tool_err(r, "%s: connect to server at '%s' failed\nerror: '", who,
		         s->host ? s->host : "localhost");
	if (!s->host || !strcmp(s->host, "localhost"))
		tool_err(r,
		         "%sCan't connect to local MySQL server through socket '/var/run/mysqld/mysqld.sock' "
		         "(2)",
		         who ? "" : "ERROR 2002 (HY000): ");
	else if (s->fetch.result == FETCH_BAD_NAME || s->fetch.result == FETCH_NO_DNS)
		tool_err(r, "%sUnknown MySQL server host '%s' (%d)",
		         who ? "" : "ERROR 2005 (HY000): ", s->host,
		         s->fetch.result == FETCH_BAD_NAME ? -2 : -3);
	else
		tool_err(r, "%sCan't connect to MySQL server on '%s:%u' (%d)",
		         who ? "" : "ERROR 2003 (HY000): ", s->host, s->port,
		         s->fetch.result == FETCH_TIMEOUT ? 110 : 111);
	tool_err(r, who ? "'\n" : "\n");
	return 1;
}

static void mysql_show(const struct client *s, const struct kt_json *result, struct kt_buf *out)
{
	const struct kt_json *columns = kt_get(result, "columns"), *rows = kt_get(result, "rows"), *row;
	if (!kt_count(rows))
		return;
	for (size_t i = 0; i < kt_count(columns) && !s->no_names; i++)
		kt_buf_addf(out, "%s%s", i ? "\t" : "", kt_str_or(kt_at(columns, i), ""));
	if (!s->no_names)
		kt_buf_addc(out, '\n');
	KT_JSON_EACH (row, rows) {
		for (size_t i = 0; i < kt_count(row); i++)
			kt_buf_addf(out, "%s%s", i ? "\t" : "", kt_str_or(kt_at(row, i), "NULL"));
		kt_buf_addc(out, '\n');
	}
}

static int mysql_run(struct tool_run *r, struct client *s, const char *text)
{
	bool local = !s->host || !strcmp(s->host, "localhost");
	struct sql_ask ask = {s->user, s->password, s->database ? s->database : "", text, local};
	struct kt_json *answer = sql_ask_server(r->task->process->cluster, &s->fetch, &ask);
	const struct kt_json *result;
	struct kt_buf out = {0};
	const char *wrong =
	        kt_get_str(answer, "fatal") ? kt_get_str(answer, "fatal") : kt_get_str(answer, "error");
	if (!answer)
		wrong = "ERROR 2013 (HY000): Lost connection to MySQL server";
	KT_JSON_EACH (result, kt_get(answer, "results"))
		mysql_show(s, result, &out);
	tool_out(r, kt_buf_str(&out), out.len);
	if (wrong)
		tool_err(r, "%s\n", wrong);
	kt_buf_clear(&out);
	int status = wrong ? 1 : 0;
	kt_json_free(answer);
	return status;
}

static int run_mysql(struct tool_run *r)
{
	struct client *s = r->state;
	bool admin = kt_ends(r->tool->name, "admin");
	if (!r->opened) {
		r->opened = true;
		if (!mysql_options(r, s))
			return 1;
	}
	if (get_ready(r, s))
		return TOOL_WAIT;
	if (s->fetch.result != FETCH_OK)
		return mysql_refused(r, s);
	if (admin) { /* a server that is there answers a ping, whoever asks */
		bool ping = s->texts.count && !strcmp(s->texts.items[0], "ping");
		if (ping)
			tool_outs(r, "mysqld is alive\n");
		else
			tool_err(r, "%s: Unknown command: '%s'\n", r->tool->name,
			         s->texts.count ? s->texts.items[0] : "");
		return ping ? 0 : 1;
	}
	int status = 0;
	for (size_t i = 0; i < s->texts.count && !status; i++)
		status = mysql_run(r, s, s->texts.items[i]);
	return s->texts.count ? status : mysql_run(r, s, kt_buf_str(&s->input));
}

#define PSQL(fn) .sets = "postgres", .run = fn, .state_size = sizeof(struct client), .end = end_client
#define MYSQL    .sets = "mysql", .run = run_mysql, .state_size = sizeof(struct client), .end = end_client
const struct tool tools_databases[] = {
        {.name = "mariadb", MYSQL},
        {.name = "mariadb-admin", MYSQL},
        {.name = "mysql", MYSQL},
        {.name = "mysqladmin", MYSQL},
        {.name = "pg_isready", PSQL(run_isready)},
        {.name = "psql", PSQL(run_psql)},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* Databases that speak SQL (PostgreSQL, MySQL, MariaDB). SQLite does the work, in memory; what it holds is
 * written to the data folder after each change, so that it lives as long as its volume. sql_dialect.c makes
 * of a statement one that SQLite takes; what that cannot say is an error, never a made-up answer. Servers and
 * clients talk in lines of their own (struct sql_ask), not in the real protocols: no other program of the
 * cluster speaks those. */
#ifndef SQL_H
#define SQL_H

#include "cluster/kubelet/servers/servers.h"

enum sql_dialect { SQL_POSTGRES, SQL_MYSQL };

/* What a client sends over the connection, as JSON text. */
struct sql_ask {
	const char *user, *password, *database, *text; /* password NULL: none given */
	bool local;                                    /* from inside the container */
};
/* The answer: {fatal: "…"} when it lets nobody in; else {results: [{tag, columns: [NAME…], rows: [[text or
 * null…]…], numbers: [true…]}…], error: "…", code: "42P01", name: WHAT_IT_IS_ABOUT}: results up to the first
 * error. NULL: no server. Owned. */
struct kt_json *sql_ask_server(struct cluster *cluster, const struct fetch *connection,
                               const struct sql_ask *ask);

/* --- sql_dialect.c --- */
/* One statement as SQLite takes it; owned. */
char *sql_translate(enum sql_dialect dialect, const char *statement, const char *database, const char *user);
/* The next statement of a text (up to a semicolon outside of quotes and comments); owned, NULL at the end. */
char *sql_next(const char **text);
/* What a column of that expression is called there ("count" for "count(*)"); into `out`. */
void sql_column_name(enum sql_dialect dialect, const char *expression, struct kt_buf *out);

#endif

/* SPDX-License-Identifier: MIT */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db/db.h"
#include <sqlite3.h>

struct db {
	sqlite3 *handle;
	char *path;
	int version;
};

/* Fill `err` with the file, what was tried, and SQLite's words. */
enum kt_code db_fail(struct db *db, struct kt_err *err, const char *doing);
KT_MUST_CHECK enum kt_code db_exec(struct db *db, const char *sql, struct kt_err *err);
KT_MUST_CHECK enum kt_code db_prepare(struct db *db, const char *sql, sqlite3_stmt **out, struct kt_err *err);
/* BEGIN IMMEDIATE; then db_commit, or db_rollback (after any failure). */
KT_MUST_CHECK enum kt_code db_begin(struct db *db, struct kt_err *err);
KT_MUST_CHECK enum kt_code db_commit(struct db *db, struct kt_err *err);
void db_rollback(struct db *db);

#endif

/* SPDX-License-Identifier: MIT */
/* db: what is kept in SQLite. The only module that sees it. One file a subject: here opening and migrations,
 * and journals (key -> blob) for clusters; the learner's progress is db/progress.h's own.
 *
 * Every file: WAL, STRICT tables, foreign keys, a busy timeout (several processes at once), numbered
 * migrations; 0600. A kill -9 after a call has returned loses nothing of it. Errors name the file. */
#ifndef DB_H
#define DB_H

#include "base/base.h"

/* A migration takes the file from number - 1 to number. Rows are never changed once released. */
struct db_migration {
	int number; /* 1, 2, 3… */
	const char *what, *sql;
};
struct db_options {
	const struct db_migration *migrations;
	size_t count;
	unsigned busy_ms;   /* 0: 5000 */
	unsigned cache_kib; /* 0: SQLite's own choice */
};
struct db;
/* Open or make `path` (its folder exists) and bring it up to the last migration. A file of a newer ktutor is
 * refused. */
KT_MUST_CHECK enum kt_code db_open(const char *path, const struct db_options *options, struct db **out,
                                   struct kt_err *err);
void db_close(struct db *db); /* NULL is fine */
int db_version(const struct db *db);

/* --- journals: key -> blob --- */
struct db_record {
	const char *key;
	const void *value; /* NULL deletes the key */
	size_t len;
};
KT_MUST_CHECK enum kt_code db_journal_open(const char *path, struct db **out, struct kt_err *err);
/* All of them or none. */
KT_MUST_CHECK enum kt_code db_journal_write(struct db *db, const struct db_record *records, size_t count,
                                            struct kt_err *err);
/* Every record, in order of the keys' bytes. */
KT_MUST_CHECK enum kt_code db_journal_read(struct db *db,
                                           void (*row)(void *arg, const struct db_record *record), void *arg,
                                           struct kt_err *err);

#endif

/* SPDX-License-Identifier: MIT */
#include "db/db_internal.h"
#include <string.h>

static const struct db_migration migrations[] = {
        {1, "records", "CREATE TABLE record (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;"},
};

enum kt_code db_journal_open(const char *path, struct db **out, struct kt_err *err)
{
	/* Read once, then written only: a cache would only cost memory. */
	static const struct db_options options = {
	        .migrations = migrations, .count = KT_COUNT(migrations), .cache_kib = 256};
	return db_open(path, &options, out, err);
}

static enum kt_code write_one(struct db *db, sqlite3_stmt *put, sqlite3_stmt *forget,
                              const struct db_record *record, struct kt_err *err)
{
	sqlite3_stmt *statement = record->value ? put : forget;
	int rc = sqlite3_bind_text(statement, 1, record->key, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && record->value)
		rc = sqlite3_bind_blob64(statement, 2, record->value, record->len, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
	enum kt_code code = rc == SQLITE_OK ? KT_OK : db_fail(db, err, "writing");
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return code;
}

enum kt_code db_journal_write(struct db *db, const struct db_record *records, size_t count,
                              struct kt_err *err)
{
	sqlite3_stmt *put = NULL, *forget = NULL;
	if (!count)
		return KT_OK;
	enum kt_code rc = db_begin(db, err);
	if (!rc)
		rc = db_prepare(db,
		                "INSERT INTO record (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE "
		                "SET value "
		                "= excluded.value",
		                &put, err);
	if (!rc)
		rc = db_prepare(db, "DELETE FROM record WHERE key = ?1", &forget, err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = write_one(db, put, forget, &records[i], err);
	(void)sqlite3_finalize(put);
	(void)sqlite3_finalize(forget);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

enum kt_code db_journal_read(struct db *db, void (*row)(void *arg, const struct db_record *record), void *arg,
                             struct kt_err *err)
{
	sqlite3_stmt *statement;
	enum kt_code rc = db_prepare(db, "SELECT key, value FROM record ORDER BY key", &statement, err);
	if (rc)
		return rc;
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct db_record record = {.key = (const char *)sqlite3_column_text(statement, 0),
		                           .value = sqlite3_column_blob(statement, 1),
		                           .len = (size_t)sqlite3_column_bytes(statement, 1)};
		if (!record.value)
			record.value = ""; /* an empty blob is still a value */
		row(arg, &record);
	}
	if (step != SQLITE_DONE)
		rc = db_fail(db, err, "reading");
	(void)sqlite3_finalize(statement);
	return rc;
}

/* SPDX-License-Identifier: MIT */
#include "db/db_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BUSY_MS 5000

enum kt_code db_fail(struct db *db, struct kt_err *err, const char *doing)
{
	int code = db->handle ? sqlite3_errcode(db->handle) : SQLITE_NOMEM;
	const char *why = db->handle ? sqlite3_errmsg(db->handle) : "out of memory";
	if (code == SQLITE_FULL)
		why = "the disk is full";
	else if (code == SQLITE_READONLY)
		why = "it cannot be written";
	else if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
		why = "it is damaged, or not a database of ktutor";
	return kt_fail(err, KT_EIO, "%s: %s: %s", db->path, doing, why);
}

enum kt_code db_exec(struct db *db, const char *sql, struct kt_err *err)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
		return KT_OK;
	return db_fail(db, err, "writing");
}

enum kt_code db_prepare(struct db *db, const char *sql, sqlite3_stmt **out, struct kt_err *err)
{
	if (sqlite3_prepare_v2(db->handle, sql, -1, out, NULL) == SQLITE_OK)
		return KT_OK;
	return db_fail(db, err, "preparing");
}

enum kt_code db_begin(struct db *db, struct kt_err *err)
{
	return db_exec(db, "BEGIN IMMEDIATE", err);
}

enum kt_code db_commit(struct db *db, struct kt_err *err)
{
	return db_exec(db, "COMMIT", err);
}

void db_rollback(struct db *db)
{
	if (!sqlite3_get_autocommit(db->handle))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

static enum kt_code read_version(struct db *db, struct kt_err *err)
{
	sqlite3_stmt *statement;
	enum kt_code rc = db_prepare(db, "PRAGMA user_version", &statement, err);
	if (rc)
		return rc;
	if (sqlite3_step(statement) == SQLITE_ROW)
		db->version = sqlite3_column_int(statement, 0);
	else
		rc = db_fail(db, err, "reading its version");
	(void)sqlite3_finalize(statement);
	return rc;
}

static enum kt_code migrate_one(struct db *db, const struct db_migration *row, struct kt_err *err)
{
	char *number = kt_strf("PRAGMA user_version = %d", row->number);
	enum kt_code rc = db_exec(db, row->sql, err);
	if (!rc)
		rc = db_exec(db, number, err);
	kt_free(number);
	if (rc)
		return kt_wrap(err, "migration %d (%s)", row->number, row->what);
	db->version = row->number;
	return KT_OK;
}

/* All in one transaction, and the version read inside it: two processes may open a new file at the same time.
 */
static enum kt_code migrate(struct db *db, const struct db_options *options, struct kt_err *err)
{
	int newest = options->count ? options->migrations[options->count - 1].number : 0;
	enum kt_code rc = read_version(db, err);
	if (rc || db->version == newest)
		return rc;
	rc = db_begin(db, err);
	if (!rc)
		rc = read_version(db, err);
	if (!rc && db->version > newest)
		rc = kt_fail(err, KT_EUNSUPPORTED,
		             "%s: made by a newer ktutor (version %d, this one knows %d)", db->path,
		             db->version, newest);
	for (size_t i = 0; !rc && i < options->count; i++)
		if (options->migrations[i].number > db->version)
			rc = migrate_one(db, &options->migrations[i], err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

static enum kt_code set_up(struct db *db, const struct db_options *options, struct kt_err *err)
{
	(void)sqlite3_extended_result_codes(db->handle, 0);
	(void)sqlite3_busy_timeout(db->handle, (int)(options->busy_ms ? options->busy_ms : BUSY_MS));
	enum kt_code rc = db_exec(
	        db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;", err);
	if (!rc && options->cache_kib) {
		char *sql = kt_strf("PRAGMA cache_size = -%u", options->cache_kib);
		rc = db_exec(db, sql, err);
		kt_free(sql);
	}
	return rc ? rc : migrate(db, options, err);
}

enum kt_code db_open(const char *path, const struct db_options *options, struct db **out, struct kt_err *err)
{
	/* SQLite would make it readable by all that the umask allows; -wal and -shm follow the file. */
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return kt_fail(err, KT_EIO, "%s: %s", path, strerror(errno));
	(void)close(fd);
	struct db *db = kt_alloc(sizeof *db);
	db->path = kt_strdup(path);
	enum kt_code rc = KT_OK;
	if (sqlite3_open_v2(path, &db->handle,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                    NULL) != SQLITE_OK)
		rc = db_fail(db, err, "opening");
	if (!rc)
		rc = set_up(db, options, err);
	if (rc) {
		db_close(db);
		return rc;
	}
	*out = db;
	return KT_OK;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	(void)sqlite3_close_v2(db->handle);
	kt_free(db->path);
	kt_free(db);
}

int db_version(const struct db *db)
{
	return db->version;
}

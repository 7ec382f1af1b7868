/* SPDX-License-Identifier: MIT */
/* What the learner has done: one log of events that is only ever added to, and summaries that every event
 * keeps up to date. The summaries can be thrown away and made again from the log: each kind of event is a row
 * that says how. */
#include "db/db_internal.h"

#include <string.h>

static const struct db_migration migrations[] = {
        {1, "progress",
         "CREATE TABLE event (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT "
         "NULL) STRICT;"
         "CREATE TABLE lesson (lesson TEXT NOT NULL PRIMARY KEY, opened INTEGER NOT NULL, page INTEGER NOT "
         "NULL, read INTEGER) STRICT;"
         "CREATE TABLE answer (lesson TEXT NOT NULL, question INTEGER NOT NULL, answer TEXT NOT NULL, right "
         "INTEGER NOT NULL, times INTEGER NOT NULL, at INTEGER NOT NULL,"
         " PRIMARY KEY (lesson, question)) STRICT;"
         "CREATE TABLE lab (lab TEXT NOT NULL PRIMARY KEY, started INTEGER NOT NULL, attempts INTEGER NOT "
         "NULL, checks INTEGER NOT NULL, seconds INTEGER NOT NULL,"
         " points INTEGER NOT NULL, points_of INTEGER NOT NULL, passed INTEGER, provider TEXT NOT NULL) "
         "STRICT;"
         "CREATE TABLE task (lab TEXT NOT NULL REFERENCES lab (lab), task TEXT NOT NULL, passed INTEGER, "
         "hints INTEGER NOT NULL, finding TEXT,"
         " PRIMARY KEY (lab, task)) STRICT;"
         "CREATE TABLE reply (lab TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY "
         "(lab, question)) STRICT;"
         "CREATE TABLE setting (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;"},
        {2, "unlocks",
         "CREATE TABLE unlock (what TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL, roaming INTEGER NOT "
         "NULL) "
         "STRICT;"},
        {3, "predictions",
         "CREATE TABLE prediction (id INTEGER PRIMARY KEY, family TEXT NOT NULL, seed INTEGER NOT NULL, "
         "question INTEGER NOT NULL, answer TEXT NOT NULL, right INTEGER NOT NULL, sure INTEGER, at INTEGER "
         "NOT NULL) STRICT;"},
};

/* ?1 the event's data (JSON), ?2 its time. */
#define LAB_ROW                                                                                              \
	"INSERT INTO lab (lab, started, attempts, checks, seconds, points, points_of, passed, provider) "    \
	"VALUES (?1 ->> 'lab', ?2, 0, 0, 0, 0, 0, NULL, 'embedded')"                                         \
	" ON CONFLICT DO NOTHING;"
#define TASK_ROW                                                                                             \
	LAB_ROW "INSERT INTO task (lab, task, passed, hints, finding) VALUES (?1 ->> 'lab', ?1 ->> 'task', " \
	        "NULL, 0, NULL) ON CONFLICT DO NOTHING;"
static const struct {
	const char *kind, *sql;
} effects[] = {
        {"lesson-page",
         "INSERT INTO lesson (lesson, opened, page, read) VALUES (?1 ->> 'lesson', ?2, ?1 ->> 'page', NULL)"
         " ON CONFLICT DO UPDATE SET page = excluded.page;"},
        {"lesson-read", "INSERT INTO lesson (lesson, opened, page, read) VALUES (?1 ->> 'lesson', ?2, 0, ?2) "
                        "ON CONFLICT DO UPDATE SET read = coalesce(read, excluded.read);"},
        {"answer", "INSERT INTO answer (lesson, question, answer, right, times, at) VALUES (?1 ->> 'lesson', "
                   "?1 ->> 'question', ?1 ->> 'answer', ?1 ->> 'right', 1, ?2)"
                   " ON CONFLICT DO UPDATE SET answer = excluded.answer, right = excluded.right, times = "
                   "times + 1, at = excluded.at;"},
        {"lab-start", LAB_ROW "UPDATE lab SET attempts = attempts + 1, started = ?2, provider = coalesce(?1 "
                              "->> 'provider', provider) WHERE lab = ?1 ->> 'lab';"},
        {"lab-check", LAB_ROW "UPDATE lab SET checks = checks + 1, points = max(points, ?1 ->> 'points'), "
                              "points_of = ?1 ->> 'of' WHERE lab = ?1 ->> 'lab';"},
        {"task", TASK_ROW "UPDATE task SET passed = CASE WHEN ?1 ->> 'passed' THEN coalesce(passed, ?2) ELSE "
                          "passed END, finding = ?1 ->> 'finding'"
                          " WHERE lab = ?1 ->> 'lab' AND task = ?1 ->> 'task';"},
        {"hint", TASK_ROW "UPDATE task SET hints = max(hints, ?1 ->> 'hint') WHERE lab = ?1 ->> 'lab' AND "
                          "task = ?1 ->> 'task';"},
        {"lab-pass", LAB_ROW "UPDATE lab SET passed = coalesce(passed, ?2) WHERE lab = ?1 ->> 'lab';"},
        {"lab-time",
         LAB_ROW "UPDATE lab SET seconds = seconds + (?1 ->> 'seconds') WHERE lab = ?1 ->> 'lab';"},
        {"reply", "INSERT INTO reply (lab, question, answer) VALUES (?1 ->> 'lab', ?1 ->> 'question', ?1 ->> "
                  "'answer') ON CONFLICT DO UPDATE SET answer = excluded.answer;"},
        {"unlock", "INSERT INTO unlock (what, at, roaming) VALUES (?1 ->> 'what', ?2, ?1 ->> 'roaming') ON "
                   "CONFLICT DO NOTHING;"},
        {"prediction",
         "INSERT INTO prediction (family, seed, question, answer, right, sure, at) VALUES (?1 ->> 'family', "
         "?1 ->> 'seed', ?1 ->> 'question', ?1 ->> 'answer', ?1 ->> 'right', ?1 ->> 'sure', ?2);"},
        {"setting", "INSERT INTO setting (name, value) VALUES (?1 ->> 'name', ?1 ->> 'value') ON CONFLICT DO "
                    "UPDATE SET value = excluded.value;"},
};
static const char *const summaries[] = {"lesson", "answer",  "task",   "lab",
                                        "reply",  "setting", "unlock", "prediction"};

enum kt_code db_progress_open(const char *home, struct db **out, struct kt_err *err)
{
	static const struct db_options options = {.migrations = migrations, .count = KT_COUNT(migrations)};
	char *path = kt_join(home, "progress.db");
	enum kt_code rc = kt_make_dirs(home, 0700, err);
	if (!rc)
		rc = db_open(path, &options, out, err);
	kt_free(path);
	return rc;
}

/* Run all statements of `sql` with the event as ?1 and ?2. */
static enum kt_code run_effect(struct db *db, const char *sql, const char *data, int64_t at,
                               struct kt_err *err)
{
	while (*sql) {
		sqlite3_stmt *statement = NULL;
		const char *rest = sql;
		if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, &rest) != SQLITE_OK)
			return db_fail(db, err, "preparing");
		if (!statement)
			return KT_OK;
		int bound = sqlite3_bind_parameter_count(statement);
		if (bound >= 1)
			(void)sqlite3_bind_text(statement, 1, data, -1, SQLITE_STATIC);
		if (bound >= 2)
			(void)sqlite3_bind_int64(statement, 2, at);
		enum kt_code rc =
		        sqlite3_step(statement) == SQLITE_DONE ? KT_OK : db_fail(db, err, "writing");
		(void)sqlite3_finalize(statement);
		if (rc)
			return rc;
		sql = rest;
	}
	return KT_OK;
}

static const char *effect_of(const char *kind)
{
	for (size_t i = 0; i < KT_COUNT(effects); i++)
		if (kt_streq(effects[i].kind, kind))
			return effects[i].sql;
	return NULL;
}

bool db_event_known(const char *kind)
{
	return effect_of(kind) != NULL;
}

enum kt_code db_record_event(struct db *db, kt_ns at, const char *kind, const struct kt_json *data,
                             struct kt_err *err)
{
	const char *effect = effect_of(kind);
	if (!effect)
		kt_bug("progress has no event '%s'", kind);
	char *text = kt_json_text(data);
	sqlite3_stmt *insert = NULL;
	enum kt_code rc = db_begin(db, err);
	if (!rc)
		rc = db_prepare(db, "INSERT INTO event (at, kind, data) VALUES (?1, ?2, ?3)", &insert, err);
	if (!rc) {
		(void)sqlite3_bind_int64(insert, 1, at / KT_SEC);
		(void)sqlite3_bind_text(insert, 2, kind, -1, SQLITE_STATIC);
		(void)sqlite3_bind_text(insert, 3, text, -1, SQLITE_STATIC);
		rc = sqlite3_step(insert) == SQLITE_DONE ? KT_OK : db_fail(db, err, "writing");
	}
	(void)sqlite3_finalize(insert);
	if (!rc)
		rc = run_effect(db, effect, text, at / KT_SEC, err);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	kt_free(text);
	return rc;
}

enum kt_code db_progress_rebuild(struct db *db, struct kt_err *err)
{
	sqlite3_stmt *log = NULL;
	enum kt_code rc = db_begin(db, err);
	for (size_t i = 0; !rc && i < KT_COUNT(summaries); i++) {
		char *sql = kt_strf("DELETE FROM %s", summaries[i]);
		rc = db_exec(db, sql, err);
		kt_free(sql);
	}
	if (!rc)
		rc = db_prepare(db, "SELECT at, kind, data FROM event ORDER BY id", &log, err);
	while (!rc && sqlite3_step(log) == SQLITE_ROW) {
		const char *effect = effect_of((const char *)sqlite3_column_text(log, 1));
		if (effect) /* a newer ktutor's event is kept, and means nothing here */
			rc = run_effect(db, effect, (const char *)sqlite3_column_text(log, 2),
			                sqlite3_column_int64(log, 0), err);
	}
	(void)sqlite3_finalize(log);
	if (!rc)
		rc = db_commit(db, err);
	if (rc)
		db_rollback(db);
	return rc;
}

/* One value of a row as JSON. */
static struct kt_json *column(sqlite3_stmt *statement, int i)
{
	switch (sqlite3_column_type(statement, i)) {
	case SQLITE_INTEGER:
		return kt_json_int(sqlite3_column_int64(statement, i));
	case SQLITE_FLOAT:
		return kt_json_real(sqlite3_column_double(statement, i));
	case SQLITE_TEXT:
		return kt_json_str((const char *)sqlite3_column_text(statement, i));
	default:
		return kt_json_null();
	}
}

static enum kt_code read_rows(struct db *db, const char *sql, const char *arg, struct kt_json **out,
                              struct kt_err *err)
{
	sqlite3_stmt *statement = NULL;
	enum kt_code rc = db_prepare(db, sql, &statement, err);
	if (rc)
		return rc;
	struct kt_json *rows = kt_json_array();
	if (arg)
		(void)sqlite3_bind_text(statement, 1, arg, -1, SQLITE_STATIC);
	int step;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct kt_json *row = kt_json_object();
		for (int i = 0; i < sqlite3_column_count(statement); i++)
			kt_set(&row, sqlite3_column_name(statement, i), column(statement, i));
		kt_push(&rows, row);
	}
	if (step != SQLITE_DONE)
		rc = db_fail(db, err, "reading");
	(void)sqlite3_finalize(statement);
	if (rc)
		kt_json_free(rows);
	else
		*out = rows;
	return rc;
}

enum kt_code db_progress_read(struct db *db, struct kt_json **out, struct kt_err *err)
{
	static const struct {
		const char *name, *sql;
	} parts[] = {
	        {"lessons", "SELECT lesson, opened, page, read FROM lesson ORDER BY lesson"},
	        {"answers",
	         "SELECT lesson, question, answer, right, times, at FROM answer ORDER BY lesson, question"},
	        {"labs", "SELECT lab, started, attempts, checks, seconds, points, points_of AS 'of', passed, "
	                 "provider, (SELECT coalesce(sum(hints), 0) FROM task WHERE task.lab = lab.lab) AS "
	                 "hints FROM lab ORDER BY lab"},
	        {"tasks", "SELECT lab, task, passed, hints, finding FROM task ORDER BY lab, task"},
	        {"predictions",
	         "SELECT family, seed, question, answer, right, sure, at FROM prediction ORDER BY id"},
	        {"unlocks", "SELECT what, at, roaming FROM unlock ORDER BY at"},
	        {"days",
	         "SELECT count(DISTINCT at / 86400) AS days, min(at) AS first, max(at) AS last FROM event"},
	};
	struct kt_json *all = kt_json_object();
	enum kt_code rc = KT_OK;
	for (size_t i = 0; !rc && i < KT_COUNT(parts); i++) {
		struct kt_json *rows = NULL;
		rc = read_rows(db, parts[i].sql, NULL, &rows, err);
		if (!rc)
			kt_set(&all, parts[i].name, rows);
	}
	if (rc)
		kt_json_free(all);
	else
		*out = all;
	return rc;
}

enum kt_code db_replies(struct db *db, const char *lab, struct kt_json **out, struct kt_err *err)
{
	struct kt_json *rows = NULL;
	const struct kt_json *row;
	enum kt_code rc = read_rows(db, "SELECT question, answer FROM reply WHERE lab = ?1", lab, &rows, err);
	if (rc)
		return rc;
	*out = kt_json_object();
	KT_JSON_EACH (row, rows)
		kt_set(out, kt_get_str(row, "question"), kt_json_ref(kt_get(row, "answer")));
	kt_json_free(rows);
	return KT_OK;
}

unsigned db_hints_used(struct db *db, const char *lab, const char *task)
{
	struct kt_json *rows = NULL;
	char *key = kt_strf("%s/%s", lab, task);
	int64_t hints = 0;
	if (!read_rows(db, "SELECT hints FROM task WHERE lab || '/' || task = ?1", key, &rows, NULL))
		hints = kt_get_int(kt_at(rows, 0), "hints", 0);
	kt_json_free(rows);
	kt_free(key);
	return (unsigned)hints;
}

char *db_setting(struct db *db, const char *name)
{
	struct kt_json *rows = NULL;
	char *value = NULL;
	if (!read_rows(db, "SELECT value FROM setting WHERE name = ?1", name, &rows, NULL))
		value = kt_strdup(kt_get_str(kt_at(rows, 0), "value"));
	kt_json_free(rows);
	return value;
}

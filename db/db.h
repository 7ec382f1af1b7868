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

/* --- progress (db/progress.c): an append-only log of events, and summaries made of it --- */
/* HOME/progress.db. */
KT_MUST_CHECK enum kt_code db_progress_open(const char *home, struct db **out, struct kt_err *err);
/* Kinds and their data:
 *   lesson-page {lesson, page}   lesson-read {lesson}   answer {lesson, question, answer, right: 0|1}
 *   lab-start {lab, provider}    lab-check {lab, points, of}   task {lab, task, passed: 0|1, finding}   hint
 * {lab, task, hint: N so far} lab-pass {lab}   lab-time {lab, seconds: more of them}   reply {lab, question,
 * answer}   setting {name, value}   unlock {what, roaming: 0|1} (EXPERT)   prediction {family, seed,
 * question: N, answer, right: 0|1, sure: PERCENT or absent} Another kind is a bug. `at` is wall
 * time. */
KT_MUST_CHECK enum kt_code db_record_event(struct db *db, kt_ns at, const char *kind,
                                           const struct kt_json *data, struct kt_err *err);
bool db_event_known(const char *kind);
/* {lessons: [{lesson, opened, page, read}], answers: [{lesson, question, answer, right, times, at}],
 *  labs: [{lab, started, attempts, checks, seconds, points, of, passed, provider, hints}], tasks: [{lab,
 * task, passed, hints, finding}], unlocks: [{what, at, roaming}], predictions: [{family, seed, question,
 * answer, right, sure, at}], days: [{days, first, last}]}: times in seconds since 1970, null where it did not
 * happen. New. */
KT_MUST_CHECK enum kt_code db_progress_read(struct db *db, struct kt_json **out, struct kt_err *err);
/* Make all summaries again from the log. */
KT_MUST_CHECK enum kt_code db_progress_rebuild(struct db *db, struct kt_err *err);
/* What was typed for a lab's questions: {question: answer}. New. */
KT_MUST_CHECK enum kt_code db_replies(struct db *db, const char *lab, struct kt_json **out,
                                      struct kt_err *err);
unsigned db_hints_used(struct db *db, const char *lab, const char *task);
char *db_setting(struct db *db, const char *name); /* owned; NULL: not set */

#endif

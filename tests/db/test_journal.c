/* SPDX-License-Identifier: MIT */
#include "db/db_internal.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

struct place {
	char dir[64];
	char *path;
};

static int set_up(void **state)
{
	struct place *place = kt_alloc(sizeof *place);
	(void)snprintf(place->dir, sizeof place->dir, "%s", "/tmp/ktutor-db.XXXXXX");
	if (!mkdtemp(place->dir))
		return -1;
	place->path = kt_join(place->dir, "cluster.db");
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	enum kt_code rc = kt_remove_tree(place->dir, NULL);
	kt_free(place->path);
	kt_free(place);
	return rc;
}

static struct db *open_it(const struct place *place)
{
	struct kt_err err = {0};
	struct db *db = NULL;
	if (db_journal_open(place->path, &db, &err))
		fail_msg("%s", err.text);
	return db;
}

static void add_text(void *arg, const struct db_record *record)
{
	kt_buf_addf(arg, "%s=%.*s;", record->key, (int)record->len, (const char *)record->value);
}

static void expect(struct db *db, const char *expected)
{
	struct kt_buf text = {0};
	assert_int_equal(db_journal_read(db, add_text, &text, NULL), KT_OK);
	assert_string_equal(kt_buf_str(&text), expected);
	kt_buf_clear(&text);
}

static void records_come_back_in_order_of_their_keys(void **state)
{
	struct db *db = open_it(*state);
	const struct db_record records[] = {{"b", "2", 1}, {"a", "1", 1}, {"c", "", 0}};
	assert_int_equal(db_journal_write(db, records, 3, NULL), KT_OK);
	expect(db, "a=1;b=2;c=;");
	const struct db_record changes[] = {{"a", "new", 3}, {"b", NULL, 0}, {"zz", NULL, 0}};
	assert_int_equal(db_journal_write(db, changes, 3, NULL), KT_OK);
	db_close(db);
	db = open_it(*state);
	expect(db, "a=new;c=;");
	db_close(db);
}

static void a_killed_writer_loses_nothing_that_was_written(void **state)
{
	struct place *place = *state;
	pid_t child = fork();
	if (!child) {
		struct db *db = open_it(place);
		const struct db_record record = {"kept", "yes", 3};
		if (!db_journal_write(db, &record, 1, NULL))
			(void)raise(SIGKILL);
		_exit(1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	struct db *db = open_it(place);
	expect(db, "kept=yes;");
	db_close(db);
}

static void a_damaged_file_is_named_and_not_touched(void **state)
{
	struct place *place = *state;
	struct kt_err err = {0};
	struct db *db = NULL;
	assert_int_equal(
	        kt_write_file(place->path, "this is not a database, it is a letter to you", 45, 0600, NULL),
	        KT_OK);
	assert_int_equal(db_journal_open(place->path, &db, &err), KT_EIO);
	assert_null(db);
	assert_non_null(strstr(err.text, place->path));
	assert_non_null(strstr(err.text, "damaged"));
	struct kt_buf text = {0};
	assert_int_equal(kt_read_file(place->path, 100, &text, NULL), KT_OK);
	assert_int_equal(text.len, 45);
	kt_buf_clear(&text);
}

static void a_file_of_a_newer_ktutor_is_refused(void **state)
{
	struct place *place = *state;
	static const struct db_migration rows[] = {{1, "one", "CREATE TABLE a (x INTEGER) STRICT"},
	                                           {2, "two", "CREATE TABLE b (x INTEGER) STRICT"}};
	struct db_options newer = {.migrations = rows, .count = 2}, older = {.migrations = rows, .count = 1};
	struct db *db = NULL;
	struct kt_err err = {0};
	assert_int_equal(db_open(place->path, &newer, &db, &err), KT_OK);
	assert_int_equal(db_version(db), 2);
	db_close(db);
	assert_int_equal(db_open(place->path, &older, &db, &err), KT_EUNSUPPORTED);
	assert_non_null(strstr(err.text, "newer ktutor"));
}

static void a_migration_that_fails_leaves_the_file_as_it_was(void **state)
{
	struct place *place = *state;
	static const struct db_migration rows[] = {
	        {1, "one", "CREATE TABLE a (x INTEGER) STRICT"},
	        {2, "two", "CREATE TABLE b (x INTEGER) STRICT; CREATE nonsense"}};
	struct db_options one = {.migrations = rows, .count = 1}, both = {.migrations = rows, .count = 2};
	struct db *db = NULL;
	struct kt_err err = {0};
	assert_int_equal(db_open(place->path, &one, &db, NULL), KT_OK);
	db_close(db);
	assert_int_equal(db_open(place->path, &both, &db, &err), KT_EIO);
	assert_non_null(strstr(err.text, "migration 2 (two)"));
	assert_int_equal(db_open(place->path, &one, &db, NULL), KT_OK);
	assert_int_equal(db_version(db), 1);
	db_close(db);
}

static void a_full_disk_is_told_and_what_was_there_stays(void **state)
{
	struct db *db = open_it(*state);
	struct kt_err err = {0};
	struct kt_buf big = {0};
	const struct db_record small = {"small", "1", 1};
	assert_int_equal(db_journal_write(db, &small, 1, NULL), KT_OK);
	assert_int_equal(db_exec(db, "PRAGMA max_page_count = 8", NULL), KT_OK);
	while (big.len < 100000)
		kt_buf_addc(&big, 'x');
	const struct db_record records[] = {{"small", "2", 1}, {"big", big.data, big.len}};
	assert_int_equal(db_journal_write(db, records, 2, &err), KT_EIO);
	assert_non_null(strstr(err.text, "the disk is full"));
	expect(db, "small=1;");
	assert_int_equal(db_exec(db, "PRAGMA max_page_count = 1000", NULL), KT_OK); /* room again */
	assert_int_equal(db_journal_write(db, records, 1, NULL), KT_OK);
	expect(db, "small=2;");
	kt_buf_clear(&big);
	db_close(db);
}

static void only_the_owner_can_read_it(void **state)
{
	struct place *place = *state;
	struct db *db = open_it(place);
	struct stat info;
	assert_int_equal(stat(place->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	db_close(db);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {TEST(records_come_back_in_order_of_their_keys),
	                                   TEST(a_killed_writer_loses_nothing_that_was_written),
	                                   TEST(a_damaged_file_is_named_and_not_touched),
	                                   TEST(a_file_of_a_newer_ktutor_is_refused),
	                                   TEST(a_migration_that_fails_leaves_the_file_as_it_was),
	                                   TEST(only_the_owner_can_read_it),
	                                   TEST(a_full_disk_is_told_and_what_was_there_stays)};
	return cmocka_run_group_tests_name("db journal", tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include "db/db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW (1760000000 * KT_SEC)

static int make_home(void **state)
{
	char dir[] = "/tmp/ktutor-progress-XXXXXX";
	*state = mkdtemp(dir) ? kt_strdup(dir) : NULL;
	return *state ? 0 : -1;
}

static int drop_home(void **state)
{
	struct kt_err err = {0};
	int rc = kt_remove_tree(*state, &err);
	kt_free(*state);
	return rc;
}

static struct db *open_it(const char *home)
{
	struct kt_err err = {0};
	struct db *db = NULL;
	if (db_progress_open(home, &db, &err))
		fail_msg("%s", err.text);
	return db;
}

static void record(struct db *db, const char *kind, struct kt_json *steal)
{
	struct kt_err err = {0};
	if (db_record_event(db, NOW, kind, steal, &err))
		fail_msg("%s", err.text);
	kt_json_free(steal);
}

static void record_all(struct db *db)
{
	record(db, "lesson-page", kt_jsonf("{lesson: '6.5', page: 2}"));
	record(db, "lesson-read", kt_jsonf("{lesson: '6.5'}"));
	record(db, "answer", kt_jsonf("{lesson: '6.5', question: 0, answer: 'None', right: 1}"));
	record(db, "answer", kt_jsonf("{lesson: '6.5', question: 1, answer: '3', right: 0}"));
	record(db, "answer", kt_jsonf("{lesson: '6.5', question: 1, answer: '50', right: 1}"));
	record(db, "unlock", kt_jsonf("{what: 'EXPERT', roaming: 1}"));
	record(db, "unlock", kt_jsonf("{what: 'EXPERT', roaming: 0}"));
	record(db, "lab-start", kt_jsonf("{lab: 'l', provider: 'embedded'}"));
	record(db, "hint", kt_jsonf("{lab: 'l', task: 't', hint: 2}"));
	record(db, "hint", kt_jsonf("{lab: 'l', task: 't', hint: 1}"));
	record(db, "lab-check", kt_jsonf("{lab: 'l', points: 1, of: 3}"));
	record(db, "task", kt_jsonf("{lab: 'l', task: 't', passed: 0, finding: 'spec.replicas is 1'}"));
	record(db, "task", kt_jsonf("{lab: 'l', task: 't', passed: 1}"));
	record(db, "lab-time", kt_jsonf("{lab: 'l', seconds: 60}"));
	record(db, "lab-time", kt_jsonf("{lab: 'l', seconds: 30}"));
	record(db, "lab-pass", kt_jsonf("{lab: 'l'}"));
	record(db, "setting", kt_jsonf("{name: 'provider', value: 'kind'}"));
	record(db, "reply", kt_jsonf("{lab: 'l', question: 'How many?', answer: '3'}"));
}

static struct kt_json *read_all(struct db *db)
{
	struct kt_err err = {0};
	struct kt_json *all = NULL;
	if (db_progress_read(db, &all, &err))
		fail_msg("%s", err.text);
	return all;
}

static void what_was_done_is_there_after_reopening(void **state)
{
	struct db *db = open_it(*state);
	record_all(db);
	db_close(db);
	db = open_it(*state);
	struct kt_json *all = read_all(db);
	assert_int_equal(kt_path_int(all, "lessons.0.page", -1), 2);
	assert_int_equal(kt_path_int(all, "lessons.0.read", -1), NOW / KT_SEC);
	assert_int_equal(kt_path_int(all, "answers.1.times", -1), 2);
	assert_string_equal(kt_path_str(all, "answers.1.answer"), "50");
	assert_int_equal(kt_path_int(all, "labs.0.seconds", -1), 90);
	assert_int_equal(kt_path_int(all, "labs.0.attempts", -1), 1);
	assert_int_equal(kt_path_int(all, "labs.0.passed", -1), NOW / KT_SEC);
	assert_int_equal(kt_path_int(all, "tasks.0.hints", -1), 2);
	assert_int_equal(db_hints_used(db, "l", "t"), 2);
	char *provider = db_setting(db, "provider");
	assert_string_equal(provider, "kind");
	struct kt_json *replies = NULL;
	assert_int_equal(db_replies(db, "l", &replies, NULL), KT_OK);
	assert_string_equal(kt_get_str(replies, "How many?"), "3");
	kt_json_free(replies);
	kt_free(provider);
	kt_json_free(all);
	db_close(db);
}

static void summaries_can_be_made_again_from_the_log(void **state)
{
	struct db *db = open_it(*state);
	record_all(db);
	struct kt_json *before = read_all(db);
	assert_int_equal(db_progress_rebuild(db, NULL), KT_OK);
	struct kt_json *after = read_all(db);
	assert_true(kt_equal(before, after));
	kt_json_free(before);
	kt_json_free(after);
	db_close(db);
}

/* Two processes write at once, and one of them is killed in the middle: all that was recorded is there. */
static void several_writers_and_a_kill_lose_nothing(void **state)
{
	struct db *first = open_it(*state);
	db_close(first);
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		struct db *db = NULL;
		if (db_progress_open(*state, &db, NULL))
			_exit(1);
		for (unsigned i = 0;; i++) {
			struct kt_json *data = kt_jsonf("{lab: 'child', seconds: 1}");
			if (db_record_event(db, NOW, "lab-time", data, NULL) == KT_OK &&
			    write(ends[1], "x", 1) != 1)
				_exit(1);
			kt_json_free(data);
		}
	}
	struct db *db = open_it(*state);
	for (unsigned i = 0; i < 20; i++)
		record(db, "lab-time", kt_jsonf("{lab: 'mine', seconds: 1}"));
	char told;
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(read(ends[0], &told, 1), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ends[1]);
	int64_t acknowledged = 10;
	while (read(ends[0], &told, 1) == 1)
		acknowledged++;
	close(ends[0]);
	struct kt_json *all = read_all(db);
	assert_true(kt_path_int(all, "labs.0.seconds", 0) >= acknowledged);
	assert_int_equal(kt_path_int(all, "labs.1.seconds", 0), 20);
	kt_json_free(all);
	db_close(db);
}

static void a_damaged_file_is_a_sentence(void **state)
{
	struct kt_err err = {0};
	struct db *db = NULL;
	char *path = kt_join(*state, "progress.db");
	assert_int_equal(kt_write_file(path, "rubbish rubbish rubbish rubbish", 31, 0600, &err), KT_OK);
	assert_int_equal(db_progress_open(*state, &db, &err), KT_EIO);
	assert_non_null(strstr(err.text, "progress.db"));
	kt_free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(what_was_done_is_there_after_reopening, make_home, drop_home),
	        cmocka_unit_test_setup_teardown(summaries_can_be_made_again_from_the_log, make_home,
	                                        drop_home),
	        cmocka_unit_test_setup_teardown(several_writers_and_a_kill_lose_nothing, make_home,
	                                        drop_home),
	        cmocka_unit_test_setup_teardown(a_damaged_file_is_a_sentence, make_home, drop_home),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

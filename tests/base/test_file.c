/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_room(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char *room = kt_strf("%s/ktutor-file.XXXXXX", tmp ? tmp : "/tmp");
	*state = mkdtemp(room);
	return *state ? 0 : -1;
}

static int remove_room(void **state)
{
	int rc = kt_remove_tree(*state, NULL);
	kt_free(*state);
	return rc;
}

static void files_are_written_whole_and_read(void **state)
{
	char *path = kt_join(*state, "f");
	struct kt_buf text = {0};
	struct kt_err err = {0};
	assert_int_equal(kt_write_file(path, "one", 3, 0600, &err), KT_OK);
	assert_int_equal(kt_write_file(path, "two\0x", 5, 0600, &err), KT_OK);
	assert_int_equal(kt_read_file(path, 100, &text, &err), KT_OK);
	assert_int_equal(text.len, 5);
	assert_memory_equal(text.data, "two\0x", 6);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(kt_read_file(path, 4, &text, &err), KT_ELIMIT);
	assert_int_equal(text.len, 5);
	struct kt_strs names = {0};
	assert_int_equal(kt_list_dir(*state, &names, NULL), KT_OK);
	assert_int_equal(names.count, 1);
	kt_strs_clear(&names);
	kt_buf_clear(&text);
	kt_free(path);
}

static void errors_name_the_path(void **state)
{
	char *path = kt_join(*state, "nope/f");
	struct kt_buf text = {0};
	struct kt_err err = {0};
	assert_int_equal(kt_read_file(path, 0, &text, &err), KT_ENOTFOUND);
	assert_non_null(strstr(err.text, "nope/f: No such file"));
	kt_err_clear(&err);
	assert_int_equal(kt_write_file(path, "", 0, 0600, &err), KT_ENOTFOUND);
	assert_non_null(strstr(err.text, "nope/f"));
	assert_int_equal(kt_list_dir(path, &(struct kt_strs){0}, NULL), KT_ENOTFOUND);
	kt_buf_clear(&text);
	kt_free(path);
}

static void json_is_written_and_read_back(void **state)
{
	char *path = kt_join(*state, "f.json");
	struct kt_json *in = kt_jsonf("{a: [1, 'b']}"), *out = NULL;
	struct kt_err err = {0};
	assert_int_equal(kt_write_json(path, in, 0600, NULL), KT_OK);
	assert_int_equal(kt_read_json(path, 100, &out, NULL), KT_OK);
	assert_true(kt_equal(in, out));
	kt_json_free(out);
	kt_json_free(in);
	assert_int_equal(kt_write_file(path, "{", 1, 0600, NULL), KT_OK);
	out = NULL;
	assert_int_equal(kt_read_json(path, 100, &out, &err), KT_EINVAL);
	assert_non_null(strstr(err.text, "f.json: unexpected end of JSON input"));
	assert_null(out);
	kt_free(path);
}

static void trees_are_made_and_removed_without_following_links(void **state)
{
	char *tree = kt_join(*state, "t"), *deep = kt_join(tree, "a/b/c"), *file = kt_join(deep, "f"),
	     *kept = kt_join(*state, "kept");
	char *link = kt_join(deep, "link"), *inside = kt_join(kept, "inside");
	assert_int_equal(kt_make_dirs(deep, 0700, NULL), KT_OK);
	assert_int_equal(kt_make_dirs(deep, 0700, NULL), KT_OK);
	assert_int_equal(kt_make_dirs(kept, 0700, NULL), KT_OK);
	assert_int_equal(kt_write_file(file, "", 0, 0600, NULL), KT_OK);
	assert_int_equal(kt_write_file(inside, "", 0, 0600, NULL), KT_OK);
	assert_int_equal(symlink(kept, link), 0);
	struct kt_err err = {0};
	assert_int_not_equal(kt_make_dirs(file, 0700, &err), KT_OK);
	assert_int_equal(kt_remove_tree(tree, NULL), KT_OK);
	assert_false(kt_is_dir(tree));
	assert_true(kt_is_file(inside));
	assert_int_equal(kt_remove_tree(tree, NULL), KT_OK);
	char *const all[] = {tree, deep, file, kept, link, inside};
	for (size_t i = 0; i < KT_COUNT(all); i++)
		kt_free(all[i]);
}

static void paths_are_joined(void **state)
{
	(void)state;
	static const struct {
		const char *dir, *name, *out;
	} cases[] = {{"", "a", "a"}, {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		char *path = kt_join(cases[i].dir, cases[i].name);
		assert_string_equal(path, cases[i].out);
		kt_free(path);
	}
	assert_string_equal(kt_basename("/a/b"), "b");
	assert_string_equal(kt_basename("b"), "b");
}

static void home_follows_the_environment(void **state)
{
	char *out = NULL;
	setenv("KTUTOR_HOME", *state, 1);
	assert_int_equal(kt_home(&out, NULL), KT_OK);
	assert_string_equal(out, *state);
	kt_free(out);
	unsetenv("KTUTOR_HOME");
	setenv("XDG_STATE_HOME", "/x", 1);
	assert_int_equal(kt_home(&out, NULL), KT_OK);
	assert_string_equal(out, "/x/ktutor");
	kt_free(out);
	setenv("XDG_STATE_HOME", "relative", 1);
	setenv("HOME", "/h", 1);
	assert_int_equal(kt_home(&out, NULL), KT_OK);
	assert_true(kt_starts(out, "/h/"));
	kt_free(out);
	setenv("KTUTOR_SHARE", "/s", 1);
	assert_int_equal(kt_share(&out, NULL), KT_OK);
	assert_string_equal(out, "/s");
	kt_free(out);
	unsetenv("KTUTOR_SHARE");
}

static void programs_are_found_and_run(void **state)
{
	char *sh = kt_which("sh");
	assert_non_null(sh);
	kt_free(sh);
	assert_null(kt_which("no-such-program-here"));
	assert_null(kt_which(""));
	struct kt_buf out = {0}, errout = {0};
	const char *const argv[] = {"sh", "-c", "cat; echo \"$X\" >&2; pwd; exit 3", NULL};
	const char *const env[] = {"X=y", NULL};
	int status = -1;
	struct kt_err err = {0};
	struct kt_run run = {.argv = argv,
	                     .env = env,
	                     .dir = "/",
	                     .in = "fed\n",
	                     .out = &out,
	                     .errout = &errout,
	                     .timeout_ms = 20000};
	assert_int_equal(kt_run(&run, &status, &err), KT_OK);
	assert_int_equal(status, 3);
	assert_string_equal(kt_buf_str(&out), "fed\n/\n");
	assert_string_equal(kt_buf_str(&errout), "y\n");
	kt_buf_clear(&out);
	kt_buf_clear(&errout);
	(void)state;
}

static void count_tick(void *arg)
{
	++*(int *)arg;
}

static void something_may_be_done_while_a_program_runs(void **state)
{
	(void)state;
	int ticks = 0, status = -1;
	const char *const argv[] = {"sleep", "0.2", NULL};
	struct kt_run run = {.argv = argv, .meanwhile = count_tick, .meanwhile_arg = &ticks};
	kt_ns began = kt_monotonic();
	assert_int_equal(kt_run(&run, &status, NULL), KT_OK);
	assert_int_equal(status, 0);
	/* a busy machine lets it sleep longer, and be asked more often */
	assert_in_range(ticks, 1, (kt_monotonic() - began) / (KT_RUN_TICK_MS * KT_MS) + 1);
}

static void large_input_and_output_do_not_block(void **state)
{
	(void)state;
	char *in = kt_alloc(1000001);
	memset(in, 'x', 1000000);
	struct kt_buf out = {0};
	int status = -1;
	const char *const cat[] = {"cat", NULL}, *const deaf[] = {"true", NULL};
	assert_int_equal(kt_run(&(struct kt_run){.argv = cat, .in = in, .out = &out}, &status, NULL), KT_OK);
	assert_int_equal(out.len, 1000000);
	assert_int_equal(status, 0);
	assert_int_equal(kt_run(&(struct kt_run){.argv = deaf, .in = in}, &status, NULL), KT_OK);
	assert_int_equal(status, 0);
	kt_buf_clear(&out);
	kt_free(in);
}

static void a_program_that_hangs_is_ended(void **state)
{
	(void)state;
	const char *const argv[] = {"sh", "-c", "trap '' TERM; while :; do :; done", NULL};
	const char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
	const char *const missing[] = {"no-such-program-here", NULL};
	struct kt_err err = {0};
	int status = 0;
	assert_int_equal(kt_run(&(struct kt_run){.argv = argv, .timeout_ms = 50}, &status, &err),
	                 KT_ETIMEOUT);
	assert_string_equal(err.text, "sh: no end after 50 ms");
	assert_int_equal(kt_run(&(struct kt_run){.argv = killed}, &status, NULL), KT_OK);
	assert_int_equal(status, 128 + 9);
	assert_int_equal(kt_run(&(struct kt_run){.argv = missing}, &status, NULL), KT_ENOTFOUND);
}

#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, remove_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        IN_ROOM(files_are_written_whole_and_read),
	        IN_ROOM(errors_name_the_path),
	        IN_ROOM(json_is_written_and_read_back),
	        IN_ROOM(trees_are_made_and_removed_without_following_links),
	        cmocka_unit_test(paths_are_joined),
	        IN_ROOM(home_follows_the_environment),
	        cmocka_unit_test(programs_are_found_and_run),
	        cmocka_unit_test(something_may_be_done_while_a_program_runs),
	        cmocka_unit_test(large_input_and_output_do_not_block),
	        cmocka_unit_test(a_program_that_hangs_is_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

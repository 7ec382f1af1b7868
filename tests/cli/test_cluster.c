/* SPDX-License-Identifier: MIT */
/* The commands on clusters, as a script runs them: the program itself, an empty KTUTOR_HOME. */
#include "base/base.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define MAX_WORDS 12

struct place {
	char home[64];
	char *program, *env;
	struct kt_buf out, err;
};

/* build/tests/cli/test_cluster -> build/ktutor */
static char *program_path(const char *argv0)
{
	const char *given = getenv("KTUTOR_PROGRAM");
	char *path = given ? kt_strdup(given)
	                   : kt_strf("%.*s/../../ktutor", (int)(kt_basename(argv0) - argv0), argv0);
	char *whole = realpath(path, NULL), *copy = kt_strdup(whole ? whole : path);
	free(whole);
	kt_free(path);
	return copy;
}

static int run(struct place *place, const char *words, ...)
{
	const char *argv[MAX_WORDS + 2] = {place->program};
	const char *env[] = {place->env, NULL};
	char *copy = kt_strdup(words), *at = copy;
	size_t count = 1;
	while (at && *at && count < MAX_WORDS) {
		char *space = strchr(at, ' ');
		if (space)
			*space++ = 0;
		argv[count++] = at;
		at = space;
	}
	va_list ap;
	va_start(ap, words);
	for (const char *word; count < MAX_WORDS && (word = va_arg(ap, const char *));)
		argv[count++] = word;
	va_end(ap);
	struct kt_err err = {0};
	struct kt_run what = {
	        .argv = argv, .env = env, .out = &place->out, .errout = &place->err, .timeout_ms = 30000};
	int status = -1;
	kt_buf_cut(&place->out, 0);
	kt_buf_cut(&place->err, 0);
	if (kt_run(&what, &status, &err))
		fail_msg("%s", err.text);
	kt_free(copy);
	return status;
}
#define RUN(place, words) run(place, words, (const char *)NULL)

static void want(struct place *place, int status, int expected)
{
	if (status != expected)
		fail_msg("exit code %d, not %d: %s%s", status, expected, kt_buf_str(&place->out),
		         kt_buf_str(&place->err));
}

static struct kt_json *json(struct place *place)
{
	struct kt_json *out = NULL;
	struct kt_err err = {0};
	if (kt_json_parse(kt_buf_str(&place->out), place->out.len, NULL, &out, NULL, &err))
		fail_msg("%s: %s", err.text, kt_buf_str(&place->out));
	return out;
}

static struct kt_json *status_of(struct place *place, const char *name)
{
	want(place, run(place, "cluster status --format json", name, (const char *)NULL), 0);
	return json(place);
}

static int set_up(void **state)
{
	struct place *place = kt_alloc(sizeof *place);
	(void)snprintf(place->home, sizeof place->home, "%s", "/tmp/ktutor-cli.XXXXXX");
	if (!mkdtemp(place->home))
		return -1;
	place->program = *state;
	place->env = kt_strf("KTUTOR_HOME=%s", place->home);
	*state = place;
	return 0;
}

static int tear_down(void **state)
{
	struct place *place = *state;
	(void)chmod(place->home, 0700);
	int rc = RUN(place, "cluster down --all");
	if (kt_remove_tree(place->home, NULL))
		rc = 1;
	*state = place->program; /* for the next test */
	kt_free(place->env);
	kt_buf_clear(&place->out);
	kt_buf_clear(&place->err);
	kt_free(place);
	return rc;
}

static void a_cluster_comes_up_is_found_again_and_goes_down(void **state)
{
	struct place *place = *state;
	want(place, RUN(place, "cluster up demo --nodes 3"), 0);
	struct kt_json *first = status_of(place, "demo");
	assert_string_equal(kt_get_str(first, "provider"), "embedded");
	assert_string_equal(kt_get_str(first, "status"), "running");
	assert_true(kt_starts(kt_get_str(first, "server"), "https://127.0.0.1:"));
	want(place, RUN(place, "cluster up demo"), 0);
	assert_non_null(strstr(place->out.data, "was up already"));
	struct kt_json *second = status_of(place, "demo");
	assert_int_equal(kt_get_int(first, "pid", -1), kt_get_int(second, "pid", -2));
	want(place, RUN(place, "cluster list --format json"), 0);
	struct kt_json *list = json(place);
	assert_int_equal(kt_count(list), 1);
	assert_string_equal(kt_get_str(kt_at(list, 0), "cluster"), "demo");
	want(place, RUN(place, "cluster down demo"), 0);
	want(place, RUN(place, "cluster list --format json"), 0);
	assert_string_equal(place->out.data, "[]\n");
	kt_json_free(first);
	kt_json_free(second);
	kt_json_free(list);
}

static void what_kubectl_needs_is_printed_for_a_shell(void **state)
{
	struct place *place = *state;
	struct stat info;
	want(place, RUN(place, "cluster env"), 3);
	assert_non_null(strstr(place->err.data, "ktutor cluster up"));
	want(place, RUN(place, "cluster up demo"), 0);
	want(place, RUN(place, "cluster env"), 0);
	char *expected = kt_strf("export KUBECONFIG=%s/clusters/demo/kubeconfig\n", place->home);
	assert_string_equal(place->out.data, expected);
	expected[strlen(expected) - 1] = 0;
	assert_int_equal(stat(expected + strlen("export KUBECONFIG="), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	kt_free(expected);
	want(place, RUN(place, "cluster env nope"), 1);
}

static void a_killed_cluster_is_taken_up_again(void **state)
{
	struct place *place = *state;
	want(place, RUN(place, "cluster up demo"), 0);
	struct kt_json *before = status_of(place, "demo");
	assert_int_equal(kill((pid_t)kt_get_int(before, "pid", 0), SIGKILL), 0);
	while (!kill((pid_t)kt_get_int(before, "pid", 0), 0))
		; /* until the system has let it go */
	want(place, RUN(place, "cluster status demo"), 3);
	assert_non_null(strstr(place->out.data, "stopped"));
	want(place, RUN(place, "cluster time demo"), 3);
	assert_non_null(strstr(place->err.data, "start it again with `ktutor cluster up demo`"));
	want(place, RUN(place, "cluster up demo"), 0);
	struct kt_json *after = status_of(place, "demo");
	assert_int_not_equal(kt_get_int(before, "pid", 0), kt_get_int(after, "pid", 0));
	assert_string_equal(kt_get_str(before, "server"), kt_get_str(after, "server"));
	assert_int_equal(kt_get_int(before, "nodes", -1), kt_get_int(after, "nodes", -2));
	kt_json_free(before);
	kt_json_free(after);
}

static void several_clusters_live_side_by_side(void **state)
{
	struct place *place = *state;
	want(place, RUN(place, "cluster up one"), 0);
	want(place, RUN(place, "cluster up two"), 0);
	struct kt_json *one = status_of(place, "one"), *two = status_of(place, "two");
	assert_string_not_equal(kt_get_str(one, "server"), kt_get_str(two, "server"));
	want(place, RUN(place, "cluster down one"), 0);
	want(place, RUN(place, "cluster status two"), 0);
	want(place, RUN(place, "cluster env"), 0);
	assert_non_null(strstr(place->out.data, "clusters/two/"));
	kt_json_free(one);
	kt_json_free(two);
}

static void the_clock_obeys(void **state)
{
	struct place *place = *state;
	want(place, RUN(place, "cluster up demo"), 0);
	want(place, RUN(place, "cluster time demo pause"), 0);
	assert_non_null(strstr(place->out.data, "paused"));
	want(place, RUN(place, "cluster time advance 10m --format json"), 0);
	struct kt_json *clock = json(place);
	assert_true(kt_real_or(kt_get(clock, "ahead"), 0) > 590);
	kt_json_free(clock);
	want(place, RUN(place, "cluster time resume"), 0);
	want(place, RUN(place, "cluster time speed 60x"), 0);
	want(place, RUN(place, "cluster time jump"), 0);
	want(place, RUN(place, "cluster time speed fast"), 2);
	want(place, RUN(place, "cluster time advance"), 2);
	want(place, RUN(place, "cluster time demo stop"), 2);
}

static void what_is_typed_wrong_is_explained(void **state)
{
	static const struct {
		const char *words;
		int code;
		const char *says;
	} rows[] = {
	        {"clutser up", 2, "did you mean"},
	        {"cluster", 2, "needs one of: up down list"},
	        {"cluster up", 2, "usage: ktutor cluster up NAME"},
	        {"cluster up a b", 2, "'b' is one too many"},
	        {"cluster up demo --nodes", 2, "--nodes needs a value"},
	        {"cluster up demo --nodes many", 2, "a whole number from 1 to 5000 was expected, not 'many'"},
	        {"cluster up demo --nodse 3", 2, "there is no flag '--nodse'"},
	        {"cluster up Demo", 1, "cannot be a cluster's name"},
	        {"cluster up ../x", 1, "cannot be a cluster's name"},
	        {"cluster up demo --nodes-from /nowhere.yaml", 1, "/nowhere.yaml"},
	        {"cluster list --format xml", 2, "text or json was expected"},
	        {"cluster down", 2, "a NAME or --all was expected"},
	        {"cluster down demo", 1, "there is no cluster 'demo'"},
	        {"help nothing", 2, "there is no command 'nothing'"},
	};
	struct place *place = *state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		int code = RUN(place, rows[i].words);
		if (code != rows[i].code || !strstr(kt_buf_str(&place->err), rows[i].says))
			fail_msg("%s: exit code %d, %s", rows[i].words, code, kt_buf_str(&place->err));
	}
	want(place, RUN(place, "help"), 0);
	assert_non_null(strstr(place->out.data, "cluster up"));
	want(place, RUN(place, "help cluster"), 0);
	want(place, RUN(place, "cluster up --help"), 0);
	want(place, RUN(place, "--version"), 0);
}

static void a_home_that_cannot_be_written_is_named(void **state)
{
	struct place *place = *state;
	if (!geteuid())
		skip(); /* root writes everywhere */
	assert_int_equal(chmod(place->home, 0500), 0);
	want(place, RUN(place, "cluster up demo"), 1);
	assert_non_null(strstr(place->err.data, place->home));
}

static void a_home_that_is_a_file_is_named(void **state)
{
	struct place *place = *state;
	char *clusters = kt_join(place->home, "clusters");
	assert_int_equal(kt_write_file(clusters, "x", 1, 0600, NULL), KT_OK);
	want(place, RUN(place, "cluster up demo"), 1);
	assert_non_null(strstr(place->err.data, clusters));
	assert_int_equal(unlink(clusters), 0);
	kt_free(clusters);
}

static void a_damaged_journal_is_named_and_kept(void **state)
{
	struct place *place = *state;
	char *db = kt_join(place->home, "clusters/demo/cluster.db");
	want(place, RUN(place, "cluster up demo"), 0);
	want(place, RUN(place, "cluster down demo --keep"), 0);
	assert_int_equal(
	        kt_write_file(db, "not a database, but long enough to be read as one", 49, 0600, NULL),
	        KT_OK);
	want(place, RUN(place, "cluster up demo"), 1);
	assert_non_null(strstr(place->err.data, "cluster.db"));
	assert_non_null(strstr(place->err.data, "damaged"));
	assert_true(kt_is_file(db));
	kt_free(db);
}

static void nodes_come_from_a_file(void **state)
{
	static const char text[] =
	        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Node\n  metadata: {name: n1}\n"
	        "- apiVersion: v1\n  kind: Pod\n  metadata: {name: n2}\n";
	struct place *place = *state;
	char *path = kt_join(place->home, "nodes.yaml");
	assert_int_equal(kt_write_file(path, text, sizeof text - 1, 0600, NULL), KT_OK);
	want(place, run(place, "cluster up demo --nodes-from", path, (const char *)NULL), 1);
	assert_non_null(strstr(place->err.data, "nodes.yaml:7: a Node with a name was expected"));
	assert_int_equal(kt_write_file(path, text,
	                               (size_t)(strstr(text, "- apiVersion: v1\n  kind: Pod") - text), 0600,
	                               NULL),
	                 KT_OK);
	want(place, run(place, "cluster up demo --nodes-from", path, (const char *)NULL), 0);
	struct kt_json *status = status_of(place, "demo");
	assert_int_equal(kt_get_int(status, "nodes", -1), 1);
	kt_json_free(status);
	kt_free(path);
}

int main(int argc, char **argv)
{
	char *program = program_path(argv[0]);
#define TEST(fn)                                                                                             \
	{                                                                                                    \
#fn, fn, set_up, tear_down, program                                                          \
	}
	const struct CMUnitTest tests[] = {
	        TEST(a_cluster_comes_up_is_found_again_and_goes_down),
	        TEST(what_kubectl_needs_is_printed_for_a_shell),
	        TEST(a_killed_cluster_is_taken_up_again),
	        TEST(several_clusters_live_side_by_side),
	        TEST(the_clock_obeys),
	        TEST(what_is_typed_wrong_is_explained),
	        TEST(a_home_that_cannot_be_written_is_named),
	        TEST(a_home_that_is_a_file_is_named),
	        TEST(a_damaged_journal_is_named_and_kept),
	        TEST(nodes_come_from_a_file),
	};
	(void)argc;
	int failed = cmocka_run_group_tests_name("cli cluster", tests, NULL, NULL);
	kt_free(program);
	return failed;
}

/* SPDX-License-Identifier: MIT */
/* Real clusters, without one: what programs are asked and what their words mean; kubeconfigs; traffic; time.
 */
#include "labs/context/context.h"
#include "labs/kind/kind.h"
#include "labs/labs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* --- a runner that answers from a list --- */

struct answer {
	const char *program, *word, *out, *err;
	int status;
};
struct fake {
	const struct answer *answers;
	size_t count;
	char asked[4096];
};

static enum kt_code run_fake(void *arg, const struct kind_command *command, int *status, struct kt_err *err)
{
	struct fake *fake = arg;
	char line[512] = "";
	for (size_t i = 0; command->argv[i]; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
		         command->argv[i]);
	snprintf(fake->asked + strlen(fake->asked), sizeof(fake->asked) - strlen(fake->asked), "%s\n", line);
	for (size_t i = 0; i < fake->count; i++) {
		const struct answer *a = &fake->answers[i];
		if (!kt_streq(command->argv[0], a->program) || !strstr(line, a->word))
			continue;
		if (command->out)
			kt_buf_adds(command->out, a->out ? a->out : "");
		if (command->errout)
			kt_buf_adds(command->errout, a->err ? a->err : "");
		*status = a->status;
		return KT_OK;
	}
	return kt_fail(err, KT_ENOTFOUND, "nobody answers '%s'", line);
}

#define INFO "{\"NCPU\": 2, \"MemTotal\": 9000000000, \"DockerRootDir\": \"/\"}"

static enum kt_code look(const char *version, struct kind *kind, struct kind_runner *runner,
                         struct fake *fake, struct answer *answers, struct kt_err *err)
{
	answers[0] = (struct answer){"docker", "info", INFO, NULL, 0};
	answers[1] = (struct answer){"kind", "version", version, NULL, 0};
	*fake = (struct fake){.answers = answers, .count = 2};
	*runner = (struct kind_runner){run_fake, fake};
	kind_init(kind, "/nowhere");
	kind->runner = runner;
	return kind_look(kind, err);
}

static void an_image_is_pinned_for_each_release_of_kind(void **state)
{
	static const struct {
		const char *version, *image;
	} rows[] = {{"kind v0.30.0 go1.25 linux/amd64\n", "kindest/node:v1.34.0@sha256:"},
	            {"kind v0.33.1 go1.25 linux/amd64\n", "kindest/node:v1.34.11@sha256:"},
	            {"kind v0.20.0 go1.20 darwin/arm64\n", "kindest/node:v1.34.0@sha256:"}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kind kind;
		struct kind_runner runner;
		struct fake fake;
		struct answer answers[2];
		struct kt_err err = {0};
		assert_int_equal(look(rows[i].version, &kind, &runner, &fake, answers, &err), KT_OK);
		assert_true(kt_starts(kind_image(&kind), rows[i].image));
		kind.image = "mine:1";
		assert_string_equal(kind_image(&kind), "mine:1");
	}
}

static void an_old_kind_or_one_that_says_nothing_is_refused(void **state)
{
	static const struct {
		const char *version, *words;
	} rows[] = {{"kind v0.11.1 go1.16 linux/amd64\n", "too old"},
	            {"hello\n", "does not say its version"}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kind kind;
		struct kind_runner runner;
		struct fake fake;
		struct answer answers[2];
		struct kt_err err = {0};
		assert_int_equal(look(rows[i].version, &kind, &runner, &fake, answers, &err),
		                 KT_EUNSUPPORTED);
		assert_non_null(strstr(err.text, rows[i].words));
		assert_string_equal(kind.engine, ""); /* asked anew the next time */
	}
}

static void what_kind_says_becomes_a_sentence_with_a_remedy(void **state)
{
	static const char *const rows[][2] = {
	        {"ERROR: failed to create cluster: write: no space left on device", "system prune"},
	        {"ERROR: Bind for 0.0.0.0:80 failed: port is already allocated", "taken by another program"},
	        {"inotify_init1: too many open files", "max_user_instances=512"},
	        {"The kubelet is not healthy after 4m0s", "too little memory"},
	        {"ERROR: something never seen\nand more",
	         "kind could not make the cluster: something never seen"}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_err err = {0};
		assert_int_not_equal(kind_explain(rows[i][0], &err), KT_OK);
		assert_non_null(strstr(err.text, rows[i][1]));
		assert_null(strchr(err.text, '\n'));
	}
}

/* --- the configuration --- */

static struct kt_json *node(const char *name, const char *cpu, const char *pods, bool control)
{
	struct kt_json *n = kt_jsonf(
	        "{metadata: {name: %s, labels: {}}, status: {allocatable: {cpu: %s, memory: '2Gi', pods: "
	        "%s}}}",
	        name, cpu, pods);
	if (control)
		kt_set(kt_edit_path(&n, "metadata.labels"), "node-role.kubernetes.io/control-plane",
		       kt_json_str(""));
	return n;
}

static const struct kt_json *patch_of(const struct kt_yaml *config, size_t node_index, size_t version,
                                      struct kt_yaml **patch)
{
	const struct kt_json *row = kt_at(kt_get(kt_yaml_doc(config, 0), "nodes"), node_index);
	const char *text = kt_str(kt_at(kt_get(row, "kubeadmConfigPatches"), version));
	assert_int_equal(kt_yaml_parse("patch", text, strlen(text), patch, NULL), KT_OK);
	return kt_yaml_doc(*patch, 0);
}

static void machines_bear_the_labs_names_and_offer_no_more_than_it_says(void **state)
{
	struct kt_json *nodes =
	        kt_jsonf("{items: [%j, %j, %j]}", node("control-plane", "8", "110", true),
	                 node("general-a1", "500m", "110", false), node("big-b1", "16", "8", false));
	struct kt_buf text = {0};
	struct kt_yaml *config = NULL, *patch = NULL;
	(void)state;
	kind_config(nodes, 2, (int64_t)4 << 30, &text);
	assert_int_equal(kt_yaml_parse("config", kt_buf_str(&text), text.len, &config, NULL), KT_OK);
	const struct kt_json *rows = kt_get(kt_yaml_doc(config, 0), "nodes");
	assert_int_equal(kt_count(rows), 3);
	assert_string_equal(kt_get_str(kt_at(rows, 0), "role"), "control-plane");
	assert_string_equal(kt_get_str(kt_at(rows, 2), "role"), "worker");
	const struct kt_json *small = patch_of(config, 1, 0, &patch);
	assert_string_equal(kt_path_str(small, "nodeRegistration.name"), "general-a1");
	assert_string_equal(kt_path_str(small, "nodeRegistration.kubeletExtraArgs.system-reserved"),
	                    "cpu=1500m,memory=2048Mi");
	kt_yaml_free(patch);
	/* the same in the other version's way */
	small = patch_of(config, 1, 1, &patch);
	assert_string_equal(kt_path_str(small, "nodeRegistration.kubeletExtraArgs.0.value"),
	                    "cpu=1500m,memory=2048Mi");
	kt_yaml_free(patch);
	/* larger than the machine: nothing to keep back of its CPUs; few pods */
	const struct kt_json *big = patch_of(config, 2, 0, &patch);
	assert_string_equal(kt_path_str(big, "nodeRegistration.kubeletExtraArgs.system-reserved"),
	                    "memory=2048Mi");
	assert_string_equal(kt_path_str(big, "nodeRegistration.kubeletExtraArgs.max-pods"), "8");
	kt_yaml_free(patch);
	kt_yaml_free(config);
	kt_buf_clear(&text);
	kt_json_free(nodes);
}

/* --- programs --- */

static bool count_lines(void *arg, const char *line)
{
	unsigned *lines = arg;
	*lines += line != NULL;
	return *lines < 3;
}

static void programs_are_heard_line_by_line_and_ended_when_cancelled(void **state)
{
	static const char *const talk[] = {"sh", "-c", "cat; echo one >&2; echo two >&2; exit 3", NULL},
	                         *const endless[] = {"sh", "-c",
	                                             "for i in 1 2 3; do echo $i >&2; done; sleep 60", NULL},
	                         *const none[] = {"no-such-program-anywhere", NULL};
	struct kt_buf out = {0}, errout = {0};
	struct kt_err err = {0};
	unsigned lines = 0;
	int status = -1;
	(void)state;
	struct kind_command command = {
	        .argv = talk, .in = "in", .out = &out, .errout = &errout, .tick = count_lines, .arg = &lines};
	assert_int_equal(kind_runner_real.run(NULL, &command, &status, &err), KT_OK);
	assert_int_equal(status, 3);
	assert_string_equal(kt_buf_str(&out), "in");
	assert_int_equal(lines, 2);
	lines = 0;
	command = (struct kind_command){.argv = endless, .tick = count_lines, .arg = &lines};
	kt_ns began = kt_monotonic();
	assert_int_equal(kind_runner_real.run(NULL, &command, &status, &err), KT_ECANCELLED);
	assert_true(kt_monotonic() - began < 30 * KT_SEC);
	kt_err_clear(&err);
	command = (struct kind_command){.argv = none};
	assert_int_equal(kind_runner_real.run(NULL, &command, &status, &err), KT_ENOTFOUND);
	kt_buf_clear(&out);
	kt_buf_clear(&errout);
}

/* --- traffic and time --- */

static void what_became_of_requests_is_added_up_from_a_moment_on(void **state)
{
	static const char lines[] = "100 30 30 12\n101 30 28 40\nrubbish\n102 30 0 5000\n103 30 31 7\n";
	struct kt_json *all = real_tally(lines, 0), *late = real_tally(lines, 102 * KT_SEC);
	(void)state;
	assert_int_equal(kt_get_int(all, "offered", 0), 120);
	assert_int_equal(kt_get_int(all, "answered", 0), 88); /* never more than were asked */
	assert_int_equal(kt_get_int(late, "offered", 0), 60);
	assert_int_equal(kt_get_int(late, "errors", 0), 30);
	assert_int_equal(kt_get_int(late, "p95", 0), 5000);
	kt_json_free(all);
	kt_json_free(late);
}

static void a_machine_that_slept_is_noticed_and_a_clock_that_was_set_is_not(void **state)
{
	(void)state;
	assert_int_equal(real_slept(5 * KT_MIN_NS, KT_SEC), 5 * KT_MIN_NS - KT_SEC);
	assert_int_equal(real_slept(2 * KT_SEC, KT_SEC), 0);
	assert_int_equal(real_slept(-KT_HOUR, KT_SEC), 0);
}

/* --- kubeconfigs --- */

static char *write_file(const char *dir, const char *name, const char *text)
{
	char *path = kt_join(dir, name);
	assert_int_equal(kt_write_file(path, text, strlen(text), 0600, NULL), KT_OK);
	return path;
}

static void one_context_is_copied_out_of_several_files_and_the_others_stay(void **state)
{
	char dir[] = "/tmp/ktutor-test-XXXXXX";
	struct kt_strs files = {0};
	struct kt_json *config = NULL;
	struct kt_err err = {0};
	char *plugin = NULL;
	(void)state;
	assert_non_null(mkdtemp(dir));
	kt_strs_steal(&files,
	              write_file(dir, "a",
	                         "current-context: first\ncontexts:\n- {name: first, context: {cluster: c, "
	                         "user: u}}\n- {name: old, context: {cluster: c, user: old}}\n"));
	kt_strs_steal(
	        &files,
	        write_file(dir, "b",
	                   "clusters:\n- {name: c, cluster: {server: 'https://x', certificate-authority: "
	                   "ca.pem}}\n- {name: other, cluster: {server: 'https://y'}}\nusers:\n- {name: u, "
	                   "user: {exec: {command: ./login}}}\n- {name: old, user: {auth-provider: {name: "
	                   "oidc}}}\n"));
	kt_strs_add(&files, "/nowhere/at/all");
	assert_int_equal(context_extract(&files, NULL, &config, &plugin, &err), KT_OK);
	assert_string_equal(kt_get_str(config, "current-context"), "first");
	assert_int_equal(kt_count(kt_get(config, "clusters")), 1);
	assert_int_equal(kt_count(kt_get(config, "contexts")), 1);
	assert_string_equal(plugin, "./login");
	/* paths are relative to the file that names them */
	char *ca = kt_join(dir, "ca.pem"), *login = kt_join(dir, "./login");
	assert_string_equal(kt_path_str(config, "clusters.0.cluster.certificate-authority"), ca);
	assert_string_equal(kt_path_str(config, "users.0.user.exec.command"), login);
	kt_json_freep(&config);
	kt_free(plugin);
	plugin = NULL;
	assert_int_equal(context_extract(&files, "third", &config, &plugin, &err), KT_ENOTFOUND);
	assert_non_null(strstr(err.text, "there is: first, old"));
	kt_err_clear(&err);
	assert_int_equal(context_extract(&files, "old", &config, &plugin, &err), KT_EUNSUPPORTED);
	assert_non_null(strstr(err.text, "oidc-login"));
	kt_free(ca);
	kt_free(login);
	kt_strs_clear(&files);
	assert_int_equal(kt_remove_tree(dir, NULL), KT_OK);
}

static void a_refusal_that_a_moment_mends_is_told_from_others(void **state)
{
	static const struct {
		int status;
		const char *message;
		bool coming;
	} rows[] = {{403,
	             "pods \"p\" is forbidden: error looking up service account new/default: serviceaccount "
	             "\"default\" not found",
	             true},
	            {403,
	             "pods \"p\" is forbidden: error looking up service account new/robot: serviceaccount "
	             "\"robot\" not found",
	             false},
	            {403, "pods is forbidden: User \"jane\" cannot create resource", false},
	            {404, "serviceaccounts \"default\" not found", false}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct check_answer answer = {.status = rows[i].status,
		                              .json = kt_jsonf("{message: %s}", rows[i].message)};
		assert_int_equal(check_account_is_coming(&answer), rows[i].coming);
		check_answer_clear(&answer);
	}
}

static void parts_of_a_proof_are_named(void **state)
{
	unsigned parts = 0;
	(void)state;
	assert_true(lab_proof_parts("start,solution", &parts));
	assert_int_equal(parts, LAB_PROOF_START | LAB_PROOF_SOLUTION);
	assert_true(lab_proof_parts("also-right", &parts));
	assert_int_equal(parts, LAB_PROOF_ALSO_RIGHT);
	assert_false(lab_proof_parts("start,wrnog", &parts));
}

/* Fakes on the PATH, so that engine and kind are there. */
static int set_path(void **state)
{
	char *here = getcwd(NULL, 0), *path = kt_strf("%s/tests/kind/fakes:%s", here, getenv("PATH"));
	(void)state;
	(void)setenv("PATH", path, 1);
	(void)unsetenv("KTUTOR_ENGINE");
	kt_free(path);
	free(here);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_image_is_pinned_for_each_release_of_kind),
	        cmocka_unit_test(an_old_kind_or_one_that_says_nothing_is_refused),
	        cmocka_unit_test(what_kind_says_becomes_a_sentence_with_a_remedy),
	        cmocka_unit_test(machines_bear_the_labs_names_and_offer_no_more_than_it_says),
	        cmocka_unit_test(programs_are_heard_line_by_line_and_ended_when_cancelled),
	        cmocka_unit_test(what_became_of_requests_is_added_up_from_a_moment_on),
	        cmocka_unit_test(a_machine_that_slept_is_noticed_and_a_clock_that_was_set_is_not),
	        cmocka_unit_test(one_context_is_copied_out_of_several_files_and_the_others_stay),
	        cmocka_unit_test(a_refusal_that_a_moment_mends_is_told_from_others),
	        cmocka_unit_test(parts_of_a_proof_are_named),
	};
	return cmocka_run_group_tests(tests, set_path, NULL);
}

/* SPDX-License-Identifier: MIT */
/* course lint, test, new: for those who write labs. */
#include "cli/labs.h"

#include <string.h>
#include <unistd.h>

static const struct cli_flag test_flags[] = {{"provider", "P", "run them there (default embedded)"},
                                             {"mutate", NULL, "also change each solution bit by bit"},
                                             {NULL, NULL, NULL}};

struct many {
	struct lab **labs;
	size_t count;
};

static void clear(struct many *m)
{
	lab_list_free(m->labs, m->count);
	m->labs = NULL;
	m->count = 0;
}

/* All labs, those of a folder, or those named. */
static enum kt_code gather(struct cli_call *call, struct many *out, struct kt_err *err)
{
	char *dir = NULL;
	enum kt_code rc = cli_share_dir("labs", &dir, err);
	if (!rc && !call->arg_count)
		rc = lab_list(dir, &out->labs, &out->count, err);
	for (size_t i = 0; !rc && i < call->arg_count; i++) {
		struct many more = {0};
		const char *name = call->args[i];
		bool folder = strpbrk(name, "/.") && kt_is_dir(name);
		if (folder) {
			rc = lab_list(name, &more.labs, &more.count, err);
		} else {
			more.labs = kt_alloc(sizeof(struct lab *));
			rc = lab_find(dir, name, &more.labs[0], err);
			more.count = !rc;
		}
		if (!rc) {
			out->labs =
			        kt_realloc(out->labs, (out->count + more.count + 1) * sizeof(struct lab *));
			memcpy(out->labs + out->count, more.labs, more.count * sizeof(struct lab *));
			out->count += more.count;
		}
		kt_free(more.labs);
	}
	kt_free(dir);
	return rc;
}

static int lab_wrong(struct cli_call *call, const struct kt_err *err)
{
	cli_fail(call, err);
	return CLI_LAB_WRONG;
}

static int run_lint(struct cli_call *call)
{
	struct kt_err err = {0};
	struct many m = {0};
	struct lesson_course *course = NULL;
	char *dir = NULL;
	int code = CLI_OK;
	if (gather(call, &m, &err))
		return lab_wrong(call, &err);
	if (!call->arg_count &&
	    (cli_share_dir("lessons", &dir, &err) || lesson_course_new(dir, &course, &err)))
		code = lab_wrong(call, &err);
	for (size_t i = 0; course && i < m.count; i++)
		if (m.labs[i]->lesson && !lesson_find(course, m.labs[i]->lesson)) {
			(void)fprintf(call->err, "ktutor: lab '%s': there is no lesson %s\n", m.labs[i]->lab,
			              m.labs[i]->lesson);
			code = CLI_LAB_WRONG;
		}
	if (!code)
		(void)fprintf(call->out, "%zu lab%s: nothing found\n", m.count, m.count == 1 ? "" : "s");
	lesson_course_free(course);
	kt_free(dir);
	clear(&m);
	return code;
}

static void told(void *arg, const char *line)
{
	struct cli_call *call = arg;
	cli_print_clean(call->out, line);
	(void)fputc('\n', call->out);
	(void)fflush(call->out);
}

static int run_test(struct cli_call *call)
{
	struct kt_err err = {0};
	struct many m = {0};
	size_t passed = 0, failed = 0;
	if (gather(call, &m, &err))
		return lab_wrong(call, &err);
	/* a home of its own: a proof never touches a learner's clusters or labs */
	char *home = kt_strf("%s/proofs/%d", call->home, (int)getpid());
	struct lab_options options = {.home = home, .fresh = true};
	int code = cli_provider(call, NULL, &options);
	cli_catch_interrupt();
	for (size_t i = 0; !code && i < m.count && !cli_interrupted(); i++) {
		struct lab_proof_options proof = {.options = &options,
		                                  .mutate = cli_flag(call, "mutate") != NULL,
		                                  .told = told,
		                                  .told_arg = call};
		unsigned failures = 0;
		kt_err_clear(&err);
		if (lab_prove(m.labs[i], &proof, &failures, &err)) {
			told(call, err.text);
			failures++;
		}
		passed += !failures;
		failed += failures > 0;
	}
	if (!code)
		(void)fprintf(call->out, "%zu passed, %zu failed\n", passed, failed);
	if (kt_remove_tree(home, &err))
		cli_fail(call, &err);
	kt_free(home);
	clear(&m);
	return code ? code : failed ? CLI_LAB_WRONG : CLI_OK;
}

/* What a new lab begins with. */
static const char *const skeleton[][2] = {
        {"lab.yaml", "lab: %s\ntitle: What it is about\nlesson: \"6.1\"\nminutes: 15\nneeds: []\ncluster:\n  "
                     "nodes:\n    - {pool: general, count: 3, zones: [a, b, c], cpu: 4, memory: 8Gi}\n"
                     "setup:\n  - apply: start.yaml\ntasks:\n  - task: first-task\n    title: What is "
                     "wanted\n    points: 1\n    text: What must be so, never how.\n    checks:\n"
                     "      - object: configmap default/answer\n        has: {data.value: \"42\"}\n    "
                     "hints:\n      - The first nudge.\n    why: Why it matters in production.\n"},
        {"start.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: question, namespace: "
                       "default}\ndata: {value: \"?\"}\n"},
        {"solution/10-answer.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: answer, namespace: "
                                    "default}\ndata: {value: \"42\"}\n"},
        {"solution.md", "Why it is solved so.\n"},
        {"wrong/off-by-one/answer.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: answer, "
                                         "namespace: default}\ndata: {value: \"43\"}\n"},
        {"wrong/off-by-one/expect.yaml", "- {task: first-task, finding: \"43\"}\n"},
};

static int run_new(struct cli_call *call)
{
	struct kt_err err = {0};
	const char *dir = call->args[0];
	char *file = kt_join(dir, "lab.yaml");
	bool there = kt_is_file(file);
	kt_free(file);
	if (there)
		return cli_usage(call, "%s holds a lab already", dir);
	for (size_t i = 0; i < KT_COUNT(skeleton); i++) {
		char *path = kt_join(dir, skeleton[i][0]),
		     *parent = kt_strndup(path, (size_t)(kt_basename(path) - path));
		const char *mark = strstr(skeleton[i][1], "%s");
		char *text = mark ? kt_strf("%.*s%s%s", (int)(mark - skeleton[i][1]), skeleton[i][1],
		                            kt_basename(dir), mark + 2)
		                  : kt_strdup(skeleton[i][1]);
		enum kt_code rc = kt_make_dirs(parent, 0755, &err);
		if (!rc)
			rc = kt_write_file(path, text, strlen(text), 0644, &err);
		kt_free(text);
		kt_free(parent);
		kt_free(path);
		if (rc)
			return cli_fail(call, &err);
	}
	(void)fprintf(call->out, "%s is there. `ktutor course test %s` proves it.\n", dir, dir);
	return CLI_OK;
}

const struct cli_command cli_course_lint = {.name = "course lint",
                                            .args = "[LAB|FOLDER…]",
                                            .summary =
                                                    "read labs and lessons, and say what is wrong with them",
                                            .max_args = CLI_MAX_ARGS,
                                            .run = run_lint};
const struct cli_command cli_course_test = {
        .name = "course test",
        .args = "[LAB|FOLDER…] [--provider P] [--mutate]",
        .summary = "prove labs: the start fails, solutions pass, near misses fail as named",
        .flags = test_flags,
        .max_args = CLI_MAX_ARGS,
        .run = run_test,
};
const struct cli_command cli_course_new = {.name = "course new",
                                           .args = "FOLDER",
                                           .summary = "begin a lab",
                                           .min_args = 1,
                                           .max_args = 1,
                                           .run = run_new};

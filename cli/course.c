/* SPDX-License-Identifier: MIT */
/* course lint, test, new: for those who write labs. */
#include "cli/labs.h"
#include "labs/embedded/embedded.h"
#include "labs/expert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_flag lint_flags[] = {{"fast", NULL, "do not run the commands that lessons show"},
                                             {NULL, NULL, NULL}};
static const struct cli_flag test_flags[] = {
        {"provider", "P", "run them there (default embedded)"},
        {"mutate", NULL, "also change each solution bit by bit"},
        {"parts", "start,solution…", "only these: start, solution, wrong, also-right"},
        {"seeds", "N", "also prove N variants that seeds draw, in full"},
        {"minutes", "N", "begin nothing that would end later"},
        {"keep", NULL, "keep real clusters for the next run"},
        CLI_CONTEXT_FLAGS,
        {NULL, NULL, NULL}};

struct many {
	struct lab **labs;
	size_t count;
	struct kt_strs rounds; /* files with predictions; of the course's own only where they are named */
	struct kt_strs wrong;  /* those that cannot be read, and why */
};

static void clear(struct many *m)
{
	lab_list_free(m->labs, m->count);
	kt_strs_clear(&m->wrong);
	kt_strs_clear(&m->rounds);
	m->labs = NULL;
	m->count = 0;
}

/* A file is a prediction; in a folder there may be some beside the labs, or instead of them. */
static enum kt_code gather_rounds(const char *name, struct many *out, bool *some, struct kt_err *err)
{
	size_t before = out->rounds.count;
	enum kt_code rc = KT_OK;
	if (kt_is_file(name))
		kt_strs_add(&out->rounds, name);
	else if (kt_is_dir(name))
		rc = lab_round_files_below(name, &out->rounds, err);
	*some = out->rounds.count > before;
	return rc;
}

/* All labs, those of a folder, or those named. */
static enum kt_code gather(struct cli_call *call, struct many *out, struct kt_err *err)
{
	char *dir = NULL;
	enum kt_code rc = cli_share_dir("labs", &dir, err);
	if (!rc && !call->arg_count)
		rc = lab_list(dir, &out->labs, &out->count, &out->wrong, err);
	for (size_t i = 0; !rc && i < call->arg_count; i++) {
		struct many more = {0};
		const char *name = call->args[i];
		char *folder =
		        kt_is_dir(name) ? cli_whole_path(name) : NULL; /* labs bear its name, not `.` */
		bool named = !folder, rounds = false;
		rc = gather_rounds(name, out, &rounds, err);
		if (!rc && folder)
			rc = lab_list_below(folder, &more.labs, &more.count, &out->wrong, err);
		if (rounds && (named || rc == KT_ENOTFOUND)) {
			kt_err_clear(err);
			kt_free(folder);
			rc = KT_OK;
			continue;
		}
		if (rc == KT_ENOTFOUND && !strpbrk(name, "/.")) { /* a folder without labs, of a lab's name */
			named = true;
			kt_err_clear(err);
		}
		if (named) {
			more.labs = kt_alloc(sizeof(struct lab *));
			rc = lab_find(dir, name, &more.labs[0], err);
			more.count = !rc;
		}
		kt_free(folder);
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

/* Labs that cannot be read are told; the others go on. How many. */
static size_t tell_wrong(struct cli_call *call, const struct many *m)
{
	for (size_t i = 0; i < m->wrong.count; i++) {
		(void)fputs("ktutor: ", call->err);
		cli_print_clean(call->err, m->wrong.items[i]);
		(void)fputc('\n', call->err);
	}
	return m->wrong.count;
}

static void told(void *arg, const char *line)
{
	struct cli_call *call = arg;
	cli_print_clean(call->out, line);
	(void)fputc('\n', call->out);
	(void)fflush(call->out);
}

/* --- a home of its own --- */

/* A home of its own: a proof never touches a learner's clusters or labs. One of real clusters stays the same
 * from run to run, so that what a killed run left behind is found again. */
static char *proof_home(struct cli_call *call, const struct provider *provider)
{
	return provider && provider->real_time ? kt_strf("%s/proofs/%s", call->home, provider->name)
	                                       : kt_strf("%s/proofs/%d", call->home, (int)getpid());
}

/* Two proofs of one home on real clusters would reset under each other. The second is told, and does not
 * wait: a proof may take hours. A home that nobody holds was left behind. */
static int hold_home(struct cli_call *call, const char *home, int *lock)
{
	struct kt_err err = {0};
	char *parent = kt_strndup(home, (size_t)(kt_basename(home) - home)), *path = kt_strf("%s.lock", home);
	long pid = 0;
	enum kt_code rc = kt_make_dirs(parent, 0700, &err);
	if (!rc)
		rc = kt_lock(path, lock, &pid, &err);
	if (rc == KT_EEXIST)
		kt_fail(&err, rc,
		        "process %ld proves labs on %s clusters with this home already: wait for its end, or "
		        "give this proof a home of its own (KTUTOR_HOME=FOLDER)",
		        pid, kt_basename(home));
	kt_free(parent);
	kt_free(path);
	return rc ? cli_fail(call, &err) : CLI_OK;
}

/* Its clusters end, unless they are kept for the next run. */
static void clear_home(struct cli_call *call, const struct lab_options *options, bool keep)
{
	struct kt_err err = {0};
	struct kt_json *rows = NULL;
	const struct kt_json *row;
	const struct provider *provider = options->provider;
	if (keep)
		return;
	if (provider && provider->list && !provider->list(options->home, &rows, &err))
		KT_JSON_EACH (row, rows) {
			struct kt_err why = {0};
			struct lab_options quiet = *options;
			quiet.progress = NULL; /* a Ctrl-C does not stop the cleaning */
			if (provider->down(&quiet, kt_get_str(row, "cluster"), &why))
				cli_fail(call, &why);
		}
	kt_json_free(rows);
	kt_err_clear(&err);
	if (kt_remove_tree(options->home, &err))
		cli_fail(call, &err);
}

static void let_go(const char *home, int lock)
{
	char *path = kt_strf("%s.lock", home);
	if (lock >= 0) {
		(void)!kt_remove_tree(path, NULL); /* still held: nobody comes in between */
		(void)close(lock);
	}
	kt_free(path);
}

/* The embedded clusters of a home, and the home. */
static void end_clusters(struct cli_call *call, const char *home)
{
	struct kt_strs names = {0};
	struct kt_err err = {0};
	if (embedded_list(home, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++)
		if (embedded_down(home, names.items[i], false, &err))
			cli_fail(call, &err);
	kt_strs_clear(&names);
	kt_err_clear(&err);
	if (kt_remove_tree(home, &err))
		cli_fail(call, &err);
}

/* What proofs left behind that were killed: their locks are there, and nobody holds them. */
static void clear_forgotten(struct cli_call *call)
{
	struct kt_strs names = {0};
	char *dir = kt_join(call->home, "proofs");
	if (!kt_is_dir(dir) || kt_list_dir(dir, &names, NULL))
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		size_t digits = strspn(names.items[i], "0123456789");
		char *home = kt_join(dir, names.items[i]),
		     *at = kt_strf("%s/%.*s", dir, (int)digits, names.items[i]),
		     *lock = kt_strf("%s.lock", at);
		int fd = -1;
		long pid = 0;
		if (digits && kt_is_dir(home) && kt_is_file(lock) && !kt_lock(lock, &fd, &pid, NULL)) {
			end_clusters(call, home);
			let_go(at, fd);
		}
		kt_free(lock);
		kt_free(at);
		kt_free(home);
	}
	kt_strs_clear(&names);
	kt_free(dir);
}

/* --- lint --- */

/* The commands of the lessons are run on clusters of a home that ends with it. */
static void run_commands(struct cli_call *call, const struct lesson_course *course, const struct many *m,
                         struct lesson_pencil *pencil)
{
	char *kubectl = kt_which("kubectl"), *home = proof_home(call, NULL), *bin = cli_own_folder();
	struct lab_options options = {
	        .home = home, .fresh = true, .progress = cli_show_progress, .progress_arg = call};
	if (!kubectl)
		(void)fputs("left out: the commands of the lessons; there is no kubectl on PATH\n",
		            call->out);
	cli_catch_interrupt();
	for (size_t i = 0; kubectl && i < m->count && !cli_interrupted(); i++) {
		const struct lesson *lesson = lesson_by_lab(course, m->labs[i]->lab);
		if (lesson)
			lab_lint_commands(lesson, m->labs[i], &options, bin ? bin : ".", pencil);
	}
	cli_end_progress(call);
	clear_home(call, &options, false);
	kt_free(bin);
	kt_free(home);
	kt_free(kubectl);
}

/* Without names: the whole course. */
static int run_lint(struct cli_call *call)
{
	struct kt_err err = {0};
	struct many m = {0};
	struct lesson_course *course = NULL;
	if (gather(call, &m, &err))
		return lab_wrong(call, &err);
	size_t found = tell_wrong(call, &m);
	if (!call->arg_count && cli_course(call, &course))
		found++;
	struct lesson_pencil pencil = {.told = told, .told_arg = call};
	int lock = -1;
	char *home = proof_home(call, NULL),
	     *laid = kt_strf("%s-laid", home); /* the home ends with the commands */
	if (hold_home(call, home, &lock))
		found++;
	else
		clear_forgotten(call);
	for (size_t i = 0; i < m.count; i++)
		if (lab_lay(laid, &m.labs[i], &err)) {
			told(call, err.text);
			found++;
		}
	if (course) {
		lesson_lint(course, &pencil);
		lab_lint_course(course, m.labs, m.count, &pencil);
		if (!cli_flag(call, "fast"))
			run_commands(call, course, &m, &pencil);
	}
	found += pencil.found;
	for (size_t i = 0; i < m.count; i++)
		found += lab_lint(m.labs[i], told, call);
	for (size_t i = 0; i < m.rounds.count; i++) {
		struct lab_round *round = NULL;
		if (lab_round_new(m.rounds.items[i], 1, &round, &err)) {
			told(call, err.text);
			found++;
		}
		lab_round_free(round);
	}
	(void)fprintf(call->out, found ? "%zu lab%s: %zu found\n" : "%zu lab%s: nothing found\n", m.count,
	              m.count == 1 ? "" : "s", found);
	if (kt_remove_tree(laid, &err))
		cli_fail(call, &err);
	let_go(home, lock);
	kt_free(laid);
	kt_free(home);
	lesson_course_free(course);
	clear(&m);
	return found ? CLI_LAB_WRONG : CLI_OK;
}

/* --- test --- */

/* A start on real machines, and its end. */
#define START_TIME (4 * KT_MIN_NS)

struct proofs {
	size_t passed, failed, left_out;
};

static void prove_one(struct cli_call *call, const struct lab *lab, const struct lab_options *options,
                      kt_ns until, struct proofs *sum)
{
	struct kt_err err = {0};
	struct lab_proof_options proof = {.options = options,
	                                  .mutate = cli_flag(call, "mutate") != NULL,
	                                  .told = told,
	                                  .told_arg = call,
	                                  .until = until};
	if (cli_flag(call, "parts") && !lab_proof_parts(cli_flag(call, "parts"), &proof.parts))
		proof.parts = 0; /* held before */
	proof.seeds = cli_flag(call, "seeds") ? (unsigned)strtoul(cli_flag(call, "seeds"), NULL, 10) : 0;
	struct lab_proof_result result = {0};
	bool by_task = options->provider && options->provider->cannot; /* decides task by task */
	const char *lacks = options->provider && !by_task ? provider_lacks(options->provider, lab) : NULL;
	if (lacks) {
		(void)fprintf(call->out, "%s: left out: it needs '%s', which %s clusters do not have\n",
		              lab->lab, lacks, options->provider->name);
		sum->left_out++;
		return;
	}
	bool real = options->provider && options->provider->real_time;
	if (until && kt_monotonic() + (real ? START_TIME : 0) > until) {
		(void)fprintf(call->out, "%s: left out: there is no time to start it\n", lab->lab);
		sum->left_out++;
		return;
	}
	enum kt_code rc = lab_prove(lab, &proof, &result, &err);
	cli_end_progress(call);
	if (rc && !cli_interrupted()) {
		told(call, err.text);
		result.failures++;
	}
	(void)fprintf(call->out, "%s: times: start %.1f s, reset %.1f s, check %.1f s\n", lab->lab,
	              (double)result.start / KT_SEC, (double)result.reset / KT_SEC,
	              (double)result.check / KT_SEC);
	sum->passed += !result.failures;
	sum->failed += result.failures > 0;
	sum->left_out += result.left_out > 0;
}

#define ROUND_SEEDS 4

/* A prediction is played on the embedded cluster alone. */
static void prove_round(struct cli_call *call, const char *path, unsigned seeds,
                        const struct lab_options *options, struct proofs *sum)
{
	struct kt_err err = {0};
	size_t failures = 0;
	if (options->provider && options->provider->real_time) {
		(void)fprintf(call->out, "%s: left out: predictions are played on the embedded cluster\n",
		              path);
		sum->left_out++;
		return;
	}
	enum kt_code rc = lab_round_prove(path, seeds, options, told, call, &failures, &err);
	cli_end_progress(call);
	if (rc && !cli_interrupted())
		told(call, err.text);
	sum->passed += !rc && !failures;
	sum->failed += rc || failures;
}

static int run_test(struct cli_call *call)
{
	struct kt_err err = {0};
	struct many m = {0};
	struct proofs sum = {0};
	long minutes = 0, seeds = 0;
	unsigned parts;
	if (!cli_number(call, "minutes", 1, 24 * 60, &minutes) || !cli_number(call, "seeds", 1, 1000, &seeds))
		return CLI_USAGE;
	if (cli_flag(call, "parts") && !lab_proof_parts(cli_flag(call, "parts"), &parts))
		return cli_usage(call, "--parts: some of start, solution, wrong, also-right were expected");
	if (gather(call, &m, &err))
		return lab_wrong(call, &err);
	sum.failed = tell_wrong(call, &m);
	struct lab_options options = {.fresh = true, .progress = cli_show_progress, .progress_arg = call};
	kt_ns until = minutes ? kt_monotonic() + minutes * KT_MIN_NS : 0;
	int code = cli_provider(call, NULL, &options);
	struct db *db = code ? NULL : cli_progress(call);
	char *home = proof_home(call, options.provider), *image = db ? db_setting(db, "kind-image") : NULL;
	options.home = home;
	options.image = getenv("KTUTOR_KIND_IMAGE") ? NULL : image;
	db_close(db);
	cli_catch_interrupt();
	int lock = -1;
	if (!code)
		code = hold_home(call, home, &lock);
	if (!code)
		clear_forgotten(call);
	bool held = !code;
	for (size_t i = 0; !code && i < m.count && !cli_interrupted(); i++)
		if (lab_lay(home, &m.labs[i], &err)) {
			told(call, err.text);
			sum.failed++;
		} else {
			prove_one(call, m.labs[i], &options, until, &sum);
		}
	for (size_t i = 0; !code && i < m.rounds.count && !cli_interrupted(); i++)
		prove_round(call, m.rounds.items[i], seeds ? (unsigned)seeds : ROUND_SEEDS, &options, &sum);
	if (!code && sum.left_out)
		(void)fprintf(call->out, "%zu passed, %zu failed, %zu not or not wholly run\n", sum.passed,
		              sum.failed, sum.left_out);
	else if (!code)
		(void)fprintf(call->out, "%zu passed, %zu failed\n", sum.passed, sum.failed);
	clear_home(call, &options, !held || cli_flag(call, "keep") != NULL);
	let_go(home, lock);
	kt_free(image);
	kt_free(home);
	clear(&m);
	return code ? code : cli_interrupted() ? 130 : sum.failed ? CLI_LAB_WRONG : CLI_OK;
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
        {"also-right/labelled/answer.yaml",
         "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: answer, namespace: default, labels: {by: "
         "somebody}}\ndata: {value: \"42\"}\n"},
        {"wrong/another-name/answer.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: reply, "
                                           "namespace: default}\ndata: {value: \"42\"}\n"},
        {"wrong/another-name/expect.yaml", "- {task: first-task, finding: is not there}\n"},
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
                                            .args = "[LAB|FOLDER…] [--fast]",
                                            .summary =
                                                    "read labs and lessons, and say what is wrong with them",
                                            .flags = lint_flags,
                                            .max_args = CLI_MAX_ARGS,
                                            .run = run_lint};
const struct cli_command cli_course_test = {
        .name = "course test",
        .args = "[LAB|FOLDER|PREDICTION…] [--provider P] [--mutate] [--parts P,…] [--seeds N] [--minutes N] "
                "[--keep] "
                "[--kubeconfig "
                "F] "
                "[--context C] [--yes]",
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

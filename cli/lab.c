/* SPDX-License-Identifier: MIT */
/* lab list, start, reset, stop, hint, solution, answer. */
#include "cli/check.h"
#include "labs/expert.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_flag list_flags[] = {{"format", "text|json", "how to print: text (default) or json"},
                                             {NULL, NULL, NULL}};
static const struct cli_flag start_flags[] = {{"provider", "P", "embedded, or another one that is there"},
                                              {"fresh", NULL, "begin anew, even if it runs"},
                                              CLI_CONTEXT_FLAGS,
                                              {NULL, NULL, NULL}};
static const struct cli_flag reset_flags[] = {{"yes", NULL, "do not ask"}, {NULL, NULL, NULL}};
static const struct cli_flag task_flags[] = {
        {"task", "T", "the task (default: the first that does not pass yet)"}, {NULL, NULL, NULL}};

static const struct cli_flag solution_flags[] = {
        {"compare", NULL, "what of yours, in the running lab, says something else than the given one"},
        {"format", "text|json", "how to print what is compared: text (default) or json"},
        {NULL, NULL, NULL}};

/* Labs that cannot be used, and why; the others go on. */
static void tell_wrong(struct cli_call *call, const struct kt_strs *wrong)
{
	for (size_t i = 0; i < wrong->count; i++) {
		(void)fputs("ktutor: left out: ", call->err);
		cli_print_clean(call->err, wrong->items[i]);
		(void)fputc('\n', call->err);
	}
}

static int run_add(struct cli_call *call)
{
	struct kt_err err = {0};
	struct lab **labs = NULL;
	struct kt_strs wrong = {0}, rounds = {0};
	size_t count = 0;
	int code = CLI_OK;
	char *folder = cli_whole_path(call->args[0]);
	enum kt_code rc = lab_pack_add(folder, &err);
	if (!rc)
		rc = lab_round_files_below(folder, &rounds, &err);
	if (!rc)
		rc = lab_list_below(folder, &labs, &count, &wrong, &err);
	if (rc && (rc != KT_ENOTFOUND || !rounds.count)) {
		code = cli_fail(call, &err);
	} else {
		(void)fprintf(call->out, "%s: %zu lab%s", folder, count, count == 1 ? "" : "s");
		if (rounds.count)
			(void)fprintf(call->out, " and %zu prediction%s", rounds.count,
			              rounds.count == 1 ? "" : "s");
		(void)fputs(" added\n", call->out);
		tell_wrong(call, &wrong);
	}
	kt_strs_clear(&rounds);
	lab_list_free(labs, count);
	kt_strs_clear(&wrong);
	kt_free(folder);
	return code;
}

static int run_remove(struct cli_call *call)
{
	struct kt_err err = {0};
	char *folder = cli_whole_path(call->args[0]);
	int code = lab_pack_remove(folder, &err) ? cli_fail(call, &err) : CLI_OK;
	kt_free(folder);
	return code;
}

static int run_list(struct cli_call *call)
{
	struct kt_err err = {0};
	struct lab **labs = NULL;
	struct kt_strs wrong = {0};
	size_t count = 0;
	bool json = false;
	char *dir = NULL;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	enum kt_code rc = cli_share_dir("labs", &dir, &err);
	if (!rc)
		rc = lab_list(dir, &labs, &count, &wrong, &err);
	kt_free(dir);
	if (rc) {
		cli_fail(call, &err);
		return CLI_LAB_WRONG;
	}
	struct kt_json *list = kt_json_array();
	const char **cells = kt_alloc((count + 1) * 4 * sizeof(*cells));
	const char *const head[] = {"LAB", "LESSON", "MINUTES", "TITLE"};
	struct kt_strs minutes = {0};
	memcpy(cells, head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		kt_strs_steal(&minutes, kt_strf("%u", labs[i]->minutes));
		const char *const row[] = {labs[i]->lab, labs[i]->lesson, minutes.items[i], labs[i]->title};
		memcpy(cells + (i + 1) * 4, row, sizeof(row));
		kt_push(&list, kt_jsonf("{lab: %s, lesson: %s, title: %s, minutes: %d}", labs[i]->lab,
		                        labs[i]->lesson, labs[i]->title, (int)labs[i]->minutes));
	}
	if (json)
		cli_print_json(call, list);
	else
		cli_print_table(call->out, cells, 4, count + 1);
	tell_wrong(call, &wrong);
	kt_strs_clear(&minutes);
	kt_strs_clear(&wrong);
	kt_free(cells);
	kt_json_free(list);
	lab_list_free(labs, count);
	return CLI_OK;
}

static void print_tasks(struct cli_call *call, const struct lab *lab)
{
	for (size_t i = 0; i < lab->task_count; i++) {
		(void)fprintf(call->out, "\n%zu. %s  %s  (%u point%s)\n", i + 1, lab->tasks[i].task,
		              lab->tasks[i].title, lab->tasks[i].points,
		              lab->tasks[i].points == 1 ? "" : "s");
		const char *text = lab->tasks[i].text, *line;
		size_t len;
		while ((line = kt_split(&text, '\n', &len)))
			if (len)
				(void)fprintf(call->out, "   %.*s\n", (int)len, line);
	}
}

static int run_start(struct cli_call *call)
{
	struct kt_err err = {0};
	struct lab *lab = NULL;
	char *kubeconfig = NULL;
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	struct kt_json *state = cli_flag(call, "fresh") ? NULL : lab_state(call->home, lab->lab);
	if (!state && lab_draw_anew(call->home, &lab, &err)) {
		lab_free(lab);
		return cli_fail(call, &err);
	}
	kt_json_free(state);
	struct db *db = cli_progress(call);
	struct lab_options options = {.home = call->home,
	                              .fresh = cli_flag(call, "fresh") != NULL,
	                              .progress = cli_show_progress,
	                              .progress_arg = call};
	code = cli_provider(call, db, &options);
	cli_catch_interrupt();
	if (!code && lab_start(lab, &options, &kubeconfig, &err)) {
		cli_end_progress(call);
		code = cli_fail(call, &err);
		code = cli_interrupted() ? 130 : code;
	} else if (!code) {
		cli_end_progress(call);
		cli_record(call, db, "lab-start",
		           kt_jsonf("{lab: %s, provider: %s}", lab->lab,
		                    options.provider ? options.provider->name : providers[0]->name));
		(void)fprintf(call->out, "%s  %s\n", lab->lab, lab->title);
		print_tasks(call, lab);
		(void)fprintf(call->out, "\nexport KUBECONFIG=%s\n`ktutor check` says how far you are.\n",
		              kubeconfig);
	}
	kt_free(kubeconfig);
	db_close(db);
	lab_free(lab);
	return code;
}

/* With a person there, asks. */
static bool confirmed(struct cli_call *call, const char *question)
{
	return cli_flag(call, "yes") || !isatty(0) || cli_ask(call, question);
}

static int run_reset(struct cli_call *call)
{
	struct kt_err err = {0};
	struct lab *lab = NULL;
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	struct lab_options options = {
	        .home = call->home, .progress = cli_show_progress, .progress_arg = call};
	if (!confirmed(call, "Put everything back to how the lab began?")) {
		(void)fputs("nothing was changed\n", call->out);
	} else if (cli_check_cancel(call, lab), lab_reset(lab, &options, &err)) {
		cli_end_progress(call);
		code = cli_fail(call, &err);
	} else {
		cli_end_progress(call);
		(void)fprintf(call->out, "%s is as it began\n", lab->lab);
	}
	lab_free(lab);
	return code;
}

static int run_stop(struct cli_call *call)
{
	struct kt_err err = {0};
	struct lab *lab = NULL;
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	struct lab_options options = {.home = call->home};
	cli_check_cancel(call, lab); /* a drill of it ends first */
	if (lab_stop(lab, &options, &err))
		code = cli_fail(call, &err);
	else
		(void)fprintf(call->out, "%s is stopped; what you learnt is kept\n", lab->lab);
	lab_free(lab);
	return code;
}

/* The task named, or the first whose last check did not pass. */
static const struct lab_task *find_task(struct cli_call *call, const struct lab *lab, struct db *db)
{
	const char *name = cli_flag(call, "task");
	struct kt_json *all = NULL;
	const struct kt_json *row;
	if (!name && db && db_progress_read(db, &all, NULL))
		all = NULL;
	const struct lab_task *found = NULL;
	for (size_t i = 0; i < lab->task_count && !found; i++) {
		bool passed = false;
		KT_JSON_EACH (row, kt_get(all, "tasks"))
			if (kt_streq(kt_get_str(row, "lab"), lab->lab) &&
			    kt_streq(kt_get_str(row, "task"), lab->tasks[i].task))
				passed = kt_get_int(row, "passed", 0) > 0;
		if (name ? kt_streq(name, lab->tasks[i].task) : !passed)
			found = &lab->tasks[i];
	}
	kt_json_free(all);
	return found ? found : name ? NULL : &lab->tasks[0];
}

static int run_hint(struct cli_call *call)
{
	struct lab *lab = NULL;
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	const struct lab_task *task = find_task(call, lab, db);
	if (!task) {
		code = cli_usage(call, "the lab '%s' has no task '%s'", lab->lab, cli_flag(call, "task"));
	} else if (!task->hint_count) {
		(void)fprintf(call->out, "%s has no hints\n", task->task);
	} else {
		unsigned used = db ? db_hints_used(db, lab->lab, task->task) : 0;
		if (used < task->hint_count)
			cli_record(
			        call, db, "hint",
			        kt_jsonf("{lab: %s, task: %s, hint: %d}", lab->lab, task->task, (int)++used));
		for (size_t i = 0; i < KT_MIN(used, task->hint_count); i++)
			(void)fprintf(call->out, "%s, hint %zu of %zu: %s\n", task->task, i + 1,
			              task->hint_count, task->hints[i]);
	}
	db_close(db);
	lab_free(lab);
	return code;
}

static void print_file(struct cli_call *call, const char *dir, const char *name, bool titled)
{
	char *path = kt_join(dir, name);
	struct kt_buf text = {0};
	if (kt_is_file(path) && !kt_read_file(path, 256 * 1024, &text, NULL)) {
		if (titled)
			(void)fprintf(call->out, "\n# %s\n", name);
		cli_print_clean(call->out, kt_buf_str(&text));
	}
	kt_buf_clear(&text);
	kt_free(path);
}

static void print_compared(struct cli_call *call, const struct kt_json *row)
{
	const struct kt_json *d;
	const char *ns = kt_get_str(row, "namespace"), *near = kt_get_str(row, "nearest");
	struct kt_buf line = {0};
	kt_buf_addf(&line, "%s %s%s%s: ", kt_get_str(row, "kind"), ns ? ns : "", ns ? "/" : "",
	            kt_get_str(row, "name"));
	if (near)
		kt_buf_addf(&line, "yours is called %s, ", near);
	kt_buf_adds(&line, !near && !kt_get_bool(row, "there", false) ? "you have none"
	                   : kt_count(kt_get(row, "differences"))     ? "differs"
	                                                              : "says the same");
	KT_JSON_EACH (d, kt_get(row, "differences"))
		kt_buf_addf(&line, "\n    %s\n        yours  %s\n        given  %s", kt_get_str(d, "path"),
		            kt_str_or(kt_get(d, "yours"), "nothing"),
		            kt_str_or(kt_get(d, "given"), "nothing"));
	cli_print_clean(call->out, kt_buf_str(&line));
	(void)fputc('\n', call->out);
	kt_buf_clear(&line);
}

/* The learner's own objects beside those of the solution. */
static int compare(struct cli_call *call, const struct lab *lab)
{
	struct kt_err err = {0};
	struct lab_session *session = NULL;
	struct lab_options options = {.home = call->home};
	const struct kt_json *row;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	if (lab_open(lab, &options, &session, &err))
		return cli_fail(call, &err);
	struct kt_json *rows = lab_compare(session, lab);
	if (json)
		cli_print_json(call, rows);
	else
		KT_JSON_EACH (row, rows)
			print_compared(call, row);
	kt_json_free(rows);
	lab_close(session);
	return CLI_OK;
}

static int run_solution(struct cli_call *call)
{
	struct lab *lab = NULL;
	struct kt_strs names = {0};
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	if (cli_flag(call, "compare")) {
		code = compare(call, lab);
		lab_free(lab);
		return code;
	}
	char *dir = kt_join(lab->dir, "solution");
	print_file(call, lab->dir, "solution.md", false);
	if (kt_is_dir(dir) && !kt_list_dir(dir, &names, NULL))
		for (size_t i = 0; i < names.count; i++)
			print_file(call, dir, names.items[i], true);
	(void)fprintf(call->out, "\nkubectl apply -f %s\n", dir);
	kt_strs_clear(&names);
	kt_free(dir);
	lab_free(lab);
	return CLI_OK;
}

static int run_answer(struct cli_call *call)
{
	struct lab *lab = NULL;
	const char *question = call->args[0], *answer = call->args[1];
	call->arg_count = 0; /* the lab is the current one */
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	cli_record(call, db, "reply",
	           kt_jsonf("{lab: %s, question: %s, answer: %s}", lab->lab, question, answer));
	db_close(db);
	lab_free(lab);
	return CLI_OK;
}

const struct cli_command cli_lab_list = {.name = "lab list",
                                         .args = "[--format text|json]",
                                         .summary = "name all labs",
                                         .flags = list_flags,
                                         .run = run_list};
const struct cli_command cli_lab_start = {
        .name = "lab start",
        .args = "LAB [--provider P] [--fresh] [--context C] [--yes] [--allow-…]",
        .summary = "start a lab, or find it running; returns when it is ready",
        .flags = start_flags,
        .min_args = 1,
        .max_args = 1,
        .run = run_start};
const struct cli_command cli_lab_reset = {.name = "lab reset",
                                          .args = "[LAB] [--yes]",
                                          .summary = "put a lab back to how it began",
                                          .flags = reset_flags,
                                          .max_args = 1,
                                          .run = run_reset};
const struct cli_command cli_lab_stop = {.name = "lab stop",
                                         .args = "[LAB]",
                                         .summary = "stop a lab and its cluster",
                                         .max_args = 1,
                                         .run = run_stop};
const struct cli_command cli_lab_hint = {.name = "lab hint",
                                         .args = "[LAB] [--task T]",
                                         .summary = "show the next hint",
                                         .flags = task_flags,
                                         .max_args = 1,
                                         .run = run_hint};
const struct cli_command cli_lab_solution = {.name = "lab solution",
                                             .args = "[LAB] [--compare] [--format text|json]",
                                             .summary = "show the solution, and why",
                                             .flags = solution_flags,
                                             .max_args = 1,
                                             .run = run_solution};
const struct cli_command cli_lab_answer = {.name = "lab answer",
                                           .args = "QUESTION ANSWER",
                                           .summary = "answer a question of the current lab",
                                           .min_args = 2,
                                           .max_args = 2,
                                           .run = run_answer};
const struct cli_command cli_lab_add = {.name = "lab add",
                                        .args = "FOLDER",
                                        .summary = "add the labs of a folder to the list",
                                        .help = "$KTUTOR_LABS, folders with colons between them, does the "
                                                "same for one command.",
                                        .min_args = 1,
                                        .max_args = 1,
                                        .run = run_add};
const struct cli_command cli_lab_remove = {.name = "lab remove",
                                           .args = "FOLDER",
                                           .summary = "take a folder that was added off the list",
                                           .min_args = 1,
                                           .max_args = 1,
                                           .run = run_remove};

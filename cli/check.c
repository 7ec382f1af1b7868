/* SPDX-License-Identifier: MIT */
/* check: grade a lab. Exit codes: 0 all passed, 1 some failed, 2 usage, 3 the cluster cannot be reached, 4
 * the lab itself is wrong. */
#include "cli/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_flag flags[] = {
        {"task", "T", "only this task (and those it waits for)"},
        {"watch", NULL, "again and again, when something changed, until all pass"},
        {"format", "text|json|junit|tap", "how to print (default text)"},
        {"provider", "P", "the provider that the lab was started with"},
        {"no-wait", NULL, "look once; do not wait for what is settling"},
        {"no-drills", NULL, "leave drills out"},
        {"cancel", NULL, "end a check that was left, and put the cluster back"},
        {NULL, NULL, NULL}};

struct checking {
	struct cli_call *call;
	const struct lab *lab;
	struct lab_session *session;
	struct db *db;
	enum check_format format;
	struct kt_json *replies, *record;
};

/* Time spent: since the learner last did anything, as far as that was not a pause. */
#define PAUSE 600

static void record_time(const struct checking *c)
{
	struct kt_json *all = NULL;
	if (!c->db || db_progress_read(c->db, &all, NULL))
		return;
	int64_t since = kt_clock_real().now(NULL) / KT_SEC - kt_path_int(all, "days.0.last", 0);
	kt_json_free(all);
	if (since > 0 && since <= PAUSE)
		cli_record(c->call, c->db, "lab-time",
		           kt_jsonf("{lab: %s, seconds: %l}", c->lab->lab, since));
}

static void record(struct checking *c, const struct lab_result *result)
{
	record_time(c);
	cli_record(c->call, c->db, "lab-check",
	           kt_jsonf("{lab: %s, points: %d, of: %d}", c->lab->lab, (int)result->points,
	                    (int)result->points_of));
	for (size_t i = 0; i < result->task_count; i++) {
		const struct check_report_task *task = &result->tasks[i];
		if (task->blocked)
			continue;
		enum check_status status = check_task_status(task);
		const char *finding = NULL;
		for (size_t f = 0; f < task->finding_count && !finding; f++)
			if (task->findings[f].status != CHECK_PASSED)
				finding = task->findings[f].found;
		cli_record(c->call, c->db, "task",
		           kt_jsonf("{lab: %s, task: %s, passed: %d, finding: %s}", c->lab->lab, task->task,
		                    status == CHECK_PASSED, finding));
	}
	if (result->passed && !cli_flag(c->call, "task"))
		cli_record(c->call, c->db, "lab-pass", kt_jsonf("{lab: %s}", c->lab->lab));
}

static void count_hints(const struct checking *c, struct lab_result *result)
{
	for (size_t i = 0; c->db && i < result->task_count; i++) {
		unsigned used = db_hints_used(c->db, c->lab->lab, result->tasks[i].task),
		         all = (unsigned)c->lab->tasks[i].hint_count;
		result->tasks[i].hints_left = used < all ? all - used : 0;
	}
}

static void report(const struct checking *c, const struct lab_result *result, enum check_format format,
                   bool colour, struct kt_buf *out)
{
	const char *only = cli_flag(c->call, "task");
	for (size_t i = 0; i < result->task_count; i++)
		if (only && kt_streq(only, result->tasks[i].task))
			check_report(format, c->lab->lab, &result->tasks[i], 1, colour, out);
	if (!only)
		check_report(format, c->lab->lab, result->tasks, result->task_count, colour, out);
}

static const char *const formats[] = {"text", "json", "junit", "tap"};

/* Whoever takes it up asks for the format that they like. */
static void print_away(const struct checking *c, const struct lab_result *result)
{
	for (size_t i = 0; i < KT_COUNT(formats); i++) {
		enum check_format format = CHECK_TEXT;
		struct kt_buf out = {0};
		struct kt_err err = {0};
		char *path = kt_strf("%s/out.%s", c->call->away, formats[i]);
		if (check_format_parse(formats[i], &format))
			report(c, result, format, false, &out);
		if (kt_write_file(path, kt_buf_str(&out), out.len, 0600, &err))
			cli_fail(c->call, &err);
		kt_buf_clear(&out);
		kt_free(path);
	}
}

static void print(const struct checking *c, const struct lab_result *result)
{
	struct kt_buf out = {0};
	if (c->call->away) {
		print_away(c, result);
		return;
	}
	report(c, result, c->format, isatty(fileno(c->call->out)) && !getenv("NO_COLOR"), &out);
	(void)fwrite(out.data, 1, out.len, c->call->out);
	(void)fflush(c->call->out);
	kt_buf_clear(&out);
}

static int check_once(struct checking *c, bool look_only, bool *passed)
{
	struct kt_err err = {0};
	struct lab_result *result = NULL;
	struct lab_check_options options = {.task = cli_flag(c->call, "task"),
	                                    .no_wait = look_only || cli_flag(c->call, "no-wait"),
	                                    .no_drills = look_only || cli_flag(c->call, "no-drills"),
	                                    .answers = c->replies,
	                                    .record = c->record,
	                                    .progress = cli_show_progress,
	                                    .progress_arg = c->call};
	enum kt_code rc = lab_check(c->session, c->lab, &options, &result, &err);
	cli_end_progress(c->call);
	if (rc) {
		cli_fail(c->call, &err);
		return rc == KT_EUNREACHABLE ? CLI_UNREACHABLE : rc == KT_ENOTFOUND ? CLI_USAGE : CLI_FAILED;
	}
	count_hints(c, result);
	record(c, result);
	print(c, result);
	*passed = result->passed;
	/* a cluster that went away is no failure of the learner's */
	bool all_unknown = result->task_count > 0;
	for (size_t i = 0; i < result->task_count; i++)
		all_unknown = all_unknown && (result->tasks[i].blocked ||
		                              check_task_status(&result->tasks[i]) == CHECK_UNKNOWN);
	lab_result_free(result);
	return *passed ? CLI_OK : all_unknown ? CLI_UNREACHABLE : CLI_FAILED;
}

/* --watch: real time passes between looks; what is on screen changes when something did. */
static int watch(struct checking *c)
{
	bool passed = false;
	int code = CLI_OK;
	while (!passed && !cli_interrupted()) {
		code = check_once(c, true, &passed);
		if (code != CLI_OK && code != CLI_FAILED)
			return code;
		for (int tenth = 0; !passed && tenth < 20 && !cli_interrupted(); tenth++)
			(void)usleep(100000);
	}
	return cli_interrupted() ? 130 : code;
}

/* Open what is needed, and grade. */
static int grade(struct cli_call *call, const struct lab *lab)
{
	struct kt_err err = {0};
	struct checking c = {.call = call, .lab = lab};
	const char *format = cli_flag(call, "format");
	if (format && !check_format_parse(format, &c.format))
		return cli_usage(call, "--format: text, json, junit or tap was expected, not '%s'", format);
	struct lab_options options = {.home = call->home};
	c.db = cli_progress(call);
	int code = cli_flag(call, "provider") ? cli_provider(call, c.db, &options) : CLI_OK;
	if (!code && lab_open(lab, &options, &c.session, &err)) {
		code = cli_fail(call, &err);
	} else if (!code) {
		bool passed = false;
		if (c.db && db_replies(c.db, lab->lab, &c.replies, NULL))
			c.replies = NULL;
		c.record = cli_read_progress(c.db);
		cli_catch_interrupt();
		code = cli_flag(call, "watch") ? watch(&c) : check_once(&c, false, &passed);
	}
	lab_close(c.session);
	kt_json_free(c.replies);
	kt_json_free(c.record);
	db_close(c.db);
	return code;
}

static int run(struct cli_call *call)
{
	struct lab *lab = NULL;
	enum check_format ignored;
	const char *format = cli_flag(call, "format") ? cli_flag(call, "format") : formats[0];
	if (!check_format_parse(format, &ignored))
		return grade(call, NULL); /* says so */
	int code = cli_lab(call, &lab);
	if (code)
		return code;
	if (cli_flag(call, "cancel"))
		(void)fputs(cli_check_cancel(call, lab) ? "the check is ended, the cluster is put back\n"
		                                        : "no check goes on\n",
		            call->out);
	else
		code = cli_check_is_long(call, lab) ? cli_check_away(call, lab, format, grade)
		                                    : grade(call, lab);
	lab_free(lab);
	return code;
}

const struct cli_command cli_check = {
        .name = "check",
        .args = "[LAB] [--task T] [--watch] [--format text|json|junit|tap] [--provider P] [--no-wait] "
                "[--no-drills] [--cancel]",
        .summary = "grade a lab: what passes, what does not, and why",
        .help = "Ends with 0 when all passed, 1 when something failed, 2 for a wrong call, 3 when the "
                "cluster cannot be reached,\n4 when the lab itself is wrong.\nOn real clusters drills take "
                "real minutes: Ctrl-C leaves such a check, the "
                "next `ktutor check` takes it up again.",
        .flags = flags,
        .max_args = 1,
        .run = run,
};

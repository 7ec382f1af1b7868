/* SPDX-License-Identifier: MIT */
/* progress: what was done so far. */
#include "cli/labs.h"

#include <string.h>

static void print_span(FILE *out, int64_t seconds)
{
	struct kt_buf text = {0};
	kt_duration_print_human(seconds * KT_SEC, &text);
	(void)fputs(kt_buf_str(&text), out);
	kt_buf_clear(&text);
}

static void print_labs(struct cli_call *call, const struct kt_json *progress)
{
	const struct kt_json *lab, *task;
	KT_JSON_EACH (lab, kt_get(progress, "labs")) {
		const char *name = kt_get_str(lab, "lab");
		(void)fprintf(call->out, "\n%s lab %s: %lld of %lld points, %lld attempt%s, ",
		              kt_get_int(lab, "passed", 0) ? "✓" : "◐", name,
		              (long long)kt_get_int(lab, "points", 0), (long long)kt_get_int(lab, "of", 0),
		              (long long)kt_get_int(lab, "attempts", 0),
		              kt_get_int(lab, "attempts", 0) == 1 ? "" : "s");
		print_span(call->out, kt_get_int(lab, "seconds", 0));
		(void)fputc('\n', call->out);
		KT_JSON_EACH (task, kt_get(progress, "tasks")) {
			if (!kt_streq(kt_get_str(task, "lab"), name))
				continue;
			int64_t hints = kt_get_int(task, "hints", 0);
			(void)fprintf(call->out, "    %s %s", kt_get_int(task, "passed", 0) ? "✓" : "✗",
			              kt_get_str(task, "task"));
			if (hints)
				(void)fprintf(call->out, "  (%lld hint%s)", (long long)hints,
				              hints == 1 ? "" : "s");
			(void)fputc('\n', call->out);
		}
	}
}

/* The lab's row of `list` (labs), or that of one of its tasks (tasks). */
static const struct kt_json *row_of(const struct kt_json *list, const char *lab, const char *task, size_t len)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, list) {
		const char *name = kt_get_str(row, "lab");
		if (name && strlen(name) == len && !strncmp(name, lab, len) &&
		    (!task || kt_streq(kt_get_str(row, "task"), task)))
			return row;
	}
	return NULL;
}

static void print_tasks_of(FILE *out, const struct kt_json *progress, const char *lab)
{
	const struct kt_json *task;
	size_t n = 0;
	KT_JSON_EACH (task, kt_get(progress, "tasks"))
		if (kt_streq(kt_get_str(task, "lab"), lab) && kt_get_int(task, "passed", 0))
			(void)fprintf(out, "%s %s", n++ ? "," : "", kt_get_str(task, "task"));
	(void)fputs(n ? "\n" : " to do\n", out);
}

/* Each line of the gate with the learner's own tasks that earn it. */
static void print_gate(struct cli_call *call, const struct lesson_course *course,
                       const struct kt_json *progress)
{
	const struct lesson_gate *gate = &course->gate;
	struct kt_buf detail = {0};
	if (gate->line_count)
		(void)fprintf(call->out, "\nlevel %u, complete when all of this is yours:\n", gate->level);
	for (size_t l = 0; l < gate->line_count; l++) {
		const struct lesson_gate_line *line = &gate->lines[l];
		bool earned = true;
		for (size_t i = 0; line->lessons[i]; i++) {
			const struct lesson *lesson = lesson_find(course, line->lessons[i]);
			const char *lab = lesson ? lesson->lab : NULL;
			earned = earned && lab &&
			         kt_get_int(row_of(kt_get(progress, "labs"), lab, NULL, strlen(lab)),
			                    "passed", 0) > 0;
		}
		for (size_t i = 0; line->tasks[i]; i++) {
			const char *slash = strchr(line->tasks[i], '/');
			earned = earned && slash &&
			         kt_get_int(row_of(kt_get(progress, "tasks"), line->tasks[i], slash + 1,
			                           (size_t)(slash - line->tasks[i])),
			                    "passed", 0) > 0;
		}
		(void)fprintf(call->out, "%s %s\n", earned ? "✔" : "·", line->says);
		for (size_t i = 0; line->lessons[i]; i++) {
			const struct lesson *lesson = lesson_find(course, line->lessons[i]);
			(void)fprintf(call->out, "    %s %s:", line->lessons[i],
			              lesson && lesson->lab ? lesson->lab : "");
			print_tasks_of(call->out, progress, lesson && lesson->lab ? lesson->lab : "");
		}
		for (size_t i = 0; line->tasks[i]; i++)
			kt_buf_addf(&detail, "%s %s", i ? "," : "", line->tasks[i]);
		if (detail.len)
			(void)fprintf(call->out, "    and%s\n", kt_buf_str(&detail));
		kt_buf_cut(&detail, 0);
	}
	kt_buf_clear(&detail);
}

static int run(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	int code = cli_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	struct kt_json *progress = cli_read_progress(db);
	if (json) {
		struct kt_json *none = progress ? NULL : kt_json_object();
		cli_print_json(call, progress ? progress : none);
		kt_json_free(none);
	} else {
		size_t right = 0;
		const struct kt_json *answer;
		cli_print_course(call->out, course, progress);
		print_labs(call, progress);
		print_gate(call, course, progress);
		KT_JSON_EACH (answer, kt_get(progress, "answers"))
			right += kt_get_int(answer, "right", 0) != 0;
		if (kt_count(kt_get(progress, "answers")))
			(void)fprintf(call->out, "\nquiz answers: %zu of %zu right\n", right,
			              kt_count(kt_get(progress, "answers")));
	}
	kt_json_free(progress);
	db_close(db);
	lesson_course_free(course);
	return db ? CLI_OK : CLI_FAILED;
}

static const struct cli_flag flags[] = {
        {"format", "text|json", "how to print: text (default) or json"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_progress_command = {
        .name = "progress",
        .args = "[--format text|json]",
        .summary = "what you have done so far",
        .flags = flags,
        .run = run,
};

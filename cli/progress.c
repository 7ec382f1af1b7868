/* SPDX-License-Identifier: MIT */
/* progress: what was done so far. */
#include "cli/labs.h"

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

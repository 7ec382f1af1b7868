/* SPDX-License-Identifier: MIT */
/* learn (plain), quiz, progress, config: what one can do without the screens. */
#include "cli/labs.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct cli_flag format_flags[] = {
        {"format", "text|json", "how to print: text (default) or json"}, {NULL, NULL, NULL}};
static const struct cli_flag learn_flags[] = {
        {"plain", NULL, "plain text in reading order (the default when piped)"}, {NULL, NULL, NULL}};

static int read_course(struct cli_call *call, struct lesson_course **out)
{
	struct kt_err err = {0};
	char *dir = NULL;
	enum kt_code rc = cli_share_dir("lessons", &dir, &err);
	if (!rc)
		rc = lesson_course_new(dir, out, &err);
	kt_free(dir);
	if (!rc)
		return CLI_OK;
	cli_fail(call, &err);
	return CLI_LAB_WRONG;
}

static const struct lesson *find_lesson(struct cli_call *call, const struct lesson_course *course, int *code)
{
	const struct lesson *lesson = lesson_find(course, call->args[0]);
	if (!lesson)
		*code = cli_usage(call, "there is no lesson '%s'; `ktutor learn` names them", call->args[0]);
	return lesson;
}

/* --- the overview --- */

static const struct kt_json *row_of(const struct kt_json *rows, const char *key, const char *value)
{
	ptrdiff_t i = value ? kt_find(rows, key, value) : -1;
	return i < 0 ? NULL : kt_at(rows, (size_t)i);
}

static const char *mark_of(const struct kt_json *progress, const struct lesson *lesson)
{
	const struct kt_json *read = row_of(kt_get(progress, "lessons"), "lesson", lesson->id),
	                     *lab = row_of(kt_get(progress, "labs"), "lab", lesson->lab);
	bool is_read = kt_get_int(read, "read", 0) > 0,
	     passed = !lesson->lab || kt_get_int(lab, "passed", 0) > 0;
	return is_read && passed ? "✓" : read || lab ? "◐" : "○";
}

void cli_print_course(FILE *out, const struct lesson_course *course, const struct kt_json *progress)
{
	(void)fprintf(out, "%s\n", course->title);
	for (size_t l = 0; l < course->level_count; l++) {
		const struct lesson_level *level = &course->levels[l];
		if (!level->lesson_count)
			continue;
		(void)fprintf(out, "\n%u %s: %s\n", level->level, level->title, level->about);
		for (size_t i = 0; i < level->lesson_count; i++) {
			const struct lesson *lesson = level->lessons[i];
			(void)fprintf(out, "  %s %-5s %-24s %2u min", mark_of(progress, lesson), lesson->id,
			              lesson->title, lesson->minutes);
			(void)fprintf(out, lesson->lab ? "   lab %s\n" : "%s\n",
			              lesson->lab ? lesson->lab : "");
		}
	}
}

static struct kt_json *read_progress(struct db *db)
{
	struct kt_json *all = NULL;
	return db && !db_progress_read(db, &all, NULL) ? all : NULL;
}

static int run_learn(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	int code = read_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	if (!call->arg_count) {
		struct kt_json *progress = read_progress(db);
		cli_print_course(call->out, course, progress);
		kt_json_free(progress);
	} else {
		const struct lesson *lesson = find_lesson(call, course, &code);
		struct kt_buf text = {0};
		if (lesson) {
			lesson_print(lesson, 76, &text);
			(void)fwrite(text.data, 1, text.len, call->out);
			if (lesson->lab)
				(void)fprintf(call->out, "\nThe lab: ktutor lab start %s\n", lesson->lab);
			cli_record(call, db, "lesson-read", kt_jsonf("{lesson: %s}", lesson->id));
		}
		kt_buf_clear(&text);
	}
	db_close(db);
	lesson_course_free(course);
	return code;
}

/* --- quiz, line by line --- */

static bool ask(struct cli_call *call, const struct lesson_question *q, char answer[256], bool *right,
                const char **because)
{
	(void)fprintf(call->out, "\n%s\n", q->ask);
	for (size_t i = 0; i < q->choice_count; i++)
		(void)fprintf(call->out, "  %zu) %s\n", i + 1, q->choices[i].text);
	(void)fputs("> ", call->out);
	(void)fflush(call->out);
	if (!fgets(answer, 256, stdin))
		return false;
	char *end;
	double number = strtod(answer, &end);
	size_t choice = (size_t)number;
	if (!q->choice_count) {
		*right = end != answer && number >= q->number - 1e-9 && number <= q->number + 1e-9;
		*because = q->because;
	} else if (end != answer && choice >= 1 && choice <= q->choice_count) {
		*right = q->choices[choice - 1].right;
		*because = q->choices[choice - 1].because;
	} else {
		*right = false;
		*because = "That is none of the answers.";
	}
	answer[strcspn(answer, "\n")] = '\0';
	return true;
}

static int run_quiz(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	int code = read_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	const struct lesson *lesson = find_lesson(call, course, &code);
	size_t score = 0;
	for (size_t i = 0; lesson && i < lesson->question_count; i++) {
		char answer[256];
		bool right = false;
		const char *because = NULL;
		if (!ask(call, &lesson->questions[i], answer, &right, &because))
			break;
		score += right;
		(void)fprintf(call->out, "%s %s\n", right ? "✓" : "✗", because);
		cli_record(call, db, "answer",
		           kt_jsonf("{lesson: %s, question: %d, answer: %s, right: %d}", lesson->id, (int)i,
		                    answer, right));
	}
	if (lesson)
		(void)fprintf(call->out, "\n%zu of %zu\n", score, lesson->question_count);
	db_close(db);
	lesson_course_free(course);
	return code;
}

/* --- progress --- */

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

static int run_progress(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	int code = read_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	struct kt_json *progress = read_progress(db);
	if (json) {
		cli_print_json(call, progress);
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

/* --- config --- */

static const char *const settings[] = {"provider", "kind-image", "theme", "roam", "name"};

static int run_config(struct cli_call *call)
{
	const char *name = call->arg_count ? call->args[0] : NULL,
	           *value = call->arg_count > 1 ? call->args[1] : NULL;
	bool known = !name;
	for (size_t i = 0; i < KT_COUNT(settings); i++)
		known = known || kt_streq(settings[i], name);
	if (!known) {
		const char *near = kt_nearest(name, settings, KT_COUNT(settings));
		return cli_usage(
		        call,
		        near ? "there is no setting '%s': did you mean '%s'?"
		             : "there is no setting '%s'; there is provider, kind-image, theme, roam, name%s",
		        name, near ? near : "");
	}
	if (kt_streq(name, "provider") && value && !provider_find(value))
		return cli_usage(call, "there is no provider '%s'", value);
	struct db *db = cli_progress(call);
	if (!db)
		return CLI_FAILED;
	if (value)
		cli_record(call, db, "setting", kt_jsonf("{name: %s, value: %s}", name, value));
	for (size_t i = 0; i < KT_COUNT(settings); i++) {
		char *now = !name || kt_streq(name, settings[i]) ? db_setting(db, settings[i]) : NULL;
		if (!name || kt_streq(name, settings[i]))
			(void)fprintf(call->out, "%s: %s\n", settings[i], now ? now : "(not set)");
		kt_free(now);
	}
	db_close(db);
	return CLI_OK;
}

const struct cli_command cli_learn = {.name = "learn",
                                      .args = "[LESSON] [--plain]",
                                      .summary = "read a lesson, or name them all",
                                      .flags = learn_flags,
                                      .max_args = 1,
                                      .run = run_learn};
const struct cli_command cli_quiz = {.name = "quiz",
                                     .args = "LESSON",
                                     .summary = "answer a lesson's questions, line by line",
                                     .min_args = 1,
                                     .max_args = 1,
                                     .run = run_quiz};
const struct cli_command cli_progress_command = {.name = "progress",
                                                 .args = "[--format text|json]",
                                                 .summary = "what you have done so far",
                                                 .flags = format_flags,
                                                 .run = run_progress};
const struct cli_command cli_config = {
        .name = "config",
        .args = "[NAME [VALUE]]",
        .summary = "show or change a setting (provider, kind-image, theme, roam, name)",
        .max_args = 2,
        .run = run_config};

/* SPDX-License-Identifier: MIT */
/* learn: a lesson on the screens, or plain. Also what its neighbours share: the course, the marks. */
#include "cli/labs.h"

#include <string.h>
#include <unistd.h>

static const struct cli_flag flags[] = {
        {"plain", NULL, "plain text in reading order (what a pipe gets anyway)"},
        {"format", "text|json", "how to print the list: text (default) or json"},
        {NULL, NULL, NULL},
};

int cli_course(struct cli_call *call, struct lesson_course **out)
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

const struct lesson *cli_lesson(struct cli_call *call, const struct lesson_course *course)
{
	const struct lesson *lesson = lesson_find(course, call->args[0]);
	if (!lesson)
		cli_usage(call, "there is no lesson '%s'; `ktutor learn` names them", call->args[0]);
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

struct kt_json *cli_read_progress(struct db *db)
{
	struct kt_json *all = NULL;
	return db && !db_progress_read(db, &all, NULL) ? all : NULL;
}

static void print_list(struct cli_call *call, const struct lesson_course *course,
                       const struct kt_json *progress)
{
	struct kt_json *list = kt_json_array();
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0; i < course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = course->levels[l].lessons[i];
			kt_push(&list,
			        kt_jsonf("{lesson: %s, title: %s, level: %d, minutes: %d, pages: %d, "
			                 "questions: %d, lab: %s, done: %b, begun: %b}",
			                 lesson->id, lesson->title, (int)lesson->level, (int)lesson->minutes,
			                 (int)lesson->page_count, (int)lesson->question_count, lesson->lab,
			                 (int)kt_streq(mark_of(progress, lesson), "✓"),
			                 (int)!kt_streq(mark_of(progress, lesson), "○")));
		}
	cli_print_json(call, list);
	kt_json_free(list);
}

/* --- a lesson as text: its pages, its words, its questions, its lab --- */

static void print_words(FILE *out, const struct lesson_course *course, const struct lesson *lesson)
{
	bool some = false;
	for (size_t i = 0; i < kt_count(course->glossary); i++) {
		const char *word = kt_key(course->glossary, i);
		bool used = false;
		for (size_t p = 0; p < lesson->page_count && !used; p++)
			used = lesson_page_uses(&lesson->pages[p], word);
		if (!used)
			continue;
		(void)fprintf(out, "%s%s: %s\n", some ? "" : "\nWords\n\n", word,
		              kt_str_or(kt_at(course->glossary, i), ""));
		some = true;
	}
}

static void print_questions(FILE *out, const struct lesson *lesson)
{
	if (lesson->question_count)
		(void)fprintf(out, "\nQuestions (answer them with: ktutor quiz %s)\n", lesson->id);
	for (size_t i = 0; i < lesson->question_count; i++) {
		const struct lesson_question *q = &lesson->questions[i];
		(void)fprintf(out, "\n%zu. %s\n", i + 1, q->ask);
		for (size_t c = 0; c < q->choice_count; c++)
			(void)fprintf(out, "   %zu) %s\n", c + 1, q->choices[c].text);
		if (!q->choice_count)
			(void)fputs("   (a number)\n", out);
	}
}

static void print_lesson(struct cli_call *call, const struct lesson_course *course,
                         const struct lesson *lesson)
{
	struct kt_buf text = {0};
	lesson_print(lesson, 76, &text);
	(void)fwrite(text.data, 1, text.len, call->out);
	kt_buf_clear(&text);
	print_words(call->out, course, lesson);
	print_questions(call->out, lesson);
	if (lesson->lab)
		(void)fprintf(call->out, "\nThe lab: ktutor lab start %s\n", lesson->lab);
}

static int run(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	if (json && call->arg_count)
		return cli_usage(call, "--format json lists lessons; one is printed as text");
	if (call->arg_count && !cli_flag(call, "plain") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return cli_tutor.run(call);
	int code = cli_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	struct kt_json *progress = cli_read_progress(db);
	const struct lesson *lesson = call->arg_count ? cli_lesson(call, course) : NULL;
	if (json) {
		print_list(call, course, progress);
	} else if (!call->arg_count) {
		cli_print_course(call->out, course, progress);
	} else if (lesson) {
		print_lesson(call, course, lesson);
		cli_record(call, db, "lesson-read", kt_jsonf("{lesson: %s}", lesson->id));
	} else {
		code = CLI_USAGE;
	}
	kt_json_free(progress);
	db_close(db);
	lesson_course_free(course);
	return code;
}

const struct cli_command cli_learn = {
        .name = "learn",
        .args = "[LESSON] [--plain] [--format text|json]",
        .summary = "read a lesson, or name them all",
        .help = "On a terminal a lesson opens on the screens; with --plain, or piped, it comes as text in "
                "reading\n"
                "order: pages, words, questions, lab.",
        .flags = flags,
        .max_args = 1,
        .run = run,
};

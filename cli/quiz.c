/* SPDX-License-Identifier: MIT */
/* quiz: a lesson's questions, line by line. */
#include "cli/labs.h"

#include <stdlib.h>
#include <string.h>

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

static size_t answers_of(const struct kt_json *progress, const char *lesson, bool right_only)
{
	const struct kt_json *row;
	size_t count = 0;
	KT_JSON_EACH (row, kt_get(progress, "answers"))
		count += kt_streq(kt_get_str(row, "lesson"), lesson) &&
		         (!right_only || kt_get_int(row, "right", 0) != 0);
	return count;
}

/* [{lesson, title, questions, answered, right}] of the lessons that have some. New. */
static struct kt_json *list_quizzes(const struct lesson_course *course, const struct kt_json *progress)
{
	struct kt_json *list = kt_json_array();
	for (size_t l = 0; l < course->level_count; l++)
		for (size_t i = 0; i < course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = course->levels[l].lessons[i];
			if (lesson->question_count)
				kt_push(&list,
				        kt_jsonf(
				                "{lesson: %s, title: %s, questions: %d, answered: %d, right: "
				                "%d}",
				                lesson->id, lesson->title, (int)lesson->question_count,
				                (int)answers_of(progress, lesson->id, false),
				                (int)answers_of(progress, lesson->id, true)));
		}
	return list;
}

static void print_list(FILE *out, const struct kt_json *list)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, list)
		(void)fprintf(out, "%-5s %-32s %lld questions, %lld right\n", kt_get_str(row, "lesson"),
		              kt_get_str(row, "title"), (long long)kt_get_int(row, "questions", 0),
		              (long long)kt_get_int(row, "right", 0));
}

static void ask_all(struct cli_call *call, const struct lesson *lesson, struct db *db)
{
	size_t score = 0;
	for (size_t i = 0; i < lesson->question_count; i++) {
		char answer[256];
		bool right = false;
		const char *because = NULL;
		if (!ask(call, &lesson->questions[i], answer, &right, &because))
			break;
		score += right;
		(void)fprintf(call->out, "%s %s\n", right ? "✓" : "✗", because ? because : "");
		cli_record(call, db, "answer",
		           kt_jsonf("{lesson: %s, question: %d, answer: %s, right: %d}", lesson->id, (int)i,
		                    answer, right));
	}
	(void)fprintf(call->out, "\n%zu of %zu\n", score, lesson->question_count);
}

static int run(struct cli_call *call)
{
	struct lesson_course *course = NULL;
	bool json = false;
	if (!cli_json(call, &json))
		return CLI_USAGE;
	if (json && call->arg_count)
		return cli_usage(call, "--format json lists quizzes; one is asked as text");
	int code = cli_course(call, &course);
	if (code)
		return code;
	struct db *db = cli_progress(call);
	struct kt_json *progress = cli_read_progress(db), *list = list_quizzes(course, progress);
	const struct lesson *lesson = call->arg_count ? cli_lesson(call, course) : NULL;
	if (json)
		cli_print_json(call, list);
	else if (!call->arg_count)
		print_list(call->out, list);
	else if (lesson)
		ask_all(call, lesson, db);
	else
		code = CLI_USAGE;
	kt_json_free(list);
	kt_json_free(progress);
	db_close(db);
	lesson_course_free(course);
	return code;
}

static const struct cli_flag flags[] = {
        {"format", "text|json", "how to print the list: text (default) or json"},
        {NULL, NULL, NULL},
};

const struct cli_command cli_quiz = {
        .name = "quiz",
        .args = "[LESSON] [--format text|json]",
        .summary = "answer a lesson's questions, line by line, or name all quizzes",
        .flags = flags,
        .max_args = 1,
        .run = run,
};

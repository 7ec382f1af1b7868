/* SPDX-License-Identifier: MIT */
/* Questions: choices or numbers, a sentence about every answer, a score. */
#include "tui/app.h"

#include <stdlib.h>
#include <string.h>

static const struct lesson_question *question_of(const struct tui_app *app)
{
	const struct tui_question *q = &app->quiz.questions[app->quiz.at];
	return &q->lesson->questions[q->number];
}

static void begin(struct tui_app *app, const char *title, struct tui_question *steal, size_t count)
{
	struct tui_quiz *quiz = &app->quiz;
	kt_free(quiz->questions);
	kt_buf_clear(&quiz->typed);
	memset(quiz, 0, sizeof(*quiz));
	quiz->title = title;
	quiz->questions = steal;
	quiz->count = count;
	tui_push(app, &tui_screen_quiz);
}

void tui_open_quiz(struct tui_app *app, const struct lesson *lesson)
{
	if (!lesson->question_count) {
		tui_notice(app, "This lesson has no questions.");
		return;
	}
	struct tui_question *questions = kt_alloc(lesson->question_count * sizeof(*questions));
	for (size_t i = 0; i < lesson->question_count; i++)
		questions[i] = (struct tui_question){lesson, i};
	begin(app, lesson->title, questions, lesson->question_count);
}

void tui_open_review(struct tui_app *app)
{
	size_t count;
	struct tui_question *due = tui_due(app, &count);
	if (count) {
		begin(app, "Review", due, count);
		return;
	}
	kt_free(due);
	tui_notice(app,
	           "Nothing is due today. Questions come back after a day when they were answered wrong, "
	           "after some days when they were answered rightly.");
}

/* --- drawing --- */

static void choice_lines(const struct tui_app *app, const struct lesson_question *q, struct tui_text *text)
{
	const struct tui_quiz *quiz = &app->quiz;
	for (size_t i = 0; i < q->choice_count; i++) {
		const struct lesson_choice *c = &q->choices[i];
		bool mine = quiz->answered && quiz->chosen == i;
		enum tui_style style = !quiz->answered ? TUI_PLAIN
		                       : c->right      ? TUI_GOOD
		                       : mine          ? TUI_BAD
		                                       : TUI_PLAIN;
		const char *sign = quiz->answered        ? (c->right ? "✓"
		                                            : mine   ? "✗"
		                                                     : " ")
		                   : i == quiz->selected ? "▸"
		                                         : " ";
		char *first = kt_strf("%s %zu) ", sign, i + 1);
		tui_text_gap(text);
		text->tag = (int)i;
		tui_text_prose(text, style, first, "     ", c->text);
		if (quiz->answered && c->because)
			tui_text_prose(text, TUI_DIM, "     ", "     ", c->because);
		text->tag = -1;
		kt_free(first);
	}
}

static void number_lines(const struct tui_app *app, const struct lesson_question *q, struct tui_text *text)
{
	const struct tui_quiz *quiz = &app->quiz;
	tui_text_gap(text);
	tui_text_linef(text, TUI_KEY, "a number: %s%s", kt_buf_str(&quiz->typed), quiz->answered ? "" : "_");
	if (!quiz->answered)
		return;
	tui_text_gap(text);
	if (!quiz->right)
		tui_text_linef(text, TUI_BAD, "✗ It is %g.", q->number);
	if (q->because)
		tui_text_prose(text, quiz->right ? TUI_GOOD : TUI_PLAIN, quiz->right ? "✓ " : "  ", "  ",
		               q->because);
}

static void question_text(const struct tui_app *app, struct tui_text *text)
{
	const struct lesson_question *q = question_of(app);
	const struct tui_quiz *quiz = &app->quiz;
	tui_text_prose(text, TUI_STRONG, "", "", q->ask);
	if (q->choice_count)
		choice_lines(app, q, text);
	else
		number_lines(app, q, text);
	if (quiz->answered) {
		tui_text_gap(text);
		tui_text_line(text, quiz->right ? TUI_GOOD : TUI_BAD,
		              quiz->right ? "Right." : "Not this time; it will come again.");
	}
}

static void score_text(const struct tui_app *app, struct tui_text *text)
{
	const struct tui_quiz *quiz = &app->quiz;
	const struct lesson *lesson = quiz->questions[0].lesson;
	tui_text_linef(text, TUI_STRONG, "%zu of %zu right", quiz->score, quiz->count);
	tui_text_gap(text);
	tui_text_prose(
	        text, TUI_PLAIN, "", "",
	        quiz->score == quiz->count
	                ? "All of them. They come back in some days, to see whether it stayed."
	                : "What was not right comes back tomorrow, as a review (r on the first screen).");
	if (lesson->lab && !kt_streq(quiz->title, "Review")) {
		tui_text_gap(text);
		tui_text_prose(text, TUI_PLAIN, "", "", "Next: the lab. Press l to start it.");
	}
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_quiz *quiz = &app->quiz;
	struct tui_text text;
	char *left = kt_strf("%s  %s", quiz->questions[quiz->done ? 0 : quiz->at].lesson->id, quiz->title);
	char *right =
	        quiz->done ? kt_strdup("quiz") : kt_strf("question %zu of %zu", quiz->at + 1, quiz->count);
	int width = KT_MIN(76, grid->cols - 4);
	tui_head(grid, left, right);
	tui_text_init(&text, width);
	if (quiz->done)
		score_text(app, &text);
	else
		question_text(app, &text);
	quiz->scroll = tui_text_clamp(&text, body.rows - 1, quiz->scroll);
	tui_text_draw(&text, grid,
	              (struct tui_area){body.row + 1, (grid->cols - width) / 2, body.rows - 1, width},
	              quiz->scroll);
	tui_text_clear(&text);
	kt_free(left);
	kt_free(right);
}

/* --- keys --- */

static void give_answer(struct tui_app *app, bool right, const char *answer)
{
	struct tui_quiz *quiz = &app->quiz;
	const struct tui_question *q = &quiz->questions[quiz->at];
	quiz->answered = true;
	quiz->right = right;
	quiz->score += right;
	tui_record(app, "answer",
	           kt_jsonf("{lesson: %s, question: %d, answer: %s, right: %d}", q->lesson->id,
	                    (int)q->number, answer, (int)right));
}

static void choose(struct tui_app *app, size_t choice)
{
	struct tui_quiz *quiz = &app->quiz;
	char *answer = kt_strf("%zu", choice + 1);
	quiz->selected = quiz->chosen = choice;
	give_answer(app, question_of(app)->choices[choice].right, answer);
	kt_free(answer);
}

static void answer_number(struct tui_app *app)
{
	const char *typed = kt_buf_str(&app->quiz.typed);
	char *end;
	double value = strtod(typed, &end), want = question_of(app)->number;
	if (end == typed || *end)
		tui_notice(app, "Type a number.");
	else
		give_answer(app, value >= want - 1e-9 && value <= want + 1e-9, typed);
}

static void next_question(struct tui_app *app)
{
	struct tui_quiz *quiz = &app->quiz;
	quiz->answered = quiz->right = false;
	quiz->selected = 0;
	quiz->scroll = 0;
	kt_buf_cut(&quiz->typed, 0);
	quiz->done = ++quiz->at == quiz->count;
}

static void enter(struct tui_app *app, int key)
{
	(void)key;
	if (app->quiz.done)
		tui_pop(app);
	else if (app->quiz.answered)
		next_question(app);
	else if (question_of(app)->choice_count)
		choose(app, app->quiz.selected);
	else
		answer_number(app);
}

static bool may_choose(const struct tui_app *app)
{
	return !app->quiz.done && !app->quiz.answered && question_of(app)->choice_count;
}

static bool is_answered(const struct tui_app *app)
{
	return app->quiz.done || app->quiz.answered;
}

static bool is_open(const struct tui_app *app)
{
	return !is_answered(app);
}

static void move(struct tui_app *app, int key)
{
	int at = (int)app->quiz.selected, last = (int)question_of(app)->choice_count - 1;
	tui_scroll_by(&at, key, 3);
	app->quiz.selected = (size_t)KT_MIN(at, last);
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->quiz.scroll, key, 10);
}

static void by_digit(struct tui_app *app, int key)
{
	size_t choice = (size_t)(key - '1');
	if (choice < question_of(app)->choice_count)
		choose(app, choice);
}

static bool lab_is_next(const struct tui_app *app)
{
	return app->quiz.done && app->quiz.questions[0].lesson->lab;
}

static void lab(struct tui_app *app, int key)
{
	(void)key;
	const struct lesson *lesson = app->quiz.questions[0].lesson;
	tui_pop(app);
	tui_open_lab(app, lesson);
}

static bool typed(struct tui_app *app, int key)
{
	struct tui_quiz *quiz = &app->quiz;
	if (quiz->done || quiz->answered || question_of(app)->choice_count)
		return false;
	if (key == TUI_KEY_BACKSPACE || key == 8)
		kt_buf_cut(&quiz->typed, quiz->typed.len ? quiz->typed.len - 1 : 0);
	else if (key > 0 && key < 128 && strchr("0123456789.-", key) && quiz->typed.len < 20)
		kt_buf_addc(&quiz->typed, (char)key);
	else
		return false;
	return true;
}

static const struct tui_binding keys[] = {
        {{TUI_KEY_ENTER, ' '}, "enter", "answer", "Give the selected answer.", enter, is_open},
        {{TUI_KEY_ENTER, ' '},
         "enter",
         "go on",
         "To the next question; from the score back.",
         enter,
         is_answered},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j'},
         "up down",
         "choose",
         "Select an answer (also j and k).",
         move,
         may_choose},
        {{'1', '2', '3', '4', '5', '6'}, "1-6", "answer at once", "Give this answer.", by_digit, may_choose},
        {{TUI_KEY_UP, TUI_KEY_DOWN, TUI_KEY_PAGE_UP, TUI_KEY_PAGE_DOWN, 'k', 'j'},
         "up down",
         NULL,
         "Scroll.",
         scroll,
         is_answered},
        {{'l'}, "l", "lab", "Start the lesson's lab.", lab, lab_is_next},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_quiz = {
        .name = "quiz", .title = "Quiz", .keys = keys, .draw = draw, .typed = typed};

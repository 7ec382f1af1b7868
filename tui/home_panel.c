/* SPDX-License-Identifier: MIT */
/* What the first screen says about one lesson: read, answered, done in the lab. */
#include "tui/app.h"

static void lesson_lines(const struct tui_app *app, const struct lesson *lesson, struct tui_text *text)
{
	const struct kt_json *row = tui_lesson_row(app, lesson);
	struct kt_buf when = {0};
	if (kt_get_int(row, "read", 0) > 0) {
		kt_buf_adds(&when, "read ");
		tui_day(app, kt_get_int(row, "read", 0), &when);
	} else if (row) {
		kt_buf_addf(&when, "at page %lld of %zu", (long long)kt_get_int(row, "page", 0) + 1,
		            lesson->page_count);
	}
	tui_text_linef(text, TUI_PLAIN, "lesson   %2u min   %s", lesson->minutes, kt_buf_str(&when));
	kt_buf_clear(&when);
}

static void quiz_line(const struct tui_app *app, const struct lesson *lesson, struct tui_text *text)
{
	size_t right, answered;
	if (!lesson->question_count)
		return;
	tui_quiz_score(app, lesson, &right, &answered);
	if (answered)
		tui_text_linef(text, TUI_PLAIN, "quiz     %zu of %zu", right, lesson->question_count);
	else
		tui_text_linef(text, TUI_PLAIN, "quiz     %zu questions", lesson->question_count);
}

static void lab_lines(struct tui_app *app, const struct lesson *lesson, struct tui_text *text)
{
	const struct lab *lab = lesson->lab ? tui_lab(app, lesson->lab) : NULL;
	bool here = false, drill = false, drilled = true;
	if (!lab)
		return;
	char *title = kt_strf("%s, %u min", lab->title, lab->minutes);
	tui_text_prose(text, TUI_PLAIN, "lab      ", "         ", title);
	kt_free(title);
	for (size_t i = 0; i < lab->task_count; i++) {
		const struct kt_json *row = tui_task_row(app, lab->lab, lab->tasks[i].task);
		bool passed = kt_get_int(row, "passed", 0) > 0, failed = row && !passed;
		drill = drill || lab->tasks[i].has_drill;
		drilled = drilled && (!lab->tasks[i].has_drill || passed);
		tui_text_linef(text, passed ? TUI_GOOD : TUI_PLAIN, "     %s %s%s",
		               passed   ? "✓"
		               : failed ? "✗"
		                        : "○",
		               lab->tasks[i].title, failed && !here ? " ← here" : "");
		here = here || failed;
	}
	if (drill)
		tui_text_linef(text, TUI_PLAIN, "drill    %s", drilled ? "held" : "not yet");
}

void tui_home_lesson_panel(struct tui_app *app, const struct lesson *lesson, struct tui_text *text)
{
	tui_text_linef(text, TUI_STRONG, "%s  %s", lesson->id, lesson->title);
	tui_text_gap(text);
	lesson_lines(app, lesson, text);
	quiz_line(app, lesson, text);
	lab_lines(app, lesson, text);
}

/* SPDX-License-Identifier: MIT */
/* What of the progress the screens show: marks, scores, what is due again. */
#include "tui/app.h"

#include <string.h>

#define DAY 86400

const char *tui_mark_sign(enum tui_mark mark)
{
	static const char *const signs[] = {"○", "◐", "✓"};
	return signs[mark];
}

enum tui_style tui_mark_style(enum tui_mark mark)
{
	static const enum tui_style styles[] = {TUI_DIM, TUI_WARN, TUI_GOOD};
	return styles[mark];
}

static const struct kt_json *row_of(const struct tui_app *app, const char *table, const char *key,
                                    const char *value)
{
	const struct kt_json *rows = kt_get(app->progress, table);
	ptrdiff_t i = value ? kt_find(rows, key, value) : -1;
	return i < 0 ? NULL : kt_at(rows, (size_t)i);
}

const struct kt_json *tui_lesson_row(const struct tui_app *app, const struct lesson *lesson)
{
	return row_of(app, "lessons", "lesson", lesson->id);
}

const struct kt_json *tui_lab_row(const struct tui_app *app, const char *lab)
{
	return row_of(app, "labs", "lab", lab);
}

const struct kt_json *tui_task_row(const struct tui_app *app, const char *lab, const char *task)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(app->progress, "tasks"))
		if (kt_streq(kt_get_str(row, "lab"), lab) && kt_streq(kt_get_str(row, "task"), task))
			return row;
	return NULL;
}

enum tui_mark tui_lesson_mark(const struct tui_app *app, const struct lesson *lesson)
{
	const struct kt_json *read = tui_lesson_row(app, lesson), *lab = tui_lab_row(app, lesson->lab);
	bool passed = !lesson->lab || kt_get_int(lab, "passed", 0) > 0;
	if (kt_get_int(read, "read", 0) > 0 && passed)
		return TUI_DONE;
	return read || lab ? TUI_BEGUN : TUI_TODO;
}

size_t tui_level_done(const struct tui_app *app, const struct lesson_level *level)
{
	size_t done = 0;
	for (size_t i = 0; i < level->lesson_count; i++)
		done += tui_lesson_mark(app, level->lessons[i]) == TUI_DONE;
	return done;
}

bool tui_level_open(const struct tui_app *app, size_t level)
{
	for (size_t l = 0; !app->roam && l < level; l++)
		if (tui_level_done(app, &app->course->levels[l]) < app->course->levels[l].lesson_count)
			return false;
	return true;
}

static const struct kt_json *answer_row(const struct tui_app *app, const struct lesson *lesson,
                                        size_t question)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(app->progress, "answers"))
		if (kt_get_int(row, "question", -1) == (int64_t)question &&
		    kt_streq(kt_get_str(row, "lesson"), lesson->id))
			return row;
	return NULL;
}

void tui_quiz_score(const struct tui_app *app, const struct lesson *lesson, size_t *right, size_t *answered)
{
	*right = *answered = 0;
	for (size_t i = 0; i < lesson->question_count; i++) {
		const struct kt_json *row = answer_row(app, lesson, i);
		*answered += row != NULL;
		*right += kt_get_int(row, "right", 0) != 0;
	}
}

/* A wrong answer comes again the next day, a right one after 3 days, then 6, 12 … at most 60. */
static bool is_due(const struct tui_app *app, const struct kt_json *row)
{
	int64_t times = KT_MIN(kt_get_int(row, "times", 1), 6);
	int64_t days = kt_get_int(row, "right", 0) ? KT_MIN((int64_t)3 << (times - 1), 60) : 1;
	int64_t today = app->now / KT_SEC / DAY, then = kt_get_int(row, "at", 0) / DAY;
	return today - then >= days;
}

struct tui_question *tui_due(const struct tui_app *app, size_t *count)
{
	struct tui_question *due = NULL;
	size_t cap = 0;
	*count = 0;
	for (size_t l = 0; l < app->course->level_count; l++)
		for (size_t i = 0; i < app->course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = app->course->levels[l].lessons[i];
			for (size_t q = 0; q < lesson->question_count; q++) {
				const struct kt_json *row = answer_row(app, lesson, q);
				if (!row || !is_due(app, row))
					continue;
				due = kt_grow(due, &cap, *count + 1, sizeof(*due));
				due[(*count)++] = (struct tui_question){lesson, q};
			}
		}
	return due;
}

void tui_day(const struct tui_app *app, int64_t seconds, struct kt_buf *out)
{
	int64_t days = app->now / KT_SEC / DAY - seconds / DAY;
	if (days <= 0)
		kt_buf_adds(out, "today");
	else if (days == 1)
		kt_buf_adds(out, "yesterday");
	else
		kt_buf_addf(out, "%lld days ago", (long long)days);
}

void tui_overview(const struct tui_app *app, struct kt_buf *out)
{
	kt_buf_addf(out, "%s\n", app->course->title);
	for (size_t l = 0; l < app->course->level_count; l++) {
		const struct lesson_level *level = &app->course->levels[l];
		kt_buf_addf(out, "\n%u  %s: %s", level->level, level->title, level->about);
		if (level->lesson_count)
			kt_buf_addf(out, "  (%zu of %zu)", tui_level_done(app, level), level->lesson_count);
		kt_buf_adds(out, level->lesson_count ? "\n" : "  (no lessons yet)\n");
		for (size_t i = 0; i < level->lesson_count; i++) {
			const struct lesson *lesson = level->lessons[i];
			kt_buf_addf(out, "   %s %-5s %-28s %2u min",
			            tui_mark_sign(tui_lesson_mark(app, lesson)), lesson->id, lesson->title,
			            lesson->minutes);
			if (lesson->lab)
				kt_buf_addf(out, "  lab %s", lesson->lab);
			kt_buf_addc(out, '\n');
		}
	}
	kt_buf_adds(out, "\nktutor in a terminal opens the tutor; `ktutor learn LESSON` prints a lesson, "
	                 "`ktutor lab start LAB` starts a lab.\n");
}

/* SPDX-License-Identifier: MIT */
/* The gate behind the last level: its lines, each with the learner's own tasks that earned it; then the
 * cursor waits for a word. */
#include "tui/app.h"

#include <string.h>

/* --- what is earned --- */

/* "LAB/TASK" */
static bool is_passed(const struct tui_app *app, const char *words)
{
	const char *slash = strchr(words, '/');
	char *lab = kt_strndup(words, slash ? (size_t)(slash - words) : strlen(words));
	const struct kt_json *row = slash ? tui_task_row(app, lab, slash + 1) : NULL;
	kt_free(lab);
	return kt_get_int(row, "passed", 0) > 0;
}

static enum tui_mark line_mark(const struct tui_app *app, const struct lesson_gate_line *line)
{
	size_t done = 0, begun = 0, all = 0, tasks = 0, passed = 0;
	for (; line->lessons[all]; all++) {
		const struct lesson *lesson = lesson_find(app->course, line->lessons[all]);
		enum tui_mark mark = lesson ? tui_lesson_mark(app, lesson) : TUI_TODO;
		done += mark == TUI_DONE;
		begun += mark != TUI_TODO;
	}
	for (; line->tasks[tasks]; tasks++)
		passed += is_passed(app, line->tasks[tasks]);
	return done == all && passed == tasks ? TUI_DONE : begun || passed ? TUI_BEGUN : TUI_TODO;
}

bool tui_gate_earned(const struct tui_app *app)
{
	const struct lesson_gate *gate = &app->course->gate;
	for (size_t i = 0; i < gate->line_count; i++)
		if (line_mark(app, &gate->lines[i]) != TUI_DONE)
			return false;
	for (size_t l = 0; l < app->course->level_count; l++) {
		const struct lesson_level *level = &app->course->levels[l];
		if (level->level == gate->level && tui_level_done(app, level) < level->lesson_count)
			return false;
	}
	return gate->line_count > 0;
}

bool tui_gate_open(const struct tui_app *app)
{
	const char *word = app->course->gate.word;
	return word && kt_find(kt_get(app->progress, "unlocks"), "what", word) >= 0;
}

/* --- drawing --- */

/* The titles of a lab's tasks that passed. */
static void earned_by(struct tui_app *app, const struct lesson *lesson, struct tui_text *text)
{
	const struct lab *lab = lesson->lab ? tui_lab(app, lesson->lab) : NULL;
	struct kt_buf line = {0};
	size_t some = 0;
	kt_buf_addf(&line, "%s %s: ", lesson->id, lab ? lab->title : lesson->title);
	for (size_t i = 0; lab && i < lab->task_count; i++) {
		const struct kt_json *row = tui_task_row(app, lab->lab, lab->tasks[i].task);
		if (kt_get_int(row, "passed", 0) > 0)
			kt_buf_addf(&line, "%s%s", some++ ? ", " : "", lab->tasks[i].title);
	}
	if (!some)
		kt_buf_adds(&line, lab                                        ? "to do"
		                   : tui_lesson_mark(app, lesson) == TUI_DONE ? "read"
		                                                              : "to be read");
	tui_text_prose(text, TUI_DIM, "      ", "        ", kt_buf_str(&line));
	kt_buf_clear(&line);
}

static void gate_line(struct tui_app *app, const struct lesson_gate_line *line, struct tui_text *text)
{
	enum tui_mark mark = line_mark(app, line);
	char *first = kt_strf("  %s ", tui_mark_sign(mark));
	tui_text_prose(text, mark == TUI_DONE ? TUI_GOOD : TUI_PLAIN, first, "    ", line->says);
	kt_free(first);
	for (size_t i = 0; line->lessons[i]; i++) {
		const struct lesson *lesson = lesson_find(app->course, line->lessons[i]);
		if (lesson)
			earned_by(app, lesson, text);
		else
			tui_text_linef(text, TUI_DIM, "      %s: not in this version", line->lessons[i]);
	}
	struct kt_buf tasks = {0};
	for (size_t i = 0; line->tasks[i]; i++)
		kt_buf_addf(&tasks, "%s%s %s", i ? ", " : "",
		            tui_mark_sign(is_passed(app, line->tasks[i]) ? TUI_DONE : TUI_TODO),
		            line->tasks[i]);
	if (tasks.len)
		tui_text_prose(text, TUI_DIM, "      ", "        ", kt_buf_str(&tasks));
	kt_buf_clear(&tasks);
}

static void last_lines(struct tui_app *app, struct tui_text *text)
{
	const struct lesson_gate *gate = &app->course->gate;
	tui_text_gap(text);
	if (tui_gate_open(app)) {
		tui_text_linef(text, TUI_GOOD, "  %s is open.", gate->word);
		tui_text_prose(text, TUI_STRONG, "  ", "  ", gate->after);
		tui_text_line(text, TUI_KEY, "  enter: the rounds");
	} else if (tui_gate_earned(app)) {
		tui_text_linef(text, TUI_STRONG, "  All of it is yours. Say %s.", gate->word);
		tui_text_linef(text, TUI_KEY, "  > %s_", kt_buf_str(&app->gate.typed));
	} else {
		char *line =
		        kt_strf("Each line is earned by labs. When all are, the word is %s.", gate->word);
		tui_text_prose(text, TUI_DIM, "  ", "  ", line);
		kt_free(line);
	}
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	const struct lesson_gate *gate = &app->course->gate;
	struct tui_text text;
	size_t done = 0;
	for (size_t i = 0; i < gate->line_count; i++)
		done += line_mark(app, &gate->lines[i]) == TUI_DONE;
	char *right = kt_strf("%zu of %zu earned", done, gate->line_count);
	tui_head(grid, gate->title, right);
	tui_text_init(&text, KT_MIN(grid->cols - 4, 90));
	for (size_t i = 0; i < gate->line_count; i++)
		gate_line(app, &gate->lines[i], &text);
	/* the last lines stay in sight however long the list is */
	struct tui_text last;
	tui_text_init(&last, text.width);
	last_lines(app, &last);
	int rows = body.rows - (int)last.count - 1;
	app->scroll = tui_text_clamp(&text, rows, app->scroll);
	tui_text_draw(&text, grid, (struct tui_area){body.row + 1, 1, rows, text.width + 1}, app->scroll);
	tui_text_draw(&last, grid,
	              (struct tui_area){body.row + 1 + KT_MIN(rows, (int)text.count + 1), 1, (int)last.count,
	                                text.width + 1},
	              0);
	tui_text_clear(&text);
	tui_text_clear(&last);
	kt_free(right);
}

/* --- keys --- */

static bool waits(const struct tui_app *app)
{
	return tui_gate_earned(app) && !tui_gate_open(app);
}

static void unlock(struct tui_app *app)
{
	tui_record(app, "unlock",
	           kt_jsonf("{what: %s, roaming: %d}", app->course->gate.word, (int)app->roam));
	kt_buf_cut(&app->gate.typed, 0);
	app->scroll = 0;
}

static bool typed(struct tui_app *app, int key)
{
	struct kt_buf *text = &app->gate.typed;
	if (!waits(app))
		return false;
	if (key == TUI_KEY_BACKSPACE || key == 8)
		kt_buf_cut(text, text->len ? text->len - 1 : 0);
	else if (key > ' ' && key < 127 && text->len < 20 && (text->len || key != 'q'))
		kt_buf_addc(text, (char)key);
	else
		return false;
	if (kt_streq(kt_buf_str(text), app->course->gate.word))
		unlock(app);
	return true;
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->scroll, key, 15);
}

static void rounds(struct tui_app *app, int key)
{
	(void)key;
	tui_open_rounds(app);
}

static const struct tui_binding keys[] = {
        {{TUI_KEY_ENTER, ' '}, "enter", "rounds", "To the rounds of predictions.", rounds, tui_gate_open},
        {{
                 TUI_KEY_UP,
                 TUI_KEY_DOWN,
                 TUI_KEY_PAGE_UP,
                 TUI_KEY_PAGE_DOWN,
                 TUI_KEY_HOME,
                 TUI_KEY_END,
         },
         "up down",
         "scroll",
         "Scroll.",
         scroll,
         NULL},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_gate = {
        .name = "gate", .title = "Gate", .keys = keys, .draw = draw, .typed = typed};

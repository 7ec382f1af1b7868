/* SPDX-License-Identifier: MIT */
/* The end of a lab: points, time, what was found on the way, the given solution, what comes next. */
#include "tui/work_internal.h"
#include "tui/worker.h"

#include <string.h>

#define SOLUTION_MAX (64 * 1024)
#define MET_MAX      3 /* of what a task complained about */

void tui_open_result(struct tui_app *app)
{
	memset(&app->result, 0, sizeof(app->result));
	kt_json_freep(&app->work.compared);
	tui_worker_ask(app->work.worker, kt_jsonf("{do: 'compare'}"));
	tui_push(app, &tui_screen_result);
}

static const struct lesson *next_lesson(const struct tui_app *app)
{
	bool behind = false;
	for (size_t l = 0; l < app->course->level_count; l++)
		for (size_t i = 0; i < app->course->levels[l].lesson_count; i++) {
			const struct lesson *lesson = app->course->levels[l].lessons[i];
			if (behind)
				return lesson;
			behind = lesson == app->work.lesson;
		}
	return NULL;
}

/* What a task complained about on the way, the last of it. */
static void met_lines(const struct tui_work *work, const char *task, struct tui_text *text)
{
	const struct kt_json *met = kt_get(work->met, task);
	size_t count = kt_count(met), first = count > MET_MAX ? count - MET_MAX : 0;
	for (size_t i = first; i < count; i++)
		tui_text_prose(text, TUI_PLAIN, i == first ? "  found on the way  " : "                    ",
		               "                    ", kt_str_or(kt_at(met, i), ""));
}

static void task_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct lab *lab = app->work.lab;
	for (size_t i = 0; i < lab->task_count; i++) {
		const struct kt_json *row = tui_task_row(app, lab->lab, lab->tasks[i].task);
		/* what it was when it was checked: a look since then may have caught it settling again */
		bool passed = kt_get_int(row, "passed", 0) > 0 ||
		              kt_streq(tui_task_status(&app->work, i), "passed");
		int64_t hints = kt_get_int(row, "hints", 0);
		struct kt_buf extra = {0};
		if (hints)
			kt_buf_addf(&extra, ", %lld hint%s", (long long)hints, hints == 1 ? "" : "s");
		tui_text_linef(text, passed ? TUI_GOOD : TUI_BAD, "%s %zu %s  %u pt%s", passed ? "✓" : "✗",
		               i + 1, lab->tasks[i].title, lab->tasks[i].points, kt_buf_str(&extra));
		kt_buf_clear(&extra);
	}
}

/* Below what is seen at once: how each task went, and why it matters. */
static void detail_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct lab *lab = app->work.lab;
	for (size_t i = 0; i < lab->task_count; i++) {
		tui_text_gap(text);
		tui_text_linef(text, TUI_HEADING, "%zu %s", i + 1, lab->tasks[i].title);
		if (lab->tasks[i].why)
			tui_text_prose(text, TUI_DIM, "  ", "  ", lab->tasks[i].why);
		met_lines(&app->work, lab->tasks[i].task, text);
		tui_timeline_lines(kt_get(app->work.timelines, lab->tasks[i].task), text);
	}
}

static void summary(const struct tui_app *app, struct tui_text *text)
{
	const struct kt_json *row = tui_lab_row(app, app->work.lab->lab);
	const struct lesson *next = next_lesson(app);
	struct kt_buf spent = {0};
	kt_duration_print_human(kt_get_int(row, "seconds", 0) * KT_SEC, &spent);
	tui_text_linef(text, TUI_STRONG, "%lld of %lld points   %s   attempt %lld",
	               (long long)kt_get_int(row, "points", 0), (long long)kt_get_int(row, "of", 0),
	               kt_buf_str(&spent), (long long)KT_MAX(kt_get_int(row, "attempts", 1), 1));
	kt_buf_clear(&spent);
	tui_text_gap(text);
	task_lines(app, text);
	tui_text_gap(text);
	if (app->work.lab->think) {
		tui_text_prose(text, TUI_QUOTE, "To think about: ", "  ", app->work.lab->think);
		tui_text_gap(text);
	}
	if (next)
		tui_text_linef(text, TUI_PLAIN, "Next: %s  %s (n)", next->id, next->title);
	else
		tui_text_line(text, TUI_PLAIN,
		              tui_gate_earned(app) ? "That was the last lesson. Next: the gate (n)"
		                                   : "That was the last lesson there is.");
	tui_text_line(text, TUI_PLAIN, "s shows the given solution beside yours.");
	detail_lines(app, text);
}

/* --- the given solution: what yours says differently, why it is so, its files --- */

static void difference_line(const struct kt_json *d, struct tui_text *text)
{
	const char *yours = kt_get_str(d, "yours"), *given = kt_get_str(d, "given");
	tui_text_prose(text, TUI_PLAIN, "    ", "      ", kt_str_or(kt_get(d, "path"), ""));
	tui_text_prose(text, TUI_WARN, "      yours  ", "             ", yours ? yours : "nothing");
	tui_text_prose(text, TUI_GOOD, "      given  ", "             ", given ? given : "nothing");
}

static void object_lines(const struct kt_json *row, struct tui_text *text)
{
	const struct kt_json *d, *differences = kt_get(row, "differences");
	const char *ns = kt_get_str(row, "namespace"), *near = kt_get_str(row, "nearest");
	bool there = kt_get_bool(row, "there", false), same = !kt_count(differences);
	struct kt_buf line = {0};
	kt_buf_addf(&line, "%s %s%s%s", kt_str_or(kt_get(row, "kind"), "?"), ns ? ns : "", ns ? "/" : "",
	            kt_str_or(kt_get(row, "name"), "?"));
	if (near)
		kt_buf_addf(&line, "; yours is called %s", near);
	kt_buf_adds(&line, !there && !near ? ": you have none" : same ? ": says the same" : ":");
	tui_text_prose(text, same && (there || near) ? TUI_GOOD : TUI_STRONG,
	               same && (there || near) ? "✓ " : "≠ ", "  ", kt_buf_str(&line));
	kt_buf_clear(&line);
	KT_JSON_EACH (d, differences)
		difference_line(d, text);
}

static void difference_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct kt_json *row;
	tui_text_line(text, TUI_HEADING, "Yours and the given");
	tui_text_gap(text);
	if (!app->work.compared)
		tui_text_line(text, TUI_DIM, "asking the cluster what both mean");
	KT_JSON_EACH (row, app->work.compared)
		object_lines(row, text);
}

static void file_lines(const char *path, const char *name, struct tui_text *text)
{
	struct kt_buf file = {0};
	if (!kt_is_file(path) || kt_read_file(path, SOLUTION_MAX, &file, NULL))
		return;
	tui_text_gap(text);
	tui_text_line(text, TUI_HEADING, name);
	tui_text_keep(text, TUI_CODE, "  ", kt_buf_str(&file));
	kt_buf_clear(&file);
}

/* solution.md: paragraphs run on, indented lines stay. */
static void why_lines(const char *path, struct tui_text *text)
{
	struct kt_buf file = {0}, prose = {0};
	const char *at, *line;
	size_t len;
	if (!kt_is_file(path) || kt_read_file(path, SOLUTION_MAX, &file, NULL))
		return;
	tui_text_gap(text);
	tui_text_line(text, TUI_HEADING, "Why it is solved so");
	at = kt_buf_str(&file);
	while ((line = kt_split(&at, '\n', &len))) {
		bool kept = len && *line == ' ';
		if (len && !kept)
			kt_buf_addf(&prose, "%.*s ", (int)len, line);
		if (prose.len && (!len || kept || !at)) {
			tui_text_gap(text);
			tui_text_prose(text, TUI_PLAIN, "", "", kt_buf_str(&prose));
			kt_buf_cut(&prose, 0);
		}
		if (kept) {
			char *copy = kt_strndup(line, len);
			tui_text_keep(text, TUI_CODE, "", copy);
			kt_free(copy);
		}
	}
	kt_buf_clear(&prose);
	kt_buf_clear(&file);
}

static void solution(const struct tui_app *app, struct tui_text *text)
{
	char *dir = kt_join(app->work.lab->dir, "solution"),
	     *why = kt_join(app->work.lab->dir, "solution.md");
	struct kt_strs names = {0};
	difference_lines(app, text);
	why_lines(why, text);
	if (kt_list_dir(dir, &names, NULL))
		tui_text_line(text, TUI_DIM, "There is no written solution.");
	for (size_t i = 0; i < names.count; i++) {
		char *path = kt_join(dir, names.items[i]), *name = kt_strf("solution/%s", names.items[i]);
		file_lines(path, name, text);
		kt_free(name);
		kt_free(path);
	}
	kt_strs_clear(&names);
	kt_free(why);
	kt_free(dir);
}

static void draw_part(struct tui_app *app, struct tui_grid *grid, struct tui_area area,
                      void (*lines)(const struct tui_app *app, struct tui_text *text), bool scrolls)
{
	struct tui_text text;
	int from = scrolls ? app->result.scroll : 0;
	tui_text_init(&text, area.cols - 3);
	lines(app, &text);
	from = tui_text_clamp(&text, area.rows, from);
	if (scrolls)
		app->result.scroll = from;
	tui_text_draw(&text, grid, (struct tui_area){area.row, area.col + 1, area.rows, area.cols - 2}, from);
	tui_text_clear(&text);
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	char *left =
	        kt_strf("%s  %s", app->work.lab->lesson ? app->work.lab->lesson : "", app->work.lab->title);
	bool beside = app->result.solution && grid->cols >= 110;
	int half = beside ? grid->cols / 2 : grid->cols;
	struct tui_area part = {body.row + 1, 1, body.rows - 1, half - 1};
	tui_head(grid, left, "passed");
	if (!app->result.solution || beside)
		draw_part(app, grid, part, summary, !app->result.solution);
	if (beside)
		tui_vline(grid, body.row, half, body.rows);
	if (app->result.solution)
		draw_part(app, grid,
		          beside ? (struct tui_area){part.row, half + 1, part.rows, grid->cols - half - 1}
		                 : part,
		          solution, true);
	kt_free(left);
}

static void toggle_solution(struct tui_app *app, int key)
{
	(void)key;
	app->result.solution = !app->result.solution;
	app->result.scroll = 0;
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->result.scroll, key, 15);
}

static bool has_next(const struct tui_app *app)
{
	return next_lesson(app) != NULL || tui_gate_earned(app);
}

static void open_next(struct tui_app *app, int key)
{
	const struct lesson *next = next_lesson(app);
	(void)key;
	while (app->depth > 1)
		tui_pop(app);
	if (next)
		tui_open_lesson(app, next);
	else
		tui_push(app, &tui_screen_gate);
}

static void go_home(struct tui_app *app, int key)
{
	(void)key;
	while (app->depth > 1)
		tui_pop(app);
}

static const struct tui_binding keys[] = {
        {{'s'}, "s", "solution", "The given solution, beside what you did.", toggle_solution, NULL},
        {{'n', TUI_KEY_ENTER},
         "n",
         "next",
         "On to the next lesson; behind the last one, to the gate.",
         open_next,
         has_next},
        {{'g'}, "g", "first screen", "To the first screen; the lab's shell ends.", go_home, NULL},
        TUI_SCROLL_KEYS(scroll, NULL),
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_result = {.name = "result", .title = "Result", .keys = keys, .draw = draw};

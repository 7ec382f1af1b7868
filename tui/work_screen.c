/* SPDX-License-Identifier: MIT */
/* The workspace: tasks on the left (or above), the learner's shell on the right (or below). */
#include "tui/app.h"
#include "tui/pane.h"
#include "tui/work_internal.h"
#include "tui/worker.h"

#include <string.h>

#define WIDE_COLS 100 /* from here on the panes stand side by side */
#define MAP_ROWS  30  /* from here on a small map is below the tasks */

struct layout {
	struct tui_area left, map, shell; /* rows 0: not there */
	bool stacked;
};

static struct layout lay_out(const struct tui_app *app, struct tui_area body)
{
	struct layout l = {.left = body, .shell = body, .stacked = body.cols < WIDE_COLS};
	bool panel = app->work.panel != TUI_PANEL_TASKS;
	if (l.stacked && panel && !app->work.shell_focus) { /* a panel alone */
		l.shell.rows = 0;
	} else if (l.stacked) {
		l.left.rows = KT_MAX(body.rows * 2 / 5, 5);
		l.shell.row = body.row + l.left.rows + 1;
		l.shell.rows = body.rows - l.left.rows - 1;
	} else {
		l.left.cols = KT_MIN(KT_MAX(body.cols * 45 / 100, 44), 76);
		l.shell.col = l.left.cols + 1;
		l.shell.cols = body.cols - l.shell.col;
		if (body.rows >= MAP_ROWS && !panel) {
			l.map = l.left;
			l.map.rows = 10;
			l.left.rows -= l.map.rows + 1;
			l.map.row = l.left.row + l.left.rows + 1;
		}
	}
	return l;
}

/* --- the head --- */

static void draw_head(const struct tui_app *app, struct tui_grid *grid)
{
	const struct tui_work *work = &app->work;
	const struct kt_json *clock = kt_get(work->world, "clock");
	long long spent = (long long)(kt_get_int(tui_lab_row(app, work->lab->lab), "seconds", 0) +
	                              (app->now - work->counted) / KT_SEC);
	size_t nodes = 0;
	const struct kt_json *node;
	KT_JSON_EACH (node, kt_get(work->world, "nodes"))
		nodes += !kt_get_bool(node, "control", false);
	char *left = kt_strf("%s  %s", work->lab->lesson ? work->lab->lesson : "", work->lab->title);
	struct kt_buf right = {0};
	kt_buf_addf(&right, "%s · %zu nodes · %02lld:%02lld:%02lld",
	            app->provider ? app->provider : providers[0]->name, nodes, spent / 3600, spent / 60 % 60,
	            spent % 60);
	if (kt_get_bool(clock, "paused", false))
		kt_buf_adds(&right, " · time stands");
	else if (clock)
		kt_buf_addf(&right, " · time %gx", kt_real_or(kt_get(clock, "speed"), 1));
	tui_head(grid, left, kt_buf_str(&right));
	kt_buf_clear(&right);
	kt_free(left);
}

/* --- tasks --- */

static const struct {
	const char *status, *sign;
	enum tui_style style;
} marks[] = {{"passed", "✓", TUI_GOOD}, {"failed", "✗", TUI_BAD},   {"drill", "◐", TUI_WARN},
             {"blocked", "○", TUI_DIM}, {"unknown", "?", TUI_WARN}, {"", "○", TUI_DIM}};

static size_t mark_of(const char *status)
{
	for (size_t i = 0; i < KT_COUNT(marks); i++)
		if (kt_streq(marks[i].status, status))
			return i;
	return KT_COUNT(marks) - 1;
}

void tui_finding_lines(const struct kt_json *finding, struct tui_text *text)
{
	const char *expected = kt_get_str(finding, "expected"), *found = kt_get_str(finding, "found"),
	           *object = kt_get_str(finding, "object"), *table = kt_get_str(finding, "table");
	bool where = object && !(found && strstr(found, object)) && !(expected && strstr(expected, object));
	if (expected)
		tui_text_prose(text, TUI_PLAIN, "    expected  ", "              ", expected);
	if (found)
		tui_text_prose(text, TUI_BAD, "    found     ", "              ", found);
	if (where)
		tui_text_prose(text, TUI_DIM, "    where     ", "              ", object);
	if (table)
		tui_text_keep(text, TUI_PLAIN, "      ", table);
}

static void about_task(const struct tui_work *work, size_t i, const char *status, struct tui_text *text)
{
	const struct lab_task *task = &work->lab->tasks[i];
	const struct kt_json *finding;
	ptrdiff_t at = kt_find(work->tasks, "task", task->task);
	const struct kt_json *row = at < 0 ? NULL : kt_at(work->tasks, (size_t)at);
	if (kt_streq(status, "failed") && !kt_count(kt_get(row, "findings"))) { /* of the last whole check */
		at = kt_find(work->drills, "task", task->task);
		row = at < 0 ? NULL : kt_at(work->drills, (size_t)at);
	}
	if (kt_streq(status, "blocked") || !*status)
		tui_text_prose(text, TUI_DIM, "    ", "    ",
		               kt_streq(status, "blocked") ? "Comes after the tasks before it."
		                                           : "Not looked at yet.");
	else if (kt_streq(status, "drill"))
		tui_text_prose(text, TUI_WARN, "    ", "    ",
		               work->lab->tasks[i].has_drill
		                       ? "Set up rightly. F3 runs the drill that proves it."
		                       : "Right as far as a look can tell. F3 looks at the rest.");
	KT_JSON_EACH (finding, kt_get(row, "findings"))
		tui_finding_lines(finding, text);
}

static void draw_task(const struct tui_app *app, struct tui_grid *grid, struct tui_area area, size_t i)
{
	const struct tui_work *work = &app->work;
	const struct lab_task *task = &work->lab->tasks[i];
	size_t mark = mark_of(tui_task_status(work, i));
	int row = area.row;
	tui_put(grid, row, area.col + 1, 1, marks[mark].style, marks[mark].sign);
	if (i < KT_COUNT(work->changed) && work->changed[i] && app->now - work->changed[i] < KT_SEC)
		tui_mark(grid, (struct tui_area){row, area.col + 1, 1, 1}, TUI_CHANGED);
	tui_putf(grid, row, area.col + 3, area.cols - 10, TUI_PLAIN, "%zu %s", i + 1, task->title);
	char *points = kt_strf("%u pt", task->points);
	tui_put_right(grid, row, area.col + area.cols - 1, 6, TUI_DIM, points);
	kt_free(points);
	if (i == work->task) {
		tui_put(grid, row, area.col, 1, TUI_KEY, "▸");
		if (!work->shell_focus)
			tui_mark(grid, (struct tui_area){row, area.col, 1, area.cols}, TUI_REVERSE);
	}
}

/* All tasks keep a line each while there is room; the findings of the selected one fill the rest. */
static void draw_tasks(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	struct tui_work *work = &app->work;
	struct tui_text text;
	int count = (int)work->lab->task_count, selected = (int)work->task;
	tui_text_init(&text, area.cols - 2);
	about_task(work, work->task, tui_task_status(work, work->task), &text);
	int room = KT_MAX(area.rows - count, KT_MIN(3, area.rows - 1));
	int about = KT_MIN((int)text.count, room);
	int first = KT_MAX(0, selected + 1 + about - area.rows);
	first = KT_MIN(first, selected);
	int row = area.row;
	for (int i = first; i < count && row < area.row + area.rows; i++) {
		draw_task(app, grid, (struct tui_area){row++, area.col, 1, area.cols}, (size_t)i);
		if (i != selected)
			continue;
		work->scroll = tui_text_clamp(&text, about, work->scroll);
		tui_text_draw(&text, grid, (struct tui_area){row, area.col, about, area.cols - 1},
		              work->scroll);
		row += about;
	}
	tui_text_clear(&text);
}

static void draw_busy(const struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	const struct tui_work *work = &app->work;
	struct kt_buf line = {0};
	int row = area.row + area.rows - 1;
	if (!work->busy[0])
		return;
	kt_buf_addf(&line, "◐ %s", work->busy);
	if (work->busy_limit >= KT_SEC)
		kt_buf_addf(&line, " (%lld of at most %lld s)", (long long)(work->busy_elapsed / KT_SEC),
		            (long long)(work->busy_limit / KT_SEC));
	tui_grid_wipe(grid, (struct tui_area){row, area.col, 1, area.cols});
	tui_put(grid, row, area.col + 1, area.cols - 2, TUI_WARN, kt_buf_str(&line));
	kt_buf_clear(&line);
}

/* --- all of it --- */

static void draw_left(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	if (app->work.panel == TUI_PANEL_TASKS)
		draw_tasks(app, grid, area);
	else
		tui_draw_panel(app, grid, area);
	draw_busy(app, grid, area);
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_work *work = &app->work;
	struct layout l = lay_out(app, body);
	work->stacked = l.stacked;
	draw_head(app, grid);
	draw_left(app, grid, l.left);
	if (l.map.rows) {
		tui_hline(grid, l.map.row - 1, 0, l.left.cols);
		tui_draw_map(app, grid, l.map);
	}
	if (!l.stacked)
		tui_vline(grid, body.row, l.left.cols, body.rows);
	else if (l.shell.rows) {
		tui_hline(grid, l.shell.row - 1, 0, body.cols);
		tui_put(grid, l.shell.row - 1, 2, 20, work->shell_focus ? TUI_KEY : TUI_DIM, " shell ");
	}
	if (l.shell.rows && work->pane) {
		tui_pane_size(work->pane, l.shell.rows, l.shell.cols);
		tui_pane_draw(work->pane, grid, l.shell, work->shell_focus);
	}
}

/* --- keys --- */

static void open_panel(struct tui_app *app, enum tui_panel panel)
{
	struct tui_work *work = &app->work;
	bool close = work->panel == panel && panel != TUI_PANEL_HINT;
	work->panel = close ? TUI_PANEL_TASKS : panel;
	work->scroll = 0;
	work->shell_focus = close || !(work->stacked || panel == TUI_PANEL_TIME || panel == TUI_PANEL_WHY);
}

static void text_panel(struct tui_app *app, int key)
{
	(void)key;
	open_panel(app, TUI_PANEL_TEXT);
}

static void hint_panel(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	const struct lab_task *task = &work->lab->tasks[work->task];
	unsigned used = (unsigned)kt_get_int(tui_task_row(app, work->lab->lab, task->task), "hints", 0);
	bool more = !used || work->panel == TUI_PANEL_HINT;
	(void)key;
	if (more && used < task->hint_count)
		tui_record(
		        app, "hint",
		        kt_jsonf("{lab: %s, task: %s, hint: %d}", work->lab->lab, task->task, (int)used + 1));
	else if (more && used)
		tui_notice(app, "There are no more hints for this task.");
	open_panel(app, TUI_PANEL_HINT);
}

static void map_panel(struct tui_app *app, int key)
{
	(void)key;
	open_panel(app, TUI_PANEL_MAP);
}

static void why_panel(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	(void)key;
	kt_json_freep(&work->why);
	const char *path;
	char *object = tui_why_object(work, &path);
	if (object)
		tui_worker_ask(work->worker, kt_jsonf("{do: 'why', object: %s}", object));
	kt_free(object);
	open_panel(app, TUI_PANEL_WHY);
}

static void time_panel(struct tui_app *app, int key)
{
	(void)key;
	open_panel(app, TUI_PANEL_TIME);
}

static void check_now(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	(void)key;
	if (work->finished) {
		tui_open_result(app);
		return;
	}
	if (work->checking)
		return;
	work->checking = true;
	work->busy_limit = 0;
	memcpy(work->busy, "checking", sizeof("checking"));
	tui_worker_ask(work->worker, kt_jsonf("{do: 'check'}"));
}

static void open_lesson(struct tui_app *app, int key)
{
	(void)key;
	tui_open_lesson(app, app->work.lesson);
}

static void do_reset(struct tui_app *app)
{
	tui_worker_ask(app->work.worker, kt_jsonf("{do: 'reset'}"));
}

static void reset(struct tui_app *app, int key)
{
	(void)key;
	tui_ask(app, do_reset,
	        "Put the cluster back to the start of the lab? What you made in it is lost; your files "
	        "stay.");
}

static void leave(struct tui_app *app, int key)
{
	(void)key;
	tui_pop(app);
}

static void switch_pane(struct tui_app *app, int key)
{
	(void)key;
	app->work.shell_focus = !app->work.shell_focus;
}

static bool on_left(const struct tui_app *app)
{
	return !app->work.shell_focus;
}

static bool in_panel(const struct tui_app *app)
{
	return on_left(app) && app->work.panel != TUI_PANEL_TASKS;
}

static bool in_time(const struct tui_app *app)
{
	return on_left(app) && app->work.panel == TUI_PANEL_TIME;
}

static bool is_busy(const struct tui_app *app)
{
	return on_left(app) && app->work.checking;
}

static void close_panel(struct tui_app *app, int key)
{
	(void)key;
	app->work.panel = TUI_PANEL_TASKS;
	app->work.shell_focus = true;
}

static void cancel(struct tui_app *app, int key)
{
	(void)key;
	tui_worker_ask(app->work.worker, kt_jsonf("{do: 'cancel'}"));
}

static void move(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	if (work->panel != TUI_PANEL_TASKS) {
		tui_scroll_by(&work->scroll, key, 10);
		return;
	}
	int at = (int)work->task;
	tui_scroll_by(&at, key, 3);
	work->task = (size_t)KT_MIN(at, (int)work->lab->task_count - 1);
	work->scroll = 0;
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->work.scroll, key, 5);
}

static const struct tui_binding keys[] = {
        {{TUI_KEY_F0 + 1},
         "F1",
         "text",
         "What the task asks for; again: back to the tasks.",
         text_panel,
         NULL},
        {{TUI_KEY_F0 + 2},
         "F2",
         "hint",
         "A hint for the selected task; again: the next one.",
         hint_panel,
         NULL},
        {{TUI_KEY_F0 + 3}, "F3", "check", "Check everything now, with the drills.", check_now, NULL},
        {{TUI_KEY_F0 + 4}, "F4", "map", "The cluster: zones, nodes, pods.", map_panel, NULL},
        {{TUI_KEY_F0 + 5},
         "F5",
         "why",
         "What happened to the object that a task complains about.",
         why_panel,
         NULL},
        {{TUI_KEY_F0 + 6}, "F6", "time", "Pause the cluster's time, hurry it, jump.", time_panel, NULL},
        {{TUI_KEY_F0 + 7}, "F7", "lesson", "Read the lesson again; q comes back.", open_lesson, NULL},
        {{TUI_KEY_F0 + 8}, "F8", "reset", "Put the cluster back to the lab's start.", reset, NULL},
        {{TUI_KEY_F0 + 10}, "F10", "leave", "Leave the lab. The cluster stays, and goes on.", leave, NULL},
        {{TUI_KEY_SWITCH}, "^]", "pane", "ctrl and ]: between the shell and the tasks.", switch_pane, NULL},
        {{TUI_KEY_ESC, 'q'}, "esc", "cancel", "Stop the check that runs.", cancel, is_busy},
        {{TUI_KEY_ESC, 'q'}, "q", "tasks", "Back to the tasks.", close_panel, in_panel},
        {{'p'}, "p", NULL, "Time stands still, or goes on.", tui_time_key, in_time},
        {{'1', '2', '3'}, "1 2 3", NULL, "Time at 1x, 10x, 60x.", tui_time_key, in_time},
        {{'m', 't', 'h'},
         "m t h",
         NULL,
         "A minute, ten minutes, an hour pass at once.",
         tui_time_key,
         in_time},
        {{'n'}, "n", NULL, "Jump to the next moment at which something happens.", tui_time_key, in_time},
        {{'b'}, "b", NULL, "Five minutes back, as far as the history goes.", tui_time_key, in_time},
        {{TUI_KEY_LEFT, TUI_KEY_RIGHT},
         "left right",
         NULL,
         "Choose an earlier moment.",
         tui_time_choose,
         in_time},
        {{TUI_KEY_ENTER}, "enter", NULL, "Go back to the moment that is chosen.", tui_time_key, in_time},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j'},
         "up down",
         NULL,
         "Select a task; scroll a panel.",
         move,
         on_left},
        {{TUI_KEY_PAGE_UP, TUI_KEY_PAGE_DOWN}, "pages", NULL, "Scroll what was found.", scroll, on_left},
        TUI_NO_KEYS,
};

/* While the shell has the keys, only these are ours. */
static bool is_ours(int key)
{
	return key == TUI_KEY_SWITCH || (key > TUI_KEY_F0 && key <= TUI_KEY_F0 + 10 && key != TUI_KEY_F0 + 9);
}

static bool typed(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	if (!work->shell_focus || is_ours(key))
		return false;
	if (work->pane && !tui_pane_alive(work->pane) && app->loop) {
		if (key == TUI_KEY_ENTER)
			tui_work_new_shell(app);
		return true;
	}
	if (work->pane)
		tui_pane_key(work->pane, key);
	return true;
}

static bool typing(const struct tui_app *app)
{
	return app->work.shell_focus;
}

static void mouse(struct tui_app *app, int row, int col, int wheel)
{
	struct tui_work *work = &app->work;
	(void)row;
	bool shell = work->stacked ? work->shell_focus : col > 44;
	if (wheel && shell && work->pane)
		tui_pane_scroll(work->pane, -3 * wheel);
	else if (wheel)
		move(app, wheel < 0 ? TUI_KEY_UP : TUI_KEY_DOWN);
	else if (!work->stacked)
		work->shell_focus = shell;
	else
		switch_pane(app, 0);
}

/* F2 says how many hints are left for the selected task. */
static const char *does(const struct tui_app *app, int key)
{
	static const char *const hints[] = {"no hints", "hint (1)", "hint (2)",
	                                    "hint (3)", "hint (4)", "hint (5)"};
	const struct tui_work *work = &app->work;
	if (key != TUI_KEY_F0 + 2 || !work->lab || in_panel(app)) /* a panel has keys of its own to name */
		return NULL;
	const struct lab_task *task = &work->lab->tasks[work->task];
	size_t used = (size_t)kt_get_int(tui_task_row(app, work->lab->lab, task->task), "hints", 0),
	       left = task->hint_count > used ? task->hint_count - used : 0;
	return left < KT_COUNT(hints) ? hints[left] : NULL;
}

static void leave_work(struct tui_app *app)
{
	tui_work_count_time(app);
	tui_work_clear(&app->work);
}

const struct tui_screen tui_screen_work = {.name = "lab",
                                           .title = "Lab",
                                           .keys = keys,
                                           .spare = {TUI_KEY_F0 + 7, TUI_KEY_F0 + 8},
                                           .draw = draw,
                                           .typed = typed,
                                           .typing = typing,
                                           .mouse = mouse,
                                           .leave = leave_work,
                                           .does = does};

/* SPDX-License-Identifier: MIT */
/* The first screen: levels, the lessons of one of them, and what is known about the one that is selected. */
#include "tui/app.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A row of the list: a level, or a lesson of the open level, or (past all levels) EXPERT. */
struct row {
	size_t level;
	const struct lesson *lesson;
};

static size_t row_count(const struct tui_app *app)
{
	size_t open = app->home.open < app->course->level_count
	                      ? app->course->levels[app->home.open].lesson_count
	                      : 0;
	return app->course->level_count + open + (app->course->gate.line_count ? 1 : 0);
}

static struct row row_at(const struct tui_app *app, size_t i)
{
	for (size_t l = 0; l < app->course->level_count; l++) {
		const struct lesson_level *level = &app->course->levels[l];
		if (!i--)
			return (struct row){l, NULL};
		if (l == app->home.open && i < level->lesson_count)
			return (struct row){l, level->lessons[i]};
		i -= l == app->home.open ? level->lesson_count : 0;
	}
	return (struct row){app->course->level_count, NULL};
}

static void select_lesson(struct tui_app *app, size_t level, const struct lesson *lesson)
{
	app->home.open = level;
	for (size_t i = 0; i < row_count(app); i++)
		if (row_at(app, i).level == level && row_at(app, i).lesson == lesson)
			app->home.selected = i;
}

/* --- drawing --- */

static void draw_level(struct tui_app *app, struct tui_grid *grid, int row, int cols, size_t l)
{
	const struct lesson_level *level = &app->course->levels[l];
	size_t done = tui_level_done(app, level);
	bool here = l == app->home.open, wide = cols >= 54;
	int title = wide ? 18 : 16;
	tui_putf(grid, row, 0, 4, here ? TUI_STRONG : TUI_PLAIN, "%s %u", here ? "▾" : " ", level->level);
	tui_put(grid, row, 4, title, here ? TUI_STRONG : TUI_PLAIN, level->title);
	int at = 4 + title;
	if (wide) {
		tui_put(grid, row, at, 13, TUI_DIM, level->about);
		at += 14;
	}
	if (!level->lesson_count) {
		tui_put(grid, row, at, cols - at, TUI_DIM, "to come");
		return;
	}
	tui_bar(grid, row, at, 10, done, level->lesson_count);
	at += 11;
	at += tui_putf(grid, row, at, cols - at, TUI_PLAIN, "%zu/%zu ", done, level->lesson_count);
	if (done == level->lesson_count)
		tui_put(grid, row, at, cols - at, TUI_GOOD, "✓");
	else if (!tui_level_open(app, l))
		tui_put(grid, row, at, cols - at, TUI_DIM, "locked");
}

static void draw_gate_row(const struct tui_app *app, struct tui_grid *grid, int at, int cols)
{
	const struct lesson_gate *gate = &app->course->gate;
	bool open = tui_gate_open(app), earned = !open && tui_gate_earned(app);
	tui_putf(grid, at, 2, 18, open || earned ? TUI_STRONG : TUI_DIM, "▪ %s", gate->word);
	if (open)
		tui_put(grid, at, 20, cols - 21, TUI_GOOD, "✓ open");
	else if (earned)
		tui_putf(grid, at, 20, cols - 21, TUI_KEY, "say %s", gate->word);
	else
		tui_putf(grid, at, 20, cols - 21, TUI_DIM, "locked: finish level %u", gate->level);
}

static void draw_row(struct tui_app *app, struct tui_grid *grid, int at, int cols, size_t i)
{
	struct row row = row_at(app, i);
	if (row.lesson) {
		enum tui_mark mark = tui_lesson_mark(app, row.lesson);
		tui_put(grid, at, 6, 2, tui_mark_style(mark), tui_mark_sign(mark));
		tui_putf(grid, at, 8, cols - 9, TUI_PLAIN, "%2u %s", row.lesson->number, row.lesson->title);
	} else if (row.level < app->course->level_count) {
		draw_level(app, grid, at, cols, row.level);
	} else {
		draw_gate_row(app, grid, at, cols);
	}
	if (i == app->home.selected) {
		tui_put(grid, at, row.lesson ? 4 : 0, 1, TUI_KEY, "▸");
		tui_mark(grid, (struct tui_area){at, 0, 1, cols}, TUI_REVERSE);
	}
}

static void draw_list(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	struct tui_home *home = &app->home;
	int count = (int)row_count(app), selected = (int)home->selected;
	home->scroll = KT_MIN(home->scroll, KT_MAX(count - area.rows, 0));
	home->scroll = KT_MIN(home->scroll, selected);
	home->scroll = KT_MAX(home->scroll, selected - area.rows + 1);
	for (int r = 0; r < area.rows && home->scroll + r < count; r++)
		draw_row(app, grid, area.row + r, area.cols, (size_t)(home->scroll + r));
	if (home->scroll > 0)
		tui_put(grid, area.row, area.cols - 1, 1, TUI_KEY, "▲");
	if (home->scroll + area.rows < count)
		tui_put(grid, area.row + area.rows - 1, area.cols - 1, 1, TUI_KEY, "▼");
}

static void level_panel(const struct tui_app *app, size_t l, struct tui_text *text)
{
	if (l >= app->course->level_count) {
		const struct lesson_gate *gate = &app->course->gate;
		tui_text_prose(text, TUI_STRONG, "", "", gate->word);
		tui_text_gap(text);
		tui_text_prose(text, TUI_PLAIN, "", "", gate->after);
		for (size_t i = 0; i < gate->line_count; i++)
			tui_text_prose(text, TUI_DIM, "• ", "  ", gate->lines[i].says);
		return;
	}
	const struct lesson_level *level = &app->course->levels[l];
	unsigned minutes = 0;
	for (size_t i = 0; i < level->lesson_count; i++)
		minutes += level->lessons[i]->minutes;
	tui_text_linef(text, TUI_STRONG, "%u  %s", level->level, level->title);
	tui_text_gap(text);
	tui_text_linef(text, TUI_PLAIN, "about     %s", level->about);
	if (!level->lesson_count) {
		tui_text_line(text, TUI_DIM, "          no lessons in this version");
		return;
	}
	tui_text_linef(text, TUI_PLAIN, "lessons   %zu, %zu done", level->lesson_count,
	               tui_level_done(app, level));
	tui_text_linef(text, TUI_PLAIN, "reading   %u min", minutes);
	if (!tui_level_open(app, l)) {
		tui_text_gap(text);
		tui_text_prose(text, TUI_WARN, "", "", "Locked: finish the levels before it.");
	}
}

static void due_line(const struct tui_app *app, struct tui_text *text)
{
	size_t count;
	struct tui_question *due = tui_due(app, &count);
	kt_free(due);
	if (!count)
		return;
	tui_text_gap(text);
	char *line = kt_strf("due again today: %zu question%s (r)", count, count == 1 ? "" : "s");
	tui_text_prose(text, TUI_WARN, "", "  ", line);
	kt_free(line);
}

static void draw_panel(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	struct row row = row_at(app, app->home.selected);
	struct tui_text text;
	tui_text_init(&text, area.cols);
	if (row.lesson)
		tui_home_lesson_panel(app, row.lesson, &text);
	else
		level_panel(app, row.level, &text);
	due_line(app, &text);
	tui_text_draw(&text, grid, area, 0);
	tui_text_clear(&text);
}

static void draw_cluster_line(struct tui_app *app, struct tui_grid *grid, int row)
{
	char *dir = app->options->home ? lab_current(app->options->home) : NULL;
	char *engine = kt_which("docker"), *kind = kt_which("kind");
	if (!engine)
		engine = kt_which("podman");
	struct kt_buf line = {0};
	kt_buf_addf(&line, "cluster: %s", app->provider ? app->provider : providers[0]->name);
	if (dir)
		kt_buf_addf(&line, ", lab %s started", kt_basename(dir));
	if (engine && kind)
		kt_buf_addf(&line, " · c chooses a real one (%s, kind)", kt_basename(engine));
	tui_put(grid, row, 1, grid->cols - 2, TUI_DIM, kt_buf_str(&line));
	kt_buf_clear(&line);
	kt_free(engine);
	kt_free(kind);
	kt_free(dir);
}

static void draw_head(const struct tui_app *app, struct tui_grid *grid)
{
	size_t all = 0, done = 0;
	for (size_t l = 0; l < app->course->level_count; l++) {
		all += app->course->levels[l].lesson_count;
		done += tui_level_done(app, &app->course->levels[l]);
	}
	int64_t days = KT_MAX(kt_path_int(app->progress, "days.0.days", 0), 1);
	char *right = kt_strf("%s%s%zu of %zu lessons · day %lld", app->learner ? app->learner : "",
	                      app->learner ? " · " : "", done, all, (long long)days);
	tui_head(grid, "ktutor", right);
	kt_free(right);
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	int list = KT_MIN(KT_MAX(grid->cols * 56 / 100, 42), 64), rows = body.rows - 1;
	draw_head(app, grid);
	draw_list(app, grid, (struct tui_area){body.row, 0, rows, list});
	tui_vline(grid, body.row, list, rows);
	draw_panel(app, grid, (struct tui_area){body.row, list + 2, rows, grid->cols - list - 3});
	if (app->home.searching)
		tui_putf(grid, body.row + rows, 1, grid->cols - 2, TUI_KEY, "/%s_",
		         kt_buf_str(&app->home.search));
	else
		draw_cluster_line(app, grid, body.row + rows);
}

/* --- keys --- */

static void move(struct tui_app *app, int key)
{
	int at = (int)app->home.selected;
	tui_scroll_by(&at, key, 10);
	app->home.selected = (size_t)KT_MIN(at, (int)row_count(app) - 1);
}

static void roam_then_open(struct tui_app *app)
{
	tui_record(app, "setting", kt_jsonf("{name: 'roam', value: 'on'}"));
	struct row row = row_at(app, app->home.selected);
	if (row.lesson)
		tui_open_lesson(app, row.lesson);
}

static bool may_open(struct tui_app *app, size_t level)
{
	if (tui_level_open(app, level))
		return true;
	tui_ask(app, roam_then_open,
	        "Level %u opens when the levels before it are passed. Roam freely instead? Your record will "
	        "say that you did.",
	        app->course->levels[level].level);
	return false;
}

static void open_row(struct tui_app *app, int key)
{
	struct row row = row_at(app, app->home.selected);
	(void)key;
	if (row.lesson) {
		if (may_open(app, row.level))
			tui_open_lesson(app, row.lesson);
	} else if (row.level >= app->course->level_count) {
		tui_push(app, &tui_screen_gate);
	} else {
		size_t open = app->home.open == row.level ? app->course->level_count : row.level;
		select_lesson(app, open, NULL);
		if (open == app->course->level_count)
			app->home.selected = row.level;
	}
}

static void close_level(struct tui_app *app, int key)
{
	struct row row = row_at(app, app->home.selected);
	(void)key;
	if (row.lesson)
		select_lesson(app, row.level, NULL);
	else if (row.level == app->home.open)
		open_row(app, key);
}

static const struct lesson *selected_lesson(const struct tui_app *app)
{
	return row_at(app, app->home.selected).lesson;
}

static bool has_lab(const struct tui_app *app)
{
	const struct lesson *lesson = selected_lesson(app);
	return lesson && lesson->lab;
}

static bool has_quiz(const struct tui_app *app)
{
	const struct lesson *lesson = selected_lesson(app);
	return lesson && lesson->question_count;
}

static void open_lab(struct tui_app *app, int key)
{
	(void)key;
	if (may_open(app, row_at(app, app->home.selected).level))
		tui_open_lab(app, selected_lesson(app));
}

static void open_quiz(struct tui_app *app, int key)
{
	(void)key;
	if (may_open(app, row_at(app, app->home.selected).level))
		tui_open_quiz(app, selected_lesson(app));
}

static void open_review(struct tui_app *app, int key)
{
	(void)key;
	tui_open_review(app);
}

static void open_progress(struct tui_app *app, int key)
{
	(void)key;
	tui_push(app, &tui_screen_progress);
}

static void open_cluster(struct tui_app *app, int key)
{
	(void)key;
	app->choice = 0;
	tui_push(app, &tui_screen_cluster);
}

/* --- search: the next lesson whose title, or lab, has what is typed --- */

static bool holds(const char *text, const char *part)
{
	size_t len = strlen(part);
	for (; text && *text; text++)
		if (!strncasecmp(text, part, len))
			return true;
	return false;
}

static void search_on(struct tui_app *app, bool next)
{
	const char *part = kt_buf_str(&app->home.search);
	const struct lesson *now = selected_lesson(app);
	bool behind = !now;
	for (unsigned round = 0; round < 2; round++)
		for (size_t l = 0; l < app->course->level_count; l++)
			for (size_t i = 0; i < app->course->levels[l].lesson_count; i++) {
				const struct lesson *lesson = app->course->levels[l].lessons[i];
				bool is_now = lesson == now;
				if ((behind || (is_now && !next)) &&
				    (holds(lesson->title, part) || holds(lesson->lab, part))) {
					select_lesson(app, l, lesson);
					return;
				}
				behind = behind || is_now;
			}
	tui_notice(app, "no lesson is called '%s'", part);
}

static void search(struct tui_app *app, int key)
{
	(void)key;
	app->home.searching = true;
	kt_buf_cut(&app->home.search, 0);
}

static void search_next(struct tui_app *app, int key)
{
	(void)key;
	search_on(app, true);
}

static bool searched(const struct tui_app *app)
{
	return app->home.search.len > 0;
}

static bool typing(const struct tui_app *app)
{
	return app->home.searching;
}

static bool typed(struct tui_app *app, int key)
{
	struct tui_home *home = &app->home;
	if (!home->searching)
		return false;
	if (key == TUI_KEY_ENTER || key == TUI_KEY_ESC) {
		home->searching = false;
	} else if (key == TUI_KEY_BACKSPACE || key == 8) {
		kt_buf_cut(&home->search, home->search.len ? home->search.len - 1 : 0);
	} else if (key >= ' ' && key < 127 && home->search.len < 40) {
		kt_buf_addc(&home->search, (char)key);
		search_on(app, false);
	}
	return true;
}

static void mouse(struct tui_app *app, int row, int col, int wheel)
{
	size_t at = (size_t)(row - 2 + app->home.scroll);
	(void)col;
	if (wheel) {
		move(app, wheel < 0 ? TUI_KEY_UP : TUI_KEY_DOWN);
	} else if (row >= 2 && at < row_count(app)) {
		bool again = at == app->home.selected;
		app->home.selected = at;
		if (again || !row_at(app, at).lesson)
			open_row(app, 0);
	}
}

static const struct tui_binding keys[] = {
        {{TUI_KEY_ENTER, TUI_KEY_RIGHT, ' '},
         "enter",
         "open",
         "Open the lesson; open or close the level.",
         open_row,
         NULL},
        {{'l'}, "l", "lab", "Start the lesson's lab.", open_lab, has_lab},
        {{'z'}, "z", "quiz", "The lesson's questions.", open_quiz, has_quiz},
        {{'r'}, "r", "review", "Questions that are due again today.", open_review, NULL},
        {{'/'}, "/", "search", "Search for a lesson by a word of its title.", search, NULL},
        {{'n'}, "n", NULL, "The next one that was searched for.", search_next, searched},
        {{'p'}, "p", "progress", "What you have done so far.", open_progress, NULL},
        {{'c'}, "c", "cluster", "Which kind of cluster the labs run on.", open_cluster, NULL},
        {{TUI_KEY_LEFT, 'h'}, "left", NULL, "Close the level.", close_level, NULL},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j'},
         "up down",
         NULL,
         "Move (also j and k, and the mouse).",
         move,
         NULL},
        {{TUI_KEY_HOME, TUI_KEY_END, TUI_KEY_PAGE_UP, TUI_KEY_PAGE_DOWN},
         "pages",
         NULL,
         "To the first, to the last, ten rows up or down.",
         move,
         NULL},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_home = {.name = "home",
                                           .title = "Home",
                                           .keys = keys,
                                           .draw = draw,
                                           .typed = typed,
                                           .typing = typing,
                                           .mouse = mouse};

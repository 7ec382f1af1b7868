/* SPDX-License-Identifier: MIT */
/* Small screens: progress, the choice of a cluster, a yes or no. */
#include "tui/app.h"

#include <string.h>

static void draw_text(struct tui_app *app, struct tui_grid *grid, struct tui_area body, struct tui_text *text)
{
	app->scroll = tui_text_clamp(text, body.rows - 1, app->scroll);
	tui_text_draw(text, grid, (struct tui_area){body.row + 1, 2, body.rows - 1, text->width},
	              app->scroll);
	tui_text_clear(text);
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->scroll, key, 15);
}

/* --- progress --- */

static void quiz_total(const struct tui_app *app, struct tui_text *text)
{
	size_t right = 0, all = kt_count(kt_get(app->progress, "answers"));
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(app->progress, "answers"))
		right += kt_get_int(row, "right", 0) != 0;
	tui_text_gap(text);
	tui_text_linef(text, TUI_PLAIN, "quiz answers: %zu of %zu right", right, all);
}

static void lab_rows(const struct tui_app *app, struct tui_text *text)
{
	const struct kt_json *lab;
	KT_JSON_EACH (lab, kt_get(app->progress, "labs")) {
		bool passed = kt_get_int(lab, "passed", 0) > 0;
		struct kt_buf spent = {0}, when = {0};
		kt_duration_print_human(kt_get_int(lab, "seconds", 0) * KT_SEC, &spent);
		if (passed)
			tui_day(app, kt_get_int(lab, "passed", 0), &when);
		tui_text_linef(text, passed ? TUI_GOOD : TUI_PLAIN,
		               "  %s %-26s %2lld of %2lld points   %6s   %s%s", passed ? "✓" : "◐",
		               kt_get_str(lab, "lab"), (long long)kt_get_int(lab, "points", 0),
		               (long long)kt_get_int(lab, "of", 0), kt_buf_str(&spent),
		               passed ? "passed " : "", kt_buf_str(&when));
		kt_buf_clear(&spent);
		kt_buf_clear(&when);
	}
}

static void draw_progress(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_text text;
	tui_head(grid, "Progress", NULL);
	tui_text_init(&text, grid->cols - 4);
	for (size_t l = 0; l < app->course->level_count; l++) {
		const struct lesson_level *level = &app->course->levels[l];
		if (level->lesson_count)
			tui_text_linef(&text, TUI_STRONG, "%u  %-18s %zu of %zu lessons", level->level,
			               level->title, tui_level_done(app, level), level->lesson_count);
		for (size_t i = 0; i < level->lesson_count; i++) {
			enum tui_mark mark = tui_lesson_mark(app, level->lessons[i]);
			if (mark != TUI_TODO)
				tui_text_linef(&text, tui_mark_style(mark), "  %s %-5s %s",
				               tui_mark_sign(mark), level->lessons[i]->id,
				               level->lessons[i]->title);
		}
	}
	tui_text_gap(&text);
	tui_text_line(&text, TUI_STRONG, "Labs");
	if (!kt_count(kt_get(app->progress, "labs")))
		tui_text_line(&text, TUI_DIM, "  none was started yet");
	lab_rows(app, &text);
	quiz_total(app, &text);
	if (app->roam)
		tui_text_line(&text, TUI_DIM,
		              "roaming freely: levels were opened before those below were passed");
	if (!app->db)
		tui_text_line(&text, TUI_WARN, "Progress is not kept: the folder for it cannot be written.");
	draw_text(app, grid, body, &text);
}

static const struct tui_binding scroll_keys[] = {
        TUI_SCROLL_KEYS(scroll, NULL),
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_progress = {
        .name = "progress", .title = "Progress", .keys = scroll_keys, .draw = draw_progress};

/* --- clusters --- */

static void provider_lines(const struct tui_app *app, size_t i, struct tui_text *text)
{
	char why[512] = "";
	const struct provider *p = providers[i];
	bool chosen = app->provider ? kt_streq(app->provider, p->name) : i == 0;
	bool available = p->available(app->options->home, why);
	tui_text_linef(text, i == app->choice ? TUI_KEY : TUI_PLAIN, "%s %s %s", i == app->choice ? "▸" : " ",
	               chosen ? "●" : "○", p->title);
	if (!available)
		tui_text_prose(text, TUI_WARN, "      ", "      ", why);
}

static void draw_cluster(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_text text;
	tui_head(grid, "Clusters", NULL);
	tui_text_init(&text, KT_MIN(grid->cols - 4, 76));
	tui_text_prose(&text, TUI_PLAIN, "", "", "Where the labs run:");
	tui_text_gap(&text);
	for (size_t i = 0; providers[i]; i++)
		provider_lines(app, i, &text);
	draw_text(app, grid, body, &text);
}

static void move_choice(struct tui_app *app, int key)
{
	int at = (int)app->choice, count = 0;
	while (providers[count])
		count++;
	tui_scroll_by(&at, key, count);
	app->choice = (size_t)KT_MIN(at, count - 1);
}

static void take_choice(struct tui_app *app, int key)
{
	char why[512] = "";
	const struct provider *p = providers[app->choice];
	(void)key;
	if (!p->available(app->options->home, why)) {
		tui_notice(app, "%s", why);
		return;
	}
	tui_record(app, "setting", kt_jsonf("{name: 'provider', value: %s}", p->name));
	tui_notice(app, "Labs run on: %s.", p->name);
}

static const struct tui_binding cluster_keys[] = {
        {{TUI_KEY_ENTER, ' '},
         "enter",
         "take",
         "Run labs on this kind of cluster from now on.",
         take_choice,
         NULL},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j'}, "up down", "choose", "Move.", move_choice, NULL},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_cluster = {
        .name = "cluster", .title = "Clusters", .keys = cluster_keys, .draw = draw_cluster};

/* --- a yes or no --- */

static void draw_ask(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_text text;
	if (app->depth > 1)
		app->stack[app->depth - 2]->draw(app, grid, body);
	int cols = KT_MIN(grid->cols - 8, 64);
	tui_text_init(&text, cols - 5);
	tui_text_prose(&text, TUI_PLAIN, "", "", app->ask.text);
	int rows = (int)text.count + 2;
	struct tui_area frame = {KT_MAX((grid->rows - rows) / 2, 2), (grid->cols - cols) / 2, rows, cols};
	tui_text_draw(&text, grid, tui_frame(grid, frame, "Sure?"), 0);
	tui_text_clear(&text);
	grid->cursor_row = grid->cursor_col = -1;
}

static void say_yes(struct tui_app *app, int key)
{
	(void)key;
	tui_pop(app);
	app->ask.yes(app);
}

static void say_no(struct tui_app *app, int key)
{
	(void)key;
	tui_pop(app);
}

static const struct tui_binding ask_keys[] = {
        {{'y', TUI_KEY_ENTER}, "y", "yes", "Do it.", say_yes, NULL},
        {{'n', 'q', TUI_KEY_ESC}, "n", "no", "Leave it.", say_no, NULL},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_ask = {
        .name = "ask", .title = "Sure?", .keys = ask_keys, .draw = draw_ask};

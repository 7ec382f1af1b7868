/* SPDX-License-Identifier: MIT */
#include "tui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- the model --- */

static void read_progress(struct tui_app *app)
{
	struct kt_json *all = NULL;
	if (!app->db || db_progress_read(app->db, &all, NULL))
		return;
	kt_json_free(app->progress);
	app->progress = all;
}

static void read_settings(struct tui_app *app)
{
	if (!app->db)
		return;
	char *roam = db_setting(app->db, "roam");
	app->roam = roam && (kt_streq(roam, "on") || kt_streq(roam, "yes") || kt_streq(roam, "true"));
	kt_free(roam);
	kt_free(app->provider);
	kt_free(app->learner);
	app->provider = db_setting(app->db, "provider");
	app->learner = db_setting(app->db, "name");
}

/* The level where the learner is: the first open one with something left to do. */
static size_t current_level(const struct tui_app *app)
{
	size_t best = 0;
	for (size_t l = 0; l < app->course->level_count; l++) {
		const struct lesson_level *level = &app->course->levels[l];
		if (!level->lesson_count || !tui_level_open(app, l))
			continue;
		best = l;
		if (tui_level_done(app, level) < level->lesson_count)
			return l;
	}
	return best;
}

enum kt_code tui_app_init(struct tui_app *app, const struct tui_options *options, kt_ns now,
                          struct kt_err *err)
{
	memset(app, 0, sizeof(*app));
	app->options = options;
	app->db = options->db;
	app->now = now;
	app->reading.code = -1;
	char *dir = kt_join(options->share, "lessons");
	enum kt_code rc = lesson_course_new(dir, &app->course, err);
	kt_free(dir);
	if (rc)
		return rc;
	app->progress = kt_json_object();
	read_progress(app);
	read_settings(app);
	app->home.open = current_level(app);
	app->home.selected = app->home.open;
	tui_push(app, &tui_screen_home);
	if (options->lesson) {
		const struct lesson *lesson = lesson_find(app->course, options->lesson);
		if (!lesson) {
			tui_app_clear(app);
			return kt_fail(err, KT_ENOTFOUND,
			               "there is no lesson '%s'; `ktutor learn` names them", options->lesson);
		}
		tui_open_lesson(app, lesson);
	}
	if (!app->db && options->unkept)
		tui_notice(app, "Progress is not kept: %s. KTUTOR_HOME can name another folder.",
		           options->unkept);
	return KT_OK;
}

void tui_app_clear(struct tui_app *app)
{
	while (app->depth)
		tui_pop(app);
	tui_work_clear(&app->work);
	for (size_t i = 0; i < app->lab_count; i++)
		lab_free(app->labs[i]);
	kt_free(app->labs);
	kt_free(app->quiz.questions);
	kt_buf_clear(&app->quiz.typed);
	kt_buf_clear(&app->home.search);
	kt_buf_clear(&app->clipboard);
	kt_buf_clear(&app->gate.typed);
	tui_predict_clear(&app->predict);
	kt_json_free(app->predict.families);
	kt_free(app->provider);
	kt_free(app->learner);
	kt_json_free(app->progress);
	lesson_course_free(app->course);
	memset(app, 0, sizeof(*app));
}

void tui_record(struct tui_app *app, const char *kind, struct kt_json *steal)
{
	struct kt_err err = {0};
	if (app->db && db_record_event(app->db, app->now, kind, steal, &err))
		tui_notice(app, "progress is not kept: %s", err.text);
	kt_json_free(steal);
	read_progress(app);
	if (kt_streq(kind, "setting"))
		read_settings(app);
}

const struct lab *tui_lab(struct tui_app *app, const char *name)
{
	for (size_t i = 0; i < app->lab_count; i++)
		if (kt_streq(app->labs[i]->lab, name))
			return app->labs[i];
	struct kt_err err = {0};
	struct lab *lab = NULL;
	char *dir = kt_join(app->options->share, "labs");
	enum kt_code rc = lab_find(dir, name, &lab, &err);
	if (!rc && app->options->home && (rc = lab_as_drawn(app->options->home, &lab, &err)))
		lab_free(lab);
	kt_free(dir);
	if (rc) {
		tui_notice(app, "%s", err.text);
		return NULL;
	}
	app->labs = kt_grow(app->labs, &app->lab_cap, app->lab_count + 1, sizeof(struct lab *));
	return app->labs[app->lab_count++] = lab;
}

const struct lab *tui_lab_anew(struct tui_app *app, const char *name)
{
	struct kt_err err = {0};
	const struct lab *lab = tui_lab(app, name);
	struct kt_json *state = lab ? lab_state(app->options->home, name) : NULL;
	for (size_t i = 0; lab && !state && lab != app->work.lab && i < app->lab_count; i++)
		if (app->labs[i] == lab && lab_draw_anew(app->options->home, &app->labs[i], &err))
			tui_notice(app, "%s", err.text);
	kt_json_free(state);
	return lab ? tui_lab(app, name) : NULL;
}

/* --- the stack of screens --- */

const struct tui_screen *tui_top(const struct tui_app *app)
{
	return app->stack[app->depth - 1];
}

void tui_push(struct tui_app *app, const struct tui_screen *screen)
{
	if (app->depth == TUI_DEPTH)
		kt_bug("too many screens on each other");
	app->stack[app->depth++] = screen;
	app->scroll = 0;
	app->notice[0] = '\0'; /* it was about the screen before */
}

void tui_pop(struct tui_app *app)
{
	const struct tui_screen *screen = tui_top(app);
	if (screen->leave)
		screen->leave(app);
	app->depth--;
	app->quit = app->quit || !app->depth;
}

bool tui_is_open(const struct tui_app *app, const struct tui_screen *screen)
{
	for (size_t i = 0; i < app->depth; i++)
		if (app->stack[i] == screen)
			return true;
	return false;
}

void tui_pop_to(struct tui_app *app, const struct tui_screen *screen)
{
	while (tui_top(app) != screen)
		tui_pop(app);
}

void tui_notice(struct tui_app *app, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(app->notice, sizeof(app->notice), fmt, ap);
	va_end(ap);
}

void tui_ask(struct tui_app *app, void (*yes)(struct tui_app *app), const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(app->ask.text, sizeof(app->ask.text), fmt, ap);
	va_end(ap);
	app->ask.yes = yes;
	tui_push(app, &tui_screen_ask);
}

/* --- keys that work everywhere --- */

static void open_help(struct tui_app *app, int key)
{
	(void)key;
	app->help = true;
	app->help_scroll = 0;
}

static void go_back(struct tui_app *app, int key)
{
	if (app->depth > 1 || key == 'q')
		tui_pop(app);
}

static void suspend(struct tui_app *app, int key)
{
	(void)key;
	app->suspend = true;
}

static void redraw(struct tui_app *app, int key)
{
	(void)app;
	(void)key; /* the terminal sees ctrl-l before us */
}

static bool is_home(const struct tui_app *app)
{
	return app->depth <= 1;
}

static bool is_above_home(const struct tui_app *app)
{
	return app->depth > 1;
}

static const struct tui_binding everywhere[] = {
        {{'?'}, "?", "keys", "All keys of this screen.", open_help, NULL},
        {{'q', TUI_KEY_ESC},
         "q",
         "back",
         "Back to where you came from. Nothing is lost.",
         go_back,
         is_above_home},
        {{'q'}, "q", "quit", "Leave ktutor. A cluster that runs goes on running.", go_back, is_home},
        {{26}, "ctrl-z", NULL, "Suspend ktutor; `fg` comes back.", suspend, NULL},
        {{12}, "ctrl-l", NULL, "Draw everything again.", redraw, NULL},
        TUI_NO_KEYS,
};

static bool has_key(const struct tui_binding *binding, int key)
{
	for (size_t i = 0; i < KT_COUNT(binding->keys) && binding->keys[i]; i++)
		if (binding->keys[i] == key)
			return true;
	return false;
}

static bool run_key(struct tui_app *app, const struct tui_binding *table, int key)
{
	for (; table && table->keys[0]; table++)
		if (has_key(table, key) && (!table->when || table->when(app))) {
			table->run(app, key);
			return true;
		}
	return false;
}

static void help_key(struct tui_app *app, int key)
{
	if (key == '?' || key == 'q' || key == TUI_KEY_ESC || key == TUI_KEY_ENTER)
		app->help = false;
	else
		tui_scroll_by(&app->help_scroll, key, 8);
}

void tui_app_key(struct tui_app *app, int key)
{
	if (!app->depth)
		return;
	const struct tui_screen *screen = tui_top(app);
	if (app->help) {
		help_key(app, key);
		return;
	}
	app->notice[0] = '\0';
	if (screen->typed && screen->typed(app, key))
		return;
	bool typing = screen->typing && screen->typing(app);
	if (!run_key(app, screen->keys, key) && !typing)
		(void)run_key(app, everywhere, key);
}

void tui_app_mouse(struct tui_app *app, int row, int col, int wheel)
{
	const struct tui_screen *screen = app->depth ? tui_top(app) : NULL;
	if (!screen || app->help)
		return;
	if (screen->mouse)
		screen->mouse(app, row, col, wheel);
	else if (wheel)
		tui_app_key(app, wheel < 0 ? TUI_KEY_UP : TUI_KEY_DOWN);
}

void tui_scroll_by(int *scroll, int key, int rows)
{
	switch (key) {
	case TUI_KEY_UP:
	case 'k':
		--*scroll;
		break;
	case TUI_KEY_DOWN:
	case 'j':
		++*scroll;
		break;
	case TUI_KEY_PAGE_UP:
		*scroll -= KT_MAX(rows - 1, 1);
		break;
	case TUI_KEY_PAGE_DOWN:
		*scroll += KT_MAX(rows - 1, 1);
		break;
	case TUI_KEY_HOME:
		*scroll = 0;
		break;
	case TUI_KEY_END:
		*scroll = 1 << 20;
		break;
	default:
		return;
	}
	*scroll = KT_MAX(*scroll, 0);
}

kt_ns tui_app_tick(struct tui_app *app, kt_ns now)
{
	app->now = now;
	tui_work_tick(app);
	return app->work.lab || app->predict.worker ? KT_SEC / 4 : 10 * KT_SEC;
}

/* --- drawing --- */

void tui_head(struct tui_grid *grid, const char *left, const char *right)
{
	int width = right ? (int)kt_width(right, strlen(right)) : 0;
	tui_put(grid, 0, 1, grid->cols - 2, TUI_HEADING, left);
	if (right && width < grid->cols - 4) {
		tui_grid_wipe(grid, (struct tui_area){0, grid->cols - width - 2, 1, width + 2});
		tui_put(grid, 0, grid->cols - width - 1, width, TUI_DIM, right);
	}
	tui_hline(grid, 1, 0, grid->cols);
}

/* --- the line of keys --- */

struct key_line {
	const struct tui_app *app;
	struct tui_grid *grid;
	int at, gap;
	bool spare; /* also those that could be left out */
};

/* A screen's own meaning of a key hides the one that it has everywhere. */
static bool is_hidden(const struct tui_app *app, const struct tui_binding *b)
{
	if (b < everywhere || b >= everywhere + KT_COUNT(everywhere))
		return false;
	for (const struct tui_binding *own = tui_top(app)->keys; own && own->keys[0]; own++)
		if (has_key(own, b->keys[0]) && (!own->when || own->when(app)))
			return true;
	return false;
}

static bool is_spare(const struct tui_screen *screen, const struct tui_binding *b)
{
	for (size_t i = 0; i < KT_COUNT(screen->spare) && screen->spare[i]; i++)
		if (screen->spare[i] == b->keys[0])
			return true;
	return false;
}

static bool in_line(const struct key_line *line, const struct tui_binding *b)
{
	return b->does && (line->spare || !is_spare(tui_top(line->app), b)) &&
	       (!b->when || b->when(line->app)) && !is_hidden(line->app, b);
}

static const char *does_now(const struct tui_app *app, const struct tui_binding *b)
{
	const struct tui_screen *screen = tui_top(app);
	const char *now = screen->does ? screen->does(app, b->keys[0]) : NULL;
	return now ? now : b->does;
}

static int key_width(const struct tui_app *app, const struct tui_binding *b)
{
	const char *does = does_now(app, b);
	return (int)(kt_width(b->label, strlen(b->label)) + 1 + kt_width(does, strlen(does)));
}

static int keys_width(const struct key_line *line, const struct tui_binding *table)
{
	int width = 0;
	for (; table && table->keys[0]; table++)
		width += in_line(line, table) ? key_width(line->app, table) + line->gap : 0;
	return width;
}

static void draw_keys_of(struct key_line *line, const struct tui_binding *table, int end)
{
	int row = line->grid->rows - 1;
	for (; table && table->keys[0]; table++) {
		if (!in_line(line, table))
			continue;
		if (line->at + key_width(line->app, table) > end) {
			tui_put(line->grid, row, line->at, 1, TUI_DIM, "…");
			line->at += 2;
			return;
		}
		line->at += tui_put(line->grid, row, line->at, end - line->at, TUI_KEY, table->label) + 1;
		line->at += tui_put(line->grid, row, line->at, end - line->at, TUI_PLAIN,
		                    does_now(line->app, table)) +
		            line->gap;
	}
}

/* The keys of the screen beside those that work everywhere: all of them, closer together, without those that
 * can be spared, at last as far as there is room. */
static void draw_keys(const struct tui_app *app, struct tui_grid *grid)
{
	static const struct {
		int gap;
		bool spare;
	} ways[] = {{2, true}, {2, false}, {1, false}};
	const struct tui_screen *screen = tui_top(app);
	const struct tui_binding *always = screen->typing && screen->typing(app) ? NULL : everywhere;
	struct key_line line = {.app = app, .grid = grid, .at = 1};
	bool fits = false;
	int tail = 0;
	for (size_t i = 0; i < KT_COUNT(ways) && !fits; i++) {
		line.gap = ways[i].gap;
		line.spare = ways[i].spare;
		tail = keys_width(&line, always);
		fits = keys_width(&line, screen->keys) + tail <= grid->cols;
	}
	draw_keys_of(&line, screen->keys, grid->cols - tail - (fits ? 0 : 2));
	draw_keys_of(&line, always, grid->cols);
}

static void help_rows(const struct tui_app *app, const struct tui_binding *table, struct tui_text *text)
{
	for (; table && table->keys[0]; table++) {
		if (!table->help)
			continue;
		bool now = !table->when || table->when(app);
		char *first = kt_strf("%-12s", table->label);
		tui_text_prose(text, now ? TUI_PLAIN : TUI_DIM, first, "            ", table->help);
		kt_free(first);
	}
}

static void draw_help(struct tui_app *app, struct tui_grid *grid)
{
	struct tui_text text;
	int cols = KT_MIN(grid->cols - 4, 78);
	tui_text_init(&text, cols - 6);
	help_rows(app, tui_top(app)->keys, &text);
	tui_text_gap(&text);
	help_rows(app, everywhere, &text);
	int rows = KT_MIN(grid->rows - 3, (int)text.count + 2);
	struct tui_area inner =
	        tui_frame(grid, (struct tui_area){1, (grid->cols - cols) / 2, rows, cols}, "Keys");
	app->help_scroll = tui_text_clamp(&text, inner.rows, app->help_scroll);
	tui_text_draw(&text, grid, inner, app->help_scroll);
	tui_text_clear(&text);
	tui_grid_wipe(grid, (struct tui_area){grid->rows - 1, 0, 1, grid->cols});
	tui_put(grid, grid->rows - 1, 1, grid->cols, TUI_DIM, "q back   arrows scroll");
}

static void draw_small(struct tui_grid *grid)
{
	struct tui_text text;
	char *sentence = kt_strf("ktutor needs at least %d columns and %d rows; this terminal has %d and %d. "
	                         "Make it larger, or leave with `q` and use `ktutor learn`.",
	                         TUI_COLS_MIN, TUI_ROWS_MIN, grid->cols, grid->rows);
	tui_text_init(&text, grid->cols - 2);
	tui_text_prose(&text, TUI_PLAIN, "", "", sentence);
	tui_text_draw(&text, grid, (struct tui_area){0, 1, grid->rows, grid->cols - 2}, 0);
	tui_text_clear(&text);
	kt_free(sentence);
}

static void draw_notice(const struct tui_app *app, struct tui_grid *grid)
{
	struct tui_text text;
	if (!app->notice[0])
		return;
	tui_text_init(&text, grid->cols - 4);
	tui_text_prose(&text, TUI_WARN, "", "", app->notice);
	int rows = KT_MIN((int)text.count, grid->rows / 2), row = grid->rows - 2 - rows;
	tui_grid_wipe(grid, (struct tui_area){row, 0, rows, grid->cols});
	tui_text_draw(&text, grid, (struct tui_area){row, 2, rows, grid->cols - 4}, 0);
	tui_text_clear(&text);
}

void tui_app_draw(struct tui_app *app, struct tui_grid *grid, int rows, int cols)
{
	tui_grid_size(grid, rows, cols);
	if (!app->depth)
		return;
	if (rows < TUI_ROWS_MIN || cols < TUI_COLS_MIN) {
		draw_small(grid);
	} else {
		tui_hline(grid, rows - 2, 0, cols);
		draw_keys(app, grid);
		tui_top(app)->draw(app, grid, (struct tui_area){2, 0, rows - 4, cols});
		draw_notice(app, grid);
		if (app->help)
			draw_help(app, grid);
	}
	if (app->options->ascii)
		tui_grid_to_ascii(grid);
}

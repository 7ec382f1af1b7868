/* SPDX-License-Identifier: MIT */
/* A lesson: a page at a time, at most 76 columns of text, pictures whole. */
#include "tui/app.h"

#include <string.h>

#define TEXT_COLS 76

static const struct lesson_page *page_of(const struct tui_app *app)
{
	return &app->reading.lesson->pages[app->reading.page];
}

static bool is_last(const struct tui_app *app)
{
	return app->reading.page + 1 == app->reading.lesson->page_count;
}

static void turn_to(struct tui_app *app, size_t page)
{
	struct tui_reading *r = &app->reading;
	r->page = page;
	r->scroll = 0;
	r->code = -1;
	r->words = false;
	tui_record(app, "lesson-page", kt_jsonf("{lesson: %s, page: %d}", r->lesson->id, (int)page));
	if (is_last(app))
		tui_record(app, "lesson-read", kt_jsonf("{lesson: %s}", r->lesson->id));
}

void tui_open_lesson(struct tui_app *app, const struct lesson *lesson)
{
	const struct kt_json *row = tui_lesson_row(app, lesson);
	size_t page = (size_t)kt_get_int(row, "page", 0);
	bool read = kt_get_int(row, "read", 0) > 0;
	app->reading.lesson = lesson;
	tui_push(app, &tui_screen_lesson);
	turn_to(app, read || page >= lesson->page_count ? 0 : page);
}

/* --- the glossary: words of the field that the page uses --- */

static void draw_words(const struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_text text;
	int cols = KT_MIN(grid->cols - 4, TEXT_COLS);
	tui_text_init(&text, cols - 5);
	for (size_t i = 0; i < kt_count(app->course->glossary); i++) {
		const char *word = kt_key(app->course->glossary, i);
		if (!lesson_page_uses(page_of(app), word))
			continue;
		struct tui_piece pieces[] = {{TUI_STRONG, word},
		                             {TUI_PLAIN, ": "},
		                             {TUI_PLAIN, kt_str_or(kt_at(app->course->glossary, i), "")}};
		tui_text_wrap(&text, pieces, KT_COUNT(pieces), "", "  ");
	}
	if (!text.count)
		tui_text_prose(&text, TUI_DIM, "", "", "This page uses no word of the glossary.");
	int rows = KT_MIN((int)text.count + 2, body.rows);
	struct tui_area frame = {body.row + body.rows - rows, (grid->cols - cols) / 2, rows, cols};
	tui_text_draw(&text, grid, tui_frame(grid, frame, "Words"), 0);
	tui_text_clear(&text);
}

/* --- drawing --- */

static void draw_marks(const struct tui_app *app, struct tui_grid *grid, int row)
{
	const struct tui_reading *r = &app->reading;
	struct kt_buf marks = {0};
	for (size_t i = 0; i < r->lesson->page_count; i++)
		kt_buf_addf(&marks, "%s%s", i ? " " : "", i == r->page ? "●" : "○");
	int width = (int)kt_width(marks.data, marks.len);
	tui_put(grid, row, KT_MAX((grid->cols - width) / 2, 0), grid->cols, TUI_DIM, kt_buf_str(&marks));
	kt_buf_clear(&marks);
}

static int widest_line(const struct tui_text *text)
{
	int most = 0;
	for (size_t i = 0; i < text->count; i++) {
		int width = 0;
		for (size_t p = 0; p < text->lines[i].piece_count; p++) {
			const char *s = text->lines[i].pieces[p].text;
			width += (int)kt_width(s, strlen(s));
		}
		most = KT_MAX(most, width);
	}
	return most;
}

static void draw(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_reading *r = &app->reading;
	struct tui_text text;
	char *left = kt_strf("%s  %s", r->lesson->id, r->lesson->title);
	char *right =
	        kt_strf("page %zu of %zu · %u min", r->page + 1, r->lesson->page_count, r->lesson->minutes);
	int width = KT_MIN(TEXT_COLS, grid->cols - 4);
	tui_head(grid, left, right);
	tui_text_init(&text, width);
	tui_page_text(page_of(app), &text, r->code);
	int wide = KT_MIN(KT_MAX(widest_line(&text), width), grid->cols - 2);
	int col = (grid->cols - wide) / 2;
	tui_put(grid, body.row, col, wide, TUI_HEADING, page_of(app)->title);
	r->rows = body.rows - 3;
	r->scroll = tui_text_clamp(&text, r->rows, r->scroll);
	tui_text_draw(&text, grid, (struct tui_area){body.row + 2, col, r->rows, wide}, r->scroll);
	draw_marks(app, grid, body.row + body.rows - 1);
	if (r->words)
		draw_words(app, grid, body);
	tui_text_clear(&text);
	kt_free(left);
	kt_free(right);
}

/* --- keys --- */

static void next_page(struct tui_app *app, int key)
{
	(void)key;
	if (!is_last(app))
		turn_to(app, app->reading.page + 1);
	else if (app->reading.lesson->question_count)
		tui_notice(app, "That was the last page. enter: the quiz%s.",
		           app->reading.lesson->lab ? ", l: the lab" : "");
}

static void previous_page(struct tui_app *app, int key)
{
	(void)key;
	if (app->reading.page)
		turn_to(app, app->reading.page - 1);
}

/* A screenful on, then the next page. */
static void read_on(struct tui_app *app, int key)
{
	struct tui_reading *r = &app->reading;
	struct tui_text text;
	tui_text_init(&text, TEXT_COLS);
	tui_page_text(page_of(app), &text, -1);
	bool more = r->rows && r->scroll + r->rows < (int)text.count;
	tui_text_clear(&text);
	if (more)
		r->scroll += KT_MAX(r->rows - 1, 1);
	else
		next_page(app, key);
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->reading.scroll, key, app->reading.rows);
}

static void words(struct tui_app *app, int key)
{
	(void)key;
	app->reading.words = !app->reading.words;
}

static bool has_code(const struct tui_app *app)
{
	for (size_t i = 0; i < page_of(app)->block_count; i++)
		if (page_of(app)->blocks[i].kind == LESSON_CODE)
			return true;
	return false;
}

static void next_code(struct tui_app *app, int key)
{
	const struct lesson_page *page = page_of(app);
	(void)key;
	for (size_t n = 0; n < page->block_count; n++) {
		app->reading.code = (app->reading.code + 1) % (int)page->block_count;
		if (page->blocks[app->reading.code].kind == LESSON_CODE)
			return;
	}
}

/* What of a block one would type: of a console, what follows its prompts. */
static void code_text(const struct lesson_block *block, struct kt_buf *out)
{
	const char *lines = block->text, *line;
	size_t len;
	bool console = kt_streq(block->language, "console");
	while (lines && (line = kt_split(&lines, '\n', &len))) {
		bool prompt = len > 2 && !strncmp(line, "$ ", 2);
		if (!console)
			kt_buf_add(out, line, len);
		else if (prompt)
			kt_buf_add(out, line + 2, len - 2);
		if (!console || prompt)
			kt_buf_addc(out, '\n');
	}
}

static void copy(struct tui_app *app, int key)
{
	(void)key;
	if (app->reading.code < 0)
		next_code(app, key);
	kt_buf_cut(&app->clipboard, 0);
	code_text(&page_of(app)->blocks[app->reading.code], &app->clipboard);
	tui_notice(app, "Copied to the terminal's clipboard (where the terminal allows it).");
}

/* What one would type to use the block: a manifest is handed to kubectl. */
static void type(struct tui_app *app, int key)
{
	struct kt_buf text = {0};
	if (app->reading.code < 0)
		next_code(app, key);
	const struct lesson_block *block = &page_of(app)->blocks[app->reading.code];
	bool manifest = kt_streq(block->language, "yaml");
	if (manifest && (!strstr(block->text, "apiVersion:") || !strstr(block->text, "kind:"))) {
		tui_notice(app, "This is a part of a manifest, nothing to run by itself; y copies it.");
		return;
	}
	if (manifest)
		kt_buf_adds(&text, "kubectl apply -f - <<'EOF'\n");
	code_text(block, &text);
	if (manifest)
		kt_buf_adds(&text, "EOF\n");
	while (text.len && text.data[text.len - 1] == '\n')
		kt_buf_cut(&text, text.len - 1);
	tui_type_in_lab(app, app->reading.lesson, kt_buf_str(&text), text.len);
	kt_buf_clear(&text);
}

static bool can_type(const struct tui_app *app)
{
	return has_code(app) && app->reading.lesson->lab;
}

static bool has_quiz(const struct tui_app *app)
{
	return app->reading.lesson->question_count > 0;
}

static bool has_lab(const struct tui_app *app)
{
	return app->reading.lesson->lab != NULL;
}

static void quiz(struct tui_app *app, int key)
{
	(void)key;
	tui_open_quiz(app, app->reading.lesson);
}

static void lab(struct tui_app *app, int key)
{
	(void)key;
	tui_open_lab(app, app->reading.lesson);
}

static void enter(struct tui_app *app, int key)
{
	if (is_last(app) && has_quiz(app))
		quiz(app, key);
	else
		read_on(app, key);
}

static bool typed(struct tui_app *app, int key)
{
	if (!app->reading.words)
		return false;
	app->reading.words = false;
	return key == TUI_KEY_ESC || key == 'q' || key == 'w';
}

static const struct tui_binding keys[] = {
        {{TUI_KEY_RIGHT}, "right", "next", "The next page.", next_page, NULL},
        {{TUI_KEY_LEFT, 'h'}, "left", NULL, "The page before.", previous_page, NULL},
        {{' '}, "space", "on", "A screen further, then the next page.", read_on, NULL},
        {{TUI_KEY_ENTER}, "enter", NULL, "Read on; on the last page: the quiz.", enter, NULL},
        {{'z'}, "z", "quiz", "The lesson's questions.", quiz, has_quiz},
        {{'l'}, "l", "lab", "Start the lesson's lab.", lab, has_lab},
        {{'w'}, "w", "words", "Explain the words of the field on this page.", words, NULL},
        {{TUI_KEY_TAB}, "tab", NULL, "Go to the next block of code.", next_code, has_code},
        {{'y'}, "y", "copy", "Copy the block of code under the cursor.", copy, has_code},
        {{'t'},
         "t",
         "type",
         "Type the block under the cursor into the lab's terminal; enter sends it off there.",
         type,
         can_type},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j'},
         "up down",
         NULL,
         "Scroll a line (also j and k).",
         scroll,
         NULL},
        {{TUI_KEY_PAGE_UP, TUI_KEY_PAGE_DOWN, TUI_KEY_HOME, TUI_KEY_END},
         "pages",
         NULL,
         "Scroll a screen; to the top, to the bottom.",
         scroll,
         NULL},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_lesson = {
        .name = "lesson", .title = "Lesson", .keys = keys, .spare = {' ', 't'}, .draw = draw, .typed = typed};

/* SPDX-License-Identifier: MIT */
/* app: the model of all screens, their keys, and how a key finds its way. No terminal: a screen is a function
 * of this model and a size onto a grid; keys and time come in as calls. */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "labs/expert.h"
#include "tui/text.h"
#include "tui/tui.h"
#include "tui/work.h"

/* Keys: Unicode characters, control characters as they are (enter is '\r'), and these. */
enum {
	TUI_KEY_UP = 0x200000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_DELETE,
	TUI_KEY_INSERT,
	TUI_KEY_BACK_TAB,
	TUI_KEY_F0 = 0x200100, /* + n */
	TUI_KEY_ESC = 27,
	TUI_KEY_ENTER = '\r',
	TUI_KEY_TAB = '\t',
	TUI_KEY_BACKSPACE = 127,
	TUI_KEY_SWITCH = 29 /* ctrl-] */
};
#define TUI_ROWS_MIN 16
#define TUI_COLS_MIN 60

struct tui_app;
/* A row of a screen's table of keys: from it come what a key does, the bottom line and the help. */
struct tui_binding {
	int keys[6];       /* zero-terminated; no keys: the end of the table */
	const char *label; /* as it is called: "enter" */
	const char *does;  /* a word or two for the bottom line; NULL: not there */
	const char *help;  /* a sentence for `?` */
	void (*run)(struct tui_app *app, int key);
	bool (*when)(const struct tui_app *app); /* NULL: always */
};
/* The last row. */
#define TUI_NO_KEYS                                                                                          \
	{                                                                                                    \
		{0}, NULL, NULL, NULL, NULL, NULL                                                            \
	}
/* A text that scrolls by row and by page. */
#define TUI_SCROLL_KEYS(run, when)                                                                           \
	{                                                                                                    \
		{TUI_KEY_UP, TUI_KEY_DOWN, TUI_KEY_PAGE_UP, TUI_KEY_PAGE_DOWN, 'k', 'j'}, "up down",         \
		        "scroll", "Scroll.", run, when                                                       \
	}
struct tui_screen {
	const char *name, *title;
	const struct tui_binding *keys;
	int spare[4]; /* first keys of the rows that leave the bottom line first, where room is scarce */
	void (*draw)(struct tui_app *app, struct tui_grid *grid, struct tui_area body);
	/* Keys before the table sees them: what is typed. True: taken. May be NULL. */
	bool (*typed)(struct tui_app *app, int key);
	/* Characters are being typed: keys that work everywhere do not work now. May be NULL. */
	bool (*typing)(const struct tui_app *app);
	/* A press of the first button, or the wheel (-1, 1), at a cell. May be NULL. */
	void (*mouse)(struct tui_app *app, int row, int col, int wheel);
	void (*leave)(struct tui_app *app); /* it is taken off; may be NULL */
	/* What a key does now, where that changes ("hint (2)"); NULL from it: as the row says. May be NULL.
	 */
	const char *(*does)(const struct tui_app *app, int key);
};
extern const struct tui_screen tui_screen_home, tui_screen_lesson, tui_screen_quiz, tui_screen_starting,
        tui_screen_work, tui_screen_result, tui_screen_progress, tui_screen_cluster, tui_screen_ask,
        tui_screen_gate, tui_screen_rounds, tui_screen_predict;

struct tui_home {
	size_t open;     /* index of the level that shows its lessons */
	size_t selected; /* row */
	int scroll;
	bool searching;
	struct kt_buf search;
};
struct tui_reading {
	const struct lesson *lesson;
	size_t page;
	int scroll, rows; /* rows of text in the last frame */
	int code;         /* the code block under the cursor (index of the page's blocks), -1 none */
	bool words;       /* the glossary is open */
};
struct tui_question { /* where it comes from, for recording */
	const struct lesson *lesson;
	size_t number;
};
struct tui_quiz {
	const char *title;
	struct tui_question *questions;
	size_t count, at, score;
	size_t selected, chosen;
	int scroll;
	bool answered, right, done;
	struct kt_buf typed;
};
struct tui_result {
	int scroll;
	bool solution;
};
struct tui_said { /* to a question of a round */
	char answer[48];
	long sure; /* per cent; -1: not told */
};
struct tui_predict {
	struct kt_json *families; /* as lab_rounds() */
	size_t selected;
	struct lab_round *round; /* NULL: none is played */
	struct tui_said *said;   /* one a question */
	size_t at;               /* the question that is asked; all are answered: their count */
	bool how_sure;           /* it is answered, and how sure is asked */
	struct kt_buf typed;
	struct tui_worker *worker;
	char busy[256];         /* what it does */
	double elapsed;         /* of the cluster's seconds, or what the sentence counts */
	char *failed;           /* why it could not be played */
	struct kt_json *result; /* as lab_round_play() */
	int scroll;
};
#define TUI_DEPTH 16
struct tui_app {
	const struct tui_options *options;
	struct lesson_course *course;
	struct db *db;            /* NULL: nothing is kept */
	struct kt_json *progress; /* as db_progress_read gives it */
	bool roam;
	char *provider, *learner;
	kt_ns now;            /* wall clock */
	struct kt_loop *loop; /* NULL: no terminal; nothing is started */
	const struct tui_screen *stack[TUI_DEPTH];
	size_t depth;
	bool help, quit, suspend;
	int help_scroll;
	char notice[512];        /* a sentence in the line above the keys, until the next key */
	struct kt_buf clipboard; /* for the terminal to take (OSC 52) */
	struct lab **labs;       /* those that were looked at */
	size_t lab_count, lab_cap;
	struct tui_home home;
	struct tui_reading reading;
	struct tui_quiz quiz;
	struct tui_work work;
	struct tui_result result;
	struct {
		struct kt_buf typed;
	} gate;
	struct tui_predict predict;
	int scroll; /* of the simple screens */
	size_t choice;
	struct { /* a yes or no */
		char text[512];
		void (*yes)(struct tui_app *app);
	} ask;
};
/* Read the course and the progress; opens home, and options->lesson on top of it. */
KT_MUST_CHECK enum kt_code tui_app_init(struct tui_app *app, const struct tui_options *options, kt_ns now,
                                        struct kt_err *err);
void tui_app_clear(struct tui_app *app);
void tui_app_draw(struct tui_app *app, struct tui_grid *grid, int rows, int cols);
void tui_app_key(struct tui_app *app, int key);
void tui_app_mouse(struct tui_app *app, int row, int col, int wheel);
/* Something may have changed by the clock alone. Returns when to call again at the latest. */
kt_ns tui_app_tick(struct tui_app *app, kt_ns now);

/* --- for screens --- */
const struct tui_screen *tui_top(const struct tui_app *app);
void tui_push(struct tui_app *app, const struct tui_screen *screen);
void tui_pop(struct tui_app *app);
bool tui_is_open(const struct tui_app *app, const struct tui_screen *screen); /* somewhere on the stack */
void tui_pop_to(struct tui_app *app, const struct tui_screen *screen); /* it is open; becomes the top */
void tui_notice(struct tui_app *app, const char *fmt, ...) KT_PRINTF(2, 3);
void tui_ask(struct tui_app *app, void (*yes)(struct tui_app *app), const char *fmt, ...) KT_PRINTF(3, 4);
/* Keep an event and read the progress again. */
void tui_record(struct tui_app *app, const char *kind, struct kt_json *steal);
/* The lab of that name, read once; NULL with a notice when it is wrong. */
const struct lab *tui_lab(struct tui_app *app, const char *name);
/* The same for a start: what varies is drawn anew, unless it is started already. */
const struct lab *tui_lab_anew(struct tui_app *app, const char *name);
/* A head line with a rule below it; returns what is left of the grid above the keys. */
void tui_head(struct tui_grid *grid, const char *left, const char *right);
void tui_scroll_by(int *scroll, int key, int rows); /* arrows, pages, home and end */

void tui_open_lesson(struct tui_app *app, const struct lesson *lesson);
void tui_open_quiz(struct tui_app *app, const struct lesson *lesson);
void tui_open_review(struct tui_app *app);
void tui_open_lab(struct tui_app *app, const struct lesson *lesson);
/* Type into the shell of the lesson's lab; starts it if need be. Nothing is sent off: the last line waits for
 * the learner's enter. */
void tui_type_in_lab(struct tui_app *app, const struct lesson *lesson, const char *text, size_t len);
void tui_open_result(struct tui_app *app);
void tui_open_rounds(struct tui_app *app);
void tui_predict_told(struct tui_app *app, const struct kt_json *message); /* what a round's worker says */
void tui_predict_clear(struct tui_predict *predict);
/* Prose whose single ends of lines mean nothing. */
void tui_run_on(struct tui_text *text, enum tui_style style, const char *first, const char *indent,
                const char *lines);
/* The learner's answers beside what happened, question by question, with curves. */
void tui_verdict_lines(const struct tui_app *app, struct tui_text *text);
/* "23 of 31 predictions right; …" and how often each degree of being sure was; nothing without any. */
void tui_calibration_lines(const struct tui_app *app, struct tui_text *text);

/* --- progress, as the screens need it (tui/marks.c) --- */
enum tui_mark { TUI_TODO, TUI_BEGUN, TUI_DONE };
const char *tui_mark_sign(enum tui_mark mark); /* ○ ◐ ✓ */
enum tui_style tui_mark_style(enum tui_mark mark);
enum tui_mark tui_lesson_mark(const struct tui_app *app, const struct lesson *lesson);
size_t tui_level_done(const struct tui_app *app, const struct lesson_level *level);
bool tui_level_open(const struct tui_app *app, size_t level); /* those before it are passed, or roaming */
bool tui_gate_earned(const struct tui_app *app);              /* every line of the gate, and its level */
bool tui_gate_open(const struct tui_app *app);                /* the word was typed */
const struct kt_json *tui_lesson_row(const struct tui_app *app, const struct lesson *lesson);
const struct kt_json *tui_lab_row(const struct tui_app *app, const char *lab);
const struct kt_json *tui_task_row(const struct tui_app *app, const char *lab, const char *task);
void tui_quiz_score(const struct tui_app *app, const struct lesson *lesson, size_t *right, size_t *answered);
/* Questions to be asked again today; a new array. */
struct tui_question *tui_due(const struct tui_app *app, size_t *count);
/* "today", "yesterday", "4 days ago". */
void tui_day(const struct tui_app *app, int64_t seconds, struct kt_buf *out);
/* Lines about what is selected on the home screen. */
void tui_home_lesson_panel(struct tui_app *app, const struct lesson *lesson, struct tui_text *text);

/* A lesson's page as lines; lines of code blocks are tagged with the block's index. */
void tui_page_text(const struct lesson_page *page, struct tui_text *text, int code);
/* The course with marks, as plain text. */
void tui_overview(const struct tui_app *app, struct kt_buf *out);

#endif

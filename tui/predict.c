/* SPDX-License-Identifier: MIT */
/* EXPERT: the rounds to choose from; one of them: the learner commits to an answer and to how sure it is,
 * question by question, then the cluster really does it. */
#include "tui/app.h"
#include "tui/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the rounds --- */

void tui_open_rounds(struct tui_app *app)
{
	struct kt_err err = {0};
	struct kt_strs wrong = {0};
	struct kt_json *list = NULL;
	char *dir = kt_join(app->options->share, "labs/expert");
	enum kt_code rc = lab_rounds(dir, &list, &wrong, &err);
	kt_free(dir);
	if (rc || !kt_count(list)) {
		tui_notice(app, "There are no rounds: %s", rc ? err.text : "the folder of rounds is empty");
	} else {
		kt_json_free(app->predict.families);
		app->predict.families = kt_json_ref(list);
		app->predict.selected = KT_MIN(app->predict.selected, kt_count(list) - 1);
		tui_push(app, &tui_screen_rounds);
		if (wrong.count)
			tui_notice(app, "left out: %s", wrong.items[0]);
	}
	kt_json_free(list);
	kt_strs_clear(&wrong);
}

/* How many questions of a family were answered, and rightly. */
static void count_family(const struct tui_app *app, const char *family, size_t *right, size_t *of)
{
	const struct kt_json *row;
	*right = *of = 0;
	KT_JSON_EACH (row, kt_get(app->progress, "predictions"))
		if (kt_streq(kt_get_str(row, "family"), family)) {
			*right += kt_get_int(row, "right", 0) != 0;
			++*of;
		}
}

#define ABOUT_ROUNDS 9 /* lines below the list: what it is, and how well one predicts */

static void draw_rounds(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	const struct kt_json *row;
	struct tui_text text;
	int at = body.row + 1, count = (int)kt_count(app->predict.families),
	    selected = (int)app->predict.selected;
	int rows = KT_MIN(count, KT_MAX(body.rows - ABOUT_ROUNDS, 5)),
	    first = KT_MAX(KT_MIN(selected - rows / 2, count - rows), 0);
	tui_head(grid, app->course->gate.word ? app->course->gate.word : "Rounds", app->course->gate.after);
	KT_JSON_EACH (row, app->predict.families) {
		size_t right, of;
		bool chosen = row_i == app->predict.selected;
		if ((int)row_i < first || (int)row_i >= first + rows)
			continue;
		count_family(app, kt_get_str(row, "family"), &right, &of);
		tui_put(grid, at, 1, 1, TUI_KEY, chosen ? "▸" : " ");
		tui_put(grid, at, 3, KT_MAX(grid->cols - 24, 20), chosen ? TUI_STRONG : TUI_PLAIN,
		        kt_get_str(row, "title"));
		if (of)
			tui_putf(grid, at, grid->cols - 20, 19, TUI_DIM, "%zu of %zu right", right, of);
		else
			tui_put(grid, at, grid->cols - 20, 19, TUI_DIM, "not played yet");
		if (chosen)
			tui_mark(grid, (struct tui_area){at, 0, 1, grid->cols}, TUI_REVERSE);
		at++;
	}
	if (rows < count) /* what is above and below can be reached */
		tui_putf(grid, at++, 3, grid->cols - 24, TUI_DIM, "%d of %d%s%s", selected + 1, count,
		         first ? " ↑" : "", first + rows < count ? " ↓" : "");
	tui_text_init(&text, KT_MIN(grid->cols - 4, 76));
	tui_text_prose(
	        &text, TUI_PLAIN, "", "",
	        "Each round draws anew what varies. You say what will happen and how sure you are; then "
	        "the cluster does it.");
	tui_calibration_lines(app, &text);
	tui_text_draw(&text, grid,
	              (struct tui_area){at + 1, 3, body.rows - rows - 3, KT_MIN(grid->cols - 4, 76)}, 0);
	tui_text_clear(&text);
}

static void move(struct tui_app *app, int key)
{
	int at = (int)app->predict.selected;
	tui_scroll_by(&at, key, 5);
	app->predict.selected = (size_t)KT_MIN(at, (int)kt_count(app->predict.families) - 1);
}

void tui_predict_clear(struct tui_predict *predict)
{
	tui_worker_free(predict->worker);
	predict->worker = NULL;
	lab_round_free(predict->round);
	predict->round = NULL;
	kt_free(predict->said);
	predict->said = NULL;
	kt_json_free(predict->result);
	predict->result = NULL;
	kt_free(predict->failed);
	predict->failed = NULL;
	kt_buf_clear(&predict->typed);
	predict->busy[0] = '\0';
	predict->elapsed = 0;
	predict->at = 0;
	predict->scroll = 0;
	predict->how_sure = false;
}

/* A round with what the clock draws. */
static void begin(struct tui_app *app, int key)
{
	struct tui_predict *predict = &app->predict;
	struct kt_err err = {0};
	const char *file = kt_get_str(kt_at(predict->families, predict->selected), "file");
	(void)key;
	tui_predict_clear(predict);
	if (lab_round_new(file, (uint64_t)(app->now / KT_SEC % 1000000) + 1, &predict->round, &err)) {
		tui_notice(app, "%s", err.text);
		return;
	}
	predict->said = kt_alloc((predict->round->ask_count + 1) * sizeof(*predict->said));
	if (tui_top(app) != &tui_screen_predict)
		tui_push(app, &tui_screen_predict);
}

static const struct tui_binding rounds_keys[] = {
        {{TUI_KEY_ENTER, ' ', TUI_KEY_RIGHT}, "enter", "play", "Play this round.", begin, NULL},
        {{TUI_KEY_UP, TUI_KEY_DOWN, 'k', 'j', TUI_KEY_HOME, TUI_KEY_END},
         "up down",
         "choose",
         "Choose a round (also j and k).",
         move,
         NULL},
        TUI_NO_KEYS,
};
const struct tui_screen tui_screen_rounds = {
        .name = "rounds", .title = "Rounds", .keys = rounds_keys, .draw = draw_rounds};

/* --- a round --- */

static bool is_asking(const struct tui_app *app)
{
	return app->predict.round && app->predict.at < app->predict.round->ask_count;
}

static bool is_over(const struct tui_app *app)
{
	return app->predict.result || app->predict.failed;
}

static bool is_played(const struct tui_app *app)
{
	return !is_asking(app) && !is_over(app);
}

static void keep_answers(struct tui_app *app)
{
	const struct tui_predict *predict = &app->predict;
	for (size_t i = 0; i < predict->round->ask_count; i++)
		tui_record(app, "prediction",
		           lab_round_event(predict->round, i, kt_at(kt_get(predict->result, "answers"), i),
		                           predict->said[i].answer, predict->said[i].sure));
}

void tui_predict_told(struct tui_app *app, const struct kt_json *message)
{
	struct tui_predict *predict = &app->predict;
	const char *told = kt_get_str(message, "told");
	if (!predict->round || is_over(app)) /* its end is told once more, by the pipe */
		return;
	if (kt_streq(told, "busy")) {
		(void)snprintf(predict->busy, sizeof(predict->busy), "%s",
		               kt_str_or(kt_get(message, "sentence"), ""));
		predict->elapsed = kt_real_or(kt_get(message, "elapsed"), 0);
	} else if (kt_streq(told, "played")) {
		predict->result = kt_json_ref(kt_get(message, "result"));
		keep_answers(app);
	} else if (kt_streq(told, "failed")) {
		predict->failed = kt_strdup(kt_str_or(kt_get(message, "error"), "it ended"));
	}
}

static void told(void *arg, const struct kt_json *message)
{
	tui_predict_told(arg, message);
}

static void play(struct tui_app *app)
{
	struct tui_predict *predict = &app->predict;
	struct kt_err err = {0};
	struct tui_worker_options options = {.home = app->options->home,
	                                     .round = predict->round,
	                                     .loop = app->loop,
	                                     .told = told,
	                                     .arg = app};
	if (app->loop && tui_worker_new(&options, &predict->worker, &err))
		predict->failed = kt_strdup(err.text);
}

/* --- drawing --- */

static void choice_lines(const struct lab_round_ask *ask, struct tui_text *text)
{
	const struct kt_json *choice;
	KT_JSON_EACH (choice, ask->choices) {
		struct kt_buf said = {0};
		lab_round_say(choice, &said);
		tui_text_linef(text, TUI_PLAIN, "   %c) %s", (char)('a' + choice_i), kt_buf_str(&said));
		kt_buf_clear(&said);
	}
}

static void asked_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct tui_predict *predict = &app->predict;
	for (size_t i = 0; i <= predict->at && i < predict->round->ask_count; i++) {
		char *first = kt_strf("%zu. ", i + 1);
		bool now = i == predict->at;
		tui_text_gap(text);
		tui_text_prose(text, now ? TUI_STRONG : TUI_PLAIN, first, "   ",
		               predict->round->asks[i].question);
		if (now && !predict->how_sure)
			choice_lines(&predict->round->asks[i], text);
		if (now && !predict->how_sure)
			tui_text_linef(text, TUI_KEY, "   your answer: %s_", kt_buf_str(&predict->typed));
		else
			tui_text_linef(text, TUI_PLAIN, "   your answer: %s", predict->said[i].answer);
		if (now && predict->how_sure)
			tui_text_linef(text, TUI_KEY, "   how sure, 0 to 100 %%: %s_",
			               kt_buf_str(&predict->typed));
		else if (!now && predict->said[i].sure >= 0)
			tui_text_linef(text, TUI_DIM, "   sure: %ld %%", predict->said[i].sure);
		kt_free(first);
	}
}

static void state_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct tui_predict *predict = &app->predict;
	tui_text_gap(text);
	if (predict->failed)
		tui_text_prose(text, TUI_BAD, "✗ ", "  ", predict->failed);
	else if (is_played(app))
		tui_text_linef(text, TUI_WARN, "● %s, %.0f s   (usually over within 15 s; x cancels)",
		               predict->busy[0] ? predict->busy : "the cluster starts", predict->elapsed);
}

/* A file's lines run on; an empty one begins a paragraph. */
void tui_run_on(struct tui_text *text, enum tui_style style, const char *first, const char *indent,
                const char *lines)
{
	struct kt_buf all = {0};
	for (const char *at = lines; *at; at++) {
		bool ends = at[0] == '\n' && (at[1] == '\n' || !at[1] || (at > lines && at[-1] == '\n'));
		kt_buf_addc(&all, at[0] == '\n' && !ends ? ' ' : at[0]);
	}
	tui_text_prose(text, style, first, indent, kt_buf_str(&all));
	kt_buf_clear(&all);
}

static void draw_predict(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_predict *predict = &app->predict;
	const struct lab_round *round = predict->round;
	struct tui_text text;
	int width = KT_MIN(grid->cols - 4, 84);
	char *right = is_asking(app) ? kt_strf("question %zu of %zu", predict->at + 1, round->ask_count)
	                             : kt_strf("drawn from %llu", (unsigned long long)round->seed);
	tui_head(grid, round->title, right);
	tui_text_init(&text, width);
	if (predict->result) {
		tui_verdict_lines(app, &text);
	} else {
		tui_run_on(&text, TUI_PLAIN, "", "", round->text);
		tui_text_gap(&text);
		tui_text_prose(&text, TUI_STRONG, "What is done: ", "  ", round->does);
		asked_lines(app, &text);
		state_lines(app, &text);
	}
	predict->scroll =
	        tui_text_clamp(&text, body.rows - 1, is_asking(app) ? (int)text.count : predict->scroll);
	tui_text_draw(&text, grid,
	              (struct tui_area){body.row + 1, (grid->cols - width) / 2, body.rows - 1, width},
	              predict->scroll);
	tui_text_clear(&text);
	kt_free(right);
}

/* --- keys --- */

static void next_question(struct tui_app *app)
{
	struct tui_predict *predict = &app->predict;
	predict->how_sure = false;
	if (++predict->at == predict->round->ask_count)
		play(app);
}

static void answer(struct tui_app *app, int key)
{
	struct tui_predict *predict = &app->predict;
	struct tui_said *said = &predict->said[predict->at];
	const char *typed = kt_buf_str(&predict->typed);
	char *end;
	(void)key;
	if (!predict->how_sure) {
		if (!*typed) {
			tui_notice(app,
			           "Say something: what happens is shown to those who committed themselves.");
			return;
		}
		const struct kt_json *choice = lab_round_choice(&predict->round->asks[predict->at], typed);
		struct kt_buf text = {0};
		if (choice) /* a letter is kept as what it stands for */
			lab_round_say(choice, &text);
		(void)snprintf(said->answer, sizeof(said->answer), "%s", choice ? kt_buf_str(&text) : typed);
		kt_buf_clear(&text);
		predict->how_sure = true;
	} else {
		said->sure = *typed ? strtol(typed, &end, 10) : -1;
		if (said->sure > 100) {
			tui_notice(app, "From 0 to 100.");
			return;
		}
		next_question(app);
	}
	kt_buf_cut(&predict->typed, 0);
}

static bool typed(struct tui_app *app, int key)
{
	struct kt_buf *text = &app->predict.typed;
	bool digits = app->predict.how_sure;
	if (!is_asking(app))
		return false;
	if ((key == TUI_KEY_BACKSPACE || key == 8) && text->len)
		kt_buf_cut(text, text->len - 1);
	else if (key >= ' ' && key < 127 && text->len < (digits ? 3u : 40u) &&
	         (digits ? key >= '0' && key <= '9' : text->len || !strchr("q? ", key)))
		kt_buf_addc(text, (char)key);
	else
		return false;
	return true;
}

static bool typing(const struct tui_app *app)
{
	return is_asking(app) && app->predict.typed.len > 0;
}

static void cancel(struct tui_app *app, int key)
{
	(void)key;
	tui_worker_ask(app->predict.worker, kt_jsonf("{do: 'cancel'}"));
}

static void scroll(struct tui_app *app, int key)
{
	tui_scroll_by(&app->predict.scroll, key, 12);
}

static void leave(struct tui_app *app)
{
	tui_predict_clear(&app->predict);
}

static const struct tui_binding predict_keys[] = {
        {{TUI_KEY_ENTER}, "enter", "say it", "Commit to what you typed.", answer, is_asking},
        {{TUI_KEY_ENTER, ' '}, "enter", "again", "The same round, drawn anew.", begin, is_over},
        {{'x'}, "x", "cancel", "Stop it; nothing is kept.", cancel, is_played},
        TUI_SCROLL_KEYS(scroll, is_over),
        {{TUI_KEY_HOME, TUI_KEY_END}, "pages", NULL, "To the first line, to the last.", scroll, is_over},
        TUI_NO_KEYS,
};
const struct tui_screen tui_screen_predict = {.name = "predict",
                                              .title = "Round",
                                              .keys = predict_keys,
                                              .draw = draw_predict,
                                              .typed = typed,
                                              .typing = typing,
                                              .leave = leave};

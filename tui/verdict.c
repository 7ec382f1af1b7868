/* SPDX-License-Identifier: MIT */
/* What the learner said beside what happened: a mark for each question, and a curve of each number over time
 * with the answers on it; how sure, and how often right when so sure. */
#include "tui/work_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 8

static bool is_right(const struct tui_predict *p, size_t i)
{
	return lab_round_right(&p->round->asks[i], kt_at(kt_get(p->result, "answers"), i), p->said[i].answer);
}

static void question_lines(const struct tui_predict *p, size_t i, struct tui_text *text)
{
	struct kt_buf was = {0};
	bool right = is_right(p, i);
	char *first = kt_strf("%s %zu. ", right ? "✓" : "✗", i + 1);
	lab_round_say(kt_at(kt_get(p->result, "answers"), i), &was);
	tui_text_prose(text, right ? TUI_GOOD : TUI_BAD, first, "     ", p->round->asks[i].question);
	tui_text_linef(text, TUI_PLAIN, "     you said  %-18s what happened  %s", p->said[i].answer,
	               kt_buf_str(&was));
	kt_free(first);
	kt_buf_clear(&was);
}

/* --- numbers over time --- */

static bool is_number(const struct kt_json *v)
{
	return kt_json_type(v) == KT_JSON_INT;
}

/* The question that asks first for what question `i` asks at another time. */
static size_t first_of(const struct lab_round *round, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (round->asks[i].value && round->asks[k].value &&
		    kt_equal(round->asks[i].value, round->asks[k].value))
			return k;
	return i;
}

/* Changes of what question `first` and those like it ask for: the one that is asked last saw them all. */
static struct kt_json *samples_of(const struct tui_predict *p, size_t first, double *span)
{
	const struct lab_round *round = p->round;
	struct kt_json *samples = kt_json_array();
	const struct kt_json *row;
	size_t last = first;
	for (size_t i = first; i < round->ask_count; i++)
		if (first_of(round, i) == first && round->asks[i].at >= round->asks[last].at)
			last = i;
	*span = (double)round->asks[last].at / 1e9;
	KT_JSON_EACH (row, kt_get(p->result, "timeline"))
		if (kt_get_int(row, "ask", -1) == (int64_t)last && is_number(kt_get(row, "value")))
			kt_push(&samples, kt_jsonf("{at: %f, ready: {value: %J}}",
			                           kt_real_or(kt_get(row, "at"), 0), kt_get(row, "value")));
	return samples;
}

static void curve_of(const struct tui_predict *p, size_t first, struct tui_text *text)
{
	double span;
	struct kt_json *samples = samples_of(p, first, &span), *said = kt_json_array();
	struct kt_buf which = {0};
	for (size_t i = first; i < p->round->ask_count; i++) {
		char *end;
		long value = strtol(p->said[i].answer, &end, 10);
		if (first_of(p->round, i) != first)
			continue;
		kt_buf_addf(&which, "%s%zu", which.len ? ", " : "", i + 1);
		if (end != p->said[i].answer && value >= 0)
			kt_push(&said,
			        kt_jsonf("{at: %f, value: %l, right: %b}", (double)p->round->asks[i].at / 1e9,
			                 (int64_t)value, (int)is_right(p, i)));
	}
	if (kt_count(samples) && span > 0) {
		tui_text_gap(text);
		tui_text_linef(text, TUI_STRONG, "question %s over time; ✓ ✗ is what you said",
		               kt_buf_str(&which));
		tui_curve_lines(
		        &(struct tui_curve){.samples = samples, .name = "value", .span = span, .said = said},
		        text);
	}
	kt_buf_clear(&which);
	kt_json_free(samples);
	kt_json_free(said);
}

/* "0 s Running ▸ 43 s Failed": of what is no number. */
static void words_of(const struct tui_predict *p, size_t i, struct tui_text *text)
{
	const struct kt_json *row;
	struct kt_buf line = {0};
	size_t told = 0;
	KT_JSON_EACH (row, kt_get(p->result, "timeline")) {
		if (kt_get_int(row, "ask", -1) != (int64_t)i || ++told > CHANGES_MAX)
			continue;
		kt_buf_addf(&line, "%s%lld s ", line.len ? " ▸ " : "", (long long)kt_get_int(row, "at", 0));
		lab_round_say(kt_get(row, "value"), &line);
	}
	if (told > CHANGES_MAX)
		kt_buf_adds(&line, " …");
	tui_text_gap(text);
	tui_text_linef(text, TUI_STRONG, "question %zu over time", i + 1);
	tui_text_prose(text, TUI_PLAIN, "  ", "  ", kt_buf_str(&line));
	kt_buf_clear(&line);
}

/* --- all of it --- */

/* "sure: 80 %   right this often at 80 %: 62 % (13 of 21)" */
static void sure_line(const struct kt_json *row, struct tui_text *text)
{
	long long sure = kt_get_int(row, "sure", 0), right = kt_get_int(row, "right", 0),
	          of = kt_get_int(row, "of", 1);
	tui_text_linef(text, TUI_PLAIN,
	               "sure: %3lld %%   right this often at %lld %%: %lld %% (%lld of %lld)", sure, sure,
	               (right * 100 + of / 2) / of, right, of);
}

static bool was_said(const struct tui_predict *p, int64_t sure)
{
	for (size_t i = 0; p->result && i < p->round->ask_count; i++)
		if (p->said[i].sure == sure)
			return true;
	return !p->result;
}

void tui_calibration_lines(const struct tui_app *app, struct tui_text *text)
{
	struct kt_json *score = lab_round_score(app->progress);
	const struct kt_json *row;
	if (kt_get_int(score, "predictions", 0)) {
		tui_text_gap(text);
		tui_text_linef(text, TUI_STRONG, "%lld of %lld predictions right",
		               (long long)kt_get_int(score, "right", 0),
		               (long long)kt_get_int(score, "predictions", 0));
		if (kt_json_type(kt_get(score, "brier")) != KT_JSON_NULL)
			tui_text_linef(text, TUI_PLAIN, "calibration %.2f: 0 is perfect, 0.25 is guessing",
			               kt_real_or(kt_get(score, "brier"), 0));
		KT_JSON_EACH (row, kt_get(score, "sure"))
			if (was_said(&app->predict, kt_get_int(row, "sure", -1)))
				sure_line(row, text);
	}
	kt_json_free(score);
}

void tui_verdict_lines(const struct tui_app *app, struct tui_text *text)
{
	const struct tui_predict *p = &app->predict;
	const struct lab_round *round = p->round;
	tui_text_prose(text, TUI_DIM, "", "", round->does);
	tui_text_gap(text);
	for (size_t i = 0; i < round->ask_count; i++)
		question_lines(p, i, text);
	for (size_t i = 0; i < round->ask_count; i++)
		if (first_of(round, i) == i && round->asks[i].value) {
			if (is_number(kt_at(kt_get(p->result, "answers"), i)))
				curve_of(p, i, text);
			else
				words_of(p, i, text);
		}
	if (*round->explain) {
		tui_text_gap(text);
		tui_run_on(text, TUI_PLAIN, "why: ", "     ", round->explain);
	}
	tui_calibration_lines(app, text);
}

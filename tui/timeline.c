/* SPDX-License-Identifier: MIT */
/* A drill as a timeline: a line of ready pods over the time that passed in the cluster, and below it the
 * moments at which something changed. */
#include "tui/work_internal.h"

#include <string.h>

#define CURVES_MAX  3
#define LEVELS_MAX  8 /* rows of a curve */
#define MOMENTS_MAX 10

static double time_of(const struct kt_json *sample)
{
	return kt_real_or(kt_get(sample, "at"), 0);
}

/* The sample that holds at a time: the last one before it. */
static const struct kt_json *sample_at(const struct kt_json *samples, double at)
{
	const struct kt_json *sample, *best = kt_at(samples, 0);
	KT_JSON_EACH (sample, samples)
		if (time_of(sample) <= at)
			best = sample;
	return best;
}

static int64_t ready(const struct kt_json *sample, const char *name)
{
	return kt_get_int(kt_get(sample, "ready"), name, 0);
}

static void bounds(const struct kt_json *samples, const char *name, int64_t *least, int64_t *most)
{
	const struct kt_json *sample;
	*least = INT64_MAX;
	*most = 0;
	KT_JSON_EACH (sample, samples) {
		*least = KT_MIN(*least, ready(sample, name));
		*most = KT_MAX(*most, ready(sample, name));
	}
}

/* The rows of a curve: each stands for a multiple of `step`, the first for `top`. */
struct levels {
	int64_t top, step;
	int count;
};

static struct levels levels_for(int64_t most)
{
	int64_t step = KT_MAX((most + LEVELS_MAX - 2) / (LEVELS_MAX - 1), 1),
	        top = (most + step - 1) / step * step;
	return (struct levels){top, step, (int)(top / step) + 1};
}

/* Which row (0 on top) a value lies on, or next to. */
static int row_of(int64_t value, const struct levels *levels)
{
	return (int)((levels->top - value + levels->step / 2) / levels->step);
}

static const char *sign_at(int row, int now, int before)
{
	if (row == now)
		return before < now ? "╰" : before > now ? "╭" : "─";
	if (row == before)
		return before < now ? "╮" : "╯";
	return (row > KT_MIN(now, before) && row < KT_MAX(now, before)) ? "│" : " ";
}

/* What was said about the time that column `c` stands for, on this row; NULL: nothing. */
static const char *said_at(const struct tui_curve *curve, int c, int row, const struct levels *levels,
                           int width)
{
	const struct kt_json *said;
	KT_JSON_EACH (said, curve->said) {
		int at = KT_MIN((int)(time_of(said) * width / curve->span), width - 1);
		if (at == c && row_of(kt_get_int(said, "value", 0), levels) == row)
			return kt_get_bool(said, "right", false) ? "✓" : "✗";
	}
	return NULL;
}

static void curve_row(const struct tui_curve *curve, int row, const struct levels *levels, int width,
                      struct kt_buf *line)
{
	int before = -1;
	for (int c = 0; c < width; c++) {
		int now = row_of(ready(sample_at(curve->samples, curve->span * (c + 1) / width), curve->name),
		                 levels);
		const char *said = said_at(curve, c, row, levels, width);
		kt_buf_adds(line, said ? said : sign_at(row, now, before < 0 ? now : before));
		before = now;
	}
}

static void axis(double span, int width, struct tui_text *text)
{
	struct kt_buf end = {0};
	kt_duration_print_human((kt_ns)(span * 1e9), &end);
	tui_text_linef(text, TUI_DIM, "      0s%*s%s", KT_MAX(width - 2 - (int)end.len, 1), "",
	               kt_buf_str(&end));
	kt_buf_clear(&end);
}

void tui_curve_lines(const struct tui_curve *curve, struct tui_text *text)
{
	int64_t least, most;
	const struct kt_json *said;
	int width = KT_MIN(KT_MAX(text->width - 8, 16), 72);
	bounds(curve->samples, curve->name, &least, &most);
	enum tui_style style = least < most ? TUI_WARN : TUI_GOOD;
	KT_JSON_EACH (said, curve->said)
		most = KT_MAX(most, kt_get_int(said, "value", 0));
	const struct levels levels = levels_for(most);
	for (int row = 0; row < levels.count; row++) {
		struct kt_buf line = {0};
		curve_row(curve, row, &levels, width, &line);
		tui_text_linef(text, style, " %3lld %s%s", (long long)(levels.top - row * levels.step),
		               row + 1 == levels.count ? "┼" : "┤", kt_buf_str(&line));
		kt_buf_clear(&line);
	}
	axis(curve->span, width, text);
}

/* --- moments --- */

static void nodes_changed(const struct kt_json *from, const struct kt_json *to, struct kt_buf *what)
{
	const struct kt_json *sides[] = {from, to}, *name, *other;
	static const char *const words[] = {"Ready again", "NotReady"};
	for (size_t s = 0; s < KT_COUNT(sides); s++) {
		bool some = false;
		KT_JSON_EACH (name, kt_get(sides[s], "down")) {
			bool both = false;
			KT_JSON_EACH (other, kt_get(sides[1 - s], "down"))
				both = both || kt_equal(name, other);
			if (both)
				continue;
			kt_buf_addf(what, "%s%s", some ? ", " : what->len ? "; " : "", kt_str(name));
			some = true;
		}
		if (some)
			kt_buf_addf(what, " %s", words[s]);
	}
}

static void pods_changed(const struct kt_json *from, const struct kt_json *to, struct kt_buf *what)
{
	const struct kt_json *counts = kt_get(to, "ready");
	for (size_t i = 0; i < kt_count(counts); i++) {
		const char *name = kt_key(counts, i);
		if (ready(from, name) != ready(to, name))
			kt_buf_addf(what, "%s%s %lld → %lld ready", what->len ? "; " : "", name,
			            (long long)ready(from, name), (long long)ready(to, name));
	}
}

static void moments(const struct kt_json *samples, struct tui_text *text)
{
	size_t told = 0;
	for (size_t i = 1; i < kt_count(samples); i++) {
		struct kt_buf what = {0}, when = {0};
		nodes_changed(kt_at(samples, i - 1), kt_at(samples, i), &what);
		pods_changed(kt_at(samples, i - 1), kt_at(samples, i), &what);
		kt_duration_print_human((kt_ns)(time_of(kt_at(samples, i)) * 1e9), &when);
		char *first = kt_strf("  %7s  ", kt_buf_str(&when));
		if (what.len && told++ < MOMENTS_MAX)
			tui_text_prose(text, TUI_PLAIN, first, "           ", kt_buf_str(&what));
		kt_free(first);
		kt_buf_clear(&what);
		kt_buf_clear(&when);
	}
	if (told > MOMENTS_MAX)
		tui_text_linef(text, TUI_DIM, "           and %zu more", told - MOMENTS_MAX);
}

/* Curves of what changed; without any, of the first. */
void tui_timeline_lines(const struct kt_json *timeline, struct tui_text *text)
{
	const struct kt_json *samples = kt_get(timeline, "samples"),
	                     *names = kt_get(kt_at(samples, 0), "ready");
	double span = kt_real_or(kt_get(timeline, "span"), 0);
	size_t drawn = 0;
	if (!kt_count(samples) || span <= 0)
		return;
	for (size_t i = 0; i < kt_count(names) && drawn < CURVES_MAX; i++) {
		int64_t least, most;
		bounds(samples, kt_key(names, i), &least, &most);
		if (least == most && (i + 1 < kt_count(names) || drawn))
			continue;
		tui_text_linef(text, TUI_STRONG, "ready pods of %s", kt_key(names, i));
		tui_curve_lines(
		        &(struct tui_curve){.samples = samples, .span = span, .name = kt_key(names, i)},
		        text);
		drawn++;
	}
	moments(samples, text);
}

/* SPDX-License-Identifier: MIT */
/* The panels that stand in the place of the tasks: text, hints, why, time. */
#include "tui/work_internal.h"
#include "tui/worker.h"

#include <stdlib.h>
#include <string.h>

/* --- F1, F2 --- */

static void text_lines(struct tui_app *app, struct tui_text *text)
{
	const struct lab *lab = app->work.lab;
	const struct lab_task *task = &lab->tasks[app->work.task];
	tui_text_linef(text, TUI_HEADING, "%zu  %s", app->work.task + 1, task->title);
	tui_text_gap(text);
	tui_text_prose(text, TUI_PLAIN, "", "", task->text ? task->text : "");
	if (task->why) {
		tui_text_gap(text);
		tui_text_prose(text, TUI_DIM, "why: ", "     ", task->why);
	}
	tui_text_gap(text);
	tui_text_linef(text, TUI_DIM, "%u point%s, %zu hint%s", task->points, task->points == 1 ? "" : "s",
	               task->hint_count, task->hint_count == 1 ? "" : "s");
}

static void hint_lines(struct tui_app *app, struct tui_text *text)
{
	const struct lab *lab = app->work.lab;
	const struct lab_task *task = &lab->tasks[app->work.task];
	size_t used = (size_t)kt_get_int(tui_task_row(app, lab->lab, task->task), "hints", 0);
	tui_text_linef(text, TUI_HEADING, "Hints: %s", task->title);
	for (size_t i = 0; i < KT_MIN(used, task->hint_count); i++) {
		char *first = kt_strf("%zu. ", i + 1);
		tui_text_gap(text);
		tui_text_prose(text, TUI_PLAIN, first, "   ", task->hints[i]);
		kt_free(first);
	}
	tui_text_gap(text);
	if (!task->hint_count)
		tui_text_line(text, TUI_DIM, "This task has no hints.");
	else if (used < task->hint_count)
		tui_text_linef(text, TUI_DIM, "%zu more: F2 shows the next.", task->hint_count - used);
	else
		tui_text_line(text, TUI_DIM, "These are all.");
}

/* --- F5 --- */

/* "networkpolicy backend -n shop", "deployment shop/app": as the cluster's history names objects. */
static char *history_name(const char *object)
{
	const char *space = strchr(object, ' '), *in = strstr(object, " -n ");
	if (!space || space == in)
		return NULL;
	int kind = (int)(space - object);
	if (in)
		return kt_strf("%.*s/%s/%.*s", kind, object, in + 4, (int)(in - space - 1), space + 1);
	return kt_strf("%.*s/%.*s", kind, object, (int)strcspn(space + 1, " ,"), space + 1);
}

char *tui_why_object(const struct tui_work *work)
{
	const struct kt_json *sources[] = {work->tasks, work->drills}, *finding;
	for (size_t s = 0; s < KT_COUNT(sources); s++) {
		ptrdiff_t i = kt_find(sources[s], "task", work->lab->tasks[work->task].task);
		KT_JSON_EACH (finding, i < 0 ? NULL : kt_get(kt_at(sources[s], (size_t)i), "findings")) {
			const char *object = kt_get_str(finding, "object");
			char *name = object ? history_name(object) : NULL;
			if (name)
				return name;
		}
	}
	return NULL;
}

static void change_line(const struct kt_json *change, struct tui_text *text)
{
	char *from = kt_json_text(kt_get(change, "from")), *to = kt_json_text(kt_get(change, "to"));
	char *line =
	        kt_strf("%s: %s → %s", kt_str_or(kt_get(change, "path"), "?"),
	                kt_get(change, "from") ? from : "nothing", kt_get(change, "to") ? to : "nothing");
	tui_text_prose(text, TUI_DIM, "            ", "              ", line);
	kt_free(line);
	kt_free(from);
	kt_free(to);
}

static void event_lines(const struct kt_json *event, struct tui_text *text)
{
	const char *at = kt_str_or(kt_get(event, "at"), ""), *reason = kt_get_str(event, "reason");
	const struct kt_json *change;
	char *first = kt_strf("%.8s  ", strlen(at) > 11 ? at + 11 : at);
	char *line =
	        kt_strf("%s %s/%s by %s%s%s", kt_str_or(kt_get(event, "change"), "?"),
	                kt_str_or(kt_get(event, "kind"), "?"), kt_str_or(kt_get(event, "name"), "?"),
	                kt_str_or(kt_get(event, "actor"), "?"), reason ? ": " : "", reason ? reason : "");
	tui_text_prose(text, TUI_PLAIN, first, "          ", line);
	KT_JSON_EACH (change, kt_get(event, "changed"))
		change_line(change, text);
	kt_free(first);
	kt_free(line);
}

static void why_lines(struct tui_app *app, struct tui_text *text)
{
	const struct tui_work *work = &app->work;
	const struct kt_json *event, *events = kt_get(work->why, "events");
	const struct lab_task *task = &work->lab->tasks[work->task];
	char *object = tui_why_object(work);
	tui_text_linef(text, TUI_HEADING, "Why: %s", task->title);
	tui_text_gap(text);
	if (task->why)
		tui_text_prose(text, TUI_PLAIN, "", "", task->why);
	tui_text_gap(text);
	const struct kt_json *timeline = kt_get(work->timelines, task->task);
	tui_timeline_lines(timeline, text);
	tui_text_gap(text);
	if (!object && timeline)
		;
	else if (!object)
		tui_text_prose(text, TUI_DIM, "", "",
		               "No finding of this task names an object whose history could be told.");
	else if (!work->why)
		tui_text_linef(text, TUI_DIM, "asking for the history of %s", object);
	else if (!kt_count(events))
		tui_text_linef(text, TUI_DIM, "Nothing is known to have happened to %s.", object);
	else
		tui_text_linef(text, TUI_STRONG, "What happened to %s:", object);
	KT_JSON_EACH (event, events)
		event_lines(event, text);
	kt_free(object);
}

/* --- F6 --- */

static const struct {
	int key;
	const char *what, *label, *body;
} times[] = {
        {'p', "clock", "pause, or go on", NULL},
        {'1', "clock", "real time", "{speed: 1, paused: false}"},
        {'2', "clock", "10 seconds a second", "{speed: 10, paused: false}"},
        {'3', "clock", "a minute a second", "{speed: 60, paused: false}"},
        {'m', "clock", "a minute passes at once", "{advance: '1m'}"},
        {'t', "clock", "ten minutes pass at once", "{advance: '10m'}"},
        {'h', "clock", "an hour passes at once", "{advance: '1h'}"},
        {'n', "clock", "to the next moment at which something happens", "{jump: 'next'}"},
        {'b', "rewind", "five minutes back", NULL},
};

/* The moment `span` before the cluster's now; NULL: unknown. */
static struct kt_json *moment_before(const struct tui_work *work, kt_ns span)
{
	kt_ns now;
	struct kt_buf text = {0};
	if (!kt_time_parse(kt_str_or(kt_path(work->world, "clock.now"), ""), &now))
		return NULL;
	kt_time_print(now - span, &text);
	struct kt_json *body = kt_jsonf("{to: %s}", kt_buf_str(&text));
	kt_buf_clear(&text);
	return body;
}

void tui_time_key(struct tui_app *app, int key)
{
	struct tui_work *work = &app->work;
	for (size_t i = 0; i < KT_COUNT(times); i++) {
		struct kt_json *body = NULL;
		if (times[i].key != key)
			continue;
		if (!kt_get(work->world, "clock")) {
			tui_notice(app, "The time of this cluster is real; it cannot be changed.");
			return;
		}
		if (key == 'p')
			body = kt_jsonf("{paused: %b}",
			                (int)!kt_path_bool(work->world, "clock.paused", false));
		else if (key == 'b')
			body = moment_before(work, 5 * KT_MIN_NS);
		else
			body = kt_jsonf(times[i].body);
		if (body)
			tui_worker_ask(work->worker, kt_jsonf("{do: %s, body: %j}", times[i].what, body));
	}
}

static void time_lines(struct tui_app *app, struct tui_text *text)
{
	const struct kt_json *clock = kt_get(app->work.world, "clock");
	tui_text_line(text, TUI_HEADING, "Time");
	tui_text_gap(text);
	if (!clock) {
		tui_text_prose(text, TUI_DIM, "", "",
		               "The time of this cluster is real; it cannot be changed.");
		return;
	}
	tui_text_linef(text, TUI_PLAIN, "%.19sZ in the cluster, %s at %gx",
	               kt_str_or(kt_get(clock, "now"), "?"),
	               kt_get_bool(clock, "paused", false) ? "standing," : "running",
	               kt_real_or(kt_get(clock, "speed"), 1));
	tui_text_gap(text);
	for (size_t i = 0; i < KT_COUNT(times); i++) {
		char *first = kt_strf("  %c  ", times[i].key);
		tui_text_prose(text, TUI_PLAIN, first, "     ", times[i].label);
		kt_free(first);
	}
}

/* --- which --- */

void tui_draw_panel(struct tui_app *app, struct tui_grid *grid, struct tui_area area)
{
	static void (*const lines[])(struct tui_app *, struct tui_text *) = {[TUI_PANEL_TEXT] = text_lines,
	                                                                     [TUI_PANEL_HINT] = hint_lines,
	                                                                     [TUI_PANEL_WHY] = why_lines,
	                                                                     [TUI_PANEL_TIME] = time_lines};
	struct tui_work *work = &app->work;
	struct tui_text text;
	if (work->panel == TUI_PANEL_MAP) {
		tui_draw_map(app, grid, area);
		return;
	}
	tui_text_init(&text, area.cols - 3);
	lines[work->panel](app, &text);
	work->scroll = tui_text_clamp(&text, area.rows - 1, work->scroll);
	tui_text_draw(&text, grid, (struct tui_area){area.row, area.col + 1, area.rows - 1, area.cols - 2},
	              work->scroll);
	tui_text_clear(&text);
}

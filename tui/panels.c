/* SPDX-License-Identifier: MIT */
/* The panels that stand in the place of the tasks: text, hints, why, time. */
#include "tui/work_internal.h"
#include "tui/worker.h"

#include <stdlib.h>
#include <string.h>

#define FURTHEST  (24 * 60 * KT_MIN_NS) /* back in time */
#define VALUE_MAX 80                    /* of a change, as told */

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

char *tui_why_object(const struct tui_work *work, const char **path)
{
	const struct kt_json *sources[] = {work->tasks, work->drills}, *finding;
	*path = NULL;
	for (size_t s = 0; s < KT_COUNT(sources); s++) {
		ptrdiff_t i = kt_find(sources[s], "task", work->lab->tasks[work->task].task);
		KT_JSON_EACH (finding, i < 0 ? NULL : kt_get(kt_at(sources[s], (size_t)i), "findings")) {
			const char *object = kt_get_str(finding, "object");
			char *name = object ? history_name(object) : NULL;
			*path = kt_get_str(finding, "path");
			if (name)
				return name;
		}
	}
	return NULL;
}

static char *short_value(const struct kt_json *value)
{
	if (!value)
		return kt_strdup("nothing");
	char *text = kt_json_text(value);
	if (strlen(text) <= VALUE_MAX)
		return text;
	char *cut = kt_strf("%.*s…", VALUE_MAX, text);
	kt_free(text);
	return cut;
}

/* Is it the part of the object that the finding is about? Both up to the first filter. */
static bool is_about(const char *path, const struct kt_json *change)
{
	const char *changed = kt_str_or(kt_get(change, "path"), "");
	size_t wanted = path ? strcspn(path, "[") : 0, has = strcspn(changed, "["), len = KT_MIN(wanted, has);
	char next = wanted > len ? path[len] : has > len ? changed[len] : '\0';
	return len && !strncmp(path, changed, len) && (next == '\0' || next == '.');
}

static void change_line(const struct kt_json *change, bool here, struct tui_text *text)
{
	char *from = short_value(kt_get(change, "from")), *to = short_value(kt_get(change, "to"));
	char *line = kt_strf("%s: %s → %s", kt_str_or(kt_get(change, "path"), "?"), from, to);
	tui_text_prose(text, here ? TUI_WARN : TUI_DIM, "            ", "              ", line);
	kt_free(line);
	kt_free(from);
	kt_free(to);
}

/* The moment at which what a task complains about was changed is marked. */
static void event_lines(const struct kt_json *event, const char *path, struct tui_text *text)
{
	const char *at = kt_str_or(kt_get(event, "at"), ""), *reason = kt_get_str(event, "reason");
	const struct kt_json *change;
	bool here = false;
	KT_JSON_EACH (change, kt_get(event, "changed"))
		here = here || is_about(path, change);
	char *first = kt_strf("%.8s%s", strlen(at) > 11 ? at + 11 : at, here ? " ▸" : "  ");
	char *line =
	        kt_strf("%s %s/%s by %s%s%s", kt_str_or(kt_get(event, "change"), "?"),
	                kt_str_or(kt_get(event, "kind"), "?"), kt_str_or(kt_get(event, "name"), "?"),
	                kt_str_or(kt_get(event, "actor"), "?"), reason ? ": " : "", reason ? reason : "");
	tui_text_prose(text, here ? TUI_STRONG : TUI_PLAIN, first, "          ", line);
	KT_JSON_EACH (change, kt_get(event, "changed"))
		change_line(change, is_about(path, change), text);
	kt_free(first);
	kt_free(line);
}

static void history_head(const struct kt_json *why, const char *object, struct tui_text *text)
{
	bool told = kt_count(kt_get(why, "events")) > 0;
	char *line = !why   ? kt_strf("asking for the history of %s", object)
	             : told ? kt_strf("What happened to %s:", object)
	                    : kt_strf("Nothing is known to have happened to %s.", object);
	tui_text_prose(text, told ? TUI_STRONG : TUI_DIM, "", "", line);
	kt_free(line);
}

static void why_lines(struct tui_app *app, struct tui_text *text)
{
	const struct tui_work *work = &app->work;
	const struct kt_json *event, *events = kt_get(work->why, "events");
	const struct lab_task *task = &work->lab->tasks[work->task];
	const char *path;
	char *object = tui_why_object(work, &path);
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
	else
		history_head(work->why, object, text);
	KT_JSON_EACH (event, events)
		event_lines(event, path, text);
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
        {TUI_KEY_ENTER, "rewind", NULL, NULL}, /* to the moment that is chosen */
};

/* Earlier moments lie closer together: ten seconds, then minutes, then ten of them. */
static kt_ns step_at(kt_ns back)
{
	return back < KT_MIN_NS ? 10 * KT_SEC : back < 10 * KT_MIN_NS ? KT_MIN_NS : 10 * KT_MIN_NS;
}

void tui_time_choose(struct tui_app *app, int key)
{
	kt_ns *back = &app->work.back;
	if (key == TUI_KEY_LEFT)
		*back = KT_MIN(*back + step_at(*back), FURTHEST);
	else
		*back = KT_MAX(*back - step_at(*back - 1), 0);
}

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
		else if (key == TUI_KEY_ENTER)
			body = work->back ? moment_before(work, work->back) : NULL;
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
	for (size_t i = 0; i < KT_COUNT(times) && times[i].label; i++) {
		char *first = kt_strf("  %c  ", times[i].key);
		tui_text_prose(text, TUI_PLAIN, first, "     ", times[i].label);
		kt_free(first);
	}
	struct kt_buf ago = {0};
	kt_duration_print_human(app->work.back, &ago);
	char *line = app->work.back ? kt_strf("%s ago; enter goes there", kt_buf_str(&ago))
	                            : kt_strdup("choose an earlier moment to go back to");
	tui_text_prose(text, app->work.back ? TUI_KEY : TUI_PLAIN, "  ← → ", "      ", line);
	kt_free(line);
	kt_buf_clear(&ago);
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

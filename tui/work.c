/* SPDX-License-Identifier: MIT */
/* The lab's life on the screen: starting, what the worker tells, what is kept of it, leaving. */
#include "tui/app.h"
#include "tui/pane.h"
#include "tui/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STOOD_FOR  (2 * KT_SEC)
#define DATED_MAX  500 /* pods; more are not marked when they change */
#define SPARK_LEN  24  /* looks that a spark line goes back */
#define COUNT_TIME 60  /* seconds of a lab are kept once a minute, and at the end */

void tui_work_clear(struct tui_work *work)
{
	tui_worker_free(work->worker);
	tui_pane_free(work->pane);
	kt_free(work->kubeconfig);
	kt_free(work->failed);
	kt_json_free(work->tasks);
	kt_json_free(work->drills);
	kt_json_free(work->world);
	kt_json_free(work->why);
	kt_json_free(work->compared);
	kt_json_free(work->met);
	kt_json_free(work->standing);
	kt_buf_clear(&work->to_type);
	kt_json_free(work->timelines);
	kt_json_free(work->sparks);
	memset(work, 0, sizeof(*work));
}

void tui_work_count_time(struct tui_app *app)
{
	struct tui_work *work = &app->work;
	int64_t seconds = (app->now - work->counted) / KT_SEC;
	if (!work->lab || !work->ready || seconds <= 0)
		return;
	work->counted += seconds * KT_SEC;
	/* a laptop that slept did not learn */
	tui_record(
	        app, "lab-time",
	        kt_jsonf("{lab: %s, seconds: %l}", work->lab->lab, KT_MIN(seconds, (int64_t)2 * COUNT_TIME)));
}

void tui_work_tick(struct tui_app *app)
{
	if (app->work.ready && app->now - app->work.counted >= COUNT_TIME * KT_SEC)
		tui_work_count_time(app);
}

/* --- tasks --- */

static const struct kt_json *task_row(const struct kt_json *rows, const struct lab_task *task)
{
	ptrdiff_t i = kt_find(rows, "task", task->task);
	return i < 0 ? NULL : kt_at(rows, (size_t)i);
}

const char *tui_task_status(const struct tui_work *work, size_t task)
{
	const char *now = kt_str_or(kt_get(task_row(work->tasks, &work->lab->tasks[task]), "status"), "");
	const char *whole = kt_str_or(kt_get(task_row(work->drills, &work->lab->tasks[task]), "status"), "");
	return kt_streq(now, "drill") && (kt_streq(whole, "passed") || kt_streq(whole, "failed")) ? whole
	                                                                                          : now;
}

static bool all_stand(const struct tui_work *work, bool without_drills)
{
	for (size_t i = 0; i < work->lab->task_count; i++) {
		const char *status = tui_task_status(work, i);
		if (!kt_streq(status, "passed") && !(without_drills && kt_streq(status, "drill")))
			return false;
	}
	return work->lab->task_count > 0;
}

static void select_open_task(struct tui_work *work)
{
	if (!kt_streq(tui_task_status(work, work->task), "passed"))
		return;
	for (size_t i = 0; i < work->lab->task_count; i++)
		if (!kt_streq(tui_task_status(work, i), "passed")) {
			work->task = i;
			return;
		}
}

/* What changed is kept: a task that passed, or one that does no more. */
static void keep_task(struct tui_app *app, size_t i, const char *before)
{
	struct tui_work *work = &app->work;
	const char *now = tui_task_status(work, i);
	bool passed = kt_streq(now, "passed");
	if (kt_streq(before, now))
		return;
	if (i < KT_COUNT(work->changed) && *before)
		work->changed[i] = app->now;
	if (!passed && !kt_streq(now, "failed"))
		return;
	const struct kt_json *findings = kt_get(task_row(work->tasks, &work->lab->tasks[i]), "findings");
	tui_record(app, "task",
	           kt_jsonf("{lab: %s, task: %s, passed: %d, finding: %s}", work->lab->lab,
	                    work->lab->tasks[i].task, (int)passed,
	                    passed ? NULL : kt_get_str(kt_at(findings, 0), "found")));
}

/* A complaint that is over counts as met on the way when it stood for a while: what was only settling does
 * not. */
static void end_complaint(struct tui_work *work, const char *task, kt_ns now)
{
	const struct kt_json *old = kt_get(work->standing, task), *known;
	const char *text = kt_get_str(old, "text");
	bool is_known = !text || now - kt_get_int(old, "since", 0) < STOOD_FOR;
	KT_JSON_EACH (known, kt_get(work->met, task))
		is_known = is_known || kt_streq(kt_str(known), text);
	if (!is_known)
		kt_push(kt_edit(&work->met, task), kt_json_str(text));
}

/* What tasks complain about, for the result: each sentence once. */
static void keep_met(struct tui_work *work, kt_ns now)
{
	const struct kt_json *row;
	KT_JSON_EACH (row, work->tasks) {
		const char *task = kt_get_str(row, "task");
		const char *text = kt_streq(kt_get_str(row, "status"), "failed")
		                           ? kt_get_str(kt_at(kt_get(row, "findings"), 0), "found")
		                           : NULL;
		if (kt_streq(text, kt_get_str(kt_get(work->standing, task), "text")))
			continue;
		end_complaint(work, task, now);
		kt_set(&work->standing, task,
		       text ? kt_jsonf("{text: %s, since: %l}", text, (int64_t)now) : NULL);
	}
}

static void keep_points(struct tui_app *app)
{
	struct tui_work *work = &app->work;
	int points = 0, of = 0;
	for (size_t i = 0; i < work->lab->task_count; i++) {
		of += (int)work->lab->tasks[i].points;
		points += kt_streq(tui_task_status(work, i), "passed") ? (int)work->lab->tasks[i].points : 0;
	}
	tui_record(app, "lab-check", kt_jsonf("{lab: %s, points: %d, of: %d}", work->lab->lab, points, of));
}

static void finish(struct tui_app *app, bool whole)
{
	struct tui_work *work = &app->work;
	bool first = !work->finished;
	work->finished = true;
	if (first) {
		tui_work_count_time(app);
		keep_points(app);
		tui_record(app, "lab-pass", kt_jsonf("{lab: %s}", work->lab->lab));
	}
	if (whole)
		tui_open_result(app);
	else if (first)
		tui_notice(app, "Every task has passed. F3 shows the result.");
}

static void told_tasks(struct tui_app *app, const struct kt_json *message)
{
	struct tui_work *work = &app->work;
	bool whole = kt_get_bool(message, "whole", false), had_all = all_stand(work, true);
	char **before = kt_alloc((work->lab->task_count + 1) * sizeof(char *));
	for (size_t i = 0; i < work->lab->task_count; i++)
		before[i] = kt_strdup(tui_task_status(work, i));
	kt_json_free(work->tasks);
	work->tasks = kt_json_ref(kt_get(message, "tasks"));
	if (whole) {
		kt_json_free(work->drills);
		work->drills = kt_json_ref(work->tasks);
	}
	keep_met(work, app->now);
	for (size_t i = 0; i < work->lab->task_count; i++) {
		keep_task(app, i, before[i]);
		kt_free(before[i]);
	}
	kt_free(before);
	select_open_task(work);
	if (whole && !all_stand(work, false))
		keep_points(app);
	if (all_stand(work, false))
		finish(app, whole);
	else if (!had_all && all_stand(work, true))
		tui_notice(app, "All that a look can tell is done. F3 checks the rest: the drill.");
}

/* --- what the worker tells --- */

static void start_shell(struct tui_app *app);

/* The shell has said something, its prompt at first: what waits to be typed is typed behind it. */
static void shell_spoke(void *arg)
{
	struct tui_work *work = &((struct tui_app *)arg)->work;
	if (!work->pane || !work->to_type.len)
		return;
	struct kt_buf text = work->to_type;
	work->to_type = (struct kt_buf){0};
	tui_pane_type(work->pane, text.data, text.len);
	kt_buf_clear(&text);
}

static void told_ready(struct tui_app *app, const struct kt_json *message)
{
	struct tui_work *work = &app->work;
	work->kubeconfig = kt_strdup(kt_get_str(message, "kubeconfig"));
	work->ready = true;
	work->shell_focus = true;
	work->began = work->counted = app->now;
	work->busy[0] = '\0';
	tui_record(app, "lab-start",
	           kt_jsonf("{lab: %s, provider: %s}", work->lab->lab,
	                    app->provider ? app->provider : providers[0]->name));
	start_shell(app);
	if (tui_top(app) == &tui_screen_starting)
		app->depth--; /* not left: replaced */
	tui_push(app, &tui_screen_work);
}

static void told_failed(struct tui_app *app, const struct kt_json *message)
{
	struct tui_work *work = &app->work;
	work->busy[0] = '\0';
	work->checking = false;
	if (work->failed)
		return; /* the first reason counts; its end follows */
	work->failed = kt_strdup(kt_str_or(kt_get(message, "error"), "it did not work"));
	if (kt_get_bool(message, "cancelled", false) && tui_top(app) == &tui_screen_starting)
		tui_pop(app);
	else if (work->ready)
		tui_notice(app, "%s", work->failed);
}

static void told_busy(struct tui_app *app, const struct kt_json *message)
{
	struct kt_buf clean = {0};
	const char *sentence = kt_str_or(kt_get(message, "sentence"), "");
	kt_buf_add_clean(&clean, sentence, strlen(sentence));
	(void)snprintf(app->work.busy, sizeof(app->work.busy), "%s", kt_buf_str(&clean));
	kt_buf_clear(&clean);
	app->work.busy_elapsed = (kt_ns)(kt_real_or(kt_get(message, "elapsed"), 0) * 1e9);
	app->work.busy_limit = (kt_ns)(kt_real_or(kt_get(message, "limit"), 0) * 1e9);
}

static const struct kt_json *same_pod(const struct kt_json *pods, const struct kt_json *pod)
{
	const struct kt_json *other;
	KT_JSON_EACH (other, pods)
		if (kt_streq(kt_get_str(other, "name"), kt_get_str(pod, "name")) &&
		    kt_streq(kt_get_str(other, "ns"), kt_get_str(pod, "ns")))
			return other;
	return NULL;
}

/* When each pod came to be as it is now, so that what changed a moment ago is marked: row "since", wall time.
 */
static void date_pods(struct kt_json **world, const struct kt_json *before, kt_ns now)
{
	const struct kt_json *old = kt_get(before, "pods");
	size_t count = kt_count(kt_get(*world, "pods"));
	for (size_t i = 0; before && count <= DATED_MAX && i < count; i++) {
		const struct kt_json *pod = kt_at(kt_get(*world, "pods"), i), *was = same_pod(old, pod);
		bool same = was && kt_streq(kt_get_str(was, "state"), kt_get_str(pod, "state"));
		int64_t since = same ? kt_get_int(was, "since", 0) : (int64_t)now;
		kt_set(kt_edit_at(kt_edit(world, "pods"), i), "since", kt_json_int(since));
	}
}

static void told_world(struct tui_app *app, const struct kt_json *message)
{
	const struct kt_json *service;
	struct kt_json *world = kt_json_ref(message);
	date_pods(&world, app->work.world, app->now);
	kt_json_free(app->work.world);
	app->work.world = world;
	KT_JSON_EACH (service, kt_get(message, "traffic")) {
		struct kt_json **line =
		        kt_edit(&app->work.sparks, kt_str_or(kt_get(service, "service"), "?"));
		kt_push(line, kt_json_ref(kt_get(service, "rps")));
		if (kt_count(*line) > SPARK_LEN)
			kt_remove(line, 0);
	}
}

static void told_why(struct tui_app *app, const struct kt_json *message)
{
	kt_json_free(app->work.why);
	app->work.why = kt_json_ref(message);
}

static void told_compared(struct tui_app *app, const struct kt_json *message)
{
	kt_json_free(app->work.compared);
	app->work.compared = kt_json_ref(kt_get(message, "objects"));
}

static void told_drills(struct tui_app *app, const struct kt_json *message)
{
	kt_json_free(app->work.timelines);
	app->work.timelines = kt_json_ref(kt_get(message, "timelines"));
}

static void told_reset(struct tui_app *app, const struct kt_json *message)
{
	(void)message;
	kt_json_freep(&app->work.drills);
	app->work.finished = false;
	app->work.task = 0;
	tui_notice(app, "The lab is as it was at its start.");
}

static void told_said(struct tui_app *app, const struct kt_json *message)
{
	tui_notice(app, "%s", kt_str_or(kt_get(message, "text"), ""));
}

static void told_idle(struct tui_app *app, const struct kt_json *message)
{
	(void)message;
	app->work.busy[0] = '\0';
	app->work.checking = false;
}

void tui_work_told(struct tui_app *app, const struct kt_json *message)
{
	static const struct {
		const char *word;
		void (*take)(struct tui_app *app, const struct kt_json *message);
	} words[] = {{"busy", told_busy},         {"ready", told_ready},  {"failed", told_failed},
	             {"tasks", told_tasks},       {"world", told_world},  {"why", told_why},
	             {"reset", told_reset},       {"said", told_said},    {"idle", told_idle},
	             {"compared", told_compared}, {"drills", told_drills}};
	if (!app->work.lab)
		return;
	for (size_t i = 0; i < KT_COUNT(words); i++)
		if (kt_streq(words[i].word, kt_get_str(message, "told"))) {
			words[i].take(app, message);
			return;
		}
}

/* --- starting --- */

static void hear_worker(void *arg, const struct kt_json *message)
{
	tui_work_told(arg, message);
}

/* The shell begins in a folder of the lab's own, where the learner's files stay. */
static char *work_dir(const struct tui_app *app)
{
	char *dir = kt_strf("%s/labs/%s/work", app->options->home, app->work.lab->lab);
	if (!kt_make_dirs(dir, 0700, NULL))
		return dir;
	kt_free(dir);
	return NULL;
}

static void start_shell(struct tui_app *app)
{
	struct tui_work *work = &app->work;
	struct kt_err err = {0};
	const char *path = getenv("PATH"), *shell = getenv("SHELL");
	char *dir = work_dir(app);
	char *env[] = {kt_strf("KUBECONFIG=%s", work->kubeconfig),
	               kt_strf("PATH=%s/bin:%s%s%s", app->options->home,
	                       app->options->bin ? app->options->bin : "", app->options->bin ? ":" : "",
	                       path ? path : "/usr/bin:/bin"),
	               kt_strf("KTUTOR_LAB=%s", work->lab->lab), kt_strdup("TERM=xterm-256color"), NULL};
	const char *borrowed[KT_COUNT(env)];
	for (size_t i = 0; i < KT_COUNT(env); i++)
		borrowed[i] = env[i];
	struct tui_pane_options options = {.shell = shell && *shell ? shell : "/bin/sh",
	                                   .env = borrowed,
	                                   .dir = dir,
	                                   .rows = 10,
	                                   .cols = 60,
	                                   .loop = app->loop};
	tui_pane_free(work->pane);
	work->pane = NULL;
	if (tui_pane_new(&options, &work->pane, &err))
		tui_notice(app, "%s", err.text);
	for (size_t i = 0; i < KT_COUNT(env); i++)
		kt_free(env[i]);
	kt_free(dir);
}

void tui_work_new_shell(struct tui_app *app)
{
	start_shell(app);
}

static void begin(struct tui_app *app)
{
	struct tui_work *work = &app->work;
	struct kt_err err = {0};
	struct tui_worker_options options = {.home = app->options->home,
	                                     .lab = work->lab,
	                                     .provider = app->provider ? provider_find(app->provider) : NULL,
	                                     .loop = app->loop,
	                                     .told = hear_worker,
	                                     .arg = app};
	kt_free(work->failed);
	work->failed = NULL;
	work->began = app->now;
	(void)snprintf(work->busy, sizeof(work->busy), "starting the cluster");
	if (app->loop && tui_worker_new(&options, &work->worker, &err))
		work->failed = kt_strdup(err.text);
}

void tui_open_lab(struct tui_app *app, const struct lesson *lesson)
{
	const struct lab *lab = lesson && lesson->lab ? tui_lab_anew(app, lesson->lab) : NULL;
	if (!lab)
		return;
	if (app->work.lab && tui_is_open(app, &tui_screen_work)) {
		bool same = app->work.lab == lab;
		tui_pop_to(app, &tui_screen_work);
		if (same)
			return;
		tui_pop(app); /* one lab at a time */
	}
	tui_work_clear(&app->work);
	app->work.lesson = lesson;
	app->work.lab = lab;
	tui_push(app, &tui_screen_starting);
	begin(app);
}

void tui_type_in_lab(struct tui_app *app, const struct lesson *lesson, const char *text, size_t len)
{
	tui_open_lab(app, lesson);
	if (!app->work.lab)
		return;
	kt_buf_cut(&app->work.to_type, 0);
	kt_buf_add(&app->work.to_type, text, len);
	app->work.shell_focus = true;
	if (app->work.ready)
		shell_spoke(app);
}

/* --- the screen while it starts --- */

static void draw_starting(struct tui_app *app, struct tui_grid *grid, struct tui_area body)
{
	struct tui_work *work = &app->work;
	struct tui_text text;
	char *left = kt_strf("%s  %s", work->lab->lesson ? work->lab->lesson : "", work->lab->title);
	int width = KT_MIN(grid->cols - 8, 72);
	tui_head(grid, left, app->provider ? app->provider : providers[0]->name);
	tui_text_init(&text, width);
	if (work->failed) {
		tui_text_prose(&text, TUI_BAD, "✗ ", "  ", "The lab could not be started.");
		tui_text_gap(&text);
		tui_text_prose(&text, TUI_PLAIN, "  ", "  ", work->failed);
	} else {
		kt_ns elapsed = KT_MAX(app->now - work->began, 0);
		tui_text_prose(&text, TUI_STRONG, "◐ ", "  ", work->busy);
		tui_text_gap(&text);
		tui_text_linef(&text, TUI_DIM, "  %lld s so far; usually %s.", (long long)(elapsed / KT_SEC),
		               !app->provider || kt_streq(app->provider, "embedded") ? "a second or two"
		                                                                     : "one to two minutes");
	}
	tui_text_draw(
	        &text, grid,
	        (struct tui_area){body.row + body.rows / 3, (grid->cols - width) / 2, body.rows / 2, width},
	        0);
	tui_text_clear(&text);
	kt_free(left);
}

static void cancel(struct tui_app *app, int key)
{
	(void)key;
	tui_pop(app);
}

static void retry(struct tui_app *app, int key)
{
	(void)key;
	tui_worker_free(app->work.worker);
	app->work.worker = NULL;
	begin(app);
}

static bool has_failed(const struct tui_app *app)
{
	return app->work.failed != NULL;
}

static bool is_starting(const struct tui_app *app)
{
	return !app->work.failed;
}

/* Nothing that runs is left without a listener: the worker undoes what it began. */
static void leave_starting(struct tui_app *app)
{
	tui_worker_ask(app->work.worker, kt_jsonf("{do: 'cancel'}"));
	tui_work_clear(&app->work);
}

static const struct tui_binding starting_keys[] = {
        {{'q', TUI_KEY_ESC, 3}, "q", "cancel", "Stop starting the lab.", cancel, is_starting},
        {{'r', TUI_KEY_ENTER}, "r", "try again", "Try to start it once more.", retry, has_failed},
        TUI_NO_KEYS,
};

const struct tui_screen tui_screen_starting = {.name = "starting",
                                               .title = "Starting",
                                               .keys = starting_keys,
                                               .draw = draw_starting,
                                               .leave = leave_starting};

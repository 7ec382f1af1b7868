/* SPDX-License-Identifier: MIT */
/* work: the model of the lab's workspace: the lab, what its worker last told, the learner's shell. */
#ifndef TUI_WORK_H
#define TUI_WORK_H

#include "labs/labs.h"
#include "tui/grid.h"

struct tui_app;
struct tui_pane;
struct tui_worker;

enum tui_panel {
	TUI_PANEL_TASKS,
	TUI_PANEL_TEXT,
	TUI_PANEL_HINT,
	TUI_PANEL_MAP,
	TUI_PANEL_WHY,
	TUI_PANEL_TIME
};
struct tui_work {
	const struct lesson *lesson;
	const struct lab *lab; /* NULL: no workspace */
	struct tui_worker *worker;
	struct tui_pane *pane;
	bool ready, shell_focus, finished;
	bool stacked; /* the last frame had the shell below */
	enum tui_panel panel;
	size_t task; /* selected */
	int scroll;
	char *kubeconfig;
	char *failed;              /* why it could not start */
	struct kt_json *tasks;     /* the worker's last words about the tasks: [{task, status, findings}] */
	struct kt_json *drills;    /* the same of the last whole check: {task: status} */
	struct kt_json *world;     /* {nodes, pods, clock, traffic} */
	struct kt_json *sparks;    /* requests a second of late, by service: {name: [rps]} */
	struct kt_json *why;       /* {object, events} */
	struct kt_json *compared;  /* the solution beside what the learner made: as lab_compare() */
	struct kt_json *timelines; /* of the last drills: {task: {span, samples}} */
	struct kt_json *standing;  /* what tasks complain about now, and since when: {task: {text, since}} */
	struct kt_json *met;       /* what was found on the way: {task: [sentence]} */
	struct kt_buf to_type;     /* into the shell, once it is there */
	char busy[256];            /* what the worker is doing; "" nothing */
	kt_ns busy_elapsed, busy_limit;
	bool checking;
	kt_ns back;           /* how far the moment chosen to go back to lies */
	kt_ns began, counted; /* wall time */
	kt_ns changed[64];    /* when a task's mark last changed */
};
void tui_work_clear(struct tui_work *work);
/* What the worker says (a JSON object a line), as a change of the model. */
void tui_work_told(struct tui_app *app, const struct kt_json *message);
/* Status of a task as shown: "passed", "failed", "drill" (all but the drill passed), "blocked", "unknown",
 * "" not looked at yet. */
const char *tui_task_status(const struct tui_work *work, size_t task);
void tui_work_tick(struct tui_app *app);
void tui_draw_map(struct tui_app *app, struct tui_grid *grid, struct tui_area area);
void tui_work_count_time(struct tui_app *app);
/* A new shell in the place of one that ended. */
void tui_work_new_shell(struct tui_app *app);

#endif

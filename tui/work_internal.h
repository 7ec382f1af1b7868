/* SPDX-License-Identifier: MIT */
/* What the files of the workspace share. */
#ifndef TUI_WORK_INTERNAL_H
#define TUI_WORK_INTERNAL_H

#include "tui/app.h"

void tui_draw_panel(struct tui_app *app, struct tui_grid *grid, struct tui_area area); /* work->panel */
void tui_time_choose(struct tui_app *app, int key); /* an earlier moment: left and right */
void tui_time_key(struct tui_app *app, int key);
/* What F5 asks about, KIND/NS/NAME: the object of the selected task's first finding; NULL: none. *path is
 * what of it the finding is about, borrowed, or NULL. */
char *tui_why_object(const struct tui_work *work, const char **path);
/* {app: [apps that it may reach]} from lists of the API; NULL: no policy is there, all may reach all. New. */
struct kt_json *tui_reach(const struct kt_json *pods, const struct kt_json *policies,
                          const struct kt_json *namespaces);
/* A drill as a timeline: pods that were ready, moments at which something changed. Nothing without one. */
void tui_timeline_lines(const struct kt_json *timeline, struct tui_text *text);
/* A number over time, with what was said about it. */
struct tui_curve {
	const struct kt_json *samples; /* [{at: SECONDS, ready: {NAME: N}}] */
	const char *name;
	double span;
	const struct kt_json *said; /* [{at, value, right}], or NULL */
};
void tui_curve_lines(const struct tui_curve *curve, struct tui_text *text);
void tui_finding_lines(const struct kt_json *finding, struct tui_text *text);

#endif

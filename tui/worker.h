/* SPDX-License-Identifier: MIT */
/* worker: a child process that starts a lab, looks at it whenever the cluster changed, and does what takes
 * time, so that the screen never waits. It speaks JSON, an object a line, both ways.
 *
 * It tells: {told: "busy", sentence, elapsed, limit} (seconds)   {told: "ready", kubeconfig}
 *   {told: "failed", error}     it ends after this
 *   {told: "tasks", whole, tasks: [{task, status, findings: [{status, expected, found, object, table}]}]}
 *   {told: "world", nodes: [{name, zone, ready, cordoned, pool}], pods: [{ns, name, node, state, app}],
 * clock, traffic: [{service, rps, p95, availability}], reach: {app: [app]} (no policy: absent)} {told: "why",
 * object, events}   {told: "reset"} {told: "said", text, bad}   {told: "idle"} {told: "drills", timelines:
 * {task: {span, samples: [{at, ready:
 * {"ns/app": N}, down: [node]}]}}} (seconds) {told: "compared", objects: as lab_compare()} It is asked: {do:
 * "check"} {do: "reset"} {do: "clock", body} {do: "why", object} {do: "compare"} {do: "cancel"}. */
#ifndef TUI_WORKER_H
#define TUI_WORKER_H

#include "labs/expert.h"

struct tui_worker_options {
	const char *home;
	const struct lab *lab;
	const struct lab_round *round; /* instead of a lab: it is played once, then {told: "played", result:
	                                  as lab_round_play()} */
	const struct provider *provider;
	struct kt_loop *loop;
	void (*told)(void *arg, const struct kt_json *message);
	void *arg;
};
struct tui_worker;
KT_MUST_CHECK enum kt_code tui_worker_new(const struct tui_worker_options *options, struct tui_worker **out,
                                          struct kt_err *err);
void tui_worker_ask(struct tui_worker *worker, struct kt_json *steal);
void tui_worker_free(struct tui_worker *worker); /* ends it; NULL is fine */

/* The child's side: until `in` ends. */
void tui_worker_serve(const struct tui_worker_options *options, int in, int out);
void tui_worker_play(const struct tui_worker_options *options, int in, int out);

#endif

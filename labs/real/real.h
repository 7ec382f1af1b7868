/* SPDX-License-Identifier: MIT */
/* real: what clusters that ktutor does not simulate have in common: real time and waiting by watch, traffic
 * from a pod, and putting back what a lab made. Everything goes through the Kubernetes API. */
#ifndef REAL_H
#define REAL_H

#include "checker/checker.h"

/* Where ktutor's own pods run; never graded, never wiped by a lab's reset. */
#define REAL_NAMESPACE "ktutor-system"
#define REAL_LABEL     "ktutor.dev/made-by" /* on namespaces, and on pods started for a purpose */

/* --- time (pace.c) --- */
struct real_pace {
	struct check_client *client;
	struct check_feed *feed; /* NULL until somebody waits for a change */
	kt_ns wall, monotonic;   /* at the last look; 0: none yet */
};
kt_ns real_now(void);
void real_pace_clear(struct real_pace *pace);
/* As check_world.pass. Pieces of at most a second, so that whoever waits can tell. KT_EUNREACHABLE when the
 * machine slept meanwhile: what happened then was not seen. */
KT_MUST_CHECK enum kt_code real_pass(struct real_pace *pace, kt_ns span, bool until_change, kt_ns *passed,
                                     struct kt_err *err);
/* How long the machine slept between two looks: wall time that passed and monotonic time that did not; 0 for
 * less than twenty seconds (a clock that was set). */
kt_ns real_slept(kt_ns wall_passed, kt_ns monotonic_passed);

/* --- traffic (load.c) --- */
/* The step `load`: a pod on a machine that no disturbance takes down calls the Service so many times a
 * second, and writes down what became of it. `ns` is where the pod runs. */
KT_MUST_CHECK enum kt_code real_load(struct check_client *client, const char *ns, const struct kt_json *load,
                                     struct kt_err *err);
/* As check_world.traffic, from what the pod wrote. */
KT_MUST_CHECK enum kt_code real_traffic(struct check_client *client, const char *ns, const char *service_ns,
                                        const char *service, kt_ns since, struct kt_json **out,
                                        struct kt_err *err);
/* Lines of the pod ("EPOCH OFFERED ANSWERED P95MS") from `since` on, added up: {offered, answered, errors,
 * p95, rps}. New. */
struct kt_json *real_tally(const char *lines, kt_ns since);

/* {POD: RATE} of all that run in `ns`, and put back: those that are not in it end. New. */
KT_MUST_CHECK enum kt_code real_load_rates(struct check_client *client, const char *ns, struct kt_json **out,
                                           struct kt_err *err);
KT_MUST_CHECK enum kt_code real_load_put(struct check_client *client, const char *ns,
                                         const struct kt_json *rates, struct kt_err *err);

/* --- before and after a drill (drill.c) --- */
/* What it may disturb beside objects: rates of the pods that run in `ns` and, where it may touch machines,
 * who was cordoned. Text, owned. */
KT_MUST_CHECK enum kt_code real_before(struct check_client *client, const char *ns, bool machines, char **out,
                                       struct kt_err *err);
/* Put it back: calls that were not there end, and all are uncordoned but those that were. */
KT_MUST_CHECK enum kt_code real_after(struct check_client *client, const char *ns, bool machines,
                                      const char *before, struct kt_err *err);

/* --- putting back (wipe.c) --- */
/* What there is now, to be put back later. New. */
KT_MUST_CHECK enum kt_code real_inventory(struct check_client *client, struct kt_json **out,
                                          struct kt_err *err);
/* Delete what is not in the inventory, and put back what was changed or deleted of it. Waits until it is so.
 * `tell` as check_run.progress, may be NULL. */
KT_MUST_CHECK enum kt_code real_wipe(struct check_client *client, const struct kt_json *inventory,
                                     bool (*tell)(void *arg, const char *sentence, kt_ns elapsed,
                                                  kt_ns limit),
                                     void *arg, struct kt_err *err);
/* Pods that a checker started and did not live to delete: labelled, and older than `age`. In every namespace
 * (ns NULL) or one. */
void real_sweep(struct check_client *client, const char *ns, kt_ns age);

/* --- what is there (facts.c) --- */
/* Does the network enforce policies, and does it know ports by their names in them? Tried with two pods and
 * two policies in a namespace of its own (some ten seconds). */
KT_MUST_CHECK enum kt_code real_enforces(struct check_client *client, bool *out, bool *named,
                                         struct kt_err *err);
/* Is there a default storage class; do pod metrics answer? */
KT_MUST_CHECK enum kt_code real_has_storage(struct check_client *client, bool *out, struct kt_err *err);
KT_MUST_CHECK enum kt_code real_has_metrics(struct check_client *client, bool *out, struct kt_err *err);

/* --- requests --- */
/* One that must succeed (2xx); the Status' message otherwise. `out` may be NULL. */
KT_MUST_CHECK enum kt_code real_call(struct check_client *client, const char *method, const char *path,
                                     const char *content_type, const struct kt_json *body,
                                     struct kt_json **out, struct kt_err *err);
/* Server-side apply of one object whose path is known. */
KT_MUST_CHECK enum kt_code real_apply(struct check_client *client, const char *path,
                                      const struct kt_json *object, struct kt_err *err);

#endif

/* SPDX-License-Identifier: MIT */
/* Predictions: rounds of EXPERT, a family a file (share/labs/expert/NAME.yaml) in the scenario language. What
 * varies is drawn from a seed; no answer is written down anywhere: the cluster really does it, and tells. */
#ifndef LABS_EXPERT_H
#define LABS_EXPERT_H

#include "labs/labs.h"

struct lab_round_ask {
	const char *question;
	struct kt_json *choices;        /* what is offered, sorted, none twice; NULL: anything may be typed */
	const struct kt_json *reckoned; /* what the explanation says will come out; NULL: it does not. Not
	                                  what is right: the cluster is */
	const struct kt_json *value;    /* {objects, count}, {of, path}: as check_value; or NULL */
	struct check_check **when;      /* how many seconds until it holds; NULL: `value` */
	size_t when_count;
	bool holds;    /* `when` is looked at once, at `at`: yes or no */
	kt_ns at;      /* since the action; of `when`: how long it is waited for */
	double within; /* how far a number may be off (0: not at all) */
};
struct lab_round {
	const char *family, *title;
	const char *text, *does, *explain; /* the cluster; what is done to it; why it went so. May be "" */
	struct kt_json *drawn;             /* {replicas: 4, …} */
	uint64_t seed;
	struct lab_round_ask *asks;
	size_t ask_count;
	struct lab_round_inner *inner;
};
/* Read a family's file with what `seed` draws. Errors name file and line. */
KT_MUST_CHECK enum kt_code lab_round_new(const char *path, uint64_t seed, struct lab_round **out,
                                         struct kt_err *err);
void lab_round_free(struct lab_round *round);
/* Files with a prediction in `dir`, $KTUTOR_LABS and the packs that were added; and those in or below one
 * folder only. */
KT_MUST_CHECK enum kt_code lab_round_files(const char *dir, struct kt_strs *out, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_round_files_below(const char *folder, struct kt_strs *out, struct kt_err *err);
/* [{family, title, file}] of these files; a wrong one is told in `wrong` (may be NULL). New. */
KT_MUST_CHECK enum kt_code lab_rounds(const char *dir, struct kt_json **out, struct kt_strs *wrong,
                                      struct kt_err *err);
/* Do it on a cluster of its own, which ends afterwards: {answers: [VALUE…], timeline: [{at: SECONDS, ask: I,
 * value}]}: in the order of asks; the timeline holds every change of a value. New. */
KT_MUST_CHECK enum kt_code lab_round_play(const struct lab_round *round, const struct lab_options *options,
                                          struct kt_json **out, struct kt_err *err);
/* Question by question: does what the explanation reckoned agree with what happened, and is that among what
 * was offered? [{reckoned, offered}], null where nothing was. New. */
struct kt_json *lab_round_held(const struct lab_round *round, const struct kt_json *result);
/* For those who write rounds: play it with what `seeds` seeds draw. Each question has an answer then, what
 * was reckoned is what happened, and that is among what was offered; else a sentence in `told`, and
 * *failures. */
KT_MUST_CHECK enum kt_code lab_round_prove(const char *path, unsigned seeds,
                                           const struct lab_options *options,
                                           void (*told)(void *arg, const char *line), void *arg,
                                           size_t *failures, struct kt_err *err);
/* Is what was typed right, given what the cluster said? A letter stands for a choice. */
bool lab_round_right(const struct lab_round_ask *ask, const struct kt_json *answer, const char *typed);
/* Is a value that was not typed (a choice, what was reckoned) right? */
bool lab_round_agrees(const struct lab_round_ask *ask, const struct kt_json *answer,
                      const struct kt_json *said);
/* What a typed letter, "b" or "(b)", stands for; NULL: it is no choice's. */
const struct kt_json *lab_round_choice(const struct lab_round_ask *ask, const char *typed);
/* A value as it is said: 4, Running, "nothing" for an empty list. */
void lab_round_say(const struct kt_json *value, struct kt_buf *out);
/* The event "prediction" of question `i`; `sure` in per cent, -1: not told. New. */
struct kt_json *lab_round_event(const struct lab_round *round, size_t i, const struct kt_json *answer,
                                const char *typed, long sure);
/* How well the learner predicts, from progress: {predictions, right, brier, sure: [{sure, of, right}]}. Brier
 * is the mean of (sure - right) squared, 0 the best; null without any that told how sure. New. */
struct kt_json *lab_round_score(const struct kt_json *progress);

#endif

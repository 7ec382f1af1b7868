/* SPDX-License-Identifier: MIT */
/* A proof under way. */
#ifndef LABS_PROVE_INTERNAL_H
#define LABS_PROVE_INTERNAL_H

#include "labs/labs.h"

struct proof {
	const struct lab *lab;
	const struct lab_proof_options *options;
	unsigned failures, left_out;
	kt_ns reset, check;     /* of the solution */
	struct kt_json *record; /* what the learner of the answer has done */
	bool answer;            /* questions are answered as the cluster would */
	bool all_drills;        /* check_run's */
};
/* expect.yaml of a near miss in `dir`: a new list of {task, finding}. Errors name file and line. */
KT_MUST_CHECK enum kt_code lab_expect_read(const struct lab *lab, const char *dir, struct kt_json **out,
                                           struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_proof_reset(struct proof *p, struct kt_err *err);
/* Is a file of that name, in an answer's folder, applied? */
bool lab_is_answer(const char *name);
KT_MUST_CHECK enum kt_code lab_proof_apply(struct proof *p, const char *dir, struct kt_err *err);
/* `first_failure`: what comes after a task that fails is not looked at. */
KT_MUST_CHECK enum kt_code lab_proof_check(struct proof *p, const char *task, bool first_failure,
                                           struct lab_result **out, struct kt_err *err);
/* What the learner of the answer in `dir` has done, into p->record: record.yaml there, else that of
 * the lab's folder. NULL: nothing. */
KT_MUST_CHECK enum kt_code lab_proof_record(struct proof *p, const char *dir, struct kt_err *err);
void lab_proof_tell(struct proof *p, const char *fmt, ...) KT_PRINTF(2, 3);
void lab_proof_wrong(struct proof *p, const char *what, const char *fmt, ...) KT_PRINTF(3, 4); /* and fail */
/* Change the solution bit by bit; tell what no check notices. */
void lab_proof_mutate(struct proof *p, const char *solution);

#endif

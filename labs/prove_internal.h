/* SPDX-License-Identifier: MIT */
/* A proof under way. */
#ifndef LABS_PROVE_INTERNAL_H
#define LABS_PROVE_INTERNAL_H

#include "labs/labs.h"

struct proof {
	const struct lab *lab;
	const struct lab_proof_options *options;
	unsigned failures, left_out;
	kt_ns reset, check; /* of the solution */
	bool answer;        /* questions are answered as the cluster would */
};
KT_MUST_CHECK enum kt_code lab_proof_reset(struct proof *p, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_proof_apply(struct proof *p, const char *dir, struct kt_err *err);
KT_MUST_CHECK enum kt_code lab_proof_check(struct proof *p, const char *task, struct lab_result **out,
                                           struct kt_err *err);
void lab_proof_tell(struct proof *p, const char *line);
/* Change the solution bit by bit; tell what no check notices. */
void lab_proof_mutate(struct proof *p, const char *solution);

#endif

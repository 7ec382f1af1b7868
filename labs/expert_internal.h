/* SPDX-License-Identifier: MIT */
/* What the files of predictions share. */
#ifndef LABS_EXPERT_INTERNAL_H
#define LABS_EXPERT_INTERNAL_H

#include "labs/expert.h"

struct lab_round_inner {
	struct kt_yaml *yaml; /* with what was drawn put in */
	const struct kt_json *cluster;
	struct check_step **scene, **action;
	size_t scene_count, action_count;
};

#endif

/* SPDX-License-Identifier: MIT */
#ifndef CONTROLLER_SPOT_H
#define CONTROLLER_SPOT_H

#include "cluster/controllers/controllers_internal.h"

#define SPOT_LABEL "ktutor.dev/spot"
#define SPOT_TAINT "ktutor.dev/spot-interruption"

bool spot_is(const struct store_object *node);
/* Two minutes' notice for a machine, unless it has it. */
void spot_interrupt(struct cluster *cluster, const struct store_object *node);

#endif

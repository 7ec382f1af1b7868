/* SPDX-License-Identifier: MIT */
/* What the control plane's parts keep up of themselves: two rows of controllers.c. */
#ifndef CONTROL_PLANE_H
#define CONTROL_PLANE_H

#include "cluster/controllers/controller.h"

extern const struct controller controller_lease, controller_service_cidr;

#endif

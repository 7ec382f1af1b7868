/* SPDX-License-Identifier: MIT */
/* Moments as the API writes them. */
#ifndef API_TIMES_H
#define API_TIMES_H

#include "base/base.h"

/* metav1.MicroTime: "2026-01-01T00:00:00.000000Z". New. */
struct kt_json *api_micro_time(kt_ns t);

#endif

/* SPDX-License-Identifier: MIT */
/* Times and durations. A time is nanoseconds since 1970 UTC, a duration nanoseconds: int64_t kt_ns. */
#ifndef KT_TIME_H
#define KT_TIME_H

#include "base/err.h"
#include "base/buf.h"

typedef int64_t kt_ns; /* the one typedef: a unit, not a struct */
#define KT_US     ((kt_ns)1000)
#define KT_MS     ((kt_ns)1000000)
#define KT_SEC    ((kt_ns)1000000000)
#define KT_MIN_NS ((kt_ns)60 * KT_SEC)
#define KT_HOUR   ((kt_ns)3600 * KT_SEC)

/* Where time comes from: a parameter, so that tests own it. */
struct kt_clock {
	kt_ns (*now)(void *arg); /* wall time */
	void *arg;
};
struct kt_clock kt_clock_real(void);
kt_ns kt_monotonic(void); /* for measuring only */

void kt_time_print(kt_ns t, struct kt_buf *out);       /* 2026-01-02T03:04:05Z: metav1.Time */
void kt_time_print_micro(kt_ns t, struct kt_buf *out); /* 2026-01-02T03:04:05.000006Z: metav1.MicroTime */
bool kt_time_parse(
        const char *text,
        kt_ns *out); /* RFC 3339, with or without fraction, any offset; beyond 1677..2262: saturates */
/* time_fault.c: why `text` is no time that Go reads as RFC 3339, or with `micro` as a metav1.MicroTime, which
 * has six digits: "parsing time …", in time.Parse's words. Only for what is none. */
void kt_time_fault(const char *text, bool micro, struct kt_buf *out);
/* Go's time.ParseDuration ("1h2m3.5s", "300ms"); also "3m" forms of the lab language. */
bool kt_duration_parse(const char *text, kt_ns *out);
void kt_duration_print(kt_ns d, struct kt_buf *out); /* Go's Duration.String(): 1m0s, 1.5s, 2ms */
/* Kubernetes' ages: duration.HumanDuration (5s, 2m3s, 45m, 5h2m, 3d4h, 12d, 2y30d). */
void kt_duration_print_human(kt_ns d, struct kt_buf *out);

#endif

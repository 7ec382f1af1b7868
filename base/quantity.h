/* SPDX-License-Identifier: MIT */
/* resource.Quantity (k8s.io/apimachinery/pkg/api/resource): exact within ±(2^63-1) of nano-units, as int64
 * value and scale. */
#ifndef KT_QUANTITY_H
#define KT_QUANTITY_H

#include "base/err.h"
#include "base/buf.h"

enum kt_quantity_format { KT_DECIMAL_SI, KT_BINARY_SI, KT_DECIMAL_EXPONENT };
struct kt_quantity {
	int64_t milli; /* value * 1000, rounded up; saturates */
	int64_t value; /* value rounded up to an integer; saturates */
	int64_t nano;  /* value * 10^9 when it fits (|value| < 9.2e9), else saturated */
	enum kt_quantity_format format;
};
/* "500m", "1Gi", "1e3", "0.5". False for what Kubernetes refuses. */
bool kt_quantity_parse(const char *text, struct kt_quantity *out);
/* The canonical text ("0.5" -> "500m", "1024Mi" -> "1Gi", "1.5Gi" -> "1536Mi"); false if not a quantity. */
bool kt_quantity_canonical(const char *text, struct kt_buf *out);
int kt_quantity_compare(const char *a, const char *b); /* both valid */
/* Canonical text of milli-units or units in a format. */
void kt_quantity_print_milli(int64_t milli, enum kt_quantity_format format, struct kt_buf *out);
void kt_quantity_print_value(int64_t value, enum kt_quantity_format format, struct kt_buf *out);

#endif

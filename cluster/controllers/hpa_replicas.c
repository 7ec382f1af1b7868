/* SPDX-License-Identifier: MIT */
/* From the use of pods to a number of replicas (kubernetes
 * pkg/controller/podautoscaler/replica_calculator.go). */
#include "cluster/controllers/controllers_internal.h"
#include <math.h>

struct totals {
	int64_t usage, request;
	size_t counted;
};

static bool within(double ratio, double up, double down)
{
	/* inclusive, with what binary fractions lose */
	return ratio <= 1.0 + up + 1e-12 && ratio >= 1.0 - down - 1e-12;
}

static double ratio_of(struct totals totals, int64_t target, bool by_value, int64_t *out_utilization,
                       int64_t *out_value)
{
	int64_t average = totals.counted ? totals.usage / (int64_t)totals.counted : 0;
	*out_value = average;
	if (by_value) {
		*out_utilization = average;
		return (double)average / (double)target;
	}
	*out_utilization = totals.request ? totals.usage * 100 / totals.request : 0;
	return (double)*out_utilization / (double)target;
}

static int64_t assumed(const struct controller_hpa_pod *pod, double ratio, int64_t target, bool by_value)
{
	if (ratio > 1.0)
		return 0;
	if (by_value)
		return target;
	return pod->request * KT_MAX(100, target) / 100;
}

bool controller_hpa_replicas(const struct controller_hpa_pod *pods, size_t count, int64_t current,
                             int64_t target, bool by_value, double tolerance_up, double tolerance_down,
                             int64_t *out_replicas, int64_t *out_utilization, int64_t *out_value)
{
	struct totals totals = {0};
	size_t unready = 0, missing = 0;
	int64_t unused_utilization, unused_value;
	for (size_t i = 0; i < count; i++) {
		const struct controller_hpa_pod *pod = &pods[i];
		if (pod->ignored)
			continue;
		if (pod->unready) {
			unready++;
		} else if (!pod->measured) {
			missing++;
		} else {
			totals.usage += pod->usage;
			totals.request += pod->request;
			totals.counted++;
		}
	}
	if (!totals.counted || target <= 0 || (!by_value && !totals.request))
		return false;
	double ratio = ratio_of(totals, target, by_value, out_utilization, out_value);
	bool up_with_unready = unready && ratio > 1.0;
	if (!up_with_unready && !missing) {
		bool stay = within(ratio, tolerance_up, tolerance_down);
		*out_replicas = stay ? current : (int64_t)ceil(ratio * (double)totals.counted);
		return true;
	}
	if (!missing && !up_with_unready)
		return true;
	/* what is missing is assumed to stand against the change; what is not ready yet is assumed idle */
	for (size_t i = 0; i < count; i++) {
		const struct controller_hpa_pod *pod = &pods[i];
		bool lacks = !pod->ignored && !pod->unready && !pod->measured;
		if (lacks && ratio != 1.0) {
			totals.usage += assumed(pod, ratio, target, by_value);
			totals.request += pod->request;
			totals.counted++;
		} else if (!pod->ignored && pod->unready && up_with_unready) {
			totals.request += pod->request;
			totals.counted++;
		}
	}
	double again = ratio_of(totals, target, by_value, &unused_utilization, &unused_value);
	*out_replicas = current;
	if (within(again, tolerance_up, tolerance_down) || (ratio < 1.0 && again > 1.0) ||
	    (ratio > 1.0 && again < 1.0))
		return true;
	int64_t replicas = (int64_t)ceil(again * (double)totals.counted);
	if ((again < 1.0 && replicas > current) || (again > 1.0 && replicas < current))
		return true;
	*out_replicas = replicas;
	return true;
}

/* SPDX-License-Identifier: MIT */
/* Real time: it passes by itself, and a change is waited for by watch. */
#include "labs/real/real.h"

#include <poll.h>
#include <string.h>

#define SLEEP_SEEN (20 * KT_SEC)
#define PIECE      (1 * KT_SEC)
#define SETTLE     (150 * KT_MS) /* changes come in groups: one look for all of them */

/* What graded state is made of, or changes with it. A collection that a cluster does not have is never
 * opened. */
static const char *const watched[] = {"/api/v1/pods",
                                      "/apis/apps/v1/deployments",
                                      "/apis/apps/v1/replicasets",
                                      "/apis/apps/v1/statefulsets",
                                      "/apis/apps/v1/daemonsets",
                                      "/apis/batch/v1/jobs",
                                      "/api/v1/persistentvolumeclaims",
                                      "/apis/discovery.k8s.io/v1/endpointslices",
                                      "/apis/autoscaling/v2/horizontalpodautoscalers",
                                      "/apis/policy/v1/poddisruptionbudgets",
                                      "/api/v1/nodes"};

kt_ns real_now(void)
{
	return kt_clock_real().now(NULL);
}

kt_ns real_slept(kt_ns wall_passed, kt_ns monotonic_passed)
{
	kt_ns gap = wall_passed - monotonic_passed;
	return gap >= SLEEP_SEEN ? gap : 0;
}

void real_pace_clear(struct real_pace *pace)
{
	check_feed_free(pace->feed);
	memset(pace, 0, sizeof(*pace));
}

static enum kt_code wait_for_change(struct real_pace *pace, kt_ns span, struct kt_err *err)
{
	if (!pace->feed) {
		enum kt_code rc = check_feed_new(pace->client, watched, KT_COUNT(watched), &pace->feed, err);
		/* what changed before the watches were there was not seen: look again soon */
		span = KT_MIN(span, SETTLE);
		if (rc)
			return rc;
	}
	if (check_feed_wait(pace->feed, span)) {
		(void)poll(NULL, 0, (int)(SETTLE / KT_MS));
		(void)check_feed_wait(pace->feed, 0);
	}
	return KT_OK;
}

enum kt_code real_pass(struct real_pace *pace, kt_ns span, bool until_change, kt_ns *passed,
                       struct kt_err *err)
{
	kt_ns began = kt_monotonic(), wall = real_now();
	kt_ns slept = pace->wall ? real_slept(wall - pace->wall, began - pace->monotonic) : 0;
	enum kt_code rc = KT_OK;
	span = KT_MAX(KT_MIN(span, PIECE), KT_MS);
	if (until_change)
		rc = wait_for_change(pace, span, err);
	else
		(void)poll(NULL, 0, (int)(span / KT_MS));
	pace->wall = real_now();
	pace->monotonic = kt_monotonic();
	slept = KT_MAX(slept, real_slept(pace->wall - wall, pace->monotonic - began));
	*passed = pace->monotonic - began;
	if (!rc && slept)
		rc = kt_fail(err, KT_EUNREACHABLE,
		             "this machine slept for %lld s meanwhile: what happened then was not seen; "
		             "check again",
		             (long long)(slept / KT_SEC));
	return rc;
}

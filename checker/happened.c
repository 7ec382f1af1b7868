/* SPDX-License-Identifier: MIT */
/* What the cluster's events tell of an object that is not as it should be. */
#include "checker/checker_internal.h"

#include <string.h>

#define WORDS_MAX 240 /* of an event's message */

static const char *when_of(const struct kt_json *event)
{
	const char *last = kt_get_str(event, "lastTimestamp");
	return last ? last : kt_str_or(kt_get(event, "eventTime"), "");
}

static bool is_wanted(const struct kt_json *event, const char *const *reasons)
{
	const char *reason = kt_str_or(kt_get(event, "reason"), "");
	for (; *reasons; reasons++)
		if (kt_streq(reason, *reasons))
			return true;
	return false;
}

bool check_tell_event(const struct check_run *run, const struct kt_json *object, const char *const *reasons,
                      struct kt_buf *out)
{
	const char *ns = kt_path_str(object, "metadata.namespace"),
	           *uid = kt_path_str(object, "metadata.uid");
	const struct kt_json *event, *last = NULL;
	struct kt_json *list = NULL;
	if (!ns || !uid)
		return false;
	char *path = kt_strf("/api/v1/namespaces/%s/events?fieldSelector=involvedObject.uid%%3D%s", ns, uid);
	if (!check_call(run, "GET", path, NULL, NULL, &list, NULL))
		KT_JSON_EACH (event, kt_get(list, "items"))
			if (is_wanted(event, reasons) &&
			    (!last || strcmp(when_of(event), when_of(last)) >= 0))
				last = event;
	if (last) {
		const char *message = kt_str_or(kt_get(last, "message"), "");
		kt_buf_addf(out, "%s: ", kt_get_str(last, "reason"));
		kt_buf_add(out, message, KT_MIN(strlen(message), (size_t)WORDS_MAX));
		kt_buf_adds(out, strlen(message) > WORDS_MAX ? "…" : "");
	}
	kt_json_free(list);
	kt_free(path);
	return last != NULL;
}

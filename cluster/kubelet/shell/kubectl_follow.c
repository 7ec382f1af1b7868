/* SPDX-License-Identifier: MIT */
/* kubectl in a pod: what goes on printing: get -w, logs -f. They look each second, so that two changes within
 * one are told as one. */
#include "cluster/kubelet/shell/kubectl.h"

#include <stdlib.h>
#include <string.h>

/* The rows of a table that are new or have changed since; `told` holds {uid: version}. */
struct kt_json *kubectl_changed_rows(struct kubectl *s, const struct kt_json *table)
{
	struct kt_json *rows = kt_json_array(), *seen = kt_json_object(), *copy;
	const struct kt_json *row;
	KT_JSON_EACH (row, kt_get(table, "rows")) {
		const char *uid = kt_str_or(kt_path(row, "object.metadata.uid"), ""),
		           *version = kt_str_or(kt_path(row, "object.metadata.resourceVersion"), "");
		if (!kt_streq(kt_get_str(s->watched, uid), version))
			kt_push(&rows, kt_json_ref(row));
		kt_set(&seen, uid, kt_json_str(version));
	}
	kt_json_free(s->watched);
	s->watched = seen;
	copy = kt_json_ref(table);
	kt_set(&copy, "rows", rows);
	return copy;
}

bool kubectl_watches(const struct kubectl *s)
{
	return kubectl_option(s, "watch") || kubectl_option(s, "watch-only");
}

/* An object whose version was not told yet. */
bool kubectl_is_news(struct kubectl *s, const struct kt_json *object)
{
	const char *uid = kt_str_or(kt_path(object, "metadata.uid"), ""),
	           *version = kt_str_or(kt_path(object, "metadata.resourceVersion"), "");
	if (kt_streq(kt_get_str(s->watched, uid), version))
		return false;
	kt_set(&s->watched, uid, kt_json_str(version));
	return true;
}

/* --request-timeout: a watch's end */
bool kubectl_watch_over(struct tool_run *r, struct kubectl *s)
{
	s->since = s->since ? s->since : process_now(r->task->process);
	return kubectl_expired(r, s, kubectl_option(s, "request-timeout"));
}

/* Of a log that is followed: what was not printed yet, of the first look its last lines. */
void kubectl_tell_more(struct tool_run *r, struct kubectl *s, const char *body)
{
	size_t len = strlen(body), from = s->printed;
	long tail = s->tail ? strtol(s->tail, NULL, 10) : -1;
	if (!from && tail >= 0) {
		long lines = 0;
		for (from = len; from > 0; from--)
			if (body[from - 1] == '\n' && from != len && ++lines >= tail)
				break;
		from = tail ? from : len;
	}
	if (from < len)
		tool_out(r, body + from, len - from);
	s->printed = KT_MAX(len, (size_t)1);
}

/* Is the container that is followed over, for good? */
bool kubectl_log_over(const struct kt_json *pod, const char *container)
{
	const char *phase = kt_str_or(kt_path(pod, "status.phase"), "");
	const struct kt_json *one;
	if (kt_streq(phase, "Succeeded") || kt_streq(phase, "Failed"))
		return true;
	static const char *const lists[] = {"status.containerStatuses", "status.initContainerStatuses"};
	for (size_t i = 0; i < KT_COUNT(lists); i++)
		KT_JSON_EACH (one, kt_path(pod, lists[i]))
			if ((!container || kt_streq(kt_get_str(one, "name"), container)) &&
			    kt_path(one, "state.terminated"))
				return true;
	return false;
}

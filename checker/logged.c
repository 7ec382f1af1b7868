/* SPDX-License-Identifier: MIT */
/* Who answered, where all answer alike: servers write a line for each request. */
#include "checker/probe_internal.h"

#include <string.h>

#define LOG_MAX "4000000" /* bytes of a log that are read */

static bool is_since(const char *line, size_t len, kt_ns since)
{
	size_t stamp = 0;
	kt_ns at = 0;
	while (stamp < len && line[stamp] != ' ')
		stamp++;
	char *text = kt_strndup(line, stamp);
	bool late = kt_time_parse(text, &at) && at >= since;
	kt_free(text);
	return late;
}

int64_t check_lines_since(const struct check_run *run, const char *ns, const char *pod, const char *container,
                          kt_ns since)
{
	kt_ns age = run->world->now(run->world->arg) - since;
	char *path =
	        kt_strf("/api/v1/namespaces/%s/pods/%s/log?container=%s&timestamps=true&limitBytes=" LOG_MAX
	                "&sinceSeconds=%lld",
	                ns, pod, container, (long long)(age / KT_SEC) + 2);
	struct check_answer answer = {0};
	struct kt_err err = {0};
	int64_t count = -1;
	if (!check_request(run->client, "GET", path, NULL, NULL, 0, &answer, &err) && answer.status == 200) {
		const char *text = kt_buf_str(&answer.body), *line;
		size_t len;
		count = 0;
		while ((line = kt_split(&text, '\n', &len))) {
			char *whole = kt_strndup(line, len);
			count += len && is_since(line, len, since) && !strstr(whole, "kube-probe");
			kt_free(whole);
		}
	}
	check_answer_clear(&answer);
	kt_free(path);
	return count;
}

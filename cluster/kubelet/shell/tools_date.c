/* SPDX-License-Identifier: MIT */
/* date: busybox's and GNU's. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cluster/kubelet/shell/shell.h"

#define EVERY "busybox debian"

bool tool_date(const char *text, bool gnu, kt_ns *now)
{
	static const char *const forms[] = {"%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
	static const struct {
		const char *name;
		int64_t seconds;
	} units[] = {{"second", 1},       {"sec", 1},     {"minute", 60},   {"min", 60},
	             {"hour", 3600},      {"day", 86400}, {"week", 604800}, {"yesterday", -86400},
	             {"tomorrow", 86400}, {"now", 0},     {"today", 0}};
	kt_ns given;
	if (text[0] == '@') {
		*now = strtoll(text + 1, NULL, 10) * KT_SEC;
		return true;
	}
	if (kt_time_parse(text, &given)) {
		*now = given;
		return true;
	}
	for (size_t i = 0; i < KT_COUNT(forms); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		if (end && (!*end || !strcmp(end, "Z"))) {
			*now = (kt_ns)timegm(&tm) * KT_SEC;
			return true;
		}
	}
	char *rest;
	long long count = strtoll(text, &rest, 10);
	if (rest == text)
		count = 1;
	rest += strspn(rest, " ");
	for (size_t i = 0; gnu && i < KT_COUNT(units); i++) {
		size_t len = strlen(units[i].name);
		if (strncmp(rest, units[i].name, len) != 0)
			continue;
		const char *after = rest + len + (rest[len] == 's');
		if (*after && strcmp(after, " ago") != 0)
			continue;
		*now += (kt_ns)(count * units[i].seconds * (*after ? -1 : 1)) * KT_SEC;
		return true;
	}
	return false;
}

static int run_date(struct tool_run *r)
{
	const char *format = "%a %b %e %H:%M:%S UTC %Y";
	kt_ns now = process_now(r->task->process);
	struct kt_buf out = {0};
	for (size_t i = 1; i < r->argv.count; i++) {
		const char *word = r->argv.items[i];
		if (word[0] == '+')
			format = word + 1;
		else if (!strcmp(word, "-Iseconds") || !strcmp(word, "--iso-8601=seconds"))
			format = "%Y-%m-%dT%H:%M:%S+00:00";
		else if (!strcmp(word, "-I"))
			format = "%Y-%m-%d";
		else if (!strcmp(word, "-R"))
			format = "%a, %d %b %Y %H:%M:%S +0000";
		else if (!strcmp(word, "-r") && i + 1 < r->argv.count) {
			struct files_stat st;
			char *path = tool_path(r, r->argv.items[++i]);
			int rc = files_stat(tool_container(r)->files, path, &st);
			kt_free(path);
			if (rc)
				return tool_fail(r, 1, "%s: %s", r->argv.items[i], tool_strerror(rc));
			now = st.modified;
		} else if ((!strcmp(word, "-d") && i + 1 < r->argv.count) || kt_starts(word, "--date=")) {
			const char *value = word[1] == '-' ? strchr(word, '=') + 1 : r->argv.items[++i];
			if (!tool_date(value, !tool_busybox(r), &now))
				return tool_fail(r, 1,
				                 tool_busybox(r) ? "invalid date '%s'"
				                                 : "invalid date \u2018%s\u2019",
				                 value);
		}
	}
	if (strlen(format) > 200)
		return tool_fail(r, 1, "invalid date");
	tool_time(now, format, &out);
	kt_buf_addc(&out, '\n');
	tool_out(r, out.data, out.len);
	kt_buf_clear(&out);
	return 0;
}

const struct tool tools_date[] = {
        {.name = "date", .sets = EVERY, .run = run_date},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* Time that passes: sleep, timeout, time, watch. (What time it is: tools_date.c.) */
#include "cluster/kubelet/shell/shell.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define EVERY "busybox debian"

static const char *argument(const struct tool_run *r, size_t i)
{
	return i < r->argv.count ? r->argv.items[i] : NULL;
}

void tool_time(kt_ns now, const char *format, struct kt_buf *out)
{
	char text[512];
	time_t seconds = (time_t)(now / KT_SEC);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	/* %N, %3N and %s are not strftime's everywhere */
	struct kt_buf expanded = {0};
	for (const char *c = format; *c; c++) {
		if (c[0] == '%' && c[1] == 'N')
			kt_buf_addf(&expanded, "%09lld", (long long)(now % KT_SEC)), c++;
		else if (c[0] == '%' && c[1] == '3' && c[2] == 'N')
			kt_buf_addf(&expanded, "%03lld", (long long)(now % KT_SEC / KT_MS)), c += 2;
		else if (c[0] == '%' && c[1] == 's')
			kt_buf_addf(&expanded, "%lld", (long long)(now / KT_SEC)), c++;
		else if (c[0] == '%' && c[1] == 'Z')
			kt_buf_adds(&expanded, "UTC"), c++;
		else if (c[0] == '%' && c[1])
			kt_buf_add(&expanded, c, 2), c++;
		else
			kt_buf_addc(&expanded, *c);
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t len = expanded.len ? strftime(text, sizeof(text), kt_buf_str(&expanded), &tm) : 0;
#pragma GCC diagnostic pop
	kt_buf_clear(&expanded);
	kt_buf_add(out, text, len);
}

bool tool_delay(const char *text, kt_ns *out)
{
	char *end;
	double n;
	if (!strcmp(text, "infinity") || !strcmp(text, "inf")) {
		*out = INT64_MAX / 4;
		return true;
	}
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return false;
	n = strtod(text, &end);
	n *= *end == 'm' ? 60 : (*end == 'h' ? 3600 : (*end == 'd' ? 86400 : 1));
	if (*end && (!strchr("smhd", *end) || end[1]))
		return false;
	*out = n > 9e9 / 4 ? INT64_MAX / 4 : (kt_ns)(n * 1e9);
	return true;
}

static int run_sleep(struct tool_run *r)
{
	kt_ns sum = 0, one;
	if (r->argv.count < 2)
		return tool_fail(r, 1, "missing operand");
	for (size_t i = 1; i < r->argv.count && !r->until; i++) {
		if (!tool_delay(r->argv.items[i], &one)) {
			if (tool_busybox(r))
				return tool_fail(r, 1, "invalid number '%s'", r->argv.items[i]);
			return tool_fail(r, 1, "invalid time interval '%s'", r->argv.items[i]);
		}
		sum = KT_MIN(sum + one, INT64_MAX / 4);
	}
	return tool_sleep(r, sum);
}

struct limited {
	kt_ns limit, kill_after;
	int signo;
	size_t first;
	bool fired;
};

static int run_timeout(struct tool_run *r)
{
	struct limited *s = r->state;
	if (!r->opened) {
		size_t at = 1;
		s->signo = SIGTERM;
		for (; at < r->argv.count && r->argv.items[at][0] == '-'; at++) {
			const char *word = r->argv.items[at];
			if (!strcmp(word, "-s") && at + 1 < r->argv.count)
				s->signo = signal_number(r->argv.items[++at]);
			else if (!strcmp(word, "-k") && at + 1 < r->argv.count)
				tool_delay(r->argv.items[++at], &s->kill_after);
			else if (!strcmp(word, "-t") && at + 1 < r->argv.count)
				tool_delay(r->argv.items[++at], &s->limit);
		}
		if (!s->limit && at < r->argv.count && !tool_delay(r->argv.items[at++], &s->limit))
			return tool_fail(r, 125, "invalid time interval '%s'", r->argv.items[at - 1]);
		s->first = at;
		r->opened = true;
	}
	if (s->first >= r->argv.count)
		return tool_fail(r, tool_busybox(r) ? 1 : 125, "missing operand");
	struct kt_strs argv = {0};
	int status = 0, rc;
	for (size_t i = s->first; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	rc = tool_run_child(r, &argv, &status);
	kt_strs_clear(&argv);
	if (!rc) {
		/* busybox's is the program itself, and the shell tells of its end */
		if (s->fired && tool_busybox(r) && r->task->depth > 1)
			task_write(r->task, 2, status == 137 ? "Killed\n" : "Terminated\n",
			           status == 137 ? 7 : 11);
		return s->fired && !tool_busybox(r) ? 124 : status;
	}
	if (!s->fired && !tool_sleep(r, s->limit)) {
		struct task *child = process_task(r->task->process, r->child);
		s->fired = true;
		if (child)
			task_signal(child, s->signo);
	}
	return TOOL_WAIT;
}

static int run_time(struct tool_run *r)
{
	kt_ns *start = r->state;
	struct kt_strs argv = {0};
	int status = 0, rc;
	if (!*start)
		*start = process_now(r->task->process);
	bool portable = r->argv.count > 1 && !strcmp(r->argv.items[1], "-p");
	for (size_t i = 1 + portable; i < r->argv.count; i++)
		kt_strs_add(&argv, r->argv.items[i]);
	rc = argv.count ? tool_run_child(r, &argv, &status) : 0;
	kt_strs_clear(&argv);
	if (rc)
		return rc;
	double took = (double)(process_now(r->task->process) - *start) / 1e9;
	if (portable) {
		tool_err(r, "real %.2f\nuser 0.00\nsys 0.00\n", took);
		return status;
	}
	tool_err(r, "real\t%dm %.2fs\nuser\t0m 0.00s\nsys\t0m 0.00s\n", (int)(took / 60),
	         took - 60 * (int)(took / 60));
	return status;
}

/* watch -n 2 COMMAND: again and again. */
static int run_watch(struct tool_run *r)
{
	size_t first = 1;
	kt_ns pause = 2 * KT_SEC;
	struct kt_strs argv = {0};
	int status;
	for (; first < r->argv.count && r->argv.items[first][0] == '-'; first++) {
		if (!strcmp(r->argv.items[first], "-n") && first + 1 < r->argv.count)
			tool_delay(r->argv.items[++first], &pause);
	}
	if (r->pc == 0) {
		struct kt_buf text = {0};
		for (size_t i = first; i < r->argv.count; i++)
			kt_buf_addf(&text, "%s%s", i > first ? " " : "", r->argv.items[i]);
		kt_strs_add(&argv, "sh");
		kt_strs_add(&argv, "-c");
		kt_strs_add(&argv, kt_buf_str(&text));
		kt_buf_clear(&text);
		int rc = tool_run_child(r, &argv, &status);
		kt_strs_clear(&argv);
		if (rc)
			return rc;
		r->pc = 1;
	}
	if (tool_sleep(r, pause))
		return TOOL_WAIT;
	r->pc = 0;
	return TOOL_AGAIN;
}

static int run_usleep(struct tool_run *r)
{
	return tool_sleep(r, argument(r, 1) ? strtoll(argument(r, 1), NULL, 10) * KT_US : 0);
}

/* ts [-s] [FORMAT]: the time in front of each line, -s: since it began */
static int run_ts(struct tool_run *r)
{
	kt_ns *began = r->state;
	char flags[32];
	size_t first = tool_flags(r, "si", flags);
	bool since = strchr(flags, 's') != NULL;
	struct kt_buf line = {0};
	int rc;
	if (!*began)
		*began = process_now(r->task->process);
	if (!r->opened)
		tool_inputs(r, r->argv.count);
	r->opened = true;
	while ((rc = tool_line(r, &line)) == 1) {
		struct kt_buf text = {0};
		kt_ns now = process_now(r->task->process) - (since ? *began : 0);
		tool_time(now,
		          first && first < r->argv.count ? r->argv.items[first] : (since ? "%T" : "%b %d %T"),
		          &text);
		tool_outf(r, "%s %s\n", kt_buf_str(&text), kt_buf_str(&line));
		kt_buf_clear(&text);
	}
	kt_buf_clear(&line);
	return rc;
}

const struct tool tools_time[] = {
        {.name = "ts", .sets = "busybox netshoot", .run = run_ts, .state_size = sizeof(kt_ns)},
        {.name = "sleep", .sets = EVERY, .run = run_sleep},
        {.name = "time", .sets = EVERY, .run = run_time, .state_size = sizeof(kt_ns)},
        {.name = "timeout", .sets = EVERY, .run = run_timeout, .state_size = sizeof(struct limited)},
        {.name = "usleep", .sets = "busybox", .run = run_usleep},
        {.name = "watch", .sets = EVERY, .run = run_watch},
        {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* Findings as text, JSON, JUnit and TAP. */
#include "checker/checker_internal.h"

#include <stdio.h>
#include <string.h>

enum check_status check_task_status(const struct check_report_task *task)
{
	enum check_status status = CHECK_PASSED;
	for (size_t i = 0; i < task->finding_count; i++) {
		if (task->findings[i].status == CHECK_FAILED)
			return CHECK_FAILED;
		if (task->findings[i].status == CHECK_UNKNOWN)
			status = CHECK_UNKNOWN;
	}
	return task->blocked ? CHECK_FAILED : status;
}

static const char *const status_words[] = {
        [CHECK_PASSED] = "passed", [CHECK_FAILED] = "failed", [CHECK_UNKNOWN] = "unknown"};

/* The same cause twice: the same was found at the same place. */
static bool told_before(const struct check_report_task *task, size_t i)
{
	const struct check_finding *f = &task->findings[i];
	for (size_t k = 0; k < i; k++) {
		const struct check_finding *g = &task->findings[k];
		if (g->status == f->status && kt_streq(g->found, f->found) && kt_streq(g->object, f->object))
			return true;
	}
	return false;
}

/* --- text --- */

static void put_lines(struct kt_buf *out, const char *label, const char *text)
{
	size_t len;
	for (const char *line; (line = kt_split(&text, '\n', &len)); label = "")
		kt_buf_addf(out, "    %-10s %.*s\n", label, (int)len, line);
}

static void text_task(const struct check_report_task *task, bool colour, struct kt_buf *out)
{
	static const char *const marks[] = {
	        [CHECK_PASSED] = "✓", [CHECK_FAILED] = "✗", [CHECK_UNKNOWN] = "?"};
	static const char *const colours[] = {
	        [CHECK_PASSED] = "\033[32m", [CHECK_FAILED] = "\033[31m", [CHECK_UNKNOWN] = "\033[33m"};
	enum check_status status = check_task_status(task);
	const char *mark = task->blocked ? "○" : marks[status];
	bool paint = colour && !task->blocked;
	kt_buf_addf(out, "%s%s %s%s  %s\n", paint ? colours[status] : "", mark, task->task,
	            paint ? "\033[0m" : "", task->title);
	if (task->blocked) {
		put_lines(out, "waits", "for the tasks before it");
		return;
	}
	if (status == CHECK_PASSED)
		return;
	for (size_t i = 0; i < task->finding_count; i++) {
		const struct check_finding *f = &task->findings[i];
		if (f->status == CHECK_PASSED || told_before(task, i))
			continue;
		put_lines(out, "expected", f->expected);
		if (f->table)
			put_lines(out, "found", f->table);
		put_lines(out, f->table ? "" : f->status == CHECK_UNKNOWN ? "unknown" : "found", f->found);
	}
	if (status == CHECK_FAILED && task->why)
		put_lines(out, "why", task->why);
	if (status == CHECK_FAILED)
		kt_buf_addf(out, "    next       `ktutor lab hint` · %u hint%s left\n", task->hints_left,
		            task->hints_left == 1 ? "" : "s");
}

static void report_text(const char *lab, const struct check_report_task *tasks, size_t count, bool colour,
                        struct kt_buf *out)
{
	unsigned points = 0, of = 0;
	size_t passed = 0;
	for (size_t i = 0; i < count; i++) {
		bool ok = check_task_status(&tasks[i]) == CHECK_PASSED;
		text_task(&tasks[i], colour, out);
		points += ok ? tasks[i].points : 0;
		of += tasks[i].points;
		passed += ok;
	}
	kt_buf_addf(out, "%s: %zu of %zu tasks, %u of %u points\n", lab, passed, count, points, of);
}

/* --- JSON --- */

static struct kt_json *json_finding(const struct check_report_task *task, size_t i)
{
	const struct check_finding *f = &task->findings[i];
	struct kt_buf at = {0};
	kt_time_print(f->at, &at);
	struct kt_json *where =
	        f->object || f->path ? kt_jsonf("{object: %s, path: %s}", f->object, f->path) : NULL;
	struct kt_json *out = kt_jsonf("{task: %s, check: %s, status: %s, expected: %s, found: %s, where: "
	                               "%j, why: %s, table: %s, at: %s}",
	                               task->task, f->check, status_words[f->status], f->expected, f->found,
	                               where, task->why, f->table, f->at ? kt_buf_str(&at) : NULL);
	kt_buf_clear(&at);
	return out;
}

static void report_json(const char *lab, const struct check_report_task *tasks, size_t count, bool colour,
                        struct kt_buf *out)
{
	struct kt_json *list = kt_json_array();
	unsigned points = 0, of = 0;
	bool all = true, unknown = false;
	(void)colour;
	for (size_t i = 0; i < count; i++) {
		enum check_status status = check_task_status(&tasks[i]);
		struct kt_json *findings = kt_json_array();
		for (size_t f = 0; f < tasks[i].finding_count; f++)
			kt_push(&findings, json_finding(&tasks[i], f));
		kt_push(&list,
		        kt_jsonf("{task: %s, title: %s, status: %s, points: %d, hintsLeft: %d, findings: %j}",
		                 tasks[i].task, tasks[i].title,
		                 tasks[i].blocked ? "blocked" : status_words[status], (int)tasks[i].points,
		                 (int)tasks[i].hints_left, findings));
		points += status == CHECK_PASSED ? tasks[i].points : 0;
		of += tasks[i].points;
		all = all && status == CHECK_PASSED;
		unknown = unknown || status == CHECK_UNKNOWN;
	}
	struct kt_json *doc = kt_jsonf("{lab: %s, status: %s, points: %d, of: %d, tasks: %j}", lab,
	                               all       ? "passed"
	                               : unknown ? "unknown"
	                                         : "failed",
	                               (int)points, (int)of, list);
	kt_json_print_pretty(doc, 2, out);
	kt_buf_addc(out, '\n');
	kt_json_free(doc);
}

/* --- JUnit --- */

static void xml(struct kt_buf *out, const char *text)
{
	for (const char *c = text ? text : ""; *c; c++)
		switch (*c) {
		case '&':
			kt_buf_adds(out, "&amp;");
			break;
		case '<':
			kt_buf_adds(out, "&lt;");
			break;
		case '>':
			kt_buf_adds(out, "&gt;");
			break;
		case '"':
			kt_buf_adds(out, "&quot;");
			break;
		default:
			kt_buf_addc(out, *c);
		}
}

/* The first finding that tells why a task has its status; NULL: none. */
static const struct check_finding *telling(const struct check_report_task *task)
{
	for (size_t i = 0; i < task->finding_count; i++)
		if (task->findings[i].status == check_task_status(task))
			return &task->findings[i];
	return NULL;
}

static void report_junit(const char *lab, const struct check_report_task *tasks, size_t count, bool colour,
                         struct kt_buf *out)
{
	size_t failed = 0, errors = 0, skipped = 0;
	(void)colour;
	for (size_t i = 0; i < count; i++) {
		enum check_status status = check_task_status(&tasks[i]);
		skipped += tasks[i].blocked;
		failed += !tasks[i].blocked && status == CHECK_FAILED;
		errors += !tasks[i].blocked && status == CHECK_UNKNOWN;
	}
	kt_buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
	xml(out, lab);
	kt_buf_addf(out, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n", count, failed,
	            errors, skipped);
	for (size_t i = 0; i < count; i++) {
		const struct check_report_task *task = &tasks[i];
		const struct check_finding *f = telling(task);
		enum check_status status = check_task_status(task);
		kt_buf_adds(out, "  <testcase classname=\"");
		xml(out, lab);
		kt_buf_adds(out, "\" name=\"");
		xml(out, task->task);
		kt_buf_addf(out, "\" time=\"%.3f\"", (double)task->took / (double)KT_SEC);
		if (task->blocked || status == CHECK_PASSED) {
			kt_buf_adds(
			        out,
			        task->blocked
			                ? "><skipped message=\"waits for the tasks before it\"/></testcase>\n"
			                : "/>\n");
			continue;
		}
		const char *tag = status == CHECK_FAILED ? "failure" : "error";
		kt_buf_addf(out, "><%s message=\"", tag);
		xml(out, f ? f->found : "");
		kt_buf_adds(out, "\">expected ");
		xml(out, f ? f->expected : "");
		kt_buf_addf(out, "</%s></testcase>\n", tag);
	}
	kt_buf_adds(out, "</testsuite>\n");
}

/* --- TAP 13 --- */

static void report_tap(const char *lab, const struct check_report_task *tasks, size_t count, bool colour,
                       struct kt_buf *out)
{
	(void)colour;
	kt_buf_addf(out, "TAP version 13\n1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		const struct check_report_task *task = &tasks[i];
		const struct check_finding *f = telling(task);
		enum check_status status = check_task_status(task);
		kt_buf_addf(out, "%s %zu - %s %s%s\n", status == CHECK_PASSED ? "ok" : "not ok", i + 1, lab,
		            task->task, task->blocked ? " # SKIP waits for the tasks before it" : "");
		if (status == CHECK_PASSED || task->blocked || !f)
			continue;
		kt_buf_addf(out, "  ---\n  status: %s\n  expected: ", status_words[status]);
		kt_json_print_string(f->expected, strlen(f->expected), out);
		kt_buf_adds(out, "\n  found: ");
		kt_json_print_string(f->found, strlen(f->found), out);
		kt_buf_adds(out, "\n  ...\n");
	}
}

static const struct {
	const char *name;
	void (*report)(const char *lab, const struct check_report_task *tasks, size_t count, bool colour,
	               struct kt_buf *out);
} formats[] = {[CHECK_TEXT] = {"text", report_text},
               [CHECK_JSON] = {"json", report_json},
               [CHECK_JUNIT] = {"junit", report_junit},
               [CHECK_TAP] = {"tap", report_tap}};

bool check_format_parse(const char *word, enum check_format *out)
{
	for (size_t i = 0; i < KT_COUNT(formats); i++)
		if (kt_streq(formats[i].name, word)) {
			*out = (enum check_format)i;
			return true;
		}
	return false;
}

void check_report(enum check_format format, const char *lab, const struct check_report_task *tasks,
                  size_t count, bool colour, struct kt_buf *out)
{
	formats[format].report(lab, tasks, count, colour, out);
}

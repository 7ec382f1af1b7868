/* SPDX-License-Identifier: MIT */
/* expr, factor: numbers of the command line */
#include "cluster/kubelet/shell/shell.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#define EVERY "busybox debian"

/* Anchored; the first group, else the number of characters that match. */
static int expr_match(struct tool_run *r, const char *text, const char *pattern)
{
	regmatch_t at[2] = {{-1, -1}, {-1, -1}};
	regex_t regex;
	char *anchored = kt_strf("^%s", pattern);
	int rc = regcomp(&regex, anchored, 0);
	kt_free(anchored);
	if (rc)
		return tool_fail(r, 2, "syntax error");
	bool group = regex.re_nsub > 0;
	rc = regexec(&regex, text, 2, at, 0);
	regfree(&regex);
	if (group)
		tool_outf(r, "%.*s\n", rc ? 0 : (int)(at[1].rm_eo - at[1].rm_so),
		          rc ? "" : text + at[1].rm_so);
	else
		tool_outf(r, "%d\n", rc ? 0 : (int)at[0].rm_eo);
	return rc || (group ? at[1].rm_eo == at[1].rm_so : at[0].rm_eo == 0);
}

static int run_expr(struct tool_run *r)
{
	size_t n = r->argv.count - 1;
	char *const *w = r->argv.items + 1;
	if (n == 3 && strcmp(w[1], ":") != 0 && strcmp(w[0], "match") != 0 && strcmp(w[0], "index") != 0) {
		static const char *const ops[] = {"+", "-", "*", "/", "%", "<", "<=", ">", ">=", "=", "!="};
		char *end1, *end2;
		long long a = strtoll(w[0], &end1, 10), b = strtoll(w[2], &end2, 10), v = 0;
		bool numbers = *w[0] && *w[2] && !*end1 && !*end2;
		size_t op = 0;
		while (op < KT_COUNT(ops) && strcmp(ops[op], w[1]) != 0)
			op++;
		if (op == KT_COUNT(ops))
			return tool_fail(r, 2, "syntax error");
		if (op < 5 && !numbers)
			return tool_fail(r, 2, "non-numeric argument");
		if ((op == 3 || op == 4) && !b)
			return tool_fail(r, 2, "division by zero");
		int order = numbers ? (a > b) - (a < b) : strcmp(w[0], w[2]);
		uint64_t ua = (uint64_t)a, ub = (uint64_t)b;
		switch (op) {
		case 0:
			v = (long long)(ua + ub);
			break;
		case 1:
			v = (long long)(ua - ub);
			break;
		case 2:
			v = (long long)(ua * ub);
			break;
		case 3:
			v = b == -1 ? (long long)(0 - ua) : a / b;
			break;
		case 4:
			v = b == -1 ? 0 : a % b;
			break;
		case 5:
			v = order < 0;
			break;
		case 6:
			v = order <= 0;
			break;
		case 7:
			v = order > 0;
			break;
		case 8:
			v = order >= 0;
			break;
		case 9:
			v = order == 0;
			break;
		default:
			v = order != 0;
			break;
		}
		tool_outf(r, "%lld\n", v);
		return v == 0;
	}
	if (n == 2 && !strcmp(w[0], "length")) {
		tool_outf(r, "%zu\n", strlen(w[1]));
		return 0;
	}
	if (n == 3 && !strcmp(w[0], "index")) {
		size_t at = strcspn(w[1], w[2]);
		tool_outf(r, "%zu\n", w[1][at] ? at + 1 : 0);
		return !w[1][at];
	}
	if (n == 4 && !strcmp(w[0], "substr")) {
		size_t len = strlen(w[1]), from = strtoul(w[2], NULL, 10), count = strtoul(w[3], NULL, 10);
		bool there = from >= 1 && from <= len && count;
		tool_outf(r, "%.*s\n", there ? (int)KT_MIN(count, len - from + 1) : 0,
		          there ? w[1] + from - 1 : "");
		return !there;
	}
	if (n == 3 && (!strcmp(w[1], ":") || !strcmp(w[0], "match")))
		return expr_match(r, !strcmp(w[1], ":") ? w[0] : w[1], w[2]);
	if (n == 1) {
		tool_outf(r, "%s\n", w[0]);
		return !*w[0] || !strcmp(w[0], "0");
	}
	if (n > 3) {
		/* longer ones: as arithmetic */
		struct kt_buf text = {0};
		char message[128];
		int64_t value = 0;
		for (size_t i = 0; i < n; i++)
			kt_buf_addf(&text, "%s ", w[i]);
		bool ok = arithmetic(r->task, kt_buf_str(&text), &value, message);
		kt_buf_clear(&text);
		if (ok) {
			tool_outf(r, "%lld\n", (long long)value);
			return value == 0;
		}
	}
	return tool_fail(r, 2, "syntax error");
}

/* factor NUMBER…: "12: 2 2 3" */
static int run_factor(struct tool_run *r)
{
	int status = 0;
	for (size_t i = 1; i < r->argv.count; i++) {
		char *end;
		unsigned long long n = strtoull(r->argv.items[i], &end, 10);
		if (*end || end == r->argv.items[i]) {
			status = tool_fail(r, 1,
			                   tool_busybox(r) ? "invalid number '%s'"
			                                   : "'%s' is not a valid positive integer",
			                   r->argv.items[i]);
			continue;
		}
		tool_outf(r, "%llu:", n);
		for (unsigned long long by = 2; by <= n / by && by < 1u << 22; by += by == 2 ? 1 : 2)
			for (; n % by == 0 && n > 1; n /= by)
				tool_outf(r, " %llu", by);
		if (n > 1)
			tool_outf(r, " %llu", n);
		tool_outs(r, "\n");
	}
	return status;
}

const struct tool tools_expr[] = {
        {.name = "factor", .sets = EVERY, .run = run_factor},
        {.name = "expr", .sets = EVERY, .run = run_expr},
        {.name = NULL},
};

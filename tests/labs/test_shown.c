/* SPDX-License-Identifier: MIT */
/* What a lesson shows, beside what a cluster printed: what may differ, and what may not. */
#include "labs/shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PODS                                                                                                 \
	"NAME                        READY   STATUS    RESTARTS   AGE   IP           NODE         "          \
	"NOMINATED NODE\n"                                                                                   \
	"backend-6cf4f9c5b8-cv2vj    1/1     Running   0          3s    10.244.8.3   general-a1   <none>\n"  \
	"frontend-76fc865679-6sgbt   0/1     Pending   0          3s    <none>       <none>       <none>\n"

static const struct {
	const char *about, *shown, *given, *why; /* why NULL: it fits */
} rows[] = {
        {"names that are drawn, ages and addresses",
         "NAME                        READY   STATUS    RESTARTS   AGE   IP           NODE         NOMINATED "
         "NODE\n"
         "backend-57dcbccb78-qc5mz    1/1     Running   0          31d   10.1.2.3     general-a1   <none>\n"
         "frontend-57c9b7f4d7-2x8kq   0/1     Pending   0          12m   <none>       <none>       <none>\n",
         PODS, NULL},
        {"columns that are left out, rows in another order",
         "NAME                        READY   NODE\n"
         "frontend-57c9b7f4d7-2x8kq   0/1     <none>\n"
         "backend-57dcbccb78-qc5mz    1/1     general-a1\n",
         PODS, NULL},
        {"another state",
         "NAME                        STATUS\nbackend-57dcbccb78-qc5mz    Running\n"
         "frontend-57c9b7f4d7-2x8kq   Running\n",
         PODS, "there is no row like 'frontend-57c9b7f4d7-2x8kq   Running'"},
        {"a name that nobody draws", "NAME      STATUS\nbackend   Running\n…\n", PODS,
         "there is no row like 'backend   Running'"},
        {"a column that does not exist",
         "NAME                        RECLAIM\nbackend-57dcbccb78-qc5mz    x\n", PODS,
         "there is no column 'RECLAIM'"},
        {"a row that is not shown", "NAME                       READY\nbackend-57dcbccb78-qc5mz   1/1\n",
         PODS, "there is a row 'frontend-76fc865679-6sgbt"},
        {"rows that are left out", "NAME                       READY\nbackend-57dcbccb78-qc5mz   1/1\n…\n",
         PODS, NULL},
        {"one row for two",
         "NAME                       READY\nbackend-57dcbccb78-qc5mz   1/1\n"
         "backend-57dcbccb78-8w85m   1/1\n…\n",
         PODS, "there is no row like 'backend-57dcbccb78-8w85m"},
        {"a cell that is cut", "NAME         READY\nbackend-…    1/1\n…\n", PODS, NULL},
        {"blanks", "Resource   Used\n--------  --\npods     10   12\n",
         "Resource  Used\n--------   --\npods  10  12\n", NULL},
        {"a number", "pods 10 12\n", "pods 11 12\n", "there is no line like 'pods 10 12', but 'pods 11 12'"},
        {"an age in a line", "leak 0/1 2 (18s ago)\n", "leak 0/1 2 (1m3s ago)\n", NULL},
        {"the end of a line", "Warning: pod x…\n", "Warning: pod x is privileged\n", NULL},
        {"what stands before it", "Warning: pod x…\n", "Warning: pod y is privileged\n", "no line like"},
        {"a line besides", "one\n", "one\ntwo\n", "there is a line 'two' besides"},
        {"lines that are left out", "one\n…\nthree\n", "one\ntwo\nthree\n", NULL},
        {"a line that is missing", "one\n…\nfour\n", "one\ntwo\nthree\n", "there is no line like 'four'"},
        {"nothing at all", "one\n", "", "there is no line like 'one'"},
};

static void what_is_drawn_may_differ_and_nothing_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf why = {0};
		bool fits = lab_shown_fits(rows[i].shown, rows[i].given, &why);
		if (rows[i].why ? fits || !strstr(kt_buf_str(&why), rows[i].why) : !fits)
			fail_msg("%s: %s", rows[i].about, fits ? "it fits" : kt_buf_str(&why));
		kt_buf_clear(&why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_drawn_may_differ_and_nothing_else)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

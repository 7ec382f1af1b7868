/* SPDX-License-Identifier: MIT */
/* Pure functions as tables: the HPA's calculator, cron schedules, tolerations, template hashes. */
#include "tests/cluster/controllers/controllers_test.h"

/* One row: a state for each pod, as letters: r ready and measured, m ready but without metrics, u unready,
 * i ignored; levels are milli-units of the measured ones, requests 1000 each. Cases as in kubernetes
 * pkg/controller/podautoscaler/replica_calculator_test.go. */
static const struct hpa_row {
	const char *name, *pods;
	int64_t levels[8];
	int64_t request, current, target;
	bool by_value;
	int64_t replicas, utilization;
} hpa_rows[] = {
        {"scale up", "rrr", {300, 500, 700}, 1000, 3, 30, false, 5, 50},
        {"scale up, unready pods count as idle", "urr", {0, 500, 700}, 1000, 3, 30, false, 4, 60},
        {"hot unready pods do not scale up further", "uur", {400, 500, 700}, 1000, 3, 60, false, 3, 70},
        {"pending pods that are unready", "ruu", {500, 0, 0}, 1000, 3, 30, false, 3, 50},
        {"failed pods are ignored", "rrii", {500, 700, 0, 0}, 1000, 2, 30, false, 4, 60},
        {"scale down", "rrrrr", {100, 300, 500, 250, 250}, 1000, 5, 50, false, 3, 28},
        {"tolerance: no change", "rrr", {1010, 1030, 1020}, 1000, 3, 100, false, 3, 102},
        {"missing metrics, no change", "rm", {400, 0}, 1000, 2, 50, false, 2, 40},
        {"missing metrics count as nothing on the way up", "rm", {2000, 0}, 1000, 2, 50, false, 4, 200},
        {"missing metrics count as full on the way down", "rrm", {100, 100, 0}, 1000, 3, 50, false, 3, 10},
        {"by value, scale up", "rrr", {20000, 10000, 30000}, 0, 3, 15000, true, 4, 20000},
        {"by value, scale down", "rrrrr", {12000, 12000, 12000, 12000, 12000}, 0, 5, 20000, true, 3, 12000},
};

static void the_calculator_agrees_with_the_published_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(hpa_rows); i++) {
		const struct hpa_row *row = &hpa_rows[i];
		struct controller_hpa_pod pods[8] = {{0}};
		int64_t replicas = -1, utilization = 0, value = 0;
		size_t count = strlen(row->pods);
		for (size_t k = 0; k < count; k++) {
			pods[k].ignored = row->pods[k] == 'i';
			pods[k].unready = row->pods[k] == 'u';
			pods[k].measured = row->pods[k] != 'm';
			pods[k].usage = row->levels[k];
			pods[k].request = row->request;
		}
		bool ok = controller_hpa_replicas(pods, count, row->current, row->target, row->by_value, 0.1,
		                                  0.1, &replicas, &utilization, &value);
		if (!ok || replicas != row->replicas || utilization != row->utilization)
			fail_msg("%s: %lld replicas at %lld", row->name, (long long)replicas,
			         (long long)utilization);
	}
}

static void nothing_measured_is_no_answer(void **state)
{
	struct controller_hpa_pod pods[] = {{.unready = true, .measured = true, .usage = 1, .request = 1}};
	int64_t replicas, utilization, value;
	(void)state;
	assert_false(
	        controller_hpa_replicas(pods, 1, 1, 50, false, 0.1, 0.1, &replicas, &utilization, &value));
}

static const struct {
	const char *schedule, *zone, *after, *next; /* next NULL: not understood; "": never */
} cron_rows[] = {
        {"* * * * *", NULL, "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"},
        {"*/15 * * * *", NULL, "2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z"},
        {"0 4 * * *", NULL, "2026-01-01T04:00:00Z", "2026-01-02T04:00:00Z"},
        {"30 2 * * mon-fri", NULL, "2026-01-02T12:00:00Z", "2026-01-05T02:30:00Z"},
        {"0 0 1 1 *", NULL, "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        {"0 0 29 2 *", NULL, "2026-06-01T00:00:00Z", "2028-02-29T00:00:00Z"},
        {"0 0 13 * fri", NULL, "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
        {"@hourly", NULL, "2026-01-01T00:30:00Z", "2026-01-01T01:00:00Z"},
        {"@weekly", NULL, "2026-01-01T00:30:00Z", "2026-01-04T00:00:00Z"},
        {"@every 90s", NULL, "2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"},
        {"0 9 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T08:00:00Z"},
        {"0 9 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T07:00:00Z"},
        {"10-20/5,40 1 * jan,dec ?", NULL, "2026-01-31T01:20:00Z", "2026-01-31T01:40:00Z"},
        {"0 0 31 2 *", NULL, "2026-01-01T00:00:00Z", ""},
        {"60 * * * *", NULL, "2026-01-01T00:00:00Z", NULL},
        {"* * * *", NULL, "2026-01-01T00:00:00Z", NULL},
        {"* * * * * *", NULL, "2026-01-01T00:00:00Z", NULL},
        {"*/0 * * * *", NULL, "2026-01-01T00:00:00Z", NULL},
        {"5-1 * * * *", NULL, "2026-01-01T00:00:00Z", NULL},
        {"@fortnightly", NULL, "2026-01-01T00:00:00Z", NULL},
        {"* * * * *", "Nowhere/Land", "2026-01-01T00:00:00Z", NULL},
        {"* * * * *", "../../etc/passwd", "2026-01-01T00:00:00Z", NULL},
};

static void schedules_are_due_when_cron_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(cron_rows); i++) {
		kt_ns after = 0, next = 0;
		struct kt_buf text = {0};
		assert_true(kt_time_parse(cron_rows[i].after, &after));
		bool ok = controller_cron_next(cron_rows[i].schedule, cron_rows[i].zone, after, &next);
		if (ok && next)
			kt_time_print(next, &text);
		if (cron_rows[i].zone && kt_starts(cron_rows[i].zone, "Europe") && !ok) {
			kt_buf_clear(&text); /* no zoneinfo on this machine */
			continue;
		}
		if (ok != (cron_rows[i].next != NULL) ||
		    (ok && !kt_streq(kt_buf_str(&text), cron_rows[i].next)))
			fail_msg("%s: %s", cron_rows[i].schedule, ok ? kt_buf_str(&text) : "not understood");
		kt_buf_clear(&text);
	}
}

static void tolerations_give_time(void **state)
{
	static const struct {
		const char *tolerations, *taints;
		int64_t seconds;
	} rows[] = {
	        {"[]", "[{\"key\":\"a\",\"effect\":\"NoExecute\"}]", 0},
	        {"[]", "[{\"key\":\"a\",\"effect\":\"NoSchedule\"}]", -1},
	        {"[{\"operator\":\"Exists\"}]", "[{\"key\":\"a\",\"effect\":\"NoExecute\"}]", -1},
	        {"[{\"key\":\"a\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300}"
	         "]",
	         "[{\"key\":\"a\",\"effect\":\"NoExecute\"}]", 300},
	        {"[{\"key\":\"a\",\"operator\":\"Equal\",\"value\":\"x\",\"tolerationSeconds\":30},"
	         "{\"key\":\"b\",\"operator\":\"Exists\",\"tolerationSeconds\":10}]",
	         "[{\"key\":\"a\",\"value\":\"x\",\"effect\":\"NoExecute\"},{\"key\":\"b\",\"effect\":"
	         "\"NoExecute\"}]",
	         10},
	        {"[{\"key\":\"a\",\"value\":\"y\"}]",
	         "[{\"key\":\"a\",\"value\":\"x\",\"effect\":\"NoExecute\"}]", 0},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *tolerations = NULL, *taints = NULL;
		assert_int_equal(kt_json_parse(rows[i].tolerations, strlen(rows[i].tolerations), NULL,
		                               &tolerations, NULL, NULL),
		                 KT_OK);
		assert_int_equal(
		        kt_json_parse(rows[i].taints, strlen(rows[i].taints), NULL, &taints, NULL, NULL),
		        KT_OK);
		assert_int_equal(controller_taint_seconds(tolerations, taints), rows[i].seconds);
		kt_json_free(tolerations);
		kt_json_free(taints);
	}
}

static void hashes_look_like_kubernetes(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		char hash[11], again[11];
		struct kt_json *a = kt_jsonf("{metadata: {labels: {a: 'b', n: %d}}, spec: {x: %d}}", i, i);
		struct kt_json *b = kt_jsonf("{spec: {x: %d}, metadata: {labels: {n: %d, a: 'b'}}}", i, i);
		controller_template_hash(a, 0, hash);
		controller_template_hash(b, 0, again);
		assert_string_equal(hash, again);
		assert_in_range(strlen(hash), 8, 10);
		assert_int_equal(strspn(hash, "456789bcdf"), strlen(hash));
		assert_non_null(strpbrk(hash, "bcdf"));
		assert_non_null(strpbrk(hash, "456789"));
		controller_template_hash(a, 1, again);
		assert_string_not_equal(hash, again);
		kt_json_free(a);
		kt_json_free(b);
	}
}

static void integers_and_percents(void **state)
{
	static const struct {
		const char *text;
		int64_t number, total;
		bool up;
		int64_t value;
	} rows[] = {
	        {"25%", 0, 4, true, 1},   {"25%", 0, 5, true, 2}, {"25%", 0, 5, false, 1},
	        {"0%", 0, 5, true, 0},    {NULL, 3, 10, true, 3}, {"100%", 0, 7, false, 7},
	        {"many", 0, 5, true, -7},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *v = rows[i].text ? kt_json_str(rows[i].text) : kt_json_int(rows[i].number);
		assert_int_equal(controller_int_or_percent(v, rows[i].total, rows[i].up, -7), rows[i].value);
		kt_json_free(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_calculator_agrees_with_the_published_cases),
	        cmocka_unit_test(nothing_measured_is_no_answer),
	        cmocka_unit_test(schedules_are_due_when_cron_says),
	        cmocka_unit_test(tolerations_give_time),
	        cmocka_unit_test(hashes_look_like_kubernetes),
	        cmocka_unit_test(integers_and_percents),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

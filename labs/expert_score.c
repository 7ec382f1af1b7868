/* SPDX-License-Identifier: MIT */
/* What came of predictions: how often right, and whether the learner knew how often. */
#include "labs/expert.h"

void lab_round_say(const struct kt_json *value, struct kt_buf *out)
{
	if (kt_str(value))
		kt_buf_add_clean(out, kt_str(value), kt_str_len(value));
	else if (kt_is_array(value) && !kt_count(value))
		kt_buf_adds(out, "nothing");
	else if (kt_json_type(value) ==
	         KT_JSON_BOOL) /* as YAML and people write it, and as a question is answered */
		kt_buf_adds(out, kt_bool_or(value, false) ? "yes" : "no");
	else
		kt_json_print(value, out);
}

struct kt_json *lab_round_event(const struct lab_round *round, size_t i, const struct kt_json *answer,
                                const char *typed, long sure)
{
	struct kt_json *event = kt_jsonf("{family: %s, seed: %l, question: %d, answer: %s, right: %d}",
	                                 round->family, (int64_t)round->seed, (int)i + 1, typed,
	                                 (int)lab_round_right(&round->asks[i], answer, typed));
	if (sure >= 0)
		kt_set(&event, "sure", kt_json_int(sure));
	return event;
}

/* The row of those that were as sure. */
static void count_sure(struct kt_json **list, int64_t sure, bool right)
{
	ptrdiff_t at = -1;
	const struct kt_json *row;
	KT_JSON_EACH (row, *list)
		if (kt_get_int(row, "sure", -1) == sure)
			at = (ptrdiff_t)row_i;
	if (at < 0) {
		at = (ptrdiff_t)kt_count(*list);
		kt_push(list, kt_jsonf("{sure: %l, of: 0, right: 0}", sure));
	}
	struct kt_json **place = kt_edit_at(list, (size_t)at);
	kt_set(place, "of", kt_json_int(kt_get_int(*place, "of", 0) + 1));
	kt_set(place, "right", kt_json_int(kt_get_int(*place, "right", 0) + right));
}

struct kt_json *lab_round_score(const struct kt_json *progress)
{
	const struct kt_json *row;
	struct kt_json *list = kt_json_array();
	double sum = 0;
	int64_t all = 0, right = 0, told = 0;
	KT_JSON_EACH (row, kt_get(progress, "predictions")) {
		bool fits = kt_get_int(row, "right", 0) != 0;
		all++;
		right += fits;
		if (kt_json_type(kt_get(row, "sure")) == KT_JSON_NULL || !kt_get(row, "sure"))
			continue;
		double sure = kt_real_or(kt_get(row, "sure"), 0), off = sure / 100 - fits;
		count_sure(&list, (int64_t)sure, fits);
		sum += off * off;
		told++;
	}
	return kt_jsonf("{predictions: %l, right: %l, brier: %j, sure: %j}", all, right,
	                told ? kt_json_real(sum / (double)told) : kt_json_null(), list);
}

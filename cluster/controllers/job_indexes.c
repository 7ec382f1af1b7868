/* SPDX-License-Identifier: MIT */
/* Sets of completion indexes as text (kubernetes pkg/controller/job/indexed_job_utils.go): runs of three and
 * more are written with a dash. */
#include "cluster/controllers/job.h"
#include <stdlib.h>

#define MOST 100000 /* completions of an indexed job that the API accepts */

void job_indexes_init(struct job_indexes *indexes, int64_t completions, const char *text)
{
	indexes->count = completions < 0 ? 0 : KT_MIN(completions, MOST);
	indexes->has = kt_alloc((size_t)indexes->count + 1);
	while (text && *text) {
		char *end;
		long long first = strtoll(text, &end, 10), last = first;
		if (end == text)
			return;
		if (*end == '-') {
			text = end + 1;
			last = strtoll(text, &end, 10);
		}
		for (long long i = KT_MAX(first, 0); i <= last && i < indexes->count; i++)
			indexes->has[i] = true;
		text = *end == ',' ? end + 1 : end;
		if (*end && *end != ',')
			return;
	}
}

void job_indexes_clear(struct job_indexes *indexes)
{
	kt_free(indexes->has);
}

bool job_indexes_has(const struct job_indexes *indexes, int64_t index)
{
	return index >= 0 && index < indexes->count && indexes->has[index];
}

void job_indexes_add(struct job_indexes *indexes, int64_t index)
{
	if (index >= 0 && index < indexes->count)
		indexes->has[index] = true;
}

int64_t job_indexes_total(const struct job_indexes *indexes)
{
	int64_t total = 0;
	for (int64_t i = 0; i < indexes->count; i++)
		total += indexes->has[i];
	return total;
}

char *job_indexes_text(const struct job_indexes *indexes)
{
	struct kt_buf text = {0};
	for (int64_t i = 0; i < indexes->count; i++) {
		int64_t last = i;
		if (!indexes->has[i])
			continue;
		while (last + 1 < indexes->count && indexes->has[last + 1])
			last++;
		kt_buf_addf(&text, "%s%lld", text.len ? "," : "", (long long)i);
		if (last == i + 1)
			kt_buf_addf(&text, ",%lld", (long long)last);
		else if (last > i)
			kt_buf_addf(&text, "-%lld", (long long)last);
		i = last;
	}
	kt_buf_adds(&text, "");
	return kt_buf_take(&text);
}

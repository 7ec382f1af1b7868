/* SPDX-License-Identifier: MIT */
/* Checks of what the learner has done: the rows of their record, asked as a set of objects is. */
#include "checker/checker_internal.h"

enum kt_code check_record_rows(const struct check_run *run, const char *part, struct kt_json **out,
                               struct kt_err *err)
{
	if (!run->record)
		return kt_fail(err, KT_EUNREACHABLE, "there is no record to look at");
	const struct kt_json *rows = kt_get(run->record, part);
	*out = rows ? kt_json_ref(rows) : kt_json_array();
	return KT_OK;
}

void check_look_record(const struct check_run *run, const struct check_check *check,
                       struct check_finding *finding)
{
	const char *part = kt_str(check->body);
	struct kt_json *all = NULL, *rows = NULL;
	struct kt_err err = {0};
	char *words = kt_strf("%s of your record", part);
	check_expected(finding, "%s are there", words);
	check_where(finding, words, NULL);
	if (check_record_rows(run, part, &all, &err)) {
		check_unknown(finding, &err);
	} else {
		rows = check_rows_where(all, kt_get(check->node, "where"));
		check_look_rows(run, words, rows, check->node, finding);
	}
	kt_json_free(rows);
	kt_json_free(all);
	kt_free(words);
}

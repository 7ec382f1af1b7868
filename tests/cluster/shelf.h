/* SPDX-License-Identifier: MIT */
/* A journal for tests: a JSON object of records. It can be full, and it can break off, as by a kill -9. */
#ifndef TESTS_CLUSTER_SHELF_H
#define TESTS_CLUSTER_SHELF_H

#include <string.h>

#include "cluster/cluster.h"

struct shelf {
	struct kt_json *records;
	bool full, breaks;
	size_t writes, last; /* breaks: writes after the `last` are lost */
};

static inline enum kt_code shelf_write(void *arg, const struct cluster_record *records, size_t count,
                                       struct kt_err *err)
{
	struct shelf *shelf = arg;
	if (shelf->full)
		return kt_fail(err, KT_EIO, "the shelf is full");
	if (shelf->writes++ >= shelf->last && shelf->breaks)
		return KT_OK;
	for (size_t i = 0; i < count; i++)
		kt_set(&shelf->records, records[i].key,
		       records[i].value ? kt_json_strn(records[i].value, records[i].len) : NULL);
	return KT_OK;
}

static inline int shelf_by_name(const char *a, const char *b, void *arg)
{
	(void)arg;
	return strcmp(a, b);
}

static inline enum kt_code shelf_read(void *arg,
                                      void (*row)(void *row_arg, const struct cluster_record *record),
                                      void *row_arg, struct kt_err *err)
{
	struct shelf *shelf = arg;
	(void)err;
	if (shelf->records)
		kt_sort_keys(&shelf->records, shelf_by_name, NULL);
	for (size_t i = 0; i < kt_count(shelf->records); i++) {
		const struct kt_json *value = kt_at(shelf->records, i);
		struct cluster_record record = {kt_key(shelf->records, i), kt_str(value), kt_str_len(value)};
		row(row_arg, &record);
	}
	return KT_OK;
}

#endif

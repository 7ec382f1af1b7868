/* SPDX-License-Identifier: MIT */
/* Files beside a lab or a lesson that are lists of rows. */
#include "labs/labs_internal.h"

static enum kt_code hold_row(const struct lab_rows *shape, struct kt_yaml *yaml, const struct kt_json *row,
                             struct kt_err *err)
{
	enum kt_code rc = kt_yaml_keys(yaml, row, shape->what, shape->keys, shape->key_count, err);
	for (size_t i = 0; !rc && i < shape->required; i++)
		if (!kt_get_str(row, shape->keys[i]))
			rc = kt_yaml_fail(yaml, row, err, "expected %s", shape->wanted);
	return rc;
}

enum kt_code lab_read_rows(const struct lab_rows *shape, const char *dir, struct kt_yaml **out,
                           struct kt_err *err)
{
	char *path = kt_join(dir, shape->file);
	enum kt_code rc = kt_is_file(path) ? kt_yaml_read(path, out, err) : KT_OK;
	const struct kt_json *rows = lab_rows_of(*out), *row;
	if (!rc && *out && !kt_is_array(rows))
		rc = kt_yaml_fail(*out, rows, err, "expected `%s`", shape->example);
	KT_JSON_EACH (row, rows)
		if (!rc)
			rc = hold_row(shape, *out, row, err);
	kt_free(path);
	return rc;
}

const struct kt_json *lab_rows_of(const struct kt_yaml *yaml)
{
	return yaml ? kt_yaml_doc(yaml, 0) : NULL;
}

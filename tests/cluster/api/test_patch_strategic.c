/* SPDX-License-Identifier: MIT */
#include "cluster/api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* The fields that strategic-merge.yaml tells of. */
static const struct schema_type text = {.name = "-", .scalar = SCHEMA_STRING},
                                number = {.name = "-", .scalar = SCHEMA_INT64};
static const struct schema_type root;
static const struct schema_field root_fields[] = {
        {.name = "name", .type = &text},
        {.name = "image", .type = &text},
        {.name = "other", .type = &text},
        {.name = "labels", .type = &text, .shape = SCHEMA_MAP},
        {.name = "items", .type = &root, .shape = SCHEMA_LIST, .patch_merge = true, .patch_key = "name"},
        {.name = "vols",
         .type = &root,
         .shape = SCHEMA_LIST,
         .patch_merge = true,
         .patch_retain = true,
         .patch_key = "name"},
        {.name = "plain", .type = &root, .shape = SCHEMA_LIST},
        {.name = "ints", .type = &number, .shape = SCHEMA_LIST, .patch_merge = true},
        {.name = "plainInts", .type = &number, .shape = SCHEMA_LIST},
        {.name = "one", .type = &root},
        {.name = "whole", .type = &root, .patch_replace_keys = true},
        {.name = "source", .type = &root, .patch_retain = true},
};
static const struct schema_type root = {
        .name = "Root", .fields = root_fields, .field_count = KT_COUNT(root_fields)};

static void judge(const struct kt_json *row)
{
	struct api_status status = {0};
	const char *refused = kt_get_str(row, "refused"), *name = kt_get_str(row, "case");
	struct kt_json *before = kt_json_copy(kt_get(row, "is")), *out = NULL;
	bool ok = patch_strategic(&root, kt_get(row, "is"), kt_get(row, "patch"), &out, &status);
	char *is = kt_json_text(out);
	if (ok != !refused)
		fail_msg("%s: %s", name, ok ? is : status.message);
	if (ok && !kt_equal(out, kt_get(row, "becomes")))
		fail_msg("%s: %s", name, is);
	if (refused)
		assert_string_equal(status.message, refused);
	assert_true(kt_equal(before, kt_get(row, "is")));
	kt_free(is);
	kt_json_free(before);
	kt_json_free(out);
	api_status_clear(&status);
}

static void strategic_merge_does_what_the_table_says(void **state)
{
	const char *path = "tests/cluster/api/strategic-merge.yaml";
	struct kt_err err = {0};
	struct kt_buf file = {0};
	struct kt_yaml *rows = NULL;
	const struct kt_json *row;
	(void)state;
	if (kt_read_file(path, 1 << 20, &file, &err) ||
	    kt_yaml_parse(path, kt_buf_str(&file), file.len, &rows, &err))
		fail_msg("%s", err.text);
	assert_true(kt_count(kt_yaml_doc(rows, 0)) > 100);
	KT_JSON_EACH (row, kt_yaml_doc(rows, 0))
		judge(row);
	kt_yaml_free(rows);
	kt_buf_clear(&file);
}

static void what_is_no_map_is_no_patch(void **state)
{
	struct api_status status = {0};
	struct kt_json *patch = kt_json_str("nonsense"), *out = NULL;
	(void)state;
	assert_false(patch_strategic(&root, NULL, patch, &out, &status));
	assert_int_equal(status.code, 400);
	api_status_clear(&status);
	kt_json_free(patch);
}

static void depth_and_length_have_limits(void **state)
{
	struct api_status status = {0};
	struct kt_json *deep = kt_json_object(), *same = kt_json_object(), *out = NULL,
	               *list = kt_json_array();
	(void)state;
	for (int i = 0; i < 150; i++) {
		deep = kt_jsonf("{a: %j}", deep);
		same = kt_jsonf("{a: %j}", same);
	}
	assert_false(patch_strategic(&root, deep, same, &out, &status));
	api_status_clear(&status);
	for (int i = 0; i < 6000; i++)
		kt_push(&list, kt_json_int(i));
	struct kt_json *patch = kt_jsonf("{ints: %j}", list), *target = kt_jsonf("{ints: [1]}");
	assert_false(patch_strategic(&root, target, patch, &out, &status));
	assert_int_equal(status.code, 413);
	api_status_clear(&status);
	kt_json_free(deep);
	kt_json_free(same);
	kt_json_free(patch);
	kt_json_free(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(strategic_merge_does_what_the_table_says),
	        cmocka_unit_test(what_is_no_map_is_no_patch),
	        cmocka_unit_test(depth_and_length_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

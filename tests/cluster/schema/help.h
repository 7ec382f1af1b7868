/* SPDX-License-Identifier: MIT */
/* Shared by the tests of cluster/schema. */
#ifndef SCHEMA_TEST_HELP_H
#define SCHEMA_TEST_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cluster/schema/schema.h"

static inline struct kt_json *parsed(const char *text)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	if (kt_json_parse(text, strlen(text), NULL, &v, NULL, &err))
		fail_msg("%s: %s", text, err.text);
	return v;
}

static inline struct kt_json *read_json(const char *path)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	if (kt_read_json(path, 1u << 24, &v, &err))
		fail_msg("%s", err.text);
	return v;
}

static inline const struct schema_kind *kind_named(const struct schema *schema, const char *api_version,
                                                   const char *kind)
{
	const struct schema_kind *found = schema_by_api_version(schema, api_version, kind);
	if (!found)
		fail_msg("no %s %s", api_version, kind);
	return found;
}

/* Decoded and defaulted; unknown fields fail. */
static inline struct kt_json *decoded(const struct schema *schema, const struct kt_json *raw)
{
	const struct schema_kind *kind =
	        kind_named(schema, kt_get_str(raw, "apiVersion"), kt_get_str(raw, "kind"));
	struct schema_problems problems = {.wraps = false};
	struct kt_json *out = NULL;
	struct kt_err err = {0};
	if (schema_decode(schema, kind, raw, &out, &problems, &err))
		fail_msg("%s", err.text);
	assert_int_equal(problems.unknown.count, 0);
	schema_problems_clear(&problems);
	schema_default(schema, kind, &out);
	return out;
}

static inline void assert_json(const struct kt_json *v, const char *expected)
{
	char *text = v ? kt_json_text(v) : kt_strdup("(nothing)");
	assert_string_equal(text, expected);
	kt_free(text);
}

/* One for all the tests of a program: cmocka_run_group_tests(tests, with_schema, without_schema). */
static struct schema *schema;

static inline int with_schema(void **state)
{
	(void)state;
	schema = schema_new();
	return 0;
}

static inline int without_schema(void **state)
{
	(void)state;
	schema_free(schema);
	return 0;
}

#endif

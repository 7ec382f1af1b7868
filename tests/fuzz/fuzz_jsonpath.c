/* SPDX-License-Identifier: MIT */
/* The first line is a path, the rest the value it looks through (a small one if that is none). */
#include "tests/fuzz/fuzz.h"

#include "base/jsonpath.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = size ? memchr(text, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - text) : size;
	char *path_text = size ? kt_strndup(text, len) : kt_strdup("");
	struct kt_jsonpath *path = NULL;
	struct kt_json *root = NULL;
	struct kt_err err = {0};
	if (!end || kt_json_parse(end + 1, size - len - 1, NULL, &root, NULL, NULL))
		root = kt_jsonf(
		        "{a: [{b: 1, c: 'x'}, {b: 2.5, a: [1, 2, 3]}, [], {}], b: {a: 'y', 'c.d': null}}");
	if (kt_jsonpath_new(path_text, &path, &err)) {
		if (path || !*err.text)
			kt_bug("a failure that left something, or said nothing");
	} else {
		struct kt_json *found = kt_jsonpath_find(path, root);
		char *printed = kt_json_text(found);
		kt_free(printed);
		kt_json_free(found);
	}
	kt_jsonpath_free(path);
	kt_json_free(root);
	kt_free(path_text);
	return 0;
}

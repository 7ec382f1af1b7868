/* SPDX-License-Identifier: MIT */
/* replay FOLDER...: give every file of the folders to the target, once. */
#include "tests/fuzz/fuzz.h"

#include "base/file.h"

#include <stdio.h>

static int replay(const char *folder, size_t *count)
{
	struct kt_strs names = {0};
	struct kt_err err = {0};
	enum kt_code rc = kt_list_dir(folder, &names, &err);
	for (size_t i = 0; !rc && i < names.count; i++) {
		char *path = kt_join(folder, names.items[i]);
		struct kt_buf text = {0};
		rc = kt_read_file(path, 0, &text, &err);
		/* A copy of its very size, so that reading past the end is seen. */
		uint8_t *data = kt_alloc(text.len);
		for (size_t j = 0; j < text.len; j++)
			data[j] = (uint8_t)text.data[j];
		if (!rc)
			LLVMFuzzerTestOneInput(data, text.len);
		kt_free(data);
		kt_buf_clear(&text);
		kt_free(path);
		++*count;
	}
	kt_strs_clear(&names);
	if (rc)
		fprintf(stderr, "%s\n", err.text);
	return rc;
}

int main(int argc, char **argv)
{
	size_t count = 0;
	for (int i = 1; i < argc; i++)
		if (replay(argv[i], &count))
			return 1;
	printf("%s: %zu inputs\n", argc ? kt_basename(argv[0]) : "", count);
	return 0;
}

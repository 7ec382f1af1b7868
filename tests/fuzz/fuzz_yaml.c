/* SPDX-License-Identifier: MIT */
/* What is read has a line everywhere, and prints as YAML that reads back as the same value. */
#include "tests/fuzz/fuzz.h"

#include "base/yaml.h"

static void check_lines(const struct kt_yaml *yaml, const struct kt_json *v)
{
	if (!kt_yaml_line(yaml, v))
		kt_bug("a node without a line");
	for (size_t i = 0, n = kt_count(v); i < n; i++) {
		if (kt_is_object(v) && !kt_yaml_key_line(yaml, v, i))
			kt_bug("a key without a line");
		check_lines(yaml, kt_at(v, i));
	}
}

static void check_print(const struct kt_json *v)
{
	struct kt_buf text = {0};
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	kt_yaml_print(v, false, &text);
	if (kt_yaml_parse("printed", kt_buf_str(&text), text.len, &yaml, &err)) {
		/* Printing indents: what was near the limits may be beyond them. */
		if (err.code != KT_ELIMIT)
			kt_bug("%s\n%s", err.text, kt_buf_str(&text));
	} else if (!kt_equal(kt_yaml_doc(yaml, 0), v)) {
		kt_bug("read back as another value:\n%s", kt_buf_str(&text));
	}
	kt_yaml_free(yaml);
	kt_buf_clear(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_yaml *yaml = NULL;
	struct kt_err err = {0};
	if (kt_yaml_parse("f", (const char *)data, size, &yaml, &err)) {
		if (yaml || !kt_starts(err.text, "f:"))
			kt_bug("a failure that left something, or did not say where: %s", err.text);
		return 0;
	}
	for (size_t i = 0; i < kt_yaml_count(yaml); i++) {
		check_lines(yaml, kt_yaml_doc(yaml, i));
		check_print(kt_yaml_doc(yaml, i));
	}
	kt_yaml_free(yaml);
	return 0;
}

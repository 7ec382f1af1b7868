/* SPDX-License-Identifier: MIT */
/* What parses prints, and prints the same again; so does the pretty form; sorting changes no value. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"

static struct kt_json *parse(const struct kt_buf *text)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	if (kt_json_parse(kt_buf_str(text), text->len, NULL, &v, NULL, &err))
		kt_bug("does not read back: %s: %s", err.text, kt_buf_str(text));
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	char *duplicate = NULL;
	if (kt_json_parse((const char *)data, size, NULL, &v, &duplicate, &err)) {
		if (v || duplicate || !*err.text)
			kt_bug("a failure that left something, or said nothing");
		return 0;
	}
	struct kt_buf first = {0}, second = {0}, pretty = {0};
	kt_json_print(v, &first);
	struct kt_json *again = parse(&first);
	kt_json_print(again, &second);
	struct kt_json *third = parse(&second);
	/* Reals may differ once: -0.0 is printed -0, which reads as the integer 0, as a large one does with
	 * its zeros. */
	kt_buf_cut(&first, 0);
	kt_json_print(third, &first);
	if (!kt_streq(first.data, second.data) || !kt_equal(third, again))
		kt_bug("%s became %s", first.data, second.data);
	kt_json_free(third);
	kt_json_print_pretty(v, 2, &pretty);
	struct kt_json *from_pretty = parse(&pretty), *sorted = kt_json_sorted(v), *copy = kt_json_copy(v);
	if (!kt_equal(again, from_pretty) || !kt_equal(v, sorted) || !kt_equal(v, copy))
		kt_bug("%s is not equal to its pretty, sorted or copied form", first.data);
	kt_set(&again, "x", kt_json_ref(v));
	struct kt_json *whole = kt_json_ref(again);
	kt_push(kt_edit(&again, "y"), whole);
	kt_json_free(copy);
	kt_json_free(sorted);
	kt_json_free(from_pretty);
	kt_json_free(again);
	kt_json_free(v);
	kt_buf_clear(&first);
	kt_buf_clear(&second);
	kt_buf_clear(&pretty);
	kt_free(duplicate);
	return 0;
}

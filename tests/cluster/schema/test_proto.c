/* SPDX-License-Identifier: MIT */
/* JSON and protobuf of the same objects, as the Go libraries of Kubernetes 1.34 print them (wire.tsv: what
 * was given, what Go prints, the same as protobuf in hex; one object of made-up values a kind, and real
 * manifests). */
#include "tests/cluster/schema/help.h"

static struct kt_buf table;

static int set_up(void **state)
{
	struct kt_err err = {0};
	(void)with_schema(state);
	return kt_read_file("tests/cluster/schema/wire.tsv", 1u << 24, &table, &err);
}

static int tear_down(void **state)
{
	kt_buf_clear(&table);
	return without_schema(state);
}

struct row {
	char *given, *printed;
	struct kt_buf wire;
};

static unsigned nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static bool next_row(const char **at, struct row *row)
{
	size_t len;
	const char *line = kt_split(at, '\n', &len);
	if (!line || !len)
		return false;
	char *copy = kt_strndup(line, len), *tab = strchr(copy, '\t'), *hex = strrchr(copy, '\t');
	assert_true(tab && hex && tab != hex);
	*tab = *hex = 0;
	row->given = kt_strdup(copy);
	row->printed = kt_strdup(tab + 1);
	row->wire = (struct kt_buf){0};
	for (const char *h = hex + 1; h[0] && h[1]; h += 2)
		kt_buf_addc(&row->wire, (char)(nibble(h[0]) << 4 | nibble(h[1])));
	kt_free(copy);
	return true;
}

static void row_clear(struct row *row)
{
	kt_free(row->given);
	kt_free(row->printed);
	kt_buf_clear(&row->wire);
}

static void json_comes_out_as_go_prints_it(void **state)
{
	(void)state;
	struct row row;
	size_t rows = 0;
	for (const char *at = kt_buf_str(&table); next_row(&at, &row); rows++) {
		struct kt_json *raw = parsed(row.given), *out = NULL;
		struct kt_err err = {0};
		const struct schema_type *type =
		        schema_type_for(schema, kt_get_str(raw, "apiVersion"), kt_get_str(raw, "kind"));
		if (!type || schema_decode_type(type, raw, &out, NULL, &err))
			fail_msg("%s: %s", row.given, err.text);
		assert_json(out, row.printed);
		kt_json_free(raw);
		kt_json_free(out);
		row_clear(&row);
	}
	assert_true(rows > 80);
}

static void protobuf_gives_the_same(void **state)
{
	(void)state;
	struct row row;
	for (const char *at = kt_buf_str(&table); next_row(&at, &row);) {
		struct kt_json *out = NULL;
		struct kt_err err = {0};
		if (schema_decode_proto(schema, row.wire.data, row.wire.len, &out, &err))
			fail_msg("%s: %s", row.given, err.text);
		assert_json(out, row.printed);
		kt_json_free(out);
		row_clear(&row);
	}
}

static void cut_or_bent_protobuf_does_no_harm(void **state)
{
	(void)state;
	struct row row;
	for (const char *at = kt_buf_str(&table); next_row(&at, &row);) {
		for (size_t i = 0; i < row.wire.len; i += 7) {
			/* A copy of exactly that length, so that a read too far is seen by a sanitizer. */
			unsigned char *copy = kt_alloc(i + 1);
			struct kt_json *out = NULL;
			memcpy(copy, row.wire.data, i);
			if (i > 8)
				copy[4 + i * 31 % (i - 4)] ^= (unsigned char)(1u << i % 8);
			if (!schema_decode_proto(schema, copy, i, &out, NULL))
				kt_json_free(out);
			kt_free(copy);
		}
		row_clear(&row);
	}
}

static void what_is_no_protobuf_of_kubernetes_is_told(void **state)
{
	(void)state;
	struct kt_json *out = NULL;
	struct kt_err err = {0};
	assert_int_equal(schema_decode_proto(schema, "{}", 2, &out, &err), KT_EINVAL);
	assert_string_equal(
	        err.text,
	        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
	kt_err_clear(&err);
	static const char unknown[] = "k8s\0\x0a\x09\x0a\x02v1\x12\x03Nix";
	assert_int_equal(schema_decode_proto(schema, unknown, sizeof(unknown) - 1, &out, &err), KT_EINVAL);
	assert_string_equal(err.text, "no kind \"Nix\" is registered for version \"v1\"");
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(json_comes_out_as_go_prints_it),
	        cmocka_unit_test(protobuf_gives_the_same),
	        cmocka_unit_test(cut_or_bent_protobuf_does_no_harm),
	        cmocka_unit_test(what_is_no_protobuf_of_kubernetes_is_told),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

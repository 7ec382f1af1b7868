/* SPDX-License-Identifier: MIT */
/* Whatever JSON is posted as any kind is refused with words, or becomes an object whose second decoding and
 * defaulting change nothing. A CustomResourceDefinition is added to the schema if it can be. */
#include "tests/fuzz/fuzz.h"

#include "cluster/schema/schema.h"

#include <string.h>

static void check_custom(struct schema *schema, const struct kt_json *crd)
{
	size_t before = schema_kind_count(schema);
	if (schema_add_crd(schema, crd, NULL))
		return;
	for (size_t i = before; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		struct kt_json *out = NULL;
		if (schema_decode(schema, kind, crd, &out, NULL, NULL))
			continue;
		schema_default(schema, kind, &out);
		kt_json_free(schema_validate_crd_object(kind, out, NULL, NULL));
		kt_json_free(schema_cells(kind, out, 0));
		kt_json_free(out);
	}
	(void)schema_openapi_index(schema);
	schema_remove_crd(schema, kt_path_str(crd, "metadata.name"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *schema = schema_new();
	struct kt_json *raw = NULL, *out = NULL, *again = NULL;
	struct schema_problems problems = {.wraps = false};
	struct kt_err err = {0};
	if (!kt_json_parse((const char *)data, size, NULL, &raw, NULL, NULL)) {
		const struct schema_kind *kind =
		        schema_by_api_version(schema, kt_get_str(raw, "apiVersion"), kt_get_str(raw, "kind"));
		if (!kind)
			kind = schema_kind_at(schema, size % schema_kind_count(schema));
		if (schema_decode(schema, kind, raw, &out, &problems, &err)) {
			if (out || !*err.text)
				kt_bug("a failure that left something, or said nothing");
		} else {
			schema_default(schema, kind, &out);
			struct kt_json *twice = kt_json_ref(out);
			schema_default(schema, kind, &twice);
			if (twice != out)
				kt_bug("defaulting twice changes something");
			kt_json_free(twice);
			if (schema_decode(schema, kind, out, &again, NULL, &err))
				kt_bug("does not decode again: %s", err.text);
			kt_json_free(schema_cells(kind, out, 0));
			kt_json_free(schema_convert(out, kind, kind->storage));
		}
		if (kt_is_object(raw))
			check_custom(schema, raw);
	}
	schema_problems_clear(&problems);
	kt_json_free(again);
	kt_json_free(out);
	kt_json_free(raw);
	schema_free(schema);
	return 0;
}

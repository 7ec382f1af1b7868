/* SPDX-License-Identifier: MIT */
/* Whatever is posted as protobuf is refused or becomes an object that decodes to itself and has cells. */
#include "tests/fuzz/fuzz.h"

#include "cluster/schema/schema.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	if (!schema)
		schema = schema_new();
	struct kt_json *object = NULL, *again = NULL;
	struct kt_err err = {0};
	if (schema_decode_proto(schema, data, size, &object, &err)) {
		if (object || !*err.text)
			kt_bug("a failure that left something, or said nothing");
	} else {
		const struct schema_kind *kind = schema_by_api_version(
		        schema, kt_get_str(object, "apiVersion"), kt_get_str(object, "kind"));
		if (kind && schema_decode(schema, kind, object, &again, NULL, &err))
			kt_bug("does not decode again: %s", err.text);
		if (kind && again != object)
			kt_bug("is not in its canonical form");
		if (kind) {
			schema_default(schema, kind, &again);
			kt_json_free(schema_cells(kind, again, 0));
		}
		kt_json_free(again);
		kt_json_free(object);
	}
	return 0;
}

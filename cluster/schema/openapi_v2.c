/* SPDX-License-Identifier: MIT */
/* GET /openapi/v2 as protobuf (gnostic openapiv2 Document): what `kubectl explain
 * --output=plaintext-openapiv2` and clients before 1.27 read. Definitions only; made anew each time, since
 * hardly anybody asks. */
#include "cluster/schema/openapi_internal.h"

#include <string.h>

/* Field numbers of the document's messages. */
enum {
	DOCUMENT_SWAGGER = 1,
	DOCUMENT_INFO = 2,
	DOCUMENT_PATHS = 8,
	DOCUMENT_DEFINITIONS = 9,
	SCHEMA_REF = 1,
	SCHEMA_FORMAT = 2,
	SCHEMA_DESCRIPTION = 4,
	SCHEMA_REQUIRED = 19,
	SCHEMA_ADDITIONAL = 21,
	SCHEMA_TYPE = 22,
	SCHEMA_ITEMS = 23,
	SCHEMA_PROPERTIES = 25,
	SCHEMA_EXTENSION = 31,
};

static void put_number(struct kt_buf *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		kt_buf_addc(out, (char)((n & 0x7f) | 0x80));
	kt_buf_addc(out, (char)n);
}

static void put_bytes(struct kt_buf *out, unsigned field, const void *data, size_t len)
{
	put_number(out, (uint64_t)field << 3 | 2);
	put_number(out, len);
	kt_buf_add(out, data, len);
}

static void put_text(struct kt_buf *out, unsigned field, const char *text)
{
	put_bytes(out, field, text, strlen(text));
}

/* The message in `inner`, which is cleared. */
static void put_message(struct kt_buf *out, unsigned field, struct kt_buf *inner)
{
	put_bytes(out, field, kt_buf_str(inner), inner->len);
	kt_buf_clear(inner);
}

/* {name=1, value=2} */
static void put_named(struct kt_buf *out, unsigned field, const char *name, struct kt_buf *value)
{
	struct kt_buf pair = {0};
	put_text(&pair, 1, name);
	put_message(&pair, 2, value);
	put_message(out, field, &pair);
}

static void put_extension(struct kt_buf *out, const char *name, const char *yaml)
{
	struct kt_buf value = {0};
	put_text(&value, 2, yaml);
	put_named(out, SCHEMA_EXTENSION, name, &value);
}

static void put_type(struct kt_buf *out, const char *type)
{
	struct kt_buf inner = {0};
	put_text(&inner, 1, type);
	put_message(out, SCHEMA_TYPE, &inner);
}

static const struct {
	enum schema_scalar scalar;
	const char *type, *format; /* type NULL: anything */
} scalars[] = {
        {SCHEMA_STRING, "string", NULL},
        {SCHEMA_BOOL, "boolean", NULL},
        {SCHEMA_INT32, "integer", "int32"},
        {SCHEMA_INT64, "integer", "int64"},
        {SCHEMA_DOUBLE, "number", "double"},
        {SCHEMA_BYTES, "string", "byte"},
        {SCHEMA_QUANTITY, "string", NULL},
        {SCHEMA_TIME, "string", "date-time"},
        {SCHEMA_MICROTIME, "string", "date-time"},
        {SCHEMA_DURATION, "string", NULL},
        {SCHEMA_INT_OR_STRING, "string", "int-or-string"},
        {SCHEMA_RAW, "object", NULL},
        {SCHEMA_FIELDS_V1, "object", NULL},
        {SCHEMA_STRINGS, "array", NULL},
};

static void put_fields(struct kt_buf *out, const struct schema_type *type);

/* The schema of one value, into `out`. */
static void put_value(struct kt_buf *out, const struct schema_type *type)
{
	if (type->scalar == SCHEMA_MESSAGE && type->id) {
		struct kt_buf name = {0};
		kt_buf_adds(&name, "#/definitions/");
		openapi_name(type, &name);
		put_text(out, SCHEMA_REF, kt_buf_str(&name));
		kt_buf_clear(&name);
		return;
	}
	if (type->scalar == SCHEMA_MESSAGE) {
		put_fields(out, type);
		return;
	}
	for (size_t i = 0; i < KT_COUNT(scalars); i++) {
		if (scalars[i].scalar != type->scalar)
			continue;
		put_type(out, scalars[i].type);
		if (scalars[i].format)
			put_text(out, SCHEMA_FORMAT, scalars[i].format);
		if (type->scalar == SCHEMA_STRINGS) {
			struct kt_buf item = {0}, items = {0};
			put_type(&item, "string");
			put_message(&items, 1, &item);
			put_message(out, SCHEMA_ITEMS, &items);
		}
	}
}

static void put_field(struct kt_buf *out, const struct schema_field *field)
{
	struct kt_buf schema = {0}, item = {0}, holder = {0}, words = {0};
	if (field->text) {
		put_text(&schema, SCHEMA_DESCRIPTION, field->text);
	} else {
		openapi_sentence(field->name, &words);
		put_text(&schema, SCHEMA_DESCRIPTION, kt_buf_str(&words));
		kt_buf_clear(&words);
	}
	if (field->shape == SCHEMA_ONE) {
		put_value(&schema, field->type);
	} else {
		put_type(&schema, field->shape == SCHEMA_LIST ? "array" : "object");
		put_value(&item, field->type);
		put_message(&holder, 1, &item);
		put_message(&schema, field->shape == SCHEMA_LIST ? SCHEMA_ITEMS : SCHEMA_ADDITIONAL, &holder);
	}
	if (field->patch_merge)
		put_extension(&schema, "x-kubernetes-patch-strategy", "merge\n");
	if (field->patch_key) {
		kt_buf_addf(&words, "%s\n", field->patch_key);
		put_extension(&schema, "x-kubernetes-patch-merge-key", kt_buf_str(&words));
		kt_buf_clear(&words);
	}
	put_named(out, 1, field->name, &schema);
}

static void put_fields(struct kt_buf *out, const struct schema_type *type)
{
	struct kt_buf properties = {0};
	put_type(out, "object");
	for (size_t i = 0; i < type->field_count; i++) {
		if (type->fields[i].required)
			put_text(out, SCHEMA_REQUIRED, type->fields[i].name);
		put_field(&properties, &type->fields[i]);
	}
	put_message(out, SCHEMA_PROPERTIES, &properties);
}

static void put_definition(struct kt_buf *out, const struct schema_type *type, const struct schema_kind *kind)
{
	struct kt_buf name = {0}, schema = {0};
	openapi_name(type, &name);
	if (type->text)
		put_text(&schema, SCHEMA_DESCRIPTION, type->text);
	put_fields(&schema, type);
	if (kind) {
		char *yaml = kt_strf("- group: \"%s\"\n  kind: %s\n  version: %s\n", kind->group, kind->kind,
		                     kind->version);
		put_extension(&schema, "x-kubernetes-group-version-kind", yaml);
		kt_free(yaml);
	}
	put_named(out, 1, kt_buf_str(&name), &schema);
	kt_buf_clear(&name);
}

void schema_openapi_v2(const struct schema *schema, struct kt_buf *out)
{
	struct openapi_types types = {0};
	struct kt_buf info = {0}, definitions = {0}, nothing = {0};
	for (size_t i = 0; i < schema->count; i++)
		openapi_need(&types, schema->kinds[i]->type);
	for (size_t i = 0; i < types.count; i++) {
		const struct schema_kind *kind = NULL;
		for (size_t j = 0; j < schema->count && !kind; j++)
			if (schema->kinds[j]->type == types.items[i])
				kind = schema->kinds[j];
		if (types.items[i]->scalar == SCHEMA_MESSAGE)
			put_definition(&definitions, types.items[i], kind);
	}
	for (size_t i = 0; i < schema->count; i++)
		if (schema->kinds[i]->crd)
			put_definition(&definitions, schema->kinds[i]->type, schema->kinds[i]);
	put_text(&info, 1, "Kubernetes");
	put_text(&info, 2, "v1.34.4");
	put_text(out, DOCUMENT_SWAGGER, "2.0");
	put_message(out, DOCUMENT_INFO, &info);
	put_message(out, DOCUMENT_PATHS, &nothing);
	put_message(out, DOCUMENT_DEFINITIONS, &definitions);
	openapi_types_clear(&types);
}

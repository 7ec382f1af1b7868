/* SPDX-License-Identifier: MIT */
/* Types as OpenAPI v3 schemas, in the form that kubectl reads (kube-openapi: references are wrapped in
 * allOf). */
#include "cluster/schema/openapi_internal.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *prefix, *full;
} packages[] = {
        {"meta.v1.", "io.k8s.apimachinery.pkg.apis.meta.v1."},
        {"api.resource.", "io.k8s.apimachinery.pkg.api.resource."},
        {"util.intstr.", "io.k8s.apimachinery.pkg.util.intstr."},
        {"runtime.", "io.k8s.apimachinery.pkg.runtime."},
        {"apiextensions.v1.", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."},
        {"apiregistration.v1.", "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1."},
        {"metrics.v1beta1.", "io.k8s.metrics.pkg.apis.metrics.v1beta1."},
        {"gateway.v1.", "io.k8s.networking.gateway.v1."},
        {"gateway.v1beta1.", "io.k8s.networking.gateway.v1beta1."},
};

void openapi_name(const struct schema_type *type, struct kt_buf *out)
{
	for (size_t i = 0; type->id && i < KT_COUNT(packages); i++) {
		if (kt_starts(type->name, packages[i].prefix)) {
			kt_buf_addf(out, "%s%s", packages[i].full, type->name + strlen(packages[i].prefix));
			return;
		}
	}
	kt_buf_addf(out, "%s%s", type->id ? "io.k8s.api." : "", type->name);
}

/* Schemas of scalars; those with a name of their own are components. */
static const struct {
	const char *type; /* name of the type; NULL: any other of the scalar */
	enum schema_scalar scalar;
	bool component;
	const char *schema;
} scalars[] = {
        {NULL, SCHEMA_STRING, false, "\"type\":\"string\""},
        {NULL, SCHEMA_BOOL, false, "\"type\":\"boolean\""},
        {NULL, SCHEMA_INT32, false, "\"type\":\"integer\",\"format\":\"int32\""},
        {NULL, SCHEMA_INT64, false, "\"type\":\"integer\",\"format\":\"int64\""},
        {NULL, SCHEMA_DOUBLE, false, "\"type\":\"number\",\"format\":\"double\""},
        {NULL, SCHEMA_BYTES, false, "\"type\":\"string\",\"format\":\"byte\""},
        {NULL, SCHEMA_STRINGS, false, "\"type\":\"array\",\"items\":{\"type\":\"string\",\"default\":\"\"}"},
        {NULL, SCHEMA_QUANTITY, true, "\"oneOf\":[{\"type\":\"string\"},{\"type\":\"number\"}]"},
        {NULL, SCHEMA_TIME, true, "\"type\":\"string\",\"format\":\"date-time\""},
        {NULL, SCHEMA_MICROTIME, true, "\"type\":\"string\",\"format\":\"date-time\""},
        {NULL, SCHEMA_DURATION, true, "\"type\":\"string\""},
        {"int-or-string", SCHEMA_INT_OR_STRING, false,
         "\"x-kubernetes-int-or-string\":true"}, /* of custom kinds */
        {NULL, SCHEMA_INT_OR_STRING, true,
         "\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}],\"format\":\"int-or-string\""},
        {NULL, SCHEMA_RAW, true, "\"type\":\"object\""},
        {NULL, SCHEMA_FIELDS_V1, true, "\"type\":\"object\""},
        {"any", SCHEMA_ANY, false, "\"x-kubernetes-preserve-unknown-fields\":true"},
        {"json", SCHEMA_ANY, false, "\"x-kubernetes-preserve-unknown-fields\":true"},
        {"object", SCHEMA_ANY, false, "\"type\":\"object\""},
        {NULL, SCHEMA_ANY, true, "\"x-kubernetes-preserve-unknown-fields\":true"},
};

static size_t scalar_row(const struct schema_type *type)
{
	for (size_t i = 0; i < KT_COUNT(scalars); i++)
		if (scalars[i].scalar == type->scalar &&
		    (!scalars[i].type || !strcmp(scalars[i].type, type->name)))
			return i;
	return 0;
}

/* Nested types of custom resources have no name in the real document. */
static bool is_component(const struct schema_type *type)
{
	return type->scalar == SCHEMA_MESSAGE ? type->id != 0 : scalars[scalar_row(type)].component;
}

void openapi_need(struct openapi_types *types, const struct schema_type *type)
{
	if (!types->seen)
		types->seen = kt_alloc((schema_builtin_type_count() + 1) * sizeof(*types->seen));
	if (type->id && types->seen[type->id])
		return;
	types->seen[type->id] = true;
	if (type->scalar != SCHEMA_MESSAGE && !is_component(type))
		return;
	if (type->id) {
		types->items = kt_grow(types->items, &types->cap, types->count + 1, sizeof(*types->items));
		types->items[types->count++] = type;
	}
	for (size_t i = 0; i < type->field_count; i++)
		openapi_need(types, type->fields[i].type);
}

void openapi_types_clear(struct openapi_types *types)
{
	kt_free(types->items);
	kt_free(types->seen);
	*types = (struct openapi_types){0};
}

void openapi_sentence(const char *name, struct kt_buf *out)
{
	for (size_t i = 0; name[i]; i++) {
		bool upper = isupper((unsigned char)name[i]) != 0;
		bool starts = upper && i && islower((unsigned char)name[i - 1]);
		bool word = upper && name[i + 1] && islower((unsigned char)name[i + 1]);
		if (i && (starts || (word && !starts)))
			kt_buf_addc(out, ' ');
		bool acronym = upper && !word;
		kt_buf_addc(out, (char)(i && !acronym ? tolower((unsigned char)name[i])
		                        : i           ? name[i]
		                                      : toupper((unsigned char)name[i])));
	}
	kt_buf_addc(out, '.');
}

/* Fields that every kind has. */
static const struct {
	const char *name, *text;
} common[] = {
        {"apiVersion", "The group and version of the schema that the object follows."},
        {"kind", "What the object is."},
        {"metadata", "Name, labels and other data that every object has."},
        {"spec", "What is wanted."},
        {"status", "What is the case, as last seen."},
        {"items", "The objects of the list."},
};

static void add_text(const char *text, const char *name, struct kt_buf *out)
{
	struct kt_buf made = {0};
	for (size_t i = 0; !text && i < KT_COUNT(common); i++)
		text = strcmp(common[i].name, name) != 0 ? NULL : common[i].text;
	if (!text) {
		openapi_sentence(name, &made);
		text = kt_buf_str(&made);
	}
	kt_buf_adds(out, "\"description\":");
	kt_json_print_string(text, strlen(text), out);
	kt_buf_clear(&made);
}

static void add_properties(const struct schema_type *type, struct kt_buf *out);

static void add_reference(const struct schema_type *type, struct kt_buf *out)
{
	kt_buf_adds(out, "\"$ref\":\"#/components/schemas/");
	openapi_name(type, out);
	kt_buf_addc(out, '"');
}

/* The inside of a schema for one value of the type, without braces. */
static void add_value(const struct schema_type *type, bool keep, struct kt_buf *out)
{
	if (is_component(type)) {
		kt_buf_adds(out, "\"allOf\":[{");
		add_reference(type, out);
		kt_buf_adds(out, "}]");
		if (keep && type->scalar == SCHEMA_MESSAGE)
			kt_buf_adds(out, ",\"default\":{}");
	} else if (type->scalar == SCHEMA_MESSAGE) {
		add_properties(type, out);
	} else {
		kt_buf_adds(out, scalars[scalar_row(type)].schema);
	}
}

/* An item of a list or a map, which Go has as a value: its zero is its default (kube-openapi). */
static void add_item(const struct schema_type *type, bool named, struct kt_buf *out)
{
	static const char *const zeros[][2] = {
	        {"\"type\":\"string\"", "\"\""},
	        {"\"type\":\"integer\"", "0"},
	        {"\"type\":\"number\"", "0"},
	        {"\"type\":\"boolean\"", "false"},
	};
	if (is_component(type) && type->scalar != SCHEMA_MESSAGE) {
		add_reference(type, out);
		return;
	}
	add_value(type, true, out);
	if (!named || is_component(type) || type->scalar == SCHEMA_MESSAGE)
		return;
	const char *schema = scalars[scalar_row(type)].schema;
	for (size_t i = 0; i < KT_COUNT(zeros) && !strstr(schema, "byte"); i++)
		if (!strncmp(schema, zeros[i][0], strlen(zeros[i][0])))
			kt_buf_addf(out, ",\"default\":%s", zeros[i][1]);
}

static void add_strings(const char *key, const char *const *list, bool sorted, struct kt_buf *out)
{
	struct kt_strs words = {0};
	for (size_t i = 0; list[i]; i++)
		kt_strs_add(&words, list[i]);
	if (sorted)
		kt_strs_sort(&words);
	kt_buf_addf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < words.count; i++) {
		kt_buf_adds(out, i ? "," : "");
		kt_json_print_string(words.items[i], strlen(words.items[i]), out);
	}
	kt_buf_addc(out, ']');
	kt_strs_clear(&words);
}

static void add_marks(const struct schema_field *field, struct kt_buf *out)
{
	static const char *const list_types[] = {
	        [SCHEMA_ATOMIC] = "atomic", [SCHEMA_SET] = "set", [SCHEMA_KEYED] = "map"};
	if (field->shape == SCHEMA_LIST) {
		kt_buf_addf(out, ",\"x-kubernetes-list-type\":\"%s\"", list_types[field->list_type]);
		if (field->list_type == SCHEMA_KEYED && field->list_keys)
			add_strings("x-kubernetes-list-map-keys", field->list_keys, false, out);
	} else if (field->shape == SCHEMA_MAP && field->list_type == SCHEMA_ATOMIC) {
		kt_buf_adds(out, ",\"x-kubernetes-map-type\":\"atomic\"");
	}
	const char *how = field->patch_retain && field->patch_merge ? "merge,retainKeys"
	                  : field->patch_retain                     ? "retainKeys"
	                  : field->patch_merge                      ? "merge"
	                  : field->patch_replace_keys               ? "replace"
	                                                            : NULL;
	if (how)
		kt_buf_addf(out, ",\"x-kubernetes-patch-strategy\":\"%s\"", how);
	if (field->patch_key)
		kt_buf_addf(out, ",\"x-kubernetes-patch-merge-key\":\"%s\"", field->patch_key);
}

static void add_field(const struct schema_type *of, const struct schema_field *field, struct kt_buf *out)
{
	const char *list = strstr(of->name, "List");

	kt_json_print_string(field->name, strlen(field->name), out);
	kt_buf_adds(out, ":{");
	/* what a definition does not say is not made up */
	if (field->text || of->id || !strcmp(field->name, "apiVersion") || !strcmp(field->name, "kind") ||
	    !strcmp(field->name, "metadata")) {
		add_text(field->text, field->name, out);
		kt_buf_addc(out, ',');
	}
	if (field->shape == SCHEMA_LIST)
		kt_buf_adds(out, "\"type\":\"array\",\"items\":{");
	if (field->shape == SCHEMA_MAP)
		kt_buf_adds(out, "\"type\":\"object\",\"additionalProperties\":{");
	if (field->shape == SCHEMA_ONE)
		add_value(field->type, field->keep, out);
	else
		add_item(field->type, of->id != 0, out);
	if (field->values) /* of a list: what each of its values may be */
		add_strings("enum", field->values, of->id != 0, out); /* definitions are told as they are */
	if (field->shape != SCHEMA_ONE)
		kt_buf_addc(out, '}');
	const char *value = schema_field_default(field);
	if (value)
		kt_buf_addf(out, ",\"default\":%s", value);
	if (strcmp(field->name, "items") != 0 || !list || list[strlen("List")])
		add_marks(field, out); /* lists of objects say nothing of merging */
	kt_buf_addc(out, '}');
}

static void add_properties(const struct schema_type *type, struct kt_buf *out)
{
	bool first = true;
	kt_buf_adds(out, "\"type\":\"object\"");
	for (size_t i = 0; i < type->field_count; i++) {
		if (!type->fields[i].required)
			continue;
		kt_buf_adds(out, first ? ",\"required\":[" : ",");
		kt_json_print_string(type->fields[i].name, strlen(type->fields[i].name), out);
		first = false;
	}
	kt_buf_adds(out, first ? "" : "]");
	kt_buf_adds(out, ",\"properties\":{");
	for (size_t i = 0; i < type->field_count; i++) {
		kt_buf_adds(out, i ? "," : "");
		add_field(type, &type->fields[i], out);
	}
	kt_buf_addc(out, '}');
	if (type->atomic)
		kt_buf_adds(out, ",\"x-kubernetes-map-type\":\"atomic\"");
}

void openapi_component(const struct schema_type *type, const struct schema_kind *kind, const char *kind_name,
                       struct kt_buf *out)
{
	kt_buf_addc(out, '"');
	openapi_name(type, out);
	kt_buf_adds(out, "\":{");
	/* A type without words has none: its fields' descriptions stand alone then. */
	if (type->text || kind) {
		add_text(type->text, schema_short_name(type), out);
		kt_buf_addc(out, ',');
	}
	if (type->scalar == SCHEMA_MESSAGE)
		add_properties(type, out);
	else
		kt_buf_adds(out, scalars[scalar_row(type)].schema);
	if (kind)
		kt_buf_addf(out,
		            ",\"x-kubernetes-group-version-kind\":[{\"group\":\"%s\",\"kind\":\"%s\","
		            "\"version\":\"%s\"}]",
		            kind->group, kind_name, kind->version);
	kt_buf_addc(out, '}');
}

/* SPDX-License-Identifier: MIT */
/* Any text is a selector or gets words. On the first line labels as JSON, then a label selector, then one for
 * fields. */
#include "tests/fuzz/fuzz.h"

#include "cluster/api/selector.h"

#include <string.h>

static void check_labels(const char *text, const struct kt_json *labels)
{
	struct api_labels selector = {0};
	struct kt_buf why = {0};
	if (api_labels_parse(text, &selector, &why)) {
		bool first = api_labels_match(&selector, labels);
		if (first != api_labels_match(&selector, labels))
			kt_bug("a selector that matches by chance");
		if (!selector.count && !first)
			kt_bug("an empty selector leaves something out");
		for (size_t i = 0; i < selector.count; i++)
			if (!selector.items[i].key)
				kt_bug("a requirement without a key");
	} else if (!why.len) {
		kt_bug("a failure without words");
	}
	api_labels_clear(&selector);
	kt_buf_clear(&why);
}

static void check_fields(const char *text, const struct schema_kind *kind, const struct kt_json *object)
{
	struct api_fields selector = {0};
	struct kt_buf why = {0};
	if (api_fields_parse(text, kind, &selector, &why))
		(void)api_fields_match(&selector, kind, object);
	else if (!why.len)
		kt_bug("a failure without words");
	api_fields_clear(&selector);
	kt_buf_clear(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const kinds[] = {"Pod", "Node", "Event", "Secret", "Namespace"};
	char *text = kt_strndup((const char *)data, size), *lines[3] = {text, text + strlen(text), NULL};
	static struct schema *schema;
	if (!schema)
		schema = schema_new();
	struct kt_json *labels = NULL;
	lines[2] = lines[1];
	for (size_t i = 0; i + 1 < KT_COUNT(lines); i++) {
		char *end = strchr(lines[i], '\n');
		if (!end)
			break;
		*end = 0;
		lines[i + 1] = end + 1;
	}
	if (kt_json_parse(lines[0], strlen(lines[0]), NULL, &labels, NULL, NULL))
		labels = NULL;
	if (!kt_is_object(labels)) {
		kt_json_free(labels);
		labels = kt_json_object();
	}
	struct kt_json *object = kt_jsonf("{metadata: {name: 'x', namespace: 'y', labels: %J}}", labels);
	check_labels(lines[1], labels);
	check_fields(lines[2], schema_stored(schema, "", kinds[size % KT_COUNT(kinds)]), object);
	kt_json_free(object);
	kt_json_free(labels);
	kt_free(text);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* OpenAPI v3 against the published schema of the real server (openapi-marks.json: its fields without words).
 */
#include "tests/cluster/schema/help.h"

static struct kt_json *document(const char *path, char hash[65])
{
	const struct kt_buf *text = schema_openapi(schema, path, hash);
	if (!text)
		fail_msg("no document %s", path);
	return parsed(kt_buf_str(text));
}

static const char *short_name(const char *full)
{
	static const char *const prefixes[] = {"io.k8s.apimachinery.pkg.apis.", "io.k8s.apimachinery.pkg.",
	                                       "io.k8s.apiextensions-apiserver.pkg.apis.",
	                                       "io.k8s.kube-aggregator.pkg.apis.", "io.k8s.api."};
	for (size_t i = 0; i < KT_COUNT(prefixes); i++)
		if (kt_starts(full, prefixes[i]))
			return full + strlen(prefixes[i]);
	return full;
}

static void check_type(const char *name, const struct kt_json *ours, const struct kt_json *real)
{
	const struct kt_json *fields = kt_get(real, "fields");
	assert_int_equal(kt_count(fields), kt_count(kt_get(ours, "properties")));
	assert_int_equal(kt_count(kt_get(real, "required")), kt_count(kt_get(ours, "required")));
	for (size_t i = 0; i < kt_count(fields); i++) {
		const struct kt_json *field = kt_get(kt_get(ours, "properties"), kt_key(fields, i));
		const struct kt_json *marks = kt_at(fields, i);
		if (!field)
			fail_msg("%s has no %s", name, kt_key(fields, i));
		for (size_t j = 0; j < kt_count(marks); j++)
			if (!kt_equal(kt_get(field, kt_key(marks, j)), kt_at(marks, j)))
				fail_msg("%s.%s: %s differs", name, kt_key(fields, i), kt_key(marks, j));
	}
}

static void types_have_the_fields_and_marks_of_the_published_schema(void **state)
{
	(void)state;
	struct kt_json *marks = read_json("tests/cluster/schema/openapi-marks.json");
	struct kt_json *index = parsed(kt_buf_str(schema_openapi_index(schema)));
	const struct kt_json *paths = kt_get(index, "paths");
	size_t seen = 0;
	for (size_t i = 0; i < kt_count(paths); i++) {
		char hash[65];
		struct kt_json *doc = document(kt_key(paths, i), hash);
		const struct kt_json *schemas = kt_path(doc, "components.schemas");
		for (size_t j = 0; j < kt_count(schemas); j++) {
			const char *name = short_name(kt_key(schemas, j));
			const struct kt_json *real = kt_get(marks, name);
			if (real)
				check_type(name, kt_at(schemas, j), real);
			seen += real != NULL;
		}
		char *url = kt_strf("/openapi/v3/%s?hash=%s", kt_key(paths, i), hash);
		assert_string_equal(kt_get_str(kt_at(paths, i), "serverRelativeURL"), url);
		kt_free(url);
		kt_json_free(doc);
	}
	assert_true(seen >= kt_count(marks));
	kt_json_free(index);
	kt_json_free(marks);
}

static bool has_parameter(const struct kt_json *operation, const char *name)
{
	return kt_find(kt_get(operation, "parameters"), "name", name) >= 0;
}

static void every_kind_can_be_patched_with_field_validation(void **state)
{
	(void)state;
	char hash[65];
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		if (!(kind->verbs & SCHEMA_PATCH))
			continue;
		char *path = kt_strf("%s/%s", *kind->group ? "apis" : "api", kind->api_version);
		char *where = kt_strf("/%s/%s%s/{name}", path,
		                      kind->namespaced ? "namespaces/{namespace}/" : "", kind->resource);
		struct kt_json *doc = document(path, hash);
		const struct kt_json *patch = kt_get(kt_get(kt_get(doc, "paths"), where), "patch");
		if (!patch)
			fail_msg("no PATCH at %s", where);
		assert_true(has_parameter(patch, "fieldValidation"));
		assert_string_equal(kt_get_str(kt_get(patch, "x-kubernetes-group-version-kind"), "kind"),
		                    kind->kind);
		kt_json_free(doc);
		kt_free(path);
		kt_free(where);
	}
}

static void hashes_follow_the_content(void **state)
{
	(void)state;
	char one[65], two[65];
	struct schema *other = schema_new();
	assert_non_null(schema_openapi(schema, "apis/apps/v1", one));
	assert_non_null(schema_openapi(other, "apis/apps/v1", two));
	assert_string_equal(one, two);
	assert_null(schema_openapi(other, "apis/nonsense/v1", two));
	schema_free(other);
}

static void old_clients_get_definitions_as_protobuf(void **state)
{
	(void)state;
	struct kt_buf out = {0};
	schema_openapi_v2(schema, &out);
	static const char head[] = "\x0a\x03"
	                           "2.0\x12";
	assert_memory_equal(out.data, head, sizeof(head) - 1);
	static const char name[] = "io.k8s.api.core.v1.ConfigMap\x12";
	bool found = false;
	for (size_t i = 0; i + sizeof(name) < out.len && !found; i++)
		found = !memcmp(out.data + i, name, sizeof(name) - 1);
	assert_true(found);
	kt_buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(types_have_the_fields_and_marks_of_the_published_schema),
	        cmocka_unit_test(every_kind_can_be_patched_with_field_validation),
	        cmocka_unit_test(hashes_follow_the_content),
	        cmocka_unit_test(old_clients_get_definitions_as_protobuf),
	};
	return cmocka_run_group_tests(tests, with_schema, without_schema);
}

/* SPDX-License-Identifier: MIT */
/* Custom kinds: decoding, defaults, validation, columns, discovery (after golden transcripts of CRDs). */
#include "tests/cluster/schema/help.h"

static struct kt_json *crd;

static const char dragons[] =
        "{\"metadata\":{\"name\":\"dragons.demo.example.com\"},\"spec\":{\"group\":\"demo.example.com\","
        "\"scope\":\"Namespaced\","
        "\"names\":{\"plural\":\"dragons\",\"kind\":\"Dragon\",\"shortNames\":[\"dr\"],\"categories\":["
        "\"all\"]},\"versions\":[{"
        "\"name\":\"v1\",\"served\":true,\"storage\":true,\"subresources\":{\"status\":{},\"scale\":{"
        "\"specReplicasPath\":\".spec.heads\","
        "\"statusReplicasPath\":\".status.heads\"}},\"additionalPrinterColumns\":[{\"name\":\"Colour\","
        "\"type\":\"string\",\"jsonPath\":"
        "\".spec.colour\"},{\"name\":\"Heads\",\"type\":\"integer\",\"jsonPath\":\".spec.heads\"}],"
        "\"schema\":{\"openAPIV3Schema\":{"
        "\"type\":\"object\",\"required\":[\"spec\"],\"properties\":{\"spec\":{\"type\":\"object\","
        "\"required\":[\"colour\"],\"properties\":{"
        "\"colour\":{\"type\":\"string\",\"enum\":[\"red\",\"green\"]},\"heads\":{\"type\":\"integer\","
        "\"minimum\":1,\"maximum\":9,"
        "\"default\":1},\"name\":{\"type\":\"string\",\"maxLength\":5,\"pattern\":\"^[a-z]+$\"},\"port\":{"
        "\"x-kubernetes-int-or-string\":true},\"any\":{\"type\":\"object\",\"x-kubernetes-preserve-unknown-"
        "fields\":true},\"eggs\":{"
        "\"type\":\"array\",\"maxItems\":2,\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":"
        "[\"id\"],\"items\":{"
        "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"string\"},\"size\":{\"type\":\"integer\","
        "\"default\":3}}}}},"
        "\"x-kubernetes-validations\":[{\"rule\":\"self.heads < 7\"}]}}}}}]}}";

static int set_up(void **state)
{
	struct kt_err err = {0};
	(void)with_schema(state);
	crd = parsed(dragons);
	return schema_add_crd(schema, crd, &err);
}

static int tear_down(void **state)
{
	kt_json_free(crd);
	return without_schema(state);
}

static const struct schema_kind *dragon(void)
{
	return kind_named(schema, "demo.example.com/v1", "Dragon");
}

static struct kt_json *made(const char *spec)
{
	char *copy = kt_strdup(spec);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	struct kt_json *raw = kt_jsonf(
	        "{kind: 'Dragon', apiVersion: 'demo.example.com/v1', metadata: {name: 'smaug'}, spec: %j}",
	        parsed(copy));
	kt_free(copy);
	return raw;
}

static void unknown_fields_are_pruned_and_named_and_defaults_filled_in(void **state)
{
	(void)state;
	struct kt_json *raw = made(
	                       "{'wings':2,'colour':'red','any':{'x':{'y':1}},'eggs':[{'id':'a','nest':1}]}"),
	               *out = NULL;
	struct schema_problems problems = {.wraps = false};
	assert_int_equal(schema_decode(schema, dragon(), raw, &out, &problems, NULL), KT_OK);
	schema_default(schema, dragon(), &out);
	assert_int_equal(problems.unknown.count, 2);
	assert_string_equal(problems.unknown.items[0], "unknown field \"spec.wings\"");
	assert_string_equal(problems.unknown.items[1], "unknown field \"spec.eggs[0].nest\"");
	assert_json(out, "{\"apiVersion\":\"demo.example.com/"
	                 "v1\",\"kind\":\"Dragon\",\"metadata\":{\"name\":\"smaug\"},"
	                 "\"spec\":{\"any\":{\"x\":{\"y\":1}},\"colour\":\"red\",\"eggs\":[{\"id\":\"a\","
	                 "\"size\":3}],\"heads\":1}}");
	schema_problems_clear(&problems);
	kt_json_free(raw);
	kt_json_free(out);
}

#define SKIPPED                                                                                              \
	"<nil>: Invalid value: null: some validation rules were not checked because the object was "         \
	"invalid; "                                                                                          \
	"correct the existing errors to complete validation"

/* What the real server said: golden/validation/crd.txt. */
static const struct {
	const char *spec, *errors[3];
} judged[] = {
        {"{'colour':'red','heads':3,'name':'abc','port':80}", {NULL}},
        {"{'colour':'red','port':'http'}", {NULL}},
        {"{'colour':'blue'}",
         {"spec.colour: Unsupported value: \"blue\": supported values: \"red\", \"green\"", SKIPPED}},
        {"{'colour':'red','heads':12}",
         {"spec.heads: Invalid value: 12: spec.heads in body should be less than or equal to 9"}},
        {"{'colour':'red','name':'toolong'}", {"spec.name: Too long: may not be more than 5 bytes", SKIPPED}},
        {"{'colour':'red','name':'UPPER'}",
         {"spec.name: Invalid value: \"UPPER\": spec.name in body should match '^[a-z]+$'"}},
        {"{'colour':'red','heads':'two'}",
         {"spec.heads: Invalid value: \"string\": spec.heads in body must be of type integer: \"string\"",
          SKIPPED}},
        {"{}", {"spec.colour: Required value", SKIPPED}},
        {"{'colour':'red','eggs':[{'id':'a'},{'id':'a'}]}",
         {"spec.eggs[1]: Duplicate value: {\"id\":\"a\"}"}},
        {"{'colour':'red','eggs':[{'id':'a'},{'id':'b'},{'id':'c'}]}",
         {"spec.eggs: Too many: 3: must have at most 2 items", SKIPPED}},
};

static void values_are_judged_in_the_words_of_the_real_server(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(judged); i++) {
		struct kt_json *object = made(judged[i].spec),
		               *causes = schema_validate_crd_object(dragon(), object, NULL, NULL);
		for (size_t j = 0; j < 3 && judged[i].errors[j]; j++) {
			char *have = kt_strf("%s: %s", kt_str_or(kt_get(kt_at(causes, j), "field"), ""),
			                     kt_str_or(kt_get(kt_at(causes, j), "message"), ""));
			assert_string_equal(have, judged[i].errors[j]);
			kt_free(have);
		}
		assert_int_equal(kt_count(causes), (judged[i].errors[0] != NULL) +
		                                           (judged[i].errors[0] && judged[i].errors[1]));
		kt_json_free(object);
		kt_json_free(causes);
	}
}

static void a_custom_kind_is_found_shown_and_taken_away(void **state)
{
	(void)state;
	assert_string_equal(schema_by_resource(schema, "demo.example.com", "v1", "dragons")->singular,
	                    "dragon");
	assert_string_equal(dragon()->list_kind, "DragonList");
	assert_string_equal(dragon()->short_names[0], "dr");
	assert_non_null(schema_subresource_named(dragon(), "status"));
	assert_non_null(schema_subresource_named(dragon(), "scale"));
	struct kt_json *object = made("{'colour':'red','heads':2}");
	struct kt_json *cells = schema_cells(dragon(), object, 0);
	assert_json(cells, "[\"smaug\",\"red\",2]");
	kt_json_free(cells);
	kt_json_free(object);
	struct kt_json *found = schema_discovery_version(schema, "demo.example.com", "v1");
	assert_string_equal(kt_path_str(found, "resources.0.name"), "dragons");
	kt_json_free(found);
	const struct schema_field *spec = schema_field_named(dragon()->type, "spec");
	const struct schema_field *eggs = schema_field_named(spec->type, "eggs");
	assert_int_equal(eggs->list_type, SCHEMA_KEYED);
	assert_string_equal(eggs->list_keys[0], "id");

	uint64_t before = schema_generation(schema);
	schema_remove_crd(schema, "dragons.demo.example.com");
	assert_null(schema_by_resource(schema, "demo.example.com", "v1", "dragons"));
	assert_true(schema_generation(schema) != before);
	assert_int_equal(schema_add_crd(schema, crd, NULL), KT_OK);
}

static void openapi_tells_of_custom_kinds(void **state)
{
	(void)state;
	char hash[65];
	struct kt_json *doc = parsed(kt_buf_str(schema_openapi(schema, "apis/demo.example.com/v1", hash)));
	const struct kt_json *type = kt_get(kt_path(doc, "components.schemas"), "com.example.demo.v1.Dragon");
	assert_string_equal(kt_path_str(type, "properties.spec.properties.heads.type"), "integer");
	assert_string_equal(kt_path_str(type, "x-kubernetes-group-version-kind.0.kind"), "Dragon");
	kt_json_free(doc);
}

static void adding_a_definition_again_replaces_it(void **state)
{
	(void)state;
	size_t before = schema_kind_count(schema);
	assert_int_equal(schema_add_crd(schema, crd, NULL), KT_OK);
	assert_int_equal(schema_kind_count(schema), before);
	struct kt_json *wrong = parsed("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"versions\":[]}}");
	struct kt_err err = {0};
	assert_int_equal(schema_add_crd(schema, wrong, &err), KT_EINVAL);
	kt_json_free(wrong);
}

static void patterns_of_go_are_understood(void **state)
{
	(void)state;
	assert_true(schema_pattern_matches("^\\d{2}(?:a|b)$", "12b"));
	assert_false(schema_pattern_matches("^\\d{2}(?:a|b)$", "1xb"));
	assert_true(schema_pattern_matches("^[\\w-]+\\.io$", "a-b.io"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(unknown_fields_are_pruned_and_named_and_defaults_filled_in),
	        cmocka_unit_test(values_are_judged_in_the_words_of_the_real_server),
	        cmocka_unit_test(a_custom_kind_is_found_shown_and_taken_away),
	        cmocka_unit_test(openapi_tells_of_custom_kinds),
	        cmocka_unit_test(adding_a_definition_again_replaces_it),
	        cmocka_unit_test(patterns_of_go_are_understood),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

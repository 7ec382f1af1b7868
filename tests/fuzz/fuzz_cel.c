/* SPDX-License-Identifier: MIT */
/* Any text is an expression or gets words; what compiles can be run, and its cost be told. */
#include "tests/fuzz/fuzz.h"

#include "cluster/cel/cel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = kt_strndup((const char *)data, size);
	struct kt_json *schema = kt_jsonf(
	        "{type: 'object', properties: {a: {type: 'integer'}, s: {type: 'string'}, l: {type: 'array', "
	        "items: {type: 'string'}}, m: {type: 'object', additionalProperties: {type: 'integer'}}}}");
	struct kt_json *values =
	        kt_jsonf("{self: {a: 1, s: 'x', l: ['a', 'b'], m: {k: 2}}, any: {x: [1, 'y', null, 2.5]}}");
	struct kt_arena arena = {0};
	const struct cel_variable variables[] = {{"self", cel_schema_type(&arena, schema, true, "t")},
	                                         {"any", &cel_dyn},
	                                         {"authorizer", &cel_authorizer},
	                                         {NULL, NULL}};
	struct cel_world world = {.values = values, .variables = variables};
	struct cel_program *program = NULL;
	struct kt_buf wrong = {0};
	struct kt_json *out = NULL;
	struct kt_err err = {0};
	if (cel_compile(text, variables, &program, &wrong)) {
		(void)cel_program_cost(program, variables[0].type);
		if (cel_run(program, &world, &out, &err) != KT_OK && !err.text[0])
			kt_bug("a failure without words");
	} else if (!wrong.len) {
		kt_bug("a refusal without words");
	}
	kt_json_free(out);
	cel_program_free(program);
	kt_buf_clear(&wrong);
	kt_arena_clear(&arena);
	kt_json_free(schema);
	kt_json_free(values);
	kt_free(text);
	return 0;
}

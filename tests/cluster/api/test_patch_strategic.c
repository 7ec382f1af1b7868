/* SPDX-License-Identifier: MIT */
#include "cluster/api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct schema_type text = {.name = "-", .scalar = SCHEMA_STRING};
static const struct schema_field env_fields[] = {
        {.name = "name", .type = &text},
        {.name = "value", .type = &text},
};
static const struct schema_type env = {.name = "Env", .fields = env_fields, .field_count = 2};
static const struct schema_field item_fields[] = {
        {.name = "name", .type = &text},
        {.name = "image", .type = &text},
        {.name = "env", .type = &env, .shape = SCHEMA_LIST, .patch_merge = true, .patch_key = "name"},
        {.name = "args", .type = &text, .shape = SCHEMA_LIST},
};
static const struct schema_type item = {
        .name = "Item", .fields = item_fields, .field_count = KT_COUNT(item_fields)};
static const struct schema_field root_fields[] = {
        {.name = "items", .type = &item, .shape = SCHEMA_LIST, .patch_merge = true, .patch_key = "name"},
        {.name = "finalizers", .type = &text, .shape = SCHEMA_LIST, .patch_merge = true},
        {.name = "args", .type = &text, .shape = SCHEMA_LIST},
        {.name = "labels", .type = &text, .shape = SCHEMA_MAP},
        {.name = "source", .type = &item, .patch_retain = true},
};
static const struct schema_type root = {
        .name = "Root", .fields = root_fields, .field_count = KT_COUNT(root_fields)};

/* Single quotes stand for double ones, to be readable. */
static struct kt_json *parse(const char *quoted)
{
	char *plain = kt_strdup(quoted);
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	for (char *c = plain; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (kt_json_parse(plain, strlen(plain), NULL, &v, NULL, &err))
		fail_msg("%s: %s", plain, err.text);
	kt_free(plain);
	return v;
}

static void strategic_merge_follows_the_schema(void **state)
{
	static const struct {
		const char *target, *patch, *result;
	} rows[] = {
	        {"{'labels':{'a':'1','b':'2'}}", "{'labels':{'b':'3','c':'4'}}",
	         "{'labels':{'a':'1','b':'3','c':'4'}}"},
	        {"{'labels':{'a':'1','b':'2'}}", "{'labels':{'a':null}}", "{'labels':{'b':'2'}}"},
	        {"{'labels':{'a':'1','b':'2'}}", "{'labels':{'$patch':'replace','c':'3'}}",
	         "{'labels':{'c':'3'}}"},
	        {"{'labels':{'a':'1'}}", "{'labels':{'$patch':'delete'}}", "{'labels':{}}"},
	        {"{'labels':{'a':'1'}}", "{'labels':null}", "{}"},
	        {"{}", "{'labels':{'a':'1','b':null}}", "{'labels':{'a':'1'}}"},
	        {"{'labels':{'a':'1'}}", "{'labels':'x'}", "{'labels':'x'}"},
	        /* lists by key: new ones come first, known ones are merged in place */
	        {"{'items':[{'name':'a','image':'1'}]}", "{'items':[{'name':'b'}]}",
	         "{'items':[{'name':'b'},{'name':'a','image':'1'}]}"},
	        {"{'items':[{'name':'a','image':'1'},{'name':'b','image':'2'}]}",
	         "{'items':[{'name':'b','image':'3'}]}",
	         "{'items':[{'name':'a','image':'1'},{'name':'b','image':'3'}]}"},
	        {"{'items':[{'name':'a','image':'1'}]}", "{'items':[{'name':'a','image':null}]}",
	         "{'items':[{'name':'a'}]}"},
	        {"{'items':[{'name':'a'},{'name':'b'}]}", "{'items':[{'$patch':'delete','name':'a'}]}",
	         "{'items':[{'name':'b'}]}"},
	        {"{'items':[{'name':'a'}]}", "{'items':[{'$patch':'delete','name':'x'}]}",
	         "{'items':[{'name':'a'}]}"},
	        {"{'items':[{'name':'a'},{'name':'b'}]}", "{'items':[{'name':'c'},{'$patch':'replace'}]}",
	         "{'items':[{'name':'c'}]}"},
	        {"{'items':[{'name':'a'}]}", "{'items':[{'$patch':'replace'}]}", "{'items':[]}"},
	        {"{'items':[{'name':'a','env':[{'name':'X','value':'1'}]}]}",
	         "{'items':[{'name':'a','env':[{'name':'Y','value':'2'}]}]}",
	         "{'items':[{'name':'a','env':[{'name':'Y','value':'2'},{'name':'X','value':'1'}]}]}"},
	        {"{'items':[{'name':'a','args':['x']}]}", "{'items':[{'name':'a','args':['y','z']}]}",
	         "{'items':[{'name':'a','args':['y','z']}]}"},
	        {"{}", "{'items':[{'name':'a'},{'$patch':'delete','name':'b'}]}", "{'items':[{'name':'a'}]}"},
	        /* orders */
	        {"{'items':[{'name':'a'},{'name':'b'},{'name':'c'}]}",
	         "{'$setElementOrder/items':[{'name':'c'},{'name':'b'},{'name':'a'}]}",
	         "{'items':[{'name':'c'},{'name':'b'},{'name':'a'}]}"},
	        {"{'items':[{'name':'a'},{'name':'b'}]}",
	         "{'$setElementOrder/items':[{'name':'a'},{'name':'n'},{'name':'b'}],'items':[{'name':'n'}]}",
	         "{'items':[{'name':'a'},{'name':'n'},{'name':'b'}]}"},
	        {"{'items':[{'name':'a'},{'name':'server'},{'name':'b'}]}",
	         "{'$setElementOrder/items':[{'name':'b'},{'name':'a'}],'items':[{'name':'b','image':'2'}]}",
	         "{'items':[{'name':'server'},{'name':'b','image':'2'},{'name':'a'}]}"},
	        {"{'finalizers':['a','b']}",
	         "{'$setElementOrder/finalizers':['b','n','a'],'finalizers':['n']}",
	         "{'finalizers':['b','n','a']}"},
	        /* the same key twice, in the list and in its order: kubectl debug, where the name is taken */
	        {"{'items':[{'name':'a','image':'1'}]}",
	         "{'$setElementOrder/items':[{'name':'a'},{'name':'a'}],'items':[{'name':'a','image':null},"
	         "{'name':'a','image':'2'}]}",
	         "{'items':[{'name':'a','image':'2'}]}"},
	        {"{'items':[{'name':'a'}]}",
	         "{'$setElementOrder/items':[{'name':'a'},{'name':'b'}],'items':[{'name':'b'},{'name':'a'}]}",
	         NULL},
	        /* primitives as sets */
	        {"{'finalizers':['a','b']}", "{'finalizers':['c','a']}", "{'finalizers':['c','a','b']}"},
	        {"{'finalizers':['a','b','a']}", "{'$deleteFromPrimitiveList/finalizers':['a']}",
	         "{'finalizers':['b']}"},
	        {"{'finalizers':['a','b']}",
	         "{'$deleteFromPrimitiveList/finalizers':['a'],'finalizers':['c']}",
	         "{'finalizers':['c','b']}"},
	        {"{}", "{'$deleteFromPrimitiveList/finalizers':['a']}", "{}"},
	        {"{'args':['a','b']}", "{'args':['c']}", "{'args':['c']}"},
	        /* unions */
	        {"{'source':{'name':'a','image':'b'}}", "{'source':{'$retainKeys':['name'],'name':'c'}}",
	         "{'source':{'name':'c'}}"},
	        {"{'source':{'name':'a'}}", "{'source':{'$retainKeys':['name']}}", "{'source':{'name':'a'}}"},
	        {"{'source':{'name':'a'}}", "{'source':{'$retainKeys':['name'],'image':'x'}}", NULL},
	        {"{'source':{'name':'a'}}", "{'source':{'$retainKeys':'name'}}", NULL},
	        /* refused */
	        {"{'items':[{'name':'a'}]}", "{'items':[{'image':'x'}]}", NULL},
	        {"{'items':[{'name':'a'}]}", "{'items':[{'$patch':'explode','name':'a'}]}", NULL},
	        {"{'labels':{'a':'1'}}", "{'labels':{'$patch':'explode'}}", NULL},
	        {"{'finalizers':['a']}", "{'$deleteFromPrimitiveList/finalizers':'a'}", NULL},
	        {"{'items':[{'name':'a'},{'name':'b'}]}",
	         "{'$setElementOrder/items':[{'name':'a'}],'items':[{'name':'b','image':'1'}]}", NULL},
	        {"{}", "'nonsense'", NULL},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct api_status status = {0};
		struct kt_json *target = parse(rows[i].target), *before = kt_json_copy(target),
		               *patch = parse(rows[i].patch);
		struct kt_json *out = NULL;
		bool ok = patch_strategic(&root, target, patch, &out, &status);
		char *is = kt_json_text(out);
		if (ok != (rows[i].result != NULL))
			fail_msg("%s on %s: %s", rows[i].patch, rows[i].target, ok ? is : status.message);
		if (ok) {
			struct kt_json *wanted = parse(rows[i].result);
			if (!kt_equal(out, wanted))
				fail_msg("%s on %s: %s, not %s", rows[i].patch, rows[i].target, is,
				         rows[i].result);
			kt_json_free(wanted);
		}
		assert_true(kt_equal(before, target));
		kt_free(is);
		kt_json_free(target);
		kt_json_free(before);
		kt_json_free(patch);
		kt_json_free(out);
		api_status_clear(&status);
	}
}

static void depth_and_length_have_limits(void **state)
{
	struct api_status status = {0};
	struct kt_json *deep = kt_json_object(), *same = kt_json_object(), *out = NULL,
	               *list = kt_json_array();
	(void)state;
	for (int i = 0; i < 150; i++) {
		deep = kt_jsonf("{a: %j}", deep);
		same = kt_jsonf("{a: %j}", same);
	}
	assert_false(patch_strategic(&root, deep, same, &out, &status));
	api_status_clear(&status);
	for (int i = 0; i < 6000; i++)
		kt_push(&list, kt_json_int(i));
	struct kt_json *patch = kt_jsonf("{finalizers: %j}", list), *target = kt_jsonf("{finalizers: ['a']}");
	assert_false(patch_strategic(&root, target, patch, &out, &status));
	assert_int_equal(status.code, 413);
	api_status_clear(&status);
	kt_json_free(deep);
	kt_json_free(same);
	kt_json_free(patch);
	kt_json_free(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(strategic_merge_follows_the_schema),
	        cmocka_unit_test(depth_and_length_have_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

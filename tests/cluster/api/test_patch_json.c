/* SPDX-License-Identifier: MIT */
#include "cluster/api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct kt_json *parse(const char *text)
{
	struct kt_json *v = NULL;
	struct kt_err err = {0};
	if (kt_json_parse(text, strlen(text), NULL, &v, NULL, &err))
		fail_msg("%s: %s", text, err.text);
	return v;
}

struct row {
	const char *target, *patch, *result; /* result NULL: the patch fails */
};

typedef bool patch_fn(const struct kt_json *, const struct kt_json *, struct kt_json **, struct api_status *);

static void run(patch_fn *fn, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct api_status status = {0};
		struct kt_json *target = parse(rows[i].target), *before = kt_json_copy(target),
		               *patch = parse(rows[i].patch);
		struct kt_json *out = NULL;
		bool ok = fn(target, patch, &out, &status);
		char *text = kt_json_text(out);
		if (ok != (rows[i].result != NULL))
			fail_msg("%s on %s: %s", rows[i].patch, rows[i].target, ok ? text : status.message);
		if (ok) {
			struct kt_json *wanted = parse(rows[i].result);
			if (!kt_equal(out, wanted))
				fail_msg("%s on %s: %s, not %s", rows[i].patch, rows[i].target, text,
				         rows[i].result);
			kt_json_free(wanted);
		}
		assert_true(kt_equal(before, target));
		kt_free(text);
		kt_json_free(target);
		kt_json_free(before);
		kt_json_free(patch);
		kt_json_free(out);
		api_status_clear(&status);
	}
}

#define OP(op, path)         "[{\"op\":\"" op "\",\"path\":\"" path "\"}]"
#define OPV(op, path, value) "[{\"op\":\"" op "\",\"path\":\"" path "\",\"value\":" value "}]"
#define OPF(op, from, path)  "[{\"op\":\"" op "\",\"from\":\"" from "\",\"path\":\"" path "\"}]"

static void json_patch_does_what_rfc_6902_says(void **state)
{
	static const struct row rows[] = {
	        {"{}", "[]", "{}"},
	        {"{\"a\":1}", OPV("add", "/b", "2"), "{\"a\":1,\"b\":2}"},
	        {"{\"a\":1}", OPV("add", "/a", "2"), "{\"a\":2}"},
	        {"{\"a\":1}", OPV("add", "/b/c", "2"), NULL},
	        {"{\"a\":1}", OPV("add", "a", "2"), NULL},
	        {"{\"a\":[1,2]}", OPV("add", "/a/1", "9"), "{\"a\":[1,9,2]}"},
	        {"{\"a\":[1,2]}", OPV("add", "/a/2", "9"), "{\"a\":[1,2,9]}"},
	        {"{\"a\":[1,2]}", OPV("add", "/a/3", "9"), NULL},
	        {"{\"a\":[1,2]}", OPV("add", "/a/-", "9"), "{\"a\":[1,2,9]}"},
	        {"{\"a\":[1,2]}", OPV("add", "/a/x", "9"), NULL},
	        {"{\"a\":[]}", OPV("add", "/a/0", "[1]"), "{\"a\":[[1]]}"},
	        {"{\"a\":1}", OPV("add", "", "[7]"), NULL},
	        {"{\"a\":1}", OPV("add", "/", "7"), "{\"a\":1,\"\":7}"},
	        {"{\"a/b\":1,\"m~n\":2}", OPV("replace", "/a~1b", "3"), "{\"a/b\":3,\"m~n\":2}"},
	        {"{\"a/b\":1,\"m~n\":2}", OPV("replace", "/m~0n", "3"), "{\"a/b\":1,\"m~n\":3}"},
	        {"{\"~1\":1}", OP("remove", "/~01"), "{}"},
	        {"{\"a\":1}", OP("remove", "/a"), "{}"},
	        {"{\"a\":1}", OP("remove", "/b"), NULL},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/1"), "{\"a\":[1,3]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/3"), NULL},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/-1"), "{\"a\":[1,2]}"},
	        {"{\"a\":1}", OP("remove", ""), NULL},
	        {"{\"a\":{\"b\":{\"c\":1}}}", OPV("replace", "/a/b/c", "null"),
	         "{\"a\":{\"b\":{\"c\":null}}}"},
	        {"{\"a\":1}", OPV("replace", "/b", "2"), "{\"a\":1,\"b\":2}"},
	        {"{\"a\":1}", OPV("replace", "/b/c", "2"), NULL},
	        {"{\"a\":[1]}", OPV("replace", "/a/1", "2"), NULL},
	        {"{\"a\":[1]}", OPV("replace", "/a/0", "\"x\""), "{\"a\":[\"x\"]}"},
	        {"{\"a\":1}", OPV("replace", "", "{\"b\":2}"), "{\"b\":2}"},
	        {"{\"a\":1}", OP("replace", "/a"), "{\"a\":null}"},
	        {"{\"a\":{\"b\":1},\"c\":{}}", OPF("move", "/a/b", "/c/d"), "{\"a\":{},\"c\":{\"d\":1}}"},
	        {"{\"a\":[1,2,3]}", OPF("move", "/a/0", "/a/2"), "{\"a\":[2,3,1]}"},
	        {"{\"a\":{\"b\":1}}", OPF("move", "/a", "/a/b"), NULL},
	        {"{\"a\":1}", OPF("move", "/a", "/a"), "{\"a\":1}"},
	        {"{\"a\":1}", OPF("move", "/x", "/a"), NULL},
	        {"{\"a\":{\"b\":1}}", OPF("copy", "/a", "/c"), "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
	        {"{\"a\":{\"b\":1}}", OPF("copy", "/a", "/a/c"), "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}"},
	        {"{\"a\":1}", OPF("copy", "/x", "/a"), "{\"a\":null}"},
	        {"{\"a\":1}", OPV("test", "/a", "1"), "{\"a\":1}"},
	        {"{\"a\":1}", OPV("test", "/a", "1.0"), NULL},
	        {"{\"a\":1}", OPV("test", "/a", "\"1\""), NULL},
	        {"{\"a\":{\"x\":1,\"y\":2}}", OPV("test", "/a", "{\"y\":2,\"x\":1}"),
	         "{\"a\":{\"x\":1,\"y\":2}}"},
	        {"{\"a\":[1,2]}", OPV("test", "/a", "[2,1]"), NULL},
	        {"{\"a\":1}", OPV("test", "/b", "null"), "{\"a\":1}"},
	        {"{\"a\":1}", OPV("test", "/b", "1"), NULL},
	        {"{\"a\":1}", OPV("spam", "/a", "1"), NULL},
	        {"{\"a\":1}", "[{\"op\":\"add\",\"value\":1}]", NULL},
	        {"{\"a\":1}", "[{\"path\":\"/a\",\"value\":1}]", NULL},
	        {"{\"a\":1}",
	         "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2},{\"op\":\"test\",\"path\":\"/"
	         "b\",\"value\":3}]",
	         NULL},
	        {"{\"a\":1}",
	         "[{\"op\":\"add\",\"path\":\"/b\",\"value\":{}},{\"op\":\"add\",\"path\":\"/b/"
	         "c\",\"value\":3}]",
	         "{\"a\":1,\"b\":{\"c\":3}}"},
	        {"{\"a\":1}", OPV("add", "/a/b", "1"), NULL},
	        {"{\"a\":[[1],[2]]}", OPV("add", "/a/1/0", "0"), "{\"a\":[[1],[0,2]]}"},
	        /* what the server's library makes of odd ones */
	        {"{\"a\":1}", OPV("add", "x/b", "2"), "{\"a\":1,\"b\":2}"},
	        {"{\"a\":1}", OP("remove", "x/a"), "{}"},
	        {"{\"a\":1}", OP("remove", "a"), NULL},
	        {"{\"a\":1}", OPV("test", "x/a", "1"), "{\"a\":1}"},
	        {"{\"a\":{\"b\":1}}", OPV("replace", "a/b", "2"), "{\"a\":{\"b\":1},\"b\":2}"},
	        {"{\"a\":1}", OP("add", "/b"), "{\"a\":1,\"b\":null}"},
	        {"{\"a\":[1]}", OP("add", "/a/-"), "{\"a\":[1,null]}"},
	        {"{\"a\":[1]}", OP("replace", "/a/0"), "{\"a\":[null]}"},
	        {"{\"a\":1}", OPV("replace", "", "7"), "{\"a\":1}"},
	        {"{\"a\":1}", OPV("replace", "", "[7]"), "[7]"},
	        {"{\"a\":1}", OPV("test", "", "{\"a\":1}"), "{\"a\":1}"},
	        {"{\"a\":1}", OPV("test", "", "{\"a\":2}"), NULL},
	        {"{\"a\":1}", OPF("copy", "", "/b"), NULL},
	        {"{\"a\":{}}", OPF("move", "/a", ""), NULL},
	        {"{\"a\":1}", OPF("copy", "/b", "/c"), "{\"a\":1,\"c\":null}"},
	        {"{\"a\":[1]}", OPF("copy", "/a/1", "/c"), NULL},
	        {"{\"a\":[{\"b\":1},{\"b\":2}]}", OPF("move", "/a/0", "/a/0/c"),
	         "{\"a\":[{\"b\":2,\"c\":{\"b\":1}}]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/+1"), "{\"a\":[1,3]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/01"), "{\"a\":[1,3]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/-0"), "{\"a\":[2,3]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/-3"), "{\"a\":[2,3]}"},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/-4"), NULL},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/1e0"), NULL},
	        {"{\"a\":[1,2,3]}", OP("remove", "/a/-"), NULL},
	        {"{\"a\":[1,2,3]}", OPV("add", "/a/-1", "9"), "{\"a\":[1,2,3,9]}"},
	        {"{\"a\":[1,2,3]}", OPV("add", "/a/-4", "9"), "{\"a\":[9,1,2,3]}"},
	        {"{\"a\":[1,2,3]}", OPV("add", "/a/-5", "9"), NULL},
	        {"{\"a\":[1,2,3]}", OPV("test", "/a/-1", "3"), "{\"a\":[1,2,3]}"},
	        {"{\"a\":[1,2,3]}", OPV("test", "/a/7", "null"), NULL},
	        {"{\"a\":1}", OPV("test", "/a/b", "null"), NULL},
	        {"{\"a\":{}}", OPV("test", "/a/b", "null"), "{\"a\":{}}"},
	        {"{\"a\":null}", OPV("test", "/a", "null"), "{\"a\":null}"},
	        {"{\"a\":null}", OP("remove", "/a"), "{}"},
	        {"{\"a\":null}", OPV("add", "/a/b", "1"), NULL},
	        {"{\"a\":1.5}", OPV("test", "/a", "1.5"), "{\"a\":1.5}"},
	        {"{\"a\":[1]}", OPV("test", "/a", "[1.0]"), NULL},
	        {"{\"a\":{}}", OPV("test", "/a", "[]"), NULL},
	        {"{\"a\":\"1\"}", OPV("test", "/a", "1"), NULL},
	        {"{\"a\":1}", OP("test", "/a"), NULL},
	        {"{\"a\":1}", "[{\"op\":\"Add\",\"path\":\"/a\",\"value\":2}]", NULL},
	        {"{\"a\":1}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", NULL},
	        {"{\"a\":1}", "[{\"op\":\"move\",\"from\":null,\"path\":\"/a\"}]", NULL},
	        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":null}]", NULL},
	        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":5}]", NULL},
	        {"{\"a\":1}", "[{\"op\":null,\"path\":\"/a\"}]", NULL},
	        {"{\"a\":1}", "[{}]", NULL},
	        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2,\"junk\":3}]",
	         "{\"a\":1,\"b\":2}"},
	        {"{\"a\":{\"b\":1}}",
	         "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"},{\"op\":\"replace\","
	         "\"path\":\"/c/b\",\"value\":2}]",
	         "{\"a\":{\"b\":1},\"c\":{\"b\":2}}"},
	        {"[1,2]", OPV("add", "/0", "0"), "[0,1,2]"},
	        {"[1,2]", OPV("add", "/-", "3"), "[1,2,3]"},
	        {"[1,[]]", OPV("add", "/1/-", "3"), "[1,[3]]"},
	};
	(void)state;
	run(patch_json, rows, KT_COUNT(rows));
}

static void merge_patch_does_what_rfc_7386_says(void **state)
{
	static const struct row rows[] = {
	        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
	        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
	        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
	        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
	        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
	        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
	        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
	        {"{\"a\":1}", "{}", "{\"a\":1}"},
	        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
	        {"{\"a\":1}", "[1]", NULL},
	        {"{\"a\":1}", "\"x\"", NULL},
	        {"{\"a\":1}", "null", NULL},
	};
	(void)state;
	run(patch_merge, rows, KT_COUNT(rows));
}

static void refused_patches_are_told_in_the_servers_words(void **state)
{
	static const struct {
		patch_fn *fn;
		const char *patch;
		int code;
		const char *reason, *message;
	} rows[] = {
	        {patch_json, OP("remove", "/nope"), 422, "Invalid",
	         "the server rejected our request due to an error in our request"},
	        {patch_json, "{\"op\":\"remove\"}", 400, "BadRequest",
	         "error decoding patch: json: cannot unmarshal object into Go value of type "
	         "[]handlers.jsonPatchOp"},
	        {patch_json, "[1]", 400, "BadRequest",
	         "error decoding patch: json: cannot unmarshal number into Go value of type "
	         "handlers.jsonPatchOp"},
	        {patch_merge, "\"nonsense\"", 400, "BadRequest",
	         "error decoding patch: json: cannot unmarshal string into Go value of type "
	         "map[string]interface {}"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct api_status status = {0};
		struct kt_json *target = parse("{}"), *patch = parse(rows[i].patch), *out = NULL;
		assert_false(rows[i].fn(target, patch, &out, &status));
		assert_int_equal(status.code, rows[i].code);
		assert_string_equal(status.reason, rows[i].reason);
		assert_string_equal(status.message, rows[i].message);
		kt_json_free(target);
		kt_json_free(patch);
		api_status_clear(&status);
	}
}

static void a_patch_that_copies_without_end_is_refused(void **state)
{
	struct api_status status = {0};
	struct kt_json *target = parse("{\"a\":\"0123456789\"}"), *patch = kt_json_array(), *out = NULL;
	(void)state;
	for (int i = 0; i < 100; i++)
		kt_push(&patch, kt_jsonf("{op: 'copy', from: '', path: %s}", i % 2 ? "/b" : "/c"));
	assert_false(patch_json(target, patch, &out, &status));
	kt_json_free(target);
	kt_json_free(patch);
	api_status_clear(&status);
}

static void maps_print_as_go_prints_them(void **state)
{
	struct kt_buf out = {0};
	struct kt_json *v =
	        parse("{\"spec\":{\"replicas\":\"many\",\"a\":[1,true,null,{\"x\":\"y z\"}]},\"b\":1.5}");
	(void)state;
	patch_print_go(v, &out);
	assert_string_equal(kt_buf_str(&out),
	                    "map[b:1.5 spec:map[a:[1 true <nil> map[x:y z]] replicas:many]]");
	kt_json_free(v);
	kt_buf_clear(&out);
}

static void an_undecodable_object_is_told_with_the_patch(void **state)
{
	struct api_status status = {0};
	struct kt_json *v = parse("{\"spec\":{\"replicas\":\"many\"}}");
	(void)state;
	assert_false(patch_fail_undecodable(&status, v, "unrecognized type: int32"));
	assert_int_equal(status.code, 422);
	assert_string_equal(status.message, " \"\" is invalid: patch: Invalid value: "
	                                    "\"map[spec:map[replicas:many]]\": unrecognized type: int32");
	kt_json_free(v);
	api_status_clear(&status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(json_patch_does_what_rfc_6902_says),
	        cmocka_unit_test(merge_patch_does_what_rfc_7386_says),
	        cmocka_unit_test(refused_patches_are_told_in_the_servers_words),
	        cmocka_unit_test(a_patch_that_copies_without_end_is_refused),
	        cmocka_unit_test(maps_print_as_go_prints_them),
	        cmocka_unit_test(an_undecodable_object_is_told_with_the_patch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

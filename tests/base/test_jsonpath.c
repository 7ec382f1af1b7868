/* SPDX-License-Identifier: MIT */
#include "base/jsonpath.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct kt_json *sample(void)
{
	return kt_jsonf(
	        "{kind: 'Pod', metadata: {name: 'web', labels: {'app.kubernetes.io/name': 'web', tier: 'x'}},"
	        " spec: {containers: [{name: 'a', image: 'nginx:1', ports: [{port: 80}, {port: 443}]},"
	        "                     {name: 'b', image: 'redis', limit: 1.5}, {name: 'c', ready: true, "
	        "image: 'nginx:1'}]},"
	        " 'a.b': {'c d': 1}, list: [0, 1, 2, 3, 4, 5], empty: [], nothing: null}");
}

static void paths_find_what_kubectl_finds(void **state)
{
	(void)state;
	static const struct {
		const char *path, *found;
	} cases[] = {
	        {"{.metadata.name}", "[\"web\"]"},
	        {".metadata.name", "[\"web\"]"},
	        {"metadata.name", "[\"web\"]"},
	        {"$.metadata.name", "[\"web\"]"},
	        {"@.metadata.name", "[\"web\"]"},
	        {"{$.metadata['name']}", "[\"web\"]"},
	        {".metadata.labels.app\\.kubernetes\\.io/name", "[\"web\"]"},
	        {".metadata.labels['app.kubernetes.io/name']", "[\"web\"]"},
	        {".metadata.labels['app\\.kubernetes\\.io/name']", "[\"web\"]"},
	        {"['a.b']['c d']", "[1]"},
	        {".nope", "[]"},
	        {".nope.nope", "[]"},
	        {".kind.nope", "[]"},
	        {".nothing", "[null]"},
	        {".list[0]", "[0]"},
	        {".list[-1]", "[5]"},
	        {".list[-1:]", "[5]"},
	        {".list[6]", "[]"},
	        {".list[-7]", "[]"},
	        {".list[1:3]", "[1,2]"},
	        {".list[1:5:2]", "[1,3]"},
	        {".list[:2]", "[0,1]"},
	        {".list[::3]", "[0,3]"},
	        {".list[:-4]", "[0,1]"},
	        {".list[3:9]", "[]"},
	        {".list[*]", "[0,1,2,3,4,5]"},
	        {".list[0,2,-1]", "[0,2,5]"},
	        {".empty[*]", "[]"},
	        {".kind[0]", "[]"},
	        {".metadata.labels.*", "[\"web\",\"x\"]"},
	        {".metadata['name', 'labels']",
	         "[\"web\",{\"app.kubernetes.io/name\":\"web\",\"tier\":\"x\"}]"},
	        {".spec.containers[*].name", "[\"a\",\"b\",\"c\"]"},
	        {".spec.containers[*]['name','limit']", "[\"a\",\"b\",\"c\",1.5]"},
	        {"..port", "[80,443]"},
	        {"{..name}", "[\"web\",\"a\",\"b\",\"c\"]"},
	        {".spec..ports[0].port", "[80]"},
	        {".spec.containers[?(@.name==\"b\")].image", "[\"redis\"]"},
	        {".spec.containers[?(@.name == 'b')].image", "[\"redis\"]"},
	        {".spec.containers[?(@.name!='b')].name", "[\"a\",\"c\"]"},
	        {".spec.containers[?(@.limit)].name", "[\"b\"]"},
	        {".spec.containers[?(@.limit>1)].name", "[\"b\"]"},
	        {".spec.containers[?(@.limit>=1.5)].name", "[\"b\"]"},
	        {".spec.containers[?(@.limit<1.5)].name", "[]"},
	        {".spec.containers[?(@.name<='b')].name", "[\"a\",\"b\"]"},
	        {".spec.containers[?(@.ready==true)].name", "[\"c\"]"},
	        {".spec.containers[?(@.ports[0].port==80)].name", "[\"a\"]"},
	        {".spec.containers[?(@.ports[?(@.port==443)].port==443)].name", "[\"a\"]"},
	        {".spec.containers[?(@.name==\"]\")].name", "[]"},
	        {".spec.containers[?(@.image==@.image)].name", "[\"a\",\"b\",\"c\"]"},
	        {".list[?(@>3)]", "[4,5]"},
	        {".kind[?(@.x==1)]", "[]"},
	};
	struct kt_json *root = sample();
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_jsonpath *path = NULL;
		struct kt_err err = {0};
		if (kt_jsonpath_new(cases[i].path, &path, &err))
			fail_msg("%s", err.text);
		struct kt_json *found = kt_jsonpath_find(path, root);
		char *text = kt_json_text(found);
		if (strcmp(text, cases[i].found) != 0)
			fail_msg("%s: %s, not %s", cases[i].path, text, cases[i].found);
		kt_free(text);
		kt_json_free(found);
		kt_jsonpath_free(path);
	}
	kt_json_free(root);
}

static void the_whole_is_found_by_an_empty_path(void **state)
{
	(void)state;
	static const char *const paths[] = {"", "{}", "$", ".", "{.}", "@"};
	struct kt_json *root = sample();
	for (size_t i = 0; i < KT_COUNT(paths); i++) {
		struct kt_jsonpath *path = NULL;
		assert_int_equal(kt_jsonpath_new(paths[i], &path, NULL), KT_OK);
		struct kt_json *found = kt_jsonpath_find(path, root);
		assert_int_equal(kt_count(found), 1);
		assert_ptr_equal(kt_at(found, 0), root);
		kt_json_free(found);
		kt_jsonpath_free(path);
	}
	kt_json_free(root);
}

static void wrong_paths_are_refused_with_kubectls_words(void **state)
{
	(void)state;
	static const struct {
		const char *path, *message;
	} cases[] = {
	        {"{.nope", "error parsing jsonpath {.nope, unclosed action"},
	        {".a[0", "error parsing jsonpath .a[0, unterminated array"},
	        {".a[x]", "error parsing jsonpath .a[x], invalid array index x"},
	        {".a[1:2:0]", "error parsing jsonpath .a[1:2:0], step must be > 0"},
	        {".a[?(@.b==1]", "error parsing jsonpath .a[?(@.b==1], unterminated filter"},
	        {".a[?(@.b==1)", "error parsing jsonpath .a[?(@.b==1), unclosed array expect ]"},
	        {".a[?(@.b=~1)]", "error parsing jsonpath .a[?(@.b=~1)], unrecognized filter operator =~"},
	        {".a[?(@.b==)]", "error parsing jsonpath .a[?(@.b==)], a filter compares with nothing"},
	        {".a....b", "error parsing jsonpath .a....b, invalid multiple recursive descent"},
	        {".a]", "error parsing jsonpath .a], unrecognized character in action: U+005D ']'"},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_jsonpath *path = NULL;
		struct kt_err err = {0};
		assert_int_equal(kt_jsonpath_new(cases[i].path, &path, &err), KT_EINVAL);
		assert_null(path);
		assert_string_equal(err.text, cases[i].message);
	}
}

static void a_path_that_multiplies_ends(void **state)
{
	(void)state;
	struct kt_json *v = kt_json_int(1);
	for (int i = 0; i < 100; i++)
		v = kt_jsonf("[%j, [1, 2, 3]]", v);
	struct kt_jsonpath *path = NULL;
	assert_int_equal(kt_jsonpath_new("..*..*..*..*", &path, NULL), KT_OK);
	kt_json_free(kt_jsonpath_find(path, v));
	kt_jsonpath_free(path);
	kt_json_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(paths_find_what_kubectl_finds),
	        cmocka_unit_test(the_whole_is_found_by_an_empty_path),
	        cmocka_unit_test(wrong_paths_are_refused_with_kubectls_words),
	        cmocka_unit_test(a_path_that_multiplies_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

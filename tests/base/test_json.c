/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static void assert_text(const struct kt_json *v, const char *text)
{
	char *is = kt_json_text(v);
	assert_string_equal(is, text);
	kt_free(is);
}

static void readers_accept_null_and_other_types(void **state)
{
	(void)state;
	struct kt_json *v = kt_jsonf("{a: {b: [{c: 'x'}, 2.0, 2.5, true]}, s: 'str', n: null}");
	const struct kt_json *const odd[] = {NULL, kt_json_null(), kt_json_int(3), kt_get(v, "s")};
	for (size_t i = 0; i < KT_COUNT(odd); i++) {
		assert_null(kt_get(odd[i], "x"));
		assert_null(kt_at(odd[i], 0));
		assert_null(kt_key(odd[i], 0));
		assert_null(kt_path(odd[i], "a.b"));
		assert_int_equal(kt_count(odd[i]), 0);
		assert_int_equal(kt_find(odd[i], "a", "b"), -1);
		assert_true(kt_bool_or(odd[i], true));
	}
	assert_null(kt_str(NULL));
	assert_string_equal(kt_str_or(NULL, "d"), "d");
	assert_int_equal(kt_json_type(NULL), KT_JSON_NULL);
	assert_string_equal(kt_path_str(v, "a.b.0.c"), "x");
	assert_null(kt_path(v, "a.b.x"));
	assert_null(kt_path(v, "a.b.4"));
	assert_null(kt_path(v, "a.b.-1"));
	assert_null(kt_path(v, "a..b"));
	assert_int_equal(kt_path_int(v, "a.b.1", 0), 2);
	assert_int_equal(kt_path_int(v, "a.b.2", -7), -7);
	assert_true(kt_real_or(kt_path(v, "a.b.2"), 0) > 2.4);
	assert_true(kt_path_bool(v, "a.b.3", false));
	assert_int_equal(kt_str_len(kt_get(v, "s")), 3);
	kt_json_free(v);
}

static void templates_build_values(void **state)
{
	(void)state;
	struct kt_json *owned = kt_jsonf("[1]");
	struct kt_json *v = kt_jsonf(
	        "{kind: %s, %s: [%d, %l, %f, %b, %j, %J, %s, 'q\\'s', \"d\"], \"k k\": {}, gone: %s, "
	        "also: %j, neg: -5, r: 1.5, app.kubernetes.io/x: null, last: false,}",
	        "Pod", "items", 1, INT64_C(5000000000), 0.5, 1, kt_json_ref(owned), owned, (const char *)NULL,
	        (const char *)NULL, (struct kt_json *)NULL);
	assert_text(v, "{\"kind\":\"Pod\",\"items\":[1,5000000000,0.5,true,[1],[1],\"q's\",\"d\"],\"k "
	               "k\":{},\"neg\":-5,"
	               "\"r\":1.5,\"app.kubernetes.io/x\":null,\"last\":false}");
	kt_json_free(v);
	kt_json_free(owned);
	v = kt_jsonf("%s", "alone");
	assert_text(v, "\"alone\"");
	kt_json_free(v);
}

static void values_are_equal_without_regard_to_order_and_kind_of_number(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
	        {"1", "1.0", true},
	        {"1", "1.5", false},
	        {"0", "0.5", false},
	        {"9007199254740993", "9007199254740992.0", false},
	        {"{\"a\":1,\"b\":[{\"c\":null}]}", "{\"b\":[{\"c\":null}],\"a\":1.0}", true},
	        {"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
	        {"{\"a\":1}", "{\"b\":1}", false},
	        {"[1,2]", "[2,1]", false},
	        {"\"a\"", "\"a\"", true},
	        {"\"a\"", "\"b\"", false},
	        {"true", "false", false},
	        {"null", "false", false},
	        {"[]", "{}", false},
	};
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_json *a = NULL, *b = NULL;
		assert_int_equal(kt_json_parse(cases[i].a, strlen(cases[i].a), NULL, &a, NULL, NULL), KT_OK);
		assert_int_equal(kt_json_parse(cases[i].b, strlen(cases[i].b), NULL, &b, NULL, NULL), KT_OK);
		assert_int_equal(kt_equal(a, b), cases[i].equal);
		assert_int_equal(kt_equal(b, a), cases[i].equal);
		kt_json_free(a);
		kt_json_free(b);
	}
	assert_true(kt_equal(NULL, kt_json_null()));
}

static void large_objects_in_another_order_are_equal(void **state)
{
	(void)state;
	struct kt_json *a = NULL, *b = NULL;
	for (int i = 0; i < 300; i++) {
		char *x = kt_strf("k%d", i), *y = kt_strf("k%d", 299 - i);
		kt_set(&a, x, kt_json_int(i));
		kt_set(&b, y, kt_json_int(299 - i));
		kt_free(x);
		kt_free(y);
	}
	assert_true(kt_equal(a, b));
	kt_set(&b, "k7", kt_json_int(8));
	assert_false(kt_equal(a, b));
	kt_json_free(a);
	kt_json_free(b);
}

static void a_key_may_be_shared(void **state)
{
	(void)state;
	struct kt_json *key = kt_json_str("f:some.thing"), *a = NULL, *b = NULL;
	kt_set_key(&a, key, kt_json_int(1));
	kt_set_key(&b, key, kt_json_int(2));
	kt_set_key(&b, key, kt_json_int(3));
	assert_text(a, "{\"f:some.thing\":1}");
	assert_text(b, "{\"f:some.thing\":3}");
	assert_ptr_equal(kt_key(a, 0), kt_key(b, 0));
	kt_set_key(&b, key, NULL);
	kt_set_key(&b, NULL, kt_json_int(4));
	assert_text(b, "{}");
	kt_json_free(key);
	assert_string_equal(kt_key(a, 0), "f:some.thing");
	kt_json_free(a);
	kt_json_free(b);
}

static void members_keep_their_place_when_set_again(void **state)
{
	(void)state;
	struct kt_json *v = NULL;
	kt_set(&v, "b", kt_json_int(1));
	kt_set(&v, "a", kt_json_str("x"));
	kt_set(&v, "c", kt_json_null());
	kt_set(&v, "b", kt_json_int(2));
	assert_text(v, "{\"b\":2,\"a\":\"x\",\"c\":null}");
	kt_set(&v, "a", NULL);
	kt_unset(&v, "nope");
	assert_text(v, "{\"b\":2,\"c\":null}");
	kt_set_path(&v, "x.y.z", kt_json_bool(true));
	kt_set_path(&v, "x.y.w", kt_json_bool(false));
	kt_unset_path(&v, "x.y.z");
	kt_unset_path(&v, "x.no.z");
	assert_text(v, "{\"b\":2,\"c\":null,\"x\":{\"y\":{\"w\":false}}}");
	kt_push(kt_edit(&v, "l"), kt_json_int(1));
	kt_push(kt_edit(&v, "l"), kt_json_int(3));
	kt_insert(kt_edit(&v, "l"), 1, kt_json_int(2));
	kt_insert(kt_edit(&v, "l"), 99, kt_json_int(4));
	kt_put(kt_edit(&v, "l"), 0, kt_json_int(0));
	kt_put(kt_edit(&v, "l"), 99, kt_json_str("lost"));
	kt_remove(kt_edit(&v, "l"), 2);
	kt_set_path(&v, "l.1", kt_json_str("two"));
	assert_text(kt_get(v, "l"), "[0,\"two\",4]");
	kt_unset_path(&v, "l.0");
	assert_text(kt_get(v, "l"), "[\"two\",4]");
	assert_null(kt_edit_at(kt_edit(&v, "l"), 2));
	assert_null(kt_edit_path(&v, "l.7"));
	kt_json_free(v);
}

static void a_value_may_be_moved_into_itself(void **state)
{
	(void)state;
	struct kt_json *v = kt_jsonf("{a: {b: {c: 1}}}");
	kt_set(&v, "a", kt_json_ref(kt_path(v, "a.b")));
	assert_text(v, "{\"a\":{\"c\":1}}");
	kt_set(&v, "self", kt_json_ref(v));
	assert_text(v, "{\"a\":{\"c\":1},\"self\":{\"a\":{\"c\":1}}}");
	kt_set(&v, kt_key(v, 1), kt_json_int(1));
	assert_text(v, "{\"a\":{\"c\":1},\"self\":1}");
	kt_json_free(v);
}

static int backwards(const char *a, const char *b, void *arg)
{
	++*(int *)arg;
	return strcmp(b, a);
}

static void keys_are_sorted_by_any_order(void **state)
{
	(void)state;
	int calls = 0;
	struct kt_json *v = kt_jsonf("{b: {z: 1, y: 2}, c: [{q: 1, p: 2}], a: 3}"), *kept = kt_json_ref(v);
	struct kt_json *sorted = kt_json_sorted(v);
	assert_text(sorted, "{\"a\":3,\"b\":{\"y\":2,\"z\":1},\"c\":[{\"p\":2,\"q\":1}]}");
	kt_sort_keys(&v, backwards, &calls);
	assert_text(v, "{\"c\":[{\"q\":1,\"p\":2}],\"b\":{\"z\":1,\"y\":2},\"a\":3}");
	assert_true(calls > 0);
	assert_text(kept, "{\"b\":{\"z\":1,\"y\":2},\"c\":[{\"q\":1,\"p\":2}],\"a\":3}");
	struct kt_json *again = kt_json_sorted(sorted);
	assert_ptr_equal(again, sorted);
	kt_json_free(again);
	kt_json_free(sorted);
	kt_json_free(kept);
	kt_json_free(v);
}

static void static_values_are_never_changed(void **state)
{
	(void)state;
	struct kt_json *a = kt_json_object(), *b = kt_json_array();
	kt_set(&a, "x", kt_json_int(1));
	kt_push(&b, kt_json_int(1));
	assert_int_equal(kt_count(kt_json_object()), 0);
	assert_int_equal(kt_count(kt_json_array()), 0);
	for (int i = 0; i < 10; i++)
		kt_json_free(kt_json_bool(true));
	assert_true(kt_bool_or(kt_json_bool(true), false));
	kt_json_free(a);
	kt_json_free(b);
}

/* One change of *slot, the same for the same numbers. */
static void change(struct kt_json **slot, struct kt_random *r, const struct kt_json *part)
{
	static const char *const paths[] = {"a",   "b",   "a.b", "a.c",     "l",
	                                    "l.0", "l.1", "a.l", "a.l.0.x", "b.c.d"};
	const char *path = paths[kt_random_below(r, KT_COUNT(paths))];
	uint32_t i = kt_random_below(r, 4);
	struct kt_json **at;
	switch (kt_random_below(r, 9)) {
	case 0:
		kt_set_path(slot, path, kt_json_int(kt_random_below(r, 1000)));
		break;
	case 1:
		kt_unset_path(slot, path);
		break;
	case 2:
		kt_set_path(slot, path, kt_json_ref(part));
		break;
	case 3:
		at = kt_edit_path(slot, path);
		if (at)
			kt_push(at, kt_json_strf("s%u", (unsigned)i));
		break;
	case 4:
		at = kt_edit_path(slot, path);
		if (at)
			kt_insert(at, i, kt_json_ref(part));
		break;
	case 5:
		if (kt_path(*slot, path))
			kt_remove(kt_edit_path(slot, path), i);
		break;
	case 6:
		if (kt_path(*slot, path))
			kt_put(kt_edit_path(slot, path), i, kt_json_bool(i & 1));
		break;
	case 7:
		kt_set(slot, "l", kt_jsonf("[{x: 1}, %d]", (int)i));
		break;
	default:
		kt_set(slot, "a", kt_jsonf("{b: 1, l: [{x: 2}], c: %J}", part));
		break;
	}
}

static void other_holders_never_see_a_change(void **state)
{
	(void)state;
	enum { HOLDERS = 16, ROUNDS = 20000 };
	struct kt_json *held[HOLDERS] = {0};
	char *texts[HOLDERS] = {0};
	struct kt_json *v = kt_jsonf("{a: {b: 1}, l: [1, 2]}"), *part = kt_jsonf("{p: [1, {q: 'r'}]}");
	struct kt_random r;
	kt_random_init(&r, 7);
	for (int round = 0; round < ROUNDS; round++) {
		/* The same on a deep copy gives the same: sharing changes nothing but memory. */
		struct kt_json *copy = kt_json_copy(v);
		struct kt_random same = r;
		change(&v, &r, part);
		change(&copy, &same, part);
		assert_true(kt_equal(v, copy));
		kt_json_free(copy);
		uint32_t h = kt_random_below(&r, HOLDERS);
		if (held[h])
			assert_text(held[h], texts[h]);
		kt_json_free(held[h]);
		kt_free(texts[h]);
		/* Hold the whole or a part of it. */
		const struct kt_json *some = round % 3 ? v : kt_at(v, kt_random_below(&r, 3));
		held[h] = some ? kt_json_ref(some) : kt_json_null();
		texts[h] = kt_json_text(held[h]);
		if (round % 50 == 0) {
			kt_json_free(v);
			v = kt_json_ref(held[h]);
		}
	}
	for (int h = 0; h < HOLDERS; h++) {
		if (held[h])
			assert_text(held[h], texts[h]);
		kt_json_free(held[h]);
		kt_free(texts[h]);
	}
	assert_text(part, "{\"p\":[1,{\"q\":\"r\"}]}");
	kt_json_free(part);
	kt_json_free(v);
}

static void members_make_an_object_in_their_order(void **state)
{
	(void)state;
	struct kt_json *v = KT_MEMBERS(
	        {"metadata", KT_MEMBERS({"name", kt_json_str("a")}, {"namespace", NULL})},
	        {"x-of-my-own", kt_json_int(1)}, {"gone", kt_json_str(NULL)}, {"kind", kt_json_str("Pod")});
	struct kt_json *none = KT_MEMBERS({"a", NULL});
	char *text = kt_json_text(v);
	assert_string_equal(text, "{\"metadata\":{\"name\":\"a\"},\"x-of-my-own\":1,\"kind\":\"Pod\"}");
	kt_free(text);
	assert_ptr_equal(none, kt_json_object());
	/* it grows and shrinks as any other */
	for (int i = 0; i < 20; i++) {
		char key[8];
		snprintf(key, sizeof(key), "k%d", i);
		kt_set(&v, key, kt_json_int(i));
	}
	kt_unset(&v, "metadata");
	assert_int_equal(kt_count(v), 22);
	assert_int_equal(kt_get_int(v, "k19", 0), 19);
	kt_json_free(v);
}

/* Whatever byte of a name differs, it is another name. */
static void names_are_told_apart_in_every_byte(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 40; len++) {
		char name[41] = "", other[41] = "";
		struct kt_json *object = NULL;
		memset(name, 'a', len);
		kt_set(&object, name, kt_json_int((int64_t)len));
		assert_int_equal(kt_get_int(object, name, 0), len);
		for (size_t i = 0; i < len; i++) {
			memcpy(other, name, sizeof(name));
			other[i] = 'b';
			assert_null(kt_get(object, other));
		}
		memset(other, 'a', len - 1);
		other[len - 1] = 0;
		assert_null(kt_get(object, other));
		kt_json_free(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_are_told_apart_in_every_byte),
	        cmocka_unit_test(members_make_an_object_in_their_order),
	        cmocka_unit_test(readers_accept_null_and_other_types),
	        cmocka_unit_test(templates_build_values),
	        cmocka_unit_test(values_are_equal_without_regard_to_order_and_kind_of_number),
	        cmocka_unit_test(large_objects_in_another_order_are_equal),
	        cmocka_unit_test(members_keep_their_place_when_set_again),
	        cmocka_unit_test(a_key_may_be_shared),
	        cmocka_unit_test(a_value_may_be_moved_into_itself),
	        cmocka_unit_test(keys_are_sorted_by_any_order),
	        cmocka_unit_test(static_values_are_never_changed),
	        cmocka_unit_test(other_holders_never_see_a_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

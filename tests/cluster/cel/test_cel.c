/* SPDX-License-Identifier: MIT */
/* CEL: what expressions give, what is wrong with them, what they may cost. More, as a real server tells it:
 * tests/golden/validation/cel-*.txt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cel/cel.h"

static bool granted(void *arg, const struct cel_review *review)
{
	(void)arg;
	return strcmp(review->resource, "pods") == 0 && strcmp(review->verb, "get") == 0;
}

static void expressions_give_what_cel_gives(void **state)
{
	static const struct {
		const char *text, *result; /* result NULL: it fails, or does not compile */
	} rows[] = {
	        /* operators */
	        {"1 + 2 * 3 == 7", "true"},
	        {"(1 + 2) * 3", "9"},
	        {"7 / 2 + 7 % 2", "4"},
	        {"-object.n", "-2"},
	        {"!!true", "true"},
	        {"1 / 0", NULL},
	        {"9223372036854775807 + 1", NULL},
	        {"1 +", NULL},
	        {"f(1)", NULL},
	        {"1.5 + 1.5 == 3.0", "true"},
	        {"1u + 2u == 3u", "true"},
	        {"1 < 1.5 && 2u > 1", "true"},
	        {"'a' + \"b\" + r'\\c'", "\"ab\\\\c\""},
	        {"'\\u00e9\\x41\\101\\n'", "\"\u00e9AA\\n\""},
	        {"[1, 2] + [3] == object.list", "true"},
	        {"2 in object.list && !('x' in object.labels)", "true"},
	        {"{'a': 1}['a'] == 1 && {'a': 1}.a == 1", "true"},
	        {"object.n > 1 ? 'many' : 'few'", "\"many\""},
	        {"null == object.nil", "true"},
	        {"type(object.n) == int && type('x') == string", "true"},
	        /* members */
	        {"object.none", NULL},
	        {"object.list[7]", NULL},
	        {"has(object.none) || object.n == 2", "true"},
	        {"has(object.n) && object.n > 5", "false"},
	        {"true || object.none == 1", "true"},
	        {"object.none == 1 || true", "true"},
	        {"false && object.none == 1", "false"},
	        {"object.?none.orValue(3)", "3"},
	        {"object.?labels.?app.value()", "\"web\""},
	        {"object.?none.?deeper.hasValue()", "false"},
	        {"object.list[?9].orValue(0) == 0", "true"},
	        {"object.?n.optMap(x, x + 1).orValue(0) == 3", "true"},
	        /* loops */
	        {"object.list.all(x, x > 0)", "true"},
	        {"object.list.exists(x, x == 3)", "true"},
	        {"object.list.exists_one(x, x > 2)", "true"},
	        {"object.list.filter(x, x > 1).size()", "2"},
	        {"object.list.map(x, x * 2)", "[2,4,6]"},
	        {"object.list.map(x, x > 1, x * 2)", "[4,6]"},
	        {"object.labels.all(k, object.labels[k] == 'web')", "true"},
	        {"object.list.all(i, v, v == i + 1)", "true"},
	        {"object.list.transformList(i, v, i * v)", "[0,2,6]"},
	        {"object.labels.transformMap(k, v, v + k).app == 'webapp'", "true"},
	        {"[[1, 2], [3]].map(l, l.map(x, x + l.size())) == [[3, 4], [4]]", "true"},
	        /* texts */
	        {"object.labels['app'].startsWith('we') && 'web'.endsWith('b')", "true"},
	        {"object.labels.app.matches('^w.b$')", "true"},
	        {"size('a\u00f1b') == 3 && 'a\u00f1b'.charAt(1) == '\u00f1'", "true"},
	        {"'a,b,c'.split(',')", "[\"a\",\"b\",\"c\"]"},
	        {"'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]"},
	        {"['a', 'b'].join('-')", "\"a-b\""},
	        {"'hello'.substring(1, 3)", "\"el\""},
	        {"'tacocat'.indexOf('c') == 2 && 'tacocat'.lastIndexOf('c') == 4", "true"},
	        {"'Abc'.lowerAscii() + 'Abc'.upperAscii()", "\"abcABC\""},
	        {"' x '.trim().replace('x', 'yy')", "\"yy\""},
	        {"'%s is %d, %.1f%%'.format(['a', 1, 2.25])", "\"a is 1, 2.2%\""},
	        {"'abc 123'.find('[0-9]+')", "\"123\""},
	        {"'a1b22'.findAll('[0-9]+')", "[\"1\",\"22\"]"},
	        {"'x'.substring(2)", NULL},
	        /* lists and sets */
	        {"object.list.sum() == 6 && object.list.max() == 3 && object.list.isSorted()", "true"},
	        {"[1, 2, 1].lastIndexOf(1)", "2"},
	        {"sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1], [1])",
	         "true"},
	        /* conversions, times */
	        {"int('42') + int(1.9)", "43"},
	        {"int('x')", NULL},
	        {"string(1) + string(true)", "\"1true\""},
	        {"duration('90m').getHours() == 1 && string(duration('1m')) == '60s'", "true"},
	        {"timestamp('2024-02-29T10:11:12Z').getDayOfYear()", "59"},
	        {"timestamp('2024-01-01T00:00:00Z') + duration('24h') == timestamp('2024-01-02T00:00:00Z')",
	         "true"},
	        /* Kubernetes' own */
	        {"quantity('1Gi').isGreaterThan(quantity('1000M')) && "
	         "quantity('1500m').add(quantity('1')).compareTo(quantity('2.5')) == 0",
	         "true"},
	        {"cidr('10.0.0.0/8').containsIP('10.2.3.4') && "
	         "!cidr('10.0.0.0/8').containsCIDR('10.0.0.0/7')",
	         "true"},
	        {"ip('::1').isLoopback() && ip('10.0.0.1').family() == 4 && !isIP('10.0.0.01')", "true"},
	        {"url('https://u@example.com:80/a%20b?x=1&x=2').getHost()", "\"example.com:80\""},
	        {"url('https://example.com:80/p?x=1&x=2').getQuery()['x']", "[\"1\",\"2\"]"},
	        {"semver('1.2.3').isLessThan(semver('1.10.0')) && "
	         "semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))",
	         "true"},
	        {"format.dns1123Label().validate('a-b').hasValue()", "false"},
	        {"authorizer.group('').resource('pods').namespace('x').check('get').allowed()", "true"},
	        {"authorizer.group('').resource('pods').check('create').allowed()", "false"},
	};
	struct kt_json *vars = kt_jsonf("{object: {n: 2, list: [1, 2, 3], labels: {app: 'web'}, nil: null}}");
	const struct cel_variable variables[] = {
	        {"object", &cel_dyn}, {"authorizer", &cel_authorizer}, {NULL, NULL}};
	const struct cel_world world = {.values = vars, .variables = variables, .allowed = granted};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *out = NULL;
		struct kt_err err = {0};
		struct kt_buf wrong = {0};
		struct cel_program *program = NULL;
		bool fine = cel_compile(rows[i].text, variables, &program, &wrong) &&
		            cel_run(program, &world, &out, &err) == KT_OK;
		char *text = kt_json_text(out);
		if (fine != (rows[i].result != NULL) || (rows[i].result && strcmp(text, rows[i].result) != 0))
			fail_msg("%s: %s %s%s", rows[i].text, text, err.text, kt_buf_str(&wrong));
		kt_free(text);
		kt_json_free(out);
		kt_buf_clear(&wrong);
		cel_program_free(program);
	}
	kt_json_free(vars);
}

static void a_loop_without_end_in_sight_is_cut_off(void **state)
{
	struct kt_json *list = kt_json_array(), *vars, *out = NULL;
	struct kt_buf wrong = {0};
	struct kt_err err = {0};
	struct cel_program *program;
	const struct cel_variable variables[] = {{"l", &cel_dyn}, {NULL, NULL}};
	(void)state;
	for (int i = 0; i < 300; i++)
		kt_push(&list, kt_json_int(i));
	vars = kt_jsonf("{l: %j}", list);
	const struct cel_world world = {.values = vars, .variables = variables};
	assert_true(cel_compile("l.all(a, l.all(b, l.all(c, a + b + c >= 0)))", variables, &program, &wrong));
	assert_int_equal(cel_run(program, &world, &out, &err), KT_ELIMIT);
	assert_string_equal(err.text, "operation cancelled: actual cost limit exceeded");
	cel_program_free(program);
	kt_json_free(vars);
}

static const char schema_text[] = "{type: 'object', properties: {a: {type: 'integer'}, s: {type: 'string', "
                                  "maxLength: 10}, l: {type: 'array', maxItems: 5, "
                                  "items: {type: 'string', maxLength: 10}}, m: {type: 'object', "
                                  "additionalProperties: {type: 'string'}}, open: "
                                  "{'x-kubernetes-int-or-string': true}, 'in': {type: 'integer'}, "
                                  "'with-dash': {type: 'boolean'}, when: {type: "
                                  "'string', format: 'date-time'}}}";

static void faults_are_told_in_the_words_of_cel_go(void **state)
{
	static const struct {
		const char *text, *wrong; /* the sentences without the pictures; NULL: it compiles */
	} rows[] = {
	        {"self.a > 1", NULL},
	        {"self.__in__ == 1 && self.with__dash__dash", NULL},
	        {"self.open == 1 || self.open == '1%'", NULL},
	        {"self.when < timestamp('2024-01-01T00:00:00Z')", NULL},
	        {"self.m.x == ''", NULL},
	        {"", "1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', "
	             "'true', 'false', 'null', "
	             "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
	        {"*1", "1:1: Syntax error: extraneous input '*' expecting {'[', '{', '(', '.', '-', '!', "
	               "'true', 'false', 'null', "
	               "NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"},
	        {"[1, 2 3]", "1:7: Syntax error: extraneous input '3' expecting {']', ','}"},
	        {"(1", "1:3: Syntax error: missing ')' at '<EOF>'"},
	        {"self.true", "1:6: Syntax error: mismatched input 'true' expecting IDENTIFIER"},
	        {"while", "1:1: reserved identifier: while"},
	        {"'abc", "1:1: Syntax error: token recognition error at: ''abc'\n1:5: Syntax error: "
	                 "mismatched input '<EOF>' "
	                 "expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, "
	                 "NUM_INT, NUM_UINT, STRING, "
	                 "BYTES, IDENTIFIER}"},
	        {"99999999999999999999", "1:1: invalid int literal"},
	        {"self.\nnope", "1:5: undefined field 'nope'"},
	        {"self.l[0].size() + self.l['x']",
	         "1:26: found no matching overload for '_[_]' applied to '(list(string), string)'"},
	        {"self.l == {}",
	         "1:8: found no matching overload for '_==_' applied to '(list(string), map(dyn, dyn))'"},
	        {"dyn(self.l) == {}", NULL},
	        {"size(self.a)", "1:5: found no matching overload for 'size' applied to '(int)'"},
	        {"self.s.size(1)", "1:12: found no matching overload for 'size' applied to 'string.(int)'"},
	        {"oldSelf.a", "1:1: undeclared reference to 'oldSelf' (in container '')"},
	        {"Thing{a: 1}", "1:6: undeclared reference to 'Thing' (in container '')"},
	        {"self.l.map(1, 2)", "1:12: argument is not an identifier"},
	        {"{'a': 1, 2: 3}", "1:10: expected type 'string' but found 'int'"},
	        {"[1, 2].sort()", "1:12: undeclared reference to 'sort' (in container '')"},
	};
	struct kt_json *schema = kt_jsonf(schema_text);
	struct kt_arena arena = {0};
	const struct cel_variable variables[] = {{"self", cel_schema_type(&arena, schema, false, "t")},
	                                         {NULL, NULL}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf wrong = {0}, told = {0};
		struct cel_program *program = NULL;
		bool fine = cel_compile(rows[i].text, variables, &program, &wrong);
		const char *rest = kt_buf_str(&wrong), *line;
		size_t len;
		while (rest && (line = kt_split(&rest, '\n', &len)) != NULL)
			if (kt_starts(line, "ERROR: <input>:"))
				kt_buf_addf(&told, "%s%.*s", told.len ? "\n" : "", (int)(len - 15),
				            line + 15);
		if (fine != !rows[i].wrong ||
		    (rows[i].wrong && strcmp(kt_buf_str(&told), rows[i].wrong) != 0))
			fail_msg("%s: %s", rows[i].text, kt_buf_str(&wrong));
		kt_buf_clear(&told);
		kt_buf_clear(&wrong);
		cel_program_free(program);
	}
	kt_arena_clear(&arena);
	kt_json_free(schema);
}

static void the_cost_grows_with_what_a_schema_allows(void **state)
{
	/* By hand from cel-go's rules. */
	static const struct {
		const char *text;
		uint64_t cost;
	} rows[] = {
	        {"true", 0},
	        {"self.a > 1", 3},                    /* self, a, > */
	        {"self.s == 'x'", 3},                 /* self, a, a text of one character */
	        {"self.s.contains('ab')", 2 + 4 * 1}, /* 40 bytes and 2, a tenth of each, rounded up */
	        {"has(self.s)", 1},                   /* self */
	        {"self.l.all(x, x == 'a')",
	         2 + 5 * 5 + 1}, /* each: the condition 2, what was before, x, == */
	};
	struct kt_json *schema = kt_jsonf(schema_text);
	struct kt_arena arena = {0};
	const struct cel_variable variables[] = {{"self", cel_schema_type(&arena, schema, false, "t")},
	                                         {NULL, NULL}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf wrong = {0};
		struct cel_program *program = NULL;
		assert_true(cel_compile(rows[i].text, variables, &program, &wrong));
		uint64_t cost = cel_program_cost(program, variables[0].type);
		if (cost != rows[i].cost)
			fail_msg("%s: %llu", rows[i].text, (unsigned long long)cost);
		cel_program_free(program);
	}
	kt_arena_clear(&arena);
	kt_json_free(schema);
}

static void much_of_anything_is_refused_not_a_crash(void **state)
{
	static const struct {
		const char *piece, *end;
	} rows[] = {{"(", ""},     {"[", ""},   {"-(", ""},    {"1+", "1"}, {"a.", "b"},
	            {"!", "true"}, {"{1:", ""}, {"a?b:", "c"}, {"a[", ""}};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_buf text = {0}, wrong = {0};
		struct cel_program *program = NULL;
		for (int n = 0; n < 20000; n++)
			kt_buf_adds(&text, rows[i].piece);
		kt_buf_adds(&text, rows[i].end);
		if (cel_compile(kt_buf_str(&text), NULL, &program, &wrong))
			cel_program_free(program);
		kt_buf_clear(&text);
		kt_buf_clear(&wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(expressions_give_what_cel_gives),
	        cmocka_unit_test(a_loop_without_end_in_sight_is_cut_off),
	        cmocka_unit_test(faults_are_told_in_the_words_of_cel_go),
	        cmocka_unit_test(the_cost_grows_with_what_a_schema_allows),
	        cmocka_unit_test(much_of_anything_is_refused_not_a_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

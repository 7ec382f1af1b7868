/* SPDX-License-Identifier: MIT */
/* What is wrong in a file of the language is found when it is read, with file, line and what was expected
 * there. */
#include "checker/checker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum kt_code read_checks(const char *text, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct check_check **checks = NULL;
	size_t count = 0;
	enum kt_code rc = kt_yaml_parse("lab.yaml", text, strlen(text), &yaml, err);
	if (!rc)
		rc = check_checks_parse(yaml, kt_yaml_doc(yaml, 0), ".", &checks, &count, err);
	check_checks_free(checks, count);
	kt_yaml_free(yaml);
	return rc;
}

static enum kt_code read_steps(const char *text, struct kt_err *err)
{
	struct kt_yaml *yaml = NULL;
	struct check_step **steps = NULL;
	size_t count = 0;
	enum kt_code rc = kt_yaml_parse("lab.yaml", text, strlen(text), &yaml, err);
	if (!rc)
		rc = check_steps_parse(yaml, kt_yaml_doc(yaml, 0), ".", &steps, &count, err);
	check_steps_free(steps, count);
	kt_yaml_free(yaml);
	return rc;
}

static void every_construct_is_understood(void **state)
{
	static const char *const checks[] = {
	        "[{object: deployment shop/web, has: {spec.replicas: 3}, within: 30s}]",
	        "[{absent: pod shop/web}]",
	        "[{objects: pods shop app=web, count: {at-least: 2}, each: {status.phase: Running}, some: "
	        "{a: 1}, none: {b: 2}, distinct: {spec.nodeName: 3}, spread: {over: zone, skew: 1}}]",
	        "[{connect: {from: deployment shop/a, to: service shop/b:80, expect: open}}]",
	        "[{connect: {from: {new-pod: shop}, to: {internet: 198.51.100.7, port: 443}, expect: "
	        "closed}}]",
	        "[{matrix: {who: {a: deployment shop/a}, whom: {b: service shop/b:80}, open: [a > b]}}]",
	        "[{http: {from: deployment shop/a, to: 'http://b/', requests: 200, expect: {status: 200, "
	        "split: {v1: 90%, v2: 10%}, within: 4%}}}]",
	        "[{can: {who: serviceaccount shop/ci, verb: delete, resource: pods, namespace: shop, expect: "
	        "no}}]",
	        "[{refused: {manifest: {apiVersion: v1, kind: Pod}, because: quota}}]",
	        "[{answer: {ask: How many?, value: {of: deployment shop/web, path: spec.replicas}}}]",
	        "[{drill: {do: [{zone: {name: b, is: down}}], hold: [{ready: {of: deployment shop/web, "
	        "at-least: 2}}], for: 3m, end: [{available: {service: shop/web, at-least: 99.9%}}]}}]",
	        "[{all: [{absent: pod a/b}]}, {any: [{absent: pod a/b}]}, {not: {absent: pod a/b}}]",
	        "[{connect: {from: {statefulset: x/db, zone: a, which: random}, to: 10.0.0.7:80, within: "
	        "40s}}]",
	        "[{connect: {from: {new-pod: {namespace: x, labels: {a: b}, serviceaccount: s}}, to: node "
	        "n1:30080}}]",
	        "[{connect: {from: {labels: {app: a}, namespace: x, region: eu}, to: {running: pods x, pool: "
	        "gpu}}}]",
	        "[{connect: {from: pods x app=a, to: {internet: 198.51.100.7, port: 443}}, within: 1m}]",
	        "[{http: {from: pod x/a, to: service x/b:web/path, expect: 200}}]",
	        "[{http: {from: pod x/a, to: ingress x/i, host: shop.example.com, expect: {status: {between: "
	        "[200, "
	        "299]}, share: 0.99}}}]",
	        "[{matrix: {who: {a: pod x/a}, whom: {b: pod x/b}, open: [a -> b, '* > b']}}]",
	        "[{can: {who: {user: jane, groups: [devs]}, verb: [get, list], resource: /metrics}}]",
	        "[{answer: {ask: Why?, choices: [{text: a, right: yes}, {text: b}]}}]",
	        "[{ready: {of: job x/j, one-of: [1, 2], within: 2m}}]",
	        "[{answer: {ask: Which?, choices: [a, b], value: {of: pods x app=a, path: spec.nodeName}}}]",
	};
	static const char *const steps[] = {
	        "[{manifest: {apiVersion: v1, kind: Namespace, metadata: {name: x}}}]",
	        "[{apply: {manifest: {apiVersion: v1, kind: Namespace, metadata: {name: x}}}}, {apply: "
	        "[{manifest: [{apiVersion: v1, kind: Namespace}]}]}, {restart: {object: deployment x/a}}]",
	        "[{delete: deployment shop/web}, {delete: [pod x/a, pods x app=b]}, {evict: {running: pods x "
	        "app=a}}]",
	        "[{wait: {for: [{absent: pod a/b}, {ready: {of: pod a/c}}]}}, {link: {between: [region a, "
	        "region b], "
	        "slow: 200ms}}]",
	        "[{patch: {object: deployment shop/web, merge: {spec: {replicas: 2}}}}]",
	        "[{scale: {object: deployment shop/web, replicas: 5}}, {set-image: {object: deployment "
	        "shop/web, container: c, image: i}}, {restart: deployment shop/web}]",
	        "[{cordon: {name: n1}}, {uncordon: {labels: {role: backend}}}, {drain: {running: deployment "
	        "shop/web, count: 1}}]",
	        "[{node: {is: down, pick: {zone: a, which: busiest}}}, {zone: {name: a, is: down}}, {region: "
	        "{name: r, is: up}}]",
	        "[{link: {between: [zone a, zone b], is: cut}}, {link: {between: [zone a, zone b], is: "
	        "{slow: 200ms}}}]",
	        "[{load: {to: service shop/web, rps: 500, shape: ramp, over: 2m}}, {load: {to: service "
	        "shop/web, times: 10}}]",
	        "[{pod: {pick: {of: deployment shop/web, count: 1}, is: killed}}, {image: {name: nginx, is: "
	        "missing}}]",
	        "[{wait: {for: {ready: {of: deployment shop/web}}, within: 90s}}, {wait: 30s}]",
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(checks); i++) {
		struct kt_err err = {0};
		if (read_checks(checks[i], &err))
			fail_msg("%s: %s", checks[i], err.text);
	}
	for (size_t i = 0; i < KT_COUNT(steps); i++) {
		struct kt_err err = {0};
		if (read_steps(steps[i], &err))
			fail_msg("%s: %s", steps[i], err.text);
	}
}

static void wrong_checks_name_line_and_remedy(void **state)
{
	static const char *const cases[][2] = {
	        {"- objet: deployment shop/web\n",
	         "lab.yaml:1: the list of checks has no 'objet': did you mean 'object'?"},
	        {"- object: deployment shop/web\n  hass: {a: 1}\n",
	         "lab.yaml:2: object has no 'hass': did you mean 'has'?"},
	        {"- object: deployment\n",
	         "lab.yaml:1: 'object': expected an object, written `KIND NAMESPACE/NAME`"},
	        {"- object: deployment shop/web\n  has:\n    spec.replicas: {at-lest: 2}\n",
	         "lab.yaml:3: the language has no 'at-lest': did you mean 'at-least'?"},
	        {"- object: deployment shop/web\n  within: soon\n",
	         "lab.yaml:2: 'within': expected a duration like 90s or 3m"},
	        {"- connect: {from: deployment shop/a, to: service shop/b:80, expect: opne}\n",
	         "expected one of open|closed"},
	        {"- connect: {to: service shop/b:80}\n", "'connect' needs 'from'"},
	        {"- drill:\n    do:\n      - zne: {name: b, is: down}\n",
	         "lab.yaml:3: the list of steps has no 'zne': did you mean 'zone'?"},
	        {"- all: []\n- 5\n", "expected a check"},
	        {"- matrix: {who: {a: pod x/a}, whom: {b: pod x/b}, open: [aa > b]}\n", "who has no 'aa'"},
	        {"- can: {who: jane, verb: get, resource: pods}\n",
	         "expected `serviceaccount NAMESPACE/NAME`"},
	        {"- answer: {ask: Why?}\n", "'answer' needs 'value' or 'choices'"},
	        {"- answer: {ask: Why?, choices: [{text: a}, {text: b}]}\n", "none is marked `right: yes`"},
	        {"- http: {from: pod x/a, to: b, expect: {split: {v1: most}}}\n", "expected shares"},
	        {"- object: pod x/a\n  has: {metadata.labels: {app: web}}\n", "'app' is no operator"},
	        {"- connect: {from: web, to: service x/b:80}\n", "'from': expected who"},
	        {"- connect: {from: pod x/a, to: {service: x/b, protocol: UDP}}\n", "only TCP"},
	        {"- ready: {of: pod x/a, at-lest: 2}\n", "did you mean 'at-least'"},
	        {"- drill:\n    do:\n      - load: {to: service x/b}\n", "'load' needs 'rps' or 'times'"},
	        {"- drill:\n    do:\n      - link: {between: [zone a], is: cut}\n", "expected two ends"},
	        {"- drill:\n    do:\n      - patch: {object: pod x/a}\n",
	         "needs one of merge, json and strategic"},
	        {"- drill:\n    do:\n      - manifest: {kind: Pod}\n", "a manifest needs 'apiVersion'"},
	        {"- any: []\n", "lab.yaml:1: 'any': expected a check or more"},
	        {"- drill: {do: [{wait: 3s}]}\n", "'drill' needs 'hold' or 'end'"},
	        {"- ready: {of: pod x/a, at-least: many}\n", "'at-least': expected a number"},
	        {"- available: {service: x/a, at-least: lots}\n", "'at-least': expected a number"},
	        {"- answer: {ask: Why?, value: {of: pod x/a}}\n", "'value': expected {objects: SET"},
	        {"- answer: {ask: Why?, value: {of: pod x/a, path: 'a['}}\n", "lab.yaml:1: path 'a['"},
	        {"- http: {from: pod x/a, to: b, requests: 0}\n", "'requests': expected 1 or more"},
	        {"- http: {from: pod x/a, to: b, expect: {split: {v1: 90%}, within: much}}\n",
	         "'within': expected a share, as in 4%"},
	        {"- drill:\n    do:\n      - load: {to: service x/b, rps: -3}\n",
	         "'rps': expected a number, 0 or more"},
	        {"- drill:\n    do:\n      - link: {between: [zone a, b c d], is: cut}\n",
	         "expected two ends"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_err err = {0};
		assert_int_equal(read_checks(cases[i][0], &err), KT_EINVAL);
		if (!strstr(err.text, cases[i][1]))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void wrong_steps_name_line_and_remedy(void **state)
{
	static const char *const cases[][2] = {
	        {"- aply: x.yaml\n", "lab.yaml:1: the list of steps has no 'aply': did you mean 'apply'?"},
	        {"- apply: not-there.yaml\n", "not-there.yaml"},
	        {"- apply: ../../etc/passwd\n", "'apply': expected a file beside this one"},
	        {"- scale: {object: deployment shop/web}\n", "'scale' needs 'replicas'"},
	        {"- zone: {name: a, is: dark}\n", "expected one of up|down"},
	        {"- wait: {within: 3m}\n", "'wait' needs 'for'"},
	        {"- scale: {object: deployment shop/web, replicas: -1}\n",
	         "expected a whole number, 0 or more"},
	        {"- cordon: {}\n", "'cordon': expected a selection"},
	        {"- delete: pod a/b\n  apply: x\n", "unexpected key"},
	};
	(void)state;
	for (size_t i = 0; i < KT_COUNT(cases); i++) {
		struct kt_err err = {0};
		assert_int_not_equal(read_steps(cases[i][0], &err), KT_OK);
		if (!strstr(err.text, cases[i][1]))
			fail_msg("case %zu: %s", i, err.text);
	}
}

static void nesting_without_end_is_refused(void **state)
{
	struct kt_buf text = {0};
	struct kt_err err = {0};
	(void)state;
	for (int i = 0; i < 30; i++)
		kt_buf_adds(&text, "[{all: ");
	kt_buf_adds(&text, "[{absent: pod a/b}]");
	for (int i = 0; i < 30; i++)
		kt_buf_adds(&text, "}]");
	assert_int_equal(read_checks(kt_buf_str(&text), &err), KT_EINVAL);
	kt_buf_clear(&text);
}

static void a_capability_is_known_from_what_is_done(void **state)
{
	const char *text =
	        "[{drill: {do: [{zone: {name: b, is: down}}], end: [{object: pod a/b}]}}, {object: pod a/b}]";
	struct kt_yaml *yaml = NULL;
	struct check_check **checks = NULL;
	size_t count = 0;
	(void)state;
	assert_int_equal(kt_yaml_parse("lab.yaml", text, strlen(text), &yaml, NULL), KT_OK);
	assert_int_equal(check_checks_parse(yaml, kt_yaml_doc(yaml, 0), ".", &checks, &count, NULL), KT_OK);
	assert_string_equal(check_check_needs(checks[0]), "zones");
	assert_null(check_check_needs(checks[1]));
	assert_true(check_has_drill(checks[0]));
	check_checks_free(checks, count);
	kt_yaml_free(yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_construct_is_understood),
	        cmocka_unit_test(wrong_checks_name_line_and_remedy),
	        cmocka_unit_test(wrong_steps_name_line_and_remedy),
	        cmocka_unit_test(nesting_without_end_is_refused),
	        cmocka_unit_test(a_capability_is_known_from_what_is_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

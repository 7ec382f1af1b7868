/* SPDX-License-Identifier: MIT */
/* Who may reach whom, for the map: each row is a set of policies and what they leave open between three apps.
 */
#include "tests/tui/screens.h"

static struct kt_json *pods(void)
{
	return kt_jsonf(
	        "{items: [{metadata: {namespace: 'shop', name: 'f', labels: {app: 'front'}}}, {metadata: "
	        "{namespace: 'shop', name: 'b', labels: {app: 'back'}}}, {metadata: {namespace: 'ads', name: "
	        "'x', labels: {app: 'spy', team: 'ads'}}}, {metadata: {namespace: 'kube-system', name: "
	        "'dns'}}]}");
}

static struct kt_json *namespaces(void)
{
	return kt_jsonf(
	        "{items: [{metadata: {name: 'shop', labels: {trust: 'high'}}}, {metadata: {name: 'ads'}}]}");
}

static const struct {
	const char *policies, *open;
} rows[] = {
        {"{items: []}", NULL},
        /* closed: nothing comes in, from anywhere */
        {"{items: [{metadata: {namespace: 'shop'}, spec: {podSelector: {}, policyTypes: ['Ingress']}}]}",
         "{front: ['spy'], back: ['spy'], spy: []}"},
        /* one door, by label; without policyTypes a policy is about what comes in */
        {"{items: [{metadata: {namespace: 'shop'}, spec: {podSelector: {matchLabels: {app: 'back'}}, "
         "ingress: "
         "[{from: [{podSelector: {matchLabels: {app: 'front'}}}]}]}}]}",
         "{front: ['back', 'spy'], back: ['front', 'spy'], spy: ['front']}"},
        /* two dashes are two peers: anybody of the namespace, and everybody with the label */
        {"{items: [{metadata: {namespace: 'shop'}, spec: {podSelector: {matchLabels: {app: 'back'}}, "
         "ingress: "
         "[{from: [{namespaceSelector: {matchLabels: {trust: 'high'}}, podSelector: {matchExpressions: "
         "[{key: "
         "'app', operator: 'In', values: ['front', 'spy']}]}}]}]}}]}",
         "{front: ['back', 'spy'], back: ['front', 'spy'], spy: ['front']}"},
        /* an address is nobody of the cluster's; a rule without peers is for all */
        {"{items: [{metadata: {namespace: 'ads'}, spec: {podSelector: {matchExpressions: [{key: 'team', "
         "operator: "
         "'Exists'}]}, policyTypes: ['Egress'], egress: [{to: [{ipBlock: {cidr: '0.0.0.0/0'}}]}]}}, "
         "{metadata: "
         "{namespace: 'shop'}, spec: {podSelector: {}, ingress: [{}]}}]}",
         "{front: ['back', 'spy'], back: ['front', 'spy'], spy: []}"},
};

static void arrows_are_what_the_policies_leave_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *all = pods(), *spaces = namespaces(), *policies = kt_jsonf(rows[i].policies),
		               *want = rows[i].open ? kt_jsonf(rows[i].open) : NULL,
		               *open = tui_reach(all, policies, spaces);
		char *text = kt_json_text(open);
		if (want ? !kt_equal(open, want) : open != NULL)
			fail_msg("row %zu: %s", i, text);
		kt_free(text);
		kt_json_free(open);
		kt_json_free(want);
		kt_json_free(policies);
		kt_json_free(spaces);
		kt_json_free(all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(arrows_are_what_the_policies_leave_open)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

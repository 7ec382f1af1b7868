/* SPDX-License-Identifier: MIT */
/* Cells against tables of the real server (cells.json: objects and their rows from recorded sessions; AGE
 * stands for ages and TIME for times) and against the rules of its printer for pods. */
#include "tests/cluster/schema/help.h"

#include <ctype.h>

static const kt_ns now = 1767323045 * KT_SEC; /* 2026-01-02T03:04:05Z */

static char *header(const char *name)
{
	char *upper = kt_strdup(name);
	for (char *c = upper; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return upper;
}

static char *cell_text(const struct kt_json *cell)
{
	return kt_is_string(cell) ? kt_strdup(kt_str(cell)) : kt_json_text(cell);
}

static void check_row(const struct kt_json *one)
{
	const struct kt_json *object = kt_get(one, "object"), *expected = kt_get(one, "cells");
	const struct schema_kind *kind =
	        kind_named(schema, kt_get_str(object, "apiVersion"), kt_get_str(object, "kind"));
	struct kt_json *cells = schema_cells(kind, object, now), *columns = schema_column_definitions(kind);
	size_t seen = 0;
	assert_int_equal(kt_count(cells), kt_count(columns));
	for (size_t i = 0; i < kt_count(columns); i++) {
		char *name = header(kt_get_str(kt_at(columns, i), "name"));
		const char *want = kt_get_str(expected, name);
		char *have = cell_text(kt_at(cells, i));
		bool masked = !want || !strcmp(want, "AGE") || !strcmp(want, "TIME") || !strcmp(name, "NAME");
		seen += want != NULL;
		if (!masked && strcmp(have, want) != 0)
			fail_msg("%s: %s is '%s', not '%s'", kt_get_str(one, "title"), name, have, want);
		kt_free(have);
		kt_free(name);
	}
	/* kubectl leaves no column out in the wide form. */
	assert_int_equal(seen, kt_count(expected));
	kt_json_free(cells);
	kt_json_free(columns);
}

static void rows_are_those_of_the_real_server(void **state)
{
	(void)state;
	struct kt_json *rows = read_json("tests/cluster/schema/cells.json");
	const struct kt_json *one;
	assert_true(kt_count(rows) > 20);
	KT_JSON_EACH (one, rows)
		check_row(one);
	kt_json_free(rows);
}

static struct kt_json *quoted(const char *text)
{
	char *copy = kt_strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	struct kt_json *v = parsed(copy);
	kt_free(copy);
	return v;
}

/* After printers_test.go of Kubernetes: what a pod is shown as. */
static const struct {
	const char *metadata, *spec, *status, *cells; /* READY STATUS RESTARTS */
} pods[] = {
        {"{}", "{'containers':[{},{}]}",
         "{'phase':'Running','containerStatuses':[{'ready':true,'restartCount':3,'state':{'running':{}}},{'"
         "restartCount':3}]}",
         "[\"1/2\",\"Running\",\"6\"]"},
        {"{}", "{'containers':[{},{}]}",
         "{'phase':'Running','containerStatuses':[{'ready':true,'restartCount':3,'state':{'running':{}},'"
         "lastState':"
         "{'terminated':{'finishedAt':'2026-01-02T03:04:00Z'}}},{'restartCount':3,'lastState':{'terminated':{"
         "'finishedAt':"
         "'2026-01-02T03:00:00Z'}}}]}",
         "[\"1/2\",\"Running\",\"6 (5s ago)\"]"},
        {"{}", "{'containers':[{}]}", "{'phase':'Pending'}", "[\"0/1\",\"Pending\",\"0\"]"},
        {"{}", "{'containers':[{}]}", "{'phase':'Failed','reason':'Evicted'}", "[\"0/1\",\"Evicted\",\"0\"]"},
        {"{}", "{'containers':[{}]}",
         "{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':'SchedulingGated'"
         "}]}",
         "[\"0/1\",\"SchedulingGated\",\"0\"]"},
        {"{}", "{'containers':[{}]}",
         "{'phase':'Running','containerStatuses':[{'restartCount':2,'state':{'waiting':{'reason':'"
         "CrashLoopBackOff'}}}]}",
         "[\"0/1\",\"CrashLoopBackOff\",\"2\"]"},
        {"{}", "{'containers':[{}]}",
         "{'phase':'Succeeded','containerStatuses':[{'state':{'terminated':{'exitCode':0,'reason':'Completed'"
         "}}}]}",
         "[\"0/1\",\"Completed\",\"0\"]"},
        {"{}", "{'containers':[{}]}",
         "{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':3}}}]}",
         "[\"0/1\",\"ExitCode:3\",\"0\"]"},
        {"{}", "{'containers':[{}]}",
         "{'phase':'Failed','containerStatuses':[{'state':{'terminated':{'exitCode':1,'signal':9}}}]}",
         "[\"0/1\",\"Signal:9\",\"0\"]"},
        {"{'deletionTimestamp':'2026-01-02T03:04:05Z'}", "{'containers':[{}]}",
         "{'phase':'Running','containerStatuses':[{'ready':true,'state':{'running':{}}}]}",
         "[\"1/1\",\"Terminating\",\"0\"]"},
        {"{'deletionTimestamp':'2026-01-02T03:04:05Z'}", "{'containers':[{}]}",
         "{'phase':'Running','reason':'NodeLost'}", "[\"0/1\",\"Unknown\",\"0\"]"},
        {"{'deletionTimestamp':'2026-01-02T03:04:05Z'}", "{'containers':[{}]}",
         "{'phase':'Succeeded','containerStatuses':[{'state':{'terminated':{'reason':'Completed'}}}]}",
         "[\"0/1\",\"Completed\",\"0\"]"},
        {"{}", "{'initContainers':[{'name':'a'},{'name':'b'}],'containers':[{}]}",
         "{'phase':'Pending','initContainerStatuses':[{'name':'a','state':{'running':{}}},{'name':'b'}],'"
         "containerStatuses':[{"
         "'state':{'waiting':{'reason':'PodInitializing'}}}]}",
         "[\"0/1\",\"Init:0/2\",\"0\"]"},
        {"{}", "{'initContainers':[{'name':'a'},{'name':'b'}],'containers':[{}]}",
         "{'phase':'Pending','initContainerStatuses':[{'name':'a','state':{'terminated':{'exitCode':0}}},{'"
         "name':'b','restartCount':4,"
         "'state':{'waiting':{'reason':'CrashLoopBackOff'}}}]}",
         "[\"0/1\",\"Init:CrashLoopBackOff\",\"4\"]"},
        {"{}", "{'initContainers':[{'name':'a'}],'containers':[{}]}",
         "{'phase':'Pending','initContainerStatuses':[{'name':'a','state':{'terminated':{'exitCode':2}}}]}",
         "[\"0/1\",\"Init:ExitCode:2\",\"0\"]"},
        {"{}", "{'initContainers':[{'name':'a'}],'containers':[{}]}",
         "{'phase':'Pending','initContainerStatuses':[{'name':'a','state':{'terminated':{'exitCode':1,'"
         "reason':'Error'}}}]}",
         "[\"0/1\",\"Init:Error\",\"0\"]"},
        {"{}", "{'initContainers':[{'name':'s','restartPolicy':'Always'}],'containers':[{}]}",
         "{'phase':'Running','conditions':[{'type':'Initialized','status':'True'}],'initContainerStatuses':[{"
         "'name':'s','started':true,"
         "'ready':true,'restartCount':1,'state':{'running':{}}}],'containerStatuses':[{'ready':true,'state':{"
         "'running':{}}}]}",
         "[\"2/2\",\"Running\",\"1\"]"},
        {"{}", "{'containers':[{},{}]}",
         "{'phase':'Running','conditions':[{'type':'Ready','status':'False'}],'containerStatuses':[{'state':{"
         "'terminated':{'reason':"
         "'Completed','exitCode':0}}},{'ready':true,'state':{'running':{}}}]}",
         "[\"1/2\",\"NotReady\",\"0\"]"},
};

static void pods_are_shown_by_the_rules_of_the_real_printer(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(pods); i++) {
		struct kt_json *pod = NULL;
		kt_set(&pod, "metadata", quoted(pods[i].metadata));
		kt_set(&pod, "spec", quoted(pods[i].spec));
		kt_set(&pod, "status", quoted(pods[i].status));
		struct kt_json *cells = schema_cells(kind_named(schema, "v1", "Pod"), pod, now);
		struct kt_json *three =
		        kt_jsonf("[%J, %J, %J]", kt_at(cells, 1), kt_at(cells, 2), kt_at(cells, 3));
		assert_json(three, pods[i].cells);
		kt_json_free(pod);
		kt_json_free(cells);
		kt_json_free(three);
	}
}

/* Whole rows of other kinds. */
static const struct {
	const char *object, *cells;
} rows[] = {
        {"{'apiVersion':'v1','kind':'Node','metadata':{'name':'n','labels':{'node-role.kubernetes.io/"
         "worker':'','node-role.kubernetes.io/control-plane':''},"
         "'creationTimestamp':'2026-01-02T03:03:05Z'},'spec':{'unschedulable':true},'status':{'conditions':[{"
         "'type':'Ready','status':'True'}],"
         "'addresses':[{'type':'InternalIP','address':'10.0.0.1'}],'nodeInfo':{'kubeletVersion':'v1.34.4','"
         "osImage':'Debian'}}}",
         "[\"n\",\"Ready,SchedulingDisabled\",\"control-plane,worker\",\"60s\",\"v1.34.4\",\"10.0.0.1\",\"<"
         "none>\",\"Debian\",\"<unknown>\","
         "\"<unknown>\"]"},
        {"{'apiVersion':'batch/"
         "v1','kind':'Job','metadata':{'name':'j'},'spec':{'completions':3,'parallelism':1},'status':{'"
         "succeeded':1,"
         "'startTime':'2026-01-02T03:03:00Z'}}",
         "[\"j\",\"Running\",\"1/3\",\"65s\",\"<unknown>\",\"\",\"\",\"<none>\"]"},
        {"{'apiVersion':'autoscaling/"
         "v2','kind':'HorizontalPodAutoscaler','metadata':{'name':'h'},'spec':{'scaleTargetRef':{'kind':'"
         "Deployment',"
         "'name':'web'},'minReplicas':1,'maxReplicas':3,'metrics':[{'type':'Resource','resource':{'name':'"
         "cpu','target':{'type':'Utilization',"
         "'averageUtilization':50}}},{'type':'Resource','resource':{'name':'memory','target':{'averageValue':"
         "'100Mi'}}},{'type':'Pods','pods':{"
         "'target':{'averageValue':'1'}}}]},'status':{'currentReplicas':1,'currentMetrics':[{'type':'"
         "Resource','resource':{'current':{"
         "'averageUtilization':0}}}]}}",
         "[\"h\",\"Deployment/web\",\"cpu: 0%/50%, memory: \\u003cunknown\\u003e/100Mi + 1 "
         "more...\",\"1\",3,1,\"\\u003cunknown\\u003e\"]"},
        {"{'apiVersion':'v1','kind':'Endpoints','metadata':{'name':'e'},'subsets':[{'addresses':[{'ip':'10.0."
         "0.1'},{'ip':'10.0.0.2'},"
         "{'ip':'10.0.0.3'},{'ip':'10.0.0.4'},{'ip':'10.0.0.5'}],'ports':[{'port':80}]}]}",
         "[\"e\",\"10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 2 more...\",\"<unknown>\"]"},
        {"{'apiVersion':'networking.k8s.io/"
         "v1','kind':'NetworkPolicy','metadata':{'name':'p'},'spec':{'podSelector':{'matchLabels':{'b':'1'},"
         "'matchExpressions':[{'key':'a','operator':'In','values':['y','x']},{'key':'c','operator':'"
         "DoesNotExist'}]}}}",
         "[\"p\",\"a in (x,y),b=1,!c\",\"<unknown>\"]"},
        {"{'apiVersion':'events.k8s.io/"
         "v1','kind':'Event','metadata':{'name':'e'},'regarding':{'kind':'Pod','name':'web'},'note':'hello ',"
         "'reason':'Tested','type':'Normal','reportingController':'me','eventTime':'2026-01-02T03:04:00."
         "000000Z'}",
         "[\"5s\",\"Normal\",\"Tested\",\"pod/web\",\"\",\"me\",\"hello\",\"5s\",1,\"e\"]"},
        {"{'apiVersion':'storage.k8s.io/"
         "v1','kind':'StorageClass','metadata':{'name':'standard','annotations':{"
         "'storageclass.kubernetes.io/"
         "is-default-class':'true'}},'provisioner':'p','reclaimPolicy':'Delete','volumeBindingMode':'"
         "Immediate'}",
         "[\"standard (default)\",\"p\",\"Delete\",\"Immediate\",false,\"<unknown>\"]"},
        {"{'apiVersion':'gateway.networking.k8s.io/"
         "v1','kind':'Gateway','metadata':{'name':'g','creationTimestamp':'2026-01-02T03:04:00Z'},"
         "'spec':{'gatewayClassName':'c'},'status':{'conditions':[{'type':'Programmed','status':'True'}]}}",
         "[\"g\",\"c\",null,\"True\",\"5s\"]"},
        {"{'apiVersion':'v1','kind':'LimitRange','metadata':{'name':'l','creationTimestamp':'2026-01-02T03:"
         "04:00Z'}}",
         "[\"l\",\"2026-01-02T03:04:00Z\"]"},
};

static void other_kinds_have_their_cells(void **state)
{
	(void)state;
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		struct kt_json *object = quoted(rows[i].object), *want = parsed(rows[i].cells);
		struct kt_json *cells = schema_cells(
		        kind_named(schema, kt_get_str(object, "apiVersion"), kt_get_str(object, "kind")),
		        object, now);
		char *text = kt_json_text(want);
		assert_json(cells, text);
		kt_free(text);
		kt_json_free(object);
		kt_json_free(want);
		kt_json_free(cells);
	}
}

static void every_kind_has_a_cell_for_each_column_even_of_an_empty_object(void **state)
{
	(void)state;
	for (size_t i = 0; i < schema_kind_count(schema); i++) {
		const struct schema_kind *kind = schema_kind_at(schema, i);
		struct kt_json *object =
		        kt_jsonf("{kind: %s, apiVersion: %s}", kind->kind, kind->api_version);
		struct kt_json *cells = schema_cells(kind, object, now),
		               *columns = schema_column_definitions(kind);
		if (kt_count(cells) != kt_count(columns))
			fail_msg("%s: %zu cells, %zu columns", kind->kind, kt_count(cells),
			         kt_count(columns));
		kt_json_free(cells);
		kt_json_free(columns);
		kt_json_free(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_are_those_of_the_real_server),
	        cmocka_unit_test(pods_are_shown_by_the_rules_of_the_real_printer),
	        cmocka_unit_test(other_kinds_have_their_cells),
	        cmocka_unit_test(every_kind_has_a_cell_for_each_column_even_of_an_empty_object),
	};
	return cmocka_run_group_tests(tests, with_schema, without_schema);
}

/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/rules_test.h"

#define PODS     "/api/v1/namespaces/default/pods"
#define CONFIGS  "/api/v1/namespaces/default/configmaps"
#define SERVICES "/api/v1/namespaces/default/services"
#define SETS     "/apis/apps/v1/namespaces/default/statefulsets"
/* A StatefulSet whose container mounts `v`, with one claim template. */
#define SET(claim)                                                                                           \
	"{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':{'name':'s'},'spec':{'serviceName':'s',"    \
	"'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{" BOX(     \
	        ",'volumeMounts':[{'name':'v','mountPath':'/x'}]") "}},'volumeClaimTemplates':[{'metadata':" \
	                                                           "{"                                       \
	                                                           "'name':'" claim                          \
	                                                           "'},'spec':{'accessModes':["              \
	                                                           "'ReadWriteOnce'],'resources':{"          \
	                                                           "'requests':{'storage':'1Gi'}}}}]}}"
#define DEPLOYMENTS        "/apis/apps/v1/namespaces/default/deployments"
#define JOBS               "/apis/batch/v1/namespaces/default/jobs"
#define POD(name, spec)    "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name "'},'spec':{" spec "}}"
#define BOX(more)          "'containers':[{'name':'c','image':'i'" more "}]"
#define CONFIG(meta, more) "{'apiVersion':'v1','kind':'ConfigMap','metadata':{" meta "}" more "}"
#define DEPLOYMENT(spec)                                                                                     \
	"{'apiVersion':'apps/v1','kind':'Deployment','metadata':{'name':'d'},'spec':{" spec                  \
	"'template':{'metadata':{'labels':{'a':'b'}},'spec':{" BOX("") "}}}}"

static void metadata_is_checked(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", CONFIGS, CONFIG("'name':'A'", ""), 422,
	         "metadata.name: Invalid value: \"A\": a lowercase RFC 1123 subdomain"},
	        {0, "POST", CONFIGS, CONFIG("", ""), 422,
	         "metadata.name: Required value: name or generateName is required"},
	        {0, "POST", CONFIGS, CONFIG("'name':'a','labels':{'x':'y z'}", ""), 422,
	         "metadata.labels: Invalid value: \"y z\""},
	        {0, "POST", CONFIGS, CONFIG("'name':'a','finalizers':['mine']", ""), 422,
	         "neither a standard finalizer name"},
	        {0, "POST", CONFIGS, CONFIG("'name':'a'", ",'data':{'b c':'x'}"), 422,
	         "data[b c]: Invalid value: \"b c\": a valid config key"},
	        {0, "POST", CONFIGS, CONFIG("'name':'a'", ",'immutable':true,'data':{'b':'x'}"), 201, NULL},
	        {0, "PATCH", CONFIGS "/a", "{'data':{'b':'y'}}", 422,
	         "data: Forbidden: field is immutable when `immutable` is set"},
	        {0, "POST", CONFIGS, CONFIG("'generateName':'a-'", ""), 201, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void pods_are_checked(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", PODS, POD("p", ""), 422, "spec.containers: Required value"},
	        {0, "POST", PODS, POD("p", BOX(",'ports':[{'containerPort':70000}]")), 422,
	         "containerPort: Invalid value: 70000: must be between 1 and 65535"},
	        {0, "POST", PODS, POD("p", BOX(",'livenessProbe':{}")), 422,
	         "livenessProbe: Required value: must specify a handler type"},
	        {0, "POST", PODS, POD("p", BOX(",'resources':{'requests':{'cpu':'2'},'limits':{'cpu':'1'}}")),
	         422, "must be less than or equal to cpu limit of 1"},
	        {0, "POST", PODS, POD("p", BOX(",'volumeMounts':[{'name':'v','mountPath':'/x'}]")), 422,
	         "volumeMounts[0].name: Not found: \"v\""},
	        {0, "POST", PODS, POD("p", BOX("") ",'restartPolicy':'Maybe'"), 422,
	         "supported values: \"Always\", \"OnFailure\", \"Never\""},
	        {0, "POST", PODS,
	         POD("p",
	             BOX("") ",'volumes':[{'name':'v','hostPath':{'path':'/x'},'configMap':{'name':'c'}}]"),
	         422, "spec.volumes[0].configMap: Forbidden: may not specify more than 1 volume type"},
	        {0, "POST", PODS, POD("p", BOX("") ",'tolerations':[{'operator':'Equal'}]"), 422,
	         "operator must be Exists when `key` is empty"},
	        {0, "POST", PODS, POD("p", BOX("") ",'nodeSelector':{'nowhere':'x'}"), 201, NULL},
	        {0, "PATCH", PODS "/p", "{'spec':{'activeDeadlineSeconds':9}}", 200, NULL},
	        {0, "PATCH", PODS "/p",
	         "{'metadata':{'annotations':{'controller.kubernetes.io/pod-deletion-cost':'lots'}}}", 422,
	         "metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"lots\": "
	         "must be a 32bit integer"},
	        {0, "PATCH", PODS "/p",
	         "{'metadata':{'annotations':{'controller.kubernetes.io/pod-deletion-cost':'008'}}}", 422,
	         "must be a 32bit integer"},
	        {0, "PATCH", PODS "/p",
	         "{'metadata':{'annotations':{'controller.kubernetes.io/pod-deletion-cost':'-2147483648'}}}",
	         200, NULL},
	        {0, "PATCH", PODS "/p", "{'spec':{'containers':[]}}", 422,
	         "pod updates may not add or remove containers"},
	        {0, "PATCH", PODS "/p", "{'spec':{'restartPolicy':'Never'}}", 422,
	         "- \"RestartPolicy\": \"Always\",\n+ \"RestartPolicy\": \"Never\",\n"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

#define STATEFULSETS "/apis/apps/v1/namespaces/default/statefulsets"
#define STATEFULSET(claim)                                                                                   \
	"{'apiVersion':'apps/v1','kind':'StatefulSet','metadata':{'name':'s-" claim                          \
	"'},'spec':{'serviceName':'s','selector':{'matchLabels':{'a':'b'}},"                                 \
	"'template':{'metadata':{'labels':{'a':'b'}},'spec':{" BOX(                                          \
	        ",'volumeMounts':[{'name':'data','mountPath':'/d'}]") "}},"                                  \
	                                                              "'volumeClaimTemplates':[{'metadata':" \
	                                                              "{'name':'" claim                      \
	                                                              "'},'spec':{'accessModes':['"          \
	                                                              "ReadWriteOnce'],'resources':{'"       \
	                                                              "requests':{'storage':'1Gi'}}}}]}}"

static void workloads_are_checked(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", DEPLOYMENTS, DEPLOYMENT(""), 422, "spec.selector: Required value"},
	        {0, "POST", DEPLOYMENTS, DEPLOYMENT("'selector':{'matchLabels':{'a':'c'}},"), 422,
	         "`selector` does not match template `labels`"},
	        {0, "POST", DEPLOYMENTS,
	         DEPLOYMENT("'selector':{'matchLabels':{'a':'b'}},'strategy':{'type':'BlueGreen'},"), 422,
	         "spec.strategy: Unsupported value: {\"Type\":\"BlueGreen\",\"RollingUpdate\":null}"},
	        {0, "POST", DEPLOYMENTS, DEPLOYMENT("'selector':{'matchLabels':{'a':'b'}},"), 201, NULL},
	        {0, "PATCH", DEPLOYMENTS "/d", "{'spec':{'selector':{'matchLabels':{'z':'c'}}}}", 422,
	         "field is immutable"},
	        {0, "POST", SETS, SET("v"), 201, NULL},
	        {0, "POST", SETS, SET("w"), 422, "volumeMounts[0].name: Not found: \"v\""},
	        {0, "POST", JOBS,
	         "{'apiVersion':'batch/"
	         "v1','kind':'Job','metadata':{'name':'j'},'spec':{'template':{'spec':{" BOX("") "}}}}",
	         422, "valid values: \"OnFailure\", \"Never\""},
	        {0, "POST", JOBS,
	         "{'apiVersion':'batch/"
	         "v1','kind':'Job','metadata':{'name':'j'},'spec':{'template':{'spec':{'restartPolicy':'"
	         "Never'," BOX("") "}}}}",
	         201, "batch.kubernetes.io/controller-uid"},
	        {0, "POST", STATEFULSETS, STATEFULSET("data"), 201, NULL},
	        {0, "POST", STATEFULSETS, STATEFULSET("date"), 422,
	         "volumeMounts[0].name: Not found: \"data\""},
	        {0, "PATCH", JOBS "/j", "{'spec':{'completions':4}}", 422,
	         "spec.completions: Invalid value: 4: field is immutable"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void services_are_checked(void **state)
{
#define SERVICE(spec) "{'apiVersion':'v1','kind':'Service','metadata':{'name':'s'},'spec':{" spec "}}"
	static const struct row rows[] = {
	        {0, "POST", SERVICES, SERVICE(""), 422, "spec.ports: Required value"},
	        {0, "POST", SERVICES, SERVICE("'ports':[{'port':80},{'port':81}]"), 422,
	         "spec.ports[0].name: Required value"},
	        {0, "POST", SERVICES, SERVICE("'ports':[{'port':80,'nodePort':30123}]"), 422,
	         "may not be used when `type` is 'ClusterIP'"},
	        {0, "POST", SERVICES, SERVICE("'type':'ExternalName'"), 422,
	         "spec.externalName: Required value"},
	        {0, "POST", SERVICES, SERVICE("'ports':[{'port':80}]"), 201, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void schedules_are_checked_in_the_parsers_words(void **state)
{
#define CRON(schedule)                                                                                       \
	"{'apiVersion':'batch/v1','kind':'CronJob','metadata':{'name':'c'},'spec':{'schedule':'" schedule    \
	"','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never'," BOX("") "}}}}}}"
#define CRONS "/apis/batch/v1/namespaces/default/cronjobs?dryRun=All"
	static const struct row rows[] = {
	        {0, "POST", CRONS, CRON("* * * * *"), 201, NULL},
	        {0, "POST", CRONS, CRON("*/5 0-6 1,15 jan-mar mon"), 201, NULL},
	        {0, "POST", CRONS, CRON("@hourly"), 201, NULL},
	        {0, "POST", CRONS, CRON("@every 5m"), 201, NULL},
	        {0, "POST", CRONS, CRON("* * *"), 422, "expected exactly 5 fields, found 3: [* * *]"},
	        {0, "POST", CRONS, CRON("61 * * * *"), 422, "end of range (61) above maximum (59): 61"},
	        {0, "POST", CRONS, CRON("5-2 * * * *"), 422,
	         "beginning of range (5) beyond end of range (2): 5-2"},
	        {0, "POST", CRONS, CRON("x * * * *"), 422,
	         "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"},
	        {0, "POST", CRONS, CRON("*/0 * * * *"), 422,
	         "step of range should be a positive number: */0"},
	        {0, "POST", CRONS, CRON("@sometimes"), 422, "unrecognized descriptor: @sometimes"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(metadata_is_checked),
	        cmocka_unit_test(pods_are_checked),
	        cmocka_unit_test(workloads_are_checked),
	        cmocka_unit_test(services_are_checked),
	        cmocka_unit_test(schedules_are_checked_in_the_parsers_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

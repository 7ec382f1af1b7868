/* SPDX-License-Identifier: MIT */
#include "tests/cluster/api/rules_test.h"

#define PODS       "/api/v1/namespaces/default/pods"
#define NAMESPACES "/api/v1/namespaces"
#define PRIORITIES "/apis/scheduling.k8s.io/v1/priorityclasses"
#define QUOTAS     "/api/v1/namespaces/default/resourcequotas"
#define POD(name, spec)                                                                                      \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name                                          \
	"'},'spec':{'nodeSelector':{'nowhere':'x'}," spec "}}"
#define BOX(more) "'containers':[{'name':'c','image':'i'" more "}]"

static void namespaces_must_be_there(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", "/api/v1/namespaces/none/pods", POD("p", BOX("")), 404,
	         "namespaces \"none\" not found"},
	        {0, "DELETE", NAMESPACES "/kube-system", NULL, 403, "this namespace may not be deleted"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void pods_get_account_priority_and_tolerations(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", PODS, POD("p", BOX("") ",'serviceAccountName':'absent'"), 403,
	         "error looking up service account default/absent: serviceaccount \"absent\" not found"},
	        {0, "POST", PODS,
	         "{'apiVersion':'v1','kind':'Pod','metadata':{'generateName':'made-'},'spec':{" BOX(
	                 "") ",'serviceAccountName':'absent'}}",
	         403, "pods \"made-\" is forbidden"},
	        {0, "POST", PODS, POD("p", BOX("") ",'priorityClassName':'absent'"), 403,
	         "no PriorityClass with name absent was found"},
	        {0, "POST", PODS, POD("p", BOX("")), 201,
	         "\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\""},
	        {0, "GET", PODS "/p", NULL, 200,
	         "\"key\":\"node.kubernetes.io/"
	         "unreachable\",\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300"},
	        {0, "POST", PODS, POD("q", BOX("") ",'priorityClassName':'system-node-critical'"), 201,
	         "\"priority\":2000001000"},
	        {0, "DELETE", PRIORITIES "/system-node-critical?dryRun=All", NULL, 403,
	         "priorityclasses.scheduling.k8s.io \"system-node-critical\" is forbidden: this is a system "
	         "priority class and cannot be deleted"},
	        {0, "DELETE", PRIORITIES "/system-cluster-critical", NULL, 403, "cannot be deleted"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

/* kubernetes pkg/registry/core/pod/strategy.go: the server puts the pod's own labels into the selectors. */
static void own_labels_become_requirements_of_selectors(void **state)
{
#define LABELLED(name, spec)                                                                                 \
	"{'apiVersion':'v1','kind':'Pod','metadata':{'name':'" name                                          \
	"','labels':{'app':'a','hash':'7'}},'spec':{'nodeSelector':{'nowhere':'x'}," BOX("") "," spec "}}"
#define SPREAD(rest)                                                                                         \
	"'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':'DoNotSchedule'"    \
	"," rest "}]"
#define ANTI(rest)                                                                                           \
	"'affinity':{'podAntiAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':[{'topologyKey':'"  \
	"z'," rest "}]}}"
	static const struct row rows[] = {
	        {0, "POST", PODS,
	         LABELLED("p", SPREAD("'labelSelector':{'matchLabels':{'app':'a'}},"
	                              "'matchLabelKeys':['hash','none']")),
	         201,
	         "\"labelSelector\":{\"matchLabels\":{\"app\":\"a\"},\"matchExpressions\":[{\"key\":\"hash\","
	         "\"operator\":\"In\",\"values\":[\"7\"]}]}"},
	        {0, "POST", PODS,
	         LABELLED("q",
	                  ANTI("'labelSelector':{},'matchLabelKeys':['app'],'mismatchLabelKeys':['hash']")),
	         201,
	         "\"labelSelector\":{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":["
	         "\"a\"]},"
	         "{\"key\":\"hash\",\"operator\":\"NotIn\",\"values\":[\"7\"]}]}"},
	        {0, "POST", PODS,
	         LABELLED("r",
	                  SPREAD("'labelSelector':{'matchLabels':{'hash':'7'}},'matchLabelKeys':['hash']")),
	         422, "\"hash\": exists in both matchLabelKeys and labelSelector"},
	        {0, "POST", PODS, LABELLED("s", ANTI("'matchLabelKeys':['hash']")), 422,
	         "must not be specified when labelSelector is not set"},
	        {0, "POST", PODS,
	         LABELLED("t",
	                  ANTI("'labelSelector':{},'matchLabelKeys':['app'],'mismatchLabelKeys':['app']")),
	         422, "exists in both matchLabelKeys and mismatchLabelKeys"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void limits_are_filled_in_and_kept(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", "/api/v1/namespaces/default/limitranges",
	         "{'apiVersion':'v1','kind':'LimitRange','metadata':{'name':'l'},'spec':{'limits':[{'type':'"
	         "Container','default':{'cpu':'500m'},"
	         "'defaultRequest':{'cpu':'100m'},'max':{'cpu':'1'}}]}}",
	         201, NULL},
	        {0, "POST", PODS, POD("p", BOX("")), 201,
	         "LimitRanger plugin set: cpu request for container c; cpu limit for container c"},
	        {0, "POST", PODS, POD("q", BOX(",'resources':{'limits':{'cpu':'2'}}")), 403,
	         "maximum cpu usage per Container is 1, but limit is 2"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void quotas_count_what_is_there(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", QUOTAS,
	         "{'apiVersion':'v1','kind':'ResourceQuota','metadata':{'name':'q'},'spec':{'hard':{'pods':'"
	         "2','requests.cpu':'1'}}}",
	         201, NULL},
	        {0, "POST", PODS, POD("a", BOX("")), 403,
	         "failed quota: q: must specify requests.cpu for: c"},
	        {0, "POST", PODS, POD("a", BOX(",'resources':{'requests':{'cpu':'600m'}}")), 201, NULL},
	        {0, "POST", PODS, POD("b", BOX(",'resources':{'requests':{'cpu':'600m'}}")), 403,
	         "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: "
	         "requests.cpu=1"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void pod_security_enforces_its_levels(void **state)
{
#define TIGHT  "/api/v1/namespaces/tight/pods"
#define SYSCTL "'securityContext':{'sysctls':[{'name':'net.ipv4.tcp_rmem','value':'4096 87380 6291456'}]}"
#define ENGINE "'securityContext':{'seLinuxOptions':{'type':'container_engine_t'}}"
#define BASE(name, version)                                                                                  \
	"{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'" name                                    \
	"','labels':{'pod-security.kubernetes.io/enforce':'baseline','pod-security.kubernetes.io/"           \
	"enforce-version':'" version "'}}}"
	static const struct row rows[] = {
	        {0, "POST", NAMESPACES,
	         "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'tight','labels':{'pod-security."
	         "kubernetes.io/enforce':'restricted'}}}",
	         201, NULL},
	        {0, "POST", TIGHT, POD("p", BOX("")), 403,
	         "violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container "
	         "\"c\" must set "
	         "securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "
	         "\"c\" must set "
	         "securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" "
	         "must set "
	         "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set "
	         "securityContext.seccompProfile.type to "
	         "\"RuntimeDefault\" or \"Localhost\")"},
	        {0, "POST", TIGHT,
	         POD("p", "'securityContext':{'runAsNonRoot':true,'seccompProfile':{'type':'RuntimeDefault'}}"
	                  "," BOX(",'securityContext':{'allowPrivilegeEscalation':false,'capabilities':{'"
	                          "drop':['ALL']}}")),
	         201, NULL},
	        {0, "POST", NAMESPACES, BASE("base", "latest"), 201, NULL},
	        {0, "POST", NAMESPACES, BASE("base31", "v1.31"), 201, NULL},
	        {0, "POST", NAMESPACES, BASE("base30", "v1.30"), 201, NULL},
	        {0, "POST", "/api/v1/namespaces/base31/pods", POD("s", ENGINE "," BOX("")), 201, NULL},
	        {0, "POST", "/api/v1/namespaces/base30/pods", POD("s", ENGINE "," BOX("")), 403,
	         "type \"container_engine_t\""},
	        {0, "POST", "/api/v1/namespaces/base/pods", POD("p", SYSCTL "," BOX("")), 201, NULL},
	        {0, "POST", "/api/v1/namespaces/base31/pods", POD("p", SYSCTL "," BOX("")), 403,
	         "violates PodSecurity \"baseline:v1.31\": forbidden sysctls (net.ipv4.tcp_rmem)"},
	        {0, "POST", NAMESPACES,
	         "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'x','labels':{'pod-security."
	         "kubernetes.io/enforce':'y'}}}",
	         422, "must be one of privileged, baseline, restricted"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

#define POLICIES  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
#define BINDINGS  "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
#define CONFIG    "/api/v1/namespaces/default/configmaps"
#define SECRETS   "/api/v1/namespaces/default/secrets"
#define SECRET(n) "{'metadata':{'name':'" n "','labels':{'n':'" n "'}}}"

/* apiserver pkg/admission/plugin/policy/generic CollectParams */
static void policies_take_parameters(void **state)
{
#define REF(ref) "{'spec':{'paramRef':" ref "}}"
	static const struct row rows[] = {
	        {0, "POST", POLICIES,
	         "{'metadata':{'name':'p'},'spec':{'paramKind':{'apiVersion':'v1','kind':'ConfigMap'},"
	         "'matchConstraints':{'resourceRules':[{'apiGroups':[''],'apiVersions':['v1'],"
	         "'operations':['CREATE'],'resources':['secrets']}]},'validations':[{'expression':"
	         "'object.metadata.name in params.data','messageExpression':"
	         "'params.metadata.name + \\' lacks it\\''}]}}",
	         201, NULL},
	        {0, "POST", BINDINGS,
	         "{'metadata':{'name':'b'},'spec':{'policyName':'p','validationActions':['Deny'],"
	         "'paramRef':{'name':'known','parameterNotFoundAction':'Deny'}}}",
	         201, NULL},
	        {0, "POST", SECRETS, SECRET("a"), 422,
	         "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed to configure "
	         "binding: no params found for policy binding with `Deny` parameterNotFoundAction"},
	        {0, "POST", CONFIG, "{'metadata':{'name':'known','labels':{'x':'y'}},'data':{'a':'1'}}", 201,
	         NULL},
	        {0, "POST", SECRETS, SECRET("b"), 422, "denied request: known lacks it"},
	        {0, "POST", SECRETS, SECRET("a"), 201, NULL},
	        {0, "PATCH", BINDINGS "/b", REF("{'name':'none','parameterNotFoundAction':'Allow'}"), 200,
	         NULL},
	        {0, "POST", SECRETS, SECRET("b"), 201, NULL},
	        {0, "PATCH", BINDINGS "/b",
	         REF("{'name':null,'selector':{'matchLabels':{'x':'y'}},'parameterNotFoundAction':'Deny'}"),
	         200, NULL},
	        {0, "POST", SECRETS, SECRET("c"), 422, "denied request: known lacks it"},
	        {0, "PATCH", BINDINGS "/b", REF("{'selector':{'matchLabels':{'x':'z'}}}"), 200, NULL},
	        {0, "POST", SECRETS, SECRET("c"), 422, "no params found"},
	        {0, "PATCH", POLICIES "/p", "{'spec':{'failurePolicy':'Ignore'}}", 200, NULL},
	        {0, "POST", SECRETS, SECRET("c"), 201, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

/* apiserver pkg/admission/plugin/webhook/matchconditions */
static void conditions_that_cannot_be_told_refuse(void **state)
{
#define CONDITIONS(list) "{'spec':{'matchConditions':" list "}}"
	static const struct row rows[] = {
	        {0, "POST", POLICIES,
	         "{'metadata':{'name':'p'},'spec':{"
	         "'matchConstraints':{'resourceRules':[{'apiGroups':[''],'apiVersions':['v1'],"
	         "'operations':['CREATE'],'resources':['secrets']}]},'matchConditions':[{'name':'one',"
	         "'expression':'object.none.x == 1'}],'validations':[{'expression':'false','reason':"
	         "'Forbidden'}]}}",
	         201, NULL},
	        {0, "POST", BINDINGS,
	         "{'metadata':{'name':'b'},'spec':{'policyName':'p','validationActions':['Deny']}}", 201,
	         NULL},
	        {0, "POST", SECRETS, SECRET("a"), 422,
	         "denied request: expression 'object.none.x == 1' resulted in error: no such key: none"},
	        {0, "PATCH", POLICIES "/p",
	         CONDITIONS("[{'name':'one','expression':'object.none.x == 1'},{'name':'two','expression':"
	                    "'object.metadata.name == \\'b\\''}]"),
	         200, NULL},
	        {0, "POST", SECRETS, SECRET("a"), 201, NULL},
	        {0, "POST", SECRETS, SECRET("b"), 422, "no such key: none"},
	        {0, "PATCH", POLICIES "/p", CONDITIONS("null"), 200, NULL},
	        {0, "POST", SECRETS, SECRET("b"), 403, "denied request: failed expression: false"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(namespaces_must_be_there),
	        cmocka_unit_test(pods_get_account_priority_and_tolerations),
	        cmocka_unit_test(own_labels_become_requirements_of_selectors),
	        cmocka_unit_test(limits_are_filled_in_and_kept),
	        cmocka_unit_test(quotas_count_what_is_there),
	        cmocka_unit_test(pod_security_enforces_its_levels),
	        cmocka_unit_test(policies_take_parameters),
	        cmocka_unit_test(conditions_that_cannot_be_told_refuse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

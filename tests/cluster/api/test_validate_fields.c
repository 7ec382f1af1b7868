/* SPDX-License-Identifier: MIT */
/* Rules of single fields, in the words of Kubernetes 1.34 (tests/golden has whole transcripts of them). */
#include "tests/cluster/api/rules_test.h"

#define PODS       "/api/v1/namespaces/default/pods"
#define CLAIMS     "/api/v1/namespaces/default/persistentvolumeclaims"
#define VOLUMES    "/api/v1/persistentvolumes"
#define JOBS       "/apis/batch/v1/namespaces/default/jobs"
#define SETS       "/apis/apps/v1/namespaces/default/statefulsets"
#define DAEMONS    "/apis/apps/v1/namespaces/default/daemonsets"
#define SCALERS    "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
#define POLICIES   "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
#define INGRESSES  "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
#define SLICES     "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
#define QUOTAS     "/api/v1/namespaces/default/resourcequotas"
#define RUNTIMES   "/apis/node.k8s.io/v1/runtimeclasses"
#define CLASSES    "/apis/storage.k8s.io/v1/storageclasses"
#define LEASES     "/apis/coordination.k8s.io/v1/namespaces/default/leases"
#define PRIORITIES "/apis/scheduling.k8s.io/v1/priorityclasses"
#define OF(api, kind, spec)                                                                                  \
	"{'apiVersion':'" api "','kind':'" kind "','metadata':{'name':'p'},'spec':{" spec "}}"
#define TOP(api, kind, rest) "{'apiVersion':'" api "','kind':'" kind "','metadata':{'name':'p'}," rest "}"
#define POD(spec)            OF("v1", "Pod", spec)
#define BOX(more)            "'containers':[{'name':'c','image':'i'" more "}]"
#define VOLUME(v)            POD(BOX("") ",'volumes':[{'name':'v'," v "}]")
#define TEMPLATE(more)       "'template':{'metadata':{'labels':{'a':'b'}},'spec':{" BOX("") more "}}"
#define SELECTED(more)       "'selector':{'matchLabels':{'a':'b'}}," TEMPLATE("") more
#define JOB(more)            OF("batch/v1", "Job", TEMPLATE(",'restartPolicy':'Never'") more)
#define SCALER(more)                                                                                         \
	OF("autoscaling/v2", "HorizontalPodAutoscaler",                                                      \
	   "'maxReplicas':3,'scaleTargetRef':{'apiVersion':'apps/v1','kind':'Deployment','name':'d'}" more)

static void pods_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", PODS, POD(BOX(",'env':[{'name':'A','valueFrom':{}}]")), 422,
	         "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"},
	        {0, "POST", PODS,
	         POD(BOX(",'env':[{'name':'A','valueFrom':{'fieldRef':{'apiVersion':'v2','fieldPath':'"
	                 "metadata."
	                 "name'}}}]")),
	         422, "error converting fieldPath: unsupported pod version: v2"},
	        {0, "POST", PODS,
	         POD(BOX(",'env':[{'name':'A','valueFrom':{'resourceFieldRef':{'resource':'limits.cpu',"
	                 "'divisor':'3'}}}]")),
	         422, "divisor: Invalid value: \"limits.cpu\": only divisor's values 1m and 1 are supported"},
	        {0, "POST", PODS, POD(BOX(",'envFrom':[{}]")), 422,
	         "envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"},
	        {0, "POST", PODS, POD(BOX(",'lifecycle':{'preStop':{'sleep':{'seconds':60}}}")), 422,
	         "must be non-negative and less than terminationGracePeriodSeconds (30)"},
	        {0, "POST", PODS,
	         POD(BOX(",'resizePolicy':[{'resourceName':'gpu','restartPolicy':'NotRequired'}]")), 422,
	         "resizePolicy: Unsupported value: \"gpu\": supported values: \"cpu\", \"memory\""},
	        {0, "POST", PODS, POD("'containers':[{'name':'c','image':' i'}]"), 422,
	         "must not have leading or trailing whitespace"},
	        {0, "POST", PODS, POD(BOX("") ",'hostPID':true,'shareProcessNamespace':true"), 422,
	         "ShareProcessNamespace and HostPID cannot both be enabled"},
	        {0, "POST", PODS, POD(BOX("") ",'hostUsers':false,'hostNetwork':true"), 422,
	         "spec.hostNetwork: Forbidden: when `hostUsers` is false"},
	        {0, "POST", PODS, POD(BOX("") ",'securityContext':{'sysctls':[{'name':'A b','value':'x'}]}"),
	         422, "must have at most 253 characters and match regex"},
	        {0, "POST", PODS, POD(BOX("") ",'dnsConfig':{'searches':['a b']}"), 422,
	         "spec.dnsConfig.searches[0]: Invalid value: \"a b\""},
	        {0, "POST", PODS,
	         POD(BOX("") ",'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'z','"
	                     "whenUnsatisfiable':"
	                     "'DoNotSchedule'},{'maxSkew':1,'topologyKey':'z','whenUnsatisfiable':"
	                     "'DoNotSchedule'}]"),
	         422, "topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value"},
	        {0, "POST", PODS, VOLUME("'iscsi':{'lun':0}"), 422, "iscsi.targetPortal: Required value"},
	        {0, "POST", PODS, VOLUME("'downwardAPI':{'items':[{'path':'a'}]}"), 422,
	         "downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"},
	        {0, "POST", PODS,
	         VOLUME("'projected':{'sources':[{'configMap':{'name':'a','items':[{'key':'k','path':'p'}]}},"
	                "{"
	                "'secret':{'name':'b','items':[{'key':'k','path':'p'}]}}]}"),
	         422, "conflicting duplicate paths"},
	        {0, "POST", PODS,
	         POD(BOX(",'volumeMounts':[{'name':'v','mountPath':'/"
	                 "x','recursiveReadOnly':'Enabled'}]") ","
	                                                       "'volumes':[{'name':'v','emptyDir':{}}"
	                                                       "]"),
	         422, "recursiveReadOnly: Forbidden: may only be specified when readOnly is true"},
	        {0, "POST", PODS, POD(BOX(",'resources':{'claims':[{'name':'x'}]}")), 422,
	         "must be one of the names in pod.spec.resourceClaims which is empty"},
	        {0, "POST", PODS, POD(BOX(",'resources':{'limits':{'cpu':'1','hugepages-2Mi':'3Mi'}}")), 422,
	         "3Mi is not positive integer multiple of hugepages-2Mi"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

/* ContainerRestartRules, ImageVolume and others are off by default. */
static void fields_of_features_that_are_off_are_dropped(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", PODS,
	         POD("'containers':[{'name':'c','image':'i','restartPolicy':'Never'}],'hostnameOverride':'h',"
	             "'initContainers':[{'name':'i','image':'i','restartPolicy':'Always'}],"
	             "'volumes':[{'name':'v','image':{'reference':'r'}}]"),
	         201, "\"restartPolicy\":\"Always\""},
	        {0, "GET", PODS "/p", NULL, 200, NULL},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void volumes_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", CLAIMS,
	         OF("v1", "PersistentVolumeClaim",
	            "'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'0'}}"),
	         422, "spec.resources[storage]: Invalid value: \"0\": must be greater than zero"},
	        {0, "POST", VOLUMES,
	         OF("v1", "PersistentVolume",
	            "'accessModes':['ReadWriteOnce'],'capacity':{'storage':'1Gi'},'local':{'path':'/x'}"),
	         422, "spec.nodeAffinity: Required value: Local volume requires node affinity"},
	        {0, "POST", VOLUMES,
	         OF("v1", "PersistentVolume",
	            "'accessModes':['ReadWriteOnce'],'capacity':{'storage':'1Gi'},'hostPath':{'path':'/x'}"),
	         201, NULL},
	        {0, "PATCH", VOLUMES "/p", "{'spec':{'hostPath':{'path':'/y'}}}", 422,
	         "immutable after creation\n@@ -2,7 +2,7 @@\n"},
	        {0, "PATCH", VOLUMES "/p", "{'spec':{'volumeMode':'Block'}}", 422,
	         "volumeMode: Invalid value: \"Block\": field is immutable"},
	        {0, "POST", CLASSES,
	         TOP("storage.k8s.io/v1", "StorageClass",
	             "'provisioner':'x','allowedTopologies':[{'matchLabelExpressions':[{'key':'a','values':[]"
	             "}]}]"),
	         422, "allowedTopologies[0].matchLabelExpressions[0].values: Required value"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void workloads_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", SETS, OF("apps/v1", "StatefulSet", "'serviceName':'Bad_Name'," SELECTED("")), 422,
	         "spec.serviceName: Invalid value: \"Bad_Name\""},
	        {0, "POST", SETS,
	         OF("apps/v1", "StatefulSet",
	            "'persistentVolumeClaimRetentionPolicy':{'whenDeleted':'Maybe'}," SELECTED("")),
	         422, "whenDeleted: Unsupported value: \"Maybe\": supported values: \"Retain\", \"Delete\""},
	        {0, "POST", DAEMONS,
	         OF("apps/v1", "DaemonSet", "'updateStrategy':{'type':'Odd'}," SELECTED("")), 422,
	         "supported values: \"RollingUpdate\", \"OnDelete\""},
	        {0, "POST", JOBS, JOB(",'successPolicy':{'rules':[{}]}"), 422,
	         "spec.successPolicy: Invalid value: "
	         "{\"Rules\":[{\"SucceededIndexes\":null,\"SucceededCount\":"
	         "null}]}: requires indexed completion mode"},
	        {0, "POST", JOBS,
	         JOB(",'completionMode':'Indexed','completions':5,'successPolicy':{'rules':[{'"
	             "succeededIndexes':"
	             "'1,3-9'}]}"),
	         422, "error parsing succeededIndexes: too large index: \"9\""},
	        {0, "POST", JOBS,
	         JOB(",'completionMode':'Indexed','completions':5,'successPolicy':{'rules':[{'"
	             "succeededIndexes':"
	             "'3,1'}]}"),
	         422, "non-increasing order, previous: 3, current: 1"},
	        {0, "POST", JOBS, JOB(",'podFailurePolicy':{'rules':[{'action':'FailJob'}]}"), 422,
	         "rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"},
	        {0, "POST", JOBS, JOB(",'managedBy':'me'"), 422,
	         "spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path"},
	        {0, "POST", JOBS, JOB(",'manualSelector':true"), 422,
	         "`selector` does not match template `labels`"},
	        {0, "POST", SCALERS,
	         SCALER(",'metrics':[{'type':'Pods','pods':{'metric':{'name':'m'},'target':{'type':"
	                "'AverageValue'}}}]"),
	         422, "target.averageValue: Required value: must specify a positive target averageValue"},
	        {0, "POST", SCALERS,
	         SCALER(",'metrics':[{'type':'ContainerResource','containerResource':{'name':'cpu',"
	                "'container':'','target':{'type':'Utilization','averageUtilization':"
	                "5}}}]"),
	         422, "containerResource.container: Required value: must specify a container"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void networks_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", POLICIES,
	         OF("networking.k8s.io/v1", "NetworkPolicy",
	            "'podSelector':{},'ingress':[{'from':[{'ipBlock':{'cidr':'10.0.0.0/"
	            "8','except':['192.168.0.0/"
	            "16']}}]}]"),
	         422, "except[0]: Invalid value: \"192.168.0.0/16\": must be a strict subset of `cidr`"},
	        {0, "POST", POLICIES,
	         OF("networking.k8s.io/v1", "NetworkPolicy",
	            "'podSelector':{},'ingress':[{'ports':[{'port':80,'endPort':70}]}]"),
	         422, "endPort: Invalid value: 80: must be greater than or equal to `port`"},
	        {0, "POST", INGRESSES,
	         OF("networking.k8s.io/v1", "Ingress", "'defaultBackend':{'resource':{'kind':'','name':''}}"),
	         422, "spec.defaultBackend.resource.kind: Required value"},
	        {0, "POST", INGRESSES,
	         OF("networking.k8s.io/v1", "Ingress",
	            "'rules':[{'http':{'paths':[{'path':'/','backend':{'service':{"
	            "'name':'s','port':{'number':80}}}}]}}]"),
	         422, "pathType: Required value: pathType must be specified"},
	        {0, "POST", SLICES,
	         TOP("discovery.k8s.io/v1", "EndpointSlice",
	             "'addressType':'IPv4','endpoints':[{'addresses':['127.0.0.1']}]"),
	         422, "may not be in the loopback range (127.0.0.0/8, ::1/128)"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void other_kinds_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", QUOTAS,
	         OF("v1", "ResourceQuota",
	            "'hard':{'pods':'1'},'scopeSelector':{'matchExpressions':[{'scopeName':'Terminating','"
	            "operator'"
	            ":'In','values':['a']}]}"),
	         422,
	         "matchExpressions.operator: Invalid value: \"In\": must be 'Exists' when scope is any of"},
	        {0, "POST", RUNTIMES, TOP("node.k8s.io/v1", "RuntimeClass", "'handler':'Bad'"), 422,
	         "handler: Invalid value: \"Bad\""},
	        {0, "POST", RUNTIMES,
	         TOP("node.k8s.io/v1", "RuntimeClass",
	             "'handler':'h','scheduling':{'nodeSelector':{'a':'b'},'tolerations':[{'key':'t','"
	             "operator':"
	             "'Exists'}]}"),
	         201, NULL},
	        {0, "PATCH", RUNTIMES "/p", "{'handler':'other'}", 422,
	         "handler: Invalid value: \"other\": field is immutable"},
	        {0, "POST", PODS, POD(BOX("") ",'runtimeClassName':'p'"), 201,
	         "\"nodeSelector\":{\"a\":\"b\"}"},
	        {0, "POST", LEASES,
	         OF("coordination.k8s.io/v1", "Lease", "'renewTime':'2024-01-01T00:00:00Z'"), 400,
	         "cannot parse \"Z\" as \".000000\""},
	        {0, "DELETE", PRIORITIES "/system-node-critical", NULL, 403,
	         "this is a system priority class and cannot be deleted"},
	        {0, "PATCH", "/api/v1/namespaces/default", "{'spec':{'finalizers':['example.com/x']}}", 200,
	         "\"finalizers\":[\"kubernetes\"]"},
	        {0, "PATCH", "/api/v1/namespaces/default",
	         "{'metadata':{'labels':{'pod-security.kubernetes.io/enforce-version':'1.20'}}}", 422,
	         "must be \"latest\" or \"v1.x\""},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

#define CRDS     "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
#define WIDGETS  "/apis/e.example.com/v1/namespaces/default/widgets"
#define WEBHOOKS "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
#define BINDINGS "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings"
#define CRD(schema)                                                                                          \
	"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':"      \
	"'widgets.e.example.com'},'spec':{'group':'e.example.com','scope':'Namespaced','names':{'plural':"   \
	"'widgets','kind':'Widget'},'versions':[{'name':'v1','served':true,'storage':true,'deprecated':"     \
	"true,'subresources':{'status':{},'scale':{'specReplicasPath':'.spec.replicas',"                     \
	"'statusReplicasPath':'.status.replicas'}},'schema':{'openAPIV3Schema':{'type':'object',"            \
	"'properties':{" schema "}}}}]}}"
#define WIDGET(spec)                                                                                         \
	"{'apiVersion':'e.example.com/v1','kind':'Widget','metadata':{'name':'w'},'spec':{" spec "}}"

static void custom_kinds_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", CRDS, CRD("'spec':{}"), 422,
	         "spec.validation.openAPIV3Schema.properties[spec].type: Required value: must not be empty "
	         "for "
	         "specified object fields"},
	        {0, "POST", CRDS, CRD("'a':{'type':'array'}"), 422,
	         "properties[a].items: Required value: must be specified"},
	        {0, "POST", CRDS, CRD("'a':{'type':'string','default':5}"), 422,
	         "properties[a].default: Invalid value: \"integer\":  in body must be of type string"},
	        {0, "POST", CRDS,
	         CRD("'spec':{'type':'object','properties':{'replicas':{'type':'integer','maximum':9},'when':"
	             "{"
	             "'type':'string','format':'date-time'},'tags':{'type':'array','x-kubernetes-list-type':'"
	             "set',"
	             "'items':{'type':'string'}},'port':{'x-kubernetes-int-or-string':true}}}"),
	         201, NULL},
	        {0, "POST", WIDGETS, WIDGET("'when':'yesterday'"), 422, "must be of type date-time"},
	        {0, "POST", WIDGETS, WIDGET("'tags':['a','a']"), 422, "spec.tags[1]: Duplicate value: \"a\""},
	        {0, "POST", WIDGETS, WIDGET("'port':[]"), 422, "must be of type integer,string: \"array\""},
	        {0, "POST", WIDGETS, WIDGET("'replicas':1"), 201, NULL},
	        {0, "PATCH", WIDGETS "/w/scale", "{'spec':{'replicas':99}}", 422,
	         "spec.replicas: Invalid value: 99: spec.replicas in body should be less than or equal to 9"},
	        {0, "POST", WEBHOOKS,
	         TOP("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
	             "'webhooks':[{'name':'a','admissionReviewVersions':['v1'],'sideEffects':'None','"
	             "clientConfig':"
	             "{'url':'https://127.0.0.1/'}}]"),
	         422, "should be a domain with at least three segments separated by dots"},
	        {0, "POST", BINDINGS,
	         OF("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding",
	            "'policyName':'p','validationActions':['Deny','Warn']"),
	         422, "must not contain both Deny and Warn"},
	        {0, "POST", PODS, "{'apiVersion':'v1','kind':'Secret','metadata':{'name':'p'}}", 400,
	         "converting (v1.Secret) to (core.Pod): unknown conversion"},
	        {0, "GET", PODS "?resourceVersion=x", NULL, 400,
	         "invalid resource version: resourceVersion: "},
	        {0, "GET", "/api/v1/namespaces/default/nothing", NULL, 404,
	         "the server could not find the requested resource"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

/* A definition with one version, whose schema has `properties`. */
#define CAT(version, properties)                                                                             \
	"{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','metadata':{'name':"      \
	"'cats.example.com'},'spec':{'group':'example.com','scope':'Cluster','names':{'plural':'cats',"      \
	"'kind':'Cat'},'versions':[{'name':'v1','served':true,'storage':true" version                        \
	",'schema':{'openAPIV3Schema':{'type':'object','properties':{" properties "}}}}]}}"
#define FLOWS  "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas"
#define LEVELS "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations"
#define FLOW(rest)                                                                                           \
	OF("flowcontrol.apiserver.k8s.io/v1", "FlowSchema",                                                  \
	   "'priorityLevelConfiguration':{'name':'exempt'}," rest)
#define LEVEL(rest) OF("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", rest)

static void definitions_are_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", CRDS, CAT("", "'a':{'type':'string','default':5}"), 422,
	         "properties[a].default: Invalid value: \"integer\":  in body must be of type string"},
	        {0, "POST", CRDS,
	         CAT("", "'a':{'type':'object','properties':{'b':{'type':'string'}},'default':{'c':1}}"), 422,
	         "properties[a].default: Invalid value: {\"c\":1}: must not have unknown fields"},
	        {0, "POST", CRDS, CAT("", "'a':{'type':'array'}"), 422,
	         "properties[a].items: Required value: must be specified"},
	        {0, "POST", CRDS, CAT("", "'a':{'type':'string','pattern':'('}"), 422,
	         "isn't: error parsing regexp: missing closing ): `(`"},
	        {0, "POST", CRDS,
	         CAT("", "'a':{'type':'object','oneOf':[{'properties':{'b':{'type':'string'}}}]}"), 422,
	         "properties[a].oneOf[0].properties[b].type: Forbidden: must be empty to be structural"},
	        {0, "POST", CRDS,
	         CAT("", "'metadata':{'type':'object','properties':{'labels':{'type':'object'}}}"), 422,
	         "must not specify anything other than name and generateName"},
	        {0, "POST", CRDS,
	         CAT("", "'a':{'type':'array','x-kubernetes-list-type':'map','items':{'type':'object'}}"),
	         422, "x-kubernetes-list-map-keys: Required value: must not be empty"},
	        {0, "POST", CRDS, CAT("", "'a':{'type':'string','x-kubernetes-validations':[{'rule':' '}]}"),
	         422, "x-kubernetes-validations[0].rule: Required value: rule is not specified"},
	        {0, "POST", CRDS,
	         CAT("",
	             "'a':{'type':'string','x-kubernetes-validations':[{'rule':'true','fieldPath':'.b'}]}"),
	         422, "fieldPath: Invalid value: \".b\": must be a valid path"},
	        {0, "POST", CRDS,
	         CAT(",'subresources':{'scale':{'specReplicasPath':'.x','statusReplicasPath':'.status.r'}}",
	             "'a':{'type':'string'}"),
	         422,
	         "spec.subresources.scale.specReplicasPath: Invalid value: \".x\": should be a json path "
	         "under"},
	        {0, "POST", CRDS, CAT(",'selectableFields':[{'jsonPath':'.b'}]", "'a':{'type':'string'}"),
	         422, "spec.selectableFields[0].jsonPath: Invalid value: \".b\": is an invalid path"},
	        {0, "POST", CRDS, CAT(",'deprecationWarning':'x'", "'a':{'type':'string'}"), 422,
	         "deprecationWarning: Invalid value: \"x\": can only be set for deprecated versions"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

static void flow_control_is_checked_field_by_field(void **state)
{
	static const struct row rows[] = {
	        {0, "POST", FLOWS, FLOW("'matchingPrecedence':1"), 422,
	         "only the schema named 'exempt' may have"},
	        {0, "POST", FLOWS, FLOW("'rules':[{'subjects':[{'kind':'User'}]}]"), 422,
	         "subjects[0].user: Required value: user is required when subject kind is 'User'"},
	        {0, "POST", LEVELS, LEVEL("'type':'Exempt'"), 422,
	         "must be 'Exempt' if and only if `name` is 'exempt'"},
	        {0, "POST", LEVELS, LEVEL("'type':'Limited'"), 422, "spec.limited: Required value"},
	        {0, "POST", LEVELS,
	         LEVEL("'type':'Limited','limited':{'limitResponse':{'type':'Queue','queuing':{'queues':8,'"
	               "handSize':9}}}"),
	         422, "handSize: Invalid value: 9: should not be greater than queues (8)"},
	};
	(void)state;
	run_rows(rows, KT_COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pods_are_checked_field_by_field),
	        cmocka_unit_test(fields_of_features_that_are_off_are_dropped),
	        cmocka_unit_test(volumes_are_checked_field_by_field),
	        cmocka_unit_test(workloads_are_checked_field_by_field),
	        cmocka_unit_test(networks_are_checked_field_by_field),
	        cmocka_unit_test(other_kinds_are_checked_field_by_field),
	        cmocka_unit_test(custom_kinds_are_checked_field_by_field),
	        cmocka_unit_test(definitions_are_checked_field_by_field),
	        cmocka_unit_test(flow_control_is_checked_field_by_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

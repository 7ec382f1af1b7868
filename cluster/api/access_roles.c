/* SPDX-License-Identifier: MIT */
/* The roles and bindings that every cluster has (kubernetes
 * plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go and what kubeadm adds), the priority classes, as
 * data. */
#include "cluster/api/access.h"

#include <string.h>

#define READ  "get,list,watch"
#define WRITE "create,delete,deletecollection,patch,update"
#define ALL   "create,delete,deletecollection,get,list,patch,update,watch"

/* A rule: verbs | API groups ("-" is core) | resources [| names]; or verbs | ! | URLs. */
struct role {
	const char *ns, *name, *label; /* label: of aggregation */
	const char *gathers;           /* aggregates by this label instead of having rules */
	const char *rules[28];
};

#define TO_ADMIN "rbac.authorization.k8s.io/aggregate-to-admin"
#define TO_EDIT  "rbac.authorization.k8s.io/aggregate-to-edit"
#define TO_VIEW  "rbac.authorization.k8s.io/aggregate-to-view"

#define EXTENSIONS_WRITE                                                                                     \
	"daemonsets,deployments,deployments/rollback,deployments/"                                           \
	"scale,ingresses,networkpolicies,replicasets,replicasets/scale,"                                     \
	"replicationcontrollers/scale"
#define LEADER "get,create,update|coordination.k8s.io|leases"

static const struct role roles[] = {
        {.name = "cluster-admin", .rules = {"*|*|*", "*|!|*"}},
        {.name = "admin", .gathers = TO_ADMIN},
        {.name = "edit", .label = TO_ADMIN, .gathers = TO_EDIT},
        {.name = "view", .label = TO_EDIT, .gathers = TO_VIEW},
        {.name = "system:aggregate-to-admin",
         .label = TO_ADMIN,
         .rules = {"create|authorization.k8s.io|localsubjectaccessreviews",
                   "create,delete,deletecollection,get,list,patch,update,watch|rbac.authorization.k8s.io|"
                   "rolebindings,roles"}},
        {.name = "system:aggregate-to-edit",
         .label = TO_EDIT,
         .rules =
                 {"get,list,watch|-|pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy",
                  "impersonate|-|serviceaccounts",
                  "create,delete,deletecollection,patch,update|-|pods,pods/attach,pods/exec,pods/"
                  "portforward,pods/proxy",
                  "create|-|pods/eviction",
                  "create,delete,deletecollection,patch,update|-|configmaps,events,persistentvolumeclaims,"
                  "replicationcontrollers,replicationcontrollers/"
                  "scale,secrets,serviceaccounts,services,services/proxy",
                  "create|-|serviceaccounts/token",
                  "create,delete,deletecollection,patch,update|apps|daemonsets,deployments,deployments/"
                  "rollback,deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale",
                  "create,delete,deletecollection,patch,update|autoscaling|horizontalpodautoscalers",
                  "create,delete,deletecollection,patch,update|batch|cronjobs,jobs",
                  "create,delete,deletecollection,patch,update|extensions|daemonsets,deployments,deployments/"
                  "rollback,deployments/scale,ingresses,networkpolicies,replicasets,replicasets/"
                  "scale,replicationcontrollers/scale",
                  "create,delete,deletecollection,patch,update|policy|poddisruptionbudgets",
                  "create,delete,deletecollection,patch,update|networking.k8s.io|ingresses,networkpolicies",
                  "create,delete,deletecollection,get,list,patch,update,watch|coordination.k8s.io|leases",
                  "create,delete,deletecollection,patch,update|resource.k8s.io|resourceclaims,"
                  "resourceclaimtemplates"}},
        {.name = "system:aggregate-to-view",
         .label = TO_VIEW,
         .rules = {READ "|-|configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/"
                        "status,pods,replicationcontrollers,"
                        "replicationcontrollers/scale,serviceaccounts,services,services/status",
                   READ "|-|bindings,events,limitranges,namespaces/status,pods/log,pods/"
                        "status,replicationcontrollers/status,resourcequotas,"
                        "resourcequotas/status",
                   READ "|-|namespaces", READ "|discovery.k8s.io|endpointslices",
                   READ
                   "|apps|controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/"
                   "scale,deployments/status,replicasets,"
                   "replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status",
                   READ "|autoscaling|horizontalpodautoscalers,horizontalpodautoscalers/status",
                   READ "|batch|cronjobs,cronjobs/status,jobs,jobs/status",
                   READ "|extensions|daemonsets,daemonsets/status,deployments,deployments/scale,deployments/"
                        "status,ingresses,ingresses/status,"
                        "networkpolicies,replicasets,replicasets/scale,replicasets/"
                        "status,replicationcontrollers/scale",
                   READ "|policy|poddisruptionbudgets,poddisruptionbudgets/status",
                   READ "|networking.k8s.io|ingresses,ingresses/status,networkpolicies",
                   READ "|resource.k8s.io|resourceclaims,resourceclaims/status,resourceclaimtemplates"}},
        {.name = "system:basic-user",
         .rules = {"create|authorization.k8s.io|selfsubjectaccessreviews,selfsubjectrulesreviews",
                   "create|authentication.k8s.io|selfsubjectreviews"}},
        {.name = "system:discovery",
         .rules = {"get|!|/api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/"
                   "version/"}},
        {.name = "system:public-info-viewer", .rules = {"get|!|/healthz,/livez,/readyz,/version,/version/"}},
        {.name = "system:service-account-issuer-discovery",
         .rules = {"get|!|/.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/"
                   "jwks,/openid/v1/jwks/"}},
        {.name = "system:monitoring",
         .rules = {"get|!|/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*",
                   "get|-|nodes/metrics"}},
        {.name = "system:auth-delegator",
         .rules = {"create|authentication.k8s.io|tokenreviews",
                   "create|authorization.k8s.io|subjectaccessreviews"}},
        {.name = "system:heapster",
         .rules = {READ "|-|events,namespaces,nodes,pods", READ "|extensions|deployments"}},
        {.name = "system:kube-aggregator", .rules = {READ "|-|endpoints,services"}},
        {.name = "system:kube-controller-manager",
         .rules = {"create,patch,update|-,events.k8s.io|events", "create|coordination.k8s.io|leases",
                   "get,update|coordination.k8s.io|leases|kube-controller-manager",
                   "create|-|secrets,serviceaccounts", "delete|-|secrets",
                   "get|-|configmaps,namespaces,secrets,serviceaccounts", "update|-|secrets,serviceaccounts",
                   "create|authentication.k8s.io|tokenreviews",
                   "create|authorization.k8s.io|subjectaccessreviews", "list,watch|*|*",
                   "create|-|serviceaccounts/token"}},
        {.name = "system:kube-dns", .rules = {"list,watch|-|endpoints,services"}},
        {.name = "system:kube-scheduler",
         .rules = {"create,patch,update|-,events.k8s.io|events",
                   "create|coordination.k8s.io|leases",
                   "get,list,update,watch|coordination.k8s.io|leases|kube-scheduler",
                   "create,delete,deletecollection,get,list,patch,update,watch|coordination.k8s.io|"
                   "leasecandidates",
                   "get,list,watch|-|nodes",
                   "delete,get,list,watch|-|pods",
                   "create|-|bindings,pods/binding",
                   "patch,update|-|pods/status",
                   "get,list,watch|-|replicationcontrollers,services",
                   "get,list,watch|apps,extensions|replicasets",
                   "get,list,watch|apps|statefulsets",
                   "get,list,watch|policy|poddisruptionbudgets",
                   "get,list,watch|-|persistentvolumeclaims,persistentvolumes",
                   "create|authentication.k8s.io|tokenreviews",
                   "create|authorization.k8s.io|subjectaccessreviews",
                   "get,list,watch|storage.k8s.io|csinodes",
                   "get,list,watch|storage.k8s.io|volumeattachments",
                   "get,list,watch|-|namespaces",
                   "get,list,watch|storage.k8s.io|csidrivers",
                   "get,list,watch|storage.k8s.io|csistoragecapacities",
                   "get,list,watch|resource.k8s.io|deviceclasses",
                   "get,list,patch,update,watch|resource.k8s.io|resourceclaims",
                   "get,list,patch,update,watch|resource.k8s.io|resourceclaims/status",
                   "update|-|pods/finalizers",
                   "get,list,watch|resource.k8s.io|resourceslices"}},
        {.name = "system:kubelet-api-admin",
         .rules = {"get,list,watch|-|nodes", "proxy|-|nodes",
                   "*|-|nodes/log,nodes/metrics,nodes/proxy,nodes/stats",
                   "*|-|nodes/configz,nodes/healthz,nodes/pods"}},
        {.name = "system:node",
         .rules = {"create|authentication.k8s.io|tokenreviews",
                   "create|authorization.k8s.io|localsubjectaccessreviews,subjectaccessreviews",
                   "get,list,watch|-|services",
                   "create,get,list,watch|-|nodes",
                   "patch,update|-|nodes/status",
                   "patch,update|-|nodes",
                   "create,patch,update|-|events",
                   "get,list,watch|-|pods",
                   "create,delete|-|pods",
                   "patch,update|-|pods/status",
                   "create|-|pods/eviction",
                   "get,list,watch|-|configmaps,secrets",
                   "get|-|persistentvolumeclaims,persistentvolumes",
                   "get|-|endpoints",
                   "create,get,list,watch|certificates.k8s.io|certificatesigningrequests",
                   "create,delete,get,patch,update|coordination.k8s.io|leases",
                   "get|storage.k8s.io|volumeattachments",
                   "create|-|serviceaccounts/token",
                   "get,patch,update|-|persistentvolumeclaims/status",
                   "get,list,watch|storage.k8s.io|csidrivers",
                   "create,delete,get,patch,update|storage.k8s.io|csinodes",
                   "get,list,watch|node.k8s.io|runtimeclasses",
                   "get|resource.k8s.io|resourceclaims",
                   "deletecollection|resource.k8s.io|resourceslices",
                   "get|-|serviceaccounts"}},
        {.name = "system:node-bootstrapper",
         .rules = {"create,get,list,watch|certificates.k8s.io|certificatesigningrequests"}},
        {.name = "system:node-problem-detector",
         .rules = {"get|-|nodes", "patch|-|nodes/status", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "system:node-proxier",
         .rules = {"list,watch|-|endpoints,services", "get,list,watch|-|nodes",
                   "create,patch,update|-,events.k8s.io|events", "list,watch|networking.k8s.io|servicecidrs",
                   "list,watch|discovery.k8s.io|endpointslices"}},
        {.name = "system:persistent-volume-provisioner",
         .rules = {"create,delete,get,list,watch|-|persistentvolumes",
                   "get,list,update,watch|-|persistentvolumeclaims",
                   "get,list,watch|storage.k8s.io|storageclasses", "watch|-|events",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "system:volume-scheduler",
         .rules = {"get,list,patch,update,watch|-|persistentvolumes", READ "|storage.k8s.io|storageclasses",
                   "get,list,patch,update,watch|-|persistentvolumeclaims"}},
        {.name = "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
         .rules = {"create|certificates.k8s.io|certificatesigningrequests/nodeclient"}},
        {.name = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
         .rules = {"create|certificates.k8s.io|certificatesigningrequests/selfnodeclient"}},
        {.name = "system:certificates.k8s.io:kube-apiserver-client-approver",
         .rules = {"approve|certificates.k8s.io|signers|kubernetes.io/kube-apiserver-client"}},
        {.name = "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver",
         .rules = {"approve|certificates.k8s.io|signers|kubernetes.io/kube-apiserver-client-kubelet"}},
        {.name = "system:certificates.k8s.io:kubelet-serving-approver",
         .rules = {"approve|certificates.k8s.io|signers|kubernetes.io/kubelet-serving"}},
        {.name = "system:certificates.k8s.io:legacy-unknown-approver",
         .rules = {"approve|certificates.k8s.io|signers|kubernetes.io/legacy-unknown"}},
        {.name = "kubeadm:get-nodes", .rules = {"get|-|nodes"}},
        {.ns = "kube-system",
         .name = "extension-apiserver-authentication-reader",
         .rules = {READ "|-|configmaps|extension-apiserver-authentication"}},
        {.ns = "kube-system",
         .name = "system::leader-locking-kube-controller-manager",
         .rules = {"watch|-|configmaps", LEADER}},
        {.ns = "kube-system",
         .name = "system::leader-locking-kube-scheduler",
         .rules = {"watch|-|configmaps", LEADER}},
        {.ns = "kube-system",
         .name = "system:controller:bootstrap-signer",
         .rules = {"get,list,watch|-|secrets"}},
        {.ns = "kube-system",
         .name = "system:controller:cloud-provider",
         .rules = {"create,get,list,watch|-|configmaps"}},
        {.ns = "kube-system",
         .name = "system:controller:token-cleaner",
         .rules = {"delete,get,list,watch|-|secrets", "create,patch,update|-,events.k8s.io|events"}},
        {.ns = "kube-public",
         .name = "system:controller:bootstrap-signer",
         .rules = {READ "|-|configmaps", "create,patch,update|-|events"}},
};

/* What each controller may (…/controller_policy.go): system:controller:NAME, bound to the account NAME in
 * kube-system. */
static const struct role controllers[] = {
        {.name = "attachdetach-controller",
         .rules = {"list,watch|-|persistentvolumeclaims,persistentvolumes", "get,list,watch|-|nodes",
                   "patch,update|-|nodes/status", "list,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events",
                   "create,delete,get,list,watch|storage.k8s.io|volumeattachments",
                   "get,list,watch|storage.k8s.io|csidrivers", "get,list,watch|storage.k8s.io|csinodes"}},
        {.name = "certificate-controller",
         .rules = {"delete,get,list,watch|certificates.k8s.io|certificatesigningrequests",
                   "update|certificates.k8s.io|certificatesigningrequests/"
                   "approval,certificatesigningrequests/status",
                   "approve|certificates.k8s.io|signers|kubernetes.io/kube-apiserver-client-kubelet",
                   "sign|certificates.k8s.io|signers|kubernetes.io/kube-apiserver-client,kubernetes.io/"
                   "kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown",
                   "create|authorization.k8s.io|subjectaccessreviews",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "clusterrole-aggregation-controller",
         .rules = {"escalate,get,list,patch,update,watch|rbac.authorization.k8s.io|clusterroles"}},
        {.name = "cronjob-controller",
         .rules = {"get,list,update,watch|batch|cronjobs",
                   "create,delete,get,list,patch,update,watch|batch|jobs", "update|batch|cronjobs/status",
                   "update|batch|cronjobs/finalizers", "delete,list,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "daemon-set-controller",
         .rules = {"get,list,watch|apps,extensions|daemonsets", "update|apps,extensions|daemonsets/status",
                   "update|apps,extensions|daemonsets/finalizers", "list,watch|-|nodes",
                   "create,delete,list,patch,watch|-|pods", "create|-|pods/binding",
                   "create,delete,get,list,patch,update,watch|apps|controllerrevisions",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "deployment-controller",
         .rules = {"get,list,update,watch|apps,extensions|deployments",
                   "update|apps,extensions|deployments/status",
                   "update|apps,extensions|deployments/finalizers",
                   "create,delete,get,list,patch,update,watch|apps,extensions|replicasets",
                   "get,list,update,watch|-|pods", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "disruption-controller",
         .rules = {"get,list,watch|apps,extensions|deployments", "get,list,watch|apps,extensions|replicasets",
                   "get,list,watch|-|replicationcontrollers", "get,list,watch|policy|poddisruptionbudgets",
                   "get,list,watch|apps|statefulsets", "update|policy|poddisruptionbudgets/status",
                   "patch,update|-|pods/status", "get|*|*/scale",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "endpoint-controller",
         .rules = {"get,list,watch|-|pods,services", "create,delete,get,list,update,watch|-|endpoints",
                   "create|-|endpoints/restricted", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "endpointslice-controller",
         .rules = {"get,list,watch|-|nodes,pods,services", "update|-|services/finalizers",
                   "create,delete,get,list,update,watch|discovery.k8s.io|endpointslices",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "endpointslicemirroring-controller",
         .rules = {"get,list,watch|-|endpoints,services", "update|-|services/finalizers",
                   "update|-|endpoints/finalizers",
                   "create,delete,get,list,update,watch|discovery.k8s.io|endpointslices",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "ephemeral-volume-controller",
         .rules = {"get,list,watch|-|pods", "update|-|pods/finalizers",
                   "create,get,list,watch|-|persistentvolumeclaims",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "expand-controller",
         .rules = {"get,list,patch,update,watch|-|persistentvolumes",
                   "patch,update|-|persistentvolumeclaims/status", "get,list,watch|-|persistentvolumeclaims",
                   "create,patch,update|-,events.k8s.io|events", "get|-|services"}},
        {.name = "generic-garbage-collector",
         .rules = {"delete,get,list,patch,update,watch|*|*", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "horizontal-pod-autoscaler",
         .rules = {"get,list,watch|autoscaling|horizontalpodautoscalers",
                   "update|autoscaling|horizontalpodautoscalers/status", "get,update|*|*/scale",
                   "list,watch|-|pods", "list,watch|metrics.k8s.io|pods",
                   "get,list,watch|custom.metrics.k8s.io|*", "get,list,watch|external.metrics.k8s.io|*",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "job-controller",
         .rules = {"get,list,patch,update,watch|batch|jobs", "update|batch|jobs/status",
                   "update|batch|jobs/finalizers", "create,delete,list,patch,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "legacy-service-account-token-cleaner",
         .rules = {"get|-|configmaps|kube-apiserver-legacy-service-account-token-tracking",
                   "delete,patch|-|secrets"}},
        {.name = "namespace-controller",
         .rules = {"delete,get,list,watch|-|namespaces", "update|-|namespaces/finalize,namespaces/status",
                   "delete,deletecollection,get,list,watch|*|*"}},
        {.name = "node-controller",
         .rules = {"delete,get,list,patch,update,watch|-|nodes", "patch,update|-|nodes/status",
                   "patch,update|-|pods/status", "delete,get,list,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "persistent-volume-binder",
         .rules = {"create,delete,get,list,update,watch|-|persistentvolumes",
                   "update|-|persistentvolumes/status", "get,list,update,watch|-|persistentvolumeclaims",
                   "update|-|persistentvolumeclaims/status", "create,delete,get,list,watch|-|pods",
                   "get,list,watch|storage.k8s.io|storageclasses", "list,watch|-|nodes",
                   "create,patch,update|-,events.k8s.io|events", "watch|-|events", "get|-|services"}},
        {.name = "pod-garbage-collector",
         .rules = {"delete,list,watch|-|pods", "get,list,watch|-|nodes", "patch|-|pods/status"}},
        {.name = "pv-protection-controller",
         .rules = {"get,list,update,watch|-|persistentvolumes",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "pvc-protection-controller",
         .rules = {"get,list,update,watch|-|persistentvolumeclaims", "get,list,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "replicaset-controller",
         .rules = {"get,list,update,watch|apps,extensions|replicasets",
                   "update|apps,extensions|replicasets/status",
                   "update|apps,extensions|replicasets/finalizers", "create,delete,list,patch,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "replication-controller",
         .rules = {"get,list,update,watch|-|replicationcontrollers", "update|-|replicationcontrollers/status",
                   "update|-|replicationcontrollers/finalizers", "create,delete,list,patch,watch|-|pods",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "resource-claim-controller",
         .rules = {"get,list,watch|-|pods", "update|-|pods/finalizers",
                   "create,delete,get,list,watch|resource.k8s.io|resourceclaims",
                   "patch,update|resource.k8s.io|resourceclaims,resourceclaims/status",
                   "patch,update|-|pods/status", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "resourcequota-controller",
         .rules = {"list,watch|*|*", "update|-|resourcequotas/status",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "root-ca-cert-publisher",
         .rules = {"create,update|-|configmaps", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "route-controller",
         .rules = {"list,watch|-|nodes", "patch|-|nodes/status",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "selinux-warning-controller",
         .rules = {"create,patch,update|-,events.k8s.io|events", "get,list,watch|-|persistentvolumes",
                   "get,list,watch|-|persistentvolumeclaims", "get,list,watch|-|pods",
                   "get,list,watch|storage.k8s.io|csidrivers"}},
        {.name = "service-account-controller",
         .rules = {"create|-|serviceaccounts", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "service-cidrs-controller",
         .rules = {"get,list,patch,update,watch|networking.k8s.io|servicecidrs",
                   "patch,update|networking.k8s.io|servicecidrs/finalizers",
                   "patch,update|networking.k8s.io|servicecidrs/status",
                   "get,list,watch|networking.k8s.io|ipaddresses",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "service-controller",
         .rules = {"get,list,watch|-|services", "patch,update|-|services/status", "list,watch|-|nodes",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "statefulset-controller",
         .rules = {"list,watch|-|pods", "get,list,watch|apps|statefulsets", "update|apps|statefulsets/status",
                   "update|apps|statefulsets/finalizers", "create,delete,get,patch,update|-|pods",
                   "create,delete,get,list,patch,update,watch|apps|controllerrevisions",
                   "create,get,list,watch|-|persistentvolumeclaims",
                   "create,patch,update|-,events.k8s.io|events", "delete,update|-|persistentvolumeclaims",
                   "update|-|pods/finalizers"}},
        {.name = "ttl-after-finished-controller",
         .rules = {"delete,get,list,watch|batch|jobs", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "ttl-controller",
         .rules = {"list,patch,update,watch|-|nodes", "create,patch,update|-,events.k8s.io|events"}},
        {.name = "validatingadmissionpolicy-status-controller",
         .rules = {"get,list,watch|admissionregistration.k8s.io|validatingadmissionpolicies",
                   "get,patch,update|admissionregistration.k8s.io|validatingadmissionpolicies/status",
                   "create,patch,update|-,events.k8s.io|events"}},
        {.name = "volumeattributesclass-protection-controller",
         .rules = {"get,list,watch|-|persistentvolumeclaims", "get,list,watch|-|persistentvolumes",
                   "get,list,update,watch|storage.k8s.io|volumeattributesclasses",
                   "create,patch,update|-,events.k8s.io|events"}},
};

/* binding, role, subject: "G:group", "U:user", "S:namespace/account" */
static const struct {
	const char *ns, *name, *role, *subjects[3];
} bindings[] = {
        {NULL, "cluster-admin", "cluster-admin", {"G:system:masters"}},
        {NULL, "kubeadm:cluster-admins", "cluster-admin", {"G:kubeadm:cluster-admins"}},
        {NULL,
         "kubeadm:get-nodes",
         "kubeadm:get-nodes",
         {"G:system:bootstrappers:kubeadm:default-node-token"}},
        {NULL,
         "kubeadm:kubelet-bootstrap",
         "system:node-bootstrapper",
         {"G:system:bootstrappers:kubeadm:default-node-token"}},
        {NULL, "kubeadm:node-proxier", "system:node-proxier", {"S:kube-system/kube-proxy"}},
        {NULL, "system:basic-user", "system:basic-user", {"G:system:authenticated"}},
        {NULL, "system:discovery", "system:discovery", {"G:system:authenticated"}},
        {NULL,
         "system:kube-controller-manager",
         "system:kube-controller-manager",
         {"U:system:kube-controller-manager"}},
        {NULL, "system:kube-dns", "system:kube-dns", {"S:kube-system/kube-dns"}},
        {NULL, "system:kube-scheduler", "system:kube-scheduler", {"U:system:kube-scheduler"}},
        {NULL, "system:monitoring", "system:monitoring", {"G:system:monitoring"}},
        {NULL, "system:node", "system:node", {0}},
        {NULL, "system:node-proxier", "system:node-proxier", {"U:system:kube-proxy"}},
        {NULL,
         "system:public-info-viewer",
         "system:public-info-viewer",
         {"G:system:authenticated", "G:system:unauthenticated"}},
        {NULL,
         "system:service-account-issuer-discovery",
         "system:service-account-issuer-discovery",
         {"G:system:serviceaccounts"}},
        {NULL, "system:volume-scheduler", "system:volume-scheduler", {"U:system:kube-scheduler"}},
        {"kube-system",
         "system::extension-apiserver-authentication-reader",
         "extension-apiserver-authentication-reader",
         {"U:system:kube-controller-manager", "U:system:kube-scheduler"}},
        {"kube-system",
         "system::leader-locking-kube-controller-manager",
         "system::leader-locking-kube-controller-manager",
         {"U:system:kube-controller-manager", "S:kube-system/kube-controller-manager"}},
        {"kube-system",
         "system::leader-locking-kube-scheduler",
         "system::leader-locking-kube-scheduler",
         {"U:system:kube-scheduler", "S:kube-system/kube-scheduler"}},
        {"kube-system",
         "system:controller:bootstrap-signer",
         "system:controller:bootstrap-signer",
         {"S:kube-system/bootstrap-signer"}},
        {"kube-system",
         "system:controller:cloud-provider",
         "system:controller:cloud-provider",
         {"S:kube-system/cloud-provider"}},
        {"kube-system",
         "system:controller:token-cleaner",
         "system:controller:token-cleaner",
         {"S:kube-system/token-cleaner"}},
        {"kube-public",
         "system:controller:bootstrap-signer",
         "system:controller:bootstrap-signer",
         {"S:kube-system/bootstrap-signer"}},
};

static const struct {
	const char *name;
	int64_t value;
	const char *text;
} priorities[] = {
        {"system-cluster-critical", 2000000000,
         "Used for system critical pods that must run in the cluster, but can be moved to another node if "
         "necessary."},
        {"system-node-critical", 2000001000,
         "Used for system critical pods that must not be moved from their current node."},
};

/* --- from data to objects --- */

static const struct api_actor server = {
        .user = "system:apiserver", .manager = "kube-apiserver", .component = "kube-apiserver"};

static struct kt_json *words(const char **text)
{
	struct kt_json *list = kt_json_array();
	size_t len;
	const char *part = kt_split(text, '|', &len), *word;
	char *copy = kt_strndup(part ? part : "", part ? len : 0);
	for (const char *rest = copy; (word = kt_split(&rest, ',', &len)) != NULL;)
		kt_push(&list, len == 1 && *word == '-' ? kt_json_str("") : kt_json_strn(word, len));
	kt_free(copy);
	return list;
}

static struct kt_json *rule_of(const char *text)
{
	struct kt_json *verbs = words(&text), *rule = kt_json_object();
	kt_set(&rule, "verbs", verbs);
	if (text && kt_starts(text, "!|")) {
		text += 2;
		kt_set(&rule, "nonResourceURLs", words(&text));
		return rule;
	}
	kt_set(&rule, "apiGroups", words(&text));
	kt_set(&rule, "resources", words(&text));
	if (text)
		kt_set(&rule, "resourceNames", words(&text));
	return rule;
}

static struct kt_json *metadata(const char *ns, const char *name)
{
	return kt_jsonf("{name: %s, namespace: %s, annotations: "
	                "{'rbac.authorization.kubernetes.io/autoupdate': 'true'},"
	                "labels: {'kubernetes.io/bootstrapping': 'rbac-defaults'}}",
	                name, ns);
}

static void make(struct cluster *cluster, const char *group, const char *kind, struct kt_json *object)
{
	api_create(cluster, &server, schema_stored(cluster_schema(cluster), group, kind), object, NULL);
}

static void make_role(struct cluster *cluster, const struct role *role, const char *name)
{
	const char *kind = role->ns ? "Role" : "ClusterRole";
	struct kt_json *rules = kt_json_array(), *meta = metadata(role->ns, name);
	struct kt_json *aggregation =
	        role->gathers
	                ? kt_jsonf("{clusterRoleSelectors: [{matchLabels: {%s: 'true'}}]}", role->gathers)
	                : NULL;
	for (size_t i = 0; role->rules[i]; i++)
		kt_push(&rules, rule_of(role->rules[i]));
	if (role->label)
		kt_set(kt_edit(&meta, "labels"), role->label, kt_json_str("true"));
	make(cluster, ACCESS_RBAC, kind,
	     kt_jsonf("{kind: %s, apiVersion: 'rbac.authorization.k8s.io/v1', metadata: %j, rules: %j, "
	              "aggregationRule: %j}",
	              kind, meta, rules, aggregation));
}

static struct kt_json *subject_of(const char *text)
{
	const char *slash = strchr(text, '/');
	if (*text == 'S') {
		char *ns = kt_strndup(text + 2, (size_t)(slash - text - 2));
		struct kt_json *subject =
		        kt_jsonf("{kind: 'ServiceAccount', name: %s, namespace: %s}", slash + 1, ns);
		kt_free(ns);
		return subject;
	}
	return kt_jsonf("{kind: %s, apiGroup: %s, name: %s}", *text == 'G' ? "Group" : "User", ACCESS_RBAC,
	                text + 2);
}

static void make_binding(struct cluster *cluster, const char *ns, const char *name, const char *role,
                         const char *const *subjects)
{
	const char *kind = ns ? "RoleBinding" : "ClusterRoleBinding";
	struct kt_json *list = NULL;
	for (size_t i = 0; i < 3 && subjects[i]; i++)
		kt_push(&list, subject_of(subjects[i]));
	make(cluster, ACCESS_RBAC, kind,
	     kt_jsonf("{kind: %s, apiVersion: 'rbac.authorization.k8s.io/v1', metadata: %j, subjects: %j, "
	              "roleRef: {apiGroup: %s, kind: %s, name: %s}}",
	              kind, metadata(ns, name), list, ACCESS_RBAC, ns ? "Role" : "ClusterRole", role));
}

void rules_bootstrap(struct cluster *cluster)
{
	for (size_t i = 0; i < KT_COUNT(priorities); i++)
		make(cluster, "scheduling.k8s.io", "PriorityClass",
		     kt_jsonf("{kind: 'PriorityClass', apiVersion: 'scheduling.k8s.io/v1', metadata: {name: "
		              "%s}, value: %l, description: %s}",
		              priorities[i].name, priorities[i].value, priorities[i].text));
	for (size_t i = 0; i < KT_COUNT(roles); i++)
		make_role(cluster, &roles[i], roles[i].name);
	for (size_t i = 0; i < KT_COUNT(bindings); i++)
		make_binding(cluster, bindings[i].ns, bindings[i].name, bindings[i].role,
		             bindings[i].subjects);
	for (size_t i = 0; i < KT_COUNT(controllers); i++) {
		char *name = kt_strf("system:controller:%s", controllers[i].name),
		     *subject = kt_strf("S:kube-system/%s", controllers[i].name);
		const char *subjects[3] = {subject};
		make_role(cluster, &controllers[i], name);
		make_binding(cluster, NULL, name, name, subjects);
		kt_free(name);
		kt_free(subject);
	}
}
